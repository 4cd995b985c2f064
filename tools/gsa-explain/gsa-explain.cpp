//===- gsa-explain.cpp - why a module runs as it does ---------------------===//
//
// Prints the schedule that each op of a module gets on a GPU, where it comes
// from, how long it should take and what bounds it, and what was not taken.
//
//===----------------------------------------------------------------------===//

#include <cstdio>
#include <limits>

#include "absl/strings/str_cat.h"
#include "runtime/core/status_macros.h"
#include "runtime/core/thread_pool.h"
#include "tools/common/CommandLine.h"
#include "tools/common/ExitCode.h"
#include "tools/common/StandardStreams.h"
#include "tools/gsa-explain/Explanation.h"
#include "tools/gsa-run/Driver.h"
#include "tools/gsa-run/Inputs.h"

namespace gsa {
namespace {

struct ExplainOptions {
  RunnerOptions module;  ///< What is explained, in gsa-run's terms.
  std::string database;
  bool shipped = true;
  bool json = false;
  bool legal = false;
  size_t most = 3;
};

std::optional<int> parseArguments(int argc, char** argv,
                                  ExplainOptions& options) {
  constexpr uint64_t kMaxSize = std::numeric_limits<int64_t>::max();
  CLI::App app(
      "Says why the ops of a module run as they do: their schedules, "
      "where these come from, how long they should take and what bounds them, "
      "and what was not taken. Needs no GPU.\n"
      "Exit codes: 0 ok, 1 failure, 2 usage or a file that is wrong, 3 "
      "unsupported.",
      "gsa-explain");
  app.set_version_flag("--version", "gsa-explain " GSA_VERSION);
  RunnerOptions& module = options.module;
  module.target = "cuda";
  app.add_option("module", module.modulePath,
                 "The module (.mlir); - reads standard input");
  app.add_option("--layer", module.layer,
                 "A layer in place of a module, as gsa-run takes it")
      ->type_name("KEY=VALUE,...");
  app.add_option("--target", module.target,
                 "cuda, or cpu for this processor (default cuda)")
      ->check(CLI::IsMember({"cuda", "cpu"}));
  app.add_option("--arch", module.arch, "Architecture (default sm_90a)");
  addNumber(app, "--threads", module.threads, 1, 1024,
            "Threads of the target cpu (default: available CPUs)");
  app.add_option("--vector-bits", module.vectorBits,
                 "Width of vectors of the target cpu (default: the machine's)")
      ->check(CLI::IsMember({128, 256, 512}));
  app.add_option("--entry", module.entry,
                 "Function to look at (default: the only public one)");
  addNumber(app, "--batch", module.batch, 1, kMaxSize,
            "Size of dynamic first dimensions (default 1)");
  addNumber(app, "--seq", module.sequence, 1, kMaxSize,
            "Size of all other dynamic dimensions");
  addNumber(app, "--keys", module.keys, 1, kMaxSize,
            "The same for key-side inputs (default: --seq)");
  addTexts(app, "--shape", module.shapes,
           "Shape of one input, name=1x4096x512; repeatable; goes before "
           "--batch, --seq and --keys");
  app.add_option("--schedules", options.database,
                 "File of measured schedules (JSON lines)");
  app.add_flag_callback(
      "--no-shipped-schedules", [&] { options.shipped = false; },
      "Leave out the measured schedules of the program");
  module.sizesHint = "give --seq or --shape";
  addNumber(app, "--rejected", options.most, 0, 1000,
            "Rejected candidates that are shown of each op (default 3)");
  app.add_flag(
      "--legal", options.legal,
      "List every legal schedule that is worth measuring, the cheapest "
      "by its estimate first");
  app.add_flag("--json", options.json, "Report as JSON, with all of them");
  if (std::optional<int> code = parseCommandLine(app, argc, argv)) return code;
  for (const CLI::Option* option : app.get_options())
    if (option->count() > 0) module.given.insert(option->get_name());
  const bool isCpu = module.target == "cpu";
  for (const char* name : {"--threads", "--vector-bits"})
    if (!isCpu && module.isGiven(name))
      return usageError(
          app, absl::StrCat(name, " has no effect: the target is cuda"));
  if (isCpu && module.isGiven("--arch"))
    return usageError(app,
                      "--arch has no effect: the target cpu has no kernels");
  if (!isCpu && module.arch.empty()) module.arch = "sm_90a";
  const bool isLayer = module.isGiven("--layer");
  if (isLayer == !module.modulePath.empty())
    return usageError(app,
                      "expected either a module: gsa-explain <module.mlir> "
                      "[options], or --layer KEY=VALUE,...");
  if (isLayer) module.modulePath = "layer";
  return std::nullopt;
}

absl::Status explain(const ExplainOptions& options) {
  const RunnerOptions& module = options.module;
  GSA_ASSIGN_OR_RETURN(const std::string text, moduleText(module));
  GSA_ASSIGN_OR_RETURN(ModuleInterface interface,
                       DescribeModule(text, module.modulePath, module.entry));
  CompileOptions compile;
  compile.target = module.target;
  if (module.target == "cpu") {
    compile.num_threads = module.threads > 0 ? module.threads : AvailableCpus();
    compile.vector_bits = module.vectorBits;
  }
  compile.arch = module.arch;
  compile.entry = interface.entry;
  compile.schedule_database = options.database;
  compile.shipped_schedules = options.shipped;
  GSA_ASSIGN_OR_RETURN(compile.shapes,
                       resolveShapes(interface.inputs, InputFiles(), module));
  GSA_ASSIGN_OR_RETURN(
      const Explanation explanation,
      ExplainSchedules(text, module.modulePath, compile, options.legal));
  const std::string title = moduleTitle(module);
  return writeToStandardOutput(
      options.json ? explanationJson(explanation, title)
                   : explanationText(explanation, title, options.most));
}

}  // namespace
}  // namespace gsa

int main(int argc, char** argv) {
  gsa::reserveStandardStreams();
  gsa::ExplainOptions options;
  if (std::optional<int> code = gsa::parseArguments(argc, argv, options))
    return *code;
  const absl::Status status = gsa::explain(options);
  if (status.ok()) return gsa::kExitOk;
  std::fprintf(stderr, "gsa-explain: error: %s\n",
               std::string(status.message()).c_str());
  return gsa::exitCodeOf(status);
}
