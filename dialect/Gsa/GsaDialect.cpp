//===- GsaDialect.cpp - the gsa dialect -----------------------------------===//

#include "dialect/Gsa/GsaDialect.h"

#include "dialect/Common/StrictOperation.h"
#include "dialect/Gsa/GsaOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace mlir::gsa;

#include "dialect/Gsa/GsaDialect.cpp.inc"

void GsaDialect::initialize() {
  registerAttributes();
  addStrictOperations<
#define GET_OP_LIST
#include "dialect/Gsa/GsaOps.cpp.inc"
      >(*this);
}

FloatType gsa::getAccumulatorType(Type elementType) {
  MLIRContext* context = elementType.getContext();
  if (elementType.isF64()) return Float64Type::get(context);
  return Float32Type::get(context);
}
