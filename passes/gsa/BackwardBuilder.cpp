//===- BackwardBuilder.cpp - the body of a backward function --------------===//

#include "passes/gsa/BackwardBuilder.h"

#include "dialect/Gsa/GsaElementwise.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

BackwardBuilder::BackwardBuilder(Block* block, SavedValues save)
    : b(OpBuilder::atBlockEnd(block)), block(block), save(save) {}

/// Whether an op only gives a name, a shape or a constant to something.
static bool movesNoData(Operation* op) {
  if (matchPattern(op, m_Constant())) return true;
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return generic.getNumDpsInputs() == 0;
  return isa<tensor::EmptyOp, linalg::FillOp, tensor::ExpandShapeOp,
             tensor::CollapseShapeOp, tensor::CastOp>(op);
}

/// Whether a function that runs can return it: an i1 of a comparison cannot be.
static bool isResultType(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor) return false;
  Type element = tensor.getElementType();
  return element.isF16() || element.isBF16() || element.isF32() ||
         element.isF64() || element.isSignlessInteger(32) ||
         element.isSignlessInteger(64);
}

bool BackwardBuilder::isSaved(Value forward) const {
  Operation* op = forward.getDefiningOp();
  if (!op || !isResultType(forward.getType())) return false;
  bool isList = isa<SelectOp, TopKOp>(op);
  switch (save) {
    case SavedValues::None:
      return false;
    case SavedValues::Lists:
      return isList;
    case SavedValues::Attention:
      return isList || isAttention(op);
    case SavedValues::All:
      return !movesNoData(op);
  }
  llvm_unreachable("unknown choice of saved values");
}

Value BackwardBuilder::valueOf(Value forward) {
  if (!forward) return {};
  SmallVector<Value> wanted = {forward};
  SmallVector<Operation*> again;
  llvm::DenseSet<Operation*> seen;
  while (!wanted.empty()) {
    Value value = wanted.pop_back_val();
    Operation* op = value.getDefiningOp();
    if (values.contains(value) || !op || seen.contains(op)) continue;
    if (isSaved(value)) {
      values.map(value, block->addArgument(value.getType(), value.getLoc()));
      savedValues.push_back(value);
      continue;
    }
    seen.insert(op);
    again.push_back(op);
    llvm::append_range(wanted, op->getOperands());
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    llvm::append_range(wanted, captured);
  }
  llvm::sort(again, [](Operation* first, Operation* second) {
    return first->isBeforeInBlock(second);
  });
  for (Operation* op : again) b.clone(*op, values);
  return values.lookup(forward);
}

OpFoldResult BackwardBuilder::sizeOf(Value forward, int64_t dim) {
  auto type = cast<RankedTensorType>(forward.getType());
  if (!type.isDynamicDim(static_cast<unsigned>(dim)))
    return b.getIndexAttr(type.getDimSize(static_cast<unsigned>(dim)));
  return tensor::getMixedSize(b, forward.getLoc(), valueOf(forward), dim);
}

Value BackwardBuilder::gradientOf(Value forward) {
  auto it = gradients.find(forward);
  if (it == gradients.end()) return {};
  SmallVector<Value>& terms = it->second;
  if (terms.size() == 1) return terms.front();
  Location loc = forward.getLoc();
  auto type = cast<RankedTensorType>(forward.getType());
  Type data = type.getElementType(), acc = getAccumulatorType(data);
  SmallVector<AffineMap> maps(terms.size(),
                              b.getMultiDimIdentityMap(type.getRank()));
  Value init =
      emptyTensor(b, loc, tensor::getMixedSizes(b, loc, terms.front()), data);
  Value sum = elementwise(b, loc, terms, maps, init,
                          [&](ScalarBuilder& s, ValueRange x) {
                            Value total = s.cast(x.front(), acc);
                            for (Value term : x.drop_front())
                              total = s.add(total, s.cast(term, acc));
                            return s.cast(total, data);
                          });
  if (sum.getType() != type) sum = tensor::CastOp::create(b, loc, type, sum);
  terms.assign(1, sum);
  return sum;
}

void BackwardBuilder::add(Value forward, Value gradient) {
  if (!isActive(forward)) return;
  if (gradient.getType() != forward.getType())
    gradient = tensor::CastOp::create(b, forward.getLoc(), forward.getType(),
                                      gradient);
  gradients[forward].push_back(gradient);
}

Value BackwardBuilder::zeros(Location loc, ArrayRef<OpFoldResult> shape,
                             Type element) {
  Value zero = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, 0.0));
  return linalg::FillOp::create(b, loc, zero,
                                emptyTensor(b, loc, shape, element))
      .getResult(0);
}

Value BackwardBuilder::cast(Location loc, Value tensor, Type element) {
  auto type = mlir::cast<RankedTensorType>(tensor.getType());
  if (type.getElementType() == element) return tensor;
  Value init =
      emptyTensor(b, loc, tensor::getMixedSizes(b, loc, tensor), element);
  return elementwise(
      b, loc, tensor, b.getMultiDimIdentityMap(type.getRank()), init,
      [&](ScalarBuilder& s, ValueRange x) { return s.cast(x[0], element); });
}
