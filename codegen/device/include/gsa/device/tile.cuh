//===- tile.cuh - the device library -*- CUDA -*-===//
//
// What generated kernels include. An op of the dialect gsa_tile is a call of
// the function of its name in namespace gsa::dev.
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
