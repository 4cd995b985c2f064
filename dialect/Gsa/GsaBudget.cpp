//===- GsaBudget.cpp - the formulas of #gsa.k_policy ----------------------===//
//
// Scalar code for one row's budget; decompositions and lowerings share it.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaBuilders.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// Keeps a vanishing normaliser from dividing by zero.
static constexpr double kEpsilon = 1e-8;

/// The raw budget in the accumulator type (see the table of #gsa.k_policy).
static Value rawBudget(ScalarBuilder& s, KPolicyAttr policy, Value visible,
                       Value statistic, Value normaliser) {
  Type acc = statistic.getType();
  auto number = [&](double value) { return s.constant(acc, value); };
  Value base = number(static_cast<double>(policy.getBase()));
  Value temperature = number(policy.getTemperature().convertToDouble());
  switch (policy.getKind()) {
    case KPolicyKind::UpstreamVariance: {
      Value relative = s.div(statistic, s.add(normaliser, number(kEpsilon)));
      Value damped =
          s.div(number(1.0), s.add(number(1.0), s.mul(temperature, relative)));
      return s.mul(base, s.add(number(0.5), damped));
    }
    case KPolicyKind::PaperEma:
      return s.mul(base, s.div(statistic, s.add(normaliser, number(kEpsilon))));
    case KPolicyKind::Entropy: {
      Value count = s.add(s.toFloat(visible, acc), number(1.0));
      Value logCount = math::LogOp::create(s.builder(), s.location(), count);
      Value relative = s.div(s.mul(temperature, statistic),
                             s.add(logCount, number(kEpsilon)));
      return s.mul(base, s.add(number(0.5), relative));
    }
    case KPolicyKind::Orth: {
      // log(1 + e^v) = max(v, 0) + log(1 + e^-|v|), which does not overflow.
      Value size = math::AbsFOp::create(s.builder(), s.location(), statistic);
      Value positive = arith::MaximumFOp::create(s.builder(), s.location(),
                                                 statistic, number(0.0));
      Value softplus =
          s.add(positive,
                math::LogOp::create(s.builder(), s.location(),
                                    s.add(number(1.0), s.exp(s.neg(size)))));
      return s.mul(base, s.add(number(1.0), s.mul(temperature, softplus)));
    }
    case KPolicyKind::Fixed:
      break;
  }
  llvm_unreachable("a fixed budget has no formula");
}

Value gsa::detail::computeBudget(ScalarBuilder& s, KPolicyAttr policy,
                                 Value visible, Value statistic,
                                 Value normaliser) {
  OpBuilder& b = s.builder();
  Location loc = s.location();
  Value budget;
  if (policy.getKind() == KPolicyKind::Fixed) {
    budget = s.i32(static_cast<int32_t>(policy.getBase()));
  } else {
    Type acc = statistic.getType();
    Value raw = rawBudget(s, policy, visible, statistic, normaliser);
    // maxnumf returns the number when the other operand is NaN, which is how
    // a NaN budget becomes min.
    Value low = s.constant(acc, static_cast<double>(policy.getMin()));
    Value high = s.constant(acc, static_cast<double>(policy.getMax()));
    raw = arith::MaxNumFOp::create(b, loc, raw, low);
    raw = arith::MinNumFOp::create(b, loc, raw, high);
    budget = arith::FPToSIOp::create(b, loc, b.getI32Type(), raw);
  }
  return arith::MinSIOp::create(b, loc, budget, visible);
}
