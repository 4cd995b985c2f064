//===- GsaTileHopperOps.td - wgmma and the bulk copy engine ----*- tablegen -*-===//
//
// What sm_90a adds. A warpgroup is four warps, the first of which has a number
// divisible by 4 within the block; its ops must be run by all four.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TILE_HOPPER_OPS_TD
#define GSA_TILE_HOPPER_OPS_TD

include "dialect/GsaTile/GsaTileTypes.td"

//===----------------------------------------------------------------------===//
// Products of a warpgroup
//===----------------------------------------------------------------------===//

def GsaTile_FenceAsyncOp : GsaTile_Op<"fence_async", "fence_async()",
    [DeclareOpInterfaceMethods<GsaTile_FenceOpInterface>,
     MemoryEffects<[MemRead<GsaTile_Shared>, MemWrite<GsaTile_Shared>]>]> {
  let summary = "Makes shared memory written by this warp visible to wgmma";
  let description = [{
    PTX: `fence.proxy.async.shared::cta`. Data that ordinary stores or cp.async
    wrote needs it between the wait for the data and the product.
  }];
  let assemblyFormat = "attr-dict";
}

defvar TileFragsInOut = Arg<Variadic<GsaTile_FragType>, "",
    [MemRead<GsaTile_Registers>, MemWrite<GsaTile_Registers>]>;

def GsaTile_WgmmaFenceOp : GsaTile_Op<"wgmma_fence",
    "wgmma_fence({frags...})",
    [DeclareOpInterfaceMethods<GsaTile_FenceOpInterface>,
     MemoryEffects<[MemRead<GsaTile_Registers>,
                    MemWrite<GsaTile_Registers>]>]> {
  let summary = "Orders earlier accesses to registers before the next products";
  let description = [{
    Comes after the last access of ordinary instructions to the fragments of a
    product, and so after each `wgmma_wait`; not needed between products. It
    names the fragments, accumulators and left operands, that were written: the
    compiler keeps those writes above it. PTX: `wgmma.fence.sync.aligned`.
    Constraint: (C1) a fragment is f32 of layout `acc`, or 16-bit of layout
    `lhs`.
  }];
  let arguments = (ins TileFragsInOut:$frags);
  let assemblyFormat = "($frags^ `:` type($frags))? attr-dict";
  let hasVerifier = 1;
}

def GsaTile_WgmmaCommitOp : GsaTile_Op<"wgmma_commit", "wgmma_commit()",
    [DeclareOpInterfaceMethods<GsaTile_AsyncCommitOpInterface>,
     MemoryEffects<[MemRead<GsaTile_Registers>,
                    MemWrite<GsaTile_Registers>]>]> {
  let summary = "Ends a group of products";
  let description = "PTX: `wgmma.commit_group.sync.aligned`.";
  let assemblyFormat = "attr-dict";
}

def GsaTile_WgmmaWaitOp : GsaTile_Op<"wgmma_wait",
    "wgmma_wait<{pending}>({frags...})",
    [DeclareOpInterfaceMethods<GsaTile_AsyncWaitOpInterface, ["getAsyncKind"]>,
     MemoryEffects<[MemRead<GsaTile_Registers>, MemWrite<GsaTile_Registers>,
                    MemRead<GsaTile_Shared>]>]> {
  let summary = "Waits until at most `pending` groups are in flight";
  let description = [{
    It may name fragments whose products are complete then: the compiler keeps
    accesses to them below it, also while others are in flight.
    PTX: `wgmma.wait_group.sync.aligned`.
    Constraint: (C1) as wgmma_fence.
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntMinValue<0>, IntMaxValue<7>]>:$pending,
                       TileFragsInOut:$frags);
  let assemblyFormat = "$pending (`,` $frags^ `:` type($frags))? attr-dict";
  let builders = [OpBuilder<(ins "int64_t":$pending), [{
    build($_builder, $_state, $_builder.getI64IntegerAttr(pending),
          ::mlir::ValueRange());
  }]>];
  let hasVerifier = 1;
}

/// A product of a warpgroup. Its call leaves out `lhs_row` where the op has
/// none, and trailing arguments of the template that have their defaults.
class GsaTile_WgmmaOp<string mnemonic> : GsaTile_Op<mnemonic,
    mnemonic # "<{accumulate}, {transposed_lhs}>"
             # "({acc}, {lhs}, {lhs_row}, {rhs}, {rhs_row})",
    [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
     DeclareOpInterfaceMethods<GsaTile_AsyncOpInterface>,
     DeclareOpInterfaceMethods<GsaTile_ProductOpInterface, ["getUnit"]>],
    /*emitsItself=*/1> {
  let arguments = (ins
    GsaTile_FragType:$acc,
    AnyTypeOf<[GsaTile_FragType, GsaTile_SmemType],
              "fragment or tile in shared memory">:$lhs,
    Optional<Index>:$lhs_row, GsaTile_SmemType:$rhs, Index:$rhs_row,
    DefaultValuedAttr<BoolAttr, "true">:$accumulate,
    DefaultValuedAttr<BoolAttr, "false">:$transposed_lhs);
  let assemblyFormat = [{
    $acc `,` $lhs (`[` $lhs_row^ `]`)? `,` $rhs `[` $rhs_row `]` attr-dict `:`
    type($acc) `,` type($lhs) `,` type($rhs)
  }];
  let hasVerifier = 1;
}

def GsaTile_WgmmaNtOp : GsaTile_WgmmaOp<"wgmma_nt"> {
  let summary = "`acc[m, n] += sum_k lhs[m, k] * rhs[rhs_row + n, k]`, m < 64";
  let description = [{
    Each warp of the warpgroup holds its 16 of the 64 rows in `acc`, which has
    the layout `acc` of mma.sync. The left operand is one of

    | lhs | `lhs[m, k]` is |
    |---|---|
    | fragment, layout `lhs` | the warp's 16 rows, in its registers |
    | tile | `lhs[lhs_row + m, k]`, all columns of the tile |
    | tile, `transposed_lhs` | `lhs[k, lhs_row + m]`, all rows of the tile |

    A tile is read as it lies: layout `swizzle_128b`, or `swizzle` with rows of
    128, 64 or 32 bytes, from an address that is a multiple of 8 such rows. Rows
    start at multiples of 8, `lhs_row` of a transposed tile at multiples of 64.

    With `accumulate = false` it is `acc[m, n] =`: what `acc` held is not read.

    Asynchronous: `wgmma_fence` before the first product after a wait,
    `wgmma_commit` and `wgmma_wait` before `acc` is read, or a left operand in
    registers or a tile is written. Products of one `acc` need no wait between
    them. PTX: `wgmma.mma_async.sync.aligned.m64nNk16`, one for 16 k, k upwards.

    Constraints: (C1) acc is f32 of layout `acc` with at most 256 columns; (C2)
    rhs is one tile of f16 or bf16 as above with a multiple of 8 rows; (C3) lhs
    is of rhs's element type, a fragment of layout `lhs` without `lhs_row`, or a
    tile like rhs with it; (C4) a transposed lhs is a tile of panels of 128
    bytes with a multiple of 16 rows; (C5) a tile lhs has 64 rows (columns, if
    transposed) or more; (C6) rhs has as many columns as there are k, and as
    many rows as acc has columns, or more.
  }];
}

def GsaTile_WgmmaNnOp : GsaTile_WgmmaOp<"wgmma_nn"> {
  let summary = "`acc[m, n] += sum_k lhs[m, k] * rhs[rhs_row + k, n]`, m < 64";
  let description = [{
    As wgmma_nt, but a row of rhs is one k: the hardware transposes it.
    Constraints: (C1) to (C5) as wgmma_nt; (C6) rhs has as many rows as there
    are k, or more, and as many columns as acc, or more.
  }];
}

//===----------------------------------------------------------------------===//
// Tensor maps
//===----------------------------------------------------------------------===//

def GsaTile_TmaLoadOp : GsaTile_Op<"tma_load",
    "tma_load<{team}>({target}, {map}, {column}, {row}, {ring}, {iteration})",
    [GsaTile_TeamOpInterface, AttrSizedOperandSegments,
     DeclareOpInterfaceMethods<GsaTile_FillOpInterface,
                               ["getEngine", "setArrival", "getArrival"]>,
     DeclareOpInterfaceMethods<GsaTile_AsyncOpInterface>]> {
  let summary = "Starts the copy of a box of a matrix into shared memory";
  let description = [{
    The copy engine fills `target` with the box of the map at (`row`,
    `column`), zeros outside the matrix; a tile of several panels with boxes
    that lie side by side, by one instruction each. The full barrier of the ring's slot
    counts its bytes: it expects them before the commit that follows. One lane
    of the team issues. In the load region of a stream there is no ring yet;
    gsa-tile-pipeline adds it.
    PTX: `mbarrier.expect_tx`, `cp.async.bulk.tensor.2d.shared::cluster.global
    .tile.mbarrier`.
    Constraints: (C1) the target has the map's rows, element type and layout,
    and its columns or, of layout `swizzle_128b`, a multiple of them; (C2) a ring comes with an iteration.
  }];
  let arguments = (ins TileSmemOut:$target,
                       GsaTile_Read<GsaTile_TensorMapType, GsaTile_Global>:$map,
                       Index:$row, Index:$column,
                       Arg<Optional<GsaTile_RingType>, "",
                           [MemRead<GsaTile_Barrier>,
                            MemWrite<GsaTile_Barrier>]>:$ring,
                       Optional<Index>:$iteration, GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $map `[` $row `,` $column `]` `to` $target `by` $team
    (`arrives` $ring^ `[` $iteration `]` `of` type($ring))?
    attr-dict `:` type($map) `to` type($target)
  }];
  let hasVerifier = 1;
}

#endif  // GSA_TILE_HOPPER_OPS_TD
