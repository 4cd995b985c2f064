// -----------------------------------------------------------------------------
// File: cuda_executor.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/cuda_executor.h"

#include <algorithm>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/core/cuda/executor_builder.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

uint64_t AddressOf(const void* pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}

bool Overlap(const void* a, int64_t a_bytes, const void* b, int64_t b_bytes) {
  return a_bytes > 0 && b_bytes > 0 && AddressOf(a) < AddressOf(b) + b_bytes &&
         AddressOf(b) < AddressOf(a) + a_bytes;
}

// Whoever runs twice on the same buffers may never do so again.
constexpr int64_t kRunsBeforeRecording = 2;

// "input 3 'k_weight'".
std::string NameOfBuffer(const char* kind, size_t index,
                         const BufferInfo& info) {
  return absl::StrCat(kind, " ", index, " '", info.name, "'");
}

}  // namespace

absl::StatusOr<std::shared_ptr<const CudaExecutor>> CudaExecutor::Create(
    const DeviceProgram& program, int ordinal, const ExecutorOptions& options) {
  return ExecutorBuilder(program, options).Build(ordinal);
}

CudaExecutor::~CudaExecutor() = default;

absl::Status CudaExecutor::CheckBuffer(const void* pointer, int64_t bytes,
                                       int64_t alignment,
                                       const char* what) const {
  if (bytes == 0) return absl::OkStatus();  // never read or written
  if (pointer == nullptr)
    return absl::InvalidArgumentError(absl::StrCat(what, "is null, expected ",
                                                   bytes, " bytes on device ",
                                                   device_.ordinal));
  if (AddressOf(pointer) % alignment != 0)
    return absl::InvalidArgumentError(
        absl::StrCat(what, "is at an address with remainder ",
                     AddressOf(pointer) % alignment,
                     ", expected a multiple of ", alignment, " bytes"));
  if (!check_pointers_) return absl::OkStatus();
  auto info = driver_->PointerGetInfo(AddressOf(pointer));
  if (!info.ok())
    return absl::Status(
        info.status().code(),
        absl::StrCat(what, "cannot be looked up: ", info.status().message()));
  if (info->managed) return absl::OkStatus();
  if (info->type != cuda::kMemoryDevice)
    return absl::InvalidArgumentError(
        absl::StrCat(what, "is in host memory, expected memory of device ",
                     device_.ordinal));
  if (info->device != device_.ordinal)
    return absl::InvalidArgumentError(
        absl::StrCat(what, "is on device ", info->device, ", expected device ",
                     device_.ordinal));
  return absl::OkStatus();
}

absl::Status CudaExecutor::CheckArguments(const RunArguments& arguments) const {
  const auto check = [&](absl::Span<void* const> pointers,
                         const std::vector<BufferInfo>& buffers,
                         const char* kind) {
    for (size_t i = 0; i < buffers.size(); ++i) {
      // The common case makes no string.
      absl::Status status =
          CheckBuffer(pointers[i], buffers[i].bytes, kBufferAlignment, "");
      if (!status.ok())
        return absl::Status(status.code(),
                            absl::StrCat(NameOfBuffer(kind, i, buffers[i]), " ",
                                         status.message()));
    }
    return absl::OkStatus();
  };
  GSA_RETURN_IF_ERROR(check(arguments.inputs, inputs_, "input"));
  GSA_RETURN_IF_ERROR(check(arguments.outputs, outputs_, "output"));
  GSA_RETURN_IF_ERROR(CheckBuffer(arguments.workspace, workspace_bytes_,
                                  kWorkspaceAlignment, "workspace "));
  return CheckOverlaps(arguments);
}

// What no set of addresses says.
absl::Status CudaExecutor::CheckCounts(const RunArguments& arguments) const {
  const auto check = [](size_t given, size_t expected, const char* kind) {
    if (given == expected) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(given, " ", kind, "s given, expected ", expected));
  };
  GSA_RETURN_IF_ERROR(check(arguments.inputs.size(), inputs_.size(), "input"));
  GSA_RETURN_IF_ERROR(
      check(arguments.outputs.size(), outputs_.size(), "output"));
  if (arguments.workspace_bytes >= workspace_bytes_) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("workspace has ", arguments.workspace_bytes,
                   " bytes, expected at least ", workspace_bytes_));
}

// A buffer that is written may not share memory with any other, but have that
// of the input which it updates.
absl::Status CudaExecutor::CheckOverlaps(const RunArguments& arguments) const {
  const auto clash = [](const std::string& a, const std::string& b) {
    return absl::InvalidArgumentError(
        absl::StrCat(a, " overlaps ", b, ", expected memory of its own"));
  };
  const void* workspace = arguments.workspace;
  for (size_t i = 0; i < inputs_.size(); ++i)
    if (Overlap(arguments.inputs[i], inputs_[i].bytes, workspace,
                workspace_bytes_))
      return clash("the workspace", NameOfBuffer("input", i, inputs_[i]));
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const void* output = arguments.outputs[i];
    const int64_t bytes = outputs_[i].bytes;
    if (Overlap(output, bytes, workspace, workspace_bytes_))
      return clash("the workspace", NameOfBuffer("output", i, outputs_[i]));
    for (size_t j = 0; j < inputs_.size(); ++j)
      if (!(outputs_[i].updates == static_cast<int32_t>(j) &&
            output == arguments.inputs[j]) &&
          Overlap(output, bytes, arguments.inputs[j], inputs_[j].bytes))
        return clash(NameOfBuffer("output", i, outputs_[i]),
                     NameOfBuffer("input", j, inputs_[j]));
    for (size_t j = 0; j < i; ++j)
      if (Overlap(output, bytes, arguments.outputs[j], outputs_[j].bytes))
        return clash(NameOfBuffer("output", i, outputs_[i]),
                     NameOfBuffer("output", j, outputs_[j]));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> CudaExecutor::CheckStream(
    const RunArguments& arguments) const {
  if (arguments.stream != nullptr) {
    GSA_ASSIGN_OR_RETURN(const cuda::Context context,
                         driver_->StreamGetCtx(arguments.stream));
    if (context != context_->get())
      return absl::FailedPreconditionError(
          absl::StrCat("the stream is not of the primary context of device ",
                       device_.ordinal));
  }
  GSA_ASSIGN_OR_RETURN(const cuda::CaptureStatus capture,
                       driver_->StreamIsCapturing(arguments.stream));
  if (capture == cuda::kCaptureInvalidated)
    return absl::FailedPreconditionError(
        "the capture of the stream was broken by an earlier call; end it "
        "before the next run");
  const bool captures = capture == cuda::kCaptureActive;
  if (arguments.timer == nullptr) return captures;
  if (captures)
    return absl::FailedPreconditionError(
        "a timer is given while the stream captures: events of a capture have "
        "no times");
  if (arguments.timer->executor_.get() != this)
    return absl::InvalidArgumentError(
        "the timer was made for another executor");
  return captures;
}

absl::Status CudaExecutor::WarmUp() const {
  if (warm_.load(std::memory_order_acquire)) return absl::OkStatus();
  std::lock_guard<std::mutex> lock(warm_mutex_);
  if (warm_.load(std::memory_order_relaxed)) return absl::OkStatus();
  ScopedContext scope(*driver_, context_->get());
  GSA_RETURN_IF_ERROR(scope.status());
  const ScopedRelaxedCapture relaxed(*driver_);
  // The driver may load code at the first launch only, which a capture does not
  // allow. Older drivers lack the call, and load with the attributes of a
  // function, which Create has read.
  const auto load = driver_->table().FuncLoad;
  for (size_t i = 0; i < functions_.size() && load != nullptr; ++i) {
    const cuda::Result result = load(functions_[i]);
    if (result != cuda::kSuccess)
      return driver_->ToStatus(
          result,
          absl::StrCat("kernel '", reports_[i].symbol, "': cuFuncLoad"));
  }
  for (const std::unique_ptr<GemmPlan>& gemm : gemms_)
    GSA_RETURN_IF_ERROR(gemm->WarmUp());
  if (lanes_ > 1) GSA_RETURN_IF_ERROR(lane_streams_.Reserve());
  warm_.store(true, std::memory_order_release);
  return absl::OkStatus();
}

// The base addresses of a run: inputs, outputs, workspace, constants. All but
// the last are what the bound run is found by.
uint64_t CudaExecutor::Resolve(const Address& address,
                               const BoundRun& bound) const {
  const size_t base = static_cast<size_t>(address.base);
  const size_t own = bound.addresses.size();
  return address.offset +
         (base < own ? bound.addresses[base] : constant_addresses_[base - own]);
}

absl::Status CudaExecutor::BindLaunch(const Op& op, BoundRun* bound) const {
  for (int32_t i = 0; i < op.num_parameters; ++i) {
    const auto index =
        static_cast<size_t>(op.first_parameter) + static_cast<size_t>(i);
    const Parameter& parameter = parameters_[index];
    bound->values[index] =
        parameter.base < 0 ? parameter.value
                           : Resolve({parameter.base, parameter.value}, *bound);
    bound->pointers[index] = &bound->values[index];
    if (parameter.map < 0) continue;
    cuda::TensorMap* map = &bound->maps[parameter.map];
    GSA_RETURN_IF_ERROR(driver_->TensorMapEncodeTiled(
        map, tensor_maps_[parameter.map], bound->values[index]));
    bound->pointers[index] = map;
  }
  return absl::OkStatus();
}

absl::StatusOr<BoundRuns::Lease> CudaExecutor::Bind(
    const RunArguments& arguments) const {
  // More buffers than any layer has.
  absl::InlinedVector<uint64_t, 128> addresses;
  for (const void* input : arguments.inputs)
    addresses.push_back(AddressOf(input));
  for (const void* output : arguments.outputs)
    addresses.push_back(AddressOf(output));
  addresses.push_back(AddressOf(arguments.workspace));
  BoundRuns::Lease lease = bound_runs_.Find(addresses);
  if (lease) return lease;
  GSA_RETURN_IF_ERROR(CheckArguments(arguments));
  lease = bound_runs_.Take(addresses);
  for (const Op& op : ops_) {
    if (op.kind != OpKind::kLaunch) continue;
    absl::Status status = BindLaunch(op, &*lease);
    if (!status.ok())
      return absl::Status(status.code(),
                          absl::StrCat(NameOf(op), ": ", status.message()));
  }
  bound_runs_.Keep(lease);
  return lease;
}

absl::Status CudaExecutor::Launch(const Op& op, const BoundRun& bound,
                                  cuda::Stream stream) const {
  // The driver copies what the pointers point to, and writes nothing there.
  void** parameters =
      const_cast<void**>(bound.pointers.data()) + op.first_parameter;
  if (!op.dependent && op.priority == 0) {
    const cuda::Result result = driver_->table().LaunchKernel(
        op.function, op.grid[0], op.grid[1], op.grid[2], op.threads, 1, 1,
        op.dynamic_smem, stream, parameters, nullptr);
    if (result == cuda::kSuccess) return absl::OkStatus();
    return driver_->ToStatus(result, "cuLaunchKernel");
  }
  cuda::LaunchAttribute attributes[2] = {};
  unsigned count = 0;
  if (op.dependent) {
    attributes[count].id = cuda::kLaunchProgrammaticStreamSerialization;
    attributes[count++].allowed = 1;
  }
  if (op.priority != 0) {
    attributes[count].id = cuda::kLaunchPriority;
    attributes[count++].priority = op.priority;
  }
  cuda::LaunchConfig config = {};
  config.grid_x = op.grid[0];
  config.grid_y = op.grid[1];
  config.grid_z = op.grid[2];
  config.block_x = op.threads;
  config.block_y = config.block_z = 1;
  config.dynamic_smem = op.dynamic_smem;
  config.stream = stream;
  config.attributes = attributes;
  config.num_attributes = count;
  const cuda::Result result = driver_->table().LaunchKernelEx(
      &config, op.function, parameters, nullptr);
  if (result == cuda::kSuccess) return absl::OkStatus();
  return driver_->ToStatus(result, "cuLaunchKernelEx");
}

absl::Status CudaExecutor::Submit(const Op& op, const BoundRun& bound,
                                  cuda::Stream stream) const {
  switch (op.kind) {
    case OpKind::kLaunch:
      return Launch(op, bound, stream);
    case OpKind::kGemm: {
      const Address scratch = {
          static_cast<int32_t>(inputs_.size() + outputs_.size()),
          static_cast<uint64_t>(scratch_offset_)};
      return op.gemm->Run(
          Resolve(op.a, bound), Resolve(op.b, bound), Resolve(op.c, bound),
          op.gemm->workspace_bytes() > 0 ? Resolve(scratch, bound) : 0, stream);
    }
    case OpKind::kCopy:
      // Of an input to what updates it in place.
      if (Resolve(op.b, bound) == Resolve(op.a, bound)) return absl::OkStatus();
      return driver_->MemcpyDtoDAsync(Resolve(op.b, bound),
                                      Resolve(op.a, bound), op.count, stream);
    case OpKind::kFill:
      return driver_->MemsetAsync(Resolve(op.a, bound), op.pattern,
                                  op.element_bytes, op.count, stream);
    case OpKind::kNothing:
      return absl::OkStatus();
  }
  return absl::InternalError("an operation of unknown kind");
}

std::string CudaExecutor::NameOf(const Op& op) const {
  std::string what;
  switch (op.kind) {
    case OpKind::kLaunch:
      what = absl::StrCat("launch of '", reports_[op.kernel].symbol, "'");
      break;
    case OpKind::kGemm:
      what = "gemm";
      break;
    case OpKind::kCopy:
      what = "copy";
      break;
    case OpKind::kFill:
      what = "fill";
      break;
    case OpKind::kNothing:
      what = "nothing";
      break;
  }
  return absl::StrCat("step ", op.step, " (", what, ")");
}

// The driver tells of a kernel's fault at some later call: which kernels it can
// have been, of those that this run has submitted.
std::string CudaExecutor::NamesOfLaunches(absl::Span<const Op> ops) const {
  std::vector<std::string> names;
  for (const Op& op : ops) {
    if (op.kind != OpKind::kLaunch) continue;
    std::string name = absl::StrCat("'", reports_[op.kernel].symbol, "'");
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  }
  if (names.empty()) return "; this run had launched no kernel before";
  return absl::StrCat("; this run had launched ", absl::StrJoin(names, ", "),
                      " before");
}

absl::Status CudaExecutor::Run(const RunArguments& arguments) const {
  if (fork_guard_.forked())
    return absl::FailedPreconditionError(
        "the process was forked after the program was made ready: a CUDA "
        "context does not survive fork(); compile in the child, or start it "
        "before CUDA is used");
  ScopedContext scope(*driver_, context_->get());
  GSA_RETURN_IF_ERROR(scope.status());
  GSA_RETURN_IF_ERROR(CheckCounts(arguments));
  GSA_ASSIGN_OR_RETURN(const BoundRuns::Lease bound, Bind(arguments));
  GSA_ASSIGN_OR_RETURN(const bool captures, CheckStream(arguments));
  if (!warm_.load(std::memory_order_acquire)) {
    if (captures)
      return absl::FailedPreconditionError(
          "the stream captures, and the code of the kernels is not loaded yet, "
          "which a capture does not allow: warm up before the capture begins");
    GSA_RETURN_IF_ERROR(WarmUp());
  }

  if (records_ && !captures && arguments.timer == nullptr) {
    GSA_ASSIGN_OR_RETURN(const bool done, RunRecorded(arguments, bound));
    if (done) return absl::OkStatus();
  }
  if (lanes_ > 1 && arguments.timer == nullptr)
    return RunOnLanes(arguments, *bound, captures);
  return RunInOrder(arguments, *bound);
}

absl::StatusOr<bool> CudaExecutor::RunRecorded(
    const RunArguments& arguments, const BoundRuns::Lease& bound) const {
  if (bound.times_found() < kRunsBeforeRecording) return false;
  BoundRun::Recorded& recorded = bound->recorded;
  // Two threads with the same buffers are rare, and need not wait.
  const std::unique_lock<std::mutex> lock(recorded.mutex, std::try_to_lock);
  if (!lock.owns_lock() || recorded.failed) return false;
  if (recorded.graph == nullptr) {
    absl::StatusOr<std::unique_ptr<RunGraph>> graph =
        RunGraph::Record(context_, [&](cuda::Stream stream) {
          RunArguments captured = arguments;
          captured.stream = stream;
          return RunInOrder(captured, *bound);
        });
    if (!graph.ok()) {
      // Nothing was submitted. What is wrong with the run itself, its launches
      // will say.
      recorded.failed = true;
      return false;
    }
    recorded.graph = *std::move(graph);
  }
  const absl::Status status = recorded.graph->Launch(arguments.stream);
  if (status.ok()) return true;
  return Named(status, "all steps", ops_);
}

absl::Status CudaExecutor::Named(const absl::Status& error,
                                 absl::string_view what,
                                 absl::Span<const Op> before) const {
  return absl::Status(
      error.code(),
      absl::StrCat(what, ": ", error.message(),
                   LosesContext(error) ? NamesOfLaunches(before) : ""));
}

absl::Status CudaExecutor::Named(const absl::Status& error,
                                 const Op& op) const {
  return Named(error, NameOf(op),
               absl::MakeSpan(ops_).subspan(0, &op - ops_.data()));
}

absl::Status CudaExecutor::RunInOrder(const RunArguments& arguments,
                                      const BoundRun& bound) const {
  ZoneTimer* timer = arguments.timer;
  size_t next_event = 0;
  if (timer != nullptr) timer->recorded_ = false;
  for (const Op& op : ops_) {
    if (timer != nullptr && op.new_zone)
      GSA_RETURN_IF_ERROR(
          driver_->EventRecord(timer->events_[next_event++], arguments.stream));
    absl::Status status = Submit(op, bound, arguments.stream);
    if (!status.ok()) return Named(status, op);
  }
  if (timer == nullptr) return absl::OkStatus();
  GSA_RETURN_IF_ERROR(
      driver_->EventRecord(timer->events_[next_event], arguments.stream));
  timer->recorded_ = true;
  return absl::OkStatus();
}

// Event 0 is where the lanes begin, event i where lane i ends.
absl::Status CudaExecutor::RunOnLanes(const RunArguments& arguments,
                                      const BoundRun& bound,
                                      bool captures) const {
  GSA_ASSIGN_OR_RETURN(const LaneStreams::Lease set,
                       lane_streams_.Take(arguments.stream, captures));
  GSA_RETURN_IF_ERROR(
      driver_->EventRecord(set->events.front(), arguments.stream));
  absl::Status status = SubmitOnLanes(arguments, bound, set);
  // What was submitted uses the caller's buffers, whatever came behind.
  const absl::Status joined = Join(arguments, set);
  return status.ok() ? joined : status;
}

absl::Status CudaExecutor::SubmitOnLanes(const RunArguments& arguments,
                                         const BoundRun& bound,
                                         const LaneStreams::Lease& set) const {
  // All of them here, so that a lane can be joined whatever fails.
  for (cuda::Stream stream : set->streams)
    GSA_RETURN_IF_ERROR(driver_->StreamWaitEvent(stream, set->events.front()));
  for (const Op& op : ops_) {
    cuda::Stream stream =
        op.lane == 0 ? arguments.stream : set->streams[op.lane - 1];
    absl::Status status;
    for (int32_t i = 0; i < op.num_waits && status.ok(); ++i)
      status = driver_->StreamWaitEvent(stream,
                                        set->events[waits_[op.first_wait + i]]);
    if (status.ok()) status = Submit(op, bound, stream);
    if (status.ok() && op.event >= 0)
      status = driver_->EventRecord(set->events[op.event], stream);
    if (!status.ok()) return Named(status, op);
  }
  return absl::OkStatus();
}

absl::Status CudaExecutor::Join(const RunArguments& arguments,
                                const LaneStreams::Lease& set) const {
  absl::Status status;
  for (size_t i = 0; i < set->streams.size(); ++i) {
    status.Update(driver_->EventRecord(set->events[i + 1], set->streams[i]));
    status.Update(
        driver_->StreamWaitEvent(arguments.stream, set->events[i + 1]));
  }
  return status;
}

absl::StatusOr<std::unique_ptr<ZoneTimer>> ZoneTimer::Create(
    std::shared_ptr<const CudaExecutor> executor) {
  ScopedContext scope(*executor->driver_, executor->context_->get());
  GSA_RETURN_IF_ERROR(scope.status());
  auto timer = absl::WrapUnique(new ZoneTimer(std::move(executor)));
  for (int32_t i = 0; i <= timer->executor_->num_segments_; ++i) {
    GSA_ASSIGN_OR_RETURN(const cuda::Event event,
                         timer->executor_->driver_->EventCreate(0));
    timer->events_.push_back(event);
  }
  return timer;
}

ZoneTimer::~ZoneTimer() {
  const DriverApi& driver = *executor_->driver_;
  ScopedContext scope(driver, executor_->context_->get());
  // Fails only where the context is lost, and the events with it.
  if (scope.status().ok())
    for (cuda::Event event : events_) driver.EventDestroy(event).IgnoreError();
}

absl::StatusOr<std::vector<float>> ZoneTimer::Milliseconds() const {
  if (!recorded_) return absl::FailedPreconditionError("no run has been timed");
  const DriverApi& driver = *executor_->driver_;
  ScopedContext scope(driver, executor_->context_->get());
  GSA_RETURN_IF_ERROR(scope.status());
  GSA_RETURN_IF_ERROR(driver.EventSynchronize(events_.back()));
  std::vector<float> zones(executor_->zone_names_.size(), 0.0f);
  size_t segment = 0;
  for (const CudaExecutor::Op& op : executor_->ops_) {
    if (!op.new_zone) continue;
    GSA_ASSIGN_OR_RETURN(const float milliseconds,
                         driver.EventElapsedMilliseconds(events_[segment],
                                                         events_[segment + 1]));
    zones[op.zone] += milliseconds;
    ++segment;
  }
  return zones;
}

}  // namespace gsa
