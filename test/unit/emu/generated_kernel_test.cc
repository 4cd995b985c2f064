// -----------------------------------------------------------------------------
// File: generated_kernel_test.cc
// -----------------------------------------------------------------------------
//
// Kernels that the compiler generated, in emulation: without a fault they have
// no race and the time of copies does not change a bit; with a seeded fault of
// synchronisation they are caught.

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "runtime/core/dtype.h"
#include "runtime/core/status_macros.h"
#include "runtime/emu/emu_executor.h"
#include "test/unit/emu/compile_program.h"

namespace gsa {
namespace {

// Attention of 9 queries to 400 listed keys of 420: seven tiles of 64 through a
// ring of fewer stages, filled by warps of their own.
constexpr char kModule[] = R"mlir(
func.func @main(%q: tensor<1x9x4x64xbf16>, %k: tensor<1x420x1x64xbf16>,
                %v: tensor<1x420x1x64xbf16>, %i: tensor<1x9x400xi32>,
                %c: tensor<1x9xi32>)
    -> (tensor<1x9x4x64xbf16>, tensor<1x4x9xf32>) {
  %o, %l = gsa.gather_attention %q, %k, %v indices %i, %c
      : (tensor<1x9x4x64xbf16>, tensor<1x420x1x64xbf16>,
         tensor<1x420x1x64xbf16>, tensor<1x9x400xi32>, tensor<1x9xi32>)
      -> (tensor<1x9x4x64xbf16>, tensor<1x4x9xf32>)
  return %o, %l : tensor<1x9x4x64xbf16>, tensor<1x4x9xf32>
}
)mlir";

// One run on the same data; `output` and `lse` are what it gives.
struct Result {
  absl::Status status;
  std::vector<uint16_t> output = std::vector<uint16_t>(9 * 4 * 64);
  std::vector<float> lse = std::vector<float>(4 * 9);
};

Result RunProgram(const EmuRunOptions& run) {
  Result result;
  absl::StatusOr<DeviceProgram> program = CompileProgram(kModule, "sm_80");
  result.status = program.status();
  if (!program.ok()) return result;
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  auto draw = [&](int count) {
    std::vector<uint16_t> values(count);
    for (uint16_t& value : values) value = BF16FromFloat(normal(random)).bits;
    return values;
  };
  std::vector<uint16_t> q = draw(9 * 4 * 64), k = draw(420 * 64),
                        v = draw(420 * 64);
  std::vector<int32_t> list(9 * 400), counts(9);
  for (int t = 0; t < 9; ++t) {
    counts[t] = 400 - t;
    for (int i = 0; i < 400; ++i) list[t * 400 + i] = (i * 7 + t) % 420;
  }
  EmuOptions options;
  options.thread_sanitizer = true;
  options.opt_level = 0;
  options.run = run;
  auto executor = EmuExecutor::Create(*std::move(program), options);
  result.status = executor.status();
  if (!executor.ok()) return result;
  result.status = (*executor)->Run(
      {q.data(), k.data(), v.data(), list.data(), counts.data()},
      {result.output.data(), result.lse.data()});
  return result;
}

TEST(GeneratedKernelTest, FaultsOfSynchronisationAreCaught) {
  Result clean = RunProgram({});
  ASSERT_TRUE(clean.status.ok()) << clean.status;
  for (uint64_t seed : {1, 5}) {
    EmuRunOptions run;
    run.seed = seed;
    Result other = RunProgram(run);
    ASSERT_TRUE(other.status.ok()) << other.status;
    EXPECT_EQ(other.output, clean.output);
    EXPECT_EQ(other.lse, clean.lse);
  }
  for (const char* fault : {"ring_wait", "ring_release", "ring_commit",
                            "wrong_slot", "copy_wait"}) {
    EmuRunOptions run;
    run.fault = fault;
    Result broken = RunProgram(run);
    EXPECT_TRUE(!broken.status.ok() || broken.output != clean.output ||
                broken.lse != clean.lse)
        << fault;
  }
}

}  // namespace
}  // namespace gsa
