//===- CheckSync.cpp - rings and barriers are used as they must be --------===//
//
// gsa-tile-check-sync. What it accepts has, for every slot of a ring, one
// commit between two acquires and one release between two waits on every path:
// both ops of a pair are in one block, so either both run or none does.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Remarks.h"
#include "passes/tile/Passes.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSATILECHECKSYNC
#include "passes/tile/Passes.h.inc"

namespace {

using namespace gsa_tile;

/// Ops from `begin` to `end` in one block may use a slot; without an end, to
/// the end of the block.
struct SlotRange {
  Operation* begin;
  Operation* end;
};

/// The role that runs an op: its region, or null for all warps.
Region* getRoleRegion(Operation* op) {
  for (Region* region = op->getParentRegion(); region;
       region = region->getParentRegion())
    if (isa<RolesOp>(region->getParentOp())) return region;
  return nullptr;
}

TeamAttr getRoleTeam(Region* region) {
  auto roles = cast<RolesOp>(region->getParentOp());
  return cast<RoleAttr>(roles.getRoles()[region->getRegionNumber()]).getTeam();
}

StringRef getRoleName(Region* region) {
  auto roles = cast<RolesOp>(region->getParentOp());
  return cast<RoleAttr>(roles.getRoles()[region->getRegionNumber()]).getName();
}

bool covers(TeamAttr outer, TeamAttr inner) {
  return outer.getFirst() <= inner.getFirst() &&
         outer.getFirst() + outer.getCount() >=
             inner.getFirst() + inner.getCount();
}

/// The barrier that an op is, as (team, number); no team for another op.
std::pair<TeamAttr, int64_t> getBarrier(Operation* op) {
  if (auto sync = dyn_cast<SyncOp>(op))
    return {sync.getTeam(), sync.getBarrier()};
  if (auto wait = dyn_cast<CopyWaitOp>(op))
    return {wait.getTeam(), wait.getBarrier()};
  return {TeamAttr(), 0};
}

class SyncChecker {
 public:
  explicit SyncChecker(KernelOp kernel) : kernel(kernel) {}
  LogicalResult check();
  int64_t rings = 0, tiles = 0;

 private:
  LogicalResult checkRing(RingAllocOp ring);
  template <typename Begin, typename End>
  LogicalResult checkPairs(RingAllocOp ring, StringRef begin, StringRef end);
  template <typename Op>
  LogicalResult checkTeam(RingAllocOp ring, int64_t expected, StringRef what);
  LogicalResult checkFirstUse(RingAllocOp ring);
  LogicalResult checkStages(SmemAllocOp buffer);
  LogicalResult checkStage(StageOp stage, Value& ring);
  LogicalResult checkTile(SmemAllocOp tile);
  LogicalResult checkEdge(SmemAllocOp tile, Operation* write,
                          Operation* access);

  TeamAttr allWarps() {
    return TeamAttr::get(kernel.getContext(), 0, kernel.getWarps());
  }
  TeamAttr teamOf(Operation* op) {
    Region* role = getRoleRegion(op);
    return role ? getRoleTeam(role) : allWarps();
  }

  KernelOp kernel;
  /// By the op that gives the slot.
  llvm::DenseMap<Operation*, SlotRange> slots;
};

}  // namespace

//===----------------------------------------------------------------------===//
// Rings
//===----------------------------------------------------------------------===//

/// Users of a ring of one kind, in the order of the text.
template <typename... Ops>
static SmallVector<Operation*> usersOf(KernelOp kernel, Value ring) {
  SmallVector<Operation*> users;
  kernel.walk([&](Operation* op) {
    if (isa<Ops...>(op) && op->getOperand(0) == ring) users.push_back(op);
  });
  return users;
}

/// Each `Begin` has one `End` below it in its block, before the next `Begin`,
/// of the same iteration; and each `End` belongs to a `Begin`.
template <typename Begin, typename End>
LogicalResult SyncChecker::checkPairs(RingAllocOp ring, StringRef begin,
                                      StringRef end) {
  llvm::SmallPtrSet<Operation*, 8> matched;
  for (Operation* first : usersOf<Begin>(kernel, ring)) {
    Operation* last = nullptr;
    for (Operation* op = first->getNextNode(); op && !last;
         op = op->getNextNode()) {
      bool isOfRing =
          op->getNumOperands() > 0 && op->getOperand(0) == ring.getResult();
      if (isOfRing && isa<Begin>(op)) break;
      bool isExpect = isa<RingAcquireOp>(first) && isa<RingExpectOp>(op);
      if (isOfRing && (isa<End>(op) || isExpect)) last = op;
    }
    if (!last)
      return first->emitOpError()
             << "has no " << end << " of this ring below it in the same block";
    if (last->getOperand(1) != first->getOperand(1)) {
      InFlightDiagnostic error = last->emitOpError()
                                 << "is of another iteration than the " << begin
                                 << " above it";
      error.attachNote(first->getLoc()) << "the " << begin;
      return error;
    }
    matched.insert(last);
    // The copy engine writes after the expectation was announced.
    slots[first] = {first, isa<RingExpectOp>(last) ? nullptr : last};
  }
  for (Operation* last : usersOf<End, RingExpectOp>(kernel, ring)) {
    if (isa<RingExpectOp>(last) && !std::is_same_v<Begin, RingAcquireOp>)
      continue;
    if (!matched.contains(last))
      return last->emitOpError() << "has no " << begin
                                 << " of this ring above it in the same block";
  }
  return success();
}

/// Ops of one kind are run by one team of as many warps as the ring counts.
template <typename Op>
LogicalResult SyncChecker::checkTeam(RingAllocOp ring, int64_t expected,
                                     StringRef what) {
  TeamAttr first;
  for (Operation* op : usersOf<Op>(kernel, ring)) {
    TeamAttr team = teamOf(op);
    if (team.getCount() != expected) {
      InFlightDiagnostic error = op->emitOpError()
                                 << "is run by " << team.getCount()
                                 << " warps, but the ring counts " << expected
                                 << ' ' << what;
      error.attachNote(ring.getLoc()) << "the ring";
      return error;
    }
    if (first && team != first)
      return op->emitOpError() << "is run by warps of " << team
                               << ", others of this ring by warps of " << first;
    first = team;
  }
  return success();
}

/// The barriers of a ring are ready for all warps only behind a barrier.
LogicalResult SyncChecker::checkFirstUse(RingAllocOp ring) {
  Operation* first = nullptr;
  for (Operation* user : ring->getUsers()) {
    Operation* ancestor = ring->getBlock()->findAncestorOpInBlock(*user);
    if (!first || ancestor->isBeforeInBlock(first)) first = ancestor;
  }
  for (Operation* op = ring->getNextNode(); op && op != first;
       op = op->getNextNode())
    if (getBarrier(op).first == allWarps()) return success();
  if (!first) return success();
  InFlightDiagnostic error = ring.emitOpError()
                             << "is used without a sync of all "
                             << kernel.getWarps() << " warps in between";
  error.attachNote(first->getLoc()) << "the first use";
  return error;
}

LogicalResult SyncChecker::checkRing(RingAllocOp ring) {
  ++rings;
  if (failed(checkPairs<RingAcquireOp, RingCommitOp>(ring, "ring_acquire",
                                                     "ring_commit")) ||
      failed(checkPairs<RingWaitOp, RingReleaseOp>(ring, "ring_wait",
                                                   "ring_release")) ||
      failed(checkTeam<RingCommitOp>(ring, ring.getProducers(), "producers")) ||
      failed(checkTeam<RingReleaseOp>(ring, ring.getConsumers(), "consumers")))
    return failure();
  bool fills = !usersOf<RingAcquireOp>(kernel, ring).empty();
  bool reads = !usersOf<RingWaitOp>(kernel, ring).empty();
  if (fills != reads)
    return ring.emitOpError()
           << (fills ? "is filled, but no warp waits for it"
                     : "is waited for, but no warp fills it");
  return checkFirstUse(ring);
}

//===----------------------------------------------------------------------===//
// Buffers of rings
//===----------------------------------------------------------------------===//

static bool writesTo(Operation* op, Value tile) {
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  if (!effects) return true;
  SmallVector<MemoryEffects::EffectInstance> all;
  effects.getEffectsOnValue(tile, all);
  return llvm::any_of(all, [](const MemoryEffects::EffectInstance& effect) {
    return isa<MemoryEffects::Write>(effect.getEffect());
  });
}

static bool readsFrom(Operation* op, Value tile) {
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  if (!effects) return true;
  SmallVector<MemoryEffects::EffectInstance> all;
  effects.getEffectsOnValue(tile, all);
  return llvm::any_of(all, [](const MemoryEffects::EffectInstance& effect) {
    return isa<MemoryEffects::Read>(effect.getEffect());
  });
}

/// A stage is used only while its slot is held: written between acquire and
/// commit, read between wait and release.
LogicalResult SyncChecker::checkStage(StageOp stage, Value& ring) {
  Operation* holder = stage.getSlot().getDefiningOp();
  if (!isa_and_nonnull<RingAcquireOp, RingWaitOp>(holder))
    return stage.emitOpError()
           << "expected a slot from ring_acquire or ring_wait";
  if (ring && holder->getOperand(0) != ring)
    return stage.emitOpError() << "takes its slot from another ring than other "
                                  "stages of the same buffer";
  ring = holder->getOperand(0);
  bool fills = isa<RingAcquireOp>(holder);
  SlotRange range = slots.lookup(holder);
  for (Operation* user : stage->getUsers()) {
    Operation* ancestor = holder->getBlock()->findAncestorOpInBlock(*user);
    if (!ancestor || (range.end && !ancestor->isBeforeInBlock(range.end))) {
      InFlightDiagnostic error = user->emitOpError()
                                 << "uses a stage after its slot was given up";
      if (range.end) error.attachNote(range.end->getLoc()) << "given up here";
      return error;
    }
    if (fills ? readsFrom(user, stage) : writesTo(user, stage))
      return user->emitOpError()
             << (fills ? "reads a stage that is being filled"
                       : "writes a stage that others may still read");
  }
  return success();
}

LogicalResult SyncChecker::checkStages(SmemAllocOp buffer) {
  Value ring;
  for (Operation* user : buffer->getUsers()) {
    auto stage = dyn_cast<StageOp>(user);
    if (!stage)
      return user->emitOpError() << "uses all stages of a ring's buffer";
    if (failed(checkStage(stage, ring))) return failure();
  }
  if (!ring) return success();
  int64_t stages = cast<RingType>(ring.getType()).getStages();
  int64_t held = buffer.getResult().getType().getShape()[0];
  if (stages != held)
    return buffer.emitOpError()
           << "has " << held << " stages, its ring " << stages;
  return success();
}

//===----------------------------------------------------------------------===//
// Tiles between teams
//===----------------------------------------------------------------------===//

/// Barriers of one region that cover `a` and `b`, below or above `op` in the
/// blocks that contain it.
static SmallVector<std::pair<TeamAttr, int64_t>> barriersAround(Operation* op,
                                                                bool below,
                                                                TeamAttr a,
                                                                TeamAttr b) {
  SmallVector<std::pair<TeamAttr, int64_t>> found;
  for (Operation* at = op; at && !isa<RolesOp, KernelOp>(at);
       at = at->getParentOp()) {
    for (Operation* other = below ? at->getNextNode() : at->getPrevNode();
         other; other = below ? other->getNextNode() : other->getPrevNode()) {
      auto barrier = getBarrier(other);
      if (barrier.first && covers(barrier.first, a) && covers(barrier.first, b))
        found.push_back(barrier);
    }
  }
  return found;
}

/// What one team writes, another may access only behind a barrier of both.
LogicalResult SyncChecker::checkEdge(SmemAllocOp tile, Operation* write,
                                     Operation* access) {
  Region* writer = getRoleRegion(write);
  Region* reader = getRoleRegion(access);
  if (!reader || writer == reader) return success();
  TeamAttr a = teamOf(write), b = teamOf(access);
  auto before = barriersAround(write, /*below=*/true, a, b);
  if (!writer) {
    // Before the roles: a barrier between the write and them.
    Operation* roles = reader->getParentOp();
    for (Operation* op = kernel.getBody().front().findAncestorOpInBlock(*write);
         op && op != roles; op = op->getNextNode())
      if (TeamAttr team = getBarrier(op).first; team && covers(team, a))
        return success();
  } else {
    auto after = barriersAround(access, /*below=*/false, a, b);
    for (auto& barrier : before)
      if (llvm::is_contained(after, barrier)) return success();
  }
  InFlightDiagnostic error = access->emitOpError()
                             << "uses a tile that "
                             << (writer ? "role " + getRoleName(writer).str()
                                        : std::string("all warps"))
                             << " wrote, without a barrier of both in between";
  error.attachNote(write->getLoc()) << "written here";
  return error;
}

LogicalResult SyncChecker::checkTile(SmemAllocOp tile) {
  ++tiles;
  SmallVector<Operation*> users;
  kernel.walk([&](Operation* op) {
    if (llvm::is_contained(op->getOperands(), tile.getResult()))
      users.push_back(op);
  });
  for (Operation* write : users) {
    if (!writesTo(write, tile)) continue;
    for (Operation* access : users)
      if (write != access && failed(checkEdge(tile, write, access)))
        return failure();
  }
  return success();
}

LogicalResult SyncChecker::check() {
  WalkResult walk = kernel.walk([&](Operation* op) {
    if (auto ring = dyn_cast<RingAllocOp>(op))
      return WalkResult(checkRing(ring));
    return WalkResult::advance();
  });
  if (walk.wasInterrupted()) return failure();
  walk = kernel.walk([&](SmemAllocOp alloc) {
    return WalkResult(alloc.getResult().getType().isStaged()
                          ? checkStages(alloc)
                          : checkTile(alloc));
  });
  return failure(walk.wasInterrupted());
}

namespace {

struct CheckSync : impl::GsaTileCheckSyncBase<CheckSync> {
  void runOnOperation() override {
    SyncChecker checker(getOperation());
    if (failed(checker.check())) return signalPassFailure();
    markAllAnalysesPreserved();
    remark::passed(getOperation().getLoc(),
                   remark::RemarkOpts::name("SyncChecked").category("gsa.tile"))
        << getOperation().getSymName() << remark::metric("rings", checker.rings)
        << remark::metric("tiles", checker.tiles);
  }
};

}  // namespace
}  // namespace mlir::gsa
