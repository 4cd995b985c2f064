//===- CpuTarget.h - what a processor offers -------------------*- C++ -*-===//
//
// What CPU schedules are chosen for. Pure data: nothing here asks the machine.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_TARGET_CPUTARGET_H
#define GSA_DIALECT_TARGET_CPUTARGET_H

#include <cstdint>
#include <optional>
#include <string>

#include "llvm/ADT/StringRef.h"

namespace mlir::gsa {

/// The constants of the cost model of CPU schedules, of one core: one row for
/// each width of vectors. They order schedules and explain times; nothing that
/// is right depends on them.
struct CpuRates {
  llvm::StringRef product;  ///< Whose they are: "AMD EPYC (Zen 4)".
  /// Whether they were measured there (gsa-bench-cpu --only-rates); else they
  /// are scaled from the row that was.
  bool isMeasured;
  double clockGhz;
  double fma;         ///< Multiply-adds of vectors a clock.
  double loads;       ///< Loads of vectors a clock.
  double fmaLatency;  ///< Clocks until the result of one is there.
  double expClocks;   ///< Of a vector of exponentials.
  double l2Bytes, l3Bytes, memoryBytes;  ///< Read from there a clock.
  int64_t l2Size, l3Size;                ///< Bytes; the latter of all cores.
};

/// Threads and vectors that code is made for.
struct CpuTarget {
  int64_t tasks = 1;         ///< Tasks per parallel region.
  int64_t vectorBits = 512;  ///< Width of a vector register.

  /// As a database of schedules names it: "cpu512". The number of tasks is no
  /// part of it: a schedule that was measured is used with as many as there
  /// are.
  std::string arch() const;
  /// Vector registers: 32 of 512 bits and more, else 16.
  int64_t registers() const { return vectorBits >= 512 ? 32 : 16; }
  CpuRates rates() const;
};

/// Whether gsa-cpu-schedule has vectors of that width.
bool isVectorWidth(int64_t bits);

/// The target of a name that CpuTarget::arch gives, for one task; none for any
/// other text.
std::optional<CpuTarget> findCpuTarget(llvm::StringRef arch);

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_TARGET_CPUTARGET_H
