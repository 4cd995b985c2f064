//===- AttentionEmitter.cpp - kernels of attention ------------------------===//

#include "passes/gsa_to_tile/AttentionEmitter.h"

#include <cmath>
#include <limits>

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

/// Largest scale that the softmax ops take.
static constexpr float kMaxScale = 0x1p127f;

/// A negative scale negates scores, a zero one makes all of them zero and a
/// larger one doubles them, which overflows only where the logit does.
SoftmaxScale gsa::getSoftmaxScale(double value) {
  auto scale = static_cast<float>(value), size = std::abs(scale);
  if (scale == 0.0f) return {0.0, 1.0};
  if (size > kMaxScale) return {std::copysign(2.0, scale), size / 2};
  return {std::copysign(1.0, scale), size};
}

/// Columns of queries that a warp holds in registers at a time: 128 of 16 bits
/// or 64 of 32 bits take 32 registers, beside an output of up to 128.
static int64_t chunkColumns(Type element) { return element.isF32() ? 64 : 128; }

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

AttentionEmitter::AttentionEmitter(OpBuilder& builder, Location loc,
                                   AttentionScheduleAttr schedule,
                                   const AttentionShape& shape,
                                   int64_t mostRows)
    : AttentionStorage(builder, loc, shape),
      teams(schedule),
      schedule(schedule),
      paddedValueDepth(llvm::alignTo(shape.valueDepth, kTileUnit)),
      heldRows(mostRows <= kTileUnit / 2 ? kTileUnit / 2 : kTileUnit) {}

SmemType AttentionEmitter::tileOf(int64_t rows, int64_t columns) {
  return SmemType::get(s.b.getContext(), {rows, columns}, shape.element,
                       SmemLayout::Swizzle);
}

void AttentionEmitter::emitQueries(Value queries, Value pitch, Value rows) {
  int64_t blockK = schedule.getBlockK();
  int64_t padded = llvm::alignTo(shape.depth, kTileUnit);
  SmallVector<Type> tiles;
  for (int64_t first = 0; first < padded;
       first += chunkColumns(shape.element)) {
    Chunk chunk;
    chunk.first = first;
    chunk.columns = std::min(chunkColumns(shape.element), padded - first);
    chunk.queries = smem("queries", {schedule.getBlockQ(), chunk.columns},
                         shape.element, SmemLayout::Swizzle);
    tiles.push_back(tileOf(blockK, chunk.columns));
    chunks.push_back(chunk);
    Value from = first == 0 ? queries : s.at(queries, {s.index(first)}, {});
    CopyRowsOp::create(s.b, s.loc, chunk.queries,
                       s.stridedRows(from, pitch, rows), s.index(0),
                       s.index(std::min(chunk.columns, shape.depth - first)),
                       getVectorBytes(shape.element, shape.depth), teams.block);
  }
  tiles.push_back(tileOf(blockK, paddedValueDepth));
  tileRing = ring("ring", schedule.getStages(), getCopyEngine(keyVectorBytes()),
                  tiles);
}

void AttentionEmitter::emitLogits(const AttentionTarget& target) {
  if (schedule.getKeySplit() > 1)
    logits = copyLogits(target, schedule.getBlockQ(), paddedValueDepth,
                        SmemLayout::Swizzle, teams.block);
}

void AttentionEmitter::emitStart(bool resets) {
  Type f32 = s.b.getF32Type();
  CopyWaitOp::create(s.b, s.loc, teams.block);
  Value rank =
      named(WarpRankOp::create(s.b, s.loc, s.b.getIndexType(), teams.compute),
            "warp");
  int64_t split = schedule.getKeySplit();
  bool oneRowPart = schedule.getBlockQ() == kTileUnit;
  rowPart = oneRowPart ? s.index(0) : named(s.div(rank, split), "row_part");
  keyPart = oneRowPart ? rank : named(s.rem(rank, split), "key_part");
  warpRow = named(s.mul(rowPart, kTileUnit), "warp_row");
  warpKey = named(s.mul(keyPart, keysPerWarp()), "warp_key");
  zero = s.f32(0.0);
  minusInfinity = s.f32(-std::numeric_limits<double>::infinity());
  scaleValue = s.f32(getSoftmaxScale(shape.scale).scale);
  scores = fragment("scores", keysPerWarp(), f32, FragLayout::Acc);
  weights = fragment("weights", keysPerWarp(), shape.element, FragLayout::Lhs);
  output = fragment("output", paddedValueDepth, f32, FragLayout::Acc);
  maximum = rowVector("maximum");
  sum = rowVector("sum");
  if (!resets) emitEmptyState();
  for (Chunk& chunk : chunks)
    chunk.lhs =
        fragment("query", chunk.columns, shape.element, FragLayout::Lhs);
  if (!resets) loadQueries();
}

/// Queries of several chunks are loaded with their keys.
void AttentionEmitter::loadQueries() {
  if (chunks.size() == 1)
    LoadLhsOp::create(s.b, s.loc, chunks[0].lhs, chunks[0].queries, warpRow);
}

void AttentionEmitter::emitReset() {
  emitEmptyState();
  loadQueries();
}

void AttentionEmitter::emitEmptyState() {
  FillOp::create(s.b, s.loc, output, zero);
  FillRowsOp::create(s.b, s.loc, maximum, minusInfinity);
  FillRowsOp::create(s.b, s.loc, sum, zero);
}

//===----------------------------------------------------------------------===//
// The loop over tiles
//===----------------------------------------------------------------------===//

/// The first key of a tile of the stream.
Value AttentionEmitter::firstKeyOf(Value tile, const KeySource& source) {
  Value first = s.mul(tile, schedule.getBlockK());
  if (source.firstKey) first = s.add(source.firstKey, first);
  return named(first, "first_key");
}

void AttentionEmitter::emitLoad(StreamOp stream, const KeySource& source) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getLoad().front().getTerminator());
  ValueRange tiles = stream.getTiles(stream.getLoad(), 0);
  Value tile = named(stream.getLoad().getArgument(0), "tile_number");
  Value first = firstKeyOf(tile, source);
  int64_t units =
      chunks[0].columns * getElementBytes(shape.element) / keyVectorBytes();
  // Rows are looked up once where keys and values are tiles of one shape, and a
  // thread has few of them: one batch of copies.
  bool once = source.areFound &&
              source.keyRows.sharesNumbers(source.valueRows) &&
              chunks.size() == 1 && chunks[0].columns == paddedValueDepth &&
              schedule.getBlockK() * units <=
                  schedule.getFoundRows() * 32 * teams.load.getCount();
  Value position = first;
  auto copy = [&](Value target, const KernelRows& rows, Value base,
                  int64_t columns) {
    Value view = source.makeView(rows, base);
    if (once && position == first)
      position =
          named(FindRowsOp::create(
                    s.b, s.loc,
                    FoundRowsType::get(s.b.getContext(), schedule.getBlockK(),
                                       units, teams.load),
                    view, first, schedule.getBlockK(), units, teams.load),
                "rows_of_tile");
    CopyRowsOp::create(s.b, s.loc, target, view, position, s.index(columns),
                       keyVectorBytes(), teams.load);
  };
  for (auto [chunk, target] : llvm::zip(chunks, tiles)) {
    Value from = chunk.first == 0
                     ? source.keys
                     : s.at(source.keys, {s.index(chunk.first)}, {});
    copy(target, source.keyRows, from,
         std::min(chunk.columns, shape.depth - chunk.first));
  }
  copy(tiles.back(), source.valueRows, source.values, shape.valueDepth);
}

void AttentionEmitter::emitCompute(
    StreamOp stream, const KeySource& source,
    llvm::function_ref<void(Value, Value, Value)> mask,
    llvm::function_ref<void(Value, Value, Value, Value)> multiplyValues) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getCompute().front().getTerminator());
  ValueRange tiles = stream.getTiles(stream.getCompute(), 0);
  for (Value tile : tiles.drop_back()) named(tile, "keys");
  Value values = named(tiles.back(), "values");
  Value tile = named(stream.getCompute().getArgument(0), "tile_number");
  Value first = firstKeyOf(tile, source);
  FillOp::create(s.b, s.loc, scores, zero);
  for (auto [chunk, keys] : llvm::zip(chunks, tiles)) {
    if (chunks.size() > 1)
      LoadLhsOp::create(s.b, s.loc, chunk.lhs, chunk.queries, warpRow);
    MmaNtOp::create(s.b, s.loc, scores, chunk.lhs, keys, warpKey);
  }
  scaleScores();
  Value firstOfWarp = named(s.add(first, warpKey), "first_key_of_warp");
  mask(scores, source.makeMask(), firstOfWarp);
  SoftmaxUpdateOp::create(s.b, s.loc, scores, output, maximum, sum, scaleValue,
                          bounded());
  if (bounded())
    SoftmaxWeightsOp::create(s.b, s.loc, weights, scores, sum);
  else
    ConvertOp::create(s.b, s.loc, weights, scores);
  if (multiplyValues)
    multiplyValues(output, weights, values, firstOfWarp);
  else
    MmaNnOp::create(s.b, s.loc, output, weights, values, warpKey);
}

void AttentionEmitter::emitStream(
    Value tiles, const KeySource& source,
    llvm::function_ref<void(Value, Value, Value)> mask,
    llvm::function_ref<void(Value, Value, Value, Value)> multiplyValues) {
  auto stream = StreamOp::create(s.b, s.loc, tiles, tileRing, teams.pipeline);
  emitLoad(stream, source);
  emitCompute(stream, source, mask, multiplyValues);
}

/// Before the mask, since an infinite product is none of the masked cells then.
void AttentionEmitter::scaleScores() {
  double factor = getSoftmaxScale(shape.scale).factor;
  if (factor != 1.0) AffineOp::create(s.b, s.loc, scores, s.f32(factor), zero);
}

//===----------------------------------------------------------------------===//
// The end
//===----------------------------------------------------------------------===//

/// The other warps of a row part hand their states to the first one, through
/// shared memory and one after the other: in the order of their keys, so that
/// the result does not depend on timing, and in room for one. Swizzled, or the
/// pairs of a column would all lie in the same banks.
void AttentionEmitter::emitMerge() {
  Type f32 = s.b.getF32Type();
  int64_t rowParts = schedule.getBlockQ() / kTileUnit;
  outputs = smem("outputs", {schedule.getBlockQ(), paddedValueDepth}, f32,
                 SmemLayout::Swizzle);
  Value states =
      smem("states", {2 * rowParts, kTileUnit}, f32, SmemLayout::Linear);
  Value maximumRow = named(s.mul(rowPart, 2), "maximum_row");
  Value sumRow = named(s.add(maximumRow, s.index(1)), "sum_row");
  Value otherOutput =
      fragment("other_output", paddedValueDepth, f32, FragLayout::Acc);
  Value otherMaximum = rowVector("other_maximum");
  Value otherSum = rowVector("other_sum");
  s.forLoop(s.index(0), s.index(schedule.getKeySplit() - 1), 1, [&](Value i) {
    Value other = named(s.add(i, s.index(1)), "other_part");
    s.ifThen(s.cmpi(CmpIPredicate::eq, keyPart, other), [&] {
      PutFragOp::create(s.b, s.loc, outputs, warpRow, output, heldRows);
      PutRowVecOp::create(s.b, s.loc, states, maximumRow, maximum);
      PutRowVecOp::create(s.b, s.loc, states, sumRow, sum);
    });
    SyncOp::create(s.b, s.loc, teams.compute, teams.computeBarrier());
    s.ifThen(s.cmpi(CmpIPredicate::eq, keyPart, s.index(0)), [&] {
      TakeFragOp::create(s.b, s.loc, otherOutput, outputs, warpRow, heldRows);
      TakeRowVecOp::create(s.b, s.loc, otherMaximum, states, maximumRow);
      TakeRowVecOp::create(s.b, s.loc, otherSum, states, sumRow);
      SoftmaxMergeOp::create(s.b, s.loc, output, maximum, sum, otherOutput,
                             otherMaximum, otherSum, scaleValue, bounded());
    });
    SyncOp::create(s.b, s.loc, teams.compute, teams.computeBarrier());
  });
}

/// Of the warps that have all keys of their rows. With logits in a tile others
/// have handed their states on, through a tile that is free then.
void AttentionEmitter::emitFinish(const AttentionTarget& target) {
  Value lse = rowVector("lse_rows");
  SoftmaxFinishOp::create(s.b, s.loc, output, lse, maximum, sum, scaleValue,
                          bounded());
  if (logits) {
    storeThroughTile({outputs, logits, output, warpRow, heldRows}, target);
  } else {
    gateRegisters(output, warpRow, target);
    StoreRowsOp::create(s.b, s.loc, target.output, warpRow, output,
                        s.index(shape.valueDepth));
  }
  StoreRowVecOp::create(s.b, s.loc, target.lse, warpRow, lse);
}

void AttentionEmitter::emitEnd(
    llvm::function_ref<AttentionTarget()> makeTarget) {
  if (schedule.getKeySplit() == 1) return emitFinish(makeTarget());
  emitMerge();
  s.ifThen(s.cmpi(CmpIPredicate::eq, keyPart, s.index(0)),
           [&] { emitFinish(makeTarget()); });
}
