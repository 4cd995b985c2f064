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
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/core/dtype.h"

namespace gsa {

// The format's own limit on the JSON text.
inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;

// The key of the header that holds free text and no tensor.
inline constexpr char kSafetensorsMetadataKey[] = "__metadata__";

// An element type of the format. Files may hold tensors of types that nothing
// here computes with; they can be described and not read.
struct SafetensorsDType {
  const char* name;  // "F32", "F8_E4M3", "F4"
  int bits;          // per element; below 8 the elements are packed
  std::optional<DType> dtype;
};

// Every type of the format.
absl::Span<const SafetensorsDType> SafetensorsDTypes();

struct SafetensorsEntry {
  std::string name;
  const SafetensorsDType* type = nullptr;  // one of SafetensorsDTypes()
  std::vector<int64_t> shape;
  // Byte range within the data section that follows the header.
  uint64_t begin = 0;
  uint64_t end = 0;

  // "bf16[2, 3, 4]", and "F8_E4M3[2, 3, 4]" for a type that has no DType.
  std::string type_string() const;
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
