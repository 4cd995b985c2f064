//===- AttentionEmitter.cpp - kernels of attention ------------------------===//

#include "passes/gsa_to_tile/AttentionEmitter.h"

#include <cmath>
#include <limits>

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

/// Rows of a fragment, and what columns of tiles are padded to.
static constexpr int64_t kUnit = 16;

/// Columns of queries that a warp holds in registers at a time: 128 of 16 bits
/// or 64 of 32 bits take 32 registers, beside an output of up to 128.
static int64_t chunkColumns(Type element) { return element.isF32() ? 64 : 128; }

//===----------------------------------------------------------------------===//
// KernelScalars
//===----------------------------------------------------------------------===//

Value KernelScalars::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}
Value KernelScalars::i64(int64_t value) {
  return arith::ConstantIntOp::create(b, loc, value, 64);
}
Value KernelScalars::f32(double value) {
  return arith::ConstantFloatOp::create(b, loc, b.getF32Type(),
                                        APFloat(static_cast<float>(value)));
}
Value KernelScalars::add(Value lhs, Value rhs) {
  return b.createOrFold<arith::AddIOp>(loc, lhs, rhs);
}
Value KernelScalars::sub(Value lhs, Value rhs) {
  return b.createOrFold<arith::SubIOp>(loc, lhs, rhs);
}
Value KernelScalars::mul(Value lhs, int64_t rhs) {
  return b.createOrFold<arith::MulIOp>(loc, lhs, index(rhs));
}
// Unsigned: a shift if the divisor is a power of two.
Value KernelScalars::div(Value lhs, int64_t rhs) {
  return b.createOrFold<arith::DivUIOp>(loc, lhs, index(rhs));
}
Value KernelScalars::ceilDiv(Value lhs, int64_t rhs) {
  return div(add(lhs, index(rhs - 1)), rhs);
}
Value KernelScalars::rem(Value lhs, int64_t rhs) {
  return b.createOrFold<arith::RemUIOp>(loc, lhs, index(rhs));
}
Value KernelScalars::min(Value lhs, Value rhs) {
  return b.createOrFold<arith::MinSIOp>(loc, lhs, rhs);
}
Value KernelScalars::max(Value lhs, Value rhs) {
  return b.createOrFold<arith::MaxSIOp>(loc, lhs, rhs);
}
Value KernelScalars::compare(CmpIPredicate predicate, Value lhs, Value rhs) {
  return b.createOrFold<arith::CmpIOp>(loc, predicate, lhs, rhs);
}
Value KernelScalars::toI64(Value indexValue) {
  return b.createOrFold<arith::IndexCastOp>(loc, b.getI64Type(), indexValue);
}
Value KernelScalars::toIndex(Value integer) {
  return b.createOrFold<arith::IndexCastOp>(loc, b.getIndexType(), integer);
}

Value KernelScalars::blockId(int64_t i) {
  return BlockIdOp::create(b, loc, b.getIndexType(), i);
}

Value KernelScalars::at(Value base, ValueRange indices, ValueRange sizes) {
  return AtOp::create(b, loc, base.getType(), base, indices, sizes);
}

scf::ForOp KernelScalars::loop(Value count,
                               llvm::function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(b, loc, index(0), count, index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
  return loop;
}

void KernelScalars::ifThen(Value condition, llvm::function_ref<void()> body,
                           llvm::function_ref<void()> otherwise) {
  auto branch = scf::IfOp::create(b, loc, condition,
                                  /*withElseRegion=*/bool(otherwise));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
  if (!otherwise) return;
  b.setInsertionPointToStart(branch.elseBlock());
  otherwise();
}

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
      paddedValueDepth(llvm::alignTo(shape.valueDepth, kUnit)) {}

Location AttentionEmitter::named(StringRef name) {
  return NameLoc::get(s.b.getStringAttr(name), s.loc);
}

Value AttentionEmitter::smem(StringRef name, ArrayRef<int64_t> shape,
                             Type element, SmemLayout layout) {
  return SmemAllocOp::create(
      s.b, named(name), SmemType::get(s.b.getContext(), shape, element, layout),
      IntegerAttr());
}

Value AttentionEmitter::fragment(StringRef name, int64_t columns, Type element,
                                 FragLayout layout) {
  return FragAllocOp::create(
      s.b, named(name),
      FragType::get(s.b.getContext(), {kUnit, columns}, element, layout));
}

Value AttentionEmitter::rowVector(StringRef name) {
  return RowVecAllocOp::create(
      s.b, named(name),
      RowVecType::get(s.b.getContext(), {kUnit}, s.b.getF32Type()));
}

void AttentionEmitter::emitQueries(RowSource queries, Value rows) {
  int64_t blockK = schedule.getBlockK();
  int64_t padded = llvm::alignTo(shape.depth, kUnit);
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
  Value rank = WarpRankOp::create(s.b, s.loc, s.b.getIndexType(), allWarps);
  int64_t split = schedule.getKeySplit();
  bool oneRowPart = schedule.getBlockQ() == kUnit;
  rowPart = oneRowPart ? s.index(0) : s.div(rank, split);
  keyPart = oneRowPart ? rank : s.rem(rank, split);
  warpRow = s.mul(rowPart, kUnit);
  warpKey = s.mul(keyPart, keysPerWarp());
  zero = s.f32(0.0);
  minusInfinity = s.f32(-std::numeric_limits<double>::infinity());
  // Of the scores as emitLogits leaves them.
  auto scale = static_cast<float>(shape.scale);
  scaleValue = s.f32(scale == 0.0f ? 1.0 : std::abs(scale));
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
  SoftmaxUpdateOp::create(s.b, s.loc, scores, output, maximum, sum, scaleValue);
  ConvertOp::create(s.b, s.loc, weights, scores);
  if (multiplyValues)
    multiplyValues(output, weights, valueTile);
  else
    MmaNnOp::create(s.b, s.loc, output, weights, valueTile, warpKey);
  SyncOp::create(s.b, s.loc, allWarps);
}

/// Masks the scores. Online softmax takes a positive scale, so a negative one
/// negates them and a zero one makes all of them zero; both before the mask,
/// since an infinite product is none of the masked cells then.
void AttentionEmitter::emitLogits(llvm::function_ref<void(Value scores)> mask) {
  auto scale = static_cast<float>(shape.scale);
  if (scale <= 0.0f)
    AffineOp::create(s.b, s.loc, scores, s.f32(scale < 0.0f ? -1.0 : 0.0),
                     zero);
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
  int64_t rowParts = schedule.getBlockQ() / kUnit;
  Value outputs = smem("outputs", {schedule.getBlockQ(), paddedValueDepth}, f32,
                       SmemLayout::Linear);
  Value states = smem("states", {2 * rowParts, kUnit}, f32, SmemLayout::Linear);
  Value maximumRow = s.mul(rowPart, 2);
  Value sumRow = s.add(maximumRow, s.index(1));
  Value otherOutput =
      fragment("other_output", paddedValueDepth, f32, FragLayout::Acc);
  Value otherMaximum = rowVector("other_maximum");
  Value otherSum = rowVector("other_sum");
  s.loop(s.index(schedule.getKeySplit() - 1), [&](Value i) {
    Value other = s.add(i, s.index(1));
    s.ifThen(s.compare(CmpIPredicate::eq, keyPart, other), [&] {
      PutFragOp::create(s.b, s.loc, outputs, warpRow, output);
      PutRowVecOp::create(s.b, s.loc, states, maximumRow, maximum);
      PutRowVecOp::create(s.b, s.loc, states, sumRow, sum);
    });
    SyncOp::create(s.b, s.loc, allWarps);
    s.ifThen(s.compare(CmpIPredicate::eq, keyPart, s.index(0)), [&] {
      TakeFragOp::create(s.b, s.loc, otherOutput, outputs, warpRow);
      TakeRowVecOp::create(s.b, s.loc, otherMaximum, states, maximumRow);
      TakeRowVecOp::create(s.b, s.loc, otherSum, states, sumRow);
      SoftmaxMergeOp::create(s.b, s.loc, output, maximum, sum, otherOutput,
                             otherMaximum, otherSum, scaleValue);
    });
    SyncOp::create(s.b, s.loc, allWarps);
  });
}

void AttentionEmitter::emitFinish(const AttentionTarget& target) {
  Value lse = rowVector("lse_rows");
  Value rows = s.min(s.max(target.rows, s.index(0)), s.index(kUnit));
  Value columns = s.index(shape.valueDepth);
  SoftmaxFinishOp::create(s.b, s.loc, output, lse, maximum, sum, scaleValue);
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
  s.ifThen(s.compare(CmpIPredicate::eq, keyPart, s.index(0)),
           [&] { emitFinish(makeTarget()); });
}
