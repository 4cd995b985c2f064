//===- Elementwise.cpp - kernels without a reduction ----------------------===//

#include "passes/gsa_to_tile/Elementwise.h"

#include "llvm/ADT/ScopeExit.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/gsa_to_tile/TensorAccess.h"

using namespace mlir;
using namespace mlir::gsa;

namespace mlir::gsa::tile {

int64_t getMapBlocks(const CudaTarget& target, int64_t count) {
  int64_t needed = llvm::divideCeil(count, kMapWarps * 32);
  return std::min<int64_t>(needed,
                           2 * target.sms * target.warpsPerSm / kMapWarps);
}

void launchForEach(
    ToTileContext& context, StringRef name, int64_t count,
    llvm::function_ref<void(KernelBuilder&)> arguments,
    llvm::function_ref<void(gsa::detail::ScalarBuilder&, Value)> body) {
  KernelBuilder kernel(context, context.loc(), name, kMapWarps);
  OpBuilder& b = kernel.body();
  arguments(kernel);
  Value total = kernel.number(b.getI64IntegerAttr(count), "count");
  auto loop = gsa_tile::ForEachOp::create(b, context.loc(), total);
  b.setInsertionPoint(loop.getBody().front().getTerminator());
  gsa::detail::ScalarBuilder s(b, context.loc());
  body(s, loop.getInductionVar());
  kernel.launch(ArrayRef<int64_t>(getMapBlocks(context.target(), count)));
}

bool isElementwise(linalg::LinalgOp op) {
  return op.getNumParallelLoops() == op.getNumLoops();
}

namespace {

/// `offset + sum coefficients[loop] * counter[loop]` elements from `base`,
/// which is null for a scalar operand.
struct LinearAccess {
  Value base;
  int64_t offset = 0;
  SmallVector<int64_t> coefficients;
};

/// A loop of the kernel: one or several neighbouring loops of the op.
struct KernelLoop {
  int64_t size;
  /// Its innermost loop of the op, whose coefficients hold for it.
  unsigned loop;
};

/// What an op reads and writes, and the loops that do it.
struct ElementwisePlan {
  linalg::LinalgOp op;
  SmallVector<int64_t> sizes;
  int64_t count = 1;
  SmallVector<LinearAccess> inputs, outputs;
  /// The outputs' former contents, which a body may read.
  SmallVector<LinearAccess> inits;
  SmallVector<KernelLoop> loops;  ///< Outermost first.
  /// Where outputs go, new buffers if empty; and the part of the first that
  /// the output is, null for all.
  SmallVector<Value> buffers;
  const TensorAccess* target = nullptr;

  LogicalResult make();

 private:
  LogicalResult checkBody();
  LogicalResult addAccess(OpOperand& operand, const TensorAccess& tensor,
                          SmallVector<LinearAccess>& accesses);
  LogicalResult addExpr(AffineExpr expr, int64_t factor, LinearAccess& access);
  bool mayMerge(const KernelLoop& outer, const KernelLoop& inner);
  void chooseLoops();
};

}  // namespace

//===----------------------------------------------------------------------===//
// What the op reads and writes
//===----------------------------------------------------------------------===//

static bool isElementType(Type type) {
  return type.isF16() || type.isBF16() || type.isF32() || type.isF64() ||
         type.isInteger(8) || type.isInteger(32) || type.isInteger(64);
}

LogicalResult ElementwisePlan::checkBody() {
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

LogicalResult ElementwisePlan::addExpr(AffineExpr expr, int64_t factor,
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

LogicalResult ElementwisePlan::addAccess(OpOperand& operand,
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
bool ElementwisePlan::mayMerge(const KernelLoop& outer,
                               const KernelLoop& inner) {
  // A scalar or a tensor that is not read has zeros only, so it agrees.
  auto isUniform = [&](const LinearAccess& access) {
    return access.coefficients[outer.loop] ==
           access.coefficients[inner.loop] * inner.size;
  };
  return llvm::all_of(inputs, isUniform) && llvm::all_of(inits, isUniform) &&
         llvm::all_of(outputs, isUniform);
}

void ElementwisePlan::chooseLoops() {
  SmallVector<KernelLoop> single;
  for (auto [loop, size] : llvm::enumerate(sizes))
    if (size != 1) single.push_back({size, static_cast<unsigned>(loop)});
  // Neighbouring lanes write neighbouring elements of the first output.
  ArrayRef<int64_t> order = outputs.front().coefficients;
  llvm::sort(single, [&](const KernelLoop& a, const KernelLoop& b) {
    return order[a.loop] > order[b.loop];
  });
  llvm::SmallDenseSet<unsigned> indexed;
  op.getBlock()->walk([&](linalg::IndexOp index) {
    indexed.insert(static_cast<unsigned>(index.getDim()));
  });
  for (KernelLoop& loop : single) {
    bool isAlone = loops.empty() || indexed.contains(loop.loop) ||
                   indexed.contains(loops.back().loop);
    if (isAlone || !mayMerge(loops.back(), loop))
      loops.push_back(loop);
    else
      loops.back() = {loops.back().size * loop.size, loop.loop};
  }
}

LogicalResult ElementwisePlan::make() {
  if (failed(checkBody())) return failure();
  sizes = op.getStaticLoopRanges();
  for (int64_t size : sizes) count *= size;
  for (OpOperand* operand : op.getDpsInputOperands()) {
    if (op.isScalar(operand))
      inputs.emplace_back().coefficients.assign(sizes.size(), 0);
    else if (failed(
                 addAccess(*operand, getTensorAccess(operand->get()), inputs)))
      return failure();
  }
  for (OpOperand& operand : op.getDpsInitsMutable()) {
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
    for (auto [loop, size] : llvm::enumerate(sizes))
      if (size > 1 && outputs.back().coefficients[loop] == 0)
        return op.emitOpError()
               << "operand " << operand.getOperandNumber()
               << ": expected an output that depends on every loop";
  }
  chooseLoops();
  return success();
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

namespace {

class ElementwiseEmitter {
 public:
  ElementwiseEmitter(const ElementwisePlan& plan, ToTileContext& context)
      : plan(plan),
        op(plan.op),
        context(context),
        loc(op.getLoc()),
        kernel(context, loc, getKernelName(), kMapWarps),
        b(loc.getContext()) {}

  /// Builds and launches the kernel; gives the buffers of the results.
  LogicalResult emit(SmallVector<Value>& results);

 private:
  StringRef getKernelName();
  void buildCounters(Value element);
  Value counterOf(unsigned loop);
  Value position(const LinearAccess& access);
  Value readPointer(Value base);
  Value load(const LinearAccess& access, Type type);
  FailureOr<Value> capture(Value outside);
  LogicalResult replaceReads();
  LogicalResult replaceCaptures();

  Value i64(int64_t value) {
    return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
  }

  const ElementwisePlan& plan;
  linalg::LinalgOp op;
  ToTileContext& context;
  Location loc;
  KernelBuilder kernel;
  gsa_tile::ForEachOp forEach;
  OpBuilder b;  ///< Inserts at the end of the body of `forEach`.
  SmallVector<Value> counters;
  llvm::DenseMap<Value, Value> pointers, captured;
};

}  // namespace

StringRef ElementwiseEmitter::getKernelName() {
  return isa<linalg::FillOp>(op)        ? "fill"
         : isa<linalg::CopyOp>(op)      ? "copy"
         : isa<linalg::TransposeOp>(op) ? "transpose"
         : isa<linalg::BroadcastOp>(op) ? "broadcast"
                                        : "map";
}

/// Sets one counter per kernel loop from the number of the element.
void ElementwiseEmitter::buildCounters(Value element) {
  counters.assign(plan.loops.size(), Value());
  Value rest = element;
  for (size_t i = plan.loops.size(); i-- > 1;) {
    Value size = i64(plan.loops[i].size);
    counters[i] = arith::RemUIOp::create(b, loc, rest, size);
    rest = arith::DivUIOp::create(b, loc, rest, size);
  }
  if (!counters.empty()) counters[0] = rest;
}

/// The counter of a loop of the op that is not merged with others.
Value ElementwiseEmitter::counterOf(unsigned loop) {
  for (auto [kernelLoop, counter] : llvm::zip_equal(plan.loops, counters))
    if (kernelLoop.loop == loop) return counter;
  return i64(0);  // A loop of one iteration.
}

Value ElementwiseEmitter::position(const LinearAccess& access) {
  // All loops in row-major order: the number of the element itself.
  int64_t expected = 1;
  bool isElement = !plan.loops.empty() && access.offset == 0;
  for (const KernelLoop& loop : llvm::reverse(plan.loops)) {
    isElement &= access.coefficients[loop.loop] == expected;
    expected *= loop.size;
  }
  if (isElement) return forEach.getInductionVar();
  Value sum;
  for (auto [loop, counter] : llvm::zip_equal(plan.loops, counters)) {
    int64_t coefficient = access.coefficients[loop.loop];
    if (coefficient == 0) continue;
    Value term = counter;
    if (coefficient != 1)
      term = arith::MulIOp::create(b, loc, counter, i64(coefficient));
    sum = sum ? arith::AddIOp::create(b, loc, sum, term) : term;
  }
  if (!sum) return i64(access.offset);
  if (access.offset == 0) return sum;
  return arith::AddIOp::create(b, loc, sum, i64(access.offset));
}

/// The argument for a tensor, one even if several operands are parts of it.
Value ElementwiseEmitter::readPointer(Value base) {
  Value& pointer = pointers[base];
  if (!pointer)
    pointer = kernel.read(context.toBuffer(base),
                          "in" + std::to_string(pointers.size() - 1));
  return pointer;
}

Value ElementwiseEmitter::load(const LinearAccess& access, Type type) {
  return gsa_tile::LoadOp::create(b, loc, type, readPointer(access.base),
                                  position(access));
}

/// Turns reads of other tensors and loop numbers in the cloned body into
/// kernel ops.
LogicalResult ElementwiseEmitter::replaceReads() {
  SmallVector<Operation*> work;
  kernel.kernel().walk([&](Operation* inner) {
    if (isa<tensor::ExtractOp, linalg::IndexOp>(inner)) work.push_back(inner);
  });
  for (Operation* inner : work) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(inner);
    Value replacement;
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      replacement = arith::IndexCastOp::create(
          b, loc, b.getIndexType(),
          counterOf(static_cast<unsigned>(index.getDim())));
    } else {
      auto extract = cast<tensor::ExtractOp>(inner);
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
        if (stride != 1)
          term = arith::MulIOp::create(b, loc, term, i64(stride));
        sum = sum ? arith::AddIOp::create(b, loc, sum, term) : term;
      }
      if (!sum)
        sum = i64(access.offset);
      else if (access.offset != 0)
        sum = arith::AddIOp::create(b, loc, sum, i64(access.offset));
      replacement = gsa_tile::LoadOp::create(b, loc, type.getElementType(),
                                             readPointer(access.base), sum);
    }
    inner->getResult(0).replaceAllUsesWith(replacement);
    inner->erase();
  }
  return success();
}

/// The value inside the kernel that stands for a scalar outside of it.
FailureOr<Value> ElementwiseEmitter::capture(Value outside) {
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

LogicalResult ElementwiseEmitter::replaceCaptures() {
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

LogicalResult ElementwiseEmitter::emit(SmallVector<Value>& results) {
  Value count = kernel.number(b.getI64IntegerAttr(plan.count), "count");
  forEach = gsa_tile::ForEachOp::create(kernel.body(), loc, count);
  b.setInsertionPoint(forEach.getBody().front().getTerminator());
  buildCounters(forEach.getInductionVar());

  IRMapping mapping;
  auto mapReads = [&](ArrayRef<LinearAccess> accesses, unsigned first) {
    for (auto [i, access] : llvm::enumerate(accesses)) {
      OpOperand& operand = op->getOpOperand(first + i);
      BlockArgument argument = op.getMatchingBlockArgument(&operand);
      if (argument.use_empty()) continue;
      mapping.map(argument, access.base ? load(access, argument.getType())
                                        : operand.get());
    }
  };
  mapReads(plan.inputs, 0);
  mapReads(plan.inits, plan.inputs.size());
  for (Operation& inner : op.getBlock()->without_terminator())
    b.clone(inner, mapping);

  Operation* yield = op.getBlock()->getTerminator();
  for (auto [i, value] : llvm::enumerate(yield->getOperands())) {
    auto type = cast<RankedTensorType>(op->getResult(i).getType());
    results.push_back(plan.buffers.empty() ? context.makeBuffer(type)
                                           : plan.buffers[i]);
    Value out = kernel.write(results.back(), "out" + std::to_string(i));
    gsa_tile::StoreOp::create(b, loc, out, position(plan.outputs[i]),
                              mapping.lookupOrDefault(value));
  }
  if (failed(replaceCaptures()) || failed(replaceReads())) return failure();
  int64_t blocks = getMapBlocks(context.target(), plan.count);
  kernel.launch(ArrayRef<int64_t>(blocks));
  return success();
}

LogicalResult lowerElementwise(linalg::LinalgOp op, ToTileContext& context) {
  if (!op.hasPureTensorSemantics())
    return op.emitOpError() << "expected operands on tensors";
  ElementwisePlan plan;
  plan.op = op;
  if (failed(plan.make())) return failure();
  SmallVector<Value> results;
  if (plan.count == 0) {
    for (Type type : op->getResultTypes())
      results.push_back(context.makeBuffer(cast<RankedTensorType>(type)));
  } else if (failed(ElementwiseEmitter(plan, context).emit(results))) {
    return failure();
  }
  context.replace(op, results);
  return success();
}

/// Copies `source` to the elements of `buffer` that `target` (whose base is not
/// looked at) describes.
static LogicalResult copyElements(Value source, const TensorAccess& target,
                                  Value buffer, ToTileContext& context) {
  IRRewriter& rewriter = context.rewriter();
  auto type = cast<RankedTensorType>(source.getType());
  auto empty = tensor::EmptyOp::create(rewriter, context.loc(), type.getShape(),
                                       type.getElementType());
  auto copy = linalg::CopyOp::create(rewriter, context.loc(), source,
                                     empty.getResult());
  llvm::scope_exit cleanUp = llvm::scope_exit([&] {
    rewriter.eraseOp(copy);
    rewriter.eraseOp(empty);
  });
  ElementwisePlan plan;
  plan.op = copy;
  plan.target = &target;
  plan.buffers = {buffer};
  SmallVector<Value> results;
  if (failed(plan.make())) return failure();
  if (plan.count == 0) return success();
  return ElementwiseEmitter(plan, context).emit(results);
}

Value takeBuffer(Value tensor, ToTileContext& context) {
  auto type = cast<RankedTensorType>(tensor.getType());
  auto toTensor = tensor.getDefiningOp<bufferization::ToTensorOp>();
  if (toTensor && tensor.hasOneUse() &&
      toTensor.getBuffer().getDefiningOp<memref::AllocOp>())
    return toTensor.getBuffer();
  Value buffer = context.makeBuffer(type);
  if (!tensor.getDefiningOp<tensor::EmptyOp>())
    memref::CopyOp::create(context.rewriter(), context.loc(),
                           context.toBuffer(tensor), buffer);
  return buffer;
}

bool hasGaps(Value tensor) {
  if (!tensor.getDefiningOp<tensor::ExtractSliceOp>()) return false;
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.hasStaticShape()) return false;
  TensorAccess access = getTensorAccess(tensor);
  SmallVector<int64_t> dense = getDenseStrides(type.getShape());
  for (auto [size, stride, expected] :
       llvm::zip_equal(type.getShape(), access.strides, dense))
    if (size != 1 && stride != expected) return true;
  return false;
}

FailureOr<Value> copyToDense(Value tensor, ToTileContext& context) {
  auto type = cast<RankedTensorType>(tensor.getType());
  Value buffer = context.makeBuffer(type);
  TensorAccess target{Value(), 0, getDenseStrides(type.getShape())};
  if (failed(copyElements(tensor, target, buffer, context))) return failure();
  return buffer;
}

LogicalResult lowerSlices(ModuleOp module, ToTileContext& context) {
  SmallVector<tensor::ExtractSliceOp> slices;
  module.walk([&](tensor::ExtractSliceOp slice) { slices.push_back(slice); });
  IRRewriter& rewriter = context.rewriter();
  for (tensor::ExtractSliceOp slice : llvm::reverse(slices)) {
    if (slice->use_empty()) {
      rewriter.eraseOp(slice);
      continue;
    }
    if (!hasGaps(slice.getResult())) continue;
    context.begin(slice);
    FailureOr<Value> buffer = copyToDense(slice.getResult(), context);
    if (failed(buffer)) return failure();
    context.replace(slice, {*buffer});
  }
  return success();
}

LogicalResult lowerInsertSlice(tensor::InsertSliceOp op,
                               ToTileContext& context) {
  auto isDynamic = ShapedType::isDynamic;
  if (llvm::any_of(op.getStaticOffsets(), isDynamic) ||
      llvm::any_of(op.getStaticStrides(), isDynamic))
    return op.emitOpError() << "expected static offsets and strides";
  TensorAccess target;
  SmallVector<int64_t> dense = getDenseStrides(op.getDestType().getShape());
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (auto [d, stride] : llvm::enumerate(dense)) {
    target.offset += op.getStaticOffsets()[d] * stride;
    if (!dropped[d])
      target.strides.push_back(op.getStaticStrides()[d] * stride);
  }
  Value buffer = takeBuffer(op.getDest(), context);
  if (failed(copyElements(op.getSource(), target, buffer, context)))
    return failure();
  context.replace(op, {buffer});
  return success();
}

}  // namespace mlir::gsa::tile
