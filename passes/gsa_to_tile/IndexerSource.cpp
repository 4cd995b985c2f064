//===- IndexerSource.cpp - what the indexer computes, and gsa.index_scores ===//

#include "dialect/Gsa/GsaBuilders.h"
#include "passes/gsa_to_tile/IndexScores.h"
#include "passes/gsa_to_tile/Lowerings.h"

using namespace mlir;
using namespace mlir::gsa;

template <typename OpTy>
static IndexerSource makeSource(OpTy op, ToTileContext& context) {
  IndexerSource source;
  source.query = context.toBuffer(op.getQuery());
  source.keyRows = getRowStorage(op.getKey(), context);
  if (op.getWeights()) source.weights = context.toBuffer(op.getWeights());
  if (op.getBias()) source.bias = context.toBuffer(op.getBias());
  if (op.getLengths()) source.lengths = context.toBuffer(op.getLengths());
  source.scale = getScaleOrDefault(op.getScale(), source.depth());
  source.scoreActivation = op.getScoreActivation();
  source.weightActivation = op.getWeightActivation();
  source.mask = op.getMask();
  return source;
}

IndexerSource gsa::makeIndexerSource(IndexScoresOp op, ToTileContext& context) {
  return makeSource(op, context);
}
IndexerSource gsa::makeIndexerSource(SelectOp op, ToTileContext& context) {
  return makeSource(op, context);
}

LogicalResult tile::lowerIndexScores(IndexScoresOp op, ToTileContext& context) {
  FailureOr<ScoreScheduleAttr> schedule =
      getSchedule<ScoreScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  IndexerSource source = makeIndexerSource(op, context);
  Value scores = context.makeBuffer(cast<RankedTensorType>(op.getType()));
  if (cast<MemRefType>(scores.getType()).getNumElements() > 0) {
    ScoreRows rows;
    rows.batch = rows.begin = context.index(0);
    rows.batches = source.batches();
    rows.count = context.index(source.queries());
    rows.keys = context.index(source.keys());
    rows.scores = scores;
    rows.rows = source.queries();
    rows.fillHidden = true;
    launchIndexScores(source, *schedule, rows, op.getLoc(), context);
  }
  context.replace(op, {scores});
  return success();
}
