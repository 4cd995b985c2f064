//===- CommandLine.h - what our command lines have in common ---*- C++ -*-===//
//
// For tools whose options CLI11 holds. It throws; include nothing of LLVM
// beside it.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_COMMON_COMMANDLINE_H
#define GSA_TOOLS_COMMON_COMMANDLINE_H

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/program_cache.h"
#include "tools/common/Numbers.h"

namespace gsa {

/// A whole number for an option, or the exception that CLI11 reports with the
/// option's name.
uint64_t readWholeNumber(const std::string& option, const std::string& text,
                         uint64_t low, uint64_t high);

/// Adds an option that takes one whole number from `low` to `high`.
template <typename Number>
CLI::Option* addNumber(CLI::App& app, const std::string& name, Number& target,
                       uint64_t low, uint64_t high, const std::string& help) {
  auto read = [&target, name, low, high](const std::string& text) {
    target = static_cast<Number>(readWholeNumber(name, text, low, high));
  };
  return app.add_option_function<std::string>(name, read, help)->type_name("N");
}

/// Adds an option that takes several, which replace those in `target`.
template <typename Number>
CLI::Option* addNumbers(CLI::App& app, const std::string& name,
                        std::vector<Number>& target, uint64_t low,
                        uint64_t high, const std::string& help) {
  auto read = [&target, name, low, high](const std::vector<std::string>& list) {
    target.clear();
    for (const std::string& text : list)
      target.push_back(
          static_cast<Number>(readWholeNumber(name, text, low, high)));
  };
  return app.add_option_function<std::vector<std::string>>(name, read, help)
      ->type_name("N");
}

/// Adds an option that may be repeated and takes one text each time.
CLI::Option* addTexts(CLI::App& app, const std::string& name,
                      std::vector<std::string>& target,
                      const std::string& help);

/// Adds an option that takes off, ro, rw or only.
CLI::Option* addCacheMode(CLI::App& app, const std::string& name,
                          CacheMode& target, const std::string& help);

/// Prints "<app>: error: <message>" and where help is; kExitUsage.
int usageError(const CLI::App& app, const std::string& message);

/// Parses the command line. Returns nothing if the tool should go on, and
/// otherwise the exit code: --help or --version is printed, or what is wrong,
/// with the nearest option where one was misspelt. `app` needs its name.
std::optional<int> parseCommandLine(CLI::App& app, int argc, char** argv);

}  // namespace gsa

#endif  // GSA_TOOLS_COMMON_COMMANDLINE_H
