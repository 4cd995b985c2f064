//===- CudaPrinter.h - gsa_tile kernels as CUDA C++ ------------*- C++ -*-===//
//
// The printer takes no decisions: an op prints as its record or its emission
// model says, and an op without either is an error at its location. The text
// compiles with the device headers under NVRTC and, unchanged, with the
// emulation headers on the host.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_CODEGEN_CUDA_CUDAPRINTER_H
#define GSA_CODEGEN_CUDA_CUDAPRINTER_H

#include <string>

#include "codegen/cuda/LineMap.h"
#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"

namespace mlir::gsa_tile {

/// The whole text of one kernel, as it is compiled: the include of the device
/// headers and one `extern "C" __global__` function of the kernel's name. It
/// depends on the kernel's code and names only (see KernelHeader.h). `lines`,
/// if given, is filled (line numbers of this text). Fails with a diagnostic at
/// the op that cannot be printed.
FailureOr<std::string> printCudaKernel(KernelOp kernel,
                                       LineMap* lines = nullptr);

/// All kernels of a module as one text, each below its header.
FailureOr<std::string> printCudaModule(ModuleOp module,
                                       LineMap* lines = nullptr);

/// Gives the ops of arith, math and scf their emission as CUDA C++. Needed
/// before a context prints kernels with such ops.
void registerCudaEmitModels(DialectRegistry& registry);

/// True if the op implements CudaEmitOpInterface, itself or through a model.
bool hasCudaEmission(Operation* op);

}  // namespace mlir::gsa_tile

#endif  // GSA_CODEGEN_CUDA_CUDAPRINTER_H
