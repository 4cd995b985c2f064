//===- Layer.h - the whole published layer ----------------------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_LAYER_H_
#define GSA_TEST_REFERENCE_LAYER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "test/reference/Rope.h"
#include "test/reference/Select.h"
#include "test/reference/Tensor.h"
#include "test/reference/Types.h"

namespace gsa::reference {

/// Parameters by their published names; weights are [out, in]:
///
///   q_proj.weight [H*D, M]   k_proj.weight [G*D, M]   v_proj.weight [G*D, M]
///   o_proj.weight [M, H*D]
///   indexer.q_proj.weight [Hi*Di, M]         indexer.k_proj.weight [Di, M]
///   indexer.weight_proj.{weight [Hi, M], bias [Hi]}      indexer.bias [Hi]
///   value_gate.gate_proj.{weight [G*D or G, M], bias}
///   output_gate.gate_proj.{weight [H*D or H, M], bias}
///
/// A gate with one row per head scales whole heads.
using StateDict = std::map<std::string, Tensor<double>>;

struct LayerConfig {
  int64_t num_heads = 0;     ///< H
  int64_t num_kv_heads = 0;  ///< G
  int64_t head_dim = 0;      ///< D
  SelectOptions select;      ///< Policy, mask, activations of the indexer
  bool use_value_gate = true;
  bool use_output_gate = true;
  GateActivation gate_activation = GateActivation::kSigmoid;
  RopeOptions rope;
  std::optional<double> softmax_scale;
  int num_threads = 1;  ///< Also of the selection.
};

/// What a layer remembers of earlier tokens, ready for use.
struct LayerCache {
  Tensor<double> key;        ///< [B, Sk, G, D], rotated
  Tensor<double> value;      ///< [B, Sk, G, D], gated
  Tensor<double> index_key;  ///< [B, Sk, Di]
};

struct LayerResult {
  Tensor<double> output;   ///< [B, S, M]
  Tensor<double> lse;      ///< [B, H, S]
  Tensor<double> query;    ///< [B, S, H, D], rotated; for metrics
  SelectResult selection;  ///< Over all Sk keys
  LayerCache cache;        ///< Past and new tokens
};

/// The layer on `hidden` [B, S, M]. `positions` [B, S] is absent for
/// past, past + 1, ...; `past` is absent for a prompt. Throws for a missing,
/// unknown or misshapen parameter.
LayerResult Layer(const Tensor<double>& hidden, const StateDict& parameters,
                  const LayerConfig& config,
                  const Tensor<int64_t>* positions = nullptr,
                  const LayerCache* past = nullptr);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_LAYER_H_
