// Private functions with ops of gsa become part of their callers: they run with
// the sizes of each call, and kernels are made of their ops. One that may not be
// inlined must need no memory of its own; else it is an error that says so.

// RUN: split-file %s %t
// RUN: gsa-run %t/helper.mlir --batch 2 --seq 37 --compare | FileCheck %s
// RUN: gsa-run %t/helper.mlir --batch 2 --seq 37 --compare --reference | FileCheck %s
// RUN: %if host-cxx %{ gsa-run %t/helper.mlir --batch 2 --seq 37 --compare --target=emu | FileCheck %s %}
// RUN: %if nvrtc %{ gsa-run %t/helper.mlir --batch 2 --seq 37 --target=cuda --arch=sm_90a --stop-after=code | FileCheck %s --check-prefix=CODE %}
// RUN: gsa-run %t/helper.mlir --batch 2 --seq 37 --stop-after=specialize | FileCheck %s --check-prefix=ONE
// RUN: gsa-opt %t/helper.mlir --inline --symbol-dce | FileCheck %s --check-prefix=ONE
// CHECK: Comparison with the float64 reference: passed
// CHECK-NEXT: output
// CHECK-NEXT: indices
// CODE: .entry

// ONE-NOT: func.func private
// ONE: func.func @main
// ONE: gsa.select
// ONE: gsa.gather_attention
// ONE: gsa.gate
// ONE: gsa.select
// ONE: gsa.gather_attention
// ONE: gsa.gate
// ONE-NOT: call

// RUN: sed "s#{ // no_inline here#attributes {no_inline} {#" %t/sized.mlir > %t/kept.mlir
// RUN: gsa-run %t/sized.mlir --compare -q
// RUN: gsa-run %t/kept.mlir --compare -q
// RUN: %expect-exit 3 gsa-run %t/kept.mlir --target=emu 2>&1 | FileCheck %s --check-prefix=KEPT
// KEPT: kept.mlir:3:{{[0-9]+}}: error: allocation outside the entry function 'main', in 'both', which was not inlined (attribute 'no_inline', or a call of itself); write its ops in place of the call

//--- helper.mlir
func.func private @attend(
    %q: tensor<?x?x4x64xf32>, %k: tensor<?x?x2x64xf32>,
    %iq: tensor<?x?x2x32xf32>, %ik: tensor<?x?x32xf32>,
    %gate: tensor<?x?x4x64xf32>)
    -> (tensor<?x?x4x64xf32>, tensor<?x?x8xi32>) {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 8>
      : (tensor<?x?x2x32xf32>, tensor<?x?x32xf32>)
      -> (tensor<?x?x8xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  %o, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
      : (tensor<?x?x4x64xf32>, tensor<?x?x2x64xf32>, tensor<?x?x2x64xf32>,
         tensor<?x?x8xi32>, tensor<?x?xi32>)
      -> (tensor<?x?x4x64xf32>, tensor<?x4x?xf32>)
  %r = gsa.gate %o, %gate
      : (tensor<?x?x4x64xf32>, tensor<?x?x4x64xf32>) -> tensor<?x?x4x64xf32>
  return %r, %i : tensor<?x?x4x64xf32>, tensor<?x?x8xi32>
}

func.func @main(
    %q: tensor<?x?x4x64xf32> {gsa.name = "query"},
    %k: tensor<?x?x2x64xf32> {gsa.name = "key"},
    %iq: tensor<?x?x2x32xf32> {gsa.name = "index_query"},
    %ik: tensor<?x?x32xf32> {gsa.name = "index_key"},
    %g: tensor<?x?x4x64xf32> {gsa.name = "output_gate"})
    -> (tensor<?x?x4x64xf32> {gsa.name = "output"},
        tensor<?x?x8xi32> {gsa.name = "indices"}) {
  %a, %i = call @attend(%q, %k, %iq, %ik, %g)
      : (tensor<?x?x4x64xf32>, tensor<?x?x2x64xf32>, tensor<?x?x2x32xf32>,
         tensor<?x?x32xf32>, tensor<?x?x4x64xf32>)
      -> (tensor<?x?x4x64xf32>, tensor<?x?x8xi32>)
  %b, %j = call @attend(%a, %k, %iq, %ik, %g)
      : (tensor<?x?x4x64xf32>, tensor<?x?x2x64xf32>, tensor<?x?x2x32xf32>,
         tensor<?x?x32xf32>, tensor<?x?x4x64xf32>)
      -> (tensor<?x?x4x64xf32>, tensor<?x?x8xi32>)
  return %b, %j : tensor<?x?x4x64xf32>, tensor<?x?x8xi32>
}

//--- sized.mlir
func.func private @both(%x: tensor<1x5x2x8xf32>, %g: tensor<1x5x2x8xf32>) -> tensor<1x5x2x8xf32>
    { // no_inline here
  %0 = gsa.gate %x, %g : (tensor<1x5x2x8xf32>, tensor<1x5x2x8xf32>) -> tensor<1x5x2x8xf32>
  %1 = gsa.gate %g, %x : (tensor<1x5x2x8xf32>, tensor<1x5x2x8xf32>) -> tensor<1x5x2x8xf32>
  %2 = gsa.gate %0, %1 : (tensor<1x5x2x8xf32>, tensor<1x5x2x8xf32>) -> tensor<1x5x2x8xf32>
  return %2 : tensor<1x5x2x8xf32>
}
func.func @main(%x: tensor<1x5x2x8xf32> {gsa.name = "x"}, %g: tensor<1x5x2x8xf32> {gsa.name = "g"})
    -> (tensor<1x5x2x8xf32> {gsa.name = "y"}) {
  %0 = call @both(%x, %g) : (tensor<1x5x2x8xf32>, tensor<1x5x2x8xf32>) -> tensor<1x5x2x8xf32>
  return %0 : tensor<1x5x2x8xf32>
}
