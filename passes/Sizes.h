//===- Sizes.h - sizes that are known or bounded ---------------*- C++ -*-===//
//
// In a plan for bounds a size of a tensor is not known before a run, but what
// it is at most. Choices and memory go by the bound, loops by the size itself.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_SIZES_H
#define GSA_PASSES_SIZES_H

#include "dialect/Gsa/GsaBuilders.h"

namespace mlir::gsa {

/// The most that `index`, a value of type index, can be: it is a constant, a
/// size of a tensor or buffer that has a bound, or made of such by addition,
/// multiplication, division by a constant, minimum and maximum. Fails silently.
FailureOr<int64_t> findUpperBound(Value index);

/// The most that dimension `dim` of `shaped`, a tensor or a buffer, can be: its
/// static size, or what follows from kBoundsAttr.
FailureOr<int64_t> findUpperBound(Value shaped, int64_t dim);

/// Fails, with an error at the op that says what it `cannot` be ("be lowered to
/// loops"), unless every size of its operands and results is static or bounded.
LogicalResult checkBounded(Operation* op, StringRef cannot);

/// A size, or a number that follows from sizes.
struct Size {
  Size(int64_t known) : bound(known) {}
  Size(int64_t bound, Value actual) : bound(bound), actual(actual) {}

  bool isStatic() const { return !actual; }

  int64_t bound;  ///< The size itself where it is static.
  Value actual;   ///< Index; null where the size is static.
};

/// Dimension `dim` of `tensor`, which checkBounded has passed.
Size getSize(OpBuilder& b, Location loc, Value tensor, int64_t dim);

/// `size` as an index value: a constant where it is static.
Value toValue(detail::ScalarBuilder& s, const Size& size);

/// Arithmetic on sizes; static where the operands are.
Size mulSizes(detail::ScalarBuilder& s, const Size& a, const Size& b);
Size maxSize(detail::ScalarBuilder& s, const Size& a, int64_t b);
Size minSize(detail::ScalarBuilder& s, const Size& a, int64_t b);
Size ceilDivSize(detail::ScalarBuilder& s, const Size& a, int64_t b);
/// `a - b + c` as a value; may be negative.
Value differenceOf(detail::ScalarBuilder& s, const Size& a, const Size& b,
                   int64_t c);

/// The sizes of result `i` of a gsa op, reified before it.
SmallVector<OpFoldResult> getResultSizes(OpBuilder& b, Operation* op,
                                         unsigned i);

/// A buffer for result `i` of a gsa op, contents undefined.
Value allocateResult(OpBuilder& b, Operation* op, unsigned i,
                     IntegerAttr alignment = {});

}  // namespace mlir::gsa

#endif  // GSA_PASSES_SIZES_H
