//===- index_gradients_testing.h - training of the indexer -----*- C++ -*-===//
//
// A module with gradients of scores, the loss and its gradient, over lists that
// no selection makes and over all keys that a mask shows; its inputs, and its
// results by the reference.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_INDEX_GRADIENTS_TESTING_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_INDEX_GRADIENTS_TESTING_H_

#include <limits>
#include <map>
#include <string>

#include "test/reference/DenseAttention.h"
#include "test/reference/IndexGradient.h"
#include "test/unit/differential/gradients_testing.h"

namespace gsa::differential {

/// What is static in a module.
struct IndexHeads {
  DType type = DType::kF32;
  int64_t heads = 3, depth = 9, slots = 7;
  int64_t attention_heads = 6, groups = 2, attention_depth = 5;

  DType acc() const { return type == DType::kF64 ? DType::kF64 : DType::kF32; }
};

/// Four gradients and two losses. Weights are of A(T), the bias of T.
inline std::string IndexModuleText(const IndexHeads& heads) {
  std::string text = R"mlir(
!iq = tensor<?x?xHIxDIxT>
!ik = tensor<?x?xDIxT>
!w = tensor<?x?xHIxA>
!b = tensor<HIxT>
!q = tensor<?x?xHxDxT>
!k = tensor<?x?xGxDxT>
!l = tensor<?xHx?xA>
!i = tensor<?x?xKxi32>
!c = tensor<?x?xi32>
!n = tensor<?xi32>
!s = tensor<?x?xKxA>
!d = tensor<?x?x?xA>
!r = tensor<?x?xA>
func.func @main(%iq: !iq {gsa.name = "iq"}, %ik: !ik {gsa.name = "ik"},
                %w: !w {gsa.name = "w"}, %b: !b {gsa.name = "b"},
                %q: !q {gsa.name = "q"}, %k: !k {gsa.name = "k"},
                %lse: !l {gsa.name = "lse"}, %i: !i {gsa.name = "indices"},
                %c: !c {gsa.name = "counts"}, %n: !n {gsa.name = "lengths"},
                %gl: !s {gsa.name = "listed_grad"},
                %gd: !d {gsa.name = "dense_grad"},
                %gr: !r {gsa.name = "loss_grad"})
    -> (!iq {gsa.name = "aq"}, !ik {gsa.name = "ak"}, !w {gsa.name = "aw"},
        !b {gsa.name = "ab"}, !iq {gsa.name = "bq"}, !ik {gsa.name = "bk"},
        !w {gsa.name = "bw"}, tensor<HIxA> {gsa.name = "bb"},
        !r {gsa.name = "closs"}, !r {gsa.name = "dloss"},
        !iq {gsa.name = "cq"}, !ik {gsa.name = "ck"}, !w {gsa.name = "cw"},
        !b {gsa.name = "cb"}, !iq {gsa.name = "dq"}, !ik {gsa.name = "dk"},
        !w {gsa.name = "dw"}, !b {gsa.name = "db"}) {
  %a:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %gl
      indices %i, %c lengths %n
      : (!iq, !ik, !w, !b, !s, !i, !c, !n) -> (!iq, !ik, !w, !b)
  %e:4 = gsa.index_scores_grad %iq, %ik scores_grad %gd lengths %n
      {mask = #gsa.mask<causal>, scale = 0.75 : f64,
       score_activation = #gsa.score_activation<relu>}
      : (!iq, !ik, !d, !n) -> (!iq, !ik, !w, tensor<HIxA>)
  %cl = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %lse
      indices %i, %c lengths %n {temperature = 0.125 : f64}
      : (!iq, !ik, !w, !b, !q, !k, !l, !i, !c, !n) -> !r
  %dl = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %lse
      lengths %n
      {mask = #gsa.mask<causal>, mean_heads,
       clip = 0.5 : f64, softmax_scale = 0.25 : f64, index_scale = 0.5 : f64,
       score_activation = #gsa.score_activation<identity>,
       weight_activation = #gsa.weight_activation<identity>}
      : (!iq, !ik, !w, !b, !q, !k, !l, !n) -> !r
  %f:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %lse
      loss_grad %gr indices %i, %c lengths %n {temperature = 0.125 : f64}
      : (!iq, !ik, !w, !b, !q, !k, !l, !r, !i, !c, !n) -> (!iq, !ik, !w, !b)
  %g:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %lse
      loss_grad %gr lengths %n
      {mask = #gsa.mask<causal>, mean_heads,
       clip = 0.5 : f64, softmax_scale = 0.25 : f64, index_scale = 0.5 : f64,
       score_activation = #gsa.score_activation<identity>,
       weight_activation = #gsa.weight_activation<identity>}
      : (!iq, !ik, !w, !b, !q, !k, !l, !r, !n) -> (!iq, !ik, !w, !b)
  return %a#0, %a#1, %a#2, %a#3, %e#0, %e#1, %e#2, %e#3, %cl, %dl, %f#0, %f#1,
      %f#2, %f#3, %g#0, %g#1, %g#2, %g#3
      : !iq, !ik, !w, !b, !iq, !ik, !w, tensor<HIxA>, !r, !r, !iq, !ik, !w, !b,
        !iq, !ik, !w, !b
}
)mlir";
  auto replace = [&](const std::string& from, const std::string& to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;)
      text.replace(at, from.size(), to);
  };
  auto size = [](int64_t n) { return std::to_string(n) + "x"; };
  replace("xT>", std::string("x") + DTypeName(heads.type) + ">");
  replace("xA>", std::string("x") + DTypeName(heads.acc()) + ">");
  replace("HIx", size(heads.heads));
  replace("DIx", size(heads.depth));
  replace("xHx", "x" + size(heads.attention_heads));
  replace("xGx", "x" + size(heads.groups));
  replace("xDx", "x" + size(heads.attention_depth));
  replace("xKx", "x" + size(heads.slots));
  return text;
}

struct IndexInputs : GradientInputs {
  IndexInputs(const IndexHeads& z, int64_t batch, int64_t queries, int64_t keys,
              uint32_t seed)
      : GradientInputs(seed), heads(z) {
    DType type = z.type, acc = z.acc();
    AddRandom("iq", type, {batch, queries, z.heads, z.depth});
    AddRandom("ik", type, {batch, keys, z.depth});
    AddRandom("w", acc, {batch, queries, z.heads});
    AddRandom("b", type, {z.heads});
    AddRandom("q", type,
              {batch, queries, z.attention_heads, z.attention_depth});
    AddRandom("k", type, {batch, keys, z.groups, z.attention_depth});
    AddRandom("listed_grad", acc, {batch, queries, z.slots});
    AddRandom("dense_grad", acc, {batch, queries, keys});
    AddRandom("loss_grad", acc, {batch, queries});
    AddLists(batch, queries, keys, z.slots);
    reference::DenseAttentionOptions all;
    all.mask = reference::Mask::kNone;
    reference::Tensor<double> q = AsDouble(tensors["q"]),
                              k = AsDouble(tensors["k"]);
    reference::Tensor<double> lse =
        reference::DenseAttention({q, k, k}, all).lse;
    // A head that attends to nothing, where there is more than one.
    if (lse.size() > 1) lse[0] = -std::numeric_limits<double>::infinity();
    Add("lse", acc, lse);
  }

  IndexHeads heads;
};

/// The results of the module by the reference.
inline std::map<std::string, reference::Tensor<double>> IndexReference(
    const IndexInputs& inputs) {
  const Tensors& t = inputs.tensors;
  std::map<std::string, reference::Tensor<double>> x;
  for (const char* name : {"iq", "ik", "w", "b", "q", "k", "lse", "listed_grad",
                           "dense_grad", "loss_grad"})
    x[name] = AsDouble(t.at(name));
  reference::Tensor<int32_t> indices = AsInt32(t.at("indices"));
  reference::Tensor<int32_t> counts = AsInt32(t.at("counts"));
  reference::Tensor<int32_t> lengths = AsInt32(t.at("lengths"));
  reference::IndexLists lists{indices, counts};
  reference::IndexOperands index{x["iq"], x["ik"], &x["w"], &x["b"], &lengths};
  reference::TargetOperands target{x["q"], x["k"], x["lse"]};
  std::map<std::string, reference::Tensor<double>> results;
  auto add = [&](const char* name, reference::IndexGradients gradients) {
    results[std::string(name) + "q"] = std::move(gradients.query);
    results[std::string(name) + "k"] = std::move(gradients.key);
    results[std::string(name) + "w"] = std::move(gradients.weights);
    results[std::string(name) + "b"] = std::move(gradients.bias);
  };
  reference::IndexGradientOptions listed{{}, &lists}, dense;
  add("a", IndexScoresGradient(index, x["listed_grad"], listed));
  dense.scores.scale = 0.75;
  dense.scores.score_activation = reference::ScoreActivation::kRelu;
  add("b", IndexScoresGradient({x["iq"], x["ik"], nullptr, nullptr, &lengths},
                               x["dense_grad"], dense));
  reference::IndexKlOptions over_lists;
  over_lists.index = listed;
  over_lists.temperature = 0.125;
  results["closs"] = IndexKl(index, target, over_lists);
  add("c", IndexKlGradient(index, target, x["loss_grad"], over_lists));
  reference::IndexKlOptions over_all;
  over_all.index.scores.scale = 0.5;
  over_all.index.scores.score_activation =
      reference::ScoreActivation::kIdentity;
  over_all.index.scores.weight_activation =
      reference::WeightActivation::kIdentity;
  over_all.softmax_scale = 0.25;
  over_all.target = reference::KlTarget::kMean;
  over_all.clip = 0.5;
  results["dloss"] = IndexKl(index, target, over_all);
  add("d", IndexKlGradient(index, target, x["loss_grad"], over_all));
  return results;
}

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_INDEX_GRADIENTS_TESTING_H_
