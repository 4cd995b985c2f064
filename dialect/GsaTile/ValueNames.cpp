//===- ValueNames.cpp - what the values of kernels are called -------------===//

#include "dialect/GsaTile/ValueNames.h"

#include "dialect/GsaTile/GsaTileOps.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/CastInterfaces.h"

using namespace mlir;
using namespace mlir::gsa_tile;

static StringRef getLocationName(Location location) {
  if (auto name = dyn_cast<NameLoc>(location)) return name.getName();
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (StringRef name = getLocationName(part); !name.empty()) return name;
  return "";
}

StringRef gsa_tile::getValueName(Value value) {
  return getLocationName(value.getLoc());
}

Value gsa_tile::named(Value value, StringRef name) {
  Operation* op = value.getDefiningOp();
  if (!getValueName(value).empty() ||
      (op && op->hasTrait<OpTrait::ConstantLike>()))
    return value;
  value.setLoc(
      NameLoc::get(StringAttr::get(value.getContext(), name), value.getLoc()));
  return value;
}

/// "keys" for an address "keys_at" or a buffer "keys".
static StringRef getArrayName(Value array) {
  StringRef name = getValueName(array);
  name.consume_back("_at");
  return name;
}

/// What an op of the arith dialect that is no conversion computes.
static StringRef getArithmeticName(Operation* op) {
  return llvm::StringSwitch<StringRef>(op->getName().stripDialect())
      .Cases({"addi", "addf"}, "sum")
      .Cases({"subi", "subf"}, "difference")
      .Cases({"muli", "mulf"}, "product")
      .Cases({"divui", "divsi", "divf"}, "quotient")
      .Cases({"remui", "remsi", "remf"}, "remainder")
      .Cases({"minsi", "minui", "minnumf", "minimumf"}, "least")
      .Cases({"maxsi", "maxui", "maxnumf", "maximumf"}, "most")
      .Cases({"cmpi", "cmpf"}, "holds")
      .Case("select", "chosen")
      .Case("negf", "negative")
      .Case("andi", "both")
      .Case("ori", "either")
      .Case("xori", "bits")
      .Default("");
}

/// A name made of the op and of its operands' names; empty if there is none.
static std::string deriveName(Operation* op) {
  auto suffixed = [](StringRef base, StringRef suffix) {
    return base.empty() ? suffix.str() : (base + "_" + suffix).str();
  };
  auto axis = [](int64_t dimension) { return "xyz"[dimension]; };
  return llvm::TypeSwitch<Operation*, std::string>(op)
      .Case([&](BlockIdOp id) {
        return std::string("block_") + axis(id.getDimension());
      })
      .Case([&](GridSizeOp size) {
        return std::string("blocks_") + axis(size.getDimension());
      })
      .Case([](WarpRankOp) { return std::string("warp"); })
      .Case([&](AtOp at) { return suffixed(getValueName(at.getBase()), "at"); })
      .Case([&](StageOp stage) {
        return suffixed(getValueName(stage->getOperand(0)), "stage");
      })
      .Case([&](PartOfOp part) {
        return suffixed(getValueName(part->getOperand(0)), "part");
      })
      .Case<LoadOp, LoadSharedOp>([&](auto load) {
        return suffixed(getArrayName(load.getBase()), "value");
      })
      .Case([](SmemAllocOp) { return std::string("tile"); })
      .Case([](FragAllocOp) { return std::string("fragment"); })
      .Case([](RowVecAllocOp) { return std::string("row_values"); })
      .Case([](LanesAllocOp) { return std::string("lane_values"); })
      .Default([&](Operation* other) {
        if (isa<RowsType>(other->getResult(0).getType()))
          return suffixed(getArrayName(other->getOperand(0)), "rows");
        if (isa<CastOpInterface>(other))
          return getValueName(other->getOperand(0)).str();
        return getArithmeticName(other).str();
      });
}

void gsa_tile::nameValues(KernelOp kernel) {
  // Operands come before their users.
  kernel.getBody().walk<WalkOrder::PreOrder>([](Operation* op) {
    // Of loops: the variable, and what it carries.
    for (Region& region : op->getRegions())
      for (BlockArgument argument : region.getArguments())
        named(argument, argument.getArgNumber() == 0 ? "i" : "state");
    if (op->getNumResults() != 1) return;
    if (std::string name = deriveName(op); !name.empty())
      named(op->getResult(0), name);
  });
}
