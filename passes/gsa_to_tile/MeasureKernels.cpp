//===- MeasureKernels.cpp - what the kernels of an op take ----------------===//
//
// Copies one op, with the gate that is fused into it, into a module of its own,
// lowers it there as gsa-to-tile and the passes on kernels do, and reads shared
// memory and fragments. Nothing is emitted: no remark, and an error becomes the
// reason why there are no kernels.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/MeasureKernels.h"

#include <memory>
#include <mutex>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/IRMapping.h"
#include "passes/gsa/FuseEpilogue.h"
#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/tile/FragmentRegisters.h"
#include "passes/tile/Transforms.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

//===----------------------------------------------------------------------===//
// One op by itself
//===----------------------------------------------------------------------===//

/// A module of one function that computes `op` with `schedule`; operands are
/// arguments. Returns the copy of the op.
static Operation* isolate(Operation* op, Attribute schedule, ModuleOp module) {
  SmallVector<Value> inputs(op->getOperands());
  GateOp gate = getFusedGate(op);
  if (gate) inputs.push_back(gate.getLogits());
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  auto function = func::FuncOp::create(
      b, op->getLoc(), "op",
      b.getFunctionType(TypeRange(ValueRange(inputs)), {}));
  Block* entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  IRMapping values;
  for (auto [input, argument] : llvm::zip(inputs, entry->getArguments()))
    values.map(input, argument);
  Operation* copy = b.clone(*op, values);
  copy->setAttr(kScheduleAttr, schedule);
  SmallVector<Value> results(copy->getResults());
  if (gate) results.front() = b.clone(*gate, values)->getResult(0);
  func::ReturnOp::create(b, op->getLoc(), results);
  function.setFunctionType(b.getFunctionType(entry->getArgumentTypes(),
                                             TypeRange(ValueRange(results))));
  return copy;
}

//===----------------------------------------------------------------------===//
// Its kernels
//===----------------------------------------------------------------------===//

/// Registers of fragments of the role, or of all warps, that hold most.
static int64_t countFragments(KernelOp kernel) {
  FragmentRegisters fragments(kernel);
  auto roles = kernel.getBody().getOps<RolesOp>();
  if (roles.empty()) return fragments.findPeak().registers;
  int64_t most = 0;
  for (RolesOp op : roles)
    for (unsigned i = 0; i < op.getRoles().size(); ++i)
      most = std::max(most, fragments.findPeak(op, i).registers);
  return most;
}

/// Warps of roles without fragments, if they are whole warpgroups.
static int64_t countCopyWarps(KernelOp kernel) {
  constexpr int64_t kGroupWarps = 4;
  FragmentRegisters fragments(kernel);
  int64_t warps = 0;
  for (RolesOp op : kernel.getBody().getOps<RolesOp>())
    for (unsigned i = 0; i < op.getRoles().size(); ++i)
      if (fragments.findPeak(op, i).registers == 0)
        warps += cast<RoleAttr>(op.getRoles()[i]).getTeam().getCount();
  return warps % kGroupWarps == 0 ? warps : 0;
}

static LogicalResult measureKernel(KernelOp kernel, Footprint& footprint) {
  if (failed(lowerStreams(kernel, Remarks::Omit)) ||
      failed(assignRoles(kernel)))
    return failure();
  planSharedMemory(kernel);
  int64_t copyWarps = countCopyWarps(kernel);
  int64_t beside = copyWarps > 0 && multipliesByWgmma(kernel)
                       ? kRegistersBesideProducts
                       : kRegistersBesideFragments;
  footprint.kernels.push_back(
      {kernel.getSymName().str(), kernel->getAttr(kScheduleAttr),
       static_cast<int64_t>(kernel.getSharedBytes()),
       countFragments(kernel) + beside, static_cast<int64_t>(kernel.getWarps()),
       copyWarps});
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
    return *known.try_emplace(key, std::move(footprint)).first->second;
  }

 private:
  /// All that a kernel follows from.
  static Attribute makeKey(Operation* op, Attribute schedule,
                           const CudaTarget& target) {
    Builder b(op->getContext());
    auto describe = [&](Operation* part, SmallVectorImpl<Attribute>& key) {
      key.push_back(b.getStringAttr(part->getName().getStringRef()));
      key.push_back(TypeAttr::get(
          b.getFunctionType(part->getOperandTypes(), part->getResultTypes())));
      NamedAttrList attributes(part->getAttrDictionary());
      attributes.erase(kScheduleAttr);
      key.push_back(attributes.getDictionary(op->getContext()));
    };
    SmallVector<Attribute> key = {schedule, b.getStringAttr(target.arch)};
    describe(op, key);
    if (GateOp gate = getFusedGate(op)) describe(gate, key);
    return b.getArrayAttr(key);
  }

  std::mutex mutex;
  llvm::DenseMap<Attribute, std::unique_ptr<Footprint>> known;
};

}  // namespace

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
