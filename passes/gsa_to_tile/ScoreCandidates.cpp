//===- ScoreCandidates.cpp - scores that go to lists ----------------------===//
//
// What is at or above a bound of its row is appended to the row's list, and the
// moments of a row are added up, while scores are in registers.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaBuilders.h"
#include "passes/gsa_to_tile/ScoreKernel.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

/// A number for each query of the warp.
Value ScoreKernel::allocateRows(StringRef name) {
  OpBuilder& b = builder();
  Type type = RowVecType::get(b.getContext(), {schedule.getWarpQueries()},
                              b.getF32Type());
  return named(RowVecAllocOp::create(b, location(), type), name);
}

Value ScoreKernel::startSum(StringRef name) {
  Value sum = allocateRows(name);
  FillRowsOp::create(builder(), location(), sum, zeroValue);
  return sum;
}

void ScoreKernel::emitBounds() {
  if (bounds) {
    boundRows = allocateRows("bound");
    Value from = at(bounds, {firstRow}, {});
    LoadRowVecOp::create(builder(), location(), boundRows,
                         stridedRows(from, i64(1), rowsOfBlock), warpRow);
    // A line for each lane and 8 of its queries; of 8 columns it has two.
    int64_t lines =
        schedule.getConsumers() * 32 * schedule.getWarpQueries() / 8;
    int64_t hits = schedule.getBlockK() / 4 + rows.candidates->staged;
    OpBuilder& b = builder();
    staged = named(
        SmemAllocOp::create(b, location(),
                            SmemType::get(b.getContext(), {lines, 2 * hits},
                                          b.getI32Type(), SmemLayout::Linear),
                            IntegerAttr()),
        "staged");
    stagedBytes = named(
        LanesAllocOp::create(
            b, location(),
            LanesType::get(b.getContext(), {schedule.getWarpQueries() / 8},
                           b.getI32Type())),
        "staged_bytes");
  }
  if (stagesProducts() && !bias) {
    noOffsets = named(RowVecAllocOp::create(
                          builder(), location(),
                          RowVecType::get(builder().getContext(), {kTileUnit},
                                          builder().getF32Type())),
                      "no_offsets");
    FillRowsOp::create(builder(), location(), noOffsets, zeroValue);
  }
  if (sums) {
    rowSums = startSum("row_sums");
    rowSquares = startSum("row_squares");
  } else {
    checkSums = startSum("partial_sums");
  }
}

/// Keys behind the last one are zeros, so that their scores are finite; they
/// are hidden, too. Whether scores are finite is seen before some are hidden.
void ScoreKernel::append(const KeyRange& range) {
  OpBuilder& b = builder();
  Value last = isCausal() ? lastKeyOfWarp() : sub(keys, number(1));
  // Most tiles have no hidden key.
  Value lastOfTile = add(range.first, number(schedule.getBlockK() - 1));
  Value hides = cmpi(arith::CmpIPredicate::sgt, lastOfTile, last);
  auto hide = [&] {
    MaskCausalOp::create(b, location(), sum, last, range.first,
                         /*rows_per_query=*/isCausal() ? 1 : kTileUnit);
  };
  auto addMoments = [&](bool someHidden) {
    AddPartialMomentsOp::create(b, location(), rowSums, rowSquares, sum,
                                someHidden);
  };
  Value row = add(firstRow, warpRow);
  named(hides, "hides_keys");
  auto stage = [&](Value check, bool someHidden) {
    stageProduct(row, range, last, check, someHidden);
  };
  if (stagesProducts() && !keepsWeights())
    loadWeights(parts() - 1, partWeights.front());
  if (sums) {
    auto add = [&](bool someHidden) {
      // Rare: a sum that lives from here on would cost registers. Where no key
      // is hidden, nobody reads it.
      bool staging = stagesProducts();
      Value check;
      if (staging || someHidden) check = startSum("partial_sums");
      if (staging) stage(check, someHidden);
      if (someHidden) {
        if (!staging) AddPartialSumsOp::create(b, location(), check, sum);
        flagRows(check);
        hide();
      }
      addMoments(someHidden);
    };
    ifThen(
        hides, [&] { add(/*someHidden=*/true); },
        [&] { add(/*someHidden=*/false); });
  } else if (stagesProducts()) {
    ifThen(
        hides, [&] { stage(checkSums, /*someHidden=*/true); },
        [&] { stage(checkSums, /*someHidden=*/false); });
  } else {
    AddPartialSumsOp::create(b, location(), checkSums, sum);
    ifThen(hides, hide);
  }
  if (pairs && !stagesProducts())
    AppendCandidatesOp::create(b, location(), pairs, counts, staged,
                               stagedBytes, sum, boundRows, warpRank, row,
                               count, capacity, range.first);
}

/// The last product becomes part of the scores where their hits are staged.
void ScoreKernel::stageProduct(Value row, const KeyRange& range, Value last,
                               Value check, bool someHidden) {
  int64_t part = parts() - 1;
  StageProductsOp::create(
      builder(), location(), staged, stagedBytes, sum, productOf(part),
      scaleValue, bias ? partOffsets[part] : noOffsets,
      partWeights[keepsWeights() ? part : 0], check, boundRows, warpRank, row,
      count, range.first, last, productActivation(), someHidden,
      /*rows_per_query=*/isCausal() ? 1 : kTileUnit);
}

/// Makes room for the hits of a tile.
void ScoreKernel::drain() {
  DrainCandidatesOp::create(builder(), location(), pairs, counts, staged,
                            stagedBytes, warpRank, add(firstRow, warpRow),
                            capacity, schedule.getBlockK() / 4);
}

/// Marks rows whose sums are not finite.
void ScoreKernel::flagRows(Value sums) {
  FlagRowsOp::create(builder(), location(), counts, sums,
                     add(firstRow, warpRow), count);
}

/// Behind the last tile of a block.
void ScoreKernel::finishRows() {
  if (pairs)
    FlushCandidatesOp::create(builder(), location(), pairs, counts, staged,
                              stagedBytes, warpRank, add(firstRow, warpRow),
                              count, capacity);
  if (checkSums) flagRows(checkSums);
}

/// Moments of a span of the schedule, of which a block may have several: they
/// do not depend on how blocks share out the scores.
void ScoreKernel::emitUnits(Value first, Value end, Value limit) {
  int64_t tiles = schedule.getSpan();
  end = skipTiles(end, limit);
  auto unit = [&](Value number) {
    Value begin = named(mul(number, tiles), "first_tile_of_span");
    FillRowsOp::create(builder(), location(), rowSums, zeroValue);
    FillRowsOp::create(builder(), location(), rowSquares, zeroValue);
    Value count = min(sub(end, begin), this->number(tiles));
    emitStream(begin, named(count, "tiles"));
    finishMoments(number);
  };
  forLoop(div(first, tiles), ceilDiv(end, tiles), 1, unit);
}

void ScoreKernel::finishMoments(Value span) {
  OpBuilder& b = builder();
  flagRows(rowSums);
  flagRows(rowSquares);
  Value pitch =
      arith::IndexCastOp::create(b, location(), b.getI64Type(), spans);
  for (auto [target, rows] :
       {std::pair<Value, Value>{sums, rowSums}, {squares, rowSquares}}) {
    JoinPartialSumsOp::create(b, location(), rows);
    Value to = at(target, {firstRow, span}, {spans});
    StoreRowVecOp::create(b, location(), stridedRows(to, pitch, rowsOfBlock),
                          warpRow, rows);
  }
}
