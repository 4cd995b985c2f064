//===- PlanWorkspace.cpp - all buffers of the entry in one argument -------===//
//
// gsa-plan-workspace: compiled code never allocates. Offsets are fixed here,
// from live ranges; the caller provides one buffer of the size recorded in the
// function's attribute. Where steps run side by side on lanes, a live range is
// the set of steps that use a buffer, and two ranges are apart if all steps of
// one have ended when those of the other begin.
//
//===----------------------------------------------------------------------===//

#include "dialect/GsaTile/PipelineAttrs.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "passes/Sizes.h"
#include "passes/StepGraph.h"
#include "passes/cpu/CpuPasses.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSAPLANWORKSPACE
#include "passes/cpu/CpuPasses.h.inc"

namespace {

/// Positions in the order of the text; an op with regions spans its body.
class Positions {
 public:
  explicit Positions(Operation* root) {
    int64_t next = 0;
    number(root, next);
  }
  int64_t begin(Operation* op) const { return begins.lookup(op); }
  int64_t end(Operation* op) const { return ends.lookup(op); }

 private:
  void number(Operation* op, int64_t& next) {
    begins[op] = next++;
    for (Region& region : op->getRegions())
      for (Operation& nested : region.getOps()) number(&nested, next);
    ends[op] = next++;
  }
  DenseMap<Operation*, int64_t> begins, ends;
};

/// One buffer, or the arena of a task loop (`loop` set).
struct Item {
  memref::AllocOp alloc;
  scf::ParallelOp loop;
  int64_t bytes = 0;
  int64_t begin = 0, end = 0;
  /// Of a function with lanes: the numbers of the steps that use it.
  SmallVector<int64_t> steps;
  int64_t offset = 0;
};

/// The buffers of the entry's body or of one task.
struct Arena {
  SmallVector<Item> items;
  int64_t bytes = 0;
  int64_t bytesWithoutReuse = 0;
};

class Planner {
 public:
  Planner(func::FuncOp entry, int64_t alignment)
      : entry(entry), alignment(alignment), aliases(entry), positions(entry) {
    SmallVector<HostStep> steps = collectSteps(entry);
    if (!steps.empty()) order.emplace(steps);
  }

  LogicalResult run();

 private:
  FailureOr<Item> describe(memref::AllocOp alloc);
  FailureOr<Arena> plan(scf::ParallelOp scope);
  bool areApart(const Item& a, const Item& b) const;
  void place(Arena& arena);
  void rewrite(scf::ParallelOp scope, Value base);
  LogicalResult checkNotCarried(memref::AllocOp alloc, Value alias);

  func::FuncOp entry;
  int64_t alignment;
  BufferViewFlowAnalysis aliases;
  Positions positions;
  std::optional<StepOrder> order;      ///< Of a function with lanes.
  DenseMap<Operation*, Arena> arenas;  // key null: the entry's body
  Value workspace;
};

LogicalResult Planner::checkNotCarried(memref::AllocOp alloc, Value alias) {
  auto argument = dyn_cast<BlockArgument>(alias);
  if (!argument) return success();
  Operation* owner = argument.getOwner()->getParentOp();
  if (!isa<LoopLikeOpInterface>(owner) || !owner->isProperAncestor(alloc))
    return success();
  // Planned once, the buffer of iteration i would be that of iteration i+1.
  return alloc.emitError(
      "buffer is carried to the loop's next iteration; expected the loop to "
      "update its initial buffer in place");
}

FailureOr<Item> Planner::describe(memref::AllocOp alloc) {
  MemRefType type = alloc.getType();
  Item item;
  item.alloc = alloc;
  item.bytes = DataLayout::closest(alloc).getTypeSize(type.getElementType());
  bool fits = true;
  for (int64_t d = 0; d < type.getRank(); ++d) {
    FailureOr<int64_t> size = findUpperBound(alloc.getResult(), d);
    if (failed(size) || !type.getLayout().isIdentity())
      return alloc.emitError(
                 "expected an allocation of static or bounded shape and "
                 "identity layout, got ")
             << type;
    fits &= !__builtin_mul_overflow(item.bytes, *size, &item.bytes);
  }
  if (!fits || item.bytes > (int64_t{1} << 46))
    return alloc.emitError("buffer is too large: ") << type;
  item.bytes = static_cast<int64_t>(llvm::alignTo(item.bytes, alignment));
  item.begin = positions.begin(alloc);
  item.end = positions.end(alloc);
  for (Value alias : aliases.resolve(alloc.getResult())) {
    if (failed(checkNotCarried(alloc, alias))) return failure();
    for (Operation* user : alias.getUsers()) {
      if (auto step =
              user->getAttrOfType<gsa_tile::StepAttr>(gsa_tile::kStepAttr))
        item.steps.push_back(step.getNumber());
      // A use in a loop that does not contain the allocation lasts as long as
      // that loop; an alias that escapes upwards is followed upwards.
      Block* block = alloc->getBlock();
      Operation* ancestor = block->findAncestorOpInBlock(*user);
      while (!ancestor) {
        block = block->getParentOp()->getBlock();
        ancestor = block->findAncestorOpInBlock(*user);
      }
      item.end = std::max(item.end, positions.end(ancestor));
    }
  }
  return item;
}

/// Whether one of them is no longer needed when the other one begins.
bool Planner::areApart(const Item& a, const Item& b) const {
  if (!order) return a.end <= b.begin || b.end <= a.begin;
  auto isBefore = [&](const Item& a, const Item& b) {
    return llvm::all_of(a.steps, [&](int64_t x) {
      return llvm::all_of(b.steps,
                          [&](int64_t y) { return order->isBefore(x, y); });
    });
  };
  return isBefore(a, b) || isBefore(b, a);
}

/// First fit: the lowest offset that collides with no live neighbour.
void Planner::place(Arena& arena) {
  SmallVector<Item*> placed;
  for (Item& item : arena.items) {
    arena.bytesWithoutReuse += item.bytes;
    int64_t offset = 0;
    for (Item* other : placed) {  // sorted by offset
      if (areApart(*other, item)) continue;
      if (offset + item.bytes <= other->offset) break;
      offset = std::max(offset, other->offset + other->bytes);
    }
    item.offset = offset;
    auto* position = llvm::upper_bound(
        placed, &item, [](Item* a, Item* b) { return a->offset < b->offset; });
    placed.insert(position, &item);
    arena.bytes = std::max(arena.bytes, offset + item.bytes);
  }
}

FailureOr<Arena> Planner::plan(scf::ParallelOp scope) {
  Arena arena;
  Operation* root = scope ? scope.getOperation() : entry.getOperation();
  WalkResult result = root->walk<WalkOrder::PreOrder>([&](Operation* op) {
    if (op == root) return WalkResult::advance();
    if (auto alloc = dyn_cast<memref::AllocOp>(op)) {
      FailureOr<Item> item = describe(alloc);
      if (failed(item)) return WalkResult::interrupt();
      arena.items.push_back(*item);
      return WalkResult::advance();
    }
    auto loop = dyn_cast<scf::ParallelOp>(op);
    if (!loop || !loop->hasAttr(kTasksAttr)) return WalkResult::advance();
    FailureOr<Arena> inner = plan(loop);
    if (failed(inner)) return WalkResult::interrupt();
    auto tasks = getConstantIntValue(loop.getUpperBound()[0]);
    if (!tasks) {
      loop.emitError("expected a constant number of tasks");
      return WalkResult::interrupt();
    }
    Item item;
    item.loop = loop;
    item.bytes = inner->bytes * *tasks;
    item.begin = positions.begin(loop);
    item.end = positions.end(loop);
    arena.bytesWithoutReuse += inner->bytesWithoutReuse * *tasks - item.bytes;
    if (item.bytes > 0) arena.items.push_back(item);
    return WalkResult::skip();
  });
  if (result.wasInterrupted()) return failure();
  place(arena);
  arenas[scope] = arena;
  return arena;
}

/// Replaces the buffers of `scope`; `base` is its arena's first byte, null for
/// the entry's body, whose arena starts at 0.
void Planner::rewrite(scf::ParallelOp scope, Value base) {
  int64_t number = 0;
  for (Item& item : arenas[scope].items) {
    Operation* op =
        item.alloc ? item.alloc.getOperation() : item.loop.getOperation();
    OpBuilder builder(op);
    Location loc = op->getLoc();
    Value offset = arith::ConstantIndexOp::create(builder, loc, item.offset);
    if (base) offset = arith::AddIOp::create(builder, loc, base, offset);
    if (item.alloc) {
      Value view =
          memref::ViewOp::create(builder, loc, item.alloc.getType(), workspace,
                                 offset, item.alloc.getDynamicSizes());
      // Who looks at lanes later tells buffers apart that share bytes.
      if (order)
        view.getDefiningOp()->setAttr(gsa_tile::kBufferAttr,
                                      builder.getI64IntegerAttr(number++));
      item.alloc.replaceAllUsesWith(view);
      item.alloc.erase();
      continue;
    }
    builder.setInsertionPointToStart(item.loop.getBody());
    Value stride =
        arith::ConstantIndexOp::create(builder, loc, arenas[item.loop].bytes);
    Value own = arith::MulIOp::create(builder, loc,
                                      item.loop.getInductionVars()[0], stride);
    rewrite(item.loop, arith::AddIOp::create(builder, loc, offset, own));
  }
}

LogicalResult Planner::run() {
  FailureOr<Arena> arena = plan({});
  if (failed(arena)) return failure();
  SmallVector<memref::DeallocOp> deallocs;
  entry.walk([&](memref::DeallocOp op) { deallocs.push_back(op); });
  for (memref::DeallocOp op : deallocs) op.erase();

  Builder builder(entry.getContext());
  auto type = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
  unsigned index = entry.getNumArguments();
  if (failed(entry.insertArgument(index, type, {}, entry.getLoc())))
    return failure();
  workspace = entry.getArgument(index);
  rewrite({}, {});
  entry->setAttr(kWorkspaceBytesAttr, builder.getI64IntegerAttr(arena->bytes));
  remark::analysis(entry.getLoc(), remark::RemarkOpts::name("WorkspacePlan")
                                       .category("gsa.workspace")
                                       .function(entry.getSymName()))
      << "planned the workspace" << remark::metric("bytes", arena->bytes)
      << remark::metric("bytes-without-reuse", arena->bytesWithoutReuse);
  return success();
}

struct PlanWorkspace : impl::GsaPlanWorkspaceBase<PlanWorkspace> {
  using GsaPlanWorkspaceBase::GsaPlanWorkspaceBase;

  void runOnOperation() override {
    func::FuncOp entry = findEntry(getOperation());
    if (!entry) return signalPassFailure();
    if (!llvm::isPowerOf2_64(alignment)) {
      entry.emitError(
          "gsa-plan-workspace: expected an alignment that is a "
          "power of two, got ")
          << alignment.getValue();
      return signalPassFailure();
    }
    WalkResult result = getOperation().walk([&](memref::AllocOp alloc) {
      auto function = alloc->getParentOfType<func::FuncOp>();
      if (function == entry) return WalkResult::advance();
      auto error = alloc.emitError("allocation outside the entry function '")
                   << entry.getSymName() << "'";
      if (function)
        error << ", in '" << function.getSymName()
              << "', which was not inlined (attribute 'no_inline', or a call "
                 "of itself); write its ops in place of the call";
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted() || failed(Planner(entry, alignment).run()))
      signalPassFailure();
  }
};

}  // namespace
}  // namespace mlir::gsa
