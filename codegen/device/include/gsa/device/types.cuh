//===- types.cuh - scalars of the device library -*- CUDA -*-===//
//
// The device library is self-contained: it includes neither CUDA nor standard
// headers, so that NVRTC compiles it from memory in a few milliseconds.
//
// Scalars are int (MLIR index and i32), long long (i64), signed char (i8),
// float, double and the two 16-bit types below.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_TYPES_CUH
#define GSA_DEVICE_TYPES_CUH

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#error "gsa device code needs sm_80 or later (cp.async, mbarrier, bf16)"
#endif

#define GSA_DEVICE __device__ __forceinline__

namespace gsa::dev {

/// 16-bit floats as bits; arithmetic is done in float.
struct alignas(2) bf16 {
  unsigned short bits;
};
struct alignas(2) f16 {
  unsigned short bits;
};

/// Layouts and activations as the types and attributes of the dialect spell
/// them; `acc` is short for `frag_layout::acc`.
enum class smem_layout { linear, swizzle, swizzle_128b };
enum class frag_layout { acc, lhs };
enum class activation { identity, sigmoid, tanh, silu, relu, fast_tanh };
inline constexpr smem_layout linear = smem_layout::linear;
inline constexpr smem_layout swizzle = smem_layout::swizzle;
inline constexpr smem_layout swizzle_128b = smem_layout::swizzle_128b;
inline constexpr frag_layout acc = frag_layout::acc;
inline constexpr frag_layout lhs = frag_layout::lhs;

template <class A, class B>
inline constexpr bool is_same = false;
template <class A>
inline constexpr bool is_same<A, A> = true;
template <class T>
inline constexpr bool is_half = is_same<T, bf16> || is_same<T, f16>;

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// The bits of a number as another type of the same size.
template <class To, class From>
GSA_DEVICE To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From), "bit_cast keeps the size");
  return __builtin_bit_cast(To, from);
}

/// For float and double.
template <class T = float>
GSA_DEVICE T infinity() {
  return static_cast<T>(__int_as_float(0x7f800000));
}
template <class T = float>
GSA_DEVICE T quiet_nan() {
  return static_cast<T>(__int_as_float(0x7fc00000));
}

GSA_DEVICE float to_float(float x) { return x; }
GSA_DEVICE float to_float(double x) { return static_cast<float>(x); }
GSA_DEVICE float to_float(int x) { return static_cast<float>(x); }
GSA_DEVICE float to_float(long long x) { return static_cast<float>(x); }
/// Exact.
GSA_DEVICE float to_float(bf16 x) {
  return __uint_as_float(static_cast<unsigned>(x.bits) << 16);
}
/// Exact. PTX: cvt.f32.f16 (ISA 9.7.9, Data Movement and Conversion: cvt).
GSA_DEVICE float to_float(f16 x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
}

/// To nearest even; NaN stays NaN, overflow gives infinity.
/// PTX: cvt.rn.bf16.f32 (ISA: cvt).
GSA_DEVICE bf16 to_bf16(float x) {
  bf16 y;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
  return y;
}
/// PTX: cvt.rn.f16.f32 (ISA: cvt).
GSA_DEVICE f16 to_f16(float x) {
  f16 y;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
  return y;
}

/// Rounds to odd: a later rounding to fewer bits to nearest even then gives
/// what one rounding from double would have given.
GSA_DEVICE float to_float_odd(double x) {
  float y = __double2float_rz(x);
  bool inexact = static_cast<double>(y) != x && x == x;
  return inexact ? __int_as_float(__float_as_int(y) | 1) : y;
}

/// To 16 bits from a type other than the 16-bit ones.
template <class T, class S>
GSA_DEVICE T to_half(S x) {
  float narrow;
  if constexpr (is_same<S, float>)
    narrow = x;
  else
    narrow = to_float_odd(static_cast<double>(x));
  if constexpr (is_same<T, bf16>)
    return to_bf16(narrow);
  else
    return to_f16(narrow);
}

/// Any scalar to any other. To 16 bits rounds once, to nearest even (integers
/// beyond 2^53 first to double); floats to integers as in C++.
template <class T, class S>
GSA_DEVICE T convert_to(S x) {
  if constexpr (is_same<T, S>)
    return x;
  else if constexpr (is_half<S>)
    return convert_to<T>(to_float(x));
  else if constexpr (is_half<T>)
    return to_half<T>(x);
  else
    return static_cast<T>(x);
}

/// Two numbers as the halves of a register, `low` in the low half.
/// PTX: cvt.rn.bf16x2.f32, cvt.rn.f16x2.f32 (ISA: cvt).
template <class T>
GSA_DEVICE unsigned pack(float low, float high) {
  static_assert(is_half<T>, "pack needs a 16-bit float");
  unsigned y;
  if constexpr (is_same<T, bf16>)
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(high), "f"(low));
  else
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(high), "f"(low));
  return y;
}

/// Number `half` (0 or 1) of a packed register.
template <class T>
GSA_DEVICE float unpack(unsigned x, int half) {
  static_assert(is_half<T>, "unpack needs a 16-bit float");
  return to_float(T{static_cast<unsigned short>(half ? x >> 16 : x)});
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_TYPES_CUH
