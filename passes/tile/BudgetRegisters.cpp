//===- BudgetRegisters.cpp - registers move from role to role -------------===//
//
// gsa-tile-budget-registers. At launch every thread of a block has the same
// number of registers. Warps that only copy give most of theirs to warps that
// hold fragments, so that two blocks fit into an SM where one would.
//
//===----------------------------------------------------------------------===//

#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Remarks.h"
#include "passes/gsa_to_tile/CudaTarget.h"
#include "passes/tile/FragmentRegisters.h"
#include "passes/tile/Passes.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSATILEBUDGETREGISTERS
#include "passes/tile/Passes.h.inc"

namespace {

using namespace gsa_tile;

constexpr int64_t kWarpThreads = 32;
/// Warps of a warpgroup, which setmaxnreg acts on.
constexpr int64_t kGroupWarps = 4;
/// Registers of an SM.
constexpr int64_t kSmRegisters = 65536;
/// setmaxnreg takes multiples of this.
constexpr int64_t kUnit = 8;
/// What a thread can use, in units.
constexpr int64_t kMostRegisters = 248;
/// Budget of a role without fragments: addresses and loop counters.
constexpr int64_t kCopyBudget = 32;
/// Beside fragments, as in gsa-tile-plan-registers.
constexpr int64_t kOverhead = 32;
/// Shared memory that the system takes from each block.
constexpr int64_t kReservedBytes = 1024;

struct Budgets {
  int64_t blocks = 1;    ///< Blocks that an SM shall hold.
  int64_t atLaunch = 0;  ///< Registers of each thread.
  SmallVector<int64_t> ofRoles;
};

bool isWholeGroups(TeamAttr team) {
  return team.getFirst() % kGroupWarps == 0 &&
         team.getCount() % kGroupWarps == 0;
}

/// Budgets if an SM holds `blocks` blocks. Returns why there are none, or an
/// empty string.
StringRef findBudgets(KernelOp kernel, RolesOp roles,
                      ArrayRef<FragmentPeak> peaks, int64_t blocks,
                      Budgets& budgets) {
  int64_t threads = kernel.getWarps() * kWarpThreads;
  budgets.blocks = blocks;
  budgets.atLaunch = std::min<int64_t>(
      llvm::alignDown(kSmRegisters / (threads * blocks), kUnit),
      kMostRegisters);
  if (budgets.atLaunch == kMostRegisters)
    return "an even share is all that a thread can use";
  int64_t computing = 0;  // threads
  for (auto [role, peak] : llvm::zip(roles.getRoles(), peaks))
    if (peak.registers > 0)
      computing += cast<RoleAttr>(role).getTeam().getCount() * kWarpThreads;
  if (computing == 0 || computing == threads)
    return "all roles hold fragments, or none does";
  int64_t left =
      budgets.atLaunch * threads - kCopyBudget * (threads - computing);
  int64_t share = std::min<int64_t>(llvm::alignDown(left / computing, kUnit),
                                    kMostRegisters);
  if (share <= budgets.atLaunch) return "there is nothing to move";
  budgets.ofRoles.clear();
  for (const FragmentPeak& peak : peaks) {
    if (peak.registers + kOverhead > share)
      return "fragments do not fit into their share";
    budgets.ofRoles.push_back(peak.registers > 0 ? share : kCopyBudget);
  }
  return "";
}

struct BudgetRegisters : impl::GsaTileBudgetRegistersBase<BudgetRegisters> {
  using GsaTileBudgetRegistersBase::GsaTileBudgetRegistersBase;

  void runOnOperation() override {
    KernelOp kernel = getOperation();
    std::optional<CudaTarget> target = findCudaTarget(arch);
    if (!target) {
      kernel.emitOpError("cannot have register budgets: unknown architecture '")
          << arch << "'";
      return signalPassFailure();
    }
    if (!target->wgmma) return skip(kernel, "registers do not move on " + arch);
    auto all = kernel.getBody().getOps<RolesOp>();
    if (all.empty()) return skip(kernel, "there are no roles");
    RolesOp roles = *all.begin();
    int64_t warps = 0;
    for (Attribute attribute : roles.getRoles()) {
      auto role = cast<RoleAttr>(attribute);
      if (role.getRegisters() > 0) return skip(kernel, "the roles have some");
      if (!isWholeGroups(role.getTeam()))
        return skip(kernel,
                    "role " + role.getName().str() + " is no whole warpgroups");
      warps += role.getTeam().getCount();
    }
    if (warps != kernel.getWarps()) return skip(kernel, "a warp has no role");
    budget(kernel, roles, *target);
  }

  void budget(KernelOp kernel, RolesOp roles, const CudaTarget& target) {
    FragmentRegisters fragments(kernel);
    SmallVector<FragmentPeak> peaks;
    for (unsigned i = 0; i < roles.getRoles().size(); ++i)
      peaks.push_back(fragments.findPeak(roles, i));
    bool two = 2 * (kernel.getSharedBytes() + kReservedBytes) <=
                   target.sharedBytesPerSm &&
               2 * kernel.getWarps() <= target.warpsPerSm;
    Budgets budgets;
    StringRef reason;
    for (int64_t blocks = two ? 2 : 1; blocks > 0; --blocks) {
      reason = findBudgets(kernel, roles, peaks, blocks, budgets);
      if (reason.empty()) return apply(kernel, roles, budgets);
    }
    skip(kernel, reason.str());
  }

  void apply(KernelOp kernel, RolesOp roles, const Budgets& budgets) {
    kernel.setMinBlocks(budgets.blocks);
    OpBuilder b(kernel.getContext());
    SmallVector<Attribute> attributes;
    std::string text;
    for (auto [attribute, body, registers] :
         llvm::zip(roles.getRoles(), roles.getBodies(), budgets.ofRoles)) {
      auto role = cast<RoleAttr>(attribute);
      attributes.push_back(RoleAttr::get(kernel.getContext(), role.getName(),
                                         role.getTeam(), registers));
      b.setInsertionPointToStart(&body.front());
      SetMaxRegistersOp::create(b, roles.getLoc(), registers,
                                registers > budgets.atLaunch);
      text += ", " + role.getName().str() + " " + std::to_string(registers);
    }
    roles.setRolesAttr(b.getArrayAttr(attributes));
    remark::passed(
        kernel.getLoc(),
        remark::RemarkOpts::name("RegisterBudgets").category("gsa.tile"))
        << (kernel.getSymName() + text).str()
        << remark::metric("launch", budgets.atLaunch)
        << remark::metric("blocks", budgets.blocks);
  }

  static void skip(KernelOp kernel, const std::string& reason) {
    remark::missed(
        kernel.getLoc(),
        remark::RemarkOpts::name("NoRegisterBudgets").category("gsa.tile"))
        << (kernel.getSymName() + ": " + reason).str();
  }
};

}  // namespace
}  // namespace mlir::gsa
