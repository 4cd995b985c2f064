// -----------------------------------------------------------------------------
// File: run.cc
// -----------------------------------------------------------------------------
//
// Runs and thread pools of the C API.

#include <algorithm>
#include <cstdint>
#include <map>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "runtime/capi/internal.h"
#include "runtime/core/nearest_name.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace capi {
namespace {

// "input 'query'".
std::string TensorLabel(const char* kind, const TensorSpec& spec) {
  return absl::StrCat(kind, " '", spec.name, "'");
}

// Runs have no more tensors than this without an allocation.
constexpr size_t kUsualTensors = 32;
template <typename T>
using Inlined = absl::InlinedVector<T, kUsualTensors>;

absl::Status CheckDense(const char* kind, const TensorSpec& spec,
                        const gsa_tensor& tensor,
                        absl::Span<const int64_t> shape) {
  if (tensor.strides == nullptr) return absl::OkStatus();
  // Strides of a tensor without elements address nothing.
  if (std::count(shape.begin(), shape.end(), 0) > 0) return absl::OkStatus();
  absl::InlinedVector<int64_t, kMaxRank> dense(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) dense[i - 1] = dense[i] * shape[i];
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1 || tensor.strides[i] == dense[i]) continue;
    absl::Span<const int64_t> strides(tensor.strides, shape.size());
    return absl::InvalidArgumentError(absl::StrCat(
        TensorLabel(kind, spec), ": expected dense row-major strides ",
        ShapeToString(dense), ", got ", ShapeToString(strides)));
  }
  return absl::OkStatus();
}

// The part of a tensor that Plan::Run does not see.
absl::Status CheckTensor(const char* kind, const TensorSpec& spec,
                         const gsa_tensor& tensor, const Plan& plan) {
  const Target& target = plan.target();
  const bool bounded = plan.is_bounded();
  const bool cuda = target.kind == TargetKind::kCuda;
  const int32_t device_type = cuda ? GSA_DEVICE_CUDA : GSA_DEVICE_CPU;
  if (tensor.device_type != device_type || tensor.device_id != target.ordinal) {
    return absl::InvalidArgumentError(absl::StrCat(
        TensorLabel(kind, spec), ": expected device type ", device_type,
        cuda ? " (CUDA)" : " (CPU)", ", device ", target.ordinal, ", got type ",
        tensor.device_type, ", device ", tensor.device_id));
  }
  if (!FromWord(tensor.dtype).has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        TensorLabel(kind, spec), ": expected dtype ", DTypeName(spec.dtype),
        ", got code ", tensor.dtype & 0xff, ", ", tensor.dtype >> 8 & 0xff,
        " bits, ", tensor.dtype >> 16, " lanes"));
  }
  if (tensor.rank != static_cast<int32_t>(spec.shape.size())) {
    return absl::InvalidArgumentError(absl::StrCat(
        TensorLabel(kind, spec), ": expected ",
        TypeToString(spec.dtype, spec.shape), ", got rank ", tensor.rank));
  }
  if (tensor.rank > 0 && tensor.shape == nullptr) {
    return NullError((TensorLabel(kind, spec) + ": shape").c_str());
  }
  absl::Span<const int64_t> shape(tensor.shape, spec.shape.size());
  // A wrong shape is Plan::Run's to report.
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool fits = bounded ? shape[i] >= 0 && shape[i] <= spec.shape[i]
                              : shape[i] == spec.shape[i];
    if (!fits) return absl::OkStatus();
  }
  return CheckDense(kind, spec, tensor, shape);
}

std::vector<absl::string_view> NamesOf(const std::vector<TensorSpec>& specs) {
  std::vector<absl::string_view> names;
  for (const TensorSpec& spec : specs) names.push_back(spec.name);
  return names;
}

// "2 inputs ('x', 'logits')".
std::string Expected(const char* kind, const std::vector<TensorSpec>& specs) {
  const char* s = specs.size() == 1 ? "" : "s";
  if (specs.empty()) return absl::StrCat("no ", kind, "s");
  return absl::StrCat(specs.size(), " ", kind, s, " ('",
                      absl::StrJoin(NamesOf(specs), "', '"), "')");
}

absl::Status CheckCount(const char* kind, const std::vector<TensorSpec>& specs,
                        size_t count) {
  if (count == specs.size()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("expected ", Expected(kind, specs), ", got ", count));
}

// The views of `tensors`, as many as there are specs.
template <typename View>
absl::Status ToViews(const char* kind, const std::vector<TensorSpec>& specs,
                     absl::Span<const gsa_tensor> tensors, const Plan& plan,
                     Inlined<View>* views) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    const gsa_tensor& tensor = tensors[i];
    GSA_RETURN_IF_ERROR(CheckTensor(kind, specs[i], tensor, plan));
    View view;
    view.dtype = *FromWord(tensor.dtype);
    view.shape = absl::MakeConstSpan(tensor.shape, specs[i].shape.size());
    // Through an integer: an offset from null is no pointer arithmetic.
    auto address = reinterpret_cast<uintptr_t>(tensor.data);
    if (tensor.data == nullptr && tensor.byte_offset != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(TensorLabel(kind, specs[i]), ": expected data, got a ",
                       "null pointer with byte_offset ", tensor.byte_offset));
    }
    if (tensor.byte_offset > UINTPTR_MAX - address) {
      return absl::InvalidArgumentError(
          absl::StrCat(TensorLabel(kind, specs[i]), ": expected byte_offset ",
                       "to be at most ", UINTPTR_MAX - address,
                       ", where addresses end, got ", tensor.byte_offset));
    }
    view.data = reinterpret_cast<void*>(address + tensor.byte_offset);
    views->push_back(view);
  }
  return absl::OkStatus();
}

absl::Status Run(const gsa_plan* handle, absl::Span<const gsa_tensor> inputs,
                 absl::Span<const gsa_tensor> outputs, void* workspace,
                 size_t workspace_bytes, const gsa_run_options* options) {
  const Plan& plan = *handle->plan;
  gsa_run_options read = {};
  if (options != nullptr) {
    GSA_ASSIGN_OR_RETURN(read, Read("options", options));
  }
  if (read.stream != nullptr && plan.target().kind != TargetKind::kCuda) {
    return absl::InvalidArgumentError(
        "options: expected stream = NULL, because the plan runs on the host; "
        "got a stream");
  }
  size_t zones = plan.zone_names().size();
  if (read.stage_milliseconds != nullptr &&
      read.num_stage_milliseconds < zones) {
    return absl::InvalidArgumentError(
        absl::StrCat("options: expected num_stage_milliseconds >= ", zones,
                     ", got ", read.num_stage_milliseconds));
  }
  Inlined<TensorView> sources;
  Inlined<MutableTensorView> targets;
  GSA_RETURN_IF_ERROR(ToViews("input", plan.inputs(), inputs, plan, &sources));
  GSA_RETURN_IF_ERROR(
      ToViews("output", plan.outputs(), outputs, plan, &targets));
  if (workspace == nullptr && workspace_bytes != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("workspace: expected ", workspace_bytes,
                     " bytes as stated, got a null pointer"));
  }
  RunOptions run_options;
  run_options.stream = read.stream;
  if (read.thread_pool != nullptr) {
    run_options.pool = read.thread_pool->pool.get();
  }
  std::vector<ZoneTime> times;
  if (read.stage_milliseconds != nullptr) run_options.zone_times = &times;
  GSA_RETURN_IF_ERROR(
      plan.Run(sources, targets,
               absl::MakeSpan(static_cast<char*>(workspace), workspace_bytes),
               run_options));
  // The emulation has no times to give.
  for (size_t i = 0; i < zones && read.stage_milliseconds != nullptr; ++i) {
    read.stage_milliseconds[i] = 0;
  }
  for (size_t i = 0; i < times.size(); ++i) {
    read.stage_milliseconds[i] = times[i].milliseconds;
  }
  return absl::OkStatus();
}

absl::Status RunInOrder(const gsa_plan* plan, const gsa_tensor* inputs,
                        size_t num_inputs, const gsa_tensor* outputs,
                        size_t num_outputs, void* workspace,
                        size_t workspace_bytes,
                        const gsa_run_options* options) {
  if (plan == nullptr) return NullError("plan");
  // Before anything is made room for.
  GSA_RETURN_IF_ERROR(CheckCount("input", plan->plan->inputs(), num_inputs));
  Inlined<gsa_tensor> in(num_inputs);
  GSA_RETURN_IF_ERROR(ReadArray("input", inputs, absl::MakeSpan(in)));
  GSA_RETURN_IF_ERROR(CheckCount("output", plan->plan->outputs(), num_outputs));
  Inlined<gsa_tensor> out(num_outputs);
  GSA_RETURN_IF_ERROR(ReadArray("output", outputs, absl::MakeSpan(out)));
  return Run(plan, in, out, workspace, workspace_bytes, options);
}

// Brings tensors that come with names into the plan's order.
absl::StatusOr<std::vector<gsa_tensor>> ByName(
    const char* kind, const std::vector<TensorSpec>& specs,
    const char* const* names, const std::vector<gsa_tensor>& tensors) {
  if (names == nullptr && !tensors.empty()) {
    return NullError(absl::StrCat(kind, " names").c_str());
  }
  const std::vector<absl::string_view> known = NamesOf(specs);
  std::map<std::string, const gsa_tensor*> by_name;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (names[i] == nullptr) {
      return NullError(absl::StrCat("name of ", kind, " ", i).c_str());
    }
    if (std::count(known.begin(), known.end(), names[i]) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          kind, " '", names[i], "': the plan has no such ", kind, ", expected ",
          Expected(kind, specs), DidYouMean(names[i], known)));
    }
    if (!by_name.emplace(names[i], &tensors[i]).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(kind, " '", names[i], "': got it twice"));
    }
  }
  std::vector<gsa_tensor> ordered;
  for (const TensorSpec& spec : specs) {
    auto it = by_name.find(spec.name);
    if (it == by_name.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          TensorLabel(kind, spec), ": expected a tensor for each of ",
          Expected(kind, specs), ", got none for this one"));
    }
    ordered.push_back(*it->second);
  }
  return ordered;
}

absl::Status CreatePool(int32_t num_threads, gsa_thread_pool** pool) {
  if (pool == nullptr) return NullError("pool");
  *pool = nullptr;
  GSA_ASSIGN_OR_RETURN(
      auto threads,
      ThreadPool::Create(num_threads == 0 ? AvailableCpus() : num_threads));
  auto made = std::make_unique<gsa_thread_pool>();
  made->pool = std::move(threads);
  *pool = made.release();
  return absl::OkStatus();
}

}  // namespace
}  // namespace capi
}  // namespace gsa

using gsa::capi::Guard;

gsa_status* gsa_run(const gsa_plan* plan, const gsa_tensor* inputs,
                    size_t num_inputs, const gsa_tensor* outputs,
                    size_t num_outputs, void* workspace, size_t workspace_bytes,
                    const gsa_run_options* options) {
  return Guard([&] {
    return gsa::capi::RunInOrder(plan, inputs, num_inputs, outputs, num_outputs,
                                 workspace, workspace_bytes, options);
  });
}

gsa_status* gsa_run_named(const gsa_plan* plan, const char* const* input_names,
                          const gsa_tensor* inputs, size_t num_inputs,
                          const char* const* output_names,
                          const gsa_tensor* outputs, size_t num_outputs,
                          void* workspace, size_t workspace_bytes,
                          const gsa_run_options* options) {
  return Guard([&]() -> absl::Status {
    if (plan == nullptr) return gsa::capi::NullError("plan");
    GSA_ASSIGN_OR_RETURN(auto in,
                         gsa::capi::ReadArray("input", inputs, num_inputs));
    GSA_ASSIGN_OR_RETURN(
        in, gsa::capi::ByName("input", plan->plan->inputs(), input_names, in));
    GSA_ASSIGN_OR_RETURN(auto out,
                         gsa::capi::ReadArray("output", outputs, num_outputs));
    GSA_ASSIGN_OR_RETURN(out, gsa::capi::ByName("output", plan->plan->outputs(),
                                                output_names, out));
    return gsa::capi::Run(plan, in, out, workspace, workspace_bytes, options);
  });
}

gsa_status* gsa_thread_pool_create(int32_t num_threads,
                                   gsa_thread_pool** pool) {
  return Guard([&] { return gsa::capi::CreatePool(num_threads, pool); });
}

void gsa_thread_pool_destroy(gsa_thread_pool* pool) { delete pool; }

int32_t gsa_thread_pool_num_threads(const gsa_thread_pool* pool) {
  return pool == nullptr ? 0 : pool->pool->num_threads();
}
