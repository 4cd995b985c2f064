//===- Gate.cc - scaling by an activation of gate logits ------------------===//
//
//   out = x * act(logits),  act = sigmoid | (tanh + 1) / 2 | z * sigmoid(z)
//   dx = dout * act(logits),  dlogits = dout * x * act'(logits)
//
//===----------------------------------------------------------------------===//

#include "test/reference/Gate.h"

#include <cmath>

#include "test/reference/Math.h"

namespace gsa::reference {

double Activate(GateActivation activation, double x) {
  switch (activation) {
    case GateActivation::kSigmoid:
      break;
    case GateActivation::kTanh:
      return (std::tanh(x) + 1.0) / 2.0;
    case GateActivation::kSilu:
      return x * Sigmoid(x);
  }
  return Sigmoid(x);
}

double ActivateSlope(GateActivation activation, double x) {
  switch (activation) {
    case GateActivation::kSigmoid:
      break;
    case GateActivation::kTanh: {
      double cosh = std::cosh(x);
      return 0.5 / (cosh * cosh);
    }
    case GateActivation::kSilu:
      return Sigmoid(x) * (1.0 + x * Sigmoid(-x));
  }
  return Sigmoid(x) * Sigmoid(-x);
}

/// How many elements of the input one logit gates. Throws unless shapes fit.
static int64_t ElementsPerLogit(const Tensor<double>& input,
                                const Tensor<double>& logits) {
  RequireRank("gate input", input, 4);
  const Shape& shape = input.shape();
  bool per_head = logits.rank() == 3;
  if (per_head) {
    RequireShape("gate logits", logits, {shape[0], shape[1], shape[2]});
  } else {
    RequireShape("gate logits", logits, shape);
  }
  return per_head ? shape[3] : 1;
}

GateGradients GateGradient(const Tensor<double>& input,
                           const Tensor<double>& logits,
                           const Tensor<double>& output_grad,
                           GateActivation activation) {
  int64_t elements_per_logit = ElementsPerLogit(input, logits);
  RequireShape("output_grad", output_grad, input.shape());
  GateGradients result{Tensor<double>(input.shape()),
                       Tensor<double>(logits.shape())};
  for (int64_t i = 0; i < input.size(); ++i) {
    int64_t logit = i / elements_per_logit;
    double z = logits[logit];
    result.input[i] = output_grad[i] * Activate(activation, z);
    result.logits[logit] +=
        output_grad[i] * input[i] * ActivateSlope(activation, z);
  }
  return result;
}

Tensor<double> Gate(const Tensor<double>& input, const Tensor<double>& logits,
                    GateActivation activation) {
  int64_t elements_per_logit = ElementsPerLogit(input, logits);
  Tensor<double> output(input.shape());
  for (int64_t i = 0; i < input.size(); ++i) {
    output[i] = input[i] * Activate(activation, logits[i / elements_per_logit]);
  }
  return output;
}

}  // namespace gsa::reference
