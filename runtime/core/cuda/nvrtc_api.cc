// -----------------------------------------------------------------------------
// File: nvrtc_api.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/nvrtc_api.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "runtime/core/status_macros.h"

namespace gsa {

namespace {

namespace fs = std::filesystem;

// The file that NVRTC opens by that name in its first compilation. It asks the
// loader, which does not look into the folder of NVRTC itself: wheels of 13.0
// have no run path. What is open already under the name is found, so it is
// opened here, from beside the library first.
absl::Status OpenBuiltins(const DynamicLibrary& nvrtc, int major, int minor) {
  const std::string name =
      absl::StrCat("libnvrtc-builtins.so.", major, ".", minor);
  std::vector<std::string> files;
  std::error_code error;
  for (const fs::path& path :
       {fs::path(nvrtc.path()), fs::canonical(nvrtc.path(), error)}) {
    std::string file = (path.parent_path() / name).string();
    if (!fs::exists(file, error)) continue;
    files.push_back(std::move(file));
  }
  files.push_back(name);
  std::string reason;
  for (const std::string& file : files) {
    const absl::Status status = DynamicLibrary::Open(file).status();
    if (status.ok()) return status;
    if (reason.empty()) reason = std::string(status.message());
  }
  return absl::UnavailableError(
      absl::StrCat(nvrtc.path(), " needs ", name, " beside it: ", reason));
}

absl::Status ResolveAll(const DynamicLibrary& library,
                        cuda::NvrtcTable* table) {
#define GSA_CUDA_RESOLVE(member, symbol, type, parameters) \
  GSA_RETURN_IF_ERROR(library.Resolve(symbol, &table->member));
  GSA_NVRTC_FUNCTIONS(GSA_CUDA_RESOLVE)
#undef GSA_CUDA_RESOLVE
  return absl::OkStatus();
}

const ToolkitLibrary& NvrtcLibrary() {
  static const auto& nvrtc =
      *new ToolkitLibrary{"NVRTC",
                          {"libnvrtc.so.13", "libnvrtc.so.12"},
                          {"nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib"},
                          "nvidia-cuda-nvrtc"};
  return nvrtc;
}

}  // namespace

std::vector<std::string> NvrtcCandidates(const ToolkitSearch& search) {
  return ToolkitCandidates(NvrtcLibrary(), search);
}

absl::StatusOr<std::shared_ptr<const NvrtcApi>> NvrtcApi::Load(
    const ToolkitSearch& search) {
  std::shared_ptr<const NvrtcApi> api;
  const auto accept = [&api](const DynamicLibrary& library) -> absl::Status {
    cuda::NvrtcTable table;
    GSA_RETURN_IF_ERROR(ResolveAll(library, &table));
    GSA_ASSIGN_OR_RETURN(std::shared_ptr<const NvrtcApi> made,
                         FromTable(table, library.path()));
    GSA_RETURN_IF_ERROR(OpenBuiltins(library, made->major_, made->minor_));
    api = std::move(made);
    return absl::OkStatus();
  };
  GSA_RETURN_IF_ERROR(
      OpenToolkitLibrary(NvrtcLibrary(), search, accept).status());
  return api;
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
