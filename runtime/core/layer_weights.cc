// -----------------------------------------------------------------------------
// File: layer_weights.cc
// -----------------------------------------------------------------------------
//
// Built with -ffp-contract=off, like random.cc.

#include "runtime/core/layer_weights.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/core/random.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

absl::Status CheckDims(const LayerDims& dims) {
  const std::pair<const char*, int64_t> positive[] = {
      {"d_model", dims.d_model},           {"num_heads", dims.num_heads},
      {"num_kv_heads", dims.num_kv_heads}, {"head_dim", dims.head_dim},
      {"index_heads", dims.index_heads},   {"index_dim", dims.index_dim},
      {"num_layers", dims.num_layers}};
  // Far above any model; keeps products of two dimensions within int64.
  constexpr int64_t kMaxDim = int64_t{1} << 30;
  for (const auto& [name, value] : positive) {
    if (value < 1 || value > kMaxDim) {
      return absl::InvalidArgumentError(absl::StrCat(
          "layer: ", name, ": got ", value, ", expected 1 to ", kMaxDim));
    }
  }
  if (dims.num_heads % dims.num_kv_heads != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "layer: num_heads: got ", dims.num_heads,
        ", expected a multiple of num_kv_heads = ", dims.num_kv_heads));
  }
  return absl::OkStatus();
}

void FillXavier(double gain, uint64_t seed, HostTensor* tensor) {
  const auto fans =
      static_cast<double>(tensor->shape()[0] + tensor->shape()[1]);
  const double bound = gain * std::sqrt(6 / fans);
  const RandomStream stream(seed, absl::StrCat("weight.", tensor->name()));
  uint64_t n = 0;
  for (float& value : tensor->values<float>()) {
    value = static_cast<float>(bound * (2 * stream.Uniform(n++) - 1));
  }
}

}  // namespace

absl::StatusOr<std::vector<LayerParameter>> LayerParameters(
    const LayerDims& dims) {
  GSA_RETURN_IF_ERROR(CheckDims(dims));
  using Init = LayerParameter::Init;
  const int64_t model = dims.d_model;
  const int64_t query = dims.num_heads * dims.head_dim;
  const int64_t kv = dims.num_kv_heads * dims.head_dim;
  const int64_t index = dims.index_heads * dims.index_dim;
  const double attention_gain = std::sqrt(0.5);
  const double output_gain =
      1 / std::sqrt(2 * static_cast<double>(dims.num_layers));
  constexpr double kGateGain = 0.1;
  constexpr double kGateBias = 0.5;
  constexpr double kIndexWeightGain = 0.1;
  return std::vector<LayerParameter>{
      {"indexer.bias", {dims.index_heads}, Init::kConstant, 0},
      {"indexer.k_proj.weight", {dims.index_dim, model}, Init::kXavier, 1},
      {"indexer.q_proj.weight", {index, model}, Init::kXavier, 1},
      {"indexer.weight_proj.bias", {dims.index_heads}, Init::kConstant, 0},
      {"indexer.weight_proj.weight",
       {dims.index_heads, model},
       Init::kXavier,
       kIndexWeightGain},
      {"k_proj.weight", {kv, model}, Init::kXavier, attention_gain},
      {"o_proj.weight", {model, query}, Init::kXavier, output_gain},
      {"output_gate.gate_proj.bias", {query}, Init::kConstant, kGateBias},
      {"output_gate.gate_proj.weight",
       {query, model},
       Init::kXavier,
       kGateGain},
      {"q_proj.weight", {query, model}, Init::kXavier, attention_gain},
      {"v_proj.weight", {kv, model}, Init::kXavier, attention_gain},
      {"value_gate.gate_proj.bias", {kv}, Init::kConstant, kGateBias},
      {"value_gate.gate_proj.weight", {kv, model}, Init::kXavier, kGateGain},
  };
}

absl::StatusOr<std::vector<HostTensor>> InitLayerWeights(const LayerDims& dims,
                                                         uint64_t seed) {
  GSA_ASSIGN_OR_RETURN(std::vector<LayerParameter> parameters,
                       LayerParameters(dims));
  std::vector<HostTensor> weights;
  for (LayerParameter& parameter : parameters) {
    GSA_ASSIGN_OR_RETURN(
        HostTensor tensor,
        HostTensor::Create(parameter.name, DType::kF32, parameter.shape));
    if (parameter.init == LayerParameter::Init::kXavier) {
      FillXavier(parameter.value, seed, &tensor);
    } else {
      for (float& value : tensor.values<float>()) {
        value = static_cast<float>(parameter.value);
      }
    }
    weights.push_back(std::move(tensor));
  }
  return weights;
}

absl::StatusOr<std::vector<HostTensor>> ConformanceWeights(
    const LayerDims& dims) {
  GSA_ASSIGN_OR_RETURN(std::vector<LayerParameter> parameters,
                       LayerParameters(dims));
  std::vector<HostTensor> weights;
  for (size_t i = 0; i < parameters.size(); ++i) {
    GSA_ASSIGN_OR_RETURN(HostTensor tensor,
                         HostTensor::Create(parameters[i].name, DType::kF64,
                                            parameters[i].shape));
    const double frequency = 0.7 + 0.1 * static_cast<double>(i);
    const double phase = 0.3 * static_cast<double>(i);
    double n = 0;
    for (double& value : tensor.values<double>()) {
      value = 0.8 * std::sin(frequency * n++ + phase);
    }
    weights.push_back(std::move(tensor));
  }
  return weights;
}

absl::StatusOr<HostTensor> ConformanceInput(std::string name,
                                            std::vector<int64_t> shape) {
  GSA_ASSIGN_OR_RETURN(
      HostTensor tensor,
      HostTensor::Create(std::move(name), DType::kF64, std::move(shape)));
  double n = 0;
  for (double& value : tensor.values<double>()) {
    value = std::sin(1.3 * n++ + 0.2);
  }
  return tensor;
}

}  // namespace gsa
