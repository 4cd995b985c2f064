//===- plugin.cpp - gsa in a stock mlir-opt -------------------------------===//
//
// Adds the gsa dialect, its passes and pipelines to an mlir-opt of the same
// version:
//
//   mlir-opt-22 --load-dialect-plugin=libGSAPlugin.so
//     --load-pass-plugin=libGSAPlugin.so
//     --pass-pipeline='builtin.module(gsa-decompose)' layer.mlir
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/CudaPrinter.h"
#include "dialect/Gsa/GsaDialect.h"
#include "dialect/GsaTile/GsaTileDialect.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "passes/cpu/CpuPasses.h"
#include "passes/tile/Passes.h"

static const char kName[] = "gsa";

extern "C" LLVM_ATTRIBUTE_VISIBILITY_DEFAULT mlir::DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {
      MLIR_PLUGIN_API_VERSION, kName, GSA_VERSION_TEXT,
      [](mlir::DialectRegistry* registry) {
        registry
            ->insert<mlir::gsa::GsaDialect, mlir::gsa_tile::GsaTileDialect>();
        mlir::gsa::registerCpuDialects(*registry);
        mlir::gsa_tile::registerCudaEmitModels(*registry);
      }};
}

extern "C" LLVM_ATTRIBUTE_VISIBILITY_DEFAULT mlir::PassPluginLibraryInfo
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, kName, GSA_VERSION_TEXT, [] {
            mlir::gsa::registerGsaPasses();
            mlir::gsa::registerCpuPasses();
            mlir::gsa::registerGsaTilePasses();
            mlir::gsa::registerPipelines();
          }};
}
