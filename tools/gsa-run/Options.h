//===- Options.h - command line of gsa-run ---------------------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_OPTIONS_H
#define GSA_TOOLS_GSA_RUN_OPTIONS_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gsa {

/// Exit codes, the same for every tool of the project.
enum ExitCode {
  kExitOk = 0,
  kExitFailure = 1,      ///< A comparison failed, or compiling or running.
  kExitUsage = 2,        ///< The command line or an input file is wrong.
  kExitUnsupported = 3,  ///< Legal, but not available here.
  kExitDevice = 4,       ///< A device was asked for and is missing or failed.
};

struct RunnerOptions {
  std::string modulePath;
  std::string entry;
  std::string target = "cpu";
  std::string arch;   ///< Of kernels; empty takes the device's.
  std::string nvrtc;  ///< Where NVRTC is; empty searches, also in these:
  std::string cudaHome;
  std::vector<std::string> pythonPrefixes;

  /// Sizes for dynamic dimensions: the first of a tensor, all others, and all
  /// others of key-side tensors.
  int64_t batch = 1;
  int64_t sequence = 0;
  int64_t keys = 0;
  /// "name=1x4096x512".
  std::vector<std::string> shapes;

  std::vector<std::string> inputFiles;
  std::string prefix;  ///< Of weight names in the files; empty finds it.
  std::string workload = "shared_rho95";
  uint64_t seed = 0;

  std::string outputFile;
  std::string dumpDirectory;
  std::string plotFile;

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
};

/// Everything after the command line; returns an ExitCode.
int runModule(const RunnerOptions& options);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_OPTIONS_H
