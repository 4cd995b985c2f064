// -----------------------------------------------------------------------------
// File: cpu_executable.cc
// -----------------------------------------------------------------------------
//
// Plans on this machine's processor: calls of compiled code.

#include <utility>

#include "absl/container/inlined_vector.h"
#include "codegen/cpu/CpuJit.h"
#include "runtime/core/run_context.h"
#include "runtime/executable.h"

namespace gsa {
namespace {

// Memref descriptors of one call, laid out as the compiled code expects them:
// allocated pointer, aligned pointer, offset, sizes, strides.
class Descriptors {
 public:
  void Add(const void* data, absl::Span<const int64_t> shape) {
    starts_.push_back(words_.size());
    words_.push_back(reinterpret_cast<intptr_t>(data));
    words_.push_back(reinterpret_cast<intptr_t>(data));
    words_.push_back(0);
    size_t strides = words_.size() + shape.size();
    words_.insert(words_.end(), shape.begin(), shape.end());
    words_.insert(words_.end(), shape.size(), 1);
    for (size_t i = shape.size(); i-- > 1;) {
      words_[strides + i - 1] = words_[strides + i] * shape[i];
    }
  }

  // Valid until the next Add.
  absl::InlinedVector<void*, 64> Pointers() {
    absl::InlinedVector<void*, 64> pointers;
    for (size_t start : starts_) pointers.push_back(&words_[start]);
    return pointers;
  }

 private:
  absl::InlinedVector<intptr_t, 512> words_;
  absl::InlinedVector<size_t, 64> starts_;
};

class CpuExecutable : public Executable {
 public:
  CpuExecutable(std::unique_ptr<mlir::gsa::CpuModule> module,
                std::vector<std::string> zone_names, int64_t workspace_bytes,
                std::string description)
      : module_(std::move(module)),
        zone_names_(std::move(zone_names)),
        workspace_bytes_(workspace_bytes),
        description_(std::move(description)) {}

  int64_t workspace_bytes() const override { return workspace_bytes_; }
  int64_t tensor_alignment() const override { return kTensorAlignment; }
  int64_t workspace_alignment() const override { return kTensorAlignment; }
  std::string description() const override { return description_; }

  absl::Status Run(absl::Span<const TensorView> inputs,
                   absl::Span<const MutableTensorView> outputs,
                   absl::Span<char> workspace,
                   const RunOptions& options) const override {
    if (options.stream != nullptr) {
      return absl::InvalidArgumentError(
          "expected no stream, because the plan runs on the CPU");
    }
    Descriptors descriptors;
    for (const TensorView& view : inputs) {
      descriptors.Add(view.data, view.shape);
    }
    for (const MutableTensorView& view : outputs) {
      descriptors.Add(view.data, view.shape);
    }
    int64_t bytes = static_cast<int64_t>(workspace.size());
    descriptors.Add(workspace.data(), absl::MakeConstSpan(&bytes, 1));

    RunContext context(options.pool, static_cast<int64_t>(zone_names_.size()));
    {
      ScopedRunContext scope(&context);
      module_->entry()(descriptors.Pointers().data());
    }
    if (options.zone_times != nullptr) {
      options.zone_times->clear();
      for (size_t i = 0; i < zone_names_.size(); ++i) {
        options.zone_times->push_back(
            {zone_names_[i], context.zone_nanoseconds(i) * 1e-6});
      }
    }
    return absl::OkStatus();
  }

 private:
  const std::unique_ptr<mlir::gsa::CpuModule> module_;
  const std::vector<std::string> zone_names_;
  const int64_t workspace_bytes_;
  const std::string description_;
};

}  // namespace

std::unique_ptr<Executable> MakeCpuExecutable(
    std::unique_ptr<mlir::gsa::CpuModule> module,
    std::vector<std::string> zone_names, int64_t workspace_bytes,
    std::string description) {
  return std::make_unique<CpuExecutable>(std::move(module),
                                         std::move(zone_names), workspace_bytes,
                                         std::move(description));
}

}  // namespace gsa
