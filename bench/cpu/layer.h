// -----------------------------------------------------------------------------
// File: layer.h
// -----------------------------------------------------------------------------
//
// The whole layer of the examples: how long it compiles, from text to the first
// result, and how long it runs, stage by stage.

#ifndef GSA_BENCH_CPU_LAYER_H_
#define GSA_BENCH_CPU_LAYER_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/cpu/plan_runner.h"
#include "bench/cpu/suite.h"

namespace gsa::bench {

// Appends the records "compile" (its stages are compilation phases), "layer"
// and one "layer.<stage>" for each stage whose cost is known.
absl::Status MeasureLayer(const BenchOptions& options, ThreadPool* pool,
                          Results* results);

// What MeasureLayer would say of the module before it measures.
absl::Status CheckLayer(const BenchOptions& options);

// The bytes of a file; NotFound with its path and the cause.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Progress on stderr.
void Say(const std::string& what);

// Collects the zone times of a runner's runs.
class ZoneTimes {
 public:
  // `runner` must outlive this object.
  explicit ZoneTimes(const PlanRunner& runner);
  // Call after each run.
  void Add();
  // By zone, in the plan's order.
  std::vector<std::pair<std::string, Sample>> Samples() const;
  std::vector<std::pair<std::string, double>> Medians() const;

 private:
  const PlanRunner& runner_;
  std::map<std::string, std::vector<double>> times_;
};

}  // namespace gsa::bench

#endif  // GSA_BENCH_CPU_LAYER_H_
