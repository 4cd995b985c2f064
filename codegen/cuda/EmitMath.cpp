//===- EmitMath.cpp - math as CUDA C++ ------------------------------------===//
//
// Functions of C with CUDA's accuracy: no fast-math variants, so that a kernel
// means the same on the device and in the emulation.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/EmitModels.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::gsa_tile;

namespace {

/// isnan, isinf, isfinite: f16 and bf16 widen without loss of the class.
template <typename Op, Text name>
LogicalResult emitClass(Op op, CudaEmitter& emitter) {
  auto text = getWide(emitter, op.getOperand(), Precedence::Assignment);
  if (failed(text)) return failure();
  return emitter.emitExpression(op, Twine(name.text) + "(" + *text + ")",
                                Precedence::Postfix);
}

/// Sine and cosine in double are functions of the device headers, which do
/// without CUDA's stack for large arguments.
template <typename Op, Text name>
LogicalResult emitCircular(Op op, CudaEmitter& emitter) {
  return emitFunction(op, emitter,
                      Twine(name.text) + (op.getType().isF64() ? "_f64" : "f"));
}

LogicalResult emitAbsI(math::AbsIOp op, CudaEmitter& emitter) {
  Type type = op.getType();
  if (!type.isIndex() && !type.isInteger(32) && !type.isInteger(64))
    return emitUnprintable(op, type);
  auto text = emitter.getExpression(op.getOperand(), Precedence::Unary);
  auto again = emitter.getExpression(op.getOperand(), Precedence::Shift);
  if (failed(text) || failed(again)) return failure();
  if (StringRef(*text).starts_with("-")) *text = "(" + *text + ")";
  return emitter.emitExpression(op, *again + " < 0 ? -" + *text + " : " + *text,
                                Precedence::Conditional);
}

void attachAll(MLIRContext* c) {
  using namespace math;
  attachCFunction<AbsFOp, "fabs">(c);
  attachCFunction<AcosOp, "acos">(c);
  attachCFunction<AsinOp, "asin">(c);
  attachCFunction<AtanOp, "atan">(c);
  attachCFunction<Atan2Op, "atan2">(c);
  attachCFunction<CbrtOp, "cbrt">(c);
  attachCFunction<CeilOp, "ceil">(c);
  attachCFunction<CopySignOp, "copysign">(c);
  attach<CosOp, emitCircular<CosOp, "cos">>(c);
  attachCFunction<CoshOp, "cosh">(c);
  attachCFunction<ErfOp, "erf">(c);
  attachCFunction<ErfcOp, "erfc">(c);
  attachCFunction<ExpOp, "exp">(c);
  attachCFunction<Exp2Op, "exp2">(c);
  attachCFunction<ExpM1Op, "expm1">(c);
  attachCFunction<FloorOp, "floor">(c);
  attachCFunction<FmaOp, "fma">(c);
  attachCFunction<LogOp, "log">(c);
  attachCFunction<Log10Op, "log10">(c);
  attachCFunction<Log1pOp, "log1p">(c);
  attachCFunction<Log2Op, "log2">(c);
  attachCFunction<PowFOp, "pow">(c);
  attachCFunction<RoundOp, "round">(c);
  attachCFunction<RoundEvenOp, "rint">(c);
  attachCFunction<RsqrtOp, "rsqrt">(c);
  attach<SinOp, emitCircular<SinOp, "sin">>(c);
  attachCFunction<SinhOp, "sinh">(c);
  attachCFunction<SqrtOp, "sqrt">(c);
  attachCFunction<TanOp, "tan">(c);
  attachCFunction<TanhOp, "tanh">(c);
  attachCFunction<TruncOp, "trunc">(c);
  attach<AbsIOp, emitAbsI>(c);
  attach<IsNaNOp, emitClass<IsNaNOp, "isnan">>(c);
  attach<IsInfOp, emitClass<IsInfOp, "isinf">>(c);
  attach<IsFiniteOp, emitClass<IsFiniteOp, "isfinite">>(c);
}

}  // namespace

void gsa_tile::registerMathEmitModels(DialectRegistry& registry) {
  registry.addExtension(
      +[](MLIRContext* context, math::MathDialect*) { attachAll(context); });
}
