//===- GsaPagedOps.td - caches in pages ------------------------*- tablegen -*-===//
//
// Keys and values of a sequence that lie in pages of a pool which many
// sequences share, as serving engines keep them.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSAPAGEDOPS_TD
#define GSA_DIALECT_GSAPAGEDOPS_TD

include "dialect/Gsa/GsaAttrs.td"

/// Pages of rows, or rows: with heads, or of one head without a dimension.
def Gsa_PagedTensor : TensorRankOf<[F16, BF16, F32, F64], [3, 4]>;

def Gsa_PagedRowsOp : Gsa_Op<"paged_rows", ["", "B N"], [""]> {
  let summary = "Rows of sequences from the pages of a pool";
  let description = [{
    With page = the rows of a page:

    ```
    rows[b,s] = pool[table[b, s / page], s mod page]
    ```

    Where the table has a number outside [0, P), the rows of that page are NaN:
    a selection sees none of them and counts them in `status`, attention over
    them is NaN. Pages may be in the table more than once, also of several
    sequences. With `heads_first`, the rows of one head lie together in a page.

    A value, not a copy: kernels of a GPU read the pages, and nothing of a page
    behind the `lengths` of the op that reads the rows; what its part of the
    table and its rows hold changes nothing. There, rows are read by gsa.select,
    gsa.index_scores and the attention ops, each at its `key` or `value`.

    Constraints:
    - (C1) shapes: pool [P,page,G,D] or [P,page,D], or with `heads_first`
      [P,G,page,D]; table [B,N]; rows [B,N*page,G,D] or [B,N*page,D].
    - (C2) a page has at least 1 row.
    - (C3) `heads_first` is for a pool of rank 4.

    Example: test/dialect/gsa/ops.mlir.
  }];
  let arguments = (ins Gsa_PagedTensor:$pool, Gsa_IndexTensor<2>:$table,
                       UnitAttr:$heads_first);
  let results = (outs Gsa_PagedTensor:$rows);
  let assemblyFormat = [{
    $pool `,` $table attr-dict `:` functional-type(operands, results)
  }];
  let extraOpDeclaration = [{
    /// The dimension of `pool` that counts the rows of a page.
    int64_t getRowDim() { return getHeadsFirst() ? 2 : 1; }
    /// Rows of a page, or ShapedType::kDynamic.
    int64_t getPage() { return getPool().getType().getDimSize(getRowDim()); }
    /// The op that makes `rows`, or null.
    static PagedRowsOp of(::mlir::Value rows) {
      return rows.getDefiningOp<PagedRowsOp>();
    }
  }];
}

#endif  // GSA_DIALECT_GSAPAGEDOPS_TD
