//===- GsaTileSelectOps.cpp - constraints of the selection ops ------------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::gsa_tile;

LogicalResult LanesType::verify(function_ref<InFlightDiagnostic()> emitError,
                                ArrayRef<int64_t> shape, Type elementType) {
  if (!elementType.isInteger(32) && !elementType.isF32() &&
      !elementType.isF64())
    return emitError() << "expected an element type of i32, f32 or f64, got "
                       << elementType;
  if (shape.size() != 1 || shape[0] < 1 || shape[0] > 32)
    return emitError() << "expected one size from 1 to 32";
  return success();
}

//===----------------------------------------------------------------------===//
// Shared checks
//===----------------------------------------------------------------------===//

/// Whole steps of a warp.
template <typename OpTy>
static LogicalResult verifyColumns(OpTy op) {
  if (op.getColumns() >= 32 && op.getColumns() % 32 == 0) return success();
  return op.emitOpError() << "expected a positive multiple of 32 columns, got "
                          << op.getColumns();
}

/// Cells of one step: f32 scores, whole steps of a warp.
template <typename OpTy>
static LogicalResult verifyCells(OpTy op) {
  auto row = cast<GlobalType>(op.getRow().getType());
  if (!row.getElementType().isF32())  // scan_row_c1
    return op.emitOpError() << "expected scores of f32, got " << row;
  return verifyColumns(op);  // scan_row_c1
}

static LogicalResult verifyLanes(Operation* op, Type type, int64_t size,
                                 Type elementType) {
  auto lanes = cast<LanesType>(type);
  if (lanes.getShape()[0] == size && lanes.getElementType() == elementType)
    return success();
  return op->emitOpError() << "expected lanes of " << size << 'x' << elementType
                           << ", got " << type;
}

/// Lanes of scores, counts of each warp.
template <typename OpTy>
static LogicalResult verifyMarked(OpTy op) {
  auto scores = cast<LanesType>(op.getScores().getType());
  if (!scores.getElementType().isF32())  // mark_scores_c1
    return op.emitOpError() << "expected scores of f32, got " << scores;
  auto counts = cast<SmemType>(op.getCounts().getType());
  if (!counts.getElementType().isInteger(32) || counts.isStaged() ||
      counts.getColumns() > 32)  // mark_scores_c1
    return op.emitOpError()
           << "expected counts of i32 of at most 32 warps, got " << counts;
  return success();
}

/// An i32 tile of one row with at least `columns` columns.
static LogicalResult verifyCounters(Operation* op, StringRef name, Value tile,
                                    int64_t columns) {
  auto type = cast<SmemType>(tile.getType());
  if (type.getElementType().isInteger(32) && !type.isStaged() &&
      type.getRows() == 1 && type.getColumns() >= columns)
    return success();
  return op->emitOpError() << name << ": expected one row of at least "
                           << columns << " i32, got " << type;
}

static LogicalResult verifyTotals(Operation* op, Value tile, Value lanes) {
  auto target = cast<SmemType>(tile.getType());
  auto source = cast<LanesType>(lanes.getType());
  if (target.isStaged() || target.getColumns() < source.getShape()[0] ||
      target.getElementType() != source.getElementType())  // store_totals_c1
    return op->emitOpError() << "expected a tile of " << source.getElementType()
                             << " with at least " << source.getShape()[0]
                             << " columns, got " << target;
  return success();
}

template <typename OpTy>
static LogicalResult verifyCountsOfCells(OpTy op, Value state, int64_t size) {
  if (failed(verifyCells(op))) return failure();
  return verifyLanes(op, state.getType(), size,
                     Builder(op.getContext()).getI32Type());
}

template <typename OpTy>
static LogicalResult verifySumOfCells(OpTy op) {
  if (failed(verifyCells(op))) return failure();
  return verifyLanes(op, op.getSum().getType(), 1,
                     Builder(op.getContext()).getF64Type());
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

LogicalResult StoreTotalsOp::verify() {
  return verifyTotals(*this, getTarget(), getSource());
}

LogicalResult PublishScanOp::verify() {
  return verifyTotals(*this, getTarget(), getState());
}

LogicalResult ScanRowOp::verify() {
  return verifyCountsOfCells(*this, getState(), 5);
}

LogicalResult FiniteRowOp::verify() {
  if (failed(verifyCells(*this))) return failure();
  return verifyLanes(*this, getState().getType(), 2,
                     Builder(getContext()).getF64Type());
}

LogicalResult SumRowOp::verify() { return verifySumOfCells(*this); }
LogicalResult SquaresRowOp::verify() { return verifySumOfCells(*this); }
LogicalResult ExpRowOp::verify() { return verifySumOfCells(*this); }
LogicalResult EntropyRowOp::verify() { return verifySumOfCells(*this); }

LogicalResult HistogramRowOp::verify() {
  if (failed(verifyCells(*this))) return failure();
  return verifyCounters(*this, "histogram", getHistogram(), 32);
}

LogicalResult FindRankOp::verify() {
  int64_t bins = getBins();
  if (bins < 32 || bins > 8192 || !llvm::isPowerOf2_64(bins))  // find_rank_c2
    return emitOpError() << "expected a power of two from 32 to 8192 bins, got "
                         << bins;
  if (failed(verifyCounters(*this, "histogram", getHistogram(), bins)))
    return failure();
  return verifyCounters(*this, "found", getFound(), 3);
}

LogicalResult LoadScoresOp::verify() {
  if (failed(verifyCells(*this))) return failure();
  return verifyLanes(*this, getScores().getType(), getColumns() / 32,
                     Builder(getContext()).getF32Type());
}

LogicalResult MarkScoresOp::verify() { return verifyMarked(*this); }

LogicalResult KeepCellsOp::verify() {
  if (failed(verifyMarked(*this)) ||
      failed(verifyCounters(*this, "keys", getKeys(), 1)))
    return failure();
  int64_t capacity = cast<SmemType>(getKeys().getType()).getColumns();
  if (failed(verifyCounters(*this, "cells", getCells(), capacity)))
    return failure();
  return verifyLanes(*this, getKept().getType(), 1,
                     Builder(getContext()).getI32Type());
}

LogicalResult RadixKeysOp::verify() {
  if (failed(verifyCounters(*this, "histogram", getHistogram(), 256)))
    return failure();
  return verifyCounters(*this, "keys", getKeys(), 1);
}

LogicalResult RadixRowOp::verify() {
  if (failed(verifyCells(*this))) return failure();
  return verifyCounters(*this, "histogram", getHistogram(), 256);
}

LogicalResult CountRowOp::verify() {
  return verifyCountsOfCells(*this, getState(), 2);
}

/// Positions go where they can be stored.
template <typename OpTy>
static LogicalResult verifyPositions(OpTy op) {
  auto target = cast<GlobalType>(op.getTarget().getType());
  if (target.getElementType().isInteger(32)) return success();  // emit_row_c2
  return op.emitOpError() << "expected positions of i32, got " << target;
}

LogicalResult EmitRowOp::verify() {
  if (failed(verifyPositions(*this))) return failure();
  return verifyCountsOfCells(*this, getCursor(), 2);
}

LogicalResult CountKeptOp::verify() {
  if (failed(verifyColumns(*this)) ||
      failed(verifyCounters(*this, "keys", getKeys(), 1)))
    return failure();
  return verifyLanes(*this, getState().getType(), 2,
                     Builder(getContext()).getI32Type());
}

LogicalResult EmitKeptOp::verify() {
  if (failed(verifyPositions(*this)) || failed(verifyColumns(*this)) ||
      failed(verifyCounters(*this, "keys", getKeys(), 1)) ||
      failed(verifyCounters(*this, "cells", getCells(), 1)))
    return failure();
  return verifyLanes(*this, getCursor().getType(), 2,
                     Builder(getContext()).getI32Type());
}

LogicalResult SortStepOp::verify() {
  if (failed(verifyCounters(*this, "keys", getKeys(), 2)) ||
      failed(verifyCounters(*this, "cells", getCells(), 2)))
    return failure();
  int64_t size = cast<SmemType>(getKeys().getType()).getColumns();
  if (!llvm::isPowerOf2_64(size) ||  // sort_step_c1
      cast<SmemType>(getCells().getType()).getColumns() != size)
    return emitOpError() << "expected keys and cells of equal length, a power "
                            "of two, got "
                         << getKeys().getType() << " and "
                         << getCells().getType();
  return success();
}

//===----------------------------------------------------------------------===//
// Rows that take all keys
//===----------------------------------------------------------------------===//

/// An array whose elements are i32.
static LogicalResult verifyI32(Operation* op, Value array) {
  auto type = cast<GlobalType>(array.getType());
  if (type.getElementType().isInteger(32)) return success();
  return op->emitOpError() << "expected an array of i32, got " << type;
}

LogicalResult CountBeyondOp::verify() {
  auto type = cast<GlobalType>(getArray().getType());
  auto element = dyn_cast<FloatType>(type.getElementType());
  int64_t vector = getVector();
  int64_t bytes = element ? vector * (element.getWidth() / 8) : 0;
  if (vector < 1 || bytes < 2 || bytes > 16 ||
      !llvm::isPowerOf2_64(bytes))  // count_beyond_c1
    return emitOpError()
           << "expected an array of floats and vectors of 2, 4, 8 "
              "or 16 bytes, got "
           << type << " by " << vector;
  auto columns = static_cast<int64_t>(getColumns());
  if (columns < 1 || columns % (32 * vector) != 0)  // count_beyond_c2
    return emitOpError() << "expected a positive multiple of " << 32 * vector
                         << " columns, got " << columns;
  return verifyLanes(*this, getState().getType(), 1,
                     Builder(getContext()).getI32Type());  // count_beyond_c3
}

LogicalResult ListAllOp::verify() {
  if (failed(verifyI32(*this, getTarget()))) return failure();  // list_all_c1
  if (llvm::is_contained({1, 2, 4}, static_cast<int64_t>(getVector())))
    return success();
  return emitOpError() << "expected vectors of 1, 2 or 4 entries, got "
                       << getVector();
}

LogicalResult AnySetOp::verify() {
  return verifyI32(*this, getFlags());  // any_set_c1
}

LogicalResult AnyShortOp::verify() {
  if (failed(verifyI32(*this, getCounts()))) return failure();  // any_short_c1
  if (getStep() <= 1) return success();
  return emitOpError() << "expected a step of 0 or 1, got " << getStep();
}
