//===- device_index_gradients_test.cc - kernels that train the indexer ----===//
//
// On a GPU and in its emulation: the loss, its gradient and gradients of scores
// agree with the reference over hostile lists and over all keys, and all but
// the gradients of keys, which are added in no order, are the same in every
// run.
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <tuple>

#include "test/unit/differential/device_gradients_testing.h"
#include "test/unit/differential/index_gradients_testing.h"

namespace gsa::differential {
namespace {

/// One element; whole vectors and a rest, and no slot; one key head for all; 17
/// heads of a group; two chunks of columns, two tiles of a list and three parts
/// of heads.
constexpr IndexHeads kHeads[] = {{DType::kF32, 1, 1, 1, 1, 1, 1},
                                 {DType::kF32, 4, 33, 0, 4, 4, 64},
                                 {DType::kF16, 2, 16, 3, 6, 1, 31},
                                 {DType::kBF16, 3, 9, 7, 17, 1, 24},
                                 {DType::kF32, 35, 70, 140, 4, 2, 65},
                                 {DType::kBF16, 4, 64, 150, 8, 2, 136}};

using Setting = std::tuple<const char*, IndexHeads>;

class DeviceIndexGradients : public ::testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    absl::Status usable = TargetIsUsable(target());
    if (!usable.ok()) GTEST_SKIP() << usable;
  }

  static const char* target() { return std::get<0>(GetParam()); }
  static const IndexHeads& heads() { return std::get<1>(GetParam()); }

  static double Tolerance() {
    return heads().type == DType::kF32    ? 2e-5
           : heads().type == DType::kBF16 ? 0x1p-7
                                          : 0x1p-9;
  }

  static void ExpectAgree(const IndexInputs& inputs) {
    ExpectAgrees(target(), IndexModuleText(inputs.heads), inputs,
                 IndexReference(inputs), Tolerance(),
                 /*unordered=*/{"ak", "bk", "ck", "dk"});
    // The only family that trains an indexer, chosen or not.
    Summary::Get().AddFigure("schedule training_schedule", 1);
  }
};

TEST_P(DeviceIndexGradients, AgreeWithTheReference) {
  ExpectAgree(IndexInputs(heads(), 2, 5, 157, /*seed=*/11));
  ExpectAgree(IndexInputs(heads(), 1, 9, 6, /*seed=*/12));
}

TEST_P(DeviceIndexGradients, OverHostileListsAreThoseOfTheReference) {
  IndexHeads odd{heads().type, 3, 9, 7, 6, 2, 5};
  IndexInputs inputs(odd, 2, 11, 8, /*seed=*/1);
  // A NaN concerns the rows that list its key, one in lse its row; 0 keys, a
  // batch.
  inputs.SetNan("ik", 3);
  inputs.SetNan("lse", 5);
  inputs.tensors["lengths"].values<int32_t>()[1] = 0;
  ExpectAgree(inputs);
}

TEST_P(DeviceIndexGradients, OfNothingAreZeroOrNothing) {
  const std::array<int64_t, 3> cases[] = {{2, 5, 0}, {2, 0, 5}, {0, 3, 4}};
  for (auto [batch, queries, keys] : cases) {
    SCOPED_TRACE(testing::Message()
                 << "B" << batch << " Sq" << queries << " Sk" << keys);
    ExpectAgree(IndexInputs({heads().type}, batch, queries, keys, /*seed=*/20));
  }
}

std::string NameOfSetting(const ::testing::TestParamInfo<Setting>& info) {
  auto [target, heads] = info.param;
  return std::string(IsEmulated(target) ? "Emu" : "Cuda") + "_" +
         DTypeName(heads.type) + "_Hi" + std::to_string(heads.heads) + "_K" +
         std::to_string(heads.slots);
}

INSTANTIATE_TEST_SUITE_P(Targets, DeviceIndexGradients,
                         ::testing::Combine(::testing::Values("emu", "cuda:0"),
                                            ::testing::ValuesIn(kHeads)),
                         NameOfSetting);

}  // namespace
}  // namespace gsa::differential
