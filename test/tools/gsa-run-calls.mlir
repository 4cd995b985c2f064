// Functions are inlined before sizes are written into types. Of one that cannot
// be, sizes stay unknown: an error at the call, for what is not supported.

// RUN: split-file %s %t
// RUN: %expect-exit 3 gsa-run %t/kept.mlir --seq 4 2>&1 | FileCheck %s --check-prefix=KEPT
// RUN: %expect-exit 3 gsa-run %t/kept.mlir --seq 4 --target=emu 2>&1 | FileCheck %s --check-prefix=KEPT
// RUN: %expect-exit 3 gsa-run %t/kept.mlir --seq 4 --stop-after=gsa 2>&1 | FileCheck %s --check-prefix=KEPT
// KEPT: gsa-run: error: compiling: {{.*}}kept.mlir:7:8: error: the call of @helper cannot be inlined, and its results have free sizes: sizes are not known across calls; write the ops of @helper in its place, or give its types sizes
// Another error of such a module is still that error.
// RUN: %expect-exit 2 gsa-run %t/kept.mlir --seq 4 --stop-after=gas 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: target cpu has no phase 'gas'
// RUN: gsa-run %t/inlined.mlir --seq 4 --compare -q
// RUN: gsa-run %t/sized.mlir --compare -q

//--- kept.mlir
func.func private @helper(%x: tensor<1x?xf32>) -> tensor<1x?xf32> attributes {no_inline} {
  %0 = arith.addf %x, %x : tensor<1x?xf32>
  return %0 : tensor<1x?xf32>
}
func.func @main(%x: tensor<1x?xf32> {gsa.name = "x"}) -> tensor<1x?xf32> {
  // The error is here.
  %0 = call @helper(%x) : (tensor<1x?xf32>) -> tensor<1x?xf32>
  return %0 : tensor<1x?xf32>
}

//--- inlined.mlir
func.func private @helper(%x: tensor<1x?xf32>) -> tensor<1x?xf32> {
  %0 = arith.addf %x, %x : tensor<1x?xf32>
  return %0 : tensor<1x?xf32>
}
func.func @main(%x: tensor<1x?xf32> {gsa.name = "x"}) -> tensor<1x?xf32> {
  %0 = call @helper(%x) : (tensor<1x?xf32>) -> tensor<1x?xf32>
  return %0 : tensor<1x?xf32>
}

//--- sized.mlir
func.func private @helper(%x: tensor<1x4xf32>) -> tensor<1x4xf32> attributes {no_inline} {
  %0 = arith.addf %x, %x : tensor<1x4xf32>
  return %0 : tensor<1x4xf32>
}
func.func @main(%x: tensor<1x4xf32> {gsa.name = "x"}) -> tensor<1x4xf32> {
  %0 = call @helper(%x) : (tensor<1x4xf32>) -> tensor<1x4xf32>
  return %0 : tensor<1x4xf32>
}
