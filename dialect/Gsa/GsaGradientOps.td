//===- GsaGradientOps.td - gradients, and what trains ----------*- tablegen -*-===//
//
// The ops of a backward function, and the loss of the indexer. They have a
// generated header of their own, GsaGradientOps.h, which a source that knows only
// the ops of inference does without. The gradient of gsa.rope is gsa.rope at the
// negated positions, so there is no op for it.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSAGRADIENTOPS_TD
#define GSA_DIALECT_GSAGRADIENTOPS_TD

include "dialect/Gsa/GsaAttrs.td"

def Gsa_AttentionRowSumsOp : Gsa_Op<"attention_row_sums",
    ["B Sq H Dv", "B Sq H Dv", "B H Sq"], ["B H Sq"]> {
  let summary = "What the gradient of attention needs to know of its output";
  let description = [{
    ```
    row_sums[b,j,t] = <output[b,t,j], output_grad[b,t,j]> - lse_grad[b,j,t]
    ```

    in A(T). Without `lse_grad` nothing depends on lse, and that term is absent.
    Where a gate is part of the attention, the gated output with the gradient of
    the gated output has the same sums as the output that was gated.

    Constraints:
    - (C1) shapes: output and output_grad [B,Sq,H,Dv], lse_grad and row_sums
      [B,H,Sq].
    - (C2) output and output_grad have one element type T.
    - (C3) lse_grad is of A(T).
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$output,
    Gsa_FloatTensor<4>:$output_grad,
    Optional<Gsa_AccTensor<3>>:$lse_grad);
  let results = (outs Gsa_AccTensor<3>:$row_sums);
  let assemblyFormat = [{
    $output `,` $output_grad (`lse_grad` $lse_grad^)? attr-dict `:`
    functional-type(operands, results)
  }];
}

def Gsa_GatherAttentionGradOp : Gsa_Op<"gather_attention_grad",
    ["B Sq H D", "B Sk G D", "B Sk G Dv", "B Sq K", "B Sq", "B Sq H Dv",
     "B H Sq", "B H Sq", "B"],
    ["B Sq H D", "B Sk G D", "B Sk G Dv"], [Gsa_Scheduled]> {
  let summary = "Gradient of attention of each query over its own list of keys";
  let description = [{
    With r = H / G and i over the entries of row t's list that
    `gsa.gather_attention` does not skip:

    ```
    l[i]              = scale * <q[b,t,j], k[b, idx[i], j / r]>
    p[i]              = exp(l[i] - lse[b,j,t])
    dp[i]             = <output_grad[b,t,j], v[b, idx[i], j / r]>
    dl[i]             = p[i] * (dp[i] - row_sums[b,j,t])
    query_grad[b,t,j] = scale * sum_i dl[i] * k[b, idx[i], j / r]
    key_grad[b,s,g]   = scale * sum dl[i] * q[b,t,j]
    value_grad[b,s,g] = sum p[i] * output_grad[b,t,j]
    ```

    where the last two sums are over all t, j with j / r = g, and i with
    idx[i] = s. `lse` is that of the forward op and `row_sums` the result of
    `gsa.attention_row_sums`. A key listed twice counts twice. p[i] and dl[i] are
    0 where l[i] is -inf. A head of a row whose lse is -inf has no keys: its
    query_grad is 0 and it takes no part in the sums, whatever its other operands
    hold. A row takes part in the gradients of the keys that it lists and of no
    others. Everything is in A(T); each result is rounded to T once.

    There is no gate, which is `gsa.gate_grad`'s.

    Constraints:
    - (C1) shapes: query and query_grad [B,Sq,H,D], key and key_grad [B,Sk,G,D],
      value and value_grad [B,Sk,G,Dv], indices [B,Sq,K], counts [B,Sq],
      output_grad [B,Sq,H,Dv], lse and row_sums [B,H,Sq], lengths [B].
    - (C2) query, key, value and output_grad have one element type T.
    - (C3) H is a multiple of G; H, G, D, Dv are at least 1.
    - (C4) `scale` is finite in A(T); it may be absent (1/sqrt(D)) only if D is static.
    - (C5) lse and row_sums are of A(T).
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$query,
    Gsa_FloatTensor<4>:$key,
    Gsa_FloatTensor<4>:$value,
    Gsa_IndexTensor<3>:$indices,
    Gsa_IndexTensor<2>:$counts,
    Gsa_FloatTensor<4>:$output_grad,
    Gsa_AccTensor<3>:$lse,
    Gsa_AccTensor<3>:$row_sums,
    Optional<Gsa_IndexTensor<1>>:$lengths,
    OptionalAttr<F64Attr>:$scale);
  let results = (outs Gsa_FloatTensor<4>:$query_grad,
                      Gsa_FloatTensor<4>:$key_grad,
                      Gsa_FloatTensor<4>:$value_grad);
  let assemblyFormat = [{
    $query `,` $key `,` $value `indices` $indices `,` $counts
    `output_grad` $output_grad `lse` $lse `row_sums` $row_sums
    (`lengths` $lengths^)? attr-dict `:` functional-type(operands, results)
  }];
}

def Gsa_DenseAttentionGradOp : Gsa_Op<"dense_attention_grad",
    ["B Sq H D", "B Sk G D", "B Sk G Dv", "B Sq H Dv", "B H Sq", "B H Sq", "B"],
    ["B Sq H D", "B Sk G D", "B Sk G Dv"], [Gsa_Scheduled]> {
  let summary = "Gradient of attention over all keys that the mask shows";
  let description = [{
    `gsa.gather_attention_grad` over the list of all keys that
    `gsa.dense_attention` sees with this `mask` and these `lengths`.

    Constraints:
    - (C1) shapes: query and query_grad [B,Sq,H,D], key and key_grad [B,Sk,G,D],
      value and value_grad [B,Sk,G,Dv], output_grad [B,Sq,H,Dv], lse and
      row_sums [B,H,Sq], lengths [B].
    - (C2) query, key, value and output_grad have one element type T.
    - (C3) H is a multiple of G; H, G, D, Dv are at least 1.
    - (C4) `scale` is finite in A(T); it may be absent (1/sqrt(D)) only if D is static.
    - (C5) lse and row_sums are of A(T).
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$query,
    Gsa_FloatTensor<4>:$key,
    Gsa_FloatTensor<4>:$value,
    Gsa_FloatTensor<4>:$output_grad,
    Gsa_AccTensor<3>:$lse,
    Gsa_AccTensor<3>:$row_sums,
    Optional<Gsa_IndexTensor<1>>:$lengths,
    OptionalAttr<F64Attr>:$scale,
    DefaultValuedAttr<Gsa_MaskAttr, "Mask::Causal">:$mask);
  let results = (outs Gsa_FloatTensor<4>:$query_grad,
                      Gsa_FloatTensor<4>:$key_grad,
                      Gsa_FloatTensor<4>:$value_grad);
  let assemblyFormat = [{
    $query `,` $key `,` $value `output_grad` $output_grad `lse` $lse
    `row_sums` $row_sums (`lengths` $lengths^)? attr-dict `:`
    functional-type(operands, results)
  }];
}

def Gsa_GateGradOp : Gsa_Op<"gate_grad", ["B S H D", "", "B S H D"],
    ["B S H D", ""]> {
  let summary = "Gradient of a gate";
  let description = [{
    ```
    input_grad  = output_grad * act(logits)
    logits_grad = output_grad * x * act'(logits)
    ```

    with act' = s(z) s(-z) for sigmoid, 2 s(2z) s(-2z) for `tanh` and
    s(z) (1 + z s(-z)) for `silu`, s being the sigmoid. Where logits have one
    number per head, logits_grad is the sum over the head's elements. Everything
    is in A(T); input_grad is rounded to T and logits_grad to the element type of
    logits, once.

    Constraints:
    - (C1) x, output_grad and input_grad are [B,S,H,D]; logits and logits_grad
      are both [B,S,H,D] or both [B,S,H].
    - (C2) output_grad has the element type T of x; logits have T or A(T), and
      logits_grad has theirs.
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$input,
    Gsa_GateTensor:$logits,
    Gsa_FloatTensor<4>:$output_grad,
    DefaultValuedAttr<Gsa_GateActivationAttr, "GateActivation::Sigmoid">:$activation);
  let results = (outs Gsa_FloatTensor<4>:$input_grad,
                      Gsa_GateTensor:$logits_grad);
  let assemblyFormat = [{
    $input `,` $logits `output_grad` $output_grad attr-dict `:`
    functional-type(operands, results)
  }];
}

//===----------------------------------------------------------------------===//
// The indexer
//===----------------------------------------------------------------------===//

def Gsa_IndexScoresGradOp : Gsa_Op<"index_scores_grad",
    ["B Sq Hi Di", "B Sk Di", "B Sq Hi", "Hi", "", "B Sq K", "B Sq", "B"],
    ["B Sq Hi Di", "B Sk Di", "B Sq Hi", "Hi"],
    [AttrSizedOperandSegments, Gsa_Scheduled]> {
  let summary = "Gradient of the indexer's scores";
  let description = [{
    Of the scores of `gsa.index_scores` for the keys of a row's list, or without
    lists for all keys that `mask` shows; scores_grad has a cell for each slot of
    the list, or for each key. With i over the entries that
    `gsa.gather_attention` does not skip, or over the visible keys:

    ```
    z[j,i]            = scale * <q[b,t,j], k[b, idx[i]]> + bias[j]
    dz[j,i]           = scores_grad[b,t,i] * wact(w[b,t,j]) * act'(z[j,i])
    query_grad[b,t,j] = scale * sum_i dz[j,i] * k[b, idx[i]]
    key_grad[b,s]     = scale * sum dz[j,i] * q[b,t,j]
    weights_grad[b,t,j] = wact'(w[b,t,j]) * sum_i scores_grad[b,t,i] * act(z[j,i])
    bias_grad[j]      = sum dz[j,i]
    ```

    where key_grad is summed over all t, j, and i with idx[i] = s, and bias_grad
    over all b, t, i. act' of `sigmoid` is s(z) s(-z), that of `relu` 1 where
    z > 0, NaN where z is, and 0 elsewhere. Without `weights` or `bias` the
    results are those of weights, and biases, that are 1 and 0. Cells of
    scores_grad for slots and keys that are not in the sums may hold anything.
    Everything is in A(T); each result is rounded once, to its operand's type, or
    stays in A(T) without one.

    Constraints:
    - (C1) shapes: query and query_grad [B,Sq,Hi,Di], key and key_grad [B,Sk,Di],
      weights and weights_grad [B,Sq,Hi], bias and bias_grad [Hi], scores_grad
      [B,Sq,K] with lists and [B,Sq,Sk] without, indices [B,Sq,K], counts
      [B,Sq], lengths [B].
    - (C2) query and key have one element type T; weights and bias have T or
      A(T); scores_grad has A(T).
    - (C3) Hi and Di are at least 1.
    - (C4) `scale` is finite in A(T); it may be absent (1/sqrt(Di)) only if Di
      is static.
    - (C5) indices and counts are both present or both absent; `mask` is present
      iff they are absent.
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$query,
    Gsa_FloatTensor<3>:$key,
    Optional<Gsa_FloatTensor<3>>:$weights,
    Optional<Gsa_FloatTensor<1>>:$bias,
    Gsa_AccTensor<3>:$scores_grad,
    Optional<Gsa_IndexTensor<3>>:$indices,
    Optional<Gsa_IndexTensor<2>>:$counts,
    Optional<Gsa_IndexTensor<1>>:$lengths,
    OptionalAttr<F64Attr>:$scale,
    DefaultValuedAttr<Gsa_ScoreActivationAttr, "ScoreActivation::Sigmoid">:$score_activation,
    DefaultValuedAttr<Gsa_WeightActivationAttr, "WeightActivation::Sigmoid">:$weight_activation,
    OptionalAttr<Gsa_MaskAttr>:$mask);
  let results = (outs Gsa_FloatTensor<4>:$query_grad,
                      Gsa_FloatTensor<3>:$key_grad,
                      Gsa_FloatTensor<3>:$weights_grad,
                      Gsa_FloatTensor<1>:$bias_grad);
  let assemblyFormat = [{
    $query `,` $key (`weights` $weights^)? (`bias` $bias^)?
    `scores_grad` $scores_grad (`indices` $indices^ `,` $counts)?
    (`lengths` $lengths^)? attr-dict `:` functional-type(operands, results)
  }];
}

def Gsa_IndexKlOp : Gsa_Op<"index_kl",
    ["B Sq Hi Di", "B Sk Di", "B Sq Hi", "Hi", "B Sq H D", "B Sk G D", "B H Sq",
     "B Sq K", "B Sq", "B"],
    ["B Sq"], [AttrSizedOperandSegments, Gsa_Scheduled]> {
  let summary = "How far the indexer is from the attention that it selects for";
  let description = [{
    The KL divergence of each row, over its support: the entries of its list that
    `gsa.gather_attention` does not skip, or without lists all keys that `mask`
    shows. With i over the support, I[i] the score of `gsa.index_scores` for key
    idx[i], l[j,i] the logit of `gsa.gather_attention` for head j, and m[j] the
    sum of c[j,i] over i:

    ```
    x[i]      = I[i] / temperature
    log q[i]  = x[i] - log(sum_i exp(x[i]))
    c[j,i]    = exp(l[j,i] - lse[b,j,t])
    a[i]      = sum_j c[j,i]
                sum_j c[j,i] / m[j] with `mean_heads`, where m[j] != 0
    p[i]      = a[i] / sum_i a[i]
    loss[b,t] = sum_i p[i] * min(log p[i] - log q[i], clip)
    ```

    c[j,i] is 0 where l[j,i] or lse is -inf; a term with p[i] = 0 is 0, and so is
    the loss of a row whose sum of a is 0: one without keys. Without `clip`
    nothing is cut. With `lse` of attention over the same support each m[j] is 1,
    and p the mean over heads in any case; with that of attention over more keys
    a head counts by how much of it the support holds, unless `mean_heads`.

    p is a constant: `gsa.index_kl_grad` has gradients for the indexer alone. A
    NaN score makes the loss of its row NaN. Everything is in A(T).

    A list that holds every visible key whatever the scores, because the budget
    covers all keys, trains nothing; `gsa-check-index-loss` refuses it.

    Constraints:
    - (C1) shapes: index_query [B,Sq,Hi,Di], index_key [B,Sk,Di], index_weights
      [B,Sq,Hi], index_bias [Hi], query [B,Sq,H,D], key [B,Sk,G,D], lse [B,H,Sq],
      indices [B,Sq,K], counts [B,Sq], lengths [B], loss [B,Sq].
    - (C2) index_query and index_key have one element type T; index_weights and
      index_bias have T or A(T).
    - (C3) query and key have one element type, lse is of A of it, which is A(T).
    - (C4) H is a multiple of G; Hi, Di, H, G, D are at least 1.
    - (C5) `index_scale` and `softmax_scale` are finite in A(T); they may be
      absent (1/sqrt(Di), 1/sqrt(D)) only if Di, or D, is static.
    - (C6) `temperature` and `clip` are positive and finite in A(T).
    - (C7) indices and counts are both present or both absent; `mask` is present
      iff they are absent.
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$index_query,
    Gsa_FloatTensor<3>:$index_key,
    Optional<Gsa_FloatTensor<3>>:$index_weights,
    Optional<Gsa_FloatTensor<1>>:$index_bias,
    Gsa_FloatTensor<4>:$query,
    Gsa_FloatTensor<4>:$key,
    Gsa_AccTensor<3>:$lse,
    Optional<Gsa_IndexTensor<3>>:$indices,
    Optional<Gsa_IndexTensor<2>>:$counts,
    Optional<Gsa_IndexTensor<1>>:$lengths,
    OptionalAttr<F64Attr>:$index_scale,
    OptionalAttr<F64Attr>:$softmax_scale,
    DefaultValuedAttr<Gsa_ScoreActivationAttr, "ScoreActivation::Sigmoid">:$score_activation,
    DefaultValuedAttr<Gsa_WeightActivationAttr, "WeightActivation::Sigmoid">:$weight_activation,
    UnitAttr:$mean_heads,
    DefaultValuedAttr<F64Attr, "1.0">:$temperature,
    OptionalAttr<F64Attr>:$clip,
    OptionalAttr<Gsa_MaskAttr>:$mask);
  let results = (outs Gsa_AccTensor<2>:$loss);
  let assemblyFormat = [{
    $index_query `,` $index_key (`weights` $index_weights^)?
    (`bias` $index_bias^)? `attention` $query `,` $key `lse` $lse
    (`indices` $indices^ `,` $counts)? (`lengths` $lengths^)? attr-dict `:`
    functional-type(operands, results)
  }];
}

def Gsa_IndexKlGradOp : Gsa_Op<"index_kl_grad",
    ["B Sq Hi Di", "B Sk Di", "B Sq Hi", "Hi", "B Sq H D", "B Sk G D", "B H Sq",
     "B Sq", "B Sq K", "B Sq", "B"],
    ["B Sq Hi Di", "B Sk Di", "B Sq Hi", "Hi"],
    [AttrSizedOperandSegments, Gsa_Scheduled]> {
  let summary = "Gradient of the indexer's loss";
  let description = [{
    With p, q and the terms of `gsa.index_kl`, u[i] 0 for a term that is cut by
    `clip` and 1 for others, and U the sum of u[i] p[i] over the row:

    ```
    scores_grad[i] = loss_grad[b,t] / temperature * (U * q[i] - u[i] * p[i])
    ```

    and the results those of `gsa.index_scores_grad` for it. scores_grad is never
    a tensor: a CPU makes it row by row.

    Constraints:
    - (C1) shapes: index_query and index_query_grad [B,Sq,Hi,Di], index_key and
      index_key_grad [B,Sk,Di], index_weights and index_weights_grad [B,Sq,Hi],
      index_bias and index_bias_grad [Hi], query [B,Sq,H,D], key [B,Sk,G,D], lse
      [B,H,Sq], loss_grad [B,Sq], indices [B,Sq,K], counts [B,Sq], lengths [B].
    - (C2) index_query and index_key have one element type T; index_weights and
      index_bias have T or A(T); loss_grad has A(T).
    - (C3) query and key have one element type, lse is of A of it, which is A(T).
    - (C4) H is a multiple of G; Hi, Di, H, G, D are at least 1.
    - (C5) `index_scale` and `softmax_scale` are finite in A(T); they may be
      absent (1/sqrt(Di), 1/sqrt(D)) only if Di, or D, is static.
    - (C6) `temperature` and `clip` are positive and finite in A(T).
    - (C7) indices and counts are both present or both absent; `mask` is present
      iff they are absent.
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$index_query,
    Gsa_FloatTensor<3>:$index_key,
    Optional<Gsa_FloatTensor<3>>:$index_weights,
    Optional<Gsa_FloatTensor<1>>:$index_bias,
    Gsa_FloatTensor<4>:$query,
    Gsa_FloatTensor<4>:$key,
    Gsa_AccTensor<3>:$lse,
    Gsa_AccTensor<2>:$loss_grad,
    Optional<Gsa_IndexTensor<3>>:$indices,
    Optional<Gsa_IndexTensor<2>>:$counts,
    Optional<Gsa_IndexTensor<1>>:$lengths,
    OptionalAttr<F64Attr>:$index_scale,
    OptionalAttr<F64Attr>:$softmax_scale,
    DefaultValuedAttr<Gsa_ScoreActivationAttr, "ScoreActivation::Sigmoid">:$score_activation,
    DefaultValuedAttr<Gsa_WeightActivationAttr, "WeightActivation::Sigmoid">:$weight_activation,
    UnitAttr:$mean_heads,
    DefaultValuedAttr<F64Attr, "1.0">:$temperature,
    OptionalAttr<F64Attr>:$clip,
    OptionalAttr<Gsa_MaskAttr>:$mask);
  let results = (outs Gsa_FloatTensor<4>:$index_query_grad,
                      Gsa_FloatTensor<3>:$index_key_grad,
                      Gsa_FloatTensor<3>:$index_weights_grad,
                      Gsa_FloatTensor<1>:$index_bias_grad);
  let assemblyFormat = [{
    $index_query `,` $index_key (`weights` $index_weights^)?
    (`bias` $index_bias^)? `attention` $query `,` $key `lse` $lse
    `loss_grad` $loss_grad (`indices` $indices^ `,` $counts)?
    (`lengths` $lengths^)? attr-dict `:` functional-type(operands, results)
  }];
}

#endif  // GSA_DIALECT_GSAGRADIENTOPS_TD
