//===- GenericGradient.cpp - gradients of elementwise ops and sums --------===//
//
// A linalg.generic is differentiated by its body: the gradient of each operand
// is a generic over the same loops whose body is that of the forward op
// followed by the same backwards. Loops that the operand does not have are
// summed over.
//
//===----------------------------------------------------------------------===//

#include <cmath>

#include "dialect/Gsa/GsaElementwise.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/gsa/BackwardBuilder.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

namespace {

/// A result of the forward op that has a gradient.
struct Seed {
  unsigned result;
  Value gradient;       ///< Of the result, in the backward function.
  Value term;           ///< Of the body: what is yielded, or added.
  Operation* sum = {};  ///< The addition to the output, of a sum.
};

/// The backward arithmetic of one body. The gradient of a number of type T is
/// in A(T), and so are the numbers that it is multiplied by: what is summed up
/// later is rounded once, not term by term.
class ScalarGradients {
 public:
  ScalarGradients(ScalarBuilder& s, const IRMapping& values,
                  const llvm::DenseSet<Value>& active)
      : s(s), values(values), active(active) {}

  void add(Value forward, Value gradient) {
    if (!active.contains(forward)) return;
    gradient = widen(gradient, forward.getType());
    Value& total = totals[forward];
    total = total ? s.add(total, gradient) : gradient;
  }
  Value get(Value forward) const { return totals.lookup(forward); }
  /// Adds to the operands of `op`; fails for an op without a gradient.
  LogicalResult step(Operation* op);

 private:
  Value x(Operation* op, unsigned i) {
    return wide(values.lookup(op->getOperand(i)));
  }
  Value y(Operation* op) { return wide(values.lookup(op->getResult(0))); }
  /// `value` in A(T), where `type` is T.
  Value widen(Value value, Type type) {
    return s.cast(value, getAccumulatorType(type));
  }
  Value wide(Value value) { return widen(value, value.getType()); }
  Value constant(Value like, double number) {
    return s.constant(like.getType(), number);
  }
  bool stepArith(Operation* op, Value d);
  bool stepMath(Operation* op, Value d);

  ScalarBuilder& s;
  const IRMapping& values;
  const llvm::DenseSet<Value>& active;
  llvm::DenseMap<Value, Value> totals;
};

}  // namespace

LogicalResult ScalarGradients::step(Operation* op) {
  if (op->getNumResults() != 1)
    return failure(llvm::any_of(op->getResults(),
                                [&](Value result) { return get(result); }));
  Value d = get(op->getResult(0));
  if (!d || stepArith(op, d) || stepMath(op, d)) return success();
  return failure();
}

bool ScalarGradients::stepArith(Operation* op, Value d) {
  auto to = [&](unsigned i, llvm::function_ref<Value()> gradient) {
    if (active.contains(op->getOperand(i))) add(op->getOperand(i), gradient());
  };
  auto chosen = [&](arith::CmpFPredicate predicate) {
    Value first = s.cmpf(predicate, x(op, 0), x(op, 1));
    // Of a number and a NaN these have the number.
    if (isa<arith::MaxNumFOp, arith::MinNumFOp>(op)) {
      Value isNan = s.cmpf(arith::CmpFPredicate::UNO, x(op, 1), x(op, 1));
      first = arith::OrIOp::create(s.b, s.loc, first, isNan);
    }
    to(0, [&] { return s.select(first, d, constant(d, 0.0)); });
    to(1, [&] { return s.select(first, constant(d, 0.0), d); });
  };
  if (isa<arith::AddFOp>(op)) {
    to(0, [&] { return d; });
    to(1, [&] { return d; });
  } else if (isa<arith::SubFOp>(op)) {
    to(0, [&] { return d; });
    to(1, [&] { return s.neg(d); });
  } else if (isa<arith::MulFOp>(op)) {
    to(0, [&] { return s.mul(d, x(op, 1)); });
    to(1, [&] { return s.mul(d, x(op, 0)); });
  } else if (isa<arith::DivFOp>(op)) {
    to(0, [&] { return s.div(d, x(op, 1)); });
    to(1, [&] { return s.neg(s.div(s.mul(d, y(op)), x(op, 1))); });
  } else if (isa<arith::NegFOp>(op)) {
    to(0, [&] { return s.neg(d); });
  } else if (isa<arith::ExtFOp, arith::TruncFOp>(op)) {
    to(0, [&] { return d; });
  } else if (isa<arith::SelectOp>(op)) {
    Value first = values.lookup(op->getOperand(0));
    to(1, [&] { return s.select(first, d, constant(d, 0.0)); });
    to(2, [&] { return s.select(first, constant(d, 0.0), d); });
  } else if (isa<arith::MaximumFOp, arith::MaxNumFOp>(op)) {
    chosen(arith::CmpFPredicate::OGT);
  } else if (isa<arith::MinimumFOp, arith::MinNumFOp>(op)) {
    chosen(arith::CmpFPredicate::OLT);
  } else {
    return false;
  }
  return true;
}

/// Functions of one number, by the derivative times `d`.
bool ScalarGradients::stepMath(Operation* op, Value d) {
  Value gradient;
  if (isa<math::ExpOp>(op)) {
    gradient = s.mul(d, y(op));
  } else if (isa<math::LogOp>(op)) {
    gradient = s.div(d, x(op, 0));
  } else if (isa<math::Log1pOp>(op)) {
    gradient = s.div(d, s.add(constant(d, 1.0), x(op, 0)));
  } else if (isa<math::TanhOp>(op)) {
    Value tanh = y(op);
    gradient = s.mul(d, s.sub(constant(d, 1.0), s.mul(tanh, tanh)));
  } else if (isa<math::SqrtOp>(op)) {
    gradient = s.div(s.mul(d, constant(d, 0.5)), y(op));
  } else if (isa<math::RsqrtOp>(op)) {
    Value root = y(op);
    Value cube = s.mul(root, s.mul(root, root));
    gradient = s.mul(d, s.mul(constant(d, -0.5), cube));
  } else if (isa<math::SinOp>(op)) {
    gradient = s.mul(d, math::CosOp::create(s.b, s.loc, x(op, 0)));
  } else if (isa<math::CosOp>(op)) {
    gradient = s.neg(s.mul(d, math::SinOp::create(s.b, s.loc, x(op, 0))));
  } else if (isa<math::AbsFOp>(op)) {
    // 0 at 0, and NaN of NaN, whose sign means nothing.
    Value z = x(op, 0), zero = constant(d, 0.0);
    Value sign = s.select(s.cmpf(arith::CmpFPredicate::OLT, z, zero),
                          constant(d, -1.0), z);
    sign = s.select(s.cmpf(arith::CmpFPredicate::OGT, z, zero),
                    constant(d, 1.0), sign);
    gradient = s.mul(d, sign);
  } else if (isa<math::ErfOp>(op)) {
    Value z = x(op, 0), square = s.mul(z, z);
    Value bell =
        s.mul(constant(d, 2.0 / std::sqrt(M_PI)), s.exp(s.neg(square)));
    gradient = s.mul(d, bell);
  } else {
    return false;
  }
  add(op->getOperand(0), gradient);
  return true;
}

namespace {

/// The gradients of the operands of one generic.
class GenericGradient {
 public:
  GenericGradient(linalg::GenericOp op, BackwardBuilder& backward)
      : op(op), backward(backward), body(op.getRegion().front()) {}

  LogicalResult run();

 private:
  LogicalResult findSeeds();
  LogicalResult findNeeded();
  LogicalResult findActive();
  LogicalResult addInput(OpOperand* input);
  /// Fills a detached block with the arguments inputs, gradients of results and
  /// output; returns what it yields, or null if the input has no gradient.
  FailureOr<Value> emitBody(Block& block, OpOperand* input, bool sums);
  /// Size of loop `loop`.
  OpFoldResult sizeOfLoop(unsigned loop);
  AffineMap mapOf(OpOperand* operand) {
    return op.getMatchingIndexingMap(operand);
  }
  AffineMap mapOf(const Seed& seed) {
    return mapOf(op.getDpsInitOperand(seed.result));
  }

  linalg::GenericOp op;
  BackwardBuilder& backward;
  Block& body;
  SmallVector<Seed> seeds;
  llvm::DenseSet<Operation*> needed;  ///< Of the body, for the seeds' terms.
  llvm::DenseSet<Value> active;       ///< Of the body.
};

}  // namespace

/// The results that have gradients: functions of single elements, or sums.
LogicalResult GenericGradient::findSeeds() {
  auto yield = cast<linalg::YieldOp>(body.getTerminator());
  for (OpResult result : op->getResults()) {
    unsigned i = result.getResultNumber();
    if (!backward.hasGradient(result)) continue;
    Seed seed{i, backward.gradientOf(result), yield.getOperand(i)};
    BlockArgument old = op.getRegionOutputArgs()[i];
    if (!old.use_empty()) {
      Value sum = seed.term;
      auto add = sum.getDefiningOp<arith::AddFOp>();
      bool isSum = add && sum.hasOneUse() && old.hasOneUse() &&
                   *old.user_begin() == add.getOperation();
      if (!isSum)
        return op.emitOpError()
               << "has no gradient: result " << i
               << " reads its output otherwise than to add to it; known are "
                  "functions of single elements, and sums of them";
      seed.sum = add;
      seed.term = add->getOperand(add->getOperand(0) == old ? 1 : 0);
    }
    if (!mapOf(seed).isProjectedPermutation())
      return op.emitOpError()
             << "has no gradient: result " << i << " is written by the map "
             << AffineMapAttr::get(mapOf(seed))
             << ", expected a choice of loops";
    if (!seed.sum && mapOf(seed).getNumResults() != op.getNumLoops())
      return op.emitOpError()
             << "has no gradient: result " << i << ", written by the map "
             << AffineMapAttr::get(mapOf(seed))
             << ", keeps the last of several numbers, expected their sum";
    seeds.push_back(seed);
  }
  return success();
}

/// What the seeds' terms are computed by: not by numbers that change from one
/// iteration to the next, which the backward function does not have.
LogicalResult GenericGradient::findNeeded() {
  llvm::SetVector<Value> read;
  for (const Seed& seed : seeds) read.insert(seed.term);
  for (size_t i = 0; i < read.size(); ++i) {
    auto argument = dyn_cast<BlockArgument>(read[i]);
    if (argument && argument.getOwner() == &body &&
        argument.getArgNumber() >= op.getNumDpsInputs())
      return op.emitOpError()
             << "has no gradient: a result is computed from output "
             << argument.getArgNumber() - op.getNumDpsInputs()
             << "; make that an operand, or two ops of this one";
    Operation* inner = read[i].getDefiningOp();
    if (!inner || inner->getBlock() != &body) continue;
    needed.insert(inner);
    read.insert(inner->operand_begin(), inner->operand_end());
    getUsedValuesDefinedAbove(inner->getRegions(), read);
  }
  return success();
}

/// The numbers of the body that active operands reach.
LogicalResult GenericGradient::findActive() {
  for (OpOperand* input : op.getDpsInputOperands())
    if (backward.isActive(input->get()))
      active.insert(op.getMatchingBlockArgument(input));
  for (Operation& inner : body.without_terminator()) {
    if (!needed.contains(&inner)) continue;
    llvm::SetVector<Value> read(inner.operand_begin(), inner.operand_end());
    getUsedValuesDefinedAbove(inner.getRegions(), read);
    for (Value value : read)
      if (backward.isActive(value))
        return inner.emitOpError(
            "has no gradient: it reads a tensor from within a linalg.generic; "
            "make it an operand of that");
    bool reached =
        llvm::any_of(read, [&](Value value) { return active.contains(value); });
    if (inner.getNumRegions() != 0 && reached)
      return inner.emitOpError(
          "has no gradient within a linalg.generic: expected arithmetic "
          "without regions");
    for (Value result : inner.getResults())
      if (reached && !getElementTypeOrSelf(result.getType()).isIntOrIndex())
        active.insert(result);
  }
  return success();
}

FailureOr<Value> GenericGradient::emitBody(Block& block, OpOperand* input,
                                           bool sums) {
  OpBuilder b(op.getContext());
  b.setInsertionPointToEnd(&block);
  Location loc = op.getLoc();
  IRMapping values;
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  for (Value outer : captured) values.map(outer, backward.valueOf(outer));
  for (BlockArgument argument : op.getRegionInputArgs())
    values.map(argument, block.addArgument(argument.getType(), loc));
  SmallVector<Value> given;
  for (const Seed& seed : seeds)
    given.push_back(
        block.addArgument(getElementTypeOrSelf(seed.gradient.getType()), loc));
  Type data = getElementTypeOrSelf(input->get().getType());
  Type result = sums ? Type(getAccumulatorType(data)) : data;
  Value output = block.addArgument(result, loc);
  for (Operation& inner : body.without_terminator())
    if (needed.contains(&inner)) b.clone(inner, values);

  ScalarBuilder s(b, loc);
  ScalarGradients gradients(s, values, active);
  for (auto [seed, gradient] : llvm::zip_equal(seeds, given))
    gradients.add(seed.term, gradient);
  for (Operation& inner : llvm::reverse(body.without_terminator())) {
    if (!needed.contains(&inner) || succeeded(gradients.step(&inner))) continue;
    return inner.emitOpError(
        "has no gradient: known are addf, subf, mulf, divf, negf, extf, "
        "truncf, "
        "select, maximumf and minimumf of arith, and exp, log, log1p, tanh, "
        "sqrt, rsqrt, sin, cos, absf and erf of math; write it by these");
  }
  Value own = gradients.get(op.getMatchingBlockArgument(input));
  if (own) {
    own = s.cast(own, result);
    if (sums) own = s.add(output, own);
    linalg::YieldOp::create(b, loc, own);
  }
  return own;
}

OpFoldResult GenericGradient::sizeOfLoop(unsigned loop) {
  OpBuilder& b = backward.builder();
  AffineExpr wanted = b.getAffineDimExpr(loop);
  for (const Seed& seed : seeds)
    if (auto i = mapOf(seed).getResultPosition(wanted))
      return tensor::getMixedSize(b, op.getLoc(), seed.gradient, *i);
  for (OpOperand& operand : op->getOpOperands())
    if (auto i = mapOf(&operand).getResultPosition(wanted))
      return backward.sizeOf(operand.get(), *i);
  llvm_unreachable("verified: every loop is a dimension of an operand");
}

LogicalResult GenericGradient::addInput(OpOperand* input) {
  AffineMap map = mapOf(input);
  if (!map.isProjectedPermutation())
    return op.emitOpError()
           << "has no gradient: an operand is read by the map "
           << AffineMapAttr::get(map) << ", expected a choice of loops";
  unsigned loops = op.getNumLoops();
  bool sums = map.getNumResults() < loops;
  Block block;
  FailureOr<Value> yielded = emitBody(block, input, sums);
  if (failed(yielded)) return failure();
  if (!*yielded) return success();
  for (Operation& inner : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&inner)) inner.erase();

  // Operands that the body reads, and one for each loop that none of these has.
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  SmallVector<Value> read;  // Arguments of `block`; null where none is.
  llvm::SmallBitVector covered(loops);
  auto cover = [&](AffineMap covering) {
    for (unsigned loop = 0; loop < loops; ++loop)
      if (covering.isFunctionOfDim(loop)) covered.set(loop);
  };
  auto take = [&](Value argument, Value operand, AffineMap operandMap) {
    operands.push_back(operand);
    maps.push_back(operandMap);
    read.push_back(argument);
    cover(operandMap);
  };
  cover(map);
  unsigned inputs = op.getNumDpsInputs();
  for (auto [i, seed] : llvm::enumerate(seeds))
    if (!block.getArgument(inputs + i).use_empty())
      take(block.getArgument(inputs + i), seed.gradient, mapOf(seed));
  for (OpOperand& operand : op->getOpOperands()) {
    Value argument;
    if (op.isDpsInput(&operand))
      argument = block.getArgument(operand.getOperandNumber());
    bool isRead = argument && !argument.use_empty();
    AffineMap operandMap = mapOf(&operand);
    bool isNeeded = llvm::any_of(llvm::seq(loops), [&](unsigned loop) {
      return !covered.test(loop) && operandMap.isFunctionOfDim(loop);
    });
    if (isRead || isNeeded)
      take(argument, backward.valueOf(operand.get()), operandMap);
  }

  OpBuilder& b = backward.builder();
  Location loc = op.getLoc();
  SmallVector<OpFoldResult> shape;
  SmallVector<utils::IteratorType> iterators(loops,
                                             utils::IteratorType::reduction);
  for (AffineExpr result : map.getResults()) {
    unsigned loop = cast<AffineDimExpr>(result).getPosition();
    shape.push_back(sizeOfLoop(loop));
    iterators[loop] = utils::IteratorType::parallel;
  }
  Type element = (*yielded).getType();
  Value init = sums ? backward.zeros(loc, shape, element)
                    : emptyTensor(b, loc, shape, element);
  maps.push_back(map);
  auto gradient = linalg::GenericOp::create(
      b, loc, init.getType(), operands, init, maps, iterators,
      [&](OpBuilder& inner, Location, ValueRange arguments) {
        IRMapping moved;
        for (auto [own, argument] : llvm::zip(read, arguments.drop_back()))
          if (own) moved.map(own, argument);
        moved.map(block.getArguments().back(), arguments.back());
        for (Operation& each : block) inner.clone(each, moved);
      });
  Type data = getElementTypeOrSelf(input->get().getType());
  backward.add(input->get(), backward.cast(loc, gradient.getResult(0), data));
  return success();
}

LogicalResult GenericGradient::run() {
  if (failed(findSeeds()) || failed(findNeeded()) || failed(findActive()))
    return failure();
  for (const Seed& seed : seeds)
    if (seed.sum)
      backward.add(op.getDpsInitOperand(seed.result)->get(), seed.gradient);
  for (OpOperand* input : op.getDpsInputOperands())
    if (backward.isActive(input->get()) && failed(addInput(input)))
      return failure();
  return success();
}

LogicalResult gsa::addGradients(linalg::GenericOp op,
                                BackwardBuilder& backward) {
  return GenericGradient(op, backward).run();
}
