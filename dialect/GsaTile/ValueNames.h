//===- ValueNames.h - what the values of kernels are called ----*- C++ -*-===//
//
// A name is a NameLoc: the printers of MLIR and of CUDA C++ both use it, and it
// is no part of a kernel's meaning, so that kernels which differ in nothing
// else are one. Lowerings name what they mean; gsa-tile-finalize names the rest
// by what it is made of.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSATILE_VALUENAMES_H
#define GSA_DIALECT_GSATILE_VALUENAMES_H

#include "mlir/IR/Value.h"
#include "mlir/Support/LLVM.h"

namespace mlir::gsa_tile {

class KernelOp;

/// The name of a value, or of the first part of its location that has one;
/// empty if there is none.
StringRef getValueName(Value value);

/// Gives `value` the name, unless it has one or is a constant; returns `value`.
/// A value that a fold has found elsewhere so keeps its first name.
Value named(Value value, StringRef name);

/// Names every value of the kernel that has no name yet: an address after its
/// array, a conversion after its operand, sums and the like after what they
/// are. Names need not differ; the printer numbers them.
void nameValues(KernelOp kernel);

}  // namespace mlir::gsa_tile

#endif  // GSA_DIALECT_GSATILE_VALUENAMES_H
