//===- IndexGradient.cpp - training of the indexer to loops ---------------===//
//
// Rows are handled one by one: what a row needs of all of its keys (the target,
// scores, their sums) is a few numbers for each key of the row, in scratch of
// the task. Gradients of keys and of the bias are sums over rows; rows form
// parts, whose number does not depend on that of tasks, each part has sums of
// its own, and these are added in order at the end.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_cpu/IndexGradient.h"

#include <limits>

#include "dialect/Gsa/GsaGradientOps.h"
#include "dialect/Gsa/GsaSlopes.h"
#include "mlir/IR/TypeUtilities.h"
#include "passes/gsa_to_cpu/AttentionEmitter.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::cpu;
using namespace mlir::gsa::detail;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Parts of the rows of a batch: as many tasks as have work with one batch, and
/// as many times a gradient of all keys is held. Row t is in part t mod 8, as
/// later rows may see more keys.
static constexpr int64_t kParts = 8;

namespace {

/// A row, and how many slots of its list, or keys, it reads; of these, those
/// below `limit` are keys.
struct Row {
  Value batch, query, end, limit;
};

/// What the three lowerings share: the keys and the scores of a row.
class IndexerLowering : protected TaskLowering {
 public:
  IndexerLowering(Operation* op, CpuScheduleAttr schedule,
                  RewriterBase& rewriter);

 protected:
  /// One head of the indexer and one key: z, and the row of the key.
  struct Logit {
    Value z;
    RowRef key;
  };

  void fetchIndexer();
  Row locate(Value batch, Value query);
  /// Calls `body` for each key of a row and its slot, which is the key itself
  /// without lists, with what is carried from key to key.
  SmallVector<Value> forKeys(
      const Row& row, ValueRange init,
      llvm::function_ref<SmallVector<Value>(Value, Value, ValueRange)> body);
  void forKeys(const Row& row, llvm::function_ref<void(Value, Value)> body);
  Value sumOverKeys(const Row& row,
                    llvm::function_ref<Value(Value slot, Value key)> term);

  /// Brings queries and weights of a row into scratch.
  void loadIndexer(const Row& row);
  Logit logitOf(const Row& row, Value key, Value head);
  Value scoreOf(const Row& row, Value key);

  RowRef ofHead(Value scratch, Value head) {
    return {scratch, {task, head, v.index(0)}};
  }
  Value zero() { return v.constant(acc, 0.0); }
  Value log(Value x) {
    return math::LogOp::create(v.builder(), v.location(), x);
  }

  IndexerForm form;
  Size batches, queries, keys;
  int64_t heads;
  /// Numbers of a row that a task holds: slots, or keys.
  int64_t width;
  RowVectors depth;
  Value query, key, weights, bias, indices, counts, lengths;
  /// Per task: queries of a row in A(T), and activated weights.
  Value rowQueries, rowWeights;
};

/// The distributions of a row, for the loss and for its gradient.
class LossLowering : public IndexerLowering {
 public:
  LossLowering(Operation* op, CpuScheduleAttr schedule, RewriterBase& rewriter);
  void run(RewriterBase& rewriter);

 protected:
  void fetchLoss();
  void emitTarget(const Row& row);
  Value emitHead(const Row& row, Value head, Value most);
  /// Scores of a row, and its distributions from here on.
  void emitScores(const Row& row);
  Value shareOf(Value slot);
  Value ratioOf(Value slot, Value share);
  Value isCut(Value ratio);
  /// p where `clip` does not cut, 0 elsewhere.
  Value uncutShareOf(Value slot);

  IndexTarget target;
  int64_t attentionHeads, groups;
  RowVectors attentionDepth;
  Value attentionQuery, attentionKey, lse;
  /// Per task: a head's query in A(T); of each key l - lse of a head, and then
  /// c, a and x.
  Value headQuery, headShares, shares, scores;
  Value total, scoreLse;  ///< Of the row: the sum of a, and of exp(x) its log.
};

/// Gradients of the indexer, from those of scores, or of the loss.
class GradientLowering : public LossLowering {
 public:
  GradientLowering(Operation* op, CpuScheduleAttr schedule,
                   RewriterBase& rewriter);
  void run(RewriterBase& rewriter);

 private:
  bool isOfLoss() const { return isa<IndexKlGradOp>(op); }
  void allocateSums();
  void emitPart(Value item);
  void emitRow(const Row& row);
  void emitKey(const Row& row, Value key, Value scoreGrad);
  void emitResults(const Row& row);
  void addParts(Value item);
  void emitBias();

  Value part;
  Value upstream;  ///< Of scores, or of the loss.
  Value queryGrad, keyGrad, weightsGrad, biasGrad;
  /// Per task: gradients of a row's queries, and of its weights. Per part: sums
  /// of keys and of the bias.
  Value rowGrads, weightSums, keySums, biasSums;
};

}  // namespace

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

static Size sizeOf(RewriterBase& rewriter, Value tensor, int64_t dim) {
  return getSize(rewriter, tensor.getLoc(), tensor, dim);
}

IndexerLowering::IndexerLowering(Operation* op, CpuScheduleAttr schedule,
                                 RewriterBase& rewriter)
    : TaskLowering(op, IndexerForm::of(op).query, schedule, rewriter),
      form(IndexerForm::of(op)),
      batches(sizeOf(rewriter, form.query, 0)),
      queries(sizeOf(rewriter, form.query, 1)),
      keys(sizeOf(rewriter, form.key, 1)),
      heads(shapeOf(form.query)[2]),
      width(form.indices ? shapeOf(form.indices)[2] : keys.bound),
      depth(rowVectors(shapeOf(form.query)[3], schedule.getLanes(), 1)) {}

void IndexerLowering::fetchIndexer() {
  query = toReadOnlyBuffer(v, form.query);
  key = toReadOnlyBuffer(v, form.key);
  weights = toReadOnlyBuffer(v, form.weights);
  bias = toReadOnlyBuffer(v, form.bias);
  indices = toReadOnlyBuffer(v, form.indices);
  counts = toReadOnlyBuffer(v, form.counts);
  lengths = toReadOnlyBuffer(v, form.lengths);
  rowQueries = allocate(v, {tasks, heads, padded(depth.padded())}, acc);
  if (weights) rowWeights = allocate(v, {tasks, padded(heads)}, acc);
}

Row IndexerLowering::locate(Value batch, Value position) {
  Value limit = loadKeyCount(v, lengths, batch, keys);
  if (!form.indices) {
    Value end = countVisible(v, form.mask, position, limit, queries);
    return {batch, position, end, limit};
  }
  Value count = v.toIndex(v.loadScalar(counts, {batch, position}));
  return {batch, position, v.min(count, v.index(width)), limit};
}

SmallVector<Value> IndexerLowering::forKeys(
    const Row& row, ValueRange init,
    llvm::function_ref<SmallVector<Value>(Value, Value, ValueRange)> body) {
  return v.forLoop(
      v.index(0), row.end, init,
      [&](Value slot, ValueRange carried) -> SmallVector<Value> {
        if (!form.indices) return body(slot, slot, carried);
        Value entry =
            v.toIndex(v.loadScalar(indices, {row.batch, row.query, slot}));
        // As unsigned, negative entries are huge.
        Value isKey = v.cmpi(CmpIPredicate::ult, entry, row.limit);
        OpBuilder& b = v.builder();
        auto branch = scf::IfOp::create(b, v.location(), TypeRange(carried),
                                        isKey, /*withElse=*/true);
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToStart(branch.thenBlock());
        scf::YieldOp::create(b, v.location(), body(slot, entry, carried));
        b.setInsertionPointToStart(branch.elseBlock());
        scf::YieldOp::create(b, v.location(), carried);
        return SmallVector<Value>(branch.getResults());
      });
}

void IndexerLowering::forKeys(const Row& row,
                              llvm::function_ref<void(Value, Value)> body) {
  v.forLoop(v.index(0), row.end, 1, [&](Value slot) {
    if (!form.indices) return body(slot, slot);
    Value entry =
        v.toIndex(v.loadScalar(indices, {row.batch, row.query, slot}));
    Value isKey = v.cmpi(CmpIPredicate::ult, entry, row.limit);
    v.ifThen(isKey, [&] { body(slot, entry); });
  });
}

Value IndexerLowering::sumOverKeys(
    const Row& row, llvm::function_ref<Value(Value, Value)> term) {
  return forKeys(
      row, zero(),
      [&](Value slot, Value place, ValueRange sum) -> SmallVector<Value> {
        return {v.add(sum[0], term(slot, place))};
      })[0];
}

void IndexerLowering::loadIndexer(const Row& row) {
  v.forLoop(v.index(0), v.index(heads), 1, [&](Value head) {
    RowRef from{query, {row.batch, row.query, head, v.index(0)}};
    v.copyRow(ofHead(rowQueries, head), from, depth, acc);
    if (!weights) return;
    Value w = v.cast(v.loadScalar(weights, {row.batch, row.query, head}), acc);
    w = applyWeightActivation(v, form.weightActivation, w);
    v.storeScalar(w, rowWeights, {task, head});
  });
}

IndexerLowering::Logit IndexerLowering::logitOf(const Row& row, Value place,
                                                Value head) {
  RowRef keyRow{key, {row.batch, place, v.index(0)}};
  Value dot = v.dotRows(ofHead(rowQueries, head), keyRow, depth, acc);
  Value z = v.mul(dot, v.constant(acc, form.scale()));
  if (bias) z = v.add(z, v.cast(v.loadScalar(bias, head), acc));
  return {z, keyRow};
}

Value IndexerLowering::scoreOf(const Row& row, Value place) {
  return v.forLoop(v.index(0), v.index(heads), zero(),
                   [&](Value head, ValueRange sum) -> SmallVector<Value> {
                     Value term = applyScoreActivation(
                         v, form.scoreActivation, logitOf(row, place, head).z);
                     if (weights)
                       term =
                           v.mul(v.loadScalar(rowWeights, {task, head}), term);
                     return {v.add(sum[0], term)};
                   })[0];
}

//===----------------------------------------------------------------------===//
// The loss
//===----------------------------------------------------------------------===//

LossLowering::LossLowering(Operation* op, CpuScheduleAttr schedule,
                           RewriterBase& rewriter)
    : IndexerLowering(op, schedule, rewriter),
      attentionHeads(0),
      groups(0),
      attentionDepth(1, 1) {
  if (isa<IndexScoresGradOp>(op)) return;
  target = IndexTarget::of(op);
  attentionHeads = shapeOf(target.query)[2];
  groups = shapeOf(target.key)[2];
  attentionDepth = rowVectors(shapeOf(target.query)[3], schedule.getLanes(), 1);
}

void LossLowering::fetchLoss() {
  attentionQuery = toReadOnlyBuffer(v, target.query);
  attentionKey = toReadOnlyBuffer(v, target.key);
  lse = toReadOnlyBuffer(v, target.lse);
  headQuery = allocate(v, {tasks, padded(attentionDepth.padded())}, acc);
  SmallVector<int64_t> ofKeys = {tasks, padded(width)};
  headShares = allocate(v, ofKeys, acc);
  shares = allocate(v, ofKeys, acc);
  scores = allocate(v, ofKeys, acc);
}

/// Adds what one head gives to a, which is divided by exp(`most`): a is only
/// read divided by its sum, which must neither overflow nor vanish when lse is
/// that of attention over other keys. Returns the new `most`.
Value LossLowering::emitHead(const Row& row, Value head, Value most) {
  Value lseOfHead = v.loadScalar(lse, {row.batch, head, row.query});
  Value group = v.divIndex(head, v.index(attentionHeads / groups));
  RowRef own{headQuery, {task, v.index(0)}};
  RowRef from{attentionQuery, {row.batch, row.query, head, v.index(0)}};
  v.copyRow(own, from, attentionDepth, acc);
  Value lowest = v.constant(acc, -kInfinity);
  Value hasNone = v.cmpf(CmpFPredicate::OEQ, lseOfHead, lowest);
  Value ofHead = forKeys(
      row, lowest,
      [&](Value slot, Value place, ValueRange best) -> SmallVector<Value> {
        RowRef keyRow{attentionKey, {row.batch, place, group, v.index(0)}};
        Value logit = v.mul(v.dotRows(own, keyRow, attentionDepth, acc),
                            v.constant(acc, target.scale()));
        Value none = v.cmpf(CmpFPredicate::OEQ, logit, lowest);
        none = arith::OrIOp::create(v.builder(), v.location(), none, hasNone);
        Value x = v.select(none, lowest, v.sub(logit, lseOfHead));
        v.storeScalar(x, headShares, {task, slot});
        return {v.maxDropNan(x, best[0])};
      })[0];
  Value larger = v.maxDropNan(ofHead, most);
  Value shift = finiteShift(v, target.meanHeads ? ofHead : larger);
  auto weightOf = [&](Value slot) {
    return v.expShifted(v.loadScalar(headShares, {task, slot}), shift);
  };
  if (!target.meanHeads) {
    Value factor = v.expShifted(most, shift);
    forKeys(row, [&](Value slot, Value) {
      Value before = v.mul(v.loadScalar(shares, {task, slot}), factor);
      v.storeScalar(v.add(before, weightOf(slot)), shares, {task, slot});
    });
    return larger;
  }
  Value mass = sumOverKeys(row, [&](Value slot, Value) {
    Value weight = weightOf(slot);
    v.storeScalar(weight, headShares, {task, slot});
    return weight;
  });
  // Also true of NaN, which goes where it belongs.
  v.ifThen(v.cmpf(CmpFPredicate::UNE, mass, zero()), [&] {
    forKeys(row, [&](Value slot, Value) {
      Value share = v.div(v.loadScalar(headShares, {task, slot}), mass);
      share = v.add(v.loadScalar(shares, {task, slot}), share);
      v.storeScalar(share, shares, {task, slot});
    });
  });
  return larger;
}

/// a of each key, and their sum, both divided by one number.
void LossLowering::emitTarget(const Row& row) {
  v.forLoop(v.index(0), row.end, 1,
            [&](Value slot) { v.storeScalar(zero(), shares, {task, slot}); });
  v.forLoop(v.index(0), v.index(attentionHeads), v.constant(acc, -kInfinity),
            [&](Value head, ValueRange most) -> SmallVector<Value> {
              return {emitHead(row, head, most[0])};
            });
  total = sumOverKeys(row, [&](Value slot, Value) {
    return v.loadScalar(shares, {task, slot});
  });
}

void LossLowering::emitScores(const Row& row) {
  loadIndexer(row);
  Value temperature = v.constant(acc, target.temperature);
  Value most = forKeys(
      row, v.constant(acc, -kInfinity),
      [&](Value slot, Value place, ValueRange best) -> SmallVector<Value> {
        Value x = v.div(scoreOf(row, place), temperature);
        v.storeScalar(x, scores, {task, slot});
        return {v.maxDropNan(x, best[0])};
      })[0];
  Value shift = finiteShift(v, most);
  Value sum = sumOverKeys(row, [&](Value slot, Value) {
    return v.expShifted(v.loadScalar(scores, {task, slot}), shift);
  });
  scoreLse = v.add(log(sum), shift);
}

Value LossLowering::shareOf(Value slot) {
  Value a = v.loadScalar(shares, {task, slot});
  Value none = v.cmpf(CmpFPredicate::OEQ, total, zero());
  return v.select(none, zero(), v.div(a, total));
}

Value LossLowering::ratioOf(Value slot, Value share) {
  Value x = v.loadScalar(scores, {task, slot});
  return v.sub(log(share), v.sub(x, scoreLse));
}

Value LossLowering::isCut(Value ratio) {
  return v.cmpf(CmpFPredicate::OGT, ratio, v.constant(acc, *target.clip));
}

Value LossLowering::uncutShareOf(Value slot) {
  Value p = shareOf(slot);
  if (!target.clip) return p;
  return v.select(isCut(ratioOf(slot, p)), zero(), p);
}

void LossLowering::run(RewriterBase& rewriter) {
  fetchIndexer();
  fetchLoss();
  Value loss = allocate(v, op, 0);
  Value perBatch = toValue(v, maxSize(v, queries, 1));
  Size rows = mulSizes(v, batches, queries);
  forItems(rows, [&](Value item) {
    Row row = locate(v.divIndex(item, perBatch), v.remIndex(item, perBatch));
    emitTarget(row);
    emitScores(row);
    Value sum = sumOverKeys(row, [&](Value slot, Value) {
      Value p = shareOf(slot);
      Value ratio = ratioOf(slot, p);
      if (target.clip)
        ratio = v.select(isCut(ratio), v.constant(acc, *target.clip), ratio);
      Value none = v.cmpf(CmpFPredicate::OEQ, p, zero());
      return v.select(none, zero(), v.mul(p, ratio));
    });
    v.storeScalar(sum, loss, {row.batch, row.query});
  });
  replaceOp(rewriter, {loss});
}

//===----------------------------------------------------------------------===//
// Gradients
//===----------------------------------------------------------------------===//

GradientLowering::GradientLowering(Operation* op, CpuScheduleAttr schedule,
                                   RewriterBase& rewriter)
    : LossLowering(op, schedule, rewriter) {}

void GradientLowering::allocateSums() {
  int64_t row = padded(depth.padded());
  int64_t parts = batches.bound * kParts;
  rowGrads = allocate(v, {tasks, heads, row}, acc);
  weightSums = allocate(v, {tasks, padded(heads)}, acc);
  keySums = allocate(v, {parts, std::max<int64_t>(keys.bound, 1), row}, acc);
  biasSums = allocate(v, {parts, padded(heads)}, acc);
}

/// One key of a row, whose score has the gradient `scoreGrad`.
void GradientLowering::emitKey(const Row& row, Value place, Value scoreGrad) {
  auto addTo = [&](Value memref, ArrayRef<Value> at, Value x) {
    v.storeScalar(v.add(v.loadScalar(memref, at), x), memref, at);
  };
  v.forLoop(v.index(0), v.index(heads), 1, [&](Value head) {
    Logit logit = logitOf(row, place, head);
    Value act = applyScoreActivation(v, form.scoreActivation, logit.z);
    addTo(weightSums, {task, head}, v.mul(scoreGrad, act));
    Value gradient = scoreGrad;
    if (weights)
      gradient = v.mul(gradient, v.loadScalar(rowWeights, {task, head}));
    gradient = v.mul(gradient, scoreSlope(v, form.scoreActivation, logit.z));
    addTo(biasSums, {part, head}, gradient);
    Value factor = v.mul(gradient, v.constant(acc, form.scale()));
    v.addScaledRow(ofHead(rowGrads, head), factor, logit.key, depth);
    RowRef sum{keySums, {part, place, v.index(0)}};
    v.addScaledRow(sum, factor, ofHead(rowQueries, head), depth);
  });
}

/// The gradients of a row's queries and weights.
void GradientLowering::emitResults(const Row& row) {
  v.forLoop(v.index(0), v.index(heads), 1, [&](Value head) {
    RowRef to{queryGrad, {row.batch, row.query, head, v.index(0)}};
    v.copyRow(to, ofHead(rowGrads, head), depth, acc);
    SmallVector<Value> at = {row.batch, row.query, head};
    Value sum = v.loadScalar(weightSums, {task, head});
    Type data = acc;
    if (weights) {
      data = getElementTypeOrSelf(form.weights.getType());
      Value w = v.cast(v.loadScalar(weights, at), acc);
      sum = v.mul(sum, weightSlope(v, form.weightActivation, w));
    }
    v.storeScalar(v.cast(sum, data), weightsGrad, at);
  });
}

void GradientLowering::emitRow(const Row& row) {
  v.forLoop(v.index(0), v.index(heads), 1, [&](Value head) {
    v.clearRow(ofHead(rowGrads, head), depth, acc);
    v.storeScalar(zero(), weightSums, {task, head});
  });
  if (!isOfLoss()) {
    loadIndexer(row);
    forKeys(row, [&](Value slot, Value place) {
      emitKey(row, place, v.loadScalar(upstream, {row.batch, row.query, slot}));
    });
    return emitResults(row);
  }
  emitTarget(row);
  emitScores(row);
  Value covered =
      sumOverKeys(row, [&](Value slot, Value) { return uncutShareOf(slot); });
  Value factor = v.div(v.loadScalar(upstream, {row.batch, row.query}),
                       v.constant(acc, target.temperature));
  forKeys(row, [&](Value slot, Value place) {
    Value q = v.exp(v.sub(v.loadScalar(scores, {task, slot}), scoreLse));
    Value pull = v.mul(covered, q);
    emitKey(row, place, v.mul(factor, v.sub(pull, uncutShareOf(slot))));
  });
  emitResults(row);
}

/// The rows of a part, in order.
void GradientLowering::emitPart(Value item) {
  part = item;
  Value batch = v.divIndex(item, v.index(kParts));
  v.forLoop(v.index(0), toValue(v, keys), 1, [&](Value place) {
    v.clearRow({keySums, {part, place, v.index(0)}}, depth, acc);
  });
  v.forLoop(v.index(0), v.index(heads), 1,
            [&](Value head) { v.storeScalar(zero(), biasSums, {part, head}); });
  v.forLoop(v.remIndex(item, v.index(kParts)), toValue(v, queries), kParts,
            [&](Value position) { emitRow(locate(batch, position)); });
}

/// The gradient of one key: the sums of all parts, rounded once.
void GradientLowering::addParts(Value item) {
  Value perBatch = toValue(v, maxSize(v, keys, 1));
  Value batch = v.divIndex(item, perBatch), place = v.remIndex(item, perBatch);
  Value first = v.times(batch, kParts);
  RowRef to{keyGrad, {batch, place, v.index(0)}};
  v.forVectors(depth, [&](Value offset, int64_t valid) {
    Value sum;
    for (int64_t i = 0; i < kParts; ++i) {
      RowRef from{keySums, {v.plus(first, i), place, v.index(0)}};
      Value x = v.load(from, offset, depth.lanes, valid, acc);
      sum = sum ? v.add(sum, x) : x;
    }
    v.store(sum, to, offset, valid);
  });
}

void GradientLowering::emitBias() {
  Value parts = v.times(toValue(v, batches), kParts);
  Type data = form.bias ? getElementTypeOrSelf(form.bias.getType()) : acc;
  v.forLoop(v.index(0), v.index(heads), 1, [&](Value head) {
    Value sum = v.forLoop(
        v.index(0), parts, zero(),
        [&](Value i, ValueRange carried) -> SmallVector<Value> {
          return {v.add(carried[0], v.loadScalar(biasSums, {i, head}))};
        })[0];
    v.storeScalar(v.cast(sum, data), biasGrad, head);
  });
}

void GradientLowering::run(RewriterBase& rewriter) {
  fetchIndexer();
  if (isOfLoss()) fetchLoss();
  upstream = toReadOnlyBuffer(
      v, isOfLoss() ? Value(cast<IndexKlGradOp>(op).getLossGrad())
                    : Value(cast<IndexScoresGradOp>(op).getScoresGrad()));
  queryGrad = allocate(v, op, 0);
  keyGrad = allocate(v, op, 1);
  weightsGrad = allocate(v, op, 2);
  biasGrad = allocate(v, op, 3);
  allocateSums();
  forItems(mulSizes(v, batches, kParts), [&](Value item) { emitPart(item); });
  forItems(mulSizes(v, batches, keys), [&](Value item) { addParts(item); });
  emitBias();
  replaceOp(rewriter, {queryGrad, keyGrad, weightsGrad, biasGrad});
}

LogicalResult cpu::lowerIndexGradient(Operation* op, CpuScheduleAttr schedule,
                                      RewriterBase& rewriter) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  if (isa<IndexKlOp>(op))
    LossLowering(op, schedule, rewriter).run(rewriter);
  else
    GradientLowering(op, schedule, rewriter).run(rewriter);
  return success();
}
