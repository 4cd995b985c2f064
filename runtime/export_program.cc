// -----------------------------------------------------------------------------
// File: export_program.cc
// -----------------------------------------------------------------------------

#include "runtime/export_program.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <variant>

#include "codegen/cuda/CompileWork.h"
#include "codegen/cuda/CudaPrinter.h"
#include "codegen/cuda/KernelHeader.h"
#include "dialect/GsaTile/GsaTileOps.h"
#include "dialect/GsaTile/PipelineAttrs.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "passes/Passes.h"
#include "passes/cpu/CpuPasses.h"
#include "passes/cuda/CudaHostPasses.h"
#include "runtime/program_steps.h"

namespace gsa {
namespace {

using mlir::cast;
using mlir::dyn_cast;
using mlir::failed;
using mlir::failure;
using mlir::FailureOr;
using mlir::LogicalResult;
using mlir::success;

// More steps than any sensible chunking makes; a guard against mistakes in
// loop bounds.
constexpr size_t kMaxSteps = 1 << 20;

// What a value of the entry function is during the evaluation.
using Known = std::variant<mlir::Attribute, DeviceBufferView>;

class Exporter {
 public:
  Exporter(mlir::ModuleOp module, DeviceProgram* program)
      : symbols_(module), program_(*program) {}

  LogicalResult Run(mlir::func::FuncOp entry);

 private:
  LogicalResult BindArguments(mlir::func::FuncOp entry);
  LogicalResult RunBlock(mlir::Block& block);
  LogicalResult RunOp(mlir::Operation* op);
  LogicalResult RunFor(mlir::scf::ForOp op);
  LogicalResult RunIf(mlir::scf::IfOp op);
  LogicalResult RunZoneMark(mlir::func::CallOp op);
  LogicalResult RunLaunch(mlir::gsa_tile::LaunchOp op);
  LogicalResult RunGemm(mlir::gsa_tile::GemmOp op);
  LogicalResult RunCopy(mlir::memref::CopyOp op);
  LogicalResult RunFill(mlir::linalg::FillOp op);
  LogicalResult RunView(mlir::Operation* op);
  LogicalResult RunGetGlobal(mlir::memref::GetGlobalOp op);
  LogicalResult Fold(mlir::Operation* op);

  // The number that `value` has; an error at `op` if it has none.
  FailureOr<int64_t> Number(mlir::Operation* op, mlir::Value value) const;
  FailureOr<int64_t> Number(mlir::Operation* op,
                            mlir::OpFoldResult value) const;
  FailureOr<DeviceBufferView> View(mlir::Operation* op,
                                   mlir::Value value) const;
  // The same for a buffer that must be dense.
  FailureOr<DeviceBufferView> DenseView(mlir::Operation* op, mlir::Value value,
                                        const char* what) const;
  FailureOr<KernelArg> Argument(mlir::gsa_tile::LaunchOp op, size_t index,
                                mlir::Type type, mlir::Value value) const;
  FailureOr<int32_t> KernelIndex(mlir::gsa_tile::LaunchOp op);
  LogicalResult AddStep(mlir::Operation* op, ProgramStep step);
  // A step that there is nothing to do for: who waits for it waits for what it
  // would have waited for.
  LogicalResult SkipStep(mlir::Operation* op);
  StepOrder OrderFor(mlir::gsa_tile::StepAttr attribute) const;
  // Whether the launch that `op` becomes may begin before another one has
  // ended: there are launches before it in the program and on its lane.
  bool FollowsLaunch(mlir::gsa_tile::LaunchOp op) const;
  int32_t Zone();

  mlir::SymbolTable symbols_;
  DeviceProgram& program_;
  llvm::DenseMap<mlir::Value, Known> values_;
  llvm::DenseMap<mlir::Operation*, int32_t> kernels_;
  llvm::DenseMap<mlir::Operation*, int32_t> constants_;
  std::optional<int32_t> zone_;  // nothing outside of the marks
  std::optional<int32_t> other_zone_;
  // Of functions with lanes. By the number of a step of the IR: what who waits
  // for it waits for in the program. Of each lane its last step, or -1.
  llvm::DenseMap<int64_t, std::vector<int32_t>> waits_;
  std::vector<int32_t> last_of_lane_ = std::vector<int32_t>(kMaxLanes, -1);
};

// ---- Values -----------------------------------------------------------------

FailureOr<int64_t> Exporter::Number(mlir::Operation* op,
                                    mlir::Value value) const {
  auto it = values_.find(value);
  if (it != values_.end()) {
    if (auto* attribute = std::get_if<mlir::Attribute>(&it->second)) {
      if (auto number = dyn_cast<mlir::IntegerAttr>(*attribute)) {
        return number.getValue().getBitWidth() == 1
                   ? static_cast<int64_t>(number.getValue().getZExtValue())
                   : number.getValue().getSExtValue();
      }
    }
  }
  return op->emitError("expected numbers that are known here, got ") << value;
}

FailureOr<int64_t> Exporter::Number(mlir::Operation* op,
                                    mlir::OpFoldResult value) const {
  if (auto constant = mlir::getConstantIntValue(value)) return *constant;
  return Number(op, cast<mlir::Value>(value));
}

FailureOr<DeviceBufferView> Exporter::View(mlir::Operation* op,
                                           mlir::Value value) const {
  auto it = values_.find(value);
  if (it != values_.end()) {
    if (auto* view = std::get_if<DeviceBufferView>(&it->second)) return *view;
  }
  return op->emitError("expected a buffer of the program, got ") << value;
}

FailureOr<DeviceBufferView> Exporter::DenseView(mlir::Operation* op,
                                                mlir::Value value,
                                                const char* what) const {
  FailureOr<DeviceBufferView> view = View(op, value);
  if (failed(view)) return failure();
  if (IsDense(cast<mlir::MemRefType>(value.getType()))) return view;
  return op->emitError("expected a dense row-major ")
         << what << ", got " << value.getType();
}

int32_t Exporter::Zone() {
  if (zone_) return *zone_;
  if (!other_zone_) {
    other_zone_ = static_cast<int32_t>(program_.zone_names.size());
    program_.zone_names.push_back("other");
  }
  return *other_zone_;
}

LogicalResult Exporter::AddStep(mlir::Operation* op, ProgramStep step) {
  if (program_.steps.size() == kMaxSteps) {
    return op->emitError("more than ") << kMaxSteps << " steps in one program";
  }
  std::visit([&](auto& typed) { typed.zone = Zone(); }, step);
  if (auto attribute = op->getAttrOfType<mlir::gsa_tile::StepAttr>(
          mlir::gsa_tile::kStepAttr)) {
    const auto index = static_cast<int32_t>(program_.steps.size());
    StepOrder order = OrderFor(attribute);
    waits_[attribute.getNumber()] = {index};
    last_of_lane_[order.lane] = index;
    std::visit([&](auto& typed) { typed.order = std::move(order); }, step);
  }
  program_.steps.push_back(std::move(step));
  return success();
}

LogicalResult Exporter::SkipStep(mlir::Operation* op) {
  auto attribute =
      op->getAttrOfType<mlir::gsa_tile::StepAttr>(mlir::gsa_tile::kStepAttr);
  if (!attribute) return success();
  StepOrder order = OrderFor(attribute);
  if (last_of_lane_[order.lane] >= 0)
    order.waits.push_back(last_of_lane_[order.lane]);
  waits_[attribute.getNumber()] = std::move(order.waits);
  return success();
}

StepOrder Exporter::OrderFor(mlir::gsa_tile::StepAttr attribute) const {
  StepOrder order;
  order.lane = static_cast<int32_t>(attribute.getLane());
  for (int64_t number : attribute.getWaits()) {
    for (int32_t step : waits_.lookup(number)) {
      if (OrderOf(program_.steps[step]).lane != order.lane)
        order.waits.push_back(step);
    }
  }
  std::sort(order.waits.begin(), order.waits.end());
  order.waits.erase(std::unique(order.waits.begin(), order.waits.end()),
                    order.waits.end());
  return order;
}

// ---- The function -----------------------------------------------------------

// The input whose new value argument `output` is, or -1.
int32_t UpdatedInput(mlir::func::FuncOp entry, unsigned output,
                     int64_t inputs) {
  auto name =
      entry.getArgAttrOfType<mlir::StringAttr>(output, mlir::gsa::kUpdatesAttr);
  for (int64_t i = 0; name && i < inputs; ++i) {
    if (entry.getArgAttr(static_cast<unsigned>(i), mlir::gsa::kNameAttr) ==
        name) {
      return static_cast<int32_t>(i);
    }
  }
  return -1;
}

LogicalResult Exporter::BindArguments(mlir::func::FuncOp entry) {
  auto outputs =
      entry->getAttrOfType<mlir::IntegerAttr>(mlir::gsa::kOutputsAttr);
  auto workspace =
      entry->getAttrOfType<mlir::IntegerAttr>(mlir::gsa::kWorkspaceBytesAttr);
  if (!outputs || !workspace) {
    return entry.emitError("expected the attributes '")
           << mlir::gsa::kOutputsAttr << "' and '"
           << mlir::gsa::kWorkspaceBytesAttr << "'";
  }
  program_.workspace_bytes = workspace.getInt();
  if (auto lanes =
          entry->getAttrOfType<mlir::IntegerAttr>(mlir::gsa::kLanesAttr)) {
    program_.lanes = static_cast<int32_t>(lanes.getInt());
  }
  const int64_t count = entry.getNumArguments();
  const int64_t first_output = count - 1 - outputs.getInt();
  for (auto [i, argument] : llvm::enumerate(entry.getArguments())) {
    auto type = dyn_cast<mlir::MemRefType>(argument.getType());
    if (!type) {
      return entry.emitError("expected buffers as arguments, got ")
             << argument.getType() << " for argument #" << i;
    }
    DeviceBufferView view;
    if (static_cast<int64_t>(i) == count - 1) {
      view.base.kind = BufferRef::Kind::kWorkspace;
    } else {
      const bool output = static_cast<int64_t>(i) >= first_output;
      auto& list = output ? program_.outputs : program_.inputs;
      view.base.kind =
          output ? BufferRef::Kind::kOutput : BufferRef::Kind::kInput;
      view.base.index = static_cast<int32_t>(list.size());
      auto name =
          entry.getArgAttrOfType<mlir::StringAttr>(i, mlir::gsa::kNameAttr);
      list.push_back(
          {name ? name.str()
                : (output ? "result" : "arg") + std::to_string(list.size()),
           ByteSize(type), output ? UpdatedInput(entry, i, first_output) : -1});
    }
    values_[argument] = view;
  }
  return success();
}

LogicalResult Exporter::Run(mlir::func::FuncOp entry) {
  if (failed(BindArguments(entry))) return failure();
  if (auto names =
          entry->getAttrOfType<mlir::ArrayAttr>(mlir::gsa::kZonesAttr)) {
    for (mlir::Attribute name : names) {
      program_.zone_names.push_back(cast<mlir::StringAttr>(name).str());
    }
  }
  return RunBlock(entry.getBody().front());
}

LogicalResult Exporter::RunBlock(mlir::Block& block) {
  for (mlir::Operation& op : block.without_terminator()) {
    if (failed(RunOp(&op))) return failure();
  }
  return success();
}

LogicalResult Exporter::RunOp(mlir::Operation* op) {
  return llvm::TypeSwitch<mlir::Operation*, LogicalResult>(op)
      .Case([&](mlir::gsa_tile::LaunchOp o) { return RunLaunch(o); })
      .Case([&](mlir::gsa_tile::GemmOp o) { return RunGemm(o); })
      .Case([&](mlir::memref::CopyOp o) { return RunCopy(o); })
      .Case([&](mlir::linalg::FillOp o) { return RunFill(o); })
      .Case([&](mlir::func::CallOp o) { return RunZoneMark(o); })
      .Case([&](mlir::scf::ForOp o) { return RunFor(o); })
      .Case([&](mlir::scf::IfOp o) { return RunIf(o); })
      .Case([&](mlir::memref::GetGlobalOp o) { return RunGetGlobal(o); })
      .Case<mlir::memref::ViewOp, mlir::memref::SubViewOp,
            mlir::memref::ReinterpretCastOp, mlir::memref::CastOp,
            mlir::memref::CollapseShapeOp, mlir::memref::ExpandShapeOp>(
          [&](mlir::Operation* o) { return RunView(o); })
      .Default([&](mlir::Operation* o) { return Fold(o); });
}

LogicalResult Exporter::Fold(mlir::Operation* op) {
  llvm::SmallVector<mlir::Attribute> operands;
  for (mlir::Value operand : op->getOperands()) {
    auto it = values_.find(operand);
    auto* known = it == values_.end()
                      ? nullptr
                      : std::get_if<mlir::Attribute>(&it->second);
    operands.push_back(known ? *known : mlir::Attribute());
  }
  llvm::SmallVector<mlir::OpFoldResult> results;
  if (op->getNumRegions() == 0 && op->getNumResults() > 0 &&
      mlir::isMemoryEffectFree(op) && succeeded(op->fold(operands, results)) &&
      results.size() == op->getNumResults()) {
    bool known = true;
    for (auto [result, folded] : llvm::zip(op->getResults(), results)) {
      if (auto attribute = dyn_cast<mlir::Attribute>(folded)) {
        values_[result] = attribute;
        continue;
      }
      auto it = values_.find(cast<mlir::Value>(folded));
      if (it == values_.end()) {
        known = false;
        break;
      }
      Known value = it->second;
      values_[result] = value;
    }
    if (known) return success();
  }
  return op->emitError("'")
         << op->getName() << "' has no place in a program for a device";
}

LogicalResult Exporter::RunFor(mlir::scf::ForOp op) {
  FailureOr<int64_t> lower = Number(op, op.getLowerBound());
  FailureOr<int64_t> upper = Number(op, op.getUpperBound());
  FailureOr<int64_t> step = Number(op, op.getStep());
  if (failed(lower) || failed(upper) || failed(step)) return failure();
  llvm::SmallVector<Known> carried;
  for (mlir::Value initial : op.getInitArgs()) {
    auto it = values_.find(initial);
    if (it == values_.end()) return Number(op, initial);
    carried.push_back(it->second);
  }
  mlir::Operation* end = op.getBody()->getTerminator();
  for (int64_t i = *lower; i < *upper; i += *step) {
    values_[op.getInductionVar()] =
        mlir::IntegerAttr::get(op.getInductionVar().getType(), i);
    for (auto [argument, value] : llvm::zip(op.getRegionIterArgs(), carried)) {
      values_[argument] = value;
    }
    if (failed(RunBlock(*op.getBody()))) return failure();
    for (auto [value, yielded] : llvm::zip(carried, end->getOperands())) {
      value = values_.lookup(yielded);
    }
  }
  for (auto [result, value] : llvm::zip(op.getResults(), carried)) {
    values_[result] = value;
  }
  return success();
}

LogicalResult Exporter::RunIf(mlir::scf::IfOp op) {
  FailureOr<int64_t> condition = Number(op, op.getCondition());
  if (failed(condition)) return failure();
  mlir::Region& region = *condition ? op.getThenRegion() : op.getElseRegion();
  if (region.empty()) return success();
  if (failed(RunBlock(region.front()))) return failure();
  for (auto [result, yielded] : llvm::zip(
           op.getResults(), region.front().getTerminator()->getOperands())) {
    Known value = values_.lookup(yielded);
    values_[result] = value;
  }
  return success();
}

LogicalResult Exporter::RunZoneMark(mlir::func::CallOp op) {
  if (op.getCallee() != mlir::gsa::kCpuZoneSymbol) {
    return op.emitError("a program for a device calls no functions, got '")
           << op.getCallee() << "'";
  }
  FailureOr<int64_t> zone = Number(op, op.getOperand(0));
  if (failed(zone)) return failure();
  zone_.reset();
  if (*zone >= 0) zone_ = static_cast<int32_t>(*zone);
  return success();
}

// ---- Views ------------------------------------------------------------------

LogicalResult Exporter::RunView(mlir::Operation* op) {
  auto source = cast<mlir::ViewLikeOpInterface>(op).getViewSource();
  FailureOr<DeviceBufferView> view = View(op, source);
  if (failed(view)) return failure();
  if (auto bytes = dyn_cast<mlir::memref::ViewOp>(op)) {
    FailureOr<int64_t> shift = Number(op, bytes.getByteShift());
    if (failed(shift)) return failure();
    view->base.byte_offset += *shift;
    view->offset = 0;
  } else if (auto part = dyn_cast<mlir::memref::SubViewOp>(op)) {
    llvm::SmallVector<int64_t> strides;
    int64_t ignored;
    if (failed(part.getSourceType().getStridesAndOffset(strides, ignored))) {
      return op->emitError("expected a strided source, got ")
             << part.getSourceType();
    }
    for (auto [offset, stride] : llvm::zip(part.getMixedOffsets(), strides)) {
      FailureOr<int64_t> number = Number(op, offset);
      if (failed(number)) return failure();
      if (mlir::ShapedType::isDynamic(stride)) {
        return op->emitError("expected static strides, got ")
               << part.getSourceType();
      }
      view->offset += *number * stride;
    }
  } else if (auto other = dyn_cast<mlir::memref::ReinterpretCastOp>(op)) {
    FailureOr<int64_t> offset = Number(op, other.getMixedOffsets().front());
    if (failed(offset)) return failure();
    view->offset = *offset;
  }
  values_[op->getResult(0)] = *view;
  return success();
}

LogicalResult Exporter::RunGetGlobal(mlir::memref::GetGlobalOp op) {
  auto global = symbols_.lookup<mlir::memref::GlobalOp>(op.getName());
  if (!global) return op.emitError("no global '") << op.getName() << "'";
  auto [it, inserted] = constants_.try_emplace(
      global, static_cast<int32_t>(program_.constants.size()));
  if (inserted) {
    FailureOr<ConstantData> data = ReadConstant(global);
    if (failed(data)) return failure();
    program_.constants.push_back(*std::move(data));
  }
  DeviceBufferView view;
  view.base.kind = BufferRef::Kind::kConstant;
  view.base.index = it->second;
  values_[op.getResult()] = view;
  return success();
}

// ---- Steps ------------------------------------------------------------------

FailureOr<int32_t> Exporter::KernelIndex(mlir::gsa_tile::LaunchOp op) {
  auto kernel =
      symbols_.lookup<mlir::gsa_tile::KernelOp>(op.getKernelAttr().getAttr());
  if (!kernel) return op.emitError("no kernel ") << op.getKernelAttr();
  auto [it, inserted] = kernels_.try_emplace(
      kernel, static_cast<int32_t>(program_.kernels.size()));
  if (!inserted) return it->second;
  mlir::gsa_tile::LineMap lines;
  FailureOr<std::string> text = mlir::gsa_tile::printCudaKernel(kernel, &lines);
  if (failed(text)) return failure();
  KernelSource source;
  source.symbol = kernel.getSymName().str();
  source.compile_work = mlir::gsa_tile::estimateCompileWork(kernel, *text);
  source.text = *std::move(text);
  source.header = mlir::gsa_tile::getKernelHeader(kernel);
  source.threads_per_block = static_cast<int32_t>(32 * kernel.getWarps());
  source.cluster = static_cast<int32_t>(kernel.getCluster());
  source.dynamic_smem_bytes = kernel.getSharedBytes();
  for (const mlir::gsa_tile::LineMap::Entry& line : lines.getEntries()) {
    source.lines.push_back(
        {static_cast<int32_t>(line.line), PlaceOf(line.location)});
  }
  program_.kernels.push_back(std::move(source));
  return it->second;
}

FailureOr<KernelArg> Exporter::Argument(mlir::gsa_tile::LaunchOp op,
                                        size_t index, mlir::Type type,
                                        mlir::Value value) const {
  if (auto pointer = dyn_cast<mlir::gsa_tile::GlobalType>(type)) {
    FailureOr<DeviceBufferView> view = DenseView(op, value, "argument");
    if (failed(view)) return failure();
    BufferRef ref = view->Ref(cast<mlir::MemRefType>(value.getType()));
    const bool fixed = ref.kind == BufferRef::Kind::kInput ||
                       ref.kind == BufferRef::Kind::kConstant;
    if (fixed && pointer.getAccess() == mlir::gsa_tile::Access::Write) {
      return op.emitError("argument #")
             << index << ": kernel " << op.getKernelAttr() << " writes "
             << ToString(ref) << ", which a program only reads";
    }
    return KernelArg(ref);
  }
  if (auto map = dyn_cast<mlir::gsa_tile::TensorMapType>(type)) {
    FailureOr<DeviceBufferView> view = DenseView(op, value, "argument");
    if (failed(view)) return failure();
    auto buffer = cast<mlir::MemRefType>(value.getType());
    FailureOr<TensorMapArg> argument =
        MakeTensorMap(op, index, map, buffer, view->Ref(buffer));
    if (failed(argument)) return failure();
    return KernelArg(*argument);
  }
  if (type.isF32() || type.isF64()) {
    auto it = values_.find(value);
    auto* known = it == values_.end()
                      ? nullptr
                      : std::get_if<mlir::Attribute>(&it->second);
    auto number = known ? dyn_cast<mlir::FloatAttr>(*known) : mlir::FloatAttr();
    if (!number) return Number(op, value);
    if (type.isF32()) return KernelArg(number.getValue().convertToFloat());
    return KernelArg(number.getValue().convertToDouble());
  }
  FailureOr<int64_t> number = Number(op, value);
  if (failed(number)) return failure();
  if (type.isInteger(64)) return KernelArg(*number);
  if (*number < std::numeric_limits<int32_t>::min() ||
      *number > std::numeric_limits<int32_t>::max()) {
    return op.emitError("argument #")
           << index << " of kernel " << op.getKernelAttr() << ": " << *number
           << " does not fit 32 bits";
  }
  return KernelArg(static_cast<int32_t>(*number));
}

// The launch before may have had nothing to do, and be no step.
bool Exporter::FollowsLaunch(mlir::gsa_tile::LaunchOp op) const {
  const auto is_launch = [&](int64_t index) {
    return index >= 0 &&
           std::holds_alternative<LaunchStep>(program_.steps[index]);
  };
  if (!is_launch(static_cast<int64_t>(program_.steps.size()) - 1)) return false;
  auto attribute =
      op->getAttrOfType<mlir::gsa_tile::StepAttr>(mlir::gsa_tile::kStepAttr);
  return !attribute || is_launch(last_of_lane_[attribute.getLane()]);
}

LogicalResult Exporter::RunLaunch(mlir::gsa_tile::LaunchOp op) {
  LaunchStep step;
  for (auto [i, size] : llvm::enumerate(op.getGrid())) {
    FailureOr<int64_t> number = Number(op, size);
    if (failed(number)) return failure();
    step.grid[i] = *number;
  }
  // Nothing to do: tensors without elements.
  if (llvm::is_contained(step.grid, 0)) return SkipStep(op);
  FailureOr<int32_t> kernel = KernelIndex(op);
  if (failed(kernel)) return failure();
  step.kernel = *kernel;
  step.dependent = op.getDependent() && FollowsLaunch(op);
  step.urgent = op.getUrgent();
  auto types =
      symbols_.lookup<mlir::gsa_tile::KernelOp>(op.getKernelAttr().getAttr())
          .getFunctionType()
          .getInputs();
  for (auto [i, type] : llvm::enumerate(types)) {
    FailureOr<KernelArg> argument = Argument(op, i, type, op.getArgs()[i]);
    if (failed(argument)) return failure();
    step.args.push_back(*argument);
  }
  return AddStep(op, std::move(step));
}

LogicalResult Exporter::RunGemm(mlir::gsa_tile::GemmOp op) {
  FailureOr<GemmStep> step = MakeGemmStep(op);
  FailureOr<DeviceBufferView> a = View(op, op.getA());
  FailureOr<DeviceBufferView> b = View(op, op.getB());
  FailureOr<DeviceBufferView> c = View(op, op.getC());
  if (failed(step) || failed(a) || failed(b) || failed(c)) return failure();
  step->a = a->Ref(cast<mlir::MemRefType>(op.getA().getType()));
  step->b = b->Ref(cast<mlir::MemRefType>(op.getB().getType()));
  step->c = c->Ref(cast<mlir::MemRefType>(op.getC().getType()));
  if (step->m == 0 || step->n == 0 || step->batch == 0) return SkipStep(op);
  if (step->k == 0) {
    return op.emitError("expected at least one product per sum, got k = 0");
  }
  return AddStep(op, *step);
}

LogicalResult Exporter::RunCopy(mlir::memref::CopyOp op) {
  FailureOr<DeviceBufferView> source =
      DenseView(op, op.getSource(), "source of a copy");
  FailureOr<DeviceBufferView> target =
      DenseView(op, op.getTarget(), "target of a copy");
  if (failed(source) || failed(target)) return failure();
  CopyStep step;
  step.source = source->Ref(cast<mlir::MemRefType>(op.getSource().getType()));
  step.destination =
      target->Ref(cast<mlir::MemRefType>(op.getTarget().getType()));
  step.bytes = ByteSize(cast<mlir::MemRefType>(op.getTarget().getType()));
  const bool same = step.source.kind == step.destination.kind &&
                    step.source.index == step.destination.index &&
                    step.source.byte_offset == step.destination.byte_offset;
  if (same || step.bytes == 0) return SkipStep(op);
  return AddStep(op, step);
}

LogicalResult Exporter::RunFill(mlir::linalg::FillOp op) {
  mlir::Value target = op.getOutputs().front();
  FailureOr<DeviceBufferView> view = DenseView(op, target, "target of a fill");
  if (failed(view)) return failure();
  auto it = values_.find(op.getInputs().front());
  auto* value =
      it == values_.end() ? nullptr : std::get_if<mlir::Attribute>(&it->second);
  auto type = cast<mlir::MemRefType>(target.getType());
  FailureOr<FillStep> step =
      MakeFillStep(op, value ? *value : mlir::Attribute(), type);
  if (failed(step)) return failure();
  step->destination = view->Ref(type);
  if (step->count == 0) return SkipStep(op);
  return AddStep(op, *step);
}

}  // namespace

FailureOr<DeviceProgram> ExportDeviceProgram(mlir::ModuleOp module,
                                             const std::string& entry,
                                             const std::string& arch) {
  auto function = module.lookupSymbol<mlir::func::FuncOp>(entry);
  if (!function || function.isExternal() || !function.getBody().hasOneBlock()) {
    return module.emitError("no function '")
           << entry << "' of one block in the module";
  }
  DeviceProgram program;
  program.arch = arch;
  if (failed(Exporter(module, &program).Run(function))) return failure();
  return program;
}

}  // namespace gsa
