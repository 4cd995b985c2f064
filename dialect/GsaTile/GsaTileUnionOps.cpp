//===- GsaTileUnionOps.cpp - constraints of the ops on unions -------------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::gsa_tile;

/// Arrays of the op that hold keys, words or counts.
static LogicalResult verifyNumbers(Operation* op, ValueRange arrays) {
  for (Value array : arrays)
    if (!cast<GlobalType>(array.getType()).getElementType().isInteger(32))
      return op->emitOpError()
             << "expected an array of i32, got " << array.getType();
  return success();
}

static LogicalResult verifySteps(Operation* op, uint64_t columns) {
  if (columns >= 32 && columns % 32 == 0) return success();
  return op->emitOpError() << "expected a positive multiple of 32 columns, got "
                           << columns;
}

static LogicalResult verifyTable(Operation* op, Value table) {
  auto type = cast<SmemType>(table.getType());
  if (type.getElementType().isInteger(32) && !type.isStaged() &&
      type.getRows() == 1)
    return success();
  return op->emitOpError() << "expected a table of one row of i32, got "
                           << type;
}

static LogicalResult verifyCounter(Operation* op, Value lanes,
                                   int64_t count = 1) {
  auto type = cast<LanesType>(lanes.getType());
  if (type.getShape()[0] == count && type.getElementType().isInteger(32))
    return success();
  return op->emitOpError() << "expected lanes of " << count << "xi32, got "
                           << type;
}

/// Steps over a table, with a number for each kind.
static LogicalResult verifyKinds(Operation* op, Value table, uint64_t columns,
                                 Value lanes, uint64_t half) {
  if (failed(verifyTable(op, table)) || failed(verifySteps(op, columns)) ||
      failed(verifyCounter(op, lanes, kUnionKinds)))
    return failure();
  if (half >= 1 && half <= 31) return success();
  return op->emitOpError() << "expected a half of 1 to 31 queries, got "
                           << half;
}

LogicalResult CheckListOp::verify() {
  if (failed(verifyNumbers(*this, getList())) ||  // check_list_c1
      failed(verifySteps(*this, getColumns())))
    return failure();
  return verifyCounter(*this, getState());  // check_list_c2
}

LogicalResult MarkMembersOp::verify() {
  if (failed(verifyNumbers(*this, getList())) ||  // mark_members_c1
      failed(verifySteps(*this, getColumns())))
    return failure();
  return verifyTable(*this, getTable());  // mark_members_c2
}

LogicalResult CountMembersOp::verify() {
  if (failed(verifyTable(*this, getTable())) ||  // count_members_c1
      failed(verifySteps(*this, getColumns())))
    return failure();
  return verifyCounter(*this, getState());  // count_members_c2
}

LogicalResult EmitMembersOp::verify() {
  if (failed(verifyTable(*this, getTable())) ||  // emit_members_c1
      failed(verifySteps(*this, getColumns())) ||
      failed(verifyCounter(*this, getCursor())))
    return failure();
  return verifyNumbers(*this, {getKeys(), getWords()});  // emit_members_c2
}

LogicalResult CountKindsOp::verify() {
  // count_kinds_c1, count_kinds_c2, count_kinds_c3
  return verifyKinds(*this, getTable(), getColumns(), getState(), getHalf());
}

LogicalResult EmitKindsOp::verify() {
  if (failed(verifyKinds(*this, getTable(), getColumns(), getCursor(),
                         getHalf())))  // emit_kinds_c1
    return failure();
  return verifyNumbers(*this, {getKeys(), getWords()});  // emit_kinds_c2
}

LogicalResult TransposeMembersOp::verify() {
  if (failed(verifyNumbers(*this, {getBits(), getWords()})))
    return failure();    // transpose_members_c1
  if (getStrings() < 1)  // transpose_members_c2
    return emitOpError() << "expected at least one string, got "
                         << getStrings();
  if (getBlock() >= 32 && getBlock() % 32 == 0) return success();
  return emitOpError() << "expected blocks of a positive multiple of 32 keys, "
                          "got "
                       << getBlock();  // transpose_members_c2
}

/// A tile that is read or cleared by vectors.
static LogicalResult verifyChunks(Operation* op, SmemType tile) {
  Type element = tile.getElementType();
  int64_t bytes = tile.getColumns() * element.getIntOrFloatBitWidth() / 8;
  if (!tile.isStaged() && isa<FloatType>(element) && bytes % 16 == 0)
    return success();
  return op->emitOpError() << "expected a tile of floats with rows of whole "
                              "16-byte chunks, got "
                           << tile;
}

LogicalResult AnyNotFiniteOp::verify() {
  if (failed(verifyChunks(*this, getSource().getType())))
    return failure();  // any_not_finite_c1
  auto kernel = (*this)->getParentOfType<KernelOp>();
  if (!kernel ||
      (getTeam().getFirst() == 0 && getTeam().getCount() == kernel.getWarps()))
    return success();
  return emitOpError() << "expected all " << kernel.getWarps()
                       << " warps of the block, got "
                       << getTeam();  // any_not_finite_c2
}
LogicalResult DropRowsOp::verify() {
  return verifyChunks(*this, getTarget().getType());  // drop_rows_c1
}

LogicalResult AppendOp::verify() {
  return verifyNumbers(*this, {getList(), getCount()});  // append_c1
}

/// A table that has a row for each warp.
static LogicalResult verifyRowsOfWords(Operation* op, Value table) {
  auto type = cast<SmemType>(table.getType());
  if (type.getElementType().isInteger(32) && !type.isStaged()) return success();
  return op->emitOpError() << "expected a table of i32, got " << type;
}

LogicalResult MarkKeysOp::verify() {
  if (failed(verifyNumbers(*this, getList())) ||  // mark_keys_c1
      failed(verifySteps(*this, getColumns())))
    return failure();
  if (failed(verifyRowsOfWords(*this, getTable())))  // mark_keys_c2
    return failure();
  auto vector = static_cast<int64_t>(getVector());
  if (llvm::is_contained({1, 2, 4}, vector) &&
      static_cast<int64_t>(getColumns()) % (32 * vector) == 0)  // mark_keys_c3
    return success();
  return emitOpError()
         << "expected vectors of 1, 2 or 4 entries and a multiple "
            "of 32 of them, got "
         << getColumns() << " columns by " << vector;
}

LogicalResult StoreStringsOp::verify() {
  if (failed(verifyNumbers(*this, getBits())) ||  // store_strings_c1
      failed(verifyRowsOfWords(*this, getTable())))
    return failure();
  int64_t columns = cast<SmemType>(getTable().getType()).getColumns();
  auto words = static_cast<int64_t>(getWords());
  auto strings = static_cast<int64_t>(getStrings());
  if (strings >= 1 && words >= 1 && columns % words == 0) return success();
  return emitOpError() << "expected whole strings of " << columns
                       << " words and at least one string, got " << strings
                       << " of " << words << " words";  // store_strings_c2
}
