// -----------------------------------------------------------------------------
// File: capi_header_test.cc
// -----------------------------------------------------------------------------
//
// Sentences of gsa.h that the tests of its functions do not hold.

#include <gsa/gsa.h>

#include <cstring>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/unit/capi_testing.h"

namespace {

using namespace capi_testing;

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// gsa_status_message: the step, the place, what is wrong there; no dump of the
// op.
TEST(CapiHeader, ErrorsOfAModuleNameTheStepAndThePlace) {
  EXPECT_THAT(Refusal("func.func @main(%a: tensor<4xf32>) {\n"
                      "  return %b : tensor<4xf32>\n}"),
              StartsWith("reading the module: test.mlir:2:10: error: "));
  EXPECT_THAT(
      Refusal(kGate, Options({{"x", {1, 5, 2, 3}}, {"arg1", {1, 6, 2, 3}}})),
      AllOf(StartsWith("compiling (phase specialize): test.mlir:5:"),
            HasSubstr(": error: "), Not(HasSubstr("see current operation"))));
}

// Growth of structures: a size that no version will have is garbage.
TEST(CapiHeader, StructuresHaveAtMost4096Bytes) {
  union Large {
    gsa_tensor_info info;
    char bytes[4104];
  } large;
  PlanPtr plan =
      Compile(kGate, Options({{"x", kGateShape}, {"arg1", kGateShape}}));
  std::memset(large.bytes, 1, sizeof(large.bytes));
  large.info.struct_size = 4096;
  EXPECT_OK(gsa_plan_input(plan.get(), 0, &large.info));
  EXPECT_STREQ(large.info.name, "x");
  EXPECT_EQ(large.bytes[sizeof(gsa_tensor_info)], 0);
  EXPECT_EQ(large.bytes[4095], 0);
  EXPECT_EQ(large.bytes[4096], 1);
  large.info.struct_size = 4104;
  ExpectInvalid(gsa_plan_input(plan.get(), 0, &large.info),
                HasSubstr("expected struct_size"));
  EXPECT_STREQ(large.info.name, "x");  // left alone
}

TEST(CapiHeader, TensorsWithoutElementsNeedNoData) {
  PlanPtr plan =
      Compile(kGate, Options({{"x", {1, 0, 2, 3}}, {"arg1", {1, 0, 2, 3}}}));
  Buffers buffers(plan.get());
  for (gsa_tensor& tensor : buffers.inputs) tensor.data = nullptr;
  buffers.outputs[0].data = nullptr;
  EXPECT_OK(buffers.Run(plan.get()));
  buffers.inputs[0].byte_offset = 64;
  ExpectInvalid(buffers.Run(plan.get()),
                HasSubstr("null pointer with byte_offset 64"));
}

// The emulation: host memory with the alignment of the CPU, no stream, threads
// that it does not use, and no times.
TEST(CapiHeader, TheEmulationRunsLikeTheCpu) {
  Options options({{"x", kGateShape}, {"arg1", kGateShape}});
  options.value.target = "emu";
  PlanPtr plan = Compile(kGate, options);
  ASSERT_NE(plan, nullptr);
  EXPECT_STREQ(gsa_plan_target(plan.get()), "host emulation of sm_80");
  Buffers buffers(plan.get());
  gsa_thread_pool* pool = nullptr;
  ASSERT_OK(gsa_thread_pool_create(2, &pool));
  std::vector<double> times(gsa_plan_num_stages(plan.get()), -1);
  ASSERT_FALSE(times.empty());
  gsa_run_options run = {};
  run.struct_size = sizeof(run);
  run.thread_pool = pool;
  run.stage_milliseconds = times.data();
  run.num_stage_milliseconds = times.size();
  EXPECT_OK(buffers.Run(plan.get(), &run));
  ExpectGate(buffers);
  EXPECT_THAT(times, Each(0.0));
  run.stream = &run;
  ExpectInvalid(buffers.Run(plan.get(), &run),
                HasSubstr("expected stream = NULL, because the plan runs on "
                          "the host"));
  gsa_thread_pool_destroy(pool);
}

}  // namespace
