//===- AttentionEmitter.cpp - kernels of attention ------------------------===//

#include "passes/gsa_to_tile/AttentionEmitter.h"

#include <cmath>
#include <limits>

#include "llvm/Support/MathExtras.h"
#include "passes/schedule/ScheduleLegality.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

/// Largest scale that the softmax ops take.
static constexpr float kMaxScale = 0x1p127f;

/// Columns of queries that a warp holds in registers at a time: 128 of 16 bits
/// or 64 of 32 bits take 32 registers, beside an output of up to 128.
static int64_t chunkColumns(Type element) { return element.isF32() ? 64 : 128; }

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

AttentionEmitter::AttentionEmitter(OpBuilder& builder, Location loc,
                                   AttentionScheduleAttr schedule,
                                   AttentionShape shape)
    : s(builder, loc),
      schedule(schedule),
      shape(shape),
      allWarps(TeamAttr::get(builder.getContext(), 0, schedule.getConsumers())),
      paddedValueDepth(llvm::alignTo(shape.valueDepth, kTileUnit)) {}

Value AttentionEmitter::smem(StringRef name, ArrayRef<int64_t> shape,
                             Type element, SmemLayout layout) {
  return named(
      SmemAllocOp::create(
          s.b, s.loc, SmemType::get(s.b.getContext(), shape, element, layout),
          IntegerAttr()),
      name);
}

Value AttentionEmitter::fragment(StringRef name, int64_t columns, Type element,
                                 FragLayout layout) {
  return named(
      FragAllocOp::create(s.b, s.loc,
                          FragType::get(s.b.getContext(), {kTileUnit, columns},
                                        element, layout)),
      name);
}

Value AttentionEmitter::rowVector(StringRef name) {
  return named(
      RowVecAllocOp::create(
          s.b, s.loc,
          RowVecType::get(s.b.getContext(), {kTileUnit}, s.b.getF32Type())),
      name);
}

void AttentionEmitter::emitQueries(RowSource queries, Value rows) {
  int64_t blockK = schedule.getBlockK();
  int64_t padded = llvm::alignTo(shape.depth, kTileUnit);
  for (int64_t first = 0; first < padded;
       first += chunkColumns(shape.element)) {
    Chunk chunk;
    chunk.first = first;
    chunk.columns = std::min(chunkColumns(shape.element), padded - first);
    chunk.queries = smem("queries", {schedule.getBlockQ(), chunk.columns},
                         shape.element, SmemLayout::Swizzle);
    chunk.keys = smem("keys", {blockK, chunk.columns}, shape.element,
                      SmemLayout::Swizzle);
    chunks.push_back(chunk);
    Value from =
        first == 0 ? queries.base : s.at(queries.base, {s.index(first)}, {});
    CopyRowsOp::create(s.b, s.loc, chunk.queries, from, queries.pitch, rows,
                       s.index(std::min(chunk.columns, shape.depth - first)),
                       getVectorBytes(shape.element, shape.depth), allWarps);
  }
  valueTile = smem("values", {blockK, paddedValueDepth}, shape.element,
                   SmemLayout::Swizzle);
}

void AttentionEmitter::emitStart() {
  Type f32 = s.b.getF32Type();
  CopyWaitOp::create(s.b, s.loc, allWarps);
  Value rank = named(
      WarpRankOp::create(s.b, s.loc, s.b.getIndexType(), allWarps), "warp");
  int64_t split = schedule.getKeySplit();
  bool oneRowPart = schedule.getBlockQ() == kTileUnit;
  rowPart = oneRowPart ? s.index(0) : named(s.div(rank, split), "row_part");
  keyPart = oneRowPart ? rank : named(s.rem(rank, split), "key_part");
  warpRow = named(s.mul(rowPart, kTileUnit), "warp_row");
  warpKey = named(s.mul(keyPart, keysPerWarp()), "warp_key");
  zero = s.f32(0.0);
  minusInfinity = s.f32(-std::numeric_limits<double>::infinity());
  // Of the scores as emitLogits leaves them.
  auto scale = std::abs(static_cast<float>(shape.scale));
  scaleValue = s.f32(scale == 0.0f       ? 1.0
                     : scale > kMaxScale ? scale / 2
                                         : scale);
  scores = fragment("scores", keysPerWarp(), f32, FragLayout::Acc);
  weights = fragment("weights", keysPerWarp(), shape.element, FragLayout::Lhs);
  output = fragment("output", paddedValueDepth, f32, FragLayout::Acc);
  maximum = rowVector("maximum");
  sum = rowVector("sum");
  FillOp::create(s.b, s.loc, output, zero);
  FillRowsOp::create(s.b, s.loc, maximum, minusInfinity);
  FillRowsOp::create(s.b, s.loc, sum, zero);
  for (Chunk& chunk : chunks)
    chunk.lhs =
        fragment("query", chunk.columns, shape.element, FragLayout::Lhs);
  if (chunks.size() == 1)
    LoadLhsOp::create(s.b, s.loc, chunks[0].lhs, chunks[0].queries, warpRow);
}

//===----------------------------------------------------------------------===//
// The loop over tiles
//===----------------------------------------------------------------------===//

void AttentionEmitter::emitTile(
    Value keys, Value values, CopyTile copy,
    llvm::function_ref<void(Value)> mask,
    llvm::function_ref<void(Value, Value, Value)> multiplyValues) {
  for (const Chunk& chunk : chunks) {
    Value from =
        chunk.first == 0 ? keys : s.at(keys, {s.index(chunk.first)}, {});
    copy(chunk.keys, from, shape.groups * shape.depth,
         std::min(chunk.columns, shape.depth - chunk.first));
  }
  copy(valueTile, values, shape.groups * shape.valueDepth, shape.valueDepth);
  CopyWaitOp::create(s.b, s.loc, allWarps);
  FillOp::create(s.b, s.loc, scores, zero);
  for (const Chunk& chunk : chunks) {
    if (chunks.size() > 1)
      LoadLhsOp::create(s.b, s.loc, chunk.lhs, chunk.queries, warpRow);
    MmaNtOp::create(s.b, s.loc, scores, chunk.lhs, chunk.keys, warpKey);
  }
  emitLogits(mask);
  SoftmaxUpdateOp::create(s.b, s.loc, scores, output, maximum, sum, scaleValue,
                          bounded());
  if (bounded())
    SoftmaxWeightsOp::create(s.b, s.loc, weights, scores, sum);
  else
    ConvertOp::create(s.b, s.loc, weights, scores);
  if (multiplyValues)
    multiplyValues(output, weights, valueTile);
  else
    MmaNnOp::create(s.b, s.loc, output, weights, valueTile, warpKey);
  SyncOp::create(s.b, s.loc, allWarps);
}

/// Masks the scores. Online softmax takes a positive scale up to kMaxScale, so
/// a negative one negates them, a zero one makes all of them zero and a larger
/// one doubles them; all before the mask, since an infinite product is none of
/// the masked cells then. Doubling overflows only where the logit does.
void AttentionEmitter::emitLogits(llvm::function_ref<void(Value scores)> mask) {
  auto scale = static_cast<float>(shape.scale);
  double factor = scale == 0.0f                 ? 0.0
                  : std::abs(scale) > kMaxScale ? std::copysign(2.0, scale)
                                                : std::copysign(1.0, scale);
  if (factor != 1.0) AffineOp::create(s.b, s.loc, scores, s.f32(factor), zero);
  mask(scores);
}

//===----------------------------------------------------------------------===//
// The end
//===----------------------------------------------------------------------===//

/// The other warps of a row part hand their states to the first one, through
/// shared memory and one after the other: in the order of their keys, so that
/// the result does not depend on timing, and in room for one.
void AttentionEmitter::emitMerge() {
  Type f32 = s.b.getF32Type();
  int64_t rowParts = schedule.getBlockQ() / kTileUnit;
  Value outputs = smem("outputs", {schedule.getBlockQ(), paddedValueDepth}, f32,
                       SmemLayout::Linear);
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
      PutFragOp::create(s.b, s.loc, outputs, warpRow, output);
      PutRowVecOp::create(s.b, s.loc, states, maximumRow, maximum);
      PutRowVecOp::create(s.b, s.loc, states, sumRow, sum);
    });
    SyncOp::create(s.b, s.loc, allWarps);
    s.ifThen(s.cmpi(CmpIPredicate::eq, keyPart, s.index(0)), [&] {
      TakeFragOp::create(s.b, s.loc, otherOutput, outputs, warpRow);
      TakeRowVecOp::create(s.b, s.loc, otherMaximum, states, maximumRow);
      TakeRowVecOp::create(s.b, s.loc, otherSum, states, sumRow);
      SoftmaxMergeOp::create(s.b, s.loc, output, maximum, sum, otherOutput,
                             otherMaximum, otherSum, scaleValue, bounded());
    });
    SyncOp::create(s.b, s.loc, allWarps);
  });
}

void AttentionEmitter::emitFinish(const AttentionTarget& target) {
  Value lse = rowVector("lse_rows");
  Value rows = named(s.min(s.max(target.rows, s.index(0)), s.index(kTileUnit)),
                     "rows_of_warp");
  Value columns = s.index(shape.valueDepth);
  SoftmaxFinishOp::create(s.b, s.loc, output, lse, maximum, sum, scaleValue,
                          bounded());
  if (target.gate)
    GateRowsOp::create(s.b, s.loc, output, target.gate->rows.base,
                       target.gate->rows.pitch, rows, columns,
                       target.gate->activation, target.gate->perRow);
  StoreRowsOp::create(s.b, s.loc, target.output.base, target.output.pitch,
                      output, rows, columns);
  StoreRowVecOp::create(s.b, s.loc, target.lse.base, target.lse.pitch, lse,
                        rows);
}

void AttentionEmitter::emitEnd(
    llvm::function_ref<AttentionTarget()> makeTarget) {
  if (schedule.getKeySplit() == 1) return emitFinish(makeTarget());
  emitMerge();
  s.ifThen(s.cmpi(CmpIPredicate::eq, keyPart, s.index(0)),
           [&] { emitFinish(makeTarget()); });
}
