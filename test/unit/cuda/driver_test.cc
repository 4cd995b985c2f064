// -----------------------------------------------------------------------------
// File: driver_test.cc
// -----------------------------------------------------------------------------
//
// Opening the driver, and its errors as statuses. Where the machine has no
// driver that is what is tested; a driver that works is tested by the tests on
// a device.

#include <string>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/cuda/driver_api.h"
#include "runtime/core/cuda/dynamic_library.h"

namespace gsa {
namespace {

using ::testing::HasSubstr;

cuda::DriverTable NamingTable() {
  cuda::DriverTable table;
  table.GetErrorName = [](int result, const char** name) {
    *name = result == 2     ? "CUDA_ERROR_OUT_OF_MEMORY"
            : result == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS"
                            : nullptr;
    return *name ? cuda::kSuccess : cuda::kErrorInvalidValue;
  };
  table.GetErrorString = [](int result, const char** text) {
    *text = result == 2 ? "out of memory" : nullptr;
    return *text ? cuda::kSuccess : cuda::kErrorInvalidValue;
  };
  return table;
}

TEST(DriverLoad, MissingDriverIsUnavailable) {
  DriverOptions options;
  options.library_path = "/nonexistent/libcuda.so.1";
  auto driver = DriverApi::Load(options);
  ASSERT_FALSE(driver.ok());
  EXPECT_EQ(driver.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(driver.status().message()),
              HasSubstr("/nonexistent/libcuda.so.1"));
}

// The loader finds a driver on this machine or not; the default must agree.
TEST(DriverLoad, DefaultAgreesWithTheMachine) {
  auto library = DynamicLibrary::OpenFirst("CUDA driver", {"libcuda.so.1"});
  auto driver = DriverApi::Default();
  if (!library.ok()) {
    ASSERT_FALSE(driver.ok());
    EXPECT_EQ(driver.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(driver.status().message()),
                HasSubstr("libcuda.so.1"));
  } else if (driver.ok()) {
    EXPECT_EQ(*driver, DriverApi::Default().value());
  }
}

TEST(DriverLoad, LibraryWithoutTheFunctionsIsRefused) {
  DriverOptions options;
  options.library_path = "libc.so.6";
  auto driver = DriverApi::Load(options);
  EXPECT_EQ(driver.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(driver.status().message()),
              HasSubstr("does not export cu"));
}

TEST(DriverErrors, OlderDriversMakeNoTensorMaps) {
  const DriverApi driver(NamingTable(), "libcuda.so.1");
  cuda::TensorMap map;
  const absl::Status status = driver.TensorMapEncodeTiled(&map, {}, 256);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::string(status.message()),
            "the CUDA driver (libcuda.so.1) lacks cuTensorMapEncodeTiled, "
            "expected a driver of CUDA 12.0 or newer");
}

TEST(DriverErrors, NameTheCallAndTheError) {
  cuda::DriverTable table = NamingTable();
  table.MemAlloc = [](cuda::DevicePtr*, size_t) {
    return cuda::kErrorOutOfMemory;
  };
  const DriverApi driver(table);
  auto pointer = driver.MemAlloc(123);
  EXPECT_EQ(pointer.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(std::string(pointer.status().message()),
            "cuMemAlloc(123 bytes) failed with CUDA_ERROR_OUT_OF_MEMORY (2): "
            "out of memory");
}

TEST(DriverErrors, AreClassified) {
  const DriverApi driver(NamingTable());
  const auto code = [&](int result) {
    return driver.ToStatus(result, "call").code();
  };
  EXPECT_TRUE(driver.ToStatus(0, "call").ok());
  EXPECT_EQ(code(cuda::kErrorNoDevice), absl::StatusCode::kUnavailable);
  EXPECT_EQ(code(cuda::kErrorNoBinaryForGpu),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(cuda::kErrorNotFound), absl::StatusCode::kNotFound);
  EXPECT_EQ(code(cuda::kErrorStreamCaptureImplicit),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(12345), absl::StatusCode::kInternal);
  const absl::Status lost =
      driver.ToStatus(cuda::kErrorIllegalAddress, "cuStreamSynchronize");
  EXPECT_EQ(lost.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(lost.message()), HasSubstr("context of this process "
                                                     "is lost"));
}

// Of every error that has a name here: which status it is, and whether it
// loses the context.
TEST(DriverErrors, EachHasItsStatus) {
  using Code = absl::StatusCode;
  struct Case {
    int result;
    Code code;
    bool loses_context;
  };
  const Case cases[] = {
      {cuda::kErrorInvalidValue, Code::kInvalidArgument, false},
      {cuda::kErrorOutOfMemory, Code::kResourceExhausted, false},
      {cuda::kErrorNotInitialized, Code::kUnavailable, false},
      {cuda::kErrorDeinitialized, Code::kUnavailable, false},
      {cuda::kErrorStubLibrary, Code::kUnavailable, false},
      {cuda::kErrorDeviceUnavailable, Code::kUnavailable, false},
      {cuda::kErrorNoDevice, Code::kUnavailable, false},
      {cuda::kErrorInvalidDevice, Code::kInvalidArgument, false},
      {cuda::kErrorInvalidImage, Code::kInvalidArgument, false},
      {cuda::kErrorInvalidContext, Code::kInvalidArgument, false},
      {cuda::kErrorNoBinaryForGpu, Code::kFailedPrecondition, false},
      {cuda::kErrorInvalidPtx, Code::kInvalidArgument, false},
      {cuda::kErrorUnsupportedPtxVersion, Code::kFailedPrecondition, false},
      {cuda::kErrorNotFound, Code::kNotFound, false},
      {cuda::kErrorNotReady, Code::kInternal, false},
      {cuda::kErrorIllegalAddress, Code::kInternal, true},
      {cuda::kErrorLaunchOutOfResources, Code::kResourceExhausted, false},
      {cuda::kErrorLaunchTimeout, Code::kInternal, true},
      {cuda::kErrorAssert, Code::kInternal, true},
      {cuda::kErrorHardwareStackError, Code::kInternal, true},
      {cuda::kErrorIllegalInstruction, Code::kInternal, true},
      {cuda::kErrorMisalignedAddress, Code::kInternal, true},
      {cuda::kErrorInvalidAddressSpace, Code::kInternal, true},
      {cuda::kErrorInvalidPc, Code::kInternal, true},
      {cuda::kErrorLaunchFailed, Code::kInternal, true},
      {cuda::kErrorNotSupported, Code::kUnimplemented, false},
      {cuda::kErrorSystemNotReady, Code::kUnavailable, false},
      {cuda::kErrorSystemDriverMismatch, Code::kUnavailable, false},
      {cuda::kErrorCompatNotSupported, Code::kUnavailable, false},
      {cuda::kErrorStreamCaptureUnsupported, Code::kFailedPrecondition, false},
      {cuda::kErrorStreamCaptureInvalidated, Code::kFailedPrecondition, false},
      {cuda::kErrorStreamCaptureImplicit, Code::kFailedPrecondition, false},
      {cuda::kErrorStreamCaptureWrongThread, Code::kFailedPrecondition, false},
      {cuda::kErrorStreamCaptureUnsupported - 1, Code::kInternal, false},
      {cuda::kErrorStreamCaptureWrongThread + 1, Code::kInternal, false},
  };
  const DriverApi driver(NamingTable());
  for (const Case& c : cases) {
    const absl::Status status = driver.ToStatus(c.result, "call");
    EXPECT_EQ(status.code(), c.code) << c.result;
    EXPECT_EQ(LosesContext(status), c.loses_context) << c.result;
    EXPECT_EQ(absl::StrContains(status.message(), "is lost"), c.loses_context)
        << c.result;
  }
  EXPECT_FALSE(LosesContext(absl::InternalError("of something else")));
}

// What the driver says of a module is beside the mark of a lost context.
TEST(DriverErrors, AModuleThatLosesTheContextSaysSo) {
  cuda::DriverTable table = NamingTable();
  table.ModuleLoadDataEx = [](cuda::Module*, const void*, unsigned, int*,
                              void** values) {
    std::string("a log").copy(static_cast<char*>(values[0]), 100);
    return cuda::kErrorLaunchFailed;
  };
  const absl::Status status = DriverApi(table).ModuleLoadData("x").status();
  EXPECT_TRUE(LosesContext(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("a log"));
}

TEST(DriverErrors, InitTellsOfForkedProcesses) {
  cuda::DriverTable table = NamingTable();
  table.Init = [](unsigned) { return cuda::kErrorNotInitialized; };
  const absl::Status status = DriverApi(table, "libcuda.so.1").Init();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("forked"));
}

TEST(DriverErrors, ModuleLoadReturnsTheLog) {
  cuda::DriverTable table = NamingTable();
  table.ModuleLoadDataEx = [](cuda::Module*, const void*, unsigned count,
                              int* options, void** values) {
    EXPECT_EQ(count, 2u);
    EXPECT_EQ(options[0], cuda::kJitErrorLogBuffer);
    EXPECT_GT(reinterpret_cast<uintptr_t>(values[1]), 100u);
    std::string("ptxas fatal: line 3").copy(static_cast<char*>(values[0]), 100);
    return cuda::kErrorInvalidPtx;
  };
  auto module = DriverApi(table).ModuleLoadData("no ptx");
  EXPECT_EQ(module.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(module.status().message()),
              HasSubstr("ptxas fatal: line 3"));
}

TEST(DriverErrors, UnknownPointersHaveNoDevice) {
  cuda::DriverTable table = NamingTable();
  table.PointerGetAttributes = [](unsigned, int*, void** values,
                                  cuda::DevicePtr) {
    *static_cast<unsigned*>(values[0]) = 0;
    *static_cast<int*>(values[1]) = 0;
    return cuda::kSuccess;
  };
  auto info = DriverApi(table).PointerGetInfo(16);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->device, -1);
  EXPECT_EQ(info->type, cuda::kMemoryUnknown);
}

// Contexts of the calling thread, as the driver stacks them.
int pushes = 0;
cuda::Context current = nullptr;

TEST(ScopedContextTest, PushesOnlyWhatIsNotCurrent) {
  cuda::DriverTable table = NamingTable();
  pushes = 0;
  current = nullptr;
  table.CtxGetCurrent = [](cuda::Context* context) {
    *context = current;
    return cuda::kSuccess;
  };
  table.CtxPushCurrent = [](cuda::Context context) {
    ++pushes;
    current = context;
    return cuda::kSuccess;
  };
  table.CtxPopCurrent = [](cuda::Context* context) {
    *context = current;
    current = nullptr;
    return cuda::kSuccess;
  };
  const DriverApi driver(table);
  const auto context = reinterpret_cast<cuda::Context>(64);
  {
    ScopedContext outer(driver, context);
    EXPECT_TRUE(outer.status().ok());
    ScopedContext inner(driver, context);
    EXPECT_TRUE(inner.status().ok());
    EXPECT_EQ(pushes, 1);
    EXPECT_EQ(current, context);
  }
  EXPECT_EQ(current, nullptr);
}

}  // namespace
}  // namespace gsa
