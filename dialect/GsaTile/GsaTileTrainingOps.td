//===- GsaTileTrainingOps.td - what trains the indexer ---------*- tablegen -*-===//
//
// The rows of a fragment are heads of one query, its columns are entries of the
// query's list, as in GsaTileScoreOps.td.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TILE_TRAINING_OPS_TD
#define GSA_TILE_TRAINING_OPS_TD

include "dialect/GsaTile/GsaTileSelectOps.td"

def GsaTile_LogSumColumnsOp : GsaTile_Op<"log_sum_columns",
    "log_sum_columns<{heads}>({sums}, {products}, {lse}, {row}, {scale})"> {
  let summary = "Adds the weights of heads to a logarithm for each column";
  let description = [{
    With `x[h] = products[h, c] * scale - lse[row, h]`, number i of lane l, that of
    column c = 32 i + l, becomes `log(exp(sums) + sum over h of exp(x[h]))` for h
    below `heads`: in logarithms, since an lse may be that of other keys. A head
    whose lse or product, scaled, is -inf adds nothing; NaN and a product of +inf
    make the column NaN. exp is ex2.approx.
    Constraints: (C1) products are f32 of layout `acc`, 16 rows and a multiple of
    32 columns; (C2) sums are lanes of columns / 32 f32; (C3) `heads` is from 1 to
    16, lse is a tile of f32 with as many columns.
  }];
  let arguments = (ins TileLanesInOut:$sums, TileFragIn:$products,
                       TileSmemIn:$lse, Index:$row, F32:$scale,
                       I64Attr:$heads);
  let assemblyFormat = [{
    $sums `,` $products `heads` $heads `less` $lse `[` $row `]` `scale` $scale
    attr-dict `:` type($sums) `,` type($products) `less` type($lse)
  }];
  let hasVerifier = 1;
}

def GsaTile_SlopeOp : GsaTile_Op<"slope", "slope<{activation}>({target}, {source})",
    [AllTypesMatch<["target", "source"]>]> {
  let summary = "`target[r, c] = act'(source[r, c])`";
  let description = [{
    Of `sigmoid` s(x) s(-x), by one ex2.approx of -|x| log2 e, so that a slope of
    large numbers is no difference of near ones; of `relu` 1 where x > 0, NaN where
    x is, and 0 elsewhere; of `identity` 1.
    Constraints: (C1) the activation is one of these; (C2) the fragments are f32 of
    layout `acc`.
  }];
  let arguments = (ins TileFragOut:$target, TileFragIn:$source,
                       GsaTile_ActivationAttr:$activation);
  let assemblyFormat = [{
    $source `to` $target $activation attr-dict `:` type($source)
  }];
  let hasVerifier = 1;
}

def GsaTile_WeighColumnsOp : GsaTile_Op<"weigh_columns",
    "weigh_columns({frag}, {cells}, {view}, {first})",
    [MemoryEffects<[MemRead<GsaTile_Shared>, MemRead<GsaTile_Global>]>]> {
  let summary = "`frag[r, c] *= cells[first + c]` where that row of a view exists";
  let description = [{
    Elsewhere the column becomes 0, whatever it holds, and no cell is read.
    Constraint: (C1) the fragment is f32 of layout `acc`, the cells are f32.
  }];
  let arguments = (ins TileFragInOut:$frag, TileGlobalIn:$cells,
                       GsaTile_RowsType:$view, Index:$first);
  let assemblyFormat = [{
    $frag `,` $cells `where` $view `[` $first `]` attr-dict `:` type($frag) `,`
    type($cells) `where` type($view)
  }];
  let hasVerifier = 1;
}

#endif  // GSA_TILE_TRAINING_OPS_TD
