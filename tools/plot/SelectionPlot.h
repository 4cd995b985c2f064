//===- SelectionPlot.h - which keys each query keeps -----------*- C++ -*-===//

#ifndef GSA_TOOLS_PLOT_SELECTIONPLOT_H
#define GSA_TOOLS_PLOT_SELECTIONPLOT_H

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tools/plot/Axis.h"
#include "tools/plot/Scene.h"

namespace gsa::plot {

/// The selections of all rows of a batch, as the selection ops return them.
struct SelectionPattern {
  absl::Span<const int32_t> indices;  ///< [batch, queries, slots]
  absl::Span<const int32_t> counts;   ///< [batch, queries], valid slots per row
  int64_t batch = 1;
  int64_t queries = 0;
  int64_t keys = 0;
  int64_t slots = 0;
};

/// One axis of the map, in bins of equal size (the last may be smaller).
struct Bins {
  int64_t size = 0;    ///< Elements
  int64_t perBin = 1;  ///< Elements of a bin
  int64_t count() const { return (size + perBin - 1) / perBin; }
};

/// Pairs (query, key) per cell, in rows of queries.
struct SelectionGrid {
  Bins queries, keys;
  std::vector<int64_t> selected, visible;
  /// Mean budget of the queries of a bin.
  std::vector<double> budget;
  int64_t least = 0, most = 0;  ///< Smallest and largest count of a row
  double mean = 0;
  /// Whether a key beyond the causal diagonal is selected: then every pair
  /// counts as visible.
  bool isFull = false;
  double largestShare = 0;  ///< Of selected among visible pairs of a cell
};

/// Counts the pairs of one batch element. InvalidArgument if the spans do not
/// match the sizes, a count is not in [0, slots], or a counted index is not in
/// [0, keys).
absl::StatusOr<SelectionGrid> countPairs(const SelectionPattern& pattern,
                                         int64_t batchIndex);

/// Colour of a share of selected pairs in (0, 1], where 1 is `top`.
Color shareColor(double share, double top);
/// Of pairs that the mask hides, and of the line where they begin.
inline constexpr Color kHidden = {233, 236, 239};
inline constexpr Color kDiagonal = {224, 122, 31};

/// Draws one batch element: keys to the right, queries downwards, the darker
/// the larger the selected share of the visible (query, key) pairs of a cell
/// (square root scale, numbers at the bar); beside it the budget of each query.
/// `caption.lines` stand under the title, before a line with sizes and budgets.
absl::StatusOr<Scene> drawSelection(const SelectionPattern& pattern,
                                    int64_t batchIndex, const Caption& caption);

}  // namespace gsa::plot

#endif  // GSA_TOOLS_PLOT_SELECTIONPLOT_H
