// -----------------------------------------------------------------------------
// File: export_work_test.cc
// -----------------------------------------------------------------------------
//
// Which kernel of a layer is begun with: NVRTC's time for each of them, on one
// machine and without a cache, has the order that the estimates have.

#include <algorithm>
#include <string>
#include <vector>

#include "codegen/cuda/CompileWork.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/unit/emu/compile_program.h"

namespace gsa {
namespace {

using ::testing::ElementsAre;

// Selection, sparse attention and gate of bench/gpu/modules.py.
constexpr char kCore[] = R"(
func.func @main(%q: tensor<1x8192x32x128xbf16>, %k: tensor<1x8192x8x128xbf16>,
    %v: tensor<1x8192x8x128xbf16>, %iq: tensor<1x8192x4x64xbf16>,
    %ik: tensor<1x8192x64xbf16>, %iw: tensor<1x8192x4xbf16>,
    %bias: tensor<4xf32>, %gate: tensor<1x8192x32x128xbf16>)
    -> (tensor<1x8192x32x128xbf16>, tensor<1x8192xi32>) {
  %indices, %counts, %status = gsa.select %iq, %ik weights %iw bias %bias
      policy <fixed, base = 2048>
      : (tensor<1x8192x4x64xbf16>, tensor<1x8192x64xbf16>,
         tensor<1x8192x4xbf16>, tensor<4xf32>)
      -> (tensor<1x8192x2048xi32>, tensor<1x8192xi32>, tensor<1x8192xi32>)
  %out, %lse = gsa.gather_attention %q, %k, %v indices %indices, %counts
      : (tensor<1x8192x32x128xbf16>, tensor<1x8192x8x128xbf16>,
         tensor<1x8192x8x128xbf16>, tensor<1x8192x2048xi32>,
         tensor<1x8192xi32>)
      -> (tensor<1x8192x32x128xbf16>, tensor<1x32x8192xf32>)
  %result = gsa.gate %out, %gate
      : (tensor<1x8192x32x128xbf16>, tensor<1x8192x32x128xbf16>)
      -> tensor<1x8192x32x128xbf16>
  return %result, %status : tensor<1x8192x32x128xbf16>, tensor<1x8192xi32>
}
)";

// The text of listed_again is longer than that of masked_attention, which has
// more in registers.
TEST(CompileWorkTest, OrdersKernelsAsTheirTimesDo) {
  const absl::StatusOr<DeviceProgram> program = CompileProgram(kCore, "sm_90a");
  ASSERT_TRUE(program.ok()) << program.status();
  std::vector<const KernelSource*> kernels;
  for (const KernelSource& kernel : program->kernels)
    kernels.push_back(&kernel);
  std::sort(kernels.begin(), kernels.end(),
            [](const KernelSource* a, const KernelSource* b) {
              return a->compile_work > b->compile_work;
            });
  std::vector<std::string> names;
  for (const KernelSource* kernel : kernels) names.push_back(kernel->symbol);
  EXPECT_THAT(names,
              ElementsAre("masked_attention", "listed_again", "index_scores",
                          "select_rows", "short_rows", "member_strings"));
}

}  // namespace
}  // namespace gsa
