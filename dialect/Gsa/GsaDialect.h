//===- GsaDialect.h - the gsa dialect -------------------------------------===//
//
// The dialect class, its enums and its attributes.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSA_GSADIALECT_H
#define GSA_DIALECT_GSA_GSADIALECT_H

#include "dialect/Gsa/GsaSchedules.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"

#include "dialect/Gsa/GsaDialect.h.inc"
#include "dialect/Gsa/GsaEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/Gsa/GsaAttrs.h.inc"

namespace mlir::gsa {

/// The accumulator type A(T) of element type `elementType`: f64 for f64, f32
/// for every narrower float.
FloatType getAccumulatorType(Type elementType);

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_GSA_GSADIALECT_H
