//===- Literals.cpp - numbers as C++ --------------------------------------===//

#include "codegen/cuda/Literals.h"

#include <charconv>

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::gsa_tile;

/// Decimal digits that read back as the same number, shortest first.
template <typename T>
static std::string toDecimal(T value) {
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), value);
  std::string text(buffer, end.ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

/// `word` is the C++ type, `bits` the unsigned type of as many bits.
static Literal getSpecial(const APFloat& value, StringRef word) {
  if (value.isInfinity()) {
    std::string text = ("infinity<" + word + ">()").str();
    if (value.isNegative()) return {"-" + text, Precedence::Unary};
    return {text};
  }
  APInt bits = value.bitcastToAPInt();
  if (bits == APFloat::getQNaN(value.getSemantics()).bitcastToAPInt())
    return {("quiet_nan<" + word + ">()").str()};
  // A C++ literal is of the first type that holds it, unsigned for hex.
  std::string hex = "0x" + llvm::utohexstr(bits.getZExtValue(), true) + "u" +
                    (bits.getBitWidth() == 64 ? "ll" : "");
  return {("bit_cast<" + word + ">(" + hex + ")").str()};
}

static Literal getFloat(const APFloat& value) {
  bool isDouble = &value.getSemantics() == &APFloat::IEEEdouble();
  if (value.isInfinity() || value.isNaN())
    return getSpecial(value, isDouble ? "double" : "float");
  std::string text = isDouble ? toDecimal(value.convertToDouble())
                              : toDecimal(value.convertToFloat()) + "f";
  return {text, value.isNegative() ? Precedence::Unary : Precedence::Primary};
}

static Literal getHalf(APFloat value, StringRef convert) {
  // Every f16 and bf16 is a float.
  bool lossy = false;
  value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &lossy);
  return {(convert + "(" + getFloat(value).text + ")").str()};
}

static Literal getInteger(const APInt& value, StringRef suffix) {
  if (!value.isNegative())
    return {llvm::toString(value, 10, /*Signed=*/true) + suffix.str()};
  // The literal of the least number would not fit before the minus.
  if (value.isMinSignedValue()) {
    std::string next = llvm::toString(value + 1, 10, /*Signed=*/true);
    return {"(" + next + suffix.str() + " - 1)"};
  }
  return {llvm::toString(value, 10, /*Signed=*/true) + suffix.str(),
          Precedence::Unary};
}

std::optional<Literal> gsa_tile::getLiteral(TypedAttr value) {
  Type type = value.getType();
  if (auto number = dyn_cast<FloatAttr>(value)) {
    if (type.isF32() || type.isF64()) return getFloat(number.getValue());
    if (type.isF16()) return getHalf(number.getValue(), "to_f16");
    if (type.isBF16()) return getHalf(number.getValue(), "to_bf16");
    return std::nullopt;
  }
  auto number = dyn_cast<IntegerAttr>(value);
  if (!number) return std::nullopt;
  if (type.isInteger(1))
    return Literal{number.getValue().isZero() ? "false" : "true"};
  if (type.isInteger(64)) return getInteger(number.getValue(), "ll");
  if (type.isInteger(8) || type.isInteger(32))
    return getInteger(number.getValue(), "");
  // Index is 32 bits wide in device code.
  if (type.isIndex() && number.getValue().isSignedIntN(32))
    return getInteger(number.getValue().trunc(32), "");
  return std::nullopt;
}
