//===- LinalgKernel.cpp - the loops of a linalg op in a kernel ------------===//

#include "passes/gsa_to_tile/LinalgKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/gsa_to_tile/Elementwise.h"

using namespace mlir;
using namespace mlir::gsa;

namespace mlir::gsa::tile {

//===----------------------------------------------------------------------===//
// What the op reads and writes
//===----------------------------------------------------------------------===//

static bool isElementType(Type type) {
  return type.isF16() || type.isBF16() || type.isF32() || type.isF64() ||
         type.isInteger(8) || type.isInteger(32) || type.isInteger(64);
}

LogicalResult LinalgPlan::checkBody() {
  WalkResult walk = op.getBlock()->walk([&](Operation* inner) {
    bool isKnown =
        isa_and_nonnull<arith::ArithDialect, math::MathDialect>(
            inner->getDialect()) ||
        isa<linalg::IndexOp, linalg::YieldOp, tensor::ExtractOp, scf::ForOp,
            scf::IfOp, scf::WhileOp, scf::ConditionOp, scf::YieldOp>(inner);
    if (isKnown) return WalkResult::advance();
    op.emitOpError() << "has a body without a lowering to a kernel: expected "
                        "ops of arith, math and scf, linalg.index and "
                        "tensor.extract, got "
                     << inner->getName();
    return WalkResult::interrupt();
  });
  return failure(walk.wasInterrupted());
}

LogicalResult LinalgPlan::addExpr(AffineExpr expr, int64_t factor,
                                  LinearAccess& access) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    access.coefficients[dim.getPosition()] += factor;
    return success();
  }
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    access.offset += factor * constant.getValue();
    return success();
  }
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr)) {
    if (expr.getKind() == AffineExprKind::Add)
      return success(succeeded(addExpr(binary.getLHS(), factor, access)) &&
                     succeeded(addExpr(binary.getRHS(), factor, access)));
    auto scale = dyn_cast<AffineConstantExpr>(binary.getRHS());
    if (expr.getKind() == AffineExprKind::Mul && scale)
      return addExpr(binary.getLHS(), factor * scale.getValue(), access);
  }
  return op.emitOpError() << "expected indexing maps that are linear";
}

LogicalResult LinalgPlan::addAccess(OpOperand& operand,
                                    const TensorAccess& tensor,
                                    SmallVector<LinearAccess>& accesses) {
  LinearAccess& access = accesses.emplace_back();
  access.coefficients.assign(sizes.size(), 0);
  access.base = tensor.base;
  access.offset = tensor.offset;
  Type element = getElementTypeOrSelf(operand.get().getType());
  if (!isElementType(element))
    return op.emitOpError() << "operand " << operand.getOperandNumber()
                            << ": expected elements of f16, bf16, f32, f64, "
                               "i8, i32 or i64, got "
                            << element;
  AffineMap map = op.getMatchingIndexingMap(&operand);
  for (auto [result, stride] :
       llvm::zip_equal(map.getResults(), tensor.strides))
    if (failed(addExpr(result, stride, access))) return failure();
  return success();
}

/// Whether all operands step through the two loops as through one.
bool LinalgPlan::mayMerge(const KernelLoop& outer, const KernelLoop& inner) {
  // A scalar or a tensor that is not read has zeros only, so it agrees.
  auto isUniform = [&](const LinearAccess& access) {
    return access.coefficients[outer.loop] ==
           access.coefficients[inner.loop] * inner.size;
  };
  return llvm::all_of(inputs, isUniform) && llvm::all_of(inits, isUniform) &&
         llvm::all_of(outputs, isUniform);
}

/// The loops of one type, those that all operands step through as through one
/// being one. Neighbouring lanes take neighbouring elements of `order`.
SmallVector<KernelLoop> LinalgPlan::mergeLoops(utils::IteratorType type,
                                               const LinearAccess* order) {
  SmallVector<KernelLoop> single, merged;
  SmallVector<utils::IteratorType> types = op.getIteratorTypesArray();
  for (auto [loop, size] : llvm::enumerate(sizes))
    if (size != 1 && types[loop] == type)
      single.push_back({size, static_cast<unsigned>(loop)});
  if (order)
    llvm::stable_sort(single, [&](const KernelLoop& a, const KernelLoop& b) {
      return order->coefficients[a.loop] > order->coefficients[b.loop];
    });
  llvm::SmallDenseSet<unsigned> indexed;
  op.getBlock()->walk([&](linalg::IndexOp index) {
    indexed.insert(static_cast<unsigned>(index.getDim()));
  });
  for (KernelLoop& loop : single) {
    bool isAlone = merged.empty() || indexed.contains(loop.loop) ||
                   indexed.contains(merged.back().loop);
    if (isAlone || !mayMerge(merged.back(), loop))
      merged.push_back(loop);
    else
      merged.back() = {merged.back().size * loop.size, loop.loop};
  }
  return merged;
}

LogicalResult LinalgPlan::addInputs() {
  for (OpOperand* operand : op.getDpsInputOperands()) {
    if (op.isScalar(operand))
      inputs.emplace_back().coefficients.assign(sizes.size(), 0);
    else if (failed(
                 addAccess(*operand, getTensorAccess(operand->get()), inputs)))
      return failure();
  }
  return success();
}

LogicalResult LinalgPlan::addOutput(OpOperand& operand) {
  auto type = cast<RankedTensorType>(operand.get().getType());
  TensorAccess result{Value(), 0, getDenseStrides(type.getShape())};
  if (target) result = *target;
  bool isRead = !op.getMatchingBlockArgument(&operand).use_empty();
  if (!isRead)
    inits.emplace_back().coefficients.assign(sizes.size(), 0);
  else if (failed(addAccess(operand, getTensorAccess(operand.get()), inits)))
    return failure();
  if (failed(addAccess(operand, result, outputs))) return failure();
  // Iterations run in no order, so each element has one writer.
  SmallVector<utils::IteratorType> types = op.getIteratorTypesArray();
  for (auto [loop, size] : llvm::enumerate(sizes))
    if (size > 1 && types[loop] == utils::IteratorType::parallel &&
        outputs.back().coefficients[loop] == 0)
      return op.emitOpError()
             << "operand " << operand.getOperandNumber()
             << ": expected an output that depends on every loop";
  return success();
}

LogicalResult LinalgPlan::make() {
  if (failed(checkBody())) return failure();
  sizes = op.getStaticLoopRanges();
  for (auto [size, type] : llvm::zip_equal(sizes, op.getIteratorTypesArray()))
    (type == utils::IteratorType::parallel ? count : terms) *= size;
  if (failed(addInputs())) return failure();
  for (OpOperand& operand : op.getDpsInitsMutable())
    if (failed(addOutput(operand))) return failure();
  loops = mergeLoops(utils::IteratorType::parallel, &outputs.front());
  sums = mergeLoops(utils::IteratorType::reduction,
                    inputs.empty() ? nullptr : &inputs.front());
  return success();
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

LinalgEmitter::LinalgEmitter(const LinalgPlan& plan, ToTileContext& context,
                             StringRef name)
    : plan(plan),
      op(plan.op),
      context(context),
      loc(op.getLoc()),
      kernel(context, loc, name, kMapWarps),
      b(loc.getContext()) {}

void LinalgEmitter::beginForEach(Value count, int64_t lanes) {
  forEach = gsa_tile::ForEachOp::create(kernel.body(), loc, count, lanes);
  b.setInsertionPoint(forEach.getBody().front().getTerminator());
}

SmallVector<Value> LinalgEmitter::countersOf(ArrayRef<KernelLoop> loops,
                                             Value number) {
  SmallVector<Value> result(loops.size());
  Value rest = number;
  for (size_t i = loops.size(); i-- > 1;) {
    Value size = i64(loops[i].size);
    result[i] = arith::RemUIOp::create(b, loc, rest, size);
    rest = arith::DivUIOp::create(b, loc, rest, size);
  }
  if (!result.empty()) result[0] = rest;
  return result;
}

void LinalgEmitter::setElement(Value number) {
  element = number;
  counters = countersOf(plan.loops, number);
}

void LinalgEmitter::setTerm(Value number) {
  termCounters = countersOf(plan.sums, number);
}

/// The counter of a loop of the op that is not merged with others.
Value LinalgEmitter::counterOf(unsigned loop) {
  for (auto [kernelLoop, counter] : llvm::zip_equal(plan.loops, counters))
    if (kernelLoop.loop == loop) return counter;
  for (auto [kernelLoop, counter] : llvm::zip(plan.sums, termCounters))
    if (kernelLoop.loop == loop) return counter;
  return i64(0);  // A loop of one iteration.
}

Value LinalgEmitter::position(const LinearAccess& access) {
  // All loops in row-major order: the number of the element itself.
  int64_t expected = 1;
  bool isElement = !plan.loops.empty() && access.offset == 0;
  for (const KernelLoop& loop : llvm::reverse(plan.loops)) {
    isElement &= access.coefficients[loop.loop] == expected;
    expected *= loop.size;
  }
  for (const KernelLoop& loop : plan.sums)
    isElement &= access.coefficients[loop.loop] == 0;
  if (isElement) return element;
  Value sum;
  auto addLoops = [&](ArrayRef<KernelLoop> loops, ArrayRef<Value> numbers) {
    for (auto [loop, counter] : llvm::zip(loops, numbers)) {
      int64_t coefficient = access.coefficients[loop.loop];
      if (coefficient == 0) continue;
      Value term = counter;
      if (coefficient != 1)
        term = arith::MulIOp::create(b, loc, counter, i64(coefficient));
      sum = sum ? arith::AddIOp::create(b, loc, sum, term) : term;
    }
  };
  addLoops(plan.loops, counters);
  addLoops(plan.sums, termCounters);
  if (!sum) return i64(access.offset);
  if (access.offset == 0) return sum;
  return arith::AddIOp::create(b, loc, sum, i64(access.offset));
}

/// The argument for a tensor, one even if several operands are parts of it.
Value LinalgEmitter::readPointer(Value base) {
  Value& pointer = pointers[base];
  if (!pointer)
    pointer = kernel.read(context.toBuffer(base),
                          "in" + std::to_string(pointers.size() - 1));
  return pointer;
}

void LinalgEmitter::mapReads(ArrayRef<LinearAccess> accesses,
                             unsigned firstOperand, IRMapping& mapping) {
  for (auto [i, access] : llvm::enumerate(accesses)) {
    OpOperand& operand = op->getOpOperand(firstOperand + i);
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (argument.use_empty()) continue;
    Value value = operand.get();
    if (access.base)
      value =
          gsa_tile::LoadOp::create(b, loc, argument.getType(),
                                   readPointer(access.base), position(access));
    mapping.map(argument, value);
  }
}

/// What `extract` reads, in the kernel.
FailureOr<Value> LinalgEmitter::readTensor(tensor::ExtractOp extract) {
  auto type = cast<RankedTensorType>(extract.getTensor().getType());
  if (!type.hasStaticShape() || !isElementType(type.getElementType()))
    return op.emitOpError() << "reads a tensor in its body: expected a "
                               "static shape and elements of f16, bf16, "
                               "f32, f64, i8, i32 or i64, got "
                            << type;
  TensorAccess access = getTensorAccess(extract.getTensor());
  Value sum;
  for (auto [index, stride] :
       llvm::zip_equal(extract.getIndices(), access.strides)) {
    Value term = arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
    if (stride != 1) term = arith::MulIOp::create(b, loc, term, i64(stride));
    sum = sum ? arith::AddIOp::create(b, loc, sum, term) : term;
  }
  if (!sum)
    sum = i64(access.offset);
  else if (access.offset != 0)
    sum = arith::AddIOp::create(b, loc, sum, i64(access.offset));
  return Value(gsa_tile::LoadOp::create(b, loc, type.getElementType(),
                                        readPointer(access.base), sum));
}

/// Turns reads of other tensors and loop numbers in the cloned body into
/// kernel ops.
LogicalResult LinalgEmitter::replaceReads() {
  SmallVector<Operation*> work;
  kernel.kernel().walk([&](Operation* inner) {
    if (isa<tensor::ExtractOp, linalg::IndexOp>(inner)) work.push_back(inner);
  });
  for (Operation* inner : work) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(inner);
    FailureOr<Value> replacement = failure();
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      replacement = Value(arith::IndexCastOp::create(
          b, loc, b.getIndexType(),
          counterOf(static_cast<unsigned>(index.getDim()))));
    else
      replacement = readTensor(cast<tensor::ExtractOp>(inner));
    if (failed(replacement)) return failure();
    inner->getResult(0).replaceAllUsesWith(*replacement);
    inner->erase();
  }
  return success();
}

/// The value inside the kernel that stands for a scalar outside of it.
FailureOr<Value> LinalgEmitter::capture(Value outside) {
  if (Value inside = captured.lookup(outside)) return inside;
  Operation* definition = outside.getDefiningOp();
  Type type = outside.getType();
  Value inside;
  // A scalar of a tensor is in device memory: each lane reads it.
  if (definition && (definition->hasTrait<OpTrait::ConstantLike>() ||
                     isa<tensor::ExtractOp>(definition))) {
    OpBuilder front(forEach);
    Operation* clone = definition->clone();
    for (OpOperand& operand : clone->getOpOperands()) {
      if (isa<RankedTensorType>(operand.get().getType())) continue;
      FailureOr<Value> index = capture(operand.get());
      if (failed(index)) {
        clone->destroy();
        return failure();
      }
      operand.set(*index);
    }
    inside = front.insert(clone)->getResult(0);
  } else if (type.isIndex() || type.isInteger(32) || type.isInteger(64) ||
             type.isF32() || type.isF64()) {
    inside = kernel.scalar(outside, "s" + std::to_string(captured.size()));
  } else {
    return op.emitOpError() << "uses a scalar from outside: expected index, "
                               "i32, i64, f32 or f64, got "
                            << type;
  }
  captured[outside] = inside;
  return inside;
}

LogicalResult LinalgEmitter::replaceCaptures() {
  Region& region = kernel.kernel().getBody();
  WalkResult walk = forEach.getBody().walk([&](Operation* inner) {
    for (OpOperand& operand : inner->getOpOperands()) {
      if (region.isAncestor(operand.get().getParentRegion()) ||
          isa<RankedTensorType>(operand.get().getType()))
        continue;
      FailureOr<Value> inside = capture(operand.get());
      if (failed(inside)) return WalkResult::interrupt();
      operand.set(*inside);
    }
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

LogicalResult LinalgEmitter::finishBody() {
  return success(succeeded(replaceCaptures()) && succeeded(replaceReads()));
}

}  // namespace mlir::gsa::tile
