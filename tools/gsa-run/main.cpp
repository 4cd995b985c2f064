//===- main.cpp - gsa-run -------------------------------------------------===//
//
// Compiles a gsa module and runs it on files or on generated inputs.
//
//===----------------------------------------------------------------------===//

#include "tools/common/CacheEnvironment.h"
#include "tools/common/HostEnvironment.h"
#include "tools/common/Signals.h"
#include "tools/common/StandardStreams.h"
#include "tools/common/ToolkitEnvironment.h"
#include "tools/gsa-run/Arguments.h"
#include "tools/gsa-run/Driver.h"

int main(int argc, char** argv) {
  gsa::reserveStandardStreams();
  gsa::RunnerOptions options;
  options.toolkit = getToolkitSearchFromEnvironment();
  options.cache = getCacheFromEnvironment();
  options.host = getHostPlacesFromEnvironment();
  if (std::optional<int> code = gsa::parseArguments(argc, argv, options))
    return *code;
  gsa::cleanUpOnSignals();
  return gsa::runTool(options);
}
