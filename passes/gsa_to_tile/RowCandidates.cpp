//===- RowCandidates.cpp - the k best cells of a list ---------------------===//
//
// The bound of a row from a sample of its scores, and the selection among the
// candidates that are above it. Candidates come in any order and stay in
// registers. A histogram says in which bin the last selected one is; those
// above it are marked in a bitmap of the row, those in it, which are few, are
// compared with each other. The bitmap gives each selected cell its place in
// the order of the row.
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
static constexpr int64_t kStepWords = 256;
/// Up to this ratio of mean square and variance, moments give a variance.
static constexpr double kSafeRatio = 64;

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

/// The least score of a bin, up to rounding: the inverse of linear_bins of the
/// device library.
Value RowEmitter::binEdge(Value low, Value high, Value bin) {
  Type f32Type = builder().getF32Type();
  Value begin = mul(low, f32(0.5));
  Value span = sub(mul(high, f32(0.5)), begin);
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
          byFirstWarp([&] {
            storeShared(shared, 0, binEdge(scan.low, scan.high, kept.bin));
          });
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

Value RowEmitter::lowOfRange(Value range) {
  Value complement = arith::XOrIOp::create(builder(), location(),
                                           loadShared(range, 0), i32(-1));
  return named(KeyValueOp::create(builder(), location(), builder().getF32Type(),
                                  complement),
               "low");
}

Value RowEmitter::highOfRange(Value range) {
  return named(KeyValueOp::create(builder(), location(), builder().getF32Type(),
                                  loadShared(range, 1)),
               "high");
}

/// Where many share a bin, as in rows with scores far from the others, a second
/// histogram has two bins of the first one for its range.
Value RowEmitter::sampleBound(Value row, Value count, int64_t most,
                              int64_t rank) {
  OpBuilder& b = builder();
  Location loc = location();
  Type i32Type = b.getI32Type(), f32Type = b.getF32Type();
  int64_t each = llvm::divideCeil(most, 32 * schedule.getWarps());
  Value zero = kernel.index(0);
  Value last = kernel.index(std::numeric_limits<int32_t>::max());
  Value wanted = i32(static_cast<int32_t>(rank));
  Value histogram = named(smem(1, schedule.getBins(), i32Type), "histogram");
  Value range = named(smem(1, 4, i32Type), "range");
  Value found = named(smem(1, 4, i32Type), "found");
  Value shared = named(smem(1, 1, f32Type), "bound");
  Value values = named(lanes(each, f32Type), "sample_scores");
  Value cells = named(lanes(each, i32Type), "sample_cells");
  auto clear = [&](ValueRange tiles) {
    for (Value tile : tiles) ClearSharedOp::create(b, loc, tile, kernel.team());
    sync();
  };
  clear({histogram, range, found});
  LoadRowOp::create(b, loc, values, cells, range, row, count, zero, last, count,
                    kernel.team());
  byFirstWarp([&] {
    storeShared(shared, 0, f32(std::numeric_limits<float>::lowest()));
  });
  sync();
  Value total = named(loadShared(range, 2), "finite_scores");
  ifThen(cmpi(CmpIPredicate::sge, total, wanted), [&] {
    Value low = lowOfRange(range), high = highOfRange(range);
    auto findBin = [&](Value from, Value to) {
      HistogramCandidatesOp::create(b, loc, histogram, values, cells, from, to);
      sync();
      byFirstWarp([&] {
        FindRankOp::create(b, loc, found, histogram, wanted,
                           schedule.getBins());
      });
      sync();
      return named(loadShared(found, 0), "bin");
    };
    Value bin = findBin(low, high);
    Value crowd = named(loadShared(found, 2), "cells_of_bin");
    Value few = i32(static_cast<int32_t>(std::max<int64_t>(rank / 16, 1)));
    ifThen(
        cmpi(CmpIPredicate::sle, crowd, few),
        [&] {
          byFirstWarp([&] { storeShared(shared, 0, binEdge(low, high, bin)); });
        },
        [&] {
          // One below, as edges are right up to rounding alone.
          Value below = max(sub(bin, i32(1)), i32(0));
          Value from = named(binEdge(low, high, below), "low_of_bin");
          Value to = named(binEdge(low, high, add(bin, i32(1))), "high_of_bin");
          DropBelowOp::create(b, loc, cells, values, from);
          clear({histogram});
          Value part = findBin(from, to);
          byFirstWarp([&] { storeShared(shared, 0, binEdge(from, to, part)); });
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
  step(kernel.index(0), moments.spans, kernel.index(stepCells()),
       [&](Value begin) {
         SumRowOp::create(b, location(), sums, first, begin, moments.spans,
                          stepCells());
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

/// The cells that are selected whatever their scores are: of those that are
/// forced the `count` first ones.
RowEmitter::Forced RowEmitter::takeForced(const CandidateList& list,
                                          const SelectionTarget& selection,
                                          Value count) {
  Forced forced;
  Value sink = kernel.index(selection.sink);
  // As if all cells were forced.
  if (list.takesAll) sink = select(list.takesAll, limit, sink);
  forced.sink = named(min(min(sink, limit), count), "sink");
  forced.local = kernel.index(std::numeric_limits<int32_t>::max());
  forced.end = limit;
  forced.count = forced.sink;
  if (selection.local == 0) return forced;
  Value begin = sub(limit, kernel.index(selection.local));
  forced.local = named(max(begin, forced.sink), "local");
  Value rest = sub(count, forced.sink);
  forced.end = named(min(add(forced.local, rest), limit), "end_of_forced");
  forced.count = add(forced.sink, sub(forced.end, forced.local));
  return forced;
}

/// The bin of the worst candidate that is selected, if not all of them or none
/// are, and how many of those in the bin are.
RowEmitter::Kept RowEmitter::findCandidateBin(const Candidates& row,
                                              Value rank) {
  OpBuilder& b = builder();
  Location loc = location();
  Value total = named(loadShared(row.range, 2), "candidates_of_row");
  Value some = named(cmpi(CmpIPredicate::sgt, rank, i32(0)), "takes_some");
  Value hasChoice =
      named(arith::AndIOp::create(b, loc, some,
                                  cmpi(CmpIPredicate::sgt, total, rank)),
            "has_choice");
  ifThen(hasChoice, [&] {
    HistogramCandidatesOp::create(b, loc, row.histogram, row.scores, row.cells,
                                  row.low, row.high);
    sync();
    byFirstWarp([&] {
      FindRankOp::create(b, loc, row.found, row.histogram, rank, row.bins);
    });
    sync();
  });
  Value none = i32(std::numeric_limits<int32_t>::max());
  Kept kept;
  kept.bin = named(
      select(hasChoice, loadShared(row.found, 0), select(some, i32(-1), none)),
      "bin");
  kept.count = named(sub(rank, loadShared(row.found, 1)), "quota");
  return kept;
}

/// Brings the marked cells to `selected` in the order of the row.
void RowEmitter::emitMarked(const Candidates& row, const Forced& forced,
                            Value selected, Value scores) {
  OpBuilder& b = builder();
  Location loc = location();
  Type i32Type = b.getI32Type();
  auto size = cast<SmemType>(row.bitmap.getType()).getColumns();
  Value before = named(smem(1, size, i32Type), "bits_before");
  Value counts =
      named(smem(schedule.getWarps(), 2, i32Type), "bits_of_segments");
  Value bits = named(lanes(2, i32Type), "bits_of_segment");
  Value cursor = named(lanes(2, i32Type), "cursor_of_bits");
  Value words = named(ceilDiv(limit, 32), "words");
  forSegment(words, kStepWords, [&](Value begin, Value end) {
    CountBitsOp::create(b, loc, bits, row.bitmap, begin, end, kStepWords);
  });
  StoreTotalsOp::create(b, loc, counts, warp, bits);
  sync();
  Value earlier =
      SumRowsOp::create(b, loc, i32Type, counts, warp, kernel.index(0));
  SetLanesOp::create(b, loc, cursor, 0, earlier);
  forSegment(words, kStepWords, [&](Value begin, Value end) {
    ScanBitsOp::create(b, loc, before, cursor, row.bitmap, begin, end,
                       kStepWords);
  });
  sync();
  PlaceMarkedOp::create(b, loc, selected, row.bitmap, before, row.cells,
                        forced.sink, forced.local, forced.end, kernel.team());
  if (scores)
    PlaceScoresOp::create(b, loc, scores, row.bitmap, before, row.scores,
                          row.cells);
}

/// Storage for the candidates of a row, without any.
RowEmitter::Candidates RowEmitter::makeCandidates(const CandidateList& list) {
  OpBuilder& b = builder();
  Location loc = location();
  Type i32Type = b.getI32Type(), f32Type = b.getF32Type();
  // Powers of two: one kernel serves rows of many lengths.
  int64_t words = llvm::PowerOf2Ceil(
      std::max<int64_t>(llvm::divideCeil(list.keys, 32), kStepWords));
  int64_t each = llvm::divideCeil(list.capacity, 32 * schedule.getWarps());
  Candidates row;
  row.bitmap = named(smem(1, words, i32Type), "bitmap");
  row.bins = list.bins;
  row.histogram = named(smem(1, row.bins, i32Type), "histogram");
  row.range = named(smem(1, 4, i32Type), "range");
  row.found = named(smem(1, 4, i32Type), "found");
  row.scores = named(lanes(each, f32Type), "candidate_scores");
  row.cells = named(lanes(each, i32Type), "candidate_cells");
  for (Value tile : {row.bitmap, row.histogram, row.range, row.found})
    ClearSharedOp::create(b, loc, tile, kernel.team());
  sync();
  return row;
}

void RowEmitter::prepareCandidates(int64_t capacity, int64_t bins,
                                   int64_t keys) {
  CandidateList room;
  room.capacity = capacity;
  room.bins = bins;
  room.keys = keys;
  fetched = makeCandidates(room);
}

void RowEmitter::fetchCandidates(const CandidateList& list) {
  FetchCandidatesOp::create(builder(), location(), fetched->scores,
                            fetched->cells, list.pairs,
                            kernel.index(list.capacity), kernel.team());
}

RowEmitter::Candidates RowEmitter::loadCandidates(const CandidateList& list,
                                                  const Forced& forced) {
  OpBuilder& b = builder();
  Location loc = location();
  Candidates row = fetched ? *fetched : makeCandidates(list);
  if (fetched && !list.isRow)
    RangeCandidatesOp::create(b, loc, row.scores, row.cells, row.range,
                              list.count, forced.sink, forced.local, forced.end,
                              kernel.team());
  else if (list.isRow)
    LoadRowOp::create(b, loc, row.scores, row.cells, row.range, list.pairs,
                      list.count, forced.sink, forced.local, forced.end,
                      kernel.team());
  else
    LoadCandidatesOp::create(b, loc, row.scores, row.cells, row.range,
                             list.pairs, list.count, forced.sink, forced.local,
                             forced.end, kernel.team());
  MarkForcedOp::create(b, loc, row.bitmap, forced.sink, forced.local,
                       forced.end, kernel.team());
  sync();
  row.low = lowOfRange(row.range);
  row.high = highOfRange(row.range);
  return row;
}

Value RowEmitter::selectCandidates(const CandidateList& list, Value k,
                                   const SelectionTarget& selection) {
  k = clampBudget(k, selection);
  Value count = named(min(k, toI32(limit)), "count");
  Value end = toIndex(count);
  Forced forced = takeForced(list, selection, end);
  CandidateList read = list;
  if (list.takesAll)
    read.count = select(list.takesAll, kernel.index(0), list.count);
  Candidates row = loadCandidates(read, forced);
  placeCandidates(row, forced, list, count, selection);
  return count;
}

void RowEmitter::selectRow(const CandidateList& list, Value k,
                           const SelectionTarget& selection,
                           llvm::function_ref<void(Value)> body,
                           llvm::function_ref<void()> otherwise) {
  k = clampBudget(k, selection);
  Value count = named(min(k, toI32(limit)), "count");
  Forced forced = takeForced(list, selection, toIndex(count));
  Candidates row = loadCandidates(list, forced);
  Value beyond = named(loadShared(row.range, 3), "not_finite");
  ifThen(
      cmpi(CmpIPredicate::eq, beyond, i32(0)),
      [&] {
        placeCandidates(row, forced, list, count, selection);
        body(count);
      },
      otherwise);
}

/// Brings the `count` best cells to their slots.
void RowEmitter::placeCandidates(const Candidates& row, const Forced& forced,
                                 const CandidateList& list, Value count,
                                 const SelectionTarget& selection) {
  OpBuilder& b = builder();
  Location loc = location();
  Type i32Type = b.getI32Type();
  Value end = toIndex(count);
  Value rank = named(sub(count, toI32(forced.count)), "rank");
  Kept cut = findCandidateBin(row, rank);
  Value keys = named(smem(1, list.capacity, i32Type), "kept_keys");
  Value kept = named(smem(1, list.capacity, i32Type), "kept_cells");
  MarkAboveOp::create(b, loc, row.bitmap, keys, kept, row.found, row.scores,
                      row.cells, row.low, row.high, cut.bin, row.bins);
  sync();
  MarkBestOp::create(b, loc, row.bitmap, keys, kept, loadShared(row.found, 3),
                     cut.count, kernel.team());
  sync();
  Value selected = named(
      smem(1, std::max<int64_t>(selection.numSlots, 1), i32Type), "selected");
  Value scores;
  if (selection.scores)
    scores =
        named(smem(1, std::max<int64_t>(selection.numSlots, 1), b.getF32Type()),
              "selected_scores");
  emitMarked(row, forced, selected, scores);
  sync();
  if (selection.list) {
    LookUpCellsOp::create(b, loc, selected, selection.list, end, kernel.team());
    sync();
  }
  StoreCellsOp::create(b, loc, selection.indices, selected, end, kernel.team());
  if (scores)
    StoreCellsOp::create(b, loc, selection.scores, scores, end, kernel.team());
  FillSpanOp::create(b, loc, selection.indices, end, selection.slots, i32(-1),
                     kernel.team());
}
