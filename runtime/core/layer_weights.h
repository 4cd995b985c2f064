// -----------------------------------------------------------------------------
// File: layer_weights.h
// -----------------------------------------------------------------------------
//
// The parameters of the published GSA layer under their state-dict names, and
// two ways to fill them without a checkpoint: the layer's own initialisation
// and the closed-form pattern of the conformance vector.

#ifndef GSA_RUNTIME_CORE_LAYER_WEIGHTS_H_
#define GSA_RUNTIME_CORE_LAYER_WEIGHTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/core/tensor.h"

namespace gsa {

// The defaults are those of the published layer.
struct LayerDims {
  int64_t d_model = 4096;
  int64_t num_heads = 32;
  int64_t num_kv_heads = 8;
  int64_t head_dim = 128;
  int64_t index_heads = 4;
  int64_t index_dim = 64;
  int64_t num_layers = 32;  // of the model; scales the output projection
};

struct LayerParameter {
  enum class Init { kXavier, kConstant };

  std::string name;
  std::vector<int64_t> shape;  // weights are [out, in]
  Init init;
  // The gain of a Xavier-uniform weight, or the constant.
  double value;
};

// The 13 parameters in alphabetical order of their names. InvalidArgument if a
// dimension is not positive or num_heads is no multiple of num_kv_heads.
absl::StatusOr<std::vector<LayerParameter>> LayerParameters(
    const LayerDims& dims);

// The initial weights, f32, in the order of LayerParameters(). Xavier uniform
// is U(-a, a) with a = gain sqrt(6 / (in + out)).
absl::StatusOr<std::vector<HostTensor>> InitLayerWeights(const LayerDims& dims,
                                                         uint64_t seed);

// f64: element n of parameter i is 0.8 sin((0.7 + 0.1 i) n + 0.3 i).
absl::StatusOr<std::vector<HostTensor>> ConformanceWeights(
    const LayerDims& dims);

// f64: element n is sin(1.3 n + 0.2).
absl::StatusOr<HostTensor> ConformanceInput(std::string name,
                                            std::vector<int64_t> shape);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_LAYER_WEIGHTS_H_
