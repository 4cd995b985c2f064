/* -----------------------------------------------------------------------------
 * File: decode.c
 * -----------------------------------------------------------------------------
 *
 * What an engine does with gsa: plans for bounds, made once; two prompts of
 * different lengths that are prefilled one by one; then steps of one token of
 * each, in one batch, against a cache of keys, values and keys of the indexer.
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
  gsa_plan *project, *attend;
  gsa_thread_pool* threads;
  void* workspace; /* Of the plan that needs more. */
  size_t workspace_bytes;
  float *keys, *values, *index_keys; /* [kSequences, kRoom, ...] */
  int32_t lengths[kSequences];       /* Tokens that the caches have. */
  /* Operands and results of a step: [batch, tokens, ...] */
  float* step[kTensors];
  float *turned, *gated, *output;
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

/* Runs a plan that has two outputs; returns whether it succeeds. */
static int Run(const Engine* e, const gsa_plan* plan, const gsa_tensor* inputs,
               size_t num_inputs, const gsa_tensor* outputs) {
  gsa_run_options options = {0};
  options.struct_size = sizeof(options);
  options.thread_pool = e->threads;
  return !Failed(gsa_run(plan, inputs, num_inputs, outputs, 2, e->workspace,
                         e->workspace_bytes, &options));
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

/* Turns keys and gates values of `batch` times `tokens` new tokens. */
static int Project(Engine* e, int64_t batch, int64_t tokens) {
  const int64_t heads[] = {batch, tokens, kGroups, kDepth};
  const gsa_tensor inputs[] = {
      Tensor(e->step[kKey], GSA_F32, 4, heads),
      Tensor(e->step[kValue], GSA_F32, 4, heads),
      Tensor(e->step[kValueGate], GSA_F32, 4, heads),
      Tensor(e->positions, GSA_I64, 2, heads),
  };
  const gsa_tensor outputs[] = {
      Tensor(e->turned, GSA_F32, 4, heads),
      Tensor(e->gated, GSA_F32, 4, heads),
  };
  return Run(e, e->project, inputs, 4, outputs);
}

/* Attention of the new tokens over the caches from sequence `first` on, which
 * hold them already. */
static int Attend(Engine* e, int64_t first, int64_t batch, int64_t tokens) {
  const int64_t heads[] = {batch, tokens, kHeads, kDepth};
  const int64_t index[] = {batch, tokens, kIndexHeads, kIndexDepth};
  const int64_t cache[] = {batch, kRoom, kGroups, kDepth};
  const int64_t index_cache[] = {batch, kRoom, kIndexDepth};
  const int64_t row = first * kRoom;
  /* Tensors begin at multiples of GSA_ALIGNMENT. */
  memcpy(e->step_lengths, e->lengths + first, batch * sizeof(int32_t));
  const gsa_tensor inputs[] = {
      Tensor(e->step[kQuery], GSA_F32, 4, heads),
      Tensor(e->positions, GSA_I64, 2, heads),
      Tensor(e->step[kIndexQuery], GSA_F32, 4, index),
      Tensor(e->step[kIndexWeights], GSA_F32, 3, index),
      Tensor(e->step[kOutputGate], GSA_F32, 4, heads),
      Tensor(e->keys + row * kGroups * kDepth, GSA_F32, 4, cache),
      Tensor(e->values + row * kGroups * kDepth, GSA_F32, 4, cache),
      Tensor(e->index_keys + row * kIndexDepth, GSA_F32, 3, index_cache),
      Tensor(e->step_lengths, GSA_I32, 1, heads),
  };
  const gsa_tensor outputs[] = {
      Tensor(e->output, GSA_F32, 4, heads),
      Tensor(e->status, GSA_I32, 2, heads),
  };
  return Run(e, e->attend, inputs, 9, outputs);
}

/* `tokens` new tokens of each of `batch` sequences from `first` on: projected,
 * appended to the caches, attended with. Outputs are compared with those that
 * are kept, or kept. */
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
  if (!Project(e, batch, tokens)) return 0;
  for (int64_t b = 0; b < batch; ++b) {
    int64_t to = (first + b) * kRoom + e->lengths[first + b];
    size_t heads = (size_t)(tokens * kElements[kKey]);
    size_t index = (size_t)(tokens * kIndexDepth);
    memcpy(e->keys + to * kElements[kKey], e->turned + b * heads,
           heads * sizeof(float));
    memcpy(e->values + to * kElements[kKey], e->gated + b * heads,
           heads * sizeof(float));
    memcpy(e->index_keys + to * kIndexDepth, e->step[kIndexKey] + b * index,
           index * sizeof(float));
    e->lengths[first + b] += (int32_t)tokens;
  }
  if (!Attend(e, first, batch, tokens)) return 0;
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

/* ---- Plans ----------------------------------------------------------------
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

/* A plan of function `entry` for up to kSequences sequences and kRoom tokens;
 * other dynamic sizes there are not in step.mlir. */
static gsa_plan* Compile(const char* text, size_t length, const char* path,
                         const char* entry, const char* target) {
  static const int64_t largest[] = {kSequences, kRoom};
  const struct {
    const char *entry, *name;
    int64_t sizes[4], rank;
  } inputs[] = {
      {"project", "key", {0, 0, kGroups, kDepth}, 4},
      {"project", "value", {0, 0, kGroups, kDepth}, 4},
      {"project", "value_gate", {0, 0, kGroups, kDepth}, 4},
      {"project", "positions", {0, 0}, 2},
      {"attend", "query", {0, 0, kHeads, kDepth}, 4},
      {"attend", "positions", {0, 0}, 2},
      {"attend", "index_query", {0, 0, kIndexHeads, kIndexDepth}, 4},
      {"attend", "index_weights", {0, 0, kIndexHeads}, 3},
      {"attend", "output_gate", {0, 0, kHeads, kDepth}, 4},
      {"attend", "key_cache", {0, kRoom, kGroups, kDepth}, 4},
      {"attend", "value_cache", {0, kRoom, kGroups, kDepth}, 4},
      {"attend", "index_cache", {0, kRoom, kIndexDepth}, 3},
      {"attend", "lengths", {0}, 1},
  };
  enum { kInputs = sizeof(inputs) / sizeof(inputs[0]) };
  int64_t sizes[kInputs][4];
  gsa_named_shape bounds[kInputs];
  gsa_compile_options options = {0};
  gsa_plan* plan = NULL;
  options.struct_size = sizeof(options);
  for (int i = 0; i < kInputs; ++i) {
    if (strcmp(inputs[i].entry, entry) != 0) continue;
    gsa_named_shape* bound = &bounds[options.num_bounds++];
    for (int64_t d = 0; d < inputs[i].rank; ++d)
      sizes[i][d] = inputs[i].sizes[d] > 0 ? inputs[i].sizes[d] : largest[d];
    bound->struct_size = sizeof(*bound);
    bound->name = inputs[i].name;
    bound->sizes = sizes[i];
    bound->rank = inputs[i].rank;
  }
  options.bounds = bounds;
  options.entry = entry;
  options.target = target;
  return Failed(gsa_compile(text, length, path, &options, &plan)) ? NULL : plan;
}

/* Zero-filled floats, freed by gsa_free. */
static float* Floats(int64_t count) {
  return gsa_alloc((size_t)count * sizeof(float));
}

/* Plans, workspace, caches and buffers. */
static int Start(Engine* e, const char* path, const char* target) {
  const int64_t rows = kSequences * kRoom;
  size_t length;
  char* text = ReadFile(path, &length);
  int ok = text != NULL;
  ok = ok && (e->project = Compile(text, length, path, "project", target));
  ok = ok && (e->attend = Compile(text, length, path, "attend", target));
  free(text);
  if (!ok || Failed(gsa_thread_pool_create(0, &e->threads))) return 0;
  e->workspace_bytes = gsa_plan_workspace_bytes(e->attend);
  if (gsa_plan_workspace_bytes(e->project) > e->workspace_bytes)
    e->workspace_bytes = gsa_plan_workspace_bytes(e->project);
  ok = (e->workspace = gsa_alloc(e->workspace_bytes)) != NULL;
  ok = (e->keys = Floats(rows * kElements[kKey])) && ok;
  ok = (e->values = Floats(rows * kElements[kValue])) && ok;
  ok = (e->index_keys = Floats(rows * kIndexDepth)) && ok;
  for (int which = 0; which < kTensors; ++which)
    ok = (e->step[which] = Floats(rows * kElements[which])) && ok;
  ok = (e->turned = Floats(rows * kElements[kKey])) && ok;
  ok = (e->gated = Floats(rows * kElements[kValue])) && ok;
  ok = (e->output = Floats(rows * kElements[kQuery])) && ok;
  ok = (e->outputs = Floats(rows * kElements[kQuery])) && ok;
  ok = (e->positions = gsa_alloc(rows * sizeof(int64_t))) && ok;
  ok = (e->step_lengths = gsa_alloc(kSequences * sizeof(int32_t))) && ok;
  ok = (e->status = gsa_alloc(rows * sizeof(int32_t))) && ok;
  if (!ok) fprintf(stderr, "error: out of memory\n");
  return ok;
}

static void Stop(Engine* e) {
  void* const memory[] = {e->workspace,    e->keys,    e->values,
                          e->index_keys,   e->turned,  e->gated,
                          e->output,       e->outputs, e->positions,
                          e->step_lengths, e->status};
  for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); ++i)
    gsa_free(memory[i]);
  for (int which = 0; which < kTensors; ++which) gsa_free(e->step[which]);
  gsa_thread_pool_destroy(e->threads);
  gsa_plan_release(e->project);
  gsa_plan_release(e->attend);
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
