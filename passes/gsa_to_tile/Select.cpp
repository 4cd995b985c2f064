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
#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/gsa_to_tile/SelectLowering.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

void SelectLowering::makeResults() {
  for (Type type : op->getResultTypes())
    results.push_back(context.makeBuffer(cast<RankedTensorType>(type)));
}

void SelectLowering::makeSlab() {
  slab = context.makeBuffer({chunkSize, std::max<int64_t>(source.keys(), 1)},
                            context.rewriter().getF32Type());
}

void SelectLowering::remarkScores() {
  remarkWorkspace("scores of a chunk of rows", chunkSize,
                  chunkSize * std::max<int64_t>(source.keys(), 1) *
                      static_cast<int64_t>(sizeof(float)));
}

void SelectLowering::forChunks(int64_t size,
                               llvm::function_ref<void(const Chunk&)> body) {
  context.forQueryChunks(source.batches(), source.queries(), size, body);
}

Value SelectLowering::endOfKeys(const Chunk& chunk) {
  IRRewriter& b = context.rewriter();
  Location loc = op.getLoc();
  if (source.mask != Mask::Causal) return context.index(source.keys());
  Value end = arith::AddIOp::create(b, loc, chunk.begin, chunk.count);
  Value offset = context.index(source.keys() - source.queries());
  Value seen = arith::AddIOp::create(b, loc, end, offset);
  // One key at least: a grid has no side of 0.
  return arith::MaxSIOp::create(b, loc, seen, context.index(1));
}

ScoreRows SelectLowering::rowsOf(const Chunk& chunk) {
  ScoreRows rows;
  rows.batch = chunk.batch;
  rows.begin = chunk.begin;
  rows.count = chunk.count;
  rows.keys = endOfKeys(chunk);
  return rows;
}

/// Scores of the keys that the chunk's last query sees.
void SelectLowering::launchScores(const Chunk& chunk) {
  if (source.keys() == 0) return;
  ScoreRows rows = rowsOf(chunk);
  rows.scores = slab;
  rows.rows = chunkSize;
  launchIndexScores(source, scoreSchedule, rows, op.getLoc(), context);
}

ScoreRows SelectLowering::flaggedRows(const Chunk& chunk, const Flags& flags,
                                      int64_t rows) {
  ScoreRows flagged = rowsOf(chunk);
  flagged.scores = slab;
  flagged.rows = rows;
  flagged.pitch = flags.pitch;
  flagged.flags = flags.flags;
  flagged.firstFlag = flags.first;
  flagged.onlyFlagged = flags.only;
  return flagged;
}

void SelectLowering::launchFlaggedScores(const Chunk& chunk, const Flags& flags,
                                         int64_t rows) {
  ScoreRows flagged = flaggedRows(chunk, flags, rows);
  int64_t span = scoreSchedule.getSpan() * flaggedSpans;
  launchIndexScores(source, scoreSchedule.withSpan(span), flagged, op.getLoc(),
                    context, "flagged_scores");
}

void SelectLowering::launchScoresOf(const Chunk& chunk, const Flags& flags,
                                    bool all) {
  if (source.keys() == 0) return;
  ScoreRows rows = flaggedRows(chunk, flags, chunkSize);
  rows.span = context.index(scoreSchedule.getSpan() * (all ? 1 : flaggedSpans));
  launchIndexScores(source, scoreSchedule, rows, op.getLoc(), context);
}

Value SelectLowering::at(KernelBuilder& kernel, Value base, ValueRange indices,
                         ValueRange sizes) {
  return AtOp::create(kernel.body(), op.getLoc(), base.getType(), base, indices,
                      sizes);
}

SelectLowering::Row SelectLowering::emitPosition(KernelBuilder& kernel,
                                                 const Chunk& chunk) {
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  kernel.kernel()->setAttr(kScheduleAttr, rowSchedule);
  Row row;
  row.queries = kernel.size(source.queries(), "queries");
  row.keys = kernel.size(source.keys(), "keys");
  KernelScalars s(b, loc);
  if (chunk.batch) row.batch = kernel.scalar(chunk.batch, "batch");
  Value lengths, begin;
  if (source.lengths) lengths = kernel.read(source.lengths, "lengths");
  if (chunk.batch) begin = kernel.scalar(chunk.begin, "begin");
  row.inChunk = s.blockId(0);
  if (chunk.batch) {
    row.query = named(s.add(begin, row.inChunk), "query");
  } else {
    row.batch = named(s.divIndex(row.inChunk, row.queries), "batch");
    row.query = named(s.remIndex(row.inChunk, row.queries), "query");
  }
  row.limit = row.keys;
  if (lengths) {
    Value given =
        s.toIndex(LoadOp::create(b, loc, b.getI32Type(), lengths, row.batch));
    row.limit = named(s.min(s.max(given, kernel.index(0)), row.keys), "length");
  }
  if (source.mask == Mask::Causal) {
    Value offset = arith::SubIOp::create(b, loc, row.limit, row.queries);
    Value last = arith::AddIOp::create(b, loc, row.query, offset);
    Value end = arith::AddIOp::create(b, loc, last, kernel.index(1));
    row.limit =
        named(arith::MaxSIOp::create(b, loc, end, kernel.index(0)), "limit");
  }
  return row;
}

SelectLowering::Row SelectLowering::emitRow(KernelBuilder& kernel,
                                            const Chunk& chunk,
                                            const Flags* only) {
  Value scores = kernel.read(slab, "scores");
  Row row = emitPosition(kernel, chunk);
  Value pitch = only ? kernel.scalar(only->pitch, "row_pitch") : row.keys;
  row.scores = at(kernel, scores, {row.inChunk, kernel.index(0)}, {pitch});
  return row;
}

SelectionTarget SelectLowering::makeTarget(KernelBuilder& kernel,
                                           const Row& row, Value indices,
                                           Value slots) {
  SelectionTarget target;
  target.numSlots = policy.getSlots();
  target.slots = slots;
  target.sink = std::min<int64_t>(op.getSink(), source.keys());
  target.local = std::min<int64_t>(op.getLocal(), source.keys());
  target.indices = at(kernel, indices, {row.batch, row.query, kernel.index(0)},
                      {row.queries, target.slots});
  return target;
}

void SelectLowering::forRows(KernelBuilder& kernel, const Row& row,
                             const Flags* only, Value flags, Value first,
                             llvm::function_ref<void()> body) {
  if (!only) return body();
  OpBuilder& b = kernel.body();
  KernelScalars s(b, op.getLoc());
  if (only->only) {
    // Where flags do not count, none is read.
    Value counts = kernel.scalar(only->only, "only_flagged");
    Value own = s.add(first, row.inChunk);
    Value any = AnySetOp::create(b, op.getLoc(), b.getI1Type(), flags, own,
                                 s.add(own, counts));
    Value all = s.cmpi(arith::CmpIPredicate::eq, counts, s.index(0));
    s.ifThen(named(Value(arith::OrIOp::create(b, op.getLoc(), any, all)),
                   "is_selected"),
             body);
    return;
  }
  Value flag = LoadOp::create(b, op.getLoc(), b.getI32Type(), flags,
                              s.add(first, row.inChunk));
  Value isFlagged = s.cmpi(arith::CmpIPredicate::ne, flag, s.i32(0));
  s.ifThen(named(isFlagged, "is_flagged"), body);
}

void SelectLowering::launchStatistic(const Chunk& chunk, const Flags* only) {
  KernelBuilder kernel(context, op.getLoc(),
                       only ? "flagged_statistic" : "select_statistic",
                       rowSchedule.getWarps());
  Value values = kernel.write(variances, "statistic");
  Value flags, first;
  if (only) {
    flags = kernel.read(only->flags, "flags");
    first = kernel.scalar(only->first, "first_flag");
  }
  Row row = emitRow(kernel, chunk, only);
  forRows(kernel, row, only, flags, first, [&] {
    Value target = at(kernel, values, {row.batch, row.query}, {row.queries});
    RowEmitter e(kernel, op.getLoc(), rowSchedule, row.scores, row.limit);
    RowScanResult scan = e.scan();
    Value value = e.statistic(scan, policy, row.keys);
    e.byFirstWarp([&] {
      StoreOp::create(kernel.body(), op.getLoc(), target, kernel.index(0),
                      value);
    });
  });
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
}

void SelectLowering::launchSelection(const Chunk& chunk, const Flags* only) {
  bool isShared = only && only->only;
  KernelBuilder kernel(
      context, op.getLoc(),
      only && !isShared ? "select_flagged_rows" : "select_rows",
      rowSchedule.getWarps());
  Value statistics, divisor, flags, first;
  if (variances) statistics = kernel.read(variances, "statistic");
  if (normaliser) divisor = kernel.read(normaliser, "normaliser");
  SmallVector<Value> outputs = {kernel.write(results[0], "indices"),
                                kernel.write(results[1], "counts"),
                                kernel.write(results[2], "status")};
  Value slots = kernel.size(policy.getSlots(), "slots");
  if (only) {
    flags = kernel.read(only->flags, "flags");
    first = kernel.scalar(only->first, "first_flag");
  }
  Row row = emitRow(kernel, chunk, only);
  forRows(kernel, row, only, flags, first, [&] {
    emitSelection(kernel, row, statistics, divisor, outputs, slots);
  });
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
}

void SelectLowering::emitSelection(KernelBuilder& kernel, const Row& row,
                                   Value statistics, Value divisor,
                                   ValueRange outputs, Value slots) {
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  Value zero = kernel.index(0);
  SmallVector<Value> cell = {row.batch, row.query};
  SelectionTarget target = makeTarget(kernel, row, outputs[0], slots);
  RowEmitter e(kernel, loc, rowSchedule, row.scores, row.limit);
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
    StoreOp::create(b, loc, at(kernel, outputs[1], cell, {row.queries}), zero,
                    count);
    StoreOp::create(b, loc, at(kernel, outputs[2], cell, {row.queries}), zero,
                    scan.nans);
  });
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

void SelectLowering::remarkWorkspace(StringRef what, int64_t rows,
                                     int64_t bytes) {
  if (!context.emitsRemarks()) return;
  remark::passed(
      op.getLoc(),
      remark::RemarkOpts::name("SelectWorkspace").category("gsa.schedule"))
      << what << remark::metric("rows", rows) << remark::metric("bytes", bytes);
}

LogicalResult SelectLowering::emit() {
  makeResults();
  if (source.batches() * source.queries() > 0) {
    Type f32 = context.rewriter().getF32Type();
    remarkScores();
    if (op.getNormaliser()) {
      normaliser = context.toBuffer(op.getNormaliser());
    } else if (policy.usesNormaliser()) {
      variances = context.makeBuffer({source.batches(), source.queries()}, f32);
      forChunks(chunkSize, [&](const Chunk& chunk) {
        makeSlab();
        launchScores(chunk);
        launchStatistic(chunk);
      });
      if (failed(emitMean())) return failure();
    }
    forChunks(chunkSize, [&](const Chunk& chunk) {
      makeSlab();
      launchScores(chunk);
      launchSelection(chunk);
    });
  }
  context.replace(op, results);
  return success();
}

LogicalResult tile::lowerSelect(SelectOp op, ToTileContext& context) {
  if (isa_and_nonnull<OnePassScheduleAttr>(op->getAttr(kScheduleAttr)))
    return lowerOnePassSelect(op, context);
  if (isa_and_nonnull<SplitSelectScheduleAttr>(op->getAttr(kScheduleAttr)))
    return lowerSplitSelect(op, context);
  if (isa_and_nonnull<ShortRowsScheduleAttr>(op->getAttr(kScheduleAttr)))
    return lowerShortRows(op, context);
  FailureOr<SelectScheduleAttr> schedule =
      getSchedule<SelectScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  return SelectLowering(op, *schedule, context).emit();
}
