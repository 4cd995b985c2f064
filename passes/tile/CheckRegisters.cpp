//===- CheckRegisters.cpp - registers that fragments take -----------------===//
//
// gsa-tile-check-registers. The compiler of kernels allocates registers; this
// says before, and at an op, when what a kernel holds cannot fit.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Remarks.h"
#include "passes/tile/FragmentRegisters.h"
#include "passes/tile/Passes.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSATILECHECKREGISTERS
#include "passes/tile/Passes.h.inc"

namespace {

using namespace gsa_tile;

/// Fragments that an error about the limit names.
constexpr size_t kNamedFragments = 4;

struct CheckRegisters : impl::GsaTileCheckRegistersBase<CheckRegisters> {
  using GsaTileCheckRegistersBase::GsaTileCheckRegistersBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    KernelOp kernel = getOperation();
    FragmentRegisters fragments(kernel);
    bool hasRoles = false;
    bool hasWgmma = multipliesByWgmma(kernel);
    WalkResult walk = kernel.walk([&](RolesOp roles) {
      hasRoles = true;
      for (auto [i, attribute] : llvm::enumerate(roles.getRoles())) {
        auto role = cast<RoleAttr>(attribute);
        int64_t budget = role.getRegisters() > 0
                             ? std::min<int64_t>(limit, role.getRegisters())
                             : limit.getValue();
        bool copiesNothing = hasWgmma && role.getRegisters() > 0;
        int64_t beside = copiesNothing ? std::min<int64_t>(
                                             overhead, kRegistersBesideProducts)
                                       : overhead.getValue();
        if (failed(report(kernel, role.getName(), budget, beside,
                          fragments.findPeak(roles, i))))
          return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    if (walk.wasInterrupted()) return signalPassFailure();
    if (!hasRoles && failed(report(kernel, "all warps", limit, overhead,
                                   fragments.findPeak())))
      signalPassFailure();
  }

  LogicalResult report(KernelOp kernel, StringRef team, int64_t budget,
                       int64_t beside, const FragmentPeak& peak) {
    int64_t registers = peak.registers + beside;
    if (registers > budget) {
      InFlightDiagnostic error =
          kernel.emitOpError()
          << team << ": fragments take " << peak.registers
          << " registers of a thread, with " << beside
          << " for the rest more than the limit of " << budget;
      // Largest first; equal ones in the order of the text.
      SmallVector<std::pair<int64_t, size_t>> order;
      for (auto [i, alloc] : llvm::enumerate(peak.live))
        order.emplace_back(-getFragmentRegisters(alloc), i);
      llvm::sort(order);
      for (auto [registers, i] : ArrayRef(order).take_front(kNamedFragments))
        error.attachNote(peak.live[i]->getLoc())
            << -registers << " registers for "
            << peak.live[i]->getResult(0).getType();
      return error;
    }
    remark::passed(
        kernel.getLoc(),
        remark::RemarkOpts::name("RegistersChecked").category("gsa.tile"))
        << (kernel.getSymName() + ", " + team).str()
        << remark::metric("fragments", peak.registers)
        << remark::metric("limit", budget);
    return success();
  }
};

}  // namespace
}  // namespace mlir::gsa
