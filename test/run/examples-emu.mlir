// Every example as the kernels of a GPU, emulated on the host, agrees with the
// reference at a small, odd length.

// The layer of the conformance vector in f32: a GPU has no products in f64.
// RUN: sed 's/f64/f32/g' %examples/gsa_layer_conformance.mlir > %t.mlir
// RUN: gsa-run %t.mlir --target emu --seq 6 --workload conformance --compare -q

// RUN: gsa-run %examples/gsa_layer.mlir --target emu --seq 37 --compare | FileCheck %s
// RUN: gsa-run %examples/attention_only.mlir --target emu --batch 2 --seq 45 --compare -q
// RUN: gsa-run %examples/indexer_only.mlir --target emu --seq 67 --compare -q --workload independent
// RUN: gsa-run %examples/sparse_only.mlir --target emu --seq 33 --keys 65 --compare -q
// RUN: gsa-run %examples/paged_decode.mlir --target emu --arch sm_90a --batch 2 --shape kv_pool=17x64x2x256 --shape index_pool=17x64x64 --shape table=2x5 --compare -q
// RUN: gsa-run %examples/gate_only.mlir --target emu --batch 3 --seq 17 --compare -q
// RUN: gsa-run %examples/dense_with_gates.mlir --target emu --seq 65 --compare -q

// CHECK: target{{ +}}host emulation of sm_80
// CHECK: executable
