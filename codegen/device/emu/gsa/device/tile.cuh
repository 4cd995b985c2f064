//===- tile.cuh - the device functions, emulated on a host -----*- C++ -*-===//
//
// The text of a kernel that includes this header compiles, unchanged, with a
// host C++20 compiler and runs as gsa/emu/block.h says. Each function of the
// device library of the same path has a twin here with the same arguments.
//
// Conventions, for who adds a function:
//
// - One host thread is one warp. Lanes are not threads: a function is called
//   once per warp and does the work of the 32 lanes, with a loop where the
//   device has one lane per item. `emu::self` is the warp.
// - A fragment is a plain array `v[rows][columns]`, a row vector `v[rows]`;
//   the values are those that the device holds, rounded where it rounds. Sums
//   in f32 run in ascending order of k or column: results agree with the
//   device to rounding of sums, not bit by bit. A function whose result must
//   be the same bits on every target computes in integers or says its order.
// - What a team does together is shared out: each warp writes only its part
//   (`warp_rank<Team>()` of `Team::count`), never all of it, so that a missing
//   barrier is a data race that ThreadSanitizer sees.
// - Shared memory is reached only by smem<...>::get, set, address, get_row,
//   which check bounds; global memory after emu::checkGlobal. Reads and writes
//   of both are plain, not atomic. Where the device uses atomics on them, so
//   does the twin (__atomic_fetch_add with __ATOMIC_RELAXED).
// - Ordering comes only from emu::meet (barriers) and the rings. No mutex, no
//   static or global variable that warps share: it would hide races.
// - Copies that are asynchronous on the device go through emu::issue.
// - Misuse (bounds, alignment, a warp outside the team) is emu::fail with the
//   function's name. Undefined contents are NaN: see emu::kPoison.
// - Long loops over private floats belong in functions marked
//   GSA_EMU_PRIVATE: not instrumented, so fast under ThreadSanitizer. They
//   must not touch shared or global memory.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_TILE_CUH
#define GSA_DEVICE_TILE_CUH

#include "gsa/device/bulk.cuh"
#include "gsa/device/candidates.cuh"
#include "gsa/device/copy.cuh"
#include "gsa/device/frag.cuh"
#include "gsa/device/global.cuh"
#include "gsa/device/hopper.cuh"
#include "gsa/device/launch.cuh"
#include "gsa/device/math.cuh"
#include "gsa/device/merge.cuh"
#include "gsa/device/mma.cuh"
#include "gsa/device/reduce.cuh"
#include "gsa/device/ring.cuh"
#include "gsa/device/rows.cuh"
#include "gsa/device/scalar.cuh"
#include "gsa/device/scores.cuh"
#include "gsa/device/select.cuh"
#include "gsa/device/smem.cuh"
#include "gsa/device/softmax.cuh"
#include "gsa/device/team.cuh"
#include "gsa/device/training.cuh"
#include "gsa/device/types.cuh"
#include "gsa/device/union.cuh"
#include "gsa/device/wgmma.cuh"

#endif  // GSA_DEVICE_TILE_CUH
