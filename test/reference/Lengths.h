//===- Lengths.h - how many keys there are ----------------------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_LENGTHS_H_
#define GSA_TEST_REFERENCE_LENGTHS_H_

#include <algorithm>
#include <cstdint>

#include "test/reference/Tensor.h"

namespace gsa::reference {

/// Keys of batch `b`, for which there is room for `keys`: what `lengths` [B]
/// says, but no less than 0 and no more than `keys`; all without lengths.
inline int64_t CountKeys(const Tensor<int32_t>* lengths, int64_t b,
                         int64_t keys) {
  if (!lengths) return keys;
  return std::clamp<int64_t>((*lengths)[b], 0, keys);
}

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_LENGTHS_H_
