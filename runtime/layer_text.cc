// -----------------------------------------------------------------------------
// File: layer_text.cc
// -----------------------------------------------------------------------------
//
// The module of a layer, written as a person would: examples/gsa_layer.mlir and
// attention_only.mlir are what these functions write at those sizes.

#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "runtime/core/status_macros.h"
#include "runtime/layer_config.h"

namespace gsa {
namespace {

using absl::StrAppend;
using absl::StrCat;

// A double as an attribute: shortest digits that read back the same, with the
// decimal point that MLIR asks for.
std::string FloatLiteral(double value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  std::string text(buffer, end);
  if (text.find('.') != std::string::npos) return text;
  const size_t exponent = std::min(text.find('e'), text.size());
  return text.insert(exponent, ".0");
}

class Writer {
 public:
  explicit Writer(const LayerConfig& config)
      : c_(config),
        head_dim_(c_.head_dim == 0 ? c_.d_model / c_.n_heads : c_.head_dim),
        type_(DTypeName(c_.dtype)),
        wide_(DTypeName(c_.dtype == DType::kF64 ? DType::kF64 : DType::kF32)),
        slots_(Slots()) {}

  std::string Write() {
    WriteHeader();
    if (c_.projections) {
      WriteProjectedInputs();
      WriteZeros();
      WriteProjections();
    } else {
      WriteGivenInputs();
    }
    WritePositions();
    WriteAttention();
    WriteReturn();
    return std::move(text_);
  }

 private:
  // ---- Types ----------------------------------------------------------------

  std::string Tensor(const std::vector<int64_t>& shape,
                     const std::string& type) const {
    std::string text = "tensor<";
    for (const int64_t size : shape) {
      StrAppend(&text, size < 0 ? "?" : StrCat(size), "x");
    }
    return StrCat(text, type, ">");
  }
  std::string Data(const std::vector<int64_t>& shape) const {
    return Tensor(shape, type_);
  }
  // [B, S, n] and [B, S, heads, size].
  std::string Flat(int64_t n) const { return Data({-1, -1, n}); }
  std::string Heads(int64_t heads, int64_t size) const {
    return Data({-1, -1, heads, size});
  }
  std::string Lse() const { return Tensor({-1, c_.n_heads, -1}, wide_); }
  std::string Indices() const { return Tensor({-1, -1, slots_}, "i32"); }
  std::string PerRow() const { return Tensor({-1, -1}, "i32"); }
  std::string Output() const {
    return c_.projections ? Flat(c_.d_model) : Heads(c_.n_heads, head_dim_);
  }
  std::vector<std::string> ResultTypes(const std::string& output) const {
    return {output, Lse(), Indices(), PerRow(), PerRow()};
  }

  // Index slots of a row: the largest budget, as the dialect derives it from
  // the policy (docs/spec.md, budget policies).
  int64_t Slots() const {
    if (c_.k_policy == "fixed") return c_.k_base;
    if (c_.k_policy != "upstream_variance") return c_.k_max;
    return std::max(c_.k_min, std::min(c_.k_max, c_.k_base * 3 / 2));
  }

  // ---- Text -----------------------------------------------------------------

  void Line(absl::string_view line) { StrAppend(&text_, line, "\n"); }

  // "// a, b, c" on lines of at most 80 columns.
  void WriteComment(const std::vector<std::string>& words) {
    std::string line = "//  ";
    for (const std::string& word : words) {
      if (line.size() + 1 + word.size() > 80) {
        Line(line);
        line = "//  ";
      }
      StrAppend(&line, " ", word);
    }
    Line(line);
  }

  void WriteHeader() {
    Line("// A Gated Sparse Attention layer, made from the configuration");
    Line("//");
    std::vector<std::string> words =
        absl::StrSplit(LayerConfigToString(c_), ' ');
    WriteComment(words);
    Line("");
    if (c_.projections) {
      Line(
          "// A projection y = x W^T with x [B, S, in], W [out, in] and y "
          "[B, S, out].");
      Line("#x = affine_map<(b, s, n, m) -> (b, s, m)>");
      Line("#w = affine_map<(b, s, n, m) -> (n, m)>");
      Line("#y = affine_map<(b, s, n, m) -> (b, s, n)>");
    }
    Line("// One number per token.");
    Line("#token = affine_map<(b, s) -> (b, s)>");
    Line("");
  }

  struct Input {
    const char* value;
    std::string type;
    const char* name;
  };

  void WriteSignature(std::vector<Input> inputs) {
    if (NeedsNormaliser()) {
      inputs.push_back({"normaliser", Tensor({}, wide_), "normaliser"});
    }
    std::vector<std::string> arguments, results;
    for (const Input& input : inputs) {
      arguments.push_back(absl::Substitute("    %$0: $1 {gsa.name = \"$2\"}",
                                           input.value, input.type,
                                           input.name));
    }
    static constexpr const char* kNames[] = {"output", "lse", "indices",
                                             "counts", "status"};
    const std::vector<std::string> types = ResultTypes(Output());
    for (size_t i = 0; i < types.size(); ++i) {
      results.push_back(StrCat(types[i], " {gsa.name = \"", kNames[i], "\"}"));
    }
    Line("func.func @main(");
    Line(StrCat(absl::StrJoin(arguments, ",\n"), ")"));
    Line(StrCat("    -> (", absl::StrJoin(results, ",\n        "), ") {"));
    Line("  %c0 = arith.constant 0 : index");
    Line("  %c1 = arith.constant 1 : index");
  }

  void WriteDim(const char* value, const char* of, int axis,
                const std::string& type) {
    Line(absl::Substitute("  %$0 = tensor.dim %$1, %c$2 : $3", value, of, axis,
                          type));
  }

  bool NeedsNormaliser() const { return c_.k_policy == "paper_ema"; }

  // ---- Core alone -----------------------------------------------------------

  void WriteGivenInputs() {
    const std::string query = Heads(c_.n_heads, head_dim_);
    const std::string key = Heads(c_.n_kv_heads, head_dim_);
    std::vector<Input> inputs = {
        {"q", query, "query"},
        {"k", key, "key"},
        {"v", key, "value"},
        {"iq", Heads(c_.n_indexer_heads, c_.d_indexer), "index_query"},
        {"ik", Flat(c_.d_indexer), "index_key"},
        {"iw", Flat(c_.n_indexer_heads), "index_weights"},
        {"ib", Data({c_.n_indexer_heads}), "index_bias"}};
    if (c_.use_value_gate) inputs.push_back({"value_gate", key, "value_gate"});
    if (c_.use_output_gate) {
      inputs.push_back({"output_gate", query, "output_gate"});
    }
    WriteSignature(std::move(inputs));
    WriteDim("B", "q", 0, query);
    WriteDim("Sq", "q", 1, query);
    WriteDim("Sk", "k", 1, key);
    Line("  %past = arith.subi %Sk, %Sq : index");
    Line("");
  }

  // ---- Projections ----------------------------------------------------------

  int64_t QueryWidth() const { return c_.n_heads * head_dim_; }
  int64_t KeyWidth() const { return c_.n_kv_heads * head_dim_; }
  int64_t IndexWidth() const { return c_.n_indexer_heads * c_.d_indexer; }

  void WriteProjectedInputs() {
    const int64_t m = c_.d_model, index_heads = c_.n_indexer_heads;
    std::vector<Input> inputs = {
        {"hidden", Flat(m), "hidden_states"},
        {"wq", Data({QueryWidth(), m}), "q_proj.weight"},
        {"wk", Data({KeyWidth(), m}), "k_proj.weight"},
        {"wv", Data({KeyWidth(), m}), "v_proj.weight"},
        {"wo", Data({m, QueryWidth()}), "o_proj.weight"},
        {"ib", Data({index_heads}), "indexer.bias"},
        {"wiq", Data({IndexWidth(), m}), "indexer.q_proj.weight"},
        {"wik", Data({c_.d_indexer, m}), "indexer.k_proj.weight"},
        {"wiw", Data({index_heads, m}), "indexer.weight_proj.weight"},
        {"biw", Data({index_heads}), "indexer.weight_proj.bias"}};
    if (c_.use_value_gate) {
      inputs.push_back(
          {"wg2", Data({KeyWidth(), m}), "value_gate.gate_proj.weight"});
      inputs.push_back(
          {"bg2", Data({KeyWidth()}), "value_gate.gate_proj.bias"});
    }
    if (c_.use_output_gate) {
      inputs.push_back(
          {"wg1", Data({QueryWidth(), m}), "output_gate.gate_proj.weight"});
      inputs.push_back(
          {"bg1", Data({QueryWidth()}), "output_gate.gate_proj.bias"});
    }
    WriteSignature(std::move(inputs));
    Line(StrCat("  %zero = arith.constant 0.0 : ", type_));
    WriteDim("B", "hidden", 0, Flat(m));
    WriteDim("S", "hidden", 1, Flat(m));
    Line("");
  }

  void WriteZeros() {
    Line("  // Where the sums of projections without bias start.");
    std::set<int64_t> written;
    for (const int64_t width :
         {QueryWidth(), KeyWidth(), IndexWidth(), c_.d_indexer, c_.d_model}) {
      if (!written.insert(width).second) continue;
      Line(
          absl::Substitute("  %zero_$0_empty = tensor.empty(%B, %S) : $1\n"
                           "  %zero_$0 = linalg.fill ins(%zero : $2)\n"
                           "      outs(%zero_$0_empty : $1) -> $1",
                           width, Flat(width), type_));
    }
    Line("");
  }

  // %<result> = <input> W^T + the start of the sum, all [B, S, n].
  void WriteContraction(const std::string& result, const char* input,
                        int64_t in, const char* weight, int64_t out,
                        const std::string& start) {
    Line(absl::Substitute(
        "  %$0 = linalg.contract indexing_maps = [#x, #w, #y]\n"
        "      ins(%$1, %$2 : $3, $4)\n"
        "      outs(%$5 : $6) -> $6",
        result, input, weight, Flat(in), Data({out, in}), start, Flat(out)));
  }

  void WriteExpansion(const char* result, const std::string& flat,
                      int64_t heads, int64_t size) {
    Line(absl::Substitute(
        "  %$0 = tensor.expand_shape %$1 [[0], [1], [2, 3]]\n"
        "      output_shape [%B, %S, $2, $3]\n"
        "      : $4 into $5",
        result, flat, heads, size, Flat(heads * size), Heads(heads, size)));
  }

  // A projection of the hidden states to heads; `bias` is null or the bias of
  // `prefix`_proj.
  void WriteHeadProjection(const char* result, const char* weight,
                           const char* bias, const char* prefix, int64_t heads,
                           int64_t size) {
    const int64_t width = heads * size;
    const std::string flat = StrCat(prefix, "_flat");
    std::string start = StrCat("zero_", width);
    if (bias != nullptr) start = WriteBias(bias, prefix, width);
    WriteContraction(flat, "hidden", c_.d_model, weight, width, start);
    WriteExpansion(result, flat, heads, size);
  }

  std::string WriteBias(const char* bias, const char* prefix, int64_t width) {
    const std::string start = StrCat(prefix, "_bias");
    Line(
        absl::Substitute("  %$0_empty = tensor.empty(%B, %S) : $1\n"
                         "  %$0 = linalg.broadcast ins(%$2 : $3)\n"
                         "      outs(%$0_empty : $1) dimensions = [0, 1]",
                         start, Flat(width), bias, Data({width})));
    return start;
  }

  void WriteProjections() {
    Line("  // Queries, keys and values.");
    WriteHeadProjection("q", "wq", nullptr, "q", c_.n_heads, head_dim_);
    WriteHeadProjection("k", "wk", nullptr, "k", c_.n_kv_heads, head_dim_);
    WriteHeadProjection("v", "wv", nullptr, "v", c_.n_kv_heads, head_dim_);
    Line("");
    if (c_.use_value_gate || c_.use_output_gate) {
      Line(
          "  // Logits of the gates; a bias is where a projection's sum "
          "starts.");
      if (c_.use_value_gate) {
        WriteHeadProjection("value_gate", "wg2", "bg2", "g2", c_.n_kv_heads,
                            head_dim_);
      }
      if (c_.use_output_gate) {
        WriteHeadProjection("output_gate", "wg1", "bg1", "g1", c_.n_heads,
                            head_dim_);
      }
      Line("");
    }
    Line(
        "  // The indexer: its queries, its one key head and the weights of "
        "its heads.");
    WriteHeadProjection("iq", "wiq", nullptr, "iq", c_.n_indexer_heads,
                        c_.d_indexer);
    WriteContraction("ik", "hidden", c_.d_model, "wik", c_.d_indexer,
                     StrCat("zero_", c_.d_indexer));
    const std::string start = WriteBias("biw", "iw", c_.n_indexer_heads);
    WriteContraction("iw", "hidden", c_.d_model, "wiw", c_.n_indexer_heads,
                     start);
    Line("");
  }

  // ---- The block ------------------------------------------------------------

  // Positions count from `first` (null: 0), one per token of each sequence.
  void WritePositionsOf(const char* result, const char* size,
                        const char* first) {
    std::string token = "%s";
    Line(absl::Substitute(
        "  %$0_empty = tensor.empty(%B, %$1) : tensor<?x?xi64>\n"
        "  %$0 = linalg.generic\n"
        "      {indexing_maps = [#token], iterator_types = [\"parallel\", "
        "\"parallel\"]}\n"
        "      outs(%$0_empty : tensor<?x?xi64>) {\n"
        "  ^bb0(%unused: i64):\n"
        "    %s = linalg.index 1 : index",
        result, size));
    if (first != nullptr) {
      Line(StrCat("    %token = arith.addi %s, %", first, " : index"));
      token = "%token";
    }
    Line(
        absl::Substitute("    %position = arith.index_cast $0 : index to i64\n"
                         "    linalg.yield %position : i64\n"
                         "  } -> tensor<?x?xi64>",
                         token));
  }

  void WritePositions() {
    if (c_.projections) {
      Line("  // Positions 0, 1, ... of each sequence.");
      WritePositionsOf("positions", "S", nullptr);
    } else {
      Line("  // Queries are the last Sq of the Sk tokens.");
      WritePositionsOf("positions", "Sq", "past");
      WritePositionsOf("key_positions", "Sk", nullptr);
    }
    Line("");
  }

  std::string Policy() const {
    if (c_.k_policy == "fixed")
      return StrCat("<fixed, base = ", c_.k_base, ">");
    std::string text = StrCat("<", c_.k_policy, ", base = ", c_.k_base,
                              ", min = ", c_.k_min, ", max = ", c_.k_max);
    if (c_.adaptive_k_temperature != 1) {
      StrAppend(&text,
                ", temperature = ", FloatLiteral(c_.adaptive_k_temperature));
    }
    return StrCat(text, ">");
  }

  std::string RopeScaling() const {
    std::string text = StrCat("#gsa.rope_scaling<", c_.rope_scaling,
                              ", factor = ", FloatLiteral(c_.rope_factor));
    if (c_.rope_scaling == "yarn") {
      StrAppend(&text, ",\n        original_max_position = ",
                c_.rope_original_max_position,
                ", beta_fast = ", FloatLiteral(c_.rope_beta_fast),
                ", beta_slow = ", FloatLiteral(c_.rope_beta_slow));
    }
    return StrCat(text, ">");
  }

  // What differs from the defaults of the op.
  std::string Attributes() const {
    std::vector<std::string> list;
    auto add_float = [&](const char* name, double value, double unless) {
      if (value == unless) return;
      list.push_back(StrCat(name, " = ", FloatLiteral(value), " : f64"));
    };
    auto add_integer = [&](const char* name, int64_t value) {
      if (value != 0) list.push_back(StrCat(name, " = ", value, " : i64"));
    };
    auto add_choice = [&](const char* name, const char* attribute,
                          const std::string& value) {
      if (value == "sigmoid") return;
      list.push_back(
          absl::Substitute("$0 = #gsa.$1<$2>", name, attribute, value));
    };
    add_float("softmax_scale", c_.softmax_scale, 0);
    add_float("index_scale", c_.indexer_scale, 0);
    add_choice("score_activation", "score_activation", c_.indexer_activation);
    add_choice("weight_activation", "weight_activation",
               c_.indexer_weight_activation);
    if (c_.use_value_gate || c_.use_output_gate) {
      add_choice("gate_activation", "gate_activation", c_.gate_activation);
    }
    if (!c_.causal) list.push_back("mask = #gsa.mask<none>");
    add_integer("sink", c_.sink);
    add_integer("local", c_.local);
    add_float("rope_base", c_.rope_base, 10000);
    add_integer("rotary_dim", c_.rope_dim);
    if (c_.rope_interleaved) list.push_back("rope_interleaved");
    if (c_.rope_scaling != "none") {
      list.push_back(StrCat("rope_scaling = ", RopeScaling()));
    }
    if (list.empty()) return "";
    return StrCat("\n      {", absl::StrJoin(list, ",\n       "), "}");
  }

  void WriteAttention() {
    const std::string query = Heads(c_.n_heads, head_dim_);
    const std::string key = Heads(c_.n_kv_heads, head_dim_);
    const std::string positions = "tensor<?x?xi64>";
    std::vector<std::string> types = {query,
                                      key,
                                      key,
                                      positions,
                                      positions,
                                      Heads(c_.n_indexer_heads, c_.d_indexer),
                                      Flat(c_.d_indexer),
                                      Flat(c_.n_indexer_heads),
                                      Data({c_.n_indexer_heads})};
    std::string gates;
    if (c_.use_value_gate) {
      gates = " value_gate %value_gate";
      types.push_back(key);
    }
    if (c_.use_output_gate) {
      gates += " output_gate %output_gate";
      types.push_back(query);
    }
    if (NeedsNormaliser()) {
      gates += " normaliser %normaliser";
      types.push_back(Tensor({}, wide_));
    }
    Line(StrCat("  // ", c_.use_value_gate ? "Value gate, rotary" : "Rotary",
                " embedding, selection, sparse attention",
                c_.use_output_gate ? ", output gate." : "."));
    Line(absl::Substitute(
        "  %$0, %lse, %indices, %counts, %status =\n"
        "      gsa.attention %q, %k, %v positions %positions, %$1\n"
        "      index %iq, %ik weights %iw bias %ib$2\n"
        "      policy $3$4",
        Attended(), c_.projections ? "positions" : "key_positions",
        gates.empty() ? "" : StrCat("\n     ", gates), Policy(), Attributes()));
    Line(StrCat("      : (", absl::StrJoin(types, ",\n         "), ")"));
    Line(StrCat("      -> (",
                absl::StrJoin(ResultTypes(query), ",\n          "), ")"));
    Line("");
  }

  const char* Attended() const {
    return c_.projections ? "attended" : "output";
  }

  void WriteReturn() {
    if (c_.projections) {
      Line("  // Output projection.");
      Line(absl::Substitute(
          "  %flat = tensor.collapse_shape %attended [[0], [1], [2, 3]]\n"
          "      : $0 into $1",
          Heads(c_.n_heads, head_dim_), Flat(QueryWidth())));
      WriteContraction("output", "flat", QueryWidth(), "wo", c_.d_model,
                       StrCat("zero_", c_.d_model));
    }
    Line("  return %output, %lse, %indices, %counts, %status");
    Line(StrCat("      : ",
                absl::StrJoin(ResultTypes(Output()), ",\n        ")));
    Line("}");
  }

  const LayerConfig& c_;
  const int64_t head_dim_;
  const std::string type_;  // T, the element type of the data
  const std::string wide_;  // A(T), of sums
  const int64_t slots_;
  std::string text_;
};

}  // namespace

absl::StatusOr<std::string> LayerModuleText(const LayerConfig& config) {
  GSA_RETURN_IF_ERROR(CheckLayerConfig(config));
  return Writer(config).Write();
}

}  // namespace gsa
