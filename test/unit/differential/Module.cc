//===- Module.cc - the text of a random module ----------------------------===//

#include "test/unit/differential/Module.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace gsa::differential {
namespace {

using reference::KPolicy;
using reference::KPolicyKind;
using reference::RopeScalingKind;
using Dims = std::vector<const char*>;

std::string Number(double value) { return absl::StrFormat("%.17e", value); }

const char* const kScoreActivations[] = {"sigmoid", "relu", "identity"};
const char* const kWeightActivations[] = {"sigmoid", "identity"};
const char* const kGateActivations[] = {"sigmoid", "tanh", "silu"};
const char* const kMasks[] = {"none", "causal"};
const char* const kPolicies[] = {"fixed", "upstream_variance", "paper_ema",
                                 "entropy", "orth"};

template <typename Enum>
std::string EnumText(const char* mnemonic, const char* const* names,
                     Enum value) {
  return absl::StrCat("#gsa.", mnemonic, "<", names[static_cast<int>(value)],
                      ">");
}

/// Entries of an attribute dictionary.
class Attributes {
 public:
  void Add(const char* name, const std::string& value) {
    entries_.push_back(absl::StrCat(name, " = ", value));
  }
  void AddUnit(const char* name) { entries_.push_back(name); }
  void AddScale(const char* name, const std::optional<double>& scale) {
    if (scale) Add(name, absl::StrCat(Number(*scale), " : f64"));
  }
  void AddInteger(const char* name, int64_t value) {
    Add(name, absl::StrCat(value, " : i64"));
  }
  std::string Text() const {
    if (entries_.empty()) return "";
    return absl::StrCat(" {", absl::StrJoin(entries_, ", "), "}");
  }

 private:
  std::vector<std::string> entries_;
};

std::string PolicyText(const KPolicy& policy) {
  std::string text = absl::StrCat("<", kPolicies[static_cast<int>(policy.kind)],
                                  ", base = ", policy.base);
  if (policy.kind != KPolicyKind::kFixed) {
    absl::StrAppend(&text, ", min = ", policy.min, ", max = ", policy.max,
                    ", temperature = ", Number(policy.temperature));
  }
  return text + ">";
}

// Texts of schedules as dialect/Gsa/GsaScheduleAttrs.td prints them.
std::string Fields(std::initializer_list<std::pair<const char*, int64_t>> all) {
  return absl::StrJoin(all, ", ", [](std::string* out, const auto& field) {
    absl::StrAppend(out, field.first, " = ", field.second);
  });
}
std::string AttentionFields(const AttentionTiles& tiles) {
  return absl::StrCat("engine = ", tiles.engine, ", ",
                      Fields({{"block_q", tiles.block_q},
                              {"block_k", tiles.block_k},
                              {"stages", tiles.stages},
                              {"producers", tiles.producers},
                              {"consumers", tiles.consumers}}));
}
std::string UnionFields(const UnionTiles& tiles) {
  return absl::StrCat("engine = wgmma, ",
                      Fields({{"queries", tiles.queries},
                              {"groups", tiles.groups},
                              {"block_k", tiles.block_k},
                              {"key_stages", tiles.key_stages},
                              {"value_stages", tiles.value_stages},
                              {"producers", tiles.producers},
                              {"table", tiles.table},
                              {"chunk", tiles.chunk}}),
                      ", per_query = <", AttentionFields(tiles.per_query), ">");
}
std::string DenseFields(const DenseTiles& tiles) {
  return absl::StrCat("engine = wgmma, ",
                      Fields({{"block_q", tiles.block_q},
                              {"block_k", tiles.block_k},
                              {"key_stages", tiles.key_stages},
                              {"value_stages", tiles.value_stages}}),
                      ", order = ", tiles.order, ", per_row = <",
                      AttentionFields(tiles.per_row), ">");
}
std::string ScoreFields(const ScoreTiles& tiles) {
  return absl::StrCat("engine = ", tiles.engine, ", ",
                      Fields({{"block_q", tiles.block_q()},
                              {"block_k", tiles.block_k},
                              {"span", tiles.span},
                              {"stages", tiles.stages},
                              {"producers", tiles.producers},
                              {"consumers", tiles.consumers}}),
                      ", boxes = ", tiles.boxes ? "true" : "false",
                      ", head_tile = ", tiles.head_tile);
}
std::string TopKFields(const TopKTiles& tiles) {
  return Fields({{"warps", tiles.warps},
                 {"bins", tiles.bins},
                 {"capacity", tiles.capacity},
                 {"chunk", tiles.chunk}});
}
std::string OnePassFields(const OnePassTiles& tiles, const std::string& exact) {
  return absl::StrCat("scores = <", ScoreFields(tiles.scores), ">, exact = <",
                      exact, ">, ",
                      Fields({{"sample", tiles.sample},
                              {"rank", tiles.rank},
                              {"capacity", tiles.capacity},
                              {"chunk", tiles.chunk},
                              {"sm_blocks", tiles.sm_blocks},
                              {"staged", tiles.staged}}));
}
std::string ShortRowsFields(const ShortRowsTiles& tiles,
                            const std::string& exact) {
  return absl::StrCat(Fields({{"rows", tiles.rows}, {"cells", tiles.cells}}),
                      ", exact = <", exact, ">");
}
std::string SplitSelectFields(const SplitSelectTiles& tiles) {
  return absl::StrCat("engine = ", tiles.engine, ", ",
                      Fields({{"block_k", tiles.block_k},
                              {"span", tiles.span},
                              {"stages", tiles.stages},
                              {"producers", tiles.producers},
                              {"consumers", tiles.consumers},
                              {"sample", tiles.sample},
                              {"rank", tiles.rank},
                              {"capacity", tiles.capacity}}),
                      ", rows = <", TopKFields(tiles.rows), ">",
                      tiles.deferred ? ", deferred = true" : "");
}
std::string SplitAttentionFields(const SplitAttentionTiles& tiles) {
  return absl::StrCat("entries = ", tiles.entries,
                      ", per_block = ", tiles.per_block, ", part = <",
                      AttentionFields(tiles.part), ">");
}

class Writer {
 public:
  explicit Writer(const Spec& spec) : spec_(spec) {
    sizes_ = {{"B", spec.b},   {"Sq", spec.sq}, {"Sk", spec.sk},
              {"H", spec.h},   {"G", spec.g},   {"D", spec.d},
              {"Dv", spec.dv}, {"Hi", spec.hi}, {"Di", spec.di}};
    bool own_slots =
        spec.family == Family::kTopK || spec.family == Family::kGather;
    sizes_["K"] = own_slots ? spec.topk.slots : spec.select.policy.Slots();
  }

  Module Write() {
    switch (spec_.family) {
      case Family::kSelect:
        Select();
        break;
      case Family::kSelectGather:
        Select();
        Gather();
        break;
      case Family::kBlock:
        Block();
        break;
      case Family::kGather:
        Input("indices", {"B", "Sq", "K"}, DType::kI32);
        Input("counts", {"B", "Sq"}, DType::kI32);
        Gather();
        break;
      case Family::kDense:
        Dense();
        break;
      case Family::kFusable:
      case Family::kUnfused:
        Chain();
        break;
      case Family::kIndexScores:
        Scores();
        Return("scores");
        break;
      default:
        Single();
    }
    return Finish();
  }

 private:
  std::string Type(const Dims& dims, DType dtype) const {
    std::string text = "tensor<";
    for (const char* dim : dims) {
      std::string name = dim;
      bool is_free = name == "B" || name == "Sq" || name == "Sk";
      absl::StrAppend(
          &text,
          spec_.dynamic && is_free ? "?" : std::to_string(sizes_.at(name)),
          "x");
    }
    return absl::StrCat(text, DTypeName(dtype), ">");
  }

  /// Declares a function argument of the same name; returns "%name".
  std::string Input(const std::string& name, const Dims& dims, DType dtype) {
    std::string type = Type(dims, dtype);
    arguments_.push_back(absl::StrCat("    %", name, ": ", type,
                                      " {gsa.name = \"", name, "\"}"));
    TensorSpec input{name, dtype, {}};
    for (const char* dim : dims) input.shape.push_back(sizes_.at(dim));
    module_.inputs.push_back(std::move(input));
    types_[name] = type;
    return "%" + name;
  }
  /// Names a value that an op defines.
  void Define(const std::string& name, const Dims& dims, DType dtype) {
    types_[name] = Type(dims, dtype);
  }
  void Return(const std::string& name) { returned_.push_back(name); }

  std::string Types(const std::vector<std::string>& names) const {
    return absl::StrJoin(names, ", ",
                         [&](std::string* out, const std::string& name) {
                           out->append(types_.at(name));
                         });
  }

  /// Appends `%results = <op> : (operands) -> (results)`. `op` holds
  /// everything up to the colon, `operands` the names in order.
  void Op(const std::vector<std::string>& results, const std::string& op,
          const std::vector<std::string>& operands) {
    absl::StrAppend(
        &body_, "  ",
        absl::StrJoin(results, ", ",
                      [](std::string* out, const std::string& name) {
                        absl::StrAppend(out, "%", name);
                      }),
        " = ", op, " : (", Types(operands), ") -> (", Types(results), ")\n");
  }

  /// The operands of the indexer after the two mandatory ones.
  void IndexOperands(std::string* op, std::vector<std::string>* operands) {
    if (spec_.weights) {
      absl::StrAppend(
          op, " weights ",
          Input("index_weights", {"B", "Sq", "Hi"}, spec_.weights_dtype));
      operands->push_back("index_weights");
    }
    if (spec_.bias) {
      absl::StrAppend(op, " bias ",
                      Input("index_bias", {"Hi"}, spec_.bias_dtype));
      operands->push_back("index_bias");
    }
  }
  std::string IndexOp(const char* name, std::vector<std::string>* operands) {
    std::string query =
        Input("index_query", {"B", "Sq", "Hi", "Di"}, spec_.dtype);
    std::string key = Input("index_key", {"B", "Sk", "Di"}, spec_.dtype);
    std::string op = absl::StrCat(name, " ", query, ", ", key);
    *operands = {"index_query", "index_key"};
    IndexOperands(&op, operands);
    return op;
  }
  void AddIndexAttributes(Attributes* attributes, const char* scale) const {
    const reference::SelectOptions& select = spec_.select;
    attributes->AddScale(scale, select.scale);
    attributes->Add("score_activation",
                    EnumText("score_activation", kScoreActivations,
                             select.score_activation));
    attributes->Add("weight_activation",
                    EnumText("weight_activation", kWeightActivations,
                             select.weight_activation));
    attributes->Add("mask", EnumText("mask", kMasks, select.mask));
  }
  void AddForced(Attributes* attributes) const {
    attributes->AddInteger("sink", spec_.select.sink);
    attributes->AddInteger("local", spec_.select.local);
  }
  void DefineLists() {
    Define("indices", {"B", "Sq", "K"}, DType::kI32);
    for (const char* name : {"counts", "status"}) {
      Define(name, {"B", "Sq"}, DType::kI32);
    }
  }
  void ReturnLists() {
    for (const char* name : {"indices", "counts", "status"}) Return(name);
  }
  void AddNormaliser(std::string* op, std::vector<std::string>* operands) {
    if (!spec_.normaliser) return;
    absl::StrAppend(op, " normaliser ", Input("normaliser", {}, spec_.acc()));
    operands->push_back("normaliser");
  }

  void AddLengths(std::string* op, std::vector<std::string>* operands) {
    if (!spec_.lengths) return;
    if (!types_.count("lengths")) Input("lengths", {"B"}, DType::kI32);
    absl::StrAppend(op, " lengths %lengths");
    operands->push_back("lengths");
  }

  void AddSchedule(Attributes* attributes, const char* mnemonic,
                   const std::string& fields) const {
    attributes->Add("gsa.schedule",
                    absl::StrCat("#gsa.", mnemonic, "<", fields, ">"));
  }
  void AddAttentionSchedule(Attributes* attributes) const {
    if (spec_.schedules.attention) {
      AddSchedule(attributes, "attention_schedule",
                  AttentionFields(*spec_.schedules.attention));
    }
  }
  void AddTopKSchedule(Attributes* attributes) const {
    if (spec_.schedules.topk) {
      AddSchedule(attributes, "topk_schedule",
                  TopKFields(*spec_.schedules.topk));
    }
  }

  void Select() {
    std::vector<std::string> operands;
    std::string op = IndexOp("gsa.select", &operands);
    AddNormaliser(&op, &operands);
    AddLengths(&op, &operands);
    Attributes attributes;
    AddIndexAttributes(&attributes, "scale");
    AddForced(&attributes);
    if (spec_.assume_finite) attributes.AddUnit("assume_finite");
    if (spec_.schedules.scores && spec_.schedules.topk) {
      std::string exact =
          absl::StrCat("scores = <", ScoreFields(*spec_.schedules.scores),
                       ">, topk = <", TopKFields(*spec_.schedules.topk), ">");
      if (spec_.schedules.split_select) {
        AddSchedule(&attributes, "split_select_schedule",
                    SplitSelectFields(*spec_.schedules.split_select));
      } else if (spec_.schedules.one_pass) {
        AddSchedule(&attributes, "one_pass_schedule",
                    OnePassFields(*spec_.schedules.one_pass, exact));
      } else if (spec_.schedules.short_rows) {
        AddSchedule(&attributes, "short_rows_schedule",
                    ShortRowsFields(*spec_.schedules.short_rows, exact));
      } else {
        AddSchedule(&attributes, "select_schedule", exact);
      }
    }
    absl::StrAppend(&op, " policy ", PolicyText(spec_.select.policy),
                    attributes.Text());
    DefineLists();
    Op({"indices", "counts", "status"}, op, operands);
    ReturnLists();
  }

  std::vector<std::string> AttentionInputs() {
    Input("query", {"B", "Sq", "H", "D"}, spec_.dtype);
    Input("key", {"B", "Sk", "G", "D"}, spec_.dtype);
    Input("value", {"B", "Sk", "G", "Dv"}, spec_.dtype);
    Define("output", {"B", "Sq", "H", "Dv"}, spec_.dtype);
    Define("lse", {"B", "H", "Sq"}, spec_.acc());
    Return("output");
    Return("lse");
    return {"query", "key", "value"};
  }
  std::string AddGate(std::vector<std::string>* operands) {
    if (!spec_.fused_gate) return "";
    Dims dims = {"B", "Sq", "H", "Dv"};
    if (spec_.gate_per_head) dims.pop_back();
    operands->push_back("gate");
    return " gate " + Input("gate", dims, spec_.gate_dtype);
  }
  void AddGateActivation(Attributes* attributes) const {
    if (!spec_.fused_gate) return;
    attributes->Add(
        "gate_activation",
        EnumText("gate_activation", kGateActivations, spec_.gate_activation));
  }

  /// Attention over lists or over all keys, whole or in parts.
  void Attend(const char* name, bool listed) {
    std::vector<std::string> operands = AttentionInputs();
    std::string keys = "%query, %key, %value";
    if (listed) {
      absl::StrAppend(&keys, " indices %indices, %counts");
      operands.insert(operands.end(), {"indices", "counts"});
    }
    Attributes attributes;
    attributes.AddScale("scale", spec_.softmax_scale);
    if (!listed) {
      attributes.Add("mask", EnumText("mask", kMasks, spec_.select.mask));
    }
    if (spec_.schedules.split_attention && listed && spec_.parts == 0) {
      AddSchedule(&attributes, "split_attention_schedule",
                  SplitAttentionFields(*spec_.schedules.split_attention));
    } else if (spec_.schedules.shared && listed) {
      AddSchedule(&attributes, "union_schedule",
                  UnionFields(*spec_.schedules.shared));
    } else if (spec_.schedules.dense && !listed) {
      AddSchedule(&attributes, "dense_schedule",
                  DenseFields(*spec_.schedules.dense));
    } else {
      AddAttentionSchedule(&attributes);
    }
    if (spec_.parts > 0) {
      AddLengths(&keys, &operands);
      MergeParts(keys, operands, attributes, listed ? "K" : "Sk");
      return;
    }
    keys += AddGate(&operands);
    AddLengths(&keys, &operands);
    AddGateActivation(&attributes);
    Op({"output", "lse"}, absl::StrCat(name, " ", keys, attributes.Text()),
       operands);
  }
  /// Ranges of one size, of which the last ends behind the last entry of `dim`
  /// or has none.
  void MergeParts(const std::string& keys,
                  const std::vector<std::string>& operands,
                  const Attributes& attributes, const char* dim) {
    int64_t size = sizes_.at(dim) / spec_.parts + 1;
    std::vector<std::string> outputs, lses;
    for (int64_t i = 0; i < spec_.parts; ++i) {
      outputs.push_back(absl::StrCat("output", i));
      lses.push_back(absl::StrCat("lse", i));
      Define(outputs.back(), {"B", "Sq", "H", "Dv"}, spec_.acc());
      Define(lses.back(), {"B", "H", "Sq"}, spec_.acc());
      Op({outputs.back(), lses.back()},
         absl::StrCat("gsa.partial_attention ", keys, " first ", i * size,
                      " size ", size, attributes.Text()),
         operands);
    }
    std::string op =
        absl::StrCat("gsa.merge_attention %", absl::StrJoin(outputs, ", %"),
                     " lse %", absl::StrJoin(lses, ", %"));
    std::vector<std::string> merged = outputs;
    merged.insert(merged.end(), lses.begin(), lses.end());
    op += AddGate(&merged);
    Attributes type;
    type.Add("element_type", DTypeName(spec_.dtype));
    AddGateActivation(&type);
    Op({"output", "lse"}, op + type.Text(), merged);
  }
  void Gather() { Attend("gsa.gather_attention", /*listed=*/true); }
  void Dense() { Attend("gsa.dense_attention", /*listed=*/false); }

  void AddRope(Attributes* attributes, const char* base,
               const char* interleaved, const char* scaling) const {
    const reference::RopeOptions& rope = spec_.rope;
    attributes->Add(base, absl::StrCat(Number(rope.base), " : f64"));
    if (rope.rotary_dim) attributes->AddInteger("rotary_dim", *rope.rotary_dim);
    if (rope.interleaved) attributes->AddUnit(interleaved);
    if (rope.scaling.kind == RopeScalingKind::kNone) return;
    bool yarn = rope.scaling.kind == RopeScalingKind::kYarn;
    std::string text = absl::StrCat("#gsa.rope_scaling<", yarn ? "yarn" : "ntk",
                                    ", factor = ", Number(rope.scaling.factor));
    if (yarn) {
      absl::StrAppend(&text, ", original_max_position = ",
                      rope.scaling.original_max_position,
                      ", beta_fast = ", Number(rope.scaling.beta_fast),
                      ", beta_slow = ", Number(rope.scaling.beta_slow));
    }
    attributes->Add(scaling, text + ">");
  }
  void Block() {
    std::vector<std::string> operands = AttentionInputs();
    Input("positions", {"B", "Sq"}, DType::kI64);
    Input("key_positions", {"B", "Sk"}, DType::kI64);
    std::vector<std::string> index;
    std::string op = absl::StrCat(
        "gsa.attention %query, %key, %value positions %positions, "
        "%key_positions ",
        IndexOp("index", &index));
    operands.insert(operands.end(), {"positions", "key_positions"});
    operands.insert(operands.end(), index.begin(), index.end());
    if (spec_.value_gate) {
      absl::StrAppend(
          &op, " value_gate ",
          Input("value_gate", {"B", "Sk", "G", "Dv"}, spec_.gate_dtype));
      operands.push_back("value_gate");
    }
    if (spec_.output_gate) {
      absl::StrAppend(
          &op, " output_gate ",
          Input("output_gate", {"B", "Sq", "H", "Dv"}, spec_.gate_dtype));
      operands.push_back("output_gate");
    }
    AddNormaliser(&op, &operands);
    AddLengths(&op, &operands);
    Attributes attributes;
    AddIndexAttributes(&attributes, "index_scale");
    AddForced(&attributes);
    attributes.AddScale("softmax_scale", spec_.softmax_scale);
    attributes.Add(
        "gate_activation",
        EnumText("gate_activation", kGateActivations, spec_.gate_activation));
    AddRope(&attributes, "rope_base", "rope_interleaved", "rope_scaling");
    if (spec_.assume_finite) attributes.AddUnit("assume_finite");
    absl::StrAppend(&op, " policy ", PolicyText(spec_.select.policy),
                    attributes.Text());
    DefineLists();
    Op({"output", "lse", "indices", "counts", "status"}, op, operands);
    ReturnLists();
  }

  void Scores() {
    std::vector<std::string> operands;
    std::string op = IndexOp("gsa.index_scores", &operands);
    AddLengths(&op, &operands);
    Attributes attributes;
    AddIndexAttributes(&attributes, "scale");
    if (spec_.schedules.scores) {
      AddSchedule(&attributes, "score_schedule",
                  ScoreFields(*spec_.schedules.scores));
    }
    Define("scores", {"B", "Sq", "Sk"}, spec_.acc());
    Op({"scores"}, op + attributes.Text(), operands);
  }
  void Statistics(const reference::RowStatisticsOptions& options) {
    Attributes attributes;
    attributes.Add("statistic",
                   options.statistic == reference::Statistic::kEntropy
                       ? "#gsa.statistic<entropy>"
                       : "#gsa.statistic<variance>");
    attributes.Add("population",
                   options.population == reference::Population::kVisible
                       ? "#gsa.population<visible>"
                       : "#gsa.population<zero_filled>");
    attributes.AddInteger("correction", options.correction);
    AddTopKSchedule(&attributes);
    Define("statistic", {"B", "Sq"}, spec_.acc());
    Define("visible", {"B", "Sq"}, DType::kI32);
    Op({"statistic", "visible"},
       "gsa.row_statistics %scores" + attributes.Text(), {"scores"});
  }
  /// gsa.adaptive_k; without a normaliser operand the mean is `mean`.
  void Budget() {
    const KPolicy& policy = spec_.select.policy;
    std::string op = "gsa.adaptive_k %visible";
    std::vector<std::string> operands = {"visible"};
    if (policy.UsesStatistic()) {
      absl::StrAppend(&op, " statistic %statistic");
      operands.push_back("statistic");
    }
    if (policy.UsesNormaliser() && !spec_.normaliser) {
      absl::StrAppend(&op, " normaliser %mean");
      operands.push_back("mean");
    } else {
      AddNormaliser(&op, &operands);
    }
    Define("k", {"B", "Sq"}, DType::kI32);
    Op({"k"}, absl::StrCat(op, " policy ", PolicyText(policy)), operands);
  }
  void TopK(int64_t slots, Attributes attributes) {
    AddTopKSchedule(&attributes);
    DefineLists();
    Op({"indices", "counts", "status"},
       absl::StrCat("gsa.topk %scores, %k slots ", slots, attributes.Text()),
       {"scores", "k"});
    ReturnLists();
  }
  void Mean() {
    Define("mean", {}, spec_.acc());
    Op({"mean"}, "gsa.stat_mean %statistic", {"statistic"});
  }
  void Chain() {
    Scores();
    Statistics(reference::StatisticOf(spec_.select.policy));
    bool mean = spec_.select.policy.UsesNormaliser() && !spec_.normaliser;
    if (mean) Mean();
    Budget();
    Attributes forced;
    AddForced(&forced);
    TopK(spec_.select.policy.Slots(), forced);
    if (spec_.family == Family::kFusable) return;
    for (const char* name : {"scores", "statistic", "visible", "k"}) {
      Return(name);
    }
    if (mean) Return("mean");
  }

  void Single() {
    DType acc = spec_.acc();
    Attributes attributes;
    if (spec_.family == Family::kRowStatistics) {
      Input("scores", {"B", "Sq", "Sk"}, acc);
      Statistics(spec_.statistics);
      Return("statistic");
      Return("visible");
    } else if (spec_.family == Family::kStatMean) {
      Input("statistic", {"B", "Sq"}, acc);
      Mean();
      Return("mean");
    } else if (spec_.family == Family::kAdaptiveK) {
      Input("visible", {"B", "Sq"}, DType::kI32);
      if (spec_.select.policy.UsesStatistic()) {
        Input("statistic", {"B", "Sq"}, acc);
      }
      Budget();
      Return("k");
    } else if (spec_.family == Family::kTopK) {
      Input("scores", {"B", "Sq", "Sk"}, acc);
      Input("k", {"B", "Sq"}, DType::kI32);
      attributes.AddInteger("sink", spec_.topk.sink);
      attributes.AddInteger("local", spec_.topk.local);
      if (spec_.topk.order == reference::IndexOrder::kScore) {
        attributes.Add("order", "#gsa.index_order<score>");
      }
      TopK(spec_.topk.slots, attributes);
    } else {
      GateOrRope();
    }
  }
  void GateOrRope() {
    Attributes attributes;
    Input("input", {"B", "Sq", "H", "D"}, spec_.dtype);
    Define("output", {"B", "Sq", "H", "D"}, spec_.dtype);
    if (spec_.family == Family::kGate) {
      Dims dims = {"B", "Sq", "H", "D"};
      if (spec_.gate_per_head) dims.pop_back();
      Input("logits", dims, spec_.gate_dtype);
      attributes.Add("activation", EnumText("gate_activation", kGateActivations,
                                            spec_.gate_activation));
      Op({"output"}, "gsa.gate %input, %logits" + attributes.Text(),
         {"input", "logits"});
    } else {
      Input("positions", {"B", "Sq"}, DType::kI64);
      AddRope(&attributes, "base", "interleaved", "scaling");
      Op({"output"}, "gsa.rope %input, %positions" + attributes.Text(),
         {"input", "positions"});
    }
    Return("output");
  }

  Module Finish() {
    std::vector<std::string> results, values;
    for (const std::string& name : returned_) {
      results.push_back(
          absl::StrCat(types_.at(name), " {gsa.name = \"", name, "\"}"));
      values.push_back("%" + name);
    }
    module_.text = absl::StrCat(
        "func.func @main(\n", absl::StrJoin(arguments_, ",\n"), ")\n    -> (",
        absl::StrJoin(results, ",\n        "), ") {\n", body_, "  return ",
        absl::StrJoin(values, ", "), " : ", Types(returned_), "\n}\n");
    return std::move(module_);
  }

  const Spec& spec_;
  std::map<std::string, int64_t> sizes_;
  std::map<std::string, std::string> types_;
  std::vector<std::string> arguments_, returned_;
  std::string body_;
  Module module_;
};

}  // namespace

Module WriteModule(const Spec& spec) { return Writer(spec).Write(); }

}  // namespace gsa::differential
