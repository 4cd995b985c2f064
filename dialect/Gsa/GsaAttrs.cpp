//===- GsaAttrs.cpp - enums and attributes of the gsa dialect -------------===//

#include <cmath>

#include "dialect/Common/AttributeNames.h"
#include "dialect/Gsa/GsaDialect.h"
#include "dialect/Gsa/GsaLimits.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace mlir::gsa;

namespace mlir::gsa::detail {
/// Reads a float literal; the generated attribute parser calls it.
static FailureOr<APFloat> parseDouble(AsmParser& parser) {
  double value;
  if (failed(parser.parseFloat(value))) return failure();
  return APFloat(value);
}
}  // namespace mlir::gsa::detail

/// Fields of #gsa.k_policy, in any order. What (C4) says of fields that are
/// stated is checked here: the attribute holds values, stated or not.
static ParseResult parseKPolicyFields(AsmParser& parser, KPolicyKind kind,
                                      int64_t& base, int64_t& min, int64_t& max,
                                      FailureOr<APFloat>& temperature) {
  static constexpr StringRef kFields[] = {"base", "min", "max", "temperature"};
  min = 1;
  max = int64_t{1} << 30;
  llvm::SmallSet<StringRef, 4> stated;
  auto parseField = [&]() -> ParseResult {
    SMLoc loc = parser.getCurrentLocation();
    StringRef field;
    if (parser.parseKeyword(&field)) return failure();
    if (!llvm::is_contained(kFields, field))
      return parser.emitError(loc) << "a budget policy has no field '" << field
                                   << "'" << suggestNames(field, kFields);
    if (!stated.insert(field).second)
      return parser.emitError(loc) << "'" << field << "' is given twice";
    if (kind == KPolicyKind::Fixed && field != "base")
      return parser.emitError(loc) << "(C4) policy 'fixed' takes 'base' alone, "
                                      "got '"
                                   << field << "' beside it";
    if (parser.parseEqual()) return failure();
    if (field == "temperature") {
      double value;
      if (parser.parseFloat(value)) return failure();
      temperature = APFloat(value);
      return success();
    }
    return parser.parseInteger(field == "base"  ? base
                               : field == "min" ? min
                                                : max);
  };
  SMLoc start = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(parseField)) return failure();
  if (!stated.contains("base"))
    return parser.emitError(start) << "a budget policy must state 'base'";
  if (kind != KPolicyKind::Fixed && !stated.contains("max"))
    return parser.emitError(start)
           << "(C4) policy '" << stringifyKPolicyKind(kind)
           << "' must state 'max', the largest budget";
  return success();
}

static void printKPolicyFields(AsmPrinter& printer, KPolicyKind kind,
                               int64_t base, int64_t min, int64_t max,
                               const APFloat& temperature) {
  printer << "base = " << base;
  if (kind == KPolicyKind::Fixed) return;
  if (min != 1) printer << ", min = " << min;
  printer << ", max = " << max;
  if (temperature.convertToDouble() == 1.0) return;
  printer << ", temperature = ";
  printer.printFloat(temperature);
}

#include "dialect/Gsa/GsaEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/Gsa/GsaAttrs.cpp.inc"

void GsaDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/Gsa/GsaAttrs.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// KPolicyAttr
//===----------------------------------------------------------------------===//

LogicalResult KPolicyAttr::verify(
    llvm::function_ref<InFlightDiagnostic()> emitError, KPolicyKind kind,
    int64_t base, int64_t min, int64_t max, APFloat temperatureValue) {
  double temperature = temperatureValue.convertToDouble();
  if (base < 1 || base > kMaxBudget)
    return emitError() << "(C1) 'base' must be in [1, " << kMaxBudget
                       << "], got " << base;
  if (min < 1 || min > max || max > kMaxBudget)
    return emitError() << "(C2) expected 1 <= min <= max <= " << kMaxBudget
                       << ", got min = " << min << " and max = " << max;
  if (!std::isfinite(temperature) || temperature < 0)
    return emitError()
           << "(C3) 'temperature' must be finite and not negative, got "
           << temperature;
  if (kind == KPolicyKind::Fixed &&
      (min != 1 || max != kMaxBudget || temperature != 1.0))
    return emitError() << "(C4) policy 'fixed' takes 'base' alone, got 'min', "
                          "'max' or 'temperature' beside it";
  return success();
}

int64_t KPolicyAttr::getLeast() const {
  if (getKind() == KPolicyKind::Fixed) return getBase();
  return std::min(getMin(), getSlots());
}

int64_t KPolicyAttr::getSlots() const {
  switch (getKind()) {
    case KPolicyKind::Fixed:
      return getBase();
    case KPolicyKind::UpstreamVariance:
      // 0.5 + 1 / (1 + x) is at most 1.5 for x >= 0; the clamp to min comes
      // after, so min may lift the bound.
      return std::max(getMin(), std::min(getMax(), getBase() * 3 / 2));
    case KPolicyKind::PaperEma:
    case KPolicyKind::Entropy:
    case KPolicyKind::Orth:
      return getMax();
  }
  llvm_unreachable("unknown policy");
}

bool KPolicyAttr::usesStatistic() const {
  return getKind() != KPolicyKind::Fixed;
}

bool KPolicyAttr::usesNormaliser() const {
  return getKind() == KPolicyKind::UpstreamVariance ||
         getKind() == KPolicyKind::PaperEma;
}

Statistic KPolicyAttr::getStatistic() const {
  return getKind() == KPolicyKind::Entropy ? Statistic::Entropy
                                           : Statistic::Variance;
}

Population KPolicyAttr::getPopulation() const {
  return getKind() == KPolicyKind::UpstreamVariance ? Population::ZeroFilled
                                                    : Population::Visible;
}

int64_t KPolicyAttr::getCorrection() const {
  return getKind() == KPolicyKind::UpstreamVariance ? 1 : 0;
}

//===----------------------------------------------------------------------===//
// ListsAttr
//===----------------------------------------------------------------------===//

LogicalResult ListsAttr::verify(
    llvm::function_ref<InFlightDiagnostic()> emitError, Mask, int64_t least) {
  if (least >= 0) return success();
  return emitError() << "(C1) 'least' must not be negative, got " << least;
}

//===----------------------------------------------------------------------===//
// RopeScalingAttr
//===----------------------------------------------------------------------===//

LogicalResult RopeScalingAttr::verify(
    llvm::function_ref<InFlightDiagnostic()> emitError, RopeScalingKind kind,
    APFloat factorValue, int64_t originalMaxPosition, APFloat betaFastValue,
    APFloat betaSlowValue) {
  double factor = factorValue.convertToDouble();
  double betaFast = betaFastValue.convertToDouble();
  double betaSlow = betaSlowValue.convertToDouble();
  if (!std::isfinite(factor) || factor < 1.0)
    return emitError() << "(C1) 'factor' must be finite and at least 1, got "
                       << factor;
  if (originalMaxPosition < 1)
    return emitError() << "(C2) 'original_max_position' must be at least 1, "
                          "got "
                       << originalMaxPosition;
  if (!(betaFast > betaSlow && betaSlow > 0) || !std::isfinite(betaFast))
    return emitError() << "(C3) expected beta_fast > beta_slow > 0, got "
                       << betaFast << " and " << betaSlow;
  return success();
}

//===----------------------------------------------------------------------===//
// CpuScheduleAttr
//===----------------------------------------------------------------------===//

LogicalResult CpuScheduleAttr::verify(
    llvm::function_ref<InFlightDiagnostic()> emitError, int64_t tasks,
    int64_t lanes, int64_t rows, int64_t vectors, int64_t blockRows,
    int64_t blockKeys, int64_t valueVectors, int64_t prefetch) {
  if (tasks < 1 || tasks > 4096)
    return emitError() << "(C1) 'tasks' must be in [1, 4096], got " << tasks;
  if (lanes < 1 || lanes > 64 || !llvm::isPowerOf2_64(lanes))
    return emitError() << "(C2) 'lanes' must be a power of two in [1, 64], got "
                       << lanes;
  if (rows < 1 || vectors < 1 || rows > 64 || vectors > 64 ||
      rows * vectors > 64)
    return emitError() << "(C3) expected rows and vectors of at least 1 with "
                          "rows * vectors <= 64, got "
                       << rows << " and " << vectors;
  if (blockRows < 1 || blockRows > 4096 || blockKeys < 1 || blockKeys > 65536 ||
      valueVectors < 1 || valueVectors > 16 || prefetch < 0 || prefetch > 1024)
    return emitError()
           << "(C4) expected block_rows in [1, 4096], block_keys in "
              "[1, 65536], value_vectors in [1, 16] and prefetch in "
              "[0, 1024], got "
           << blockRows << ", " << blockKeys << ", " << valueVectors << " and "
           << prefetch;
  return success();
}
