//===- GsaTileSyncOps.td - barriers and rings ------------------*- tablegen -*-===//

#ifndef GSA_TILE_SYNC_OPS_TD
#define GSA_TILE_SYNC_OPS_TD

include "dialect/GsaTile/GsaTileTypes.td"

def GsaTile_SyncOp : GsaTile_Op<"sync", "sync<{team}, {barrier}>()",
    [GsaTile_TeamOpInterface, GsaTile_BarrierOpInterface,
     MemoryEffects<[MemRead<GsaTile_Barrier>, MemWrite<GsaTile_Barrier>,
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
    [GsaTile_TeamOpInterface, GsaTile_BarrierOpInterface,
     DeclareOpInterfaceMethods<GsaTile_AsyncWaitOpInterface>,
     MemoryEffects<[MemRead<GsaTile_Barrier>, MemWrite<GsaTile_Barrier>,
                    MemRead<GsaTile_Shared>, MemWrite<GsaTile_Shared>]>]> {
  let summary = "Waits until all copies that the team issued are visible to it";
  let description = [{
    `cp.async.wait_all` followed by a barrier of the team.
  }];
  let arguments = (ins GsaTile_TeamAttr:$team,
                       DefaultValuedAttr<I64Attr, "0">:$barrier);
  let assemblyFormat = "$team (`barrier` $barrier^)? attr-dict";
}

def GsaTile_ClusterSyncOp : GsaTile_Op<"cluster_sync", "cluster_sync<{blocks}>()",
    [DeclareOpInterfaceMethods<GsaTile_TeamOpInterface>,
     MemoryEffects<[MemRead<GsaTile_Barrier>, MemWrite<GsaTile_Barrier>,
                    MemRead<GsaTile_Shared>, MemWrite<GsaTile_Shared>,
                    MemRead<GsaTile_Global>, MemWrite<GsaTile_Global>]>]> {
  let summary = "Barrier of all warps of all blocks of a cluster";
  let description = [{
    Orders accesses to shared and global memory among them: what a block wrote,
    the others read behind it. Its team is all warps: each role has it. PTX:
    `barrier.cluster.arrive.release`, `barrier.cluster.wait.acquire`.
    Constraint: (C1) `blocks` is the cluster of the kernel, more than one block.
  }];
  let arguments = (ins I64Attr:$blocks);
  let assemblyFormat = "$blocks attr-dict";
  let hasVerifier = 1;
}

class GsaTile_RingOp<string mnemonic, string call, string step,
                     list<string> more = []>
    : GsaTile_Op<mnemonic, call,
                 [DeclareOpInterfaceMethods<GsaTile_RingOpInterface,
                      !listconcat(["getStep"], more)>]> {
  dag ringAndIteration = (ins TileRing:$ring, Index:$iteration);
  let extraOpDefinition = [{
    ::mlir::gsa_tile::RingStep $cppClass::getStep() {
      return ::mlir::gsa_tile::RingStep::}] # step # [{;
    }
  }];
}

def GsaTile_RingAcquireOp : GsaTile_RingOp<"ring_acquire",
    "ring_acquire({ring}, {iteration})", "Acquire"> {
  let summary = "Producer: waits until the slot of an iteration is empty";
  let arguments = ringAndIteration;
  let results = (outs Index:$slot);
  let assemblyFormat = "$ring `[` $iteration `]` attr-dict `:` type($ring)";
}

def GsaTile_RingCommitOp : GsaTile_RingOp<"ring_commit",
    "ring_commit<{asynchronous}>({ring}, {iteration})", "Commit",
    ["getAsyncKind"]> {
  let summary = "Producer: the slot is full once the copies of this warp landed";
  let description = [{
    With `asynchronous` the arrival happens when the preceding cp.async of each
    lane complete (cp.async.mbarrier.arrive.noinc); otherwise at once, which is
    right after ordinary stores, and after bulk copies, whose bytes the barrier
    counts beside the arrivals.
  }];
  let arguments = (ins TileRing:$ring, Index:$iteration,
                       DefaultValuedAttr<BoolAttr, "true">:$asynchronous);
  let assemblyFormat = "$ring `[` $iteration `]` attr-dict `:` type($ring)";
}

def GsaTile_RingWaitOp : GsaTile_RingOp<"ring_wait",
    "ring_wait({ring}, {iteration})", "Wait"> {
  let summary = "Consumer: waits until the slot of an iteration is full";
  let arguments = ringAndIteration;
  let results = (outs Index:$slot);
  let assemblyFormat = "$ring `[` $iteration `]` attr-dict `:` type($ring)";
}

def GsaTile_RingReleaseOp : GsaTile_RingOp<"ring_release",
    "ring_release({ring}, {iteration})", "Release"> {
  let summary = "Consumer: this warp has read the slot";
  let arguments = ringAndIteration;
  let assemblyFormat = "$ring `[` $iteration `]` attr-dict `:` type($ring)";
}

//===----------------------------------------------------------------------===//
// Cursors
//===----------------------------------------------------------------------===//

def GsaTile_CursorAllocOp : GsaTile_Op<"cursor_alloc",
    "cursor_alloc<{result:type}>()",
    [MemoryEffects<[MemAlloc<GsaTile_Registers>]>]> {
  let summary = "A cursor at 0";
  let results = (outs GsaTile_CursorType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def GsaTile_CursorGetOp : GsaTile_Op<"cursor_get", "cursor_get({cursor})"> {
  let summary = "The iteration that the next stream begins with";
  let arguments = (ins GsaTile_Read<GsaTile_CursorType, GsaTile_Registers>:$cursor);
  let results = (outs Index:$result);
  let assemblyFormat = "$cursor attr-dict `:` type($cursor)";
}

def GsaTile_CursorAdvanceOp : GsaTile_Op<"cursor_advance",
    "cursor_advance({cursor}, {count})"> {
  let summary = "`count` iterations, 0 if it is negative, have been gone through";
  let arguments = (ins GsaTile_Update<GsaTile_CursorType, GsaTile_Registers>:$cursor,
                       Index:$count);
  let assemblyFormat = "$cursor `,` $count attr-dict `:` type($cursor)";
}

//===----------------------------------------------------------------------===//
// Turns
//===----------------------------------------------------------------------===//

/// Named barriers `barrier` to `barrier + groups - 1`: one for each group of
/// the team, at which it waits for the group before it.
class GsaTile_TurnOp<string mnemonic> : GsaTile_Op<mnemonic,
    mnemonic # "<{team}, {groups}, {barrier}>()",
    [GsaTile_TeamOpInterface,
     MemoryEffects<[MemRead<GsaTile_Barrier>, MemWrite<GsaTile_Barrier>]>]> {
  let arguments = (ins GsaTile_TeamAttr:$team,
                       ConfinedAttr<I64Attr, [IntMinValue<2>]>:$groups,
                       ConfinedAttr<I64Attr, [IntMinValue<1>, IntMaxValue<14>]>:$barrier);
  let assemblyFormat = "$team `groups` $groups `barrier` $barrier attr-dict";
  let hasVerifier = 1;
}

def GsaTile_TurnStartOp : GsaTile_TurnOp<"turn_start"> {
  let summary = "The first turn is that of group 0";
  let description = [{
    Once, before the first `turn_wait`. PTX: `barrier.arrive` by the last group.
    Constraint: (C1) the team is `groups` groups of whole warpgroups, and the
    last barrier is at most 15.
  }];
}
def GsaTile_TurnWaitOp : GsaTile_TurnOp<"turn_wait"> {
  let summary = "Waits until it is the turn of this warp's group";
  let description = [{
    Every group waits and passes equally often. PTX: `barrier.sync`.
    Constraint: (C1) as turn_start.
  }];
}
def GsaTile_TurnPassOp : GsaTile_TurnOp<"turn_pass"> {
  let summary = "Gives the turn to the next group";
  let description = [{
    PTX: `barrier.arrive`. Constraint: (C1) as turn_start.
  }];
}
def GsaTile_TurnEndOp : GsaTile_TurnOp<"turn_end"> {
  let summary = "Takes back the turn that the last group passed";
  let description = [{
    Once, behind the last `turn_pass`: the barriers are as before `turn_start`.
    The last group waits for it, so that turns may start anew.
    PTX: `barrier.sync` by group 0 and the last, `barrier.arrive` between them.
    Constraint: (C1) as turn_start.
  }];
}

def GsaTile_SetMaxRegistersOp : GsaTile_Op<"set_max_registers",
    "set_max_registers<{count}, {grow}>()",
    [MemoryEffects<[MemWrite<GsaTile_Registers>]>]> {
  let summary = "Moves registers between warpgroups (setmaxnreg, sm_90a)";
  let arguments = (ins I64Attr:$count, BoolAttr:$grow);
  let assemblyFormat = "$count `grow` `=` $grow attr-dict";
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

def GsaTile_LaunchWaitOp : GsaTile_Op<"launch_wait", "launch_wait()",
    [MemoryEffects<[MemRead<GsaTile_Global>, MemWrite<GsaTile_Global>]>]> {
  let summary = "Waits until the launch before this one has ended (sm_90)";
  let description = [{
    What all launches before this one wrote is then seen, and they read nothing
    any more. Where the launch was not dependent, that is so from the start and
    the op does nothing. gsa-dependent-launches puts it before what touches
    memory that other launches write, once in each role that does.
    PTX: `griddepcontrol.wait`.
  }];
  let assemblyFormat = "attr-dict";
}

def GsaTile_LaunchNextOp : GsaTile_Op<"launch_next", "launch_next()",
    [MemoryEffects<[MemWrite<GsaTile_Global>]>]> {
  let summary = "A dependent launch behind this one may begin (sm_90)";
  let description = [{
    It begins once a warp of each block has run this op, or the block has ended.
    Says nothing of memory: what this launch writes is seen behind the other
    one's `launch_wait`. PTX: `griddepcontrol.launch_dependents`.
  }];
  let assemblyFormat = "attr-dict";
}

def GsaTile_LaunchedOp : GsaTile_Op<"launched", "launched({source})",
    [AllTypesMatch<["source", "result"]>,
     MemoryEffects<[MemRead<GsaTile_Global>]>]> {
  let summary = "An array that other launches write, behind launch_wait";
  let description = [{
    The same address, of which nothing is known from before: no access by the
    result is moved above the wait, nor is the array taken for one that nobody
    writes while the kernel runs.
  }];
  let arguments = (ins GsaTile_GlobalType:$source);
  let results = (outs GsaTile_GlobalType:$result);
  let assemblyFormat = "$source attr-dict `:` type($source)";
}

#endif  // GSA_TILE_SYNC_OPS_TD
