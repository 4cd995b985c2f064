//===- FunctionOption.h - options of passes that are functions -*- C++ -*-===//

#ifndef GSA_PASSES_FUNCTIONOPTION_H
#define GSA_PASSES_FUNCTIONOPTION_H

#include "dialect/Common/Choices.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::gsa {

/// Fails, with an error where `module` is, for a name that none of its
/// functions with a body has. The module itself is not at fault and not
/// printed.
inline LogicalResult refuseFunction(ModuleOp module, StringRef pass,
                                    StringRef option, StringRef name) {
  SmallVector<StringRef> legal;
  for (func::FuncOp function : module.getOps<func::FuncOp>())
    if (!function.isExternal()) legal.push_back(function.getName());
  InFlightDiagnostic error = emitError(module.getLoc());
  error << pass << ": option '" << option << "': ";
  if (legal.empty())
    error << "the module has no function with a body, got '" << name << "'";
  else
    error << explainUnknownName(name, legal);
  return failure();
}

}  // namespace mlir::gsa

#endif  // GSA_PASSES_FUNCTIONOPTION_H
