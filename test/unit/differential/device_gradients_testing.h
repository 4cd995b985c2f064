//===- device_gradients_testing.h - kernels of gradients --------*- C++ -*-===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_DEVICE_GRADIENTS_TESTING_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_DEVICE_GRADIENTS_TESTING_H_

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "test/unit/differential/DeviceCase.h"
#include "test/unit/differential/Session.h"
#include "test/unit/differential/Summary.h"
#include "test/unit/differential/gradients_testing.h"

namespace gsa::differential {

inline bool IsEmulated(const char* target) {
  return std::strcmp(target, "emu") == 0;
}

/// A device's context goes with its last plan, and takes longer to make than a
/// case: so the last one stays. For ever, since a driver may be gone before
/// static objects are.
inline void KeepContextOf(const std::shared_ptr<const Plan>& plan) {
  static auto* kept = new std::shared_ptr<const Plan>;
  *kept = plan;
}

/// The module of these inputs for a device, or its emulation.
inline std::shared_ptr<const Plan> CompileGradientsFor(
    const char* target, const std::string& text, const GradientInputs& inputs) {
  CompileOptions options;
  if (!IsEmulated(target)) options = OptionsFor(target);
  options.shapes = inputs.shapes;
  options.target = target;
  if (IsEmulated(target)) options.arch = EmulationScale().arch;
  auto plan = Plan::Compile(text, "gradients.mlir", options);
  EXPECT_TRUE(plan.ok()) << plan.status();
  if (!plan.ok()) return nullptr;
  KeepContextOf(*plan);
  return *plan;
}

/// Runs twice, with garbage in results and workspace: outputs are those of the
/// reference, and the same bits but for `unordered`, which are sums in no
/// order.
inline void ExpectAgrees(
    const char* target, const std::string& text, const GradientInputs& inputs,
    const std::map<std::string, reference::Tensor<double>>& reference,
    double tolerance, const std::vector<const char*>& unordered) {
  auto plan = CompileGradientsFor(target, text, inputs);
  ASSERT_TRUE(plan);
  auto session = Session::Create(target, plan, inputs.tensors);
  ASSERT_TRUE(session.ok()) << session.status();
  auto outputs = (*session)->Run(0xA5), again = (*session)->Run(0x17);
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  ASSERT_TRUE(again.ok()) << again.status();
  ExpectClose(*outputs, reference, tolerance, 1.0);
  Summary::Get().AddSchedules(text, 1);
  for (const char* name : unordered) {
    outputs->erase(name);
    again->erase(name);
  }
  EXPECT_EQ(FirstDifference(*outputs, *again), "");
}

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_DEVICE_GRADIENTS_TESTING_H_
