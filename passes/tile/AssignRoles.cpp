//===- AssignRoles.cpp - gsa-tile-assign-roles ----------------------------===//
//
// A kernel whose loops hold roles becomes one with a single roles op: each role
// gets the kernel's code from the first op on that is not of all warps, and of
// it what its warps run. An op says itself who that is.
//
//===----------------------------------------------------------------------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/tile/Passes.h"
#include "passes/tile/Transforms.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSATILEASSIGNROLES
#include "passes/tile/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

static bool isRegister(Value value) {
  return isa<FragType, RowVecType, LanesType>(value.getType());
}

static bool touchesRegisters(Operation* op) {
  return llvm::any_of(op->getOperands(), isRegister) ||
         llvm::any_of(op->getResults(), isRegister);
}

/// Whether all effects of an op, and of the ops in its regions, are known and
/// `Effect`. Most ops have no regions, and are asked themselves.
template <typename Effect>
static bool hasNothingBut(Operation* op, bool& hasAny) {
  auto check = [&](ArrayRef<MemoryEffects::EffectInstance> effects) {
    hasAny = !effects.empty();
    return llvm::all_of(effects, [](const MemoryEffects::EffectInstance& e) {
      return isa<Effect>(e.getEffect());
    });
  };
  if (op->getNumRegions() > 0) {
    auto effects = getEffectsRecursively(op);
    return effects && check(*effects);
  }
  auto interface = dyn_cast<MemoryEffectOpInterface>(op);
  if (!interface) return false;
  SmallVector<MemoryEffects::EffectInstance> effects;
  interface.getEffects(effects);
  return check(effects);
}

/// Makes storage and does nothing else.
static bool isAllocation(Operation* op) {
  bool hasAny = false;
  return op->getNumResults() > 0 &&
         hasNothingBut<MemoryEffects::Allocate>(op, hasAny) && hasAny;
}

/// Changes nothing: whoever needs its result may run it.
static bool changesNothing(Operation* op) {
  bool hasAny = false;
  return hasNothingBut<MemoryEffects::Read>(op, hasAny);
}

static bool holdsRoles(Operation* op) {
  return op->walk([](RolesOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

namespace {

/// Warps that no role names run nothing of what is split.
class RoleSplitter {
 public:
  RoleSplitter(KernelOp kernel, ArrayAttr roles)
      : kernel(kernel),
        block(TeamAttr::get(kernel.getContext(), 0, kernel.getWarps())),
        roles(roles) {}
  LogicalResult run(Location loc);

 private:
  TeamAttr teamOf(unsigned role) const {
    return cast<RoleAttr>(roles[role]).getTeam();
  }
  /// The warps that compute: registers and what has no team are theirs.
  unsigned last() const { return roles.size() - 1; }
  Operation* findStart();
  FailureOr<Operation*> deferRanks(Operation* start);
  LogicalResult checkUses(unsigned role, Region& body);
  LogicalResult project(Operation* op, unsigned role, OpBuilder& b,
                        IRMapping& values);
  LogicalResult projectBlock(Block& from, unsigned role, OpBuilder& b,
                             IRMapping& values);

  KernelOp kernel;
  TeamAttr block;
  ArrayAttr roles;
};

}  // namespace

/// The first op of the kernel that not all warps run: roles begin there.
Operation* RoleSplitter::findStart() {
  for (Operation& op : kernel.getBody().front()) {
    if (holdsRoles(&op)) return &op;
    if (touchesRegisters(&op)) return &op;
    // for_each spreads over all lanes.
    if (changesNothing(&op) || isAllocation(&op) || isa<ForEachOp>(op))
      continue;
    auto team = dyn_cast<TeamOpInterface>(op);
    if (!team || team.getTeam() != block) return &op;
  }
  return nullptr;
}

/// Whether an op, or one in its regions, uses a result of `sources`.
static bool usesResultOf(Operation* op,
                         const llvm::SetVector<Operation*>& sources) {
  return op
      ->walk([&](Operation* inner) {
        bool uses = llvm::any_of(inner->getOperands(), [&](Value operand) {
          return sources.contains(operand.getDefiningOp());
        });
        return uses ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Numbers of warps within one role's team, and what is computed from them
/// alone, go to that role: they are moved behind the start. Returns where roles
/// begin now.
FailureOr<Operation*> RoleSplitter::deferRanks(Operation* start) {
  llvm::SetVector<Operation*> deferred;
  for (Operation& op : *start->getBlock()) {
    if (&op == start) break;
    auto team = dyn_cast<TeamOpInterface>(op);
    bool isRank = team && team.getTeam() != block && changesNothing(&op);
    bool usesRank = usesResultOf(&op, deferred);
    if (usesRank && !changesNothing(&op))
      return op.emitOpError()
             << "is run by all warps, but depends on the number of a warp "
                "within one role";
    if (isRank || usesRank) deferred.insert(&op);
  }
  for (Operation* op : deferred) op->moveBefore(start);
  return deferred.empty() ? start : deferred.front();
}

LogicalResult RoleSplitter::projectBlock(Block& from, unsigned role,
                                         OpBuilder& b, IRMapping& values) {
  for (Operation& op : from)
    if (failed(project(&op, role, b, values))) return failure();
  return success();
}

LogicalResult RoleSplitter::project(Operation* op, unsigned role, OpBuilder& b,
                                    IRMapping& values) {
  if (auto inner = dyn_cast<RolesOp>(op)) {
    if (inner.getRoles() != roles)
      return op->emitOpError()
             << "has other roles than the kernel's first: " << inner.getRoles()
             << " and " << roles;
    for (Operation& own : inner.getBodies()[role].front().without_terminator())
      b.clone(own, values);
    return success();
  }
  if (isa<ForEachOp>(op)) {
    b.clone(*op, values);
    return success();
  }
  if (op->getNumRegions() > 0) {
    Operation* copy = op->cloneWithoutRegions(values);
    b.insert(copy);
    for (auto [from, to] :
         llvm::zip_equal(op->getRegions(), copy->getRegions()))
      for (Block& block : from) {
        auto* target = new Block();
        to.push_back(target);
        for (BlockArgument argument : block.getArguments())
          values.map(argument, target->addArgument(argument.getType(),
                                                   argument.getLoc()));
        OpBuilder inner = OpBuilder::atBlockEnd(target);
        if (failed(projectBlock(block, role, inner, values))) return failure();
      }
    values.map(op->getResults(), copy->getResults());
    return success();
  }
  bool isMine = role == last();
  if (auto team = dyn_cast<TeamOpInterface>(op)) {
    TeamAttr mine = teamOf(role), its = team.getTeam();
    int64_t end = its.getFirst() + its.getCount();
    isMine = its.getFirst() <= mine.getFirst() &&
             mine.getFirst() + mine.getCount() <= end;
    bool apart = mine.getFirst() >= end ||
                 its.getFirst() >= mine.getFirst() + mine.getCount();
    if (!isMine && !apart)
      return op->emitOpError() << "is run by a part of role "
                               << cast<RoleAttr>(roles[role]).getName()
                               << ": expected all of its warps " << mine
                               << " or none, got " << its;
  } else if (!touchesRegisters(op) && changesNothing(op)) {
    isMine = true;
  }
  if (isMine) b.clone(*op, values);
  return success();
}

/// Removes what nobody uses, inner ops last.
static void removeDead(Block& block) {
  for (Operation& op :
       llvm::make_early_inc_range(llvm::reverse(block.getOperations()))) {
    for (Region& region : op.getRegions())
      for (Block& inner : region) removeDead(inner);
    if (isOpTriviallyDead(&op)) op.erase();
  }
}

/// What a role runs may use what all warps have, and what the role has itself:
/// not what only other warps run.
LogicalResult RoleSplitter::checkUses(unsigned role, Region& body) {
  Operation* split = body.getParentOp();
  WalkResult walk = body.walk([&](Operation* op) -> WalkResult {
    for (Value operand : op->getOperands()) {
      Operation* source = operand.getDefiningOp();
      if (!source) source = operand.getParentBlock()->getParentOp();
      Operation* top = split->getBlock()->findAncestorOpInBlock(*source);
      if (!top || !split->isBeforeInBlock(top)) continue;
      InFlightDiagnostic error = op->emitOpError()
                                 << "is run by role "
                                 << cast<RoleAttr>(roles[role]).getName()
                                 << ", but uses what only other warps run";
      error.attachNote(source->getLoc()) << "run by others";
      return error;
    }
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

LogicalResult RoleSplitter::run(Location loc) {
  FailureOr<Operation*> found = deferRanks(findStart());
  if (failed(found)) return failure();
  Operation* start = *found;
  // Tiles, rings and cursors are made once, by all.
  Block& body = kernel.getBody().front();
  SmallVector<Operation*> allocations;
  for (Operation& top : llvm::make_range(start->getIterator(), body.end()))
    top.walk([&](Operation* op) {
      if (op->getNumRegions() == 0 && !touchesRegisters(op) && isAllocation(op))
        allocations.push_back(op);
    });
  for (Operation* op : allocations) op->moveBefore(start);

  OpBuilder b(start);
  auto split = RolesOp::create(b, loc, roles, roles.size());
  for (unsigned role = 0; role < roles.size(); ++role) {
    OpBuilder inner(b.getContext());
    inner.createBlock(&split.getBodies()[role]);
    IRMapping values;
    for (Operation* op = start; !op->hasTrait<OpTrait::IsTerminator>();
         op = op->getNextNode())
      if (failed(project(op, role, inner, values))) return failure();
    YieldOp::create(inner, loc);
    removeDead(split.getBodies()[role].front());
    if (failed(checkUses(role, split.getBodies()[role]))) return failure();
  }
  while (split->getNextNode() != body.getTerminator())
    body.getTerminator()->getPrevNode()->erase();
  return success();
}

FailureOr<ArrayAttr> gsa::assignRoles(KernelOp kernel) {
  SmallVector<RolesOp> all;
  kernel.walk([&](RolesOp roles) { all.push_back(roles); });
  bool isNested = llvm::any_of(
      all, [&](RolesOp roles) { return roles->getParentOp() != kernel; });
  if (all.empty() || (all.size() == 1 && !isNested))
    return ArrayAttr::get(kernel.getContext(), {});
  ArrayAttr roles = all.front().getRoles();
  if (failed(RoleSplitter(kernel, roles).run(all.front().getLoc())))
    return failure();
  return roles;
}

namespace {

struct AssignRoles : gsa::impl::GsaTileAssignRolesBase<AssignRoles> {
  void runOnOperation() override {
    KernelOp kernel = getOperation();
    FailureOr<ArrayAttr> roles = assignRoles(kernel);
    if (failed(roles)) return signalPassFailure();
    for (Attribute attribute : *roles) {
      auto role = cast<RoleAttr>(attribute);
      remark::passed(kernel.getLoc(),
                     remark::RemarkOpts::name("Role").category("gsa.tile"))
          << (kernel.getSymName() + ", " + role.getName()).str()
          << remark::metric("first_warp", role.getTeam().getFirst())
          << remark::metric("warps", role.getTeam().getCount());
    }
  }
};

}  // namespace
