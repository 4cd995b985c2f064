//===- PlanSmem.cpp - places in shared memory -----------------------------===//
//
// gsa-tile-plan-smem. Live ranges are compared in the innermost block that
// contains both allocations; the barrier that must lie between them is sought
// there too, so that it is certain to be passed. What one role alone uses is
// compared within that role: it may lie over the buffers of rings that the role
// has read to the end.
//
//===----------------------------------------------------------------------===//

#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "passes/TargetOption.h"
#include "passes/tile/Passes.h"
#include "passes/tile/Transforms.h"
#include "passes/tile/Waits.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSATILEPLANSMEM
#include "passes/tile/Passes.h.inc"

namespace {

using namespace gsa_tile;

/// What the size of all is a multiple of.
constexpr int64_t kAlignment = 16;
/// Allocations that an error about the limit names.
constexpr size_t kNamedAllocations = 4;

struct Item {
  Operation* alloc = nullptr;
  size_t order = 0;  // in the text
  int64_t bytes = 0;
  int64_t alignment = kAlignment;
  bool isBarrier = false;
  /// Ops that use the tile, through views too.
  SmallVector<Operation*> users = {};
  int64_t offset = 0;
  int64_t getEnd() const { return offset + bytes; }
};

/// First and last op of a block in which a tile lives.
struct Range {
  Operation* first;
  Operation* last;
};

bool isBarrierOf(Operation* op, TeamAttr team) {
  auto barrier = dyn_cast<BarrierOpInterface>(op);
  return barrier && barrier.getTeam() == team;
}

bool hasBarrier(Block::iterator begin, Block::iterator end, TeamAttr team) {
  return llvm::any_of(llvm::make_range(begin, end),
                      [&](Operation& op) { return isBarrierOf(&op, team); });
}

/// The warps that run a block: those of its role, or all of the kernel.
TeamAttr getTeam(Block* block, KernelOp kernel) {
  for (Operation* op = block->getParentOp(); op != kernel;
       block = op->getBlock(), op = block->getParentOp())
    if (auto roles = dyn_cast<RolesOp>(op))
      return cast<RoleAttr>(
                 roles.getRoles()[block->getParent()->getRegionNumber()])
          .getTeam();
  return TeamAttr::get(kernel.getContext(), 0, kernel.getWarps());
}

bool isInLoop(Block* block, KernelOp kernel) {
  for (Operation* op = block->getParentOp(); op != kernel;
       op = op->getParentOp())
    if (isa<LoopLikeOpInterface, ForEachOp>(op)) return true;
  return false;
}

/// The innermost block that contains both ops, or null if they are in different
/// regions of one op.
Block* getCommonBlock(Operation* a, Operation* b) {
  for (Block* block = a->getBlock(); block;) {
    if (block->findAncestorOpInBlock(*b)) return block;
    Operation* parent = block->getParentOp();
    if (!parent || parent->isAncestor(b)) return nullptr;
    block = parent->getBlock();
  }
  return nullptr;
}

/// What `item` occupies of a block; none if nothing uses it. An allocation
/// within a nested block has all of the op that holds it.
std::optional<Range> getRange(const Item& item, Block* block) {
  if (item.users.empty()) return std::nullopt;
  Operation* first = nullptr;
  Operation* last = nullptr;
  auto extend = [&](Operation* op) {
    if (!first || op->isBeforeInBlock(first)) first = op;
    if (!last || last->isBeforeInBlock(op)) last = op;
  };
  for (Operation* user : item.users) {
    extend(block->findAncestorOpInBlock(*user));
    if (getAsyncKind(user) == AsyncKind::None) continue;
    // Without a wait the bytes may be read or written at any later time.
    Operation* wait = findWait(user);
    extend(wait ? block->findAncestorOpInBlock(*wait) : &block->back());
  }
  if (item.alloc->getBlock() != block)
    extend(block->findAncestorOpInBlock(*item.alloc));
  return Range{first, last};
}

/// The region of a roles op that holds an op; null if none does.
Region* getRole(Operation* op, KernelOp kernel) {
  for (; op != kernel; op = op->getParentOp())
    if (isa<RolesOp>(op->getParentOp())) return op->getParentRegion();
  return nullptr;
}

/// Whether a role reads the slots of a ring's buffers. What others write there
/// is over once it has read the last one: gsa-tile-check-sync sees that it
/// waits for every slot that is filled.
bool readsSlots(const Item& item, Region* role) {
  bool reads = false;
  for (Operation* user : item.alloc->getResult(0).getUsers()) {
    auto stage = dyn_cast<StageOp>(user);
    if (!stage ||
        !isa_and_present<RingOpInterface>(stage.getSlot().getDefiningOp()))
      return false;
    reads |= role->isAncestor(stage->getParentRegion());
  }
  return reads;
}

/// Whether `late`, which one role alone uses, comes behind all that is done
/// with `early`.
bool followsInRole(const Item& early, const Item& late, KernelOp kernel) {
  if (late.users.empty()) return false;
  Region* role = getRole(late.users.front(), kernel);
  if (!role || role->empty() || isInLoop(&role->front(), kernel)) return false;
  Block& block = role->front();
  Operation *last = nullptr, *first = nullptr, *roles = role->getParentOp();
  for (Operation* user : late.users) {
    Operation* at = block.findAncestorOpInBlock(*user);
    if (!at) return false;
    if (!first || at->isBeforeInBlock(first)) first = at;
  }
  bool areSlots = readsSlots(early, role);
  for (Operation* user : early.users) {
    bool inOtherRole =
        roles->isAncestor(user) && !role->isAncestor(user->getParentRegion());
    if (inOtherRole) {
      if (!areSlots) return false;
      continue;
    }
    // The wait is behind its op, in the same block.
    Operation* end =
        getAsyncKind(user) == AsyncKind::None ? user : findWait(user);
    if (!end) return false;
    if (Operation* at = block.findAncestorOpInBlock(*end)) {
      if (!last || last->isBeforeInBlock(at)) last = at;
    } else {
      Operation* before = roles->getBlock()->findAncestorOpInBlock(*end);
      if (!before || !before->isBeforeInBlock(roles)) return false;
    }
  }
  return last && last->isBeforeInBlock(first) &&
         hasBarrier(last->getIterator(), first->getIterator(),
                    getTeam(&block, kernel));
}

bool mayShare(const Item& a, const Item& b, KernelOp kernel) {
  if (a.isBarrier || b.isBarrier) return false;
  if (followsInRole(a, b, kernel) || followsInRole(b, a, kernel)) return true;
  Block* block = getCommonBlock(a.alloc, b.alloc);
  if (!block) return false;
  std::optional<Range> ra = getRange(a, block), rb = getRange(b, block);
  if (!ra || !rb) return true;
  if (rb->last->isBeforeInBlock(ra->first)) std::swap(ra, rb);
  if (!ra->last->isBeforeInBlock(rb->first)) return false;
  TeamAttr team = getTeam(block, kernel);
  if (!hasBarrier(ra->last->getIterator(), rb->first->getIterator(), team))
    return false;
  return !isInLoop(block, kernel) ||
         hasBarrier(rb->last->getIterator(), block->end(), team) ||
         hasBarrier(block->begin(), ra->first->getIterator(), team);
}

class Planner {
 public:
  explicit Planner(KernelOp kernel) : kernel(kernel) {}
  void plan();
  LogicalResult checkLimit(int64_t limit, StringRef arch);
  int64_t getBytes() const { return bytes; }
  int64_t getBytesWithoutReuse() const { return bytesWithoutReuse; }

 private:
  void collect();
  void place(Item& item, ArrayRef<Item> placed);

  KernelOp kernel;
  SmallVector<Item> items;
  int64_t bytes = 0;
  int64_t bytesWithoutReuse = 0;
};

/// Users of a tile and of what is made of it: a stage, a view of listed rows.
void collectUsers(Value value, SmallVectorImpl<Operation*>& users) {
  for (Operation* user : value.getUsers()) {
    users.push_back(user);
    for (Value result : user->getResults())
      if (isa<SmemType, RowsType>(result.getType()))
        collectUsers(result, users);
  }
}

void Planner::collect() {
  kernel.walk([&](SharedAllocOpInterface alloc) {
    Item item{.alloc = alloc,
              .order = items.size(),
              .bytes = alloc.getSharedBytes(),
              .alignment = alloc.getSharedAlignment(),
              .isBarrier = alloc.isBarrier()};
    collectUsers(alloc->getResult(0), item.users);
    items.push_back(std::move(item));
  });
  llvm::sort(items, [](const Item& a, const Item& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.order < b.order;
  });
}

/// First fit among those that may not share with it.
void Planner::place(Item& item, ArrayRef<Item> placed) {
  SmallVector<const Item*> conflicts;
  for (const Item& other : placed)
    if (!mayShare(item, other, kernel)) conflicts.push_back(&other);
  llvm::sort(conflicts, [](const Item* a, const Item* b) {
    return a->offset < b->offset;
  });
  for (const Item* other : conflicts) {
    if (item.getEnd() <= other->offset) break;
    item.offset = std::max(item.offset, static_cast<int64_t>(llvm::alignTo(
                                            other->getEnd(), item.alignment)));
  }
}

void Planner::plan() {
  collect();
  Builder builder(kernel.getContext());
  for (auto [i, item] : llvm::enumerate(items)) {
    place(item, ArrayRef(items).take_front(i));
    bytes = std::max(bytes, item.getEnd());
    bytesWithoutReuse += llvm::alignTo(item.bytes, kAlignment);
    cast<SharedAllocOpInterface>(item.alloc)
        .setOffsetAttr(builder.getI64IntegerAttr(item.offset));
  }
  bytes = static_cast<int64_t>(llvm::alignTo(bytes, kAlignment));
  kernel.setSharedBytes(bytes);
}

LogicalResult Planner::checkLimit(int64_t limit, StringRef arch) {
  if (limit == 0 || bytes <= limit) return success();
  InFlightDiagnostic error = kernel.emitOpError()
                             << "needs " << bytes
                             << " bytes of shared memory, but a block"
                             << (arch.empty() ? "" : " of ") << arch
                             << " may use " << limit;
  for (const Item& item : ArrayRef(items).take_front(kNamedAllocations))
    error.attachNote(item.alloc->getLoc())
        << item.bytes << " bytes for " << item.alloc->getResult(0).getType();
  return error;
}

struct PlanSmem : impl::GsaTilePlanSmemBase<PlanSmem> {
  using Base::Base;

  void runOnOperation() override {
    KernelOp kernel = getOperation();
    std::optional<CudaTarget> target;
    if (!arch.empty()) {
      target = findTargetOption(kernel, getArgument(), arch);
      if (!target) return signalPassFailure();
    }
    int64_t bound = limit    ? static_cast<int64_t>(limit)
                    : target ? target->sharedBytesPerBlock
                             : 0;
    Planner planner(kernel);
    planner.plan();
    if (failed(planner.checkLimit(bound, arch))) return signalPassFailure();
    remark::analysis(kernel.getLoc(), remark::RemarkOpts::name("SmemPlan")
                                          .category("gsa.smem")
                                          .function(kernel.getSymName()))
        << "planned shared memory"
        << remark::metric("bytes", planner.getBytes())
        << remark::metric("bytes_without_reuse", planner.getBytesWithoutReuse())
        << remark::metric("limit", bound);
  }
};

}  // namespace

void planSharedMemory(KernelOp kernel) { Planner(kernel).plan(); }

}  // namespace mlir::gsa
