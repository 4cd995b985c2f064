// -----------------------------------------------------------------------------
// File: plan_runner.cc
// -----------------------------------------------------------------------------

#include "bench/cpu/plan_runner.h"

#include "absl/strings/str_cat.h"
#include "runtime/core/status_macros.h"

namespace gsa::bench {

absl::StatusOr<std::unique_ptr<PlanRunner>> PlanRunner::Create(
    const std::string& text, const std::string& name, ThreadPool* pool,
    int vector_bits, const std::map<std::string, std::vector<int64_t>>& shapes,
    const ProgramCacheOptions& cache) {
  std::unique_ptr<PlanRunner> runner(new PlanRunner);
  runner->pool_ = pool;
  CompileOptions options;
  options.shapes = shapes;
  options.cache = cache;
  options.num_threads = pool->num_threads();
  options.vector_bits = vector_bits;
  options.on_phase = [&](const PhaseInfo& phase) {
    runner->phases_.emplace_back(phase.name, phase.milliseconds);
  };
  GSA_ASSIGN_OR_RETURN(runner->plan_, Plan::Compile(text, name, options));
  for (const TensorSpec& spec : runner->plan_->outputs()) {
    GSA_ASSIGN_OR_RETURN(HostTensor tensor,
                         HostTensor::Create(spec.name, spec.dtype, spec.shape));
    runner->outputs_.push_back(std::move(tensor));
  }
  for (HostTensor& tensor : runner->outputs_) {
    runner->output_views_.push_back(
        {tensor.dtype(), tensor.shape(), tensor.raw_data()});
  }
  GSA_ASSIGN_OR_RETURN(runner->workspace_,
                       HostTensor::Create("workspace", DType::kU8,
                                          {runner->plan_->workspace_bytes()}));
  return runner;
}

absl::Status PlanRunner::Bind(const Tensors& tensors) {
  inputs_.clear();
  for (const TensorSpec& spec : plan_->inputs()) {
    auto found = tensors.find(spec.name);
    if (found == tensors.end()) {
      return absl::NotFoundError(
          absl::StrCat("no tensor for the input ", spec.ToString()));
    }
    const HostTensor& tensor = found->second;
    GSA_ASSIGN_OR_RETURN(int64_t elements, CheckedNumElements(spec.shape));
    if (tensor.dtype() != spec.dtype || tensor.num_elements() != elements) {
      return absl::InvalidArgumentError(absl::StrCat(
          "input ", spec.ToString(), ": got a tensor ", tensor.type_string()));
    }
    inputs_.push_back({spec.dtype, spec.shape, tensor.raw_data()});
  }
  return absl::OkStatus();
}

absl::Status PlanRunner::Run() {
  return plan_->Run(inputs_, output_views_,
                    absl::MakeSpan(static_cast<char*>(workspace_.raw_data()),
                                   workspace_.byte_size()),
                    RunOptions{.pool = pool_, .zone_times = &zones_});
}

absl::StatusOr<const HostTensor*> PlanRunner::Output(
    const std::string& name) const {
  for (const HostTensor& tensor : outputs_) {
    if (tensor.name() == name) return &tensor;
  }
  return absl::NotFoundError(absl::StrCat("no output named '", name, "'"));
}

}  // namespace gsa::bench
