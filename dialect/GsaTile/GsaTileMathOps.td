//===- GsaTileMathOps.td - products, softmax, activations ------*- tablegen -*-===//

#ifndef GSA_TILE_MATH_OPS_TD
#define GSA_TILE_MATH_OPS_TD

include "dialect/GsaTile/GsaTileTypes.td"

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Tensor cores for 16-bit elements, FFMA for f32; done when issued.
defvar GsaTile_WarpProduct = [
    DeclareOpInterfaceMethods<GsaTile_ProductOpInterface, ["getUnit"]>];

class GsaTile_MmaOp<string mnemonic> : GsaTile_Op<mnemonic,
    mnemonic # "({acc}, {lhs}, {rhs}, {row})", GsaTile_WarpProduct> {
  let arguments = (ins TileFragInOut:$acc, TileFragIn:$lhs, TileSmemIn:$rhs,
                       Index:$row);
  let assemblyFormat = [{
    $acc `,` $lhs `,` $rhs `[` $row `]` attr-dict `:` type($acc) `,`
    type($lhs) `,` type($rhs)
  }];
  let hasVerifier = 1;
}

def GsaTile_MmaNtOp : GsaTile_MmaOp<"mma_nt"> {
  let summary = "`acc[m, n] += sum_k lhs[m, k] * rhs[row + n, k]`";
  let description = [{
    mma.sync m16n8k16 for f16 and bf16 (right operand by ldmatrix), FFMA for
    f32; sums in f32.
    Constraints: (C1) acc is `acc` f32, lhs is `lhs` of rhs's element type;
    (C2) lhs has as many columns as rhs.
  }];
}

def GsaTile_MmaNnOp : GsaTile_MmaOp<"mma_nn"> {
  let summary = "`acc[m, n] += sum_k lhs[m, k] * rhs[row + k, n]`";
  let description = [{
    As mma_nt, right operand by ldmatrix.trans.
    Constraints: (C1) as mma_nt; (C2) acc has as many columns as rhs.
  }];
}

def GsaTile_MmaNnCausalOp : GsaTile_Op<"mma_nn_causal",
    "mma_nn_causal<{rows_per_query}>({acc}, {lhs}, {rhs}, {row}, {last}, {column})",
    GsaTile_WarpProduct> {
  let summary = "As mma_nn, without the terms that a causal mask hides";
  let description = [{
    `acc[m, n] += sum_k lhs[m, k] * rhs[row + k, n]` over the k with
    `column + k <= last + m / rows_per_query`. A hidden term takes no part, also
    if rhs is NaN or infinite there, which a product by 0 would not be. `last`
    is the last key that row 0 of the fragment sees, `column` the key of rhs
    row `row`. Slower than mma_nn where some term is hidden.
    Constraints: (C1), (C2) as mma_nn.
  }];
  let arguments = (ins TileFragInOut:$acc, TileFragIn:$lhs, TileSmemIn:$rhs,
                       Index:$row, Index:$last, Index:$column,
                       DefaultValuedAttr<I64Attr, "1">:$rows_per_query);
  let assemblyFormat = [{
    $acc `,` $lhs `,` $rhs `[` $row `]` `last` $last `column` $column attr-dict
    `:` type($acc) `,` type($lhs) `,` type($rhs)
  }];
  let hasVerifier = 1;
}

def GsaTile_ConvertOp : GsaTile_Op<"convert", "convert({target}, {source})"> {
  let summary = "Result of one product as left operand of the next";
  let description = "Rounds to the target's element type, to nearest even.";
  let arguments = (ins TileFragOut:$target, TileFragIn:$source);
  let assemblyFormat = [{
    $source `to` $target attr-dict `:` type($source) `to` type($target)
  }];
}

//===----------------------------------------------------------------------===//
// Elementwise on fragments and row vectors
//===----------------------------------------------------------------------===//

def GsaTile_FillOp : GsaTile_Op<"fill", "fill({target}, {value})"> {
  let summary = "Sets all elements";
  let arguments = (ins TileFragOut:$target, F32:$value);
  let assemblyFormat = "$target `,` $value attr-dict `:` type($target)";
}

def GsaTile_FillRowsOp : GsaTile_Op<"fill_rows", "fill_rows({target}, {value})"> {
  let summary = "Sets all elements of a row vector";
  let arguments = (ins TileRowsOut:$target, F32:$value);
  let assemblyFormat = "$target `,` $value attr-dict `:` type($target)";
}

def GsaTile_FillHalvesOp : GsaTile_Op<"fill_halves",
    "fill_halves({target}, {first}, {last})"> {
  let summary = "Sets the first and the last 8 elements of a row vector";
  let description = "Constraint: (C1) the row vector has 16 rows.";
  let arguments = (ins TileRowsOut:$target, F32:$first, F32:$last);
  let assemblyFormat = [{
    $target `,` $first `,` $last attr-dict `:` type($target)
  }];
  let hasVerifier = 1;
}

def GsaTile_AffineOp : GsaTile_Op<"affine", "affine({frag}, {scale}, {offset})"> {
  let summary = "`frag = frag * scale + offset`, one rounding";
  let arguments = (ins TileFragInOut:$frag, F32:$scale, F32:$offset);
  let assemblyFormat = [{
    $frag `,` $scale `,` $offset attr-dict `:` type($frag)
  }];
}

def GsaTile_AffineRowsOp : GsaTile_Op<"affine_rows",
    "affine_rows({frag}, {scale}, {offsets})"> {
  let summary = "`frag[r, c] = frag[r, c] * scale + offsets[r]`, one rounding";
  let description = [{
    Constraint: (C1) the fragment and the offsets have as many rows, of f32.
  }];
  let arguments = (ins TileFragInOut:$frag, F32:$scale, TileRowsIn:$offsets);
  let assemblyFormat = [{
    $frag `,` $scale `,` $offsets attr-dict `:` type($frag) `,` type($offsets)
  }];
  let hasVerifier = 1;
}

def GsaTile_ActivateOp : GsaTile_Op<"activate",
    "activate<{activation}>({frag})"> {
  let summary = "Applies an activation to each element";
  let description = [{
    Sigmoid is `1 / (1 + ex2(-x log2 e))` with ex2.approx and a division of
    2 ulp: absolute error below 3e-7, exact 0 and 1 at the infinities, and NaN
    stays NaN.
  }];
  let arguments = (ins TileFragInOut:$frag, GsaTile_ActivationAttr:$activation);
  let assemblyFormat = "$frag $activation attr-dict `:` type($frag)";
}

def GsaTile_ActivateRowsOp : GsaTile_Op<"activate_rows",
    "activate_rows<{activation}>({rows})"> {
  let summary = "Applies an activation to each element of a row vector";
  let arguments = (ins TileRowsInOut:$rows, GsaTile_ActivationAttr:$activation);
  let assemblyFormat = "$rows $activation attr-dict `:` type($rows)";
}

def GsaTile_AddScaledOp : GsaTile_Op<"add_scaled",
    "add_scaled({target}, {source}, {weights})",
    [AllTypesMatch<["target", "source"]>]> {
  let summary = "`target[r, c] += weights[r] * source[r, c]`";
  let arguments = (ins TileFragInOut:$target, TileFragIn:$source,
                       TileRowsIn:$weights);
  let assemblyFormat = [{
    $target `,` $source `,` $weights attr-dict `:` type($target) `,`
    type($weights)
  }];
}

def GsaTile_AddRowPairsOp : GsaTile_Op<"add_row_pairs",
    "add_row_pairs({target}, {source}, {weights})"> {
  let summary = "Adds rows r and r + 8 of a fragment, weighted, to row r";
  let description = [{
    `target[r, c] += weights[r] * source[r, c]`, then `weights[r + 8] *
    source[r + 8, c]`, for r < 8; one rounding each.
    Constraint: (C1) fragments are f32 of layout `acc` and as many columns, the
    target of 8 rows, source and weights of 16.
  }];
  let arguments = (ins TileFragInOut:$target, TileFragIn:$source,
                       TileRowsIn:$weights);
  let assemblyFormat = [{
    $target `,` $source `,` $weights attr-dict `:` type($target) `,`
    type($source) `,` type($weights)
  }];
  let hasVerifier = 1;
}

def GsaTile_GateRowsOp : GsaTile_Op<"gate_rows",
    "gate_rows<{activation}, {pairs}>({frag}, {view}, {first}, {columns}, "
    "{per_row})"> {
  let summary = "Output gate: `frag[r, c] *= act(view[first + r, c])`";
  let description = [{
    For rows that exist and c < `columns`; with `per_row` the logit is
    `view[first + r, 0]` for the whole row. With `pairs` two neighbouring logits
    are read at once: `columns` are even, and rows lie on multiples of two
    elements (which nobody checks but the emulation).
  }];
  let arguments = (ins TileFragInOut:$frag, TileViewIn:$view, Index:$first,
                       Index:$columns, GsaTile_ActivationAttr:$activation,
                       DefaultValuedAttr<BoolAttr, "false">:$per_row,
                       DefaultValuedAttr<BoolAttr, "false">:$pairs);
  let assemblyFormat = [{
    $frag `,` $view `[` $first `]` `columns` $columns $activation attr-dict `:`
    type($frag) `,` type($view)
  }];
}

def GsaTile_GateTileOp : GsaTile_Op<"gate_tile",
    "gate_tile<{activation}>({target}, {gate}, {row}, {rows})"> {
  let summary = "Output gate in shared memory: `target[row + r, c] *= act(gate[row + r, c])`";
  let description = [{
    For r < 16, r < `rows` and all columns: as gate_rows, in a loop, for rows
    that the warp put there itself. `rows` are those that exist: the others cost
    nothing, and none where it is not positive. Constraints: (C1) both tiles
    have one shape, with a multiple of 8 columns; (C2) the target is of f32.
  }];
  let arguments = (ins TileSmemInOut:$target, TileSmemIn:$gate, Index:$row,
                       Index:$rows, GsaTile_ActivationAttr:$activation);
  let assemblyFormat = [{
    $target `[` $row `]` `rows` $rows `by` $gate $activation attr-dict `:` type($target) `by`
    type($gate)
  }];
  let hasVerifier = 1;
}

def GsaTile_MergePartsOp : GsaTile_Op<"merge_parts",
    "merge_parts<{team}, {activation}, {per_row}>({output}, {lse}, {outputs}, "
    "{output_step}, {lses}, {lse_step}, {parts}, {columns}, "
    "gate_of({gate...}))",
    [GsaTile_TeamOpInterface]> {
  let summary = "Joins outputs of parts of a list, gates and rounds them";
  let description = [{
    With i over `parts` in turn, r over the rows that exist in `output` and
    c < `columns`:

    ```
    lse[r] = log(sum_i exp(lses_i[r]))
    output[r, c] = T(act(gate[r, c]) * sum_i exp(lses_i[r] - lse[r]) * outputs_i[r, c])
    ```

    `outputs` and `lses` are views of f32 whose part i is `output_step` and
    `lse_step` elements behind part i - 1. As gsa.merge_attention of it: parts
    whose lse is -inf take no part, a row of nothing but such gives 0 and -inf, an
    lse of NaN or +inf makes its row NaN. With `per_row` the logit is
    `gate[r, 0]`. The order of operations does not depend on the team.
    Constraint: (C1) `output` and `lse` write.
  }];
  let arguments = (ins TileViewOut:$output, TileViewOut:$lse,
                       TileViewIn:$outputs, I64:$output_step, TileViewIn:$lses,
                       I64:$lse_step, Index:$parts, Index:$columns,
                       Arg<Optional<GsaTile_RowsType>, "",
                           [MemRead<GsaTile_Global>]>:$gate,
                       GsaTile_TeamAttr:$team,
                       GsaTile_ActivationAttr:$activation,
                       DefaultValuedAttr<BoolAttr, "false">:$per_row);
  let assemblyFormat = [{
    $parts `of` $outputs `step` $output_step `,` $lses `step` $lse_step `columns`
    $columns (`gate` $gate^ `:` type($gate))? $activation `to` $output `,` $lse
    `by` $team attr-dict `:` type($outputs) `,` type($lses) `to` type($output)
    `,` type($lse)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

def GsaTile_MaskRowsOp : GsaTile_Op<"mask_rows",
    "mask_rows({frag}, {view}, {first})",
    [MemoryEffects<[MemRead<GsaTile_Shared>, MemRead<GsaTile_Global>]>]> {
  let summary = "-inf in column c unless row `first + c` of a view exists";
  let arguments = (ins TileFragInOut:$frag, GsaTile_RowsType:$view,
                       Index:$first);
  let assemblyFormat = [{
    $frag `,` $view `[` $first `]` attr-dict `:` type($frag) `,` type($view)
  }];
}

def GsaTile_MaskCausalOp : GsaTile_Op<"mask_causal",
    "mask_causal({frag}, {row}, {column}, {rows_per_query})"> {
  let summary = "-inf where `column + c > row + r / rows_per_query`";
  let description = [{
    `row` is the last key that row 0 of the fragment sees (query position plus
    the bottom-right alignment), `column` the key of column 0.
  }];
  let arguments = (ins TileFragInOut:$frag, Index:$row, Index:$column,
                       DefaultValuedAttr<I64Attr, "1">:$rows_per_query);
  let assemblyFormat = "$frag `,` $row `,` $column attr-dict `:` type($frag)";
}

def GsaTile_MaskWordsOp : GsaTile_Op<"mask_words",
    "mask_words<{rows_per_bit}>({frag}, {words}, {line}, {column}, {row})"> {
  let summary = "-inf where a bit of a column's word is not set";
  let description = [{
    Element (r, c) stays if bit `(row + r) / rows_per_bit` of
    `words[line, column + c]` is set: the rows of a fragment are queries with
    `rows_per_bit` heads each, a word says which of 32 queries want its key.
    Constraint: (C1) words are i32.
  }];
  let arguments = (ins TileFragInOut:$frag, TileSmemIn:$words, Index:$line,
                       Index:$column, Index:$row,
                       ConfinedAttr<I64Attr, [IntMinValue<1>]>:$rows_per_bit);
  let assemblyFormat = [{
    $frag `,` $words `[` $line `,` $column `]` `row` $row attr-dict `:`
    type($frag) `,` type($words)
  }];
  let hasVerifier = 1;
}

def GsaTile_MaskBitsOp : GsaTile_Op<"mask_bits",
    "mask_bits<{rows_per_string}>({frag}, {bits}, {line}, {row})"> {
  let summary = "-inf where a bit of a row's string is not set";
  let description = [{
    Element (r, c) stays if bit c of string `(row + r) / rows_per_string` is
    set; a string of C bits, for a fragment of C columns, is C / 32 words, and
    line `line` of `bits` holds one string after the other. What mask_words says
    by columns, with two instructions for an element: a lane's columns are
    constant distances apart.
    Constraints: (C1) bits are i32, linear; (C2) C is a multiple of 32.
  }];
  let arguments = (ins TileFragInOut:$frag, TileSmemIn:$bits, Index:$line,
                       Index:$row,
                       ConfinedAttr<I64Attr, [IntMinValue<1>]>:$rows_per_string);
  let assemblyFormat = [{
    $frag `,` $bits `[` $line `]` `row` $row attr-dict `:` type($frag) `,`
    type($bits)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Online softmax
//===----------------------------------------------------------------------===//

def GsaTile_SoftmaxUpdateOp : GsaTile_Op<"softmax_update",
    "softmax_update<{bounded}>({scores}, {output}, {maximum}, {sum}, {scale})",
    [AllTypesMatch<["maximum", "sum"]>]> {
  let summary = "One step of online softmax";
  let description = [{
    With x = scores (not scaled) and s = `scale` in (0, 2^127] (logits are s x):
    ```
    m' = max(m, max_c x[r, c]);  f = exp(s (m - m'))
    scores[r, c] = exp(s (x[r, c] - m'));  l' = l f + sum_c scores[r, c]
    output[r, :] *= f
    ```
    `maximum` starts at -inf, `sum` and `output` at 0. exp is ex2.approx with
    s log2(e) folded in; the largest score of a row weighs 1 (within 0.07 %, the
    same for all of a row) whatever its size. A logit of -inf weighs nothing; a
    row of nothing else gives 0. NaN and a logit of +inf make the row's sum NaN.
    For other scales a lowering changes the scores first, before it masks them.

    `bounded` keeps the output times unit(l), a power of two of at most
    1 / (2 l), so that a sum of weights times values never exceeds the largest
    value. The product then takes the weights from `softmax_weights`, and the
    ops that merge and finish the state are bounded, too. For values whose sums
    could overflow f32: bf16 and f32.
  }];
  let arguments = (ins TileFragInOut:$scores, TileFragInOut:$output,
                       TileRowsInOut:$maximum, TileRowsInOut:$sum, F32:$scale,
                       DefaultValuedAttr<BoolAttr, "false">:$bounded);
  let assemblyFormat = [{
    $scores `,` $output `,` $maximum `,` $sum `scale` $scale attr-dict `:`
    type($scores) `,` type($output) `,` type($maximum)
  }];
}

def GsaTile_SoftmaxStepOp : GsaTile_Op<"softmax_step",
    "softmax_step({scores}, {factor}, {base}, {sum}, {scale})",
    [AllTypesMatch<["factor", "base", "sum"]>]> {
  let summary = "A step of online softmax that leaves the output alone";
  let description = [{
    For outputs that products in flight still add to. With x and s as in
    softmax_update and a row's base m:
    ```
    scores[r, c] = exp(s (x[r, c] - m'));  sum'[r] = sum[r] f + sum_c scores[r, c]
    factor[r] = f = exp(s (m - m'))
    ```
    The base is raised to the largest score where one of the warp's rows has a
    score with s (x - m) above 8 ln 2, and stays otherwise, so that f is 1 in
    most steps and weights are 256 at most. `base` starts at -inf, `sum` at 0;
    a sum is complete after `softmax_close`, which adds up what lanes hold.
    `scale_rows` then multiplies the output by f. Precise for |s m| below 2^13
    alone; beyond, and for logits of +inf or NaN, the row is not right, which
    `any_out_of_range` finds.
  }];
  let arguments = (ins TileFragInOut:$scores, TileRowsOut:$factor,
                       TileRowsInOut:$base, TileRowsInOut:$sum, F32:$scale);
  let assemblyFormat = [{
    $scores `,` $factor `,` $base `,` $sum `scale` $scale attr-dict `:`
    type($scores) `,` type($base)
  }];
}

def GsaTile_SoftmaxCloseOp : GsaTile_Op<"softmax_close", "softmax_close({sum})"> {
  let summary = "Adds up the sums that lanes hold after softmax_step";
  let arguments = (ins TileRowsInOut:$sum);
  let assemblyFormat = "$sum attr-dict `:` type($sum)";
}

def GsaTile_ScaleRowsOp : GsaTile_Op<"scale_rows",
    "scale_rows({frag}, {factor})"> {
  let summary = "`frag[r, :] *= factor[r]`";
  let arguments = (ins TileFragInOut:$frag, TileRowsIn:$factor);
  let assemblyFormat = [{
    $frag `,` $factor attr-dict `:` type($frag) `,` type($factor)
  }];
}

def GsaTile_SoftmaxWeightsOp : GsaTile_Op<"softmax_weights",
    "softmax_weights({target}, {scores}, {sum})"> {
  let summary = "Weights of a bounded step as left operand of the next product";
  let description = [{
    `target[r, c] = scores[r, c] * unit(sum[r])`, rounded to the target's element
    type, to nearest even, before the exact multiplication. `scores` and `sum`
    are as a bounded `softmax_update` leaves them.
  }];
  let arguments = (ins TileFragOut:$target, TileFragIn:$scores,
                       TileRowsIn:$sum);
  let assemblyFormat = [{
    $scores `,` $sum `to` $target attr-dict `:` type($scores) `,` type($sum)
    `to` type($target)
  }];
}

def GsaTile_SoftmaxGradOp : GsaTile_Op<"softmax_grad",
    "softmax_grad({weights}, {grads}, {lse}, {row_sums}, {scale}, {rows})",
    [AllTypesMatch<["weights", "grads"]>, AllTypesMatch<["lse", "row_sums"]>]> {
  let summary = "Weights of a softmax that is done, and the gradient of its logits";
  let description = [{
    With x = `weights` (scores, not scaled), d = `grads` (the gradients of the
    weights) and s = `scale`:
    ```
    weights[r, c] = p = exp(s x[r, c] - lse[r]);  grads[r, c] = p * (d[r, c] - row_sums[r])
    ```
    and both 0, whatever the other numbers are, where x is -inf, where lse is, and
    for r from `rows` on. exp is ex2.approx of log2(e) times the difference, which
    is rounded once.
  }];
  let arguments = (ins TileFragInOut:$weights, TileFragInOut:$grads,
                       TileRowsIn:$lse, TileRowsIn:$row_sums, F32:$scale,
                       Index:$rows);
  let assemblyFormat = [{
    $weights `,` $grads `,` $lse `,` $row_sums `scale` $scale `rows` $rows
    attr-dict `:` type($weights) `,` type($lse)
  }];
}

def GsaTile_SoftmaxMergeOp : GsaTile_Op<"softmax_merge",
    "softmax_merge<{bounded}>({output}, {maximum}, {sum}, {other_output}, {other_maximum}, {other_sum}, {scale})",
    [AllTypesMatch<["output", "other_output"]>,
     AllTypesMatch<["maximum", "sum", "other_maximum", "other_sum"]>]> {
  let summary = "Adds the state of another part of the keys to this one";
  let arguments = (ins TileFragInOut:$output, TileRowsInOut:$maximum,
                       TileRowsInOut:$sum, TileFragIn:$other_output,
                       TileRowsIn:$other_maximum, TileRowsIn:$other_sum,
                       F32:$scale,
                       DefaultValuedAttr<BoolAttr, "false">:$bounded);
  let assemblyFormat = [{
    $output `,` $maximum `,` $sum `with` $other_output `,` $other_maximum `,`
    $other_sum `scale` $scale attr-dict `:` type($output) `,` type($maximum)
  }];
}

def GsaTile_SoftmaxFinishOp : GsaTile_Op<"softmax_finish",
    "softmax_finish<{bounded}>({output}, {lse}, {maximum}, {sum}, {scale})",
    [AllTypesMatch<["lse", "maximum", "sum"]>]> {
  let summary = "`output /= sum`, `lse = scale * maximum + log(sum)`";
  let description = [{
    An empty row (sum 0) gives output 0 and lse -inf; a NaN sum gives NaN in
    both.
  }];
  let arguments = (ins TileFragInOut:$output, TileRowsOut:$lse,
                       TileRowsIn:$maximum, TileRowsIn:$sum, F32:$scale,
                       DefaultValuedAttr<BoolAttr, "false">:$bounded);
  let assemblyFormat = [{
    $output `,` $lse `,` $maximum `,` $sum `scale` $scale attr-dict `:`
    type($output) `,` type($lse)
  }];
}

#endif  // GSA_TILE_MATH_OPS_TD
