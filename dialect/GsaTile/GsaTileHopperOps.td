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
    [MemoryEffects<[MemRead<GsaTile_Shared>, MemWrite<GsaTile_Shared>]>]> {
  let summary = "Makes shared memory written by this warp visible to wgmma";
  let description = [{
    PTX: `fence.proxy.async.shared::cta`. Data that ordinary stores or cp.async
    wrote needs it between the wait for the data and the product.
  }];
  let assemblyFormat = "attr-dict";
}

def GsaTile_WgmmaFenceOp : GsaTile_Op<"wgmma_fence", "wgmma_fence({frag})"> {
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
    [MemoryEffects<[MemRead<GsaTile_Registers>,
                    MemWrite<GsaTile_Registers>]>]> {
  let summary = "Ends a group of products";
  let description = "PTX: `wgmma.commit_group.sync.aligned`.";
  let assemblyFormat = "attr-dict";
}

def GsaTile_WgmmaWaitOp : GsaTile_Op<"wgmma_wait", "wgmma_wait<{pending}>()",
    [MemoryEffects<[MemRead<GsaTile_Registers>, MemWrite<GsaTile_Registers>,
                    MemRead<GsaTile_Shared>]>]> {
  let summary = "Waits until at most `pending` groups are in flight";
  let description = "PTX: `wgmma.wait_group.sync.aligned`.";
  let arguments = (ins ConfinedAttr<I64Attr, [IntMinValue<0>, IntMaxValue<7>]>:$pending);
  let assemblyFormat = "$pending attr-dict";
}

def GsaTile_WgmmaNtOp : GsaTile_Op<"wgmma_nt",
    "wgmma_nt({acc}, {lhs}, {lhs_row}, {rhs}, {rhs_row})"> {
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
    "wgmma_nn({acc}, {lhs}, {rhs}, {row})"> {
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

def GsaTile_RingExpectOp : GsaTile_Op<"ring_expect",
    "ring_expect<{bytes}>({ring}, {iteration})"> {
  let summary = "Producer: the slot is full once `bytes` have landed";
  let description = [{
    Takes the place of ring_commit where the copy engine fills the slot. Comes
    between ring_acquire and the loads. PTX: `mbarrier.arrive.expect_tx`.
  }];
  let arguments = (ins TileRing:$ring, Index:$iteration, I64Attr:$bytes);
  let assemblyFormat = [{
    $ring `[` $iteration `]` `bytes` $bytes attr-dict `:` type($ring)
  }];
}

def GsaTile_TmaLoadOp : GsaTile_Op<"tma_load",
    "tma_load({target}, {map}, {column}, {row}, {ring}, {iteration})"> {
  let summary = "Starts the copy of a box of a matrix into shared memory";
  let description = [{
    The copy engine fills `target` with the box of the map at (`row`,
    `column`), zeros outside the matrix, and reports the bytes to the full
    barrier of the ring's slot. One lane issues.
    PTX: `cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier`.
    Constraint: (C1) the target has the map's box, element type and layout.
  }];
  let arguments = (ins TileSmemOut:$target,
                       GsaTile_Read<GsaTile_TensorMapType, GsaTile_Global>:$map,
                       Index:$row, Index:$column, TileRing:$ring,
                       Index:$iteration);
  let assemblyFormat = [{
    $map `[` $row `,` $column `]` `to` $target `arrives` $ring `[` $iteration
    `]` attr-dict `:` type($map) `to` type($target) `,` type($ring)
  }];
  let hasVerifier = 1;
}

#endif  // GSA_TILE_HOPPER_OPS_TD
