/* -----------------------------------------------------------------------------
 * File: pack.c
 * -----------------------------------------------------------------------------
 *
 * Loads a plan that gsa-compile made ahead of time, with the library that has
 * no compiler.
 *
 *   gsa-compile FILE.mlir --arch sm_90a --plan seq=4096 -o layer.gsapack
 *   example-pack layer.gsapack [TARGET]
 *
 * Prints the plans of the pack and, of the one for TARGET ("cuda:0"), what it
 * needs.
 */

#include <gsa/gsa.h>
#include <stdio.h>

/* Prints an error, frees it and returns 1; returns 0 for success. */
static int Failed(gsa_status* status) {
  if (status == NULL) return 0;
  fprintf(stderr, "error: %s: %s\n", gsa_code_name(gsa_status_code(status)),
          gsa_status_message(status));
  gsa_status_destroy(status);
  return 1;
}

static int Describe(const gsa_plan* plan) {
  printf("%s: %zu inputs, %zu outputs, workspace of %zu bytes\n",
         gsa_plan_target(plan), gsa_plan_num_inputs(plan),
         gsa_plan_num_outputs(plan), gsa_plan_workspace_bytes(plan));
  return 0;
}

int main(int argc, char** argv) {
  gsa_pack* pack = NULL;
  gsa_plan* plan = NULL;
  gsa_load_options options = {sizeof(options), NULL, NULL, 0, 0};
  int code = 0;
  if (argc != 2 && argc != 3) {
    fprintf(stderr, "usage: example-pack PACK [TARGET]\n");
    return 2;
  }
  if (Failed(gsa_pack_open(argv[1], &pack))) return 1;
  for (size_t i = 0; i < gsa_pack_num_plans(pack); ++i)
    printf("%s\n", gsa_pack_plan(pack, i));
  if (argc == 3) {
    options.target = argv[2];
    code = Failed(gsa_pack_load(pack, &options, &plan)) || Describe(plan);
    gsa_plan_release(plan);
  }
  gsa_pack_close(pack);
  return code;
}
