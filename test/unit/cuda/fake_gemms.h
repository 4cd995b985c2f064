// -----------------------------------------------------------------------------
// File: fake_gemms.h
// -----------------------------------------------------------------------------

#ifndef GSA_TEST_UNIT_CUDA_FAKE_GEMMS_H_
#define GSA_TEST_UNIT_CUDA_FAKE_GEMMS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/core/cuda/cuda_executor.h"

namespace gsa {

// Records the products instead of computing them.
struct GemmCall {
  int64_t m;
  cuda::DevicePtr a, b, c, workspace;
  cuda::Stream stream;
};
struct FakeGemms : GemmLibrary {
  struct Plan : GemmPlan {
    Plan(FakeGemms* library, const GemmStep& step)
        : library(library), step(step) {}
    int64_t workspace_bytes() const override { return step.m * 10; }
    absl::Status WarmUp() override {
      ++library->warm_ups;
      return library->warm_up_error;
    }
    absl::Status Run(cuda::DevicePtr a, cuda::DevicePtr b, cuda::DevicePtr c,
                     cuda::DevicePtr workspace,
                     cuda::Stream stream) const override {
      library->calls.push_back({step.m, a, b, c, workspace, stream});
      return library->error;
    }
    FakeGemms* library;
    GemmStep step;
  };
  absl::StatusOr<std::unique_ptr<GemmPlan>> Plan(const GemmStep& step,
                                                 int64_t limit) override {
    last_limit = limit;
    return std::unique_ptr<GemmPlan>(new struct Plan(this, step));
  }
  std::vector<GemmCall> calls;
  int warm_ups = 0;
  int64_t last_limit = 0;
  absl::Status error, warm_up_error;
};

}  // namespace gsa

#endif  // GSA_TEST_UNIT_CUDA_FAKE_GEMMS_H_
