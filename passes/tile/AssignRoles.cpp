//===- AssignRoles.cpp - gsa-tile-assign-roles ----------------------------===//
//
// Splits a kernel whose loop runs over a ring: warps that fill it, which come
// first, and warps that read it. Each role gets its own copy of the loop, from
// which the other's ops are gone; registers and everything after the loop
// belong to the role that computes.
//
//===----------------------------------------------------------------------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "dialect/GsaTile/PipelineAttrs.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/tile/Passes.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSATILEASSIGNROLES
#include "passes/tile/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

/// Hardware barrier of the role that computes; 0 is that of the block.
static constexpr int64_t kComputeBarrier = 1;

static bool isProducerOp(Operation* op) {
  return isa<RingAcquireOp, RingCommitOp, CopyRowsOp, GatherRowsOp>(op);
}

static bool isRegister(Value value) {
  return isa<FragType, RowVecType>(value.getType());
}

namespace {

/// What the pass finds in a kernel.
struct RoleSplit {
  scf::ForOp loop;
  RingAllocOp ring;
  /// Ops above the loop that only the computing warps need, in order.
  llvm::SetVector<Operation*> compute;
};

}  // namespace

/// Whether `op`, which is above the loop, is work of the computing warps: it
/// touches registers or depends on the warp's number.
static bool isCompute(Operation* op, const RoleSplit& split) {
  auto visit = [&](Operation* inner) {
    bool uses = isa<WarpRankOp>(inner) ||
                llvm::any_of(inner->getResults(), isRegister) ||
                llvm::any_of(inner->getOperands(), [&](Value operand) {
                  return isRegister(operand) ||
                         split.compute.contains(operand.getDefiningOp());
                });
    return uses ? WalkResult::interrupt() : WalkResult::advance();
  };
  return op->walk(visit).wasInterrupted();
}

/// Whether `op` writes one of `tiles`.
static bool writesAny(Operation* op, const llvm::SmallDenseSet<Value>& tiles) {
  auto effects = getEffectsRecursively(op);
  if (!effects) return true;
  return llvm::any_of(*effects, [&](MemoryEffects::EffectInstance& effect) {
    return isa<MemoryEffects::Write>(effect.getEffect()) && effect.getValue() &&
           tiles.contains(effect.getValue());
  });
}

/// Finds the loop and what moves into the computing role. Returns why the
/// kernel cannot be split, or an empty string.
static StringRef findSplit(KernelOp kernel, RoleSplit& split) {
  for (auto ring : kernel.getBody().getOps<RingAllocOp>()) {
    if (split.ring) return "there is more than one ring";
    split.ring = ring;
  }
  if (!split.ring) return "there is no ring";
  for (auto loop : kernel.getBody().getOps<scf::ForOp>())
    if (loop->hasAttr(kMainLoopAttr)) split.loop = loop;
  if (!split.loop) return "there is no loop over tiles";

  llvm::SmallDenseSet<Value> read;
  for (Operation& op : kernel.getBody().front()) {
    if (&op == split.loop) break;
    if (isCompute(&op, split)) {
      split.compute.insert(&op);
      for (Value operand : op.getOperands())
        if (isa<SmemType>(operand.getType())) read.insert(operand);
    } else if (writesAny(&op, read)) {
      return "a tile is written again above the loop";
    }
  }
  for (Operation& op : *split.loop.getBody()) {
    if (!isProducerOp(&op)) continue;
    SmallVector<Operation*> needed = {&op};
    while (!needed.empty())
      for (Value operand : needed.pop_back_val()->getOperands()) {
        Operation* source = operand.getDefiningOp();
        if (!source) continue;
        if (split.compute.contains(source))
          return "a copy depends on the number of the warp";
        if (split.loop->isAncestor(source)) needed.push_back(source);
      }
  }
  return "";
}

/// Removes from the body all that the filling role does not need.
static void keepProducer(scf::ForOp loop) {
  for (Operation& op : llvm::make_early_inc_range(
           llvm::drop_begin(llvm::reverse(*loop.getBody()))))
    if (!isProducerOp(&op) && op.use_empty()) op.erase();
}

/// Removes the filling role's ops, and what nobody uses then.
static void keepConsumer(scf::ForOp loop) {
  for (Operation& op : llvm::make_early_inc_range(
           llvm::drop_begin(llvm::reverse(*loop.getBody()))))
    if (isProducerOp(&op) || isOpTriviallyDead(&op)) op.erase();
}

/// Replaces team `from` by `to` in `op` and all within; barriers of a changed
/// team become `barrier`.
static void replaceTeam(Operation* op, TeamAttr from, TeamAttr to,
                        int64_t barrier) {
  op->walk([&](Operation* inner) {
    for (NamedAttribute attribute : inner->getAttrDictionary()) {
      if (attribute.getValue() != from) continue;
      inner->setAttr(attribute.getName(), to);
      if (auto sync = dyn_cast<SyncOp>(inner)) sync.setBarrier(barrier);
      if (auto wait = dyn_cast<CopyWaitOp>(inner)) wait.setBarrier(barrier);
    }
  });
}

static void splitRoles(KernelOp kernel, RoleSplit& split, int64_t producers) {
  MLIRContext* context = kernel.getContext();
  int64_t consumers = kernel.getWarps();
  auto all = TeamAttr::get(context, 0, consumers);
  auto block = TeamAttr::get(context, 0, producers + consumers);
  auto load = TeamAttr::get(context, 0, producers);
  auto compute = TeamAttr::get(context, producers, consumers);

  scf::ForOp loop = split.loop;
  OpBuilder b(loop);
  auto roleOf = [&](StringRef name, TeamAttr team) {
    return RoleAttr::get(context, name, team, /*registers=*/0);
  };
  auto roles = RolesOp::create(
      b, loop.getLoc(),
      b.getArrayAttr({roleOf("load", load), roleOf("compute", compute)}), 2);
  for (Region& region : roles.getBodies()) {
    b.createBlock(&region);
    YieldOp::create(b, loop.getLoc());
  }
  Operation* loadEnd = roles.getBodies()[0].front().getTerminator();
  Operation* computeEnd = roles.getBodies()[1].front().getTerminator();

  b.setInsertionPoint(loadEnd);
  keepProducer(cast<scf::ForOp>(b.clone(*loop)));
  for (Operation* op : split.compute) op->moveBefore(computeEnd);
  loop->moveBefore(computeEnd);
  keepConsumer(loop);
  Operation* end = kernel.getBody().front().getTerminator();
  while (roles->getNextNode() != end)
    roles->getNextNode()->moveBefore(computeEnd);

  for (Operation& op : kernel.getBody().front())
    if (&op != roles) replaceTeam(&op, all, block, /*barrier=*/0);
  for (Operation& op : roles.getBodies()[0].front())
    replaceTeam(&op, all, load, /*barrier=*/0);
  for (Operation& op : roles.getBodies()[1].front())
    replaceTeam(&op, all, compute, kComputeBarrier);
  split.ring.setProducers(producers);
  kernel.setWarps(producers + consumers);
}

namespace {

struct AssignRoles : gsa::impl::GsaTileAssignRolesBase<AssignRoles> {
  void runOnOperation() override {
    KernelOp kernel = getOperation();
    auto producers = kernel->getAttrOfType<IntegerAttr>(kProducersAttr);
    if (!producers) return skip(kernel, "the kernel names no producers");
    RoleSplit split;
    StringRef reason = findSplit(kernel, split);
    if (!reason.empty()) return skip(kernel, reason);
    int64_t consumers = kernel.getWarps();
    splitRoles(kernel, split, producers.getInt());
    remark::passed(kernel.getLoc(),
                   remark::RemarkOpts::name("Roles").category("gsa.tile"))
        << kernel.getSymName()
        << remark::metric("producers", producers.getInt())
        << remark::metric("consumers", consumers);
  }

  static void skip(KernelOp kernel, StringRef reason) {
    remark::missed(kernel.getLoc(),
                   remark::RemarkOpts::name("NoRoles").category("gsa.tile"))
        << (kernel.getSymName() + ": " + reason).str();
  }
};

}  // namespace
