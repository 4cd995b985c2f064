//===- GsaSlopes.cpp - derivatives of activations -------------------------===//

#include "dialect/Gsa/GsaSlopes.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

Value gsa::detail::sigmoidSlope(ScalarBuilder& s, Value x) {
  return s.mul(s.sigmoid(x), s.sigmoid(s.neg(x)));
}

Value gsa::detail::gateSlope(ScalarBuilder& s, GateActivation activation,
                             Value z) {
  auto constant = [&](double x) { return s.constant(z.getType(), x); };
  switch (activation) {
    case GateActivation::Sigmoid:
      return sigmoidSlope(s, z);
    case GateActivation::Tanh:
      return s.mul(constant(2.0), sigmoidSlope(s, s.mul(constant(2.0), z)));
    case GateActivation::Silu: {
      Value rest = s.mul(z, s.sigmoid(s.neg(z)));
      return s.mul(s.sigmoid(z), s.add(constant(1.0), rest));
    }
  }
  llvm_unreachable("unknown gate activation");
}

Value gsa::detail::scoreSlope(ScalarBuilder& s, ScoreActivation activation,
                              Value x) {
  Type type = x.getType();
  switch (activation) {
    case ScoreActivation::Sigmoid:
      return sigmoidSlope(s, x);
    case ScoreActivation::Relu: {
      Value zero = s.constant(type, 0.0);
      Value isNan = s.cmpf(arith::CmpFPredicate::UNO, x, x);
      Value above = s.cmpf(arith::CmpFPredicate::OGT, x, zero);
      return s.select(above, s.constant(type, 1.0), s.select(isNan, x, zero));
    }
    case ScoreActivation::Identity:
      return s.constant(type, 1.0);
  }
  llvm_unreachable("unknown score activation");
}

Value gsa::detail::applyWeightActivation(ScalarBuilder& s,
                                         WeightActivation activation, Value w) {
  return activation == WeightActivation::Sigmoid ? s.sigmoid(w) : w;
}

Value gsa::detail::weightSlope(ScalarBuilder& s, WeightActivation activation,
                               Value w) {
  return activation == WeightActivation::Sigmoid ? sigmoidSlope(s, w)
                                                 : s.constant(w.getType(), 1.0);
}
