// -----------------------------------------------------------------------------
// File: plan.cc
// -----------------------------------------------------------------------------

#include "runtime/plan.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "passes/Pipelines.h"
#include "runtime/compiler.h"
#include "runtime/core/nearest_name.h"
#include "runtime/core/status_macros.h"
#include "runtime/executable.h"
#include "runtime/option_errors.h"

namespace gsa {

Plan::Plan() = default;
Plan::~Plan() = default;

std::string TensorSpec::ToString() const {
  return absl::StrCat(name, ": ", TypeToString(dtype, shape));
}

namespace {

absl::StatusOr<CompiledModule> CompileFor(const Target& target,
                                          const std::string& text,
                                          const std::string& filename,
                                          const CompileOptions& options) {
  const std::vector<absl::Status> errors = OptionErrors(target, options);
  if (!errors.empty()) return errors.front();
  if (target.kind == TargetKind::kCpu) {
    return CompileForCpu(text, filename, options);
  }
  return CompileForDevice(text, filename, target, options);
}

}  // namespace

std::vector<std::string> PhaseNames(const Target& target) {
  std::vector<std::string> names = {"parse"};
  const bool cpu = target.kind == TargetKind::kCpu;
  for (const mlir::gsa::Phase& phase :
       cpu ? mlir::gsa::getCpuPhases({}) : mlir::gsa::getCudaPhases({})) {
    names.push_back(phase.name);
  }
  if (cpu) {
    names.insert(names.end(), {"codegen", "assembly"});
  } else {
    names.push_back("program");
    if (target.kind == TargetKind::kCuda) names.push_back("code");
  }
  return names;
}

absl::Status CompileToPhase(const std::string& text,
                            const std::string& filename,
                            const CompileOptions& options) {
  GSA_ASSIGN_OR_RETURN(Target target, ResolveTarget(options));
  const std::vector<std::string> names = PhaseNames(target);
  if (std::count(names.begin(), names.end(), options.stop_after) == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "target ", target.ToString(), " has no phase '", options.stop_after,
        "'; it has: ", absl::StrJoin(names, ", "),
        DidYouMean(options.stop_after, {names.begin(), names.end()})));
  }
  return CompileFor(target, text, filename, options).status();
}

absl::StatusOr<std::shared_ptr<const Plan>> Plan::Compile(
    const std::string& text, const std::string& filename,
    const CompileOptions& options) {
  if (!options.stop_after.empty()) {
    return absl::InvalidArgumentError(
        "a plan needs all phases: expected no stop_after");
  }
  GSA_ASSIGN_OR_RETURN(Target target, ResolveTarget(options));
  absl::StatusOr<CompiledModule> compiled =
      CompileFor(target, text, filename, options);
  if (!compiled.ok()) return compiled.status();
  std::shared_ptr<Plan> plan(new Plan);
  plan->inputs_ = std::move(compiled->inputs);
  plan->outputs_ = std::move(compiled->outputs);
  for (const TensorSpec& spec : plan->inputs_) {
    GSA_ASSIGN_OR_RETURN(int64_t bytes,
                         CheckedByteSize(spec.dtype, spec.shape));
    plan->input_bytes_.push_back(bytes);
  }
  for (const TensorSpec& spec : plan->outputs_) {
    GSA_ASSIGN_OR_RETURN(int64_t bytes,
                         CheckedByteSize(spec.dtype, spec.shape));
    plan->output_bytes_.push_back(bytes);
  }
  plan->zone_names_ = std::move(compiled->zone_names);
  plan->num_threads_ = ThreadsOf(options);
  plan->kernel_counts_ = compiled->kernel_counts;
  plan->target_ = std::move(target);
  plan->executable_ = std::move(compiled->executable);
  return std::shared_ptr<const Plan>(std::move(plan));
}

int64_t Plan::workspace_bytes() const { return executable_->workspace_bytes(); }

int64_t Plan::tensor_alignment() const {
  return executable_->tensor_alignment();
}

int64_t Plan::workspace_alignment() const {
  return executable_->workspace_alignment();
}

std::string Plan::target_description() const {
  return absl::StrCat(executable_->description(),
                      target_.note.empty() ? "" : " (", target_.note,
                      target_.note.empty() ? "" : ")");
}

namespace {

struct Range {
  uintptr_t begin, end;
  const std::string* name;
};

// Whether memory of `bytes` bytes at `address` ends by the last address. Else
// the end would wrap, and no overlap would be seen.
bool Ends(uintptr_t address, int64_t bytes) {
  return static_cast<uintptr_t>(bytes) <= UINTPTR_MAX - address;
}

absl::Status EndError(const std::string& what, uintptr_t address,
                      int64_t bytes) {
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": expected ", bytes, " bytes of memory, got the ",
                   UINTPTR_MAX - address, " before the last address"));
}

template <typename View>
absl::Status CheckTensor(const char* kind, const TensorSpec& spec,
                         int64_t bytes, const View& view, int64_t alignment) {
  if (view.dtype != spec.dtype ||
      !std::equal(view.shape.begin(), view.shape.end(), spec.shape.begin(),
                  spec.shape.end())) {
    return absl::InvalidArgumentError(
        absl::StrCat(kind, " '", spec.name, "': expected ",
                     TypeToString(spec.dtype, spec.shape), ", got ",
                     TypeToString(view.dtype, view.shape)));
  }
  auto address = reinterpret_cast<uintptr_t>(view.data);
  if (address % alignment != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        kind, " '", spec.name, "': expected an address aligned to ", alignment,
        " bytes, got ", address % alignment, " bytes past one"));
  }
  if (view.data == nullptr && bytes > 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        kind, " '", spec.name, "': expected ",
        TypeToString(spec.dtype, spec.shape), ", got a null pointer"));
  }
  if (Ends(address, bytes)) return absl::OkStatus();
  return EndError(absl::StrCat(kind, " '", spec.name, "'"), address, bytes);
}

Range RangeOf(const TensorSpec& spec, int64_t bytes, const void* data) {
  auto begin = reinterpret_cast<uintptr_t>(data);
  return {begin, begin + static_cast<uintptr_t>(bytes), &spec.name};
}

bool Overlap(const Range& a, const Range& b) {
  return a.begin < b.end && b.begin < a.end;
}

}  // namespace

absl::Status Plan::Check(absl::Span<const TensorView> inputs,
                         absl::Span<const MutableTensorView> outputs,
                         absl::Span<char> workspace) const {
  if (inputs.size() != inputs_.size() || outputs.size() != outputs_.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected ", inputs_.size(), " inputs and ", outputs_.size(),
        " outputs, got ", inputs.size(), " and ", outputs.size()));
  }
  const int64_t alignment = tensor_alignment();
  absl::InlinedVector<Range, 64> ranges;
  for (size_t i = 0; i < inputs.size(); ++i) {
    GSA_RETURN_IF_ERROR(CheckTensor("input", inputs_[i], input_bytes_[i],
                                    inputs[i], alignment));
    ranges.push_back(RangeOf(inputs_[i], input_bytes_[i], inputs[i].data));
  }
  static const std::string* const kWorkspace = new std::string("workspace");
  const int64_t needed = workspace_bytes();
  if (workspace.size() < static_cast<uint64_t>(needed)) {
    return absl::InvalidArgumentError(
        absl::StrCat("workspace: expected at least ", needed, " bytes, got ",
                     workspace.size()));
  }
  auto start = reinterpret_cast<uintptr_t>(workspace.data());
  if (needed > 0 && start % workspace_alignment() != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "workspace: expected an address aligned to ", workspace_alignment(),
        " bytes, got ", start % workspace_alignment(), " bytes past one"));
  }
  if (!Ends(start, needed)) return EndError(*kWorkspace, start, needed);
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
      {start, start + static_cast<uintptr_t>(needed), kWorkspace}));
  for (size_t i = 0; i < outputs.size(); ++i) {
    GSA_RETURN_IF_ERROR(CheckTensor("output", outputs_[i], output_bytes_[i],
                                    outputs[i], alignment));
    GSA_RETURN_IF_ERROR(
        check_overlap(RangeOf(outputs_[i], output_bytes_[i], outputs[i].data)));
  }
  return absl::OkStatus();
}

absl::Status Plan::WarmUp() const { return executable_->WarmUp(); }

absl::Status Plan::Run(absl::Span<const TensorView> inputs,
                       absl::Span<const MutableTensorView> outputs,
                       absl::Span<char> workspace,
                       const RunOptions& options) const {
  GSA_RETURN_IF_ERROR(Check(inputs, outputs, workspace));
  // Sizes are 64-bit and signed from here on: what the run does not need, and a
  // caller may have stated carelessly, stays outside.
  return executable_->Run(
      inputs, outputs, workspace.first(static_cast<size_t>(workspace_bytes())),
      options);
}

}  // namespace gsa
