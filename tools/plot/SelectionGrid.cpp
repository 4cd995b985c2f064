//===- SelectionGrid.cpp - selections counted in cells --------------------===//

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/core/status_macros.h"
#include "runtime/core/tensor.h"
#include "tools/plot/SelectionPlot.h"

namespace gsa::plot {
namespace {

/// More cells than this along one side are no longer seen apart.
constexpr int64_t kMostBins = 640;
/// The shorter side keeps the longer one's bins while it has so many of them.
constexpr int64_t kFewBins = 160;

absl::Status check(const SelectionPattern& p, int64_t batchIndex) {
  if (p.queries < 1 || p.keys < 1 || p.batch < 1 || p.slots < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "plot: got batch ", p.batch, ", ", p.queries, " queries, ", p.keys,
        " keys, ", p.slots, " slots, expected positive sizes"));
  }
  if (batchIndex < 0 || batchIndex >= p.batch) {
    return absl::InvalidArgumentError(
        absl::StrCat("plot: got batch element ", batchIndex, ", expected 0 to ",
                     p.batch - 1));
  }
  GSA_ASSIGN_OR_RETURN(int64_t rows, CheckedNumElements({p.batch, p.queries}));
  GSA_ASSIGN_OR_RETURN(int64_t entries,
                       CheckedNumElements({p.batch, p.queries, p.slots}));
  if (static_cast<int64_t>(p.indices.size()) != entries ||
      static_cast<int64_t>(p.counts.size()) != rows) {
    return absl::InvalidArgumentError(absl::StrCat(
        "plot: got ", p.indices.size(), " indices and ", p.counts.size(),
        " counts, expected ", entries, " and ", rows));
  }
  return absl::OkStatus();
}

/// The keys of row `t`, checked.
absl::StatusOr<absl::Span<const int32_t>> rowOf(const SelectionPattern& p,
                                                int64_t batchIndex, int64_t t) {
  int64_t row = batchIndex * p.queries + t;
  int32_t count = p.counts[row];
  if (count < 0 || count > p.slots) {
    return absl::InvalidArgumentError(absl::StrCat(
        "plot: query ", t, ": got count ", count, ", expected 0 to ", p.slots));
  }
  absl::Span<const int32_t> keys = p.indices.subspan(row * p.slots, count);
  for (int32_t i = 0; i < count; ++i) {
    if (keys[i] >= 0 && keys[i] < p.keys) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("plot: query ", t, ", slot ", i, ": got key ", keys[i],
                     ", expected 0 to ", p.keys - 1));
  }
  return keys;
}

/// First key that the causal mask hides from query `t`, at least 0.
int64_t firstHidden(const SelectionPattern& p, int64_t t) {
  return std::max<int64_t>(0, t + p.keys - p.queries + 1);
}

void chooseBins(const SelectionPattern& p, SelectionGrid* grid) {
  int64_t longest = std::max(p.queries, p.keys);
  int64_t common = (longest + kMostBins - 1) / kMostBins;
  auto bins = [&](int64_t size) {
    int64_t own = (size + kMostBins - 1) / kMostBins;
    return Bins{size, size / common >= kFewBins ? common : own};
  };
  grid->queries = bins(p.queries);
  grid->keys = bins(p.keys);
}

}  // namespace

absl::StatusOr<SelectionGrid> countPairs(const SelectionPattern& pattern,
                                         int64_t batchIndex) {
  GSA_RETURN_IF_ERROR(check(pattern, batchIndex));
  SelectionGrid grid;
  chooseBins(pattern, &grid);
  int64_t columns = grid.keys.count(), rows = grid.queries.count();
  grid.selected.resize(rows * columns);
  grid.visible.resize(rows * columns);
  grid.budget.resize(rows);
  grid.least = pattern.slots;
  for (int64_t t = 0; t < pattern.queries; ++t) {
    GSA_ASSIGN_OR_RETURN(absl::Span<const int32_t> keys,
                         rowOf(pattern, batchIndex, t));
    int64_t bin = t / grid.queries.perBin;
    for (int32_t key : keys) {
      ++grid.selected[bin * columns + key / grid.keys.perBin];
      grid.isFull |= key >= firstHidden(pattern, t);
    }
    auto count = static_cast<int64_t>(keys.size());
    grid.budget[bin] += static_cast<double>(count);
    grid.mean += static_cast<double>(count);
    grid.least = std::min(grid.least, count);
    grid.most = std::max(grid.most, count);
  }
  grid.mean /= static_cast<double>(pattern.queries);
  for (int64_t t = 0; t < pattern.queries; ++t) {
    int64_t limit = grid.isFull ? pattern.keys : firstHidden(pattern, t);
    int64_t* row = &grid.visible[t / grid.queries.perBin * columns];
    for (int64_t c = 0; c < columns; ++c) {
      int64_t first = c * grid.keys.perBin;
      int64_t end = std::min(first + grid.keys.perBin, pattern.keys);
      row[c] += std::max<int64_t>(0, std::min(end, limit) - first);
    }
  }
  for (int64_t r = 0; r < rows; ++r)
    grid.budget[r] /= static_cast<double>(std::min(
        grid.queries.perBin, pattern.queries - r * grid.queries.perBin));
  for (size_t i = 0; i < grid.selected.size(); ++i)
    if (grid.visible[i] > 0)
      grid.largestShare =
          std::max(grid.largestShare, static_cast<double>(grid.selected[i]) /
                                          static_cast<double>(grid.visible[i]));
  return grid;
}

}  // namespace gsa::plot
