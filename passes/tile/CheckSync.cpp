//===- CheckSync.cpp - rings and barriers are used as they must be --------===//
//
// gsa-tile-check-sync, and of its parts that on tiles which teams share.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/tile/Passes.h"
#include "passes/tile/SyncCheck.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSATILECHECKSYNC
#include "passes/tile/Passes.h.inc"

using namespace gsa_tile;

//===----------------------------------------------------------------------===//
// What parts share
//===----------------------------------------------------------------------===//

Region* getRoleRegion(Operation* op) {
  for (Region* region = op->getParentRegion(); region;
       region = region->getParentRegion())
    if (isa<RolesOp>(region->getParentOp())) return region;
  return nullptr;
}

static RoleAttr getRole(Region* region) {
  auto roles = cast<RolesOp>(region->getParentOp());
  return cast<RoleAttr>(roles.getRoles()[region->getRegionNumber()]);
}

TeamAttr getRoleTeam(Region* region) { return getRole(region).getTeam(); }
StringRef getRoleName(Region* region) { return getRole(region).getName(); }

template <typename Effect>
static bool hasEffectOn(Operation* op, Value value) {
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  if (!effects) return true;
  SmallVector<MemoryEffects::EffectInstance> all;
  effects.getEffectsOnValue(value, all);
  return llvm::any_of(all, [](const MemoryEffects::EffectInstance& effect) {
    return isa<Effect>(effect.getEffect());
  });
}

bool writesTo(Operation* op, Value value) {
  return hasEffectOn<MemoryEffects::Write>(op, value);
}
bool readsFrom(Operation* op, Value value) {
  return hasEffectOn<MemoryEffects::Read>(op, value);
}

Value getTileStorage(Value tile) {
  while (Operation* op = tile.getDefiningOp()) {
    if (!isa<StageOp, PartOfOp>(op)) break;
    tile = op->getOperand(0);
  }
  return tile;
}

//===----------------------------------------------------------------------===//
// Tiles between teams
//===----------------------------------------------------------------------===//

namespace {

bool covers(TeamAttr outer, TeamAttr inner) {
  return outer.getFirst() <= inner.getFirst() &&
         outer.getFirst() + outer.getCount() >=
             inner.getFirst() + inner.getCount();
}

/// The barrier that an op is, as (team, number); no team for another op.
std::pair<TeamAttr, uint64_t> getBarrier(Operation* op) {
  auto barrier = dyn_cast<BarrierOpInterface>(op);
  if (!barrier) return {TeamAttr(), 0};
  return {barrier.getTeam(), barrier.getBarrier()};
}

TeamAttr teamOf(Operation* op) {
  if (Region* role = getRoleRegion(op)) return getRoleTeam(role);
  auto kernel = op->getParentOfType<KernelOp>();
  return TeamAttr::get(op->getContext(), 0, kernel.getWarps());
}

/// Barriers that cover `a` and `b`, below or above `op` in the blocks that
/// contain it.
SmallVector<std::pair<TeamAttr, uint64_t>> barriersAround(Operation* op,
                                                          bool below,
                                                          TeamAttr a,
                                                          TeamAttr b) {
  SmallVector<std::pair<TeamAttr, uint64_t>> found;
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
LogicalResult checkEdge(Operation* write, Operation* access) {
  // What all warps do as one team, each role has in its own copy of the code.
  auto collective = [](Operation* op) {
    auto team = dyn_cast<TeamOpInterface>(op);
    Region* role = getRoleRegion(op);
    return team && role && team.getTeam() != getRoleTeam(role);
  };
  Region* writer = getRoleRegion(write);
  Region* reader = getRoleRegion(access);
  if (!reader || writer == reader) return success();
  if (collective(write) && collective(access)) return success();
  TeamAttr a = teamOf(write), b = teamOf(access);
  auto before = barriersAround(write, /*below=*/true, a, b);
  if (!writer) {
    // Before the roles: a barrier between the write and them.
    auto kernel = write->getParentOfType<KernelOp>();
    Operation* roles = reader->getParentOp();
    for (Operation* op = kernel.getBody().front().findAncestorOpInBlock(*write);
         op && op != roles; op = op->getNextNode())
      if (TeamAttr team = getBarrier(op).first; team && covers(team, a))
        return success();
    // Or at the start of each role.
    if (!barriersAround(access, /*below=*/false, a, b).empty())
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

/// Who uses a tile, also as the list of a view.
void collectUsers(Value tile, SmallVectorImpl<Operation*>& users) {
  for (Operation* user : tile.getUsers()) {
    users.push_back(user);
    for (Value result : user->getResults())
      if (isa<RowsType>(result.getType())) collectUsers(result, users);
  }
}

LogicalResult checkTile(Value tile) {
  SmallVector<Operation*> users;
  collectUsers(tile, users);
  for (Operation* write : users) {
    if (!writesTo(write, tile)) continue;
    for (Operation* access : users)
      if (write != access && !isMemoryEffectFree(access) &&
          failed(checkEdge(write, access)))
        return failure();
  }
  return success();
}

struct CheckSync : impl::GsaTileCheckSyncBase<CheckSync> {
  void runOnOperation() override {
    KernelOp kernel = getOperation();
    int64_t rings = 0, tiles = 0;
    if (failed(checkRings(kernel, rings))) return signalPassFailure();
    WalkResult walk = kernel.walk([&](SmemAllocOp alloc) {
      if (alloc.getType().isStaged()) return WalkResult::advance();
      ++tiles;
      return WalkResult(checkTile(alloc));
    });
    if (walk.wasInterrupted() || failed(checkAsync(kernel)))
      return signalPassFailure();
    markAllAnalysesPreserved();
    remark::passed(kernel.getLoc(),
                   remark::RemarkOpts::name("SyncChecked").category("gsa.tile"))
        << kernel.getSymName() << remark::metric("rings", rings)
        << remark::metric("tiles", tiles);
  }
};

}  // namespace
}  // namespace mlir::gsa
