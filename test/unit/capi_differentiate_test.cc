// -----------------------------------------------------------------------------
// File: capi_differentiate_test.cc
// -----------------------------------------------------------------------------

#include <gsa/gsa.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/unit/capi_testing.h"

namespace {

using capi_testing::Error;
using capi_testing::Take;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kModule[] = R"mlir(
func.func @f(%x: tensor<2xf32> {gsa.name = "x"},
             %w: tensor<2xf32> {gsa.name = "w"})
    -> (tensor<2xf32> {gsa.name = "y"}) {
  %e = math.exp %x : tensor<2xf32>
  %y = arith.mulf %e, %w : tensor<2xf32>
  return %y : tensor<2xf32>
}
)mlir";

gsa_differentiate_options Options() {
  gsa_differentiate_options options = {};
  options.struct_size = sizeof(options);
  return options;
}

// The module with the backward function, or the message of the error.
std::string Differentiate(const std::string& text,
                          const gsa_differentiate_options* options) {
  char* module = nullptr;
  size_t length = 1;
  gsa_status* status = gsa_differentiate(text.data(), text.size(), "f.mlir",
                                         options, &module, &length);
  if (status != nullptr) {
    EXPECT_EQ(module, nullptr);
    EXPECT_EQ(length, 0u);
    return Take(status).message;
  }
  std::string result(module, length);
  EXPECT_EQ(module[length], '\0');
  gsa_free(module);
  return result;
}

TEST(CapiDifferentiate, MakesABackwardFunctionThatRuns) {
  const std::string text = Differentiate(kModule, nullptr);
  EXPECT_THAT(text, AllOf(HasSubstr("@f_backward("), HasSubstr("\"x_grad\""),
                          HasSubstr("\"w_grad\"")));
  gsa_compile_options options = {};
  options.struct_size = sizeof(options);
  options.entry = "f_backward";
  gsa_plan* plan = nullptr;
  ASSERT_OK(gsa_compile(text.data(), text.size(), "f.mlir", &options, &plan));
  EXPECT_EQ(gsa_plan_num_inputs(plan), 3u);
  EXPECT_EQ(gsa_plan_num_outputs(plan), 2u);
  gsa_plan_release(plan);
}

TEST(CapiDifferentiate, DoesWhatItIsTold) {
  gsa_differentiate_options options = Options();
  const char* inputs[] = {"w"};
  const char* outputs[] = {"y"};
  options.function = "f";
  options.inputs = inputs;
  options.num_inputs = 1;
  options.outputs = outputs;
  options.num_outputs = 1;
  options.save = "all";
  const std::string text = Differentiate(kModule, &options);
  EXPECT_THAT(text, AllOf(HasSubstr("@f_forward("), HasSubstr("\"saved0\""),
                          HasSubstr("\"w_grad\""),
                          testing::Not(HasSubstr("\"x_grad\""))));
}

// Each way of saving saves what the one before it does, and more.
TEST(CapiDifferentiate, SavesMoreAndMore) {
  const std::string text = R"mlir(
!h = tensor<1x4x2x4xf32>
func.func @f(%iq: !h, %ik: tensor<1x4x4xf32>, %q: !h, %k: tensor<1x4x1x4xf32>)
    -> !h {
  %i:3 = gsa.select %iq, %ik policy <fixed, base = 2>
      : (!h, tensor<1x4x4xf32>)
      -> (tensor<1x4x2xi32>, tensor<1x4xi32>, tensor<1x4xi32>)
  %o:2 = gsa.gather_attention %q, %k, %k indices %i#0, %i#1
      : (!h, tensor<1x4x1x4xf32>, tensor<1x4x1x4xf32>, tensor<1x4x2xi32>,
         tensor<1x4xi32>) -> (!h, tensor<1x2x4xf32>)
  %e = math.exp %o#0 : !h
  %y = math.tanh %e : !h
  return %y : !h
}
)mlir";
  gsa_differentiate_options options = Options();
  std::vector<int> saved;
  for (const char* save : {"none", "lists", "attention", "all"}) {
    options.save = save;
    const std::string module = Differentiate(text, &options);
    EXPECT_THAT(module, HasSubstr("@f_backward(")) << save;
    int count = 0;
    while (module.find("\"saved" + std::to_string(count) + "\"") !=
           std::string::npos) {
      ++count;
    }
    saved.push_back(count);
  }
  // Indices and counts; output and lse; the exponential.
  EXPECT_THAT(saved, testing::ElementsAre(0, 2, 4, 5));
}

TEST(CapiDifferentiate, RefusesWhatIsWrong) {
  gsa_differentiate_options options = Options();
  const char* names[] = {"v", nullptr};
  options.inputs = names;
  options.num_inputs = 1;
  EXPECT_THAT(Differentiate(kModule, &options),
              HasSubstr("option 'inputs' names arguments of "));
  options.num_inputs = 2;
  EXPECT_THAT(Differentiate(kModule, &options),
              HasSubstr("inputs[1]: got a null pointer"));
  options = Options();
  options.num_outputs = 1;
  EXPECT_THAT(Differentiate(kModule, &options),
              HasSubstr("outputs: got a null pointer"));
  options = Options();
  options.save = "some";
  EXPECT_THAT(Differentiate(kModule, &options),
              HasSubstr("save: got 'some', expected none, lists, attention or "
                        "all"));
  options = Options();
  options.function = "g";
  EXPECT_THAT(Differentiate(kModule, &options), HasSubstr("'g'"));
  options.struct_size = 4;
  EXPECT_THAT(Differentiate(kModule, &options), HasSubstr("struct_size"));
  EXPECT_THAT(Differentiate("func", nullptr), HasSubstr("f.mlir:1:"));
  size_t length = 0;
  EXPECT_THAT(Take(gsa_differentiate(kModule, sizeof(kModule) - 1, nullptr,
                                     nullptr, nullptr, &length))
                  .message,
              HasSubstr("module: got a null pointer"));
}

TEST(CapiDifferentiate, NamesAnOperationWithoutAGradient) {
  char* module = nullptr;
  size_t length = 0;
  const std::string text = R"mlir(
func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = math.powf %x, %x : tensor<2xf32>
  return %y : tensor<2xf32>
}
)mlir";
  const Error error = Take(gsa_differentiate(text.data(), text.size(), "f.mlir",
                                             nullptr, &module, &length));
  EXPECT_EQ(error.code, GSA_UNIMPLEMENTED);
  EXPECT_THAT(error.message,
              HasSubstr("f.mlir:3:8: error: 'math.powf' op has no gradient"));
  // An argument without one is no fault of an operation.
  const std::string numbers = R"mlir(
func.func @f(%n: tensor<2xi32> {gsa.name = "n"}, %x: tensor<2xf32>)
    -> tensor<2xf32> {
  %y = math.exp %x : tensor<2xf32>
  return %y : tensor<2xf32>
}
)mlir";
  gsa_differentiate_options options = Options();
  const char* inputs[] = {"n"};
  options.inputs = inputs;
  options.num_inputs = 1;
  const Error invalid = Take(gsa_differentiate(
      numbers.data(), numbers.size(), "f.mlir", &options, &module, &length));
  EXPECT_EQ(invalid.code, GSA_INVALID_ARGUMENT);
  EXPECT_THAT(invalid.message, HasSubstr("has no gradient: expected a ranked "
                                         "tensor of floats"));
}

}  // namespace
