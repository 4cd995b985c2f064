// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills %s | FileCheck %s --check-prefix=USAGE %}

// CHECK-LABEL: void functions(
gsa_tile.kernel @functions(%a: f32 loc("a"), %d: f64 loc("d"), %h: i32 loc("h"),
                           %y: !gsa_tile.global<f32, write> loc("y"),
                           %z: !gsa_tile.global<f64, write> loc("z"),
                           %b: !gsa_tile.global<bf16, write> loc("b"))
    attributes {warps = 1 : i64} {
  %c0 = arith.constant 0 : index
  // CHECK: store(y, 0, fmaf(expf(a), tanhf(-a), rsqrtf(sqrtf(a))));
  %0 = math.exp %a : f32
  %1 = arith.negf %a : f32
  %2 = math.tanh %1 : f32
  %3 = math.sqrt %a : f32
  %4 = math.rsqrt %3 : f32
  %5 = math.fma %0, %2, %4 : f32
  gsa_tile.store %5, %y[%c0] : !gsa_tile.global<f32, write>, index
  // CHECK: store(z, 0, pow(exp2(d), floor(log(d)) + rint(fabs(d))));
  %6 = math.exp2 %d : f64
  %7 = math.log %d : f64
  %8 = math.floor %7 : f64
  %9 = math.absf %d : f64
  %10 = math.roundeven %9 : f64
  %11 = arith.addf %8, %10 : f64
  %12 = math.powf %6, %11 : f64
  gsa_tile.store %12, %z[%c0] : !gsa_tile.global<f64, write>, index
  // Sine and cosine in double are functions of the device headers.
  // CHECK: store(z, 0, cos_f64(d) * sin_f64(d));
  %18 = math.cos %d : f64
  %19 = math.sin %d : f64
  %20 = arith.mulf %18, %19 : f64
  gsa_tile.store %20, %z[%c0] : !gsa_tile.global<f64, write>, index
  // CHECK: const bf16 truncf_0 = to_bf16(sinf(a));
  // CHECK: store(b, 0, isnan(to_float(truncf_0)) ? truncf_0 : to_bf16(expf(to_float(truncf_0))));
  %13 = math.sin %a : f32
  %14 = arith.truncf %13 : f32 to bf16
  %15 = math.isnan %14 : bf16
  %16 = math.exp %14 : bf16
  %17 = arith.select %15, %14, %16 : bf16
  gsa_tile.store %17, %b[%c0] : !gsa_tile.global<bf16, write>, index
  gsa_tile.return
}

// Values that loops carry are variables; two are assigned at once.
// CHECK-LABEL: void loops(
gsa_tile.kernel @loops(%x: !gsa_tile.global<f32, read> loc("x"),
                       %y: !gsa_tile.global<f32, write> loc("y"),
                       %n: index loc("n")) attributes {warps = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  // CHECK:      float total = 0.0f;
  // CHECK-NEXT: for (int i = 0; i < n + 4; i += 4) {
  // CHECK-NEXT:   const float v = load(x, i);
  // CHECK-NEXT:   total = total + v;
  // CHECK-NEXT: }
  %end = arith.addi %n, %c4 : index
  %sum = scf.for %i = %c0 to %end step %c4 iter_args(%total = %zero) -> f32 {
    %v = gsa_tile.load %x[%i] : !gsa_tile.global<f32, read>, index
    %next = arith.addf %total, %v : f32
    scf.yield %next : f32
  }
  // CHECK-NEXT: float a = total;
  // CHECK-NEXT: float b = 0.0f;
  // CHECK-NEXT: for (int i_0 = 0; i_0 < n; ++i_0) {
  // CHECK-NEXT:   {
  // CHECK-NEXT:     const auto next_a = b;
  // CHECK-NEXT:     const auto next_b = a + b;
  // CHECK-NEXT:     a = next_a;
  // CHECK-NEXT:     b = next_b;
  // CHECK-NEXT:   }
  // CHECK-NEXT: }
  %pair:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %sum, %b = %zero)
      -> (f32, f32) {
    %c = arith.addf %a, %b : f32
    scf.yield %b, %c : f32, f32
  }
  // CHECK-NEXT: float v;
  // CHECK-NEXT: if (n > 4) {
  // CHECK-NEXT:   v = a;
  // CHECK-NEXT: } else {
  // CHECK-NEXT:   store(y, 1, b);
  // CHECK-NEXT:   v = b * b;
  // CHECK-NEXT: }
  // CHECK-NEXT: store(y, 0, v);
  %many = arith.cmpi sgt, %n, %c4 : index
  %v = scf.if %many -> f32 {
    scf.yield %pair#0 : f32
  } else {
    gsa_tile.store %pair#1, %y[%c1] : !gsa_tile.global<f32, write>, index
    %square = arith.mulf %pair#1, %pair#1 : f32
    scf.yield %square : f32
  }
  gsa_tile.store %v, %y[%c0] : !gsa_tile.global<f32, write>, index
  gsa_tile.return
}

// CHECK-LABEL: void whiles(
gsa_tile.kernel @whiles(%y: !gsa_tile.global<f32, write> loc("y"),
                        %n: index loc("n")) attributes {warps = 1 : i64} {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0.0 : f32
  // CHECK:      int i = n;
  // CHECK-NEXT: int last;
  // CHECK-NEXT: while (true) {
  // CHECK-NEXT:   last = i - 1;
  // CHECK-NEXT:   if (!(i > 1)) break;
  // CHECK-NEXT:   {
  // CHECK-NEXT:     store(y, last, 0.0f);
  // CHECK-NEXT:     i = last / 2;
  // CHECK-NEXT:   }
  // CHECK-NEXT: }
  // CHECK-NEXT: store(y, last, 0.0f);
  %last = scf.while (%i = %n) : (index) -> index {
    %go = arith.cmpi sgt, %i, %c1 : index
    %less = arith.subi %i, %c1 : index
    scf.condition(%go) %less : index
  } do {
  ^bb0(%j: index):
    gsa_tile.store %zero, %y[%j] : !gsa_tile.global<f32, write>, index
    %half = arith.divsi %j, %c2 : index
    scf.yield %half : index
  }
  gsa_tile.store %zero, %y[%last] : !gsa_tile.global<f32, write>, index
  gsa_tile.return
}

// USAGE: sm_80 whiles registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_86 whiles registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_89 whiles registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_90a whiles registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_100a whiles registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_120 whiles registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
