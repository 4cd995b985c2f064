// -----------------------------------------------------------------------------
// File: resolve_target.cc
// -----------------------------------------------------------------------------
//
// What "auto" is: the part of a target that looks for a compiler of kernels.

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "runtime/core/status_macros.h"
#include "runtime/device_kernels.h"
#include "runtime/plan.h"
#include "runtime/target.h"

namespace gsa {
namespace {

absl::Status CudaIsUsable(const CompileOptions& options) {
  GSA_RETURN_IF_ERROR(DeviceArch(0).status());
  return KernelCacheFor(options).status();
}

}  // namespace

absl::StatusOr<Target> ResolveTarget(const CompileOptions& options) {
  GSA_ASSIGN_OR_RETURN(Target target, ParseTarget(options.target));
  if (options.target != "auto") return target;
  absl::Status usable = CudaIsUsable(options);
  target.kind = usable.ok() ? TargetKind::kCuda : TargetKind::kCpu;
  if (usable.ok()) {
    target.note = "auto: found a GPU and NVRTC";
    return target;
  }
  std::string reason(usable.message());
  std::replace(reason.begin(), reason.end(), '\n', ' ');  // part of one line
  target.note = absl::StrCat("auto: no GPU to use, because ", reason);
  return target;
}

}  // namespace gsa
