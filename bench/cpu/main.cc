// -----------------------------------------------------------------------------
// File: main.cc
// -----------------------------------------------------------------------------
//
// gsa-bench-cpu: how fast compiled modules run on this CPU, as a share of what
// the CPU can do. docs/performance.md explains the method and shows results.

#include <CLI/CLI.hpp>

#include "bench/cpu/suite.h"
#include "runtime/core/dtype.h"

namespace {

// Small enough for a smoke test; a size or round count given stays.
void MakeQuick(gsa::bench::BenchOptions* options, const CLI::App& app) {
  auto given = [&](const char* name) { return app.count(name) > 0; };
  if (!given("--size")) options->sizes = {256};
  if (!given("--core-tokens")) options->core_tokens = 256;
  if (!given("--layer-tokens")) options->layer_tokens = 256;
  if (!given("-k")) options->dims.k = 64;
  if (!given("--workload")) options->workloads = {"independent", "rho98"};
  if (!given("--rounds")) options->rounds = 3;
  options->compile_rounds = 1;
}

void AddShapeOptions(CLI::App& app, gsa::bench::BenchOptions& options) {
  app.add_option("--size", options.sizes,
                 "Tokens of the stages; repeatable (2048 4096 8192)")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--core-tokens", options.core_tokens,
                 "Tokens of the attention core (8192)")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--layer-tokens", options.layer_tokens,
                 "Tokens of the layer (4096)")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("-k", options.dims.k, "Keys per query (512)")
      ->check(CLI::Range(4, 1 << 20));
  app.add_option("--heads", options.dims.heads, "Query heads (8)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--kv-heads", options.dims.kv_heads, "Key heads (2)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--head-dim", options.dims.head_dim, "Size of a head (64)")
      ->check(CLI::Range(2, 1024));
  app.add_option("--workload", options.workloads,
                 "Workloads of the core; repeatable (all)");
  app.add_option("--stage-workload", options.stage_workload,
                 "Workload of the stages and of the layer (rho98)");
  app.add_option("--seed", options.seed, "Seed of the inputs (0)");
}

}  // namespace

int main(int argc, char** argv) {
  gsa::bench::BenchOptions options;
  bool bf16 = false, only_rates = false;
  bool no_stages = false, no_core = false, no_layer = false;
  CLI::App app(
      "Measures the stages of Gated Sparse Attention on this CPU.\n"
      "Exit codes: 0 ok, 1 failure, 2 usage, 3 unsupported.");
  AddShapeOptions(app, options);
  app.add_flag("--bf16", bf16, "bf16 operands in stages and core (f32)");
  app.add_option("--threads", options.threads, "Threads (available CPUs)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--vector-bits", options.vector_bits,
                 "Vector width of plans: 128, 256 or 512 (the machine's)")
      ->check(CLI::IsMember({128, 256, 512}));
  app.add_option("--rounds", options.rounds, "Interleaved rounds (7)")
      ->check(CLI::Range(1, 1000));
  app.add_flag("--quick", options.quick, "Small sizes, for a smoke test");
  app.add_option("--op", options.ops, "Ops of the stages; repeatable (all)")
      ->check(CLI::IsMember({"select", "gather_attention", "dense_attention",
                             "rope", "gate", "projection"}));
  app.add_flag("--only-rates", only_rates, "Measure the machine only");
  app.add_flag("--no-stages", no_stages, "Skip the single stages");
  app.add_flag("--no-core", no_core, "Skip the core against dense attention");
  app.add_flag("--no-layer", no_layer, "Skip the layer and its compilation");
  app.add_option("--layer-module", options.layer_path,
                 "The layer (examples/gsa_layer.mlir)");
  app.add_option("--commit", options.commit,
                 "Commit named in the results (asks git)");
  app.add_option("--json", options.json_path,
                 "Write the results, one JSON object per line");
  app.add_option("--update", options.update_path,
                 "Replace the results in a document (docs/performance.md)");
  app.add_flag("--markdown", options.markdown, "Tables as Markdown");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (bf16) options.dims.dtype = gsa::DType::kBF16;
  if (options.quick) MakeQuick(&options, app);
  options.stages = !no_stages && !only_rates;
  options.core = !no_core && !only_rates;
  options.layer = !no_layer && !only_rates;
  return gsa::bench::RunBenchmark(options);
}
