//===- Select.cpp - gsa.select to kernels ---------------------------------===//
//
// The host goes through the queries in chunks: scores of a chunk into a slab
// [chunk, Sk] of f32, then one kernel that handles a row per block: scan,
// statistic, budget, selection. So the workspace is chunk * Sk * 4 bytes
// whatever the number of queries, and no result depends on the chunk.
//
// The policy upstream_variance without a normaliser divides by the mean
// variance of all rows. A first round over the chunks computes the variances,
// a second one scores again: cheaper than to keep B * Sq * Sk scores.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Remarks.h"
#include "passes/gsa_to_tile/IndexScores.h"
#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/gsa_to_tile/RowEmitter.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

namespace {

class SelectLowering {
 public:
  SelectLowering(SelectOp op, SelectScheduleAttr schedule,
                 ToTileContext& context)
      : op(op),
        policy(op.getPolicy()),
        schedule(schedule),
        context(context),
        source(makeIndexerSource(op, context)),
        chunkSize(std::max<int64_t>(
            std::min(schedule.getTopk().getChunk(), source.queries()), 1)) {}

  LogicalResult emit();

 private:
  /// Some queries of one batch; host indices.
  struct Chunk {
    Value batch, begin, count;
  };
  /// The kernel's view of the row that its block handles.
  struct Row {
    Value batch, query, queries, keys;
    Value scores, limit;
  };

  void forChunks(llvm::function_ref<void(const Chunk&)> body);
  void launchScores(const Chunk& chunk);
  void launchStatistic(const Chunk& chunk);
  void launchSelection(const Chunk& chunk);
  Row emitRow(KernelBuilder& kernel, const Chunk& chunk);
  Value at(KernelBuilder& kernel, Value base, ValueRange indices,
           ValueRange sizes);
  LogicalResult emitMean();
  void remarkWorkspace();

  SelectOp op;
  KPolicyAttr policy;
  SelectScheduleAttr schedule;
  ToTileContext& context;
  IndexerSource source;
  int64_t chunkSize;
  /// Buffers: [chunk, Sk]; [B, Sq] or null; rank 0 or null.
  Value slab, variances, normaliser;
  SmallVector<Value> results;
};

}  // namespace

void SelectLowering::forChunks(llvm::function_ref<void(const Chunk&)> body) {
  IRRewriter& b = context.rewriter();
  Location loc = op.getLoc();
  Value zero = context.index(0), one = context.index(1);
  Value batches = context.index(source.batches());
  Value queries = context.index(source.queries());
  Value step = context.index(chunkSize);
  OpBuilder::InsertionGuard guard(b);
  auto outer = scf::ForOp::create(b, loc, zero, batches, one);
  b.setInsertionPointToStart(outer.getBody());
  auto inner = scf::ForOp::create(b, loc, zero, queries, step);
  b.setInsertionPointToStart(inner.getBody());
  Value begin = inner.getInductionVar();
  Value rest = arith::SubIOp::create(b, loc, queries, begin);
  Value count = arith::MinSIOp::create(b, loc, rest, step);
  body({outer.getInductionVar(), begin, count});
}

/// Scores of the keys that the chunk's last query sees.
void SelectLowering::launchScores(const Chunk& chunk) {
  if (source.keys() == 0) return;
  IRRewriter& b = context.rewriter();
  Location loc = op.getLoc();
  Value keys = context.index(source.keys());
  if (source.mask == Mask::Causal) {
    Value end = arith::AddIOp::create(b, loc, chunk.begin, chunk.count);
    Value offset = context.index(source.keys() - source.queries());
    Value seen = arith::AddIOp::create(b, loc, end, offset);
    // One key at least: a grid has no side of 0.
    keys = arith::MaxSIOp::create(b, loc, seen, context.index(1));
  }
  launchIndexScores(source, schedule.getScores(),
                    {chunk.batch, 1, chunk.begin, chunk.count, keys, slab,
                     chunkSize, /*fillHidden=*/false},
                    loc, context);
}

Value SelectLowering::at(KernelBuilder& kernel, Value base, ValueRange indices,
                         ValueRange sizes) {
  return AtOp::create(kernel.body(), op.getLoc(), base.getType(), base, indices,
                      sizes);
}

SelectLowering::Row SelectLowering::emitRow(KernelBuilder& kernel,
                                            const Chunk& chunk) {
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  kernel.kernel()->setAttr(kScheduleAttr, schedule.getTopk());
  Row row;
  Value scores = kernel.read(slab, "scores");
  row.queries = kernel.size(source.queries(), "queries");
  row.keys = kernel.size(source.keys(), "keys");
  row.batch = kernel.scalar(chunk.batch, "batch");
  Value begin = kernel.scalar(chunk.begin, "begin");
  Value inChunk = BlockIdOp::create(b, loc, b.getIndexType(), 0);
  row.query = named(arith::AddIOp::create(b, loc, begin, inChunk), "query");
  row.scores = at(kernel, scores, {inChunk, kernel.index(0)}, {row.keys});
  row.limit = row.keys;
  if (source.mask == Mask::Causal) {
    Value offset = arith::SubIOp::create(b, loc, row.keys, row.queries);
    Value last = arith::AddIOp::create(b, loc, row.query, offset);
    Value end = arith::AddIOp::create(b, loc, last, kernel.index(1));
    row.limit =
        named(arith::MaxSIOp::create(b, loc, end, kernel.index(0)), "limit");
  }
  return row;
}

void SelectLowering::launchStatistic(const Chunk& chunk) {
  KernelBuilder kernel(context, op.getLoc(), "select_statistic",
                       schedule.getTopk().getWarps());
  Value values = kernel.write(variances, "statistic");
  Row row = emitRow(kernel, chunk);
  Value target = at(kernel, values, {row.batch, row.query}, {row.queries});
  RowEmitter e(kernel, op.getLoc(), schedule.getTopk(), row.scores, row.limit);
  RowScanResult scan = e.scan();
  Value value = e.statistic(scan, policy, row.keys);
  e.byFirstWarp([&] {
    StoreOp::create(kernel.body(), op.getLoc(), target, kernel.index(0), value);
  });
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
}

void SelectLowering::launchSelection(const Chunk& chunk) {
  KernelBuilder kernel(context, op.getLoc(), "select_rows",
                       schedule.getTopk().getWarps());
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  Value statistics, divisor;
  if (variances) statistics = kernel.read(variances, "statistic");
  if (normaliser) divisor = kernel.read(normaliser, "normaliser");
  Value indices = kernel.write(results[0], "indices");
  Value counts = kernel.write(results[1], "counts");
  Value status = kernel.write(results[2], "status");
  int64_t slots = policy.getSlots();
  SelectionTarget target;
  target.slots = kernel.size(slots, "slots");
  target.numSlots = slots;
  target.sink = std::min<int64_t>(op.getSink(), source.keys());
  target.local = std::min<int64_t>(op.getLocal(), source.keys());

  Row row = emitRow(kernel, chunk);
  Value zero = kernel.index(0);
  SmallVector<Value> cell = {row.batch, row.query};
  target.indices = at(kernel, indices, {row.batch, row.query, zero},
                      {row.queries, target.slots});
  RowEmitter e(kernel, loc, schedule.getTopk(), row.scores, row.limit);
  RowScanResult scan = e.scan();
  Value statistic, scale;
  if (statistics)
    statistic =
        LoadOp::create(b, loc, b.getF32Type(),
                       at(kernel, statistics, cell, {row.queries}), zero);
  else if (policy.usesStatistic())
    statistic = e.statistic(scan, policy, row.keys);
  if (divisor) scale = LoadOp::create(b, loc, b.getF32Type(), divisor, zero);
  Value budget = named(
      gsa::detail::computeBudget(e, policy, scan.visible, statistic, scale),
      "budget");
  Value count = e.selectCells(scan, budget, target);
  e.byFirstWarp([&] {
    StoreOp::create(b, loc, at(kernel, counts, cell, {row.queries}), zero,
                    count);
    StoreOp::create(b, loc, at(kernel, status, cell, {row.queries}), zero,
                    scan.nans);
  });
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
}

/// The mean of the variances, by the lowering of gsa.stat_mean.
LogicalResult SelectLowering::emitMean() {
  IRRewriter& b = context.rewriter();
  auto mean = StatMeanOp::create(b, op.getLoc(),
                                 RankedTensorType::get({}, b.getF32Type()),
                                 context.toTensor(variances));
  normaliser = context.toBuffer(mean);
  context.begin(mean);
  if (failed(tile::lowerStatMean(mean, context))) return failure();
  context.begin(op);
  return success();
}

void SelectLowering::remarkWorkspace() {
  int64_t bytes =
      cast<MemRefType>(slab.getType()).getNumElements() * sizeof(float);
  remark::passed(
      op.getLoc(),
      remark::RemarkOpts::name("SelectWorkspace").category("gsa.schedule"))
      << "scores of a chunk of rows" << remark::metric("rows", chunkSize)
      << remark::metric("bytes", bytes);
}

LogicalResult SelectLowering::emit() {
  for (Type type : op->getResultTypes())
    results.push_back(context.makeBuffer(cast<RankedTensorType>(type)));
  if (source.batches() * source.queries() > 0) {
    Type f32 = context.rewriter().getF32Type();
    slab = context.makeBuffer({chunkSize, std::max<int64_t>(source.keys(), 1)},
                              f32);
    if (context.emitsRemarks()) remarkWorkspace();
    if (op.getNormaliser()) {
      normaliser = context.toBuffer(op.getNormaliser());
    } else if (policy.usesNormaliser()) {
      variances = context.makeBuffer({source.batches(), source.queries()}, f32);
      forChunks([&](const Chunk& chunk) {
        launchScores(chunk);
        launchStatistic(chunk);
      });
      if (failed(emitMean())) return failure();
    }
    forChunks([&](const Chunk& chunk) {
      launchScores(chunk);
      launchSelection(chunk);
    });
  }
  context.replace(op, results);
  return success();
}

LogicalResult tile::lowerSelect(SelectOp op, ToTileContext& context) {
  FailureOr<SelectScheduleAttr> schedule =
      getSchedule<SelectScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  return SelectLowering(op, *schedule, context).emit();
}
