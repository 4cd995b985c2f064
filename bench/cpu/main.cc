// -----------------------------------------------------------------------------
// File: main.cc
// -----------------------------------------------------------------------------
//
// gsa-bench-cpu: how fast compiled modules run on this CPU, as a share of what
// the CPU can do. docs/performance.md explains the method and shows results.

#include <limits>
#include <optional>

#include "bench/cpu/suite.h"
#include "runtime/core/dtype.h"
#include "tools/common/CommandLine.h"
#include "tools/common/Signals.h"
#include "tools/common/StandardStreams.h"

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
  constexpr uint64_t kMaxTokens = 1 << 20;
  gsa::addNumbers(app, "--size", options.sizes, 1, kMaxTokens,
                  "Tokens of the stages; repeatable (2048 4096 8192)");
  gsa::addNumber(app, "--core-tokens", options.core_tokens, 1, kMaxTokens,
                 "Tokens of the attention core (8192)");
  gsa::addNumber(app, "--layer-tokens", options.layer_tokens, 1, kMaxTokens,
                 "Tokens of the layer (4096)");
  gsa::addNumber(app, "-k", options.dims.k, 4, kMaxTokens,
                 "Keys per query (512)");
  gsa::addNumber(app, "--heads", options.dims.heads, 1, 1024,
                 "Query heads (8)");
  gsa::addNumber(app, "--kv-heads", options.dims.kv_heads, 1, 1024,
                 "Key heads (2)");
  gsa::addNumber(app, "--head-dim", options.dims.head_dim, 2, 1024,
                 "Size of a head (64)");
  app.add_option("--workload", options.workloads,
                 "Workloads of the core; repeatable (all)");
  app.add_option("--stage-workload", options.stage_workload,
                 "Workload of the stages and of the layer (rho98)");
  gsa::addNumber(app, "--seed", options.seed, 0,
                 std::numeric_limits<uint64_t>::max(),
                 "Seed of the inputs (0)");
}

}  // namespace

int main(int argc, char** argv) {
  gsa::reserveStandardStreams();
  gsa::bench::BenchOptions options;
  bool bf16 = false, only_rates = false;
  bool no_stages = false, no_core = false, no_layer = false;
  CLI::App app(
      "Measures the stages of Gated Sparse Attention on this CPU.\n"
      "Exit codes: 0 ok, 1 failure, 2 usage, 3 unsupported.",
      "gsa-bench-cpu");
  AddShapeOptions(app, options);
  app.add_flag("--bf16", bf16, "bf16 operands in stages and core (f32)");
  gsa::addNumber(app, "--threads", options.threads, 1, 1024,
                 "Threads (available CPUs)");
  app.add_option("--vector-bits", options.vector_bits,
                 "Vector width of plans: 128, 256 or 512 (the machine's)")
      ->check(CLI::IsMember({128, 256, 512}));
  gsa::addNumber(app, "--rounds", options.rounds, 1, 1000,
                 "Interleaved rounds (7)");
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
  if (std::optional<int> code = gsa::parseCommandLine(app, argc, argv)) {
    return *code;
  }
  if (bf16) options.dims.dtype = gsa::DType::kBF16;
  if (options.quick) MakeQuick(&options, app);
  options.stages = !no_stages && !only_rates;
  options.core = !no_core && !only_rates;
  options.layer = !no_layer && !only_rates;
  gsa::cleanUpOnSignals();
  return gsa::bench::RunBenchmark(options);
}
