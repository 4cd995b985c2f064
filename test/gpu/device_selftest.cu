//===- device_selftest.cu - the device library on a GPU -*- CUDA -*-===//
//
// Calls every function of codegen/device/include on the GPU at hand, or has a
// reason why not (tools/check/device_functions.py), and compares with its
// definition, computed by the host. The target device_selftest builds it for
// sm_90a; from the root of the repository:
//
//   nvcc -std=c++20 -O2 -gencode arch=compute_90a,code=sm_90a \
//     -DGSA_SELFTEST_SM90A -I. -Icodegen/device/include \
//     test/gpu/device_selftest.cu -o device_selftest
//   ./device_selftest
//
// Without a GPU test/unit/device/selftest_test.cc runs the same, lane by lane.
// GSA_SELFTEST_SM90A adds what only sm_90a has. Prints a line per function;
// the exit status is 0 if all pass, 1 if one fails, 2 after an error of CUDA.
// Runs under compute-sanitizer too.
//
//===----------------------------------------------------------------------===//

#include "test/gpu/selftest/candidate_tests.cuh"
#include "test/gpu/selftest/copy_tests.cuh"
#include "test/gpu/selftest/harness.cuh"
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

int main() {
  cudaDeviceProp properties;
  selftest::require(cudaGetDeviceProperties(&properties, 0),
                    "cudaGetDeviceProperties");
  std::printf("%s, sm_%d%d\n", properties.name, properties.major,
              properties.minor);
  selftest::run_math_tests();
  selftest::run_copy_tests();
  selftest::run_row_tests();
  selftest::run_mma_tests();
  selftest::run_wgmma_tests();
  selftest::run_softmax_tests();
  selftest::run_ring_tests();
  selftest::run_stream_tests();
  selftest::run_union_tests();
  selftest::run_score_tests();
  selftest::run_short_rows_tests();
  selftest::run_select_tests();
  selftest::run_candidate_tests();
  selftest::run_merge_tests();
  selftest::run_training_tests();
  int failed = selftest::failed_suites();
  std::printf(failed ? "FAIL: %d suites\n" : "PASS: all suites\n", failed);
  return failed ? 1 : 0;
}
