//===- TensorAccess.cpp - slices as a base and strides --------------------===//

#include "passes/gsa_to_tile/TensorAccess.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::gsa;

static ArrayRef<int64_t> shapeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getShape();
}

static bool isStatic(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).hasStaticShape();
}

SmallVector<int64_t> gsa::getDenseStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t d = int64_t(shape.size()) - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * shape[d + 1];
  return strides;
}

bool TensorAccess::isWhole(RankedTensorType type) const {
  if (offset != 0 ||
      type.getNumElements() !=
          cast<RankedTensorType>(base.getType()).getNumElements())
    return false;
  SmallVector<int64_t> dense = getDenseStrides(type.getShape());
  for (auto [size, stride, expected] :
       llvm::zip_equal(type.getShape(), strides, dense))
    if (size != 1 && stride != expected) return false;
  return true;
}

static bool accessSlice(tensor::ExtractSliceOp slice, TensorAccess& result) {
  if (llvm::any_of(slice.getStaticOffsets(), ShapedType::isDynamic) ||
      llvm::any_of(slice.getStaticStrides(), ShapedType::isDynamic) ||
      llvm::any_of(slice.getStaticSizes(), ShapedType::isDynamic))
    return false;
  TensorAccess source = getTensorAccess(slice.getSource());
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  result = {source.base, source.offset, {}};
  for (auto [d, stride] : llvm::enumerate(source.strides)) {
    result.offset += slice.getStaticOffsets()[d] * stride;
    if (!dropped[d])
      result.strides.push_back(slice.getStaticStrides()[d] * stride);
  }
  return true;
}

static bool accessExpanded(tensor::ExpandShapeOp expand, TensorAccess& result) {
  ArrayRef<int64_t> shape = shapeOf(expand.getResult());
  TensorAccess source = getTensorAccess(expand.getSrc());
  result = {source.base, source.offset, SmallVector<int64_t>(shape.size(), 1)};
  for (auto [d, group] : llvm::enumerate(expand.getReassociationIndices())) {
    int64_t stride = source.strides[d];
    for (int64_t inner : llvm::reverse(group)) {
      result.strides[inner] = stride;
      stride *= shape[inner];
    }
  }
  return true;
}

/// Only dimensions without gaps between them can be seen as one.
static bool accessCollapsed(tensor::CollapseShapeOp collapse,
                            TensorAccess& result) {
  ArrayRef<int64_t> shape = shapeOf(collapse.getSrc());
  TensorAccess source = getTensorAccess(collapse.getSrc());
  result = {source.base, source.offset, {}};
  for (const ReassociationIndices& group : collapse.getReassociationIndices()) {
    int64_t innermost = 1, expected = 0;
    for (int64_t d : llvm::reverse(group)) {
      if (shape[d] == 1) continue;
      if (expected == 0)
        innermost = source.strides[d];
      else if (source.strides[d] != expected)
        return false;
      expected = source.strides[d] * shape[d];
    }
    result.strides.push_back(innermost);
  }
  return true;
}

TensorAccess gsa::getTensorAccess(Value tensor) {
  TensorAccess result;
  Operation* op = tensor.getDefiningOp();
  if (auto slice = dyn_cast_or_null<tensor::ExtractSliceOp>(op))
    if (isStatic(slice.getSource()) && accessSlice(slice, result))
      return result;
  if (auto expand = dyn_cast_or_null<tensor::ExpandShapeOp>(op))
    if (isStatic(expand.getSrc()) && accessExpanded(expand, result))
      return result;
  if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(op))
    if (isStatic(collapse.getSrc()) && accessCollapsed(collapse, result))
      return result;
  return {tensor, 0, getDenseStrides(shapeOf(tensor))};
}
