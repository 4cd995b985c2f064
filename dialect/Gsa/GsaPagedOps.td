//===- GsaPagedOps.td - caches in pages ------------------------*- tablegen -*-===//
//
// Keys and values of a sequence that lie in pages of a pool which many
// sequences share, as serving engines keep them: reading them, and writing the
// tokens of a step.
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

def Gsa_AppendRowsOp : Gsa_Op<"append_rows", ["", "", "B N", "B", "B"], [""],
                              [AttrSizedOperandSegments]> {
  let summary = "A cache with the rows of a step in it";
  let description = [{
    The cache, but for the place of each row that has one. With a `table` the
    cache is a pool of pages, as that of gsa.paged_rows; without one it is the
    rows of each sequence. Row t of the T new ones of sequence b is row

    ```
    s = lengths[b] - T + t
    ```

    of the sequence: `lengths` are those behind the step, and so those of the
    selection and the attention that follow. The row has no place, and is left
    out, where

    - s is negative, or behind the last row that the cache has for a sequence:
      `room`, or N * page;
    - the table has a number outside [0, P) for its page;
    - t < T - counts[b]: of a sequence with fewer new tokens than T, only the
      last `counts[b]` rows are appended. All of them where `counts` is absent
      or says more, none where it says 0 or less.

    Elements are moved, not computed: bits stay what they are. Where two rows
    have one place, because sequences share the page that both append to, it is
    not specified which of the two an element is of; nothing else of the cache
    changes.

    A value, as all results are: `cache` keeps what it held. Whether memory is
    copied is the caller's to say, by `gsa.updates` on a result of the function.

    Constraints:
    - (C1) shapes: rows [B,T,G,D] or [B,T,D]; with `table` [B,N] cache
      [P,page,G,D] or [P,page,D], or with `heads_first` [P,G,page,D]; without
      it [B,room,G,D] or [B,room,D], or with `heads_first` [B,G,room,D];
      lengths and counts [B]; updated is shaped like cache.
    - (C2) rows and cache have one element type.
    - (C3) `heads_first` is for a cache of rank 4.
    - (C4) with `table`, a page has at least 1 row.

    Example: test/dialect/gsa/ops.mlir.
  }];
  let arguments = (ins Gsa_PagedTensor:$rows, Gsa_PagedTensor:$cache,
                       Optional<Gsa_IndexTensor<2>>:$table,
                       Gsa_IndexTensor<1>:$lengths,
                       Optional<Gsa_IndexTensor<1>>:$counts,
                       UnitAttr:$heads_first);
  let results = (outs Gsa_PagedTensor:$updated);
  let assemblyFormat = [{
    $rows `to` $cache (`,` $table^)? `lengths` $lengths (`counts` $counts^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let extraOpDeclaration = [{
    /// The dimension of `cache` that counts the rows of a page, or those of a
    /// sequence without a table.
    int64_t getRowDim() { return getHeadsFirst() ? 2 : 1; }
    /// Rows of a page or of a sequence, or ShapedType::kDynamic.
    int64_t getPage() { return getCache().getType().getDimSize(getRowDim()); }
  }];
}

#endif  // GSA_DIALECT_GSAPAGEDOPS_TD
