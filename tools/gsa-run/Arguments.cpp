//===- Arguments.cpp - reads the command line of gsa-run ------------------===//
//
// CLI11 throws; nothing of LLVM is in this translation unit.
//
//===----------------------------------------------------------------------===//

#include "tools/gsa-run/Arguments.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tools/common/CacheEnvironment.h"
#include "tools/common/CommandLine.h"
#include "tools/common/ToolkitEnvironment.h"
#include "tools/gsa-run/Inputs.h"
#include "tools/gsa-run/Layer.h"

namespace gsa {
namespace {

constexpr uint64_t kMaxSize = std::numeric_limits<int64_t>::max();
constexpr uint64_t kMaxRepeat = 1000000;

/// Takes the first of an option's values; several are run one after the other.
void setVariants(const std::string& name,
                 std::vector<RunnerOptions::Variant> variants,
                 RunnerOptions& options) {
  variants.front().apply(options);
  if (variants.size() == 1) return;
  if (!options.variants.empty())
    throw CLI::ValidationError(
        name, absl::StrCat("one option may have several values, and ",
                           options.varied, " has them already"));
  options.varied = name;
  options.variants = std::move(variants);
}

/// An option that takes one whole number, or several with commas between them.
/// `instead` says what who writes 0 wants.
template <typename Number>
CLI::Option* addVariedNumber(CLI::App& app, const std::string& name,
                             RunnerOptions& options,
                             Number RunnerOptions::* field, uint64_t low,
                             uint64_t high, const std::string& help,
                             const std::string& instead = "") {
  auto read = [&options, name, field, low, high,
               instead](const std::string& text) {
    std::vector<RunnerOptions::Variant> variants;
    for (const std::string& value :
         std::vector<std::string>(absl::StrSplit(text, ','))) {
      if (value == "0" && low > 0 && !instead.empty())
        throw CLI::ValidationError(
            name, absl::StrCat("expected a whole number from ", low, " to ",
                               high, ", got '0'; ", instead));
      auto number =
          static_cast<Number>(readWholeNumber(name, value, low, high));
      variants.push_back({value, [field, number](RunnerOptions& changed) {
                            changed.*field = number;
                          }});
    }
    setVariants(name, std::move(variants), options);
  };
  return app.add_option_function<std::string>(name, read, help)
      ->type_name("N[,N...]");
}

void addVariedWorkload(CLI::App& app, RunnerOptions& options) {
  auto read = [&options](const std::string& text) {
    std::vector<RunnerOptions::Variant> variants;
    for (const std::string& value :
         std::vector<std::string>(absl::StrSplit(text, ',')))
      variants.push_back({value, [value](RunnerOptions& changed) {
                            changed.workload = value;
                          }});
    setVariants("--workload", std::move(variants), options);
  };
  app.add_option_function<std::string>("--workload", read,
                                       "What generated inputs look like: " +
                                           absl::StrJoin(workloadNames(), ", "))
      ->type_name("NAME[,NAME...]");
}

void addModuleOptions(CLI::App& app, RunnerOptions& options) {
  auto readLayer = [&options](const std::string& text) {
    absl::StatusOr<LayerVariants> layers = readLayerVariants(text);
    if (!layers.ok())
      throw CLI::ValidationError("--layer",
                                 std::string(layers.status().message()));
    std::vector<RunnerOptions::Variant> variants;
    for (const auto& [value, layer] : layers->layers)
      variants.push_back({value, [layer = layer](RunnerOptions& changed) {
                            changed.layer = layer;
                          }});
    setVariants(layers->key, std::move(variants), options);
  };
  app.add_option_function<std::string>(
         "--layer", readLayer,
         "A layer in place of a module: key=value,... over the published "
         "defaults, \"\" for these alone; keys: " +
             layerKeys())
      ->type_name("KEY=VALUE,...");
  app.add_flag("--print-layer", options.printLayer,
               "Print the module of --layer and end");
  addVariedNumber(app, "--k", options, &RunnerOptions::budget, 1,
                  (uint64_t{1} << 30) - 1,
                  "Keys per query: the base of every budget policy of the "
                  "module; its least and largest budgets keep their proportion "
                  "to it");
}

void addShapeOptions(CLI::App& app, RunnerOptions& options) {
  addVariedNumber(app, "--batch", options, &RunnerOptions::batch, 1, kMaxSize,
                  "Size of dynamic first dimensions (default 1)");
  addVariedNumber(app, "--seq", options, &RunnerOptions::sequence, 1, kMaxSize,
                  "Size of all other dynamic dimensions");
  addVariedNumber(app, "--keys", options, &RunnerOptions::keys, 1, kMaxSize,
                  "The same for key-side inputs (default: --seq)",
                  "leave --keys out for as many as --seq");
  addTexts(app, "--shape", options.shapes,
           "Shape of one input, name=1x4096x512; repeatable; goes before "
           "--batch, --seq and --keys");
}

void addTargetOptions(CLI::App& app, RunnerOptions& options) {
  app.add_option("--target", options.target,
                 "cpu (default), cuda, cuda:<ordinal>, emu (the kernels on "
                 "host threads) or auto");
  app.add_option("--arch", options.arch,
                 "Architecture of kernels, sm_90a for example (default: the "
                 "device's; sm_80 for emu)");
  app.add_option("--nvrtc", options.toolkit.only,
                 "libnvrtc, or the folder of a CUDA toolkit or of a Python "
                 "environment that has it: nothing else is searched (default: "
                 "the places at the end)");
  app.add_option("--cache-dir", options.cache.directory,
                 "Directory that keeps compiled code, kernels of a GPU and "
                 "objects for the CPU, for later runs (default: at the end)");
  addCacheMode(app, "--cache-mode", options.cache.mode,
               "off: compile all; ro: read what is kept; rw: keep what is "
               "compiled, too (default); only: as ro, and what is not there is "
               "an error");
  app.add_flag("--forbid-compile", options.forbidCompile,
               "What is not in the cache is an error with its key: nothing is "
               "compiled");
  app.add_option("--schedules", options.schedules,
                 "File of measured schedules (JSON lines), which come before "
                 "those of the program");
  app.add_flag_callback(
      "--no-shipped-schedules", [&] { options.shippedSchedules = false; },
      "Leave out the measured schedules of the program");
  addVariedNumber(app, "--threads", options, &RunnerOptions::threads, 1, 1024,
                  "Threads (default: available CPUs)",
                  "leave --threads out for one per available CPU");
  addNumber(app, "--vector-bits", options.vectorBits, 128, 512,
            "Vector width of the CPU target: 128, 256 or 512 (default: the "
            "machine's)");
  app.add_flag("--reference", options.reference,
               "Compile definitions instead of optimised loops");
  addNumber(app, "--watchdog", options.watchdogSeconds, 1, 1000000,
            "Seconds after which a run is ended (default: never; 300 for emu)");
  app.add_option("--stop-after", options.stopAfter,
                 "Last phase of the compilation; its text goes to --dump-dir "
                 "or stdout and nothing runs");
}

void addInputOptions(CLI::App& app, RunnerOptions& options) {
  addTexts(app, "--inputs", options.inputFiles,
           "safetensors file with inputs by name; repeatable. Weights (inputs "
           "named ....weight or ....bias) and tensors of the layer must match "
           "one to one");
  app.add_option("--prefix", options.prefix,
                 "Prefix of the weights' names in the files, for instance "
                 "model.layers.3.self_attn.; \"\" for plain names (default: "
                 "the only one that fits)");
  addTexts(app, "--ignore-weights", options.ignoredWeights,
           "Pattern (* ? [...]) of names, with or without the prefix, that "
           "need not match: a tensor of the files that no input takes is left "
           "out, a weight that no file has is generated; one that has its "
           "input is read all the same; repeatable");
  addVariedWorkload(app, options);
  addNumber(app, "--seed", options.seed, 0,
            std::numeric_limits<uint64_t>::max(), "Seed of generated inputs");
}

void addReportOptions(CLI::App& app, RunnerOptions& options) {
  addNumber(app, "--repeat", options.repeat, 1, kMaxRepeat,
            "Timed runs (default 1)");
  app.add_flag("--compare", options.compare,
               "Check against the float64 reference; exit code 1 if it fails, "
               "3 if the reference cannot run the module");
  app.add_flag("--stats", options.statistics,
               "Statistics of the run: selections, attention mass, gates. "
               "Compiles a copy of the module that returns what they read and "
               "runs it once; with --compare, those of the reference");
  auto read = [&options](const std::string& text) {
    absl::StatusOr<double> value = parsePositiveNumber(text);
    if (!value.ok())
      throw CLI::ValidationError("--tolerance",
                                 std::string(value.status().message()));
    options.tolerance = *value;
  };
  app.add_option_function<std::string>(
         "--tolerance", read,
         "Largest error of --compare relative to the largest output element "
         "(default: what the types allow of all that it is computed from)")
      ->type_name("NUMBER");
  app.add_flag("--json", options.json,
               "Report as JSON on stdout, text on stderr");
  app.add_option("--output", options.outputFile,
                 "Write the outputs to a safetensors file");
  app.add_option("--dump-dir", options.dumpDirectory,
                 "Write one numbered file per compilation phase; those of an "
                 "earlier run there are removed");
  app.add_option("--plot", options.plotFile, "Draw a picture, .png or .svg");
  app.add_option("--plot-kind", options.plotKind,
                 "selection: which keys each query keeps (default of one run); "
                 "mass: attention by key position, dense and sparse, with and "
                 "without gates (needs --stats or --compare); sweep: time, and "
                 "with --stats the attention mass kept, over the values of an "
                 "option (default where one has several)");
  CLI::Option* quiet =
      app.add_flag("-q,--quiet", options.quiet, "No progress, no report");
  app.add_flag("-v,--verbose", options.verbose, "Say more")->excludes(quiet);
}

void addOptions(CLI::App& app, RunnerOptions& options) {
  app.add_option("module", options.modulePath,
                 "The module (.mlir); - reads standard input");
  app.add_option("--entry", options.entry,
                 "Function to run (default: the only public one)");
  addModuleOptions(app, options);
  addTargetOptions(app, options);
  addShapeOptions(app, options);
  addInputOptions(app, options);
  addReportOptions(app, options);
}

}  // namespace

std::optional<int> parseArguments(int argc, char** argv,
                                  RunnerOptions& options) {
  CLI::App app(
      "Compiles a gsa module and runs it. Options that take N[,N...] (and a "
      "key "
      "of --layer) may have several values: these are run one after the other "
      "into one table and one picture.\n"
      "Exit codes: 0 ok, 1 failure, 2 usage, 3 unsupported, 4 device.",
      "gsa-run");
  app.footer(
      absl::StrCat(kToolkitEnvironmentHelp, "\n", kCacheEnvironmentHelp));
  app.set_version_flag("--version", "gsa-run " GSA_VERSION);
  addOptions(app, options);
  if (std::optional<int> code = parseCommandLine(app, argc, argv)) return code;
  for (const CLI::Option* option : app.get_options())
    if (option->count() > 0) options.given.insert(option->get_name());
  if (options.isGiven("--vector-bits") && options.vectorBits != 128 &&
      options.vectorBits != 256 && options.vectorBits != 512)
    return usageError(
        app, absl::StrCat("--vector-bits: expected 128, 256 or 512, got ",
                          options.vectorBits));
  if (options.isGiven("--cache-dir")) {
    if (options.cache.directory.empty())
      return usageError(app, "--cache-dir: expected a directory, got ''");
    // Of the environment; who names a directory wants one.
    if (!options.isGiven("--cache-mode") &&
        options.cache.mode == CacheMode::kOff)
      options.cache.mode = CacheMode::kReadWrite;
  }
  const bool isLayer = options.isGiven("--layer");
  if (options.modulePath.empty() && !isLayer)
    return usageError(app,
                      "expected a module: gsa-run <module.mlir> [options], or "
                      "--layer KEY=VALUE,...");
  if (isLayer && options.isGiven("module"))
    return usageError(
        app, absl::StrCat("--layer takes the place of a module, "
                          "got ",
                          quoteArgument(options.modulePath), " as well"));
  if (isLayer) options.modulePath = "layer";
  return std::nullopt;
}

}  // namespace gsa
