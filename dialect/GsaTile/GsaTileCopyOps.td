//===- GsaTileCopyOps.td - movement of data --------------------*- tablegen -*-===//

#ifndef GSA_TILE_COPY_OPS_TD
#define GSA_TILE_COPY_OPS_TD

include "dialect/GsaTile/GsaTileTypes.td"

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

def GsaTile_AtOp : GsaTile_Op<"at",
    "at({base}, indices({indices...}), sizes({sizes...}))",
    [Pure, AttrSizedOperandSegments, AllTypesMatch<["base", "result"]>]> {
  let summary = "Address of an element of a dense row-major array";
  let description = [{
    `base + ((i0 * n1 + i1) * n2 + i2) ...` in 64 bits, in elements. `sizes`
    are the sizes of all dimensions but the first. Prints as
    `at(base, indices(i0, i1, i2), sizes(n1, n2))`.
    Constraint: (C1) one size less than indices.
  }];
  let arguments = (ins GsaTile_GlobalType:$base, Variadic<Index>:$indices,
                       Variadic<Index>:$sizes);
  let results = (outs GsaTile_GlobalType:$result);
  let assemblyFormat = [{
    $base `[` $indices `]` `sizes` `[` $sizes `]` attr-dict `:` type($base)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Views of rows
//===----------------------------------------------------------------------===//

/// Makes a value of type rows of a pointer `base`; `kind` is that of the type.
class GsaTile_ViewOp<string mnemonic, string call, string kind,
                     list<Trait> traits = []>
    : GsaTile_Op<mnemonic, call, !listconcat([Pure], traits)> {
  let results = (outs GsaTile_RowsType:$result);
  let hasVerifier = 1;
  let extraOpDefinition = [{
    ::llvm::LogicalResult $cppClass::verify() {
      return verifyView(*this, getBase().getType(), getResult().getType(),
                        RowKind::}] # kind # [{);
    }
  }];
}

def GsaTile_StridedRowsOp : GsaTile_ViewOp<"strided_rows",
    "strided_rows({base}, {pitch}, {count})", "Strided"> {
  let summary = "Row p is at `base + p * pitch`";
  let description = [{
    For p in [0, `count`); `pitch` is in elements.
    Constraint: (C1) the rows have the element type of the array; only an array
    that may be written is written or accumulated to.
  }];
  let arguments = (ins GsaTile_GlobalType:$base, I64:$pitch, Index:$count);
  let assemblyFormat = [{
    $base `pitch` $pitch `count` $count attr-dict `:` type($base) `to`
    type($result)
  }];
}

def GsaTile_TwoLevelRowsOp : GsaTile_ViewOp<"two_level_rows",
    "two_level_rows<{per}>({base}, {outer}, {inner}, {count})", "TwoLevel"> {
  let summary = "Row p is at `base + p / per * outer + p % per * inner`";
  let description = [{
    Rows that are pairs, as of queries and their heads. Otherwise as
    strided_rows. Constraints: (C1) as there; (C2) `per >= 1`.
  }];
  let arguments = (ins GsaTile_GlobalType:$base, I64:$outer, I64:$inner,
                       ConfinedAttr<I64Attr, [IntMinValue<1>]>:$per,
                       Index:$count);
  let assemblyFormat = [{
    $base `pitch` $outer `,` $inner `per` $per `count` $count attr-dict `:`
    type($base) `to` type($result)
  }];
}

def GsaTile_InterleavedRowsOp : GsaTile_ViewOp<"interleaved_rows",
    "interleaved_rows({base}, {pitch}, {apart}, {count})", "Interleaved"> {
  let summary = "Row 16 i + 8 h + r is at `base + (8 i + r) * pitch + h * apart`";
  let description = [{
    For h 0 and 1, r < 8 and 8 i + r in [0, `count`). As the left operand of a
    product, the two rows of a lane are then those of one query and two heads.
    Otherwise as strided_rows. Constraint: (C1) as there.
  }];
  let arguments = (ins GsaTile_GlobalType:$base, I64:$pitch, I64:$apart,
                       Index:$count);
  let assemblyFormat = [{
    $base `pitch` $pitch `,` $apart `count` $count attr-dict `:` type($base) `to`
    type($result)
  }];
}

def GsaTile_ListedRowsOp : GsaTile_ViewOp<"listed_rows",
    "listed_rows({base}, {pitch}, {list}, {end}, {limit})", "Listed"> {
  let summary = "Row p is at `base + list[0, p] * pitch`";
  let description = [{
    For p < `end`, and entries in [0, `limit`): other rows do not exist. The list
    is read when rows are looked up; it is a row of a tile in shared memory, or
    lies in global memory, where entry p is `list[p]`.
    Constraints: (C1) as strided_rows; (C2) the list is of i32.
  }];
  let arguments = (ins GsaTile_GlobalType:$base, I64:$pitch,
                       AnyTypeOf<[GsaTile_SmemType, GsaTile_GlobalType],
                                 "tile in shared memory or array">:$list,
                       Index:$end, Index:$limit);
  let assemblyFormat = [{
    $base `pitch` $pitch `list` $list `end` $end `limit` $limit attr-dict `:`
    type($base) `,` type($list) `to` type($result)
  }];
}

def GsaTile_PagedRowsOp : GsaTile_ViewOp<"paged_rows",
    "paged_rows<{page}, {apart}, {step}>({base}, {pitch}, {table}, {pages}, "
    "{limit})", "Paged"> {
  let summary = "Row p is row `p * step` of a sequence in pages";
  let description = [{
    For p in [0, `limit`); row q of the sequence is at
    `base + (table[q / page] * apart + q % page) * pitch`. Where the table has a
    number outside [0, `pages`), there is no such page: its rows are NaN for who
    reads them, and do not exist for who writes them. Numbers of rows have 32
    bits: `pages * apart` is at most 2^31 - 1.
    Constraints: (C1) as strided_rows; (C2) `page`, `apart` and `step` are at
    least 1, and the table is of i32.
  }];
  let arguments = (ins GsaTile_GlobalType:$base, I64:$pitch,
                       GsaTile_GlobalType:$table, Index:$pages,
                       ConfinedAttr<I64Attr, [IntMinValue<1>]>:$page,
                       ConfinedAttr<I64Attr, [IntMinValue<1>]>:$apart,
                       ConfinedAttr<I64Attr, [IntMinValue<1>]>:$step,
                       Index:$limit);
  let assemblyFormat = [{
    $base `pitch` $pitch `table` $table `pages` $pages `of` $page `apart` $apart
    `step` $step `limit` $limit attr-dict `:` type($base) `,` type($table) `to`
    type($result)
  }];
}

def GsaTile_ListedPagedRowsOp : GsaTile_ViewOp<"listed_paged_rows",
    "listed_paged_rows<{page}, {apart}>({base}, {pitch}, {table}, {pages}, "
    "{list}, {end}, {limit})", "Paged"> {
  let summary = "Row p is row `list[0, p]` of paged rows";
  let description = [{
    For p < `end`, and entries in [0, `limit`); the list as in listed_rows, the
    pages as in paged_rows. Constraints: (C1) as strided_rows; (C2) `page` and
    `apart` are at least 1, table and list are of i32.
  }];
  let arguments = (ins GsaTile_GlobalType:$base, I64:$pitch,
                       GsaTile_GlobalType:$table, Index:$pages,
                       ConfinedAttr<I64Attr, [IntMinValue<1>]>:$page,
                       ConfinedAttr<I64Attr, [IntMinValue<1>]>:$apart,
                       AnyTypeOf<[GsaTile_SmemType, GsaTile_GlobalType],
                                 "tile in shared memory or array">:$list,
                       Index:$end, Index:$limit);
  let assemblyFormat = [{
    $base `pitch` $pitch `table` $table `pages` $pages `of` $page `apart` $apart
    `list` $list `end` $end `limit` $limit attr-dict `:` type($base) `,`
    type($table) `,` type($list) `to` type($result)
  }];
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

def GsaTile_LoadOp : GsaTile_Op<"load", "load({base}, {position})",
    [TypesMatchWith<"result is an element", "base", "result",
        "::llvm::cast<GlobalType>($_self).getElementType()">]> {
  let summary = "Reads one element; same value in all lanes that ask for it";
  let arguments = (ins TileGlobalIn:$base, AnyTypeOf<[Index, I64]>:$position);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $base `[` $position `]` attr-dict `:` type($base) `,` type($position)
  }];
}

def GsaTile_StoreOp : GsaTile_Op<"store", "store({base}, {position}, {value})",
    [TypesMatchWith<"value is an element", "base", "value",
        "::llvm::cast<GlobalType>($_self).getElementType()">]> {
  let summary = "Writes one element; outside for_each one lane writes";
  let arguments = (ins TileGlobalOut:$base, AnyTypeOf<[Index, I64]>:$position,
                       AnyType:$value);
  let assemblyFormat = [{
    $value `,` $base `[` $position `]` attr-dict `:` type($base) `,`
    type($position)
  }];
}

def GsaTile_LoadSharedOp : GsaTile_Op<"load_shared",
    "load_shared({base}, {row}, {column})",
    [TypesMatchWith<"result is an element", "base", "result",
        "::llvm::cast<SmemType>($_self).getElementType()">]> {
  let summary = "Reads one element of shared memory, the same in all lanes";
  let arguments = (ins TileSmemIn:$base, Index:$row, Index:$column);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$base `[` $row `,` $column `]` attr-dict `:` type($base)";
}

def GsaTile_StoreSharedOp : GsaTile_Op<"store_shared",
    "store_shared({base}, {row}, {column}, {value})",
    [TypesMatchWith<"value is an element", "base", "value",
        "::llvm::cast<SmemType>($_self).getElementType()">]> {
  let summary = "Writes one element of shared memory by one lane of the warp";
  let arguments = (ins TileSmemOut:$base, Index:$row, Index:$column,
                       AnyType:$value);
  let assemblyFormat = [{
    $value `,` $base `[` $row `,` $column `]` attr-dict `:` type($base)
  }];
}

//===----------------------------------------------------------------------===//
// Global to shared memory, by a team
//===----------------------------------------------------------------------===//

/// cp.async, which moves 4 bytes or more; less is stored.
defvar GsaTile_CopyByLanes = [
    GsaTile_TeamOpInterface,
    DeclareOpInterfaceMethods<GsaTile_FillOpInterface, ["getEngine"]>,
    DeclareOpInterfaceMethods<GsaTile_AsyncOpInterface>];

def GsaTile_CopyRowsOp : GsaTile_Op<"copy_rows",
    "copy_rows<{team}, {vector_bytes}>({target}, {view}, {first}, {columns})",
    GsaTile_CopyByLanes> {
  let summary = "Starts the copy of rows into shared memory";
  let description = [{
    `target[r, c] = view[first + r, c]` for c < `columns`; rows that do not exist
    and the rest of the tile become 0, and nothing is read for them. `first` is
    a position, or the rows that `find_rows` found. Asynchronous (cp.async) for
    `vector_bytes` 16, 8 or 4, ordinary loads and stores for 2; the addresses of
    rows must be multiples of it.
    Constraint: (C1) found rows are those of tiles of this shape and team.
  }];
  let arguments = (ins TileSmemOut:$target, TileViewIn:$view,
                       AnyTypeOf<[Index, GsaTile_FoundRowsType]>:$first,
                       Index:$columns, I64Attr:$vector_bytes,
                       GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $view `[` $first `]` `columns` $columns `to` $target `by` $team `vector`
    $vector_bytes attr-dict `:` type($view) `,` type($first) `to` type($target)
  }];
  let hasVerifier = 1;
}

def GsaTile_PrefetchRowsOp : GsaTile_Op<"prefetch_rows",
    "prefetch_rows<{team}, {rows}>({view}, {first}, {columns})",
    [GsaTile_TeamOpInterface, MemoryEffects<[MemWrite<GsaTile_Global>]>]> {
  let summary = "Asks for rows to be in the second-level cache";
  let description = [{
    Columns [0, `columns`) of rows `first` to `first + rows - 1` of the view, of
    those that exist. A hint that changes no value, for what is read late and comes
    from far: the effect keeps it where it is. PTX: `prefetch.global.L2`.
    Constraint: (C1) `rows` is positive.
  }];
  let arguments = (ins GsaTile_RowsType:$view, Index:$first, Index:$columns,
                       ConfinedAttr<I64Attr, [IntPositive]>:$rows,
                       GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $view `[` $first `]` `columns` $columns `rows` $rows `by` $team attr-dict `:`
    type($view)
  }];
}

def GsaTile_BulkRowsOp : GsaTile_Op<"bulk_rows",
    "bulk_rows<{team}>({target}, {view}, {first}, {columns}, {ring}, {iteration})",
    [GsaTile_TeamOpInterface, AttrSizedOperandSegments,
     DeclareOpInterfaceMethods<GsaTile_FillOpInterface,
                               ["getEngine", "setArrival", "getArrival"]>,
     DeclareOpInterfaceMethods<GsaTile_AsyncOpInterface>]> {
  let summary = "Starts the copy of rows by the bulk copy engine (sm_90)";
  let description = [{
    As copy_rows, one instruction a row. The full barrier of the ring's slot
    counts the bytes; gsa-tile-pipeline adds the ring. Rows are multiples of 16
    bytes, as are their addresses and the bytes of `columns`.
    PTX: `mbarrier.expect_tx`, `cp.async.bulk.shared::cluster.global`.
    Constraints: (C1) the target is linear, of rows of 16 bytes; (C2) a ring
    comes with an iteration.
  }];
  let arguments = (ins TileSmemOut:$target, TileViewIn:$view, Index:$first,
                       Index:$columns,
                       Arg<Optional<GsaTile_RingType>, "",
                           [MemRead<GsaTile_Barrier>,
                            MemWrite<GsaTile_Barrier>]>:$ring,
                       Optional<Index>:$iteration, GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $view `[` $first `]` `columns` $columns `to` $target `by` $team
    (`arrives` $ring^ `[` $iteration `]` `of` type($ring))?
    attr-dict `:` type($view) `to` type($target)
  }];
  let hasVerifier = 1;
}

def GsaTile_FindRowsOp : GsaTile_Op<"find_rows",
    "find_rows<{team}, {rows}, {units}>({view}, {first})",
    [GsaTile_TeamOpInterface,
     MemoryEffects<[MemRead<GsaTile_Shared>, MemRead<GsaTile_Global>]>]> {
  let summary = "Looks up the rows of tiles of one shape, for several copies";
  let description = [{
    The numbers of rows `first` to `first` + `rows` - 1 of a view, for copies of
    tiles of `rows` rows of `units` vectors by the same team. The view of a copy
    may be another one, over the same list or pages.
  }];
  let arguments = (ins GsaTile_RowsType:$view, Index:$first, I64Attr:$rows,
                       I64Attr:$units, GsaTile_TeamAttr:$team);
  let results = (outs GsaTile_FoundRowsType:$result);
  let assemblyFormat = [{
    $view `[` $first `]` `for` $rows `x` $units `by` $team attr-dict `:`
    type($view) `to` type($result)
  }];
  let hasVerifier = 1;
}

def GsaTile_FoundAllocOp : GsaTile_Op<"found_alloc",
    "found_alloc<{result:type}>()", [MemoryEffects<[MemAlloc<GsaTile_Registers>]>]> {
  let summary = "Room for found rows that are looked up ahead, contents undefined";
  let results = (outs GsaTile_FoundRowsType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

/// Rows that a loop looks up for its next tile: storage of a team.
class GsaTile_FoundOp<string mnemonic, string call, list<Trait> traits>
    : GsaTile_Op<mnemonic, call, !listconcat([GsaTile_TeamOpInterface], traits)> {
  dag storage = (ins GsaTile_Write<GsaTile_FoundRowsType, GsaTile_Registers>:$target);
  let hasVerifier = 1;
  let extraOpDefinition = [{
    ::llvm::LogicalResult $cppClass::verify() {
      if (getTarget().getType().getTeam() == getTeam())
        return ::mlir::success();
      return emitOpError() << "expected rows found by " << getTeam()
                           << ", got " << getTarget().getType();
    }
  }];
}

def GsaTile_LookUpOp : GsaTile_FoundOp<"look_up",
    "look_up({target}, {view}, {first})",
    [MemoryEffects<[MemRead<GsaTile_Shared>, MemRead<GsaTile_Global>]>]> {
  let summary = "As find_rows, into storage";
  let description = [{
    The numbers are under way until a copy uses them: of the next tile, they
    arrive while this one is copied. Constraint: (C1) the rows are the team's.
  }];
  let arguments = !con(storage, (ins GsaTile_RowsType:$view, Index:$first,
                                     GsaTile_TeamAttr:$team));
  let assemblyFormat = [{
    $view `[` $first `]` `to` $target `by` $team attr-dict `:` type($view) `to`
    type($target)
  }];
}

def GsaTile_KeepFoundOp : GsaTile_FoundOp<"keep_found",
    "keep_found({target}, {source})", [AllTypesMatch<["target", "source"]>]> {
  let summary = "`target = source`";
  let description = "Constraint: (C1) as look_up.";
  let arguments = !con(storage,
      (ins GsaTile_Read<GsaTile_FoundRowsType, GsaTile_Registers>:$source,
           GsaTile_TeamAttr:$team));
  let assemblyFormat = [{
    $source `to` $target `by` $team attr-dict `:` type($target)
  }];
}

//===----------------------------------------------------------------------===//
// Shared to global memory, by a team
//===----------------------------------------------------------------------===//

def GsaTile_ReduceRowsOp : GsaTile_Op<"reduce_rows",
    "reduce_rows<{team}>({view}, {first}, {source}, {columns})",
    [GsaTile_TeamOpInterface,
     DeclareOpInterfaceMethods<GsaTile_AsyncOpInterface>]> {
  let summary = "Adds rows of a tile to rows in global memory (sm_90)";
  let description = [{
    `view[first + r, c] += source[r, c]` for rows that exist and c < `columns`,
    in f32 and in no order: sums of several blocks differ in rounding from run
    to run. The bulk copy engine reads the tile until `reduce_wait`, through the
    asynchronous proxy: `fence_async` comes between the stores to it and this.
    PTX: `cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32`.
    Constraints: (C1) the view accumulates; (C2) the source is linear, of f32 and
    rows of 16 bytes.
  }];
  let arguments = (ins GsaTile_Update<GsaTile_RowsType, GsaTile_Global>:$view,
                       Index:$first, TileSmemIn:$source, Index:$columns,
                       GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $source `columns` $columns `to` $view `[` $first `]` `by` $team attr-dict `:`
    type($source) `to` type($view)
  }];
  let hasVerifier = 1;
}

def GsaTile_ReduceWaitOp : GsaTile_Op<"reduce_wait",
    "reduce_wait<{team}, {barrier}>()",
    [GsaTile_TeamOpInterface, GsaTile_BarrierOpInterface,
     DeclareOpInterfaceMethods<GsaTile_AsyncWaitOpInterface>,
     MemoryEffects<[MemRead<GsaTile_Barrier>, MemWrite<GsaTile_Barrier>,
                    MemRead<GsaTile_Shared>, MemWrite<GsaTile_Shared>]>]> {
  let summary = "Tiles that the team gave to reduce_rows may be overwritten";
  let description = [{
    PTX: `cp.async.bulk.wait_group.read`, then a barrier of the team.
  }];
  let arguments = (ins GsaTile_TeamAttr:$team,
                       DefaultValuedAttr<I64Attr, "0">:$barrier);
  let assemblyFormat = "$team (`barrier` $barrier^)? attr-dict";
}

def GsaTile_ReduceTileOp : GsaTile_Op<"reduce_tile",
    "reduce_tile({view}, {first}, {source}, {row}, {columns})",
    [DeclareOpInterfaceMethods<GsaTile_AsyncOpInterface>]> {
  let summary = "Adds 16 rows of a tile to rows in global memory (sm_90)";
  let description = [{
    `view[first + r, c] += source[row + r, c]` for r < 16, rows that exist and
    c < `columns`: as reduce_rows, by one warp, of rows that it put there itself.
    They are read until its `reduce_tile_wait`; other warps are not waited for.
    Constraints: (C1), (C2) as reduce_rows.
  }];
  let arguments = (ins GsaTile_Update<GsaTile_RowsType, GsaTile_Global>:$view,
                       Index:$first, TileSmemIn:$source, Index:$row,
                       Index:$columns);
  let assemblyFormat = [{
    $source `[` $row `]` `columns` $columns `to` $view `[` $first `]` attr-dict
    `:` type($source) `to` type($view)
  }];
  let hasVerifier = 1;
}

def GsaTile_ReduceTileWaitOp : GsaTile_Op<"reduce_tile_wait",
    "reduce_tile_wait()",
    [DeclareOpInterfaceMethods<GsaTile_AsyncWaitOpInterface>,
     MemoryEffects<[MemRead<GsaTile_Shared>, MemWrite<GsaTile_Shared>]>]> {
  let summary = "Rows that the warp gave to reduce_tile may be overwritten by it";
  let description = "PTX: `cp.async.bulk.wait_group.read`.";
  let assemblyFormat = "attr-dict";
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

def GsaTile_LoadLhsOp : GsaTile_Op<"load_lhs", "load_lhs({target}, {source}, {row})"> {
  let summary = "Left operand of mma from 16 rows of a tile";
  let description = "PTX: ldmatrix for 16-bit elements.";
  let arguments = (ins TileFragOut:$target, TileSmemIn:$source, Index:$row);
  let assemblyFormat = [{
    $source `[` $row `]` `to` $target attr-dict `:` type($source) `to`
    type($target)
  }];
}

def GsaTile_LoadLhsTransposedOp : GsaTile_Op<"load_lhs_transposed",
    "load_lhs_transposed({target}, {source}, {row}, {column})"> {
  let summary = "Left operand of mma from 16 columns of a tile";
  let description = [{
    `target[m, k] = source[row + k, column + m]`. A result that was put there as
    it is can so be the left operand of a product over its rows. PTX:
    ldmatrix.trans for 16-bit elements, whose rows and columns begin at multiples
    of 8 columns.
    Constraints: (C1) the target is `lhs` of the element type of the source;
    (C2) the source has as many rows as the target has columns, and 16 columns,
    or more.
  }];
  let arguments = (ins TileFragOut:$target, TileSmemIn:$source, Index:$row,
                       Index:$column);
  let assemblyFormat = [{
    $source `[` $row `,` $column `]` `to` $target attr-dict `:` type($source)
    `to` type($target)
  }];
  let hasVerifier = 1;
}

def GsaTile_StoreRowsOp : GsaTile_Op<"store_rows",
    "store_rows({view}, {first}, {source}, {columns})"> {
  let summary = "Rounds a fragment and writes it to global memory";
  let description = [{
    `view[first + r, c] = T(source[r, c])` for rows that exist, c < `columns`.
    Constraint: (C1) the view writes.
  }];
  let arguments = (ins TileViewOut:$view, Index:$first, TileFragIn:$source,
                       Index:$columns);
  let assemblyFormat = [{
    $source `columns` $columns `to` $view `[` $first `]` attr-dict `:`
    type($source) `to` type($view)
  }];
  let hasVerifier = 1;
}

def GsaTile_AccumulateRowsOp : GsaTile_Op<"accumulate_rows",
    "accumulate_rows({view}, {first}, {source}, {columns})"> {
  let summary = "Adds a fragment to rows in global memory";
  let description = [{
    `view[first + r, c] += source[r, c]` for rows that exist, c < `columns`; a row
    that several positions name is added to by each. In f32 and in no order: sums
    differ in rounding from run to run. On any architecture and from registers,
    where reduce_rows takes whole rows of a tile. What was added is there when the
    kernel has ended.
    PTX: `red.relaxed.gpu.global.add.f32`, of two neighbours at once (sm_90) where
    rows lie on multiples of two elements.
    Constraints: (C1) the view accumulates; (C2) the source is f32 of layout `acc`.
  }];
  let arguments = (ins GsaTile_Update<GsaTile_RowsType, GsaTile_Global>:$view,
                       Index:$first, TileFragIn:$source, Index:$columns);
  let assemblyFormat = [{
    $source `columns` $columns `to` $view `[` $first `]` attr-dict `:`
    type($source) `to` type($view)
  }];
  let hasVerifier = 1;
}

def GsaTile_StoreTileOp : GsaTile_Op<"store_tile",
    "store_tile<{vector_bytes}>({view}, {first}, {source}, {row}, {rows}, "
    "{columns})"> {
  let summary = "Rounds 16 rows of a shared tile and writes them to global memory";
  let description = [{
    `view[first + r, c] = T(source[row + r, c])` for r < 16, r < `rows`, rows
    that exist, c < `columns`: as store_rows, in whole vectors and in a loop,
    for rows that the warp put there itself. Rows from `rows` on cost nothing.
    Constraints: (C1) the view writes; (C2) a row of the tile is whole vectors
    of 2, 4, 8 or 16 bytes of the view's element type.
  }];
  let arguments = (ins TileViewOut:$view, Index:$first, TileSmemIn:$source,
                       Index:$row, Index:$rows, Index:$columns,
                       I64Attr:$vector_bytes);
  let assemblyFormat = [{
    $source `[` $row `]` `rows` $rows `columns` $columns `to` $view `[` $first `]` `vector`
    $vector_bytes attr-dict `:` type($source) `to` type($view)
  }];
  let hasVerifier = 1;
}

def GsaTile_LoadRowVecOp : GsaTile_Op<"load_rowvec",
    "load_rowvec({target}, {view}, {first})"> {
  let summary = "`target[r] = view[first + r, 0]`, 0 where no row exists";
  let arguments = (ins TileRowsOut:$target, TileViewIn:$view, Index:$first);
  let assemblyFormat = [{
    $view `[` $first `]` `to` $target attr-dict `:` type($view) `to`
    type($target)
  }];
}

def GsaTile_StoreRowVecOp : GsaTile_Op<"store_rowvec",
    "store_rowvec({view}, {first}, {source})"> {
  let summary = "`view[first + r, 0] = source[r]` for rows that exist";
  let description = "Constraint: (C1) the view writes.";
  let arguments = (ins TileViewOut:$view, Index:$first, TileRowsIn:$source);
  let assemblyFormat = [{
    $source `to` $view `[` $first `]` attr-dict `:` type($source) `to`
    type($view)
  }];
  let hasVerifier = 1;
}

def GsaTile_PutFragOp : GsaTile_Op<"put_frag",
    "put_frag<{rows}>({target}, {row}, {source})"> {
  let summary = "Fragment to rows `row`, row + 1, ... of a shared tile";
  let description = [{
    Its first `rows` rows, where no others exist. Constraint: (C1) `rows` is 8
    or 16.
  }];
  let arguments = (ins TileSmemOut:$target, Index:$row, TileFragIn:$source,
                       DefaultValuedAttr<I64Attr, "16">:$rows);
  let assemblyFormat = [{
    $source `to` $target `[` $row `]` attr-dict `:` type($source) `to`
    type($target)
  }];
  let hasVerifier = 1;
}

def GsaTile_TakeFragOp : GsaTile_Op<"take_frag",
    "take_frag<{rows}>({target}, {source}, {row})"> {
  let summary = "Fragment from rows `row`, row + 1, ... of a shared tile";
  let description = [{
    Its first `rows` rows, where no others exist: those become 0. Constraint:
    (C1) `rows` is 8 or 16.
  }];
  let arguments = (ins TileFragOut:$target, TileSmemIn:$source, Index:$row,
                       DefaultValuedAttr<I64Attr, "16">:$rows);
  let assemblyFormat = [{
    $source `[` $row `]` `to` $target attr-dict `:` type($source) `to`
    type($target)
  }];
  let hasVerifier = 1;
}

def GsaTile_PutRowVecOp : GsaTile_Op<"put_rowvec", "put_rowvec({target}, {row}, {source})"> {
  let summary = "Row vector to columns 0, 1, ... of row `row` of a shared tile";
  let arguments = (ins TileSmemOut:$target, Index:$row, TileRowsIn:$source);
  let assemblyFormat = [{
    $source `to` $target `[` $row `]` attr-dict `:` type($source) `to`
    type($target)
  }];
}

def GsaTile_TakeRowVecOp : GsaTile_Op<"take_rowvec", "take_rowvec({target}, {source}, {row})"> {
  let summary = "Row vector from row `row` of a shared tile";
  let arguments = (ins TileRowsOut:$target, TileSmemIn:$source, Index:$row);
  let assemblyFormat = [{
    $source `[` $row `]` `to` $target attr-dict `:` type($source) `to`
    type($target)
  }];
}

#endif  // GSA_TILE_COPY_OPS_TD
