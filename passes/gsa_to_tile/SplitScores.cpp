//===- SplitScores.cpp - scores of few queries ----------------------------===//
//
// A block streams a span of the keys of a sequence by, once for all of its
// queries. The rows of a product are the heads of one query, its columns the
// keys of a warp, so that a lane has keys of its own: it adds their heads up in
// the order and with the operations of the kernel in IndexScores.cpp, and both
// give the same bits.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/SplitScores.h"

#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/KernelScalars.h"
#include "passes/gsa_to_tile/RowEmitter.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

namespace {

class SplitScoreKernel : KernelScalars {
 public:
  SplitScoreKernel(const IndexerSource& source,
                   SplitSelectScheduleAttr schedule, int64_t span,
                   const SplitRows& rows, Location loc, KernelBuilder& kernel)
      : KernelScalars(kernel.body(), loc),
        source(source),
        schedule(schedule),
        span(span),
        rows(rows),
        element(source.queryType().getElementType()),
        teams(schedule),
        kernel(kernel) {
    addArguments();
  }

  void emit();
  /// Tiles are those of a cluster; bounds of its rows come behind them.
  void emitSample(const SplitBounds& target);
  /// The same with what `use` says behind them.
  void emitRows(const SplitRowUse& use);

 private:
  /// Some columns of queries and keys: what one left operand holds.
  struct Chunk {
    int64_t first, columns;
    SmallVector<Value> queries;  ///< A tile of 16 rows for each query.
    Value lhs;
  };

  void addArguments();
  Value number(int64_t value) { return kernel.index(value); }
  /// The warps that load also compute: nothing is waited for before the keys
  /// are on their way.
  bool isOneTeam() const { return schedule.getProducers() == 0; }
  /// One query is in registers from the start, not read again for each tile.
  bool keepsQuery() const {
    return source.queries() == 1 && chunks.size() == 1 && !isOneTeam();
  }
  Value tile(StringRef name, int64_t rows, int64_t columns, Type type,
             SmemLayout layout);
  Value rowVector(StringRef name);
  void emitPosition();
  void emitQueries();
  void emitRing();
  void emitConstants();
  void putConstants();
  void emitStart();
  void emitLoad(StreamOp stream, Value firstTile);
  void emitCompute(StreamOp stream, Value firstTile);
  void emitScores(int64_t query, Value firstKey, ValueRange keyTiles,
                  Value step);
  void writeScores(int64_t query, Value firstKey);
  void emitDeferred(Value firstTile, Value tiles);
  Value firstKeyOf(Value firstTile, Value step);
  /// Scores of a span wait for their bounds.
  bool isDeferred() const { return rows.bounds && schedule.getDeferred(); }
  void emitStream(Value firstTile, Value tiles);
  Value tileNumber(Value firstTile, Value step);
  Value lineOf(int64_t query);
  void loadBound(int64_t query);
  void emitCluster(llvm::function_ref<void(const SplitRow&)> prepare,
                   llvm::function_ref<void(const SplitRow&)> use);
  SplitRow rowOfBlock();
  void emitBound(const SplitRow& row, const SplitBounds& target, Value boundOf,
                 Value countOf);

  const IndexerSource& source;
  SplitSelectScheduleAttr schedule;
  int64_t span;
  const SplitRows& rows;
  Type element;
  KernelTeams teams;
  KernelBuilder& kernel;

  // Arguments.
  KernelRows keyRows;
  Value query, weights, bias, lengths, scores, bounds, counts, pairs;
  Value queries, keys, columns, capacity;
  // Of the block and of each query.
  Value zero, batch, firstRow, length, warp, warpKey;
  SmallVector<Value> rowNumbers, ends, boundOf;
  /// Tiles from one of a block to its next.
  int64_t stride = 1;
  // Storage.
  SmallVector<Chunk> chunks;
  Value ring, constants, products, values;
  /// Weights and bias as they are, or null.
  Value copiedWeights, copiedBias;
  /// Hits that are not in the lists yet: a line of `staged` for each query and
  /// warp, and how many each query has there.
  Value staged;
  SmallVector<Value> held;
  /// Scores of a span, a line for each query and warp.
  Value deferred;
};

}  // namespace

void SplitScoreKernel::addArguments() {
  query = kernel.read(source.query, "query");
  keyRows = KernelRows(kernel, source.keyRows, "key");
  if (source.weights) weights = kernel.read(source.weights, "weights");
  if (source.bias) bias = kernel.read(source.bias, "bias");
  if (source.lengths) lengths = kernel.read(source.lengths, "lengths");
  scores = kernel.write(rows.scores, "scores");
  if (rows.bounds) {
    bounds = kernel.read(rows.bounds, "bounds");
    counts = kernel.write(rows.counts, "counts");
    pairs = kernel.write(rows.pairs, "candidates");
  }
  queries = kernel.size(source.queries(), "queries");
  keys = kernel.size(source.keys(), "keys");
  columns = keys;
  if (rows.sample > 1)
    columns = kernel.size(llvm::divideCeil(source.keys(), rows.sample),
                          "sampled_keys");
  if (rows.bounds) capacity = kernel.size(rows.capacity, "capacity");
}

Value SplitScoreKernel::tile(StringRef name, int64_t rows, int64_t columns,
                             Type type, SmemLayout layout) {
  auto smem =
      SmemType::get(builder().getContext(), {rows, columns}, type, layout);
  return named(SmemAllocOp::create(builder(), location(), smem, IntegerAttr()),
               name);
}

Value SplitScoreKernel::rowVector(StringRef name) {
  Type type = RowVecType::get(builder().getContext(), {kTileUnit},
                              builder().getF32Type());
  return named(RowVecAllocOp::create(builder(), location(), type), name);
}

//===----------------------------------------------------------------------===//
// Before the stream
//===----------------------------------------------------------------------===//

/// For each query: its row, and where its columns end.
void SplitScoreKernel::emitPosition() {
  OpBuilder& b = builder();
  zero = number(0);
  batch = named(blockId(1), "batch");
  length = keys;
  if (lengths) {
    Value given =
        toIndex(LoadOp::create(b, location(), b.getI32Type(), lengths, batch));
    length = named(min(max(given, zero), keys), "length");
  }
  firstRow = named(mul(batch, queries), "first_row");
  for (int64_t t = 0; t < source.queries(); ++t) {
    rowNumbers.push_back(named(add(firstRow, number(t)), "row"));
    Value end = length;
    if (source.mask == Mask::Causal)
      end = max(sub(add(length, number(t + 1)), queries), zero);
    if (rows.sample > 1) end = ceilDiv(end, rows.sample);
    ends.push_back(named(end, "end_of_row"));
  }
}

void SplitScoreKernel::emitQueries() {
  OpBuilder& b = builder();
  int64_t depth = source.depth();
  int64_t step = element.isF32() ? 64 : 128;
  auto padded = static_cast<int64_t>(llvm::alignTo(depth, kTileUnit));
  for (int64_t first = 0; first < padded; first += step) {
    Chunk chunk;
    chunk.first = first;
    chunk.columns = std::min(step, padded - first);
    for (int64_t t = 0; t < source.queries(); ++t) {
      Value target = tile("query_tile", kTileUnit, chunk.columns, element,
                          SmemLayout::Swizzle);
      Value from = at(query, {batch, number(t), zero, number(first)},
                      {queries, number(source.heads()), number(depth)});
      CopyRowsOp::create(b, location(), target,
                         stridedRows(from, i64(depth), number(source.heads())),
                         zero, number(std::min(chunk.columns, depth - first)),
                         getVectorBytes(element, depth), teams.compute);
      chunk.queries.push_back(target);
    }
    auto lhs = FragType::get(b.getContext(), {kTileUnit, chunk.columns},
                             element, FragLayout::Lhs);
    chunk.lhs = named(FragAllocOp::create(b, location(), lhs), "query_heads");
    chunks.push_back(chunk);
  }
}

/// Warps that load wait for nothing but the barriers of the ring: keys come
/// while the others get what their products need.
void SplitScoreKernel::emitRing() {
  OpBuilder& b = builder();
  SmallVector<Type> keyTiles;
  for (const Chunk& chunk : chunks)
    keyTiles.push_back(SmemType::get(b.getContext(),
                                     {schedule.getBlockK(), chunk.columns},
                                     element, SmemLayout::Swizzle));
  CopyEngine engine = getCopyEngine(source.keyVectorBytes());
  auto type =
      TileRingType::get(b.getContext(), schedule.getStages(), engine, keyTiles);
  ring = named(TileRingOp::create(b, location(), type), "ring");
  if (!isOneTeam()) SyncOp::create(b, location(), teams.block);
}

/// Two rows for each query: what activated heads are multiplied by, and what is
/// added to their products. One team that does all lets weights and bias come
/// with the first keys, or it waited for memory twice.
void SplitScoreKernel::emitConstants() {
  OpBuilder& b = builder();
  constants = tile("constants", 2 * source.queries(), kTileUnit, b.getF32Type(),
                   SmemLayout::Linear);
  // Of those that compute: registers are theirs.
  warp = WarpRankOp::create(b, location(), b.getIndexType(), teams.compute);
  named(warp, "warp");
  if (!isOneTeam()) return putConstants();
  Value heads = number(source.heads());
  auto copy = [&](Value from, Value count, int64_t rows, StringRef name) {
    Type type = cast<GlobalType>(from.getType()).getElementType();
    Value target = tile(name, rows, kTileUnit, type, SmemLayout::Linear);
    CopyRowsOp::create(
        b, location(), target, stridedRows(from, i64(source.heads()), count),
        zero, heads, getVectorBytes(type, source.heads()), teams.block);
    return target;
  };
  if (weights)
    copiedWeights = copy(at(weights, {batch, zero, zero}, {queries, heads}),
                         queries, source.queries(), "copied_weights");
  if (bias) copiedBias = copy(bias, number(1), 1, "copied_bias");
}

/// By the first warp of those that compute.
void SplitScoreKernel::putConstants() {
  OpBuilder& b = builder();
  Value heads = number(source.heads());
  Value isFirst = cmpi(CmpIPredicate::eq, warp, zero);
  ifThen(named(isFirst, "is_first_warp"), [&] {
    Value row = rowVector("weights_of_heads");
    Value offsets = rowVector("offsets_of_heads");
    if (copiedBias)
      TakeRowVecOp::create(b, location(), offsets, copiedBias, zero);
    else if (bias)
      LoadRowVecOp::create(b, location(), offsets,
                           stridedRows(bias, i64(1), heads), zero);
    else
      FillRowsOp::create(b, location(), offsets, f32(0.0));
    for (int64_t t = 0; t < source.queries(); ++t) {
      if (copiedWeights) {
        TakeRowVecOp::create(b, location(), row, copiedWeights, number(t));
      } else if (weights) {
        Value from = at(weights, {batch, number(t), zero}, {queries, heads});
        LoadRowVecOp::create(b, location(), row,
                             stridedRows(from, i64(1), heads), zero);
      } else {
        FillRowsOp::create(b, location(), row, f32(1.0));
      }
      if (weights && source.weightActivation == WeightActivation::Sigmoid)
        ActivateRowsOp::create(b, location(), row, Activation::Sigmoid);
      PutRowVecOp::create(b, location(), constants, number(2 * t), row);
      PutRowVecOp::create(b, location(), constants, number(2 * t + 1), offsets);
    }
  });
}

void SplitScoreKernel::emitStart() {
  OpBuilder& b = builder();
  if (!isOneTeam())
    CopyWaitOp::create(b, location(), teams.compute, teams.computeBarrier());
  warpKey = named(mul(warp, schedule.getWarpKeys()), "warp_key");
  auto acc = FragType::get(b.getContext(), {kTileUnit, schedule.getWarpKeys()},
                           b.getF32Type(), FragLayout::Acc);
  products = named(FragAllocOp::create(b, location(), acc), "products");
  auto lanes = LanesType::get(b.getContext(), {schedule.getWarpKeys() / 32},
                              b.getF32Type());
  values = named(LanesAllocOp::create(b, location(), lanes), "scores_of_lanes");
  if (keepsQuery())
    LoadLhsOp::create(b, location(), chunks.front().lhs,
                      chunks.front().queries.front(), zero);
  if (!bounds) return;
  int64_t hits = schedule.getWarpKeys() + schedule.getStaged();
  staged = tile("staged", source.queries() * schedule.getConsumers(), 2 * hits,
                b.getI32Type(), SmemLayout::Linear);
  auto count = LanesType::get(b.getContext(), {1}, b.getI32Type());
  for (int64_t t = 0; t < source.queries(); ++t) {
    held.push_back(named(LanesAllocOp::create(b, location(), count), "held"));
    if (!isDeferred()) loadBound(t);
  }
  if (isDeferred())
    deferred =
        tile("deferred", source.queries() * schedule.getConsumers(),
             span * schedule.getWarpKeys(), b.getF32Type(), SmemLayout::Linear);
}

void SplitScoreKernel::loadBound(int64_t query) {
  boundOf.push_back(
      named(LoadOp::create(builder(), location(), builder().getF32Type(),
                           bounds, rowNumbers[query]),
            "bound"));
}

/// Where this warp stages the hits of a query.
Value SplitScoreKernel::lineOf(int64_t query) {
  return named(add(warp, number(query * schedule.getConsumers())), "line");
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

Value SplitScoreKernel::tileNumber(Value firstTile, Value step) {
  Value from = stride > 1 ? mul(step, stride) : step;
  return named(add(firstTile, from), "tile_number");
}

void SplitScoreKernel::emitLoad(StreamOp stream, Value firstTile) {
  OpBuilder& b = builder();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(stream.getLoad().front().getTerminator());
  int64_t depth = source.depth();
  Value number = tileNumber(firstTile, stream.getLoad().getArgument(0));
  Value first = named(mul(number, schedule.getBlockK()), "first_key");
  ValueRange tiles = stream.getTiles(stream.getLoad(), 0);
  for (auto [chunk, target] : llvm::zip(chunks, tiles)) {
    Value from = keyRows.base(*this, batch, Value(), chunk.first, keys);
    // Nothing of a page behind the last key is read.
    Value limit = keyRows.isPaged() ? ends.back() : columns;
    CopyRowsOp::create(
        b, location(), target,
        keyRows.view(*this, from, batch, rows.sample, limit), first,
        kernel.index(std::min(chunk.columns, depth - chunk.first)),
        source.keyVectorBytes(), teams.load);
  }
}

/// The first key of this warp in a tile.
Value SplitScoreKernel::firstKeyOf(Value firstTile, Value step) {
  Value tile = tileNumber(firstTile, step);
  return named(add(mul(tile, schedule.getBlockK()), warpKey),
               "first_key_of_warp");
}

void SplitScoreKernel::emitScores(int64_t query, Value firstKey,
                                  ValueRange keyTiles, Value step) {
  OpBuilder& b = builder();
  FillOp::create(b, location(), products, f32(0.0));
  for (auto [chunk, tile] : llvm::zip(chunks, keyTiles)) {
    if (!keepsQuery())
      LoadLhsOp::create(b, location(), chunk.lhs, chunk.queries[query], zero);
    MmaNtOp::create(b, location(), products, chunk.lhs, tile, warpKey);
  }
  // The next keys may come while heads are activated.
  if (query + 1 == source.queries())
    ReleaseOp::create(b, location(), keyTiles.front());
  ScoreColumnsOp::create(b, location(), values, products, constants,
                         number(2 * query), f32(source.scale), source.heads(),
                         toActivation(source.scoreActivation));
  if (isDeferred())
    PutLanesOp::create(b, location(), deferred, lineOf(query),
                       mul(step, schedule.getWarpKeys()), values);
  else
    writeScores(query, firstKey);
}

/// Cells from the end of a row on are not written: nobody reads them.
void SplitScoreKernel::writeScores(int64_t query, Value firstKey) {
  OpBuilder& b = builder();
  Value row = at(scores, {rowNumbers[query], zero}, {columns});
  StoreScoresOp::create(b, location(), row, values, firstKey, ends[query]);
  if (bounds)
    AppendCellsOp::create(b, location(), pairs, counts, rowNumbers[query],
                          staged, lineOf(query), held[query], values,
                          boundOf[query], firstKey, ends[query], capacity);
}

void SplitScoreKernel::emitCompute(StreamOp stream, Value firstTile) {
  OpBuilder& b = builder();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(stream.getCompute().front().getTerminator());
  ValueRange tiles = stream.getTiles(stream.getCompute(), 0);
  for (Value tile : tiles) named(tile, "key_tile");
  if (isOneTeam()) {
    putConstants();
    SyncOp::create(b, location(), teams.block);
  }
  Value step = stream.getCompute().getArgument(0);
  Value first = firstKeyOf(firstTile, step);
  for (int64_t t = 0; t < source.queries(); ++t)
    emitScores(t, first, tiles, step);
}

/// Each warp writes the scores that it has in shared memory.
void SplitScoreKernel::emitDeferred(Value firstTile, Value tiles) {
  OpBuilder& b = builder();
  for (int64_t t = 0; t < source.queries(); ++t) loadBound(t);
  forLoop(zero, tiles, 1, [&](Value step) {
    Value first = firstKeyOf(firstTile, step);
    Value column = mul(step, schedule.getWarpKeys());
    for (int64_t t = 0; t < source.queries(); ++t) {
      TakeLanesOp::create(b, location(), values, deferred, lineOf(t), column);
      writeScores(t, first);
    }
  });
}

void SplitScoreKernel::emitStream(Value firstTile, Value tiles) {
  auto stream =
      StreamOp::create(builder(), location(), tiles, ring, teams.pipeline);
  emitLoad(stream, firstTile);
  emitCompute(stream, firstTile);
}

void SplitScoreKernel::emit() {
  emitPosition();
  emitQueries();
  emitRing();
  emitConstants();
  emitStart();
  Value first = named(mul(blockId(0), span), "first_tile");
  // The last query sees all keys that one of them sees.
  Value seen = ceilDiv(ends.back(), schedule.getBlockK());
  Value end = named(min(add(first, number(span)), seen), "end_tile");
  Value tiles = named(sub(end, first), "tiles");
  emitStream(first, tiles);
  if (isDeferred()) emitDeferred(first, tiles);
  for (int64_t t = 0; bounds && t < source.queries(); ++t)
    FlushCellsOp::create(builder(), location(), pairs, counts, rowNumbers[t],
                         staged, lineOf(t), held[t], capacity);
}

//===----------------------------------------------------------------------===//
// Clusters
//===----------------------------------------------------------------------===//

/// Block `t` of a cluster has query t.
SplitRow SplitScoreKernel::rowOfBlock() {
  SplitRow row;
  row.batch = batch;
  row.query = blockId(0);
  row.queries = queries;
  row.keys = keys;
  row.number = named(add(firstRow, row.query), "row");
  row.limit = length;
  if (source.mask == Mask::Causal)
    row.limit =
        named(max(sub(add(length, add(row.query, number(1))), queries), zero),
              "limit");
  row.scores = at(scores, {row.number, zero}, {columns});
  return row;
}

void SplitScoreKernel::emitBound(const SplitRow& row, const SplitBounds& target,
                                 Value boundOf, Value countOf) {
  OpBuilder& b = builder();
  // Rows that fit into their lists need no bound.
  Value fits = cmpi(CmpIPredicate::sle, row.limit, number(target.capacity));
  Value sampled =
      named(select(named(fits, "fits"), zero, ceilDiv(row.limit, rows.sample)),
            "sampled");
  TopKScheduleAttr bySchedule = schedule.getRows()
                                    .withWarps(teams.warps())
                                    .withBins(target.bins)
                                    .withCapacity(target.capacity);
  RowEmitter e(kernel, location(), bySchedule, /*scores=*/{}, sampled);
  auto most =
      static_cast<int64_t>(llvm::divideCeil(source.keys(), rows.sample));
  Value bound = e.sampleBound(row.scores, sampled, std::max<int64_t>(most, 1),
                              target.rank);
  e.byFirstWarp([&] {
    StoreOp::create(b, location(), boundOf, row.number, bound);
    StoreOp::create(b, location(), countOf, row.number, i32(0));
  });
}

void SplitScoreKernel::emitSample(const SplitBounds& target) {
  Value boundOf = kernel.write(target.bounds, "bounds");
  Value countOf = kernel.write(target.counts, "counts");
  emitCluster(
      [](const SplitRow&) {},
      [&](const SplitRow& row) { emitBound(row, target, boundOf, countOf); });
}

void SplitScoreKernel::emitRows(const SplitRowUse& use) {
  use.addArguments(kernel);
  emitCluster([&](const SplitRow& row) { use.prepare(kernel, row); },
              [&](const SplitRow& row) { use.use(kernel, row); });
}

/// What the others wrote of a row is there behind the barrier.
void SplitScoreKernel::emitCluster(
    llvm::function_ref<void(const SplitRow&)> prepare,
    llvm::function_ref<void(const SplitRow&)> use) {
  stride = schedule.getCluster();
  kernel.kernel().setCluster(stride);
  emitPosition();
  emitQueries();
  emitRing();
  emitConstants();
  emitStart();
  Value first = named(blockId(0), "first_tile");
  // Keys are read before it is known how many there are: the scores of those
  // behind the last one go nowhere. Of a page nothing there is read.
  Value seen =
      ceilDiv(keyRows.isPaged() ? ends.back() : columns, schedule.getBlockK());
  Value tiles = ceilDiv(max(sub(seen, first), zero), stride);
  emitStream(first, named(tiles, "tiles"));
  SplitRow row = rowOfBlock();
  prepare(row);
  ClusterSyncOp::create(builder(), location(), stride);
  Value hasRow = cmpi(CmpIPredicate::slt, row.query, queries);
  ifThen(named(hasRow, "has_row"), [&] { use(row); });
  kernel.kernel().setMinBlocks(schedule.getClusterSmBlocks());
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

void gsa::launchSplitScores(const IndexerSource& source,
                            SplitSelectScheduleAttr schedule, int64_t span,
                            const SplitRows& rows, Location loc,
                            ToTileContext& context, StringRef name) {
  KernelBuilder kernel(context, loc, name, KernelTeams(schedule).warps());
  kernel.setSchedule(schedule);
  kernel.kernel().setMinBlocks(schedule.getSmBlocks());
  SplitScoreKernel(source, schedule, span, rows, loc, kernel).emit();
  auto keys =
      static_cast<int64_t>(llvm::divideCeil(source.keys(), rows.sample));
  auto spans =
      static_cast<int64_t>(llvm::divideCeil(keys, span * schedule.getBlockK()));
  kernel.launch(ArrayRef<int64_t>{spans, source.batches()});
}

/// Launches what `emit` makes of a cluster for each sequence.
static void launchCluster(const IndexerSource& source,
                          SplitSelectScheduleAttr schedule,
                          const SplitRows& rows, Location loc,
                          ToTileContext& context, StringRef name,
                          llvm::function_ref<void(SplitScoreKernel&)> emit) {
  SplitSelectScheduleAttr cluster = schedule.ofSample();
  KernelBuilder kernel(context, loc, name, KernelTeams(cluster).warps());
  kernel.setSchedule(cluster);
  SplitScoreKernel body(source, cluster, /*span=*/1, rows, loc, kernel);
  emit(body);
  kernel.launch(ArrayRef<int64_t>{schedule.getCluster(), source.batches()});
}

void gsa::launchSplitSample(const IndexerSource& source,
                            SplitSelectScheduleAttr schedule,
                            const SplitRows& rows, const SplitBounds& bounds,
                            Location loc, ToTileContext& context,
                            StringRef name) {
  launchCluster(source, schedule, rows, loc, context, name,
                [&](SplitScoreKernel& kernel) { kernel.emitSample(bounds); });
}

void gsa::launchSplitRows(const IndexerSource& source,
                          SplitSelectScheduleAttr schedule,
                          const SplitRows& rows, const SplitRowUse& use,
                          Location loc, ToTileContext& context,
                          StringRef name) {
  launchCluster(source, schedule, rows, loc, context, name,
                [&](SplitScoreKernel& kernel) { kernel.emitRows(use); });
}
