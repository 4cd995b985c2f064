// -----------------------------------------------------------------------------
// File: driver_api.h
// -----------------------------------------------------------------------------
//
// The CUDA driver, opened at run time, with absl::Status in place of result
// codes. Methods are named after the driver's functions without "cu" and behave
// like them. Errors name the call, the driver's error and its description.
//
//   OUT_OF_MEMORY                          ResourceExhausted
//   NO_DEVICE, NOT_INITIALIZED, ...        Unavailable
//   NO_BINARY_FOR_GPU, stream capture ...  FailedPrecondition
//   NOT_FOUND                              NotFound
//   INVALID_...                            InvalidArgument
//   ILLEGAL_ADDRESS, LAUNCH_FAILED, ...    Internal; the message says that the
//                                          context is lost
//
// Thread safe.

#ifndef GSA_RUNTIME_CORE_CUDA_DRIVER_API_H_
#define GSA_RUNTIME_CORE_CUDA_DRIVER_API_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/core/cuda/cuda_abi.h"
#include "runtime/core/fork_guard.h"

namespace gsa {

struct DriverOptions {
  // The driver library; empty: libcuda.so.1 by the loader's search.
  std::string library_path;
};

// A row-major matrix in device memory and the box of it that one load copies,
// as cuTensorMapEncodeTiled takes them: columns first.
struct TensorMapShape {
  cuda::TensorMapDataType type = cuda::kTensorMapBF16;
  uint64_t sizes[2] = {0, 0};  // columns, rows
  uint64_t row_pitch = 0;      // bytes
  uint32_t box[2] = {0, 0};    // columns, rows
  int swizzle = cuda::kTensorMapSwizzleNone;
};

// Where a pointer points to. `device` is -1 for memory that CUDA does not know.
struct PointerInfo {
  cuda::MemoryType type = cuda::kMemoryUnknown;
  int device = -1;
  bool managed = false;
};

class DriverApi {
 public:
  // Opens the driver and initialises it. Unavailable where there is no driver
  // or no device, or the driver does not work on this machine; says what was
  // tried.
  static absl::StatusOr<std::unique_ptr<DriverApi>> Load(
      const DriverOptions& options = {});

  // The driver of this process, opened by the first call. A failure is not
  // kept: the next call tries again. Never destroyed.
  static absl::StatusOr<const DriverApi*> Default();

  // A driver made of the functions of `table`, which Init has not been called
  // of; for tests.
  explicit DriverApi(const cuda::DriverTable& table,
                     std::string path = "a table of functions")
      : table_(table), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  const cuda::DriverTable& table() const { return table_; }

  // OK, or the error of `call` ("cuMemAlloc(64 bytes)").
  absl::Status ToStatus(cuda::Result result, absl::string_view call) const;

  absl::Status Init() const;
  // 13000 for CUDA 13.0.
  absl::StatusOr<int> DriverGetVersion() const;
  absl::StatusOr<int> DeviceGetCount() const;
  absl::StatusOr<cuda::DeviceHandle> DeviceGet(int ordinal) const;
  absl::StatusOr<std::string> DeviceGetName(cuda::DeviceHandle device) const;
  // "GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", as nvidia-smi prints it.
  absl::StatusOr<std::string> DeviceGetUuid(cuda::DeviceHandle device) const;
  absl::StatusOr<int> DeviceGetAttribute(cuda::DeviceAttribute attribute,
                                         cuda::DeviceHandle device) const;
  absl::StatusOr<int64_t> DeviceTotalMem(cuda::DeviceHandle device) const;

  absl::StatusOr<cuda::Context> DevicePrimaryCtxRetain(
      cuda::DeviceHandle device) const;
  absl::Status DevicePrimaryCtxRelease(cuda::DeviceHandle device) const;
  absl::StatusOr<cuda::Context> CtxGetCurrent() const;
  absl::Status CtxPushCurrent(cuda::Context context) const;
  absl::Status CtxPopCurrent() const;

  // Loads a cubin or PTX text. The error holds what the driver's own compiler
  // or linker says.
  absl::StatusOr<cuda::Module> ModuleLoadData(const std::string& image) const;
  absl::Status ModuleUnload(cuda::Module module) const;
  absl::StatusOr<cuda::Function> ModuleGetFunction(
      cuda::Module module, const std::string& name) const;
  absl::StatusOr<int> FuncGetAttribute(cuda::FunctionAttribute attribute,
                                       cuda::Function function) const;
  absl::Status FuncSetAttribute(cuda::Function function,
                                cuda::FunctionAttribute attribute,
                                int value) const;
  absl::StatusOr<int> OccupancyMaxActiveBlocks(cuda::Function function,
                                               int threads,
                                               size_t dynamic_smem) const;

  absl::StatusOr<cuda::DevicePtr> MemAlloc(size_t bytes) const;
  absl::Status MemFree(cuda::DevicePtr pointer) const;
  // Bytes free and in total on the device of the current context.
  absl::Status MemGetInfo(size_t* free, size_t* total) const;
  absl::Status MemcpyHtoDAsync(cuda::DevicePtr destination, const void* source,
                               size_t bytes, cuda::Stream stream) const;
  absl::Status MemcpyDtoHAsync(void* destination, cuda::DevicePtr source,
                               size_t bytes, cuda::Stream stream) const;
  absl::Status MemcpyDtoDAsync(cuda::DevicePtr destination,
                               cuda::DevicePtr source, size_t bytes,
                               cuda::Stream stream) const;
  // `element_bytes` is 1, 2 or 4; the low bytes of `pattern` are written.
  absl::Status MemsetAsync(cuda::DevicePtr destination, uint32_t pattern,
                           int element_bytes, size_t count,
                           cuda::Stream stream) const;
  absl::StatusOr<PointerInfo> PointerGetInfo(cuda::DevicePtr pointer) const;
  // A map of the matrix at `address`; what a box holds of outside is zeros.
  // Does nothing on the device. Where the driver lacks the function, the error
  // of CanEncodeTensorMaps: FailedPrecondition.
  absl::Status TensorMapEncodeTiled(cuda::TensorMap* map,
                                    const TensorMapShape& shape,
                                    cuda::DevicePtr address) const;
  absl::Status CanEncodeTensorMaps() const;

  absl::StatusOr<cuda::Stream> StreamCreate(unsigned flags) const;
  absl::Status StreamDestroy(cuda::Stream stream) const;
  absl::Status StreamSynchronize(cuda::Stream stream) const;
  absl::StatusOr<cuda::CaptureStatus> StreamIsCapturing(
      cuda::Stream stream) const;
  // What is submitted to `stream` from now on runs behind what `event` has
  // recorded by now.
  absl::Status StreamWaitEvent(cuda::Stream stream, cuda::Event event) const;
  absl::StatusOr<cuda::Context> StreamGetCtx(cuda::Stream stream) const;

  // Whether the driver has what the calls below need: CUDA 11.4.
  bool HasGraphs() const;
  // What is submitted to `stream` from now on is recorded, and done by nobody.
  absl::Status StreamBeginCapture(cuda::Stream stream,
                                  cuda::CaptureMode mode) const;
  // What was recorded; the capture has ended in any case.
  absl::StatusOr<cuda::Graph> StreamEndCapture(cuda::Stream stream) const;
  absl::Status GraphDestroy(cuda::Graph graph) const;
  absl::StatusOr<cuda::GraphExec> GraphInstantiate(cuda::Graph graph) const;
  // Of one graph by one thread at a time.
  absl::Status GraphLaunch(cuda::GraphExec graph, cuda::Stream stream) const;
  // Launches that have begun end all the same.
  absl::Status GraphExecDestroy(cuda::GraphExec graph) const;

  absl::StatusOr<cuda::Event> EventCreate(unsigned flags) const;
  absl::Status EventDestroy(cuda::Event event) const;
  absl::Status EventRecord(cuda::Event event, cuda::Stream stream) const;
  absl::Status EventSynchronize(cuda::Event event) const;
  absl::StatusOr<float> EventElapsedMilliseconds(cuda::Event start,
                                                 cuda::Event end) const;

 private:
  cuda::DriverTable table_;
  std::string path_;
  ForkGuard fork_guard_;
};

// Whether an error of the driver is one after which every further call in the
// context fails.
bool LosesContext(const absl::Status& status);

// Makes a context current for the calling thread while the object lives. Costs
// two calls of the driver where it is not current already.
class ScopedContext {
 public:
  ScopedContext(const DriverApi& driver, cuda::Context context);
  ~ScopedContext();
  ScopedContext(const ScopedContext&) = delete;
  ScopedContext& operator=(const ScopedContext&) = delete;

  // Whether the context is current now.
  const absl::Status& status() const { return status_; }

 private:
  const DriverApi& driver_;
  absl::Status status_;
  bool pushed_ = false;
};

// Lets the calling thread load, allocate and wait while another thread captures
// a stream: in the mode that captures have by default such calls are refused
// and break the capture. For calls that touch no captured stream.
class ScopedRelaxedCapture {
 public:
  explicit ScopedRelaxedCapture(const DriverApi& driver);
  ~ScopedRelaxedCapture();
  ScopedRelaxedCapture(const ScopedRelaxedCapture&) = delete;
  ScopedRelaxedCapture& operator=(const ScopedRelaxedCapture&) = delete;

 private:
  const DriverApi& driver_;
  int mode_;  // of the thread before, to restore
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_DRIVER_API_H_
