//===- Pipeline.cpp - gsa-tile-pipeline -----------------------------------===//
//
// Turns the single buffers of a loop over tiles into a ring of stages. What
// the ring protects is exactly what `copy_wait` and the `sync` at the end of
// the body protected: a tile is read after it was filled, and filled again
// after it was read.
//
//===----------------------------------------------------------------------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "dialect/GsaTile/PipelineAttrs.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/tile/Passes.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSATILEPIPELINE
#include "passes/tile/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

namespace {

/// A loop whose body is: copies, copy_wait, uses, sync.
struct TileLoop {
  scf::ForOp loop;
  SmallVector<Operation*> copies;
  llvm::SmallSetVector<Value, 4> tiles;  ///< What the copies fill.
  CopyWaitOp wait;
  SyncOp end;
};

}  // namespace

static bool isCopy(Operation* op) { return isa<CopyRowsOp, GatherRowsOp>(op); }

static Value getCopyTarget(Operation* copy) {
  if (auto rows = dyn_cast<CopyRowsOp>(copy)) return rows.getTarget();
  return cast<GatherRowsOp>(copy).getTarget();
}

/// cp.async moves 4 bytes or more; less is stored by ordinary instructions.
static bool isAsynchronous(Operation* copy) {
  if (auto rows = dyn_cast<CopyRowsOp>(copy)) return rows.getVectorBytes() > 2;
  return cast<GatherRowsOp>(copy).getVectorBytes() > 2;
}

/// Finds copies, wait and sync in the body. Returns why there is no match, or
/// an empty string.
static StringRef matchBody(TileLoop& tile) {
  Block& body = *tile.loop.getBody();
  for (Operation& op : body) {
    if (isCopy(&op)) {
      if (tile.wait) return "a copy follows copy_wait";
      tile.copies.push_back(&op);
      tile.tiles.insert(getCopyTarget(&op));
    } else if (auto wait = dyn_cast<CopyWaitOp>(op)) {
      if (tile.wait) return "there is more than one copy_wait";
      tile.wait = wait;
    } else if (op.walk([](Operation* inner) {
                   return isCopy(inner) || isa<CopyWaitOp>(inner)
                              ? WalkResult::interrupt()
                              : WalkResult::advance();
                 }).wasInterrupted()) {
      return "a copy is in a nested region";
    }
  }
  if (tile.copies.empty() || !tile.wait) return "the loop copies no tiles";
  tile.end = dyn_cast_or_null<SyncOp>(body.getTerminator()->getPrevNode());
  if (!tile.end || tile.end.getTeam() != tile.wait.getTeam())
    return "the loop does not end with a sync of the team that copies";
  if (!llvm::all_equal(llvm::map_range(tile.copies, isAsynchronous)))
    return "copies of one stage are asynchronous in part";
  return "";
}

/// A tile may become stages if nothing but the copies and what lies between
/// copy_wait and sync uses it.
static StringRef matchTiles(TileLoop& tile) {
  Block* body = tile.loop.getBody();
  for (Value value : tile.tiles) {
    auto alloc = value.getDefiningOp<SmemAllocOp>();
    if (!alloc || tile.loop->isAncestor(alloc))
      return "a copy's target is no tile from above the loop";
    if (alloc.getType().isStaged()) return "a copy's target has stages";
    for (Operation* user : value.getUsers()) {
      Operation* ancestor = body->findAncestorOpInBlock(*user);
      if (!ancestor) return "a copy's target is used outside of the loop";
      if (!llvm::is_contained(tile.copies, user) &&
          ancestor->isBeforeInBlock(tile.wait))
        return "a copy's target is used before copy_wait";
    }
  }
  return "";
}

/// Fills `tile`; returns why the kernel has no such loop, or an empty string.
static StringRef matchKernel(KernelOp kernel, TileLoop& tile) {
  StringRef reason;
  kernel.walk([&](scf::ForOp loop) {
    if (!loop->hasAttr(kMainLoopAttr)) return;
    if (tile.loop) reason = "there is more than one loop over tiles";
    tile.loop = loop;
  });
  if (!reason.empty()) return reason;
  if (!tile.loop) return "there is no loop over tiles";
  if (tile.loop->getParentOp() != kernel)
    return "the loop over tiles is nested";
  if (!isConstantIntValue(tile.loop.getLowerBound(), 0) ||
      !isConstantIntValue(tile.loop.getStep(), 1) ||
      !tile.loop.getInitArgs().empty())
    return "the loop does not count 0, 1, 2, ...";
  reason = matchBody(tile);
  return reason.empty() ? matchTiles(tile) : reason;
}

/// Uses the stages of ring slot `slot` in `ops` instead of the tiles.
static void useStages(OpBuilder& b, Value slot, ArrayRef<Value> tiles,
                      ArrayRef<Value> buffers,
                      llvm::function_ref<bool(OpOperand&)> isUser) {
  for (auto [old, buffer] : llvm::zip_equal(tiles, buffers)) {
    Value tile = old;
    Value stage = StageOp::create(b, slot.getLoc(),
                                  getStageType(buffer.getType()), buffer, slot);
    tile.replaceUsesWithIf(stage, isUser);
  }
}

/// Returns the bytes of the stages.
static int64_t pipelineLoop(TileLoop& tile, int64_t stages) {
  scf::ForOp loop = tile.loop;
  Location loc = loop.getLoc();
  int64_t warps = tile.wait.getTeam().getCount();
  // Buffers where the tiles were; the ring before the loop, with the barrier
  // that its making needs.
  int64_t bytes = 0;
  SmallVector<Value> tiles(tile.tiles.begin(), tile.tiles.end()), buffers;
  for (Value value : tiles) {
    OpBuilder b(value.getDefiningOp());
    auto type = cast<SmemType>(value.getType());
    auto staged = SmemType::get(b.getContext(),
                                {stages, type.getRows(), type.getColumns()},
                                type.getElementType(), type.getLayout());
    bytes += staged.getBytes();
    buffers.push_back(
        SmemAllocOp::create(b, value.getLoc(), staged, IntegerAttr()));
  }
  OpBuilder b(loop);
  Value ring =
      RingAllocOp::create(b, loc, RingType::get(b.getContext(), stages), warps,
                          warps, IntegerAttr());
  SyncOp::create(b, loc, tile.wait.getTeam());

  Value iteration = loop.getInductionVar();
  b.setInsertionPoint(tile.copies.front());
  Value filled =
      RingAcquireOp::create(b, loc, b.getIndexType(), ring, iteration);
  useStages(b, filled, tiles, buffers, [&](OpOperand& use) {
    return llvm::is_contained(tile.copies, use.getOwner());
  });
  b.setInsertionPointAfter(tile.copies.back());
  RingCommitOp::create(b, loc, ring, iteration,
                       isAsynchronous(tile.copies.front()));
  b.setInsertionPoint(tile.wait);
  Value read = RingWaitOp::create(b, loc, b.getIndexType(), ring, iteration);
  useStages(b, read, tiles, buffers, [](OpOperand&) { return true; });
  b.setInsertionPoint(tile.end);
  RingReleaseOp::create(b, loc, ring, iteration);
  tile.wait.erase();
  tile.end.erase();
  for (Value value : tiles) value.getDefiningOp()->erase();
  return bytes;
}

namespace {

struct Pipeline : gsa::impl::GsaTilePipelineBase<Pipeline> {
  void runOnOperation() override {
    KernelOp kernel = getOperation();
    auto stages = kernel->getAttrOfType<IntegerAttr>(kRingStagesAttr);
    auto producers = kernel->getAttrOfType<IntegerAttr>(kProducersAttr);
    if (!stages || !producers)
      return skip(kernel, "the kernel names no stages and producers");
    if (producers.getInt() == 0)
      return skip(kernel, "the schedule has no producers");
    TileLoop tile;
    StringRef reason = matchKernel(kernel, tile);
    if (!reason.empty()) return skip(kernel, reason);
    int64_t bytes = pipelineLoop(tile, stages.getInt());
    remark::passed(kernel.getLoc(),
                   remark::RemarkOpts::name("Pipelined").category("gsa.tile"))
        << kernel.getSymName() << remark::metric("stages", stages.getInt())
        << remark::metric("bytes", bytes);
  }

  static void skip(KernelOp kernel, StringRef reason) {
    remark::missed(
        kernel.getLoc(),
        remark::RemarkOpts::name("NotPipelined").category("gsa.tile"))
        << (kernel.getSymName() + ": " + reason).str();
  }
};

}  // namespace
