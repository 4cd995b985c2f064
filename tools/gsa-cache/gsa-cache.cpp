//===- gsa-cache.cpp - looks after the cache of compiled kernels ----------===//
//
// Lists, checks, shrinks, empties and copies the directory in which gsa-run and
// programs that use the library keep compiled kernels.
//
//===----------------------------------------------------------------------===//

#include <algorithm>
#include <cstdio>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/core/nearest_name.h"
#include "tools/common/CacheEnvironment.h"
#include "tools/common/CommandLine.h"
#include "tools/common/ExitCode.h"
#include "tools/common/Signals.h"
#include "tools/common/StandardStreams.h"
#include "tools/gsa-cache/Commands.h"

namespace gsa {
namespace {

std::optional<int> parseArguments(int argc, char** argv,
                                  CacheCommand& command) {
  CLI::App app(
      "Looks after the directory of compiled kernels. A directory that is not "
      "there is an empty cache.\n"
      "Exit codes: 0 ok, 1 verify found a bad entry, or failure, 2 usage "
      "or a file that is wrong.",
      "gsa-cache");
  app.footer(kCacheEnvironmentHelp);
  app.set_version_flag("--version", "gsa-cache " GSA_VERSION);
  app.add_option(
         "command", command.name,
         "ls: what is kept, the least used first; verify: whether all "
         "of it is whole; gc: remove what is not, what killed processes "
         "have left, and the least used down to --max-bytes; clear: "
         "remove all entries; export, import: kernels to and from a "
         "file, for machines with the same NVRTC. Who gives you such a file "
         "gives you code to run")
      ->type_name("ls|verify|gc|clear|export|import");
  app.add_option("file", command.file, "Of export and import");
  app.add_option("--cache-dir", command.cache.directory,
                 "The directory (default: at the end)");
  CLI::Option* maxBytes =
      addNumber(app, "--max-bytes", command.maxBytes, 0,
                std::numeric_limits<int64_t>::max(),
                absl::StrCat("What gc leaves at most (default: the bound of "
                             "the library, ",
                             command.maxBytes, ")"));
  app.add_flag("--json", command.json, "Report as JSON");
  if (std::optional<int> code = parseCommandLine(app, argc, argv)) return code;
  const std::vector<std::string> names = commandNames();
  const std::string expected = absl::StrJoin(names, ", ");
  if (command.name.empty())
    return usageError(app, "expected a command: one of " + expected);
  if (std::count(names.begin(), names.end(), command.name) == 0)
    return usageError(
        app,
        absl::StrCat("unknown command ", quoteArgument(command.name),
                     ": expected one of ", expected,
                     DidYouMean(command.name, {names.begin(), names.end()})));
  if (maxBytes->count() > 0 && command.name != "gc")
    return usageError(app, absl::StrCat("--max-bytes has no effect: ",
                                        command.name, " is not gc"));
  const bool takesFile = command.name == "export" || command.name == "import";
  if (takesFile && command.file.empty())
    return usageError(app, absl::StrCat("expected a file: gsa-cache ",
                                        command.name, " <file>"));
  if (!takesFile && !command.file.empty())
    return usageError(
        app, absl::StrCat("unexpected argument ", quoteArgument(command.file)));
  if (command.cache.directory.empty())
    return usageError(app,
                      "there is no home directory for a cache: expected "
                      "--cache-dir");
  // Who asks looks at what is there, whatever runs make of it; looking is no
  // use, and makes no directory.
  command.cache.mode = CacheMode::kReadOnly;
  return std::nullopt;
}

}  // namespace
}  // namespace gsa

int main(int argc, char** argv) {
  gsa::reserveStandardStreams();
  gsa::CacheCommand command;
  command.cache = getCacheFromEnvironment();
  command.maxBytes = command.cache.max_bytes;
  if (std::optional<int> code = gsa::parseArguments(argc, argv, command))
    return *code;
  gsa::cleanUpOnSignals();
  bool passed = true;
  const absl::Status status = gsa::runCommand(command, &passed);
  if (status.ok()) return passed ? gsa::kExitOk : gsa::kExitFailure;
  std::fprintf(stderr, "gsa-cache: error: %s\n",
               std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status)
             ? gsa::kExitUsage
             : gsa::kExitFailure;
}
