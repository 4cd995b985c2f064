//===- EmitModels.h - helpers of the emission models -----------*- C++ -*-===//
//
// What EmitArith.cpp, EmitMath.cpp and EmitScf.cpp share.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_CODEGEN_CUDA_EMITMODELS_H
#define GSA_CODEGEN_CUDA_EMITMODELS_H

#include <algorithm>

#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/IR/DialectRegistry.h"

namespace mlir::gsa_tile {

void registerArithEmitModels(DialectRegistry& registry);
void registerMathEmitModels(DialectRegistry& registry);
void registerScfEmitModels(DialectRegistry& registry);

/// The precedence that the right operand of a left-associative operator needs.
inline Precedence tighter(Precedence precedence) {
  return static_cast<Precedence>(static_cast<int>(precedence) + 1);
}

/// True for f16 and bf16, on which device code computes through float.
inline bool isHalf(Type type) { return type.isF16() || type.isBF16(); }

/// Expression of a float value as an operand of float arithmetic: a 16-bit
/// value is widened.
FailureOr<std::string> getWide(CudaEmitter& emitter, Value value,
                               Precedence context);

/// Gives `text`, of the widened type of op's result, to the emitter, rounded
/// to the result's type if that is of 16 bits.
LogicalResult emitWide(CudaEmitter& emitter, Operation* op, const Twine& text,
                       Precedence precedence);

/// The error of a type that an op cannot be printed for.
LogicalResult emitUnprintable(Operation* op, Type type);

/// i1, i8, i32, i64 or index.
bool isScalarInteger(Type type);

/// Prints `name(operands...)`; 16-bit floats by way of float.
LogicalResult emitFunction(Operation* op, CudaEmitter& emitter,
                           const Twine& name);

/// A string as a template argument.
template <size_t size>
struct Text {
  consteval Text(const char (&literal)[size]) {
    std::copy_n(literal, size, text);
  }
  char text[size];
};

/// An emission model: `fn(Op, CudaEmitter&)` prints the op.
template <typename Op, LogicalResult (*fn)(Op, CudaEmitter&)>
struct EmitModel : CudaEmitOpInterface::ExternalModel<EmitModel<Op, fn>, Op> {
  LogicalResult emitCuda(Operation* op, CudaEmitter& emitter) const {
    return fn(cast<Op>(op), emitter);
  }
};

template <typename Op, LogicalResult (*fn)(Op, CudaEmitter&)>
void attach(MLIRContext* context) {
  Op::template attachInterface<EmitModel<Op, fn>>(*context);
}

/// A function of that name for all types.
template <typename Op, Text name>
void attachFunction(MLIRContext* context) {
  attach<Op, +[](Op op, CudaEmitter& emitter) {
    return emitFunction(op, emitter, name.text);
  }>(context);
}

/// A function of C: with suffix f for float.
template <typename Op, Text name>
void attachCFunction(MLIRContext* context) {
  attach<Op, +[](Op op, CudaEmitter& emitter) {
    bool isDouble = op->getOperand(0).getType().isF64();
    return emitFunction(op, emitter, Twine(name.text) + (isDouble ? "" : "f"));
  }>(context);
}

}  // namespace mlir::gsa_tile

#endif  // GSA_CODEGEN_CUDA_EMITMODELS_H
