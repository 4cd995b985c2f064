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

/// Every discardable attribute of the dialect. A new one needs a line here.
static constexpr AttributeRule kRules[] = {
    {kOriginAttr, "gsa_tile.kernel", isKernel, "a string", isString},
    {kRolledAttr, "scf.for", isLoop, "a unit attribute", isUnit},
};

bool gsa_tile::isAttributeOfPasses(Operation* op, StringRef name) {
  // A kernel says itself which of its loops stay loops.
  if (name == kRolledAttr && op->getParentOfType<KernelOp>()) return false;
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
