//===- MeasureKernels.cpp - what the kernels of an op take ----------------===//
//
// Copies one op into a module of its own, lowers it there as gsa-to-tile and
// the passes on kernels do, and reads shared memory and fragments. Nothing is
// emitted: no remark, and an error becomes the reason why there are no kernels.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/MeasureKernels.h"

#include <memory>
#include <mutex>

#include "llvm/ADT/SetVector.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/IRMapping.h"
#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/gsa_to_tile/RowStorage.h"
#include "passes/tile/FragmentRegisters.h"
#include "passes/tile/Transforms.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

//===----------------------------------------------------------------------===//
// One op by itself
//===----------------------------------------------------------------------===//

/// What `tensor` is made of by views alone, last one first: of rows in pages
/// the pages, and the slices that their pool is.
static void collectViews(Value tensor, SmallVector<Operation*>& views) {
  Operation* op = tensor.getDefiningOp();
  bool isView =
      views.empty()
          ? isa_and_nonnull<gsa::PagedRowsOp>(op)
          : isa_and_nonnull<tensor::ExtractSliceOp, tensor::ExpandShapeOp,
                            tensor::CollapseShapeOp>(op);
  if (!isView || llvm::is_contained(views, op)) return;
  views.push_back(op);
  collectViews(op->getOperand(0), views);
}

/// A module of one function that computes `op` with `schedule`; operands are
/// arguments, or views of them. Returns the copy of the op.
static Operation* isolate(Operation* op, Attribute schedule, ModuleOp module) {
  SmallVector<Operation*> views;
  llvm::SetVector<Value> inputs;
  for (Value operand : op->getOperands()) {
    SmallVector<Operation*> own;
    collectViews(operand, own);
    llvm::append_range(views, llvm::reverse(own));
    if (own.empty()) inputs.insert(operand);
    for (Operation* view : own)
      for (Value input : view->getOperands())
        if (!llvm::is_contained(own, input.getDefiningOp()))
          inputs.insert(input);
  }
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  auto function = func::FuncOp::create(
      b, op->getLoc(), "op",
      b.getFunctionType(TypeRange(ValueRange(inputs.getArrayRef())), {}));
  Block* entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  IRMapping values;
  for (auto [input, argument] : llvm::zip(inputs, entry->getArguments()))
    values.map(input, argument);
  for (Operation* view : views)
    if (!values.contains(view->getResult(0))) b.clone(*view, values);
  Operation* copy = b.clone(*op, values);
  copy->setAttr(kScheduleAttr, schedule);
  func::ReturnOp::create(b, op->getLoc(), copy->getResults());
  function.setFunctionType(
      b.getFunctionType(entry->getArgumentTypes(), copy->getResultTypes()));
  return copy;
}

//===----------------------------------------------------------------------===//
// Its kernels
//===----------------------------------------------------------------------===//

namespace {
/// What fragments take of the registers of a kernel's warps.
struct Fragments {
  int64_t registers = 0;  ///< Of the role, or of all warps, that hold most.
  /// Warps of roles without fragments, if they are whole warpgroups.
  int64_t copyWarps = 0;
};
}  // namespace

static Fragments countFragments(KernelOp kernel) {
  constexpr int64_t kGroupWarps = 4;
  FragmentRegisters fragments(kernel);
  auto roles = kernel.getBody().getOps<RolesOp>();
  if (roles.empty()) return {fragments.findPeak().registers, 0};
  Fragments result;
  for (RolesOp op : roles)
    for (unsigned i = 0; i < op.getRoles().size(); ++i) {
      int64_t registers = fragments.findPeak(op, i).registers;
      result.registers = std::max(result.registers, registers);
      if (registers == 0)
        result.copyWarps +=
            cast<RoleAttr>(op.getRoles()[i]).getTeam().getCount();
    }
  if (result.copyWarps % kGroupWarps != 0) result.copyWarps = 0;
  return result;
}

static LogicalResult measureKernel(KernelOp kernel, Footprint& footprint) {
  if (failed(lowerStreams(kernel, Remarks::Omit)) ||
      failed(assignRoles(kernel)))
    return failure();
  planSharedMemory(kernel);
  Fragments fragments = countFragments(kernel);
  int64_t beside = fragments.copyWarps > 0 && multipliesByWgmma(kernel)
                       ? kRegistersBesideProducts
                       : kRegistersBesideFragments;
  footprint.kernels.push_back(
      {kernel.getSymName().str(), kernel->getAttr(kScheduleAttr),
       static_cast<int64_t>(kernel.getSharedBytes()),
       fragments.registers + beside, static_cast<int64_t>(kernel.getWarps()),
       fragments.copyWarps});
  return success();
}

static Footprint measureOp(Operation* op, Attribute schedule,
                           const CudaTarget& target) {
  Footprint footprint;
  MLIRContext* context = op->getContext();
  ScopedDiagnosticHandler handler(context, [&](Diagnostic& diagnostic) {
    if (footprint.failure.empty() &&
        diagnostic.getSeverity() == DiagnosticSeverity::Error)
      footprint.failure = diagnostic.str();
    return success();
  });
  OwningOpRef<ModuleOp> module = ModuleOp::create(op->getLoc());
  Operation* copy = isolate(op, schedule, *module);
  IRRewriter rewriter(context);
  ToTileContext lowering(*module, target, rewriter, Remarks::Omit);
  LogicalResult result = tile::lowerOp(copy, lowering);
  for (auto kernel : module->getOps<KernelOp>())
    if (succeeded(result)) result = measureKernel(kernel, footprint);
  if (failed(result) && footprint.failure.empty())
    footprint.failure = "the op cannot be lowered";
  return footprint;
}

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

namespace {

class LoweringMeasure : public KernelMeasure {
 public:
  using KernelMeasure::KernelMeasure;

  const Footprint& measure(Operation* op, Attribute schedule,
                           const CudaTarget& target) override {
    Attribute key = makeKey(op, schedule, target);
    {
      std::lock_guard<std::mutex> lock(mutex);
      if (auto it = known.find(key); it != known.end()) return *it->second;
    }
    auto footprint =
        std::make_unique<Footprint>(measureOp(op, schedule, target));
    std::lock_guard<std::mutex> lock(mutex);
    ++lowered;
    return *known.try_emplace(key, std::move(footprint)).first->second;
  }

  int64_t getNumLowered() {
    std::lock_guard<std::mutex> lock(mutex);
    return lowered;
  }

 private:
  /// All that a kernel follows from.
  static Attribute makeKey(Operation* op, Attribute schedule,
                           const CudaTarget& target) {
    Builder b(op->getContext());
    // With the sizes of segments, which tell a gate from lengths.
    NamedAttrList attributes(op->getAttrDictionary());
    attributes.erase(kScheduleAttr);
    SmallVector<Attribute> pages;
    for (Value operand : op->getOperands()) {
      Attribute page = describePages(operand);
      pages.push_back(page ? page : b.getUnitAttr());
    }
    return b.getArrayAttr({schedule, b.getStringAttr(target.arch),
                           b.getStringAttr(op->getName().getStringRef()),
                           TypeAttr::get(b.getFunctionType(
                               op->getOperandTypes(), op->getResultTypes())),
                           attributes.getDictionary(op->getContext()),
                           b.getArrayAttr(pages)});
  }

  std::mutex mutex;
  llvm::DenseMap<Attribute, std::unique_ptr<Footprint>> known;
  int64_t lowered = 0;
};

}  // namespace

int64_t gsa::countMeasuredOps(MLIRContext* context) {
  auto* dialect = context->getLoadedDialect<GsaDialect>();
  auto* measure =
      dialect ? dialect->getRegisteredInterface<KernelMeasure>() : nullptr;
  return measure ? static_cast<LoweringMeasure*>(measure)->getNumLowered() : 0;
}

void gsa::registerKernelMeasure(DialectRegistry& registry) {
  registry.insert<arith::ArithDialect, bufferization::BufferizationDialect,
                  func::FuncDialect, GsaTileDialect, linalg::LinalgDialect,
                  math::MathDialect, memref::MemRefDialect, scf::SCFDialect,
                  tensor::TensorDialect>();
  registry.addExtension(+[](MLIRContext* context, GsaDialect* dialect) {
    if (dialect->getRegisteredInterface<KernelMeasure>()) return;
    dialect->addInterfaces<LoweringMeasure>();
    // Lowerings make ops of these in the middle of a pass.
    context
        ->loadDialect<arith::ArithDialect, bufferization::BufferizationDialect,
                      func::FuncDialect, GsaTileDialect, linalg::LinalgDialect,
                      math::MathDialect, memref::MemRefDialect, scf::SCFDialect,
                      tensor::TensorDialect>();
  });
}
