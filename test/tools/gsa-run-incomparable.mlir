// A module that runs and that the float64 reference cannot interpret: the outputs
// are written, the report is printed and says so, and the exit code is 3.

// RUN: rm -f %t.out %t.same
// RUN: %expect-exit 3 gsa-run %s --compare --output %t.out >%t.text 2>%t.error
// RUN: gsa-run %s --output %t.same -q
// RUN: cmp %t.out %t.same
// RUN: FileCheck %s --input-file=%t.text
// CHECK: module
// CHECK: run
// CHECK: Comparison with the float64 reference: not possible
// RUN: FileCheck %s --check-prefix=ERROR --input-file=%t.error
// ERROR: gsa-run: error: float64 reference: {{.*}}scf.if

// RUN: %expect-exit 3 gsa-run %s --compare --json -q 2>%t.error | FileCheck %s --check-prefix=JSON
// JSON: "comparison": {
// JSON-NEXT: "error": "float64 reference:

func.func @main(%x: tensor<1x4x2x3xf32> {gsa.name = "x"},
                %l: tensor<1x4x2x3xf32> {gsa.name = "l"})
    -> (tensor<1x4x2x3xf32> {gsa.name = "y"}) {
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %length = tensor.dim %x, %c1 : tensor<1x4x2x3xf32>
  %long = arith.cmpi sgt, %length, %c3 : index
  %y = scf.if %long -> (tensor<1x4x2x3xf32>) {
    %gated = gsa.gate %x, %l
        : (tensor<1x4x2x3xf32>, tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32>
    scf.yield %gated : tensor<1x4x2x3xf32>
  } else {
    scf.yield %x : tensor<1x4x2x3xf32>
  }
  return %y : tensor<1x4x2x3xf32>
}
