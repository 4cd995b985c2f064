//===- DenseAttention.cc - attention over all visible keys ----------------===//
//
// GatherAttention over 0, 1, ..., n - 1 where n keys are visible.
//
//===----------------------------------------------------------------------===//

#include "test/reference/DenseAttention.h"

#include <numeric>
#include <vector>

#include "test/reference/Lengths.h"

namespace gsa::reference {

KeyList VisibleKeyLists(const AttentionOperands& operands,
                        const DenseAttentionOptions& options) {
  CheckAttentionOperands(operands, options.scale);
  int64_t queries = operands.query.dim(1), keys = operands.key.dim(1);
  if (options.lengths)
    RequireShape("lengths", *options.lengths, {operands.query.dim(0)});
  return [options, queries, keys](int64_t b, int64_t t) {
    int64_t seen = VisibleKeys(options.mask, t, queries,
                               CountKeys(options.lengths, b, keys));
    int64_t begin = options.range.begin(seen);
    std::vector<int32_t> list(options.range.end(seen) - begin);
    std::iota(list.begin(), list.end(), static_cast<int32_t>(begin));
    return list;
  };
}

AttentionResult DenseAttention(const AttentionOperands& operands,
                               const DenseAttentionOptions& options) {
  return AttendToLists(operands,
                       {options.scale, options.num_threads, options.rounding},
                       VisibleKeyLists(operands, options));
}

}  // namespace gsa::reference
