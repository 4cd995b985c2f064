// -----------------------------------------------------------------------------
// File: plan.cc
// -----------------------------------------------------------------------------
//
// Plan queries of the C API, and what this process has compiled.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "runtime/capi/internal.h"
#include "runtime/core/compilations.h"
#include "runtime/core/cuda/kernel_event.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace capi {
namespace {

absl::Status Describe(const char* kind, const std::vector<TensorSpec>& specs,
                      size_t index, gsa_tensor_info* info) {
  if (index >= specs.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        kind, " ", index, ": the plan has ", specs.size(), " ", kind, "s"));
  }
  const TensorSpec& spec = specs[index];
  GSA_ASSIGN_OR_RETURN(int64_t bytes, CheckedByteSize(spec.dtype, spec.shape));
  gsa_tensor_info value = {};
  value.name = spec.name.c_str();
  value.shape = spec.shape.data();
  value.rank = static_cast<int32_t>(spec.shape.size());
  value.dtype = ToWord(spec.dtype);
  value.bytes = static_cast<uint64_t>(bytes);
  if (!spec.updates.empty()) value.updates = spec.updates.c_str();
  return Write("info", value, info);
}

}  // namespace
}  // namespace capi
}  // namespace gsa

using gsa::capi::Guard;

gsa_plan* gsa_plan_retain(gsa_plan* plan) {
  if (plan != nullptr) plan->references.fetch_add(1, std::memory_order_relaxed);
  return plan;
}

void gsa_plan_release(gsa_plan* plan) {
  if (plan == nullptr) return;
  if (plan->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    delete plan;
  }
}

size_t gsa_plan_num_inputs(const gsa_plan* plan) {
  return plan == nullptr ? 0 : plan->plan->inputs().size();
}

size_t gsa_plan_num_outputs(const gsa_plan* plan) {
  return plan == nullptr ? 0 : plan->plan->outputs().size();
}

gsa_status* gsa_plan_input(const gsa_plan* plan, size_t index,
                           gsa_tensor_info* info) {
  return Guard([&] {
    if (plan == nullptr) return gsa::capi::NullError("plan");
    return gsa::capi::Describe("input", plan->plan->inputs(), index, info);
  });
}

gsa_status* gsa_plan_output(const gsa_plan* plan, size_t index,
                            gsa_tensor_info* info) {
  return Guard([&] {
    if (plan == nullptr) return gsa::capi::NullError("plan");
    return gsa::capi::Describe("output", plan->plan->outputs(), index, info);
  });
}

size_t gsa_plan_workspace_bytes(const gsa_plan* plan) {
  return plan == nullptr ? 0 : plan->plan->workspace_bytes();
}

int32_t gsa_plan_num_threads(const gsa_plan* plan) {
  return plan == nullptr ? 0 : plan->plan->num_threads();
}

gsa_status* gsa_plan_kernel_counts(const gsa_plan* plan,
                                   gsa_kernel_counts* counts) {
  return Guard([&]() -> absl::Status {
    if (plan == nullptr) return gsa::capi::NullError("plan");
    const gsa::KernelCounts& known = plan->plan->kernel_counts();
    gsa_kernel_counts value = {};
    value.compiled = static_cast<uint64_t>(known.compiled);
    value.from_disk = static_cast<uint64_t>(known.disk);
    value.from_memory = static_cast<uint64_t>(known.memory);
    value.compile_milliseconds = known.compile_milliseconds;
    return gsa::capi::Write("counts", value, counts);
  });
}

gsa_status* gsa_plan_warmup(const gsa_plan* plan) {
  return Guard([&]() -> absl::Status {
    if (plan == nullptr) return gsa::capi::NullError("plan");
    return plan->plan->WarmUp();
  });
}

uint64_t gsa_kernel_compilations(void) {
  return static_cast<uint64_t>(gsa::KernelCompilations());
}

uint64_t gsa_compilations(void) {
  return static_cast<uint64_t>(gsa::Compilations());
}

void gsa_set_compilation_callback(gsa_compilation_callback callback,
                                  void* user_data) {
  if (callback == nullptr) {
    gsa::SetCompilationListener(nullptr);
    return;
  }
  gsa::SetCompilationListener(
      [callback, user_data](const gsa::CompilationEvent& event) {
        gsa_compilation value = {};
        value.struct_size = sizeof(value);
        value.kind = event.kind.c_str();
        value.name = event.name.c_str();
        value.target = event.target.c_str();
        value.key = event.key.c_str();
        value.milliseconds = event.milliseconds;
        callback(&value, user_data);
      });
}

void gsa_forbid_compilations(int32_t forbid) {
  gsa::ForbidCompilations(forbid != 0);
}

const char* gsa_plan_target(const gsa_plan* plan) {
  return plan == nullptr ? "" : plan->target.c_str();
}

size_t gsa_plan_num_stages(const gsa_plan* plan) {
  return plan == nullptr ? 0 : plan->plan->zone_names().size();
}

const char* gsa_plan_stage_name(const gsa_plan* plan, size_t index) {
  if (index >= gsa_plan_num_stages(plan)) return nullptr;
  return plan->plan->zone_names()[index].c_str();
}
