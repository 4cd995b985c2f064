//===- AttentionGradient.h - kernels of gradients of attention -*- C++ -*-===//
//
// What the kernels of gather_attention_grad share: the op's buffers, sums of
// gradients of keys and values in f32, and the views of both.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_ATTENTIONGRADIENT_H
#define GSA_PASSES_GSATOTILE_ATTENTIONGRADIENT_H

#include "dialect/Gsa/GsaGradientOps.h"
#include "passes/gsa_to_tile/Attention.h"

namespace mlir::gsa {

/// The host side: buffers, which the kernels of a lowering share.
class GradientOperands {
 public:
  GradientOperands(GatherAttentionGradOp op, ToTileContext& context);

  /// Sets the sums to 0, by a kernel.
  void clearSums();
  /// For a chunk of `mostQueries` queries, sums of gradients of queries that
  /// are made in parts: makes them, 0, and rounds those that exist to the
  /// result.
  void makeQuerySums(int64_t mostQueries);
  void roundQuerySums(const QueryChunk& chunk);
  /// Rounds the sums to the results, and replaces the op.
  void finish();

  GatherAttentionGradOp op;
  ToTileContext& context;
  RowStorage keyRows, valueRows;
  AttentionShape shape;
  int64_t batches, queries, keys, slots;

  Value query, indices, counts, outputGrad, lse, rowSums;
  Value lengths;  ///< Null where the op has none.
  Value queryGrad;
  /// f32 [B, Sk, G, D] and [B, Sk, G, Dv]; those of keys still without scale.
  Value keySums, valueSums;
  Value querySums;  ///< f32 [queries of a chunk, H, D]; null unless made.

 private:
  void clear(Value sums);
  Value round(Value sums, RankedTensorType type, double scale);
};

/// The kernel side: a kernel of `warps` warps that has them as arguments.
class GradientKernel {
 public:
  GradientKernel(GradientOperands& operands, Attribute schedule, int64_t warps,
                 StringRef name);

  OpBuilder& bodyBuilder() { return kernel.body(); }
  /// For arguments beside those of the op, and the launch.
  KernelBuilder& builder() { return kernel; }

  Value countKeys(KernelScalars& s, Value batch) {
    return gsa::countKeys(s, lengths, keys, batch);
  }
  /// Rows of queries and of gradients, from column `column` on.
  Value viewQueries(KernelScalars& s, const AttentionRows& rows,
                    int64_t column = 0);
  Value viewOutputGrads(KernelScalars& s, const AttentionRows& rows,
                        int64_t column = 0);
  Value viewQueryGrads(KernelScalars& s, const AttentionRows& rows,
                       int64_t column = 0);
  /// Rows of sums of a chunk's queries, which begin with `begin`: an argument
  /// of kernels that ask for it.
  void takeQuerySums(const GradientOperands& operands);
  Value viewQuerySums(KernelScalars& s, const AttentionRows& rows, Value begin);
  Value viewLse(KernelScalars& s, const AttentionRows& rows);
  Value viewRowSums(KernelScalars& s, const AttentionRows& rows);
  /// Rows of sums that the first `end` entries of a list name, below `limit`,
  /// from column `column` of the rows of a group on.
  Value viewKeySums(KernelScalars& s, Value batch, Value group, int64_t column,
                    Value list, Value end, Value limit);
  Value viewValueSums(KernelScalars& s, Value batch, Value group,
                      int64_t column, Value list, Value end, Value limit);

  /// The one or the other, of heads and values of one size.
  Value viewEitherSums(KernelScalars& s, Value isOfKeys, Value batch,
                       Value group, Value list, Value end, Value limit);

  const AttentionShape& shape;
  KernelRows keyRows, valueRows;
  Value query, indices, counts, outputGrad, lse, rowSums, lengths;
  Value queryGrad, keySums, valueSums, querySums;
  Value queries, keys;  ///< Sq and Sk.

 private:
  Value viewSums(KernelScalars& s, Value sums, int64_t depth, Value batch,
                 Value group, int64_t column, Value list, Value end,
                 Value limit);

  KernelBuilder kernel;
};

/// Up to 16 heads of a (query, key head) pair.
struct GradientBlock {
  Value batch, token, group, firstRow;
  /// An i1: whether gradients of keys and values are added; null: they are.
  Value adds;
};

/// The body of a kernel of one warp that does a block.
void emitGatherGradient(GradientKernel& kernel, int64_t slots,
                        GatherGradScheduleAttr schedule, Location loc,
                        const GradientBlock& block);

/// Replace the op by kernels by query, and by unions of lists.
LogicalResult lowerGatherGradient(GatherAttentionGradOp op,
                                  ToTileContext& context);
LogicalResult lowerUnionGradient(GatherAttentionGradOp op,
                                 ToTileContext& context);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_ATTENTIONGRADIENT_H
