//===- StepGraph.h - which steps of the host depend on which ---*- C++ -*-===//
//
// Steps are the launches, products, copies and fills of an entry function
// without loops, numbered by `gsa_tile.step`. Two of them conflict if one
// writes memory that the other one reads or writes. What memory a step takes
// follows from the effects of the op and from the view that each operand is.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_STEPGRAPH_H
#define GSA_PASSES_STEPGRAPH_H

#include "dialect/GsaTile/GsaTileDialect.h"
#include "llvm/ADT/BitVector.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::gsa {

/// Bytes [begin, end) of an argument, of a constant or of a buffer.
struct StepAccess {
  /// The allocation, argument or global; of a view with `gsa_tile.buffer` the
  /// argument that it is of.
  const void* root = nullptr;
  /// Which buffer of the root: `gsa_tile.buffer`, or -1.
  int64_t buffer = -1;
  int64_t begin = 0, end = 0;
  bool writes = false;
};

struct HostStep {
  Operation* op = nullptr;
  gsa_tile::StepAttr order;
  SmallVector<StepAccess> accesses;
};

/// Whether the op is a step, numbered or not.
bool isHostStep(Operation* op);

/// The numbered steps of a function, in the order of its text; empty if there
/// are none.
SmallVector<HostStep> collectSteps(func::FuncOp entry);

/// What one of the steps writes and the other one takes, too, or null: an
/// access of `later`. Steps of different iterations of an independent loop do
/// not conflict by a buffer that is the same for both.
const StepAccess* findConflict(const HostStep& earlier, const HostStep& later);

/// Which steps come before which by their lanes and waits, whatever the order
/// of the text is.
class StepOrder {
 public:
  explicit StepOrder(ArrayRef<HostStep> steps);
  /// Whether step `a` has ended when step `b` begins.
  bool isBefore(int64_t a, int64_t b) const { return before[b].test(a); }

 private:
  SmallVector<llvm::BitVector> before;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_STEPGRAPH_H
