//===- CompileWork.h - how long a kernel takes to compile ------*- C++ -*-===//

#ifndef GSA_CODEGEN_CUDA_COMPILEWORK_H
#define GSA_CODEGEN_CUDA_COMPILEWORK_H

#include "dialect/GsaTile/GsaTileOps.h"

namespace mlir::gsa_tile {

/// A number that grows with the time that NVRTC takes for a kernel, to begin
/// with the one that takes longest: bytes of its text, and for each op that
/// names a tile in registers what its unrolled loop comes to in such bytes.
/// docs/rationale/kernel-length.md has the measurements behind it.
int64_t estimateCompileWork(KernelOp kernel, StringRef text);

}  // namespace mlir::gsa_tile

#endif  // GSA_CODEGEN_CUDA_COMPILEWORK_H
