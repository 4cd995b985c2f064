//===- CompileKernels.cpp - kernels to machine code -----------------------===//

#include "tools/gsa-translate/CompileKernels.h"

#include "codegen/cuda/CudaPrinter.h"
#include "codegen/device/UsedDeclarations.h"
#include "dialect/Target/CudaTarget.h"
#include "llvm/Support/Regex.h"
#include "tools/common/ExitCode.h"
#include "tools/common/ToolkitEnvironment.h"

using namespace mlir;
using ::gsa::CompiledCuda;
using ::gsa::CompileLog;
using ::gsa::CompileMessage;
using ::gsa::CompileRequest;
using ::gsa::KernelResources;

/// Name of the printed text in the compiler's messages.
static constexpr char kFile[] = "kernel.cu";

/// Line of the printed text that a message is about; 0 if there is none. A
/// message in a header is about the line that instantiated it, which follows in
/// the log.
static unsigned findLine(const CompileMessage& message, StringRef log) {
  if (message.file == kFile) return message.line;
  if (message.file.empty()) return 0;
  std::string head =
      message.file + "(" + std::to_string(message.line) + "): error";
  size_t begin = log.find(head);
  if (begin == StringRef::npos) return 0;
  StringRef rest = log.drop_front(begin + head.size());
  rest = rest.take_front(rest.find("): error"));
  static llvm::Regex place("at line ([0-9]+) of \"?kernel\\.cu");
  SmallVector<StringRef> match;
  unsigned line = 0;
  if (!place.match(rest, &match) || match[1].getAsInteger(10, line)) return 0;
  return line;
}

static void emitMessages(ModuleOp module, const CompileLog& log,
                         const gsa_tile::LineMap& lines) {
  for (const CompileMessage& message : log.messages) {
    if (message.severity == CompileMessage::Severity::kNote) continue;
    unsigned line = findLine(message, log.text);
    const gsa_tile::LineMap::Entry* entry = lines.lookup(line);
    Location location = entry ? entry->location : module.getLoc();
    bool isError = message.severity == CompileMessage::Severity::kError;
    InFlightDiagnostic diagnostic =
        isError ? mlir::emitError(location) : mlir::emitWarning(location);
    if (entry) diagnostic << "'" << entry->op << "' op ";
    diagnostic << "in CUDA C++";
    if (line) diagnostic << ", line " << line;
    if (message.file != kFile && !message.file.empty())
      diagnostic << ", " << message.file << ":" << message.line;
    diagnostic << ": " << message.text;
  }
}

/// An architecture that no kernel is made for.
static LogicalResult checkArch(ModuleOp module, StringRef arch) {
  if (mlir::gsa::findCudaTarget(arch)) return success();
  return module.emitError("architecture: ")
         << mlir::gsa::explainUnknownTarget(arch);
}

FailureOr<CompiledCuda> compileKernels(ModuleOp module, StringRef arch,
                                       ::gsa::CudaOutput output,
                                       int* exitCode) {
  if (failed(checkArch(module, arch))) {
    *exitCode = ::gsa::kExitUnsupported;
    return failure();
  }
  gsa_tile::LineMap lines;
  FailureOr<std::string> text = gsa_tile::printCudaModule(module, &lines);
  if (failed(text)) return failure();
  CompileRequest request;
  request.name = kFile;
  request.source = *text;
  std::vector<::gsa::SourceHeader> headers;
  for (gsa_tile::UsedHeader& header : gsa_tile::getUsedDeviceHeaders(*text))
    headers.push_back({header.name.str(), std::move(header.text)});
  request.headers = headers;
  request.arch = arch.str();
  request.output = output;
  CompileLog log;
  auto nvrtc = ::gsa::NvrtcApi::Load(getToolkitSearchFromEnvironment());
  if (!nvrtc.ok()) {
    *exitCode = ::gsa::kExitDevice;
    return module.emitError() << std::string(nvrtc.status().message());
  }
  absl::StatusOr<CompiledCuda> compiled =
      ::gsa::CompileCuda(**nvrtc, request, &log);
  if (compiled.ok()) {
    emitMessages(module, compiled->log, lines);
    return *std::move(compiled);
  }
  bool isPlaced = llvm::any_of(log.messages, [](const CompileMessage& message) {
    return message.severity == CompileMessage::Severity::kError;
  });
  emitMessages(module, log, lines);
  if (!isPlaced) module.emitError() << compiled.status().ToString();
  return failure();
}

/// What ptxas calls a "(C7510) Potential Performance Loss": products of a
/// warpgroup that it keeps apart, register counts that it leaves alone. The
/// kernel is right, and slow.
static LogicalResult refuseLosses(ModuleOp module, StringRef arch,
                                  const CompileLog& log) {
  LogicalResult result = success();
  for (const CompileMessage& message : log.messages)
    if (StringRef(message.text).contains("Potential Performance Loss"))
      result = mlir::emitError(module.getLoc())
               << "a kernel is slower than its text says on " << arch << ": "
               << message.text;
  return result;
}

LogicalResult reportResources(ModuleOp module, StringRef arch,
                              bool refuseSpills, raw_ostream& os,
                              int* exitCode) {
  FailureOr<CompiledCuda> compiled =
      compileKernels(module, arch, ::gsa::CudaOutput::kCubin, exitCode);
  if (failed(compiled)) return failure();
  LogicalResult result = success();
  if (refuseSpills) result = refuseLosses(module, arch, compiled->log);
  for (auto kernel : module.getOps<gsa_tile::KernelOp>()) {
    std::string symbol = kernel.getSymName().str();
    const KernelResources* used = compiled->Find(symbol);
    if (!used)
      return kernel.emitOpError()
             << "is not in the report of ptxas for " << arch;
    os << arch << ' ' << symbol << " registers=" << used->registers
       << " stack=" << used->stack_bytes
       << " spill_stores=" << used->spill_store_bytes
       << " spill_loads=" << used->spill_load_bytes
       << " static_smem=" << used->static_smem_bytes << '\n';
    bool local =
        used->stack_bytes || used->spill_store_bytes || used->spill_load_bytes;
    if (refuseSpills && local)
      result = kernel.emitOpError()
               << "uses local memory on " << arch << ": " << used->stack_bytes
               << " bytes of stack, " << used->spill_store_bytes
               << " of spill stores, " << used->spill_load_bytes
               << " of spill loads";
  }
  return result;
}
