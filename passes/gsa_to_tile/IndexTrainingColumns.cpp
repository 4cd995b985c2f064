//===- IndexTrainingColumns.cpp - numbers for the keys of a row -----------===//
//
// A block has a query. The rows of its products are heads, their columns keys
// of the row, and all heads of a key come to one lane, which has its number
// then: the logarithm of the weight that attention gives to the key, added up
// over groups of heads, each of which has a tile of keys of its own; or the
// score of the indexer.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/AttentionEmitter.h"
#include "passes/gsa_to_tile/Elementwise.h"
#include "passes/gsa_to_tile/IndexTraining.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Columns of queries that a warp holds in registers at a time: 32 of them.
static int64_t chunkColumns(Type element) { return element.isF32() ? 64 : 128; }

namespace {

/// Kernels whose rows are heads of attention.
class AttentionColumns : protected TrainingKernel {
 protected:
  AttentionColumns(const TrainingOperands& operands, const QueryChunk& chunk,
                   StringRef name)
      : TrainingKernel(operands, chunk, name),
        target(IndexTarget::of(operands.op)),
        storage(getRowStorage(target.key, operands.context)),
        keyRows(kernel, storage, "key"),
        query(kernel.read(operands.context.toBuffer(target.query), "query")),
        heads(sizeOf(target.query, 2)),
        depth(sizeOf(target.query, 3)) {}

  static int64_t sizeOf(Value tensor, int64_t dim) {
    return cast<RankedTensorType>(tensor.getType()).getDimSize(dim);
  }
  int64_t ratio() const { return heads / storage.groups; }
  /// Products of 16 rows that a group has, and the heads of one of them.
  int64_t parts() const { return llvm::divideCeil(ratio(), kTileUnit); }
  int64_t headsOf(int64_t part) const {
    return std::min(ratio() - part * kTileUnit, kTileUnit);
  }
  /// The last rows of products may be none of a group.
  int64_t tileRows() const {
    return static_cast<int64_t>(
        llvm::alignTo((storage.groups - 1) * ratio() + parts() * kTileUnit, 8));
  }
  int64_t keyVectorBytes() const {
    return getVectorBytes(cast<GlobalType>(query.getType()).getElementType(),
                          storage.vectorUnit());
  }
  Value firstHead(Value group, int64_t part) {
    return s.add(s.mul(group, ratio()), s.index(part * kTileUnit));
  }
  /// Heads of a part, one of an array [B, H, Sq] for each.
  Value headRows(Value array, Value group, int64_t part) {
    Value from = s.at(array, {rows.batch, firstHead(group, part), row.token},
                      {s.index(heads), rows.queries});
    return s.stridedRows(from, s.toI64(rows.queries), s.index(headsOf(part)));
  }

  IndexTarget target;
  RowStorage storage;
  KernelRows keyRows;
  Value query;
  int64_t heads, depth;
};

//===----------------------------------------------------------------------===//
// Weights of keys
//===----------------------------------------------------------------------===//

class ShareKernel : AttentionColumns {
 public:
  ShareKernel(const TrainingOperands& operands, const QueryChunk& chunk,
              Value lse, Value shares)
      : AttentionColumns(operands, chunk, "index_kl_shares"),
        lseArray(kernel.read(lse, "lse")),
        shareArray(kernel.write(shares, "shares")),
        chunk(chunk) {}

  void emit();

 private:
  void emitBases();
  void emitLoad(StreamOp stream);
  void emitCompute(StreamOp stream);

  Value lseArray, shareArray;
  const QueryChunk& chunk;
  Value bases, products, sums;
};

}  // namespace

/// A line of lse for each part of a group.
void ShareKernel::emitBases() {
  bases = smem("lse_of_heads", storage.groups * parts(), kTileUnit, f32,
               SmemLayout::Linear);
  emitConstants([&] {
    Value lse = rowVector("lse_rows");
    s.forLoop(s.index(0), s.index(storage.groups), 1, [&](Value group) {
      named(group, "group");
      for (int64_t part = 0; part < parts(); ++part) {
        LoadRowVecOp::create(s.b, s.loc, lse, headRows(lseArray, group, part),
                             s.index(0));
        PutRowVecOp::create(s.b, s.loc, bases,
                            s.add(s.mul(group, parts()), s.index(part)), lse);
      }
    });
  });
}

void ShareKernel::emitLoad(StreamOp stream) {
  inRegion(stream.getLoad(), [&] {
    Value step = named(stream.getLoad().getArgument(0), "step");
    Value group = named(s.rem(step, storage.groups), "group");
    Value first = named(
        s.mul(s.div(step, storage.groups), schedule.getBlockK()), "first_key");
    copyKeys(stream, keyRows, group, first, depth, keyVectorBytes());
  });
}

/// Sums begin with the first group and are complete with the last one.
void ShareKernel::emitCompute(StreamOp stream) {
  inRegion(stream.getCompute(), [&] {
    ValueRange tiles = stream.getTiles(stream.getCompute(), 0);
    Value step = named(stream.getCompute().getArgument(0), "step");
    Value group = named(s.rem(step, storage.groups), "group");
    auto isGroup = [&](int64_t number) {
      return s.cmpi(CmpIPredicate::eq, group, s.index(number));
    };
    s.ifThen(isGroup(0), [&] {
      for (int64_t i = 0; i < schedule.getWarpKeys() / 32; ++i)
        SetLanesOp::create(s.b, s.loc, sums, i, s.f32(-kInfinity));
    });
    for (int64_t part = 0; part < parts(); ++part) {
      multiply(products, firstHead(group, part), tiles);
      LogSumColumnsOp::create(s.b, s.loc, sums, products, bases,
                              s.add(s.mul(group, parts()), s.index(part)),
                              s.f32(target.scale()), headsOf(part));
    }
    s.ifThen(isGroup(storage.groups - 1), [&] {
      Value first = s.add(
          s.mul(s.div(step, storage.groups), schedule.getBlockK()), warpKey);
      StoreScoresOp::create(s.b, s.loc, rows.cellsOf(s, shareArray, row), sums,
                            named(first, "first_key_of_warp"), row.end);
    });
  });
}

void ShareKernel::emit() {
  emitRow();
  emitTiles(query, tileRows(), {heads, s.index(0), heads}, depth,
            chunkColumns(cast<GlobalType>(query.getType()).getElementType()),
            keyVectorBytes());
  emitStart();
  emitBases();
  products = fragment("products", schedule.getWarpKeys(), f32, FragLayout::Acc);
  auto lanes =
      LanesType::get(s.b.getContext(), {schedule.getWarpKeys() / 32}, f32);
  sums = named(LanesAllocOp::create(s.b, s.loc, lanes), "log_sums");
  Value steps = named(
      s.mul(s.ceilDiv(row.end, schedule.getBlockK()), storage.groups), "steps");
  auto stream = StreamOp::create(s.b, s.loc, steps, tileRing, teams.pipeline);
  emitLoad(stream);
  emitCompute(stream);
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
}

void gsa::launchShares(const TrainingOperands& operands,
                       const QueryChunk& chunk, Value lse, Value shares) {
  ShareKernel(operands, chunk, lse, shares).emit();
}

//===----------------------------------------------------------------------===//
// The lse of a list
//===----------------------------------------------------------------------===//

namespace {

/// Block (query, group): online softmax of its heads without an output.
class OwnLseKernel : AttentionColumns {
 public:
  OwnLseKernel(const TrainingOperands& operands, const QueryChunk& chunk,
               Value result)
      : AttentionColumns(operands, chunk, "index_kl_lse"),
        array(kernel.write(result, "own_lse")),
        chunk(chunk),
        scale(getSoftmaxScale(target.scale())) {}

  void emit();

 private:
  void emitPart(int64_t part);
  void emitTile(StreamOp stream, int64_t part);
  void merge();

  Value array;
  const QueryChunk& chunk;
  SoftmaxScale scale;
  Value group, products, maximum, sum, none, states, noOutput;
};

}  // namespace

void OwnLseKernel::emitTile(StreamOp stream, int64_t part) {
  inRegion(stream.getLoad(), [&] {
    Value tile = named(stream.getLoad().getArgument(0), "tile_number");
    copyKeys(stream, keyRows, group,
             named(s.mul(tile, schedule.getBlockK()), "first_key"), depth,
             keyVectorBytes());
  });
  inRegion(stream.getCompute(), [&] {
    Value tile = named(stream.getCompute().getArgument(0), "tile_number");
    multiply(products, firstHead(group, part),
             stream.getTiles(stream.getCompute(), 0));
    if (scale.factor != 1.0)
      AffineOp::create(s.b, s.loc, products, s.f32(scale.factor), s.f32(0.0));
    Value base = keyRows.base(s, rows.batch, group, 0, rows.keys);
    Value first = s.add(s.mul(tile, schedule.getBlockK()), warpKey);
    MaskRowsOp::create(s.b, s.loc, products, maskView(keyRows, base),
                       named(first, "first_key_of_warp"));
    SoftmaxUpdateOp::create(s.b, s.loc, products, none, maximum, sum,
                            s.f32(scale.scale), /*bounded=*/false);
  });
}

/// The other warps hand their states to the first one, one after the other.
void OwnLseKernel::merge() {
  Value otherMaximum = rowVector("other_maximum");
  Value otherSum = rowVector("other_sum");
  for (int64_t other = 1; other < schedule.getConsumers(); ++other) {
    s.ifThen(s.cmpi(CmpIPredicate::eq, warp, s.index(other)), [&] {
      PutRowVecOp::create(s.b, s.loc, states, s.index(0), maximum);
      PutRowVecOp::create(s.b, s.loc, states, s.index(1), sum);
    });
    syncCompute();
    s.ifThen(isFirstWarp(), [&] {
      TakeRowVecOp::create(s.b, s.loc, otherMaximum, states, s.index(0));
      TakeRowVecOp::create(s.b, s.loc, otherSum, states, s.index(1));
      SoftmaxMergeOp::create(s.b, s.loc, none, maximum, sum, noOutput,
                             otherMaximum, otherSum, s.f32(scale.scale),
                             /*bounded=*/false);
    });
    syncCompute();
  }
}

void OwnLseKernel::emitPart(int64_t part) {
  FillOp::create(s.b, s.loc, none, s.f32(0.0));
  FillOp::create(s.b, s.loc, noOutput, s.f32(0.0));
  FillRowsOp::create(s.b, s.loc, maximum, s.f32(-kInfinity));
  FillRowsOp::create(s.b, s.loc, sum, s.f32(0.0));
  Value tiles = named(s.ceilDiv(row.end, schedule.getBlockK()), "tiles");
  emitTile(StreamOp::create(s.b, s.loc, tiles, tileRing, teams.pipeline), part);
  merge();
  s.ifThen(isFirstWarp(), [&] {
    Value lse = rowVector("lse_rows");
    SoftmaxFinishOp::create(s.b, s.loc, none, lse, maximum, sum,
                            s.f32(scale.scale), /*bounded=*/false);
    StoreRowVecOp::create(s.b, s.loc, headRows(array, group, part), s.index(0),
                          lse);
  });
}

void OwnLseKernel::emit() {
  group = named(s.blockId(1), "group");
  emitRow();
  emitTiles(query, tileRows(), {heads, s.index(0), heads}, depth,
            chunkColumns(cast<GlobalType>(query.getType()).getElementType()),
            keyVectorBytes());
  states = smem("states", 2, kTileUnit, f32, SmemLayout::Linear);
  emitStart();
  products = fragment("products", schedule.getWarpKeys(), f32, FragLayout::Acc);
  none = fragment("no_output", 8, f32, FragLayout::Acc);
  noOutput = fragment("no_other_output", 8, f32, FragLayout::Acc);
  maximum = rowVector("maximum");
  sum = rowVector("sum");
  for (int64_t part = 0; part < parts(); ++part) emitPart(part);
  kernel.launch(
      ArrayRef<OpFoldResult>{chunk.count, s.b.getIndexAttr(storage.groups)});
}

/// Heads that their own lse leaves out stay out: c is 0 for all of their keys,
/// and NaN where that is.
static void keepHeads(const TrainingOperands& operands, Value own, Value lse) {
  auto type = cast<MemRefType>(own.getType());
  KernelBuilder kernel(operands.context, operands.loc(), "index_kl_heads",
                       tile::kMapWarps);
  Value target = kernel.write(own, "own_lse");
  Value given = kernel.read(lse, "lse");
  Value count = kernel.number(
      operands.context.rewriter().getI64IntegerAttr(type.getNumElements()),
      "count");
  emitForEach(kernel, operands.loc(), count, [&](KernelScalars& s, Value i) {
    Type f32 = s.b.getF32Type();
    Value theirs = LoadOp::create(s.b, s.loc, f32, given, i);
    Value mine = LoadOp::create(s.b, s.loc, f32, target, i);
    // 0 where lse is finite, NaN elsewhere.
    Value none = s.sub(theirs, theirs);
    Value isFinite = s.cmpf(arith::CmpFPredicate::ORD, none, none);
    Value isNan = s.cmpf(arith::CmpFPredicate::UNO, theirs, theirs);
    Value other = s.select(isNan, theirs, s.f32(-kInfinity));
    StoreOp::create(s.b, s.loc, target, i, s.select(isFinite, mine, other));
  });
  kernel.launch(ArrayRef<int64_t>{
      tile::getMapBlocks(operands.context.target(), type.getNumElements())});
}

Value gsa::launchOwnLse(const TrainingOperands& operands) {
  ToTileContext& context = operands.context;
  Value lse = IndexTarget::of(operands.op).lse;
  Value own = context.makeBuffer(cast<RankedTensorType>(lse.getType()));
  int64_t queries = operands.source.queries();
  context.forQueryChunks(operands.source.batches(), queries,
                         std::max<int64_t>(queries, 1),
                         [&](const QueryChunk& chunk) {
                           OwnLseKernel(operands, chunk, own).emit();
                         });
  keepHeads(operands, own, context.toBuffer(lse));
  return own;
}

/// The largest finite lse of a row's heads, 0 if there is none; lse of them are
/// `apart` from each other.
static Value largestFinite(KernelScalars& s, Value lse, Value first,
                           Value apart, Value heads) {
  Type f32 = s.b.getF32Type();
  Value lowest = s.f32(-kInfinity);
  Value most = s.forLoop(
      s.index(0), heads, ValueRange(lowest),
      [&](Value head, ValueRange best) -> SmallVector<Value> {
        Value position = s.add(first, s.mul(s.toI64(head), apart));
        Value x = LoadOp::create(s.b, s.loc, f32, lse, position);
        Value isLess = s.cmpf(arith::CmpFPredicate::OLT, x, s.f32(kInfinity));
        Value isMore = s.cmpf(arith::CmpFPredicate::OGT, x, best[0]);
        Value takes = arith::AndIOp::create(s.b, s.loc, isLess, isMore);
        return {s.select(takes, x, best[0])};
      })[0];
  Value none = s.cmpf(arith::CmpFPredicate::OEQ, most, lowest);
  return s.select(none, s.f32(0.0), most);
}

/// p does not see a number that is added to all lse of a row, but logarithms
/// near the largest one have bits to spare that those far from 0 have not.
Value gsa::launchNearLse(const TrainingOperands& operands) {
  ToTileContext& context = operands.context;
  Value lse = IndexTarget::of(operands.op).lse;
  auto type = cast<RankedTensorType>(lse.getType());
  Value near = context.makeBuffer(type);
  KernelBuilder kernel(context, operands.loc(), "index_kl_bases",
                       tile::kMapWarps);
  Value target = kernel.write(near, "near_lse");
  Value given = kernel.read(context.toBuffer(lse), "lse");
  auto number = [&](int64_t value, StringRef name) {
    return kernel.number(context.rewriter().getI64IntegerAttr(value), name);
  };
  int64_t rows = type.getDimSize(0) * type.getDimSize(2);
  Value count = number(rows, "rows");
  Value heads = kernel.size(type.getDimSize(1), "heads");
  Value queries = number(type.getDimSize(2), "queries");
  emitForEach(kernel, operands.loc(), count, [&](KernelScalars& s, Value i) {
    Value batch = arith::DivUIOp::create(s.b, s.loc, i, queries);
    Value token = arith::RemUIOp::create(s.b, s.loc, i, queries);
    Value first = s.add(s.mul(batch, s.mul(s.toI64(heads), queries)), token);
    Value most =
        named(largestFinite(s, given, first, queries, heads), "largest");
    s.forLoop(s.index(0), heads, 1, [&](Value head) {
      Value position = s.add(first, s.mul(s.toI64(head), queries));
      Value x = LoadOp::create(s.b, s.loc, s.b.getF32Type(), given, position);
      StoreOp::create(s.b, s.loc, target, position, s.sub(x, most));
    });
  });
  kernel.launch(ArrayRef<int64_t>{tile::getMapBlocks(context.target(), rows)});
  return near;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

namespace {

class ScoreCellKernel : IndexerKernel {
 public:
  ScoreCellKernel(const TrainingOperands& operands, const QueryChunk& chunk,
                  int64_t part, Value scores)
      : IndexerKernel(operands, chunk, part, "index_kl_scores"),
        scoreArray(kernel.write(scores, "scores")),
        chunk(chunk) {}

  void emit();

 private:
  void emitHeads();
  void emitCompute(StreamOp stream);

  Value scoreArray;
  const QueryChunk& chunk;
  Value constants, products, scores;
};

}  // namespace

/// What activated heads are multiplied by, and what is added to their products.
void ScoreCellKernel::emitHeads() {
  constants = smem("constants", 2, kTileUnit, f32, SmemLayout::Linear);
  emitConstants([&] {
    Value line = rowVector("of_heads");
    loadWeights(line);
    PutRowVecOp::create(s.b, s.loc, constants, s.index(0), line);
    loadOffsets(line);
    PutRowVecOp::create(s.b, s.loc, constants, s.index(1), line);
  });
}

void ScoreCellKernel::emitCompute(StreamOp stream) {
  inRegion(stream.getCompute(), [&] {
    Value first = firstKey(stream);
    multiply(products, s.index(0), stream.getTiles(stream.getCompute(), 0));
    ScoreColumnsOp::create(s.b, s.loc, scores, products, constants, s.index(0),
                           s.f32(source.scale), heads.count,
                           toActivation(source.scoreActivation));
    StoreScoresOp::create(s.b, s.loc, rows.cellsOf(s, scoreArray, row), scores,
                          first, row.end);
  });
}

void ScoreCellKernel::emit() {
  emitIndexer(chunkColumns(source.queryType().getElementType()));
  emitHeads();
  products = fragment("products", schedule.getWarpKeys(), f32, FragLayout::Acc);
  auto lanes =
      LanesType::get(s.b.getContext(), {schedule.getWarpKeys() / 32}, f32);
  scores = named(LanesAllocOp::create(s.b, s.loc, lanes), "scores_of_lanes");
  auto stream =
      StreamOp::create(s.b, s.loc, countTiles(), tileRing, teams.pipeline);
  emitLoad(stream);
  emitCompute(stream);
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
}

void gsa::launchScores(const TrainingOperands& operands,
                       const QueryChunk& chunk, int64_t part, Value scores) {
  ScoreCellKernel(operands, chunk, part, scores).emit();
}
