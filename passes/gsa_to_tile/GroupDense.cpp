//===- GroupDense.cpp - gsa.dense_attention by warpgroups -----------------===//
//
// A block handles `block_q` queries of one head, 64 of them to a warpgroup, and
// streams over the keys that the last of them sees; boxes of keys and values
// are copied by the bulk copy engine. Blocks of late queries, which see the
// most keys under a causal mask, start first, and those of the heads of a
// group, which read the same keys, side by side.
//
// A hidden key meets the rows of a tile with a weight of 0, and so do the rows
// of the next batch that a box behind the last key reaches: right as long as
// their values are finite. What is not finite in the end is entered in a list
// and done again by rows: entry ((batch * heads + head) * blocks + block) *
// warps + warp is the 16 rows of a warp.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/GroupDense.h"

#include "llvm/Support/MathExtras.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "passes/gsa_to_tile/DenseAttention.h"
#include "passes/gsa_to_tile/GroupAttention.h"

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

  void emit(const AgainArguments& again);

 private:
  void emitPosition();
  void emitBounds();
  void emitLoad(StreamOp stream);
  void hide(Value number);
  void emitEnd(const AgainArguments& again);

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
}

/// Keys that a row does not see, where a tile has some. Without a causal mask
/// all rows of a warp see the same ones.
void GroupDenseKernel::hide(Value number) {
  s.ifThen(s.cmpi(CmpIPredicate::sge, number, whole), [&] {
    MaskCausalOp::create(s.b, s.loc, scores, warpLast, firstOf(number),
                         causal ? 1 : kTileUnit);
  });
}

void GroupDenseKernel::emitEnd(const AgainArguments& again) {
  // Rows behind the last query are nobody's.
  Value any = s.cmpi(CmpIPredicate::slt, warpRow, rows.count);
  emitFinish(again, Value(), any, [&] {
    Value head = s.add(s.mul(rows.batch, shape.heads), rows.head);
    Value place = s.add(s.mul(head, blocks), block);
    return s.add(s.mul(place, schedule.getConsumers()), rank);
  });
  emitStore(rows);
}

void GroupDenseKernel::emit(const AgainArguments& again) {
  emitPosition();
  emitBounds();
  emitQueries(rows, schedule.getGroups());
  Value keyRing = ring("key_ring", schedule.getKeyStages(), CopyEngine::Bulk,
                       tileOf(blockK, shape.depth));
  Value valueRing = ring("value_ring", schedule.getValueStages(),
                         CopyEngine::Bulk, tileOf(blockK, shape.valueDepth));
  emitRegisters(schedule.getGroups());
  warpLast = causal ? named(s.add(last, warpRow), "last_key_of_warp") : last;
  // The queries, which threads copied.
  FenceAsyncOp::create(s.b, s.loc);
  auto stream = StreamOp::create(
      s.b, s.loc, tiles, ValueRange{keyRing, valueRing}, teams.pipeline);
  s.b.setInsertionPoint(stream);
  emitLoad(stream);
  s.b.setInsertionPointAfter(stream);
  bool turns = schedule.getOrder() == GroupOrder::PingPong;
  emitCompute(stream, {/*byThreads=*/false, turns ? kTurnBarrier : 0,
                       [&](Value number) { hide(number); }});
  emitEnd(again);
}

/// Dense attention by rows over each entry of the list.
static void emitAgain(DenseAttentionOp op, AttentionKernel& kernel,
                      DenseScheduleAttr schedule, const AgainArguments& again) {
  AttentionScheduleAttr perRow = schedule.getPerRow();
  TeamAttr all = KernelTeams(perRow).block;
  emitAgainLoop(
      kernel, op.getLoc(), all, again, [&](KernelScalars& s, Value entry) {
        Value warp = s.rem(entry, schedule.getConsumers());
        Value place = s.div(entry, schedule.getConsumers());
        Value blocks =
            named(s.ceilDiv(kernel.queries, schedule.getBlockQ()), "blocks");
        Value head = s.divIndex(place, blocks);
        Value begin =
            named(s.add(s.mul(s.remIndex(place, blocks), schedule.getBlockQ()),
                        s.mul(warp, kTileUnit)),
                  "first_query");
        Value end = s.min(s.add(begin, s.index(kTileUnit)), kernel.queries);
        DenseBlock block;
        block.head = named(s.rem(head, kernel.shape.heads), "head");
        block.batch = named(s.div(head, kernel.shape.heads), "batch");
        // Blocks of fewer rows take them in turn.
        s.forLoop(begin, end, perRow.getBlockQ(), [&](Value first) {
          block.firstQuery = first;
          block.rows = named(
              s.min(s.sub(end, first), s.index(perRow.getBlockQ())), "rows");
          emitDense(op, perRow, kernel, block);
          // The next rows have the same storage.
          SyncOp::create(s.b, op.getLoc(), all);
        });
      });
}

LogicalResult gsa::lowerGroupDense(DenseAttentionOp op,
                                   ToTileContext& context) {
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
  AgainList list(context, most);
  linalg::FillOp::create(
      context.rewriter(), op.getLoc(),
      context.constant(context.rewriter().getI32IntegerAttr(0)), list.count);
  auto box = TensorMapType::get(op.getContext(),
                                {schedule->getBlockK(), kPanelColumns},
                                shape.element, SmemLayout::Swizzle128B);
  {
    AttentionKernel kernel(operands, *schedule, teamsOf(*schedule).warps(),
                           "group_attention", {box, box});
    AgainArguments again(kernel.builder(), list, /*writes=*/true);
    GroupDenseKernel(kernel, *schedule, op.getMask(), op.getLoc()).emit(again);
    if (failed(kernel.launch(
            {blocks * shape.ratio(), shape.groups, operands.batches()})))
      return failure();
  }
  AttentionKernel kernel(operands, schedule->getPerRow(),
                         KernelTeams(schedule->getPerRow()).warps(),
                         "dense_again");
  AgainArguments again(kernel.builder(), list, /*writes=*/false);
  emitAgain(op, kernel, *schedule, again);
  if (failed(kernel.launch({countAgainBlocks(context.target(), most)})))
    return failure();
  operands.replace();
  return success();
}
