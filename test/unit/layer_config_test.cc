// -----------------------------------------------------------------------------
// File: layer_config_test.cc
// -----------------------------------------------------------------------------
//
// The builder of layers: its modules are those of examples/, every
// configuration that it accepts is a legal module, and what it refuses it
// refuses by the field's name.

#include "runtime/layer_config.h"

#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dialect/Gsa/GsaOps.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/compiler.h"

namespace gsa {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class LayerTest : public ::testing::Test {
 protected:
  LayerTest()
      : registry_(Dialects()),
        context_(registry_, mlir::MLIRContext::Threading::DISABLED) {}

  static mlir::DialectRegistry Dialects() {
    mlir::DialectRegistry registry;
    RegisterCompilerDialects(registry);
    return registry;
  }

  absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>> Parse(
      const std::string& text) {
    return ParseModule(text, "layer", &context_);
  }

  // A module without the names and the layout of its text.
  std::string Normal(const std::string& text) {
    auto module = Parse(text);
    EXPECT_TRUE(module.ok()) << module.status() << "\n" << text;
    std::string printed;
    llvm::raw_string_ostream stream(printed);
    if (module.ok()) (*module)->print(stream);
    return printed;
  }

  mlir::DialectRegistry registry_;
  mlir::MLIRContext context_;
};

std::string ReadExample(const std::string& name) {
  std::ifstream file(std::string(GSA_EXAMPLES_DIR) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

std::string Text(const std::string& config) {
  absl::StatusOr<LayerConfig> parsed = ParseLayerConfig(config);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  if (!parsed.ok()) return "";
  absl::StatusOr<std::string> text = LayerModuleText(*parsed);
  EXPECT_TRUE(text.ok()) << text.status();
  return text.ok() ? *text : "";
}

std::string Error(const std::string& config) {
  absl::Status status = ParseLayerConfig(config).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << config;
  return std::string(status.message());
}

// ---- Modules ----------------------------------------------------------------

TEST_F(LayerTest, MakesTheModulesOfTheExamples) {
  EXPECT_EQ(Normal(Text("d_model=512, n_heads=8, n_kv_heads=2, k_base=512, "
                        "k_min=128, k_max=768")),
            Normal(ReadExample("gsa_layer.mlir")));
  EXPECT_EQ(Normal(Text("d_model=8, n_heads=4, n_kv_heads=2, "
                        "n_indexer_heads=2, d_indexer=4, k_base=3, k_min=1, "
                        "k_max=4, dtype=f64")),
            Normal(ReadExample("gsa_layer_conformance.mlir")));
  EXPECT_EQ(Normal(Text("projections=false, d_model=512, n_heads=8, "
                        "n_kv_heads=2, k_base=512, k_min=128, k_max=768")),
            Normal(ReadExample("attention_only.mlir")));
}

TEST_F(LayerTest, DefaultsAreThePublishedLayer) {
  const std::string text = Text("");
  auto interface = DescribeModule(text, "layer", "");
  ASSERT_TRUE(interface.ok()) << interface.status();
  EXPECT_EQ(interface->entry, "main");
  std::vector<std::string> specs;
  for (const TensorSpec& spec : interface->inputs) {
    specs.push_back(spec.ToString());
  }
  EXPECT_THAT(
      specs,
      testing::ElementsAre(
          "hidden_states: f32[-1, -1, 4096]", "q_proj.weight: f32[4096, 4096]",
          "k_proj.weight: f32[1024, 4096]", "v_proj.weight: f32[1024, 4096]",
          "o_proj.weight: f32[4096, 4096]", "indexer.bias: f32[4]",
          "indexer.q_proj.weight: f32[256, 4096]",
          "indexer.k_proj.weight: f32[64, 4096]",
          "indexer.weight_proj.weight: f32[4, 4096]",
          "indexer.weight_proj.bias: f32[4]",
          "value_gate.gate_proj.weight: f32[1024, 4096]",
          "value_gate.gate_proj.bias: f32[1024]",
          "output_gate.gate_proj.weight: f32[4096, 4096]",
          "output_gate.gate_proj.bias: f32[4096]"));
  EXPECT_THAT(text, HasSubstr("policy <upstream_variance, base = 2048, "
                              "min = 256, max = 4096>"));
  // The largest budget is 1.5 k_base.
  EXPECT_EQ(interface->outputs[2].ToString(), "indices: i32[-1, -1, 3072]");
}

mlir::gsa::AttentionOp FindAttention(mlir::ModuleOp module) {
  mlir::gsa::AttentionOp found;
  module.walk([&](mlir::gsa::AttentionOp op) { found = op; });
  return found;
}

// Every field reaches the op, under its meaning.
TEST_F(LayerTest, FieldsBecomeAttributes) {
  auto module = Parse(
      Text("projections=false, n_heads=6, n_kv_heads=3, head_dim=20, "
           "n_indexer_heads=5, d_indexer=12, indexer_activation=relu, "
           "indexer_weight_activation=identity, indexer_scale=0.25, "
           "k_policy=entropy, k_base=7, k_min=2, k_max=9, "
           "adaptive_k_temperature=0.5, sink=3, local=4, gate_activation=silu, "
           "softmax_scale=-1e-3, causal=off, rope_base=1e6, rope_dim=10, "
           "rope_interleaved=on, rope_scaling=yarn, rope_factor=8, "
           "rope_original_max_position=2048, rope_beta_fast=16, "
           "rope_beta_slow=0.5, dtype=torch.bfloat16"));
  ASSERT_TRUE(module.ok()) << module.status();
  mlir::gsa::AttentionOp op = FindAttention(**module);
  ASSERT_TRUE(op);
  EXPECT_EQ(op.getQuery().getType().getShape().drop_front(2),
            llvm::ArrayRef<int64_t>({6, 20}));
  EXPECT_EQ(op.getKey().getType().getShape().drop_front(2),
            llvm::ArrayRef<int64_t>({3, 20}));
  EXPECT_EQ(op.getIndexQuery().getType().getShape().drop_front(2),
            llvm::ArrayRef<int64_t>({5, 12}));
  EXPECT_TRUE(op.getQuery().getType().getElementType().isBF16());
  EXPECT_TRUE(op.getLse().getType().getElementType().isF32());
  EXPECT_EQ(op.getScoreActivation(), mlir::gsa::ScoreActivation::Relu);
  EXPECT_EQ(op.getWeightActivation(), mlir::gsa::WeightActivation::Identity);
  EXPECT_EQ(op.getIndexScale()->convertToDouble(), 0.25);
  mlir::gsa::KPolicyAttr policy = op.getPolicy();
  EXPECT_EQ(policy.getKind(), mlir::gsa::KPolicyKind::Entropy);
  EXPECT_EQ(policy.getBase(), 7);
  EXPECT_EQ(policy.getMin(), 2);
  EXPECT_EQ(policy.getMax(), 9);
  EXPECT_EQ(policy.getTemperature().convertToDouble(), 0.5);
  EXPECT_EQ(op.getSink(), 3);
  EXPECT_EQ(op.getLocal(), 4);
  EXPECT_EQ(op.getGateActivation(), mlir::gsa::GateActivation::Silu);
  EXPECT_EQ(op.getSoftmaxScale()->convertToDouble(), -1e-3);
  EXPECT_EQ(op.getMask(), mlir::gsa::Mask::None);
  EXPECT_EQ(op.getRopeBase().convertToDouble(), 1e6);
  EXPECT_EQ(op.getRotaryDim(), 10);
  EXPECT_TRUE(op.getRopeInterleaved());
  mlir::gsa::RopeScalingAttr scaling = op.getRopeScalingAttr();
  EXPECT_EQ(scaling.getKind(), mlir::gsa::RopeScalingKind::Yarn);
  EXPECT_EQ(scaling.getFactor().convertToDouble(), 8);
  EXPECT_EQ(scaling.getOriginalMaxPosition(), 2048);
  EXPECT_EQ(scaling.getBetaFast().convertToDouble(), 16);
  EXPECT_EQ(scaling.getBetaSlow().convertToDouble(), 0.5);
}

TEST_F(LayerTest, GatesAndNormaliserComeAndGo) {
  for (const std::string core : {"", "projections=false,"}) {
    auto none = Parse(Text(core + "use_value_gate=0,use_output_gate=0"));
    ASSERT_TRUE(none.ok()) << none.status();
    EXPECT_FALSE(FindAttention(**none).getValueGate());
    EXPECT_FALSE(FindAttention(**none).getOutputGate());
    EXPECT_FALSE(FindAttention(**none).getNormaliser());
    auto ema = Parse(Text(core + "use_value_gate=0,k_policy=paper_ema"));
    ASSERT_TRUE(ema.ok()) << ema.status();
    EXPECT_FALSE(FindAttention(**ema).getValueGate());
    EXPECT_TRUE(FindAttention(**ema).getOutputGate());
    EXPECT_TRUE(FindAttention(**ema).getNormaliser());
  }
}

// Random fields, most of them legal: what is accepted must parse and verify.
TEST_F(LayerTest, AcceptedConfigurationsAreLegalModules) {
  std::mt19937 random(7);
  auto one_of = [&](auto values) {
    return *(values.begin() + random() % values.size());
  };
  using Names = std::vector<std::string>;
  using Sizes = std::vector<int64_t>;
  int accepted = 0;
  for (int i = 0; i < 400; ++i) {
    LayerConfig c;
    c.n_kv_heads = one_of(Sizes{1, 2, 3});
    c.n_heads = c.n_kv_heads * one_of(Sizes{1, 1, 4}) + (random() % 16 == 0);
    c.head_dim = one_of(Sizes{0, 2, 3, 4, 16, 33, 64});
    c.d_model = c.n_heads * one_of(Sizes{2, 4, 5, 64}) + (random() % 8 == 0);
    c.n_indexer_heads = one_of(Sizes{1, 3, 64});
    c.d_indexer = one_of(Sizes{1, 5, 64});
    c.indexer_activation = one_of(Names{"sigmoid", "relu", "identity"});
    c.indexer_weight_activation = one_of(Names{"sigmoid", "identity"});
    c.indexer_scale = one_of(std::vector<double>{0, 1, 0.1, 3e38});
    c.k_policy = one_of(
        Names{"fixed", "upstream_variance", "paper_ema", "entropy", "orth"});
    c.k_base = one_of(Sizes{1, 2, 300, (1 << 30) - 1});
    // Half of the time fields without effect are random, too.
    const bool careful = random() % 2;
    if (!careful || c.k_policy != "fixed") {
      c.k_min = one_of(Sizes{1, 2, 300});
      c.k_max = one_of(Sizes{2, 300, (1 << 30) - 1});
      c.adaptive_k_temperature = one_of(std::vector<double>{1, 1, 0, 2.5});
    }
    c.sink = one_of(Sizes{0, 4, 1 << 30});
    c.local = one_of(Sizes{0, 1});
    c.use_value_gate = random() % 2;
    c.use_output_gate = random() % 2;
    c.gate_activation = one_of(Names{"sigmoid", "tanh", "silu"});
    c.softmax_scale = one_of(std::vector<double>{0, -1, 1e-7});
    c.causal = random() % 2;
    c.rope_base = one_of(std::vector<double>{10000, 5e5, 1.5});
    c.rope_dim = one_of(Sizes{0, 0, 2, 4});
    c.rope_interleaved = random() % 2;
    c.rope_scaling = one_of(Names{"none", "ntk", "yarn"});
    c.rope_factor = c.rope_scaling == "none" ? random() % 2 : 4;
    c.dtype = one_of(std::vector<DType>{DType::kF16, DType::kBF16, DType::kF32,
                                        DType::kF64});
    c.projections = random() % 2;
    absl::StatusOr<std::string> text = LayerModuleText(c);
    if (!text.ok()) continue;
    ++accepted;
    auto module = Parse(*text);
    ASSERT_TRUE(module.ok()) << module.status() << "\n" << *text;
    // The text as a configuration again: nothing is lost.
    absl::StatusOr<LayerConfig> again =
        ParseLayerConfig(LayerConfigToString(c));
    if (again.ok()) {
      EXPECT_EQ(LayerFields(*again), LayerFields(c));
    } else {
      // A factor of 1 is none, but may not be given.
      EXPECT_THAT(std::string(again.status().message()),
                  HasSubstr("rope_factor: has no effect"));
    }
  }
  EXPECT_GT(accepted, 60);
}

// The names that the builder knows are those of the dialect, all of them.
TEST_F(LayerTest, NamesAreTheDialects) {
  auto names = [](const std::string& key) {
    std::string message = Error(key + "=?");
    const size_t first = message.find("one of ") + 7;
    return message.substr(first);
  };
  using namespace mlir::gsa;
  auto all = [](auto stringify, uint64_t max, unsigned first = 0) {
    std::string text;
    for (unsigned i = first; i <= max; ++i) {
      text += (text.empty() ? "" : ", ") + stringify(i).str();
    }
    return text;
  };
#define GSA_ALL(Enum)                                                   \
  all([](unsigned i) { return stringify##Enum(static_cast<Enum>(i)); }, \
      getMaxEnumValFor##Enum())
  EXPECT_EQ(names("indexer_activation"), GSA_ALL(ScoreActivation));
  EXPECT_EQ(names("indexer_weight_activation"), GSA_ALL(WeightActivation));
  EXPECT_EQ(names("gate_activation"), GSA_ALL(GateActivation));
  EXPECT_EQ(names("k_policy"), GSA_ALL(KPolicyKind));
  EXPECT_EQ(names("rope_scaling"), "none, " + GSA_ALL(RopeScalingKind));
#undef GSA_ALL
}

// ---- Configurations as text -------------------------------------------------

TEST_F(LayerTest, ReadsPublishedNames) {
  absl::StatusOr<LayerConfig> config =
      ParseLayerConfig("d_head=64 ,use_adaptive_k=False,k_base=100");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->head_dim, 64);
  EXPECT_EQ(config->k_policy, "fixed");
  EXPECT_EQ(config->k_base, 100);
  config = ParseLayerConfig("use_adaptive_k=true");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->k_policy, "upstream_variance");
  EXPECT_EQ(LayerConfigToString(LayerConfig()),
            "d_model=4096, n_heads=32, n_kv_heads=8, k_base=2048, dtype=f32");
}

TEST_F(LayerTest, RefusesTextByKey) {
  EXPECT_EQ(Error("n_head=4"),
            "layer: unknown key 'n_head'; nearest: 'n_heads', 'd_head'");
  EXPECT_THAT(Error("vocabulary=4"), HasSubstr("known: d_head"));
  EXPECT_EQ(Error("n_heads=4k"),
            "layer: n_heads: got '4k', expected an integer");
  EXPECT_THAT(Error("n_heads=04"), HasSubstr("got '04'"));
  EXPECT_THAT(Error("n_heads=+4"), HasSubstr("got '+4'"));
  EXPECT_THAT(Error("n_heads="), HasSubstr("got ''"));
  EXPECT_THAT(Error("n_heads=99999999999999999999"), HasSubstr("an integer"));
  EXPECT_THAT(Error("rope_base=inf"), HasSubstr("a finite number"));
  EXPECT_THAT(Error("causal=maybe"), HasSubstr("got 'maybe', expected true"));
  EXPECT_EQ(Error("dtype=fp8"),
            "layer: dtype: got 'fp8', expected f16, bf16, f32 or f64");
  EXPECT_EQ(Error("indexer_activation=sigmod"),
            "layer: indexer_activation: got 'sigmod', expected one of sigmoid, "
            "relu, identity; nearest: 'sigmoid'");
  EXPECT_THAT(Error("n_heads=4,,"), HasSubstr("got '', expected key=value"));
  EXPECT_THAT(Error("n_heads"), HasSubstr("got 'n_heads', expected key=value"));
  EXPECT_EQ(Error("head_dim=64, d_head=64"),
            "layer: d_head: head_dim is given twice");
  EXPECT_THAT(Error("k_policy=orth,use_adaptive_k=true"),
              HasSubstr("k_policy is given twice"));
}

TEST_F(LayerTest, RefusesKeysWithoutEffect) {
  EXPECT_EQ(Error("k_policy=fixed, k_min=5"),
            "layer: k_min: has no effect with k_policy = fixed; expected not "
            "to be given");
  EXPECT_THAT(Error("use_adaptive_k=0, k_max=5000"), HasSubstr("k_max"));
  EXPECT_THAT(Error("rope_factor=2"), HasSubstr("rope_scaling = none"));
  EXPECT_THAT(Error("rope_scaling=ntk,rope_factor=2,rope_beta_fast=3"),
              HasSubstr("rope_beta_fast: has no effect"));
  EXPECT_THAT(Error("use_value_gate=0,use_output_gate=0,gate_activation=tanh"),
              HasSubstr("gate_activation: has no effect with both gates off"));
}

TEST_F(LayerTest, RefusesWhatDoesNotFitByFieldAndNearest) {
  EXPECT_EQ(Error("n_kv_heads=5"),
            "layer: n_kv_heads: got 5, expected a divisor of n_heads = 32; "
            "nearest: 4");
  EXPECT_EQ(Error("n_heads=33, n_kv_heads=3"),
            "layer: n_heads: got 33, expected a divisor of d_model = 4096 (or "
            "a head_dim); nearest: 32");
  EXPECT_EQ(Error("head_dim=65"),
            "layer: head_dim: got 65, expected an even number of at least 2, "
            "as rotary embedding turns pairs (or an even rope_dim); nearest: "
            "64");
  EXPECT_TRUE(ParseLayerConfig("head_dim=65, rope_dim=64").ok());
  EXPECT_THAT(Error("head_dim=64, rope_dim=66"),
              AllOf(HasSubstr("rope_dim: got 66"), HasSubstr("nearest: 64")));
  EXPECT_THAT(Error("head_dim=2, rope_scaling=ntk, rope_factor=2"),
              AllOf(HasSubstr("head_dim: got 2"), HasSubstr("at least 4")));
  EXPECT_EQ(Error("d_model=0"),
            "layer: d_model: got 0, expected 1 to 1073741824; nearest: 1");
  EXPECT_EQ(Error("k_base=100"),
            "layer: k_min: got 256 (the default), expected 1 to k_base = 100; "
            "nearest: 100");
  EXPECT_THAT(Error("k_base=5000"),
              HasSubstr("k_max: got 4096 (the default), expected k_base = 5000 "
                        "to"));
  EXPECT_THAT(Error("adaptive_k_temperature=-1"), HasSubstr("nearest: 0"));
  EXPECT_THAT(Error("sink=-1"), HasSubstr("sink: got -1"));
  EXPECT_THAT(Error("rope_base=1"), HasSubstr("rope_base: got 1"));
  EXPECT_THAT(Error("rope_scaling=yarn,rope_factor=0.5"),
              HasSubstr("rope_factor: got 0.5"));
  EXPECT_THAT(Error("rope_scaling=yarn,rope_factor=4,rope_beta_slow=40"),
              HasSubstr("rope_beta_fast: got 32 (the default), expected a "
                        "finite number greater than rope_beta_slow = 40"));
  EXPECT_THAT(Error("n_heads=1048576,n_kv_heads=1,head_dim=2048"),
              HasSubstr("head_dim: got 2048, expected 1 to 1024"));
  // The structure can say what text cannot.
  LayerConfig config;
  config.k_policy = "adaptive";
  EXPECT_THAT(std::string(CheckLayerConfig(config).message()),
              HasSubstr("k_policy: got 'adaptive', expected one of fixed"));
  config = LayerConfig();
  config.dtype = DType::kI32;
  EXPECT_THAT(std::string(LayerModuleText(config).status().message()),
              HasSubstr("dtype: got i32"));
  config = LayerConfig();
  config.k_policy = "fixed";
  config.adaptive_k_temperature = 2;
  EXPECT_THAT(std::string(CheckLayerConfig(config).message()),
              HasSubstr("adaptive_k_temperature: got 2, expected 1, the "
                        "default, as it has no effect with k_policy = fixed"));
  config.adaptive_k_temperature = 1;
  config.k_min = 5;
  EXPECT_THAT(std::string(LayerModuleText(config).status().message()),
              HasSubstr("k_min: got 5, expected 256, the default"));
}

// What was not given is what to change.
TEST_F(LayerTest, RefusesTheFieldThatIsMissing) {
  EXPECT_EQ(Error("k_max=32"),
            "layer: k_base: got 2048 (the default), expected at most k_max = "
            "32; nearest: 32");
  EXPECT_EQ(Error("k_min=3000"),
            "layer: k_base: got 2048 (the default), expected at least k_min = "
            "3000; nearest: 3000");
  EXPECT_THAT(Error("k_base=512, k_max=32"), HasSubstr("k_max: got 32, "));
  EXPECT_THAT(Error("k_base=32, k_max=32"),
              HasSubstr("k_min: got 256 (the default), expected 1 to k_base = "
                        "32; nearest: 32"));
  EXPECT_THAT(Error("k_base=9, k_min=10"), HasSubstr("k_min: got 10, "));
  EXPECT_THAT(Error("n_heads=12"),
              HasSubstr("n_kv_heads: got 8 (the default), expected a divisor "
                        "of n_heads = 12; nearest: 6"));
  EXPECT_THAT(Error("k_min=0"), HasSubstr("k_min: got 0, expected 1 to"));
  EXPECT_THAT(Error("k_max=1073741824"), HasSubstr("nearest: 1073741823"));
}

TEST_F(LayerTest, AScalingNeedsItsFactor) {
  for (const std::string scaling : {"ntk", "yarn"}) {
    EXPECT_EQ(Error("rope_scaling=" + scaling),
              "layer: rope_factor: got 0 (the default), expected a finite "
              "number of at least 1, without which rope_scaling = " +
                  scaling + " says nothing; 4 for instance");
    // 1 is legal where somebody says so: the first of several values to try.
    EXPECT_TRUE(
        ParseLayerConfig("rope_factor=1, rope_scaling=" + scaling).ok());
  }
  LayerConfig config;
  config.rope_factor = 1;  // what no scaling is
  EXPECT_TRUE(CheckLayerConfig(config).ok());
  config.rope_factor = 2;
  EXPECT_THAT(std::string(CheckLayerConfig(config).message()),
              HasSubstr("rope_factor: got 2, expected none, as rope_scaling is "
                        "none"));
}

TEST_F(LayerTest, NamesOfOtherConfigurationsAreTranslated) {
  for (const auto& [elsewhere, here] :
       std::vector<std::pair<std::string, std::string>>{
           {"hidden_size", "d_model"},
           {"num_attention_heads", "n_heads"},
           {"num_key_value_heads", "n_kv_heads"},
           {"rope_theta", "rope_base"},
           {"torch_dtype", "dtype"},
           {"index_topk", "k_base"},
           {"Hidden_Size", "d_model"}}) {
    EXPECT_EQ(Error(elsewhere + "=1"),
              absl::StrCat("layer: unknown key '", elsewhere,
                           "'; did you mean '", here, "'?"));
  }
}

TEST_F(LayerTest, ElementTypesHaveTheNamesOfOthers) {
  for (const auto& [name, dtype] : std::vector<std::pair<std::string, DType>>{
           {"fp16", DType::kF16},
           {"half", DType::kF16},
           {"torch.float16", DType::kF16},
           {"BF16", DType::kBF16},
           {"bfloat16", DType::kBF16},
           {"fp32", DType::kF32},
           {"Float32", DType::kF32},
           {"fp64", DType::kF64}}) {
    absl::StatusOr<LayerConfig> config = ParseLayerConfig("dtype=" + name);
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(config->dtype, dtype) << name;
  }
}

// Nothing is judged by what later calls may change.
TEST_F(LayerTest, CallsMayComeInAnyOrder) {
  const std::vector<std::string> texts = {"rope_factor=4", "rope_scaling=yarn",
                                          "k_base=32",     "k_max=40",
                                          "k_min=3",       "rope_beta_fast=16"};
  LayerConfig forward, backward;
  for (size_t i = 0; i < texts.size(); ++i) {
    ASSERT_TRUE(SetLayerFields(texts[i], &forward).ok()) << texts[i];
    ASSERT_TRUE(SetLayerFields(texts[texts.size() - 1 - i], &backward).ok());
  }
  EXPECT_EQ(LayerFields(forward), LayerFields(backward));
  EXPECT_TRUE(CheckLayerConfig(forward).ok());
  // What has no effect in the end is refused in the end, in every order.
  for (const auto& [first, second] : {std::pair("k_policy=fixed", "k_min=5"),
                                      {"k_min=5", "k_policy=fixed"}}) {
    LayerConfig config;
    ASSERT_TRUE(SetLayerFields(first, &config).ok());
    ASSERT_TRUE(SetLayerFields(second, &config).ok());
    EXPECT_THAT(std::string(CheckLayerConfig(config).message()),
                HasSubstr("k_min: got 5"));
  }
}

TEST_F(LayerTest, AFailedChangeChangesNothing) {
  LayerConfig config;
  EXPECT_FALSE(SetLayerFields("d_model=64, n_heads=x", &config).ok());
  EXPECT_EQ(config.d_model, 4096);
}

}  // namespace
}  // namespace gsa
