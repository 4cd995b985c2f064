//===- GsaTileScoreOps.td - scores of few queries --------------*- tablegen -*-===//
//
// Where there are fewer queries than a fragment has rows, its rows are the heads
// of one query, and its columns are keys. A lane then has keys of its own: all
// heads of one key come to it, and it has the key's score.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TILE_SCORE_OPS_TD
#define GSA_TILE_SCORE_OPS_TD

include "dialect/GsaTile/GsaTileCandidateOps.td"

def GsaTile_ScoreColumnsOp : GsaTile_Op<"score_columns",
    "score_columns<{activation}, {heads}>({scores}, {products}, {constants}, "
    "{row}, {scale})"> {
  let summary = "Joins the rows of products to a score for each column";
  let description = [{
    With `weight[h] = constants[row, h]` and `offset[h] = constants[row + 1, h]`,
    number i of lane l becomes that of column c = 32 i + l: the sum over h below
    `heads` of `weight[h] * act(products[h, c] * scale + offset[h])`, in this
    order and with one rounding for a product and a sum. These are the operations
    of `affine`, `activate` and `add_scaled`, head by head.
    Constraints: (C1) products are f32 of layout `acc`, 16 rows and a multiple of
    32 columns; (C2) scores are lanes of columns / 32 f32; (C3) `heads` is from 1
    to 16, constants are a tile of f32 of two rows at least and as many columns as
    heads.
  }];
  let arguments = (ins TileLanesOut:$scores, TileFragIn:$products,
                       TileSmemIn:$constants, Index:$row, F32:$scale,
                       I64Attr:$heads, GsaTile_ActivationAttr:$activation);
  let assemblyFormat = [{
    $products `heads` $heads `by` $constants `[` $row `]` `scale` $scale
    $activation `to` $scores attr-dict `:` type($products) `by` type($constants)
    `to` type($scores)
  }];
  let hasVerifier = 1;
}

def GsaTile_StoreScoresOp : GsaTile_Op<"store_scores",
    "store_scores({target}, {scores}, {begin}, {end})"> {
  let summary = "Writes scores of lanes to their cells of a row";
  let description = [{
    `target[begin + 32 i + l]` becomes number i of lane l, for cells below `end`:
    load_scores reads them so.
    Constraint: (C1) scores are lanes of f32, the target is f32.
  }];
  let arguments = (ins TileGlobalOut:$target, TileLanesIn:$scores, Index:$begin,
                       Index:$end);
  let assemblyFormat = [{
    $scores `to` $target `[` $begin `to` $end `]` attr-dict `:` type($scores) `to`
    type($target)
  }];
  let hasVerifier = 1;
}

def GsaTile_AppendCellsOp : GsaTile_Op<"append_cells",
    "append_cells({list}, {counts}, {number}, {scores}, {bound}, {begin}, "
    "{end}, {capacity})"> {
  let summary = "Appends the scores of lanes at or above a bound to a list";
  let description = [{
    Cells are those of store_scores. Of those below `end` each with a score at or
    above `bound` goes to list `number` as append_candidates has it: the warp
    takes places `p = counts[number]`, which it makes p + n, for its n pairs, and
    writes those whose place is below `capacity`. If one of the scores is not
    finite, `counts[number]` becomes at least 2^30. Atomic.
    Constraints: (C1) scores are lanes of f32; (C2) list and counts are i32.
  }];
  let arguments = (ins TileGlobalOut:$list, TileGlobalAtomic:$counts,
                       Index:$number, TileLanesIn:$scores, F32:$bound,
                       Index:$begin, Index:$end, Index:$capacity);
  let assemblyFormat = [{
    $scores `above` $bound `[` $begin `to` $end `]` `to` $list `,` $counts `[`
    $number `]` `capacity` $capacity attr-dict `:` type($scores) `to` type($list)
    `,` type($counts)
  }];
  let hasVerifier = 1;
}

#endif  // GSA_TILE_SCORE_OPS_TD
