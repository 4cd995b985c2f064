// -----------------------------------------------------------------------------
// File: layer.cc
// -----------------------------------------------------------------------------

#include "bench/cpu/layer.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "bench/cpu/inputs.h"
#include "runtime/core/layer_weights.h"
#include "runtime/core/status_macros.h"
#include "runtime/core/temporary_files.h"
#include "runtime/core/workload.h"

namespace gsa::bench {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (file) text << file.rdbuf();
  if (!file || text.bad()) {
    return absl::NotFoundError(
        absl::StrCat("cannot read '", path, "': ", std::strerror(errno)));
  }
  return text.str();
}

namespace {

const TensorSpec* Find(const std::vector<TensorSpec>& specs,
                       const std::string& name) {
  for (const TensorSpec& spec : specs) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

// Sizes of a compiled layer, read from its weights and results.
absl::StatusOr<Dims> LayerDimsOf(const Plan& plan) {
  const TensorSpec* hidden = Find(plan.inputs(), "hidden_states");
  const TensorSpec* q = Find(plan.inputs(), "q_proj.weight");
  const TensorSpec* k = Find(plan.inputs(), "k_proj.weight");
  const TensorSpec* bias = Find(plan.inputs(), "indexer.bias");
  const TensorSpec* index_key = Find(plan.inputs(), "indexer.k_proj.weight");
  const TensorSpec* lse = Find(plan.outputs(), "lse");
  const TensorSpec* indices = Find(plan.outputs(), "indices");
  if (!hidden || !q || !k || !bias || !index_key || !lse || !indices ||
      hidden->shape.size() != 3 || lse->shape.size() != 3) {
    return absl::InvalidArgumentError(
        "the layer module: expected the inputs hidden_states, q_proj.weight, "
        "k_proj.weight, indexer.bias, indexer.k_proj.weight and the outputs "
        "lse and indices");
  }
  Dims dims;
  dims.tokens = hidden->shape[1];
  dims.heads = lse->shape[1];
  dims.head_dim = q->shape[0] / dims.heads;
  dims.kv_heads = k->shape[0] / dims.head_dim;
  dims.index_heads = bias->shape[0];
  dims.index_dim = index_key->shape[0];
  dims.k = indices->shape[2] * 2 / 3;  // slots = 3/2 base
  dims.dtype = hidden->dtype;
  return dims;
}

absl::StatusOr<Tensors> LayerInputs(const Plan& plan, const Dims& dims,
                                    const std::string& workload,
                                    uint64_t seed) {
  Tensors tensors;
  LayerDims layer;
  layer.d_model = Find(plan.inputs(), "hidden_states")->shape[2];
  layer.num_heads = dims.heads;
  layer.num_kv_heads = dims.kv_heads;
  layer.head_dim = dims.head_dim;
  layer.index_heads = dims.index_heads;
  layer.index_dim = dims.index_dim;
  GSA_ASSIGN_OR_RETURN(std::vector<HostTensor> weights,
                       InitLayerWeights(layer, seed));
  GSA_ASSIGN_OR_RETURN(Workload found, FindWorkload(workload));
  GSA_ASSIGN_OR_RETURN(HostTensor hidden,
                       MakeHiddenStates("hidden_states", found, 1, dims.tokens,
                                        layer.d_model, seed));
  weights.push_back(std::move(hidden));
  for (HostTensor& tensor : weights) {
    std::string name = tensor.name();
    if (tensor.dtype() != dims.dtype) {
      GSA_ASSIGN_OR_RETURN(tensor, tensor.ConvertTo(dims.dtype));
    }
    tensors.insert_or_assign(name, std::move(tensor));
  }
  return tensors;
}

// What each stage of the layer must do, by the names of zones. Every
// weight matrix is a projection of all tokens.
std::map<std::string, Cost> LayerCosts(const Plan& plan, const Dims& dims,
                                       double selected) {
  std::map<std::string, Cost> costs;
  for (const TensorSpec& spec : plan.inputs()) {
    if (spec.shape.size() != 2) continue;
    Cost& cost = costs["projections"];
    cost = cost + ProjectionCost(dims.tokens, spec.shape[1], spec.shape[0],
                                 dims.dtype);
  }
  costs["rope"] = RopeCost(dims, dims.heads) + RopeCost(dims, dims.kv_heads);
  costs["gates"] = GateCost(dims, dims.heads) + GateCost(dims, dims.kv_heads);
  costs["select"] = SelectCost(dims, Policy::kUpstreamVariance);
  costs["sparse_attention"] =
      GatherCost(dims, selected, Slots(dims, Policy::kUpstreamVariance));
  return costs;
}

// Compiles and runs once per round: from nothing, or from what `cache` has.
absl::StatusOr<std::unique_ptr<PlanRunner>> MeasureCompilation(
    const std::string& text, const BenchOptions& options, ThreadPool* pool,
    const std::map<std::string, std::vector<int64_t>>& shapes,
    const ProgramCacheOptions& cache, Tensors* inputs, Record* record) {
  std::unique_ptr<PlanRunner> runner;
  std::vector<double> totals, first_runs;
  std::vector<std::string> order;
  std::map<std::string, std::vector<double>> phases;
  for (int round = 0; round < options.compile_rounds; ++round) {
    double start = NowMs();
    GSA_ASSIGN_OR_RETURN(
        runner, PlanRunner::Create(text, options.layer_path, pool,
                                   options.vector_bits, shapes, cache));
    double compiled = NowMs() - start;
    if (inputs->empty()) {
      GSA_ASSIGN_OR_RETURN(Dims dims, LayerDimsOf(runner->plan()));
      GSA_ASSIGN_OR_RETURN(
          *inputs, LayerInputs(runner->plan(), dims, options.stage_workload,
                               options.seed));
    }
    GSA_RETURN_IF_ERROR(runner->Bind(*inputs));
    start = NowMs();
    GSA_RETURN_IF_ERROR(runner->Run());
    double ran = NowMs() - start;
    for (const auto& [name, ms] : runner->phases()) {
      if (phases[name].empty()) order.push_back(name);
      phases[name].push_back(ms);
    }
    first_runs.push_back(ran);
    totals.push_back(compiled + ran);
  }
  for (const std::string& name : order) {
    record->stages_ms.emplace_back(name, Sample::Of(phases[name]).median);
  }
  record->stages_ms.emplace_back("first run", Sample::Of(first_runs).median);
  record->ours = Sample::Of(totals);
  return runner;
}

// The same where an earlier process has left the object in a cache.
absl::Status MeasureFromDisk(
    const std::string& text, const BenchOptions& options, ThreadPool* pool,
    const std::map<std::string, std::vector<int64_t>>& shapes, Tensors* inputs,
    Record* record) {
  GSA_ASSIGN_OR_RETURN(
      const TemporaryPath folder,
      TemporaryPath::Make([]() -> absl::StatusOr<std::string> {
        std::string name =
            (std::filesystem::temp_directory_path() / "gsa-bench-XXXXXX")
                .string();
        if (mkdtemp(name.data()) == nullptr)
          return absl::ErrnoToStatus(errno, "no temporary folder");
        return name;
      }));
  ProgramCacheOptions cache;
  cache.directory = folder.path();
  cache.mode = CacheMode::kReadWrite;
  GSA_RETURN_IF_ERROR(PlanRunner::Create(text, options.layer_path, pool,
                                         options.vector_bits, shapes, cache)
                          .status());
  // From here on, compiling would be an error.
  cache.mode = CacheMode::kOnly;
  return MeasureCompilation(text, options, pool, shapes, cache, inputs, record)
      .status();
}

// The module of the layer.
struct LayerModule {
  std::string text;
  int64_t d_model = 0;
};

absl::StatusOr<LayerModule> ReadLayer(const BenchOptions& options) {
  LayerModule layer;
  GSA_ASSIGN_OR_RETURN(layer.text, ReadFile(options.layer_path));
  GSA_ASSIGN_OR_RETURN(ModuleInterface interface,
                       DescribeModule(layer.text, options.layer_path, ""));
  const TensorSpec* hidden = Find(interface.inputs, "hidden_states");
  if (hidden == nullptr || hidden->shape.size() != 3) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.layer_path, ": expected an input hidden_states [B, S, M]"));
  }
  layer.d_model = hidden->shape[2];
  return layer;
}

}  // namespace

absl::Status CheckLayer(const BenchOptions& options) {
  return ReadLayer(options).status();
}

absl::Status MeasureLayer(const BenchOptions& options, ThreadPool* pool,
                          Results* results) {
  Say(absl::StrCat("layer, ", options.layer_tokens, " tokens"));
  GSA_ASSIGN_OR_RETURN(LayerModule module, ReadLayer(options));
  std::map<std::string, std::vector<int64_t>> shapes = {
      {"hidden_states", {1, options.layer_tokens, module.d_model}}};

  Record compile;
  Tensors tensors;
  GSA_ASSIGN_OR_RETURN(std::unique_ptr<PlanRunner> runner,
                       MeasureCompilation(module.text, options, pool, shapes,
                                          {}, &tensors, &compile));
  Record disk;
  GSA_RETURN_IF_ERROR(
      MeasureFromDisk(module.text, options, pool, shapes, &tensors, &disk));
  GSA_ASSIGN_OR_RETURN(Dims dims, LayerDimsOf(runner->plan()));
  results->device.target = runner->plan().target_description();

  Record layer;
  ZoneTimes times(*runner);
  TimingOptions timing;
  timing.rounds = options.rounds;
  timing.threads = pool->num_threads();
  timing.min_sample_ms = 1;
  GSA_ASSIGN_OR_RETURN(std::vector<Sample> samples,
                       Measure({{[&]() -> absl::Status {
                                 GSA_RETURN_IF_ERROR(runner->Run());
                                 times.Add();
                                 return absl::OkStatus();
                               }}},
                               timing));
  layer.ours = samples[0];
  layer.stages_ms = times.Medians();
  GSA_RETURN_IF_ERROR(MeasureOverlap(*runner, &layer));
  std::map<std::string, Cost> costs =
      LayerCosts(runner->plan(), dims, *layer.mean_k * options.layer_tokens);
  for (Record* record : {&compile, &disk, &layer}) {
    record->n = options.layer_tokens;
    record->shape = dims.ToString();
    record->workload = options.stage_workload;
    record->policy = PolicyName(Policy::kUpstreamVariance);
  }
  compile.bench = "compile";
  disk.bench = "compile_from_disk";
  layer.bench = "layer";
  Cost total;
  std::vector<Record> stages;
  for (const auto& [name, sample] : times.Samples()) {
    auto found = costs.find(name);
    if (found == costs.end()) continue;
    total = total + found->second;
    Record stage = layer;
    stage.bench = "layer." + name;
    stage.stages_ms.clear();
    stage.ours = sample;
    stage.cost = found->second;
    stage.bound = BoundOf(*stage.cost, results->rates);
    stages.push_back(std::move(stage));
  }
  layer.cost = total;
  layer.bound = BoundOf(total, results->rates);
  results->records.push_back(std::move(compile));
  results->records.push_back(std::move(disk));
  results->records.push_back(std::move(layer));
  for (Record& stage : stages) results->records.push_back(std::move(stage));
  return absl::OkStatus();
}

}  // namespace gsa::bench
