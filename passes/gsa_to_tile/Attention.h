//===- Attention.h - kernel and launch of an attention op ------*- C++ -*-===//
//
// The frame that the lowerings of gather_attention and dense_attention share:
// the buffers of the op, the arguments of its kernels, and their launch.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_ATTENTION_H
#define GSA_PASSES_GSATOTILE_ATTENTION_H

#include "passes/gsa_to_tile/AttentionEmitter.h"

namespace mlir::gsa {

/// The host side of an attention op and of the gate that is fused into it:
/// buffers, which the kernels of its lowering share.
class AttentionOperands {
 public:
  /// New buffers for the results of `op`, whose shapes are static.
  AttentionOperands(Operation* op, ToTileContext& context);

  /// Replaces the op and its gate by the results.
  void replace();

  Operation* op;
  ToTileContext& context;
  AttentionShape shape;

  // Buffers; null where the op has no such operand.
  Value query, key, value, indices, counts, gate, output, lse;
  gsa_tile::Activation gateActivation = gsa_tile::Activation::Identity;
  bool gatePerRow = false;

  int64_t batches() const { return sizeOf(0, 0); }
  int64_t queries() const { return sizeOf(0, 1); }
  int64_t keys() const { return sizeOf(1, 1); }
  int64_t slots() const { return indices ? sizeOf(3, 2) : 0; }

 private:
  int64_t sizeOf(unsigned operand, int64_t dim) const {
    return cast<RankedTensorType>(op->getOperand(operand).getType())
        .getDimSize(dim);
  }

  GateOp gateOp;
};

/// Rows of a kernel of attention, as rows of global arrays: how row p of a
/// block is found from the first one.
struct AttentionRows {
  Value batch, query, head;  ///< The first row.
  Value count;               ///< Rows of the block.
  /// Rows are heads `headStep` apart, of one query, whose lse are `lsePitch`
  /// (i64) apart; or, with `perQuery` heads, those of one query after another.
  int64_t headStep = 1, perQuery = 0;
  Value lsePitch;
};

/// What the bulk copy engine reads at a time of keys and of values, if it does:
/// boxes of the matrices [B * Sk, G * D] and [B * Sk, G * Dv].
struct KeyMaps {
  gsa_tile::TensorMapType key, value;
};

/// A kernel of an attention op.
class AttentionKernel {
 public:
  /// Makes a kernel of `warps` warps without a body: its arguments are the
  /// operands, keys and values by `maps` if there are any, the results and the
  /// sizes Sq and Sk of the op.
  AttentionKernel(AttentionOperands& operands, Attribute schedule,
                  int64_t warps, StringRef name, const KeyMaps& maps = {});

  /// Position at the end of the kernel.
  OpBuilder& bodyBuilder() { return kernel.body(); }
  /// For arguments beside those of the op.
  KernelBuilder& builder() { return kernel; }

  /// Launches the kernel on `grid`. Fails, with an error, if it is too large.
  LogicalResult launch(ArrayRef<int64_t> grid);

  /// The query rows of a block.
  Value makeQueries(KernelScalars& s, const AttentionRows& rows);
  /// Where the rows of a block go.
  AttentionTarget makeTarget(KernelScalars& s, const AttentionRows& rows);

  const AttentionShape& shape;

  // Arguments of the kernel; null where the op has no such operand.
  Value query, key, value, indices, counts, gate, output, lse;
  Value queries, keys;  ///< Sq and Sk.

 private:
  AttentionOperands& operands;
  KernelBuilder kernel;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_ATTENTION_H
