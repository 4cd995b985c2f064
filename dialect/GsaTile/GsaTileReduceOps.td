//===- GsaTileReduceOps.td - sums over all rows ----------------*- tablegen -*-===//

#ifndef GSA_TILE_REDUCE_OPS_TD
#define GSA_TILE_REDUCE_OPS_TD

include "dialect/GsaTile/GsaTileSelectOps.td"

def GsaTile_FiniteRowOp : GsaTile_RowOp<"finite_row", "{state}, "> {
  let summary = "Adds the finite numbers (number 0) and counts them (1)";
  let description = [{
    Each lane adds its cells in f64, in ascending order; with `store_totals` and
    `sum_rows` the whole sum has a fixed order.
    Constraints: (C1) as scan_row; (C2) the state is lanes<2xf64>.
  }];
  let arguments = !con((ins TileLanesInOut:$state), cells);
  let assemblyFormat = [{
    $state `,` $row `[` $begin `to` $end `]` `step` $columns attr-dict `:`
    type($state) `,` type($row)
  }];
}

#endif  // GSA_TILE_REDUCE_OPS_TD
