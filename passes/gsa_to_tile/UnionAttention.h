//===- UnionAttention.h - attention over shared keys -----------*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_UNIONATTENTION_H
#define GSA_PASSES_GSATOTILE_UNIONATTENTION_H

#include "passes/gsa_to_tile/Attention.h"

namespace mlir::gsa {

/// Replaces gather_attention by kernels in which neighbouring queries share
/// keys: unions of lists, attention over them, and attention by query for what
/// those cannot do.
LogicalResult lowerUnionAttention(GatherAttentionOp op, ToTileContext& context);

/// Strings of bits of a block of keys: one for each of the queries that the 64
/// rows of each group are of, those that are none included, so that a block of
/// strings is whole vectors of 16 bytes.
int64_t countStrings(int64_t groups, int64_t ratio, int64_t blockK);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_UNIONATTENTION_H
