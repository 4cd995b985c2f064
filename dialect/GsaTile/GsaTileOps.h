//===- GsaTileOps.h - ops of the gsa_tile dialect --------------*- C++ -*-===//

#ifndef GSA_DIALECT_GSATILE_GSATILEOPS_H
#define GSA_DIALECT_GSATILE_GSATILEOPS_H

#include "dialect/Common/AttributeNames.h"
#include "dialect/GsaTile/CudaEmitter.h"
#include "dialect/GsaTile/GsaTileDialect.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include "dialect/GsaTile/GsaTileInterfaces.h.inc"
#define GET_OP_CLASSES
#include "dialect/GsaTile/GsaTileOps.h.inc"

#endif  // GSA_DIALECT_GSATILE_GSATILEOPS_H
