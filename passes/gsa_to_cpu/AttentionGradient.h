//===- AttentionGradient.h - gradients of attention to loops ---*- C++ -*-===//

#ifndef GSA_PASSES_GSATOCPU_ATTENTIONGRADIENT_H
#define GSA_PASSES_GSATOCPU_ATTENTIONGRADIENT_H

#include "dialect/Gsa/GsaOps.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::gsa::cpu {

/// Replaces a gsa.gather_attention_grad or gsa.dense_attention_grad by loops
/// over buffers. One task handles all rows of a batch's key head, one after the
/// other, and adds to the gradients of the keys that a row reads: no two tasks
/// add to one number, so no bit depends on their number. Scratch of a task,
/// unless the element type is A(T): the gradients of a key head's keys and
/// values in A(T). Of the schedule, `lanes` is the longest vector.
LogicalResult lowerAttentionGradient(Operation* op, CpuScheduleAttr schedule,
                                     RewriterBase& rewriter);

}  // namespace mlir::gsa::cpu

#endif  // GSA_PASSES_GSATOCPU_ATTENTIONGRADIENT_H
