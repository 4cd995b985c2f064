// -----------------------------------------------------------------------------
// File: nvrtc_api.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/nvrtc_api.h"

#include <algorithm>
#include <string>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "runtime/core/status_macros.h"

namespace gsa {

absl::StatusOr<std::shared_ptr<const NvrtcApi>> NvrtcApi::Load(
    const ToolkitSearch& search) {
  const std::vector<std::string> candidates =
      ToolkitCandidates(search, {"libnvrtc.so.13", "libnvrtc.so.12"},
                        {"nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib"});
  auto library = DynamicLibrary::OpenFirst("NVRTC", candidates);
  if (!library.ok())
    return absl::UnavailableError(
        absl::StrCat(library.status().message(),
                     "\nInstall a CUDA toolkit 12 or 13, or the Python package "
                     "nvidia-cuda-nvrtc."));
  cuda::NvrtcTable table;
#define GSA_CUDA_RESOLVE(member, symbol, type, parameters) \
  GSA_RETURN_IF_ERROR(library->Resolve(symbol, &table.member));
  GSA_NVRTC_FUNCTIONS(GSA_CUDA_RESOLVE)
#undef GSA_CUDA_RESOLVE
  return FromTable(table, library->path());
}

absl::StatusOr<std::shared_ptr<const NvrtcApi>> NvrtcApi::FromTable(
    const cuda::NvrtcTable& table, std::string path) {
  auto api = absl::WrapUnique(new NvrtcApi(table, std::move(path)));
  const auto check = [&](cuda::NvrtcResult result, const char* call) {
    if (result == cuda::kNvrtcSuccess) return absl::OkStatus();
    return absl::UnavailableError(
        absl::StrCat("NVRTC at ", api->path_, " does not work: ", call,
                     " failed with ", table.GetErrorString(result)));
  };
  GSA_RETURN_IF_ERROR(
      check(table.Version(&api->major_, &api->minor_), "nvrtcVersion"));
  int count = 0;
  GSA_RETURN_IF_ERROR(
      check(table.GetNumSupportedArchs(&count), "nvrtcGetNumSupportedArchs"));
  api->archs_.resize(std::max(count, 0));
  if (count > 0)
    GSA_RETURN_IF_ERROR(check(table.GetSupportedArchs(api->archs_.data()),
                              "nvrtcGetSupportedArchs"));
  std::sort(api->archs_.begin(), api->archs_.end());
  return std::shared_ptr<const NvrtcApi>(std::move(api));
}

std::string NvrtcApi::version() const {
  return absl::StrCat(major_, ".", minor_);
}

std::string NvrtcApi::Describe() const {
  return absl::StrCat(path_, " (", version(), ")");
}

}  // namespace gsa
