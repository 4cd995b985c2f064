//===- SizeClasses.h - which sizes of a function are one -------*- C++ -*-===//
//
// A plan for bounds is given sizes with each run. Which of them must agree, and
// which ones its results then have, follows from the ops of the function: those
// of the gsa dialect name their dimensions, arithmetic on tensors has one
// shape.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_SIZECLASSES_H
#define GSA_PASSES_SIZECLASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::gsa {

/// Sizes that are the same in every run.
struct SizeClass {
  int64_t bound = 0;      ///< The most that they may be.
  bool isStatic = false;  ///< They are always that.
};

struct SizeClasses {
  std::vector<SizeClass> classes;
  /// For each dimension of each argument and result, its class.
  std::vector<std::vector<int>> inputs, outputs;
};

/// The classes of `entry`, which gsa-specialize-shapes has given bounds. Fails,
/// with an error at the op or the function, where an op is none of those above
/// and has dynamic sizes, where a result's size is no argument's, and where
/// arguments have different bounds, or sizes, for one.
FailureOr<SizeClasses> findSizeClasses(func::FuncOp entry);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_SIZECLASSES_H
