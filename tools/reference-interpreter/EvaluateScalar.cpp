//===- EvaluateScalar.cpp - constants, arith and math ops -----------------===//
//
// arith and math ops at function level: on scalars, and element by element on
// tensors.
//
//===----------------------------------------------------------------------===//

#include <algorithm>
#include <cstring>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "tools/reference-interpreter/Evaluate.h"
#include "tools/reference-interpreter/ScalarProgram.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

static int64_t toInteger(const APInt& bits) {
  return bits.getBitWidth() == 1 ? bits.getZExtValue() : bits.getSExtValue();
}

static double toDouble(APFloat value) {
  bool losesInfo;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                &losesInfo);
  return value.convertToDouble();
}

/// The elements of a dense_resource blob of f32, f64, i32 or i64.
template <typename Stored, typename T>
static void readBlob(ArrayRef<char> bytes, reference::Tensor<T>& tensor) {
  reference::Require(bytes.size() == tensor.size() * sizeof(Stored),
                     "has a resource of " + std::to_string(bytes.size()) +
                         " bytes, expected " +
                         std::to_string(tensor.size() * sizeof(Stored)));
  // A blob may have any alignment.
  for (int64_t i = 0; i < tensor.size(); ++i) {
    Stored value;
    std::memcpy(&value, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    tensor[i] = value;
  }
}

static RuntimeValue readResource(DenseResourceElementsAttr attribute,
                                 const reference::Shape& shape) {
  AsmResourceBlob* blob = attribute.getRawHandle().getBlob();
  reference::Require(blob, "has a resource without data");
  ArrayRef<char> bytes = blob->getData();
  Type element = attribute.getType().getElementType();
  if (element.isF32() || element.isF64()) {
    RuntimeValue::Floats tensor(shape);
    element.isF32() ? readBlob<float>(bytes, tensor)
                    : readBlob<double>(bytes, tensor);
    return tensor;
  }
  if (element.isInteger(32)) {
    RuntimeValue::Ints tensor(shape);
    readBlob<int32_t>(bytes, tensor);
    return tensor;
  }
  reference::Require(element.isInteger(64),
                     "has a resource of an element type that is not supported "
                     "by the reference interpreter");
  RuntimeValue::Longs tensor(shape);
  readBlob<int64_t>(bytes, tensor);
  return tensor;
}

static RuntimeValue readConstant(TypedAttr attribute) {
  if (auto real = dyn_cast<FloatAttr>(attribute))
    return RuntimeValue::Floats({}, toDouble(real.getValue()));
  if (auto integer = dyn_cast<IntegerAttr>(attribute))
    return RuntimeValue::scalar(integer.getType(),
                                toInteger(integer.getValue()));
  auto type = dyn_cast<RankedTensorType>(attribute.getType());
  reference::Require(bool(type),
                     "is not supported by the reference interpreter");
  reference::Shape shape(type.getShape().begin(), type.getShape().end());
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute))
    return readResource(resource, shape);
  auto elements = dyn_cast<ElementsAttr>(attribute);
  reference::Require(bool(elements),
                     "is not supported by the reference interpreter");
  switch (RuntimeValue::storageOf(type)) {
    case RuntimeValue::Storage::Float: {
      std::vector<double> values;
      for (const APFloat& value : elements.getValues<APFloat>())
        values.push_back(toDouble(value));
      return RuntimeValue::Floats(shape, std::move(values));
    }
    case RuntimeValue::Storage::Int: {
      std::vector<int32_t> values;
      for (const APInt& value : elements.getValues<APInt>())
        values.push_back(static_cast<int32_t>(toInteger(value)));
      return RuntimeValue::Ints(shape, std::move(values));
    }
    case RuntimeValue::Storage::Long: {
      std::vector<int64_t> values;
      for (const APInt& value : elements.getValues<APInt>())
        values.push_back(toInteger(value));
      return RuntimeValue::Longs(shape, std::move(values));
    }
  }
  llvm_unreachable("unknown storage");
}

/// Runs a program over all elements; scalars are the same for all.
static RuntimeValue evaluateElements(const ScalarProgram& program,
                                     const OpContext& context) {
  reference::Shape shape;
  for (const RuntimeValue& operand : context.operands)
    if (!operand.shape().empty()) shape = operand.shape();
  for (const RuntimeValue& operand : context.operands)
    reference::Require(operand.shape().empty() || operand.shape() == shape,
                       "has operands of shapes " +
                           reference::ShapeToString(operand.shape()) + " and " +
                           reference::ShapeToString(shape));
  TensorBuilder result(
      RuntimeValue::empty(context.op->getResult(0).getType(), shape));
  ScalarProgram::Registers registers(program);
  int64_t size = reference::ElementCount(shape);
  for (int64_t i = 0; i < size; i += ScalarProgram::kLanes) {
    int64_t count = std::min(size - i, ScalarProgram::kLanes);
    for (auto [operand, index] :
         llvm::zip_equal(context.operands, program.arguments())) {
      bool isScalar = operand.shape().empty();
      loadCells(operand, isScalar ? 0 : i, isScalar ? 0 : 1, registers[index],
                count);
    }
    program.run(registers, count);
    result.storeCells(registers[program.results()[0]], i, 1, count);
  }
  return result.finish();
}

std::optional<Results> mlir::gsa::detail::evaluateScalarOp(
    const OpContext& context) {
  if (auto constant = dyn_cast<arith::ConstantOp>(context.op))
    return Results{readConstant(constant.getValue())};
  std::optional<ScalarProgram> program = ScalarProgram::compile(context.op);
  if (!program) return std::nullopt;
  return Results{evaluateElements(*program, context)};
}
