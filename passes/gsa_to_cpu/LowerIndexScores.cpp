//===- LowerIndexScores.cpp - gsa.index_scores to loops -------------------===//
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

/// scores[b][t][0 .. end) from row `r` of the strip, -inf from there on.
static void writeRow(LoopEmitter& e, const ScoreTile& tile, Value result,
                     Value batch, Value t, Value r, Value end) {
  Value zero = e.index(0);
  Value hidden = e.constant(e.acc(), -std::numeric_limits<double>::infinity());
  Value whole = e.mul(e.divIndex(end, e.index(e.lanes())), e.index(e.lanes()));
  e.forEach(zero, whole, e.lanes(), [&](Value s) {
    e.storeVector(e.loadVector(tile.scores(), {r, s}), result, {batch, t, s});
  });
  e.forEach(whole, end, 1, [&](Value s) {
    e.store(e.load(tile.scores(), {r, s}), result, {batch, t, s});
  });
  e.forEach(end, e.index(tile.keys()), 1,
            [&](Value s) { e.store(hidden, result, {batch, t, s}); });
}

LogicalResult gsa::lowerIndexScores(IndexScoresOp op, CpuScheduleAttr schedule,
                                    IRRewriter& rewriter) {
  auto queryType = cast<RankedTensorType>(op.getQuery().getType());
  LoopEmitter e(rewriter, op, schedule,
                getAccumulatorType(queryType.getElementType()));
  ScoreTile tile(e, IndexerSpec::from(op));
  Value result = e.output(op.getType());
  tile.packKeys();
  e.forTasks(
      tile.blocks(), [&] { tile.allocate(); },
      [&](Value i) {
        ScoreTile::Block block = tile.locate(i);
        tile.computeBlock(block);
        e.forEach(e.index(0), block.numRows, 1, [&](Value r) {
          Value t = e.add(block.firstQuery, r);
          writeRow(e, tile, result, block.batch, t, r, tile.visibleKeys(t));
        });
      });
  rewriter.replaceOp(op, e.toTensor(result, op.getType()));
  return success();
}
