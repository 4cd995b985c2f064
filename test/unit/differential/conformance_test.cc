//===- conformance_test.cc - the conformance vector through plans ---------===//
//
// docs/spec.md, "Conformance vector": what the published layer gives in f64.
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include "test/unit/differential/conformance_testing.h"

namespace gsa::differential {
namespace {

struct Way {
  bool reference;
  int threads;
};

class Conformance : public ::testing::TestWithParam<Way> {
 protected:
  Tensors RunLayer(const std::string& text) const {
    CompileOptions options;
    options.reference = GetParam().reference;
    options.num_threads = GetParam().threads;
    return LayerProgram(text, 1, 6, options).Run(GetParam().threads);
  }
};

INSTANTIATE_TEST_SUITE_P(
    Ways, Conformance,
    ::testing::Values(Way{false, 1}, Way{false, 2}, Way{true, 1}, Way{true, 2}),
    [](const ::testing::TestParamInfo<Way>& info) {
      return std::string(info.param.reference ? "Reference" : "Optimised") +
             std::to_string(info.param.threads);
    });

// The published rotary table is in f32: y[5] differs by up to 7e-9.
TEST_P(Conformance, AdaptiveF64) {
  ExpectAdaptive(RunLayer(ConformanceText()), 1e-8);
}
TEST_P(Conformance, FixedF64) {
  ExpectFixed(RunLayer(WithPolicy("<fixed, base = 3>", 3)), 1e-8);
}
TEST_P(Conformance, AdaptiveF32) {
  ExpectAdaptive(RunLayer(Replaced(ConformanceText(), "f64", "f32")), 1e-6);
}
TEST_P(Conformance, FixedF32) {
  ExpectFixed(
      RunLayer(Replaced(WithPolicy("<fixed, base = 3>", 3), "f64", "f32")),
      1e-6);
}

}  // namespace
}  // namespace gsa::differential
