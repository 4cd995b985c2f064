//===- Budget.cpp - another budget for a module's selections --------------===//

#include "tools/gsa-run/Budget.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "dialect/Gsa/GsaLimits.h"
#include "dialect/Gsa/GsaOps.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "runtime/compiler.h"
#include "runtime/core/status_macros.h"
#include "runtime/status_adapter.h"

namespace gsa {
namespace {

using namespace mlir;
using mlir::gsa::AdaptiveKOp;
using mlir::gsa::AttentionOp;
using mlir::gsa::KPolicyAttr;
using mlir::gsa::KPolicyKind;
using mlir::gsa::SelectOp;
using mlir::gsa::TopKOp;

constexpr int64_t kMostKeys = mlir::gsa::kMaxBudget - 1;

KPolicyAttr scaled(KPolicyAttr policy, int64_t keys) {
  int64_t min = policy.getMin(), max = policy.getMax();
  if (policy.getKind() != KPolicyKind::Fixed) {
    // Rounded to nearest, the largest upwards: budgets stay below 2^30, so that
    // products of two fit.
    int64_t base = policy.getBase();
    min = std::clamp((min * keys + base / 2) / base, int64_t{1}, kMostKeys);
    max = std::clamp((max * keys + base - 1) / base, min, kMostKeys);
  }
  return KPolicyAttr::get(policy.getContext(), policy.getKind(), keys, min, max,
                          policy.getTemperature());
}

/// Sets the policies and the slots that follow from them. Returns the ops whose
/// results may have other types now.
SmallVector<Operation*> setBudgets(ModuleOp module, int64_t keys) {
  SmallVector<Operation*> changed;
  auto setPolicy = [&](auto op) {
    op.setPolicyAttr(scaled(op.getPolicy(), keys));
    changed.push_back(op);
  };
  module.walk([&](Operation* op) {
    if (auto attention = dyn_cast<AttentionOp>(op)) setPolicy(attention);
    if (auto select = dyn_cast<SelectOp>(op)) setPolicy(select);
    if (auto adaptive = dyn_cast<AdaptiveKOp>(op)) setPolicy(adaptive);
  });
  module.walk([&](TopKOp op) {
    auto budget = op.getK().getDefiningOp<AdaptiveKOp>();
    if (!budget) return;
    op.setSlots(budget.getPolicy().getSlots());
    changed.push_back(op);
  });
  return changed;
}

LogicalResult refreshTypes(Operation* op) {
  auto infer = cast<InferTypeOpInterface>(op);
  SmallVector<Type> types;
  if (failed(infer.inferReturnTypes(
          op->getContext(), op->getLoc(), op->getOperands(),
          op->getDiscardableAttrDictionary(), op->getPropertiesStorage(),
          op->getRegions(), types)))
    return op->emitOpError("has no types with this budget");
  for (auto [result, type] : llvm::zip_equal(op->getResults(), types)) {
    auto before = cast<RankedTensorType>(result.getType());
    auto after = cast<RankedTensorType>(type);
    // Only the slots change: sizes that were declared dynamic stay so.
    SmallVector<int64_t> shape(before.getShape());
    if (shape.size() == 3 && after.getElementType().isInteger(32) &&
        !ShapedType::isDynamic(shape[2]))
      shape[2] = after.getShape()[2];
    result.setType(before.clone(shape));
  }
  return success();
}

void refreshSignature(func::FuncOp function) {
  if (function.isExternal() || !function.getBody().hasOneBlock()) return;
  Operation* terminator = function.getBody().front().getTerminator();
  function.setType(FunctionType::get(function.getContext(),
                                     function.getArgumentTypes(),
                                     terminator->getOperandTypes()));
}

}  // namespace

absl::StatusOr<std::string> withBudget(const std::string& text,
                                       const std::string& filename,
                                       int64_t keys) {
  DialectRegistry registry;
  RegisterCompilerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  GSA_ASSIGN_OR_RETURN(OwningOpRef<ModuleOp> module,
                       ParseModule(text, filename, &context));
  SmallVector<Operation*> changed = setBudgets(*module, keys);
  if (changed.empty())
    return absl::InvalidArgumentError(
        absl::StrCat("--k: ", filename,
                     ": the module has no budget policy, expected "
                     "gsa.attention, gsa.select or gsa.adaptive_k"));
  DiagnosticCollector diagnostics(&context);
  for (Operation* op : changed)
    if (failed(refreshTypes(op)))
      return diagnostics.ToStatus(absl::StatusCode::kInternal, "--k");
  module->walk([](func::FuncOp function) { refreshSignature(function); });
  if (failed(verify(*module)))
    return diagnostics.ToStatus(
        absl::StatusCode::kUnimplemented,
        absl::StrCat("--k ", keys, ": the module fixes its number of slots"));
  std::string changedText;
  llvm::raw_string_ostream stream(changedText);
  OpPrintingFlags flags;
  flags.enableDebugInfo();
  module->print(stream, flags);
  return changedText;
}

}  // namespace gsa
