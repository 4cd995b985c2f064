//===- Passes.h - passes on the gsa dialect --------------------*- C++ -*-===//

#ifndef GSA_PASSES_PASSES_H
#define GSA_PASSES_PASSES_H

#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/GsaTile/GsaTileDialect.h"
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
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::gsa {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/Passes.h.inc"

/// C function of the runtime that marks the start of a zone.
inline constexpr llvm::StringLiteral kCpuZoneSymbol = "gsa_cpu_zone";

}  // namespace mlir::gsa

#endif  // GSA_PASSES_PASSES_H
