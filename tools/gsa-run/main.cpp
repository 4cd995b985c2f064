//===- main.cpp - gsa-run -------------------------------------------------===//
//
// Compiles a gsa module and runs it on files or on generated inputs.
//
//===----------------------------------------------------------------------===//

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "runtime/core/workload.h"
#include "tools/gsa-run/Options.h"

namespace {

std::string workloadNames() {
  std::string names;
  for (const gsa::Workload& workload : gsa::Workloads())
    names += (names.empty() ? "" : ", ") + std::string(workload.name);
  return names + ", conformance";
}

void addShapeOptions(CLI::App& app, gsa::RunnerOptions& options) {
  app.add_option("--batch", options.batch,
                 "Size of dynamic first dimensions (default 1)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--seq", options.sequence,
                 "Size of all other dynamic dimensions")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--keys", options.keys,
                 "The same for key-side inputs (default: --seq)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--shape", options.shapes,
                 "Shape of one input, name=1x4096x512; repeatable");
}

void addTargetOptions(CLI::App& app, gsa::RunnerOptions& options) {
  app.add_option("--target", options.target,
                 "cpu (default), cuda, cuda:<ordinal>, emu (the kernels on "
                 "host threads) or auto");
  app.add_option("--arch", options.arch,
                 "Architecture of kernels, sm_90a for example (default: the "
                 "device's; sm_80 for emu)");
  app.add_option("--nvrtc", options.nvrtc,
                 "libnvrtc, or a folder of a CUDA toolkit or Python "
                 "environment that has it (default: searched)");
  app.add_option("--watchdog", options.watchdogSeconds,
                 "Seconds after which a run is ended (default: never; 300 for "
                 "emu)")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--stop-after", options.stopAfter,
                 "Last phase of the compilation; its text goes to --dump-dir "
                 "or stdout and nothing runs");
}

void addReportOptions(CLI::App& app, gsa::RunnerOptions& options) {
  app.add_flag("--compare", options.compare,
               "Check against the float64 reference; exit code 1 if it fails");
  app.add_flag("--stats", options.statistics,
               "Selection statistics (implied by --compare)");
  app.add_option("--tolerance", options.tolerance,
                 "Largest error of --compare relative to the largest output "
                 "element (default by dtype)")
      ->check(CLI::PositiveNumber);
  app.add_flag("--json", options.json,
               "Report as JSON on stdout, text on stderr");
  app.add_option("--output", options.outputFile,
                 "Write the outputs to a safetensors file");
  app.add_option("--dump-dir", options.dumpDirectory,
                 "Write one numbered file per compilation phase");
  app.add_option("--plot", options.plotFile,
                 "Draw the selection pattern as a PNG file");
  app.add_flag("-q,--quiet", options.quiet, "No progress, no report");
  app.add_flag("-v,--verbose", options.verbose, "Say more");
}

/// Where a user's shell says that CUDA toolkits and Python wheels are.
void readEnvironment(gsa::RunnerOptions& options) {
  for (const char* name : {"CUDA_HOME", "CUDA_PATH"})
    if (const char* value = std::getenv(name);
        value && options.cudaHome.empty())
      options.cudaHome = value;
  for (const char* name : {"GSA_PYTHON_PREFIX", "VIRTUAL_ENV"})
    if (const char* value = std::getenv(name))
      options.pythonPrefixes.push_back(value);
}

}  // namespace

int main(int argc, char** argv) {
  gsa::RunnerOptions options;
  readEnvironment(options);
  CLI::App app(
      "Compiles a gsa module and runs it.\n"
      "Exit codes: 0 ok, 1 failure, 2 usage, 3 unsupported, 4 device.");
  app.set_version_flag("--version", "gsa-run " GSA_VERSION);
  app.add_option("module", options.modulePath, "The module (.mlir)")
      ->required();
  app.add_option("--entry", options.entry,
                 "Function to run (default: the only public one)");
  addTargetOptions(app, options);
  addShapeOptions(app, options);
  app.add_option("--inputs", options.inputFiles,
                 "safetensors file with inputs by name; repeatable");
  app.add_option("--prefix", options.prefix,
                 "Prefix of the weights' names in the files, for instance "
                 "model.layers.3.self_attn. (default: found)");
  app.add_option("--workload", options.workload,
                 "What generated inputs look like: " + workloadNames());
  app.add_option("--seed", options.seed, "Seed of generated inputs");
  app.add_option("--threads", options.threads,
                 "Threads (default: available CPUs)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--vector-bits", options.vectorBits,
                 "Vector width: 128, 256 or 512 (default: the machine's)")
      ->check(CLI::IsMember({128, 256, 512}));
  app.add_flag("--reference", options.reference,
               "Compile definitions instead of optimised loops");
  app.add_option("--repeat", options.repeat, "Timed runs (default 1)")
      ->check(CLI::Range(1, 1000000));
  addReportOptions(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    int code = app.exit(error);
    return code == 0 ? gsa::kExitOk : gsa::kExitUsage;
  }
  return gsa::runModule(options);
}
