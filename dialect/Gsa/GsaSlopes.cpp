//===- GsaSlopes.cpp - derivatives of activations -------------------------===//

#include "dialect/Gsa/GsaSlopes.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

Value gsa::detail::sigmoidSlope(ScalarBuilder& s, Value x) {
  return s.mul(s.sigmoid(x), s.sigmoid(s.neg(x)));
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
