//===- RowEmitter.h - kernels whose block handles a row --------*- C++ -*-===//
//
// Parts of the kernels of row_statistics, topk and select: the scan of a row of
// scores, its statistic and its k best cells. See dialect/GsaTile/
// GsaTileSelectOps.td for keys and forced cells.
//
// Warps share out a row in three ways. Where order does not matter they take
// steps in turn; where positions must come out ascending, each has one segment,
// or they take steps together and meet in each, if a row shall be read once.
// Which one it is never depends on where the row's visible cells end, so that
// sums in f64 are the same whether cells behind the end are visited or not.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_ROWEMITTER_H
#define GSA_PASSES_GSATOTILE_ROWEMITTER_H

#include <optional>

#include "passes/gsa_to_tile/KernelScalars.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa {

/// What a scan finds; scalars of the kernel.
struct RowScanResult {
  Value visible, nans;  ///< i32 counts.
  Value end;            ///< Position behind the last visible cell, index.
  Value low, high;      ///< Range of finite scores, f32; NaN if there are none.
};

/// Where the selection of a row goes.
struct SelectionTarget {
  Value indices;  ///< Address of the first slot.
  Value slots;    ///< index
  int64_t numSlots;
  int64_t sink = 0, local = 0;
  IndexOrder order = IndexOrder::Index;
  /// Address of f32, or null: what scores of selected candidates go to, each in
  /// its slot.
  Value scores = {};
  /// Address of i32, or null: candidates are positions in this list, whose
  /// entries are written. It may be the one at `indices`.
  Value list = {};
};

/// Pairs of cells and their scores; see dialect/GsaTile/GsaTileCandidateOps.td.
struct CandidateList {
  Value pairs;  ///< Address of the first one.
  Value count;  ///< index
  int64_t capacity;
  int64_t bins;  ///< Of the histogram of candidates.
  /// Largest number of cells of a row.
  int64_t keys;
  /// i1 or null: whether all cells are selected, whatever the list has.
  Value takesAll;
  /// `pairs` is instead a row of scores, all of its cells candidates.
  bool isRow = false;
};

/// Moments of the scores of a row, all of which are finite, for each span of
/// keys.
struct MomentList {
  Value sums, squares;  ///< Addresses of the first ones, f32.
  Value spans;          ///< index
  /// Null: the moments are those of the scores. Otherwise (f32) they are those
  /// of twice the score less this.
  Value weights;
};

/// Emits code for one row at the end of a kernel's body.
class RowEmitter : public KernelScalars {
 public:
  /// `scores` is the address of the row's first score, `end` (index) where its
  /// visible cells end at the latest; nothing behind it is read. Without scores
  /// there is no scan: of candidates.
  RowEmitter(KernelBuilder& kernel, Location loc, TopKScheduleAttr schedule,
             Value scores, Value end);

  /// First thing to emit.
  RowScanResult scan();

  /// The statistic of gsa.row_statistics as f32; `keys` is Sk as index.
  Value variance(const RowScanResult& scan, Population population,
                 int64_t correction, Value keys);
  Value entropy(const RowScanResult& scan);
  /// log(sum of exp(x)) of the visible scores as f32: -inf if there are none,
  /// NaN if a score is NaN or +inf.
  Value logSumExp(const RowScanResult& scan);
  /// The sum of `count` (index) cells as f32, added up in f64.
  Value sum(const RowScanResult& scan, Value count);
  /// That of a policy.
  Value statistic(const RowScanResult& scan, KPolicyAttr policy, Value keys);

  /// Writes the min(k, slots, visible) best cells and -1 behind them; `k` is
  /// i32. Returns how many.
  Value selectCells(const RowScanResult& scan, Value k,
                    const SelectionTarget& selection);

  /// The variance of a row whose cells before its end are all visible.
  /// `isSafe`: whether it is accurate, an i1. It is not if the mean of what the
  /// moments are of is many deviations from 0.
  Value variance(const MomentList& moments, Population population,
                 int64_t correction, Value keys, Value& isSafe);

  /// The `rank`-th largest score or a little less, the lowest float if there
  /// are fewer visible cells; the same in all warps.
  Value rankBound(const RowScanResult& scan, int64_t rank);

  /// A bound like that of rankBound, of `count` scores at `row`, `most` at
  /// most: they are read once, by ordinary loads, and stay in registers. Those
  /// that are not finite do not count.
  Value sampleBound(Value row, Value count, int64_t most, int64_t rank);

  /// Clears the shared memory for the candidates of a list of this capacity, of
  /// a row of at most `keys` cells. All warps run this and fetchCandidates.
  void prepareCandidates(int64_t capacity, int64_t bins, int64_t keys);

  /// Then: loads all that `list`, which need not have its count yet, has room
  /// for. The next selectCandidates is of this list and uses that.
  void fetchCandidates(const CandidateList& list);

  /// As selectCells for a row whose cells before its end are all visible.
  /// Those that are neither in the list nor forced are worse than those in the
  /// list, of which there are at least as many as are selected.
  Value selectCandidates(const CandidateList& list, Value k,
                         const SelectionTarget& selection);

  /// The same of a row, whose cells before its end are all in the list: `body`
  /// of how many are selected, or `otherwise` if a score is not finite. Its
  /// shared memory may have been prepared.
  void selectRow(const CandidateList& row, Value k,
                 const SelectionTarget& selection,
                 llvm::function_ref<void(Value)> body,
                 llvm::function_ref<void()> otherwise);

  /// `if (this is the first warp) body()`.
  void byFirstWarp(llvm::function_ref<void()> body);

 private:
  struct Forced {
    Value sink, local;
    /// Of candidates: no cell from here on is forced, and how many are.
    Value end = {}, count = {};
  };
  /// The candidates of a row, with the shared memory of their selection.
  struct Candidates {
    Value bitmap, histogram, range, found;
    Value scores, cells;  ///< Lanes.
    Value low, high;      ///< Range of the scores.
    int64_t bins;
  };
  /// Shared memory: threshold, number of equal cells to take and number of
  /// kept cells, 0 if they did not fit; the kept cells; what finds them.
  struct Cut {
    Value tile, keys, cells, found, histogram;
  };
  /// Cells at or above the threshold's bin, and whether they fit.
  struct Kept {
    Value bin, count, fits;
  };

  Value smem(int64_t rows, int64_t columns, Type elementType);
  Value lanes(int64_t size, Type elementType);
  void sync();
  /// A loop that stays one: steps have their own loads in flight.
  void step(Value begin, Value end, Value stride,
            llvm::function_ref<void(Value)> body);
  Value loadShared(Value tile, int64_t column);
  void storeShared(Value tile, int64_t column, Value value);

  /// Steps of all warps, in turn.
  void forCells(llvm::function_ref<void(Value)> body);
  /// Steps of `columns` of this warp's segment of [0, limit): body(begin, end
  /// of the segment).
  void forSegment(Value limit, int64_t columns,
                  llvm::function_ref<void(Value, Value)> body);
  /// The sum of what `body(sum, begin)` adds to a lanes<1xf64>, over the row.
  Value total(llvm::function_ref<void(Value, Value)> body);

  Forced forcedCells(const RowScanResult& scan,
                     const SelectionTarget& selection);
  Cut allocateCut(int64_t bins, int64_t capacity);
  Value clampBudget(Value k, const SelectionTarget& selection);
  /// emitThreshold() if only `k` of `cells` cells are taken; otherwise a cut
  /// below all of them, `kept` of which are in shared memory.
  void emitCut(Value cells, Value k, Value kept, const Cut& cut,
               llvm::function_ref<void()> emitThreshold);
  void emitThreshold(const RowScanResult& scan, Value k, const Cut& cut,
                     const Forced& forced);
  Kept emitBin(const RowScanResult& scan, Value k, const Cut& cut,
               const Forced& forced);
  void emitExactKey(const RowScanResult& scan, Value k, const Kept& kept,
                    const Cut& cut, const Forced& forced);
  void startCut(Value k, Value kept, const Cut& cut);
  void emitDigits(const Kept& kept, const Cut& cut, const Forced& forced);
  Value hasNan(const RowScanResult& scan);
  Value orNan(Value isNan, Value value);
  Value finishVariance(Value squares, Value count, int64_t correction);
  void sumOfSpans(Value first, const MomentList& moments, Value shared,
                  int64_t row);
  Value binEdge(Value low, Value high, Value bin);
  /// The ends of the range that load_candidates and load_row leave in shared
  /// memory.
  Value lowOfRange(Value range);
  Value highOfRange(Value range);
  Forced takeForced(const CandidateList& list, const SelectionTarget& selection,
                    Value count);
  Candidates makeCandidates(const CandidateList& list);
  Candidates loadCandidates(const CandidateList& list, const Forced& forced);
  Kept findCandidateBin(const Candidates& row, Value rank);
  void placeCandidates(const Candidates& row, const Forced& forced,
                       const CandidateList& list, Value count,
                       const SelectionTarget& selection);
  /// `scores` (null: not wanted) has their scores then.
  void emitMarked(const Candidates& row, const Forced& forced, Value selected,
                  Value scores);
  void emitKeep(const RowScanResult& scan, const Kept& kept, const Cut& cut,
                const Forced& forced);
  void emitRadixRound(Value round, const Kept& kept, const Cut& cut,
                      const Forced& forced);
  void emitIndices(const SelectionTarget& selection, const Cut& cut,
                   const Forced& forced);
  /// emit(cursor) behind what earlier warps count in count(counts).
  void inOrder(llvm::function_ref<void(Value)> count,
               llvm::function_ref<void(Value)> emit);
  void emitSort(const SelectionTarget& selection, Value count);

  /// Cells of one step of a warp, whose loads are in flight together, and kept
  /// cells of one: few, for segments of nearly equal length.
  int64_t stepCells() const { return schedule.getStep(); }
  int64_t stepKept() const { return schedule.getKeptStep(); }
  /// Digits of a key: four of 8 bits.
  static constexpr int64_t kDigits = 4, kDigitBins = 256;

  KernelBuilder& kernel;
  TopKScheduleAttr schedule;
  Value scores, limit, warp;
  std::optional<Candidates> fetched;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_ROWEMITTER_H
