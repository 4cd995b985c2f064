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

#include "dialect/GsaTile/PipelineAttrs.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Remarks.h"
#include "passes/gsa_to_tile/GatherAttention.h"
#include "passes/gsa_to_tile/GroupAttention.h"
#include "passes/gsa_to_tile/UnionLists.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

namespace {

/// The body of attention over a union.
class SharedKeysKernel : public GroupAttention {
 public:
  SharedKeysKernel(AttentionKernel& kernel, UnionScheduleAttr schedule,
                   const UnionLists& lists, Location loc)
      : GroupAttention(kernel, KernelTeams(schedule), schedule.getBlockK(),
                       loc),
        schedule(schedule),
        lists(lists) {}

  // Arguments beside those of the op.
  Value unionKeys, unionBits, unionCounts, batch, begin;
  Value capacity;  ///< Keys that a union has room for; lengths share a text.

  void emit(const AgainArguments& again);

 private:
  SmemType stringsTile() {
    return SmemType::get(s.b.getContext(), {1, lists.words}, s.b.getI32Type(),
                         SmemLayout::Linear);
  }
  void emitPosition();
  void emitLoad(StreamOp stream);
  void emitRows();
  Value makeView(Value array, int64_t depth);
  void copyRows(StreamOp stream, unsigned ring, Value array, int64_t depth,
                Value first);
  void maskStrings(Value strings);
  void emitEnd(const AgainArguments& again);

  UnionScheduleAttr schedule;
  const UnionLists& lists;
  AttentionRows rows;
  Value tile, group, united, size, tileKeys, tileBits, tiles;
  Value keyRows, valueRows;  ///< Null where rows are not looked up ahead.
};

}  // namespace

void SharedKeysKernel::emitPosition() {
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
  tileBits = named(s.at(unionBits, {tile, s.index(0)},
                        {s.mul(s.div(capacity, blockK), lists.words)}),
                   "tile_bits");
}

/// The keys of tile i come with the values of tile i - 1: a warpgroup
/// multiplies those while it weighs these. Rows are looked up a tile ahead, or
/// each copy would wait for the list.
void SharedKeysKernel::emitLoad(StreamOp stream) {
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
  Value next = named(s.add(firstOf(number), s.index(blockK)), "first_of_next");
  LookUpOp::create(s.b, s.loc, keyRows, makeView(kernel.key, shape.depth), next,
                   teams.load);
}

/// Storage for the rows of keys and values, which are the same ones, where a
/// thread has few of them; and those of the first tile.
void SharedKeysKernel::emitRows() {
  int64_t units = pad(shape.depth) * 2 / 16;
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
Value SharedKeysKernel::makeView(Value array, int64_t depth) {
  Value base = s.at(array, {batch, s.index(0), group, s.index(0)},
                    {kernel.keys, s.index(shape.groups), s.index(depth)});
  return ListedRowsOp::create(s.b, s.loc,
                              RowsType::get(s.b.getContext(), shape.element,
                                            RowKind::Listed, RowAccess::Read),
                              base, s.i64(shape.groups * depth), tileKeys, size,
                              kernel.keys);
}

/// Rows of `array` to the tile of a ring: from a position on, or found ones.
void SharedKeysKernel::copyRows(StreamOp stream, unsigned ring, Value array,
                                int64_t depth, Value first) {
  CopyRowsOp::create(s.b, s.loc, stream.getTiles(stream.getLoad(), ring)[0],
                     makeView(array, depth), first, s.index(depth), 16,
                     teams.load);
}

/// Which key is of which query's list.
void SharedKeysKernel::maskStrings(Value strings) {
  named(strings, "strings");
  AwaitOp::create(s.b, s.loc, strings);
  MaskBitsOp::create(s.b, s.loc, scores, strings, s.index(0), warpRow,
                     shape.ratio());
  ReleaseOp::create(s.b, s.loc, strings);
}

void SharedKeysKernel::emitEnd(const AgainArguments& again) {
  Value irregular =
      named(s.cmpi(CmpIPredicate::slt, united, s.i32(0)), "irregular");
  emitFinish(again, irregular, Value(), [&] {
    return s.add(
        s.mul(s.add(s.mul(tile, shape.groups), group), schedule.getConsumers()),
        rank);
  });
  emitStore(rows);
}

void SharedKeysKernel::emit(const AgainArguments& again) {
  emitPosition();
  emitQueries(rows, /*groups=*/1);
  Value keyRing = ring("key_ring", schedule.getKeyStages(), CopyEngine::CpAsync,
                       tileOf(blockK, shape.depth));
  Value valueRing = ring("value_ring", schedule.getValueStages(),
                         CopyEngine::CpAsync, tileOf(blockK, shape.valueDepth));
  Value stringRing = ring("string_ring", schedule.getKeyStages(),
                          CopyEngine::Bulk, stringsTile());
  emitRegisters(/*groups=*/1);
  emitRows();
  tiles = named(s.ceilDiv(size, blockK), "tiles");
  auto stream = StreamOp::create(s.b, s.loc, tiles,
                                 ValueRange{keyRing, valueRing, stringRing},
                                 teams.pipeline);
  emitLoad(stream);
  Value strings = stream.getTiles(stream.getCompute(), 2)[0];
  emitCompute(stream, {/*byThreads=*/true, /*turnBarrier=*/0,
                       [&](Value) { maskStrings(strings); }});
  emitEnd(again);
}

//===----------------------------------------------------------------------===//
// What is done again
//===----------------------------------------------------------------------===//

/// Attention by query over the rows of each entry of the list.
static void emitAgain(AttentionKernel& kernel, UnionScheduleAttr schedule,
                      int64_t slots, Location loc, const AgainArguments& again,
                      Value batch, Value begin) {
  AttentionScheduleAttr perQuery = schedule.getPerQuery();
  TeamAttr all = KernelTeams(perQuery).block;
  int64_t ratio = kernel.shape.ratio(),
          rowBlocks = countRowBlocks(kernel.shape, perQuery);
  emitAgainLoop(kernel, loc, all, again, [&](KernelScalars& s, Value entry) {
    Value warp = s.rem(entry, schedule.getConsumers());
    Value place = s.div(entry, schedule.getConsumers());
    GatherBlock block;
    block.batch = batch;
    block.group = named(s.rem(place, kernel.shape.groups), "group");
    Value tileBegin = named(
        s.add(begin,
              s.mul(s.div(place, kernel.shape.groups), schedule.getQueries())),
        "tile_begin");
    Value tileEnd =
        s.min(s.add(tileBegin, s.index(schedule.getQueries())), kernel.queries);
    Value firstRow = s.mul(warp, kTileUnit);
    Value first =
        named(s.add(tileBegin, s.div(firstRow, ratio)), "first_token");
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
               SyncOp::create(s.b, loc, all);
             });
    });
  });
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
    SharedKeysKernel body(kernel, schedule, lists, loc);
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
  AttentionKernel kernel(operands, schedule.getPerQuery(),
                         KernelTeams(schedule.getPerQuery()).warps(),
                         "gather_again");
  KernelBuilder& builder = kernel.builder();
  AgainArguments again(builder, lists.again, /*writes=*/false);
  Value batch = builder.scalar(chunk.batch, "batch");
  Value begin = builder.scalar(chunk.begin, "begin");
  emitAgain(kernel, schedule, operands.slots(), loc, again, batch, begin);
  int64_t most = lists.tiles * operands.shape.groups * schedule.getConsumers();
  return kernel.launch({countAgainBlocks(context.target(), most)});
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
