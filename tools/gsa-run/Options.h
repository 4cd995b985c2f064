//===- Options.h - command line of gsa-run ---------------------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_OPTIONS_H
#define GSA_TOOLS_GSA_RUN_OPTIONS_H

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/core/cuda/toolkit_search.h"
#include "runtime/core/program_cache.h"
#include "runtime/emu/host_places.h"
#include "tools/common/ExitCode.h"

namespace gsa {

struct RunnerOptions {
  /// Names of the options that the user gave, "--seq".
  std::set<std::string> given;
  bool isGiven(const std::string& name) const { return given.count(name) != 0; }

  std::string modulePath;
  /// Configuration of a layer, "d_model=512, n_heads=8", in place of a module.
  std::string layer;
  bool printLayer = false;  ///< Print the module's text and end.
  int64_t budget = 0;       ///< Keys per query; 0 leaves those of the module.
  std::string entry;
  std::string target = "cpu";
  std::string arch;           ///< Of kernels; empty takes the device's.
  ToolkitSearch toolkit;      ///< Where NVRTC and cuBLASLt are searched.
  ProgramCacheOptions cache;  ///< Of compiled code; none of the emulation's.
  bool forbidCompile = false;
  std::string schedules;  ///< File of measured ones; empty: none.
  bool shippedSchedules = true;
  HostPlaces host;  ///< Of the emulation, and where programs are searched.

  /// Sizes for dynamic dimensions: the first of a tensor, all others, and all
  /// others of key-side tensors.
  int64_t batch = 1;
  int64_t sequence = 0;
  int64_t keys = 0;
  /// "name=1x4096x512".
  std::vector<std::string> shapes;
  /// How a user of the tool gives sizes that are missing.
  const char* sizesHint = "give --seq, --shape or a file that holds it";

  std::vector<std::string> inputFiles;
  std::string prefix;  ///< Of weight names in the files; found if not given.
  /// `prefix` if it was given.
  std::optional<std::string> chosenPrefix() const {
    if (!isGiven("--prefix")) return std::nullopt;
    return prefix;
  }
  std::vector<std::string> ignoredWeights;  ///< Patterns of fnmatch(3).
  std::string workload = "shared_rho95";
  uint64_t seed = 0;

  std::string outputFile;
  std::string dumpDirectory;
  std::string plotFile;
  std::string plotKind;  ///< "selection", "mass" or "sweep"; see plotKindOf.

  bool compare = false;
  bool statistics = false;
  double tolerance = 0;  ///< 0 takes the default of the output's dtype.
  bool json = false;
  bool quiet = false;
  bool verbose = false;

  int threads = 0;  ///< 0 takes the available CPUs.
  int vectorBits = 0;
  bool reference = false;
  int repeat = 1;
  int watchdogSeconds = 0;  ///< Of one run; 0 waits.
  std::string stopAfter;    ///< Last phase; empty runs the module.

  /// One of several values of an option; `apply` makes the options of its run.
  struct Variant {
    std::string value;
    std::function<void(RunnerOptions&)> apply;
  };
  /// The option that has several, "--k", or the key of --layer, "k_base"; its
  /// values are run one after the other. Empty for one run.
  std::string varied;
  std::vector<Variant> variants;
};

/// What --plot draws: what --plot-kind says, else the sweep of several runs, or
/// the selection of one.
inline std::string plotKindOf(const RunnerOptions& options) {
  if (!options.plotKind.empty()) return options.plotKind;
  return options.variants.empty() ? "selection" : "sweep";
}

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_OPTIONS_H
