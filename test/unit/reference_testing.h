//===- reference_testing.h - helpers for tests of the reference -*- C++ -*-===//
//
// Random tensors and the layer of the conformance vector.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_UNIT_REFERENCE_TESTING_H_
#define GSA_TEST_UNIT_REFERENCE_TESTING_H_

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "test/reference/Layer.h"
#include "test/reference/Tensor.h"

namespace gsa::reference {

/// Normally distributed elements.
inline Tensor<double> Random(Shape shape, std::mt19937* generator,
                             double deviation = 1.0) {
  std::normal_distribution<double> normal(0.0, deviation);
  Tensor<double> tensor(std::move(shape));
  for (double& value : tensor.values()) value = normal(*generator);
  return tensor;
}

/// A uniform integer in [low, high].
inline int64_t RandomInt(int64_t low, int64_t high, std::mt19937* generator) {
  return std::uniform_int_distribution<int64_t>(low, high)(*generator);
}

/// 0, 1, ... for each of `batch` sequences.
inline Tensor<int64_t> Positions(int64_t batch, int64_t size,
                                 int64_t first = 0) {
  Tensor<int64_t> positions({batch, size});
  for (int64_t i = 0; i < positions.size(); ++i) {
    positions[i] = first + i % size;
  }
  return positions;
}

/// The kept keys of row (b, t).
inline std::vector<int32_t> Row(const SelectResult& selection, int64_t b,
                                int64_t t) {
  const int32_t* list = selection.indices.Slice(b, t);
  return std::vector<int32_t>(list, list + selection.counts.At(b, t));
}

/// The parameters of a layer, name -> shape, in alphabetical order.
inline std::map<std::string, Shape> ParameterShapes(
    int64_t model, int64_t heads, int64_t groups, int64_t depth,
    int64_t index_heads, int64_t index_depth) {
  return {{"indexer.bias", {index_heads}},
          {"indexer.k_proj.weight", {index_depth, model}},
          {"indexer.q_proj.weight", {index_heads * index_depth, model}},
          {"indexer.weight_proj.bias", {index_heads}},
          {"indexer.weight_proj.weight", {index_heads, model}},
          {"k_proj.weight", {groups * depth, model}},
          {"o_proj.weight", {model, heads * depth}},
          {"output_gate.gate_proj.bias", {heads * depth}},
          {"output_gate.gate_proj.weight", {heads * depth, model}},
          {"q_proj.weight", {heads * depth, model}},
          {"v_proj.weight", {groups * depth, model}},
          {"value_gate.gate_proj.bias", {groups * depth}},
          {"value_gate.gate_proj.weight", {groups * depth, model}}};
}

/// A layer with M = 8, H = 4, G = 2, D = 2, Hi = 2, Di = 4 whose parameter i
/// (alphabetically) has the flat element n = 0.8 sin((0.7 + 0.1 i) n + 0.3 i).
struct SineLayer {
  static constexpr int64_t kModel = 8;

  SineLayer() {
    config.num_heads = 4;
    config.num_kv_heads = 2;
    config.head_dim = 2;
    config.select.policy = {KPolicyKind::kUpstreamVariance, 3, 1, 4, 1.0};
    int i = 0;
    for (const auto& [name, shape] : ParameterShapes(kModel, 4, 2, 2, 2, 4)) {
      Tensor<double> parameter(shape);
      for (int64_t n = 0; n < parameter.size(); ++n) {
        parameter[n] = 0.8 * std::sin((0.7 + 0.1 * i) * n + 0.3 * i);
      }
      parameters[name] = std::move(parameter);
      ++i;
    }
  }

  /// Flat element n = sin(1.3 n + 0.2).
  static Tensor<double> Input(int64_t batch, int64_t size) {
    Tensor<double> input({batch, size, kModel});
    for (int64_t n = 0; n < input.size(); ++n) {
      input[n] = std::sin(1.3 * n + 0.2);
    }
    return input;
  }

  LayerConfig config;
  StateDict parameters;
};

}  // namespace gsa::reference

#endif  // GSA_TEST_UNIT_REFERENCE_TESTING_H_
