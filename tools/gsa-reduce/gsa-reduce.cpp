//===- gsa-reduce.cpp - test case reduction -------------------------------===//
//
// Makes a module smaller while a script still finds it interesting (exits with
// a status other than 0 when it is given the file):
//
//   gsa-reduce big.mlir --reduction-tree='traversal-mode=0 test=is-bad.sh'
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/CudaPrinter.h"
#include "dialect/Gsa/GsaDialect.h"
#include "dialect/GsaTile/GsaTileDialect.h"
#include "dialect/Text/ModuleText.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "passes/cpu/CpuPasses.h"
#include "passes/tile/Passes.h"
#include "tools/common/ExitCode.h"
#include "tools/common/LlvmHelp.h"
#include "tools/common/StandardStreams.h"
#include "tools/gsa-reduce/GsaReduction.h"

/// Keeps what is said while candidates are tried: most of them break a rule,
/// which is no news unless there is no result.
class QuietDiagnostics {
 public:
  explicit QuietDiagnostics(mlir::MLIRContext* context)
      : handler(context, [this](mlir::Diagnostic& diagnostic) {
          llvm::raw_string_ostream os(text);
          os << diagnostic.getLocation() << ": " << diagnostic << "\n";
        }) {}

  std::string text;

 private:
  mlir::ScopedDiagnosticHandler handler;
};

/// Whether the modules among the arguments, which are files named *.mlir, may
/// be parsed. The reducer opens its input by itself.
static bool acceptInputs(llvm::ArrayRef<char*> arguments) {
  for (llvm::StringRef argument : arguments) {
    if (argument.starts_with("-") || !argument.ends_with(".mlir")) continue;
    auto file = llvm::MemoryBuffer::getFile(argument);
    if (file && !mlir::gsa::acceptModuleText((*file)->getBuffer(), argument,
                                             llvm::errs()))
      return false;
  }
  return true;
}

/// Whether a pass that reduces is asked for: without one the module is printed
/// as it is.
static bool asksForReduction(llvm::ArrayRef<char*> arguments) {
  return llvm::any_of(arguments, [](llvm::StringRef argument) {
    argument = argument.ltrim('-');
    return argument.starts_with("reduction-tree") ||
           argument.starts_with("opt-reduction-pass") ||
           argument.starts_with("pass-pipeline") ||
           argument.starts_with("help") || argument.starts_with("version");
  });
}

constexpr char kHelp[] =
    R"(gsa-reduce: mlir-reduce with the dialects gsa and gsa_tile

usage: gsa-reduce <input.mlir> [-o <file>]
         --reduction-tree='traversal-mode=0 test=<script>'
       gsa-reduce <input.mlir> [-o <file>]
         --opt-reduction-pass='opt-pass=<pass> test=<script>'

Drops ops, operands and attributes, or runs the pass, as long as the script, which
gets the name of a file with a module, ends with a status other than 0.

  -o <file>                     Output (default: standard output)
  --reduction-tree='...'        test=<script>, test-arg=<argument>,
                                traversal-mode=0
  --opt-reduction-pass='...'    opt-pass=<pass, as in gsa-opt>, test=<script>
  --help-hidden                 All options, and all passes of MLIR

docs/guides/tools.md has an example.
)";

int main(int argc, char** argv) {
  gsa::reserveStandardStreams();
  if (gsa::asksForHelp(argc, argv)) return gsa::printHelp("gsa-reduce", kHelp);
  if (!asksForReduction(llvm::ArrayRef(argv, argc).drop_front()))
    llvm::errs() << "gsa-reduce: nothing is reduced without "
                    "--reduction-tree='traversal-mode=0 test=<script>'\n";
  if (!acceptInputs(llvm::ArrayRef(argv, argc).drop_front()))
    return gsa::kExitFailure;
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<mlir::gsa::GsaDialect, mlir::gsa_tile::GsaTileDialect>();
  mlir::gsa_tile::registerCudaEmitModels(registry);
  mlir::gsa::registerGsaReductions(registry);
  mlir::registerAllPasses();
  mlir::gsa::registerGsaPasses();
  mlir::gsa::registerCpuPasses();
  mlir::gsa::registerGsaTilePasses();
  mlir::gsa::registerPipelines();
  mlir::MLIRContext context(registry);
  QuietDiagnostics diagnostics(&context);
  if (mlir::succeeded(mlir::mlirReduceMain(argc, argv, context)))
    return gsa::kExitOk;
  llvm::errs() << diagnostics.text;
  // The reduction passes say nothing about a test that refuses the input.
  llvm::errs() << "gsa-reduce: nothing was reduced: unless an error is above, "
                  "the test does not find the input interesting, for which it "
                  "must exit with a status other than 0\n";
  return gsa::kExitFailure;
}
