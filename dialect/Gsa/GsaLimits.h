//===- GsaLimits.h - how large things may be -------------------*- C++ -*-===//
//
// Limits that verifiers check and that builders of modules must know. Plain
// C++: nothing of MLIR is needed to read them.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSALIMITS_H
#define GSA_DIALECT_GSALIMITS_H

#include <cstdint>

namespace mlir::gsa {

/// Budgets and slots, in keys, so that sums of two fit in int32. As the largest
/// budget of a policy it stands for "not stated".
inline constexpr int64_t kMaxBudget = int64_t{1} << 30;

/// Scores of numbers up to this are finite, whatever the indexer's sizes are:
/// 2^16 heads of products of 2^8 elements, times a scale up to 2^32 and a
/// weight, are less than 2^117.
inline constexpr double kLargestIndexerInput = 1048576;
inline constexpr double kLargestIndexerScale = 4294967296;

/// Elements of a head that are rotated: their frequencies are a table.
inline constexpr int64_t kMaxRotated = 65536;

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_GSALIMITS_H
