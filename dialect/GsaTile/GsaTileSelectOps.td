//===- GsaTileSelectOps.td - row statistics and top-k ----------*- tablegen -*-===//
//
// A block handles one row of scores. Its warps share out the cells; each op is
// one step of one warp over at most `columns` cells, so that loops are in the
// IR and no result depends on the number of warps in any other way than the
// order of f64 sums, which is fixed.
//
// Keys. Scores are compared as 32-bit unsigned integers in the same order
// ("keys"): 0 for a cell that is not visible (NaN, -inf), 2^32 - 1 for a cell
// that is forced, and between them the bits of the score, the sign bit flipped
// and the others too if it was set; -0 counts as +0. IR holds them as i32.
//
// Forced cells are the visible ones below `sink` and those from `local` on.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TILE_SELECT_OPS_TD
#define GSA_TILE_SELECT_OPS_TD

include "dialect/GsaTile/GsaTileTypes.td"

//===----------------------------------------------------------------------===//
// Numbers of lanes
//===----------------------------------------------------------------------===//

def GsaTile_LanesType : GsaTile_Type<"Lanes", "lanes"> {
  let summary = "some numbers in each lane of a warp";
  let description = [{
    Partial results of a reduction over cells, before the lanes are joined, or
    the scores of a step. Prints as `lanes<T, N>`. The element type is i32, f32
    or f64; 1 to 32 numbers.
    Example: `!gsa_tile.lanes<5xi32>`.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::mlir::Type":$elementType);
  let assemblyFormat = "`<` custom<ShapeAndElement>($shape, $elementType) `>`";
}

defvar TileLanesIn = GsaTile_Read<GsaTile_LanesType, GsaTile_Registers>;
defvar TileLanesOut = GsaTile_Write<GsaTile_LanesType, GsaTile_Registers>;
defvar TileLanesInOut = GsaTile_Update<GsaTile_LanesType, GsaTile_Registers>;

/// Shared memory that lanes of several warps change by atomic instructions.
defvar TileSmemAtomic = GsaTile_Update<GsaTile_SmemType, GsaTile_Shared>;

def GsaTile_LanesAllocOp : GsaTile_Op<"lanes_alloc",
    "lanes_alloc<{result:type}>()",
    [DeclareOpInterfaceMethods<GsaTile_RegisterAllocOpInterface>,
     MemoryEffects<[MemAlloc<GsaTile_Registers>]>]> {
  let summary = "Numbers in the registers of each lane, all 0";
  let results = (outs GsaTile_LanesType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def GsaTile_SetLanesOp : GsaTile_Op<"set_lanes",
    "set_lanes<{element}>({target}, {value})",
    [TypesMatchWith<"value is an element", "target", "value",
        "::llvm::cast<LanesType>($_self).getElementType()">]> {
  let summary = "`target[element] = value` in all lanes";
  let arguments = (ins TileLanesOut:$target, I64Attr:$element, AnyType:$value);
  let assemblyFormat = [{
    $value `to` $target `[` $element `]` attr-dict `:` type($target)
  }];
}

def GsaTile_StoreTotalsOp : GsaTile_Op<"store_totals",
    "store_totals({target}, {row}, {source})"> {
  let summary = "`target[row, i] = sum over lanes of source[i]`";
  let description = [{
    Sums floats by a butterfly of shuffles, so in a fixed order.
    Constraint: (C1) the tile has the element type of the lanes and at least as
    many columns as they have numbers.
  }];
  let arguments = (ins TileSmemOut:$target, Index:$row, TileLanesIn:$source);
  let assemblyFormat = [{
    $source `to` $target `[` $row `]` attr-dict `:` type($source) `to`
    type($target)
  }];
  let hasVerifier = 1;
}

def GsaTile_SumRowsOp : GsaTile_Op<"sum_rows",
    "sum_rows({source}, {end}, {column})",
    [TypesMatchWith<"result is an element", "source", "result",
        "::llvm::cast<SmemType>($_self).getElementType()">]> {
  let summary = "`sum over r < end of source[r, column]`, in that order";
  let arguments = (ins TileSmemIn:$source, Index:$end, Index:$column);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $source `below` $end `column` $column attr-dict `:` type($source)
  }];
}

def GsaTile_ClearSharedOp : GsaTile_Op<"clear_shared",
    "clear_shared<{team}>({target})", [GsaTile_TeamOpInterface]> {
  let summary = "Sets a tile to 0, by a team";
  let arguments = (ins TileSmemOut:$target, GsaTile_TeamAttr:$team);
  let assemblyFormat = "$target `by` $team attr-dict `:` type($target)";
}

//===----------------------------------------------------------------------===//
// Steps over the cells of a row
//===----------------------------------------------------------------------===//

/// One step of a warp over cells [begin, min(begin + columns, end)) of `row`.
class GsaTile_RowOp<string mnemonic, string target, string extra = "">
    : GsaTile_Op<mnemonic, mnemonic # "<{columns}>(" # target #
                           "{row}, {begin}, {end}" # extra # ")"> {
  dag cells = (ins TileGlobalIn:$row, Index:$begin, Index:$end,
                   I64Attr:$columns);
  let hasVerifier = 1;
}

def GsaTile_ScanRowOp : GsaTile_RowOp<"scan_row", "{state}, "> {
  let summary = "Counts cells and finds the range of finite scores";
  let description = [{
    Numbers of `state`: 0 visible cells, 1 NaN scores, 2 position behind the
    last visible cell, 3 complement of the least key of a finite score, 4 the
    largest such key.
    Constraints: (C1) scores are f32, columns is a positive multiple of 32;
    (C2) the state is lanes<5xi32>.
  }];
  let arguments = !con((ins TileLanesInOut:$state), cells);
  let assemblyFormat = [{
    $state `,` $row `[` $begin `to` $end `]` `step` $columns attr-dict `:`
    type($state) `,` type($row)
  }];
}

def GsaTile_PublishScanOp : GsaTile_Op<"publish_scan",
    "publish_scan({target}, {state})"> {
  let summary = "Joins a warp's scan with those of the other warps";
  let description = [{
    Adds numbers 0 and 1 of all lanes to row 0 of `target` and takes the unsigned
    maximum of the others, atomically. `target` starts at 0.
    Constraint: (C1) as store_totals.
  }];
  let arguments = (ins TileSmemAtomic:$target, TileLanesIn:$state);
  let assemblyFormat = [{
    $state `to` $target attr-dict `:` type($state) `to` type($target)
  }];
  let hasVerifier = 1;
}

def GsaTile_KeyValueOp : GsaTile_Op<"key_value", "key_value({key})", [Pure]> {
  let summary = "The score that has a key";
  let arguments = (ins I32:$key);
  let results = (outs F32:$result);
  let assemblyFormat = "$key attr-dict";
}

def GsaTile_SumRowOp : GsaTile_RowOp<"sum_row", "{sum}, "> {
  let summary = "Adds the visible scores";
  let description = "Constraints: (C1) as scan_row; (C2) the sum is lanes<1xf64>.";
  let arguments = !con((ins TileLanesInOut:$sum), cells);
  let assemblyFormat = [{
    $sum `,` $row `[` $begin `to` $end `]` `step` $columns attr-dict `:`
    type($sum) `,` type($row)
  }];
}

def GsaTile_SquaresRowOp : GsaTile_RowOp<"squares_row", "{sum}, ",
                                         ", {mean}"> {
  let summary = "Adds `(x - mean)^2` of the visible scores";
  let description = "Constraints: as sum_row.";
  let arguments = !con((ins TileLanesInOut:$sum), cells, (ins F64:$mean));
  let assemblyFormat = [{
    $sum `,` $row `[` $begin `to` $end `]` `step` $columns `mean` $mean
    attr-dict `:` type($sum) `,` type($row)
  }];
}

def GsaTile_ExpRowOp : GsaTile_RowOp<"exp_row", "{sum}, ", ", {maximum}"> {
  let summary = "Adds `exp(x - maximum)` of the visible scores";
  let description = [{
    exp in f32, the sum in f64. Constraints: as sum_row.
  }];
  let arguments = !con((ins TileLanesInOut:$sum), cells, (ins F32:$maximum));
  let assemblyFormat = [{
    $sum `,` $row `[` $begin `to` $end `]` `step` $columns `maximum` $maximum
    attr-dict `:` type($sum) `,` type($row)
  }];
}

def GsaTile_EntropyRowOp : GsaTile_RowOp<"entropy_row", "{sum}, ",
                                         ", {maximum}, {inverse}"> {
  let summary = "Adds `-p log(p + 1e-10)` of the visible scores";
  let description = [{
    `p = exp(x - maximum) * inverse`; exp and log in f32, the sum in f64.
    Constraints: as sum_row.
  }];
  let arguments = !con((ins TileLanesInOut:$sum), cells,
                       (ins F32:$maximum, F32:$inverse));
  let assemblyFormat = [{
    $sum `,` $row `[` $begin `to` $end `]` `step` $columns `maximum` $maximum
    `inverse` $inverse attr-dict `:` type($sum) `,` type($row)
  }];
}

//===----------------------------------------------------------------------===//
// The threshold
//===----------------------------------------------------------------------===//

def GsaTile_HistogramRowOp : GsaTile_RowOp<"histogram_row", "{histogram}, ",
    ", {low}, {high}, {sink}, {local}"> {
  let summary = "Counts visible cells by linear bins over [low, high]";
  let description = [{
    `histogram[0, bin(x)] += 1`. The map is monotone in the key: of the bins,
    the last is for forced cells, the one before for +inf, the others divide
    the range of finite scores: evenly, but of the highest of them three
    quarters are in use. Atomic.
    Constraints: (C1) as scan_row; (C2) the histogram is i32 of one row.
  }];
  let arguments = !con((ins TileSmemAtomic:$histogram), cells,
      (ins F32:$low, F32:$high, Index:$sink, Index:$local));
  let assemblyFormat = [{
    $histogram `,` $row `[` $begin `to` $end `]` `step` $columns `range` $low
    `,` $high `forced` $sink `,` $local attr-dict `:` type($histogram) `,`
    type($row)
  }];
}

def GsaTile_FindRankOp : GsaTile_Op<"find_rank",
    "find_rank<{bins}>({found}, {histogram}, {rank})"> {
  let summary = "Finds the bin of the rank-th largest cell";
  let description = [{
    Counting from the last of the first `bins` bins down, b is the bin in which
    the count reaches `rank` >= 1. `found[0, 0] = b`, `found[0, 1]` = cells in
    bins above b, `found[0, 2]` = cells in b. One warp runs it; there are at
    least `rank` cells.
    Constraints: (C1) both tiles are i32; `found` has 3 columns or more, the
    histogram `bins` or more; (C2) bins is a power of two from 32 to 8192.
  }];
  let arguments = (ins TileSmemOut:$found, TileSmemIn:$histogram, I32:$rank,
                       I64Attr:$bins);
  let assemblyFormat = [{
    $histogram `rank` $rank `bins` $bins `to` $found attr-dict `:`
    type($histogram) `to` type($found)
  }];
  let hasVerifier = 1;
}

def GsaTile_LoadScoresOp : GsaTile_RowOp<"load_scores", "{scores}, "> {
  let summary = "Loads the scores of a step";
  let description = [{
    `scores[i]` of lane l is that of cell `begin + 32 * i + l`, -inf from `end`
    on.
    Constraints: (C1) as scan_row; (C2) the scores are lanes of columns / 32
    f32.
  }];
  let arguments = !con((ins TileLanesOut:$scores), cells);
  let assemblyFormat = [{
    $scores `,` $row `[` $begin `to` $end `]` `step` $columns attr-dict `:`
    type($scores) `,` type($row)
  }];
}

def GsaTile_MarkScoresOp : GsaTile_Op<"mark_scores",
    "mark_scores({marked}, {scores}, {counts}, {slot}, {warp}, {begin}, {low}, "
    "{high}, {bin}, {bins}, {sink}, {local})",
    [TypesMatchWith<"marked scores are as the scores", "scores", "marked",
                    "$_self">]> {
  let summary = "Takes from a step the scores of a bin and of those above it";
  let description = [{
    `marked` is `scores`, but -inf for other cells and for cells that are not
    visible; `counts[slot, warp]` is the number of the rest. The map to `bins`
    bins is that of histogram_row. The scores can be loaded anew while the
    marked ones wait for the other warps.
    Constraint: (C1) the scores are lanes of f32, the counts i32 of at most 32
    warps.
  }];
  let arguments = (ins TileLanesOut:$marked, TileLanesIn:$scores,
                       TileSmemOut:$counts, Index:$slot, Index:$warp,
                       Index:$begin, F32:$low, F32:$high, I32:$bin,
                       I64Attr:$bins, Index:$sink, Index:$local);
  let assemblyFormat = [{
    $scores `to` $marked `at` $begin `range` $low `,` $high `bin` $bin `of` $bins `forced`
    $sink `,` $local `count` $counts `[` $slot `,` $warp `]` attr-dict `:`
    type($scores) `,` type($counts)
  }];
  let hasVerifier = 1;
}

def GsaTile_KeepCellsOp : GsaTile_Op<"keep_cells",
    "keep_cells({keys}, {cells}, {kept}, {scores}, {counts}, {slot}, {warp}, "
    "{begin}, {sink}, {local})"> {
  let summary = "Appends the cells that mark_scores left, ascending";
  let description = [{
    Keys and positions of a warp's cells go behind those of the warps before
    it, of which `counts[slot, r]` are counts. `kept`, the same in all lanes of
    all warps, is the number of cells kept before the step, then after it. The
    caller knows that they fit, and that all warps have counted.
    Constraints: (C1) as mark_scores; (C2) `keys` and `cells` are i32 of one
    row, `cells` as long as `keys` or longer; `kept` is lanes<1xi32>.
  }];
  let arguments = (ins TileSmemOut:$keys, TileSmemOut:$cells,
                       TileLanesInOut:$kept, TileLanesIn:$scores,
                       TileSmemIn:$counts, Index:$slot, Index:$warp,
                       Index:$begin, Index:$sink, Index:$local);
  let assemblyFormat = [{
    $scores `at` $begin `forced` $sink `,` $local `count` $counts `[` $slot `,`
    $warp `]` `to` $keys `,` $cells `kept` $kept attr-dict `:` type($scores)
    `,` type($counts) `to` type($keys) `,` type($cells) `,` type($kept)
  }];
  let hasVerifier = 1;
}

def GsaTile_RadixKeysOp : GsaTile_Op<"radix_keys",
    "radix_keys({histogram}, {keys}, {begin}, {end}, {step}, {prefix}, {shift})"> {
  let summary = "Counts kept keys by their next 8 bits";
  let description = [{
    For keys begin + lane, begin + step + lane, ... below `end` whose bits above
    `shift + 8` are those of `prefix`:
    `histogram[0, key >> shift & 255] += 1`, atomically.
    Constraint: (C1) both tiles are i32, the histogram has 256 columns or more.
  }];
  let arguments = (ins TileSmemAtomic:$histogram, TileSmemIn:$keys,
                       Index:$begin, Index:$end, Index:$step, I32:$prefix,
                       I32:$shift);
  let assemblyFormat = [{
    $histogram `,` $keys `[` $begin `to` $end `by` $step `]` `prefix` $prefix
    `shift` $shift attr-dict `:` type($histogram) `,` type($keys)
  }];
  let hasVerifier = 1;
}

def GsaTile_RadixRowOp : GsaTile_RowOp<"radix_row", "{histogram}, ",
    ", {prefix}, {shift}, {sink}, {local}"> {
  let summary = "Counts visible cells of a row by the next 8 bits of their keys";
  let description = [{
    As radix_keys, for keys that were not kept.
    Constraints: (C1) as scan_row; (C2) as histogram_row.
  }];
  let arguments = !con((ins TileSmemAtomic:$histogram), cells,
      (ins I32:$prefix, I32:$shift, Index:$sink, Index:$local));
  let assemblyFormat = [{
    $histogram `,` $row `[` $begin `to` $end `]` `step` $columns `prefix`
    $prefix `shift` $shift `forced` $sink `,` $local attr-dict `:`
    type($histogram) `,` type($row)
  }];
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

def GsaTile_CountRowOp : GsaTile_RowOp<"count_row", "{state}, ",
    ", {threshold}, {sink}, {local}"> {
  let summary = "Counts keys above (number 0) and equal to (1) a threshold";
  let description = "Constraints: (C1) as scan_row; (C2) the state is lanes<2xi32>.";
  let arguments = !con((ins TileLanesInOut:$state), cells,
      (ins I32:$threshold, Index:$sink, Index:$local));
  let assemblyFormat = [{
    $state `,` $row `[` $begin `to` $end `]` `step` $columns `threshold`
    $threshold `forced` $sink `,` $local attr-dict `:` type($state) `,`
    type($row)
  }];
}

def GsaTile_EmitRowOp : GsaTile_RowOp<"emit_row", "{target}, {cursor}, ",
    ", {threshold}, {quota}, {sink}, {local}"> {
  let summary = "Writes the positions of the selected cells, ascending";
  let description = [{
    A cell is selected if its key is above `threshold`, or if it is equal and
    fewer than `quota` equal ones came before it in the row. The cursor, the
    same in all lanes, holds the cells above (0) and equal (1) so far in the
    row; `target[above + min(equal, quota)]` is the next position.
    Constraints: (C1) as scan_row; (C2) the cursor is lanes<2xi32>, positions
    are i32.
  }];
  let arguments = !con((ins TileGlobalOut:$target, TileLanesInOut:$cursor),
      cells, (ins I32:$threshold, I32:$quota, Index:$sink, Index:$local));
  let assemblyFormat = [{
    $target `,` $cursor `,` $row `[` $begin `to` $end `]` `step` $columns
    `threshold` $threshold `quota` $quota `forced` $sink `,` $local attr-dict
    `:` type($target) `,` type($cursor) `,` type($row)
  }];
}

def GsaTile_CountKeptOp : GsaTile_Op<"count_kept",
    "count_kept<{columns}>({state}, {keys}, {begin}, {end}, {threshold})"> {
  let summary = "Counts kept keys above (number 0) and equal to (1) a threshold";
  let description = [{
    As count_row, for keys [begin, min(begin + columns, end)).
    Constraints: (C1) the keys are i32 of one row, columns is a positive
    multiple of 32; (C2) the state is lanes<2xi32>.
  }];
  let arguments = (ins TileLanesInOut:$state, TileSmemIn:$keys, Index:$begin,
                       Index:$end, I64Attr:$columns, I32:$threshold);
  let assemblyFormat = [{
    $state `,` $keys `[` $begin `to` $end `]` `step` $columns `threshold`
    $threshold attr-dict `:` type($state) `,` type($keys)
  }];
  let hasVerifier = 1;
}

def GsaTile_EmitKeptOp : GsaTile_Op<"emit_kept",
    "emit_kept<{columns}>({target}, {cursor}, {keys}, {cells}, {begin}, {end}, "
    "{threshold}, {quota})"> {
  let summary = "Writes the positions of the selected ones of kept cells";
  let description = [{
    As emit_row, for entries [begin, min(begin + columns, end)), which are in
    the order of the row.
    Constraints: (C1) as count_kept, for keys and cells; (C2) as emit_row.
  }];
  let arguments = (ins TileGlobalOut:$target, TileLanesInOut:$cursor,
                       TileSmemIn:$keys, TileSmemIn:$cells, Index:$begin,
                       Index:$end, I64Attr:$columns, I32:$threshold,
                       I32:$quota);
  let assemblyFormat = [{
    $target `,` $cursor `,` $keys `,` $cells `[` $begin `to` $end `]` `step`
    $columns `threshold` $threshold `quota` $quota attr-dict `:` type($target)
    `,` type($cursor) `,` type($keys) `,` type($cells)
  }];
  let hasVerifier = 1;
}

def GsaTile_CountBeyondOp : GsaTile_Op<"count_beyond",
    "count_beyond<{columns}, {vector}>({state}, {array}, {begin}, {end}, {limit})"> {
  let summary = "Counts elements whose size is not at most a limit";
  let description = [{
    Of elements [begin, min(begin + columns, end)); NaN counts. A lane reads
    `vector` neighbouring elements at a time, which lie on a multiple of their
    bytes.
    Constraints: (C1) the array is of floats, of which `vector` are 2, 4, 8 or 16
    bytes; (C2) columns is a positive multiple of 32 vectors; (C3) the state is
    lanes<1xi32>.
  }];
  let arguments = (ins TileLanesInOut:$state, TileGlobalIn:$array, Index:$begin,
                       Index:$end, I64Attr:$columns, F32:$limit,
                       I64Attr:$vector);
  let assemblyFormat = [{
    $state `,` $array `[` $begin `to` $end `]` `step` $columns `by` $vector
    `limit` $limit attr-dict `:` type($state) `,` type($array)
  }];
  let hasVerifier = 1;
}

def GsaTile_ListAllOp : GsaTile_Op<"list_all",
    "list_all<{vector}>({target}, {count}, {slots})"> {
  let summary = "A list of the first keys, by a warp";
  let description = [{
    `target[i] = i < count ? i : -1` for i < `slots`, `vector` entries of a lane at
    a time. Constraint: (C1) the target is of i32, `vector` is 1, 2 or 4 and
    divides `slots` (which nobody checks).
  }];
  let arguments = (ins TileGlobalOut:$target, Index:$count, Index:$slots,
                       I64Attr:$vector);
  let assemblyFormat = [{
    $target `count` $count `slots` $slots `by` $vector attr-dict `:`
    type($target)
  }];
  let hasVerifier = 1;
}

def GsaTile_AnySetOp : GsaTile_Op<"any_set",
    "any_set({flags}, {begin}, {end})"> {
  let summary = "Whether a flag is not 0, the same in all lanes";
  let description = [{
    Of flags [begin, end). Constraint: (C1) the flags are i32.
  }];
  let arguments = (ins TileGlobalIn:$flags, Index:$begin, Index:$end);
  let results = (outs I1:$result);
  let assemblyFormat = [{
    $flags `[` $begin `to` $end `]` attr-dict `:` type($flags)
  }];
  let hasVerifier = 1;
}

def GsaTile_AnyShortOp : GsaTile_Op<"any_short",
    "any_short<{step}>({counts}, {rows}, {last})"> {
  let summary = "Whether a list of a warp's rows lacks keys that a mask shows";
  let description = [{
    Whether `counts[r] <= last + step r` for a row r < 16, r < `rows`: `last` is the
    last key that the first row sees, negative if it sees none. The same in all
    lanes. Constraint: (C1) the counts are i32; `step` is 0 or 1.
  }];
  let arguments = (ins TileGlobalIn:$counts, Index:$rows, Index:$last,
                       I64Attr:$step);
  let results = (outs I1:$result);
  let assemblyFormat = [{
    $counts `rows` $rows `last` $last `step` $step attr-dict `:` type($counts)
  }];
  let hasVerifier = 1;
}

def GsaTile_FillSpanOp : GsaTile_Op<"fill_span",
    "fill_span<{team}>({target}, {begin}, {end}, {value})",
    [GsaTile_TeamOpInterface,
     TypesMatchWith<"value is an element", "target", "value",
        "::llvm::cast<GlobalType>($_self).getElementType()">]> {
  let summary = "`target[i] = value` for begin <= i < end, by a team";
  let arguments = (ins TileGlobalOut:$target, Index:$begin, Index:$end,
                       AnyType:$value, GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $value `to` $target `[` $begin `to` $end `]` `by` $team attr-dict `:`
    type($target)
  }];
}

def GsaTile_TakeCandidatesOp : GsaTile_Op<"take_candidates",
    "take_candidates<{team}>({keys}, {cells}, {row}, {list}, {count})",
    [GsaTile_TeamOpInterface]> {
  let summary = "Brings listed cells and their keys to shared memory, by a team";
  let description = [{
    `cells[0, i] = list[i]`, `keys[0, i]` = key of `row[list[i]]` for
    i < `count`; behind them keys are 0 and cells 2^31 - 1. No cell is forced.
  }];
  let arguments = (ins TileSmemOut:$keys, TileSmemOut:$cells,
                       TileGlobalIn:$row, TileGlobalIn:$list, Index:$count,
                       GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $row `list` $list `count` $count `to` $keys `,` $cells `by` $team attr-dict
    `:` type($row) `,` type($list) `to` type($keys) `,` type($cells)
  }];
}

def GsaTile_SortStepOp : GsaTile_Op<"sort_step",
    "sort_step<{team}>({keys}, {cells}, {size}, {stride})",
    [GsaTile_TeamOpInterface]> {
  let summary = "One step of a bitonic sort, by a team";
  let description = [{
    Orders pairs by descending key, equal ones by ascending cell: compares
    elements i and i + 2^stride of blocks of 2^size, descending in every
    second block. The team meets at a barrier between steps.
    Constraint: (C1) both tiles are i32 of one row and equal length, a power
    of two.
  }];
  let arguments = (ins TileSmemInOut:$keys, TileSmemInOut:$cells, Index:$size,
                       Index:$stride, GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $keys `,` $cells `size` $size `stride` $stride `by` $team attr-dict `:`
    type($keys) `,` type($cells)
  }];
  let hasVerifier = 1;
}

def GsaTile_StoreCellsOp : GsaTile_Op<"store_cells",
    "store_cells<{team}>({target}, {cells}, {count})",
    [GsaTile_TeamOpInterface]> {
  let summary = "`target[i] = cells[0, i]` for i < count, by a team";
  let description = "Of one element type.";
  let arguments = (ins TileGlobalOut:$target, TileSmemIn:$cells, Index:$count,
                       GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $cells `to` $target `count` $count `by` $team attr-dict `:` type($cells)
    `to` type($target)
  }];
}

#endif  // GSA_TILE_SELECT_OPS_TD
