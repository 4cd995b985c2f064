//===- ParallelToRuntime.cpp - task loops into thread pool calls ----------===//
//
// gsa-cpu-parallel-to-runtime. Runs before the conversion to LLVM: captured
// values cross the call as their LLVM types, behind casts that the conversion
// later resolves.
//
//===----------------------------------------------------------------------===//

#include "mlir/Analysis/DataLayoutAnalysis.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/cpu/CpuPasses.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSACPUPARALLELTORUNTIME
#include "passes/cpu/CpuPasses.h.inc"

namespace {

/// Alignment of the closure: vectors may be captured.
constexpr unsigned kClosureAlignment = 64;

Value cast(OpBuilder& builder, Location loc, Type type, Value value) {
  if (value.getType() == type) return value;
  return UnrealizedConversionCastOp::create(builder, loc, type, value)
      .getResult(0);
}

class Outliner {
 public:
  Outliner(ModuleOp module, const LowerToLLVMOptions& options)
      : module(module),
        symbols(module),
        converter(module.getContext(), options),
        pointer(LLVM::LLVMPointerType::get(module.getContext())),
        i64(IntegerType::get(module.getContext(), 64)) {}

  LogicalResult outline(scf::ParallelOp loop);

 private:
  void moveConstantsInside(scf::ParallelOp loop);
  FailureOr<LLVM::LLVMStructType> closureType(scf::ParallelOp loop,
                                              ArrayRef<Value> captures);
  func::FuncOp createTask(scf::ParallelOp loop, ArrayRef<Value> captures,
                          LLVM::LLVMStructType type);
  void createCall(scf::ParallelOp loop, ArrayRef<Value> captures,
                  LLVM::LLVMStructType type, func::FuncOp task, int64_t count);
  func::FuncOp runtimeFunction();

  ModuleOp module;
  SymbolTable symbols;
  LLVMTypeConverter converter;
  LLVM::LLVMPointerType pointer;
  IntegerType i64;
};

/// Constants are cheaper to repeat than to pass.
void Outliner::moveConstantsInside(scf::ParallelOp loop) {
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(loop.getRegion(), used);
  OpBuilder builder = OpBuilder::atBlockBegin(loop.getBody());
  for (Value value : used) {
    Operation* def = value.getDefiningOp();
    if (!def || !def->hasTrait<OpTrait::ConstantLike>()) continue;
    Operation* clone = builder.clone(*def);
    value.replaceUsesWithIf(clone->getResult(0), [&](OpOperand& use) {
      return loop.getRegion().isAncestor(use.getOwner()->getParentRegion());
    });
  }
}

FailureOr<LLVM::LLVMStructType> Outliner::closureType(
    scf::ParallelOp loop, ArrayRef<Value> captures) {
  SmallVector<Type> fields;
  for (Value value : captures) {
    Type type = converter.convertType(value.getType());
    if (!type)
      return loop.emitError("cannot pass a value of type ")
             << value.getType() << " to a task";
    fields.push_back(type);
  }
  return LLVM::LLVMStructType::getLiteral(loop.getContext(), fields);
}

Value fieldAddress(OpBuilder& builder, Location loc, LLVM::LLVMStructType type,
                   Value closure, int32_t field) {
  return LLVM::GEPOp::create(builder, loc, closure.getType(), type, closure,
                             ArrayRef<LLVM::GEPArg>{0, field});
}

func::FuncOp Outliner::createTask(scf::ParallelOp loop,
                                  ArrayRef<Value> captures,
                                  LLVM::LLVMStructType type) {
  Location loc = loop.getLoc();
  auto parent = loop->getParentOfType<func::FuncOp>();
  OpBuilder builder(parent);
  auto task =
      func::FuncOp::create(builder, loc, (parent.getSymName() + "_task").str(),
                           builder.getFunctionType({pointer, i64}, {}));
  task.setPrivate();
  symbols.insert(task);  // makes the name unique
  Block* entry = task.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  IRMapping mapping;
  for (auto [index, value] : llvm::enumerate(captures)) {
    Value address =
        fieldAddress(builder, loc, type, entry->getArgument(0), index);
    Value field =
        LLVM::LoadOp::create(builder, loc, type.getBody()[index], address);
    mapping.map(value, cast(builder, loc, value.getType(), field));
  }
  Value iv = arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                        entry->getArgument(1));
  mapping.map(loop.getInductionVars()[0], iv);
  for (Operation& op : loop.getBody()->without_terminator())
    builder.clone(op, mapping);
  func::ReturnOp::create(builder, loc);
  return task;
}

func::FuncOp Outliner::runtimeFunction() {
  if (auto existing = symbols.lookup<func::FuncOp>(kCpuParallelSymbol))
    return existing;
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  auto declaration = func::FuncOp::create(
      builder, module.getLoc(), kCpuParallelSymbol,
      builder.getFunctionType({pointer, pointer, i64}, {}));
  declaration.setPrivate();
  symbols.insert(declaration);
  return declaration;
}

void Outliner::createCall(scf::ParallelOp loop, ArrayRef<Value> captures,
                          LLVM::LLVMStructType type, func::FuncOp task,
                          int64_t count) {
  Location loc = loop.getLoc();
  // In the function's first block, or the stack would grow in loops.
  auto parent = loop->getParentOfType<func::FuncOp>();
  OpBuilder builder = OpBuilder::atBlockBegin(&parent.getBody().front());
  Value one = LLVM::ConstantOp::create(builder, loc, i64, 1);
  Value closure = LLVM::AllocaOp::create(builder, loc, pointer, type, one,
                                         kClosureAlignment);
  builder.setInsertionPoint(loop);
  for (auto [index, value] : llvm::enumerate(captures)) {
    Value address = fieldAddress(builder, loc, type, closure, index);
    LLVM::StoreOp::create(builder, loc,
                          cast(builder, loc, type.getBody()[index], value),
                          address);
  }
  Value function = func::ConstantOp::create(
      builder, loc, task.getFunctionType(), task.getSymName());
  Value tasks = LLVM::ConstantOp::create(builder, loc, i64, count);
  func::CallOp::create(
      builder, loc, runtimeFunction(),
      ValueRange{cast(builder, loc, pointer, function), closure, tasks});
}

LogicalResult Outliner::outline(scf::ParallelOp loop) {
  auto isConstant = [](Value value, int64_t expected) {
    return getConstantIntValue(value) == expected;
  };
  if (loop.getNumLoops() != 1 || loop.getNumReductions() != 0 ||
      !isConstant(loop.getLowerBound()[0], 0) ||
      !isConstant(loop.getStep()[0], 1))
    return loop.emitError(
        "expected a task loop over [0, N) with step 1 and no reductions");
  auto count = getConstantIntValue(loop.getUpperBound()[0]);
  if (!count) return loop.emitError("expected a constant number of tasks");
  if (loop->getParentOfType<scf::ParallelOp>())
    return loop.emitError("task loops cannot be nested");

  moveConstantsInside(loop);
  llvm::SetVector<Value> captures;
  getUsedValuesDefinedAbove(loop.getRegion(), captures);
  auto type = closureType(loop, captures.getArrayRef());
  if (failed(type)) return failure();
  func::FuncOp task = createTask(loop, captures.getArrayRef(), *type);
  createCall(loop, captures.getArrayRef(), *type, task, *count);
  remark::passed(loop.getLoc(),
                 remark::RemarkOpts::name("OutlinedTasks").category("gsa.cpu"))
      << ("outlined into '" + task.getSymName() + "'").str()
      << remark::metric("tasks", *count)
      << remark::metric("captures", int64_t(captures.size()));
  loop.erase();
  return success();
}

struct ParallelToRuntime
    : impl::GsaCpuParallelToRuntimeBase<ParallelToRuntime> {
  void runOnOperation() override {
    const auto& analysis = getAnalysis<DataLayoutAnalysis>();
    LowerToLLVMOptions options(&getContext(),
                               analysis.getAtOrAbove(getOperation()));
    Outliner outliner(getOperation(), options);
    SmallVector<scf::ParallelOp> loops;
    getOperation().walk([&](scf::ParallelOp loop) {
      if (loop->hasAttr(kTasksAttr)) loops.push_back(loop);
    });
    for (scf::ParallelOp loop : loops)
      if (failed(outliner.outline(loop))) return signalPassFailure();
  }
};

}  // namespace
}  // namespace mlir::gsa
