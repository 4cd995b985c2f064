// -----------------------------------------------------------------------------
// File: cuda_executor.h
// -----------------------------------------------------------------------------
//
// A device program, ready to run on one GPU. Everything that allocates,
// compiles, loads or waits happens in Create (what loads, in WarmUp, where that
// is asked for); a run only submits work to a stream, so that it can be
// captured into a CUDA graph. Steps of lanes other than the first go to streams
// of the executor's own (lane_streams.h), which begin where the caller's stream
// is and end before what it does next. The first run on a set of buffers checks
// them and prepares the arguments of all launches (bound_runs.h); the next ones
// on the same set launch, soon as one graph (run_graph.h).
//
//   GSA_ASSIGN_OR_RETURN(auto executor, CudaExecutor::Create(program, 0, {}));
//   RunArguments run;
//   run.inputs = inputs;    // device pointers, in the order of program.inputs
//   run.outputs = outputs;
//   run.workspace = workspace;  // executor->workspace_bytes() bytes
//   run.workspace_bytes = executor->workspace_bytes();
//   run.stream = stream;
//   GSA_RETURN_IF_ERROR(executor->Run(run));

#ifndef GSA_RUNTIME_CORE_CUDA_CUDA_EXECUTOR_H_
#define GSA_RUNTIME_CORE_CUDA_CUDA_EXECUTOR_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/core/cuda/bound_runs.h"
#include "runtime/core/cuda/device.h"
#include "runtime/core/cuda/device_program.h"
#include "runtime/core/cuda/driver_api.h"
#include "runtime/core/cuda/gemm.h"
#include "runtime/core/cuda/kernel_cache.h"
#include "runtime/core/cuda/lane_streams.h"
#include "runtime/core/cuda/toolkit_search.h"
#include "runtime/core/fork_guard.h"

namespace gsa {

struct ExecutorOptions {
  // The driver; null: DriverApi::Default(). Must outlive the executor.
  const DriverApi* driver = nullptr;
  // Compiles and keeps kernels; null: KernelCache::Default(). Used by Create
  // only.
  KernelCache* kernels = nullptr;
  // Matrix products; empty: cuBLASLt, opened where a program has one.
  GemmLibraryFactory gemms;
  // Where cuBLASLt is searched.
  ToolkitSearch cublaslt;
  // Scratch that a matrix product may need.
  int64_t gemm_workspace_limit = int64_t{32} << 20;
  // Further options of NVRTC.
  std::vector<std::string> nvrtc_options;
  // Threads that compile; 0: as many as there are processors.
  int compile_threads = 0;
  // Called by Create for each kernel, in their order, once all are compiled.
  std::function<void(const KernelEvent&)> on_kernel;
  // Whether the first run on a set of buffers asks the driver whose memory each
  // pointer is: a fraction of a microsecond per pointer.
  bool check_pointers = true;
  // A program of one lane and at most so many steps is recorded as a graph when
  // it runs for the third time on a set of buffers, and launched as one from
  // then on. 0: never.
  int64_t max_recorded_steps = 64;
  // Whether Create warms up. If not, WarmUp or the first run does.
  bool warm_up = true;
};

// What Create found out about a kernel.
struct KernelReport {
  std::string symbol;
  int registers = 0;        // per thread
  int64_t local_bytes = 0;  // per thread
  int64_t spill_bytes = 0;  // stores and loads, as ptxas counts them
  int64_t static_smem_bytes = 0;
  int64_t dynamic_smem_bytes = 0;
  int blocks_per_sm = 0;  // resident at once
  double compile_milliseconds = 0;
  // Warnings of the compilers, "attend.mlir:7:3: attend.cu(12): ...".
  std::vector<std::string> warnings;
};

// Wall time of the parts of Create.
struct CreateTimes {
  double compile_milliseconds = 0;
  double load_milliseconds = 0;
  double gemm_milliseconds = 0;
};

class ZoneTimer;

// The arguments of a run. The pointers are device addresses.
struct RunArguments {
  absl::Span<void* const> inputs;
  absl::Span<void* const> outputs;
  // May be null where workspace_bytes() is 0. Runs that overlap in time need
  // workspaces of their own.
  void* workspace = nullptr;
  int64_t workspace_bytes = 0;
  cuda::Stream stream = nullptr;  // null: the legacy default stream
  ZoneTimer* timer = nullptr;
};

class CudaExecutor : public std::enable_shared_from_this<CudaExecutor> {
 public:
  // Compiles and loads `program` for device `ordinal`. Besides the errors of
  // Validate, of the compiler and of the driver:
  //   Unavailable          no such device
  //   Unimplemented        the device's architecture is not supported
  //   FailedPrecondition   the program is for another architecture
  //   ResourceExhausted    a kernel needs more than the device has
  // An error in the text of a kernel is reported with the place of the op that
  // the line came from.
  static absl::StatusOr<std::shared_ptr<const CudaExecutor>> Create(
      const DeviceProgram& program, int ordinal,
      const ExecutorOptions& options = {});
  ~CudaExecutor();

  // What a run needs, the scratch of matrix products included.
  int64_t workspace_bytes() const { return workspace_bytes_; }

  // Loads the code of all kernels onto the device and prepares the matrix
  // products: nothing that a run needs is left to be loaded. Does nothing the
  // second time. Thread safe.
  absl::Status WarmUp() const;

  // Submits the program to the stream. Neither allocates on the device nor
  // waits for it, nor, from the fourth run on a set of buffers on, allocates on
  // the host. (The third may record a graph, which takes memory once. Where the
  // driver refuses that, the launches are submitted one by one as before.)
  // Thread safe.
  //   InvalidArgument     a pointer is null, misaligned, not on this device, or
  //                       of a buffer that overlaps another which is written;
  //                       the workspace is too small
  //   FailedPrecondition  the stream's capture is broken, or it captures while
  //                       a timer is given or the executor is not warm; the
  //                       stream is of another context; the process was forked
  // With these nothing was submitted. Errors of the driver name the step.
  absl::Status Run(const RunArguments& arguments) const;

  const DeviceInfo& device() const { return device_; }
  const std::vector<BufferInfo>& inputs() const { return inputs_; }
  const std::vector<BufferInfo>& outputs() const { return outputs_; }
  const std::vector<std::string>& zone_names() const { return zone_names_; }
  const std::vector<KernelReport>& kernels() const { return reports_; }
  const CreateTimes& create_times() const { return create_times_; }
  const std::shared_ptr<const PrimaryContext>& context() const {
    return context_;
  }

 private:
  friend class ExecutorBuilder;
  friend class ZoneTimer;

  // A kernel parameter: a scalar's bits, an offset from a base address, or a
  // tensor map of what is at that offset.
  struct Parameter {
    int32_t base = -1;  // index into the run's base addresses; -1 for a scalar
    int32_t map = -1;   // index into tensor_maps_; -1 for no map
    uint64_t value = 0;
  };
  struct Address {
    int32_t base = 0;
    uint64_t offset = 0;
  };
  // kNothing: a step of no bytes, for which others may wait.
  enum class OpKind : uint8_t { kLaunch, kGemm, kCopy, kFill, kNothing };
  struct Op {
    OpKind kind = OpKind::kLaunch;
    int32_t step = 0;  // in the program, for messages
    int32_t zone = 0;
    bool new_zone = false;  // the zone differs from that of the op before
    int32_t lane = 0;
    int32_t event = -1;  // of its lane's set, recorded behind it; -1 for none
    int32_t first_wait = 0, num_waits = 0;  // in waits_
    // kLaunch
    int32_t kernel = 0;
    cuda::Function function = nullptr;
    unsigned grid[3] = {1, 1, 1};
    unsigned threads = 1;
    unsigned dynamic_smem = 0;
    bool dependent = false;  // begins early, by cuLaunchKernelEx
    int priority = 0;        // of its blocks, lower before higher; by the same
    int32_t first_parameter = 0;
    int32_t num_parameters = 0;
    // kGemm: a, b, c; kCopy: source, destination; kFill: destination.
    const GemmPlan* gemm = nullptr;
    Address a, b, c;
    uint64_t count = 0;  // bytes or elements
    uint32_t pattern = 0;
    int32_t element_bytes = 1;
  };

  CudaExecutor() = default;

  absl::Status CheckBuffer(const void* pointer, int64_t bytes,
                           int64_t alignment, const char* what) const;
  absl::Status CheckCounts(const RunArguments& arguments) const;
  absl::Status CheckArguments(const RunArguments& arguments) const;
  absl::Status CheckOverlaps(const RunArguments& arguments) const;
  // Whether the stream captures.
  absl::StatusOr<bool> CheckStream(const RunArguments& arguments) const;
  // The arguments of the launches for the buffers of a run, checked.
  absl::StatusOr<BoundRuns::Lease> Bind(const RunArguments& arguments) const;
  absl::Status BindLaunch(const Op& op, BoundRun* bound) const;
  // The address of `address` for the buffers of `bound`.
  uint64_t Resolve(const Address& address, const BoundRun& bound) const;
  absl::Status Submit(const Op& op, const BoundRun& bound,
                      cuda::Stream stream) const;
  absl::Status Launch(const Op& op, const BoundRun& bound,
                      cuda::Stream stream) const;
  // All ops on the stream of the caller, with times of zones.
  absl::Status RunInOrder(const RunArguments& arguments,
                          const BoundRun& bound) const;
  // The run as a graph, which is made where it is time for it; false where the
  // caller has to submit it.
  absl::StatusOr<bool> RunRecorded(const RunArguments& arguments,
                                   const BoundRuns::Lease& bound) const;
  // Each op on the stream of its lane.
  absl::Status RunOnLanes(const RunArguments& arguments, const BoundRun& bound,
                          bool captures) const;
  absl::Status SubmitOnLanes(const RunArguments& arguments,
                             const BoundRun& bound,
                             const LaneStreams::Lease& set) const;
  // Lets the stream of the caller wait for those of the lanes.
  absl::Status Join(const RunArguments& arguments,
                    const LaneStreams::Lease& set) const;
  // An error of the driver with what it is of, and behind which ops.
  absl::Status Named(const absl::Status& error, absl::string_view what,
                     absl::Span<const Op> before) const;
  absl::Status Named(const absl::Status& error, const Op& op) const;
  // "step 3 (launch of 'attend')".
  std::string NameOf(const Op& op) const;
  std::string NamesOfLaunches(absl::Span<const Op> ops) const;

  const DriverApi* driver_ = nullptr;
  DeviceInfo device_;
  std::shared_ptr<const PrimaryContext> context_;
  const ForkGuard fork_guard_;
  bool check_pointers_ = true;
  bool records_ = false;  // a run that is repeated, as a graph
  mutable std::atomic<bool> warm_{false};
  mutable std::mutex warm_mutex_;  // held while warming up
  std::vector<BufferInfo> inputs_, outputs_;
  std::vector<std::string> zone_names_;
  std::vector<KernelReport> reports_;
  CreateTimes create_times_;

  std::vector<std::shared_ptr<LoadedModule>> modules_;
  std::vector<cuda::Function> functions_;  // by kernel
  std::shared_ptr<GemmLibrary> gemm_library_;
  std::vector<std::unique_ptr<GemmPlan>> gemms_;
  DeviceBuffer constants_;
  std::vector<uint64_t> constant_addresses_;
  std::vector<Op> ops_;
  std::vector<Parameter> parameters_;
  std::vector<TensorMapShape> tensor_maps_;
  int32_t lanes_ = 1;
  std::vector<int32_t> waits_;  // numbers of events
  mutable LaneStreams lane_streams_;
  mutable BoundRuns bound_runs_;
  int32_t num_segments_ = 0;    // runs of ops of one zone
  int64_t scratch_offset_ = 0;  // of matrix products, within the workspace
  int64_t workspace_bytes_ = 0;
};

// Times the zones of a run with events on its stream, on which it has all
// lanes, one step after the other. For one run at a time.
class ZoneTimer {
 public:
  static absl::StatusOr<std::unique_ptr<ZoneTimer>> Create(
      std::shared_ptr<const CudaExecutor> executor);
  ~ZoneTimer();
  ZoneTimer(const ZoneTimer&) = delete;
  ZoneTimer& operator=(const ZoneTimer&) = delete;

  // Milliseconds of each zone of the last run, summed over its visits, in the
  // order of zone_names(). Waits for the end of the run. FailedPrecondition
  // where no run has been timed.
  absl::StatusOr<std::vector<float>> Milliseconds() const;

 private:
  friend class CudaExecutor;

  explicit ZoneTimer(std::shared_ptr<const CudaExecutor> executor)
      : executor_(std::move(executor)) {}

  std::shared_ptr<const CudaExecutor> executor_;
  std::vector<cuda::Event> events_;  // one before each segment, one at the end
  bool recorded_ = false;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_CUDA_EXECUTOR_H_
