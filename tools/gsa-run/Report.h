//===- Report.h - what a run tells -----------------------------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_REPORT_H
#define GSA_TOOLS_GSA_RUN_REPORT_H

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nlohmann/json.hpp"
#include "runtime/plan.h"

namespace gsa {

/// Milliseconds of several runs of one thing.
struct Timing {
  double minimum = 0, median = 0;
  static Timing of(std::vector<double> samples);
};

/// How much attention each key gets, averaged over measured queries and heads;
/// vectors of one element per key. Sparse: empty for dense attention. Gated:
/// empty without gates.
struct MassProfile {
  std::string name;
  int64_t rows = 0;                 ///< Measured queries
  std::vector<int64_t> rowsSeeing;  ///< Of these, how many see the key
  /// Mean over the measured queries that see the key of its softmax weight
  /// among all visible keys, or among the selected ones.
  std::vector<double> denseByKey, sparseByKey;
  /// The same times the mean of the key's value gate and of the query's output
  /// gate: what of the value reaches the output.
  std::vector<double> denseGatedByKey, sparseGatedByKey;
};

/// Everything that a run found out; printed as text or as JSON.
struct RunReport {
  std::string module, entry, target, workload;
  uint64_t seed = 0;
  std::vector<TensorSpec> inputs, outputs;
  std::vector<std::string> generated;
  /// What of the command line or the files had no effect, one line each.
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, double>> compileMs;
  /// Kernels that the compilation asked for.
  std::vector<KernelEvent> kernels;
  int64_t workspaceBytes = 0;
  int runs = 0;
  Timing run;
  std::vector<std::pair<std::string, Timing>> zones;
  /// Sums of the result "status": scores that were NaN, rows that had one.
  int64_t nanScores = 0, nanRows = 0;
  /// Sections of --compare and --stats; null when not asked for.
  nlohmann::json comparison, statistics;
  std::string comparisonText, statisticsText;
  bool comparisonPassed = true;
  /// Of each attention, with the statistics.
  std::vector<MassProfile> massProfiles;
  /// Files of --output and --plot that are written.
  std::vector<std::string> written;
};

/// Whether a compared float result was NaN or infinite throughout.
bool comparedNothingFinite(const RunReport& report);

/// Where kernels, or the object for the CPU, came from: "kernels   3 compiled,
/// 1 from disk" and, if `verbose`, a line for each. "" without any.
std::string kernelsText(const std::vector<KernelEvent>& kernels, bool verbose);

/// One report for people, several lines.
std::string toText(const RunReport& report, bool verbose);

/// The same as an object with "schema_version".
nlohmann::json toJson(const RunReport& report);

/// JSON as it is printed, with a newline. Names come from modules and paths,
/// which need not be UTF-8.
std::string jsonText(const nlohmann::json& json);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_REPORT_H
