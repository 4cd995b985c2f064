//===- GsaTileCandidateOps.cpp - constraints of lists of candidates -------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::gsa_tile;

/// The widest step whose hits a lane counts in one word.
static constexpr int64_t kMaxColumns = 64;

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
  if (op.getColumns() < 32 || op.getColumns() % 32 != 0)  // count_bits_c1
    return op.emitOpError()
           << "expected a positive multiple of 32 columns, got "
           << op.getColumns();
  if (failed(verifyWords(op, "bitmap", op.getBitmap()))) return failure();
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

LogicalResult AppendCandidatesOp::verify() {
  if (failed(verifyAccumulator(*this, "scores", getScores()))) return failure();
  int64_t columns = cast<FragType>(getScores().getType()).getColumns();
  if (columns > kMaxColumns)  // append_candidates_c1
    return emitOpError() << "expected scores of at most " << kMaxColumns
                         << " columns, got " << columns;
  if (failed(verifyFloats(*this, "bounds", getBounds())) ||
      failed(verifyInts(*this, "list", getList())))
    return failure();
  return verifyInts(*this, "counts", getCounts());
}

LogicalResult FlagRowsOp::verify() {
  if (failed(verifyFloats(*this, "sums", getSums()))) return failure();
  return verifyInts(*this, "counts", getCounts());
}

LogicalResult MarkCandidatesOp::verify() {
  if (failed(verifyWords(*this, "bitmap", getBitmap()))) return failure();
  return verifyInts(*this, "list", getList());
}

LogicalResult CountBitsOp::verify() { return verifyStep(*this, getState()); }

LogicalResult ScanBitsOp::verify() {
  if (failed(verifyWords(*this, "before", getBefore()))) return failure();
  return verifyStep(*this, getCursor());
}

LogicalResult PlaceCandidatesOp::verify() {
  for (auto [name, tile] : {std::pair<StringRef, Value>{"keys", getKeys()},
                            {"cells", getCells()},
                            {"bitmap", getBitmap()},
                            {"before", getBefore()}})
    if (failed(verifyWords(*this, name, tile))) return failure();
  return verifyInts(*this, "list", getList());
}
