//===- conformance_test.cc - the conformance vector through plans ---------===//
//
// docs/spec.md, "Conformance vector": what the published layer gives in f64.
//
//===----------------------------------------------------------------------===//

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/differential/Testing.h"
#include "test/unit/differential/layer_testing.h"

namespace gsa::differential {
namespace {

using ::testing::ElementsAre;

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

  static void ExpectRow(const Tensors& outputs, int64_t t,
                        const std::vector<double>& expected, double tolerance) {
    TensorView view = outputs.at("output").view();
    for (size_t m = 0; m < expected.size(); ++m) {
      EXPECT_NEAR(ElementAsDouble(view, t * 8 + m), expected[m], tolerance)
          << "y[" << t << "][" << m << "]";
    }
  }
  static std::vector<std::vector<int32_t>> Lists(const Tensors& outputs) {
    std::vector<std::vector<int32_t>> lists;
    for (int64_t t = 0; t < 6; ++t) lists.push_back(Keys(outputs, 0, t));
    return lists;
  }

  static void ExpectAdaptive(const Tensors& outputs, double tolerance) {
    EXPECT_THAT(outputs.at("counts").values<int32_t>(),
                ElementsAre(1, 2, 2, 2, 3, 4));
    EXPECT_THAT(outputs.at("status").values<int32_t>(),
                ElementsAre(0, 0, 0, 0, 0, 0));
    EXPECT_THAT(Lists(outputs),
                ElementsAre(ElementsAre(0), ElementsAre(0, 1),
                            ElementsAre(0, 2), ElementsAre(1, 3),
                            ElementsAre(1, 3, 4), ElementsAre(0, 2, 3, 5)));
    ExpectRow(outputs, 0,
              {0.451538244, -0.079354531, -0.362504959, 0.486073681,
               -0.182854407, -0.280916793, 0.498034204, -0.277861903},
              tolerance);
    ExpectRow(outputs, 5,
              {0.338122657, -0.416539543, 0.129221596, 0.271556981,
               -0.433899979, 0.215265134, 0.192379276, -0.431108625},
              tolerance);
  }
  static void ExpectFixed(const Tensors& outputs, double tolerance) {
    EXPECT_THAT(Lists(outputs),
                ElementsAre(ElementsAre(0), ElementsAre(0, 1),
                            ElementsAre(0, 1, 2), ElementsAre(0, 1, 3),
                            ElementsAre(1, 3, 4), ElementsAre(0, 2, 5)));
    ExpectRow(outputs, 5,
              {0.732968136, -0.398423145, -0.285949912, 0.719249943,
               -0.521025878, -0.134675312, 0.672127338, -0.619430399},
              tolerance);
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
