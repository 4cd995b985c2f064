// -----------------------------------------------------------------------------
// File: plan_parts.h
// -----------------------------------------------------------------------------
//
// What a plan is made of, from a module or from a pack. Internal.

#ifndef GSA_RUNTIME_PLAN_PARTS_H_
#define GSA_RUNTIME_PLAN_PARTS_H_

#include <memory>
#include <string>
#include <vector>

#include "runtime/executable.h"
#include "runtime/plan.h"

namespace gsa {

// What callers of a plan must know.
struct PlanInterface {
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  // As in Plan; empty without bounds.
  std::vector<SizeClassSpec> size_classes;
  std::vector<std::vector<int>> input_classes, output_classes;
  std::vector<std::string> zone_names;
};

struct PlanParts {
  PlanInterface interface;
  int num_threads = 1;
  KernelCounts kernel_counts;
  Target target;
  std::unique_ptr<Executable> executable;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_PLAN_PARTS_H_
