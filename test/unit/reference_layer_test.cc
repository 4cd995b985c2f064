//===- reference_layer_test.cc - the whole layer --------------------------===//
//
// The conformance vector of the published layer, the analytic cases, and the
// known defects of the published layer that this project must not have.
//
//===----------------------------------------------------------------------===//

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/reference/Attention.h"
#include "test/reference/DenseAttention.h"
#include "test/reference/Gate.h"
#include "test/reference/Layer.h"
#include "test/reference/Linear.h"
#include "test/unit/reference_testing.h"

namespace gsa::reference {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Rows = std::vector<std::vector<int32_t>>;

Rows AllRows(const SelectResult& selection) {
  Rows rows;
  for (int64_t b = 0; b < selection.counts.dim(0); ++b) {
    for (int64_t t = 0; t < selection.counts.dim(1); ++t) {
      rows.push_back(Row(selection, b, t));
    }
  }
  return rows;
}

void ExpectRowNear(const Tensor<double>& output, int64_t t,
                   const std::vector<double>& expected) {
  for (size_t m = 0; m < expected.size(); ++m) {
    EXPECT_NEAR(output.At(0, t, m), expected[m], 1e-8) << "y[" << t << "]";
  }
}

/// Whether row (b, t) of both outputs is the same to the last bit.
bool SameRow(const Tensor<double>& a, const Tensor<double>& b, int64_t batch,
             int64_t t) {
  return std::equal(a.Slice(batch, t), a.Slice(batch, t) + a.dim(2),
                    b.Slice(batch, t));
}

double MaxAbs(const Tensor<double>& tensor) {
  double max = 0.0;
  for (double value : tensor.values()) max = std::max(max, std::abs(value));
  return max;
}

//===----------------------------------------------------------------------===//
// Conformance vector: the published layer in float64
//===----------------------------------------------------------------------===//

TEST(LayerConformance, AdaptiveK) {
  SineLayer layer;
  LayerResult result =
      Layer(SineLayer::Input(1, 6), layer.parameters, layer.config);
  EXPECT_THAT(AllRows(result.selection),
              ElementsAre(ElementsAre(0), ElementsAre(0, 1), ElementsAre(0, 2),
                          ElementsAre(1, 3), ElementsAre(1, 3, 4),
                          ElementsAre(0, 2, 3, 5)));
  EXPECT_THAT(result.selection.k.values(), ElementsAre(1, 2, 2, 2, 3, 4));
  std::vector<double> variance = {0.06282977,  0.132521449, 0.243108829,
                                  0.134570024, 0.113274533, 0.017616445};
  for (size_t t = 0; t < variance.size(); ++t) {
    EXPECT_NEAR(result.selection.statistic[t], variance[t], 1e-8);
  }
  EXPECT_NEAR(result.selection.normaliser, 0.117320175, 1e-9);
  ExpectRowNear(result.output, 0,
                {0.451538244, -0.079354531, -0.362504959, 0.486073681,
                 -0.182854407, -0.280916793, 0.498034204, -0.277861903});
  ExpectRowNear(result.output, 5,
                {0.338122657, -0.416539543, 0.129221596, 0.271556981,
                 -0.433899979, 0.215265134, 0.192379276, -0.431108625});
}

TEST(LayerConformance, Scores) {
  SineLayer layer;
  Tensor<double> hidden = SineLayer::Input(1, 6);
  auto project = [&](const std::string& name, const char* bias) {
    return Linear(hidden, layer.parameters.at(name + ".weight"),
                  bias ? &layer.parameters.at(bias) : nullptr);
  };
  Tensor<double> query({1, 6, 2, 4},
                       project("indexer.q_proj", nullptr).values());
  Tensor<double> key = project("indexer.k_proj", nullptr);
  Tensor<double> weights =
      project("indexer.weight_proj", "indexer.weight_proj.bias");
  Tensor<double> scores =
      IndexScores({query, key, &weights, &layer.parameters.at("indexer.bias")});
  std::vector<double> expected = {0.88858075,  0.761719043, 1.059235641,
                                  0.840752393, 0.80061298,  1.073745196};
  for (size_t s = 0; s < expected.size(); ++s) {
    EXPECT_NEAR(scores.At(0, 5, s), expected[s], 1e-8);
  }
}

TEST(LayerConformance, FixedK) {
  SineLayer layer;
  layer.config.select.policy = KPolicy::Fixed(3);
  LayerResult result =
      Layer(SineLayer::Input(1, 6), layer.parameters, layer.config);
  EXPECT_THAT(AllRows(result.selection),
              ElementsAre(ElementsAre(0), ElementsAre(0, 1),
                          ElementsAre(0, 1, 2), ElementsAre(0, 1, 3),
                          ElementsAre(1, 3, 4), ElementsAre(0, 2, 5)));
  ExpectRowNear(result.output, 5,
                {0.732968136, -0.398423145, -0.285949912, 0.719249943,
                 -0.521025878, -0.134675312, 0.672127338, -0.619430399});
}

//===----------------------------------------------------------------------===//
// Analytic cases
//===----------------------------------------------------------------------===//

const Rows kLowestThree = {{0}, {0, 1}, {0, 1, 2}, {0, 1, 2}, {0, 1, 2}};

TEST(LayerAnalytic, EqualScoresKeepTheLowestIndices) {
  SineLayer layer;
  layer.config.select.policy = KPolicy::Fixed(3);
  layer.parameters["indexer.q_proj.weight"] = Tensor<double>({8, 8}, 0.0);
  LayerResult result =
      Layer(SineLayer::Input(1, 5), layer.parameters, layer.config);
  EXPECT_EQ(AllRows(result.selection), kLowestThree);
}

TEST(LayerAnalytic, ReluThatNeverFiresKeepsTheLowestIndices) {
  SineLayer layer;
  layer.config.select.policy = KPolicy::Fixed(3);
  layer.config.select.score_activation = ScoreActivation::kRelu;
  layer.parameters["indexer.bias"] = Tensor<double>({2}, -1e3);
  LayerResult result =
      Layer(SineLayer::Input(1, 5), layer.parameters, layer.config);
  EXPECT_EQ(AllRows(result.selection), kLowestThree);
}

TEST(LayerAnalytic, BudgetOfAllKeysIsDense) {
  SineLayer layer;
  layer.config.select.policy = KPolicy::Fixed(5);
  layer.config.use_output_gate = false;
  LayerResult result =
      Layer(SineLayer::Input(2, 5), layer.parameters, layer.config);
  AttentionResult dense =
      DenseAttention({result.query, result.cache.key, result.cache.value}, {});
  EXPECT_EQ(result.lse, dense.lse);
  Tensor<double> flat({2, 5, 8}, dense.output.values());
  EXPECT_EQ(result.output, Linear(flat, layer.parameters.at("o_proj.weight")));
}

TEST(LayerAnalytic, ClosedOutputGateGivesZero) {
  SineLayer layer;
  layer.parameters["output_gate.gate_proj.bias"] = Tensor<double>({8}, -1e4);
  LayerResult result =
      Layer(SineLayer::Input(1, 5), layer.parameters, layer.config);
  EXPECT_EQ(MaxAbs(result.output), 0.0);
}

TEST(LayerAnalytic, OpenOutputGateIsNoGate) {
  SineLayer layer;
  layer.parameters["output_gate.gate_proj.bias"] = Tensor<double>({8}, 1e4);
  LayerResult gated =
      Layer(SineLayer::Input(1, 5), layer.parameters, layer.config);
  layer.config.use_output_gate = false;
  LayerResult plain =
      Layer(SineLayer::Input(1, 5), layer.parameters, layer.config);
  EXPECT_EQ(gated.output, plain.output);
}

TEST(LayerAnalytic, OneKeyReturnsItsValue) {
  SineLayer layer;
  layer.config.use_output_gate = false;
  LayerResult result =
      Layer(SineLayer::Input(1, 1), layer.parameters, layer.config);
  Tensor<double> expanded({1, 1, 8});
  for (int64_t i = 0; i < 8; ++i) {
    expanded[i] = result.cache.value.At(0, 0, i / 4, i % 2);
  }
  EXPECT_EQ(result.output,
            Linear(expanded, layer.parameters.at("o_proj.weight")));
}

TEST(LayerAnalytic, PerRowPolicyKeepsBatchElementsApart) {
  for (KPolicyKind kind : {KPolicyKind::kFixed, KPolicyKind::kPaperEma,
                           KPolicyKind::kEntropy, KPolicyKind::kOrth}) {
    SineLayer layer;
    layer.config.select.policy = {kind, 3, 1, 4, 1.0};
    if (kind == KPolicyKind::kPaperEma) layer.config.select.normaliser = 0.1;
    Tensor<double> hidden = SineLayer::Input(2, 9);
    LayerResult before = Layer(hidden, layer.parameters, layer.config);
    std::for_each(hidden.Slice(1), hidden.Slice(2),
                  [](double& x) { x *= 100.0; });
    LayerResult after = Layer(hidden, layer.parameters, layer.config);
    for (int64_t t = 0; t < 9; ++t) {
      EXPECT_TRUE(SameRow(before.output, after.output, 0, t));
      EXPECT_FALSE(SameRow(before.output, after.output, 1, t));
    }
  }
}

//===----------------------------------------------------------------------===//
// Defects of the published layer
//===----------------------------------------------------------------------===//

// Published: one token with adaptive k has no variance (0 / 0) and attends to
// nothing.
TEST(LayerDefects, OneTokenPromptAttends) {
  SineLayer layer;
  LayerResult result =
      Layer(SineLayer::Input(1, 1), layer.parameters, layer.config);
  EXPECT_THAT(result.selection.counts.values(), ElementsAre(1));
  EXPECT_GT(MaxAbs(result.output), 1e-3);
}

// Published: the indexer of a decoded chunk sees the chunk only. Under a
// policy without coupling between rows, decoding must equal prefill.
TEST(LayerDefects, DecodingEqualsPrefill) {
  SineLayer layer;
  layer.config.select.policy = {KPolicyKind::kOrth, 2, 1, 4, 0.3};
  Tensor<double> hidden = SineLayer::Input(2, 11);
  LayerResult whole = Layer(hidden, layer.parameters, layer.config);
  std::vector<int64_t> chunks = {4, 1, 3, 1, 2};
  LayerCache cache;
  int64_t done = 0;
  for (int64_t chunk : chunks) {
    Tensor<double> part({2, chunk, 8});
    for (int64_t b = 0; b < 2; ++b) {
      std::copy(hidden.Slice(b, done), hidden.Slice(b, done + chunk),
                part.Slice(b));
    }
    LayerResult step = Layer(part, layer.parameters, layer.config, nullptr,
                             done ? &cache : nullptr);
    for (int64_t b = 0; b < 2; ++b) {
      for (int64_t i = 0; i < chunk; ++i) {
        EXPECT_EQ(Row(step.selection, b, i), Row(whole.selection, b, done + i));
        for (int64_t m = 0; m < 8; ++m) {
          EXPECT_EQ(step.output.At(b, i, m), whole.output.At(b, done + i, m));
        }
      }
    }
    cache = step.cache;
    done += chunk;
  }
  EXPECT_EQ(done, 11);
  EXPECT_EQ(cache.key, whole.cache.key);
}

// Published: the batch mean of the variance carries the future into the past.
TEST(LayerDefects, FutureTokensDoNotChangeEarlierRows) {
  SineLayer layer;
  layer.config.select.policy = {KPolicyKind::kPaperEma, 3, 1, 5, 1.0};
  layer.config.select.normaliser = 0.05;
  Tensor<double> hidden = SineLayer::Input(1, 12);
  LayerResult before = Layer(hidden, layer.parameters, layer.config);
  std::for_each(hidden.Slice(0, 7), hidden.Slice(1),
                [](double& x) { x = 3.0 - 5.0 * x; });
  LayerResult after = Layer(hidden, layer.parameters, layer.config);
  for (int64_t t = 0; t < 12; ++t) {
    EXPECT_EQ(SameRow(before.output, after.output, 0, t), t < 7) << t;
  }
}

// Published: one NaN anywhere silently zeroes the attention of the batch.
TEST(LayerDefects, NanTokenDoesNotChangeOtherRows) {
  for (double bad : {std::nan(""), double(INFINITY)}) {
    SineLayer layer;
    layer.config.select.policy = {KPolicyKind::kOrth, 2, 1, 4, 0.3};
    Tensor<double> hidden = SineLayer::Input(2, 8);
    LayerResult before = Layer(hidden, layer.parameters, layer.config);
    std::fill(hidden.Slice(1, 4), hidden.Slice(1, 5), bad);
    LayerResult after = Layer(hidden, layer.parameters, layer.config);
    for (int64_t t = 0; t < 8; ++t) {
      EXPECT_TRUE(SameRow(before.output, after.output, 0, t));
      EXPECT_EQ(after.selection.status.At(0, t), 0);
      if (t < 4) {
        EXPECT_TRUE(SameRow(before.output, after.output, 1, t));
      }
    }
    // The rows after it see one NaN score, leave that key out and go on.
    for (int64_t t = 5; t < 8; ++t) {
      EXPECT_EQ(after.selection.status.At(1, t), 1);
      EXPECT_EQ(after.selection.visible.At(1, t), t);
      EXPECT_THAT(Row(after.selection, 1, t),
                  ::testing::Not(::testing::Contains(4)));
      for (int64_t m = 0; m < 8; ++m) {
        EXPECT_TRUE(std::isfinite(after.output.At(1, t, m)));
      }
    }
    // Its own row is all NaN scores: reported, and empty.
    EXPECT_EQ(after.selection.status.At(1, 4), 5);
    EXPECT_EQ(after.selection.counts.At(1, 4), 0);
  }
}

// The same under the policy that couples rows: budgets may move, but no row
// loses its keys.
TEST(LayerDefects, NanTokenUnderBatchMeanLeavesOtherRowsAlive) {
  SineLayer layer;
  Tensor<double> hidden = SineLayer::Input(2, 8);
  std::fill(hidden.Slice(1, 4), hidden.Slice(1, 5), std::nan(""));
  LayerResult result = Layer(hidden, layer.parameters, layer.config);
  EXPECT_TRUE(std::isfinite(result.selection.normaliser));
  for (int64_t i = 0; i < 16; ++i) {
    if (i == 12) continue;
    EXPECT_GE(result.selection.counts[i], 1);
    for (int64_t m = 0; m < 8; ++m) {
      EXPECT_TRUE(std::isfinite(result.output[i * 8 + m]));
      EXPECT_NE(result.output[i * 8 + m], 0.0);
    }
  }
}

// Published: the option gate_activation has no effect.
TEST(LayerDefects, GateActivationHasAnEffect) {
  SineLayer layer;
  Tensor<double> hidden = SineLayer::Input(1, 4);
  LayerResult sigmoid = Layer(hidden, layer.parameters, layer.config);
  layer.config.gate_activation = GateActivation::kTanh;
  LayerResult tanh = Layer(hidden, layer.parameters, layer.config);
  layer.config.gate_activation = GateActivation::kSilu;
  LayerResult silu = Layer(hidden, layer.parameters, layer.config);
  EXPECT_NE(sigmoid.output, tanh.output);
  EXPECT_NE(sigmoid.output, silu.output);
  EXPECT_NE(tanh.output, silu.output);
}

// Published: parameters that the layer cannot use are ignored.
TEST(LayerDefects, ParametersAreNeverIgnored) {
  SineLayer layer;
  Tensor<double> hidden = SineLayer::Input(1, 4);
  auto message = [&] {
    try {
      Layer(hidden, layer.parameters, layer.config);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  layer.parameters["q_proj.bias"] = Tensor<double>({8});
  EXPECT_THAT(message(), HasSubstr("unknown parameter q_proj.bias"));
  layer.parameters.erase("q_proj.bias");
  layer.parameters.erase("indexer.bias");
  EXPECT_THAT(message(), HasSubstr("indexer.bias is missing"));
  layer.parameters["indexer.bias"] = Tensor<double>({3});
  EXPECT_THAT(message(), HasSubstr("expected [2]"));
}

//===----------------------------------------------------------------------===//
// Structure
//===----------------------------------------------------------------------===//

TEST(Layer, EqualsProjectionsAroundTheBlock) {
  SineLayer layer;
  layer.config.select.sink = layer.config.select.local = 1;
  Tensor<double> hidden = SineLayer::Input(2, 7);
  LayerResult result = Layer(hidden, layer.parameters, layer.config);
  auto heads = [&](const std::string& name, const std::string& bias,
                   int64_t count, int64_t depth) {
    Tensor<double> flat =
        Linear(hidden, layer.parameters.at(name),
               bias.empty() ? nullptr : &layer.parameters.at(bias));
    return Tensor<double>({2, 7, count, depth}, flat.values());
  };
  Tensor<double> query = heads("q_proj.weight", "", 4, 2);
  Tensor<double> key = heads("k_proj.weight", "", 2, 2);
  Tensor<double> value = heads("v_proj.weight", "", 2, 2);
  Tensor<double> value_gate =
      heads("value_gate.gate_proj.weight", "value_gate.gate_proj.bias", 2, 2);
  Tensor<double> output_gate =
      heads("output_gate.gate_proj.weight", "output_gate.gate_proj.bias", 4, 2);
  Tensor<double> index_query = heads("indexer.q_proj.weight", "", 2, 4);
  Tensor<double> index_key =
      Linear(hidden, layer.parameters.at("indexer.k_proj.weight"));
  Tensor<double> weights =
      Linear(hidden, layer.parameters.at("indexer.weight_proj.weight"),
             &layer.parameters.at("indexer.weight_proj.bias"));
  Tensor<int64_t> positions = Positions(2, 7);
  AttentionOptions options;
  options.select = layer.config.select;
  BlockResult block = Attention(
      {query,
       key,
       value,
       positions,
       positions,
       {index_query, index_key, &weights, &layer.parameters.at("indexer.bias")},
       &value_gate,
       &output_gate},
      options);
  EXPECT_EQ(block.lse, result.lse);
  EXPECT_EQ(block.selection.indices, result.selection.indices);
  Tensor<double> flat({2, 7, 8}, block.output.values());
  EXPECT_EQ(Linear(flat, layer.parameters.at("o_proj.weight")), result.output);
}

// Keys and queries have their own positions: the last queries alone give what
// they gave among all queries, and shifting all positions changes nothing.
TEST(Attention, PositionsBelongToTheirTokens) {
  std::mt19937 generator(47);
  Tensor<double> query = Random({1, 6, 4, 4}, &generator);
  Tensor<double> key = Random({1, 6, 2, 4}, &generator);
  Tensor<double> value = Random({1, 6, 2, 3}, &generator);
  Tensor<double> index_query = Random({1, 6, 2, 5}, &generator);
  Tensor<double> index_key = Random({1, 6, 5}, &generator);
  Tensor<double> value_gate = Random({1, 6, 2, 3}, &generator);
  AttentionOptions options;
  options.select.policy = KPolicy::Fixed(3);
  Tensor<int64_t> positions = Positions(1, 6), shifted = Positions(1, 6, 40);
  BlockResult all = Attention({query,
                               key,
                               value,
                               positions,
                               positions,
                               {index_query, index_key},
                               &value_gate},
                              options);
  BlockResult later = Attention({query,
                                 key,
                                 value,
                                 shifted,
                                 shifted,
                                 {index_query, index_key},
                                 &value_gate},
                                options);
  auto last_two = [](const Tensor<double>& tensor) {
    Shape shape = tensor.shape();
    shape[1] = 2;
    return Tensor<double>(
        shape, std::vector<double>(tensor.Slice(0, 4), tensor.Slice(1)));
  };
  BlockResult part = Attention({last_two(query),
                                key,
                                value,
                                Positions(1, 2, 4),
                                positions,
                                {last_two(index_query), index_key},
                                &value_gate},
                               options);
  EXPECT_EQ(part.output, last_two(all.output));
  for (int64_t i = 0; i < all.output.size(); ++i) {
    EXPECT_NEAR(all.output[i], later.output[i], 1e-12);
  }
}

TEST(Layer, PerHeadGateScalesWholeHeads) {
  SineLayer layer;
  Tensor<double> hidden = SineLayer::Input(1, 5);
  std::mt19937 generator(3);
  Tensor<double> weight = Random({4, 8}, &generator);
  Tensor<double> bias = Random({4}, &generator);
  // The elementwise gate with each row repeated for the D = 2 elements.
  Tensor<double> wide({8, 8}), wide_bias({8});
  for (int64_t row = 0; row < 8; ++row) {
    wide_bias[row] = bias[row / 2];
    std::copy(weight.Slice(row / 2), weight.Slice(row / 2 + 1),
              wide.Slice(row));
  }
  layer.parameters["output_gate.gate_proj.weight"] = weight;
  layer.parameters["output_gate.gate_proj.bias"] = bias;
  LayerResult narrow = Layer(hidden, layer.parameters, layer.config);
  layer.parameters["output_gate.gate_proj.weight"] = wide;
  layer.parameters["output_gate.gate_proj.bias"] = wide_bias;
  EXPECT_EQ(narrow.output,
            Layer(hidden, layer.parameters, layer.config).output);
}

TEST(Layer, ThreadsDoNotChangeTheResult) {
  SineLayer layer;
  Tensor<double> hidden = SineLayer::Input(2, 70);
  LayerResult one = Layer(hidden, layer.parameters, layer.config);
  layer.config.num_threads = 3;
  LayerResult three = Layer(hidden, layer.parameters, layer.config);
  EXPECT_EQ(one.output, three.output);
  EXPECT_EQ(one.lse, three.lse);
  EXPECT_EQ(one.selection.indices, three.selection.indices);
}

}  // namespace
}  // namespace gsa::reference
