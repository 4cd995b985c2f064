//===- Sizes.cpp - sizes that are known or bounded ------------------------===//

#include "passes/Sizes.h"

#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaOps.h"
#include "dialect/Gsa/GsaShapes.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "passes/StaticShapes.h"

using namespace mlir;
using namespace mlir::gsa;
using gsa::detail::ScalarBuilder;

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

static FailureOr<int64_t> boundOfArgument(BlockArgument argument, int64_t dim) {
  auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
  if (!function) return failure();
  auto all = function->getAttrOfType<ArrayAttr>(kBoundsAttr);
  if (!all || argument.getArgNumber() >= all.size()) return failure();
  auto bounds = dyn_cast<DenseI64ArrayAttr>(all[argument.getArgNumber()]);
  if (!bounds || dim >= bounds.size()) return failure();
  return bounds[dim];
}

/// The bound of dimension `dim` where the operands of `op` that are its dynamic
/// sizes are `sizes`.
static FailureOr<int64_t> boundOfDynamic(ShapedType type, ValueRange sizes,
                                         int64_t dim) {
  unsigned position = type.getDynamicDimIndex(static_cast<unsigned>(dim));
  if (position >= sizes.size()) return failure();
  return findUpperBound(sizes[position]);
}

/// Of a gsa op: the dimension of an operand that has the same name.
static FailureOr<int64_t> boundOfNamed(OpResult result, int64_t dim) {
  auto values = gsa::detail::getNamedValues(result.getOwner());
  StringRef wanted;
  for (const auto& named : values)
    if (named.value == result && dim < static_cast<int64_t>(named.names.size()))
      wanted = named.names[dim];
  if (wanted.empty()) return failure();
  for (const auto& named : values) {
    if (named.value.getDefiningOp() == result.getOwner()) continue;
    for (auto [i, name] : llvm::enumerate(named.names)) {
      if (name != wanted) continue;
      FailureOr<int64_t> bound = findUpperBound(named.value, i);
      if (succeeded(bound)) return bound;
    }
  }
  return failure();
}

FailureOr<int64_t> gsa::findUpperBound(Value shaped, int64_t dim) {
  auto type = dyn_cast<ShapedType>(shaped.getType());
  if (!type || !type.hasRank() || dim >= type.getRank()) return failure();
  if (!type.isDynamicDim(static_cast<unsigned>(dim)))
    return type.getDimSize(static_cast<unsigned>(dim));
  if (auto argument = dyn_cast<BlockArgument>(shaped))
    return boundOfArgument(argument, dim);
  Operation* op = shaped.getDefiningOp();
  return llvm::TypeSwitch<Operation*, FailureOr<int64_t>>(op)
      .Case<tensor::ExpandShapeOp, memref::ExpandShapeOp,
            tensor::CollapseShapeOp, memref::CollapseShapeOp>(
          [&](auto reshape) -> FailureOr<int64_t> {
            // Dimensions that stay what they are.
            bool expands = isa<tensor::ExpandShapeOp, memref::ExpandShapeOp>(
                reshape.getOperation());
            for (auto [i, group] :
                 llvm::enumerate(reshape.getReassociationIndices())) {
              int64_t own = expands ? group.front() : static_cast<int64_t>(i);
              int64_t source =
                  expands ? static_cast<int64_t>(i) : group.front();
              if (own == dim && group.size() == 1)
                return findUpperBound(reshape.getSrc(), source);
            }
            return failure();
          })
      .Case<tensor::CastOp, memref::CastOp>(
          [&](auto cast) { return findUpperBound(cast.getSource(), dim); })
      .Case([&](bufferization::ToTensorOp cast) {
        return findUpperBound(cast.getBuffer(), dim);
      })
      .Case([&](bufferization::ToBufferOp cast) {
        return findUpperBound(cast.getTensor(), dim);
      })
      .Case([&](tensor::EmptyOp empty) {
        return boundOfDynamic(type, empty.getDynamicSizes(), dim);
      })
      .Case([&](tensor::SplatOp splat) {
        return boundOfDynamic(type, splat.getDynamicSizes(), dim);
      })
      .Case([&](tensor::ExtractSliceOp slice) {
        return boundOfDynamic(type, slice.getSizes(), dim);
      })
      .Case([&](PagedRowsOp rows) -> FailureOr<int64_t> {
        if (dim != 1) return boundOfNamed(rows->getResult(0), dim);
        FailureOr<int64_t> pages = findUpperBound(rows.getTable(), 1);
        FailureOr<int64_t> page =
            findUpperBound(rows.getPool(), rows.getRowDim());
        int64_t bound;
        if (failed(pages) || failed(page) ||
            llvm::MulOverflow(*pages, *page, bound))
          return failure();
        return bound;
      })
      .Case([&](memref::AllocOp alloc) {
        return boundOfDynamic(type, alloc.getDynamicSizes(), dim);
      })
      .Case([&](bufferization::AllocTensorOp alloc) {
        return alloc.getCopy()
                   ? findUpperBound(alloc.getCopy(), dim)
                   : boundOfDynamic(type, alloc.getDynamicSizes(), dim);
      })
      .Case([&](memref::ViewOp view) {
        return boundOfDynamic(type, view.getSizes(), dim);
      })
      .Default([&](Operation* other) -> FailureOr<int64_t> {
        auto result = cast<OpResult>(shaped);
        if (auto styled = dyn_cast<DestinationStyleOpInterface>(other))
          return findUpperBound(styled.getTiedOpOperand(result)->get(), dim);
        if (OpTrait::hasElementwiseMappableTraits(other)) {
          for (Value operand : other->getOperands())
            if (FailureOr<int64_t> bound = findUpperBound(operand, dim);
                isa<ShapedType>(operand.getType()) && succeeded(bound))
              return bound;
          return failure();
        }
        return boundOfNamed(result, dim);
      });
}

FailureOr<int64_t> gsa::findUpperBound(Value index) {
  if (auto constant = getConstantIntValue(index)) return *constant;
  Operation* op = index.getDefiningOp();
  if (!op) return failure();
  // Both operands, of which neither is negative.
  auto combine = [&](auto function) -> FailureOr<int64_t> {
    FailureOr<int64_t> lhs = findUpperBound(op->getOperand(0));
    FailureOr<int64_t> rhs = findUpperBound(op->getOperand(1));
    if (failed(lhs) || failed(rhs) || *lhs < 0 || *rhs < 0) return failure();
    return function(*lhs, *rhs);
  };
  auto divide = [&](bool up) -> FailureOr<int64_t> {
    auto divisor = getConstantIntValue(op->getOperand(1));
    FailureOr<int64_t> lhs = findUpperBound(op->getOperand(0));
    if (!divisor || *divisor <= 0 || failed(lhs) || *lhs < 0) return failure();
    return up ? llvm::divideCeil(*lhs, *divisor) : *lhs / *divisor;
  };
  return llvm::TypeSwitch<Operation*, FailureOr<int64_t>>(op)
      .Case<tensor::DimOp, memref::DimOp>([](auto dim) -> FailureOr<int64_t> {
        auto position = dim.getConstantIndex();
        if (!position) return failure();
        return findUpperBound(dim.getSource(), *position);
      })
      .Case([&](arith::AddIOp) {
        return combine([](int64_t a, int64_t b) -> FailureOr<int64_t> {
          int64_t sum;
          if (llvm::AddOverflow(a, b, sum)) return failure();
          return sum;
        });
      })
      .Case([&](arith::MulIOp) {
        return combine([](int64_t a, int64_t b) -> FailureOr<int64_t> {
          int64_t product;
          if (llvm::MulOverflow(a, b, product)) return failure();
          return product;
        });
      })
      .Case([&](arith::MaxSIOp) {
        return combine([](int64_t a, int64_t b) -> FailureOr<int64_t> {
          return std::max(a, b);
        });
      })
      .Case([&](arith::MinSIOp) {
        return combine([](int64_t a, int64_t b) -> FailureOr<int64_t> {
          return std::min(a, b);
        });
      })
      .Case<arith::DivUIOp, arith::DivSIOp>([&](auto) { return divide(false); })
      .Case<arith::CeilDivUIOp, arith::CeilDivSIOp>(
          [&](auto) { return divide(true); })
      .Default([](Operation*) { return failure(); });
}

LogicalResult gsa::checkBounded(Operation* op, StringRef cannot) {
  auto check = [&](StringRef kind, ValueRange values) -> LogicalResult {
    for (auto [i, value] : llvm::enumerate(values)) {
      auto type = dyn_cast<ShapedType>(value.getType());
      for (int64_t d = 0; type && d < type.getRank(); ++d)
        if (failed(findUpperBound(value, d)))
          return op->emitOpError()
                 << "cannot " << cannot
                 << ": expected static shapes, or bounds for their sizes, got "
                 << type << " for " << kind << " #" << i << kSpecializeAdvice;
    }
    return success();
  };
  if (failed(check("operand", op->getOperands()))) return failure();
  return check("result", op->getResults());
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

Size gsa::getSize(OpBuilder& b, Location loc, Value tensor, int64_t dim) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim)) return type.getDimSize(dim);
  FailureOr<int64_t> bound = findUpperBound(tensor, dim);
  assert(succeeded(bound) && "checked by checkBounded");
  return Size(*bound, tensor::DimOp::create(b, loc, tensor, dim));
}

Value gsa::toValue(ScalarBuilder& s, const Size& size) {
  return size.isStatic() ? s.index(size.bound) : size.actual;
}

Size gsa::mulSizes(ScalarBuilder& s, const Size& a, const Size& b) {
  int64_t bound = a.bound * b.bound;
  if (a.isStatic() && b.isStatic()) return bound;
  return Size(bound, s.mul(toValue(s, a), toValue(s, b)));
}

Size gsa::maxSize(ScalarBuilder& s, const Size& a, int64_t b) {
  int64_t bound = std::max(a.bound, b);
  if (a.isStatic()) return bound;
  return Size(bound, s.max(a.actual, s.index(b)));
}

Size gsa::minSize(ScalarBuilder& s, const Size& a, int64_t b) {
  int64_t bound = std::min(a.bound, b);
  if (a.isStatic()) return bound;
  return Size(bound, s.min(a.actual, s.index(b)));
}

Size gsa::ceilDivSize(ScalarBuilder& s, const Size& a, int64_t b) {
  auto bound = static_cast<int64_t>(llvm::divideCeil(a.bound, b));
  if (a.isStatic()) return bound;
  return Size(bound, s.divIndex(s.add(a.actual, s.index(b - 1)), s.index(b)));
}

Value gsa::differenceOf(ScalarBuilder& s, const Size& a, const Size& b,
                        int64_t c) {
  if (a.isStatic() && b.isStatic()) return s.index(a.bound - b.bound + c);
  Value sum = toValue(s, a);
  if (c != 0) sum = s.add(sum, s.index(c));
  return s.sub(sum, toValue(s, b));
}

SmallVector<OpFoldResult> gsa::getResultSizes(OpBuilder& b, Operation* op,
                                              unsigned i) {
  auto type = cast<RankedTensorType>(op->getResult(i).getType());
  if (type.hasStaticShape())
    return getAsIndexOpFoldResult(b.getContext(), type.getShape());
  OpBuilder::InsertionGuard guard(b);
  ReifiedRankedShapedTypeDims shapes;
  [[maybe_unused]] LogicalResult reified =
      cast<ReifyRankedShapedTypeOpInterface>(op).reifyResultShapes(b, shapes);
  assert(succeeded(reified) && "verified");
  return shapes[i];
}

Value gsa::allocateResult(OpBuilder& b, Operation* op, unsigned i,
                          IntegerAttr alignment) {
  auto type = cast<RankedTensorType>(op->getResult(i).getType());
  SmallVector<OpFoldResult> sizes = getResultSizes(b, op, i);
  // As the type has them, which may know less than the operands.
  SmallVector<Value> dynamic;
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (type.isDynamicDim(d))
      dynamic.push_back(
          getValueOrCreateConstantIndexOp(b, op->getLoc(), sizes[d]));
  return memref::AllocOp::create(
      b, op->getLoc(), MemRefType::get(type.getShape(), type.getElementType()),
      dynamic, alignment);
}
