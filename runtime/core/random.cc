// -----------------------------------------------------------------------------
// File: random.cc
// -----------------------------------------------------------------------------
//
// Built with -ffp-contract=off: a fused multiply-add rounds once where two
// operations round twice, and only some machines have it.

#include "runtime/core/random.h"

#include <bit>
#include <cmath>

namespace gsa {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kLn2 = 0.69314718055994530942;

// The finaliser of SplitMix64, a bijection.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// FNV-1a.
uint64_t HashName(absl::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

// ln(x) for normal x > 0: x = 2^e m with m around 1, and with
// s = (m - 1) / (m + 1), ln(m) = 2 (s + s^3/3 + s^5/5 + ...), |s| < 0.172.
double Log(double x) {
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  int exponent = static_cast<int>(bits >> 52) - 1023;
  double m =
      std::bit_cast<double>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m /= 2;
    ++exponent;
  }
  const double s = (m - 1) / (m + 1);
  const double z = s * s;
  double sum = 0;
  for (int k = 21; k >= 3; k -= 2) sum = (sum + 1.0 / k) * z;
  return exponent * kLn2 + 2 * (s + s * sum);
}

// sin and cos of 2 pi u, 0 <= u < 1, from the Taylor series on
// [-pi/4, pi/4] after exact reduction to the nearest quarter turn.
void SinCosTurns(double u, double* sine, double* cosine) {
  // A multiple of 2^-51: the sum is exact.
  // NOLINTNEXTLINE(bugprone-incorrect-roundings)
  const int quarter = static_cast<int>(4 * u + 0.5);
  const double x = (4 * u - quarter) * (kPi / 2);
  const double z = x * x;
  double s = 0;
  for (int k = 16; k >= 2; k -= 2) s = (1 + s) * (-z * (1.0 / (k * (k + 1))));
  s = x + x * s;
  double c = 0;
  for (int k = 17; k >= 1; k -= 2) c = (1 + c) * (-z * (1.0 / (k * (k + 1))));
  c = 1 + c;
  switch (quarter & 3) {
    case 0:
      *sine = s, *cosine = c;
      return;
    case 1:
      *sine = c, *cosine = -s;
      return;
    case 2:
      *sine = -s, *cosine = -c;
      return;
    default:
      *sine = -c, *cosine = s;
  }
}

}  // namespace

RandomStream::RandomStream(uint64_t seed, absl::string_view name)
    : key_(Mix(seed ^ Mix(HashName(name)))) {}

uint64_t RandomStream::Bits(uint64_t index) const {
  return Mix(key_ + (index + 1) * 0x9e3779b97f4a7c15);
}

double RandomStream::Uniform(uint64_t index) const {
  return static_cast<double>(Bits(index) >> 11) * 0x1p-53;
}

void RandomStream::FillNormal(uint64_t first, absl::Span<double> out) const {
  uint64_t index = first;
  size_t i = 0;
  while (i < out.size()) {
    const uint64_t pair = index & ~uint64_t{1};
    // 1 - u lies in (0, 1], where the logarithm is finite.
    const double radius = std::sqrt(-2 * Log(1 - Uniform(pair)));
    double sine, cosine;
    SinCosTurns(Uniform(pair + 1), &sine, &cosine);
    if (index == pair) {
      out[i++] = radius * cosine;
      ++index;
    }
    if (i < out.size()) {
      out[i++] = radius * sine;
      ++index;
    }
  }
}

}  // namespace gsa
