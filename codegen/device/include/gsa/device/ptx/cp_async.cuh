//===- cp_async.cuh - asynchronous copies to shared memory -*- CUDA -*-===//
//
// PTX ISA 9.7.9, Data Movement: cp.async, cp.async.wait_all; sm_80 and later.
// prefetch; all architectures.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_PTX_CP_ASYNC_CUH
#define GSA_DEVICE_PTX_CP_ASYNC_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev::ptx {

/// Copies `valid` of `Bytes` bytes and fills the rest with 0; reads nothing if
/// `valid` is 0. Both addresses are multiples of `Bytes`.
/// PTX: cp.async.cg (16 bytes, past L1) with a prefetch of the 128-byte line
/// to L2, cp.async.ca (8 and 4 bytes).
template <int Bytes>
GSA_DEVICE void cp_async(unsigned target, const void* source, int valid) {
  static_assert(Bytes == 16 || Bytes == 8 || Bytes == 4,
                "cp.async copies 16, 8 or 4 bytes");
  if constexpr (Bytes == 16)
    asm volatile(
        "cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(target),
        "l"(source), "r"(valid)
        : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(target),
                 "l"(source), "n"(Bytes), "r"(valid)
                 : "memory");
}

/// Copies `Bytes` bytes, or writes zeros and reads nothing. Cheaper than a
/// count of bytes that is 0 or all.
/// PTX: cp.async with the operand ignore-src.
template <int Bytes>
GSA_DEVICE void cp_async_or_zeros(unsigned target, const void* source,
                                  bool exists) {
  static_assert(Bytes == 16 || Bytes == 8 || Bytes == 4,
                "cp.async copies 16, 8 or 4 bytes");
  if constexpr (Bytes == 16)
    asm volatile(
        "{.reg .pred ignore; setp.eq.s32 ignore, %2, 0;"
        " cp.async.cg.shared.global.L2::128B [%0], [%1], 16, ignore;}" ::"r"(
            target),
        "l"(source), "r"(static_cast<int>(exists))
        : "memory");
  else
    asm volatile(
        "{.reg .pred ignore; setp.eq.s32 ignore, %3, 0;"
        " cp.async.ca.shared.global [%0], [%1], %2, ignore;}" ::"r"(target),
        "l"(source), "n"(Bytes), "r"(static_cast<int>(exists))
        : "memory");
}

/// PTX: cp.async.wait_all.
GSA_DEVICE void cp_async_wait_all() {
  asm volatile("cp.async.wait_all;" ::: "memory");
}

/// Asks for a line of global memory to be in the second-level cache.
/// PTX: prefetch.global.L2.
GSA_DEVICE void prefetch_l2(const void* address) {
  asm volatile(
      "prefetch.global.L2 [%0];" ::"l"(__cvta_generic_to_global(address)));
}

}  // namespace gsa::dev::ptx

#endif  // GSA_DEVICE_PTX_CP_ASYNC_CUH
