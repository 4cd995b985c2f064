//===- GroupDense.cpp - attention to tiles of keys by warpgroups ----------===//
//
// A block handles `block_q` queries of one head, 64 of them to a warpgroup, and
// streams over the keys that the last of them sees; boxes of keys and values
// are copied by the bulk copy engine. Blocks of late queries, which see the
// most keys under a causal mask, start first, and those of the heads of a
// group, which read the same keys, side by side.
//
// A hidden key meets the rows of a tile with a weight of 0, and so do the rows
// of the next batch that a box behind the last key reaches: right as long as
// their values are finite. What is not finite in the end gets a flag and is
// done again by rows: place ((batch * heads + head) * blocks + block) * warps +
// warp is the 16 rows of a warp.
//
// Lists of a selection are all visible keys where a row sees no more than its
// budget. Rows of which a list has fewer, since scores were no numbers, get a
// flag of a kernel of their own, `short_lists`, and are done again by lists. So
// the tiles of all keys need not wait for the lists. Where rows select a good
// part of the keys, all keys are multiplied, and strings of bits hide those
// that are in no list (MemberStrings.cpp).
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/GroupDense.h"

#include "dialect/GsaTile/PipelineAttrs.h"
#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/DenseAttention.h"
#include "passes/gsa_to_tile/GatherAttention.h"
#include "passes/gsa_to_tile/GroupAttention.h"
#include "passes/gsa_to_tile/MemberStrings.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

/// The first barrier of turns: 0 is the block's, 1 that of warps that compute.
static constexpr int64_t kTurnBarrier = 2;

static KernelTeams teamsOf(DenseScheduleAttr schedule) {
  return KernelTeams(schedule, schedule.getGroups(),
                     schedule.getOrder() == GroupOrder::PingPong
                         ? StreamOrder::PingPong
                         : StreamOrder::Free);
}

namespace {

/// The body of the kernel.
class GroupDenseKernel : public GroupAttention {
 public:
  GroupDenseKernel(AttentionKernel& kernel, DenseScheduleAttr schedule,
                   Mask mask, Location loc)
      : GroupAttention(kernel, teamsOf(schedule), schedule.getBlockK(), loc),
        schedule(schedule),
        causal(mask == Mask::Causal) {}

  void emit();

  /// The flags of what is to be done again, an argument beside those of the op.
  Value spoilt;
  /// Strings of bits of the rows' lists, an argument beside those of the op,
  /// and words of a tile; null if no list hides keys.
  Value bits;
  int64_t words = 0;
  Value keyBlocks;  ///< Blocks of keys that the strings have room for.

 private:
  void emitPosition();
  void emitBounds();
  void emitLoad(StreamOp stream);
  void hide(Value number);
  void hideByStrings(Value strings);
  void emitEnd();

  DenseScheduleAttr schedule;
  bool causal;
  AttentionRows rows;
  Value group, block, blocks;
  /// The last key that the block's first query sees, negative if none, and that
  /// of the warp's first row; the tiles that all rows see as a whole.
  Value last, warpLast, whole;
  Value tiles;
};

}  // namespace

void GroupDenseKernel::emitPosition() {
  Value x = s.blockId(0);
  Value size = GridSizeOp::create(s.b, s.loc, s.b.getIndexType(), 0);
  blocks = named(s.div(size, shape.ratio()), "blocks");
  Value number = s.div(x, shape.ratio());
  block = named(s.sub(s.sub(blocks, s.index(1)), number), "block");
  group = named(s.blockId(1), "group");
  rows.batch = named(s.blockId(2), "batch");
  rows.head = named(s.add(s.mul(group, shape.ratio()), s.rem(x, shape.ratio())),
                    "head");
  rows.query = named(s.mul(block, schedule.getBlockQ()), "first_query");
  rows.count = named(
      s.min(s.sub(kernel.queries, rows.query), s.index(schedule.getBlockQ())),
      "rows");
  rows.headStep = shape.heads;
  rows.lsePitch = s.i64(1);
}

void GroupDenseKernel::emitBounds() {
  Value end = kernel.keys, first = kernel.keys;
  last = s.sub(kernel.keys, s.index(1));
  if (causal) {
    auto clamp = [&](Value key) {
      return s.min(s.max(key, s.index(0)), kernel.keys);
    };
    last = named(s.add(rows.query, s.sub(kernel.keys, kernel.queries)),
                 "last_key");
    end = named(clamp(s.add(last, rows.count)), "end_key");
    first = clamp(s.add(last, s.index(1)));
  }
  tiles = named(s.ceilDiv(end, blockK), "tiles");
  whole = named(s.div(first, blockK), "whole_tiles");
}

/// The keys of tile i come with the values of tile i - 1.
void GroupDenseKernel::emitLoad(StreamOp stream) {
  Value firstRow = named(s.mul(rows.batch, kernel.keys), "first_key_row");
  Value keyColumn = named(s.mul(group, shape.depth), "key_column");
  Value valueColumn =
      shape.depth == shape.valueDepth
          ? keyColumn
          : named(s.mul(group, shape.valueDepth), "value_column");
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getLoad().front().getTerminator());
  auto copy = [&](unsigned ring, Value map, Value number, Value column) {
    TmaLoadOp::create(s.b, s.loc, stream.getTiles(stream.getLoad(), ring)[0],
                      map, s.add(firstRow, firstOf(number)), column, Value(),
                      Value(), teams.load);
  };
  copy(0, kernel.key, named(stream.getLoad().getArgument(0), "tile_number"),
       keyColumn);
  inLagged([&](Value before) { copy(1, kernel.value, before, valueColumn); });
  if (!bits) return;
  Value rowsOfBlock = s.at(bits, {rows.batch, block, s.index(0), s.index(0)},
                           {blocks, keyBlocks, s.index(words)});
  Value strings = s.stridedRows(rowsOfBlock, s.i64(words), tiles);
  BulkRowsOp::create(s.b, s.loc, stream.getTiles(stream.getLoad(), 2)[0],
                     strings, stream.getLoad().getArgument(0), s.index(words),
                     Value(), Value(), teams.load);
}

/// Keys that are in no list, and so all that a row does not see.
void GroupDenseKernel::hideByStrings(Value strings) {
  named(strings, "strings");
  AwaitOp::create(s.b, s.loc, strings);
  MaskBitsOp::create(s.b, s.loc, scores, strings, s.index(0), warpRow,
                     /*rows_per_string=*/1);
  ReleaseOp::create(s.b, s.loc, strings);
}

/// Keys that a row does not see, where a tile has some. Without a causal mask
/// all rows of a warp see the same ones.
void GroupDenseKernel::hide(Value number) {
  s.ifThen(s.cmpi(CmpIPredicate::sge, number, whole), [&] {
    MaskCausalOp::create(s.b, s.loc, scores, warpLast, firstOf(number),
                         causal ? 1 : kTileUnit);
  });
}

void GroupDenseKernel::emitEnd() {
  // Rows behind the last query are nobody's.
  Value any = s.cmpi(CmpIPredicate::slt, warpRow, rows.count);
  Value again = arith::AndIOp::create(s.b, s.loc, emitFinish(), any);
  Value head = s.add(s.mul(rows.batch, shape.heads), rows.head);
  Value place = s.add(s.mul(head, blocks), block);
  StoreOp::create(s.b, s.loc, spoilt,
                  s.add(s.mul(place, schedule.getConsumers()), rank),
                  s.select(again, s.i32(1), s.i32(0)));
  emitStore(rows);
}

void GroupDenseKernel::emit() {
  emitPosition();
  emitBounds();
  emitQueries(rows, schedule.getGroups());
  Value keyRing = ring("key_ring", schedule.getKeyStages(), CopyEngine::Bulk,
                       tileOf(blockK, shape.depth));
  Value valueRing = ring("value_ring", schedule.getValueStages(),
                         CopyEngine::Bulk, tileOf(blockK, shape.valueDepth));
  SmallVector<Value> rings = {keyRing, valueRing};
  if (bits)
    rings.push_back(ring("string_ring", schedule.getKeyStages(),
                         CopyEngine::Bulk,
                         SmemType::get(s.b.getContext(), {1, words},
                                       s.b.getI32Type(), SmemLayout::Linear)));
  emitRegisters(schedule.getGroups());
  warpLast = causal ? named(s.add(last, warpRow), "last_key_of_warp") : last;
  // The queries, which threads copied.
  FenceAsyncOp::create(s.b, s.loc);
  auto stream = StreamOp::create(s.b, s.loc, tiles, rings, teams.pipeline);
  s.b.setInsertionPoint(stream);
  emitLoad(stream);
  s.b.setInsertionPointAfter(stream);
  bool turns = schedule.getOrder() == GroupOrder::PingPong;
  emitCompute(
      stream,
      {/*byThreads=*/false, turns ? kTurnBarrier : 0, [&](Value number) {
         if (bits)
           hideByStrings(stream.getTiles(stream.getCompute(), 2)[0]);
         else
           hide(number);
       }});
  emitEnd();
}

/// The rows of a dense_attention by rows.
static void emitDenseRows(AttentionKernel& kernel, AttentionScheduleAttr perRow,
                          Location loc, Value head, Value batch, Value begin,
                          Value end) {
  KernelScalars s(kernel.bodyBuilder(), loc);
  DenseBlock block;
  block.head = head;
  block.batch = batch;
  // Blocks of fewer rows take them in turn.
  s.forLoop(begin, end, perRow.getBlockQ(), [&](Value first) {
    block.firstQuery = first;
    block.rows =
        named(s.min(s.sub(end, first), s.index(perRow.getBlockQ())), "rows");
    emitDense(loc, perRow, kernel, block);
    // The next rows have the same storage.
    SyncOp::create(s.b, loc, KernelTeams(perRow).block);
  });
}

/// The rows of a gather_attention by their lists.
static void emitListedRows(AttentionKernel& kernel,
                           AttentionScheduleAttr perRow, int64_t slots,
                           Location loc, Value head, Value batch, Value begin,
                           Value end) {
  KernelScalars s(kernel.bodyBuilder(), loc);
  int64_t ratio = kernel.shape.ratio();
  GatherBlock block;
  block.batch = batch;
  block.group = named(s.div(head, ratio), "group");
  block.firstRow = named(s.rem(head, ratio), "first_row");
  block.heads = s.index(1);
  s.rolledLoop(begin, end, 1, [&](Value token) {
    block.token = named(token, "token");
    emitGather(slots, perRow, loc, kernel, block);
    // The next token has the same storage.
    SyncOp::create(s.b, loc, KernelTeams(perRow).block);
  });
}

namespace {

/// Flags of 16 rows each, buffers of the host: those of a head's results, and
/// those of lists, which all heads have in common; the latter null where no
/// list can lack keys, or where attention reads all lists.
struct AgainFlags {
  Value spoilt, lacking;
  int64_t places, tiles;  ///< Of all heads and batches; of one of them.
};

/// The same in a kernel.
struct AgainFlagArguments {
  Value spoilt, lacking, places;
};

}  // namespace

/// The kernel that looks which lists lack keys that the mask shows, 16 rows to
/// a warp.
static void launchShortLists(const AttentionOperands& operands,
                             DenseScheduleAttr schedule, Mask mask,
                             const AgainFlags& flags) {
  ToTileContext& context = operands.context;
  KernelBuilder kernel(context, context.loc(), "short_lists",
                       schedule.getShortWarps());
  kernel.setSchedule(schedule);
  KernelScalars s(kernel.body(), context.loc());
  Value counts = kernel.read(operands.counts, "counts");
  Value lacking = kernel.write(flags.lacking, "lacking");
  Value queries = kernel.size(operands.queries(), "queries");
  Value keys = kernel.size(operands.keys(), "keys");
  Value tiles = kernel.size(flags.tiles, "tiles");
  Value batch = named(s.blockId(1), "batch");
  Value warp =
      WarpRankOp::create(s.b, s.loc, s.b.getIndexType(), kernel.team());
  Value tile =
      named(s.add(s.mul(s.blockId(0), schedule.getShortWarps()), warp), "tile");
  s.ifThen(s.cmpi(CmpIPredicate::slt, tile, tiles), [&] {
    Value query = named(s.mul(tile, kTileUnit), "first_query");
    bool causal = mask == Mask::Causal;
    Value last =
        causal ? s.add(query, s.sub(keys, queries)) : s.sub(keys, s.index(1));
    Value isShort = AnyShortOp::create(
        s.b, s.loc, s.b.getI1Type(), s.at(counts, {batch, query}, {queries}),
        s.sub(queries, query), named(last, "last_key"), causal ? 1 : 0);
    StoreOp::create(s.b, s.loc, s.at(lacking, {batch, tile}, {tiles}),
                    s.index(0), s.select(isShort, s.i32(1), s.i32(0)));
  });
  int64_t blocks = llvm::divideCeil(flags.tiles, schedule.getShortWarps());
  kernel.launch(ArrayRef<int64_t>{blocks, operands.batches()});
}

/// `body` for each place with a flag. A block has neighbouring places, and a
/// look at all of their flags tells it that there is nothing to do.
static void forFlagged(AttentionKernel& kernel, DenseScheduleAttr schedule,
                       Location loc, const AgainFlagArguments& flags,
                       llvm::function_ref<void(KernelScalars&, Value)> body) {
  KernelScalars s(kernel.bodyBuilder(), loc);
  Value blocks = GridSizeOp::create(s.b, loc, s.b.getIndexType(), 0);
  Value share =
      s.divIndex(s.add(flags.places, s.sub(blocks, s.index(1))), blocks);
  Value begin = named(s.mul(s.blockId(0), share), "first_place");
  Value end = named(s.min(s.add(begin, share), flags.places), "end_place");
  auto anySet = [&](Value array, Value from, Value to) -> Value {
    return AnySetOp::create(s.b, loc, s.b.getI1Type(), array, from, to);
  };
  Value any = anySet(flags.spoilt, begin, end);
  Value tiles, ofBatch;
  if (flags.lacking) {
    tiles = named(s.mul(s.ceilDiv(kernel.queries, schedule.getBlockQ()),
                        schedule.getConsumers()),
                  "tiles");
    ofBatch = named(s.mul(tiles, kernel.shape.heads), "places_of_batch");
    Value first = s.divIndex(begin, ofBatch);
    Value behind =
        s.add(s.divIndex(s.sub(end, s.index(1)), ofBatch), s.index(1));
    any = arith::OrIOp::create(
        s.b, loc, any,
        anySet(flags.lacking, s.mul(first, tiles), s.mul(behind, tiles)));
  }
  any = named(any, "any");
  // All warps see the rings before one of them uses them.
  auto ready =
      SyncOp::create(s.b, loc, KernelTeams(schedule.getPerRow()).block);
  scf::ForOp loop =
      s.forLoop(begin, s.select(any, end, begin), 1, [&](Value place) {
        Value flag =
            LoadOp::create(s.b, loc, s.b.getI32Type(), flags.spoilt, place);
        if (flags.lacking) {
          Value tile = s.add(s.mul(s.divIndex(place, ofBatch), tiles),
                             s.remIndex(place, tiles));
          flag = arith::OrIOp::create(
              s.b, loc, flag,
              LoadOp::create(s.b, loc, s.b.getI32Type(), flags.lacking, tile));
        }
        s.ifThen(named(s.cmpi(CmpIPredicate::ne, flag, s.i32(0)), "is_flagged"),
                 [&] { body(s, place); });
      });
  loop->setAttr(kRolledAttr, s.b.getUnitAttr());
  hoistStorage(loop, ready);
}

/// Attention by rows over all that has a flag.
static void emitAgain(AttentionKernel& kernel, DenseScheduleAttr schedule,
                      int64_t slots, Location loc,
                      const AgainFlagArguments& flags) {
  AttentionScheduleAttr perRow = schedule.getPerRow();
  forFlagged(kernel, schedule, loc, flags, [&](KernelScalars& s, Value entry) {
    Value warp = s.rem(entry, schedule.getConsumers());
    Value place = s.div(entry, schedule.getConsumers());
    Value blocks =
        named(s.ceilDiv(kernel.queries, schedule.getBlockQ()), "blocks");
    Value rowsOfHead = s.divIndex(place, blocks);
    Value begin =
        named(s.add(s.mul(s.remIndex(place, blocks), schedule.getBlockQ()),
                    s.mul(warp, kTileUnit)),
              "first_query");
    Value end = s.min(s.add(begin, s.index(kTileUnit)), kernel.queries);
    Value head = named(s.rem(rowsOfHead, kernel.shape.heads), "head");
    Value batch = named(s.div(rowsOfHead, kernel.shape.heads), "batch");
    if (kernel.indices)
      emitListedRows(kernel, perRow, slots, loc, head, batch, begin, end);
    else
      emitDenseRows(kernel, perRow, loc, head, batch, begin, end);
  });
}

/// The mask of the keys that rows see.
static Mask maskOf(Operation* op) {
  if (auto lists = op->getAttrOfType<ListsAttr>(kListsAttr))
    return lists.getMask();
  return cast<DenseAttentionOp>(op).getMask();
}

LogicalResult gsa::lowerGroupDense(Operation* op, ToTileContext& context) {
  FailureOr<DenseScheduleAttr> schedule =
      getSchedule<DenseScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  AttentionOperands operands(op, context);
  const AttentionShape& shape = operands.shape;
  int64_t blocks = llvm::divideCeil(operands.queries(), schedule->getBlockQ());
  int64_t most =
      operands.batches() * shape.heads * blocks * schedule->getConsumers();
  if (most == 0) {
    operands.replace();
    return success();
  }
  Type i32 = context.rewriter().getI32Type();
  AgainFlags flags;
  flags.places = most;
  flags.tiles = blocks * schedule->getConsumers();
  flags.spoilt = context.makeBuffer({most}, i32);
  if (operands.counts && !schedule->getMasked()) {
    flags.lacking = context.makeBuffer({operands.batches(), flags.tiles}, i32);
    context.urgently(
        [&] { launchShortLists(operands, *schedule, maskOf(op), flags); });
  }
  auto box = TensorMapType::get(op->getContext(),
                                {schedule->getBlockK(), kPanelColumns},
                                shape.element, SmemLayout::Swizzle128B);
  std::optional<MemberStrings> strings;
  if (schedule->getMasked()) strings.emplace(operands, *schedule);
  {
    AttentionKernel kernel(operands, *schedule, teamsOf(*schedule).warps(),
                           strings ? "masked_attention" : "group_attention",
                           {box, box});
    GroupDenseKernel body(kernel, *schedule, maskOf(op), op->getLoc());
    if (strings) {
      body.bits = kernel.builder().read(strings->bits, "bits");
      body.words = strings->words;
      body.keyBlocks = kernel.builder().size(strings->keyBlocks, "key_blocks");
    }
    body.spoilt = kernel.builder().write(flags.spoilt, "again");
    body.emit();
    if (failed(kernel.launch(
            {blocks * shape.ratio(), shape.groups, operands.batches()})))
      return failure();
  }
  AttentionKernel kernel(operands, schedule->getPerRow(),
                         KernelTeams(schedule->getPerRow()).warps(),
                         operands.indices ? "listed_again" : "dense_again");
  AgainFlagArguments again;
  again.spoilt = kernel.builder().read(flags.spoilt, "again");
  if (flags.lacking)
    again.lacking = kernel.builder().read(flags.lacking, "lacking");
  again.places = kernel.builder().size(flags.places, "places");
  emitAgain(kernel, *schedule, operands.slots(), op->getLoc(), again);
  // It ends the run, and begins before what it waits for has ended.
  if (failed(context.briefly([&] {
        return kernel.launch({countAgainBlocks(
            context.target(), schedule->getAgainSmBlocks(), most)});
      })))
    return failure();
  operands.replace();
  return success();
}
