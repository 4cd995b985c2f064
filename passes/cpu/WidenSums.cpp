//===- WidenSums.cpp - projections in f16 and bf16 sum up in f32 ----------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "passes/cpu/Contraction.h"
#include "passes/cpu/CpuPasses.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSACPUWIDENSUMS
#include "passes/cpu/CpuPasses.h.inc"

namespace {

/// Whether `op` adds products to a tensor of f16 or bf16.
bool sumsInNarrowType(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumDpsInputs() != 2 ||
      op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0 ||
      !isMultiplyAccumulate(op))
    return false;
  Type element = getElementTypeOrSelf(op.getDpsInits()[0].getType());
  return element.isF16() || element.isBF16();
}

/// `value` in f32, if it is narrower.
Value widen(OpBuilder& b, Location loc, Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  if (!element.isF16() && !element.isBF16()) return value;
  return arith::ExtFOp::create(b, loc, b.getF32Type(), value);
}

/// The same sum of products with an accumulator in f32, rounded once.
void widenSum(linalg::LinalgOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value init = op.getDpsInits()[0];
  auto narrow = cast<RankedTensorType>(init.getType());
  auto wide = RankedTensorType::get(narrow.getShape(), b.getF32Type());
  Value start = arith::ExtFOp::create(b, loc, wide, init);
  auto sum = linalg::GenericOp::create(
      b, loc, TypeRange{wide}, op.getDpsInputs(), ValueRange{start},
      op.getIndexingMapsArray(), op.getIteratorTypesArray(),
      [&](OpBuilder& nested, Location loc, ValueRange arguments) {
        Value product =
            arith::MulFOp::create(nested, loc, widen(nested, loc, arguments[0]),
                                  widen(nested, loc, arguments[1]));
        Value total = arith::AddFOp::create(nested, loc, arguments[2], product);
        linalg::YieldOp::create(nested, loc, total);
      });
  Value result = arith::TruncFOp::create(b, loc, narrow, sum->getResult(0));
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
}

struct WidenSums : impl::GsaCpuWidenSumsBase<WidenSums> {
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> sums;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (sumsInNarrowType(op)) sums.push_back(op);
    });
    for (linalg::LinalgOp op : sums) widenSum(op);
  }
};

}  // namespace
}  // namespace mlir::gsa
