//===- SweepPlot.cpp - runs that differ in one option ---------------------===//

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tools/plot/Curves.h"

namespace gsa::plot {
namespace {

constexpr double kLeft = 96, kWidth = 640, kHeight = 210, kGap = 34;
constexpr Color kCurve = {9, 105, 218};
/// More numbers than this would stand on each other.
constexpr size_t kFewPoints = 12;

/// Places of the values along x: numbers where all are, else 0, 1, 2, ...
Axis valueAxis(const std::string& option,
               const std::vector<std::string>& values,
               std::vector<double>* places) {
  bool areNumbers = true;
  for (const std::string& value : values) {
    double number = 0;
    areNumbers =
        areNumbers && absl::SimpleAtod(value, &number) && std::isfinite(number);
    places->push_back(number);
  }
  if (!areNumbers)
    for (size_t i = 0; i < values.size(); ++i)
      (*places)[i] = static_cast<double>(i);
  auto [least, most] = std::minmax_element(places->begin(), places->end());
  Axis axis;
  axis.low = *least;
  axis.high = *most;
  axis.isLog = areNumbers && *least > 0 && *most >= 3 * *least;
  axis.label = option;
  double margin = 40;
  axis.from = kLeft + margin;
  axis.to = kLeft + kWidth - margin;
  // Each value is a tick; labels that would touch the one before are left out.
  std::vector<size_t> order(values.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return (*places)[a] < (*places)[b]; });
  double free = -std::numeric_limits<double>::infinity();
  for (size_t i : order) {
    double half = widthBound(values[i], kTickSize) / 2 + 3;
    double x = axis.at((*places)[i]);
    bool fits = x - half >= free;
    axis.ticks.push_back({(*places)[i], fits ? values[i] : ""});
    if (fits) free = x + half;
  }
  return axis;
}

Axis panelAxis(const SweepPanel& panel, const Box& box) {
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (double value : panel.values) {
    if (!std::isfinite(value)) continue;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  if (most < least) least = most = 0;
  Axis axis;
  axis.low = panel.fromZero ? std::min(0.0, least) : least;
  axis.high = most > axis.low ? most : axis.low + 1;
  // Room for the number at the highest point.
  axis.high += 0.14 * (axis.high - axis.low);
  axis.from = box.bottom();
  axis.to = box.y;
  axis.ticks = linearTicks(axis.low, axis.high, 6, Steps::Decimal);
  axis.label = panel.label;
  return axis;
}

void addPanel(const SweepPanel& panel, const std::vector<double>& places,
              Axis x, bool isLast, const Box& box, Scene* scene) {
  Axis y = panelAxis(panel, box);
  if (!isLast) {
    x.label.clear();
    for (Tick& tick : x.ticks) tick.label.clear();
  }
  addXAxis(x, box, /*grid=*/true, scene);
  addYAxis(y, box, /*grid=*/true, scene);
  std::vector<std::pair<double, double>> points;
  for (size_t i = 0; i < places.size(); ++i)
    if (std::isfinite(panel.values[i]))
      points.emplace_back(x.at(places[i]), y.at(panel.values[i]));
  std::vector<std::pair<double, double>> inOrder = points;
  std::sort(inOrder.begin(), inOrder.end());
  if (inOrder.size() > 1) scene->add(Line{std::move(inOrder), kCurve, 2});
  for (const auto& [px, py] : points) scene->add(Dot{px, py, 4, kCurve});
  addFrame(box, scene);
  if (points.size() > kFewPoints) return;
  for (size_t i = 0, k = 0; i < places.size(); ++i) {
    if (!std::isfinite(panel.values[i])) continue;
    const std::string text = numberText(panel.values[i]);
    // The curve may pass behind the number.
    const double width = widthBound(text, kTickSize);
    scene->add(Rectangle{
        {points[k].first - width / 2, points[k].second - 19, width, 12},
        kPaper});
    scene->add(Text{points[k].first, points[k].second - 9, text, kTickSize,
                    Anchor::Middle, kMuted});
    ++k;
  }
}

absl::Status check(const std::vector<std::string>& values,
                   const std::vector<SweepPanel>& panels) {
  if (values.size() < 2 || panels.empty())
    return absl::InvalidArgumentError(
        absl::StrCat("plot: got ", values.size(), " runs and ", panels.size(),
                     " measures, expected at least 2 and 1"));
  for (const SweepPanel& panel : panels)
    if (panel.values.size() != values.size())
      return absl::InvalidArgumentError(absl::StrCat(
          "plot: measure '", panel.label, "' has ", panel.values.size(),
          " values, expected ", values.size()));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Scene> drawSweep(const std::string& option,
                                const std::vector<std::string>& values,
                                const std::vector<SweepPanel>& panels,
                                const Caption& caption) {
  if (absl::Status status = check(values, panels); !status.ok()) return status;
  Scene scene;
  scene.width = kLeft + kWidth + 34;
  double top = addCaption(caption, 24, scene.width - 48, &scene);
  std::vector<double> places;
  Axis x = valueAxis(option, values, &places);
  for (size_t i = 0; i < panels.size(); ++i) {
    Box box{kLeft, top, kWidth, kHeight};
    addPanel(panels[i], places, x, i + 1 == panels.size(), box, &scene);
    top = box.bottom() + kGap;
  }
  scene.height = top - kGap + 56;
  return scene;
}

}  // namespace gsa::plot
