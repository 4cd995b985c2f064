//===- Attention.h - attention ops to loops over vectors -------*- C++ -*-===//
//
// Each function replaces one op by bufferization.to_buffer of its operands,
// scratch allocations, task loops (`scf.parallel` with `gsa.tasks`) of
// vector and memref ops, and bufferization.to_tensor of its results. Shapes
// must be static. The meaning is that of the op's decomposition up to rounding
// in A(T): what an output depends on, empty rows and NaN agree, and no output
// bit depends on the number of tasks, on other rows, or on keys that its row
// does not list or see.
//
// Of the schedule, `lanes` is the longest vector, `rows` the number of heads
// (gather) or query rows (dense) in a register tile, `vectors` the number of
// keys (gather, QK^T) or vectors (otherwise) along its other side.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOCPU_ATTENTION_H
#define GSA_PASSES_GSATOCPU_ATTENTION_H

#include "dialect/Gsa/GsaOps.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::gsa::cpu {

/// Attention over lists, all of them or a range (AttentionForm). Each row
/// compacts its valid indices once; then, per key/value group, tiles
/// of heads share the gathered rows: logits of a few keys at a time with
/// vectors along D, softmax along the slots, values with vectors along Dv.
/// Scratch per task: 16 lists of K indices and `rows` rows of K logits.
LogicalResult lowerGatherAttention(Operation* op, CpuScheduleAttr schedule,
                                   RewriterBase& rewriter);

/// Attention over all keys or over a range of them. Keys are transposed into
/// panels once; row blocks stream over key blocks
/// with a running maximum and sum. Scratch: K and V once in A(T), and per task
/// one strip of logits.
LogicalResult lowerDenseAttention(Operation* op, CpuScheduleAttr schedule,
                                  RewriterBase& rewriter);

}  // namespace mlir::gsa::cpu

#endif  // GSA_PASSES_GSATOCPU_ATTENTION_H
