// -----------------------------------------------------------------------------
// File: tensor_map_case.h
// -----------------------------------------------------------------------------
//
// The program of test/run/emu-tensor-map.mlir, written by hand for tests that
// are without MLIR, with data and what it computes of them. That the compiler
// makes the same of the module is tested in emu/tensor_map_test.cc.

#ifndef GSA_TEST_UNIT_CUDA_TENSOR_MAP_CASE_H_
#define GSA_TEST_UNIT_CUDA_TENSOR_MAP_CASE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/core/cuda/device_program.h"

namespace gsa {

// scores[m, n] = sum_k queries[m, k] keys[n, k] for n < 192: 100 queries and
// 150 keys of 64 elements; what is beyond the keys is zeros. No headers.
DeviceProgram TileScoresProgram(const std::string& arch);

// Small integers, so that sums are exact in any order.
struct TileScoresCase {
  TileScoresCase();

  std::vector<uint16_t> queries, keys;  // bf16
  std::vector<float> scores;            // expected
};

}  // namespace gsa

#endif  // GSA_TEST_UNIT_CUDA_TENSOR_MAP_CASE_H_
