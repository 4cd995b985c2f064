// -----------------------------------------------------------------------------
// File: cuda.h
// -----------------------------------------------------------------------------
//
// Tensor maps as the tests of the device library make them, for the host.

#ifndef GSA_TEST_UNIT_DEVICE_SIMT_CUDA_H_
#define GSA_TEST_UNIT_DEVICE_SIMT_CUDA_H_

#include <cstdint>
#include <cstring>

#include "cuda_runtime.h"

// NOLINTBEGIN: names are the driver's.

using cuuint32_t = uint32_t;
using cuuint64_t = uint64_t;
enum CUresult { CUDA_SUCCESS = 0, CUDA_ERROR_INVALID_VALUE = 1 };
enum CUtensorMapDataType {
  CU_TENSOR_MAP_DATA_TYPE_FLOAT32 = 7,
  CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 = 9
};
enum CUtensorMapSwizzle {
  CU_TENSOR_MAP_SWIZZLE_NONE = 0,
  CU_TENSOR_MAP_SWIZZLE_128B = 3
};
enum CUtensorMapInterleave { CU_TENSOR_MAP_INTERLEAVE_NONE };
enum CUtensorMapL2promotion { CU_TENSOR_MAP_L2_PROMOTION_NONE };
enum CUtensorMapFloatOOBfill { CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE };

// As instructions.h reads it.
struct alignas(64) CUtensorMap {
  host_asm::TensorMap map;
  unsigned char rest[128 - sizeof(host_asm::TensorMap)];
};

inline CUresult cuTensorMapEncodeTiled(
    CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank, void* address,
    const cuuint64_t* sizes, const cuuint64_t* pitch, const cuuint32_t* box,
    const cuuint32_t* steps, CUtensorMapInterleave, CUtensorMapSwizzle swizzle,
    CUtensorMapL2promotion, CUtensorMapFloatOOBfill) {
  if (rank != 2 || steps[0] != 1 || steps[1] != 1 || pitch[0] % 16 != 0)
    return CUDA_ERROR_INVALID_VALUE;
  std::memset(static_cast<void*>(map), 0, sizeof(*map));
  map->map = {address,
              static_cast<long long>(sizes[0]),
              static_cast<long long>(sizes[1]),
              static_cast<long long>(pitch[0]),
              static_cast<int>(box[0]),
              static_cast<int>(box[1]),
              type == CU_TENSOR_MAP_DATA_TYPE_FLOAT32 ? 4 : 2,
              swizzle == CU_TENSOR_MAP_SWIZZLE_128B};
  return CUDA_SUCCESS;
}

inline cudaError_t cudaGetDriverEntryPoint(
    const char* name, void** function, int,
    cudaDriverEntryPointQueryResult* found) {
  *found = cudaDriverEntryPointSuccess;
  if (std::strcmp(name, "cuTensorMapEncodeTiled") != 0)
    return cudaErrorInvalidValue;
  *function = reinterpret_cast<void*>(&cuTensorMapEncodeTiled);
  return cudaSuccess;
}

// NOLINTEND

#endif  // GSA_TEST_UNIT_DEVICE_SIMT_CUDA_H_
