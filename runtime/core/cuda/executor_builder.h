// -----------------------------------------------------------------------------
// File: executor_builder.h
// -----------------------------------------------------------------------------
//
// The work of CudaExecutor::Create, one step per function. Internal.

#ifndef GSA_RUNTIME_CORE_CUDA_EXECUTOR_BUILDER_H_
#define GSA_RUNTIME_CORE_CUDA_EXECUTOR_BUILDER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/core/cuda/cuda_executor.h"
#include "runtime/core/cuda/device_program.h"

namespace gsa {

// What the compiler is asked for the kernels of `program` that have no machine
// code, in their order. `program` must outlive the requests.
std::vector<CompileRequest> RequestsOf(
    const DeviceProgram& program,
    const std::vector<std::string>& nvrtc_options);

class ExecutorBuilder {
 public:
  ExecutorBuilder(const DeviceProgram& program, const ExecutorOptions& options)
      : program_(program), options_(options) {}

  absl::StatusOr<std::shared_ptr<const CudaExecutor>> Build(int ordinal);

 private:
  absl::Status FindDevice(int ordinal);
  absl::Status CheckTensorMaps() const;
  absl::Status CompileKernels();
  absl::Status LoadKernels();
  absl::Status LoadKernel(size_t index);
  absl::Status CheckParameters(const LaunchStep& step,
                               const std::string& where);
  absl::Status PlanGemms();
  absl::Status UploadConstants();
  absl::Status BuildOps();
  absl::Status FindDependentLaunches();
  absl::Status FindUrgentPriority();
  void BuildLanes();
  void AppendOp(const LaunchStep& step, CudaExecutor::Op op);
  void AppendOp(const GemmStep& step, CudaExecutor::Op op);
  void AppendOp(const CopyStep& step, CudaExecutor::Op op);
  void AppendOp(const FillStep& step, CudaExecutor::Op op);
  CudaExecutor::Address AddressOf(const BufferRef& ref) const;
  CudaExecutor::Parameter ParameterOf(const KernelArg& arg);

  // The error of a compilation with the places of the ops before its lines.
  absl::Status Locate(const absl::Status& error) const;

  const DeviceProgram& program_;
  const ExecutorOptions& options_;
  std::shared_ptr<CudaExecutor> executor_;
  KernelCache* cache_ = nullptr;
  std::vector<std::shared_ptr<const CachedKernel>> compiled_;
  size_t next_gemm_ = 0;
  bool dependent_launches_ = false;  // whether the driver and device have them
  int urgent_priority_ = 0;          // 0 where no launch has one
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_EXECUTOR_BUILDER_H_
