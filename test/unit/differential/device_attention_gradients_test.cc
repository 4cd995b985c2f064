//===- device_attention_gradients_test.cc - kernels of gradients ----------===//
//
// On a GPU and in its emulation: gradients of attention over lists agree with
// the reference by each schedule, over lists as a selection makes them and over
// hostile ones, with NaN in some row or key. Gradients of queries are the same
// in every run; those of keys and values are added in no order.
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <tuple>

#include "absl/strings/str_replace.h"
#include "test/reference/AttentionGradient.h"
#include "test/unit/differential/device_gradients_testing.h"

namespace gsa::differential {
namespace {

using reference::Tensor;

/// What the text of the kernels depends on.
struct Recipe {
  const char* name;
  DType type;
  int64_t heads, groups, depth, value_depth, slots;
  const char* schedule;  ///< Without "#gsa."; empty: the chosen one.
  int64_t fewest_keys = 1, most_keys = 150;
};

#define GSA_BY_QUERY "<engine = mma_sync, block_k = 16, columns = 64>"
#define GSA_UNION_BEGIN(queries, groups, keys, values, chunk)               \
  "union_grad_schedule<engine = wgmma, queries = " #queries                 \
  ", groups = " #groups ", key_stages = " #keys ", value_stages = " #values \
  ", producers = 4, table = 1024, chunk = " #chunk                          \
  ", per_query = " GSA_BY_QUERY
#define GSA_UNION(queries, groups, keys, values, chunk) \
  GSA_UNION_BEGIN(queries, groups, keys, values, chunk) ">"
#define GSA_UNION_CHUNKS(queries, groups, keys, values, chunk, key_chunks) \
  GSA_UNION_BEGIN(queries, groups, keys, values, chunk)                    \
  ", key_chunks = " #key_chunks ">"

/// By query: one element, odd heads, more heads than a fragment has rows, parts
/// of columns. By unions: one group and two, of which all heads are one's,
/// heads that fill no warp, values that are wider, chunks of one tile; keys in
/// ranges, of equal size and not.
constexpr Recipe kRecipes[] = {
    {"One", DType::kF32, 1, 1, 1, 1, 1, ""},
    {"Odd", DType::kF32, 6, 2, 9, 5, 7, ""},
    {"ManyHeads", DType::kF16, 34, 2, 40, 24, 33,
     "gather_grad_schedule<engine = mma_sync, block_k = 32, columns = 16>"},
    {"Parts", DType::kBF16, 8, 2, 96, 160, 40,
     "gather_grad_schedule" GSA_BY_QUERY},
    {"Union", DType::kBF16, 8, 2, 64, 64, 24, GSA_UNION(16, 1, 2, 2, 16)},
    {"UnionWide", DType::kBF16, 4, 1, 64, 128, 90, GSA_UNION(9, 1, 1, 1, 18)},
    {"UnionOneHead", DType::kF16, 2, 2, 64, 64, 70, GSA_UNION(32, 1, 1, 1, 32)},
    {"UnionOdd", DType::kBF16, 6, 1, 72, 72, 65, GSA_UNION(10, 1, 2, 2, 1000)},
    {"UnionTwo", DType::kBF16, 8, 2, 64, 64, 24, GSA_UNION(32, 2, 1, 1, 32)},
    {"UnionTwoDeep", DType::kF16, 8, 1, 128, 128, 70,
     GSA_UNION(16, 2, 2, 1, 48)},
    {"KeyChunks", DType::kBF16, 8, 2, 64, 64, 40,
     GSA_UNION_CHUNKS(32, 2, 1, 1, 32, 2), 2049, 3072},
    {"KeyChunksOne", DType::kF16, 4, 1, 64, 128, 90,
     GSA_UNION_CHUNKS(9, 1, 1, 1, 27, 3), 2049, 3072},
};

std::string ModuleText(const Recipe& z) {
  std::string schedule =
      *z.schedule ? std::string("{gsa.schedule = #gsa.") + z.schedule + "}"
                  : "";
  auto size = [](int64_t n) { return "x" + std::to_string(n) + "x"; };
  std::string text = R"mlir(
!q = tensor<?x?xHxDxT>
!k = tensor<?x?xGxDxT>
!v = tensor<?x?xGxExT>
!o = tensor<?x?xHxExT>
!l = tensor<?xHx?xf32>
!i = tensor<?x?xKxi32>
!c = tensor<?x?xi32>
func.func @main(%q: !q {gsa.name = "q"}, %k: !k {gsa.name = "k"},
                %v: !v {gsa.name = "v"}, %i: !i {gsa.name = "indices"},
                %c: !c {gsa.name = "counts"},
                %do: !o {gsa.name = "output_grad"}, %lse: !l {gsa.name = "lse"},
                %s: !l {gsa.name = "row_sums"})
    -> (!q {gsa.name = "dq"}, !k {gsa.name = "dk"}, !v {gsa.name = "dv"}) {
  %d:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %do
      lse %lse row_sums %s SCHEDULE
      : (!q, !k, !v, !i, !c, !o, !l, !l) -> (!q, !k, !v)
  return %d#0, %d#1, %d#2 : !q, !k, !v
}
)mlir";
  auto replace = [&](const char* from, const std::string& to) {
    absl::StrReplaceAll({{from, to}}, &text);
  };
  replace("SCHEDULE", schedule);
  replace("xT>", std::string("x") + DTypeName(z.type) + ">");
  replace("xHx", size(z.heads));
  replace("xGx", size(z.groups));
  replace("xDx", size(z.depth));
  replace("xEx", size(z.value_depth));
  replace("xKx", size(z.slots));
  return text;
}

/// Inputs of shapes and lists that `seed` draws.
struct Inputs : GradientInputs {
  Inputs(const Recipe& z, uint32_t seed)
      : GradientInputs(seed), recipe(z), rng(seed, "gradients") {
    int64_t batch = rng.Int(1, 2), queries = rng.Int(1, 70),
            keys = rng.Int(z.fewest_keys, z.most_keys);
    AddRandom("q", z.type, {batch, queries, z.heads, z.depth});
    AddRandom("k", z.type, {batch, keys, z.groups, z.depth});
    AddRandom("v", z.type, {batch, keys, z.groups, z.value_depth});
    AddRandom("output_grad", z.type, {batch, queries, z.heads, z.value_depth});
    AddLists(batch, queries, keys, z.slots);
    if (!rng.Chance(0.25)) Ascend(batch * queries, keys);
    // Of one row, or of one key: whoever does not list it keeps its numbers.
    for (const char* name : {"q", "k", "v", "output_grad"})
      if (rng.Chance(0.1))
        SetNan(name, rng.Int(0, tensors[name].num_elements() - 1));
    Tensor<double> q = AsDouble(tensors["q"]), k = AsDouble(tensors["k"]),
                   v = AsDouble(tensors["v"]);
    reference::AttentionResult forward = reference::GatherAttention(
        {q, k, v}, AsInt32(tensors["indices"]), AsInt32(tensors["counts"]), {});
    Add("lse", DType::kF32, forward.lse);
    Add("row_sums", DType::kF32,
        reference::AttentionRowSums(forward.output,
                                    AsDouble(tensors["output_grad"]), nullptr));
    tensors.erase("lengths");
    shapes.erase("lengths");
  }

  /// Lists as a selection makes them, of keys that neighbours share in part:
  /// of few keys from anywhere among the first, of many from all.
  void Ascend(int64_t rows, int64_t keys) {
    double share = 0.5;
    if (recipe.fewest_keys > 1)
      share = static_cast<double>(recipe.slots) / static_cast<double>(keys);
    auto* indices = tensors["indices"].values<int32_t>().data();
    auto* counts = tensors["counts"].values<int32_t>().data();
    for (int64_t row = 0; row < rows; ++row) {
      int64_t wanted = std::clamp<int64_t>(counts[row], 0, recipe.slots);
      int32_t* list = indices + row * recipe.slots;
      int64_t listed = 0;
      for (int64_t key = 0; key < keys && listed < wanted; ++key) {
        bool must = keys - key <= wanted - listed;
        if (must || rng.Chance(share))
          list[listed++] = static_cast<int32_t>(key);
      }
      counts[row] = static_cast<int32_t>(listed);
    }
  }

  std::map<std::string, Tensor<double>> Reference() {
    auto of = [&](const char* name) { return AsDouble(tensors[name]); };
    reference::AttentionGradients d = reference::GatherAttentionGradient(
        {of("q"), of("k"), of("v")}, AsInt32(tensors["indices"]),
        AsInt32(tensors["counts"]),
        {of("output_grad"), of("lse"), of("row_sums")}, {});
    return {{"dq", d.query}, {"dk", d.key}, {"dv", d.value}};
  }

  Recipe recipe;
  Rng rng;
};

/// Where a recipe runs, with how many shapes. The small ones are for tools that
/// look at each access.
struct Place {
  const char* name;
  const char* target;
  uint32_t seeds;
};
constexpr Place kPlaces[] = {
    {"Emu", "emu", 4}, {"Cuda", "cuda:0", 60}, {"CudaSmall", "cuda:0", 2}};

void PrintTo(const Recipe& recipe, std::ostream* out) { *out << recipe.name; }
void PrintTo(const Place& place, std::ostream* out) { *out << place.name; }

using Setting = std::tuple<Place, Recipe>;

class DeviceAttentionGradients : public ::testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    absl::Status usable = TargetIsUsable(target());
    if (!usable.ok()) GTEST_SKIP() << usable;
  }
  static const char* target() { return std::get<0>(GetParam()).target; }
  static const Recipe& recipe() { return std::get<1>(GetParam()); }

  static double Tolerance() {
    return recipe().type == DType::kF32    ? 2e-5
           : recipe().type == DType::kBF16 ? 0x1p-6
                                           : 0x1p-8;
  }
};

TEST_P(DeviceAttentionGradients, AgreeWithTheReference) {
  for (uint32_t seed = 1; seed <= std::get<0>(GetParam()).seeds; ++seed) {
    Inputs inputs(recipe(), seed);
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    ExpectAgrees(target(), ModuleText(recipe()), inputs, inputs.Reference(),
                 Tolerance(), /*unordered=*/{"dk", "dv"});
    if (HasFailure()) return;
  }
}

std::string NameOfSetting(const ::testing::TestParamInfo<Setting>& info) {
  auto [place, recipe] = info.param;
  return std::string(place.name) + "_" + recipe.name;
}

INSTANTIATE_TEST_SUITE_P(Targets, DeviceAttentionGradients,
                         ::testing::Combine(::testing::ValuesIn(kPlaces),
                                            ::testing::ValuesIn(kRecipes)),
                         NameOfSetting);

}  // namespace
}  // namespace gsa::differential
