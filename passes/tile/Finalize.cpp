//===- Finalize.cpp - last pass before kernels are printed ----------------===//
//
// gsa-tile-finalize. The printer takes no decisions; what it would have to
// refuse is refused here, where the pipeline's other diagnostics are.
//
//===----------------------------------------------------------------------===//

#include "dialect/GsaTile/CudaNames.h"
#include "dialect/GsaTile/ValueNames.h"
#include "llvm/ADT/StringSet.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/SymbolTable.h"
#include "passes/tile/Passes.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSATILEFINALIZE
#include "passes/tile/Passes.h.inc"

namespace {

using namespace gsa_tile;

/// An op without effect, or one that only makes storage, and nobody uses it.
bool isUnused(Operation* op) {
  if (!op->use_empty()) return false;
  if (isOpTriviallyDead(op)) return true;
  auto effects = getEffectsRecursively(op);
  return effects && op->getNumResults() == 1 &&
         llvm::all_of(*effects, [](const MemoryEffects::EffectInstance& e) {
           return isa<MemoryEffects::Allocate>(e.getEffect());
         });
}

void removeUnused(KernelOp kernel) {
  // Backwards, so that what only unused ops use goes as well.
  kernel->walk<WalkOrder::PostOrder, ReverseIterator>([](Operation* op) {
    if (!isa<KernelOp>(op) && isUnused(op)) op->erase();
  });
}

/// Gives the kernels names that C++ takes and that differ.
LogicalResult nameKernels(ModuleOp module) {
  llvm::StringSet<> taken;
  SmallVector<KernelOp> renamed;
  for (KernelOp kernel : module.getOps<KernelOp>()) {
    if (isLegalKernelName(module.getContext(), kernel.getSymName()))
      taken.insert(kernel.getSymName());
    else
      renamed.push_back(kernel);
  }
  for (KernelOp kernel : renamed) {
    std::string base = sanitizeCudaName(kernel.getSymName());
    std::string name = base;
    for (unsigned i = 0;
         !isLegalKernelName(module.getContext(), name) ||
         !taken.insert(name).second || module.lookupSymbol(name);
         ++i)
      name = base + "_" + std::to_string(i);
    auto attr = StringAttr::get(module.getContext(), name);
    if (failed(SymbolTable::replaceAllSymbolUses(kernel, attr, module)))
      return kernel.emitOpError() << "cannot be renamed to " << name;
    SymbolTable::setSymbolName(kernel, attr);
  }
  return success();
}

/// Types of the dialect are spelled by the printer.
bool isStorage(Type type) { return isa<GsaTileDialect>(type.getDialect()); }

bool isScalar(Type type) {
  return type.isIndex() || type.isInteger(1) || type.isInteger(8) ||
         type.isInteger(32) || type.isInteger(64) || type.isF16() ||
         type.isBF16() || type.isF32() || type.isF64();
}

LogicalResult checkOp(Operation* op) {
  if (!isa<CudaEmitOpInterface>(op))
    return op->emitOpError() << "has no CUDA C++ emission";
  if (isa<TileRingOp, StreamOp>(op))
    return op->emitOpError() << "is left: gsa-tile-pipeline lowers it";
  for (Value result : op->getResults())
    if (!isStorage(result.getType()) && !isScalar(result.getType()))
      return op->emitOpError() << "result of type " << result.getType()
                               << " has no type in CUDA C++";
  if (auto constant = dyn_cast<arith::ConstantIndexOp>(op);
      constant && !llvm::isInt<32>(constant.value()))
    return op->emitOpError() << "index " << constant.value()
                             << " does not fit the 32 bits of device code";
  if (auto fill = dyn_cast<FillOpInterface>(op);
      fill && fill.getEngine() == CopyEngine::Bulk && !fill.getArrival())
    return op->emitOpError()
           << "has no ring that its bytes arrive at; expected it in a stream, "
              "which gsa-tile-pipeline lowers";
  auto alloc = dyn_cast<SharedAllocOpInterface>(op);
  if (!alloc) return success();
  if (!alloc.getOffset())
    return op->emitOpError()
           << "has no offset; gsa-tile-plan-smem gives it one";
  int64_t end =
      static_cast<int64_t>(*alloc.getOffset()) + alloc.getSharedBytes();
  auto kernel = op->getParentOfType<KernelOp>();
  if (end > static_cast<int64_t>(kernel.getSharedBytes()))
    return op->emitOpError()
           << "ends at byte " << end << " of shared memory, but the kernel has "
           << kernel.getSharedBytes();
  return success();
}

struct Finalize : impl::GsaTileFinalizeBase<Finalize> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(nameKernels(module))) return signalPassFailure();
    bool bad = false;
    for (KernelOp kernel : module.getOps<KernelOp>()) {
      removeUnused(kernel);
      nameValues(kernel);
      kernel.getBody().walk([&](Operation* op) { bad |= failed(checkOp(op)); });
    }
    if (bad) signalPassFailure();
  }
};

}  // namespace
}  // namespace mlir::gsa
