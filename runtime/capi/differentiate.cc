// -----------------------------------------------------------------------------
// File: differentiate.cc
// -----------------------------------------------------------------------------
//
// Backward functions in the C API.

#include "runtime/differentiate.h"

#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/capi/internal.h"
#include "runtime/capi/support.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace capi {
namespace {

absl::Status ReadNames(const char* what, const char* const* names, size_t count,
                       std::vector<std::string>* result) {
  if (count == 0) return absl::OkStatus();
  if (names == nullptr) return NullError(what);
  for (size_t i = 0; i < count; ++i) {
    if (names[i] == nullptr) {
      return NullError(absl::StrCat(what, "[", i, "]").c_str());
    }
    result->push_back(names[i]);
  }
  return absl::OkStatus();
}

absl::Status Differentiate(const char* text, size_t length,
                           const char* filename,
                           const gsa_differentiate_options* options,
                           char** module, size_t* module_length) {
  if (module == nullptr) return NullError("module");
  *module = nullptr;
  if (module_length == nullptr) return NullError("module_length");
  *module_length = 0;
  if (text == nullptr) return NullError("text");
  if (length > MaxModuleBytes()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "text: expected at most ", MaxModuleBytes(), " bytes, got ", length));
  }
  gsa_differentiate_options read = {};
  if (options != nullptr) {
    GSA_ASSIGN_OR_RETURN(read, Read("options", options));
  }
  DifferentiateOptions cpp;
  if (read.function != nullptr) cpp.function = read.function;
  GSA_RETURN_IF_ERROR(
      ReadNames("inputs", read.inputs, read.num_inputs, &cpp.inputs));
  GSA_RETURN_IF_ERROR(
      ReadNames("outputs", read.outputs, read.num_outputs, &cpp.outputs));
  if (read.save != nullptr) cpp.save = read.save;
  GSA_ASSIGN_OR_RETURN(
      const std::string result,
      DifferentiateModule(std::string(text, length),
                          filename == nullptr ? "<memory>" : filename, cpp));
  char* memory = static_cast<char*>(gsa_alloc(result.size() + 1));
  if (memory == nullptr) return absl::ResourceExhaustedError("out of memory");
  std::memcpy(memory, result.c_str(), result.size() + 1);
  *module = memory;
  *module_length = result.size();
  return absl::OkStatus();
}

}  // namespace
}  // namespace capi
}  // namespace gsa

gsa_status* gsa_differentiate(const char* text, size_t length,
                              const char* filename,
                              const gsa_differentiate_options* options,
                              char** module, size_t* module_length) {
  return gsa::capi::Guard([&] {
    return gsa::capi::Differentiate(text, length, filename, options, module,
                                    module_length);
  });
}
