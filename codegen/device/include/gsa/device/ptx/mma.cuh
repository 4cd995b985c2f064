//===- mma.cuh - tensor cores and their operands -*- CUDA -*-===//
//
// PTX ISA 9.7.15, Warp Level Matrix Multiply-Accumulate: mma, ldmatrix.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_PTX_MMA_CUH
#define GSA_DEVICE_PTX_MMA_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev::ptx {

/// `acc[16, 8] += lhs[16, 16] * rhs[16, 8]`; sums in float.
/// PTX: mma.sync.aligned.m16n8k16.row.col.f32.{bf16.bf16,f16.f16}.f32.
template <class T>
GSA_DEVICE void mma_m16n8k16(float (&acc)[4], const unsigned (&lhs)[4],
                             unsigned rhs0, unsigned rhs1) {
  static_assert(is_half<T>, "mma.sync takes bf16 and f16");
  if constexpr (is_same<T, bf16>)
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(acc[0]), "+f"(acc[1]), "+f"(acc[2]), "+f"(acc[3])
        : "r"(lhs[0]), "r"(lhs[1]), "r"(lhs[2]), "r"(lhs[3]), "r"(rhs0),
          "r"(rhs1));
  else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(acc[0]), "+f"(acc[1]), "+f"(acc[2]), "+f"(acc[3])
        : "r"(lhs[0]), "r"(lhs[1]), "r"(lhs[2]), "r"(lhs[3]), "r"(rhs0),
          "r"(rhs1));
}

/// Four matrices of 8 x 8 16-bit elements; lanes 8 i to 8 i + 7 give the
/// addresses of the rows of matrix i. `Transpose` transposes each.
/// PTX: ldmatrix.sync.aligned.m8n8.x4[.trans].shared.b16.
template <bool Transpose>
GSA_DEVICE void ldmatrix_x4(unsigned (&to)[4], unsigned row) {
  if constexpr (Transpose)
    asm volatile(
        "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, "
        "[%4];"
        : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
        : "r"(row)
        : "memory");
  else
    asm volatile(
        "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
        : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
        : "r"(row)
        : "memory");
}

/// Two matrices; addresses from lanes 0 to 15.
/// PTX: ldmatrix.sync.aligned.m8n8.x2[.trans].shared.b16.
template <bool Transpose>
GSA_DEVICE void ldmatrix_x2(unsigned (&to)[2], unsigned row) {
  if constexpr (Transpose)
    asm volatile(
        "ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
        : "=r"(to[0]), "=r"(to[1])
        : "r"(row)
        : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(to[0]), "=r"(to[1])
                 : "r"(row)
                 : "memory");
}

}  // namespace gsa::dev::ptx

#endif  // GSA_DEVICE_PTX_MMA_CUH
