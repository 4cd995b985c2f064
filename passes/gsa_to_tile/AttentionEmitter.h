//===- AttentionEmitter.h - kernels of attention ---------------*- C++ -*-===//
//
// What the kernels of gather_attention and dense_attention share: rows of
// queries stay with their warps, tiles of keys and values stream by, online
// softmax, the merge of warps that split the keys, and the epilogue. The
// kernel has one team and single buffers; gsa-tile-pipeline and
// gsa-tile-assign-roles make rings and roles of it.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_ATTENTIONEMITTER_H
#define GSA_PASSES_GSATOTILE_ATTENTIONEMITTER_H

#include "dialect/Gsa/GsaOps.h"
#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/gsa_to_tile/KernelScalars.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa {

/// What is static about an attention kernel.
struct AttentionShape {
  Type element;           ///< T: f16, bf16 or f32.
  int64_t heads, groups;  ///< H and G.
  int64_t depth;          ///< D.
  int64_t valueDepth;     ///< Dv.
  double scale;           ///< Logits are scale * <q, k>.
  int64_t ratio() const { return heads / groups; }
};

/// Rows in global memory: address of the first, elements from one to the next.
struct RowSource {
  Value base;   ///< !gsa_tile.global
  Value pitch;  ///< i64
};

/// The output gate in the epilogue.
struct GateSource {
  RowSource rows;
  gsa_tile::Activation activation;
  bool perRow;  ///< One logit for a whole row.
};

/// Where the rows of one warp go.
struct AttentionTarget {
  RowSource output, lse;
  std::optional<GateSource> gate;
  Value rows;  ///< Rows that exist, at most 16; may be negative.
};

/// Emits the body of an attention kernel, at the builder's position.
class AttentionEmitter {
 public:
  AttentionEmitter(OpBuilder& builder, Location loc, AttentionScheduleAttr,
                   AttentionShape shape);

  KernelScalars s;

  /// The team of all warps of the kernel, of `schedule.consumers` warps.
  gsa_tile::TeamAttr team() { return allWarps; }

  /// Vectors in which keys and values are copied: the same for both, so that
  /// a stage of a ring is asynchronous or not as a whole.
  int64_t keyVectorBytes() const {
    return std::min(getVectorBytes(shape.element, shape.depth),
                    getVectorBytes(shape.element, shape.valueDepth));
  }

  /// Makes tiles, and starts the copy of the `rows` query rows from `queries`.
  void emitQueries(RowSource queries, Value rows);
  /// Waits for what was copied, and makes the registers of the warp.
  void emitStart();
  /// First row of this warp within the block, and first key within a tile.
  Value rowBase() { return warpRow; }
  Value keyBase() { return warpKey; }
  /// Keys of a tile that this warp multiplies.
  int64_t keysPerWarp() const {
    return schedule.getBlockK() / schedule.getKeySplit();
  }

  /// Copies `columns` columns from `base` on of a tile's rows to `target`.
  using CopyTile = llvm::function_ref<void(Value target, Value base,
                                           int64_t pitch, int64_t columns)>;
  /// The body of the loop over tiles: copies, wait, products, sync. `keys` and
  /// `values` are the addresses that `copy` shall count from.
  void emitTile(
      Value keys, Value values, CopyTile copy,
      llvm::function_ref<void(Value scores)> mask,
      llvm::function_ref<void(Value output, Value weights, Value values)>
          multiplyValues = nullptr);
  /// Merges warps that split the keys, divides, gates and stores.
  void emitEnd(llvm::function_ref<AttentionTarget()> makeTarget);

 private:
  /// Some columns of queries and keys: what one left operand holds.
  struct Chunk {
    int64_t first, columns;  ///< Columns padded to a multiple of 16.
    Value queries, keys;     ///< Tiles.
    Value lhs;               ///< Fragment.
  };

  /// Whether a sum of values could exceed the largest f32 where their mean does
  /// not: never for f16, whose largest value is 65504.
  bool bounded() const { return !shape.element.isF16(); }

  // Storage, by its name.
  Value smem(StringRef name, ArrayRef<int64_t> shape, Type element,
             gsa_tile::SmemLayout layout);
  Value fragment(StringRef name, int64_t columns, Type element,
                 gsa_tile::FragLayout layout);
  Value rowVector(StringRef name);
  void emitLogits(llvm::function_ref<void(Value scores)> mask);
  void emitMerge();
  void emitFinish(const AttentionTarget& target);

  AttentionScheduleAttr schedule;
  AttentionShape shape;
  gsa_tile::TeamAttr allWarps;
  int64_t paddedValueDepth;
  SmallVector<Chunk> chunks;
  Value valueTile, warpRow, warpKey, rowPart, keyPart;
  Value scores, weights, output, maximum, sum, scaleValue, zero, minusInfinity;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_ATTENTIONEMITTER_H
