//===- UnrollHost.cpp - the loops of the host function are steps ----------===//
//
// gsa-unroll-host. The host executes the function's loops once, when the plan
// is made (runtime/export_program.h); where steps run side by side, what
// depends on what has to be known before, for each of them.
//
//===----------------------------------------------------------------------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "dialect/GsaTile/PipelineAttrs.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "passes/StepGraph.h"
#include "passes/cuda/CudaHostPasses.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSAUNROLLHOST
#include "passes/cuda/CudaHostPasses.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

namespace {

/// Clones the ops of a block behind them, with what loops and branches execute
/// in their place.
class Unroller {
 public:
  Unroller(func::FuncOp entry, int64_t most)
      : builder(entry.getContext()), most(most) {}

  /// Why the block stays as it is; empty if it does not.
  std::string run(Block& block);

 private:
  LogicalResult copy(Block& block);
  LogicalResult copy(Operation* op);
  LogicalResult copyFor(scf::ForOp loop);
  LogicalResult copyIf(scf::IfOp branch);
  /// What a bound or a condition is, where it is known by now.
  FailureOr<int64_t> number(Value value, StringRef what);
  LogicalResult giveUp(const Twine& why) {
    reason = why.str();
    return failure();
  }

  OpBuilder builder;
  int64_t most;
  std::string reason;
  IRMapping map;
  SmallVector<int64_t> parts;
  int64_t loops = 0, steps = 0;
  /// Of the last independent loop in each of the blocks around: its number and
  /// that of its next iteration.
  struct Last {
    int64_t loop = -1, iteration = 0;
  };
  SmallVector<Last> last;
};

}  // namespace

FailureOr<int64_t> Unroller::number(Value value, StringRef what) {
  if (auto known = getConstantIntValue(map.lookupOrDefault(value)))
    return *known;
  return giveUp(what + " is not known when the plan is made");
}

LogicalResult Unroller::copyFor(scf::ForOp loop) {
  if (!loop.getInitArgs().empty()) return giveUp("a loop carries values");
  FailureOr<int64_t> lower = number(loop.getLowerBound(), "a lower bound");
  if (failed(lower)) return failure();
  FailureOr<int64_t> upper = number(loop.getUpperBound(), "an upper bound");
  if (failed(upper)) return failure();
  FailureOr<int64_t> step = number(loop.getStep(), "a step");
  if (failed(step)) return failure();
  bool independent = loop->hasAttr(kIndependentAttr);
  if (independent && (last.back().loop < 0 || !loop->hasAttr(kJoinedAttr)))
    last.back() = {loops++, 0};
  for (int64_t i = *lower; i < *upper; i += *step) {
    map.map(loop.getInductionVar(),
            arith::ConstantOp::create(
                builder, loop.getLoc(),
                builder.getIntegerAttr(loop.getInductionVar().getType(), i)));
    if (independent) parts.append({last.back().loop, last.back().iteration++});
    LogicalResult copied = copy(*loop.getBody());
    if (independent) parts.pop_back_n(2);
    if (failed(copied)) return failure();
  }
  return success();
}

LogicalResult Unroller::copyIf(scf::IfOp branch) {
  FailureOr<int64_t> taken = number(branch.getCondition(), "a condition");
  if (failed(taken)) return failure();
  Region& region =
      *taken != 0 ? branch.getThenRegion() : branch.getElseRegion();
  if (region.empty()) return success();
  if (failed(copy(region.front()))) return failure();
  for (auto [result, value] : llvm::zip(
           branch.getResults(), region.front().getTerminator()->getOperands()))
    map.map(result, map.lookupOrDefault(value));
  return success();
}

LogicalResult Unroller::copy(Operation* op) {
  if (auto loop = dyn_cast<scf::ForOp>(op)) return copyFor(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op)) return copyIf(branch);
  Operation* clone = builder.clone(*op, map);
  if (isHostStep(clone)) {
    if (steps == most)
      return giveUp("there are more than " + Twine(most) + " steps");
    clone->setAttr(kStepAttr,
                   StepAttr::get(op->getContext(), steps++, 0, {}, parts));
    return success();
  }
  // Sizes of chunks become numbers, on which bounds of inner loops depend.
  SmallVector<Value> folded;
  if (succeeded(builder.tryFold(clone, folded)) && !folded.empty()) {
    for (auto [result, value] : llvm::zip(op->getResults(), folded))
      map.map(result, value);
    clone->erase();
  }
  return success();
}

LogicalResult Unroller::copy(Block& block) {
  last.emplace_back();
  for (Operation& op : block.without_terminator())
    if (failed(copy(&op))) return failure();
  last.pop_back();
  return success();
}

std::string Unroller::run(Block& block) {
  SmallVector<Operation*> old;
  for (Operation& op : block.without_terminator()) old.push_back(&op);
  if (old.empty()) return "";
  Operation* end = block.getTerminator();
  builder.setInsertionPoint(end);
  auto drop = [](ArrayRef<Operation*> ops) {
    for (Operation* op : llvm::reverse(ops)) {
      op->dropAllUses();
      op->erase();
    }
  };
  last.emplace_back();
  for (Operation* op : old) {
    if (succeeded(copy(op))) continue;
    SmallVector<Operation*> copies;
    for (Operation* made = old.back()->getNextNode(); made != end;
         made = made->getNextNode())
      copies.push_back(made);
    drop(copies);
    return reason;
  }
  for (OpOperand& operand : end->getOpOperands())
    operand.set(map.lookupOrDefault(operand.get()));
  drop(old);
  return "";
}

namespace {

struct UnrollHost : gsa::impl::GsaUnrollHostBase<UnrollHost> {
  using GsaUnrollHostBase::GsaUnrollHostBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) run(function);
  }

  void run(func::FuncOp function) {
    auto lanes = function->getAttrOfType<IntegerAttr>(kLanesAttr);
    if (!lanes || lanes.getInt() < 2 || function.isExternal()) return;
    std::string reason =
        function.getBody().hasOneBlock()
            ? Unroller(function, most).run(function.getBody().front())
            : "the function has several blocks";
    if (reason.empty()) return;
    function->setAttr(kLanesAttr, Builder(&getContext()).getI64IntegerAttr(1));
    remark::missed(function.getLoc(), remark::RemarkOpts::name("LanesRejected")
                                          .category("gsa.lanes")
                                          .function(function.getSymName()))
        << reason;
  }
};

}  // namespace
