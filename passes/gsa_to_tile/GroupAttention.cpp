//===- GroupAttention.cpp - attention by products of warpgroups -----------===//

#include "passes/gsa_to_tile/GroupAttention.h"

#include <limits>

#include "dialect/GsaTile/PipelineAttrs.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

/// Sizes of lse below which softmax_step is precise.
static constexpr double kPreciseLse = 8192;

//===----------------------------------------------------------------------===//
// What is done again
//===----------------------------------------------------------------------===//

AgainList::AgainList(ToTileContext& context, int64_t most) {
  Type i32 = context.rewriter().getI32Type();
  count = context.makeBuffer({1}, i32);
  list = context.makeBuffer({most}, i32);
}

AgainArguments::AgainArguments(KernelBuilder& kernel, const AgainList& lists,
                               bool writes) {
  auto add = [&](Value buffer, StringRef name) {
    return writes ? kernel.write(buffer, name) : kernel.read(buffer, name);
  };
  list = add(lists.list, "again");
  count = add(lists.count, "again_count");
}

void gsa::hoistStorage(Operation* loop, Operation* place) {
  SmallVector<Operation*> storage;
  loop->walk([&](Operation* op) {
    if (isa<SmemAllocOp, TileRingOp>(op)) storage.push_back(op);
  });
  for (Operation* op : storage) op->moveBefore(place);
}

void gsa::emitAgainLoop(
    OpBuilder& kernelBody, Location loc, TeamAttr block,
    const AgainArguments& again,
    llvm::function_ref<void(KernelScalars&, Value entry)> body) {
  KernelScalars s(kernelBody, loc);
  Value entries = named(s.toIndex(LoadOp::create(s.b, loc, s.b.getI32Type(),
                                                 again.count, s.index(0))),
                        "entries");
  Value blocks = GridSizeOp::create(s.b, loc, s.b.getIndexType(), 0);
  // All warps see the rings before one of them uses them.
  auto ready = SyncOp::create(s.b, loc, block);
  auto loop = scf::ForOp::create(s.b, loc, s.blockId(0), entries, blocks);
  loop->setAttr(kRolledAttr, s.b.getUnitAttr());
  s.b.setInsertionPointToStart(loop.getBody());
  body(s, named(s.toIndex(LoadOp::create(s.b, loc, s.b.getI32Type(), again.list,
                                         loop.getInductionVar())),
                "entry"));
  hoistStorage(loop, ready);
}

int64_t gsa::countAgainBlocks(const CudaTarget& target, int64_t perSm,
                              int64_t most) {
  return std::min(perSm * target.sms, most);
}

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

int64_t GroupAttention::pad(int64_t columns) {
  return llvm::alignTo(columns, kPanelColumns);
}

SmemType GroupAttention::tileOf(int64_t rows, int64_t columns) {
  return SmemType::get(s.b.getContext(), {rows, pad(columns)}, shape.element,
                       SmemLayout::Swizzle128B);
}

void GroupAttention::emitQueries(const AttentionRows& rows, int64_t groups) {
  queries = smem("queries", tileOf(groups * kGroupRows, shape.depth));
  CopyRowsOp::create(s.b, s.loc, queries, kernel.makeQueries(s, rows),
                     s.index(0), s.index(shape.depth), 16, teams.block);
  // The gate is what the end of a block waits for.
  AttentionTarget target = kernel.makeTarget(s, rows);
  if (target.gate && !target.gate->perRow)
    PrefetchRowsOp::create(s.b, s.loc, target.gate->rows, s.index(0),
                           s.index(shape.valueDepth), groups * kGroupRows,
                           teams.block);
}

void GroupAttention::emitRegisters(int64_t groups) {
  CopyWaitOp::create(s.b, s.loc, teams.block);
  rank =
      named(WarpRankOp::create(s.b, s.loc, s.b.getIndexType(), teams.compute),
            "warp");
  warpRow = named(s.mul(rank, kTileUnit), "warp_row");
  groupRow = groups == 1 ? s.index(0)
                         : named(s.mul(s.div(rank, kGroupWarps), kGroupRows),
                                 "group_row");
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
}

//===----------------------------------------------------------------------===//
// The loop over tiles
//===----------------------------------------------------------------------===//

void GroupAttention::inLagged(llvm::function_ref<void(Value)> body) {
  OpBuilder::InsertionGuard guard(s.b);
  auto lagged = LaggedOp::create(s.b, s.loc);
  s.b.setInsertionPoint(lagged.getBody().front().getTerminator());
  body(named(lagged.getBody().getArgument(0), "tile_before"));
}

void GroupAttention::emitTurn(const Loop& loop, bool waits) {
  if (loop.turnBarrier == 0) return;
  uint64_t groups = teams.pipeline.getGroups();
  if (waits)
    TurnWaitOp::create(s.b, s.loc, teams.compute, groups, loop.turnBarrier);
  else
    TurnPassOp::create(s.b, s.loc, teams.compute, groups, loop.turnBarrier);
}

/// Scores of a scale that is no softmax's.
void GroupAttention::emitScale() {
  double sign = getSoftmaxScale(shape.scale).factor;
  if (sign != 1.0)
    AffineOp::create(s.b, s.loc, scores, s.f32(sign), s.f32(0.0));
}

void GroupAttention::emitCompute(StreamOp stream, const Loop& loop) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getCompute().front().getTerminator());
  Value number = named(stream.getCompute().getArgument(0), "tile_number");
  Value keys = named(stream.getTiles(stream.getCompute(), 0)[0], "keys");
  Value values = named(stream.getTiles(stream.getCompute(), 1)[0], "values");
  // All waits come before the products: ptxas lets no product run on across
  // one (C7520).
  emitTurn(loop, /*waits=*/true);
  AwaitOp::create(s.b, s.loc, keys);
  inLagged([&](Value) {
    AwaitOp::create(s.b, s.loc, values);
    if (loop.byThreads) FenceAsyncOp::create(s.b, s.loc);
    WgmmaFenceOp::create(s.b, s.loc, ValueRange{weights, output});
  });
  if (loop.byThreads) FenceAsyncOp::create(s.b, s.loc);
  WgmmaFenceOp::create(s.b, s.loc, ValueRange{scores});
  WgmmaNtOp::create(s.b, s.loc, scores, queries, groupRow, keys, s.index(0),
                    /*accumulate=*/false);
  WgmmaCommitOp::create(s.b, s.loc);
  inLagged([&](Value) {
    WgmmaNnOp::create(s.b, s.loc, output, weights, Value(), values, s.index(0));
  });
  // Of nothing for the first tile, so that the wait is for the scores there,
  // too.
  WgmmaCommitOp::create(s.b, s.loc);
  emitTurn(loop, /*waits=*/false);
  WgmmaWaitOp::create(s.b, s.loc, 1, ValueRange{scores});
  ReleaseOp::create(s.b, s.loc, keys);
  emitScale();
  loop.mask(number);
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

void GroupAttention::emitComputeOwn(StreamOp stream, const OwnLoop& loop) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getCompute().front().getTerminator());
  auto tile = [&](unsigned ring, StringRef name) {
    return named(stream.getTiles(stream.getCompute(), ring)[0], name);
  };
  Value number = named(stream.getCompute().getArgument(0), "tile_number");
  Value keys = tile(0, "keys"), values = tile(1, "values"),
        masks = tile(2, "strings");
  Value own = named(loop.isOwn(number), "is_own");
  // A group waits for the tiles of others and releases them, too: the barriers
  // of a ring count all warps in every phase.
  auto whileHeld = [&](Value tile, llvm::function_ref<void()> body) {
    AwaitOp::create(s.b, s.loc, tile);
    s.ifThen(own, body);
    ReleaseOp::create(s.b, s.loc, tile);
  };
  whileHeld(keys, [&] {
    FenceAsyncOp::create(s.b, s.loc);
    WgmmaFenceOp::create(s.b, s.loc, ValueRange{scores});
    WgmmaNtOp::create(s.b, s.loc, scores, queries, groupRow, keys, s.index(0),
                      /*accumulate=*/false);
    WgmmaCommitOp::create(s.b, s.loc);
    WgmmaWaitOp::create(s.b, s.loc, 0, ValueRange{scores});
  });
  whileHeld(masks, [&] {
    emitScale();
    loop.mask(masks);
    SoftmaxStepOp::create(s.b, s.loc, scores, factor, maximum, sum, scale);
    ScaleRowsOp::create(s.b, s.loc, output, factor);
    ConvertOp::create(s.b, s.loc, weights, scores);
  });
  whileHeld(values, [&] {
    FenceAsyncOp::create(s.b, s.loc);
    WgmmaFenceOp::create(s.b, s.loc, ValueRange{weights, output});
    WgmmaNnOp::create(s.b, s.loc, output, weights, Value(), values, s.index(0));
    WgmmaCommitOp::create(s.b, s.loc);
    WgmmaWaitOp::create(s.b, s.loc, 0, ValueRange{weights, output});
  });
}

//===----------------------------------------------------------------------===//
// The end
//===----------------------------------------------------------------------===//

Value GroupAttention::emitFinish() {
  lse = rowVector("lse_rows");
  SoftmaxCloseOp::create(s.b, s.loc, sum);
  SoftmaxFinishOp::create(s.b, s.loc, output, lse, maximum, sum, scale,
                          /*bounded=*/false);
  // Not of lse: where logits are so large that all weights of a row vanish by
  // rounding, it is that of a row without keys.
  double limit =
      std::min<double>(kPreciseLse / getSoftmaxScale(shape.scale).scale,
                       std::numeric_limits<float>::max());
  return named(AnyOutOfRangeOp::create(s.b, s.loc, s.b.getI1Type(), output,
                                       maximum, s.f32(limit)),
               "out_of_range");
}

void GroupAttention::emitStore(const AttentionRows& rows) {
  AttentionTarget target = kernel.makeTarget(s, rows);
  int64_t tileRows = cast<SmemType>(queries.getType()).getRows(),
          columns = pad(shape.valueDepth);
  // Nobody reads the rings and the queries any more, whose place tiles take.
  SyncOp::create(s.b, s.loc, teams.compute, teams.computeBarrier());
  Value logits = copyLogits(target, tileRows, columns, SmemLayout::Swizzle128B,
                            teams.compute);
  if (logits)
    CopyWaitOp::create(s.b, s.loc, teams.compute, teams.computeBarrier());
  Value staged =
      smem("staged", {tileRows, columns}, f32(), SmemLayout::Swizzle);
  storeThroughTile({staged, logits, output, warpRow}, target);
  StoreRowVecOp::create(s.b, s.loc, target.lse, warpRow, lse);
}
