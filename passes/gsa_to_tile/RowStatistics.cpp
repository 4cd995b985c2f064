//===- RowStatistics.cpp - gsa.row_statistics to a kernel -----------------===//

#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/gsa_to_tile/RowEmitter.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

LogicalResult tile::lowerRowStatistics(RowStatisticsOp op,
                                       ToTileContext& context) {
  auto scoreType = cast<RankedTensorType>(op.getScores().getType());
  FailureOr<TopKScheduleAttr> schedule =
      getSchedule<TopKScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  int64_t numRows = scoreType.getDimSize(0) * scoreType.getDimSize(1);

  SmallVector<Value> results;
  for (Type type : op->getResultTypes())
    results.push_back(context.makeBuffer(cast<RankedTensorType>(type)));
  KernelBuilder kernel(context, op.getLoc(), "row_statistics",
                       (*schedule).getWarps());
  kernel.kernel()->setAttr(kScheduleAttr, *schedule);
  Value scores = kernel.read(context.toBuffer(op.getScores()), "scores");
  Value values = kernel.write(results[0], "statistic");
  Value visible = kernel.write(results[1], "visible");
  Value keys = kernel.size(scoreType.getDimSize(2), "keys");

  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  Value row = BlockIdOp::create(b, loc, b.getIndexType(), 0);
  Value first =
      AtOp::create(b, loc, scores.getType(), scores,
                   ValueRange{row, kernel.index(0)}, ValueRange{keys});
  RowEmitter e(kernel, loc, *schedule, first, keys);
  RowScanResult scan = e.scan();
  Value value =
      op.getStatistic() == Statistic::Entropy
          ? e.entropy(scan)
          : e.variance(scan, op.getPopulation(), op.getCorrection(), keys);
  e.byFirstWarp([&] {
    StoreOp::create(b, loc, values, row, value);
    StoreOp::create(b, loc, visible, row, scan.visible);
  });
  if (numRows > 0) kernel.launch({numRows});
  context.replace(op, results);
  return success();
}
