//===- Select.cc - fused selection ----------------------------------------===//
//
// For each row: scores, statistic, budget, indices. Equal to the single
// operators, but only one row of scores exists at a time. The policy
// upstream_variance without a normaliser needs the statistics of all rows
// before the first budget: its scores are computed twice.
//
//===----------------------------------------------------------------------===//

#include "test/reference/Select.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "test/reference/AdaptiveK.h"
#include "test/reference/Parallel.h"
#include "test/reference/RowStatistics.h"
#include "test/reference/StatMean.h"
#include "test/reference/TopK.h"

namespace gsa::reference {
namespace {

using RowBody = std::function<void(int64_t, const std::vector<double>&)>;

/// Calls body(b * Sq + t, scores) for each row.
void ForEachScoreRow(const IndexOperands& operands,
                     const SelectOptions& options, const RowBody& body) {
  IndexScoresOptions score_options = options.ScoreOptions();
  int64_t batch = operands.query.dim(0), queries = operands.query.dim(1);
  ParallelFor(
      batch * queries, options.num_threads, [&](int64_t begin, int64_t end) {
        std::vector<double> row;
        for (int64_t i = begin; i < end; ++i) {
          ScoreRow(operands, score_options, i / queries, i % queries, &row);
          body(i, row);
        }
      });
}

void CheckOptions(const IndexOperands& operands, const SelectOptions& options,
                  const TopKOptions& topk_options) {
  CheckIndexOperands(operands, options.ScoreOptions());
  CheckPolicy(options.policy);
  CheckTopKOptions(topk_options);
  Require(!options.normaliser || options.policy.UsesNormaliser(),
          "the policy takes no normaliser");
  Require(options.normaliser || options.policy.kind != KPolicyKind::kPaperEma,
          "the policy paper_ema needs a normaliser");
}

}  // namespace

IndexScoresOptions SelectOptions::ScoreOptions() const {
  return {scale, score_activation, weight_activation, mask, num_threads, range};
}

SelectResult Select(const IndexOperands& operands,
                    const SelectOptions& options) {
  const KPolicy& policy = options.policy;
  TopKOptions topk{policy.Slots(), options.sink, options.local,
                   IndexOrder::kIndex};
  CheckOptions(operands, options, topk);
  RowStatisticsOptions statistic_options = StatisticOf(policy);
  const Range held(options.range);

  Shape rows = {operands.query.dim(0), operands.query.dim(1)};
  SelectResult result;
  result.indices = Tensor<int32_t>({rows[0], rows[1], topk.slots}, -1);
  result.counts = result.status = result.visible = result.k =
      Tensor<int32_t>(rows);
  result.statistic = result.raw = Tensor<double>(rows);

  if (policy.UsesNormaliser()) {
    if (!options.normaliser) {
      ForEachScoreRow(
          operands, options, [&](int64_t i, const std::vector<double>& row) {
            result.statistic[i] = held(RowStatistic(row, statistic_options));
          });
    }
    result.normaliser = options.normaliser.value_or(StatMean(result.statistic));
  }

  ForEachScoreRow(
      operands, options, [&](int64_t i, const std::vector<double>& row) {
        int64_t visible = CountVisible(row);
        if (policy.UsesStatistic()) {
          result.statistic[i] = held(RowStatistic(row, statistic_options));
        }
        result.visible[i] = static_cast<int32_t>(visible);
        result.raw[i] =
            RawBudget(policy, visible, result.statistic[i], result.normaliser);
        result.k[i] = FinalBudget(policy, visible, result.raw[i]);
        std::vector<int32_t> kept = TopKRow(row, result.k[i], topk);
        std::copy(kept.begin(), kept.end(),
                  result.indices.data() + i * topk.slots);
        result.counts[i] = static_cast<int32_t>(kept.size());
        result.status[i] = CountNan(row);
      });
  return result;
}

}  // namespace gsa::reference
