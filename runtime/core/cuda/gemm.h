// -----------------------------------------------------------------------------
// File: gemm.h
// -----------------------------------------------------------------------------
//
// What the executor needs of a library of matrix products: plans that are made
// once and then submit work without allocating or synchronising.

#ifndef GSA_RUNTIME_CORE_CUDA_GEMM_H_
#define GSA_RUNTIME_CORE_CUDA_GEMM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/core/cuda/device.h"
#include "runtime/core/cuda/device_program.h"

namespace gsa {

// One product with its algorithm. Run is thread safe.
class GemmPlan {
 public:
  virtual ~GemmPlan() = default;

  // Scratch that each run needs, at an address aligned to kWorkspaceAlignment.
  virtual int64_t workspace_bytes() const = 0;

  // Runs the product once on memory of its own, so that the library loads its
  // kernels now and not within a capture. Allocates and synchronises.
  virtual absl::Status WarmUp() = 0;

  // Submits the product to `stream`; the context is current. The addresses
  // are those of the step's operands.
  virtual absl::Status Run(cuda::DevicePtr a, cuda::DevicePtr b,
                           cuda::DevicePtr c, cuda::DevicePtr workspace,
                           cuda::Stream stream) const = 0;
};

// Products in one context.
class GemmLibrary {
 public:
  virtual ~GemmLibrary() = default;

  // Chooses an algorithm that needs at most `workspace_limit` bytes.
  virtual absl::StatusOr<std::unique_ptr<GemmPlan>> Plan(
      const GemmStep& step, int64_t workspace_limit) = 0;
};

using GemmLibraryFactory =
    std::function<absl::StatusOr<std::shared_ptr<GemmLibrary>>(
        std::shared_ptr<const PrimaryContext>)>;

// "gemm [m, k] x [k, n] bf16 -> f32", for messages.
std::string Describe(const GemmStep& step);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_GEMM_H_
