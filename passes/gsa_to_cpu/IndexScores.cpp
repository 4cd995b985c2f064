//===- IndexScores.cpp - gsa.index_scores to loops ------------------------===//
//
// The score tile, with the strip copied to the result row by row: -inf where
// the mask hides a key.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "passes/gsa_to_cpu/Lowerings.h"
#include "passes/gsa_to_cpu/ScoreTile.h"

using namespace mlir;
using namespace mlir::gsa;

/// Copies one row of the strip, -inf behind its visible keys.
static void writeRow(LoopEmitter& e, const ScoreTile& tile,
                     const ScoreTile::Row& row, Value result) {
  Value hidden = e.constant(e.acc(), -std::numeric_limits<double>::infinity());
  Value lanes = e.index(e.lanes());
  Value whole = e.mul(e.divIndex(row.limit, lanes), lanes);
  e.forLoop(e.index(0), whole, e.lanes(), [&](Value s) {
    e.storeVector(e.loadVector(tile.scores(), {row.strip, s}), result,
                  {row.batch, row.query, s});
  });
  e.forLoop(whole, row.limit, 1, [&](Value s) {
    e.store(e.load(tile.scores(), {row.strip, s}), result,
            {row.batch, row.query, s});
  });
  e.forLoop(row.limit, e.value(tile.keys()), 1, [&](Value s) {
    e.store(hidden, result, {row.batch, row.query, s});
  });
}

LogicalResult gsa::lowerIndexScores(IndexScoresOp op, CpuScheduleAttr schedule,
                                    IRRewriter& rewriter) {
  auto queryType = cast<RankedTensorType>(op.getQuery().getType());
  LoopEmitter e(rewriter, op, schedule,
                getAccumulatorType(queryType.getElementType()));
  ScoreTile tile(e, IndexerSpec::from(op));
  Value result = e.output(op, 0);
  tile.prepare();
  tile.forEachRow(
      [] {},
      [&](const ScoreTile::Row& row) { writeRow(e, tile, row, result); });
  rewriter.replaceOp(op, e.toTensor(result, op.getType()));
  return success();
}
