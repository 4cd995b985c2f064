// Few queries whose keys and lists are split among blocks
// (#gsa.split_select_schedule, #gsa.split_attention_schedule), in emulation:
// bit by bit against the schedules that do not split, and against the CPU. The
// number of keys of a sequence is known to the device alone; what lies behind
// it is poison.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "test/unit/reference_testing.h"
#include "test/unit/select_testing.h"

namespace gsa::testing {
namespace {

constexpr int64_t kSlots = 20, kKeys = 333, kHeads = 3, kDepth = 20;

std::string Split(int sample, int rank, int capacity, int span = 2,
                  int cluster = 0, int staged = 32) {
  return absl::StrCat(
      "#gsa.split_select_schedule<engine = mma_sync, block_k = 64, span = ",
      span, ", stages = 2, producers = 1, consumers = 2, sample = ", sample,
      ", rank = ", rank, ", capacity = ", capacity,
      ", rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>, cluster = ",
      cluster, ", staged = ", staged, ">");
}
const char kWhole[] =
    "#gsa.select_schedule<scores = <engine = mma_sync, block_q = 16, block_k = "
    "32, span = 2, stages = 2, producers = 1, consumers = 1>, topk = <warps = "
    "2, bins = 256, capacity = 64, chunk = 1>>";

struct Decode {
  int64_t batch = 1, queries = 1, keys = kKeys;
  std::vector<int32_t> lengths;
  const char* activation = "sigmoid";
  int64_t sink = 0, local = 0;
};

// Of element type bf16: query, key, weights, bias, lengths.
struct DecodeInputs {
  Doubles query, key, weights, bias;
};

DecodeInputs MakeInputs(const Decode& d, std::mt19937* generator) {
  Problem p;
  p.batch = d.batch;
  p.queries = d.queries;
  p.keys = d.keys;
  p.heads = kHeads;
  p.depth = kDepth;
  p.dtype = DType::kBF16;
  Operands operands = MakeOperands(p, generator);
  return {operands.query, operands.key, operands.weights, operands.bias};
}

std::string Text(const Decode& d, const std::string& schedule) {
  std::string q = TypeText({d.batch, d.queries, kHeads, kDepth}, "bf16");
  std::string k = TypeText({d.batch, d.keys, kDepth}, "bf16");
  std::string w = TypeText({d.batch, d.queries, kHeads}, "bf16");
  std::string b = TypeText({kHeads}, "bf16"), n = TypeText({d.batch}, "i32");
  std::string i = TypeText({d.batch, d.queries, kSlots}, "i32");
  std::string c = TypeText({d.batch, d.queries}, "i32");
  std::string results = absl::StrCat("(", i, ", ", c, ", ", c, ")");
  std::string attributes =
      absl::StrCat("{score_activation = #gsa.score_activation<", d.activation,
                   ">, sink = ", d.sink, " : i64, local = ", d.local, " : i64",
                   schedule.empty() ? "" : ", gsa.schedule = " + schedule, "}");
  return absl::StrCat(
      "func.func @main(%q: ", q, ", %k: ", k, ", %w: ", w, ", %b: ", b,
      ", %n: ", n, ") -> ", results,
      " {\n  %r:3 = gsa.select %q, %k weights %w bias %b lengths %n policy "
      "<fixed, base = ",
      kSlots, "> ", attributes, " : (", q, ", ", k, ", ", w, ", ", b, ", ", n,
      ") -> ", results, "\n  return %r#0, %r#1, %r#2 : ", i, ", ", c, ", ", c,
      "\n}\n");
}

std::vector<HostTensor> RunDecode(const Decode& d, const DecodeInputs& inputs,
                                  const std::string& schedule,
                                  const CompileOptions& options) {
  std::vector<HostTensor> tensors;
  for (const Doubles* tensor :
       {&inputs.query, &inputs.key, &inputs.weights, &inputs.bias})
    tensors.push_back(ToHost(*tensor, DType::kBF16));
  auto lengths = HostTensor::FromValues<int32_t>("", {d.batch}, d.lengths);
  EXPECT_TRUE(lengths.ok()) << lengths.status();
  tensors.push_back(std::move(*lengths));
  return CompileAndRun(Text(d, schedule), tensors, options);
}

void ExpectEqual(const std::vector<HostTensor>& got,
                 const std::vector<HostTensor>& expected) {
  ASSERT_EQ(got.size(), 3u);
  ASSERT_EQ(expected.size(), 3u);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(ToInts(got[i]).values(), ToInts(expected[i]).values())
        << "output " << i;
}

// All splits, with lists and without, against the schedule that does not split.
void ExpectSameBits(const Decode& d, const DecodeInputs& inputs) {
  std::vector<HostTensor> expected =
      RunDecode(d, inputs, kWhole, HopperOptions());
  for (const std::string& schedule :
       {Split(0, 0, 0), Split(4, 10, 64), Split(3, 8, 32, /*span=*/1),
        Split(4, 10, 64, /*span=*/5, /*cluster=*/8, /*staged=*/2)}) {
    SCOPED_TRACE(schedule);
    ExpectEqual(RunDecode(d, inputs, schedule, HopperOptions()), expected);
  }
}

// Keys behind the length of each sequence become `value`.
void Poison(const Decode& d, DecodeInputs& inputs, double value) {
  for (int64_t b = 0; b < d.batch; ++b)
    for (int64_t s = std::max(d.lengths[b], 0); s < kKeys; ++s)
      for (int64_t i = 0; i < kDepth; ++i) inputs.key.At(b, s, i) = value;
}

TEST(EmuSplitTest, LengthsOfABatch) {
  std::mt19937 generator(1);
  Decode d;
  d.batch = 9;
  d.lengths = {0, 1, kSlots - 1, kSlots, kSlots + 1, 64, 200, kKeys, kKeys + 5};
  for (int64_t queries : {1, 3, 8}) {
    d.queries = queries;
    DecodeInputs inputs = MakeInputs(d, &generator);
    ExpectSameBits(d, inputs);
    std::vector<HostTensor> clean =
        RunDecode(d, inputs, Split(4, 10, 64), HopperOptions());
    for (double value : {kNaN, kInfinity, 1e30}) {
      Poison(d, inputs, value);
      ExpectEqual(RunDecode(d, inputs, Split(4, 10, 64), HopperOptions()),
                  clean);
      ExpectEqual(RunDecode(d, inputs, Split(0, 0, 0), HopperOptions()), clean);
    }
  }
}

// Several tiles for each block of a cluster, some of them behind the end of a
// sequence; scores far from the others, so that those share a bin.
TEST(EmuSplitTest, SamplesOfClusters) {
  std::mt19937 generator(6);
  Decode d;
  d.batch = 3;
  d.queries = 2;
  d.keys = 1700;
  d.lengths = {1700, 900, 70};
  d.activation = "identity";
  DecodeInputs inputs = MakeInputs(d, &generator);
  for (double far : {0.0, 1e3}) {
    for (int64_t b = 0; b < d.batch; ++b)
      for (int64_t i = 0; i < kDepth; ++i)
        inputs.key.At(b, 2, i) = far + inputs.key.At(b, 2, i);
    std::vector<HostTensor> expected =
        RunDecode(d, inputs, kWhole, HopperOptions());
    for (int cluster : {2, 8})
      for (int rank : {14, 40})
        ExpectEqual(RunDecode(d, inputs,
                              Split(2, rank, 96, /*span=*/3, cluster,
                                    /*staged=*/2),
                              HopperOptions()),
                    expected);
  }
}

// A row is the same alone and in a batch.
TEST(EmuSplitTest, NoRowDependsOnTheBatch) {
  std::mt19937 generator(2);
  Decode d;
  d.batch = 4;
  d.lengths = {300, 77, 0, kKeys};
  DecodeInputs inputs = MakeInputs(d, &generator);
  Ints together =
      ToInts(RunDecode(d, inputs, Split(4, 10, 64), HopperOptions()).front());
  for (int64_t b = 0; b < d.batch; ++b) {
    Decode one;
    one.lengths = {d.lengths[b]};
    auto part = [&](const Doubles& all) {
      reference::Shape shape = all.shape();
      shape[0] = 1;
      Doubles slice(shape);
      for (int64_t i = 0; i < slice.size(); ++i)
        slice[i] = all[b * slice.size() + i];
      return slice;
    };
    DecodeInputs own = {part(inputs.query), part(inputs.key),
                        part(inputs.weights), inputs.bias};
    Ints alone =
        ToInts(RunDecode(one, own, Split(4, 10, 64), HopperOptions()).front());
    for (int64_t i = 0; i < kSlots; ++i)
      EXPECT_EQ(alone[i], together[b * kSlots + i]) << b << " " << i;
  }
}

TEST(EmuSplitTest, TiesAndForcedKeys) {
  std::mt19937 generator(3);
  Decode d;
  d.batch = 3;
  d.queries = 2;
  d.lengths = {250, kKeys, 40};
  d.activation = "relu";
  DecodeInputs inputs = MakeInputs(d, &generator);
  for (double& x : inputs.query.values()) x = x > 0.5;
  for (double& x : inputs.key.values()) x = x > 1.5;
  for (double& x : inputs.weights.values()) x = 0;
  for (double& x : inputs.bias.values()) x = 0;
  ExpectSameBits(d, inputs);
  // Scores without rounding: a CPU selects the same.
  ExpectEqual(RunDecode(d, inputs, Split(4, 10, 64), HopperOptions()),
              RunDecode(d, inputs, "", CpuOptions(2)));
  d.sink = 3;
  d.local = 7;
  ExpectSameBits(d, inputs);
  d.sink = 50;  // More than there are slots.
  ExpectSameBits(d, inputs);
  d.sink = d.local = 0;
  for (double& x : inputs.key.values()) x = 0;
  ExpectSameBits(d, inputs);
}

TEST(EmuSplitTest, ScoresThatAreNotFinite) {
  std::mt19937 generator(4);
  Decode d;
  d.batch = 3;
  d.queries = 2;
  d.lengths = {250, kKeys, 300};
  for (const char* activation : {"sigmoid", "identity"}) {
    d.activation = activation;
    DecodeInputs inputs = MakeInputs(d, &generator);
    inputs.key.At(0, 100, 3) = kNaN;
    inputs.key.At(1, 332, 0) = kInfinity;
    inputs.query.At(2, 1, 0, 0) = kNaN;
    ExpectSameBits(d, inputs);
  }
}

TEST(EmuSplitTest, NoDataRace) {
  std::mt19937 generator(5);
  Decode d;
  d.batch = 2;
  d.queries = 2;
  d.lengths = {200, kKeys};
  DecodeInputs inputs = MakeInputs(d, &generator);
  std::vector<HostTensor> expected =
      RunDecode(d, inputs, kWhole, HopperOptions());
  ExpectEqual(RunDecode(d, inputs, Split(4, 10, 64), HopperOptions(true)),
              expected);
  ExpectEqual(RunDecode(d, inputs, Split(2, 14, 64, /*span=*/2, /*cluster=*/2),
                        HopperOptions(true)),
              expected);
}

}  // namespace
}  // namespace gsa::testing
