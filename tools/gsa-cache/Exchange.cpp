//===- Exchange.cpp - entries of a cache in one file ----------------------===//

#include "tools/gsa-cache/Exchange.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

constexpr absl::string_view kMagic = "GSAKERNS";
constexpr size_t kSizeBytes = 8;

std::string sizeBytes(uint64_t size) {
  std::string bytes;
  for (size_t i = 0; i < kSizeBytes; ++i)
    bytes += static_cast<char>(size >> (8 * i));
  return bytes;
}

uint64_t sizeOf(const char* bytes) {
  uint64_t size = 0;
  for (size_t i = 0; i < kSizeBytes; ++i)
    size |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return size;
}

absl::Status damaged(const std::string& file, const std::string& what) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", file, "' is no file of gsa-cache export: ", what));
}

}  // namespace

absl::StatusOr<ProgramCache::Collected> exportEntries(const ProgramCache& cache,
                                                      const std::string& file) {
  GSA_ASSIGN_OR_RETURN(const ProgramCache::Listing listing, cache.List());
  GSA_ASSIGN_OR_RETURN(AtomicFileWriter writer, AtomicFileWriter::Create(file));
  GSA_RETURN_IF_ERROR(writer.Append({kMagic.data(), kMagic.size()}));
  ProgramCache::Collected written;
  for (const ProgramCache::File& listed : listing.files) {
    ProgramEntry entry;
    if (cache.Check(listed.key, &entry) != EntryRefusal::kNone) continue;
    if (entry.kind != "cubin" && entry.kind != "ptx" && entry.kind != "object")
      continue;
    const std::string bytes = EncodeProgramEntry(entry);
    const std::string size = sizeBytes(bytes.size());
    GSA_RETURN_IF_ERROR(writer.Append({size.data(), size.size()}));
    GSA_RETURN_IF_ERROR(writer.Append({bytes.data(), bytes.size()}));
    ++written.files;
    written.bytes += static_cast<int64_t>(bytes.size());
  }
  GSA_RETURN_IF_ERROR(writer.Commit());
  return written;
}

absl::StatusOr<ProgramCache::Collected> importEntries(ProgramCache& cache,
                                                      const std::string& file) {
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream)
    return absl::NotFoundError(
        absl::StrCat("cannot read '", file, "': ", std::strerror(errno)));
  char head[kSizeBytes] = {};
  stream.read(head, kMagic.size());
  if (absl::string_view(head, kMagic.size()) != kMagic)
    return damaged(file, "it begins with something else");
  ProgramCache::Collected read;
  while (stream.read(head, kSizeBytes)) {
    const uint64_t size = sizeOf(head);
    // Before memory is asked for.
    if (size > kMaxProgramEntryBytes)
      return damaged(file, absl::StrCat("an entry of ", size, " bytes"));
    std::string bytes(size, '\0');
    if (!stream.read(bytes.data(), static_cast<std::streamsize>(size)))
      return damaged(file, "it is cut off");
    ProgramEntry entry;
    const EntryRefusal refusal = DecodeProgramEntry(bytes, "", &entry);
    if (refusal != EntryRefusal::kNone)
      return damaged(file, absl::StrCat("an entry ", Describe(refusal)));
    cache.Write(entry);
    if (cache.stats().write_failures > 0)
      return absl::FailedPreconditionError(cache.problems().back());
    ++read.files;
    read.bytes += static_cast<int64_t>(size);
  }
  if (stream.gcount() != 0) return damaged(file, "it is cut off");
  return read;
}

}  // namespace gsa
