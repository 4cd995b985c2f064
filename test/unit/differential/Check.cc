//===- Check.cc - are the outputs of a module right? ----------------------===//

#include "test/unit/differential/Check.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <sstream>

#include "test/reference/AdaptiveK.h"
#include "test/reference/Compare.h"
#include "test/reference/DenseAttention.h"
#include "test/reference/Gate.h"
#include "test/reference/GatherAttention.h"
#include "test/reference/Math.h"
#include "test/reference/Rope.h"
#include "test/reference/StatMean.h"
#include "test/unit/differential/Bounds.h"

namespace gsa::differential {

using reference::AttentionOperands;
using reference::AttentionResult;
using reference::IndexOperands;
using Reals = reference::Tensor<double>;
using Ints = reference::Tensor<int32_t>;

std::string Findings::ToString() const {
  std::string text;
  for (const std::string& error : errors) text += "\n  " + error;
  return text;
}

namespace {

constexpr size_t kMaxErrors = 6;

template <typename... Parts>
std::string Text(const Parts&... parts) {
  std::ostringstream stream;
  stream.precision(10);
  (stream << ... << parts);
  return stream.str();
}

/// The indexer's operands and what the reference makes of its options.
struct Indexer {
  Reals query, key, weights, bias;
  Ints lengths;
  reference::SelectOptions options;
  bool has_weights, has_bias, has_lengths;

  IndexOperands operands() const {
    return {query, key, has_weights ? &weights : nullptr,
            has_bias ? &bias : nullptr, has_lengths ? &lengths : nullptr};
  }
};

class Checker {
 public:
  Checker(const Spec& spec, Workload workload, const Tensors& inputs,
          const Tensors& outputs)
      : spec_(spec),
        arithmetic_(spec.on_device()
                        ? DeviceArithmetic(spec.dtype,
                                           spec.schedules.one_pass.has_value())
                        : HostArithmetic(spec.acc())),
        workload_(workload),
        inputs_(inputs),
        outputs_(outputs) {}

  Findings Run() {
    switch (spec_.family) {
      case Family::kSelect:
      case Family::kFusable:
        CheckSelection(MakeIndexer());
        break;
      case Family::kSelectGather:
        CheckSelection(MakeIndexer());
        CheckGather(Int("indices"), Int("counts"));
        break;
      case Family::kBlock:
        CheckSelection(MakeIndexer());
        CheckBlock();
        break;
      case Family::kGather:
        CheckGather(AsInt32(inputs_.at("indices")),
                    AsInt32(inputs_.at("counts")));
        break;
      case Family::kDense:
        CheckDense();
        break;
      case Family::kUnfused:
        CheckScores(MakeIndexer());
        CheckChain();
        break;
      case Family::kIndexScores:
        CheckScores(MakeIndexer());
        break;
      case Family::kRowStatistics:
        CheckStatistics(In("scores"), spec_.statistics);
        break;
      case Family::kStatMean:
        CheckMean(In("statistic"));
        break;
      case Family::kAdaptiveK:
        CheckBudgets(AsInt32(inputs_.at("visible")),
                     inputs_.count("statistic") ? In("statistic") : Reals({1}));
        break;
      case Family::kTopK:
        CheckTopK(In("scores"), AsInt32(inputs_.at("k")), spec_.topk);
        break;
      case Family::kGate:
        CheckGate();
        break;
      case Family::kRope:
        CheckRope();
        break;
    }
    return std::move(findings_);
  }

 private:
  Reals In(const char* name) const { return AsDouble(inputs_.at(name)); }
  Reals Out(const char* name) const { return AsDouble(outputs_.at(name)); }
  Ints Int(const char* name) const { return AsInt32(outputs_.at(name)); }

  void Fail(const std::string& message) {
    if (findings_.errors.size() < kMaxErrors) {
      findings_.errors.push_back(message);
    }
  }
  void Fraction(double error, double bound) {
    if (bound > 0) {
      findings_.largest_fraction =
          std::max(findings_.largest_fraction, error / bound);
    }
  }

  void AddWorst(const char* output, double error, double share) {
    Findings::Worst& worst = findings_.worst[output];
    worst.relative_error = std::max(worst.relative_error, error);
    worst.share_of_bound = std::max(worst.share_of_bound, share);
  }

  /// |tested - reference| <= bound(i), the same infinities, NaN for NaN.
  template <typename Bound>
  void Compare(const char* name, const Reals& tested, const Reals& expected,
               Bound bound) {
    double scale = MaxAbs(expected);
    for (int64_t i = 0; i < expected.size(); ++i) {
      double a = tested[i], b = expected[i];
      if (std::isfinite(a) && std::isfinite(b)) {
        double allowed = bound(i);
        Fraction(std::abs(a - b), allowed);
        AddWorst(name, std::abs(a - b) / (scale > 0 ? scale : 1),
                 allowed > 0 ? std::abs(a - b) / allowed : 0);
        if (std::abs(a - b) <= allowed) continue;
        Fail(Text(name, "[", i, "] of ",
                  reference::ShapeToString(expected.shape()), " is ", a,
                  ", expected ", b, " +- ", allowed));
      } else if (a != b && !(std::isnan(a) && std::isnan(b))) {
        Fail(Text(name, "[", i, "] of ",
                  reference::ShapeToString(expected.shape()), " is ", a,
                  ", expected ", b));
      }
    }
  }
  void CompareExactly(const char* name, const Ints& tested,
                      const Ints& expected) {
    for (int64_t i = 0; i < expected.size(); ++i) {
      if (tested[i] == expected[i]) continue;
      Fail(Text(name, "[", i, "] of ",
                reference::ShapeToString(expected.shape()), " is ", tested[i],
                ", expected ", expected[i]));
    }
  }

  //===--------------------------------------------------------------------===//
  // Selection
  //===--------------------------------------------------------------------===//

  Indexer MakeIndexer() const {
    Indexer indexer;
    indexer.query = In("index_query");
    indexer.key = In("index_key");
    indexer.has_weights = spec_.weights;
    indexer.has_bias = spec_.bias;
    if (spec_.weights) indexer.weights = In("index_weights");
    if (spec_.bias) indexer.bias = In("index_bias");
    indexer.has_lengths = spec_.lengths;
    if (spec_.lengths) indexer.lengths = AsInt32(inputs_.at("lengths"));
    indexer.options = spec_.select;
    if (inputs_.count("normaliser")) {
      indexer.options.normaliser = In("normaliser")[0];
    }
    return indexer;
  }

  /// Whether binary32 computes the scores of this case without rounding.
  bool ExactScores() const {
    double scale = spec_.select.scale.value_or(1 / std::sqrt(double(spec_.di)));
    int exponent;
    bool power = scale == 0 || std::abs(std::frexp(scale, &exponent)) == 0.5;
    bool linear = !spec_.weights || spec_.select.weight_activation ==
                                        reference::WeightActivation::kIdentity;
    return workload_ == Workload::kIntegers && power && linear &&
           spec_.select.score_activation !=
               reference::ScoreActivation::kSigmoid;
  }
  /// Whether scores that are equal in the reference are equal by construction.
  bool ExactTies() const {
    return ExactScores() || workload_ == Workload::kAllEqual ||
           workload_ == Workload::kTwoValued ||
           workload_ == Workload::kReluZero ||
           (spec_.select.scale && *spec_.select.scale == 0);
  }

  struct Row {
    std::vector<double> scores;
    double score_error = 0;
    double statistic_error = 0;
  };
  Row MakeRow(const Indexer& indexer, int64_t b, int64_t t) const {
    Row row;
    auto options = indexer.options.ScoreOptions();
    reference::ScoreRow(indexer.operands(), options, b, t, &row.scores);
    if (!ExactScores()) {
      std::vector<double> errors =
          ScoreErrors(indexer.operands(), options, b, t, arithmetic_);
      row.score_error = *std::max_element(errors.begin(), errors.end());
    }
    row.statistic_error =
        StatisticError(row.scores, reference::StatisticOf(spec_.select.policy),
                       row.score_error, arithmetic_);
    return row;
  }

  void CheckSelection(const Indexer& indexer) {
    reference::SelectResult expected =
        reference::Select(indexer.operands(), indexer.options);
    Ints indices = Int("indices"), counts = Int("counts");
    CompareExactly("status", Int("status"), expected.status);

    int64_t rows = counts.size();
    std::vector<Row> all;
    double normaliser_error = 0;
    for (int64_t i = 0; i < rows; ++i) {
      all.push_back(MakeRow(indexer, i / spec_.sq, i % spec_.sq));
      normaliser_error = std::max(normaliser_error, all.back().statistic_error);
    }
    normaliser_error +=
        (rows + 4) * arithmetic_.unit * std::abs(expected.normaliser);
    if (spec_.normaliser) normaliser_error = 0;
    for (int64_t i = 0; i < rows; ++i) {
      BudgetInputs budget{expected.visible[i], expected.statistic[i],
                          all[i].statistic_error, expected.normaliser,
                          normaliser_error};
      int64_t slots = indices.dim(2);
      CheckRow(i, all[i], {indices.data() + i * slots, size_t(slots)},
               counts[i],
               AcceptedBudgets(spec_.select.policy, budget, arithmetic_));
    }
  }

  void CheckRow(int64_t i, const Row& row, std::span<const int32_t> list,
                int32_t count, CountInterval accepted) {
    ++findings_.rows;
    std::string where = Text("row ", i / spec_.sq, ",", i % spec_.sq, ": ");
    if (count < accepted.low || count > accepted.high) {
      Fail(Text(where, "count is ", count, ", expected ", accepted.low, " to ",
                accepted.high));
      return;
    }
    reference::TopKOptions topk{static_cast<int64_t>(list.size()),
                                spec_.select.sink, spec_.select.local};
    std::vector<int32_t> expected = reference::TopKRow(row.scores, count, topk);
    expected.resize(list.size(), -1);
    if (std::equal(list.begin(), list.end(), expected.begin())) return;
    ++findings_.legal_rows;
    // The count is right: the rest is judged as under a fixed budget.
    reference::RowReference judged{
        row.scores,
        reference::KPolicy::Fixed(std::max(count, 1)),
        static_cast<double>(std::max(count, 1)),
        static_cast<int64_t>(list.size()),
        spec_.select.sink,
        spec_.select.local};
    reference::SelectionTolerance tolerance;
    tolerance.score_margin = 2 * row.score_error;
    reference::RowVerdict verdict =
        reference::CompareRow(judged, list, count, tolerance);
    if (verdict.verdict == reference::Verdict::kWrong) {
      Fail(where + verdict.message);
    } else if (ExactTies() && TieBroken(row, list, expected)) {
      Fail(where + "equal scores do not keep the smaller index");
    }
  }

  /// Whether two keys with equal scores were exchanged: with ties by
  /// construction, lists may differ only in keys of different scores.
  static bool TieBroken(const Row& row, std::span<const int32_t> list,
                        const std::vector<int32_t>& expected) {
    std::vector<double> got, wanted;
    for (size_t i = 0; i < list.size() && list[i] >= 0; ++i) {
      got.push_back(row.scores[list[i]]);
      wanted.push_back(row.scores[expected[i]]);
    }
    std::sort(got.begin(), got.end());
    std::sort(wanted.begin(), wanted.end());
    return got == wanted;
  }

  void CheckScores(const Indexer& indexer) {
    reference::IndexScoresOptions options = indexer.options.ScoreOptions();
    Reals expected = reference::IndexScores(indexer.operands(), options);
    std::vector<double> errors;
    for (int64_t i = 0; i < spec_.b * spec_.sq; ++i) {
      std::vector<double> row = ScoreErrors(
          indexer.operands(), options, i / spec_.sq, i % spec_.sq, arithmetic_);
      errors.insert(errors.end(), row.begin(), row.end());
    }
    bool exact = ExactScores();
    Compare("scores", Out("scores"), expected,
            [&](int64_t i) { return exact ? 0.0 : errors[i]; });
  }

  //===--------------------------------------------------------------------===//
  // Single ops of the selection
  //===--------------------------------------------------------------------===//

  void CheckStatistics(const Reals& scores,
                       const reference::RowStatisticsOptions& options) {
    reference::RowStatisticsResult expected =
        reference::RowStatistics(scores, options);
    CompareExactly("visible", Int("visible"), expected.visible);
    size_t keys = scores.dim(2);
    Compare("statistic", Out("statistic"), expected.value, [&](int64_t i) {
      return StatisticError({scores.data() + i * keys, keys}, options, 0.0,
                            arithmetic_);
    });
  }
  void CheckMean(const Reals& statistics) {
    Reals expected({}, reference::StatMean(statistics));
    double bound =
        (statistics.size() + 4) * arithmetic_.unit * MaxAbs(statistics);
    Compare("mean", Out("mean"), expected, [&](int64_t) { return bound; });
  }
  /// `normaliser` is the operand or the tested mean.
  void CheckBudgets(const Ints& visible, const Reals& statistic) {
    double normaliser = 0;
    if (inputs_.count("normaliser")) normaliser = In("normaliser")[0];
    if (outputs_.count("mean")) normaliser = Out("mean")[0];
    Ints k = Int("k");
    for (int64_t i = 0; i < k.size(); ++i) {
      BudgetInputs budget{
          visible[i], spec_.select.policy.UsesStatistic() ? statistic[i] : 0.0,
          0.0, normaliser, 0.0};
      // The budget is not cut to the slots yet: that is the top-k's work.
      CountInterval accepted =
          AcceptedBudgets(spec_.select.policy, budget, arithmetic_);
      int64_t cut = std::min<int64_t>(k[i], spec_.select.policy.Slots());
      if (cut < accepted.low || cut > accepted.high || k[i] > visible[i]) {
        Fail(Text("k[", i, "] is ", k[i], ", expected ", accepted.low, " to ",
                  accepted.high, ", visible ", visible[i]));
      }
    }
  }
  void CheckTopK(const Reals& scores, const Ints& k,
                 const reference::TopKOptions& options) {
    reference::TopKResult expected = reference::TopK(scores, k, options);
    CompareExactly("indices", Int("indices"), expected.indices);
    CompareExactly("counts", Int("counts"), expected.counts);
    CompareExactly("status", Int("status"), expected.status);
  }
  /// Each op of the chain against the tested results of the ops before it.
  void CheckChain() {
    Reals scores = Out("scores"), statistic = Out("statistic");
    CheckStatistics(scores, reference::StatisticOf(spec_.select.policy));
    if (outputs_.count("mean")) CheckMean(statistic);
    CheckBudgets(Int("visible"), statistic);
    CheckTopK(
        scores, Int("k"),
        {spec_.select.policy.Slots(), spec_.select.sink, spec_.select.local});
  }

  //===--------------------------------------------------------------------===//
  // Attention
  //===--------------------------------------------------------------------===//

  void CheckAttention(const AttentionOperands& operands,
                      const AttentionResult& expected, int64_t list_length) {
    AttentionTolerance tolerance = AttentionErrors(
        operands, spec_.softmax_scale, list_length, arithmetic_);
    double unit = arithmetic_.unit;
    if (spec_.parts > 0) {
      // Weights of parts err as their lse do, and by the exponential.
      tolerance.output +=
          (4 * tolerance.lse + 16 * unit) * MaxAbs(operands.value);
      tolerance.lse = 2 * tolerance.lse + 8 * unit;
    }
    Reals output = expected.output;
    double gate = 1, tiny = 0;
    if (spec_.fused_gate) {
      Reals logits = In("gate");
      output = reference::Gate(output, logits, spec_.gate_activation);
      if (spec_.gate_activation == reference::GateActivation::kSilu) {
        gate = std::max(1.0, MaxAbs(logits));
      }
      // An activation errs by some units, and may be lost in underflow.
      tolerance.output += 16 * unit * MaxAbs(expected.output);
      tiny = LostInGate() * std::max(1.0, MaxAbs(expected.output));
    }
    Compare("output", Out("output"), Rounded(output, spec_.dtype),
            [&](int64_t i) {
              return gate * tolerance.output + tiny +
                     2 * RoundingUnit(spec_.dtype) * std::abs(output[i]) +
                     2 * SmallestNumber(spec_.dtype);
            });
    Compare("lse", Out("lse"), expected.lse,
            [&](int64_t) { return tolerance.lse; });
  }
  /// The operand `lengths`, or null.
  const Ints* Lengths() {
    if (!spec_.lengths) return nullptr;
    lengths_ = AsInt32(inputs_.at("lengths"));
    return &lengths_;
  }
  void CheckGather(const Ints& indices, Ints counts) {
    // A count above K reads K entries; the reference refuses it.
    for (int32_t& count : counts.values()) {
      count = std::min(count, static_cast<int32_t>(indices.dim(2)));
    }
    Reals query = In("query"), key = In("key"), value = In("value");
    AttentionOperands operands{query, key, value};
    CheckAttention(
        operands,
        reference::GatherAttention(operands, indices, counts,
                                   {spec_.softmax_scale, 1, std::nullopt,
                                    reference::KeyRange{}, Lengths()}),
        indices.dim(2));
  }
  void CheckDense() {
    Reals query = In("query"), key = In("key"), value = In("value");
    AttentionOperands operands{query, key, value};
    CheckAttention(
        operands,
        reference::DenseAttention(
            operands, {spec_.softmax_scale, spec_.select.mask, 1, std::nullopt,
                       reference::KeyRange{}, Lengths()}),
        spec_.sk);
  }

  /// The block, op by op, with each intermediate result rounded as the
  /// definition says. A tested intermediate may be rounded the other way; one
  /// such element of a dot product moves a logit by an ulp of its product.
  void CheckBlock() {
    auto rounded = [&](const Reals& x) { return Rounded(x, spec_.dtype); };
    Reals query = rounded(reference::Rope(
        In("query"), AsInt64(inputs_.at("positions")), spec_.rope));
    Reals key = rounded(reference::Rope(
        In("key"), AsInt64(inputs_.at("key_positions")), spec_.rope));
    Reals value = In("value");
    if (spec_.value_gate) {
      value = rounded(
          reference::Gate(value, In("value_gate"), spec_.gate_activation));
    }
    AttentionOperands operands{query, key, value};
    AttentionResult expected = reference::GatherAttention(
        operands, Int("indices"), Int("counts"), {spec_.softmax_scale});
    AttentionTolerance tolerance = AttentionErrors(
        operands, spec_.softmax_scale, Int("indices").dim(2), arithmetic_);
    double ulp = 2 * RoundingUnit(spec_.dtype);
    double scale = spec_.softmax_scale.value_or(1 / std::sqrt(double(spec_.d)));
    double flip = 2 * ulp * std::abs(scale) * MaxAbs(query) * MaxAbs(key);
    tolerance.lse += flip;
    tolerance.output += (0.5 * flip + ulp) * MaxAbs(value);

    Reals output = rounded(expected.output);
    double gate = 1;
    if (spec_.output_gate) {
      Reals logits = In("output_gate");
      output = rounded(reference::Gate(output, logits, spec_.gate_activation));
      if (spec_.gate_activation == reference::GateActivation::kSilu) {
        gate = std::max(1.0, MaxAbs(logits));
      }
    }
    Compare("output", Out("output"), output, [&](int64_t i) {
      return gate * tolerance.output + 2 * ulp * std::abs(output[i]) +
             2 * SmallestNumber(spec_.dtype);
    });
    Compare("lse", Out("lse"), expected.lse,
            [&](int64_t) { return tolerance.lse; });
  }

  /// What a gate is off by where its sigmoid underflows: silu multiplies that
  /// by the logit, which is at most 128 there.
  double LostInGate() const {
    bool silu = spec_.gate_activation == reference::GateActivation::kSilu;
    return arithmetic_.normal * (silu ? 128.0 : 1.0);
  }

  void CheckGate() {
    Reals input = In("input");
    Reals exact = reference::Gate(input, In("logits"), spec_.gate_activation);
    double u = arithmetic_.unit;
    // (tanh + 1) / 2 cancels; the sigmoid of a very negative logit underflows.
    bool tanh = spec_.gate_activation == reference::GateActivation::kTanh;
    double tiny = LostInGate();
    Compare(
        "output", Out("output"), Rounded(exact, spec_.dtype), [&](int64_t i) {
          double x = std::isfinite(input[i]) ? std::abs(input[i]) : 0.0;
          return (12 * u + 2 * RoundingUnit(spec_.dtype)) * std::abs(exact[i]) +
                 (tanh ? 4 * u * x : 0.0) + tiny * std::max(1.0, x) +
                 SmallestNumber(spec_.dtype);
        });
  }
  void CheckRope() {
    Reals input = In("input");
    reference::Tensor<int64_t> positions = AsInt64(inputs_.at("positions"));
    Reals exact = reference::Rope(input, positions, spec_.rope);
    // An angle errs by a few ulp of the largest one.
    double angle = 0x1p-50 * (1 + *std::max_element(positions.values().begin(),
                                                    positions.values().end()));
    double bound = (6 * arithmetic_.unit + angle) * MaxAbs(input);
    Compare("output", Out("output"), Rounded(exact, spec_.dtype),
            [&](int64_t i) {
              return 2 * bound +
                     2 * RoundingUnit(spec_.dtype) * std::abs(exact[i]) +
                     2 * SmallestNumber(spec_.dtype);
            });
  }

  const Spec& spec_;
  const Arithmetic arithmetic_;
  Workload workload_;
  const Tensors& inputs_;
  const Tensors& outputs_;
  Ints lengths_;
  Findings findings_;
};

}  // namespace

Findings Check(const Spec& spec, Workload workload, const Tensors& inputs,
               const Tensors& outputs) {
  return Checker(spec, workload, inputs, outputs).Run();
}

}  // namespace gsa::differential
