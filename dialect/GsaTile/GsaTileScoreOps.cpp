//===- GsaTileScoreOps.cpp - constraints of scores of few queries ---------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::gsa_tile;

static LogicalResult verifyScores(Operation* op, LanesType scores) {
  if (scores.getElementType().isF32()) return success();
  return op->emitOpError() << "scores: expected lanes of f32, got " << scores;
}

LogicalResult ScoreColumnsOp::verify() {
  FragType products = getProducts().getType();
  if (!products.getElementType().isF32() ||
      products.getLayout() != FragLayout::Acc || products.getRows() != 16 ||
      products.getColumns() % 32 != 0)  // score_columns_c1
    return emitOpError() << "products: expected 16 rows and a multiple of 32 "
                            "columns of f32 of layout acc, got "
                         << products;
  LanesType scores = getScores().getType();
  if (failed(verifyScores(*this, scores))) return failure();
  int64_t numbers = products.getColumns() / 32;
  if (scores.getShape()[0] != numbers)  // score_columns_c2
    return emitOpError() << "scores: expected " << numbers
                         << " numbers a lane for " << products.getColumns()
                         << " columns, got " << scores;
  auto heads = static_cast<int64_t>(getHeads());
  if (heads < 1 || heads > 16)  // score_columns_c3
    return emitOpError() << "expected from 1 to 16 heads, got " << heads;
  SmemType constants = getConstants().getType();
  if (constants.getElementType().isF32() && !constants.isStaged() &&
      constants.getRows() >= 2 && constants.getColumns() >= heads)
    return success();
  return emitOpError() << "constants: expected two rows at least of " << heads
                       << " or more columns of f32, got " << constants;
}

LogicalResult StoreScoresOp::verify() {
  if (failed(verifyScores(*this, getScores().getType()))) return failure();
  GlobalType target = getTarget().getType();
  if (target.getElementType().isF32()) return success();  // store_scores_c1
  return emitOpError() << "target: expected f32, got " << target;
}

static LogicalResult verifyLine(Operation* op, SmemType tile, LanesType lanes) {
  if (tile.getElementType() == lanes.getElementType() && !tile.isStaged() &&
      tile.getLayout() == SmemLayout::Linear &&
      tile.getColumns() >= 32 * lanes.getShape()[0])
    return success();  // put_lanes_c1
  return op->emitOpError() << "expected a linear tile of "
                           << lanes.getElementType() << " with at least "
                           << 32 * lanes.getShape()[0] << " columns for "
                           << lanes << ", got " << tile;
}

LogicalResult PutLanesOp::verify() {
  return verifyLine(*this, getTarget().getType(), getSource().getType());
}

LogicalResult TakeLanesOp::verify() {
  return verifyLine(*this, getSource().getType(), getTarget().getType());
}

/// Constraints of ops on staged hits, where an op has up to `hits`.
static LogicalResult verifyCells(Operation* op, GlobalType list,
                                 GlobalType counts, SmemType staged,
                                 LanesType held, int64_t hits) {
  for (auto [name, type] :
       {std::pair<StringRef, GlobalType>{"list", list}, {"counts", counts}})
    if (!type.getElementType().isInteger(32))  // append_cells_c2
      return op->emitOpError() << name << ": expected i32, got " << type;
  if (!held.getElementType().isInteger(32) ||
      held.getShape()[0] != 1)  // append_cells_c3
    return op->emitOpError() << "held: expected lanes<1xi32>, got " << held;
  if (!staged.getElementType().isInteger(32) || staged.isStaged() ||
      staged.getLayout() != SmemLayout::Linear ||
      staged.getColumns() % 2 != 0)  // append_cells_c3
    return op->emitOpError()
           << "staged: expected a linear tile of i32 of lines of pairs, got "
           << staged;
  if (staged.getColumns() <= 2 * hits)  // append_cells_c3
    return op->emitOpError()
           << "staged: expected lines of more than " << hits
           << " pairs, the hits of an op, got " << staged.getColumns() / 2;
  return success();
}

LogicalResult AppendCellsOp::verify() {
  LanesType scores = getScores().getType();
  if (failed(verifyScores(*this, scores))) return failure();
  return verifyCells(*this, getList().getType(), getCounts().getType(),
                     getStaged().getType(), getHeld().getType(),
                     32 * scores.getShape()[0]);
}

LogicalResult FlushCellsOp::verify() {
  return verifyCells(*this, getList().getType(), getCounts().getType(),
                     getStaged().getType(), getHeld().getType(), /*hits=*/0);
}
