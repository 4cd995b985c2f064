// -----------------------------------------------------------------------------
// File: fake_blas.h
// -----------------------------------------------------------------------------
//
// A cuBLASLt of the tests' own: a table of functions that computes the product
// it was asked for on the host, of float32, and notes what it was told.

#ifndef GSA_TEST_UNIT_CUDA_FAKE_BLAS_H_
#define GSA_TEST_UNIT_CUDA_FAKE_BLAS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "runtime/core/cuda/cuda_abi.h"

namespace gsa {

// What the library has open and was told. One test at a time.
struct FakeBlas {
  int open = 0;  // handles, descriptors, layouts and preferences
  int compute = 0;
  std::map<int, uint64_t> preferences;
  std::vector<uint64_t> rows_of_products;  // of the result, as we see it
  uint64_t refuse_rows_below = 0;
  int algorithms = 1;
  size_t workspace = 256;
};
extern FakeBlas blas;

cuda::CublasLtTable FakeBlasTable();

}  // namespace gsa

#endif  // GSA_TEST_UNIT_CUDA_FAKE_BLAS_H_
