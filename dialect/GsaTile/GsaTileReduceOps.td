//===- GsaTileReduceOps.td - sums ------------------------------*- tablegen -*-===//

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

//===----------------------------------------------------------------------===//
// Sums that lanes of an iteration share
//===----------------------------------------------------------------------===//

/// In the body of a for_each with as many `lanes`.
class GsaTile_TermsOp<string mnemonic, string call, list<Trait> traits = []>
    : GsaTile_Op<mnemonic, call, traits> {
  let hasVerifier = 1;
}

def GsaTile_FirstTermOp : GsaTile_TermsOp<"first_term",
    "first_term<{lanes}>()", [Pure]> {
  let summary = "The first term of a sum that this lane takes";
  let description = [{
    Number of the lane among those of its iteration: it takes this term of a sum
    and each `term_step`-th from there on.
    Constraint: (C1) it is in the body of a for_each of `lanes`.
  }];
  let arguments = (ins I64Attr:$lanes);
  let results = (outs I64:$result);
  let assemblyFormat = "$lanes attr-dict";
}

def GsaTile_TermStepOp : GsaTile_TermsOp<"term_step",
    "term_step<{lanes}>()", [Pure]> {
  let summary = "How many lanes share the terms of a sum";
  let description = [{
    `lanes`; 1 where one runner takes the place of all lanes.
    Constraint: (C1) as first_term.
  }];
  let arguments = (ins I64Attr:$lanes);
  let results = (outs I64:$result);
  let assemblyFormat = "$lanes attr-dict";
}

def GsaTile_SumTermsOp : GsaTile_TermsOp<"sum_terms",
    "sum_terms<{lanes}>({value})",
    [NoMemoryEffect, AllTypesMatch<["value", "result"]>]> {
  let summary = "The sum of what the lanes of an iteration have added up";
  let description = [{
    The same in all of them, in a fixed order: a butterfly of shuffles.
    Constraints: (C1) as first_term; (C2) it is no part of a loop or a branch in
    that body, so that all lanes of the iteration run it.
  }];
  let arguments = (ins AnyTypeOf<[F32, F64]>:$value, I64Attr:$lanes);
  let results = (outs AnyTypeOf<[F32, F64]>:$result);
  let assemblyFormat = "$value `over` $lanes attr-dict `:` type($value)";
}

#endif  // GSA_TILE_REDUCE_OPS_TD
