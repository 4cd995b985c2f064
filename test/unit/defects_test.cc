//===- defects_test.cc - defects that compiled layers must not have -------===//
//
// The published layer has defects that users met (docs/spec.md, "What we do
// not reproduce"). Each one that a compiled module could have is a test here;
// modules go through the optimised path.
//
//===----------------------------------------------------------------------===//

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "test/unit/differential/Testing.h"
#include "test/unit/differential/layer_testing.h"

namespace gsa::differential {
namespace {

using reference::KPolicy;
using ::testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double MaxAbsRow(const Tensors& outputs, int64_t b, int64_t t) {
  const HostTensor& output = outputs.at("output");
  int64_t width = output.shape()[2], length = output.shape()[1];
  double largest = 0;
  for (int64_t m = 0; m < width; ++m) {
    largest = std::max(
        largest,
        std::abs(output.values<double>()[(b * length + t) * width + m]));
  }
  return largest;
}

// The variance of one score is undefined; the published layer attends to
// nothing then and returns 0.
TEST(Defects, OneTokenPromptIsNotZero) {
  LayerProgram one(ConformanceText(), 1, 1);
  Tensors outputs = one.Run();
  EXPECT_EQ(outputs.at("counts").values<int32_t>()[0], 1);
  EXPECT_EQ(outputs.at("indices").values<int32_t>()[0], 0);
  EXPECT_GT(MaxAbsRow(outputs, 0, 0), 0.1);
  // It is the first row of a longer prompt, which can attend to itself only.
  Tensors longer = LayerProgram(ConformanceText(), 1, 6).Run();
  EXPECT_EQ(RowBytes(outputs.at("output"), 0, 0),
            RowBytes(longer.at("output"), 0, 0));
}

// The published indexer sees only the new tokens and applies their triangle to
// the start of the cache.
TEST(Defects, ChunkSeesRecentKeys) {
  constexpr int64_t kAll = 40, kNew = 7;
  Spec spec = BlockSpec(DType::kF32, KPolicy::Fixed(6), 1, kAll, kAll);
  Program prefill(spec);
  spec.sq = kNew;
  Program chunk(spec);
  for (auto& [name, tensor] : chunk.inputs) {
    const HostTensor& whole = prefill.inputs.at(name);
    // Query-side tensors are the last tokens of the prompt's.
    const char* end =
        static_cast<const char*>(whole.raw_data()) + whole.byte_size();
    std::memcpy(tensor.raw_data(), end - tensor.byte_size(),
                tensor.byte_size());
  }
  Tensors expected = prefill.Run(), outputs = chunk.Run();
  bool recent = false;
  for (int64_t t = 0; t < kNew; ++t) {
    int64_t token = kAll - kNew + t;
    std::vector<int32_t> keys = Keys(outputs, 0, t);
    EXPECT_EQ(keys, Keys(expected, 0, token));
    recent = recent || keys.back() >= kAll - kNew;
    for (const char* name : {"output", "lse"}) {
      EXPECT_EQ(RowBytes(outputs.at(name), 0, t),
                RowBytes(expected.at(name), 0, token))
          << name << " of token " << token;
    }
  }
  EXPECT_TRUE(recent);
}

TEST(Defects, OneTokenOverACacheSelectsFromTheCache) {
  for (const KPolicy& policy : Policies()) {
    Spec spec = BlockSpec(DType::kBF16, policy, 2, 1, 30);
    spec.normaliser = policy.kind == reference::KPolicyKind::kPaperEma;
    Tensors outputs = Program(spec).Run();
    for (int64_t b = 0; b < 2; ++b) {
      EXPECT_GE(Keys(outputs, b, 0).size(), 2u);
      EXPECT_GT(Keys(outputs, b, 0).back(), 0);
      EXPECT_FALSE(HasNan(outputs.at("output"), b, 0));
    }
  }
}

// Through the mean variance of the batch, later tokens and other sequences
// change earlier rows of the published layer.
TEST(Defects, LaterTokensAndOtherSequencesDoNotLeak) {
  for (const char* policy : {"<fixed, base = 4>", "<orth, base = 2, max = 4>",
                             "<entropy, base = 3, min = 1, max = 4>"}) {
    LayerProgram layer(WithPolicy(policy, 4), 2, 12);
    Tensors before = layer.Run();
    for (int64_t i = 7 * 8; i < 12 * 8; ++i) layer.hidden()[i] += 1.5;
    Tensors after = layer.Run();
    for (int64_t t = 0; t < 12; ++t) {
      EXPECT_EQ(Row(before, 0, t) == Row(after, 0, t), t < 7) << policy << t;
      EXPECT_EQ(Row(before, 1, t), Row(after, 1, t)) << policy << t;
    }
  }
}

// One bad token silences the whole batch of the published layer.
TEST(Defects, NanTokenLeavesTheOtherRowsAlive) {
  for (double bad : {kNan, std::numeric_limits<double>::infinity()}) {
    LayerProgram layer(ConformanceText(), 2, 9);
    layer.hidden()[5 * 8 + 3] = bad;
    Tensors outputs = layer.Run();
    for (int64_t b = 0; b < 2; ++b) {
      for (int64_t t = 0; t < 9; ++t) {
        if (b == 0 && t >= 5) continue;  // May read the bad token.
        EXPECT_GT(MaxAbsRow(outputs, b, t), 0.01) << b << "," << t;
        EXPECT_FALSE(HasNan(outputs.at("output"), b, t)) << b << "," << t;
        EXPECT_GE(outputs.at("counts").values<int32_t>()[b * 9 + t], 1);
        EXPECT_EQ(outputs.at("status").values<int32_t>()[b * 9 + t], 0);
      }
    }
    if (std::isnan(bad)) {
      EXPECT_EQ(outputs.at("status").values<int32_t>()[5], 6);
      EXPECT_EQ(outputs.at("status").values<int32_t>()[6], 1);
    }
  }
}

// The published layer takes a mask and ignores it.
TEST(Defects, MaskOperandIsRefusedNotIgnored) {
  CompileOptions options;
  options.shapes["hidden_states"] = {1, 6, 8};
  options.shapes["attention_mask"] = {1, 6};
  auto plan = Plan::Compile(ConformanceText(), "layer.mlir", options);
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(std::string(plan.status().message()),
              HasSubstr("attention_mask"));
}

// The published layer rounds scores to the data type: 261 different values
// among 4096.
TEST(Defects, Bf16ScoresAreNotRounded) {
  Spec spec = BlockSpec(DType::kBF16, KPolicy::Fixed(6), 1, 64, 64);
  spec.family = Family::kIndexScores;
  spec.select.mask = reference::Mask::kNone;
  Tensors outputs = Program(spec, Workload::kNormal).Run();
  ASSERT_EQ(outputs.at("scores").dtype(), DType::kF32);
  absl::Span<const float> scores = outputs.at("scores").values<float>();
  EXPECT_GT(std::set<float>(scores.begin(), scores.end()).size(), 4000u);
}

TEST(Defects, GateActivationHasAnEffect) {
  std::set<std::string> results;
  for (const char* activation : {"sigmoid", "tanh", "silu"}) {
    std::string text =
        Replaced(ConformanceText(), std::string("policy ") + kAdaptivePolicy,
                 absl::StrCat("policy ", kAdaptivePolicy,
                              " {gate_activation = #gsa.gate_activation<",
                              activation, ">}"));
    Tensors outputs = LayerProgram(text, 1, 6).Run();
    results.insert(Row(outputs, 0, 5, {"indices", "counts", "lse"}));
  }
  EXPECT_EQ(results.size(), 3u);
}

// A rotary table in bf16 gives neighbours the same angle.
TEST(Defects, RopeTellsFarNeighboursApart) {
  Spec spec = BlockSpec(DType::kBF16, KPolicy::Fixed(1), 1, 6, 6);
  spec.family = Family::kRope;
  Program program(spec, Workload::kNormal);
  HostTensor& input = program.inputs.at("input");
  size_t token = input.byte_size() / 6;
  char* data = static_cast<char*>(input.raw_data());
  for (int i = 1; i < 6; ++i) std::memcpy(data + i * token, data, token);
  for (int64_t first : {0, 300, 1'000'003, 16'777'216, 2'000'000'000}) {
    absl::Span<int64_t> positions =
        program.inputs.at("positions").values<int64_t>();
    for (size_t i = 0; i < 6; ++i) positions[i] = first + i;
    Tensors outputs = program.Run();
    std::set<std::string> rows;
    for (int64_t t = 0; t < 6; ++t) rows.insert(Row(outputs, 0, t));
    EXPECT_EQ(rows.size(), 6u) << "from position " << first;
    // One step turns the first pair by one radian wherever it happens.
    reference::Tensor<double> y = AsDouble(outputs.at("output"));
    double cross = y.At(0, 0, 0, 0) * y.At(0, 1, 0, 16) -
                   y.At(0, 0, 0, 16) * y.At(0, 1, 0, 0);
    double dot = y.At(0, 0, 0, 0) * y.At(0, 1, 0, 0) +
                 y.At(0, 0, 0, 16) * y.At(0, 1, 0, 16);
    EXPECT_NEAR(std::atan2(cross, dot), 1.0, 0.03) << "from " << first;
  }
}

// The published indexer drops the causal mask when lengths differ.
TEST(Defects, DifferentLengthsKeepTheCausalMask) {
  for (auto [queries, keys] : {std::pair<int64_t, int64_t>{3, 9}, {9, 3}}) {
    Spec spec = BlockSpec(DType::kF32, KPolicy::Fixed(1), 1, queries, keys);
    spec.family = Family::kIndexScores;
    Tensors outputs = Program(spec).Run();
    reference::Tensor<double> scores = AsDouble(outputs.at("scores"));
    for (int64_t t = 0; t < queries; ++t) {
      for (int64_t s = 0; s < keys; ++s) {
        EXPECT_EQ(std::isfinite(scores.At(0, t, s)), s <= t + keys - queries)
            << t << "," << s;
      }
    }
  }
}

TEST(Defects, QueriesBeforeTheFirstKeyAreEmptyRows) {
  Spec spec = BlockSpec(DType::kF32, KPolicy::Fixed(4), 1, 9, 3);
  Tensors outputs = Program(spec).Run();
  for (int64_t t = 0; t < 6; ++t) {
    EXPECT_TRUE(Keys(outputs, 0, t).empty());
    EXPECT_EQ(outputs.at("lse").values<float>()[t],
              -std::numeric_limits<float>::infinity());
    EXPECT_EQ(outputs.at("output").values<float>()[t * 4 * 32], 0.0f);
  }
  EXPECT_EQ(Keys(outputs, 0, 8).size(), 3u);
}

}  // namespace
}  // namespace gsa::differential
