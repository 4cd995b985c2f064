//===- RunMemory.h - where the tensors of a run are ------------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_RUNMEMORY_H
#define GSA_TOOLS_GSA_RUN_RUNMEMORY_H

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/core/cuda/device.h"
#include "runtime/core/tensor.h"
#include "runtime/plan.h"

namespace gsa {

/// The inputs, outputs and workspace of a plan's runs: host tensors as they
/// are, or their copies in the memory of a GPU.
class RunMemory {
 public:
  /// `inputs` and `outputs` must outlive the object and stay where they are.
  static absl::StatusOr<std::unique_ptr<RunMemory>> create(
      const Plan& plan, const std::vector<HostTensor>& inputs,
      std::vector<HostTensor>& outputs);

  /// Runs once and waits for the end.
  absl::Status run(ThreadPool* pool, std::vector<ZoneTime>* zones) const;
  /// Brings the outputs of the last run to the host tensors.
  absl::Status finish();

 private:
  RunMemory(const Plan& plan, std::vector<HostTensor>& outputs)
      : plan(plan), outputs(outputs) {}
  absl::Status onHost(const std::vector<HostTensor>& inputs);
  absl::Status onDevice(const std::vector<HostTensor>& inputs);

  const Plan& plan;
  std::vector<HostTensor>& outputs;
  std::vector<TensorView> inputViews;
  std::vector<MutableTensorView> outputViews;
  absl::Span<char> workspace;
  std::unique_ptr<HostTensor> hostWorkspace;
  /// Inputs, outputs, workspace; empty on the host.
  std::vector<DeviceBuffer> buffers;
  std::unique_ptr<DeviceStream> stream;
};

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_RUNMEMORY_H
