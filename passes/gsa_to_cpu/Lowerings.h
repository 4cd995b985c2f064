//===- Lowerings.h - one function per op that lowers to loops --*- C++ -*-===//
//
// Each function replaces `op`, whose shapes are static, by loops over buffers
// as its schedule says.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSA_TO_CPU_LOWERINGS_H
#define GSA_PASSES_GSA_TO_CPU_LOWERINGS_H

#include "dialect/Gsa/GsaOps.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::gsa {

/// Name of the discardable attribute that holds an op's #gsa.cpu_schedule.
inline constexpr llvm::StringLiteral kScheduleAttr = "gsa.schedule";

/// What a schedule is chosen for.
struct CpuTarget {
  int64_t tasks;       ///< Tasks per parallel region.
  int64_t vectorBits;  ///< Width of a vector register.
};

/// Schedules by rule, without measuring; the comments in CpuSchedule.cpp give
/// the reasons.
CpuScheduleAttr chooseIndexerSchedule(Operation* op, const CpuTarget& target);
CpuScheduleAttr chooseAttentionSchedule(Operation* op, const CpuTarget& target);

LogicalResult lowerIndexScores(IndexScoresOp op, CpuScheduleAttr schedule,
                               IRRewriter& rewriter);
LogicalResult lowerSelect(SelectOp op, CpuScheduleAttr schedule,
                          IRRewriter& rewriter);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSA_TO_CPU_LOWERINGS_H
