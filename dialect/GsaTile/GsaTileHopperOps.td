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

def GsaTile_WgmmaFenceOp : GsaTile_Op<"wgmma_fence", "wgmma_fence({frag})",
    [DeclareOpInterfaceMethods<GsaTile_FenceOpInterface>]> {
  let summary = "Orders a fragment's registers before the next products";
  let description = [{
    For an accumulator, or a left operand in registers, that ordinary
    instructions wrote. PTX: `wgmma.fence.sync.aligned`.
    Constraint: (C1) frag is f32 of layout `acc`, or 16-bit of layout `lhs`.
  }];
  let arguments = (ins TileFragInOut:$frag);
  let assemblyFormat = "$frag attr-dict `:` type($frag)";
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

def GsaTile_WgmmaWaitOp : GsaTile_Op<"wgmma_wait", "wgmma_wait<{pending}>()",
    [DeclareOpInterfaceMethods<GsaTile_AsyncWaitOpInterface, ["getAsyncKind"]>,
     MemoryEffects<[MemRead<GsaTile_Registers>, MemWrite<GsaTile_Registers>,
                    MemRead<GsaTile_Shared>]>]> {
  let summary = "Waits until at most `pending` groups are in flight";
  let description = "PTX: `wgmma.wait_group.sync.aligned`.";
  let arguments = (ins ConfinedAttr<I64Attr, [IntMinValue<0>, IntMaxValue<7>]>:$pending);
  let assemblyFormat = "$pending attr-dict";
}

/// Reads its operands and adds to its accumulator until it is waited for.
defvar GsaTile_GroupProduct = [
    DeclareOpInterfaceMethods<GsaTile_AsyncOpInterface>,
    DeclareOpInterfaceMethods<GsaTile_ProductOpInterface, ["getUnit"]>];

def GsaTile_WgmmaNtOp : GsaTile_Op<"wgmma_nt",
    "wgmma_nt({acc}, {lhs}, {lhs_row}, {rhs}, {rhs_row})",
    GsaTile_GroupProduct> {
  let summary = "`acc[m, n] += sum_k lhs[row + m, k] * rhs[row + n, k]`, m < 64";
  let description = [{
    Both operands in shared memory, layout `swizzle_128b`, 16-bit elements. Each
    warp of the warpgroup holds its 16 of the 64 rows in `acc`, which has the
    layout `acc` of mma.sync; `lhs_row` is the warpgroup's first row.
    Asynchronous: `wgmma_fence` of `acc` before the first product of a group,
    `wgmma_commit` and `wgmma_wait` before `acc` is read.
    PTX: `wgmma.mma_async.sync.aligned.m64n64k16`.

    Constraints: (C1) acc is f32 of layout `acc` with a multiple of 64 columns;
    (C2) lhs and rhs are `swizzle_128b` of one element type and width.
  }];
  let arguments = (ins TileFragInOut:$acc, TileSmemIn:$lhs, Index:$lhs_row,
                       TileSmemIn:$rhs, Index:$rhs_row);
  let assemblyFormat = [{
    $acc `,` $lhs `[` $lhs_row `]` `,` $rhs `[` $rhs_row `]` attr-dict `:`
    type($acc) `,` type($lhs) `,` type($rhs)
  }];
  let hasVerifier = 1;
}

def GsaTile_WgmmaNnOp : GsaTile_Op<"wgmma_nn",
    "wgmma_nn({acc}, {lhs}, {rhs}, {row})", GsaTile_GroupProduct> {
  let summary = "`acc[m, n] += sum_k lhs[m, k] * rhs[row + k, n]`, m < 64";
  let description = [{
    Left operand in registers (16 of the 64 rows in each warp), right operand in
    shared memory, layout `swizzle_128b`. Otherwise as wgmma_nt.
    Constraints: (C1) as wgmma_nt; (C2) rhs is `swizzle_128b`, lhs of its
    element type; (C3) acc has as many columns as rhs.
  }];
  let arguments = (ins TileFragInOut:$acc, TileFragIn:$lhs, TileSmemIn:$rhs,
                       Index:$row);
  let assemblyFormat = [{
    $acc `,` $lhs `,` $rhs `[` $row `]` attr-dict `:` type($acc) `,`
    type($lhs) `,` type($rhs)
  }];
  let hasVerifier = 1;
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
    `column`), zeros outside the matrix. The full barrier of the ring's slot
    counts its bytes: it expects them before the commit that follows. One lane
    of the team issues. In the load region of a stream there is no ring yet;
    gsa-tile-pipeline adds it.
    PTX: `mbarrier.expect_tx`, `cp.async.bulk.tensor.2d.shared::cluster.global
    .tile.mbarrier`.
    Constraints: (C1) the target has the map's box, element type and layout;
    (C2) a ring comes with an iteration.
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
