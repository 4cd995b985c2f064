//===- IndexTraining.cpp - gsa.index_kl and gradients of the indexer ------===//
//
// The loss of some queries at a time, kernel by kernel: for each key of a row
// the logarithm of the weight that attention gives it, and its score; of both
// the sum of exponentials over the row; and what follows from these for each
// cell, terms of the loss or gradients of scores. The latter are what the
// kernel of gsa.index_scores_grad, which is the last one then, is given by that
// op.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/IndexTraining.h"

#include "passes/gsa_to_tile/Lowerings.h"

using namespace mlir;
using namespace mlir::gsa;

namespace {

/// Calls `body` for chunks of queries, with room for two numbers of each cell.
class LossLowering {
 public:
  LossLowering(const TrainingOperands& operands)
      : operands(operands),
        context(operands.context),
        target(IndexTarget::of(operands.op)),
        kernels(operands, target) {}

  using Cells = CellKernels::Distributions;
  void forChunks(
      llvm::function_ref<void(const QueryChunk&, const Cells&)> body);

  const TrainingOperands& operands;
  ToTileContext& context;
  IndexTarget target;
  CellKernels kernels;
};

}  // namespace

void LossLowering::forChunks(
    llvm::function_ref<void(const QueryChunk&, const Cells&)> body) {
  int64_t queries = operands.source.queries();
  if (queries == 0 || operands.source.batches() == 0) return;
  Value lse =
      target.meanHeads ? launchOwnLse(operands) : launchNearLse(operands);
  int64_t size = std::min(operands.schedule.getChunk(), queries);
  Type f32 = context.rewriter().getF32Type();
  context.forQueryChunks(
      operands.source.batches(), queries, size, [&](const QueryChunk& chunk) {
        Cells cells;
        cells.shares = context.makeBuffer({size, operands.cells}, f32);
        launchShares(operands, chunk, lse, cells.shares);
        SmallVector<Value> scores;
        for (int64_t part = 0; part < operands.headParts(); ++part) {
          scores.push_back(context.makeBuffer({size, operands.cells}, f32));
          launchScores(operands, chunk, part, scores.back());
        }
        kernels.mask(chunk, cells.shares, scores);
        cells.scores = scores.front();
        cells.lseOfShares = kernels.sumOfExp(chunk, cells.shares);
        cells.lseOfScores = kernels.sumOfExp(chunk, cells.scores);
        body(chunk, cells);
      });
}

LogicalResult tile::lowerIndexKl(IndexKlOp op, ToTileContext& context) {
  FailureOr<TrainingScheduleAttr> schedule =
      getSchedule<TrainingScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  TrainingOperands operands(op, *schedule, context);
  Value loss = context.makeBuffer(cast<RankedTensorType>(op.getType()));
  LossLowering lowering(operands);
  lowering.forChunks(
      [&](const QueryChunk& chunk, const LossLowering::Cells& cells) {
        lowering.kernels.makeTerms(chunk, cells);
        lowering.kernels.sum(chunk, cells.shares, loss, /*ofAll=*/true);
      });
  context.replace(op, {loss});
  return success();
}

LogicalResult tile::lowerIndexKlGrad(IndexKlGradOp op, ToTileContext& context) {
  FailureOr<TrainingScheduleAttr> schedule =
      getSchedule<TrainingScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  TrainingOperands operands(op, *schedule, context);
  TrainingGradients gradients(operands);
  Value lossGrad = context.toBuffer(op.getLossGrad());
  LossLowering lowering(operands);
  lowering.forChunks(
      [&](const QueryChunk& chunk, const LossLowering::Cells& cells) {
        Value covered;
        if (lowering.target.clip) {
          lowering.kernels.makeUncut(chunk, cells);
          covered =
              context.makeBuffer(cast<MemRefType>(cells.lseOfShares.getType()));
          lowering.kernels.sum(chunk, cells.shares, covered, /*ofAll=*/false);
        }
        lowering.kernels.makeGradients(chunk, cells, lossGrad, covered);
        gradients.launch(chunk, cells.scores);
      });
  gradients.finish();
  return success();
}

LogicalResult tile::lowerIndexScoresGrad(IndexScoresGradOp op,
                                         ToTileContext& context) {
  FailureOr<TrainingScheduleAttr> schedule =
      getSchedule<TrainingScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  TrainingOperands operands(op, *schedule, context);
  TrainingGradients gradients(operands);
  Value cells = context.toBuffer(op.getScoresGrad());
  int64_t queries = operands.source.queries();
  // Of nothing there are no slices.
  bool isEmpty = operands.cells == 0;
  if (queries > 0)
    context.forQueryChunks(
        operands.source.batches(), queries, queries,
        [&](const QueryChunk& chunk) {
          gradients.launch(
              chunk, isEmpty ? cells : context.slice(cells, {chunk.batch}));
        });
  gradients.finish();
  return success();
}
