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

/// Builds scalar arithmetic at one location.
class ScalarBuilder {
 public:
  ScalarBuilder(OpBuilder& builder, Location loc) : b(builder), loc(loc) {}

  OpBuilder& builder() { return b; }
  Location location() { return loc; }

  Value index(int64_t value);
  Value i32(int32_t value);
  Value constant(Type type, double value);

  /// Converts between float types of any width, rounding to nearest even.
  Value cast(Value value, Type type);
  /// Signed integer or index to float, through i64.
  Value toFloat(Value integer, Type type);
  Value toI32(Value indexValue);
  Value toIndex(Value integer);

  Value add(Value lhs, Value rhs);  ///< Floats, integers or indices.
  Value sub(Value lhs, Value rhs);
  Value mul(Value lhs, Value rhs);
  Value div(Value lhs, Value rhs);  ///< Floats.
  Value exp(Value x);
  Value sigmoid(Value x);  ///< 1 / (1 + exp(-x)); scalar or vector.
  Value neg(Value x);
  Value cmpf(arith::CmpFPredicate predicate, Value lhs, Value rhs);
  Value cmpi(arith::CmpIPredicate predicate, Value lhs, Value rhs);
  Value select(Value condition, Value ifTrue, Value ifFalse);
  Value extract(Value tensor, ValueRange indices);

  /// `for (i = lower; i < upper; ++i) carried = body(i, carried)`.
  SmallVector<Value> forLoop(
      Value lower, Value upper, ValueRange init,
      llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body);

  /// `condition ? ifTrue() : ifFalse()`, evaluated lazily.
  Value lazySelect(Value condition, Type type,
                   llvm::function_ref<Value()> ifTrue,
                   llvm::function_ref<Value()> ifFalse);

 private:
  OpBuilder& b;
  Location loc;
};

/// An empty tensor of `shape`.
Value emptyTensor(OpBuilder& b, Location loc, ArrayRef<OpFoldResult> shape,
                  Type elementType);

/// A tensor whose cell at `indices` is `body(builder, indices)`: a
/// linalg.generic without inputs, all dimensions parallel.
Value generateTensor(
    OpBuilder& b, Location loc, ArrayRef<OpFoldResult> shape, Type elementType,
    llvm::function_ref<Value(ScalarBuilder&, ValueRange)> body);

/// Whether key `s` is visible to query `t` under the mask, as i1. `queries`
/// and `keys` are the numbers of both.
Value isVisible(ScalarBuilder& s, Mask mask, Value query, Value key,
                Value queries, Value keys);

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
