//===- GsaAttentionOps.td - attention, gates, rotary embedding -*- tablegen -*-===//
//
// What happens around and after selection, and the aggregate that defines a
// Gated Sparse Attention block. The ops over parts of the keys are in
// GsaPartialOps.td.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSAATTENTIONOPS_TD
#define GSA_DIALECT_GSAATTENTIONOPS_TD

include "dialect/Gsa/GsaAttrs.td"

def Gsa_GatherAttentionOp : Gsa_Op<"gather_attention",
    ["B Sq H D", "B Sk G D", "B Sk G Dv", "B Sq K", "B Sq", "", "B"],
    ["B Sq H Dv", "B H Sq"], [AttrSizedOperandSegments, Gsa_Scheduled]> {
  let summary = "Attention of each query over its own list of keys";
  let description = [{
    With r = H / G and i over the first counts[b,t] entries of indices[b,t]:

    ```
    l[i]        = scale * <q[b,t,j], k[b, idx[i], j / r]>
    lse[b,j,t]  = log(sum_i exp(l[i]))
    out[b,t,j]  = sum_i exp(l[i] - lse) * v[b, idx[i], j / r]
    ```

    One list serves all heads of a token. Entries at and beyond the count are
    never read, and a count above K reads K entries; an entry outside [0, Sk) is
    skipped; a key listed twice counts twice. A row without keys, or whose
    logits are all -inf, gives out = 0 and lse = -inf; a logit of NaN or +inf
    makes out and lse NaN. `lse` is the natural logarithm, in A(T). Logits, softmax and the sum over values are
    in A(T); `out` is rounded to T once.

    A `gate` multiplies the output by `gate_activation` of its logits, as
    gsa.gate does, but before the output is rounded; `lse` is that without it.
    With `lengths`, an entry at or beyond clamp(lengths[b], 0, Sk) is skipped,
    too: key and value have room for more keys than there are.

    Constraints:
    - (C1) shapes: query [B,Sq,H,D], key [B,Sk,G,D], value [B,Sk,G,Dv],
      indices [B,Sq,K], counts [B,Sq], lengths [B], out [B,Sq,H,Dv], lse
      [B,H,Sq].
    - (C2) query, key and value have one element type T.
    - (C3) H is a multiple of G; H, G, D, Dv are at least 1.
    - (C4) `scale` is finite in A(T); it may be absent (1/sqrt(D)) only if D is static.
    - (C5) gate is [B,Sq,H,Dv] or [B,Sq,H], of T or A(T).
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$query,
    Gsa_FloatTensor<4>:$key,
    Gsa_FloatTensor<4>:$value,
    Gsa_IndexTensor<3>:$indices,
    Gsa_IndexTensor<2>:$counts,
    Optional<Gsa_GateTensor>:$gate,
    Optional<Gsa_IndexTensor<1>>:$lengths,
    OptionalAttr<F64Attr>:$scale,
    DefaultValuedAttr<Gsa_GateActivationAttr, "GateActivation::Sigmoid">:$gate_activation);
  let results = (outs Gsa_FloatTensor<4>:$output, Gsa_AccTensor<3>:$lse);
  let assemblyFormat = [{
    $query `,` $key `,` $value `indices` $indices `,` $counts
    (`gate` $gate^)? (`lengths` $lengths^)? attr-dict `:`
    functional-type(operands, results)
  }];
  let hasCanonicalizer = 1;
}

def Gsa_DenseAttentionOp : Gsa_Op<"dense_attention",
    ["B Sq H D", "B Sk G D", "B Sk G Dv", "", "B"], ["B Sq H Dv", "B H Sq"],
    [AttrSizedOperandSegments, Gsa_Scheduled]> {
  let summary = "Attention of each query over all keys that the mask shows";
  let description = [{
    `gsa.gather_attention` over the list of all visible keys of each row, with
    its `gate`. With `lengths`, the number of keys is n = clamp(lengths[b], 0,
    Sk) instead of Sk: keys from n on are not visible, and the causal mask is
    aligned to the last of the n.

    Constraints:
    - (C1) shapes: query [B,Sq,H,D], key [B,Sk,G,D], value [B,Sk,G,Dv],
      lengths [B], out [B,Sq,H,Dv], lse [B,H,Sq].
    - (C2) query, key and value have one element type T.
    - (C3) H is a multiple of G; H, G, D, Dv are at least 1.
    - (C4) `scale` is finite in A(T); it may be absent (1/sqrt(D)) only if D is static.
    - (C5) gate is [B,Sq,H,Dv] or [B,Sq,H], of T or A(T).
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$query,
    Gsa_FloatTensor<4>:$key,
    Gsa_FloatTensor<4>:$value,
    Optional<Gsa_GateTensor>:$gate,
    Optional<Gsa_IndexTensor<1>>:$lengths,
    OptionalAttr<F64Attr>:$scale,
    DefaultValuedAttr<Gsa_MaskAttr, "Mask::Causal">:$mask,
    DefaultValuedAttr<Gsa_GateActivationAttr, "GateActivation::Sigmoid">:$gate_activation);
  let results = (outs Gsa_FloatTensor<4>:$output, Gsa_AccTensor<3>:$lse);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`gate` $gate^)? (`lengths` $lengths^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasCanonicalizer = 1;
}

def Gsa_GateOp : Gsa_Op<"gate", ["B S H D", ""], ["B S H D"]> {
  let summary = "Scales a tensor by an activation of gate logits";
  let description = [{
    `x * act(logits)` with act = sigmoid, (tanh + 1) / 2, or silu (the logits
    times their sigmoid). Logits have the shape of x (elementwise) or lack its
    last dimension (one scalar per head). The activation and the product are
    in A(T) and the result is rounded to T once.

    Constraints:
    - (C1) x and the result are [B,S,H,D]; logits are [B,S,H,D] or [B,S,H].
    - (C2) logits have the element type T of x, or A(T).
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$input,
    Gsa_GateTensor:$logits,
    DefaultValuedAttr<Gsa_GateActivationAttr, "GateActivation::Sigmoid">:$activation);
  let results = (outs Gsa_FloatTensor<4>:$output);
  let assemblyFormat = [{
    $input `,` $logits attr-dict `:` functional-type(operands, results)
  }];
  let hasCanonicalizer = 1;
}

def Gsa_RopeOp : Gsa_Op<"rope", ["B S H D", "B S"], ["B S H D"]> {
  let summary = "Rotary position embedding";
  let description = [{
    Rotates pairs of the first R = `rotary_dim` (default D) elements of each
    head by angle `position * f[i]`, f[i] = base^(-2 i / R), i < R / 2. Pairs
    are (i, i + R/2), or (2i, 2i + 1) if `interleaved`. Angles, sines and
    cosines are computed in f64 for every position, so there is no table to
    outgrow; the rotation is in A(T) and the result is rounded to T once.

    Constraints:
    - (C1) shapes: x [B,S,H,D], positions [B,S].
    - (C2) D is static; R is even, 2 <= R <= D and R <= 65536.
    - (C3) `base` is finite and greater than 1.
    - (C4) `ntk` scaling needs R >= 4.
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$input,
    Gsa_PositionTensor<2>:$positions,
    DefaultValuedAttr<F64Attr, "10000.0">:$base,
    OptionalAttr<I64Attr>:$rotary_dim,
    UnitAttr:$interleaved,
    OptionalAttr<Gsa_RopeScalingAttr>:$scaling);
  let results = (outs Gsa_FloatTensor<4>:$output);
  let assemblyFormat = [{
    $input `,` $positions attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
  let extraOpDeclaration = [{
    /// Number of rotated elements: rotary_dim, or D.
    int64_t getRotatedSize();
    /// The R / 2 frequencies f[i], after scaling; radians per position.
    ::llvm::SmallVector<double> getFrequencies();
  }];
}

def Gsa_AttentionOp : Gsa_Op<"attention",
    ["B Sq H D", "B Sk G D", "B Sk G Dv", "B Sq", "B Sk",
     "B Sq Hi Di", "B Sk Di", "B Sq Hi", "Hi", "B Sk G Dv", "B Sq H Dv", "",
     "B"],
    ["B Sq H Dv", "B H Sq", "B Sq K", "B Sq", "B Sq"],
    [AttrSizedOperandSegments]> {
  let summary = "The Gated Sparse Attention block";
  let description = [{
    Everything between the projections of a GSA layer; its decomposition is the
    definition of GSA:

    1. value gate: `v <- gsa.gate(v, value_gate)` (if present),
    2. `q <- gsa.rope(q, positions)`, `k <- gsa.rope(k, key_positions)`,
    3. `gsa.select` on the index operands,
    4. `gsa.gather_attention`,
    5. output gate: `o <- gsa.gate(o, output_gate)` (if present).

    The value gate belongs to the key's token and the output gate to the
    query's. The gate is not part of `lse`. The indexer gets no positions.
    `lengths` are those of steps 3 and 4.

    Constraints:
    - (C1) shapes as named in the op record; both gates are elementwise.
    - (C2) query, key and value have one element type T.
    - (C3) the constraints of the ops of the decomposition hold.
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$query,
    Gsa_FloatTensor<4>:$key,
    Gsa_FloatTensor<4>:$value,
    Gsa_PositionTensor<2>:$positions,
    Gsa_PositionTensor<2>:$key_positions,
    Gsa_FloatTensor<4>:$index_query,
    Gsa_FloatTensor<3>:$index_key,
    Optional<Gsa_FloatTensor<3>>:$index_weights,
    Optional<Gsa_FloatTensor<1>>:$index_bias,
    Optional<Gsa_FloatTensor<4>>:$value_gate,
    Optional<Gsa_FloatTensor<4>>:$output_gate,
    Optional<Gsa_AccTensor<0>>:$normaliser,
    Optional<Gsa_IndexTensor<1>>:$lengths,
    Gsa_KPolicyAttr:$policy,
    OptionalAttr<F64Attr>:$softmax_scale,
    OptionalAttr<F64Attr>:$index_scale,
    DefaultValuedAttr<Gsa_ScoreActivationAttr, "ScoreActivation::Sigmoid">:$score_activation,
    DefaultValuedAttr<Gsa_WeightActivationAttr, "WeightActivation::Sigmoid">:$weight_activation,
    DefaultValuedAttr<Gsa_GateActivationAttr, "GateActivation::Sigmoid">:$gate_activation,
    DefaultValuedAttr<Gsa_MaskAttr, "Mask::Causal">:$mask,
    DefaultValuedAttr<I64Attr, "0">:$sink,
    DefaultValuedAttr<I64Attr, "0">:$local,
    DefaultValuedAttr<F64Attr, "10000.0">:$rope_base,
    OptionalAttr<I64Attr>:$rotary_dim,
    UnitAttr:$rope_interleaved,
    OptionalAttr<Gsa_RopeScalingAttr>:$rope_scaling,
    UnitAttr:$assume_finite);
  let results = (outs Gsa_FloatTensor<4>:$output, Gsa_AccTensor<3>:$lse,
                      Gsa_IndexTensor<3>:$indices, Gsa_IndexTensor<2>:$counts,
                      Gsa_IndexTensor<2>:$status);
  let assemblyFormat = [{
    $query `,` $key `,` $value `positions` $positions `,` $key_positions
    `index` $index_query `,` $index_key
    (`weights` $index_weights^)? (`bias` $index_bias^)?
    (`value_gate` $value_gate^)? (`output_gate` $output_gate^)?
    (`normaliser` $normaliser^)? (`lengths` $lengths^)? `policy` $policy
    attr-dict `:` functional-type(operands, results)
  }];
}

#endif  // GSA_DIALECT_GSAATTENTIONOPS_TD
