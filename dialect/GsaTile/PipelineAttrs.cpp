//===- PipelineAttrs.cpp - where attributes named gsa_tile.* may stand ----===//

#include "dialect/GsaTile/PipelineAttrs.h"

#include "dialect/Common/AttributeNames.h"
#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gsa_tile;
using gsa::AttributeRule;

static bool isKernel(Operation* op) { return isa<KernelOp>(op); }

static bool isLoop(Operation* op) { return isa<scf::ForOp>(op); }

static bool isUnit(Attribute attribute) { return isa<UnitAttr>(attribute); }

static bool isString(Attribute attribute) { return isa<StringAttr>(attribute); }

static bool isCount(Attribute attribute) {
  auto number = dyn_cast<IntegerAttr>(attribute);
  return number && number.getType().isInteger(64) && number.getInt() >= 0;
}

/// Every discardable attribute of the dialect. A new one needs a line here.
static constexpr AttributeRule kRules[] = {
    {kRingStagesAttr, "gsa_tile.kernel", isKernel,
     "an i64 that is not negative", isCount},
    {kProducersAttr, "gsa_tile.kernel", isKernel, "an i64 that is not negative",
     isCount},
    {kOriginAttr, "gsa_tile.kernel", isKernel, "a string", isString},
    {kMainLoopAttr, "scf.for", isLoop, "a unit attribute", isUnit},
    {kRolledAttr, "scf.for", isLoop, "a unit attribute", isUnit},
};

bool gsa_tile::isAttributeOfPasses(StringRef name) {
  return gsa::isOfPasses(name, kRules);
}

LogicalResult GsaTileDialect::verifyOperationAttribute(
    Operation* op, NamedAttribute attribute) {
  return gsa::verifyDiscardable(op, attribute, kRules);
}

LogicalResult GsaTileDialect::verifyRegionArgAttribute(
    Operation* op, unsigned, unsigned index, NamedAttribute attribute) {
  return op->emitOpError() << "argument #" << index << " has no attribute "
                           << attribute.getName()
                           << gsa::suggestNames(attribute.getName(), {});
}

LogicalResult GsaTileDialect::verifyRegionResultAttribute(
    Operation* op, unsigned, unsigned index, NamedAttribute attribute) {
  return op->emitOpError() << "result #" << index << " has no attribute "
                           << attribute.getName()
                           << gsa::suggestNames(attribute.getName(), {});
}
