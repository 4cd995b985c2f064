//===- GsaAttrNames.cpp - where attributes named gsa.* may stand ----------===//

#include "dialect/Gsa/GsaAttrNames.h"

#include "dialect/Common/AttributeNames.h"
#include "dialect/Gsa/GsaReadAttr.h"
#include "dialect/Gsa/GsaShapes.h"
#include "llvm/ADT/StringSet.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::gsa;

//===----------------------------------------------------------------------===//
// On ops
//===----------------------------------------------------------------------===//

static bool isFunction(Operation* op) { return isa<FunctionOpInterface>(op); }

static bool isParallelLoop(Operation* op) {
  return op->getName().getStringRef() == "scf.parallel";
}

static bool isRead(Operation* op) {
  return op->getName().getStringRef() == "bufferization.to_buffer";
}

static bool isKernel(Operation* op) {
  return op->getName().getStringRef() == "gsa_tile.kernel";
}

static bool isScheduled(Operation* op) {
  return isKernel(op) || isa<ScheduledOpInterface>(op);
}

static bool isAnything(Attribute) { return true; }

static bool isUnit(Attribute attribute) { return isa<UnitAttr>(attribute); }

static bool isCount(Attribute attribute) {
  auto number = dyn_cast<IntegerAttr>(attribute);
  return number && number.getType().isInteger(64) && number.getInt() >= 0;
}

static bool isLanes(Attribute attribute) {
  auto number = dyn_cast<IntegerAttr>(attribute);
  return number && number.getType().isInteger(64) && number.getInt() >= 1 &&
         number.getInt() <= kMostLanes;
}

static bool isStrings(Attribute attribute) {
  auto array = dyn_cast<ArrayAttr>(attribute);
  return array && llvm::all_of(array, llvm::IsaPred<StringAttr>);
}

static bool isBounds(Attribute attribute) {
  auto array = dyn_cast<ArrayAttr>(attribute);
  return array && llvm::all_of(array, llvm::IsaPred<DenseI64ArrayAttr>);
}

/// Every discardable attribute of the dialect. A new one needs a line here.
static constexpr AttributeRule kRules[] = {
    {kNameAttr, "an argument or a result of a function",
     [](Operation*) { return false; }, "a string", isAnything,
     /*isOfPasses=*/false},
    {kUpdatesAttr, "a result of a function", [](Operation*) { return false; },
     "a string", isAnything, /*isOfPasses=*/false},
    {kScheduleAttr,
     "gsa.index_scores, row_statistics, topk, select, gather_attention, "
     "dense_attention, partial_attention and gradients of attention",
     isScheduled, "a schedule", isAnything, /*isOfPasses=*/false},
    {kListsAttr, "gsa.gather_attention",
     [](Operation* op) { return isa<GatherAttentionOp>(op); }, "a #gsa.lists",
     [](Attribute attribute) { return isa<ListsAttr>(attribute); }},
    {kZonesAttr, "a function", isFunction, "an array of strings", isStrings},
    {kTasksAttr, "scf.parallel", isParallelLoop, "a unit attribute", isUnit},
    {kReadAttr, "bufferization.to_buffer", isRead,
     "an i64 that is not negative", isCount},
    {kWorkspaceBytesAttr, "a function", isFunction,
     "an i64 that is not negative", isCount},
    {kBoundsAttr, "a function", isFunction, "an array of arrays of i64",
     isBounds},
    {kOutputsAttr, "a function", isFunction, "an i64 that is not negative",
     isCount},
    {kLanesAttr, "a function", isFunction, "an i64 from 1 to 8", isLanes,
     /*isOfPasses=*/false},
};

ArrayRef<AttributeRule> gsa::getAttributeRules() { return kRules; }

bool gsa::isAttributeOfPasses(StringRef name) {
  return isOfPasses(name, kRules);
}

/// A schedule is of a kind that the op admits, the CPU's or a GPU's, and fits
/// its element types. A kernel keeps the GPU's, for who reads it.
static LogicalResult verifySchedule(Operation* op, Attribute attribute) {
  auto schedule = dyn_cast<ScheduleAttrInterface>(attribute);
  auto scheduled = dyn_cast<ScheduledOpInterface>(op);
  auto expect = [&](const std::string& kinds) -> LogicalResult {
    return op->emitOpError() << "expected " << kinds << " as '" << kScheduleAttr
                             << "', got " << attribute;
  };
  if (!scheduled)
    return schedule ? success() : expect("the schedule of an op on a GPU");
  SmallVector<ScheduleKind> kinds = scheduled.getScheduleKinds(Device::Cpu);
  llvm::append_range(kinds, scheduled.getScheduleKinds(Device::Cuda));
  if (llvm::none_of(kinds, [&](const ScheduleKind& kind) {
        return kind.contains(attribute);
      }))
    return expect(describe(kinds));
  if (!schedule) return success();
  if (std::string reason = schedule.findOpMisfit(op); !reason.empty())
    return op->emitOpError() << "has an illegal schedule: " << reason;
  return success();
}

LogicalResult GsaDialect::verifyOperationAttribute(Operation* op,
                                                   NamedAttribute attribute) {
  if (failed(verifyDiscardable(op, attribute, kRules))) return failure();
  if (attribute.getName() == kScheduleAttr)
    return verifySchedule(op, attribute.getValue());
  return success();
}

//===----------------------------------------------------------------------===//
// On arguments and results
//===----------------------------------------------------------------------===//

/// Whether the names of all arguments (or results) differ. Called for each of
/// them, and does its work for the last that has a name. Tensors only: on
/// buffers, results are arguments beside the inputs, and an output may have the
/// name of an input.
static LogicalResult verifyDistinctNames(FunctionOpInterface function,
                                         bool isResult, unsigned index) {
  ArrayRef<Type> types =
      isResult ? function.getResultTypes() : function.getArgumentTypes();
  auto nameOf = [&](unsigned i) {
    if (!isa<TensorType>(types[i])) return StringAttr();
    return isResult ? function.getResultAttrOfType<StringAttr>(i, kNameAttr)
                    : function.getArgAttrOfType<StringAttr>(i, kNameAttr);
  };
  unsigned count = types.size();
  for (unsigned i = count; --i > index;)
    if (nameOf(i)) return success();
  llvm::StringSet<> names;
  for (unsigned i = 0; i < count; ++i) {
    StringAttr name = nameOf(i);
    if (name && !names.insert(name.getValue()).second)
      return function->emitOpError()
             << (isResult ? "result #" : "argument #") << i << ": the name '"
             << name.getValue() << "' is used twice";
  }
  return success();
}

/// Whether result `index`, which updates `name`, has an argument of that name
/// and of its type, that no result before it updates.
static LogicalResult verifyUpdates(FunctionOpInterface function, unsigned index,
                                   StringRef name) {
  auto what = [&]() -> InFlightDiagnostic {
    return function->emitOpError() << "result #" << index;
  };
  SmallVector<StringRef> names;
  std::optional<unsigned> updated;
  for (unsigned i = 0; i < function.getNumArguments(); ++i) {
    auto other = function.getArgAttrOfType<StringAttr>(i, kNameAttr);
    if (!other) continue;
    names.push_back(other.getValue());
    if (other.getValue() == name) updated = i;
  }
  if (!updated)
    return what() << " expected the '" << kNameAttr << "' of an argument as '"
                  << kUpdatesAttr << "', got '" << name << "'"
                  << suggestNames(name, names);
  // Passes that find more sizes may know those of arguments first.
  Type own = function.getResultTypes()[index];
  Type other = function.getArgumentTypes()[*updated];
  if (getElementTypeOrSelf(own) != getElementTypeOrSelf(other) ||
      failed(verifyCompatibleShape(own, other)))
    return what() << " expected the type of '" << name
                  << "', which it updates, " << other << ", got " << own;
  for (unsigned i = 0; i < index; ++i)
    if (auto before = function.getResultAttrOfType<StringAttr>(i, kUpdatesAttr);
        before && before.getValue() == name)
      return what() << " updates '" << name << "', as result #" << i
                    << " does; expected one result in its memory";
  return success();
}

static LogicalResult verifyBoundary(Operation* op, bool isResult,
                                    unsigned index, NamedAttribute attribute) {
  auto what = [&]() -> InFlightDiagnostic {
    return op->emitOpError() << (isResult ? "result #" : "argument #") << index;
  };
  StringRef name = attribute.getName();
  auto function = dyn_cast<FunctionOpInterface>(op);
  // Behind bufferization results are arguments.
  bool mayUpdate =
      isResult ||
      (function && !isa<TensorType>(function.getArgumentTypes()[index]));
  SmallVector<StringRef> legal = {kNameAttr};
  if (mayUpdate) legal.push_back(kUpdatesAttr);
  if (!llvm::is_contained(legal, name))
    return what() << " has no attribute '" << name << "'"
                  << suggestNames(name, legal);
  auto value = dyn_cast<StringAttr>(attribute.getValue());
  if (!value || value.getValue().empty())
    return what() << " expected a string that is not empty as '" << name
                  << "', got " << attribute.getValue();
  // To those who call the library a name is a C string.
  if (value.getValue().contains('\0'))
    return what() << " expected a string without zero bytes as '" << name
                  << "', got " << attribute.getValue();
  if (!function) return success();
  if (name == kNameAttr) return verifyDistinctNames(function, isResult, index);
  return isResult ? verifyUpdates(function, index, value.getValue())
                  : success();
}

LogicalResult GsaDialect::verifyRegionArgAttribute(Operation* op, unsigned,
                                                   unsigned index,
                                                   NamedAttribute attribute) {
  return verifyBoundary(op, /*isResult=*/false, index, attribute);
}

LogicalResult GsaDialect::verifyRegionResultAttribute(
    Operation* op, unsigned, unsigned index, NamedAttribute attribute) {
  return verifyBoundary(op, /*isResult=*/true, index, attribute);
}
