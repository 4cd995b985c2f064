//===- Passes.td - passes on kernels ---------------------------*- tablegen -*-===//

#ifndef GSA_PASSES_TILE_PASSES_TD
#define GSA_PASSES_TILE_PASSES_TD

include "mlir/Pass/PassBase.td"

def GsaTilePipeline : Pass<"gsa-tile-pipeline", "::mlir::gsa_tile::KernelOp"> {
  let summary = "Turns the tiles of a loop into a ring of stages";
  let description = [{
    Works on kernels whose attribute `gsa_tile.producers` is above 0, and there
    on the loop marked `gsa_tile.main_loop`, whose body must be: copies,
    copy_wait, uses, sync. The tiles that the copies fill become buffers of
    `gsa_tile.stages` stages, filled between `ring_acquire` and `ring_commit`
    and read between `ring_wait` and `ring_release`. The kernel still has one
    team, which does both in turn.

    Emits the remark `Pipelined` with the stages and their bytes, or
    `NotPipelined` with the reason; such a kernel stays as it was.
    Example: test/passes/tile/pipeline.mlir.
  }];
  let dependentDialects = ["::mlir::gsa_tile::GsaTileDialect"];
}

def GsaTileAssignRoles
    : Pass<"gsa-tile-assign-roles", "::mlir::gsa_tile::KernelOp"> {
  let summary = "Splits a kernel with a ring into filling and reading warps";
  let description = [{
    The kernel gets `gsa_tile.producers` warps more, which come first and run
    a copy of the loop that only fills the ring. Its own warps keep the rest of
    the loop, what is in registers, and everything after the loop; their
    barriers become a named barrier of that team. What is above the loop and
    not in registers is done by all warps together.

    Emits the remark `Roles` with the numbers of warps, or `NoRoles` with the
    reason; such a kernel stays as it was, and is right.
    Example: test/passes/tile/assign-roles.mlir.
  }];
  let dependentDialects = ["::mlir::gsa_tile::GsaTileDialect"];
}

def GsaTilePlanSmem : Pass<"gsa-tile-plan-smem", "::mlir::gsa_tile::KernelOp"> {
  let summary = "Gives tiles and rings their place in shared memory";
  let description = [{
    Sets `offset` of each `gsa_tile.smem_alloc` and `gsa_tile.ring_alloc`, and
    `shared_bytes` of the kernel. Largest first, each at the lowest offset
    (a multiple of 16 bytes, of 1024 for layout `panel128`) that is free.

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
