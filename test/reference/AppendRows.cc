//===- AppendRows.cc - a cache with the rows of a step --------------------===//

#include "test/reference/AppendRows.h"

namespace gsa::reference {

Tensor<double> AppendRows(const Tensor<double>& rows,
                          const Tensor<double>& cache,
                          const AppendPlaces& places) {
  Require(cache.rank() == 4 || (cache.rank() == 3 && !places.heads_first),
          "expected a cache of rank 3 or 4, with heads first of rank 4, got " +
              ShapeToString(cache.shape()));
  RequireRank("rows", rows, cache.rank());
  bool has_heads = cache.rank() == 4;
  int64_t page = cache.dim(places.heads_first ? 2 : 1);
  int64_t heads = has_heads ? cache.dim(places.heads_first ? 1 : 2) : 1;
  int64_t depth = cache.dim(cache.rank() - 1);
  int64_t batches = rows.dim(0), tokens = rows.dim(1), room = page;
  RequireShape("rows", rows,
               has_heads ? Shape{batches, tokens, heads, depth}
                         : Shape{batches, tokens, depth});
  Require(places.lengths != nullptr, "expected lengths");
  RequireShape("lengths", *places.lengths, {batches});
  if (places.counts) RequireShape("counts", *places.counts, {batches});
  if (places.table) {
    RequireRank("table", *places.table, 2);
    RequireShape("table", *places.table, {batches, places.table->dim(1)});
    room *= places.table->dim(1);
  } else {
    Require(cache.dim(0) == batches,
            "expected a cache of " + std::to_string(batches) +
                " sequences, got " + ShapeToString(cache.shape()));
  }
  Tensor<double> result = cache;
  for (int64_t b = 0; b < batches; ++b) {
    for (int64_t t = 0; t < tokens; ++t) {
      int64_t place = (*places.lengths)[b] - tokens + t;
      if (places.counts && t < tokens - (*places.counts)[b]) continue;
      if (place < 0 || place >= room) continue;
      int64_t outer = places.table ? places.table->At(b, place / page) : b;
      if (outer < 0 || outer >= cache.dim(0)) continue;
      for (int64_t g = 0; g < heads; ++g) {
        int64_t to = places.heads_first
                         ? (outer * heads + g) * page + place % page
                         : (outer * page + place % page) * heads + g;
        const double* from =
            rows.data() + ((b * tokens + t) * heads + g) * depth;
        std::copy(from, from + depth, result.data() + to * depth);
      }
    }
  }
  return result;
}

}  // namespace gsa::reference
