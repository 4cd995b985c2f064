//===- Runner.h - compile and run a module ----------------------*- C++ -*-===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_RUNNER_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_RUNNER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/plan.h"
#include "test/unit/differential/Case.h"
#include "test/unit/differential/Data.h"
#include "test/unit/differential/Module.h"

namespace gsa::differential {

/// Compiles a module under the spec's choices of target.
absl::StatusOr<std::shared_ptr<const Plan>> Compile(const Spec& spec,
                                                    const Module& module);

/// Runs a plan that takes host memory on `threads` threads. Outputs hold the
/// byte `garbage` before the run and the workspace `workspace`, by default the
/// complement, so that cells nobody writes do not pass for zeros. `outputs`
/// says what a run of a plan for bounds gives; null: what the plan says.
absl::StatusOr<Tensors> Run(const Plan& plan, const Tensors& inputs,
                            int threads, uint8_t garbage = 0,
                            const std::vector<TensorSpec>* outputs = nullptr,
                            std::optional<uint8_t> workspace = std::nullopt);

/// Whether two tensors have the same type and the same bits.
bool SameBits(const HostTensor& a, const HostTensor& b);

/// The name of the first tensor that differs; empty if all are the same.
std::string FirstDifference(const Tensors& a, const Tensors& b);

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_RUNNER_H_
