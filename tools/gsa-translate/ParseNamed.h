//===- ParseNamed.h - modules whose values keep their names ----*- C++ -*-===//

#ifndef GSA_TOOLS_GSATRANSLATE_PARSENAMED_H
#define GSA_TOOLS_GSATRANSLATE_PARSENAMED_H

#include <memory>

#include "llvm/Support/SourceMgr.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

/// Parses a module, of text or bytecode. Values that the text calls `%name`,
/// and that have no name in their location, get that one (dialect/GsaTile/
/// ValueNames.h); numbers are no names, and none ends in one: `%keys_3` is
/// named keys. Null after a diagnostic.
mlir::OwningOpRef<mlir::ModuleOp> parseNamed(
    const std::shared_ptr<llvm::SourceMgr>& source, mlir::MLIRContext* context);

#endif  // GSA_TOOLS_GSATRANSLATE_PARSENAMED_H
