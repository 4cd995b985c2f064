// -----------------------------------------------------------------------------
// File: target.h
// -----------------------------------------------------------------------------
//
// What a plan is compiled for.

#ifndef GSA_RUNTIME_TARGET_H_
#define GSA_RUNTIME_TARGET_H_

#include <string>

#include "absl/status/statusor.h"

namespace gsa {

struct CompileOptions;

enum class TargetKind {
  kCpu,   // this machine's processor, through LLVM
  kCuda,  // an NVIDIA GPU
  kEmu,   // the kernels of the GPU on host threads; slow, for tests
};

struct Target {
  TargetKind kind = TargetKind::kCpu;
  // Of the GPU.
  int ordinal = 0;
  // Why "auto" chose what it chose; empty if nothing was chosen.
  std::string note;

  // "cpu", "cuda:0", "emu".
  std::string ToString() const;
};

// CompileOptions::target is "cpu", "cuda", "cuda:<ordinal>", "emu" or "auto";
// "" is "cpu". "auto" is "cuda:0" if there is a driver, a device of a supported
// architecture and NVRTC, and "cpu" with the reason otherwise. InvalidArgument
// for other texts.
absl::StatusOr<Target> ResolveTarget(const CompileOptions& options);

// The same without asking for devices: "auto" is "cpu" with a note.
absl::StatusOr<Target> ParseTarget(const std::string& text);

// The architecture of a device by its ordinal, "sm_90a". Errors of the driver
// and of the device.
absl::StatusOr<std::string> DeviceArch(int ordinal);

// FailedPrecondition if `target` is a device of another architecture than
// `arch`; OK for an empty one. Errors of the driver and of the device.
absl::Status CheckDevice(const Target& target, const std::string& arch);

}  // namespace gsa

#endif  // GSA_RUNTIME_TARGET_H_
