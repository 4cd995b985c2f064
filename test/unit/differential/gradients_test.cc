//===- gradients_test.cc - compiled gradients against the reference -------===//
//
// Lists that no selection makes: entries that are no keys, keys listed twice,
// counts below zero and above the slots, garbage behind the counts, rows and
// batches without keys.
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>

#include "absl/strings/str_format.h"
#include "test/reference/AttentionGradient.h"
#include "test/unit/differential/Data.h"
#include "test/unit/differential/gradients_testing.h"

namespace gsa::differential {
namespace {

using reference::Tensor;

/// What is static in a module.
struct Heads {
  DType type = DType::kF32;
  int64_t heads = 6, groups = 2, depth = 9, value_depth = 5, slots = 7;

  /// Of attention over all keys, which takes the lse of attention over lists.
  double scale() const { return 0.5 / std::sqrt(static_cast<double>(depth)); }
  DType acc() const { return type == DType::kF64 ? DType::kF64 : DType::kF32; }
};

/// Gradients of attention over lists and over all keys, with any number of
/// batches, queries and keys.
std::string ModuleText(const Heads& heads) {
  std::string text = R"mlir(
!q = tensor<?x?xHxDxT>
!k = tensor<?x?xGxDxT>
!v = tensor<?x?xGxExT>
!o = tensor<?x?xHxExT>
!l = tensor<?xHx?xA>
!i = tensor<?x?xKxi32>
!c = tensor<?x?xi32>
!n = tensor<?xi32>
func.func @main(%q: !q {gsa.name = "q"}, %k: !k {gsa.name = "k"},
                %v: !v {gsa.name = "v"}, %i: !i {gsa.name = "indices"},
                %c: !c {gsa.name = "counts"}, %n: !n {gsa.name = "lengths"},
                %o: !o {gsa.name = "output"}, %do: !o {gsa.name = "output_grad"},
                %lse: !l {gsa.name = "lse"}, %dlse: !l {gsa.name = "lse_grad"})
    -> (!l {gsa.name = "row_sums"}, !q {gsa.name = "dq"}, !k {gsa.name = "dk"},
        !v {gsa.name = "dv"}, !q {gsa.name = "eq"}, !k {gsa.name = "ek"},
        !v {gsa.name = "ev"}) {
  %s = gsa.attention_row_sums %o, %do lse_grad %dlse : (!o, !o, !l) -> !l
  %d:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %do
      lse %lse row_sums %s lengths %n
      : (!q, !k, !v, !i, !c, !o, !l, !l, !n) -> (!q, !k, !v)
  %e:3 = gsa.dense_attention_grad %q, %k, %v output_grad %do lse %lse
      row_sums %s lengths %n {scale = SCALE : f64}
      : (!q, !k, !v, !o, !l, !l, !n) -> (!q, !k, !v)
  return %s, %d#0, %d#1, %d#2, %e#0, %e#1, %e#2 : !l, !q, !k, !v, !q, !k, !v
}
)mlir";
  auto replace = [&](const std::string& from, const std::string& to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;)
      text.replace(at, from.size(), to);
  };
  auto size = [](int64_t n) { return "x" + std::to_string(n) + "x"; };
  replace("xT>", std::string("x") + DTypeName(heads.type) + ">");
  replace("xA>", std::string("x") + DTypeName(heads.acc()) + ">");
  replace("SCALE", absl::StrFormat("%.17e", heads.scale()));
  replace("xHx", size(heads.heads));
  replace("xGx", size(heads.groups));
  replace("xDx", size(heads.depth));
  replace("xEx", size(heads.value_depth));
  replace("xKx", size(heads.slots));
  return text;
}

/// Inputs for a batch of `batch`.
struct Inputs : GradientInputs {
  Inputs(const Heads& z, int64_t batch, int64_t queries, int64_t keys,
         uint32_t seed)
      : GradientInputs(seed), heads(z) {
    DType type = z.type, acc = z.acc();
    AddRandom("q", type, {batch, queries, z.heads, z.depth});
    AddRandom("k", type, {batch, keys, z.groups, z.depth});
    AddRandom("v", type, {batch, keys, z.groups, z.value_depth});
    AddRandom("output_grad", type, {batch, queries, z.heads, z.value_depth});
    AddRandom("lse_grad", acc, {batch, z.heads, queries});
    AddLists(batch, queries, keys, z.slots);
    // The forward function's results.
    reference::AttentionResult result = reference::GatherAttention(
        {AsDouble(tensors["q"]), AsDouble(tensors["k"]),
         AsDouble(tensors["v"])},
        AsInt32(tensors["indices"]), AsInt32(tensors["counts"]), Options());
    Add("output", type, result.output);
    Add("lse", acc, result.lse);
  }

  /// Of attention over lists; valid until the next call.
  reference::GatherAttentionOptions Options() {
    lengths = AsInt32(tensors["lengths"]);
    reference::GatherAttentionOptions options;
    options.lengths = &lengths;
    return options;
  }

  Heads heads;
  Tensor<int32_t> lengths;
};

std::shared_ptr<const Plan> Compile(const Inputs& inputs, int threads,
                                    Form form = Form::kLoops) {
  return CompileGradients(ModuleText(inputs.heads), inputs, threads, form);
}

/// The results of the module by the reference.
std::map<std::string, Tensor<double>> Reference(Inputs* inputs) {
  Tensors& t = inputs->tensors;
  Tensor<double> q = AsDouble(t["q"]), k = AsDouble(t["k"]);
  Tensor<double> v = AsDouble(t["v"]), grad = AsDouble(t["output_grad"]);
  Tensor<double> lse = AsDouble(t["lse"]), lse_grad = AsDouble(t["lse_grad"]);
  Tensor<double> sums =
      reference::AttentionRowSums(AsDouble(t["output"]), grad, &lse_grad);
  reference::AttentionGradients d = reference::GatherAttentionGradient(
      {q, k, v}, AsInt32(t["indices"]), AsInt32(t["counts"]), {grad, lse, sums},
      inputs->Options());
  reference::DenseAttentionOptions options;
  options.scale = inputs->heads.scale();
  options.lengths = &inputs->lengths;
  reference::AttentionGradients e =
      reference::DenseAttentionGradient({q, k, v}, {grad, lse, sums}, options);
  return {{"row_sums", sums}, {"dq", d.query}, {"dk", d.key},  {"dv", d.value},
          {"eq", e.query},    {"ek", e.key},   {"ev", e.value}};
}

TEST(Gradients, OverHostileListsAreThoseOfTheReference) {
  Inputs inputs({DType::kF64}, 2, 11, 8, /*seed=*/1);
  // A NaN concerns the rows that list its key, one in lse its row; 0 keys, a
  // batch.
  static_cast<double*>(inputs.tensors["v"].raw_data())[3] = std::nan("");
  static_cast<double*>(inputs.tensors["lse"].raw_data())[5] = std::nan("");
  static_cast<int32_t*>(inputs.tensors["lengths"].raw_data())[1] = 0;
  for (Form form : {Form::kLoops, Form::kDefinition}) {
    SCOPED_TRACE(form == Form::kLoops ? "loops" : "definition");
    auto plan = Compile(inputs, 1, form);
    ExpectClose(RunPlan(plan, inputs.tensors), Reference(&inputs), 1e-13);
  }
}

TEST(Gradients, OfAnyHeadsAreThoseOfTheReference) {
  // One element; whole vectors and a rest; more vectors than are unrolled; a
  // head of 3000 elements runs by definition. No slot; one key head for all.
  const Heads cases[] = {{DType::kF32, 1, 1, 1, 1, 1},
                         {DType::kF32, 4, 4, 33, 64, 0},
                         {DType::kF16, 6, 1, 16, 31, 3},
                         {DType::kF64, 2, 1, 300, 257, 4},
                         {DType::kF32, 2, 1, 3000, 2, 4}};
  uint32_t seed = 10;
  for (const Heads& heads : cases) {
    SCOPED_TRACE(testing::Message()
                 << DTypeName(heads.type) << " H" << heads.heads << " G"
                 << heads.groups << " D" << heads.depth << " Dv"
                 << heads.value_depth << " K" << heads.slots);
    Inputs inputs(heads, 1, 5, 6, ++seed);
    double tolerance = heads.type == DType::kF64   ? 1e-12
                       : heads.type == DType::kF32 ? 2e-5
                                                   : 0x1p-10;
    ExpectClose(RunPlan(Compile(inputs, 2), inputs.tensors, 2),
                Reference(&inputs), tolerance);
  }
}

TEST(Gradients, OfNothingAreZeroOrNothing) {
  const std::array<int64_t, 3> cases[] = {{2, 5, 0}, {2, 0, 5}, {0, 3, 4}};
  for (auto [batch, queries, keys] : cases) {
    for (Form form : {Form::kLoops, Form::kDefinition}) {
      SCOPED_TRACE(testing::Message()
                   << "B" << batch << " Sq" << queries << " Sk" << keys
                   << (form == Form::kLoops ? " loops" : " definition"));
      Inputs inputs({}, batch, queries, keys, /*seed=*/20);
      ExpectClose(RunPlan(Compile(inputs, 2, form), inputs.tensors, 2),
                  Reference(&inputs), 0.0);
    }
  }
}

TEST(Gradients, HaveTheSameBitsOnAnyNumberOfThreads) {
  // In bf16 sums are in scratch memory of their own.
  for (DType type : {DType::kF32, DType::kBF16}) {
    SCOPED_TRACE(DTypeName(type));
    Inputs inputs({type}, 2, 37, 19, /*seed=*/2);
    Tensors one = RunPlan(Compile(inputs, 1), inputs.tensors);
    ExpectClose(one, Reference(&inputs), type == DType::kF32 ? 1e-5 : 0x1p-8);
    ExpectSameOnThreads(one, Compile(inputs, 5), inputs.tensors);
  }
}

TEST(Gradients, OfAPlanForBoundsAreThoseOfAPlanForSizes) {
  Inputs largest({}, 2, 13, 17, /*seed=*/3);
  Inputs inputs({}, 2, 5, 9, /*seed=*/4);
  ExpectSameOfBounds(Compile(largest, 2, Form::kBounds), Compile(inputs, 2),
                     inputs.tensors);
}

}  // namespace
}  // namespace gsa::differential
