//===- row_tests.cuh - rows by views of every kind --------------*- CUDA
//-*-===//

#ifndef GSA_TEST_GPU_SELFTEST_ROW_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_ROW_TESTS_CUH

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
  Suite suite("reduce_rows reduce_wait of all views");
  test_rows<float, float>(
      suite, kBulkRowKernels[2], rows_reduce,
      [](auto start, float* rows, float*, float*) { start(rows); });
#endif
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_ROW_TESTS_CUH
