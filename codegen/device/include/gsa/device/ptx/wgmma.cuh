//===- wgmma.cuh - products of a warpgroup -*- CUDA -*-===//
//
// wgmma.mma_async (PTX ISA, "Asynchronous Warpgroup Level Matrix
// Instructions"), sm_90a only. One shape, m64n64k16: wider accumulators are
// several of them.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_PTX_WGMMA_CUH
#define GSA_DEVICE_PTX_WGMMA_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev::ptx {

/// wgmma.fence.sync.aligned
GSA_DEVICE void wgmma_fence() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

/// wgmma.commit_group.sync.aligned
GSA_DEVICE void wgmma_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

/// wgmma.wait_group.sync.aligned
template <int Pending>
GSA_DEVICE void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Pending) : "memory");
}

/// fence.proxy.async.shared::cta
GSA_DEVICE void fence_async() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// Matrix descriptor of a tile with the 128-byte swizzle (PTX ISA, "Matrix
/// Descriptor Format"): start address, leading and stride byte offsets, all in
/// units of 16 bytes, and 1 in the two top bits.
///   K-major operand: `leading` is not used, `stride` is the distance of groups
///   of 8 rows. MN-major operand: `leading` is the distance of panels of 64
///   columns, `stride` that of groups of 8 rows of K.
GSA_DEVICE unsigned long long wgmma_descriptor(unsigned address,
                                               unsigned leading_bytes,
                                               unsigned stride_bytes) {
  auto field = [](unsigned bytes) {
    return static_cast<unsigned long long>((bytes & 0x3FFFF) >> 4);
  };
  return field(address) | field(leading_bytes) << 16 |
         field(stride_bytes) << 32 | 1ull << 62;
}

// The 32 registers of an accumulator, as operands %0 to %31 and as outputs.
#define GSA_WGMMA_OPERANDS                             \
  "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, "     \
  "%11, %12, %13, %14, %15, %16, %17, %18, %19, %20, " \
  "%21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
#define GSA_WGMMA_4(d, i) \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define GSA_WGMMA_OUTPUTS(d)                                                   \
  GSA_WGMMA_4(d, 0), GSA_WGMMA_4(d, 4), GSA_WGMMA_4(d, 8), GSA_WGMMA_4(d, 12), \
      GSA_WGMMA_4(d, 16), GSA_WGMMA_4(d, 20), GSA_WGMMA_4(d, 24),              \
      GSA_WGMMA_4(d, 28)

// An instruction is a literal, so each element type needs its own text:
//   ss  d[64 x 64] += a b^T, both operands K-major in shared memory
//   rs  d[64 x 64] += a b, a in registers, b MN-major in shared memory
#define GSA_WGMMA_FUNCTIONS(T)                                                \
  GSA_DEVICE void wgmma_m64n64k16_ss(T, float (&d)[32], unsigned long long a, \
                                     unsigned long long b) {                  \
    asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32." #T "." #T      \
                 " " GSA_WGMMA_OPERANDS "%32, %33, 1, 1, 1, 0, 0;"            \
                 : GSA_WGMMA_OUTPUTS(d)                                       \
                 : "l"(a), "l"(b));                                           \
  }                                                                           \
  GSA_DEVICE void wgmma_m64n64k16_rs(                                         \
      T, float (&d)[32], const unsigned (&a)[4], unsigned long long b) {      \
    asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32." #T "." #T      \
                 " " GSA_WGMMA_OPERANDS                                       \
                 "{%32, %33, %34, %35}, %36, 1, 1, 1, 1;"                     \
                 : GSA_WGMMA_OUTPUTS(d)                                       \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));       \
  }

GSA_WGMMA_FUNCTIONS(bf16)
GSA_WGMMA_FUNCTIONS(f16)

#undef GSA_WGMMA_FUNCTIONS
#undef GSA_WGMMA_OUTPUTS
#undef GSA_WGMMA_4
#undef GSA_WGMMA_OPERANDS

}  // namespace gsa::dev::ptx

#endif  // GSA_DEVICE_PTX_WGMMA_CUH
