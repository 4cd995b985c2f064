// -----------------------------------------------------------------------------
// File: capi_layer_test.cc
// -----------------------------------------------------------------------------
//
// Layers of the C API: defaults, changes by text, errors by field, and a layer
// that is compiled and run without a line of MLIR.

#include <gsa/gsa.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

using testing::HasSubstr;

struct Free {
  void operator()(void* memory) const { gsa_free(memory); }
};
template <typename T>
using Memory = std::unique_ptr<T, Free>;

std::string Message(gsa_status* status) {
  std::string message = gsa_status_message(status);
  EXPECT_EQ(gsa_status_code(status),
            message.empty() ? GSA_OK : GSA_INVALID_ARGUMENT)
      << message;
  gsa_status_destroy(status);
  return message;
}

gsa_layer_config Defaults() {
  gsa_layer_config config;
  std::memset(&config, 0xab, sizeof(config));
  config.struct_size = sizeof(config);
  EXPECT_EQ(Message(gsa_layer_config_init(&config)), "");
  return config;
}

std::string Module(const gsa_layer_config& config) {
  char* text = nullptr;
  size_t length = 0;
  EXPECT_EQ(Message(gsa_layer_module(&config, &text, &length)), "");
  Memory<char> owned(text);
  EXPECT_NE(text, nullptr);
  if (text == nullptr) return "";
  EXPECT_EQ(std::strlen(text), length);
  return std::string(text, length);
}

std::string ModuleError(const gsa_layer_config& config) {
  char* text = reinterpret_cast<char*>(1);
  size_t length = 5;
  std::string message = Message(gsa_layer_module(&config, &text, &length));
  EXPECT_EQ(text, nullptr);
  EXPECT_EQ(length, 0u);
  return message;
}

TEST(CapiLayerTest, DefaultsAreThePublishedOnes) {
  const gsa_layer_config config = Defaults();
  EXPECT_EQ(config.struct_size, sizeof(config));
  EXPECT_EQ(config.d_model, 4096);
  EXPECT_EQ(config.n_heads, 32);
  EXPECT_EQ(config.n_kv_heads, 8);
  EXPECT_EQ(config.head_dim, 0);
  EXPECT_EQ(config.n_indexer_heads, 4);
  EXPECT_EQ(config.d_indexer, 64);
  EXPECT_STREQ(config.indexer_activation, "sigmoid");
  EXPECT_STREQ(config.k_policy, "upstream_variance");
  EXPECT_EQ(config.k_base, 2048);
  EXPECT_EQ(config.k_min, 256);
  EXPECT_EQ(config.k_max, 4096);
  EXPECT_EQ(config.adaptive_k_temperature, 1);
  EXPECT_EQ(config.use_value_gate, 1);
  EXPECT_EQ(config.use_output_gate, 1);
  EXPECT_EQ(config.rope_base, 10000);
  EXPECT_STREQ(config.rope_scaling, "none");
  EXPECT_EQ(config.rope_factor, 0);
  EXPECT_EQ(config.causal, 1);
  EXPECT_EQ(config.projections, 1);
  EXPECT_EQ(config.dtype, GSA_F32);
}

// Every field of the structure reaches the text: one change, another module.
TEST(CapiLayerTest, EveryFieldCounts) {
  gsa_layer_config base = Defaults();
  base.rope_scaling = "yarn";
  base.rope_factor = 4;
  const std::string text = Module(base);
  auto expect_changed = [&](const char* field, auto change) {
    gsa_layer_config config = base;
    change(config);
    EXPECT_NE(Module(config), text) << field;
  };
#define CHANGE(field, value) \
  expect_changed(#field, [](gsa_layer_config& c) { c.field = value; })
  CHANGE(d_model, 8192);
  CHANGE(n_heads, 16);
  CHANGE(n_kv_heads, 4);
  CHANGE(head_dim, 64);
  CHANGE(n_indexer_heads, 8);
  CHANGE(d_indexer, 32);
  CHANGE(indexer_activation, "relu");
  CHANGE(indexer_weight_activation, "identity");
  CHANGE(indexer_scale, 2);
  CHANGE(k_policy, "orth");
  CHANGE(k_base, 1024);
  CHANGE(k_min, 1);
  CHANGE(k_max, 5000);
  CHANGE(adaptive_k_temperature, 2);
  CHANGE(sink, 1);
  CHANGE(local, 1);
  CHANGE(gate_activation, "silu");
  CHANGE(use_value_gate, 0);
  CHANGE(use_output_gate, 0);
  CHANGE(softmax_scale, 1);
  CHANGE(rope_base, 5e5);
  CHANGE(rope_dim, 64);
  CHANGE(rope_scaling, "ntk");
  CHANGE(rope_factor, 2);
  CHANGE(rope_original_max_position, 8192);
  CHANGE(rope_beta_fast, 16);
  CHANGE(rope_beta_slow, 2);
  CHANGE(rope_interleaved, 1);
  CHANGE(causal, 0);
  CHANGE(projections, 0);
  CHANGE(dtype, GSA_BF16);
#undef CHANGE
}

TEST(CapiLayerTest, TextChangesFields) {
  gsa_layer_config config = Defaults();
  {
    // The structure keeps nothing of the caller's strings.
    std::string text = "d_head=64, k_policy=paper_ema, dtype=bf16";
    std::string activation = "relu";
    config.indexer_activation = activation.c_str();
    ASSERT_EQ(Message(gsa_layer_config_set(&config, text.c_str())), "");
  }
  EXPECT_EQ(config.head_dim, 64);
  EXPECT_STREQ(config.k_policy, "paper_ema");
  EXPECT_STREQ(config.indexer_activation, "relu");
  EXPECT_EQ(config.dtype, GSA_BF16);
  EXPECT_THAT(Module(config), HasSubstr("normaliser"));
  // Nothing changes if anything is wrong.
  EXPECT_THAT(Message(gsa_layer_config_set(&config, "d_head=8, n_head=2")),
              HasSubstr("unknown key 'n_head'; nearest: 'n_heads', 'd_head'"));
  EXPECT_EQ(config.head_dim, 64);
}

// Each call is judged by itself, the layer by gsa_layer_module.
TEST(CapiLayerTest, CallsMayComeInAnyOrder) {
  for (const auto& [first, second] : {std::pair("k_policy=fixed", "k_min=5"),
                                      {"k_min=5", "k_policy=fixed"}}) {
    gsa_layer_config config = Defaults();
    EXPECT_EQ(Message(gsa_layer_config_set(&config, first)), "");
    EXPECT_EQ(Message(gsa_layer_config_set(&config, second)), "");
    EXPECT_EQ(ModuleError(config),
              "layer: k_min: got 5, expected 256, the default, as it has no "
              "effect with k_policy = fixed");
  }
  gsa_layer_config config = Defaults();
  EXPECT_EQ(Message(gsa_layer_config_set(&config, "rope_factor=4")), "");
  EXPECT_EQ(Message(gsa_layer_config_set(&config, "rope_scaling=ntk")), "");
  EXPECT_THAT(Module(config), HasSubstr("#gsa.rope_scaling<ntk"));
}

TEST(CapiLayerTest, ErrorsNameTheField) {
  gsa_layer_config config = Defaults();
  config.n_kv_heads = 5;
  EXPECT_EQ(ModuleError(config),
            "layer: n_kv_heads: got 5, expected a divisor of n_heads = 32; "
            "nearest: 4");
  config = Defaults();
  config.use_value_gate = 2;
  EXPECT_EQ(ModuleError(config),
            "layer: use_value_gate: got 2, expected 0 or 1");
  config = Defaults();
  config.k_policy = "variance";
  EXPECT_THAT(ModuleError(config), HasSubstr("k_policy: got 'variance'"));
  EXPECT_THAT(Message(gsa_layer_config_set(&config, "k_base=1")),
              HasSubstr("k_policy: got 'variance'"));
  config = Defaults();
  config.dtype = GSA_I32;
  EXPECT_THAT(ModuleError(config), HasSubstr("dtype: got i32"));
  config.dtype = 7;
  EXPECT_THAT(ModuleError(config), HasSubstr("dtype: got the word 7"));
  config = Defaults();
  config.struct_size = 8;
  EXPECT_THAT(ModuleError(config),
              HasSubstr("config: expected struct_size = sizeof("
                        "gsa_layer_config)"));
}

TEST(CapiLayerTest, NullPointersAreErrors) {
  gsa_layer_config config = Defaults();
  char* text = nullptr;
  size_t length = 0;
  EXPECT_THAT(Message(gsa_layer_config_init(nullptr)), HasSubstr("config"));
  EXPECT_THAT(Message(gsa_layer_config_set(nullptr, "")), HasSubstr("config"));
  EXPECT_THAT(Message(gsa_layer_config_set(&config, nullptr)),
              HasSubstr("text: got a null pointer"));
  EXPECT_THAT(Message(gsa_layer_module(nullptr, &text, &length)),
              HasSubstr("config: got a null pointer"));
  EXPECT_THAT(Message(gsa_layer_module(&config, nullptr, &length)),
              HasSubstr("text: got a null pointer"));
  EXPECT_THAT(Message(gsa_layer_module(&config, &text, nullptr)),
              HasSubstr("length: got a null pointer"));
  // Names that are NULL are the defaults.
  config.k_policy = config.gate_activation = config.rope_scaling = nullptr;
  config.indexer_activation = config.indexer_weight_activation = nullptr;
  EXPECT_EQ(Module(config), Module(Defaults()));
}

// A caller that is newer than the library: zeros after what it knows are fine.
TEST(CapiLayerTest, NewerCallersAreUnderstood) {
  struct Newer {
    gsa_layer_config known;
    int64_t added;
  } newer;
  std::memset(&newer, 0xab, sizeof(newer));
  newer.known.struct_size = sizeof(newer);
  ASSERT_EQ(Message(gsa_layer_config_init(&newer.known)), "");
  EXPECT_EQ(newer.known.struct_size, sizeof(newer));
  EXPECT_EQ(newer.added, 0);
  EXPECT_EQ(Module(newer.known), Module(Defaults()));
  newer.added = 1;
  EXPECT_THAT(ModuleError(newer.known), HasSubstr("expected zeros after them"));
}

TEST(CapiLayerTest, ALayerRuns) {
  gsa_layer_config config = Defaults();
  ASSERT_EQ(Message(gsa_layer_config_set(
                &config,
                "d_model=32,n_heads=4,n_kv_heads=2,n_indexer_heads=2,"
                "d_indexer=4,k_policy=fixed,k_base=3")),
            "");
  const std::string text = Module(config);
  const int64_t sizes[] = {1, 6, 32};
  gsa_named_shape shape = {sizeof(shape), "hidden_states", sizes, 3};
  gsa_compile_options options = {};
  options.struct_size = sizeof(options);
  options.shapes = &shape;
  options.num_shapes = 1;
  options.num_threads = 1;
  gsa_plan* plan = nullptr;
  ASSERT_EQ(
      Message(gsa_compile(text.data(), text.size(), "layer", &options, &plan)),
      "");
  std::vector<Memory<void>> memory;
  auto tensors = [&](size_t count, auto describe) {
    std::vector<gsa_tensor> list;
    for (size_t i = 0; i < count; ++i) {
      gsa_tensor_info info = {};
      info.struct_size = sizeof(info);
      EXPECT_EQ(Message(describe(plan, i, &info)), "");
      memory.emplace_back(gsa_alloc(info.bytes));
      gsa_tensor tensor = {};
      tensor.struct_size = sizeof(tensor);
      tensor.data = memory.back().get();
      tensor.device_type = GSA_DEVICE_CPU;
      tensor.rank = info.rank;
      tensor.dtype = info.dtype;
      tensor.shape = info.shape;
      list.push_back(tensor);
    }
    return list;
  };
  ASSERT_EQ(gsa_plan_num_outputs(plan), 5u);
  std::vector<gsa_tensor> inputs =
      tensors(gsa_plan_num_inputs(plan), gsa_plan_input);
  std::vector<gsa_tensor> outputs = tensors(5, gsa_plan_output);
  memory.emplace_back(gsa_alloc(gsa_plan_workspace_bytes(plan)));
  ASSERT_EQ(Message(gsa_run(plan, inputs.data(), inputs.size(), outputs.data(),
                            outputs.size(), memory.back().get(),
                            gsa_plan_workspace_bytes(plan), nullptr)),
            "");
  // All scores are equal, so that the first keys are kept.
  const auto* counts = static_cast<const int32_t*>(outputs[3].data);
  const auto* indices = static_cast<const int32_t*>(outputs[2].data);
  EXPECT_EQ(std::vector<int32_t>(counts, counts + 6),
            (std::vector<int32_t>{1, 2, 3, 3, 3, 3}));
  EXPECT_EQ(std::vector<int32_t>(indices, indices + 6),
            (std::vector<int32_t>{0, -1, -1, 0, 1, -1}));
  gsa_plan_release(plan);
}

}  // namespace
