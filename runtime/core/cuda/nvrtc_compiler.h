// -----------------------------------------------------------------------------
// File: nvrtc_compiler.h
// -----------------------------------------------------------------------------
//
// From CUDA C++ text to a cubin or PTX with NVRTC, with what the compilers said
// and what each kernel uses.
//
//   CompileRequest request;
//   request.source = "extern \"C\" __global__ void fill(int *p) { *p = 1; }";
//   request.arch = "sm_90a";
//   GSA_ASSIGN_OR_RETURN(CompiledCuda compiled, CompileCuda(request));
//   compiled.kernels[0].registers ...

#ifndef GSA_RUNTIME_CORE_CUDA_NVRTC_COMPILER_H_
#define GSA_RUNTIME_CORE_CUDA_NVRTC_COMPILER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/core/cuda/device_program.h"
#include "runtime/core/cuda/nvrtc_api.h"

namespace gsa {

enum class CudaOutput : uint8_t { kCubin, kPtx };

struct CompileRequest {
  // The file name in messages.
  std::string name = "kernel.cu";
  std::string source;
  // Found by #include "..." and <...>; must live until the compilation ends.
  absl::Span<const SourceHeader> headers;
  // "sm_80", "sm_90a", ...: a real architecture, also for PTX.
  std::string arch;
  CudaOutput output = CudaOutput::kCubin;
  // Options of NVRTC beside --gpu-architecture, --std=c++20, --minimal (from
  // NVRTC 13 on) and the verbose report of ptxas.
  std::vector<std::string> options;
  // Grows with the time that it takes, by which KernelCache::GetAll begins;
  // 0 for the length of the source. No part of what is compiled.
  int64_t work = 0;
};

// SHA-256 of names and texts.
std::string HeadersDigest(absl::Span<const SourceHeader> headers);

// All options that an NVRTC of that major version compiles the request with.
std::vector<std::string> NvrtcOptions(int nvrtc_major,
                                      const CompileRequest& request);

// One message of the compiler front end.
struct CompileMessage {
  enum class Severity : uint8_t { kNote, kWarning, kError };
  Severity severity = Severity::kError;
  std::string file;  // empty for a message without a place
  int32_t line = 0;  // 1-based; 0 without a place
  std::string text;  // "identifier \"x\" is undefined"
};

// What ptxas reports of one kernel.
struct KernelResources {
  std::string symbol;
  int32_t registers = 0;  // per thread
  // Local memory per thread, spills included, of it and what it calls.
  int64_t stack_bytes = 0;
  int64_t spill_store_bytes = 0;
  int64_t spill_load_bytes = 0;
  int64_t static_smem_bytes = 0;  // per block
};

// All that a compilation said; filled whether it succeeds or not.
struct CompileLog {
  std::string text;
  std::vector<CompileMessage> messages;
};

struct CompiledCuda {
  // A cubin (ELF), or PTX text with its final zero byte.
  std::string image;
  CudaOutput output = CudaOutput::kCubin;
  // In the order of ptxas' report; empty for PTX, which ptxas has not seen.
  std::vector<KernelResources> kernels;
  // Warnings and notes.
  CompileLog log;
  double milliseconds = 0;

  // The kernel's resources, or null.
  const KernelResources* Find(absl::string_view symbol) const;
};

// Compiles. `log` may be null.
//   InvalidArgument    the text has errors: the message holds the log; or an
//                      option is unknown
//   Unimplemented      the architecture is not one of this NVRTC's
//   Unavailable        NVRTC lacks its libnvrtc-builtins
//   ResourceExhausted  out of host memory
absl::StatusOr<CompiledCuda> CompileCuda(const NvrtcApi& nvrtc,
                                         const CompileRequest& request,
                                         CompileLog* log = nullptr);

// The same with the NVRTC of this process, which is searched in the standard
// places by the first call that finds it.
absl::StatusOr<CompiledCuda> CompileCuda(const CompileRequest& request,
                                         CompileLog* log = nullptr);

// The messages with a severity in a log of NVRTC, in order.
std::vector<CompileMessage> ParseMessages(const std::string& log);

// The kernels in ptxas' verbose report within a log of NVRTC.
std::vector<KernelResources> ParseResources(const std::string& log);

// The number of "sm_90a" is 90. InvalidArgument for anything but "sm_", digits
// and an optional "a" or "f".
absl::StatusOr<int> ParseArch(absl::string_view arch);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_NVRTC_COMPILER_H_
