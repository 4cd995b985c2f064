/* -----------------------------------------------------------------------------
 * File: decode.c
 * -----------------------------------------------------------------------------
 *
 * What an engine does with gsa: a plan for bounds, made once; two prompts of
 * different lengths that are prefilled one by one; then steps of one token of
 * each, in one batch, against a cache of keys, values and keys of the indexer.
 * A run appends the keys and values of its tokens to the caches itself: a cache
 * is given to it as an input and as the output that updates it.
 *
 *   example-decode step.mlir [TARGET]
 *
 * In the loop nothing is compiled, which is made an error, and the library
 * allocates nothing. At the end all tokens are computed once more, each
 * sequence at once: the outputs must have the same bits.
 *
 * TARGET is "cpu". On a GPU a plan is for one set of shapes so far, so that
 * gsa_compile refuses these bounds with that reason, or for want of a driver.
 * There an engine compiles a plan for a batch of decoded tokens and one for
 * each size of a chunk, keeps tensors, caches and lengths in device memory, and
 * passes its stream in gsa_run_options: the device reads the lengths, so that a
 * step may be a captured graph. This program has not been run on one.
 */

#include <gsa/gsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sizes of step.mlir. */
enum {
  kSequences = 2,
  kRoom = 512,
  kSteps = 48,
  kHeads = 8,
  kGroups = 2,
  kDepth = 64,
  kIndexHeads = 4,
  kIndexDepth = 32
};
static const int64_t kPrompts[kSequences] = {300, 97};

/* Tensors of a token, by number; kElements says how many floats of each. */
enum {
  kQuery,
  kKey,
  kValue,
  kValueGate,
  kOutputGate,
  kIndexQuery,
  kIndexKey,
  kIndexWeights,
  kTensors
};
static const int64_t kElements[kTensors] = {
    kHeads * kDepth, kGroups* kDepth,          kGroups* kDepth, kGroups* kDepth,
    kHeads* kDepth,  kIndexHeads* kIndexDepth, kIndexDepth,     kIndexHeads};

/* All that a run of the program needs. */
typedef struct Engine {
  gsa_plan* plan;
  gsa_thread_pool* threads;
  void* workspace;
  float *keys, *values, *index_keys; /* [kSequences, kRoom, ...] */
  int32_t lengths[kSequences];       /* Tokens that the caches have. */
  /* Operands and results of a step: [batch, tokens, ...] */
  float* step[kTensors];
  float* output;
  int64_t* positions;
  int32_t *step_lengths, *status;
  /* What is kept for the comparison: [kSequences, kRoom, kHeads * kDepth] */
  float* outputs;
} Engine;

/* Prints an error, frees it and returns 1; returns 0 for success. */
static int Failed(gsa_status* status) {
  if (status == NULL) return 0;
  fprintf(stderr, "error: %s: %s\n", gsa_code_name(gsa_status_code(status)),
          gsa_status_message(status));
  gsa_status_destroy(status);
  return 1;
}

/* A dense tensor in host memory. */
static gsa_tensor Tensor(const void* data, uint32_t dtype, int32_t rank,
                         const int64_t* shape) {
  gsa_tensor tensor = {0};
  tensor.struct_size = sizeof(tensor);
  tensor.data = (void*)data;
  tensor.device_type = GSA_DEVICE_CPU;
  tensor.rank = rank;
  tensor.dtype = dtype;
  tensor.shape = shape;
  return tensor;
}

/* ---- Tokens ---------------------------------------------------------------
 */

/* What the model's projections give for token `token` of a sequence: here,
 * numbers in [-1, 1) that are functions of the place. */
static void FillToken(int which, int64_t sequence, int64_t token, float* to) {
  uint32_t seed = (uint32_t)(which + 16 * (sequence + 16 * token));
  for (int64_t i = 0; i < kElements[which]; ++i) {
    seed = seed * 1664525u + 1013904223u;
    to[i] = (float)(int32_t)seed / 2147483648.0f;
  }
}

/* ---- A step ---------------------------------------------------------------
 */

/* A run over the caches from sequence `first` on; returns whether it succeeds.
 */
static int Run(Engine* e, int64_t first, int64_t batch, int64_t tokens) {
  const int64_t heads[] = {batch, tokens, kHeads, kDepth};
  const int64_t groups[] = {batch, tokens, kGroups, kDepth};
  const int64_t index[] = {batch, tokens, kIndexHeads, kIndexDepth};
  const int64_t index_key[] = {batch, tokens, kIndexDepth};
  const int64_t cache[] = {batch, kRoom, kGroups, kDepth};
  const int64_t index_cache[] = {batch, kRoom, kIndexDepth};
  const int64_t row = first * kRoom;
  /* Tensors begin at multiples of GSA_ALIGNMENT. */
  memcpy(e->step_lengths, e->lengths + first, batch * sizeof(int32_t));
  const gsa_tensor keys =
      Tensor(e->keys + row * kElements[kKey], GSA_F32, 4, cache);
  const gsa_tensor values =
      Tensor(e->values + row * kElements[kValue], GSA_F32, 4, cache);
  const gsa_tensor index_keys =
      Tensor(e->index_keys + row * kIndexDepth, GSA_F32, 3, index_cache);
  const gsa_tensor inputs[] = {
      Tensor(e->step[kQuery], GSA_F32, 4, heads),
      Tensor(e->step[kKey], GSA_F32, 4, groups),
      Tensor(e->step[kValue], GSA_F32, 4, groups),
      Tensor(e->step[kValueGate], GSA_F32, 4, groups),
      Tensor(e->step[kOutputGate], GSA_F32, 4, heads),
      Tensor(e->step[kIndexQuery], GSA_F32, 4, index),
      Tensor(e->step[kIndexKey], GSA_F32, 3, index_key),
      Tensor(e->step[kIndexWeights], GSA_F32, 3, index),
      Tensor(e->positions, GSA_I64, 2, heads),
      Tensor(e->step_lengths, GSA_I32, 1, heads),
      keys,
      values,
      index_keys,
  };
  const gsa_tensor outputs[] = {
      Tensor(e->output, GSA_F32, 4, heads),
      Tensor(e->status, GSA_I32, 2, heads),
      keys,
      values,
      index_keys,
  };
  gsa_run_options options = {0};
  options.struct_size = sizeof(options);
  options.thread_pool = e->threads;
  return !Failed(gsa_run(e->plan, inputs, 13, outputs, 5, e->workspace,
                         gsa_plan_workspace_bytes(e->plan), &options));
}

/* `tokens` new tokens of each of `batch` sequences from `first` on: appended to
 * the caches, attended with. Outputs are compared with those that are kept, or
 * kept. */
static int Step(Engine* e, int64_t first, int64_t batch, int64_t tokens,
                int compares) {
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t i = 0; i < tokens; ++i) {
      int64_t row = b * tokens + i, token = e->lengths[first + b] + i;
      e->positions[row] = token;
      for (int which = 0; which < kTensors; ++which)
        FillToken(which, first + b, token,
                  e->step[which] + row * kElements[which]);
    }
  for (int64_t b = 0; b < batch; ++b) e->lengths[first + b] += (int32_t)tokens;
  if (!Run(e, first, batch, tokens)) return 0;
  for (int64_t b = 0; b < batch; ++b) {
    size_t size = (size_t)(tokens * kElements[kQuery]);
    float* kept =
        e->outputs + ((first + b) * kRoom + e->lengths[first + b] - tokens) *
                         kElements[kQuery];
    if (!compares) {
      memcpy(kept, e->output + b * size, size * sizeof(float));
    } else if (memcmp(kept, e->output + b * size, size * sizeof(float)) != 0) {
      fprintf(stderr, "error: steps and the whole sequence %d differ\n",
              (int)(first + b));
      return 0;
    }
  }
  return 1;
}

/* ---- The plan -------------------------------------------------------------
 */

/* The whole file, freed by free, or NULL. */
static char* ReadFile(const char* path, size_t* length) {
  FILE* file = fopen(path, "rb");
  long size = 0;
  char* text = NULL;
  if (file != NULL && fseek(file, 0, SEEK_END) == 0) size = ftell(file);
  if (size > 0 && fseek(file, 0, SEEK_SET) == 0) text = malloc((size_t)size);
  *length = text == NULL ? 0 : fread(text, 1, (size_t)size, file);
  if (file != NULL) fclose(file);
  if (text == NULL) fprintf(stderr, "error: cannot read '%s'\n", path);
  return text;
}

/* A plan for up to kSequences sequences and kRoom tokens; other dynamic sizes
 * there are not in step.mlir. */
static gsa_plan* Compile(const char* text, size_t length, const char* path,
                         const char* target) {
  static const int64_t largest[] = {kSequences, kRoom};
  const struct {
    const char* name;
    int64_t sizes[4], rank;
  } inputs[] = {
      {"query", {0, 0, kHeads, kDepth}, 4},
      {"key", {0, 0, kGroups, kDepth}, 4},
      {"value", {0, 0, kGroups, kDepth}, 4},
      {"value_gate", {0, 0, kGroups, kDepth}, 4},
      {"output_gate", {0, 0, kHeads, kDepth}, 4},
      {"index_query", {0, 0, kIndexHeads, kIndexDepth}, 4},
      {"index_key", {0, 0, kIndexDepth}, 3},
      {"index_weights", {0, 0, kIndexHeads}, 3},
      {"positions", {0, 0}, 2},
      {"lengths", {0}, 1},
      {"key_cache", {0, kRoom, kGroups, kDepth}, 4},
      {"value_cache", {0, kRoom, kGroups, kDepth}, 4},
      {"index_cache", {0, kRoom, kIndexDepth}, 3},
  };
  enum { kInputs = sizeof(inputs) / sizeof(inputs[0]) };
  int64_t sizes[kInputs][4];
  gsa_named_shape bounds[kInputs];
  gsa_compile_options options = {0};
  gsa_plan* plan = NULL;
  options.struct_size = sizeof(options);
  for (int i = 0; i < kInputs; ++i) {
    gsa_named_shape* bound = &bounds[options.num_bounds++];
    for (int64_t d = 0; d < inputs[i].rank; ++d)
      sizes[i][d] = inputs[i].sizes[d] > 0 ? inputs[i].sizes[d] : largest[d];
    bound->struct_size = sizeof(*bound);
    bound->name = inputs[i].name;
    bound->sizes = sizes[i];
    bound->rank = inputs[i].rank;
  }
  options.bounds = bounds;
  options.target = target;
  return Failed(gsa_compile(text, length, path, &options, &plan)) ? NULL : plan;
}

/* Zero-filled floats, freed by gsa_free. */
static float* Floats(int64_t count) {
  return gsa_alloc((size_t)count * sizeof(float));
}

/* Plan, workspace, caches and buffers. */
static int Start(Engine* e, const char* path, const char* target) {
  const int64_t rows = kSequences * kRoom;
  size_t length;
  char* text = ReadFile(path, &length);
  int ok = text != NULL;
  ok = ok && (e->plan = Compile(text, length, path, target));
  free(text);
  if (!ok || Failed(gsa_thread_pool_create(0, &e->threads))) return 0;
  ok = (e->workspace = gsa_alloc(gsa_plan_workspace_bytes(e->plan))) != NULL;
  ok = (e->keys = Floats(rows * kElements[kKey])) && ok;
  ok = (e->values = Floats(rows * kElements[kValue])) && ok;
  ok = (e->index_keys = Floats(rows * kIndexDepth)) && ok;
  for (int which = 0; which < kTensors; ++which)
    ok = (e->step[which] = Floats(rows * kElements[which])) && ok;
  ok = (e->output = Floats(rows * kElements[kQuery])) && ok;
  ok = (e->outputs = Floats(rows * kElements[kQuery])) && ok;
  ok = (e->positions = gsa_alloc(rows * sizeof(int64_t))) && ok;
  ok = (e->step_lengths = gsa_alloc(kSequences * sizeof(int32_t))) && ok;
  ok = (e->status = gsa_alloc(rows * sizeof(int32_t))) && ok;
  if (!ok) fprintf(stderr, "error: out of memory\n");
  return ok;
}

static void Stop(Engine* e) {
  void* const memory[] = {e->workspace,  e->keys,         e->values,
                          e->index_keys, e->output,       e->outputs,
                          e->positions,  e->step_lengths, e->status};
  for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); ++i)
    gsa_free(memory[i]);
  for (int which = 0; which < kTensors; ++which) gsa_free(e->step[which]);
  gsa_thread_pool_destroy(e->threads);
  gsa_plan_release(e->plan);
}

/* ---- The engine ------------------------------------------------------------
 */

static int Serve(Engine* e) {
  for (int64_t b = 0; b < kSequences; ++b)
    if (!Step(e, b, 1, kPrompts[b], 0)) return 0;
  /* Warm: another compilation would be an error, and be counted. */
  uint64_t compiled = gsa_compilations();
  gsa_forbid_compilations(1);
  for (int step = 0; step < kSteps; ++step)
    if (!Step(e, 0, kSequences, 1, 0)) return 0;
  printf("%d steps of %d sequences, %d and %d tokens, %d compilations\n",
         kSteps, kSequences, (int)e->lengths[0], (int)e->lengths[1],
         (int)(gsa_compilations() - compiled));

  for (int64_t b = 0; b < kSequences; ++b) {
    int64_t tokens = e->lengths[b];
    e->lengths[b] = 0;
    if (!Step(e, b, 1, tokens, 1)) return 0;
  }
  printf("the same bits as each sequence at once\n");
  return 1;
}

int main(int argc, char** argv) {
  Engine engine;
  memset(&engine, 0, sizeof(engine));
  if (argc != 2 && argc != 3) {
    fprintf(stderr, "usage: example-decode step.mlir [TARGET]\n");
    return 2;
  }
  int ok =
      Start(&engine, argv[1], argc == 3 ? argv[2] : "cpu") && Serve(&engine);
  Stop(&engine);
  return ok ? 0 : 1;
}
