//===- conformance_testing.h - the conformance vector -----------*- C++ -*-===//
//
// docs/spec.md, "Conformance vector": what the published layer gives in f64.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_CONFORMANCE_TESTING_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_CONFORMANCE_TESTING_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "test/unit/differential/Testing.h"
#include "test/unit/differential/layer_testing.h"

namespace gsa::differential {

inline void ExpectRow(const Tensors& outputs, int64_t t,
                      const std::vector<double>& expected, double tolerance) {
  TensorView view = outputs.at("output").view();
  for (size_t m = 0; m < expected.size(); ++m) {
    EXPECT_NEAR(ElementAsDouble(view, t * 8 + m), expected[m], tolerance)
        << "y[" << t << "][" << m << "]";
  }
}
inline std::vector<std::vector<int32_t>> Lists(const Tensors& outputs) {
  std::vector<std::vector<int32_t>> lists;
  for (int64_t t = 0; t < 6; ++t) lists.push_back(Keys(outputs, 0, t));
  return lists;
}

inline void ExpectAdaptive(const Tensors& outputs, double tolerance) {
  EXPECT_THAT(outputs.at("counts").values<int32_t>(),
              ::testing::ElementsAre(1, 2, 2, 2, 3, 4));
  EXPECT_THAT(outputs.at("status").values<int32_t>(),
              ::testing::ElementsAre(0, 0, 0, 0, 0, 0));
  EXPECT_THAT(
      Lists(outputs),
      ::testing::ElementsAre(
          ::testing::ElementsAre(0), ::testing::ElementsAre(0, 1),
          ::testing::ElementsAre(0, 2), ::testing::ElementsAre(1, 3),
          ::testing::ElementsAre(1, 3, 4), ::testing::ElementsAre(0, 2, 3, 5)));
  ExpectRow(outputs, 0,
            {0.451538244, -0.079354531, -0.362504959, 0.486073681, -0.182854407,
             -0.280916793, 0.498034204, -0.277861903},
            tolerance);
  ExpectRow(outputs, 5,
            {0.338122657, -0.416539543, 0.129221596, 0.271556981, -0.433899979,
             0.215265134, 0.192379276, -0.431108625},
            tolerance);
}
inline void ExpectFixed(const Tensors& outputs, double tolerance) {
  EXPECT_THAT(
      Lists(outputs),
      ::testing::ElementsAre(
          ::testing::ElementsAre(0), ::testing::ElementsAre(0, 1),
          ::testing::ElementsAre(0, 1, 2), ::testing::ElementsAre(0, 1, 3),
          ::testing::ElementsAre(1, 3, 4), ::testing::ElementsAre(0, 2, 5)));
  ExpectRow(outputs, 5,
            {0.732968136, -0.398423145, -0.285949912, 0.719249943, -0.521025878,
             -0.134675312, 0.672127338, -0.619430399},
            tolerance);
}

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_CONFORMANCE_TESTING_H_
