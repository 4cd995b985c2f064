//===- GsaBuilders.cpp - helpers for decompositions -----------------------===//

#include "dialect/Gsa/GsaBuilders.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

template <typename OpTy, typename... Args>
Value ScalarBuilder::integer(Args&&... args) {
  if (folds) return b.createOrFold<OpTy>(loc, std::forward<Args>(args)...);
  return OpTy::create(b, loc, std::forward<Args>(args)...).getResult();
}

Value ScalarBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value ScalarBuilder::i32(int32_t value) {
  return arith::ConstantIntOp::create(b, loc, value, 32);
}

Value ScalarBuilder::i64(int64_t value) {
  return arith::ConstantIntOp::create(b, loc, value, 64);
}

Value ScalarBuilder::constant(Type type, double value) {
  if (auto shaped = dyn_cast<ShapedType>(type)) {
    auto element = cast<FloatType>(shaped.getElementType());
    return arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(shaped,
                               b.getFloatAttr(element, value).getValue()));
  }
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
}

Value ScalarBuilder::cast(Value value, Type type) {
  auto from = cast_or_null<FloatType>(getElementTypeOrSelf(value.getType()));
  auto to = ::llvm::cast<FloatType>(getElementTypeOrSelf(type));
  if (from == to) return value;
  if (from.getWidth() == to.getWidth())  // f16 <-> bf16, by way of f32.
    return cast(cast(value, b.getF32Type()), type);
  if (from.getWidth() < to.getWidth())
    return arith::ExtFOp::create(b, loc, type, value);
  return arith::TruncFOp::create(b, loc, type, value);
}

Value ScalarBuilder::toFloat(Value integer, Type type) {
  if (integer.getType().isIndex())
    integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), integer);
  return arith::SIToFPOp::create(b, loc, type, integer);
}

Value ScalarBuilder::toI32(Value indexValue) {
  return integer<arith::IndexCastOp>(b.getI32Type(), indexValue);
}

Value ScalarBuilder::toI64(Value indexValue) {
  return integer<arith::IndexCastOp>(b.getI64Type(), indexValue);
}

Value ScalarBuilder::toIndex(Value integer) {
  return this->integer<arith::IndexCastOp>(b.getIndexType(), integer);
}

static bool isFloat(Value value) {
  return isa<FloatType>(getElementTypeOrSelf(value.getType()));
}

Value ScalarBuilder::add(Value lhs, Value rhs) {
  if (isFloat(lhs)) return arith::AddFOp::create(b, loc, lhs, rhs);
  return integer<arith::AddIOp>(lhs, rhs);
}

Value ScalarBuilder::sub(Value lhs, Value rhs) {
  if (isFloat(lhs)) return arith::SubFOp::create(b, loc, lhs, rhs);
  return integer<arith::SubIOp>(lhs, rhs);
}

Value ScalarBuilder::mul(Value lhs, Value rhs) {
  if (isFloat(lhs)) return arith::MulFOp::create(b, loc, lhs, rhs);
  return integer<arith::MulIOp>(lhs, rhs);
}

Value ScalarBuilder::div(Value lhs, Value rhs) {
  return arith::DivFOp::create(b, loc, lhs, rhs);
}

Value ScalarBuilder::min(Value lhs, Value rhs) {
  return integer<arith::MinSIOp>(lhs, rhs);
}

Value ScalarBuilder::max(Value lhs, Value rhs) {
  return integer<arith::MaxSIOp>(lhs, rhs);
}

// Unsigned: a shift if the divisor is a power of two.
Value ScalarBuilder::divIndex(Value lhs, Value rhs) {
  return integer<arith::DivUIOp>(lhs, rhs);
}

Value ScalarBuilder::remIndex(Value lhs, Value rhs) {
  return integer<arith::RemUIOp>(lhs, rhs);
}

Value ScalarBuilder::exp(Value x) { return math::ExpOp::create(b, loc, x); }

Value ScalarBuilder::neg(Value x) { return arith::NegFOp::create(b, loc, x); }

Value ScalarBuilder::sigmoid(Value x) {
  Value one = constant(x.getType(), 1.0);
  return div(one, add(one, exp(neg(x))));
}

Value ScalarBuilder::cmpf(arith::CmpFPredicate predicate, Value lhs,
                          Value rhs) {
  return arith::CmpFOp::create(b, loc, predicate, lhs, rhs);
}

Value ScalarBuilder::cmpi(arith::CmpIPredicate predicate, Value lhs,
                          Value rhs) {
  return integer<arith::CmpIOp>(predicate, lhs, rhs);
}

Value ScalarBuilder::select(Value condition, Value ifTrue, Value ifFalse) {
  return arith::SelectOp::create(b, loc, condition, ifTrue, ifFalse);
}

Value ScalarBuilder::extract(Value tensor, ValueRange indices) {
  return tensor::ExtractOp::create(b, loc, tensor, indices);
}

SmallVector<Value> ScalarBuilder::forLoop(
    Value lower, Value upper, int64_t step, ValueRange init,
    llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(
      b, loc, lower, upper, index(step), init,
      [&](OpBuilder& inner, Location, Value iv, ValueRange carried) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(inner.getInsertionBlock(),
                            inner.getInsertionPoint());
        scf::YieldOp::create(b, loc, body(iv, carried));
      });
  return SmallVector<Value>(loop.getResults());
}

scf::ForOp ScalarBuilder::forLoop(Value lower, Value upper, int64_t step,
                                  llvm::function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(b, loc, lower, upper, index(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
  return loop;
}

void ScalarBuilder::ifThen(Value condition, llvm::function_ref<void()> body,
                           llvm::function_ref<void()> otherwise) {
  auto branch = scf::IfOp::create(b, loc, condition,
                                  /*withElseRegion=*/bool(otherwise));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
  if (!otherwise) return;
  b.setInsertionPointToStart(branch.elseBlock());
  otherwise();
}

Value ScalarBuilder::lazySelect(Value condition, Type type,
                                llvm::function_ref<Value()> ifTrue,
                                llvm::function_ref<Value()> ifFalse) {
  auto branch = [&](llvm::function_ref<Value()> make) {
    return [&, make](OpBuilder& inner, Location) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
      scf::YieldOp::create(b, loc, make());
    };
  };
  auto op =
      scf::IfOp::create(b, loc, condition, branch(ifTrue), branch(ifFalse));
  return op.getResult(0);
}

Value gsa::detail::emptyTensor(OpBuilder& b, Location loc,
                               ArrayRef<OpFoldResult> shape, Type elementType) {
  return tensor::EmptyOp::create(b, loc, shape, elementType);
}

Value gsa::detail::dimValue(OpBuilder& b, Location loc, Value tensor,
                            int64_t i) {
  return getValueOrCreateConstantIndexOp(
      b, loc, tensor::getMixedSize(b, loc, tensor, i));
}

Value gsa::detail::generateTensor(
    OpBuilder& b, Location loc, ArrayRef<OpFoldResult> shape, Type elementType,
    llvm::function_ref<Value(ScalarBuilder&, ValueRange)> body) {
  Value init = emptyTensor(b, loc, shape, elementType);
  int64_t rank = static_cast<int64_t>(shape.size());
  SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(rank)};
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, loc, init.getType(), ValueRange{}, init, maps, iterators,
      [&](OpBuilder& inner, Location innerLoc, ValueRange) {
        SmallVector<Value> indices;
        for (int64_t i = 0; i < rank; ++i)
          indices.push_back(linalg::IndexOp::create(inner, innerLoc, i));
        ScalarBuilder scalar(inner, innerLoc);
        linalg::YieldOp::create(inner, innerLoc, body(scalar, indices));
      });
  return generic.getResult(0);
}

Value gsa::detail::isVisible(ScalarBuilder& s, Mask mask, Value query,
                             Value key, Value queries, Value keys) {
  if (mask == Mask::None)
    return arith::ConstantIntOp::create(s.builder(), s.location(), 1, 1);
  // key <= query + keys - queries, without a subtraction that could wrap.
  return s.cmpi(arith::CmpIPredicate::sle, s.add(key, queries),
                s.add(query, keys));
}

Value gsa::detail::countKeys(ScalarBuilder& s, Value lengths, Value batch,
                             Value keys) {
  if (!lengths) return keys;
  Value given = s.toIndex(s.extract(lengths, batch));
  return s.min(s.max(given, s.index(0)), keys);
}

Value gsa::detail::applyGate(ScalarBuilder& s, GateActivation activation,
                             Value logit) {
  switch (activation) {
    case GateActivation::Sigmoid:
      return s.sigmoid(logit);
    case GateActivation::Tanh:
      // (tanh(z) + 1) / 2 as sigmoid(2 z): the sum would round to 0 from about
      // z = -9 on, and 0 times an infinite gradient is NaN.
      return s.sigmoid(s.add(logit, logit));
    case GateActivation::Silu:
      return s.mul(logit, s.sigmoid(logit));
  }
  llvm_unreachable("unknown gate activation");
}

Value gsa::detail::applyScoreActivation(ScalarBuilder& s,
                                        ScoreActivation activation, Value x) {
  switch (activation) {
    case ScoreActivation::Sigmoid:
      return s.sigmoid(x);
    case ScoreActivation::Relu: {
      // maximumf keeps NaN, so that a NaN operand stays visible as NaN.
      Value zero = s.constant(x.getType(), 0.0);
      return arith::MaximumFOp::create(s.builder(), s.location(), x, zero);
    }
    case ScoreActivation::Identity:
      return x;
  }
  llvm_unreachable("unknown score activation");
}
