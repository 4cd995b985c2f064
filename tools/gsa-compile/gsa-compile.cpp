//===- gsa-compile.cpp - plans ahead of time ------------------------------===//
//
// Compiles a module for listed shapes and architectures into one file, a pack,
// whose plans gsa_pack_load loads without a compiler.
//
//===----------------------------------------------------------------------===//

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/cuda/device.h"
#include "runtime/core/nearest_name.h"
#include "runtime/core/status_macros.h"
#include "runtime/core/thread_pool.h"
#include "runtime/pack_plan.h"
#include "tools/common/CacheEnvironment.h"
#include "tools/common/CommandLine.h"
#include "tools/common/ExitCode.h"
#include "tools/common/Numbers.h"
#include "tools/common/StandardStreams.h"
#include "tools/gsa-run/Driver.h"
#include "tools/gsa-run/Inputs.h"

namespace gsa {
namespace {

struct PackOptions {
  RunnerOptions module;  ///< What is compiled, in gsa-run's terms.
  std::vector<std::string> archs;
  std::vector<std::string> plans;   ///< "seq=64,x=1x64x512".
  std::vector<std::string> bounds;  ///< The same, of plans for bounds.
  std::string output;
};

std::optional<int> parseArguments(int argc, char** argv, PackOptions& options) {
  CLI::App app(
      "Compiles a module for several shapes and architectures into one file. A "
      "program loads a plan of it with gsa_pack_load, without a compiler, "
      "NVRTC or LLVM. Needs no GPU.\n"
      "Exit codes: 0 ok, 1 failure, 2 usage or a file that is wrong, 3 "
      "unsupported, 4 no NVRTC.",
      "gsa-compile");
  app.footer(absl::StrCat(kCacheEnvironmentHelp, kToolkitEnvironmentHelp));
  app.set_version_flag("--version", "gsa-compile " GSA_VERSION);
  RunnerOptions& module = options.module;
  module.target = "cuda";
  app.add_option("module", module.modulePath,
                 "The module (.mlir); - reads standard input");
  app.add_option("--layer", module.layer,
                 "A layer in place of a module, as gsa-run takes it")
      ->type_name("KEY=VALUE,...");
  app.add_option("-o,--output", options.output, "The pack that is written");
  app.add_option("--entry", module.entry,
                 "Function to compile (default: the only public one)");
  app.add_option("--target", module.target,
                 "cuda (default), or cpu: this machine's");
  addTexts(app, "--arch", options.archs,
           "Architecture of a GPU, or all; repeatable (default: sm_90a)");
  addTexts(app, "--plan", options.plans,
           "Shapes of one plan: sizes of dynamic dimensions, as batch=1, "
           "seq=4096 and keys=8192 in gsa-run, or of an input, x=1x64x512; "
           "repeatable, one plan each (default: one of the module's own "
           "shapes)");
  addTexts(app, "--bounds", options.bounds,
           "Bounds of one plan, as --plan takes sizes: each run has its own "
           "shapes up to these; --target cpu only, repeatable");
  app.add_option("--nvrtc", module.toolkit.only,
                 "libnvrtc, or a folder that has it, as gsa-run takes it");
  app.add_option("--cache-dir", module.cache.directory,
                 "Directory that keeps compiled code (default: at the end)");
  addCacheMode(app, "--cache-mode", module.cache.mode,
               "off, ro, rw (default) or only, as gsa-run takes it");
  app.add_option("--schedules", module.schedules,
                 "File of measured schedules (JSON lines)");
  app.add_flag_callback(
      "--no-shipped-schedules", [&] { module.shippedSchedules = false; },
      "Leave out the measured schedules of the program");
  module.sizesHint = "give --plan seq=..., or --bounds seq=...";
  addNumber(app, "--threads", module.threads, 1, 1024,
            "Threads of the CPU's plans (default: available CPUs)");
  app.add_flag("-q,--quiet", module.quiet, "No report");
  if (std::optional<int> code = parseCommandLine(app, argc, argv)) return code;
  for (const CLI::Option* option : app.get_options())
    if (option->count() > 0) module.given.insert(option->get_name());
  const bool isLayer = module.isGiven("--layer");
  if (isLayer == !module.modulePath.empty())
    return usageError(app,
                      "expected either a module: gsa-compile <module.mlir> -o "
                      "<pack>, or --layer KEY=VALUE,...");
  if (options.output.empty())
    return usageError(app, "expected a file for the pack: -o <pack>");
  if (isLayer) module.modulePath = "layer";
  if (module.target != "cuda" && module.target != "cpu")
    return usageError(app, absl::StrCat("--target: expected cuda or cpu, got ",
                                        quoteArgument(module.target)));
  if (module.target == "cpu" && !options.archs.empty())
    return usageError(app, "--arch has no effect: --target is cpu");
  if (module.target == "cuda" && module.isGiven("--threads"))
    return usageError(app, "--threads has no effect: --target is cuda");
  if (options.archs == std::vector<std::string>{"all"})
    options.archs.assign(SupportedArchs().begin(), SupportedArchs().end());
  const std::set<std::string> distinct(options.archs.begin(),
                                       options.archs.end());
  if (distinct.size() != options.archs.size())
    return usageError(app, "--arch: an architecture is given twice");
  if (options.archs.empty())
    options.archs = {module.target == "cuda" ? "sm_90a" : ""};
  if (options.plans.empty() && options.bounds.empty()) options.plans = {""};
  return std::nullopt;
}

/// The options of the module with the sizes of one --plan or --bounds.
absl::StatusOr<RunnerOptions> planOptions(const RunnerOptions& module,
                                          const ModuleInterface& interface,
                                          const char* option,
                                          const std::string& plan) {
  RunnerOptions result = module;
  if (plan.empty()) return result;
  const std::pair<const char*, int64_t*> sizes[] = {{"batch", &result.batch},
                                                    {"seq", &result.sequence},
                                                    {"keys", &result.keys}};
  for (const std::string& part :
       std::vector<std::string>(absl::StrSplit(plan, ','))) {
    const std::vector<std::string> sides =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (sides.size() != 2)
      return absl::InvalidArgumentError(absl::StrCat(
          option, ": expected seq=4096,x=1x64x512, got '", plan, "'"));
    bool isSize = false;
    for (const auto& [name, target] : sizes) {
      if (sides[0] != name) continue;
      isSize = true;
      const absl::StatusOr<uint64_t> number =
          parseWholeNumber(sides[1], 1, std::numeric_limits<int64_t>::max());
      if (!number.ok())
        return absl::InvalidArgumentError(
            absl::StrCat(option, ": ", name, ": ", number.status().message()));
      *target = static_cast<int64_t>(*number);
      result.given.insert(absl::StrCat("--", name));
    }
    if (isSize) continue;
    std::vector<absl::string_view> known = {"batch", "seq", "keys"};
    for (const TensorSpec& input : interface.inputs)
      known.push_back(input.name);
    if (std::find(known.begin(), known.end(), sides[0]) == known.end())
      return absl::InvalidArgumentError(
          absl::StrCat(option, ": expected a size or an input, one of ",
                       absl::StrJoin(known, ", "), ", got '", sides[0], "'",
                       DidYouMean(sides[0], known)));
    result.shapes.push_back(part);
  }
  return result;
}

/// What a loader tells plans of one module apart by.
std::string planKey(const CompileOptions& compile) {
  const auto sizes = [](std::string* out, const auto& shape) {
    absl::StrAppend(out, shape.first, "=", absl::StrJoin(shape.second, "x"));
  };
  return absl::StrCat(compile.arch, ";",
                      absl::StrJoin(compile.shapes, ",", sizes), ";",
                      absl::StrJoin(compile.bounds, ",", sizes));
}

absl::Status compile(const PackOptions& options) {
  const RunnerOptions& module = options.module;
  GSA_ASSIGN_OR_RETURN(const std::string text, moduleText(module));
  GSA_ASSIGN_OR_RETURN(const ModuleInterface interface,
                       DescribeModule(text, module.modulePath, module.entry));
  Pack pack;
  pack.producer = "gsa " GSA_VERSION;
  CompileOptions compile;
  compile.target = module.target;
  compile.entry = interface.entry;
  compile.schedule_database = module.schedules;
  compile.shipped_schedules = module.shippedSchedules;
  compile.toolkit = module.toolkit;
  compile.cache = module.cache;
  compile.num_threads = module.threads > 0 ? module.threads : AvailableCpus();
  std::set<std::string> keys;
  KernelCounts counts;
  compile.on_kernel = [&](const KernelEvent& event) { counts.Add(event); };
  const auto add = [&](const std::string& plan, bool isBounds) -> absl::Status {
    const char* option = isBounds ? "--bounds" : "--plan";
    GSA_ASSIGN_OR_RETURN(const RunnerOptions sizes,
                         planOptions(module, interface, option, plan));
    GSA_ASSIGN_OR_RETURN(compile.shapes,
                         resolveShapes(interface.inputs, InputFiles(), sizes));
    compile.bounds.clear();
    if (isBounds) compile.shapes.swap(compile.bounds);
    if (!keys.insert(planKey(compile)).second)
      return absl::InvalidArgumentError(absl::StrCat(
          option, ": '", plan, "' has the shapes of an earlier plan; ",
          "a program could load neither"));
    GSA_ASSIGN_OR_RETURN(PackedPlan packed,
                         CompilePackedPlan(text, module.modulePath, compile));
    if (!module.quiet)
      GSA_RETURN_IF_ERROR(writeToStandardOutput(packed.ToString() + "\n"));
    pack.plans.push_back(std::move(packed));
    return absl::OkStatus();
  };
  for (const std::string& arch : options.archs) {
    compile.arch = arch;
    for (const std::string& plan : options.plans)
      GSA_RETURN_IF_ERROR(add(plan, /*isBounds=*/false));
    for (const std::string& bounds : options.bounds)
      GSA_RETURN_IF_ERROR(add(bounds, /*isBounds=*/true));
  }
  const std::string bytes = EncodePack(pack);
  GSA_RETURN_IF_ERROR(WriteFileAtomically(options.output, bytes));
  if (module.quiet) return absl::OkStatus();
  return writeToStandardOutput(absl::StrFormat(
      "%s: %d plans, %d bytes; %d compiled, %d from disk\n", options.output,
      pack.plans.size(), bytes.size(), counts.compiled, counts.disk));
}

}  // namespace
}  // namespace gsa

int main(int argc, char** argv) {
  gsa::reserveStandardStreams();
  gsa::PackOptions options;
  options.module.toolkit = getToolkitSearchFromEnvironment();
  options.module.cache = getCacheFromEnvironment();
  if (std::optional<int> code = gsa::parseArguments(argc, argv, options))
    return *code;
  const absl::Status status = gsa::compile(options);
  if (!status.ok())
    std::fprintf(stderr, "gsa-compile: error: %s\n",
                 std::string(status.message()).c_str());
  return gsa::exitCodeOf(status);
}
