//===- CheckRings.cpp - rings and the stages of their slots ---------------===//
//
// Part of gsa-tile-check-sync. What it accepts has, for every slot of a ring,
// one commit between two acquires and one release between two waits on every
// path: both ops of a pair are in one block, all warps of the role run it, and
// both sides go through the same loops, counting the same iterations.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/tile/SyncCheck.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

namespace {

/// Ops from `begin` to `end` in one block may use a slot.
struct SlotRange {
  Operation* begin;
  Operation* end;
};

class RingChecker {
 public:
  explicit RingChecker(KernelOp kernel) : kernel(kernel) {}
  LogicalResult check(int64_t& count);

 private:
  LogicalResult checkRing(RingAllocOp ring);
  LogicalResult checkPairs(Value ring, RingStep begin, RingStep end);
  LogicalResult checkTeam(RingAllocOp ring, RingStep step, int64_t expected,
                          StringRef what);
  LogicalResult checkFirstUse(RingAllocOp ring);
  LogicalResult checkCounts(Value ring);
  LogicalResult checkStages(SmemAllocOp buffer);
  LogicalResult checkStage(StageOp stage, Value& ring);
  LogicalResult checkFill(FillOpInterface fill, RingOpInterface acquire);

  TeamAttr allWarps() {
    return TeamAttr::get(kernel.getContext(), 0, kernel.getWarps());
  }

  KernelOp kernel;
  /// By the op that gives the slot.
  llvm::DenseMap<Operation*, SlotRange> slots;
};

}  // namespace

/// Steps of one kind of a ring, in the order of the text.
static SmallVector<RingOpInterface> stepsOf(KernelOp kernel, Value ring,
                                            RingStep step) {
  SmallVector<RingOpInterface> found;
  kernel.walk([&](RingOpInterface op) {
    if (op.getRing() == ring && op.getStep() == step) found.push_back(op);
  });
  return found;
}

/// Each `begin` has one `end` below it in its block, before the next `begin`,
/// of the same iteration; and each `end` belongs to a `begin`.
LogicalResult RingChecker::checkPairs(Value ring, RingStep begin,
                                      RingStep end) {
  llvm::SmallPtrSet<Operation*, 8> matched;
  for (RingOpInterface first : stepsOf(kernel, ring, begin)) {
    RingOpInterface last;
    for (Operation* op = first->getNextNode(); op && !last;
         op = op->getNextNode()) {
      auto step = dyn_cast<RingOpInterface>(op);
      if (!step || step.getRing() != ring) continue;
      if (step.getStep() == begin) break;
      if (step.getStep() == end) last = step;
    }
    if (!last)
      return first->emitOpError() << "has no " << stringifyRingStep(end)
                                  << " of this ring below it in the same block";
    if (last.getIteration() != first.getIteration()) {
      InFlightDiagnostic error = last->emitOpError()
                                 << "is of another iteration than the "
                                 << stringifyRingStep(begin) << " above it";
      error.attachNote(first->getLoc()) << "the " << stringifyRingStep(begin);
      return error;
    }
    matched.insert(last);
    slots[first] = {first, last};
  }
  for (RingOpInterface last : stepsOf(kernel, ring, end))
    if (!matched.contains(last))
      return last->emitOpError() << "has no " << stringifyRingStep(begin)
                                 << " of this ring above it in the same block";
  return success();
}

/// Whether a value is the same in all warps of a role: nothing of what it is
/// made of is the number of a warp, or what a warp has in its registers.
static bool isSameInAllWarps(Value value) {
  SmallVector<Value> open = {value};
  llvm::SmallDenseSet<Value> seen;
  while (!open.empty()) {
    Value next = open.pop_back_val();
    Operation* source = next.getDefiningOp();
    if (!source || !seen.insert(next).second) continue;
    bool ofWarp = llvm::any_of(source->getOperandTypes(), [](Type type) {
      return isa<FragType, RowVecType, LanesType>(type);
    });
    // What warps find out at a barrier they agree on.
    bool isOfOne =
        isa<TeamOpInterface>(source) && !isa<BarrierOpInterface>(source);
    if (isOfOne || ofWarp) return false;
    llvm::append_range(open, source->getOperands());
  }
  return true;
}

/// What decides whether, or how often, the regions of an op are run.
static OperandRange getConditions(Operation* op) {
  return isa<scf::IfOp, scf::ForOp>(op) ? op->getOperands()
                                        : OperandRange(nullptr, 0);
}

/// Steps of one kind are taken by one team of as many warps as the ring counts,
/// by all of them.
LogicalResult RingChecker::checkTeam(RingAllocOp ring, RingStep step,
                                     int64_t expected, StringRef what) {
  TeamAttr first;
  for (RingOpInterface op : stepsOf(kernel, ring, step)) {
    Region* role = getRoleRegion(op);
    TeamAttr team = role ? getRoleTeam(role) : allWarps();
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
    for (Operation* at = op->getParentOp(); at != kernel && !isa<RolesOp>(at);
         at = at->getParentOp())
      if (!llvm::all_of(getConditions(at), isSameInAllWarps)) {
        InFlightDiagnostic error =
            op->emitOpError() << "is run by some of the " << expected << ' '
                              << what << " only: a warp that skips a tile "
                              << "must wait for its slot and release it, too";
        error.attachNote(at->getLoc()) << "the condition";
        return error;
      }
  }
  return success();
}

/// The barriers of a ring are ready for all warps only behind a barrier.
LogicalResult RingChecker::checkFirstUse(RingAllocOp ring) {
  Operation* first = nullptr;
  for (Operation* user : ring->getUsers()) {
    Operation* ancestor = ring->getBlock()->findAncestorOpInBlock(*user);
    if (!first || ancestor->isBeforeInBlock(first)) first = ancestor;
  }
  if (!first) return success();
  auto isMeeting = [&](Operation* op) {
    auto barrier = dyn_cast<BarrierOpInterface>(op);
    return barrier && barrier.getTeam() == allWarps();
  };
  for (Operation* op = ring->getNextNode(); op && op != first;
       op = op->getNextNode())
    if (isMeeting(op)) return success();
  // Or each role has it before its first use.
  bool inRoles = isa<RolesOp>(first);
  for (Operation* user : ring->getUsers()) {
    Region* role = getRoleRegion(user);
    Operation* at = role ? role->front().findAncestorOpInBlock(*user) : nullptr;
    while (at && !isMeeting(at)) at = at->getPrevNode();
    inRoles &= at != nullptr;
  }
  if (inRoles) return success();
  InFlightDiagnostic error = ring.emitOpError()
                             << "is used without a sync of all "
                             << kernel.getWarps() << " warps in between";
  error.attachNote(first->getLoc()) << "the first use";
  return error;
}

//===----------------------------------------------------------------------===//
// Iterations
//===----------------------------------------------------------------------===//

/// Whether two values of different roles are the same number: one value, or
/// computed by equal ops from such. Loops correspond by their depth.
static bool isSameNumber(Value a, Value b, unsigned depth = 0) {
  if (a == b) return true;
  if (depth > 32 || a.getType() != b.getType()) return false;
  Operation *source = a.getDefiningOp(), *other = b.getDefiningOp();
  if (!source && !other) {
    // Induction variables of loops with the same bounds.
    auto loopOf = [](Value v) {
      return dyn_cast<scf::ForOp>(v.getParentBlock()->getParentOp());
    };
    scf::ForOp x = loopOf(a), y = loopOf(b);
    return x && y && a == x.getInductionVar() && b == y.getInductionVar() &&
           isSameNumber(x.getLowerBound(), y.getLowerBound(), depth + 1) &&
           isSameNumber(x.getUpperBound(), y.getUpperBound(), depth + 1) &&
           isSameNumber(x.getStep(), y.getStep(), depth + 1);
  }
  if (!source || !other) return false;
  auto flags = OperationEquivalence::IgnoreLocations;
  return OperationEquivalence::isEquivalentTo(
             source, other,
             [&](Value x, Value y) {
               return success(isSameNumber(x, y, depth + 1));
             },
             nullptr, flags) &&
         cast<OpResult>(a).getResultNumber() ==
             cast<OpResult>(b).getResultNumber();
}

/// A loop or branch around an op, and which of its regions holds it.
struct Around {
  Operation* op;
  unsigned region;
};

/// Outermost last, without roles: those may stand in loops still.
static SmallVector<Around> findAround(Operation* op) {
  SmallVector<Around> around;
  for (Region* region = op->getParentRegion();
       !isa<KernelOp>(region->getParentOp());
       region = region->getParentRegion())
    if (!isa<RolesOp>(region->getParentOp()))
      around.push_back({region->getParentOp(), region->getRegionNumber()});
  return around;
}

/// Whether two loops have the same iterations, or two branches one condition.
static bool isSameAround(const Around& a, const Around& b) {
  if (a.op == b.op) return a.region == b.region;
  if (auto loop = dyn_cast<scf::ForOp>(a.op),
      other = dyn_cast<scf::ForOp>(b.op);
      loop && other)
    return isSameNumber(loop.getInductionVar(), other.getInductionVar());
  auto branch = dyn_cast<scf::IfOp>(a.op), other = dyn_cast<scf::IfOp>(b.op);
  return branch && other && a.region == b.region &&
         isSameNumber(branch.getCondition(), other.getCondition());
}

static bool isRunAsOften(Operation* a, Operation* b) {
  return llvm::equal(findAround(a), findAround(b), isSameAround);
}

/// What a cursor holds, or that and more.
static bool comesFromCursor(Value iteration) {
  auto isCursor = [](Value value) {
    Operation* source = value.getDefiningOp();
    return source &&
           llvm::any_of(source->getOperandTypes(), llvm::IsaPred<CursorType>);
  };
  auto sum = iteration.getDefiningOp<arith::AddIOp>();
  return isCursor(iteration) ||
         (sum && (isCursor(sum.getLhs()) || isCursor(sum.getRhs())));
}

/// Whether the step in place `place` of `places`, of one kind, is of the
/// iterations that follow those before it, from 0: a constant outside of loops,
/// or what the only loop counts.
static bool countsFromZero(RingOpInterface step, unsigned place,
                           unsigned places) {
  auto around = findAround(step);
  auto isLoop = [](const Around& at) { return isa<scf::ForOp>(at.op); };
  if (llvm::none_of(around, isLoop))
    return getConstantIntValue(step.getIteration()) == place &&
           (places == 1 || around.empty());
  auto loop = dyn_cast<scf::ForOp>(around.front().op);
  return places == 1 && loop && llvm::count_if(around, isLoop) == 1 &&
         step.getIteration() == loop.getInductionVar() &&
         getConstantIntValue(loop.getLowerBound()) == 0 &&
         getConstantIntValue(loop.getStep()) == 1;
}

/// Those who fill and those who read go through the same slots: their steps
/// correspond, in the same loops; and a ring that is gone through again counts
/// on.
LogicalResult RingChecker::checkCounts(Value ring) {
  auto fills = stepsOf(kernel, ring, RingStep::Acquire);
  auto reads = stepsOf(kernel, ring, RingStep::Wait);
  if (fills.size() != reads.size())
    return ring.getDefiningOp()->emitOpError()
           << "is acquired in " << fills.size() << " places and waited for in "
           << reads.size() << ": expected as many";
  for (auto [i, fill, read] : llvm::enumerate(fills, reads)) {
    if (!isRunAsOften(fill, read) ||
        !isSameNumber(fill.getIteration(), read.getIteration())) {
      InFlightDiagnostic error =
          read->emitOpError()
          << "counts other iterations than the ring_acquire of its ring";
      error.attachNote(fill->getLoc()) << "the ring_acquire";
      return error;
    }
    if (!comesFromCursor(fill.getIteration()) &&
        !countsFromZero(fill, i, fills.size()))
      return fill->emitOpError()
             << "is of iterations that do not follow each other from 0: a ring "
                "that is gone through again counts on from a cursor";
  }
  return success();
}

LogicalResult RingChecker::checkRing(RingAllocOp ring) {
  if (failed(checkPairs(ring, RingStep::Acquire, RingStep::Commit)) ||
      failed(checkPairs(ring, RingStep::Wait, RingStep::Release)) ||
      failed(checkTeam(ring, RingStep::Commit, ring.getProducers(),
                       "producers")) ||
      failed(
          checkTeam(ring, RingStep::Release, ring.getConsumers(), "consumers")))
    return failure();
  bool fills = !stepsOf(kernel, ring, RingStep::Acquire).empty();
  bool reads = !stepsOf(kernel, ring, RingStep::Wait).empty();
  if (fills != reads)
    return ring.emitOpError()
           << (fills ? "is filled, but no warp waits for it"
                     : "is waited for, but no warp fills it");
  if (failed(checkCounts(ring))) return failure();
  return checkFirstUse(ring);
}

//===----------------------------------------------------------------------===//
// Buffers of rings
//===----------------------------------------------------------------------===//

/// The arrival at the commit comes after what the fill does.
LogicalResult RingChecker::checkFill(FillOpInterface fill,
                                     RingOpInterface acquire) {
  auto commit = cast<RingOpInterface>(slots.lookup(acquire).end);
  CopyEngine engine = fill.getEngine();
  if (engine == CopyEngine::Bulk) {
    if (fill.getArrival() == acquire.getRing()) return success();
    return fill->emitOpError()
           << "fills a stage, but its bytes do not arrive at the stage's ring";
  }
  AsyncKind expected =
      engine == CopyEngine::CpAsync ? AsyncKind::Copy : AsyncKind::None;
  if (commit.getAsyncKind() == expected) return success();
  InFlightDiagnostic error =
      commit->emitOpError()
      << "does not wait for what fills the stage: expected asynchronous = "
      << (expected == AsyncKind::Copy ? "true" : "false") << " after "
      << stringifyCopyEngine(engine);
  error.attachNote(fill->getLoc()) << "filled here";
  return error;
}

/// A stage is used only while its slot is held: written between acquire and
/// commit, read between wait and release.
LogicalResult RingChecker::checkStage(StageOp stage, Value& ring) {
  auto holder = stage.getSlot().getDefiningOp<RingOpInterface>();
  if (!holder || !slots.contains(holder))
    return stage.emitOpError()
           << "expected a slot from ring_acquire or ring_wait";
  if (ring && holder.getRing() != ring)
    return stage.emitOpError() << "takes its slot from another ring than other "
                                  "stages of the same buffer";
  ring = holder.getRing();
  bool fills = holder.getStep() == RingStep::Acquire;
  SlotRange range = slots.lookup(holder);
  for (Operation* user : stage->getUsers()) {
    Operation* ancestor = holder->getBlock()->findAncestorOpInBlock(*user);
    if (!ancestor || !ancestor->isBeforeInBlock(range.end)) {
      InFlightDiagnostic error = user->emitOpError()
                                 << "uses a stage after its slot was given up";
      error.attachNote(range.end->getLoc()) << "given up here";
      return error;
    }
    if (fills ? readsFrom(user, stage) : writesTo(user, stage))
      return user->emitOpError()
             << (fills ? "reads a stage that is being filled"
                       : "writes a stage that others may still read");
    if (auto fill = dyn_cast<FillOpInterface>(user);
        fill && failed(checkFill(fill, holder)))
      return failure();
  }
  return success();
}

LogicalResult RingChecker::checkStages(SmemAllocOp buffer) {
  Value ring;
  for (Operation* user : buffer->getUsers()) {
    // Of no ring: tiles like others.
    if (isa<PartOfOp>(user)) return success();
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

LogicalResult RingChecker::check(int64_t& count) {
  WalkResult walk = kernel.walk([&](RingAllocOp ring) {
    ++count;
    return WalkResult(checkRing(ring));
  });
  if (walk.wasInterrupted()) return failure();
  walk = kernel.walk([&](SmemAllocOp alloc) -> WalkResult {
    if (!alloc.getType().isStaged()) return WalkResult::advance();
    return checkStages(alloc);
  });
  return failure(walk.wasInterrupted());
}

LogicalResult gsa::checkRings(KernelOp kernel, int64_t& count) {
  return RingChecker(kernel).check(count);
}
