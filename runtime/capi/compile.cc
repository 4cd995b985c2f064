// -----------------------------------------------------------------------------
// File: compile.cc
// -----------------------------------------------------------------------------
//
// Compilation and support queries of the C API.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "runtime/capi/internal.h"
#include "runtime/capi/support.h"
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
                                 &result.shapes, &request->errors));
  GSA_RETURN_IF_ERROR(ReadShapes("bound", read.bounds, read.num_bounds,
                                 &result.bounds, &request->errors));
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
