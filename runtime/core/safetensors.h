// -----------------------------------------------------------------------------
// File: safetensors.h
// -----------------------------------------------------------------------------
//
// Reading and writing of safetensors files: u64 little-endian header length,
// JSON header, raw little-endian data.
//
//   GSA_ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Open(path));
//   GSA_ASSIGN_OR_RETURN(HostTensor w, file.Get("q_proj.weight"));
//
// Files are read, not mapped: a file that shrinks while it is in use is then an
// error and not a SIGBUS, and tensors come aligned whatever the header's
// length.

#ifndef GSA_RUNTIME_CORE_SAFETENSORS_H_
#define GSA_RUNTIME_CORE_SAFETENSORS_H_

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/core/dtype.h"
#include "runtime/core/safetensors_header.h"
#include "runtime/core/tensor.h"

namespace gsa {

// A validated file, open for reading. Const methods are thread safe.
class SafetensorsFile {
 public:
  // Reads and validates the header only. InvalidArgument for a malformed file;
  // the code of errno (NotFound, ...) if it cannot be read.
  static absl::StatusOr<SafetensorsFile> Open(const std::string& path);

  // The same for the bytes of a file; `name` stands for the path in messages.
  static absl::StatusOr<SafetensorsFile> FromBytes(std::string name,
                                                   std::string bytes);

  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&& other) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) = delete;

  const std::string& path() const { return path_; }
  // In the order of the data.
  const std::vector<SafetensorsEntry>& entries() const {
    return header_.entries;
  }
  const std::map<std::string, std::string>& metadata() const {
    return header_.metadata;
  }
  bool Contains(const std::string& name) const {
    return index_.count(name) != 0;
  }

  // The description of a tensor. NotFound lists the names nearest to `name`.
  // The pointer lives as long as this object stays where it is.
  absl::StatusOr<const SafetensorsEntry*> Find(const std::string& name) const;

  // Reads a tensor. DataLoss if the file shrank since Open(); Unimplemented if
  // its element type has no DType; InvalidArgument if a byte of a BOOL is
  // neither 0 nor 1.
  absl::StatusOr<HostTensor> Get(const std::string& name) const;

  // Get() of a tensor that must have this type; InvalidArgument otherwise.
  absl::StatusOr<HostTensor> Get(const std::string& name, DType dtype,
                                 absl::Span<const int64_t> shape) const;

 private:
  SafetensorsFile() = default;
  absl::Status Load(uint64_t file_size);
  absl::Status ReadAt(uint64_t offset, void* out, uint64_t size) const;

  std::string path_;
  int fd_ = -1;        // or, if negative,
  std::string bytes_;  // the whole file
  uint64_t data_start_ = 0;
  SafetensorsHeader header_;
  std::unordered_map<std::string, size_t> index_;
};

struct NamedTensor {
  std::string name;
  TensorView view;
};

// Writes a file atomically: `path` is replaced by the complete file or left as
// it was. Equal input gives equal bytes: tensors are laid out by falling
// alignment, then by name, so that each is aligned for its dtype.
// InvalidArgument for two equal names, the reserved name, or text that is not
// UTF-8.
absl::Status WriteSafetensors(
    const std::string& path, absl::Span<const NamedTensor> tensors,
    const std::map<std::string, std::string>& metadata = {});
absl::Status WriteSafetensors(
    const std::string& path, absl::Span<const HostTensor> tensors,
    const std::map<std::string, std::string>& metadata = {});

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_SAFETENSORS_H_
