//===- Passes.td - passes on kernels ---------------------------*- tablegen -*-===//

#ifndef GSA_PASSES_TILE_PASSES_TD
#define GSA_PASSES_TILE_PASSES_TD

include "mlir/Pass/PassBase.td"

def GsaTilePipeline : Pass<"gsa-tile-pipeline", "::mlir::gsa_tile::KernelOp"> {
  let summary = "Makes loops of streams, and buffers and barriers of their rings";
  let description = [{
    A `gsa_tile.tile_ring` becomes buffers of its stages and, if warps only
    fill, a ring of as many stages; a `gsa_tile.stream` becomes a loop.
    With loaders the loop holds `gsa_tile.roles`: one fills between
    `ring_acquire` and `ring_commit` of each ring, the other reads between
    `ring_wait` and `ring_release`. Without, all warps fill, meet, read and meet.

    A ring that is gone through more than once, by a stream in a loop or by
    several streams, counts its iterations in a `gsa_tile.cursor`, so that its
    phases continue. Streams of order `ping_pong` get `turn_start` before the
    loop and `turn_end` behind it.

    Remarks: `TileRing` with stages, engine and bytes; `Pipelined` with loaders,
    groups and rings. Example: test/passes/tile/pipeline.mlir.
  }];
  let dependentDialects = ["::mlir::gsa_tile::GsaTileDialect",
                           "::mlir::scf::SCFDialect"];
}

def GsaTileAssignRoles
    : Pass<"gsa-tile-assign-roles", "::mlir::gsa_tile::KernelOp"> {
  let summary = "One roles op for a kernel whose loops hold roles";
  let description = [{
    The kernel's code from the first op on that not all warps run goes into each
    role, as far as the role's warps run it: the bodies of roles in loops, ops of
    a team that has all of the role's warps, and what changes nothing and is
    needed. What touches registers, or has effects and no team, is of the last
    role. Numbers of warps within a role's team, and what depends on them, go
    with it. Tiles and rings stay with all warps.

    An op of a team that holds some warps of a role and not all is an error, and
    so are roles of different warps, and the use of what only other warps run.
    Remark `Role` for each.
    Example: test/passes/tile/assign-roles.mlir.
  }];
  let dependentDialects = ["::mlir::gsa_tile::GsaTileDialect"];
}

def GsaTileCheckRegisters
    : Pass<"gsa-tile-check-registers", "::mlir::gsa_tile::KernelOp"> {
  let summary = "Checks that the registers of fragments fit";
  let description = [{
    For each role, or for all warps: the largest sum of the registers per
    thread of fragments, row vectors and lanes that live at one op, from their
    first to their last use, where a product of wgmma uses its operands until
    it was waited for; one that each iteration of a loop overwrites before
    it reads it lives within the loop. With `overhead` registers for addresses
    and loops, more than `limit` is an error that names the largest fragments. A
    role with registers of its own, in a kernel with products of warpgroups, has
    those as its limit, and 16 or fewer beside its fragments.

    A role with a budget is held to that instead. Changes nothing. Remark
    `RegistersChecked`. Order: after gsa-tile-budget-registers.
    Example: test/passes/tile/check-registers.mlir.
  }];
  let options = [
    Option<"limit", "limit", "int64_t", "255", "Registers of a thread">,
    Option<"overhead", "overhead", "int64_t",
           /*default=*/"kRegistersBesideFragments",
           "Registers for what is not a fragment">
  ];
}

def GsaTileBudgetRegisters
    : Pass<"gsa-tile-budget-registers", "::mlir::gsa_tile::KernelOp"> {
  let summary = "Moves registers from warps that copy to warps that compute";
  let description = [{
    On architectures with setmaxnreg, where each role is whole warpgroups and
    products are on tensor cores:
    roles without fragments keep 72 registers a thread, the others share the
    rest, up to about twice what their fragments take. Two blocks shall fit into
    an SM if their shared memory and warps do and the fragments fit into their
    share then; `min_blocks` of the kernel says so, and is the bound from which
    the compiler takes the registers at launch.

    Sets `registers` of the roles and puts `set_max_registers` at their start.
    Remark `RegisterBudgets`, or `NoRegisterBudgets` with the reason; such a
    kernel stays as it was. Order: after gsa-tile-plan-smem. Idempotent.
    Example: test/passes/tile/budget-registers.mlir.
  }];
  let options = [
    Option<"arch", "arch", "std::string", "\"sm_90a\"", "Architecture">
  ];
  let dependentDialects = ["::mlir::gsa_tile::GsaTileDialect"];
}

def GsaTilePlanSmem : Pass<"gsa-tile-plan-smem", "::mlir::gsa_tile::KernelOp"> {
  let summary = "Gives tiles and rings their place in shared memory";
  let description = [{
    Sets `offset` of each `gsa_tile.smem_alloc` and `gsa_tile.ring_alloc`, and
    `shared_bytes` of the kernel. Largest first, each at the lowest offset
    (a multiple of 16 bytes, of 1024 for layout `swizzle_128b`) that is free.

    A tile lives from its first to its last use in the block of its
    `smem_alloc`; a copy lasts until the next `copy_wait`. Two tiles share bytes
    if neither lives while the other does and a `sync` or `copy_wait` of all
    warps that run the block lies between, in a loop also between the later one
    and the earlier one of the next iteration. A tile that is needed in one
    iteration only is therefore best made within the loop. Rings share nothing.

    The limit is `limit` bytes or, without it, what a block of `arch` may ask
    for; without both there is none. More is an error that names the largest
    allocations. Emits the remark `SmemPlan`.
    Example: test/passes/tile/plan-smem.mlir.
  }];
  let options = [
    Option<"limit", "limit", "int64_t", "0", "Bytes that a block may use">,
    Option<"arch", "arch", "std::string", "", "Architecture, as in sm_90a">
  ];
}

def GsaTileCheckSync : Pass<"gsa-tile-check-sync", "::mlir::gsa_tile::KernelOp"> {
  let summary = "Checks that rings and barriers are used as they must be";
  let description = [{
    Fails, at the op, unless

    - each `ring_acquire` has a `ring_commit` and each `ring_wait` a
      `ring_release` of the same ring and iteration below it in the same block,
      before the next one, and none stands alone;
    - the warps that commit and release are as many as the ring counts, one
      team each, and all of them do: no branch and no loop around it depends on
      the number of a warp;
    - both sides take the same iterations, in the same loops, under the same
      conditions, one after another from 0; a ring that is gone through again
      counts on from a cursor;
    - a sync of all warps lies between `ring_alloc` and the first use;
    - a stage is written only between acquire and commit, and read only between
      wait and release, of one ring with as many stages as the buffer;
    - a commit waits for cp.async if that fills the stage, and not otherwise;
      the bytes of bulk copies arrive at the stage's ring;
    - a tile that one role (or all warps) wrote and another role uses has a
      barrier of both in between;
    - the accumulator of a product is not used, its operands are not
      overwritten and their slot is not released before it was waited for, nor
      the tile of `reduce_rows`; an iteration, a branch and the kernel end with
      as much in flight as they began with;
    - a `wgmma_fence` lies between ordinary instructions on a fragment and a
      product, a `fence_async` between what stores or cp.async wrote, as far as
      a barrier or a ring shows it, and a product or `reduce_rows`.

    Changes nothing. Remark `SyncChecked`. Order: after gsa-tile-assign-roles.
    Example: test/passes/tile/check-sync.mlir.
  }];
}

def GsaTileAblate : Pass<"gsa-tile-ablate", "::mlir::gsa_tile::KernelOp"> {
  let summary = "Leaves out parts of kernels, to find what they cost";
  let description = [{
    `drop` names ops of the dialect (`copy_rows`, `mask_rows`, ...) or kinds of
    them: `fills`, `products`, `write_back`. `drop-roles` names roles, whose
    warps then do nothing; rings go with them, since nobody would complete
    their barriers. Results are wrong, and meant to be: only the time counts. A
    product that nobody reads any more is removed by the compiler of the kernel,
    too: count the instructions of the SASS before a difference is believed.

    Remark `Ablated` with the number of ops. Order: any, `drop-roles` after
    gsa-tile-assign-roles. Example: test/passes/tile/ablate.mlir; guide:
    docs/guides/price-a-kernel.md.
  }];
  let options = [
    ListOption<"drop", "drop", "std::string", "Ops, or kinds of them">,
    ListOption<"dropRoles", "drop-roles", "std::string", "Roles">,
    Option<"only", "only", "std::string", "", "The kernel; empty is all of them">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def GsaTileFinalize : Pass<"gsa-tile-finalize", "::mlir::ModuleOp"> {
  let summary = "Makes kernels ready to be printed, or says why they are not";
  let description = [{
    Renames kernels whose name is no free identifier of CUDA C++, with the
    launches that use them, and removes what is pure, or storage, and not used.
    Then it checks that every op has a CUDA C++ emission, every scalar a C++
    type, every index constant 32 bits, and that shared memory has been planned.
    Example: test/passes/tile/finalize.mlir.
  }];
}

#endif  // GSA_PASSES_TILE_PASSES_TD
