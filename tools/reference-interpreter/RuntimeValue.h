//===- RuntimeValue.h - values of the reference interpreter ---------------===//
//
// A tensor or scalar that an SSA value holds while a module is interpreted.
// Every float type is held as double: the exact evaluation does not round
// between ops, so what it computes is the value that rounding errors are
// measured against.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_REFERENCE_INTERPRETER_RUNTIMEVALUE_H
#define GSA_TOOLS_REFERENCE_INTERPRETER_RUNTIMEVALUE_H

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "mlir/IR/Types.h"
#include "test/reference/Rounding.h"
#include "test/reference/Tensor.h"

namespace mlir::gsa {

namespace reference = ::gsa::reference;

/// An immutable tensor; copies share the elements. A scalar (float, integer or
/// index) is a tensor of rank 0. Element types map to storage like this:
/// floats: double; i32: int32_t; every other integer and index: int64_t, sign
/// extended (i1: 0 or 1).
class RuntimeValue {
 public:
  using Floats = reference::Tensor<double>;
  using Ints = reference::Tensor<int32_t>;
  using Longs = reference::Tensor<int64_t>;
  enum class Storage { Float, Int, Long };

  /// Holds nothing; only assignable.
  RuntimeValue() = default;
  RuntimeValue(Floats tensor) : data(share(std::move(tensor))) {}
  RuntimeValue(Ints tensor) : data(share(std::move(tensor))) {}
  RuntimeValue(Longs tensor) : data(share(std::move(tensor))) {}

  /// The storage of tensors and scalars whose element type is `type`. Throws
  /// std::invalid_argument for a type that is no float, integer of at most 64
  /// bits or index.
  static Storage storageOf(Type type);
  /// An uninitialised tensor for elements of `type`: NaN or 0, so that a read
  /// of what nobody wrote is seen in the result.
  static RuntimeValue empty(Type elementType, const reference::Shape& shape);
  /// A rank 0 value of `type`.
  static RuntimeValue scalar(Type type, int64_t value);

  bool isEmpty() const { return std::holds_alternative<std::monostate>(data); }
  bool isFloat() const { return holds<Floats>(); }
  bool isInt() const { return holds<Ints>(); }
  bool isLong() const { return holds<Longs>(); }
  Storage storage() const {
    return isFloat() ? Storage::Float : isInt() ? Storage::Int : Storage::Long;
  }

  /// The tensor; throws std::invalid_argument if another type is held.
  const Floats& floats() const { return get<Floats>("floats"); }
  const Ints& ints() const { return get<Ints>("32-bit integers"); }
  const Longs& longs() const { return get<Longs>("64-bit integers"); }

  const reference::Shape& shape() const;
  int64_t size() const { return reference::ElementCount(shape()); }
  /// The element of a rank 0 integer or index. Throws for anything else.
  int64_t asInteger() const;
  /// Element `i` (row-major) of an integer tensor. Throws for floats.
  int64_t integerAt(int64_t i) const {
    return isInt() ? ints()[i] : longs()[i];
  }

  /// Whether both hold the same elements in the same memory: certainly equal.
  bool sharesWith(const RuntimeValue& other) const {
    return data == other.data;
  }

  /// Calls `visitor` with the tensor that is held.
  template <typename Visitor>
  decltype(auto) visit(Visitor&& visitor) const {
    if (isFloat()) return visitor(floats());
    if (isInt()) return visitor(ints());
    return visitor(longs());
  }

 private:
  template <typename T>
  static std::shared_ptr<const T> share(T tensor) {
    return std::make_shared<const T>(std::move(tensor));
  }
  template <typename T>
  bool holds() const {
    return std::holds_alternative<std::shared_ptr<const T>>(data);
  }
  template <typename T>
  const T& get(const char* expected) const {
    reference::Require(holds<T>(),
                       std::string("an operand does not hold ") + expected);
    return *std::get<std::shared_ptr<const T>>(data);
  }

  std::variant<std::monostate, std::shared_ptr<const Floats>,
               std::shared_ptr<const Ints>, std::shared_ptr<const Longs>>
      data;
};

/// The format of a float type or of the elements of a tensor; binary64 for
/// wider ones and for what is no float.
reference::FloatFormat formatOf(Type type);

/// `value` with each float rounded to the element type of `type`; shares the
/// elements of `value` if that changes none.
RuntimeValue roundTo(Type type, const RuntimeValue& value);

/// Empty if `value` may be held by an SSA value of type `type` (element
/// storage, rank and static sizes), else what is wrong: "has shape [2, 3],
/// expected 'tensor<?x4xf32>'".
std::string describeMismatch(const RuntimeValue& value, Type type);

}  // namespace mlir::gsa

#endif  // GSA_TOOLS_REFERENCE_INTERPRETER_RUNTIMEVALUE_H
