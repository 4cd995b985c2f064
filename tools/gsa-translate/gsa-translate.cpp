//===- gsa-translate.cpp - kernels as text and as machine code ------------===//
//
// mlir-translate for gsa_tile:
//
//   gsa-translate --gsa-tile-to-cuda kernels.mlir
//   gsa-translate --gsa-tile-to-emu kernels.mlir
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/CudaPrinter.h"
#include "dialect/Gsa/GsaDialect.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "runtime/emu/emu_program.h"

// Before mlir::gsa is visible, too.
namespace runtime = ::gsa;
using namespace mlir;

static void registerDialects(DialectRegistry& registry) {
  // gsa for the schedules that kernels carry.
  registry.insert<gsa_tile::GsaTileDialect, mlir::gsa::GsaDialect,
                  arith::ArithDialect, func::FuncDialect, math::MathDialect,
                  memref::MemRefDialect, scf::SCFDialect>();
  gsa_tile::registerCudaEmitModels(registry);
}

static LogicalResult toCuda(ModuleOp module, raw_ostream& os) {
  FailureOr<std::string> text = gsa_tile::printCudaModule(module);
  if (failed(text)) return failure();
  os << *text;
  return success();
}

/// The C++ file of the host emulation: the same text, and a main function.
static LogicalResult toEmu(ModuleOp module, raw_ostream& os) {
  FailureOr<std::string> text = gsa_tile::printCudaModule(module);
  if (failed(text)) return failure();
  std::vector<std::pair<std::string, std::string>> kernels;
  for (auto kernel : module.getOps<gsa_tile::KernelOp>())
    kernels.emplace_back(kernel.getSymName().str(), *text);
  os << runtime::EmuSource(kernels);
  return success();
}

static LogicalResult toLineMap(ModuleOp module, raw_ostream& os) {
  gsa_tile::LineMap lines;
  if (failed(gsa_tile::printCudaModule(module, &lines))) return failure();
  lines.print(os);
  return success();
}

int main(int argc, char** argv) {
  llvm::setBugReportMsg(
      "Please report this at the gsa project, with the input and the command "
      "line.\n");
  TranslateFromMLIRRegistration cuda("gsa-tile-to-cuda",
                                     "print kernels as CUDA C++", toCuda,
                                     registerDialects);
  TranslateFromMLIRRegistration emu(
      "gsa-tile-to-emu",
      "print kernels as the C++ file that emulates them on a host", toEmu,
      registerDialects);
  TranslateFromMLIRRegistration lines(
      "emit-line-map", "print the op of each line of the CUDA C++", toLineMap,
      registerDialects);
  return failed(mlirTranslateMain(argc, argv, "gsa translation driver"));
}
