// -----------------------------------------------------------------------------
// File: compiler.cc
// -----------------------------------------------------------------------------

#include "runtime/compiler.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/cpu/CpuJit.h"
#include "codegen/cuda/CudaPrinter.h"
#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaDialect.h"
#include "dialect/Target/CpuTarget.h"
#include "dialect/Text/ModuleText.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/Dialect/Func/Extensions/AllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "passes/cpu/CpuPasses.h"
#include "runtime/compilation.h"
#include "runtime/core/compilations.h"
#include "runtime/core/nearest_name.h"
#include "runtime/core/status_macros.h"
#include "runtime/cpu_objects.h"
#include "runtime/executable.h"
#include "runtime/module_checks.h"
#include "runtime/pack_plan.h"
#include "runtime/parse_advice.h"
#include "runtime/schedule_databases.h"
#include "runtime/status_adapter.h"

namespace gsa {
namespace {

absl::StatusOr<DType> ToDType(mlir::Type type) {
  if (type.isF16()) return DType::kF16;
  if (type.isBF16()) return DType::kBF16;
  if (type.isF32()) return DType::kF32;
  if (type.isF64()) return DType::kF64;
  if (type.isInteger(32)) return DType::kI32;
  if (type.isInteger(64)) return DType::kI64;
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return absl::InvalidArgumentError(
      absl::StrCat("element type: expected f16, bf16, f32, f64, i32 or i64, "
                   "got ",
                   text));
}

std::string UpdatedName(mlir::func::FuncOp entry, size_t result) {
  auto name = entry.getResultAttrOfType<mlir::StringAttr>(
      result, mlir::gsa::kUpdatesAttr);
  return name ? name.getValue().str() : "";
}

absl::StatusOr<std::vector<TensorSpec>> Specs(mlir::TypeRange types,
                                              mlir::func::FuncOp entry,
                                              bool is_result) {
  std::vector<TensorSpec> specs;
  std::set<std::string> names;
  for (size_t i = 0; i < types.size(); ++i) {
    std::string name = BoundaryName(entry, i, is_result);
    if (!names.insert(name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("function '", entry.getName().str(), "': the name '",
                       name, "' is used twice"));
    }
    absl::StatusOr<TensorSpec> spec = BoundarySpec(types[i], name);
    if (!spec.ok()) return spec.status();
    if (is_result) spec->updates = UpdatedName(entry, i);
    specs.push_back(*std::move(spec));
  }
  return specs;
}

// What the parser of MLIR does not survive must not reach it.
absl::Status CheckText(const std::string& text, const std::string& filename) {
  if (mlir::gsa::isBytecodeText(text)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "reading the module: ", filename,
        ": expected text, got MLIR bytecode (gsa-opt turns it into text)"));
  }
  std::optional<mlir::gsa::ModuleTextError> error =
      mlir::gsa::checkModuleText(text);
  if (!error) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("reading the module: ", error->describe(filename)));
}

mlir::gsa::CpuCodegenOptions CodegenOptions(const CompileOptions& options,
                                            unsigned vector_bits) {
  mlir::gsa::CpuCodegenOptions codegen;
  codegen.vectorBits = vector_bits;
  codegen.optLevel = static_cast<unsigned>(options.opt_level);
  codegen.keepLlvmIr = options.keep_texts;
  codegen.keepAssembly = options.keep_texts;
  codegen.symbols = CpuSymbols();
  return codegen;
}

// The executable of code that is linked into this process.
void TakeCode(std::unique_ptr<mlir::gsa::CpuModule> code,
              int64_t workspace_bytes, unsigned vector_bits,
              const CompileOptions& options, CompiledModule* result) {
  const int threads = ThreadsOf(options);
  std::string target =
      absl::StrCat(code->object().cpu, ", ", vector_bits, "-bit vectors, ",
                   threads, threads == 1 ? " thread" : " threads");
  result->executable = MakeCpuExecutable(std::move(code), result->zone_names,
                                         workspace_bytes, std::move(target));
}

// Returns the bytes of workspace that the code needs.
absl::StatusOr<int64_t> MakeCode(Compilation* compilation, unsigned vector_bits,
                                 std::unique_ptr<mlir::gsa::CpuModule>* made) {
  const CompileOptions& options = compilation->options();
  mlir::ModuleOp module = compilation->module();
  mlir::Operation* symbol =
      mlir::SymbolTable::lookupSymbolIn(module, compilation->entry());
  auto bytes = symbol ? symbol->getAttrOfType<mlir::IntegerAttr>(
                            mlir::gsa::kWorkspaceBytesAttr)
                      : mlir::IntegerAttr();
  if (!bytes) {
    return absl::InternalError(
        "the compiled entry does not say how much workspace it needs");
  }
  DiagnosticCollector diagnostics(module.getContext());
  auto start = std::chrono::steady_clock::now();
  llvm::Expected<std::unique_ptr<mlir::gsa::CpuModule>> code =
      mlir::gsa::CpuModule::compile(module,
                                    CodegenOptions(options, vector_bits));
  if (!code) {
    absl::Status status =
        ToStatus(code.takeError(), absl::StatusCode::kInternal);
    return absl::InternalError(absl::StrCat(
        "making machine code: ", std::string(status.message()),
        diagnostics.errors().empty() ? "" : "\n" + diagnostics.errors()));
  }
  double elapsed = MillisecondsSince(start);
  const mlir::gsa::CpuObject& object = (*code)->object();
  if (options.on_phase) {
    options.on_phase({"codegen", elapsed, [&] { return object.llvmIr; }, "ll"});
    if (options.keep_texts) {
      options.on_phase({"assembly", 0, [&] { return object.assembly; }, "s"});
    }
  }
  *made = std::move(*code);
  return bytes.getInt();
}

// One module on its way to code for the CPU: from the cache on disk, or
// compiled and put there.
class CpuCompilation {
 public:
  // `encoded`, if not null, receives the program as a pack keeps it.
  explicit CpuCompilation(Compilation* compilation,
                          std::string* encoded = nullptr)
      : compilation_(compilation),
        options_(compilation->options()),
        encoded_(encoded) {
    // Who looks at the phases wants them to run.
    const bool looks = options_.keep_texts || !options_.stop_after.empty();
    programs_ = looks ? nullptr : CpuPrograms(options_);
    code_.vector_bits = options_.vector_bits > 0
                            ? static_cast<unsigned>(options_.vector_bits)
                            : mlir::gsa::hostVectorBits();
    code_.tasks = ThreadsOf(options_);
    code_.opt_level = static_cast<unsigned>(options_.opt_level);
    code_.reference = options_.reference;
  }

  // Fills compilation->result.
  absl::Status Run() {
    GSA_ASSIGN_OR_RETURN(code_.schedules, ScheduleDatabasesDigest(options_));
    event_ = {"object", compilation_->entry(), mlir::gsa::hostCpuName(),
              CpuObjectKey(compilation_, code_), 0};
    if (programs_ == nullptr) return Compile();
    bool absent;
    if (Load(&absent)) return absl::OkStatus();
    const ProgramCache::Claim claim = programs_->Lock(event_.key);
    // Another process may have put it there while this one waited for the
    // claim, or between the look and the claim.
    if ((claim.waited() || absent) && Load(nullptr)) return absl::OkStatus();
    if (programs_->options().mode == CacheMode::kOnly) {
      return absl::FailedPreconditionError(absl::StrCat(
          event_.name, " (object, ", event_.target, ", key ", event_.key,
          ") is not in the cache ", programs_->options().directory,
          ", whose mode 'only' forbids to compile it"));
    }
    return Compile();
  }

 private:
  // What does not link is as good as not there.
  bool Load(bool* absent) {
    const auto start = std::chrono::steady_clock::now();
    CpuProgram program;
    if (!ReadCpuProgram(programs_, event_.key, &program, absent)) return false;
    if (encoded_ != nullptr) *encoded_ = EncodeCpuProgram(program);
    llvm::Expected<std::unique_ptr<mlir::gsa::CpuModule>> code =
        mlir::gsa::CpuModule::load(std::move(program.object), CpuSymbols());
    if (!code) {
      llvm::consumeError(code.takeError());
      return false;
    }
    event_.milliseconds = program.milliseconds;
    CompiledModule& result = compilation_->result;
    static_cast<PlanInterface&>(result) = program;
    TakeCode(std::move(*code), program.workspace_bytes, code_.vector_bits,
             options_, &result);
    if (options_.on_phase) {
      options_.on_phase({"from disk", MillisecondsSince(start),
                         [] { return std::string(); }, "txt"});
    }
    Report(KernelOrigin::kDisk);
    return true;
  }

  absl::Status Compile() {
    const bool makes_code = options_.stop_after.empty() ||
                            options_.stop_after == "codegen" ||
                            options_.stop_after == "assembly";
    if (makes_code) GSA_RETURN_IF_ERROR(CheckCompilation(event_));
    const auto start = std::chrono::steady_clock::now();
    // An error of the file is the user's, not of the phase that reads it.
    const std::string arch =
        mlir::gsa::CpuTarget{code_.tasks, code_.vector_bits}.arch();
    GSA_RETURN_IF_ERROR(
        LoadScheduleDatabases(options_, arch, compilation_->context())
            .status());
    mlir::gsa::CpuTargetConfig config;
    config.entry = compilation_->entry();
    config.shapes = compilation_->shapes();
    config.tasks = code_.tasks;
    config.vectorBits = code_.vector_bits;
    config.scheduleDatabase = options_.schedule_database;
    config.shippedSchedules = options_.shipped_schedules;
    config.reference = code_.reference;
    config.markZones = true;
    GSA_ASSIGN_OR_RETURN(bool stopped,
                         compilation_->Run(mlir::gsa::getCpuPhases(config),
                                           absl::StatusCode::kUnimplemented));
    // The key names the schedules that were read.
    GSA_ASSIGN_OR_RETURN(const std::string schedules,
                         ScheduleDatabasesDigest(options_));
    if (schedules != code_.schedules) {
      return absl::FailedPreconditionError(absl::StrCat(
          "database of schedules: ", options_.schedule_database,
          " has changed while the module was compiled; compile it again"));
    }
    if (stopped) return absl::OkStatus();
    std::unique_ptr<mlir::gsa::CpuModule> code;
    GSA_ASSIGN_OR_RETURN(const int64_t workspace,
                         MakeCode(compilation_, code_.vector_bits, &code));
    event_.milliseconds = MillisecondsSince(start);
    NoteCompilation(event_);
    CompiledModule& result = compilation_->result;
    if (programs_ != nullptr || encoded_ != nullptr) {
      const CpuProgram program = {static_cast<const PlanInterface&>(result),
                                  workspace, code->object()};
      if (encoded_ != nullptr) *encoded_ = EncodeCpuProgram(program);
      if (programs_ != nullptr) {
        programs_->Write(CpuEntry(event_.key, event_.name, program, code_,
                                  event_.milliseconds));
      }
    }
    TakeCode(std::move(code), workspace, code_.vector_bits, options_, &result);
    Report(KernelOrigin::kCompiled);
    return absl::OkStatus();
  }

  void Report(KernelOrigin origin) {
    const KernelEvent event = {event_.name, event_.kind, event_.target,
                               event_.key,  origin,      event_.milliseconds};
    compilation_->result.kernel_counts.Add(event);
    if (options_.on_kernel) options_.on_kernel(event);
  }

  Compilation* compilation_;
  const CompileOptions& options_;
  std::string* encoded_;
  ProgramCache* programs_;
  CpuCodeOptions code_;
  CompilationEvent event_;
};

}  // namespace

void RegisterCompilerDialects(mlir::DialectRegistry& registry) {
  registry.insert<mlir::gsa::GsaDialect, mlir::gsa_tile::GsaTileDialect,
                  mlir::arith::ArithDialect, mlir::func::FuncDialect,
                  mlir::linalg::LinalgDialect, mlir::math::MathDialect,
                  mlir::scf::SCFDialect, mlir::tensor::TensorDialect>();
  mlir::func::registerAllExtensions(registry);
  mlir::gsa::registerCpuDialects(registry);
  mlir::gsa_tile::registerCudaEmitModels(registry);
}

absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>> ParseModule(
    const std::string& text, const std::string& filename,
    mlir::MLIRContext* context) {
  // Errors go to those who have the text; the op in its generic form hides
  // them.
  context->printOpOnDiagnostic(false);
  GSA_RETURN_IF_ERROR(CheckText(text, filename));
  DiagnosticCollector diagnostics(context);
  mlir::ParserConfig config(context);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceString<mlir::ModuleOp>(text, config, filename);
  if (!module || mlir::failed(CheckUserModule(*module))) {
    absl::Status status = diagnostics.ToStatus(
        absl::StatusCode::kInvalidArgument, "reading the module");
    return absl::Status(status.code(),
                        WithOwnAdvice(std::string(status.message()), context));
  }
  return module;
}

absl::StatusOr<mlir::func::FuncOp> FindEntry(mlir::ModuleOp module,
                                             const std::string& entry) {
  std::vector<std::string> names;
  mlir::func::FuncOp found;
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    if (!function.isPublic() || function.isExternal()) continue;
    names.push_back(function.getName().str());
    if (entry.empty() || entry == names.back()) found = function;
  }
  if (entry.empty() && names.size() == 1) return found;
  if (!entry.empty() && found) return found;
  if (names.empty()) {
    return absl::InvalidArgumentError(
        "the module has no public function with a body to run");
  }
  if (entry.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the module has ", names.size(), " public functions (",
                     absl::StrJoin(names, ", "),
                     "): say which is the entry, by the option "
                     "'entry'"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no public function '", entry,
                   "', the module has: ", absl::StrJoin(names, ", "),
                   DidYouMean(entry, {names.begin(), names.end()})));
}

std::string BoundaryName(mlir::func::FuncOp entry, size_t index,
                         bool is_result) {
  auto name = is_result ? entry.getResultAttrOfType<mlir::StringAttr>(
                              index, mlir::gsa::kNameAttr)
                        : entry.getArgAttrOfType<mlir::StringAttr>(
                              index, mlir::gsa::kNameAttr);
  if (name) return name.getValue().str();
  return absl::StrCat(is_result ? "result" : "arg", index);
}

absl::StatusOr<TensorSpec> BoundarySpec(mlir::Type type,
                                        const std::string& name) {
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  if (!tensor || tensor.getRank() > static_cast<int64_t>(kMaxRank)) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return absl::InvalidArgumentError(
        absl::StrCat("'", name,
                     "': expected a ranked tensor of rank at "
                     "most ",
                     kMaxRank, ", got ", text));
  }
  absl::StatusOr<DType> dtype = ToDType(tensor.getElementType());
  if (!dtype.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", name, "': ", std::string(dtype.status().message())));
  }
  TensorSpec spec;
  spec.name = name;
  spec.dtype = *dtype;
  for (int64_t size : tensor.getShape()) {
    spec.shape.push_back(mlir::ShapedType::isDynamic(size) ? -1 : size);
  }
  return spec;
}

absl::StatusOr<std::vector<int64_t>> ResolveShape(
    const TensorSpec& spec, const CompileOptions& options) {
  auto it = options.shapes.find(spec.name);
  bool given = it != options.shapes.end();
  if (const auto bounds = options.bounds.find(spec.name);
      bounds != options.bounds.end()) {
    if (given) {
      return absl::InvalidArgumentError(absl::StrCat(
          "input '", spec.name, "': expected a shape or bounds, got both"));
    }
    it = bounds;
    given = true;
  }
  const std::vector<int64_t>& shape = given ? it->second : spec.shape;
  if (given && std::any_of(shape.begin(), shape.end(),
                           [](int64_t size) { return size < 0; })) {
    return absl::InvalidArgumentError(absl::StrCat(
        "input '", spec.name, "': expected the sizes of a plan, 0 or more for ",
        ShapeToString(spec.shape), " (-1 is free), got ",
        ShapeToString(shape)));
  }
  bool matches = shape.size() == spec.shape.size();
  for (size_t i = 0; matches && i < shape.size(); ++i) {
    matches = shape[i] >= 0 && (spec.shape[i] < 0 || spec.shape[i] == shape[i]);
  }
  if (!given && !matches) {
    return absl::InvalidArgumentError(
        absl::StrCat("input '", spec.name, "' has dynamic sizes ",
                     ShapeToString(spec.shape), ": a plan needs its shape"));
  }
  if (!matches) {
    return absl::InvalidArgumentError(absl::StrCat(
        "input '", spec.name, "': expected shape ", ShapeToString(spec.shape),
        " (-1 is free), got ", ShapeToString(shape)));
  }
  return shape;
}

absl::Status CheckInputName(const std::string& name,
                            const std::vector<TensorSpec>& inputs) {
  if (std::any_of(inputs.begin(), inputs.end(),
                  [&](const TensorSpec& spec) { return spec.name == name; })) {
    return absl::OkStatus();
  }
  std::set<std::string> known;
  for (const TensorSpec& spec : inputs) known.insert(spec.name);
  return absl::InvalidArgumentError(
      absl::StrCat("shape given for '", name, "', but the inputs are ",
                   known.empty() ? "none" : absl::StrJoin(known, ", "),
                   DidYouMean(name, {known.begin(), known.end()})));
}

absl::StatusOr<std::vector<TensorSpec>> InputSpecs(mlir::func::FuncOp entry) {
  return Specs(entry.getArgumentTypes(), entry, /*is_result=*/false);
}

absl::StatusOr<std::vector<TensorSpec>> OutputSpecs(mlir::func::FuncOp entry) {
  return Specs(entry.getResultTypes(), entry, /*is_result=*/true);
}

absl::StatusOr<ModuleInterface> DescribeModule(const std::string& text,
                                               const std::string& filename,
                                               const std::string& entry) {
  mlir::DialectRegistry registry;
  RegisterCompilerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  GSA_ASSIGN_OR_RETURN(mlir::OwningOpRef<mlir::ModuleOp> module,
                       ParseModule(text, filename, &context));
  GSA_ASSIGN_OR_RETURN(mlir::func::FuncOp function, FindEntry(*module, entry));
  ModuleInterface result;
  result.entry = function.getName().str();
  GSA_ASSIGN_OR_RETURN(result.inputs, InputSpecs(function));
  GSA_ASSIGN_OR_RETURN(result.outputs, OutputSpecs(function));
  return result;
}

absl::StatusOr<CompiledModule> CompileForCpu(const std::string& text,
                                             const std::string& filename,
                                             const CompileOptions& options) {
  GSA_ASSIGN_OR_RETURN(std::unique_ptr<Compilation> compilation,
                       Compilation::Create(text, filename, options));
  if (options.stop_after == "parse") return std::move(compilation->result);
  GSA_RETURN_IF_ERROR(CpuCompilation(compilation.get()).Run());
  return std::move(compilation->result);
}

absl::StatusOr<PackedPlan> CompileCpuPlan(const std::string& text,
                                          const std::string& filename,
                                          const CompileOptions& options) {
  GSA_ASSIGN_OR_RETURN(std::unique_ptr<Compilation> compilation,
                       Compilation::Create(text, filename, options));
  PackedPlan plan;
  GSA_RETURN_IF_ERROR(CpuCompilation(compilation.get(), &plan.code).Run());
  plan.kind = TargetKind::kCpu;
  plan.arch = mlir::gsa::hostCpuName();
  plan.entry = compilation->entry();
  plan.interface = compilation->result;
  plan.num_threads = ThreadsOf(options);
  return plan;
}

}  // namespace gsa
