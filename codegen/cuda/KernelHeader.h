//===- KernelHeader.h - what a reader of a kernel is told first -*- C++ -*-===//

#ifndef GSA_CODEGEN_CUDA_KERNELHEADER_H
#define GSA_CODEGEN_CUDA_KERNELHEADER_H

#include <string>

#include "dialect/GsaTile/GsaTileOps.h"

namespace mlir::gsa_tile {

/// Comment lines about a kernel, each with its end: the op that it was made for
/// and where that stands, its schedule, its block, and the version of this
/// compiler. They are no part of what is compiled: two kernels of equal text
/// are one, and are found again in caches, whatever the files and the lengths
/// of the modules that they came from.
std::string getKernelHeader(KernelOp kernel);

}  // namespace mlir::gsa_tile

#endif  // GSA_CODEGEN_CUDA_KERNELHEADER_H
