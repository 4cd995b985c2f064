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

LogicalResult AppendCellsOp::verify() {
  if (failed(verifyScores(*this, getScores().getType()))) return failure();
  for (auto [name, array] : {std::pair<StringRef, Value>{"list", getList()},
                             {"counts", getCounts()}}) {
    auto type = cast<GlobalType>(array.getType());
    if (!type.getElementType().isInteger(32))  // append_cells_c2
      return emitOpError() << name << ": expected i32, got " << type;
  }
  return success();
}
