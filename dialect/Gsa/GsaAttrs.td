//===- GsaAttrs.td - enums and attributes ----------------------*- tablegen -*-===//
//
// Choices that an op may be given: activations, masks, budget policies, rotary
// scaling. Each attribute has its own verifier, so that an illegal combination
// is refused where it is written.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSAATTRS_TD
#define GSA_DIALECT_GSAATTRS_TD

include "dialect/Gsa/GsaDialect.td"

//===----------------------------------------------------------------------===//
// Enums
//===----------------------------------------------------------------------===//

class Gsa_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::mlir::gsa";
  let genSpecializedAttr = 0;
}

class Gsa_EnumAttr<Gsa_Enum enum, string mnemonic>
    : EnumAttr<Gsa_Dialect, enum, mnemonic> {
  let assemblyFormat = "`<` $value `>`";
}

def Gsa_ScoreActivation : Gsa_Enum<"ScoreActivation",
    "activation of one head's scaled dot product", [
      I32EnumAttrCase<"Sigmoid", 0, "sigmoid">,
      I32EnumAttrCase<"Relu", 1, "relu">,
      I32EnumAttrCase<"Identity", 2, "identity">]>;
def Gsa_ScoreActivationAttr
    : Gsa_EnumAttr<Gsa_ScoreActivation, "score_activation">;

def Gsa_WeightActivation : Gsa_Enum<"WeightActivation",
    "activation of the indexer's head weights", [
      I32EnumAttrCase<"Sigmoid", 0, "sigmoid">,
      I32EnumAttrCase<"Identity", 1, "identity">]>;
def Gsa_WeightActivationAttr
    : Gsa_EnumAttr<Gsa_WeightActivation, "weight_activation">;

def Gsa_GateActivation : Gsa_Enum<"GateActivation", "activation of a gate", [
      I32EnumAttrCase<"Sigmoid", 0, "sigmoid">,
      I32EnumAttrCase<"Tanh", 1, "tanh">,
      I32EnumAttrCase<"Silu", 2, "silu">]>;
def Gsa_GateActivationAttr
    : Gsa_EnumAttr<Gsa_GateActivation, "gate_activation">;

def Gsa_Mask : Gsa_Enum<"Mask", "which keys a query may see", [
      I32EnumAttrCase<"None", 0, "none">,
      I32EnumAttrCase<"Causal", 1, "causal">]>;
def Gsa_MaskAttr : Gsa_EnumAttr<Gsa_Mask, "mask"> {
  let description = [{
    `causal` is bottom-right aligned: with `Sq` queries and `Sk` keys, query
    `t` sees key `s` iff `s <= t + Sk - Sq`. A row may be empty.
  }];
}

def Gsa_Statistic : Gsa_Enum<"Statistic", "statistic of a row of scores", [
      I32EnumAttrCase<"Variance", 0, "variance">,
      I32EnumAttrCase<"Entropy", 1, "entropy">]>;
def Gsa_StatisticAttr : Gsa_EnumAttr<Gsa_Statistic, "statistic">;

def Gsa_Population : Gsa_Enum<"Population",
    "which cells of a row a statistic is taken over", [
      I32EnumAttrCase<"Visible", 0, "visible">,
      I32EnumAttrCase<"ZeroFilled", 1, "zero_filled">]>;
def Gsa_PopulationAttr : Gsa_EnumAttr<Gsa_Population, "population">;

def Gsa_IndexOrder : Gsa_Enum<"IndexOrder", "order of selected indices", [
      I32EnumAttrCase<"Index", 0, "index">,
      I32EnumAttrCase<"Score", 1, "score">]>;
def Gsa_IndexOrderAttr : Gsa_EnumAttr<Gsa_IndexOrder, "index_order">;

def Gsa_KPolicyKind : Gsa_Enum<"KPolicyKind", "how a row's budget is found", [
      I32EnumAttrCase<"Fixed", 0, "fixed">,
      I32EnumAttrCase<"UpstreamVariance", 1, "upstream_variance">,
      I32EnumAttrCase<"PaperEma", 2, "paper_ema">,
      I32EnumAttrCase<"Entropy", 3, "entropy">,
      I32EnumAttrCase<"Orth", 4, "orth">]>;

def Gsa_RopeScalingKind : Gsa_Enum<"RopeScalingKind",
    "how rotary frequencies are stretched", [
      I32EnumAttrCase<"Ntk", 0, "ntk">,
      I32EnumAttrCase<"Yarn", 1, "yarn">]>;

//===----------------------------------------------------------------------===//
// Structured attributes
//===----------------------------------------------------------------------===//

class Gsa_Attr<string name, string attrMnemonic> : AttrDef<Gsa_Dialect, name> {
  let mnemonic = attrMnemonic;
  let genVerifyDecl = 1;
}

/// A double, written and read as an MLIR float literal (exact round trip).
class Gsa_Double<string default, string desc>
    : DefaultValuedParameter<"::llvm::APFloat",
                             "::llvm::APFloat(" # default # ")", desc> {
  let parser = "::mlir::gsa::detail::parseDouble($_parser)";
  let printer = "$_printer.printFloat($_self)";
}

/// The same without a default: whoever leaves it out is told.
class Gsa_GivenDouble<string desc> : APFloatParameter<desc> {
  let parser = "::mlir::gsa::detail::parseDouble($_parser)";
  let printer = "$_printer.printFloat($_self)";
}

def Gsa_KPolicyAttr : Gsa_Attr<"KPolicy", "k_policy"> {
  let summary = "budget policy: how many keys a row keeps";
  let description = [{
    With `n` the number of visible keys of the row, `v` its statistic and
    `vbar` the normaliser:

    | kind | statistic | raw budget |
    |---|---|---|
    | `fixed` | - | `base` |
    | `upstream_variance` | unbiased variance, masked cells count as 0 | `base * (0.5 + 1 / (1 + temperature * v / (vbar + 1e-8)))` |
    | `paper_ema` | population variance of visible cells | `base * v / (vbar + 1e-8)` |
    | `entropy` | entropy of softmax over visible cells | `base * (0.5 + temperature * v / (log(n + 1) + 1e-8))` |
    | `orth` | population variance of visible cells | `base * (1 + temperature * softplus(v))` |

    A raw budget is clamped to [`min`, `max`] (not for `fixed`), rounded
    towards zero, limited to `n`, and is at least 1 if `n >= 1`. A NaN raw
    budget becomes `min` (`fixed`: `base`).

    Constraints:
    - (C1) `1 <= base <= 2^30`.
    - (C2) `1 <= min <= max <= 2^30`.
    - (C3) `temperature` is finite and not negative.
    - (C4) a policy other than `fixed` states `max`; `fixed` states neither
      `min`, `max` nor `temperature`.

    Example: `#gsa.k_policy<upstream_variance, base = 1024, min = 256, max = 4096>`.
  }];
  let parameters = (ins
    EnumParameter<Gsa_KPolicyKind>:$kind,
    "int64_t":$base,
    DefaultValuedParameter<"int64_t", "1">:$min,
    DefaultValuedParameter<"int64_t", "1 << 30">:$max,
    Gsa_Double<"1.0", "multiplies the statistic">:$temperature);
  let assemblyFormat = [{
    `<` $kind `,` custom<KPolicyFields>(ref($kind), $base, $min, $max,
                                        $temperature) `>`
  }];
  let extraClassDeclaration = [{
    /// Number of index slots that hold every possible budget: `base` for
    /// fixed, min(max, floor(1.5 * base)) for upstream_variance, else max.
    int64_t getSlots() const;
    /// Rows that see no more keys take all of them, whatever their scores, if
    /// these are numbers.
    int64_t getLeast() const;
    /// Whether the budget depends on a statistic of the row's scores.
    bool usesStatistic() const;
    /// Whether the statistic is divided by a normaliser shared by rows.
    bool usesNormaliser() const;
    /// The statistic, the population and the correction that define `v`.
    ::mlir::gsa::Statistic getStatistic() const;
    ::mlir::gsa::Population getPopulation() const;
    int64_t getCorrection() const;
  }];
}

def Gsa_ListsAttr : Gsa_Attr<"Lists", "lists"> {
  let summary = "what is known of index lists";
  let description = [{
    Each list has only keys that `mask` shows to its row, each at most once; so a
    list of as many keys as there are visible ones has all of them. A row that
    sees no more than `least` keys has all of them, but for those whose score was
    NaN or -inf. Set by `gsa-trace-lists` as `gsa.lists`.

    Constraints:
    - (C1) `least >= 0`.

    Example: `#gsa.lists<mask = causal, least = 2048>`.
  }];
  let parameters = (ins EnumParameter<Gsa_Mask>:$mask, "int64_t":$least);
  let assemblyFormat = "`<` struct($mask, $least) `>`";
}

def Gsa_RopeScalingAttr : Gsa_Attr<"RopeScaling", "rope_scaling"> {
  let summary = "stretching of rotary frequencies for long contexts";
  let description = [{
    `ntk` replaces the base by `base * factor^(D / (D - 2))`. `yarn` divides
    low frequencies by `factor`, keeps high ones and blends linearly between
    the dimensions where `original_max_position` tokens make `beta_fast` and
    `beta_slow` turns. No attention temperature is applied.

    Constraints:
    - (C1) `factor` is given, finite and at least 1.
    - (C2) `original_max_position >= 1`.
    - (C3) `beta_fast > beta_slow > 0`.

    Example: `#gsa.rope_scaling<yarn, factor = 8.0>`.
  }];
  let parameters = (ins
    EnumParameter<Gsa_RopeScalingKind>:$kind,
    Gsa_GivenDouble<"stretch">:$factor,
    DefaultValuedParameter<"int64_t", "4096">:$original_max_position,
    Gsa_Double<"32.0", "turns at which original frequencies end">:$beta_fast,
    Gsa_Double<"1.0", "turns at which stretched ones start">:$beta_slow);
  let assemblyFormat = [{
    `<` $kind `,` struct($factor, $original_max_position, $beta_fast,
                         $beta_slow) `>`
  }];
}

def Gsa_CpuScheduleAttr : Gsa_Attr<"CpuSchedule", "cpu_schedule"> {
  let summary = "how an op runs on a CPU";
  let description = [{
    Attached to an op as the discardable attribute `gsa.schedule` by
    `gsa-cpu-schedule` (or by hand) and read by the lowerings.

    - `tasks`: iterations of the one parallel loop; task i handles row blocks
      i, i + tasks, ... (cyclic, because causal rows grow with their index).
    - `lanes`: elements of the accumulator type per vector.
    - `rows`: query rows (selection) or heads (attention) that share the
      registers of one tile.
    - `vectors`: vectors along the other side of that tile.
    - `block_rows`, `block_keys`: attention works on blocks of that many rows
      (gather_attention: tokens) and keys, whose logits stay in a cache.
    - `value_vectors`: vectors along Dv in the register tile of dense_attention.
    - `prefetch`: gather_attention asks for the rows of keys that many list
      entries ahead, as no hardware prefetcher sees a pattern in them.

    Constraints:
    - (C1) `1 <= tasks <= 4096`.
    - (C2) `lanes` is a power of two in [1, 64].
    - (C3) rows and vectors are at least 1 and rows * vectors <= 64: a tile
      must fit into a register file.
    - (C4) block_rows is in [1, 4096], block_keys in [1, 65536], value_vectors
      in [1, 16], prefetch in [0, 1024].

    Example: `#gsa.cpu_schedule<tasks = 2, lanes = 16, rows = 8, vectors = 2>`.
  }];
  let parameters = (ins "int64_t":$tasks, "int64_t":$lanes, "int64_t":$rows,
                        "int64_t":$vectors,
                        DefaultValuedParameter<"int64_t", "16">:$block_rows,
                        DefaultValuedParameter<"int64_t", "256">:$block_keys,
                        DefaultValuedParameter<"int64_t", "4">:$value_vectors,
                        DefaultValuedParameter<"int64_t", "16">:$prefetch);
  let assemblyFormat = [{
    `<` struct($tasks, $lanes, $rows, $vectors, $block_rows, $block_keys,
               $value_vectors, $prefetch) `>`
  }];
}

#endif  // GSA_DIALECT_GSAATTRS_TD
