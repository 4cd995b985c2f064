//===- TopK.h - indices of the k best cells of a row ------------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_TOPK_H_
#define GSA_TEST_REFERENCE_TOPK_H_

#include <cstdint>
#include <span>
#include <vector>

#include "test/reference/Tensor.h"
#include "test/reference/Types.h"

namespace gsa::reference {

struct TopKOptions {
  int64_t slots = 1;  ///< Width K of the result; budgets are cut to it.
  int64_t sink = 0;   ///< First positions that are kept before all others.
  int64_t local = 0;  ///< Last positions, up to the last visible key, likewise.
  IndexOrder order = IndexOrder::kIndex;
};

struct TopKResult {
  Tensor<int32_t> indices;  ///< [B, Sq, K], then -1
  Tensor<int32_t> counts;   ///< [B, Sq]
  Tensor<int32_t> status;   ///< [B, Sq], NaN scores of the row
};

/// Throws unless 1 <= slots <= 2^30, sink and local are not negative, and the
/// order by score goes without forced keys.
void CheckTopKOptions(const TopKOptions& options);

/// The visible keys of a row that are kept before all others, ascending: those
/// of the first `sink` positions and of the last `local` positions that end at
/// the last visible key.
std::vector<int32_t> ForcedKeys(std::span<const double> row, int64_t sink,
                                int64_t local);

/// The kept indices of one row, min(k, slots, visible) of them.
std::vector<int32_t> TopKRow(std::span<const double> row, int64_t k,
                             const TopKOptions& options);

/// Number of NaN scores of a row.
int32_t CountNan(std::span<const double> row);

/// The kept indices of all rows of `scores` [B, Sq, Sk] with budgets `k`
/// [B, Sq]. A negative budget keeps nothing.
TopKResult TopK(const Tensor<double>& scores, const Tensor<int32_t>& k,
                const TopKOptions& options);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_TOPK_H_
