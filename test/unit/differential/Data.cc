//===- Data.cc - inputs of a random module --------------------------------===//

#include "test/unit/differential/Data.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace gsa::differential {

using reference::ScoreActivation;
using Reals = reference::Tensor<double>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

const char* WorkloadName(Workload workload) {
  static constexpr const char* kNames[] = {
      "normal",   "ar1",  "all_equal", "two_valued", "relu_zero", "integers",
      "denormal", "huge", "nan",       "infinity",   "one_bin"};
  return kNames[static_cast<int>(workload)];
}

Workload RandomWorkload(const Spec& spec, Rng& rng) {
  if (rng.Chance(0.3)) {
    return rng.Chance(0.5) ? Workload::kNormal : Workload::kAr1;
  }
  auto workload = static_cast<Workload>(rng.Int(0, kNumWorkloads - 1));
  bool can_be_zero =
      spec.bias && spec.select.score_activation == ScoreActivation::kRelu;
  if (workload == Workload::kReluZero && !can_be_zero) {
    return Workload::kAllEqual;
  }
  return workload;
}

namespace {

class Maker {
 public:
  Maker(const Spec& spec, Workload workload, uint64_t seed)
      : spec_(spec), workload_(workload), seed_(seed) {}

  HostTensor Make(const TensorSpec& input) {
    Rng rng(seed_, input.name.c_str());
    switch (input.dtype) {
      case DType::kI32:
        return Integers<int32_t>(input, rng);
      case DType::kI64:
        return Integers<int64_t>(input, rng);
      default:
        break;
    }
    Reals values = Floats(input, rng);
    if (IsData(input.name)) Poison(&values, input.name, rng);
    return ToHost(input.name, input.dtype, values);
  }

 private:
  /// Whether an operand may hold NaN and infinities token by token. Infinite
  /// values are left out: the weight of a far key underflows in binary32 and
  /// not in binary64, and zero times infinity is NaN.
  bool IsData(const std::string& name) const {
    if (name == "value") return workload_ == Workload::kNan;
    return name == "index_query" || name == "index_key" ||
           name == "index_weights" || name == "query" || name == "key" ||
           name == "input" || name == "logits";
  }

  Reals Normal(const TensorSpec& input, double scale) const {
    Reals values(input.shape);
    RandomStream(seed_, input.name)
        .FillNormal(0, absl::MakeSpan(values.values()));
    for (double& value : values.values()) value *= scale;
    return values;
  }

  /// What infinities would turn into NaN by the order of additions alone has
  /// to stay away: only one element of a token becomes infinite.
  void Poison(Reals* values, const std::string& name, Rng& rng) const {
    bool nan = workload_ == Workload::kNan;
    if (!nan && workload_ != Workload::kInfinity) return;
    if (values->rank() < 3 || values->size() == 0) return;
    if (rng.Chance(name == "index_weights" ? 0.7 : 0.3)) return;
    int64_t token = values->size() / (values->dim(0) * values->dim(1));
    int64_t tokens = values->dim(0) * values->dim(1);
    int64_t many = rng.Int(1, 3);
    for (int64_t i = 0; i < many; ++i) {
      int64_t at = rng.Int(0, tokens - 1) * token + rng.Int(0, token - 1);
      (*values)[at] = nan ? kNan : rng.Chance(0.5) ? kInf : -kInf;
    }
  }

  /// Magnitude of `huge`: products must stay finite in binary32, also when
  /// they are squared by a variance.
  double HugeScale(const std::string& name, DType dtype) const {
    if (name != "index_query" && name != "index_key") return 30.0;
    if (dtype == DType::kF16) return 100.0;
    bool bounded = spec_.select.score_activation == ScoreActivation::kSigmoid;
    return bounded ? 1e12 : 1e3;
  }

  Reals Floats(const TensorSpec& input, Rng& rng) {
    const std::string& name = input.name;
    bool index_side = name == "index_query" || name == "index_key";
    if (name == "normaliser") return Normaliser(rng);
    if (name == "scores") return Scores(input, rng);
    if (name == "statistic") return Statistics(input, rng);
    if (name == "index_bias") {
      if (workload_ == Workload::kReluZero) return Reals(input.shape, -1e4);
      if (workload_ == Workload::kIntegers) return SmallIntegers(input, rng);
      return Normal(input, workload_ == Workload::kDenormal ? 1e-39 : 0.3);
    }
    switch (workload_) {
      case Workload::kAr1:
        return Ar1(input);
      case Workload::kAllEqual:
        if (index_side || name == "key") return Repeated(input, rng, 1);
        break;
      case Workload::kTwoValued:
        if (index_side || name == "key") return Repeated(input, rng, 2);
        break;
      case Workload::kIntegers:
        return SmallIntegers(input, rng);
      case Workload::kOneBin:
        if (name == "index_key") return NearlyEqual(input);
        break;
      case Workload::kDenormal:
        // Products around 1e-40 for the index side; values that are denormal
        // themselves for the rest.
        return Normal(input, input.dtype == DType::kF16 ? 1e-6
                             : index_side               ? 1e-20
                                                        : 1e-39);
      case Workload::kHuge:
        return Normal(input, HugeScale(name, input.dtype));
      default:
        break;
    }
    return Normal(input, 1.0);
  }

  Reals SmallIntegers(const TensorSpec& input, Rng& rng) const {
    Reals values(input.shape);
    for (double& value : values.values()) {
      value = static_cast<double>(rng.Int(-2, 2));
    }
    return values;
  }

  /// Along axis 1, x[t] = 0.95 x[t-1] + sqrt(1 - 0.95^2) N(0, 1).
  Reals Ar1(const TensorSpec& input) const {
    Reals values = Normal(input, 1.0);
    if (input.shape.size() < 3) return values;
    int64_t steps = input.shape[1];
    int64_t token = 1;
    for (size_t i = 2; i < input.shape.size(); ++i) token *= input.shape[i];
    for (int64_t b = 0; b < input.shape[0]; ++b) {
      for (int64_t i = token; i < steps * token; ++i) {
        double* x = values.data() + b * steps * token + i;
        *x = 0.95 * x[-token] + std::sqrt(1 - 0.95 * 0.95) * *x;
      }
    }
    return values;
  }

  /// Keys of `kinds` different vectors; queries stay random.
  Reals Repeated(const TensorSpec& input, Rng& rng, int64_t kinds) const {
    Reals values = Normal(input, 1.0);
    if (input.name == "index_query") return values;
    int64_t token = values.size() / (input.shape[0] * input.shape[1]);
    for (int64_t t = 1; t < input.shape[0] * input.shape[1]; ++t) {
      // Key 0 and the last key are the vectors that the others copy.
      int64_t from =
          rng.Int(0, kinds - 1) * (input.shape[0] * input.shape[1] - 1);
      std::copy_n(values.data() + from * token, token,
                  values.data() + t * token);
    }
    return values;
  }

  /// Keys 0 and 1 of a sequence are opposite; the others lie close together.
  Reals NearlyEqual(const TensorSpec& input) const {
    Reals values = Normal(input, 1.0);
    int64_t tokens = input.shape[1], depth = input.shape[2];
    std::vector<double> base(values.data(), values.data() + depth);
    for (int64_t b = 0; b < input.shape[0]; ++b) {
      double* token = values.data() + b * tokens * depth;
      for (int64_t t = 0; t < tokens; ++t, token += depth) {
        double factor = t == 0 ? 3.0 : t == 1 ? -3.0 : 1.0;
        for (int64_t i = 0; i < depth; ++i) {
          token[i] = factor * base[i] + 1e-5 * token[i];
        }
      }
    }
    return values;
  }

  /// Rows between -1 and 1 with as many cells in one narrow place as the
  /// threshold bin holds, one less, one more, or all of them.
  void FillBin(Reals* values, Rng& rng) const {
    int64_t keys = values->dim(2);
    int64_t capacity = spec_.schedules.topk ? spec_.schedules.topk->capacity
                                            : int64_t{1} << 40;
    for (int64_t i = 0; i < values->size(); i += keys) {
      double* row = values->data() + i;
      int64_t many = rng.Chance(0.3) ? keys : capacity + rng.Int(-1, 1);
      for (int64_t s = 0; s < keys; ++s) {
        double x = std::clamp(row[s] / 4, -1.0, 1.0);
        row[s] = std::copysign(0.25 + 0.75 * std::abs(x), x);
        if (s >= 2 && s < many + 2) {
          row[s] = 0.1 + 1e-6 * static_cast<double>(rng.Int(0, 9));
        }
      }
      row[0] = 1.0;
      if (keys > 1) row[1] = -1.0;
      // Which cells they are shall not follow their order.
      for (int64_t s = keys - 1; s > 0; --s) {
        std::swap(row[s], row[rng.Int(0, s)]);
      }
    }
  }

  Reals Normaliser(Rng& rng) const {
    double value = rng.Pick<double>({0.0, 1e-3, 0.02, 0.1, 1.0, 7.5});
    if (workload_ == Workload::kNan && rng.Chance(0.3)) value = kNan;
    return Reals({}, value);
  }

  /// Rows of scores with ties, holes, both zeros, and poison on demand.
  Reals Scores(const TensorSpec& input, Rng& rng) const {
    Reals values = Normal(input, workload_ == Workload::kDenormal ? 1e-39
                                 : workload_ == Workload::kHuge   ? 1e15
                                                                  : 1.0);
    bool ties =
        workload_ == Workload::kTwoValued || workload_ == Workload::kAllEqual ||
        workload_ == Workload::kIntegers || workload_ == Workload::kReluZero;
    if (workload_ == Workload::kOneBin) {
      FillBin(&values, rng);
      return values;
    }
    double hole = rng.Pick<double>({0.0, 0.1, 0.9});
    for (double& value : values.values()) {
      if (ties) value = static_cast<double>(rng.Int(-1, 1));
      if (value == 0 && rng.Chance(0.5)) value = -0.0;
      if (rng.Chance(hole)) value = -kInf;
      if (workload_ == Workload::kNan && rng.Chance(0.1)) value = kNan;
      if (workload_ == Workload::kInfinity && rng.Chance(0.02)) value = kInf;
    }
    return values;
  }

  Reals Statistics(const TensorSpec& input, Rng& rng) const {
    Reals values(input.shape);
    for (double& value : values.values()) {
      value = rng.Pick<double>({0.0, 1e-12, 0.05, 0.2, 3.0, 1e4}) *
              rng.Uniform(0.5, 2.0);
      if (workload_ == Workload::kNan && rng.Chance(0.2)) value = kNan;
      if (workload_ == Workload::kInfinity && rng.Chance(0.2)) value = kInf;
    }
    return values;
  }

  template <typename T>
  HostTensor Integers(const TensorSpec& input, Rng& rng) const {
    HostTensor tensor =
        HostTensor::Create(input.name, input.dtype, input.shape).value();
    absl::Span<T> values = tensor.values<T>();
    bool positions = input.name == "positions" || input.name == "key_positions";
    // Both sides of one case count from the same first position.
    Rng common(seed_, "first position");
    int64_t first = common.Pick<int64_t>({0, 0, 0, 1000, 1'000'003});
    for (size_t i = 0; i < values.size(); ++i) {
      int64_t value = 0;
      if (positions) {
        int64_t length = input.shape[1];
        int64_t shift = input.name == "positions" ? spec_.sk - spec_.sq : 0;
        value = first + std::max<int64_t>(0, shift) +
                static_cast<int64_t>(i) % length;
      } else if (input.name == "k") {
        value = rng.Int(-2, spec_.sk + 4);
      } else if (input.name == "visible") {
        value = rng.Int(0, spec_.sk);
      } else if (input.name == "lengths") {
        value = rng.Int(0, spec_.sk);
        if (rng.Chance(0.2)) {
          value = rng.Pick<int64_t>(
              {-3, 0, spec_.sk, spec_.sk + 5, INT32_MAX, INT32_MIN});
        }
      } else if (input.name == "counts") {
        value = rng.Int(rng.Chance(0.1) ? -3 : 0,
                        spec_.topk.slots + (rng.Chance(0.1) ? 3 : 0));
      } else {  // Lists of keys, some of them nonsense.
        value = rng.Int(0, spec_.sk - 1);
        if (rng.Chance(0.1)) {
          value = rng.Pick<int64_t>(
              {-1, spec_.sk, INT32_MAX, INT32_MIN, -123456, 1919810});
        }
      }
      values[i] = static_cast<T>(value);
    }
    if (input.name == "indices" && spec_.schedules.shared) {
      Ascend(values, input.shape[2], rng);
    }
    return tensor;
  }

  /// Makes lists ascend strictly, as those that queries can share do: all of
  /// them, all but a few, or none.
  template <typename T>
  void Ascend(absl::Span<T> lists, int64_t slots, Rng& rng) const {
    double defects = rng.Pick<double>({0.0, 0.02, 1.0});
    if (slots > spec_.sk) return;
    for (size_t first = 0; first < lists.size();
         first += static_cast<size_t>(slots)) {
      if (rng.Chance(defects)) continue;
      // Each key is taken with the chance that leaves enough of them.
      int64_t taken = 0;
      for (int64_t key = 0; taken < slots; ++key) {
        if (rng.Int(1, spec_.sk - key) > slots - taken) continue;
        lists[first + static_cast<size_t>(taken++)] = static_cast<T>(key);
      }
    }
  }

  const Spec& spec_;
  Workload workload_;
  uint64_t seed_;
};

}  // namespace

Tensors MakeInputs(const Spec& spec, const std::vector<TensorSpec>& inputs,
                   Workload workload, uint64_t seed) {
  Maker maker(spec, workload, seed);
  Tensors tensors;
  for (const TensorSpec& input : inputs) {
    tensors.emplace(input.name, maker.Make(input));
  }
  return tensors;
}

Reals AsDouble(const HostTensor& tensor) {
  Reals values(tensor.shape());
  TensorView view = tensor.view();
  for (int64_t i = 0; i < values.size(); ++i) {
    values[i] = ElementAsDouble(view, i);
  }
  return values;
}

reference::Tensor<int32_t> AsInt32(const HostTensor& tensor) {
  absl::Span<const int32_t> values = tensor.values<int32_t>();
  return {tensor.shape(), {values.begin(), values.end()}};
}

reference::Tensor<int64_t> AsInt64(const HostTensor& tensor) {
  absl::Span<const int64_t> values = tensor.values<int64_t>();
  return {tensor.shape(), {values.begin(), values.end()}};
}

HostTensor ToHost(const std::string& name, DType dtype, const Reals& values) {
  HostTensor wide =
      HostTensor::FromValues<double>(name, values.shape(), values.values())
          .value();
  return wide.ConvertTo(dtype).value();
}

Reals Rounded(const Reals& values, DType dtype) {
  return AsDouble(ToHost("rounded", dtype, values));
}

}  // namespace gsa::differential
