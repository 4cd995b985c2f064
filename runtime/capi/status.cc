// -----------------------------------------------------------------------------
// File: status.cc
// -----------------------------------------------------------------------------
//
// Versions, statuses, element types and memory of the C API.

#include <cstdlib>
#include <exception>
#include <new>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "runtime/capi/internal.h"

namespace gsa {
namespace capi {
namespace {

// Returned when there is no memory for a status; never freed. Its message is
// short enough to need no memory of its own.
gsa_status* OutOfMemoryStatus() {
  static gsa_status status{GSA_RESOURCE_EXHAUSTED, "out of memory"};
  return &status;
}

}  // namespace

gsa_code ToCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return GSA_OK;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kOutOfRange:
      return GSA_INVALID_ARGUMENT;
    case absl::StatusCode::kResourceExhausted:
      return GSA_RESOURCE_EXHAUSTED;
    case absl::StatusCode::kFailedPrecondition:
      return GSA_FAILED_PRECONDITION;
    case absl::StatusCode::kUnimplemented:
      return GSA_UNIMPLEMENTED;
    case absl::StatusCode::kInternal:
      return GSA_INTERNAL;
    case absl::StatusCode::kUnavailable:
      return GSA_UNAVAILABLE;
    default:
      return GSA_UNKNOWN;
  }
}

std::string MessageOf(const absl::Status& status) {
  return absl::StrReplaceAll(status.message(),
                             {{absl::string_view("\0", 1), "\\0"}});
}

gsa_status* ToHandle(const absl::Status& status) noexcept {
  if (status.ok()) return nullptr;
  try {
    return new gsa_status{ToCode(status.code()), MessageOf(status)};
  } catch (const std::bad_alloc&) {
    return OutOfMemoryStatus();
  }
}

gsa_status* CaughtToHandle() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return OutOfMemoryStatus();
  } catch (const std::exception& error) {
    try {
      return ToHandle(absl::InternalError(error.what()));
    } catch (...) {
      return OutOfMemoryStatus();
    }
  } catch (...) {
    return ToHandle(absl::InternalError("unknown exception"));
  }
}

absl::Status NullError(const char* what) {
  return absl::InvalidArgumentError(absl::StrCat(what, ": got a null pointer"));
}

uint32_t ToWord(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return GSA_DTYPE(6, 8);
    case DType::kU8:
      return GSA_DTYPE(1, 8);
    case DType::kI32:
      return GSA_I32;
    case DType::kI64:
      return GSA_I64;
    case DType::kF16:
      return GSA_F16;
    case DType::kBF16:
      return GSA_BF16;
    case DType::kF32:
      return GSA_F32;
    case DType::kF64:
      return GSA_F64;
  }
  return 0;
}

absl::optional<DType> FromWord(uint32_t word) {
  for (DType dtype : {DType::kI32, DType::kI64, DType::kF16, DType::kBF16,
                      DType::kF32, DType::kF64}) {
    if (ToWord(dtype) == word) return dtype;
  }
  return absl::nullopt;
}

}  // namespace capi
}  // namespace gsa

using gsa::capi::FromWord;

#define GSA_STRINGIFY_INNER(x) #x
#define GSA_STRINGIFY(x) GSA_STRINGIFY_INNER(x)

int32_t gsa_version(void) { return GSA_VERSION; }

const char* gsa_version_string(void) {
  return GSA_STRINGIFY(GSA_VERSION_MAJOR) "." GSA_STRINGIFY(
      GSA_VERSION_MINOR) "." GSA_STRINGIFY(GSA_VERSION_PATCH);
}

gsa_code gsa_status_code(const gsa_status* status) {
  return status == nullptr ? GSA_OK : status->code;
}

const char* gsa_status_message(const gsa_status* status) {
  return status == nullptr ? "" : status->message.c_str();
}

void gsa_status_destroy(gsa_status* status) {
  if (status != gsa::capi::OutOfMemoryStatus()) delete status;
}

const char* gsa_code_name(gsa_code code) {
  // In C an enumeration holds any number. In C++ reading one that is none of
  // its range is undefined, so its bytes are read instead.
  int32_t number;
  static_assert(sizeof(number) == sizeof(code));
  std::memcpy(&number, &code, sizeof(number));
  switch (number) {
    case GSA_OK:
      return "OK";
    case GSA_INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case GSA_RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    case GSA_FAILED_PRECONDITION:
      return "FAILED_PRECONDITION";
    case GSA_UNAVAILABLE:
      return "UNAVAILABLE";
    case GSA_UNIMPLEMENTED:
      return "UNIMPLEMENTED";
    case GSA_INTERNAL:
      return "INTERNAL";
    default:
      return "UNKNOWN";
  }
}

const char* gsa_dtype_name(uint32_t dtype) {
  absl::optional<gsa::DType> known = FromWord(dtype);
  return known.has_value() ? gsa::DTypeName(*known) : "";
}

size_t gsa_dtype_size(uint32_t dtype) {
  absl::optional<gsa::DType> known = FromWord(dtype);
  return known.has_value() ? gsa::DTypeSize(*known) : 0;
}

void* gsa_alloc(size_t bytes) {
  static_assert(GSA_ALIGNMENT == gsa::kTensorAlignment);
  // aligned_alloc wants a multiple of the alignment; zero bytes get one line.
  if (bytes > SIZE_MAX - GSA_ALIGNMENT) return nullptr;
  size_t rounded = (bytes + GSA_ALIGNMENT - 1) / GSA_ALIGNMENT * GSA_ALIGNMENT;
  if (rounded == 0) rounded = GSA_ALIGNMENT;
  void* memory = std::aligned_alloc(GSA_ALIGNMENT, rounded);
  if (memory != nullptr) std::memset(memory, 0, rounded);
  return memory;
}

void gsa_free(void* memory) { std::free(memory); }
