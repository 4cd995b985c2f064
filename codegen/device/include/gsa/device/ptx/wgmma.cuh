//===- wgmma.cuh - products of a warpgroup -*- CUDA -*-===//
//
// wgmma.mma_async (PTX ISA, "Asynchronous Warpgroup Level Matrix
// Instructions"), sm_90a only: m64nNk16 for N from 8 to 256 in steps of 8, bf16
// and f16, sums in f32.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_PTX_WGMMA_CUH
#define GSA_DEVICE_PTX_WGMMA_CUH

#include "gsa/device/ptx/wgmma_registers.cuh"
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

/// Matrix descriptor of an operand in shared memory (PTX ISA, "Matrix
/// Descriptor Format"). The operand lies in panels of 128, 64 or 32 bytes of
/// columns, row by row, 16-byte chunks permuted by the swizzle of that width.
///   K-major (`AlongRows` 0): k runs along a row. `stride` is the distance of
///   groups of 8 rows, `leading` is not used.
///   MN-major (`AlongRows` 1): a row is one k, which the hardware transposes.
///   `stride` is the distance of groups of 8 k, `leading` that of panels.
template <int AlongRows>
struct wgmma_descriptor {
  unsigned low;   // address and leading byte offset
  unsigned high;  // stride byte offset and swizzle

  /// All in bytes; `Panel` is the width of a panel. `address` must be the same
  /// in all lanes.
  template <int Panel>
  static GSA_DEVICE wgmma_descriptor make(unsigned address, unsigned leading,
                                          unsigned stride) {
    static_assert(Panel == 128 || Panel == 64 || Panel == 32,
                  "the swizzles of wgmma are 128, 64 and 32 bytes wide");
    constexpr unsigned swizzle = Panel == 128 ? 1 : Panel == 64 ? 2 : 3;
    return {field(address) | field(leading) << 16,
            field(stride) | swizzle << 30};
  }
  /// The operand `bytes` further on. The sum does not leave the field of the
  /// address, which holds all of shared memory.
  GSA_DEVICE unsigned long long at(unsigned bytes) const {
    return static_cast<unsigned long long>(high) << 32 | (low + (bytes >> 4));
  }

 private:
  static GSA_DEVICE unsigned field(unsigned bytes) {
    return (bytes & 0x3FFFF) >> 4;
  }
};

/// The instruction of N columns: GSA_WGMMA defines it.
template <int N, class T>
struct wgmma {
  static_assert(N < 0,
                "a kernel names the products that it uses, behind the "
                "include: GSA_WGMMA(columns, type);");
};

}  // namespace gsa::dev::ptx

// The text behind the registers of the accumulator. p: add to it; s, t: the
// left and the right operand are MN-major.
#define GSA_WGMMA_SHARED(a, b, p, s, t, u, v) \
  "}, %" #a ", %" #b ", %" #p ", 1, 1, %" #s ", %" #t ";"
#define GSA_WGMMA_REGISTERS(a0, a1, a2, a3, b, p, t)                          \
  "}, {%" #a0 ", %" #a1 ", %" #a2 ", %" #a3 "}, %" #b ", %" #p ", 1, 1, %" #t \
  ";"

#define GSA_WGMMA_OPCODE(n, T) \
  "wgmma.mma_async.sync.aligned.m64n" #n "k16.f32." #T "." #T " {"

/// Defines the product of n columns and the type T (bf16 or f16) for a kernel;
/// stands outside namespaces. d += a b, or d = a b where `Accumulate` is 0, for
/// 64 rows and 16 k:
///   shared     both operands in shared memory, by their descriptors
///   registers  a in registers, as mma.m16n8k16 has it
#define GSA_WGMMA(n, T)                                                       \
  template <>                                                                 \
  struct gsa::dev::ptx::wgmma<n, gsa::dev::T> {                               \
    template <int Accumulate, int AlongRowsA, int AlongRowsB>                 \
    static GSA_DEVICE void shared(float (&d)[n / 8][4], unsigned long long a, \
                                  unsigned long long b) {                     \
      asm volatile(GSA_WGMMA_OPCODE(n, T)                                     \
                       GSA_WGMMA_D##n GSA_WGMMA_I##n(GSA_WGMMA_SHARED)        \
                   : GSA_WGMMA_S##n                                           \
                   : "l"(a), "l"(b), "n"(Accumulate), "n"(AlongRowsA),        \
                     "n"(AlongRowsB));                                        \
    }                                                                         \
    template <int Accumulate, int AlongRowsB>                                 \
    static GSA_DEVICE void registers(float (&d)[n / 8][4],                    \
                                     const unsigned (&a)[4],                  \
                                     unsigned long long b) {                  \
      asm volatile(GSA_WGMMA_OPCODE(n, T)                                     \
                       GSA_WGMMA_D##n GSA_WGMMA_I##n(GSA_WGMMA_REGISTERS)     \
                   : GSA_WGMMA_S##n                                           \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b),      \
                     "n"(Accumulate), "n"(AlongRowsB));                       \
    }                                                                         \
  }

#endif  // GSA_DEVICE_PTX_WGMMA_CUH
