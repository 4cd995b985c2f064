//===- Summary.h - what the cases of a process found ------------*- C++ -*-===//
//
// Totals over cases. When the process ends they are printed and, if the
// environment variable GSA_SUMMARY names a file, written to it as JSON:
//
//   {"target": "cuda:0", "device": "...", "arch": "sm_90a", "commit": "...",
//    "modules": 5, "cases": 20, "failures": 0, "repeats": 100, ...,
//    "figures": {"random cases": 20, "schedule union_schedule": 4, ...},
//    "worst": [{"op": "gather", "dtype": "bf16", "output": "output",
//               "relative_error": 1e-3, "share_of_bound": 0.2}, ...]}
//
// where a relative error is relative to the largest element of the output.
// Files of several processes add up: test/gpu/run_gpu_tests.py.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_SUMMARY_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_SUMMARY_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "test/unit/differential/Check.h"

namespace gsa::differential {

class Summary {
 public:
  /// That of this process.
  static Summary& Get();

  void AddModule() { ++modules_; }
  void AddCase(const Spec& spec, const Findings& findings);
  /// Runs that were compared bit by bit with another run.
  void AddRepeats(int64_t runs) { repeats_ += runs; }
  /// A number of test/gpu/figures.py.
  void AddFigure(const std::string& name, int64_t count) {
    figures_[name] += count;
  }
  /// `cases` cases of the schedules that a module's text names.
  void AddSchedules(const std::string& text, int64_t cases);

  std::string Text() const;
  std::string Json() const;

 private:
  struct Worst {
    double error = 0, fraction = 0;
  };

  std::set<std::string> targets_;
  std::map<std::string, int64_t> figures_;
  int64_t modules_ = 0, cases_ = 0, failures_ = 0, repeats_ = 0;
  int64_t rows_ = 0, legal_rows_ = 0;
  /// By op, element type and output.
  std::map<std::tuple<std::string, std::string, std::string>, Worst> worst_;
};

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_SUMMARY_H_
