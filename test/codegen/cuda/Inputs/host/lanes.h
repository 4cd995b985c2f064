//===- lanes.h - the lanes of a block as fibers ----------------*- C++ -*-===//
//
// Enough of CUDA to run the text of a kernel of select.cuh on a host, as it is:
// every lane is a fiber of one thread, and gives way where lanes meet. Blocks
// are launched one by one.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_HOST_LANES_H
#define GSA_TEST_HOST_LANES_H

#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#define __device__
#define __global__
#define __shared__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(bytes)
// Conversions to 16 bits, which no kernel here has.
#define asm(...)

namespace gsa::dev {
inline unsigned char gsa_shared_memory[1 << 18];
}

namespace host {

struct Fiber {
  ucontext_t context;
  std::vector<char> stack = std::vector<char>(1 << 17);
  bool ended = false;
};

/// What the lanes of a warp say to each other: of the meeting under way, and
/// of the last two, which a slow lane may still read.
struct Warp {
  uint64_t said[32], heard[2][32];
  int arrived = 0, meetings = 0;
};

inline ucontext_t scheduler;
inline std::vector<Fiber> fibers;
inline std::vector<Warp> warps;
inline int current = 0, atBarrier = 0, barriers = 0;
inline std::function<void()> kernel;

inline void giveWay() { swapcontext(&fibers[current].context, &scheduler); }

inline void runFiber() {
  kernel();
  fibers[current].ended = true;
  giveWay();
}

/// Runs a block of `threads` lanes.
inline void launch(int threads, std::function<void()> body) {
  kernel = std::move(body);
  fibers.resize(threads);
  warps.assign(threads / 32, Warp{});
  for (Fiber& fiber : fibers) {
    fiber.ended = false;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = fiber.stack.size();
    makecontext(&fiber.context, runFiber, 0);
  }
  for (bool running = true; running;) {
    running = false;
    for (current = 0; current < threads; ++current) {
      if (fibers[current].ended) continue;
      running = true;
      swapcontext(&scheduler, &fibers[current].context);
    }
  }
}

/// Waits for the warp; returns what its lanes said.
template <class T>
const uint64_t* meet(T value) {
  Warp& warp = warps[current / 32];
  int meeting = warp.meetings;
  warp.said[current % 32] = 0;
  std::memcpy(&warp.said[current % 32], &value, sizeof(value));
  if (++warp.arrived == 32) {
    std::copy(warp.said, warp.said + 32, warp.heard[meeting & 1]);
    warp.arrived = 0;
    ++warp.meetings;
  }
  while (warp.meetings == meeting) giveWay();
  return warp.heard[meeting & 1];
}

template <class T>
T as(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

inline void sync(int threads) {
  int barrier = barriers;
  if (++atBarrier == threads) {
    atBarrier = 0;
    ++barriers;
  }
  while (barriers == barrier) giveWay();
}

struct Number {
  operator int() const { return current; }
};
struct Position {
  int x = 0, y = 0, z = 0;
};
struct Thread {
  Number x;
};

}  // namespace host

inline host::Thread threadIdx;
inline host::Position blockIdx, blockDim, gridDim;

inline void __syncwarp() { host::meet(0); }
inline unsigned __ballot_sync(unsigned, bool value) {
  const uint64_t* said = host::meet(value);
  unsigned ballot = 0;
  for (int lane = 0; lane < 32; ++lane)
    ballot |= static_cast<unsigned>(said[lane]) << lane;
  return ballot;
}
inline bool __any_sync(unsigned all, bool value) {
  return __ballot_sync(all, value) != 0;
}
template <class T>
T __shfl_sync(unsigned, T value, int lane) {
  return host::as<T>(host::meet(value)[lane]);
}
template <class T>
T __shfl_xor_sync(unsigned, T value, int distance) {
  return host::as<T>(host::meet(value)[(host::current % 32) ^ distance]);
}
template <class T>
T __shfl_up_sync(unsigned, T value, int distance) {
  int lane = host::current % 32;
  const uint64_t* said = host::meet(value);
  return host::as<T>(said[lane >= distance ? lane - distance : lane]);
}
template <class T>
T __reduce_add_sync(unsigned, T value) {
  const uint64_t* said = host::meet(value);
  T sum = 0;
  for (int lane = 0; lane < 32; ++lane) sum += host::as<T>(said[lane]);
  return sum;
}
inline unsigned __reduce_max_sync(unsigned, unsigned value) {
  const uint64_t* said = host::meet(value);
  return static_cast<unsigned>(*std::max_element(said, said + 32));
}
inline int atomicAdd(int* word, int value) {
  int before = *word;
  *word += value;
  return before;
}
inline unsigned atomicAdd(unsigned* word, unsigned value) {
  unsigned before = *word;
  *word += value;
  return before;
}
inline unsigned atomicMax(unsigned* word, unsigned value) {
  unsigned before = *word;
  *word = std::max(before, value);
  return before;
}

inline unsigned __float_as_uint(float x) {
  return host::as<unsigned>(__builtin_bit_cast(unsigned, x));
}
inline int __float_as_int(float x) { return __builtin_bit_cast(int, x); }
inline float __int_as_float(int x) { return __builtin_bit_cast(float, x); }
inline float __uint_as_float(unsigned x) {
  return __builtin_bit_cast(float, x);
}
inline float __double2float_rz(double x) { return static_cast<float>(x); }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fadd_rd(float x, float y) {
  float sum = x + y;  // Both are exact as double.
  bool up = static_cast<double>(sum) > static_cast<double>(x) + y;
  return up ? std::nextafterf(sum, -INFINITY) : sum;
}
inline int __ffs(unsigned x) { return __builtin_ffs(static_cast<int>(x)); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline size_t __cvta_generic_to_shared(const void* pointer) {
  return static_cast<const unsigned char*>(pointer) -
         gsa::dev::gsa_shared_memory;
}
using std::max;
using std::min;

#endif  // GSA_TEST_HOST_LANES_H
