// Keys, values and index keys in pages of a pool, in emulation: bit by bit
// against the same rows one behind the other, for decoding and for chunks of
// prompts. Pages are of odd sizes and in no order, cells that no sequence uses
// are NaN, and what the table has behind a sequence is garbage.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "test/unit/reference_testing.h"
#include "test/unit/select_testing.h"

namespace gsa::testing {
namespace {

constexpr int64_t kHeads = 4, kGroups = 2, kDepth = 64, kIndexDepth = 20;
constexpr int64_t kSlots = 20;

// How keys and values lie in their pools.
enum class Pools {
  kApart,       // [P, page, G, D] each
  kSideBySide,  // [P, page, G, D + D]
  kStacked,     // [2, P, page, G, D]
  kByPage,      // [P, 2, page, G, D]
  kHeadsFirst,  // [P, G, page, D] each
};

struct Cache {
  Pools pools = Pools::kApart;
  int64_t page = 16, pages_of_table = 9, spare = 3, queries = 1;
  std::vector<int32_t> lengths;
  bool takes_lengths = true;  // Otherwise those are all rows.
  std::string select_schedule, attention_schedule;

  int64_t batch() const { return static_cast<int64_t>(lengths.size()); }
  int64_t rows() const { return page * pages_of_table; }
  int64_t pages() const { return batch() * pages_of_table + spare; }
};

// ---- Text -------------------------------------------------------------------

std::string Bf16(const reference::Shape& shape) {
  return TypeText(shape, "bf16");
}

// Defines %kp and %vp of the pools, whose arguments are `arguments`.
struct PoolText {
  std::string arguments, body, type, attribute;
};

std::string Slice(const std::string& name, const std::string& from,
                  const reference::Shape& offsets,
                  const reference::Shape& sizes, const std::string& source,
                  const std::string& result) {
  auto list = [](const reference::Shape& numbers) {
    std::string text = "[";
    for (size_t i = 0; i < numbers.size(); ++i)
      absl::StrAppend(&text, i > 0 ? ", " : "", numbers[i]);
    return text + "]";
  };
  return absl::StrCat("  ", name, " = tensor.extract_slice ", from,
                      list(offsets), list(sizes),
                      list(reference::Shape(sizes.size(), 1)), " : ", source,
                      " to ", result, "\n");
}

PoolText MakePoolText(const Cache& c) {
  int64_t p = c.pages();
  reference::Shape plain = {p, c.page, kGroups, kDepth}, both, first, second,
                   sizes;
  PoolText text;
  text.type = Bf16(plain);
  switch (c.pools) {
    case Pools::kHeadsFirst:
      text.type = Bf16({p, kGroups, c.page, kDepth});
      text.attribute = "{heads_first} ";
      [[fallthrough]];
    case Pools::kApart:
      text.arguments =
          absl::StrCat("%kp: ", text.type, ", %vp: ", text.type, ", ");
      return text;
    case Pools::kSideBySide:
      both = {p, c.page, kGroups, 2 * kDepth};
      first = {0, 0, 0, 0};
      second = {0, 0, 0, kDepth};
      sizes = plain;
      break;
    case Pools::kStacked:
      both = {2, p, c.page, kGroups, kDepth};
      first = {0, 0, 0, 0, 0};
      second = {1, 0, 0, 0, 0};
      sizes = {1, p, c.page, kGroups, kDepth};
      break;
    case Pools::kByPage:
      both = {p, 2, c.page, kGroups, kDepth};
      first = {0, 0, 0, 0, 0};
      second = {0, 1, 0, 0, 0};
      sizes = {p, 1, c.page, kGroups, kDepth};
      break;
  }
  text.arguments = absl::StrCat("%kv: ", Bf16(both), ", ");
  text.body = Slice("%kp", "%kv", first, sizes, Bf16(both), text.type) +
              Slice("%vp", "%kv", second, sizes, Bf16(both), text.type);
  return text;
}

// Selection and attention, once over pages and once over plain rows.
std::string Text(const Cache& c) {
  PoolText pool = MakePoolText(c);
  int64_t b = c.batch(), t = c.queries, s = c.rows();
  auto schedule = [](const std::string& text) {
    return text.empty() ? "" : " {gsa.schedule = " + text + "}";
  };
  std::string clause = c.takes_lengths ? " lengths %n" : "";
  std::string once = absl::StrReplaceAll(
      "  %i#:3 = gsa.select %iq, %IK weights %w$LENGTHS policy <fixed, base = "
      "$SLOTS>$SELECT : ($IQ, $IKT, $W$MORE) -> ($I, $C, $C)\n"
      "  %o#:2 = gsa.gather_attention %q, %K, %V indices %i##0, %i##1$LENGTHS"
      "$ATTENTION : ($Q, $KT, $KT, $I, $C$MORE) -> ($Q, $L)\n",
      {{"$SLOTS", absl::StrCat(kSlots)},
       {"$LENGTHS", clause},
       {"$MORE", c.takes_lengths ? ", $N" : ""},
       {"$SELECT", schedule(c.select_schedule)},
       {"$ATTENTION", schedule(c.attention_schedule)}});
  auto make = [&](const char* number, const char* index, const char* key,
                  const char* value) {
    return absl::StrReplaceAll(once, {{"%i#", absl::StrCat("%i", number)},
                                      {"%o#", absl::StrCat("%o", number)},
                                      {"%IK", index},
                                      {"%K", key},
                                      {"%V", value}});
  };
  std::string text = absl::StrCat(
      "func.func @main(%q: $Q, %iq: $IQ, %w: $W, %n: $N, %k: $KT, %v: $KT, "
      "%ik: $IKT, %table: $TABLE, ",
      pool.arguments,
      "%ip: $IP) -> ($I, $C, $C, $Q, $L, $I, $C, $C, $Q, $L) {\n", pool.body,
      "  %kr = gsa.paged_rows %kp, %table ", pool.attribute,
      ": ($POOL, $TABLE) -> $KT\n  %vr = gsa.paged_rows %vp, %table ",
      pool.attribute,
      ": ($POOL, $TABLE) -> $KT\n"
      "  %ir = gsa.paged_rows %ip, %table : ($IP, $TABLE) -> $IKT\n",
      make("0", "%ir", "%kr", "%vr"), make("1", "%ik", "%k", "%v"),
      "  return %i0#0, %i0#1, %i0#2, %o0#0, %o0#1, %i1#0, %i1#1, %i1#2, "
      "%o1#0, %o1#1 : $I, $C, $C, $Q, $L, $I, $C, $C, $Q, $L\n}\n");
  return absl::StrReplaceAll(
      text, {{"$TABLE", TypeText({b, c.pages_of_table}, "i32")},
             {"$POOL", pool.type},
             {"$IKT", Bf16({b, s, kIndexDepth})},
             {"$IP", Bf16({c.pages(), c.page, kIndexDepth})},
             {"$IQ", Bf16({b, t, 3, kIndexDepth})},
             {"$KT", Bf16({b, s, kGroups, kDepth})},
             {"$Q", Bf16({b, t, kHeads, kDepth})},
             {"$W", Bf16({b, t, 3})},
             {"$N", TypeText({b}, "i32")},
             {"$I", TypeText({b, t, kSlots}, "i32")},
             {"$C", TypeText({b, t}, "i32")},
             {"$L", TypeText({b, kHeads, t}, "f32")}});
}

// ---- Data -------------------------------------------------------------------

struct Data {
  Doubles query, index_query, weights, key, value, index_key;
  std::vector<int32_t> table;
};

Data MakeData(const Cache& c, std::mt19937* generator) {
  std::normal_distribution<double> normal;
  auto fill = [&](reference::Shape shape) {
    Doubles tensor(std::move(shape));
    for (double& x : tensor.values()) x = normal(*generator);
    return tensor;
  };
  int64_t b = c.batch(), t = c.queries, s = c.rows();
  Data data{fill({b, t, kHeads, kDepth}),
            fill({b, t, 3, kIndexDepth}),
            fill({b, t, 3}),
            fill({b, s, kGroups, kDepth}),
            fill({b, s, kGroups, kDepth}),
            fill({b, s, kIndexDepth}),
            std::vector<int32_t>(c.pages())};
  std::iota(data.table.begin(), data.table.end(), 0);
  std::shuffle(data.table.begin(), data.table.end(), *generator);
  data.table.resize(b * c.pages_of_table);
  return data;
}

// Rows below the length of each sequence, in the pages of the table; NaN
// elsewhere. `place(page, row, group)` is where a row of `depth` elements is.
template <typename Place>
void FillPool(const Cache& c, const Data& data, const Doubles& rows,
              int64_t groups, int64_t depth, Place place, Doubles* pool) {
  for (int64_t b = 0; b < c.batch(); ++b)
    for (int64_t s = 0; s < std::min<int64_t>(c.lengths[b], c.rows()); ++s)
      for (int64_t g = 0; g < groups; ++g) {
        int64_t page = data.table[b * c.pages_of_table + s / c.page];
        for (int64_t d = 0; d < depth; ++d)
          (*pool)[place(page, s % c.page, g) + d] =
              rows[((b * c.rows() + s) * groups + g) * depth + d];
      }
}

std::vector<HostTensor> MakePools(const Cache& c, const Data& data) {
  int64_t p = c.pages(), page = c.page;
  int64_t half = p * page * kGroups * kDepth;
  auto at = [&](int64_t pages_apart, int64_t row, int64_t group,
                int64_t offset) {
    return [=](int64_t n, int64_t r, int64_t g) {
      return n * pages_apart + r * row + g * group + offset;
    };
  };
  auto pool = [&](int64_t size) { return Doubles({size}, kNaN); };
  auto fill = [&](const Doubles& rows, auto place, Doubles* target) {
    FillPool(c, data, rows, kGroups, kDepth, place, target);
  };
  std::vector<HostTensor> tensors;
  auto add = [&](Doubles tensor, reference::Shape shape) {
    tensors.push_back(ToHost(
        Doubles(std::move(shape), std::move(tensor.values())), DType::kBF16));
  };
  constexpr int64_t kRow = kGroups * kDepth;
  if (c.pools == Pools::kApart || c.pools == Pools::kHeadsFirst) {
    bool plain = c.pools == Pools::kApart;
    for (const Doubles* rows : {&data.key, &data.value}) {
      Doubles one = pool(half);
      if (plain)
        fill(*rows, at(page * kRow, kRow, kDepth, 0), &one);
      else
        fill(*rows, at(page * kRow, kDepth, page * kDepth, 0), &one);
      add(std::move(one), plain ? reference::Shape{p, page, kGroups, kDepth}
                                : reference::Shape{p, kGroups, page, kDepth});
    }
    return tensors;
  }
  Doubles both = pool(2 * half);
  for (int64_t i : {0, 1}) {
    const Doubles& rows = i == 0 ? data.key : data.value;
    if (c.pools == Pools::kSideBySide)
      fill(rows, at(2 * page * kRow, 2 * kRow, 2 * kDepth, i * kDepth), &both);
    else if (c.pools == Pools::kStacked)
      fill(rows, at(page * kRow, kRow, kDepth, i * half), &both);
    else
      fill(rows, at(2 * page * kRow, kRow, kDepth, i * page * kRow), &both);
  }
  add(std::move(both), c.pools == Pools::kSideBySide
                           ? reference::Shape{p, page, kGroups, 2 * kDepth}
                       : c.pools == Pools::kStacked
                           ? reference::Shape{2, p, page, kGroups, kDepth}
                           : reference::Shape{p, 2, page, kGroups, kDepth});
  return tensors;
}

std::vector<HostTensor> MakeInputs(const Cache& c, const Data& data) {
  std::vector<HostTensor> inputs;
  for (const Doubles* tensor : {&data.query, &data.index_query, &data.weights})
    inputs.push_back(ToHost(*tensor, DType::kBF16));
  inputs.push_back(
      *HostTensor::FromValues<int32_t>("", {c.batch()}, c.lengths));
  for (const Doubles* tensor : {&data.key, &data.value, &data.index_key})
    inputs.push_back(ToHost(*tensor, DType::kBF16));
  inputs.push_back(*HostTensor::FromValues<int32_t>(
      "", {c.batch(), c.pages_of_table}, data.table));
  for (HostTensor& pool : MakePools(c, data)) inputs.push_back(std::move(pool));
  Doubles index({c.pages(), c.page, kIndexDepth}, kNaN);
  FillPool(
      c, data, data.index_key, 1, kIndexDepth,
      [&](int64_t n, int64_t r, int64_t) {
        return (n * c.page + r) * kIndexDepth;
      },
      &index);
  inputs.push_back(ToHost(index, DType::kBF16));
  return inputs;
}

// Outputs over pages have the bits of those over plain rows.
void ExpectSameBits(const Cache& c, uint32_t seed) {
  std::mt19937 generator(seed);
  Data data = MakeData(c, &generator);
  // What the table has behind a sequence names no page, or one of another.
  for (int64_t b = 0; b < c.batch(); ++b)
    for (int64_t i = (std::max(c.lengths[b], 0) + c.page - 1) / c.page;
         i < c.pages_of_table; ++i)
      data.table[b * c.pages_of_table + i] = i % 3 == 0   ? -1
                                             : i % 3 == 1 ? 1 << 30
                                                          : 0;
  std::vector<HostTensor> outputs =
      CompileAndRun(Text(c), MakeInputs(c, data), HopperOptions());
  ASSERT_EQ(outputs.size(), 10u);
  for (size_t i = 0; i < 5; ++i)
    EXPECT_EQ(std::memcmp(outputs[i].raw_data(), outputs[i + 5].raw_data(),
                          outputs[i].byte_size()),
              0)
        << "output " << i;
}

const char kSplitSelect[] =
    "#gsa.split_select_schedule<engine = mma_sync, block_k = 64, span = 2, "
    "stages = 2, producers = 1, consumers = 2, sample = 4, rank = 10, capacity "
    "= 64, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>>";
const char kSplitAttention[] =
    "#gsa.split_attention_schedule<entries = 16, part = <engine = mma_sync, "
    "block_q = 16, block_k = 16, stages = 2, producers = 1, consumers = 1>>";
const char kWholeSelect[] =
    "#gsa.select_schedule<scores = <engine = mma_sync, block_q = 16, block_k = "
    "32, span = 2, stages = 2, producers = 1, consumers = 1>, topk = <warps = "
    "2, bins = 256, capacity = 64, chunk = 1>>";
const char kAttention[] =
    "#gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 32, "
    "stages = 2, producers = 1, consumers = 1>";

TEST(EmuPagedTest, DecodingOverPagesOfEachSize) {
  for (int64_t page : {16, 5, 784}) {
    SCOPED_TRACE(page);
    Cache c;
    c.page = page;
    c.pages_of_table = 160 / page + 1;
    c.queries = page == 5 ? 3 : 1;
    c.lengths = {static_cast<int32_t>(c.rows()), 0, 1, 77, 3 * 16};
    c.select_schedule = kSplitSelect;
    c.attention_schedule = kSplitAttention;
    ExpectSameBits(c, 1);
  }
}

TEST(EmuPagedTest, KeysAndValuesOfOnePool) {
  for (Pools pools : {Pools::kSideBySide, Pools::kStacked, Pools::kByPage,
                      Pools::kHeadsFirst}) {
    SCOPED_TRACE(static_cast<int>(pools));
    Cache c;
    c.pools = pools;
    c.page = 24;
    c.pages_of_table = 5;
    c.lengths = {101, 24};
    c.select_schedule = kSplitSelect;
    c.attention_schedule = kSplitAttention;
    ExpectSameBits(c, 2);
  }
}

TEST(EmuPagedTest, ChunksOfPrompts) {
  Cache c;
  c.page = 24;
  c.pages_of_table = 5;
  c.queries = 19;
  c.lengths = {101, 19, 120};
  c.select_schedule = kWholeSelect;
  c.attention_schedule = kAttention;
  ExpectSameBits(c, 3);
}

// Scores that go to lists without memory between, and keys that neighbouring
// queries share, by warpgroups.
TEST(EmuPagedTest, LongPrompts) {
  Cache c;
  c.page = 24;
  c.pages_of_table = 14;
  c.queries = 70;
  c.lengths = {336, 336};
  c.takes_lengths = false;
  c.select_schedule = absl::StrCat(
      "#gsa.one_pass_schedule<scores = <engine = wgmma, block_q = 64, block_k "
      "= 64, span = 2, stages = 2, producers = 4, consumers = 4, pairs = 2, "
      "boxes = false>, exact = <scores = <engine = mma_sync, block_q = 32, "
      "block_k = 32, span = 2, stages = 2, producers = 1, consumers = 2>, topk "
      "= <warps = 2, bins = 256, capacity = 64, chunk = 32>>, sample = 4, rank "
      "= 12, capacity = 96, chunk = 96, sm_blocks = 0, staged = 10, "
      "thread_candidates = 16, candidate_bins = 1024>");
  c.attention_schedule =
      "#gsa.union_schedule<engine = wgmma, queries = 16, groups = 1, block_k = "
      "64, key_stages = 2, value_stages = 2, producers = 4, table = 1024, "
      "chunk = 32, per_query = <engine = mma_sync, block_q = 16, block_k = 32, "
      "stages = 2, producers = 2, consumers = 2>>";
  ExpectSameBits(c, 5);
}

// A number of the table that is none of a page, below the length: its rows are
// seen by no selection, and counted.
TEST(EmuPagedTest, PagesThatAreNotInThePool) {
  std::mt19937 generator(4);
  Cache c;
  c.page = 16;
  c.pages_of_table = 6;
  c.lengths = {90, 70};
  c.select_schedule = kSplitSelect;
  c.attention_schedule = kSplitAttention;
  Data data = MakeData(c, &generator);
  std::vector<HostTensor> inputs = MakeInputs(c, data);
  auto* table = static_cast<int32_t*>(inputs[7].raw_data());
  table[1] = -1;
  table[5] = static_cast<int32_t>(c.pages());  // Rows 80 to 89 of 90.
  table[6 + 2] = std::numeric_limits<int32_t>::max();
  std::vector<HostTensor> outputs =
      CompileAndRun(Text(c), inputs, HopperOptions());
  // Schedules are those of kernels.
  c.select_schedule.clear();
  c.attention_schedule.clear();
  std::vector<HostTensor> expected =
      CompileAndRun(Text(c), inputs, CpuOptions(2));
  ASSERT_EQ(outputs.size(), 10u);
  ASSERT_EQ(expected.size(), 10u);
  EXPECT_EQ(ToInts(outputs[2]).values(), (std::vector<int32_t>{26, 16}));
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(ToInts(outputs[i]).values(), ToInts(expected[i]).values()) << i;
  for (int32_t index : ToInts(outputs[0]).values()) {
    EXPECT_FALSE(index >= 80 && index < 96) << index;
  }
}

}  // namespace
}  // namespace gsa::testing
