// -----------------------------------------------------------------------------
// File: nvrtc_loader.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/nvrtc_loader.h"

#include <sys/stat.h>

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/core/sha256.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

constexpr char kKind[] = "nvrtc";

// What changes when another file is put in the place of one.
std::string StateOfFile(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return "absent";
  return absl::StrCat(info.st_dev, ":", info.st_ino, ":", info.st_size, ":",
                      info.st_mtim.tv_sec, ".", info.st_mtim.tv_nsec);
}

NvrtcIdentity IdentityOf(const NvrtcApi& api) {
  NvrtcIdentity identity;
  identity.version = api.version();
  identity.major = api.major_version();
  struct stat info;
  if (stat(api.path().c_str(), &info) == 0) identity.bytes = info.st_size;
  return identity;
}

}  // namespace

std::string NvrtcIdentity::ToString() const {
  return absl::StrCat("nvrtc ", version, ", ", bytes, " bytes");
}

absl::StatusOr<std::shared_ptr<const NvrtcApi>> NvrtcLoader::Get() {
  // Held while it is opened, so that it is opened once.
  std::lock_guard<std::mutex> lock(mutex_);
  if (api_ == nullptr) {
    RecordKey();  // of what the process had open before
    GSA_ASSIGN_OR_RETURN(api_, NvrtcApi::Load(search_));
    identity_ = IdentityOf(*api_);
    WriteRecord(*api_);
  }
  return api_;
}

absl::StatusOr<NvrtcIdentity> NvrtcLoader::Identify() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!identity_) identity_ = ReadRecord();
    if (identity_) return *identity_;
  }
  GSA_RETURN_IF_ERROR(Get().status());
  std::lock_guard<std::mutex> lock(mutex_);
  return *identity_;
}

bool NvrtcLoader::is_loaded() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return api_ != nullptr;
}

// One record for each search, and apart where another part of the process has
// an NVRTC open, which the loader's path then leads to.
const std::string& NvrtcLoader::RecordKey() {
  if (!record_key_.empty()) return record_key_;
  Sha256 hash;
  hash.UpdateField(kKind);
  hash.UpdateField(ToKey(search_));
  for (const std::string& file : NvrtcCandidates(search_))
    if (!absl::StrContains(file, '/'))
      hash.UpdateField(DynamicLibrary::PathIfLoaded(file));
  return record_key_ = hash.HexDigest();
}

std::string NvrtcLoader::StateOf(const std::string& path) const {
  std::string state = absl::StrCat(path, " ", StateOfFile(path), "\n");
  // What the loader's path leads to changes with its cache.
  absl::StrAppend(&state, "ld.so.cache ", StateOfFile("/etc/ld.so.cache"),
                  "\n");
  for (const std::string& file : NvrtcCandidates(search_))
    if (absl::StrContains(file, '/'))
      absl::StrAppend(&state, file, " ", StateOfFile(file), "\n");
  return state;
}

std::optional<NvrtcIdentity> NvrtcLoader::ReadRecord() {
  if (records_ == nullptr || !records_->options().enabled())
    return std::nullopt;
  const auto entry = records_->Read(RecordKey(), kKind);
  if (!entry || entry->payload != StateOf(entry->Field("path")))
    return std::nullopt;
  NvrtcIdentity identity;
  identity.version = entry->Field("version");
  if (!absl::SimpleAtoi(entry->Field("major"), &identity.major) ||
      !absl::SimpleAtoi(entry->Field("bytes"), &identity.bytes))
    return std::nullopt;
  return identity;
}

void NvrtcLoader::WriteRecord(const NvrtcApi& api) {
  if (records_ == nullptr) return;
  const NvrtcIdentity identity = IdentityOf(api);
  ProgramEntry entry;
  entry.key = RecordKey();
  entry.kind = kKind;
  entry.fields = {{"name", "NVRTC " + api.Describe()},
                  {"path", api.path()},
                  {"version", identity.version},
                  {"major", absl::StrCat(identity.major)},
                  {"bytes", absl::StrCat(identity.bytes)}};
  entry.payload = StateOf(api.path());
  records_->Write(entry);
}

}  // namespace gsa
