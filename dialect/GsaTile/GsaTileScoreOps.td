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

/// Numbers of lanes and a line of a tile of shared memory: number i of lane l is
/// in column `column + 32 i + l`.
class GsaTile_LineOp<string mnemonic, string call> : GsaTile_Op<mnemonic, call> {
  let hasVerifier = 1;
}

def GsaTile_PutLanesOp : GsaTile_LineOp<"put_lanes",
    "put_lanes({target}, {row}, {column}, {source})"> {
  let summary = "Numbers of lanes to a line of shared memory";
  let description = [{
    `target[row, column + 32 i + l]` becomes number i of lane l: the same lane
    takes it back by take_lanes, without a barrier in between.
    Constraint: (C1) the tile is linear, has the element type of the lanes and at
    least 32 columns for each of their numbers.
  }];
  let arguments = (ins TileSmemOut:$target, Index:$row, Index:$column,
                       TileLanesIn:$source);
  let assemblyFormat = [{
    $source `to` $target `[` $row `,` $column `]` attr-dict `:` type($source) `to`
    type($target)
  }];
}

def GsaTile_TakeLanesOp : GsaTile_LineOp<"take_lanes",
    "take_lanes({target}, {source}, {row}, {column})"> {
  let summary = "Numbers of lanes from a line of shared memory";
  let description = [{
    See put_lanes. Constraint: (C1) as put_lanes C1.
  }];
  let arguments = (ins TileLanesOut:$target, TileSmemIn:$source, Index:$row,
                       Index:$column);
  let assemblyFormat = [{
    $source `[` $row `,` $column `]` `to` $target attr-dict `:` type($source) `to`
    type($target)
  }];
}

/// Hits that a warp has staged for one list, and where they go.
class GsaTile_CellsOp<string mnemonic, string call>
    : GsaTile_Op<mnemonic, call> {
  dag lists = (ins TileGlobalOut:$list, TileGlobalAtomic:$counts, Index:$number);
  dag stage = (ins TileSmemInOut:$staged, Index:$line, TileLanesInOut:$held);
  let hasVerifier = 1;
}

def GsaTile_AppendCellsOp : GsaTile_CellsOp<"append_cells",
    "append_cells({list}, {counts}, {number}, {staged}, {line}, {held}, {scores}, "
    "{bound}, {begin}, {end}, {capacity})"> {
  let summary = "Appends the scores of lanes at or above a bound to a list";
  let description = [{
    Cells are those of store_scores. Of those below `end` each with a score at or
    above `bound` goes to list `number`, as a pair (bits of the score, cell), by
    way of line `line` of `staged`, where the warp has `held` pairs: the same
    number in all lanes. When the line may have no room for those of one more op,
    the warp takes places `p = counts[number]`, which it makes p + n for its n
    pairs, and writes those whose place is below `capacity`; lists are `capacity`
    pairs apart. If one of the scores is not finite, `counts[number]` becomes at
    least 2^30 at once. Atomic; the order is not defined.

    A line belongs to one warp and one list: an atomic addition for each step of a
    warp would have it wait for memory in most steps.
    Constraints: (C1) scores are lanes of f32; (C2) list and counts are i32; (C3)
    `held` is lanes<1xi32>, and `staged` is linear, of i32, of lines of pairs with
    room for all hits of an op and one more.
  }];
  let arguments = !con(lists, stage, (ins TileLanesIn:$scores, F32:$bound,
                       Index:$begin, Index:$end, Index:$capacity));
  let assemblyFormat = [{
    $scores `above` $bound `[` $begin `to` $end `]` `to` $list `,` $counts `[`
    $number `]` `capacity` $capacity `by` `way` `of` $staged `[` $line `]` `,`
    $held attr-dict `:` type($scores) `to` type($list) `,` type($counts) `by`
    `way` `of` type($staged) `,` type($held)
  }];
}

def GsaTile_FlushCellsOp : GsaTile_CellsOp<"flush_cells",
    "flush_cells({list}, {counts}, {number}, {staged}, {line}, {held}, "
    "{capacity})"> {
  let summary = "Appends what a warp has staged to a list";
  let description = [{
    See append_cells; none is staged then.
    Constraint: (C1) as append_cells C2 and C3.
  }];
  let arguments = !con(lists, stage, (ins Index:$capacity));
  let assemblyFormat = [{
    $staged `[` $line `]` `,` $held `to` $list `,` $counts `[` $number `]`
    `capacity` $capacity attr-dict `:` type($staged) `,` type($held) `to`
    type($list) `,` type($counts)
  }];
}

#endif  // GSA_TILE_SCORE_OPS_TD
