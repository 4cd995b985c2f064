//===- gsa-lsp-server.cpp - language server for gsa modules ---------------===//
//
// Diagnostics, hover, completion and navigation in .mlir files with the gsa
// dialect, for editors that speak the Language Server Protocol. Knows every
// dialect that gsa-opt knows.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaDialect.h"
#include "dialect/GsaTile/GsaTileDialect.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "tools/common/LlvmHelp.h"

int main(int argc, char** argv) {
  gsa::hideLinkedOptions();
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<mlir::gsa::GsaDialect, mlir::gsa_tile::GsaTileDialect>();
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
