//===- VectorizeElementwise.cpp - elementwise linalg ops on vectors -------===//
//
// gsa-cpu-vectorize-elementwise. One scf.parallel over the outer loops (and
// over chunks of a long innermost loop), in it a loop over whole vectors, and
// a scalar loop for the elements that do not fill one. The body is repeated
// op by op on vectors; upstream's vectoriser would first need the op tiled and
// peeled into pieces of static shape.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "llvm/Support/MathExtras.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "passes/Sizes.h"
#include "passes/cpu/CpuPasses.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSACPUVECTORIZEELEMENTWISE
#include "passes/cpu/CpuPasses.h.inc"

namespace {

/// Vectors per chunk of the innermost loop: enough to hide the loop's cost,
/// few enough to have chunks to distribute.
constexpr int64_t kChunkVectors = 64;

bool hasUnitStride(Value buffer) {
  int64_t offset;
  SmallVector<int64_t> strides;
  return succeeded(cast<MemRefType>(buffer.getType())
                       .getStridesAndOffset(strides, offset)) &&
         !strides.empty() && strides.back() == 1;
}

bool isScalar(Type type) {
  return type.isIntOrIndexOrFloat() && !isa<Float8E8M0FNUType>(type);
}

/// Why `op` cannot be vectorised, or null when it can.
const char* obstacle(linalg::LinalgOp op) {
  if (!op.hasPureBufferSemantics()) return "its operands are no buffers";
  if (op.getNumLoops() == 0) return "it has no loops";
  for (OpOperand& operand : op->getOpOperands())
    if (!op.getMatchingIndexingMap(&operand).isProjectedPermutation())
      return "an operand is not indexed by plain loops";
  unsigned innermost = op.getNumLoops();
  for (OpOperand& init : op.getDpsInitsMutable()) {
    AffineMap map = op.getMatchingIndexingMap(&init);
    if (map.getNumResults() != op.getNumLoops())
      return "a result is not indexed by every loop";
    unsigned last = cast<AffineDimExpr>(map.getResults().back()).getPosition();
    if (innermost != op.getNumLoops() && last != innermost)
      return "its results have different innermost loops";
    innermost = last;
    if (!hasUnitStride(init.get())) return "a result is not contiguous";
  }
  for (Operation& nested : op.getBlock()->without_terminator()) {
    if (isa<linalg::IndexOp>(nested) ||
        nested.hasTrait<OpTrait::ConstantLike>())
      continue;
    if (!OpTrait::hasElementwiseMappableTraits(&nested) ||
        nested.getNumResults() != 1)
      return "its body is not elementwise";
  }
  for (Operation& nested : *op.getBlock())
    for (Value operand : nested.getOperands())
      if (!isScalar(operand.getType())) return "its body is not scalar";
  return nullptr;
}

/// Bits of the widest float or integer that the body computes with.
int64_t widestElement(linalg::LinalgOp op) {
  int64_t widest = 8;
  auto visit = [&](Type type) {
    if (type.isIntOrFloat())
      widest = std::max<int64_t>(widest, type.getIntOrFloatBitWidth());
    else
      widest = 64;  // index
  };
  for (BlockArgument argument : op.getBlock()->getArguments())
    visit(argument.getType());
  for (Operation& nested : *op.getBlock())
    for (Type type : nested.getResultTypes()) visit(type);
  return widest;
}

class Emitter {
 public:
  Emitter(OpBuilder& builder, linalg::LinalgOp op, int64_t lanes)
      : b(builder),
        loc(op.getLoc()),
        op(op),
        lanes(lanes),
        indices(op.getNumLoops()) {
    AffineMap map = op.getMatchingIndexingMap(&op.getDpsInitsMutable()[0]);
    inner = cast<AffineDimExpr>(map.getResults().back()).getPosition();
    // Every loop indexes the first result.
    SmallVector<int64_t> ranges = op.getStaticLoopRanges();
    Value result = op.getDpsInits().front();
    for (auto [loop, range] : llvm::enumerate(ranges)) {
      if (!ShapedType::isDynamic(range)) {
        sizes.push_back(range);
        continue;
      }
      unsigned dim = *map.getResultPosition(b.getAffineDimExpr(loop));
      // The bound serves no choice here.
      sizes.push_back(Size(std::numeric_limits<int64_t>::max(),
                           memref::DimOp::create(b, loc, result, dim)));
    }
  }

  void emit();

 private:
  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  void forLoop(Value begin, Value end, int64_t step,
               llvm::function_ref<void(Value)> body);
  Value valueOf(const Size& size) {
    return size.isStatic() ? constant(size.bound) : size.actual;
  }
  void parallelLoops(const Size& chunks, llvm::function_ref<void(Value)> body);
  void emitVectors(Value begin, Value end);
  void emitScalars(Value begin);
  void emitDynamic();
  void emitBody(int64_t width);
  Value widen(Value value, int64_t width);
  Value loadOperand(OpOperand& operand, int64_t width);
  SmallVector<Value> position(AffineMap map);

  OpBuilder& b;
  Location loc;
  linalg::LinalgOp op;
  int64_t lanes;
  SmallVector<Size> sizes;
  unsigned inner = 0;
  SmallVector<Value> indices;
};

void Emitter::forLoop(Value begin, Value end, int64_t step,
                      llvm::function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(b, loc, begin, end, constant(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

/// Loops over everything but the innermost loop, and over `chunks` of it when
/// there are several; `body` gets the chunk.
void Emitter::parallelLoops(const Size& chunks,
                            llvm::function_ref<void(Value)> body) {
  SmallVector<Value> upper;
  for (unsigned loop = 0; loop < sizes.size(); ++loop)
    if (loop != inner) upper.push_back(valueOf(sizes[loop]));
  bool chunked = !chunks.isStatic() || chunks.bound > 1;
  if (chunked) upper.push_back(valueOf(chunks));
  if (upper.empty()) return body(constant(0));
  SmallVector<Value> lower(upper.size(), constant(0));
  SmallVector<Value> step(upper.size(), constant(1));
  auto loops = scf::ParallelOp::create(b, loc, lower, upper, step);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loops.getBody());
  SmallVector<Value> ivs(loops.getInductionVars());
  unsigned next = 0;
  for (unsigned loop = 0; loop < sizes.size(); ++loop)
    if (loop != inner) indices[loop] = ivs[next++];
  body(chunked ? ivs[next] : constant(0));
}

/// The innermost loop has a dynamic size: as below, with numbers that are not
/// known. A last chunk of its own has the elements that fill no vector.
void Emitter::emitDynamic() {
  Value size = sizes[inner].actual;
  Value length = constant(kChunkVectors * lanes);
  Value rest = arith::RemUIOp::create(b, loc, size, constant(lanes));
  Value whole = arith::SubIOp::create(b, loc, size, rest);
  Value chunks = arith::CeilDivUIOp::create(b, loc, size, length);
  parallelLoops(Size(std::numeric_limits<int64_t>::max(), chunks),
                [&](Value chunk) {
                  Value begin = arith::MulIOp::create(b, loc, chunk, length);
                  Value end = arith::AddIOp::create(b, loc, begin, length);
                  Value last = arith::MinUIOp::create(b, loc, end, whole);
                  emitVectors(begin, last);
                  Value behind = arith::MinUIOp::create(b, loc, end, size);
                  forLoop(arith::MaxUIOp::create(b, loc, begin, last), behind,
                          1, [&](Value index) {
                            indices[inner] = index;
                            emitBody(0);
                          });
                });
}

void Emitter::emit() {
  if (!sizes[inner].isStatic()) return emitDynamic();
  int64_t vectors = sizes[inner].bound / lanes;
  int64_t whole = vectors * lanes;
  int64_t chunks = llvm::divideCeil(vectors, kChunkVectors);
  if (chunks <= 1) {
    parallelLoops(1, [&](Value) {
      emitVectors(constant(0), constant(whole));
      if (whole < sizes[inner].bound) emitScalars(constant(whole));
    });
    return;
  }
  parallelLoops(chunks, [&](Value chunk) {
    Value length = constant(kChunkVectors * lanes);
    Value begin = arith::MulIOp::create(b, loc, chunk, length);
    Value end = arith::AddIOp::create(b, loc, begin, length);
    emitVectors(begin, arith::MinUIOp::create(b, loc, end, constant(whole)));
  });
  if (whole < sizes[inner].bound)
    parallelLoops(1, [&](Value) { emitScalars(constant(whole)); });
}

void Emitter::emitVectors(Value begin, Value end) {
  forLoop(begin, end, lanes, [&](Value index) {
    indices[inner] = index;
    emitBody(lanes);
  });
}

void Emitter::emitScalars(Value begin) {
  forLoop(begin, valueOf(sizes[inner]), 1, [&](Value index) {
    indices[inner] = index;
    emitBody(0);
  });
}

SmallVector<Value> Emitter::position(AffineMap map) {
  return llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) {
    return indices[cast<AffineDimExpr>(expr).getPosition()];
  });
}

/// `value` on every lane; width 0 means scalars.
Value Emitter::widen(Value value, int64_t width) {
  if (width == 0 || isa<VectorType>(value.getType())) return value;
  return vector::BroadcastOp::create(
      b, loc, VectorType::get({width}, value.getType()), value);
}

Value Emitter::loadOperand(OpOperand& operand, int64_t width) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  Value buffer = operand.get();
  if (!isa<MemRefType>(buffer.getType())) return widen(buffer, width);
  if (width == 0 || !map.isFunctionOfDim(inner)) {
    Value scalar = memref::LoadOp::create(b, loc, buffer, position(map));
    return widen(scalar, width);
  }
  auto type = VectorType::get(
      {width}, cast<MemRefType>(buffer.getType()).getElementType());
  bool contiguous =
      cast<AffineDimExpr>(map.getResults().back()).getPosition() == inner &&
      hasUnitStride(buffer);
  if (contiguous)
    return vector::LoadOp::create(b, loc, type, buffer, position(map));
  // Strided or transposed: element by element.
  SmallVector<Value> elements;
  Value base = indices[inner];
  for (int64_t i = 0; i < width; ++i) {
    indices[inner] = arith::AddIOp::create(b, loc, base, constant(i));
    elements.push_back(memref::LoadOp::create(b, loc, buffer, position(map)));
  }
  indices[inner] = base;
  return vector::FromElementsOp::create(b, loc, type, elements);
}

void Emitter::emitBody(int64_t width) {
  Block* body = op.getBlock();
  IRMapping mapping;
  for (OpOperand& operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (!argument.use_empty())
      mapping.map(argument, loadOperand(operand, width));
  }
  auto lookup = [&](Value value) {
    return widen(mapping.lookupOrDefault(value), width);
  };
  for (Operation& nested : body->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(nested)) {
      Value value = widen(indices[index.getDim()], width);
      if (index.getDim() == inner && width > 0) {
        Value step = vector::StepOp::create(
            b, loc, VectorType::get({width}, b.getIndexType()));
        value = arith::AddIOp::create(b, loc, value, step);
      }
      mapping.map(index.getResult(), value);
      continue;
    }
    if (width == 0 || nested.hasTrait<OpTrait::ConstantLike>()) {
      b.clone(nested, mapping);
      continue;
    }
    OperationState state(nested.getLoc(), nested.getName());
    for (Value operand : nested.getOperands())
      state.addOperands(lookup(operand));
    state.addTypes(VectorType::get({width}, nested.getResult(0).getType()));
    state.addAttributes(nested.getDiscardableAttrDictionary().getValue());
    state.propertiesAttr = nested.getPropertiesAsAttribute();
    mapping.map(nested.getResult(0), b.create(state)->getResult(0));
  }
  for (auto [init, yielded] : llvm::zip(op.getDpsInitsMutable(),
                                        body->getTerminator()->getOperands())) {
    SmallVector<Value> where = position(op.getMatchingIndexingMap(&init));
    Value value = lookup(yielded);
    if (width == 0)
      memref::StoreOp::create(b, loc, value, init.get(), where);
    else
      vector::StoreOp::create(b, loc, value, init.get(), where);
  }
}

remark::RemarkOpts remarkOpts(StringRef name) {
  return remark::RemarkOpts::name(name).category("gsa.cpu");
}

struct VectorizeElementwise
    : impl::GsaCpuVectorizeElementwiseBase<VectorizeElementwise> {
  using GsaCpuVectorizeElementwiseBase::GsaCpuVectorizeElementwiseBase;

  void runOnOperation() override {
    if (vectorBits < 128 || !llvm::isPowerOf2_64(vectorBits)) {
      getOperation().emitError(
          "expected vector-bits a power of two >= 128, got ")
          << vectorBits.getValue();
      return signalPassFailure();
    }
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (op.getNumParallelLoops() == op.getNumLoops()) ops.push_back(op);
    });
    for (linalg::LinalgOp op : ops) vectorize(op);
  }

  void vectorize(linalg::LinalgOp op) {
    if (const char* reason = obstacle(op)) {
      remark::missed(op.getLoc(), remarkOpts("NotVectorized"))
          << (llvm::Twine("not vectorised: ") + reason).str();
      return;
    }
    op = collapse(op);
    AffineMap map = op.getMatchingIndexingMap(&op.getDpsInitsMutable()[0]);
    int64_t size =
        op.getStaticLoopRanges()[cast<AffineDimExpr>(map.getResults().back())
                                     .getPosition()];
    int64_t lanes = vectorBits / widestElement(op);
    while (!ShapedType::isDynamic(size) && lanes > size && lanes > 1)
      lanes /= 2;
    remark::passed(op.getLoc(), remarkOpts("Vectorized"))
        << "vectorised" << remark::metric("lanes", lanes)
        << remark::metric("size", ShapedType::isDynamic(size) ? 0 : size);
    OpBuilder builder(op);
    Emitter(builder, op, lanes).emit();
    op->erase();
  }

  /// Flattens an op whose operands are all accessed like one array: a short
  /// last dimension would leave most lanes empty.
  linalg::LinalgOp collapse(linalg::LinalgOp op);
};

linalg::LinalgOp VectorizeElementwise::collapse(linalg::LinalgOp op) {
  unsigned rank = op.getNumLoops();
  bool usesIndex = llvm::any_of(
      op.getBlock()->without_terminator(),
      [](Operation& nested) { return isa<linalg::IndexOp>(nested); });
  if (rank < 2 || usesIndex) return op;
  for (OpOperand& operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type) continue;  // a scalar operand of linalg.fill
    if (!op.getMatchingIndexingMap(&operand).isIdentity() ||
        !type.getLayout().isIdentity())
      return op;
  }
  OpBuilder b(op);
  Location loc = op.getLoc();
  ReassociationIndices all = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  auto flat = [&](Value value) -> Value {
    if (!isa<MemRefType>(value.getType())) return value;
    return memref::CollapseShapeOp::create(b, loc, value,
                                           ArrayRef<ReassociationIndices>{all});
  };
  SmallVector<Value> inputs, inits;
  SmallVector<AffineMap> maps;
  for (OpOperand* operand : op.getDpsInputOperands()) {
    inputs.push_back(flat(operand->get()));
    maps.push_back(isa<MemRefType>(operand->get().getType())
                       ? b.getMultiDimIdentityMap(1)
                       : AffineMap::get(1, 0, b.getContext()));
  }
  for (Value init : op.getDpsInits()) {
    inits.push_back(flat(init));
    maps.push_back(b.getMultiDimIdentityMap(1));
  }
  auto generic = linalg::GenericOp::create(
      b, loc, TypeRange{}, inputs, inits, maps,
      ArrayRef<utils::IteratorType>{utils::IteratorType::parallel});
  IRMapping mapping;
  op->getRegion(0).cloneInto(&generic.getRegion(), mapping);
  op->erase();
  return cast<linalg::LinalgOp>(generic.getOperation());
}

}  // namespace
}  // namespace mlir::gsa
