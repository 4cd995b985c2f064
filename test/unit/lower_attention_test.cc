//===- lower_attention_test.cc - compiled attention against the reference -===//

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "test/reference/DenseAttention.h"
#include "test/reference/GatherAttention.h"
#include "test/unit/attention_program.h"
#include "test/unit/reference_testing.h"

namespace gsa::attention {
namespace {

using reference::AttentionResult;
using reference::Random;
using reference::RandomInt;
using reference::Tensor;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

double Get(DType dtype, Buffer& buffer, int64_t i) {
  switch (dtype) {
    case DType::kF64:
      return buffer.data<double>()[i];
    case DType::kF32:
      return buffer.data<float>()[i];
    case DType::kBF16:
      return BF16ToFloat(buffer.data<BF16>()[i]);
    default:
      return F16ToFloat(buffer.data<F16>()[i]);
  }
}

void Set(DType dtype, Buffer& buffer, int64_t i, double value) {
  switch (dtype) {
    case DType::kF64:
      buffer.data<double>()[i] = value;
      break;
    case DType::kF32:
      buffer.data<float>()[i] = static_cast<float>(value);
      break;
    case DType::kBF16:
      buffer.data<BF16>()[i] = BF16FromDouble(value);
      break;
    default:
      buffer.data<F16>()[i] = F16FromDouble(value);
  }
}

/// `value` as the element type holds it.
double Rounded(DType dtype, double value) {
  Buffer buffer({1}, 8);
  Set(dtype, buffer, 0, value);
  return Get(dtype, buffer, 0);
}

/// Operands; `indices` and `counts` are read by gather_attention only.
struct Data {
  Tensor<double> query, key, value;
  Tensor<int32_t> indices, counts;
};

/// Random operands. Lists hold duplicates and entries outside [0, Sk); what
/// lies beyond the counts must not be read.
Data MakeData(const Problem& p, std::mt19937* generator) {
  Data data{Random({p.batch, p.queries, p.heads, p.depth}, generator),
            Random({p.batch, p.keys, p.groups, p.depth}, generator),
            Random({p.batch, p.keys, p.groups, p.value_depth}, generator),
            Tensor<int32_t>({p.batch, p.queries, p.slots}),
            Tensor<int32_t>({p.batch, p.queries})};
  for (auto* tensor : {&data.query, &data.key, &data.value})
    for (double& x : tensor->values()) x = Rounded(p.dtype, x);
  const int32_t poison[] = {std::numeric_limits<int32_t>::min(), -1,
                            static_cast<int32_t>(p.keys),
                            std::numeric_limits<int32_t>::max()};
  for (int32_t& count : data.counts.values())
    count =
        RandomInt(0, 4, generator) == 0 ? 0 : RandomInt(0, p.slots, generator);
  for (int64_t i = 0; i < data.indices.size(); ++i) {
    bool listed = i % p.slots < data.counts[i / p.slots];
    bool valid = listed && p.keys > 0 && RandomInt(0, 9, generator) > 0;
    data.indices[i] =
        valid ? RandomInt(0, p.keys - 1, generator) : poison[i % 4];
  }
  return data;
}

/// Results of compiled code: bits, and values.
struct Output {
  std::vector<uint8_t> output_bits, lse_bits;
  Tensor<double> output, lse;
};

Output Execute(Program& program, const Problem& p, const Data& data) {
  size_t bytes = DTypeSize(p.dtype);
  DType acc = p.is_double() ? DType::kF64 : DType::kF32;
  Buffer query(data.query.shape(), bytes), key(data.key.shape(), bytes);
  Buffer value(data.value.shape(), bytes);
  Buffer indices(data.indices.shape(), 4), counts(data.counts.shape(), 4);
  Tensor<double> out({p.batch, p.queries, p.heads, p.value_depth});
  Tensor<double> lse({p.batch, p.heads, p.queries});
  Buffer out_buffer(out.shape(), bytes);
  Buffer lse_buffer(lse.shape(), DTypeSize(acc));
  for (auto [tensor, buffer] : {std::pair(&data.query, &query),
                                {&data.key, &key},
                                {&data.value, &value}})
    for (int64_t i = 0; i < tensor->size(); ++i)
      Set(p.dtype, *buffer, i, (*tensor)[i]);
  std::copy_n(data.indices.data(), data.indices.size(),
              indices.data<int32_t>());
  std::copy_n(data.counts.data(), data.counts.size(), counts.data<int32_t>());
  std::vector<Buffer*> buffers = {&query, &key, &value};
  if (!p.dense) buffers.insert(buffers.end(), {&indices, &counts});
  buffers.insert(buffers.end(), {&out_buffer, &lse_buffer});
  program.Run(buffers);
  for (Buffer* buffer : buffers) EXPECT_TRUE(buffer->intact());
  for (int64_t i = 0; i < out.size(); ++i) out[i] = Get(p.dtype, out_buffer, i);
  for (int64_t i = 0; i < lse.size(); ++i) lse[i] = Get(acc, lse_buffer, i);
  auto bits = [](Buffer& buffer) {
    return std::vector<uint8_t>(buffer.data<uint8_t>(),
                                buffer.data<uint8_t>() + buffer.size_bytes());
  };
  return {bits(out_buffer), bits(lse_buffer), out, lse};
}

Output CompileAndRun(const Problem& p, const Data& data) {
  Program program(p);
  if (!program.ok()) return {};
  return Execute(program, p, data);
}

AttentionResult Reference(const Problem& p, const Data& data) {
  reference::AttentionOperands operands{data.query, data.key, data.value};
  if (p.dense) {
    reference::DenseAttentionOptions options;
    options.mask = p.causal ? reference::Mask::kCausal : reference::Mask::kNone;
    return reference::DenseAttention(operands, options);
  }
  Tensor<int32_t> counts = data.counts;
  for (int32_t& count : counts.values())
    count = std::min<int32_t>(count, p.slots);
  return reference::GatherAttention(operands, data.indices, counts);
}

/// Operands are normally distributed, so an error relative to the roundings
/// to T and an absolute one for some roundings in A(T).
void ExpectClose(const Tensor<double>& got, const Tensor<double>& expected,
                 double relative, double absolute) {
  ASSERT_EQ(got.shape(), expected.shape());
  for (int64_t i = 0; i < got.size(); ++i) {
    double x = got[i], y = expected[i];
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    ASSERT_LE(std::abs(x - y), relative * std::abs(y) + absolute)
        << "element " << i << ": got " << x << ", expected " << y;
  }
}

/// Largest relative error of rounding to `dtype` beyond A(T).
double RoundingError(DType dtype) {
  if (dtype == DType::kBF16) return 0x1p-8;
  return dtype == DType::kF16 ? 0x1p-11 : 0.0;
}

void ExpectMatchesReference(const Problem& p, const Data& data) {
  SCOPED_TRACE(p.ToString());
  Output got = CompileAndRun(p, data);
  AttentionResult expected = Reference(p, data);
  double absolute = p.is_double() ? 1e-13 : 1e-5;
  ExpectClose(got.output, expected.output, RoundingError(p.dtype), absolute);
  ExpectClose(got.lse, expected.lse, 0.0, absolute);
}

/// Equal bits of row (b, t) in both outputs.
bool SameRow(const Problem& p, const Output& x, const Output& y, int64_t b,
             int64_t t) {
  int64_t size = p.heads * p.value_depth;
  auto same = [](double u, double v) {
    return std::memcmp(&u, &v, sizeof(u)) == 0;
  };
  for (int64_t i = 0; i < size; ++i)
    if (!same(x.output.Slice(b, t)[i], y.output.Slice(b, t)[i])) return false;
  for (int64_t h = 0; h < p.heads; ++h)
    if (!same(x.lse.Slice(b, h)[t], y.lse.Slice(b, h)[t])) return false;
  return true;
}

template <typename T, size_t n>
T Pick(const T (&choices)[n], std::mt19937* generator) {
  return choices[RandomInt(0, n - 1, generator)];
}

Problem RandomProblem(DType dtype, bool dense, std::mt19937* generator) {
  Problem p;
  p.dtype = dtype;
  p.dense = dense;
  p.causal = RandomInt(0, 3, generator) > 0;
  p.batch = RandomInt(1, 2, generator);
  p.queries = RandomInt(1, 40, generator);
  p.keys = RandomInt(1, 70, generator);
  const int64_t kRatios[] = {1, 1, 2, 3, 4, 8, 12};
  p.groups = RandomInt(1, 3, generator);
  p.heads = p.groups * Pick(kRatios, generator);
  const int64_t kDepths[] = {1, 2, 3, 8, 16, 32, 33, 64, 96, 128};
  p.depth = Pick(kDepths, generator);
  p.value_depth = Pick(kDepths, generator);
  p.slots = RandomInt(1, 50, generator);
  p.tasks = RandomInt(1, 3, generator);
  const int64_t kLanes[] = {1, 2, 4, 8, 16};
  p.lanes = Pick(kLanes, generator);
  // Code grows with the vectors of a row; keep the test fast.
  while (std::max(p.depth, p.value_depth) > 16 * p.lanes) p.lanes *= 2;
  p.rows = RandomInt(1, 8, generator);
  p.vectors = RandomInt(1, 8, generator);
  return p;
}

class LowerAttention : public testing::TestWithParam<DType> {
 protected:
  /// A schedule as it is on this kind of machine.
  Problem Usual(bool dense) {
    Problem p;
    p.dtype = GetParam();
    p.dense = dense;
    p.batch = 2, p.queries = 37, p.keys = 53, p.heads = 8, p.groups = 2;
    p.depth = 32, p.value_depth = 48, p.slots = 29;
    p.lanes = p.is_double() ? 8 : 16;
    return p;
  }
  std::mt19937 generator_{7};
};

TEST_P(LowerAttention, GatherMatchesReference) {
  for (int i = 0; i < 10 && !HasFatalFailure(); ++i) {
    Problem p = RandomProblem(GetParam(), false, &generator_);
    ExpectMatchesReference(p, MakeData(p, &generator_));
  }
}

TEST_P(LowerAttention, GatherTakesListsLongerThanTheKeysAndLargeCounts) {
  Problem p = Usual(false);
  p.keys = 5, p.slots = 70;
  Data data = MakeData(p, &generator_);
  for (int64_t i = 0; i < data.indices.size(); ++i) data.indices[i] = i % 7 - 1;
  for (int64_t i = 0; i < data.counts.size(); ++i)
    data.counts[i] = i % 3 == 0 ? p.slots + 1000 * i : -i;
  ExpectMatchesReference(p, data);
}

TEST_P(LowerAttention, EmptyDimensions) {
  for (bool dense : {false, true}) {
    for (int which = 0; which < 4; ++which) {
      Problem p = Usual(dense);
      (which == 0   ? p.batch
       : which == 1 ? p.queries
       : which == 2 ? p.keys
                    : p.slots) = 0;
      if (which == 3 && dense) continue;
      p.tasks = 2;
      SCOPED_TRACE(p.ToString());
      Data data = MakeData(p, &generator_);
      Output got = CompileAndRun(p, data);
      for (double x : got.output.values()) ASSERT_EQ(x, 0.0);
      for (double x : got.lse.values()) ASSERT_EQ(x, -kInf);
    }
  }
}

TEST_P(LowerAttention, TasksChangeNoBit) {
  for (bool dense : {false, true}) {
    Problem p = Usual(dense);
    Data data = MakeData(p, &generator_);
    Output one = CompileAndRun(p, data);
    for (int64_t tasks : {2, 3, 200}) {
      p.tasks = tasks;
      SCOPED_TRACE(p.ToString());
      Output many = CompileAndRun(p, data);
      EXPECT_EQ(one.output_bits, many.output_bits);
      EXPECT_EQ(one.lse_bits, many.lse_bits);
    }
  }
}

TEST_P(LowerAttention, BatchChangesNoBit) {
  for (bool dense : {false, true}) {
    Problem p = Usual(dense);
    p.tasks = 2;
    SCOPED_TRACE(p.ToString());
    Data data = MakeData(p, &generator_);
    Output both = CompileAndRun(p, data);
    Problem single = p;
    single.batch = 1;
    Program program(single);
    ASSERT_TRUE(program.ok());
    for (int64_t b = 0; b < 2; ++b) {
      auto half = [&](const auto& tensor) {
        auto shape = tensor.shape();
        shape[0] = 1;
        auto part = tensor;
        part.values().assign(tensor.Slice(b),
                             tensor.Slice(b) + tensor.size() / 2);
        return std::decay_t<decltype(tensor)>(shape, part.values());
      };
      Output alone =
          Execute(program, single,
                  {half(data.query), half(data.key), half(data.value),
                   half(data.indices), half(data.counts)});
      size_t bytes = alone.output_bits.size();
      EXPECT_TRUE(std::equal(alone.output_bits.begin(), alone.output_bits.end(),
                             both.output_bits.begin() + b * bytes));
    }
  }
}

TEST_P(LowerAttention, NanInAnUnlistedKeyChangesNothing) {
  Problem p = Usual(false);
  Data data = MakeData(p, &generator_);
  for (int32_t& index : data.indices.values())
    if (index == 0 || index == 11) index = 12;
  Program program(p);
  ASSERT_TRUE(program.ok());
  Output clean = Execute(program, p, data);
  for (int64_t b = 0; b < p.batch; ++b)
    for (int64_t key : {0, 11}) {
      std::fill_n(data.key.Slice(b, key), p.groups * p.depth, kNan);
      std::fill_n(data.value.Slice(b, key), p.groups * p.value_depth, kInf);
    }
  Output dirty = Execute(program, p, data);
  EXPECT_EQ(clean.output_bits, dirty.output_bits);
  EXPECT_EQ(clean.lse_bits, dirty.lse_bits);
}

TEST_P(LowerAttention, NanInAQueryChangesItsRowAndHeadOnly) {
  for (bool dense : {false, true}) {
    Problem p = Usual(dense);
    SCOPED_TRACE(p.ToString());
    Data data = MakeData(p, &generator_);
    const int64_t b = 1, t = 20, h = 3;
    data.counts.Slice(b)[t] = 7;
    for (int i = 0; i < 7; ++i) data.indices.Slice(b, t)[i] = 5 * i;
    Program program(p);
    ASSERT_TRUE(program.ok());
    Output clean = Execute(program, p, data);
    data.query.Slice(b, t, h)[1] = kNan;
    Output dirty = Execute(program, p, data);
    for (int64_t d = 0; d < p.value_depth; ++d) {
      EXPECT_TRUE(std::isnan(dirty.output.Slice(b, t, h)[d]));
      dirty.output.Slice(b, t, h)[d] = clean.output.Slice(b, t, h)[d];
    }
    EXPECT_TRUE(std::isnan(dirty.lse.Slice(b, h)[t]));
    dirty.lse.Slice(b, h)[t] = clean.lse.Slice(b, h)[t];
    EXPECT_EQ(clean.output, dirty.output);
    EXPECT_EQ(clean.lse, dirty.lse);
  }
}

TEST_P(LowerAttention, InfiniteLogits) {
  for (bool dense : {false, true}) {
    Problem p = Usual(dense);
    p.batch = 1, p.causal = false;
    SCOPED_TRACE(p.ToString());
    Data data = MakeData(p, &generator_);
    for (double& x : data.query.values()) x = std::abs(x) + 0.5;
    for (int64_t t = 0; t < p.queries; ++t) {
      data.counts[t] = 3;
      for (int i = 0; i < 3; ++i) data.indices.Slice(0, t)[i] = 2 * i;
    }
    // All of group 0's logits are -inf; one of group 1's keys has +inf.
    for (int64_t s = 0; s < p.keys; ++s) data.key.Slice(0, s, 0)[0] = -kInf;
    data.key.Slice(0, 2, 1)[0] = kInf;
    Output got = CompileAndRun(p, data);
    for (int64_t t = 0; t < p.queries; ++t)
      for (int64_t h = 0; h < p.heads; ++h) {
        double lse = got.lse.Slice(0, h)[t];
        double first = got.output.Slice(0, t, h)[0];
        if (h < p.heads / 2) {
          EXPECT_EQ(lse, -kInf);
          EXPECT_EQ(first, 0.0);
        } else {
          EXPECT_TRUE(std::isnan(lse));
          EXPECT_TRUE(std::isnan(first));
        }
      }
  }
}

TEST_P(LowerAttention, DenseMatchesReference) {
  for (int i = 0; i < 10 && !HasFatalFailure(); ++i) {
    Problem p = RandomProblem(GetParam(), true, &generator_);
    ExpectMatchesReference(p, MakeData(p, &generator_));
  }
}

TEST_P(LowerAttention, DenseOverSeveralKeyBlocks) {
  Problem p = Usual(true);
  p.queries = 50, p.keys = 700;
  ExpectMatchesReference(p, MakeData(p, &generator_));
  p.queries = 300, p.keys = 280;  // The first rows see nothing.
  ExpectMatchesReference(p, MakeData(p, &generator_));
}

TEST_P(LowerAttention, DenseFutureChangesNoBit) {
  Problem p = Usual(true);
  p.batch = 1, p.queries = p.keys = 300;
  Data data = MakeData(p, &generator_);
  Program program(p);
  ASSERT_TRUE(program.ok());
  Output clean = Execute(program, p, data);
  for (int64_t t : {299, 130, 5}) {
    Data edited = data;
    for (int64_t s = t; s < p.keys; ++s) {
      std::fill_n(edited.key.Slice(0, s), p.groups * p.depth, kNan);
      std::fill_n(edited.value.Slice(0, s), p.groups * p.value_depth, kNan);
    }
    Output dirty = Execute(program, p, edited);
    for (int64_t row = 0; row < t; ++row)
      ASSERT_TRUE(SameRow(p, clean, dirty, 0, row)) << t << " " << row;
    EXPECT_TRUE(std::isnan(dirty.lse.Slice(0, 0)[t]));
  }
  // A shorter sequence has the same first rows.
  Problem shorter = p;
  shorter.queries = shorter.keys = 133;
  Data part = MakeData(shorter, &generator_);
  std::copy_n(data.query.data(), part.query.size(), part.query.data());
  std::copy_n(data.key.data(), part.key.size(), part.key.data());
  std::copy_n(data.value.data(), part.value.size(), part.value.data());
  Output prefix = CompileAndRun(shorter, part);
  for (int64_t row = 0; row < shorter.queries; ++row)
    ASSERT_TRUE(SameRow(p, clean, prefix, 0, row)) << row;
}

TEST_P(LowerAttention, GatherOverAllVisibleKeysIsDense) {
  Problem p = Usual(true);
  p.queries = p.keys = p.slots = 150;
  Data data = MakeData(p, &generator_);
  for (int64_t i = 0; i < data.indices.size(); ++i)
    data.indices[i] = i % p.slots;
  for (int64_t i = 0; i < data.counts.size(); ++i)
    data.counts[i] = i % p.queries + 1;
  Output dense = CompileAndRun(p, data);
  p.dense = false;
  Output gather = CompileAndRun(p, data);
  // Both were rounded to T.
  double tolerance = p.is_double() ? 1e-14 : 1e-6;
  ExpectClose(gather.output, dense.output, 2 * RoundingError(p.dtype),
              2 * tolerance);
  ExpectClose(gather.lse, dense.lse, tolerance, tolerance);
}

INSTANTIATE_TEST_SUITE_P(Types, LowerAttention,
                         testing::Values(DType::kF32, DType::kBF16, DType::kF16,
                                         DType::kF64),
                         [](const auto& info) {
                           return std::string(DTypeName(info.param));
                         });

}  // namespace
}  // namespace gsa::attention
