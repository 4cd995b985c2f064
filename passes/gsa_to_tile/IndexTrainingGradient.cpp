//===- IndexTrainingGradient.cpp - gradients of the indexer's scores ------===//
//
// A block has a query: the rows of its products z are heads, their columns the
// keys of the row. From z and the gradients of the scores follow those of z,
// dz, which are multiplied by keys, summed up over the row in registers, for
// the queries, and, transposed by way of shared memory, by queries for the
// keys: a row of 16 keys at a time, added to a buffer that all rows share. What
// warps have of a query is joined in their order, so that it is the same in
// each run.
//
//===----------------------------------------------------------------------===//

#include <algorithm>

#include "dialect/Gsa/GsaSlopes.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "passes/gsa_to_tile/Elementwise.h"
#include "passes/gsa_to_tile/IndexTraining.h"
#include "passes/gsa_to_tile/RowEmitter.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

/// Columns of a chunk: sums of 16 rows take 32 registers.
static constexpr int64_t kChunkColumns = 64;

namespace {

class ScoreGradKernel : IndexerKernel {
 public:
  ScoreGradKernel(const TrainingOperands& operands, const QueryChunk& chunk,
                  int64_t part, Value cells, const TrainingGradients& gradients)
      : IndexerKernel(operands, chunk, part, "index_scores_grad"),
        chunk(chunk),
        cellArray(kernel.read(cells, "scores_grad")),
        queryGrad(kernel.write(gradients.queryGrad, "query_grad")),
        keySums(kernel.write(gradients.keySums, "key_sums")),
        weightSums(kernel.write(gradients.weightSums, "weight_sums")),
        biasSums(kernel.write(gradients.biasSums, "bias_sums")),
        allRows(kernel.size(source.batches() * source.queries(), "all_rows")) {}

  void emit();

 private:
  void allocate();
  void emitCompute(StreamOp stream);
  void emitSlopes(Value first);
  void emitKeyGrads(Value first);
  void joinQueryGrads();
  void storeQueryGrads();
  void storeSums();
  Value keySumRows(const Chunk& columns);

  const QueryChunk& chunk;
  Value cellArray, queryGrad, keySums, weightSums, biasSums, allRows;

  Value headWeights, offsets, products, slopes, slopesLhs, turned, turnedLhs;
  Value weightTotal, biasTotal;             ///< Of this warp's keys, by lanes.
  Value weightParts, biasParts;             ///< Of all warps, in shared memory.
  Value warpRow;                            ///< Of `turned`.
  SmallVector<Value> queryGrads, keyGrads;  ///< For each chunk.
};

}  // namespace

void ScoreGradKernel::allocate() {
  int64_t warps = schedule.getConsumers(), keys = schedule.getWarpKeys();
  turned = smem("slopes_of_warps", warps * kTileUnit, keys, element,
                SmemLayout::Swizzle);
  weightParts = smem("weight_parts", warps, kTileUnit, f32, SmemLayout::Linear);
  biasParts = smem("bias_parts", warps, kTileUnit, f32, SmemLayout::Linear);
  warpRow = named(s.mul(warp, kTileUnit), "warp_row");
  products = fragment("products", keys, f32, FragLayout::Acc);
  slopes = fragment("slopes", keys, f32, FragLayout::Acc);
  slopesLhs = fragment("slopes_lhs", keys, element, FragLayout::Lhs);
  turnedLhs = fragment("slopes_of_keys", kTileUnit, element, FragLayout::Lhs);
  for (Chunk& columns : chunks) {
    queryGrads.push_back(
        fragment("query_sums", columns.columns, f32, FragLayout::Acc));
    FillOp::create(s.b, s.loc, queryGrads.back(), s.f32(0.0));
    keyGrads.push_back(
        fragment("key_grads", columns.columns, f32, FragLayout::Acc));
  }
  headWeights = rowVector("head_weights");
  loadWeights(headWeights);
  offsets = rowVector("offsets");
  loadOffsets(offsets);
  weightTotal = rowVector("weight_total");
  biasTotal = rowVector("bias_total");
  FillRowsOp::create(s.b, s.loc, weightTotal, s.f32(0.0));
  FillRowsOp::create(s.b, s.loc, biasTotal, s.f32(0.0));
}

//===----------------------------------------------------------------------===//
// A tile
//===----------------------------------------------------------------------===//

/// The products z become dz * act(z) / act'(z), slopes dz; both are summed up.
void ScoreGradKernel::emitSlopes(Value first) {
  Activation activation = toActivation(source.scoreActivation);
  Value cells = rows.cellsOf(s, cellArray, row);
  Value listed =
      maskView(keyRows, keyRows.base(s, rows.batch, Value(), 0, rows.keys));
  AffineRowsOp::create(s.b, s.loc, products, s.f32(source.scale), offsets);
  SlopeOp::create(s.b, s.loc, slopes, products, activation);
  ActivateOp::create(s.b, s.loc, products, activation);
  WeighColumnsOp::create(s.b, s.loc, products, cells, listed, first);
  AddPartialSumsOp::create(s.b, s.loc, weightTotal, products);
  ScaleRowsOp::create(s.b, s.loc, slopes, headWeights);
  WeighColumnsOp::create(s.b, s.loc, slopes, cells, listed, first);
  AddPartialSumsOp::create(s.b, s.loc, biasTotal, slopes);
}

/// Rows of the sums that belong to the keys of the row: some of their columns.
Value ScoreGradKernel::keySumRows(const Chunk& columns) {
  Value base = s.at(keySums, {rows.batch, s.index(0), s.index(columns.first)},
                    {rows.keys, s.index(source.depth())});
  Value pitch = s.i64(source.depth());
  auto typeOf = [&](RowKind kind) {
    return RowsType::get(s.b.getContext(), f32, kind, RowAccess::Accumulate);
  };
  if (list)
    return ListedRowsOp::create(s.b, s.loc, typeOf(RowKind::Listed), base,
                                pitch, list, row.end, row.limit);
  return StridedRowsOp::create(s.b, s.loc, typeOf(RowKind::Strided), base,
                               pitch, row.end);
}

void ScoreGradKernel::emitKeyGrads(Value first) {
  PutFragOp::create(s.b, s.loc, turned, warpRow, slopes);
  s.forLoop(
      s.index(0), s.index(schedule.getWarpKeys()), kTileUnit, [&](Value key) {
        named(key, "key");
        LoadLhsTransposedOp::create(s.b, s.loc, turnedLhs, turned, warpRow,
                                    key);
        for (auto [columns, sums] : llvm::zip(chunks, keyGrads)) {
          FillOp::create(s.b, s.loc, sums, s.f32(0.0));
          MmaNnOp::create(s.b, s.loc, sums, turnedLhs, columns.queries,
                          s.index(0));
          AffineOp::create(s.b, s.loc, sums, s.f32(source.scale), s.f32(0.0));
          AccumulateRowsOp::create(
              s.b, s.loc, keySumRows(columns), s.add(first, key), sums,
              s.index(
                  std::min(columns.columns, source.depth() - columns.first)));
        }
      });
}

void ScoreGradKernel::emitCompute(StreamOp stream) {
  inRegion(stream.getCompute(), [&] {
    ValueRange tiles = stream.getTiles(stream.getCompute(), 0);
    Value first = firstKey(stream);
    multiply(products, s.index(0), tiles);
    emitSlopes(first);
    ConvertOp::create(s.b, s.loc, slopesLhs, slopes);
    for (auto [sums, keys] : llvm::zip(queryGrads, tiles))
      MmaNnOp::create(s.b, s.loc, sums, slopesLhs, keys, warpKey);
    emitKeyGrads(first);
  });
}

//===----------------------------------------------------------------------===//
// The end
//===----------------------------------------------------------------------===//

/// The other warps hand their sums to the first one, one after the other.
void ScoreGradKernel::joinQueryGrads() {
  Value ones = rowVector("ones");
  FillRowsOp::create(s.b, s.loc, ones, s.f32(1.0));
  for (auto [columns, sums, others] : llvm::zip(chunks, queryGrads, keyGrads)) {
    Value staged = smem("staged_sums", kTileUnit, columns.columns, f32,
                        SmemLayout::Linear);
    s.forLoop(s.index(1), s.index(schedule.getConsumers()), 1,
              [&, sums = sums, others = others](Value other) {
                named(other, "other_warp");
                s.ifThen(s.cmpi(CmpIPredicate::eq, warp, other), [&] {
                  PutFragOp::create(s.b, s.loc, staged, s.index(0), sums);
                });
                syncCompute();
                s.ifThen(isFirstWarp(), [&] {
                  TakeFragOp::create(s.b, s.loc, others, staged, s.index(0));
                  AddScaledOp::create(s.b, s.loc, sums, others, ones);
                });
                syncCompute();
              });
  }
}

void ScoreGradKernel::storeQueryGrads() {
  for (auto [columns, sums] : llvm::zip(chunks, queryGrads)) {
    AffineOp::create(s.b, s.loc, sums, s.f32(source.scale), s.f32(0.0));
    Value to = s.at(
        queryGrad, {rows.batch, row.token, heads.first, s.index(columns.first)},
        {rows.queries, s.index(heads.all), s.index(source.depth())});
    StoreRowsOp::create(
        s.b, s.loc,
        s.stridedRows(to, s.i64(source.depth()), s.index(heads.count)),
        s.index(0), sums,
        s.index(std::min(columns.columns, source.depth() - columns.first)));
  }
}

/// Sums over the keys of the row, one for each head: the parts of warps in
/// their order.
void ScoreGradKernel::storeSums() {
  Value number = named(rows.number(s, row), "row_number");
  Value warps = s.index(schedule.getConsumers());
  s.forLoop(s.index(0), s.index(heads.count), 1, [&](Value line) {
    Value head = named(s.toI64(s.add(heads.first, line)), "head");
    auto total = [&](Value parts) {
      return SumRowsOp::create(s.b, s.loc, f32, parts, warps, line);
    };
    StoreOp::create(s.b, s.loc, weightSums,
                    s.add(s.mul(number, s.i64(heads.all)), head),
                    total(weightParts));
    StoreOp::create(s.b, s.loc, biasSums,
                    s.add(s.mul(head, s.toI64(allRows)), number),
                    total(biasParts));
  });
}

void ScoreGradKernel::emit() {
  emitIndexer(kChunkColumns);
  allocate();
  auto stream =
      StreamOp::create(s.b, s.loc, countTiles(), tileRing, teams.pipeline);
  emitLoad(stream);
  emitCompute(stream);
  JoinPartialSumsOp::create(s.b, s.loc, weightTotal);
  JoinPartialSumsOp::create(s.b, s.loc, biasTotal);
  PutRowVecOp::create(s.b, s.loc, weightParts, warp, weightTotal);
  PutRowVecOp::create(s.b, s.loc, biasParts, warp, biasTotal);
  if (schedule.getConsumers() > 1) joinQueryGrads();
  s.ifThen(isFirstWarp(), [&] {
    storeQueryGrads();
    storeSums();
  });
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
}

//===----------------------------------------------------------------------===//
// The host side
//===----------------------------------------------------------------------===//

static RankedTensorType resultType(const TrainingOperands& operands,
                                   unsigned number) {
  return cast<RankedTensorType>(operands.op->getResult(number).getType());
}

TrainingGradients::TrainingGradients(const TrainingOperands& operands)
    : operands(operands) {
  ToTileContext& context = operands.context;
  IRRewriter& b = context.rewriter();
  Type f32 = b.getF32Type();
  const IndexerSource& source = operands.source;
  int64_t rows = source.batches() * source.queries();
  queryGrad = context.makeBuffer(resultType(operands, 0));
  keySums = context.makeBuffer(resultType(operands, 1).getShape(), f32);
  weightSums = context.makeBuffer({rows, source.heads()}, f32);
  biasSums = context.makeBuffer({source.heads(), rows}, f32);
  linalg::FillOp::create(b, context.loc(),
                         context.constant(b.getF32FloatAttr(0.0f)), keySums);
}

void TrainingGradients::launch(const QueryChunk& chunk, Value cells) {
  for (int64_t part = 0; part < operands.headParts(); ++part)
    ScoreGradKernel(operands, chunk, part, cells, *this).emit();
}

/// `target[i] = T(make(i))` for all elements.
static void mapTo(
    const TrainingOperands& operands, StringRef name, Value target,
    llvm::function_ref<
        std::function<Value(KernelScalars&, Value)>(KernelBuilder&)>
        prepare) {
  ToTileContext& context = operands.context;
  auto type = cast<MemRefType>(target.getType());
  if (type.getNumElements() == 0) return;
  KernelBuilder kernel(context, operands.loc(), name, tile::kMapWarps);
  Value out = kernel.write(target, "out");
  auto make = prepare(kernel);
  Value count = kernel.number(
      context.rewriter().getI64IntegerAttr(type.getNumElements()), "count");
  emitForEach(kernel, operands.loc(), count, [&](KernelScalars& s, Value i) {
    StoreOp::create(s.b, s.loc, out, i,
                    s.cast(make(s, i), type.getElementType()));
  });
  kernel.launch(ArrayRef<int64_t>{
      tile::getMapBlocks(context.target(), type.getNumElements())});
}

static Value loadF32(KernelScalars& s, Value array, Value position) {
  Type type = cast<GlobalType>(array.getType()).getElementType();
  return s.cast(LoadOp::create(s.b, s.loc, type, array, position),
                s.b.getF32Type());
}

Value TrainingGradients::roundKeys() {
  RankedTensorType type = resultType(operands, 1);
  if (type.getElementType().isF32()) return keySums;
  Value result = operands.context.makeBuffer(type);
  mapTo(operands, "index_key_grad", result, [&](KernelBuilder& kernel) {
    Value sums = kernel.read(keySums, "key_sums");
    return [=](KernelScalars& s, Value i) { return loadF32(s, sums, i); };
  });
  return result;
}

Value TrainingGradients::roundWeights() {
  Value result = operands.context.makeBuffer(resultType(operands, 2));
  mapTo(operands, "index_weights_grad", result, [&](KernelBuilder& kernel) {
    Value sums = kernel.read(weightSums, "weight_sums");
    Value weights = operands.source.weights
                        ? kernel.read(operands.source.weights, "weights")
                        : Value();
    WeightActivation activation = operands.source.weightActivation;
    return [=](KernelScalars& s, Value i) {
      Value sum = loadF32(s, sums, i);
      if (!weights) return sum;
      Value slope = detail::weightSlope(s, activation, loadF32(s, weights, i));
      return s.mul(sum, slope);
    };
  });
  return result;
}

/// A block for each head, in f64 and a fixed order.
Value TrainingGradients::sumBias() {
  ToTileContext& context = operands.context;
  const IndexerSource& source = operands.source;
  RankedTensorType type = resultType(operands, 3);
  Value result = context.makeBuffer(type);
  TopKScheduleAttr schedule = operands.rowSchedule().withWarps(32);
  KernelBuilder kernel(context, operands.loc(), "index_bias_grad",
                       schedule.getWarps());
  KernelScalars s(kernel.body(), operands.loc());
  Value sums = kernel.read(biasSums, "bias_sums");
  Value out = kernel.write(result, "out");
  Value count = kernel.size(source.batches() * source.queries(), "all_rows");
  Value head = named(s.blockId(0), "head");
  RowEmitter e(kernel, operands.loc(), schedule,
               s.at(sums, {head, s.index(0)}, {count}), count);
  Value sum = e.sum(e.scan(), count);
  e.byFirstWarp([&] {
    StoreOp::create(s.b, s.loc, out, head, s.cast(sum, type.getElementType()));
  });
  kernel.launch(ArrayRef<int64_t>{source.heads()});
  return result;
}

void TrainingGradients::finish() {
  Value key = roundKeys(), weights = roundWeights(), bias = sumBias();
  operands.context.replace(operands.op, {queryGrad, key, weights, bias});
}
