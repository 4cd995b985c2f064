//===- Ablate.cpp - kernels without a part of them ------------------------===//
//
// gsa-tile-ablate. What a part of a kernel costs is the time of the kernel less
// that of the same kernel without it. The results of such a kernel are wrong.
//
//===----------------------------------------------------------------------===//

#include "dialect/Common/Choices.h"
#include "dialect/GsaTile/PipelineAttrs.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/OpFilter.h"
#include "passes/tile/Passes.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSATILEABLATE
#include "passes/tile/Passes.h.inc"

namespace {

using namespace gsa_tile;

/// What `drop` names beside ops: kinds of them, by their interfaces.
constexpr StringLiteral kFills = "fills", kProducts = "products",
                        kWriteBack = "write_back";

bool isFill(Operation* op) { return isa<FillOpInterface>(op); }
bool isProduct(Operation* op) { return isa<ProductOpInterface>(op); }

/// Writes global memory and nothing else that is used.
bool isWriteBack(Operation* op) {
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  if (!effects || op->getNumRegions() > 0) return false;
  SmallVector<MemoryEffects::EffectInstance> all;
  effects.getEffects(all);
  return llvm::any_of(all, [](const MemoryEffects::EffectInstance& effect) {
    return isa<MemoryEffects::Write>(effect.getEffect()) &&
           isa<GlobalResource>(effect.getResource());
  });
}

/// The other role's slots come round as if nobody waited: without the warps
/// that fill or read a ring, its barriers would never complete.
void removeRings(KernelOp kernel) {
  SmallVector<RingOpInterface> steps;
  kernel.walk([&](RingOpInterface step) { steps.push_back(step); });
  for (RingOpInterface step : steps) {
    if (step->getNumResults() == 1) {
      OpBuilder b(step);
      Value stages = arith::ConstantIndexOp::create(
          b, step.getLoc(), step.getRing().getType().getStages());
      step->getResult(0).replaceAllUsesWith(arith::RemUIOp::create(
          b, step.getLoc(), step.getIteration(), stages));
    }
    step->erase();
  }
}

struct Ablate : impl::GsaTileAblateBase<Ablate> {
  using GsaTileAblateBase::GsaTileAblateBase;

  void runOnOperation() override {
    KernelOp kernel = getOperation();
    if (!only.empty() && kernel.getSymName() != only) return;
    // It is no longer what it was made for.
    kernel->removeAttr(kOriginAttr);
    for (const std::string& name : drop)
      if (failed(dropOps(kernel, name))) return signalPassFailure();
    for (const std::string& name : dropRoles)
      if (failed(dropRole(kernel, name))) return signalPassFailure();
  }

  LogicalResult dropOps(KernelOp kernel, StringRef name) {
    SmallVector<StringRef> legal = {kFills, kProducts, kWriteBack};
    legal.append(listOps(kernel.getContext(), "gsa_tile"));
    if (!llvm::is_contained(legal, name))
      return emitError(kernel.getLoc()) << "gsa-tile-ablate: option 'drop': "
                                        << explainUnknownName(name, legal);
    SmallVector<Operation*> found;
    kernel.getBody().walk([&](Operation* op) {
      bool matches = name == kFills      ? isFill(op)
                     : name == kProducts ? isProduct(op)
                     : name == kWriteBack
                         ? isWriteBack(op)
                         : op->getName().stripDialect() == name;
      if (matches && isa<GsaTileDialect>(op->getDialect())) found.push_back(op);
    });
    for (Operation* op : found) {
      if (!op->use_empty() || op->hasTrait<OpTrait::IsTerminator>())
        return op->emitOpError() << "cannot be left out: its result is used";
      op->erase();
    }
    report(kernel, name, found.size());
    return success();
  }

  LogicalResult dropRole(KernelOp kernel, StringRef name) {
    size_t count = 0;
    SmallVector<StringRef> legal;
    kernel.walk([&](RolesOp roles) {
      for (auto [attribute, body] :
           llvm::zip(roles.getRoles(), roles.getBodies())) {
        StringRef role = cast<RoleAttr>(attribute).getName();
        if (!llvm::is_contained(legal, role)) legal.push_back(role);
        if (role != name) continue;
        while (&body.front().front() != body.front().getTerminator())
          body.front().getTerminator()->getPrevNode()->erase();
        ++count;
      }
    });
    if (legal.empty())
      return emitError(kernel.getLoc())
             << "gsa-tile-ablate: option 'drop-roles': @" << kernel.getSymName()
             << " has no roles, got '" << name
             << "'; order: after gsa-tile-assign-roles";
    if (count == 0)
      return emitError(kernel.getLoc())
             << "gsa-tile-ablate: option 'drop-roles': "
             << explainUnknownName(name, legal);
    removeRings(kernel);
    report(kernel, name, count);
    return success();
  }

  static void report(KernelOp kernel, StringRef name, size_t count) {
    remark::passed(kernel.getLoc(),
                   remark::RemarkOpts::name("Ablated").category("gsa.tile"))
        << (kernel.getSymName() + ", without " + name).str()
        << remark::metric("ops", static_cast<int64_t>(count));
  }
};

}  // namespace
}  // namespace mlir::gsa
