//===- Help.cpp - what gsa-opt --help prints ------------------------------===//

#include "tools/gsa-opt/Help.h"

#include <map>
#include <vector>

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/Pass/PassRegistry.h"

namespace gsa {
namespace {

using llvm::StringRef;

/// A heading, and how the names of what stands below it begin.
struct Group {
  StringRef title;
  std::vector<StringRef> prefixes;
};

/// In the order of a compilation; the first is the default.
const std::vector<Group>& passGroups() {
  static const std::vector<Group> groups = {
      {"Passes on gsa ops", {}},
      {"Passes for CPUs", {"gsa-cpu-", "gsa-lower-to-loops"}},
      {"Passes for GPUs", {"gsa-cuda-", "gsa-to-tile"}},
      {"Passes on kernels (gsa_tile)", {"gsa-tile-"}},
      {"Passes on the steps and the memory of a plan",
       {"gsa-assign-", "gsa-check-lanes", "gsa-dependent-", "gsa-place-",
        "gsa-plan-", "gsa-unroll-"}},
  };
  return groups;
}

size_t findGroup(StringRef name) {
  for (size_t i = 1; i < passGroups().size(); ++i)
    for (StringRef prefix : passGroups()[i].prefixes)
      if (name.starts_with(prefix)) return i;
  return 0;
}

using Entries = std::map<std::string, std::string>;

void print(llvm::raw_ostream& os, StringRef title, const Entries& entries) {
  constexpr int kColumn = 36;
  if (entries.empty()) return;
  os << title << ":\n";
  for (const auto& [name, summary] : entries) {
    os << "  --" << name;
    os.indent(std::max<int>(1, kColumn - 4 - static_cast<int>(name.size())))
        << summary << "\n";
  }
  os << "\n";
}

}  // namespace

const char kHelpHead[] =
    R"(gsa-opt: mlir-opt with the dialects gsa and gsa_tile and their passes

usage: gsa-opt [input.mlir] [options] [--pass[="option=value ..."] ...]
       gsa-opt [input.mlir] --pass-pipeline='builtin.module(...)'

  -o <file>                         Output (default: standard output)
  --split-input-file                Modules with // ----- between them
  --verify-diagnostics              Compare errors with expected-error comments
  --remarks-filter='gsa.*'          Print the decisions of passes
  --mlir-print-ir-after-all         Print the module after each pass
  --help-hidden                     All options, also of each pass and of MLIR

)";
const char kHelpTail[] =
    "Options of a pass follow it: --gsa-to-cpu=\"stop-after=gsa tasks=2\". "
    "What "
    "they are is in\ndocs/generated; docs/guides/tools.md has examples.\n";

std::string describeRegisteredPasses() {
  // The registry has no iterator; as options of a parser the names can be seen.
  const mlir::PassPipelineCLParser parser("", "");
  Entries pipelines;
  std::vector<Entries> passes(passGroups().size());
  for (auto& [name, option] : llvm::cl::getRegisteredOptions()) {
    if (const auto* pipeline = mlir::PassPipelineInfo::lookup(name))
      pipelines[name.str()] = pipeline->getPassDescription().str();
    else if (const auto* pass = mlir::PassInfo::lookup(name))
      passes[findGroup(name)][name.str()] = pass->getPassDescription().str();
  }
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os, "Pipelines", pipelines);
  for (size_t i = 0; i < passes.size(); ++i)
    print(os, passGroups()[i].title, passes[i]);
  return text;
}

}  // namespace gsa
