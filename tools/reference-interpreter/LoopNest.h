//===- LoopNest.h - loops and accesses of a structured op (internal) ------===//

#ifndef GSA_TOOLS_REFERENCE_INTERPRETER_LOOPNEST_H
#define GSA_TOOLS_REFERENCE_INTERPRETER_LOOPNEST_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "tools/reference-interpreter/RuntimeValue.h"

namespace mlir::gsa::detail {

/// Where an operand is read or written: the flat index
/// offset + sum_d strides[d] * loop[d].
struct OperandAccess {
  SmallVector<int64_t> strides;
  int64_t offset = 0;

  int64_t at(ArrayRef<int64_t> loop) const {
    int64_t flat = offset;
    for (size_t d = 0; d < loop.size(); ++d) flat += strides[d] * loop[d];
    return flat;
  }
};

struct LoopNest {
  reference::Shape extents;
  SmallVector<bool> isParallel;
  SmallVector<OperandAccess> accesses;  ///< Of each operand
};

/// The loops of `op` on operands of actual shapes. Throws
/// std::invalid_argument if a map is not linear, if sizes do not agree, or if
/// an access would leave its operand.
LoopNest buildLoopNest(linalg::LinalgOp op, ArrayRef<RuntimeValue> operands);

}  // namespace mlir::gsa::detail

#endif  // GSA_TOOLS_REFERENCE_INTERPRETER_LOOPNEST_H
