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

def GsaTile_AppendCandidatesOp : GsaTile_Op<"append_candidates",
    "append_candidates({list}, {counts}, {scores}, {bounds}, {row}, {rows}, "
    "{capacity}, {column})"> {
  let summary = "Appends the scores at or above the bounds of their rows";
  let description = [{
    For row + r < rows and all c with scores[r, c] >= bounds[r]:
    `p = counts[row + r]++`, and if `p < capacity`, pair `p` of list `row + r` is
    (bits of scores[r, c], column + c). Lists are `capacity` pairs apart. Atomic:
    warps of many blocks may append to one list. The order is not defined; a
    count beyond the capacity says that pairs are missing, some of those before
    it among them.
    Constraints: (C1) the scores are f32 of layout `acc` with at most 64 columns,
    the bounds f32; (C2) list and counts are i32.
  }];
  let arguments = (ins TileGlobalOut:$list, TileGlobalAtomic:$counts,
                       TileFragIn:$scores, TileRowsIn:$bounds, Index:$row,
                       Index:$rows, Index:$capacity, Index:$column);
  let assemblyFormat = [{
    $scores `above` $bounds `to` $list `,` $counts `[` $row `below` $rows `]`
    `capacity` $capacity `column` $column attr-dict `:` type($scores) `,`
    type($bounds) `to` type($list) `,` type($counts)
  }];
  let hasVerifier = 1;
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

def GsaTile_MarkCandidatesOp : GsaTile_Op<"mark_candidates",
    "mark_candidates<{team}>({bitmap}, {list}, {count}, {sink}, {local}, {end})",
    [GsaTile_TeamOpInterface]> {
  let summary = "Sets a bit for each cell of a list and each forced cell";
  let description = [{
    Bit c mod 32 of `bitmap[0, c / 32]` for the cells c of `count` pairs and for
    those below `sink` or from `local` on, all below `end`. Atomic, by a team.
    Constraint: (C1) bitmap and list are i32, the bitmap of one row.
  }];
  let arguments = (ins TileSmemAtomic:$bitmap, TileGlobalIn:$list, Index:$count,
                       Index:$sink, Index:$local, Index:$end,
                       GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $bitmap `,` $list `count` $count `forced` $sink `,` $local `below` $end `by`
    $team attr-dict `:` type($bitmap) `,` type($list)
  }];
  let hasVerifier = 1;
}

def GsaTile_CountBitsOp : GsaTile_Op<"count_bits",
    "count_bits<{columns}>({state}, {bitmap}, {begin}, {end})"> {
  let summary = "Counts (number 0) the bits of some words of a bitmap";
  let description = [{
    Of words [begin, min(begin + columns, end)).
    Constraints: (C1) the bitmap is i32 of one row, columns is a positive
    multiple of 32; (C2) the state is lanes<2xi32>.
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

def GsaTile_PlaceCandidatesOp : GsaTile_Op<"place_candidates",
    "place_candidates<{team}>({keys}, {cells}, {bitmap}, {before}, {list}, "
    "{count}, {sink}, {local}, {end})", [GsaTile_TeamOpInterface]> {
  let summary = "Brings a list to shared memory, in the order of the row";
  let description = [{
    Marked cell c is number i = `before[0, c / 32]` + the marked cells below it
    in its word: `keys[0, i]` is its key, `cells[0, i]` is c. By a team.
    Constraint: (C1) the tiles are i32 of one row, the list is i32.
  }];
  let arguments = (ins TileSmemOut:$keys, TileSmemOut:$cells,
                       TileSmemIn:$bitmap, TileSmemIn:$before,
                       TileGlobalIn:$list, Index:$count, Index:$sink,
                       Index:$local, Index:$end, GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $list `count` $count `forced` $sink `,` $local `below` $end `at` $bitmap `,`
    $before `to` $keys `,` $cells `by` $team attr-dict `:` type($list) `at`
    type($bitmap) `,` type($before) `to` type($keys) `,` type($cells)
  }];
  let hasVerifier = 1;
}

#endif  // GSA_TILE_CANDIDATE_OPS_TD
