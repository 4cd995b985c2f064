//===- Attention.h - kernel and launch of an attention op ------*- C++ -*-===//
//
// The frame that the lowerings of gather_attention and dense_attention share:
// the kernel's arguments, its launch, and the ops that both replace.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_ATTENTION_H
#define GSA_PASSES_GSATOTILE_ATTENTION_H

#include "passes/gsa_to_tile/AttentionEmitter.h"

namespace mlir::gsa {

/// The kernel of an attention op and of the gate that is fused into it.
class AttentionKernel {
 public:
  /// Makes a kernel without a body: its arguments are the operands, the
  /// results and the sizes Sq and Sk of `op`, whose shapes are static.
  AttentionKernel(Operation* op, AttentionScheduleAttr schedule, StringRef name,
                  ToTileContext& context);

  /// Position at the end of the kernel.
  OpBuilder& bodyBuilder() { return kernel.body(); }

  /// Launches the kernel on `grid` and replaces the op and its gate. Fails,
  /// with an error, if the grid is too large.
  LogicalResult launch(ArrayRef<int64_t> grid);

  /// Where the `rows` rows of a block go: the first one is (batch, query,
  /// head), the next one `headStep` heads further on, `lsePitch` (i64) elements
  /// of lse.
  AttentionTarget makeTarget(KernelScalars& s, Value batch, Value query,
                             Value head, int64_t headStep, Value lsePitch,
                             Value rows);

  AttentionShape shape;

  // Arguments of the kernel; null where the op has no such operand.
  Value query, key, value, indices, counts, gate, output, lse;
  Value queries, keys;  ///< Sq and Sk.
  gsa_tile::Activation gateActivation = gsa_tile::Activation::Identity;
  bool gatePerRow = false;

 private:
  Operation* op;
  GateOp gateOp;
  ToTileContext& context;
  KernelBuilder kernel;
  SmallVector<Value> results;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_ATTENTION_H
