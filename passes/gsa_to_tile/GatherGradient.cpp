//===- GatherGradient.cpp - gather_attention_grad by query ----------------===//
//
// A warp handles the heads of one (query, key head) pair, as the 16 rows of a
// fragment, and goes through their list. Logits and gradients of weights are
// products with keys and values; what follows from them is the left operand of
// what is added to the gradients of the queries, and, transposed, of what is
// added to those of the keys and values. Heads of one pair read the same keys,
// so no product has a term that the definition has not, but for those of heads
// without keys, whose operands are cleared.
//
//===----------------------------------------------------------------------===//

#include "dialect/GsaTile/PipelineAttrs.h"
#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/AttentionGradient.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

namespace {

class GatherGradient : public AttentionStorage {
 public:
  GatherGradient(GradientKernel& kernel, int64_t slots,
                 GatherGradScheduleAttr schedule, Location loc,
                 const GradientBlock& block)
      : AttentionStorage(kernel.bodyBuilder(), loc, kernel.shape),
        kernel(kernel),
        slots(slots),
        blockK(schedule.getBlockK()),
        partColumns(schedule.getColumns()),
        block(block),
        team(TeamAttr::get(s.b.getContext(), 0, 1)) {}

  void emit();

 private:
  /// Some columns of rows of a query and of a key.
  struct Part {
    int64_t first, columns;  ///< Padded to a multiple of 16.
    int64_t valid;           ///< Of these, those that exist.
    Value rows;              ///< Tile of the 16 rows.
    Value grad;              ///< Fragment; null of columns of values.
  };

  Type f32() { return s.b.getF32Type(); }
  /// Of copies of keys and of values: the same, as those of one stage are.
  int64_t vectorBytes() const {
    return std::min(getVectorBytes(shape.element, shape.keyUnit),
                    getVectorBytes(shape.element, shape.valueUnit));
  }
  SmallVector<Part> split(int64_t depth) const;
  SmemType tileOf(int64_t rows, int64_t columns);
  void emitList();
  void emitRows(SmallVectorImpl<Part>& parts, int64_t unit,
                llvm::function_ref<Value(int64_t)> view, StringRef name);
  void emitLoad(StreamOp stream);
  void emitCompute(StreamOp stream);
  void multiplyNt(Value acc, ArrayRef<Part> parts, ValueRange tiles);
  void addTransposed(Value grads, ArrayRef<Part> parts, Value first,
                     llvm::function_ref<Value(int64_t)> view);
  void emitEnd();

  GradientKernel& kernel;
  int64_t slots, blockK, partColumns;
  GradientBlock block;
  TeamAttr team;
  AttentionRows rows;
  SmallVector<Part> keyParts, valueParts;
  Value keys, count, list, scale;
  Value lse, rowSums, scores, grads, gradsLhs, weightTile, gradTile;
};

}  // namespace

SmallVector<GatherGradient::Part> GatherGradient::split(int64_t depth) const {
  SmallVector<Part> parts;
  for (int64_t first = 0; first < depth; first += partColumns) {
    int64_t valid = std::min(partColumns, depth - first);
    auto columns = static_cast<int64_t>(llvm::alignTo(valid, kTileUnit));
    parts.push_back({first, columns, valid, {}, {}});
  }
  return parts;
}

SmemType GatherGradient::tileOf(int64_t rows, int64_t columns) {
  return SmemType::get(s.b.getContext(), {rows, columns}, shape.element,
                       SmemLayout::Swizzle);
}

/// The list of the query, and the number of its entries.
void GatherGradient::emitList() {
  keys = kernel.countKeys(s, block.batch);
  Value counts =
      s.at(kernel.counts, {block.batch, block.token}, {kernel.queries});
  Value listed = s.toIndex(
      LoadOp::create(s.b, s.loc, s.b.getI32Type(), counts, s.index(0)));
  count = named(s.min(s.max(listed, s.index(0)), s.index(slots)), "count");
  list = named(s.at(kernel.indices, {block.batch, block.token, s.index(0)},
                    {kernel.queries, s.index(slots)}),
               "list");
}

/// Starts the copy of rows of the query, in parts.
void GatherGradient::emitRows(SmallVectorImpl<Part>& parts, int64_t unit,
                              llvm::function_ref<Value(int64_t)> view,
                              StringRef name) {
  for (Part& part : parts) {
    part.rows = smem(name, tileOf(kTileUnit, part.columns));
    CopyRowsOp::create(s.b, s.loc, part.rows, view(part.first), s.index(0),
                       s.index(part.valid), getVectorBytes(shape.element, unit),
                       team);
  }
}

void GatherGradient::emitLoad(StreamOp stream) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getLoad().front().getTerminator());
  Value number = named(stream.getLoad().getArgument(0), "tile_number");
  Value first = named(s.mul(number, blockK), "first_key");
  auto copy = [&](unsigned ring, ArrayRef<Part> parts, const KernelRows& from) {
    ValueRange tiles = stream.getTiles(stream.getLoad(), ring);
    for (auto [part, target] : llvm::zip(parts, tiles)) {
      Value base =
          from.base(s, block.batch, block.group, part.first, kernel.keys);
      CopyRowsOp::create(s.b, s.loc, target,
                         from.listed(s, base, block.batch, list, count, keys),
                         first, s.index(part.valid), vectorBytes(), team);
    }
  };
  copy(0, keyParts, kernel.keyRows);
  copy(1, valueParts, kernel.valueRows);
}

/// `acc = ` rows of the query times those of keys.
void GatherGradient::multiplyNt(Value acc, ArrayRef<Part> parts,
                                ValueRange tiles) {
  FillOp::create(s.b, s.loc, acc, s.f32(0.0));
  for (auto [part, tile] : llvm::zip(parts, tiles)) {
    Value lhs =
        fragment("row_part", part.columns, shape.element, FragLayout::Lhs);
    LoadLhsOp::create(s.b, s.loc, lhs, part.rows, s.index(0));
    MmaNtOp::create(s.b, s.loc, acc, lhs, tile, s.index(0));
  }
}

/// Adds columns of a tile of the query's rows, each times those rows, to the
/// gradients of the keys from position `first` on.
void GatherGradient::addTransposed(Value tile, ArrayRef<Part> parts,
                                   Value first,
                                   llvm::function_ref<Value(int64_t)> view) {
  for (int64_t key = 0; key < blockK; key += kTileUnit) {
    Value lhs = fragment("of_keys", kTileUnit, shape.element, FragLayout::Lhs);
    LoadLhsTransposedOp::create(s.b, s.loc, lhs, tile, s.index(0),
                                s.index(key));
    Value position = s.add(first, s.index(key));
    for (const Part& part : parts) {
      Value sum = fragment("sum_of_keys", part.columns, f32(), FragLayout::Acc);
      FillOp::create(s.b, s.loc, sum, s.f32(0.0));
      MmaNnOp::create(s.b, s.loc, sum, lhs, part.rows, s.index(0));
      AccumulateRowsOp::create(s.b, s.loc, view(part.first), position, sum,
                               s.index(part.valid));
    }
  }
}

void GatherGradient::emitCompute(StreamOp stream) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getCompute().front().getTerminator());
  ValueRange keyTiles = stream.getTiles(stream.getCompute(), 0);
  ValueRange valueTiles = stream.getTiles(stream.getCompute(), 1);
  for (Value tile : keyTiles) named(tile, "keys");
  for (Value tile : valueTiles) named(tile, "values");
  Value number = named(stream.getCompute().getArgument(0), "tile_number");
  Value first = named(s.mul(number, blockK), "first_key");
  multiplyNt(scores, keyParts, keyTiles);
  double sign = getSoftmaxScale(shape.scale).factor;
  if (sign != 1.0)
    AffineOp::create(s.b, s.loc, scores, s.f32(sign), s.f32(0.0));
  Value base = kernel.keyRows.base(s, block.batch, block.group, 0, kernel.keys);
  MaskRowsOp::create(s.b, s.loc, scores,
                     kernel.keyRows.maskListed(s, base, list, count, keys),
                     first);
  multiplyNt(grads, valueParts, valueTiles);
  SoftmaxGradOp::create(s.b, s.loc, scores, grads, lse, rowSums, scale,
                        rows.count);
  ConvertOp::create(s.b, s.loc, gradsLhs, grads);
  for (auto [part, tile] : llvm::zip(keyParts, keyTiles))
    MmaNnOp::create(s.b, s.loc, part.grad, gradsLhs, tile, s.index(0));
  PutFragOp::create(s.b, s.loc, weightTile, s.index(0), scores);
  PutFragOp::create(s.b, s.loc, gradTile, s.index(0), grads);
  auto add = [&] {
    addTransposed(weightTile, valueParts, first, [&](int64_t column) {
      return kernel.viewValueSums(s, block.batch, block.group, column, list,
                                  count, keys);
    });
    addTransposed(gradTile, keyParts, first, [&](int64_t column) {
      return kernel.viewKeySums(s, block.batch, block.group, column, list,
                                count, keys);
    });
  };
  if (block.adds)
    s.ifThen(block.adds, add);
  else
    add();
}

void GatherGradient::emitEnd() {
  for (const Part& part : keyParts) {
    AffineOp::create(s.b, s.loc, part.grad, s.f32(shape.scale), s.f32(0.0));
    StoreRowsOp::create(s.b, s.loc, kernel.viewQueryGrads(s, rows, part.first),
                        s.index(0), part.grad, s.index(part.valid));
  }
}

void GatherGradient::emit() {
  rows.batch = block.batch;
  rows.query = block.token;
  rows.head = named(s.add(s.mul(block.group, shape.ratio()), block.firstRow),
                    "first_head");
  rows.count = named(
      s.min(s.sub(s.index(shape.ratio()), block.firstRow), s.index(kTileUnit)),
      "rows");
  rows.lsePitch = s.toI64(kernel.queries);
  emitList();
  keyParts = split(shape.depth);
  valueParts = split(shape.valueDepth);
  emitRows(
      keyParts, shape.depth,
      [&](int64_t column) { return kernel.viewQueries(s, rows, column); },
      "queries");
  emitRows(
      valueParts, shape.valueDepth,
      [&](int64_t column) { return kernel.viewOutputGrads(s, rows, column); },
      "output_grads");
  auto makeRing = [&](StringRef name, ArrayRef<Part> parts) {
    SmallVector<Type> tiles;
    for (const Part& part : parts)
      tiles.push_back(tileOf(blockK, part.columns));
    return ring(name, /*stages=*/1, getCopyEngine(vectorBytes()), tiles);
  };
  Value keyRing = makeRing("key_ring", keyParts);
  Value valueRing = makeRing("value_ring", valueParts);
  weightTile = smem("weights_of_keys", tileOf(kTileUnit, blockK));
  gradTile = smem("grads_of_keys", tileOf(kTileUnit, blockK));
  CopyWaitOp::create(s.b, s.loc, team);
  scale = s.f32(getSoftmaxScale(shape.scale).scale);
  scores = fragment("scores", blockK, f32(), FragLayout::Acc);
  grads = fragment("score_grads", blockK, f32(), FragLayout::Acc);
  gradsLhs =
      fragment("score_grads_lhs", blockK, shape.element, FragLayout::Lhs);
  lse = rowVector("lse_rows");
  rowSums = rowVector("row_sums_of_rows");
  LoadRowVecOp::create(s.b, s.loc, lse, kernel.viewLse(s, rows), s.index(0));
  LoadRowVecOp::create(s.b, s.loc, rowSums, kernel.viewRowSums(s, rows),
                       s.index(0));
  for (ArrayRef<Part> parts : {ArrayRef(keyParts), ArrayRef(valueParts)})
    for (const Part& part : parts)
      DropRowsOp::create(s.b, s.loc, part.rows, s.index(0), lse);
  for (Part& part : keyParts) {
    part.grad = fragment("query_grad", part.columns, f32(), FragLayout::Acc);
    FillOp::create(s.b, s.loc, part.grad, s.f32(0.0));
  }
  Value tiles = named(s.ceilDiv(count, blockK), "tiles");
  auto pipeline = PipelineAttr::get(s.b.getContext(), 0, 1, StreamOrder::Free);
  auto stream = StreamOp::create(s.b, s.loc, tiles,
                                 ValueRange{keyRing, valueRing}, pipeline);
  emitLoad(stream);
  emitCompute(stream);
  emitEnd();
}

void gsa::emitGatherGradient(GradientKernel& kernel, int64_t slots,
                             GatherGradScheduleAttr schedule, Location loc,
                             const GradientBlock& block) {
  GatherGradient(kernel, slots, schedule, loc, block).emit();
}

LogicalResult gsa::lowerGatherGradient(GatherAttentionGradOp op,
                                       ToTileContext& context) {
  FailureOr<GatherGradScheduleAttr> schedule =
      getSchedule<GatherGradScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  GradientOperands operands(op, context);
  operands.clearSums();
  if (operands.batches * operands.queries > 0) {
    GradientKernel kernel(operands, *schedule, /*warps=*/1, "gather_gradient");
    KernelScalars s(kernel.bodyBuilder(), op.getLoc());
    int64_t rowBlocks = llvm::divideCeil(operands.shape.ratio(), kTileUnit);
    GradientBlock block;
    block.token = named(s.blockId(0), "token");
    Value y = s.blockId(1);
    block.batch = named(s.blockId(2), "batch");
    block.group = named(s.div(y, rowBlocks), "group");
    block.firstRow = named(s.mul(s.rem(y, rowBlocks), kTileUnit), "first_row");
    emitGatherGradient(kernel, operands.slots, *schedule, op.getLoc(), block);
    kernel.builder().launch(ArrayRef<int64_t>{
        operands.queries, operands.shape.groups * rowBlocks, operands.batches});
  }
  operands.finish();
  return success();
}
