//===- Select.cpp - gsa.select to loops -----------------------------------===//
//
// The score tile hands on one row of scores after the other; each goes through
// statistic, budget and top-k. The strip of the tile is the only place where
// scores exist.
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

void SelectLowering::emitVariances(Value variances) {
  tile.forEachRow([] {},
                  [&](const ScoreTile::Row& row) {
                    Value strip = tile.scores();
                    RowScan scan = selection.scan(strip, row.strip, row.limit,
                                                  /*keys=*/false);
                    e.store(selection.statistic(strip, row.strip, scan),
                            variances, {row.batch, row.query});
                  });
}

/// Mean of the finite variances, in the order of rows whatever the number of
/// tasks (see gsa.stat_mean).
Value SelectLowering::emitMean(Value variances) {
  Type f64 = e.builder().getF64Type();
  Value zero = e.constant(f64, 0.0), one = e.constant(f64, 1.0);
  auto addRow = [&](Value batch, Value t,
                    ValueRange carried) -> SmallVector<Value> {
    Value x = e.load(variances, {batch, t});
    // x - x is 0 for finite x and NaN otherwise.
    Value finite = e.cmpf(CmpFPredicate::ORD, e.sub(x, x), x);
    Value sum = e.add(carried[0], e.cast(x, f64));
    return {e.select(finite, sum, carried[0]),
            e.select(finite, e.add(carried[1], one), carried[1])};
  };
  SmallVector<Value> totals = e.forLoop(
      e.index(0), e.value(tile.batches()), 1, {zero, zero},
      [&](Value batch, ValueRange outer) {
        return e.forLoop(
            e.index(0), e.value(tile.queries()), 1, outer,
            [&](Value t, ValueRange inner) { return addRow(batch, t, inner); });
      });
  Value any = e.cmpf(CmpFPredicate::OGT, totals[1], zero);
  return e.cast(e.select(any, e.div(totals[0], totals[1]), zero), e.acc());
}

void SelectLowering::emitSelection(Value variances, Value normaliser,
                                   ArrayRef<Value> results) {
  auto allocate = [&] { selection.allocate(); };
  tile.forEachRow(allocate, [&](const ScoreTile::Row& row) {
    Value strip = tile.scores();
    SmallVector<Value> cell = {row.batch, row.query};
    RowScan scan = selection.scan(strip, row.strip, row.limit, /*keys=*/true);
    Value statistic = variances ? e.load(variances, cell)
                                : selection.statistic(strip, row.strip, scan);
    Value k = selection.budget(scan, statistic, normaliser);
    selection.select(scan, k, results[0], row.batch, row.query);
    e.store(k, results[1], cell);
    e.store(scan.nans, results[2], cell);
  });
}

SmallVector<Value> SelectLowering::emit() {
  SmallVector<Value> results;
  for (unsigned i = 0; i < op->getNumResults(); ++i)
    results.push_back(e.output(op, i));
  Value normaliser;
  if (op.getNormaliser()) normaliser = e.load(e.input(op.getNormaliser()), {});
  tile.prepare();
  Value variances;
  if (op.getPolicy().usesNormaliser() && !normaliser) {
    variances =
        e.scratch({tile.batches().bound, tile.queries().bound}, e.acc());
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
