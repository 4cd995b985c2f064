//===- CompileKernels.h - kernels to machine code --------------*- C++ -*-===//
//
// From kernels to PTX or a cubin by NVRTC, with its messages as diagnostics at
// the ops whose text they are about.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_GSATRANSLATE_COMPILEKERNELS_H
#define GSA_TOOLS_GSATRANSLATE_COMPILEKERNELS_H

#include "mlir/IR/BuiltinOps.h"
#include "runtime/core/cuda/nvrtc_compiler.h"

/// Prints the kernels of a module and compiles the text for `arch`. Errors and
/// warnings of the compiler are emitted at the ops; what fails without a place
/// in the text (no NVRTC, an unknown architecture) at the module. `exitCode`
/// then receives what a tool should end with.
mlir::FailureOr<gsa::CompiledCuda> compileKernels(mlir::ModuleOp module,
                                                  llvm::StringRef arch,
                                                  gsa::CudaOutput output,
                                                  int* exitCode);

/// What ptxas reports of each kernel for one architecture, a line each:
///   sm_90a attend registers=110 stack=0 spill_stores=0 spill_loads=0
///   static_smem=0
/// With `refuseSpills` a kernel with local memory is an error at it, and so is
/// a
/// "Potential Performance Loss" that ptxas reports of one, at the module.
/// `exitCode` as above.
mlir::LogicalResult reportResources(mlir::ModuleOp module, llvm::StringRef arch,
                                    bool refuseSpills, llvm::raw_ostream& os,
                                    int* exitCode);

#endif  // GSA_TOOLS_GSATRANSLATE_COMPILEKERNELS_H
