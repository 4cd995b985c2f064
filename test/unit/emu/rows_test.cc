// -----------------------------------------------------------------------------
// File: rows_test.cc
// -----------------------------------------------------------------------------
//
// Views of rows in emulation: the kernels and a part of the cases of the
// self-test on a GPU (test/gpu/selftest/row_tests.cuh), under ThreadSanitizer.
// Each launch has arrays of its own, which end where the rows of its case do.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "test/gpu/selftest/row_cases.h"
#include "test/unit/emu/launches.h"

namespace gsa::testing {
namespace {

using ::selftest::kBulkRowKernels;
using ::selftest::kRowKernels;
using ::selftest::RowKernel;
using ::selftest::RowRun;
using ::selftest::RowRuns;
using ::selftest::RowType;
using ::selftest::RowWork;

DType TypeOf(RowType type) {
  switch (type) {
    case RowType::kBF16:
      return DType::kBF16;
    case RowType::kF16:
      return DType::kF16;
    case RowType::kF32:
      return DType::kF32;
    case RowType::kI8:
      return DType::kU8;
  }
}

Launches RowLaunches() {
  std::vector<KernelShape> shapes;
  for (const RowKernel& kernel : kRowKernels)
    shapes.push_back({kernel.name, kernel.warps, kernel.SharedBytes()});
  for (const RowKernel& kernel : kBulkRowKernels)
    shapes.push_back({kernel.name, kernel.warps, kernel.SharedBytes()});
  return Launches("row_kernels.cuh", shapes);
}

void Add(const RowKernel& kernel, const RowRun& run, Launches* launches) {
  const std::string what = absl::StrCat(run.test.Name(), " columns ",
                                        run.columns, " more ", run.more);
  const DType type = TypeOf(kernel.type);
  std::vector<KernelArg> args;
  if (run.rows_after.empty())
    args.push_back(launches->Input(Pack(type, run.rows)));
  else if (run.adds)
    args.push_back(launches->FilledOutput(static_cast<float>(run.rows[0]),
                                          run.rows_after, what));
  else
    args.push_back(launches->Output(type, run.rows_after, what));
  if (!run.values.empty())
    args.push_back(launches->Input(Pack(DType::kF32, run.values)));
  if (!run.out.empty())
    args.push_back(launches->Output(run.values.empty() ? type : DType::kF32,
                                    run.out, what));
  args.push_back(int32_t{run.more});
  args.push_back(launches->Input(Pack(run.test.list)));
  args.push_back(launches->Input(Pack(run.test.table)));
  args.push_back(int64_t{run.begin});
  args.push_back(int32_t{run.test.kind});
  args.push_back(int64_t{run.test.pitch});
  args.push_back(int64_t{run.test.inner});
  for (int32_t value :
       {run.test.end, run.test.limit, run.test.first, run.columns})
    args.push_back(value);
  launches->Add(kernel.name, args, kernel.blocks);
}

class RowsTest : public ::testing::TestWithParam<RowKernel> {};

TEST_P(RowsTest, ViewsOfEveryKind) {
  const RowRuns runs(GetParam());
  constexpr size_t kEvery = 5, kAtOnce = 200 * kEvery;
  for (size_t begin = 0; begin < runs.get().size(); begin += kAtOnce) {
    Launches launches = RowLaunches();
    size_t end = std::min(begin + kAtOnce, runs.get().size());
    for (size_t i = begin; i < end; i += kEvery)
      Add(GetParam(), runs.get()[i], &launches);
    EmuRunOptions run;
    run.seed = begin;
    std::string wrong;
    absl::Status status = launches.Run(run, &wrong);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(wrong, "");
  }
}

std::string KernelName(const ::testing::TestParamInfo<RowKernel>& info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(Rows, RowsTest, ::testing::ValuesIn(kRowKernels),
                         KernelName);
INSTANTIATE_TEST_SUITE_P(Bulk, RowsTest, ::testing::ValuesIn(kBulkRowKernels),
                         KernelName);

//===----------------------------------------------------------------------===//
// Seeded faults
//===----------------------------------------------------------------------===//

/// A run whose tiles have no missing row.
const RowRun& FullRun(const RowRuns& runs, const RowKernel& kernel) {
  for (const RowRun& run : runs.get()) {
    bool full = run.columns == kernel.columns;
    for (int r = 0; r < kernel.rows; ++r)
      full &= run.test.Row(run.test.first + r) >= 0;
    if (full) return run;
  }
  ADD_FAILURE() << "no such run";
  return runs.get()[0];
}

struct RowFault {
  int kernel;  // of kBulkRowKernels
  LaunchFault fault;
};

class RowFaultTest : public ::testing::TestWithParam<RowFault> {};

TEST_P(RowFaultTest, IsCaught) {
  const RowKernel& kernel = kBulkRowKernels[GetParam().kernel];
  const RowRuns runs(kernel);
  Launches launches = RowLaunches();
  Add(kernel, FullRun(runs, kernel), &launches);
  ExpectCaught(&launches, GetParam().fault);
}

// Barrier 1 of the sums is that before they start, and that of reduce_wait:
// warp 2, which has none, must not overwrite the tile before the others' end.
INSTANTIATE_TEST_SUITE_P(Faults, RowFaultTest,
                         ::testing::Values(RowFault{0, {"ring_wait", 1, 3}},
                                           RowFault{0, {"ring_acquire", 2, 1}},
                                           RowFault{0, {"ring_commit", 0, 0}},
                                           RowFault{1, {"ring_release", 0, 2}},
                                           RowFault{2, {"sync", 0, 0}},
                                           RowFault{2, {"sync", 1, 2}}),
                         [](const ::testing::TestParamInfo<RowFault>& info) {
                           return std::string(
                                      kBulkRowKernels[info.param.kernel].name) +
                                  "_" + FaultName(info.param.fault);
                         });

}  // namespace
}  // namespace gsa::testing
