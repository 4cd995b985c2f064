//===- gsa-doctor.cpp - what is missing for a GPU -------------------------===//

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "tools/common/CacheEnvironment.h"
#include "tools/common/CommandLine.h"
#include "tools/common/ExitCode.h"
#include "tools/common/Signals.h"
#include "tools/common/StandardStreams.h"
#include "tools/common/ToolkitEnvironment.h"
#include "tools/gsa-doctor/Checkup.h"
#include "tools/gsa-doctor/Variables.h"

namespace gsa {
namespace {

struct DoctorOptions {
  ToolkitSearch toolkit;
  ProgramCacheOptions cache;
  bool needsGpu = false;
  bool json = false;
};

std::optional<int> parseArguments(int argc, char** argv,
                                  DoctorOptions& options) {
  CLI::App app(
      "Looks at the driver, the GPUs, NVRTC, cuBLASLt, the cache of "
      "kernels and the variables GSA_... of the environment, "
      "runs a kernel on each GPU, and says what to do about what is missing or "
      "broken.\n"
      "Exit codes: 0 nothing is broken, 1 something is, 2 usage, 4 --gpu and "
      "no GPU that runs a kernel.",
      "gsa-doctor");
  app.footer(
      absl::StrCat(kToolkitEnvironmentHelp, "\n", kCacheEnvironmentHelp));
  app.set_version_flag("--version", "gsa-doctor " GSA_VERSION);
  app.add_flag("--gpu", options.needsGpu, "No GPU is an error");
  app.add_flag("--json", options.json, "Report as JSON");
  return parseCommandLine(app, argc, argv);
}

Examination examinationOf(const DoctorOptions& options) {
  Examination result;
  result.driver = [] { return DriverApi::Default(); };
  result.nvrtc = [&options] { return NvrtcApi::Load(options.toolkit); };
  result.cublasLt = [&options] { return CublasLtApi::Load(options.toolkit); };
  result.compile = [](const NvrtcApi& nvrtc, const CompileRequest& request) {
    return CompileCuda(nvrtc, request);
  };
  result.cache = options.cache;
  result.variables = readVariableNames();
  return result;
}

int run(const DoctorOptions& options) {
  const std::vector<Finding> findings = examine(examinationOf(options));
  const absl::Status written = writeToStandardOutput(
      options.json
          ? findingsJson(findings)
          : absl::StrCat("gsa ", GSA_VERSION, "\n", findingsText(findings)));
  if (!written.ok()) {
    std::fprintf(stderr, "gsa-doctor: error: %s\n",
                 std::string(written.message()).c_str());
    return kExitFailure;
  }
  if (!isHealthy(findings, /*needsGpu=*/false)) return kExitFailure;
  return isHealthy(findings, options.needsGpu) ? kExitOk : kExitDevice;
}

}  // namespace
}  // namespace gsa

int main(int argc, char** argv) {
  gsa::reserveStandardStreams();
  gsa::DoctorOptions options;
  options.toolkit = getToolkitSearchFromEnvironment();
  options.cache = getCacheFromEnvironment();
  if (std::optional<int> code = gsa::parseArguments(argc, argv, options))
    return *code;
  gsa::cleanUpOnSignals();
  return gsa::run(options);
}
