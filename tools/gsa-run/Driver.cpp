//===- Driver.cpp - compile, run, report ----------------------------------===//

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "runtime/core/plot.h"
#include "runtime/core/progress.h"
#include "runtime/core/safetensors.h"
#include "runtime/core/status_macros.h"
#include "runtime/plan.h"
#include "tools/gsa-run/Comparison.h"
#include "tools/gsa-run/Dump.h"
#include "tools/gsa-run/Inputs.h"
#include "tools/gsa-run/Options.h"
#include "tools/gsa-run/Report.h"
#include "tools/gsa-run/RunMemory.h"
#include "tools/gsa-run/Watchdog.h"

namespace gsa {
namespace {

int exitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
      return kExitUsage;
    case absl::StatusCode::kUnimplemented:
      return kExitUnsupported;
    case absl::StatusCode::kUnavailable:
      return kExitDevice;
    default:
      return kExitFailure;
  }
}

absl::StatusOr<std::string> readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (file) text << file.rdbuf();
  if (!file || text.bad())
    return absl::NotFoundError(
        absl::StrCat("cannot read '", path, "': ", std::strerror(errno)));
  return text.str();
}

/// One run of the tool, from the module's text to the report.
class Session {
 public:
  explicit Session(const RunnerOptions& options) : options(options) {}

  absl::Status run() {
    GSA_ASSIGN_OR_RETURN(text, readFile(options.modulePath));
    GSA_ASSIGN_OR_RETURN(files, InputFiles::open(options.inputFiles));
    GSA_RETURN_IF_ERROR(compile());
    if (!plan) return absl::OkStatus();  // --stop-after
    GSA_ASSIGN_OR_RETURN(
        inputs, makeInputs(plan->inputs(), files, options, &report.generated));
    GSA_RETURN_IF_ERROR(execute());
    if (options.compare || options.statistics) GSA_RETURN_IF_ERROR(compare());
    GSA_RETURN_IF_ERROR(writeFiles());
    return print();
  }

  bool comparisonPassed() const { return report.comparisonPassed; }

 private:
  absl::Status compile() {
    GSA_ASSIGN_OR_RETURN(
        ModuleInterface interface,
        DescribeModule(text, options.modulePath, options.entry));
    GSA_RETURN_IF_ERROR(files.choosePrefix(interface.inputs, options.prefix));
    CompileOptions compileOptions;
    compileOptions.entry = interface.entry;
    compileOptions.target = options.target;
    compileOptions.arch = options.arch;
    compileOptions.nvrtc = options.nvrtc;
    compileOptions.cuda_home = options.cudaHome;
    compileOptions.python_prefixes = options.pythonPrefixes;
    compileOptions.watchdog_seconds = options.watchdogSeconds;
    compileOptions.stop_after = options.stopAfter;
    GSA_ASSIGN_OR_RETURN(compileOptions.shapes,
                         resolveShapes(interface.inputs, files, options));
    compileOptions.num_threads =
        options.threads > 0 ? options.threads : AvailableCpus();
    compileOptions.vector_bits = options.vectorBits;
    compileOptions.reference = options.reference;
    compileOptions.keep_texts =
        !options.dumpDirectory.empty() || !options.stopAfter.empty();
    absl::Status dumped = Dump::prepare(options.dumpDirectory);
    Dump dump(options.dumpDirectory);
    std::string last;
    compileOptions.on_phase = [&](const PhaseInfo& phase) {
      if (phase.milliseconds > 0)
        report.compileMs.emplace_back(phase.name, phase.milliseconds);
      if (dumped.ok()) dumped = dump.add(phase);
      if (isWanted(phase)) last += phase.text();
    };
    if (!options.stopAfter.empty()) {
      GSA_RETURN_IF_ERROR(
          CompileToPhase(text, options.modulePath, compileOptions));
      if (options.dumpDirectory.empty()) std::fputs(last.c_str(), stdout);
      return dumped;
    }
    GSA_ASSIGN_OR_RETURN(
        plan, Plan::Compile(text, options.modulePath, compileOptions));
    GSA_RETURN_IF_ERROR(dumped);
    report.module = options.modulePath;
    report.entry = interface.entry;
    report.target = plan->target_description();
    report.workload = options.workload;
    report.seed = options.seed;
    report.inputs = plan->inputs();
    report.outputs = plan->outputs();
    report.workspaceBytes = plan->workspace_bytes();
    return absl::OkStatus();
  }

  /// Whether the text of a phase is what --stop-after shows: that of the phase
  /// itself, or the kernels of a program.
  bool isWanted(const PhaseInfo& phase) const {
    return phase.name == options.stopAfter ||
           (options.stopAfter == "program" && phase.extension == "cu") ||
           (options.stopAfter == "code" && phase.extension == "ptx");
  }

  absl::Status execute() {
    for (const TensorSpec& spec : plan->outputs()) {
      GSA_ASSIGN_OR_RETURN(
          HostTensor tensor,
          HostTensor::Create(spec.name, spec.dtype, spec.shape));
      outputs.push_back(std::move(tensor));
    }
    GSA_ASSIGN_OR_RETURN(std::unique_ptr<RunMemory> memory,
                         RunMemory::create(*plan, inputs, outputs));
    GSA_ASSIGN_OR_RETURN(std::unique_ptr<ThreadPool> pool,
                         ThreadPool::Create(plan->num_threads()));

    std::vector<double> total;
    std::vector<std::vector<double>> byStage(plan->stage_names().size());
    Progress progress(
        progressOptions("running", options.repeat > 1 ? options.repeat : 0));
    for (int i = 0; i < options.repeat; ++i) {
      std::vector<StageTime> stages;
      auto start = std::chrono::steady_clock::now();
      {
        Watchdog watchdog(plan->target().kind == TargetKind::kEmu
                              ? 0  // has its own, which says more
                              : options.watchdogSeconds);
        GSA_RETURN_IF_ERROR(memory->run(pool.get(), &stages));
      }
      total.push_back(std::chrono::duration<double, std::milli>(
                          std::chrono::steady_clock::now() - start)
                          .count());
      byStage.resize(stages.size());  // the emulation has no times
      for (size_t s = 0; s < stages.size(); ++s)
        byStage[s].push_back(stages[s].milliseconds);
      progress.Advance(1);
    }
    GSA_RETURN_IF_ERROR(memory->finish());
    countNan();
    report.runs = options.repeat;
    report.run = Timing::of(total);
    for (size_t s = 0; s < byStage.size(); ++s)
      report.stages.emplace_back(plan->stage_names()[s],
                                 Timing::of(byStage[s]));
    return absl::OkStatus();
  }

  void countNan() {
    const HostTensor* status = findOutput("status");
    if (!status || status->dtype() != DType::kI32) return;
    for (int32_t count : status->values<int32_t>()) {
      report.nanScores += count;
      report.nanRows += count > 0;
    }
  }

  Progress::Options progressOptions(std::string label, int64_t total) const {
    Progress::Options result;
    result.style = DetectProgressStyle(stderr, options.quiet);
    result.label = std::move(label);
    result.total = total;
    return result;
  }

  absl::Status compare() {
    Progress progress(progressOptions("float64 reference", /*total=*/100));
    int64_t shown = 0;
    return compareWithReference(
        text, options, report.entry, inputs, outputs,
        [&](int64_t percent) {
          progress.Advance(percent - shown);
          shown = percent;
        },
        &report);
  }

  const HostTensor* findOutput(const std::string& name) const {
    for (const HostTensor& tensor : outputs)
      if (tensor.name() == name) return &tensor;
    return nullptr;
  }

  absl::Status writeFiles() {
    if (!options.outputFile.empty())
      GSA_RETURN_IF_ERROR(WriteSafetensors(options.outputFile, outputs));
    if (options.plotFile.empty()) return absl::OkStatus();
    const HostTensor* indices = findOutput("indices");
    const HostTensor* counts = findOutput("counts");
    if (!indices || !counts || indices->dtype() != DType::kI32 ||
        counts->dtype() != DType::kI32 || indices->rank() != 3)
      return absl::InvalidArgumentError(
          "--plot: the module has no i32 results named 'indices' [B, Sq, K] "
          "and 'counts' [B, Sq]");
    SelectionPattern pattern;
    pattern.indices = indices->values<int32_t>();
    pattern.counts = counts->values<int32_t>();
    pattern.batch = indices->shape()[0];
    pattern.queries = indices->shape()[1];
    pattern.slots = indices->shape()[2];
    pattern.keys = keyCount(pattern);
    return PlotSelection(pattern, options.plotFile);
  }

  /// Number of keys: that of the key-side input, else of the queries, and
  /// never less than the selection needs.
  int64_t keyCount(const SelectionPattern& pattern) const {
    int64_t keys = pattern.queries;
    for (const TensorSpec& spec : plan->inputs())
      if ((spec.name == "index_key" || spec.name == "key") &&
          spec.shape.size() >= 3)
        keys = spec.shape[1];
    for (int32_t index : pattern.indices)
      keys = std::max<int64_t>(keys, int64_t{index} + 1);
    return keys;
  }

  absl::Status print() {
    if (options.quiet && !options.json) return absl::OkStatus();
    std::string human = toText(report, options.verbose);
    if (options.json) std::printf("%s\n", toJson(report).dump(2).c_str());
    if (!options.quiet)
      std::fputs(human.c_str(), options.json ? stderr : stdout);
    return absl::OkStatus();
  }

  const RunnerOptions& options;
  std::string text;
  InputFiles files;
  std::shared_ptr<const Plan> plan;
  std::vector<HostTensor> inputs, outputs;
  RunReport report;
};

}  // namespace

int runModule(const RunnerOptions& options) {
  Session session(options);
  absl::Status status = session.run();
  if (!status.ok()) {
    std::string message(status.message());
    std::fprintf(stderr, "gsa-run: error: %s\n", message.c_str());
    return exitCodeOf(status);
  }
  return session.comparisonPassed() ? kExitOk : kExitFailure;
}

}  // namespace gsa
