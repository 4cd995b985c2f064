//===- GsaGradientOps.td - gradients of attention and gates ----*- tablegen -*-===//
//
// The ops of a backward function. They have a generated header of their own,
// GsaGradientOps.h, which a source that knows only the ops of the forward
// function does without. The gradient of gsa.rope is gsa.rope at the negated
// positions, so there is no op for it.
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

#endif  // GSA_DIALECT_GSAGRADIENTOPS_TD
