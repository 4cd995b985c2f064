//===- Checks.cpp - what is wrong before anything runs --------------------===//

#include "tools/gsa-run/Checks.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/nearest_name.h"
#include "runtime/core/status_macros.h"
#include "runtime/target.h"
#include "tools/gsa-run/Inputs.h"
#include "tools/plot/Render.h"

namespace gsa {
namespace {

absl::Status usage(const std::string& text) {
  return absl::InvalidArgumentError(text);
}

/// The first of `names` that was given is an error with the reason `why`.
absl::Status refuse(const RunnerOptions& options,
                    const std::vector<std::string>& names,
                    const std::string& why) {
  for (const std::string& name : names)
    if (options.isGiven(name))
      return usage(absl::StrCat(name, " has no effect: ", why));
  return absl::OkStatus();
}

absl::Status checkWorkload(const RunnerOptions& options) {
  const std::vector<std::string> names = workloadNames();
  if (std::count(names.begin(), names.end(), options.workload) > 0)
    return absl::OkStatus();
  return usage(
      absl::StrCat("--workload: unknown workload ", QuoteName(options.workload),
                   ": expected one of ", absl::StrJoin(names, ", "),
                   DidYouMean(options.workload, {names.begin(), names.end()})));
}

absl::Status checkTarget(const RunnerOptions& options) {
  GSA_ASSIGN_OR_RETURN(const Target target, ParseTarget(options.target));
  const bool isAuto = options.target == "auto";
  if (target.kind == TargetKind::kCpu && !isAuto)
    return refuse(options, {"--arch", "--nvrtc"},
                  "the target cpu has no kernels");
  if (target.kind != TargetKind::kCpu)
    GSA_RETURN_IF_ERROR(
        refuse(options, {"--vector-bits"},
               absl::StrCat("the target is ", target.ToString())));
  if (target.kind == TargetKind::kEmu)
    return refuse(
        options, {"--nvrtc", "--cache-dir", "--cache-mode", "--forbid-compile"},
        "the target emu compiles with a host compiler");
  return absl::OkStatus();
}

/// Several values give one table and one picture, and nothing of each run.
absl::Status checkVariants(const RunnerOptions& options) {
  if (options.variants.empty()) return absl::OkStatus();
  return refuse(options,
                {"--output", "--dump-dir", "--stop-after", "--print-layer"},
                absl::StrCat(options.varied, " has ", options.variants.size(),
                             " values, and it takes one run"));
}

absl::Status checkLayer(const RunnerOptions& options) {
  if (!options.isGiven("--layer"))
    return refuse(options, {"--print-layer"}, "there is no --layer");
  if (!options.printLayer) return absl::OkStatus();
  return refuse(
      options,
      {"--compare", "--stats", "--repeat", "--json", "--output", "--dump-dir",
       "--plot", "--seed", "--workload", "--watchdog", "--stop-after"},
      "with --print-layer nothing runs");
}

absl::Status checkPlotKind(const RunnerOptions& options) {
  if (!options.isGiven("--plot"))
    return refuse(options, {"--plot-kind"}, "there is no --plot");
  const std::string kind = plotKindOf(options);
  if (kind != "selection" && kind != "mass" && kind != "sweep")
    return usage(absl::StrCat(
        "--plot-kind: expected selection, mass or sweep, got '", kind, "'",
        DidYouMean(kind, {"selection", "mass", "sweep"})));
  if (kind == "sweep" && options.variants.empty())
    return usage(
        "--plot-kind=sweep: expected several values of one option, --k 256,512 "
        "for instance");
  if (kind != "sweep" && !options.variants.empty())
    return usage(absl::StrCat("--plot-kind=", kind, ": ", options.varied,
                              " has ", options.variants.size(),
                              " values, expected one run or the kind sweep"));
  if (kind == "mass" && !options.statistics && !options.compare)
    return usage(
        "--plot-kind=mass: expected --stats or --compare, which "
        "measure the attention mass");
  return absl::OkStatus();
}

absl::Status checkCombinations(const RunnerOptions& options) {
  GSA_RETURN_IF_ERROR(checkVariants(options));
  GSA_RETURN_IF_ERROR(checkLayer(options));
  GSA_RETURN_IF_ERROR(checkPlotKind(options));
  if (!options.stopAfter.empty())
    GSA_RETURN_IF_ERROR(
        refuse(options,
               {"--compare", "--stats", "--tolerance", "--repeat", "--json",
                "--output", "--plot", "--seed", "--workload", "--watchdog"},
               "with --stop-after nothing runs"));
  if (!options.compare)
    GSA_RETURN_IF_ERROR(
        refuse(options, {"--tolerance"}, "it is a limit of --compare"));
  if (options.inputFiles.empty())
    GSA_RETURN_IF_ERROR(refuse(options, {"--prefix", "--ignore-weights"},
                               "there are no files of --inputs"));
  return absl::OkStatus();
}

/// Makes the file that a result will be written to, and takes it away again.
absl::Status checkWritable(const std::string& option, const std::string& path) {
  absl::Status made = AtomicFileWriter::Create(path).status();
  if (made.ok()) return made;
  return usage(absl::StrCat(option, ": ", std::string(made.message())));
}

absl::Status checkPaths(const RunnerOptions& options) {
  if (options.isGiven("--output"))
    GSA_RETURN_IF_ERROR(checkWritable("--output", options.outputFile));
  if (!options.isGiven("--plot")) return absl::OkStatus();
  const absl::Status format = plot::formatOf(options.plotFile).status();
  if (!format.ok())
    return absl::Status(
        format.code(), absl::StrCat("--plot: ", std::string(format.message())));
  if (options.plotFile == options.outputFile)
    return usage(
        absl::StrCat("--plot and --output: both are '", options.plotFile, "'"));
  return checkWritable("--plot", options.plotFile);
}

}  // namespace

absl::Status checkOptions(const RunnerOptions& options) {
  GSA_RETURN_IF_ERROR(checkTarget(options));
  GSA_RETURN_IF_ERROR(checkWorkload(options));
  GSA_RETURN_IF_ERROR(checkCombinations(options));
  return checkPaths(options);
}

absl::Status checkInterface(const ModuleInterface& interface,
                            const RunnerOptions& options) {
  if (!options.isGiven("--plot") || plotKindOf(options) != "selection")
    return absl::OkStatus();
  auto has = [&](const char* name, size_t rank) {
    return std::any_of(interface.outputs.begin(), interface.outputs.end(),
                       [&](const TensorSpec& spec) {
                         return spec.name == name &&
                                spec.dtype == DType::kI32 &&
                                spec.shape.size() == rank;
                       });
  };
  if (has("indices", 3) && has("counts", 2)) return absl::OkStatus();
  return usage(
      "--plot: the module has no i32 results named 'indices' [B, Sq, K] and "
      "'counts' [B, Sq]");
}

}  // namespace gsa
