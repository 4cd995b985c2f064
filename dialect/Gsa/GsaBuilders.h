//===- GsaBuilders.h - helpers for decompositions --------------*- C++ -*-===//
//
// A thin layer over OpBuilder that keeps decompositions readable: scalars of
// the accumulator type, loops with carried values, generics over a whole
// result.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSA_GSABUILDERS_H
#define GSA_DIALECT_GSA_GSABUILDERS_H

#include "dialect/Gsa/GsaOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::gsa::detail {

/// Builds scalar arithmetic and loops at one location: the one vocabulary of
/// decompositions and of lowerings.
class ScalarBuilder {
 public:
  /// With `folds`, integer arithmetic on constants is a constant at once.
  ScalarBuilder(OpBuilder& builder, Location loc, bool folds = false)
      : b(builder), loc(loc), folds(folds) {}

  OpBuilder& builder() { return b; }
  Location location() { return loc; }

  Value index(int64_t value);
  Value i32(int32_t value);
  Value i64(int64_t value);
  Value constant(Type type, double value);

  /// Converts between float types of any width, rounding to nearest even.
  Value cast(Value value, Type type);
  /// Signed integer or index to float, through i64.
  Value toFloat(Value integer, Type type);
  Value toI32(Value indexValue);
  Value toI64(Value indexValue);
  Value toIndex(Value integer);

  Value add(Value lhs, Value rhs);  ///< Floats, integers or indices.
  Value sub(Value lhs, Value rhs);
  Value mul(Value lhs, Value rhs);
  Value div(Value lhs, Value rhs);  ///< Floats.
  Value min(Value lhs, Value rhs);  ///< Signed integers or indices.
  Value max(Value lhs, Value rhs);  ///< Signed integers or indices.
  /// `lhs / rhs` and `lhs % rhs` of indices that are not negative.
  Value divIndex(Value lhs, Value rhs);
  Value remIndex(Value lhs, Value rhs);
  Value exp(Value x);
  Value sigmoid(Value x);  ///< 1 / (1 + exp(-x)); scalar or vector.
  Value neg(Value x);
  Value cmpf(arith::CmpFPredicate predicate, Value lhs, Value rhs);
  Value cmpi(arith::CmpIPredicate predicate, Value lhs, Value rhs);
  Value select(Value condition, Value ifTrue, Value ifFalse);
  Value extract(Value tensor, ValueRange indices);

  /// `for (i = lower; i < upper; i += step) carried = body(i, carried)`.
  SmallVector<Value> forLoop(
      Value lower, Value upper, int64_t step, ValueRange init,
      llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body);
  /// The same in steps of one.
  SmallVector<Value> forLoop(
      Value lower, Value upper, ValueRange init,
      llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
    return forLoop(lower, upper, 1, init, body);
  }
  /// `for (i = lower; i < upper; i += step) body(i)`.
  scf::ForOp forLoop(Value lower, Value upper, int64_t step,
                     llvm::function_ref<void(Value)> body);
  /// `if (condition) body(); else otherwise();`
  void ifThen(Value condition, llvm::function_ref<void()> body,
              llvm::function_ref<void()> otherwise = nullptr);

  /// `condition ? ifTrue() : ifFalse()`, evaluated lazily.
  Value lazySelect(Value condition, Type type,
                   llvm::function_ref<Value()> ifTrue,
                   llvm::function_ref<Value()> ifFalse);

  /// For emitters that make ops of their own.
  OpBuilder& b;
  Location loc;

 private:
  template <typename OpTy, typename... Args>
  Value integer(Args&&... args);

  bool folds;
};

/// An empty tensor of `shape`.
Value emptyTensor(OpBuilder& b, Location loc, ArrayRef<OpFoldResult> shape,
                  Type elementType);

/// Size `i` of a tensor, as an index value.
Value dimValue(OpBuilder& b, Location loc, Value tensor, int64_t i);

/// A tensor whose cell at `indices` is `body(builder, indices)`: a
/// linalg.generic without inputs, all dimensions parallel.
Value generateTensor(
    OpBuilder& b, Location loc, ArrayRef<OpFoldResult> shape, Type elementType,
    llvm::function_ref<Value(ScalarBuilder&, ValueRange)> body);

/// Whether key `s` is visible to query `t` under the mask, as i1. `queries`
/// and `keys` are the numbers of both.
Value isVisible(ScalarBuilder& s, Mask mask, Value query, Value key,
                Value queries, Value keys);

/// Keys of `batch` (index): clamp(lengths[batch], 0, keys), or `keys` where
/// `lengths`, a tensor of i32, is null.
Value countKeys(ScalarBuilder& s, Value lengths, Value batch, Value keys);

/// act(logit) of a gate.
Value applyGate(ScalarBuilder& s, GateActivation activation, Value logit);
/// act(x) of an indexer head.
Value applyScoreActivation(ScalarBuilder& s, ScoreActivation activation,
                           Value x);

/// Budget of one row as i32: clamped, rounded towards zero and limited to
/// `visible` (i32). `statistic` and `normaliser` are scalars of the
/// accumulator type, or null where the policy uses none. As min >= 1, the
/// budget is at least 1 in a row that sees a key.
Value computeBudget(ScalarBuilder& s, KPolicyAttr policy, Value visible,
                    Value statistic, Value normaliser);

}  // namespace mlir::gsa::detail

#endif  // GSA_DIALECT_GSA_GSABUILDERS_H
