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

/// By name: not every tool has the dialects that some of them are of.
static bool isStep(Operation* op) {
  static constexpr llvm::StringLiteral kNames[] = {
      "gsa_tile.launch", "gsa_tile.gemm", "memref.copy", "linalg.fill"};
  return llvm::is_contained(kNames, op->getName().getStringRef());
}

static bool isStepAttr(Attribute attribute) { return isa<StepAttr>(attribute); }

static bool isLaunch(Operation* op) { return isa<LaunchOp>(op); }

static bool isTime(Attribute attribute) {
  auto number = dyn_cast<FloatAttr>(attribute);
  return number && number.getType().isF64() && number.getValueAsDouble() >= 0;
}

static bool isView(Operation* op) {
  return op->getName().getStringRef() == "memref.view";
}

static bool isNumber(Attribute attribute) {
  auto number = dyn_cast<IntegerAttr>(attribute);
  return number && number.getType().isInteger(64) && number.getInt() >= 0;
}

/// Every discardable attribute of the dialect. A new one needs a line here.
static constexpr AttributeRule kRules[] = {
    {kOriginAttr, "gsa_tile.kernel", isKernel, "a string", isString},
    {kRolledAttr, "scf.for", isLoop, "a unit attribute", isUnit},
    {kStepAttr, "gsa_tile.launch, gsa_tile.gemm, memref.copy and linalg.fill",
     isStep, "a #gsa_tile.step", isStepAttr},
    {kEstimateAttr, "gsa_tile.launch", isLaunch, "an f64 that is not negative",
     isTime},
    {kIndependentAttr, "scf.for", isLoop, "a unit attribute", isUnit},
    {kJoinedAttr, "scf.for", isLoop, "a unit attribute", isUnit},
    {kBufferAttr, "memref.view", isView, "an i64 that is not negative",
     isNumber},
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
