//===- Interpreter.h - float64 execution of a module ----------------------===//
//
// Executes a function at tensor level, before any lowering, op by op and in
// float64 whatever the element types say. The gsa ops are evaluated by
// test/reference, linalg ops over their iteration space. This is the oracle of
// `gsa-run --compare`; it shares no lowering with what it checks.
//
// Inputs are expected to hold values of the declared type already (an f32
// argument holds doubles that are f32 values). The exact evaluation rounds
// nothing after that. A second evaluation may go along with it, op by op, in
// which every result is rounded to its declared type, also those inside of an
// op's definition: it tells how far rounding alone takes a result from the
// exact one. What both have in common is computed once.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_REFERENCE_INTERPRETER_INTERPRETER_H
#define GSA_TOOLS_REFERENCE_INTERPRETER_INTERPRETER_H

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "test/reference/Compare.h"
#include "tools/reference-interpreter/RuntimeValue.h"

namespace mlir::gsa {

/// Which keys each query keeps: `indices` [B, Sq, K] and `counts` [B, Sq].
struct Selection {
  reference::Tensor<int32_t> indices;
  reference::Tensor<int32_t> counts;
  /// Set by InterpreterOptions::onSelection: these lists are known to be the
  /// tested ones, so the rounded evaluation uses them, too.
  bool pinned = false;
  /// If not pinned, rows [B * Sq] that the rounded evaluation takes in the
  /// place of its own, where they are not empty: lists that a tested run may
  /// have as well.
  std::vector<std::vector<int32_t>> alternatives = {};
};

/// A selection that gsa.select, gsa.topk or gsa.attention has just made.
struct SelectionEvent {
  Operation* op;
  Value indices;  ///< The result of `op` that holds the indices
  Value counts;   ///< The result of `op` that holds the counts
  /// What the reference knows about row b * Sq + t, for CompareRow. The scores
  /// are written to `scores`, which must live as long as the result is used.
  std::function<reference::RowReference(int64_t row,
                                        std::vector<double>* scores)>
      rowReference;
  /// Raw budgets [B, Sq] as rowReference gives them one by one; null if they
  /// are not known.
  const reference::Tensor<double>* raw = nullptr;
  /// Scores and raw budgets by the operands of the rounded evaluation. Empty
  /// without one, and if its operands differ by no more than binary32 rounds.
  std::function<void(int64_t row, std::vector<double>* scores)> roundedScores;
  std::function<reference::Tensor<double>()> roundedRaw;
};

/// Attention over all keys of queries, by gsa.gather_attention, gsa.attention
/// or gsa.dense_attention. Valid during the call only.
struct AttentionEvent {
  Operation* op;
  /// The selection that was used; null for dense attention, as are the next
  /// two.
  Value indices;
  const reference::Tensor<double>& query;  ///< [B, Sq, H, D], rotated
  const reference::Tensor<double>& key;    ///< [B, Sk, G, D], rotated
  const reference::Tensor<int32_t>* usedIndices;
  const reference::Tensor<int32_t>* usedCounts;
  std::optional<double> scale;  ///< Absent: 1 / sqrt(D).
};

/// A gate, of gsa.gate or of an op that has one. Valid during the call only.
struct GateEvent {
  Operation* op;
  Value logitsValue;
  const reference::Tensor<double>& logits;  ///< [B, S, H, D] or [B, S, H]
  reference::GateActivation activation;
};

struct InterpreterOptions {
  /// Threads of the heavy ops; they never change a result.
  int numThreads = 1;
  /// Called after each op with its operands and results.
  std::function<void(Operation*, ArrayRef<RuntimeValue> operands,
                     ArrayRef<RuntimeValue> results)>
      observer;
  /// Called after each selection and before it is used. It may replace rows of
  /// `selection`; all later ops, and the results of `op`, then use those.
  std::function<void(const SelectionEvent&, Selection& selection)> onSelection;
  /// Called after each attention, and after each gate.
  std::function<void(const AttentionEvent&)> onAttention;
  std::function<void(const GateEvent&)> onGate;
  /// Called before each op of the outermost function: ops done, ops in all.
  std::function<void(int64_t done, int64_t total)> progress;
};

/// Results of a function.
struct Evaluations {
  SmallVector<RuntimeValue> exact;
  SmallVector<RuntimeValue> rounded;
  /// Whether a selection that was not pinned keeps other keys in the rounded
  /// evaluation: then rows of the two are not the same rows.
  bool selectionsDiffer = false;
};

/// Calls `function` with `inputs` and returns its results. Fails, with a
/// diagnostic at the op, for an op that is not supported
/// ("'x.y' op is not supported by the reference interpreter"), for inputs that
/// do not fit the argument types, and for sizes that do not fit together.
FailureOr<SmallVector<RuntimeValue>> interpret(
    func::FuncOp function, ArrayRef<RuntimeValue> inputs,
    const InterpreterOptions& options = {});

/// The same in both evaluations.
FailureOr<Evaluations> interpretRounded(func::FuncOp function,
                                        ArrayRef<RuntimeValue> inputs,
                                        const InterpreterOptions& options = {});

}  // namespace mlir::gsa

#endif  // GSA_TOOLS_REFERENCE_INTERPRETER_INTERPRETER_H
