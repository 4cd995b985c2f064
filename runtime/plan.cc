// -----------------------------------------------------------------------------
// File: plan.cc
// -----------------------------------------------------------------------------

#include "runtime/plan.h"

#include <algorithm>
#include <cstring>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "codegen/cpu/CpuJit.h"
#include "runtime/compiler.h"
#include "runtime/core/run_context.h"
#include "runtime/core/status_macros.h"

namespace gsa {

struct Plan::Code {
  std::unique_ptr<mlir::gsa::CpuModule> module;
};

Plan::Plan() = default;
Plan::~Plan() = default;

std::string TensorSpec::ToString() const {
  return absl::StrCat(name, ": ", TypeToString(dtype, shape));
}

absl::StatusOr<std::shared_ptr<const Plan>> Plan::Compile(
    const std::string& text, const std::string& filename,
    const CompileOptions& options) {
  if (options.num_threads < 1 ||
      options.num_threads > ThreadPool::kMaxThreads) {
    return absl::InvalidArgumentError(
        absl::StrCat("number of threads: expected 1 to ",
                     ThreadPool::kMaxThreads, ", got ", options.num_threads));
  }
  if (options.opt_level < 0 || options.opt_level > 3) {
    return absl::InvalidArgumentError(absl::StrCat(
        "optimisation level: expected 0 to 3, got ", options.opt_level));
  }
  absl::StatusOr<CompiledModule> compiled =
      CompileForCpu(text, filename, options);
  if (!compiled.ok()) return compiled.status();
  std::shared_ptr<Plan> plan(new Plan);
  plan->inputs_ = std::move(compiled->inputs);
  plan->outputs_ = std::move(compiled->outputs);
  plan->stage_names_ = std::move(compiled->stage_names);
  plan->workspace_bytes_ = compiled->workspace_bytes;
  plan->num_threads_ = options.num_threads;
  plan->target_ = std::move(compiled->target);
  plan->code_ = std::make_unique<Code>();
  plan->code_->module = std::move(compiled->module);
  return std::shared_ptr<const Plan>(std::move(plan));
}

namespace {

struct Range {
  uintptr_t begin, end;
  const std::string* name;
};

template <typename View>
absl::Status CheckTensor(const char* kind, const TensorSpec& spec,
                         const View& view) {
  if (view.dtype != spec.dtype ||
      !std::equal(view.shape.begin(), view.shape.end(), spec.shape.begin(),
                  spec.shape.end())) {
    return absl::InvalidArgumentError(
        absl::StrCat(kind, " '", spec.name, "': expected ",
                     TypeToString(spec.dtype, spec.shape), ", got ",
                     TypeToString(view.dtype, view.shape)));
  }
  auto address = reinterpret_cast<uintptr_t>(view.data);
  if (address % kTensorAlignment != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        kind, " '", spec.name, "': expected an address aligned to ",
        kTensorAlignment, " bytes, got ", address % kTensorAlignment,
        " bytes past one"));
  }
  if (view.data == nullptr && *CheckedByteSize(spec.dtype, spec.shape) > 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        kind, " '", spec.name, "': expected ",
        TypeToString(spec.dtype, spec.shape), ", got a null pointer"));
  }
  return absl::OkStatus();
}

Range RangeOf(const TensorSpec& spec, const void* data) {
  auto begin = reinterpret_cast<uintptr_t>(data);
  auto bytes = static_cast<uintptr_t>(*CheckedByteSize(spec.dtype, spec.shape));
  return {begin, begin + bytes, &spec.name};
}

bool Overlap(const Range& a, const Range& b) {
  return a.begin < b.end && b.begin < a.end;
}

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

}  // namespace

absl::Status Plan::Check(absl::Span<const TensorView> inputs,
                         absl::Span<const MutableTensorView> outputs,
                         absl::Span<char> workspace) const {
  if (inputs.size() != inputs_.size() || outputs.size() != outputs_.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected ", inputs_.size(), " inputs and ", outputs_.size(),
        " outputs, got ", inputs.size(), " and ", outputs.size()));
  }
  absl::InlinedVector<Range, 64> ranges;
  for (size_t i = 0; i < inputs.size(); ++i) {
    GSA_RETURN_IF_ERROR(CheckTensor("input", inputs_[i], inputs[i]));
    ranges.push_back(RangeOf(inputs_[i], inputs[i].data));
  }
  static const std::string* const kWorkspace = new std::string("workspace");
  if (static_cast<int64_t>(workspace.size()) < workspace_bytes_) {
    return absl::InvalidArgumentError(
        absl::StrCat("workspace: expected at least ", workspace_bytes_,
                     " bytes, got ", workspace.size()));
  }
  auto start = reinterpret_cast<uintptr_t>(workspace.data());
  if (workspace_bytes_ > 0 && start % kTensorAlignment != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "workspace: expected an address aligned to ", kTensorAlignment,
        " bytes, got ", start % kTensorAlignment, " bytes past one"));
  }
  // An overlap of inputs is harmless; the workspace and outputs are written.
  auto check_overlap = [&](const Range& written) -> absl::Status {
    for (const Range& other : ranges) {
      if (Overlap(written, other)) {
        return absl::InvalidArgumentError(
            absl::StrCat("'", *written.name, "' and '", *other.name,
                         "': expected separate memory, got an overlap"));
      }
    }
    ranges.push_back(written);
    return absl::OkStatus();
  };
  GSA_RETURN_IF_ERROR(check_overlap(
      {start, start + static_cast<uintptr_t>(workspace_bytes_), kWorkspace}));
  for (size_t i = 0; i < outputs.size(); ++i) {
    GSA_RETURN_IF_ERROR(CheckTensor("output", outputs_[i], outputs[i]));
    GSA_RETURN_IF_ERROR(check_overlap(RangeOf(outputs_[i], outputs[i].data)));
  }
  return absl::OkStatus();
}

absl::Status Plan::Run(absl::Span<const TensorView> inputs,
                       absl::Span<const MutableTensorView> outputs,
                       absl::Span<char> workspace,
                       const RunOptions& options) const {
  GSA_RETURN_IF_ERROR(Check(inputs, outputs, workspace));
  Descriptors descriptors;
  for (const TensorView& view : inputs) descriptors.Add(view.data, view.shape);
  for (const MutableTensorView& view : outputs) {
    descriptors.Add(view.data, view.shape);
  }
  int64_t bytes = static_cast<int64_t>(workspace.size());
  descriptors.Add(workspace.data(), absl::MakeConstSpan(&bytes, 1));

  RunContext context(options.pool, static_cast<int64_t>(stage_names_.size()));
  {
    ScopedRunContext scope(&context);
    code_->module->entry()(descriptors.Pointers().data());
  }
  if (options.stage_times != nullptr) {
    options.stage_times->clear();
    for (size_t i = 0; i < stage_names_.size(); ++i) {
      options.stage_times->push_back(
          {stage_names_[i], context.stage_nanoseconds(i) * 1e-6});
    }
  }
  return absl::OkStatus();
}

}  // namespace gsa
