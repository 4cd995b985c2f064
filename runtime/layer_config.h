// -----------------------------------------------------------------------------
// File: layer_config.h
// -----------------------------------------------------------------------------
//
// From the configuration of a Gated Sparse Attention layer to the text of a
// module: the published layer without writing MLIR.
//
//   gsa::LayerConfig config;  // the published defaults
//   config.d_model = 2048;
//   config.n_heads = 16;
//   absl::StatusOr<std::string> text = gsa::LayerModuleText(config);
//   auto plan = gsa::Plan::Compile(*text, "layer", options);
//
// or, with what a user typed,
//
//   auto config = gsa::ParseLayerConfig("d_model=2048, n_heads=16,
//   dtype=bf16");

#ifndef GSA_RUNTIME_LAYER_CONFIG_H_
#define GSA_RUNTIME_LAYER_CONFIG_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/core/dtype.h"

namespace gsa {

// A layer. Names and defaults are those of the published layer's configuration
// where it has the field; its head size is called d_head there, a name that
// ParseLayerConfig takes as well. A field has the key of the same name.
struct LayerConfig {
  // Model size M: the last dimension of hidden_states and of output.
  int64_t d_model = 4096;
  // Query heads H, key heads G (H is a multiple of G), elements of a head D;
  // head_dim 0 is d_model / n_heads.
  int64_t n_heads = 32;
  int64_t n_kv_heads = 8;
  int64_t head_dim = 0;

  // The indexer: heads Hi, elements of a head Di.
  int64_t n_indexer_heads = 4;
  int64_t d_indexer = 64;
  // Of a scaled dot product: "sigmoid", "relu" or "identity"; of the weight of
  // an indexer head: "sigmoid" or "identity".
  std::string indexer_activation = "sigmoid";
  std::string indexer_weight_activation = "sigmoid";
  // Factor of the dot products; 0 is 1 / sqrt(d_indexer).
  double indexer_scale = 0;

  // How many keys a query keeps, in keys: "fixed", "upstream_variance",
  // "paper_ema", "entropy" or "orth" (formulas in docs/spec.md). "fixed" reads
  // k_base alone. "paper_ema" gives the module one more input, the scalar
  // "normaliser". The published use_adaptive_k = false is "fixed".
  std::string k_policy = "upstream_variance";
  int64_t k_base = 2048;
  int64_t k_min = 256;
  int64_t k_max = 4096;
  double adaptive_k_temperature = 1;
  // The first `sink` and the last `local` visible keys are kept before others.
  int64_t sink = 0;
  int64_t local = 0;

  // Gates of the values and of the output, elementwise: "sigmoid", "tanh"
  // ((tanh + 1) / 2) or "silu".
  bool use_value_gate = true;
  bool use_output_gate = true;
  std::string gate_activation = "sigmoid";

  // Factor of the logits; 0 is 1 / sqrt(head_dim).
  double softmax_scale = 0;
  // Whether query t sees the keys up to t + Sk - Sq only, or all of them.
  bool causal = true;

  // Rotary embedding of the first rope_dim elements of a head; 0 is all of
  // them. Scaling is "none", "ntk" or "yarn", the latter two by rope_factor,
  // which they need (0: not given); the last three fields are yarn's.
  double rope_base = 10000;
  int64_t rope_dim = 0;
  bool rope_interleaved = false;
  std::string rope_scaling = "none";
  double rope_factor = 0;
  int64_t rope_original_max_position = 4096;
  double rope_beta_fast = 32;
  double rope_beta_slow = 1;

  // kF16, kBF16, kF32 or kF64: of all tensors but `lse` (f32, or f64).
  DType dtype = DType::kF32;
  // The whole layer, from hidden_states [B, S, M] and weights under their
  // state-dict names to output [B, S, M]; or false: what is between the
  // projections, from query [B, Sq, H, D], key and value [B, Sk, G, D],
  // index_query [B, Sq, Hi, Di], index_key [B, Sk, Di], index_weights
  // [B, Sq, Hi], index_bias [Hi] and the logits of the gates, shaped as value
  // and query, to output [B, Sq, H, D]. There may then be more keys than
  // queries, and d_model only serves head_dim = 0.
  bool projections = true;
};

// One field as text: its key and its value. ParseLayerConfig reads it again.
using LayerField = std::pair<std::string, std::string>;

// The fields in the order of the structure.
std::vector<LayerField> LayerFields(const LayerConfig& config);

// "d_model=512, n_heads=8, ...": the fields that differ from the defaults, and
// always those that say how large the layer is.
std::string LayerConfigToString(const LayerConfig& config);

// Sets one field, or one of the published names d_head and use_adaptive_k, from
// text. InvalidArgument names the key, what was got, what is expected, and for
// an unknown key the nearest ones, or what it is called here if configurations
// elsewhere have it.
absl::Status SetLayerField(absl::string_view key, absl::string_view value,
                           LayerConfig* config);

// Sets the fields that "key=value, key=value, ..." names. InvalidArgument as
// for SetLayerField, and for a key that is given twice. Does not say whether
// the values fit together: CheckLayerConfig does. Calls that set different
// fields may thus come in any order.
absl::Status SetLayerFields(absl::string_view text, LayerConfig* config);

// SetLayerFields on the defaults, then CheckLayerConfig. InvalidArgument as
// well for a key that the others leave without effect (k_min beside
// k_policy=fixed).
absl::StatusOr<LayerConfig> ParseLayerConfig(absl::string_view text);

// InvalidArgument if a field that is one of several names has another one. Part
// of CheckLayerConfig.
absl::Status CheckLayerNames(const LayerConfig& config);

// InvalidArgument if the fields do not make a layer, or one that the others
// leave without effect has another value than its default: names the field,
// what was got, what is expected and the nearest legal value.
absl::Status CheckLayerConfig(const LayerConfig& config);

// The text of a module with the one public function @main, which returns
// output, lse [B, H, Sq], indices [B, Sq, K], counts and status [B, Sq] (names
// in gsa.name; B, S, Sq, Sk dynamic; K the largest budget). Equal
// configurations give equal texts. InvalidArgument as for CheckLayerConfig.
absl::StatusOr<std::string> LayerModuleText(const LayerConfig& config);

}  // namespace gsa

#endif  // GSA_RUNTIME_LAYER_CONFIG_H_
