// Rows that see no more keys than their budget (#gsa.short_rows_schedule), and
// attention over their lists as over tiles of keys (#gsa.dense_schedule on
// gsa.gather_attention), in emulation: against the float64 reference, and bit
// by bit against the schedule that has scores.

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "test/unit/reference_testing.h"
#include "test/unit/select_testing.h"

namespace gsa::testing {
namespace {

constexpr char kExact[] =
    "<scores = <engine = mma_sync, block_q = 32, block_k = 32, span = 2, "
    "stages = 2, producers = 1, consumers = 2>, topk = <warps = 2, bins = 256, "
    "capacity = 64, chunk = ";

std::string Exact(int chunk) { return kExact + std::to_string(chunk) + ">>"; }

std::string ShortRows(int rows, int chunk, int cells = 8) {
  return "#gsa.short_rows_schedule<rows = " + std::to_string(rows) +
         ", cells = " + std::to_string(cells) + ", exact = " + Exact(chunk) +
         ", vectors = 1, sm_warps = 8, row_sm_warps = 8>";
}

Problem ShortProblem(int64_t base, DType dtype = DType::kBF16) {
  Problem p;
  p.batch = 2;
  p.queries = p.keys = 70;
  p.heads = 3;
  p.depth = 20;
  p.dtype = dtype;
  p.options.policy = MakePolicy(KPolicyKind::kFixed, base, 0, 0);
  p.schedule = ShortRows(4, 32);
  return p;
}

void ExpectSameBits(const Problem& p, const Operands& operands,
                    const std::string& schedule) {
  ExpectSameSelection(p, operands, schedule,
                      "#gsa.select_schedule" + Exact(32));
}

// All rows short, most of them, some, none.
TEST(EmuShortRowsTest, AgreesWithTheReference) {
  std::mt19937 generator(1);
  for (int64_t base : {200, 70, 69, 33, 12, 1}) {
    Problem p = ShortProblem(base, base % 2 ? DType::kF16 : DType::kBF16);
    CheckSelect(p, MakeOperands(p, &generator), HopperOptions());
  }
}

TEST(EmuShortRowsTest, OddShapes) {
  std::mt19937 generator(2);
  for (auto [queries, keys, base] :
       {std::tuple<int64_t, int64_t, int64_t>{1, 50, 50},
        {90, 30, 12},
        {40, 65, 64},
        {5, 0, 12},
        {0, 5, 12},
        {3, 257, 256}}) {
    for (bool causal : {true, false}) {
      Problem p = ShortProblem(base);
      p.queries = queries;
      p.keys = keys;
      p.depth = keys % 3 == 0 ? 15 : 32;
      p.has_bias = keys % 2 == 0;
      p.has_weights = keys % 3 != 0;
      p.schedule = ShortRows(queries > 5 ? 16 : 1, 7);
      if (!causal) p.options.mask = reference::Mask::kNone;
      CheckSelect(p, MakeOperands(p, &generator), HopperOptions());
    }
  }
}

TEST(EmuShortRowsTest, BudgetsOfRows) {
  std::mt19937 generator(3);
  for (KPolicyKind kind :
       {KPolicyKind::kPaperEma, KPolicyKind::kOrth, KPolicyKind::kEntropy}) {
    Problem p = ShortProblem(24);
    p.options.policy = MakePolicy(kind, 24, 20, 30);
    if (kind == KPolicyKind::kPaperEma) p.options.normaliser = 0.05;
    p.schedule = ShortRows(4, 32, /*cells=*/0);
    CheckSelect(p, MakeOperands(p, &generator), HopperOptions());
  }
}

// What is not a number, and what is too large for the check to know: both have
// the scores' path, and what is just within the limit has not.
TEST(EmuShortRowsTest, ScoresThatAreNotFinite) {
  std::mt19937 generator(4);
  Problem p = ShortProblem(70);
  Operands operands = MakeOperands(p, &generator);
  operands.query.At(0, 30, 1, 2) = kNaN;
  operands.query.At(0, 40, 0, 0) = kInfinity;
  operands.weights.At(0, 31, 1) = kNaN;
  operands.query.At(0, 50, 0, 0) = 1048576;
  operands.query.At(0, 51, 0, 0) = 0x1p21;
  operands.key.At(1, 20, 0) = kNaN;
  operands.key.At(1, 60, 3) = -kInfinity;
  CheckSelect(p, operands, HopperOptions());
  for (auto activation : {reference::ScoreActivation::kRelu,
                          reference::ScoreActivation::kIdentity}) {
    Problem other = p;
    other.options.score_activation = activation;
    other.options.policy.base = 70;
    ExpectSameBits(other, operands, ShortRows(16, 32));
    ExpectSameBits(other, operands, ShortRows(1, 70));
    other.options.policy.base = 33;
    ExpectSameBits(other, operands, ShortRows(5, 9));
    ExpectSameBits(other, operands, ShortRows(16, 32, /*cells=*/0));
  }
  operands.bias[1] = kNaN;
  ExpectSameBits(p, operands, ShortRows(16, 32));
}

// Rows that are read once: forced cells, equal scores, scores that are all
// equal.
TEST(EmuShortRowsTest, LongRows) {
  std::mt19937 generator(7);
  Problem p = ShortProblem(12);
  p.queries = p.keys = 150;
  p.options.score_activation = reference::ScoreActivation::kRelu;
  Operands operands = MakeOperands(p, &generator);
  for (auto [sink, local] :
       {std::pair<int64_t, int64_t>{0, 0}, {3, 4}, {20, 0}, {0, 20}}) {
    p.options.sink = sink;
    p.options.local = local;
    ExpectSameBits(p, operands, ShortRows(16, 64));
    ExpectSameBits(p, operands, ShortRows(16, 150, /*cells=*/1));
  }
  for (double& x : operands.query.values()) x = x > 0.5;
  for (double& x : operands.key.values()) x = x > 1.5;
  for (double& x : operands.weights.values()) x = 0;
  ExpectSameBits(p, operands, ShortRows(16, 64));
  for (double& x : operands.key.values()) x = 0;
  ExpectSameBits(p, operands, ShortRows(16, 64));
  p.options.mask = reference::Mask::kNone;
  ExpectSameBits(p, operands, ShortRows(16, 64));
}

TEST(EmuShortRowsTest, NoDataRace) {
  std::mt19937 generator(5);
  Problem p = ShortProblem(33);
  p.batch = 1;
  Operands operands = MakeOperands(p, &generator);
  operands.query.At(0, 3, 1, 2) = kNaN;
  CheckSelect(p, operands, HopperOptions(true));
}

//===----------------------------------------------------------------------===//
// Attention over the lists
//===----------------------------------------------------------------------===//

struct Core {
  int64_t batch = 2, queries = 150, keys = 150, slots = 150;
  int64_t heads = 4, groups = 2, depth = 64;
  const char* mask = "causal";
};

// Selection and attention over it; the schedules are texts or empty.
std::string CoreText(const Core& c, const std::string& select,
                     const std::string& attention) {
  auto tensor = [](std::vector<int64_t> shape, const char* element) {
    return TypeText(reference::Shape(shape.begin(), shape.end()), element);
  };
  auto scheduled = [](const std::string& schedule) {
    return schedule.empty() ? "" : "gsa.schedule = " + schedule;
  };
  std::string q = tensor({c.batch, c.queries, c.heads, c.depth}, "bf16");
  std::string kv = tensor({c.batch, c.keys, c.groups, c.depth}, "bf16");
  std::string iq = tensor({c.batch, c.queries, 2, 16}, "bf16");
  std::string ik = tensor({c.batch, c.keys, 16}, "bf16");
  std::string iw = tensor({c.batch, c.queries, 2}, "bf16");
  std::string idx = tensor({c.batch, c.queries, c.slots}, "i32");
  std::string row = tensor({c.batch, c.queries}, "i32");
  std::string lse = tensor({c.batch, c.heads, c.queries}, "f32");
  return "func.func @main(%q: " + q + " {gsa.name = \"q\"}, %k: " + kv +
         " {gsa.name = \"k\"}, %v: " + kv + " {gsa.name = \"v\"}, %iq: " + iq +
         " {gsa.name = \"iq\"}, %ik: " + ik +
         " {gsa.name = \"ik\"}, %iw: " + iw + " {gsa.name = \"iw\"}) -> (" + q +
         " {gsa.name = \"out\"}, " + lse + " {gsa.name = \"lse\"}, " + idx +
         " {gsa.name = \"indices\"}, " + row +
         " {gsa.name = \"counts\"}) {\n"
         "  %i, %c, %s = gsa.select %iq, %ik weights %iw policy <fixed, base "
         "= " +
         std::to_string(c.slots) + "> {mask = #gsa.mask<" + c.mask + ">" +
         (select.empty() ? "" : ", ") + scheduled(select) + "} : (" + iq +
         ", " + ik + ", " + iw + ") -> (" + idx + ", " + row + ", " + row +
         ")\n  %o, %l = gsa.gather_attention %q, %k, %v indices %i, %c {" +
         scheduled(attention) + "} : (" + q + ", " + kv + ", " + kv + ", " +
         idx + ", " + row + ") -> (" + q + ", " + lse +
         ")\n  return %o, %l, %i, %c : " + q + ", " + lse + ", " + idx + ", " +
         row + "\n}\n";
}

std::vector<HostTensor> CoreInputs(const Core& c, bool spoilt,
                                   std::mt19937* generator) {
  auto random = [&](reference::Shape shape) {
    return reference::Random(std::move(shape), generator);
  };
  Doubles q = random({c.batch, c.queries, c.heads, c.depth});
  Doubles k = random({c.batch, c.keys, c.groups, c.depth});
  Doubles v = random({c.batch, c.keys, c.groups, c.depth});
  Doubles iq = random({c.batch, c.queries, 2, 16});
  Doubles ik = random({c.batch, c.keys, 16});
  Doubles iw = random({c.batch, c.queries, 2});
  if (spoilt) {
    // Keys without a score, of which one has values that nobody may see; a row
    // of no keys; a value that its readers see.
    ik.At(0, 20, 3) = kNaN;
    v.At(0, 20, 0, 5) = kNaN;
    int64_t last = c.batch - 1;
    iq.At(last, 77, 1, 0) = kNaN;
    v.At(last, 90, 1, 7) = kInfinity;
    k.At(last, 100, 0, 0) = 1e30;
  }
  std::vector<HostTensor> inputs;
  for (const Doubles* tensor : {&q, &k, &v, &iq, &ik, &iw})
    inputs.push_back(ToHost(*tensor, DType::kBF16));
  return inputs;
}

std::string Dense(int block_q, int block_k, const char* order, bool masked) {
  return "#gsa.dense_schedule<engine = wgmma, block_q = " +
         std::to_string(block_q) + ", block_k = " + std::to_string(block_k) +
         ", key_stages = 2, value_stages = 2, order = " + order +
         ", per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = "
         "2, producers = 4, consumers = 1>" +
         (masked ? ", masked = true, string_warps = 4, string_entries = 128>"
                 : ", short_warps = 2, again_sm_blocks = 1>");
}

double ToDouble(const HostTensor& tensor, size_t i) {
  if (tensor.dtype() == DType::kF32)
    return reinterpret_cast<const float*>(tensor.raw_data())[i];
  return BF16ToFloat(reinterpret_cast<const BF16*>(tensor.raw_data())[i]);
}

void ExpectNear(const HostTensor& got, const HostTensor& expected,
                double tolerance) {
  ASSERT_EQ(got.num_elements(), expected.num_elements());
  for (int64_t i = 0; i < got.num_elements(); ++i) {
    double x = ToDouble(got, i), y = ToDouble(expected, i);
    if (std::isnan(x) && std::isnan(y)) continue;
    if (x == y) continue;
    ASSERT_LE(std::abs(x - y), tolerance * (1 + std::abs(y))) << i;
  }
}

void CheckCore(const Core& c, const std::string& attention, bool spoilt,
               const CompileOptions& options) {
  SCOPED_TRACE(attention);
  std::mt19937 generator(6);
  std::vector<HostTensor> inputs = CoreInputs(c, spoilt, &generator);
  std::string select = ShortRows(16, 64);
  std::vector<HostTensor> got =
      CompileAndRun(CoreText(c, select, attention), inputs, options);
  std::vector<HostTensor> expected = CompileAndRun(
      CoreText(
          c, "#gsa.select_schedule" + Exact(64),
          "#gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k "
          "= 32, stages = 2, producers = 4, consumers = 1>"),
      inputs, HopperOptions());
  ASSERT_EQ(got.size(), 4u);
  ASSERT_EQ(expected.size(), 4u);
  EXPECT_EQ(ToInts(got[2]), ToInts(expected[2]));
  EXPECT_EQ(ToInts(got[3]), ToInts(expected[3]));
  ExpectNear(got[0], expected[0], 0.02);
  ExpectNear(got[1], expected[1], 1e-4);
}

TEST(EmuShortRowsTest, AttentionOverAllKeys) {
  for (bool spoilt : {false, true}) {
    CheckCore({}, Dense(128, 64, "ping_pong", false), spoilt, HopperOptions());
    CheckCore({.queries = 70, .keys = 200, .slots = 200},
              Dense(64, 80, "free", false), false, HopperOptions());
  }
  // Rows that have a choice are done again: slow, and right.
  CheckCore({.slots = 100}, Dense(64, 64, "free", false), true,
            HopperOptions());
  CheckCore(
      {.batch = 1, .queries = 65, .keys = 90, .slots = 90, .mask = "none"},
      Dense(64, 64, "free", false), false, HopperOptions());
}

TEST(EmuShortRowsTest, AttentionOverMaskedTiles) {
  for (bool spoilt : {false, true})
    for (int64_t slots : {30, 64, 140})
      CheckCore({.slots = slots}, Dense(128, 64, "ping_pong", true), spoilt,
                HopperOptions());
  CheckCore({.queries = 70, .keys = 200, .slots = 50},
            Dense(64, 96, "free", true), false, HopperOptions());
  CheckCore(
      {.batch = 1, .queries = 65, .keys = 90, .slots = 20, .mask = "none"},
      Dense(64, 32, "free", true), false, HopperOptions());
}

TEST(EmuShortRowsTest, NoDataRaceInAttention) {
  CheckCore({.batch = 1, .slots = 30}, Dense(128, 64, "ping_pong", true), true,
            HopperOptions(true));
}

}  // namespace
}  // namespace gsa::testing
