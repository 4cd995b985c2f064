// -----------------------------------------------------------------------------
// File: executable.h
// -----------------------------------------------------------------------------
//
// Compiled code of one target, as a Plan sees it. Internal.

#ifndef GSA_RUNTIME_EXECUTABLE_H_
#define GSA_RUNTIME_EXECUTABLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/core/cuda/cuda_executor.h"
#include "runtime/core/cuda/device_program.h"
#include "runtime/plan.h"
#include "runtime/target.h"

namespace mlir::gsa {
class CpuModule;
}

namespace gsa {

// Immutable; may run in many threads at once.
class Executable {
 public:
  virtual ~Executable() = default;

  virtual int64_t workspace_bytes() const = 0;
  // What the addresses of tensors and of the workspace are multiples of.
  virtual int64_t tensor_alignment() const = 0;
  virtual int64_t workspace_alignment() const = 0;
  // Part of Plan::target_description.
  virtual std::string description() const = 0;

  // Plan::WarmUp: by default nothing is left for later.
  virtual absl::Status WarmUp() const { return absl::OkStatus(); }

  // Runs on arguments that Plan::Check has passed.
  virtual absl::Status Run(absl::Span<const TensorView> inputs,
                           absl::Span<const MutableTensorView> outputs,
                           absl::Span<char> workspace,
                           const RunOptions& options) const = 0;
};

std::unique_ptr<Executable> MakeCpuExecutable(
    std::unique_ptr<mlir::gsa::CpuModule> module,
    std::vector<std::string> zone_names, int64_t workspace_bytes,
    std::string description);

// A program on GPU `ordinal`; kernels without machine code are compiled. Needs
// nothing of the compiler of modules.
absl::StatusOr<std::unique_ptr<Executable>> MakeCudaExecutable(
    const DeviceProgram& program, int ordinal, const ExecutorOptions& options);

// Compiles the kernels of `program` and makes it ready to run on a GPU or in
// emulation. `options` gives the place of NVRTC.
absl::StatusOr<std::unique_ptr<Executable>> MakeDeviceExecutable(
    DeviceProgram program, const Target& target, const CompileOptions& options);

}  // namespace gsa

#endif  // GSA_RUNTIME_EXECUTABLE_H_
