// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills %s | FileCheck %s --check-prefix=USAGE %}

// Lanes that share the terms of a sum.

// CHECK-LABEL: void row_sums(
// CHECK: for (long long row = first_element<8>(); row < n; row = next_element<8>(row)) {
// CHECK-NEXT: const long long first = first_term<8>();
// CHECK-NEXT: const long long step = term_step<8>();
// CHECK-NEXT: float sum = 0.0f;
// CHECK-NEXT: for (long long j = first; j < columns; j += step) {
// CHECK: }
// CHECK-NEXT: const float total = sum_terms<8>(sum);
// CHECK-NEXT: store(y, row, total);
// USAGE: row_sums
gsa_tile.kernel @row_sums(%x: !gsa_tile.global<f32, read> loc("x"),
                          %y: !gsa_tile.global<f32, write> loc("y"),
                          %n: i64 loc("n"), %columns: i64 loc("columns"))
    attributes {warps = 8 : i64} {
  gsa_tile.for_each %row below %n lanes 8 {
    %zero = arith.constant 0.0 : f32
    %first = gsa_tile.first_term 8 loc("first")
    %step = gsa_tile.term_step 8 loc("step")
    %own = scf.for %j = %first to %columns step %step
        iter_args(%sum = %zero) -> f32 : i64 {
      %start = arith.muli %row, %columns : i64
      %at = arith.addi %start, %j : i64
      %term = gsa_tile.load %x[%at] : !gsa_tile.global<f32, read>, i64
      %next = arith.addf %sum, %term : f32
      scf.yield %next : f32
    }
    %total = gsa_tile.sum_terms %own over 8 : f32 loc("total")
    gsa_tile.store %total, %y[%row] : !gsa_tile.global<f32, write>, i64
  }
  gsa_tile.return
}
