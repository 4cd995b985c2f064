//===- FragmentRegisters.cpp - registers that fragments take --------------===//

#include "passes/tile/FragmentRegisters.h"

#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/tile/Waits.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

int64_t gsa::getFragmentRegisters(Operation* op) {
  if (op->getNumResults() == 0) return 0;
  auto alloc = dyn_cast<RegisterAllocOpInterface>(op);
  return alloc ? alloc.getThreadRegisters() : 0;
}

bool gsa::multipliesByWgmma(KernelOp kernel) {
  return kernel
      .walk([](ProductOpInterface product) {
        return product.getUnit() == ProductUnit::Wgmma ? WalkResult::interrupt()
                                                       : WalkResult::advance();
      })
      .wasInterrupted();
}

namespace {
/// A fragment with its first and last user in its block.
struct Live {
  Operation* alloc;
  int64_t registers;
  Operation* first;
  Operation* last;
};
}  // namespace

/// The op writes all of the fragment and reads nothing of it.
static bool overwrites(Operation* op, Value fragment) {
  SmallVector<MemoryEffects::EffectInstance> effects;
  if (auto interface = dyn_cast<MemoryEffectOpInterface>(op))
    interface.getEffectsOnValue(fragment, effects);
  return !effects.empty() && llvm::all_of(effects, [](const auto& effect) {
    return isa<MemoryEffects::Write>(effect.getEffect());
  });
}

/// Where the users of a value in `block` begin and whether they are all in one
/// op of it.
static std::pair<Operation*, bool> findFirstUse(Operation* alloc,
                                                Block* block) {
  Operation* first = nullptr;
  bool isOnly = true;
  for (Operation* user : alloc->getUsers()) {
    Operation* place = block->findAncestorOpInBlock(*user);
    if (!place) return {nullptr, false};
    isOnly &= !first || place == first;
    if (!first || place->isBeforeInBlock(first)) first = place;
  }
  return {first, isOnly};
}

/// The innermost block in which a fragment lives: that of a loop, of one or
/// more loops in each other, if each iteration overwrites it before it reads
/// it.
static Block* findHome(Operation* alloc) {
  Block* home = alloc->getBlock();
  bool inLoop = false;  // Below a loop that `home` is above.
  Block* block = home;
  while (true) {
    Operation* user = *alloc->user_begin();
    Operation* at = block->findAncestorOpInBlock(*user);
    if (at == user) return home;
    Block* inner = user->getBlock();
    while (inner->getParentOp() != at) inner = inner->getParentOp()->getBlock();
    auto [first, isOnly] = findFirstUse(alloc, inner);
    if (!first) return home;
    inLoop |= isa<LoopLikeOpInterface>(at);
    block = inner;
    if (!inLoop || overwrites(first, alloc->getResult(0))) {
      home = inner;
      inLoop = false;
    } else if (!isOnly) {
      return home;
    }
  }
}

/// Fragments by the block in which they live.
using Homes = llvm::DenseMap<Block*, SmallVector<Operation*>>;

static SmallVector<Live> findLive(Block& block, const Homes& homes) {
  SmallVector<Live> all;
  for (Operation* op : homes.lookup(&block)) {
    Live live{op, getFragmentRegisters(op), nullptr, nullptr};
    auto extend = [&](Operation* user) {
      Operation* at = block.findAncestorOpInBlock(*user);
      if (!live.first || at->isBeforeInBlock(live.first)) live.first = at;
      if (!live.last || live.last->isBeforeInBlock(at)) live.last = at;
    };
    for (Operation* user : op->getUsers()) {
      extend(user);
      if (getAsyncKind(user) == AsyncKind::None) continue;
      // Registers are read, or written, until the product was waited for;
      // without a wait in its block, to the end of that.
      Operation* wait = findWait(user);
      extend(wait ? wait : &user->getBlock()->back());
    }
    all.push_back(live);
  }
  return all;
}

static bool isLiveAt(const Live& live, Operation* op) {
  return !op->isBeforeInBlock(live.first) && !live.last->isBeforeInBlock(op);
}

/// What a loop uses from outside lives throughout the loop.
static FragmentPeak findPeakIn(Block& block, const Homes& homes) {
  SmallVector<Live> all = findLive(block, homes);
  FragmentPeak best;
  for (Operation& op : block) {
    FragmentPeak here;
    for (Region& region : op.getRegions())
      for (Block& inner : region)
        if (FragmentPeak nested = findPeakIn(inner, homes);
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

FragmentRegisters::FragmentRegisters(KernelOp kernel) : kernel(kernel) {
  kernel.walk([&](Operation* op) {
    if (getFragmentRegisters(op) != 0 && !op->use_empty())
      homes[findHome(op)].push_back(op);
  });
}

FragmentPeak FragmentRegisters::findPeak(RolesOp roles, unsigned role) const {
  FragmentPeak peak = findPeakIn(roles.getBodies()[role].front(), homes);
  for (const Live& live : findLive(*roles->getBlock(), homes))
    if (isLiveAt(live, roles)) peak.registers += live.registers;
  return peak;
}

FragmentPeak FragmentRegisters::findPeak() const {
  return findPeakIn(KernelOp(kernel).getBody().front(), homes);
}
