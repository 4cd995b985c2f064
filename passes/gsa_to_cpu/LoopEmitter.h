//===- LoopEmitter.h - loops and vectors over buffers ----------*- C++ -*-===//
//
// What the lowerings of single ops to loops have in common: operands and
// results as buffers, the one parallel loop, scratch memory of a task, vectors
// of the accumulator type.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSA_TO_CPU_LOOPEMITTER_H
#define GSA_PASSES_GSA_TO_CPU_LOOPEMITTER_H

#include "dialect/Gsa/GsaBuilders.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"
#include "passes/Sizes.h"

namespace mlir::gsa {

/// Builds the loops of one op. Inherits scalar arithmetic, which also works on
/// vectors where both operands are vectors.
class LoopEmitter : public detail::ScalarBuilder {
 public:
  /// Inserts before `op`. `accumulator` is A(T); vectors have `lanes` elements.
  LoopEmitter(IRRewriter& rewriter, Operation* op, CpuScheduleAttr schedule,
              Type accumulator);

  CpuScheduleAttr schedule() const { return scheduleAttr; }
  Type acc() const { return accType; }
  int64_t lanes() const { return scheduleAttr.getLanes(); }
  /// vector<lanes x element>.
  VectorType vectorOf(Type element) const;

  //===--------------------------------------------------------------------===//
  // Buffers
  //===--------------------------------------------------------------------===//

  /// The operand as a buffer that is only read; null for a null operand.
  Value input(Value tensor);
  /// A new buffer for result `i` of `op`.
  Value output(Operation* op, unsigned i);
  /// The finished buffer as the value of a result.
  Value toTensor(Value buffer, Type tensorType);
  /// A buffer for intermediate values. Created inside `forTasks`' prologue it
  /// belongs to one task, elsewhere to all.
  Value scratch(ArrayRef<int64_t> shape, Type element);

  /// Scalar load, converted to the accumulator type if it is a float.
  Value load(Value buffer, ValueRange indices);
  void store(Value value, Value buffer, ValueRange indices);
  /// Load of `lanes` neighbouring elements; floats are converted to A(T).
  Value loadVector(Value buffer, ValueRange indices);
  void storeVector(Value vector, Value buffer, ValueRange indices);

  //===--------------------------------------------------------------------===//
  // Vectors
  //===--------------------------------------------------------------------===//

  /// All lanes equal `scalar`.
  Value splat(Value scalar);
  /// All lanes equal `value`, of element type `element` (float or integer).
  Value splatConstant(Type element, double value);
  Value splatInt(Type element, int64_t value);
  /// 0, 1, 2, ... as vector<lanes x i32>.
  Value iota();
  Value fma(Value a, Value b, Value c);
  Value andMask(Value lhs, Value rhs);
  Value orMask(Value lhs, Value rhs);
  Value reduce(vector::CombiningKind kind, Value vector);

  /// An integer constant of any width.
  Value integer(Type type, int64_t value);

  //===--------------------------------------------------------------------===//
  // Control flow
  //===--------------------------------------------------------------------===//

  /// `condition ? ifTrue() : ifFalse()` for several values, evaluated lazily.
  SmallVector<Value> ifElse(Value condition, TypeRange types,
                            llvm::function_ref<SmallVector<Value>()> ifTrue,
                            llvm::function_ref<SmallVector<Value>()> ifFalse);
  /// `while (condition(carried)) carried = body(carried)`.
  SmallVector<Value> whileLoop(
      ValueRange init, llvm::function_ref<Value(ValueRange)> condition,
      llvm::function_ref<SmallVector<Value>(ValueRange)> body);

  /// Runs `body(i)` for i in [0, count) on the tasks of the schedule: task n
  /// handles n, n + tasks, ... in this order. `prologue` runs once per task
  /// and may create scratch buffers; each task has its own. With one task
  /// there is no parallel loop.
  void forTasks(const Size& count, llvm::function_ref<void()> prologue,
                llvm::function_ref<void(Value)> body);

  /// `size` as an index.
  Value value(const Size& size) { return toValue(*this, size); }

 private:
  CpuScheduleAttr scheduleAttr;
  Type accType;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSA_TO_CPU_LOOPEMITTER_H
