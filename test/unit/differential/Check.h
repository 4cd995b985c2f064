//===- Check.h - are the outputs of a module right? -------------*- C++ -*-===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_CHECK_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_CHECK_H_

#include <map>
#include <string>
#include <vector>

#include "test/unit/differential/Case.h"
#include "test/unit/differential/Data.h"

namespace gsa::differential {

/// What a comparison found.
struct Findings {
  std::vector<std::string> errors;
  /// The largest error as a fraction of its bound: how sharp the bounds are.
  double largest_fraction = 0;
  /// The largest error relative to an output's largest element, and relative
  /// to its bound.
  struct Worst {
    double relative_error = 0, share_of_bound = 0;
  };
  std::map<std::string, Worst> worst;  ///< By output.
  /// Rows of selections, and those with other keys than the reference's, all
  /// of them within the bounds.
  int64_t rows = 0, legal_rows = 0;

  std::string ToString() const;
};

/// Compares the outputs of a run with the float64 reference.
Findings Check(const Spec& spec, Workload workload, const Tensors& inputs,
               const Tensors& outputs);

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_CHECK_H_
