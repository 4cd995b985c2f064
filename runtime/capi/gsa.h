/* -----------------------------------------------------------------------------
 * File: gsa.h
 * -----------------------------------------------------------------------------
 *
 * The C API of gsa: compiles a module of the gsa dialect for the machine's CPU
 * or for an NVIDIA GPU, and runs it. C99. An installed library is found by
 * CMake, find_package(gsa) with the target gsa::gsa, and by pkg-config, gsa.
 * gsa.hpp wraps it for C++17.
 *
 *   gsa_plan* plan = NULL;
 *   gsa_status* status = gsa_compile(text, length, "layer.mlir", NULL, &plan);
 *   if (status != NULL) {
 *     fprintf(stderr, "%s\n", gsa_status_message(status));
 *     gsa_status_destroy(status);
 *   }
 *
 * Errors. A function that can fail returns a gsa_status*: NULL is success,
 * anything else is an error that the caller destroys. An output pointer is set
 * to NULL, an output structure is left alone, when the function fails. No
 * exception leaves the library.
 *
 * Null pointers. Every function accepts NULL wherever it takes a pointer, and
 * either defines what it means or returns GSA_INVALID_ARGUMENT.
 *
 * Growth of structures. The first field of each structure is `struct_size`; the
 * caller sets it to sizeof the structure it was compiled with. Later versions
 * only append fields, and zero always means "as before the field existed".
 * Thus the library accepts a smaller size that ends after one of the fields it
 * knows, from the last one marked as required on: missing fields are zero. It
 * also accepts a larger size, up to 4096 (a caller that is newer than the
 * library), if all bytes that it does not know are zero, and refuses it
 * otherwise; in a structure that it fills it sets them to zero. In an array of
 * structures all elements have the `struct_size` of the first, which is also
 * the distance between them.
 *
 * Threads. A plan is immutable: any number of threads may use one plan at the
 * same time. A gsa_status and a gsa_support belong to one thread at a time. A
 * thread pool may be shared by concurrent runs, whose parallel loops then take
 * turns. All functions without a handle may be called from any thread.
 */

#ifndef GSA_GSA_H_
#define GSA_GSA_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define GSA_API __attribute__((visibility("default")))
#else
#define GSA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ------------------------------------------------------------ */

/* Version of this header. While MAJOR is 0, a new MINOR may break callers; the
 * SONAME changes when it does. */
#define GSA_VERSION_MAJOR 0
#define GSA_VERSION_MINOR 1
#define GSA_VERSION_PATCH 0

/* A version as one number that grows with it. */
#define GSA_MAKE_VERSION(major, minor, patch) \
  ((major) * 1000000 + (minor) * 1000 + (patch))
/* This header's. */
#define GSA_VERSION \
  GSA_MAKE_VERSION(GSA_VERSION_MAJOR, GSA_VERSION_MINOR, GSA_VERSION_PATCH)

/* Version of the library that runs, comparable with GSA_VERSION. */
GSA_API int32_t gsa_version(void);
/* The same as text, "0.1.0". Never NULL, lives forever. */
GSA_API const char* gsa_version_string(void);

/* ---- Status ------------------------------------------------------------- */

/* What kind of error. Numbers are those of absl::StatusCode and gRPC, and do
 * not change. */
typedef enum gsa_code {
  GSA_OK = 0,
  /* None of the others. */
  GSA_UNKNOWN = 2,
  /* An argument, a module or a tensor is wrong: the caller must change it. */
  GSA_INVALID_ARGUMENT = 3,
  /* Memory or threads are exhausted. */
  GSA_RESOURCE_EXHAUSTED = 8,
  /* Correct in another state of the system. */
  GSA_FAILED_PRECONDITION = 9,
  /* The request makes sense, but this library cannot fulfil it. */
  GSA_UNIMPLEMENTED = 12,
  /* A defect of the library: please report it. */
  GSA_INTERNAL = 13,
  /* A driver, a device, a library or a program of the machine is missing. */
  GSA_UNAVAILABLE = 14
} gsa_code;

/* An error: a code and a message. NULL is success. */
typedef struct gsa_status gsa_status;

/* GSA_OK for NULL. */
GSA_API gsa_code gsa_status_code(const gsa_status* status);
/* What was wrong, what was got and what is expected. What is wrong at a place
 * in a module follows "file:line:column: error: ", after the step that found it
 * ("reading the module: layer.mlir:3:8: error: ..."); more such lines, and
 * notes like them, may come after the first. "" for NULL. Lives as long as the
 * status. */
GSA_API const char* gsa_status_message(const gsa_status* status);
/* Frees a status; NULL is allowed. */
GSA_API void gsa_status_destroy(gsa_status* status);
/* "INVALID_ARGUMENT"; "UNKNOWN" for numbers that are no code. Never NULL. */
GSA_API const char* gsa_code_name(gsa_code code);

/* ---- Tensors ------------------------------------------------------------ */

/* An element type in the encoding of DLPack's DLDataType, read as one
 * little-endian word: code, bits, then 16 bits for lanes, which are 1. */
#define GSA_DTYPE(code, bits) \
  ((uint32_t)(code) | ((uint32_t)(bits) << 8) | ((uint32_t)1 << 16))
#define GSA_I32 GSA_DTYPE(0, 32)
#define GSA_I64 GSA_DTYPE(0, 64)
#define GSA_F16 GSA_DTYPE(2, 16)
#define GSA_BF16 GSA_DTYPE(4, 16)
#define GSA_F32 GSA_DTYPE(2, 32)
#define GSA_F64 GSA_DTYPE(2, 64)

/* "f32" for GSA_F32 and so on; "" for words that are none of the above. */
GSA_API const char* gsa_dtype_name(uint32_t dtype);
/* Bytes per element; 0 for words that are none of the above. */
GSA_API size_t gsa_dtype_size(uint32_t dtype);

/* Device types, numbered as in DLPack. */
#define GSA_DEVICE_CPU 1
#define GSA_DEVICE_CUDA 2

/* Alignment in bytes of tensor data and of workspaces on the CPU; it is enough
 * for the emulation. */
#define GSA_ALIGNMENT 64
/* The same on a GPU: of tensor data, and of workspaces. What cuMemAlloc returns
 * is aligned so. */
#define GSA_CUDA_ALIGNMENT 16
#define GSA_CUDA_WORKSPACE_ALIGNMENT 256

/* A tensor in memory that the caller owns. After `struct_size` the fields are
 * those of DLPack's DLTensor, in its order and with its types (`dtype` is its
 * DLDataType as one word), so that a DLTensor is copied field by field.
 * Required up to and including `shape`. */
typedef struct gsa_tensor {
  size_t struct_size;
  /* Start of the data, on a GPU its device address; with `byte_offset` added, a
   * multiple of GSA_ALIGNMENT (GSA_CUDA_ALIGNMENT on a GPU). May be NULL, with
   * a `byte_offset` of 0, if the tensor has no elements. Inputs are only read,
   * unless one is given as the output that updates it, too. */
  void* data;
  /* Where the data is: GSA_DEVICE_CPU, 0; or GSA_DEVICE_CUDA and the number of
   * the GPU that the plan is for. */
  int32_t device_type;
  int32_t device_id;
  /* Number of dimensions; 0 is a scalar. */
  int32_t rank;
  /* Element type, GSA_F32 for example. */
  uint32_t dtype;
  /* `rank` sizes; may be NULL for rank 0. */
  const int64_t* shape;
  /* `rank` strides, counted in elements, or NULL for dense row-major. Only
   * dense tensors are accepted; strides of dimensions of size 1, and of tensors
   * without elements, do not matter. */
  const int64_t* strides;
  /* Added to `data`; the sum does not pass the last address. */
  uint64_t byte_offset;
} gsa_tensor;

/* Zero-filled memory of at least `bytes` bytes, aligned to GSA_ALIGNMENT, for
 * tensors and workspaces. Never NULL for 0 bytes; NULL if memory is exhausted.
 * Freed by gsa_free. */
GSA_API void* gsa_alloc(size_t bytes);
/* Frees what gsa_alloc returned; NULL is allowed. */
GSA_API void gsa_free(void* memory);

/* ---- Layers ------------------------------------------------------------- */

/* The configuration of a Gated Sparse Attention layer, from which
 * gsa_layer_module makes the module that gsa_compile takes. Fill it with
 * gsa_layer_config_init, then change what differs:
 *
 *   gsa_layer_config config;
 *   config.struct_size = sizeof(config);
 *   status = gsa_layer_config_init(&config);
 *   config.d_model = 2048;
 *   config.n_heads = 16;
 *   status = gsa_layer_module(&config, &text, &length);
 *
 * Names and defaults are those of the published layer's configuration. All
 * fields are required. */
typedef struct gsa_layer_config {
  size_t struct_size;
  /* Model size, 4096; query heads, 32; key heads, 8, a divisor of n_heads;
   * elements of a head, 0: d_model / n_heads. */
  int64_t d_model;
  int64_t n_heads;
  int64_t n_kv_heads;
  int64_t head_dim;
  /* Heads of the indexer, 4, and elements of one, 64. */
  int64_t n_indexer_heads;
  int64_t d_indexer;
  /* Of a scaled dot product: "sigmoid", "relu" or "identity". Of a head's
   * weight: "sigmoid" or "identity". NULL here and in the names below is the
   * default. */
  const char* indexer_activation;
  const char* indexer_weight_activation;
  /* Factor of the dot products; 0: 1 / sqrt(d_indexer). */
  double indexer_scale;
  /* How many keys a query keeps: "fixed" (k_base alone), "upstream_variance"
   * (the default), "paper_ema" (adds the scalar input "normaliser"), "entropy"
   * or "orth", around k_base, 2048, from k_min, 256, to k_max, 4096.
   * "upstream_variance" never keeps more than 1.5 k_base. */
  const char* k_policy;
  int64_t k_base;
  int64_t k_min;
  int64_t k_max;
  /* 1. */
  double adaptive_k_temperature;
  /* The first `sink` and the last `local` visible keys are kept before others;
   * 0 and 0. */
  int64_t sink;
  int64_t local;
  /* "sigmoid", "tanh" or "silu", of both gates. */
  const char* gate_activation;
  /* 0 or 1: whether there are gates of the values and of the output, 1 and 1.
   */
  int32_t use_value_gate;
  int32_t use_output_gate;
  /* Factor of the logits; 0: 1 / sqrt(head_dim). */
  double softmax_scale;
  /* Rotary embedding: its base, 10000; how many elements of a head it turns, 0:
   * all; "none", "ntk" or "yarn", and the factor that the latter two need, at
   * least 1, or 0: none; yarn's fields, 4096, 32 and 1. */
  double rope_base;
  int64_t rope_dim;
  const char* rope_scaling;
  double rope_factor;
  int64_t rope_original_max_position;
  double rope_beta_fast;
  double rope_beta_slow;
  /* 1: pairs of neighbours turn; 0: pairs that are half of rope_dim apart. */
  int32_t rope_interleaved;
  /* 1: query t sees the keys up to t + Sk - Sq; 0: all keys. */
  int32_t causal;
  /* 1: the whole layer, with weights under their state-dict names; 0: what is
   * between the projections, whose inputs are "query", "key", "value",
   * "index_query", "index_key", "index_weights", "index_bias", "value_gate" and
   * "output_gate". */
  int32_t projections;
  /* GSA_F16, GSA_BF16, GSA_F32 (the default) or GSA_F64. */
  uint32_t dtype;
} gsa_layer_config;

/* Writes the published defaults to `*config`, whose struct_size is set. */
GSA_API gsa_status* gsa_layer_config_init(gsa_layer_config* config);
/* Changes the fields that `text` names: "d_model=2048, n_heads=16, k_base=512,
 * dtype=bf16". Keys are the names of the fields, and of the published ones
 * d_head, which is head_dim, and use_adaptive_k: 0 is k_policy=fixed, 1 leaves
 * another policy and is the default one otherwise. Whether fields fit together
 * is gsa_layer_module's to say, so that calls that set different fields may
 * come in any order; of two that set the same, the later counts. On
 * GSA_INVALID_ARGUMENT, also for a name or a flag that the structure had before
 * and that is none, nothing has changed, and the message names the key, what
 * was got and what is expected, or the nearest key there is. After success the
 * strings of the structure live forever. */
GSA_API gsa_status* gsa_layer_config_set(gsa_layer_config* config,
                                         const char* text);
/* Makes the module of the layer: `*text` receives `*length` bytes and a zero
 * after them, freed by gsa_free. Its function "main" returns "output", "lse",
 * "indices", "counts" and "status"; batch and lengths are dynamic.
 * GSA_INVALID_ARGUMENT names the field that does not fit, what was got, what is
 * expected and the nearest legal value; `*text` is then NULL. A field that the
 * others leave without effect (k_min beside "fixed") must have its default. */
GSA_API gsa_status* gsa_layer_module(const gsa_layer_config* config,
                                     char** text, size_t* length);

/* ---- Backward functions -------------------------------------------------- */

/* What gsa_differentiate makes. Only `struct_size` is required; a NULL pointer
 * instead of the structure means zero in all fields. */
typedef struct gsa_differentiate_options {
  size_t struct_size;
  /* Function to differentiate, say "f"; NULL or "" takes the module's only
   * public function. */
  const char* function;
  /* Names of the arguments to differentiate by; num_inputs = 0: all that are
   * tensors of floats. */
  const char* const* inputs;
  size_t num_inputs;
  /* Names of the results that have gradients; num_outputs = 0: all that depend
   * on a chosen argument. */
  const char* const* outputs;
  size_t num_outputs;
  /* What "f_forward" saves for "f_backward": "none", so that there is no
   * "f_forward", "lists", "attention" or "all"; NULL is "none". */
  const char* save;
} gsa_differentiate_options;

/* Makes the module with the backward function of one of its functions:
 * `*module` receives `*module_length` bytes and a zero after them, freed by
 * gsa_free. To be compiled with `entry` = "f_backward"; for a target that has
 * no kernels of a gradient, which are those of attention and of the indexer's
 * loss on GPUs, compilation is GSA_UNIMPLEMENTED. Its inputs are those of "f"
 * that it reads, for each differentiated output X the gradient "X_grad", and
 * what is saved, "saved0", ...; its outputs, for each argument Y that has one,
 * the gradient "Y_grad". "f_forward" is "f" with the outputs "saved0", ...
 * behind its own. Arguments that only a selection depends on have no gradient
 * (docs/rationale/gradients.md).
 * GSA_INVALID_ARGUMENT for text or a name that is wrong, GSA_UNIMPLEMENTED for
 * an operation without a gradient, with its place in `filename` (NULL:
 * "<memory>").
 * `*module` is then NULL. Not in libgsa-runtime.so. */
GSA_API gsa_status* gsa_differentiate(const char* text, size_t length,
                                      const char* filename,
                                      const gsa_differentiate_options* options,
                                      char** module, size_t* module_length);

/* ---- Compilation -------------------------------------------------------- */

/* The shape that an input of a plan has. All fields are required. */
typedef struct gsa_named_shape {
  size_t struct_size;
  /* Name of the input: its attribute gsa.name, or "arg0", "arg1", ... */
  const char* name;
  /* `rank` sizes, none negative; may be NULL for rank 0. */
  const int64_t* sizes;
  int64_t rank;
} gsa_named_shape;

/* How to compile. Only `struct_size` is required; a NULL pointer instead of the
 * structure means zero in all fields. */
typedef struct gsa_compile_options {
  size_t struct_size;
  /* Machine to compile for. NULL or "" is "cpu".
   *   "cpu"        this machine's processor
   *   "cuda:<N>"   GPU number N; "cuda" is "cuda:0"
   *   "emu"        the kernels of a GPU on host threads: slow, for tests; host
   *                memory, as on the CPU; needs a C++20 compiler in
   *                /usr/local/bin, /usr/bin or /bin (clang++-22, clang++, g++
   *                or c++)
   *   "auto"       "cuda:0" if there are a driver, a GPU that is supported and
   *                NVRTC, else "cpu"; gsa_plan_target says which, and why
   * Options that have no effect on the target are GSA_INVALID_ARGUMENT; beside
   * "auto" those of a GPU and of the CPU may be given together. */
  const char* target;
  /* Entry function; NULL or "" takes the module's only public function. */
  const char* entry;
  /* Shapes of inputs. An input with a dynamic size needs one, or `bounds`. */
  const gsa_named_shape* shapes;
  size_t num_shapes;
  /* Threads that the CPU's code is made for, 1 to 1024; 0: one per available
   * CPU. A run may use more or fewer. Results do not depend on the threads of a
   * run, but may differ in rounding between plans. Definitions are made for
   * one; the code of a GPU and of the emulation does not depend on it. */
  int32_t num_threads;
  /* Width of the CPU's vector registers: 128, 256 or 512; 0: the machine's. */
  int32_t vector_bits;
  /* 1 compiles the definitions of the ops instead of optimised loops: slow, for
   * comparisons. For the CPU only: GSA_UNIMPLEMENTED elsewhere. */
  int32_t reference;
  /* 1: a plan for a GPU is not loaded onto it by gsa_compile but by
   * gsa_plan_warmup, or by its first run, which then allocates and waits and
   * must not be captured. For the GPU only. */
  int32_t load_later;
  /* Architecture of the kernels of a GPU, whose own it must be, or of the
   * emulation, "sm_90a"; NULL or "": the device's, sm_80 for the emulation.
   * GSA_UNIMPLEMENTED for one that there are no kernels for. */
  const char* arch;
  /* Where NVRTC is, and the only place that is searched for it: the library, or
   * a folder, which is the root of a CUDA toolkit or of a Python environment
   * with the wheel nvidia-cuda-nvrtc (what VIRTUAL_ENV or sys.prefix names), or
   * has the library in it. NULL or "": the dynamic loader's path, which finds
   * what the process has loaded already, and the usual folders of toolkits.
   * cuBLASLt (a toolkit's, or of the wheel nvidia-cublas) is searched there
   * first, then in those places. No environment variable is read. */
  const char* nvrtc;
  /* Directory that keeps compiled code, kernels of a GPU and objects for this
   * CPU, for other processes and later ones, whose module then compiles without
   * NVRTC and LLVM; NULL or "": nothing is kept. Not for the emulation. Made if
   * it is not there, for the user alone. Whoever can write to it can run code
   * as its readers: a directory that is another user's, can be written by
   * others or is a link is not used. Nothing in it, and no fault of it, is an
   * error: what cannot be read is compiled. See docs/guides/embed.md.
   */
  const char* cache_dir;
  /* "off"; "ro": what is kept is read, and nothing written; "rw": what is
   * compiled is written, too, and what has been used least goes beyond 512 MiB.
   * "only": as "ro", and GSA_FAILED_PRECONDITION, with the key, for what would
   * have to be compiled. NULL or "": "rw". Anything but "off" needs a
   * `cache_dir`.
   */
  const char* cache_mode;
  /* Largest shapes of inputs, of those that are not in `shapes`. Sizes that are
   * dynamic in the module are then each run's to say, in its tensors, up to the
   * ones given here: nothing is compiled for another length, the workspace is
   * that of the largest, and results have the bits of a plan for the run's
   * shapes. GSA_INVALID_ARGUMENT where inputs that the module gives one size
   * have different bounds; GSA_UNIMPLEMENTED for other targets than the CPU. */
  const gsa_named_shape* bounds;
  size_t num_bounds;
  /* File of schedules that were measured, JSON lines, which come before those
   * of the library; NULL or "": none. See docs/guides/explain.md.
   * A file that is wrong is GSA_INVALID_ARGUMENT, with its line. */
  const char* schedules;
} gsa_compile_options;

/* A compiled module. Reference counted: gsa_compile gives one reference, each
 * gsa_plan_retain another, and gsa_plan_release gives one back. */
typedef struct gsa_plan gsa_plan;

/* Compiles the `length` bytes of `text`, a module in MLIR's textual form, into
 * `*plan`. `filename` appears in messages; NULL is "<memory>".
 * GSA_INVALID_ARGUMENT: the module, an option or a shape is wrong, or the text
 * is beyond what is given to the parser: 256 MiB, 128 brackets open at once and
 * the other limits of docs/spec.md, "Module text"; bytecode is refused;
 * GSA_UNIMPLEMENTED: it is legal, but this target cannot compile it;
 * GSA_UNAVAILABLE: no driver, no such GPU, no NVRTC or, for the emulation, no
 * compiler; GSA_FAILED_PRECONDITION: the GPU is of another architecture than
 * `arch`, or the cache's mode forbids to compile a kernel. */
GSA_API gsa_status* gsa_compile(const char* text, size_t length,
                                const char* filename,
                                const gsa_compile_options* options,
                                gsa_plan** plan);

/* Adds a reference and returns `plan`. NULL gives NULL. */
GSA_API gsa_plan* gsa_plan_retain(gsa_plan* plan);
/* Gives a reference back; the last one frees the plan, which no run may then
 * use. NULL is allowed. */
GSA_API void gsa_plan_release(gsa_plan* plan);

/* The answer of gsa_check_support: a list of reasons against a compilation. */
typedef struct gsa_support gsa_support;

/* Says without generating code, which takes most of the time, whether
 * gsa_compile would refuse the same arguments, and why: checks options and
 * machine, parses and verifies the module, checks entry, boundary types and
 * shapes; where none of the options and the module is wrong, also runs the
 * compiler's passes. All reasons that can be told apart are collected; the
 * error of gsa_compile is one of them. Returns an error only if the question
 * itself is wrong (a null pointer, a bad structure). An empty list is not yet a
 * promise: generating code can still fail, for want of memory for instance. */
GSA_API gsa_status* gsa_check_support(const char* text, size_t length,
                                      const char* filename,
                                      const gsa_compile_options* options,
                                      gsa_support** support);
/* Number of reasons; 0 means supported. 0 for NULL. */
GSA_API size_t gsa_support_num_reasons(const gsa_support* support);
/* Message of reason `index`; NULL out of range. Lives as long as `support`. */
GSA_API const char* gsa_support_reason(const gsa_support* support,
                                       size_t index);
/* Code of reason `index`, what gsa_compile would return for it; GSA_OK out of
 * range. */
GSA_API gsa_code gsa_support_code(const gsa_support* support, size_t index);
/* Frees the list; NULL is allowed. */
GSA_API void gsa_support_destroy(gsa_support* support);

/* ---- Packs -------------------------------------------------------------- */

/* Plans that gsa-compile made ahead of time, for several shapes and
 * architectures, in one file. Loading one compiles nothing and opens no NVRTC.
 * Beside libgsa there is libgsa-runtime, which has neither LLVM nor MLIR: the
 * functions of this section for GPUs, and all that take a plan. A pack is code
 * that runs as the process: its digest finds damage, and does not say who made
 * it. */
typedef struct gsa_pack gsa_pack;

/* Reads a pack of a file. GSA_INVALID_ARGUMENT: there is none, or it is cut off
 * or changed; GSA_FAILED_PRECONDITION: it is of another version of the format.
 */
GSA_API gsa_status* gsa_pack_open(const char* path, gsa_pack** pack);
/* The same of `length` bytes in memory, which are not needed afterwards. `name`
 * appears in messages; NULL is "<memory>". */
GSA_API gsa_status* gsa_pack_read(const void* bytes, size_t length,
                                  const char* name, gsa_pack** pack);
/* Frees a pack; plans that were loaded from it stay. NULL is allowed. */
GSA_API void gsa_pack_close(gsa_pack* pack);
/* Number of plans; 0 for NULL. */
GSA_API size_t gsa_pack_num_plans(const gsa_pack* pack);
/* Plan `index`: "cuda sm_90a, layer.mlir @main, hidden_states: f32[1, 64,
 * 512]", with all inputs, and "up to" before them where the shapes are bounds;
 * NULL out of range. Lives as long as the pack. */
GSA_API const char* gsa_pack_plan(const gsa_pack* pack, size_t index);

/* Which plan of a pack, and where to. Only `struct_size` is required; a NULL
 * pointer instead of the structure means zero in all fields. */
typedef struct gsa_load_options {
  size_t struct_size;
  /* "cpu", "cuda" or "cuda:<N>"; NULL or "" is "cpu". */
  const char* target;
  /* Shapes of inputs, of as many as tell the plans for the target's device
   * apart. */
  const gsa_named_shape* shapes;
  size_t num_shapes;
  /* 1: as in gsa_compile_options. */
  int64_t load_later;
} gsa_load_options;

/* Loads the plan of the pack that is for the architecture of the target's
 * device and has these shapes. GSA_FAILED_PRECONDITION: there is none for the
 * architecture; GSA_INVALID_ARGUMENT: none of these shapes, or several, and the
 * message lists what there is; GSA_UNAVAILABLE: no driver or no such GPU;
 * GSA_UNIMPLEMENTED: "cpu" with libgsa-runtime. The plan has one reference. */
GSA_API gsa_status* gsa_pack_load(const gsa_pack* pack,
                                  const gsa_load_options* options,
                                  gsa_plan** plan);

/* ---- What a plan needs and gives ---------------------------------------- */

/* An input or output of a plan. Filled by the library: fields beyond its
 * knowledge become zero. Pointers live as long as the plan. Only `struct_size`
 * is required. */
typedef struct gsa_tensor_info {
  size_t struct_size;
  /* The attribute gsa.name, or "arg0" / "result0". */
  const char* name;
  /* `rank` sizes, all known; the largest in a plan for bounds. */
  const int64_t* shape;
  int32_t rank;
  uint32_t dtype;
  /* Of the dense tensor. */
  uint64_t bytes;
  /* Of an output that is the new value of an input (the attribute gsa.updates),
   * the name of that input, whose memory it may have; NULL of others. */
  const char* updates;
} gsa_tensor_info;

/* Number of inputs and outputs; 0 for NULL. */
GSA_API size_t gsa_plan_num_inputs(const gsa_plan* plan);
GSA_API size_t gsa_plan_num_outputs(const gsa_plan* plan);
/* Describes input or output `index` in `*info`, whose struct_size is set. */
GSA_API gsa_status* gsa_plan_input(const gsa_plan* plan, size_t index,
                                   gsa_tensor_info* info);
GSA_API gsa_status* gsa_plan_output(const gsa_plan* plan, size_t index,
                                    gsa_tensor_info* info);
/* Bytes of scratch memory that each run needs, aligned to GSA_ALIGNMENT
 * (GSA_CUDA_WORKSPACE_ALIGNMENT on a GPU); may be 0. 0 for NULL. */
GSA_API size_t gsa_plan_workspace_bytes(const gsa_plan* plan);
/* Threads that the CPU's code was made for, see gsa_compile_options; 0 for
 * NULL. */
GSA_API int32_t gsa_plan_num_threads(const gsa_plan* plan);
/* What the code was made for: "znver4, 512-bit vectors, 2 threads", "cuda:0,
 * NVIDIA H200, sm_90a" or "host emulation of sm_80", with the reason of an
 * automatic choice. Lives as long as the plan; "" for NULL. */
GSA_API const char* gsa_plan_target(const gsa_plan* plan);
/* The stages that a run passes through, for timing ("projections", "select",
 * ...; the compiler calls them zones, and a stage a slot of a ring of tiles);
 * 0 for NULL. */
GSA_API size_t gsa_plan_num_stages(const gsa_plan* plan);
/* Name of stage `index`; NULL out of range. Lives as long as the plan. */
GSA_API const char* gsa_plan_stage_name(const gsa_plan* plan, size_t index);

/* Where the kernels of a plan, or its one object for the CPU, came from. Filled
 * by the library. Only `struct_size` is required. */
typedef struct gsa_kernel_counts {
  size_t struct_size;
  /* Compiled for the plan; found in `cache_dir`; had already by the process,
   * from another plan. All 0 for the emulation. */
  uint64_t compiled;
  uint64_t from_disk;
  uint64_t from_memory;
  /* What the compilations took, summed: they run at the same time. */
  double compile_milliseconds;
} gsa_kernel_counts;

/* Writes the counts of a plan to `*counts`, whose struct_size is set. */
GSA_API gsa_status* gsa_plan_kernel_counts(const gsa_plan* plan,
                                           gsa_kernel_counts* counts);
/* The kernels that NVRTC has compiled in this process so far. */
GSA_API uint64_t gsa_kernel_compilations(void);

/* Loads the code of the kernels onto the GPU and prepares the matrix products,
 * so that no run loads anything. gsa_compile has done that, and this does
 * nothing, unless `load_later` was set; it also does nothing the second time,
 * and on the CPU. Any thread may call it, also while another one captures a
 * graph. */
GSA_API gsa_status* gsa_plan_warmup(const gsa_plan* plan);
/* One compilation: a kernel by NVRTC, or a module for the CPU by LLVM (the
 * emulation's are not reported). Filled by the library; strings live until the
 * callback returns. */
typedef struct gsa_compilation {
  size_t struct_size;
  /* "cubin" or "ptx"; "object" for the CPU. */
  const char* kind;
  /* Of the kernel's text, or of the entry; "sm_90a" or the CPU's name. */
  const char* name;
  const char* target;
  /* 64 digits: what a cache directory keeps it under, as gsa-cache lists it. */
  const char* key;
  double milliseconds;
} gsa_compilation;

/* Called in the thread that compiled, from several at once. */
typedef void (*gsa_compilation_callback)(const gsa_compilation* compilation,
                                         void* user_data);

/* How many compilations have succeeded in this process so far: where the number
 * stands still, nothing is compiled behind the caller's back. */
GSA_API uint64_t gsa_compilations(void);
/* From now on calls `callback` with `user_data` for each compilation of this
 * process that succeeds; NULL: none. To hear of what is compiled after
 * warming up, set it then. Returns when no call of the callback before is
 * running any more, so a callback must not call it. */
GSA_API void gsa_set_compilation_callback(gsa_compilation_callback callback,
                                          void* user_data);
/* 1: from now on what would have to be compiled in this process is
 * GSA_FAILED_PRECONDITION with name and key; what the process or a cache has
 * stays usable. 0: as at first. */
GSA_API void gsa_forbid_compilations(int32_t forbid);

/* ---- Running ------------------------------------------------------------ */

/* A fixed set of threads. Does not survive fork(). */
typedef struct gsa_thread_pool gsa_thread_pool;

/* Makes a pool of 1 to 1024 threads that includes the thread that calls
 * gsa_run; 0: one per available CPU. */
GSA_API gsa_status* gsa_thread_pool_create(int32_t num_threads,
                                           gsa_thread_pool** pool);
/* Ends the threads. No run may be using the pool. NULL is allowed. */
GSA_API void gsa_thread_pool_destroy(gsa_thread_pool* pool);
/* Threads of the pool, the caller included; 0 for NULL. */
GSA_API int32_t gsa_thread_pool_num_threads(const gsa_thread_pool* pool);

/* What a caller lends to one run. Only `struct_size` is required; a NULL
 * pointer instead of the structure means zero in all fields. */
typedef struct gsa_run_options {
  size_t struct_size;
  /* Stream of the GPU (a CUstream or cudaStream_t) that the run is submitted
   * to; NULL is the legacy default stream. The run allocates nothing on the
   * GPU, reads nothing of it and waits for nothing, so that the stream may be
   * capturing a graph; GSA_FAILED_PRECONDITION if it captures and the plan is
   * not loaded (see gsa_plan_warmup). Must be NULL on
   * the CPU and for the emulation, where a run is finished when gsa_run
   * returns. */
  void* stream;
  /* Threads that a plan for the CPU runs on; NULL: the calling thread alone.
   * Other plans have no use for them. */
  gsa_thread_pool* thread_pool;
  /* If not NULL, receives the time in milliseconds of each stage;
   * `num_stage_milliseconds` is its length, at least gsa_plan_num_stages. On a
   * GPU gsa_run then waits for the end of the run. The emulation gives zeros.
   */
  double* stage_milliseconds;
  size_t num_stage_milliseconds;
} gsa_run_options;

/* Runs the plan: reads `inputs`, writes `outputs`, both in the plan's order.
 * The first run on a set of addresses looks up on a GPU whose memory they are
 * and prepares the arguments of all launches; the last 64 sets are kept, and a
 * run on one of them allocates no host memory either. In a process that was
 * forked after the plan was compiled for a GPU it is GSA_FAILED_PRECONDITION.
 * `workspace` holds at least gsa_plan_workspace_bytes and belongs to the run
 * until it ends, on a GPU until the end of its work on the stream. In a plan
 * for bounds tensors may be smaller than gsa_plan_input and gsa_plan_output
 * say, where they agree with each other. Outputs and workspace must overlap no
 * other tensor, but an output that updates an input (gsa_tensor_info) may have
 * its address: the input is then updated in place. Elsewhere the output begins
 * as a copy of it. On GSA_INVALID_ARGUMENT nothing has run, and the message
 * names the tensor, what is expected and what was got. */
GSA_API gsa_status* gsa_run(const gsa_plan* plan, const gsa_tensor* inputs,
                            size_t num_inputs, const gsa_tensor* outputs,
                            size_t num_outputs, void* workspace,
                            size_t workspace_bytes,
                            const gsa_run_options* options);

/* The same with tensors in any order: input_names[i] is the name of inputs[i],
 * output_names[i] that of outputs[i]. Each name of the plan must occur exactly
 * once, and no other. */
GSA_API gsa_status* gsa_run_named(const gsa_plan* plan,
                                  const char* const* input_names,
                                  const gsa_tensor* inputs, size_t num_inputs,
                                  const char* const* output_names,
                                  const gsa_tensor* outputs, size_t num_outputs,
                                  void* workspace, size_t workspace_bytes,
                                  const gsa_run_options* options);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* GSA_GSA_H_ */
