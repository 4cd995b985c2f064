// -----------------------------------------------------------------------------
// File: driver_api.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/driver_api.h"

#include <array>
#include <mutex>
#include <string>

#include "absl/memory/memory.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/core/cuda/dynamic_library.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

using cuda::Result;

// Marks the statuses of such errors.
constexpr char kLostPayload[] = "gsa.context_lost";

// Errors after which every further call in the context fails.
bool IsSticky(Result result) {
  switch (result) {
    case cuda::kErrorIllegalAddress:
    case cuda::kErrorLaunchTimeout:
    case cuda::kErrorAssert:
    case cuda::kErrorHardwareStackError:
    case cuda::kErrorIllegalInstruction:
    case cuda::kErrorMisalignedAddress:
    case cuda::kErrorInvalidAddressSpace:
    case cuda::kErrorInvalidPc:
    case cuda::kErrorLaunchFailed:
      return true;
    default:
      return false;
  }
}

absl::StatusCode CodeOf(Result result) {
  switch (result) {
    case cuda::kErrorOutOfMemory:
    case cuda::kErrorLaunchOutOfResources:
      return absl::StatusCode::kResourceExhausted;
    case cuda::kErrorNotInitialized:
    case cuda::kErrorDeinitialized:
    case cuda::kErrorStubLibrary:
    case cuda::kErrorDeviceUnavailable:
    case cuda::kErrorNoDevice:
    case cuda::kErrorSystemNotReady:
    case cuda::kErrorSystemDriverMismatch:
    case cuda::kErrorCompatNotSupported:
      return absl::StatusCode::kUnavailable;
    case cuda::kErrorInvalidValue:
    case cuda::kErrorInvalidDevice:
    case cuda::kErrorInvalidContext:
    case cuda::kErrorInvalidImage:
    case cuda::kErrorInvalidPtx:
      return absl::StatusCode::kInvalidArgument;
    case cuda::kErrorNoBinaryForGpu:
    case cuda::kErrorUnsupportedPtxVersion:
      return absl::StatusCode::kFailedPrecondition;
    case cuda::kErrorNotFound:
      return absl::StatusCode::kNotFound;
    case cuda::kErrorNotSupported:
      return absl::StatusCode::kUnimplemented;
    default:
      break;
  }
  if (result >= cuda::kErrorStreamCaptureUnsupported &&
      result <= cuda::kErrorStreamCaptureWrongThread)
    return absl::StatusCode::kFailedPrecondition;
  return absl::StatusCode::kInternal;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DriverApi>> DriverApi::Load(
    const DriverOptions& options) {
  const std::string name =
      options.library_path.empty() ? "libcuda.so.1" : options.library_path;
  auto library = DynamicLibrary::OpenFirst("CUDA driver", {name});
  if (!library.ok())
    return absl::UnavailableError(
        absl::StrCat(library.status().message(),
                     "\nAn NVIDIA driver is needed to run on a GPU."));
  cuda::DriverTable table;
#define GSA_CUDA_RESOLVE(member, symbol, parameters) \
  GSA_RETURN_IF_ERROR(library->Resolve(symbol, &table.member));
  GSA_CUDA_DRIVER_FUNCTIONS(GSA_CUDA_RESOLVE)
#undef GSA_CUDA_RESOLVE
#define GSA_CUDA_RESOLVE(member, symbol, parameters) \
  library->Resolve(symbol, &table.member).IgnoreError();
  GSA_CUDA_DRIVER_OPTIONAL_FUNCTIONS(GSA_CUDA_RESOLVE)
#undef GSA_CUDA_RESOLVE
  auto driver = std::make_unique<DriverApi>(table, library->path());
  GSA_RETURN_IF_ERROR(driver->Init());
  return driver;
}

absl::StatusOr<const DriverApi*> DriverApi::Default() {
  static std::mutex& mutex = *new std::mutex;
  static const DriverApi* driver = nullptr;
  std::lock_guard<std::mutex> lock(mutex);
  if (driver == nullptr) {
    GSA_ASSIGN_OR_RETURN(std::unique_ptr<DriverApi> loaded, Load());
    driver = loaded.release();
  }
  return driver;
}

absl::Status DriverApi::ToStatus(Result result, absl::string_view call) const {
  if (result == cuda::kSuccess) return absl::OkStatus();
  const char* name = nullptr;
  const char* text = nullptr;
  if (table_.GetErrorName(result, &name) != cuda::kSuccess) name = nullptr;
  if (table_.GetErrorString(result, &text) != cuda::kSuccess) text = nullptr;
  std::string message =
      absl::StrCat(call, " failed with ", name ? name : "an unknown error",
                   " (", result, ")", text ? ": " : "", text ? text : "");
  if (IsSticky(result))
    absl::StrAppend(&message,
                    "; an earlier kernel did it, and the CUDA context of this "
                    "process is lost");
  if (fork_guard_.forked())
    absl::StrAppend(&message,
                    "; the process was forked from one that had opened CUDA, "
                    "which does not survive fork()");
  absl::Status status(CodeOf(result), message);
  if (IsSticky(result)) status.SetPayload(kLostPayload, absl::Cord());
  return status;
}

bool LosesContext(const absl::Status& status) {
  return status.GetPayload(kLostPayload).has_value();
}

absl::Status DriverApi::Init() const {
  const Result result = table_.Init(0);
  if (result == cuda::kSuccess) return absl::OkStatus();
  absl::Status status = ToStatus(result, absl::StrCat("cuInit of ", path_));
  if (result == cuda::kErrorNotInitialized)
    return absl::UnavailableError(absl::StrCat(
        status.message(),
        "; a process forked from one that used CUDA cannot use it"));
  return absl::UnavailableError(status.message());
}

absl::StatusOr<int> DriverApi::DriverGetVersion() const {
  int version = 0;
  GSA_RETURN_IF_ERROR(
      ToStatus(table_.DriverGetVersion(&version), "cuDriverGetVersion"));
  return version;
}

absl::StatusOr<int> DriverApi::DeviceGetCount() const {
  int count = 0;
  GSA_RETURN_IF_ERROR(
      ToStatus(table_.DeviceGetCount(&count), "cuDeviceGetCount"));
  return count;
}

absl::StatusOr<cuda::DeviceHandle> DriverApi::DeviceGet(int ordinal) const {
  cuda::DeviceHandle device = 0;
  GSA_RETURN_IF_ERROR(ToStatus(table_.DeviceGet(&device, ordinal),
                               absl::StrCat("cuDeviceGet(", ordinal, ")")));
  return device;
}

absl::StatusOr<std::string> DriverApi::DeviceGetName(
    cuda::DeviceHandle device) const {
  std::array<char, 256> name = {};
  GSA_RETURN_IF_ERROR(
      ToStatus(table_.DeviceGetName(name.data(), name.size() - 1, device),
               "cuDeviceGetName"));
  return std::string(name.data());
}

absl::StatusOr<std::string> DriverApi::DeviceGetUuid(
    cuda::DeviceHandle device) const {
  cuda::Uuid uuid = {};
  GSA_RETURN_IF_ERROR(
      ToStatus(table_.DeviceGetUuid(&uuid, device), "cuDeviceGetUuid"));
  std::string text = "GPU-";
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    absl::StrAppendFormat(&text, "%02x", uuid.bytes[i]);
  }
  return text;
}

absl::StatusOr<int> DriverApi::DeviceGetAttribute(
    cuda::DeviceAttribute attribute, cuda::DeviceHandle device) const {
  int value = 0;
  GSA_RETURN_IF_ERROR(
      ToStatus(table_.DeviceGetAttribute(&value, attribute, device),
               absl::StrCat("cuDeviceGetAttribute(", attribute, ")")));
  return value;
}

absl::StatusOr<int64_t> DriverApi::DeviceTotalMem(
    cuda::DeviceHandle device) const {
  size_t bytes = 0;
  GSA_RETURN_IF_ERROR(
      ToStatus(table_.DeviceTotalMem(&bytes, device), "cuDeviceTotalMem"));
  return static_cast<int64_t>(bytes);
}

absl::StatusOr<cuda::Context> DriverApi::DevicePrimaryCtxRetain(
    cuda::DeviceHandle device) const {
  cuda::Context context = nullptr;
  GSA_RETURN_IF_ERROR(ToStatus(table_.DevicePrimaryCtxRetain(&context, device),
                               "cuDevicePrimaryCtxRetain"));
  return context;
}

absl::Status DriverApi::DevicePrimaryCtxRelease(
    cuda::DeviceHandle device) const {
  return ToStatus(table_.DevicePrimaryCtxRelease(device),
                  "cuDevicePrimaryCtxRelease");
}

absl::StatusOr<cuda::Context> DriverApi::CtxGetCurrent() const {
  cuda::Context context = nullptr;
  GSA_RETURN_IF_ERROR(
      ToStatus(table_.CtxGetCurrent(&context), "cuCtxGetCurrent"));
  return context;
}

absl::Status DriverApi::CtxPushCurrent(cuda::Context context) const {
  return ToStatus(table_.CtxPushCurrent(context), "cuCtxPushCurrent");
}

absl::Status DriverApi::CtxPopCurrent() const {
  cuda::Context popped = nullptr;
  return ToStatus(table_.CtxPopCurrent(&popped), "cuCtxPopCurrent");
}

absl::StatusOr<cuda::Module> DriverApi::ModuleLoadData(
    const std::string& image) const {
  std::string log(8192, '\0');
  int options[] = {cuda::kJitErrorLogBuffer, cuda::kJitErrorLogBufferBytes};
  // Sizes travel in the pointers themselves.
  void* values[] = {
      log.data(), reinterpret_cast<void*>(static_cast<uintptr_t>(log.size()))};
  cuda::Module module = nullptr;
  const Result result =
      table_.ModuleLoadDataEx(&module, image.c_str(), 2, options, values);
  if (result == cuda::kSuccess) return module;
  absl::Status status = ToStatus(
      result, absl::StrCat("cuModuleLoadDataEx(", image.size(), " bytes)"));
  log.resize(log.find('\0') == std::string::npos ? log.size() : log.find('\0'));
  if (log.empty()) return status;
  absl::Status with_log(status.code(),
                        absl::StrCat(status.message(), "\n", log));
  if (LosesContext(status)) with_log.SetPayload(kLostPayload, absl::Cord());
  return with_log;
}

absl::Status DriverApi::ModuleUnload(cuda::Module module) const {
  return ToStatus(table_.ModuleUnload(module), "cuModuleUnload");
}

absl::StatusOr<cuda::Function> DriverApi::ModuleGetFunction(
    cuda::Module module, const std::string& name) const {
  cuda::Function function = nullptr;
  GSA_RETURN_IF_ERROR(
      ToStatus(table_.ModuleGetFunction(&function, module, name.c_str()),
               absl::StrCat("cuModuleGetFunction('", name, "')")));
  return function;
}

absl::StatusOr<int> DriverApi::FuncGetAttribute(
    cuda::FunctionAttribute attribute, cuda::Function function) const {
  int value = 0;
  GSA_RETURN_IF_ERROR(
      ToStatus(table_.FuncGetAttribute(&value, attribute, function),
               absl::StrCat("cuFuncGetAttribute(", attribute, ")")));
  return value;
}

absl::Status DriverApi::FuncSetAttribute(cuda::Function function,
                                         cuda::FunctionAttribute attribute,
                                         int value) const {
  return ToStatus(
      table_.FuncSetAttribute(function, attribute, value),
      absl::StrCat("cuFuncSetAttribute(", attribute, ", ", value, ")"));
}

absl::StatusOr<int> DriverApi::OccupancyMaxActiveBlocks(
    cuda::Function function, int threads, size_t dynamic_smem) const {
  int blocks = 0;
  GSA_RETURN_IF_ERROR(ToStatus(
      table_.OccupancyMaxActiveBlocks(&blocks, function, threads, dynamic_smem),
      "cuOccupancyMaxActiveBlocksPerMultiprocessor"));
  return blocks;
}

absl::StatusOr<cuda::DevicePtr> DriverApi::MemAlloc(size_t bytes) const {
  cuda::DevicePtr pointer = 0;
  GSA_RETURN_IF_ERROR(ToStatus(table_.MemAlloc(&pointer, bytes),
                               absl::StrCat("cuMemAlloc(", bytes, " bytes)")));
  return pointer;
}

absl::Status DriverApi::MemFree(cuda::DevicePtr pointer) const {
  return ToStatus(table_.MemFree(pointer), "cuMemFree");
}

absl::Status DriverApi::MemGetInfo(size_t* free, size_t* total) const {
  return ToStatus(table_.MemGetInfo(free, total), "cuMemGetInfo");
}

absl::Status DriverApi::MemcpyHtoDAsync(cuda::DevicePtr destination,
                                        const void* source, size_t bytes,
                                        cuda::Stream stream) const {
  const Result result =
      table_.MemcpyHtoDAsync(destination, source, bytes, stream);
  if (result == cuda::kSuccess) return absl::OkStatus();
  return ToStatus(result, absl::StrCat("cuMemcpyHtoDAsync(", bytes, " bytes)"));
}

absl::Status DriverApi::MemcpyDtoHAsync(void* destination,
                                        cuda::DevicePtr source, size_t bytes,
                                        cuda::Stream stream) const {
  const Result result =
      table_.MemcpyDtoHAsync(destination, source, bytes, stream);
  if (result == cuda::kSuccess) return absl::OkStatus();
  return ToStatus(result, absl::StrCat("cuMemcpyDtoHAsync(", bytes, " bytes)"));
}

absl::Status DriverApi::MemcpyDtoDAsync(cuda::DevicePtr destination,
                                        cuda::DevicePtr source, size_t bytes,
                                        cuda::Stream stream) const {
  const Result result =
      table_.MemcpyDtoDAsync(destination, source, bytes, stream);
  if (result == cuda::kSuccess) return absl::OkStatus();
  return ToStatus(result, absl::StrCat("cuMemcpyDtoDAsync(", bytes, " bytes)"));
}

absl::Status DriverApi::MemsetAsync(cuda::DevicePtr destination,
                                    uint32_t pattern, int element_bytes,
                                    size_t count, cuda::Stream stream) const {
  Result result = cuda::kErrorInvalidValue;
  if (element_bytes == 1)
    result = table_.MemsetD8Async(
        destination, static_cast<unsigned char>(pattern), count, stream);
  if (element_bytes == 2)
    result = table_.MemsetD16Async(
        destination, static_cast<unsigned short>(pattern), count, stream);
  if (element_bytes == 4)
    result = table_.MemsetD32Async(destination, pattern, count, stream);
  if (result == cuda::kSuccess) return absl::OkStatus();
  return ToStatus(result, absl::StrCat("cuMemsetD", 8 * element_bytes, "Async(",
                                       count, " elements)"));
}

absl::StatusOr<PointerInfo> DriverApi::PointerGetInfo(
    cuda::DevicePtr pointer) const {
  unsigned type = 0;
  int device = -1;
  int managed = 0;
  int attributes[] = {cuda::kPointerMemoryType, cuda::kPointerDeviceOrdinal,
                      cuda::kPointerIsManaged};
  void* values[] = {&type, &device, &managed};
  const Result result =
      table_.PointerGetAttributes(3, attributes, values, pointer);
  if (result != cuda::kSuccess)
    return ToStatus(result, "cuPointerGetAttributes");
  PointerInfo info;
  info.type = static_cast<cuda::MemoryType>(type);
  info.device = type == cuda::kMemoryUnknown ? -1 : device;
  info.managed = managed != 0;
  return info;
}

absl::Status DriverApi::CanEncodeTensorMaps() const {
  if (table_.TensorMapEncodeTiled != nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the CUDA driver (", path_,
                   ") lacks cuTensorMapEncodeTiled, expected a driver of CUDA "
                   "12.0 or newer"));
}

absl::Status DriverApi::TensorMapEncodeTiled(cuda::TensorMap* map,
                                             const TensorMapShape& shape,
                                             cuda::DevicePtr address) const {
  if (table_.TensorMapEncodeTiled == nullptr) return CanEncodeTensorMaps();
  const uint32_t every_element[2] = {1, 1};
  const Result result = table_.TensorMapEncodeTiled(
      map, shape.type, 2, reinterpret_cast<void*>(address), shape.sizes,
      &shape.row_pitch, shape.box, every_element,
      cuda::kTensorMapInterleaveNone, shape.swizzle,
      cuda::kTensorMapL2Promotion128, cuda::kTensorMapOobFillNone);
  if (result == cuda::kSuccess) return absl::OkStatus();
  return ToStatus(
      result,
      absl::StrCat("cuTensorMapEncodeTiled(", shape.sizes[1], "x",
                   shape.sizes[0], " elements every ", shape.row_pitch,
                   " bytes, box ", shape.box[1], "x", shape.box[0], ")"));
}

absl::StatusOr<cuda::Stream> DriverApi::StreamCreate(unsigned flags) const {
  cuda::Stream stream = nullptr;
  GSA_RETURN_IF_ERROR(
      ToStatus(table_.StreamCreate(&stream, flags), "cuStreamCreate"));
  return stream;
}

absl::Status DriverApi::StreamDestroy(cuda::Stream stream) const {
  return ToStatus(table_.StreamDestroy(stream), "cuStreamDestroy");
}

absl::Status DriverApi::StreamSynchronize(cuda::Stream stream) const {
  return ToStatus(table_.StreamSynchronize(stream), "cuStreamSynchronize");
}

absl::StatusOr<cuda::CaptureStatus> DriverApi::StreamIsCapturing(
    cuda::Stream stream) const {
  int status = cuda::kCaptureNone;
  const Result result = table_.StreamIsCapturing(stream, &status);
  if (result != cuda::kSuccess) return ToStatus(result, "cuStreamIsCapturing");
  return static_cast<cuda::CaptureStatus>(status);
}

absl::Status DriverApi::StreamWaitEvent(cuda::Stream stream,
                                        cuda::Event event) const {
  return ToStatus(table_.StreamWaitEvent(stream, event, 0),
                  "cuStreamWaitEvent");
}

absl::StatusOr<cuda::Context> DriverApi::StreamGetCtx(
    cuda::Stream stream) const {
  cuda::Context context = nullptr;
  const Result result = table_.StreamGetCtx(stream, &context);
  if (result != cuda::kSuccess) return ToStatus(result, "cuStreamGetCtx");
  return context;
}

bool DriverApi::HasGraphs() const {
  return table_.StreamBeginCapture != nullptr &&
         table_.StreamEndCapture != nullptr && table_.GraphDestroy != nullptr &&
         table_.GraphInstantiate != nullptr && table_.GraphLaunch != nullptr &&
         table_.GraphExecDestroy != nullptr;
}

absl::Status DriverApi::StreamBeginCapture(cuda::Stream stream,
                                           cuda::CaptureMode mode) const {
  return ToStatus(table_.StreamBeginCapture(stream, mode),
                  "cuStreamBeginCapture");
}

absl::StatusOr<cuda::Graph> DriverApi::StreamEndCapture(
    cuda::Stream stream) const {
  cuda::Graph graph = nullptr;
  GSA_RETURN_IF_ERROR(
      ToStatus(table_.StreamEndCapture(stream, &graph), "cuStreamEndCapture"));
  return graph;
}

absl::Status DriverApi::GraphDestroy(cuda::Graph graph) const {
  return ToStatus(table_.GraphDestroy(graph), "cuGraphDestroy");
}

absl::StatusOr<cuda::GraphExec> DriverApi::GraphInstantiate(
    cuda::Graph graph) const {
  cuda::GraphExec exec = nullptr;
  GSA_RETURN_IF_ERROR(
      ToStatus(table_.GraphInstantiate(&exec, graph, 0), "cuGraphInstantiate"));
  return exec;
}

absl::Status DriverApi::GraphLaunch(cuda::GraphExec graph,
                                    cuda::Stream stream) const {
  const Result result = table_.GraphLaunch(graph, stream);
  if (result == cuda::kSuccess) return absl::OkStatus();
  return ToStatus(result, "cuGraphLaunch");
}

absl::Status DriverApi::GraphExecDestroy(cuda::GraphExec graph) const {
  return ToStatus(table_.GraphExecDestroy(graph), "cuGraphExecDestroy");
}

absl::StatusOr<cuda::Event> DriverApi::EventCreate(unsigned flags) const {
  cuda::Event event = nullptr;
  GSA_RETURN_IF_ERROR(
      ToStatus(table_.EventCreate(&event, flags), "cuEventCreate"));
  return event;
}

absl::Status DriverApi::EventDestroy(cuda::Event event) const {
  return ToStatus(table_.EventDestroy(event), "cuEventDestroy");
}

absl::Status DriverApi::EventRecord(cuda::Event event,
                                    cuda::Stream stream) const {
  return ToStatus(table_.EventRecord(event, stream), "cuEventRecord");
}

absl::Status DriverApi::EventSynchronize(cuda::Event event) const {
  return ToStatus(table_.EventSynchronize(event), "cuEventSynchronize");
}

absl::StatusOr<float> DriverApi::EventElapsedMilliseconds(
    cuda::Event start, cuda::Event end) const {
  float milliseconds = 0;
  GSA_RETURN_IF_ERROR(
      ToStatus(table_.EventElapsedTime(&milliseconds, start, end),
               "cuEventElapsedTime"));
  return milliseconds;
}

ScopedContext::ScopedContext(const DriverApi& driver, cuda::Context context)
    : driver_(driver) {
  cuda::Context current = nullptr;
  if (driver.table().CtxGetCurrent(&current) == cuda::kSuccess &&
      current == context)
    return;
  status_ = driver.CtxPushCurrent(context);
  pushed_ = status_.ok();
}

ScopedContext::~ScopedContext() {
  // Fails only where the driver shuts down: nothing is left to restore then.
  if (pushed_) (void)driver_.CtxPopCurrent();
}

ScopedRelaxedCapture::ScopedRelaxedCapture(const DriverApi& driver)
    : driver_(driver), mode_(cuda::kCaptureModeRelaxed) {
  // Where the call fails, so do those that it is for, and say why.
  if (driver_.table().ThreadExchangeStreamCaptureMode(&mode_) != cuda::kSuccess)
    mode_ = cuda::kCaptureModeRelaxed;
}

ScopedRelaxedCapture::~ScopedRelaxedCapture() {
  if (mode_ != cuda::kCaptureModeRelaxed)
    driver_.table().ThreadExchangeStreamCaptureMode(&mode_);
}

}  // namespace gsa
