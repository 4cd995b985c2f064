//===- DependentLaunches.cpp - launches that begin early ------------------===//
//
// gsa-dependent-launches. That everything behind a launch_wait is as if
// launches ran one after another is shown in
// docs/rationale/dependent-launch.md; it rests on three rules that are kept
// here:
//
// - The steps of a lane run one after another, and the first launch of a lane
//   is not dependent. So inputs and constants, which no step writes, are
//   complete before any kernel of the program starts.
// - The kernel of a dependent launch touches nothing else before its wait.
// - It waits in each block, so that it ends after all launches before it on its
//   lane.
//
//===----------------------------------------------------------------------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "dialect/GsaTile/PipelineAttrs.h"
#include "dialect/GsaTile/ValueNames.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "passes/TargetOption.h"
#include "passes/cpu/CpuPasses.h"
#include "passes/cuda/CudaHostPasses.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSADEPENDENTLAUNCHES
#include "passes/cuda/CudaHostPasses.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

//===----------------------------------------------------------------------===//
// The host
//===----------------------------------------------------------------------===//

/// Whether the steps of the program write what `buffer` is of: anything but
/// inputs of the entry and constants.
static bool isWritten(Value buffer, func::FuncOp entry, int64_t inputs) {
  while (auto view =
             dyn_cast_or_null<ViewLikeOpInterface>(buffer.getDefiningOp()))
    buffer = view.getViewSource();
  if (buffer.getDefiningOp<memref::GetGlobalOp>()) return false;
  auto argument = dyn_cast<BlockArgument>(buffer);
  return !argument || argument.getOwner() != &entry.getBody().front() ||
         argument.getArgNumber() >= inputs;
}

/// Whether a step is on the lane, or there are no lanes.
static bool isOnLane(Operation* op, StepAttr order) {
  auto other = op->getAttrOfType<StepAttr>(kStepAttr);
  return !order || !other || other.getLane() == order.getLane();
}

/// The step before `launch` on its lane, if it is a launch as the one before it
/// in the text is, behind which it runs where there is but one stream; null
/// after saying why there is none. Views and numbers are no steps, nor are the
/// marks of zones.
static LaunchOp findBefore(LaunchOp launch, StringRef& reason) {
  auto order = launch->getAttrOfType<StepAttr>(kStepAttr);
  bool isFirst = true;
  for (Operation* op = launch->getPrevNode(); op; op = op->getPrevNode()) {
    auto before = dyn_cast<LaunchOp>(op);
    if (!before &&
        (isa<ViewLikeOpInterface, func::CallOp, memref::GetGlobalOp>(op) ||
         isMemoryEffectFree(op)))
      continue;
    if (before && isOnLane(op, order)) return before;
    if (!before && (isFirst || isOnLane(op, order))) {
      reason = "the step before is no launch";
      return {};
    }
    isFirst = false;
  }
  reason = isFirst ? "it is the first step of its block"
                   : "it is the first step of its lane";
  return {};
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

namespace {

/// Puts the wait of a kernel before its first use of `written` arguments.
class WaitPlacer {
 public:
  WaitPlacer(KernelOp kernel, ArrayRef<BlockArgument> written)
      : written(written), kernel(kernel) {}

  /// False if nothing uses them.
  bool place() {
    Block& body = kernel.getBody().front();
    Operation* first = findFirst(body);
    if (!first) return false;
    auto roles = dyn_cast<RolesOp>(first);
    // What comes behind the roles is run by all warps.
    if (!roles || findFirst(body, roles->getNextNode()))
      return waitBefore(first, kernel.getBody());
    for (Region& role : roles->getRegions())
      if (Operation* use = findFirst(role.front())) waitBefore(use, role);
    return true;
  }

 private:
  bool uses(Operation* op) {
    return op
        ->walk([&](Operation* inner) {
          return llvm::any_of(inner->getOperands(),
                              [&](Value value) {
                                return llvm::is_contained(written, value);
                              })
                     ? WalkResult::interrupt()
                     : WalkResult::advance();
        })
        .wasInterrupted();
  }

  Operation* findFirst(Block& block, Operation* from = nullptr) {
    for (Operation* op = from ? from : &block.front(); op;
         op = op->getNextNode())
      if (uses(op)) return op;
    return nullptr;
  }

  /// Uses within `region` are those of what the wait left.
  bool waitBefore(Operation* op, Region& region) {
    OpBuilder b(op);
    LaunchWaitOp::create(b, kernel.getLoc());
    for (BlockArgument argument : written) {
      if (!isa<GlobalType>(argument.getType())) continue;
      auto inside = [&](OpOperand& use) {
        return region.isAncestor(use.getOwner()->getParentRegion());
      };
      if (llvm::none_of(argument.getUses(), inside)) continue;
      auto launched =
          LaunchedOp::create(b, kernel.getLoc(), argument.getType(), argument);
      named(launched, ("written_" + getValueName(argument)).str());
      argument.replaceUsesWithIf(launched, [&](OpOperand& use) {
        return use.getOwner() != launched && inside(use);
      });
    }
    return true;
  }

  ArrayRef<BlockArgument> written;
  KernelOp kernel;
};

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

struct DependentLaunches
    : gsa::impl::GsaDependentLaunchesBase<DependentLaunches> {
  using GsaDependentLaunchesBase::GsaDependentLaunchesBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    std::optional<CudaTarget> target =
        findTargetOption(module, getArgument(), arch);
    func::FuncOp entry = findEntry(module);
    if (!target || !entry) return signalPassFailure();
    collect(module, entry);
    entry.walk([&](LaunchOp launch) {
      if (!launch.getBrief() || launch.getDependent()) return;
      StringRef reason;
      if (!target->bulkCopy)
        reason = "the architecture has no dependent launches";
      else
        mark(launch, reason);
      remark(launch, reason);
    });
  }

 private:
  /// The arguments of each kernel that are written memory in some launch.
  void collect(ModuleOp module, func::FuncOp entry) {
    auto outputs = entry->getAttrOfType<IntegerAttr>(kOutputsAttr);
    int64_t inputs = static_cast<int64_t>(entry.getNumArguments()) - 1 -
                     (outputs ? outputs.getInt() : 0);
    entry.walk([&](LaunchOp launch) {
      auto kernel = module.lookupSymbol<KernelOp>(launch.getKernelAttr());
      SmallVector<BlockArgument>& arguments = written[kernel];
      for (auto [argument, value] :
           llvm::zip_equal(kernel.getBody().getArguments(), launch.getArgs()))
        if (isa<MemRefType>(value.getType()) &&
            isWritten(value, entry, inputs) &&
            !llvm::is_contained(arguments, argument))
          arguments.push_back(argument);
    });
  }

  void mark(LaunchOp launch, StringRef& reason) {
    LaunchOp before = findBefore(launch, reason);
    if (!before) return;
    auto lookup = [&](LaunchOp op) {
      return getOperation().lookupSymbol<KernelOp>(op.getKernelAttr());
    };
    KernelOp kernel = lookup(launch);
    if (!waits.contains(kernel)) {
      if (!WaitPlacer(kernel, written[kernel]).place()) {
        reason = "its kernel touches nothing that steps write";
        return;
      }
      waits.insert(kernel);
    }
    KernelOp allows = lookup(before);
    if (nexts.insert(allows).second) {
      OpBuilder b = OpBuilder::atBlockBegin(&allows.getBody().front());
      LaunchNextOp::create(b, allows.getLoc());
    }
    launch.setDependent(true);
  }

  static void remark(LaunchOp launch, StringRef reason) {
    auto options = remark::RemarkOpts::name(reason.empty() ? "DependentLaunch"
                                                           : "NotDependent")
                       .category("gsa.host");
    if (reason.empty())
      remark::passed(launch.getLoc(), options) << launch.getKernel();
    else
      remark::missed(launch.getLoc(), options)
          << (launch.getKernel() + ": " + reason).str();
  }

  DenseMap<KernelOp, SmallVector<BlockArgument>> written;
  DenseSet<KernelOp> waits, nexts;
};

}  // namespace
