//===- GsaAttentionLists.h - parts of decompositions of attention ---------===//
//
// What the definitions of attention over lists and of its gradient have in
// common: what they read of an op, how a list is read, and the logits of its
// keys.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSA_GSAATTENTIONLISTS_H
#define GSA_DIALECT_GSA_GSAATTENTIONLISTS_H

#include "dialect/Gsa/GsaBuilders.h"

namespace mlir::gsa::detail {

/// What the ops of attention and their gradients name alike; the rest of a form
/// is left as it is without lists, mask and gate.
template <typename OpTy>
AttentionForm makeAttentionForm(OpTy op) {
  AttentionForm form;
  form.op = op;
  form.query = op.getQuery();
  form.key = op.getKey();
  form.value = op.getValue();
  form.lengths = op.getLengths();
  form.scaleGiven = op.getScale();
  return form;
}

/// Values that all steps of a decomposition of attention over lists use.
struct AttentionLists {
  AttentionForm form;
  OpBuilder& b;
  Location loc;
  Type acc;
  /// Sk, D, r = H / G and K as index values.
  Value keys, headSize, groupSize, slots;

  /// Of a form with lists; creates the sizes at the insertion point of `b`.
  static AttentionLists of(OpBuilder& b, const AttentionForm& form);

  /// Row's key at `slot`, as an index value.
  Value keyAt(ScalarBuilder& s, Value batch, Value t, Value slot) {
    return s.toIndex(s.extract(form.indices, {batch, t, slot}));
  }

  /// First slot that a row reads.
  Value begin(ScalarBuilder& s) { return s.index(form.first); }

  /// Row's number of listed keys, or the end of the range if it comes before.
  /// A count beyond the list is cut to its length; a negative one lists
  /// nothing.
  Value end(ScalarBuilder& s, Value batch, Value t) {
    Value count = s.toIndex(s.extract(form.counts, {batch, t}));
    Value end = s.min(count, slots);
    return form.isPartial() ? s.min(end, s.index(form.first + form.size)) : end;
  }

  /// Whether a row reads `slot`.
  Value isListed(ScalarBuilder& s, Value batch, Value t, Value slot) {
    Value before = s.cmpi(arith::CmpIPredicate::slt, slot, end(s, batch, t));
    if (form.first == 0) return before;
    Value behind = s.cmpi(arith::CmpIPredicate::sge, slot, begin(s));
    return arith::AndIOp::create(s.builder(), s.location(), behind, before);
  }

  Value group(ScalarBuilder& s, Value head) {
    return arith::DivUIOp::create(s.builder(), s.location(), head, groupSize);
  }

  /// Whether `key` (index value) is one of the batch's: as unsigned, negative
  /// indices are huge.
  Value inRange(ScalarBuilder& s, Value batch, Value key) {
    return s.cmpi(arith::CmpIPredicate::ult, key,
                  countKeys(s, form.lengths, batch, keys));
  }
};

/// Logits [B,Sq,H,K]; -inf in slots that hold no key.
Value makeLogits(AttentionLists& lists);

/// Lists that make attention over all keys attention over lists.
struct VisibleKeys {
  Value indices, counts;
};

/// The visible keys of a row are a prefix: lists all keys, counts the visible.
VisibleKeys listVisibleKeys(OpBuilder& b, const AttentionForm& form);

//===----------------------------------------------------------------------===//
// Gradients
//===----------------------------------------------------------------------===//

/// exp(logit - lse), the softmax weights [B,Sq,H,K]: 0 in slots that hold no
/// key, and for heads of rows whose `lse` [B,H,Sq] is -inf.
Value makeWeightsOfLse(AttentionLists& lists, Value logits, Value lse);

/// scale * sum_i factors[b,t,j,i] * key[b, idx[i], j / r], of the shape and the
/// type of the query; 0 where `lse` is -inf, if it is not null.
Value makeQueryGrad(AttentionLists& lists, Value factors, Value lse);

/// For each key the places of the lists that hold it, in the order of the rows
/// and, within a row, of its slots. Place t * K + i is slot i of row t.
struct InverseLists {
  /// [B,Sk], i64: where the places of a key end; they begin where those of the
  /// key before it end.
  Value ends;
  /// [B,Sq,K], i64: the places of all keys, one behind the other; place number
  /// n is at [n / K, n % K].
  Value places;

  static InverseLists of(AttentionLists& lists);
};

/// One sum over the rows that list a key.
struct SumByKey {
  Value factors;  ///< [B,Sq,H,K] in A(T): what a row gives to each of its keys.
  Value rows;     ///< [B,Sq,H,X]: what they multiply.
  Value like;     ///< A tensor of the result's shape [B,Sk,G,X] and type.
  double scale;   ///< Of the sum.
};

/// The sum for each key. A head of a row whose `lse` is -inf takes no part; a
/// null `lse` leaves out none.
Value makeSumByKey(AttentionLists& lists, const InverseLists& inverse,
                   const SumByKey& sum, Value lse);

}  // namespace mlir::gsa::detail

#endif  // GSA_DIALECT_GSA_GSAATTENTIONLISTS_H
