//===- Curves.h - pictures of lines over a common axis ---------*- C++ -*-===//
//
// Attention mass by key position, and what a run costs and keeps as one of its
// options changes.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_PLOT_CURVES_H
#define GSA_TOOLS_PLOT_CURVES_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/plot/Axis.h"
#include "tools/plot/Scene.h"

namespace gsa::plot {

/// How much attention each key gets: all vectors have one element per key or
/// are empty. byKey[s] is the mean, over the measured rows that see key s and
/// over heads, of the softmax weight of s (dense: among all visible keys;
/// sparse: among the selected ones, 0 where s is not). Gated: that weight times
/// the mean of each gate that there is, which is what of the key's value
/// reaches the output.
struct MassCurves {
  int64_t rows = 0;                 ///< Measured
  std::vector<int64_t> rowsSeeing;  ///< Measured rows that see key s
  std::vector<double> dense, sparse, denseGated, sparseGated;
};

/// Draws the curves over the position of the key, both axes logarithmic, with
/// position 0 (where attention sinks are) set apart at the left and the mass of
/// it in the legend. InvalidArgument if there is no curve, if lengths differ or
/// if an element is negative or not finite.
absl::StatusOr<Scene> drawMass(const MassCurves& mass, const Caption& caption);

/// Keys [first, last] whose mass is drawn as one point.
struct KeyBin {
  int64_t first = 0, last = 0;
};

/// Key by key up to 16, then about eight bins for each doubling.
std::vector<KeyBin> massBins(int64_t keys);

/// The mean of `byKey` over the keys of each bin that a measured row sees, each
/// with the weight of the rows that see it; -1 where there is none.
std::vector<double> binnedMass(const std::vector<double>& byKey,
                               const std::vector<int64_t>& rowsSeeing,
                               const std::vector<KeyBin>& bins);

/// One measure of several runs.
struct SweepPanel {
  std::string label;           ///< With its unit: "run, ms (median)"
  std::vector<double> values;  ///< One per run; NaN where there is none
  bool fromZero = true;        ///< Whether the axis begins at 0
};

/// Draws panels below each other over the values of one option, as they were
/// given: on a logarithmic axis if they are positive numbers that grow by
/// factors, on a linear one if they are other numbers, side by side if they are
/// names. InvalidArgument if there are fewer than two runs, no panel, or if a
/// panel has another number of values.
absl::StatusOr<Scene> drawSweep(const std::string& option,
                                const std::vector<std::string>& values,
                                const std::vector<SweepPanel>& panels,
                                const Caption& caption);

}  // namespace gsa::plot

#endif  // GSA_TOOLS_PLOT_CURVES_H
