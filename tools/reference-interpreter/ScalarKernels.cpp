//===- ScalarKernels.cpp - instructions of arith and math ops -------------===//
//
// A table from op names to strips of scalar arithmetic. Floats are double
// whatever the type; integers wrap at the width of their type.
//
//===----------------------------------------------------------------------===//

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "llvm/ADT/StringMap.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"
#include "tools/reference-interpreter/ScalarProgram.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

static constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// The low `width` bits, sign extended; i1 is 0 or 1.
static int64_t wrap(uint64_t value, unsigned width) {
  if (width >= 64) return static_cast<int64_t>(value);
  if (width == 1) return static_cast<int64_t>(value & 1);
  unsigned shift = 64 - width;
  return static_cast<int64_t>(value << shift) >> shift;
}

/// The low `width` bits as an unsigned number.
static uint64_t zeroExtend(int64_t value, unsigned width) {
  uint64_t bits = static_cast<uint64_t>(value);
  return width >= 64 ? bits : bits & ((uint64_t{1} << width) - 1);
}

/// The signed number that the register stands for: i1 holds 0 or -1.
static int64_t signedValue(int64_t value, unsigned width) {
  return width == 1 ? -value : value;
}

static void requireDivisor(uint64_t divisor) {
  if (divisor == 0) throw std::invalid_argument("divides by zero");
}

static int64_t floorDivide(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t ceilDivide(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return quotient + (a % b != 0 && (a < 0) == (b < 0));
}

/// Division overflows for the smallest number and -1 only; negation wraps.
template <typename Divide>
static uint64_t divideSigned(int64_t a, int64_t b, Divide divide) {
  requireDivisor(b);
  return b == -1 ? 0 - static_cast<uint64_t>(a)
                 : static_cast<uint64_t>(divide(a, b));
}

/// A shift by the width or more is poison in MLIR; here it is an error.
static unsigned shiftAmount(uint64_t amount, unsigned width) {
  if (amount >= width)
    throw std::invalid_argument("shifts by the width or more");
  return static_cast<unsigned>(amount);
}

static bool compareIntegers(arith::CmpIPredicate predicate, int64_t a,
                            int64_t b, unsigned width) {
  uint64_t ua = zeroExtend(a, width), ub = zeroExtend(b, width);
  int64_t sa = signedValue(a, width), sb = signedValue(b, width);
  switch (predicate) {
    case arith::CmpIPredicate::eq:
      return a == b;
    case arith::CmpIPredicate::ne:
      return a != b;
    case arith::CmpIPredicate::slt:
      return sa < sb;
    case arith::CmpIPredicate::sle:
      return sa <= sb;
    case arith::CmpIPredicate::sgt:
      return sa > sb;
    case arith::CmpIPredicate::sge:
      return sa >= sb;
    case arith::CmpIPredicate::ult:
      return ua < ub;
    case arith::CmpIPredicate::ule:
      return ua <= ub;
    case arith::CmpIPredicate::ugt:
      return ua > ub;
    case arith::CmpIPredicate::uge:
      return ua >= ub;
  }
  llvm_unreachable("unknown predicate");
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

static bool compareFloats(arith::CmpFPredicate predicate, double a, double b) {
  bool unordered = std::isnan(a) || std::isnan(b);
  switch (predicate) {
    case arith::CmpFPredicate::AlwaysFalse:
      return false;
    case arith::CmpFPredicate::OEQ:
      return a == b;
    case arith::CmpFPredicate::OGT:
      return a > b;
    case arith::CmpFPredicate::OGE:
      return a >= b;
    case arith::CmpFPredicate::OLT:
      return a < b;
    case arith::CmpFPredicate::OLE:
      return a <= b;
    case arith::CmpFPredicate::ONE:
      return !unordered && a != b;
    case arith::CmpFPredicate::ORD:
      return !unordered;
    case arith::CmpFPredicate::UEQ:
      return unordered || a == b;
    case arith::CmpFPredicate::UGT:
      return unordered || a > b;
    case arith::CmpFPredicate::UGE:
      return unordered || a >= b;
    case arith::CmpFPredicate::ULT:
      return unordered || a < b;
    case arith::CmpFPredicate::ULE:
      return unordered || a <= b;
    case arith::CmpFPredicate::UNE:
      return unordered || a != b;
    case arith::CmpFPredicate::UNO:
      return unordered;
    case arith::CmpFPredicate::AlwaysTrue:
      return true;
  }
  llvm_unreachable("unknown predicate");
}

/// IEEE maximum: a NaN wins, +0 is larger than -0.
static double maximum(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return kNan;
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
static double minimum(double a, double b) { return -maximum(-a, -b); }

/// Rounds towards zero. What does not fit is poison in MLIR; it is an error.
static int64_t truncateToInteger(double x, unsigned width, bool isSigned) {
  double limit = std::ldexp(1.0, static_cast<int>(width) - (isSigned ? 1 : 0));
  double whole = std::trunc(x);
  bool fits =
      isSigned ? whole >= -limit && whole < limit : whole >= 0 && whole < limit;
  if (!fits)
    throw std::invalid_argument("converts " + std::to_string(x) +
                                " to an integer type that cannot hold it");
  if (isSigned) return static_cast<int64_t>(whole);
  return wrap(static_cast<uint64_t>(whole), width);
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

template <auto function>
static void unaryFloat(const Instruction&, const Cell* const* in, Cell* out,
                       int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i].f = function(in[0][i].f);
}

template <auto function>
static void binaryFloat(const Instruction&, const Cell* const* in, Cell* out,
                        int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    out[i].f = function(in[0][i].f, in[1][i].f);
}

/// `function(a, b, width)` on signed numbers.
template <auto function>
static void binarySigned(const Instruction& instruction, const Cell* const* in,
                         Cell* out, int64_t count) {
  unsigned width = instruction.width;
  for (int64_t i = 0; i < count; ++i)
    out[i].i = wrap(function(signedValue(in[0][i].i, width),
                             signedValue(in[1][i].i, width), width),
                    width);
}

/// `function(a, b, width)` on unsigned numbers.
template <auto function>
static void binaryUnsigned(const Instruction& instruction,
                           const Cell* const* in, Cell* out, int64_t count) {
  unsigned width = instruction.width;
  for (int64_t i = 0; i < count; ++i)
    out[i].i = wrap(function(zeroExtend(in[0][i].i, width),
                             zeroExtend(in[1][i].i, width), width),
                    width);
}

/// `function(x, instruction)` on one cell.
template <auto function>
static void convert(const Instruction& instruction, const Cell* const* in,
                    Cell* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] = function(in[0][i], instruction);
}

static void compareFloatKernel(const Instruction& instruction,
                               const Cell* const* in, Cell* out,
                               int64_t count) {
  auto predicate = static_cast<arith::CmpFPredicate>(instruction.predicate);
  for (int64_t i = 0; i < count; ++i)
    out[i].i = compareFloats(predicate, in[0][i].f, in[1][i].f);
}

static void compareIntegerKernel(const Instruction& instruction,
                                 const Cell* const* in, Cell* out,
                                 int64_t count) {
  auto predicate = static_cast<arith::CmpIPredicate>(instruction.predicate);
  for (int64_t i = 0; i < count; ++i)
    out[i].i = compareIntegers(predicate, in[0][i].i, in[1][i].i,
                               instruction.operandWidth);
}

static void selectKernel(const Instruction&, const Cell* const* in, Cell* out,
                         int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] = in[0][i].i ? in[1][i] : in[2][i];
}

static void fmaKernel(const Instruction&, const Cell* const* in, Cell* out,
                      int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    out[i].f = std::fma(in[0][i].f, in[1][i].f, in[2][i].f);
}

static void powerOfIntegerKernel(const Instruction&, const Cell* const* in,
                                 Cell* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    out[i].f = std::pow(in[0][i].f, static_cast<double>(in[1][i].i));
}

//===----------------------------------------------------------------------===//
// Table
//===----------------------------------------------------------------------===//

static void addFloatOps(llvm::StringMap<Kernel>& table) {
  table["arith.addf"] = binaryFloat<[](double a, double b) { return a + b; }>;
  table["arith.subf"] = binaryFloat<[](double a, double b) { return a - b; }>;
  table["arith.mulf"] = binaryFloat<[](double a, double b) { return a * b; }>;
  table["arith.divf"] = binaryFloat<[](double a, double b) { return a / b; }>;
  table["arith.remf"] =
      binaryFloat<[](double a, double b) { return std::fmod(a, b); }>;
  table["arith.maximumf"] = binaryFloat<maximum>;
  table["arith.minimumf"] = binaryFloat<minimum>;
  table["arith.maxnumf"] =
      binaryFloat<[](double a, double b) { return std::fmax(a, b); }>;
  table["arith.minnumf"] =
      binaryFloat<[](double a, double b) { return std::fmin(a, b); }>;
  table["arith.negf"] = unaryFloat<[](double x) { return -x; }>;
  // Nothing is rounded between ops.
  table["arith.extf"] = unaryFloat<[](double x) { return x; }>;
  table["arith.truncf"] = unaryFloat<[](double x) { return x; }>;
  table["arith.cmpf"] = compareFloatKernel;
  table["arith.select"] = selectKernel;
}

static void addMathOps(llvm::StringMap<Kernel>& table) {
  table["math.absf"] = unaryFloat<[](double x) { return std::fabs(x); }>;
  table["math.ceil"] = unaryFloat<[](double x) { return std::ceil(x); }>;
  table["math.floor"] = unaryFloat<[](double x) { return std::floor(x); }>;
  table["math.trunc"] = unaryFloat<[](double x) { return std::trunc(x); }>;
  table["math.roundeven"] =
      unaryFloat<[](double x) { return std::nearbyint(x); }>;
  table["math.exp"] = unaryFloat<[](double x) { return std::exp(x); }>;
  table["math.exp2"] = unaryFloat<[](double x) { return std::exp2(x); }>;
  table["math.expm1"] = unaryFloat<[](double x) { return std::expm1(x); }>;
  table["math.log"] = unaryFloat<[](double x) { return std::log(x); }>;
  table["math.log2"] = unaryFloat<[](double x) { return std::log2(x); }>;
  table["math.log10"] = unaryFloat<[](double x) { return std::log10(x); }>;
  table["math.log1p"] = unaryFloat<[](double x) { return std::log1p(x); }>;
  table["math.tanh"] = unaryFloat<[](double x) { return std::tanh(x); }>;
  table["math.sin"] = unaryFloat<[](double x) { return std::sin(x); }>;
  table["math.cos"] = unaryFloat<[](double x) { return std::cos(x); }>;
  table["math.erf"] = unaryFloat<[](double x) { return std::erf(x); }>;
  table["math.sqrt"] = unaryFloat<[](double x) { return std::sqrt(x); }>;
  table["math.rsqrt"] = unaryFloat<[](double x) { return 1 / std::sqrt(x); }>;
  table["math.powf"] =
      binaryFloat<[](double a, double b) { return std::pow(a, b); }>;
  table["math.copysign"] =
      binaryFloat<[](double a, double b) { return std::copysign(a, b); }>;
  table["math.fma"] = fmaKernel;
  table["math.fpowi"] = powerOfIntegerKernel;
}

static void addSignedOps(llvm::StringMap<Kernel>& table) {
  using U = uint64_t;
  table["arith.divsi"] = binarySigned<[](int64_t a, int64_t b, unsigned) {
    return divideSigned(a, b, [](int64_t x, int64_t y) { return x / y; });
  }>;
  table["arith.remsi"] = binarySigned<[](int64_t a, int64_t b, unsigned) {
    requireDivisor(b);
    return b == -1 ? U{0} : static_cast<U>(a % b);
  }>;
  table["arith.floordivsi"] = binarySigned<[](int64_t a, int64_t b, unsigned) {
    return divideSigned(a, b, floorDivide);
  }>;
  table["arith.ceildivsi"] = binarySigned<[](int64_t a, int64_t b, unsigned) {
    return divideSigned(a, b, ceilDivide);
  }>;
  table["arith.maxsi"] = binarySigned<[](int64_t a, int64_t b, unsigned) {
    return static_cast<U>(std::max(a, b));
  }>;
  table["arith.minsi"] = binarySigned<[](int64_t a, int64_t b, unsigned) {
    return static_cast<U>(std::min(a, b));
  }>;
  table["arith.shrsi"] = binarySigned<[](int64_t a, int64_t b, unsigned width) {
    return static_cast<U>(a >> shiftAmount(b, width));
  }>;
}

static void addUnsignedOps(llvm::StringMap<Kernel>& table) {
  using U = uint64_t;
  table["arith.addi"] =
      binaryUnsigned<[](U a, U b, unsigned) { return a + b; }>;
  table["arith.subi"] =
      binaryUnsigned<[](U a, U b, unsigned) { return a - b; }>;
  table["arith.muli"] =
      binaryUnsigned<[](U a, U b, unsigned) { return a * b; }>;
  table["arith.andi"] =
      binaryUnsigned<[](U a, U b, unsigned) { return a & b; }>;
  table["arith.ori"] = binaryUnsigned<[](U a, U b, unsigned) { return a | b; }>;
  table["arith.xori"] =
      binaryUnsigned<[](U a, U b, unsigned) { return a ^ b; }>;
  table["arith.divui"] = binaryUnsigned<[](U a, U b, unsigned) {
    requireDivisor(b);
    return a / b;
  }>;
  table["arith.remui"] = binaryUnsigned<[](U a, U b, unsigned) {
    requireDivisor(b);
    return a % b;
  }>;
  table["arith.ceildivui"] = binaryUnsigned<[](U a, U b, unsigned) {
    requireDivisor(b);
    return a / b + (a % b != 0);
  }>;
  table["arith.maxui"] =
      binaryUnsigned<[](U a, U b, unsigned) { return std::max(a, b); }>;
  table["arith.minui"] =
      binaryUnsigned<[](U a, U b, unsigned) { return std::min(a, b); }>;
  table["arith.shli"] = binaryUnsigned<[](U a, U b, unsigned width) {
    return a << shiftAmount(b, width);
  }>;
  table["arith.shrui"] = binaryUnsigned<[](U a, U b, unsigned width) {
    return a >> shiftAmount(b, width);
  }>;
}

static void addConversions(llvm::StringMap<Kernel>& table) {
  Kernel toSigned = convert<[](Cell x, const Instruction& to) {
    return Cell{.i = wrap(signedValue(x.i, to.operandWidth), to.width)};
  }>;
  Kernel toUnsigned = convert<[](Cell x, const Instruction& to) {
    return Cell{.i = wrap(zeroExtend(x.i, to.operandWidth), to.width)};
  }>;
  table["arith.index_cast"] = table["arith.extsi"] = table["arith.trunci"] =
      toSigned;
  table["arith.index_castui"] = table["arith.extui"] = toUnsigned;
  table["arith.sitofp"] = convert<[](Cell x, const Instruction& to) {
    return Cell{.f = static_cast<double>(signedValue(x.i, to.operandWidth))};
  }>;
  table["arith.uitofp"] = convert<[](Cell x, const Instruction& to) {
    return Cell{.f = static_cast<double>(zeroExtend(x.i, to.operandWidth))};
  }>;
  table["arith.fptosi"] = convert<[](Cell x, const Instruction& to) {
    return Cell{.i = truncateToInteger(x.f, to.width, /*isSigned=*/true)};
  }>;
  table["arith.fptoui"] = convert<[](Cell x, const Instruction& to) {
    return Cell{.i = truncateToInteger(x.f, to.width, /*isSigned=*/false)};
  }>;
  table["arith.cmpi"] = compareIntegerKernel;
}

static const llvm::StringMap<Kernel>& kernels() {
  static const llvm::StringMap<Kernel> table = [] {
    llvm::StringMap<Kernel> result;
    addFloatOps(result);
    addMathOps(result);
    addSignedOps(result);
    addUnsignedOps(result);
    addConversions(result);
    return result;
  }();
  return table;
}

/// Bits of an integer type; 64 for index and for floats, where none is read.
static unsigned widthOf(Type type) {
  auto integer = dyn_cast<IntegerType>(getElementTypeOrSelf(type));
  return integer ? integer.getWidth() : 64;
}

std::optional<Instruction> mlir::gsa::detail::selectInstruction(Operation* op) {
  auto kernel = kernels().find(op->getName().getStringRef());
  if (kernel == kernels().end() || op->getNumResults() != 1)
    return std::nullopt;
  Instruction instruction;
  instruction.kernel = kernel->second;
  instruction.width = widthOf(op->getResult(0).getType());
  instruction.operandWidth = widthOf(op->getOperand(0).getType());
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    instruction.predicate = static_cast<int64_t>(compare.getPredicate());
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    instruction.predicate = static_cast<int64_t>(compare.getPredicate());
  return instruction;
}
