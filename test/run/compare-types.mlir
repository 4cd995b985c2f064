// Every example in bf16 and f16 agrees with the reference: limits follow the
// types of everything that a result is computed from, a log-sum-exp in f32
// too.

// RUN: sed -e 's/f32/bf16/g' -e 's/tensor<?x8x?xbf16>/tensor<?x8x?xf32>/g' %examples/gsa_layer.mlir > %t.layer.bf16
// RUN: sed -e 's/f32/f16/g' -e 's/tensor<?x8x?xf16>/tensor<?x8x?xf32>/g' %examples/gsa_layer.mlir > %t.layer.f16
// RUN: sed -e 's/f32/bf16/g' -e 's/tensor<?x8x?xbf16>/tensor<?x8x?xf32>/g' %examples/attention_only.mlir > %t.attention.bf16
// RUN: sed -e 's/f32/f16/g' -e 's/tensor<?x8x?xf16>/tensor<?x8x?xf32>/g' %examples/attention_only.mlir > %t.attention.f16
// RUN: sed -e 's/f32/bf16/g' -e 's/tensor<?x8x?xbf16>/tensor<?x8x?xf32>/g' %examples/dense_with_gates.mlir > %t.dense.bf16
// RUN: sed -e 's/f32/f16/g' -e 's/tensor<?x8x?xf16>/tensor<?x8x?xf32>/g' %examples/dense_with_gates.mlir > %t.dense.f16
// RUN: sed -e 's/f32/bf16/g' -e 's/tensor<?x8x?xbf16>/tensor<?x8x?xf32>/g' %examples/sparse_only.mlir > %t.sparse.bf16
// RUN: sed -e 's/f32/f16/g' %examples/gate_only.mlir > %t.gate.f16
// RUN: sed -e 's/f32/bf16/g' %examples/indexer_only.mlir > %t.indexer.bf16

// RUN: gsa-run %t.layer.bf16 --seq 150 --compare -q
// RUN: gsa-run %t.layer.f16 --batch 2 --seq 70 --compare -q
// RUN: gsa-run %t.attention.bf16 --seq 700 --compare -q
// RUN: gsa-run %t.attention.f16 --seq 45 --keys 90 --compare -q
// RUN: gsa-run %t.dense.bf16 --seq 200 --compare -q
// RUN: gsa-run %t.dense.f16 --seq 65 --compare -q
// RUN: gsa-run %t.sparse.bf16 --seq 33 --keys 65 --compare -q
// RUN: gsa-run %t.gate.f16 --seq 17 --compare -q
// RUN: gsa-run %t.indexer.bf16 --seq 67 --compare -q
// RUN: gsa-run %t.dense.bf16 --seq 100 --compare | FileCheck %s
// CHECK: Comparison with the float64 reference: passed
// CHECK: lse {{.*}} (limit {{.*}}), rows within
