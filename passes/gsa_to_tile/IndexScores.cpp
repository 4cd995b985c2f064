//===- IndexScores.cpp - gsa.index_scores to a kernel ---------------------===//
//
// A block keeps the queries of all indexer heads in shared memory and streams a
// span of key tiles by. For each tile a warp multiplies its 16 queries of one
// head after the other, activates and adds: the products of the heads never
// leave registers. Tiles that no query of the block sees are not computed.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/IndexScores.h"

#include <limits>

#include "dialect/Gsa/GsaBuilders.h"
#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/KernelScalars.h"
#include "passes/gsa_to_tile/Lowerings.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

/// Rows of a warpgroup.
static constexpr int64_t kGroupRows = 64;
/// Heads whose weights stay in registers; those of more are read again for
/// each tile.
static constexpr int64_t kHeadsInRegisters = 8;

//===----------------------------------------------------------------------===//
// Operands and schedule
//===----------------------------------------------------------------------===//

template <typename OpTy>
static IndexerSource makeSource(OpTy op, ToTileContext& context) {
  IndexerSource source;
  source.query = context.toBuffer(op.getQuery());
  source.key = context.toBuffer(op.getKey());
  if (op.getWeights()) source.weights = context.toBuffer(op.getWeights());
  if (op.getBias()) source.bias = context.toBuffer(op.getBias());
  source.scale = getScaleOrDefault(op.getScale(), source.depth());
  source.scoreActivation = op.getScoreActivation();
  source.weightActivation = op.getWeightActivation();
  source.mask = op.getMask();
  return source;
}

IndexerSource gsa::makeIndexerSource(IndexScoresOp op, ToTileContext& context) {
  return makeSource(op, context);
}
IndexerSource gsa::makeIndexerSource(SelectOp op, ToTileContext& context) {
  return makeSource(op, context);
}

static Activation toActivation(ScoreActivation activation) {
  switch (activation) {
    case ScoreActivation::Sigmoid:
      return Activation::Sigmoid;
    case ScoreActivation::Relu:
      return Activation::Relu;
    case ScoreActivation::Identity:
      return Activation::Identity;
  }
  llvm_unreachable("unknown activation");
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

namespace {

class ScoreKernel : KernelScalars {
 public:
  ScoreKernel(const IndexerSource& source, ScoreScheduleAttr schedule,
              const ScoreRows& rows, Location loc, ToTileContext& context,
              KernelBuilder& kernel)
      : KernelScalars(kernel.body(), loc),
        source(source),
        schedule(schedule),
        fillHidden(rows.fillHidden),
        element(source.queryType().getElementType()),
        teams(schedule),
        kernel(kernel) {
    addArguments(rows);
  }

  void emit();

 private:
  /// Some columns of queries and keys: what one left operand holds.
  struct Chunk {
    int64_t first, columns;
    SmallVector<Value> queries;  ///< A tile for each head.
    Value lhs;
  };
  /// Keys of a tile.
  struct KeyRange {
    Value first, count;
  };

  void addArguments(const ScoreRows& rows);
  Value number(int64_t value) { return kernel.index(value); }
  Value fragment(int64_t columns, Type type, FragLayout layout);
  SmemType tileOf(int64_t rows, int64_t columns);
  bool usesWgmma() const { return schedule.getEngine() == Engine::Wgmma; }

  void emitPosition();
  void emitQueries();
  void emitStart();
  void loadWeights(int64_t head, Value target);
  KeyRange keyRange(Value tile);
  void emitStream(Value firstTile, Value tiles);
  void emitLoad(StreamOp stream, Value firstTile);
  void emitCompute(StreamOp stream, Value firstTile);
  void emitHead(int64_t head, ValueRange keyTiles);
  void emitProduct(int64_t head, ValueRange keyTiles);
  void emitHiddenTiles(Value firstTile, Value endTile);
  void store(const KeyRange& range);

  const IndexerSource& source;
  ScoreScheduleAttr schedule;
  bool fillHidden;
  Type element;
  KernelTeams teams;
  KernelBuilder& kernel;

  // Arguments.
  Value query, key, weights, bias, scores;
  Value firstBatch, begin, count, queries, keys, visibleKeys, bufferRows;
  // Position of the block and of the warp.
  Value zero, part, batch, firstRow, warpRow, groupRow, rowsOfBlock;
  // Storage.
  SmallVector<Chunk> chunks;
  SmallVector<Value> headWeights, headBias;
  Value ring, product, sum, scaleValue, zeroValue;
};

}  // namespace

void ScoreKernel::addArguments(const ScoreRows& rows) {
  query = kernel.read(source.query, "query");
  key = kernel.read(source.key, "key");
  if (source.weights) weights = kernel.read(source.weights, "weights");
  if (source.bias) bias = kernel.read(source.bias, "bias");
  scores = kernel.write(rows.scores, "scores");
  queries = kernel.size(source.queries(), "queries");
  keys = kernel.size(source.keys(), "keys");
  bufferRows = kernel.size(rows.rows, "rows");
  firstBatch = kernel.scalar(rows.batch, "batch");
  begin = kernel.scalar(rows.begin, "begin");
  count = kernel.scalar(rows.count, "count");
  visibleKeys = kernel.scalar(rows.keys, "visible_keys");
}

//===----------------------------------------------------------------------===//
// Small things
//===----------------------------------------------------------------------===//

Value ScoreKernel::fragment(int64_t columns, Type type, FragLayout layout) {
  return FragAllocOp::create(builder(), location(),
                             FragType::get(builder().getContext(),
                                           {kTileUnit, columns}, type, layout));
}

SmemType ScoreKernel::tileOf(int64_t rows, int64_t columns) {
  return SmemType::get(
      builder().getContext(), {rows, columns}, element,
      usesWgmma() ? SmemLayout::Swizzle128B : SmemLayout::Swizzle);
}

//===----------------------------------------------------------------------===//
// Position and queries
//===----------------------------------------------------------------------===//

void ScoreKernel::emitPosition() {
  OpBuilder& b = builder();
  Type indexType = b.getIndexType();
  zero = number(0);
  Value x = BlockIdOp::create(b, location(), indexType, 0);
  part = BlockIdOp::create(b, location(), indexType, 2);
  batch = named(add(firstBatch, part), "batch_of_block");
  firstRow = named(mul(x, number(schedule.getBlockQ())), "first_row");
  rowsOfBlock = named(min(sub(count, firstRow), number(schedule.getBlockQ())),
                      "rows_of_block");
  Value rank = WarpRankOp::create(b, location(), indexType, teams.compute);
  warpRow = named(mul(rank, number(kTileUnit)), "warp_row");
  if (usesWgmma())
    groupRow =
        named(mul(div(warpRow, kGroupRows), number(kGroupRows)), "group_row");
}

void ScoreKernel::emitQueries() {
  OpBuilder& b = builder();
  int64_t heads = source.heads(), depth = source.depth();
  // What a fragment of 32 registers holds.
  int64_t step = element.isF32() ? 64 : 128;
  int64_t padded =
      llvm::alignTo(depth, usesWgmma() ? kPanelColumns : kTileUnit);
  Value pitch = i64(heads * depth);
  Value firstQuery = named(add(begin, firstRow), "first_query");
  SmallVector<Type> keyTiles;
  for (int64_t first = 0; first < padded; first += step) {
    Chunk chunk;
    chunk.first = first;
    chunk.columns = std::min(step, padded - first);
    for (int64_t head = 0; head < heads; ++head) {
      Value tile =
          named(SmemAllocOp::create(b, location(),
                                    tileOf(schedule.getBlockQ(), chunk.columns),
                                    IntegerAttr()),
                "query_tile");
      Value from = at(query, {batch, firstQuery, number(head), number(first)},
                      {queries, number(heads), number(depth)});
      CopyRowsOp::create(b, location(), tile,
                         stridedRows(from, pitch, rowsOfBlock), zero,
                         number(std::min(chunk.columns, depth - first)),
                         getVectorBytes(element, depth), teams.block);
      chunk.queries.push_back(tile);
    }
    keyTiles.push_back(tileOf(schedule.getBlockK(), chunk.columns));
    if (!usesWgmma())
      chunk.lhs = named(fragment(chunk.columns, element, FragLayout::Lhs),
                        "query_rows");
    chunks.push_back(chunk);
  }
  CopyEngine engine = getCopyEngine(getVectorBytes(element, depth));
  ring = named(
      TileRingOp::create(b, location(),
                         TileRingType::get(b.getContext(), schedule.getStages(),
                                           engine, keyTiles)),
      "ring");
}

/// Fills a row vector with the activated weights of a head.
void ScoreKernel::loadWeights(int64_t head, Value target) {
  OpBuilder& b = builder();
  if (!weights) {
    FillRowsOp::create(b, location(), target, constant(b.getF32Type(), 1.0));
    return;
  }
  int64_t heads = source.heads();
  Value from = at(weights, {batch, add(begin, firstRow), number(head)},
                  {queries, number(heads)});
  LoadRowVecOp::create(b, location(), target,
                       stridedRows(from, i64(heads), rowsOfBlock), warpRow);
  if (source.weightActivation == WeightActivation::Sigmoid)
    ActivateRowsOp::create(b, location(), target, Activation::Sigmoid);
}

void ScoreKernel::emitStart() {
  OpBuilder& b = builder();
  Type f32 = b.getF32Type();
  CopyWaitOp::create(b, location(), teams.block);
  product =
      named(fragment(schedule.getBlockK(), f32, FragLayout::Acc), "products");
  sum = named(fragment(schedule.getBlockK(), f32, FragLayout::Acc),
              "tile_scores");
  scaleValue = constant(f32, source.scale);
  zeroValue = constant(f32, 0.0);
  bool stay = source.heads() <= kHeadsInRegisters;
  for (int64_t head = 0; head < source.heads(); ++head) {
    if (bias) {
      Type type = cast<GlobalType>(bias.getType()).getElementType();
      Value value = LoadOp::create(b, location(), type, bias, number(head));
      headBias.push_back(cast(value, f32));
    }
    if (!stay && head > 0) continue;
    headWeights.push_back(named(
        RowVecAllocOp::create(
            b, location(), RowVecType::get(b.getContext(), {kTileUnit}, f32)),
        "head_weights"));
    if (stay) loadWeights(head, headWeights.back());
  }
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

ScoreKernel::KeyRange ScoreKernel::keyRange(Value tile) {
  Value first = named(mul(tile, number(schedule.getBlockK())), "first_key");
  return {first, named(min(sub(keys, first), number(schedule.getBlockK())),
                       "keys_of_tile")};
}

/// Dot products of a head's queries with the keys of the tile.
void ScoreKernel::emitProduct(int64_t head, ValueRange keyTiles) {
  OpBuilder& b = builder();
  FillOp::create(b, location(), product, zeroValue);
  if (usesWgmma()) {
    WgmmaFenceOp::create(b, location(), product);
    for (auto [chunk, keys] : llvm::zip(chunks, keyTiles))
      WgmmaNtOp::create(b, location(), product, chunk.queries[head], groupRow,
                        keys, zero);
    WgmmaCommitOp::create(b, location());
    WgmmaWaitOp::create(b, location(), 0);
    return;
  }
  for (auto [chunk, keys] : llvm::zip(chunks, keyTiles)) {
    LoadLhsOp::create(b, location(), chunk.lhs, chunk.queries[head], warpRow);
    MmaNtOp::create(b, location(), product, chunk.lhs, keys, zero);
  }
}

/// Adds a head's part of the scores of the tile in shared memory.
void ScoreKernel::emitHead(int64_t head, ValueRange keyTiles) {
  OpBuilder& b = builder();
  emitProduct(head, keyTiles);
  AffineOp::create(b, location(), product, scaleValue,
                   bias ? headBias[head] : zeroValue);
  Activation activation = toActivation(source.scoreActivation);
  if (activation != Activation::Identity)
    ActivateOp::create(b, location(), product, activation);
  bool stay = source.heads() <= kHeadsInRegisters;
  if (!stay) loadWeights(head, headWeights[0]);
  AddScaledOp::create(b, location(), sum, product,
                      headWeights[stay ? head : 0]);
}

void ScoreKernel::store(const KeyRange& range) {
  OpBuilder& b = builder();
  Value to = at(scores, {part, firstRow, range.first}, {bufferRows, keys});
  Value pitch = arith::IndexCastOp::create(b, location(), b.getI64Type(), keys);
  StoreRowsOp::create(b, location(), stridedRows(to, pitch, rowsOfBlock),
                      warpRow, sum, range.count);
}

void ScoreKernel::emitLoad(StreamOp stream, Value firstTile) {
  OpBuilder& b = builder();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(stream.getLoad().front().getTerminator());
  int64_t depth = source.depth();
  Value tile = add(firstTile, stream.getLoad().getArgument(0));
  KeyRange range = keyRange(named(tile, "tile_number"));
  ValueRange keyTiles = stream.getTiles(stream.getLoad(), 0);
  for (auto [chunk, target] : llvm::zip(chunks, keyTiles)) {
    Value from =
        at(key, {batch, zero, number(chunk.first)}, {keys, number(depth)});
    CopyRowsOp::create(b, location(), target,
                       stridedRows(from, i64(depth), keys), range.first,
                       number(std::min(chunk.columns, depth - chunk.first)),
                       getVectorBytes(element, depth), teams.load);
  }
}

void ScoreKernel::emitCompute(StreamOp stream, Value firstTile) {
  OpBuilder& b = builder();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(stream.getCompute().front().getTerminator());
  Value tile = add(firstTile, stream.getCompute().getArgument(0));
  KeyRange range = keyRange(named(tile, "tile_number"));
  ValueRange keyTiles = stream.getTiles(stream.getCompute(), 0);
  for (Value keyTile : keyTiles) named(keyTile, "key_tile");
  // Queries and keys came by cp.async; wgmma reads them through another proxy.
  if (usesWgmma()) FenceAsyncOp::create(b, location());
  FillOp::create(b, location(), sum, zeroValue);
  for (int64_t head = 0; head < source.heads(); ++head)
    emitHead(head, keyTiles);
  if (source.mask == Mask::Causal) {
    // The last key that the warp's first query sees.
    Value query = named(add(add(begin, firstRow), warpRow), "query_of_warp");
    Value last = named(add(query, sub(keys, queries)), "last_key_of_warp");
    MaskCausalOp::create(b, location(), sum, last, range.first);
  }
  store(range);
}

void ScoreKernel::emitStream(Value firstTile, Value tiles) {
  auto stream =
      StreamOp::create(builder(), location(), tiles, ring, teams.pipeline);
  emitLoad(stream, firstTile);
  emitCompute(stream, firstTile);
}

void ScoreKernel::emitHiddenTiles(Value firstTile, Value endTile) {
  OpBuilder& b = builder();
  FillOp::create(
      b, location(), sum,
      constant(b.getF32Type(), -std::numeric_limits<double>::infinity()));
  forLoop(firstTile, endTile, 1, [&](Value tile) { store(keyRange(tile)); });
}

void ScoreKernel::emit() {
  OpBuilder& b = builder();
  emitPosition();
  emitQueries();
  emitStart();
  // Tiles of this block's span; those before `seen` have a visible key.
  Value y = BlockIdOp::create(b, location(), b.getIndexType(), 1);
  Value first = named(mul(y, number(schedule.getSpan())), "first_tile");
  Value end = named(min(add(first, number(schedule.getSpan())),
                        ceilDiv(visibleKeys, schedule.getBlockK())),
                    "end_tile");
  Value seen = end;
  if (source.mask == Mask::Causal) {
    Value behindLast = add(add(begin, firstRow), rowsOfBlock);
    Value limit = max(add(behindLast, sub(keys, queries)), zero);
    seen =
        named(min(end, ceilDiv(limit, schedule.getBlockK())), "end_seen_tile");
  }
  Value tiles = named(sub(seen, first), "tiles");
  emitStream(first, tiles);
  if (fillHidden && source.mask == Mask::Causal)
    emitHiddenTiles(max(first, seen), end);
}

//===----------------------------------------------------------------------===//
// Launch
//===----------------------------------------------------------------------===//

/// ceil(value / divisor) on the host.
static Value hostCeilDiv(ToTileContext& context, Value value, int64_t divisor) {
  IRRewriter& b = context.rewriter();
  Value sum = b.createOrFold<arith::AddIOp>(context.loc(), value,
                                            context.index(divisor - 1));
  return b.createOrFold<arith::DivUIOp>(context.loc(), sum,
                                        context.index(divisor));
}

void gsa::launchIndexScores(const IndexerSource& source,
                            ScoreScheduleAttr schedule, const ScoreRows& rows,
                            Location loc, ToTileContext& context) {
  KernelBuilder kernel(context, loc, "index_scores",
                       KernelTeams(schedule).warps());
  kernel.setSchedule(schedule);
  ScoreKernel(source, schedule, rows, loc, context, kernel).emit();
  Value x = hostCeilDiv(context, rows.count, schedule.getBlockQ());
  Value tiles = hostCeilDiv(context, rows.keys, schedule.getBlockK());
  Value y = hostCeilDiv(context, tiles, schedule.getSpan());
  kernel.launch(ArrayRef<OpFoldResult>{x, y, context.index(rows.batches)});
}

LogicalResult tile::lowerIndexScores(IndexScoresOp op, ToTileContext& context) {
  FailureOr<ScoreScheduleAttr> schedule =
      getSchedule<ScoreScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  IndexerSource source = makeIndexerSource(op, context);
  Value scores = context.makeBuffer(cast<RankedTensorType>(op.getType()));
  if (cast<MemRefType>(scores.getType()).getNumElements() > 0)
    launchIndexScores(source, *schedule,
                      {context.index(0), source.batches(), context.index(0),
                       context.index(source.queries()),
                       context.index(source.keys()), scores, source.queries(),
                       /*fillHidden=*/true},
                      op.getLoc(), context);
  context.replace(op, {scores});
  return success();
}
