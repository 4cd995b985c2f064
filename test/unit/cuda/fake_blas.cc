// -----------------------------------------------------------------------------
// File: fake_blas.cc
// -----------------------------------------------------------------------------

#include "fake_blas.h"

#include <cstring>

namespace gsa {

FakeBlas blas;

namespace {

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

}  // namespace

cuda::CublasLtTable FakeBlasTable() {
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

}  // namespace gsa
