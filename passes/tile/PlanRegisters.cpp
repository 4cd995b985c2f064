//===- PlanRegisters.cpp - registers that fragments take ------------------===//
//
// gsa-tile-plan-registers. The compiler of kernels allocates registers; this
// says before, and at an op, when what a kernel holds cannot fit.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "passes/tile/Passes.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSATILEPLANREGISTERS
#include "passes/tile/Passes.h.inc"

namespace {

using namespace gsa_tile;

/// Fragments that an error about the limit names.
constexpr size_t kNamedFragments = 4;

/// Registers per thread of what an op makes; 0 for other ops.
int64_t getRegisters(Operation* op) {
  if (op->getNumResults() != 1) return 0;
  Type type = op->getResult(0).getType();
  if (isa<FragAllocOp>(op)) return cast<FragType>(type).getRegisters();
  // A thread holds two rows of 16, whatever the layout of 64.
  if (isa<RowVecAllocOp>(op))
    return 2 * getElementBytes(cast<RowVecType>(type).getElementType()) / 4;
  if (isa<LanesAllocOp>(op)) {
    auto lanes = cast<LanesType>(type);
    return lanes.getShape()[0] * getElementBytes(lanes.getElementType()) / 4;
  }
  return 0;
}

/// A fragment with its first and last user in its block.
struct Live {
  Operation* alloc;
  int64_t registers;
  Operation* first;
  Operation* last;
};

/// The op writes all of the fragment and reads nothing of it.
bool overwrites(Operation* op, Value fragment) {
  SmallVector<MemoryEffects::EffectInstance> effects;
  if (auto interface = dyn_cast<MemoryEffectOpInterface>(op))
    interface.getEffectsOnValue(fragment, effects);
  return !effects.empty() && llvm::all_of(effects, [](const auto& effect) {
    return isa<MemoryEffects::Write>(effect.getEffect());
  });
}

/// The innermost block in which a fragment lives: that of a loop if each
/// iteration overwrites it before it reads it.
Block* findHome(Operation* alloc) {
  Block* home = alloc->getBlock();
  while (true) {
    Operation* user = *alloc->user_begin();
    Operation* at = home->findAncestorOpInBlock(*user);
    if (at == user) return home;
    Block* inner = user->getBlock();
    while (inner->getParentOp() != at) inner = inner->getParentOp()->getBlock();
    Operation* first = nullptr;
    for (Operation* other : alloc->getUsers()) {
      Operation* place = inner->findAncestorOpInBlock(*other);
      if (!place) return home;
      if (!first || place->isBeforeInBlock(first)) first = place;
    }
    bool isLoop = isa<LoopLikeOpInterface>(at);
    if (isLoop && !overwrites(first, alloc->getResult(0))) return home;
    home = inner;
  }
}

/// Fragments by the block in which they live.
using Homes = llvm::DenseMap<Block*, SmallVector<Operation*>>;

Homes findHomes(KernelOp kernel) {
  Homes homes;
  kernel.walk([&](Operation* op) {
    if (getRegisters(op) != 0 && !op->use_empty())
      homes[findHome(op)].push_back(op);
  });
  return homes;
}

SmallVector<Live> findLive(Block& block, const Homes& homes) {
  SmallVector<Live> all;
  for (Operation* op : homes.lookup(&block)) {
    Live live{op, getRegisters(op), nullptr, nullptr};
    for (Operation* user : op->getUsers()) {
      Operation* at = block.findAncestorOpInBlock(*user);
      if (!live.first || at->isBeforeInBlock(live.first)) live.first = at;
      if (!live.last || live.last->isBeforeInBlock(at)) live.last = at;
    }
    all.push_back(live);
  }
  return all;
}

bool isLiveAt(const Live& live, Operation* op) {
  return !op->isBeforeInBlock(live.first) && !live.last->isBeforeInBlock(op);
}

/// The largest sum of registers that live at one op, and what lives there.
struct Peak {
  int64_t registers = 0;
  SmallVector<Operation*> live;
};

/// What a loop uses from outside lives throughout the loop.
Peak findPeak(Block& block, const Homes& homes) {
  SmallVector<Live> all = findLive(block, homes);
  Peak best;
  for (Operation& op : block) {
    Peak here;
    for (Region& region : op.getRegions())
      for (Block& inner : region)
        if (Peak nested = findPeak(inner, homes);
            nested.registers > here.registers)
          here = nested;
    for (const Live& live : all) {
      if (!isLiveAt(live, &op)) continue;
      here.registers += live.registers;
      here.live.push_back(live.alloc);
    }
    if (here.registers > best.registers) best = here;
  }
  return best;
}

struct PlanRegisters : impl::GsaTilePlanRegistersBase<PlanRegisters> {
  using GsaTilePlanRegistersBase::GsaTilePlanRegistersBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    KernelOp kernel = getOperation();
    Homes homes = findHomes(kernel);
    bool hasRoles = false;
    WalkResult walk = kernel.walk([&](RolesOp roles) {
      hasRoles = true;
      // What lives across the roles is held by each of them.
      Peak outside;
      for (const Live& live : findLive(*roles->getBlock(), homes))
        if (isLiveAt(live, roles)) outside.registers += live.registers;
      for (auto [role, body] : llvm::zip(roles.getRoles(), roles.getBodies())) {
        Peak peak = findPeak(body.front(), homes);
        peak.registers += outside.registers;
        if (failed(report(kernel, cast<RoleAttr>(role).getName(), peak)))
          return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    if (walk.wasInterrupted()) return signalPassFailure();
    if (!hasRoles && failed(report(kernel, "all warps",
                                   findPeak(kernel.getBody().front(), homes))))
      signalPassFailure();
  }

  LogicalResult report(KernelOp kernel, StringRef team, const Peak& peak) {
    int64_t registers = peak.registers + overhead;
    if (registers > limit) {
      InFlightDiagnostic error =
          kernel.emitOpError()
          << team << ": fragments take " << peak.registers
          << " registers of a thread, with " << overhead.getValue()
          << " for the rest more than the limit of " << limit.getValue();
      // Largest first; equal ones in the order of the text.
      SmallVector<std::pair<int64_t, size_t>> order;
      for (auto [i, alloc] : llvm::enumerate(peak.live))
        order.emplace_back(-getRegisters(alloc), i);
      llvm::sort(order);
      for (auto [registers, i] : ArrayRef(order).take_front(kNamedFragments))
        error.attachNote(peak.live[i]->getLoc())
            << -registers << " registers for "
            << peak.live[i]->getResult(0).getType();
      return error;
    }
    remark::passed(
        kernel.getLoc(),
        remark::RemarkOpts::name("RegisterPlan").category("gsa.tile"))
        << (kernel.getSymName() + ", " + team).str()
        << remark::metric("fragments", peak.registers)
        << remark::metric("limit", limit.getValue());
    return success();
  }
};

}  // namespace
}  // namespace mlir::gsa
