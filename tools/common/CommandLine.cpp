//===- CommandLine.cpp - what our command lines have in common ------------===//

#include "tools/common/CommandLine.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/core/nearest_name.h"
#include "tools/common/ExitCode.h"
#include "tools/common/StandardStreams.h"

namespace gsa {
namespace {

/// The long names of all options, "--seq".
std::vector<std::string> optionNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames())
      names.push_back("--" + name);
  return names;
}

/// What is wrong with an argument that belongs to no option.
std::string describeExtra(const CLI::App& app, const std::string& text) {
  if (text.size() < 2 || text[0] != '-')
    return absl::StrCat("unexpected argument ", quoteArgument(text));
  const std::string name = text.substr(0, text.find('='));
  const std::vector<std::string> names = optionNames(app);
  return absl::StrCat("unknown option ", quoteArgument(name),
                      DidYouMean(name, {names.begin(), names.end()}));
}

/// An option whose value is another option: its own was forgotten.
std::optional<std::string> findForgottenValue(const CLI::App& app) {
  const std::vector<std::string> names = optionNames(app);
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& value : option->results()) {
      const std::string name = value.substr(0, value.find('='));
      if (std::count(names.begin(), names.end(), name) > 0)
        return absl::StrCat(option->get_name(),
                            ": expected a value, got the option ",
                            quoteArgument(name));
    }
  }
  return std::nullopt;
}

/// An option of one value that was given twice.
std::optional<std::string> findRepeated(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_expected_max() != 1 || option->results().size() < 2)
      continue;
    std::string text =
        absl::StrCat(option->get_name(), ": expected it once, ", "got it ",
                     option->results().size(), " times");
    // Of those that take several, "N[,N...]".
    if (absl::StrContains(option->get_type_name(), "[,"))
      absl::StrAppend(&text, "; several values are written with commas, ",
                      option->get_name(), " ",
                      absl::StrJoin(option->results(), ","));
    return text;
  }
  return std::nullopt;
}

int printAndExit(const CLI::App& app, const std::string& text) {
  absl::Status written = writeToStandardOutput(text);
  if (written.ok()) return kExitOk;
  std::fprintf(stderr, "%s: error: %s\n", app.get_name().c_str(),
               std::string(written.message()).c_str());
  return kExitFailure;
}

}  // namespace

uint64_t readWholeNumber(const std::string& option, const std::string& text,
                         uint64_t low, uint64_t high) {
  absl::StatusOr<uint64_t> value = parseWholeNumber(text, low, high);
  if (value.ok()) return *value;
  throw CLI::ValidationError(option, std::string(value.status().message()));
}

CLI::Option* addTexts(CLI::App& app, const std::string& name,
                      std::vector<std::string>& target,
                      const std::string& help) {
  return app.add_option(name, target, help)->allow_extra_args(false);
}

CLI::Option* addCacheMode(CLI::App& app, const std::string& name,
                          CacheMode& target, const std::string& help) {
  auto read = [&target, name](const std::string& text) {
    const absl::StatusOr<CacheMode> mode = ParseCacheMode(text);
    if (!mode.ok())
      throw CLI::ValidationError(name, std::string(mode.status().message()));
    target = *mode;
  };
  return app.add_option_function<std::string>(name, read, help)
      ->type_name("off|ro|rw|only");
}

int usageError(const CLI::App& app, const std::string& message) {
  std::fprintf(stderr, "%s: error: %s (%s --help lists the options)\n",
               app.get_name().c_str(), message.c_str(), app.get_name().c_str());
  return kExitUsage;
}

std::optional<int> parseCommandLine(CLI::App& app, int argc, char** argv) {
  // Looked at below, where a proposal can be made.
  app.allow_extras();
  // A flag has no value: --json=0 would be --json.
  for (CLI::Option* option : app.get_options())
    if (option->get_expected_max() == 0) option->disable_flag_override();
  std::optional<std::string> wrong;
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return printAndExit(app, app.help());
  } catch (const CLI::CallForVersion& version) {
    return printAndExit(app, std::string(version.what()) + "\n");
  } catch (const CLI::ParseError& error) {
    wrong = error.what();
  }
  if (std::optional<std::string> forgotten = findForgottenValue(app))
    return usageError(app, *forgotten);
  if (std::optional<std::string> repeated = findRepeated(app))
    return usageError(app, *repeated);
  // What is missing may be missing because an option was misspelt.
  for (const std::string& text : app.remaining())
    if (!wrong || (text.size() > 1 && text[0] == '-'))
      return usageError(app, describeExtra(app, text));
  if (wrong) return usageError(app, *wrong);
  return std::nullopt;
}

}  // namespace gsa
