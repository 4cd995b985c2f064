// -----------------------------------------------------------------------------
// File: fuzz_safetensors.cc
// -----------------------------------------------------------------------------
//
// Safetensors files: the input is one, and its header is also read with the
// length that the file should have said, which changes to the header's text
// would otherwise hardly ever meet.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "runtime/core/safetensors.h"

namespace {

void Check(const std::string& bytes) {
  const auto file = gsa::SafetensorsFile::FromBytes("f", bytes);
  // What is refused says why.
  if (!file.ok()) {
    if (file.status().message().empty()) std::abort();
    return;
  }
  for (const gsa::SafetensorsEntry& entry : file->entries()) {
    entry.type_string();
    if (!file->Contains(entry.name)) std::abort();
    const auto tensor = file->Get(entry.name);
    if (!tensor.ok()) {
      // Types that nothing computes with can be described and not read, and a
      // byte may be no truth value.
      if (entry.type->dtype.has_value() &&
          entry.type->dtype != gsa::DType::kBool)
        std::abort();
      continue;
    }
    if (!entry.type->dtype.has_value()) std::abort();
    if (!file->Get(entry.name, *entry.type->dtype, entry.shape).ok())
      std::abort();
  }
  file->Find("weight").status().IgnoreError();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  Check(bytes);
  constexpr size_t kLengthBytes = 8;
  if (size < kLengthBytes) return 0;
  const size_t end = bytes.rfind('}');
  if (end == std::string::npos || end < kLengthBytes) return 0;
  uint64_t length = end + 1 - kLengthBytes;
  for (size_t i = 0; i < kLengthBytes; ++i, length >>= 8)
    bytes[i] = static_cast<char>(length & 0xff);
  Check(bytes);
  return 0;
}
