//===- row_tests.cuh - rows by views of every kind --------------*- CUDA
//-*-===//

#ifndef GSA_TEST_GPU_SELFTEST_ROW_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_ROW_TESTS_CUH

#include <algorithm>

#include "test/gpu/selftest/harness.cuh"
#include "test/gpu/selftest/row_cases.h"
#include "test/gpu/selftest/row_kernels.cuh"

namespace selftest {

/// Runs of a kernel, whose arguments before those of a case `call` puts in
/// front: call(f, rows, values, out), where f takes pointers.
template <class T, class O, class Kernel, class Call>
void test_rows(Suite& suite, const RowKernel& test, Kernel* kernel, Call call) {
  const RowRuns runs(test);
  // Arrays of one size are those of all runs; rows end where those of a run do.
  Array<int> list(kListEntries), table(kListEntries);
  Array<float> values(runs.get()[0].values.size());
  Array<O> out(runs.get()[0].out.size());
  for (size_t i = 0; i < runs.get().size(); i += kCaseStep) {
    const RowRun& run = runs.get()[i];
    const RowCase& c = run.test;
    std::copy(c.list.begin(), c.list.end(), list.data());
    std::copy(c.table.begin(), c.table.end(), table.data());
    Array<T> rows(run.rows.size());
    fill_array(rows, run.rows);
    fill_array(values, run.values);
    std::memset(out.data(), 0xff, out.size() * sizeof(O));
    auto start = [&](auto... pointers) {
      launch(test.name, kernel, test.blocks, test.warps, test.SharedBytes(),
             pointers..., run.more, list.data(), table.data(), run.begin,
             static_cast<int>(c.kind), c.pitch, c.inner, c.end, c.limit,
             c.first, run.columns);
    };
    call(start, rows.data(), values.data(), out.data());
    suite.Context("%s %s columns %d more %d", test.name, c.Name().c_str(),
                  run.columns, run.more);
    check_array(suite, out, run.out, test.columns);
    check_array(suite, rows, run.rows_after.empty() ? run.rows : run.rows_after,
                test.columns);
  }
}

template <class T, class Kernel>
void test_copied_rows(Suite& suite, const RowKernel& test, Kernel* kernel) {
  test_rows<T, T>(suite, test, kernel, [](auto start, T* rows, float*, T* out) {
    start(rows, out);
  });
}

template <class T, class Kernel>
void test_fragment_rows(Suite& suite, const RowKernel& test, Kernel* kernel) {
  test_rows<T, float>(suite, test, kernel,
                      [](auto start, T* rows, float* values, float* out) {
                        start(rows, values, out);
                      });
}

#if defined(GSA_SELFTEST_SM90A)
/// Each warp adds 16 rows of its part of a buffer, and 16 others before it has
/// waited for the first ones.
template <int C>
__global__ void reduce_tile_kernel(const float* values, const int* list,
                                   int end, int limit, int columns,
                                   float* sums) {
  using tiles = smem_stages<float, 3, 40, C, linear>;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const float* from = values + 40 * C * warp;
  auto tile = part_of(smem_alloc<tiles>(0), warp);
  auto view = listed_rows(sums, C + 4, list, end, limit);
  for (int round = 0; round < 2; ++round) {
    // Both rounds write all rows, the second one other numbers.
    if (round > 0) reduce_tile_wait();
    for (int i = lane(); i < 40 * C; i += 32)
      tile.at(i / C, i % C) = from[i] + static_cast<float>(round);
    __syncwarp();
    fence_async();
    reduce_tile(view, 32 * warp, tile, 0, columns);
    reduce_tile(view, 32 * warp + 16, tile, 24, columns);
  }
  reduce_tile_wait();
}

/// Of whole numbers, so that no order rounds; rows are named often, or do not
/// exist.
template <int C>
void test_reduce_tile(Suite& suite) {
  constexpr int kRows = 21, kPitch = C + 4;
  Random random(C);
  Array<float> values(120 * C), sums(kRows * kPitch);
  Array<int> list(96);
  for (int i = 0; i < 120 * C; ++i)
    values[i] = static_cast<float>(random.Integer(-99, 99));
  for (int i = 0; i < 96; ++i) list[i] = random.Integer(-3, kRows + 3);
  for (int columns : {-4, 0, 4, C, C + 8})
    for (int end : {0, 37, 96})
      for (int limit : {5, kRows}) {
        std::vector<double> want(static_cast<size_t>(kRows * kPitch), 7);
        for (int at = 0; at < end; ++at) {
          if (list[at] < 0 || list[at] >= limit) continue;
          int row = at % 32 < 16 ? at % 32 : at % 32 - 16 + 24;
          const float* from = values.data() + 40 * C * (at / 32) + C * row;
          for (int c = 0; c < std::min(columns, C); ++c)
            want[static_cast<size_t>(kPitch * list[at] + c)] += 2 * from[c] + 1;
        }
        for (int i = 0; i < kRows * kPitch; ++i) sums[i] = 7;
        launch("reduce_tile", reduce_tile_kernel<C>, 1, 3, 480 * C,
               static_cast<const float*>(values.data()),
               static_cast<const int*>(list.data()), end, limit, columns,
               sums.data());
        suite.Context("%d columns of %d, end %d limit %d", columns, C, end,
                      limit);
        check_array(suite, sums, want, kPitch);
      }
}
#endif

inline void run_row_tests() {
  {
    Suite suite("copy_rows find_rows of all views");
    test_copied_rows<bf16>(suite, kRowKernels[0], rows_copy_bf16);
    test_copied_rows<f16>(suite, kRowKernels[1], rows_copy_f16);
    test_copied_rows<float>(suite, kRowKernels[2], rows_copy_f32);
    test_copied_rows<signed char>(suite, kRowKernels[3], rows_copy_i8);
  }
  {
    Suite suite(
        "store_rows store_rowvec load_rowvec gate_rows mask_rows "
        "accumulate_rows of all views");
    test_fragment_rows<bf16>(suite, kRowKernels[4], rows_fragment_bf16);
    test_fragment_rows<float>(suite, kRowKernels[5], rows_fragment_f32);
  }
#if defined(GSA_SELFTEST_SM90A)
  {
    Suite suite("bulk_rows of all views");
    test_copied_rows<bf16>(suite, kBulkRowKernels[0], rows_bulk_bf16);
    test_copied_rows<float>(suite, kBulkRowKernels[1], rows_bulk_f32);
  }
  {
    Suite suite("reduce_rows reduce_wait of all views");
    test_rows<float, float>(
        suite, kBulkRowKernels[2], rows_reduce,
        [](auto start, float* rows, float*, float*) { start(rows); });
  }
  Suite suite("reduce_tile reduce_tile_wait part");
  test_reduce_tile<64>(suite);
  test_reduce_tile<12>(suite);
#endif
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_ROW_TESTS_CUH
