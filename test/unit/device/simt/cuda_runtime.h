// -----------------------------------------------------------------------------
// File: cuda_runtime.h
// -----------------------------------------------------------------------------
//
// What device text and its tests use of CUDA C++ and of the CUDA runtime, for
// the host (simt.h). Intrinsics are those of the CUDA C++ programming guide and
// the CUDA math API; device memory is host memory.

#ifndef GSA_TEST_UNIT_DEVICE_SIMT_CUDA_RUNTIME_H_
#define GSA_TEST_UNIT_DEVICE_SIMT_CUDA_RUNTIME_H_

#include <math.h>

#include <cfenv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>

#include "simt.h"

#define __device__
#define __global__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __shared__
#define __align__(bytes) __attribute__((aligned(bytes)))

// NOLINTBEGIN: names and types are CUDA's.

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};
extern dim3 threadIdx, blockIdx, blockDim, gridDim;

struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) {
  return {x, y, z, w};
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

inline int min(int x, int y) { return x < y ? x : y; }
inline int max(int x, int y) { return x > y ? x : y; }
inline unsigned min(unsigned x, unsigned y) { return x < y ? x : y; }
inline unsigned max(unsigned x, unsigned y) { return x > y ? x : y; }
inline long long min(long long x, long long y) { return x < y ? x : y; }
inline long long max(long long x, long long y) { return x > y ? x : y; }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(unsigned x) { return __builtin_ffs(static_cast<int>(x)); }
inline float __int_as_float(int x) {
  return simt::FromBits<float>(simt::ToBits(x));
}
inline float __uint_as_float(unsigned x) {
  return simt::FromBits<float>(simt::ToBits(x));
}
inline int __float_as_int(float x) {
  return simt::FromBits<int>(simt::ToBits(x));
}
inline unsigned __float_as_uint(float x) {
  return simt::FromBits<unsigned>(simt::ToBits(x));
}
inline double __longlong_as_double(long long x) {
  return simt::FromBits<double>(simt::ToBits(x));
}
inline long long __double_as_longlong(double x) {
  return simt::FromBits<long long>(simt::ToBits(x));
}
// Towards zero: the nearest number, less one place where that is further away.
inline float __double2float_rz(double x) {
  const float nearest = static_cast<float>(x);
  return std::fabs(static_cast<double>(nearest)) > std::fabs(x)
             ? nextafterf(nearest, 0.0f)
             : nearest;
}
inline float __fadd_rn(float x, float y) { return x + y; }
// Towards minus infinity. The sum of two floats is exact in double but for
// magnitudes far apart, of which the error's sign is the smaller one's.
inline float __fadd_rd(float x, float y) {
  const float sum = x + y;
  if (!(sum - sum == 0.0f)) return sum;
  const float part = sum - x;
  const double error =
      (double{x} - (double{sum} - double{part})) + (double{y} - double{part});
  return error < 0 ? nextafterf(sum, -INFINITY) : sum;
}
inline double sinpi(double x) {
  const double rest = remainder(x, 2.0);  // exact, in [-1, 1]
  return sin(M_PI * (fabs(rest) > 0.5 ? copysign(1 - fabs(rest), rest) : rest));
}
inline double cospi(double x) {
  const double rest = fabs(remainder(x, 2.0));
  return rest > 0.25 && rest < 0.75 ? sinpi(0.5 - rest) : cos(M_PI * rest);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

inline size_t __cvta_generic_to_shared(const void* pointer) {
  return simt::SharedAddress(pointer);
}
inline size_t __cvta_generic_to_global(const void* pointer) {
  return reinterpret_cast<size_t>(pointer);
}
inline bool __isGlobal(const void*) { return true; }

template <class T>
T atomicAdd(T* word, T value) {
  const T before = *word;
  *word += value;
  return before;
}
template <class T>
T atomicMax(T* word, T value) {
  const T before = *word;
  if (value > before) *word = value;
  return before;
}
template <class T>
T atomicOr(T* word, T value) {
  const T before = *word;
  *word |= value;
  return before;
}

//===----------------------------------------------------------------------===//
// Warps and blocks
//===----------------------------------------------------------------------===//

inline void __nanosleep(unsigned) {}
inline void __syncwarp() { simt::Exchange("__syncwarp", 0); }
inline void __syncthreads() { simt::BarrierSync(0, simt::NumThreads()); }
// Blocks run one after the other, and nobody is at the next call before all
// have left this one.
inline int __syncthreads_or(int predicate) {
  static bool any = false;
  if (predicate != 0) any = true;
  __syncthreads();
  const bool result = any;
  __syncthreads();
  any = false;
  __syncthreads();
  return result ? 1 : 0;
}

namespace simt {

inline int Lane() { return Thread() % kWarpSize; }

// All lanes take part: the device library has other masks in shuffles alone.
inline void CheckMask(unsigned mask) {
  if (mask != kAllLanes) Fail("a mask of %08x", mask);
}

// The value of lane `from`, if it is one of the segment's `width` lanes; it has
// to be one of those that take part.
template <class T>
T Shuffle(unsigned mask, const char* name, T value, int from, int width) {
  const uint64_t* values = Exchange(name, ToBits(value), mask);
  const int first = Lane() / width * width;
  if (from < first || from >= first + width) return value;
  if ((mask >> from & 1) == 0)
    Fail("%s from lane %d, lanes %08x take part", name, from, mask);
  return FromBits<T>(values[from]);
}

template <class T, class F>
T Fold(unsigned mask, const char* name, T value, F f) {
  CheckMask(mask);
  const uint64_t* values = Exchange(name, ToBits(value));
  T result = FromBits<T>(values[0]);
  for (int i = 1; i < kWarpSize; ++i)
    result = f(result, FromBits<T>(values[i]));
  return result;
}

}  // namespace simt

template <class T>
T __shfl_sync(unsigned mask, T value, int from, int width = 32) {
  return simt::Shuffle(mask, "__shfl_sync", value,
                       simt::Lane() / width * width + (from & (width - 1)),
                       width);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, int distance, int width = 32) {
  return simt::Shuffle(mask, "__shfl_up_sync", value, simt::Lane() - distance,
                       width);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, int distance, int width = 32) {
  return simt::Shuffle(mask, "__shfl_down_sync", value, simt::Lane() + distance,
                       width);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits) {
  return simt::Shuffle(mask, "__shfl_xor_sync", value, simt::Lane() ^ bits, 32);
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  simt::CheckMask(mask);
  const uint64_t* values = simt::Exchange("__ballot_sync", predicate != 0);
  unsigned ballot = 0;
  for (int i = 0; i < 32; ++i) ballot |= static_cast<unsigned>(values[i]) << i;
  return ballot;
}
inline int __any_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate) != 0;
}
inline int __reduce_add_sync(unsigned mask, int value) {
  return simt::Fold(mask, "__reduce_add_sync", value, [](int x, int y) {
    return static_cast<int>(static_cast<unsigned>(x) +
                            static_cast<unsigned>(y));
  });
}
inline unsigned __reduce_add_sync(unsigned mask, unsigned value) {
  return simt::Fold(mask, "__reduce_add_sync", value,
                    [](unsigned x, unsigned y) { return x + y; });
}
inline int __reduce_max_sync(unsigned mask, int value) {
  return simt::Fold(mask, "__reduce_max_sync", value,
                    [](int x, int y) { return max(x, y); });
}
inline unsigned __reduce_max_sync(unsigned mask, unsigned value) {
  return simt::Fold(mask, "__reduce_max_sync", value,
                    [](unsigned x, unsigned y) { return max(x, y); });
}

//===----------------------------------------------------------------------===//
// The runtime
//===----------------------------------------------------------------------===//

enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidValue = 1 };
inline const char* cudaGetErrorString(cudaError_t) { return "an error"; }

template <class T>
cudaError_t cudaMallocManaged(T** pointer, size_t bytes) {
  // The alignment of cudaMalloc.
  *pointer = static_cast<T*>(aligned_alloc(256, (bytes + 255) / 256 * 256));
  return cudaSuccess;
}
inline cudaError_t cudaFree(void* pointer) {
  free(pointer);
  return cudaSuccess;
}

#define CUDART_VERSION 12000
enum cudaDriverEntryPointQueryResult { cudaDriverEntryPointSuccess };
enum { cudaEnableDefault = 0 };

// NOLINTEND

#include "instructions.h"

#endif  // GSA_TEST_UNIT_DEVICE_SIMT_CUDA_RUNTIME_H_
