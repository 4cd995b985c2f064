// -----------------------------------------------------------------------------
// File: cuda_executable.cc
// -----------------------------------------------------------------------------
//
// Plans on a GPU: a run is one of an executor.

#include <memory>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "runtime/core/cuda/cuda_executor.h"
#include "runtime/core/status_macros.h"
#include "runtime/executable.h"

namespace gsa {
namespace {

// A run with more buffers than this allocates a list of them.
constexpr size_t kUsualBuffers = 64;

class CudaExecutable : public Executable {
 public:
  explicit CudaExecutable(std::shared_ptr<const CudaExecutor> executor)
      : executor_(std::move(executor)) {}

  int64_t workspace_bytes() const override {
    return executor_->workspace_bytes();
  }
  int64_t tensor_alignment() const override { return kBufferAlignment; }
  int64_t workspace_alignment() const override { return kWorkspaceAlignment; }
  std::string description() const override {
    const DeviceInfo& device = executor_->device();
    return absl::StrCat("cuda:", device.ordinal, ", ", device.name, ", ",
                        device.arch);
  }

  absl::Status WarmUp() const override { return executor_->WarmUp(); }

  absl::Status Run(absl::Span<const TensorView> inputs,
                   absl::Span<const MutableTensorView> outputs,
                   absl::Span<char> workspace,
                   const RunOptions& options) const override {
    absl::InlinedVector<void*, kUsualBuffers> in;
    // The executor only reads inputs; the driver's interface has no const.
    for (const TensorView& view : inputs) {
      in.push_back(const_cast<void*>(view.data));
    }
    absl::InlinedVector<void*, kUsualBuffers> out;
    for (const MutableTensorView& view : outputs) out.push_back(view.data);
    RunArguments arguments;
    arguments.inputs = in;
    arguments.outputs = out;
    arguments.workspace = workspace.data();
    arguments.workspace_bytes = static_cast<int64_t>(workspace.size());
    arguments.stream = static_cast<cuda::Stream>(options.stream);
    if (options.zone_times == nullptr) return executor_->Run(arguments);
    GSA_ASSIGN_OR_RETURN(std::unique_ptr<ZoneTimer> timer,
                         ZoneTimer::Create(executor_));
    arguments.timer = timer.get();
    GSA_RETURN_IF_ERROR(executor_->Run(arguments));
    GSA_ASSIGN_OR_RETURN(std::vector<float> times, timer->Milliseconds());
    options.zone_times->clear();
    for (size_t i = 0; i < times.size(); ++i) {
      options.zone_times->push_back({executor_->zone_names()[i], times[i]});
    }
    return absl::OkStatus();
  }

 private:
  const std::shared_ptr<const CudaExecutor> executor_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Executable>> MakeCudaExecutable(
    const DeviceProgram& program, int ordinal, const ExecutorOptions& options) {
  GSA_ASSIGN_OR_RETURN(std::shared_ptr<const CudaExecutor> executor,
                       CudaExecutor::Create(program, ordinal, options));
  return std::unique_ptr<Executable>(
      std::make_unique<CudaExecutable>(std::move(executor)));
}

}  // namespace gsa
