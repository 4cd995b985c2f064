//===- GsaDecomposeIndexGradient.cpp - meaning of what trains the indexer -===//
//
// The indexer's scores are logits of attention with one key head, so they and
// their gradients are made of the parts of the gradient of attention over
// lists. Without lists there is one for each row: all keys that it sees.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "dialect/Gsa/GsaAttentionLists.h"
#include "dialect/Gsa/GsaGradientOps.h"
#include "dialect/Gsa/GsaSlopes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;
using arith::CmpFPredicate;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

static Value log(ScalarBuilder& s, Value x) {
  return math::LogOp::create(s.builder(), s.location(), x);
}

/// The sum over i < `size` of term(i), in `type`.
static Value sumOver(ScalarBuilder& s, Value size, Type type,
                     llvm::function_ref<Value(Value)> term) {
  return s.forLoop(s.index(0), size, s.constant(type, 0.0),
                   [&](Value i, ValueRange sum) -> SmallVector<Value> {
                     return {s.add(sum[0], term(i))};
                   })[0];
}

namespace {

/// Scores over lists, and their gradient.
class IndexLists {
 public:
  IndexLists(OpBuilder& b, const IndexerForm& form)
      : form(form),
        key4(expandKey(b, form)),
        lists(AttentionLists::of(b, asAttention(form, key4))),
        acc(lists.acc),
        heads(dimValue(b, lists.loc, form.query, 2)),
        dots(makeLogits(lists)) {}

  /// I / temperature, [B,Sq,K]; -inf in slots that hold no key.
  Value makeScores(double temperature);
  /// The gradients of query, key, weights and bias.
  SmallVector<Value> makeGradients(Value scoresGrad);

  /// `make()` where a slot of a row holds a key, otherwise `none`.
  Value ifKey(ScalarBuilder& s, ValueRange slot, double none,
              llvm::function_ref<Value()> make);
  /// Sizes of [B,Sq,K].
  SmallVector<OpFoldResult> sizes();

 private:
  /// The key as that of one head: [B,Sk,1,Di].
  static Value expandKey(OpBuilder& b, const IndexerForm& form);
  static AttentionForm asAttention(const IndexerForm& form, Value key);

  /// z of a head and a slot that holds a key.
  Value logit(ScalarBuilder& s, ValueRange slot, Value head);
  /// wact(w), or null where weights are 1.
  Value weight(ScalarBuilder& s, ValueRange row, Value head);
  Value makeLogitGrads(Value scoresGrad);
  Value makeWeightsGrad(Value scoresGrad);
  Value makeBiasGrad(Value logitGrads);

  IndexerForm form;
  Value key4;

 public:
  AttentionLists lists;
  Type acc;

 private:
  Value heads, dots;
};

/// The loss of each row, and the gradient of its scores.
class IndexLoss {
 public:
  IndexLoss(OpBuilder& b, const IndexerForm& form, const IndexTarget& target);

  Value makeLoss();
  Value makeScoresGrad(Value lossGrad);
  IndexLists& indexer() { return index; }

 private:
  static AttentionForm asAttention(const IndexerForm& form,
                                   const IndexTarget& target);
  Value makeLogShares();
  void makeTarget();
  void makeScoreLse();

  /// p of a slot: 0 in a row without any.
  Value share(ScalarBuilder& s, ValueRange slot);
  /// log p - log q.
  Value ratio(ScalarBuilder& s, ValueRange slot, Value p);
  /// Whether `clip` cuts a ratio; null without one.
  Value isCut(ScalarBuilder& s, Value ratio);
  Value perRow(llvm::function_ref<Value(ScalarBuilder&, ValueRange)> body);

  OpBuilder& b;
  IndexTarget target;
  IndexLists index;
  AttentionLists attention;
  Location loc;
  Type acc;
  Value slots;
  Value shares, total;     ///< a [B,Sq,K] and its sum [B,Sq].
  Value scores, scoreLse;  ///< x [B,Sq,K], and its log-sum-exp [B,Sq].
};

}  // namespace

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

Value IndexLists::expandKey(OpBuilder& b, const IndexerForm& form) {
  Location loc = form.op->getLoc();
  auto type = cast<RankedTensorType>(form.key.getType());
  ArrayRef<int64_t> shape = type.getShape();
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, form.key);
  sizes.insert(sizes.begin() + 2, b.getIndexAttr(1));
  SmallVector<ReassociationIndices> groups = {{0}, {1}, {2, 3}};
  return tensor::ExpandShapeOp::create(
      b, loc,
      RankedTensorType::get({shape[0], shape[1], 1, shape[2]},
                            type.getElementType()),
      form.key, groups, sizes);
}

AttentionForm IndexLists::asAttention(const IndexerForm& form, Value key) {
  AttentionForm attention;
  attention.op = form.op;
  attention.query = form.query;
  attention.key = attention.value = key;
  attention.indices = form.indices;
  attention.counts = form.counts;
  attention.lengths = form.lengths;
  attention.scaleGiven = form.scaleGiven;
  return attention;
}

SmallVector<OpFoldResult> IndexLists::sizes() {
  OpBuilder& b = lists.b;
  return {tensor::getMixedSize(b, lists.loc, form.query, 0),
          tensor::getMixedSize(b, lists.loc, form.query, 1),
          tensor::getMixedSize(b, lists.loc, form.indices, 2)};
}

Value IndexLists::ifKey(ScalarBuilder& s, ValueRange slot, double none,
                        llvm::function_ref<Value()> make) {
  auto otherwise = [&] { return s.constant(acc, none); };
  return s.lazySelect(
      lists.isListed(s, slot[0], slot[1], slot[2]), acc,
      [&]() -> Value {
        Value key = lists.keyAt(s, slot[0], slot[1], slot[2]);
        return s.lazySelect(lists.inRange(s, slot[0], key), acc, make,
                            otherwise);
      },
      otherwise);
}

Value IndexLists::logit(ScalarBuilder& s, ValueRange slot, Value head) {
  Value z = s.extract(dots, {slot[0], slot[1], head, slot[2]});
  if (!form.bias) return z;
  return s.add(z, s.cast(s.extract(form.bias, {head}), acc));
}

Value IndexLists::weight(ScalarBuilder& s, ValueRange row, Value head) {
  if (!form.weights) return {};
  Value w = s.cast(s.extract(form.weights, {row[0], row[1], head}), acc);
  return applyWeightActivation(s, form.weightActivation, w);
}

Value IndexLists::makeScores(double temperature) {
  return generateTensor(
      lists.b, lists.loc, sizes(), acc, [&](ScalarBuilder& s, ValueRange slot) {
        return ifKey(s, slot, -kInfinity, [&] {
          Value score = sumOver(s, heads, acc, [&](Value head) {
            Value term = applyScoreActivation(s, form.scoreActivation,
                                              logit(s, slot, head));
            Value w = weight(s, slot, head);
            return w ? s.mul(w, term) : term;
          });
          return s.div(score, s.constant(acc, temperature));
        });
      });
}

/// dz [B,Sq,Hi,K]; 0 in slots that hold no key.
Value IndexLists::makeLogitGrads(Value scoresGrad) {
  return generateTensor(
      lists.b, lists.loc, tensor::getMixedSizes(lists.b, lists.loc, dots), acc,
      [&](ScalarBuilder& s, ValueRange cell) {
        SmallVector<Value> slot = {cell[0], cell[1], cell[3]};
        return ifKey(s, slot, 0.0, [&] {
          Value gradient = s.extract(scoresGrad, slot);
          if (Value w = weight(s, slot, cell[2])) gradient = s.mul(gradient, w);
          return s.mul(gradient, scoreSlope(s, form.scoreActivation,
                                            logit(s, slot, cell[2])));
        });
      });
}

Value IndexLists::makeWeightsGrad(Value scoresGrad) {
  OpBuilder& b = lists.b;
  SmallVector<OpFoldResult> shape =
      tensor::getMixedSizes(b, lists.loc, form.query);
  shape.pop_back();
  Type data = form.weights ? getElementTypeOrSelf(form.weights.getType()) : acc;
  return generateTensor(
      b, lists.loc, shape, data, [&](ScalarBuilder& s, ValueRange cell) {
        Value head = cell[2];
        Value sum = sumOver(s, lists.slots, acc, [&](Value i) {
          SmallVector<Value> slot = {cell[0], cell[1], i};
          return ifKey(s, slot, 0.0, [&] {
            Value term = applyScoreActivation(s, form.scoreActivation,
                                              logit(s, slot, head));
            return s.mul(s.extract(scoresGrad, slot), term);
          });
        });
        if (!form.weights) return sum;
        Value w = s.cast(s.extract(form.weights, cell), acc);
        Value slope = weightSlope(s, form.weightActivation, w);
        return s.cast(s.mul(sum, slope), data);
      });
}

Value IndexLists::makeBiasGrad(Value logitGrads) {
  OpBuilder& b = lists.b;
  Location loc = lists.loc;
  Value batches = dimValue(b, loc, form.query, 0);
  Value queries = dimValue(b, loc, form.query, 1);
  Type data = form.bias ? getElementTypeOrSelf(form.bias.getType()) : acc;
  return generateTensor(
      b, loc, {tensor::getMixedSize(b, loc, form.query, 2)}, data,
      [&](ScalarBuilder& s, ValueRange head) {
        Value sum = sumOver(s, batches, acc, [&](Value batch) {
          return sumOver(s, queries, acc, [&](Value t) {
            return sumOver(s, lists.slots, acc, [&](Value slot) {
              return s.extract(logitGrads, {batch, t, head[0], slot});
            });
          });
        });
        return s.cast(sum, data);
      });
}

SmallVector<Value> IndexLists::makeGradients(Value scoresGrad) {
  OpBuilder& b = lists.b;
  Value logitGrads = makeLogitGrads(scoresGrad);
  InverseLists inverse = InverseLists::of(lists);
  Value keyGrad = makeSumByKey(
      lists, inverse, {logitGrads, form.query, key4, lists.form.scale()},
      /*lse=*/Value());
  SmallVector<ReassociationIndices> groups = {{0}, {1}, {2, 3}};
  return {makeQueryGrad(lists, logitGrads, /*lse=*/Value()),
          tensor::CollapseShapeOp::create(b, lists.loc, form.key.getType(),
                                          keyGrad, groups),
          makeWeightsGrad(scoresGrad), makeBiasGrad(logitGrads)};
}

/// The op over the lists of all keys that each row sees.
template <typename OpTy, typename... Args>
static SmallVector<Value> overVisibleKeys(OpTy op, OpBuilder& b) {
  AttentionForm form;
  IndexerForm indexer = IndexerForm::of(op);
  form.op = op;
  form.query = indexer.query;
  form.key = indexer.key;
  form.lengths = indexer.lengths;
  form.mask = indexer.mask;
  VisibleKeys keys = listVisibleKeys(b, form);
  auto listed = cast<OpTy>(b.clone(*op));
  listed.getIndicesMutable().assign(keys.indices);
  listed.getCountsMutable().assign(keys.counts);
  listed.getLengthsMutable().clear();
  listed.removeMaskAttr();
  return SmallVector<Value>(listed->getResults());
}

FailureOr<SmallVector<Value>> IndexScoresGradOp::decomposeOperation(
    OpBuilder& b) {
  if (!getIndices()) return overVisibleKeys(*this, b);
  return IndexLists(b, IndexerForm::of(*this)).makeGradients(getScoresGrad());
}

//===----------------------------------------------------------------------===//
// The loss
//===----------------------------------------------------------------------===//

AttentionForm IndexLoss::asAttention(const IndexerForm& form,
                                     const IndexTarget& target) {
  AttentionForm attention;
  attention.op = form.op;
  attention.query = target.query;
  attention.key = attention.value = target.key;
  attention.indices = form.indices;
  attention.counts = form.counts;
  attention.lengths = form.lengths;
  attention.scaleGiven = target.scaleGiven;
  return attention;
}

IndexLoss::IndexLoss(OpBuilder& b, const IndexerForm& form,
                     const IndexTarget& target)
    : b(b),
      target(target),
      index(b, form),
      attention(AttentionLists::of(b, asAttention(form, target))),
      loc(form.op->getLoc()),
      acc(index.acc),
      slots(index.lists.slots) {
  makeTarget();
  scores = index.makeScores(target.temperature);
  makeScoreLse();
}

Value IndexLoss::perRow(
    llvm::function_ref<Value(ScalarBuilder&, ValueRange)> body) {
  SmallVector<OpFoldResult> rows = index.sizes();
  rows.pop_back();
  return generateTensor(b, loc, rows, acc, body);
}

/// l - lse [B,Sq,H,K]; -inf in slots without a key, and for heads without any.
Value IndexLoss::makeLogShares() {
  Value logits = makeLogits(attention);
  return generateTensor(
      b, loc, tensor::getMixedSizes(b, loc, logits), acc,
      [&](ScalarBuilder& s, ValueRange cell) {
        Value lse = s.extract(target.lse, {cell[0], cell[2], cell[1]});
        Value logit = s.extract(logits, cell);
        Value lowest = s.constant(acc, -kInfinity);
        Value none = arith::OrIOp::create(
            s.builder(), s.location(), s.cmpf(CmpFPredicate::OEQ, lse, lowest),
            s.cmpf(CmpFPredicate::OEQ, logit, lowest));
        return s.select(none, lowest, s.sub(logit, lse));
      });
}

/// a only counts divided by its sum, and so does c of a head with `mean_heads`:
/// both are divided by the largest exp(l - lse) of their sum, which neither
/// overflows nor vanishes when lse is that of attention over other keys.
void IndexLoss::makeTarget() {
  Value logShares = makeLogShares();
  SmallVector<OpFoldResult> ofHeads = tensor::getMixedSizes(b, loc, logShares);
  ofHeads.pop_back();
  Value heads = dimValue(b, loc, target.query, 2);
  auto largest = [&](ScalarBuilder& s, Value size,
                     llvm::function_ref<Value(Value)> term) {
    return s.forLoop(s.index(0), size, s.constant(acc, -kInfinity),
                     [&](Value i, ValueRange best) -> SmallVector<Value> {
                       // NaN is dropped here, and comes back as a share.
                       return {arith::MaxNumFOp::create(
                           s.builder(), s.location(), best[0], term(i))};
                     })[0];
  };
  // Of each head, [B,Sq,H], or of each row.
  Value most = generateTensor(
      b, loc, ofHeads, acc, [&](ScalarBuilder& s, ValueRange row) {
        return largest(s, slots, [&](Value slot) {
          return s.extract(logShares, {row[0], row[1], row[2], slot});
        });
      });
  if (!target.meanHeads)
    most = perRow([&, ofHead = most](ScalarBuilder& s, ValueRange row) {
      return largest(s, heads, [&](Value head) {
        return s.extract(ofHead, {row[0], row[1], head});
      });
    });
  auto weight = [&](ScalarBuilder& s, ValueRange row, Value head, Value slot) {
    Value x = s.extract(logShares, {row[0], row[1], head, slot});
    SmallVector<Value> at = {row[0], row[1]};
    if (target.meanHeads) at.push_back(head);
    return s.lazySelect(
        s.cmpf(CmpFPredicate::OEQ, x, s.constant(acc, -kInfinity)), acc,
        [&]() -> Value { return s.constant(acc, 0.0); },
        [&]() -> Value { return s.exp(s.sub(x, s.extract(most, at))); });
  };
  // m, [B,Sq,H].
  Value masses = generateTensor(
      b, loc, ofHeads, acc, [&](ScalarBuilder& s, ValueRange row) {
        return sumOver(s, slots, acc, [&](Value slot) {
          return weight(s, row, row[2], slot);
        });
      });
  shares = generateTensor(
      b, loc, index.sizes(), acc, [&](ScalarBuilder& s, ValueRange slot) {
        return sumOver(s, heads, acc, [&](Value head) -> Value {
          Value w = weight(s, slot, head, slot[2]);
          if (!target.meanHeads) return w;
          Value mass = s.extract(masses, {slot[0], slot[1], head});
          Value zero = s.constant(acc, 0.0);
          Value isNone = s.cmpf(CmpFPredicate::OEQ, mass, zero);
          return s.select(isNone, zero, s.div(w, mass));
        });
      });
  total = perRow([&](ScalarBuilder& s, ValueRange row) {
    return sumOver(s, slots, acc, [&](Value slot) {
      return s.extract(shares, {row[0], row[1], slot});
    });
  });
}

/// log(sum_i exp(x[i])); -inf for a row without keys.
void IndexLoss::makeScoreLse() {
  scoreLse = perRow([&](ScalarBuilder& s, ValueRange row) {
    auto score = [&](Value slot) {
      return s.extract(scores, {row[0], row[1], slot});
    };
    Value lowest = s.constant(acc, -kInfinity);
    Value most =
        s.forLoop(s.index(0), slots, lowest,
                  [&](Value slot, ValueRange best) -> SmallVector<Value> {
                    return {arith::MaximumFOp::create(s.builder(), s.location(),
                                                      best[0], score(slot))};
                  })[0];
    // Slots without a key are exp(-inf) = 0, but for rows that have no other.
    Value isEmpty = s.cmpf(CmpFPredicate::OEQ, most, lowest);
    Value shift = s.select(isEmpty, s.constant(acc, 0.0), most);
    Value sum = sumOver(s, slots, acc, [&](Value slot) {
      return s.exp(s.sub(score(slot), shift));
    });
    return s.add(log(s, sum), shift);
  });
}

Value IndexLoss::share(ScalarBuilder& s, ValueRange slot) {
  Value a = s.extract(shares, slot);
  Value sum = s.extract(total, {slot[0], slot[1]});
  Value zero = s.constant(acc, 0.0);
  Value isNone = s.cmpf(CmpFPredicate::OEQ, sum, zero);
  return s.select(isNone, zero, s.div(a, sum));
}

Value IndexLoss::ratio(ScalarBuilder& s, ValueRange slot, Value p) {
  Value lse = s.extract(scoreLse, {slot[0], slot[1]});
  return s.sub(log(s, p), s.sub(s.extract(scores, slot), lse));
}

Value IndexLoss::isCut(ScalarBuilder& s, Value ratio) {
  if (!target.clip) return {};
  // Not so for NaN, which stays.
  return s.cmpf(CmpFPredicate::OGT, ratio, s.constant(acc, *target.clip));
}

Value IndexLoss::makeLoss() {
  return perRow([&](ScalarBuilder& s, ValueRange row) {
    return sumOver(s, slots, acc, [&](Value i) {
      SmallVector<Value> slot = {row[0], row[1], i};
      Value p = share(s, slot);
      Value zero = s.constant(acc, 0.0);
      return s.lazySelect(
          s.cmpf(CmpFPredicate::OEQ, p, zero), acc,
          [&]() -> Value { return zero; },
          [&]() -> Value {
            Value difference = ratio(s, slot, p);
            if (Value cut = isCut(s, difference))
              difference =
                  s.select(cut, s.constant(acc, *target.clip), difference);
            return s.mul(p, difference);
          });
    });
  });
}

Value IndexLoss::makeScoresGrad(Value lossGrad) {
  auto uncut = [&](ScalarBuilder& s, ValueRange slot) -> Value {
    Value p = share(s, slot);
    if (!target.clip) return p;
    // log 0 is below any clip.
    return s.select(isCut(s, ratio(s, slot, p)), s.constant(acc, 0.0), p);
  };
  Value covered = perRow([&](ScalarBuilder& s, ValueRange row) {
    return sumOver(s, slots, acc, [&](Value i) {
      return uncut(s, SmallVector<Value>{row[0], row[1], i});
    });
  });
  return generateTensor(
      b, loc, index.sizes(), acc, [&](ScalarBuilder& s, ValueRange slot) {
        return index.ifKey(s, slot, 0.0, [&] {
          Value row[] = {slot[0], slot[1]};
          Value x = s.extract(scores, slot);
          Value q = s.exp(s.sub(x, s.extract(scoreLse, row)));
          Value factor = s.div(s.extract(lossGrad, row),
                               s.constant(acc, target.temperature));
          Value pull = s.mul(s.extract(covered, row), q);
          return s.mul(factor, s.sub(pull, uncut(s, slot)));
        });
      });
}

FailureOr<SmallVector<Value>> IndexKlOp::decomposeOperation(OpBuilder& b) {
  if (!getIndices()) return overVisibleKeys(*this, b);
  IndexLoss loss(b, IndexerForm::of(*this), IndexTarget::of(*this));
  return SmallVector<Value>{loss.makeLoss()};
}

FailureOr<SmallVector<Value>> IndexKlGradOp::decomposeOperation(OpBuilder& b) {
  if (!getIndices()) return overVisibleKeys(*this, b);
  IndexLoss loss(b, IndexerForm::of(*this), IndexTarget::of(*this));
  return loss.indexer().makeGradients(loss.makeScoresGrad(getLossGrad()));
}
