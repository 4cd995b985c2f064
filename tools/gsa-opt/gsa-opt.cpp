//===- gsa-opt.cpp - optimiser driver -------------------------------------===//
//
// mlir-opt with the gsa dialect, its passes and pipelines.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/CudaPrinter.h"
#include "dialect/Gsa/GsaDialect.h"
#include "dialect/GsaTile/GsaTileDialect.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "passes/cpu/CpuPasses.h"
#include "passes/tile/Passes.h"
#include "tools/common/StandardStreams.h"

int main(int argc, char** argv) {
  gsa::reserveStandardStreams();
  llvm::setBugReportMsg(
      "Please report this at the gsa project, with the input and the command "
      "line.\n");
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<mlir::gsa::GsaDialect, mlir::gsa_tile::GsaTileDialect>();
  mlir::gsa_tile::registerCudaEmitModels(registry);
  mlir::registerAllPasses();
  mlir::gsa::registerGsaPasses();
  mlir::gsa::registerCpuPasses();
  mlir::gsa::registerGsaTilePasses();
  mlir::gsa::registerPipelines();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "gsa optimiser driver\n", registry));
}
