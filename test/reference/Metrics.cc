//===- Metrics.cc - what a selection looks like ---------------------------===//

#include "test/reference/Metrics.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "test/reference/Gate.h"
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

/// What one row contributes to AttentionMass, summed over its heads. By key:
/// of the keys that the row sees.
struct RowMass {
  bool measured = false;
  double kept = 0.0, first_dense = 0.0, first_sparse = 0.0;
  std::vector<double> dense, sparse, dense_gated, sparse_gated;
};

/// The softmax of `logits` over the keys of `list`, at the place of each key;
/// 0 elsewhere. The shift is the list's largest, not that of all logits, which
/// may underflow.
void SoftmaxOver(const std::vector<double>& logits, const List& list,
                 std::vector<double>* weights) {
  weights->assign(logits.size(), 0.0);
  double max = -kInfinity, sum = 0.0;
  for (int32_t s : list) max = std::max(max, logits[s]);
  for (int32_t s : list) sum += (*weights)[s] = std::exp(logits[s] - max);
  for (int32_t s : list) (*weights)[s] /= sum;
}

/// Measures rows of MassOperands.
class MassMeter {
 public:
  MassMeter(const MassOperands& operands, const AttentionMassOptions& options)
      : operands_(operands), options_(options) {
    const Tensor<double>&query = operands.query, &key = operands.key;
    RequireRank("query", query, 4);
    RequireRank("key", key, 4);
    rows_ = static_cast<int64_t>(operands.rows.size());
    heads_ = query.dim(2);
    groups_ = key.dim(2);
    RequireShape("query", query, {query.dim(0), rows_, heads_, query.dim(3)});
    RequireShape("key", key, {query.dim(0), key.dim(1), groups_, query.dim(3)});
    Require(groups_ >= 1 && heads_ >= 1 && heads_ % groups_ == 0,
            "query heads are no multiple of key heads");
    if (operands.indices) {
      RequireShape("counts", *operands.counts, {query.dim(0), rows_});
      lists_ = SortedLists(*operands.indices, *operands.counts);
    }
    if (operands.value_gate)
      RequireShape("value gate", *operands.value_gate,
                   {query.dim(0), key.dim(1), groups_});
    if (operands.output_gate)
      RequireShape("output gate", *operands.output_gate,
                   {query.dim(0), rows_, heads_});
    scale_ = options.scale.value_or(1.0 / std::sqrt(double(query.dim(3))));
  }

  AttentionMass Run() {
    int64_t keys = operands_.key.dim(1);
    for (std::vector<double>* by_key : ByKey(&result_)) by_key->resize(keys);
    result_.rows_seeing.resize(keys);
    result_.kept_min = 1.0;
    // So many rows at a time: each holds a few numbers per key.
    constexpr int64_t kRowsAtOnce = 32;
    int64_t all = operands_.query.dim(0) * rows_;
    for (int64_t first = 0; first < all; first += kRowsAtOnce) {
      std::vector<RowMass> masses(std::min(kRowsAtOnce, all - first));
      ParallelFor(
          static_cast<int64_t>(masses.size()), options_.num_threads,
          [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i)
              masses[i] = Measure(first + i);
          },
          /*piece=*/1);
      for (const RowMass& mass : masses) Add(mass);
    }
    Finish();
    return result_;
  }

 private:
  bool sparse() const { return operands_.indices != nullptr; }
  bool gated() const { return operands_.value_gate || operands_.output_gate; }

  /// The vectors by key that these operands have, in the order of Parts.
  std::vector<std::vector<double>*> ByKey(AttentionMass* mass) const {
    std::vector<std::vector<double>*> all = {&mass->dense_by_key};
    if (sparse()) all.push_back(&mass->sparse_by_key);
    if (gated()) all.push_back(&mass->dense_gated_by_key);
    if (sparse() && gated()) all.push_back(&mass->sparse_gated_by_key);
    return all;
  }
  std::vector<const std::vector<double>*> Parts(const RowMass& mass) const {
    std::vector<const std::vector<double>*> all = {&mass.dense};
    if (sparse()) all.push_back(&mass.sparse);
    if (gated()) all.push_back(&mass.dense_gated);
    if (sparse() && gated()) all.push_back(&mass.sparse_gated);
    return all;
  }

  /// `i` counts the measured rows of all sequences.
  RowMass Measure(int64_t i) const {
    const Tensor<double>&query = operands_.query, &key = operands_.key;
    int64_t b = i / rows_, r = i % rows_, depth = query.dim(3);
    int64_t seen = VisibleKeys(options_.mask, operands_.rows[r],
                               operands_.queries, key.dim(1));
    RowMass mass;
    if (seen == 0) return mass;
    mass.measured = true;
    mass.dense.resize(seen);
    if (sparse()) mass.sparse.resize(seen);
    if (gated()) mass.dense_gated.resize(seen);
    if (sparse() && gated()) mass.sparse_gated.resize(seen);
    List list, everything(seen);
    std::iota(everything.begin(), everything.end(), 0);
    if (sparse()) list = lists_[i];
    std::erase_if(list, [&](int32_t s) { return s >= seen; });
    std::vector<double> logits(seen), dense, selected;
    for (int64_t j = 0; j < heads_; ++j) {
      int64_t g = j / (heads_ / groups_);
      for (int64_t s = 0; s < seen; ++s) {
        logits[s] =
            scale_ * Dot(query.Slice(b, r, j), key.Slice(b, s, g), depth);
      }
      SoftmaxOver(logits, everything, &dense);
      for (int32_t s : list) mass.kept += dense[s];
      mass.first_dense += dense[0];
      AddHead(b, r, j, dense, &mass.dense, &mass.dense_gated);
      if (!sparse()) continue;
      SoftmaxOver(logits, list, &selected);
      mass.first_sparse += selected[0];
      AddHead(b, r, j, selected, &mass.sparse, &mass.sparse_gated);
    }
    return mass;
  }

  /// Adds the weights of head `j`, plain and gated.
  void AddHead(int64_t b, int64_t r, int64_t j,
               const std::vector<double>& weights, std::vector<double>* plain,
               std::vector<double>* gated_sum) const {
    AddScaled(1.0, weights.data(), plain->data(), weights.size());
    if (!gated()) return;
    int64_t g = j / (heads_ / groups_);
    double out =
        operands_.output_gate ? operands_.output_gate->Slice(b, r)[j] : 1.0;
    for (size_t s = 0; s < weights.size(); ++s) {
      double in =
          operands_.value_gate ? operands_.value_gate->Slice(b, s)[g] : 1.0;
      (*gated_sum)[s] += weights[s] * in * out;
    }
  }

  void Add(const RowMass& mass) {
    if (!mass.measured) return;
    double heads = static_cast<double>(heads_);
    ++result_.rows;
    result_.kept_mean += mass.kept / heads;
    // Once NaN, it stays: std::min would pass it over.
    double kept = mass.kept / heads;
    if (std::isnan(kept) || kept < result_.kept_min) result_.kept_min = kept;
    result_.first_token_dense += mass.first_dense / heads;
    result_.first_token_sparse += mass.first_sparse / heads;
    int64_t seen = static_cast<int64_t>(mass.dense.size());
    for (int64_t s = 0; s < seen; ++s) ++result_.rows_seeing[s];
    std::vector<std::vector<double>*> sums = ByKey(&result_);
    std::vector<const std::vector<double>*> parts = Parts(mass);
    for (size_t i = 0; i < sums.size(); ++i)
      AddScaled(1.0 / heads, parts[i]->data(), sums[i]->data(), seen);
  }

  void Finish() {
    if (result_.rows == 0) {
      result_ = AttentionMass();
      return;
    }
    result_.kept_mean /= result_.rows;
    result_.first_token_dense /= result_.rows;
    result_.first_token_sparse /= result_.rows;
    for (std::vector<double>* by_key : ByKey(&result_)) {
      for (size_t s = 0; s < by_key->size(); ++s)
        (*by_key)[s] /= std::max<int64_t>(result_.rows_seeing[s], 1);
    }
  }

  const MassOperands& operands_;
  const AttentionMassOptions& options_;
  int64_t rows_, heads_, groups_;
  double scale_;
  std::vector<List> lists_;
  AttentionMass result_;
};

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

AttentionMass MeasureAttentionMass(const MassOperands& operands,
                                   const AttentionMassOptions& options) {
  return MassMeter(operands, options).Run();
}

AttentionMass MeasureAttentionMass(const Tensor<double>& query,
                                   const Tensor<double>& key,
                                   const Tensor<int32_t>& indices,
                                   const Tensor<int32_t>& counts,
                                   const AttentionMassOptions& options) {
  RequireRank("query", query, 4);
  Require(options.row_stride >= 1, "row_stride is not positive");
  RequireShape("counts", counts, {query.dim(0), query.dim(1)});
  RequireShape("indices", indices,
               {query.dim(0), query.dim(1), indices.dim(2)});
  std::vector<int64_t> rows;
  for (int64_t t = 0; t < query.dim(1); t += options.row_stride)
    rows.push_back(t);
  Tensor<double> sampled = TakeRows(query, rows);
  Tensor<int32_t> lists = TakeRows(indices, rows);
  Tensor<int32_t> lengths = TakeRows(counts, rows);
  return MeasureAttentionMass(
      {sampled, key, rows, query.dim(1), &lists, &lengths}, options);
}

std::vector<int64_t> SampledRows(int64_t rows, int64_t count) {
  std::vector<int64_t> sampled;
  if (count < 1) return sampled;
  int64_t stride = std::max<int64_t>(1, rows / count);
  for (int64_t t = 0; t < rows; t += stride) sampled.push_back(t);
  return sampled;
}

GateStatistics MeasureGate(const Tensor<double>& logits,
                           GateActivation activation) {
  GateStatistics statistics;
  int64_t closed = 0;
  for (double logit : logits.values()) {
    double open = Activate(activation, logit);
    statistics.mean += open;
    closed += open < kClosedGate;
  }
  statistics.elements = logits.size();
  if (statistics.elements == 0) return statistics;
  statistics.mean /= static_cast<double>(statistics.elements);
  statistics.share_closed =
      static_cast<double>(closed) / static_cast<double>(statistics.elements);
  return statistics;
}

Tensor<double> GateMeans(const Tensor<double>& logits,
                         GateActivation activation) {
  Require(logits.rank() == 3 || logits.rank() == 4,
          "gate logits have shape " + ShapeToString(logits.shape()) +
              ", expected [B, S, H, D] or [B, S, H]");
  Tensor<double> means({logits.dim(0), logits.dim(1), logits.dim(2)});
  int64_t depth = logits.rank() == 4 ? logits.dim(3) : 1;
  for (int64_t i = 0; i < logits.size(); ++i)
    means[i / depth] += Activate(activation, logits[i]) / double(depth);
  return means;
}

}  // namespace gsa::reference
