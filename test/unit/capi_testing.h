// -----------------------------------------------------------------------------
// File: capi_testing.h
// -----------------------------------------------------------------------------
//
// What the tests of the C API share: owners of its handles, options with
// shapes, what gsa_compile and gsa_check_support say of the same arguments, and
// a plan with its tensors.

#ifndef GSA_TEST_UNIT_CAPI_TESTING_H_
#define GSA_TEST_UNIT_CAPI_TESTING_H_

#include <gsa/gsa.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace capi_testing {

struct PlanRelease {
  void operator()(gsa_plan* plan) const { gsa_plan_release(plan); }
};
using PlanPtr = std::unique_ptr<gsa_plan, PlanRelease>;

struct Free {
  void operator()(void* memory) const { gsa_free(memory); }
};
using Memory = std::unique_ptr<void, Free>;

struct Error {
  gsa_code code = GSA_OK;
  std::string message;
};

// Reads a status and destroys it.
inline Error Take(gsa_status* status) {
  Error error{gsa_status_code(status), gsa_status_message(status)};
  gsa_status_destroy(status);
  return error;
}

#define EXPECT_OK(expr)                                        \
  do {                                                         \
    ::capi_testing::Error error_ = ::capi_testing::Take(expr); \
    EXPECT_EQ(error_.code, GSA_OK) << error_.message;          \
  } while (false)
#define ASSERT_OK(expr)                                        \
  do {                                                         \
    ::capi_testing::Error error_ = ::capi_testing::Take(expr); \
    ASSERT_EQ(error_.code, GSA_OK) << error_.message;          \
  } while (false)

inline void ExpectInvalid(gsa_status* status,
                          const testing::Matcher<std::string>& matcher) {
  Error error = Take(status);
  EXPECT_EQ(error.code, GSA_INVALID_ARGUMENT) << error.message;
  EXPECT_THAT(error.message, matcher);
}

using Shapes = std::map<std::string, std::vector<int64_t>>;

// Compile options with shapes; owns what they point to.
struct Options {
  explicit Options(const Shapes& by_name = {}) : shapes(by_name) {
    value.struct_size = sizeof(value);
    value.num_threads = 2;
    for (const auto& [name, sizes] : shapes) {
      gsa_named_shape shape = {};
      shape.struct_size = sizeof(shape);
      shape.name = name.c_str();
      shape.sizes = sizes.data();
      shape.rank = static_cast<int64_t>(sizes.size());
      named.push_back(shape);
    }
    value.shapes = named.data();
    value.num_shapes = named.size();
  }
  Options(const Options&) = delete;

  Shapes shapes;
  std::vector<gsa_named_shape> named;
  gsa_compile_options value = {};
};

inline gsa_status* TryCompile(const std::string& text, const Options& options,
                              PlanPtr* plan) {
  gsa_plan* raw = nullptr;
  gsa_status* status =
      gsa_compile(text.data(), text.size(), "test.mlir", &options.value, &raw);
  plan->reset(raw);
  EXPECT_EQ(status == nullptr, raw != nullptr);
  return status;
}

inline PlanPtr Compile(const std::string& text, const Options& options) {
  PlanPtr plan;
  EXPECT_OK(TryCompile(text, options, &plan));
  return plan;
}

// Why gsa_compile refuses the arguments; of code GSA_OK where it does not.
inline Error CompileError(const std::string& text,
                          const Options& options = Options()) {
  PlanPtr plan;
  return Take(TryCompile(text, options, &plan));
}

// The reasons of gsa_check_support.
inline std::vector<Error> Reasons(const std::string& text,
                                  const Options& options = Options()) {
  gsa_support* support = nullptr;
  std::vector<Error> reasons;
  EXPECT_OK(gsa_check_support(text.data(), text.size(), "test.mlir",
                              &options.value, &support));
  for (size_t i = 0; i < gsa_support_num_reasons(support); ++i) {
    reasons.push_back(
        {gsa_support_code(support, i), gsa_support_reason(support, i)});
  }
  EXPECT_EQ(gsa_support_reason(support, reasons.size()), nullptr);
  gsa_support_destroy(support);
  return reasons;
}

// The message of a text that both refuse as the caller's mistake.
inline std::string Refusal(const std::string& text,
                           const Options& options = Options()) {
  const Error error = CompileError(text, options);
  EXPECT_EQ(error.code, GSA_INVALID_ARGUMENT) << text.substr(0, 200) << "\n"
                                              << error.message;
  const std::vector<Error> reasons = Reasons(text, options);
  EXPECT_EQ(reasons.size(), 1u) << error.message;
  for (const Error& reason : reasons) {
    EXPECT_EQ(reason.code, GSA_INVALID_ARGUMENT) << reason.message;
    EXPECT_EQ(reason.message, error.message);
  }
  return error.message;
}

// ---- A plan to run ----------------------------------------------------------

// A gate with a head dimension of 3, so that a vector loop has a remainder.
inline const char kGate[] = R"mlir(
func.func @main(%x: tensor<1x?x2x3xf32> {gsa.name = "x"},
                %logits: tensor<1x?x2x3xf32>)
    -> (tensor<1x?x2x3xf32> {gsa.name = "y"}) {
  %y = gsa.gate %x, %logits
      : (tensor<1x?x2x3xf32>, tensor<1x?x2x3xf32>) -> tensor<1x?x2x3xf32>
  return %y : tensor<1x?x2x3xf32>
}
)mlir";
inline const int64_t kTokens = 5;
inline const std::vector<int64_t> kGateShape = {1, kTokens, 2, 3};
inline const size_t kGateElements = kTokens * 2 * 3;

// Everything that a run of a plan needs, allocated and filled.
struct Buffers {
  explicit Buffers(const gsa_plan* plan, uint32_t seed = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (size_t i = 0; i < gsa_plan_num_inputs(plan); ++i) {
      gsa_tensor_info info = {};
      info.struct_size = sizeof(info);
      EXPECT_OK(gsa_plan_input(plan, i, &info));
      EXPECT_EQ(info.dtype, GSA_F32);
      inputs.push_back(Tensor(info));
      input_names.push_back(info.name);
      float* data = static_cast<float*>(inputs.back().data);
      for (size_t j = 0; j < info.bytes / 4; ++j) data[j] = normal(random);
    }
    for (size_t i = 0; i < gsa_plan_num_outputs(plan); ++i) {
      gsa_tensor_info info = {};
      info.struct_size = sizeof(info);
      EXPECT_OK(gsa_plan_output(plan, i, &info));
      outputs.push_back(Tensor(info));
      output_names.push_back(info.name);
      output_bytes.push_back(info.bytes);
      // Never read: what is not written shows.
      std::memset(outputs.back().data, 0xff, info.bytes);
    }
    workspace_bytes = gsa_plan_workspace_bytes(plan);
    memory.emplace_back(gsa_alloc(workspace_bytes));
    workspace = memory.back().get();
    std::memset(workspace, 0xff, workspace_bytes);
  }

  gsa_tensor Tensor(const gsa_tensor_info& info) {
    gsa_tensor tensor = {};
    tensor.struct_size = sizeof(tensor);
    memory.emplace_back(gsa_alloc(info.bytes));
    tensor.data = memory.back().get();
    tensor.device_type = GSA_DEVICE_CPU;
    tensor.rank = info.rank;
    tensor.dtype = info.dtype;
    tensor.shape = info.shape;
    return tensor;
  }

  gsa_status* Run(const gsa_plan* plan,
                  const gsa_run_options* options = nullptr) {
    return gsa_run(plan, inputs.data(), inputs.size(), outputs.data(),
                   outputs.size(), workspace, workspace_bytes, options);
  }

  gsa_status* RunNamed(const gsa_plan* plan) {
    return gsa_run_named(plan, input_names.data(), inputs.data(), inputs.size(),
                         output_names.data(), outputs.data(), outputs.size(),
                         workspace, workspace_bytes, nullptr);
  }

  std::string OutputBytes() const {
    std::string bytes;
    for (size_t i = 0; i < outputs.size(); ++i) {
      bytes.append(static_cast<const char*>(outputs[i].data), output_bytes[i]);
    }
    return bytes;
  }

  std::vector<Memory> memory;
  std::vector<gsa_tensor> inputs, outputs;
  std::vector<const char*> input_names, output_names;
  std::vector<size_t> output_bytes;
  void* workspace = nullptr;
  size_t workspace_bytes = 0;
};

inline void ExpectGate(const Buffers& buffers) {
  const float* x = static_cast<const float*>(buffers.inputs[0].data);
  const float* logits = static_cast<const float*>(buffers.inputs[1].data);
  const float* y = static_cast<const float*>(buffers.outputs[0].data);
  for (size_t i = 0; i < kGateElements; ++i) {
    double expected = x[i] / (1 + std::exp(-static_cast<double>(logits[i])));
    EXPECT_NEAR(y[i], expected, 1e-6 * std::abs(expected) + 1e-7) << i;
  }
}

// A compiled gate and its buffers, for tests that change one thing.
class CapiRun : public testing::Test {
 protected:
  void SetUp() override {
    plan = Compile(kGate, Options({{"x", kGateShape}, {"arg1", kGateShape}}));
    ASSERT_NE(plan, nullptr);
    buffers = std::make_unique<Buffers>(plan.get());
  }

  void ExpectRefused(const testing::Matcher<std::string>& matcher) {
    std::string before = buffers->OutputBytes();
    ExpectInvalid(buffers->Run(plan.get()), matcher);
    EXPECT_EQ(buffers->OutputBytes(), before);  // Nothing has run.
  }

  PlanPtr plan;
  std::unique_ptr<Buffers> buffers;
};

}  // namespace capi_testing

#endif  // GSA_TEST_UNIT_CAPI_TESTING_H_
