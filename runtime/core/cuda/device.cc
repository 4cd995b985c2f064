// -----------------------------------------------------------------------------
// File: device.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/device.h"

#include <string>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

struct Capability {
  int major, minor;
  const char* arch;
};

constexpr Capability kCapabilities[] = {
    {8, 0, "sm_80"},  {8, 6, "sm_86"},    {8, 9, "sm_89"},
    {9, 0, "sm_90a"}, {10, 0, "sm_100a"}, {12, 0, "sm_120"},
};
constexpr const char* kArchs[] = {"sm_80",  "sm_86",   "sm_89",
                                  "sm_90a", "sm_100a", "sm_120"};

}  // namespace

absl::Span<const char* const> SupportedArchs() { return kArchs; }

absl::StatusOr<std::string> ArchOf(int major, int minor) {
  std::string list;
  for (const Capability& known : kCapabilities) {
    if (known.major == major && known.minor == minor)
      return std::string(known.arch);
    absl::StrAppend(&list, list.empty() ? "" : ", ", known.major, ".",
                    known.minor, " (", known.arch, ")");
  }
  return absl::UnimplementedError(
      absl::StrCat("compute capability ", major, ".", minor,
                   " is not supported, expected one of ", list));
}

absl::StatusOr<DeviceInfo> GetDevice(const DriverApi& driver, int ordinal) {
  GSA_ASSIGN_OR_RETURN(const int count, driver.DeviceGetCount());
  if (ordinal < 0 || ordinal >= count)
    return absl::UnavailableError(
        absl::StrCat("device ", ordinal, " does not exist: the driver shows ",
                     count, count == 1 ? " device" : " devices",
                     count == 0 ? " (is CUDA_VISIBLE_DEVICES empty?)" : ""));
  DeviceInfo info;
  info.ordinal = ordinal;
  GSA_ASSIGN_OR_RETURN(info.handle, driver.DeviceGet(ordinal));
  GSA_ASSIGN_OR_RETURN(info.name, driver.DeviceGetName(info.handle));
  GSA_ASSIGN_OR_RETURN(info.uuid, driver.DeviceGetUuid(info.handle));
  GSA_ASSIGN_OR_RETURN(info.memory_bytes, driver.DeviceTotalMem(info.handle));
  const auto read = [&](cuda::DeviceAttribute attribute, auto* value) {
    auto number = driver.DeviceGetAttribute(attribute, info.handle);
    if (number.ok()) *value = *number;
    return number.status();
  };
  GSA_RETURN_IF_ERROR(read(cuda::kComputeCapabilityMajor, &info.major));
  GSA_RETURN_IF_ERROR(read(cuda::kComputeCapabilityMinor, &info.minor));
  GSA_RETURN_IF_ERROR(read(cuda::kMultiprocessorCount, &info.sm_count));
  GSA_RETURN_IF_ERROR(
      read(cuda::kMaxSharedMemoryPerBlockOptin, &info.max_smem_per_block));
  GSA_RETURN_IF_ERROR(
      read(cuda::kMaxSharedMemoryPerMultiprocessor, &info.smem_per_sm));
  GSA_RETURN_IF_ERROR(
      read(cuda::kMaxRegistersPerMultiprocessor, &info.registers_per_sm));
  GSA_RETURN_IF_ERROR(read(cuda::kL2CacheBytes, &info.l2_bytes));
  GSA_RETURN_IF_ERROR(read(cuda::kClockRateKhz, &info.clock_khz));
  GSA_RETURN_IF_ERROR(read(cuda::kMemoryClockRateKhz, &info.memory_clock_khz));
  GSA_RETURN_IF_ERROR(read(cuda::kMemoryBusWidthBits, &info.memory_bus_bits));
  LaunchLimits& limits = info.limits;
  limits.max_smem_bytes = info.max_smem_per_block;
  GSA_RETURN_IF_ERROR(
      read(cuda::kMaxThreadsPerBlock, &limits.max_threads_per_block));
  GSA_RETURN_IF_ERROR(read(cuda::kMaxGridDimX, &limits.max_grid[0]));
  GSA_RETURN_IF_ERROR(read(cuda::kMaxGridDimY, &limits.max_grid[1]));
  GSA_RETURN_IF_ERROR(read(cuda::kMaxGridDimZ, &limits.max_grid[2]));
  auto arch = ArchOf(info.major, info.minor);
  info.arch = arch.ok() ? *arch : absl::StrCat("sm_", info.major, info.minor);
  return info;
}

absl::StatusOr<std::vector<DeviceInfo>> ListDevices(const DriverApi& driver) {
  GSA_ASSIGN_OR_RETURN(const int count, driver.DeviceGetCount());
  std::vector<DeviceInfo> devices;
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    GSA_ASSIGN_OR_RETURN(DeviceInfo info, GetDevice(driver, ordinal));
    devices.push_back(std::move(info));
  }
  return devices;
}

absl::StatusOr<std::shared_ptr<const PrimaryContext>> PrimaryContext::Retain(
    const DriverApi& driver, const DeviceInfo& device) {
  GSA_ASSIGN_OR_RETURN(const cuda::Context context,
                       driver.DevicePrimaryCtxRetain(device.handle));
  return std::shared_ptr<const PrimaryContext>(
      new PrimaryContext(driver, device, context));
}

PrimaryContext::~PrimaryContext() {
  // Fails only where the driver shuts down.
  driver_.DevicePrimaryCtxRelease(device_).IgnoreError();
}

absl::StatusOr<DeviceBuffer> DeviceBuffer::Allocate(
    std::shared_ptr<const PrimaryContext> context, int64_t bytes) {
  if (bytes < 0)
    return absl::InvalidArgumentError(
        absl::StrCat("buffer of ", bytes, " bytes, expected at least 0"));
  DeviceBuffer buffer;
  if (bytes > 0) {
    const DriverApi& driver = context->driver();
    ScopedContext scope(driver, context->get());
    GSA_RETURN_IF_ERROR(scope.status());
    auto pointer = driver.MemAlloc(bytes);
    if (!pointer.ok()) {
      size_t free = 0, total = 0;
      if (!absl::IsResourceExhausted(pointer.status()) ||
          !driver.MemGetInfo(&free, &total).ok())
        return pointer.status();
      return absl::ResourceExhaustedError(absl::StrCat(
          pointer.status().message(), "; device ", context->ordinal(), " has ",
          free, " of ", total, " bytes free"));
    }
    buffer.pointer_ = *pointer;
  }
  buffer.bytes_ = bytes;
  buffer.context_ = std::move(context);
  return buffer;
}

DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept {
  if (this == &other) return *this;
  Free();
  context_ = std::move(other.context_);
  pointer_ = std::exchange(other.pointer_, 0);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void DeviceBuffer::Free() {
  if (pointer_ == 0) return;
  ScopedContext scope(context_->driver(), context_->get());
  // Fails only where the context is lost, and the memory with it.
  if (scope.status().ok()) context_->driver().MemFree(pointer_).IgnoreError();
  pointer_ = 0;
}

absl::Status DeviceBuffer::CheckRange(int64_t bytes, int64_t offset) const {
  if (bytes >= 0 && offset >= 0 && offset <= bytes_ && bytes <= bytes_ - offset)
    return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("copy of ", bytes, " bytes at byte ", offset,
                   " of a buffer of ", bytes_, " bytes"));
}

absl::Status DeviceBuffer::Upload(const void* source, int64_t bytes,
                                  int64_t offset) {
  GSA_RETURN_IF_ERROR(CheckRange(bytes, offset));
  if (bytes == 0) return absl::OkStatus();
  ScopedContext scope(context_->driver(), context_->get());
  GSA_RETURN_IF_ERROR(scope.status());
  GSA_ASSIGN_OR_RETURN(auto stream, DeviceStream::Create(context_));
  GSA_RETURN_IF_ERROR(context_->driver().MemcpyHtoDAsync(
      pointer_ + offset, source, bytes, stream->get()));
  return stream->Synchronize();
}

absl::Status DeviceBuffer::Download(void* destination, int64_t bytes,
                                    int64_t offset) const {
  GSA_RETURN_IF_ERROR(CheckRange(bytes, offset));
  if (bytes == 0) return absl::OkStatus();
  ScopedContext scope(context_->driver(), context_->get());
  GSA_RETURN_IF_ERROR(scope.status());
  GSA_ASSIGN_OR_RETURN(auto stream, DeviceStream::Create(context_));
  GSA_RETURN_IF_ERROR(context_->driver().MemcpyDtoHAsync(
      destination, pointer_ + offset, bytes, stream->get()));
  return stream->Synchronize();
}

absl::StatusOr<std::unique_ptr<DeviceStream>> DeviceStream::Create(
    std::shared_ptr<const PrimaryContext> context) {
  ScopedContext scope(context->driver(), context->get());
  GSA_RETURN_IF_ERROR(scope.status());
  GSA_ASSIGN_OR_RETURN(
      const cuda::Stream stream,
      context->driver().StreamCreate(cuda::kStreamNonBlocking));
  return absl::WrapUnique(new DeviceStream(std::move(context), stream));
}

DeviceStream::~DeviceStream() {
  ScopedContext scope(context_->driver(), context_->get());
  // Fails only where the context is lost, and the stream with it.
  if (scope.status().ok())
    context_->driver().StreamDestroy(stream_).IgnoreError();
}

absl::Status DeviceStream::Synchronize() const {
  ScopedContext scope(context_->driver(), context_->get());
  GSA_RETURN_IF_ERROR(scope.status());
  return context_->driver().StreamSynchronize(stream_);
}

}  // namespace gsa
