//===- Driver.cpp - compile, run, report ----------------------------------===//

#include "tools/gsa-run/Driver.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "runtime/core/compilations.h"
#include "runtime/core/progress.h"
#include "runtime/core/status_macros.h"
#include "runtime/layer_config.h"
#include "runtime/plan.h"
#include "tools/common/HostEnvironment.h"
#include "tools/common/Signals.h"
#include "tools/common/StandardStreams.h"
#include "tools/gsa-run/Budget.h"
#include "tools/gsa-run/Calls.h"
#include "tools/gsa-run/Checks.h"
#include "tools/gsa-run/Comparison.h"
#include "tools/gsa-run/Dump.h"
#include "tools/gsa-run/Inputs.h"
#include "tools/gsa-run/Layer.h"
#include "tools/gsa-run/Outputs.h"
#include "tools/gsa-run/RunMemory.h"
#include "tools/gsa-run/Statistics.h"
#include "tools/gsa-run/Sweep.h"
#include "tools/gsa-run/Watchdog.h"

namespace gsa {
namespace {

/// One run, from the module's text to results.
class Session {
 public:
  Session(const std::string& text, InputFiles& files,
          const RunnerOptions& options)
      : text(text), files(files), options(options) {}

  absl::StatusOr<RunResult> run() {
    auto addTime = [&](const PhaseInfo& phase) {
      if (phase.milliseconds > 0)
        report.compileMs.emplace_back(phase.name, phase.milliseconds);
    };
    auto makePlan = [&](const CompileOptions& compiled) -> absl::Status {
      GSA_ASSIGN_OR_RETURN(plan,
                           Plan::Compile(text, options.modulePath, compiled));
      return absl::OkStatus();
    };
    GSA_ASSIGN_OR_RETURN(CompileOptions compileOptions,
                         compile(addTime, makePlan));
    describe(compileOptions);
    GSA_ASSIGN_OR_RETURN(
        inputs, makeInputs(plan->inputs(), files, options, &report.generated));
    noteUnused();
    GSA_RETURN_IF_ERROR(execute());
    RunResult result;
    if (options.compare)
      result.measured = compare();
    else if (options.statistics)
      result.measured =
          measureRun(text, options, compileOptions, inputs, outputs, &report);
    if (options.compare && !result.measured.ok()) {
      report.comparisonText =
          "Comparison with the float64 reference: not possible\n";
      report.comparison = {{"error", std::string(result.measured.message())}};
    }
    result.report = std::move(report);
    result.outputs = std::move(outputs);
    return result;
  }

  /// Compiles up to --stop-after.
  absl::Status compileOnly() {
    std::string last;
    auto keepText = [&](const PhaseInfo& phase) {
      if (isWanted(phase)) last += phase.text();
    };
    auto toPhase = [&](const CompileOptions& compiled) {
      return CompileToPhase(text, options.modulePath, compiled);
    };
    GSA_RETURN_IF_ERROR(compile(keepText, toPhase).status());
    if (!options.quiet)
      for (const std::string& note : report.notes)
        std::fprintf(stderr, "gsa-run: note: %s\n", note.c_str());
    if (options.verbose)
      std::fputs(kernelsText(report.kernels, /*verbose=*/true).c_str(), stderr);
    return options.dumpDirectory.empty() ? writeToStandardOutput(last)
                                         : absl::OkStatus();
  }

 private:
  /// Prepares options and calls `run` with them; shows each phase to `look`,
  /// then to the dump. Returns the options without the calls of phases.
  absl::StatusOr<CompileOptions> compile(
      const std::function<void(const PhaseInfo&)>& look,
      const std::function<absl::Status(const CompileOptions&)>& run) {
    GSA_ASSIGN_OR_RETURN(CompileOptions result, prepare());
    GSA_ASSIGN_OR_RETURN(Dump dump, Dump::create(options.dumpDirectory,
                                                 options.host.search_path));
    result.on_kernel = [&](const KernelEvent& event) {
      report.kernels.push_back(event);
    };
    absl::Status dumped;
    std::string last;
    result.on_phase = [&](const PhaseInfo& phase) {
      last = phase.name;
      look(phase);
      if (dumped.ok()) dumped = dump.add(phase);
    };
    absl::Status compiled = run(result);
    for (const std::string& problem : CacheProblems(result))
      report.notes.push_back(problem);
    // Sizes are written into types in the phase after this one.
    if (!compiled.ok() && last == "parse")
      return explainCalls(text, options, result.entry, compiled);
    GSA_RETURN_IF_ERROR(compiled);
    GSA_RETURN_IF_ERROR(dumped);
    result.on_phase = nullptr;
    result.on_kernel = nullptr;
    return result;
  }

  /// Looks at the module, gives files to inputs and sizes to shapes.
  absl::StatusOr<CompileOptions> prepare() {
    GSA_ASSIGN_OR_RETURN(
        ModuleInterface interface,
        DescribeModule(text, options.modulePath, options.entry));
    GSA_RETURN_IF_ERROR(checkInterface(interface, options));
    GSA_RETURN_IF_ERROR(files.bind(interface.inputs, options.chosenPrefix(),
                                   options.ignoredWeights));
    report.notes = files.notes();
    CompileOptions result;
    result.entry = interface.entry;
    result.target = options.target;
    result.arch = options.arch;
    result.schedule_database = options.schedules;
    result.shipped_schedules = options.shippedSchedules;
    result.toolkit = options.toolkit;
    // Of the default directory the emulation wants to know nothing.
    GSA_ASSIGN_OR_RETURN(const Target target, ParseTarget(options.target));
    if (target.kind != TargetKind::kEmu) result.cache = options.cache;
    ForbidCompilations(options.forbidCompile);
    result.host = options.host;
    result.watchdog_seconds = options.watchdogSeconds;
    result.stop_after = options.stopAfter;
    // The text of the module has the shapes that it has.
    if (options.stopAfter != "parse") {
      GSA_ASSIGN_OR_RETURN(result.shapes,
                           resolveShapes(interface.inputs, files, options));
    }
    result.num_threads =
        options.threads > 0 ? options.threads : AvailableCpus();
    result.vector_bits = options.vectorBits;
    result.reference = options.reference;
    result.keep_texts =
        !options.dumpDirectory.empty() || !options.stopAfter.empty();
    return result;
  }

  /// Whether the text of a phase is what --stop-after shows: that of the phase
  /// itself, or the kernels of a program.
  bool isWanted(const PhaseInfo& phase) const {
    return phase.name == options.stopAfter ||
           (options.stopAfter == "program" && phase.extension == "cu") ||
           (options.stopAfter == "code" && phase.extension == "ptx");
  }

  void describe(const CompileOptions& compiled) {
    report.module = moduleTitle(options);
    report.entry = compiled.entry;
    report.target = plan->target_description();
    report.workload = options.workload;
    report.seed = options.seed;
    report.inputs = plan->inputs();
    report.outputs = plan->outputs();
    report.workspaceBytes = plan->workspace_bytes();
  }

  void noteUnused() {
    if (!report.generated.empty()) return;
    for (const char* name : {"--seed", "--workload"})
      if (options.isGiven(name))
        report.notes.push_back(
            absl::StrCat(name, " has no effect: no input is generated"));
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
    std::vector<std::vector<double>> byZone(plan->zone_names().size());
    Progress progress(
        progressOptions("running", options.repeat > 1 ? options.repeat : 0));
    for (int i = 0; i < options.repeat; ++i) {
      std::vector<ZoneTime> zones;
      auto start = std::chrono::steady_clock::now();
      {
        Watchdog watchdog(plan->target().kind == TargetKind::kEmu
                              ? 0  // has its own, which says more
                              : options.watchdogSeconds);
        GSA_RETURN_IF_ERROR(memory->run(pool.get(), &zones));
      }
      total.push_back(std::chrono::duration<double, std::milli>(
                          std::chrono::steady_clock::now() - start)
                          .count());
      byZone.resize(zones.size());  // the emulation has no times
      for (size_t s = 0; s < zones.size(); ++s)
        byZone[s].push_back(zones[s].milliseconds);
      progress.Advance(1);
    }
    GSA_RETURN_IF_ERROR(memory->finish());
    countNan();
    report.runs = options.repeat;
    report.run = Timing::of(total);
    for (size_t s = 0; s < byZone.size(); ++s)
      report.zones.emplace_back(plan->zone_names()[s], Timing::of(byZone[s]));
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
    result.style = getProgressStyle(stderr, options.quiet);
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

  const std::string& text;
  InputFiles& files;
  const RunnerOptions& options;
  std::shared_ptr<const Plan> plan;
  std::vector<HostTensor> inputs, outputs;
  RunReport report;
};

/// The tool without its exit code; `passed` is the outcome of --compare.
absl::Status runAndReport(const RunnerOptions& options, bool* passed) {
  GSA_RETURN_IF_ERROR(checkOptions(options));
  if (!options.variants.empty()) return runSweep(options, passed);
  GSA_ASSIGN_OR_RETURN(const std::string text, moduleText(options));
  if (options.printLayer) return writeToStandardOutput(text);
  GSA_ASSIGN_OR_RETURN(
      InputFiles files,
      InputFiles::open(options.inputFiles, options.chosenPrefix()));
  if (!options.stopAfter.empty()) return compileToPhase(text, files, options);
  GSA_ASSIGN_OR_RETURN(RunResult result, runOnce(text, files, options));
  GSA_RETURN_IF_ERROR(writeFiles(result, options));
  GSA_RETURN_IF_ERROR(printReport(result.report, options));
  *passed = result.report.comparisonPassed;
  return result.measured;
}

}  // namespace

const HostTensor* RunResult::findOutput(const std::string& name) const {
  for (const HostTensor& tensor : outputs)
    if (tensor.name() == name) return &tensor;
  return nullptr;
}

absl::StatusOr<std::string> readModule(const std::string& path) {
  std::stringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
    if (std::cin.bad() || text.bad())
      return absl::NotFoundError("cannot read the module from standard input");
    return text.str();
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return absl::InvalidArgumentError(absl::StrCat(
        "'", path, "' is a folder, expected the file of a module (.mlir)"));
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (file) text << file.rdbuf();
  // An empty file sets the fail bit of `text`, and is no failure to read.
  if (!file.is_open() || file.bad() || text.bad())
    return absl::NotFoundError(
        absl::StrCat("cannot read '", path, "': ", std::strerror(errno)));
  return text.str();
}

std::string moduleTitle(const RunnerOptions& options) {
  std::string title = options.modulePath;
  if (options.isGiven("--layer"))
    title =
        absl::StrCat("layer(", withoutKey(options.layer, options.varied), ")");
  if (options.budget > 0 && options.varied != "--k")
    absl::StrAppend(&title, " --k ", options.budget);
  return title;
}

absl::StatusOr<std::string> moduleText(const RunnerOptions& options) {
  std::string text;
  if (options.isGiven("--layer")) {
    GSA_ASSIGN_OR_RETURN(LayerConfig config, ParseLayerConfig(options.layer));
    GSA_ASSIGN_OR_RETURN(text, LayerModuleText(config));
  } else {
    GSA_ASSIGN_OR_RETURN(text, readModule(options.modulePath));
  }
  if (options.budget == 0) return text;
  return withBudget(text, options.modulePath, options.budget);
}

absl::StatusOr<RunResult> runOnce(const std::string& text, InputFiles& files,
                                  const RunnerOptions& options) {
  return Session(text, files, options).run();
}

absl::Status compileToPhase(const std::string& text, InputFiles& files,
                            const RunnerOptions& options) {
  return Session(text, files, options).compileOnly();
}

int runTool(const RunnerOptions& options) {
  bool passed = true;
  absl::Status status = runAndReport(options, &passed);
  if (status.ok()) return passed ? kExitOk : kExitFailure;
  waitIfEnding();
  std::string message(status.message());
  std::fprintf(stderr, "gsa-run: error: %s\n", message.c_str());
  return exitCodeOf(status);
}

}  // namespace gsa
