//===- harness.cuh - checks of the device library on a GPU -*- CUDA -*-===//
//
// A suite checks one device function: a kernel calls it, the host computes the
// same from its definition in double. One line is printed per suite.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_GPU_SELFTEST_HARNESS_CUH
#define GSA_TEST_GPU_SELFTEST_HARNESS_CUH

#include <cuda_runtime.h>

#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "gsa/device/tile.cuh"
#if defined(GSA_SELFTEST_HOST)  // test/unit/device/simt
#include "wgmma_macro.h"
#endif

namespace selftest {

using namespace gsa::dev;

#if defined(GSA_SELFTEST_HOST)
/// Of a list of many cases every so many; a GPU takes them all.
inline constexpr int kCaseStep = 23;
#else
inline constexpr int kCaseStep = 1;
#endif

inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Ends the program: after an error of CUDA no result can be trusted.
inline void require(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::printf("FAIL %s: %s\n", what, cudaGetErrorString(error));
  std::exit(2);
}

inline int& failed_suites() {
  static int count = 0;
  return count;
}

class Suite {
 public:
  explicit Suite(std::string name) : name_(std::move(name)) {}
  Suite(const Suite&) = delete;
  Suite& operator=(const Suite&) = delete;
  ~Suite() {
    if (failures_ == 0 && checks_ > 0) {
      std::printf("PASS %s (%lld checks)\n", name_.c_str(), checks_);
    } else {
      std::printf("FAIL %s (%lld of %lld checks)\n", name_.c_str(), failures_,
                  checks_);
      ++failed_suites();
    }
    std::fflush(stdout);
  }

  /// What the next checks are about.
  void Context(const char* format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    context_ = text;
  }

  /// NaN equals NaN; infinities are equal to themselves only.
  void Near(double got, double want, double tolerance, int i = 0, int j = 0) {
    ++checks_;
    bool ok = std::isnan(want)   ? std::isnan(got)
              : std::isinf(want) ? got == want
                                 : std::fabs(got - want) <= tolerance;
    if (ok) return;
    if (++failures_ <= 5)
      std::printf("  %s: %s [%d, %d]: got %.9g, expected %.9g +- %.2g\n",
                  name_.c_str(), context_.c_str(), i, j, got, want, tolerance);
  }
  void Equal(double got, double want, int i = 0, int j = 0) {
    Near(got, want, 0, i, j);
  }

 private:
  std::string name_;
  std::string context_;
  long long checks_ = 0;
  long long failures_ = 0;
};

/// Memory of both host and device.
template <class T>
class Array {
 public:
  explicit Array(long long size) : size_(size) {
    require(cudaMallocManaged(&data_, (size ? size : 1) * sizeof(T)),
            "cudaMallocManaged");
    std::memset(data_, 0xff, size * sizeof(T));  // NaN in all floats
  }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() { cudaFree(data_); }

  T* data() const { return data_; }
  long long size() const { return size_; }
  T& operator[](long long i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
  long long size_;
};

/// Runs a kernel on one block (or more) with dynamic shared memory and waits.
template <class Kernel, class... Arguments>
void launch(const char* what, Kernel* kernel, int blocks, int warps, int shared,
            Arguments... arguments) {
#if defined(GSA_SELFTEST_HOST)
  static_cast<void>(what);
  simt::Run({static_cast<unsigned>(blocks), 1, 1}, 32 * warps, shared,
            [&] { kernel(arguments...); });
#else
  require(cudaFuncSetAttribute(
              kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared),
          what);
  // clang-format off
  kernel<<<blocks, 32 * warps, shared>>>(arguments...);
  // clang-format on
  require(cudaGetLastError(), what);
  require(cudaDeviceSynchronize(), what);
#endif
}

//===----------------------------------------------------------------------===//
// Numbers on the host
//===----------------------------------------------------------------------===//

/// To the nearest number of `fraction` bits and an exponent of at least
/// `least`, ties to even, once.
inline double round_to(double x, int fraction, int least, double largest) {
  if (!std::isfinite(x) || x == 0) return x;
  int exponent;
  std::frexp(x, &exponent);  // |x| in [2^(e-1), 2^e)
  int unit = std::max(exponent - 1, least) - fraction;
  double rounded = std::ldexp(std::nearbyint(std::ldexp(x, -unit)), unit);
  return std::fabs(rounded) > largest ? std::copysign(kInf, x) : rounded;
}

template <class T>
struct format;
template <>
struct format<bf16> {
  static constexpr const char* name = "bf16";
  static constexpr int fraction = 7, least = -126;
  static double largest() { return std::ldexp(255.0, 120); }
};
template <>
struct format<f16> {
  static constexpr const char* name = "f16";
  static constexpr int fraction = 10, least = -14;
  static double largest() { return 65504; }
};
template <>
struct format<float> {
  static constexpr const char* name = "float";
};
template <>
struct format<int> {
  static constexpr const char* name = "int";
};
template <>
struct format<signed char> {
  static constexpr const char* name = "i8";
};

template <class T>
double to_host(T x) {
  return static_cast<double>(x);
}
template <>
inline double to_host<bf16>(bf16 x) {
  uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float y;
  std::memcpy(&y, &bits, sizeof(y));
  return y;
}
template <>
inline double to_host<f16>(f16 x) {
  int exponent = (x.bits >> 10) & 31, fraction = x.bits & 1023;
  double y = exponent == 31  ? (fraction ? kNan : kInf)
             : exponent == 0 ? std::ldexp(fraction, -24)
                             : std::ldexp(1024 + fraction, exponent - 25);
  return x.bits >> 15 ? -y : y;
}

/// What the type holds of x.
template <class T>
double rounded(double x) {
  if constexpr (is_half<T>)
    return round_to(x, format<T>::fraction, format<T>::least,
                    format<T>::largest());
  else
    return to_host(static_cast<T>(x));
}

/// x, which the type holds exactly or which is NaN.
template <class T>
T from_host(double x) {
  if constexpr (!is_half<T>) {
    return static_cast<T>(x);
  } else {
    if (std::isnan(x)) return T{0x7fff};
    unsigned short sign = std::signbit(x) ? 0x8000 : 0;
    // Magnitudes are in the order of their bits.
    unsigned short low = 0, high = is_same<T, bf16> ? 0x7f80 : 0x7c00;
    while (low < high) {
      unsigned short middle = (low + high) / 2;
      if (to_host(T{middle}) < std::fabs(x))
        low = middle + 1;
      else
        high = middle;
    }
    return T{static_cast<unsigned short>(low | sign)};
  }
}

/// The same numbers in every run.
class Random {
 public:
  explicit Random(int seed) : engine_(seed) {}
  double Uniform(double low, double high) {
    return low + (high - low) * (engine_() / 4294967296.0);
  }
  int Integer(int low, int high) {  // both included
    return low + static_cast<int>(engine_() % (high - low + 1));
  }
  /// Numbers that T holds.
  template <class T>
  void Fill(const Array<T>& array, double low = -1, double high = 1) {
    for (long long i = 0; i < array.size(); ++i) {
      double x = is_same<T, float> || is_half<T> ? Uniform(low, high)
                                                 : Integer(-100, 100);
      array[i] = from_host<T>(rounded<T>(x));
    }
  }

 private:
  std::mt19937 engine_;
};

template <class T>
void fill_array(const Array<T>& array, const std::vector<double>& values) {
  for (long long i = 0; i < array.size(); ++i)
    array[i] = from_host<T>(values[i]);
}

template <class T>
void check_array(Suite& suite, const Array<T>& got,
                 const std::vector<double>& want, int columns) {
  for (long long i = 0; i < got.size(); ++i)
    suite.Equal(to_host(got[i]), want[i], static_cast<int>(i / columns),
                static_cast<int>(i % columns));
}

/// Fills a tile from a dense array of its shape.
template <class T, int R, int C, smem_layout L>
__device__ void put_tile(smem<T, R, C, L> tile, const T* from) {
  for (int i = threadIdx.x; i < R * C; i += blockDim.x)
    tile.at(i / C, i % C) = from[i];
  __syncthreads();
}

template <class T, int R, int C, smem_layout L>
__device__ void get_tile(smem<T, R, C, L> tile, T* to) {
  __syncthreads();
  for (int i = threadIdx.x; i < R * C; i += blockDim.x)
    to[i] = tile.at(i / C, i % C);
}

/// Fills and reads a fragment by its definition.
template <class T, int C>
__device__ void put_dense(frag<T, 16, C, acc>& frag, const T* from) {
  for_elements(frag, [=](T& x, int r, int c) { x = from[r * C + c]; });
}
template <class T, int C>
__device__ void get_dense(frag<T, 16, C, acc>& frag, T* to) {
  for_elements(frag, [=](T& x, int r, int c) { to[r * C + c] = x; });
}
__device__ inline void put_dense(rowvec<float, 16>& rows, const float* from) {
  rows.x[0] = from[lane() / 4];
  rows.x[1] = from[lane() / 4 + 8];
}
__device__ inline void get_dense(const rowvec<float, 16>& rows, float* to) {
  to[lane() / 4] = rows.x[0];
  to[lane() / 4 + 8] = rows.x[1];
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_HARNESS_CUH
