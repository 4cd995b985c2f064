//===- gsa-translate.cpp - kernels as text and as machine code ------------===//
//
// mlir-translate for gsa_tile:
//
//   gsa-translate --gsa-tile-to-cuda kernels.mlir
//   gsa-translate --gsa-tile-to-emu kernels.mlir
//   gsa-translate --gsa-tile-to-ptx --arch=sm_90a kernels.mlir
//   gsa-translate --resource-usage --refuse-spills kernels.mlir
//   gsa-translate --dump-device-headers=folder [--used-by=kernel.cu]
//   gsa-translate --nvrtc-version
//
// Exit codes are those of tools/common/ExitCode.h; the driver of MLIR ends with
// 1 where it finds an error itself, in options, files or the module's text.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/CudaPrinter.h"
#include "codegen/device/UsedDeclarations.h"
#include "dialect/Gsa/GsaDialect.h"
#include "dialect/Target/CudaTarget.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "runtime/emu/emu_program.h"
#include "tools/common/ExitCode.h"
#include "tools/common/LlvmHelp.h"
#include "tools/common/StandardStreams.h"
#include "tools/common/ToolkitEnvironment.h"
#include "tools/gsa-translate/CompileKernels.h"
#include "tools/gsa-translate/ParseNamed.h"

// Before mlir::gsa is visible, too.
namespace runtime = ::gsa;
using namespace mlir;

static llvm::cl::extrahelp toolkitHelp(kToolkitEnvironmentHelp);
static llvm::cl::list<std::string> archs(
    "arch", llvm::cl::CommaSeparated,
    llvm::cl::desc("Architectures (sm_90a, ...); --resource-usage: all"));
static llvm::cl::opt<bool> refuseSpills(
    "refuse-spills",
    llvm::cl::desc("With --resource-usage: fail on local memory and "
                   "on products that ptxas keeps apart"));

/// What a translation that fails ends the tool with.
static int exitCode = ::gsa::kExitFailure;

/// Names of all translations.
static SmallVector<StringRef> translations;

static LogicalResult usageError(ModuleOp module, const Twine& message) {
  exitCode = ::gsa::kExitUsage;
  return module.emitError() << message;
}

static void registerDialects(DialectRegistry& registry) {
  // gsa for the schedules that kernels carry, bufferization and tensor for a
  // host function that still has tensors.
  registry.insert<gsa_tile::GsaTileDialect, mlir::gsa::GsaDialect,
                  arith::ArithDialect, func::FuncDialect, math::MathDialect,
                  memref::MemRefDialect, scf::SCFDialect,
                  bufferization::BufferizationDialect, tensor::TensorDialect>();
  gsa_tile::registerCudaEmitModels(registry);
}

/// Without kernels a translation would be an empty file that looks like one.
static LogicalResult checkHasKernels(ModuleOp module) {
  if (!module.getOps<gsa_tile::KernelOp>().empty()) return success();
  return usageError(module,
                    "the module has no gsa_tile.kernel to translate; gsa-opt "
                    "--gsa-to-cuda makes kernels of gsa ops");
}

static LogicalResult toCuda(ModuleOp module, raw_ostream& os) {
  if (failed(checkHasKernels(module))) return failure();
  FailureOr<std::string> text = gsa_tile::printCudaModule(module);
  if (failed(text)) return failure();
  os << *text;
  return success();
}

/// The C++ file of the host emulation: the same text, and a main function.
static LogicalResult toEmu(ModuleOp module, raw_ostream& os) {
  if (failed(checkHasKernels(module))) return failure();
  FailureOr<std::string> text = gsa_tile::printCudaModule(module);
  if (failed(text)) return failure();
  std::vector<std::pair<std::string, std::string>> kernels;
  for (auto kernel : module.getOps<gsa_tile::KernelOp>())
    kernels.emplace_back(kernel.getSymName().str(), *text);
  os << runtime::EmuSource(kernels);
  return success();
}

static LogicalResult toLineMap(ModuleOp module, raw_ostream& os) {
  if (failed(checkHasKernels(module))) return failure();
  gsa_tile::LineMap lines;
  if (failed(gsa_tile::printCudaModule(module, &lines))) return failure();
  lines.print(os);
  return success();
}

/// The architectures that --arch names, or all.
static SmallVector<std::string> getArchs() {
  SmallVector<std::string> result(archs.begin(), archs.end());
  if (!result.empty()) return result;
  for (const mlir::gsa::CudaTarget& target : mlir::gsa::getCudaTargets())
    result.push_back(target.arch.str());
  return result;
}

static LogicalResult toImage(ModuleOp module, raw_ostream& os,
                             ::gsa::CudaOutput output) {
  if (archs.size() != 1)
    return usageError(module, "expected one architecture in --arch, got " +
                                  Twine(archs.size()));
  if (failed(checkHasKernels(module))) return failure();
  FailureOr<::gsa::CompiledCuda> compiled =
      compileKernels(module, archs.front(), output, &exitCode);
  if (failed(compiled)) return failure();
  StringRef image = compiled->image;
  // PTX ends with a zero byte for the driver.
  if (output == ::gsa::CudaOutput::kPtx) image = image.rtrim('\0');
  os << image;
  return success();
}

static LogicalResult toResources(ModuleOp module, raw_ostream& os) {
  if (failed(checkHasKernels(module))) return failure();
  for (const std::string& arch : getArchs())
    if (failed(reportResources(module, arch, refuseSpills, os, &exitCode)))
      return failure();
  return success();
}

static int printLine(const std::string& line) {
  absl::Status written = ::gsa::writeToStandardOutput(line + "\n");
  if (written.ok()) return ::gsa::kExitOk;
  llvm::errs() << "gsa-translate: error: " << std::string(written.message())
               << '\n';
  return ::gsa::kExitFailure;
}

/// Writes both sets of headers below `folder`, for a compiler run by hand; with
/// the file of a kernel's text, what NVRTC is given with it instead.
static int dumpHeaders(StringRef folder, std::optional<StringRef> kernel) {
  auto dump = [&](StringRef set, const auto& headers) {
    for (const auto& header : headers) {
      SmallString<128> path(folder);
      llvm::sys::path::append(path, set, header.name);
      std::error_code error =
          llvm::sys::fs::create_directories(llvm::sys::path::parent_path(path));
      if (!error) {
        llvm::raw_fd_ostream os(path, error);
        if (!error) os << header.text;
        os.close();
        if (os.has_error()) error = os.error();
        os.clear_error();  // or its destructor ends the process
      }
      if (error) {
        llvm::errs() << "gsa-translate: cannot write " << path << ": "
                     << error.message() << '\n';
        return failure();
      }
    }
    return success();
  };
  if (kernel) {
    auto text = llvm::MemoryBuffer::getFile(*kernel, /*IsText=*/true);
    if (!text) {
      llvm::errs() << "gsa-translate: cannot read " << *kernel << ": "
                   << text.getError().message() << '\n';
      return ::gsa::kExitUsage;
    }
    auto used = gsa_tile::getUsedDeviceHeaders((*text)->getBuffer());
    return failed(dump("include", used)) ? ::gsa::kExitUsage : ::gsa::kExitOk;
  }
  if (failed(dump("include", gsa_tile::getDeviceHeaders())) ||
      failed(dump("emu", gsa_tile::getEmulationHeaders())))
    return ::gsa::kExitUsage;
  return printLine(("include " + gsa_tile::getDeviceHeadersHash() + "\nemu " +
                    gsa_tile::getEmulationHeadersHash())
                       .str());
}

/// What needs no input; nothing if the command line asks for a translation.
static std::optional<int> runWithoutInput(int argc, char** argv) {
  StringRef argument(argc > 1 ? argv[1] : "");
  StringRef kernel(argc == 3 ? argv[2] : "");
  bool isOfKernel = kernel.consume_front("--used-by=");
  if (argc != 2 && !isOfKernel) return std::nullopt;
  if (argument.consume_front("--dump-device-headers="))
    return dumpHeaders(argument,
                       isOfKernel ? std::optional(kernel) : std::nullopt);
  if (isOfKernel) return std::nullopt;
  if (argument != "--nvrtc-version") return std::nullopt;
  auto nvrtc = ::gsa::NvrtcApi::Load(getToolkitSearchFromEnvironment());
  if (nvrtc.ok()) return printLine((*nvrtc)->Describe());
  llvm::errs() << "gsa-translate: error: "
               << std::string(nvrtc.status().message()) << '\n';
  return ::gsa::kExitDevice;
}

/// A translation of a module whose values keep the names that they have in the
/// text: the kernels' variables are called the same.
static void registerTranslation(
    StringRef name, StringRef description,
    const std::function<LogicalResult(ModuleOp, raw_ostream&)>& translate) {
  translations.push_back(name);
  TranslateRegistration(
      name, description,
      [translate](const std::shared_ptr<llvm::SourceMgr>& source,
                  raw_ostream& os, MLIRContext* context) -> LogicalResult {
        DialectRegistry registry;
        registerDialects(registry);
        context->appendDialectRegistry(registry);
        OwningOpRef<ModuleOp> module = parseNamed(source, context);
        return module ? translate(*module, os) : failure();
      });
}

static void registerTranslations() {
  registerTranslation("gsa-tile-to-cuda", "print kernels as CUDA C++", toCuda);
  registerTranslation(
      "gsa-tile-to-emu",
      "print kernels as the C++ file that emulates them on a host", toEmu);
  registerTranslation("emit-line-map",
                      "print the op of each line of the CUDA C++", toLineMap);
  registerTranslation("gsa-tile-to-ptx", "compile kernels to PTX for --arch",
                      [](ModuleOp module, raw_ostream& os) {
                        return toImage(module, os, ::gsa::CudaOutput::kPtx);
                      });
  registerTranslation("gsa-tile-to-cubin",
                      "compile kernels to machine code for --arch",
                      [](ModuleOp module, raw_ostream& os) {
                        return toImage(module, os, ::gsa::CudaOutput::kCubin);
                      });
  registerTranslation("resource-usage",
                      "compile kernels for --arch and print what they use of "
                      "an SM",
                      toResources);
}

/// Whether the command line can have a translation: an option beside those of
/// all of them. Without one the driver of MLIR says so once for each that there
/// is.
static bool mayNameTranslation(int argc, char** argv) {
  for (StringRef argument : ArrayRef(argv, argc).drop_front()) {
    StringRef name = argument.ltrim('-').split('=').first;
    if (argument.starts_with("-") && name != "o" && name != "arch" &&
        name != "refuse-spills" && !name.empty())
      return true;
  }
  return false;
}

int main(int argc, char** argv) {
  ::gsa::reserveStandardStreams();
  ::gsa::hideLinkedOptions({archs.ArgStr, refuseSpills.ArgStr});
  llvm::setBugReportMsg(
      "Please report this at the gsa project, with the input and the command "
      "line.\n");
  if (std::optional<int> code = runWithoutInput(argc, argv)) return *code;
  registerTranslations();
  if (!mayNameTranslation(argc, argv)) {
    llvm::errs() << "gsa-translate: error: expected a translation: --"
                 << llvm::join(translations, ", --") << '\n';
    return ::gsa::kExitUsage;
  }
  if (succeeded(mlirTranslateMain(argc, argv, "gsa translation driver")))
    return ::gsa::kExitOk;
  return exitCode;
}
