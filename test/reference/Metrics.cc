//===- Metrics.cc - what a selection looks like ---------------------------===//

#include "test/reference/Metrics.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "test/reference/Math.h"
#include "test/reference/Parallel.h"

namespace gsa::reference {
namespace {

using List = std::vector<int32_t>;

/// The lists of all rows, ascending and without repetitions.
std::vector<List> SortedLists(const Tensor<int32_t>& indices,
                              const Tensor<int32_t>& counts) {
  RequireRank("indices", indices, 3);
  int64_t slots = indices.dim(2);
  RequireShape("counts", counts, {indices.dim(0), indices.dim(1)});
  std::vector<List> lists;
  for (int64_t row = 0; row < counts.size(); ++row) {
    Require(counts[row] >= 0 && counts[row] <= slots,
            "count is " + std::to_string(counts[row]) + ", expected 0 to " +
                std::to_string(slots));
    const int32_t* begin = indices.data() + row * slots;
    List list(begin, begin + counts[row]);
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    Require(list.empty() || list[0] >= 0, "a selected index is negative");
    lists.push_back(std::move(list));
  }
  return lists;
}

void MeasureJaccard(const std::vector<List>& lists, int64_t queries,
                    SelectionStatistics* statistics) {
  double sum = 0.0;
  List common;
  for (size_t row = 0; row + 1 < lists.size(); ++row) {
    if ((row + 1) % queries == 0) continue;  // The next row starts a sequence.
    const List& a = lists[row];
    const List& b = lists[row + 1];
    if (a.empty() && b.empty()) continue;
    common.clear();
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(),
                          std::back_inserter(common));
    double either = static_cast<double>(a.size() + b.size() - common.size());
    sum += common.size() / either;
    ++statistics->pairs;
  }
  if (statistics->pairs) statistics->jaccard = sum / statistics->pairs;
}

TileUnion MeasureTiles(const std::vector<List>& lists, int64_t queries,
                       int64_t tile) {
  TileUnion result;
  result.tile = tile;
  int64_t keys = 0;
  for (const List& list : lists) {
    if (!list.empty()) keys = std::max<int64_t>(keys, list.back() + 1);
  }
  std::vector<int64_t> last_tile_of_key(keys, -1);
  int64_t batch = queries ? lists.size() / queries : 0, id = 0;
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t t = 0; t + tile <= queries; t += tile, ++id) {
      int64_t different = 0, total = 0;
      for (int64_t i = 0; i < tile; ++i) {
        const List& list = lists[b * queries + t + i];
        total += list.size();
        for (int32_t s : list) {
          different += last_tile_of_key[s] != id;
          last_tile_of_key[s] = id;
        }
      }
      if (total == 0) continue;
      ++result.tiles;
      result.mean_union += different;
      result.union_over_k += different * double(tile) / total;
    }
  }
  if (result.tiles) {
    result.mean_union /= result.tiles;
    result.union_over_k /= result.tiles;
  }
  return result;
}

/// What one row contributes to AttentionMass.
struct RowMass {
  bool measured = false;
  double kept = 0.0, first_dense = 0.0, first_sparse = 0.0;
};

/// `logits` of one head against the visible keys, of which `list` is selected.
void AddHead(const std::vector<double>& logits, const List& list,
             RowMass* mass) {
  double max = *std::max_element(logits.begin(), logits.end());
  double all = 0.0, selected = 0.0;
  for (double logit : logits) all += std::exp(logit - max);
  for (int32_t s : list) selected += std::exp(logits[s] - max);
  mass->kept += selected / all;
  mass->first_dense += std::exp(logits[0] - max) / all;
  // An empty list has no mass, and one with s = 0 starts with it. The shift by
  // the largest of all logits may underflow: then shift by the list's.
  if (list.empty() || list[0] != 0) return;
  double list_max = -kInfinity;
  for (int32_t s : list) list_max = std::max(list_max, logits[s]);
  double list_sum = 0.0;
  for (int32_t s : list) list_sum += std::exp(logits[s] - list_max);
  mass->first_sparse += std::exp(logits[0] - list_max) / list_sum;
}

}  // namespace

SelectionStatistics MeasureSelection(const Tensor<int32_t>& indices,
                                     const Tensor<int32_t>& counts) {
  std::vector<List> lists = SortedLists(indices, counts);
  SelectionStatistics statistics;
  statistics.rows = static_cast<int64_t>(lists.size());
  int64_t total = 0;
  for (size_t row = 0; row < lists.size(); ++row) {
    int64_t k = lists[row].size();
    total += k;
    statistics.min_k = row == 0 ? k : std::min(statistics.min_k, k);
    statistics.max_k = std::max(statistics.max_k, k);
  }
  if (statistics.rows) statistics.mean_k = double(total) / statistics.rows;
  MeasureJaccard(lists, indices.dim(1), &statistics);
  for (int64_t tile : {2, 4, 8, 16, 32, 64}) {
    statistics.unions.push_back(MeasureTiles(lists, indices.dim(1), tile));
  }
  return statistics;
}

AttentionMass MeasureAttentionMass(const Tensor<double>& query,
                                   const Tensor<double>& key,
                                   const Tensor<int32_t>& indices,
                                   const Tensor<int32_t>& counts,
                                   const AttentionMassOptions& options) {
  RequireRank("query", query, 4);
  RequireRank("key", key, 4);
  int64_t batch = query.dim(0), queries = query.dim(1), heads = query.dim(2);
  int64_t depth = query.dim(3), keys = key.dim(1), groups = key.dim(2);
  RequireShape("key", key, {batch, keys, groups, depth});
  Require(groups >= 1 && heads >= 1 && heads % groups == 0,
          "query heads are no multiple of key heads");
  RequireShape("counts", counts, {batch, queries});
  Require(options.row_stride >= 1, "row_stride is not positive");
  std::vector<List> lists = SortedLists(indices, counts);
  double scale = options.scale.value_or(1.0 / std::sqrt(double(depth)));
  int64_t sampled = (queries + options.row_stride - 1) / options.row_stride;

  std::vector<RowMass> masses(batch * sampled);
  ParallelFor(
      batch * sampled, options.num_threads, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          int64_t b = i / sampled, t = i % sampled * options.row_stride;
          int64_t seen = VisibleKeys(options.mask, t, queries, keys);
          if (seen == 0) continue;
          List list = lists[b * queries + t];
          std::erase_if(list, [&](int32_t s) { return s >= seen; });
          RowMass& mass = masses[i];
          mass.measured = true;
          std::vector<double> logits(seen);
          for (int64_t j = 0; j < heads; ++j) {
            int64_t g = j / (heads / groups);
            for (int64_t s = 0; s < seen; ++s) {
              logits[s] =
                  scale * Dot(query.Slice(b, t, j), key.Slice(b, s, g), depth);
            }
            AddHead(logits, list, &mass);
          }
        }
      });

  AttentionMass result;
  result.kept_min = 1.0;
  for (const RowMass& mass : masses) {
    if (!mass.measured) continue;
    ++result.rows;
    result.kept_mean += mass.kept / heads;
    result.kept_min = std::min(result.kept_min, mass.kept / heads);
    result.first_token_dense += mass.first_dense / heads;
    result.first_token_sparse += mass.first_sparse / heads;
  }
  if (result.rows == 0) return AttentionMass();
  result.kept_mean /= result.rows;
  result.first_token_dense /= result.rows;
  result.first_token_sparse /= result.rows;
  return result;
}

}  // namespace gsa::reference
