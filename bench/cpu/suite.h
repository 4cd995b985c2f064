// -----------------------------------------------------------------------------
// File: suite.h
// -----------------------------------------------------------------------------
//
// What gsa-bench-cpu measures and in which order.

#ifndef GSA_BENCH_CPU_SUITE_H_
#define GSA_BENCH_CPU_SUITE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/cpu/costs.h"
#include "bench/cpu/modules.h"
#include "bench/cpu/rates.h"
#include "bench/cpu/timing.h"

namespace gsa::bench {

struct BenchOptions {
  std::vector<int64_t> sizes = {2048, 4096, 8192};  // of the stages
  int64_t core_tokens = 8192;
  int64_t layer_tokens = 4096;
  Dims dims;  // dims.tokens is ignored
  // Of the stages; the core runs all of `workloads`.
  std::string stage_workload = "rho98";
  std::vector<std::string> workloads;  // empty: all
  uint64_t seed = 0;
  int threads = 0;  // 0: available CPUs
  int vector_bits = 0;
  int rounds = 7;
  int compile_rounds = 3;
  bool quick = false;
  // Ops of the stages; empty: all. "select" always runs: it makes the lists
  // that sparse attention reads.
  std::vector<std::string> ops;
  // Which parts run: rates always do.
  bool stages = true;
  bool core = true;
  bool layer = true;
  std::string layer_path = "examples/gsa_layer.mlir";
  std::string commit;  // empty: asks git
  std::string json_path;
  bool markdown = false;
  // Document whose results between two marker lines are replaced.
  std::string update_path;
};

struct Device {
  std::string cpu;     // "AMD EPYC"
  std::string target;  // of the plans, "x86-64 znver4, 512-bit vectors, ..."
  int threads = 1;
  int vector_bits = 0;  // of the measuring loops
};

// One line of the result file. Absent members are null there.
struct Record {
  std::string bench;  // "select", "core", "layer", "compile", ...
  std::string policy;
  int64_t n = 0;
  std::string shape;
  std::string workload;
  std::optional<Sample> ours;
  std::vector<std::pair<std::string, double>> stages_ms;  // medians
  std::optional<Sample> dense;
  std::optional<double> jaccard;
  std::optional<double> union32;  // keys of 32 adjacent queries / mean k
  std::optional<double> mean_k;
  std::optional<Cost> cost;
  Bound bound;  // valid if `cost` is
};

struct Results {
  Device device;
  std::string commit;
  std::string date;  // ISO 8601, UTC
  uint64_t seed = 0;
  MachineRates rates;
  std::vector<Record> records;
};

// Measuring takes minutes: names and sizes that do not fit, and files that
// cannot be read or written, are InvalidArgument or NotFound before it, with
// the option's name.
absl::Status CheckOptions(const BenchOptions& options);

// Runs everything that `options` asks for; progress goes to stderr.
absl::StatusOr<Results> RunSuite(const BenchOptions& options);

// RunSuite, then the report on stdout and the result file. Returns the exit
// code of the process.
int RunBenchmark(const BenchOptions& options);

}  // namespace gsa::bench

#endif  // GSA_BENCH_CPU_SUITE_H_
