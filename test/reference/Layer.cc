//===- Layer.cc - the whole published layer -------------------------------===//
//
//   1. q, k, v   = projections of h
//   2. v         <- gate(v, W_g2 h + b_g2)           before caching
//   3. q, k      <- rope
//   4. the cache receives k, v and the index keys
//   5. selection with q_I = W_Iq h, k_I = W_Ik h, w = W_Iw h + b_w
//   6. o         = attention over the selected keys
//   7. o         <- gate(o, W_g1 h + b_g1)           the query token's h
//   8. y         = W_o o
//
// The index keys are cached as well: a decoded token chooses among all tokens
// of its past, not only among the new ones.
//
//===----------------------------------------------------------------------===//

#include "test/reference/Layer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "test/reference/Gate.h"
#include "test/reference/GatherAttention.h"
#include "test/reference/Linear.h"

namespace gsa::reference {
namespace {

constexpr char kValueGate[] = "value_gate.gate_proj";
constexpr char kOutputGate[] = "output_gate.gate_proj";

/// Refuses names that the layer would not read, such as a bias of q_proj.
void CheckNames(const StateDict& parameters) {
  static const std::set<std::string> kKnown = {"q_proj.weight",
                                               "k_proj.weight",
                                               "v_proj.weight",
                                               "o_proj.weight",
                                               "indexer.bias",
                                               "indexer.q_proj.weight",
                                               "indexer.k_proj.weight",
                                               "indexer.weight_proj.weight",
                                               "indexer.weight_proj.bias",
                                               "value_gate.gate_proj.weight",
                                               "value_gate.gate_proj.bias",
                                               "output_gate.gate_proj.weight",
                                               "output_gate.gate_proj.bias"};
  for (const auto& [name, tensor] : parameters) {
    Require(kKnown.count(name) != 0, "unknown parameter " + name);
  }
}

/// The projections of one call.
class Projections {
 public:
  Projections(const Tensor<double>& hidden, const StateDict& parameters,
              int num_threads)
      : hidden_(hidden), parameters_(parameters), num_threads_(num_threads) {}

  const Tensor<double>& Parameter(const std::string& name) const {
    auto it = parameters_.find(name);
    Require(it != parameters_.end(), "parameter " + name + " is missing");
    return it->second;
  }

  /// W h (+ b), [B, S, out].
  Tensor<double> Project(const std::string& name, bool has_bias) const {
    const Tensor<double>* bias =
        has_bias ? &Parameter(name + ".bias") : nullptr;
    return Linear(hidden_, Parameter(name + ".weight"), bias, num_threads_);
  }

  /// W h (+ b) as [B, S, heads, depth].
  Tensor<double> ProjectHeads(const std::string& name, bool has_bias,
                              int64_t heads, int64_t depth) const {
    Tensor<double> flat = Project(name, has_bias);
    Require(flat.dim(2) == heads * depth,
            name + ".weight has " + std::to_string(flat.dim(2)) +
                " rows, expected " + std::to_string(heads * depth));
    return Tensor<double>({flat.dim(0), flat.dim(1), heads, depth},
                          std::move(flat.values()));
  }

  /// Gate logits, elementwise or one per head as the weight has rows.
  Tensor<double> ProjectGate(const std::string& name, int64_t heads,
                             int64_t depth) const {
    if (Parameter(name + ".weight").dim(0) == heads) return Project(name, true);
    return ProjectHeads(name, true, heads, depth);
  }

 private:
  const Tensor<double>& hidden_;
  const StateDict& parameters_;
  int num_threads_;
};

/// Appends along axis 1; `past` may be null.
Tensor<double> Append(const char* name, const Tensor<double>* past,
                      Tensor<double> fresh) {
  if (!past) return fresh;
  Shape shape = fresh.shape();
  Require(past->rank() == fresh.rank(),
          std::string("cached ") + name + " has shape " +
              ShapeToString(past->shape()) + ", expected rank " +
              std::to_string(fresh.rank()));
  shape[1] = past->dim(1);
  RequireShape(name, *past, shape);
  shape[1] += fresh.dim(1);
  Tensor<double> joined(shape);
  for (int64_t b = 0; b < shape[0]; ++b) {
    double* end =
        std::copy(past->Slice(b), past->Slice(b + 1), joined.Slice(b));
    std::copy(fresh.Slice(b), fresh.Slice(b + 1), end);
  }
  return joined;
}

Tensor<int64_t> DefaultPositions(int64_t batch, int64_t size, int64_t past) {
  Tensor<int64_t> positions({batch, size});
  for (int64_t i = 0; i < positions.size(); ++i) {
    positions[i] = past + i % size;
  }
  return positions;
}

}  // namespace

LayerResult Layer(const Tensor<double>& hidden, const StateDict& parameters,
                  const LayerConfig& config, const Tensor<int64_t>* positions,
                  const LayerCache* past) {
  RequireRank("hidden", hidden, 3);
  CheckNames(parameters);
  int64_t batch = hidden.dim(0), size = hidden.dim(1);
  int64_t heads = config.num_heads, groups = config.num_kv_heads;
  int64_t depth = config.head_dim;
  Projections h(hidden, parameters, config.num_threads);

  Tensor<double> query = h.ProjectHeads("q_proj", false, heads, depth);
  Tensor<double> key = h.ProjectHeads("k_proj", false, groups, depth);
  Tensor<double> value = h.ProjectHeads("v_proj", false, groups, depth);
  if (config.use_value_gate) {
    value = Gate(value, h.ProjectGate(kValueGate, groups, depth),
                 config.gate_activation);
  }
  Tensor<int64_t> default_positions =
      DefaultPositions(batch, size, past ? past->key.dim(1) : 0);
  if (!positions) positions = &default_positions;

  LayerResult result;
  result.query = Rope(query, *positions, config.rope);
  result.cache.key = Append("key", past ? &past->key : nullptr,
                            Rope(key, *positions, config.rope));
  result.cache.value =
      Append("value", past ? &past->value : nullptr, std::move(value));
  result.cache.index_key =
      Append("index key", past ? &past->index_key : nullptr,
             h.Project("indexer.k_proj", false));

  Tensor<double> weights = h.Project("indexer.weight_proj", true);
  Tensor<double> index_query = h.ProjectHeads(
      "indexer.q_proj", false, weights.dim(2), result.cache.index_key.dim(2));
  SelectOptions select = config.select;
  select.num_threads = config.num_threads;
  result.selection = Select({index_query, result.cache.index_key, &weights,
                             &h.Parameter("indexer.bias")},
                            select);

  AttentionResult attended =
      GatherAttention({result.query, result.cache.key, result.cache.value},
                      result.selection.indices, result.selection.counts,
                      {config.softmax_scale, config.num_threads});
  result.lse = std::move(attended.lse);
  Tensor<double> output = std::move(attended.output);
  if (config.use_output_gate) {
    output = Gate(output, h.ProjectGate(kOutputGate, heads, depth),
                  config.gate_activation);
  }
  Tensor<double> flat({batch, size, heads * depth}, std::move(output.values()));
  result.output =
      Linear(flat, h.Parameter("o_proj.weight"), nullptr, config.num_threads);
  return result;
}

}  // namespace gsa::reference
