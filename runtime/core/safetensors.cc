// -----------------------------------------------------------------------------
// File: safetensors.cc
// -----------------------------------------------------------------------------

#include "runtime/core/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/nearest_name.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensor data is copied from and to files as it is");

constexpr uint64_t kLengthBytes = 8;
// Headers are padded with blanks to this, which aligns the data.
constexpr size_t kHeaderAlignment = 8;

// "; nearest: 'x', 'y'" for up to three names, or the number of names where
// none is near.
std::string Suggest(const std::string& name,
                    const std::vector<SafetensorsEntry>& entries) {
  constexpr size_t kMaxShown = 3;
  std::vector<absl::string_view> names;
  for (const SafetensorsEntry& entry : entries) names.push_back(entry.name);
  const std::vector<absl::string_view> near =
      NearestNames(name, names, kMaxShown);
  if (near.empty())
    return absl::StrCat("; it has ", entries.size(), " tensors");
  return absl::StrCat("; nearest: ",
                      absl::StrJoin(near, ", ", [](std::string* out, auto n) {
                        absl::StrAppend(out, QuoteName(n));
                      }));
}

std::string ReadableTypes() {
  std::string names;
  for (const SafetensorsDType& type : SafetensorsDTypes()) {
    if (!type.dtype) continue;
    absl::StrAppend(&names, names.empty() ? "" : ", ", type.name);
  }
  return names;
}

}  // namespace

SafetensorsFile::~SafetensorsFile() {
  if (fd_ >= 0) close(fd_);
}

SafetensorsFile::SafetensorsFile(SafetensorsFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      bytes_(std::move(other.bytes_)),
      data_start_(other.data_start_),
      header_(std::move(other.header_)),
      index_(std::move(other.index_)) {}

absl::StatusOr<SafetensorsFile> SafetensorsFile::Open(const std::string& path) {
  SafetensorsFile file;
  file.path_ = path;
  // Not blocking: opening a pipe would wait for its other end.
  file.fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat info;
  if (file.fd_ < 0 || fstat(file.fd_, &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot open"));
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected a regular file"));
  }
  GSA_RETURN_IF_ERROR(file.Load(static_cast<uint64_t>(info.st_size)));
  return file;
}

absl::StatusOr<SafetensorsFile> SafetensorsFile::FromBytes(std::string name,
                                                           std::string bytes) {
  SafetensorsFile file;
  file.path_ = std::move(name);
  file.bytes_ = std::move(bytes);
  GSA_RETURN_IF_ERROR(file.Load(file.bytes_.size()));
  return file;
}

absl::Status SafetensorsFile::Load(uint64_t file_size) {
  if (file_size < kLengthBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ": got ", file_size,
                     " bytes, expected a safetensors file of at least ",
                     kLengthBytes, " bytes"));
  }
  uint64_t length = 0;
  GSA_RETURN_IF_ERROR(ReadAt(0, &length, kLengthBytes));
  if (length > kMaxSafetensorsHeader) {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ": got a header length of ", length,
                     " bytes, expected at most ", kMaxSafetensorsHeader));
  }
  if (length > file_size - kLengthBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        path_, ": got a header length of ", length, " bytes, expected at most ",
        file_size - kLengthBytes, ", which is what the file has left"));
  }
  std::string json(length, '\0');
  GSA_RETURN_IF_ERROR(ReadAt(kLengthBytes, json.data(), length));
  data_start_ = kLengthBytes + length;
  GSA_ASSIGN_OR_RETURN(
      header_, ParseSafetensorsHeader(path_, json, file_size - data_start_));
  for (size_t i = 0; i < header_.entries.size(); ++i) {
    index_.emplace(header_.entries[i].name, i);
  }
  return absl::OkStatus();
}

absl::Status SafetensorsFile::ReadAt(uint64_t offset, void* out,
                                     uint64_t size) const {
  if (fd_ < 0) {
    if (size > 0) std::memcpy(out, bytes_.data() + offset, size);
    return absl::OkStatus();
  }
  auto* cursor = static_cast<char*>(out);
  while (size > 0) {
    const ssize_t got =
        pread(fd_, cursor, std::min<uint64_t>(size, uint64_t{1} << 30),
              static_cast<off_t>(offset));
    if (got < 0) {
      if (errno == EINTR) continue;
      return absl::ErrnoToStatus(errno, absl::StrCat(path_, ": cannot read"));
    }
    if (got == 0) {
      return absl::DataLossError(absl::StrCat(path_, ": the file ends at byte ",
                                              offset, ", expected ", size,
                                              " more: it shrank while in use"));
    }
    cursor += got;
    offset += static_cast<uint64_t>(got);
    size -= static_cast<uint64_t>(got);
  }
  return absl::OkStatus();
}

absl::StatusOr<const SafetensorsEntry*> SafetensorsFile::Find(
    const std::string& name) const {
  auto it = index_.find(name);
  if (it == index_.end()) {
    return absl::NotFoundError(absl::StrCat(path_, ": no tensor named ",
                                            QuoteName(name),
                                            Suggest(name, entries())));
  }
  return &header_.entries[it->second];
}

absl::StatusOr<HostTensor> SafetensorsFile::Get(const std::string& name) const {
  GSA_ASSIGN_OR_RETURN(const SafetensorsEntry* entry, Find(name));
  if (!entry->type->dtype) {
    return absl::UnimplementedError(absl::StrCat(
        path_, ": tensor ", QuoteName(name), ": got ", entry->type_string(),
        ", expected an element type that can be computed with: ",
        ReadableTypes()));
  }
  const DType dtype = *entry->type->dtype;
  GSA_ASSIGN_OR_RETURN(HostTensor tensor,
                       HostTensor::Create(name, dtype, entry->shape));
  GSA_RETURN_IF_ERROR(ReadAt(data_start_ + entry->begin, tensor.raw_data(),
                             entry->end - entry->begin));
  if (dtype == DType::kBool) {
    // Any other byte in a C++ bool is undefined behaviour.
    const auto* bytes = static_cast<const uint8_t*>(tensor.raw_data());
    for (int64_t i = 0; i < tensor.num_elements(); ++i) {
      if (bytes[i] > 1) {
        return absl::InvalidArgumentError(absl::StrCat(
            path_, ": tensor ", QuoteName(name), ": element ", i, ": got byte ",
            int{bytes[i]}, ", expected 0 or 1 for BOOL"));
      }
    }
  }
  return tensor;
}

absl::StatusOr<HostTensor> SafetensorsFile::Get(
    const std::string& name, DType dtype,
    absl::Span<const int64_t> shape) const {
  GSA_ASSIGN_OR_RETURN(const SafetensorsEntry* entry, Find(name));
  if (entry->type->dtype != dtype ||
      absl::MakeConstSpan(entry->shape) != shape) {
    return absl::InvalidArgumentError(absl::StrCat(
        path_, ": tensor ", QuoteName(name), ": got ", entry->type_string(),
        ", expected ", TypeToString(dtype, shape)));
  }
  return Get(name);
}

absl::Status WriteSafetensors(
    const std::string& path, absl::Span<const NamedTensor> tensors,
    const std::map<std::string, std::string>& metadata) {
  std::vector<const NamedTensor*> order;
  for (const NamedTensor& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(),
            [](const NamedTensor* a, const NamedTensor* b) {
              const size_t size_a = DTypeSize(a->view.dtype);
              const size_t size_b = DTypeSize(b->view.dtype);
              if (size_a != size_b) return size_a > size_b;
              return a->name < b->name;
            });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[kSafetensorsMetadataKey] = metadata;
  std::unordered_map<std::string, bool> seen;
  uint64_t offset = 0;
  for (const NamedTensor* tensor : order) {
    const std::string where =
        absl::StrCat(path, ": tensor ", QuoteName(tensor->name), ": ");
    if (tensor->name == kSafetensorsMetadataKey) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, "the name is reserved"));
    }
    if (!seen.emplace(tensor->name, true).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, "the name occurs twice, expected unique names"));
    }
    absl::StatusOr<int64_t> size =
        CheckedByteSize(tensor->view.dtype, tensor->view.shape);
    if (!size.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, size.status().message()));
    }
    nlohmann::ordered_json entry;
    entry["dtype"] = DTypeSafetensorsName(tensor->view.dtype);
    entry["shape"] = std::vector<int64_t>(tensor->view.shape.begin(),
                                          tensor->view.shape.end());
    const uint64_t end = offset + static_cast<uint64_t>(*size);
    entry["data_offsets"] = {offset, end};
    offset = end;
    // Names are unique, so this appends without the search of operator[],
    // which is linear in an ordered object.
    header.get_ref<nlohmann::ordered_json::object_t&>().emplace_back(
        tensor->name, std::move(entry));
  }
  std::string json;
  try {
    json = header.dump();
  } catch (const nlohmann::json::type_error&) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": a tensor name or metadata text is not UTF-8"));
  }
  json.append((0 - json.size()) % kHeaderAlignment, ' ');
  if (json.size() > kMaxSafetensorsHeader) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": got a header of ", json.size(),
                     " bytes, expected at most ", kMaxSafetensorsHeader));
  }

  GSA_ASSIGN_OR_RETURN(AtomicFileWriter writer, AtomicFileWriter::Create(path));
  const uint64_t length = json.size();
  GSA_RETURN_IF_ERROR(writer.Append(absl::MakeConstSpan(
      reinterpret_cast<const char*>(&length), kLengthBytes)));
  GSA_RETURN_IF_ERROR(writer.Append(json));
  for (const NamedTensor* tensor : order) {
    GSA_RETURN_IF_ERROR(writer.Append(
        absl::MakeConstSpan(static_cast<const char*>(tensor->view.data),
                            tensor->view.byte_size())));
  }
  return writer.Commit();
}

absl::Status WriteSafetensors(
    const std::string& path, absl::Span<const HostTensor> tensors,
    const std::map<std::string, std::string>& metadata) {
  std::vector<NamedTensor> named;
  for (const HostTensor& tensor : tensors) {
    named.push_back({tensor.name(), tensor.view()});
  }
  return WriteSafetensors(path, named, metadata);
}

}  // namespace gsa
