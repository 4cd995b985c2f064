//===- TopK.cpp - gsa.topk to a kernel ------------------------------------===//

#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/gsa_to_tile/RowEmitter.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

LogicalResult tile::lowerTopK(TopKOp op, ToTileContext& context) {
  auto scoreType = cast<RankedTensorType>(op.getScores().getType());
  FailureOr<TopKScheduleAttr> schedule =
      getSchedule<TopKScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  int64_t slots = op.getSlots();
  int64_t numRows = scoreType.getDimSize(0) * scoreType.getDimSize(1);
  int64_t numKeys = scoreType.getDimSize(2);

  SmallVector<Value> results;
  for (Type type : op->getResultTypes())
    results.push_back(context.makeBuffer(cast<RankedTensorType>(type)));
  KernelBuilder kernel(context, op.getLoc(), "topk", (*schedule).getWarps());
  kernel.kernel()->setAttr(kScheduleAttr, *schedule);
  Value scores = kernel.read(context.toBuffer(op.getScores()), "scores");
  Value budgets = kernel.read(context.toBuffer(op.getK()), "k");
  Value indices = kernel.write(results[0], "indices");
  Value counts = kernel.write(results[1], "counts");
  Value status = kernel.write(results[2], "status");
  Value keys = kernel.size(numKeys, "keys");
  SelectionTarget target;
  target.slots = kernel.size(slots, "slots");
  target.numSlots = slots;
  target.sink = std::min<int64_t>(op.getSink(), numKeys);
  target.local = std::min<int64_t>(op.getLocal(), numKeys);
  target.order = op.getOrder();

  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  Value row = BlockIdOp::create(b, loc, b.getIndexType(), 0);
  Value zero = kernel.index(0);
  auto address = [&](Value base, Value size) -> Value {
    return AtOp::create(b, loc, base.getType(), base, ValueRange{row, zero},
                        ValueRange{size});
  };
  target.indices = address(indices, target.slots);
  RowEmitter e(kernel, loc, *schedule, address(scores, keys), keys);
  RowScanResult scan = e.scan();
  Value budget = LoadOp::create(b, loc, b.getI32Type(), budgets, row);
  Value count = e.selectCells(scan, budget, target);
  e.byFirstWarp([&] {
    StoreOp::create(b, loc, counts, row, count);
    StoreOp::create(b, loc, status, row, scan.nans);
  });
  if (numRows > 0) kernel.launch({numRows});
  context.replace(op, results);
  return success();
}
