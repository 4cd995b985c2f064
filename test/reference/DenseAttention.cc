//===- DenseAttention.cc - attention over all visible keys ----------------===//
//
// GatherAttention over 0, 1, ..., n - 1 where n keys are visible.
//
//===----------------------------------------------------------------------===//

#include "test/reference/DenseAttention.h"

#include <numeric>
#include <vector>

namespace gsa::reference {

AttentionResult DenseAttention(const AttentionOperands& operands,
                               const DenseAttentionOptions& options) {
  CheckAttentionOperands(operands, options.scale);
  int64_t queries = operands.query.dim(1), keys = operands.key.dim(1);
  return AttendToLists(
      operands, {options.scale, options.num_threads, options.rounding},
      [&](int64_t, int64_t t) {
        std::vector<int32_t> list(VisibleKeys(options.mask, t, queries, keys));
        std::iota(list.begin(), list.end(), 0);
        return list;
      });
}

}  // namespace gsa::reference
