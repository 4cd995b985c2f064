/* -----------------------------------------------------------------------------
 * File: example.c
 * -----------------------------------------------------------------------------
 *
 * Compiles a module through the C API, or a layer from its configuration, and
 * runs it on generated numbers.
 *
 *   example-c FILE.mlir [NAME=SIZExSIZE...]...
 *   example-c --layer KEY=VALUE,... [NAME=SIZExSIZE...]...
 *   example-c examples/sparse_only.mlir query=1x256x8x64 key=1x256x2x64 ...
 *   example-c --layer d_model=512,n_heads=8,n_kv_heads=2 \
 *       hidden_states=1x256x512
 *
 * Each input with dynamic sizes needs its shape. Prints what was compiled, how
 * long each stage took and the range of each output.
 */

#include <gsa/gsa.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kMaxShapes = 64, kMaxRank = 16 };

/* Prints an error, frees it and returns 1; returns 0 for success. */
static int Failed(gsa_status* status) {
  if (status == NULL) return 0;
  fprintf(stderr, "error: %s: %s\n", gsa_code_name(gsa_status_code(status)),
          gsa_status_message(status));
  gsa_status_destroy(status);
  return 1;
}

/* The whole file, or NULL. */
static char* ReadFile(const char* path, size_t* length) {
  FILE* file = fopen(path, "rb");
  char* text = NULL;
  size_t capacity = 0;
  *length = 0;
  if (file == NULL) {
    fprintf(stderr, "error: cannot open '%s'\n", path);
    return NULL;
  }
  for (;;) {
    if (*length == capacity) {
      capacity = capacity == 0 ? 65536 : 2 * capacity;
      char* larger = realloc(text, capacity);
      if (larger == NULL) break;
      text = larger;
    }
    size_t got = fread(text + *length, 1, capacity - *length, file);
    *length += got;
    if (got == 0) break;
  }
  fclose(file);
  return text;
}

/* The module of a layer, freed by gsa_free, or NULL. */
static char* MakeLayer(const char* settings, size_t* length) {
  gsa_layer_config config;
  char* text = NULL;
  config.struct_size = sizeof(config);
  if (Failed(gsa_layer_config_init(&config))) return NULL;
  if (Failed(gsa_layer_config_set(&config, settings))) return NULL;
  if (Failed(gsa_layer_module(&config, &text, length))) return NULL;
  return text;
}

/* Parses "name=1x256x8". Cuts `argument` at the '='. */
static int ParseShape(char* argument, gsa_named_shape* shape, int64_t* sizes) {
  char* cursor = strchr(argument, '=');
  if (cursor == NULL) {
    fprintf(stderr, "error: expected NAME=SIZExSIZE..., got '%s'\n", argument);
    return 0;
  }
  *cursor++ = '\0';
  shape->struct_size = sizeof(*shape);
  shape->name = argument;
  shape->sizes = sizes;
  shape->rank = 0;
  while (*cursor != '\0' && shape->rank < kMaxRank) {
    char* end;
    sizes[shape->rank++] = strtoll(cursor, &end, 10);
    if (end == cursor || (*end != 'x' && *end != '\0')) {
      fprintf(stderr, "error: the shape of '%s' is no list like 1x256x8\n",
              argument);
      return 0;
    }
    cursor = *end == 'x' ? end + 1 : end;
  }
  return 1;
}

static uint64_t Elements(const gsa_tensor_info* info) {
  return info->bytes / gsa_dtype_size(info->dtype);
}

/* Fills a tensor: numbers in [-1, 1) of a fixed sequence, or 0, 1, 2, ... along
 * the last dimension of integers, which suits positions. */
static void Fill(const gsa_tensor_info* info, void* data, uint32_t seed) {
  uint64_t count = Elements(info);
  int64_t last = info->rank > 0 ? info->shape[info->rank - 1] : 1;
  for (uint64_t i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    float value = (float)(int32_t)seed / 2147483648.0f;
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    switch (info->dtype) {
      case GSA_F32:
        ((float*)data)[i] = value;
        break;
      case GSA_F64:
        ((double*)data)[i] = value;
        break;
      case GSA_BF16: /* The upper half of a float. */
        ((uint16_t*)data)[i] = (uint16_t)(bits >> 16);
        break;
      case GSA_F16: /* 0.5 to 1 with a sign: the exponent is constant. */
        ((uint16_t*)data)[i] = (uint16_t)((seed >> 16 & 0x83ff) | 0x3800);
        break;
      case GSA_I32:
        ((int32_t*)data)[i] = (int32_t)((int64_t)i % last);
        break;
      case GSA_I64:
        ((int64_t*)data)[i] = (int64_t)i % last;
        break;
      default: /* No numbers: zeros. */
        memset(data, 0, info->bytes);
        return;
    }
  }
}

/* Allocates and describes a tensor of a plan. */
static int MakeTensor(const gsa_tensor_info* info, gsa_tensor* tensor) {
  memset(tensor, 0, sizeof(*tensor));
  tensor->struct_size = sizeof(*tensor);
  tensor->data = gsa_alloc(info->bytes);
  tensor->device_type = GSA_DEVICE_CPU;
  tensor->rank = info->rank;
  tensor->dtype = info->dtype;
  tensor->shape = info->shape;
  return tensor->data != NULL;
}

static void PrintTensor(const char* kind, const gsa_tensor_info* info) {
  printf("  %s %s: %s[", kind, info->name, gsa_dtype_name(info->dtype));
  for (int32_t i = 0; i < info->rank; ++i) {
    printf("%s%" PRId64, i == 0 ? "" : ", ", info->shape[i]);
  }
  printf("]");
}

/* Smallest and largest element, where C has the type. Returns 0 if an element
 * is NaN. */
static int PrintRange(const gsa_tensor_info* info, const void* data) {
  double low = INFINITY, high = -INFINITY;
  for (uint64_t i = 0; i < Elements(info); ++i) {
    double value;
    switch (info->dtype) {
      case GSA_F32:
        value = ((const float*)data)[i];
        break;
      case GSA_F64:
        value = ((const double*)data)[i];
        break;
      case GSA_I32:
        value = ((const int32_t*)data)[i];
        break;
      case GSA_I64:
        value = (double)((const int64_t*)data)[i];
        break;
      default:
        printf("\n");
        return 1;
    }
    if (isnan(value)) {
      printf(", element %" PRIu64 " is NaN\n", i);
      return 0;
    }
    if (value < low) low = value;
    if (value > high) high = value;
  }
  printf(", from %g to %g\n", low, high);
  return 1;
}

/* The input or output `index` of a plan, described and allocated. */
static int Prepare(const gsa_plan* plan, int is_input, size_t index,
                   gsa_tensor_info* info, gsa_tensor* tensor) {
  memset(info, 0, sizeof(*info));
  info->struct_size = sizeof(*info);
  if (Failed(is_input ? gsa_plan_input(plan, index, info)
                      : gsa_plan_output(plan, index, info))) {
    return 0;
  }
  return MakeTensor(info, tensor);
}

/* Runs with tensors, workspace and stage times that are allocated already. */
static int RunAndReport(const gsa_plan* plan, const gsa_tensor* inputs,
                        const gsa_tensor* outputs, const gsa_tensor_info* infos,
                        void* workspace, double* times) {
  gsa_run_options options = {0};
  options.struct_size = sizeof(options);
  options.stage_milliseconds = times;
  options.num_stage_milliseconds = gsa_plan_num_stages(plan);
  if (Failed(gsa_thread_pool_create(0, &options.thread_pool))) return 0;
  gsa_status* status = gsa_run(plan, inputs, gsa_plan_num_inputs(plan), outputs,
                               gsa_plan_num_outputs(plan), workspace,
                               gsa_plan_workspace_bytes(plan), &options);
  gsa_thread_pool_destroy(options.thread_pool);
  if (Failed(status)) return 0;

  printf("stages\n");
  for (size_t i = 0; i < gsa_plan_num_stages(plan); ++i) {
    printf("  %-24s %9.3f ms\n", gsa_plan_stage_name(plan, i), times[i]);
  }
  printf("outputs\n");
  int ok = 1;
  for (size_t i = 0; i < gsa_plan_num_outputs(plan); ++i) {
    PrintTensor("output", &infos[i]);
    ok = PrintRange(&infos[i], outputs[i].data) && ok;
  }
  return ok;
}

static int RunPlan(const gsa_plan* plan) {
  size_t num_inputs = gsa_plan_num_inputs(plan);
  size_t num_outputs = gsa_plan_num_outputs(plan);
  gsa_tensor* inputs = calloc(num_inputs + 1, sizeof(*inputs));
  gsa_tensor* outputs = calloc(num_outputs + 1, sizeof(*outputs));
  gsa_tensor_info* infos = calloc(num_outputs + 1, sizeof(*infos));
  double* times = calloc(gsa_plan_num_stages(plan) + 1, sizeof(*times));
  void* workspace = gsa_alloc(gsa_plan_workspace_bytes(plan));
  int ok = inputs && outputs && infos && times && workspace;
  printf("compiled for %s, workspace %zu bytes\ninputs\n",
         gsa_plan_target(plan), gsa_plan_workspace_bytes(plan));
  for (size_t i = 0; ok && i < num_inputs; ++i) {
    gsa_tensor_info info;
    ok = Prepare(plan, 1, i, &info, &inputs[i]);
    if (!ok) break;
    Fill(&info, inputs[i].data, (uint32_t)i);
    PrintTensor("input", &info);
    printf("\n");
  }
  for (size_t i = 0; ok && i < num_outputs; ++i) {
    ok = Prepare(plan, 0, i, &infos[i], &outputs[i]);
  }
  if (ok) ok = RunAndReport(plan, inputs, outputs, infos, workspace, times);
  for (size_t i = 0; inputs && i < num_inputs; ++i) gsa_free(inputs[i].data);
  for (size_t i = 0; outputs && i < num_outputs; ++i) gsa_free(outputs[i].data);
  gsa_free(workspace);
  free(times);
  free(infos);
  free(outputs);
  free(inputs);
  return ok;
}

/* Compiles, after asking why that might be refused. */
static gsa_plan* Compile(const char* text, size_t length, const char* path,
                         const gsa_compile_options* options) {
  gsa_support* support = NULL;
  gsa_plan* plan = NULL;
  if (Failed(gsa_check_support(text, length, path, options, &support))) {
    return NULL;
  }
  size_t num_reasons = gsa_support_num_reasons(support);
  for (size_t i = 0; i < num_reasons; ++i) {
    fprintf(stderr, "error: %s\n", gsa_support_reason(support, i));
  }
  gsa_support_destroy(support);
  if (num_reasons > 0) return NULL;
  if (Failed(gsa_compile(text, length, path, options, &plan))) return NULL;
  return plan;
}

int main(int argc, char** argv) {
  gsa_named_shape shapes[kMaxShapes];
  int64_t sizes[kMaxShapes][kMaxRank];
  gsa_compile_options options = {0};
  size_t length;
  int is_layer = argc > 2 && strcmp(argv[1], "--layer") == 0;
  int first_shape = is_layer ? 3 : 2;
  if (argc < 2 || argc > first_shape + kMaxShapes) {
    fprintf(stderr,
            "usage: example-c FILE.mlir [NAME=SIZExSIZE...]...\n"
            "       example-c --layer KEY=VALUE,... [NAME=SIZExSIZE...]...\n");
    return 2;
  }
  options.struct_size = sizeof(options);
  options.shapes = shapes;
  for (int i = first_shape; i < argc; ++i) {
    size_t n = options.num_shapes++;
    if (!ParseShape(argv[i], &shapes[n], sizes[n])) return 2;
  }
  const char* name = is_layer ? "layer" : argv[1];
  char* text = is_layer ? MakeLayer(argv[2], &length) : ReadFile(name, &length);
  if (text == NULL) return 1;
  printf("gsa %s, %s\n", gsa_version_string(), name);
  gsa_plan* plan = Compile(text, length, name, &options);
  int ok = plan != NULL && RunPlan(plan);
  gsa_plan_release(plan);
  is_layer ? gsa_free(text) : free(text);
  return ok ? 0 : 1;
}
