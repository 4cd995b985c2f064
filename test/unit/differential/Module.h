//===- Module.h - the text of a random module -------------------*- C++ -*-===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_MODULE_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_MODULE_H_

#include <string>
#include <vector>

#include "runtime/plan.h"
#include "test/unit/differential/Case.h"

namespace gsa::differential {

/// MLIR text with one function and what it takes, with static shapes.
struct Module {
  std::string text;
  std::vector<TensorSpec> inputs;
};

Module WriteModule(const Spec& spec);

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_MODULE_H_
