//===- poison_test.cc - what the poison of a run reaches ------------------===//

#include "test/unit/differential/Poison.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "test/unit/differential/Module.h"
#include "test/unit/differential/Testing.h"

namespace gsa::differential {
namespace {

Spec Lists(Family family) {
  Spec spec;
  spec.family = family;
  spec.b = 2;
  spec.sq = 1;
  spec.sk = 6;
  spec.topk.slots = 4;
  return spec;
}

TEST(Poison, ReachesKeysThatNoListNamesAndTails) {
  Spec spec = Lists(Family::kGather);
  Tensors inputs =
      MakeInputs(spec, WriteModule(spec).inputs, Workload::kNormal, 1);
  absl::Span<int32_t> indices = inputs.at("indices").values<int32_t>();
  const std::vector<int32_t> lists = {5, 2, 0, 1, -7, 3, 9, 4};
  std::copy(lists.begin(), lists.end(), indices.begin());
  inputs.at("counts").values<int32_t>()[0] = 2;
  inputs.at("counts").values<int32_t>()[1] = 3;
  Tensors poisoned = Poisoned(spec, inputs, {});
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t key = 0; key < spec.sk; ++key) {
      bool used = b == 0 ? key == 5 || key == 2 : key == 3;
      EXPECT_EQ(HasNan(poisoned.at("key"), b, key), !used) << b << " " << key;
      EXPECT_EQ(HasNan(poisoned.at("value"), b, key), !used);
    }
  absl::Span<const int32_t> after = poisoned.at("indices").values<int32_t>();
  for (int i : {0, 1, 4, 5, 6}) EXPECT_EQ(after[i], lists[i]) << i;
  for (int i : {2, 3}) {
    bool key = after[i] >= 0 && after[i] < spec.sk;
    EXPECT_TRUE(!key || HasNan(poisoned.at("key"), 0, after[i])) << after[i];
  }
}

TEST(Poison, ReachesWhatLiesBehindALength) {
  Spec spec = Lists(Family::kDense);
  spec.lengths = true;
  Tensors inputs =
      MakeInputs(spec, WriteModule(spec).inputs, Workload::kNormal, 1);
  inputs.at("lengths").values<int32_t>()[0] = 4;
  inputs.at("lengths").values<int32_t>()[1] = -1;
  Tensors poisoned = Poisoned(spec, inputs, {});
  for (int64_t key = 0; key < spec.sk; ++key) {
    EXPECT_EQ(HasNan(poisoned.at("key"), 0, key), key >= 4);
    EXPECT_TRUE(HasNan(poisoned.at("key"), 1, key));
  }
  EXPECT_TRUE(SameBits(inputs.at("query"), poisoned.at("query")));
}

}  // namespace
}  // namespace gsa::differential
