//===- MassPlot.cpp - attention mass by key position ----------------------===//

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/core/status_macros.h"
#include "tools/plot/Curves.h"

namespace gsa::plot {
namespace {

constexpr Box kPanel = {86, 0, 690, 380};
/// Position 0 has no logarithm: it stands half a decade before position 1.
constexpr double kZeroAt = 0.3;

struct Curve {
  const char* name;
  const std::vector<double>& byKey;
  Color color;
  bool dashed;
};

std::vector<Curve> curvesOf(const MassCurves& mass) {
  constexpr Color kDense = {87, 96, 106}, kSparse = {9, 105, 218};
  std::vector<Curve> curves;
  for (const Curve& curve :
       {Curve{"dense", mass.dense, kDense, false},
        Curve{"dense, gated", mass.denseGated, kDense, true},
        Curve{"sparse", mass.sparse, kSparse, false},
        Curve{"sparse, gated", mass.sparseGated, kSparse, true}})
    if (!curve.byKey.empty()) curves.push_back(curve);
  return curves;
}

absl::Status check(const MassCurves& mass, const std::vector<Curve>& curves) {
  if (curves.empty() || mass.rowsSeeing.empty())
    return absl::InvalidArgumentError(
        "plot: no attention mass was measured, expected a curve");
  for (const Curve& curve : curves) {
    if (curve.byKey.size() != mass.rowsSeeing.size())
      return absl::InvalidArgumentError(
          absl::StrCat("plot: mass '", curve.name, "' has ", curve.byKey.size(),
                       " keys, expected ", mass.rowsSeeing.size()));
    for (size_t s = 0; s < curve.byKey.size(); ++s)
      if (!std::isfinite(curve.byKey[s]) || curve.byKey[s] < 0)
        return absl::InvalidArgumentError(
            absl::StrCat("plot: mass '", curve.name, "' of key ", s, ": got ",
                         curve.byKey[s], ", expected a share"));
  }
  return absl::OkStatus();
}

double positionOf(const KeyBin& bin) {
  if (bin.last == 0) return kZeroAt;
  return std::sqrt(static_cast<double>(bin.first) *
                   static_cast<double>(bin.last));
}

Axis positionAxis(int64_t keys, const Box& box) {
  Axis axis;
  axis.low = kZeroAt * 0.8;
  axis.high = std::max(2.0, static_cast<double>(keys));
  axis.from = box.x;
  axis.to = box.right();
  axis.isLog = true;
  axis.label = "position of the key (logarithmic; 0 is the first token)";
  axis.ticks.push_back({kZeroAt, "0"});
  // Powers of two, as many as have room.
  double doublings = std::log2(axis.high / axis.low);
  int stride = std::max(1, static_cast<int>(std::ceil(doublings / 13)));
  for (int i = 0; std::ldexp(1, i) <= axis.high; i += stride)
    axis.ticks.push_back({std::ldexp(1, i), numberText(std::ldexp(1, i))});
  return axis;
}

/// Decades around all that is drawn; what is 0 lies on the lower edge.
Axis massAxis(const std::vector<std::vector<double>>& lines, const Box& box) {
  double least = 1, most = 1e-12;
  bool hasZero = false;
  for (const std::vector<double>& line : lines)
    for (double value : line) {
      hasZero |= value == 0;
      if (value <= 0) continue;
      least = std::min(least, value);
      most = std::max(most, value);
    }
  Axis axis;
  // No more than six decades: below lies what nobody attends to.
  axis.high = std::pow(10, std::ceil(std::log10(most)));
  axis.low =
      std::max(std::pow(10, std::floor(std::log10(least))), axis.high * 1e-6);
  if (axis.low >= axis.high) axis.low = axis.high / 10;
  axis.from = box.bottom();
  axis.to = box.y;
  axis.isLog = true;
  axis.ticks = logTicks(axis.low, axis.high, 8);
  axis.label = hasZero ? "mean attention weight (0 at the lower edge)"
                       : "mean attention weight";
  return axis;
}

std::string percentText(double share) {
  return absl::StrFormat("%.*g %%", share < 0.0995 ? 2 : 3, 100 * share);
}

void addCurve(const Curve& curve, const std::vector<double>& values,
              const std::vector<KeyBin>& bins, const Axis& x, const Axis& y,
              Scene* scene) {
  Line line{{}, curve.color, 2, curve.dashed};
  for (size_t i = 0; i < bins.size(); ++i) {
    if (values[i] < 0) continue;  // no measured row sees these keys
    line.points.emplace_back(x.at(positionOf(bins[i])),
                             y.at(std::max(values[i], y.low)));
  }
  if (line.points.empty()) return;
  if (values[0] >= 0)
    scene->add(
        Dot{line.points[0].first, line.points[0].second, 4, curve.color});
  scene->add(std::move(line));
}

}  // namespace

std::vector<KeyBin> massBins(int64_t keys) {
  std::vector<KeyBin> bins;
  for (int64_t first = 0; first < keys;) {
    int64_t size = 1;
    while (first >= 16 * size) size *= 2;  // 8 to 16 bins for each doubling
    int64_t last = std::min(first + size, keys) - 1;
    bins.push_back({first, last});
    first = last + 1;
  }
  return bins;
}

std::vector<double> binnedMass(const std::vector<double>& byKey,
                               const std::vector<int64_t>& rowsSeeing,
                               const std::vector<KeyBin>& bins) {
  std::vector<double> result;
  for (const KeyBin& bin : bins) {
    double sum = 0, rows = 0;
    for (int64_t s = bin.first; s <= bin.last; ++s) {
      sum += byKey[s] * static_cast<double>(rowsSeeing[s]);
      rows += static_cast<double>(rowsSeeing[s]);
    }
    result.push_back(rows > 0 ? sum / rows : -1);
  }
  return result;
}

absl::StatusOr<Scene> drawMass(const MassCurves& mass, const Caption& caption) {
  std::vector<Curve> curves = curvesOf(mass);
  GSA_RETURN_IF_ERROR(check(mass, curves));
  auto keys = static_cast<int64_t>(mass.rowsSeeing.size());
  std::vector<KeyBin> bins = massBins(keys);
  std::vector<std::vector<double>> lines;
  for (const Curve& curve : curves)
    lines.push_back(binnedMass(curve.byKey, mass.rowsSeeing, bins));

  Caption full = caption;
  full.lines.push_back(absl::StrFormat(
      "mean of %d measured queries and all heads, %d keys%s", mass.rows, keys,
      mass.denseGated.empty() && mass.sparseGated.empty()
          ? ""
          : "; gated: times the mean of each gate"));
  Scene scene;
  scene.width = kPanel.right() + 34;
  Box box = kPanel;
  box.y = addCaption(full, 24, scene.width - 48, &scene);
  Axis x = positionAxis(keys, box), y = massAxis(lines, box);
  scene.add(Rectangle{box, kPaper});
  addXAxis(x, box, /*grid=*/true, &scene);
  addYAxis(y, box, /*grid=*/true, &scene);
  std::vector<LegendEntry> legend;
  for (size_t i = 0; i < curves.size(); ++i) {
    addCurve(curves[i], lines[i], bins, x, y, &scene);
    std::string text = curves[i].name;
    if (lines[i][0] >= 0)
      absl::StrAppend(&text, ": first token ", percentText(lines[i][0]));
    legend.push_back({text, curves[i].color, true, curves[i].dashed});
  }
  addFrame(box, &scene);
  double top = box.bottom() + 52;
  scene.height = top + 16 + addLegend(legend, box.x, top, box.width, &scene);
  return scene;
}

}  // namespace gsa::plot
