//===- GsaToTile.cpp - gsa-to-tile ----------------------------------------===//

#include "dialect/Gsa/GsaGradientOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/OpFilter.h"
#include "passes/Passes.h"
#include "passes/StaticShapes.h"
#include "passes/TargetOption.h"
#include "passes/gsa_to_tile/Contraction.h"
#include "passes/gsa_to_tile/Elementwise.h"
#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/gsa_to_tile/MeasureKernels.h"
#include "passes/gsa_to_tile/RowStorage.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSATOTILE
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

LogicalResult gsa::refuseGradients(ModuleOp module) {
  WalkResult walk = module.walk([](Operation* op) {
    if (!isa<DenseAttentionGradOp>(op)) return WalkResult::advance();
    op->emitOpError(
        "has no kernels: this gradient runs on the CPU target only so far; "
        "compile the function with this op for the target 'cpu'");
    return WalkResult::interrupt();
  });
  return failure(walk.wasInterrupted());
}

namespace {

using Lowering = std::function<LogicalResult(Operation*, ToTileContext&)>;

/// Which function lowers which op.
class Registry {
 public:
  Registry() {
    // One line per op, in alphabetical order: add(tile::lower<Op>).
    add(tile::lowerAdaptiveK);
    add(tile::lowerAppendRows);
    add(tile::lowerAttentionRowSums);
    add(tile::lowerDenseAttention);
    add(tile::lowerGate);
    add(tile::lowerGateGrad);
    add(tile::lowerGatherAttention);
    add(tile::lowerGatherAttentionGrad);
    add(tile::lowerIndexKl);
    add(tile::lowerIndexKlGrad);
    add(tile::lowerIndexScores);
    add(tile::lowerIndexScoresGrad);
    add(tile::lowerInsertSlice);
    add(tile::lowerMergeAttention);
    add(tile::lowerPartialAttention);
    add(tile::lowerRope);
    add(tile::lowerRowStatistics);
    add(tile::lowerSelect);
    add(tile::lowerStatMean);
    add(tile::lowerTopK);
    linalgLowering = [](Operation* op, ToTileContext& context) {
      return tile::lowerLinalg(cast<linalg::LinalgOp>(op), context);
    };
  }

  /// Null for an op without a lowering.
  const Lowering* find(Operation* op) const {
    if (isa<linalg::LinalgOp>(op)) return &linalgLowering;
    auto it = lowerings.find(op->getName().getTypeID());
    return it == lowerings.end() ? nullptr : &it->second;
  }

 private:
  template <typename Op>
  void add(LogicalResult (*lower)(Op, ToTileContext&)) {
    lowerings[TypeID::get<Op>()] = [lower](Operation* op,
                                           ToTileContext& context) {
      return lower(cast<Op>(op), context);
    };
  }
  llvm::DenseMap<TypeID, Lowering> lowerings;
  Lowering linalgLowering;  ///< Of all linalg ops that have loops.
};

/// Ops that lowerings removed together with the op that they lowered.
struct ErasedOps : RewriterBase::Listener {
  llvm::SmallPtrSet<Operation*, 16> ops;
  void notifyOperationErased(Operation* op) override { ops.insert(op); }
};

/// Ops that must not be left over; linalg.fill becomes a step of its own.
bool mustBeLowered(Operation* op) {
  // Who reads the rows of pages reads the pages.
  if (op->hasTrait<OpTrait::IsTerminator>() ||
      isa<linalg::FillOp, PagedRowsOp>(op) ||
      op->getParentOfType<linalg::LinalgOp>())
    return false;
  return isa<tensor::InsertSliceOp>(op) ||
         isa_and_nonnull<GsaDialect, linalg::LinalgDialect>(op->getDialect());
}

/// Rows of pages that nobody reads any more, their kernels being made.
void erasePages(ModuleOp module, IRRewriter& rewriter) {
  SmallVector<PagedRowsOp> work;
  module.walk([&](PagedRowsOp op) { work.push_back(op); });
  for (PagedRowsOp op : work)
    if (op->use_empty()) rewriter.eraseOp(op);
}

/// A tensor.generate is a linalg.generic without inputs.
LogicalResult generateByLinalg(ModuleOp module, IRRewriter& rewriter) {
  SmallVector<tensor::GenerateOp> work;
  module.walk([&](tensor::GenerateOp op) { work.push_back(op); });
  for (tensor::GenerateOp op : work) {
    rewriter.setInsertionPoint(op);
    if (failed(linalg::rewriteInDestinationPassingStyle(rewriter, op)))
      return op.emitOpError() << "has no lowering to gsa_tile";
  }
  return success();
}

}  // namespace

LogicalResult tile::lowerOp(Operation* op, ToTileContext& context) {
  static const Registry registry;
  const Lowering* lowering = registry.find(op);
  if (!lowering)
    return op->emitError("no lowering to gsa_tile for ")
           << op->getName().getStringRef();
  if (failed(checkStatic(op, "be lowered to gsa_tile"))) return failure();
  PagedInputs pages = PagedInputs::of(op);
  for (PagedRowsOp rows : {pages.key, pages.value})
    if (rows && failed(checkPages(rows))) return failure();
  context.begin(op);
  return (*lowering)(op, context);
}

namespace {

struct GsaToTile : gsa::impl::GsaToTileBase<GsaToTile> {
  using GsaToTileBase::GsaToTileBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    std::optional<CudaTarget> target =
        findTargetOption(module, getArgument(), arch);
    if (!target) return signalPassFailure();
    // Gradients before what is around them fails for a reason that says less.
    if (failed(OpFilter(ops).check(module, "gsa-to-tile")) ||
        failed(refuseGradients(module)))
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    if (ops.empty()) {
      tile::dropZeroInits(module, rewriter);
      if (failed(generateByLinalg(module, rewriter)))
        return signalPassFailure();
    }
    // Also of pages that only ops read which know of none.
    WalkResult checked = module.walk([&](PagedRowsOp op) {
      return WalkResult(failed(checkStatic(op, "be lowered to gsa_tile"))
                            ? failure()
                            : checkPages(op));
    });
    if (checked.wasInterrupted()) return signalPassFailure();
    SmallVector<Operation*> work;
    for (auto function : module.getOps<func::FuncOp>())
      function.walk([&](Operation* op) {
        if (mustBeLowered(op) && OpFilter(ops).accepts(op)) work.push_back(op);
      });
    ToTileContext context(module, *target, rewriter);
    ErasedOps erased;
    rewriter.setListener(&erased);
    for (Operation* op : work) {
      if (erased.ops.contains(op)) continue;
      if (isOpTriviallyDead(op)) {
        rewriter.eraseOp(op);
        continue;
      }
      if (failed(lower(op, context))) return signalPassFailure();
    }
    erasePages(module, rewriter);
    if (ops.empty() && failed(tile::lowerSlices(module, context)))
      return signalPassFailure();
  }

  LogicalResult lower(Operation* op, ToTileContext& context) {
    std::string name = op->getName().getStringRef().str();
    Location loc = op->getLoc();
    if (failed(tile::lowerOp(op, context))) return failure();
    remark::passed(
        loc, remark::RemarkOpts::name("LoweredToTile").category("gsa.schedule"))
        << name;
    return success();
  }
};

}  // namespace
