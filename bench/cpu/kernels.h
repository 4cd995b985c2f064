// -----------------------------------------------------------------------------
// File: kernels.h
// -----------------------------------------------------------------------------
//
// The loops that measure what a CPU can do. They are compiled once for each
// vector width of the architecture (kernels.cc with different flags) and chosen
// at run time. They do not use the compiler under test.

#ifndef GSA_BENCH_CPU_KERNELS_H_
#define GSA_BENCH_CPU_KERNELS_H_

#include <cstdint>

namespace gsa::bench {

struct Kernels {
  int vector_bits;

  // Runs `iterations` rounds of independent chains of fused multiply-adds that
  // stay in registers; returns the number of f32 FMAs done. `sink` receives a
  // value that depends on all of them.
  int64_t (*fma)(int64_t iterations, float* sink);

  // y[i] = exp(x[i]) and y[i] = 1 / (1 + exp(-x[i])), relative error about
  // 2e-7 for |x| < 80. `n` is a multiple of 64.
  void (*exp)(const float* x, float* y, int64_t n);
  void (*sigmoid)(const float* x, float* y, int64_t n);

  // The sum of x; `n` is a multiple of 256, x 64-byte aligned.
  float (*read)(const float* x, int64_t n);
  // y = x, with ordinary stores.
  void (*copy)(const float* x, float* y, int64_t n);
};

// The widest variant that this CPU can run.
const Kernels& BestKernels();

}  // namespace gsa::bench

#endif  // GSA_BENCH_CPU_KERNELS_H_
