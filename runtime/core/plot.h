// -----------------------------------------------------------------------------
// File: plot.h
// -----------------------------------------------------------------------------
//
// Pictures of selection patterns.

#ifndef GSA_RUNTIME_CORE_PLOT_H_
#define GSA_RUNTIME_CORE_PLOT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/core/png.h"

namespace gsa {

// The selections of all rows of a batch, as the selection ops return them.
struct SelectionPattern {
  absl::Span<const int32_t> indices;  // [batch, queries, slots]
  absl::Span<const int32_t> counts;   // [batch, queries], valid slots per row
  int64_t batch = 1;
  int64_t queries = 0;
  int64_t keys = 0;
  int64_t slots = 0;
};

// Draws one batch element: query rows downwards, keys to the right, the darker
// the larger the selected share of the visible (query, key) pairs under a
// pixel (square root scale; the bar at the right runs from 1 to 0). Pairs
// beyond the causal diagonal, key > query + keys - queries, are grey, and the
// diagonal itself is orange. Axes longer than 1024 are binned to 1024 pixels,
// short ones magnified.
//
// InvalidArgument if the spans do not match the sizes, a count is not in
// [0, slots], or a counted index is not in [0, keys).
absl::StatusOr<PaletteImage> DrawSelection(const SelectionPattern& pattern,
                                           int64_t batch_index);

// DrawSelection() of the first batch element, written atomically as a PNG file.
absl::Status PlotSelection(const SelectionPattern& pattern,
                           const std::string& path);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_PLOT_H_
