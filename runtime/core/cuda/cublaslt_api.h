// -----------------------------------------------------------------------------
// File: cublaslt_api.h
// -----------------------------------------------------------------------------
//
// Matrix products with cuBLASLt, opened at run time from a CUDA toolkit or from
// the nvidia-cublas Python wheel.
//
// cuBLASLt's matrices are column-major. A row-major matrix is the column-major
// form of its transpose, so the product is asked for as C^T = op(B)^T op(A)^T
// with the operands swapped and nothing moved.

#ifndef GSA_RUNTIME_CORE_CUDA_CUBLASLT_API_H_
#define GSA_RUNTIME_CORE_CUDA_CUBLASLT_API_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/core/cuda/cuda_abi.h"
#include "runtime/core/cuda/gemm.h"
#include "runtime/core/cuda/toolkit_search.h"

namespace gsa {

// Thread safe.
class CublasLtApi {
 public:
  // Opens libcublasLt.so.13 or .12. Unavailable says where it was searched and
  // how to get it.
  static absl::StatusOr<std::shared_ptr<const CublasLtApi>> Load(
      const ToolkitSearch& search = {});

  // A library made of the functions of `table`, for tests.
  explicit CublasLtApi(const cuda::CublasLtTable& table,
                       std::string path = "a table of functions")
      : table_(table), path_(std::move(path)) {}

  const cuda::CublasLtTable& table() const { return table_; }
  const std::string& path() const { return path_; }

  // OK, or the error of `call`.
  absl::Status ToStatus(cuda::BlasStatus status, const std::string& call) const;

 private:
  cuda::CublasLtTable table_;
  std::string path_;
};

// Products in `context`. The results of a plan have the same bits on each run:
// algorithms that add partial sums in the output are excluded, and float32
// operands are multiplied in float32.
absl::StatusOr<std::shared_ptr<GemmLibrary>> CreateCublasLtGemms(
    std::shared_ptr<const CublasLtApi> api,
    std::shared_ptr<const PrimaryContext> context);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_CUBLASLT_API_H_
