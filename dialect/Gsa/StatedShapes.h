//===- StatedShapes.h - verification of shapes -----------------*- C++ -*-===//

#ifndef GSA_DIALECT_GSA_STATEDSHAPES_H
#define GSA_DIALECT_GSA_STATEDSHAPES_H

#include "mlir/IR/OpDefinition.h"

namespace mlir::gsa {

/// C1 of `op`: its operands agree, and its results have the types that follow
/// from them, with `resultDims` and `resultNames` of its record. At most one
/// error.
LogicalResult verifyStatedShapes(Operation* op,
                                 ArrayRef<llvm::StringLiteral> resultDims,
                                 ArrayRef<llvm::StringLiteral> resultNames);

/// Trait of every op of the gsa dialect. Checked where InferTypeOpInterface is,
/// after the op's own constraints, with the regions.
template <typename ConcreteType>
class StatedShapes : public OpTrait::TraitBase<ConcreteType, StatedShapes> {
 public:
  static LogicalResult verifyRegionTrait(Operation* op) {
    return verifyStatedShapes(op, ConcreteType::kResultDims,
                              ConcreteType::kResultNames);
  }
};

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_GSA_STATEDSHAPES_H
