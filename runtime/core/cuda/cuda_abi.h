// -----------------------------------------------------------------------------
// File: cuda_abi.h
// -----------------------------------------------------------------------------
//
// The part of the binary interfaces of libcuda, libnvrtc and libcublasLt that
// this project calls: handles, constants and function signatures, after
// NVIDIA's documentation of the CUDA driver API, NVRTC and cuBLASLt. Declared
// here so that the project builds where no CUDA toolkit is installed;
// cuda_abi_test compares everything with the toolkit's headers where they are
// found.
//
// Handles are pointers to the tags that NVIDIA's headers use, so that values
// pass between the two without casts. Enumerations are `int` here, which is how
// they are passed.

#ifndef GSA_RUNTIME_CORE_CUDA_CUDA_ABI_H_
#define GSA_RUNTIME_CORE_CUDA_CUDA_ABI_H_

#include <cstddef>
#include <cstdint>

extern "C" {
struct CUctx_st;
struct CUmod_st;
struct CUfunc_st;
struct CUstream_st;
struct CUgraph_st;
struct CUgraphExec_st;
struct CUevent_st;
struct _nvrtcProgram;
struct cublasLtContext;
}

namespace gsa::cuda {

// Driver -----------------------------------------------------------------

using Result = int;          // CUresult
using DeviceHandle = int;    // CUdevice
using DevicePtr = uint64_t;  // CUdeviceptr
using Context = CUctx_st*;
using Module = CUmod_st*;
using Function = CUfunc_st*;
using Stream = CUstream_st*;
using Event = CUevent_st*;
using Graph = CUgraph_st*;
using GraphExec = CUgraphExec_st*;

struct Uuid {
  unsigned char bytes[16];
};

// CUtensorMap: opaque, made by TensorMapEncodeTiled, passed by value. Newer
// headers align it to 128 bytes; the driver asks for 64.
struct alignas(64) TensorMap {
  uint64_t opaque[16];
};

inline constexpr Result kSuccess = 0;
inline constexpr Result kErrorInvalidValue = 1;
inline constexpr Result kErrorOutOfMemory = 2;
inline constexpr Result kErrorNotInitialized = 3;
inline constexpr Result kErrorDeinitialized = 4;
inline constexpr Result kErrorStubLibrary = 34;
inline constexpr Result kErrorDeviceUnavailable = 46;
inline constexpr Result kErrorNoDevice = 100;
inline constexpr Result kErrorInvalidDevice = 101;
inline constexpr Result kErrorInvalidImage = 200;
inline constexpr Result kErrorInvalidContext = 201;
inline constexpr Result kErrorNoBinaryForGpu = 209;
inline constexpr Result kErrorInvalidPtx = 218;
inline constexpr Result kErrorUnsupportedPtxVersion = 222;
inline constexpr Result kErrorNotFound = 500;
inline constexpr Result kErrorNotReady = 600;
inline constexpr Result kErrorIllegalAddress = 700;
inline constexpr Result kErrorLaunchOutOfResources = 701;
inline constexpr Result kErrorLaunchTimeout = 702;
inline constexpr Result kErrorAssert = 710;
inline constexpr Result kErrorHardwareStackError = 714;
inline constexpr Result kErrorIllegalInstruction = 715;
inline constexpr Result kErrorMisalignedAddress = 716;
inline constexpr Result kErrorInvalidAddressSpace = 717;
inline constexpr Result kErrorInvalidPc = 718;
inline constexpr Result kErrorLaunchFailed = 719;
inline constexpr Result kErrorNotSupported = 801;
inline constexpr Result kErrorSystemNotReady = 802;
inline constexpr Result kErrorSystemDriverMismatch = 803;
inline constexpr Result kErrorCompatNotSupported = 804;
inline constexpr Result kErrorStreamCaptureUnsupported = 900;
inline constexpr Result kErrorStreamCaptureInvalidated = 901;
inline constexpr Result kErrorStreamCaptureImplicit = 906;
inline constexpr Result kErrorStreamCaptureWrongThread = 908;

// CUdevice_attribute.
enum DeviceAttribute : int {
  kMaxThreadsPerBlock = 1,
  kMaxGridDimX = 5,
  kMaxGridDimY = 6,
  kMaxGridDimZ = 7,
  kClockRateKhz = 13,
  kMultiprocessorCount = 16,
  kMemoryClockRateKhz = 36,
  kMemoryBusWidthBits = 37,
  kL2CacheBytes = 38,
  kComputeCapabilityMajor = 75,
  kComputeCapabilityMinor = 76,
  kMaxSharedMemoryPerMultiprocessor = 81,
  kMaxRegistersPerMultiprocessor = 82,
  kMaxSharedMemoryPerBlockOptin = 97,
};

// CUfunction_attribute.
enum FunctionAttribute : int {
  kFunctionMaxThreadsPerBlock = 0,
  kFunctionSharedBytes = 1,
  kFunctionLocalBytes = 3,
  kFunctionRegisters = 4,
  kFunctionMaxDynamicSharedBytes = 8,
  kFunctionNonPortableClusterSizeAllowed = 14,
};

// CUpointer_attribute.
enum PointerAttribute : int {
  kPointerMemoryType = 2,
  kPointerIsManaged = 8,
  kPointerDeviceOrdinal = 9,
};

// CUmemorytype; 0 stands for memory that CUDA does not know.
enum MemoryType : unsigned {
  kMemoryUnknown = 0,
  kMemoryHost = 1,
  kMemoryDevice = 2,
};

// CUstreamCaptureStatus.
enum CaptureStatus : int {
  kCaptureNone = 0,
  kCaptureActive = 1,
  kCaptureInvalidated = 2,
};

// CUstreamCaptureMode.
enum CaptureMode : int {
  kCaptureModeGlobal = 0,
  kCaptureModeThreadLocal = 1,
  kCaptureModeRelaxed = 2,
};

// CUtensorMapDataType.
enum TensorMapDataType : int {
  kTensorMapU8 = 0,
  kTensorMapI32 = 3,
  kTensorMapI64 = 5,
  kTensorMapF16 = 6,
  kTensorMapF32 = 7,
  kTensorMapF64 = 8,
  kTensorMapBF16 = 9,
};

// CUtensorMapInterleave, CUtensorMapSwizzle, CUtensorMapL2promotion,
// CUtensorMapFloatOOBfill (none: zeros).
inline constexpr int kTensorMapInterleaveNone = 0;
inline constexpr int kTensorMapSwizzleNone = 0;
inline constexpr int kTensorMapSwizzle128 = 3;
inline constexpr int kTensorMapL2Promotion128 = 2;
inline constexpr int kTensorMapOobFillNone = 0;

// CUlaunchAttribute: of the union of values only what is used here.
struct LaunchAttribute {
  int id;
  char padding[4];
  union {
    int allowed;   // programmaticStreamSerializationAllowed
    int priority;  // of the blocks that wait for SMs
    uint64_t words[8];
  };
};
inline constexpr int kLaunchProgrammaticStreamSerialization = 6;
inline constexpr int kLaunchPriority = 8;

// CUlaunchConfig.
struct LaunchConfig {
  unsigned grid_x, grid_y, grid_z;
  unsigned block_x, block_y, block_z;
  unsigned dynamic_smem;
  Stream stream;
  LaunchAttribute* attributes;
  unsigned num_attributes;
};

// CUstream_flags.
inline constexpr unsigned kStreamNonBlocking = 1;

// CUevent_flags.
inline constexpr unsigned kEventDisableTiming = 2;

// CUjit_option.
enum JitOption : int {
  kJitInfoLogBuffer = 3,
  kJitInfoLogBufferBytes = 4,
  kJitErrorLogBuffer = 5,
  kJitErrorLogBufferBytes = 6,
};

// Every driver function that is called, as X(member, exported name,
// parameters); all return Result. The names with _v2 are the 64-bit forms that
// cuda.h maps the plain names to.
#define GSA_CUDA_DRIVER_FUNCTIONS(X)                                           \
  X(GetErrorName, "cuGetErrorName", (Result, const char**))                    \
  X(GetErrorString, "cuGetErrorString", (Result, const char**))                \
  X(Init, "cuInit", (unsigned))                                                \
  X(DriverGetVersion, "cuDriverGetVersion", (int*))                            \
  X(DeviceGetCount, "cuDeviceGetCount", (int*))                                \
  X(DeviceGet, "cuDeviceGet", (DeviceHandle*, int))                            \
  X(DeviceGetName, "cuDeviceGetName", (char*, int, DeviceHandle))              \
  X(DeviceGetUuid, "cuDeviceGetUuid_v2", (Uuid*, DeviceHandle))                \
  X(DeviceGetAttribute, "cuDeviceGetAttribute", (int*, int, DeviceHandle))     \
  X(DeviceTotalMem, "cuDeviceTotalMem_v2", (size_t*, DeviceHandle))            \
  X(DevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain",                        \
    (Context*, DeviceHandle))                                                  \
  X(DevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2", (DeviceHandle))   \
  X(CtxGetCurrent, "cuCtxGetCurrent", (Context*))                              \
  X(CtxPushCurrent, "cuCtxPushCurrent_v2", (Context))                          \
  X(CtxPopCurrent, "cuCtxPopCurrent_v2", (Context*))                           \
  X(ModuleLoadDataEx, "cuModuleLoadDataEx",                                    \
    (Module*, const void*, unsigned, int*, void**))                            \
  X(ModuleUnload, "cuModuleUnload", (Module))                                  \
  X(ModuleGetFunction, "cuModuleGetFunction",                                  \
    (Function*, Module, const char*))                                          \
  X(FuncGetAttribute, "cuFuncGetAttribute", (int*, int, Function))             \
  X(FuncSetAttribute, "cuFuncSetAttribute", (Function, int, int))              \
  X(OccupancyMaxActiveBlocks, "cuOccupancyMaxActiveBlocksPerMultiprocessor",   \
    (int*, Function, int, size_t))                                             \
  X(LaunchKernel, "cuLaunchKernel",                                            \
    (Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,     \
     unsigned, Stream, void**, void**))                                        \
  X(MemAlloc, "cuMemAlloc_v2", (DevicePtr*, size_t))                           \
  X(MemFree, "cuMemFree_v2", (DevicePtr))                                      \
  X(MemGetInfo, "cuMemGetInfo_v2", (size_t*, size_t*))                         \
  X(MemcpyHtoDAsync, "cuMemcpyHtoDAsync_v2",                                   \
    (DevicePtr, const void*, size_t, Stream))                                  \
  X(MemcpyDtoHAsync, "cuMemcpyDtoHAsync_v2",                                   \
    (void*, DevicePtr, size_t, Stream))                                        \
  X(MemcpyDtoDAsync, "cuMemcpyDtoDAsync_v2",                                   \
    (DevicePtr, DevicePtr, size_t, Stream))                                    \
  X(MemsetD8Async, "cuMemsetD8Async",                                          \
    (DevicePtr, unsigned char, size_t, Stream))                                \
  X(MemsetD16Async, "cuMemsetD16Async",                                        \
    (DevicePtr, unsigned short, size_t, Stream))                               \
  X(MemsetD32Async, "cuMemsetD32Async", (DevicePtr, unsigned, size_t, Stream)) \
  X(PointerGetAttributes, "cuPointerGetAttributes",                            \
    (unsigned, int*, void**, DevicePtr))                                       \
  X(StreamCreate, "cuStreamCreate", (Stream*, unsigned))                       \
  X(StreamDestroy, "cuStreamDestroy_v2", (Stream))                             \
  X(StreamSynchronize, "cuStreamSynchronize", (Stream))                        \
  X(StreamIsCapturing, "cuStreamIsCapturing", (Stream, int*))                  \
  X(StreamWaitEvent, "cuStreamWaitEvent", (Stream, Event, unsigned))           \
  X(ThreadExchangeStreamCaptureMode, "cuThreadExchangeStreamCaptureMode",      \
    (int*))                                                                    \
  X(StreamGetCtx, "cuStreamGetCtx", (Stream, Context*))                        \
  X(EventCreate, "cuEventCreate", (Event*, unsigned))                          \
  X(EventDestroy, "cuEventDestroy_v2", (Event))                                \
  X(EventRecord, "cuEventRecord", (Event, Stream))                             \
  X(EventSynchronize, "cuEventSynchronize", (Event))                           \
  X(EventElapsedTime, "cuEventElapsedTime", (float*, Event, Event))

// Functions of newer drivers; null where the driver lacks them.
#define GSA_CUDA_DRIVER_OPTIONAL_FUNCTIONS(X)                            \
  X(CtxGetStreamPriorityRange, "cuCtxGetStreamPriorityRange",            \
    (int*, int*)) /* CUDA 5.5 */                                         \
  X(FuncGetParamInfo, "cuFuncGetParamInfo",                              \
    (Function, size_t, size_t*, size_t*))                /* CUDA 12.4 */ \
  X(FuncLoad, "cuFuncLoad", (Function))                  /* CUDA 12.4 */ \
  X(GraphDestroy, "cuGraphDestroy", (Graph))             /* CUDA 10.0 */ \
  X(GraphExecDestroy, "cuGraphExecDestroy", (GraphExec)) /* CUDA 10.0 */ \
  X(GraphInstantiate, "cuGraphInstantiateWithFlags",     /* CUDA 11.4 */ \
    (GraphExec*, Graph, unsigned long long))                             \
  X(GraphLaunch, "cuGraphLaunch", (GraphExec, Stream)) /* CUDA 10.0 */   \
  X(LaunchKernelEx, "cuLaunchKernelEx",                /* CUDA 11.8 */   \
    (const LaunchConfig*, Function, void**, void**))                     \
  X(StreamBeginCapture, "cuStreamBeginCapture_v2", /* CUDA 10.1 */       \
    (Stream, int))                                                       \
  X(StreamEndCapture, "cuStreamEndCapture", /* CUDA 10.0 */              \
    (Stream, Graph*))                                                    \
  X(TensorMapEncodeTiled, "cuTensorMapEncodeTiled", /* CUDA 12.0 */      \
    (TensorMap*, int, uint32_t, void*, const uint64_t*, const uint64_t*, \
     const uint32_t*, const uint32_t*, int, int, int, int))

// The driver's functions, by pointer. Tests fill it with functions of their
// own.
struct DriverTable {
// NOLINTBEGIN(readability-identifier-naming): the names of the functions
#define GSA_CUDA_MEMBER(name, symbol, parameters) \
  Result(*name) parameters = nullptr;
  GSA_CUDA_DRIVER_FUNCTIONS(GSA_CUDA_MEMBER)
  GSA_CUDA_DRIVER_OPTIONAL_FUNCTIONS(GSA_CUDA_MEMBER)
#undef GSA_CUDA_MEMBER
  // NOLINTEND(readability-identifier-naming)
};

// NVRTC ------------------------------------------------------------------

using NvrtcResult = int;
using NvrtcProgram = _nvrtcProgram*;

inline constexpr NvrtcResult kNvrtcSuccess = 0;
inline constexpr NvrtcResult kNvrtcOutOfMemory = 1;
inline constexpr NvrtcResult kNvrtcInvalidOption = 5;
inline constexpr NvrtcResult kNvrtcCompilation = 6;
inline constexpr NvrtcResult kNvrtcBuiltinOperationFailure = 7;

// X(member, exported name, return type, parameters).
#define GSA_NVRTC_FUNCTIONS(X)                                               \
  X(GetErrorString, "nvrtcGetErrorString", const char*, (NvrtcResult))       \
  X(Version, "nvrtcVersion", NvrtcResult, (int*, int*))                      \
  X(GetNumSupportedArchs, "nvrtcGetNumSupportedArchs", NvrtcResult, (int*))  \
  X(GetSupportedArchs, "nvrtcGetSupportedArchs", NvrtcResult, (int*))        \
  X(CreateProgram, "nvrtcCreateProgram", NvrtcResult,                        \
    (NvrtcProgram*, const char*, const char*, int, const char* const*,       \
     const char* const*))                                                    \
  X(DestroyProgram, "nvrtcDestroyProgram", NvrtcResult, (NvrtcProgram*))     \
  X(CompileProgram, "nvrtcCompileProgram", NvrtcResult,                      \
    (NvrtcProgram, int, const char* const*))                                 \
  X(GetPTXSize, "nvrtcGetPTXSize", NvrtcResult, (NvrtcProgram, size_t*))     \
  X(GetPTX, "nvrtcGetPTX", NvrtcResult, (NvrtcProgram, char*))               \
  X(GetCUBINSize, "nvrtcGetCUBINSize", NvrtcResult, (NvrtcProgram, size_t*)) \
  X(GetCUBIN, "nvrtcGetCUBIN", NvrtcResult, (NvrtcProgram, char*))           \
  X(GetProgramLogSize, "nvrtcGetProgramLogSize", NvrtcResult,                \
    (NvrtcProgram, size_t*))                                                 \
  X(GetProgramLog, "nvrtcGetProgramLog", NvrtcResult, (NvrtcProgram, char*))

struct NvrtcTable {
// NOLINTBEGIN(readability-identifier-naming): the names of the functions
#define GSA_CUDA_MEMBER(name, symbol, type, parameters) \
  type(*name) parameters = nullptr;
  GSA_NVRTC_FUNCTIONS(GSA_CUDA_MEMBER)
#undef GSA_CUDA_MEMBER
  // NOLINTEND(readability-identifier-naming)
};

// cuBLASLt ---------------------------------------------------------------

using BlasStatus = int;  // cublasStatus_t
using BlasLtHandle = cublasLtContext*;
using BlasLtMatmulDesc = void*;  // pointers to opaque structs
using BlasLtLayout = void*;
using BlasLtPreference = void*;

inline constexpr BlasStatus kBlasSuccess = 0;
inline constexpr BlasStatus kBlasAllocFailed = 3;
inline constexpr BlasStatus kBlasArchMismatch = 8;
inline constexpr BlasStatus kBlasNotSupported = 15;

// cudaDataType_t, cublasComputeType_t, cublasOperation_t.
inline constexpr int kDataF32 = 0;
inline constexpr int kDataF16 = 2;
inline constexpr int kDataBF16 = 14;
inline constexpr int kComputeF32 = 68;
inline constexpr int kComputeF32Pedantic = 69;
inline constexpr int kOpN = 0;
inline constexpr int kOpT = 1;

// cublasLtMatmulDescAttributes_t, cublasLtMatrixLayoutAttribute_t,
// cublasLtMatmulPreferenceAttributes_t.
inline constexpr int kDescTransA = 3;
inline constexpr int kDescTransB = 4;
inline constexpr int kLayoutBatchCount = 5;
inline constexpr int kLayoutBatchStride = 6;
inline constexpr int kPreferenceMaxWorkspaceBytes = 1;
inline constexpr int kPreferenceReductionSchemeMask = 3;
inline constexpr int kPreferenceMinAlignmentA = 5;
inline constexpr int kPreferenceMinAlignmentB = 6;
inline constexpr int kPreferenceMinAlignmentC = 7;
inline constexpr int kPreferenceMinAlignmentD = 8;
// Partial sums of a split product are added in a workspace in a fixed order.
inline constexpr uint32_t kReductionSchemeComputeType = 2;

struct BlasLtAlgo {
  uint64_t data[8];
};

struct BlasLtHeuristicResult {
  BlasLtAlgo algo;
  size_t workspace_bytes;
  BlasStatus state;
  float waves;
  int reserved[4];
};

#define GSA_CUBLASLT_FUNCTIONS(X)                                              \
  X(GetStatusName, "cublasLtGetStatusName", const char*, (BlasStatus))         \
  X(GetVersion, "cublasLtGetVersion", size_t, ())                              \
  X(Create, "cublasLtCreate", BlasStatus, (BlasLtHandle*))                     \
  X(Destroy, "cublasLtDestroy", BlasStatus, (BlasLtHandle))                    \
  X(MatmulDescCreate, "cublasLtMatmulDescCreate", BlasStatus,                  \
    (BlasLtMatmulDesc*, int, int))                                             \
  X(MatmulDescDestroy, "cublasLtMatmulDescDestroy", BlasStatus,                \
    (BlasLtMatmulDesc))                                                        \
  X(MatmulDescSetAttribute, "cublasLtMatmulDescSetAttribute", BlasStatus,      \
    (BlasLtMatmulDesc, int, const void*, size_t))                              \
  X(MatrixLayoutCreate, "cublasLtMatrixLayoutCreate", BlasStatus,              \
    (BlasLtLayout*, int, uint64_t, uint64_t, int64_t))                         \
  X(MatrixLayoutDestroy, "cublasLtMatrixLayoutDestroy", BlasStatus,            \
    (BlasLtLayout))                                                            \
  X(MatrixLayoutSetAttribute, "cublasLtMatrixLayoutSetAttribute", BlasStatus,  \
    (BlasLtLayout, int, const void*, size_t))                                  \
  X(PreferenceCreate, "cublasLtMatmulPreferenceCreate", BlasStatus,            \
    (BlasLtPreference*))                                                       \
  X(PreferenceDestroy, "cublasLtMatmulPreferenceDestroy", BlasStatus,          \
    (BlasLtPreference))                                                        \
  X(PreferenceSetAttribute, "cublasLtMatmulPreferenceSetAttribute",            \
    BlasStatus, (BlasLtPreference, int, const void*, size_t))                  \
  X(MatmulAlgoGetHeuristic, "cublasLtMatmulAlgoGetHeuristic", BlasStatus,      \
    (BlasLtHandle, BlasLtMatmulDesc, BlasLtLayout, BlasLtLayout, BlasLtLayout, \
     BlasLtLayout, BlasLtPreference, int, BlasLtHeuristicResult*, int*))       \
  X(Matmul, "cublasLtMatmul", BlasStatus,                                      \
    (BlasLtHandle, BlasLtMatmulDesc, const void*, const void*, BlasLtLayout,   \
     const void*, BlasLtLayout, const void*, const void*, BlasLtLayout, void*, \
     BlasLtLayout, const BlasLtAlgo*, void*, size_t, Stream))

struct CublasLtTable {
// NOLINTBEGIN(readability-identifier-naming): the names of the functions
#define GSA_CUDA_MEMBER(name, symbol, type, parameters) \
  type(*name) parameters = nullptr;
  GSA_CUBLASLT_FUNCTIONS(GSA_CUDA_MEMBER)
#undef GSA_CUDA_MEMBER
  // NOLINTEND(readability-identifier-naming)
};

}  // namespace gsa::cuda

#endif  // GSA_RUNTIME_CORE_CUDA_CUDA_ABI_H_
