//===- Rounding.h - numbers of narrower float types -------------*- C++ -*-===//
//
// What a float64 number becomes in a narrower type. The exact reference rounds
// nothing; its second evaluation rounds as the definition of the ops does, and
// the difference of the two is the scale by which a tested result is judged
// (see Criterion.h).
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_REFERENCE_ROUNDING_H_
#define GSA_TEST_REFERENCE_ROUNDING_H_

#include <cstdint>

#include "test/reference/Tensor.h"

namespace gsa::reference {

/// A binary IEEE 754 format, or one of its kind (bfloat16). Default: binary64.
struct FloatFormat {
  int precision = 53;        ///< Significant bits, with the implicit one
  int min_exponent = -1022;  ///< Of the smallest normal number, 2^min_exponent
  int max_exponent = 1023;   ///< Of the largest numbers, below 2^(max + 1)

  static FloatFormat F64() { return {}; }
  static FloatFormat F32() { return {24, -126, 127}; }
  static FloatFormat F16() { return {11, -14, 15}; }
  static FloatFormat BF16() { return {8, -126, 127}; }

  friend bool operator==(const FloatFormat&, const FloatFormat&) = default;

  /// The largest relative error of rounding to nearest, 2^-precision.
  double UnitRoundoff() const;
  double SmallestNormal() const;
  /// Half of the smallest positive number: the largest error of rounding
  /// below the normal numbers.
  double HalfOfSmallest() const;
  /// The smallest magnitude that rounds to infinity; infinity for binary64.
  double OverflowThreshold() const;

  /// The type in which results of this type are summed up: binary64 for
  /// itself, otherwise binary32 (A(T) of the specification).
  FloatFormat Accumulator() const;
};

/// A number as far as the range of a format holds it: what overflows is
/// infinite, everything else, also what the format would round, stays.
class Range {
 public:
  /// Default: of binary64, which changes nothing.
  explicit Range(const FloatFormat& format = {});

  double operator()(double value) const;
  /// Whether an element would be changed.
  bool Changes(const Tensor<double>& tensor) const;

 private:
  double overflow_;
};

/// Rounds numbers to a format: to nearest, ties to even, in one step. Overflow
/// gives infinity, NaN stays NaN, zeros keep their sign.
class Rounder {
 public:
  explicit Rounder(const FloatFormat& format);

  double operator()(double value) const;
  /// Rounds every element.
  void operator()(Tensor<double>* tensor) const;

 private:
  int dropped_;  ///< Bits of a double's significand that the format lacks
  double smallest_normal_, overflow_, magnet_;
};

/// Rounder(format)(value), for single numbers.
double RoundTo(const FloatFormat& format, double value);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_ROUNDING_H_
