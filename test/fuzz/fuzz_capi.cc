// -----------------------------------------------------------------------------
// File: fuzz_capi.cc
// -----------------------------------------------------------------------------
//
// Calls of the C API. The input is a list of calls: a byte says which function,
// the bytes after it fill its structures. All memory is as large as the caller
// says it is and on the heap, so that reading past it is seen; what a caller
// must not do (a count without the memory for it) is not done. Texts are often
// taken from a list, or nothing would come past the first check.

#include <gsa/gsa.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "test/fuzz/fuzz_input.h"

namespace {

using gsa::fuzz::Input;

constexpr char kGate[] = R"mlir(
func.func @main(%x: tensor<1x?x2x3xf32> {gsa.name = "x"},
                %logits: tensor<1x?x2x3xf32>)
    -> (tensor<1x?x2x3xf32> {gsa.name = "y"}) {
  %y = gsa.gate %x, %logits
      : (tensor<1x?x2x3xf32>, tensor<1x?x2x3xf32>) -> tensor<1x?x2x3xf32>
  return %y : tensor<1x?x2x3xf32>
}
)mlir";
constexpr size_t kPlanBytes = 5 * 2 * 3 * sizeof(float);

// A status says something, and of a kind that the header knows.
bool Ok(gsa_status* status) {
  if (status == nullptr) return true;
  if (gsa_status_code(status) == GSA_OK ||
      gsa_status_code(status) == GSA_INTERNAL ||
      gsa_status_message(status)[0] == '\0') {
    std::fprintf(stderr, "status %d '%s'\n", gsa_status_code(status),
                 gsa_status_message(status));
    std::abort();
  }
  gsa_status_destroy(status);
  return false;
}

// As C calls it, whose enumerations hold any number.
const char* CodeName(int32_t code) {
  return reinterpret_cast<const char* (*)(int32_t)>(&gsa_code_name)(code);
}

// A plan for one shape, and one for all up to it.
gsa_plan* MakePlan(bool bounded) {
  const int64_t sizes[] = {1, 5, 2, 3};
  gsa_named_shape shapes[2] = {{sizeof(gsa_named_shape), "x", sizes, 4},
                               {sizeof(gsa_named_shape), "arg1", sizes, 4}};
  gsa_compile_options options = {};
  options.struct_size = sizeof(options);
  options.num_threads = 1;
  (bounded ? options.bounds : options.shapes) = shapes;
  (bounded ? options.num_bounds : options.num_shapes) = 2;
  gsa_plan* plan = nullptr;
  if (!Ok(gsa_compile(kGate, sizeof(kGate) - 1, "gate", &options, &plan)))
    std::abort();
  return plan;
}

const gsa_plan* ThePlan(bool bounded) {
  static gsa_plan* const kPlans[] = {MakePlan(false), MakePlan(true)};
  return kPlans[bounded ? 1 : 0];
}

// Makes the memory of one call; everything lives until the call is over.
class Caller {
 public:
  explicit Caller(Input* input) : input_(*input) {}

  // A name: null, one of `known`, or the input's own.
  template <size_t N>
  const char* Name(const char* const (&known)[N]) {
    const size_t pick = input_.Pick(2 * N + 2);
    if (pick == 0) return nullptr;
    if (pick <= 2 * N) return Keep(known[(pick - 1) / 2]);
    return Keep(input_.Text());
  }
  // A name that must be one of `known`: it is a place on this machine.
  template <size_t N>
  const char* Place(const char* const (&known)[N]) {
    const size_t pick = input_.Pick(N + 1);
    return pick == 0 ? nullptr : Keep(known[pick - 1]);
  }

  // Numbers: small, or anything.
  int64_t Size() {
    const uint8_t byte = input_.Byte();
    return byte < 240 ? byte % 16 : static_cast<int64_t>(input_.Word(8));
  }
  int32_t Small() {
    const uint8_t byte = input_.Byte();
    return byte < 240 ? byte % 4 : static_cast<int32_t>(input_.Word(4));
  }
  double Real() {
    const uint8_t byte = input_.Byte();
    if (byte < 240) return byte % 8;
    const uint64_t word = input_.Word(8);
    double value;
    std::memcpy(&value, &word, sizeof(value));
    return value;
  }
  int32_t Flag() { return input_.Byte() < 250 ? input_.Byte() % 2 : Small(); }

  // `count` sizes on the heap.
  const int64_t* Sizes(size_t count) {
    auto* sizes = reinterpret_cast<int64_t*>(Bytes(count * sizeof(int64_t)));
    for (size_t i = 0; i < count; ++i) sizes[i] = Size();
    return sizes;
  }
  char* Bytes(size_t size) {
    memory_.push_back(std::make_unique<char[]>(size));
    return memory_.back().get();
  }
  // A byte is at least one flag and one choice.
  bool Rarely() { return input_.Byte() >= 240; }
  Input& input() { return input_; }

  // Structures as a caller of any version has them, `struct_size` apart.
  template <typename T>
  T* Structs(const std::vector<T>& values) {
    size_t size = sizeof(T);
    if (Rarely()) size = input_.Word(2);
    const bool has_tail = Rarely();
    // A size that is refused at once has the memory of the structure.
    const size_t stride = size > 4096 ? sizeof(T) : std::max(size, kSizeField);
    char* bytes = Bytes(stride * std::max<size_t>(values.size(), 1));
    for (size_t i = 0; i < values.size(); ++i) {
      char* at = bytes + i * stride;
      std::memcpy(at, &values[i], std::min(stride, sizeof(T)));
      const size_t given = Rarely() ? std::min(size, sizeof(T)) : size;
      std::memcpy(at, &given, sizeof(given));
      if (has_tail && stride > sizeof(T)) at[stride - 1] = 1;
    }
    return reinterpret_cast<T*>(bytes);
  }
  template <typename T>
  T* Struct(const T& value) {
    return Structs(std::vector<T>{value});
  }

  const gsa_named_shape* Shapes(size_t* count) {
    static const char* const kNames[] = {"x", "arg1", "logits", ""};
    std::vector<gsa_named_shape> shapes(input_.Pick(4));
    *count = shapes.size();
    if (shapes.empty()) return nullptr;
    for (gsa_named_shape& shape : shapes) {
      shape.name = Name(kNames);
      const size_t rank = input_.Pick(7);
      shape.rank =
          Rarely() ? -static_cast<int64_t>(rank) : static_cast<int64_t>(rank);
      shape.sizes = Rarely() ? nullptr : Sizes(rank);
    }
    return Structs(shapes);
  }

 private:
  static constexpr size_t kSizeField = sizeof(size_t);

  const char* Keep(const std::string& text) {
    char* kept = Bytes(text.size() + 1);
    std::memcpy(kept, text.c_str(), text.size() + 1);
    return kept;
  }

  Input& input_;
  std::deque<std::unique_ptr<char[]>> memory_;
};

// ---- Layers -----------------------------------------------------------------

void FillLayer(Caller* caller, gsa_layer_config* config) {
  static const char* const kNames[] = {
      "sigmoid", "relu",      "identity", "fixed", "upstream_variance",
      "entropy", "paper_ema", "orth",     "tanh",  "silu",
      "none",    "ntk",       "yarn",     ""};
  int64_t* const sizes[] = {&config->d_model,
                            &config->n_heads,
                            &config->n_kv_heads,
                            &config->head_dim,
                            &config->n_indexer_heads,
                            &config->d_indexer,
                            &config->k_base,
                            &config->k_min,
                            &config->k_max,
                            &config->sink,
                            &config->local,
                            &config->rope_dim,
                            &config->rope_original_max_position};
  const char** const names[] = {
      &config->indexer_activation, &config->indexer_weight_activation,
      &config->k_policy, &config->gate_activation, &config->rope_scaling};
  double* const reals[] = {
      &config->indexer_scale, &config->adaptive_k_temperature,
      &config->softmax_scale, &config->rope_base,
      &config->rope_factor,   &config->rope_beta_fast,
      &config->rope_beta_slow};
  int32_t* const flags[] = {&config->use_value_gate, &config->use_output_gate,
                            &config->rope_interleaved, &config->causal,
                            &config->projections};
  Input& input = caller->input();
  for (size_t changes = input.Pick(8); changes > 0; --changes) {
    switch (input.Pick(5)) {
      case 0:
        *sizes[input.Pick(std::size(sizes))] = caller->Size();
        break;
      case 1:
        *names[input.Pick(std::size(names))] = caller->Name(kNames);
        break;
      case 2:
        *reals[input.Pick(std::size(reals))] = caller->Real();
        break;
      case 3:
        *flags[input.Pick(std::size(flags))] = caller->Flag();
        break;
      default:
        config->dtype = static_cast<uint32_t>(input.Word(4));
    }
  }
}

void CallLayer(Input* input) {
  Caller caller(input);
  gsa_layer_config config = {};
  config.struct_size = sizeof(config);
  if (!Ok(gsa_layer_config_init(&config))) std::abort();
  FillLayer(&caller, &config);
  gsa_layer_config* given = caller.Struct(config);
  if (caller.Rarely()) Ok(gsa_layer_config_init(given));
  const std::string text = input->Text();
  if (!text.empty()) Ok(gsa_layer_config_set(given, text.c_str()));
  char* module = nullptr;
  size_t length = 0;
  const bool made = Ok(gsa_layer_module(given, &module, &length));
  if (made != (module != nullptr)) std::abort();
  if (made && std::strlen(module) != length) std::abort();
  gsa_free(module);
}

// ---- Compilation ------------------------------------------------------------

gsa_compile_options Options(Caller* caller) {
  static const char* const kTargets[] = {"cpu",  "cuda", "cuda:0", "cuda:-1",
                                         "auto", "",     "emu"};
  static const char* const kEntries[] = {"main", "", "other"};
  static const char* const kArches[] = {"sm_90a", "sm_80", "sm_1", ""};
  static const char* const kFolders[] = {"", "/dev/null/none"};
  static const char* const kModes[] = {"off", "ro", "only", ""};
  static const char* const kFiles[] = {"", "/dev/null", "/dev/null/none"};
  gsa_compile_options options = {};
  options.target = caller->Name(kTargets);
  options.entry = caller->Name(kEntries);
  options.shapes = caller->Shapes(&options.num_shapes);
  options.num_threads = caller->Small();
  options.vector_bits =
      caller->Rarely() ? caller->Small()
                       : static_cast<int32_t>(128 * caller->input().Pick(6));
  options.reference = caller->Flag();
  options.load_later = caller->Flag();
  options.arch = caller->Name(kArches);
  options.nvrtc = caller->Place(kFolders);
  options.cache_dir = caller->Place(kFolders);
  options.cache_mode = caller->Name(kModes);
  options.bounds = caller->Shapes(&options.num_bounds);
  options.schedules = caller->Place(kFiles);
  return options;
}

void CallCompile(Input* input, bool compile) {
  Caller caller(input);
  gsa_compile_options options = Options(&caller);
  // The emulation starts a compiler, which takes seconds.
  if (compile && options.target != nullptr &&
      std::strncmp(options.target, "emu", 3) == 0)
    return;
  const gsa_compile_options* given = caller.Struct(options);
  const std::string text = caller.Rarely() ? input->Text() : kGate;
  if (compile) {
    gsa_plan* plan = nullptr;
    if (Ok(gsa_compile(text.data(), text.size(), nullptr, given, &plan)) !=
        (plan != nullptr))
      std::abort();
    gsa_plan_release(gsa_plan_retain(plan));
    gsa_plan_release(plan);
    return;
  }
  gsa_support* support = nullptr;
  if (Ok(gsa_check_support(text.data(), text.size(), "f", given, &support)) !=
      (support != nullptr))
    std::abort();
  for (size_t i = 0; i < gsa_support_num_reasons(support); ++i)
    if (gsa_support_code(support, i) == GSA_INTERNAL ||
        gsa_support_reason(support, i)[0] == '\0')
      std::abort();
  gsa_support_destroy(support);
}

void CallDifferentiate(Input* input) {
  static const char* const kNames[] = {"x", "arg1", "y", "main", ""};
  static const char* const kSaves[] = {"none", "lists", "attention", "all"};
  Caller caller(input);
  gsa_differentiate_options options = {};
  options.function = caller.Name(kNames);
  options.num_inputs = input->Pick(3);
  options.num_outputs = input->Pick(3);
  const auto names = [&](size_t count) {
    auto* list = reinterpret_cast<const char**>(
        caller.Bytes(count * sizeof(const char*)));
    for (size_t i = 0; i < count; ++i) list[i] = caller.Name(kNames);
    return list;
  };
  options.inputs = names(options.num_inputs);
  options.outputs = names(options.num_outputs);
  options.save = caller.Name(kSaves);
  const std::string text = caller.Rarely() ? input->Text() : kGate;
  char* module = nullptr;
  size_t length = 0;
  const bool made =
      Ok(gsa_differentiate(text.data(), text.size(), nullptr,
                           caller.Struct(options), &module, &length));
  if (made != (module != nullptr)) std::abort();
  gsa_free(module);
}

// ---- Plans ------------------------------------------------------------------

gsa_tensor Tensor(Caller* caller, char* shared) {
  constexpr size_t kOffsets = 2 * GSA_ALIGNMENT;
  Input& input = caller->input();
  gsa_tensor tensor = {};
  tensor.data = shared;
  if (caller->Rarely()) tensor.byte_offset = input.Byte() % kOffsets;
  if (caller->Rarely()) tensor.byte_offset = UINT64_MAX - input.Byte();
  if (caller->Rarely()) tensor.data = nullptr;
  tensor.device_type = caller->Rarely() ? caller->Small() : GSA_DEVICE_CPU;
  tensor.device_id = caller->Rarely() ? caller->Small() : 0;
  tensor.dtype =
      caller->Rarely() ? static_cast<uint32_t>(input.Word(4)) : GSA_F32;
  const size_t rank = caller->Rarely() ? input.Pick(40) : 4;
  tensor.rank = caller->Rarely() ? -static_cast<int32_t>(rank)
                                 : static_cast<int32_t>(rank);
  if (caller->Rarely()) {
    tensor.shape = caller->Rarely() ? nullptr : caller->Sizes(rank);
  } else {
    const int64_t sizes[] = {1, int64_t{1} + input.Byte() % 5, 2, 3};
    auto* shape = reinterpret_cast<int64_t*>(
        caller->Bytes(std::max<size_t>(rank, 4) * sizeof(int64_t)));
    std::copy(std::begin(sizes), std::end(sizes), shape);
    tensor.shape = shape;
  }
  tensor.strides = caller->Rarely() ? caller->Sizes(rank) : nullptr;
  return tensor;
}

void CallRun(Input* input, bool named) {
  static const char* const kNames[] = {"x", "arg1", "y", "z"};
  Caller caller(input);
  const gsa_plan* plan = ThePlan(input->Byte() % 2 == 1);
  // Data with room for any offset that is used; sometimes of two tensors.
  constexpr size_t kRoom = kPlanBytes + 4 * GSA_ALIGNMENT;
  std::vector<std::unique_ptr<void, decltype(&gsa_free)>> data;
  const auto tensors = [&](size_t usual) {
    std::vector<gsa_tensor> list(caller.Rarely() ? input->Pick(4) : usual);
    for (gsa_tensor& tensor : list) {
      if (data.empty() || !caller.Rarely())
        data.emplace_back(gsa_alloc(kRoom), &gsa_free);
      tensor = Tensor(&caller, static_cast<char*>(data.back().get()));
    }
    return list;
  };
  const std::vector<gsa_tensor> inputs = tensors(2), outputs = tensors(1);
  size_t bytes = gsa_plan_workspace_bytes(plan);
  if (caller.Rarely()) bytes = input->Byte();
  data.emplace_back(gsa_alloc(bytes), &gsa_free);
  void* workspace = caller.Rarely() ? nullptr : data.back().get();
  gsa_run_options options = {};
  if (caller.Rarely()) options.stream = &options;
  options.num_stage_milliseconds = input->Pick(4);
  if (caller.Rarely()) {
    options.stage_milliseconds = reinterpret_cast<double*>(
        caller.Bytes(options.num_stage_milliseconds * sizeof(double)));
  }
  gsa_thread_pool* pool = nullptr;
  if (caller.Rarely()) Ok(gsa_thread_pool_create(2, &pool));
  options.thread_pool = pool;
  const gsa_run_options* given =
      caller.Rarely() ? nullptr : caller.Struct(options);
  const gsa_tensor* in = caller.Structs(inputs);
  const gsa_tensor* out = caller.Structs(outputs);
  if (named) {
    std::vector<const char*> names, results;
    for (size_t i = 0; i < inputs.size(); ++i)
      names.push_back(caller.Rarely() ? caller.Name(kNames) : kNames[i % 2]);
    for (size_t i = 0; i < outputs.size(); ++i)
      results.push_back(caller.Rarely() ? caller.Name(kNames) : "y");
    Ok(gsa_run_named(plan, names.data(), in, inputs.size(), results.data(), out,
                     outputs.size(), workspace, bytes, given));
  } else {
    Ok(gsa_run(plan, in, inputs.size(), out, outputs.size(), workspace, bytes,
               given));
  }
  gsa_thread_pool_destroy(pool);
}

void CallQueries(Input* input) {
  Caller caller(input);
  const gsa_plan* plan =
      caller.Rarely() ? nullptr : ThePlan(input->Byte() % 2 == 1);
  const size_t index = static_cast<size_t>(caller.Size());
  Ok(gsa_plan_input(plan, index, caller.Struct(gsa_tensor_info{})));
  Ok(gsa_plan_output(plan, index, caller.Struct(gsa_tensor_info{})));
  Ok(gsa_plan_kernel_counts(plan, caller.Struct(gsa_kernel_counts{})));
  Ok(gsa_plan_warmup(plan));
  gsa_plan_stage_name(plan, index);
  gsa_plan_target(plan);
  if (CodeName(caller.Small())[0] == '\0') std::abort();
  const int32_t threads = caller.Small();
  gsa_thread_pool* pool = nullptr;
  // Of the numbers that are accepted, small ones are enough.
  if (threads < 8 || threads > 1024) Ok(gsa_thread_pool_create(threads, &pool));
  gsa_thread_pool_num_threads(pool);
  gsa_thread_pool_destroy(pool);
}

void CallPack(Input* input) {
  Caller caller(input);
  static const char* const kTargets[] = {"cpu", "cuda", "cuda:7", ""};
  gsa_load_options options = {};
  options.target = caller.Name(kTargets);
  options.shapes = caller.Shapes(&options.num_shapes);
  options.load_later = caller.Flag();
  const gsa_load_options* given = caller.Struct(options);
  const std::string bytes = input->Text();
  gsa_pack* pack = nullptr;
  char* data = caller.Bytes(bytes.size());
  std::copy(bytes.begin(), bytes.end(), data);
  if (Ok(gsa_pack_read(data, bytes.size(), nullptr, &pack)) !=
      (pack != nullptr))
    std::abort();
  gsa_pack_plan(pack, gsa_pack_num_plans(pack));
  gsa_plan* plan = nullptr;
  if (Ok(gsa_pack_load(pack, given, &plan)) != (plan != nullptr)) std::abort();
  gsa_plan_release(plan);
  gsa_pack_close(pack);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int kMostCalls = 8;
  Input input(data, size);
  for (int i = 0; i < kMostCalls && !input.empty(); ++i) {
    switch (input.Pick(16)) {
      case 0:
        CallCompile(&input, /*compile=*/true);
        break;
      case 1:
      case 2:
        CallCompile(&input, /*compile=*/false);
        break;
      case 3:
        CallDifferentiate(&input);
        break;
      case 4:
        CallPack(&input);
        break;
      case 5:
      case 6:
        CallQueries(&input);
        break;
      case 7:
      case 8:
      case 9:
        CallLayer(&input);
        break;
      case 10:
      case 11:
      case 12:
        CallRun(&input, /*named=*/true);
        break;
      default:
        CallRun(&input, /*named=*/false);
    }
  }
  return 0;
}
