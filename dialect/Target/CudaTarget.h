//===- CudaTarget.h - what an architecture offers --------------*- C++ -*-===//
//
// The limits that decide which schedules are legal. Pure data: nothing here
// asks a device.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_TARGET_CUDATARGET_H
#define GSA_DIALECT_TARGET_CUDATARGET_H

#include <cstdint>
#include <optional>
#include <string>

#include "dialect/Target/DeviceRates.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace mlir::gsa {

/// Registers of an SM, on all of them.
inline constexpr int64_t kSmRegisters = 65536;

/// Largest size of the second and third dimension of a grid, on all of them.
inline constexpr int64_t kGridLimit = 65535;

/// An NVIDIA architecture, from the table "Technical Specifications per Compute
/// Capability" of the CUDA programming guide.
struct CudaTarget {
  /// As NVRTC names it: "sm_90a".
  llvm::StringRef arch;
  /// Dynamic shared memory that one block may ask for, in bytes.
  int64_t sharedBytesPerBlock;
  /// Shared memory of an SM, in bytes; each block takes 1024 beside its own.
  int64_t sharedBytesPerSm;
  /// Warps that an SM holds.
  int64_t warpsPerSm;
  /// SMs of the usual full-size product; sizes grids, never correctness.
  int64_t sms;
  /// wgmma and setmaxnreg (sm_90a alone).
  bool wgmma;
  /// Bulk copies, tensor maps and clusters of blocks (sm_90 and later).
  bool bulkCopy;
  /// Of the same product.
  DeviceRates rates;

  /// Whether the shared memory of an SM is enough for two blocks, so that one
  /// computes while the other waits.
  bool holdsTwo(int64_t sharedBytesOfBlock) const {
    return 2 * (sharedBytesOfBlock + 1024) <= sharedBytesPerSm;
  }
};

/// The architectures that the project generates code for.
llvm::ArrayRef<CudaTarget> getCudaTargets();

/// The target of a name, or none if the project does not know it.
std::optional<CudaTarget> findCudaTarget(llvm::StringRef arch);

/// What to say of a name that findCudaTarget does not know: "expected one of
/// sm_80, sm_86, got 'sm_90'; did you mean 'sm_90a'?".
std::string explainUnknownTarget(llvm::StringRef arch);

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_TARGET_CUDATARGET_H
