//===- gsa-opt.cpp - optimiser driver -------------------------------------===//
//
// mlir-opt with the gsa dialect, its passes and pipelines, and with the check
// of text that the parser does not survive.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/CudaPrinter.h"
#include "dialect/Gsa/GsaDialect.h"
#include "dialect/GsaTile/GsaTileDialect.h"
#include "dialect/Text/ModuleText.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/ToolOutputFile.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "passes/cpu/CpuPasses.h"
#include "passes/tile/Passes.h"
#include "tools/common/LlvmHelp.h"
#include "tools/common/StandardStreams.h"
#include "tools/gsa-opt/Help.h"

/// MlirOptMain but for the check of the text before it is parsed.
static mlir::LogicalResult run(int argc, char** argv,
                               mlir::DialectRegistry& registry) {
  auto [inputPath, outputPath] = mlir::registerAndParseCLIOptions(
      argc, argv, "gsa optimiser driver\n", registry);
  auto config = mlir::MlirOptMainConfig::createFromCLOptions();
  bool readsNothing = config.shouldShowDialects() || config.shouldListPasses();
  if (readsNothing ||
      (inputPath == "-" && llvm::sys::Process::StandardInIsUserInput()))
    return mlir::MlirOptMain(argc, argv, inputPath, outputPath, registry);
  llvm::InitLLVM init(argc, argv);
  std::string error;
  std::unique_ptr<llvm::MemoryBuffer> input =
      mlir::openInputFile(inputPath, &error);
  std::unique_ptr<llvm::ToolOutputFile> output;
  if (input) output = mlir::openOutputFile(outputPath, &error);
  if (!output) {
    llvm::errs() << error << '\n';
    return mlir::failure();
  }
  if (!mlir::gsa::acceptModuleText(
          input->getBuffer(), input->getBufferIdentifier(), llvm::errs()) ||
      mlir::failed(
          mlir::MlirOptMain(output->os(), std::move(input), registry, config)))
    return mlir::failure();
  output->keep();
  return mlir::success();
}

int main(int argc, char** argv) {
  gsa::reserveStandardStreams();
  llvm::setBugReportMsg(
      "Please report this at the gsa project, with the input and the command "
      "line.\n");
  mlir::gsa::registerGsaPasses();
  mlir::gsa::registerCpuPasses();
  mlir::gsa::registerGsaTilePasses();
  mlir::gsa::registerPipelines();
  // Of our passes: before those of upstream are registered.
  if (gsa::asksForHelp(argc, argv))
    return gsa::printHelp(
        "gsa-opt",
        gsa::kHelpHead + gsa::describeRegisteredPasses() + gsa::kHelpTail);
  mlir::registerAllPasses();
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<mlir::gsa::GsaDialect, mlir::gsa_tile::GsaTileDialect>();
  mlir::gsa_tile::registerCudaEmitModels(registry);
  return mlir::asMainReturnCode(run(argc, argv, registry));
}
