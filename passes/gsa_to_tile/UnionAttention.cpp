//===- UnionAttention.cpp - gather_attention over shared keys -------------===//
//
// Lists of neighbouring queries have most of their keys in common. A block
// handles a tile of them, all heads of a group: 64 rows, so that a warpgroup
// multiplies them by the union of their keys, which is loaded once; strings of
// bits say which row sees which key. Queries are done in chunks, for which the
// unions are made first (UnionLists.cpp).
//
// A key of one query meets all 64 rows, with a weight of 0 where it is none of
// theirs: right as long as its values are finite. What is not finite in the
// end, and tiles whose lists cannot be united, are entered in a list and done
// again by query: entry (tile * groups + group) * 4 + warp is the 16 rows of a
// warp.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/UnionAttention.h"

#include <limits>

#include "dialect/GsaTile/PipelineAttrs.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Remarks.h"
#include "passes/gsa_to_tile/GatherAttention.h"
#include "passes/gsa_to_tile/UnionLists.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

/// Rows of a warpgroup, and of a warp.
static constexpr int64_t kGroupRows = 64;
/// Sizes of lse below which softmax_step is precise.
static constexpr double kPreciseLse = 8192;
/// Blocks of attention by query, at most: few have anything to do.
static constexpr int64_t kAgainBlocksPerSm = 2;

namespace {

/// The body of attention over a union.
class UnionKernel {
 public:
  UnionKernel(AttentionKernel& kernel, UnionScheduleAttr schedule,
              const UnionLists& lists, Location loc)
      : kernel(kernel),
        schedule(schedule),
        shape(kernel.shape),
        lists(lists),
        teams(schedule),
        s(kernel.bodyBuilder(), loc) {}

  // Arguments beside those of the op.
  Value unionKeys, unionBits, unionCounts, again, againCount, batch, begin;
  Value capacity;  ///< Keys that a union has room for; lengths share a text.

  void emit();

 private:
  Type f32() { return s.b.getF32Type(); }
  /// Columns of a tile: whole panels of what wgmma reads.
  static int64_t pad(int64_t columns) {
    return llvm::alignTo(columns, kPanelColumns);
  }
  SmemType tileOf(int64_t rows, int64_t columns) {
    return SmemType::get(s.b.getContext(), {rows, pad(columns)}, shape.element,
                         SmemLayout::Swizzle128B);
  }
  SmemType stringsTile() {
    return SmemType::get(s.b.getContext(), {1, lists.words}, s.b.getI32Type(),
                         SmemLayout::Linear);
  }
  Value ring(StringRef name, int64_t stages, CopyEngine engine, Type tile) {
    return named(TileRingOp::create(s.b, s.loc,
                                    TileRingType::get(s.b.getContext(), stages,
                                                      engine, {tile})),
                 name);
  }
  Value fragment(StringRef name, int64_t columns, Type element,
                 FragLayout layout) {
    return named(FragAllocOp::create(
                     s.b, s.loc,
                     FragType::get(s.b.getContext(), {kTileUnit, columns},
                                   element, layout)),
                 name);
  }
  Value rowVector(StringRef name) {
    return named(
        RowVecAllocOp::create(
            s.b, s.loc, RowVecType::get(s.b.getContext(), {kTileUnit}, f32())),
        name);
  }
  void emitPosition();
  void emitLoad(StreamOp stream);
  void emitRows();
  Value makeView(Value array, int64_t depth);
  void copyRows(StreamOp stream, unsigned ring, Value array, int64_t depth,
                Value first);
  /// Position of the first key of a tile.
  Value firstOf(Value number) {
    return named(s.mul(number, schedule.getBlockK()), "first_key");
  }
  /// What is one tile behind, in a region of the stream.
  void inLagged(llvm::function_ref<void(Value)> body) {
    OpBuilder::InsertionGuard guard(s.b);
    auto lagged = LaggedOp::create(s.b, s.loc);
    s.b.setInsertionPoint(lagged.getBody().front().getTerminator());
    body(named(lagged.getBody().getArgument(0), "tile_before"));
  }
  void emitCompute(StreamOp stream);
  void emitEnd();

  AttentionKernel& kernel;
  UnionScheduleAttr schedule;
  const AttentionShape& shape;
  const UnionLists& lists;
  KernelTeams teams;
  KernelScalars s;
  AttentionRows rows;
  Value tile, group, united, size, tileKeys, tileBits;
  Value rank, warpRow, queries;
  Value keyRows, valueRows;  ///< Null where rows are not looked up ahead.
  Value tiles, scores, weights, output, maximum, sum, factor, scale;
};

}  // namespace

void UnionKernel::emitPosition() {
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
  united = LoadOp::create(s.b, s.loc, s.b.getI32Type(), unionCounts, tile);
  named(united, "united");
  size = named(s.max(s.toIndex(united), s.index(0)), "union_size");
  tileKeys =
      named(s.at(unionKeys, {tile, s.index(0)}, {capacity}), "tile_keys");
  tileBits =
      named(s.at(unionBits, {tile, s.index(0)},
                 {s.mul(s.div(capacity, schedule.getBlockK()), lists.words)}),
            "tile_bits");
}

/// The keys of tile i come with the values of tile i - 1: a warpgroup
/// multiplies those while it weighs these. Rows are looked up a tile ahead, or
/// each copy would wait for the list.
void UnionKernel::emitLoad(StreamOp stream) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getLoad().front().getTerminator());
  Value number = named(stream.getLoad().getArgument(0), "tile_number");
  copyRows(stream, 0, kernel.key, shape.depth,
           keyRows ? keyRows : firstOf(number));
  Value strings = s.stridedRows(tileBits, s.i64(lists.words), tiles);
  BulkRowsOp::create(s.b, s.loc, stream.getTiles(stream.getLoad(), 2)[0],
                     strings, number, s.index(lists.words), Value(), Value(),
                     teams.load);
  inLagged([&](Value before) {
    copyRows(stream, 1, kernel.value, shape.valueDepth,
             valueRows ? valueRows : firstOf(before));
  });
  if (!keyRows) return;
  KeepFoundOp::create(s.b, s.loc, valueRows, keyRows, teams.load);
  Value next = named(s.add(firstOf(number), s.index(schedule.getBlockK())),
                     "first_of_next");
  LookUpOp::create(s.b, s.loc, keyRows, makeView(kernel.key, shape.depth), next,
                   teams.load);
}

/// Storage for the rows of keys and values, which are the same ones, where a
/// thread has few of them; and those of the first tile.
void UnionKernel::emitRows() {
  int64_t units = pad(shape.depth) * 2 / 16, blockK = schedule.getBlockK();
  if (pad(shape.depth) != pad(shape.valueDepth) ||
      blockK * units > kMostFoundRows * 32 * teams.load.getCount())
    return;
  auto type = FoundRowsType::get(s.b.getContext(), blockK, units, teams.load);
  keyRows = named(FoundAllocOp::create(s.b, s.loc, type), "rows_of_keys");
  valueRows = named(FoundAllocOp::create(s.b, s.loc, type), "rows_of_values");
  LookUpOp::create(s.b, s.loc, keyRows, makeView(kernel.key, shape.depth),
                   s.index(0), teams.load);
}

/// The rows of `array` that the union lists.
Value UnionKernel::makeView(Value array, int64_t depth) {
  Value base = s.at(array, {batch, s.index(0), group, s.index(0)},
                    {kernel.keys, s.index(shape.groups), s.index(depth)});
  return ListedRowsOp::create(s.b, s.loc,
                              RowsType::get(s.b.getContext(), shape.element,
                                            RowKind::Listed, RowAccess::Read),
                              base, s.i64(shape.groups * depth), tileKeys, size,
                              kernel.keys);
}

/// Rows of `array` to the tile of a ring: from a position on, or found ones.
void UnionKernel::copyRows(StreamOp stream, unsigned ring, Value array,
                           int64_t depth, Value first) {
  CopyRowsOp::create(s.b, s.loc, stream.getTiles(stream.getLoad(), ring)[0],
                     makeView(array, depth), first, s.index(depth), 16,
                     teams.load);
}

void UnionKernel::emitCompute(StreamOp stream) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getCompute().front().getTerminator());
  Value keys = named(stream.getTiles(stream.getCompute(), 0)[0], "keys");
  Value values = named(stream.getTiles(stream.getCompute(), 1)[0], "values");
  Value strings = named(stream.getTiles(stream.getCompute(), 2)[0], "strings");
  named(stream.getCompute().getArgument(0), "tile_number");
  // All waits come before the products: ptxas lets no product run on across
  // one (C7520).
  AwaitOp::create(s.b, s.loc, keys);
  inLagged([&](Value) {
    AwaitOp::create(s.b, s.loc, values);
    FenceAsyncOp::create(s.b, s.loc);
    WgmmaFenceOp::create(s.b, s.loc, ValueRange{weights, output});
  });
  FenceAsyncOp::create(s.b, s.loc);
  WgmmaFenceOp::create(s.b, s.loc, ValueRange{scores});
  WgmmaNtOp::create(s.b, s.loc, scores, queries, s.index(0), keys, s.index(0),
                    /*accumulate=*/false);
  WgmmaCommitOp::create(s.b, s.loc);
  inLagged([&](Value) {
    WgmmaNnOp::create(s.b, s.loc, output, weights, Value(), values, s.index(0));
  });
  // Of nothing for the first tile, so that the wait is for the scores there,
  // too.
  WgmmaCommitOp::create(s.b, s.loc);
  WgmmaWaitOp::create(s.b, s.loc, 1, ValueRange{scores});
  ReleaseOp::create(s.b, s.loc, keys);
  double sign = getSoftmaxScale(shape.scale).factor;
  if (sign != 1.0)
    AffineOp::create(s.b, s.loc, scores, s.f32(sign), s.f32(0.0));
  AwaitOp::create(s.b, s.loc, strings);
  MaskBitsOp::create(s.b, s.loc, scores, strings, s.index(0), warpRow,
                     shape.ratio());
  ReleaseOp::create(s.b, s.loc, strings);
  SoftmaxStepOp::create(s.b, s.loc, scores, factor, maximum, sum, scale);
  inLagged([&](Value) {
    // Behind the last tile nothing else commits the products.
    WgmmaCommitOp::create(s.b, s.loc);
    WgmmaWaitOp::create(s.b, s.loc, 0, ValueRange{weights, output});
    ReleaseOp::create(s.b, s.loc, values);
  });
  ScaleRowsOp::create(s.b, s.loc, output, factor);
  ConvertOp::create(s.b, s.loc, weights, scores);
}

void UnionKernel::emitEnd() {
  Value lse = rowVector("lse_rows");
  Value columns = s.index(shape.valueDepth);
  SoftmaxCloseOp::create(s.b, s.loc, sum);
  SoftmaxFinishOp::create(s.b, s.loc, output, lse, maximum, sum, scale,
                          /*bounded=*/false);
  Value spoilt = named(AnyOutOfRangeOp::create(s.b, s.loc, s.b.getI1Type(),
                                               output, lse, s.f32(kPreciseLse)),
                       "out_of_range");
  Value irregular =
      named(s.cmpi(CmpIPredicate::slt, united, s.i32(0)), "irregular");
  s.ifThen(arith::OrIOp::create(s.b, s.loc, spoilt, irregular), [&] {
    Value entry = s.add(
        s.mul(s.add(s.mul(tile, shape.groups), group), schedule.getConsumers()),
        rank);
    AppendOp::create(s.b, s.loc, again, againCount, entry);
  });
  AttentionTarget target = kernel.makeTarget(s, rows);
  if (target.gate)
    GateRowsOp::create(s.b, s.loc, output, target.gate->rows, warpRow, columns,
                       target.gate->activation, target.gate->perRow);
  StoreRowsOp::create(s.b, s.loc, target.output, warpRow, output, columns);
  StoreRowVecOp::create(s.b, s.loc, target.lse, warpRow, lse);
}

void UnionKernel::emit() {
  int64_t blockK = schedule.getBlockK();
  emitPosition();
  queries =
      named(SmemAllocOp::create(s.b, s.loc, tileOf(kGroupRows, shape.depth),
                                IntegerAttr()),
            "queries");
  CopyRowsOp::create(s.b, s.loc, queries, kernel.makeQueries(s, rows),
                     s.index(0), s.index(shape.depth), 16, teams.block);
  Value keyRing = ring("key_ring", schedule.getKeyStages(), CopyEngine::CpAsync,
                       tileOf(blockK, shape.depth));
  Value valueRing = ring("value_ring", schedule.getValueStages(),
                         CopyEngine::CpAsync, tileOf(blockK, shape.valueDepth));
  Value stringRing = ring("string_ring", schedule.getKeyStages(),
                          CopyEngine::Bulk, stringsTile());
  CopyWaitOp::create(s.b, s.loc, teams.block);
  rank =
      named(WarpRankOp::create(s.b, s.loc, s.b.getIndexType(), teams.compute),
            "warp");
  warpRow = named(s.mul(rank, kTileUnit), "warp_row");
  scale = s.f32(getSoftmaxScale(shape.scale).scale);
  scores = fragment("scores", blockK, f32(), FragLayout::Acc);
  weights = fragment("weights", blockK, shape.element, FragLayout::Lhs);
  output = fragment("output", pad(shape.valueDepth), f32(), FragLayout::Acc);
  maximum = rowVector("maximum");
  sum = rowVector("sum");
  factor = rowVector("factor");
  FillOp::create(s.b, s.loc, output, s.f32(0.0));
  FillRowsOp::create(s.b, s.loc, maximum,
                     s.f32(-std::numeric_limits<double>::infinity()));
  FillRowsOp::create(s.b, s.loc, sum, s.f32(0.0));
  emitRows();
  tiles = named(s.ceilDiv(size, blockK), "tiles");
  auto stream = StreamOp::create(s.b, s.loc, tiles,
                                 ValueRange{keyRing, valueRing, stringRing},
                                 teams.pipeline);
  emitLoad(stream);
  emitCompute(stream);
  emitEnd();
}

//===----------------------------------------------------------------------===//
// What is done again
//===----------------------------------------------------------------------===//

/// Tiles and rings of what a loop repeats are made once, before `place`.
static void hoistStorage(Operation* loop, Operation* place) {
  SmallVector<Operation*> storage;
  loop->walk([&](Operation* op) {
    if (isa<SmemAllocOp, TileRingOp>(op)) storage.push_back(op);
  });
  for (Operation* op : storage) op->moveBefore(place);
}

/// Attention by query over the rows of each entry of the list.
static void emitAgain(AttentionKernel& kernel, UnionScheduleAttr schedule,
                      int64_t slots, Location loc, Value again,
                      Value againCount, Value batch, Value begin) {
  KernelScalars s(kernel.bodyBuilder(), loc);
  AttentionScheduleAttr perQuery = schedule.getPerQuery();
  KernelTeams teams(perQuery);
  int64_t ratio = kernel.shape.ratio(),
          rowBlocks = countRowBlocks(kernel.shape, perQuery);
  Value entries = named(s.toIndex(LoadOp::create(s.b, loc, s.b.getI32Type(),
                                                 againCount, s.index(0))),
                        "entries");
  Value blocks = GridSizeOp::create(s.b, loc, s.b.getIndexType(), 0);
  // All warps see the rings before one of them uses them.
  auto ready = SyncOp::create(s.b, loc, teams.block);
  auto loop = scf::ForOp::create(s.b, loc, s.blockId(0), entries, blocks);
  loop->setAttr(kRolledAttr, s.b.getUnitAttr());
  s.b.setInsertionPointToStart(loop.getBody());
  Value entry = named(s.toIndex(LoadOp::create(s.b, loc, s.b.getI32Type(),
                                               again, loop.getInductionVar())),
                      "entry");
  Value warp = s.rem(entry, schedule.getConsumers());
  Value place = s.div(entry, schedule.getConsumers());
  GatherBlock block;
  block.batch = batch;
  block.group = named(s.rem(place, kernel.shape.groups), "group");
  Value tileBegin = named(s.add(begin, s.mul(s.div(place, kernel.shape.groups),
                                             schedule.getQueries())),
                          "tile_begin");
  Value tileEnd =
      s.min(s.add(tileBegin, s.index(schedule.getQueries())), kernel.queries);
  Value firstRow = s.mul(warp, kTileUnit);
  Value first = named(s.add(tileBegin, s.div(firstRow, ratio)), "first_token");
  Value last =
      s.add(tileBegin, s.div(s.add(firstRow, s.index(kTileUnit - 1)), ratio));
  Value end = named(s.min(s.add(last, s.index(1)), tileEnd), "end_token");
  auto repeat = [&](Value lower, Value upper, int64_t step,
                    llvm::function_ref<void(Value)> body) {
    s.forLoop(lower, upper, step, body)
        ->setAttr(kRolledAttr, s.b.getUnitAttr());
  };
  repeat(first, end, 1, [&](Value token) {
    block.token = named(token, "token");
    repeat(s.index(0), s.index(rowBlocks * perQuery.getBlockQ()),
           perQuery.getBlockQ(), [&](Value row) {
             block.firstRow = named(row, "first_row");
             emitGather(slots, perQuery, loc, kernel, block);
             // The next rows have the same storage.
             SyncOp::create(s.b, loc, teams.block);
           });
  });
  hoistStorage(loop, ready);
}

//===----------------------------------------------------------------------===//
// The lowering
//===----------------------------------------------------------------------===//

namespace {

class UnionLowering {
 public:
  UnionLowering(GatherAttentionOp op, UnionScheduleAttr schedule,
                ToTileContext& context)
      : op(op),
        schedule(schedule),
        context(context),
        operands(op, context),
        lists(operands, schedule) {}

  LogicalResult emit();

 private:
  LogicalResult launch(const QueryChunk& chunk);
  void remarkWorkspace();

  GatherAttentionOp op;
  UnionScheduleAttr schedule;
  ToTileContext& context;
  AttentionOperands operands;
  UnionLists lists;
};

}  // namespace

LogicalResult UnionLowering::launch(const QueryChunk& chunk) {
  IRRewriter& b = context.rewriter();
  Location loc = op.getLoc();
  Value tiles = arith::CeilDivSIOp::create(
      b, loc, chunk.count, context.index(schedule.getQueries()));
  lists.launch(chunk, tiles);
  {
    AttentionKernel kernel(operands, schedule, KernelTeams(schedule).warps(),
                           "union_attention");
    KernelBuilder& builder = kernel.builder();
    UnionKernel body(kernel, schedule, lists, loc);
    body.unionKeys = builder.read(lists.keys, "union_keys");
    body.unionBits = builder.read(lists.bits, "union_bits");
    body.unionCounts = builder.read(lists.counts, "union_counts");
    body.again = builder.write(lists.again, "again");
    body.againCount = builder.write(lists.againCount, "again_count");
    body.batch = builder.scalar(chunk.batch, "batch");
    body.begin = builder.scalar(chunk.begin, "begin");
    body.capacity = builder.size(lists.capacity, "capacity");
    body.emit();
    builder.launch(
        ArrayRef<OpFoldResult>{tiles, b.getIndexAttr(operands.shape.groups)});
  }
  AttentionKernel kernel(operands, schedule.getPerQuery(),
                         KernelTeams(schedule.getPerQuery()).warps(),
                         "gather_again");
  KernelBuilder& builder = kernel.builder();
  Value again = builder.read(lists.again, "again");
  Value againCount = builder.read(lists.againCount, "again_count");
  Value batch = builder.scalar(chunk.batch, "batch");
  Value begin = builder.scalar(chunk.begin, "begin");
  emitAgain(kernel, schedule, operands.slots(), loc, again, againCount, batch,
            begin);
  int64_t most = lists.tiles * operands.shape.groups * schedule.getConsumers();
  return kernel.launch(
      {std::min(kAgainBlocksPerSm * context.target().sms, most)});
}

void UnionLowering::remarkWorkspace() {
  remark::passed(
      op.getLoc(),
      remark::RemarkOpts::name("UnionWorkspace").category("gsa.schedule"))
      << "unions of a chunk of queries"
      << remark::metric("queries", lists.tiles * schedule.getQueries())
      << remark::metric("capacity", lists.capacity)
      << remark::metric("bytes", lists.bytes());
}

LogicalResult UnionLowering::emit() {
  if (operands.batches() * operands.queries() > 0) {
    if (context.emitsRemarks()) remarkWorkspace();
    LogicalResult result = success();
    context.forQueryChunks(
        operands.batches(), operands.queries(),
        lists.tiles * schedule.getQueries(),
        [&](const QueryChunk& chunk) { result = launch(chunk); });
    if (failed(result)) return failure();
  }
  operands.replace();
  return success();
}

LogicalResult gsa::lowerUnionAttention(GatherAttentionOp op,
                                       ToTileContext& context) {
  FailureOr<UnionScheduleAttr> schedule =
      getSchedule<UnionScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  return UnionLowering(op, *schedule, context).emit();
}
