// -----------------------------------------------------------------------------
// File: nvrtc_api.h
// -----------------------------------------------------------------------------
//
// NVRTC, NVIDIA's compiler of CUDA C++ as a library, opened at run time from a
// CUDA toolkit or from the nvidia-cuda-nvrtc Python wheel. It needs neither a
// GPU nor a driver.

#ifndef GSA_RUNTIME_CORE_CUDA_NVRTC_API_H_
#define GSA_RUNTIME_CORE_CUDA_NVRTC_API_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/core/cuda/cuda_abi.h"
#include "runtime/core/cuda/toolkit_search.h"

namespace gsa {

// The files in which NvrtcApi::Load looks for it, in order; a name without a
// folder stands for the dynamic loader's search.
std::vector<std::string> NvrtcCandidates(const ToolkitSearch& search);

// Thread safe.
class NvrtcApi {
 public:
  // Opens libnvrtc.so.13 or .12, and its libnvrtc-builtins. Unavailable says
  // where they were searched and how to get them.
  static absl::StatusOr<std::shared_ptr<const NvrtcApi>> Load(
      const ToolkitSearch& search = {});

  // A library made of the functions of `table`, for tests.
  static absl::StatusOr<std::shared_ptr<const NvrtcApi>> FromTable(
      const cuda::NvrtcTable& table, std::string path);

  const cuda::NvrtcTable& table() const { return table_; }
  const std::string& path() const { return path_; }
  // "13.0".
  std::string version() const;
  // 13.
  int major_version() const { return major_; }
  // Compute capabilities times 10, ascending: 80, 86, ...
  const std::vector<int>& supported_archs() const { return archs_; }

  // "/usr/local/cuda/lib64/libnvrtc.so.13 (13.0)", for messages.
  std::string Describe() const;

 private:
  NvrtcApi(const cuda::NvrtcTable& table, std::string path)
      : table_(table), path_(std::move(path)) {}

  cuda::NvrtcTable table_;
  std::string path_;
  int major_ = 0;
  int minor_ = 0;
  std::vector<int> archs_;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_NVRTC_API_H_
