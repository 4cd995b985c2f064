//===- GsaSlopes.h - derivatives of activations ----------------*- C++ -*-===//

#ifndef GSA_DIALECT_GSA_GSASLOPES_H
#define GSA_DIALECT_GSA_GSASLOPES_H

#include "dialect/Gsa/GsaBuilders.h"

namespace mlir::gsa::detail {

/// s(x) s(-x), the slope of the sigmoid s: 1 - s(x) would round to 0 where x is
/// large.
Value sigmoidSlope(ScalarBuilder& s, Value x);
/// act'(z) of a gate.
Value gateSlope(ScalarBuilder& s, GateActivation activation, Value z);
/// act'(x) of an indexer head; NaN where x is, unless act is the identity.
Value scoreSlope(ScalarBuilder& s, ScoreActivation activation, Value x);
/// wact(w) of an indexer head's weight, and wact'(w).
Value applyWeightActivation(ScalarBuilder& s, WeightActivation activation,
                            Value w);
Value weightSlope(ScalarBuilder& s, WeightActivation activation, Value w);

}  // namespace mlir::gsa::detail

#endif  // GSA_DIALECT_GSA_GSASLOPES_H
