//===- LoopEmitter.cpp - loops and vectors over buffers -------------------===//

#include "passes/gsa_to_cpu/LoopEmitter.h"

#include "dialect/Gsa/GsaAttrNames.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::gsa;

/// Calls `body` with the builder of `emitter` moved to where `inner` stands.
static void insertAt(OpBuilder& builder, OpBuilder& inner,
                     llvm::function_ref<void()> body) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(inner.getInsertionBlock(),
                            inner.getInsertionPoint());
  body();
}

LoopEmitter::LoopEmitter(IRRewriter& rewriter, Operation* op,
                         CpuScheduleAttr schedule, Type accumulator)
    : ScalarBuilder(rewriter, op->getLoc()),
      scheduleAttr(schedule),
      accType(accumulator) {
  rewriter.setInsertionPoint(op);
}

VectorType LoopEmitter::vectorOf(Type element) const {
  return VectorType::get({lanes()}, element);
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

static MemRefType bufferType(Type tensorType) {
  auto type = cast<RankedTensorType>(tensorType);
  return MemRefType::get(type.getShape(), type.getElementType());
}

Value LoopEmitter::input(Value tensor) {
  if (!tensor) return {};
  return bufferization::ToBufferOp::create(builder(), location(),
                                           bufferType(tensor.getType()), tensor,
                                           /*read_only=*/true);
}

Value LoopEmitter::output(Operation* op, unsigned i) {
  return allocateResult(builder(), op, i);
}

Value LoopEmitter::toTensor(Value buffer, Type tensorType) {
  return bufferization::ToTensorOp::create(builder(), location(), tensorType,
                                           buffer, /*restrict=*/true,
                                           /*writable=*/true);
}

Value LoopEmitter::scratch(ArrayRef<int64_t> shape, Type element) {
  return memref::AllocOp::create(builder(), location(),
                                 MemRefType::get(shape, element));
}

Value LoopEmitter::load(Value buffer, ValueRange indices) {
  Value value = memref::LoadOp::create(builder(), location(), buffer, indices);
  return isa<FloatType>(value.getType()) ? cast(value, accType) : value;
}

void LoopEmitter::store(Value value, Value buffer, ValueRange indices) {
  memref::StoreOp::create(builder(), location(), value, buffer, indices);
}

Value LoopEmitter::loadVector(Value buffer, ValueRange indices) {
  Type element = getElementTypeOrSelf(buffer.getType());
  Value value = vector::LoadOp::create(builder(), location(), vectorOf(element),
                                       buffer, indices);
  return isa<FloatType>(element) ? cast(value, vectorOf(accType)) : value;
}

void LoopEmitter::storeVector(Value vector, Value buffer, ValueRange indices) {
  vector::StoreOp::create(builder(), location(), vector, buffer, indices);
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

Value LoopEmitter::splat(Value scalar) {
  return vector::BroadcastOp::create(builder(), location(),
                                     vectorOf(scalar.getType()), scalar);
}

Value LoopEmitter::splatConstant(Type element, double value) {
  return constant(vectorOf(element), value);
}

Value LoopEmitter::splatInt(Type element, int64_t value) {
  return arith::ConstantOp::create(
      builder(), location(),
      DenseElementsAttr::get(vectorOf(element),
                             builder().getIntegerAttr(element, value)));
}

Value LoopEmitter::iota() {
  SmallVector<int32_t> values(lanes());
  for (auto [i, value] : llvm::enumerate(values)) value = i;
  return arith::ConstantOp::create(
      builder(), location(),
      DenseElementsAttr::get(vectorOf(builder().getI32Type()),
                             ArrayRef<int32_t>(values)));
}

Value LoopEmitter::fma(Value a, Value b, Value c) {
  return isa<VectorType>(a.getType())
             ? vector::FMAOp::create(builder(), location(), a, b, c).getResult()
             : math::FmaOp::create(builder(), location(), a, b, c).getResult();
}

Value LoopEmitter::andMask(Value lhs, Value rhs) {
  return arith::AndIOp::create(builder(), location(), lhs, rhs);
}

Value LoopEmitter::orMask(Value lhs, Value rhs) {
  return arith::OrIOp::create(builder(), location(), lhs, rhs);
}

Value LoopEmitter::reduce(vector::CombiningKind kind, Value vector) {
  return vector::ReductionOp::create(builder(), location(), kind, vector);
}

Value LoopEmitter::integer(Type type, int64_t value) {
  return arith::ConstantOp::create(builder(), location(),
                                   builder().getIntegerAttr(type, value));
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

SmallVector<Value> LoopEmitter::ifElse(
    Value condition, TypeRange types,
    llvm::function_ref<SmallVector<Value>()> ifTrue,
    llvm::function_ref<SmallVector<Value>()> ifFalse) {
  auto branch = [&](llvm::function_ref<SmallVector<Value>()> make) {
    return [this, make](OpBuilder& inner, Location) {
      insertAt(builder(), inner,
               [&] { scf::YieldOp::create(builder(), location(), make()); });
    };
  };
  auto op = scf::IfOp::create(builder(), location(), condition, branch(ifTrue),
                              branch(ifFalse));
  assert(TypeRange(op.getResultTypes()) == types && "branches differ");
  (void)types;
  return SmallVector<Value>(op.getResults());
}

SmallVector<Value> LoopEmitter::whileLoop(
    ValueRange init, llvm::function_ref<Value(ValueRange)> condition,
    llvm::function_ref<SmallVector<Value>(ValueRange)> body) {
  auto loop = scf::WhileOp::create(
      builder(), location(), init.getTypes(), init,
      [&](OpBuilder& inner, Location, ValueRange carried) {
        insertAt(builder(), inner, [&] {
          scf::ConditionOp::create(builder(), location(), condition(carried),
                                   carried);
        });
      },
      [&](OpBuilder& inner, Location, ValueRange carried) {
        insertAt(builder(), inner, [&] {
          scf::YieldOp::create(builder(), location(), body(carried));
        });
      });
  return SmallVector<Value>(loop.getResults());
}

void LoopEmitter::forTasks(const Size& count,
                           llvm::function_ref<void()> prologue,
                           llvm::function_ref<void(Value)> body) {
  int64_t tasks = scheduleAttr.getTasks();
  Value upper = value(count);
  if (tasks == 1) {
    prologue();
    forLoop(index(0), upper, 1, body);
    return;
  }
  auto loop = scf::ParallelOp::create(
      builder(), location(), ValueRange{index(0)}, ValueRange{index(tasks)},
      ValueRange{index(1)}, [&](OpBuilder& inner, Location, ValueRange task) {
        insertAt(builder(), inner, [&] {
          prologue();
          forLoop(task[0], upper, tasks, body);
        });
      });
  loop->setAttr(kTasksAttr, builder().getUnitAttr());
}
