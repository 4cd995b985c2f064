//===- GsaTileOps.cpp - verifiers of copies and products ------------------===//

#include "dialect/GsaTile/GsaTileOps.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::gsa_tile;

#define GET_OP_CLASSES
#include "dialect/GsaTile/GsaTileOps.cpp.inc"

LogicalResult AtOp::verify() {
  if (getIndices().size() != getSizes().size() + 1)  // at_c1
    return emitOpError() << "expected one size less than indices, got "
                         << getIndices().size() << " indices and "
                         << getSizes().size() << " sizes";
  return success();
}

static LogicalResult verifyCopy(Operation* op, SmemType target,
                                GlobalType source, int64_t vectorBytes) {
  if (target.getElementType() != source.getElementType())
    return op->emitOpError()
           << "expected source and target of one element type, got "
           << source.getElementType() << " and " << target.getElementType();
  if (target.isStaged())
    return op->emitOpError()
           << "expected a single stage as target, got " << target;
  int64_t element = getElementBytes(target.getElementType());
  bool known = vectorBytes == 16 || vectorBytes == 8 || vectorBytes == 4 ||
               vectorBytes == 2;
  if (!known || vectorBytes < element)
    return op->emitOpError()
           << "expected vectors of 16, 8, 4 or 2 bytes that hold an element of "
           << element << " bytes, got " << vectorBytes;
  if (target.getColumns() * element % vectorBytes != 0)
    return op->emitOpError() << "expected rows of whole vectors, got rows of "
                             << target.getColumns() * element
                             << " bytes and vectors of " << vectorBytes;
  return success();
}

LogicalResult CopyRowsOp::verify() {
  return verifyCopy(*this, getTarget().getType(), getSource().getType(),
                    getVectorBytes());
}

LogicalResult GatherRowsOp::verify() {
  if (!getList().getType().getElementType().isInteger(32))
    return emitOpError() << "expected a list of i32, got "
                         << getList().getType();
  return verifyCopy(*this, getTarget().getType(), getSource().getType(),
                    getVectorBytes());
}

static LogicalResult verifyProduct(Operation* op, FragType acc, FragType lhs,
                                   SmemType rhs, bool transposed) {
  if (acc.getLayout() != FragLayout::Acc || !acc.getElementType().isF32())
    return op->emitOpError()
           << "expected an f32 accumulator of layout acc, got " << acc;
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
