//===- GsaTileDialect.cpp - the gsa_tile dialect --------------------------===//

#include "dialect/GsaTile/GsaTileDialect.h"

#include "dialect/Common/StrictOperation.h"
#include "dialect/GsaTile/GsaTileOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace mlir::gsa_tile;

#include "dialect/GsaTile/GsaTileDialect.cpp.inc"
#include "dialect/GsaTile/GsaTileEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialect/GsaTile/GsaTileAttrs.cpp.inc"
#include "dialect/GsaTile/GsaTileInterfaces.cpp.inc"

void GsaTileDialect::initialize() {
  registerAttributes();
  registerTypes();
  gsa::addStrictOperations<
#define GET_OP_LIST
#include "dialect/GsaTile/GsaTileOps.cpp.inc"
      >(*this);
}

void GsaTileDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/GsaTile/GsaTileAttrs.cpp.inc"
      >();
}

LogicalResult TeamAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t first, int64_t count) {
  if (first < 0 || count < 1 || first + count > 32)  // team_c1
    return emitError() << "expected a team within the 32 warps of a block, got "
                       << count << " warps from warp " << first;
  return success();
}

LogicalResult PipelineAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   int64_t loaders, int64_t groups,
                                   StreamOrder order) {
  if (loaders < 0 || groups < 1)  // pipeline_c1
    return emitError()
           << "expected 0 or more loaders and 1 or more groups, got " << loaders
           << " and " << groups;
  if (order == StreamOrder::PingPong && (groups < 2 || loaders == 0))
    return emitError()  // pipeline_c2
           << "order ping_pong needs loaders and 2 or more groups, got "
           << loaders << " and " << groups;
  return success();
}

LogicalResult RoleAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               StringRef name, TeamAttr team,
                               int64_t registers) {
  if (name.empty()) return emitError() << "expected a role with a name";
  if (registers < 0 || registers > 256 || registers % 8 != 0)
    return emitError() << "role " << name
                       << ": expected a multiple of 8 registers from 0 to 256, "
                          "got "
                       << registers;
  return success();
}

LogicalResult StepAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t number, int64_t lane,
                               ArrayRef<int64_t> waits,
                               ArrayRef<int64_t> parts) {
  if (number < 0 || lane < 0)  // step_c1
    return emitError() << "expected a number and a lane from 0 on, got "
                       << number << " and " << lane;
  int64_t least = 0;
  for (int64_t wait : waits) {
    if (wait < least || wait >= number)  // step_c2
      return emitError() << "expected ascending numbers of steps before step "
                         << number << " to wait for, got " << waits;
    least = wait + 1;
  }
  if (parts.size() % 2 != 0 ||
      llvm::any_of(parts, [](int64_t part) { return part < 0; }))
    return emitError()  // step_c3
           << "expected pairs of a loop and an iteration, got " << parts;
  return success();
}
