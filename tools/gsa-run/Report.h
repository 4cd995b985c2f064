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

/// Everything that a run found out; printed as text or as JSON.
struct RunReport {
  std::string module, entry, target, workload;
  uint64_t seed = 0;
  std::vector<TensorSpec> inputs, outputs;
  std::vector<std::string> generated;
  std::vector<std::pair<std::string, double>> compileMs;
  int64_t workspaceBytes = 0;
  int runs = 0;
  Timing run;
  std::vector<std::pair<std::string, Timing>> stages;
  /// Sums of the result "status": scores that were NaN, rows that had one.
  int64_t nanScores = 0, nanRows = 0;
  /// Sections of --compare and --stats; null when not asked for.
  nlohmann::json comparison, statistics;
  std::string comparisonText, statisticsText;
  bool comparisonPassed = true;
};

/// One report for people, several lines.
std::string toText(const RunReport& report, bool verbose);

/// The same as an object with "schema_version".
nlohmann::json toJson(const RunReport& report);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_REPORT_H
