// -----------------------------------------------------------------------------
// File: dependent_launch_test.cc
// -----------------------------------------------------------------------------
//
// Dependent launches in the emulation: what may come before the wait, and that
// each block waits. The merge of parts of a list, which such launches do.

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/dtype.h"
#include "test/unit/emu/kernels.h"

namespace gsa::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kTexts[] = R"(
#include <gsa/device/tile.cuh>

using namespace gsa::dev;

extern "C" __global__ void produce(float* y) {
  launch_next();
  store(y, 0ll, 3.0f);
}
extern "C" __global__ void consume(const float* x, const float* y, float* z) {
  const float own = load(x, 0ll);
  launch_wait();
  auto left = launched(y);
  auto to = launched(z);
  store(to, 0ll, own + load(left, 0ll));
}
extern "C" __global__ void hasty(const float* x, const float* y, float* z) {
  const float left = load(y, 0ll);
  launch_wait();
  store(z, 0ll, left + load(x, 0ll));
}
extern "C" __global__ void lazy(const float* x, const float* y, float* z) {
  const float own = load(x, 0ll);
  (void)own;
}
extern "C" __global__ void merge(const float* outputs, const float* lses,
                                 const float* gate, bf16* out, float* lse,
                                 int parts, int rows, int columns,
                                 long long output_step, long long lse_step) {
  auto to = strided_rows(out, (long long)columns, rows);
  auto logs = strided_rows(lse, 1ll, rows);
  auto from = strided_rows(outputs, (long long)columns, rows);
  auto sums = strided_rows(lses, 1ll, rows);
  auto logits = strided_rows(gate, 1ll, rows);
  merge_parts<team<0, 2>, activation::sigmoid, true>(
      to, logs, from, output_step, sums, lse_step, parts, columns,
      gate_of(logits));
}
)";

DeviceProgram MakeTexts() {
  DeviceProgram program;
  program.arch = "sm_90a";
  program.zone_names = {"test"};
  for (const char* symbol : {"produce", "consume", "hasty", "lazy", "merge"}) {
    KernelSource kernel;
    kernel.symbol = symbol;
    kernel.text = kTexts;
    kernel.threads_per_block = 64;
    program.kernels.push_back(kernel);
  }
  return program;
}

// Launches 'produce', then `second`, and gives what the latter wrote.
absl::StatusOr<float> RunPair(const std::string& second, bool dependent) {
  DeviceProgram program = MakeTexts();
  LaunchStep produce, other;
  while (program.kernels[other.kernel].symbol != second) ++other.kernel;
  produce.args = {Out(0)};
  other.args = {In(0), Out(0), Out(1)};
  other.dependent = dependent;
  program.steps = {produce, other};
  program.inputs = {{"x", 4}};
  program.outputs = {{"y", 4}, {"z", 4}};
  float x = 5, y = 0, z = 0;
  absl::Status status = RunProgram(program, {}, {&x}, {&y, &z});
  if (!status.ok()) return status;
  return z;
}

TEST(DependentLaunch, ReadsInputsBeforeItWaits) {
  for (bool dependent : {false, true}) {
    const absl::StatusOr<float> z = RunPair("consume", dependent);
    ASSERT_TRUE(z.ok()) << z.status();
    EXPECT_EQ(*z, 8);
  }
}

TEST(DependentLaunch, MayNotTouchWhatLaunchesWriteBefore) {
  EXPECT_TRUE(RunPair("hasty", /*dependent=*/false).ok());
  EXPECT_THAT(std::string(RunPair("hasty", true).status().message()),
              HasSubstr("load: read of output 0 y before launch_wait, in a "
                        "dependent launch"));
}

TEST(DependentLaunch, WaitsInEachBlock) {
  EXPECT_TRUE(RunPair("lazy", /*dependent=*/false).ok());
  EXPECT_THAT(std::string(RunPair("lazy", true).status().message()),
              HasSubstr("no warp of a block of a dependent launch ran it"));
}

// Rows without keys in some parts, in all, and with NaN and infinities.
TEST(MergeParts, WeighsPartsByTheirSums) {
  constexpr int kParts = 3, kRows = 5, kColumns = 6;
  const float inf = std::numeric_limits<float>::infinity(), nan = NAN;
  const std::vector<float> lses = {1.0f, -inf, -inf, nan,  -90.0f,  //
                                   2.0f, 0.5f, -inf, 1.0f, 90.0f,   //
                                   -inf, 0.5f, -inf, 1.0f, 80.0f};
  std::vector<float> outputs(kParts * kRows * kColumns);
  for (size_t i = 0; i < outputs.size(); ++i)
    outputs[i] = 0.25f * static_cast<float>(i % 17) - 2;
  // The output of a part without keys may be anything.
  outputs[kColumns] = outputs[2 * kColumns] = nan;
  const std::vector<float> gate = {0.0f, 1.0f, -1.0f, 0.0f, 30.0f};
  DeviceProgram program = MakeTexts();
  LaunchStep merge;
  merge.kernel = 4;
  merge.args = {In(0),
                In(1),
                In(2),
                Out(0),
                Out(1),
                int32_t{kParts},
                int32_t{kRows},
                int32_t{kColumns},
                int64_t{kRows * kColumns},
                int64_t{kRows}};
  program.steps = {merge};
  const auto bytes = [](size_t count) {
    return static_cast<int64_t>(4 * count);
  };
  program.inputs = {{"outputs", bytes(outputs.size())},
                    {"lses", bytes(lses.size())},
                    {"gate", bytes(gate.size())}};
  program.outputs = {{"out", kRows * kColumns * 2}, {"lse", kRows * 4}};
  std::vector<uint16_t> out(kRows * kColumns);
  std::vector<float> lse(kRows);
  const absl::Status status =
      RunProgram(program, {}, {outputs.data(), lses.data(), gate.data()},
                 {out.data(), lse.data()});
  ASSERT_TRUE(status.ok()) << status;
  for (int r = 0; r < kRows; ++r) {
    double sum = 0;
    for (int i = 0; i < kParts; ++i)
      sum += std::exp(double{lses[i * kRows + r]});
    const double want_lse = sum == 0 ? -inf : std::log(sum);
    if (std::isnan(want_lse))
      EXPECT_TRUE(std::isnan(lse[r])) << r;
    else if (std::isinf(want_lse))
      EXPECT_EQ(lse[r], want_lse) << r;
    else
      EXPECT_NEAR(lse[r], want_lse, 1e-5 * (1 + std::abs(want_lse))) << r;
    for (int c = 0; c < kColumns; ++c) {
      double want = 0;
      for (int i = 0; i < kParts; ++i)
        if (lses[i * kRows + r] != -inf)
          want += std::exp(double{lses[i * kRows + r]} - want_lse) *
                  outputs[(i * kRows + r) * kColumns + c];
      want /= 1 + std::exp(-double{gate[r]});
      const float got = BF16ToFloat(BF16{out[r * kColumns + c]});
      if (std::isnan(want))
        EXPECT_TRUE(std::isnan(got)) << r << ", " << c;
      else
        EXPECT_NEAR(got, want, 0.01 * (0.1 + std::abs(want))) << r << ", " << c;
    }
  }
}

}  // namespace
}  // namespace gsa::testing
