//===- Attention.h - kernel and launch of an attention op ------*- C++ -*-===//
//
// The frame that the lowerings of attention ops share: the buffers of the op,
// the arguments of its kernels, and their launch.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_ATTENTION_H
#define GSA_PASSES_GSATOTILE_ATTENTION_H

#include "passes/gsa_to_tile/AttentionEmitter.h"
#include "passes/gsa_to_tile/RowStorage.h"

namespace mlir::gsa {

/// The host side of an attention op: buffers, which the kernels of its lowering
/// share.
class AttentionOperands {
 public:
  /// New buffers for the results of `op`, whose shapes are static.
  AttentionOperands(Operation* op, ToTileContext& context);

  /// Replaces the op by the results.
  void replace() { context.replace(op, {output, lse}); }

  Operation* op;
  AttentionForm form;
  ToTileContext& context;
  RowStorage keyRows, valueRows;
  AttentionShape shape;

  // Buffers; null where the op has no such operand.
  Value query, indices, counts, gate, lengths, output, lse;
  gsa_tile::Activation gateActivation = gsa_tile::Activation::Identity;
  bool gatePerRow = false;

  int64_t batches() const { return sizeOf(form.query, 0); }
  int64_t queries() const { return sizeOf(form.query, 1); }
  int64_t keys() const { return sizeOf(form.key, 1); }
  int64_t slots() const { return indices ? sizeOf(form.indices, 2) : 0; }

 private:
  static int64_t sizeOf(Value tensor, int64_t dim) {
    return cast<RankedTensorType>(tensor.getType()).getDimSize(dim);
  }
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

/// Rows of `width` elements of an array [B, Sq, H, width]; `base` is the first
/// one's place.
Value viewQueryRows(KernelScalars& s, Value base, const AttentionRows& rows,
                    int64_t heads, int64_t width);
/// Rows of one number each of an array [B, H, Sq].
Value viewRowNumbers(KernelScalars& s, Value array, const AttentionRows& rows,
                     int64_t heads, Value queries);
/// Keys of a batch: all, or fewer where `lengths` (null: none) say so.
Value countKeys(KernelScalars& s, Value lengths, Value keys, Value batch);

/// The arrays that a kernel writes rows of attention to, or reads them from,
/// and their gate; null where there is none.
struct AttentionResults {
  const AttentionShape& shape;
  Value output, lse, gate;
  Value queries;  ///< Sq.
  gsa_tile::Activation activation = gsa_tile::Activation::Identity;
  bool gatePerRow = false;

  /// Views of the rows of a block.
  AttentionTarget viewRows(KernelScalars& s, const AttentionRows& rows) const;
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
  /// operands, keys and values by `maps` if there are any and without lists
  /// then, the results and the sizes Sq and Sk of the op.
  AttentionKernel(AttentionOperands& operands, Attribute schedule,
                  int64_t warps, StringRef name, const KeyMaps& maps = {});

  /// Position at the end of the kernel.
  OpBuilder& bodyBuilder() { return kernel.body(); }
  /// For arguments beside those of the op.
  KernelBuilder& builder() { return kernel; }

  /// Registers of a thread are such that an SM holds the blocks of `schedule`.
  void boundRegisters(AttentionScheduleAttr schedule);

  /// Launches the kernel on `grid`. Fails, with an error, if it is too large.
  LogicalResult launch(ArrayRef<int64_t> grid);

  /// Keys of a batch: all Sk, or fewer where lengths say so.
  Value countKeys(KernelScalars& s, Value batch);
  /// The op, whose operands are those of the host.
  const AttentionForm& form() const { return operands.form; }

  /// The query rows of a block.
  Value makeQueries(KernelScalars& s, const AttentionRows& rows);
  /// Where the rows of a block go.
  AttentionTarget makeTarget(KernelScalars& s, const AttentionRows& rows) {
    return results().viewRows(s, rows);
  }
  AttentionResults results() const {
    return {shape,
            output,
            lse,
            gate,
            queries,
            operands.gateActivation,
            operands.gatePerRow};
  }

  const AttentionShape& shape;

  KernelRows keyRows, valueRows;  ///< Unless they come in boxes.
  // Arguments of the kernel; null where the op has no such operand.
  Value query, key, value, indices, counts, gate, lengths, output, lse;
  Value queries, keys;  ///< Sq and Sk.
  /// First entry or key of a range and how many there are at most, which are
  /// arguments so that ranges share a text; null where the op has no range.
  Value rangeFirst, rangeSize;

 private:
  AttentionOperands& operands;
  KernelBuilder kernel;
};

/// Lower an attention op over lists, or over all keys, by its
/// #gsa.attention_schedule.
LogicalResult lowerAttentionOverLists(Operation* op, ToTileContext& context);
LogicalResult lowerAttentionOverKeys(Operation* op, ToTileContext& context);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_ATTENTION_H
