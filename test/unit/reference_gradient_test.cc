//===- reference_gradient_test.cc - gradients against differences ---------===//

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "test/reference/AttentionGradient.h"
#include "test/reference/Gate.h"
#include "test/reference/Math.h"
#include "test/reference/Rope.h"
#include "test/unit/differences_testing.h"

namespace gsa::reference {
namespace {

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

struct Sizes {
  int64_t batch, queries, keys, heads, groups, depth, value_depth, slots;
};

// One of everything; GQA ratios 1 to 6; more slots than keys, so that keys are
// listed twice; more queries than keys; no slots; no keys.
constexpr Sizes kSizes[] = {{1, 1, 1, 1, 1, 1, 1, 1}, {2, 3, 5, 4, 2, 3, 2, 4},
                            {1, 4, 7, 6, 1, 5, 3, 9}, {1, 5, 3, 3, 3, 2, 1, 2},
                            {2, 2, 3, 8, 2, 1, 2, 3}, {1, 3, 4, 2, 1, 2, 2, 0},
                            {1, 2, 0, 2, 2, 3, 1, 2}};

/// Operands of attention, and gradients of its results.
struct Attention {
  Attention(const Sizes& z, std::mt19937* generator)
      : query(Random({z.batch, z.queries, z.heads, z.depth}, generator)),
        key(Random({z.batch, z.keys, z.groups, z.depth}, generator)),
        value(Random({z.batch, z.keys, z.groups, z.value_depth}, generator)),
        output_grad(
            Random({z.batch, z.queries, z.heads, z.value_depth}, generator)),
        lse_grad(Random({z.batch, z.heads, z.queries}, generator)),
        indices({z.batch, z.queries, z.slots}),
        counts({z.batch, z.queries}),
        lengths({z.batch}) {
    // Entries of -1 to Sk, the first and the last of which are no keys; counts
    // of -1 to K + 1.
    for (int32_t& s : indices.values()) s = RandomInt(-1, z.keys, generator);
    for (int32_t& n : counts.values())
      n = RandomInt(-1, z.slots + 1, generator);
    for (int32_t& n : lengths.values())
      n = RandomInt(-1, z.keys + 1, generator);
  }

  AttentionOperands operands() const { return {query, key, value}; }

  AttentionGradients Gather(const GatherAttentionOptions& options = {}) const {
    AttentionResult result =
        GatherAttention(operands(), indices, counts, options);
    Tensor<double> sums =
        AttentionRowSums(result.output, output_grad, &lse_grad);
    return GatherAttentionGradient(operands(), indices, counts,
                                   {output_grad, result.lse, sums}, options);
  }
  AttentionGradients Dense(const DenseAttentionOptions& options = {}) const {
    AttentionResult result = DenseAttention(operands(), options);
    Tensor<double> sums =
        AttentionRowSums(result.output, output_grad, &lse_grad);
    return DenseAttentionGradient(operands(), {output_grad, result.lse, sums},
                                  options);
  }

  void ExpectAll(const AttentionGradients& gradients,
                 const std::function<AttentionResult()>& attend) {
    auto loss = [&] {
      AttentionResult result = attend();
      return Inner(result.output, output_grad) + Inner(result.lse, lse_grad);
    };
    ExpectDifferences("query", &query, gradients.query, loss);
    ExpectDifferences("key", &key, gradients.key, loss);
    ExpectDifferences("value", &value, gradients.value, loss);
  }

  Tensor<double> query, key, value, output_grad, lse_grad;
  Tensor<int32_t> indices, counts, lengths;
};

TEST(AttentionGradient, OverListsIsThatOfDifferences) {
  std::mt19937 generator(1);
  for (const Sizes& sizes : kSizes) {
    for (bool has_lengths : {false, true}) {
      SCOPED_TRACE(testing::Message()
                   << "Sq " << sizes.queries << " Sk " << sizes.keys << " K "
                   << sizes.slots << (has_lengths ? " lengths" : ""));
      Attention a(sizes, &generator);
      GatherAttentionOptions options;
      if (has_lengths) {
        options.lengths = &a.lengths;
        options.scale = -0.7;
      }
      a.ExpectAll(a.Gather(options), [&] {
        return GatherAttention(a.operands(), a.indices, a.counts, options);
      });
    }
  }
}

TEST(AttentionGradient, OverAllKeysIsThatOfDifferences) {
  std::mt19937 generator(2);
  for (const Sizes& sizes : kSizes) {
    for (Mask mask : {Mask::kCausal, Mask::kNone}) {
      for (bool has_lengths : {false, true}) {
        SCOPED_TRACE(testing::Message()
                     << "Sq " << sizes.queries << " Sk " << sizes.keys
                     << (mask == Mask::kCausal ? " causal" : "")
                     << (has_lengths ? " lengths" : ""));
        Attention a(sizes, &generator);
        DenseAttentionOptions options;
        options.mask = mask;
        if (has_lengths) options.lengths = &a.lengths;
        a.ExpectAll(a.Dense(options),
                    [&] { return DenseAttention(a.operands(), options); });
      }
    }
  }
}

bool AreEqual(const AttentionGradients& a, const AttentionGradients& b) {
  return a.query == b.query && a.key == b.key && a.value == b.value;
}

TEST(AttentionGradient, ThreadsDoNotChangeABit) {
  std::mt19937 generator(3);
  Attention a({3, 9, 11, 6, 3, 5, 4, 8}, &generator);
  GatherAttentionOptions options;
  AttentionGradients one = a.Gather(options);
  options.num_threads = 5;
  EXPECT_TRUE(AreEqual(one, a.Gather(options)));
}

TEST(AttentionGradient, PaddingIsNotKeyZero) {
  std::mt19937 generator(4);
  Attention a({1, 2, 3, 2, 1, 4, 2, 3}, &generator);
  a.counts = Tensor<int32_t>({1, 2}, 3);
  a.indices = Tensor<int32_t>({1, 2, 3}, {1, -1, -1, 2, -1, 1});
  AttentionGradients gradients = a.Gather();
  for (int64_t d = 0; d < 4; ++d) EXPECT_EQ(gradients.key.At(0, 0, 0, d), 0.0);
  for (int64_t d = 0; d < 2; ++d)
    EXPECT_EQ(gradients.value.At(0, 0, 0, d), 0.0);
  // Nor does what stands behind the count.
  AttentionGradients first = a.Gather();
  a.indices = Tensor<int32_t>({1, 2, 3}, {1, 0, 0, 2, -1, 1});
  a.counts = Tensor<int32_t>({1, 2}, {1, 3});
  EXPECT_TRUE(AreEqual(first, a.Gather()));
}

TEST(AttentionGradient, RowsWithoutKeysTakeNoPart) {
  std::mt19937 generator(5);
  Attention a({1, 3, 4, 2, 1, 3, 2, 2}, &generator);
  a.indices = Tensor<int32_t>({1, 3, 2}, {0, 1, 2, 3, 7, -1});
  a.counts = Tensor<int32_t>({1, 3}, {2, 0, 2});
  AttentionGradients clean = a.Gather();
  // Rows 1 and 2 have no keys, for two reasons.
  for (int64_t t : {1, 2}) {
    for (int64_t j = 0; j < 2; ++j) {
      for (int64_t d = 0; d < 3; ++d) {
        EXPECT_EQ(clean.query.At(0, t, j, d), 0.0);
        a.query.At(0, t, j, d) = kNan;
      }
      for (int64_t d = 0; d < 2; ++d) a.output_grad.At(0, t, j, d) = kNan;
      a.lse_grad.At(0, j, t) = kNan;
    }
  }
  EXPECT_TRUE(AreEqual(clean, a.Gather()));
}

/// Whether the elements [B, S, ...] of batch 0 and token `s` are all NaN, or
/// none of them is.
bool IsNan(const Tensor<double>& tensor, int64_t s) {
  int64_t size = tensor.size() / (tensor.dim(0) * tensor.dim(1));
  const double* first = tensor.Slice(0, s);
  int64_t nans = std::count_if(first, first + size,
                               [](double x) { return std::isnan(x); });
  EXPECT_TRUE(nans == 0 || nans == size) << nans << " of " << size;
  return nans > 0;
}

TEST(AttentionGradient, NanTouchesOnlyWhatDependsOnIt) {
  std::mt19937 generator(6);
  Attention a({1, 3, 5, 2, 1, 3, 2, 2}, &generator);
  // Row 0 lists keys 0 and 1, row 1 keys 1 and 2, row 2 keys 3 and 4.
  a.indices = Tensor<int32_t>({1, 3, 2}, {0, 1, 1, 2, 3, 4});
  a.counts = Tensor<int32_t>({1, 3}, 2);
  Attention query = a, value = a, output_grad = a;
  for (int64_t j = 0; j < 2; ++j) {
    query.query.At(0, 1, j, 0) = kNan;
    output_grad.output_grad.At(0, 1, j, 0) = kNan;
  }
  value.value.At(0, 3, 0, 0) = kNan;

  AttentionGradients of_query = query.Gather();
  for (int64_t t = 0; t < 3; ++t) EXPECT_EQ(IsNan(of_query.query, t), t == 1);
  for (int64_t s = 0; s < 5; ++s) {
    EXPECT_EQ(IsNan(of_query.key, s), s == 1 || s == 2) << s;
    EXPECT_EQ(IsNan(of_query.value, s), s == 1 || s == 2) << s;
  }
  // Weights do not depend on values.
  AttentionGradients of_value = value.Gather();
  for (int64_t t = 0; t < 3; ++t) EXPECT_EQ(IsNan(of_value.query, t), t == 2);
  for (int64_t s = 0; s < 5; ++s) {
    EXPECT_EQ(IsNan(of_value.key, s), s >= 3) << s;
    EXPECT_FALSE(IsNan(of_value.value, s)) << s;
  }
  AttentionGradients of_grad = output_grad.Gather();
  for (int64_t t = 0; t < 3; ++t) EXPECT_EQ(IsNan(of_grad.query, t), t == 1);
  for (int64_t s = 0; s < 5; ++s)
    EXPECT_EQ(IsNan(of_grad.key, s), s == 1 || s == 2) << s;
}

TEST(AttentionGradient, OneKeyHasNoLogitToLearn) {
  std::mt19937 generator(7);
  Attention a({1, 2, 3, 2, 2, 2, 2, 1}, &generator);
  a.indices = Tensor<int32_t>({1, 2, 1}, {2, 2});
  a.counts = Tensor<int32_t>({1, 2}, 1);
  a.lse_grad = Tensor<double>({1, 2, 2});
  AttentionGradients gradients = a.Gather();
  for (double x : gradients.query.values()) EXPECT_NEAR(x, 0.0, 1e-15);
  for (double x : gradients.key.values()) EXPECT_NEAR(x, 0.0, 1e-15);
  for (int64_t j = 0; j < 2; ++j) {
    for (int64_t d = 0; d < 2; ++d) {
      EXPECT_NEAR(gradients.value.At(0, 2, j, d),
                  a.output_grad.At(0, 0, j, d) + a.output_grad.At(0, 1, j, d),
                  1e-15);
    }
  }
}

TEST(AttentionRowSums, AreTheSameOnBothSidesOfAGate) {
  std::mt19937 generator(8);
  Shape shape = {2, 3, 4, 5};
  Tensor<double> output = Random(shape, &generator);
  Tensor<double> logits = Random(shape, &generator);
  Tensor<double> grad = Random(shape, &generator);
  Tensor<double> before =
      AttentionRowSums(output, GateGradient(output, logits, grad).input);
  Tensor<double> behind = AttentionRowSums(Gate(output, logits), grad);
  for (int64_t i = 0; i < before.size(); ++i)
    EXPECT_NEAR(before[i], behind[i], 1e-14);
}

//===----------------------------------------------------------------------===//
// Gates, rotary embedding
//===----------------------------------------------------------------------===//

TEST(GateGradient, IsThatOfDifferences) {
  std::mt19937 generator(9);
  Shape shape = {2, 3, 2, 5};
  for (auto activation : {GateActivation::kSigmoid, GateActivation::kTanh,
                          GateActivation::kSilu}) {
    for (bool per_head : {false, true}) {
      SCOPED_TRACE(static_cast<int>(activation) * 2 + per_head);
      Tensor<double> input = Random(shape, &generator);
      Tensor<double> logits =
          Random(per_head ? Shape{2, 3, 2} : shape, &generator);
      Tensor<double> grad = Random(shape, &generator);
      GateGradients gradients = GateGradient(input, logits, grad, activation);
      auto loss = [&] { return Inner(Gate(input, logits, activation), grad); };
      ExpectDifferences("input", &input, gradients.input, loss);
      ExpectDifferences("logits", &logits, gradients.logits, loss);
    }
  }
}

TEST(GateGradient, KeepsSmallSlopes) {
  // 1 - sigmoid(50) would be 0.
  double e = std::exp(-50.0);
  EXPECT_NEAR(ActivateSlope(GateActivation::kSigmoid, 50.0) / e, 1.0, 1e-12);
  EXPECT_NEAR(ActivateSlope(GateActivation::kTanh, 25.0) / e, 2.0, 1e-12);
  EXPECT_EQ(ActivateSlope(GateActivation::kTanh, 1e6), 0.0);
  EXPECT_EQ(ActivateSlope(GateActivation::kSilu, 1e6), 1.0);
}

TEST(RopeGradient, IsTheRotationToNegatedPositions) {
  std::mt19937 generator(10);
  for (bool interleaved : {false, true}) {
    RopeOptions options;
    options.rotary_dim = 4;
    options.interleaved = interleaved;
    Tensor<double> x = Random({2, 3, 2, 6}, &generator);
    Tensor<double> grad = Random({2, 3, 2, 6}, &generator);
    Tensor<int64_t> positions = Positions(2, 3, 1000), negated = positions;
    for (int64_t& p : negated.values()) p = -p;
    ExpectDifferences("x", &x, Rope(grad, negated, options),
                      [&] { return Inner(Rope(x, positions, options), grad); });
  }
}

}  // namespace
}  // namespace gsa::reference
