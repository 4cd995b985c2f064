// --stats describes the run on the run's own data: its selections, and the
// queries, keys and gate logits that a copy of the module returns. They are
// what --compare measures in float64, up to the rounding of f32.

// RUN: gsa-run %examples/gsa_layer.mlir --seq 300 --stats --json 2>%t.text >%t.json
// RUN: FileCheck %s <%t.text
// RUN: gsa-run %examples/gsa_layer.mlir --seq 300 --compare --json -q >%t.compared
// RUN: %python %S/Inputs/same_statistics.py %t.json %t.compared

// CHECK: Selection indices (of this run)
// CHECK-NEXT: k: mean {{[0-9.]+}}, 1 to {{[0-9]+}} over 300 rows
// CHECK-NEXT: neighbouring queries: overlap J {{[0-9.]+}}, U(32)/k {{[0-9.]+}}
// CHECK-NEXT: attention mass kept: {{[0-9.]+}} of dense, smallest row {{[0-9.]+}} (75 rows)
// CHECK-NEXT: mass on the first token: {{[0-9.]+}} dense, {{[0-9.]+}} sparse
// CHECK-DAG: Gate value_gate: mean 0.{{[0-9]+}}, {{[0-9.]+}} % below 0.1 (300 tokens)
// CHECK-DAG: Gate output_gate: mean 0.{{[0-9]+}}, {{[0-9.]+}} % below 0.1 (300 tokens)
// CHECK-NOT: Not measured
// CHECK-NOT: float64

// Attention over all keys; gates whose logits are inputs have their names.
// RUN: gsa-run %examples/dense_with_gates.mlir --seq 100 --stats | FileCheck %s --check-prefix=DENSE
// DENSE: Attention {{.*}} (dense)
// DENSE-NEXT: mass on the first token: {{[0-9.]+}} (100 rows)
// DENSE-NEXT: Gate value_gate: mean
// DENSE-NEXT: Gate output_gate: mean

// A selection that nobody reads.
// RUN: gsa-run %examples/indexer_only.mlir --seq 70 --stats | FileCheck %s --check-prefix=INDEXER
// INDEXER: Selection indices (of this run)
// INDEXER-NOT: attention mass

// A selection that the module does not return is measured all the same.
// RUN: gsa-run %s --stats | FileCheck %s --check-prefix=HIDDEN
// HIDDEN: Selection gsa.select (of this run)
// HIDDEN-NEXT: k: mean {{[0-9.]+}}, 1 to 8 over 64 rows
// HIDDEN: attention mass kept
// A gate that is an operand of attention is an output gate like any other.
// HIDDEN: Gate gate: mean 0.{{[0-9]+}}, {{[0-9.]+}} % below 0.1 (64 tokens)
// RUN: gsa-run %s --compare --json -q | FileCheck %s --check-prefix=COMPARED
// COMPARED: "kind": "gate"
func.func @main(%q: tensor<1x64x2x16xf32> {gsa.name = "query"},
                %k: tensor<1x64x1x16xf32> {gsa.name = "key"},
                %v: tensor<1x64x1x16xf32> {gsa.name = "value"},
                %iq: tensor<1x64x2x16xf32> {gsa.name = "index_query"},
                %ik: tensor<1x64x16xf32> {gsa.name = "index_key"},
                %g: tensor<1x64x2x16xf32> {gsa.name = "gate"})
    -> (tensor<1x64x2x16xf32> {gsa.name = "output"}) {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 8>
      : (tensor<1x64x2x16xf32>, tensor<1x64x16xf32>)
      -> (tensor<1x64x8xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  %o, %l = gsa.gather_attention %q, %k, %v indices %i, %c gate %g
      : (tensor<1x64x2x16xf32>, tensor<1x64x1x16xf32>, tensor<1x64x1x16xf32>,
         tensor<1x64x8xi32>, tensor<1x64xi32>, tensor<1x64x2x16xf32>)
      -> (tensor<1x64x2x16xf32>, tensor<1x2x64xf32>)
  return %o : tensor<1x64x2x16xf32>
}
