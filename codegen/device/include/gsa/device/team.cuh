//===- team.cuh - warps, teams and barriers -*- CUDA -*-===//
//
// A block is a row of warps (blockDim.y = blockDim.z = 1). Functions of the
// device library are called by whole warps, all 32 lanes together, unless they
// say otherwise.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_TEAM_CUH
#define GSA_DEVICE_TEAM_CUH

#include "gsa/device/ptx/barrier.cuh"
#include "gsa/device/ptx/cp_async.cuh"
#include "gsa/device/types.cuh"

namespace gsa::dev {

/// Warps `First` to `First + Count - 1` of a block.
template <int First, int Count>
struct team {
  static_assert(First >= 0 && Count >= 1 && First + Count <= 32,
                "a team is within the 32 warps of a block");
  static constexpr int first = First;
  static constexpr int count = Count;
  static constexpr int threads = 32 * Count;
  /// Number of this thread within the team.
  static GSA_DEVICE int thread() {
    return static_cast<int>(threadIdx.x) - 32 * First;
  }
};

GSA_DEVICE int lane() { return static_cast<int>(threadIdx.x) & 31; }

/// Number of the warp in its block. The shuffle tells the compiler that it is
/// the same in all lanes.
GSA_DEVICE int warp() {
  return __shfl_sync(0xffffffffu, static_cast<int>(threadIdx.x) >> 5, 0);
}

template <class Team>
GSA_DEVICE int warp_rank() {
  return warp() - Team::first;
}

template <class Team>
GSA_DEVICE bool in_team() {
  int rank = warp_rank<Team>();
  return rank >= 0 && rank < Team::count;
}

/// Position of the block along dimension 0, 1 or 2 of the grid.
template <int Dimension>
GSA_DEVICE int block_id() {
  static_assert(Dimension >= 0 && Dimension <= 2, "a grid has 3 dimensions");
  return static_cast<int>(Dimension == 0   ? blockIdx.x
                          : Dimension == 1 ? blockIdx.y
                                           : blockIdx.z);
}

template <int Dimension>
GSA_DEVICE int grid_size() {
  static_assert(Dimension >= 0 && Dimension <= 2, "a grid has 3 dimensions");
  return static_cast<int>(Dimension == 0   ? gridDim.x
                          : Dimension == 1 ? gridDim.y
                                           : gridDim.z);
}

/// Barrier of the warps of a team; orders their shared and global accesses.
template <class Team, int Barrier>
GSA_DEVICE void sync() {
  static_assert(Barrier >= 0 && Barrier <= 15, "hardware barriers are 0 to 15");
  ptx::barrier_sync<Barrier, Team::threads>();
}

/// Barrier of all warps of the `Blocks` blocks of a cluster; orders their
/// global and shared accesses.
template <int Blocks>
GSA_DEVICE void cluster_sync() {
  static_assert(Blocks > 1, "a cluster has several blocks");
  ptx::barrier_cluster();
}

/// Waits until all copies that the team issued are visible to all of it.
template <class Team, int Barrier>
GSA_DEVICE void copy_wait() {
  ptx::cp_async_wait_all();
  sync<Team, Barrier>();
}

/// Moves registers between warpgroups: all warps of a warpgroup ask for
/// `Count` registers per thread. The kernel needs a register bound.
template <int Count, bool Grow>
GSA_DEVICE void set_max_registers() {
  ptx::setmaxnreg<Count, Grow>();
}

//===----------------------------------------------------------------------===//
// Turns
//===----------------------------------------------------------------------===//

/// Group g of a team meets, at barrier `Barrier + g`, the group before it,
/// which gives it the turn. Both count all of their threads.
template <class Team, int Groups>
struct turns {
  static_assert(Team::first % 4 == 0 && Team::count % (4 * Groups) == 0,
                "groups are whole warpgroups");
  static constexpr int threads = 2 * Team::threads / Groups;
  static GSA_DEVICE int group() {
    return warp_rank<Team>() / (Team::count / Groups);
  }
};

/// The first turn is that of group 0: the last group gives it.
template <class Team, int Groups, int Barrier>
GSA_DEVICE void turn_start() {
  using turn = turns<Team, Groups>;
  if (turn::group() == Groups - 1) ptx::barrier_arrive(Barrier, turn::threads);
}
template <class Team, int Groups, int Barrier>
GSA_DEVICE void turn_wait() {
  using turn = turns<Team, Groups>;
  ptx::barrier_sync(Barrier + turn::group(), turn::threads);
}
template <class Team, int Groups, int Barrier>
GSA_DEVICE void turn_pass() {
  using turn = turns<Team, Groups>;
  int group = turn::group();
  ptx::barrier_arrive(Barrier + (group == Groups - 1 ? 0 : group + 1),
                      turn::threads);
}
/// Takes back what the last group passed, so that no barrier is half full. The
/// last group goes on only then: turns that start anew would make it arrive a
/// second time in place of group 0.
template <class Team, int Groups, int Barrier>
GSA_DEVICE void turn_end() {
  using turn = turns<Team, Groups>;
  constexpr int last = Groups - 1;
  int group = turn::group();
  if (group == 0) {
    ptx::barrier_sync(Barrier, turn::threads);
    ptx::barrier_arrive(Barrier + last, turn::threads);
  } else if (group == last) {
    ptx::barrier_sync(Barrier + last, turn::threads);
  }
}

//===----------------------------------------------------------------------===//
// for_each
//===----------------------------------------------------------------------===//

/// Number of this lane among all of the grid.
GSA_DEVICE long long first_element() {
  long long block =
      blockIdx.x +
      static_cast<long long>(gridDim.x) *
          (blockIdx.y + static_cast<long long>(gridDim.y) * blockIdx.z);
  return block * blockDim.x + threadIdx.x;
}

/// Number of lanes of the grid.
GSA_DEVICE long long element_step() {
  return static_cast<long long>(gridDim.x) * gridDim.y * gridDim.z * blockDim.x;
}

GSA_DEVICE long long next_element(long long element) {
  return element + element_step();
}

/// The same for iterations of `Lanes` neighbouring lanes each: blocks are whole
/// warps, so all lanes of an iteration are in one.
template <int Lanes>
GSA_DEVICE long long first_element() {
  return first_element() / Lanes;
}
template <int Lanes>
GSA_DEVICE long long next_element(long long element) {
  return element + element_step() / Lanes;
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_TEAM_CUH
