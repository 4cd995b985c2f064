//===- Report.cpp - what a run tells --------------------------------------===//

#include "tools/gsa-run/Report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace gsa {

Timing Timing::of(std::vector<double> samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  size_t half = samples.size() / 2;
  double median = samples.size() % 2 == 1
                      ? samples[half]
                      : (samples[half - 1] + samples[half]) / 2;
  return {samples.front(), median};
}

static std::string bytesText(int64_t bytes) {
  if (bytes < 10 * 1024) return absl::StrCat(bytes, " B");
  if (bytes < 10 * 1024 * 1024)
    return absl::StrFormat("%.1f KiB", bytes / 1024.0);
  return absl::StrFormat("%.1f MiB", bytes / 1048576.0);
}

static void appendTable(std::string* text,
                        const std::vector<std::pair<std::string, double>>& rows,
                        double total) {
  for (const auto& [name, ms] : rows)
    absl::StrAppendFormat(text, "    %-18s %10.2f ms %5.1f %%\n", name, ms,
                          total > 0 ? 100.0 * ms / total : 0.0);
}

bool comparedNothingFinite(const RunReport& report) {
  auto names = report.comparison.find("nothing_finite");
  return names != report.comparison.end() && !names->empty();
}

std::string kernelsText(const std::vector<KernelEvent>& kernels, bool verbose) {
  if (kernels.empty()) return "";
  KernelCounts counts;
  for (const KernelEvent& event : kernels) counts.Add(event);
  // Of a module for the CPU there is one object.
  const bool isObject = kernels.front().kind == "object";
  std::string text =
      absl::StrFormat("%-9s %d compiled (%.0f ms of work), %d from disk",
                      isObject ? "object" : "kernels", counts.compiled,
                      counts.compile_milliseconds, counts.disk);
  if (counts.memory > 0)
    absl::StrAppend(&text, ", ", counts.memory, " from memory");
  absl::StrAppend(&text, "\n");
  for (const KernelEvent& event : kernels)
    if (verbose)
      absl::StrAppendFormat(&text, "    %-24s %-6s %-9s %9.2f ms\n",
                            event.symbol, event.kind, ToString(event.origin),
                            event.milliseconds);
  return text;
}

std::string toText(const RunReport& report, bool verbose) {
  std::string text =
      absl::StrCat("module    ", report.module, " @", report.entry,
                   "\ntarget    ", report.target, "\n");
  absl::StrAppend(&text, "inputs    ", report.inputs.size(), " tensors");
  if (!report.generated.empty())
    absl::StrAppend(&text, ", ", report.generated.size(), " generated (",
                    report.workload, ", seed ", report.seed, ")");
  absl::StrAppend(&text, "\n");
  for (const TensorSpec& spec : report.inputs)
    if (verbose || &spec == &report.inputs.front())
      absl::StrAppend(&text, "    ", spec.ToString(), "\n");
  for (const std::string& note : report.notes)
    absl::StrAppend(&text, "note      ", note, "\n");
  absl::StrAppend(&text, "outputs\n");
  for (const TensorSpec& spec : report.outputs)
    absl::StrAppend(&text, "    ", spec.ToString(), "\n");

  double total = 0;
  for (const auto& [name, ms] : report.compileMs) total += ms;
  absl::StrAppendFormat(&text, "compile   %.1f ms\n", total);
  appendTable(&text, report.compileMs, total);
  absl::StrAppend(&text, kernelsText(report.kernels, verbose));
  absl::StrAppendFormat(&text,
                        "run       %.2f ms (median of %d, best %.2f ms), "
                        "workspace %s\n",
                        report.run.median, report.runs, report.run.minimum,
                        bytesText(report.workspaceBytes));
  std::vector<std::pair<std::string, double>> zones;
  for (const auto& [name, timing] : report.zones)
    zones.emplace_back(name, timing.median);
  appendTable(&text, zones, report.run.median);
  if (report.nanScores > 0)
    absl::StrAppend(&text, "warning   ", report.nanScores,
                    " scores are NaN, in ", report.nanRows,
                    " rows; those keys are not selected\n");
  absl::StrAppend(&text, report.statisticsText, report.comparisonText);
  for (const std::string& path : report.written)
    absl::StrAppend(&text, "written   ", path, "\n");
  return text;
}

static nlohmann::json toJson(const std::vector<TensorSpec>& specs) {
  nlohmann::json list = nlohmann::json::array();
  for (const TensorSpec& spec : specs)
    list.push_back({{"name", spec.name},
                    {"dtype", DTypeName(spec.dtype)},
                    {"shape", spec.shape}});
  return list;
}

nlohmann::json toJson(const RunReport& report) {
  nlohmann::json compile = nlohmann::json::object();
  for (const auto& [name, ms] : report.compileMs) compile[name] = ms;
  nlohmann::json zones = nlohmann::json::array();
  for (const auto& [name, timing] : report.zones)
    zones.push_back({{"name", name},
                     {"median_ms", timing.median},
                     {"min_ms", timing.minimum}});
  nlohmann::json json = {
      {"schema_version", 1},
      {"tool", "gsa-run"},
      {"module", report.module},
      {"entry", report.entry},
      {"target", report.target},
      {"workload", report.workload},
      {"seed", report.seed},
      {"inputs", toJson(report.inputs)},
      {"generated", report.generated},
      {"notes", report.notes},
      {"outputs", toJson(report.outputs)},
      {"compile_ms", compile},
      {"workspace_bytes", report.workspaceBytes},
      {"runs", report.runs},
      {"run_ms", {{"median", report.run.median}, {"min", report.run.minimum}}},
      {"stages", zones},
      {"nan_scores", report.nanScores},
      {"nan_rows", report.nanRows},
  };
  for (const KernelEvent& event : report.kernels)
    json["kernels"].push_back({{"name", event.symbol},
                               {"kind", event.kind},
                               {"arch", event.arch},
                               {"origin", ToString(event.origin)},
                               {"compile_ms", event.milliseconds}});
  if (!report.written.empty()) json["written"] = report.written;
  if (!report.comparison.is_null()) json["comparison"] = report.comparison;
  if (!report.statistics.is_null()) json["statistics"] = report.statistics;
  return json;
}

std::string jsonText(const nlohmann::json& json) {
  return json.dump(2, ' ', /*ensure_ascii=*/false,
                   nlohmann::json::error_handler_t::replace) +
         "\n";
}

}  // namespace gsa
