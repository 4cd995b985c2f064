//===- RowStorage.h - where rows of keys and values lie --------*- C++ -*-===//
//
// Keys and values are rows one behind the other, or the rows of a
// gsa.paged_rows, in pages of a pool. Kernels make a view of one or of the
// other; nothing else of them differs.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_ROWSTORAGE_H
#define GSA_PASSES_GSATOTILE_ROWSTORAGE_H

#include "dialect/Gsa/GsaOps.h"
#include "passes/gsa_to_tile/KernelScalars.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa {

/// The host side of an operand [B, Sk, G, D] or [B, Sk, D], whose G is then 1.
struct RowStorage {
  Value
      buffer;  ///< Its array; of a pool from the first element on that counts.
  int64_t rows = 0;    ///< Sk.
  int64_t groups = 1;  ///< G.
  int64_t depth = 0;   ///< D.

  /// Buffer [B, pagesOfTable] of i32, and the tensor that it is of; null: rows
  /// lie one behind the other, and what follows is not used.
  Value table, tableTensor;
  int64_t pagesOfTable = 0, pages = 0;  ///< N, P.
  int64_t page = 1;                     ///< Rows of a page.
  int64_t pitch = 0, groupPitch = 0;    ///< Elements.
  int64_t apart = 1;                    ///< From page to page, in pitches.
  /// What all rows begin at multiples of, in elements.
  int64_t unit = 0;

  bool isPaged() const { return table != nullptr; }
  /// Elements from which vectors of copies follow.
  int64_t vectorUnit() const { return isPaged() ? unit : depth; }
  /// Whether row s of both has the same number in both.
  bool sharesNumbers(const RowStorage& other) const;
};

/// That of `tensor`, whose shape is static and whose pages are checked.
RowStorage getRowStorage(Value tensor, ToTileContext& context);

/// Fails, with an error, for pages that no view has: of a pool whose elements
/// or pages are not evenly apart, or whose rows are read by what has no kernel
/// for them.
LogicalResult checkPages(PagedRowsOp op);

/// What kernels that read `tensor` follow from beside its type: how its pages
/// lie; null for rows one behind the other.
Attribute describePages(Value tensor);

/// The kernel side.
class KernelRows {
 public:
  KernelRows() = default;
  /// Adds the arguments of `storage`: `name`, and for pages the table, its
  /// pages and those of the pool. A table that `other` has is not passed again.
  KernelRows(KernelBuilder& kernel, const RowStorage& storage, StringRef name,
             const KernelRows* other = nullptr);

  bool isPaged() const { return storage.isPaged(); }
  bool sharesNumbers(const KernelRows& other) const {
    return storage.sharesNumbers(other.storage);
  }

  /// Where column `column` of the rows of a group, or of all, begins, from
  /// which views count: of rows one behind the other, `keys` in each batch, at
  /// row `first` (null: 0) of `batch`.
  Value base(KernelScalars& s, Value batch, Value group, int64_t column,
             Value keys, Value first = {}) const;
  /// Every `step`-th row of `batch` below `limit` positions.
  Value view(KernelScalars& s, Value base, Value batch, int64_t step,
             Value limit) const;
  /// Rows that the first `end` entries of a list name, below `limit`.
  Value listed(KernelScalars& s, Value base, Value batch, Value list, Value end,
               Value limit) const;

  /// Views that have the same rows as the two above, as far as they exist or
  /// not: for masks, which look up no page.
  Value maskView(KernelScalars& s, Value base, Value limit) const;
  Value maskListed(KernelScalars& s, Value base, Value list, Value end,
                   Value limit) const;

  Value array;  ///< The argument.

 private:
  Value tableRow(KernelScalars& s, Value batch) const;

  RowStorage storage;
  Value table, pagesOfTable, pages;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_ROWSTORAGE_H
