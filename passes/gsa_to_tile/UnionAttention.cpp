//===- UnionAttention.cpp - gather_attention over shared keys -------------===//
//
// Lists of neighbouring queries have most of their keys in common. A block
// handles a tile of them, all heads of a group: 64 rows, so that a warpgroup
// multiplies them by the union of their keys, which is loaded once; strings of
// bits say which row sees which key. Queries are done in chunks, for which the
// unions are made first (UnionLists.cpp).
//
// With a split union two warpgroups have 64 rows each, of half the queries, and
// share what is loaded; each passes over blocks that are not its own.
//
// A key of one query meets all 64 rows, with a weight of 0 where it is none of
// theirs: right as long as its values are finite. What is not finite in the
// end, and tiles whose lists cannot be united, are entered in a list and done
// again by query: entry (tile * groups + group) * warps + warp is the 16 rows
// of a warp.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/UnionAttention.h"

#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/GatherAttention.h"
#include "passes/gsa_to_tile/GroupAttention.h"
#include "passes/gsa_to_tile/UnionLists.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

static KernelTeams teamsOf(UnionScheduleAttr schedule) {
  return KernelTeams(schedule, schedule.getGroups());
}

namespace {

/// The body of attention over a union.
class SharedKeysKernel : public GroupAttention {
 public:
  SharedKeysKernel(AttentionKernel& kernel, UnionScheduleAttr schedule,
                   const UnionArguments& unions, Location loc)
      : GroupAttention(kernel, teamsOf(schedule), schedule.getBlockK(), loc),
        schedule(schedule),
        unions(unions) {}

  void emit();

 private:
  SmemType stringsTile() {
    return SmemType::get(s.b.getContext(), {1, unions.words}, s.b.getI32Type(),
                         SmemLayout::Linear);
  }
  void emitPosition();
  void emitLoad(StreamOp stream);
  void emitOwnLoad(StreamOp stream);
  Value findBlock(Value number);
  Value isOwn(Value number);
  FoundRowsType findRowsType(int64_t most);
  void emitRows();
  Value makeView(const KernelRows& rows);
  void copyRows(StreamOp stream, unsigned ring, const KernelRows& rows,
                int64_t depth, Value first);
  void copyStrings(StreamOp stream, Value block);
  void maskStrings(Value strings);
  void emitEnd();

  UnionScheduleAttr schedule;
  const UnionArguments& unions;
  AttentionRows rows;
  Value tile, group, united, size, tileKeys, tileBits, tileOrder, tiles;
  Value keyRows, valueRows;  ///< Null where rows are not looked up ahead.
};

}  // namespace

void SharedKeysKernel::emitPosition() {
  tile = named(s.blockId(0), "tile");
  group = named(s.blockId(1), "group");
  rows = unions.rowsOf(s, shape, kernel.queries, schedule.getQueries(), tile,
                       group);
  united = unions.countOf(s, tile);
  Value some = s.max(s.toIndex(united), s.index(0));
  Value blocks = s.div(unions.capacity, blockK);
  if (schedule.isSplit()) {
    tiles = named(some, "tiles");
    // Blocks are found by their order; of an empty union nothing is.
    Value isEmpty = s.cmpi(CmpIPredicate::eq, tiles, s.index(0));
    size = named(s.select(isEmpty, s.index(0), unions.capacity), "union_size");
    tileOrder = named(
        s.at(unions.order, {tile, s.index(0)}, {s.add(blocks, s.index(1))}),
        "tile_order");
  } else {
    size = named(some, "union_size");
    tiles = named(s.ceilDiv(size, blockK), "tiles");
  }
  tileKeys = unions.keysOf(s, tile);
  tileBits = unions.bitsOf(s, tile, blocks);
}

/// The keys of tile i come with the values of tile i - 1: a warpgroup
/// multiplies those while it weighs these. Rows are looked up a tile ahead, or
/// each copy would wait for the list.
void SharedKeysKernel::emitLoad(StreamOp stream) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getLoad().front().getTerminator());
  Value number = named(stream.getLoad().getArgument(0), "tile_number");
  copyRows(stream, 0, kernel.keyRows, shape.depth,
           keyRows ? keyRows : firstOf(number));
  copyStrings(stream, number);
  inLagged([&](Value before) {
    copyRows(stream, 1, kernel.valueRows, shape.valueDepth,
             valueRows ? valueRows : firstOf(before));
  });
  if (!keyRows) return;
  KeepFoundOp::create(s.b, s.loc, valueRows, keyRows, teams.load);
  Value next = named(s.add(firstOf(number), s.index(blockK)), "first_of_next");
  LookUpOp::create(s.b, s.loc, keyRows, makeView(kernel.keyRows), next,
                   teams.load);
}

/// Block `number` of a split union, in the order in which they are done: its
/// number in the union * 4, and who wants it.
Value SharedKeysKernel::findBlock(Value number) {
  return LoadOp::create(s.b, s.loc, s.b.getI32Type(), tileOrder, number);
}

/// Whether the warp's half of the queries wants a block.
Value SharedKeysKernel::isOwn(Value number) {
  Value half = s.toI32(s.div(rank, kGroupWarps));
  Value shifted = arith::ShRUIOp::create(s.b, s.loc, findBlock(number), half);
  Value bit = arith::AndIOp::create(s.b, s.loc, shifted, s.i32(1));
  return s.cmpi(CmpIPredicate::ne, bit, s.i32(0));
}

/// Keys and values of one block after the other: rows are looked up once for
/// both. The first key of the next block is asked for before they are copied,
/// and its rows behind, so that neither is waited for.
void SharedKeysKernel::emitOwnLoad(StreamOp stream) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getLoad().front().getTerminator());
  Value number = named(stream.getLoad().getArgument(0), "tile_number");
  auto blockOf = [&](Value number) {
    return s.div(s.toIndex(findBlock(number)), 4);
  };
  Value block = named(blockOf(number), "block");
  Value next;
  if (keyRows) {
    Value last = s.sub(tiles, s.index(1));
    next = named(blockOf(s.min(s.add(number, s.index(1)), last)), "next_block");
  }
  copyRows(stream, 0, kernel.keyRows, shape.depth,
           keyRows ? keyRows : firstOf(block));
  copyStrings(stream, block);
  copyRows(stream, 1, kernel.valueRows, shape.valueDepth,
           keyRows ? keyRows : firstOf(block));
  if (keyRows)
    LookUpOp::create(s.b, s.loc, keyRows, makeView(kernel.keyRows),
                     firstOf(next), teams.load);
}

/// Storage for the rows of keys and values, which are the same ones, where a
/// thread has at most `most` of them; null otherwise.
FoundRowsType SharedKeysKernel::findRowsType(int64_t most) {
  int64_t units = pad(shape.depth) * 2 / 16;
  if (pad(shape.depth) != pad(shape.valueDepth) ||
      !kernel.keyRows.sharesNumbers(kernel.valueRows) ||
      blockK * units > most * 32 * teams.load.getCount())
    return {};
  return FoundRowsType::get(s.b.getContext(), blockK, units, teams.load);
}

/// Rows that are looked up ahead, beginning with those of the first tile. Of a
/// lagged stream values have the rows of the keys before.
void SharedKeysKernel::emitRows() {
  bool lags = !schedule.isSplit();
  FoundRowsType type = findRowsType(lags ? kMostFoundRows / 2 : kMostFoundRows);
  if (!type) return;
  keyRows = named(FoundAllocOp::create(s.b, s.loc, type), "rows_of_keys");
  if (lags)
    valueRows = named(FoundAllocOp::create(s.b, s.loc, type), "rows_of_values");
  Value first =
      lags ? s.index(0) : firstOf(s.div(s.toIndex(findBlock(s.index(0))), 4));
  LookUpOp::create(s.b, s.loc, keyRows, makeView(kernel.keyRows), first,
                   teams.load);
}

/// The rows that the union lists.
Value SharedKeysKernel::makeView(const KernelRows& rows) {
  Value base = rows.base(s, unions.batch, group, 0, kernel.keys);
  return rows.listed(s, base, unions.batch, tileKeys, size, kernel.keys);
}

/// Rows to the tile of a ring: from a position on, or found ones.
void SharedKeysKernel::copyRows(StreamOp stream, unsigned ring,
                                const KernelRows& rows, int64_t depth,
                                Value first) {
  CopyRowsOp::create(s.b, s.loc, stream.getTiles(stream.getLoad(), ring)[0],
                     makeView(rows), first, s.index(depth), 16, teams.load);
}

/// The strings of a block.
void SharedKeysKernel::copyStrings(StreamOp stream, Value block) {
  Value strings = s.stridedRows(tileBits, s.i64(unions.words),
                                s.div(unions.capacity, blockK));
  BulkRowsOp::create(s.b, s.loc, stream.getTiles(stream.getLoad(), 2)[0],
                     strings, block, s.index(unions.words), Value(), Value(),
                     teams.load);
}

/// Which key is of which query's list.
void SharedKeysKernel::maskStrings(Value strings) {
  MaskBitsOp::create(s.b, s.loc, scores, strings, s.index(0), warpRow,
                     shape.ratio());
}

void SharedKeysKernel::emitEnd() {
  Value irregular =
      named(s.cmpi(CmpIPredicate::slt, united, s.i32(0)), "irregular");
  Value spoilt = arith::OrIOp::create(s.b, s.loc, emitFinish(), irregular);
  s.ifThen(spoilt, [&] {
    Value place = s.add(s.mul(tile, shape.groups), group);
    AppendOp::create(s.b, s.loc, unions.again.list, unions.again.count,
                     s.add(s.mul(place, schedule.getConsumers()), rank));
  });
  emitStore(rows);
}

void SharedKeysKernel::emit() {
  emitPosition();
  emitQueries(rows, schedule.getGroups());
  Value keyRing = ring("key_ring", schedule.getKeyStages(), CopyEngine::CpAsync,
                       tileOf(blockK, shape.depth));
  Value valueRing = ring("value_ring", schedule.getValueStages(),
                         CopyEngine::CpAsync, tileOf(blockK, shape.valueDepth));
  Value stringRing = ring("string_ring", schedule.getKeyStages(),
                          CopyEngine::Bulk, stringsTile());
  emitRegisters(schedule.getGroups());
  emitRows();
  auto stream = StreamOp::create(s.b, s.loc, tiles,
                                 ValueRange{keyRing, valueRing, stringRing},
                                 teams.pipeline);
  if (schedule.isSplit()) {
    emitOwnLoad(stream);
    emitComputeOwn(stream, {[&](Value number) { return isOwn(number); },
                            [&](Value strings) { maskStrings(strings); }});
  } else {
    emitLoad(stream);
    Value strings =
        named(stream.getTiles(stream.getCompute(), 2)[0], "strings");
    emitCompute(stream, {/*byThreads=*/true, /*turnBarrier=*/0, [&](Value) {
                           AwaitOp::create(s.b, s.loc, strings);
                           maskStrings(strings);
                           ReleaseOp::create(s.b, s.loc, strings);
                         }});
  }
  emitEnd();
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
  emitAgainLoop(
      kernel.bodyBuilder(), loc, all, again,
      [&](KernelScalars& s, Value entry) {
        Value warp = s.rem(entry, schedule.getConsumers());
        Value place = s.div(entry, schedule.getConsumers());
        GatherBlock block;
        block.batch = batch;
        block.group = named(s.rem(place, kernel.shape.groups), "group");
        Value tileBegin =
            named(s.add(begin, s.mul(s.div(place, kernel.shape.groups),
                                     schedule.getQueries())),
                  "tile_begin");
        Value tileEnd = s.min(s.add(tileBegin, s.index(schedule.getQueries())),
                              kernel.queries);
        Value firstRow = s.mul(warp, kTileUnit);
        Value first =
            named(s.add(tileBegin, s.div(firstRow, ratio)), "first_token");
        Value last = s.add(
            tileBegin, s.div(s.add(firstRow, s.index(kTileUnit - 1)), ratio));
        Value end = named(s.min(s.add(last, s.index(1)), tileEnd), "end_token");
        s.rolledLoop(first, end, 1, [&](Value token) {
          block.token = named(token, "token");
          s.rolledLoop(s.index(0), s.index(rowBlocks * perQuery.getBlockQ()),
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
        lists(UnionSource(operands), UnionForm(schedule)) {}

  LogicalResult emit();

 private:
  LogicalResult launch(const QueryChunk& chunk);

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
  lists.makeBuffers();
  lists.launch(chunk, tiles);
  {
    AttentionKernel kernel(operands, schedule, teamsOf(schedule).warps(),
                           "union_attention");
    KernelBuilder& builder = kernel.builder();
    UnionArguments unions(builder, lists, chunk);
    SharedKeysKernel(kernel, schedule, unions, loc).emit();
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
  return kernel.launch({lists.againBlocks(schedule.getAgainSmBlocks())});
}

LogicalResult UnionLowering::emit() {
  constexpr int64_t kVectorElements = 8;
  for (int64_t unit : {operands.shape.keyUnit, operands.shape.valueUnit})
    if (unit % kVectorElements != 0)
      return op.emitOpError()
             << "has no kernel over unions for rows that do not begin at "
                "multiples of 16 bytes, got multiples of "
             << 2 * unit;
  if (operands.batches() * operands.queries() > 0) {
    if (context.emitsRemarks()) lists.remarkWorkspace(op);
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
