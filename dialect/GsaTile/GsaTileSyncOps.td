//===- GsaTileSyncOps.td - barriers and rings ------------------*- tablegen -*-===//

#ifndef GSA_TILE_SYNC_OPS_TD
#define GSA_TILE_SYNC_OPS_TD

include "dialect/GsaTile/GsaTileTypes.td"

def GsaTile_SyncOp : GsaTile_Op<"sync", "sync<{team}, {barrier}>()",
    [MemoryEffects<[MemRead<GsaTile_Barrier>, MemWrite<GsaTile_Barrier>,
                    MemRead<GsaTile_Shared>, MemWrite<GsaTile_Shared>]>]> {
  let summary = "Barrier of the warps of a team";
  let description = [{
    Orders accesses to shared and global memory among the warps of the team.
    `barrier` is the hardware barrier, 0 to 15; 0 is that of the whole block.
    PTX: `barrier.sync`.
  }];
  let arguments = (ins GsaTile_TeamAttr:$team,
                       DefaultValuedAttr<I64Attr, "0">:$barrier);
  let assemblyFormat = "$team (`barrier` $barrier^)? attr-dict";
}

def GsaTile_CopyWaitOp : GsaTile_Op<"copy_wait", "copy_wait<{team}, {barrier}>()",
    [MemoryEffects<[MemRead<GsaTile_Barrier>, MemWrite<GsaTile_Barrier>,
                    MemRead<GsaTile_Shared>, MemWrite<GsaTile_Shared>]>]> {
  let summary = "Waits until all copies that the team issued are visible to it";
  let description = [{
    `cp.async.wait_all` followed by a barrier of the team. Before pipelining, a
    loop body is: copies, copy_wait, uses, sync. gsa-tile-pipeline turns that
    into a ring.
  }];
  let arguments = (ins GsaTile_TeamAttr:$team,
                       DefaultValuedAttr<I64Attr, "0">:$barrier);
  let assemblyFormat = "$team (`barrier` $barrier^)? attr-dict";
}

class GsaTile_RingOp<string mnemonic, string call> : GsaTile_Op<mnemonic, call> {
  dag ringAndIteration = (ins TileRing:$ring, Index:$iteration);
}

def GsaTile_RingAcquireOp : GsaTile_RingOp<"ring_acquire",
    "ring_acquire({ring}, {iteration})"> {
  let summary = "Producer: waits until the slot of an iteration is empty";
  let arguments = ringAndIteration;
  let results = (outs Index:$slot);
  let assemblyFormat = "$ring `[` $iteration `]` attr-dict `:` type($ring)";
}

def GsaTile_RingCommitOp : GsaTile_RingOp<"ring_commit",
    "ring_commit<{asynchronous}>({ring}, {iteration})"> {
  let summary = "Producer: the slot is full once the copies of this warp landed";
  let description = [{
    With `asynchronous` the arrival happens when the preceding cp.async of each
    lane complete (cp.async.mbarrier.arrive.noinc); otherwise at once, which is
    right after ordinary stores.
  }];
  let arguments = (ins TileRing:$ring, Index:$iteration,
                       DefaultValuedAttr<BoolAttr, "true">:$asynchronous);
  let assemblyFormat = "$ring `[` $iteration `]` attr-dict `:` type($ring)";
}

def GsaTile_RingWaitOp : GsaTile_RingOp<"ring_wait",
    "ring_wait({ring}, {iteration})"> {
  let summary = "Consumer: waits until the slot of an iteration is full";
  let arguments = ringAndIteration;
  let results = (outs Index:$slot);
  let assemblyFormat = "$ring `[` $iteration `]` attr-dict `:` type($ring)";
}

def GsaTile_RingReleaseOp : GsaTile_RingOp<"ring_release",
    "ring_release({ring}, {iteration})"> {
  let summary = "Consumer: this warp has read the slot";
  let arguments = ringAndIteration;
  let assemblyFormat = "$ring `[` $iteration `]` attr-dict `:` type($ring)";
}

def GsaTile_SetMaxRegistersOp : GsaTile_Op<"set_max_registers",
    "set_max_registers<{count}, {grow}>()",
    [MemoryEffects<[MemWrite<GsaTile_Registers>]>]> {
  let summary = "Moves registers between warpgroups (setmaxnreg, sm_90a)";
  let arguments = (ins I64Attr:$count, BoolAttr:$grow);
  let assemblyFormat = "$count `grow` `=` $grow attr-dict";
}

#endif  // GSA_TILE_SYNC_OPS_TD
