//===- MeasureKernels.h - what the kernels of an op take -------*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_MEASUREKERNELS_H
#define GSA_PASSES_GSATOTILE_MEASUREKERNELS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"

namespace mlir::gsa {

/// Makes ScheduleAttrInterface::getFootprint answer, by lowering the op: adds
/// the dialects that it needs and the interface KernelMeasure of the gsa
/// dialect.
void registerKernelMeasure(DialectRegistry& registry);

/// How often that has lowered an op in this context so far: what choices of
/// schedules take their time for. 0 if nothing is registered.
int64_t countMeasuredOps(MLIRContext* context);

/// Fails, with an error at it, at the first op of a backward function: these
/// have no kernels.
LogicalResult refuseGradients(ModuleOp module);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_MEASUREKERNELS_H
