// -----------------------------------------------------------------------------
// File: device_kernels.h
// -----------------------------------------------------------------------------
//
// The compilation of kernels apart from a device: the caches of this process by
// the NVRTC that they use, and texts for dumps. Internal.

#ifndef GSA_RUNTIME_DEVICE_KERNELS_H_
#define GSA_RUNTIME_DEVICE_KERNELS_H_

#include <future>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/core/cuda/device_program.h"
#include "runtime/core/cuda/kernel_cache.h"
#include "runtime/plan.h"

namespace gsa {

// Gives every kernel what its text uses of the device headers, as the binary
// has them.
void AddHeaders(DeviceProgram* program);

// The cache over the NVRTC that the options name or that is found in the places
// that they name, and over the cache on disk that they name. With the latter it
// is enough that NVRTC was there when a process opened it last. Lives as long
// as the process.
absl::StatusOr<KernelCache*> KernelCacheFor(const CompileOptions& options);

// Begins to load what KernelCacheFor loads (nothing, with a cache on disk that
// knows the NVRTC), on a thread of its own that ends
// before the future does: NVRTC is 90 MB, and the passes need it last. What
// fails is not reported here but by the call that needs it.
std::future<void> BeginLoadingNvrtc(const CompileOptions& options);

// What a block of an architecture may ask for.
LaunchLimits LimitsOf(const std::string& arch);

// The steps of a program, one line each, for people.
std::string Describe(const DeviceProgram& program);

// Reports the text of each kernel as a phase: "kernel-<symbol>", "cu".
void ReportTexts(const DeviceProgram& program, const CompileOptions& options);

// Compiles each kernel for the program's architecture and reports what became
// of it as phases of the same name: "ptx" and "cubin". Errors are those of
// CompileCuda, with the place of the op for each message that has one.
absl::Status ReportCode(const DeviceProgram& program,
                        const CompileOptions& options);

// Gives each kernel of the program its machine code, compiled for the program's
// architecture or found in a cache, and takes away its text. Errors as above.
absl::Status FillImages(const CompileOptions& options, DeviceProgram* program);

}  // namespace gsa

#endif  // GSA_RUNTIME_DEVICE_KERNELS_H_
