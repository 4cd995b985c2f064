//===- Interpreter.cpp - float64 execution of a module --------------------===//
//
// Walks the ops of a function, keeps the values that are still needed, and
// turns errors into diagnostics at the op.
//
//===----------------------------------------------------------------------===//

#include "tools/reference-interpreter/Interpreter.h"

#include <exception>
#include <new>

#include "dialect/Gsa/GsaGradientOps.h"
#include "mlir/IR/SymbolTable.h"
#include "tools/reference-interpreter/Evaluate.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

int64_t mlir::gsa::detail::resolve(OpFoldResult value,
                                   const OpContext& context) {
  if (auto attribute = dyn_cast<Attribute>(value))
    return cast<IntegerAttr>(attribute).getInt();
  return context.lookup(cast<Value>(value)).asInteger();
}

reference::Shape mlir::gsa::detail::resolve(ArrayRef<OpFoldResult> values,
                                            const OpContext& context) {
  reference::Shape shape;
  for (OpFoldResult value : values) shape.push_back(resolve(value, context));
  return shape;
}

namespace {

/// Deeper calls are refused: recursion without a condition never ends.
constexpr int kMaxCallDepth = 64;

/// Values that nobody reads after an op, by op.
using DyingValues = DenseMap<Operation*, SmallVector<Value>>;

DyingValues findDyingValues(Block& block) {
  DenseMap<Value, Operation*> lastUse;
  for (Operation& op : block) {
    op.walk([&](Operation* nested) {
      for (Value operand : nested->getOperands())
        if (operand.getParentBlock() == &block) lastUse[operand] = &op;
    });
  }
  DyingValues dying;
  for (auto [value, op] : lastUse) dying[op].push_back(value);
  return dying;
}

/// The values of one SSA value in the two evaluations.
struct Evaluated {
  RuntimeValue exact, rounded;
};

/// The same of several SSA values.
struct EvaluatedRange {
  Results exact, rounded;

  void push_back(const Evaluated& value) {
    exact.push_back(value.exact);
    rounded.push_back(value.rounded);
  }
  bool isShared() const {
    return llvm::all_of(llvm::zip_equal(exact, rounded), [](auto pair) {
      return std::get<0>(pair).sharesWith(std::get<1>(pair));
    });
  }
};

class Interpreter {
 public:
  Interpreter(const InterpreterOptions& options, bool isRounding)
      : options(options), isRounding(isRounding) {}

  FailureOr<EvaluatedRange> call(func::FuncOp function,
                                 const EvaluatedRange& inputs, int depth);

  /// Whether a selection differed between the evaluations.
  bool selectionsDiffer = false;

 private:
  using Frame = DenseMap<Value, Evaluated>;

  FailureOr<EvaluatedRange> evaluate(Operation* op,
                                     const EvaluatedRange& operands,
                                     const Frame& frame, int depth);
  FailureOr<EvaluatedRange> evaluateCall(func::CallOp op,
                                         const EvaluatedRange& operands,
                                         int depth);
  /// One of the two evaluations of an op that is no call.
  FailureOr<Results> evaluateOnce(Operation* op, const EvaluatedRange& operands,
                                  const Frame& frame, bool rounds);

  const InterpreterOptions& options;
  const bool isRounding;
  BudgetTable budgets, roundedBudgets;
  SelectionMemo memo;
};

/// Fails with a diagnostic if a value does not fit its type. `what` names the
/// kind of value, "argument" or "result".
LogicalResult checkTypes(Operation* op, StringRef what, TypeRange types,
                         ArrayRef<RuntimeValue> values) {
  if (types.size() != values.size())
    return op->emitOpError("has ") << types.size() << " " << what << "s, got "
                                   << values.size() << " values";
  for (auto [i, type] : llvm::enumerate(types)) {
    std::string mismatch = describeMismatch(values[i], type);
    if (!mismatch.empty())
      return op->emitOpError() << what << " #" << i << " " << mismatch;
  }
  return success();
}

/// Runs the evaluator of the op's dialect; throws on errors.
std::optional<Results> dispatch(const OpContext& context) {
  StringRef dialect = context.op->getName().getDialectNamespace();
  if (dialect == "gsa") return evaluateGsaOp(context);
  if (dialect == "linalg") return evaluateLinalgOp(context);
  if (dialect == "tensor") return evaluateTensorOp(context);
  return evaluateScalarOp(context);
}

/// Whether an op rounds inside, so that rounding its exact results is not the
/// same as evaluating it again.
bool roundsInside(Operation* op) {
  if (isAttention(op) ||
      isa<AttentionOp, RowStatisticsOp, StatMeanOp, GatherAttentionGradOp,
          DenseAttentionGradOp, IndexScoresGradOp, IndexKlOp, IndexKlGradOp>(
          op))
    return true;
  if (op->getNumRegions() == 0 || isContraction(op)) return false;
  // Regions that only move elements, as those of linalg.fill and
  // linalg.broadcast do.
  return llvm::any_of(op->getRegions(), [](Region& region) {
    return !region.hasOneBlock() ||
           &region.front().front() != region.front().getTerminator();
  });
}

/// Whether the regions of an op read the same values in both evaluations.
template <typename Frame>
bool readsSharedValues(Operation* op, const Frame& frame) {
  bool shared = true;
  op->walk([&](Operation* nested) {
    for (Value operand : nested->getOperands()) {
      auto it = frame.find(operand);
      if (it != frame.end() && !it->second.exact.sharesWith(it->second.rounded))
        shared = false;
    }
  });
  return shared;
}

FailureOr<EvaluatedRange> Interpreter::evaluateCall(
    func::CallOp op, const EvaluatedRange& operands, int depth) {
  auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      op, op.getCalleeAttr());
  if (!callee)
    return op.emitOpError("calls '") << op.getCallee() << "', which is unknown";
  if (depth >= kMaxCallDepth)
    return op.emitOpError("is nested more than ") << kMaxCallDepth << " deep";
  return call(callee, operands, depth + 1);
}

FailureOr<Results> Interpreter::evaluateOnce(Operation* op,
                                             const EvaluatedRange& operands,
                                             const Frame& frame, bool rounds) {
  std::function<RuntimeValue(Value)> lookup = [&](Value value) {
    auto it = frame.find(value);
    reference::Require(it != frame.end(),
                       "reads a value that is defined in a region");
    return rounds ? it->second.rounded : it->second.exact;
  };
  std::optional<Results> results;
  try {
    results = dispatch(OpContext{op, rounds ? operands.rounded : operands.exact,
                                 operands.rounded, rounds, lookup, options,
                                 rounds ? roundedBudgets : budgets,
                                 roundedBudgets, memo});
  } catch (const std::bad_alloc&) {
    return op->emitOpError("ran out of memory in the reference interpreter");
  } catch (const std::exception& error) {
    return op->emitOpError() << error.what();
  }
  if (!results)
    return op->emitOpError("is not supported by the reference interpreter");
  if (failed(checkTypes(op, "result", op->getResultTypes(), *results)))
    return failure();
  return std::move(*results);
}

FailureOr<EvaluatedRange> Interpreter::evaluate(Operation* op,
                                                const EvaluatedRange& operands,
                                                const Frame& frame, int depth) {
  if (auto callOp = dyn_cast<func::CallOp>(op))
    return evaluateCall(callOp, operands, depth);
  FailureOr<Results> exact = evaluateOnce(op, operands, frame, false);
  if (failed(exact)) return failure();
  FailureOr<Results> rounded = exact;
  if (isRounding) {
    bool isShared = operands.isShared() && !roundsInside(op) && memo.shared &&
                    memo.used.alternatives.empty() &&
                    readsSharedValues(op, frame);
    if (!isShared) rounded = evaluateOnce(op, operands, frame, true);
    if (failed(rounded)) return failure();
    for (auto [type, value] : llvm::zip_equal(op->getResultTypes(), *rounded))
      value = roundTo(type, value);
    selectionsDiffer |= !memo.shared;
    memo = {};
  }
  return EvaluatedRange{std::move(*exact), std::move(*rounded)};
}

FailureOr<EvaluatedRange> Interpreter::call(func::FuncOp function,
                                            const EvaluatedRange& inputs,
                                            int depth) {
  if (function.isExternal()) return function.emitOpError("has no body");
  if (!function.getBody().hasOneBlock())
    return function.emitOpError(
        "has more than one block, which is not supported by the reference "
        "interpreter");
  if (failed(checkTypes(function, "argument", function.getArgumentTypes(),
                        inputs.exact)))
    return failure();

  Block& block = function.getBody().front();
  Frame frame;
  for (auto [argument, exact, rounded] :
       llvm::zip_equal(block.getArguments(), inputs.exact, inputs.rounded))
    frame[argument] = {exact, rounded};
  DyingValues dying = findDyingValues(block);
  int64_t done = 0, total = std::distance(block.begin(), block.end());
  for (Operation& op : block) {
    if (depth == 0 && options.progress) options.progress(done++, total);
    EvaluatedRange operands;
    for (Value operand : op.getOperands()) operands.push_back(frame[operand]);
    if (isa<func::ReturnOp>(op)) return operands;
    FailureOr<EvaluatedRange> results = evaluate(&op, operands, frame, depth);
    if (failed(results)) return failure();
    if (options.observer) options.observer(&op, operands.exact, results->exact);
    for (auto [result, exact, rounded] :
         llvm::zip_equal(op.getResults(), results->exact, results->rounded))
      if (!result.use_empty())
        frame[result] = {std::move(exact), std::move(rounded)};
    for (Value value : dying[&op]) frame.erase(value);
  }
  return function.emitOpError("does not end in func.return");
}

}  // namespace

FailureOr<SmallVector<RuntimeValue>> mlir::gsa::interpret(
    func::FuncOp function, ArrayRef<RuntimeValue> inputs,
    const InterpreterOptions& options) {
  EvaluatedRange given{Results(inputs), Results(inputs)};
  FailureOr<EvaluatedRange> results = Interpreter(options, /*isRounding=*/false)
                                          .call(function, given, /*depth=*/0);
  if (failed(results)) return failure();
  return std::move(results->exact);
}

FailureOr<Evaluations> mlir::gsa::interpretRounded(
    func::FuncOp function, ArrayRef<RuntimeValue> inputs,
    const InterpreterOptions& options) {
  EvaluatedRange given{Results(inputs), Results(inputs)};
  Interpreter interpreter(options, /*isRounding=*/true);
  FailureOr<EvaluatedRange> results =
      interpreter.call(function, given, /*depth=*/0);
  if (failed(results)) return failure();
  return Evaluations{std::move(results->exact), std::move(results->rounded),
                     interpreter.selectionsDiffer};
}
