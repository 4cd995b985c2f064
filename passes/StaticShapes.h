//===- StaticShapes.h - what lowerings ask of shapes -----------*- C++ -*-===//

#ifndef GSA_PASSES_STATICSHAPES_H
#define GSA_PASSES_STATICSHAPES_H

#include "llvm/ADT/StringRef.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"

namespace mlir::gsa {

inline bool isStaticShape(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return !shaped || shaped.hasStaticShape();
}

/// Whether all operands and results have static shapes.
inline bool hasStaticShapes(Operation* op) {
  return llvm::all_of(op->getOperandTypes(), isStaticShape) &&
         llvm::all_of(op->getResultTypes(), isStaticShape);
}

/// Ends an error about a dynamic size.
inline constexpr StringLiteral kSpecializeAdvice =
    "; gsa-specialize-shapes gives an entry's inputs their sizes";

/// Fails, with an error at the op that says what it `cannot` be ("be lowered to
/// loops"), unless all operands and results have static shapes.
inline LogicalResult checkStatic(Operation* op, StringRef cannot) {
  auto check = [&](StringRef kind, TypeRange types) -> LogicalResult {
    for (auto [i, type] : llvm::enumerate(types))
      if (!isStaticShape(type))
        return op->emitOpError()
               << "cannot " << cannot << ": expected static shapes, got "
               << type << " for " << kind << " #" << i << kSpecializeAdvice;
    return success();
  };
  if (failed(check("operand", op->getOperandTypes()))) return failure();
  return check("result", op->getResultTypes());
}

}  // namespace mlir::gsa

#endif  // GSA_PASSES_STATICSHAPES_H
