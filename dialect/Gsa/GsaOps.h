//===- GsaOps.h - ops of the gsa dialect ----------------------------------===//

#ifndef GSA_DIALECT_GSA_GSAOPS_H
#define GSA_DIALECT_GSA_GSAOPS_H

#include "dialect/Common/AttributeNames.h"
#include "dialect/Gsa/GsaDialect.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "dialect/Gsa/GsaOps.h.inc"

namespace mlir::gsa {

/// `scale` if given, otherwise 1/sqrt of the static size `dim`.
double getScaleOrDefault(std::optional<llvm::APFloat> scale, int64_t dim);

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_GSA_GSAOPS_H
