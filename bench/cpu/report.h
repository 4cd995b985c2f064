// -----------------------------------------------------------------------------
// File: report.h
// -----------------------------------------------------------------------------
//
// Results as tables for people and as JSON lines for programs.

#ifndef GSA_BENCH_CPU_REPORT_H_
#define GSA_BENCH_CPU_REPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "bench/cpu/suite.h"

namespace gsa::bench {

// Tables, aligned for a terminal or as Markdown.
std::string ToTables(const Results& results, bool markdown);

// `document` with what is between the lines kResultsBegin and kResultsEnd
// replaced by `tables`. InvalidArgument if it lacks one of them.
inline constexpr char kResultsBegin[] = "<!-- gsa-bench-cpu: begin -->\n";
inline constexpr char kResultsEnd[] = "<!-- gsa-bench-cpu: end -->\n";
absl::StatusOr<std::string> ReplaceResults(const std::string& document,
                                           const std::string& tables);

// One JSON object per line: first the rates, then each record. Every line has
// every field; what does not apply is null.
std::string ToJsonLines(const Results& results);

}  // namespace gsa::bench

#endif  // GSA_BENCH_CPU_REPORT_H_
