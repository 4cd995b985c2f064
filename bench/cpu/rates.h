// -----------------------------------------------------------------------------
// File: rates.h
// -----------------------------------------------------------------------------
//
// What this machine can do, measured: the denominators of every "% of bound".
// A rate is the best of several rounds, because it states a capability.

#ifndef GSA_BENCH_CPU_RATES_H_
#define GSA_BENCH_CPU_RATES_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "runtime/core/thread_pool.h"

namespace gsa::bench {

// Bytes per second by where the data lives, all threads together. Copies count
// the bytes read and the bytes written.
struct Bandwidth {
  double l2 = 0;
  double l3 = 0;
  double memory = 0;
};

struct MachineRates {
  int threads = 1;
  int vector_bits = 128;  // of the measuring loops
  int64_t l2_bytes = 0;   // of one core
  int64_t l3_bytes = 0;
  bool caches_known = false;  // else the sizes are guesses

  // Per second, all threads together.
  double fma_one_thread = 0;  // f32, one thread
  double fma = 0;             // f32
  double exp_loop = 0;        // f32, a polynomial written with vectors
  double exp_compiled = 0;    // f32, math.exp through gsa::Plan
  double sigmoid_loop = 0;
  double sigmoid_compiled = 0;
  double sincos = 0;  // f64 pairs of sin and cos by the C library
  Bandwidth read;
  Bandwidth copy;

  // The better of the two implementations: what the machine can do.
  double exp() const {
    return exp_loop > exp_compiled ? exp_loop : exp_compiled;
  }
  double sigmoid() const {
    return sigmoid_loop > sigmoid_compiled ? sigmoid_loop : sigmoid_compiled;
  }
};

// On all threads of `pool`. Each rate is the best of 25 x `rounds` samples;
// `quick` takes 15 and touches less memory.
absl::StatusOr<MachineRates> MeasureRates(ThreadPool* pool, int rounds,
                                          bool quick);

}  // namespace gsa::bench

#endif  // GSA_BENCH_CPU_RATES_H_
