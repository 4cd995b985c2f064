//===- TensorAccess.h - slices as a base and strides -----------*- C++ -*-===//
//
// A kernel gets pointers to dense buffers only. A slice of a tensor is the
// tensor, an offset and a stride per dimension, so that no copy of it is made.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_TENSORACCESS_H
#define GSA_PASSES_GSATOTILE_TENSORACCESS_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

namespace mlir::gsa {

/// `tensor[i, j, ..]` is element `offset + i strides[0] + j strides[1] + ..` of
/// `base`, whose elements lie row by row.
struct TensorAccess {
  Value base;
  int64_t offset = 0;
  SmallVector<int64_t> strides;

  /// Whether `base` is the tensor itself or has the same elements in the same
  /// order.
  bool isWhole(RankedTensorType type) const;
};

/// Strides of a dense row-major array.
SmallVector<int64_t> getDenseStrides(ArrayRef<int64_t> shape);

/// Traces a tensor of static shape through static slices and reshapes to what
/// they read.
TensorAccess getTensorAccess(Value tensor);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_TENSORACCESS_H
