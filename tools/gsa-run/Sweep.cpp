//===- Sweep.cpp - the values of an option, one after the other -----------===//

#include "tools/gsa-run/Sweep.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/core/status_macros.h"
#include "tools/common/StandardStreams.h"
#include "tools/gsa-run/Checks.h"
#include "tools/gsa-run/Driver.h"
#include "tools/gsa-run/InputFiles.h"
#include "tools/gsa-run/Outputs.h"
#include "tools/gsa-run/Pictures.h"

namespace gsa {
namespace {

RunnerOptions optionsOf(const RunnerOptions& options, size_t variant) {
  RunnerOptions one = options;
  one.variants.clear();
  one.plotFile.clear();  // one picture, of all runs
  one.given.erase("--plot");
  one.given.erase("--plot-kind");
  options.variants[variant].apply(one);
  return one;
}

SweepRun runVariant(const RunnerOptions& options, const std::string& value,
                    InputFiles& files) {
  SweepRun run;
  run.value = value;
  absl::StatusOr<std::string> text = moduleText(options);
  run.status = text.status();
  if (!run.status.ok()) return run;
  absl::StatusOr<RunResult> result = runOnce(*text, files, options);
  run.status = result.status();
  if (!run.status.ok()) return run;
  run.ran = true;
  run.status = result->measured;
  run.report = std::move(result->report);
  return run;
}

/// The number at `pointer` of a section of the report, if it is there.
std::optional<double> numberAt(const nlohmann::json& section,
                               const char* pointer) {
  nlohmann::json::json_pointer at(pointer);
  if (!section.contains(at) || !section.at(at).is_number()) return std::nullopt;
  return section.at(at).get<double>();
}

/// The largest relative error of a float result.
std::optional<double> largestError(const RunReport& report) {
  std::optional<double> largest;
  if (!report.comparison.contains("results")) return largest;
  for (const nlohmann::json& result : report.comparison.at("results"))
    if (std::optional<double> error = numberAt(result, "/error/relative_error"))
      largest = std::max(largest.value_or(0), *error);
  return largest;
}

struct Column {
  const char* title;
  int digits;  ///< After the point; of all digits if negative
  std::function<std::optional<double>(const RunReport&)> value;
};

const std::vector<Column>& columns() {
  static const auto& list = *new std::vector<Column>{
      {"run ms", 2, [](const RunReport& r) { return r.run.median; }},
      {"best ms", 2,
       [](const RunReport& r) {
         return r.runs > 1 ? std::optional(r.run.minimum) : std::nullopt;
       }},
      {"compile ms", 1,
       [](const RunReport& r) {
         double total = 0;
         for (const auto& [name, ms] : r.compileMs) total += ms;
         return total;
       }},
      {"workspace MiB", 1,
       [](const RunReport& r) { return r.workspaceBytes / 1048576.0; }},
      {"mean k", 1,
       [](const RunReport& r) { return numberAt(r.statistics, "/0/mean_k"); }},
      {"mass kept", 3, massKept},
      {"first token", 4,
       [](const RunReport& r) {
         return numberAt(r.statistics, "/0/attention_mass/first_token_sparse");
       }},
      {"dense first", 4,
       [](const RunReport& r) {
         return numberAt(r.statistics, "/0/attention_mass/first_token_dense");
       }},
      {"error", -2, largestError},
  };
  return list;
}

std::string firstLine(const absl::Status& status) {
  std::string message(status.message());
  return message.substr(0, message.find('\n'));
}

std::string cellOf(const Column& column, const SweepRun& run) {
  if (!run.ran) return "-";
  std::optional<double> value = column.value(run.report);
  if (!value) return "-";
  return column.digits >= 0 ? absl::StrFormat("%.*f", column.digits, *value)
                            : absl::StrFormat("%.*g", -column.digits, *value);
}

std::string heading(const RunnerOptions& options,
                    const std::vector<SweepRun>& runs) {
  auto first = std::find_if(runs.begin(), runs.end(),
                            [](const SweepRun& run) { return run.ran; });
  if (first == runs.end()) return "";
  const RunReport& report = first->report;
  std::string text = absl::StrCat(
      "module    ", moduleTitle(options), " @", report.entry, "\ntarget    ",
      report.target, "\ninputs    ", report.inputs.size(), " tensors");
  if (!report.generated.empty())
    absl::StrAppend(
        &text, ", ", report.generated.size(), " generated (",
        options.varied == "--workload" ? "" : report.workload + ", ", "seed ",
        report.seed, ")");
  absl::StrAppend(&text, "\n");
  if (!report.inputs.empty() && !variesShapes(options))
    absl::StrAppend(&text, "    ", report.inputs.front().ToString(), "\n");
  std::set<std::string> notes;  // most are those of every run
  for (const SweepRun& run : runs)
    for (const std::string& note : run.report.notes)
      if (notes.insert(note).second)
        absl::StrAppend(&text, "note      ", note, "\n");
  return absl::StrCat(text, "runs      ", runs.size(), ", with ",
                      options.varied, " of\n");
}

nlohmann::json toJson(const RunnerOptions& options,
                      const std::vector<SweepRun>& runs,
                      const std::vector<std::string>& written) {
  nlohmann::json list = nlohmann::json::array();
  for (const SweepRun& run : runs) {
    nlohmann::json json =
        run.ran ? gsa::toJson(run.report) : nlohmann::json::object();
    json["value"] = run.value;
    if (!run.status.ok()) json["error"] = std::string(run.status.message());
    list.push_back(std::move(json));
  }
  return {{"schema_version", 1},
          {"tool", "gsa-run"},
          {"varied", options.varied},
          {"runs", std::move(list)},
          {"written", written}};
}

absl::Status print(const RunnerOptions& options,
                   const std::vector<SweepRun>& runs,
                   const std::vector<std::string>& written) {
  std::string text =
      absl::StrCat(heading(options, runs), toTable(options.varied, runs));
  for (const SweepRun& run : runs) {
    if (!run.ran) continue;
    if (options.verbose)
      absl::StrAppend(&text, "\n", options.varied, " ", run.value, "\n",
                      toText(run.report, /*verbose=*/true));
    else if (!run.report.comparisonPassed)
      absl::StrAppend(&text, "\n", options.varied, " ", run.value, "\n",
                      run.report.comparisonText);
  }
  for (const std::string& path : written)
    absl::StrAppend(&text, "written   ", path, "\n");
  if (!options.json)
    return options.quiet ? absl::OkStatus() : writeToStandardOutput(text);
  if (!options.quiet) std::fputs(text.c_str(), stderr);
  return writeToStandardOutput(jsonText(toJson(options, runs, written)));
}

}  // namespace

bool variesShapes(const RunnerOptions& options) {
  return options.varied == "--seq" || options.varied == "--keys" ||
         options.varied == "--batch" ||
         (!options.varied.empty() && options.varied[0] != '-');
}

std::optional<double> massKept(const RunReport& report) {
  return numberAt(report.statistics, "/0/attention_mass/kept_mean");
}

std::string toTable(const std::string& varied,
                    const std::vector<SweepRun>& runs) {
  std::vector<std::vector<std::string>> table = {{varied}};
  for (const SweepRun& run : runs) table.push_back({run.value});
  for (const Column& column : columns()) {
    std::vector<std::string> cells = {column.title};
    for (const SweepRun& run : runs) cells.push_back(cellOf(column, run));
    if (std::all_of(cells.begin() + 1, cells.end(),
                    [](const std::string& cell) { return cell == "-"; }))
      continue;
    for (size_t i = 0; i < cells.size(); ++i) table[i].push_back(cells[i]);
  }
  std::string text;
  for (size_t i = 0; i < table.size(); ++i) {
    for (size_t c = 0; c < table[i].size(); ++c) {
      size_t width = 0;
      for (const auto& row : table) width = std::max(width, row[c].size());
      absl::StrAppendFormat(&text, "  %*s", static_cast<int>(width),
                            table[i][c]);
    }
    if (i > 0 && runs[i - 1].ran && !runs[i - 1].report.comparisonPassed)
      absl::StrAppend(&text, "  comparison FAILED");
    else if (i > 0 && comparedNothingFinite(runs[i - 1].report))
      absl::StrAppend(&text, "  an output has nothing finite to compare");
    if (i > 0 && !runs[i - 1].status.ok())
      absl::StrAppend(&text, "  ", firstLine(runs[i - 1].status));
    absl::StrAppend(&text, "\n");
  }
  return text;
}

absl::Status runSweep(const RunnerOptions& options, bool* passed) {
  std::vector<RunnerOptions> each;
  for (size_t i = 0; i < options.variants.size(); ++i) {
    each.push_back(optionsOf(options, i));
    GSA_RETURN_IF_ERROR(checkOptions(each.back()));
  }
  GSA_ASSIGN_OR_RETURN(
      InputFiles files,
      InputFiles::open(options.inputFiles, options.chosenPrefix()));
  std::vector<SweepRun> runs;
  for (size_t i = 0; i < each.size(); ++i)
    runs.push_back(runVariant(each[i], options.variants[i].value, files));

  std::vector<std::string> written;
  const auto done = std::count_if(runs.begin(), runs.end(),
                                  [](const SweepRun& run) { return run.ran; });
  if (!options.plotFile.empty() && done >= 2) {
    GSA_RETURN_IF_ERROR(drawSweepPicture(runs, options));
    written.push_back(options.plotFile);
  }
  GSA_RETURN_IF_ERROR(print(options, runs, written));
  for (const SweepRun& run : runs) {
    if (!run.status.ok())
      return absl::Status(run.status.code(),
                          absl::StrCat(options.varied, " ", run.value, ": ",
                                       std::string(run.status.message())));
    *passed = *passed && run.report.comparisonPassed;
  }
  return absl::OkStatus();
}

}  // namespace gsa
