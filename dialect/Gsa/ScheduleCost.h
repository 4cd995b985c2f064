//===- ScheduleCost.h - where the time of a schedule goes ------*- C++ -*-===//
//
// What the cost model says of an op with a schedule: the kernels that it
// becomes, and for each of them how long every part of an SM would be busy. The
// longest part is what bounds the kernel.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSA_SCHEDULECOST_H
#define GSA_DIALECT_GSA_SCHEDULECOST_H

#include <array>
#include <string>

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "mlir/Support/LLVM.h"

namespace mlir::gsa {

/// What a kernel may wait for.
enum class CostTerm {
  Tensor,   ///< Products of matrices of 16-bit elements.
  Fma,      ///< Products of f32.
  Mufu,     ///< Exponentials of softmax and sigmoid.
  Issue,    ///< Instructions.
  Fill,     ///< Tiles from L2 to shared memory.
  Memory,   ///< Device memory.
  Latency,  ///< One step after another, with too few blocks to hide it.
  Whole,    ///< Nothing is known of the parts.
};
inline constexpr int kNumCostTerms = 8;

/// "tensor", as tools print it.
StringRef toString(CostTerm term);

/// One kernel of an op, all of its launches together. Microseconds.
struct StageCost {
  std::string kernel;
  std::array<double, kNumCostTerms> terms = {};
  /// Of the last round of blocks, which not all SMs have: at least 1.
  double rounds = 1;
  /// Of all launches: what none of the above hides.
  double launchUs = 0;

  double& operator[](CostTerm term) { return terms[static_cast<int>(term)]; }
  double operator[](CostTerm term) const {
    return terms[static_cast<int>(term)];
  }
  /// The longest term; of equal ones the first.
  CostTerm bound() const;
  double microseconds() const;
};

struct ScheduleCost {
  SmallVector<StageCost, 2> stages;

  /// Of a kind that says no more than its time.
  static ScheduleCost ofWhole(double microseconds);
  double microseconds() const;
};

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_GSA_SCHEDULECOST_H
