//===- Compare.cc - is a tested result right? -----------------------------===//

#include "test/reference/Compare.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>

#include "test/reference/AdaptiveK.h"
#include "test/reference/Math.h"
#include "test/reference/RowStatistics.h"
#include "test/reference/TopK.h"

namespace gsa::reference {
namespace {

/// "a, b, c" of streamable values, with enough digits to tell scores apart.
template <typename... Parts>
std::string Text(const Parts&... parts) {
  std::ostringstream stream;
  stream.precision(12);
  (stream << ... << parts);
  return stream.str();
}

/// The counts that a row may have.
struct CountRange {
  int64_t low, exact, high;
};

CountRange AcceptedCounts(const RowReference& reference,
                          const SelectionTolerance& tolerance) {
  int64_t visible = CountVisible(reference.scores);
  double slack = 0.0;
  if (reference.policy.kind != KPolicyKind::kFixed) {
    slack = std::min(0.49,
                     tolerance.budget_absolute +
                         tolerance.budget_relative * std::abs(reference.raw)) +
            tolerance.budget_rounding;
  }
  auto count_of = [&](double raw) {
    return std::min<int64_t>(FinalBudget(reference.policy, visible, raw),
                             reference.slots);
  };
  CountRange counts{count_of(reference.raw - slack), count_of(reference.raw),
                    count_of(reference.raw + slack)};
  if (tolerance.rounded_raw) {
    int64_t rounded = count_of(*tolerance.rounded_raw);
    counts.low = std::min(counts.low, rounded);
    counts.high = std::max(counts.high, rounded);
  }
  return counts;
}

/// Checks what needs no scores but visibility: entries, order and tail.
/// Returns an empty string or what is wrong.
std::string CheckEntries(std::span<const double> scores,
                         std::span<const int32_t> indices, int32_t count,
                         const SelectionTolerance& tolerance) {
  std::vector<bool> seen(scores.size(), false);
  for (int32_t i = 0; i < count; ++i) {
    int32_t s = indices[i];
    if (s < 0 || s >= static_cast<int64_t>(scores.size())) {
      return Text("entry ", i, " is ", s, ", expected 0 to ",
                  static_cast<int64_t>(scores.size()) - 1);
    }
    if (!IsVisible(scores[s])) {
      return Text("entry ", i, " is key ", s, ", which is not visible (score ",
                  scores[s], ")");
    }
    if (seen[s]) return Text("key ", s, " is listed twice");
    seen[s] = true;
    if (tolerance.ascending && i > 0 && s < indices[i - 1]) {
      return Text("key ", s, " follows key ", indices[i - 1],
                  ", expected ascending keys");
    }
  }
  for (size_t i = count; tolerance.tail && i < indices.size(); ++i) {
    if (indices[i] != -1) {
      return Text("entry ", i, " beyond the count is ", indices[i],
                  ", expected -1");
    }
  }
  return "";
}

/// Judges which keys are listed, given that the entries and the count are
/// right. Sets the gap; returns an empty string or what is wrong.
std::string CheckKeys(const RowReference& reference,
                      std::span<const int32_t> list, double margin,
                      double* gap) {
  std::vector<bool> listed(reference.scores.size(), false);
  for (int32_t s : list) listed[s] = true;

  std::vector<int32_t> forced =
      ForcedKeys(reference.scores, reference.sink, reference.local);
  size_t kept_forced = std::min(forced.size(), list.size());
  std::vector<bool> is_forced(reference.scores.size(), false);
  for (size_t i = 0; i < forced.size(); ++i) {
    is_forced[forced[i]] = true;
    if (listed[forced[i]] != (i < kept_forced)) {
      return Text("forced key ", forced[i],
                  listed[forced[i]] ? " is" : " is not", " listed");
    }
  }

  std::vector<double> others;
  for (size_t s = 0; s < reference.scores.size(); ++s) {
    if (!is_forced[s] && IsVisible(reference.scores[s])) {
      others.push_back(reference.scores[s]);
    }
  }
  size_t free = list.size() - kept_forced;
  if (free == 0 || free == others.size()) return "";
  std::nth_element(others.begin(), others.begin() + (free - 1), others.end(),
                   std::greater<>());
  double threshold = others[free - 1];
  // How far rounding must go before a finite score is as good as an infinite.
  double end = reference.type.OverflowThreshold();
  auto held = [end](double score) { return std::min(score, end); };

  std::string error;
  for (size_t s = 0; s < reference.scores.size(); ++s) {
    double score = reference.scores[s];
    if (is_forced[s] || !IsVisible(score)) continue;
    double miss = listed[s] ? held(threshold) - held(score)
                            : held(score) - held(threshold);
    // Equal infinities have no distance.
    if (score == threshold || miss <= 0) continue;
    *gap = std::max(*gap, miss);
    if (miss > margin && error.empty()) {
      error =
          Text("key ", s, listed[s] ? " is" : " is not", " listed, its score ",
               score, " is ", miss, listed[s] ? " below" : " above",
               " the threshold ", threshold, ", expected at most ", margin);
    }
  }
  return error;
}

}  // namespace

double TensorError::Relative() const {
  return max_abs == 0.0 ? 0.0 : max_abs / max_reference;
}

bool TensorError::Within(double absolute, double relative) const {
  return mismatches == 0 && max_abs <= absolute + relative * max_reference;
}

std::string TensorError::ToString() const {
  return Text("max abs error ", max_abs, " (", Relative(),
              " of max |reference| ", max_reference, ") at flat index ", worst,
              ", ", mismatches, " mismatched infinities or NaN");
}

TensorError CompareTensors(const Tensor<double>& tested,
                           const Tensor<double>& reference) {
  RequireShape("tested tensor", tested, reference.shape());
  TensorError error;
  for (int64_t i = 0; i < reference.size(); ++i) {
    double a = tested[i], b = reference[i];
    if (std::isfinite(b)) {
      error.max_reference = std::max(error.max_reference, std::abs(b));
    }
    if (std::isfinite(a) && std::isfinite(b)) {
      if (std::abs(a - b) <= error.max_abs) continue;
      error.max_abs = std::abs(a - b);
      if (error.mismatches == 0) error.worst = i;
    } else if (a != b && !(std::isnan(a) && std::isnan(b))) {
      if (error.mismatches++ == 0) error.worst = i;
    }
  }
  return error;
}

RowVerdict CompareRow(const RowReference& reference,
                      std::span<const int32_t> indices, int32_t count,
                      const SelectionTolerance& tolerance) {
  CountRange counts = AcceptedCounts(reference, tolerance);
  RowVerdict result;
  result.verdict = Verdict::kWrong;
  result.count_difference = count - counts.exact;
  if (count < 0 || count > static_cast<int64_t>(indices.size())) {
    result.message =
        Text("count is ", count, ", expected 0 to ", indices.size());
    return result;
  }
  result.message = CheckEntries(reference.scores, indices, count, tolerance);
  if (!result.message.empty()) return result;
  std::span<const int32_t> list = indices.first(count);
  result.message =
      CheckKeys(reference, list, tolerance.score_margin, &result.score_gap);
  if (count < counts.low || count > counts.high) {
    result.message = Text("count is ", count, ", expected ", counts.exact,
                          " (raw budget ", reference.raw, ", accepted ",
                          counts.low, " to ", counts.high, ")");
  }
  if (!result.message.empty()) return result;

  TopKOptions topk{reference.slots, reference.sink, reference.local,
                   IndexOrder::kIndex};
  std::vector<int32_t> expected = TopKRow(reference.scores, counts.exact, topk);
  std::vector<int32_t> keys(list.begin(), list.end());
  std::sort(keys.begin(), keys.end());
  if (keys == expected) {
    result.verdict = Verdict::kIdentical;
    return result;
  }
  result.verdict = Verdict::kLegal;
  result.message = Text("count differs by ", result.count_difference,
                        ", scores by ", result.score_gap);
  return result;
}

std::optional<std::vector<int32_t>> OtherLegalList(
    const RowReference& reference, const SelectionTolerance& tolerance) {
  CountRange counts = AcceptedCounts(reference, tolerance);
  std::span<const double> scores = reference.scores;
  TopKOptions topk{reference.slots, reference.sink, reference.local,
                   IndexOrder::kIndex};
  if (counts.high != counts.exact) return TopKRow(scores, counts.high, topk);
  if (counts.low != counts.exact) return TopKRow(scores, counts.low, topk);

  std::vector<int32_t> list = TopKRow(scores, counts.exact, topk);
  std::vector<int32_t> forced =
      ForcedKeys(scores, reference.sink, reference.local);
  std::vector<bool> fixed(scores.size(), false), listed(scores.size(), false);
  for (int32_t s : forced) fixed[s] = true;
  for (int32_t s : list) listed[s] = true;
  int32_t worst = -1, best = -1;
  for (int32_t s = 0; s < static_cast<int32_t>(scores.size()); ++s) {
    if (fixed[s] || !IsVisible(scores[s])) continue;
    int32_t& extreme = listed[s] ? worst : best;
    bool further = extreme < 0 || (listed[s] ? scores[s] <= scores[extreme]
                                             : scores[s] > scores[extreme]);
    if (further) extreme = s;
  }
  double end = reference.type.OverflowThreshold();
  if (worst < 0 || best < 0 ||
      !(std::min(scores[worst], end) - std::min(scores[best], end) <=
        tolerance.score_margin))
    return std::nullopt;
  std::replace(list.begin(), list.end(), worst, best);
  std::sort(list.begin(), list.end());
  return list;
}

std::string SelectionReport::ToString() const {
  std::string text = Text(rows, " rows: ", identical, " identical, ", legal,
                          " legal, ", wrong, " wrong; ", count_differences,
                          " with another count, max score gap ", max_score_gap);
  for (const std::string& error : errors) text += "\n  " + error;
  return text;
}

SelectionReport CompareSelections(const IndexOperands& operands,
                                  const SelectOptions& options,
                                  const SelectResult& reference,
                                  const Tensor<int32_t>& indices,
                                  const Tensor<int32_t>& counts,
                                  const SelectionTolerance& tolerance) {
  constexpr size_t kMaxErrors = 8;
  CheckIndexOperands(operands, options.ScoreOptions());
  RequireShape("tested indices", indices, reference.indices.shape());
  RequireShape("tested counts", counts, reference.counts.shape());
  int64_t queries = indices.dim(1), slots = indices.dim(2);
  SelectionReport report;
  std::vector<double> scores;
  for (int64_t i = 0; i < counts.size(); ++i) {
    ++report.rows;
    const int32_t* tested = indices.data() + i * slots;
    const int32_t* expected = reference.indices.data() + i * slots;
    if (counts[i] == reference.counts[i] &&
        std::equal(tested, tested + slots, expected)) {
      ++report.identical;
      continue;
    }
    int64_t b = i / queries, t = i % queries;
    ScoreRow(operands, options.ScoreOptions(), b, t, &scores);
    RowReference row{scores,       options.policy, reference.raw[i], slots,
                     options.sink, options.local,  options.range};
    RowVerdict verdict = CompareRow(row, {tested, static_cast<size_t>(slots)},
                                    counts[i], tolerance);
    report.identical += verdict.verdict == Verdict::kIdentical;
    report.legal += verdict.verdict == Verdict::kLegal;
    report.wrong += verdict.verdict == Verdict::kWrong;
    report.count_differences += verdict.count_difference != 0;
    report.max_score_gap = std::max(report.max_score_gap, verdict.score_gap);
    if (verdict.verdict == Verdict::kWrong &&
        report.errors.size() < kMaxErrors) {
      report.errors.push_back(
          Text("batch ", b, " query ", t, ": ", verdict.message));
    }
  }
  return report;
}

}  // namespace gsa::reference
