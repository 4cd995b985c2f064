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

/// `bytes` more are to land before the phase is complete; no arrival.
/// PTX: mbarrier.expect_tx.relaxed.cta.shared::cta.b64.
GSA_DEVICE void mbarrier_expect(unsigned barrier, int bytes) {
  asm volatile(
      "mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%0], %1;" ::"r"(barrier),
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

/// `bytes` bytes to shared memory, reported to `barrier`; addresses and bytes
/// are multiples of 16. PTX: cp.async.bulk.shared::cluster.global.
GSA_DEVICE void bulk_load(unsigned target, const void* source, int bytes,
                          unsigned barrier) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
      "[%0], [%1], %2, [%3];" ::"r"(target),
      "l"(__cvta_generic_to_global(source)), "r"(bytes), "r"(barrier)
      : "memory");
}

/// Adds `bytes` bytes of floats in shared memory to those in global memory.
/// PTX: cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32.
GSA_DEVICE void bulk_add(float* target, unsigned source, int bytes) {
  asm volatile(
      "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 "
      "[%0], [%1], %2;" ::"l"(__cvta_generic_to_global(target)),
      "r"(source), "r"(bytes)
      : "memory");
}

/// PTX: cp.async.bulk.commit_group, cp.async.bulk.wait_group.read.
GSA_DEVICE void bulk_commit() {
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}
GSA_DEVICE void bulk_wait_read() {
  asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory");
}

}  // namespace gsa::dev::ptx

#endif  // GSA_DEVICE_PTX_TMA_CUH
