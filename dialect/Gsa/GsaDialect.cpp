//===- GsaDialect.cpp - the gsa dialect -----------------------------------===//

#include "dialect/Gsa/GsaDialect.h"

#include "dialect/Common/AttributeNames.h"
#include "dialect/Common/StrictOperation.h"
#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaGradientOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"

using namespace mlir;
using namespace mlir::gsa;

#include "dialect/Gsa/GsaDialect.cpp.inc"

namespace {
/// Private functions with gsa ops become part of their callers: ops on values
/// mean the same wherever they stand, and shapes do not cross calls. No op has
/// a region.
struct GsaInlinerInterface : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;

  bool isLegalToInline(Operation* /*op*/, Region* /*to*/,
                       bool /*wouldBeCloned*/,
                       IRMapping& /*mapping*/) const final {
    return true;
  }
};
}  // namespace

void GsaDialect::initialize() {
  registerAttributes();
  addInterfaces<GsaInlinerInterface>();
  addInterface<AttributeRules>(getAttributeRules());
  addStrictOperations<
#define GET_OP_LIST
#include "dialect/Gsa/GsaOps.cpp.inc"
      ,
#define GET_OP_LIST
#include "dialect/Gsa/GsaGradientOps.cpp.inc"
      >(*this);
}

FloatType gsa::getAccumulatorType(Type elementType) {
  MLIRContext* context = elementType.getContext();
  if (elementType.isF64()) return Float64Type::get(context);
  return Float32Type::get(context);
}
