//===- PagedRows.h - rows of sequences from pages ----------------*- C++
//-*-===//

#ifndef GSA_TEST_REFERENCE_PAGEDROWS_H_
#define GSA_TEST_REFERENCE_PAGEDROWS_H_

#include "test/reference/Tensor.h"

namespace gsa::reference {

/// Row s of sequence b is row `s % page` of page `table[b, s / page]` of the
/// pool [P, page, G, D] or [P, page, D], with `heads_first` [P, G, page, D]:
/// [B, N * page, G, D] or [B, N * page, D]. Rows of a page that the pool does
/// not have are NaN. Throws for other shapes.
Tensor<double> PagedRows(const Tensor<double>& pool,
                         const Tensor<int32_t>& table, bool heads_first);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_PAGEDROWS_H_
