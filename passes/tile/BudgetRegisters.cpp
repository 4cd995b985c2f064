//===- BudgetRegisters.cpp - registers move from role to role -------------===//
//
// gsa-tile-budget-registers. At launch every thread of a block has the same
// number of registers. Warps that only copy give most of theirs to warps that
// hold fragments, so that two blocks fit into an SM where one would.
//
//===----------------------------------------------------------------------===//

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Remarks.h"
#include "passes/TargetOption.h"
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
/// setmaxnreg takes multiples of this.
constexpr int64_t kUnit = 8;
/// What a thread can use, in units.
constexpr int64_t kMostRegisters = 248;
/// Budget of a role without fragments. Loops that copy keys and values of odd
/// widths have that many addresses in flight; with 40 they spill.
constexpr int64_t kCopyBudget = 72;
/// The least beside products of warpgroups, where that is too much: those read
/// tiles of whole panels, which loops of few addresses copy.
constexpr int64_t kTightCopyBudget = 32;
/// The most that is of use: fragments, operands of the same size in flight, and
/// this. Where there is more, ptxas keeps operands across iterations, and
/// spills some of them in the end.
constexpr int64_t kBesideTwice = 24;
/// Products side by side beyond which ptxas takes all registers.
constexpr int64_t kMostProducts = 4;

struct Budgets {
  int64_t blocks = 1;    ///< Blocks that an SM shall hold.
  int64_t atLaunch = 0;  ///< Registers of each thread.
  SmallVector<int64_t> ofRoles;
};

bool isWholeGroups(TeamAttr team) {
  return team.getFirst() % kGroupWarps == 0 &&
         team.getCount() % kGroupWarps == 0;
}

/// Products of f32 are FFMAs, whose operands fill all registers there are.
bool multipliesByFma(KernelOp kernel) {
  return kernel
      .walk([](ProductOpInterface product) {
        return product.getUnit() == ProductUnit::Fma ? WalkResult::interrupt()
                                                     : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Registers beside the peak if all products of an iteration that share a left
/// operand's fragment are computed at the same time. ptxas tries to, and spills
/// if it has less room for them than a thread can have; of more than
/// kMostProducts it takes as many as there is room for.
int64_t countInterleaved(KernelOp kernel) {
  // Left operands in registers, and the accumulator of one of their products.
  llvm::MapVector<Value, int64_t> products;
  kernel.walk([&](ProductOpInterface product) {
    if (auto lhs = dyn_cast<FragType>(product.getLeft().getType()))
      products[product.getLeft()] =
          lhs.getRegisters() +
          cast<FragType>(product.getAccumulator().getType()).getRegisters();
  });
  int64_t registers = 0;
  for (auto [lhs, product] : products) {
    int64_t loads = llvm::count_if(lhs.getUsers(), [](Operation* user) {
      return !isa<ProductOpInterface>(user) &&
             llvm::any_of(user->getOperandTypes(), llvm::IsaPred<SmemType>);
    });
    if (loads > kMostProducts) registers += kMostRegisters;
    if (loads > 1) registers += (loads - 1) * product;
  }
  return registers;
}

int64_t roundDown(int64_t registers) {
  return static_cast<int64_t>(llvm::alignDown(registers, kUnit));
}

int64_t getThreads(RolesOp roles, size_t role) {
  return cast<RoleAttr>(roles.getRoles()[role]).getTeam().getCount() *
         kWarpThreads;
}

/// Threads of roles that hold fragments.
int64_t countComputing(RolesOp roles, ArrayRef<FragmentPeak> peaks) {
  int64_t threads = 0;
  for (auto [i, peak] : llvm::enumerate(peaks))
    if (peak.registers > 0) threads += getThreads(roles, i);
  return threads;
}

constexpr StringLiteral kDoNotFit = "fragments do not fit into their share";

/// Budgets if an SM holds `blocks` blocks, with `copyBudget` for a role without
/// fragments and `beside` registers beside the fragments of others. Returns why
/// there are none, or an empty string.
StringRef findBudgets(KernelOp kernel, RolesOp roles,
                      ArrayRef<FragmentPeak> peaks, int64_t blocks,
                      int64_t copyBudget, int64_t beside, Budgets& budgets) {
  int64_t threads = kernel.getWarps() * kWarpThreads;
  int64_t computing = countComputing(roles, peaks);
  if (computing == 0 || computing == threads)
    return "all roles hold fragments, or none does";
  budgets.blocks = blocks;
  budgets.atLaunch =
      std::min(roundDown(kSmRegisters / (threads * blocks)), kMostRegisters);
  if (budgets.atLaunch == kMostRegisters)
    return "an even share is all that a thread can use";
  int64_t left =
      budgets.atLaunch * threads - copyBudget * (threads - computing);
  int64_t share = std::min(roundDown(left / computing), kMostRegisters);
  budgets.ofRoles.clear();
  bool grows = false;
  for (const FragmentPeak& peak : peaks) {
    if (peak.registers + beside > share) return kDoNotFit;
    auto least =
        static_cast<int64_t>(llvm::alignTo(peak.registers + beside, kUnit));
    int64_t useful =
        std::max(least, roundDown(2 * peak.registers + kBesideTwice));
    budgets.ofRoles.push_back(peak.registers > 0 ? std::min(share, useful)
                                                 : copyBudget);
    grows |= peak.registers > 0 && budgets.ofRoles.back() > budgets.atLaunch;
  }
  if (!grows) return "an even share is enough";
  // What others leave, by rounding or since it is of no use to them.
  int64_t taken = 0;
  for (auto [i, peak] : llvm::enumerate(peaks))
    if (peak.registers > 0) taken += budgets.ofRoles[i] * getThreads(roles, i);
  int64_t rest =
      roundDown((budgets.atLaunch * threads - taken) / (threads - computing));
  for (auto [i, peak] : llvm::enumerate(peaks))
    if (peak.registers == 0)
      budgets.ofRoles[i] = std::clamp(rest, copyBudget, kCopyBudget);
  return "";
}

struct BudgetRegisters : impl::GsaTileBudgetRegistersBase<BudgetRegisters> {
  using GsaTileBudgetRegistersBase::GsaTileBudgetRegistersBase;

  void runOnOperation() override {
    KernelOp kernel = getOperation();
    std::optional<CudaTarget> target =
        findTargetOption(kernel, getArgument(), arch);
    if (!target) return signalPassFailure();
    if (!target->wgmma) return skip(kernel, "registers do not move on " + arch);
    auto all = kernel.getBody().getOps<RolesOp>();
    if (all.empty()) return skip(kernel, "there are no roles");
    RolesOp roles = *all.begin();
    if (multipliesByFma(kernel))
      return skip(kernel, "products by FMA take all registers");
    int64_t warps = 0;
    for (Attribute attribute : roles.getRoles()) {
      auto role = cast<RoleAttr>(attribute);
      if (role.getRegisters() > 0) return skip(kernel, "the roles have some");
      if (!isWholeGroups(role.getTeam()))
        return skip(kernel,
                    "role " + role.getName().str() + " is no whole warpgroups");
      warps += role.getTeam().getCount();
    }
    if (warps != static_cast<int64_t>(kernel.getWarps()))
      return skip(kernel, "a warp has no role");
    budget(kernel, roles, *target);
  }

  void budget(KernelOp kernel, RolesOp roles, const CudaTarget& target) {
    FragmentRegisters fragments(kernel);
    SmallVector<FragmentPeak> peaks;
    for (unsigned i = 0; i < roles.getRoles().size(); ++i)
      peaks.push_back(fragments.findPeak(roles, i));
    int64_t peak = llvm::max_element(peaks, [](const auto& a, const auto& b) {
                     return a.registers < b.registers;
                   })->registers;
    if (peak + countInterleaved(kernel) > kMostRegisters)
      return skip(kernel, "products side by side need all registers");
    auto warps = static_cast<int64_t>(kernel.getWarps());
    bool two = target.holdsTwo(kernel.getSharedBytes()) &&
               2 * warps <= target.warpsPerSm;
    Budgets budgets;
    StringRef reason;
    for (int64_t blocks = two ? 2 : 1; blocks > 0; --blocks) {
      reason = findBudgets(kernel, roles, peaks, blocks, kCopyBudget,
                           kRegistersBesideFragments, budgets);
      if (reason.empty()) return apply(kernel, roles, budgets);
      if (reason != kDoNotFit) break;
    }
    if (reason == kDoNotFit && multipliesByWgmma(kernel) &&
        findBudgets(kernel, roles, peaks, /*blocks=*/1, kTightCopyBudget,
                    kRegistersBesideProducts, budgets)
            .empty())
      return apply(kernel, roles, budgets);
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
