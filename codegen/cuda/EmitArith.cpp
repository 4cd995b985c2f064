//===- EmitArith.cpp - arith as CUDA C++ ----------------------------------===//
//
// Scalars are `int` (index, i32), `long long` (i64), `signed char` (i8),
// `bool` (i1), float, double, f16 and bf16. Integers of 32 bits wrap as in
// arith; i64 and index are counts and addresses, which do not overflow, and
// print as plain signed arithmetic.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/EmitModels.h"
#include "codegen/cuda/Literals.h"
#include "llvm/ADT/StringExtras.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::gsa_tile;

LogicalResult gsa_tile::emitUnprintable(Operation* op, Type type) {
  return op->emitOpError() << "has no CUDA C++ emission for " << type;
}

FailureOr<std::string> gsa_tile::getWide(CudaEmitter& emitter, Value value,
                                         Precedence context) {
  if (!isHalf(value.getType())) return emitter.getExpression(value, context);
  FailureOr<std::string> text =
      emitter.getExpression(value, Precedence::Assignment);
  if (failed(text)) return failure();
  return "to_float(" + *text + ")";
}

LogicalResult gsa_tile::emitWide(CudaEmitter& emitter, Operation* op,
                                 const Twine& text, Precedence precedence) {
  Type type = op->getResult(0).getType();
  if (!type.isF16() && !type.isBF16() && !type.isF32() && !type.isF64())
    return emitUnprintable(op, type);
  if (!isHalf(type)) return emitter.emitExpression(op, text, precedence);
  return emitter.emitExpression(
      op, (type.isF16() ? "to_f16(" : "to_bf16(") + text + ")",
      Precedence::Postfix);
}

bool gsa_tile::isScalarInteger(Type type) {
  return type.isIndex() || type.isInteger(1) || type.isInteger(8) ||
         type.isInteger(32) || type.isInteger(64);
}

LogicalResult gsa_tile::emitFunction(Operation* op, CudaEmitter& emitter,
                                     const Twine& name) {
  std::string text = name.str() + "(";
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    auto argument = getWide(emitter, operand, Precedence::Assignment);
    if (failed(argument)) return failure();
    text += (i == 0 ? "" : ", ") + *argument;
  }
  text += ")";
  Type type = op->getResult(0).getType();
  if (isa<FloatType>(type))
    return emitWide(emitter, op, text, Precedence::Postfix);
  // C++ computes i1 and i8 in int, where sign and width differ.
  if (!isScalarInteger(type) || type.isInteger(1) || type.isInteger(8))
    return emitUnprintable(op, type);
  return emitter.emitExpression(op, text, Precedence::Postfix);
}

namespace {

/// The unsigned type of an integer's width.
StringRef getUnsigned(Type type) {
  if (type.isInteger(8)) return "(unsigned char)";
  if (type.isInteger(64)) return "(unsigned long long)";
  return "(unsigned)";
}

FailureOr<std::string> getCast(CudaEmitter& emitter, Operation* op, Type type,
                               StringRef text) {
  FailureOr<std::string> word = emitter.getType(op, type);
  if (failed(word)) return failure();
  return "(" + *word + ")" + text.str();
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

LogicalResult emitConstant(arith::ConstantOp op, CudaEmitter& emitter) {
  std::optional<Literal> literal = getLiteral(op.getValue());
  if (!literal)
    return op.emitOpError() << "has no CUDA C++ emission for " << op.getValue();
  return emitter.emitExpression(op, literal->text, literal->precedence);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// `lhs symbol rhs` on floats; 16-bit floats by way of float, which rounds as
/// the operation itself would: float has more than twice their digits.
LogicalResult emitFloat(Operation* op, CudaEmitter& emitter, StringRef symbol,
                        Precedence precedence) {
  auto lhs = getWide(emitter, op->getOperand(0), precedence);
  auto rhs = getWide(emitter, op->getOperand(1), tighter(precedence));
  if (failed(lhs) || failed(rhs)) return failure();
  return emitWide(emitter, op, *lhs + " " + symbol + " " + *rhs, precedence);
}

/// An integer converted to the unsigned type of its width.
FailureOr<std::string> getUnsignedOperand(CudaEmitter& emitter, Value value) {
  Type type = value.getType();
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  auto number =
      constant ? dyn_cast<IntegerAttr>(constant.getValue()) : IntegerAttr();
  // C++ has literals of the types that it computes in.
  if (number && !number.getValue().isNegative() && !type.isInteger(8)) {
    std::string digits = llvm::toString(number.getValue(), 10, false);
    return digits + (type.isInteger(64) ? "ull" : "u");
  }
  FailureOr<std::string> text = emitter.getExpression(value, Precedence::Unary);
  if (failed(text)) return failure();
  return getUnsigned(type).str() + *text;
}

/// `lhs symbol rhs` on integers, in unsigned arithmetic if `isUnsigned`.
LogicalResult emitInteger(Operation* op, CudaEmitter& emitter, StringRef symbol,
                          Precedence precedence, bool isUnsigned) {
  Type type = op->getResult(0).getType();
  if (!isScalarInteger(type) || type.isInteger(1))
    return emitUnprintable(op, type);
  auto operand = [&](unsigned i, Precedence context) {
    Value value = op->getOperand(i);
    return isUnsigned ? getUnsignedOperand(emitter, value)
                      : emitter.getExpression(value, context);
  };
  auto lhs = operand(0, precedence);
  auto rhs = operand(1, tighter(precedence));
  if (failed(lhs) || failed(rhs)) return failure();
  std::string text = *lhs + " " + symbol.str() + " " + *rhs;
  // C++ computes i8 in int.
  if (!isUnsigned && !type.isInteger(8))
    return emitter.emitExpression(op, text, precedence);
  auto narrowed = getCast(emitter, op, type, "(" + text + ")");
  if (failed(narrowed)) return failure();
  return emitter.emitExpression(op, *narrowed, Precedence::Unary);
}

/// Addition and the like: wraps, unless the op says that it does not.
template <typename Op>
LogicalResult emitWrapping(Op op, CudaEmitter& emitter, StringRef symbol,
                           Precedence precedence) {
  bool wraps = op.getType().isInteger(32) &&
               !bitEnumContainsAll(op.getOverflowFlags(),
                                   arith::IntegerOverflowFlags::nsw);
  return emitInteger(op, emitter, symbol, precedence, wraps);
}

/// Bit operations; on i1 the logical ones.
LogicalResult emitBits(Operation* op, CudaEmitter& emitter, StringRef symbol,
                       Precedence precedence, StringRef logical,
                       Precedence logicalPrecedence) {
  if (!op->getResult(0).getType().isInteger(1))
    return emitInteger(op, emitter, symbol, precedence, /*isUnsigned=*/false);
  auto lhs = emitter.getExpression(op->getOperand(0), logicalPrecedence);
  auto rhs =
      emitter.getExpression(op->getOperand(1), tighter(logicalPrecedence));
  if (failed(lhs) || failed(rhs)) return failure();
  return emitter.emitExpression(op, *lhs + " " + logical + " " + *rhs,
                                logicalPrecedence);
}

LogicalResult emitXor(arith::XOrIOp op, CudaEmitter& emitter) {
  // `xor x, true` is how arith spells not.
  if (auto one = op.getRhs().getDefiningOp<arith::ConstantOp>();
      one && op.getType().isInteger(1) &&
      cast<IntegerAttr>(one.getValue()).getValue().isOne()) {
    auto text = emitter.getExpression(op.getLhs(), Precedence::Unary);
    if (failed(text)) return failure();
    return emitter.emitExpression(op, "!" + *text, Precedence::Unary);
  }
  return emitBits(op, emitter, "^", Precedence::BitXor,
                  "!=", Precedence::Equality);
}

/// min and max of unsigned numbers, by comparison.
LogicalResult emitUnsignedExtreme(Operation* op, CudaEmitter& emitter,
                                  StringRef symbol) {
  Type type = op->getResult(0).getType();
  if (!isScalarInteger(type) || type.isInteger(1))
    return emitUnprintable(op, type);
  auto lhs = emitter.getExpression(op->getOperand(0), Precedence::Unary);
  auto rhs = emitter.getExpression(op->getOperand(1), Precedence::Unary);
  if (failed(lhs) || failed(rhs)) return failure();
  StringRef word = getUnsigned(type);
  return emitter.emitExpression(op,
                                word + *lhs + " " + symbol + " " + word + *rhs +
                                    " ? " + *lhs + " : " + *rhs,
                                Precedence::Conditional);
}

LogicalResult emitNegate(arith::NegFOp op, CudaEmitter& emitter) {
  auto text = getWide(emitter, op.getOperand(), Precedence::Unary);
  if (failed(text)) return failure();
  // "--x" would be a decrement.
  if (StringRef(*text).starts_with("-")) *text = "(" + *text + ")";
  return emitWide(emitter, op, "-" + *text, Precedence::Unary);
}

LogicalResult emitSelect(arith::SelectOp op, CudaEmitter& emitter) {
  Type type = op.getType();
  // Of pointers one is taken like a number.
  if (!isScalarInteger(type) && !isa<FloatType, GlobalType>(type))
    return emitUnprintable(op, type);
  auto condition =
      emitter.getExpression(op.getCondition(), Precedence::LogicalOr);
  auto yes = emitter.getExpression(op.getTrueValue(), Precedence::LogicalOr);
  auto no = emitter.getExpression(op.getFalseValue(), Precedence::Conditional);
  if (failed(condition) || failed(yes) || failed(no)) return failure();
  return emitter.emitExpression(op, *condition + " ? " + *yes + " : " + *no,
                                Precedence::Conditional);
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

LogicalResult emitCmpI(arith::CmpIOp op, CudaEmitter& emitter) {
  using P = arith::CmpIPredicate;
  P predicate = op.getPredicate();
  Type type = op.getLhs().getType();
  if (!isScalarInteger(type)) return emitUnprintable(op, type);
  bool equality = predicate == P::eq || predicate == P::ne;
  bool isUnsigned = predicate == P::ult || predicate == P::ule ||
                    predicate == P::ugt || predicate == P::uge;
  // true is -1 as a signed and 1 as an unsigned i1; C++ knows 1 only.
  if (type.isInteger(1) && !equality && !isUnsigned)
    return emitUnprintable(op, type);
  StringRef symbol = predicate == P::eq                           ? "=="
                     : predicate == P::ne                         ? "!="
                     : predicate == P::slt || predicate == P::ult ? "<"
                     : predicate == P::sle || predicate == P::ule ? "<="
                     : predicate == P::sgt || predicate == P::ugt ? ">"
                                                                  : ">=";
  Precedence precedence =
      equality ? Precedence::Equality : Precedence::Relational;
  Precedence inner = isUnsigned ? Precedence::Unary : tighter(precedence);
  auto lhs = emitter.getExpression(op.getLhs(), inner);
  auto rhs = emitter.getExpression(op.getRhs(), inner);
  if (failed(lhs) || failed(rhs)) return failure();
  StringRef word = isUnsigned && !type.isInteger(1) ? getUnsigned(type) : "";
  return emitter.emitExpression(
      op, word + *lhs + " " + symbol + " " + word + *rhs, precedence);
}

/// C++ operators are false on NaN, != excepted. An unordered predicate is the
/// negation of the opposite ordered one.
LogicalResult emitCmpF(arith::CmpFOp op, CudaEmitter& emitter) {
  using P = arith::CmpFPredicate;
  auto lhs = getWide(emitter, op.getLhs(), Precedence::Shift);
  auto rhs = getWide(emitter, op.getRhs(), Precedence::Shift);
  if (failed(lhs) || failed(rhs)) return failure();
  auto plain = [&](StringRef symbol, Precedence precedence) {
    return emitter.emitExpression(op, *lhs + " " + symbol + " " + *rhs,
                                  precedence);
  };
  auto negated = [&](StringRef symbol) {
    return emitter.emitExpression(
        op, "!(" + *lhs + " " + symbol + " " + *rhs + ")", Precedence::Unary);
  };
  std::string differs = *lhs + " < " + *rhs + " || " + *lhs + " > " + *rhs;
  switch (op.getPredicate()) {
    case P::AlwaysFalse:
      return emitter.emitExpression(op, "false", Precedence::Primary);
    case P::AlwaysTrue:
      return emitter.emitExpression(op, "true", Precedence::Primary);
    case P::OEQ:
      return plain("==", Precedence::Equality);
    case P::OGT:
      return plain(">", Precedence::Relational);
    case P::OGE:
      return plain(">=", Precedence::Relational);
    case P::OLT:
      return plain("<", Precedence::Relational);
    case P::OLE:
      return plain("<=", Precedence::Relational);
    case P::UNE:
      return plain("!=", Precedence::Equality);
    case P::UGT:
      return negated("<=");
    case P::UGE:
      return negated("<");
    case P::ULT:
      return negated(">=");
    case P::ULE:
      return negated(">");
    case P::ONE:
      return emitter.emitExpression(op, differs, Precedence::LogicalOr);
    case P::UEQ:
      return emitter.emitExpression(op, "!(" + differs + ")",
                                    Precedence::Unary);
    case P::ORD:
      return emitter.emitExpression(
          op, *lhs + " == " + *lhs + " && " + *rhs + " == " + *rhs,
          Precedence::LogicalAnd);
    case P::UNO:
      return emitter.emitExpression(
          op, *lhs + " != " + *lhs + " || " + *rhs + " != " + *rhs,
          Precedence::LogicalOr);
  }
  return failure();
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// `(T)x`; nothing at all where both types are one C++ type.
LogicalResult emitConvert(Operation* op, CudaEmitter& emitter) {
  Value value = op->getOperand(0);
  auto from = emitter.getType(op, value.getType());
  auto to = emitter.getType(op, op->getResult(0).getType());
  if (failed(from) || failed(to)) return failure();
  if (*from == *to) {
    auto same = emitter.getExpression(value, Precedence::Primary);
    if (failed(same)) return failure();
    return emitter.emitExpression(op, *same, Precedence::Primary);
  }
  auto text = emitter.getExpression(value, Precedence::Unary);
  if (failed(text)) return failure();
  return emitter.emitExpression(op, "(" + *to + ")" + *text, Precedence::Unary);
}

LogicalResult emitExtSI(arith::ExtSIOp op, CudaEmitter& emitter) {
  if (!op.getIn().getType().isInteger(1)) return emitConvert(op, emitter);
  // The sign of an i1 is its only bit.
  auto text = emitter.getExpression(op.getIn(), Precedence::Unary);
  auto to = emitter.getType(op, op.getType());
  if (failed(text) || failed(to)) return failure();
  return emitter.emitExpression(op, "-(" + *to + ")" + *text,
                                Precedence::Unary);
}

/// A double or an integer to 16 bits with one rounding; float to 16 bits after
/// a rounding to float would be two.
LogicalResult emitToHalf(Operation* op, CudaEmitter& emitter,
                         const Twine& text) {
  auto to = emitter.getType(op, op->getResult(0).getType());
  if (failed(to)) return failure();
  return emitter.emitExpression(
      op, "convert_to<" + Twine(*to) + ">(" + text + ")", Precedence::Postfix);
}

/// Unsigned integers to wider integers or to floats.
LogicalResult emitFromUnsigned(Operation* op, CudaEmitter& emitter) {
  Value value = op->getOperand(0);
  Type type = op->getResult(0).getType();
  if (value.getType().isInteger(1) && !isa<FloatType>(type))
    return emitConvert(op, emitter);
  auto text = emitter.getExpression(value, Precedence::Unary);
  if (failed(text)) return failure();
  std::string word = value.getType().isInteger(1)
                         ? std::string()
                         : getUnsigned(value.getType()).str();
  if (isHalf(type)) return emitToHalf(op, emitter, word + *text);
  auto converted = getCast(emitter, op, type, word + *text);
  if (failed(converted)) return failure();
  return emitter.emitExpression(op, *converted, Precedence::Unary);
}

LogicalResult emitSIToFP(arith::SIToFPOp op, CudaEmitter& emitter) {
  auto text = emitter.getExpression(op.getIn(), Precedence::Unary);
  if (failed(text)) return failure();
  StringRef sign = op.getIn().getType().isInteger(1) ? "-" : "";
  if (isHalf(op.getType())) return emitToHalf(op, emitter, sign + *text);
  StringRef word = op.getType().isF64() ? "(double)" : "(float)";
  return emitWide(emitter, op, sign + word + *text, Precedence::Unary);
}

/// Floats to integers, towards zero.
LogicalResult emitFPToInt(Operation* op, CudaEmitter& emitter, bool isSigned) {
  Type type = op->getResult(0).getType();
  if (!isScalarInteger(type) || type.isInteger(1))
    return emitUnprintable(op, type);
  auto text = getWide(emitter, op->getOperand(0), Precedence::Unary);
  if (failed(text)) return failure();
  std::string word = isSigned ? "" : getUnsigned(type).str();
  auto converted = getCast(emitter, op, type, word + *text);
  if (failed(converted)) return failure();
  return emitter.emitExpression(op, *converted, Precedence::Unary);
}

LogicalResult emitTruncI(arith::TruncIOp op, CudaEmitter& emitter) {
  if (!op.getType().isInteger(1)) return emitConvert(op, emitter);
  auto text = emitter.getExpression(op.getIn(), Precedence::BitAnd);
  if (failed(text)) return failure();
  return emitter.emitExpression(op, "(" + *text + " & 1) != 0",
                                Precedence::Equality);
}

LogicalResult emitExtF(arith::ExtFOp op, CudaEmitter& emitter) {
  auto text = getWide(emitter, op.getIn(), Precedence::Unary);
  if (failed(text)) return failure();
  if (op.getType().isF64())
    return emitter.emitExpression(op, "(double)" + *text, Precedence::Unary);
  if (!op.getType().isF32()) return emitUnprintable(op, op.getType());
  return emitter.emitExpression(op, *text, Precedence::Postfix);
}

LogicalResult emitTruncF(arith::TruncFOp op, CudaEmitter& emitter) {
  if (op.getRoundingmodeAttr() &&
      op.getRoundingmode() != arith::RoundingMode::to_nearest_even)
    return op.emitOpError() << "has no CUDA C++ emission for a rounding mode";
  if (isHalf(op.getType())) {
    auto text = emitter.getExpression(op.getIn(), Precedence::Assignment);
    if (failed(text)) return failure();
    if (op.getIn().getType().isF64()) return emitToHalf(op, emitter, *text);
    return emitWide(emitter, op, *text, Precedence::Assignment);
  }
  auto text = emitter.getExpression(op.getIn(), Precedence::Unary);
  if (failed(text)) return failure();
  return emitter.emitExpression(op, "(float)" + *text, Precedence::Unary);
}

LogicalResult emitBitcast(arith::BitcastOp op, CudaEmitter& emitter) {
  auto to = emitter.getType(op, op.getType());
  auto text = emitter.getExpression(op.getIn(), Precedence::Assignment);
  if (failed(to) || failed(text)) return failure();
  return emitter.emitExpression(op, "bit_cast<" + *to + ">(" + *text + ")",
                                Precedence::Postfix);
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

template <typename Op, Text symbol, Precedence precedence>
LogicalResult emitFloatOp(Op op, CudaEmitter& emitter) {
  return emitFloat(op, emitter, symbol.text, precedence);
}

template <typename Op, Text symbol, Precedence precedence>
LogicalResult emitWrappingOp(Op op, CudaEmitter& emitter) {
  return emitWrapping(op, emitter, symbol.text, precedence);
}

template <typename Op, Text symbol, Precedence precedence>
LogicalResult emitSignedOp(Op op, CudaEmitter& emitter) {
  return emitInteger(op, emitter, symbol.text, precedence,
                     /*isUnsigned=*/false);
}

template <typename Op, Text symbol, Precedence precedence>
LogicalResult emitUnsignedOp(Op op, CudaEmitter& emitter) {
  return emitInteger(op, emitter, symbol.text, precedence, /*isUnsigned=*/true);
}

template <typename Op, Text symbol>
LogicalResult emitUnsignedExtremeOp(Op op, CudaEmitter& emitter) {
  return emitUnsignedExtreme(op, emitter, symbol.text);
}

LogicalResult emitAnd(arith::AndIOp op, CudaEmitter& emitter) {
  return emitBits(op, emitter, "&", Precedence::BitAnd, "&&",
                  Precedence::LogicalAnd);
}

LogicalResult emitOr(arith::OrIOp op, CudaEmitter& emitter) {
  return emitBits(op, emitter, "|", Precedence::BitOr, "||",
                  Precedence::LogicalOr);
}

template <typename Op>
LogicalResult emitFromUnsignedOp(Op op, CudaEmitter& emitter) {
  return emitFromUnsigned(op, emitter);
}

template <typename Op>
LogicalResult emitConvertOp(Op op, CudaEmitter& emitter) {
  return emitConvert(op, emitter);
}

template <typename Op, bool isSigned>
LogicalResult emitFPToIntOp(Op op, CudaEmitter& emitter) {
  return emitFPToInt(op, emitter, isSigned);
}

void attachArithmetic(MLIRContext* c) {
  using namespace arith;
  using P = Precedence;
  attach<AddFOp, emitFloatOp<AddFOp, "+", P::Additive>>(c);
  attach<SubFOp, emitFloatOp<SubFOp, "-", P::Additive>>(c);
  attach<MulFOp, emitFloatOp<MulFOp, "*", P::Multiplicative>>(c);
  attach<DivFOp, emitFloatOp<DivFOp, "/", P::Multiplicative>>(c);
  attach<NegFOp, emitNegate>(c);
  attach<AddIOp, emitWrappingOp<AddIOp, "+", P::Additive>>(c);
  attach<SubIOp, emitWrappingOp<SubIOp, "-", P::Additive>>(c);
  attach<MulIOp, emitWrappingOp<MulIOp, "*", P::Multiplicative>>(c);
  attach<ShLIOp, emitWrappingOp<ShLIOp, "<<", P::Shift>>(c);
  attach<DivSIOp, emitSignedOp<DivSIOp, "/", P::Multiplicative>>(c);
  attach<RemSIOp, emitSignedOp<RemSIOp, "%", P::Multiplicative>>(c);
  attach<ShRSIOp, emitSignedOp<ShRSIOp, ">>", P::Shift>>(c);
  attach<DivUIOp, emitUnsignedOp<DivUIOp, "/", P::Multiplicative>>(c);
  attach<RemUIOp, emitUnsignedOp<RemUIOp, "%", P::Multiplicative>>(c);
  attach<ShRUIOp, emitUnsignedOp<ShRUIOp, ">>", P::Shift>>(c);
  attach<AndIOp, emitAnd>(c);
  attach<OrIOp, emitOr>(c);
  attach<XOrIOp, emitXor>(c);
  attach<MaxUIOp, emitUnsignedExtremeOp<MaxUIOp, ">">>(c);
  attach<MinUIOp, emitUnsignedExtremeOp<MinUIOp, "<">>(c);
  // Functions of the device headers: C++ has no operator that rounds so, or
  // that treats NaN and signed zeros so.
  attachFunction<CeilDivSIOp, "ceil_div">(c);
  attachFunction<FloorDivSIOp, "floor_div">(c);
  attachFunction<MinSIOp, "min">(c);
  attachFunction<MaxSIOp, "max">(c);
  attachFunction<MaximumFOp, "maximum">(c);
  attachFunction<MinimumFOp, "minimum">(c);
  attachCFunction<MaxNumFOp, "fmax">(c);
  attachCFunction<MinNumFOp, "fmin">(c);
  attachCFunction<RemFOp, "fmod">(c);
}

void attachOthers(MLIRContext* c) {
  using namespace arith;
  attach<ConstantOp, emitConstant>(c);
  attach<SelectOp, emitSelect>(c);
  attach<CmpIOp, emitCmpI>(c);
  attach<CmpFOp, emitCmpF>(c);
  attach<ExtSIOp, emitExtSI>(c);
  attach<ExtUIOp, emitFromUnsignedOp<ExtUIOp>>(c);
  attach<TruncIOp, emitTruncI>(c);
  attach<IndexCastOp, emitConvertOp<IndexCastOp>>(c);
  attach<IndexCastUIOp, emitFromUnsignedOp<IndexCastUIOp>>(c);
  attach<SIToFPOp, emitSIToFP>(c);
  attach<UIToFPOp, emitFromUnsignedOp<UIToFPOp>>(c);
  attach<FPToSIOp, emitFPToIntOp<FPToSIOp, true>>(c);
  attach<FPToUIOp, emitFPToIntOp<FPToUIOp, false>>(c);
  attach<ExtFOp, emitExtF>(c);
  attach<TruncFOp, emitTruncF>(c);
  attach<BitcastOp, emitBitcast>(c);
}

}  // namespace

void gsa_tile::registerArithEmitModels(DialectRegistry& registry) {
  registry.addExtension(+[](MLIRContext* context, arith::ArithDialect*) {
    attachArithmetic(context);
    attachOthers(context);
  });
}
