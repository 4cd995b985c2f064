//===- AppendRows.h - a cache with the rows of a step -----------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_APPENDROWS_H_
#define GSA_TEST_REFERENCE_APPENDROWS_H_

#include "test/reference/Tensor.h"

namespace gsa::reference {

/// Where rows are appended; null operands are absent ones.
struct AppendPlaces {
  const Tensor<int32_t>* table = nullptr;    ///< [B, N], of pages of the cache.
  const Tensor<int32_t>* lengths = nullptr;  ///< [B], behind the step.
  const Tensor<int32_t>* counts = nullptr;   ///< [B]; null: all T rows.
  bool heads_first = false;
};

/// `cache` with row t of sequence b of `rows`, [B, T, G, D] or [B, T, D], as
/// row `lengths[b] - T + t` of the sequence, if it is one of the last
/// `counts[b]` and has a place. The cache is a pool [P, page, G, D] or
/// [P, page, D] with a table, else [B, room, G, D] or [B, room, D]; with
/// `heads_first` G comes before the rows. Of two rows for one place it is that
/// of the last sequence. Throws for other shapes.
Tensor<double> AppendRows(const Tensor<double>& rows,
                          const Tensor<double>& cache,
                          const AppendPlaces& places);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_APPENDROWS_H_
