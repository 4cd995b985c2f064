//===- SplitSelect.cpp - gsa.select of few queries ------------------------===//
//
// All rows at once, in one to four kernels. Scores go to memory; a block for
// each row then selects. With lists, the scores of every m-th key and the bound
// of each row come first, in one kernel or two, scores at or above it go to the
// row's list as well, and the block reads its list. Where that does not have
// all that the row may select, the same block reads the row: there is no
// further kernel, and no host.
//
//===----------------------------------------------------------------------===//

#include <optional>

#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/gsa_to_tile/SelectLowering.h"
#include "passes/gsa_to_tile/SplitScores.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

namespace {

class SplitSelectLowering : public SelectLowering {
 public:
  SplitSelectLowering(SelectOp op, SplitSelectScheduleAttr split,
                      ToTileContext& context)
      : SelectLowering(op, /*scores=*/{}, split.getRowsOfBlock(), context),
        split(split),
        lists(split) {}

  LogicalResult emit();

 private:
  /// All rows of all batches.
  Chunk allRows() {
    return {Value(), context.index(0),
            context.index(source.batches() * source.queries())};
  }
  Value makeRowsBuffer(int64_t columns);
  void launchSample();
  void launchSelection(Value scores);
  void addOutputs(KernelBuilder& kernel);
  void prepareRow(KernelBuilder& kernel, Value limit);
  void selectRow(KernelBuilder& kernel, const Row& row);
  void launchInCluster(const SplitRows& rows);

  SplitSelectScheduleAttr split;
  RowLists lists;
  // Of the kernel that selects: arguments, and rows that are read once.
  Value divisor, slots;
  SmallVector<Value> outputs;
  std::optional<RowEmitter> held;
};

}  // namespace

Value SplitSelectLowering::makeRowsBuffer(int64_t columns) {
  return context.makeBuffer(
      {source.batches() * source.queries(), std::max<int64_t>(columns, 1)},
      context.rewriter().getF32Type());
}

/// The scores of every m-th key to the slab, and bounds: by clusters, or in
/// shorter spans and by a kernel of their own.
void SplitSelectLowering::launchSample() {
  slab = makeRowsBuffer(llvm::divideCeil(source.keys(), lists.sample));
  if (split.getCluster() > 0) {
    SplitRows rows;
    rows.scores = slab;
    rows.sample = lists.sample;
    SplitBounds target{lists.bounds, lists.counts, lists.rank, lists.capacity,
                       lists.bins};
    launchSplitSample(source, split, rows, target, op.getLoc(), context,
                      "split_sample");
    return;
  }
  if (source.keys() > 0) {
    SplitRows rows;
    rows.scores = slab;
    rows.sample = lists.sample;
    auto tiles = static_cast<int64_t>(
        llvm::divideCeil(source.keys(), lists.sample * split.getBlockK()));
    auto spans = static_cast<int64_t>(
        llvm::divideCeil(source.keys(), split.getSpanKeys()));
    // At most: each has little to do.
    auto span = static_cast<int64_t>(
        llvm::divideCeil(tiles, split.getSampleBlocks() * spans));
    launchSplitScores(source, split, span, rows, op.getLoc(), context,
                      "split_sample");
  }
  launchBounds(allRows(), lists, "split_bounds");
}

void SplitSelectLowering::addOutputs(KernelBuilder& kernel) {
  if (normaliser) divisor = kernel.read(normaliser, "normaliser");
  outputs = {kernel.write(results[0], "indices"),
             kernel.write(results[1], "counts"),
             kernel.write(results[2], "status")};
  slots = kernel.size(policy.getSlots(), "slots");
}

/// Shared memory of a row that is read once.
void SplitSelectLowering::prepareRow(KernelBuilder& kernel, Value limit) {
  held.emplace(kernel, op.getLoc(), rowSchedule, Value(), limit);
  held->prepareCandidates(split.getHeldCells(), split.getCandidateBins(),
                          source.keys());
}

void SplitSelectLowering::selectRow(KernelBuilder& kernel, const Row& row) {
  CandidateList list;
  list.pairs = row.scores;
  list.count = row.limit;
  list.capacity = split.getHeldCells();
  list.bins = split.getCandidateBins();
  list.keys = source.keys();
  list.isRow = true;
  SelectionTarget target = makeTarget(kernel, row, outputs[0], slots);
  Value budget = emitBudget(kernel, *held, row, /*statistic=*/{}, divisor);
  held->selectRow(
      list, budget, target,
      [&](Value taken) {
        storeTaken(kernel, *held, row, taken, {outputs[1], outputs[2]}, {});
      },
      [&] {
        emitSelection(kernel, row, /*statistics=*/{}, divisor, outputs, slots);
      });
}

/// Scores and selection in one kernel, by a cluster for each sequence.
void SplitSelectLowering::launchInCluster(const SplitRows& rows) {
  auto rowOf = [](const SplitRow& from) {
    Row row;
    row.batch = from.batch;
    row.query = from.query;
    row.queries = from.queries;
    row.keys = from.keys;
    row.inChunk = from.number;
    row.scores = from.scores;
    row.limit = from.limit;
    return row;
  };
  SplitRowUse use;
  use.addArguments = [&](KernelBuilder& kernel) { addOutputs(kernel); };
  use.prepare = [&](KernelBuilder& kernel, const SplitRow& row) {
    prepareRow(kernel, row.limit);
  };
  use.use = [&](KernelBuilder& kernel, const SplitRow& row) {
    selectRow(kernel, rowOf(row));
  };
  launchSplitRows(source, split, rows, use, op.getLoc(), context,
                  "split_cluster_select");
}

void SplitSelectLowering::launchSelection(Value scores) {
  KernelBuilder kernel(context, op.getLoc(), "split_select",
                       rowSchedule.getWarps());
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  Value scoresOf = kernel.read(scores, "scores");
  Value countOf, listOf;
  if (split.hasLists()) {
    countOf = kernel.read(lists.counts, "candidate_counts");
    listOf = kernel.read(lists.pairs, "candidates");
  }
  addOutputs(kernel);
  Row row = emitPosition(kernel, allRows());
  auto fromRow = [&] {
    row.scores =
        at(kernel, scoresOf, {row.inChunk, kernel.index(0)}, {row.keys});
    emitSelection(kernel, row, /*statistics=*/{}, divisor, outputs, slots);
  };
  if (split.getRowCells() > 0) {
    // Shared memory is ready before the launch before has ended, which the
    // address of its scores waits for.
    prepareRow(kernel, row.limit);
    row.scores =
        at(kernel, scoresOf, {row.inChunk, kernel.index(0)}, {row.keys});
    selectRow(kernel, row);
  } else if (!split.hasLists()) {
    fromRow();
  } else {
    KernelScalars s(b, loc);
    // Shared memory is ready before the launch before has ended. What the list
    // has is loaded before it is known how much that is, or the row waited for
    // memory twice.
    RowEmitter e(kernel, loc, rowSchedule, Value(), row.limit);
    e.prepareCandidates(lists.capacity, lists.bins, source.keys());
    CandidateList list = openList(kernel, row, lists, listOf, s.i32(0));
    e.fetchCandidates(list);
    Value count =
        named(LoadOp::create(b, loc, b.getI32Type(), countOf, row.inChunk),
              "candidate_count");
    Value complete =
        named(isComplete(kernel, row, lists, slots, count), "is_complete");
    s.ifThen(
        complete,
        [&] {
          list.count = s.toIndex(count);
          SelectionTarget target = makeTarget(kernel, row, outputs[0], slots);
          Value budget = emitBudget(kernel, e, row, /*statistic=*/{}, divisor);
          emitFromList(kernel, e, row, list, budget, target,
                       {outputs[1], outputs[2]});
        },
        fromRow);
  }
  kernel.launch(ArrayRef<OpFoldResult>{allRows().count});
}

LogicalResult SplitSelectLowering::emit() {
  makeResults();
  int64_t numRows = source.batches() * source.queries();
  if (numRows > 0) {
    if (op.getNormaliser()) normaliser = context.toBuffer(op.getNormaliser());
    SplitRows rows;
    rows.scores = makeRowsBuffer(source.keys());
    int64_t bytes =
        4 * cast<MemRefType>(rows.scores.getType()).getNumElements();
    if (split.hasLists()) {
      makeLists(lists, numRows);
      launchSample();
      rows.bounds = lists.bounds;
      rows.counts = lists.counts;
      rows.pairs = lists.pairs;
      rows.capacity = lists.capacity;
      bytes += 4 * cast<MemRefType>(slab.getType()).getNumElements() +
               numRows * (8 * lists.capacity + 8);
    }
    remarkWorkspace("scores of all rows", numRows, bytes);
    if (split.selectsInCluster()) {
      launchInCluster(rows);
    } else {
      if (source.keys() > 0)
        launchSplitScores(source, split, split.getSpan(), rows, op.getLoc(),
                          context, "split_scores");
      launchSelection(rows.scores);
    }
  }
  context.replace(op, results);
  return success();
}

LogicalResult gsa::lowerSplitSelect(SelectOp op, ToTileContext& context) {
  FailureOr<SplitSelectScheduleAttr> schedule =
      getSchedule<SplitSelectScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  return SplitSelectLowering(op, *schedule, context).emit();
}
