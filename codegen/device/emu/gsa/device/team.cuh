//===- team.cuh - positions, roles and barriers (host) ---------*- C++ -*-===//

#ifndef GSA_DEVICE_TEAM_CUH
#define GSA_DEVICE_TEAM_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev {

template <int Dimension>
int block_id() {
  static_assert(Dimension >= 0 && Dimension < 3);
  return emu::self->blockId[Dimension];
}
template <int Dimension>
int grid_size() {
  static_assert(Dimension >= 0 && Dimension < 3);
  return emu::self->block->launch->grid[Dimension];
}

template <class Team>
bool in_team() {
  int warp = emu::self->index;
  return warp >= Team::first && warp < Team::first + Team::count;
}

/// Fails in a warp outside the team, or if the block is too small for it.
template <class Team>
void check_team(const char* function) {
  if (Team::first + Team::count > emu::self->block->launch->warps)
    emu::fail(function, "team<%d, %d> in a block of %d warps", Team::first,
              Team::count, emu::self->block->launch->warps);
  if (!in_team<Team>())
    emu::fail(function, "run by a warp outside team<%d, %d>", Team::first,
              Team::count);
}

template <class Team>
int warp_rank() {
  return emu::self->index - Team::first;
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

template <class Team, int Barrier>
void sync() {
  static_assert(Barrier >= 0 && Barrier < 16);
  check_team<Team>("sync");
  if (emu::fault("sync")) return;
  emu::self->plainCopies = false;
  emu::meet(&emu::self->block->barriers[Barrier], Team::count, "sync", Barrier);
}

template <class Team, int Barrier>
void copy_wait() {
  static_assert(Barrier >= 0 && Barrier < 16);
  check_team<Team>("copy_wait");
  if (emu::fault("copy_wait")) return;
  emu::performPending();
  emu::self->plainCopies = false;
  emu::meet(&emu::self->block->barriers[Barrier], Team::count, "copy_wait",
            Barrier);
}

template <int Blocks>
void cluster_sync() {
  emu::Block& block = *emu::self->block;
  if (block.launch->cluster != Blocks)
    emu::fail("cluster_sync", "of %d blocks in a cluster of %d", Blocks,
              block.launch->cluster);
  emu::self->plainCopies = false;
  emu::meet(block.clusterBarrier, Blocks * block.launch->warps, "cluster_sync",
            17);
}

//===----------------------------------------------------------------------===//
// Turns
//===----------------------------------------------------------------------===//

template <class Team, int Groups>
struct turns {
  static_assert(Team::first % 4 == 0 && Team::count % (4 * Groups) == 0);
  static constexpr int warps = 2 * Team::count / Groups;
  static int group() { return warp_rank<Team>() / (Team::count / Groups); }
};

template <class Team, int Groups, int Barrier>
void turn_start() {
  using turn = turns<Team, Groups>;
  check_team<Team>("turn_start");
  if (turn::group() == Groups - 1)
    emu::arriveOf(&emu::self->block->barriers[Barrier], turn::warps,
                  "turn_start", Barrier);
}
template <class Team, int Groups, int Barrier>
void turn_wait() {
  using turn = turns<Team, Groups>;
  check_team<Team>("turn_wait");
  if (emu::fault("turn_wait")) return;
  int barrier = Barrier + turn::group();
  emu::meet(&emu::self->block->barriers[barrier], turn::warps, "turn_wait",
            barrier);
}
template <class Team, int Groups, int Barrier>
void turn_pass() {
  using turn = turns<Team, Groups>;
  check_team<Team>("turn_pass");
  if (emu::fault("turn_pass")) return;
  int barrier = Barrier + (turn::group() + 1) % Groups;
  emu::arriveOf(&emu::self->block->barriers[barrier], turn::warps, "turn_pass",
                barrier);
}
template <class Team, int Groups, int Barrier>
void turn_end() {
  using turn = turns<Team, Groups>;
  check_team<Team>("turn_end");
  constexpr int last = Barrier + Groups - 1;
  emu::Barrier* barriers = emu::self->block->barriers;
  if (turn::group() == 0) {
    emu::meet(&barriers[Barrier], turn::warps, "turn_end", Barrier);
    emu::arriveOf(&barriers[last], turn::warps, "turn_end", last);
  } else if (turn::group() == Groups - 1) {
    emu::meet(&barriers[last], turn::warps, "turn_end", last);
  }
}

template <int Count, bool Grow>
void set_max_registers() {
  static_assert(Count >= 24 && Count <= 256 && Count % 8 == 0);
}

//===----------------------------------------------------------------------===//
// Loops over all lanes of the grid
//===----------------------------------------------------------------------===//

/// A warp runs the iterations of its lanes one after the other, so it counts
/// as one runner here: every index is still run exactly once.
inline long long first_element() {
  const emu::LaunchInfo& launch = *emu::self->block->launch;
  long long block =
      (static_cast<long long>(block_id<2>()) * launch.grid[1] + block_id<1>()) *
          launch.grid[0] +
      block_id<0>();
  return block * launch.warps + emu::self->index;
}
inline long long element_step() {
  const emu::LaunchInfo& launch = *emu::self->block->launch;
  return static_cast<long long>(launch.grid[0]) * launch.grid[1] *
         launch.grid[2] * launch.warps;
}
inline long long next_element(long long element) {
  return element + element_step();
}

/// Iterations of several lanes have one runner as well.
template <int Lanes>
long long first_element() {
  return first_element();
}
template <int Lanes>
long long next_element(long long element) {
  return next_element(element);
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_TEAM_CUH
