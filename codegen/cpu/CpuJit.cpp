//===- CpuJit.cpp - machine code for a module of the LLVM dialect ---------===//

#include "codegen/cpu/CpuJit.h"

#include <mutex>

#include "codegen/cpu/HostSymbols.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"

namespace mlir::gsa {

namespace {

constexpr llvm::StringLiteral kEntrySymbol = "gsa_cpu_entry";
constexpr llvm::StringLiteral kCInterfacePrefix = "_mlir_ciface_";

llvm::Error makeError(const llvm::Twine& message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

void initializeTarget() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
  });
}

llvm::CodeGenOptLevel codeGenLevel(unsigned level) {
  switch (level) {
    case 0:
      return llvm::CodeGenOptLevel::None;
    case 1:
      return llvm::CodeGenOptLevel::Less;
    case 2:
      return llvm::CodeGenOptLevel::Default;
    default:
      return llvm::CodeGenOptLevel::Aggressive;
  }
}

llvm::OptimizationLevel passLevel(unsigned level) {
  switch (level) {
    case 0:
      return llvm::OptimizationLevel::O0;
    case 1:
      return llvm::OptimizationLevel::O1;
    case 2:
      return llvm::OptimizationLevel::O2;
    default:
      return llvm::OptimizationLevel::O3;
  }
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> makeTargetMachine(
    const CpuCodegenOptions& options) {
  initializeTarget();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string message;
  const llvm::Target* target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target) return makeError("no code generator for this host: " + message);
  bool isHost = options.cpu.empty();
  std::string cpu = isHost ? hostCpuName() : options.cpu;
  std::string features =
      isHost && options.features.empty() ? hostCpuFeatures() : options.features;
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget(
      target->createMCSubtargetInfo(triple, "", ""));
  if (!subtarget || !subtarget->isCPUStringValid(cpu))
    return makeError("unknown CPU '" + cpu + "' for " + triple.str());
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, cpu, features, llvm::TargetOptions(), llvm::Reloc::PIC_,
      llvm::CodeModel::Small, codeGenLevel(options.optLevel)));
  if (!machine) return makeError("could not create a target for " + cpu);
  return std::move(machine);
}

/// The only function with a C interface and a body.
llvm::Expected<llvm::Function*> findCInterface(llvm::Module& module) {
  llvm::Function* found = nullptr;
  for (llvm::Function& function : module) {
    if (function.isDeclaration() ||
        !function.getName().starts_with(kCInterfacePrefix))
      continue;
    if (found)
      return makeError("expected one function with a C interface, got '" +
                       found->getName() + "' and '" + function.getName() + "'");
    found = &function;
  }
  if (!found) return makeError("expected a function with a C interface");
  return found;
}

/// Adds `void gsa_cpu_entry(void *const *args)`, see CpuModule::Entry, and
/// hides everything else, so that the optimiser sees the whole program.
llvm::Error addEntry(llvm::Module& module) {
  llvm::Expected<llvm::Function*> callee = findCInterface(module);
  if (!callee) return callee.takeError();
  llvm::LLVMContext& context = module.getContext();
  if (!(*callee)->getReturnType()->isVoidTy())
    return makeError(
        "expected an entry that writes its results into "
        "arguments, got one that returns a value");
  for (llvm::Function& function : module)
    if (!function.isDeclaration())
      function.setLinkage(llvm::GlobalValue::InternalLinkage);

  auto* pointer = llvm::PointerType::getUnqual(context);
  auto* entry = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer}, false),
      llvm::GlobalValue::ExternalLinkage, kEntrySymbol, module);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "entry", entry));
  llvm::SmallVector<llvm::Value*> args;
  for (auto [index, parameter] : llvm::enumerate((*callee)->args())) {
    llvm::Value* slot =
        builder.CreateConstGEP1_64(pointer, entry->getArg(0), index);
    llvm::Value* arg = builder.CreateLoad(pointer, slot);
    if (!parameter.getType()->isPointerTy())
      arg = builder.CreateLoad(parameter.getType(), arg);
    args.push_back(arg);
  }
  builder.CreateCall(*callee, args);
  builder.CreateRetVoid();
  return llvm::Error::success();
}

void setFunctionAttributes(llvm::Module& module,
                           const llvm::TargetMachine& machine,
                           unsigned vectorBits) {
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    function.addFnAttr("prefer-vector-width", std::to_string(vectorBits));
    // Nothing here throws, and no unwinder knows this code.
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
}

void optimize(llvm::Module& module, llvm::TargetMachine& machine,
              unsigned level) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = level > 1;
  tuning.SLPVectorization = level > 1;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  llvm::ModulePassManager passes =
      level == 0 ? builder.buildO0DefaultPipeline(llvm::OptimizationLevel::O0)
                 : builder.buildPerModuleDefaultPipeline(passLevel(level));
  passes.run(module, modules);
}

llvm::Error emit(llvm::Module& module, llvm::TargetMachine& machine,
                 llvm::CodeGenFileType type,
                 llvm::SmallVectorImpl<char>& bytes) {
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
    return makeError("this target cannot emit the requested file type");
  passes.run(module);
  return llvm::Error::success();
}

struct LinkCauses {
  std::mutex mutex;
  std::string text;
};

/// Makes `table` resolvable, less the names in `overrides`.
llvm::Error define(llvm::orc::LLJIT& jit, const llvm::StringMap<void*>& table,
                   const llvm::StringMap<void*>* overrides = nullptr) {
  llvm::orc::SymbolMap map;
  for (const auto& entry : table) {
    if (overrides && overrides->contains(entry.getKey())) continue;
    map[jit.mangleAndIntern(entry.getKey())] = {
        llvm::orc::ExecutorAddr::fromPtr(entry.getValue()),
        llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  }
  if (map.empty()) return llvm::Error::success();
  return jit.getMainJITDylib().define(llvm::orc::absoluteSymbols(map));
}

}  // namespace

std::string hostCpuName() { return llvm::sys::getHostCPUName().str(); }

std::string hostCpuFeatures() {
  // Sorted: the string is part of cache keys.
  llvm::StringMap<bool> map = llvm::sys::getHostCPUFeatures();
  llvm::SmallVector<llvm::StringRef> names;
  for (const auto& entry : map) names.push_back(entry.getKey());
  llvm::sort(names);
  llvm::SubtargetFeatures features;
  for (llvm::StringRef name : names)
    features.AddFeature(name, map.lookup(name));
  return features.getString();
}

unsigned hostVectorBits() {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  if (features.lookup("avx512f") && features.lookup("avx512vl")) return 512;
  if (features.lookup("avx2")) return 256;
  return 128;
}

llvm::Expected<CpuObject> compileCpuObject(ModuleOp module,
                                           const CpuCodegenOptions& options) {
  if (options.optLevel > 3)
    return makeError("expected an optimisation level of 0 to 3, got " +
                     llvm::Twine(options.optLevel));
  auto machine = makeTargetMachine(options);
  if (!machine) return machine.takeError();

  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  // A context of its own: LLVM contexts are not thread-safe.
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> ir =
      translateModuleToLLVMIR(module, context, "gsa");
  if (!ir) return makeError("translation to LLVM IR failed");
  ir->setTargetTriple((*machine)->getTargetTriple());
  ir->setDataLayout((*machine)->createDataLayout());
  if (llvm::Error error = addEntry(*ir)) return std::move(error);
  setFunctionAttributes(*ir, **machine, options.vectorBits);
  optimize(*ir, **machine, options.optLevel);

  CpuObject object;
  object.entrySymbol = kEntrySymbol.str();
  object.cpu = (*machine)->getTargetCPU().str();
  object.features = (*machine)->getTargetFeatureString().str();
  if (options.keepLlvmIr) {
    llvm::raw_string_ostream stream(object.llvmIr);
    ir->print(stream, nullptr);
  }
  if (options.keepAssembly) {
    // Emission consumes the module.
    std::unique_ptr<llvm::Module> copy = llvm::CloneModule(*ir);
    llvm::SmallVector<char, 0> text;
    if (llvm::Error error =
            emit(*copy, **machine, llvm::CodeGenFileType::AssemblyFile, text))
      return std::move(error);
    object.assembly.assign(text.begin(), text.end());
  }
  if (llvm::Error error =
          emit(*ir, **machine, llvm::CodeGenFileType::ObjectFile, object.bytes))
    return std::move(error);
  return object;
}

CpuModule::CpuModule() = default;
CpuModule::~CpuModule() = default;

llvm::Expected<std::unique_ptr<CpuModule>> CpuModule::compile(
    ModuleOp module, const CpuCodegenOptions& options) {
  llvm::Expected<CpuObject> object = compileCpuObject(module, options);
  if (!object) return object.takeError();
  return load(std::move(*object), options.symbols);
}

llvm::Expected<std::unique_ptr<CpuModule>> CpuModule::load(
    CpuObject object, const llvm::StringMap<void*>& symbols) {
  initializeTarget();
  std::unique_ptr<CpuModule> module(new CpuModule());
  // No process symbols, no platform: code sees the names given here and
  // nothing else of this process.
  auto jit = llvm::orc::LLJITBuilder()
                 .setJITTargetMachineBuilder(llvm::orc::JITTargetMachineBuilder(
                     llvm::Triple(llvm::sys::getProcessTriple())))
                 .setLinkProcessSymbolsByDefault(false)
                 .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
                 .create();
  if (!jit) return jit.takeError();
  module->jit = std::move(*jit);
  // ORC tells the cause of a failed link to its reporter and returns only that
  // symbols failed; both belong into the error.
  auto causes = std::make_shared<LinkCauses>();
  module->jit->getExecutionSession().setErrorReporter(
      [causes](llvm::Error error) {
        std::lock_guard<std::mutex> lock(causes->mutex);
        causes->text += llvm::toString(std::move(error)) + "; ";
      });
  if (llvm::Error error = define(*module->jit, hostSymbols(), &symbols))
    return std::move(error);
  if (llvm::Error error = define(*module->jit, symbols))
    return std::move(error);
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy(
      llvm::StringRef(object.bytes.data(), object.bytes.size()), "gsa");
  if (llvm::Error error = module->jit->addObjectFile(std::move(buffer)))
    return std::move(error);
  auto address = module->jit->lookup(object.entrySymbol);
  if (!address) {
    std::string message = llvm::toString(address.takeError());
    std::lock_guard<std::mutex> lock(causes->mutex);
    return makeError("could not link compiled code: " + causes->text + message);
  }
  module->entryPoint = address->toPtr<Entry>();
  module->compiled = std::move(object);
  return std::move(module);
}

}  // namespace mlir::gsa
