//===- CpuPasses.h - passes from linalg on tensors to LLVM for the CPU ----===//
//
// Pass constructors, the pipeline that runs them, and their registration.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_CPU_CPUPASSES_H
#define GSA_PASSES_CPU_CPUPASSES_H

#include <memory>

#include "dialect/Gsa/GsaAttrNames.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir::gsa {

#define GEN_PASS_DECL
#include "passes/cpu/CpuPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/cpu/CpuPasses.h.inc"

/// C function of the runtime that runs the tasks of one region.
inline constexpr llvm::StringLiteral kCpuParallelSymbol = "gsa_cpu_parallel";

struct CpuLoweringOptions : public PassPipelineOptions<CpuLoweringOptions> {
  Option<int64_t> tasks{*this, "tasks",
                        llvm::cl::desc("Tasks per parallel region"),
                        llvm::cl::init(1)};
  Option<int64_t> vectorBits{*this, "vector-bits",
                             llvm::cl::desc("Width of a vector register"),
                             llvm::cl::init(512)};
  Option<bool> reference{
      *this, "reference",
      llvm::cl::desc("Plain loops in program order: no fusion, no tiling, no "
                     "vectors, one task"),
      llvm::cl::init(false)};
};

/// Lowers a module of func, linalg, tensor, scf, arith, math and bufferization
/// ops with static shapes to the LLVM dialect. The module has one public
/// function with a body, the entry; its signature becomes
/// (inputs..., results..., workspace: memref<?xi8>), results written in place,
/// `_mlir_ciface_<entry>` takes pointers to the memref descriptors.
void buildCpuLoweringPipeline(OpPassManager& pm,
                              const CpuLoweringOptions& options);

/// Registers the passes above and the pipeline `gsa-cpu-lowering`.
void registerCpuPasses();

/// Adds the dialects that the pipeline produces and the bufferization and
/// ConvertToLLVM models it relies on.
void registerCpuDialects(DialectRegistry& registry);

/// The only public function with a body, or null after an error.
func::FuncOp findEntry(ModuleOp module);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_CPU_CPUPASSES_H
