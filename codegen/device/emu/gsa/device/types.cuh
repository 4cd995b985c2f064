//===- types.cuh - element types, teams, layouts (host) --------*- C++ -*-===//
//
// Host twin of the device header of the same name.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_TYPES_CUH
#define GSA_DEVICE_TYPES_CUH

#include <math.h>

#include "gsa/emu/block.h"

// What CUDA C++ adds to declarations.
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __grid_constant__
#define __launch_bounds__(...)
#define __cluster_dims__(...)

namespace gsa::dev {

/// Vectors lie on a multiple of their bytes, as on the device.
inline void check_vector(const char* function, const void* address,
                         size_t bytes) {
  if (reinterpret_cast<uintptr_t>(address) % bytes != 0)
    emu::fail(function, "a vector of %d bytes does not lie on a multiple of it",
              static_cast<int>(bytes));
}

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

/// The bits of a number as another type of the same size.
template <class To, class From>
To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From), "bit_cast keeps the size");
  To to;
  memcpy(&to, &from, sizeof(to));
  return to;
}

/// Rounds to a 16-bit format of `Exponent` and `Mantissa` bits, to nearest,
/// ties to even, in one step.
template <int Exponent, int Mantissa>
uint16_t round_to_16_bits(double value) {
  constexpr int kBias = (1 << (Exponent - 1)) - 1;
  constexpr int kInfinity = ((1 << Exponent) - 1) << Mantissa;
  uint16_t sign = bit_cast<uint64_t>(value) >> 63 << 15;
  double magnitude = fabs(value);
  if (value != value) return sign | kInfinity | 1 << (Mantissa - 1);
  if (magnitude == 0) return sign;
  if (magnitude == INFINITY) return sign | kInfinity;
  int exponent;
  frexp(magnitude, &exponent);  // magnitude = f 2^exponent, 0.5 <= f < 1
  if (exponent > kBias + 1) return sign | kInfinity;
  exponent = exponent < 2 - kBias ? 2 - kBias : exponent;
  // Units of the last place; rint rounds ties to even. A carry into the
  // exponent, to infinity at last, is what the encoding does by itself.
  double units = rint(ldexp(magnitude, Mantissa + 1 - exponent));
  return sign | static_cast<uint16_t>(((exponent + kBias - 2) << Mantissa) +
                                      static_cast<int>(units));
}

/// 16-bit floats as bits; arithmetic is done in float.
struct bf16 {
  unsigned short bits;
};
struct f16 {
  unsigned short bits;
};

template <class A, class B>
inline constexpr bool is_same = false;
template <class A>
inline constexpr bool is_same<A, A> = true;
template <class T>
inline constexpr bool is_half = is_same<T, bf16> || is_same<T, f16>;

template <class T = float>
T infinity() {
  return static_cast<T>(INFINITY);
}
template <class T = float>
T quiet_nan() {
  return static_cast<T>(NAN);
}

inline float to_float(float x) { return x; }
inline float to_float(double x) { return static_cast<float>(x); }
inline float to_float(int x) { return static_cast<float>(x); }
inline float to_float(long long x) { return static_cast<float>(x); }
inline float to_float(bf16 x) {
  return bit_cast<float>(static_cast<uint32_t>(x.bits) << 16);
}
inline float to_float(f16 x) {
  int exponent = x.bits >> 10 & 31, mantissa = x.bits & 1023;
  float magnitude = exponent == 31 ? (mantissa ? NAN : INFINITY)
                    : exponent == 0
                        ? static_cast<float>(mantissa) * 0x1p-24f
                        : bit_cast<float>(static_cast<uint32_t>(
                              (exponent + 112) << 23 | mantissa << 13));
  return x.bits >> 15 ? -magnitude : magnitude;
}

inline bf16 to_bf16(float x) {
  uint32_t word = bit_cast<uint32_t>(x);
  uint32_t rounded = x != x ? 0x7FFF : (word + 0x7FFF + (word >> 16 & 1)) >> 16;
  return {static_cast<unsigned short>(rounded)};
}
inline f16 to_f16(float x) { return {round_to_16_bits<5, 10>(x)}; }

template <class T>
struct converter {
  template <class S>
  static T run(S x) {
    return static_cast<T>(x);
  }
  static T run(bf16 x) { return static_cast<T>(to_float(x)); }
  static T run(f16 x) { return static_cast<T>(to_float(x)); }
};
template <>
struct converter<bf16> {
  static bf16 run(bf16 x) { return x; }
  static bf16 run(f16 x) { return to_bf16(to_float(x)); }
  static bf16 run(float x) { return to_bf16(x); }
  static bf16 run(double x) { return {round_to_16_bits<8, 7>(x)}; }
  static bf16 run(int x) { return run(static_cast<double>(x)); }
  static bf16 run(long long x) { return run(static_cast<double>(x)); }
};
template <>
struct converter<f16> {
  static f16 run(f16 x) { return x; }
  static f16 run(bf16 x) { return to_f16(to_float(x)); }
  static f16 run(float x) { return to_f16(x); }
  static f16 run(double x) { return {round_to_16_bits<5, 10>(x)}; }
  static f16 run(int x) { return run(static_cast<double>(x)); }
  static f16 run(long long x) { return run(static_cast<double>(x)); }
};

/// Any scalar to any other. Floats to 16 bits, once, to nearest even; floats
/// to integers as in C++.
template <class T, class S>
T convert_to(S x) {
  return converter<T>::run(x);
}

//===----------------------------------------------------------------------===//
// Teams, layouts, activations
//===----------------------------------------------------------------------===//

/// Warps First ... First + Count - 1 of a block.
template <int First, int Count>
struct team {
  static_assert(First >= 0 && Count >= 1 && First + Count <= 32,
                "a team is within the 32 warps of a block");
  static constexpr int first = First;
  static constexpr int count = Count;
};

/// Order of the elements of a tile; here all tiles are row by row.
enum class smem_layout { linear, swizzle, swizzle_128b };
enum class frag_layout { acc, lhs };
enum class activation { identity, sigmoid, tanh, silu, relu, fast_tanh };
inline constexpr smem_layout linear = smem_layout::linear;
inline constexpr smem_layout swizzle = smem_layout::swizzle;
inline constexpr smem_layout swizzle_128b = smem_layout::swizzle_128b;
inline constexpr frag_layout acc = frag_layout::acc;
inline constexpr frag_layout lhs = frag_layout::lhs;

}  // namespace gsa::dev

#endif  // GSA_DEVICE_TYPES_CUH
