//===- DeviceRates.h - how fast an architecture is -------------*- C++ -*-===//
//
// The constants of the cost model (dialect/Gsa/ScheduleCost.h), one row an
// architecture. They order schedules and explain times; nothing that is legal
// or right depends on them.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_TARGET_DEVICERATES_H
#define GSA_DIALECT_TARGET_DEVICERATES_H

#include <cstdint>

#include "llvm/ADT/StringRef.h"

namespace mlir::gsa {

/// Rates of the usual full-size product of an architecture.
struct DeviceRates {
  llvm::StringRef product;  ///< "NVIDIA H200"
  /// Whether they were measured on the product; else they are from its data
  /// sheet, and what a data sheet does not say is as on the H200.
  bool isMeasured;
  double clockGhz;   ///< Of an SM that is busy.
  double memoryGbs;  ///< Of device memory, GB/s.
  double tensor;     ///< Dense products of 16-bit elements, GFLOP/s.
  double fma;        ///< Of f32, GFLOP/s.
  double mufu;       ///< Special functions of an SM a clock.
  double issue;      ///< Instructions of warps that an SM issues a clock.
  double fillBytes;  ///< From L2 to shared memory of an SM a clock.
  int64_t l2Bytes;   ///< That L2 holds.
  double launchUs;   ///< A kernel that does nothing, after another one.
};

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_TARGET_DEVICERATES_H
