// -----------------------------------------------------------------------------
// File: layer_config.cc
// -----------------------------------------------------------------------------
//
// The fields of a layer's configuration: one table by which they are read,
// printed and named in messages, and the rules between them. The text of the
// module is in layer_text.cc.

#include "runtime/layer_config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <system_error>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "dialect/Gsa/GsaLimits.h"
#include "runtime/core/nearest_name.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

using absl::string_view;

// One of a list of names.
struct Choice {
  std::string LayerConfig::* field;
  std::vector<const char*> names;
};

struct Field {
  const char* key;
  std::variant<int64_t LayerConfig::*, double LayerConfig::*,
               bool LayerConfig::*, DType LayerConfig::*, Choice>
      member;
  // Printed although it has its default.
  bool always = false;
};

const std::vector<Field>& Fields() {
  using C = LayerConfig;
  static const auto& fields = *new std::vector<Field>{
      {"d_model", &C::d_model, true},
      {"n_heads", &C::n_heads, true},
      {"n_kv_heads", &C::n_kv_heads, true},
      {"head_dim", &C::head_dim},
      {"n_indexer_heads", &C::n_indexer_heads},
      {"d_indexer", &C::d_indexer},
      {"indexer_activation",
       Choice{&C::indexer_activation, {"sigmoid", "relu", "identity"}}},
      {"indexer_weight_activation",
       Choice{&C::indexer_weight_activation, {"sigmoid", "identity"}}},
      {"indexer_scale", &C::indexer_scale},
      {"k_policy",
       Choice{&C::k_policy,
              {"fixed", "upstream_variance", "paper_ema", "entropy", "orth"}}},
      {"k_base", &C::k_base, true},
      {"k_min", &C::k_min},
      {"k_max", &C::k_max},
      {"adaptive_k_temperature", &C::adaptive_k_temperature},
      {"sink", &C::sink},
      {"local", &C::local},
      {"use_value_gate", &C::use_value_gate},
      {"use_output_gate", &C::use_output_gate},
      {"gate_activation",
       Choice{&C::gate_activation, {"sigmoid", "tanh", "silu"}}},
      {"softmax_scale", &C::softmax_scale},
      {"causal", &C::causal},
      {"rope_base", &C::rope_base},
      {"rope_dim", &C::rope_dim},
      {"rope_interleaved", &C::rope_interleaved},
      {"rope_scaling", Choice{&C::rope_scaling, {"none", "ntk", "yarn"}}},
      {"rope_factor", &C::rope_factor},
      {"rope_original_max_position", &C::rope_original_max_position},
      {"rope_beta_fast", &C::rope_beta_fast},
      {"rope_beta_slow", &C::rope_beta_slow},
      {"dtype", &C::dtype, true},
      {"projections", &C::projections},
  };
  return fields;
}

const Field* FindField(string_view key) {
  for (const Field& field : Fields()) {
    if (key == field.key) return &field;
  }
  return nullptr;
}

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

std::string FieldText(const Field& field, const LayerConfig& c);

std::string DefaultText(const Field& field) {
  static const auto& defaults = *new LayerConfig;
  return FieldText(field, defaults);
}

// "<key>: got <value>, expected <expected>"; a value that may never have been
// given is called the default.
template <typename T>
absl::Status FieldError(string_view key, const T& got, string_view expected) {
  const Field* field = FindField(key);
  const bool is_default =
      field != nullptr && absl::StrCat(got) == DefaultText(*field);
  return absl::InvalidArgumentError(absl::StrCat(
      "layer: ", key, ": got ", got, is_default ? " (the default)" : "",
      ", expected ", expected));
}

absl::Status TextError(string_view key, string_view got, string_view expected) {
  return FieldError(key, absl::StrCat("'", got, "'"), expected);
}

// "; nearest: 'a', 'b'" with the names that `name` may be a misspelling of;
// empty if there is none.
std::string Nearest(string_view name, const std::vector<const char*>& names) {
  const std::vector<string_view> near =
      NearestNames(name, {names.begin(), names.end()}, /*count=*/2);
  if (near.empty()) return "";
  return absl::StrCat("; nearest: '", absl::StrJoin(near, "', '"), "'");
}

// What configurations elsewhere call a field.
string_view NameHere(string_view key) {
  static constexpr std::pair<const char*, const char*> kNames[] = {
      {"hidden_size", "d_model"},
      {"hidden_dim", "d_model"},
      {"embed_dim", "d_model"},
      {"n_embd", "d_model"},
      {"dim", "d_model"},
      {"num_attention_heads", "n_heads"},
      {"num_heads", "n_heads"},
      {"num_key_value_heads", "n_kv_heads"},
      {"num_kv_heads", "n_kv_heads"},
      {"num_query_groups", "n_kv_heads"},
      {"head_size", "head_dim"},
      {"kv_channels", "head_dim"},
      {"index_n_heads", "n_indexer_heads"},
      {"num_indexer_heads", "n_indexer_heads"},
      {"index_head_dim", "d_indexer"},
      {"index_topk", "k_base"},
      {"topk", "k_base"},
      {"top_k", "k_base"},
      {"scaling", "softmax_scale"},
      {"is_causal", "causal"},
      {"rope_theta", "rope_base"},
      {"rotary_emb_base", "rope_base"},
      {"rotary_dim", "rope_dim"},
      {"rope_type", "rope_scaling"},
      {"factor", "rope_factor"},
      {"scaling_factor", "rope_factor"},
      {"original_max_position_embeddings", "rope_original_max_position"},
      {"beta_fast", "rope_beta_fast"},
      {"beta_slow", "rope_beta_slow"},
      {"torch_dtype", "dtype"}};
  for (const auto& [elsewhere, here] : kNames) {
    if (absl::EqualsIgnoreCase(key, elsewhere)) return here;
  }
  return "";
}

absl::Status UnknownKey(string_view key) {
  const string_view here = NameHere(key);
  if (!here.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "layer: unknown key '", key, "'; did you mean '", here, "'?"));
  }
  std::vector<const char*> keys = {"d_head", "use_adaptive_k"};
  for (const Field& field : Fields()) keys.push_back(field.key);
  const std::string near = Nearest(key, keys);
  return absl::InvalidArgumentError(absl::StrCat(
      "layer: unknown key '", key, "'",
      near.empty() ? absl::StrCat("; known: ", absl::StrJoin(keys, ", "))
                   : near));
}

// ---- Values as text ---------------------------------------------------------

// The whole of `text` as a number; neither spaces nor a plus sign. Like
// SimpleAtoi, but "0x10", "1e3" and "010" are no integers.
template <typename T>
bool ReadNumber(string_view text, T* value) {
  const char* end = text.data() + text.size();
  T read{};
  const auto [stop, error] = std::from_chars(text.data(), end, read);
  if (error != std::errc() || stop != end) return false;
  *value = read;
  return true;
}

absl::Status SetInteger(string_view key, string_view text, int64_t* value) {
  const bool leading = text.size() > 1 && text[0] == '0';
  if (!leading && ReadNumber(text, value)) return absl::OkStatus();
  return TextError(key, text, "an integer");
}

absl::Status SetNumber(string_view key, string_view text, double* value) {
  if (ReadNumber(text, value) && std::isfinite(*value)) return absl::OkStatus();
  return TextError(key, text, "a finite number");
}

absl::Status SetFlag(string_view key, string_view text, bool* value) {
  const std::string lower = absl::AsciiStrToLower(text);
  for (const char* yes : {"true", "on", "yes", "1"}) {
    if (lower == yes) return *value = true, absl::OkStatus();
  }
  for (const char* no : {"false", "off", "no", "0"}) {
    if (lower == no) return *value = false, absl::OkStatus();
  }
  return TextError(key, text, "true or false");
}

// Our names, those of PyTorch with or without "torch.", and those of others, in
// any case.
absl::Status SetDType(string_view key, string_view text, DType* value) {
  static constexpr std::pair<const char*, DType> kNames[] = {
      {"f16", DType::kF16},     {"fp16", DType::kF16},
      {"float16", DType::kF16}, {"half", DType::kF16},
      {"bf16", DType::kBF16},   {"bfloat16", DType::kBF16},
      {"f32", DType::kF32},     {"fp32", DType::kF32},
      {"float32", DType::kF32}, {"float", DType::kF32},
      {"f64", DType::kF64},     {"fp64", DType::kF64},
      {"float64", DType::kF64}, {"double", DType::kF64}};
  const std::string lower = absl::AsciiStrToLower(text);
  string_view name = lower;
  if (absl::StartsWith(name, "torch.")) name.remove_prefix(6);
  for (const auto& [known, dtype] : kNames) {
    if (name == known) return *value = dtype, absl::OkStatus();
  }
  return TextError(key, text, "f16, bf16, f32 or f64");
}

absl::Status CheckChoice(const Field& field, const Choice& choice,
                         const std::string& text) {
  for (const char* name : choice.names) {
    if (text == name) return absl::OkStatus();
  }
  return TextError(field.key, text,
                   absl::StrCat("one of ", absl::StrJoin(choice.names, ", "),
                                Nearest(text, choice.names)));
}

absl::Status SetField(const Field& field, string_view text, LayerConfig* c) {
  string_view key = field.key;
  return std::visit(
      Overloaded{
          [&](int64_t LayerConfig::* m) {
            return SetInteger(key, text, &(c->*m));
          },
          [&](double LayerConfig::* m) {
            return SetNumber(key, text, &(c->*m));
          },
          [&](bool LayerConfig::* m) { return SetFlag(key, text, &(c->*m)); },
          [&](DType LayerConfig::* m) { return SetDType(key, text, &(c->*m)); },
          [&](const Choice& choice) {
            absl::Status status = CheckChoice(field, choice, std::string(text));
            if (status.ok()) c->*choice.field = std::string(text);
            return status;
          },
      },
      field.member);
}

std::string NumberText(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  return std::string(text, end);
}

std::string FieldText(const Field& field, const LayerConfig& c) {
  return std::visit(
      Overloaded{
          [&](int64_t LayerConfig::* m) { return absl::StrCat(c.*m); },
          [&](double LayerConfig::* m) { return NumberText(c.*m); },
          [&](bool LayerConfig::* m) {
            return std::string(c.*m ? "true" : "false");
          },
          [&](DType LayerConfig::* m) { return std::string(DTypeName(c.*m)); },
          [&](const Choice& choice) { return c.*choice.field; },
      },
      field.member);
}

// ---- Rules ------------------------------------------------------------------

// Far above any model; keeps products of two sizes within int64.
constexpr int64_t kMaxSize = int64_t{1} << 30;
using mlir::gsa::kMaxBudget;
using mlir::gsa::kMaxRotated;

absl::Status CheckRange(string_view key, int64_t value, int64_t least,
                        int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return FieldError(key, value,
                    absl::StrCat(least, " to ", most, "; nearest: ",
                                 std::clamp(value, least, most)));
}

// The divisor of `whole` that is nearest to `wanted`.
int64_t NearestDivisor(int64_t whole, int64_t wanted) {
  int64_t best = 1;
  for (int64_t low = 1; low * low <= whole; ++low) {
    if (whole % low != 0) continue;
    for (const int64_t divisor : {low, whole / low}) {
      if (std::abs(divisor - wanted) < std::abs(best - wanted)) best = divisor;
    }
  }
  return best;
}

absl::Status CheckDivides(string_view key, int64_t value, string_view whole_key,
                          int64_t whole, string_view otherwise) {
  if (whole % value == 0) return absl::OkStatus();
  return FieldError(
      key, value,
      absl::StrCat("a divisor of ", whole_key, " = ", whole, otherwise,
                   "; nearest: ", NearestDivisor(whole, value)));
}

absl::Status CheckSizes(const LayerConfig& c) {
  GSA_RETURN_IF_ERROR(CheckRange("d_model", c.d_model, 1, kMaxSize));
  GSA_RETURN_IF_ERROR(CheckRange("n_heads", c.n_heads, 1, kMaxSize));
  GSA_RETURN_IF_ERROR(CheckRange("n_kv_heads", c.n_kv_heads, 1, kMaxSize));
  GSA_RETURN_IF_ERROR(
      CheckDivides("n_kv_heads", c.n_kv_heads, "n_heads", c.n_heads, ""));
  int64_t head_dim = c.head_dim;
  if (head_dim == 0) {
    GSA_RETURN_IF_ERROR(CheckDivides("n_heads", c.n_heads, "d_model", c.d_model,
                                     " (or a head_dim)"));
    head_dim = c.d_model / c.n_heads;
  }
  GSA_RETURN_IF_ERROR(
      CheckRange("head_dim", head_dim, 1, kMaxSize / c.n_heads));
  GSA_RETURN_IF_ERROR(
      CheckRange("n_indexer_heads", c.n_indexer_heads, 1, kMaxSize));
  return CheckRange("d_indexer", c.d_indexer, 1, kMaxSize / c.n_indexer_heads);
}

absl::Status CheckScale(string_view key, double value) {
  // Logits are in f32 unless everything is f64.
  constexpr double kLargest = std::numeric_limits<float>::max();
  if (std::abs(value) <= kLargest) return absl::OkStatus();
  return FieldError(key, NumberText(value),
                    "a finite number, or 0 for 1 / sqrt of the head's size");
}

// k_min <= k_base <= k_max. Of two that contradict each other, the one to
// change is the one that was not given, as far as its value tells.
absl::Status CheckBudgetOrder(const LayerConfig& c) {
  const LayerConfig defaults;
  const bool base_is_given = c.k_base != defaults.k_base;
  if (c.k_min > c.k_base) {
    if (!base_is_given && c.k_min != defaults.k_min) {
      return FieldError(
          "k_base", c.k_base,
          absl::StrCat("at least k_min = ", c.k_min, "; nearest: ", c.k_min));
    }
    return FieldError(
        "k_min", c.k_min,
        absl::StrCat("1 to k_base = ", c.k_base, "; nearest: ", c.k_base));
  }
  if (c.k_max < c.k_base) {
    if (!base_is_given && c.k_max != defaults.k_max) {
      return FieldError(
          "k_base", c.k_base,
          absl::StrCat("at most k_max = ", c.k_max, "; nearest: ", c.k_max));
    }
    return FieldError("k_max", c.k_max,
                      absl::StrCat("k_base = ", c.k_base, " to ",
                                   kMaxBudget - 1, "; nearest: ", c.k_base));
  }
  return absl::OkStatus();
}

absl::Status CheckBudget(const LayerConfig& c) {
  GSA_RETURN_IF_ERROR(CheckRange("k_base", c.k_base, 1, kMaxBudget - 1));
  if (c.k_policy != "fixed") {
    GSA_RETURN_IF_ERROR(CheckRange("k_min", c.k_min, 1, kMaxBudget - 1));
    GSA_RETURN_IF_ERROR(CheckRange("k_max", c.k_max, 1, kMaxBudget - 1));
    GSA_RETURN_IF_ERROR(CheckBudgetOrder(c));
  }
  const double temperature = c.adaptive_k_temperature;
  if (!std::isfinite(temperature) || temperature < 0) {
    return FieldError("adaptive_k_temperature", NumberText(temperature),
                      "a finite number of at least 0; nearest: 0");
  }
  GSA_RETURN_IF_ERROR(CheckRange("sink", c.sink, 0, kMaxBudget));
  return CheckRange("local", c.local, 0, kMaxBudget);
}

absl::Status CheckRotated(const LayerConfig& c) {
  const int64_t head_dim = c.head_dim == 0 ? c.d_model / c.n_heads : c.head_dim;
  // Without a rope_dim it is head_dim that the rotation asks something of.
  const char* key = c.rope_dim == 0 ? "head_dim" : "rope_dim";
  const int64_t rotated = c.rope_dim == 0 ? head_dim : c.rope_dim;
  if (c.rope_dim != 0) {
    GSA_RETURN_IF_ERROR(CheckRange(key, rotated, 2, head_dim));
  }
  const int64_t least = c.rope_scaling == "ntk" ? 4 : 2;
  if (rotated % 2 != 0 || rotated < least) {
    return FieldError(
        key, rotated,
        absl::StrCat("an even number of at least ", least,
                     ", as rotary embedding turns pairs",
                     c.rope_dim == 0 ? " (or an even rope_dim)" : "",
                     "; nearest: ", std::max(least, rotated / 2 * 2)));
  }
  return CheckRange(key, rotated, least, kMaxRotated);
}

absl::Status CheckRopeFactor(const LayerConfig& c) {
  const std::string got = NumberText(c.rope_factor);
  if (c.rope_scaling == "none") {
    // 1 is what a scaling by none is.
    if (c.rope_factor == 0 || c.rope_factor == 1) return absl::OkStatus();
    return FieldError("rope_factor", got,
                      "none, as rope_scaling is none (others: ntk, yarn)");
  }
  if (c.rope_factor == 0) {
    return FieldError(
        "rope_factor", got,
        absl::StrCat("a finite number of at least 1, without "
                     "which rope_scaling = ",
                     c.rope_scaling, " says nothing; 4 for instance"));
  }
  if (std::isfinite(c.rope_factor) && c.rope_factor >= 1) {
    return absl::OkStatus();
  }
  return FieldError("rope_factor", got,
                    "a finite number of at least 1; nearest: 1");
}

absl::Status CheckRope(const LayerConfig& c) {
  GSA_RETURN_IF_ERROR(CheckRotated(c));
  if (!std::isfinite(c.rope_base) || c.rope_base <= 1) {
    return FieldError("rope_base", NumberText(c.rope_base),
                      "a finite number greater than 1, 10000 for instance");
  }
  GSA_RETURN_IF_ERROR(CheckRopeFactor(c));
  GSA_RETURN_IF_ERROR(CheckRange("rope_original_max_position",
                                 c.rope_original_max_position, 1,
                                 int64_t{1} << 40));
  if (!(c.rope_beta_slow > 0) || !std::isfinite(c.rope_beta_slow)) {
    return FieldError("rope_beta_slow", NumberText(c.rope_beta_slow),
                      "a finite number greater than 0, 1 for instance");
  }
  if (!(c.rope_beta_fast > c.rope_beta_slow) ||
      !std::isfinite(c.rope_beta_fast)) {
    return FieldError("rope_beta_fast", NumberText(c.rope_beta_fast),
                      absl::StrCat("a finite number greater than "
                                   "rope_beta_slow = ",
                                   NumberText(c.rope_beta_slow)));
  }
  return absl::OkStatus();
}

// A field that the others leave without effect, and because of what.
struct Unused {
  const char* key;
  const char* because;
};

std::vector<Unused> UnusedFields(const LayerConfig& c) {
  struct Rule {
    std::vector<const char*> keys;
    bool used;
    const char* because;
  };
  const Rule rules[] = {
      {{"k_min", "k_max", "adaptive_k_temperature"},
       c.k_policy != "fixed",
       "k_policy = fixed"},
      {{"adaptive_k_temperature"},
       c.k_policy != "paper_ema",
       "k_policy = paper_ema"},
      {{"rope_factor"}, c.rope_scaling != "none", "rope_scaling = none"},
      {{"rope_original_max_position", "rope_beta_fast", "rope_beta_slow"},
       c.rope_scaling == "yarn",
       "a rope_scaling other than yarn"},
      {{"gate_activation"},
       c.use_value_gate || c.use_output_gate,
       "both gates off"}};
  std::vector<Unused> unused;
  for (const Rule& rule : rules) {
    for (const char* key : rule.keys) {
      if (!rule.used) unused.push_back({key, rule.because});
    }
  }
  return unused;
}

// Of text: a key is refused even with its default as the value.
absl::Status CheckGivenAreUsed(const std::set<std::string>& given,
                               const LayerConfig& c) {
  for (const Unused& unused : UnusedFields(c)) {
    if (given.count(unused.key) == 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("layer: ", unused.key, ": has no effect with ",
                     unused.because, "; expected not to be given"));
  }
  return absl::OkStatus();
}

// Of a structure, which has all fields: they have their defaults.
absl::Status CheckChangedAreUsed(const LayerConfig& c) {
  for (const Unused& unused : UnusedFields(c)) {
    const Field& field = *FindField(unused.key);
    const std::string text = FieldText(field, c);
    // CheckRope says more about a factor.
    if (text == DefaultText(field) || field.key == string_view("rope_factor")) {
      continue;
    }
    return FieldError(field.key, text,
                      absl::StrCat(DefaultText(field),
                                   ", the default, as it has no effect with ",
                                   unused.because));
  }
  return absl::OkStatus();
}

// The published switch between the two policies that it knows.
absl::Status SetAdaptive(string_view text, LayerConfig* config) {
  bool adaptive = false;
  GSA_RETURN_IF_ERROR(SetFlag("use_adaptive_k", text, &adaptive));
  if (!adaptive) {
    config->k_policy = "fixed";
  } else if (config->k_policy == "fixed") {
    config->k_policy = "upstream_variance";
  }
  return absl::OkStatus();
}

// The field that a key sets.
std::string FieldOf(string_view key) {
  if (key == "d_head") return "head_dim";
  if (key == "use_adaptive_k") return "k_policy";
  return std::string(key);
}

}  // namespace

std::vector<LayerField> LayerFields(const LayerConfig& config) {
  std::vector<LayerField> result;
  for (const Field& field : Fields()) {
    result.emplace_back(field.key, FieldText(field, config));
  }
  return result;
}

std::string LayerConfigToString(const LayerConfig& config) {
  const LayerConfig defaults;
  std::vector<std::string> parts;
  for (const Field& field : Fields()) {
    const std::string text = FieldText(field, config);
    if (!field.always && text == FieldText(field, defaults)) continue;
    parts.push_back(absl::StrCat(field.key, "=", text));
  }
  return absl::StrJoin(parts, ", ");
}

absl::Status SetLayerField(string_view key, string_view value,
                           LayerConfig* config) {
  if (key == "use_adaptive_k") return SetAdaptive(value, config);
  const Field* field = FindField(FieldOf(key));
  if (field == nullptr) return UnknownKey(key);
  return SetField(*field, value, config);
}

namespace {

// SetLayerFields, and the fields that were given.
absl::Status SetFields(string_view text, LayerConfig* config,
                       std::set<std::string>* given) {
  LayerConfig changed = *config;
  for (string_view part : absl::StrSplit(text, ',')) {
    part = absl::StripAsciiWhitespace(part);
    if (part.empty() && absl::StripAsciiWhitespace(text).empty()) break;
    const size_t equals = part.find('=');
    if (equals == string_view::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("layer: got '", part,
                       "', expected key=value, d_model=4096 for "
                       "instance, and commas between them"));
    }
    const string_view key =
        absl::StripTrailingAsciiWhitespace(part.substr(0, equals));
    const string_view value =
        absl::StripLeadingAsciiWhitespace(part.substr(equals + 1));
    GSA_RETURN_IF_ERROR(SetLayerField(key, value, &changed));
    if (!given->insert(FieldOf(key)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("layer: ", key, ": ", FieldOf(key), " is given twice"));
    }
  }
  *config = std::move(changed);
  return absl::OkStatus();
}

}  // namespace

absl::Status SetLayerFields(string_view text, LayerConfig* config) {
  std::set<std::string> given;
  return SetFields(text, config, &given);
}

absl::StatusOr<LayerConfig> ParseLayerConfig(string_view text) {
  LayerConfig config;
  std::set<std::string> given;
  GSA_RETURN_IF_ERROR(SetFields(text, &config, &given));
  GSA_RETURN_IF_ERROR(CheckGivenAreUsed(given, config));
  GSA_RETURN_IF_ERROR(CheckLayerConfig(config));
  return config;
}

absl::Status CheckLayerNames(const LayerConfig& config) {
  for (const Field& field : Fields()) {
    if (const auto* choice = std::get_if<Choice>(&field.member)) {
      GSA_RETURN_IF_ERROR(CheckChoice(field, *choice, config.*choice->field));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLayerConfig(const LayerConfig& config) {
  GSA_RETURN_IF_ERROR(CheckLayerNames(config));
  GSA_RETURN_IF_ERROR(CheckChangedAreUsed(config));
  GSA_RETURN_IF_ERROR(CheckSizes(config));
  GSA_RETURN_IF_ERROR(CheckScale("indexer_scale", config.indexer_scale));
  GSA_RETURN_IF_ERROR(CheckBudget(config));
  GSA_RETURN_IF_ERROR(CheckScale("softmax_scale", config.softmax_scale));
  GSA_RETURN_IF_ERROR(CheckRope(config));
  if (!IsFloat(config.dtype)) {
    return FieldError("dtype", DTypeName(config.dtype),
                      "f16, bf16, f32 or f64");
  }
  return absl::OkStatus();
}

}  // namespace gsa
