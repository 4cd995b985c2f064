// Every example runs at a small, odd length and agrees with the reference,
// optimised and by definition, with one thread and with three.

// RUN: gsa-run %examples/gsa_layer_conformance.mlir --seq 6 --workload conformance --compare -q
// RUN: gsa-run %examples/gsa_layer_conformance.mlir --seq 6 --workload conformance --compare -q --reference
// RUN: gsa-run %examples/gsa_layer.mlir --batch 2 --seq 37 --compare -q --threads 3
// RUN: gsa-run %examples/attention_only.mlir --batch 2 --seq 45 --compare -q --threads 1
// RUN: gsa-run %examples/attention_only.mlir --seq 29 --compare -q --reference
// RUN: gsa-run %examples/indexer_only.mlir --seq 67 --compare -q --workload independent
// RUN: gsa-run %examples/sparse_only.mlir --seq 33 --keys 65 --compare -q
// RUN: gsa-run %examples/paged_decode.mlir --batch 3 --shape kv_pool=17x64x2x256 --shape index_pool=17x64x64 --shape table=3x5 --compare -q
// RUN: gsa-run %examples/gate_only.mlir --batch 3 --seq 17 --compare -q
// RUN: gsa-run %examples/dense_with_gates.mlir --seq 65 --compare -q

// The report says what was compiled, how long it took, how far the outputs are
// from the reference, and what was selected.
// RUN: gsa-run %examples/gsa_layer.mlir --seq 64 --compare | FileCheck %s
// CHECK: module {{.*}}gsa_layer.mlir @main
// CHECK: target
// CHECK: output: f32[1, 64, 512]
// CHECK: compile
// CHECK: codegen
// CHECK: run
// CHECK-DAG: projections
// CHECK-DAG: select
// CHECK-DAG: sparse_attention
