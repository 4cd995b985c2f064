//===- ToTile.cpp - what lowerings to gsa_tile share ----------------------===//

#include "passes/gsa_to_tile/ToTile.h"

#include "dialect/Gsa/GsaOps.h"
#include "dialect/GsaTile/PipelineAttrs.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/gsa_to_tile/Elementwise.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

//===----------------------------------------------------------------------===//
// Schedules
//===----------------------------------------------------------------------===//

LogicalResult gsa::checkSchedule(Operation* op, const CudaTarget& target) {
  Attribute attribute = op->getAttr(kScheduleAttr);
  auto schedule = dyn_cast_or_null<ScheduleAttrInterface>(attribute);
  if (!schedule) {
    auto scheduled = cast<ScheduledOpInterface>(op);
    InFlightDiagnostic error =
        op->emitOpError() << "expected "
                          << describe(scheduled.getScheduleKinds(Device::Cuda))
                          << " as '" << kScheduleAttr << "', got ";
    if (attribute) return error << attribute;
    return error << "none";
  }
  // In a module that was not verified, it may fit nothing.
  std::string reason = schedule.findOpMisfit(op);
  if (reason.empty()) reason = schedule.findRefusal(op, target);
  if (reason.empty()) return success();
  return op->emitOpError() << "has an illegal schedule: " << reason;
}

//===----------------------------------------------------------------------===//
// Host side
//===----------------------------------------------------------------------===//

ToTileContext::ToTileContext(ModuleOp module, const CudaTarget& target,
                             IRRewriter& rewriter, Remarks remarks)
    : module(module),
      device(target),
      remarks(remarks),
      hostRewriter(rewriter),
      location(module.getLoc()),
      symbols(module) {
  // Kernels of an earlier run (of other ops) are candidates for sharing.
  for (auto kernel : module.getOps<KernelOp>())
    kernels[kernel.getSymNameAttr()].push_back(kernel);
}

/// "gsa.gate (1x8x4x64xf32, 1x8x4xf32) -> (1x8x4x64xf32)".
static std::string describeOp(Operation* op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  auto print = [&](TypeRange types) {
    os << '(';
    llvm::interleaveComma(types, os, [&](Type type) {
      auto shaped = dyn_cast<ShapedType>(type);
      if (!shaped) {
        os << type;
        return;
      }
      for (int64_t size : shaped.getShape()) os << size << 'x';
      os << shaped.getElementType();
    });
    os << ')';
  };
  os << op->getName() << ' ';
  print(op->getOperandTypes());
  os << " -> ";
  print(op->getResultTypes());
  return text;
}

void ToTileContext::begin(Operation* op) {
  location = op->getLoc();
  origin = StringAttr::get(op->getContext(), describeOp(op));
  // Where queries are few, a row needs several kernels of microseconds.
  brief = isa_and_nonnull<SplitSelectScheduleAttr, SplitAttentionScheduleAttr>(
      op->getAttr(kScheduleAttr));
  hostRewriter.setInsertionPoint(op);
  cost = {};
  auto function = op->getParentOfType<FunctionOpInterface>();
  auto lanes = function ? function->getAttrOfType<IntegerAttr>(kLanesAttr)
                        : IntegerAttr();
  if (!lanes || lanes.getInt() < 2) return;
  if (auto schedule = op->getAttrOfType<ScheduleAttrInterface>(kScheduleAttr))
    cost = schedule.getCost(op, device);
}

static MemRefType denseType(ShapedType type) {
  return MemRefType::get(type.getShape(), type.getElementType());
}

Value ToTileContext::toBuffer(Value tensor) {
  // The copy fails only for elements that no kernel could read either.
  if (tile::hasGaps(tensor))
    if (FailureOr<Value> copy = tile::copyToDense(tensor, *this);
        succeeded(copy))
      return *copy;
  return bufferization::ToBufferOp::create(
      hostRewriter, location, denseType(cast<ShapedType>(tensor.getType())),
      tensor, /*read_only=*/true);
}

Value ToTileContext::toWritableBuffer(Value tensor) {
  return bufferization::ToBufferOp::create(
      hostRewriter, location, denseType(cast<ShapedType>(tensor.getType())),
      tensor);
}

Value ToTileContext::makeBuffer(ShapedType type) {
  return memref::AllocOp::create(hostRewriter, location, denseType(type));
}

Value ToTileContext::makeBuffer(ArrayRef<int64_t> shape, Type elementType) {
  return memref::AllocOp::create(hostRewriter, location,
                                 MemRefType::get(shape, elementType));
}

Value ToTileContext::toTensor(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  return bufferization::ToTensorOp::create(
      hostRewriter, location,
      RankedTensorType::get(type.getShape(), type.getElementType()), buffer,
      /*restrict=*/true, /*writable=*/true);
}

void ToTileContext::replace(Operation* op, ArrayRef<Value> buffers) {
  SmallVector<Value> tensors;
  for (auto [result, buffer] : llvm::zip_equal(op->getResults(), buffers)) {
    Value tensor = buffer ? toTensor(buffer) : Value();
    if (tensor && tensor.getType() != result.getType())
      tensor = hostRewriter.createOrFold<tensor::CastOp>(
          location, result.getType(), tensor);
    tensors.push_back(tensor);
  }
  hostRewriter.replaceOp(op, tensors);
}

Value ToTileContext::index(int64_t value) {
  return arith::ConstantIndexOp::create(hostRewriter, location, value);
}

Value ToTileContext::constant(TypedAttr value) {
  return arith::ConstantOp::create(hostRewriter, location, value);
}

void ToTileContext::forQueryChunks(
    int64_t batches, int64_t queries, int64_t size,
    llvm::function_ref<void(const QueryChunk&)> body, int64_t first,
    bool areIndependent) {
  IRRewriter& b = hostRewriter;
  Value zero = index(0), one = index(1), begins = index(first);
  Value lastBatch = index(batches), last = index(queries), step = index(size);
  OpBuilder::InsertionGuard guard(b);
  auto outer = scf::ForOp::create(b, location, zero, lastBatch, one);
  b.setInsertionPointToStart(outer.getBody());
  auto inner = scf::ForOp::create(b, location, begins, last, step);
  if (areIndependent)
    for (scf::ForOp loop : {outer, inner})
      loop->setAttr(kIndependentAttr, b.getUnitAttr());
  b.setInsertionPointToStart(inner.getBody());
  Value begin = inner.getInductionVar();
  Value rest = arith::SubIOp::create(b, location, last, begin);
  Value count = arith::MinSIOp::create(b, location, rest, step);
  body({outer.getInductionVar(), begin, count});
}

Value ToTileContext::slice(Value buffer, ArrayRef<OpFoldResult> indices) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<OpFoldResult> offsets(indices), sizes, strides;
  for (int64_t d = 0; d < type.getRank(); ++d) {
    bool fixed = d < static_cast<int64_t>(indices.size());
    if (!fixed) offsets.push_back(hostRewriter.getIndexAttr(0));
    sizes.push_back(hostRewriter.getIndexAttr(fixed ? 1 : type.getDimSize(d)));
    strides.push_back(hostRewriter.getIndexAttr(1));
  }
  MemRefType result = memref::SubViewOp::inferRankReducedResultType(
      type.getShape().drop_front(indices.size()), type, offsets, sizes,
      strides);
  return memref::SubViewOp::create(hostRewriter, location, result, buffer,
                                   offsets, sizes, strides);
}

FlatSymbolRefAttr ToTileContext::enter(KernelOp kernel) {
  StringAttr wanted = kernel.getSymNameAttr();
  SmallVector<KernelOp>& known = kernels[wanted];
  Attribute made = kernel->removeAttr(kOriginAttr);
  for (KernelOp other : known) {
    kernel.setSymNameAttr(other.getSymNameAttr());
    Attribute otherMade = other->removeAttr(kOriginAttr);
    bool equal = OperationEquivalence::isEquivalentTo(
        other, kernel, OperationEquivalence::IgnoreLocations);
    if (otherMade) other->setAttr(kOriginAttr, otherMade);
    if (!equal) continue;
    kernel.erase();
    return FlatSymbolRefAttr::get(other);
  }
  kernel.setSymNameAttr(wanted);
  if (made) kernel->setAttr(kOriginAttr, made);
  kernel->remove();
  // Beside the function that uses it, so that a dump reads top down.
  Operation* function = hostRewriter.getInsertionBlock()->getParentOp();
  while (function->getParentOp() != module) function = function->getParentOp();
  symbols.insert(kernel, Block::iterator(function));
  known.push_back(kernel);
  return FlatSymbolRefAttr::get(kernel);
}

//===----------------------------------------------------------------------===//
// Kernel side
//===----------------------------------------------------------------------===//

KernelBuilder::KernelBuilder(ToTileContext& context, Location loc,
                             StringRef name, int64_t warps)
    : context(context),
      location(loc),
      bodyBuilder(context.rewriter().getContext()) {
  OpBuilder b(bodyBuilder.getContext());
  b.setInsertionPointToEnd(context.module.getBody());
  op = KernelOp::create(b, loc, name, b.getFunctionType({}, {}), warps);
  // Here, since a lowering may begin with another op's operands later.
  if (context.origin) op->setAttr(kOriginAttr, context.origin);
  bodyBuilder.setInsertionPoint(op.getBody().front().getTerminator());
}

KernelBuilder::~KernelBuilder() {
  if (op) op.erase();
}

Value KernelBuilder::argument(Type type, Value hostValue, StringRef name) {
  hostArguments.push_back(hostValue);
  return named(op.getBody().addArgument(type, location), name);
}

Value KernelBuilder::read(Value buffer, StringRef name) {
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  return argument(GlobalType::get(op.getContext(), element, Access::Read),
                  buffer, name);
}

Value KernelBuilder::write(Value buffer, StringRef name) {
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  return argument(GlobalType::get(op.getContext(), element, Access::Write),
                  buffer, name);
}

Value KernelBuilder::map(Value buffer, TensorMapType type, StringRef name) {
  return argument(type, buffer, name);
}

Value KernelBuilder::scalar(Value hostValue, StringRef name) {
  return argument(hostValue.getType(), hostValue, name);
}

Value KernelBuilder::size(int64_t value, StringRef name) {
  return scalar(context.index(value), name);
}

Value KernelBuilder::number(TypedAttr value, StringRef name) {
  return scalar(context.constant(value), name);
}

Value KernelBuilder::index(int64_t value) {
  Value& constant = constants[value];
  if (!constant) {
    // At the start, so that it dominates every later use.
    OpBuilder b = OpBuilder::atBlockBegin(&op.getBody().front());
    constant = arith::ConstantIndexOp::create(b, location, value);
  }
  return constant;
}

TeamAttr KernelBuilder::team() {
  return TeamAttr::get(op.getContext(), 0, op.getWarps());
}

LaunchOp KernelBuilder::launch(ArrayRef<OpFoldResult> grid) {
  SmallVector<Type> types(op.getBody().getArgumentTypes());
  op.setFunctionTypeAttr(
      TypeAttr::get(FunctionType::get(op.getContext(), types, {})));
  // By the name that it was to have.
  double estimate = 0;
  for (const StageCost& stage : context.cost.stages)
    if (stage.kernel == op.getSymName()) estimate += stage.microseconds();
  FlatSymbolRefAttr symbol = context.enter(std::exchange(op, KernelOp()));
  IRRewriter& b = context.rewriter();
  SmallVector<Value> sizes =
      getValueOrCreateConstantIndexOp(b, context.loc(), grid);
  auto launch =
      LaunchOp::create(b, context.loc(), symbol, sizes, hostArguments,
                       /*brief=*/context.brief ? b.getUnitAttr() : UnitAttr());
  launch.setUrgent(context.urgent);
  if (estimate > 0) launch->setAttr(kEstimateAttr, b.getF64FloatAttr(estimate));
  return launch;
}

LaunchOp KernelBuilder::launch(ArrayRef<int64_t> grid) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t size : grid)
    sizes.push_back(context.rewriter().getIndexAttr(size));
  return launch(sizes);
}

int64_t gsa::getVectorBytes(Type element, int64_t columns) {
  int64_t bytes = columns * gsa_tile::getElementBytes(element);
  for (int64_t vector : {16, 8, 4})
    if (bytes % vector == 0) return vector;
  return 2;
}
