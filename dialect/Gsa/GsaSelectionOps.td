//===- GsaSelectionOps.td - indexer and selection ops ----------*- tablegen -*-===//
//
// From index queries and keys to the indices of the keys that a query keeps.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSASELECTIONOPS_TD
#define GSA_DIALECT_GSASELECTIONOPS_TD

include "dialect/Gsa/GsaAttrs.td"

def Gsa_IndexScoresOp : Gsa_Op<"index_scores",
    ["B Sq Hi Di", "B Sk Di", "B Sq Hi", "Hi", "B"], ["B Sq Sk"],
    [AttrSizedOperandSegments, Gsa_Scheduled]> {
  let summary = "Scores every (query, key) pair with the gated indexer";
  let description = [{
    ```
    I[b,t,s] = sum_j wact(w[b,t,j]) * act(scale * <q[b,t,j], k[b,s]> + bias[j])
    ```

    with -inf where the mask hides key `s` from query `t`. One key head is
    shared by all indexer heads. Without `weights` the weight of a head is 1,
    without `bias` the bias is 0. The dot product accumulates in A(T); scale,
    bias, activations and the sum over heads are in A(T) and the score is not
    rounded below it. A NaN operand gives NaN scores in the cells that read it
    and nowhere else; consumers treat a NaN score as not visible.

    With `lengths`, the number of keys is n = clamp(lengths[b], 0, Sk) instead
    of Sk: keys from n on are not visible, and the causal mask is aligned to the
    last of the n. The result has a column for each of the Sk.

    Constraints:
    - (C1) shapes: query [B,Sq,Hi,Di], key [B,Sk,Di], weights [B,Sq,Hi],
      bias [Hi], lengths [B], result [B,Sq,Sk].
    - (C2) query and key have one element type T; weights and bias have T or
      A(T).
    - (C3) Hi and Di are at least 1.
    - (C4) `scale` is finite in A(T); it may be absent (1/sqrt(Di)) only if Di
      is static.

    Example: test/dialect/gsa/ops.mlir.
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$query,
    Gsa_FloatTensor<3>:$key,
    Optional<Gsa_FloatTensor<3>>:$weights,
    Optional<Gsa_FloatTensor<1>>:$bias,
    Optional<Gsa_IndexTensor<1>>:$lengths,
    OptionalAttr<F64Attr>:$scale,
    DefaultValuedAttr<Gsa_ScoreActivationAttr, "ScoreActivation::Sigmoid">:$score_activation,
    DefaultValuedAttr<Gsa_WeightActivationAttr, "WeightActivation::Sigmoid">:$weight_activation,
    DefaultValuedAttr<Gsa_MaskAttr, "Mask::Causal">:$mask);
  let results = (outs Gsa_AccTensor<3>:$scores);
  let assemblyFormat = [{
    $query `,` $key (`weights` $weights^)? (`bias` $bias^)?
    (`lengths` $lengths^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasCanonicalizer = 1;
}

def Gsa_RowStatisticsOp : Gsa_Op<"row_statistics",
    ["B Sq Sk"], ["B Sq", "B Sq"], [Gsa_Scheduled]> {
  let summary = "Variance or entropy of each row of scores";
  let description = [{
    A cell is visible iff its score is greater than -inf (so NaN is not).
    `visible` holds the number n of visible cells of each row.

    - `variance` over the population `visible`: sum (x - mean)^2 / (n - c);
      over `zero_filled`: cells that are not visible count as 0 and n is Sk.
      c is `correction`. A divisor below 1 gives 0. Mean and sums are in f64.
    - `entropy`: -sum p log(p + 1e-10) with p the softmax over visible cells;
      an empty row gives 0.

    Which cells count is an attribute because it changes what is measured: the
    zero-filled variance follows the row's position more than its scores.

    Constraints:
    - (C1) shapes: scores [B,Sq,Sk], results [B,Sq].
    - (C2) `correction` is 0 or 1.
    - (C3) `entropy` needs population `visible` and correction 0.
  }];
  let arguments = (ins
    Gsa_AccTensor<3>:$scores,
    DefaultValuedAttr<Gsa_StatisticAttr, "Statistic::Variance">:$statistic,
    DefaultValuedAttr<Gsa_PopulationAttr, "Population::Visible">:$population,
    DefaultValuedAttr<I64Attr, "0">:$correction);
  let results = (outs Gsa_AccTensor<2>:$value, Gsa_IndexTensor<2>:$visible);
  let assemblyFormat = [{
    $scores attr-dict `:` functional-type(operands, results)
  }];
}

def Gsa_StatMeanOp : Gsa_Op<"stat_mean", ["B Sq"], [""]> {
  let summary = "Mean of the finite statistics of all rows";
  let description = [{
    The mean of the finite elements, summed up in f64; 0 if there are none. This
    is the normaliser of the policy `upstream_variance`, which couples all rows
    of a batch; a statistic that is not finite is left out so that one bad row
    cannot change another row's budget beyond its own absence.

    Constraints:
    - (C1) shapes: values [B,Sq], result rank 0.
  }];
  let arguments = (ins Gsa_AccTensor<2>:$values);
  let results = (outs Gsa_AccTensor<0>:$mean);
  let assemblyFormat = [{
    $values attr-dict `:` functional-type(operands, results)
  }];
}

def Gsa_AdaptiveKOp : Gsa_Op<"adaptive_k",
    ["B Sq", "B Sq", ""], ["B Sq"], [AttrSizedOperandSegments]> {
  let summary = "Budget of each row under a policy";
  let description = [{
    Applies `#gsa.k_policy` (see there for the formulas) to the number of
    visible keys and the statistic of each row. The normaliser is an operand
    because it couples rows: a running average (`paper_ema`) or the batch mean
    (`upstream_variance`, see `gsa.stat_mean`).

    Constraints:
    - (C1) shapes: visible and statistic [B,Sq], normaliser rank 0.
    - (C2) `statistic` is present unless the policy is `fixed`.
    - (C3) `normaliser` is present iff the policy divides by one
      (`upstream_variance`, `paper_ema`).
    - (C4) statistic and normaliser have one element type.
  }];
  let arguments = (ins
    Gsa_IndexTensor<2>:$visible,
    Optional<Gsa_AccTensor<2>>:$statistic,
    Optional<Gsa_AccTensor<0>>:$normaliser,
    Gsa_KPolicyAttr:$policy);
  let results = (outs Gsa_IndexTensor<2>:$k);
  let assemblyFormat = [{
    $visible (`statistic` $statistic^)? (`normaliser` $normaliser^)?
    `policy` $policy attr-dict `:` functional-type(operands, results)
  }];
  let hasCanonicalizer = 1;
}

def Gsa_TopKOp : Gsa_Op<"topk",
    ["B Sq Sk", "B Sq"], ["B Sq K", "B Sq", "B Sq"], [Gsa_Scheduled]> {
  let summary = "Indices of the k best cells of each row";
  let description = [{
    Keeps the `c = min(k, n)` largest of the `n` visible cells of a row; equal
    scores keep the smaller index, +0 equals -0, a NaN score is not visible.
    The first `sink` positions and the last `local` positions that end at the
    row's last visible key are kept before all others, inside the budget and
    among themselves by smaller index. `indices` holds c indices, ascending
    (or by descending score with `order = score`, equal scores by ascending
    index), then -1; `counts` holds c; `status` holds the number of NaN scores
    of the row.

    Constraints:
    - (C1) shapes: scores [B,Sq,Sk], k [B,Sq], indices [B,Sq,K], counts and
      status [B,Sq].
    - (C2) `1 <= slots <= 2^30`, and K = slots.
    - (C3) `sink` and `local` are in [0, 2^30].
    - (C4) `order = score` needs sink = local = 0.

    A budget above `slots` is cut to `slots`; a negative one selects nothing.
  }];
  let arguments = (ins
    Gsa_AccTensor<3>:$scores,
    Gsa_IndexTensor<2>:$k,
    I64Attr:$slots,
    DefaultValuedAttr<I64Attr, "0">:$sink,
    DefaultValuedAttr<I64Attr, "0">:$local,
    DefaultValuedAttr<Gsa_IndexOrderAttr, "IndexOrder::Index">:$order);
  let results = (outs Gsa_IndexTensor<3>:$indices, Gsa_IndexTensor<2>:$counts,
                      Gsa_IndexTensor<2>:$status);
  let assemblyFormat = [{
    $scores `,` $k `slots` $slots attr-dict `:`
    functional-type(operands, results)
  }];
}

def Gsa_SelectOp : Gsa_Op<"select",
    ["B Sq Hi Di", "B Sk Di", "B Sq Hi", "Hi", "", "B"],
    ["B Sq K", "B Sq", "B Sq"], [AttrSizedOperandSegments, Gsa_Scheduled]> {
  let summary = "Fused selection: the score tensor is never formed";
  let description = [{
    Equal by definition to `gsa.index_scores`, `gsa.row_statistics`,
    `gsa.adaptive_k` and `gsa.topk` in that order, with K = the policy's number
    of slots. Without a `normaliser` the policy `upstream_variance` uses the
    batch mean (`gsa.stat_mean`), which takes a second pass over the keys.

    `assume_finite` is a promise that no operand holds NaN or infinities; only
    then may a budget that covers all keys be rewritten to dense attention,
    which would otherwise see NaN keys that selection leaves out.

    `lengths` are those of `gsa.index_scores`. A zero-filled statistic still is
    over all Sk cells.

    Constraints:
    - (C1) to (C4) of `gsa.index_scores`.
    - (C5) `normaliser` is present for `paper_ema`, may be present for
      `upstream_variance` and is absent otherwise; its element type is A(T).
    - (C6) `sink` and `local` are in [0, 2^30].
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$query,
    Gsa_FloatTensor<3>:$key,
    Optional<Gsa_FloatTensor<3>>:$weights,
    Optional<Gsa_FloatTensor<1>>:$bias,
    Optional<Gsa_AccTensor<0>>:$normaliser,
    Optional<Gsa_IndexTensor<1>>:$lengths,
    Gsa_KPolicyAttr:$policy,
    OptionalAttr<F64Attr>:$scale,
    DefaultValuedAttr<Gsa_ScoreActivationAttr, "ScoreActivation::Sigmoid">:$score_activation,
    DefaultValuedAttr<Gsa_WeightActivationAttr, "WeightActivation::Sigmoid">:$weight_activation,
    DefaultValuedAttr<Gsa_MaskAttr, "Mask::Causal">:$mask,
    DefaultValuedAttr<I64Attr, "0">:$sink,
    DefaultValuedAttr<I64Attr, "0">:$local,
    UnitAttr:$assume_finite);
  let results = (outs Gsa_IndexTensor<3>:$indices, Gsa_IndexTensor<2>:$counts,
                      Gsa_IndexTensor<2>:$status);
  let assemblyFormat = [{
    $query `,` $key (`weights` $weights^)? (`bias` $bias^)?
    (`normaliser` $normaliser^)? (`lengths` $lengths^)? `policy` $policy
    attr-dict `:` functional-type(operands, results)
  }];
  let hasCanonicalizer = 1;
}

#endif  // GSA_DIALECT_GSASELECTIONOPS_TD
