//===- Gate.cc - scaling by an activation of gate logits ------------------===//
//
//   out = x * act(logits),  act = sigmoid | (tanh + 1) / 2 | z * sigmoid(z)
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

Tensor<double> Gate(const Tensor<double>& input, const Tensor<double>& logits,
                    GateActivation activation) {
  RequireRank("gate input", input, 4);
  const Shape& shape = input.shape();
  bool per_head = logits.rank() == 3;
  if (per_head) {
    RequireShape("gate logits", logits, {shape[0], shape[1], shape[2]});
  } else {
    RequireShape("gate logits", logits, shape);
  }
  Tensor<double> output(shape);
  int64_t elements_per_logit = per_head ? shape[3] : 1;
  for (int64_t i = 0; i < input.size(); ++i) {
    output[i] = input[i] * Activate(activation, logits[i / elements_per_logit]);
  }
  return output;
}

}  // namespace gsa::reference
