// -----------------------------------------------------------------------------
// File: selftest_test.cc
// -----------------------------------------------------------------------------
//
// The self-test of the device library (test/gpu/device_selftest.cu) without a
// GPU: the device headers themselves, lane by lane on the host (simt/simt.h),
// against the definitions that the host computes. What PTX instructions do is
// instructions.h's; everything above them is what a GPU runs.

#include "gtest/gtest.h"
#include "test/gpu/selftest/candidate_tests.cuh"
#include "test/gpu/selftest/copy_tests.cuh"
#include "test/gpu/selftest/math_tests.cuh"
#include "test/gpu/selftest/merge_tests.cuh"
#include "test/gpu/selftest/mma_tests.cuh"
#include "test/gpu/selftest/ring_tests.cuh"
#include "test/gpu/selftest/row_tests.cuh"
#include "test/gpu/selftest/score_tests.cuh"
#include "test/gpu/selftest/select_tests.cuh"
#include "test/gpu/selftest/short_rows_tests.cuh"
#include "test/gpu/selftest/softmax_tests.cuh"
#include "test/gpu/selftest/stream_tests.cuh"
#include "test/gpu/selftest/training_tests.cuh"
#include "test/gpu/selftest/union_tests.cuh"
#include "test/gpu/selftest/wgmma_tests.cuh"

namespace selftest {
namespace {

void ExpectPass(void (*run)()) {
  const int before = failed_suites();
  run();
  EXPECT_EQ(failed_suites(), before);
}

TEST(DeviceSelftest, Math) { ExpectPass(run_math_tests); }
TEST(DeviceSelftest, Copies) { ExpectPass(run_copy_tests); }
TEST(DeviceSelftest, Rows) { ExpectPass(run_row_tests); }
TEST(DeviceSelftest, Products) { ExpectPass(run_mma_tests); }
TEST(DeviceSelftest, Softmax) { ExpectPass(run_softmax_tests); }
TEST(DeviceSelftest, Rings) { ExpectPass(run_ring_tests); }
TEST(DeviceSelftest, Streams) { ExpectPass(run_stream_tests); }
TEST(DeviceSelftest, Unions) { ExpectPass(run_union_tests); }
TEST(DeviceSelftest, Scores) { ExpectPass(run_score_tests); }
TEST(DeviceSelftest, ShortRows) { ExpectPass(run_short_rows_tests); }
TEST(DeviceSelftest, Selection) { ExpectPass(run_select_tests); }
TEST(DeviceSelftest, Candidates) { ExpectPass(run_candidate_tests); }
TEST(DeviceSelftest, Merging) { ExpectPass(run_merge_tests); }
TEST(DeviceSelftest, Training) { ExpectPass(run_training_tests); }
TEST(DeviceSelftest, WarpgroupProducts) { ExpectPass(run_wgmma_tests); }

}  // namespace
}  // namespace selftest
