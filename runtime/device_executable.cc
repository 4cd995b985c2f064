// -----------------------------------------------------------------------------
// File: device_executable.cc
// -----------------------------------------------------------------------------
//
// Plans that are device programs of the compiler: on a GPU, or emulated on the
// host.

#include <algorithm>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "runtime/core/cuda/cuda_executor.h"
#include "runtime/core/status_macros.h"
#include "runtime/device_kernels.h"
#include "runtime/emu/emu_executor.h"
#include "runtime/executable.h"

namespace gsa {
namespace {

// A run with more buffers than this allocates a list of them.
constexpr size_t kUsualBuffers = 64;

template <typename View>
auto Pointers(absl::Span<const View> views) {
  absl::InlinedVector<decltype(views[0].data), kUsualBuffers> pointers;
  for (const View& view : views) pointers.push_back(view.data);
  return pointers;
}

class EmuExecutable : public Executable {
 public:
  explicit EmuExecutable(std::unique_ptr<const EmuExecutor> executor)
      : executor_(std::move(executor)) {}

  // The emulation has memory of its own; the caller's is required all the same,
  // so that the targets are alike.
  int64_t workspace_bytes() const override {
    return executor_->program().workspace_bytes;
  }
  int64_t tensor_alignment() const override { return kBufferAlignment; }
  int64_t workspace_alignment() const override { return kBufferAlignment; }
  std::string description() const override {
    return absl::StrCat("host emulation of ", executor_->program().arch);
  }

  absl::Status Run(absl::Span<const TensorView> inputs,
                   absl::Span<const MutableTensorView> outputs,
                   absl::Span<char> /*workspace*/,
                   const RunOptions& options) const override {
    if (options.stream != nullptr) {
      return absl::InvalidArgumentError(
          "expected no stream, because the plan runs on the host");
    }
    const auto in = Pointers(inputs);
    const auto out = Pointers(outputs);
    if (options.zone_times != nullptr) options.zone_times->clear();
    return executor_->Run(in, out);
  }

 private:
  const std::unique_ptr<const EmuExecutor> executor_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Executable>> MakeDeviceExecutable(
    DeviceProgram program, const Target& target,
    const CompileOptions& options) {
  if (target.kind == TargetKind::kEmu) {
    EmuOptions emu;
    emu.host = options.host;
    emu.thread_sanitizer = options.thread_sanitizer;
    emu.opt_level = options.opt_level;
    if (options.watchdog_seconds > 0) {
      emu.timeout = absl::Seconds(options.watchdog_seconds);
    }
    GSA_ASSIGN_OR_RETURN(std::unique_ptr<const EmuExecutor> executor,
                         EmuExecutor::Create(std::move(program), emu));
    return std::unique_ptr<Executable>(
        std::make_unique<EmuExecutable>(std::move(executor)));
  }
  ExecutorOptions cuda;
  GSA_ASSIGN_OR_RETURN(cuda.kernels, KernelCacheFor(options));
  cuda.cublaslt = NotConfined(options.toolkit);
  cuda.on_kernel = options.on_kernel;
  cuda.warm_up = options.warm_up;
  return MakeCudaExecutable(program, target.ordinal, cuda);
}

}  // namespace gsa
