// -----------------------------------------------------------------------------
// File: random.h
// -----------------------------------------------------------------------------
//
// Random numbers with the same bits on every machine: element i of a stream is
// a function of (seed, name, i) alone, computed with integers and with +, -, *,
// / and sqrt on doubles, which IEEE 754 defines to the last bit. The C library
// takes no part, since its log and cos differ between versions.

#ifndef GSA_RUNTIME_CORE_RANDOM_H_
#define GSA_RUNTIME_CORE_RANDOM_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace gsa {

// An endless array of random numbers. Streams of different names or seeds are
// independent. Not for cryptography.
class RandomStream {
 public:
  RandomStream(uint64_t seed, absl::string_view name);

  // Element `index` as 64 uniform bits: SplitMix64 (Steele, Lea and Flood,
  // OOPSLA 2014), whose state after i steps is known without taking them.
  uint64_t Bits(uint64_t index) const;

  // Element `index`, uniform on the multiples of 2^-53 in [0, 1).
  double Uniform(uint64_t index) const;

  // Elements `first`, `first` + 1, ... of the stream's standard normal numbers:
  // the Box-Muller transform of Uniform(2 j) and Uniform(2 j + 1) gives the
  // elements 2 j and 2 j + 1.
  void FillNormal(uint64_t first, absl::Span<double> out) const;

 private:
  uint64_t key_;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_RANDOM_H_
