//===- properties_test.cc - what a row may depend on ----------------------===//
//
// Bitwise properties of compiled modules, each in f32 and in bf16.
//
//===----------------------------------------------------------------------===//

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "test/unit/differential/Testing.h"

namespace gsa::differential {
namespace {

using reference::KPolicy;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
double ToNan(double) { return kNan; }

class Properties : public ::testing::TestWithParam<DType> {
 protected:
  DType dtype() const { return GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Types, Properties,
                         ::testing::Values(DType::kF32, DType::kBF16),
                         [](const ::testing::TestParamInfo<DType>& info) {
                           return std::string(DTypeName(info.param));
                         });

TEST_P(Properties, NanKeyIsNeverSelected) {
  Program program(BlockSpec(dtype(), KPolicy::Fixed(7), 2, 41, 41));
  Tensors clean = program.Run();
  int64_t token = Keys(clean, 0, 30)[3];
  program.EditToken("index_key", 0, token, ToNan);
  Tensors poisoned = program.Run();
  int unchanged = 0, changed = 0;
  for (int64_t t = 0; t < 41; ++t) {
    EXPECT_EQ(Row(clean, 1, t), Row(poisoned, 1, t)) << t;
    EXPECT_FALSE(Contains(Keys(poisoned, 0, t), token)) << t;
    EXPECT_EQ(poisoned.at("status").values<int32_t>()[t], t >= token) << t;
    EXPECT_FALSE(HasNan(poisoned.at("output"), 0, t)) << t;
    if (Contains(Keys(clean, 0, t), token)) {
      ++changed;
    } else {
      ++unchanged;
      EXPECT_EQ(Row(clean, 0, t, {"status"}), Row(poisoned, 0, t, {"status"}));
    }
  }
  EXPECT_GT(unchanged, 0);
  EXPECT_GT(changed, 0);
}

TEST_P(Properties, NanKeyOrValueChangesTheRowsThatSelectIt) {
  constexpr int64_t kToken = 9;
  for (const KPolicy& policy : Policies()) {
    Program program(BlockSpec(dtype(), policy, 2, 37, 37));
    Tensors clean = program.Run();
    for (const char* name : {"key", "value"}) {
      program.Reset();
      program.EditToken(name, 1, kToken, ToNan);
      Tensors poisoned = program.Run();
      for (int64_t t = 0; t < 37; ++t) {
        EXPECT_EQ(Row(clean, 0, t), Row(poisoned, 0, t));
        bool selected = Contains(Keys(clean, 1, t), kToken);
        EXPECT_EQ(HasNan(poisoned.at("output"), 1, t), selected)
            << name << " " << t;
        if (!selected) EXPECT_EQ(Row(clean, 1, t), Row(poisoned, 1, t));
        EXPECT_EQ(Keys(clean, 1, t), Keys(poisoned, 1, t));
      }
    }
  }
}

TEST_P(Properties, NanQueryChangesItsRowOnly) {
  constexpr int64_t kToken = 20;
  for (const KPolicy& policy : Policies()) {
    Program program(BlockSpec(dtype(), policy, 1, 33, 33));
    Tensors clean = program.Run();
    for (const char* name :
         {"index_query", "index_weights", "query", "output_gate"}) {
      program.Reset();
      program.EditToken(name, 0, kToken, ToNan);
      Tensors poisoned = program.Run();
      for (int64_t t = 0; t < 33; ++t) {
        EXPECT_EQ(Row(clean, 0, t) == Row(poisoned, 0, t), t != kToken)
            << name << " " << t;
      }
      if (std::string(name).rfind("index", 0) == 0) {
        EXPECT_EQ(poisoned.at("counts").values<int32_t>()[kToken], 0);
        EXPECT_EQ(poisoned.at("status").values<int32_t>()[kToken], kToken + 1);
        EXPECT_FALSE(HasNan(poisoned.at("output"), 0, kToken));
      } else {
        EXPECT_TRUE(HasNan(poisoned.at("output"), 0, kToken)) << name;
      }
    }
  }
}

TEST_P(Properties, FutureTokensDoNotChangeEarlierRows) {
  constexpr int64_t kCut = 23;
  for (const KPolicy& policy : Policies()) {
    Program program(BlockSpec(dtype(), policy, 2, 40, 40));
    Tensors before = program.Run();
    for (const char* name :
         {"query", "key", "value", "index_query", "index_key", "index_weights",
          "value_gate", "output_gate"}) {
      for (int64_t b = 0; b < 2; ++b) {
        for (int64_t t = kCut; t < 40; ++t) {
          program.EditToken(name, b, t, [](double x) { return 3 - 2 * x; });
        }
      }
    }
    Tensors after = program.Run();
    for (int64_t b = 0; b < 2; ++b) {
      for (int64_t t = 0; t < 40; ++t) {
        EXPECT_EQ(Row(before, b, t) == Row(after, b, t), t < kCut)
            << "policy " << static_cast<int>(policy.kind) << " row " << b << ","
            << t;
      }
    }
  }
}

TEST_P(Properties, BatchElementsAreComputedAsIfAlone) {
  for (const KPolicy& policy : Policies()) {
    Program together(BlockSpec(dtype(), policy, 3, 29, 34));
    Tensors expected = together.Run();
    Program alone(BlockSpec(dtype(), policy, 1, 29, 34));
    for (int64_t b = 0; b < 3; ++b) {
      for (auto& [name, tensor] : alone.inputs) {
        const HostTensor& whole = together.inputs.at(name);
        size_t offset =
            whole.shape() == tensor.shape() ? 0 : b * tensor.byte_size();
        std::memcpy(tensor.raw_data(),
                    static_cast<const char*>(whole.raw_data()) + offset,
                    tensor.byte_size());
      }
      Tensors outputs = alone.Run();
      for (int64_t t = 0; t < 29; ++t) {
        EXPECT_EQ(Row(expected, b, t), Row(outputs, 0, t))
            << "policy " << static_cast<int>(policy.kind) << " row " << b << ","
            << t;
      }
    }
  }
}

TEST_P(Properties, ScalingOneBatchElementLeavesTheOther) {
  for (const KPolicy& policy : Policies()) {
    Program program(BlockSpec(dtype(), policy, 2, 25, 25));
    Tensors before = program.Run();
    for (const char* name :
         {"query", "key", "value", "index_query", "index_key"}) {
      for (int64_t t = 0; t < 25; ++t) {
        program.EditToken(name, 0, t, [](double x) { return 100 * x; });
      }
    }
    Tensors after = program.Run();
    for (int64_t t = 0; t < 25; ++t) {
      EXPECT_NE(Row(before, 0, t), Row(after, 0, t));
      EXPECT_EQ(Row(before, 1, t), Row(after, 1, t));
    }
  }
}

TEST_P(Properties, NumberOfThreadsDoesNotChangeABit) {
  std::vector<KPolicy> policies = Policies();
  Spec spec = BlockSpec(dtype(), policies[1], 2, 67, 67);
  spec.normaliser = false;  // The mean over all rows is the hard part.
  spec.threads = 1;
  Tensors expected = Program(spec).Run(1);
  for (int compiled_for = 1; compiled_for <= 3; ++compiled_for) {
    spec.threads = compiled_for;
    Program program(spec);
    for (int threads = 1; threads <= 3; ++threads) {
      EXPECT_EQ(FirstDifference(expected, program.Run(threads)), "")
          << "compiled for " << compiled_for << ", run on " << threads;
    }
  }
}

TEST_P(Properties, RepeatedRunsAreEqual) {
  Spec spec = BlockSpec(dtype(), Policies()[3], 2, 53, 61);
  spec.threads = 3;
  Program program(spec);
  Tensors expected = program.Run(3);
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(FirstDifference(expected, program.Run(3)), "");
  }
}

TEST_P(Properties, BudgetOfAllKeysIsDenseAttention) {
  Spec spec = BlockSpec(dtype(), KPolicy::Fixed(45), 2, 45, 45);
  spec.family = Family::kSelectGather;
  Program sparse(spec);
  Tensors selected = sparse.Run();
  for (int64_t t = 0; t < 45; ++t) {
    EXPECT_EQ(Keys(selected, 1, t).size(), static_cast<size_t>(t + 1));
  }
  spec.family = Family::kDense;
  Program dense(spec);
  Tensors expected = dense.Run();
  // Other loops, another order of additions: equal up to rounding.
  for (const char* name : {"output", "lse"}) {
    reference::Tensor<double> a = AsDouble(selected.at(name));
    reference::Tensor<double> b = AsDouble(expected.at(name));
    double ulp = std::string(name) == "output" && dtype() == DType::kBF16
                     ? 0x1p-7
                     : 0x1p-20;
    for (int64_t i = 0; i < a.size(); ++i) {
      EXPECT_NEAR(a[i], b[i], ulp * std::max(1.0, std::abs(b[i])));
    }
  }
}

TEST_P(Properties, EqualScoresKeepTheLowestIndices) {
  for (int64_t budget : {1, 5, 16, 40}) {
    Spec spec = BlockSpec(dtype(), KPolicy::Fixed(budget), 1, 50, 70);
    spec.family = Family::kSelect;
    Tensors outputs = Program(spec, Workload::kAllEqual).Run();
    for (int64_t t = 0; t < 50; ++t) {
      std::vector<int32_t> expected(std::min<int64_t>(budget, t + 21));
      for (size_t i = 0; i < expected.size(); ++i) expected[i] = i;
      EXPECT_EQ(Keys(outputs, 0, t), expected);
    }
  }
}

}  // namespace
}  // namespace gsa::differential
