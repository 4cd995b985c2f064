// A comparison says of how many elements it says nothing, and says it clearly
// when that is all of an output.

// RUN: split-file %s %t
// RUN: gsa-run %t/all.mlir --compare | FileCheck %s --check-prefix=ALL
// ALL: Comparison with the float64 reference: passed, but nothing finite was compared of output
// ALL: output tensor<1x2x1x4xf32>: nothing finite to compare; of 8 elements 8 are NaN or infinite in the run and 8 in the reference
// ALL-NOT: max error
// ALL: plain tensor<1x2x1x4xf32>: max error {{.*}} of their limits{{$}}
// RUN: gsa-run %t/all.mlir --compare --json -q > %t.json
// RUN: %python -c "import json, sys; c = json.load(open(sys.argv[1]))['comparison']; r, s = c['results']; print(c['passed'], c['nothing_finite'], r['nonfinite'], r['finite_in_both'], r['error']['max_abs_error'], r['error']['relative_error'], s['nonfinite'], s['finite_in_both'])" %t.json | FileCheck %s --check-prefix=JSON
// JSON: True ['output'] {'reference': 8, 'run': 8} 0 None None {'reference': 0, 'run': 0} 8
// Not even -q keeps quiet about it.
// RUN: gsa-run %t/all.mlir --compare -q 2>&1 | FileCheck %s --check-prefix=QUIET
// QUIET: gsa-run: warning: --compare found nothing finite to compare in an output
// RUN: gsa-run %t/sizes.mlir --compare --seq 2,3 | FileCheck %s --check-prefix=SWEEP
// SWEEP-COUNT-2: an output has nothing finite to compare

// RUN: gsa-run %t/some.mlir --compare | FileCheck %s --check-prefix=SOME
// SOME: Comparison with the float64 reference: passed{{$}}
// SOME: output tensor<1x2x1x4xf32>: max error {{.*}}; of 8 elements 4 are NaN or infinite in the run and 4 in the reference{{$}}
// An f16 product that float64 could hold counts as the infinity that it is.
// SOME: beyond tensor<1x1x1x2xf16>: max error {{.*}}; of 2 elements 1 are NaN or infinite in the run and 1 in the reference{{$}}

//--- all.mlir
func.func @main(%x: tensor<1x2x1x4xf32> {gsa.name = "x"})
    -> (tensor<1x2x1x4xf32> {gsa.name = "output"}, tensor<1x2x1x4xf32> {gsa.name = "plain"}) {
  %nan = arith.constant dense<0x7FC00000> : tensor<1x2x1xf32>
  %one = arith.constant dense<1.0> : tensor<1x2x1xf32>
  %0 = gsa.gate %x, %nan : (tensor<1x2x1x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x1x4xf32>
  %1 = gsa.gate %x, %one : (tensor<1x2x1x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x1x4xf32>
  return %0, %1 : tensor<1x2x1x4xf32>, tensor<1x2x1x4xf32>
}

//--- some.mlir
func.func @main(%x: tensor<1x2x1x4xf32> {gsa.name = "x"}, %b: tensor<1x2x1xf32> {gsa.name = "b"})
    -> (tensor<1x2x1x4xf32> {gsa.name = "output"}, tensor<1x1x1x2xf16> {gsa.name = "beyond"}) {
  %nan = arith.constant 0x7FC00000 : f32
  %c0 = arith.constant 0 : index
  %bad = tensor.insert %nan into %b[%c0, %c0, %c0] : tensor<1x2x1xf32>
  %0 = gsa.gate %x, %bad : (tensor<1x2x1x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x1x4xf32>
  %h = arith.constant dense<[[[[50000.0, 2.0]]]]> : tensor<1x1x1x2xf16>
  %g = arith.constant dense<2.5> : tensor<1x1x1xf16>
  %1 = gsa.gate %h, %g {activation = #gsa.gate_activation<silu>}
      : (tensor<1x1x1x2xf16>, tensor<1x1x1xf16>) -> tensor<1x1x1x2xf16>
  return %0, %1 : tensor<1x2x1x4xf32>, tensor<1x1x1x2xf16>
}

//--- sizes.mlir
func.func @main(%x: tensor<1x?x1x4xf32> {gsa.name = "x"}, %b: tensor<1x?x1xf32> {gsa.name = "b"})
    -> (tensor<1x?x1x4xf32> {gsa.name = "output"}) {
  %nan = arith.constant 0x7FC00000 : f32
  %bad = linalg.fill ins(%nan : f32) outs(%b : tensor<1x?x1xf32>) -> tensor<1x?x1xf32>
  %0 = gsa.gate %x, %bad : (tensor<1x?x1x4xf32>, tensor<1x?x1xf32>) -> tensor<1x?x1x4xf32>
  return %0 : tensor<1x?x1x4xf32>
}
