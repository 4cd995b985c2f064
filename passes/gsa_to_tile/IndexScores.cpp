//===- IndexScores.cpp - gsa.index_scores to a kernel ---------------------===//
//
// A block keeps the queries of all indexer heads in shared memory and streams a
// span of key tiles by. For each tile a warp multiplies its 16 queries of one
// head after the other, activates and adds: the products of the heads never
// leave registers. Tiles that no query of the block sees are not computed.
// Where there are too many heads for that, the queries of some come through the
// ring with each tile of keys.
//
// Where the schedule gives a warp 8 queries, the 16 rows of its products are
// those of two heads, in such an order that a lane has both of one query. Their
// sum then takes half the registers of a product, so that those of four heads
// can be under way together, and a lane has all that it needs to append.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "dialect/Gsa/GsaBuilders.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SaveAndRestore.h"
#include "passes/gsa_to_tile/KernelScalars.h"
#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/gsa_to_tile/ScoreKernel.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

/// Rows of a warpgroup.
static constexpr int64_t kGroupRows = 64;

//===----------------------------------------------------------------------===//
// Operands and schedule
//===----------------------------------------------------------------------===//

int64_t gsa::getSpanKeys(ScoreScheduleAttr schedule) {
  return schedule.getSpan() * schedule.getBlockK();
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

/// Rows of every `sample`-th key: as a matrix of that many keys a row, of which
/// only the first columns are read.
static Value sampledKeys(Value buffer, int64_t sample, ToTileContext& context) {
  IRRewriter& b = context.rewriter();
  auto type = cast<MemRefType>(buffer.getType());
  auto whole = llvm::to_vector<2>(llvm::seq<int64_t>(type.getRank()));
  Value flat = memref::CollapseShapeOp::create(
      b, context.loc(), buffer, SmallVector<ReassociationIndices>{whole});
  int64_t columns = sample * type.getShape().back();
  return memref::ExpandShapeOp::create(
      b, context.loc(),
      ArrayRef<int64_t>{type.getNumElements() / columns, columns}, flat,
      SmallVector<ReassociationIndices>{{0, 1}});
}

void ScoreKernel::addArguments(ToTileContext& context) {
  query = kernel.read(source.query, "query");
  if (schedule.getBoxes())
    key = kernel.map(rows.sample > 1 ? sampledKeys(source.keyRows.buffer,
                                                   rows.sample, context)
                                     : source.keyRows.buffer,
                     TensorMapType::get(builder().getContext(),
                                        {schedule.getBlockK(), kPanelColumns},
                                        element, SmemLayout::Swizzle128B),
                     "key");
  else
    keyRows = KernelRows(kernel, source.keyRows, "key");
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
  if (rows.onlyFlagged)
    onlyFlagged = kernel.scalar(rows.onlyFlagged, "only_flagged");
  spanTiles =
      hostSpan ? kernel.scalar(hostSpan, "span") : number(schedule.getSpan());
  rowPitch = rows.pitch ? kernel.scalar(rows.pitch, "row_pitch") : scoredKeys;
}

//===----------------------------------------------------------------------===//
// Small things
//===----------------------------------------------------------------------===//

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

Activation ScoreKernel::productActivation() const {
  return usesTanh() ? Activation::FastTanh
                    : toActivation(source.scoreActivation);
}

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
  // The longest first, so that the last blocks are short.
  if (rows.blocks > 0 && isCausal()) {
    Value blocks = GridSizeOp::create(b, location(), indexType, 0);
    x = named(sub(sub(blocks, number(1)), x), "block");
  }
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

/// Whether a query of the block has a flag. Where flags do not count, none is
/// read.
Value ScoreKernel::emitFlags() {
  Value first = named(add(firstFlag, firstRow), "first_flag_of_block");
  Value size = onlyFlagged ? mul(rowsOfBlock, onlyFlagged) : rowsOfBlock;
  Value any =
      named(AnySetOp::create(builder(), location(), builder().getI1Type(),
                             flags, first, add(first, size)),
            "any_flag");
  if (!onlyFlagged) return any;
  Value all = cmpi(arith::CmpIPredicate::eq, onlyFlagged, zero);
  return named(Value(arith::OrIOp::create(builder(), location(), any, all)),
               "is_busy");
}

Value ScoreKernel::headOf(int64_t part) {
  Value head = number(part * schedule.getFragmentHeads());
  return firstHead ? add(firstHead, head) : head;
}

/// What keys and, where they come beside them, queries are copied in.
int64_t ScoreKernel::vectorBytes() const {
  int64_t ofKeys = source.keyVectorBytes();
  return streamsHeads()
             ? std::min(ofKeys, getVectorBytes(element, source.depth()))
             : ofKeys;
}

/// The queries of the part that begins with `head` to their tile.
void ScoreKernel::copyQueries(Value tile, Value head, const Chunk& chunk,
                              TeamAttr team) {
  int64_t heads = source.heads(), depth = source.depth();
  Value from = at(query, {batch, firstQuery, head, number(chunk.first)},
                  {queries, number(heads), number(depth)});
  Value pitch = i64(heads * depth);
  Value view = isPaired()
                   ? interleavedRows(from, pitch, i64(depth), rowsOfBlock)
                   : stridedRows(from, pitch, rowsOfBlock);
  CopyRowsOp::create(
      builder(), location(), tile, view, zero,
      number(std::min(chunk.columns, depth - chunk.first)),
      streamsHeads() ? vectorBytes() : getVectorBytes(element, depth), team);
}

void ScoreKernel::emitQueries() {
  OpBuilder& b = builder();
  int64_t depth = source.depth();
  // What a fragment of 32 registers holds.
  int64_t step = element.isF32() ? 64 : 128;
  int64_t padded =
      llvm::alignTo(depth, usesWgmma() ? kPanelColumns : kTileUnit);
  firstQuery = named(add(begin, firstRow), "first_query");
  SmallVector<Type> keyTiles, queryTiles;
  for (int64_t first = 0; first < padded; first += step) {
    Chunk chunk;
    chunk.first = first;
    chunk.columns = std::min(step, padded - first);
    SmemType type = tileOf(schedule.getBlockQ() * schedule.getFragmentHeads(),
                           chunk.columns);
    for (int64_t part = 0; part < parts(); ++part) {
      if (streamsHeads()) {
        queryTiles.push_back(type);
        continue;
      }
      Value tile =
          named(SmemAllocOp::create(b, location(), type, IntegerAttr()),
                "query_tile");
      copyQueries(tile, headOf(part), chunk, teams.block);
      chunk.queries.push_back(tile);
    }
    keyTiles.push_back(tileOf(schedule.getBlockK(), chunk.columns));
    if (!usesWgmma())
      chunk.lhs =
          named(fragment(kTileUnit, chunk.columns, element, FragLayout::Lhs),
                "query_rows");
    chunks.push_back(chunk);
  }
  CopyEngine engine =
      schedule.getBoxes() ? CopyEngine::Bulk : getCopyEngine(vectorBytes());
  llvm::append_range(keyTiles, queryTiles);
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
  Value from =
      at(weights, {batch, firstQuery, headOf(part)}, {queries, number(heads)});
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
Value ScoreKernel::headOffset(Value head) {
  OpBuilder& b = builder();
  Type f32 = b.getF32Type();
  Type type = cast<GlobalType>(bias.getType()).getElementType();
  Value value = LoadOp::create(b, location(), type, bias, head);
  Value offset = cast(value, f32);
  return usesTanh() ? mul(offset, constant(f32, 0.5)) : offset;
}

/// The offsets of a part: a scalar, or a row vector of those of two heads, of
/// which all parts of a step that is one of several have the same.
Value ScoreKernel::offsetsOf(int64_t part) {
  Value head = headOf(part);
  if (!isPaired()) return headOffset(head);
  OpBuilder& b = builder();
  Value offsets = stepOffsets;
  if (!offsets)
    offsets =
        named(RowVecAllocOp::create(
                  b, location(),
                  RowVecType::get(b.getContext(), {kTileUnit}, b.getF32Type())),
              "offsets");
  Value first = headOffset(head);
  FillHalvesOp::create(b, location(), offsets, first,
                       headOffset(add(head, number(1))));
  return offsets;
}

void ScoreKernel::emitStart() {
  OpBuilder& b = builder();
  Type f32 = b.getF32Type();
  CopyWaitOp::create(b, location(), teams.block);
  int64_t columns = schedule.getBlockK();
  int64_t together = isPaired() ? std::min(schedule.getPairs(), parts()) : 1;
  for (int64_t i = 0; i < together; ++i)
    products.push_back(
        named(fragment(kTileUnit, columns, f32, FragLayout::Acc), "products"));
  sum =
      named(fragment(schedule.getWarpQueries(), columns, f32, FragLayout::Acc),
            "tile_scores");
  scaleValue = constant(f32, usesTanh() ? 0.5 * source.scale : source.scale);
  zeroValue = constant(f32, 0.0);
  if (streamsHeads() && bias && isPaired())
    stepOffsets = named(
        RowVecAllocOp::create(
            b, location(), RowVecType::get(b.getContext(), {kTileUnit}, f32)),
        "offsets");
  for (int64_t part = 0; part < parts(); ++part) {
    if (bias && !streamsHeads()) partOffsets.push_back(offsetsOf(part));
    if (!keepsWeights() && part > 0) continue;
    partWeights.push_back(named(
        RowVecAllocOp::create(
            b, location(), RowVecType::get(b.getContext(), {kTileUnit}, f32)),
        "head_weights"));
    if (keepsWeights()) loadWeights(part, partWeights.back());
  }
  if (rows.candidates) emitBounds();
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

ScoreKernel::KeyRange ScoreKernel::keyRange(Value tile) {
  Value first = named(mul(tile, number(schedule.getBlockK())), "first_key");
  Value count = min(sub(scoredKeys, first), number(schedule.getBlockK()));
  return {first, named(count, "keys_of_tile")};
}

/// The dot products of the queries of a part with the keys of the tile: under
/// way by wgmma, which waitForProduct() waits for.
void ScoreKernel::emitProduct(int64_t part, ValueRange keyTiles) {
  OpBuilder& b = builder();
  Value product = productOf(part);
  if (usesWgmma()) {
    WgmmaFenceOp::create(b, location(), product);
    for (auto [i, chunk, keys] : llvm::enumerate(chunks, keyTiles))
      WgmmaNtOp::create(b, location(), product, chunk.queries[part], groupRow,
                        keys, zero, /*accumulate=*/i > 0);
    WgmmaCommitOp::create(b, location());
    return;
  }
  FillOp::create(b, location(), product, zeroValue);
  for (auto [chunk, keys] : llvm::zip(chunks, keyTiles)) {
    LoadLhsOp::create(b, location(), chunk.lhs, chunk.queries[part], warpRow);
    MmaNtOp::create(b, location(), product, chunk.lhs, keys, zero);
  }
}

/// Waits for the product of a part, while those of `pending` later ones are
/// under way.
void ScoreKernel::waitForProduct(int64_t part, int64_t pending) {
  if (!usesWgmma()) return;
  if (stagesProducts() && part == parts() - 1) {
    // What becomes of the part before stays above the last wait, which ptxas
    // would put before most of it: the branch of the drain holds it.
    if (lags())
      WgmmaFenceOp::create(builder(), location(), productOf(part - 1));
    // What goes to global memory does so while products are under way.
    drain();
  }
  WgmmaWaitOp::create(builder(), location(), pending, productOf(part));
}

/// Activates the product of a part and adds it to the scores.
void ScoreKernel::addPart(int64_t part, Value product) {
  OpBuilder& b = builder();
  Value offsets = zeroValue;
  if (bias) offsets = streamsHeads() ? offsetsOf(part) : partOffsets[part];
  if (isPaired() && bias)
    AffineRowsOp::create(b, location(), product, scaleValue, offsets);
  else
    AffineOp::create(b, location(), product, scaleValue, offsets);
  Activation activation = productActivation();
  if (activation != Activation::Identity)
    ActivateOp::create(b, location(), product, activation);
  Value weights = partWeights[keepsWeights() ? part : 0];
  if (!keepsWeights()) loadWeights(part, weights);
  if (isPaired())
    AddRowPairsOp::create(b, location(), sum, product, weights);
  else
    AddScaledOp::create(b, location(), sum, product, weights);
}

/// Adds all parts to the scores of the tile in shared memory but, where that is
/// left for later, the last one. As many products are under way as have
/// fragments: a part is activated while the next one is multiplied.
void ScoreKernel::emitParts(ValueRange keyTiles, Value firstTile) {
  auto together = static_cast<int64_t>(products.size());
  int64_t last = parts() - 1;
  auto clear = [&] { FillOp::create(builder(), location(), sum, zeroValue); };
  if (streamsHeads())
    ifThen(
        named(cmpi(arith::CmpIPredicate::eq, firstHead, zero), "begins_tile"),
        clear);
  else if (!lags())
    clear();
  for (int64_t part = 0; part < together; ++part) {
    emitProduct(part, keyTiles);
    // The last part of the tile before, beside the first product of this one.
    if (part == 0 && lags()) emitLagged(firstTile);
  }
  if (lags()) clear();
  for (int64_t part = 0; part <= last; ++part) {
    waitForProduct(part, std::min(together - 1, last - part));
    // What comes behind the last product takes long, and no key.
    if (rows.candidates && part == last && schedule.getProducers() > 0)
      ReleaseOp::create(builder(), location(), keyTiles.front());
    if (part < last || !leavesLast()) addPart(part, productOf(part));
    if (part + together <= last) emitProduct(part + together, keyTiles);
  }
}

/// The rest of the tile before.
void ScoreKernel::emitLagged(Value firstTile) {
  OpBuilder& b = builder();
  OpBuilder::InsertionGuard guard(b);
  auto lagged = LaggedOp::create(b, location());
  b.setInsertionPoint(lagged.getBody().front().getTerminator());
  Value number = named(lagged.getBody().getArgument(0), "number_before");
  finishTile(keyRange(named(add(firstTile, number), "tile_before")));
}

/// What is done with the scores of a tile where they go to lists.
void ScoreKernel::finishTile(const KeyRange& range) {
  int64_t last = parts() - 1;
  if (lags() && !stagesProducts()) addPart(last, productOf(last));
  append(range);
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
  // Nothing of a page behind the last key is read.
  Value limit = scoredKeys;
  if (keyRows.isPaged() && lengths)
    limit = rows.sample > 1 ? ceilDiv(keysOfBatch, rows.sample) : keysOfBatch;
  Step step = stepOf(stream.getLoad().getArgument(0), firstTile);
  KeyRange range = keyRange(named(step.tile, "tile_number"));
  ValueRange tiles = stream.getTiles(stream.getLoad(), 0);
  ValueRange keyTiles = tiles.take_front(chunks.size());
  for (auto [chunk, target] : llvm::zip(chunks, keyTiles)) {
    if (schedule.getBoxes()) {
      TmaLoadOp::create(b, location(), target, key,
                        add(mul(batch, scoredKeys), range.first),
                        number(chunk.first), Value(), Value(), teams.load);
      continue;
    }
    Value from = keyRows.base(*this, batch, Value(), chunk.first, keys);
    CopyRowsOp::create(b, location(), target,
                       keyRows.view(*this, from, batch, rows.sample, limit),
                       range.first,
                       number(std::min(chunk.columns, depth - chunk.first)),
                       vectorBytes(), teams.load);
  }
  if (!streamsHeads()) return;
  llvm::SaveAndRestore head(firstHead, step.firstHead);
  ValueRange queryTiles = tiles.drop_front(chunks.size());
  for (const Chunk& chunk : chunks)
    for (int64_t part = 0; part < parts(); ++part) {
      copyQueries(queryTiles.front(), headOf(part), chunk, teams.load);
      queryTiles = queryTiles.drop_front();
    }
}

void ScoreKernel::emitCompute(StreamOp stream, Value firstTile) {
  OpBuilder& b = builder();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(stream.getCompute().front().getTerminator());
  Step step = stepOf(stream.getCompute().getArgument(0), firstTile);
  KeyRange range = keyRange(named(step.tile, "tile_number"));
  ValueRange tiles = stream.getTiles(stream.getCompute(), 0);
  ValueRange keyTiles = tiles.take_front(chunks.size());
  for (Value keyTile : keyTiles) named(keyTile, "key_tile");
  llvm::SaveAndRestore head(firstHead, step.firstHead);
  if (streamsHeads()) {
    ValueRange queryTiles = tiles.drop_front(chunks.size());
    for (Value tile : queryTiles) named(tile, "query_tile");
    for (Chunk& chunk : chunks) {
      chunk.queries = llvm::to_vector(queryTiles.take_front(parts()));
      queryTiles = queryTiles.drop_front(parts());
    }
  }
  // Keys came by cp.async; wgmma reads them through another proxy.
  if (usesWgmma() && !schedule.getBoxes()) FenceAsyncOp::create(b, location());
  emitParts(keyTiles, firstTile);
  if (lags()) return;
  auto finish = [&] {
    if (rows.candidates)
      finishTile(range);
    else
      storeTile(range);
  };
  if (!streamsHeads()) return finish();
  Value last = number(source.heads() - headsOfStep());
  ifThen(named(cmpi(arith::CmpIPredicate::eq, firstHead, last), "ends_tile"),
         finish);
}

void ScoreKernel::storeTile(const KeyRange& range) {
  OpBuilder& b = builder();
  if (isCausal() && rows.sample == 1)
    MaskCausalOp::create(b, location(), sum, lastKeyOfWarp(), range.first);
  else if (!isCausal() && lengths)  // The same keys for all rows.
    MaskCausalOp::create(b, location(), sum, sub(keysOfBatch, number(1)),
                         range.first, /*rows_per_query=*/kTileUnit);
  store(range);
}

/// The last key that the warp's first query sees.
Value ScoreKernel::lastKeyOfWarp() {
  Value query = named(add(firstQuery, warpRow), "query_of_warp");
  return named(add(query, sub(keysOfBatch, queries)), "last_key_of_warp");
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

ScoreKernel::Step ScoreKernel::stepOf(Value number, Value firstTile) {
  if (!streamsHeads()) return {add(firstTile, number), Value()};
  Value steps = this->number(stepsOfTile());
  Value group = remIndex(number, steps);
  return {add(firstTile, divIndex(number, steps)),
          named(mul(group, this->number(headsOfStep())), "first_head")};
}

void ScoreKernel::emitStream(Value firstTile, Value tiles) {
  Value steps = tiles;
  if (streamsHeads())
    steps = named(mul(max(tiles, zero), number(stepsOfTile())), "steps");
  auto stream =
      StreamOp::create(builder(), location(), steps, ring, teams.pipeline);
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
  Value first = named(mul(y, spanTiles), "first_tile");
  Value end = named(
      min(add(first, spanTiles), ceilDiv(visibleKeys, schedule.getBlockK())),
      "end_tile");
  Value seen = end, limit = keysOfBatch;
  bool hidesKeys = isCausal() || lengths;
  if (isCausal()) {
    Value behindLast = add(add(begin, firstRow), rowsOfBlock);
    limit = max(add(behindLast, sub(keysOfBatch, queries)), zero);
  }
  if (hidesKeys) {
    Value scored = rows.sample > 1 ? ceilDiv(limit, rows.sample) : limit;
    seen =
        named(min(end, ceilDiv(scored, schedule.getBlockK())), "end_seen_tile");
  }
  // The queries, which threads copied and wgmma reads through another proxy.
  if (schedule.getBoxes()) FenceAsyncOp::create(b, location());
  if (sums)
    emitUnits(first, seen, limit);
  else
    emitStream(first, named(skipTiles(sub(seen, first), limit), "tiles"));
  if (rows.candidates) finishRows();
  if (rows.fillHidden && hidesKeys) emitHiddenTiles(max(first, seen), end);
}

//===----------------------------------------------------------------------===//
// Launch
//===----------------------------------------------------------------------===//

/// ceil(value / divisor) on the host, of numbers that are not negative; `less`
/// is the divisor less 1.
static Value hostCeilDiv(ToTileContext& context, Value value, Value divisor,
                         Value less) {
  IRRewriter& b = context.rewriter();
  Value sum = b.createOrFold<arith::AddIOp>(context.loc(), value, less);
  return b.createOrFold<arith::DivUIOp>(context.loc(), sum, divisor);
}
static Value hostCeilDiv(ToTileContext& context, Value value, int64_t divisor) {
  return hostCeilDiv(context, value, context.index(divisor),
                     context.index(divisor - 1));
}

/// Tiles of a block if `xs` rows of blocks, of `tiles` tiles each at most, are
/// shared out among `rows.blocks` blocks; with moments whole spans. The queries
/// of the blocks see fewer and fewer keys under a causal mask: half of the
/// difference on average.
static Value makeSpan(ToTileContext& context, const IndexerSource& source,
                      ScoreScheduleAttr schedule, const ScoreRows& rows,
                      Value xs, Value tiles) {
  IRRewriter& b = context.rewriter();
  Location loc = context.loc();
  Value mean = tiles;
  if (source.mask == Mask::Causal) {
    Value fewer = b.createOrFold<arith::DivUIOp>(
        loc, rows.count, context.index(2 * schedule.getBlockK() * rows.sample));
    fewer = b.createOrFold<arith::MinUIOp>(loc, fewer, tiles);
    mean = b.createOrFold<arith::SubIOp>(loc, tiles, fewer);
  }
  Value all = b.createOrFold<arith::MulIOp>(loc, xs, mean);
  Value span = b.createOrFold<arith::MaxUIOp>(
      loc, hostCeilDiv(context, all, rows.blocks),
      context.index(rows.leastSpan));
  if (!rows.moments) return span;
  Value units = hostCeilDiv(context, span, schedule.getSpan());
  return b.createOrFold<arith::MulIOp>(loc, units,
                                       context.index(schedule.getSpan()));
}

void gsa::launchIndexScores(const IndexerSource& source,
                            ScoreScheduleAttr schedule, const ScoreRows& rows,
                            Location loc, ToTileContext& context,
                            StringRef name) {
  Value x = hostCeilDiv(context, rows.count, schedule.getBlockQ());
  Value scored = hostCeilDiv(context, rows.keys, rows.sample);
  Value tiles = hostCeilDiv(context, scored, schedule.getBlockK());
  Value span = rows.span, y;
  if (rows.blocks > 0)
    span = makeSpan(context, source, schedule, rows, x, tiles);
  if (span) {
    Value less = context.rewriter().createOrFold<arith::SubIOp>(
        context.loc(), span, context.index(1));
    y = hostCeilDiv(context, tiles, span, less);
  } else {
    y = hostCeilDiv(context, tiles, schedule.getSpan());
  }
  KernelBuilder kernel(context, loc, name, KernelTeams(schedule).warps());
  kernel.setSchedule(schedule);
  ScoreKernel(source, schedule, rows, span, loc, context, kernel).emit();
  kernel.launch(ArrayRef<OpFoldResult>{x, y, context.index(rows.batches)});
}
