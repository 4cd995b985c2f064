//===- LowerSelect.cpp - gsa.select to loops ------------------------------===//
//
// For each block of queries: scores of all keys that a row of the block may
// see, then row by row statistic, budget, top-k. The strip of scores of one
// block is the only place where scores exist.
//
// The policy upstream_variance without a normaliser divides by the mean
// variance of all rows; a first pass over the blocks computes the variances
// alone.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_cpu/Lowerings.h"
#include "passes/gsa_to_cpu/RowSelection.h"
#include "passes/gsa_to_cpu/ScoreTile.h"

using namespace mlir;
using namespace mlir::gsa;
using arith::CmpFPredicate;

namespace {

class SelectLowering {
 public:
  SelectLowering(LoopEmitter& emitter, SelectOp op)
      : e(emitter),
        op(op),
        tile(emitter, IndexerSpec::from(op)),
        selection(emitter, op, tile.keys(), tile.stripSize()) {}

  SmallVector<Value> emit();

 private:
  using RowBody =
      llvm::function_ref<void(Value r, Value t, Value batch, Value limit)>;
  /// Calls `body` for each row, with its scores in row r of the strip.
  void forEachRow(RowBody body);
  void emitVariances(Value variances);
  Value emitMean(Value variances);
  void emitSelection(Value variances, Value normaliser,
                     ArrayRef<Value> results);

  LoopEmitter& e;
  SelectOp op;
  ScoreTile tile;
  RowSelection selection;
};

}  // namespace

void SelectLowering::forEachRow(RowBody body) {
  auto allocate = [&] {
    tile.allocate();
    selection.allocate();
  };
  e.forTasks(tile.blocks(), allocate, [&](Value i) {
    ScoreTile::Block block = tile.locate(i);
    tile.computeBlock(block);
    e.forEach(e.index(0), block.numRows, 1, [&](Value r) {
      Value t = e.add(block.firstQuery, r);
      body(r, t, block.batch, tile.visibleKeys(t));
    });
  });
}

void SelectLowering::emitVariances(Value variances) {
  forEachRow([&](Value r, Value t, Value batch, Value limit) {
    RowScan scan = selection.scan(tile.scores(), r, limit, /*keys=*/false);
    e.store(selection.statistic(tile.scores(), r, scan), variances, {batch, t});
  });
}

/// Mean of the finite variances, in the order of rows whatever the number of
/// tasks (see gsa.stat_mean).
Value SelectLowering::emitMean(Value variances) {
  Value zero = e.constant(e.acc(), 0.0), one = e.constant(e.acc(), 1.0);
  auto addRow = [&](Value batch, Value t,
                    ValueRange carried) -> SmallVector<Value> {
    Value x = e.load(variances, {batch, t});
    // x - x is 0 for finite x and NaN otherwise.
    Value finite = e.cmpf(CmpFPredicate::ORD, e.sub(x, x), x);
    return {e.select(finite, e.add(carried[0], x), carried[0]),
            e.select(finite, e.add(carried[1], one), carried[1])};
  };
  SmallVector<Value> totals = e.forCarry(
      e.index(0), e.index(tile.batches()), 1, {zero, zero},
      [&](Value batch, ValueRange outer) {
        return e.forCarry(
            e.index(0), e.index(tile.queries()), 1, outer,
            [&](Value t, ValueRange inner) { return addRow(batch, t, inner); });
      });
  Value any = e.cmpf(CmpFPredicate::OGT, totals[1], zero);
  return e.select(any, e.div(totals[0], totals[1]), zero);
}

void SelectLowering::emitSelection(Value variances, Value normaliser,
                                   ArrayRef<Value> results) {
  forEachRow([&](Value r, Value t, Value batch, Value limit) {
    RowScan scan = selection.scan(tile.scores(), r, limit, /*keys=*/true);
    Value statistic = variances ? e.load(variances, {batch, t})
                                : selection.statistic(tile.scores(), r, scan);
    Value k = selection.budget(scan, statistic, normaliser);
    selection.select(scan, k, results[0], batch, t);
    e.store(k, results[1], {batch, t});
    e.store(scan.nans, results[2], {batch, t});
  });
}

SmallVector<Value> SelectLowering::emit() {
  SmallVector<Value> results;
  for (Type type : op->getResultTypes()) results.push_back(e.output(type));
  Value normaliser;
  if (op.getNormaliser()) normaliser = e.load(e.input(op.getNormaliser()), {});
  tile.packKeys();
  Value variances;
  if (op.getPolicy().usesNormaliser() && !normaliser) {
    variances = e.scratch({tile.batches(), tile.queries()}, e.acc());
    emitVariances(variances);
    normaliser = emitMean(variances);
  }
  emitSelection(variances, normaliser, results);
  SmallVector<Value> tensors;
  for (auto [buffer, type] : llvm::zip_equal(results, op->getResultTypes()))
    tensors.push_back(e.toTensor(buffer, type));
  return tensors;
}

LogicalResult gsa::lowerSelect(SelectOp op, CpuScheduleAttr schedule,
                               IRRewriter& rewriter) {
  auto queryType = cast<RankedTensorType>(op.getQuery().getType());
  LoopEmitter e(rewriter, op, schedule,
                getAccumulatorType(queryType.getElementType()));
  rewriter.replaceOp(op, SelectLowering(e, op).emit());
  return success();
}
