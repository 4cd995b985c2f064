//===- tma.cuh - the bulk copy engine -*- CUDA -*-===//
//
// PTX ISA, "Data Movement and Conversion Instructions: Bulk copy", sm_90 and
// later.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_PTX_TMA_CUH
#define GSA_DEVICE_PTX_TMA_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev::ptx {

/// One arrival, and `bytes` more to land before the phase is complete.
/// PTX: mbarrier.arrive.expect_tx.shared::cta.b64.
GSA_DEVICE void mbarrier_expect(unsigned barrier, int bytes) {
  asm volatile(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier),
      "r"(bytes)
      : "memory");
}

/// The box of `map` at (column, row) to shared memory; its bytes are reported
/// to `barrier`. PTX: cp.async.bulk.tensor.2d.
GSA_DEVICE void tma_load_2d(unsigned target, const void* map, int column,
                            int row, unsigned barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile"
      ".mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(target),
      "l"(map), "r"(column), "r"(row), "r"(barrier)
      : "memory");
}

}  // namespace gsa::dev::ptx

#endif  // GSA_DEVICE_PTX_TMA_CUH
