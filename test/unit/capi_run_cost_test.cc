// -----------------------------------------------------------------------------
// File: capi_run_cost_test.cc
// -----------------------------------------------------------------------------
//
// A run through the C API allocates nothing. On the CPU, where the allocations
// of the library are this program's; what a run on a GPU adds is counted by
// cuda/run_cost_test.cc.

#include <gsa/gsa.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/unit/capi_testing.h"
#include "test/unit/count_allocations.h"

namespace {

using namespace capi_testing;

using gsa_testing::AllocationsOf;

TEST(CapiRunCost, RunsAllocateNothing) {
  PlanPtr plan =
      Compile(kGate, Options({{"x", kGateShape}, {"arg1", kGateShape}}));
  ASSERT_NE(plan, nullptr);
  Buffers buffers(plan.get());
  gsa_run_options options = {};
  options.struct_size = sizeof(options);
  const auto run = [&] {
    return gsa_run(plan.get(), buffers.inputs.data(), buffers.inputs.size(),
                   buffers.outputs.data(), buffers.outputs.size(),
                   buffers.workspace, buffers.workspace_bytes, &options);
  };
  ASSERT_OK(run());
  bool ok = true;
  EXPECT_EQ(AllocationsOf([&] {
              for (int i = 0; i < 100; ++i) ok &= run() == nullptr;
            }),
            0);
  EXPECT_TRUE(ok);
  // That errors allocate shows that the library's allocations are counted.
  buffers.inputs[0].device_id = 1;
  gsa_status* status = nullptr;
  EXPECT_GT(AllocationsOf([&] { status = run(); }), 0);
  ExpectInvalid(status, testing::HasSubstr("device"));
}

}  // namespace
