//===- GsaTileCandidateOps.td - lists of candidates ------------*- tablegen -*-===//
//
// Selection without scores in memory: where scores are computed, those at or
// above a bound of their row go to the row's list; the best cells are then
// found among the candidates of the list. Keys and forced cells are those of
// GsaTileSelectOps.td.
//
// A list has a `capacity`. Its candidates lie in any order, as pairs of i32: the
// bits of the score, f32, and the cell. The count of a list goes on beyond its
// capacity, so that whoever reads it knows that the list is not complete.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TILE_CANDIDATE_OPS_TD
#define GSA_TILE_CANDIDATE_OPS_TD

include "dialect/GsaTile/GsaTileSelectOps.td"

/// Global memory that many warps change by atomic instructions.
defvar TileGlobalAtomic = GsaTile_Update<GsaTile_GlobalType, GsaTile_Global>;

//===----------------------------------------------------------------------===//
// Writing lists
//===----------------------------------------------------------------------===//

def GsaTile_AddPartialSumsOp : GsaTile_Op<"add_partial_sums",
    "add_partial_sums({sums}, {frag})"> {
  let summary = "`sums[r] += sum_c frag[r, c]`, each lane its own columns";
  let description = [{
    The lanes of a row hold parts of its sum: `flag_rows` reads them,
    `join_partial_sums` joins them. A sum is not finite if an element is not.
    Constraint: (C1) the fragment is f32 of layout `acc`.
  }];
  let arguments = (ins TileRowsInOut:$sums, TileFragIn:$frag);
  let assemblyFormat = [{
    $sums `,` $frag attr-dict `:` type($sums) `,` type($frag)
  }];
  let hasVerifier = 1;
}

def GsaTile_AddPartialMomentsOp : GsaTile_Op<"add_partial_moments",
    "add_partial_moments<{some_hidden}>({sums}, {squares}, {frag})",
    [AllTypesMatch<["sums", "squares"]>]> {
  let summary = "Adds elements and their squares, each lane its own columns";
  let description = [{
    `sums[r] += sum_c frag[r, c]`, `squares[r] += sum_c frag[r, c]^2`, in parts as
    add_partial_sums. With `some_hidden` elements of -inf are left out.
    Constraint: (C1) as add_partial_sums.
  }];
  let arguments = (ins TileRowsInOut:$sums, TileRowsInOut:$squares,
                       TileFragIn:$frag,
                       DefaultValuedAttr<BoolAttr, "false">:$some_hidden);
  let assemblyFormat = [{
    $sums `,` $squares `,` $frag attr-dict `:` type($sums) `,` type($frag)
  }];
  let hasVerifier = 1;
}

def GsaTile_JoinPartialSumsOp : GsaTile_Op<"join_partial_sums",
    "join_partial_sums({sums})"> {
  let summary = "Joins the parts of a row's sum that its lanes hold";
  let description = [{
    In a fixed order; all lanes of a row have the sum then.
    Constraint: (C1) sums are f32.
  }];
  let arguments = (ins TileRowsInOut:$sums);
  let assemblyFormat = "$sums attr-dict `:` type($sums)";
  let hasVerifier = 1;
}

/// The hits that lanes have staged, and where they go.
class GsaTile_StagedOp<string mnemonic, string call>
    : GsaTile_Op<mnemonic, call> {
  dag lists = (ins TileGlobalOut:$list, TileGlobalAtomic:$counts,
                   TileSmemInOut:$staged, TileLanesInOut:$bytes);
  dag rows = (ins Index:$warp, Index:$row, Index:$rows, Index:$capacity);
  let hasVerifier = 1;
}

def GsaTile_AppendCandidatesOp : GsaTile_StagedOp<"append_candidates",
    "append_candidates({list}, {counts}, {staged}, {bytes}, {scores}, {bounds}, "
    "{warp}, {row}, {rows}, {capacity}, {column})"> {
  let summary = "Appends the scores at or above the bounds of their rows";
  let description = [{
    For row + r < rows and all c with scores[r, c] >= bounds[r]: pair
    (bits of scores[r, c], column + c) goes to list `row + r`, by way of shared
    memory: each lane stages its hits of a row in a line of `staged`, `bytes` of
    them, until flush_candidates, or until a line of the warp may have no room
    for those of one more op: then all lanes append what they have, or what of it
    is whole sectors of 4 pairs. Lines of warp `warp` begin at `32 warp` times the
    lines of a lane, of which there is one for 8 rows.

    Lanes of a row that append n pairs take places `p = counts[row + r]`, which
    they make `p + n`, to p + n - 1, one after the other, and a lane writes its
    pairs if their places are below `capacity`. Lists are `capacity` pairs apart. Atomic: warps of many blocks
    may append to one list. The order is not defined; a count beyond the capacity
    says that pairs are missing, some of those before it among them.

    Constraints: (C1) the scores are f32 of layout `acc`, the bounds f32 of as
    many rows; (C2) list and counts are i32; (C3) `bytes` are lanes of i32, one
    for 8 rows, and `staged` is linear, of i32, of lines of pairs, a multiple of 4
    columns, with room for all hits of an op and 4 more.
  }];
  let arguments = !con(lists, (ins TileFragIn:$scores, TileRowsIn:$bounds), rows,
                       (ins Index:$column));
  let assemblyFormat = [{
    $scores `above` $bounds `to` $list `,` $counts `[` $row `below` $rows `]`
    `capacity` $capacity `column` $column `by` `way` `of` $staged `,` $bytes
    `warp` $warp attr-dict `:` type($scores) `,` type($bounds) `to` type($list)
    `,` type($counts) `by` `way` `of` type($staged) `,` type($bytes)
  }];
}

def GsaTile_FlushCandidatesOp : GsaTile_StagedOp<"flush_candidates",
    "flush_candidates({list}, {counts}, {staged}, {bytes}, {warp}, {row}, "
    "{rows}, {capacity})"> {
  let summary = "Appends what lanes have staged to its lists";
  let description = [{
    See append_candidates. Constraint: (C1) as append_candidates C2 and C3.
  }];
  let arguments = !con(lists, rows);
  let assemblyFormat = [{
    $staged `,` $bytes `warp` $warp `to` $list `,` $counts `[` $row `below` $rows
    `]` `capacity` $capacity attr-dict `:` type($staged) `,` type($bytes) `to`
    type($list) `,` type($counts)
  }];
}

def GsaTile_StageProductsOp : GsaTile_Op<"stage_products",
    "stage_products<{activation}, {some_hidden}, {rows_per_query}>({staged}, "
    "{bytes}, {sum}, {product}, {scale}, {offsets}, {weights}, {sums}, {bounds}, "
    "{warp}, {row}, {rows}, {column}, {last})"> {
  let summary = "Adds an activated product to scores and stages their hits";
  let description = [{
    affine_rows and activate of the product, add_row_pairs to `sum`, of that
    add_partial_sums to `sums`, and what append_candidates stages, with the same
    bits, column by column: a compare and a store of one column run while others
    are activated. With
    `some_hidden` columns with `column + c > last + r / rows_per_query` are no
    hits; they are part of `sum` and `sums` all the same. The line has room for all
    hits of the op: drain_candidates comes between two of them.

    Constraints: (C1) fragments and weights as add_row_pairs C1, the offsets are
    as the weights, sums and bounds f32 of 8 rows; (C2) `bytes` are lanes<1xi32>, and
    `staged` as append_candidates C3.
  }];
  let arguments = (ins TileSmemInOut:$staged, TileLanesInOut:$bytes,
                       TileFragInOut:$sum, TileFragIn:$product, F32:$scale,
                       TileRowsIn:$offsets, TileRowsIn:$weights,
                       TileRowsInOut:$sums, TileRowsIn:$bounds, Index:$warp, Index:$row, Index:$rows,
                       Index:$column, Index:$last,
                       GsaTile_ActivationAttr:$activation,
                       DefaultValuedAttr<BoolAttr, "false">:$some_hidden,
                       DefaultValuedAttr<I64Attr, "1">:$rows_per_query);
  let assemblyFormat = [{
    $activation $product `*` $scale `+` $offsets `weights` $weights `to` $sum `,`
    $sums `above` $bounds `[` $row `below` $rows `]` `column` $column `last` $last
    `stage` $staged `,` $bytes `warp` $warp attr-dict `:` type($product) `,`
    type($offsets) `,` type($weights) `to` type($sum) `,` type($sums) `above`
    type($bounds) `stage`
    type($staged) `,` type($bytes)
  }];
  let hasVerifier = 1;
}

def GsaTile_DrainCandidatesOp : GsaTile_StagedOp<"drain_candidates",
    "drain_candidates<{room}>({list}, {counts}, {staged}, {bytes}, {warp}, {row}, "
    "{capacity})"> {
  let summary = "Appends what lanes have staged if there is little room";
  let description = [{
    As the end of append_candidates: if a line of the warp may have no room for
    `room` further pairs, all lanes append what they have, or what of it is whole
    sectors of 4 pairs.
    Constraints: (C1) as append_candidates C2 and C3; (C2) lines have room for
    `room` pairs and 4 more.
  }];
  let arguments = !con(lists, (ins Index:$warp, Index:$row, Index:$capacity,
                                   I64Attr:$room));
  let assemblyFormat = [{
    $staged `,` $bytes `warp` $warp `to` $list `,` $counts `[` $row `]` `capacity`
    $capacity `room` $room attr-dict `:` type($staged) `,` type($bytes) `to`
    type($list) `,` type($counts)
  }];
}

def GsaTile_FlagRowsOp : GsaTile_Op<"flag_rows",
    "flag_rows({counts}, {sums}, {row}, {rows})"> {
  let summary = "Makes the count of a row too large if its sum is not finite";
  let description = [{
    `counts[row + r] = max(counts[row + r], 2^30)`, atomically, for row + r <
    rows if a part of `sums[r]` is NaN or infinite.
    Constraint: (C1) sums are f32, counts i32.
  }];
  let arguments = (ins TileGlobalAtomic:$counts, TileRowsIn:$sums, Index:$row,
                       Index:$rows);
  let assemblyFormat = [{
    $sums `to` $counts `[` $row `below` $rows `]` attr-dict `:` type($sums) `to`
    type($counts)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Reading lists
//===----------------------------------------------------------------------===//

def GsaTile_LoadCandidatesOp : GsaTile_Op<"load_candidates",
    "load_candidates<{team}>({scores}, {cells}, {range}, {list}, {count}, "
    "{sink}, {local}, {end})",
    [GsaTile_TeamOpInterface]> {
  let summary = "A list in the registers of a team, and its range";
  let description = [{
    Pair i of `count` is number i / t of thread i mod t of the t threads of the
    team: scores[i / t] and cells[i / t], with -0 as +0. A number without a pair,
    or whose cell is forced (below `sink`, or from `local` on and below `end`),
    has the cell -1. For the other pairs, and by atomic instructions of the
    warps, `range[0, 0]` becomes at least the complement of each key,
    `range[0, 1]` each key, as unsigned integers, and `range[0, 2]` grows by
    their number.
    Constraints: (C1) scores and cells are lanes of f32 and of i32, as many;
    (C2) the list is i32, the range one row of i32 and 3 columns at least.
  }];
  let arguments = (ins TileLanesOut:$scores, TileLanesOut:$cells,
                       TileSmemAtomic:$range, TileGlobalIn:$list, Index:$count,
                       Index:$sink, Index:$local, Index:$end,
                       GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $list `count` $count `forced` $sink `,` $local `below` $end `to` $scores `,`
    $cells `,` $range `by` $team attr-dict `:` type($list) `to` type($scores) `,`
    type($cells) `,` type($range)
  }];
  let hasVerifier = 1;
}

def GsaTile_FetchCandidatesOp : GsaTile_Op<"fetch_candidates",
    "fetch_candidates<{team}>({scores}, {cells}, {list}, {room})",
    [GsaTile_TeamOpInterface]> {
  let summary = "All that a list has room for, in the registers of a team";
  let description = [{
    Pairs 0 to `room` - 1 are numbers of threads as in load_candidates, as they
    are. Behind the end of the list they may be anything: who knows its length
    behind this op, in range_candidates, does not wait for memory twice.
    Constraints: (C1) lanes as load_candidates C1; (C2) the list is i32.
  }];
  let arguments = (ins TileLanesOut:$scores, TileLanesOut:$cells,
                       TileGlobalIn:$list, Index:$room,
                       GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $list `room` $room `to` $scores `,` $cells `by` $team attr-dict `:`
    type($list) `to` type($scores) `,` type($cells)
  }];
  let hasVerifier = 1;
}

def GsaTile_RangeCandidatesOp : GsaTile_Op<"range_candidates",
    "range_candidates<{team}>({scores}, {cells}, {range}, {count}, {sink}, "
    "{local}, {end})",
    [GsaTile_TeamOpInterface]> {
  let summary = "Makes candidates of what fetch_candidates left in registers";
  let description = [{
    With the first `count` pairs, of those that are there, and the range: all that
    load_candidates does.
    Constraints: (C1) lanes as load_candidates C1; (C2) the range as
    load_candidates C2.
  }];
  let arguments = (ins TileLanesInOut:$scores, TileLanesInOut:$cells,
                       TileSmemAtomic:$range, Index:$count, Index:$sink,
                       Index:$local, Index:$end, GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $scores `,` $cells `count` $count `forced` $sink `,` $local `below` $end `to`
    $range `by` $team attr-dict `:` type($scores) `,` type($cells) `to`
    type($range)
  }];
  let hasVerifier = 1;
}

def GsaTile_LoadRowOp : GsaTile_Op<"load_row",
    "load_row<{team}>({scores}, {cells}, {range}, {row}, {count}, {sink}, "
    "{local}, {end})",
    [GsaTile_TeamOpInterface]> {
  let summary = "A row of scores in the registers of a team, and its range";
  let description = [{
    As load_candidates, of pairs of i and `row[i]`. A score that is not finite has
    the cell -1, and `range[0, 3]` grows by the number of those.
    Constraints: (C1) lanes as load_candidates C1; (C2) the row is f32, the range
    one row of i32 and 4 columns at least.
  }];
  let arguments = (ins TileLanesOut:$scores, TileLanesOut:$cells,
                       TileSmemAtomic:$range, TileGlobalIn:$row, Index:$count,
                       Index:$sink, Index:$local, Index:$end,
                       GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $row `count` $count `forced` $sink `,` $local `below` $end `to` $scores `,`
    $cells `,` $range `by` $team attr-dict `:` type($row) `to` type($scores) `,`
    type($cells) `,` type($range)
  }];
  let hasVerifier = 1;
}

def GsaTile_HistogramCandidatesOp : GsaTile_Op<"histogram_candidates",
    "histogram_candidates({histogram}, {scores}, {cells}, {low}, {high})"> {
  let summary = "Counts candidates in linear bins over a range of scores";
  let description = [{
    `histogram[0, b] += 1`, atomically, for each cell that is not -1; bins are
    those of histogram_row, the last but one that of scores above the range.
    None may be below it.
    Constraint: (C1) lanes as load_candidates C1, the histogram is one row of
    i32.
  }];
  let arguments = (ins TileSmemAtomic:$histogram, TileLanesIn:$scores,
                       TileLanesIn:$cells, F32:$low, F32:$high);
  let assemblyFormat = [{
    $histogram `,` $scores `,` $cells `range` $low `,` $high attr-dict `:`
    type($histogram) `,` type($scores) `,` type($cells)
  }];
  let hasVerifier = 1;
}

def GsaTile_DropBelowOp : GsaTile_Op<"drop_below",
    "drop_below({cells}, {scores}, {bound})"> {
  let summary = "Leaves the candidates whose scores are at or above a bound";
  let description = [{
    Cells of scores below `bound` become -1: a histogram of a part of the range has
    no bin for them.
    Constraint: (C1) lanes as load_candidates C1.
  }];
  let arguments = (ins TileLanesInOut:$cells, TileLanesIn:$scores, F32:$bound);
  let assemblyFormat = [{
    $cells `,` $scores `bound` $bound attr-dict `:` type($cells) `,` type($scores)
  }];
  let hasVerifier = 1;
}

def GsaTile_MarkAboveOp : GsaTile_Op<"mark_above",
    "mark_above<{bins}>({bitmap}, {keys}, {kept}, {found}, {scores}, {cells}, "
    "{low}, {high}, {bin})"> {
  let summary = "Marks candidates above a bin and keeps those in it";
  let description = [{
    Sets bit c mod 32 of `bitmap[0, c / 32]` for cells c that are not -1 and whose
    bin, of `bins`, is above `bin`. The key and the cell of those in it become
    `keys[0, i]` and `kept[0, i]`, with `i = found[0, 3]++`. Atomic; places are in
    no order.
    Constraint: (C1) lanes as load_candidates C1, the tiles are one row of i32,
    `found` of 4 columns at least.
  }];
  let arguments = (ins TileSmemAtomic:$bitmap, TileSmemOut:$keys,
                       TileSmemOut:$kept, TileSmemAtomic:$found,
                       TileLanesIn:$scores, TileLanesIn:$cells, F32:$low,
                       F32:$high, I32:$bin, I64Attr:$bins);
  let assemblyFormat = [{
    $bitmap `,` $scores `,` $cells `range` $low `,` $high `bin` $bin `of` $bins
    `keep` $keys `,` $kept `,` $found attr-dict `:` type($bitmap) `,`
    type($scores) `,` type($cells) `keep` type($keys) `,` type($kept) `,`
    type($found)
  }];
  let hasVerifier = 1;
}

def GsaTile_MarkBestOp : GsaTile_Op<"mark_best",
    "mark_best<{team}>({bitmap}, {keys}, {kept}, {count}, {quota})",
    [GsaTile_TeamOpInterface]> {
  let summary = "Marks the best of some cells in a bitmap";
  let description = [{
    The bits of the `quota` of `count` cells kept[0, i] whose keys[0, i] are
    largest, of equal ones those of the smallest cells; all if the quota is not
    smaller than the count. Work goes with the square of the count. Atomic.
    Constraint: (C1) the tiles are one row of i32.
  }];
  let arguments = (ins TileSmemAtomic:$bitmap, TileSmemIn:$keys,
                       TileSmemIn:$kept, I32:$count, I32:$quota,
                       GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $bitmap `,` $quota `of` $keys `,` $kept `count` $count `by` $team attr-dict
    `:` type($bitmap) `,` type($keys) `,` type($kept)
  }];
  let hasVerifier = 1;
}

def GsaTile_MarkForcedOp : GsaTile_Op<"mark_forced",
    "mark_forced<{team}>({bitmap}, {sink}, {local}, {end})",
    [GsaTile_TeamOpInterface]> {
  let summary = "Sets a bit for each forced cell";
  let description = [{
    Bit c mod 32 of `bitmap[0, c / 32]` for cells c below `sink` or from `local`
    on, all below `end`. Atomic, by a team.
    Constraint: (C1) the bitmap is one row of i32.
  }];
  let arguments = (ins TileSmemAtomic:$bitmap, Index:$sink, Index:$local,
                       Index:$end, GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $bitmap `forced` $sink `,` $local `below` $end `by` $team attr-dict `:`
    type($bitmap)
  }];
  let hasVerifier = 1;
}

def GsaTile_CountBitsOp : GsaTile_Op<"count_bits",
    "count_bits<{columns}>({state}, {bitmap}, {begin}, {end})"> {
  let summary = "Counts (number 0) the bits of some words of a bitmap";
  let description = [{
    Of words [begin, min(begin + columns, end)).
    Constraints: (C1) the bitmap is i32 of one row of a multiple of 4 words,
    columns is a positive multiple of 128; (C2) the state is lanes<2xi32>.
  }];
  let arguments = (ins TileLanesInOut:$state, TileSmemIn:$bitmap, Index:$begin,
                       Index:$end, I64Attr:$columns);
  let assemblyFormat = [{
    $state `,` $bitmap `[` $begin `to` $end `]` `step` $columns attr-dict `:`
    type($state) `,` type($bitmap)
  }];
  let hasVerifier = 1;
}

def GsaTile_ScanBitsOp : GsaTile_Op<"scan_bits",
    "scan_bits<{columns}>({before}, {cursor}, {bitmap}, {begin}, {end})"> {
  let summary = "The number of bits before each of some words of a bitmap";
  let description = [{
    `before[0, w]` for the words of count_bits. The cursor, the same in all
    lanes, holds (0) the bits before `begin`, then those before the end of the
    step.
    Constraints: (C1) as count_bits, and `before` is i32 of one row; (C2) the
    cursor is lanes<2xi32>.
  }];
  let arguments = (ins TileSmemOut:$before, TileLanesInOut:$cursor,
                       TileSmemIn:$bitmap, Index:$begin, Index:$end,
                       I64Attr:$columns);
  let assemblyFormat = [{
    $before `,` $cursor `,` $bitmap `[` $begin `to` $end `]` `step` $columns
    attr-dict `:` type($before) `,` type($cursor) `,` type($bitmap)
  }];
  let hasVerifier = 1;
}

def GsaTile_PlaceMarkedOp : GsaTile_Op<"place_marked",
    "place_marked<{team}>({target}, {bitmap}, {before}, {cells}, {sink}, "
    "{local}, {end})", [GsaTile_TeamOpInterface]> {
  let summary = "Brings marked cells to their places in the order of the row";
  let description = [{
    Marked cell c is number `i = before[0, c / 32]` + the marked cells below it
    in its word: `target[0, i] = c`, for cells of the lanes that are not -1 and
    marked, and for forced cells as mark_forced has them. By a team.
    Constraint: (C1) the tiles are one row of i32, the cells lanes of i32.
  }];
  let arguments = (ins TileSmemOut:$target, TileSmemIn:$bitmap,
                       TileSmemIn:$before, TileLanesIn:$cells, Index:$sink,
                       Index:$local, Index:$end, GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $cells `forced` $sink `,` $local `below` $end `at` $bitmap `,` $before `to`
    $target `by` $team attr-dict `:` type($cells) `at` type($bitmap) `,`
    type($before) `to` type($target)
  }];
  let hasVerifier = 1;
}

def GsaTile_PlaceScoresOp : GsaTile_Op<"place_scores",
    "place_scores({target}, {bitmap}, {before}, {scores}, {cells})"> {
  let summary = "Brings scores of marked cells to the places of their cells";
  let description = [{
    With place i of a marked cell as place_marked has it: `target[0, i]` becomes
    its score, for cells of the lanes that are not -1 and marked. Places of forced
    cells stay as they are.
    Constraints: (C1) the target is one row of f32; (C2) the other tiles are one
    row of i32; (C3) scores and cells are lanes of f32 and of i32, as many.
  }];
  let arguments = (ins TileSmemOut:$target, TileSmemIn:$bitmap,
                       TileSmemIn:$before, TileLanesIn:$scores,
                       TileLanesIn:$cells);
  let assemblyFormat = [{
    $scores `,` $cells `at` $bitmap `,` $before `to` $target attr-dict `:`
    type($scores) `,` type($cells) `at` type($bitmap) `,` type($before) `to`
    type($target)
  }];
  let hasVerifier = 1;
}

def GsaTile_LookUpCellsOp : GsaTile_Op<"look_up_cells",
    "look_up_cells<{team}>({cells}, {list}, {count})",
    [GsaTile_TeamOpInterface]> {
  let summary = "Positions in a list become what the list has there";
  let description = [{
    `cells[0, i] = list[cells[0, i]]` for i < `count`, by a team.
    Constraints: (C1) the tile is one row of i32; (C2) the list is of i32.
  }];
  let arguments = (ins TileSmemInOut:$cells, TileGlobalIn:$list, Index:$count,
                       GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $cells `of` $list `count` $count `by` $team attr-dict `:` type($cells) `of`
    type($list)
  }];
  let hasVerifier = 1;
}

#endif  // GSA_TILE_CANDIDATE_OPS_TD
