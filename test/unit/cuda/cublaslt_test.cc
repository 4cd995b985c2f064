// -----------------------------------------------------------------------------
// File: cublaslt_test.cc
// -----------------------------------------------------------------------------
//
// What is asked of cuBLASLt, with a table of the tests' own that computes the
// product it was asked for on the host: so that the swap of the operands,
// leading dimensions, transposes, batches and beta are tested by their results.

#include <algorithm>
#include <string>
#include <vector>

#include "fake_blas.h"
#include "fake_driver.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/cuda/cublaslt_api.h"
#include "tools/common/ToolkitEnvironment.h"

namespace gsa {
namespace {

using ::testing::HasSubstr;

class CublasLtTest : public ::testing::Test {
 protected:
  CublasLtTest() {
    blas = FakeBlas();
    context_ = *PrimaryContext::Retain(driver_, *GetDevice(driver_, 0));
    gemms_ = *CreateCublasLtGemms(
        std::make_shared<CublasLtApi>(FakeBlasTable()), context_);
  }

  FakeDriver fake_;
  DriverApi driver_{fake_.Table()};
  std::shared_ptr<const PrimaryContext> context_;
  std::shared_ptr<GemmLibrary> gemms_;
};

// Odd sizes and leading dimensions, every transpose, batches, both betas.
TEST_F(CublasLtTest, ComputesRowMajorProducts) {
  for (int variant = 0; variant < 16; ++variant) {
    GemmStep step;
    step.a_dtype = step.b_dtype = step.c_dtype = DType::kF32;
    step.m = 5, step.n = 3, step.k = 7;
    step.trans_a = variant & 1, step.trans_b = variant & 2;
    step.beta = variant & 4 ? 1 : 0;
    step.batch = variant & 8 ? 3 : 1;
    step.lda = 9, step.ldb = 8, step.ldc = 6;
    step.stride_a = 70;
    step.stride_b = variant & 1 ? 0 : 64;  // 0: one B for the batch
    step.stride_c = 31;
    std::vector<float> a(300), b(300), c(100), expected;
    for (size_t i = 0; i < a.size(); ++i) a[i] = float(i % 13) - 6;
    for (size_t i = 0; i < b.size(); ++i) b[i] = float(i % 11) - 5;
    for (size_t i = 0; i < c.size(); ++i) c[i] = float(i);
    expected = c;
    for (int64_t batch = 0; batch < step.batch; ++batch)
      for (int64_t i = 0; i < step.m; ++i)
        for (int64_t j = 0; j < step.n; ++j) {
          float sum = 0;
          for (int64_t k = 0; k < step.k; ++k)
            sum += a[batch * step.stride_a +
                     (step.trans_a ? k * step.lda + i : i * step.lda + k)] *
                   b[batch * step.stride_b +
                     (step.trans_b ? j * step.ldb + k : k * step.ldb + j)];
          float& out = expected[batch * step.stride_c + i * step.ldc + j];
          out = sum + (step.beta ? out : 0);
        }
    auto plan = gemms_->Plan(step, 1 << 20);
    ASSERT_TRUE(plan.ok()) << plan.status();
    std::vector<char> workspace(256);
    const auto address = [](auto& v) {
      return reinterpret_cast<cuda::DevicePtr>(v.data());
    };
    const absl::Status status = (*plan)->Run(address(a), address(b), address(c),
                                             address(workspace), nullptr);
    ASSERT_TRUE(status.ok()) << variant << ": " << status;
    EXPECT_EQ(c, expected) << variant;
  }
}

TEST_F(CublasLtTest, AsksForExactFloat32AndDeterministicSums) {
  GemmStep step;
  step.m = step.n = step.k = 8;
  step.lda = step.ldb = step.ldc = 8;
  ASSERT_TRUE(gemms_->Plan(step, 12345).ok());
  EXPECT_EQ(blas.compute, cuda::kComputeF32);
  EXPECT_EQ(blas.preferences[cuda::kPreferenceMaxWorkspaceBytes], 12345u);
  EXPECT_EQ(blas.preferences[cuda::kPreferenceReductionSchemeMask],
            cuda::kReductionSchemeComputeType);
  for (int attribute :
       {cuda::kPreferenceMinAlignmentA, cuda::kPreferenceMinAlignmentB,
        cuda::kPreferenceMinAlignmentC, cuda::kPreferenceMinAlignmentD})
    EXPECT_EQ(blas.preferences[attribute], 16u);
  step.a_dtype = step.b_dtype = step.c_dtype = DType::kF32;
  ASSERT_TRUE(gemms_->Plan(step, 0).ok());
  EXPECT_EQ(blas.compute, cuda::kComputeF32Pedantic);
}

TEST_F(CublasLtTest, WarmsUpWithFewRowsOrWithAll) {
  GemmStep step;
  step.m = 100000, step.n = step.k = 8;
  step.lda = step.ldb = step.ldc = 8;
  auto plan = *gemms_->Plan(step, 1 << 20);
  EXPECT_TRUE(plan->WarmUp().ok());
  EXPECT_THAT(blas.rows_of_products, ::testing::ElementsAre(512));
  blas.refuse_rows_below = 1000;
  EXPECT_TRUE(plan->WarmUp().ok());
  EXPECT_THAT(blas.rows_of_products, ::testing::ElementsAre(512, 512, 100000));
  plan.reset();
  gemms_.reset();
  EXPECT_EQ(blas.open, 0);
}

// Neither with few rows nor with all: the second error counts, and the memory
// of both is given back.
TEST_F(CublasLtTest, AWarmUpThatFailsTwice) {
  GemmStep step;
  step.m = 600, step.n = step.k = 8;
  step.lda = step.ldb = step.ldc = 8;
  auto plan = *gemms_->Plan(step, 1 << 20);
  const int open = blas.open;
  blas.refuse_rows_below = 1000;
  const absl::Status status = plan->WarmUp();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("cublasLtMatmul"));
  EXPECT_THAT(blas.rows_of_products, ::testing::ElementsAre(512, 600));
  EXPECT_EQ(blas.open, open);
  EXPECT_THAT(fake_.Leaks(), ::testing::Not(HasSubstr("allocations")));
  EXPECT_THAT(fake_.Leaks(), ::testing::Not(HasSubstr("streams")));
}

TEST_F(CublasLtTest, NoAlgorithmIsUnimplemented) {
  blas.algorithms = 0;
  GemmStep step;
  step.m = 3, step.n = 4, step.k = 5;
  step.lda = step.ldb = step.ldc = 5;
  auto plan = gemms_->Plan(step, 64);
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(std::string(plan.status().message()),
            "gemm [3, 5] x [5, 4] bf16 -> bf16: cuBLASLt has no algorithm that "
            "needs at most 64 bytes of workspace");
  gemms_.reset();
  EXPECT_EQ(blas.open, 0);
}

TEST(CublasLtLoad, MissingLibrarySaysWhereItWasSearched) {
  ToolkitSearch search;
  search.only = "/nonexistent/libcublasLt.so.13";
  auto missing = CublasLtApi::Load(search);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(missing.status().message()),
              HasSubstr("/nonexistent/libcublasLt.so.13"));
  EXPECT_THAT(std::string(missing.status().message()),
              HasSubstr("nvidia-cublas"));
}

TEST(CublasLtLoad, ResolvesTheInstalledLibrary) {
  auto api = CublasLtApi::Load(getToolkitSearchFromEnvironment());
  if (absl::IsUnavailable(api.status())) GTEST_SKIP() << api.status();
  ASSERT_TRUE(api.ok()) << api.status();
  EXPECT_GT((*api)->table().GetVersion(), 120000u);
}

}  // namespace
}  // namespace gsa
