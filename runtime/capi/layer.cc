// -----------------------------------------------------------------------------
// File: layer.cc
// -----------------------------------------------------------------------------
//
// Layers of the C API: gsa_layer_config is LayerConfig with the growth rule.

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "runtime/capi/internal.h"
#include "runtime/core/status_macros.h"
#include "runtime/layer_config.h"

namespace gsa {
namespace capi {
namespace {

// Calls visit(c.field, cpp.field) for every field that both structures have as
// it is: sizes and factors.
template <typename C, typename Cpp, typename Visit>
void ForEachNumber(C& c, Cpp& cpp, Visit&& visit) {
  visit(c.d_model, cpp.d_model);
  visit(c.n_heads, cpp.n_heads);
  visit(c.n_kv_heads, cpp.n_kv_heads);
  visit(c.head_dim, cpp.head_dim);
  visit(c.n_indexer_heads, cpp.n_indexer_heads);
  visit(c.d_indexer, cpp.d_indexer);
  visit(c.indexer_scale, cpp.indexer_scale);
  visit(c.k_base, cpp.k_base);
  visit(c.k_min, cpp.k_min);
  visit(c.k_max, cpp.k_max);
  visit(c.adaptive_k_temperature, cpp.adaptive_k_temperature);
  visit(c.sink, cpp.sink);
  visit(c.local, cpp.local);
  visit(c.softmax_scale, cpp.softmax_scale);
  visit(c.rope_base, cpp.rope_base);
  visit(c.rope_dim, cpp.rope_dim);
  visit(c.rope_factor, cpp.rope_factor);
  visit(c.rope_original_max_position, cpp.rope_original_max_position);
  visit(c.rope_beta_fast, cpp.rope_beta_fast);
  visit(c.rope_beta_slow, cpp.rope_beta_slow);
}

// visit(name, c.field, cpp.field) for the fields that are 0 or 1 here.
template <typename C, typename Cpp, typename Visit>
void ForEachFlag(C& c, Cpp& cpp, Visit&& visit) {
  visit("use_value_gate", c.use_value_gate, cpp.use_value_gate);
  visit("use_output_gate", c.use_output_gate, cpp.use_output_gate);
  visit("rope_interleaved", c.rope_interleaved, cpp.rope_interleaved);
  visit("causal", c.causal, cpp.causal);
  visit("projections", c.projections, cpp.projections);
}

// visit(c.field, cpp.field) for the fields that are names.
template <typename C, typename Cpp, typename Visit>
void ForEachName(C& c, Cpp& cpp, Visit&& visit) {
  visit(c.indexer_activation, cpp.indexer_activation);
  visit(c.indexer_weight_activation, cpp.indexer_weight_activation);
  visit(c.k_policy, cpp.k_policy);
  visit(c.gate_activation, cpp.gate_activation);
  visit(c.rope_scaling, cpp.rope_scaling);
}

// A constant equal to `name`, which is one of those that a field may have.
const char* Constant(const std::string& name) {
  static constexpr const char* kNames[] = {"sigmoid",
                                           "relu",
                                           "identity",
                                           "tanh",
                                           "silu",
                                           "fixed",
                                           "upstream_variance",
                                           "paper_ema",
                                           "entropy",
                                           "orth",
                                           "none",
                                           "ntk",
                                           "yarn"};
  for (const char* known : kNames) {
    if (name == known) return known;
  }
  return nullptr;
}

absl::StatusOr<LayerConfig> ToCpp(const gsa_layer_config& c) {
  LayerConfig cpp;
  ForEachNumber(c, cpp, [](const auto& from, auto& to) { to = from; });
  ForEachName(c, cpp, [](const char* from, std::string& to) {
    if (from != nullptr) to = from;
  });
  absl::Status status;
  ForEachFlag(c, cpp, [&](const char* name, int32_t from, bool& to) {
    to = from == 1;
    if (from == 0 || from == 1 || !status.ok()) return;
    status = absl::InvalidArgumentError(
        absl::StrCat("layer: ", name, ": got ", from, ", expected 0 or 1"));
  });
  GSA_RETURN_IF_ERROR(status);
  const absl::optional<DType> dtype = FromWord(c.dtype);
  if (!dtype.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("layer: dtype: got the word ", c.dtype,
                     ", expected GSA_F16, GSA_BF16, GSA_F32 or GSA_F64"));
  }
  cpp.dtype = *dtype;
  return cpp;
}

absl::Status WriteConfig(const LayerConfig& cpp, gsa_layer_config* config) {
  gsa_layer_config c = {};
  ForEachNumber(c, cpp, [](auto& to, const auto& from) { to = from; });
  ForEachFlag(c, cpp,
              [](const char*, int32_t& to, bool from) { to = from ? 1 : 0; });
  absl::Status status;
  ForEachName(c, cpp, [&](const char*& to, const std::string& from) {
    to = Constant(from);
    if (to == nullptr) {
      status = absl::InternalError(absl::StrCat("no constant '", from, "'"));
    }
  });
  GSA_RETURN_IF_ERROR(status);
  c.dtype = ToWord(cpp.dtype);
  return Write("config", c, config);
}

absl::Status Set(gsa_layer_config* config, const char* text) {
  if (text == nullptr) return NullError("text");
  GSA_ASSIGN_OR_RETURN(gsa_layer_config read, Read("config", config));
  GSA_ASSIGN_OR_RETURN(LayerConfig cpp, ToCpp(read));
  // Names that the caller wrote are judged before they are kept.
  GSA_RETURN_IF_ERROR(CheckLayerNames(cpp));
  GSA_RETURN_IF_ERROR(SetLayerFields(text, &cpp));
  return WriteConfig(cpp, config);
}

absl::Status Module(const gsa_layer_config* config, char** text,
                    size_t* length) {
  if (text == nullptr) return NullError("text");
  *text = nullptr;
  if (length == nullptr) return NullError("length");
  *length = 0;
  GSA_ASSIGN_OR_RETURN(gsa_layer_config read, Read("config", config));
  GSA_ASSIGN_OR_RETURN(LayerConfig cpp, ToCpp(read));
  GSA_ASSIGN_OR_RETURN(std::string module, LayerModuleText(cpp));
  char* memory = static_cast<char*>(gsa_alloc(module.size() + 1));
  if (memory == nullptr) return absl::ResourceExhaustedError("out of memory");
  std::memcpy(memory, module.c_str(), module.size() + 1);
  *text = memory;
  *length = module.size();
  return absl::OkStatus();
}

}  // namespace
}  // namespace capi
}  // namespace gsa

using gsa::capi::Guard;

gsa_status* gsa_layer_config_init(gsa_layer_config* config) {
  return Guard(
      [&] { return gsa::capi::WriteConfig(gsa::LayerConfig(), config); });
}

gsa_status* gsa_layer_config_set(gsa_layer_config* config, const char* text) {
  return Guard([&] { return gsa::capi::Set(config, text); });
}

gsa_status* gsa_layer_module(const gsa_layer_config* config, char** text,
                             size_t* length) {
  return Guard([&] { return gsa::capi::Module(config, text, length); });
}
