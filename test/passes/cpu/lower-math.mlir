// RUN: gsa-opt %s --gsa-cpu-lower-math | FileCheck %s

// What they compute is checked in test/unit/cpu_math_test.cc.

// CHECK: func.func private @log1p(f64) -> f64

// A scale that is applied in two steps reaches denormal results.
// CHECK-LABEL: func.func @exp(
// CHECK: %[[HALF:.*]] = arith.shrsi
// CHECK: arith.subi %{{.*}}, %[[HALF]]
// CHECK-COUNT-2: arith.shli {{.*}} : vector<16xi32>
// CHECK-NOT: math.exp
// CHECK: return
func.func @exp(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// A denormal argument is made a normal number first.
// CHECK-LABEL: func.func @log(
// CHECK: %[[NORMAL:.*]] = arith.constant 1.17549435E-38 : f32
// CHECK: arith.cmpf olt, %{{.*}}, %[[NORMAL]]
// CHECK-NOT: math.log
// CHECK: return
func.func @log(%x: f32) -> f32 {
  %0 = math.log %x : f32
  return %0 : f32
}

// Not ln(1 + x) and exp(x) - 1, in no type.
// CHECK-LABEL: func.func @small(
// CHECK-NOT: math.{{(log1p|expm1|log|exp)}}
// CHECK: call @log1p(%{{.*}}) : (f64) -> f64
// CHECK-COUNT-2: call @expm1({{.*}}) : (f64) -> f64
// CHECK: return
func.func @small(%x: f32, %y: f64, %v: vector<2xf64>) -> (f32, f32, f64, vector<2xf64>) {
  %0 = math.log1p %x : f32
  %1 = math.expm1 %x : f32
  %2 = math.log1p %y : f64
  %3 = math.expm1 %v : vector<2xf64>
  return %0, %1, %2, %3 : f32, f32, f64, vector<2xf64>
}

// CHECK-LABEL: func.func @others(
// CHECK-NOT: math.{{(clampf|isinf|isnormal|fpowi)}}
// CHECK: math.powf {{.*}} : vector<4xf64>
// CHECK: math.fma {{.*}} : vector<4xf32>
// CHECK-NOT: math.{{(clampf|isinf|isnormal|fpowi)}}
// CHECK: return
func.func @others(%x: vector<4xf32>, %h: vector<4xbf16>, %i: vector<4xi32>)
    -> (vector<4xf32>, vector<4xi1>, vector<4xi1>, vector<4xf32>, vector<4xbf16>) {
  %0 = math.clampf %x to [%x, %x] : vector<4xf32>
  %1 = math.isinf %x : vector<4xf32>
  %2 = math.isnormal %x : vector<4xf32>
  %3 = math.fpowi %x, %i : vector<4xf32>, vector<4xi32>
  %4 = math.fma %h, %h, %h : vector<4xbf16>
  return %0, %1, %2, %3, %4
    : vector<4xf32>, vector<4xi1>, vector<4xi1>, vector<4xf32>, vector<4xbf16>
}

// Left to LLVM and libm.
// CHECK-LABEL: func.func @kept(
// CHECK: math.exp {{.*}} : f64
// CHECK: math.sin
// CHECK: math.fma
func.func @kept(%x: f32, %y: f64) -> (f64, f32, f32) {
  %0 = math.exp %y : f64
  %1 = math.sin %x : f32
  %2 = math.fma %x, %x, %x : f32
  return %0, %1, %2 : f64, f32, f32
}
