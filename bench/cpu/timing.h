// -----------------------------------------------------------------------------
// File: timing.h
// -----------------------------------------------------------------------------
//
// How times are taken: every candidate is warmed up, then all candidates run
// once per round, in turn, so that a slow minute of the machine hits all of
// them; the median over the rounds is reported with the minimum and the spread.

#ifndef GSA_BENCH_CPU_TIMING_H_
#define GSA_BENCH_CPU_TIMING_H_

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gsa::bench {

// Milliseconds of one candidate over all rounds.
struct Sample {
  double median = 0;
  double min = 0;
  double max = 0;
  // Median of the process's CPU time divided by the number of threads. Wall
  // time far above it means that other processes had the CPUs, or that threads
  // slept because there was too little to share out.
  double cpu = 0;
  int rounds = 0;

  // (max - min) / median.
  double spread() const { return median > 0 ? (max - min) / median : 0; }

  static Sample Of(std::vector<double> milliseconds);
};

struct Candidate {
  // Runs once. Called several times per round if one call is short.
  std::function<absl::Status()> run;
};

struct TimingOptions {
  int rounds = 7;
  // A candidate is repeated within a round until it has run this long; its
  // time is then the mean of the repetitions.
  double min_sample_ms = 10;
  // Threads that a candidate uses; divides CPU times.
  int threads = 1;
};

// The times of each candidate, in order. Fails as soon as a candidate fails.
absl::StatusOr<std::vector<Sample>> Measure(
    const std::vector<Candidate>& candidates, const TimingOptions& options);

// Milliseconds on a steady clock, and of CPU time of all threads so far.
double NowMs();
double CpuMs();

}  // namespace gsa::bench

#endif  // GSA_BENCH_CPU_TIMING_H_
