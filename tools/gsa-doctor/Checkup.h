//===- Checkup.h - what a GPU needs, and whether it is there ---*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_DOCTOR_CHECKUP_H
#define GSA_TOOLS_GSA_DOCTOR_CHECKUP_H

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/core/cuda/cublaslt_api.h"
#include "runtime/core/cuda/driver_api.h"
#include "runtime/core/cuda/nvrtc_api.h"
#include "runtime/core/cuda/nvrtc_compiler.h"
#include "runtime/core/program_cache.h"

namespace gsa {

enum class Health {
  Ok,
  Absent,   ///< Not there, which some uses do without.
  Broken,   ///< There, and does not work; or the cache is refused.
  Ignored,  ///< A variable of the environment that nothing reads.
};

struct Finding {
  std::string name;  ///< "driver", "device 0".
  Health health = Health::Ok;
  std::string what;    ///< What is there, or what is wrong.
  std::string advice;  ///< What to do; empty if Ok.
};

/// Where things are looked for; tests put others in place.
struct Examination {
  std::function<absl::StatusOr<const DriverApi*>()> driver;
  std::function<absl::StatusOr<std::shared_ptr<const NvrtcApi>>()> nvrtc;
  std::function<absl::StatusOr<std::shared_ptr<const CublasLtApi>>()> cublasLt;
  std::function<absl::StatusOr<CompiledCuda>(const NvrtcApi&,
                                             const CompileRequest&)>
      compile;
  ProgramCacheOptions cache;
  std::vector<std::string> variables;  ///< Names GSA_... that are set.
};

/// Looks at everything in order: driver, devices, NVRTC and its builtins (by
/// compiling a kernel for each architecture of a device, sm_90a without one),
/// whether NVRTC's code is for the driver, cuBLASLt, the directory of the
/// cache, the variables of the environment, and the kernel on each device,
/// whose results are compared.
std::vector<Finding> examine(const Examination& examination);

/// Lines for people, the advice below each; and for programs.
std::string findingsText(const std::vector<Finding>& findings);
std::string findingsJson(const std::vector<Finding>& findings);

/// Whether nothing is broken, and nothing that a GPU needs absent if
/// `needsGpu`.
bool isHealthy(const std::vector<Finding>& findings, bool needsGpu);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_DOCTOR_CHECKUP_H
