//===- UnionGradient.cpp - gather_attention_grad over shared keys ---------===//
//
// As UnionAttention.cpp: a block handles a tile of neighbouring queries, all
// heads of a group, over the union of their lists, and strings of bits say
// which row sees which key. For each tile of 64 keys:
//
//   scores, weight grads = queries, output grads x keys, values
//   weights, score grads   in registers; rounded to a tile each, and the latter
//                          as left operand of what is added to query grads
//   grads of 64 keys     = score grads, transposed, x queries
//   grads of 64 values   = weights, transposed, x output grads
//
// The last two go through shared memory to sums in f32, a row at a time by the
// bulk engine. With two warpgroups one makes those of values, the other one
// those of keys, each over all rows of the block.
//
// A key of one query meets all rows, with a weight of 0 where it is none of
// theirs: right as long as rows are finite. Tiles whose rows are not, or whose
// lists cannot be united, are entered in a list and done again by query; so are
// the gradients of queries that are not finite in the end, since a key may have
// been infinite. Entry 2 * (tile * groups + group) + 1 is of the latter kind,
// of which keys and values already have what is theirs.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "dialect/GsaTile/PipelineAttrs.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Remarks.h"
#include "passes/gsa_to_tile/AttentionGradient.h"
#include "passes/gsa_to_tile/UnionLists.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

static KernelTeams teamsOf(UnionGradScheduleAttr schedule) {
  return KernelTeams(schedule, schedule.getGroups());
}

namespace {

class UnionGradient : public AttentionStorage {
 public:
  UnionGradient(GradientKernel& kernel, UnionGradScheduleAttr schedule,
                const UnionLists& lists, Location loc)
      : AttentionStorage(kernel.bodyBuilder(), loc, kernel.shape),
        kernel(kernel),
        schedule(schedule),
        lists(lists),
        teams(teamsOf(schedule)),
        blockRows(kGroupRows * schedule.getGroups()) {}

  // Arguments beside those of the op.
  Value unionKeys, unionBits, unionCounts, batch, begin;
  Value capacity;  ///< Keys that a union has room for; lengths share a text.

  void emit(const AgainArguments& again);

 private:
  static constexpr int64_t kGroupRows = 64, kGroupWarps = 4;
  static constexpr int64_t blockK = UnionGradScheduleAttr::kBlockK;

  /// What is added to the sums of keys, or of values.
  struct Sums {
    Value left;   ///< Tile [rows of the block, keys], transposed.
    Value right;  ///< Tile of the rows of the block.
    int64_t depth;
    bool isOfKeys;
    Value sum, staging;
  };

  Type f32() { return s.b.getF32Type(); }
  static int64_t pad(int64_t columns) {
    return llvm::alignTo(columns, kPanelColumns);
  }
  SmemType tileOf(int64_t rows, int64_t columns) {
    return SmemType::get(s.b.getContext(), {rows, pad(columns)}, shape.element,
                         SmemLayout::Swizzle128B);
  }
  Value firstOf(Value number) {
    return named(s.mul(number, blockK), "first_key");
  }
  void emitPosition();
  void emitRows();
  void emitRings();
  void emitRegisters();
  void emitLoad(StreamOp stream);
  void emitCompute(StreamOp stream);
  void emitWeights(Value keys, Value values, Value strings);
  void emitSums(Value first);
  void emitProduct(const Sums& each);
  void emitReduce(const Sums& each, Value first);
  /// Waits until tiles that were given to the bulk engine have been read, and
  /// for all warps that compute.
  void waitForReduce() {
    ReduceWaitOp::create(s.b, s.loc, teams.compute, teams.computeBarrier());
  }
  void syncCompute() {
    SyncOp::create(s.b, s.loc, teams.compute, teams.computeBarrier());
    FenceAsyncOp::create(s.b, s.loc);
  }
  Sums makeSums(bool isOfKeys);
  void emitEnd(const AgainArguments& again);
  void enter(const AgainArguments& again, int64_t kind);

  GradientKernel& kernel;
  UnionGradScheduleAttr schedule;
  const UnionLists& lists;
  const KernelTeams teams;
  const int64_t blockRows;
  AttentionRows rows;
  Value tile, group, irregular, size, tiles, tileKeys, tileBits;
  Value queries, outputGrads, keyRing, valueRing, stringRing;
  Value weightTile, gradTile;
  Value rank, warpRow, groupRow, scale;
  Value scores, grads, gradsLhs, queryGrad, lse, rowSums;
  SmallVector<Sums, 2> sums;
};

}  // namespace

void UnionGradient::emitPosition() {
  tile = named(s.blockId(0), "tile");
  group = named(s.blockId(1), "group");
  rows.batch = batch;
  rows.query =
      named(s.add(begin, s.mul(tile, schedule.getQueries())), "first_query");
  rows.head = named(s.mul(group, shape.ratio()), "first_head");
  Value queriesOfTile =
      s.min(s.sub(kernel.queries, rows.query), s.index(schedule.getQueries()));
  rows.count = named(s.mul(queriesOfTile, shape.ratio()), "rows");
  rows.perQuery = shape.ratio();
  tileKeys =
      named(s.at(unionKeys, {tile, s.index(0)}, {capacity}), "tile_keys");
  tileBits = named(s.at(unionBits, {tile, s.index(0)},
                        {s.mul(s.div(capacity, blockK), lists.words)}),
                   "tile_bits");
}

/// The rows of the block, and how many keys they meet: none if they are not
/// finite.
void UnionGradient::emitRows() {
  Value united =
      named(LoadOp::create(s.b, s.loc, s.b.getI32Type(), unionCounts, tile),
            "united");
  CopyWaitOp::create(s.b, s.loc, teams.block);
  auto anyNotFinite = [&](Value tile) {
    return AnyNotFiniteOp::create(s.b, s.loc, s.b.getI1Type(), tile);
  };
  irregular = arith::OrIOp::create(s.b, s.loc, anyNotFinite(queries),
                                   anyNotFinite(outputGrads));
  irregular =
      named(arith::OrIOp::create(s.b, s.loc, irregular,
                                 s.cmpi(CmpIPredicate::slt, united, s.i32(0))),
            "irregular");
  size =
      named(s.select(irregular, s.index(0), s.toIndex(united)), "union_size");
  tiles = named(s.ceilDiv(size, blockK), "tiles");
}

void UnionGradient::emitRings() {
  queries = smem("queries", tileOf(blockRows, shape.depth));
  outputGrads = smem("output_grads", tileOf(blockRows, shape.valueDepth));
  CopyRowsOp::create(s.b, s.loc, queries, kernel.viewQueries(s, rows),
                     s.index(0), s.index(shape.depth), 16, teams.block);
  CopyRowsOp::create(s.b, s.loc, outputGrads, kernel.viewOutputGrads(s, rows),
                     s.index(0), s.index(shape.valueDepth), 16, teams.block);
  keyRing = ring("key_ring", schedule.getKeyStages(), CopyEngine::CpAsync,
                 tileOf(blockK, shape.depth));
  valueRing = ring("value_ring", schedule.getValueStages(), CopyEngine::CpAsync,
                   tileOf(blockK, shape.valueDepth));
  Type strings = SmemType::get(s.b.getContext(), {1, lists.words},
                               s.b.getI32Type(), SmemLayout::Linear);
  stringRing =
      ring("string_ring", schedule.getKeyStages(), CopyEngine::Bulk, strings);
  weightTile = smem("weights_of_keys", tileOf(blockRows, blockK));
  gradTile = smem("grads_of_keys", tileOf(blockRows, blockK));
}

/// One group makes both sums, one after the other, in the same place if they
/// have one shape; of two each makes one.
UnionGradient::Sums UnionGradient::makeSums(bool isOfKeys) {
  Sums made;
  made.left = isOfKeys ? gradTile : weightTile;
  made.right = isOfKeys ? queries : outputGrads;
  made.depth = isOfKeys ? shape.depth : shape.valueDepth;
  made.isOfKeys = isOfKeys;
  bool sharesShape = pad(shape.depth) == pad(shape.valueDepth);
  if (isOfKeys && sharesShape) made.sum = sums.front().sum;
  if (isOfKeys && sharesShape && schedule.getGroups() == 1) {
    made.staging = sums.front().staging;
    return made;
  }
  if (!made.sum)
    made.sum = fragment(isOfKeys ? "key_sum" : "value_sum", pad(made.depth),
                        f32(), FragLayout::Acc);
  // Rows are apart by 16 bytes more than they have, so that those that lanes of
  // a warp write lie in different banks.
  constexpr int64_t kApart = 4;
  made.staging =
      smem(isOfKeys ? "staged_keys" : "staged_values",
           {blockK, pad(made.depth) + kApart}, f32(), SmemLayout::Linear);
  return made;
}

void UnionGradient::emitRegisters() {
  rank =
      named(WarpRankOp::create(s.b, s.loc, s.b.getIndexType(), teams.compute),
            "warp");
  warpRow = named(s.mul(rank, kTileUnit), "warp_row");
  groupRow =
      schedule.getGroups() == 1
          ? s.index(0)
          : named(s.mul(s.div(rank, kGroupWarps), kGroupRows), "group_row");
  scale = s.f32(getSoftmaxScale(shape.scale).scale);
  scores = fragment("scores", blockK, f32(), FragLayout::Acc);
  grads = fragment("score_grads", blockK, f32(), FragLayout::Acc);
  gradsLhs =
      fragment("score_grads_lhs", blockK, shape.element, FragLayout::Lhs);
  queryGrad = fragment("query_grad", pad(shape.depth), f32(), FragLayout::Acc);
  for (bool isOfKeys : {false, true}) sums.push_back(makeSums(isOfKeys));
  lse = rowVector("lse_rows");
  rowSums = rowVector("row_sums_of_rows");
  LoadRowVecOp::create(s.b, s.loc, lse, kernel.viewLse(s, rows), warpRow);
  LoadRowVecOp::create(s.b, s.loc, rowSums, kernel.viewRowSums(s, rows),
                       warpRow);
  FillOp::create(s.b, s.loc, queryGrad, s.f32(0.0));
}

void UnionGradient::emitLoad(StreamOp stream) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getLoad().front().getTerminator());
  Value number = named(stream.getLoad().getArgument(0), "tile_number");
  Value first = firstOf(number);
  auto copy = [&](unsigned ring, const KernelRows& from, int64_t depth) {
    Value base = from.base(s, batch, group, 0, kernel.keys);
    CopyRowsOp::create(s.b, s.loc, stream.getTiles(stream.getLoad(), ring)[0],
                       from.listed(s, base, batch, tileKeys, size, kernel.keys),
                       first, s.index(depth), 16, teams.load);
  };
  copy(0, kernel.keyRows, shape.depth);
  copy(1, kernel.valueRows, shape.valueDepth);
  Value strings =
      s.stridedRows(tileBits, s.i64(lists.words), s.div(capacity, blockK));
  BulkRowsOp::create(s.b, s.loc, stream.getTiles(stream.getLoad(), 2)[0],
                     strings, number, s.index(lists.words), Value(), Value(),
                     teams.load);
}

/// Weights and gradients of scores, in registers.
void UnionGradient::emitWeights(Value keys, Value values, Value strings) {
  // All waits come before the products: ptxas lets no product run on across
  // one (C7520).
  for (Value tile : {keys, values, strings}) AwaitOp::create(s.b, s.loc, tile);
  FenceAsyncOp::create(s.b, s.loc);
  WgmmaFenceOp::create(s.b, s.loc, ValueRange{scores, grads});
  WgmmaNtOp::create(s.b, s.loc, scores, queries, groupRow, keys, s.index(0),
                    /*accumulate=*/false);
  WgmmaNtOp::create(s.b, s.loc, grads, outputGrads, groupRow, values,
                    s.index(0), /*accumulate=*/false);
  WgmmaCommitOp::create(s.b, s.loc);
  WgmmaWaitOp::create(s.b, s.loc, 0, ValueRange{scores, grads});
  ReleaseOp::create(s.b, s.loc, values);
  double sign = getSoftmaxScale(shape.scale).factor;
  if (sign != 1.0)
    AffineOp::create(s.b, s.loc, scores, s.f32(sign), s.f32(0.0));
  MaskBitsOp::create(s.b, s.loc, scores, strings, s.index(0), warpRow,
                     shape.ratio());
  ReleaseOp::create(s.b, s.loc, strings);
  SoftmaxGradOp::create(s.b, s.loc, scores, grads, lse, rowSums, scale,
                        s.index(kTileUnit));
  ConvertOp::create(s.b, s.loc, gradsLhs, grads);
}

/// A sum of 64 keys, by one warpgroup, to the tile from which it is added.
void UnionGradient::emitProduct(const Sums& each) {
  WgmmaFenceOp::create(s.b, s.loc, ValueRange{each.sum});
  WgmmaNnOp::create(s.b, s.loc, each.sum, each.left, s.index(0), each.right,
                    s.index(0), /*accumulate=*/false, /*transposed_lhs=*/true);
  WgmmaCommitOp::create(s.b, s.loc);
  WgmmaWaitOp::create(s.b, s.loc, 0, ValueRange{each.sum});
  Value row = schedule.getGroups() == 1
                  ? warpRow
                  : named(s.sub(warpRow, groupRow), "row_of_keys");
  PutFragOp::create(s.b, s.loc, each.staging, row, each.sum);
}

void UnionGradient::emitReduce(const Sums& each, Value first) {
  Value view =
      each.isOfKeys
          ? kernel.viewKeySums(s, batch, group, 0, tileKeys, size, kernel.keys)
          : kernel.viewValueSums(s, batch, group, 0, tileKeys, size,
                                 kernel.keys);
  ReduceRowsOp::create(s.b, s.loc, view, first, each.staging,
                       s.index(each.depth), teams.compute);
}

void UnionGradient::emitSums(Value first) {
  if (schedule.getGroups() == 1) {
    for (const Sums& each : sums) {
      if (each.isOfKeys && each.staging == sums.front().staging) {
        waitForReduce();
        FenceAsyncOp::create(s.b, s.loc);
      }
      emitProduct(each);
      syncCompute();
      emitReduce(each, first);
    }
    return;
  }
  Value isFirst = s.cmpi(CmpIPredicate::slt, rank, s.index(kGroupWarps));
  auto branches =
      scf::IfOp::create(s.b, s.loc, isFirst, /*withElseRegion=*/true);
  for (auto [block, each] : llvm::zip(
           SmallVector<Block*>{branches.thenBlock(), branches.elseBlock()},
           sums)) {
    OpBuilder::InsertionGuard guard(s.b);
    s.b.setInsertionPoint(block->getTerminator());
    emitProduct(each);
  }
  syncCompute();
  for (const Sums& each : sums) emitReduce(each, first);
}

void UnionGradient::emitCompute(StreamOp stream) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getCompute().front().getTerminator());
  auto tileOfRing = [&](unsigned ring, StringRef name) {
    return named(stream.getTiles(stream.getCompute(), ring)[0], name);
  };
  Value number = named(stream.getCompute().getArgument(0), "tile_number");
  Value keys = tileOfRing(0, "keys"), values = tileOfRing(1, "values"),
        strings = tileOfRing(2, "strings");
  Value first = firstOf(number);
  emitWeights(keys, values, strings);
  // All warps have read the tiles of the keys before, and so has the engine.
  waitForReduce();
  PutFragOp::create(s.b, s.loc, weightTile, warpRow, scores);
  PutFragOp::create(s.b, s.loc, gradTile, warpRow, grads);
  syncCompute();
  WgmmaFenceOp::create(s.b, s.loc, ValueRange{gradsLhs, queryGrad});
  WgmmaNnOp::create(s.b, s.loc, queryGrad, gradsLhs, Value(), keys, s.index(0));
  WgmmaCommitOp::create(s.b, s.loc);
  WgmmaWaitOp::create(s.b, s.loc, 0, ValueRange{gradsLhs, queryGrad});
  ReleaseOp::create(s.b, s.loc, keys);
  emitSums(first);
}

/// Enters the block in the list of what is done again.
void UnionGradient::enter(const AgainArguments& again, int64_t kind) {
  Value place = s.add(s.mul(tile, shape.groups), group);
  AppendOp::create(s.b, s.loc, again.list, again.count,
                   s.add(s.mul(place, 2), s.index(kind)));
}

void UnionGradient::emitEnd(const AgainArguments& again) {
  // The engine reads no shared memory of a block that is gone.
  waitForReduce();
  Value limit = s.f32(std::numeric_limits<float>::max());
  Value spoilt = AnyOutOfRangeOp::create(s.b, s.loc, s.b.getI1Type(), queryGrad,
                                         lse, limit);
  Value isRegular =
      s.cmpi(CmpIPredicate::eq, irregular,
             arith::ConstantOp::create(s.b, s.loc, s.b.getBoolAttr(false)));
  Value isFirst = s.cmpi(CmpIPredicate::eq, rank, s.index(0));
  s.ifThen(arith::AndIOp::create(s.b, s.loc, irregular, isFirst),
           [&] { enter(again, /*kind=*/0); });
  s.ifThen(arith::AndIOp::create(s.b, s.loc, isRegular, spoilt),
           [&] { enter(again, /*kind=*/1); });
  AffineOp::create(s.b, s.loc, queryGrad, s.f32(shape.scale), s.f32(0.0));
  StoreRowsOp::create(s.b, s.loc, kernel.viewQueryGrads(s, rows), warpRow,
                      queryGrad, s.index(shape.depth));
}

void UnionGradient::emit(const AgainArguments& again) {
  emitPosition();
  emitRings();
  emitRows();
  emitRegisters();
  auto stream = StreamOp::create(s.b, s.loc, tiles,
                                 ValueRange{keyRing, valueRing, stringRing},
                                 teams.pipeline);
  emitLoad(stream);
  emitCompute(stream);
  emitEnd(again);
}

//===----------------------------------------------------------------------===//
// What is done again
//===----------------------------------------------------------------------===//

static void emitAgain(GradientKernel& kernel, UnionGradScheduleAttr schedule,
                      int64_t slots, Location loc, const AgainArguments& again,
                      Value batch, Value begin) {
  TeamAttr all = TeamAttr::get(schedule.getContext(), 0, 1);
  int64_t ratio = kernel.shape.ratio();
  emitAgainLoop(
      kernel.bodyBuilder(), loc, all, again,
      [&](KernelScalars& s, Value entry) {
        Value place = s.div(entry, 2);
        GradientBlock block;
        block.batch = batch;
        block.group = named(s.rem(place, kernel.shape.groups), "group");
        block.adds = named(
            s.cmpi(CmpIPredicate::eq, s.rem(entry, 2), s.index(0)), "adds");
        Value first =
            named(s.add(begin, s.mul(s.div(place, kernel.shape.groups),
                                     schedule.getQueries())),
                  "first_token");
        Value end = named(
            s.min(s.add(first, s.index(schedule.getQueries())), kernel.queries),
            "end_token");
        auto repeat = [&](Value lower, Value upper, int64_t step,
                          llvm::function_ref<void(Value)> body) {
          s.forLoop(lower, upper, step, body)
              ->setAttr(kRolledAttr, s.b.getUnitAttr());
        };
        repeat(first, end, 1, [&](Value token) {
          block.token = named(token, "token");
          repeat(s.index(0), s.index(ratio), kTileUnit, [&](Value row) {
            block.firstRow = named(row, "first_row");
            emitGatherGradient(kernel, slots, schedule.getPerQuery(), loc,
                               block);
            // The next rows have the same storage.
            SyncOp::create(s.b, loc, all);
          });
        });
      });
}

//===----------------------------------------------------------------------===//
// The lowering
//===----------------------------------------------------------------------===//

namespace {

class UnionGradLowering {
 public:
  UnionGradLowering(GatherAttentionGradOp op, UnionGradScheduleAttr schedule,
                    ToTileContext& context)
      : op(op),
        schedule(schedule),
        context(context),
        operands(op, context),
        lists({context, operands.indices, operands.counts, operands.queries,
               operands.keys, operands.slots, operands.shape.groups,
               operands.shape.ratio()},
              UnionForm(schedule)) {}

  LogicalResult emit();

 private:
  void launch(const QueryChunk& chunk);

  GatherAttentionGradOp op;
  UnionGradScheduleAttr schedule;
  ToTileContext& context;
  GradientOperands operands;
  UnionLists lists;
};

}  // namespace

void UnionGradLowering::launch(const QueryChunk& chunk) {
  IRRewriter& b = context.rewriter();
  Location loc = op.getLoc();
  Value tiles = arith::CeilDivSIOp::create(
      b, loc, chunk.count, context.index(schedule.getQueries()));
  lists.makeBuffers();
  lists.launch(chunk, tiles);
  {
    GradientKernel kernel(operands, schedule, teamsOf(schedule).warps(),
                          "union_gradient");
    KernelBuilder& builder = kernel.builder();
    UnionGradient body(kernel, schedule, lists, loc);
    body.unionKeys = builder.read(lists.keys, "union_keys");
    body.unionBits = builder.read(lists.bits, "union_bits");
    body.unionCounts = builder.read(lists.counts, "union_counts");
    AgainArguments again(builder, lists.again, /*writes=*/true);
    body.batch = builder.scalar(chunk.batch, "batch");
    body.begin = builder.scalar(chunk.begin, "begin");
    body.capacity = builder.size(lists.capacity, "capacity");
    body.emit(again);
    builder.launch(
        ArrayRef<OpFoldResult>{tiles, b.getIndexAttr(operands.shape.groups)});
  }
  GradientKernel kernel(operands, schedule.getPerQuery(), /*warps=*/1,
                        "gradient_again");
  KernelBuilder& builder = kernel.builder();
  AgainArguments again(builder, lists.again, /*writes=*/false);
  Value batch = builder.scalar(chunk.batch, "batch");
  Value begin = builder.scalar(chunk.begin, "begin");
  emitAgain(kernel, schedule, operands.slots, loc, again, batch, begin);
  int64_t most = lists.tiles * operands.shape.groups * schedule.getConsumers();
  builder.launch(ArrayRef<int64_t>{
      countAgainBlocks(context.target(), schedule.getAgainSmBlocks(), most)});
}

LogicalResult UnionGradLowering::emit() {
  operands.clearSums();
  if (operands.batches * operands.queries > 0) {
    if (context.emitsRemarks())
      remark::passed(
          op.getLoc(),
          remark::RemarkOpts::name("UnionWorkspace").category("gsa.schedule"))
          << "unions of a chunk of queries"
          << remark::metric("queries", lists.tiles * schedule.getQueries())
          << remark::metric("capacity", lists.capacity)
          << remark::metric("bytes", lists.bytes());
    context.forQueryChunks(operands.batches, operands.queries,
                           lists.tiles * schedule.getQueries(),
                           [&](const QueryChunk& chunk) { launch(chunk); });
  }
  operands.finish();
  return success();
}

LogicalResult gsa::lowerUnionGradient(GatherAttentionGradOp op,
                                      ToTileContext& context) {
  FailureOr<UnionGradScheduleAttr> schedule =
      getSchedule<UnionGradScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  return UnionGradLowering(op, *schedule, context).emit();
}
