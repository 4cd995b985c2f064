//===- Gate.h - scaling by an activation of gate logits ---------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_GATE_H_
#define GSA_TEST_REFERENCE_GATE_H_

#include "test/reference/Tensor.h"
#include "test/reference/Types.h"

namespace gsa::reference {

/// act(x).
double Activate(GateActivation activation, double x);

/// input * act(logits). `input` is [B, S, H, D]; `logits` have its shape
/// (elementwise) or [B, S, H] (one scalar per head).
Tensor<double> Gate(const Tensor<double>& input, const Tensor<double>& logits,
                    GateActivation activation = GateActivation::kSigmoid);

/// act'(x).
double ActivateSlope(GateActivation activation, double x);

/// Gradients of the operands of Gate, of their shapes.
struct GateGradients {
  Tensor<double> input, logits;
};

/// output_grad * act(logits) and output_grad * input * act'(logits), the latter
/// summed up over a head where logits are [B, S, H].
GateGradients GateGradient(
    const Tensor<double>& input, const Tensor<double>& logits,
    const Tensor<double>& output_grad,
    GateActivation activation = GateActivation::kSigmoid);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_GATE_H_
