//===- Statistics.cpp - statistics of the run itself ----------------------===//

#include "tools/gsa-run/Statistics.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dialect/Gsa/GsaOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Passes.h"
#include "runtime/compiler.h"
#include "runtime/core/status_macros.h"
#include "runtime/core/thread_pool.h"
#include "runtime/status_adapter.h"
#include "tools/gsa-run/RunMemory.h"
#include "tools/reference-interpreter/Statistics.h"

namespace gsa {
namespace {

using mlir::gsa::AttentionSource;
using mlir::gsa::GateLogits;
using mlir::gsa::TensorRows;
namespace reference = mlir::gsa::reference;

/// What the results that are added are called.
constexpr char kAddedName[] = "statistics.";

/// Rows of a host tensor [B, S, ...], converted when they are read.
template <typename T>
TensorRows<T> rowsOf(const HostTensor& tensor) {
  reference::Shape shape(tensor.shape().begin(), tensor.shape().end());
  return {shape, [&tensor, shape](const std::vector<int64_t>& rows) {
            reference::Require(shape.size() >= 2, "a tensor has no rows");
            reference::Shape taken = shape;
            taken[1] = static_cast<int64_t>(rows.size());
            reference::Tensor<T> result(taken);
            TensorView view = tensor.view();
            int64_t inner = 1, next = 0;
            for (size_t axis = 2; axis < shape.size(); ++axis)
              inner *= shape[axis];
            for (int64_t b = 0; b < shape[0]; ++b)
              for (int64_t row : rows)
                for (int64_t i = 0; i < inner; ++i)
                  result[next++] = static_cast<T>(
                      ElementAsDouble(view, (b * shape[1] + row) * inner + i));
            return result;
          }};
}

/// The values that statistics read, and where the run has them.
class MeasuredModule {
 public:
  /// Parses the module and opens its blocks, so that what attention reads are
  /// values of the function.
  static absl::StatusOr<std::unique_ptr<MeasuredModule>> open(
      const std::string& text, const std::string& filename,
      const std::string& entry);

  /// Whether values have to be returned that the module does not return.
  bool hasAdditions() const { return !added.empty(); }
  /// The module that returns them, after its own results.
  std::string textWithAdditions();
  size_t numResults() { return function.getNumResults(); }

  /// Measures; `additions` are in the order of the values that were added, or
  /// empty, in which case `why` says so.
  mlir::gsa::Statistics measure(const std::vector<HostTensor>& inputs,
                                const std::vector<HostTensor>& outputs,
                                const std::vector<HostTensor>& additions,
                                const std::string& why, int numThreads);

 private:
  explicit MeasuredModule(mlir::DialectRegistry& registry)
      : context(registry, mlir::MLIRContext::Threading::DISABLED) {}

  void findValues();
  void need(mlir::Value value);
  const HostTensor* find(mlir::Value value) const;
  void addSelection(mlir::Operation* op, mlir::Value indices,
                    mlir::Value counts);
  void addAttention(mlir::Operation* op);
  void addGate(GateLogits source, mlir::Value logits);
  void addGate(mlir::gsa::GateOp op);
  void addOutputGate(const mlir::gsa::AttentionForm& form);

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp function;
  /// Results of the module, by value.
  llvm::DenseMap<mlir::Value, size_t> resultOf;
  std::vector<mlir::Value> added;

  // During measure().
  const std::vector<HostTensor>*inputs = nullptr, *outputs = nullptr,
        *additions = nullptr;
  std::string why;
  std::unique_ptr<mlir::gsa::StatisticsCollector> collector;
};

absl::StatusOr<std::unique_ptr<MeasuredModule>> MeasuredModule::open(
    const std::string& text, const std::string& filename,
    const std::string& entry) {
  mlir::DialectRegistry registry;
  RegisterCompilerDialects(registry);
  std::unique_ptr<MeasuredModule> made(new MeasuredModule(registry));
  GSA_ASSIGN_OR_RETURN(made->module,
                       ParseModule(text, filename, &made->context));
  DiagnosticCollector diagnostics(&made->context);
  mlir::PassManager passes(&made->context);
  mlir::gsa::GsaDecomposeOptions decompose;
  decompose.aggregatesOnly = true;
  passes.addPass(mlir::gsa::createGsaDecompose(decompose));
  if (mlir::failed(passes.run(*made->module)))
    return diagnostics.ToStatus(absl::StatusCode::kInternal,
                                "preparing statistics");
  GSA_ASSIGN_OR_RETURN(made->function, FindEntry(*made->module, entry));
  made->findValues();
  return made;
}

void MeasuredModule::need(mlir::Value value) {
  value = mlir::gsa::skipCasts(value);
  if (mlir::isa<mlir::BlockArgument>(value) || resultOf.contains(value) ||
      llvm::is_contained(added, value))
    return;
  added.push_back(value);
}

void MeasuredModule::findValues() {
  mlir::Operation* end = function.getBody().front().getTerminator();
  for (mlir::OpOperand& operand : end->getOpOperands())
    resultOf.try_emplace(mlir::gsa::skipCasts(operand.get()),
                         operand.getOperandNumber());
  for (mlir::Operation& op : function.getBody().front()) {
    llvm::TypeSwitch<mlir::Operation*>(&op)
        .Case<mlir::gsa::SelectOp, mlir::gsa::TopKOp>([&](auto select) {
          need(select.getIndices());
          need(select.getCounts());
        })
        .Case([&](mlir::gsa::GatherAttentionOp gather) {
          need(gather.getQuery());
          need(gather.getKey());
          need(gather.getIndices());
          need(gather.getCounts());
          if (gather.getGate()) need(gather.getGate());
        })
        .Case([&](mlir::gsa::DenseAttentionOp dense) {
          need(dense.getQuery());
          need(dense.getKey());
          if (dense.getGate()) need(dense.getGate());
        })
        .Case([&](mlir::gsa::GateOp gate) { need(gate.getLogits()); });
  }
}

std::string MeasuredModule::textWithAdditions() {
  mlir::OpBuilder builder(&context);
  mlir::IRMapping mapping;
  mlir::OwningOpRef<mlir::ModuleOp> copy =
      mlir::cast<mlir::ModuleOp>((*module)->clone(mapping));
  auto entry = copy->lookupSymbol<mlir::func::FuncOp>(function.getName());
  mlir::Operation* end = entry.getBody().front().getTerminator();
  llvm::SmallVector<mlir::Type> types(entry.getResultTypes());
  llvm::SmallVector<mlir::DictionaryAttr> attributes;
  entry.getAllResultAttrs(attributes);
  attributes.resize(types.size(), builder.getDictionaryAttr({}));
  for (auto [i, value] : llvm::enumerate(added)) {
    end->insertOperands(end->getNumOperands(), mapping.lookup(value));
    types.push_back(value.getType());
    attributes.push_back(builder.getDictionaryAttr(builder.getNamedAttr(
        "gsa.name", builder.getStringAttr(absl::StrCat(kAddedName, i)))));
  }
  entry.setType(builder.getFunctionType(entry.getArgumentTypes(), types));
  entry.setAllResultAttrs(attributes);
  std::string text;
  llvm::raw_string_ostream os(text);
  copy->print(os);
  return text;
}

const HostTensor* MeasuredModule::find(mlir::Value value) const {
  value = mlir::gsa::skipCasts(value);
  if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(value))
    return &(*inputs)[argument.getArgNumber()];
  auto result = resultOf.find(value);
  if (result != resultOf.end()) return &(*outputs)[result->second];
  size_t index = llvm::find(added, value) - added.begin();
  return index < additions->size() ? &(*additions)[index] : nullptr;
}

void MeasuredModule::addSelection(mlir::Operation* op, mlir::Value indices,
                                  mlir::Value counts) {
  const HostTensor *lists = find(indices), *lengths = find(counts);
  std::string name = op->getName().getStringRef().str();
  auto result = resultOf.find(indices);
  if (result != resultOf.end())
    name = BoundaryName(function, result->second, /*is_result=*/true);
  if (!lists || !lengths)
    return collector->addMissing("selection " + name, why);
  collector->addSelection(name, indices, /*ofRun=*/true,
                          rowsOf<int32_t>(*lists), rowsOf<int32_t>(*lengths));
}

void MeasuredModule::addAttention(mlir::Operation* op) {
  AttentionSource source;
  source.op = op;
  source.mask = mlir::gsa::maskOf(op);
  mlir::gsa::AttentionForm form = mlir::gsa::AttentionForm::of(op);
  if (form.gate) addOutputGate(form);
  if (form.lengths)
    return collector->addMissing("attention mass",
                                 "the number of keys is an operand");
  const HostTensor *query = find(form.query), *key = find(form.key);
  const HostTensor *lists = nullptr, *counts = nullptr;
  if (!form.isDense()) {
    lists = find(form.indices);
    counts = find(form.counts);
    source.indices = form.indices;
  }
  if (!query || !key || (!form.isDense() && (!lists || !counts)))
    return collector->addMissing("attention mass", why);
  source.query = rowsOf<double>(*query);
  source.key = rowsOf<double>(*key);
  if (!form.isDense()) {
    source.lists = rowsOf<int32_t>(*lists);
    source.counts = rowsOf<int32_t>(*counts);
  }
  if (form.scaleGiven) source.scale = form.scaleGiven->convertToDouble();
  collector->addAttention(source);
}

void MeasuredModule::addGate(GateLogits source, mlir::Value logits) {
  const HostTensor* values = find(logits);
  if (!values) return collector->addMissing("gate", why);
  source.logits = rowsOf<double>(*values);
  collector->addGate(source);
}

void MeasuredModule::addGate(mlir::gsa::GateOp op) {
  GateLogits source;
  mlir::gsa::findGateRole(op, &source);
  source.activation = mlir::gsa::toReference(op.getActivation());
  addGate(source, op.getLogits());
}

void MeasuredModule::addOutputGate(const mlir::gsa::AttentionForm& form) {
  GateLogits source;
  source.op = source.attention = form.op;
  source.role = GateLogits::Role::Output;
  source.logitsValue = form.gate;
  source.activation = mlir::gsa::toReference(form.gateActivation);
  addGate(source, form.gate);
}

mlir::gsa::Statistics MeasuredModule::measure(
    const std::vector<HostTensor>& givenInputs,
    const std::vector<HostTensor>& givenOutputs,
    const std::vector<HostTensor>& givenAdditions,
    const std::string& whyNoAdditions, int numThreads) {
  inputs = &givenInputs;
  outputs = &givenOutputs;
  additions = &givenAdditions;
  why = whyNoAdditions;
  mlir::gsa::StatisticsOptions options;
  options.numThreads = numThreads;
  collector = std::make_unique<mlir::gsa::StatisticsCollector>(options);
  for (mlir::Operation& op : function.getBody().front()) {
    llvm::TypeSwitch<mlir::Operation*>(&op)
        .Case<mlir::gsa::SelectOp, mlir::gsa::TopKOp>([&](auto select) {
          addSelection(select, select.getIndices(), select.getCounts());
        })
        .Case<mlir::gsa::GatherAttentionOp, mlir::gsa::DenseAttentionOp>(
            [&](auto attention) { addAttention(attention); })
        .Case([&](mlir::gsa::GateOp gate) { addGate(gate); });
  }
  return collector->finish();
}

/// Compiles and runs the module with additional results; returns those.
absl::StatusOr<std::vector<HostTensor>> runAdditions(
    const std::string& text, const std::string& filename,
    CompileOptions compiled, const std::vector<HostTensor>& inputs,
    size_t numResults) {
  compiled.on_phase = nullptr;
  compiled.keep_texts = false;
  GSA_ASSIGN_OR_RETURN(std::shared_ptr<const Plan> plan,
                       Plan::Compile(text, filename, compiled));
  std::vector<HostTensor> outputs;
  for (const TensorSpec& spec : plan->outputs()) {
    GSA_ASSIGN_OR_RETURN(HostTensor tensor,
                         HostTensor::Create(spec.name, spec.dtype, spec.shape));
    outputs.push_back(std::move(tensor));
  }
  GSA_ASSIGN_OR_RETURN(std::unique_ptr<RunMemory> memory,
                       RunMemory::create(*plan, inputs, outputs));
  GSA_ASSIGN_OR_RETURN(std::unique_ptr<ThreadPool> pool,
                       ThreadPool::Create(plan->num_threads()));
  GSA_RETURN_IF_ERROR(memory->run(pool.get(), /*zones=*/nullptr));
  GSA_RETURN_IF_ERROR(memory->finish());
  outputs.erase(outputs.begin(), outputs.begin() + numResults);
  return outputs;
}

}  // namespace

nlohmann::json toNlohmann(const llvm::json::Value& value) {
  std::string text;
  llvm::raw_string_ostream(text) << value;
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

void addStatistics(const mlir::gsa::Statistics& statistics, RunReport* report) {
  report->statistics = toNlohmann(statistics.json());
  report->statisticsText = statistics.text();
  for (const mlir::gsa::AttentionEntry& attention : statistics.attentions) {
    const reference::AttentionMass& mass = attention.mass;
    report->massProfiles.push_back({attention.name, mass.rows, mass.rows_seeing,
                                    mass.dense_by_key, mass.sparse_by_key,
                                    mass.dense_gated_by_key,
                                    mass.sparse_gated_by_key});
  }
}

absl::Status measureRun(const std::string& text, const RunnerOptions& options,
                        const CompileOptions& compiled,
                        const std::vector<HostTensor>& inputs,
                        const std::vector<HostTensor>& outputs,
                        RunReport* report) {
  GSA_ASSIGN_OR_RETURN(
      std::unique_ptr<MeasuredModule> module,
      MeasuredModule::open(text, options.modulePath, compiled.entry));
  std::vector<HostTensor> additions;
  std::string why;
  if (module->hasAdditions()) {
    size_t numResults = module->numResults();
    absl::StatusOr<std::vector<HostTensor>> added =
        runAdditions(module->textWithAdditions(), options.modulePath, compiled,
                     inputs, numResults);
    if (added.ok())
      additions = *std::move(added);
    else
      why = absl::StrCat("the module that returns what it reads failed (",
                         added.status().message(), ")");
  }
  addStatistics(
      module->measure(inputs, outputs, additions, why,
                      options.threads > 0 ? options.threads : AvailableCpus()),
      report);
  return absl::OkStatus();
}

}  // namespace gsa
