// -----------------------------------------------------------------------------
// File: abi_test.cc
// -----------------------------------------------------------------------------
//
// The declarations of cuda_abi.h against NVIDIA's headers, where the build
// finds them (GSA_HAVE_CUDA_HEADERS): constants by value, structs by layout,
// functions by the size and kind of each parameter, which is what passes by
// register.

#include <type_traits>

#include "gtest/gtest.h"
#include "runtime/core/cuda/cuda_abi.h"

#ifdef GSA_HAVE_CUDA_HEADERS
#include <cublasLt.h>
#include <cuda.h>
#include <nvrtc.h>
#endif

namespace gsa::cuda {
namespace {

#ifdef GSA_HAVE_CUDA_HEADERS

// Equal where a value of A passes as a value of B does.
template <typename A, typename B>
constexpr bool SamePassing() {
  if constexpr (std::is_pointer_v<A> || std::is_pointer_v<B>) {
    return std::is_pointer_v<A> && std::is_pointer_v<B>;
  } else {
    return sizeof(A) == sizeof(B) &&
           std::is_floating_point_v<A> == std::is_floating_point_v<B>;
  }
}

template <typename F, typename G>
struct SameSignature : std::false_type {};
template <typename R, typename S, typename... A, typename... B>
  requires(sizeof...(A) == sizeof...(B))
struct SameSignature<R (*)(A...), S (*)(B...)>
    : std::bool_constant<SamePassing<R, S>() && (SamePassing<A, B>() && ...)> {
};

// cuda.h maps cuMemAlloc to cuMemAlloc_v2: the table's member is compared with
// what the plain name means.
#define GSA_SAME(member, function)                           \
  static_assert(SameSignature<decltype(DriverTable::member), \
                              decltype(&function)>::value,   \
                #function)
GSA_SAME(GetErrorName, cuGetErrorName);
GSA_SAME(GetErrorString, cuGetErrorString);
GSA_SAME(Init, cuInit);
GSA_SAME(DriverGetVersion, cuDriverGetVersion);
GSA_SAME(DeviceGetCount, cuDeviceGetCount);
GSA_SAME(DeviceGet, cuDeviceGet);
GSA_SAME(DeviceGetName, cuDeviceGetName);
GSA_SAME(DeviceGetUuid, cuDeviceGetUuid);
GSA_SAME(DeviceGetAttribute, cuDeviceGetAttribute);
GSA_SAME(DeviceTotalMem, cuDeviceTotalMem);
GSA_SAME(DevicePrimaryCtxRetain, cuDevicePrimaryCtxRetain);
GSA_SAME(DevicePrimaryCtxRelease, cuDevicePrimaryCtxRelease);
GSA_SAME(CtxGetCurrent, cuCtxGetCurrent);
GSA_SAME(CtxPushCurrent, cuCtxPushCurrent);
GSA_SAME(CtxPopCurrent, cuCtxPopCurrent);
GSA_SAME(ModuleLoadDataEx, cuModuleLoadDataEx);
GSA_SAME(ModuleUnload, cuModuleUnload);
GSA_SAME(ModuleGetFunction, cuModuleGetFunction);
GSA_SAME(FuncGetAttribute, cuFuncGetAttribute);
GSA_SAME(FuncSetAttribute, cuFuncSetAttribute);
GSA_SAME(OccupancyMaxActiveBlocks, cuOccupancyMaxActiveBlocksPerMultiprocessor);
GSA_SAME(LaunchKernel, cuLaunchKernel);
GSA_SAME(MemAlloc, cuMemAlloc);
GSA_SAME(MemFree, cuMemFree);
GSA_SAME(MemGetInfo, cuMemGetInfo);
GSA_SAME(MemcpyHtoDAsync, cuMemcpyHtoDAsync);
GSA_SAME(MemcpyDtoHAsync, cuMemcpyDtoHAsync);
GSA_SAME(MemcpyDtoDAsync, cuMemcpyDtoDAsync);
GSA_SAME(MemsetD8Async, cuMemsetD8Async);
GSA_SAME(MemsetD16Async, cuMemsetD16Async);
GSA_SAME(MemsetD32Async, cuMemsetD32Async);
GSA_SAME(PointerGetAttributes, cuPointerGetAttributes);
GSA_SAME(StreamCreate, cuStreamCreate);
GSA_SAME(StreamDestroy, cuStreamDestroy);
GSA_SAME(StreamSynchronize, cuStreamSynchronize);
GSA_SAME(StreamIsCapturing, cuStreamIsCapturing);
GSA_SAME(StreamWaitEvent, cuStreamWaitEvent);
GSA_SAME(EventCreate, cuEventCreate);
GSA_SAME(EventDestroy, cuEventDestroy);
GSA_SAME(EventRecord, cuEventRecord);
GSA_SAME(EventSynchronize, cuEventSynchronize);
GSA_SAME(EventElapsedTime, cuEventElapsedTime);
GSA_SAME(FuncGetParamInfo, cuFuncGetParamInfo);
GSA_SAME(FuncLoad, cuFuncLoad);
GSA_SAME(LaunchKernelEx, cuLaunchKernelEx);
GSA_SAME(CtxGetStreamPriorityRange, cuCtxGetStreamPriorityRange);
GSA_SAME(TensorMapEncodeTiled, cuTensorMapEncodeTiled);
GSA_SAME(StreamBeginCapture, cuStreamBeginCapture);
GSA_SAME(StreamEndCapture, cuStreamEndCapture);
GSA_SAME(GraphDestroy, cuGraphDestroy);
GSA_SAME(GraphExecDestroy, cuGraphExecDestroy);
GSA_SAME(GraphInstantiate, cuGraphInstantiateWithFlags);
GSA_SAME(GraphLaunch, cuGraphLaunch);
// cuStreamGetCtx has a second form with three parameters that newer headers may
// map the plain name to; the exported plain name has two.
static_assert(sizeof(Uuid) == sizeof(CUuuid));
static_assert(sizeof(TensorMap) == sizeof(CUtensorMap));
// Older headers say 64, newer ones 128; the driver's documentation says 64.
static_assert(alignof(CUtensorMap) % alignof(TensorMap) == 0);
static_assert(sizeof(LaunchAttribute) == sizeof(CUlaunchAttribute));
static_assert(offsetof(LaunchAttribute, allowed) ==
              offsetof(CUlaunchAttribute, value));
static_assert(kLaunchProgrammaticStreamSerialization ==
              CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION);
static_assert(kLaunchPriority == CU_LAUNCH_ATTRIBUTE_PRIORITY);
static_assert(sizeof(LaunchConfig) == sizeof(CUlaunchConfig));
static_assert(offsetof(LaunchConfig, stream) ==
              offsetof(CUlaunchConfig, hStream));
static_assert(offsetof(LaunchConfig, attributes) ==
              offsetof(CUlaunchConfig, attrs));
static_assert(offsetof(LaunchConfig, num_attributes) ==
              offsetof(CUlaunchConfig, numAttrs));
static_assert(std::is_same_v<Context, CUcontext>);
static_assert(std::is_same_v<Module, CUmodule>);
static_assert(std::is_same_v<Function, CUfunction>);
static_assert(std::is_same_v<Stream, CUstream>);
static_assert(std::is_same_v<Graph, CUgraph>);
static_assert(std::is_same_v<GraphExec, CUgraphExec>);
static_assert(std::is_same_v<Event, CUevent>);
static_assert(sizeof(DevicePtr) == sizeof(CUdeviceptr));
#undef GSA_SAME

#define GSA_SAME(member, function)                                             \
  static_assert(                                                               \
      SameSignature<decltype(NvrtcTable::member), decltype(&function)>::value, \
      #function)
GSA_SAME(GetErrorString, nvrtcGetErrorString);
GSA_SAME(Version, nvrtcVersion);
GSA_SAME(GetNumSupportedArchs, nvrtcGetNumSupportedArchs);
GSA_SAME(GetSupportedArchs, nvrtcGetSupportedArchs);
GSA_SAME(CreateProgram, nvrtcCreateProgram);
GSA_SAME(DestroyProgram, nvrtcDestroyProgram);
GSA_SAME(CompileProgram, nvrtcCompileProgram);
GSA_SAME(GetPTXSize, nvrtcGetPTXSize);
GSA_SAME(GetPTX, nvrtcGetPTX);
GSA_SAME(GetCUBINSize, nvrtcGetCUBINSize);
GSA_SAME(GetCUBIN, nvrtcGetCUBIN);
GSA_SAME(GetProgramLogSize, nvrtcGetProgramLogSize);
GSA_SAME(GetProgramLog, nvrtcGetProgramLog);
#undef GSA_SAME

#define GSA_SAME(member, function)                             \
  static_assert(SameSignature<decltype(CublasLtTable::member), \
                              decltype(&function)>::value,     \
                #function)
GSA_SAME(GetStatusName, cublasLtGetStatusName);
GSA_SAME(GetVersion, cublasLtGetVersion);
GSA_SAME(Create, cublasLtCreate);
GSA_SAME(Destroy, cublasLtDestroy);
GSA_SAME(MatmulDescCreate, cublasLtMatmulDescCreate);
GSA_SAME(MatmulDescDestroy, cublasLtMatmulDescDestroy);
GSA_SAME(MatmulDescSetAttribute, cublasLtMatmulDescSetAttribute);
GSA_SAME(MatrixLayoutCreate, cublasLtMatrixLayoutCreate);
GSA_SAME(MatrixLayoutDestroy, cublasLtMatrixLayoutDestroy);
GSA_SAME(MatrixLayoutSetAttribute, cublasLtMatrixLayoutSetAttribute);
GSA_SAME(PreferenceCreate, cublasLtMatmulPreferenceCreate);
GSA_SAME(PreferenceDestroy, cublasLtMatmulPreferenceDestroy);
GSA_SAME(PreferenceSetAttribute, cublasLtMatmulPreferenceSetAttribute);
GSA_SAME(MatmulAlgoGetHeuristic, cublasLtMatmulAlgoGetHeuristic);
GSA_SAME(Matmul, cublasLtMatmul);
#undef GSA_SAME
static_assert(sizeof(BlasLtAlgo) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(BlasLtHeuristicResult) ==
              sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(BlasLtHeuristicResult, workspace_bytes) ==
              offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
static_assert(offsetof(BlasLtHeuristicResult, state) ==
              offsetof(cublasLtMatmulHeuristicResult_t, state));

TEST(CudaAbi, ResultsAreThoseOfTheHeaders) {
  EXPECT_EQ(kSuccess, CUDA_SUCCESS);
  EXPECT_EQ(kErrorInvalidValue, CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(kErrorOutOfMemory, CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(kErrorNotInitialized, CUDA_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(kErrorDeinitialized, CUDA_ERROR_DEINITIALIZED);
  EXPECT_EQ(kErrorStubLibrary, CUDA_ERROR_STUB_LIBRARY);
  EXPECT_EQ(kErrorDeviceUnavailable, CUDA_ERROR_DEVICE_UNAVAILABLE);
  EXPECT_EQ(kErrorNoDevice, CUDA_ERROR_NO_DEVICE);
  EXPECT_EQ(kErrorInvalidDevice, CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(kErrorInvalidImage, CUDA_ERROR_INVALID_IMAGE);
  EXPECT_EQ(kErrorInvalidContext, CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(kErrorNoBinaryForGpu, CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_EQ(kErrorInvalidPtx, CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(kErrorUnsupportedPtxVersion, CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
  EXPECT_EQ(kErrorNotFound, CUDA_ERROR_NOT_FOUND);
  EXPECT_EQ(kErrorNotReady, CUDA_ERROR_NOT_READY);
  EXPECT_EQ(kErrorIllegalAddress, CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(kErrorLaunchOutOfResources, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
  EXPECT_EQ(kErrorLaunchTimeout, CUDA_ERROR_LAUNCH_TIMEOUT);
  EXPECT_EQ(kErrorAssert, CUDA_ERROR_ASSERT);
  EXPECT_EQ(kErrorHardwareStackError, CUDA_ERROR_HARDWARE_STACK_ERROR);
  EXPECT_EQ(kErrorIllegalInstruction, CUDA_ERROR_ILLEGAL_INSTRUCTION);
  EXPECT_EQ(kErrorMisalignedAddress, CUDA_ERROR_MISALIGNED_ADDRESS);
  EXPECT_EQ(kErrorInvalidAddressSpace, CUDA_ERROR_INVALID_ADDRESS_SPACE);
  EXPECT_EQ(kErrorInvalidPc, CUDA_ERROR_INVALID_PC);
  EXPECT_EQ(kErrorLaunchFailed, CUDA_ERROR_LAUNCH_FAILED);
  EXPECT_EQ(kErrorNotSupported, CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(kErrorSystemNotReady, CUDA_ERROR_SYSTEM_NOT_READY);
  EXPECT_EQ(kErrorSystemDriverMismatch, CUDA_ERROR_SYSTEM_DRIVER_MISMATCH);
  EXPECT_EQ(kErrorCompatNotSupported,
            CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE);
  EXPECT_EQ(kErrorStreamCaptureUnsupported,
            CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(kErrorStreamCaptureInvalidated,
            CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(kErrorStreamCaptureImplicit, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  EXPECT_EQ(kErrorStreamCaptureWrongThread,
            CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD);
}

TEST(CudaAbi, AttributesAreThoseOfTheHeaders) {
  EXPECT_EQ(int{kMaxThreadsPerBlock},
            int{CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK});
  EXPECT_EQ(int{kMaxGridDimX}, int{CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X});
  EXPECT_EQ(int{kMaxGridDimY}, int{CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y});
  EXPECT_EQ(int{kMaxGridDimZ}, int{CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z});
  EXPECT_EQ(int{kClockRateKhz}, int{CU_DEVICE_ATTRIBUTE_CLOCK_RATE});
  EXPECT_EQ(int{kMultiprocessorCount},
            int{CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT});
  EXPECT_EQ(int{kMemoryClockRateKhz},
            int{CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE});
  EXPECT_EQ(int{kMemoryBusWidthBits},
            int{CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH});
  EXPECT_EQ(int{kL2CacheBytes}, int{CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE});
  EXPECT_EQ(int{kComputeCapabilityMajor},
            int{CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR});
  EXPECT_EQ(int{kComputeCapabilityMinor},
            int{CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR});
  EXPECT_EQ(int{kMaxSharedMemoryPerMultiprocessor},
            int{CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR});
  EXPECT_EQ(int{kMaxRegistersPerMultiprocessor},
            int{CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR});
  EXPECT_EQ(int{kMaxSharedMemoryPerBlockOptin},
            int{CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN});
  EXPECT_EQ(int{kFunctionMaxThreadsPerBlock},
            int{CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK});
  EXPECT_EQ(int{kFunctionSharedBytes},
            int{CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES});
  EXPECT_EQ(int{kFunctionLocalBytes}, int{CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES});
  EXPECT_EQ(int{kFunctionRegisters}, int{CU_FUNC_ATTRIBUTE_NUM_REGS});
  EXPECT_EQ(int{kFunctionMaxDynamicSharedBytes},
            int{CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES});
  EXPECT_EQ(int{kFunctionNonPortableClusterSizeAllowed},
            int{CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED});
  EXPECT_EQ(int{kPointerMemoryType}, int{CU_POINTER_ATTRIBUTE_MEMORY_TYPE});
  EXPECT_EQ(int{kPointerIsManaged}, int{CU_POINTER_ATTRIBUTE_IS_MANAGED});
  EXPECT_EQ(int{kPointerDeviceOrdinal},
            int{CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL});
  EXPECT_EQ(unsigned{kMemoryHost}, unsigned{CU_MEMORYTYPE_HOST});
  EXPECT_EQ(unsigned{kMemoryDevice}, unsigned{CU_MEMORYTYPE_DEVICE});
  EXPECT_EQ(int{kCaptureModeGlobal}, int{CU_STREAM_CAPTURE_MODE_GLOBAL});
  EXPECT_EQ(int{kCaptureModeThreadLocal},
            int{CU_STREAM_CAPTURE_MODE_THREAD_LOCAL});
  EXPECT_EQ(int{kCaptureModeRelaxed}, int{CU_STREAM_CAPTURE_MODE_RELAXED});
  EXPECT_EQ(int{kCaptureNone}, int{CU_STREAM_CAPTURE_STATUS_NONE});
  EXPECT_EQ(int{kCaptureActive}, int{CU_STREAM_CAPTURE_STATUS_ACTIVE});
  EXPECT_EQ(int{kCaptureInvalidated},
            int{CU_STREAM_CAPTURE_STATUS_INVALIDATED});
  EXPECT_EQ(kStreamNonBlocking, unsigned{CU_STREAM_NON_BLOCKING});
  EXPECT_EQ(int{kJitInfoLogBuffer}, int{CU_JIT_INFO_LOG_BUFFER});
  EXPECT_EQ(int{kJitInfoLogBufferBytes},
            int{CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES});
  EXPECT_EQ(int{kJitErrorLogBuffer}, int{CU_JIT_ERROR_LOG_BUFFER});
  EXPECT_EQ(int{kJitErrorLogBufferBytes},
            int{CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES});
}

TEST(CudaAbi, TensorMapConstantsAreThoseOfTheHeaders) {
  EXPECT_EQ(int{kTensorMapU8}, int{CU_TENSOR_MAP_DATA_TYPE_UINT8});
  EXPECT_EQ(int{kTensorMapI32}, int{CU_TENSOR_MAP_DATA_TYPE_INT32});
  EXPECT_EQ(int{kTensorMapI64}, int{CU_TENSOR_MAP_DATA_TYPE_INT64});
  EXPECT_EQ(int{kTensorMapF16}, int{CU_TENSOR_MAP_DATA_TYPE_FLOAT16});
  EXPECT_EQ(int{kTensorMapF32}, int{CU_TENSOR_MAP_DATA_TYPE_FLOAT32});
  EXPECT_EQ(int{kTensorMapF64}, int{CU_TENSOR_MAP_DATA_TYPE_FLOAT64});
  EXPECT_EQ(int{kTensorMapBF16}, int{CU_TENSOR_MAP_DATA_TYPE_BFLOAT16});
  EXPECT_EQ(kTensorMapInterleaveNone, int{CU_TENSOR_MAP_INTERLEAVE_NONE});
  EXPECT_EQ(kTensorMapSwizzleNone, int{CU_TENSOR_MAP_SWIZZLE_NONE});
  EXPECT_EQ(kTensorMapSwizzle128, int{CU_TENSOR_MAP_SWIZZLE_128B});
  EXPECT_EQ(kTensorMapL2Promotion128, int{CU_TENSOR_MAP_L2_PROMOTION_L2_128B});
  EXPECT_EQ(kTensorMapOobFillNone, int{CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE});
}

TEST(CudaAbi, LibraryConstantsAreThoseOfTheHeaders) {
  EXPECT_EQ(kNvrtcSuccess, int{NVRTC_SUCCESS});
  EXPECT_EQ(kNvrtcOutOfMemory, int{NVRTC_ERROR_OUT_OF_MEMORY});
  EXPECT_EQ(kNvrtcInvalidOption, int{NVRTC_ERROR_INVALID_OPTION});
  EXPECT_EQ(kNvrtcCompilation, int{NVRTC_ERROR_COMPILATION});
  EXPECT_EQ(kNvrtcBuiltinOperationFailure,
            int{NVRTC_ERROR_BUILTIN_OPERATION_FAILURE});
  EXPECT_EQ(kBlasSuccess, int{CUBLAS_STATUS_SUCCESS});
  EXPECT_EQ(kBlasAllocFailed, int{CUBLAS_STATUS_ALLOC_FAILED});
  EXPECT_EQ(kBlasArchMismatch, int{CUBLAS_STATUS_ARCH_MISMATCH});
  EXPECT_EQ(kBlasNotSupported, int{CUBLAS_STATUS_NOT_SUPPORTED});
  EXPECT_EQ(kDataF32, int{CUDA_R_32F});
  EXPECT_EQ(kDataF16, int{CUDA_R_16F});
  EXPECT_EQ(kDataBF16, int{CUDA_R_16BF});
  EXPECT_EQ(kComputeF32, int{CUBLAS_COMPUTE_32F});
  EXPECT_EQ(kComputeF32Pedantic, int{CUBLAS_COMPUTE_32F_PEDANTIC});
  EXPECT_EQ(kOpN, int{CUBLAS_OP_N});
  EXPECT_EQ(kOpT, int{CUBLAS_OP_T});
  EXPECT_EQ(kDescTransA, int{CUBLASLT_MATMUL_DESC_TRANSA});
  EXPECT_EQ(kDescTransB, int{CUBLASLT_MATMUL_DESC_TRANSB});
  EXPECT_EQ(kLayoutBatchCount, int{CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT});
  EXPECT_EQ(kLayoutBatchStride,
            int{CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET});
  EXPECT_EQ(kPreferenceMaxWorkspaceBytes,
            int{CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES});
  EXPECT_EQ(kPreferenceReductionSchemeMask,
            int{CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK});
  EXPECT_EQ(kPreferenceMinAlignmentA,
            int{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES});
  EXPECT_EQ(kPreferenceMinAlignmentB,
            int{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES});
  EXPECT_EQ(kPreferenceMinAlignmentC,
            int{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES});
  EXPECT_EQ(kPreferenceMinAlignmentD,
            int{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES});
  EXPECT_EQ(int{kReductionSchemeComputeType},
            int{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
}

#else

TEST(CudaAbi, ResultsAreThoseOfTheHeaders) {
  GTEST_SKIP() << "this build found no CUDA headers to compare with";
}

#endif

}  // namespace
}  // namespace gsa::cuda
