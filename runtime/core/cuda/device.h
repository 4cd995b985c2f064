// -----------------------------------------------------------------------------
// File: device.h
// -----------------------------------------------------------------------------
//
// The GPUs of this machine, their primary contexts and memory on them.

#ifndef GSA_RUNTIME_CORE_CUDA_DEVICE_H_
#define GSA_RUNTIME_CORE_CUDA_DEVICE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/core/cuda/device_program.h"
#include "runtime/core/cuda/driver_api.h"

namespace gsa {

struct DeviceInfo {
  int ordinal = 0;
  cuda::DeviceHandle handle = 0;
  std::string name;
  std::string uuid;
  int major = 0, minor = 0;  // compute capability
  // The architecture that kernels are compiled for: "sm_90a" for 9.0. For
  // capabilities that are not supported just "sm_75".
  std::string arch;
  int sm_count = 0;
  int64_t max_smem_per_block = 0;  // after opting in
  int64_t smem_per_sm = 0;
  int64_t registers_per_sm = 0;  // of 32 bits
  int64_t l2_bytes = 0;
  int64_t memory_bytes = 0;
  int64_t clock_khz = 0;  // of the SMs, at most
  int64_t memory_clock_khz = 0;
  int64_t memory_bus_bits = 0;
  LaunchLimits limits;
};

// The architectures that kernels are generated for, in ascending order.
absl::Span<const char* const> SupportedArchs();

// "sm_90a" for 9, 0; Unimplemented names the capability and lists what is
// supported.
absl::StatusOr<std::string> ArchOf(int major, int minor);

// The device. Unavailable where the ordinal is out of range, or there is no
// device; says how many there are.
absl::StatusOr<DeviceInfo> GetDevice(const DriverApi& driver, int ordinal);

// All devices in the order of their ordinals, supported or not; may be empty.
absl::StatusOr<std::vector<DeviceInfo>> ListDevices(const DriverApi& driver);

// The primary context of a device, which the CUDA runtime and torch use too,
// retained while the object lives.
class PrimaryContext {
 public:
  // `driver` must outlive the context.
  static absl::StatusOr<std::shared_ptr<const PrimaryContext>> Retain(
      const DriverApi& driver, const DeviceInfo& device);
  ~PrimaryContext();
  PrimaryContext(const PrimaryContext&) = delete;
  PrimaryContext& operator=(const PrimaryContext&) = delete;

  const DriverApi& driver() const { return driver_; }
  cuda::Context get() const { return context_; }
  int ordinal() const { return ordinal_; }

 private:
  PrimaryContext(const DriverApi& driver, const DeviceInfo& device,
                 cuda::Context context)
      : driver_(driver),
        device_(device.handle),
        ordinal_(device.ordinal),
        context_(context) {}

  const DriverApi& driver_;
  const cuda::DeviceHandle device_;
  const int ordinal_;
  const cuda::Context context_;
};

// Memory on a device, freed at the end. Empty where it has 0 bytes.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  // ResourceExhausted says how much was asked for and how much is free.
  static absl::StatusOr<DeviceBuffer> Allocate(
      std::shared_ptr<const PrimaryContext> context, int64_t bytes);
  ~DeviceBuffer() { Free(); }
  DeviceBuffer(DeviceBuffer&& other) noexcept { *this = std::move(other); }
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;

  cuda::DevicePtr get() const { return pointer_; }
  void* data() const { return reinterpret_cast<void*>(pointer_); }
  int64_t size() const { return bytes_; }

  // Copies between host and device on a stream of their own, which does not
  // wait for work on other streams, and waits for the end of the copy. The
  // ranges must lie within the buffer: InvalidArgument.
  absl::Status Upload(const void* source, int64_t bytes, int64_t offset = 0);
  absl::Status Download(void* destination, int64_t bytes,
                        int64_t offset = 0) const;

 private:
  void Free();
  absl::Status CheckRange(int64_t bytes, int64_t offset) const;

  std::shared_ptr<const PrimaryContext> context_;
  cuda::DevicePtr pointer_ = 0;
  int64_t bytes_ = 0;
};

// A stream of its own, which does not wait for the legacy default stream.
class DeviceStream {
 public:
  static absl::StatusOr<std::unique_ptr<DeviceStream>> Create(
      std::shared_ptr<const PrimaryContext> context);
  ~DeviceStream();
  DeviceStream(const DeviceStream&) = delete;
  DeviceStream& operator=(const DeviceStream&) = delete;

  cuda::Stream get() const { return stream_; }
  absl::Status Synchronize() const;

 private:
  DeviceStream(std::shared_ptr<const PrimaryContext> context,
               cuda::Stream stream)
      : context_(std::move(context)), stream_(stream) {}

  std::shared_ptr<const PrimaryContext> context_;
  cuda::Stream stream_;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_DEVICE_H_
