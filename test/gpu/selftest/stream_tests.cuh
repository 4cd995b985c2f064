//===- stream_tests.cuh - cursors, turns, boxes -----------------*- CUDA
//-*-===//

#ifndef GSA_TEST_GPU_SELFTEST_STREAM_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_STREAM_TESTS_CUH

#if defined(GSA_SELFTEST_SM90A)
#include <cuda.h>
#endif

#include "test/gpu/selftest/harness.cuh"
#include "test/gpu/selftest/stream_cases.h"
#include "test/gpu/selftest/stream_kernels.cuh"

namespace selftest {

template <class Kernel>
void test_cursor(Suite& suite, int stages, Kernel* kernel) {
  for (const std::vector<int>& case_counts : StreamCounts()) {
    int tiles = TilesOf(case_counts);
    std::vector<int> elements = StreamElements(tiles);
    std::vector<int> want = StreamSums(elements);
    Array<int> stream(elements.size()), counts(case_counts.size()),
        sums(2 * tiles);
    std::copy(elements.begin(), elements.end(), stream.data());
    std::copy(case_counts.begin(), case_counts.end(), counts.data());
    for (int seed = 0; seed < 10; ++seed) {
      launch("cursor", kernel, 1, 3, 528 * stages, stream.data(), tiles,
             counts.data(), static_cast<int>(case_counts.size()), seed,
             sums.data());
      suite.Context("stages %d streams %d tiles %d seed %d", stages,
                    static_cast<int>(case_counts.size()), tiles, seed);
      for (int i = 0; i < 2 * tiles; ++i)
        suite.Equal(sums[i], want[i], i / 2, i % 2);
    }
  }
}

template <class Kernel>
void test_turn(Suite& suite, int groups, Kernel* kernel) {
  for (int passes : {1, 3})
    for (int rounds : {0, 1, 2, 5, 50})
      for (int seed = 0; seed < 10; ++seed) {
        std::vector<int> want = TurnLog(groups, passes, rounds);
        Array<int> log(want.size());
        launch("turns", kernel, 1, 4 + 4 * groups, 16, passes, rounds, seed,
               log.data());
        suite.Context("groups %d passes %d rounds %d seed %d", groups, passes,
                      rounds, seed);
        for (size_t i = 0; i < want.size(); ++i)
          suite.Equal(log[i], want[i], static_cast<int>(i));
      }
}

#if defined(GSA_SELFTEST_SM90A)
inline tensor_map make_map(const BoxCase& box, void* data, int element_bytes,
                           CUtensorMapDataType type,
                           CUtensorMapSwizzle swizzle) {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found;
#if CUDART_VERSION >= 12050
  cudaError_t error = cudaGetDriverEntryPointByVersion(
      "cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &found);
#else
  cudaError_t error = cudaGetDriverEntryPoint(
      "cuTensorMapEncodeTiled", &function, cudaEnableDefault, &found);
#endif
  require(error, "cuTensorMapEncodeTiled");
  CUtensorMap map;
  cuuint64_t sizes[] = {static_cast<cuuint64_t>(box.columns),
                        static_cast<cuuint64_t>(box.rows)};
  cuuint64_t pitch[] = {sizes[0] * element_bytes};
  cuuint32_t box_sizes[] = {static_cast<cuuint32_t>(box.box_columns),
                            static_cast<cuuint32_t>(box.box_rows)};
  cuuint32_t steps[] = {1, 1};
  CUresult result =
      reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(function)(
          &map, type, 2, data, sizes, pitch, box_sizes, steps,
          CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle,
          CU_TENSOR_MAP_L2_PROMOTION_NONE, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result != CUDA_SUCCESS)
    require(cudaErrorInvalidValue, "cuTensorMapEncodeTiled");
  static_assert(sizeof(tensor_map) == sizeof(CUtensorMap));
  tensor_map copied;
  std::memcpy(&copied, &map, sizeof(copied));
  return copied;
}

inline void test_boxes() {
  Suite suite("tma_load");
  std::vector<double> key_values = kKeyBoxes.Matrix();
  std::vector<double> number_values = kNumberBoxes.Matrix();
  Array<bf16> keys(key_values.size());
  Array<float> numbers(number_values.size());
  fill_array(keys, key_values);
  fill_array(numbers, number_values);
  tensor_map key_map =
      make_map(kKeyBoxes, keys.data(), 2, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
               CU_TENSOR_MAP_SWIZZLE_128B);
  tensor_map number_map =
      make_map(kNumberBoxes, numbers.data(), 4, CU_TENSOR_MAP_DATA_TYPE_FLOAT32,
               CU_TENSOR_MAP_SWIZZLE_NONE);
  for (const BoxStart& start : kBoxStarts) {
    std::vector<double> want_keys =
        kKeyBoxes.Boxes(start.row, start.column, start.tiles);
    std::vector<double> want_numbers =
        kNumberBoxes.Boxes(start.row, start.column, start.tiles);
    Array<bf16> keys_out(want_keys.size());
    Array<float> numbers_out(want_numbers.size());
    launch("tma_load", load_boxes, 1, 5, 13312 + 32, key_map, number_map,
           start.row, start.column, start.tiles, keys_out.data(),
           numbers_out.data());
    suite.Context("row %d column %d tiles %d", start.row, start.column,
                  start.tiles);
    check_array(suite, keys_out, want_keys, kKeyBoxes.TileColumns());
    check_array(suite, numbers_out, want_numbers, kNumberBoxes.TileColumns());
  }
}
#endif

inline void run_stream_tests() {
  {
    Suite suite("ring_cursor");
    test_cursor(suite, 1, follow_1);
    test_cursor(suite, 2, follow_2);
    test_cursor(suite, 3, follow_3);
  }
  {
    Suite suite("turn_start turn_wait turn_pass turn_end");
    test_turn(suite, 2, take_turns_2);
    test_turn(suite, 3, take_turns_3);
  }
#if defined(GSA_SELFTEST_SM90A)
  test_boxes();
#endif
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_STREAM_TESTS_CUH
