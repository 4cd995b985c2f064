//===- TopK.cc - indices of the k best cells of a row ---------------------===//
//
// Of the n visible cells (greater than -inf; a NaN is not) the c = min(k, n)
// best are kept. One cell is better than another if
//
//   it is forced and the other is not, else
//   its score is larger (+0 equals -0), both not forced, else
//   its index is smaller.
//
//===----------------------------------------------------------------------===//

#include "test/reference/TopK.h"

#include <algorithm>
#include <cmath>

#include "test/reference/RowStatistics.h"

namespace gsa::reference {

void CheckTopKOptions(const TopKOptions& options) {
  Require(1 <= options.slots && options.slots <= int64_t{1} << 30,
          "slots is " + std::to_string(options.slots) + ", expected 1 to 2^30");
  Require(options.sink >= 0 && options.local >= 0,
          "sink is " + std::to_string(options.sink) + " and local is " +
              std::to_string(options.local) +
              ", expected numbers that are not negative");
  Require(options.order == IndexOrder::kIndex ||
              (options.sink == 0 && options.local == 0),
          "order by score needs sink = local = 0");
}

std::vector<int32_t> ForcedKeys(std::span<const double> row, int64_t sink,
                                int64_t local) {
  int64_t size = static_cast<int64_t>(row.size());
  int64_t last = size - 1;
  while (last >= 0 && !IsVisible(row[last])) --last;
  std::vector<int32_t> forced;
  for (int64_t s = 0; s <= last; ++s) {
    bool in_reach = s < sink || last - s < local;
    if (in_reach && IsVisible(row[s])) {
      forced.push_back(static_cast<int32_t>(s));
    }
  }
  return forced;
}

std::vector<int32_t> TopKRow(std::span<const double> row, int64_t k,
                             const TopKOptions& options) {
  std::vector<int32_t> kept = ForcedKeys(row, options.sink, options.local);
  std::vector<int32_t> others;
  size_t next_forced = 0;
  for (size_t s = 0; s < row.size(); ++s) {
    if (next_forced < kept.size() &&
        kept[next_forced] == static_cast<int32_t>(s)) {
      ++next_forced;
    } else if (IsVisible(row[s])) {
      others.push_back(static_cast<int32_t>(s));
    }
  }
  int64_t visible = static_cast<int64_t>(kept.size() + others.size());
  size_t count = std::max<int64_t>(0, std::min({k, options.slots, visible}));

  auto better = [&](int32_t a, int32_t b) {
    return row[a] > row[b] || (row[a] == row[b] && a < b);
  };
  if (count <= kept.size()) {
    kept.resize(count);
  } else {
    auto end = others.begin() + (count - kept.size());
    std::partial_sort(others.begin(), end, others.end(), better);
    kept.insert(kept.end(), others.begin(), end);
  }
  if (options.order == IndexOrder::kIndex) std::sort(kept.begin(), kept.end());
  return kept;
}

int32_t CountNan(std::span<const double> row) {
  return static_cast<int32_t>(std::count_if(
      row.begin(), row.end(), [](double score) { return std::isnan(score); }));
}

TopKResult TopK(const Tensor<double>& scores, const Tensor<int32_t>& k,
                const TopKOptions& options) {
  RequireRank("scores", scores, 3);
  int64_t batch = scores.dim(0), queries = scores.dim(1), keys = scores.dim(2);
  RequireShape("k", k, {batch, queries});
  CheckTopKOptions(options);
  TopKResult result{Tensor<int32_t>({batch, queries, options.slots}, -1),
                    Tensor<int32_t>({batch, queries}),
                    Tensor<int32_t>({batch, queries})};
  for (int64_t i = 0; i < batch * queries; ++i) {
    std::span<const double> row(scores.data() + i * keys, keys);
    std::vector<int32_t> kept = TopKRow(row, k[i], options);
    std::copy(kept.begin(), kept.end(),
              result.indices.data() + i * options.slots);
    result.counts[i] = static_cast<int32_t>(kept.size());
    result.status[i] = CountNan(row);
  }
  return result;
}

}  // namespace gsa::reference
