//===- Poison.h - NaN where nothing may be read -----------------*- C++ -*-===//
//
// A run reads the keys that a row selects, the entries of a list up to its
// count and the keys up to a sequence's length, and nothing else: what stands
// elsewhere changes no bit.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_POISON_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_POISON_H_

#include "test/unit/differential/Case.h"
#include "test/unit/differential/Data.h"

namespace gsa::differential {

/// The inputs of a run whose results are `outputs`, with hostile numbers in all
/// that the run does not need:
///
/// - NaN in keys and values that no list of their sequence names, and in those
///   and the indexer's keys at and behind a sequence's length;
/// - in entries of lists behind their count numbers that are no key, and keys
///   that hold NaN.
Tensors Poisoned(const Spec& spec, const Tensors& inputs,
                 const Tensors& outputs);

/// The byte of which a NaN of any type consists; as a whole number -1.
inline constexpr uint8_t kNanByte = 0xFF;

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_POISON_H_
