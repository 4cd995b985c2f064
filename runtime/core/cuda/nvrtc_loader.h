// -----------------------------------------------------------------------------
// File: nvrtc_loader.h
// -----------------------------------------------------------------------------
//
// NVRTC for those who may not need it. A process that finds all its kernels in
// the cache on disk must know which NVRTC would have compiled them, since their
// keys name it, and has no use for the library itself, which takes longer to
// open than all the kernels to read.
//
// So each process that opens NVRTC leaves a record in the cache of what the
// search found, and of the state of every file that the search looks at. Where
// nothing of that has changed the record is believed. It says less than the
// search in one case: a library that only the loader's path of this process
// has (LD_LIBRARY_PATH) is not seen before NVRTC is opened. Kernels of the
// recorded one are used then, which are as good.

#ifndef GSA_RUNTIME_CORE_CUDA_NVRTC_LOADER_H_
#define GSA_RUNTIME_CORE_CUDA_NVRTC_LOADER_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "runtime/core/cuda/nvrtc_api.h"
#include "runtime/core/cuda/toolkit_search.h"
#include "runtime/core/program_cache.h"

namespace gsa {

// Which NVRTC it is, as far as the code that it makes can depend on it.
struct NvrtcIdentity {
  std::string version;  // "13.0"
  int major = 0;
  // Of the library's file: what tells apart the updates of a version.
  int64_t bytes = 0;

  std::string ToString() const;  // "nvrtc 13.0, 109338064 bytes"
};

// Thread safe.
class NvrtcLoader {
 public:
  // Searches in the given places; `records` may be null.
  NvrtcLoader(ToolkitSearch search, std::shared_ptr<ProgramCache> records)
      : search_(std::move(search)), records_(std::move(records)) {}

  // The library, opened by the first call that finds it. An error is not kept.
  absl::StatusOr<std::shared_ptr<const NvrtcApi>> Get();

  // Which one Get() gives, by a record if there is one that holds, else by
  // Get(). After Get() it is that of the library, whatever a record said.
  absl::StatusOr<NvrtcIdentity> Identify();

  bool is_loaded() const;

 private:
  const std::string& RecordKey();
  std::string StateOf(const std::string& path) const;
  std::optional<NvrtcIdentity> ReadRecord();
  void WriteRecord(const NvrtcApi& api);

  const ToolkitSearch search_;
  const std::shared_ptr<ProgramCache> records_;

  mutable std::mutex mutex_;
  std::shared_ptr<const NvrtcApi> api_;
  std::optional<NvrtcIdentity> identity_;
  std::string record_key_;  // once computed
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_NVRTC_LOADER_H_
