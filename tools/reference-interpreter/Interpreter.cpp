//===- Interpreter.cpp - float64 execution of a module --------------------===//
//
// Walks the ops of a function, keeps the values that are still needed, and
// turns errors into diagnostics at the op.
//
//===----------------------------------------------------------------------===//

#include "tools/reference-interpreter/Interpreter.h"

#include <exception>
#include <new>

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

class Interpreter {
 public:
  explicit Interpreter(const InterpreterOptions& options) : options(options) {}

  FailureOr<Results> call(func::FuncOp function, ArrayRef<RuntimeValue> inputs,
                          int depth);

 private:
  using Frame = DenseMap<Value, RuntimeValue>;

  FailureOr<Results> evaluate(Operation* op, ArrayRef<RuntimeValue> operands,
                              const Frame& frame, int depth);
  FailureOr<Results> evaluateCall(func::CallOp op,
                                  ArrayRef<RuntimeValue> operands, int depth);

  const InterpreterOptions& options;
  BudgetTable budgets;
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

FailureOr<Results> Interpreter::evaluateCall(func::CallOp op,
                                             ArrayRef<RuntimeValue> operands,
                                             int depth) {
  auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      op, op.getCalleeAttr());
  if (!callee)
    return op.emitOpError("calls '") << op.getCallee() << "', which is unknown";
  if (depth >= kMaxCallDepth)
    return op.emitOpError("is nested more than ") << kMaxCallDepth << " deep";
  return call(callee, operands, depth + 1);
}

FailureOr<Results> Interpreter::evaluate(Operation* op,
                                         ArrayRef<RuntimeValue> operands,
                                         const Frame& frame, int depth) {
  if (auto callOp = dyn_cast<func::CallOp>(op))
    return evaluateCall(callOp, operands, depth);
  std::function<RuntimeValue(Value)> lookup = [&](Value value) {
    auto it = frame.find(value);
    reference::Require(it != frame.end(),
                       "reads a value that is defined in a region");
    return it->second;
  };
  std::optional<Results> results;
  try {
    results = dispatch(OpContext{op, operands, lookup, options, budgets});
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

FailureOr<Results> Interpreter::call(func::FuncOp function,
                                     ArrayRef<RuntimeValue> inputs, int depth) {
  if (function.isExternal()) return function.emitOpError("has no body");
  if (!function.getBody().hasOneBlock())
    return function.emitOpError(
        "has more than one block, which is not supported by the reference "
        "interpreter");
  if (failed(checkTypes(function, "argument", function.getArgumentTypes(),
                        inputs)))
    return failure();

  Block& block = function.getBody().front();
  Frame frame;
  for (auto [argument, input] : llvm::zip_equal(block.getArguments(), inputs))
    frame[argument] = input;
  DyingValues dying = findDyingValues(block);
  int64_t done = 0, total = std::distance(block.begin(), block.end());
  for (Operation& op : block) {
    if (depth == 0 && options.progress) options.progress(done++, total);
    Results operands;
    for (Value operand : op.getOperands()) operands.push_back(frame[operand]);
    if (isa<func::ReturnOp>(op)) return operands;
    FailureOr<Results> results = evaluate(&op, operands, frame, depth);
    if (failed(results)) return failure();
    if (options.observer) options.observer(&op, operands, *results);
    for (auto [result, value] : llvm::zip_equal(op.getResults(), *results))
      if (!result.use_empty()) frame[result] = std::move(value);
    for (Value value : dying[&op]) frame.erase(value);
  }
  return function.emitOpError("does not end in func.return");
}

}  // namespace

FailureOr<SmallVector<RuntimeValue>> mlir::gsa::interpret(
    func::FuncOp function, ArrayRef<RuntimeValue> inputs,
    const InterpreterOptions& options) {
  return Interpreter(options).call(function, inputs, /*depth=*/0);
}
