// -----------------------------------------------------------------------------
// File: safetensors_header.h
// -----------------------------------------------------------------------------
//
// The JSON header of a safetensors file: parsing and validation, apart from
// any input or output. The header is hostile until proven otherwise: it is
// parsed as a stream of events into bounded memory, and nothing in it is
// believed before it agrees with the size of the file.

#ifndef GSA_RUNTIME_CORE_SAFETENSORS_HEADER_H_
#define GSA_RUNTIME_CORE_SAFETENSORS_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/core/dtype.h"

namespace gsa {

// The format's own limit on the JSON text.
inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;

// The key of the header that holds free text and no tensor.
inline constexpr char kSafetensorsMetadataKey[] = "__metadata__";

struct SafetensorsEntry {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  // Byte range within the data section that follows the header.
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct SafetensorsHeader {
  // In the order of the data, which they cover without a gap or overlap.
  std::vector<SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;
};

// Parses `json` and checks that its tensors tile exactly `data_size` bytes.
// `file` names the file in messages. All errors are InvalidArgument and say
// file, tensor, what was got and what was expected.
absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(
    const std::string& file, absl::string_view json, uint64_t data_size);

// A name from a file, escaped, bounded and quoted for a message.
std::string QuoteName(absl::string_view name);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_SAFETENSORS_HEADER_H_
