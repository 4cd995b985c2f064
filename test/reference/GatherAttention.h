//===- GatherAttention.h - attention over lists of keys ---------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_GATHERATTENTION_H_
#define GSA_TEST_REFERENCE_GATHERATTENTION_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "test/reference/Rounding.h"
#include "test/reference/Tensor.h"

namespace gsa::reference {

/// The roundings that attention may have inside, for the rounded evaluation.
///
/// Logits are rounded to the accumulator type of `type`. If `type` is narrower
/// than binary32, each softmax weight may be rounded to it before it multiplies
/// values. Such errors are independent, and their sum over a short list may be
/// small by luck. So nothing is rounded here; the output is moved by
/// u sqrt(sum_i (p[i] v[i])^2) instead, u being the unit roundoff of `type`, up
/// or down as a hash of its position says.
struct AttentionRounding {
  FloatFormat type;
};

/// Entries of lists, or keys, from `first` on: `size` of them, or as many as
/// there are.
struct KeyRange {
  int64_t first = 0;
  int64_t size = INT64_MAX;

  /// Those of [0, count) that are in the range: [begin(count), end(count)).
  int64_t begin(int64_t count) const { return std::min(first, count); }
  int64_t end(int64_t count) const {
    return begin(count) + std::min(size, count - begin(count));
  }
};

struct GatherAttentionOptions {
  std::optional<double> scale;  ///< Absent: 1 / sqrt(D).
  int num_threads = 1;
  /// Absent: everything in float64.
  std::optional<AttentionRounding> rounding = std::nullopt;
  KeyRange range = {};  ///< Of the entries of lists.
  /// [B], or null: an entry at or beyond lengths[b] is skipped.
  const Tensor<int32_t>* lengths = nullptr;
};

struct AttentionResult {
  Tensor<double> output;  ///< [B, Sq, H, Dv]
  Tensor<double> lse;     ///< [B, H, Sq], natural logarithm; -inf: no key
};

/// Operands of attention. The tensors must outlive this struct.
struct AttentionOperands {
  const Tensor<double>& query;  ///< [B, Sq, H, D]
  const Tensor<double>& key;    ///< [B, Sk, G, D], H a multiple of G
  const Tensor<double>& value;  ///< [B, Sk, G, Dv]
};

/// Throws unless shapes and scale fit.
void CheckAttentionOperands(const AttentionOperands& operands,
                            std::optional<double> scale);

/// Attention of every query over the keys that `keys_of(b, t)` lists. Indices
/// outside [0, Sk) are skipped, a key listed twice counts twice. `keys_of` is
/// called from several threads.
using KeyList = std::function<std::vector<int32_t>(int64_t b, int64_t t)>;
AttentionResult AttendToLists(const AttentionOperands& operands,
                              const GatherAttentionOptions& options,
                              const KeyList& keys_of);

/// The keys of each row: the entries of the options' range among the first
/// counts[b,t] of indices[b,t], without those that are no keys. `indices` is
/// [B, Sq, K], `counts` is [B, Sq]; both and the options' lengths must outlive
/// the result.
KeyList ListedKeys(const AttentionOperands& operands,
                   const Tensor<int32_t>& indices,
                   const Tensor<int32_t>& counts,
                   const GatherAttentionOptions& options);

/// Attention of each query over the first counts[b,t] entries of
/// indices[b,t]. `indices` is [B, Sq, K], `counts` is [B, Sq]. Entries beyond
/// the count are not read; a count below 0 is 0, one above K is K.
AttentionResult GatherAttention(const AttentionOperands& operands,
                                const Tensor<int32_t>& indices,
                                const Tensor<int32_t>& counts,
                                const GatherAttentionOptions& options = {});

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_GATHERATTENTION_H_
