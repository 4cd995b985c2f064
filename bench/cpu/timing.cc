// -----------------------------------------------------------------------------
// File: timing.cc
// -----------------------------------------------------------------------------

#include "bench/cpu/timing.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <ctime>

#include "runtime/core/status_macros.h"

namespace gsa::bench {

double NowMs() {
  return std::chrono::duration<double, std::milli>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double CpuMs() {
  timespec time;
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) return 0;
  return time.tv_sec * 1e3 + time.tv_nsec * 1e-6;
}

Sample Sample::Of(std::vector<double> ms) {
  Sample sample;
  if (ms.empty()) return sample;
  std::sort(ms.begin(), ms.end());
  size_t half = ms.size() / 2;
  sample.median = ms.size() % 2 == 1 ? ms[half] : (ms[half - 1] + ms[half]) / 2;
  sample.min = ms.front();
  sample.max = ms.back();
  sample.rounds = static_cast<int>(ms.size());
  return sample;
}

absl::StatusOr<std::vector<Sample>> Measure(
    const std::vector<Candidate>& candidates, const TimingOptions& options) {
  // The warm-up touches all memory, then says how often a candidate must be
  // repeated; the second run is the one that is timed for that.
  std::vector<int64_t> repetitions;
  for (const Candidate& candidate : candidates) {
    double start = NowMs();
    GSA_RETURN_IF_ERROR(candidate.run());
    double first = NowMs() - start;
    double once = first;
    if (first < 10 * options.min_sample_ms) {
      start = NowMs();
      GSA_RETURN_IF_ERROR(candidate.run());
      once = std::max(NowMs() - start, 1e-6);
    }
    repetitions.push_back(std::max<int64_t>(
        1, static_cast<int64_t>(std::ceil(options.min_sample_ms / once))));
  }
  std::vector<std::vector<double>> times(candidates.size()), cpu(times);
  for (int round = 0; round < options.rounds; ++round) {
    for (size_t c = 0; c < candidates.size(); ++c) {
      double start = NowMs(), cpu_start = CpuMs();
      for (int64_t i = 0; i < repetitions[c]; ++i) {
        GSA_RETURN_IF_ERROR(candidates[c].run());
      }
      double wall = NowMs() - start, used = CpuMs() - cpu_start;
      times[c].push_back(wall / repetitions[c]);
      cpu[c].push_back(used / repetitions[c] / options.threads);
    }
  }
  std::vector<Sample> samples;
  for (size_t c = 0; c < candidates.size(); ++c) {
    samples.push_back(Sample::Of(times[c]));
    samples.back().cpu = Sample::Of(cpu[c]).median;
  }
  return samples;
}

}  // namespace gsa::bench
