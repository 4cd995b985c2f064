//===- IndexTrainingKernel.cpp - rows of what trains the indexer ----------===//

#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/IndexTraining.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

static IndexerSource makeSource(const IndexerForm& form,
                                ToTileContext& context) {
  IndexerSource source;
  auto buffer = [&](Value tensor) {
    return tensor ? context.toBuffer(tensor) : Value();
  };
  source.query = buffer(form.query);
  source.keyRows = getRowStorage(form.key, context);
  source.weights = buffer(form.weights);
  source.bias = buffer(form.bias);
  source.lengths = buffer(form.lengths);
  source.scale = form.scale();
  source.scoreActivation = form.scoreActivation;
  source.weightActivation = form.weightActivation;
  source.mask = form.mask;
  return source;
}

TrainingOperands::TrainingOperands(Operation* op, TrainingScheduleAttr schedule,
                                   ToTileContext& context)
    : op(op),
      schedule(schedule),
      context(context),
      form(IndexerForm::of(op)),
      source(makeSource(form, context)),
      cells(source.keys()) {
  if (!form.indices) return;
  indices = context.toBuffer(form.indices);
  counts = context.toBuffer(form.counts);
  cells = cast<RankedTensorType>(form.indices.getType()).getDimSize(2);
}

/// Of its numbers those that are not about a selection.
TopKScheduleAttr TrainingOperands::rowSchedule() const {
  return TopKScheduleAttr::get(op->getContext(), schedule.getRowWarps(),
                               /*bins=*/256, /*capacity=*/32, /*chunk=*/1);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

TrainingRows::TrainingRows(KernelBuilder& kernel,
                           const TrainingOperands& operands,
                           const QueryChunk& chunk)
    : isCausal(operands.source.mask == Mask::Causal) {
  const IndexerSource& source = operands.source;
  if (operands.indices) {
    indices = kernel.read(operands.indices, "indices");
    counts = kernel.read(operands.counts, "counts");
  }
  if (source.lengths) lengths = kernel.read(source.lengths, "lengths");
  queries = kernel.size(source.queries(), "queries");
  keys = kernel.size(source.keys(), "keys");
  cells = kernel.size(operands.cells, "cells");
  batch = kernel.scalar(chunk.batch, "batch");
  begin = kernel.scalar(chunk.begin, "begin");
}

TrainingRows::Row TrainingRows::locate(KernelScalars& s, Value inChunk) const {
  Row row;
  row.inChunk = inChunk;
  row.token = named(s.add(begin, inChunk), "token");
  row.limit = keys;
  Value zero = s.index(0);
  auto load = [&](Value array, Value position) {
    return s.toIndex(
        LoadOp::create(s.b, s.loc, s.b.getI32Type(), array, position));
  };
  if (lengths)
    row.limit = named(s.min(s.max(load(lengths, batch), zero), keys), "length");
  if (indices)
    row.end = s.min(s.max(load(counts, number(s, row)), zero), cells);
  else if (isCausal)
    row.end = s.max(
        s.sub(s.add(row.limit, s.add(row.token, s.index(1))), queries), zero);
  else
    row.end = row.limit;
  named(row.end, "end");
  return row;
}

Value TrainingRows::holdsKey(KernelScalars& s, const Row& row,
                             Value slot) const {
  Value inside = s.cmpi(CmpIPredicate::slt, slot, row.end);
  if (!indices) return inside;
  Value position = s.add(s.mul(number(s, row), s.toI64(cells)), s.toI64(slot));
  Value entry = LoadOp::create(s.b, s.loc, s.b.getI32Type(), indices, position);
  // As unsigned, negative entries are huge.
  Value isKey = s.cmpi(CmpIPredicate::ult, entry, s.toI32(row.limit));
  return arith::AndIOp::create(s.b, s.loc, inside, isKey);
}

Value TrainingRows::number(KernelScalars& s, const Row& row) const {
  return s.add(s.mul(s.toI64(batch), s.toI64(queries)), s.toI64(row.token));
}

Value TrainingRows::cellsOf(KernelScalars& s, Value array,
                            const Row& row) const {
  return s.at(array, {row.inChunk, s.index(0)}, {cells});
}

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

TrainingKernel::TrainingKernel(const TrainingOperands& operands,
                               const QueryChunk& chunk, StringRef name)
    : operands(operands),
      schedule(operands.schedule),
      kernel(operands.context, operands.loc(), name,
             KernelTeams(operands.schedule).warps()),
      s(kernel.body(), operands.loc()),
      teams(operands.schedule),
      rows(kernel, operands, chunk),
      f32(s.b.getF32Type()) {
  kernel.setSchedule(schedule);
}

Value TrainingKernel::smem(StringRef name, int64_t rows, int64_t columns,
                           Type type, SmemLayout layout) {
  auto tile = SmemType::get(s.b.getContext(), {rows, columns}, type, layout);
  return named(SmemAllocOp::create(s.b, s.loc, tile, IntegerAttr()), name);
}

Value TrainingKernel::fragment(StringRef name, int64_t columns, Type type,
                               FragLayout layout) {
  auto frag =
      FragType::get(s.b.getContext(), {kTileUnit, columns}, type, layout);
  return named(FragAllocOp::create(s.b, s.loc, frag), name);
}

Value TrainingKernel::rowVector(StringRef name) {
  auto type = RowVecType::get(s.b.getContext(), {kTileUnit}, f32);
  return named(RowVecAllocOp::create(s.b, s.loc, type), name);
}

//===----------------------------------------------------------------------===//
// Before the stream
//===----------------------------------------------------------------------===//

void TrainingKernel::emitRow() {
  row = rows.locate(s, s.blockId(0));
  if (!rows.indices) return;
  Value from = s.at(rows.indices, {rows.batch, row.token, s.index(0)},
                    {rows.queries, rows.cells});
  if (operands.cells > kListEntries) {
    list = named(from, "list");
    return;
  }
  auto room = static_cast<int64_t>(
      llvm::alignTo(std::max<int64_t>(operands.cells, 1), 4));
  Type i32 = s.b.getI32Type();
  list = smem("list", 1, room, i32, SmemLayout::Linear);
  CopyRowsOp::create(
      s.b, s.loc, list, s.stridedRows(from, s.toI64(rows.cells), s.index(1)),
      s.index(0), row.end, getVectorBytes(i32, operands.cells), teams.block);
}

void TrainingKernel::emitTiles(Value query, int64_t tileRows,
                               const HeadRange& heads, int64_t depth,
                               int64_t most, int64_t keyVectorBytes) {
  element = cast<GlobalType>(query.getType()).getElementType();
  auto padded = static_cast<int64_t>(llvm::alignTo(depth, kTileUnit));
  SmallVector<Type> tiles;
  for (int64_t first = 0; first < padded; first += most) {
    Chunk chunk;
    chunk.first = first;
    chunk.columns = std::min(most, padded - first);
    chunk.queries =
        smem("queries", tileRows, chunk.columns, element, SmemLayout::Swizzle);
    Value from =
        s.at(query, {rows.batch, row.token, heads.first, s.index(first)},
             {rows.queries, s.index(heads.all), s.index(depth)});
    CopyRowsOp::create(s.b, s.loc, chunk.queries,
                       s.stridedRows(from, s.i64(depth), s.index(heads.count)),
                       s.index(0),
                       s.index(std::min(chunk.columns, depth - first)),
                       getVectorBytes(element, depth), teams.block);
    tiles.push_back(SmemType::get(s.b.getContext(),
                                  {schedule.getBlockK(), chunk.columns},
                                  element, SmemLayout::Swizzle));
    chunks.push_back(chunk);
  }
  auto type = TileRingType::get(s.b.getContext(), schedule.getStages(),
                                getCopyEngine(keyVectorBytes), tiles);
  tileRing = named(TileRingOp::create(s.b, s.loc, type), "ring");
}

void TrainingKernel::emitStart() {
  CopyWaitOp::create(s.b, s.loc, teams.block);
  warp =
      named(WarpRankOp::create(s.b, s.loc, s.b.getIndexType(), teams.compute),
            "warp");
  warpKey = named(s.mul(warp, schedule.getWarpKeys()), "warp_key");
  for (Chunk& chunk : chunks)
    chunk.lhs = fragment("query", chunk.columns, element, FragLayout::Lhs);
}

Value TrainingKernel::isFirstWarp() {
  return named(s.cmpi(CmpIPredicate::eq, warp, s.index(0)), "is_first_warp");
}

void TrainingKernel::syncCompute() {
  SyncOp::create(s.b, s.loc, teams.compute, teams.computeBarrier());
}

void TrainingKernel::emitConstants(llvm::function_ref<void()> body) {
  s.ifThen(isFirstWarp(), body);
  syncCompute();
}

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

Value TrainingKernel::view(const KernelRows& keyRows, Value base) {
  if (list)
    return keyRows.listed(s, base, rows.batch, list, row.end, row.limit);
  return keyRows.view(s, base, rows.batch, 1, row.end);
}

Value TrainingKernel::maskView(const KernelRows& keyRows, Value base) {
  if (list) return keyRows.maskListed(s, base, list, row.end, row.limit);
  return keyRows.maskView(s, base, row.end);
}

void TrainingKernel::copyKeys(StreamOp stream, const KernelRows& keyRows,
                              Value group, Value first, int64_t depth,
                              int64_t vectorBytes) {
  ValueRange tiles = stream.getTiles(stream.getLoad(), 0);
  for (auto [chunk, target] : llvm::zip(chunks, tiles)) {
    Value base = keyRows.base(s, rows.batch, group, chunk.first, rows.keys);
    CopyRowsOp::create(s.b, s.loc, target, view(keyRows, base), first,
                       s.index(std::min(chunk.columns, depth - chunk.first)),
                       vectorBytes, teams.load);
  }
}

void TrainingKernel::multiply(Value products, Value firstRow,
                              ValueRange keyTiles) {
  FillOp::create(s.b, s.loc, products, s.f32(0.0));
  for (auto [chunk, keys] : llvm::zip(chunks, keyTiles)) {
    LoadLhsOp::create(s.b, s.loc, chunk.lhs, chunk.queries, firstRow);
    MmaNtOp::create(s.b, s.loc, products, chunk.lhs, keys, warpKey);
  }
}

void TrainingKernel::inRegion(Region& region, llvm::function_ref<void()> body) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(region.front().getTerminator());
  body();
}

//===----------------------------------------------------------------------===//
// Heads of the indexer
//===----------------------------------------------------------------------===//

IndexerKernel::IndexerKernel(const TrainingOperands& operands,
                             const QueryChunk& chunk, int64_t part,
                             StringRef name)
    : TrainingKernel(operands, chunk, name),
      source(operands.source),
      keyRows(kernel, source.keyRows, "key"),
      query(kernel.read(source.query, "query")),
      heads{source.heads(), s.index(0), operands.headsOf(part)} {
  if (source.weights) weights = kernel.read(source.weights, "weights");
  if (source.bias) bias = kernel.read(source.bias, "bias");
  if (operands.headParts() > 1)
    heads.first = kernel.size(operands.firstHead(part), "first_head");
}

void IndexerKernel::emitIndexer(int64_t columns) {
  emitRow();
  emitTiles(query, kTileUnit, heads, source.depth(), columns,
            source.keyVectorBytes());
  emitStart();
}

void IndexerKernel::loadWeights(Value target) {
  if (!weights) {
    FillRowsOp::create(s.b, s.loc, target, s.f32(1.0));
    return;
  }
  Value from = s.at(weights, {rows.batch, row.token, heads.first},
                    {rows.queries, s.index(heads.all)});
  LoadRowVecOp::create(s.b, s.loc, target,
                       s.stridedRows(from, s.i64(1), s.index(heads.count)),
                       s.index(0));
  if (source.weightActivation == WeightActivation::Sigmoid)
    ActivateRowsOp::create(s.b, s.loc, target, Activation::Sigmoid);
}

void IndexerKernel::loadOffsets(Value target) {
  if (!bias) {
    FillRowsOp::create(s.b, s.loc, target, s.f32(0.0));
    return;
  }
  LoadRowVecOp::create(s.b, s.loc, target,
                       s.stridedRows(s.at(bias, {heads.first}, {}), s.i64(1),
                                     s.index(heads.count)),
                       s.index(0));
}

Value IndexerKernel::countTiles() {
  return named(s.ceilDiv(row.end, schedule.getBlockK()), "tiles");
}

void IndexerKernel::emitLoad(StreamOp stream) {
  inRegion(stream.getLoad(), [&] {
    Value tile = named(stream.getLoad().getArgument(0), "tile_number");
    copyKeys(stream, keyRows, Value(),
             named(s.mul(tile, schedule.getBlockK()), "first_key"),
             source.depth(), source.keyVectorBytes());
  });
}

Value IndexerKernel::firstKey(StreamOp stream) {
  Value tile = named(stream.getCompute().getArgument(0), "tile_number");
  return named(s.add(s.mul(tile, schedule.getBlockK()), warpKey),
               "first_key_of_warp");
}
