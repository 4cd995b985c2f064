//===- MemberStrings.h - lists as strings of bits --------------*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_MEMBERSTRINGS_H
#define GSA_PASSES_GSATOTILE_MEMBERSTRINGS_H

#include "passes/gsa_to_tile/Attention.h"

namespace mlir::gsa {

/// For blocks of `block_q` queries and blocks of `block_k` keys, one after the
/// other, a string of bits for each query: bit c is set if its list has key c
/// of the block.
struct MemberStrings {
  /// Makes the buffer and launches the kernel that writes it.
  MemberStrings(const AttentionOperands& operands, DenseScheduleAttr schedule);

  Value bits;     ///< Buffer of i32, [batches, blocks, blocks of keys, words].
  int64_t words;  ///< Of a block of queries and a block of keys.
  /// Blocks of keys that the buffer has room for, at least those that exist.
  int64_t keyBlocks;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_MEMBERSTRINGS_H
