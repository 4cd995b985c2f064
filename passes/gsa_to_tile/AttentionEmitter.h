//===- AttentionEmitter.h - kernels of attention ---------------*- C++ -*-===//
//
// What the kernels of gather_attention and dense_attention share: rows of
// queries stay with their warps, tiles of keys and values stream by, online
// softmax, the merge of warps that split the keys, and the epilogue.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_ATTENTIONEMITTER_H
#define GSA_PASSES_GSATOTILE_ATTENTIONEMITTER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/gsa_to_tile/AttentionStorage.h"
#include "passes/gsa_to_tile/RowStorage.h"

namespace mlir::gsa {

/// How a scale is given to online softmax, which takes positive ones up to
/// 2^127: scores times `factor`, an exact one, are scaled by `scale`.
struct SoftmaxScale {
  double factor, scale;
};
SoftmaxScale getSoftmaxScale(double scale);

/// Keys and values of a stream.
struct KeySource {
  const KernelRows &keyRows, &valueRows;
  /// Addresses that positions of rows count from.
  Value keys, values;
  /// Those of the rows from `base` on that the kernel reads, and of the rows of
  /// keys for masks.
  llvm::function_ref<Value(const KernelRows& rows, Value base)> makeView;
  llvm::function_ref<Value()> makeMask;
  /// Whether rows have to be looked up, by a list or a table of pages.
  bool areFound;
  /// Position of the first key; null: 0.
  Value firstKey = {};
};

/// Emits the body of an attention kernel, at the builder's position.
class AttentionEmitter : public AttentionStorage {
 public:
  /// Of blocks with `mostRows` rows at most.
  AttentionEmitter(OpBuilder& builder, Location loc, AttentionScheduleAttr,
                   const AttentionShape& shape, int64_t mostRows);

  const KernelTeams teams;

  /// Vectors in which keys and values are copied: the same for both, so that
  /// a stage of a ring is asynchronous or not as a whole.
  int64_t keyVectorBytes() const {
    return std::min(getVectorBytes(shape.element, shape.keyUnit),
                    getVectorBytes(shape.element, shape.valueUnit));
  }

  /// Makes tiles, and starts the copy of the `rows` query rows from `queries`
  /// on, `pitch` elements apart.
  void emitQueries(Value queries, Value pitch, Value rows);
  /// Starts the copy of the logits of the gate that the rows will have, where
  /// they leave through a tile. Without it they are gated in registers, which
  /// is a longer text and takes fewer registers in the loop.
  void emitLogits(const AttentionTarget& target);
  /// Waits for what was copied, and makes the registers of the warp: without
  /// contents if `resets` follow.
  void emitStart(bool resets = false);
  /// The state of no keys, and the queries. Those are loaded anew for each part
  /// of a list, so that registers of theirs are free at its end.
  void emitReset();
  /// First row of this warp within the block, and first key within a tile.
  Value rowBase() { return warpRow; }
  Value keyBase() { return warpKey; }
  /// Keys of a tile that this warp multiplies.
  int64_t keysPerWarp() const {
    return schedule.getBlockK() / schedule.getKeySplit();
  }

  /// The stream of `tiles` tiles of keys and values. `mask` hides scores of a
  /// warp's keys from position `first` on; `multiplyValues` adds weighted
  /// values.
  void emitStream(
      Value tiles, const KeySource& source,
      llvm::function_ref<void(Value scores, Value view, Value first)> mask,
      llvm::function_ref<void(Value output, Value weights, Value values,
                              Value first)>
          multiplyValues = nullptr);
  /// Merges warps that split the keys, divides, gates and stores.
  void emitEnd(llvm::function_ref<AttentionTarget()> makeTarget);

 private:
  /// Some columns of queries and keys: what one left operand holds.
  struct Chunk {
    int64_t first, columns;  ///< Columns padded to a multiple of 16.
    Value queries;           ///< Tile.
    Value lhs;               ///< Fragment.
  };

  /// Whether a sum of values could exceed the largest f32 where their mean does
  /// not: never for f16, whose largest value is 65504.
  bool bounded() const { return !shape.element.isF16(); }

  gsa_tile::SmemType tileOf(int64_t rows, int64_t columns);
  Value firstKeyOf(Value tile, const KeySource& source);
  void emitLoad(gsa_tile::StreamOp stream, const KeySource& source);
  void emitCompute(
      gsa_tile::StreamOp stream, const KeySource& source,
      llvm::function_ref<void(Value, Value, Value)> mask,
      llvm::function_ref<void(Value, Value, Value, Value)> multiplyValues);
  void scaleScores();
  void emitEmptyState();
  void loadQueries();
  void emitMerge();
  void emitFinish(const AttentionTarget& target);

  AttentionScheduleAttr schedule;
  int64_t paddedValueDepth;
  /// Rows of a fragment that go from warp to warp: 8 or 16. Where few heads
  /// share keys, those of the upper half are all.
  int64_t heldRows;
  SmallVector<Chunk> chunks;
  Value tileRing, warpRow, warpKey, rowPart, keyPart;
  Value outputs;  ///< Tile by which outputs go from warp to warp, of f32.
  Value logits;   ///< Tile of the gate's; null where registers are gated.
  Value scores, weights, output, maximum, sum, scaleValue, zero, minusInfinity;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_ATTENTIONEMITTER_H
