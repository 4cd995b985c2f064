//===- Rounding.cc - numbers of narrower float types ----------------------===//

#include "test/reference/Rounding.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "test/reference/Math.h"

namespace gsa::reference {
namespace {

constexpr int kDoublePrecision = 53;

}  // namespace

double FloatFormat::UnitRoundoff() const { return std::ldexp(1.0, -precision); }

double FloatFormat::SmallestNormal() const {
  return std::ldexp(1.0, min_exponent);
}

double FloatFormat::HalfOfSmallest() const {
  return std::ldexp(1.0, min_exponent - precision);
}

double FloatFormat::OverflowThreshold() const {
  if (precision == kDoublePrecision) return kInfinity;
  return std::ldexp(2.0 - std::ldexp(1.0, -precision), max_exponent);
}

FloatFormat FloatFormat::Accumulator() const {
  return precision == kDoublePrecision ? F64() : F32();
}

Range::Range(const FloatFormat& format)
    : overflow_(format.OverflowThreshold()) {}

double Range::operator()(double value) const {
  return std::abs(value) >= overflow_ ? std::copysign(kInfinity, value) : value;
}

bool Range::Changes(const Tensor<double>& tensor) const {
  return std::any_of(
      tensor.values().begin(), tensor.values().end(), [this](double value) {
        return std::abs(value) >= overflow_ && std::isfinite(value);
      });
}

Rounder::Rounder(const FloatFormat& format)
    : dropped_(kDoublePrecision - format.precision),
      smallest_normal_(format.SmallestNormal()),
      overflow_(format.OverflowThreshold()),
      magnet_(dropped_ == 0 ? 0.0
                            : std::ldexp(1.5, dropped_ + format.min_exponent)) {
}

double Rounder::operator()(double value) const {
  double size = std::abs(value);
  if (dropped_ == 0 || size == 0 || !std::isfinite(value)) return value;
  if (size >= overflow_) return std::copysign(kInfinity, value);
  if (size < smallest_normal_) {
    // Added to the magnet, a double has its last place where the format has
    // its smallest number.
    return std::copysign((size + magnet_) - magnet_, value);
  }
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  uint64_t unit = uint64_t{1} << dropped_;
  // Half a unit of the last place, less one bit where that place is even.
  bits += unit / 2 - 1 + ((bits & unit) != 0);
  bits &= ~(unit - 1);
  std::memcpy(&value, &bits, sizeof(bits));
  return value;
}

void Rounder::operator()(Tensor<double>* tensor) const {
  if (dropped_ == 0) return;
  for (double& value : tensor->values()) value = (*this)(value);
}

double RoundTo(const FloatFormat& format, double value) {
  return Rounder(format)(value);
}

}  // namespace gsa::reference
