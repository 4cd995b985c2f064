//===- AttentionEmitter.h - vectors for attention kernels ------*- C++ -*-===//
//
// What the lowerings of gsa.gather_attention and gsa.dense_attention share:
// loads that extend to the accumulator type, tails of rows, register tiles and
// reductions whose order of operations is the same in every cell.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOCPU_ATTENTIONEMITTER_H
#define GSA_PASSES_GSATOCPU_ATTENTIONEMITTER_H

#include "dialect/Gsa/GsaBuilders.h"
#include "dialect/Gsa/GsaOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"
#include "passes/Sizes.h"

namespace mlir::gsa::cpu {

/// A row of `size` elements as vectors of `lanes` elements; the last one may
/// reach beyond the row.
struct RowVectors {
  RowVectors(int64_t size, int64_t lanes) : size(size), lanes(lanes) {}
  /// Vectors, including the partial one.
  int64_t count() const { return (size + lanes - 1) / lanes; }
  /// Elements of the row in vector `i`.
  int64_t valid(int64_t i) const { return std::min(lanes, size - i * lanes); }
  /// Elements including those beyond the row.
  int64_t padded() const { return count() * lanes; }
  int64_t size, lanes;
};

int64_t floorPowerOf2(int64_t x);

/// Vectors along a dimension of `size`: not wider than the dimension needs,
/// but at least `least` lanes.
RowVectors rowVectors(int64_t size, int64_t lanes, int64_t least);

/// Sizes of a tensor, dynamic ones among them.
ArrayRef<int64_t> shapeOf(Value tensor);

/// A piece of memory whose last dimension is contiguous: a memref and the
/// indices of the first element.
struct RowRef {
  Value memref;
  SmallVector<Value> indices;
};

/// Scalar and vector arithmetic, memory accesses and loops at one location.
class VectorBuilder : public detail::ScalarBuilder {
 public:
  using ScalarBuilder::ScalarBuilder;

  VectorType vectorType(int64_t lanes, Type element) {
    return VectorType::get({lanes}, element);
  }

  /// `lanes` elements of `row` from `offset` on, as vector of `type`; only
  /// `valid` of them are read, the others are 0.
  Value load(const RowRef& row, Value offset, int64_t lanes, int64_t valid,
             Type type);
  /// Rounds `value` to the element type of `row` and writes its first `valid`
  /// elements.
  void store(Value value, const RowRef& row, Value offset, int64_t valid);
  /// Asks for the cache lines of `row`, which has `size` elements. Reads
  /// nothing: the row need not exist.
  void prefetch(const RowRef& row, int64_t size);
  Value loadScalar(Value memref, ValueRange indices);
  void storeScalar(Value value, Value memref, ValueRange indices);

  Value broadcast(Value scalar, int64_t lanes);
  /// lhs * rhs + acc, rounded once where the machine can.
  Value fma(Value lhs, Value rhs, Value acc);
  /// lhs > rhs ? lhs : rhs. Drops a NaN in `lhs`: one instruction, where an
  /// IEEE maximum takes three.
  Value maxDropNan(Value lhs, Value rhs);
  /// exp(x - shift), and 0 where x is -inf: the expansion of math.exp is
  /// clamped and gives the smallest normal number there.
  Value expShifted(Value x, Value shift);
  /// Lane i is `base + i < bound`.
  Value lanesBelow(Value base, Value bound, int64_t lanes);
  /// Maximum and sum over the lanes, halving the vector in each step.
  Value reduceMax(Value vector);
  Value reduceAdd(Value vector);
  /// index + constant.
  Value plus(Value indexValue, int64_t constant);
  Value times(Value indexValue, int64_t constant);
  /// indexValue / constant, rounded up.
  Value ceilDiv(Value indexValue, int64_t constant);

  /// Sums each of `vectors` (a power of two, at most their lanes) over its
  /// lanes; element i of the result belongs to vectors[i]. All are summed in
  /// the same order.
  Value reduceEach(SmallVector<Value> vectors);

  //===--------------------------------------------------------------------===//
  // Rows, converted to `type` where they are read
  //===--------------------------------------------------------------------===//

  /// Calls `body` for each vector of a row; few are unrolled.
  void forVectors(const RowVectors& row,
                  llvm::function_ref<void(Value offset, int64_t valid)> body);
  /// <lhs, rhs>, in `type`; the order of the sum depends on `row` alone.
  Value dotRows(const RowRef& lhs, const RowRef& rhs, const RowVectors& row,
                Type type);
  /// to += factor * from, in the type of `factor`.
  void addScaledRow(const RowRef& to, Value factor, const RowRef& from,
                    const RowVectors& row);
  /// Copies a row, by way of `type`.
  void copyRow(const RowRef& to, const RowRef& from, const RowVectors& row,
               Type type);
  void clearRow(const RowRef& to, const RowVectors& row, Type type);

  /// One step of the reduction of a register tile:
  /// acc[i * columns + j] += rows[i] * columns[j].
  void outerProduct(ArrayRef<Value> rows, ArrayRef<Value> columns,
                    MutableArrayRef<Value> acc);

 private:
  Value shuffle(Value lhs, Value rhs, ArrayRef<int64_t> lanes);
  std::pair<Value, Value> halves(Value vector);
  Value addHalves(Value vector);
  Value interleaveAdd(Value lhs, Value rhs, int64_t keys);
};

/// Maximum over row[0, count), -inf if empty; NaN is ignored. Elements up to a
/// multiple of `lanes` are read and become -inf.
Value maxOfRow(VectorBuilder& v, const RowRef& row, Value count, int64_t lanes);

/// `maximum`, or 0 instead of -inf: exp(l - max) would be exp(-inf + inf).
Value finiteShift(VectorBuilder& v, Value maximum);

/// Replaces row[0, count) by exp(x - shift), after maxOfRow, and returns the
/// sum; a NaN in the row makes it NaN.
Value expOfRow(VectorBuilder& v, const RowRef& row, Value count, int64_t lanes,
               Value shift);

/// Whether a sum of weights times values of `element` may exceed the largest
/// number of A(T) where their mean does not: unless values are f16.
bool needsUnit(Type element);

/// A power of two between 1 / (32 sum) and 1 / (2 sum): weights times this keep
/// sums of weights times values below the largest value, and no bit changes but
/// those of numbers near the smallest. `sum` is at least 1, 0 or NaN.
Value unitOfSum(VectorBuilder& v, Value sum);

/// Multiplies row[0, count) by `unit`; whole vectors, as expOfRow left them.
void scaleRow(VectorBuilder& v, const RowRef& row, Value count, int64_t lanes,
              Value unit);

/// What ends a softmax whose weights are exp(l - shift), summing to `sum`.
struct SoftmaxEnd {
  Value inverse;  ///< 1 / sum; 0 if no logit is above -inf.
  Value lse;      ///< log(sum) + shift; -inf if no logit is above -inf.
};
/// With `unit`, the inverse is that for weights times `unit`.
SoftmaxEnd endSoftmax(VectorBuilder& v, Value shift, Value sum, Value unit);

/// `output`, elements of one row from `offset` on of which `valid` exist, times
/// the output gate of an op. `logits` is the gate's buffer or null, `row` is
/// batch, token and head.
Value applyOutputGate(VectorBuilder& v, const AttentionForm& form, Value logits,
                      ArrayRef<Value> row, Value offset, int64_t valid,
                      Value output);

/// Keys of `batch`: `keys`, or fewer if `lengths`, a buffer or null, says so.
Value loadKeyCount(VectorBuilder& v, Value lengths, Value batch,
                   const Size& keys);

/// How many of a batch's `limit` keys the mask shows to query `row`.
Value countVisible(VectorBuilder& v, Mask mask, Value row, Value limit,
                   const Size& queries);

/// Calls `body(first, size)` for tiles of `tile` out of `count` items: in one
/// loop for the full ones, `first` being its variable, and once for the rest.
void forTiles(VectorBuilder& v, int64_t count, int64_t tile,
              llvm::function_ref<void(Value first, int64_t size)> body);

/// `scf.parallel` over [0, tasks) that carries `gsa.tasks`; the body alone for
/// one task.
void forTasks(VectorBuilder& v, int64_t tasks,
              llvm::function_ref<void(Value task)> body);

/// The operand as a memref that is only read; null for a null operand.
Value toReadOnlyBuffer(VectorBuilder& v, Value tensor);

/// Room for scratch, and for result `i` of an op.
Value allocate(VectorBuilder& v, ArrayRef<int64_t> shape, Type element);
Value allocate(VectorBuilder& v, Operation* op, unsigned i);

/// The tensor of type `type` that `buffer` holds from now on.
Value toResult(VectorBuilder& v, Value buffer, Type type);

/// What lowerings of attention and of gradients share: work in turns among
/// tasks, each of which has its scratch, and buffers in place of results.
class TaskLowering {
 protected:
  /// At `op`; computes in the accumulator type of `operand`'s elements.
  TaskLowering(Operation* op, Value operand, CpuScheduleAttr schedule,
               RewriterBase& rewriter);

  /// Elements of a row of scratch for `size` of them: multiples of 16 keep
  /// tasks off each other's cache lines.
  static int64_t padded(int64_t size);
  /// Calls `body` for the items [0, items), every task for its own; `task` is
  /// the one that runs.
  void forItems(const Size& items, llvm::function_ref<void(Value item)> body);
  /// Puts what `buffers` hold from now on in place of the op's results.
  void replaceOp(RewriterBase& rewriter, ArrayRef<Value> buffers);

  Operation* op;
  VectorBuilder v;
  Type acc;  ///< A(T).
  int64_t tasks;
  Value task;
};

/// What both lowerings of attention begin and end with.
class AttentionLowering : protected TaskLowering {
 protected:
  AttentionLowering(Operation* op, CpuScheduleAttr schedule,
                    RewriterBase& rewriter);

  /// Operands as buffers, `body`, unless no row is to be computed, and the
  /// results in place of the op's.
  void lower(RewriterBase& rewriter, llvm::function_ref<void()> body);

  AttentionForm form;
  Size batch, rowCount, allKeys;  ///< B, Sq and Sk.
  int64_t heads, groups;
  /// Null for operands that the op does not have.
  Value query, key, value, indices, counts, gate, lengthsOfBatch;
  Value output, lse;
};

}  // namespace mlir::gsa::cpu

#endif  // GSA_PASSES_GSATOCPU_ATTENTIONEMITTER_H
