//===- LinalgKernel.h - the loops of a linalg op in a kernel ---*- C++ -*-===//
//
// What kernels of elementwise ops and of sums share: which elements an op reads
// and writes, its loops, and its body inside a gsa_tile.for_each.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_LINALGKERNEL_H
#define GSA_PASSES_GSATOTILE_LINALGKERNEL_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/gsa_to_tile/TensorAccess.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa::tile {

/// `offset + sum coefficients[loop] * counter[loop]` elements from `base`,
/// which is null for a scalar operand.
struct LinearAccess {
  Value base;
  int64_t offset = 0;
  SmallVector<int64_t> coefficients;
};

/// A loop of the kernel: one or several neighbouring loops of the op.
struct KernelLoop {
  int64_t size;
  /// Its innermost loop of the op, whose coefficients hold for it.
  unsigned loop;
};

/// What an op reads and writes, and the loops that do it.
struct LinalgPlan {
  linalg::LinalgOp op;
  SmallVector<int64_t> sizes;
  /// Iterations of the parallel loops, and of the others.
  int64_t count = 1, terms = 1;
  SmallVector<LinearAccess> inputs, outputs;
  /// The outputs' former contents, which a body may read.
  SmallVector<LinearAccess> inits;
  /// Parallel loops in the order of the first output, and loops of reductions
  /// in that of the first input; outermost first.
  SmallVector<KernelLoop> loops, sums;
  /// Where outputs go, new buffers if empty; and the part of the first that
  /// the output is, null for all.
  SmallVector<Value> buffers;
  const TensorAccess* target = nullptr;

  LogicalResult make();

 private:
  LogicalResult checkBody();
  LogicalResult addInputs();
  LogicalResult addOutput(OpOperand& operand);
  LogicalResult addAccess(OpOperand& operand, const TensorAccess& tensor,
                          SmallVector<LinearAccess>& accesses);
  LogicalResult addExpr(AffineExpr expr, int64_t factor, LinearAccess& access);
  bool mayMerge(const KernelLoop& outer, const KernelLoop& inner);
  SmallVector<KernelLoop> mergeLoops(utils::IteratorType type,
                                     const LinearAccess* order);
};

/// A kernel of one for_each that runs the body of an op.
class LinalgEmitter {
 public:
  LinalgEmitter(const LinalgPlan& plan, ToTileContext& context, StringRef name);

 protected:
  /// Begins the for_each, whose iterations `lanes` lanes share.
  void beginForEach(Value count, int64_t lanes = 1);
  /// Sets the counters of the parallel loops from the number of the element.
  void setElement(Value number);
  /// Sets the counters of the loops of reductions from the number of a term.
  void setTerm(Value number);
  /// Reads what arguments of the op's body stand for.
  void mapReads(ArrayRef<LinearAccess> accesses, unsigned firstOperand,
                IRMapping& mapping);
  /// Turns what the body took from outside, reads of other tensors and numbers
  /// of loops into ops of the kernel. The last thing to do.
  LogicalResult finishBody();
  Value position(const LinearAccess& access);

  Value i64(int64_t value) {
    return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
  }

  const LinalgPlan& plan;
  linalg::LinalgOp op;
  ToTileContext& context;
  Location loc;
  KernelBuilder kernel;
  gsa_tile::ForEachOp forEach;
  OpBuilder b;  ///< Inserts at the end of the body of `forEach`.

 private:
  SmallVector<Value> countersOf(ArrayRef<KernelLoop> loops, Value number);
  Value counterOf(unsigned loop);
  Value readPointer(Value base);
  FailureOr<Value> capture(Value outside);
  FailureOr<Value> readTensor(tensor::ExtractOp extract);
  LogicalResult replaceReads();
  LogicalResult replaceCaptures();

  Value element;  ///< Number of the iteration of the parallel loops.
  SmallVector<Value> counters, termCounters;
  llvm::DenseMap<Value, Value> pointers, captured;
};

}  // namespace mlir::gsa::tile

#endif  // GSA_PASSES_GSATOTILE_LINALGKERNEL_H
