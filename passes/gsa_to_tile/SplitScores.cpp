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

 private:
  /// Some columns of queries and keys: what one left operand holds.
  struct Chunk {
    int64_t first, columns;
    SmallVector<Value> queries;  ///< A tile of 16 rows for each query.
    Value lhs;
  };

  void addArguments();
  Value number(int64_t value) { return kernel.index(value); }
  Value tile(StringRef name, int64_t rows, int64_t columns, Type type,
             SmemLayout layout);
  Value rowVector(StringRef name);
  void emitPosition();
  void emitQueries();
  void emitConstants();
  void emitStart();
  void emitLoad(StreamOp stream, Value firstTile);
  void emitCompute(StreamOp stream, Value firstTile);
  void emitScores(int64_t query, Value firstKey, ValueRange keyTiles);

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
  Value zero, batch, length, warp, warpKey;
  SmallVector<Value> rowNumbers, ends, boundOf;
  // Storage.
  SmallVector<Chunk> chunks;
  Value ring, constants, products, values;
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
  Value firstRow = named(mul(batch, queries), "first_row");
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
  SmallVector<Type> keyTiles;
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
                         getVectorBytes(element, depth), teams.block);
      chunk.queries.push_back(target);
    }
    keyTiles.push_back(SmemType::get(b.getContext(),
                                     {schedule.getBlockK(), chunk.columns},
                                     element, SmemLayout::Swizzle));
    auto lhs = FragType::get(b.getContext(), {kTileUnit, chunk.columns},
                             element, FragLayout::Lhs);
    chunk.lhs = named(FragAllocOp::create(b, location(), lhs), "query_heads");
    chunks.push_back(chunk);
  }
  CopyEngine engine = getCopyEngine(source.keyVectorBytes());
  auto type =
      TileRingType::get(b.getContext(), schedule.getStages(), engine, keyTiles);
  ring = named(TileRingOp::create(b, location(), type), "ring");
}

/// Two rows for each query: what activated heads are multiplied by, and what is
/// added to their products.
void SplitScoreKernel::emitConstants() {
  OpBuilder& b = builder();
  constants = tile("constants", 2 * source.queries(), kTileUnit, b.getF32Type(),
                   SmemLayout::Linear);
  Value heads = number(source.heads());
  // Of those that compute: registers are theirs.
  warp = WarpRankOp::create(b, location(), b.getIndexType(), teams.compute);
  Value isFirst = cmpi(CmpIPredicate::eq, named(warp, "warp"), zero);
  ifThen(named(isFirst, "is_first_warp"), [&] {
    Value row = rowVector("weights_of_heads");
    Value offsets = rowVector("offsets_of_heads");
    if (bias)
      LoadRowVecOp::create(b, location(), offsets,
                           stridedRows(bias, i64(1), heads), zero);
    else
      FillRowsOp::create(b, location(), offsets, f32(0.0));
    for (int64_t t = 0; t < source.queries(); ++t) {
      if (weights) {
        Value from = at(weights, {batch, number(t), zero}, {queries, heads});
        LoadRowVecOp::create(b, location(), row,
                             stridedRows(from, i64(1), heads), zero);
        if (source.weightActivation == WeightActivation::Sigmoid)
          ActivateRowsOp::create(b, location(), row, Activation::Sigmoid);
      } else {
        FillRowsOp::create(b, location(), row, f32(1.0));
      }
      PutRowVecOp::create(b, location(), constants, number(2 * t), row);
      PutRowVecOp::create(b, location(), constants, number(2 * t + 1), offsets);
    }
  });
}

void SplitScoreKernel::emitStart() {
  OpBuilder& b = builder();
  CopyWaitOp::create(b, location(), teams.block);
  warpKey = named(mul(warp, schedule.getWarpKeys()), "warp_key");
  auto acc = FragType::get(b.getContext(), {kTileUnit, schedule.getWarpKeys()},
                           b.getF32Type(), FragLayout::Acc);
  products = named(FragAllocOp::create(b, location(), acc), "products");
  auto lanes = LanesType::get(b.getContext(), {schedule.getWarpKeys() / 32},
                              b.getF32Type());
  values = named(LanesAllocOp::create(b, location(), lanes), "scores_of_lanes");
  for (int64_t t = 0; bounds && t < source.queries(); ++t)
    boundOf.push_back(named(
        LoadOp::create(b, location(), b.getF32Type(), bounds, rowNumbers[t]),
        "bound"));
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

void SplitScoreKernel::emitLoad(StreamOp stream, Value firstTile) {
  OpBuilder& b = builder();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(stream.getLoad().front().getTerminator());
  int64_t depth = source.depth();
  Value number =
      named(add(firstTile, stream.getLoad().getArgument(0)), "tile_number");
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

/// Cells from the end of a row on are not written: nobody reads them.
void SplitScoreKernel::emitScores(int64_t query, Value firstKey,
                                  ValueRange keyTiles) {
  OpBuilder& b = builder();
  FillOp::create(b, location(), products, f32(0.0));
  for (auto [chunk, tile] : llvm::zip(chunks, keyTiles)) {
    LoadLhsOp::create(b, location(), chunk.lhs, chunk.queries[query], zero);
    MmaNtOp::create(b, location(), products, chunk.lhs, tile, warpKey);
  }
  ScoreColumnsOp::create(b, location(), values, products, constants,
                         number(2 * query), f32(source.scale), source.heads(),
                         toActivation(source.scoreActivation));
  Value row = at(scores, {rowNumbers[query], zero}, {columns});
  StoreScoresOp::create(b, location(), row, values, firstKey, ends[query]);
  if (bounds)
    AppendCellsOp::create(b, location(), pairs, counts, rowNumbers[query],
                          values, boundOf[query], firstKey, ends[query],
                          capacity);
}

void SplitScoreKernel::emitCompute(StreamOp stream, Value firstTile) {
  OpBuilder& b = builder();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(stream.getCompute().front().getTerminator());
  ValueRange tiles = stream.getTiles(stream.getCompute(), 0);
  for (Value tile : tiles) named(tile, "key_tile");
  Value number =
      named(add(firstTile, stream.getCompute().getArgument(0)), "tile_number");
  Value first = named(add(mul(number, schedule.getBlockK()), warpKey),
                      "first_key_of_warp");
  for (int64_t t = 0; t < source.queries(); ++t) emitScores(t, first, tiles);
}

void SplitScoreKernel::emit() {
  OpBuilder& b = builder();
  emitPosition();
  emitQueries();
  emitConstants();
  emitStart();
  Value first = named(mul(blockId(0), span), "first_tile");
  // The last query sees all keys that one of them sees.
  Value seen = ceilDiv(ends.back(), schedule.getBlockK());
  Value end = named(min(add(first, number(span)), seen), "end_tile");
  Value tiles = named(sub(end, first), "tiles");
  auto stream = StreamOp::create(b, location(), tiles, ring, teams.pipeline);
  emitLoad(stream, first);
  emitCompute(stream, first);
}

void gsa::launchSplitScores(const IndexerSource& source,
                            SplitSelectScheduleAttr schedule, int64_t span,
                            const SplitRows& rows, Location loc,
                            ToTileContext& context, StringRef name) {
  KernelBuilder kernel(context, loc, name, KernelTeams(schedule).warps());
  kernel.setSchedule(schedule);
  SplitScoreKernel(source, schedule, span, rows, loc, kernel).emit();
  auto keys =
      static_cast<int64_t>(llvm::divideCeil(source.keys(), rows.sample));
  auto spans =
      static_cast<int64_t>(llvm::divideCeil(keys, span * schedule.getBlockK()));
  kernel.launch(ArrayRef<int64_t>{spans, source.batches()});
}
