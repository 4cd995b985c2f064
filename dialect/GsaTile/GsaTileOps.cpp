//===- GsaTileOps.cpp - verifiers of copies and products ------------------===//

#include "dialect/GsaTile/GsaTileOps.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::gsa_tile;

/// What all views have in common.
static LogicalResult verifyView(Operation* op, GlobalType base, RowsType rows,
                                RowKind kind) {
  if (rows.getKind() != kind)
    return op->emitOpError() << "expected rows of kind "
                             << stringifyRowKind(kind) << ", got " << rows;
  bool writes = rows.getAccess() != RowAccess::Read;
  if (rows.getElementType() != base.getElementType() ||
      (writes && base.getAccess() == Access::Read))  // strided_rows_c1
    return op->emitOpError()
           << "expected rows like their array " << base << ", got " << rows;
  for (Value operand : op->getOperands().drop_front()) {
    Type type = operand.getType();
    Type element = isa<SmemType>(type) ? cast<SmemType>(type).getElementType()
                   : isa<GlobalType>(type)
                       ? cast<GlobalType>(type).getElementType()
                       : Type();
    if (element && !element.isInteger(32))
      return op->emitOpError()
             << "expected lists and tables of i32, got " << type;
  }
  return success();
}

#define GET_OP_CLASSES
#include "dialect/GsaTile/GsaTileOps.cpp.inc"

LogicalResult AtOp::verify() {
  if (getIndices().size() != getSizes().size() + 1)  // at_c1
    return emitOpError() << "expected one size less than indices, got "
                         << getIndices().size() << " indices and "
                         << getSizes().size() << " sizes";
  return success();
}

static LogicalResult verifyTile(Operation* op, SmemType tile, RowsType rows) {
  if (tile.getElementType() != rows.getElementType())
    return op->emitOpError()
           << "expected rows and tile of one element type, got "
           << rows.getElementType() << " and " << tile.getElementType();
  if (tile.isStaged())
    return op->emitOpError() << "expected a single stage, got " << tile;
  return success();
}

static int64_t getRowBytes(SmemType tile) {
  return tile.getColumns() * getElementBytes(tile.getElementType());
}

LogicalResult CopyRowsOp::verify() {
  SmemType target = getTarget().getType();
  if (failed(verifyTile(*this, target, getView().getType()))) return failure();
  auto bytes = static_cast<int64_t>(getVectorBytes());
  int64_t element = getElementBytes(target.getElementType());
  bool known = bytes == 16 || bytes == 8 || bytes == 4 || bytes == 2;
  if (!known || bytes < element)
    return emitOpError()
           << "expected vectors of 16, 8, 4 or 2 bytes that hold an element of "
           << element << " bytes, got " << bytes;
  if (getRowBytes(target) % bytes != 0)
    return emitOpError() << "expected rows of whole vectors, got rows of "
                         << getRowBytes(target) << " bytes and vectors of "
                         << bytes;
  if (auto found = dyn_cast<FoundRowsType>(getFirst().getType())) {
    auto expected = FoundRowsType::get(getContext(), target.getRows(),
                                       getRowBytes(target) / bytes, getTeam());
    if (found != expected)  // copy_rows_c1
      return emitOpError() << "expected rows found as " << expected << ", got "
                           << found;
  }
  return success();
}

/// What the bulk engine asks of a tile.
static LogicalResult verifyBulk(Operation* op, SmemType tile) {
  if (tile.getLayout() == SmemLayout::Linear && getRowBytes(tile) % 16 == 0)
    return success();
  return op->emitOpError()
         << "expected a linear tile with rows of a multiple of 16 bytes, got "
         << tile;
}

LogicalResult BulkRowsOp::verify() {
  if (failed(verifyTile(*this, getTarget().getType(), getView().getType())) ||
      failed(verifyBulk(*this, getTarget().getType())))  // bulk_rows_c1
    return failure();
  if (!getRing() != !getIteration())  // bulk_rows_c2
    return emitOpError() << "expected a ring and an iteration, or neither";
  return success();
}

LogicalResult FindRowsOp::verify() {
  auto expected =
      FoundRowsType::getChecked([&] { return emitOpError(); }, getContext(),
                                static_cast<int64_t>(getRows()),
                                static_cast<int64_t>(getUnits()), getTeam());
  if (!expected) return failure();
  if (getResult().getType() == expected) return success();
  return emitOpError() << "expected a result of type " << expected << ", got "
                       << getResult().getType();
}

static LogicalResult verifyAccumulated(Operation* op, RowsType rows) {
  if (rows.getAccess() == RowAccess::Accumulate) return success();
  return op->emitOpError() << "expected rows that accumulate, got " << rows;
}

/// Rows of a tile that the bulk engine adds to `rows`.
static LogicalResult verifyReduced(Operation* op, SmemType source,
                                   RowsType rows) {
  if (failed(verifyAccumulated(op, rows)) ||  // reduce_rows_c1, reduce_tile_c1
      failed(verifyTile(op, source, rows)))
    return failure();
  return verifyBulk(op, source);  // reduce_rows_c2, reduce_tile_c2
}

LogicalResult ReduceRowsOp::verify() {
  return verifyReduced(*this, getSource().getType(), getView().getType());
}
LogicalResult ReduceTileOp::verify() {
  return verifyReduced(*this, getSource().getType(), getView().getType());
}

LogicalResult AccumulateRowsOp::verify() {
  FragType source = getSource().getType();
  if (failed(verifyAccumulated(*this, getView().getType())))
    return failure();  // accumulate_rows_c1
  if (source.getElementType().isF32() && source.getLayout() == FragLayout::Acc)
    return success();
  return emitOpError() << "expected a fragment of f32 of layout acc, got "
                       << source;  // accumulate_rows_c2
}

LogicalResult LoadLhsTransposedOp::verify() {
  FragType target = getTarget().getType();
  SmemType source = getSource().getType();
  if (target.getLayout() != FragLayout::Lhs || source.isStaged() ||
      target.getElementType() !=
          source.getElementType())  // load_lhs_transposed_c1
    return emitOpError()
           << "expected a fragment of layout lhs and one stage of "
              "its element type, got "
           << target << " and " << source;
  if (source.getRows() >= target.getColumns() &&
      source.getColumns() >= target.getRows())
    return success();
  return emitOpError() << "expected a tile of at least " << target.getColumns()
                       << "x" << target.getRows() << ", got "
                       << source;  // load_lhs_transposed_c2
}

static LogicalResult verifyWritten(Operation* op, RowsType rows) {
  if (rows.getAccess() == RowAccess::Write) return success();
  return op->emitOpError() << "expected rows that are written, got " << rows;
}

LogicalResult StoreRowsOp::verify() {
  return verifyWritten(*this, getView().getType());
}
LogicalResult StoreTileOp::verify() {
  RowsType rows = getView().getType();
  if (failed(verifyWritten(*this, rows))) return failure();  // store_tile_c1
  uint64_t vector = getVectorBytes();
  int64_t element = rows.getElementType().getIntOrFloatBitWidth() / 8;
  int64_t row = getSource().getType().getColumns() * element;
  if (llvm::isPowerOf2_64(vector) && vector >= static_cast<uint64_t>(element) &&
      vector <= 16 && row % static_cast<int64_t>(vector) == 0)
    return success();
  return emitOpError() << "expected vectors of " << element
                       << " to 16 bytes that a row of " << row
                       << " bytes is whole ones of, got " << vector;
}

/// The rows of a fragment that an op moves: one or both halves.
static LogicalResult verifyHalves(Operation* op, uint64_t rows) {
  if (rows == 8 || rows == 16) return success();
  return op->emitOpError() << "expected 8 or 16 rows, got " << rows;
}
LogicalResult PutFragOp::verify() {  // put_frag_c1
  return verifyHalves(*this, getRows());
}
LogicalResult TakeFragOp::verify() {  // take_frag_c1
  return verifyHalves(*this, getRows());
}

LogicalResult GateTileOp::verify() {
  SmemType target = getTarget().getType(), gate = getGate().getType();
  if (target.isStaged() || gate.isStaged() ||
      target.getRows() != gate.getRows() ||
      target.getColumns() != gate.getColumns() || target.getColumns() % 8 != 0)
    return emitOpError()
           << "expected two tiles of one shape with a multiple of "
              "8 columns, got "
           << target << " and " << gate;  // gate_tile_c1
  if (!target.getElementType().isF32())
    return emitOpError() << "expected a target of f32, got "
                         << target;  // gate_tile_c2
  return success();
}
LogicalResult MergePartsOp::verify() {
  if (failed(verifyWritten(*this, getOutput().getType())))  // merge_parts_c1
    return failure();
  return verifyWritten(*this, getLse().getType());  // merge_parts_c1
}
LogicalResult StoreRowVecOp::verify() {
  return verifyWritten(*this, getView().getType());
}

//===----------------------------------------------------------------------===//
// Interfaces of copies
//===----------------------------------------------------------------------===//

/// cp.async moves 4 bytes or more; less is stored by ordinary instructions.
static CopyEngine getLaneEngine(uint64_t vectorBytes) {
  return vectorBytes > 2 ? CopyEngine::CpAsync : CopyEngine::Stores;
}

static AsyncKind getKind(CopyEngine engine) {
  switch (engine) {
    case CopyEngine::Stores:
      return AsyncKind::None;
    case CopyEngine::CpAsync:
      return AsyncKind::Copy;
    case CopyEngine::Bulk:
      return AsyncKind::Bulk;
  }
  llvm_unreachable("unknown engine");
}

CopyEngine CopyRowsOp::getEngine() { return getLaneEngine(getVectorBytes()); }
AsyncKind CopyRowsOp::getAsyncKind() { return getKind(getEngine()); }
CopyEngine BulkRowsOp::getEngine() { return CopyEngine::Bulk; }
AsyncKind BulkRowsOp::getAsyncKind() { return AsyncKind::Bulk; }
Value BulkRowsOp::getArrival() { return getRing(); }
void BulkRowsOp::setArrival(Value ring, Value iteration) {
  getRingMutable().assign(ring);
  getIterationMutable().assign(iteration);
}
AsyncKind ReduceRowsOp::getAsyncKind() { return AsyncKind::Reduce; }
AsyncKind ReduceWaitOp::getAsyncKind() { return AsyncKind::Reduce; }
AsyncKind ReduceTileOp::getAsyncKind() { return AsyncKind::Reduce; }
AsyncKind ReduceTileWaitOp::getAsyncKind() { return AsyncKind::Reduce; }
AsyncKind RingCommitOp::getAsyncKind() {
  return getAsynchronous() ? AsyncKind::Copy : AsyncKind::None;
}
AsyncKind CopyWaitOp::getAsyncKind() { return AsyncKind::Copy; }

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static ProductUnit getWarpUnit(FragType lhs) {
  return lhs.getElementType().isF32() ? ProductUnit::Fma : ProductUnit::MmaSync;
}

ProductUnit MmaNtOp::getUnit() { return getWarpUnit(getLhs().getType()); }
ProductUnit MmaNnOp::getUnit() { return getWarpUnit(getLhs().getType()); }
ProductUnit MmaNnCausalOp::getUnit() { return getWarpUnit(getLhs().getType()); }

LogicalResult MaskWordsOp::verify() {
  if (getWords().getType().getElementType().isInteger(32)) return success();
  return emitOpError() << "expected words of i32, got " << getWords().getType();
}

LogicalResult MaskBitsOp::verify() {
  auto bits = getBits().getType();
  if (!bits.getElementType().isInteger(32) || bits.isStaged() ||
      bits.getLayout() != SmemLayout::Linear)  // mask_bits_c1
    return emitOpError() << "expected linear words of i32, got " << bits;
  int64_t columns = getFrag().getType().getShape()[1];
  if (columns % 32 == 0) return success();  // mask_bits_c2
  return emitOpError() << "expected a multiple of 32 columns, got " << columns;
}

LogicalResult FillHalvesOp::verify() {
  RowVecType type = getTarget().getType();
  if (type.getShape()[0] == 16) return success();  // fill_halves_c1
  return emitOpError() << "expected a row vector of 16 rows, got " << type;
}

LogicalResult AffineRowsOp::verify() {
  FragType frag = getFrag().getType();
  RowVecType offsets = getOffsets().getType();
  if (frag.getRows() == offsets.getShape()[0] &&
      frag.getElementType().isF32() &&
      offsets.getElementType().isF32())  // affine_rows_c1
    return success();
  return emitOpError() << "expected f32 and as many offsets as rows, got "
                       << frag << " and " << offsets;
}

LogicalResult AddRowPairsOp::verify() {
  FragType target = getTarget().getType(), source = getSource().getType();
  RowVecType weights = getWeights().getType();
  bool areSums =
      target.getLayout() == FragLayout::Acc && target.getElementType().isF32();
  auto rowsOfSource =
      FragType::get(getContext(), {16, target.getColumns()},
                    target.getElementType(), target.getLayout());
  auto rowsOfWeights =
      RowVecType::get(getContext(), {16}, target.getElementType());
  if (areSums && target.getRows() == 8 && source == rowsOfSource &&
      weights == rowsOfWeights)  // add_row_pairs_c1
    return success();
  return emitOpError() << "expected f32 of layout acc, 16 rows to add to 8 of "
                          "as many columns, got "
                       << source << " with " << weights << " to " << target;
}

static LogicalResult verifyProduct(Operation* op, FragType acc, FragType lhs,
                                   SmemType rhs, bool transposed) {
  if (acc.getLayout() != FragLayout::Acc || !acc.getElementType().isF32() ||
      acc.getRows() != 16)
    return op->emitOpError()
           << "expected an f32 accumulator of layout acc and 16 rows, got "
           << acc;
  if (lhs.getLayout() != FragLayout::Lhs ||
      lhs.getElementType() != rhs.getElementType())  // mma_c1
    return op->emitOpError()
           << "expected a left operand of layout lhs and element type "
           << rhs.getElementType() << ", got " << lhs;
  if (rhs.isStaged())
    return op->emitOpError()
           << "expected a single stage as right operand, got " << rhs;
  int64_t inner = transposed ? lhs.getColumns() : acc.getColumns();
  if (rhs.getColumns() != inner)  // mma_nt_c2, mma_nn_c2
    return op->emitOpError() << "expected a right operand with " << inner
                             << " columns, got " << rhs.getColumns();
  int64_t rows = transposed ? acc.getColumns() : lhs.getColumns();
  if (rhs.getRows() < rows)
    return op->emitOpError() << "expected a right operand with at least "
                             << rows << " rows, got " << rhs.getRows();
  return success();
}

LogicalResult MmaNtOp::verify() {
  return verifyProduct(*this, getAcc().getType(), getLhs().getType(),
                       getRhs().getType(), /*transposed=*/true);
}

LogicalResult MmaNnOp::verify() {
  return verifyProduct(*this, getAcc().getType(), getLhs().getType(),
                       getRhs().getType(), /*transposed=*/false);
}

LogicalResult MmaNnCausalOp::verify() {
  return verifyProduct(*this, getAcc().getType(), getLhs().getType(),
                       getRhs().getType(), /*transposed=*/false);
}
