// -----------------------------------------------------------------------------
// File: suite.cc
// -----------------------------------------------------------------------------

#include "bench/cpu/suite.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "bench/cpu/device.h"
#include "bench/cpu/inputs.h"
#include "bench/cpu/layer.h"
#include "bench/cpu/plan_runner.h"
#include "bench/cpu/report.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/nearest_name.h"
#include "runtime/core/status_macros.h"
#include "runtime/core/workload.h"
#include "tools/common/StandardStreams.h"

namespace gsa::bench {

void Say(const std::string& what) {
  std::fprintf(stderr, "gsa-bench-cpu: %s\n", what.c_str());
}

ZoneTimes::ZoneTimes(const PlanRunner& runner) : runner_(runner) {}

void ZoneTimes::Add() {
  for (const ZoneTime& zone : runner_.zones()) {
    times_[zone.name].push_back(zone.milliseconds);
  }
}

std::vector<std::pair<std::string, Sample>> ZoneTimes::Samples() const {
  std::vector<std::pair<std::string, Sample>> samples;
  for (const std::string& name : runner_.plan().zone_names()) {
    auto found = times_.find(name);
    if (found == times_.end()) continue;
    samples.emplace_back(name, Sample::Of(found->second));
  }
  return samples;
}

std::vector<std::pair<std::string, double>> ZoneTimes::Medians() const {
  std::vector<std::pair<std::string, double>> medians;
  for (const auto& [name, sample] : Samples()) {
    medians.emplace_back(name, sample.median);
  }
  return medians;
}

namespace {

// One op at one size.
struct Stage {
  Record record;
  std::unique_ptr<PlanRunner> runner;
};

class Suite {
 public:
  Suite(const BenchOptions& options, ThreadPool* pool, Results* results)
      : options_(options), pool_(pool), results_(results) {
    timing_.rounds = options.rounds;
    timing_.threads = pool->num_threads();
    timing_.min_sample_ms = options.quick ? 1 : 10;
  }

  absl::Status MeasureStages(int64_t tokens) {
    Dims dims = options_.dims;
    dims.tokens = tokens;
    Say(absl::StrCat("stages, ", dims.ToString()));
    GSA_ASSIGN_OR_RETURN(
        Tensors tensors,
        MakeInputs(dims, options_.stage_workload, options_.seed));
    std::vector<Stage> stages;
    GSA_RETURN_IF_ERROR(CompileStages(dims, &stages));
    for (Stage& stage : stages) {
      Say(absl::StrCat("  first run of ", stage.record.bench));
      GSA_RETURN_IF_ERROR(stage.runner->Bind(tensors));
      GSA_RETURN_IF_ERROR(stage.runner->Run());
      if (stage.record.policy.empty()) continue;
      GSA_RETURN_IF_ERROR(MeasureOverlap(*stage.runner, &stage.record));
      if (stage.record.policy != PolicyName(Policy::kFixed)) continue;
      // What the fixed policy selects is what sparse attention then reads.
      for (const char* name : {"indices", "counts"}) {
        GSA_ASSIGN_OR_RETURN(const HostTensor* output,
                             stage.runner->Output(name));
        GSA_ASSIGN_OR_RETURN(HostTensor copy, output->Clone());
        tensors.insert_or_assign(name, std::move(copy));
      }
      selected_ = *stage.record.mean_k * static_cast<double>(tokens);
    }
    std::vector<Candidate> candidates;
    for (Stage& stage : stages) {
      candidates.push_back({[&stage] { return stage.runner->Run(); }});
    }
    GSA_ASSIGN_OR_RETURN(std::vector<Sample> samples,
                         Measure(candidates, timing_));
    for (size_t i = 0; i < stages.size(); ++i) {
      Record& record = stages[i].record;
      if (record.bench == "gather_attention") {
        record.cost = GatherCost(dims, selected_, dims.k);
      }
      record.ours = samples[i];
      record.bound = BoundOf(*record.cost, results_->rates);
      results_->records.push_back(record);
    }
    return absl::OkStatus();
  }

  // All workloads and dense attention take turns, so that each ratio compares
  // times of the same rounds.
  absl::Status MeasureCore() {
    Dims dims = options_.dims;
    dims.tokens = options_.core_tokens;
    Say(absl::StrCat("core against dense, ", dims.ToString()));
    GSA_ASSIGN_OR_RETURN(auto core, Compile(CoreModule(dims), "core"));
    GSA_ASSIGN_OR_RETURN(auto dense, Compile(DenseModule(dims), "dense"));
    std::vector<Tensors> tensors;
    std::vector<Record> records;
    for (const std::string& workload : WorkloadNames()) {
      GSA_ASSIGN_OR_RETURN(Tensors made,
                           MakeInputs(dims, workload, options_.seed));
      tensors.push_back(std::move(made));
      Record record = MakeRecord("core", dims);
      record.workload = workload;
      record.policy = PolicyName(Policy::kFixed);
      GSA_RETURN_IF_ERROR(core->Bind(tensors.back()));
      GSA_RETURN_IF_ERROR(core->Run());
      GSA_RETURN_IF_ERROR(MeasureOverlap(*core, &record));
      record.cost =
          SelectCost(dims, Policy::kFixed) +
          GatherCost(dims, *record.mean_k * static_cast<double>(dims.tokens),
                     dims.k);
      records.push_back(std::move(record));
    }
    std::vector<ZoneTimes> times(records.size(), ZoneTimes(*core));
    std::vector<Candidate> candidates;
    for (size_t w = 0; w < records.size(); ++w) {
      candidates.push_back({[&, w]() -> absl::Status {
        GSA_RETURN_IF_ERROR(core->Bind(tensors[w]));
        GSA_RETURN_IF_ERROR(core->Run());
        times[w].Add();
        return absl::OkStatus();
      }});
    }
    GSA_RETURN_IF_ERROR(dense->Bind(tensors[0]));
    candidates.push_back({[&] { return dense->Run(); }});
    GSA_ASSIGN_OR_RETURN(std::vector<Sample> samples,
                         Measure(candidates, timing_));
    for (size_t w = 0; w < records.size(); ++w) {
      records[w].ours = samples[w];
      records[w].dense = samples.back();
      records[w].stages_ms = times[w].Medians();
      records[w].bound = BoundOf(*records[w].cost, results_->rates);
      results_->records.push_back(records[w]);
    }
    return absl::OkStatus();
  }

 private:
  std::vector<std::string> WorkloadNames() const {
    if (!options_.workloads.empty()) return options_.workloads;
    std::vector<std::string> names;
    for (const Workload& workload : Workloads()) names.push_back(workload.name);
    return names;
  }

  absl::StatusOr<std::unique_ptr<PlanRunner>> Compile(const std::string& text,
                                                      const std::string& name) {
    auto runner =
        PlanRunner::Create(text, name + ".mlir", pool_, options_.vector_bits);
    if (runner.ok()) {
      results_->device.target = (*runner)->plan().target_description();
    }
    return runner;
  }

  Record MakeRecord(const std::string& bench, const Dims& dims) const {
    Record record;
    record.bench = bench;
    record.n = dims.tokens;
    record.shape = dims.ToString();
    return record;
  }

  absl::Status AddStage(const std::string& bench, const std::string& text,
                        const Dims& dims, const Cost& cost,
                        std::vector<Stage>* stages) {
    if (bench != "select" && !options_.ops.empty() &&
        std::count(options_.ops.begin(), options_.ops.end(), bench) == 0) {
      return absl::OkStatus();
    }
    Stage stage;
    stage.record = MakeRecord(bench, dims);
    if (bench == "select" || bench == "gather_attention") {
      stage.record.workload = options_.stage_workload;
    }
    stage.record.cost = cost;
    GSA_ASSIGN_OR_RETURN(stage.runner, Compile(text, bench));
    stages->push_back(std::move(stage));
    return absl::OkStatus();
  }

  absl::Status CompileStages(const Dims& dims, std::vector<Stage>* stages) {
    for (Policy policy : {Policy::kFixed, Policy::kUpstreamVariance}) {
      GSA_RETURN_IF_ERROR(AddStage("select", SelectModule(dims, policy), dims,
                                   SelectCost(dims, policy), stages));
      stages->back().record.policy = PolicyName(policy);
    }
    // The cost of sparse attention follows from the selection's counts.
    GSA_RETURN_IF_ERROR(
        AddStage("gather_attention", GatherModule(dims), dims, Cost(), stages));
    GSA_RETURN_IF_ERROR(AddStage("dense_attention", DenseModule(dims), dims,
                                 DenseCost(dims), stages));
    GSA_RETURN_IF_ERROR(AddStage("rope", RopeModule(dims), dims,
                                 RopeCost(dims, dims.heads), stages));
    GSA_RETURN_IF_ERROR(AddStage("gate", GateModule(dims), dims,
                                 GateCost(dims, dims.heads), stages));
    int64_t width = dims.heads * dims.head_dim;
    return AddStage("projection", ProjectionModule(dims), dims,
                    ProjectionCost(dims.tokens, width, width, dims.dtype),
                    stages);
  }

  const BenchOptions& options_;
  ThreadPool* pool_;
  Results* results_;
  TimingOptions timing_;
  double selected_ = 0;
};

}  // namespace

absl::StatusOr<Results> RunSuite(const BenchOptions& options) {
  int threads = options.threads > 0 ? options.threads : AvailableCpus();
  GSA_ASSIGN_OR_RETURN(std::unique_ptr<ThreadPool> pool,
                       ThreadPool::Create(threads));
  Results results;
  results.commit = options.commit.empty() ? GitCommit() : options.commit;
  results.date = UtcNow();
  results.seed = options.seed;
  Say("rates of the machine");
  GSA_ASSIGN_OR_RETURN(results.rates,
                       MeasureRates(pool.get(), options.rounds, options.quick));
  results.device.cpu = CpuModel();
  results.device.threads = threads;
  results.device.vector_bits = results.rates.vector_bits;
  Suite suite(options, pool.get(), &results);
  if (options.stages) {
    for (int64_t tokens : options.sizes) {
      GSA_RETURN_IF_ERROR(suite.MeasureStages(tokens));
    }
  }
  if (options.core) GSA_RETURN_IF_ERROR(suite.MeasureCore());
  if (options.layer) {
    GSA_RETURN_IF_ERROR(MeasureLayer(options, pool.get(), &results));
  }
  return results;
}

namespace {

absl::Status Report(const BenchOptions& options, const Results& results) {
  GSA_RETURN_IF_ERROR(
      writeToStandardOutput(ToTables(results, options.markdown)));
  if (!options.json_path.empty()) {
    GSA_RETURN_IF_ERROR(
        WriteFileAtomically(options.json_path, ToJsonLines(results)));
  }
  if (options.update_path.empty()) return absl::OkStatus();
  GSA_ASSIGN_OR_RETURN(std::string document, ReadFile(options.update_path));
  GSA_ASSIGN_OR_RETURN(
      std::string updated,
      ReplaceResults(document, ToTables(results, /*markdown=*/true)));
  return WriteFileAtomically(options.update_path, updated);
}

absl::Status CheckWorkload(const char* option, const std::string& name) {
  absl::Status found = FindWorkload(name).status();
  if (found.ok()) return found;
  std::vector<absl::string_view> names;
  for (const Workload& workload : Workloads()) names.push_back(workload.name);
  return absl::InvalidArgumentError(absl::StrCat(
      option, ": ", std::string(found.message()), DidYouMean(name, names)));
}

absl::Status CheckDims(const Dims& dims) {
  if (dims.heads % dims.kv_heads != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--heads: expected a multiple of --kv-heads, ",
                     dims.kv_heads, ", got ", dims.heads));
  }
  if (dims.head_dim % 2 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--head-dim: expected an even number, of which halves are "
                     "rotated, got ",
                     dims.head_dim));
  }
  return absl::OkStatus();
}

absl::Status CheckFiles(const BenchOptions& options) {
  for (const std::string& path : {options.json_path, options.update_path}) {
    absl::Status writable = path.empty()
                                ? absl::OkStatus()
                                : AtomicFileWriter::Create(path).status();
    if (!writable.ok()) {
      return absl::InvalidArgumentError(std::string(writable.message()));
    }
  }
  if (!options.layer) return absl::OkStatus();
  absl::Status layer = CheckLayer(options);
  if (layer.ok()) return layer;
  return absl::Status(layer.code(), absl::StrCat("--layer-module: ",
                                                 std::string(layer.message())));
}

absl::StatusOr<Results> CheckAndMeasure(const BenchOptions& options) {
  GSA_RETURN_IF_ERROR(CheckOptions(options));
  return RunSuite(options);
}

}  // namespace

absl::Status CheckOptions(const BenchOptions& options) {
  GSA_RETURN_IF_ERROR(
      CheckWorkload("--stage-workload", options.stage_workload));
  for (const std::string& name : options.workloads) {
    GSA_RETURN_IF_ERROR(CheckWorkload("--workload", name));
  }
  GSA_RETURN_IF_ERROR(CheckDims(options.dims));
  return CheckFiles(options);
}

int RunBenchmark(const BenchOptions& options) {
  absl::StatusOr<Results> results = CheckAndMeasure(options);
  absl::Status status =
      results.ok() ? Report(options, *results) : results.status();
  if (status.ok()) return 0;
  std::string message(status.message());
  std::fprintf(stderr, "gsa-bench-cpu: error: %s\n", message.c_str());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
      return 2;
    case absl::StatusCode::kUnimplemented:
      return 3;
    default:
      return 1;
  }
}

}  // namespace gsa::bench
