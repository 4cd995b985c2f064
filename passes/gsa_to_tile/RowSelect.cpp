//===- RowSelect.cpp - the k best cells of a row --------------------------===//
//
// The threshold is the k-th largest key. A histogram of linear bins over the
// row's range says in which bin it lies: scores are spread evenly in value, not
// in the bits of floats, so that few cells share its bin. These are resolved by
// radix passes over their keys, from shared memory if they fit, else from the
// row. Then every warp writes the positions of its segment; equal keys count
// from the row's start, so that ties keep the smallest positions.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/RowEmitter.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

/// Digits of a key: four of 8 bits.
static constexpr int64_t kDigits = 4, kDigitBins = 256;

RowEmitter::Forced RowEmitter::forcedCells(const RowScanResult& scan,
                                           const RowSelection& selection) {
  Forced forced;
  forced.sink = kernel.index(selection.sink);
  forced.local = kernel.index(std::numeric_limits<int32_t>::max());
  if (selection.local == 0) return forced;
  Value begin = sub(scan.end, kernel.index(selection.local));
  forced.local =
      arith::MaxSIOp::create(builder(), location(), begin, kernel.index(0));
  return forced;
}

Value RowEmitter::selectCells(const RowScanResult& scan, Value k,
                              const RowSelection& selection) {
  OpBuilder& b = builder();
  Location loc = location();
  Type i32Type = b.getI32Type();
  Value slots = toI32(selection.slots);
  k = arith::MaxSIOp::create(b, loc, arith::MinSIOp::create(b, loc, k, slots),
                             i32(0));
  Value count = arith::MinSIOp::create(b, loc, k, scan.visible);
  Forced forced = forcedCells(scan, selection);

  Cut cut;
  cut.tile = smem(1, 2, i32Type);
  cut.found = smem(1, 4, i32Type);
  cut.count = smem(1, 1, i32Type);
  cut.histogram = smem(1, schedule.getBins(), i32Type);
  cut.keys = smem(1, schedule.getCapacity(), i32Type);
  Value hasChoice =
      arith::AndIOp::create(b, loc, cmpi(CmpIPredicate::sgt, scan.visible, k),
                            cmpi(CmpIPredicate::sgt, k, i32(0)));
  ifThen(
      hasChoice, [&] { emitThreshold(scan, k, cut, forced); },
      [&] {
        // All visible keys are above 0; none is above 2^32 - 1.
        byFirstWarp([&] {
          Value none = cmpi(CmpIPredicate::eq, k, i32(0));
          storeShared(cut.tile, 0, select(none, i32(-1), i32(0)));
          storeShared(cut.tile, 1, i32(0));
        });
      });
  sync();
  emitIndices(selection, loadShared(cut.tile, 0), loadShared(cut.tile, 1),
              forced);
  Value end = toIndex(count);
  if (selection.order == IndexOrder::Score) emitSort(selection, end);
  FillSpanOp::create(b, loc, selection.indices, end, selection.slots, i32(-1),
                     kernel.team());
  return count;
}

/// Leaves the k-th largest key and the number of cells equal to it that are
/// taken in `cut.tile`, written by the first warp. 1 <= k < visible.
void RowEmitter::emitThreshold(const RowScanResult& scan, Value k,
                               const Cut& shared, const Forced& forced) {
  OpBuilder& b = builder();
  Location loc = location();
  Cut cut = shared;
  int64_t bins = schedule.getBins();
  ClearSharedOp::create(b, loc, cut.histogram, kernel.team());
  ClearSharedOp::create(b, loc, cut.count, kernel.team());
  sync();
  forCells([&](Value begin) {
    HistogramRowOp::create(b, loc, cut.histogram, scores, begin, limit,
                           kStepCells, scan.low, scan.high, forced.sink,
                           forced.local);
  });
  sync();
  byFirstWarp(
      [&] { FindRankOp::create(b, loc, cut.found, cut.histogram, k, bins); });
  sync();
  Value bin = loadShared(cut.found, 0), above = loadShared(cut.found, 1);
  cut.population = loadShared(cut.found, 2);
  Value fits = cmpi(CmpIPredicate::sle, cut.population,
                    i32(static_cast<int32_t>(schedule.getCapacity())));
  ifThen(fits, [&] {
    forCells([&](Value begin) {
      CollectRowOp::create(b, loc, cut.keys, cut.count, scores, begin, limit,
                           kStepCells, scan.low, scan.high, bin, bins,
                           forced.sink, forced.local);
    });
  });
  byFirstWarp([&] {
    storeShared(cut.tile, 0, i32(0));
    // Without the collected keys the whole row is ranked.
    storeShared(cut.tile, 1, select(fits, sub(k, above), k));
  });
  step(kernel.index(0), kernel.index(kDigits), kernel.index(1),
       [&](Value round) { emitRadixRound(round, cut, forced); });
}

/// Extends the prefix of the threshold by its next 8 bits. At the start the
/// first warp wrote `cut.tile`, at the end it does so again.
void RowEmitter::emitRadixRound(Value round, const Cut& cut,
                                const Forced& forced) {
  OpBuilder& b = builder();
  Location loc = location();
  sync();
  Value prefix = loadShared(cut.tile, 0), rank = loadShared(cut.tile, 1);
  Value digits = sub(kernel.index(kDigits - 1), round);
  Value shift = toI32(mul(digits, kernel.index(8)));
  ClearSharedOp::create(b, loc, cut.histogram, kernel.team());
  sync();
  Value fits = cmpi(CmpIPredicate::sle, cut.population,
                    i32(static_cast<int32_t>(schedule.getCapacity())));
  ifThen(
      fits,
      [&] {
        RadixKeysOp::create(
            b, loc, cut.histogram, cut.keys, mul(warp, kernel.index(32)),
            toIndex(cut.population), kernel.index(32 * schedule.getWarps()),
            prefix, shift);
      },
      [&] {
        forCells([&](Value begin) {
          RadixRowOp::create(b, loc, cut.histogram, scores, begin, limit,
                             kStepCells, prefix, shift, forced.sink,
                             forced.local);
        });
      });
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

void RowEmitter::emitIndices(const RowSelection& selection, Value threshold,
                             Value quota, const Forced& forced) {
  OpBuilder& b = builder();
  Location loc = location();
  Type i32Type = b.getI32Type();
  Value cursor = lanes(2, i32Type);
  if (schedule.getWarps() > 1) {
    Value counts = lanes(2, i32Type);
    Value shared = smem(schedule.getWarps(), 2, i32Type);
    forSegment([&](Value begin, Value end) {
      CountRowOp::create(b, loc, counts, scores, begin, end, kStepCells,
                         threshold, forced.sink, forced.local);
    });
    StoreTotalsOp::create(b, loc, shared, warp, counts);
    sync();
    for (int64_t i : {0, 1}) {
      Value before =
          SumRowsOp::create(b, loc, i32Type, shared, warp, kernel.index(i));
      SetLanesOp::create(b, loc, cursor, i, before);
    }
  }
  forSegment([&](Value begin, Value end) {
    EmitRowOp::create(b, loc, selection.indices, cursor, scores, begin, end,
                      kStepCells, threshold, quota, forced.sink, forced.local);
  });
}

/// Sorts the `count` indices by descending score.
void RowEmitter::emitSort(const RowSelection& selection, Value count) {
  OpBuilder& b = builder();
  Location loc = location();
  Type i32Type = b.getI32Type();
  int64_t size = llvm::PowerOf2Ceil(std::max<int64_t>(selection.numSlots, 2));
  Value keys = smem(1, size, i32Type), cells = smem(1, size, i32Type);
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
