// -----------------------------------------------------------------------------
// File: pack.h
// -----------------------------------------------------------------------------
//
// Packs: plans that were compiled ahead of time, for several shapes and
// architectures, in one file. Whoever loads a plan of one compiles nothing and
// needs neither NVRTC nor the compiler of modules.
//
//   8 bytes    "GSAPACKS"
//   8 bytes    version of this format, little-endian
//   body       numbers and texts (runtime/core/byte_stream.h): who made it, the
//              machine codes, the plans
//   64 bytes   SHA-256 of everything before it, in hexadecimal digits
//
// A change of what a pack holds, or of what a step of a device program means,
// gets a new version: packs of another one are refused, never converted. A pack
// is code: the digest finds damage, and says nothing of who wrote it.

#ifndef GSA_RUNTIME_PACK_H_
#define GSA_RUNTIME_PACK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/core/cuda/device_program.h"
#include "runtime/plan_parts.h"

namespace gsa {

inline constexpr int64_t kPackVersion = 2;

// What is larger is no pack, and is not read into memory.
inline constexpr size_t kMaxPackBytes = size_t{1} << 30;

// One compiled plan.
struct PackedPlan {
  std::string module;  // the file that it came from
  std::string entry;
  PlanInterface interface;
  // Of kCuda or kCpu; the ordinal is the loader's to say.
  TargetKind kind = TargetKind::kCuda;
  std::string arch;  // "sm_90a", or LLVM's name of the CPU
  // kCuda: kernels have machine code and no texts.
  DeviceProgram program;
  // kCpu: what a loader of that target links (runtime/cpu_objects.h).
  std::string code;
  int num_threads = 1;

  // "cuda sm_90a, layer.mlir @main, x: f32[1, 64]": what tells it from others.
  std::string ToString() const;
};

struct Pack {
  std::string producer;  // "gsa 0.1.0"
  std::vector<PackedPlan> plans;
};

// The bytes of a pack.
std::string EncodePack(const Pack& pack);

// Reads what EncodePack wrote; `name` is that of the file, for messages.
// InvalidArgument: it is no pack, is cut off or was changed.
// FailedPrecondition: it is of another version of the format.
absl::StatusOr<Pack> DecodePack(absl::string_view bytes,
                                const std::string& name);

// The same of a file. InvalidArgument for what is no file or not there.
absl::StatusOr<Pack> ReadPack(const std::string& path);

}  // namespace gsa

#endif  // GSA_RUNTIME_PACK_H_
