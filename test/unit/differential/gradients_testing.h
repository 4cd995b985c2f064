//===- gradients_testing.h - compiled gradients -----------------*- C++ -*-===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_GRADIENTS_TESTING_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_GRADIENTS_TESTING_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "test/unit/differential/Data.h"
#include "test/unit/differential/Runner.h"
#include "test/unit/reference_testing.h"

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

/// Inputs of a module with dynamic sizes, as their types hold them, and the
/// shapes that a plan for them has.
class GradientInputs {
 public:
  Tensors tensors;
  std::map<std::string, std::vector<int64_t>> shapes;

  void SetNan(const char* name, int64_t i) {
    HostTensor& tensor = tensors.at(name);
    reference::Tensor<double> values = AsDouble(tensor);
    values[i] = std::numeric_limits<double>::quiet_NaN();
    tensor = ToHost(name, tensor.dtype(), values);
  }

 protected:
  explicit GradientInputs(uint32_t seed) : generator_(seed) {}

  void Add(const char* name, DType type,
           const reference::Tensor<double>& values) {
    tensors[name] = ToHost(name, type, values);
    shapes[name] = values.shape();
  }
  void AddRandom(const char* name, DType type, const reference::Shape& shape) {
    Add(name, type, reference::Random(shape, &generator_));
  }
  void AddInts(const char* name, const reference::Shape& shape, int64_t low,
               int64_t high) {
    reference::Tensor<int32_t> values(shape);
    for (int32_t& x : values.values())
      x = reference::RandomInt(low, high, &generator_);
    tensors[name] = ToHost32(name, values);
    shapes[name] = shape;
  }
  /// "indices", "counts" and "lengths": entries that are no keys, counts below
  /// zero and above the slots, garbage behind them, which must not be read.
  void AddLists(int64_t batch, int64_t queries, int64_t keys, int64_t slots) {
    AddInts("indices", {batch, queries, slots}, -1, keys);
    AddInts("counts", {batch, queries}, -1, slots + 1);
    AddInts("lengths", {batch}, 0, keys + 1);
    auto* indices = static_cast<int32_t*>(tensors["indices"].raw_data());
    auto* counts = static_cast<int32_t*>(tensors["counts"].raw_data());
    for (int64_t i = 0; i < batch * queries * slots; ++i)
      if (i % slots >= counts[i / slots])
        indices[i] = std::numeric_limits<int32_t>::min();
  }

 private:
  std::mt19937 generator_;
};

/// The module of these inputs, for `threads` threads at most.
inline std::shared_ptr<const Plan> CompileGradients(
    const std::string& text, const GradientInputs& inputs, int threads,
    Form form) {
  CompileOptions options;
  (form == Form::kBounds ? options.bounds : options.shapes) = inputs.shapes;
  options.reference = form == Form::kDefinition;
  options.num_threads = threads;
  options.opt_level = 1;
  auto plan = Plan::Compile(text, "gradients.mlir", options);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? *plan : nullptr;
}

inline Tensors RunPlan(const std::shared_ptr<const Plan>& plan,
                       const Tensors& inputs, int threads = 1) {
  if (!plan) return {};
  auto outputs = Run(*plan, inputs, threads, /*garbage=*/0xA5);
  EXPECT_TRUE(outputs.ok()) << outputs.status();
  return outputs.ok() ? *std::move(outputs) : Tensors{};
}

/// Expects the bits of `one` of a plan for 5 threads, by any number of them.
inline void ExpectSameOnThreads(const Tensors& one,
                                const std::shared_ptr<const Plan>& plan,
                                const Tensors& inputs) {
  for (int threads : {1, 3, 5})
    EXPECT_EQ(FirstDifference(one, RunPlan(plan, inputs, threads)), "")
        << threads << " threads";
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
