//===- Sums.cpp - kernels of sums -----------------------------------------===//
//
// An iteration of a for_each makes one sum, or one part of one: its lanes take
// terms in turn and join what they have by a butterfly.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/Sums.h"

#include "mlir/IR/Remarks.h"
#include "passes/gsa_to_tile/Contraction.h"
#include "passes/gsa_to_tile/Elementwise.h"
#include "passes/gsa_to_tile/LinalgKernel.h"

using namespace mlir;
using namespace mlir::gsa;
using gsa::detail::ScalarBuilder;
using gsa_tile::named;

namespace mlir::gsa::tile {

namespace {

/// Lanes of sums that fill any device; terms that a lane has to add at least
/// where more lanes join in.
constexpr int64_t kEnoughLanes = int64_t(1) << 18;
constexpr int64_t kTermsOfLane = 4, kTermsOfPart = 32;
constexpr int64_t kWarpLanes = 32;

/// How sums are shared out.
struct SumShape {
  int64_t lanes = 1;  ///< Of a sum, or of a part of one.
  int64_t parts = 1;
  int64_t length = 0;  ///< Terms of a part; the last one may have fewer.

  static SumShape of(const LinalgPlan& plan);
};

/// The addition of a body to its output, and what it adds.
struct Addition {
  arith::AddFOp add;
  Value term;

  static std::optional<Addition> of(linalg::LinalgOp op);
};

class SumEmitter : public LinalgEmitter {
 public:
  SumEmitter(const LinalgPlan& plan, const SumShape& shape, Addition addition,
             ToTileContext& context, StringRef name)
      : LinalgEmitter(plan, context, name),
        shape(shape),
        addition(addition),
        acc(getAccumulatorType(addition.term.getType())) {}

  /// Whole sums to a new buffer of `type`, as `end` makes them.
  FailureOr<Value> emit(Type type, const SumEnd* end);
  /// Sums of parts to a new buffer [parts, sums].
  FailureOr<Value> emitParts();

 private:
  Value emitTotal(Value begin, Value end);
  LogicalResult launch();

  SumShape shape;
  Addition addition;
  Type acc;
};

/// What becomes of whole sums, in the for_each of any kernel.
class SumTarget {
 public:
  SumTarget(linalg::LinalgOp op, Type type, ToTileContext& context,
            const SumEnd* end);
  /// Stores what becomes of sum number `element`.
  void store(KernelBuilder& kernel, OpBuilder& b, Value element, Value total);

  Value buffer;

 private:
  Location loc;
  ToTileContext& context;
  const SumEnd* end;
  Value init;  ///< What sums start from; null for 0.
};

}  // namespace

//===----------------------------------------------------------------------===//
// What is a sum, and how it is shared out
//===----------------------------------------------------------------------===//

std::optional<Addition> Addition::of(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() == 0 || op.getNumDpsInits() != 1)
    return std::nullopt;
  Block& body = *op.getBlock();
  BlockArgument old = op.getMatchingBlockArgument(op.getDpsInitOperand(0));
  auto add = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!add || !add->hasOneUse() || !old.hasOneUse() ||
      *old.user_begin() != add.getOperation())
    return std::nullopt;
  return Addition{add, add->getOperand(add->getOperand(0) == old ? 1 : 0)};
}

bool isSum(linalg::LinalgOp op) { return Addition::of(op).has_value(); }

/// Whether `loop` steps through neighbouring elements of an input.
static bool isContiguous(const LinalgPlan& plan, const KernelLoop& loop) {
  return llvm::any_of(plan.inputs, [&](const LinearAccess& access) {
    return access.coefficients[loop.loop] == 1;
  });
}

static int64_t floorPower(int64_t number) {
  return int64_t(1) << llvm::Log2_64(static_cast<uint64_t>(number));
}

SumShape SumShape::of(const LinalgPlan& plan) {
  SumShape shape;
  shape.length = plan.terms;
  if (plan.count == 0 || plan.terms == 0) return shape;
  // Lanes of a warp read neighbouring elements: terms of one sum, or of sums
  // side by side, and then terms only where these are few.
  bool isAlong = plan.loops.empty() ||
                 (!plan.sums.empty() && isContiguous(plan, plan.sums.back()));
  int64_t beside = isAlong ? 1 : plan.loops.back().size;
  shape.lanes = std::clamp<int64_t>(
      std::min(kWarpLanes / floorPower(std::min(beside, kWarpLanes)),
               floorPower(llvm::divideCeil(plan.terms, kTermsOfLane))),
      1, kWarpLanes);
  int64_t lanes = plan.count * shape.lanes;
  int64_t parts =
      std::min(kEnoughLanes / lanes, plan.terms / (shape.lanes * kTermsOfPart));
  // Two parts do not make up for a second kernel.
  if (parts <= 2) return shape;
  shape.length = llvm::divideCeil(plan.terms, parts);
  shape.parts = llvm::divideCeil(plan.terms, shape.length);
  return shape;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// The sum, by the lanes of an iteration together, of `term(j)` for j from
/// `begin` to `end`; terms are of type `acc`.
static Value sumTerms(ScalarBuilder& s, Type acc, int64_t lanes, Value begin,
                      Value end, llvm::function_ref<Value(Value)> term) {
  OpBuilder& b = s.builder();
  Location loc = s.location();
  Value step = s.i64(1);
  if (lanes > 1) {
    Value first = gsa_tile::FirstTermOp::create(b, loc, b.getI64Type(), lanes);
    begin = named(s.add(begin, named(first, "lane")), "first_term");
    step = gsa_tile::TermStepOp::create(b, loc, b.getI64Type(), lanes);
    named(step, "lanes");
  }
  auto loop = scf::ForOp::create(b, loc, begin, end, step,
                                 ValueRange{s.constant(acc, 0.0)});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(loop.getBody());
    Value sum = s.add(loop.getRegionIterArg(0), term(loop.getInductionVar()));
    scf::YieldOp::create(b, loc, sum);
  }
  Value sum = loop.getResult(0);
  if (lanes == 1) return sum;
  return named(gsa_tile::SumTermsOp::create(b, loc, acc, sum, lanes), "total");
}

Value SumEmitter::emitTotal(Value begin, Value end) {
  ScalarBuilder s(b, loc);
  // Of no terms there is nothing that a kernel could read.
  if (plan.terms == 0) return s.constant(acc, 0.0);
  return sumTerms(s, acc, shape.lanes, begin, end, [&](Value number) {
    setTerm(number);
    IRMapping mapping;
    mapReads(plan.inputs, 0, mapping);
    for (Operation& inner : op.getBlock()->without_terminator())
      if (&inner != addition.add) b.clone(inner, mapping);
    return s.cast(mapping.lookupOrDefault(addition.term), acc);
  });
}

LogicalResult SumEmitter::launch() {
  if (failed(finishBody())) return failure();
  int64_t blocks =
      getMapBlocks(context.target(), plan.count * shape.parts * shape.lanes);
  kernel.launch(ArrayRef<int64_t>(blocks));
  return success();
}

FailureOr<Value> SumEmitter::emit(Type type, const SumEnd* end) {
  SumTarget target(op, type, context, end);
  Builder attrs(op.getContext());
  Value count = kernel.number(attrs.getI64IntegerAttr(plan.count), "count");
  Value terms = kernel.number(attrs.getI64IntegerAttr(plan.terms), "terms");
  beginForEach(count, shape.lanes);
  setElement(forEach.getInductionVar());
  Value total = emitTotal(i64(0), terms);
  target.store(kernel, b, forEach.getInductionVar(), total);
  if (failed(launch())) return failure();
  return target.buffer;
}

FailureOr<Value> SumEmitter::emitParts() {
  Value buffer = context.makeBuffer({shape.parts, plan.count}, acc);
  Builder attrs(op.getContext());
  auto number = [&](int64_t value, StringRef name) {
    return kernel.number(attrs.getI64IntegerAttr(value), name);
  };
  Value count = number(plan.count * shape.parts, "count");
  Value sums = number(plan.count, "sums");
  Value terms = number(plan.terms, "terms");
  Value length = number(shape.length, "length");
  beginForEach(count, shape.lanes);
  ScalarBuilder s(b, loc);
  Value cell = forEach.getInductionVar();
  setElement(named(arith::RemUIOp::create(b, loc, cell, sums), "sum"));
  Value part = named(arith::DivUIOp::create(b, loc, cell, sums), "part");
  Value begin = named(s.mul(part, length), "begin");
  Value end = named(s.min(s.add(begin, length), terms), "end");
  Value total = emitTotal(begin, end);
  Value out = kernel.write(buffer, "parts");
  gsa_tile::StoreOp::create(b, loc, out, cell, total);
  if (failed(launch())) return failure();
  return buffer;
}

SumTarget::SumTarget(linalg::LinalgOp op, Type type, ToTileContext& context,
                     const SumEnd* end)
    : loc(op.getLoc()), context(context), end(end) {
  Value start = op.getDpsInits().front();
  auto shape = cast<RankedTensorType>(start.getType()).getShape();
  buffer = context.makeBuffer(shape, type);
  if (!startsFromZero(start)) init = start;
}

void SumTarget::store(KernelBuilder& kernel, OpBuilder& b, Value element,
                      Value total) {
  ScalarBuilder s(b, loc);
  auto load = [&](Value tensor, StringRef name) -> Value {
    Type type = getElementTypeOrSelf(tensor.getType());
    Value array = kernel.read(context.toBuffer(tensor), name);
    return gsa_tile::LoadOp::create(b, loc, type, array, element);
  };
  if (init) total = s.add(s.cast(load(init, "init"), total.getType()), total);
  if (end)
    total = end->make(s, total,
                      end->operand ? load(end->operand, "operand") : Value());
  Value out = kernel.write(buffer, "out");
  Type type = cast<MemRefType>(buffer.getType()).getElementType();
  gsa_tile::StoreOp::create(b, loc, out, element, s.cast(total, type));
}

/// Whether the number of an iteration is the position of its sum.
static bool isRowMajor(const LinalgPlan& plan) {
  const LinearAccess& result = plan.outputs.front();
  int64_t expected = 1;
  for (const KernelLoop& loop : llvm::reverse(plan.loops)) {
    if (result.coefficients[loop.loop] != expected) return false;
    expected *= loop.size;
  }
  return result.offset == 0;
}

/// Adds the parts of sums, the lanes of a sum taking them in turn.
static Value joinParts(const LinalgPlan& plan, Value parts, Type type,
                       ToTileContext& context, const SumEnd* end) {
  Location loc = context.loc();
  auto partType = cast<MemRefType>(parts.getType());
  int64_t number = partType.getDimSize(0);
  int64_t lanes = std::min(kWarpLanes, floorPower(number));
  SumTarget target(plan.op, type, context, end);
  KernelBuilder kernel(context, loc, "join_parts", kMapWarps);
  OpBuilder& b = kernel.body();
  Value in = kernel.read(parts, "parts");
  Value count = kernel.number(b.getI64IntegerAttr(plan.count), "count");
  Value last = kernel.number(b.getI64IntegerAttr(number), "part_count");
  auto loop = gsa_tile::ForEachOp::create(b, loc, count, lanes);
  b.setInsertionPoint(loop.getBody().front().getTerminator());
  ScalarBuilder s(b, loc);
  Value element = loop.getInductionVar();
  Type acc = partType.getElementType();
  Value total =
      sumTerms(s, acc, lanes, s.i64(0), last, [&](Value part) -> Value {
        Value position = s.add(s.mul(part, count), element);
        return gsa_tile::LoadOp::create(b, loc, acc, in, position);
      });
  target.store(kernel, b, element, total);
  kernel.launch(
      ArrayRef<int64_t>(getMapBlocks(context.target(), plan.count * lanes)));
  return target.buffer;
}

FailureOr<Value> emitSum(linalg::LinalgOp op, Type type, StringRef name,
                         ToTileContext& context, const SumEnd* end) {
  std::optional<Addition> addition = Addition::of(op);
  assert(addition && "asked by isSum");
  LinalgPlan plan;
  plan.op = op;
  if (failed(plan.make())) return failure();
  if (plan.count == 0)
    return context.makeBuffer(
        cast<RankedTensorType>(op->getResult(0).getType()).getShape(), type);
  if (!isRowMajor(plan))
    return op.emitOpError()
           << "has no lowering to a sum: expected an element of the result for "
              "each iteration of its parallel loops";
  SumShape shape = SumShape::of(plan);
  if (context.emitsRemarks())
    remark::passed(op.getLoc(),
                   remark::RemarkOpts::name("Sum").category("gsa.schedule"))
        << "lanes add terms in turn" << remark::metric("lanes", shape.lanes)
        << remark::metric("parts", shape.parts);
  if (shape.parts == 1)
    return SumEmitter(plan, shape, *addition, context, name).emit(type, end);
  FailureOr<Value> parts =
      SumEmitter(plan, shape, *addition, context, (name + "_parts").str())
          .emitParts();
  if (failed(parts)) return failure();
  return joinParts(plan, *parts, type, context, end);
}

LogicalResult lowerSum(linalg::LinalgOp op, ToTileContext& context) {
  if (!op.hasPureTensorSemantics())
    return op.emitOpError() << "expected operands on tensors";
  Type type = getElementTypeOrSelf(op->getResult(0).getType());
  FailureOr<Value> sums = emitSum(op, type, "sum", context);
  if (failed(sums)) return failure();
  context.replace(op, {*sums});
  return success();
}

}  // namespace mlir::gsa::tile
