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
                  int cluster = 0, int staged = 32, bool deferred = false,
                  const char* others = "") {
  return absl::StrCat(
      "#gsa.split_select_schedule<engine = mma_sync, block_k = 64, span = ",
      span, ", stages = 2, producers = 1, consumers = 2, sample = ", sample,
      ", rank = ", rank, ", capacity = ", capacity,
      ", rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>, cluster = ",
      cluster, ", staged = ", staged, deferred ? ", deferred = true" : "",
      others, ">");
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
        Split(0, 0, 0, /*span=*/2, /*cluster=*/0, /*staged=*/32,
              /*deferred=*/false, ", row_cells = 6, candidate_bins = 256"),
        Split(0, 0, 0, /*span=*/2, /*cluster=*/8, /*staged=*/32,
              /*deferred=*/false,
              ", cluster_keys = 64, cluster_warps = 1, row_cells = 11"),
        Split(4, 10, 64, /*span=*/5, /*cluster=*/8, /*staged=*/2,
              /*deferred=*/false, ", cluster_keys = 64, cluster_warps = 2"),
        Split(4, 10, 64, /*span=*/2, /*cluster=*/8, /*staged=*/32,
              /*deferred=*/true),
        Split(3, 8, 32, /*span=*/3, /*cluster=*/0, /*staged=*/2,
              /*deferred=*/true,
              ", thread_candidates = 1, candidate_bins = 256, sample_blocks = "
              "2, bound_warps = 8")}) {
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
  ExpectEqual(
      RunDecode(d, inputs,
                Split(2, 14, 64, /*span=*/2, /*cluster=*/2, /*staged=*/2,
                      /*deferred=*/true),
                HopperOptions(true)),
      expected);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

// A list of `slots` entries for each query, of which `counts` exist.
struct Lists {
  int64_t batch = 2, queries = 1, slots = 100;
  int64_t heads = 6, groups = 2, depth = 32, keys = 150;
  bool per_row = false;
};

std::string AttentionText(const Lists& l, const std::string& schedule) {
  std::string q = TypeText({l.batch, l.queries, l.heads, l.depth}, "bf16");
  std::string k = TypeText({l.batch, l.keys, l.groups, l.depth}, "bf16");
  std::string i = TypeText({l.batch, l.queries, l.slots}, "i32");
  std::string c = TypeText({l.batch, l.queries}, "i32");
  std::string g =
      l.per_row ? TypeText({l.batch, l.queries, l.heads}, "f32") : q;
  std::string n = TypeText({l.batch}, "i32");
  std::string e = TypeText({l.batch, l.heads, l.queries}, "f32");
  return absl::StrCat(
      "func.func @main(%q: ", q, ", %k: ", k, ", %v: ", k, ", %i: ", i,
      ", %c: ", c, ", %g: ", g, ", %n: ", n, ") -> (", q, ", ", e,
      ") {\n  %o, %l = gsa.gather_attention %q, %k, %v indices %i, %c gate %g "
      "lengths %n {gsa.schedule = ",
      schedule, "} : (", q, ", ", k, ", ", k, ", ", i, ", ", c, ", ", g, ", ",
      n, ") -> (", q, ", ", e, ")\n  return %o, %l : ", q, ", ", e, "\n}\n");
}

// Parts of 32 entries, of which two warps have a half each.
std::string Parts(int per_block, int cluster, int stages = 1) {
  return absl::StrCat(
      "#gsa.split_attention_schedule<entries = 32, per_block = ", per_block,
      ", part = <engine = mma_sync, block_q = 16, block_k = 32, stages = ",
      stages, ", producers = ", stages > 1 ? 2 : 0,
      ", consumers = 2, found_rows = 0>, cluster = ", cluster,
      cluster == 0 ? ", merge_warps = 2>" : ">");
}

std::vector<HostTensor> RunLists(const Lists& l,
                                 const std::vector<int32_t>& counts,
                                 const std::string& schedule,
                                 const CompileOptions& options) {
  std::mt19937 generator(7);
  auto random = [&](const reference::Shape& shape) {
    Doubles tensor(shape);
    std::normal_distribution<double> normal;
    for (double& x : tensor.values()) x = normal(generator);
    return tensor;
  };
  Doubles k = random({l.batch, l.keys, l.groups, l.depth});
  Doubles v = random({l.batch, l.keys, l.groups, l.depth});
  // Nobody reads what no list names.
  for (int64_t b = 0; b < l.batch; ++b)
    for (int64_t g = 0; g < l.groups; ++g)
      for (int64_t i = 0; i < l.depth; ++i)
        k.At(b, l.keys - 1, g, i) = v.At(b, l.keys - 1, g, i) = kNaN;
  std::vector<int32_t> indices;
  for (int64_t row = 0; row < l.batch * l.queries; ++row)
    for (int64_t i = 0; i < l.slots; ++i)
      indices.push_back(
          i < counts[row] ? static_cast<int32_t>(i * 37 % (l.keys - 1)) : -1);
  auto ints = [](const reference::Shape& shape,
                 const std::vector<int32_t>& values) {
    auto tensor = HostTensor::FromValues<int32_t>("", shape, values);
    EXPECT_TRUE(tensor.ok()) << tensor.status();
    return std::move(*tensor);
  };
  std::vector<HostTensor> tensors;
  tensors.push_back(
      ToHost(random({l.batch, l.queries, l.heads, l.depth}), DType::kBF16));
  tensors.push_back(ToHost(k, DType::kBF16));
  tensors.push_back(ToHost(v, DType::kBF16));
  tensors.push_back(ints({l.batch, l.queries, l.slots}, indices));
  tensors.push_back(ints({l.batch, l.queries}, counts));
  tensors.push_back(
      l.per_row ? ToHost(random({l.batch, l.queries, l.heads}), DType::kF32)
                : ToHost(random({l.batch, l.queries, l.heads, l.depth}),
                         DType::kBF16));
  tensors.push_back(ints({l.batch}, std::vector<int32_t>(l.batch, l.keys)));
  return CompileAndRun(AttentionText(l, schedule), tensors, options);
}

void ExpectSameBytes(const std::vector<HostTensor>& got,
                     const std::vector<HostTensor>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].byte_size(), expected[i].byte_size());
    EXPECT_EQ(std::memcmp(got[i].raw_data(), expected[i].raw_data(),
                          got[i].byte_size()),
              0)
        << "output " << i;
  }
}

// Whoever merges the parts of a list: another kernel, a block, or a cluster of
// blocks, of which some have no rows, no entries or fewer parts.
TEST(EmuSplitTest, PartsOfClusters) {
  Lists l;
  for (bool per_row : {false, true})
    for (int64_t queries : {1, 3}) {
      l.per_row = per_row;
      l.queries = queries;
      std::vector<int32_t> counts = {0, 1, 100, 32, 33, 65};
      if (queries == 1) counts = {70, 100};
      std::vector<HostTensor> expected =
          RunLists(l, counts, Parts(1, 0), HopperOptions());
      for (const std::string& schedule : {Parts(4, 0), Parts(1, 4), Parts(2, 2),
                                          Parts(2, 2, 2), Parts(3, 2, 2)}) {
        SCOPED_TRACE(schedule);
        ExpectSameBytes(RunLists(l, counts, schedule, HopperOptions()),
                        expected);
      }
    }
  // As many blocks as a cluster may have, and more than there are rows.
  l.queries = 1;
  l.per_row = false;
  for (int64_t blocks : {8, 16}) {
    l.slots = 32 * blocks - 5;
    std::vector<int32_t> counts = {static_cast<int32_t>(l.slots), 40};
    ExpectSameBytes(RunLists(l, counts, Parts(1, static_cast<int>(blocks)),
                             HopperOptions()),
                    RunLists(l, counts, Parts(1, 0), HopperOptions()));
  }
}

TEST(EmuSplitTest, NoDataRaceOfClusters) {
  Lists l;
  std::vector<int32_t> counts = {70, 100};
  ExpectSameBytes(RunLists(l, counts, Parts(2, 2, 2), HopperOptions(true)),
                  RunLists(l, counts, Parts(1, 0), HopperOptions()));
}

}  // namespace
}  // namespace gsa::testing
