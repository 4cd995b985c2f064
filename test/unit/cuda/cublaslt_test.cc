// -----------------------------------------------------------------------------
// File: cublaslt_test.cc
// -----------------------------------------------------------------------------
//
// What is asked of cuBLASLt, with a table of the tests' own that computes the
// product it was asked for on the host: so that the swap of the operands,
// leading dimensions, transposes, batches and beta are tested by their results.

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "fake_driver.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/cuda/cublaslt_api.h"
#include "tools/common/ToolkitEnvironment.h"

namespace gsa {
namespace {

using ::testing::HasSubstr;

// Column-major matrices, as the library sees them.
struct Layout {
  int type;
  uint64_t rows, columns;
  int64_t ld;
  int32_t batch = 1;
  int64_t stride = 0;
};
struct Operation {
  int compute = 0, scale = 0;
  int32_t trans_a = 0, trans_b = 0;
};

// What the library has open and was told. One test at a time.
struct FakeBlas {
  int open = 0;
  int compute = 0;
  std::map<int, uint64_t> preferences;
  std::vector<uint64_t> rows_of_products;  // of the result, as we see it
  uint64_t refuse_rows_below = 0;
  int algorithms = 1;
  size_t workspace = 256;
};
FakeBlas blas;

template <typename T>
cuda::BlasStatus Open(void** object, T value) {
  ++blas.open;
  *object = new T(value);
  return 0;
}
template <typename T>
cuda::BlasStatus Close(void* object) {
  --blas.open;
  delete static_cast<T*>(object);
  return 0;
}

cuda::BlasStatus Matmul(cuda::BlasLtHandle, void* operation, const void* alpha,
                        const void* a, void* a_layout, const void* b,
                        void* b_layout, const void* beta, const void* c,
                        void* c_layout, void* d, void* d_layout,
                        const cuda::BlasLtAlgo* algorithm, void* workspace,
                        size_t workspace_bytes, cuda::Stream) {
  const Operation& op = *static_cast<Operation*>(operation);
  const Layout& la = *static_cast<Layout*>(a_layout);
  const Layout& lb = *static_cast<Layout*>(b_layout);
  const Layout& lc = *static_cast<Layout*>(c_layout);
  blas.rows_of_products.push_back(lc.columns);
  if (lc.columns < blas.refuse_rows_below) return cuda::kBlasNotSupported;
  if (c != d || c_layout != d_layout || algorithm->data[0] != 77 ||
      workspace == nullptr || workspace_bytes != blas.workspace ||
      *static_cast<const float*>(alpha) != 1.0f)
    return 7;
  const uint64_t inner = op.trans_a ? la.rows : la.columns;
  if (inner != (op.trans_b ? lb.columns : lb.rows)) return 7;
  if (lc.rows != (op.trans_a ? la.columns : la.rows)) return 7;
  if (lc.columns != (op.trans_b ? lb.rows : lb.columns)) return 7;
  if (la.type != cuda::kDataF32) return 0;  // values are of no interest
  for (int32_t batch = 0; batch < lc.batch; ++batch) {
    const float* pa = static_cast<const float*>(a) + batch * la.stride;
    const float* pb = static_cast<const float*>(b) + batch * lb.stride;
    float* pd = static_cast<float*>(d) + batch * lc.stride;
    for (uint64_t i = 0; i < lc.rows; ++i)
      for (uint64_t j = 0; j < lc.columns; ++j) {
        float sum = 0;
        for (uint64_t k = 0; k < inner; ++k)
          sum += (op.trans_a ? pa[k + i * la.ld] : pa[i + k * la.ld]) *
                 (op.trans_b ? pb[j + k * lb.ld] : pb[k + j * lb.ld]);
        float& out = pd[i + j * lc.ld];
        out = sum + (*static_cast<const float*>(beta) != 0 ? out : 0);
      }
  }
  return 0;
}

cuda::CublasLtTable Table() {
  cuda::CublasLtTable table;
  table.GetStatusName = [](int) { return "CUBLAS_STATUS_OF_TEST"; };
  table.GetVersion = []() -> size_t { return 130000; };
  table.Create = [](cuda::BlasLtHandle* handle) {
    ++blas.open;
    *handle = reinterpret_cast<cuda::BlasLtHandle>(&blas);
    return 0;
  };
  table.Destroy = [](cuda::BlasLtHandle) { return --blas.open, 0; };
  table.MatmulDescCreate = [](void** operation, int compute, int scale) {
    blas.compute = compute;
    return Open(operation, Operation{compute, scale});
  };
  table.MatmulDescDestroy = Close<Operation>;
  table.MatmulDescSetAttribute = [](void* operation, int attribute,
                                    const void* value, size_t size) {
    auto* op = static_cast<Operation*>(operation);
    if (size != 4) return 7;
    int32_t* field = attribute == cuda::kDescTransA   ? &op->trans_a
                     : attribute == cuda::kDescTransB ? &op->trans_b
                                                      : nullptr;
    if (field == nullptr) return 7;
    std::memcpy(field, value, 4);
    return 0;
  };
  table.MatrixLayoutCreate = [](void** layout, int type, uint64_t rows,
                                uint64_t columns, int64_t ld) {
    return Open(layout, Layout{type, rows, columns, ld});
  };
  table.MatrixLayoutDestroy = Close<Layout>;
  table.MatrixLayoutSetAttribute = [](void* object, int attribute,
                                      const void* value, size_t size) {
    auto* layout = static_cast<Layout*>(object);
    if (attribute == cuda::kLayoutBatchCount && size == 4)
      return std::memcpy(&layout->batch, value, 4), 0;
    if (attribute == cuda::kLayoutBatchStride && size == 8)
      return std::memcpy(&layout->stride, value, 8), 0;
    return 7;
  };
  table.PreferenceCreate = [](void** preference) {
    return Open(preference, int{0});
  };
  table.PreferenceDestroy = Close<int>;
  table.PreferenceSetAttribute = [](void*, int attribute, const void* value,
                                    size_t size) {
    uint64_t number = 0;
    std::memcpy(&number, value, size);
    blas.preferences[attribute] = number;
    return 0;
  };
  table.MatmulAlgoGetHeuristic =
      [](cuda::BlasLtHandle, void*, void*, void*, void*, void*, void*, int,
         cuda::BlasLtHeuristicResult* result, int* count) {
        result->algo.data[0] = 77;
        result->workspace_bytes = blas.workspace;
        result->state = 0;
        *count = blas.algorithms;
        return 0;
      };
  table.Matmul = Matmul;
  return table;
}

class CublasLtTest : public ::testing::Test {
 protected:
  CublasLtTest() {
    blas = FakeBlas();
    context_ = *PrimaryContext::Retain(driver_, *GetDevice(driver_, 0));
    gemms_ =
        *CreateCublasLtGemms(std::make_shared<CublasLtApi>(Table()), context_);
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
