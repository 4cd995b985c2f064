// -----------------------------------------------------------------------------
// File: module_checks.h
// -----------------------------------------------------------------------------
//
// What a user's module is held to beyond what the verifiers of the dialects
// say. Internal: ParseModule calls it. Modules between two passes, which
// gsa-opt reads, are not held to it.

#ifndef GSA_RUNTIME_MODULE_CHECKS_H_
#define GSA_RUNTIME_MODULE_CHECKS_H_

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

namespace gsa {

// Fails with diagnostics at the ops unless, in the whole module,
//   - a resource is in the text and as long as its type asks for;
//   - no symbol has a name that the compiler gives to its own;
//   - no op has an attribute that passes write for one another;
//   - a symbol that is referred to has a body or a value, because a plan calls
//     nothing outside its module.
mlir::LogicalResult CheckUserModule(mlir::ModuleOp module);

}  // namespace gsa

#endif  // GSA_RUNTIME_MODULE_CHECKS_H_
