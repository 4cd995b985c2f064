// -----------------------------------------------------------------------------
// File: tensor_map_test.cc
// -----------------------------------------------------------------------------
//
// A ring that the bulk copy engine fills, from the IR of the kernel and its
// launch to results in emulation. Neither matrix has a multiple of the box's
// rows. The test of the same program on a GPU is in cuda/device_test.cc.

#include <fstream>
#include <iterator>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/status_macros.h"
#include "runtime/emu/emu_executor.h"
#include "test/unit/cuda/tensor_map_case.h"
#include "test/unit/emu/compile_program.h"

namespace gsa {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<DeviceProgram> CompileModule() {
  std::ifstream file(GSA_SOURCE_DIR "/test/run/emu-tensor-map.mlir");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  return CompileProgram(text, "sm_90a");
}

absl::Status RunProgram(DeviceProgram program, uint64_t seed,
                        const TileScoresCase& data, std::vector<float>* got) {
  EmuOptions options;
  options.thread_sanitizer = true;
  options.run.seed = seed;
  GSA_ASSIGN_OR_RETURN(auto executor,
                       EmuExecutor::Create(std::move(program), options));
  got->assign(data.scores.size(), -1.0f);
  return executor->Run({data.queries.data(), data.keys.data()}, {got->data()});
}

TEST(TensorMapTest, TheCompilerMakesTheProgramOfTheTestsWithoutIt) {
  auto program = CompileModule();
  ASSERT_TRUE(program.ok()) << program.status();
  const DeviceProgram expected = TileScoresProgram("sm_90a");
  ASSERT_EQ(program->kernels.size(), 1u);
  // If the printer has changed, so must the text in tensor_map_case.cc.
  EXPECT_EQ(program->kernels[0].text, expected.kernels[0].text);
  EXPECT_EQ(program->kernels[0].dynamic_smem_bytes,
            expected.kernels[0].dynamic_smem_bytes);
  ASSERT_EQ(program->steps.size(), 1u);
  const auto& launch = std::get<LaunchStep>(program->steps[0]);
  const auto& other = std::get<LaunchStep>(expected.steps[0]);
  EXPECT_EQ(launch.grid, other.grid);
  ASSERT_EQ(launch.args.size(), other.args.size());
  for (int i : {0, 1})
    EXPECT_EQ(ToString(std::get<TensorMapArg>(launch.args[i])),
              ToString(std::get<TensorMapArg>(other.args[i])));
}

TEST(TensorMapTest, BoxesPastTheLastRowAreZeros) {
  auto program = CompileModule();
  ASSERT_TRUE(program.ok()) << program.status();
  const TileScoresCase data;
  for (uint64_t seed : {0, 5}) {
    std::vector<float> got;
    const absl::Status status = RunProgram(*program, seed, data, &got);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(got, data.scores) << "seed " << seed;
  }
}

TEST(TensorMapTest, BoxesThatAreNoTilesAreFound) {
  DeviceProgram program = TileScoresProgram("sm_90a");
  auto& map =
      std::get<TensorMapArg>(std::get<LaunchStep>(program.steps[0]).args[1]);
  map.box_rows = 32;
  std::vector<float> got;
  const absl::Status status = RunProgram(program, 0, TileScoresCase(), &got);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("tma_load: a tile of 64x64 elements of 2 bytes by a "
                        "map with boxes of 32x64 elements of 2 bytes"));
}

// A map may be of fewer columns than the box, and of rows that lie apart.
TEST(TensorMapTest, BoxesPastTheLastColumnAreZeros) {
  DeviceProgram program = TileScoresProgram("sm_90a");
  auto& map =
      std::get<TensorMapArg>(std::get<LaunchStep>(program.steps[0]).args[1]);
  map.columns = 40;
  TileScoresCase data;
  std::vector<float> got;
  absl::Status status = RunProgram(program, 0, data, &got);
  ASSERT_TRUE(status.ok()) << status;
  // The same keys with zeros in the columns that are left out.
  for (size_t i = 0; i < data.keys.size(); ++i)
    if (i % 64 >= 40) data.keys[i] = 0;
  std::vector<float> expected;
  status = RunProgram(TileScoresProgram("sm_90a"), 0, data, &expected);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace gsa
