// -----------------------------------------------------------------------------
// File: kernel_event.h
// -----------------------------------------------------------------------------
//
// What a compilation says of the kernels that it asked for: which of them were
// compiled, and which were there.

#ifndef GSA_RUNTIME_CORE_CUDA_KERNEL_EVENT_H_
#define GSA_RUNTIME_CORE_CUDA_KERNEL_EVENT_H_

#include <cstdint>
#include <string>

namespace gsa {

// Where a kernel that was asked for came from.
enum class KernelOrigin : uint8_t {
  kCompiled,
  kDisk,
  kMemory,  // compiled or read by an earlier call, or one at the same time
};

// "compiled", "disk", "memory".
const char* ToString(KernelOrigin origin);

struct KernelEvent {
  std::string symbol;
  std::string kind;  // "cubin" or "ptx"; "object" of a module for the CPU
  std::string arch;  // or the CPU's name
  // Its own in this process, see KernelCache::KeyOf; of an object its entry's.
  std::string key;
  KernelOrigin origin = KernelOrigin::kCompiled;
  double milliseconds = 0;  // of the compilation, whenever that was
};

// The kernels of GPUs that this process has compiled, in all caches; failures
// are not counted.
int64_t KernelCompilations();

// Kernels by their origin.
struct KernelCounts {
  int64_t compiled = 0, disk = 0, memory = 0;
  // Of those that were compiled, summed: not wall time.
  double compile_milliseconds = 0;

  void Add(const KernelEvent& event) {
    switch (event.origin) {
      case KernelOrigin::kCompiled:
        ++compiled;
        compile_milliseconds += event.milliseconds;
        break;
      case KernelOrigin::kDisk:
        ++disk;
        break;
      case KernelOrigin::kMemory:
        ++memory;
        break;
    }
  }
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_KERNEL_EVENT_H_
