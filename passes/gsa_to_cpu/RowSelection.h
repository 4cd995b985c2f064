//===- RowSelection.h - statistic, budget and top-k of one row -*- C++ -*-===//
//
// What gsa.select does with one row of scores once the score tile has computed
// it: the statistic of the policy, the budget, and the exact k largest.
//
// Top-k works on integers that are ordered like the scores:
//
//   not visible (hidden, NaN, -inf)   smallest integer
//   visible                           the score's bits, -0 as +0
//   forced (sink, local)              largest integer
//
// The k-th largest is found by bisection between the smallest and the largest
// integer of the row: each step counts the keys that are at least the middle.
// It ends early when the count is k, which it always is unless scores tie.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSA_TO_CPU_ROWSELECTION_H
#define GSA_PASSES_GSA_TO_CPU_ROWSELECTION_H

#include "passes/gsa_to_cpu/LoopEmitter.h"

namespace mlir::gsa {

/// What one pass over a row finds out.
struct RowScan {
  Value limit;     ///< index, number of cells looked at.
  Value visible;   ///< i32, cells greater than -inf.
  Value nans;      ///< i32
  Value sum;       ///< f64, over visible cells; null unless wanted.
  Value maximum;   ///< A, over visible cells; null unless wanted.
  Value low;       ///< Integer, smallest key of a visible cell.
  Value high;      ///< Integer, largest key.
  Value lastSeen;  ///< i32, last visible cell or -1; null unless wanted.
};

class RowSelection {
 public:
  /// `numKeys` is Sk, `stripSize` the length of a row of the strip.
  RowSelection(LoopEmitter& emitter, SelectOp op, const Size& numKeys,
               int64_t stripSize);

  /// Creates the scratch buffers of one task.
  void allocate();

  /// Reads cells [0, limit) of row `r` of `strip`. Cells that are not visible
  /// become -inf, and so does the rest of the last vector. With `keys` also
  /// fills the buffer of ordered integers.
  RowScan scan(Value strip, Value r, Value limit, bool keys);

  /// The policy's statistic; null for `fixed`.
  Value statistic(Value strip, Value r, const RowScan& scan);

  /// Budget of the row as i32, at most the number of slots.
  Value budget(const RowScan& scan, Value statistic, Value normaliser);

  /// Writes the indices of the `k` best cells to indices[batch][t].
  /// `k` <= scan.visible.
  void select(const RowScan& scan, Value k, Value indices, Value batch,
              Value t);

 private:
  struct Threshold {
    Value key;  ///< Cells with a larger key are kept.
    Value cut;  ///< Cells with this key are kept before this index (i32).
  };
  bool hasForcedKeys() const { return sink > 0 || local > 0; }
  Value orderedKey(Value score, Value visible);
  Value variance(Value strip, Value r, const RowScan& scan);
  Value entropy(Value strip, Value r, const RowScan& scan);
  Value sumVisible(Value strip, Value r, Value limit, Type type,
                   llvm::function_ref<Value(Value, Value)> accumulate);
  Value forceRange(Value begin, Value end);
  Value markForced(const RowScan& scan);
  Threshold findThreshold(const RowScan& scan, Value k, Value numForced);
  Value countAtLeast(Value limit, Value key);
  Value findCut(Value limit, Value key, Value quota);
  Value compact(Value limit, const Threshold& threshold);
  void writeIndices(Value count, Value indices, Value batch, Value t);

  LoopEmitter& e;
  KPolicyAttr policy;
  Size numKeys;
  int64_t stripSize, slots, sink, local;
  IntegerType keyType;         ///< As wide as A.
  int64_t keyNone, keyForced;  ///< Smallest and largest key.
  Value keyRow;                ///< [stripSize] of keyType.
  Value indexRow;              ///< [slots + lanes] of i32.
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSA_TO_CPU_ROWSELECTION_H
