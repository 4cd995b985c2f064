//===- GsaTileCandidateOps.cpp - constraints of lists of candidates -------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::gsa_tile;

static LogicalResult verifyInts(Operation* op, StringRef name, Value pointer) {
  auto type = cast<GlobalType>(pointer.getType());
  if (type.getElementType().isInteger(32)) return success();
  return op->emitOpError() << name << ": expected i32, got " << type;
}

static LogicalResult verifyFloats(Operation* op, StringRef name, Value rows) {
  auto type = cast<RowVecType>(rows.getType());
  if (type.getElementType().isF32()) return success();
  return op->emitOpError() << name << ": expected f32, got " << type;
}

static LogicalResult verifyAccumulator(Operation* op, StringRef name,
                                       Value frag) {
  auto type = cast<FragType>(frag.getType());
  if (type.getElementType().isF32() && type.getLayout() == FragLayout::Acc)
    return success();
  return op->emitOpError() << name << ": expected f32 of layout acc, got "
                           << type;
}

/// One row of i32.
static LogicalResult verifyWords(Operation* op, StringRef name, Value tile) {
  auto type = cast<SmemType>(tile.getType());
  if (type.getElementType().isInteger(32) && !type.isStaged() &&
      type.getRows() == 1)
    return success();
  return op->emitOpError() << name << ": expected one row of i32, got " << type;
}

/// A step of a warp over words of a bitmap.
template <typename OpTy>
static LogicalResult verifyStep(OpTy op, Value state) {
  if (op.getColumns() < 128 || op.getColumns() % 128 != 0)  // count_bits_c1
    return op.emitOpError()
           << "expected a positive multiple of 128 columns, got "
           << op.getColumns();
  if (failed(verifyWords(op, "bitmap", op.getBitmap()))) return failure();
  int64_t words = op.getBitmap().getType().getColumns();
  if (words % 4 != 0)
    return op.emitOpError()
           << "expected a bitmap of a multiple of 4 words, got " << words;
  auto type = cast<LanesType>(state.getType());
  if (type.getShape()[0] == 2 &&
      type.getElementType().isInteger(32))  // count_bits_c2
    return success();
  return op.emitOpError() << "expected lanes of 2xi32, got " << type;
}

LogicalResult AddPartialSumsOp::verify() {
  if (failed(verifyFloats(*this, "sums", getSums()))) return failure();
  return verifyAccumulator(*this, "fragment", getFrag());
}

LogicalResult AddPartialMomentsOp::verify() {
  if (failed(verifyFloats(*this, "sums", getSums()))) return failure();
  return verifyAccumulator(*this, "fragment", getFrag());
}

LogicalResult JoinPartialSumsOp::verify() {
  return verifyFloats(*this, "sums", getSums());
}

/// A lane's line has room for `most` pairs, and for those that are no whole
/// sector and stay staged.
static LogicalResult verifyRoom(Operation* op, SmemType staged, int64_t most) {
  int64_t least = 2 * (most + 4), columns = staged.getColumns();
  if (columns >= least && columns % 4 == 0) return success();
  return op->emitOpError()
         << "staged: expected lines of a multiple of 4 columns, at least "
         << least << ", the hits of an op and 4 more, got " << columns;
}

/// What `halves` times 8 rows of a warp have staged.
template <typename OpTy>
static LogicalResult verifyStage(OpTy op, int64_t halves) {
  LanesType bytes = op.getBytes().getType();
  if (!bytes.getElementType().isInteger(32) ||
      bytes.getShape()[0] != halves)  // append_candidates_c3
    return op.emitOpError()
           << "bytes: expected lanes of " << halves << "xi32, got " << bytes;
  SmemType staged = op.getStaged().getType();
  if (staged.getElementType().isInteger(32) && !staged.isStaged() &&
      staged.getLayout() == SmemLayout::Linear && staged.getColumns() % 2 == 0)
    return success();
  return op.emitOpError() << "staged: expected linear lines of pairs of i32, "
                             "got "
                          << staged;
}

/// The same with lists.
template <typename OpTy>
static LogicalResult verifyStaging(OpTy op, int64_t halves) {
  if (failed(verifyInts(op, "list", op.getList())) ||
      failed(verifyInts(op, "counts", op.getCounts())))
    return failure();
  return verifyStage(op, halves);
}

LogicalResult AppendCandidatesOp::verify() {
  if (failed(verifyAccumulator(*this, "scores", getScores())) ||
      failed(verifyFloats(*this, "bounds", getBounds())))
    return failure();
  FragType scores = getScores().getType();
  RowVecType bounds = getBounds().getType();
  if (bounds.getShape()[0] != scores.getRows())  // append_candidates_c1
    return emitOpError() << "bounds: expected " << scores.getRows()
                         << " rows, got " << bounds;
  if (failed(verifyStaging(*this, scores.getRows() / 8))) return failure();
  // A lane has 2 of 8 columns.
  return verifyRoom(*this, getStaged().getType(), scores.getColumns() / 4);
}

LogicalResult StageProductsOp::verify() {
  FragType sum = getSum().getType(), product = getProduct().getType();
  auto rowsOf = [&](int64_t rows) {
    return RowVecType::get(getContext(), {rows}, sum.getElementType());
  };
  bool areSums =
      sum.getLayout() == FragLayout::Acc && sum.getElementType().isF32();
  auto rowsOfProduct = FragType::get(getContext(), {16, sum.getColumns()},
                                     sum.getElementType(), sum.getLayout());
  if (!areSums || sum.getRows() != 8 || product != rowsOfProduct ||
      getWeights().getType() != rowsOf(16) ||
      getOffsets().getType() != rowsOf(16) ||
      getSums().getType() != rowsOf(8) ||
      getBounds().getType() != rowsOf(8))  // stage_products_c1
    return emitOpError()
           << "expected f32 of layout acc, 16 rows to add to 8 of as many "
              "columns, got "
           << product << " with " << getOffsets().getType() << " and "
           << getWeights().getType() << " to " << sum << " and "
           << getSums().getType() << " above " << getBounds().getType();
  if (failed(verifyStage(*this, 1))) return failure();  // stage_products_c2
  return verifyRoom(*this, getStaged().getType(), sum.getColumns() / 4);
}

LogicalResult DrainCandidatesOp::verify() {
  if (failed(verifyStaging(*this, getBytes().getType().getShape()[0])))
    return failure();
  return verifyRoom(*this, getStaged().getType(),
                    static_cast<int64_t>(getRoom()));  // drain_candidates_c2
}

LogicalResult FlushCandidatesOp::verify() {
  return verifyStaging(*this, getBytes().getType().getShape()[0]);
}

LogicalResult FlagRowsOp::verify() {
  if (failed(verifyFloats(*this, "sums", getSums()))) return failure();
  return verifyInts(*this, "counts", getCounts());
}

/// The candidates of a thread.
static LogicalResult verifyLanes(Operation* op, LanesType scores,
                                 LanesType cells) {
  if (scores.getElementType().isF32() && cells.getElementType().isInteger(32) &&
      scores.getShape() == cells.getShape())  // load_candidates_c1
    return success();
  return op->emitOpError()
         << "expected scores of f32 and as many cells of i32, "
            "got "
         << scores << " and " << cells;
}

static LogicalResult verifyLength(Operation* op, StringRef name, Value tile,
                                  int64_t least) {
  if (failed(verifyWords(op, name, tile))) return failure();
  auto type = cast<SmemType>(tile.getType());
  if (type.getColumns() >= least) return success();
  return op->emitOpError() << name << ": expected at least " << least
                           << " columns, got " << type;
}

LogicalResult LoadCandidatesOp::verify() {
  if (failed(verifyLanes(*this, getScores().getType(), getCells().getType())) ||
      failed(verifyLength(*this, "range", getRange(), 3)))
    return failure();
  return verifyInts(*this, "list", getList());  // load_candidates_c2
}

LogicalResult FetchCandidatesOp::verify() {
  if (failed(verifyLanes(*this, getScores().getType(), getCells().getType())))
    return failure();                           // fetch_candidates_c1
  return verifyInts(*this, "list", getList());  // fetch_candidates_c2
}

LogicalResult RangeCandidatesOp::verify() {
  if (failed(verifyLanes(*this, getScores().getType(), getCells().getType())))
    return failure();                                  // range_candidates_c1
  return verifyLength(*this, "range", getRange(), 3);  // range_candidates_c2
}

LogicalResult LoadRowOp::verify() {
  if (failed(verifyLanes(*this, getScores().getType(), getCells().getType())) ||
      failed(verifyLength(*this, "range", getRange(), 4)))
    return failure();
  auto row = cast<GlobalType>(getRow().getType());
  if (row.getElementType().isF32()) return success();  // load_row_c2
  return emitOpError() << "expected a row of f32, got " << row;
}

LogicalResult HistogramCandidatesOp::verify() {
  if (failed(verifyWords(*this, "histogram", getHistogram()))) return failure();
  return verifyLanes(*this, getScores().getType(), getCells().getType());
}

LogicalResult DropBelowOp::verify() {
  return verifyLanes(*this, getScores().getType(), getCells().getType());
}

LogicalResult MarkAboveOp::verify() {
  for (auto [name, tile] : {std::pair<StringRef, Value>{"bitmap", getBitmap()},
                            {"keys", getKeys()},
                            {"kept", getKept()}})
    if (failed(verifyWords(*this, name, tile))) return failure();
  if (failed(verifyLength(*this, "found", getFound(), 4))) return failure();
  return verifyLanes(*this, getScores().getType(), getCells().getType());
}

LogicalResult MarkBestOp::verify() {
  for (auto [name, tile] : {std::pair<StringRef, Value>{"bitmap", getBitmap()},
                            {"keys", getKeys()},
                            {"kept", getKept()}})
    if (failed(verifyWords(*this, name, tile))) return failure();
  return success();
}

LogicalResult MarkForcedOp::verify() {
  return verifyWords(*this, "bitmap", getBitmap());
}

LogicalResult CountBitsOp::verify() { return verifyStep(*this, getState()); }

LogicalResult ScanBitsOp::verify() {
  if (failed(verifyWords(*this, "before", getBefore()))) return failure();
  return verifyStep(*this, getCursor());
}

LogicalResult PlaceScoresOp::verify() {
  SmemType target = getTarget().getType();
  if (target.isStaged() || target.getRows() != 1 ||
      !target.getElementType().isF32())
    return emitOpError() << "target: expected one row of f32, got "
                         << target;  // place_scores_c1
  for (auto [name, tile] : {std::pair<StringRef, Value>{"bitmap", getBitmap()},
                            {"before", getBefore()}})
    if (failed(verifyWords(*this, name, tile))) return failure();
  return verifyLanes(*this, getScores().getType(), getCells().getType());
}

LogicalResult LookUpCellsOp::verify() {
  if (failed(verifyWords(*this, "cells", getCells()))) return failure();
  auto list = cast<GlobalType>(getList().getType());
  if (list.getElementType().isInteger(32)) return success();
  return emitOpError() << "expected a list of i32, got "
                       << list;  // look_up_cells_c2
}

LogicalResult PlaceMarkedOp::verify() {
  for (auto [name, tile] : {std::pair<StringRef, Value>{"target", getTarget()},
                            {"bitmap", getBitmap()},
                            {"before", getBefore()}})
    if (failed(verifyWords(*this, name, tile))) return failure();
  LanesType cells = getCells().getType();
  if (cells.getElementType().isInteger(32)) return success();
  return emitOpError() << "cells: expected lanes of i32, got " << cells;
}
