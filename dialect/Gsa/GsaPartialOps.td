//===- GsaPartialOps.td - attention in parts -------------------*- tablegen -*-===//
//
// Attention over a range of the keys, and the exact merge of such parts: what
// is needed where more work shall run side by side than there are queries, or
// where keys come one range after another.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSAPARTIALOPS_TD
#define GSA_DIALECT_GSAPARTIALOPS_TD

include "dialect/Gsa/GsaAttrs.td"

def Gsa_PartialAttentionOp : Gsa_Op<"partial_attention",
    ["B Sq H D", "B Sk G D", "B Sk G Dv", "B Sq K", "B Sq", "B"],
    ["B Sq H Dv", "B H Sq"], [AttrSizedOperandSegments, Gsa_Scheduled]> {
  let summary = "Attention of each query over a range of its keys";
  let description = [{
    With lists, `gsa.gather_attention` over entries `first` to `first + size` of
    each list, the last one excluded; without, `gsa.dense_attention` over the
    visible ones of keys `first` to `first + size`. Entries and keys that do not
    exist are none of them, so a range may begin or end behind the last one. A
    row without keys in the range gives out = 0 and lse = -inf, the part that
    changes nothing in `gsa.merge_attention`.

    There is no gate, which is for the whole, and `out` is in A(T), so that
    merged parts are rounded to T once.

    Constraints:
    - (C1) shapes: query [B,Sq,H,D], key [B,Sk,G,D], value [B,Sk,G,Dv],
      indices [B,Sq,K], counts [B,Sq], lengths [B], out [B,Sq,H,Dv], lse
      [B,H,Sq].
    - (C2) query, key and value have one element type T.
    - (C3) H is a multiple of G; H, G, D, Dv are at least 1.
    - (C4) `scale` is finite in A(T); it may be absent (1/sqrt(D)) only if D is static.
    - (C5) `first` is in [0, 2^31) and `size` in [1, 2^31).
    - (C6) indices and counts are both present or both absent; `mask` is present
      iff they are absent.
  }];
  let arguments = (ins
    Gsa_FloatTensor<4>:$query,
    Gsa_FloatTensor<4>:$key,
    Gsa_FloatTensor<4>:$value,
    Optional<Gsa_IndexTensor<3>>:$indices,
    Optional<Gsa_IndexTensor<2>>:$counts,
    Optional<Gsa_IndexTensor<1>>:$lengths,
    I64Attr:$first,
    I64Attr:$size,
    OptionalAttr<F64Attr>:$scale,
    OptionalAttr<Gsa_MaskAttr>:$mask);
  let results = (outs Gsa_AccTensor<4>:$output, Gsa_AccTensor<3>:$lse);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`indices` $indices^ `,` $counts)?
    (`lengths` $lengths^)? `first` $first `size` $size attr-dict `:`
    functional-type(operands, results)
  }];
  let hasCanonicalizer = 1;
}

def Gsa_MergeAttentionOp : Gsa_Op<"merge_attention",
    ["B Sq H Dv", "B H Sq", ""], ["B Sq H Dv", "B H Sq"],
    [AttrSizedOperandSegments]> {
  let summary = "Attention over all keys from attention over parts of them";
  let description = [{
    With i over the parts:

    ```
    lse[b,j,t] = log(sum_i exp(lses[i][b,j,t]))
    out[b,t,j] = sum_i exp(lses[i][b,j,t] - lse[b,j,t]) * outputs[i][b,t,j]
    ```

    A part whose lse is -inf has no keys: it takes no part, whatever its output.
    A row of nothing but such parts gives out = 0 and lse = -inf. An lse of NaN
    or +inf makes out and lse of its row NaN. Parts that have no key in common
    give what attention over all of their keys gives, up to rounding in A;
    weights add up to 1 before they multiply, so that no sum is beyond the
    largest output.

    A `gate` multiplies the result as in `gsa.gather_attention`. Everything is
    in the element type A of the parts, `out` is rounded to `element_type` T
    (default A) once.

    Constraints:
    - (C1) shapes: outputs and out [B,Sq,H,Dv], lses and lse [B,H,Sq].
    - (C2) there are as many lses as outputs, and at least one; all are of one
      element type A.
    - (C3) A is A(T).
    - (C4) gate is [B,Sq,H,Dv] or [B,Sq,H], of T or A.
  }];
  let arguments = (ins
    Variadic<Gsa_AccTensor<4>>:$outputs,
    Variadic<Gsa_AccTensor<3>>:$lses,
    Optional<Gsa_GateTensor>:$gate,
    OptionalAttr<TypeAttr>:$element_type,
    DefaultValuedAttr<Gsa_GateActivationAttr, "GateActivation::Sigmoid">:$gate_activation);
  let results = (outs Gsa_FloatTensor<4>:$output, Gsa_AccTensor<3>:$lse);
  let assemblyFormat = [{
    $outputs `lse` $lses (`gate` $gate^)? attr-dict `:`
    functional-type(operands, results)
  }];
}

#endif  // GSA_DIALECT_GSAPARTIALOPS_TD
