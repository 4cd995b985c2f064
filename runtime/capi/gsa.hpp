// -----------------------------------------------------------------------------
// File: gsa.hpp
// -----------------------------------------------------------------------------
//
// The C API of gsa.h for C++17: values that own what they name, and results
// that cannot be overlooked. Header only: it adds nothing to the interface of
// the library, so that a program need not be built by the library's compiler.
//
//   gsa_layer_config config = gsa::DefaultLayer();
//   config.d_model = 2048, config.n_heads = 16, config.k_base = 512;
//   gsa::Result<std::string> text = gsa::LayerModule(config);
//   gsa::CompileOptions options;
//   options.shapes["hidden_states"] = {1, 4096, 2048};
//   gsa::Result<gsa::Plan> plan = gsa::Compile(*text, options);
//   if (!plan.ok()) return Fail(plan.status().message());
//   gsa::Result<gsa::Buffer> workspace = plan->MakeWorkspace();
//   gsa::RunOptions run;
//   run.workspace = &*workspace;
//   gsa::Status status = plan->Run(inputs, outputs, run);
//
// Errors are returned; only what the standard containers throw when memory is
// exhausted is thrown. What gsa.h says of threads, lifetimes and alignment
// holds here. get() gives the handle for functions of gsa.h that have no
// counterpart here.

#ifndef GSA_GSA_HPP_
#define GSA_GSA_HPP_

#include <gsa/gsa.h>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gsa {

// ---- Errors -----------------------------------------------------------------

// Success, or an error with a code and a message.
class [[nodiscard]] Status {
 public:
  Status() = default;  // success
  Status(gsa_code code, std::string message)
      : code_(code), message_(std::move(message)) {}
  // Takes over what a function of gsa.h returned.
  explicit Status(gsa_status* status)
      : code_(gsa_status_code(status)), message_(gsa_status_message(status)) {
    gsa_status_destroy(status);
  }

  bool ok() const { return code_ == GSA_OK; }
  gsa_code code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  gsa_code code_ = GSA_OK;
  std::string message_;
};

// A value, or the error because of which there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::make_unique<T>(std::move(value))) {}
  Result(Status error) : status_(std::move(error)) { assert(!status_.ok()); }

  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }

  // The value; only where ok().
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }

 private:
  Status status_;
  std::unique_ptr<T> value_;
};

// ---- Tensors ----------------------------------------------------------------

// Host memory, zero at first and aligned to GSA_ALIGNMENT.
class Buffer {
 public:
  static Result<Buffer> Allocate(size_t bytes) {
    Buffer buffer(gsa_alloc(bytes), bytes);
    if (buffer.data() == nullptr)
      return Status(GSA_RESOURCE_EXHAUSTED,
                    "cannot allocate " + std::to_string(bytes) + " bytes");
    return buffer;
  }

  void* data() const { return memory_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(void* memory) const { gsa_free(memory); }
  };
  Buffer(void* memory, size_t size) : memory_(memory), size_(size) {}

  std::unique_ptr<void, Free> memory_;
  size_t size_;
};

// What a plan says of an input or output.
struct TensorInfo {
  std::string name;
  std::vector<int64_t> shape;
  uint32_t dtype = 0;        // GSA_F32, ...
  uint64_t bytes = 0;        // of the dense tensor
  std::string updates = {};  // the input whose new value it is, or empty
};

// A dense tensor in memory that the caller owns; see gsa_tensor.
struct TensorView {
  void* data = nullptr;
  std::vector<int64_t> shape = {};
  uint32_t dtype = 0;
  int32_t device_type = GSA_DEVICE_CPU;
  int32_t device_id = 0;
  // One per dimension, counted in elements; empty for dense row-major, the only
  // order that is accepted.
  std::vector<int64_t> strides = {};
  // Added to `data`.
  uint64_t byte_offset = 0;
};

// The tensor that `info` describes, in host memory that begins at `data`.
inline TensorView HostTensor(const TensorInfo& info, void* data) {
  TensorView view;
  view.data = data;
  view.shape = info.shape;
  view.dtype = info.dtype;
  return view;
}

// ---- Running ----------------------------------------------------------------

// A fixed set of threads; see gsa_thread_pool.
class ThreadPool {
 public:
  // 0: one thread per available CPU.
  static Result<ThreadPool> Create(int32_t num_threads = 0) {
    gsa_thread_pool* pool = nullptr;
    Status status(gsa_thread_pool_create(num_threads, &pool));
    if (!status.ok()) return status;
    return ThreadPool(pool);
  }

  int32_t num_threads() const { return gsa_thread_pool_num_threads(get()); }
  gsa_thread_pool* get() const { return pool_.get(); }

 private:
  struct Destroy {
    void operator()(gsa_thread_pool* pool) const {
      gsa_thread_pool_destroy(pool);
    }
  };
  explicit ThreadPool(gsa_thread_pool* pool) : pool_(pool) {}

  std::unique_ptr<gsa_thread_pool, Destroy> pool_;
};

// What a caller lends to one run.
struct RunOptions {
  // Scratch memory of at least workspace_bytes(): a buffer of the host, or an
  // address on the GPU.
  const Buffer* workspace = nullptr;
  void* device_workspace = nullptr;
  size_t device_workspace_bytes = 0;
  // Stream of the GPU (a CUstream or cudaStream_t).
  void* stream = nullptr;
  // Threads to run on; null: the calling thread alone.
  const ThreadPool* thread_pool = nullptr;
  // Receives the milliseconds of each stage, in the order of
  // Plan::stage_names(). On a GPU the run is then waited for.
  std::vector<double>* stage_milliseconds = nullptr;
};

// A compiled module. Copies share it; any number of threads may run it.
class Plan {
 public:
  // Takes over a reference.
  explicit Plan(gsa_plan* plan) : plan_(plan, gsa_plan_release) {}

  std::vector<TensorInfo> inputs() const {
    return Describe(gsa_plan_num_inputs(get()), gsa_plan_input);
  }
  std::vector<TensorInfo> outputs() const {
    return Describe(gsa_plan_num_outputs(get()), gsa_plan_output);
  }
  size_t workspace_bytes() const { return gsa_plan_workspace_bytes(get()); }
  int32_t num_threads() const { return gsa_plan_num_threads(get()); }
  // What the code was made for, "cuda:0, NVIDIA H200, sm_90a".
  std::string target() const { return gsa_plan_target(get()); }
  // The stages that a run passes through, "select" for instance.
  std::vector<std::string> stage_names() const {
    std::vector<std::string> names;
    for (size_t i = 0; i < gsa_plan_num_stages(get()); ++i)
      names.emplace_back(gsa_plan_stage_name(get(), i));
    return names;
  }
  // Where its kernels came from.
  gsa_kernel_counts kernel_counts() const {
    gsa_kernel_counts counts = {};
    counts.struct_size = sizeof(counts);
    // Refuses only null pointers and sizes of other libraries.
    const Status status(gsa_plan_kernel_counts(get(), &counts));
    assert(status.ok());
    return counts;
  }
  gsa_plan* get() const { return plan_.get(); }

  // Scratch memory for runs on the host.
  Result<Buffer> MakeWorkspace() const {
    return Buffer::Allocate(workspace_bytes());
  }

  // Loads what runs need, where CompileOptions::load_later left it; see
  // gsa_plan_warmup.
  Status WarmUp() const { return Status(gsa_plan_warmup(get())); }

  // Reads `inputs`, writes `outputs`, both in the plan's order; see gsa_run.
  Status Run(const std::vector<TensorView>& inputs,
             const std::vector<TensorView>& outputs,
             const RunOptions& options = {}) const {
    for (const std::vector<TensorView>* views : {&inputs, &outputs})
      for (const TensorView& view : *views)
        if (!view.strides.empty() && view.strides.size() != view.shape.size())
          return Status(GSA_INVALID_ARGUMENT,
                        "strides: expected " +
                            std::to_string(view.shape.size()) +
                            ", one per dimension, or none, got " +
                            std::to_string(view.strides.size()));
    const std::vector<gsa_tensor> in = Convert(inputs);
    const std::vector<gsa_tensor> out = Convert(outputs);
    gsa_run_options lent = {};
    lent.struct_size = sizeof(lent);
    lent.stream = options.stream;
    if (options.thread_pool) lent.thread_pool = options.thread_pool->get();
    if (options.stage_milliseconds) {
      options.stage_milliseconds->resize(gsa_plan_num_stages(get()));
      lent.stage_milliseconds = options.stage_milliseconds->data();
      lent.num_stage_milliseconds = options.stage_milliseconds->size();
    }
    void* workspace = options.device_workspace;
    size_t bytes = options.device_workspace_bytes;
    if (options.workspace) {
      workspace = options.workspace->data();
      bytes = options.workspace->size();
    }
    return Status(gsa_run(get(), in.data(), in.size(), out.data(), out.size(),
                          workspace, bytes, &lent));
  }

 private:
  using DescribeFunction = gsa_status* (*)(const gsa_plan*, size_t,
                                           gsa_tensor_info*);

  std::vector<TensorInfo> Describe(size_t count,
                                   DescribeFunction describe) const {
    std::vector<TensorInfo> infos;
    for (size_t i = 0; i < count; ++i) {
      gsa_tensor_info info = {};
      info.struct_size = sizeof(info);
      // Every index below the count is described.
      const Status status(describe(get(), i, &info));
      assert(status.ok());
      infos.push_back({info.name,
                       {info.shape, info.shape + info.rank},
                       info.dtype,
                       info.bytes,
                       info.updates == nullptr ? "" : info.updates});
    }
    return infos;
  }

  // Points into `views`.
  static std::vector<gsa_tensor> Convert(const std::vector<TensorView>& views) {
    std::vector<gsa_tensor> tensors;
    for (const TensorView& view : views) {
      gsa_tensor tensor = {};
      tensor.struct_size = sizeof(tensor);
      tensor.data = view.data;
      tensor.device_type = view.device_type;
      tensor.device_id = view.device_id;
      tensor.rank = static_cast<int32_t>(view.shape.size());
      tensor.dtype = view.dtype;
      tensor.shape = view.shape.data();
      if (!view.strides.empty()) tensor.strides = view.strides.data();
      tensor.byte_offset = view.byte_offset;
      tensors.push_back(tensor);
    }
    return tensors;
  }

  std::shared_ptr<gsa_plan> plan_;
};

// ---- Layers -----------------------------------------------------------------

// The published layer; change what differs, in C++ or with SetLayer.
inline gsa_layer_config DefaultLayer() {
  gsa_layer_config config = {};
  config.struct_size = sizeof(config);
  // Refuses only null pointers and sizes of other libraries.
  const Status status(gsa_layer_config_init(&config));
  assert(status.ok());
  return config;
}

// Changes the fields that `settings` names, "d_model=2048, n_heads=16".
inline Status SetLayer(const std::string& settings, gsa_layer_config* config) {
  return Status(gsa_layer_config_set(config, settings.c_str()));
}

// The text of the layer's module, for Compile.
inline Result<std::string> LayerModule(const gsa_layer_config& config) {
  char* text = nullptr;
  size_t length = 0;
  Status status(gsa_layer_module(&config, &text, &length));
  if (!status.ok()) return status;
  std::string module(text, length);
  gsa_free(text);
  return module;
}

// ---- Compilation ------------------------------------------------------------

// How to compile; see gsa_compile_options. Empty and 0 are the defaults.
struct CompileOptions {
  std::string target;  // "cpu", "cuda:0", "emu", "auto"
  std::string entry;
  // Shapes of inputs by name; an input with a dynamic size needs one.
  std::map<std::string, std::vector<int64_t>> shapes;
  // Largest shapes of the others, whose dynamic sizes come with each run.
  std::map<std::string, std::vector<int64_t>> bounds;
  int32_t num_threads = 0;
  int32_t vector_bits = 0;
  bool reference = false;
  bool load_later = false;  // by Plan::WarmUp or the first run
  std::string arch;         // "sm_90a"
  std::string nvrtc;        // where NVRTC is
  // Directory that keeps compiled kernels, and "off", "ro", "rw" or "only".
  std::string cache_dir;
  std::string cache_mode;
  std::string schedules;  // file of measured schedules
};

namespace internal {

// The structures of gsa.h for shapes by name, which they point into.
inline std::vector<gsa_named_shape> NamedShapes(
    const std::map<std::string, std::vector<int64_t>>& by_name) {
  std::vector<gsa_named_shape> list;
  for (const auto& [name, sizes] : by_name) {
    gsa_named_shape shape = {};
    shape.struct_size = sizeof(shape);
    shape.name = name.c_str();
    shape.sizes = sizes.data();
    shape.rank = static_cast<int64_t>(sizes.size());
    list.push_back(shape);
  }
  return list;
}

// The structures of gsa.h for `options`, which they point into.
class CompileArguments {
 public:
  explicit CompileArguments(const CompileOptions& options) {
    shapes_ = NamedShapes(options.shapes);
    bounds_ = NamedShapes(options.bounds);
    const auto text = [](const std::string& value) {
      return value.empty() ? nullptr : value.c_str();
    };
    arguments_.struct_size = sizeof(arguments_);
    arguments_.target = text(options.target);
    arguments_.entry = text(options.entry);
    arguments_.shapes = shapes_.data();
    arguments_.num_shapes = shapes_.size();
    arguments_.bounds = bounds_.data();
    arguments_.num_bounds = bounds_.size();
    arguments_.num_threads = options.num_threads;
    arguments_.vector_bits = options.vector_bits;
    arguments_.reference = options.reference ? 1 : 0;
    arguments_.load_later = options.load_later ? 1 : 0;
    arguments_.arch = text(options.arch);
    arguments_.nvrtc = text(options.nvrtc);
    arguments_.cache_dir = text(options.cache_dir);
    arguments_.cache_mode = text(options.cache_mode);
    arguments_.schedules = text(options.schedules);
  }
  CompileArguments(const CompileArguments&) = delete;
  CompileArguments& operator=(const CompileArguments&) = delete;

  const gsa_compile_options* get() const { return &arguments_; }

 private:
  std::vector<gsa_named_shape> shapes_, bounds_;
  gsa_compile_options arguments_ = {};
};

}  // namespace internal

// Compiles the text of a module. `filename` appears in messages.
inline Result<Plan> Compile(std::string_view text,
                            const CompileOptions& options = {},
                            const std::string& filename = "<memory>") {
  const internal::CompileArguments arguments(options);
  gsa_plan* plan = nullptr;
  Status status(gsa_compile(text.data(), text.size(), filename.c_str(),
                            arguments.get(), &plan));
  if (!status.ok()) return status;
  return Plan(plan);
}

// The reasons for which Compile would refuse the same arguments, found without
// generating code; empty if none is known.
inline Result<std::vector<Status>> CheckSupport(
    std::string_view text, const CompileOptions& options = {},
    const std::string& filename = "<memory>") {
  const internal::CompileArguments arguments(options);
  gsa_support* support = nullptr;
  Status status(gsa_check_support(text.data(), text.size(), filename.c_str(),
                                  arguments.get(), &support));
  if (!status.ok()) return status;
  std::vector<Status> reasons;
  for (size_t i = 0; i < gsa_support_num_reasons(support); ++i)
    reasons.emplace_back(gsa_support_code(support, i),
                         gsa_support_reason(support, i));
  gsa_support_destroy(support);
  return reasons;
}

// ---- Packs ------------------------------------------------------------------

// Plans that gsa-compile made; see gsa_pack. What it needs of the library is in
// libgsa-runtime as well.
class Pack {
 public:
  static Result<Pack> Open(const std::string& path) {
    gsa_pack* pack = nullptr;
    Status status(gsa_pack_open(path.c_str(), &pack));
    if (!status.ok()) return status;
    return Pack(pack);
  }

  // "cuda sm_90a, layer.mlir @main, x: f32[1, 64]", each.
  std::vector<std::string> plans() const {
    std::vector<std::string> descriptions;
    for (size_t i = 0; i < gsa_pack_num_plans(get()); ++i)
      descriptions.emplace_back(gsa_pack_plan(get(), i));
    return descriptions;
  }
  gsa_pack* get() const { return pack_.get(); }

  // Loads the plan for the device of `target` and these shapes; see
  // gsa_pack_load.
  Result<Plan> Load(
      const std::string& target,
      const std::map<std::string, std::vector<int64_t>>& shapes = {},
      bool load_later = false) const {
    const std::vector<gsa_named_shape> named = internal::NamedShapes(shapes);
    gsa_load_options options = {};
    options.struct_size = sizeof(options);
    options.target = target.c_str();
    options.shapes = named.data();
    options.num_shapes = named.size();
    options.load_later = load_later ? 1 : 0;
    gsa_plan* plan = nullptr;
    Status status(gsa_pack_load(get(), &options, &plan));
    if (!status.ok()) return status;
    return Plan(plan);
  }

 private:
  explicit Pack(gsa_pack* pack) : pack_(pack, gsa_pack_close) {}

  std::shared_ptr<gsa_pack> pack_;
};

}  // namespace gsa

#endif  // GSA_GSA_HPP_
