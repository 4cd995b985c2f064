//===- Sums.h - kernels of sums --------------------------------*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_SUMS_H
#define GSA_PASSES_GSATOTILE_SUMS_H

#include <functional>

#include "dialect/Gsa/GsaBuilders.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa::tile {

/// Whether `op` adds floats along some of its loops: it has one result, whose
/// former contents are added to and not read otherwise.
bool isSum(linalg::LinalgOp op);

/// What becomes of a sum in A(T) before it is rounded and stored.
struct SumEnd {
  /// A tensor of the shape of the result.
  Value operand;
  /// The result's elements from the sums and those of `operand`; of any float
  /// type.
  std::function<Value(detail::ScalarBuilder&, Value sum, Value element)> make;
};

/// A new buffer of elements `type` with the sums of `op` (on tensors of static
/// shape), which stays.
///
/// Sums are in A(T) of the type T of the terms and rounded once. Neighbouring
/// lanes share a sum where its terms lie side by side, and long sums of few are
/// made in parts that a second kernel adds. Shapes alone decide which, so the
/// order of a sum is the same on every run and every device. Bodies are as
/// those of lowerElementwise.
FailureOr<Value> emitSum(linalg::LinalgOp op, Type type, StringRef name,
                         ToTileContext& context, const SumEnd* end = nullptr);

/// Replaces a sum by the kernels of emitSum.
LogicalResult lowerSum(linalg::LinalgOp op, ToTileContext& context);

}  // namespace mlir::gsa::tile

#endif  // GSA_PASSES_GSATOTILE_SUMS_H
