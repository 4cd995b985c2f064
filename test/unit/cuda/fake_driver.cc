// -----------------------------------------------------------------------------
// File: fake_driver.cc
// -----------------------------------------------------------------------------

#include "fake_driver.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"

namespace gsa {
namespace {

FakeDriver* fake = nullptr;
thread_local std::vector<cuda::Context> context_stack;
thread_local int capture_mode = cuda::kCaptureModeGlobal;
// What this thread submits while it captures; null while it does not.
thread_local std::vector<FakeDriver::Node>* captured = nullptr;

// Does the work, now or when the graph is launched.
void Do(std::function<void()> work) {
  if (captured != nullptr)
    captured->push_back({std::nullopt, std::move(work)});
  else
    work();
}

// Whether a call that a capture does not allow is refused.
bool BreaksCapture(bool other_thread_captures) {
  return other_thread_captures && capture_mode != cuda::kCaptureModeRelaxed;
}

cuda::Context ContextOf(int device) {
  return reinterpret_cast<cuda::Context>(uintptr_t{0x1000} + device);
}
int DeviceOf(cuda::Context context) {
  return static_cast<int>(reinterpret_cast<uintptr_t>(context) - 0x1000);
}

}  // namespace

// The functions of the table. Each enters with its name, under the lock.
struct FakeDriverCalls {
  // Records a call; the error to return, if this one is to fail.
  static cuda::Result Enter(const char* name) {
    fake->calls_.push_back(name);
    if (fake->fail_in_ < 0) return cuda::kSuccess;
    if (!fake->fail_function_.empty() && fake->fail_function_ != name)
      return cuda::kSuccess;
    return fake->fail_in_-- == 0 ? fake->fail_with_ : cuda::kSuccess;
  }
  template <typename Handle>
  static Handle NewHandle() {
    return reinterpret_cast<Handle>(fake->next_handle_ += 16);
  }

#define GSA_FAKE_ENTER(name)                                           \
  std::lock_guard<std::mutex> lock(fake->mutex_);                      \
  if (const cuda::Result error = Enter(name); error != cuda::kSuccess) \
  return error

  static cuda::Result GetErrorName(cuda::Result, const char** name) {
    *name = "CUDA_ERROR_OF_TEST";
    return cuda::kSuccess;
  }
  static cuda::Result GetErrorString(cuda::Result, const char** text) {
    *text = "made to fail";
    return cuda::kSuccess;
  }
  static cuda::Result DeviceGetCount(int* count) {
    GSA_FAKE_ENTER("cuDeviceGetCount");
    *count = static_cast<int>(fake->devices_.size());
    return cuda::kSuccess;
  }
  static cuda::Result DeviceGet(cuda::DeviceHandle* device, int ordinal) {
    GSA_FAKE_ENTER("cuDeviceGet");
    *device = ordinal + 40;  // a handle is no ordinal
    return cuda::kSuccess;
  }
  static cuda::Result DeviceGetName(char* name, int size, cuda::DeviceHandle) {
    GSA_FAKE_ENTER("cuDeviceGetName");
    std::strncpy(name, "Fake GPU", size);
    return cuda::kSuccess;
  }
  static cuda::Result DeviceGetUuid(cuda::Uuid* uuid, cuda::DeviceHandle) {
    GSA_FAKE_ENTER("cuDeviceGetUuid");
    for (int i = 0; i < 16; ++i) uuid->bytes[i] = static_cast<uint8_t>(17 * i);
    return cuda::kSuccess;
  }
  static cuda::Result DeviceGetAttribute(int* value, int attribute,
                                         cuda::DeviceHandle handle) {
    GSA_FAKE_ENTER("cuDeviceGetAttribute");
    const FakeDriver::Device& device = fake->devices_[handle - 40];
    const std::map<int, int> values = {
        {cuda::kMaxThreadsPerBlock, 1024},
        {cuda::kMaxGridDimX, 2147483647},
        {cuda::kMaxGridDimY, 65535},
        {cuda::kMaxGridDimZ, 65535},
        {cuda::kMultiprocessorCount, 132},
        {cuda::kL2CacheBytes, 50 << 20},
        {cuda::kComputeCapabilityMajor, device.major},
        {cuda::kComputeCapabilityMinor, device.minor},
        {cuda::kMaxSharedMemoryPerBlockOptin, device.max_smem}};
    const auto it = values.find(attribute);
    *value = it == values.end() ? 1 : it->second;
    return cuda::kSuccess;
  }
  static cuda::Result DeviceTotalMem(size_t* bytes, cuda::DeviceHandle) {
    GSA_FAKE_ENTER("cuDeviceTotalMem");
    *bytes = size_t{1} << 37;
    return cuda::kSuccess;
  }
  static cuda::Result DevicePrimaryCtxRetain(cuda::Context* context,
                                             cuda::DeviceHandle device) {
    GSA_FAKE_ENTER("cuDevicePrimaryCtxRetain");
    ++fake->retained_[device - 40];
    *context = ContextOf(device - 40);
    return cuda::kSuccess;
  }
  // What gives back is never made to fail: a program cannot react.
  static cuda::Result DevicePrimaryCtxRelease(cuda::DeviceHandle device) {
    std::lock_guard<std::mutex> lock(fake->mutex_);
    --fake->retained_[device - 40];
    return cuda::kSuccess;
  }
  static cuda::Result CtxGetCurrent(cuda::Context* context) {
    *context = context_stack.empty() ? nullptr : context_stack.back();
    return cuda::kSuccess;
  }
  static cuda::Result CtxPushCurrent(cuda::Context context) {
    context_stack.push_back(context);
    return cuda::kSuccess;
  }
  static cuda::Result CtxPopCurrent(cuda::Context* context) {
    if (context_stack.empty()) return cuda::kErrorInvalidContext;
    *context = context_stack.back();
    context_stack.pop_back();
    return cuda::kSuccess;
  }
  static cuda::Result ModuleLoadDataEx(cuda::Module* module, const void* image,
                                       unsigned, int*, void**) {
    GSA_FAKE_ENTER("cuModuleLoadDataEx");
    if (BreaksCapture(fake->other_thread_captures))
      return cuda::kErrorStreamCaptureUnsupported;
    if (context_stack.empty()) return cuda::kErrorInvalidContext;
    *module = NewHandle<cuda::Module>();
    fake->modules_[*module].image = static_cast<const char*>(image);
    return cuda::kSuccess;
  }
  static cuda::Result ModuleUnload(cuda::Module module) {
    std::lock_guard<std::mutex> lock(fake->mutex_);
    return fake->modules_.erase(module) ? cuda::kSuccess
                                        : cuda::kErrorInvalidValue;
  }
  static cuda::Result ModuleGetFunction(cuda::Function* function,
                                        cuda::Module module, const char* name) {
    GSA_FAKE_ENTER("cuModuleGetFunction");
    if (fake->modules_.at(module).image.find(name) == std::string::npos ||
        !fake->kernels.count(name))
      return cuda::kErrorNotFound;
    *function = NewHandle<cuda::Function>();
    fake->functions_[*function] = name;
    return cuda::kSuccess;
  }
  static const FakeDriver::Kernel& KernelOf(cuda::Function function) {
    return fake->kernels.at(fake->functions_.at(function));
  }
  static cuda::Result FuncLoad(cuda::Function) {
    GSA_FAKE_ENTER("cuFuncLoad");
    if (BreaksCapture(fake->other_thread_captures))
      return cuda::kErrorStreamCaptureUnsupported;
    return cuda::kSuccess;
  }
  static cuda::Result FuncGetAttribute(int* value, int attribute,
                                       cuda::Function function) {
    GSA_FAKE_ENTER("cuFuncGetAttribute");
    const FakeDriver::Kernel& kernel = KernelOf(function);
    if (attribute == cuda::kFunctionRegisters) *value = kernel.registers;
    if (attribute == cuda::kFunctionSharedBytes) *value = kernel.static_smem;
    if (attribute == cuda::kFunctionMaxThreadsPerBlock)
      *value = kernel.max_threads;
    if (attribute == cuda::kFunctionLocalBytes) *value = 0;
    if (attribute == cuda::kFunctionMaxDynamicSharedBytes)
      *value =
          fake->max_dynamic_smem_.try_emplace(fake->functions_[function], 49152)
              .first->second;
    return cuda::kSuccess;
  }
  static cuda::Result FuncSetAttribute(cuda::Function function, int attribute,
                                       int value) {
    GSA_FAKE_ENTER("cuFuncSetAttribute");
    if (attribute == cuda::kFunctionNonPortableClusterSizeAllowed)
      return value == 0 || value == 1 ? cuda::kSuccess
                                      : cuda::kErrorInvalidValue;
    if (attribute != cuda::kFunctionMaxDynamicSharedBytes)
      return cuda::kErrorInvalidValue;
    fake->max_dynamic_smem_[fake->functions_[function]] = value;
    return cuda::kSuccess;
  }
  static cuda::Result FuncGetParamInfo(cuda::Function function, size_t index,
                                       size_t* offset, size_t* size) {
    std::lock_guard<std::mutex> lock(fake->mutex_);
    const auto& sizes = KernelOf(function).parameter_bytes;
    if (index >= sizes.size()) return cuda::kErrorInvalidValue;
    *offset = 0;
    *size = sizes[index];
    return cuda::kSuccess;
  }
  static cuda::Result OccupancyMaxActiveBlocks(int* blocks,
                                               cuda::Function function, int,
                                               size_t) {
    GSA_FAKE_ENTER("cuOccupancyMaxActiveBlocksPerMultiprocessor");
    *blocks = KernelOf(function).blocks_per_sm;
    return cuda::kSuccess;
  }
  static cuda::Result LaunchKernel(cuda::Function function, unsigned x,
                                   unsigned y, unsigned z, unsigned threads,
                                   unsigned threads_y, unsigned threads_z,
                                   unsigned smem, cuda::Stream stream,
                                   void** parameters, void** extra) {
    GSA_FAKE_ENTER("cuLaunchKernel");
    return Record(function, {x, y, z}, {threads, threads_y, threads_z}, smem,
                  stream, parameters, extra);
  }
  static cuda::Result Record(cuda::Function function,
                             std::array<unsigned, 3> grid,
                             std::array<unsigned, 3> threads, unsigned smem,
                             cuda::Stream stream, void** parameters,
                             void** extra) {
    const std::string symbol = fake->functions_.at(function);
    const auto limit = fake->max_dynamic_smem_.find(symbol);
    if (limit != fake->max_dynamic_smem_.end() &&
        static_cast<int>(smem) > limit->second)
      return cuda::kErrorInvalidValue;
    if (threads[1] != 1 || threads[2] != 1 || extra != nullptr)
      return cuda::kErrorInvalidValue;
    FakeDriver::Launch launch{symbol, grid, threads[0], smem, stream, {}};
    for (size_t i = 0; i < KernelOf(function).parameter_bytes.size(); ++i) {
      uint64_t value = 0;
      std::memcpy(&value, parameters[i],
                  std::min<size_t>(KernelOf(function).parameter_bytes[i], 8));
      launch.arguments.push_back(value);
    }
    std::set<int>& done = fake->done_[stream];
    launch.number = fake->num_launches_++;
    launch.behind = done;
    done.insert(launch.number);
    if (captured != nullptr)
      captured->push_back({std::move(launch), nullptr});
    else
      fake->launches_.push_back(std::move(launch));
    return cuda::kSuccess;
  }
  static cuda::Result CtxGetStreamPriorityRange(int* least, int* greatest) {
    GSA_FAKE_ENTER("cuCtxGetStreamPriorityRange");
    *least = 0;
    *greatest = FakeDriver::kGreatestPriority;
    return cuda::kSuccess;
  }
  // What the attributes of the configuration say is all that is looked at.
  static cuda::Result LaunchKernelEx(const cuda::LaunchConfig* config,
                                     cuda::Function function, void** parameters,
                                     void** extra) {
    GSA_FAKE_ENTER("cuLaunchKernelEx");
    const cuda::Result result =
        Record(function, {config->grid_x, config->grid_y, config->grid_z},
               {config->block_x, config->block_y, config->block_z},
               config->dynamic_smem, config->stream, parameters, extra);
    if (result != cuda::kSuccess) return result;
    FakeDriver::Launch& launch =
        captured != nullptr ? *captured->back().launch : fake->launches_.back();
    for (unsigned i = 0; i < config->num_attributes; ++i) {
      const cuda::LaunchAttribute& attribute = config->attributes[i];
      if (attribute.id == cuda::kLaunchProgrammaticStreamSerialization)
        launch.dependent = attribute.allowed == 1;
      else if (attribute.id == cuda::kLaunchPriority)
        launch.priority = attribute.priority;
      else
        return cuda::kErrorInvalidValue;
    }
    return cuda::kSuccess;
  }
  // The limits of the driver; the map holds nothing but its number.
  static cuda::Result TensorMapEncodeTiled(
      cuda::TensorMap* map, int type, uint32_t rank, void* address,
      const uint64_t* sizes, const uint64_t* strides, const uint32_t* box,
      const uint32_t* element_strides, int interleave, int swizzle,
      int l2_promotion, int oob_fill) {
    GSA_FAKE_ENTER("cuTensorMapEncodeTiled");
    const auto bits = [](const void* pointer) {
      return reinterpret_cast<uint64_t>(pointer);
    };
    if (bits(map) % 64 != 0 || rank != 2 || bits(address) % 16 != 0 ||
        strides[0] % 16 != 0 || element_strides[0] != 1 ||
        element_strides[1] != 1 || interleave != 0 || l2_promotion < 0 ||
        oob_fill != cuda::kTensorMapOobFillNone)
      return cuda::kErrorInvalidValue;
    std::memset(map, 0xa5, sizeof(*map));
    map->opaque[0] = fake->maps_.size();
    fake->maps_.push_back({type, bits(address), sizes[0], sizes[1], strides[0],
                           box[0], box[1], swizzle});
    return cuda::kSuccess;
  }
  static cuda::Result MemAlloc(cuda::DevicePtr* pointer, size_t bytes) {
    GSA_FAKE_ENTER("cuMemAlloc");
    if (BreaksCapture(fake->other_thread_captures))
      return cuda::kErrorStreamCaptureUnsupported;
    if (context_stack.empty()) return cuda::kErrorInvalidContext;
    void* memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    *pointer = reinterpret_cast<cuda::DevicePtr>(memory);
    fake->memory_[*pointer] = {bytes, DeviceOf(context_stack.back())};
    return cuda::kSuccess;
  }
  static cuda::Result MemFree(cuda::DevicePtr pointer) {
    std::lock_guard<std::mutex> lock(fake->mutex_);
    if (!fake->memory_.erase(pointer)) return cuda::kErrorInvalidValue;
    std::free(reinterpret_cast<void*>(pointer));
    return cuda::kSuccess;
  }
  static cuda::Result MemGetInfo(size_t* free, size_t* total) {
    GSA_FAKE_ENTER("cuMemGetInfo");
    *free = 1000;
    *total = 2000;
    return cuda::kSuccess;
  }
  static cuda::Result MemcpyHtoDAsync(cuda::DevicePtr destination,
                                      const void* source, size_t bytes,
                                      cuda::Stream) {
    GSA_FAKE_ENTER("cuMemcpyHtoDAsync");
    std::memcpy(reinterpret_cast<void*>(destination), source, bytes);
    return cuda::kSuccess;
  }
  static cuda::Result MemcpyDtoHAsync(void* destination, cuda::DevicePtr source,
                                      size_t bytes, cuda::Stream) {
    GSA_FAKE_ENTER("cuMemcpyDtoHAsync");
    std::memcpy(destination, reinterpret_cast<void*>(source), bytes);
    return cuda::kSuccess;
  }
  static cuda::Result MemcpyDtoDAsync(cuda::DevicePtr destination,
                                      cuda::DevicePtr source, size_t bytes,
                                      cuda::Stream) {
    GSA_FAKE_ENTER("cuMemcpyDtoDAsync");
    Do([=] {
      std::memcpy(reinterpret_cast<void*>(destination),
                  reinterpret_cast<void*>(source), bytes);
    });
    return cuda::kSuccess;
  }
  template <typename T>
  static void Fill(cuda::DevicePtr destination, T value, size_t count) {
    Do([=] {
      T* elements = reinterpret_cast<T*>(destination);
      for (size_t i = 0; i < count; ++i) elements[i] = value;
    });
  }
  static cuda::Result MemsetD8Async(cuda::DevicePtr destination,
                                    unsigned char value, size_t count,
                                    cuda::Stream) {
    GSA_FAKE_ENTER("cuMemsetD8Async");
    Fill(destination, value, count);
    return cuda::kSuccess;
  }
  static cuda::Result MemsetD16Async(cuda::DevicePtr destination,
                                     unsigned short value, size_t count,
                                     cuda::Stream) {
    GSA_FAKE_ENTER("cuMemsetD16Async");
    Fill(destination, value, count);
    return cuda::kSuccess;
  }
  static cuda::Result MemsetD32Async(cuda::DevicePtr destination,
                                     unsigned value, size_t count,
                                     cuda::Stream) {
    GSA_FAKE_ENTER("cuMemsetD32Async");
    Fill(destination, value, count);
    return cuda::kSuccess;
  }
  static cuda::Result PointerGetAttributes(unsigned count, int* attributes,
                                           void** values,
                                           cuda::DevicePtr pointer) {
    GSA_FAKE_ENTER("cuPointerGetAttributes");
    auto it = fake->memory_.upper_bound(pointer);
    bool known = false;
    int device = 0;
    if (it != fake->memory_.begin()) {
      --it;
      known = pointer < it->first + it->second.first;
      device = it->second.second;
    }
    for (unsigned i = 0; i < count; ++i) {
      if (attributes[i] == cuda::kPointerMemoryType)
        *static_cast<unsigned*>(values[i]) =
            known ? cuda::kMemoryDevice : cuda::kMemoryUnknown;
      if (attributes[i] == cuda::kPointerDeviceOrdinal)
        *static_cast<int*>(values[i]) = device;
      if (attributes[i] == cuda::kPointerIsManaged)
        *static_cast<int*>(values[i]) = 0;
    }
    return cuda::kSuccess;
  }
  static cuda::Result StreamCreate(cuda::Stream* stream, unsigned) {
    GSA_FAKE_ENTER("cuStreamCreate");
    *stream = NewHandle<cuda::Stream>();
    fake->streams_[*stream] = DeviceOf(context_stack.back());
    fake->owned_streams_.insert(*stream);
    return cuda::kSuccess;
  }
  static cuda::Result StreamDestroy(cuda::Stream stream) {
    std::lock_guard<std::mutex> lock(fake->mutex_);
    fake->streams_.erase(stream);
    return fake->owned_streams_.erase(stream) ? cuda::kSuccess
                                              : cuda::kErrorInvalidValue;
  }
  static cuda::Result StreamSynchronize(cuda::Stream) {
    GSA_FAKE_ENTER("cuStreamSynchronize");
    return cuda::kSuccess;
  }
  static cuda::Result StreamIsCapturing(cuda::Stream, int* status) {
    GSA_FAKE_ENTER("cuStreamIsCapturing");
    *status = fake->capture_status;
    return cuda::kSuccess;
  }
  static cuda::Result StreamWaitEvent(cuda::Stream stream, cuda::Event event,
                                      unsigned) {
    GSA_FAKE_ENTER("cuStreamWaitEvent");
    fake->done_[stream].merge(std::set<int>(fake->recorded_[event]));
    return cuda::kSuccess;
  }
  static cuda::Result StreamGetCtx(cuda::Stream stream,
                                   cuda::Context* context) {
    GSA_FAKE_ENTER("cuStreamGetCtx");
    *context = ContextOf(fake->streams_.at(stream));
    return cuda::kSuccess;
  }
  // A capture is of all that this thread submits, on whatever stream: what
  // leaves a capture is for a device to tell.
  static cuda::Result StreamBeginCapture(cuda::Stream, int mode) {
    GSA_FAKE_ENTER("cuStreamBeginCapture_v2");
    if (captured != nullptr || mode != cuda::kCaptureModeRelaxed)
      return cuda::kErrorInvalidValue;
    captured = new std::vector<FakeDriver::Node>;
    return cuda::kSuccess;
  }
  static cuda::Result StreamEndCapture(cuda::Stream origin,
                                       cuda::Graph* graph) {
    std::unique_ptr<std::vector<FakeDriver::Node>> nodes(
        std::exchange(captured, nullptr));
    // Null stands for the stream of a launch of the graph.
    for (FakeDriver::Node& node : *nodes)
      if (node.launch && node.launch->stream == origin)
        node.launch->stream = nullptr;
    GSA_FAKE_ENTER("cuStreamEndCapture");
    *graph = NewHandle<cuda::Graph>();
    fake->graphs_[*graph] = std::move(*nodes);
    return cuda::kSuccess;
  }
  static cuda::Result GraphDestroy(cuda::Graph graph) {
    std::lock_guard<std::mutex> lock(fake->mutex_);
    return fake->graphs_.erase(graph) ? cuda::kSuccess
                                      : cuda::kErrorInvalidValue;
  }
  static cuda::Result GraphInstantiate(cuda::GraphExec* exec, cuda::Graph graph,
                                       unsigned long long) {
    GSA_FAKE_ENTER("cuGraphInstantiateWithFlags");
    if (BreaksCapture(fake->other_thread_captures))
      return cuda::kErrorStreamCaptureUnsupported;
    *exec = NewHandle<cuda::GraphExec>();
    fake->graph_execs_[*exec] = fake->graphs_.at(graph);
    return cuda::kSuccess;
  }
  static cuda::Result GraphExecDestroy(cuda::GraphExec exec) {
    std::lock_guard<std::mutex> lock(fake->mutex_);
    return fake->graph_execs_.erase(exec) ? cuda::kSuccess
                                          : cuda::kErrorInvalidValue;
  }
  // Launches keep the order among themselves, and are behind all that was on
  // the stream.
  static cuda::Result GraphLaunch(cuda::GraphExec exec, cuda::Stream stream) {
    GSA_FAKE_ENTER("cuGraphLaunch");
    const std::set<int> before = fake->done_[stream];
    std::map<int, int> numbers;  // of this launch, by those of the capture
    for (const FakeDriver::Node& node : fake->graph_execs_.at(exec)) {
      if (node.work) node.work();
      if (!node.launch) continue;
      FakeDriver::Launch launch = *node.launch;
      launch.number = fake->num_launches_++;
      if (launch.stream == nullptr) launch.stream = stream;
      launch.behind = before;
      for (int other : node.launch->behind)
        if (numbers.count(other) != 0) launch.behind.insert(numbers[other]);
      numbers[node.launch->number] = launch.number;
      fake->done_[stream].insert(launch.number);
      fake->launches_.push_back(std::move(launch));
    }
    return cuda::kSuccess;
  }
  static cuda::Result EventCreate(cuda::Event* event, unsigned) {
    GSA_FAKE_ENTER("cuEventCreate");
    *event = NewHandle<cuda::Event>();
    fake->events_[*event] = -1;
    return cuda::kSuccess;
  }
  static cuda::Result EventDestroy(cuda::Event event) {
    std::lock_guard<std::mutex> lock(fake->mutex_);
    return fake->events_.erase(event) ? cuda::kSuccess
                                      : cuda::kErrorInvalidValue;
  }
  static cuda::Result EventRecord(cuda::Event event, cuda::Stream stream) {
    GSA_FAKE_ENTER("cuEventRecord");
    fake->recorded_[event] = fake->done_[stream];
    fake->events_.at(event) = fake->clock_++;
    return cuda::kSuccess;
  }
  static cuda::Result EventSynchronize(cuda::Event) {
    GSA_FAKE_ENTER("cuEventSynchronize");
    return cuda::kSuccess;
  }
  static cuda::Result EventElapsedTime(float* milliseconds, cuda::Event start,
                                       cuda::Event end) {
    GSA_FAKE_ENTER("cuEventElapsedTime");
    *milliseconds = fake->event_distance *
                    (fake->events_.at(end) - fake->events_.at(start));
    return cuda::kSuccess;
  }
  // Never made to fail, like what gives back.
  static cuda::Result ThreadExchangeStreamCaptureMode(int* mode) {
    std::swap(*mode, capture_mode);
    return cuda::kSuccess;
  }
  static cuda::Result Init(unsigned) { return cuda::kSuccess; }
  static cuda::Result DriverGetVersion(int* version) {
    *version = 13000;
    return cuda::kSuccess;
  }
#undef GSA_FAKE_ENTER
};

FakeDriver::FakeDriver() : FakeDriver(std::vector<Device>(1)) {}

FakeDriver::FakeDriver(std::vector<Device> devices)
    : devices_(std::move(devices)) {
  if (fake != nullptr) std::abort();
  fake = this;
}

FakeDriver::~FakeDriver() {
  // What a test lost with its context.
  for (const auto& [pointer, bytes] : memory_)
    std::free(reinterpret_cast<void*>(pointer));
  fake = nullptr;
}

cuda::DriverTable FakeDriver::Table(bool with_optional_functions) const {
  cuda::DriverTable table;
#define GSA_FAKE(member, symbol, parameters) \
  table.member = FakeDriverCalls::member;
  GSA_CUDA_DRIVER_FUNCTIONS(GSA_FAKE)
  if (with_optional_functions) {
    GSA_CUDA_DRIVER_OPTIONAL_FUNCTIONS(GSA_FAKE)
  }
#undef GSA_FAKE
  return table;
}

void FakeDriver::FailCall(int index, cuda::Result error, std::string function) {
  std::lock_guard<std::mutex> lock(mutex_);
  fail_in_ = index;
  fail_with_ = error;
  fail_function_ = std::move(function);
}

std::vector<std::string> FakeDriver::TakeCalls() {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(calls_, {});
}

std::vector<FakeDriver::Launch> FakeDriver::TakeLaunches() {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(launches_, {});
}

std::vector<FakeDriver::Map> FakeDriver::TakeMaps() {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(maps_, {});
}

cuda::Stream FakeDriver::StreamOf(int ordinal) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto stream = reinterpret_cast<cuda::Stream>(next_handle_ += 16);
  streams_[stream] = ordinal;
  return stream;
}

std::string FakeDriver::Leaks() const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::string leaks;
  const auto add = [&](size_t count, const char* what) {
    if (count > 0) absl::StrAppend(&leaks, count, " ", what, "; ");
  };
  add(memory_.size(), "allocations");
  add(modules_.size(), "modules");
  add(owned_streams_.size(), "streams");
  add(events_.size(), "events");
  add(graphs_.size(), "graphs");
  add(graph_execs_.size(), "graphs to launch");
  for (const auto& [device, count] : retained_) add(count, "contexts");
  add(context_stack.size(), "contexts current");
  return leaks;
}

absl::StatusOr<CompiledCuda> TextAsImage(const CompileRequest& request) {
  CompiledCuda compiled;
  compiled.image = request.source;
  return compiled;
}

}  // namespace gsa
