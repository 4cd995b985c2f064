//===- Evaluate.h - evaluation of single ops (internal) -------------------===//
//
// One function per family of ops. Inside the interpreter an error is a
// std::invalid_argument, because that is how test/reference reports errors;
// evaluateOp in Interpreter.cpp turns it into a diagnostic at the op. No
// exception crosses a frame of LLVM or MLIR code, which is compiled without
// them.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_REFERENCE_INTERPRETER_EVALUATE_H
#define GSA_TOOLS_REFERENCE_INTERPRETER_EVALUATE_H

#include "dialect/Gsa/GsaOps.h"
#include "llvm/ADT/DenseMap.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/Operation.h"
#include "tools/reference-interpreter/Interpreter.h"

namespace mlir::gsa::detail {

using Results = SmallVector<RuntimeValue>;

/// The raw budgets of a gsa.adaptive_k, by its result: a gsa.topk that reads
/// them can then tell a budget that rounding errors may shift.
struct BudgetRecord {
  reference::KPolicy policy;
  reference::Tensor<double> raw;
};
using BudgetTable = DenseMap<Value, BudgetRecord>;

/// The selection that the exact evaluation of an op ended with. The rounded
/// evaluation of the same op follows at once.
struct SelectionMemo {
  Selection used;
  reference::Tensor<int32_t> status;
  /// The rounded evaluation selects the same.
  bool shared = true;
};

/// What the evaluation of one op may read.
struct OpContext {
  Operation* op;
  ArrayRef<RuntimeValue> operands;
  /// The operands of the rounded evaluation; `operands` itself in it, and
  /// without one.
  ArrayRef<RuntimeValue> rounded;
  /// Whether this is the rounded evaluation: results inside of the op are
  /// rounded as its definition rounds them. The op's own results are rounded
  /// by the interpreter.
  bool rounds;
  /// The value of an SSA value that is defined outside of a region of `op`.
  /// Throws if it has none.
  const std::function<RuntimeValue(Value)>& lookup;
  const InterpreterOptions& options;
  BudgetTable& budgets;
  const BudgetTable& roundedBudgets;
  SelectionMemo& memo;
};

/// Each function evaluates the ops it knows and returns nullopt for others.
std::optional<Results> evaluateGsaOp(const OpContext& context);
std::optional<Results> evaluateGradientOp(const OpContext& context);
std::optional<Results> evaluateLinalgOp(const OpContext& context);
std::optional<Results> evaluateTensorOp(const OpContext& context);
std::optional<Results> evaluateScalarOp(const OpContext& context);

/// The same activations in the reference.
reference::ScoreActivation toReference(ScoreActivation activation);
reference::WeightActivation toReference(WeightActivation activation);

/// Whether `op` is a linalg op whose body adds the product of two inputs to its
/// output.
bool isContraction(Operation* op);

/// The contraction fast path; nullopt if `context.op` is no contraction of
/// floats that can be written as batched out[m, n] += sum_k a[m, k] b[n, k].
std::optional<Results> evaluateContraction(const OpContext& context);

/// An integer that is an attribute or an SSA value.
int64_t resolve(OpFoldResult value, const OpContext& context);
reference::Shape resolve(ArrayRef<OpFoldResult> values,
                         const OpContext& context);

}  // namespace mlir::gsa::detail

#endif  // GSA_TOOLS_REFERENCE_INTERPRETER_EVALUATE_H
