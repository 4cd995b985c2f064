// -----------------------------------------------------------------------------
// File: plan.cc
// -----------------------------------------------------------------------------

#include "runtime/plan.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "runtime/core/status_macros.h"
#include "runtime/executable.h"
#include "runtime/plan_parts.h"

namespace gsa {

namespace {

// The input that an output updates, by its number; -1: none.
absl::StatusOr<int> FindUpdated(const TensorSpec& output,
                                const std::vector<TensorSpec>& inputs) {
  if (output.updates.empty()) return -1;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorSpec& input = inputs[i];
    if (input.name != output.updates) continue;
    if (input.dtype == output.dtype && input.shape == output.shape)
      return static_cast<int>(i);
    return absl::InvalidArgumentError(absl::StrCat(
        "output '", output.name, "': expected the type of '", input.name,
        "', which it updates, ", TypeToString(input.dtype, input.shape),
        ", got ", TypeToString(output.dtype, output.shape)));
  }
  return absl::InvalidArgumentError(absl::StrCat("output '", output.name,
                                                 "' updates '", output.updates,
                                                 "', which is no input"));
}

}  // namespace

Plan::Plan() = default;
Plan::~Plan() = default;

std::string TensorSpec::ToString() const {
  return absl::StrCat(name, ": ", TypeToString(dtype, shape));
}

absl::StatusOr<std::shared_ptr<const Plan>> Plan::Make(PlanParts parts) {
  std::shared_ptr<Plan> plan(new Plan);
  for (const TensorSpec& spec : parts.interface.inputs) {
    GSA_ASSIGN_OR_RETURN(int64_t bytes,
                         CheckedByteSize(spec.dtype, spec.shape));
    plan->input_bytes_.push_back(bytes);
  }
  for (const TensorSpec& spec : parts.interface.outputs) {
    GSA_ASSIGN_OR_RETURN(int64_t bytes,
                         CheckedByteSize(spec.dtype, spec.shape));
    plan->output_bytes_.push_back(bytes);
    GSA_ASSIGN_OR_RETURN(int updated,
                         FindUpdated(spec, parts.interface.inputs));
    plan->updates_.push_back(updated);
  }
  plan->inputs_ = std::move(parts.interface.inputs);
  plan->outputs_ = std::move(parts.interface.outputs);
  plan->size_classes_ = std::move(parts.interface.size_classes);
  plan->input_classes_ = std::move(parts.interface.input_classes);
  plan->output_classes_ = std::move(parts.interface.output_classes);
  plan->zone_names_ = std::move(parts.interface.zone_names);
  plan->num_threads_ = parts.num_threads;
  plan->kernel_counts_ = parts.kernel_counts;
  plan->target_ = std::move(parts.target);
  plan->executable_ = std::move(parts.executable);
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
absl::Status TypeError(const char* kind, const TensorSpec& spec,
                       const View& view) {
  return absl::InvalidArgumentError(
      absl::StrCat(kind, " '", spec.name, "': expected ",
                   TypeToString(spec.dtype, spec.shape), ", got ",
                   TypeToString(view.dtype, view.shape)));
}

// The sizes of a run of a plan for bounds, by class; -1 until one is seen.
using RunSizes = absl::InlinedVector<int64_t, 32>;

// Checks a shape against the bounds and against what has been seen.
template <typename View>
absl::Status CheckSizes(const char* kind, const TensorSpec& spec,
                        const std::vector<int>& classes,
                        const std::vector<SizeClassSpec>& sizes,
                        const View& view, RunSizes* seen) {
  if (view.dtype != spec.dtype || view.shape.size() != spec.shape.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(kind, " '", spec.name, "': expected at most ",
                     TypeToString(spec.dtype, spec.shape), ", got ",
                     TypeToString(view.dtype, view.shape)));
  }
  for (size_t d = 0; d < classes.size(); ++d) {
    const SizeClassSpec& size = sizes[classes[d]];
    int64_t& known = (*seen)[classes[d]];
    const int64_t got = view.shape[d];
    const bool fits =
        got >= 0 && (size.is_static ? got == size.bound : got <= size.bound);
    if (!fits) {
      return absl::InvalidArgumentError(absl::StrCat(
          kind, " '", spec.name, "': expected ",
          size.is_static ? "" : "at most ", size.bound, " in dimension ", d,
          size.is_static ? "" : ", the plan's bound", ", got ", got));
    }
    if (known < 0) known = got;
    if (known == got) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        kind, " '", spec.name, "': expected ", known, " in dimension ", d,
        ", as in ", size.place, ", got ", got));
  }
  return absl::OkStatus();
}

// The bytes of a dense tensor whose shape is within that of a spec.
template <typename View>
int64_t BytesOf(const View& view) {
  int64_t bytes = static_cast<int64_t>(DTypeSize(view.dtype));
  for (int64_t size : view.shape) bytes *= size;
  return bytes;
}

// Everything but the shape.
template <typename View>
absl::Status CheckTensor(const char* kind, const TensorSpec& spec,
                         int64_t bytes, const View& view, int64_t alignment) {
  auto address = reinterpret_cast<uintptr_t>(view.data);
  if (address % alignment != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        kind, " '", spec.name, "': expected an address aligned to ", alignment,
        " bytes, got ", address % alignment, " bytes past one"));
  }
  if (view.data == nullptr && bytes > 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        kind, " '", spec.name, "': expected ",
        TypeToString(view.dtype, view.shape), ", got a null pointer"));
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
  RunSizes seen(size_classes_.size(), -1);
  // The bytes of a tensor, after its type and its place are found right.
  const auto check = [&](const char* kind, const TensorSpec& spec,
                         const std::vector<std::vector<int>>& classes, size_t i,
                         int64_t bytes, const auto& view,
                         Range* range) -> absl::Status {
    if (is_bounded()) {
      GSA_RETURN_IF_ERROR(
          CheckSizes(kind, spec, classes[i], size_classes_, view, &seen));
      bytes = BytesOf(view);
    } else if (view.dtype != spec.dtype ||
               view.shape != absl::MakeConstSpan(spec.shape)) {
      return TypeError(kind, spec, view);
    }
    *range = RangeOf(spec, bytes, view.data);
    return CheckTensor(kind, spec, bytes, view, alignment);
  };
  for (size_t i = 0; i < inputs.size(); ++i) {
    Range range;
    GSA_RETURN_IF_ERROR(check("input", inputs_[i], input_classes_, i,
                              input_bytes_[i], inputs[i], &range));
    ranges.push_back(range);
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
  auto check_overlap = [&](const Range& written, int updated) -> absl::Status {
    for (size_t i = 0; i < ranges.size(); ++i) {
      const Range& other = ranges[i];
      // Inputs come first in `ranges`, and have the sizes of their updates.
      if (static_cast<int>(i) == updated && other.begin == written.begin)
        continue;
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
      {start, start + static_cast<uintptr_t>(needed), kWorkspace}, -1));
  for (size_t i = 0; i < outputs.size(); ++i) {
    Range range;
    GSA_RETURN_IF_ERROR(check("output", outputs_[i], output_classes_, i,
                              output_bytes_[i], outputs[i], &range));
    const int updated = updates_[i];
    if (updated >= 0 && outputs[i].shape != inputs[updated].shape) {
      return absl::InvalidArgumentError(absl::StrCat(
          "output '", outputs_[i].name, "': expected the shape of '",
          inputs_[updated].name, "', which it updates, ",
          ShapeToString(inputs[updated].shape), ", got ",
          ShapeToString(outputs[i].shape)));
    }
    GSA_RETURN_IF_ERROR(check_overlap(range, updated));
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
