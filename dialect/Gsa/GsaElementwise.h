//===- GsaElementwise.h - elementwise parts of decompositions --*- C++ -*-===//

#ifndef GSA_DIALECT_GSA_GSAELEMENTWISE_H
#define GSA_DIALECT_GSA_GSAELEMENTWISE_H

#include "dialect/Gsa/GsaBuilders.h"

namespace mlir::gsa::detail {

/// A generic whose dimensions are all parallel: one map per input, identity
/// for the single result, which has the type of `init`; `body` gets the inputs'
/// elements.
Value elementwise(OpBuilder& b, Location loc, ValueRange inputs,
                  ArrayRef<AffineMap> maps, Value init,
                  llvm::function_ref<Value(ScalarBuilder&, ValueRange)> body);

}  // namespace mlir::gsa::detail

#endif  // GSA_DIALECT_GSA_GSAELEMENTWISE_H
