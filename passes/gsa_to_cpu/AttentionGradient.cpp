//===- AttentionGradient.cpp - gradients of attention to loops ------------===//
//
// For each key head: for each row, the list of its keys; for each query head
// and key, the logit and its gradient once, which go to the gradients of the
// query, the key and the value at once.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_cpu/AttentionGradient.h"

#include <limits>

#include "dialect/Gsa/GsaGradientOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "passes/gsa_to_cpu/AttentionEmitter.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::cpu;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

namespace {

/// The operands of either op.
struct GradientForm {
  Value query, key, value;
  Value indices, counts;  ///< Null: the keys are those that the mask shows.
  Value outputGrad, lse, rowSums, lengths;
  std::optional<APFloat> scaleGiven;
  Mask mask = Mask::None;

  explicit GradientForm(Operation* op);
  double scale() const {
    return getScaleOrDefault(scaleGiven, shapeOf(query)[3]);
  }

 private:
  template <typename OpTy>
  void take(OpTy op);
};

class GradientLowering : TaskLowering {
 public:
  GradientLowering(Operation* op, CpuScheduleAttr schedule,
                   RewriterBase& rewriter);
  void run(RewriterBase& rewriter);

 private:
  /// A query head of a row, and its key head.
  struct Head {
    Value batch, query, head, group;
  };

  void allocateScratch();
  void emitItem(Value item);
  void emitHead(const Head& at, Value count);
  void emitKey(const Head& at, Value slot, Value lse, Value rowSum);
  void emitResults(Value batch, Value group);
  /// How many keys a row reads; fills the list of them where there is one.
  Value emitList(Value batch, Value row);

  RowRef ofTask(Value scratch) { return {scratch, {task, v.index(0)}}; }
  RowRef ofKey(Value tensor, Value batch, Value key, Value group) {
    return {tensor, {batch, key, group, v.index(0)}};
  }
  /// Where the gradient of a key, or of its value, is summed up.
  RowRef sumOf(Value sums, Value result, Value batch, Value key, Value group) {
    if (!sums) return ofKey(result, batch, key, group);
    return {sums, {task, key, v.index(0)}};
  }
  RowRef keySum(Value batch, Value key, Value group) {
    return sumOf(keySums, keyGrad, batch, key, group);
  }
  RowRef valueSum(Value batch, Value key, Value group) {
    return sumOf(valueSums, valueGrad, batch, key, group);
  }

  GradientForm form;
  Size batches, queries, keys;
  int64_t heads, groups, slots;
  RowVectors depth, valueDepth;
  // Operands and results as buffers.
  Value query, key, value, indices, counts, outputGrad, lse, rowSums, lengths;
  Value queryGrad, keyGrad, valueGrad;
  // Per task: a row's keys; a head's query, its gradient, and that of its
  // output, in A(T); the sums of a key head, or null where results hold them.
  Value lists, headQuery, headGrad, headOutput, keySums, valueSums;
};

}  // namespace

template <typename OpTy>
void GradientForm::take(OpTy op) {
  query = op.getQuery();
  key = op.getKey();
  value = op.getValue();
  outputGrad = op.getOutputGrad();
  lse = op.getLse();
  rowSums = op.getRowSums();
  lengths = op.getLengths();
  scaleGiven = op.getScale();
}

GradientForm::GradientForm(Operation* op) {
  if (auto gather = dyn_cast<GatherAttentionGradOp>(op)) {
    take(gather);
    indices = gather.getIndices();
    counts = gather.getCounts();
    return;
  }
  auto dense = cast<DenseAttentionGradOp>(op);
  take(dense);
  mask = dense.getMask();
}

GradientLowering::GradientLowering(Operation* op, CpuScheduleAttr schedule,
                                   RewriterBase& rewriter)
    : TaskLowering(op, GradientForm(op).query, schedule, rewriter),
      form(op),
      batches(getSize(rewriter, op->getLoc(), form.query, 0)),
      queries(getSize(rewriter, op->getLoc(), form.query, 1)),
      keys(getSize(rewriter, op->getLoc(), form.key, 1)),
      heads(shapeOf(form.query)[2]),
      groups(shapeOf(form.key)[2]),
      slots(form.indices ? shapeOf(form.indices)[2] : 0),
      depth(rowVectors(shapeOf(form.query)[3], schedule.getLanes(), 1)),
      valueDepth(rowVectors(shapeOf(form.value)[3], schedule.getLanes(), 1)) {}

void GradientLowering::allocateScratch() {
  if (form.indices)
    lists = allocate(v, {tasks, padded(slots)}, v.builder().getI32Type());
  headQuery = allocate(v, {tasks, padded(depth.padded())}, acc);
  headGrad = allocate(v, {tasks, padded(depth.padded())}, acc);
  headOutput = allocate(v, {tasks, padded(valueDepth.padded())}, acc);
  if (getElementTypeOrSelf(form.key.getType()) == acc) return;
  int64_t most = std::max<int64_t>(keys.bound, 1);
  keySums = allocate(v, {tasks, most, padded(depth.padded())}, acc);
  valueSums = allocate(v, {tasks, most, padded(valueDepth.padded())}, acc);
}

Value GradientLowering::emitList(Value batch, Value row) {
  Value limit = loadKeyCount(v, lengths, batch, keys);
  if (!form.indices) return countVisible(v, form.mask, row, limit, queries);
  Value count = v.toIndex(v.loadScalar(counts, {batch, row}));
  return v.forLoop(
      v.index(0), v.min(count, v.index(slots)), 1, v.index(0),
      [&](Value slot, ValueRange carried) -> SmallVector<Value> {
        Value entry = v.loadScalar(indices, {batch, row, slot});
        // Stored in any case and overwritten unless valid: no branch.
        v.storeScalar(entry, lists, {task, carried[0]});
        Value valid = v.cmpi(CmpIPredicate::ult, v.toIndex(entry), limit);
        Value one = arith::IndexCastUIOp::create(
            v.builder(), v.location(), v.builder().getIndexType(), valid);
        return {v.add(carried[0], one)};
      })[0];
}

/// One key of a head: its logit, and what that gives to three gradients.
void GradientLowering::emitKey(const Head& at, Value slot, Value lseOfRow,
                               Value rowSum) {
  Value place =
      form.indices ? v.toIndex(v.loadScalar(lists, {task, slot})) : slot;
  RowRef keyRow = ofKey(key, at.batch, place, at.group);
  RowRef valueRow = ofKey(value, at.batch, place, at.group);
  Value scale = v.constant(acc, form.scale());
  Value zero = v.constant(acc, 0.0);
  Value logit = v.mul(v.dotRows(ofTask(headQuery), keyRow, depth, acc), scale);
  Value none = v.cmpf(CmpFPredicate::OEQ, logit, v.constant(acc, -kInfinity));
  Value weight = v.select(none, zero, v.exp(v.sub(logit, lseOfRow)));
  Value gradient = v.dotRows(ofTask(headOutput), valueRow, valueDepth, acc);
  gradient = v.mul(weight, v.sub(gradient, rowSum));
  Value factor = v.mul(v.select(none, zero, gradient), scale);
  v.addScaledRow(ofTask(headGrad), factor, keyRow, depth);
  v.addScaledRow(keySum(at.batch, place, at.group), factor, ofTask(headQuery),
                 depth);
  v.addScaledRow(valueSum(at.batch, place, at.group), weight,
                 ofTask(headOutput), valueDepth);
}

void GradientLowering::emitHead(const Head& at, Value count) {
  SmallVector<Value> row = {at.batch, at.head, at.query};
  RowRef queryRow{query, {at.batch, at.query, at.head, v.index(0)}};
  RowRef outputRow{outputGrad, {at.batch, at.query, at.head, v.index(0)}};
  RowRef gradRow{queryGrad, {at.batch, at.query, at.head, v.index(0)}};
  Value lseOfRow = v.loadScalar(lse, row);
  v.clearRow(ofTask(headGrad), depth, acc);
  // Also true of NaN, which goes where it belongs.
  Value any = v.cmpf(CmpFPredicate::UNE, lseOfRow, v.constant(acc, -kInfinity));
  v.ifThen(any, [&] {
    Value rowSum = v.loadScalar(rowSums, row);
    v.copyRow(ofTask(headQuery), queryRow, depth, acc);
    v.copyRow(ofTask(headOutput), outputRow, valueDepth, acc);
    v.forLoop(v.index(0), count, 1,
              [&](Value slot) { emitKey(at, slot, lseOfRow, rowSum); });
  });
  v.copyRow(gradRow, ofTask(headGrad), depth, acc);
}

/// The sums of a key head, rounded, where results do not hold them already.
void GradientLowering::emitResults(Value batch, Value group) {
  if (!keySums) return;
  v.forLoop(v.index(0), toValue(v, keys), 1, [&](Value place) {
    v.copyRow(ofKey(keyGrad, batch, place, group), keySum(batch, place, group),
              depth, acc);
    v.copyRow(ofKey(valueGrad, batch, place, group),
              valueSum(batch, place, group), valueDepth, acc);
  });
}

void GradientLowering::emitItem(Value item) {
  Value batch = v.divIndex(item, v.index(groups));
  Value group = v.remIndex(item, v.index(groups));
  int64_t ratio = heads / groups;
  v.forLoop(v.index(0), toValue(v, keys), 1, [&](Value place) {
    v.clearRow(keySum(batch, place, group), depth, acc);
    v.clearRow(valueSum(batch, place, group), valueDepth, acc);
  });
  v.forLoop(v.index(0), toValue(v, queries), 1, [&](Value row) {
    Value count = emitList(batch, row);
    v.forLoop(v.index(0), v.index(ratio), 1, [&](Value i) {
      Value head = v.add(v.times(group, ratio), i);
      emitHead({batch, row, head, group}, count);
    });
  });
  emitResults(batch, group);
}

void GradientLowering::run(RewriterBase& rewriter) {
  query = toReadOnlyBuffer(v, form.query);
  key = toReadOnlyBuffer(v, form.key);
  value = toReadOnlyBuffer(v, form.value);
  indices = toReadOnlyBuffer(v, form.indices);
  counts = toReadOnlyBuffer(v, form.counts);
  outputGrad = toReadOnlyBuffer(v, form.outputGrad);
  lse = toReadOnlyBuffer(v, form.lse);
  rowSums = toReadOnlyBuffer(v, form.rowSums);
  lengths = toReadOnlyBuffer(v, form.lengths);
  queryGrad = allocate(v, op, 0);
  keyGrad = allocate(v, op, 1);
  valueGrad = allocate(v, op, 2);
  allocateScratch();
  forItems(mulSizes(v, batches, groups), [&](Value item) { emitItem(item); });
  replaceOp(rewriter, {queryGrad, keyGrad, valueGrad});
}

LogicalResult cpu::lowerAttentionGradient(Operation* op,
                                          CpuScheduleAttr schedule,
                                          RewriterBase& rewriter) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  GradientLowering(op, schedule, rewriter).run(rewriter);
  return success();
}
