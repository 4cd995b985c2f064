//===- Literals.h - numbers as C++ -----------------------------*- C++ -*-===//

#ifndef GSA_CODEGEN_CUDA_LITERALS_H
#define GSA_CODEGEN_CUDA_LITERALS_H

#include <string>

#include "dialect/GsaTile/CudaEmitter.h"
#include "mlir/IR/BuiltinAttributes.h"

namespace mlir::gsa_tile {

struct Literal {
  std::string text;
  Precedence precedence = Precedence::Primary;
};

/// A number of type i1, i8, i32, i64, index, f16, bf16, f32 or f64, bit for
/// bit: decimal where that is exact, infinities and NaNs through functions of
/// the device headers. Nothing for other types.
std::optional<Literal> getLiteral(TypedAttr value);

}  // namespace mlir::gsa_tile

#endif  // GSA_CODEGEN_CUDA_LITERALS_H
