//===- FragmentRegisters.h - registers that fragments take -----*- C++ -*-===//
//
// The compiler of kernels allocates registers; this counts before what a kernel
// asks of it at the least.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_TILE_FRAGMENTREGISTERS_H
#define GSA_PASSES_TILE_FRAGMENTREGISTERS_H

#include "dialect/GsaTile/GsaTileOps.h"

namespace mlir::gsa {

/// Registers per thread for what is not a fragment: addresses and loops.
inline constexpr int64_t kRegistersBesideFragments = 32;
/// The same of warpgroups that multiply and leave copies to others: the
/// operands are in shared memory, their descriptors in uniform registers, and
/// sums come to lie where products were.
inline constexpr int64_t kRegistersBesideProducts = 16;

/// Whether some product of the kernel is one of a warpgroup.
bool multipliesByWgmma(gsa_tile::KernelOp kernel);

/// Registers per thread of the fragment, row vector or lanes that an op makes;
/// 0 for other ops.
int64_t getFragmentRegisters(Operation* op);

/// The largest sum of registers per thread that live at one op, and what makes
/// them.
struct FragmentPeak {
  int64_t registers = 0;
  SmallVector<Operation*> live;
};

/// Live ranges of a kernel's fragments: from the first to the last use, where
/// an asynchronous product uses its operands until it was waited for. One that
/// each iteration of a loop overwrites before it reads it lives within the
/// loop, others that a loop uses through all of it.
class FragmentRegisters {
 public:
  explicit FragmentRegisters(gsa_tile::KernelOp kernel);

  /// Of the warps of a role; what lives across `roles` is held by each of them.
  FragmentPeak findPeak(gsa_tile::RolesOp roles, unsigned role) const;
  /// Of a kernel without roles.
  FragmentPeak findPeak() const;

 private:
  gsa_tile::KernelOp kernel;
  /// Fragments by the block in which they live.
  llvm::DenseMap<Block*, SmallVector<Operation*>> homes;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_TILE_FRAGMENTREGISTERS_H
