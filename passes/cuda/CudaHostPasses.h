//===- CudaHostPasses.h - the host side of kernels -------------*- C++ -*-===//

#ifndef GSA_PASSES_CUDA_CUDAHOSTPASSES_H
#define GSA_PASSES_CUDA_CUDAHOSTPASSES_H

#include <memory>

#include "dialect/Gsa/GsaAttrNames.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace mlir::gsa {

#define GEN_PASS_DECL
#include "passes/cuda/CudaHostPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/cuda/CudaHostPasses.h.inc"

/// Alignment in bytes of every buffer in the workspace and of the workspace.
inline constexpr int64_t kDeviceAlignment = 256;

/// Lowers the entry function of a module whose work is in gsa_tile.launch,
/// gsa_tile.gemm and linalg.fill: tensors become buffers, results arguments,
/// allocations parts of one workspace. The signature becomes (inputs...,
/// results..., workspace: memref<?xi8>). `arch` names the architecture.
void buildCudaHostPipeline(OpPassManager& pm, StringRef arch);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_CUDA_CUDAHOSTPASSES_H
