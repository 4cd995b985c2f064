// -----------------------------------------------------------------------------
// File: emu_executor.h
// -----------------------------------------------------------------------------
//
// A device program on the host: the emitted texts of its kernels, unchanged,
// compiled by a host compiler against the emulation of the device functions,
// with one thread per warp of a block. For tests and for reading results
// without a GPU; slow.
//
//   GSA_ASSIGN_OR_RETURN(auto executor, EmuExecutor::Create(program, {}));
//   GSA_RETURN_IF_ERROR(executor->Run(inputs, outputs));
//
// Each run is a child process with a time limit. It starts from poisoned
// memory: outputs, workspace, shared memory and registers are NaN until
// written. Reads and writes outside the buffers, misuse of device functions and
// deadlocks end it with a message that names function, kernel, block and warp;
// with `thread_sanitizer` so do data races.

#ifndef GSA_RUNTIME_EMU_EMU_EXECUTOR_H_
#define GSA_RUNTIME_EMU_EMU_EXECUTOR_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "runtime/core/cuda/device_program.h"
#include "runtime/emu/emu_program.h"
#include "runtime/emu/host_compiler.h"

namespace gsa {

struct EmuOptions {
  // As in HostCompilerOptions.
  std::string compiler;
  bool thread_sanitizer = false;
  int opt_level = 2;
  // Where programs are compiled and kept, by a compiler that the process
  // shares; or a compiler of one's own, which must outlive the executor.
  HostPlaces host;
  HostCompiler* host_compiler = nullptr;
  absl::Duration timeout = absl::Minutes(5);  // of one run
  EmuRunOptions run;
};

class EmuExecutor {
 public:
  // Compiles the kernels. Programs of the same kernels, whatever their steps
  // and shapes, are compiled once. Errors are those of Validate and of
  // HostCompiler::Compile.
  static absl::StatusOr<std::unique_ptr<const EmuExecutor>> Create(
      DeviceProgram program, const EmuOptions& options);

  // Runs the steps. `inputs` and `outputs` are host memory of the program's
  // sizes, in its order. Thread safe.
  //   InvalidArgument    wrong number of buffers, or a null one
  //   Aborted            a data race, with ThreadSanitizer's report
  //   DeadlineExceeded   the warps wait for each other, or the time is up;
  //                      with where each warp is
  //   Internal           misuse of a device function, or a crash
  // Outputs are written only if all went well.
  absl::Status Run(absl::Span<const void* const> inputs,
                   absl::Span<void* const> outputs) const;

  const DeviceProgram& program() const { return program_; }

 private:
  EmuExecutor(DeviceProgram program, const EmuOptions& options,
              HostCompiler* compiler, std::string path)
      : program_(std::move(program)),
        options_(options),
        compiler_(compiler),
        path_(std::move(path)) {}
  absl::Status RunIn(const std::string& directory,
                     absl::Span<const void* const> inputs,
                     absl::Span<void* const> outputs) const;

  const DeviceProgram program_;
  const EmuOptions options_;
  HostCompiler* const compiler_;
  const std::string path_;  // of the compiled emulation
};

}  // namespace gsa

#endif  // GSA_RUNTIME_EMU_EMU_EXECUTOR_H_
