// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic --mlir-print-debuginfo | gsa-opt --mlir-print-debuginfo | gsa-translate --gsa-tile-to-cuda | FileCheck %s
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills %s | FileCheck %s --check-prefix=USAGE %}
// RUN: %if host-cxx %{ gsa-translate --gsa-tile-to-cuda %s -o %t.cc %}
// RUN: %if host-cxx %{ %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc %}

// What a kernel says of its launch, and the merge of parts, each as one call.

// USAGE-COUNT-6: merge registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0

// CHECK-LABEL: void merge(
gsa_tile.kernel @merge(%parts: !gsa_tile.global<f32, read> loc("parts"),
                       %sums: !gsa_tile.global<f32, read> loc("sums"),
                       %gate: !gsa_tile.global<bf16, read> loc("gate"),
                       %out: !gsa_tile.global<bf16, write> loc("out"),
                       %lse: !gsa_tile.global<f32, write> loc("lse"),
                       %n: index loc("n"))
    attributes {warps = 4 : i64} {
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %one = arith.constant 1 : i64
  // CHECK: launch_next();
  gsa_tile.launch_next
  // CHECK-NEXT: launch_wait();
  gsa_tile.launch_wait
  // CHECK-NEXT: auto written = launched(parts);
  %written = gsa_tile.launched %parts : !gsa_tile.global<f32, read> loc("written")
  %from = gsa_tile.strided_rows %written pitch %pitch count %c4 : !gsa_tile.global<f32, read> to !gsa_tile.rows<f32, strided, read> loc("from")
  %logs = gsa_tile.strided_rows %sums pitch %one count %c4 : !gsa_tile.global<f32, read> to !gsa_tile.rows<f32, strided, read> loc("logs")
  %logits = gsa_tile.strided_rows %gate pitch %one count %c4 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read> loc("logits")
  %to = gsa_tile.strided_rows %out pitch %pitch count %c4 : !gsa_tile.global<bf16, write> to !gsa_tile.rows<bf16, strided, write> loc("to")
  %log = gsa_tile.strided_rows %lse pitch %one count %c4 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write> loc("lse_rows")
  // CHECK: merge_parts<team<0, 4>, activation::identity, false>(to, lse_rows, from, 64ll, logs, 1ll, n, 64, gate_of());
  gsa_tile.merge_parts %n of %from step %pitch, %logs step %one columns %c64 <identity> to %to, %log by <0, 4> : !gsa_tile.rows<f32, strided, read>, !gsa_tile.rows<f32, strided, read> to !gsa_tile.rows<bf16, strided, write>, !gsa_tile.rows<f32, strided, write>
  // CHECK: merge_parts<team<0, 4>, activation::sigmoid, true>(to, lse_rows, from, 64ll, logs, 1ll, n, 64, gate_of(logits));
  gsa_tile.merge_parts %n of %from step %pitch, %logs step %one columns %c64 gate %logits : !gsa_tile.rows<bf16, strided, read> <sigmoid> to %to, %log by <0, 4> {per_row = true} : !gsa_tile.rows<f32, strided, read>, !gsa_tile.rows<f32, strided, read> to !gsa_tile.rows<bf16, strided, write>, !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}
