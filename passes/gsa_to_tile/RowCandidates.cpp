//===- RowCandidates.cpp - the k best cells of a list ---------------------===//
//
// The bound of a row from a sample of its scores, and the selection among the
// candidates that are above it. Candidates come in any order. A bitmap of their
// cells gives each its place in the order of the row; from there on they are
// the kept cells of RowSelect.cpp.
//
//===----------------------------------------------------------------------===//

#include <algorithm>
#include <limits>

#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/RowEmitter.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

/// Words of a bitmap of one step of a warp.
static constexpr int64_t kStepWords = 64;
/// Up to this ratio of mean square and variance, moments give a variance.
static constexpr double kSafeRatio = 64;

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

/// The least score of a bin, up to rounding: the inverse of linear_bins of the
/// device library.
Value RowEmitter::binEdge(const RowScanResult& scan, Value bin) {
  Type f32Type = builder().getF32Type();
  Value begin = mul(scan.low, f32(0.5));
  Value span = sub(mul(scan.high, f32(0.5)), begin);
  span = select(cmpf(CmpFPredicate::OGT, span, f32(0.0)), span, f32(1.0));
  Value width = div(span, f32(static_cast<double>(schedule.getBins()) - 2.25));
  Value half = add(mul(toFloat(bin, f32Type), width), begin);
  return add(half, half);
}

Value RowEmitter::rankBound(const RowScanResult& scan, int64_t rank) {
  Type f32Type = builder().getF32Type();
  Value wanted = i32(static_cast<int32_t>(rank));
  Value shared = named(smem(1, 1, f32Type), "bound");
  byFirstWarp([&] {
    storeShared(shared, 0, f32(std::numeric_limits<float>::lowest()));
  });
  ifThen(cmpi(CmpIPredicate::sge, scan.visible, wanted), [&] {
    Forced forced{kernel.index(0),
                  kernel.index(std::numeric_limits<int32_t>::max())};
    Cut cut = allocateCut(schedule.getBins(), schedule.getCapacity());
    Kept kept = emitBin(scan, wanted, cut, forced);
    // A bound below a few more cells is as good. Where many share a bin, as in
    // rows with scores far from the others, the exact key is worth its time.
    Value crowd = named(loadShared(cut.found, 2), "cells_of_bin");
    Value few = i32(static_cast<int32_t>(std::max<int64_t>(rank / 16, 1)));
    ifThen(
        cmpi(CmpIPredicate::sle, crowd, few),
        [&] {
          byFirstWarp([&] { storeShared(shared, 0, binEdge(scan, kept.bin)); });
        },
        [&] {
          emitExactKey(scan, wanted, kept, cut, forced);
          byFirstWarp([&] {
            Value key = KeyValueOp::create(builder(), location(), f32Type,
                                           loadShared(cut.tile, 0));
            storeShared(shared, 0, key);
          });
        });
  });
  sync();
  return named(loadShared(shared, 0), "bound_of_row");
}

//===----------------------------------------------------------------------===//
// Moments
//===----------------------------------------------------------------------===//

/// The sum over spans in f64, by the first warp, to a row of `shared`.
void RowEmitter::sumOfSpans(Value first, const MomentList& moments,
                            Value shared, int64_t row) {
  OpBuilder& b = builder();
  Value sums = named(lanes(1, b.getF64Type()), "sums");
  step(kernel.index(0), moments.spans, kernel.index(kStepCells),
       [&](Value begin) {
         SumRowOp::create(b, location(), sums, first, begin, moments.spans,
                          kStepCells);
       });
  StoreTotalsOp::create(b, location(), shared, kernel.index(row), sums);
}

/// From sum x and sum x^2, of which the difference loses as much as the mean is
/// larger than the deviation. The sums of a lane and a span are in f32, those
/// of all lanes and spans in f64: together they are off by less than 2^-22.
Value RowEmitter::variance(const MomentList& moments, Population population,
                           int64_t correction, Value keys, Value& isSafe) {
  OpBuilder& b = builder();
  Location loc = location();
  Type f64 = b.getF64Type();
  auto number = [&](double value) { return constant(f64, value); };
  Value shared = named(smem(2, 1, f64), "moments");
  byFirstWarp([&] {
    sumOfSpans(moments.sums, moments, shared, 0);
    sumOfSpans(moments.squares, moments, shared, 1);
  });
  sync();
  auto load = [&](int64_t row) {
    return LoadSharedOp::create(b, loc, f64, shared, kernel.index(row),
                                kernel.index(0));
  };
  Value sum = named(load(0), "sum");
  Value squares = named(load(1), "sum_of_squares");
  Value visible = toFloat(limit, f64);
  Value some = toFloat(max(limit, kernel.index(1)), f64);
  Value mean = div(sum, some);
  Value centred = sub(squares, mul(sum, mean));
  centred = arith::MaxNumFOp::create(b, loc, centred, number(0.0));
  isSafe =
      named(cmpf(CmpFPredicate::OLE, squares, mul(centred, number(kSafeRatio))),
            "is_safe");
  if (moments.weights) {
    mean = mul(add(mean, cast(moments.weights, f64)), number(0.5));
    centred = mul(centred, number(0.25));
  }
  named(mean, "mean");
  if (population != Population::ZeroFilled)
    return finishVariance(centred, visible, correction);
  // Around the mean of all cells, those that count as 0 among them.
  Value all = toFloat(keys, f64);
  Value meanOfAll = named(div(mul(mean, visible), all), "mean_of_all");
  Value apart = sub(mean, meanOfAll);
  Value total = add(centred, mul(visible, mul(apart, apart)));
  total = add(total, mul(sub(all, visible), mul(meanOfAll, meanOfAll)));
  return finishVariance(total, all, correction);
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

/// Brings candidates and forced cells to `cut.keys` and `cut.cells`, in the
/// order of the row. Returns how many they are, an i32.
Value RowEmitter::emitPlaces(const CandidateList& list, const Cut& cut,
                             const Forced& forced) {
  OpBuilder& b = builder();
  Location loc = location();
  Type i32Type = b.getI32Type();
  // Powers of two: one kernel serves rows of many lengths.
  int64_t size = llvm::PowerOf2Ceil(
      std::max<int64_t>(llvm::divideCeil(list.keys, 32), 256));
  Value bitmap = named(smem(1, size, i32Type), "bitmap");
  Value before = named(smem(1, size, i32Type), "bits_before");
  Value counts =
      named(smem(schedule.getWarps(), 2, i32Type), "bits_of_segments");
  Value bits = named(lanes(2, i32Type), "bits_of_segment");
  Value cursor = named(lanes(2, i32Type), "cursor_of_bits");
  Value words = named(ceilDiv(limit, 32), "words");

  ClearSharedOp::create(b, loc, bitmap, kernel.team());
  sync();
  MarkCandidatesOp::create(b, loc, bitmap, list.pairs, list.count, forced.sink,
                           forced.local, limit, kernel.team());
  sync();
  forSegment(words, kStepWords, [&](Value begin, Value end) {
    CountBitsOp::create(b, loc, bits, bitmap, begin, end, kStepWords);
  });
  StoreTotalsOp::create(b, loc, counts, warp, bits);
  sync();
  Value earlier =
      SumRowsOp::create(b, loc, i32Type, counts, warp, kernel.index(0));
  Value total =
      SumRowsOp::create(b, loc, i32Type, counts,
                        kernel.index(schedule.getWarps()), kernel.index(0));
  SetLanesOp::create(b, loc, cursor, 0, earlier);
  forSegment(words, kStepWords, [&](Value begin, Value end) {
    ScanBitsOp::create(b, loc, before, cursor, bitmap, begin, end, kStepWords);
  });
  sync();
  PlaceCandidatesOp::create(b, loc, cut.keys, cut.cells, bitmap, before,
                            list.pairs, list.count, forced.sink, forced.local,
                            limit, kernel.team());
  return named(total, "kept_cells_of_row");
}

Value RowEmitter::selectCandidates(const CandidateList& list, Value k,
                                   const SelectionTarget& selection) {
  RowScanResult scan;
  scan.visible = toI32(limit);
  scan.end = limit;
  k = clampBudget(k, selection);
  Value count = named(min(k, scan.visible), "count");
  Forced forced = forcedCells(scan, selection);
  CandidateList read = list;
  if (list.takesAll) {
    // As if all cells were forced.
    forced.sink = select(list.takesAll, limit, forced.sink);
    read.count = select(list.takesAll, kernel.index(0), list.count);
  }
  int64_t forcedRoom = std::min(selection.sink + selection.local, list.keys);
  Cut cut = allocateCut(kDigitBins, list.capacity + forcedRoom);
  Value total = emitPlaces(read, cut, forced);
  sync();
  emitCut(total, k, total, cut, [&] {
    startCut(k, total, cut);
    emitDigits({Value(), total, Value()}, cut, forced);
  });
  emitIndices(selection, cut, forced);
  FillSpanOp::create(builder(), location(), selection.indices, toIndex(count),
                     selection.slots, i32(-1), kernel.team());
  return count;
}
