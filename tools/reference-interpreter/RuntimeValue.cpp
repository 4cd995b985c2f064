//===- RuntimeValue.cpp - values of the reference interpreter -------------===//

#include "tools/reference-interpreter/RuntimeValue.h"

#include <limits>
#include <optional>

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::gsa;

static std::string text(Type type) {
  std::string result;
  llvm::raw_string_ostream(result) << '\'' << type << '\'';
  return result;
}

/// nullopt for a type that the interpreter cannot hold.
static std::optional<RuntimeValue::Storage> findStorage(Type type) {
  if (isa<ShapedType>(type) && !isa<RankedTensorType>(type))
    return std::nullopt;
  Type element = getElementTypeOrSelf(type);
  if (isa<FloatType>(element)) return RuntimeValue::Storage::Float;
  if (element.isInteger(32)) return RuntimeValue::Storage::Int;
  auto integer = dyn_cast<IntegerType>(element);
  if (element.isIndex() || (integer && integer.getWidth() <= 64))
    return RuntimeValue::Storage::Long;
  return std::nullopt;
}

RuntimeValue::Storage RuntimeValue::storageOf(Type type) {
  std::optional<Storage> storage = findStorage(type);
  reference::Require(storage.has_value(),
                     "values of type " + text(type) +
                         " are not supported by the reference interpreter");
  return *storage;
}

RuntimeValue RuntimeValue::empty(Type elementType,
                                 const reference::Shape& shape) {
  switch (storageOf(elementType)) {
    case Storage::Float:
      return Floats(shape, std::numeric_limits<double>::quiet_NaN());
    case Storage::Int:
      return Ints(shape);
    case Storage::Long:
      return Longs(shape);
  }
  llvm_unreachable("unknown storage");
}

RuntimeValue RuntimeValue::scalar(Type type, int64_t value) {
  switch (storageOf(type)) {
    case Storage::Float:
      return Floats({}, static_cast<double>(value));
    case Storage::Int:
      return Ints({}, static_cast<int32_t>(value));
    case Storage::Long:
      return Longs({}, value);
  }
  llvm_unreachable("unknown storage");
}

const reference::Shape& RuntimeValue::shape() const {
  reference::Require(!isEmpty(), "a value was used before it was computed");
  return visit([](const auto& tensor) -> const reference::Shape& {
    return tensor.shape();
  });
}

int64_t RuntimeValue::asInteger() const {
  reference::Require(!isEmpty() && !isFloat() && shape().empty(),
                     "an integer scalar was expected");
  return integerAt(0);
}

reference::FloatFormat mlir::gsa::formatOf(Type type) {
  auto element = dyn_cast<FloatType>(getElementTypeOrSelf(type));
  if (!element || element.getWidth() >= 64)
    return reference::FloatFormat::F64();
  const llvm::fltSemantics& semantics = element.getFloatSemantics();
  return {static_cast<int>(llvm::APFloat::semanticsPrecision(semantics)),
          llvm::APFloat::semanticsMinExponent(semantics),
          llvm::APFloat::semanticsMaxExponent(semantics)};
}

RuntimeValue mlir::gsa::roundTo(Type type, const RuntimeValue& value) {
  reference::FloatFormat format = formatOf(type);
  if (!value.isFloat() || format == reference::FloatFormat::F64()) return value;
  const RuntimeValue::Floats& exact = value.floats();
  reference::Rounder rounder(format);
  auto isRounded = [&](double x) { return rounder(x) == x || x != x; };
  if (llvm::all_of(exact.values(), isRounded)) return value;
  RuntimeValue::Floats rounded = exact;
  rounder(&rounded);
  return rounded;
}

std::string mlir::gsa::describeMismatch(const RuntimeValue& value, Type type) {
  if (value.isEmpty()) return "has no value";
  std::optional<RuntimeValue::Storage> storage = findStorage(type);
  if (!storage)
    return "has the type " + text(type) +
           ", which the reference interpreter does not support";
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (value.storage() != *storage)
    return std::string("holds ") +
           (value.isFloat() ? "floats"
            : value.isInt() ? "32-bit integers"
                            : "64-bit integers") +
           ", expected elements of " + text(type);
  const reference::Shape& shape = value.shape();
  ArrayRef<int64_t> declared = tensor ? tensor.getShape() : ArrayRef<int64_t>();
  bool fits = declared.size() == shape.size();
  for (size_t i = 0; fits && i < shape.size(); ++i)
    fits = ShapedType::isDynamic(declared[i]) || declared[i] == shape[i];
  if (fits) return "";
  return "has shape " + reference::ShapeToString(shape) + ", expected " +
         text(type);
}
