//===- LowerMath.cpp - math ops on scalars and vectors --------------------===//
//
// exp, expm1, log and log1p of f32 as polynomials on a reduced argument. The
// arithmetic is that of Cephes' expf and logf with fused multiply-adds; scales
// of the result are applied in two steps, so that results and arguments below
// the smallest normal number are as exact as others.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/cpu/CpuPasses.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSACPULOWERMATH
#include "passes/cpu/CpuPasses.h.inc"

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLog2E = 0x1.715476p+0f;
/// ln 2 in two parts. The product of the first with a whole number below 2^8
/// is exact in a fused multiply-add that subtracts it from an argument.
constexpr float kLn2High = 0x1.62e430p-1f, kLn2Low = -0x1.05c610p-29f;
/// Added to a float below 2^22, leaves it rounded to the nearest whole number
/// in the low bits.
constexpr float kRoundingShift = 0x1.8p+23f;
constexpr int32_t kMantissaBits = 23, kExponentBias = 127;

/// The type of `like`, a scalar or a vector, with another element type.
Type withElement(Type like, Type element) {
  if (auto vector = dyn_cast<VectorType>(like)) return vector.clone(element);
  return element;
}

/// Arithmetic on f32, or on vectors of it, of one shape.
class FloatBuilder {
 public:
  FloatBuilder(Location loc, PatternRewriter& rewriter, Type type)
      : b(loc, rewriter),
        type(type),
        bitsType(withElement(type, rewriter.getI32Type())) {}

  Value number(float x) { return splat(type, b.getF32FloatAttr(x)); }
  Value bits(int32_t x) { return splat(bitsType, b.getI32IntegerAttr(x)); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, x, y); }
  Value fma(Value x, Value y, Value z) {
    return math::FmaOp::create(b, x, y, z);
  }
  Value abs(Value x) { return math::AbsFOp::create(b, x); }
  Value asBits(Value x) { return arith::BitcastOp::create(b, bitsType, x); }
  Value asFloat(Value x) { return arith::BitcastOp::create(b, type, x); }
  Value toFloat(Value x) { return arith::SIToFPOp::create(b, type, x); }
  Value addBits(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
  Value subBits(Value x, Value y) { return arith::SubIOp::create(b, x, y); }
  Value shiftLeft(Value x, int32_t by) {
    return arith::ShLIOp::create(b, x, bits(by));
  }
  Value shiftRight(Value x, int32_t by) {
    return arith::ShRSIOp::create(b, x, bits(by));
  }
  Value compare(arith::CmpFPredicate predicate, Value x, float y) {
    return arith::CmpFOp::create(b, predicate, x, number(y));
  }
  Value isZero(Value x) {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x, bits(0));
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, condition, x, y);
  }
  /// `x` within [low, high]; NaN stays.
  Value clamp(Value x, float low, float high) {
    x = select(compare(arith::CmpFPredicate::OLT, x, low), number(low), x);
    return select(compare(arith::CmpFPredicate::OGT, x, high), number(high), x);
  }
  /// 2^n as a float; n is in [-126, 127].
  Value power(Value n) {
    return asFloat(shiftLeft(addBits(n, bits(kExponentBias)), kMantissaBits));
  }
  /// Horner's rule, highest coefficient first.
  Value polynomial(Value x, ArrayRef<float> coefficients) {
    Value result = number(coefficients.front());
    for (float coefficient : coefficients.drop_front())
      result = fma(result, x, number(coefficient));
    return result;
  }

 private:
  Value splat(Type shape, TypedAttr value) {
    if (auto vector = dyn_cast<VectorType>(shape))
      value = DenseElementsAttr::get(vector, Attribute(value));
    return arith::ConstantOp::create(b, value);
  }

  ImplicitLocOpBuilder b;
  Type type, bitsType;
};

/// x = n ln 2 + r with |r| <= ln(2) / 2, and e^r - 1.
struct ReducedExp {
  Value n;
  Value r;
  Value expm1;
};

/// |x| is below 128.
ReducedExp reduceExp(FloatBuilder& f, Value x) {
  Value shift = f.number(kRoundingShift);
  Value shifted = f.fma(x, f.number(kLog2E), shift);
  Value n = f.sub(shifted, shift);
  Value r = f.fma(n, f.number(-kLn2High), x);
  r = f.fma(n, f.number(-kLn2Low), r);
  Value tail =
      f.polynomial(r, {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                       4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f});
  Value whole = f.subBits(f.asBits(shifted), f.asBits(shift));
  return {whole, r, f.fma(f.mul(r, r), tail, r)};
}

Value expand(FloatBuilder& f, math::ExpOp op) {
  // From 89 on the result overflows below, up to -104 it rounds to 0.
  Value x = f.clamp(op.getOperand(), -104.0f, 89.0f);
  ReducedExp reduced = reduceExp(f, x);
  Value mantissa = f.add(f.number(1.0f), reduced.expm1);
  // Half of n at a time: 2^n itself is out of range at both ends. The first
  // product is exact.
  Value half = f.shiftRight(reduced.n, 1);
  Value rest = f.subBits(reduced.n, half);
  return f.mul(f.mul(mantissa, f.power(half)), f.power(rest));
}

Value expand(FloatBuilder& f, math::ExpM1Op op) {
  Value x = op.getOperand();
  // Below -18 the result rounds to -1.
  ReducedExp reduced = reduceExp(f, f.clamp(x, -18.0f, 89.0f));
  // 2^n (e^r - 1) + 2^n - 1, taken by half so that 2^n does not overflow.
  Value scale = f.power(f.subBits(reduced.n, f.bits(1)));
  Value sum = f.fma(reduced.expm1, scale, f.sub(scale, f.number(0.5f)));
  Value large = f.mul(sum, f.number(2.0f));
  // x itself where x^2 is lost, which keeps the sign of 0.
  Value isTiny = f.compare(arith::CmpFPredicate::OLT, f.abs(x), 0x1p-25f);
  return f.select(isTiny, x,
                  f.select(f.isZero(reduced.n), reduced.expm1, large));
}

/// ln x; `mayBeDenormal` says whether x may be below the smallest normal
/// number.
Value logarithm(FloatBuilder& f, Value x, bool mayBeDenormal) {
  Value normal = x, correction;
  if (mayBeDenormal) {
    Value isDenormal = f.compare(arith::CmpFPredicate::OLT, x, 0x1p-126f);
    normal = f.select(isDenormal, f.mul(x, f.number(0x1p+23f)), x);
    correction = f.select(isDenormal, f.bits(-23), f.bits(0));
  }
  // x = 2^n (1 + m), with 1 + m from sqrt(1/2) to sqrt(2).
  int32_t lowest = 0x3f3504f3;  // sqrt(1/2)
  Value bits = f.asBits(normal);
  Value n = f.shiftRight(f.subBits(bits, f.bits(lowest)), kMantissaBits);
  Value m = f.sub(f.asFloat(f.subBits(bits, f.shiftLeft(n, kMantissaBits))),
                  f.number(1.0f));
  if (correction) n = f.addBits(n, correction);
  Value exponent = f.toFloat(n);
  Value tail =
      f.polynomial(m, {7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f,
                       -1.2420140846e-1f, 1.4249322787e-1f, -1.6668057665e-1f,
                       2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f});
  Value square = f.mul(m, m);
  Value low = f.mul(f.mul(square, m), tail);
  low = f.fma(exponent, f.number(-2.12194440e-4f), low);
  low = f.fma(square, f.number(-0.5f), low);
  Value result = f.fma(exponent, f.number(0.693359375f), f.add(m, low));
  // +inf and NaN are their own logarithms.
  Value isFinite = f.compare(arith::CmpFPredicate::OLT, x, kInfinity);
  result = f.select(isFinite, result, x);
  Value isNegative = f.compare(arith::CmpFPredicate::OLT, x, 0.0f);
  result = f.select(isNegative,
                    f.number(std::numeric_limits<float>::quiet_NaN()), result);
  Value isZero = f.compare(arith::CmpFPredicate::OEQ, x, 0.0f);
  return f.select(isZero, f.number(-kInfinity), result);
}

Value expand(FloatBuilder& f, math::LogOp op) {
  return logarithm(f, op.getOperand(), /*mayBeDenormal=*/true);
}

Value expand(FloatBuilder& f, math::Log1pOp op) {
  // ln(1 + x) = ln u + c / u + ..., with u the rounded sum and c what rounding
  // took away.
  Value x = op.getOperand(), one = f.number(1.0f);
  Value u = f.add(x, one);
  Value taken = f.sub(x, f.sub(u, one));
  Value result =
      f.add(logarithm(f, u, /*mayBeDenormal=*/false), f.div(taken, u));
  // x itself where x^2 is lost, which keeps the sign of 0, and for +inf and
  // NaN; -inf where u is 0.
  Value isTiny = f.compare(arith::CmpFPredicate::OLT, f.abs(x), 0x1p-25f);
  result = f.select(isTiny, x, result);
  Value isFinite = f.compare(arith::CmpFPredicate::OLT, x, kInfinity);
  result = f.select(isFinite, result, x);
  Value isPole = f.compare(arith::CmpFPredicate::OEQ, x, -1.0f);
  return f.select(isPole, f.number(-kInfinity), result);
}

template <typename OpTy>
struct ExpandF32 : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter& rewriter) const override {
    Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32()) return failure();
    FloatBuilder f(op.getLoc(), rewriter, type);
    rewriter.replaceOp(op, expand(f, op));
    return success();
  }
};

/// `value` in the type of elements of `type`, for every element.
Value createSplat(ImplicitLocOpBuilder& b, Type type,
                  llvm::function_ref<APFloat(const llvm::fltSemantics&)> make) {
  auto element = cast<FloatType>(getElementTypeOrSelf(type));
  TypedAttr attr = b.getFloatAttr(element, make(element.getFloatSemantics()));
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, Attribute(attr));
  return arith::ConstantOp::create(b, attr);
}

Value createInfinity(ImplicitLocOpBuilder& b, Type type) {
  return createSplat(b, type, [](const llvm::fltSemantics& semantics) {
    return APFloat::getInf(semantics);
  });
}

/// Upstream has no lowering of these two.
struct ExpandIsInf : OpRewritePattern<math::IsInfOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::IsInfOp op,
                                PatternRewriter& rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value size = math::AbsFOp::create(b, op.getOperand());
    rewriter.replaceOpWithNewOp<arith::CmpFOp>(
        op, arith::CmpFPredicate::OEQ, size, createInfinity(b, size.getType()));
    return success();
  }
};

struct ExpandIsNormal : OpRewritePattern<math::IsNormalOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::IsNormalOp op,
                                PatternRewriter& rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value size = math::AbsFOp::create(b, op.getOperand());
    Value smallest =
        createSplat(b, size.getType(), [](const llvm::fltSemantics& semantics) {
          return APFloat::getSmallestNormalized(semantics);
        });
    Value isLarge =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OGE, size, smallest);
    Value isFinite = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, size,
                                           createInfinity(b, size.getType()));
    rewriter.replaceOpWithNewOp<arith::AndIOp>(op, isLarge, isFinite);
    return success();
  }
};

/// Upstream's expansion takes the smaller of value and lower bound.
struct ExpandClamp : OpRewritePattern<math::ClampFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ClampFOp op,
                                PatternRewriter& rewriter) const override {
    Value below = arith::MinimumFOp::create(rewriter, op.getLoc(),
                                            op.getValue(), op.getMax());
    rewriter.replaceOpWithNewOp<arith::MaximumFOp>(op, below, op.getMin());
    return success();
  }
};

/// x^i as a power in f64, which holds every i32 exponent: the power of LLVM
/// takes one exponent for a whole vector and calls a function of the compiler's
/// own library.
struct ExpandPowerOfInteger : OpRewritePattern<math::FPowIOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::FPowIOp op,
                                PatternRewriter& rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Type type = op.getType();
    Type wide = withElement(type, b.getF64Type());
    Value base = op.getLhs();
    if (type != wide) base = arith::ExtFOp::create(b, wide, base);
    Value exponent = arith::SIToFPOp::create(b, wide, op.getRhs());
    Value result = math::PowFOp::create(b, base, exponent);
    if (type != wide) result = arith::TruncFOp::create(b, type, result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// Like all arithmetic on f16 and bf16 in f32; LLVM would call functions of the
/// compiler's own library, or round with an instruction that has no denormals.
struct WidenFma : OpRewritePattern<math::FmaOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::FmaOp op,
                                PatternRewriter& rewriter) const override {
    Type type = op.getType();
    if (getElementTypeOrSelf(type).getIntOrFloatBitWidth() >= 32)
      return failure();
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Type wide = withElement(type, b.getF32Type());
    auto widen = [&](Value x) {
      return arith::ExtFOp::create(b, wide, x).getResult();
    };
    Value result = math::FmaOp::create(b, widen(op.getA()), widen(op.getB()),
                                       widen(op.getC()));
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, type, result);
    return success();
  }
};

struct LowerMath : impl::GsaCpuLowerMathBase<LowerMath> {
  void runOnOperation() override {
    MLIRContext* context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<ExpandF32<math::ExpOp>, ExpandF32<math::ExpM1Op>,
                 ExpandF32<math::LogOp>, ExpandF32<math::Log1pOp>, ExpandClamp,
                 ExpandIsInf, ExpandIsNormal, ExpandPowerOfInteger, WidenFma>(
        context);
    populatePolynomialApproximateTanhPattern(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    if (failed(callLibm())) signalPassFailure();
  }

 private:
  /// Those of f64 that upstream would take for ln(1 + x) and exp(x) - 1, which
  /// lose small arguments.
  LogicalResult callLibm() {
    MLIRContext* context = &getContext();
    RewritePatternSet patterns(context);
    populateMathToLibmConversionPatterns(patterns);
    ConversionTarget target(*context);
    target.markUnknownOpDynamicallyLegal([](Operation*) { return true; });
    target.addIllegalOp<math::ExpM1Op, math::Log1pOp>();
    return applyPartialConversion(getOperation(), target, std::move(patterns));
  }
};

}  // namespace
}  // namespace mlir::gsa
