//===- PagedRows.cc - rows of sequences from pages ------------------------===//

#include "test/reference/PagedRows.h"

#include <limits>

namespace gsa::reference {

Tensor<double> PagedRows(const Tensor<double>& pool,
                         const Tensor<int32_t>& table, bool heads_first) {
  Require(pool.rank() == 4 || (pool.rank() == 3 && !heads_first),
          "expected a pool [P, page, G, D] or [P, page, D], got " +
              ShapeToString(pool.shape()));
  Require(table.rank() == 2,
          "expected a table [B, N], got " + ShapeToString(table.shape()));
  bool has_heads = pool.rank() == 4;
  int64_t page = pool.dim(heads_first ? 2 : 1);
  int64_t heads = has_heads ? pool.dim(heads_first ? 1 : 2) : 1;
  int64_t depth = pool.dim(pool.rank() - 1);
  int64_t batches = table.dim(0), rows = table.dim(1) * page;
  Tensor<double> result(has_heads ? Shape{batches, rows, heads, depth}
                                  : Shape{batches, rows, depth},
                        std::numeric_limits<double>::quiet_NaN());
  for (int64_t b = 0; b < batches; ++b) {
    for (int64_t s = 0; s < rows; ++s) {
      int64_t number = table.At(b, s / page), row = s % page;
      if (number < 0 || number >= pool.dim(0)) continue;
      for (int64_t g = 0; g < heads; ++g) {
        int64_t from = heads_first ? (number * heads + g) * page + row
                                   : (number * page + row) * heads + g;
        int64_t to = (b * rows + s) * heads + g;
        for (int64_t d = 0; d < depth; ++d)
          result[to * depth + d] = pool[from * depth + d];
      }
    }
  }
  return result;
}

}  // namespace gsa::reference
