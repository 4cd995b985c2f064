//===- RowSelect.cpp - the k best cells of a row --------------------------===//
//
// The threshold is the k-th largest key. A histogram of linear bins over the
// row's range says in which bin it lies: scores are spread evenly in value, not
// in the bits of floats, so that few cells share its bin. If those and the ones
// above, which are certain to be selected, fit into shared memory, a third and
// last pass over the row keeps them in its order: radix passes over their keys
// give the threshold, and the selected ones are written from there. If they do
// not fit, all of this goes over the row. Every warp writes the positions of
// its segment; equal keys count from the row's start, so that ties keep the
// smallest positions.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/RowEmitter.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

RowEmitter::Forced RowEmitter::forcedCells(const RowScanResult& scan,
                                           const SelectionTarget& selection) {
  Forced forced;
  forced.sink = kernel.index(selection.sink);
  forced.local = kernel.index(std::numeric_limits<int32_t>::max());
  if (selection.local == 0) return forced;
  Value begin = sub(scan.end, kernel.index(selection.local));
  forced.local =
      arith::MaxSIOp::create(builder(), location(), begin, kernel.index(0));
  return forced;
}

Value RowEmitter::clampBudget(Value k, const SelectionTarget& selection) {
  return named(max(min(k, toI32(selection.slots)), i32(0)), "k");
}

RowEmitter::Cut RowEmitter::allocateCut(int64_t bins, int64_t capacity) {
  Type i32Type = builder().getI32Type();
  Cut cut;
  cut.tile = named(smem(1, 3, i32Type), "cut");
  cut.found = named(smem(1, 4, i32Type), "found");
  cut.histogram = named(smem(1, bins, i32Type), "histogram");
  cut.keys = named(smem(1, capacity, i32Type), "kept_keys");
  cut.cells = named(smem(1, capacity, i32Type), "kept_cells");
  return cut;
}

Value RowEmitter::selectCells(const RowScanResult& scan, Value k,
                              const SelectionTarget& selection) {
  k = clampBudget(k, selection);
  Value count = named(min(k, scan.visible), "count");
  Forced forced = forcedCells(scan, selection);
  Cut cut = allocateCut(schedule.getBins(), schedule.getCapacity());
  emitCut(scan.visible, k, i32(0), cut,
          [&] { emitThreshold(scan, k, cut, forced); });
  emitIndices(selection, cut, forced);
  Value end = toIndex(count);
  if (selection.order == IndexOrder::Score) emitSort(selection, end);
  FillSpanOp::create(builder(), location(), selection.indices, end,
                     selection.slots, i32(-1), kernel.team());
  return count;
}

void RowEmitter::emitCut(Value cells, Value k, Value kept, const Cut& cut,
                         llvm::function_ref<void()> emitThreshold) {
  Value hasChoice = arith::AndIOp::create(builder(), location(),
                                          cmpi(CmpIPredicate::sgt, cells, k),
                                          cmpi(CmpIPredicate::sgt, k, i32(0)));
  ifThen(hasChoice, emitThreshold, [&] {
    // All visible keys are above 0; none is above 2^32 - 1.
    byFirstWarp([&] {
      Value none = cmpi(CmpIPredicate::eq, k, i32(0));
      storeShared(cut.tile, 0, select(none, i32(-1), i32(0)));
      storeShared(cut.tile, 1, i32(0));
      storeShared(cut.tile, 2, kept);
    });
  });
  sync();
}

/// Leaves the k-th largest key and the number of cells equal to it that are
/// taken in `cut.tile`, written by the first warp. 1 <= k < visible.
void RowEmitter::emitThreshold(const RowScanResult& scan, Value k,
                               const Cut& cut, const Forced& forced) {
  Kept kept = emitBin(scan, k, cut, forced);
  emitExactKey(scan, k, kept, cut, forced);
}

/// Finds the bin of the k-th largest cell.
RowEmitter::Kept RowEmitter::emitBin(const RowScanResult& scan, Value k,
                                     const Cut& cut, const Forced& forced) {
  OpBuilder& b = builder();
  Location loc = location();
  int64_t bins = schedule.getBins();
  ClearSharedOp::create(b, loc, cut.histogram, kernel.team());
  sync();
  forCells([&](Value begin) {
    HistogramRowOp::create(b, loc, cut.histogram, scores, begin, limit,
                           stepCells(), scan.low, scan.high, forced.sink,
                           forced.local);
  });
  sync();
  byFirstWarp(
      [&] { FindRankOp::create(b, loc, cut.found, cut.histogram, k, bins); });
  sync();
  Kept kept;
  kept.bin = named(loadShared(cut.found, 0), "kept_bin");
  kept.count = named(add(loadShared(cut.found, 1), loadShared(cut.found, 2)),
                     "kept_count");
  kept.fits = named(cmpi(CmpIPredicate::sle, kept.count,
                         i32(static_cast<int32_t>(schedule.getCapacity()))),
                    "kept_fits");
  return kept;
}

void RowEmitter::emitExactKey(const RowScanResult& scan, Value k,
                              const Kept& kept, const Cut& cut,
                              const Forced& forced) {
  startCut(k, select(kept.fits, kept.count, i32(0)), cut);
  ifThen(kept.fits, [&] { emitKeep(scan, kept, cut, forced); });
  emitDigits(kept, cut, forced);
}

void RowEmitter::startCut(Value k, Value kept, const Cut& cut) {
  byFirstWarp([&] {
    storeShared(cut.tile, 0, i32(0));
    storeShared(cut.tile, 1, k);
    storeShared(cut.tile, 2, kept);
  });
}

void RowEmitter::emitDigits(const Kept& kept, const Cut& cut,
                            const Forced& forced) {
  step(kernel.index(0), kernel.index(kDigits), kernel.index(1),
       [&](Value round) { emitRadixRound(round, kept, cut, forced); });
}

/// Appends the cells to keep to `cut.keys` and `cut.cells`, in the order of the
/// row: all warps count those of a step, meet and append. Every second step has
/// the same counts, so that one barrier a step is enough, and the scores of the
/// next step are under way while the warps meet.
void RowEmitter::emitKeep(const RowScanResult& scan, const Kept& kept,
                          const Cut& cut, const Forced& forced) {
  OpBuilder& b = builder();
  Location loc = location();
  const int64_t numbers = stepCells() / 32;
  Value values = named(lanes(numbers, b.getF32Type()), "next_scores");
  Value marked = named(lanes(numbers, b.getF32Type()), "marked");
  Value total = named(lanes(1, b.getI32Type()), "kept_so_far");
  Value counts =
      named(smem(2, schedule.getWarps(), b.getI32Type()), "counts_of_warps");
  Value round = kernel.index(stepCells() * schedule.getWarps());
  Value first = named(mul(warp, kernel.index(stepCells())), "first_cell");
  auto load = [&](Value begin) {
    LoadScoresOp::create(b, loc, values, scores, begin, limit, stepCells());
  };
  load(first);
  // The same iterations in all warps: they meet in each.
  step(kernel.index(0), limit, round, [&](Value iteration) {
    Value begin = named(add(iteration, first), "begin");
    Value number = arith::DivUIOp::create(b, loc, iteration, round);
    Value slot = named(arith::RemUIOp::create(b, loc, number, kernel.index(2)),
                       "parity");
    MarkScoresOp::create(b, loc, marked, values, counts, slot, warp, begin,
                         scan.low, scan.high, kept.bin, schedule.getBins(),
                         forced.sink, forced.local);
    load(add(begin, round));
    sync();
    KeepCellsOp::create(b, loc, cut.keys, cut.cells, total, marked, counts,
                        slot, warp, begin, forced.sink, forced.local);
  });
}

/// Extends the prefix of the threshold by its next 8 bits. At the start the
/// first warp wrote `cut.tile`, at the end it does so again.
void RowEmitter::emitRadixRound(Value round, const Kept& kept, const Cut& cut,
                                const Forced& forced) {
  OpBuilder& b = builder();
  Location loc = location();
  sync();
  Value prefix = named(loadShared(cut.tile, 0), "prefix");
  Value rank = named(loadShared(cut.tile, 1), "rank");
  Value digits = sub(kernel.index(kDigits - 1), round);
  Value shift = named(toI32(mul(digits, kernel.index(8))), "shift");
  ClearSharedOp::create(b, loc, cut.histogram, kernel.team());
  sync();
  auto overKept = [&] {
    RadixKeysOp::create(b, loc, cut.histogram, cut.keys,
                        mul(warp, kernel.index(32)), toIndex(kept.count),
                        kernel.index(32 * schedule.getWarps()), prefix, shift);
  };
  auto overRow = [&] {
    forCells([&](Value begin) {
      RadixRowOp::create(b, loc, cut.histogram, scores, begin, limit,
                         stepCells(), prefix, shift, forced.sink, forced.local);
    });
  };
  ifThen(kept.fits, overKept, overRow);
  sync();
  byFirstWarp([&] {
    FindRankOp::create(b, loc, cut.found, cut.histogram, rank, kDigitBins);
  });
  sync();
  byFirstWarp([&] {
    Value digit =
        arith::ShLIOp::create(b, loc, loadShared(cut.found, 0), shift);
    storeShared(cut.tile, 0, arith::OrIOp::create(b, loc, prefix, digit));
    storeShared(cut.tile, 1, sub(rank, loadShared(cut.found, 1)));
  });
}

void RowEmitter::inOrder(llvm::function_ref<void(Value)> count,
                         llvm::function_ref<void(Value)> emit) {
  OpBuilder& b = builder();
  Location loc = location();
  Type i32Type = b.getI32Type();
  Value cursor = named(lanes(2, i32Type), "cursor");
  if (schedule.getWarps() > 1) {
    Value counts = named(lanes(2, i32Type), "counts_of_segment");
    Value shared =
        named(smem(schedule.getWarps(), 2, i32Type), "segment_counts");
    count(counts);
    StoreTotalsOp::create(b, loc, shared, warp, counts);
    sync();
    for (int64_t i : {0, 1}) {
      Value before =
          SumRowsOp::create(b, loc, i32Type, shared, warp, kernel.index(i));
      SetLanesOp::create(b, loc, cursor, i, before);
    }
  }
  emit(cursor);
}

void RowEmitter::emitIndices(const SelectionTarget& selection, const Cut& cut,
                             const Forced& forced) {
  OpBuilder& b = builder();
  Location loc = location();
  Value threshold = named(loadShared(cut.tile, 0), "threshold");
  Value quota = named(loadShared(cut.tile, 1), "quota");
  Value kept = named(loadShared(cut.tile, 2), "kept");
  auto fromKept = [&] {
    Value stop = toIndex(kept);
    auto count = [&](Value counts) {
      forSegment(stop, stepKept(), [&](Value begin, Value end) {
        CountKeptOp::create(b, loc, counts, cut.keys, begin, end, stepKept(),
                            threshold);
      });
    };
    inOrder(count, [&](Value cursor) {
      forSegment(stop, stepKept(), [&](Value begin, Value end) {
        EmitKeptOp::create(b, loc, selection.indices, cursor, cut.keys,
                           cut.cells, begin, end, stepKept(), threshold, quota);
      });
    });
  };
  auto fromRow = [&] {
    auto count = [&](Value counts) {
      forSegment(limit, stepCells(), [&](Value begin, Value end) {
        CountRowOp::create(b, loc, counts, scores, begin, end, stepCells(),
                           threshold, forced.sink, forced.local);
      });
    };
    inOrder(count, [&](Value cursor) {
      forSegment(limit, stepCells(), [&](Value begin, Value end) {
        EmitRowOp::create(b, loc, selection.indices, cursor, scores, begin, end,
                          stepCells(), threshold, quota, forced.sink,
                          forced.local);
      });
    });
  };
  ifThen(cmpi(CmpIPredicate::sgt, kept, i32(0)), fromKept, fromRow);
}

/// Sorts the `count` indices by descending score.
void RowEmitter::emitSort(const SelectionTarget& selection, Value count) {
  OpBuilder& b = builder();
  Location loc = location();
  Type i32Type = b.getI32Type();
  int64_t size = llvm::PowerOf2Ceil(std::max<int64_t>(selection.numSlots, 2));
  Value keys = named(smem(1, size, i32Type), "sort_keys");
  Value cells = named(smem(1, size, i32Type), "sort_cells");
  sync();  // The indices come from other warps.
  TakeCandidatesOp::create(b, loc, keys, cells, scores, selection.indices,
                           count, kernel.team());
  sync();
  int64_t logSize = llvm::Log2_64(size);
  step(kernel.index(1), kernel.index(logSize + 1), kernel.index(1),
       [&](Value block) {
         step(kernel.index(0), block, kernel.index(1), [&](Value i) {
           Value stride = sub(sub(block, kernel.index(1)), i);
           SortStepOp::create(b, loc, keys, cells, block, stride,
                              kernel.team());
           sync();
         });
       });
  StoreCellsOp::create(b, loc, selection.indices, cells, count, kernel.team());
}
