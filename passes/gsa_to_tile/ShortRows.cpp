//===- ShortRows.cpp - gsa.select of rows without a choice ----------------===//
//
// A row that sees no more keys than its budget selects all of them, but for
// those whose score is NaN or -inf. So the scores of such rows need not be
// known: a kernel checks that all numbers that a row's scores are made of are
// far from where one could become such a number, writes lists of all keys, and
// flags the rows for which that is not so. These are then selected from their
// scores by the kernels of Select.cpp, whose blocks have nothing to do for all
// other rows; whether there are flagged rows is known on the device alone.
//
//===----------------------------------------------------------------------===//

#include <numeric>

#include "dialect/Gsa/GsaLimits.h"
#include "dialect/GsaTile/PipelineAttrs.h"
#include "mlir/IR/Remarks.h"
#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/gsa_to_tile/SelectLowering.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

namespace {

class ShortRowsLowering : public SelectLowering {
 public:
  ShortRowsLowering(SelectOp op, ShortRowsScheduleAttr shortRows,
                    ToTileContext& context)
      : SelectLowering(op, shortRows.getExact(), context),
        shortRows(shortRows),
        count(countShortRows(op)) {}

  LogicalResult emit();

 private:
  void launchShort(const Chunk& chunk);
  void launchFlagged(const Chunk& chunk);
  /// Of flagged rows, or of all.
  Flags flagsOfChunk(bool all = false) {
    return {flags, context.index(0), context.index(source.keys()),
            context.index(all ? 0 : 1)};
  }
  void launchRows(const Chunk& chunk);
  void remarkRows();

  ShortRowsScheduleAttr shortRows;
  int64_t count;  ///< Short rows of a batch, the first ones.
  Value flags;    ///< Buffer [chunk] of i32.
};

/// The body of the kernel: a row for each warp.
class ShortRowsKernel {
 public:
  ShortRowsKernel(KernelBuilder& kernel, Location loc,
                  ShortRowsScheduleAttr schedule)
      : kernel(kernel),
        rows(schedule.getRows()),
        vectors(schedule.getVectors()),
        s(kernel.body(), loc) {}

  // Arguments; null where there are none.
  Value query, key, weights, bias, indices, counts, status, flags;
  Value queries, keys, slots, batch, begin, count;
  int64_t numQueries, numChunk, numSlots, heads, depth;
  bool causal;

  void emit();

 private:
  /// How many keys a query sees, at least 0.
  Value limitOf(Value query);
  /// Counts numbers of [0, end) of `array`, which begins at a multiple of
  /// `columns` numbers.
  void check(Value array, Value end, int64_t columns);

  KernelBuilder& kernel;
  int64_t rows;
  int64_t vectors;  ///< Of a lane that are under way together.
  KernelScalars s;
  Value warp, beyond;
};

}  // namespace

Value ShortRowsKernel::limitOf(Value query) {
  if (!causal) return keys;
  Value end = s.add(s.add(query, s.sub(keys, queries)), s.index(1));
  return s.max(end, s.index(0));
}

void ShortRowsKernel::check(Value array, Value end, int64_t columns) {
  auto type = cast<GlobalType>(array.getType());
  Type element = type.getElementType();
  int64_t vector = std::max<int64_t>(
      getVectorBytes(element, columns) * 8 / element.getIntOrFloatBitWidth(),
      1);
  int64_t step = vectors * 32 * vector;
  s.rolledLoop(s.mul(warp, step), end, step * rows, [&](Value first) {
    CountBeyondOp::create(s.b, s.loc, beyond, array, first, end, step,
                          s.f32(kLargestIndexerInput), vector);
  });
}

void ShortRowsKernel::emit() {
  warp =
      named(WarpRankOp::create(s.b, s.loc, s.b.getIndexType(), kernel.team()),
            "warp");
  beyond = named(
      LanesAllocOp::create(
          s.b, s.loc, LanesType::get(s.b.getContext(), {1}, s.b.getI32Type())),
      "beyond");
  Value counted = named(
      SmemAllocOp::create(s.b, s.loc,
                          SmemType::get(s.b.getContext(), {rows, 1},
                                        s.b.getI32Type(), SmemLayout::Linear),
                          IntegerAttr()),
      "beyond_of_warps");
  Value first = named(s.mul(s.blockId(0), rows), "first_row");
  Value size = named(s.min(s.sub(count, first), s.index(rows)), "rows");
  Value firstQuery = named(s.add(begin, first), "first_query");
  Value zero = s.index(0);
  // The lists first: they go to memory while numbers come from there.
  Value isRow = named(s.cmpi(CmpIPredicate::slt, warp, size), "is_row");
  s.ifThen(isRow, [&] {
    Value row = named(s.add(firstQuery, warp), "query");
    Value limit = named(s.min(limitOf(row), slots), "limit");
    ListAllOp::create(
        s.b, s.loc, s.at(indices, {batch, row, zero}, {queries, slots}), limit,
        slots, getVectorBytes(s.b.getI32Type(), numSlots) / 4);
    auto store = [&](Value array, Value value) {
      StoreOp::create(s.b, s.loc, s.at(array, {batch, row}, {queries}), zero,
                      value);
    };
    store(counts, s.toI32(limit));
    store(status, s.i32(0));
  });
  check(s.at(query, {batch, firstQuery, zero, zero},
             {queries, s.index(heads), s.index(depth)}),
        s.mul(size, heads * depth), heads * depth);
  if (weights)
    check(s.at(weights, {batch, firstQuery, zero}, {queries, s.index(heads)}),
          s.mul(size, heads),
          heads * std::gcd(rows, std::gcd(numQueries, numChunk)));
  if (bias) check(bias, s.index(heads), heads);
  // No row of the block sees more.
  Value seen = limitOf(s.add(firstQuery, s.sub(size, s.index(1))));
  check(s.at(key, {batch, zero, zero}, {keys, s.index(depth)}),
        s.mul(named(seen, "seen_keys"), depth), depth);
  StoreTotalsOp::create(s.b, s.loc, counted, warp, beyond);
  SyncOp::create(s.b, s.loc, kernel.team());
  Value total = SumRowsOp::create(s.b, s.loc, s.b.getI32Type(), counted,
                                  s.index(rows), zero);
  Value flag = named(s.min(total, s.i32(1)), "flag");
  s.ifThen(isRow, [&] {
    StoreOp::create(s.b, s.loc, flags, s.add(first, warp), flag);
  });
}

void ShortRowsLowering::launchShort(const Chunk& chunk) {
  KernelBuilder kernel(context, op.getLoc(), "short_rows", shortRows.getRows());
  kernel.setSchedule(shortRows);
  // They wait for memory: many, so that they take few SMs from the kernel that
  // runs beside them.
  kernel.kernel().setMinBlocks(
      std::clamp<int64_t>(shortRows.getSmWarps() / shortRows.getRows(), 1, 16));
  ShortRowsKernel body(kernel, op.getLoc(), shortRows);
  body.query = kernel.read(source.query, "query");
  body.key = kernel.read(source.keyRows.buffer, "key");
  if (source.weights) body.weights = kernel.read(source.weights, "weights");
  if (source.bias) body.bias = kernel.read(source.bias, "bias");
  body.indices = kernel.write(results[0], "indices");
  body.counts = kernel.write(results[1], "counts");
  body.status = kernel.write(results[2], "status");
  body.flags = kernel.write(flags, "flags");
  body.queries = kernel.size(source.queries(), "queries");
  body.keys = kernel.size(source.keys(), "keys");
  body.slots = kernel.size(policy.getSlots(), "slots");
  body.batch = kernel.scalar(chunk.batch, "batch");
  body.begin = kernel.scalar(chunk.begin, "begin");
  body.count = kernel.scalar(chunk.count, "count");
  body.numQueries = source.queries();
  body.numChunk = std::min(chunkSize, count);
  body.numSlots = policy.getSlots();
  body.heads = source.heads();
  body.depth = source.depth();
  body.causal = source.mask == Mask::Causal;
  body.emit();
  IRRewriter& b = context.rewriter();
  Value blocks = arith::CeilDivSIOp::create(b, op.getLoc(), chunk.count,
                                            context.index(shortRows.getRows()));
  kernel.launch(ArrayRef<OpFoldResult>{blocks});
}

void ShortRowsLowering::launchFlagged(const Chunk& chunk) {
  Flags only = flagsOfChunk();
  launchScoresOf(chunk, only, /*all=*/false);
  launchSelection(chunk, &only);
}

/// Rows of scores that are read once; those with a score that is not finite are
/// flagged.
void ShortRowsLowering::launchRows(const Chunk& chunk) {
  int64_t warps = shortRows.getRowWarps(source.keys());
  TopKScheduleAttr topk = rowSchedule.withWarps(warps);
  KernelBuilder kernel(context, op.getLoc(), "select_long_rows", warps);
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  Value flagOf = kernel.write(flags, "flags");
  Value indices = kernel.write(results[0], "indices");
  Value counts = kernel.write(results[1], "counts");
  Value status = kernel.write(results[2], "status");
  Value slots = kernel.size(policy.getSlots(), "slots");
  Row row = emitRow(kernel, chunk, nullptr);
  kernel.setSchedule(shortRows);
  SelectionTarget target = makeTarget(kernel, row, indices, slots);
  RowEmitter e(kernel, loc, topk, Value(), row.limit);
  // The row is in registers: fewer warps on an SM than of other rows.
  kernel.kernel().setMinBlocks(
      std::clamp<int64_t>(shortRows.getRowSmWarps() / warps, 1, 8));
  CandidateList list;
  list.pairs = row.scores;
  list.count = row.limit;
  list.capacity = 32 * warps * shortRows.getCells();
  list.bins = topk.getBins();
  list.keys = source.keys();
  list.isRow = true;
  Value budget = emitBudget(kernel, e, row, /*statistic=*/{}, /*divisor=*/{});
  auto flag = [&](int32_t value) {
    StoreOp::create(b, loc, flagOf, row.inChunk, e.i32(value));
  };
  e.selectRow(
      list, budget, target,
      [&](Value taken) {
        storeTaken(kernel, e, row, taken, {counts, status}, [&] { flag(0); });
      },
      [&] { e.byFirstWarp([&] { flag(1); }); });
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
  Flags only = flagsOfChunk();
  // As a rule there is none.
  context.briefly([&] { launchSelection(chunk, &only); });
}

void ShortRowsLowering::remarkRows() {
  remark::passed(op.getLoc(),
                 remark::RemarkOpts::name("ShortRows").category("gsa.schedule"))
      << "rows that see no more keys than their budget select all of them, "
         "unless a score is not finite"
      << remark::metric("rows", count)
      << remark::metric("of", source.queries());
}

LogicalResult ShortRowsLowering::emit() {
  makeResults();
  if (source.batches() * source.queries() > 0) {
    int64_t chunk = std::max<int64_t>(std::min(chunkSize, count), 1);
    auto makeScratch = [&] {
      makeSlab();
      flags = context.makeBuffer({chunkSize}, context.rewriter().getI32Type());
    };
    if (context.emitsRemarks()) remarkRows();
    remarkScores();
    if (op.getNormaliser()) normaliser = context.toBuffer(op.getNormaliser());
    if (count > 0)
      context.forQueryChunks(source.batches(), count, chunk,
                             [&](const Chunk& part) {
                               makeScratch();
                               // Long kernels run beside these, and what is
                               // done again at the end waits for them.
                               context.urgently([&] {
                                 launchShort(part);
                                 launchFlagged(part);
                               });
                             });
    if (count < source.queries()) {
      context.forQueryChunks(
          source.batches(), source.queries(), chunkSize,
          [&](const Chunk& part) {
            makeScratch();
            Flags all = flagsOfChunk(/*all=*/true);
            launchScoresOf(part, all, /*all=*/true);
            if (shortRows.getCells() > 0)
              launchRows(part);
            else
              launchSelection(part, &all);
          },
          count);
      // The loop that was made: other rows than those of the one before.
      Operation* loop = &*std::prev(context.rewriter().getInsertionPoint());
      loop->setAttr(kJoinedAttr, context.rewriter().getUnitAttr());
    }
  }
  context.replace(op, results);
  return success();
}

LogicalResult gsa::lowerShortRows(SelectOp op, ToTileContext& context) {
  FailureOr<ShortRowsScheduleAttr> schedule =
      getSchedule<ShortRowsScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  return ShortRowsLowering(op, *schedule, context).emit();
}
