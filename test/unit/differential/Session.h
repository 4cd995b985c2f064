//===- Session.h - run a plan where it runs ---------------------*- C++ -*-===//
//
// Inputs in the memory of the plan's target, and runs that start from garbage
// in outputs and workspace. On a GPU every buffer lies between guards: inputs
// between NaNs, outputs and the workspace between a pattern that is checked
// after each run.
//
// GSA_TEST_CACHE names a folder that keeps kernels, for processes that compile
// the same ones.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_SESSION_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_SESSION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/plan.h"
#include "test/unit/differential/Data.h"

namespace gsa::differential {

class Session {
 public:
  virtual ~Session() = default;

  /// `target` is the one that the plan was compiled for. `inputs` must outlive
  /// the session.
  static absl::StatusOr<std::unique_ptr<Session>> Create(
      const std::string& target, std::shared_ptr<const Plan> plan,
      const Tensors& inputs);

  /// Runs the plan and waits for it. `garbage` is the byte that outputs are
  /// filled with before, `workspace` that of the workspace; by default the
  /// complement.
  virtual absl::StatusOr<Tensors> Run(uint8_t garbage, uint8_t workspace) = 0;
  absl::StatusOr<Tensors> Run(uint8_t garbage) {
    return Run(garbage, static_cast<uint8_t>(~garbage));
  }
};

/// One run: a session for it alone.
absl::StatusOr<Tensors> RunOnce(const std::string& target,
                                std::shared_ptr<const Plan> plan,
                                const Tensors& inputs);

/// Options for `target` that the environment gives: where NVRTC is.
CompileOptions OptionsFor(const std::string& target);

/// Whether kernels for `target` can multiply by warpgroups.
bool HasWgmma(const std::string& target);

/// Why plans for `target` cannot run on this machine: no GPU, no NVRTC, no host
/// compiler. Ok if they can.
absl::Status TargetIsUsable(const std::string& target);

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_SESSION_H_
