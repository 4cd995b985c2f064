//===- gradients_testing.h - compiled gradients -----------------*- C++ -*-===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_GRADIENTS_TESTING_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_GRADIENTS_TESTING_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "test/unit/differential/Data.h"
#include "test/unit/differential/Runner.h"

namespace gsa::differential {

/// By loops or by definition; loops of a plan for bounds.
enum class Form { kLoops, kDefinition, kBounds };

inline HostTensor ToHost32(const std::string& name,
                           const reference::Tensor<int32_t>& values) {
  HostTensor tensor = *HostTensor::Create(name, DType::kI32, values.shape());
  std::copy_n(values.data(), values.size(),
              static_cast<int32_t*>(tensor.raw_data()));
  return tensor;
}

inline Tensors RunPlan(const std::shared_ptr<const Plan>& plan,
                       const Tensors& inputs, int threads = 1) {
  if (!plan) return {};
  auto outputs = Run(*plan, inputs, threads, /*garbage=*/0xA5);
  EXPECT_TRUE(outputs.ok()) << outputs.status();
  return outputs.ok() ? *std::move(outputs) : Tensors{};
}

/// NaN where the reference has it, and everything else close to it: within
/// `tolerance` of the largest element, or of `least`, the size of the terms of
/// sums that cancel.
inline void ExpectClose(
    const Tensors& outputs,
    const std::map<std::string, reference::Tensor<double>>& reference,
    double tolerance, double least = 0.0) {
  for (const auto& [name, want] : reference) {
    reference::Tensor<double> got = AsDouble(outputs.at(name));
    ASSERT_EQ(got.shape(), want.shape()) << name;
    double largest = least;
    for (double x : want.values())
      if (!std::isnan(x)) largest = std::max(largest, std::abs(x));
    for (int64_t i = 0; i < want.size(); ++i) {
      EXPECT_EQ(std::isnan(got[i]), std::isnan(want[i])) << name << " " << i;
      if (std::isnan(want[i])) continue;
      EXPECT_NEAR(got[i], want[i], tolerance * largest) << name << " " << i;
    }
  }
}

/// Runs a plan for bounds, and the plan `like` for the sizes of `inputs`, and
/// expects the same bits.
inline void ExpectSameOfBounds(const std::shared_ptr<const Plan>& plan,
                               const std::shared_ptr<const Plan>& like,
                               const Tensors& inputs) {
  ASSERT_TRUE(plan && like);
  Tensors expected = RunPlan(like, inputs);
  Tensors outputs;
  std::vector<TensorView> arguments;
  for (const TensorSpec& spec : plan->inputs())
    arguments.push_back(inputs.at(spec.name).view());
  std::vector<MutableTensorView> results;
  for (const TensorSpec& spec : like->outputs()) {
    outputs[spec.name] = *HostTensor::Create(spec.name, spec.dtype, spec.shape);
    HostTensor& tensor = outputs[spec.name];
    results.push_back({tensor.dtype(), tensor.shape(), tensor.raw_data()});
  }
  HostTensor workspace =
      *HostTensor::Create("workspace", DType::kU8, {plan->workspace_bytes()});
  auto status =
      plan->Run(arguments, results,
                absl::MakeSpan(static_cast<char*>(workspace.raw_data()),
                               workspace.byte_size()),
                {});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(FirstDifference(expected, outputs), "");
}

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_GRADIENTS_TESTING_H_
