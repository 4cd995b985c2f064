// -----------------------------------------------------------------------------
// File: plan_runner.h
// -----------------------------------------------------------------------------
//
// A compiled module with its outputs and workspace, ready to be timed.

#ifndef GSA_BENCH_CPU_PLAN_RUNNER_H_
#define GSA_BENCH_CPU_PLAN_RUNNER_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/core/tensor.h"
#include "runtime/core/thread_pool.h"
#include "runtime/plan.h"

namespace gsa::bench {

// Inputs by name. A tensor may be bound to a spec of another shape with as many
// elements: workloads have no batch dimension.
using Tensors = std::map<std::string, HostTensor>;

class PlanRunner {
 public:
  // Compiles `text` for the pool's threads. `shapes` and `cache` as in
  // CompileOptions. The runner keeps a reference to `pool`.
  static absl::StatusOr<std::unique_ptr<PlanRunner>> Create(
      const std::string& text, const std::string& name, ThreadPool* pool,
      int vector_bits,
      const std::map<std::string, std::vector<int64_t>>& shapes = {},
      const ProgramCacheOptions& cache = {});

  // Binds the inputs by name; `tensors` must outlive the runner's last run.
  // NotFound or InvalidArgument names the input.
  absl::Status Bind(const Tensors& tensors);

  absl::Status Run();

  const Plan& plan() const { return *plan_; }
  // NotFound if no output has that name.
  absl::StatusOr<const HostTensor*> Output(const std::string& name) const;
  // Of the latest run.
  const std::vector<ZoneTime>& zones() const { return zones_; }
  // Milliseconds of each compilation phase, in order.
  const std::vector<std::pair<std::string, double>>& phases() const {
    return phases_;
  }

 private:
  PlanRunner() = default;

  std::shared_ptr<const Plan> plan_;
  ThreadPool* pool_ = nullptr;
  std::vector<TensorView> inputs_;
  std::vector<HostTensor> outputs_;
  std::vector<MutableTensorView> output_views_;
  HostTensor workspace_;
  std::vector<ZoneTime> zones_;
  std::vector<std::pair<std::string, double>> phases_;
};

}  // namespace gsa::bench

#endif  // GSA_BENCH_CPU_PLAN_RUNNER_H_
