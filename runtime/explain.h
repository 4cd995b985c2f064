// -----------------------------------------------------------------------------
// File: explain.h
// -----------------------------------------------------------------------------
//
// Why the ops of a module run as they do: the schedule that each gets, where it
// comes from, how long it should take and what bounds it, and what was
// not taken. Nothing is compiled to kernels and no device is asked.

#ifndef GSA_RUNTIME_EXPLAIN_H_
#define GSA_RUNTIME_EXPLAIN_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/plan.h"

namespace gsa {

struct StageExplanation {
  std::string kernel;
  double microseconds = 0;  // all launches
  // What takes longest: "fill", "issue", "launch".
  std::string bound;
  // How long each part of the device would be busy, without rounding to whole
  // rounds of blocks; in a fixed order, no zeros.
  std::vector<std::pair<std::string, double>> terms;
};

struct Alternative {
  // "NoCandidate", "Illegal", "Costlier", "Unfit".
  std::string why;
  // The schedule, the kind that has none, or the record of a database.
  std::string what;
  std::string reason;       // empty for "Costlier"
  double microseconds = 0;  // estimated, of "Costlier" alone
};

struct OpExplanation {
  std::string op;        // "gsa.select"
  std::string location;  // "layer.mlir:12:8"
  std::string shape;     // as a database names its class
  std::string schedule;  // "none" if the op is computed by its definition
  std::string source;    // "given", "heuristic", "user database a.jsonl:3"
  // Of a record of a database; 0 without one.
  double measured_microseconds = 0, measured_default_microseconds = 0;
  double microseconds = 0;  // estimated
  // No schedule is faster than this, by `floor_bound`.
  double floor_microseconds = 0;
  std::string floor_bound;
  std::vector<StageExplanation> stages;
  std::vector<Alternative> rejected;
  // Of ExplainSchedules with `list_legal`: what is worth measuring, with its
  // estimated time, the cheapest first.
  std::vector<std::pair<std::string, double>> legal;
};

struct Explanation {
  std::string arch;
  std::string product;             // whose rates the estimates are made of
  bool is_measured = false;        // or from a data sheet
  std::vector<OpExplanation> ops;  // in the order of the module
};

// `options` as in Plan::Compile; the target is "cpu", or "cuda", a GPU of
// options.arch, which may then not be empty. InvalidArgument and Unimplemented
// as there.
absl::StatusOr<Explanation> ExplainSchedules(const std::string& text,
                                             const std::string& filename,
                                             const CompileOptions& options,
                                             bool list_legal = false);

}  // namespace gsa

#endif  // GSA_RUNTIME_EXPLAIN_H_
