//===- layer_testing.h - the small layer as a plan --------------*- C++ -*-===//
//
// examples/gsa_layer_conformance.mlir with changes of its text, compiled and
// run on the closed-form weights of the conformance vector.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_LAYER_TESTING_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_LAYER_TESTING_H_

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "runtime/core/layer_weights.h"
#include "test/unit/differential/Data.h"
#include "test/unit/differential/Runner.h"

namespace gsa::differential {

/// The environment variable GSA_EXAMPLES_DIR is for test programs that were
/// copied to another machine.
inline std::string ConformanceText() {
  const char* elsewhere = std::getenv("GSA_EXAMPLES_DIR");
  std::string folder = elsewhere == nullptr ? GSA_EXAMPLES_DIR : elsewhere;
  std::ifstream file(folder + "/gsa_layer_conformance.mlir");
  std::stringstream text;
  text << file.rdbuf();
  if (text.str().empty()) throw std::runtime_error("no example module");
  return text.str();
}

/// Replaces every `from`; throws if there is none.
inline std::string Replaced(std::string text, const std::string& from,
                            const std::string& to) {
  size_t at = text.find(from), found = 0;
  for (; at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
    ++found;
  }
  if (found == 0) throw std::runtime_error("no '" + from + "' in the module");
  return text;
}

inline const char kAdaptivePolicy[] =
    "<upstream_variance, base = 3, min = 1, max = 4>";

/// The layer under a policy with `slots` index slots.
inline std::string WithPolicy(const std::string& policy, int slots) {
  return Replaced(Replaced(ConformanceText(), kAdaptivePolicy, policy),
                  "tensor<?x?x4xi32>",
                  "tensor<?x?x" + std::to_string(slots) + "xi32>");
}

/// The layer's plan for one batch and length, and its inputs.
struct LayerProgram {
  LayerProgram(const std::string& text, int64_t batch, int64_t length,
               CompileOptions options = {}) {
    options.shapes["hidden_states"] = {batch, length, 8};
    options.opt_level = 1;
    auto compiled = Plan::Compile(text, "layer.mlir", options);
    if (!compiled.ok()) throw std::runtime_error(compiled.status().ToString());
    plan = *compiled;
    LayerDims dims;
    dims.d_model = 8;
    dims.num_heads = 4;
    dims.num_kv_heads = 2;
    dims.head_dim = 2;
    dims.index_heads = 2;
    dims.index_dim = 4;
    std::vector<HostTensor> weights = ConformanceWeights(dims).value();
    for (HostTensor& weight : weights) {
      std::string name = weight.name();
      inputs[name] = std::move(weight);
    }
    inputs["hidden_states"] =
        ConformanceInput("hidden_states", {batch, length, 8}).value();
    for (const TensorSpec& spec : plan->inputs()) {
      HostTensor& input = inputs.at(spec.name);
      input = input.ConvertTo(spec.dtype).value();
    }
  }

  Tensors Run(int threads = 1) const {
    auto outputs = differential::Run(*plan, inputs, threads);
    if (!outputs.ok()) throw std::runtime_error(outputs.status().ToString());
    return *std::move(outputs);
  }
  absl::Span<double> hidden() {
    return inputs.at("hidden_states").values<double>();
  }

  std::shared_ptr<const Plan> plan;
  Tensors inputs;
};

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_LAYER_TESTING_H_
