//===- attention_kernel_test.cc - generated attention on the host ---------===//
//
// Kernels of attention, from the op to CUDA C++, run by the host emulation and
// compared with the reference in double precision: sizes that no tile divides,
// lists with holes, rows without keys, NaN and infinity.
//
//===----------------------------------------------------------------------===//

#include "test/unit/tile/attention_kernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "test/reference/DenseAttention.h"
#include "test/reference/GatherAttention.h"
#include "test/unit/reference_testing.h"

namespace gsa::tile_attention {
namespace {

using reference::AttentionResult;
using reference::Random;
using reference::RandomInt;
using reference::Tensor;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

/// Random operands. Lists hold duplicates and entries outside [0, Sk); what
/// lies beyond the counts must not be read, and counts may lie.
Data MakeData(const Problem& p, uint32_t seed) {
  std::mt19937 generator(seed);
  Data data{Random({p.batch, p.queries, p.heads, p.depth}, &generator),
            Random({p.batch, p.keys, p.groups, p.depth}, &generator),
            Random({p.batch, p.keys, p.groups, p.value_depth}, &generator),
            Tensor<double>(),
            Tensor<int32_t>({p.batch, p.queries, p.slots}),
            Tensor<int32_t>({p.batch, p.queries})};
  if (p.gated)
    data.gate =
        Random({p.batch, p.queries, p.heads, p.value_depth}, &generator);
  for (auto* tensor : {&data.query, &data.key, &data.value, &data.gate})
    for (double& x : tensor->values()) x = Rounded(p.dtype, x);
  const int32_t poison[] = {std::numeric_limits<int32_t>::min(), -1,
                            static_cast<int32_t>(p.keys),
                            std::numeric_limits<int32_t>::max()};
  for (int32_t& count : data.counts.values()) {
    int kind = RandomInt(0, 5, &generator);
    count = kind == 0   ? 0
            : kind == 1 ? -7
            : kind == 2 ? p.slots + 5
                        : RandomInt(0, p.slots, &generator);
  }
  for (int64_t i = 0; i < data.indices.size(); ++i) {
    bool listed = i % p.slots < data.counts[i / p.slots];
    bool valid = listed && p.keys > 0 && RandomInt(0, 9, &generator) > 0;
    data.indices[i] =
        valid ? RandomInt(0, p.keys - 1, &generator) : poison[i % 4];
  }
  return data;
}

AttentionResult Reference(const Problem& p, const Data& data) {
  reference::AttentionOperands operands{data.query, data.key, data.value};
  AttentionResult result;
  if (p.dense) {
    reference::DenseAttentionOptions options;
    options.scale = p.scale;
    options.mask = p.causal ? reference::Mask::kCausal : reference::Mask::kNone;
    result = reference::DenseAttention(operands, options);
  } else {
    result = reference::GatherAttention(operands, data.indices, data.counts,
                                        {p.scale});
  }
  for (int64_t i = 0; p.gated && i < result.output.size(); ++i)
    result.output[i] /= 1.0 + std::exp(-data.gate[i]);
  return result;
}

/// Weights are rounded to T before they meet the values, whose mean magnitude
/// bounds what that may change; the result is rounded to T once.
void ExpectMatchesReference(const Problem& p, const Data& data) {
  SCOPED_TRACE(p.ToString());
  Output got = CompileAndRun(p, data);
  if (::testing::Test::HasFatalFailure()) return;
  AttentionResult expected = Reference(p, data);
  double unit = p.dtype == DType::kBF16  ? 0x1p-8
                : p.dtype == DType::kF16 ? 0x1p-11
                                         : 0x1p-20;
  auto compare = [](const Tensor<double>& x, const Tensor<double>& y,
                    double relative, double absolute, const char* name) {
    ASSERT_EQ(x.shape(), y.shape());
    for (int64_t i = 0; i < x.size(); ++i) {
      if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
      ASSERT_LE(std::abs(x[i] - y[i]), relative * std::abs(y[i]) + absolute)
          << name << " element " << i << ": got " << x[i] << ", expected "
          << y[i];
    }
  };
  compare(got.output, expected.output, 2 * unit, 4 * unit, "output");
  compare(got.lse, expected.lse, 1e-5, 1e-5, "lse");
}

Problem Gather(int64_t heads, int64_t groups, int64_t depth,
               int64_t value_depth, DType dtype) {
  Problem p;
  p.batch = 2;
  p.queries = 3;
  p.keys = 37;
  p.slots = 70;
  p.heads = heads;
  p.groups = groups;
  p.depth = depth;
  p.value_depth = value_depth;
  p.dtype = dtype;
  return p;
}

TEST(GatherAttentionKernel, OddShapes) {
  uint32_t seed = 1;
  for (const Problem& p :
       {Gather(1, 1, 3, 5, DType::kF32), Gather(3, 1, 40, 24, DType::kBF16),
        Gather(8, 2, 64, 64, DType::kF16), Gather(20, 1, 80, 80, DType::kBF16),
        Gather(4, 1, 128, 128, DType::kBF16), Gather(6, 2, 3, 40, DType::kF16),
        Gather(4, 2, 128, 80, DType::kF32),
        Gather(4, 1, 256, 256, DType::kBF16)})
    ExpectMatchesReference(p, MakeData(p, seed++));
}

TEST(GatherAttentionKernel, Schedules) {
  uint32_t seed = 100;
  for (auto [block_k, stages, producers, consumers] :
       {std::array<int64_t, 4>{16, 1, 0, 1},
        {64, 1, 0, 4},
        {32, 1, 1, 2},
        {64, 3, 4, 4},
        {48, 8, 2, 3},
        {128, 2, 3, 2}}) {
    Problem p = Gather(4, 2, 40, 24, DType::kBF16);
    p.block_k = block_k;
    p.stages = stages;
    p.producers = producers;
    p.consumers = consumers;
    p.slots = 2 * block_k + 5;
    ExpectMatchesReference(p, MakeData(p, seed++));
  }
}

TEST(GatherAttentionKernel, ListsThatDoNotFit) {
  Problem p = Gather(2, 1, 16, 16, DType::kF32);
  p.queries = 2;
  p.batch = 1;
  p.slots = 8192 + 3 * 64 + 1;
  Data data = MakeData(p, 7);
  data.counts[0] = p.slots;
  data.counts[1] = 8192;
  ExpectMatchesReference(p, data);
}

TEST(GatherAttentionKernel, NoKeys) {
  for (bool no_keys : {false, true}) {
    Problem p = Gather(2, 1, 16, 16, DType::kBF16);
    (no_keys ? p.keys : p.slots) = 0;
    ExpectMatchesReference(p, MakeData(p, 5));
  }
}

TEST(GatherAttentionKernel, Gated) {
  Problem p = Gather(6, 2, 40, 24, DType::kF16);
  p.gated = true;
  ExpectMatchesReference(p, MakeData(p, 9));
}

TEST(GatherAttentionKernel, NanAndInfinityStayInTheRowsThatReadThem) {
  for (DType dtype : {DType::kF32, DType::kBF16}) {
    Problem p = Gather(4, 2, 40, 24, dtype);
    Data data = MakeData(p, 11);
    data.query.At(0, 1, 2, 3) = kNan;
    data.value.At(1, 5, 1, 7) = kInf;
    for (int64_t d = 0; d < p.depth; ++d) data.key.At(0, 9, 0, d) = kNan;
    ExpectMatchesReference(p, data);
  }
}

// A product of -inf is the largest logit under a negative scale and none at all
// under a positive one; under a scale of zero it is NaN.
TEST(GatherAttentionKernel, ScalesThatAreNotPositive) {
  for (double scale : {-0.5, 0.0, 0.5})
    for (double x : {kInf, -kInf}) {
      Problem p = Gather(4, 2, 40, 24, DType::kBF16);
      p.scale = scale;
      Data data = MakeData(p, 12);
      ExpectMatchesReference(p, data);
      data.key.At(0, 9, 0, 7) = x;
      data.key.At(1, 3, 1, 0) = x;
      ExpectMatchesReference(p, data);
    }
}

Problem Dense(int64_t queries, int64_t keys, int64_t depth, DType dtype) {
  Problem p = Gather(4, 2, depth, depth, dtype);
  p.dense = true;
  p.queries = queries;
  p.keys = keys;
  p.block_q = 32;
  p.consumers = 2;
  return p;
}

TEST(DenseAttentionKernel, OddShapes) {
  uint32_t seed = 1;
  for (Problem p :
       {Dense(1, 1, 3, DType::kF32), Dense(70, 70, 40, DType::kBF16),
        Dense(5, 90, 64, DType::kF16), Dense(90, 33, 80, DType::kF32),
        Dense(33, 0, 16, DType::kBF16), Dense(40, 131, 128, DType::kBF16)})
    for (bool causal : {true, false}) {
      p.causal = causal;
      ExpectMatchesReference(p, MakeData(p, seed++));
    }
}

TEST(DenseAttentionKernel, SplitsKeysAndGates) {
  Problem p = Dense(50, 70, 40, DType::kBF16);
  p.consumers = 4;
  p.producers = 2;
  p.stages = 2;
  p.gated = true;
  ExpectMatchesReference(p, MakeData(p, 3));
}

TEST(DenseAttentionKernel, ScalesThatAreNotPositive) {
  for (double scale : {-0.5, 0.0}) {
    Problem p = Dense(45, 60, 24, DType::kF16);
    p.scale = scale;
    Data data = MakeData(p, 13);
    data.key.At(0, 20, 1, 5) = -kInf;
    ExpectMatchesReference(p, data);
  }
}

TEST(DenseAttentionKernel, HiddenNanHasNoPart) {
  for (DType dtype : {DType::kF32, DType::kF16}) {
    Problem p = Dense(45, 60, 24, dtype);
    Data data = MakeData(p, 4);
    data.value.At(0, 40, 0, 3) = kNan;
    data.value.At(1, 59, 1, 5) = kInf;
    data.key.At(0, 50, 1, 0) = kNan;
    ExpectMatchesReference(p, data);
  }
}

}  // namespace
}  // namespace gsa::tile_attention
