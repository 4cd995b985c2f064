//===- Elementwise.cpp - kernels without a reduction ----------------------===//

#include "passes/gsa_to_tile/Elementwise.h"

#include "llvm/ADT/ScopeExit.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/gsa_to_tile/LinalgKernel.h"

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

class ElementwiseEmitter : public LinalgEmitter {
 public:
  ElementwiseEmitter(const LinalgPlan& plan, ToTileContext& context)
      : LinalgEmitter(plan, context, getKernelName(plan.op)) {}

  /// Builds and launches the kernel; gives the buffers of the results.
  LogicalResult emit(SmallVector<Value>& results);

 private:
  static StringRef getKernelName(linalg::LinalgOp op);
};

}  // namespace

StringRef ElementwiseEmitter::getKernelName(linalg::LinalgOp op) {
  return isa<linalg::FillOp>(op)        ? "fill"
         : isa<linalg::CopyOp>(op)      ? "copy"
         : isa<linalg::TransposeOp>(op) ? "transpose"
         : isa<linalg::BroadcastOp>(op) ? "broadcast"
                                        : "map";
}

LogicalResult ElementwiseEmitter::emit(SmallVector<Value>& results) {
  beginForEach(kernel.number(b.getI64IntegerAttr(plan.count), "count"));
  setElement(forEach.getInductionVar());

  IRMapping mapping;
  mapReads(plan.inputs, 0, mapping);
  mapReads(plan.inits, plan.inputs.size(), mapping);
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
  if (failed(finishBody())) return failure();
  int64_t blocks = getMapBlocks(context.target(), plan.count);
  kernel.launch(ArrayRef<int64_t>(blocks));
  return success();
}

FailureOr<SmallVector<Value>> emitElementwise(linalg::LinalgOp op,
                                              ToTileContext& context) {
  LinalgPlan plan;
  plan.op = op;
  if (failed(plan.make())) return failure();
  SmallVector<Value> results;
  if (plan.count == 0) {
    for (Type type : op->getResultTypes())
      results.push_back(context.makeBuffer(cast<RankedTensorType>(type)));
  } else if (failed(ElementwiseEmitter(plan, context).emit(results))) {
    return failure();
  }
  return results;
}

LogicalResult lowerElementwise(linalg::LinalgOp op, ToTileContext& context) {
  if (!op.hasPureTensorSemantics())
    return op.emitOpError() << "expected operands on tensors";
  FailureOr<SmallVector<Value>> results = emitElementwise(op, context);
  if (failed(results)) return failure();
  context.replace(op, *results);
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
  LinalgPlan plan;
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
