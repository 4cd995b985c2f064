// -----------------------------------------------------------------------------
// File: compile.cc
// -----------------------------------------------------------------------------
//
// Compilation, support queries and plan queries of the C API.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "runtime/capi/internal.h"
#include "runtime/capi/support.h"
#include "runtime/core/compilations.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace capi {
namespace {

// What a caller asked for. Values that are wrong are in `errors`, in the order
// of the fields, and have their defaults in `options`.
struct Request {
  bool has_text = false;
  std::string text;
  std::string filename;
  CompileOptions options;
  std::vector<absl::Status> errors;

  void AddError(absl::string_view message) {
    errors.push_back(absl::InvalidArgumentError(message));
  }
};

// `kind` is "shape" or "bound".
absl::Status ReadShapes(const char* kind, const gsa_named_shape* shapes,
                        size_t count,
                        std::map<std::string, std::vector<int64_t>>* target,
                        Request* request) {
  GSA_ASSIGN_OR_RETURN(auto read, ReadArray(kind, shapes, count));
  for (size_t i = 0; i < read.size(); ++i) {
    const gsa_named_shape& shape = read[i];
    std::string what = absl::StrCat(kind, " ", i);
    if (shape.name == nullptr) return NullError((what + ": name").c_str());
    absl::StrAppend(&what, " ('", shape.name, "')");
    if (shape.rank < 0 || shape.rank > static_cast<int64_t>(kMaxRank)) {
      request->AddError(absl::StrCat(what, ": expected a rank from 0 to ",
                                     kMaxRank, ", got ", shape.rank));
      continue;
    }
    if (shape.rank > 0 && shape.sizes == nullptr) {
      return NullError((what + ": sizes").c_str());
    }
    std::vector<int64_t> sizes(shape.sizes, shape.sizes + shape.rank);
    if (!target->emplace(shape.name, std::move(sizes)).second) {
      request->AddError(absl::StrCat(what, ": expected one ", kind,
                                     " for this input, got two"));
    }
  }
  return absl::OkStatus();
}

void ReadCache(const gsa_compile_options& read, Request* request) {
  const std::string directory = read.cache_dir == nullptr ? "" : read.cache_dir;
  const std::string mode = read.cache_mode == nullptr ? "" : read.cache_mode;
  const absl::StatusOr<CacheMode> parsed =
      mode.empty() ? CacheMode::kReadWrite : ParseCacheMode(mode);
  if (!parsed.ok()) {
    request->AddError(absl::StrCat(
        "options: ", absl::string_view(parsed.status().message())));
    return;
  }
  if (directory.empty() && !mode.empty() && *parsed != CacheMode::kOff) {
    request->AddError(
        absl::StrCat("options: expected a cache_dir beside the cache_mode '",
                     mode, "', got none"));
    return;
  }
  request->options.cache.directory = directory;
  request->options.cache.mode = *parsed;
}

absl::Status ReadOptions(const gsa_compile_options* options, Request* request) {
  gsa_compile_options read = {};
  if (options != nullptr) {
    GSA_ASSIGN_OR_RETURN(read, Read("options", options));
  }
  CompileOptions& result = request->options;
  if (read.target != nullptr) result.target = read.target;
  if (read.entry != nullptr) result.entry = read.entry;
  GSA_RETURN_IF_ERROR(ReadShapes("shape", read.shapes, read.num_shapes,
                                 &result.shapes, request));
  GSA_RETURN_IF_ERROR(ReadShapes("bound", read.bounds, read.num_bounds,
                                 &result.bounds, request));
  result.num_threads =
      read.num_threads == 0 ? AvailableCpus() : read.num_threads;
  result.vector_bits = read.vector_bits;
  if (read.reference != 0 && read.reference != 1) {
    request->AddError(absl::StrCat("options: expected reference = 0 or 1, got ",
                                   read.reference));
  }
  result.reference = read.reference == 1;
  if (read.load_later != 0 && read.load_later != 1) {
    request->AddError(absl::StrCat(
        "options: expected load_later = 0 or 1, got ", read.load_later));
  }
  result.warm_up = read.load_later != 1;
  if (read.arch != nullptr) result.arch = read.arch;
  if (read.nvrtc != nullptr) result.toolkit.only = read.nvrtc;
  if (read.schedules != nullptr) result.schedule_database = read.schedules;
  ReadCache(read, request);
  return absl::OkStatus();
}

// Errors are those of a question that cannot be answered: null pointers and bad
// structures.
absl::StatusOr<Request> ReadRequest(const char* text, size_t length,
                                    const char* filename,
                                    const gsa_compile_options* options) {
  if (text == nullptr) return NullError("text");
  Request request;
  request.filename = filename == nullptr ? "<memory>" : filename;
  // A length that is garbage is not copied.
  request.has_text = length <= MaxModuleBytes();
  if (request.has_text) {
    request.text.assign(text, length);
  } else {
    request.AddError(absl::StrCat("text: expected at most ", MaxModuleBytes(),
                                  " bytes, got ", length));
  }
  GSA_RETURN_IF_ERROR(ReadOptions(options, &request));
  return request;
}

absl::Status Compile(const char* text, size_t length, const char* filename,
                     const gsa_compile_options* options, gsa_plan** plan) {
  if (plan == nullptr) return NullError("plan");
  *plan = nullptr;
  GSA_ASSIGN_OR_RETURN(Request request,
                       ReadRequest(text, length, filename, options));
  if (!request.errors.empty()) return request.errors.front();
  GSA_ASSIGN_OR_RETURN(
      auto compiled,
      Plan::Compile(request.text, request.filename, request.options));
  auto made = std::make_unique<gsa_plan>();
  made->target = compiled->target_description();
  made->plan = std::move(compiled);
  *plan = made.release();
  return absl::OkStatus();
}

absl::Status Support(const char* text, size_t length, const char* filename,
                     const gsa_compile_options* options,
                     gsa_support** support) {
  if (support == nullptr) return NullError("support");
  *support = nullptr;
  GSA_ASSIGN_OR_RETURN(Request request,
                       ReadRequest(text, length, filename, options));
  auto made = std::make_unique<gsa_support>();
  made->reasons = std::move(request.errors);
  if (request.has_text) {
    for (absl::Status& reason :
         CheckSupport(request.text, request.filename, request.options)) {
      made->reasons.push_back(std::move(reason));
    }
  }
  for (const absl::Status& reason : made->reasons) {
    made->messages.push_back(MessageOf(reason));
  }
  *support = made.release();
  return absl::OkStatus();
}

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
  return Write("info", value, info);
}

}  // namespace

}  // namespace capi
}  // namespace gsa

using gsa::capi::Guard;

gsa_status* gsa_compile(const char* text, size_t length, const char* filename,
                        const gsa_compile_options* options, gsa_plan** plan) {
  return Guard([&] {
    return gsa::capi::Compile(text, length, filename, options, plan);
  });
}

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

gsa_status* gsa_check_support(const char* text, size_t length,
                              const char* filename,
                              const gsa_compile_options* options,
                              gsa_support** support) {
  return Guard([&] {
    return gsa::capi::Support(text, length, filename, options, support);
  });
}

size_t gsa_support_num_reasons(const gsa_support* support) {
  return support == nullptr ? 0 : support->reasons.size();
}

const char* gsa_support_reason(const gsa_support* support, size_t index) {
  if (index >= gsa_support_num_reasons(support)) return nullptr;
  return support->messages[index].c_str();
}

gsa_code gsa_support_code(const gsa_support* support, size_t index) {
  if (index >= gsa_support_num_reasons(support)) return GSA_OK;
  return gsa::capi::ToCode(support->reasons[index].code());
}

void gsa_support_destroy(gsa_support* support) { delete support; }

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
