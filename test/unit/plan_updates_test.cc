// -----------------------------------------------------------------------------
// File: plan_updates_test.cc
// -----------------------------------------------------------------------------
//
// gsa.append_rows in plans, and outputs that update an input: in its memory and
// in their own they have the bits of a fresh copy, and so has everything that
// no row was appended to. Caches hold any bits, NaN among them; lengths, counts
// and tables hold any numbers.

#include <algorithm>
#include <climits>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/tensor.h"
#include "runtime/plan.h"

namespace gsa {
namespace {

using ::testing::HasSubstr;
using Shape = std::vector<int64_t>;

// What is appended to what; `heads` 0: tensors of rank 3.
struct Case {
  bool table = false, counts = false, heads_first = false;
  int64_t batches = 3, tokens = 4, heads = 2, depth = 5;
  int64_t page = 4, columns = 3, pages = 11;  // without a table: page is room
  std::string type = "bf16";
  bool updates = true, dynamic = false;

  Shape RowsShape() const {
    if (heads == 0) return {batches, tokens, depth};
    return {batches, tokens, heads, depth};
  }
  Shape CacheShape() const {
    const int64_t outer = table ? pages : batches;
    if (heads == 0) return {outer, page, depth};
    if (heads_first) return {outer, heads, page, depth};
    return {outer, page, heads, depth};
  }
  int64_t room() const { return table ? page * columns : page; }
  int64_t width() const { return std::max<int64_t>(heads, 1) * depth; }
};

std::string Type(const Shape& shape, const std::string& element) {
  return absl::StrCat("tensor<",
                      absl::StrJoin(shape, "x",
                                    [](std::string* text, int64_t size) {
                                      absl::StrAppend(
                                          text,
                                          size < 0 ? "?" : absl::StrCat(size));
                                    }),
                      "x", element, ">");
}

// Sizes that only a run knows are those of sequences, rows and pages.
Shape Free(const Case& c, Shape shape, bool cache) {
  if (!c.dynamic) return shape;
  shape[0] = -1;
  if (!cache) shape[1] = -1;
  if (cache && !c.table) shape[c.heads_first ? 2 : 1] = -1;
  return shape;
}

std::string Text(const Case& c) {
  const std::string rows = Type(Free(c, c.RowsShape(), false), c.type);
  const std::string cache = Type(Free(c, c.CacheShape(), true), c.type);
  const std::string table = Type(Free(c, {c.batches, c.columns}, false), "i32");
  const std::string number =
      c.dynamic ? "tensor<?xi32>" : Type({c.batches}, "i32");
  return absl::StrCat(
      "func.func @main(%x: ", rows, " {gsa.name = \"rows\"},\n    %c: ", cache,
      " {gsa.name = \"cache\"},\n",
      c.table ? absl::StrCat("    %t: ", table, " {gsa.name = \"table\"},\n")
              : "",
      "    %n: ", number, " {gsa.name = \"lengths\"}",
      c.counts ? absl::StrCat(",\n    %m: ", number, " {gsa.name = \"counts\"}")
               : "",
      ")\n    -> (", cache, " {gsa.name = \"new_cache\"",
      c.updates ? ", gsa.updates = \"cache\"" : "",
      "}) {\n  %0 = gsa.append_rows %x to %c", c.table ? ", %t" : "",
      " lengths %n", c.counts ? " counts %m" : "",
      c.heads_first ? " {heads_first}" : "", "\n    : (", rows, ", ", cache,
      ", ", c.table ? table + ", " : "", number, c.counts ? ", " + number : "",
      ") -> ", cache, "\n  return %0 : ", cache, "\n}\n");
}

// What a run is given.
struct Arguments {
  Arguments(const Case& c, uint64_t seed) : random_(seed) {
    const DType dtype = *ParseDType(c.type);
    AddBits("rows", dtype, c.RowsShape());
    AddBits("cache", dtype, c.CacheShape());
    if (c.table) {
      // Every page once, so that each place has one row; some are no pages.
      std::vector<int32_t> order(static_cast<size_t>(c.pages));
      std::iota(order.begin(), order.end(), 0);
      for (size_t i = order.size() - 1; i > 0; --i)
        std::swap(order[i], order[random_() % (i + 1)]);
      order.resize(static_cast<size_t>(c.batches * c.columns), -1);
      const int32_t wrong[] = {-1, INT_MIN, INT_MAX,
                               static_cast<int32_t>(c.pages)};
      for (int32_t& page : order)
        if (random_() % 4 == 0) page = wrong[random_() % 4];
      AddNumbers("table", {c.batches, c.columns}, order);
    }
    const auto room = static_cast<int32_t>(c.room());
    const auto tokens = static_cast<int32_t>(c.tokens);
    AddNumbers("lengths", {c.batches},
               Choose(c.batches, {0, 1, tokens - 1, tokens, room - 1, room,
                                  room + 2, room + tokens, -1, INT_MIN, INT_MAX,
                                  room / 2, room / 2 + 1}));
    if (c.counts)
      AddNumbers("counts", {c.batches},
                 Choose(c.batches, {0, 1, 2, tokens - 1, tokens, tokens + 1, -3,
                                    INT_MIN, INT_MAX}));
  }

  const HostTensor& at(const std::string& name) const {
    for (const HostTensor& tensor : tensors)
      if (tensor.name() == name) return tensor;
    throw std::out_of_range(name);
  }
  int32_t number(const std::string& name, int64_t i) const {
    return static_cast<const int32_t*>(at(name).raw_data())[i];
  }

  std::vector<HostTensor> tensors;

 private:
  std::vector<int32_t> Choose(int64_t count, std::vector<int32_t> from) {
    std::vector<int32_t> chosen;
    for (int64_t i = 0; i < count; ++i)
      chosen.push_back(from[random_() % from.size()]);
    return chosen;
  }
  void AddBits(const std::string& name, DType dtype, const Shape& shape) {
    tensors.push_back(*HostTensor::Create(name, dtype, shape));
    auto* bytes = static_cast<uint8_t*>(tensors.back().raw_data());
    for (size_t i = 0; i < tensors.back().byte_size(); ++i)
      bytes[i] = static_cast<uint8_t>(random_() % 5 == 0 ? 0xff : random_());
  }
  void AddNumbers(const std::string& name, const Shape& shape,
                  const std::vector<int32_t>& numbers) {
    tensors.push_back(*HostTensor::Create(name, DType::kI32, shape));
    std::memcpy(tensors.back().raw_data(), numbers.data(),
                tensors.back().byte_size());
  }

  std::mt19937_64 random_;
};

std::string BytesOf(const HostTensor& tensor) {
  return {static_cast<const char*>(tensor.raw_data()), tensor.byte_size()};
}

// The definition, on bytes.
std::string Expected(const Case& c, const Arguments& given) {
  std::string cache = BytesOf(given.at("cache"));
  const std::string rows = BytesOf(given.at("rows"));
  const size_t cell = DTypeSize(*ParseDType(c.type)) * c.depth;
  const int64_t heads = std::max<int64_t>(c.heads, 1);
  for (int64_t b = 0; b < c.batches; ++b) {
    for (int64_t t = 0; t < c.tokens; ++t) {
      const int64_t place = int64_t{given.number("lengths", b)} - c.tokens + t;
      if (place < 0 || place >= c.room()) continue;
      if (c.counts && t < c.tokens - int64_t{given.number("counts", b)})
        continue;
      int64_t outer = b;
      if (c.table) {
        outer = given.number("table", b * c.columns + place / c.page);
        if (outer < 0 || outer >= c.pages) continue;
      }
      const int64_t row = place % c.page;
      for (int64_t g = 0; g < heads; ++g) {
        const int64_t to = c.heads_first ? (outer * heads + g) * c.page + row
                                         : (outer * c.page + row) * heads + g;
        const int64_t from = (b * c.tokens + t) * heads + g;
        cache.replace(static_cast<size_t>(to) * cell, cell, rows,
                      static_cast<size_t>(from) * cell, cell);
      }
    }
  }
  return cache;
}

// A run that is given `output`, or the cache's own memory as it.
absl::Status Run(const Plan& plan, const Arguments& given, void* output,
                 int threads = 1) {
  std::vector<TensorView> in;
  for (const HostTensor& tensor : given.tensors) in.push_back(tensor.view());
  const HostTensor& cache = given.at("cache");
  HostTensor scratch =
      *HostTensor::Create("workspace", DType::kU8, {plan.workspace_bytes()});
  auto pool = *ThreadPool::Create(threads);
  RunOptions options;
  options.pool = pool.get();
  const MutableTensorView out = {cache.dtype(), cache.shape(), output};
  return plan.Run(in, {&out, 1},
                  absl::MakeSpan(static_cast<char*>(scratch.raw_data()),
                                 scratch.byte_size()),
                  options);
}

std::shared_ptr<const Plan> Compile(const std::string& text,
                                    CompileOptions options = {}) {
  options.opt_level = 1;
  auto plan = Plan::Compile(text, "append.mlir", options);
  EXPECT_TRUE(plan.ok()) << plan.status() << "\n" << text;
  return plan.ok() ? *plan : nullptr;
}

void ExpectBothWays(const Case& c, const Plan& plan, uint64_t seed) {
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  Arguments given(c, seed);
  const std::string expected = Expected(c, given);
  const std::string before = BytesOf(given.at("cache"));
  HostTensor apart =
      *HostTensor::Create("new", *ParseDType(c.type), c.CacheShape());
  std::memset(apart.raw_data(), 0xa5, apart.byte_size());
  absl::Status status = Run(plan, given, apart.raw_data(), 2);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(BytesOf(apart) == expected);
  EXPECT_TRUE(BytesOf(given.at("cache")) == before);
  if (!c.updates) return;
  status = Run(plan, given, const_cast<void*>(given.at("cache").raw_data()));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(BytesOf(given.at("cache")) == expected);
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (bool table : {false, true})
    for (bool counts : {false, true})
      for (int layout : {0, 1, 2}) {
        Case c;
        c.table = table;
        c.counts = counts;
        c.heads = layout == 0 ? 0 : 2;
        c.heads_first = layout == 2;
        if (!table) c.page = 9;
        cases.push_back(c);
      }
  Case one;
  one.table = true;
  one.tokens = 1;
  one.page = 1;
  one.heads = 1;
  one.type = "f32";
  cases.push_back(one);
  one.page = 7;
  one.type = "f64";
  one.depth = 16;
  cases.push_back(one);
  one.type = "f16";
  one.table = false;
  one.updates = false;
  cases.push_back(one);
  return cases;
}

TEST(PlanUpdates, BothWaysHaveTheBitsOfAFreshCopy) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(Text(c));
    for (bool reference : {false, true}) {
      CompileOptions options;
      options.reference = reference;
      auto plan = Compile(Text(c), options);
      ASSERT_NE(plan, nullptr);
      EXPECT_EQ(plan->outputs()[0].updates, c.updates ? "cache" : "");
      for (uint64_t seed = 0; seed < 30; ++seed) ExpectBothWays(c, *plan, seed);
    }
  }
}

// In place nothing of the size of a cache is copied or needed.
TEST(PlanUpdates, InPlaceThereIsNoWorkspace) {
  Case c;
  c.table = true;
  auto plan = Compile(Text(c));
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->workspace_bytes(), 0);
}

TEST(PlanUpdates, PlansForBounds) {
  for (Case c : Cases()) {
    c.dynamic = true;
    SCOPED_TRACE(Text(c));
    CompileOptions options;
    Case largest = c;
    largest.batches += 2;
    largest.tokens += 3;
    largest.columns += 1;
    if (c.table) {
      largest.pages += 20;
    } else {
      largest.page += 6;
    }
    options.bounds = {{"rows", largest.RowsShape()},
                      {"cache", largest.CacheShape()},
                      {"lengths", {largest.batches}}};
    if (c.table) options.bounds["table"] = {largest.batches, largest.columns};
    if (c.counts) options.bounds["counts"] = {largest.batches};
    auto plan = Compile(Text(c), options);
    ASSERT_NE(plan, nullptr);
    for (uint64_t seed = 0; seed < 10; ++seed) {
      ExpectBothWays(c, *plan, seed);
      ExpectBothWays(largest, *plan, seed);
    }
    Case none = c;
    none.tokens = 0;
    ExpectBothWays(none, *plan, 1);
  }
}

// Kernels, where a host compiler can emulate them.
TEST(PlanUpdates, KernelsHaveTheSameBits) {
  for (const Case& c : {Cases()[10], Cases()[5], Cases()[12]}) {
    SCOPED_TRACE(Text(c));
    CompileOptions options;
    options.target = "emu";
    options.opt_level = 0;
    auto plan = Plan::Compile(Text(c), "append.mlir", options);
    if (plan.status().code() == absl::StatusCode::kUnavailable)
      GTEST_SKIP() << plan.status();
    ASSERT_TRUE(plan.ok()) << plan.status();
    for (uint64_t seed = 0; seed < 6; ++seed) ExpectBothWays(c, **plan, seed);
  }
}

TEST(PlanUpdates, OtherOverlapsAreErrors) {
  Case c;
  c.page = 9;
  c.type = "f32";
  c.depth = 16;
  auto plan = Compile(Text(c));
  ASSERT_NE(plan, nullptr);
  Arguments given(c, 3);
  HostTensor large = *HostTensor::Create("large", DType::kF32, {2000});
  HostTensor& cache = given.tensors[1];
  ASSERT_EQ(cache.name(), "cache");
  auto* at = static_cast<char*>(large.raw_data());
  const auto message = [&](const char* input, char* output) {
    std::vector<TensorView> in;
    for (const HostTensor& tensor : given.tensors) in.push_back(tensor.view());
    in[1].data = input;
    const MutableTensorView out = {cache.dtype(), cache.shape(), output};
    HostTensor scratch =
        *HostTensor::Create("workspace", DType::kU8, {plan->workspace_bytes()});
    return std::string(
        plan->Run(in, {&out, 1},
                  absl::MakeSpan(static_cast<char*>(scratch.raw_data()),
                                 scratch.byte_size()),
                  {})
            .message());
  };
  EXPECT_EQ(message(at, at), "");
  for (int64_t shift : {64, 128}) {
    EXPECT_THAT(message(at, at + shift),
                HasSubstr("'new_cache' and 'cache': expected separate memory, "
                          "got an overlap"));
    EXPECT_THAT(message(at + shift, at),
                HasSubstr("'new_cache' and 'cache': expected separate memory"));
  }
  EXPECT_THAT(message(at, static_cast<char*>(given.tensors[0].raw_data())),
              HasSubstr("'new_cache' and 'rows': expected separate memory"));
  // Without the attribute the same memory is an overlap like any other.
  c.updates = false;
  plan = Compile(Text(c));
  ASSERT_NE(plan, nullptr);
  EXPECT_THAT(message(at, at),
              HasSubstr("'new_cache' and 'cache': expected separate memory"));
}

// Two outputs cannot be one input's memory by way of another one.
TEST(PlanUpdates, TwoUpdatesAreTwoMemories) {
  const char text[] = R"mlir(
func.func @main(%x: tensor<2x1x4xf32> {gsa.name = "rows"},
                %a: tensor<2x4x4xf32> {gsa.name = "a"},
                %b: tensor<2x4x4xf32> {gsa.name = "b"},
                %n: tensor<2xi32> {gsa.name = "lengths"})
    -> (tensor<2x4x4xf32> {gsa.name = "a", gsa.updates = "a"},
        tensor<2x4x4xf32> {gsa.name = "sum"},
        tensor<2x4x4xf32> {gsa.name = "b", gsa.updates = "b"}) {
  %0 = gsa.append_rows %x to %a lengths %n
      : (tensor<2x1x4xf32>, tensor<2x4x4xf32>, tensor<2xi32>)
      -> tensor<2x4x4xf32>
  %1 = gsa.append_rows %x to %b lengths %n
      : (tensor<2x1x4xf32>, tensor<2x4x4xf32>, tensor<2xi32>)
      -> tensor<2x4x4xf32>
  %2 = arith.addf %0, %1 : tensor<2x4x4xf32>
  return %0, %2, %1 : tensor<2x4x4xf32>, tensor<2x4x4xf32>, tensor<2x4x4xf32>
}
)mlir";
  auto plan = Compile(text);
  ASSERT_NE(plan, nullptr);
  const auto tensor = [](const char* name, Shape shape, float value) {
    HostTensor made = *HostTensor::Create(name, DType::kF32, std::move(shape));
    for (float& cell : made.values<float>()) cell = value;
    return made;
  };
  HostTensor rows = tensor("rows", {2, 1, 4}, 5), a = tensor("a", {2, 4, 4}, 1),
             b = tensor("b", {2, 4, 4}, 2), sum = tensor("sum", {2, 4, 4}, 0),
             lengths = *HostTensor::Create("lengths", DType::kI32, {2}),
             scratch = *HostTensor::Create("workspace", DType::kU8,
                                           {plan->workspace_bytes()});
  lengths.values<int32_t>()[0] = 1;
  lengths.values<int32_t>()[1] = 4;
  const auto run = [&](HostTensor& new_a, HostTensor& new_b) {
    const TensorView in[] = {rows.view(), a.view(), b.view(), lengths.view()};
    const auto out = [](HostTensor& to) {
      return MutableTensorView{to.dtype(), to.shape(), to.raw_data()};
    };
    const MutableTensorView outputs[] = {out(new_a), out(sum), out(new_b)};
    return plan->Run(in, outputs,
                     absl::MakeSpan(static_cast<char*>(scratch.raw_data()),
                                    scratch.byte_size()),
                     {});
  };
  EXPECT_FALSE(run(b, a).ok());
  EXPECT_FALSE(run(a, a).ok());
  ASSERT_TRUE(run(a, b).ok());
  EXPECT_EQ(a.values<float>()[0], 5);
  EXPECT_EQ(a.values<float>()[4], 1);
  EXPECT_EQ(b.values<float>()[31], 5);
  EXPECT_EQ(sum.values<float>()[0], 10);
  EXPECT_EQ(sum.values<float>()[4], 3);
}

TEST(PlanUpdates, ReadsThatComeTooLateAreErrors) {
  const char text[] = R"mlir(
func.func @main(%x: tensor<2x1x4xf32> {gsa.name = "rows"},
                %c: tensor<2x4x4xf32> {gsa.name = "cache"},
                %n: tensor<2xi32> {gsa.name = "lengths"})
    -> (tensor<2x4x4xf32> {gsa.name = "new", gsa.updates = "cache"},
        tensor<2x4x4xf32> {gsa.name = "sum"}) {
  EARLY
  %0 = gsa.append_rows %x to %c lengths %n
      : (tensor<2x1x4xf32>, tensor<2x4x4xf32>, tensor<2xi32>)
      -> tensor<2x4x4xf32>
  LATE
  return %0, %1 : tensor<2x4x4xf32>, tensor<2x4x4xf32>
}
)mlir";
  const auto status = [&](const std::string& early, const std::string& late) {
    return Plan::Compile(
               absl::StrReplaceAll(text, {{"EARLY", early}, {"LATE", late}}),
               "late.mlir", {})
        .status();
  };
  const std::string old = "%1 = arith.negf %c : tensor<2x4x4xf32>";
  EXPECT_TRUE(status("", "%1 = arith.negf %0 : tensor<2x4x4xf32>").ok());
  const absl::Status late = status("", old);
  EXPECT_EQ(late.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(late.message()),
              HasSubstr("late.mlir:11:8: error: reads 'cache' too late: result "
                        "#0, which updates it, is in its memory by then"));
  EXPECT_EQ(status(old, ""), absl::OkStatus());
  const absl::Status other = status(
      "%f = arith.constant 1.0 : f32\n  %e = tensor.empty() : "
      "tensor<2x4x4xf32>\n  %1 = linalg.fill ins(%f : f32) outs(%e : "
      "tensor<2x4x4xf32>) -> tensor<2x4x4xf32>",
      "%u = arith.negf %0 : tensor<2x4x4xf32>");
  EXPECT_EQ(other, absl::OkStatus());
}

}  // namespace
}  // namespace gsa
