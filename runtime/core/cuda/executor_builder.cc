// -----------------------------------------------------------------------------
// File: executor_builder.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/executor_builder.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "runtime/core/cuda/cublaslt_api.h"
#include "runtime/core/sha256.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

// Blocks of a cluster that every device with clusters has room for.
constexpr int32_t kPortableCluster = 8;

int64_t RoundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// The milliseconds since it was made or asked last.
class Stopwatch {
 public:
  double Lap() {
    const auto now = std::chrono::steady_clock::now();
    const double elapsed =
        std::chrono::duration<double, std::milli>(now - start_).count();
    start_ = now;
    return elapsed;
  }

 private:
  std::chrono::steady_clock::time_point start_ =
      std::chrono::steady_clock::now();
};

std::string FileOf(const KernelSource& kernel) {
  return absl::StrCat(kernel.symbol, ".cu");
}

// "attend.mlir:7:3: attend.cu(12): text".
std::string WithPlace(const KernelSource& kernel,
                      const CompileMessage& message) {
  std::string text;
  if (message.line > 0 && message.file == FileOf(kernel)) {
    const std::string place = LocationOfLine(kernel, message.line);
    if (!place.empty()) absl::StrAppend(&text, place, ": ");
  }
  if (message.line > 0)
    absl::StrAppend(&text, message.file, "(", message.line, "): ");
  return absl::StrCat(text, message.text);
}

// The bits of a scalar in a slot of 64; the driver reads as many as the
// parameter has.
template <typename T>
uint64_t Bits(T scalar) {
  uint64_t bits = 0;
  std::memcpy(&bits, &scalar, sizeof(scalar));
  return bits;
}

cuda::TensorMapDataType DataTypeOf(DType dtype) {
  switch (dtype) {
    case DType::kBool:  // which Validate refuses
    case DType::kU8:
      return cuda::kTensorMapU8;
    case DType::kI32:
      return cuda::kTensorMapI32;
    case DType::kI64:
      return cuda::kTensorMapI64;
    case DType::kF16:
      return cuda::kTensorMapF16;
    case DType::kBF16:
      return cuda::kTensorMapBF16;
    case DType::kF32:
      return cuda::kTensorMapF32;
    case DType::kF64:
      return cuda::kTensorMapF64;
  }
  return cuda::kTensorMapU8;
}

TensorMapShape ShapeOf(const TensorMapArg& map) {
  TensorMapShape shape;
  shape.type = DataTypeOf(map.dtype);
  shape.sizes[0] = static_cast<uint64_t>(map.columns);
  shape.sizes[1] = static_cast<uint64_t>(map.rows);
  shape.row_pitch = static_cast<uint64_t>(map.row_pitch);
  shape.box[0] = static_cast<uint32_t>(map.box_columns);
  shape.box[1] = static_cast<uint32_t>(map.box_rows);
  shape.swizzle = map.swizzle_bytes == 0 ? cuda::kTensorMapSwizzleNone
                                         : cuda::kTensorMapSwizzle128;
  return shape;
}

// Code that was there, as if it had been compiled.
std::shared_ptr<const CachedKernel> OfImage(const KernelSource& kernel) {
  auto code = std::make_shared<CachedKernel>();
  Sha256 hash;
  hash.UpdateField("image");
  hash.UpdateField(kernel.image);
  code->key = hash.HexDigest();
  code->code.image = kernel.image;
  return code;
}

}  // namespace

std::vector<CompileRequest> RequestsOf(
    const DeviceProgram& program,
    const std::vector<std::string>& nvrtc_options) {
  std::vector<CompileRequest> requests;
  for (const KernelSource& kernel : program.kernels) {
    if (!kernel.image.empty()) continue;
    CompileRequest request;
    request.name = FileOf(kernel);
    request.source = kernel.text;
    request.headers = kernel.headers;
    request.arch = program.arch;
    request.options = nvrtc_options;
    request.work = kernel.compile_work;
    requests.push_back(std::move(request));
  }
  return requests;
}

absl::StatusOr<std::shared_ptr<const CudaExecutor>> ExecutorBuilder::Build(
    int ordinal) {
  executor_ = std::shared_ptr<CudaExecutor>(new CudaExecutor);
  GSA_RETURN_IF_ERROR(FindDevice(ordinal));
  GSA_RETURN_IF_ERROR(Validate(program_, executor_->device_.limits));
  GSA_RETURN_IF_ERROR(CheckTensorMaps());
  GSA_ASSIGN_OR_RETURN(
      executor_->context_,
      PrimaryContext::Retain(*executor_->driver_, executor_->device_));
  ScopedContext scope(*executor_->driver_, executor_->context_->get());
  GSA_RETURN_IF_ERROR(scope.status());
  const ScopedRelaxedCapture relaxed(*executor_->driver_);
  executor_->check_pointers_ = options_.check_pointers;
  executor_->inputs_ = program_.inputs;
  executor_->outputs_ = program_.outputs;
  executor_->zone_names_ = program_.zone_names;

  Stopwatch watch;
  GSA_RETURN_IF_ERROR(CompileKernels());
  executor_->create_times_.compile_milliseconds = watch.Lap();
  GSA_RETURN_IF_ERROR(LoadKernels());
  GSA_RETURN_IF_ERROR(UploadConstants());
  executor_->create_times_.load_milliseconds = watch.Lap();
  GSA_RETURN_IF_ERROR(PlanGemms());
  executor_->create_times_.gemm_milliseconds = watch.Lap();
  GSA_RETURN_IF_ERROR(BuildOps());
  if (options_.warm_up) GSA_RETURN_IF_ERROR(executor_->WarmUp());
  return std::shared_ptr<const CudaExecutor>(std::move(executor_));
}

absl::Status ExecutorBuilder::FindDevice(int ordinal) {
  if (options_.driver != nullptr) {
    executor_->driver_ = options_.driver;
  } else {
    GSA_ASSIGN_OR_RETURN(executor_->driver_, DriverApi::Default());
  }
  GSA_ASSIGN_OR_RETURN(executor_->device_,
                       GetDevice(*executor_->driver_, ordinal));
  const DeviceInfo& device = executor_->device_;
  const auto arch = ArchOf(device.major, device.minor);
  if (!arch.ok())
    return absl::Status(arch.status().code(),
                        absl::StrCat("device ", ordinal, " (", device.name,
                                     "): ", arch.status().message()));
  if (*arch != program_.arch)
    return absl::FailedPreconditionError(
        absl::StrCat("the program is compiled for ", program_.arch, ", device ",
                     ordinal, " (", device.name, ") is ", *arch));
  return absl::OkStatus();
}

// Runs make the maps, which is too late to find that there can be none.
absl::Status ExecutorBuilder::CheckTensorMaps() const {
  const DeviceInfo& device = executor_->device_;
  for (size_t i = 0; i < program_.steps.size(); ++i) {
    const auto* launch = std::get_if<LaunchStep>(&program_.steps[i]);
    if (launch == nullptr) continue;
    for (const KernelArg& arg : launch->args) {
      const auto* map = std::get_if<TensorMapArg>(&arg);
      if (map == nullptr) continue;
      const std::string where = absl::StrCat(
          "step ", i, " (launch of '", program_.kernels[launch->kernel].symbol,
          "') has a tensor map");
      if (device.major < 9)
        return absl::FailedPreconditionError(absl::StrCat(
            where, ": expected a device of capability 9.0 or later, device ",
            device.ordinal, " (", device.name, ") has ", device.major, ".",
            device.minor));
      absl::Status able = executor_->driver_->CanEncodeTensorMaps();
      if (able.ok()) return able;  // what holds for one holds for all
      return absl::Status(able.code(),
                          absl::StrCat(where, ": ", able.message()));
    }
  }
  return absl::OkStatus();
}

absl::Status ExecutorBuilder::Locate(const absl::Status& error) const {
  std::string places;
  for (const CompileMessage& message :
       ParseMessages(std::string(error.message()))) {
    if (message.severity != CompileMessage::Severity::kError) continue;
    for (const KernelSource& kernel : program_.kernels)
      if (message.file == FileOf(kernel) &&
          !LocationOfLine(kernel, message.line).empty())
        absl::StrAppend(&places, WithPlace(kernel, message), "\n");
  }
  return absl::Status(error.code(), absl::StrCat(places, error.message()));
}

absl::Status ExecutorBuilder::CompileKernels() {
  for (const KernelSource& kernel : program_.kernels) {
    compiled_.push_back(kernel.image.empty() ? nullptr : OfImage(kernel));
  }
  const auto requests = RequestsOf(program_, options_.nvrtc_options);
  if (requests.empty()) {
    cache_ = KernelCache::ForImages();
    return absl::OkStatus();
  }
  cache_ = options_.kernels;
  if (cache_ == nullptr) {
    GSA_ASSIGN_OR_RETURN(cache_, KernelCache::Default());
  }
  const int threads = options_.compile_threads > 0
                          ? options_.compile_threads
                          : std::thread::hardware_concurrency();
  std::vector<KernelOrigin> origins;
  auto compiled = cache_->GetAll(requests, threads, &origins);
  if (!compiled.ok()) return Locate(compiled.status());
  size_t next = 0;
  for (size_t i = 0; i < compiled_.size(); ++i) {
    if (compiled_[i] != nullptr) continue;
    compiled_[i] = (*compiled)[next];
    if (options_.on_kernel)
      options_.on_kernel(KernelCache::EventOf(program_.kernels[i].symbol,
                                              requests[next], *compiled_[i],
                                              origins[next]));
    ++next;
  }
  return absl::OkStatus();
}

absl::Status ExecutorBuilder::LoadKernels() {
  for (size_t i = 0; i < program_.kernels.size(); ++i) {
    absl::Status status = LoadKernel(i);
    if (!status.ok())
      return absl::Status(status.code(),
                          absl::StrCat("kernel '", program_.kernels[i].symbol,
                                       "': ", status.message()));
  }
  return absl::OkStatus();
}

absl::Status ExecutorBuilder::LoadKernel(size_t index) {
  const DriverApi& driver = *executor_->driver_;
  const KernelSource& kernel = program_.kernels[index];
  const CompiledCuda& code = compiled_[index]->code;
  GSA_ASSIGN_OR_RETURN(
      auto module, cache_->LoadModule(executor_->context_, *compiled_[index]));
  GSA_ASSIGN_OR_RETURN(const cuda::Function function,
                       driver.ModuleGetFunction(module->get(), kernel.symbol));
  int max_threads = 0, static_smem = 0, dynamic_smem = 0;
  KernelReport report;
  const auto read = [&](cuda::FunctionAttribute attribute, int* value) {
    auto number = driver.FuncGetAttribute(attribute, function);
    if (number.ok()) *value = *number;
    return number.status();
  };
  int local = 0;
  GSA_RETURN_IF_ERROR(read(cuda::kFunctionRegisters, &report.registers));
  GSA_RETURN_IF_ERROR(read(cuda::kFunctionLocalBytes, &local));
  GSA_RETURN_IF_ERROR(read(cuda::kFunctionSharedBytes, &static_smem));
  GSA_RETURN_IF_ERROR(read(cuda::kFunctionMaxThreadsPerBlock, &max_threads));
  GSA_RETURN_IF_ERROR(
      read(cuda::kFunctionMaxDynamicSharedBytes, &dynamic_smem));
  if (max_threads < kernel.threads_per_block)
    return absl::ResourceExhaustedError(
        absl::StrCat("needs ", kernel.threads_per_block,
                     " threads per block, with ", report.registers,
                     " registers per thread at most ", max_threads, " fit"));
  const int64_t smem = static_smem + kernel.dynamic_smem_bytes;
  if (smem > executor_->device_.max_smem_per_block)
    return absl::ResourceExhaustedError(absl::StrCat(
        "needs ", smem, " bytes of shared memory (", static_smem, " static, ",
        kernel.dynamic_smem_bytes, " dynamic), the limit of the device is ",
        executor_->device_.max_smem_per_block));
  // The module may be shared with a program that needs more: only raise it.
  if (dynamic_smem < kernel.dynamic_smem_bytes)
    GSA_RETURN_IF_ERROR(
        driver.FuncSetAttribute(function, cuda::kFunctionMaxDynamicSharedBytes,
                                static_cast<int>(kernel.dynamic_smem_bytes)));
  if (kernel.cluster > kPortableCluster)
    GSA_RETURN_IF_ERROR(driver.FuncSetAttribute(
        function, cuda::kFunctionNonPortableClusterSizeAllowed, 1));
  GSA_ASSIGN_OR_RETURN(
      report.blocks_per_sm,
      driver.OccupancyMaxActiveBlocks(function, kernel.threads_per_block,
                                      kernel.dynamic_smem_bytes));
  if (report.blocks_per_sm < 1)
    return absl::ResourceExhaustedError(
        absl::StrCat("no block of ", kernel.threads_per_block, " threads, ",
                     report.registers, " registers per thread and ", smem,
                     " bytes of shared memory fits on the device"));
  report.symbol = kernel.symbol;
  report.local_bytes = local;
  report.static_smem_bytes = static_smem;
  report.dynamic_smem_bytes = kernel.dynamic_smem_bytes;
  report.compile_milliseconds = code.milliseconds;
  if (const KernelResources* resources = code.Find(kernel.symbol))
    report.spill_bytes =
        resources->spill_store_bytes + resources->spill_load_bytes;
  for (const CompileMessage& message : code.log.messages)
    report.warnings.push_back(WithPlace(kernel, message));
  executor_->reports_.push_back(std::move(report));
  executor_->modules_.push_back(std::move(module));
  executor_->functions_.push_back(function);
  return absl::OkStatus();
}

// The kernel's parameters as the driver knows them. A wrong list would make the
// kernel read what lies beside the arguments.
absl::Status ExecutorBuilder::CheckParameters(const LaunchStep& step,
                                              const std::string& where) {
  const auto get_info = executor_->driver_->table().FuncGetParamInfo;
  if (get_info == nullptr) return absl::OkStatus();  // an older driver
  const cuda::Function function = executor_->functions_[step.kernel];
  size_t offset = 0, size = 0, count = 0;
  while (true) {
    const cuda::Result result = get_info(function, count, &offset, &size);
    // What the driver reports past the last parameter.
    if (result == cuda::kErrorInvalidValue) break;
    if (result != cuda::kSuccess)
      return executor_->driver_->ToStatus(
          result, absl::StrCat(where, ": cuFuncGetParamInfo(", count, ")"));
    const int64_t expected =
        count < step.args.size() ? ParameterBytes(step.args[count]) : 0;
    if (count < step.args.size() && static_cast<int64_t>(size) != expected)
      return absl::InvalidArgumentError(
          absl::StrCat(where, ": argument ", count, " has ", expected,
                       " bytes, the parameter of kernel '",
                       program_.kernels[step.kernel].symbol, "' has ", size));
    ++count;
  }
  if (count != step.args.size())
    return absl::InvalidArgumentError(absl::StrCat(
        where, ": ", step.args.size(), " arguments, kernel '",
        program_.kernels[step.kernel].symbol, "' has ", count, " parameters"));
  return absl::OkStatus();
}

absl::Status ExecutorBuilder::PlanGemms() {
  int64_t scratch = 0;
  for (const ProgramStep& step : program_.steps) {
    const auto* gemm = std::get_if<GemmStep>(&step);
    if (gemm == nullptr) continue;
    if (executor_->gemm_library_ == nullptr && options_.gemms) {
      GSA_ASSIGN_OR_RETURN(executor_->gemm_library_,
                           options_.gemms(executor_->context_));
    } else if (executor_->gemm_library_ == nullptr) {
      GSA_ASSIGN_OR_RETURN(auto api, CublasLtApi::Load(options_.cublaslt));
      GSA_ASSIGN_OR_RETURN(
          executor_->gemm_library_,
          CreateCublasLtGemms(std::move(api), executor_->context_));
    }
    GSA_ASSIGN_OR_RETURN(
        std::unique_ptr<GemmPlan> plan,
        executor_->gemm_library_->Plan(*gemm, options_.gemm_workspace_limit));
    scratch = std::max(scratch, plan->workspace_bytes());
    executor_->gemms_.push_back(std::move(plan));
  }
  // The products run one after the other and share their scratch.
  executor_->scratch_offset_ =
      RoundUp(program_.workspace_bytes, kWorkspaceAlignment);
  executor_->workspace_bytes_ = scratch > 0
                                    ? executor_->scratch_offset_ + scratch
                                    : program_.workspace_bytes;
  return absl::OkStatus();
}

absl::Status ExecutorBuilder::UploadConstants() {
  std::vector<int64_t> offsets;
  int64_t bytes = 0;
  for (const ConstantData& constant : program_.constants) {
    offsets.push_back(bytes);
    bytes += RoundUp(constant.bytes.size(), kWorkspaceAlignment);
  }
  GSA_ASSIGN_OR_RETURN(executor_->constants_,
                       DeviceBuffer::Allocate(executor_->context_, bytes));
  for (size_t i = 0; i < offsets.size(); ++i) {
    const std::vector<uint8_t>& data = program_.constants[i].bytes;
    GSA_RETURN_IF_ERROR(
        executor_->constants_.Upload(data.data(), data.size(), offsets[i]));
    executor_->constant_addresses_.push_back(executor_->constants_.get() +
                                             offsets[i]);
  }
  return absl::OkStatus();
}

// The base addresses of a run: inputs, outputs, workspace, constants.
CudaExecutor::Address ExecutorBuilder::AddressOf(const BufferRef& ref) const {
  int64_t base = ref.index;
  if (ref.kind != BufferRef::Kind::kInput) base += program_.inputs.size();
  if (ref.kind == BufferRef::Kind::kWorkspace ||
      ref.kind == BufferRef::Kind::kConstant)
    base += program_.outputs.size();
  if (ref.kind == BufferRef::Kind::kConstant) base += 1;
  return {static_cast<int32_t>(base), static_cast<uint64_t>(ref.byte_offset)};
}

CudaExecutor::Parameter ExecutorBuilder::ParameterOf(const KernelArg& arg) {
  CudaExecutor::Parameter parameter;
  const auto* ref = std::get_if<BufferRef>(&arg);
  if (const auto* map = std::get_if<TensorMapArg>(&arg)) {
    ref = &map->base;
    parameter.map = static_cast<int32_t>(executor_->tensor_maps_.size());
    executor_->tensor_maps_.push_back(ShapeOf(*map));
  }
  if (ref != nullptr) {
    const CudaExecutor::Address address = AddressOf(*ref);
    parameter.base = address.base;
    parameter.value = address.offset;
    return parameter;
  }
  parameter.value = std::visit(
      [](const auto& value) -> uint64_t {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>)
          return Bits(value);
        else
          return 0;
      },
      arg);
  return parameter;
}

void ExecutorBuilder::AppendOp(const LaunchStep& step, CudaExecutor::Op op) {
  op.kind = CudaExecutor::OpKind::kLaunch;
  op.kernel = step.kernel;
  op.function = executor_->functions_[step.kernel];
  for (int axis = 0; axis < 3; ++axis)
    op.grid[axis] = static_cast<unsigned>(step.grid[axis]);
  op.threads = program_.kernels[step.kernel].threads_per_block;
  op.dynamic_smem =
      static_cast<unsigned>(program_.kernels[step.kernel].dynamic_smem_bytes);
  op.dependent = step.dependent && dependent_launches_;
  op.priority = step.urgent ? urgent_priority_ : 0;
  op.first_parameter = static_cast<int32_t>(executor_->parameters_.size());
  op.num_parameters = static_cast<int32_t>(step.args.size());
  for (const KernelArg& arg : step.args)
    executor_->parameters_.push_back(ParameterOf(arg));
  executor_->ops_.push_back(op);
}

void ExecutorBuilder::AppendOp(const GemmStep& step, CudaExecutor::Op op) {
  op.kind = CudaExecutor::OpKind::kGemm;
  op.gemm = executor_->gemms_[next_gemm_++].get();
  op.a = AddressOf(step.a);
  op.b = AddressOf(step.b);
  op.c = AddressOf(step.c);
  executor_->ops_.push_back(op);
}

void ExecutorBuilder::AppendOp(const CopyStep& step, CudaExecutor::Op op) {
  if (step.bytes > 0) op.kind = CudaExecutor::OpKind::kCopy;
  op.a = AddressOf(step.source);
  op.b = AddressOf(step.destination);
  op.count = static_cast<uint64_t>(step.bytes);
  executor_->ops_.push_back(op);
}

void ExecutorBuilder::AppendOp(const FillStep& step, CudaExecutor::Op op) {
  if (step.count > 0) op.kind = CudaExecutor::OpKind::kFill;
  op.a = AddressOf(step.destination);
  op.count = static_cast<uint64_t>(step.count);
  op.pattern = step.pattern;
  op.element_bytes = step.element_bytes;
  executor_->ops_.push_back(op);
}

// The driver's first version whose captured graphs keep dependent launches;
// without them launches run in order, which is right as well.
absl::Status ExecutorBuilder::FindDependentLaunches() {
  constexpr int kFirstVersion = 12030;
  const bool any = absl::c_any_of(program_.steps, [](const ProgramStep& step) {
    const auto* launch = std::get_if<LaunchStep>(&step);
    return launch != nullptr && launch->dependent;
  });
  if (!any || executor_->driver_->table().LaunchKernelEx == nullptr)
    return absl::OkStatus();
  GSA_ASSIGN_OR_RETURN(const int version,
                       executor_->driver_->DriverGetVersion());
  dependent_launches_ =
      version >= kFirstVersion && executor_->device_.major >= 9;
  return absl::OkStatus();
}

// The priority of urgent launches, of which a program of one lane has no use.
absl::Status ExecutorBuilder::FindUrgentPriority() {
  const cuda::DriverTable& table = executor_->driver_->table();
  if (program_.lanes < 2 || table.LaunchKernelEx == nullptr ||
      table.CtxGetStreamPriorityRange == nullptr)
    return absl::OkStatus();
  int least = 0;
  return executor_->driver_->ToStatus(
      table.CtxGetStreamPriorityRange(&least, &urgent_priority_),
      "cuCtxGetStreamPriorityRange");
}

// There is one op for each step. Events 0 to lanes - 1 are where the lanes
// begin and end; behind them are those of steps for which others wait.
void ExecutorBuilder::BuildLanes() {
  std::vector<CudaExecutor::Op>& ops = executor_->ops_;
  executor_->lanes_ = program_.lanes;
  int32_t events = program_.lanes;
  for (CudaExecutor::Op& op : ops) {
    const StepOrder& order = OrderOf(program_.steps[op.step]);
    op.lane = order.lane;
    op.first_wait = static_cast<int32_t>(executor_->waits_.size());
    op.num_waits = static_cast<int32_t>(order.waits.size());
    for (int32_t wait : order.waits) {
      CudaExecutor::Op& other = ops[wait];
      if (other.event < 0) other.event = events++;
      executor_->waits_.push_back(other.event);
    }
  }
  if (program_.lanes > 1)
    executor_->lane_streams_.SetSizes(executor_->context_, program_.lanes,
                                      events);
}

absl::Status ExecutorBuilder::BuildOps() {
  GSA_RETURN_IF_ERROR(FindDependentLaunches());
  GSA_RETURN_IF_ERROR(FindUrgentPriority());
  for (size_t i = 0; i < program_.steps.size(); ++i) {
    const ProgramStep& step = program_.steps[i];
    if (const auto* launch = std::get_if<LaunchStep>(&step))
      GSA_RETURN_IF_ERROR(CheckParameters(*launch, absl::StrCat("step ", i)));
    CudaExecutor::Op op;
    op.kind = CudaExecutor::OpKind::kNothing;
    op.step = static_cast<int32_t>(i);
    op.zone = ZoneOf(step);
    std::visit([&](const auto& typed) { AppendOp(typed, op); }, step);
  }
  BuildLanes();
  int32_t previous = -1;
  for (CudaExecutor::Op& op : executor_->ops_) {
    op.new_zone = op.zone != previous;
    executor_->num_segments_ += op.new_zone;
    previous = op.zone;
  }
  const auto steps = static_cast<int64_t>(executor_->ops_.size());
  executor_->records_ = executor_->driver_->HasGraphs() &&
                        program_.lanes == 1 && steps > 1 &&
                        steps <= options_.max_recorded_steps;
  executor_->bound_runs_.SetSizes(executor_->parameters_.size(),
                                  executor_->tensor_maps_.size());
  return absl::OkStatus();
}

}  // namespace gsa
