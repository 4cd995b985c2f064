//===- OnePassSelect.cpp - gsa.select without scores in memory ------------===//
//
// The host goes through the queries in chunks, with four kernels for each:
// scores of every m-th key, the bound of each row from them, one pass over all
// keys that appends what is at or above the bound to lists of candidates, and
// the selection of each row from its list. Rows whose list is not complete are
// then selected by the kernels of Select.cpp, whose blocks have nothing to do
// for all other rows; whether there are such rows is known on the device alone.
//
// A list is complete if it has no more candidates than room, and as many as the
// row has slots or visible keys. Rows with a score that is not finite count as
// not complete, so that only one place knows of NaN.
//
// A budget that follows the variance of a row's scores takes it from their
// moments, which the pass adds up. If it also takes the mean of all rows, a
// round over the chunks that adds up moments alone comes first; or, where the
// schedule keeps scores, the round with lists selects for the largest budget,
// and a kernel trims each row to its own one when the mean is known.
//
//===----------------------------------------------------------------------===//

#include <limits>
#include <numeric>
#include <utility>

#include "dialect/Gsa/GsaBuilders.h"
#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/gsa_to_tile/SelectLowering.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

/// What rows of scores of flagged rows are a multiple of, and of their tiles:
/// a tile is stored whole, also where the keys of its last ones are behind all
/// that the rows of a chunk see.
static constexpr int64_t kPitchUnit = 32;

namespace {

class OnePassLowering : public SelectLowering {
 public:
  OnePassLowering(SelectOp op, OnePassScheduleAttr onePass,
                  ToTileContext& context)
      : SelectLowering(op, onePass.getExact(), context),
        onePass(onePass),
        chunkOfLists(clampChunk(onePass.getChunk())),
        // Only then do these rows need no score.
        shortRows(op.getAssumeFinite() &&
                  policy.getKind() == KPolicyKind::Fixed),
        lists(onePass) {}

  LogicalResult emit();

 private:
  /// Whether rows are selected for the largest budget before theirs is known.
  bool keepsScores() {
    return onePass.getKeep() && policy.usesNormaliser() && !op.getNormaliser();
  }
  /// Whether the pass adds up the moments of a row: its variance is not known.
  bool needsMoments() {
    return policy.usesStatistic() && (!variances || keepsScores());
  }
  int64_t spans() const {
    return llvm::divideCeil(source.keys(), getSpanKeys(onePass.getScores()));
  }
  /// The sum of a row's weights, of which zeros in place of scores make use.
  bool needsWeights() const {
    return source.scoreActivation == ScoreActivation::Sigmoid;
  }
  int64_t sampledKeys() const {
    return llvm::divideCeil(source.keys(), onePass.getSample());
  }
  int64_t pitchUnit() const {
    return std::lcm(kPitchUnit, onePass.getExact().getScores().getBlockK());
  }
  /// Scores of flagged rows that are in memory at a time.
  int64_t flaggedCells() const {
    auto pitch =
        static_cast<int64_t>(llvm::alignTo(source.keys(), pitchUnit()));
    return std::max<int64_t>(chunkSize * pitch, 1);
  }
  /// Has the scores of a chunk shared out among blocks, if the schedule says
  /// so.
  void shareOut(ScoreRows& rows) const;
  void makeBuffers();
  bool samplesBoxes() const;
  void launchSample(const Chunk& chunk);
  void launchPass(const Chunk& chunk);
  void launchCandidates(const Chunk& chunk);
  void launchFlagged(const Chunk& chunk,
                     llvm::function_ref<void(const Chunk&, const Flags&)> row);
  /// The same of the flags `of` some rows, flag `first` (null: 0) + i being
  /// that of row i of the chunk.
  void launchFlagged(const Chunk& chunk, Value of, int64_t rowsOf, Value first,
                     llvm::function_ref<void(const Chunk&, const Flags&)> row);
  void launchMost(const Chunk& chunk);
  void launchTrim(const Chunk& chunk);
  LogicalResult emitKept();
  void launchEmptyCounts(const Chunk& chunk);
  void launchMoments(const Chunk& chunk);
  void launchVariances(const Chunk& chunk);
  LogicalResult emitVariances();
  MomentList emitMoments(KernelBuilder& kernel, const Row& row, Value sums,
                         Value squares, Value weights);
  /// An i1: whether the row takes all its keys and needs no list.
  Value takesAll(KernelBuilder& kernel, const Row& row, Value slots);

  OnePassScheduleAttr onePass;
  int64_t chunkOfLists;
  bool shortRows;
  RowLists lists;
  Value flags;  ///< A buffer, for the rows of a chunk.
  /// Of all rows, where scores are kept: those of selected keys, [rows, slots],
  /// and flags of rows that have none.
  Value keptScores, keptFlags;
  bool remarked = false;
  std::optional<RowMoments> moments;
};

}  // namespace

Value OnePassLowering::takesAll(KernelBuilder& kernel, const Row& row,
                                Value slots) {
  KernelScalars s(kernel.body(), op.getLoc());
  return named(s.cmpi(CmpIPredicate::sle, row.limit, slots), "takes_all");
}

/// Those of one chunk but the scores of flagged rows. Flags come first: they
/// alone are needed as long as those, which may lie where all others were.
void OnePassLowering::makeBuffers() {
  Type f32 = context.rewriter().getF32Type();
  Type i32 = context.rewriter().getI32Type();
  flags = context.makeBuffer({chunkOfLists}, i32);
  slab = context.makeBuffer(
      {std::max<int64_t>(chunkOfLists * sampledKeys(), 1)}, f32);
  makeLists(lists, chunkOfLists);
  SmallVector<Value> buffers = {slab, lists.bounds, lists.counts, lists.pairs};
  if (policy.usesStatistic()) {
    int64_t columns = std::max<int64_t>(spans(), 1);
    moments = RowMoments{context.makeBuffer({chunkOfLists, columns}, f32),
                         context.makeBuffer({chunkOfLists, columns}, f32)};
    buffers.append({moments->sums, moments->squares});
  }
  if (std::exchange(remarked, true)) return;
  auto bytesOf = [](Value buffer) {
    return 4 * cast<MemRefType>(buffer.getType()).getNumElements();
  };
  int64_t bytes = 0;
  for (Value buffer : buffers) bytes += bytesOf(buffer);
  bytes = bytesOf(flags) + std::max(bytes, 4 * flaggedCells());
  remarkWorkspace("candidates of a chunk of rows", chunkOfLists, bytes);
}

void OnePassLowering::shareOut(ScoreRows& rows) const {
  rows.blocks = onePass.getSmBlocks() * context.target().sms;
  rows.leastSpan = onePass.getLeastSpan();
}

/// Where the keys of batches are whole rows of sampled ones and of others, and
/// no box of some is of two batches.
bool OnePassLowering::samplesBoxes() const {
  int64_t sampled = source.keys() / onePass.getSample();
  return source.keys() % onePass.getSample() == 0 &&
         (source.batches() == 1 ||
          sampled % onePass.getScores().getBlockK() == 0);
}

/// Shorter spans than those of all keys: the grid shall fill the device.
void OnePassLowering::launchSample(const Chunk& chunk) {
  ScoreScheduleAttr all = onePass.getScores();
  if (!samplesBoxes()) all = all.withoutBoxes();
  ScoreScheduleAttr sample = all.withSpan(
      std::max<int64_t>(all.getSpan() / onePass.getSampleBlocks(), 1));
  ScoreRows rows = rowsOf(chunk);
  shareOut(rows);
  rows.scores = slab;
  rows.rows = chunkOfLists;
  rows.ranksOnly = true;
  rows.sample = onePass.getSample();
  launchIndexScores(source, sample, rows, op.getLoc(), context,
                    "sample_scores");
}

void OnePassLowering::launchPass(const Chunk& chunk) {
  ScoreRows rows = rowsOf(chunk);
  rows.ranksOnly = true;
  rows.candidates = CandidateLists{
      lists.bounds,   lists.counts,        lists.pairs,
      lists.capacity, onePass.getStaged(), shortRows ? policy.getSlots() : 0};
  shareOut(rows);
  if (needsMoments()) rows.moments = moments;
  launchIndexScores(source, onePass.getScores(), rows, op.getLoc(), context,
                    "append_scores");
}

void OnePassLowering::launchCandidates(const Chunk& chunk) {
  TopKScheduleAttr topk = candidateSchedule(lists);
  KernelBuilder kernel(context, op.getLoc(), "select_candidates",
                       topk.getWarps());
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  Value countOf = kernel.read(lists.counts, "candidate_counts");
  Value listOf = kernel.read(lists.pairs, "candidates");
  Value flagOf = kernel.write(flags, "flags");
  Value indices = kernel.write(results[0], "indices");
  Value counted = kernel.write(results[1], "counts");
  Value status = kernel.write(results[2], "status");
  Value slots = kernel.size(policy.getSlots(), "slots");
  Value sums, squares, weights, statistics, divisor;
  if (needsMoments()) {
    sums = kernel.read(moments->sums, "sums");
    squares = kernel.read(moments->squares, "squares");
    if (needsWeights() && source.weights)
      weights = kernel.read(source.weights, "weights");
  }
  if (variances) statistics = kernel.read(variances, "statistic");
  if (normaliser) divisor = kernel.read(normaliser, "normaliser");
  Row row = emitPosition(kernel, chunk);
  KernelScalars s(b, loc);
  Value count =
      named(LoadOp::create(b, loc, b.getI32Type(), countOf, row.inChunk),
            "candidate_count");
  Value complete = isComplete(kernel, row, lists, slots, count);
  RowEmitter e(kernel, loc, topk, Value(), row.limit);
  Value statistic;
  if (sums) {
    Value isSafe;
    statistic = e.variance(emitMoments(kernel, row, sums, squares, weights),
                           policy.getPopulation(), policy.getCorrection(),
                           row.keys, isSafe);
    complete = arith::AndIOp::create(b, loc, complete, isSafe);
  }
  Value all;
  if (shortRows) {
    all = takesAll(kernel, row, slots);
    complete = arith::OrIOp::create(b, loc, complete, all);
  }
  named(complete, "is_complete");
  CandidateList list = openList(kernel, row, lists, listOf, count);
  list.takesAll = all;
  SelectionTarget target = makeTarget(kernel, row, indices, slots);
  SmallVector<Value> cell = {row.batch, row.query};
  Value zero = kernel.index(0);
  s.ifThen(
      complete,
      [&] {
        if (statistics)
          statistic =
              LoadOp::create(b, loc, b.getF32Type(),
                             at(kernel, statistics, cell, {row.queries}), zero);
        Value budget = emitBudget(kernel, e, row, statistic, divisor);
        emitFromList(
            kernel, e, row, list, budget, target, {counted, status},
            [&] { StoreOp::create(b, loc, flagOf, row.inChunk, s.i32(0)); });
      },
      [&] {
        e.byFirstWarp(
            [&] { StoreOp::create(b, loc, flagOf, row.inChunk, s.i32(1)); });
      });
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
}

/// As many rows at a time as the slab holds, with the keys that some row of the
/// chunk sees: the fewer those are, the fewer kernels.
void OnePassLowering::launchFlagged(
    const Chunk& chunk,
    llvm::function_ref<void(const Chunk&, const Flags&)> row) {
  launchFlagged(chunk, flags, chunkOfLists, Value(), row);
}

void OnePassLowering::launchFlagged(
    const Chunk& chunk, Value of, int64_t rowsOf, Value firstFlag,
    llvm::function_ref<void(const Chunk&, const Flags&)> row) {
  IRRewriter& b = context.rewriter();
  Location loc = op.getLoc();
  OpBuilder::InsertionGuard guard(b);
  Value pitch = endOfKeys(chunk);
  Value unit = context.index(pitchUnit());
  pitch =
      b.createOrFold<arith::AddIOp>(loc, pitch, context.index(pitchUnit() - 1));
  pitch = b.createOrFold<arith::DivUIOp>(loc, pitch, unit);
  pitch = b.createOrFold<arith::MulIOp>(loc, pitch, unit);
  // Here, where the sample and the lists are no longer needed.
  int64_t cells = flaggedCells();
  slab = context.makeBuffer({cells}, b.getF32Type());
  Value step = b.createOrFold<arith::DivUIOp>(loc, context.index(cells), pitch);
  auto loop = scf::ForOp::create(b, loc, context.index(0), chunk.count, step);
  b.setInsertionPointToStart(loop.getBody());
  Value first = loop.getInductionVar();
  Value rest = arith::SubIOp::create(b, loc, chunk.count, first);
  Chunk part;
  part.batch = chunk.batch;
  part.begin = arith::AddIOp::create(b, loc, chunk.begin, first);
  part.count = arith::MinSIOp::create(b, loc, rest, step);
  if (firstFlag) first = arith::AddIOp::create(b, loc, firstFlag, first);
  Flags only{of, first, pitch};
  // As a rule there is none, and each begins while the one before ends.
  context.briefly([&] {
    launchFlaggedScores(part, only, rowsOf);
    row(part, only);
  });
}

//===----------------------------------------------------------------------===//
// Moments
//===----------------------------------------------------------------------===//

/// The moments of a row; `weights` are those of all rows or null.
MomentList OnePassLowering::emitMoments(KernelBuilder& kernel, const Row& row,
                                        Value sums, Value squares,
                                        Value weights) {
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  KernelScalars s(b, loc);
  MomentList list;
  Value pitch = kernel.index(std::max<int64_t>(spans(), 1));
  Value zero = kernel.index(0);
  list.sums = at(kernel, sums, {row.inChunk, zero}, {pitch});
  list.squares = at(kernel, squares, {row.inChunk, zero}, {pitch});
  list.spans = s.ceilDiv(row.limit, getSpanKeys(onePass.getScores()));
  named(list.spans, "spans");
  if (!needsWeights()) return list;
  list.weights = s.f32(weights ? 0.0 : static_cast<double>(source.heads()));
  for (int64_t head = 0; weights && head < source.heads(); ++head) {
    Type type = cast<GlobalType>(weights.getType()).getElementType();
    Value heads = kernel.index(source.heads());
    Value from = at(kernel, weights, {row.batch, row.query, kernel.index(head)},
                    {row.queries, heads});
    Value weight =
        s.cast(LoadOp::create(b, loc, type, from, zero), b.getF32Type());
    if (source.weightActivation == WeightActivation::Sigmoid)
      weight = s.sigmoid(weight);
    list.weights = s.add(list.weights, weight);
  }
  named(list.weights, "sum_of_weights");
  return list;
}

void OnePassLowering::launchEmptyCounts(const Chunk& chunk) {
  KernelBuilder kernel(context, op.getLoc(), "empty_counts",
                       rowSchedule.getWarps());
  Value countOf = kernel.write(lists.counts, "counts");
  Value rows = kernel.scalar(chunk.count, "rows");
  KernelScalars s(kernel.body(), op.getLoc());
  FillSpanOp::create(kernel.body(), op.getLoc(), countOf, kernel.index(0), rows,
                     s.i32(0), kernel.team());
  kernel.launch(ArrayRef<int64_t>(1));
}

void OnePassLowering::launchMoments(const Chunk& chunk) {
  ScoreRows rows = rowsOf(chunk);
  rows.ranksOnly = true;
  rows.candidates = CandidateLists();
  rows.candidates->counts = lists.counts;
  rows.moments = moments;
  shareOut(rows);
  launchIndexScores(source, onePass.getScores(), rows, op.getLoc(), context,
                    "score_moments");
}

/// The variance of each row whose moments give it; the others get a flag.
void OnePassLowering::launchVariances(const Chunk& chunk) {
  KernelBuilder kernel(context, op.getLoc(), "row_variances", /*warps=*/1);
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  Value countOf = kernel.read(lists.counts, "counts");
  Value sums = kernel.read(moments->sums, "sums");
  Value squares = kernel.read(moments->squares, "squares");
  Value weights;
  if (needsWeights() && source.weights)
    weights = kernel.read(source.weights, "weights");
  Value flagOf = kernel.write(flags, "flags");
  Value values = kernel.write(variances, "statistic");
  Row row = emitPosition(kernel, chunk);
  KernelScalars s(b, loc);
  RowEmitter e(kernel, loc, rowSchedule.withWarps(1), Value(), row.limit);
  Value isSafe;
  Value value = e.variance(emitMoments(kernel, row, sums, squares, weights),
                           policy.getPopulation(), policy.getCorrection(),
                           row.keys, isSafe);
  Value count = LoadOp::create(b, loc, b.getI32Type(), countOf, row.inChunk);
  Value isFinite = s.cmpi(CmpIPredicate::eq, count, s.i32(0));
  isSafe = arith::AndIOp::create(b, loc, isSafe, isFinite);
  Value target = at(kernel, values, {row.batch, row.query}, {row.queries});
  e.byFirstWarp([&] {
    StoreOp::create(b, loc, target, kernel.index(0), value);
    StoreOp::create(b, loc, flagOf, row.inChunk,
                    s.select(isSafe, s.i32(0), s.i32(1)));
  });
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
}

/// Variances of all rows, and their mean.
LogicalResult OnePassLowering::emitVariances() {
  Value buffer = context.makeBuffer({source.batches(), source.queries()},
                                    context.rewriter().getF32Type());
  variances = buffer;
  forChunks(chunkOfLists, [&](const Chunk& chunk) {
    makeBuffers();
    launchEmptyCounts(chunk);
    if (source.keys() > 0) launchMoments(chunk);
    launchVariances(chunk);
    if (source.keys() > 0)
      launchFlagged(chunk, [&](const Chunk& part, const Flags& only) {
        launchStatistic(part, &only);
      });
  });
  return emitMean();
}

//===----------------------------------------------------------------------===//
// Rows that are trimmed
//===----------------------------------------------------------------------===//

/// As many of each row as the largest budget, with their scores, and its
/// variance. Rows whose list is not complete, and those whose moments give no
/// variance, have flags of two kinds: what a row is selected from does not
/// depend on where its variance comes from.
void OnePassLowering::launchMost(const Chunk& chunk) {
  TopKScheduleAttr topk = candidateSchedule(lists);
  KernelBuilder kernel(context, op.getLoc(), "select_most", topk.getWarps());
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  Value countOf = kernel.read(lists.counts, "candidate_counts");
  Value listOf = kernel.read(lists.pairs, "candidates");
  Value sums = kernel.read(moments->sums, "sums");
  Value squares = kernel.read(moments->squares, "squares");
  Value weights;
  if (needsWeights() && source.weights)
    weights = kernel.read(source.weights, "weights");
  Value flagOf = kernel.write(flags, "flags");
  Value keptFlagOf = kernel.write(keptFlags, "kept_flags");
  Value keptOf = kernel.write(keptScores, "kept_scores");
  Value values = kernel.write(variances, "statistic");
  Value indices = kernel.write(results[0], "indices");
  Value counted = kernel.write(results[1], "counts");
  Value status = kernel.write(results[2], "status");
  Value slots = kernel.size(policy.getSlots(), "slots");
  Row row = emitPosition(kernel, chunk);
  KernelScalars s(b, loc);
  SmallVector<Value> cell = {row.batch, row.query};
  Value zero = kernel.index(0);
  Value count =
      named(LoadOp::create(b, loc, b.getI32Type(), countOf, row.inChunk),
            "candidate_count");
  Value complete =
      named(isComplete(kernel, row, lists, slots, count), "is_complete");
  RowEmitter e(kernel, loc, topk, Value(), row.limit);
  Value isSafe;
  Value value = e.variance(emitMoments(kernel, row, sums, squares, weights),
                           policy.getPopulation(), policy.getCorrection(),
                           row.keys, isSafe);
  // A row with a score that is not finite counts at least so many.
  Value isFinite = s.cmpi(CmpIPredicate::slt, count, s.i32(1 << 30));
  isSafe = arith::AndIOp::create(b, loc, isSafe, isFinite);
  auto ofRow = [&](Value array) {
    return at(kernel, array, cell, {row.queries});
  };
  e.byFirstWarp([&] {
    StoreOp::create(b, loc, ofRow(values), zero, value);
    StoreOp::create(b, loc, flagOf, row.inChunk,
                    s.select(isSafe, s.i32(0), s.i32(1)));
  });
  auto keep = [&](int32_t flag) {
    StoreOp::create(b, loc, ofRow(keptFlagOf), zero, s.i32(flag));
  };
  CandidateList list = openList(kernel, row, lists, listOf, count);
  SelectionTarget target = makeTarget(kernel, row, indices, slots);
  target.scores = at(kernel, keptOf, {row.batch, row.query, zero},
                     {row.queries, target.slots});
  s.ifThen(
      complete,
      [&] {
        emitFromList(kernel, e, row, list, s.toI32(slots), target,
                     {counted, status}, [&] { keep(0); });
      },
      [&] { e.byFirstWarp([&] { keep(1); }); });
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
}

/// Each row to its own budget: the kept scores are a row whose cells are the
/// slots. They ascend as keys do, so that ties and forced keys are the same.
void OnePassLowering::launchTrim(const Chunk& chunk) {
  int64_t warps = rowSchedule.getWarps();
  int64_t numSlots = std::max<int64_t>(policy.getSlots(), 1);
  warps = std::max<int64_t>(
      warps, llvm::divideCeil(numSlots, 32 * lists.threadCandidates));
  TopKScheduleAttr topk = rowSchedule.withWarps(warps);
  KernelBuilder kernel(context, op.getLoc(), "trim_rows", warps);
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  Value keptFlagOf = kernel.read(keptFlags, "kept_flags");
  Value keptOf = kernel.read(keptScores, "kept_scores");
  Value statistics = kernel.read(variances, "statistic");
  Value divisor = kernel.read(normaliser, "normaliser");
  Value indices = kernel.write(results[0], "indices");
  Value counted = kernel.write(results[1], "counts");
  Value status = kernel.write(results[2], "status");
  Value slots = kernel.size(policy.getSlots(), "slots");
  Row row = emitPosition(kernel, chunk);
  KernelScalars s(b, loc);
  SmallVector<Value> cell = {row.batch, row.query};
  Value zero = kernel.index(0);
  auto load = [&](Type type, Value array) {
    return LoadOp::create(b, loc, type, at(kernel, array, cell, {row.queries}),
                          zero);
  };
  Value isKept =
      s.cmpi(CmpIPredicate::eq, load(b.getI32Type(), keptFlagOf), s.i32(0));
  s.ifThen(named(isKept, "is_kept"), [&] {
    Value kept = named(s.min(row.limit, slots), "kept");
    RowEmitter e(kernel, loc, topk, Value(), kept);
    CandidateList list;
    list.pairs =
        at(kernel, keptOf, {row.batch, row.query, zero}, {row.queries, slots});
    list.count = kept;
    list.capacity = numSlots;
    list.bins = lists.bins;
    list.keys = numSlots;
    list.isRow = true;
    SelectionTarget target = makeTarget(kernel, row, indices, slots);
    target.list = target.indices;
    Value budget =
        emitBudget(kernel, e, row, load(b.getF32Type(), statistics), divisor);
    emitFromList(kernel, e, row, list, budget, target, {counted, status}, {});
  });
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
}

LogicalResult OnePassLowering::emitKept() {
  Type f32 = context.rewriter().getF32Type();
  int64_t rows = source.batches() * source.queries();
  keptScores = context.makeBuffer({rows, policy.getSlots()}, f32);
  keptFlags = context.makeBuffer({rows}, context.rewriter().getI32Type());
  variances = context.makeBuffer({source.batches(), source.queries()}, f32);
  remarkWorkspace("scores of selected keys", rows,
                  4 * rows * policy.getSlots());
  bool hasKeys = source.keys() > 0;
  forChunks(chunkOfLists, [&](const Chunk& chunk) {
    makeBuffers();
    if (hasKeys) launchSample(chunk);
    launchBounds(chunk, lists, "row_bounds");
    if (hasKeys) launchPass(chunk);
    launchMost(chunk);
    if (hasKeys)
      launchFlagged(chunk, [&](const Chunk& part, const Flags& only) {
        launchStatistic(part, &only);
      });
  });
  if (failed(emitMean())) return failure();
  forChunks(chunkOfLists, [&](const Chunk& chunk) {
    launchTrim(chunk);
    if (!hasKeys) return;
    IRRewriter& b = context.rewriter();
    Location loc = op.getLoc();
    Value first = arith::MulIOp::create(b, loc, chunk.batch,
                                        context.index(source.queries()));
    first = arith::AddIOp::create(b, loc, first, chunk.begin);
    launchFlagged(chunk, keptFlags, rows, first,
                  [&](const Chunk& part, const Flags& only) {
                    launchSelection(part, &only);
                  });
  });
  return success();
}

LogicalResult OnePassLowering::emit() {
  makeResults();
  if (keepsScores() && source.batches() * source.queries() > 0) {
    if (failed(emitKept())) return failure();
  } else if (source.batches() * source.queries() > 0) {
    if (op.getNormaliser())
      normaliser = context.toBuffer(op.getNormaliser());
    else if (policy.usesNormaliser() && failed(emitVariances()))
      return failure();
    forChunks(chunkOfLists, [&](const Chunk& chunk) {
      bool hasKeys = source.keys() > 0;
      makeBuffers();
      if (hasKeys) launchSample(chunk);
      launchBounds(chunk, lists, "row_bounds");
      if (hasKeys) launchPass(chunk);
      launchCandidates(chunk);
      if (hasKeys)
        launchFlagged(chunk, [&](const Chunk& part, const Flags& only) {
          launchSelection(part, &only);
        });
    });
  }
  context.replace(op, results);
  return success();
}

LogicalResult gsa::lowerOnePassSelect(SelectOp op, ToTileContext& context) {
  FailureOr<OnePassScheduleAttr> schedule =
      getSchedule<OnePassScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  return OnePassLowering(op, *schedule, context).emit();
}
