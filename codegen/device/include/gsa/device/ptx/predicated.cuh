//===- predicated.cuh - accesses under a condition -*- CUDA -*-===//
//
// PTX ISA 9.3, Predicated Execution. An `if` around an access stays a branch
// until ptxas; as one instruction with a predicate it is none, and the passes
// before have nothing to copy or to move.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_PTX_PREDICATED_CUH
#define GSA_DEVICE_PTX_PREDICATED_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev::ptx {

/// `condition ? base[Index] : other` from global memory that the kernel does
/// not write. No access, and no need of an address, without the condition. Not
/// ld.global.nc: a launch before may write while a dependent one waits for it.
/// PTX: ld.global.f32.
template <int Index>
GSA_DEVICE float load_if(bool condition, const float* base, float other) {
  asm("{\n\t"
      ".reg .pred p;\n\t"
      "setp.ne.s32 p, %2, 0;\n\t"
      "@p ld.global.f32 %0, [%1+%3];\n\t"
      "}"
      : "+f"(other)
      : "l"(__cvta_generic_to_global(base)), "r"(static_cast<int>(condition)),
        "n"(4 * Index));
  return other;
}

/// The number at an address of global memory that the kernel does not write, or
/// `other`. PTX: ld.global.u32.
GSA_DEVICE int load_if(bool condition, const int* address, int other) {
  asm("{\n\t"
      ".reg .pred p;\n\t"
      "setp.ne.s32 p, %2, 0;\n\t"
      "@p ld.global.u32 %0, [%1];\n\t"
      "}"
      : "+r"(other)
      : "l"(__cvta_generic_to_global(address)),
        "r"(static_cast<int>(condition)));
  return other;
}

/// The number at an address in the shared window, or `other`.
/// PTX: ld.shared.u32.
GSA_DEVICE int load_shared_if(bool condition, unsigned address, int other) {
  asm volatile(
      "{\n\t"
      ".reg .pred p;\n\t"
      "setp.ne.s32 p, %2, 0;\n\t"
      "@p ld.shared.u32 %0, [%1];\n\t"
      "}"
      : "+r"(other)
      : "r"(address), "r"(static_cast<int>(condition))
      : "memory");
  return other;
}

/// Writes to global memory. PTX: st.global.u32.
GSA_DEVICE void store_if(bool condition, int* target, int value) {
  asm volatile(
      "{\n\t"
      ".reg .pred p;\n\t"
      "setp.ne.s32 p, %2, 0;\n\t"
      "@p st.global.u32 [%0], %1;\n\t"
      "}" ::"l"(__cvta_generic_to_global(target)),
      "r"(value), "r"(static_cast<int>(condition))
      : "memory");
}

/// Writes a score and its cell to an address in the shared window, and moves it
/// behind them, if the score is at least `bound`. PTX: st.shared.v2.b32.
GSA_DEVICE void stage_pair_if(float score, float bound, unsigned& address,
                              int cell) {
  asm volatile(
      "{\n\t"
      ".reg .pred p;\n\t"
      "setp.ge.f32 p, %1, %2;\n\t"
      "@p st.shared.v2.b32 [%0], {%3, %4};\n\t"
      "@p add.u32 %0, %0, 8;\n\t"
      "}"
      : "+r"(address)
      : "f"(score), "f"(bound), "r"(__float_as_int(score)), "r"(cell)
      : "memory");
}

/// What stage_pair_if wrote. PTX: ld.shared.v2.b32.
GSA_DEVICE int2 load_shared_pair(unsigned address) {
  int2 pair;
  asm volatile("ld.shared.v2.b32 {%0, %1}, [%2];"
               : "=r"(pair.x), "=r"(pair.y)
               : "r"(address)
               : "memory");
  return pair;
}

/// Writes a pair to an address in the shared window. PTX: st.shared.v2.b32.
GSA_DEVICE void store_shared_pair(unsigned address, int2 pair) {
  asm volatile("st.shared.v2.b32 [%0], {%1, %2};" ::"r"(address), "r"(pair.x),
               "r"(pair.y)
               : "memory");
}

/// Four pairs from a multiple of 16 in the shared window to global memory, by
/// two instructions where that is a multiple of 16, too. PTX: ld.shared.v4.b32,
/// st.global.v4.b32.
GSA_DEVICE void copy_shared_pairs(int2* target, unsigned address) {
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    int4 x;
    asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(x.x), "=r"(x.y), "=r"(x.z), "=r"(x.w)
                 : "r"(address + 16 * i)
                 : "memory");
    if (reinterpret_cast<unsigned long long>(target) % 16 == 0) {
      reinterpret_cast<int4*>(target)[i] = x;
    } else {
      target[2 * i] = {x.x, x.y};
      target[2 * i + 1] = {x.z, x.w};
    }
  }
}

/// Writes to an address in the shared window. PTX: st.shared.u32.
GSA_DEVICE void store_shared_if(bool condition, unsigned address,
                                unsigned value) {
  asm volatile(
      "{\n\t"
      ".reg .pred p;\n\t"
      "setp.ne.s32 p, %2, 0;\n\t"
      "@p st.shared.u32 [%0], %1;\n\t"
      "}" ::"r"(address),
      "r"(value), "r"(static_cast<int>(condition))
      : "memory");
}

/// Atomic updates at an address in the shared window. PTX: red.shared.
GSA_DEVICE void add_shared_if(bool condition, unsigned address, int value) {
  asm volatile(
      "{\n\t"
      ".reg .pred p;\n\t"
      "setp.ne.s32 p, %2, 0;\n\t"
      "@p red.shared.add.s32 [%0], %1;\n\t"
      "}" ::"r"(address),
      "r"(value), "r"(static_cast<int>(condition))
      : "memory");
}
GSA_DEVICE void or_shared_if(bool condition, unsigned address, unsigned bits) {
  asm volatile(
      "{\n\t"
      ".reg .pred p;\n\t"
      "setp.ne.s32 p, %2, 0;\n\t"
      "@p red.shared.or.b32 [%0], %1;\n\t"
      "}" ::"r"(address),
      "r"(bits), "r"(static_cast<int>(condition))
      : "memory");
}

}  // namespace gsa::dev::ptx

#endif  // GSA_DEVICE_PTX_PREDICATED_CUH
