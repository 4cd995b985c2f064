//===- GsaTileHopperOps.cpp - verifiers of sm_90a's ops -------------------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::gsa_tile;

static LogicalResult verifyWgmma(Operation* op, FragType acc, SmemType rhs,
                                 Type lhsElement) {
  if (acc.getLayout() != FragLayout::Acc || !acc.getElementType().isF32() ||
      acc.getColumns() % 64 != 0)  // wgmma_c1
    return op->emitOpError() << "expected an f32 accumulator of layout acc "
                                "with a multiple of 64 columns, got "
                             << acc;
  if (rhs.getLayout() != SmemLayout::Swizzle128B || rhs.isStaged() ||
      getElementBytes(rhs.getElementType()) != 2 ||
      lhsElement != rhs.getElementType())  // wgmma_c2
    return op->emitOpError()
           << "expected operands of one 16-bit type and a right operand of "
              "layout swizzle_128b, got "
           << lhsElement << " and " << rhs;
  return success();
}

LogicalResult WgmmaFenceOp::verify() {
  FragType frag = getFrag().getType();
  bool isAccumulator =
      frag.getLayout() == FragLayout::Acc && frag.getElementType().isF32();
  bool isOperand = frag.getLayout() == FragLayout::Lhs &&
                   getElementBytes(frag.getElementType()) == 2;
  if (!isAccumulator && !isOperand)  // wgmma_fence_c1
    return emitOpError() << "expected an accumulator of f32 or a left operand "
                            "of 16 bits, got "
                         << frag;
  return success();
}

LogicalResult WgmmaNtOp::verify() {
  SmemType lhs = getLhs().getType(), rhs = getRhs().getType();
  if (failed(verifyWgmma(*this, getAcc().getType(), rhs, lhs.getElementType())))
    return failure();
  if (lhs.getLayout() != SmemLayout::Swizzle128B || lhs.isStaged() ||
      lhs.getColumns() != rhs.getColumns())  // wgmma_nt_c2
    return emitOpError()
           << "expected a left operand of layout swizzle_128b with "
           << rhs.getColumns() << " columns, got " << lhs;
  if (lhs.getRows() < 64 || rhs.getRows() < getAcc().getType().getColumns())
    return emitOpError() << "expected 64 rows on the left and "
                         << getAcc().getType().getColumns()
                         << " on the right, got " << lhs.getRows() << " and "
                         << rhs.getRows();
  return success();
}

LogicalResult WgmmaNnOp::verify() {
  FragType acc = getAcc().getType(), lhs = getLhs().getType();
  SmemType rhs = getRhs().getType();
  if (failed(verifyWgmma(*this, acc, rhs, lhs.getElementType())))
    return failure();
  if (lhs.getLayout() != FragLayout::Lhs || rhs.getRows() < lhs.getColumns())
    return emitOpError()
           << "expected a left operand of layout lhs with at most "
           << rhs.getRows() << " columns, got " << lhs;
  if (acc.getColumns() != rhs.getColumns())  // wgmma_nn_c3
    return emitOpError() << "expected a right operand with " << acc.getColumns()
                         << " columns, got " << rhs.getColumns();
  return success();
}

ProductUnit WgmmaNtOp::getUnit() { return ProductUnit::Wgmma; }
ProductUnit WgmmaNnOp::getUnit() { return ProductUnit::Wgmma; }
AsyncKind WgmmaNtOp::getAsyncKind() { return AsyncKind::Product; }
AsyncKind WgmmaNnOp::getAsyncKind() { return AsyncKind::Product; }
AsyncKind WgmmaCommitOp::getAsyncKind() { return AsyncKind::Product; }
AsyncKind WgmmaWaitOp::getAsyncKind() { return AsyncKind::Product; }

Value WgmmaFenceOp::getFenced() { return getFrag(); }
Value FenceAsyncOp::getFenced() { return Value(); }

CopyEngine TmaLoadOp::getEngine() { return CopyEngine::Bulk; }
AsyncKind TmaLoadOp::getAsyncKind() { return AsyncKind::Bulk; }

void TmaLoadOp::setArrival(Value ring, Value iteration) {
  getRingMutable().assign(ring);
  getIterationMutable().assign(iteration);
}

Value TmaLoadOp::getArrival() { return getRing(); }

LogicalResult TmaLoadOp::verify() {
  TensorMapType map = getMap().getType();
  SmemType target = getTarget().getType();
  if (target.getShape() != map.getShape() ||
      target.getElementType() != map.getElementType() ||
      target.getLayout() != map.getLayout())  // tma_load_c1
    return emitOpError() << "expected a target like the box " << map << ", got "
                         << target;
  if (!getRing() != !getIteration())  // tma_load_c2
    return emitOpError() << "expected a ring and an iteration, or neither";
  return success();
}
