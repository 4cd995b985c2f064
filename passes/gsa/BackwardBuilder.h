//===- BackwardBuilder.h - the body of a backward function -----*- C++ -*-===//
//
// What the gradients of single ops ask for and add to: values of the forward
// function, computed again or saved, and the gradients that values have so far.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSA_BACKWARDBUILDER_H
#define GSA_PASSES_GSA_BACKWARDBUILDER_H

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "passes/gsa/GradientPasses.h"

namespace mlir::gsa {

class BackwardBuilder {
 public:
  /// Appends to `block`. Values of the forward function are those of one block.
  BackwardBuilder(Block* block, SavedValues save);

  OpBuilder& builder() { return b; }

  /// `forward`, an argument of the forward function, is `value` here.
  void map(Value forward, Value value) { values.map(forward, value); }

  /// Marks what gradients may flow through; the rest is constant.
  void setActive(Value forward) { active.insert(forward); }
  bool isActive(Value forward) const { return active.contains(forward); }

  /// A value of the forward function, here: computed again, or a new argument
  /// of the block if it is saved. Null for an operand that is not there.
  Value valueOf(Value forward);
  /// Dimension `dim` of a value of the forward function.
  OpFoldResult sizeOf(Value forward, int64_t dim);

  /// The sum of the gradients that were added for `forward`; null if there are
  /// none. No more may be added then.
  Value gradientOf(Value forward);
  bool hasGradient(Value forward) const { return gradients.contains(forward); }
  /// Adds to the gradient of `forward`; nothing if that is not active.
  void add(Value forward, Value gradient);

  /// A tensor of zeros.
  Value zeros(Location loc, ArrayRef<OpFoldResult> shape, Type element);
  /// `tensor` with elements of type `element`, rounded once.
  Value cast(Location loc, Value tensor, Type element);

  /// Saved values of the forward function, in the order of their arguments,
  /// which are the last ones of the block.
  ArrayRef<Value> saved() const { return savedValues; }

 private:
  bool isSaved(Value forward) const;

  OpBuilder b;
  Block* block;
  SavedValues save;
  IRMapping values;
  llvm::DenseSet<Value> active;
  llvm::DenseMap<Value, SmallVector<Value>> gradients;
  SmallVector<Value> savedValues;
};

/// Whether gradients may flow to results of `op` from its active operands: not
/// from selection, whose results are lists, nor to sizes and other integers.
bool passesGradients(Operation* op, const BackwardBuilder& backward);

/// Whether `op` sums up products of its two inputs, and the gradient of each of
/// these is a contraction too: not where a factor has every loop (of a dot
/// product it is an outer one), nor where only it has one.
bool hasContractionGradients(linalg::LinalgOp op);

/// Adds the gradients of the operands of `op` from those of its results. Fails,
/// with an error at the op, if it has no gradient.
LogicalResult addGradients(Operation* op, BackwardBuilder& backward);
/// The same of a linalg.generic whose results are functions of single elements,
/// or sums of them.
LogicalResult addGradients(linalg::GenericOp op, BackwardBuilder& backward);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSA_BACKWARDBUILDER_H
