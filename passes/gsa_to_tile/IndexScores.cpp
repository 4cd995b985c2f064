//===- IndexScores.cpp - gsa.index_scores to a kernel ---------------------===//
//
// A block keeps the queries of all indexer heads in shared memory and streams a
// span of key tiles by. For each tile a warp multiplies its 16 queries of one
// head after the other, activates and adds: the products of the heads never
// leave registers. Tiles that no query of the block sees are not computed.
//
// Where the schedule gives a warp 8 queries, the 16 rows of its products are
// those of two heads, in such an order that a lane has both of one query. Their
// sum then takes half the registers of a product, so that those of four heads
// can be under way together, and a lane has all that it needs to append.
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
/// Products of two heads that are under way together.
static constexpr int64_t kPairsInFlight = 2;
/// Hits that a lane stages beside those of a tile before it appends them.
static constexpr int64_t kStagedHits = 10;

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
  if (op.getLengths()) source.lengths = context.toBuffer(op.getLengths());
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

int64_t gsa::getSpanKeys(ScoreScheduleAttr schedule) {
  return schedule.getSpan() * schedule.getBlockK();
}

Activation gsa::toActivation(ScoreActivation activation) {
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
    SmallVector<Value> queries;  ///< A tile for each part.
    Value lhs;
  };
  /// Keys of a tile.
  struct KeyRange {
    Value first, count;
  };

  void addArguments();
  Value number(int64_t value) { return kernel.index(value); }
  Value fragment(int64_t rows, int64_t columns, Type type, FragLayout layout);
  SmemType tileOf(int64_t rows, int64_t columns);
  bool usesWgmma() const { return schedule.getEngine() == Engine::Wgmma; }
  /// 2 sigmoid(x) - 1 = tanh(x / 2): half the instructions of the units that
  /// the kernel waits for.
  bool usesTanh() const {
    return rows.ranksOnly && source.scoreActivation == ScoreActivation::Sigmoid;
  }
  /// Heads are multiplied in parts: one by one, or two whose rows take turns.
  bool isPaired() const { return schedule.getFragmentHeads() == 2; }
  int64_t parts() const { return source.heads() / schedule.getFragmentHeads(); }
  /// Weights and offsets of all heads stay in registers.
  bool keepsWeights() const { return source.heads() <= kHeadsInRegisters; }

  void emitPosition();
  Value emitFlags();
  void emitQueries();
  void emitStart();
  void loadWeights(int64_t part, Value target);
  Value headOffset(int64_t head);
  void loadOffsets(int64_t part);
  KeyRange keyRange(Value tile);
  void emitStream(Value firstTile, Value tiles);
  void emitLoad(StreamOp stream, Value firstTile);
  void emitCompute(StreamOp stream, Value firstTile);
  void emitParts(int64_t first, int64_t end, ValueRange keyTiles);
  void emitProducts(int64_t first, ValueRange products, ValueRange keyTiles);
  void addPart(int64_t part, Value product);
  void emitHiddenTiles(Value firstTile, Value endTile);
  Value lastKeyOfWarp();
  void store(const KeyRange& range);
  Value allocateRows(StringRef name);
  Value startSum(StringRef name);
  void flagRows(Value sums);
  void emitBounds();
  void append(const KeyRange& range);
  void finishRows(Value span);
  Value skipTiles(Value tiles, Value limit);

  const IndexerSource& source;
  ScoreScheduleAttr schedule;
  const ScoreRows& rows;
  Type element;
  KernelTeams teams;
  KernelBuilder& kernel;

  // Arguments.
  Value query, key, weights, bias, lengths, scores, flags;
  Value bounds, counts, pairs, capacity, skipBelow;
  Value sums, squares, spans;
  Value firstBatch, begin, count, queries, keys, visibleKeys, bufferRows;
  Value scoredKeys;  ///< Columns: all keys, or those of the sample.
  Value firstFlag;
  Value rowPitch;  ///< Of the buffer of scores.
  // Position of the block and of the warp.
  Value keysOfBatch;  ///< Sk, or fewer where lengths say so.
  Value zero, part, batch, firstRow, warpRank, warpRow, groupRow;
  Value rowsOfBlock, isBusy;
  // Storage.
  SmallVector<Chunk> chunks;
  SmallVector<Value> partWeights, partOffsets, products;
  Value ring, sum, scaleValue, zeroValue;
  /// Row vectors, of candidates: bounds, sums that say whether scores are
  /// finite, moments.
  Value boundRows, checkSums, rowSums, rowSquares;
  /// Hits that are not in the lists yet.
  Value staged, stagedBytes;
};

}  // namespace

void ScoreKernel::addArguments() {
  query = kernel.read(source.query, "query");
  key = kernel.read(source.key, "key");
  if (source.weights) weights = kernel.read(source.weights, "weights");
  if (source.bias) bias = kernel.read(source.bias, "bias");
  if (source.lengths) lengths = kernel.read(source.lengths, "lengths");
  if (rows.flags) flags = kernel.read(rows.flags, "flags");
  if (rows.candidates) {
    counts = kernel.write(rows.candidates->counts, "counts");
    if (rows.candidates->bounds) {
      bounds = kernel.read(rows.candidates->bounds, "bounds");
      pairs = kernel.write(rows.candidates->pairs, "candidates");
      capacity = kernel.size(rows.candidates->capacity, "capacity");
    }
    if (rows.moments) {
      sums = kernel.write(rows.moments->sums, "sums");
      squares = kernel.write(rows.moments->squares, "squares");
      spans = kernel.size(
          llvm::divideCeil(source.keys(), getSpanKeys(schedule)), "spans");
    }
    if (rows.candidates->skipBelow > 0)
      skipBelow = kernel.size(rows.candidates->skipBelow, "skip_below");
  } else {
    scores = kernel.write(rows.scores, "scores");
  }
  queries = kernel.size(source.queries(), "queries");
  keys = kernel.size(source.keys(), "keys");
  scoredKeys = keys;
  if (rows.sample > 1)
    scoredKeys = kernel.size(llvm::divideCeil(source.keys(), rows.sample),
                             "sampled_keys");
  if (scores) bufferRows = kernel.size(rows.rows, "rows");
  firstBatch = kernel.scalar(rows.batch, "batch");
  begin = kernel.scalar(rows.begin, "begin");
  count = kernel.scalar(rows.count, "count");
  visibleKeys = kernel.scalar(rows.keys, "visible_keys");
  if (flags) firstFlag = kernel.scalar(rows.firstFlag, "first_flag");
  rowPitch = rows.pitch ? kernel.scalar(rows.pitch, "row_pitch") : scoredKeys;
}

//===----------------------------------------------------------------------===//
// Small things
//===----------------------------------------------------------------------===//

Value ScoreKernel::fragment(int64_t rows, int64_t columns, Type type,
                            FragLayout layout) {
  return FragAllocOp::create(
      builder(), location(),
      FragType::get(builder().getContext(), {rows, columns}, type, layout));
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
  keysOfBatch = keys;
  if (lengths) {
    Value given =
        toIndex(LoadOp::create(b, location(), b.getI32Type(), lengths, batch));
    keysOfBatch = named(min(max(given, zero), keys), "length");
  }
  firstRow = named(mul(x, number(schedule.getBlockQ())), "first_row");
  rowsOfBlock = min(sub(count, firstRow), number(schedule.getBlockQ()));
  if (flags) {
    isBusy = emitFlags();
    rowsOfBlock = select(isBusy, rowsOfBlock, zero);
  }
  named(rowsOfBlock, "rows_of_block");
  warpRank = WarpRankOp::create(b, location(), indexType, teams.compute);
  warpRow = named(mul(warpRank, number(schedule.getWarpQueries())), "warp_row");
  // Of the tile of queries, which has the rows of each head of a part.
  if (usesWgmma())
    groupRow = named(mul(div(warpRow, kGroupRows / schedule.getFragmentHeads()),
                         number(kGroupRows)),
                     "group_row");
}

/// Whether a query of the block has a flag.
Value ScoreKernel::emitFlags() {
  Value first = named(add(firstFlag, firstRow), "first_flag_of_block");
  return named(AnySetOp::create(builder(), location(), builder().getI1Type(),
                                flags, first, add(first, rowsOfBlock)),
               "any_flag");
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
    int64_t partHeads = schedule.getFragmentHeads();
    for (int64_t head = 0; head < heads; head += partHeads) {
      Value tile =
          named(SmemAllocOp::create(
                    b, location(),
                    tileOf(schedule.getBlockQ() * partHeads, chunk.columns),
                    IntegerAttr()),
                "query_tile");
      Value from = at(query, {batch, firstQuery, number(head), number(first)},
                      {queries, number(heads), number(depth)});
      Value view = isPaired()
                       ? interleavedRows(from, pitch, i64(depth), rowsOfBlock)
                       : stridedRows(from, pitch, rowsOfBlock);
      CopyRowsOp::create(b, location(), tile, view, zero,
                         number(std::min(chunk.columns, depth - first)),
                         getVectorBytes(element, depth), teams.block);
      chunk.queries.push_back(tile);
    }
    keyTiles.push_back(tileOf(schedule.getBlockK(), chunk.columns));
    if (!usesWgmma())
      chunk.lhs =
          named(fragment(kTileUnit, chunk.columns, element, FragLayout::Lhs),
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

/// Fills a row vector with the activated weights of a part.
void ScoreKernel::loadWeights(int64_t part, Value target) {
  OpBuilder& b = builder();
  if (!weights) {
    FillRowsOp::create(b, location(), target, constant(b.getF32Type(), 1.0));
    return;
  }
  int64_t heads = source.heads();
  Value from = at(
      weights,
      {batch, add(begin, firstRow), number(part * schedule.getFragmentHeads())},
      {queries, number(heads)});
  Value pitch = i64(heads);
  if (isPaired())
    LoadRowVecOp::create(b, location(), target,
                         interleavedRows(from, pitch, i64(1), rowsOfBlock),
                         mul(warpRow, number(schedule.getFragmentHeads())));
  else
    LoadRowVecOp::create(b, location(), target,
                         stridedRows(from, pitch, rowsOfBlock), warpRow);
  if (source.weightActivation == WeightActivation::Sigmoid)
    ActivateRowsOp::create(b, location(), target, Activation::Sigmoid);
}

/// What is added to the scaled product of a head.
Value ScoreKernel::headOffset(int64_t head) {
  OpBuilder& b = builder();
  Type f32 = b.getF32Type();
  Type type = cast<GlobalType>(bias.getType()).getElementType();
  Value value = LoadOp::create(b, location(), type, bias, number(head));
  Value offset = cast(value, f32);
  return usesTanh() ? mul(offset, constant(f32, 0.5)) : offset;
}

/// The offsets of a part: a scalar, or a row vector of those of two heads.
void ScoreKernel::loadOffsets(int64_t part) {
  if (!isPaired()) {
    partOffsets.push_back(headOffset(part));
    return;
  }
  OpBuilder& b = builder();
  Type type = RowVecType::get(b.getContext(), {kTileUnit}, b.getF32Type());
  Value offsets = named(RowVecAllocOp::create(b, location(), type), "offsets");
  Value first = headOffset(2 * part);
  FillHalvesOp::create(b, location(), offsets, first, headOffset(2 * part + 1));
  partOffsets.push_back(offsets);
}

void ScoreKernel::emitStart() {
  OpBuilder& b = builder();
  Type f32 = b.getF32Type();
  CopyWaitOp::create(b, location(), teams.block);
  int64_t columns = schedule.getBlockK();
  int64_t together = isPaired() ? std::min(kPairsInFlight, parts()) : 1;
  for (int64_t i = 0; i < together; ++i)
    products.push_back(
        named(fragment(kTileUnit, columns, f32, FragLayout::Acc), "products"));
  sum =
      named(fragment(schedule.getWarpQueries(), columns, f32, FragLayout::Acc),
            "tile_scores");
  scaleValue = constant(f32, usesTanh() ? 0.5 * source.scale : source.scale);
  zeroValue = constant(f32, 0.0);
  for (int64_t part = 0; part < parts(); ++part) {
    if (bias) loadOffsets(part);
    if (!keepsWeights() && part > 0) continue;
    partWeights.push_back(named(
        RowVecAllocOp::create(
            b, location(), RowVecType::get(b.getContext(), {kTileUnit}, f32)),
        "head_weights"));
    if (keepsWeights()) loadWeights(part, partWeights.back());
  }
  if (rows.candidates) emitBounds();
}

/// A number for each query of the warp.
Value ScoreKernel::allocateRows(StringRef name) {
  OpBuilder& b = builder();
  Type type = RowVecType::get(b.getContext(), {schedule.getWarpQueries()},
                              b.getF32Type());
  return named(RowVecAllocOp::create(b, location(), type), name);
}

Value ScoreKernel::startSum(StringRef name) {
  Value sum = allocateRows(name);
  FillRowsOp::create(builder(), location(), sum, zeroValue);
  return sum;
}

void ScoreKernel::emitBounds() {
  if (bounds) {
    boundRows = allocateRows("bound");
    Value from = at(bounds, {firstRow}, {});
    LoadRowVecOp::create(builder(), location(), boundRows,
                         stridedRows(from, i64(1), rowsOfBlock), warpRow);
    // A line for each lane and 8 of its queries; of 8 columns it has two.
    int64_t lines =
        schedule.getConsumers() * 32 * schedule.getWarpQueries() / 8;
    int64_t hits = schedule.getBlockK() / 4 + kStagedHits;
    OpBuilder& b = builder();
    staged = named(
        SmemAllocOp::create(b, location(),
                            SmemType::get(b.getContext(), {lines, 2 * hits},
                                          b.getI32Type(), SmemLayout::Linear),
                            IntegerAttr()),
        "staged");
    stagedBytes = named(
        LanesAllocOp::create(
            b, location(),
            LanesType::get(b.getContext(), {schedule.getWarpQueries() / 8},
                           b.getI32Type())),
        "staged_bytes");
  }
  if (sums) {
    rowSums = startSum("row_sums");
    rowSquares = startSum("row_squares");
  } else {
    checkSums = startSum("partial_sums");
  }
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

ScoreKernel::KeyRange ScoreKernel::keyRange(Value tile) {
  Value first = named(mul(tile, number(schedule.getBlockK())), "first_key");
  Value count = min(sub(scoredKeys, first), number(schedule.getBlockK()));
  return {first, named(count, "keys_of_tile")};
}

/// Dot products of the queries of some parts with the keys of the tile.
void ScoreKernel::emitProducts(int64_t first, ValueRange products,
                               ValueRange keyTiles) {
  OpBuilder& b = builder();
  if (usesWgmma()) {
    WgmmaFenceOp::create(b, location(), products);
    for (auto [part, product] : llvm::enumerate(products))
      for (auto [i, chunk, keys] : llvm::enumerate(chunks, keyTiles))
        WgmmaNtOp::create(b, location(), product, chunk.queries[first + part],
                          groupRow, keys, zero, /*accumulate=*/i > 0);
    WgmmaCommitOp::create(b, location());
    WgmmaWaitOp::create(b, location(), 0, products);
    return;
  }
  Value product = products.front();
  FillOp::create(b, location(), product, zeroValue);
  for (auto [chunk, keys] : llvm::zip(chunks, keyTiles)) {
    LoadLhsOp::create(b, location(), chunk.lhs, chunk.queries[first], warpRow);
    MmaNtOp::create(b, location(), product, chunk.lhs, keys, zero);
  }
}

/// Activates the product of a part and adds it to the scores.
void ScoreKernel::addPart(int64_t part, Value product) {
  OpBuilder& b = builder();
  if (isPaired() && bias)
    AffineRowsOp::create(b, location(), product, scaleValue, partOffsets[part]);
  else
    AffineOp::create(b, location(), product, scaleValue,
                     bias ? partOffsets[part] : zeroValue);
  Activation activation =
      usesTanh() ? Activation::FastTanh : toActivation(source.scoreActivation);
  if (activation != Activation::Identity)
    ActivateOp::create(b, location(), product, activation);
  Value weights = partWeights[keepsWeights() ? part : 0];
  if (!keepsWeights()) loadWeights(part, weights);
  if (isPaired())
    AddRowPairsOp::create(b, location(), sum, product, weights);
  else
    AddScaledOp::create(b, location(), sum, product, weights);
}

/// Adds parts [first, end), whose products are under way together, to the
/// scores of the tile in shared memory.
void ScoreKernel::emitParts(int64_t first, int64_t end, ValueRange keyTiles) {
  ValueRange used = ValueRange(products).take_front(end - first);
  emitProducts(first, used, keyTiles);
  // What comes behind the last product takes long, and no key.
  if (rows.candidates && end == parts() && schedule.getProducers() > 0)
    ReleaseOp::create(builder(), location(), keyTiles.front());
  for (auto [i, product] : llvm::enumerate(used)) addPart(first + i, product);
}

void ScoreKernel::store(const KeyRange& range) {
  OpBuilder& b = builder();
  Value to = at(scores, {part, firstRow, range.first}, {bufferRows, rowPitch});
  Value pitch =
      arith::IndexCastOp::create(b, location(), b.getI64Type(), rowPitch);
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
                       stridedRows(from, i64(rows.sample * depth), scoredKeys),
                       range.first,
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
  auto together = static_cast<int64_t>(products.size());
  for (int64_t part = 0; part < parts(); part += together)
    emitParts(part, std::min(part + together, parts()), keyTiles);
  if (rows.candidates) {
    append(range);
  } else {
    bool isCausal = source.mask == Mask::Causal;
    if (isCausal && rows.sample == 1)
      MaskCausalOp::create(b, location(), sum, lastKeyOfWarp(), range.first);
    else if (!isCausal && lengths)  // The same keys for all rows.
      MaskCausalOp::create(b, location(), sum, sub(keysOfBatch, number(1)),
                           range.first, /*rows_per_query=*/kTileUnit);
    store(range);
  }
}

/// The last key that the warp's first query sees.
Value ScoreKernel::lastKeyOfWarp() {
  Value query = named(add(add(begin, firstRow), warpRow), "query_of_warp");
  return named(add(query, sub(keysOfBatch, queries)), "last_key_of_warp");
}

/// Keys behind the last one are zeros, so that their scores are finite; they
/// are hidden, too. Whether scores are finite is seen before some are hidden.
void ScoreKernel::append(const KeyRange& range) {
  OpBuilder& b = builder();
  bool isCausal = source.mask == Mask::Causal;
  Value last = isCausal ? lastKeyOfWarp() : sub(keys, number(1));
  // Most tiles have no hidden key.
  Value lastOfTile = add(range.first, number(schedule.getBlockK() - 1));
  Value hides = cmpi(arith::CmpIPredicate::sgt, lastOfTile, last);
  auto hide = [&] {
    MaskCausalOp::create(b, location(), sum, last, range.first,
                         /*rows_per_query=*/isCausal ? 1 : kTileUnit);
  };
  auto addMoments = [&](bool someHidden) {
    AddPartialMomentsOp::create(b, location(), rowSums, rowSquares, sum,
                                someHidden);
  };
  if (sums) {
    ifThen(
        named(hides, "hides_keys"),
        [&] {
          // Rare: a sum that lives from here on would cost registers.
          Value check = startSum("partial_sums");
          AddPartialSumsOp::create(b, location(), check, sum);
          flagRows(check);
          hide();
          addMoments(/*someHidden=*/true);
        },
        [&] { addMoments(/*someHidden=*/false); });
  } else {
    AddPartialSumsOp::create(b, location(), checkSums, sum);
    ifThen(named(hides, "hides_keys"), hide);
  }
  if (pairs)
    AppendCandidatesOp::create(
        b, location(), pairs, counts, staged, stagedBytes, sum, boundRows,
        warpRank, add(firstRow, warpRow), count, capacity, range.first);
}

/// Marks rows whose sums are not finite.
void ScoreKernel::flagRows(Value sums) {
  FlagRowsOp::create(builder(), location(), counts, sums,
                     add(firstRow, warpRow), count);
}

/// Behind the last tile of a span.
void ScoreKernel::finishRows(Value span) {
  OpBuilder& b = builder();
  if (pairs)
    FlushCandidatesOp::create(b, location(), pairs, counts, staged, stagedBytes,
                              warpRank, add(firstRow, warpRow), count,
                              capacity);
  if (checkSums) return flagRows(checkSums);
  flagRows(rowSums);
  flagRows(rowSquares);
  Value pitch =
      arith::IndexCastOp::create(b, location(), b.getI64Type(), spans);
  for (auto [target, rows] :
       {std::pair<Value, Value>{sums, rowSums}, {squares, rowSquares}}) {
    JoinPartialSumsOp::create(b, location(), rows);
    Value to = at(target, {firstRow, span}, {spans});
    StoreRowVecOp::create(b, location(), stridedRows(to, pitch, rowsOfBlock),
                          warpRow, rows);
  }
}

/// No tiles for blocks that have nothing to do; no query of the block sees a
/// key from `limit` on.
Value ScoreKernel::skipTiles(Value tiles, Value limit) {
  if (isBusy) tiles = select(isBusy, tiles, zero);
  if (skipBelow)
    tiles =
        select(cmpi(arith::CmpIPredicate::sle, limit, skipBelow), zero, tiles);
  return tiles;
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
  Value seen = end, limit = keysOfBatch;
  bool hidesKeys = source.mask == Mask::Causal || lengths;
  if (source.mask == Mask::Causal) {
    Value behindLast = add(add(begin, firstRow), rowsOfBlock);
    limit = max(add(behindLast, sub(keysOfBatch, queries)), zero);
  }
  if (hidesKeys) {
    Value scored = rows.sample > 1 ? ceilDiv(limit, rows.sample) : limit;
    seen =
        named(min(end, ceilDiv(scored, schedule.getBlockK())), "end_seen_tile");
  }
  Value tiles = named(skipTiles(sub(seen, first), limit), "tiles");
  emitStream(first, tiles);
  if (rows.candidates) finishRows(y);
  if (rows.fillHidden && hidesKeys) emitHiddenTiles(max(first, seen), end);
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

ScoreScheduleAttr gsa::withSpan(ScoreScheduleAttr schedule, int64_t span) {
  return ScoreScheduleAttr::get(
      schedule.getContext(), schedule.getEngine(), schedule.getBlockQ(),
      schedule.getBlockK(), std::max<int64_t>(span, 1), schedule.getStages(),
      schedule.getProducers(), schedule.getConsumers());
}

void gsa::launchIndexScores(const IndexerSource& source,
                            ScoreScheduleAttr schedule, const ScoreRows& rows,
                            Location loc, ToTileContext& context,
                            StringRef name) {
  KernelBuilder kernel(context, loc, name, KernelTeams(schedule).warps());
  kernel.setSchedule(schedule);
  ScoreKernel(source, schedule, rows, loc, context, kernel).emit();
  Value x = hostCeilDiv(context, rows.count, schedule.getBlockQ());
  Value scored = hostCeilDiv(context, rows.keys, rows.sample);
  Value tiles = hostCeilDiv(context, scored, schedule.getBlockK());
  Value y = hostCeilDiv(context, tiles, schedule.getSpan());
  kernel.launch(ArrayRef<OpFoldResult>{x, y, context.index(rows.batches)});
}

LogicalResult tile::lowerIndexScores(IndexScoresOp op, ToTileContext& context) {
  FailureOr<ScoreScheduleAttr> schedule =
      getSchedule<ScoreScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  IndexerSource source = makeIndexerSource(op, context);
  Value scores = context.makeBuffer(cast<RankedTensorType>(op.getType()));
  if (cast<MemRefType>(scores.getType()).getNumElements() > 0) {
    ScoreRows rows;
    rows.batch = rows.begin = context.index(0);
    rows.batches = source.batches();
    rows.count = context.index(source.queries());
    rows.keys = context.index(source.keys());
    rows.scores = scores;
    rows.rows = source.queries();
    rows.fillHidden = true;
    launchIndexScores(source, *schedule, rows, op.getLoc(), context);
  }
  context.replace(op, {scores});
  return success();
}
