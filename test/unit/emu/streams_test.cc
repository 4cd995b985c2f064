// -----------------------------------------------------------------------------
// File: streams_test.cc
// -----------------------------------------------------------------------------
//
// Cursors, turns and boxes of tensor maps in emulation, under ThreadSanitizer:
// the kernels and the cases of the self-test on a GPU
// (test/gpu/selftest/stream_tests.cuh). With a seeded fault they are caught.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "test/gpu/selftest/stream_cases.h"
#include "test/unit/emu/launches.h"

namespace gsa::testing {
namespace {

using ::selftest::BoxCase;
using ::selftest::BoxStart;
using ::selftest::kBoxStarts;
using ::selftest::kKeyBoxes;
using ::selftest::kNumberBoxes;
using ::selftest::StreamCounts;
using ::selftest::StreamElements;
using ::selftest::StreamSums;
using ::selftest::TilesOf;
using ::selftest::TurnLog;

Launches StreamLaunches() {
  return Launches("stream_kernels.cuh", {{"follow_1", 3, 528},
                                         {"follow_2", 3, 1056},
                                         {"follow_3", 3, 1584},
                                         {"take_turns_2", 12, 16},
                                         {"take_turns_3", 16, 16},
                                         {"load_boxes", 5, 13344}});
}

std::vector<double> Numbers(const std::vector<int>& values) {
  return {values.begin(), values.end()};
}

void ExpectRight(Launches* launches, uint64_t seed) {
  EmuRunOptions run;
  run.seed = seed;
  std::string wrong;
  absl::Status status = launches->Run(run, &wrong);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(wrong, "");
}

void AddStreams(int stages, const std::vector<int>& counts, int seed,
                Launches* launches) {
  const int tiles = TilesOf(counts);
  const std::vector<int> stream = StreamElements(tiles);
  launches->Add(
      absl::StrCat("follow_", stages),
      {launches->Input(Pack(stream)), int32_t{tiles},
       launches->Input(Pack(counts)), static_cast<int32_t>(counts.size()),
       int32_t{seed},
       launches->Output(DType::kI32, Numbers(StreamSums(stream)),
                        absl::StrCat(stages, " stages, ", counts.size(),
                                     " streams, ", tiles, " tiles"))});
}

TEST(CursorTest, StreamsContinueThePhasesOfTheirRing) {
  Launches launches = StreamLaunches();
  for (int stages : {1, 2, 3})
    for (const std::vector<int>& counts : StreamCounts())
      AddStreams(stages, counts, stages, &launches);
  for (uint64_t seed : {0, 1, 7}) ExpectRight(&launches, seed);
}

void AddTurns(int groups, int passes, int rounds, int seed,
              Launches* launches) {
  launches->Add(
      absl::StrCat("take_turns_", groups),
      {int32_t{passes}, int32_t{rounds}, int32_t{seed},
       launches->Output(DType::kI32, Numbers(TurnLog(groups, passes, rounds)),
                        absl::StrCat(groups, " groups, ", passes, " passes of ",
                                     rounds, " rounds, seed ", seed))});
}

TEST(TurnTest, GroupsGoInOrder) {
  Launches launches = StreamLaunches();
  for (int groups : {2, 3})
    for (int passes : {1, 3})
      for (int rounds : {0, 1, 2, 5})
        for (int seed : {0, 1, 2})
          AddTurns(groups, passes, rounds, seed, &launches);
  ExpectRight(&launches, 0);
}

TensorMapArg MapOf(const BoxCase& box, DType dtype, int swizzle,
                   Launches* launches) {
  TensorMapArg map;
  map.base = launches->Input(Pack(dtype, box.Matrix()));
  map.dtype = dtype;
  map.rows = box.rows;
  map.columns = box.columns;
  map.row_pitch = box.columns * static_cast<int64_t>(DTypeSize(dtype));
  map.box_rows = box.box_rows;
  map.box_columns = box.box_columns;
  map.swizzle_bytes = swizzle;
  return map;
}

void AddBoxes(const BoxStart& start, Launches* launches) {
  const std::string what =
      absl::StrCat("row ", start.row, " column ", start.column);
  auto out = [&](const BoxCase& box, DType dtype) {
    return launches->Output(
        dtype, box.Boxes(start.row, start.column, start.tiles), what);
  };
  launches->Add(
      "load_boxes",
      {MapOf(kKeyBoxes, DType::kBF16, 128, launches),
       MapOf(kNumberBoxes, DType::kF32, 0, launches), int32_t{start.row},
       int32_t{start.column}, int32_t{start.tiles},
       out(kKeyBoxes, DType::kBF16), out(kNumberBoxes, DType::kF32)});
}

TEST(BoxTest, SlotsHoldBoxesOfTwoMaps) {
  Launches launches = StreamLaunches();
  for (const BoxStart& start : kBoxStarts) AddBoxes(start, &launches);
  ExpectRight(&launches, 0);
}

//===----------------------------------------------------------------------===//
// Seeded faults
//===----------------------------------------------------------------------===//

class CursorFaultTest : public ::testing::TestWithParam<LaunchFault> {};
TEST_P(CursorFaultTest, IsCaught) {
  for (int stages : {2, 3}) {
    Launches launches = StreamLaunches();
    AddStreams(stages, {5, 3}, 0, &launches);
    ExpectCaught(&launches, GetParam());
  }
}

class TurnFaultTest : public ::testing::TestWithParam<LaunchFault> {};
TEST_P(TurnFaultTest, IsCaught) {
  for (int groups : {2, 3}) {
    Launches launches = StreamLaunches();
    AddTurns(groups, 2, 3, 0, &launches);
    ExpectCaught(&launches, GetParam());
  }
}

class BoxFaultTest : public ::testing::TestWithParam<LaunchFault> {};
TEST_P(BoxFaultTest, IsCaught) {
  Launches launches = StreamLaunches();
  AddBoxes({0, 0, 5}, &launches);
  ExpectCaught(&launches, GetParam());
}

std::string Name(const ::testing::TestParamInfo<LaunchFault>& info) {
  return FaultName(info.param);
}

// The loader is warp 0. The first stream begins at 0 in any case.
INSTANTIATE_TEST_SUITE_P(Faults, CursorFaultTest,
                         ::testing::Values(LaunchFault{"cursor_get", 1, 0},
                                           LaunchFault{"cursor_get", 1, 1},
                                           LaunchFault{"cursor_get", 1, 2},
                                           LaunchFault{"cursor_get", 1, -1}),
                         Name);
// Groups begin with warps 4, 8, 12.
INSTANTIATE_TEST_SUITE_P(Faults, TurnFaultTest,
                         ::testing::Values(LaunchFault{"turn_wait", 0, 4},
                                           LaunchFault{"turn_wait", 0, 8},
                                           LaunchFault{"turn_wait", 4, 5},
                                           LaunchFault{"turn_wait", 1, -1},
                                           LaunchFault{"turn_pass", 0, 4},
                                           LaunchFault{"turn_pass", 2, 11},
                                           LaunchFault{"turn_pass", 5, 8},
                                           LaunchFault{"turn_pass", 1, -1}),
                         Name);
INSTANTIATE_TEST_SUITE_P(Faults, BoxFaultTest,
                         ::testing::Values(LaunchFault{"ring_wait", 0, 3},
                                           LaunchFault{"ring_acquire", 3, 0},
                                           LaunchFault{"ring_release", 1, 2},
                                           LaunchFault{"ring_commit", 2, 1}),
                         Name);

}  // namespace
}  // namespace gsa::testing
