//===- EvaluateTensor.cpp - tensor ops ------------------------------------===//
//
// Shapes, reshapes, slices. Sizes come from the actual values; a size that
// does not fit is an error, never an access outside a tensor.
//
//===----------------------------------------------------------------------===//

#include <algorithm>

#include "llvm/ADT/TypeSwitch.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "tools/reference-interpreter/Evaluate.h"
#include "tools/reference-interpreter/ScalarProgram.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;
using reference::Require;
using reference::Shape;
using reference::ShapeToString;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// The same elements in another shape.
static RuntimeValue reshape(const RuntimeValue& value, const Shape& shape) {
  Require(reference::ElementCount(shape) == value.size(),
          "cannot give shape " + ShapeToString(shape) +
              " to a tensor of shape " + ShapeToString(value.shape()));
  return value.visit([&](const auto& tensor) -> RuntimeValue {
    return std::decay_t<decltype(tensor)>(shape, tensor.values());
  });
}

static void requireAxis(int64_t axis, const Shape& shape) {
  Require(0 <= axis && axis < static_cast<int64_t>(shape.size()),
          "has no axis " + std::to_string(axis) + " in shape " +
              ShapeToString(shape));
}

static RuntimeValue evaluateDim(tensor::DimOp op, const OpContext& context) {
  const Shape& shape = context.operands[0].shape();
  int64_t axis = context.operands[1].asInteger();
  requireAxis(axis, shape);
  return RuntimeValue::scalar(op.getType(), shape[axis]);
}

static RuntimeValue evaluateCollapse(tensor::CollapseShapeOp op,
                                     const OpContext& context) {
  const Shape& source = context.operands[0].shape();
  Shape shape;
  for (const ReassociationIndices& group : op.getReassociationIndices()) {
    int64_t size = 1;
    for (int64_t axis : group) size *= source[axis];
    shape.push_back(size);
  }
  return reshape(context.operands[0], shape);
}

static RuntimeValue evaluateExpand(tensor::ExpandShapeOp op,
                                   const OpContext& context) {
  const Shape& source = context.operands[0].shape();
  Shape shape = resolve(op.getMixedOutputShape(), context);
  for (auto [i, group] : llvm::enumerate(op.getReassociationIndices())) {
    Shape part;
    for (int64_t axis : group) part.push_back(shape[axis]);
    Require(reference::ElementCount(part) == source[i],
            "expands axis " + std::to_string(i) + " of shape " +
                ShapeToString(source) + " into " + ShapeToString(part));
  }
  return reshape(context.operands[0], shape);
}

static RuntimeValue evaluateEmpty(tensor::EmptyOp op,
                                  const OpContext& context) {
  return RuntimeValue::empty(op.getType(),
                             resolve(op.getMixedSizes(), context));
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

namespace {

/// offsets[i] + strides[i] * [0, sizes[i]) in each axis i.
struct Slice {
  Shape offsets, sizes, strides;

  /// Throws unless the slice lies inside `shape`.
  void check(const Shape& shape) const {
    for (size_t i = 0; i < shape.size(); ++i) {
      int64_t size = sizes[i], first = offsets[i], last = 0;
      bool overflow = __builtin_mul_overflow(std::max<int64_t>(size - 1, 0),
                                             strides[i], &last) ||
                      __builtin_add_overflow(first, last, &last);
      bool inside = !overflow && size >= 0 &&
                    (size == 0 || (first >= 0 && first < shape[i] &&
                                   last >= 0 && last < shape[i]));
      Require(inside, "takes offset " + std::to_string(first) + ", size " +
                          std::to_string(size) + " and stride " +
                          std::to_string(strides[i]) + " in axis " +
                          std::to_string(i) + " of shape " +
                          ShapeToString(shape));
    }
  }

  /// Calls body(i, flat index in `shape`) for each element, row-major.
  template <typename Body>
  void forEach(const Shape& shape, Body&& body) const {
    int64_t count = reference::ElementCount(sizes);
    for (int64_t i = 0; i < count; ++i) {
      int64_t rest = i, flat = 0, scale = 1;
      for (size_t axis = shape.size(); axis-- > 0;) {
        flat += (offsets[axis] + rest % sizes[axis] * strides[axis]) * scale;
        rest /= sizes[axis];
        scale *= shape[axis];
      }
      body(i, flat);
    }
  }
};

}  // namespace

template <typename Op>
static Slice sliceOf(Op op, const OpContext& context) {
  return {resolve(op.getMixedOffsets(), context),
          resolve(op.getMixedSizes(), context),
          resolve(op.getMixedStrides(), context)};
}

/// `sizes` without the axes that the result type of a slice drops.
template <typename Op>
static Shape withoutDropped(Op op, const Shape& sizes) {
  llvm::SmallBitVector dropped = op.getDroppedDims();
  Shape shape;
  for (size_t i = 0; i < sizes.size(); ++i)
    if (!dropped[i]) shape.push_back(sizes[i]);
  return shape;
}

static RuntimeValue extractSlice(const RuntimeValue& source, const Slice& slice,
                                 const Shape& resultShape) {
  slice.check(source.shape());
  return source.visit([&](const auto& tensor) -> RuntimeValue {
    std::decay_t<decltype(tensor)> result(resultShape);
    slice.forEach(tensor.shape(),
                  [&](int64_t i, int64_t flat) { result[i] = tensor[flat]; });
    return result;
  });
}

/// `target` with the elements of `source`, row-major, in the slice.
static RuntimeValue insertSlice(const RuntimeValue& source,
                                const RuntimeValue& target,
                                const Slice& slice) {
  slice.check(target.shape());
  Require(source.size() == reference::ElementCount(slice.sizes),
          "inserts a tensor of shape " + ShapeToString(source.shape()) +
              " into a slice of shape " + ShapeToString(slice.sizes));
  return target.visit([&](const auto& tensor) -> RuntimeValue {
    auto result = tensor;
    source.visit([&](const auto& inserted) {
      slice.forEach(tensor.shape(), [&](int64_t i, int64_t flat) {
        result[flat] = inserted[i];
      });
    });
    return result;
  });
}

static RuntimeValue evaluateConcat(tensor::ConcatOp op,
                                   const OpContext& context) {
  size_t axis = op.getDim();
  Shape shape = context.operands[0].shape();
  shape[axis] = 0;
  for (const RuntimeValue& part : context.operands) {
    Shape expected = part.shape();
    Require(expected.size() == shape.size(), "joins tensors of other ranks");
    shape[axis] += expected[axis];
    expected[axis] = shape[axis];
    Require(expected == shape, "joins a tensor of shape " +
                                   ShapeToString(part.shape()) +
                                   " to one of shape " + ShapeToString(shape));
  }
  RuntimeValue result = RuntimeValue::empty(op.getType(), shape);
  Slice slice{Shape(shape.size(), 0), shape, Shape(shape.size(), 1)};
  for (const RuntimeValue& part : context.operands) {
    slice.sizes = part.shape();
    result = insertSlice(part, result, slice);
    slice.offsets[axis] += part.shape()[axis];
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// The flat index of element `indices` of `shape`.
static int64_t flatIndex(const Shape& shape, ArrayRef<RuntimeValue> indices) {
  Require(indices.size() == shape.size(), "has another rank than its indices");
  int64_t flat = 0;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    int64_t index = indices[axis].asInteger();
    Require(0 <= index && index < shape[axis],
            "has index " + std::to_string(index) + " in axis " +
                std::to_string(axis) + " of shape " + ShapeToString(shape));
    flat = flat * shape[axis] + index;
  }
  return flat;
}

static RuntimeValue evaluateExtract(const OpContext& context) {
  const RuntimeValue& source = context.operands[0];
  int64_t flat = flatIndex(source.shape(), context.operands.drop_front());
  return source.visit([&](const auto& tensor) -> RuntimeValue {
    return std::decay_t<decltype(tensor)>(Shape{}, tensor[flat]);
  });
}

static RuntimeValue evaluateInsert(const OpContext& context) {
  const RuntimeValue& target = context.operands[1];
  TensorBuilder result(target);
  Cell cell;
  loadCells(context.operands[0], 0, 0, &cell, 1);
  result.storeCells(
      &cell, flatIndex(target.shape(), context.operands.drop_front(2)), 1, 1);
  return result.finish();
}

/// A tensor whose element i is scalar i of `scalars`, or the only one.
static RuntimeValue gather(Type type, const Shape& shape,
                           ArrayRef<RuntimeValue> scalars) {
  TensorBuilder result(RuntimeValue::empty(type, shape));
  Cell cell;
  int64_t size = reference::ElementCount(shape);
  for (int64_t i = 0; i < size; ++i) {
    loadCells(scalars[scalars.size() == 1 ? 0 : i], 0, 0, &cell, 1);
    result.storeCells(&cell, i, 1, 1);
  }
  return result.finish();
}

/// Sizes of a result whose dynamic sizes are `operands`, in order.
static Shape sizesOf(RankedTensorType type, ArrayRef<RuntimeValue> operands) {
  Shape shape;
  for (int64_t size : type.getShape()) {
    if (ShapedType::isDynamic(size)) {
      size = operands.front().asInteger();
      operands = operands.drop_front();
    }
    shape.push_back(size);
  }
  return shape;
}

/// Runs a region that maps an index to an element, for every element.
static RuntimeValue generate(Region& body, Type type, const Shape& shape,
                             const OpContext& context) {
  Require(body.hasOneBlock(), "has a region of several blocks");
  ScalarProgram program =
      ScalarProgram::compile(body.front(), context.lookup, context.rounds);
  ScalarProgram::Registers registers(program);
  TensorBuilder result(RuntimeValue::empty(type, shape));
  int64_t size = reference::ElementCount(shape);
  for (int64_t i = 0; i < size; ++i) {
    int64_t rest = i;
    for (size_t axis = shape.size(); axis-- > 0; rest /= shape[axis])
      registers[program.arguments()[axis]]->i = rest % shape[axis];
    program.run(registers, 1);
    result.storeCells(registers[program.results()[0]], i, 1, 1);
  }
  return result.finish();
}

static RuntimeValue evaluatePad(tensor::PadOp op, const OpContext& context) {
  const RuntimeValue& source = context.operands[0];
  Shape low = resolve(op.getMixedLowPad(), context);
  Shape high = resolve(op.getMixedHighPad(), context);
  Shape shape = source.shape();
  for (size_t i = 0; i < shape.size(); ++i) {
    Require(low[i] >= 0 && high[i] >= 0,
            "has negative padding in axis " + std::to_string(i));
    shape[i] += low[i] + high[i];
  }
  RuntimeValue padded = generate(op.getRegion(), op.getType(), shape, context);
  return insertSlice(source, padded,
                     {low, source.shape(), Shape(shape.size(), 1)});
}

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

std::optional<Results> mlir::gsa::detail::evaluateTensorOp(
    const OpContext& context) {
  ArrayRef<RuntimeValue> operands = context.operands;
  using Result = std::optional<Results>;
  auto one = [](RuntimeValue value) { return Result(Results{value}); };
  return llvm::TypeSwitch<Operation*, Result>(context.op)
      .Case([&](tensor::DimOp op) { return one(evaluateDim(op, context)); })
      .Case([&](tensor::EmptyOp op) { return one(evaluateEmpty(op, context)); })
      // The types of the result are checked against its sizes afterwards.
      .Case([&](tensor::CastOp) { return one(operands[0]); })
      .Case([&](tensor::CollapseShapeOp op) {
        return one(evaluateCollapse(op, context));
      })
      .Case([&](tensor::ExpandShapeOp op) {
        return one(evaluateExpand(op, context));
      })
      .Case([&](tensor::ExtractSliceOp op) {
        Slice slice = sliceOf(op, context);
        return one(
            extractSlice(operands[0], slice, withoutDropped(op, slice.sizes)));
      })
      .Case([&](tensor::InsertSliceOp op) {
        return one(insertSlice(operands[0], operands[1], sliceOf(op, context)));
      })
      .Case(
          [&](tensor::ConcatOp op) { return one(evaluateConcat(op, context)); })
      .Case([&](tensor::ExtractOp) { return one(evaluateExtract(context)); })
      .Case([&](tensor::InsertOp) { return one(evaluateInsert(context)); })
      .Case([&](tensor::SplatOp op) {
        auto type = op.getType();
        return one(
            gather(type, sizesOf(type, operands.drop_front()), operands[0]));
      })
      .Case([&](tensor::FromElementsOp op) {
        return one(gather(op.getType(), sizesOf(op.getType(), {}), operands));
      })
      .Case([&](tensor::GenerateOp op) {
        auto type = cast<RankedTensorType>(op.getType());
        return one(
            generate(op.getBody(), type, sizesOf(type, operands), context));
      })
      .Case([&](tensor::PadOp op) { return one(evaluatePad(op, context)); })
      .Default([](Operation*) { return std::nullopt; });
}
