//===- SelectionPlot.cpp - which keys each query keeps --------------------===//

#include "tools/plot/SelectionPlot.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/core/status_macros.h"

namespace gsa::plot {

/// White is left to "visible, nothing selected": the ramp starts at a blue that
/// can be seen.
Color shareColor(double share, double top) {
  static constexpr double kStops[4][3] = {
      {205, 225, 243}, {107, 174, 214}, {33, 113, 181}, {8, 38, 90}};
  double position = 3 * std::sqrt(std::clamp(share / top, 0.0, 1.0));
  int stop = std::min(2, static_cast<int>(position));
  double t = position - stop;
  auto channel = [&](int c) {
    return static_cast<uint8_t>(
        std::lround(kStops[stop][c] * (1 - t) + kStops[stop + 1][c] * t));
  };
  return {channel(0), channel(1), channel(2)};
}

namespace {

constexpr double kLeft = 86;
constexpr double kWanted = 640;     ///< Units of the longer side
constexpr double kLeastWide = 420;  ///< A title has to fit above it
constexpr double kLeastHigh = 200;
constexpr double kPanelGap = 40, kPanelWidth = 96;
constexpr double kBarGap = 36, kBarWidth = 14;
/// Rows that are seen apart, so that the mask is drawn as the stairs it is.
constexpr int64_t kFewRows = 128;

/// Units of `bins` cells: whole pixels of a PNG file, which has two per unit.
double sideOf(int64_t bins, double cell, double least) {
  double side = cell * static_cast<double>(bins);
  if (side >= least) return side;
  return std::ceil(2 * least / static_cast<double>(bins)) / 2 *
         static_cast<double>(bins);
}

struct Layout {
  Box map, budgets, bar;
};

Layout layoutOf(const SelectionGrid& grid, double top) {
  int64_t longest = std::max(grid.keys.count(), grid.queries.count());
  double cell = std::max(0.5, std::floor(2 * kWanted / longest) / 2);
  Layout layout;
  layout.map = {kLeft, top, sideOf(grid.keys.count(), cell, kLeastWide),
                sideOf(grid.queries.count(), cell, kLeastHigh)};
  layout.budgets = {layout.map.right() + kPanelGap, top, kPanelWidth,
                    layout.map.height};
  layout.bar = {layout.budgets.right() + kBarGap, top, kBarWidth,
                layout.map.height};
  return layout;
}

Cells cellsOf(const SelectionGrid& grid, const Box& box, double top) {
  Cells cells{box, grid.keys.count(), grid.queries.count(), {}};
  for (size_t i = 0; i < grid.selected.size(); ++i) {
    double visible = static_cast<double>(grid.visible[i]);
    Color color = visible == 0 ? kHidden : kPaper;
    if (grid.selected[i] > 0)
      color = shareColor(static_cast<double>(grid.selected[i]) / visible, top);
    cells.colors.push_back(color);
  }
  return cells;
}

/// The line between what the causal mask shows and what it hides.
void addDiagonal(const SelectionGrid& grid, const Box& box, Scene* scene) {
  int64_t queries = grid.queries.size, keys = grid.keys.size;
  auto x = [&](int64_t key) {
    return box.x +
           box.width * static_cast<double>(key) / static_cast<double>(keys);
  };
  auto y = [&](int64_t row) {
    return box.y +
           box.height * static_cast<double>(row) / static_cast<double>(queries);
  };
  int64_t blind = std::max<int64_t>(0, queries - keys);  // rows without keys
  Line line{{}, kDiagonal, 1.5};
  if (queries > kFewRows) {
    line.points = {{x(blind + keys - queries), y(blind)},
                   {x(keys), y(queries)}};
  } else {
    for (int64_t t = blind; t < queries; ++t)
      for (int64_t row : {t, t + 1})
        line.points.emplace_back(x(t + keys - queries + 1), y(row));
  }
  scene->add(std::move(line));
}

/// A tick stands in the middle of its element where elements can be seen.
Axis elementAxis(int64_t size, double from, double length, double apart,
                 const std::string& label) {
  double middle = 0.5 * length / static_cast<double>(size);
  Axis axis;
  axis.high = static_cast<double>(size);
  axis.from = from + middle;
  axis.to = from + length + middle;
  axis.label = label;
  bool binary = size % 256 == 0;
  axis.ticks = linearTicks(0, static_cast<double>(size - 1),
                           std::max(2, static_cast<int>(length / apart)),
                           binary ? Steps::Binary : Steps::Whole);
  // The end of a length that is a power of two is worth its number.
  if (binary && axis.ticks.size() > 1) {
    double step = axis.ticks[1].value;
    if (std::fmod(static_cast<double>(size), step) == 0) {
      axis.ticks.push_back({static_cast<double>(size), numberText(size)});
      axis.from -= middle;
      axis.to -= middle;
    }
  }
  return axis;
}

void addBudgets(const SelectionGrid& grid, const Box& box, Scene* scene) {
  double top =
      niceCeiling(static_cast<double>(std::max<int64_t>(1, grid.most)));
  Axis axis;
  axis.high = top;
  axis.from = box.x;
  axis.to = box.right();
  axis.ticks = {{0, "0"}, {top / 2, ""}, {top, numberText(top)}};
  axis.label = "keys kept";
  double step = box.height / static_cast<double>(grid.budget.size());
  Area area{{{box.x, box.y}}, {196, 217, 238}};
  Line line{{}, {33, 113, 181}, 1.2};
  for (size_t i = 0; i < grid.budget.size(); ++i) {
    double x = axis.at(grid.budget[i]);
    for (double y : {box.y + i * step, box.y + (i + 1) * step}) {
      area.points.emplace_back(x, y);
      line.points.emplace_back(x, y);
    }
  }
  area.points.emplace_back(box.x, box.bottom());
  scene->add(std::move(area));
  scene->add(std::move(line));
  addFrame(box, scene);
  addXAxis(axis, box, /*grid=*/false, scene);
}

/// Shares that the bar names. Its scale is a square root, so that few selected
/// pairs among many can be told from none.
std::vector<Tick> barTicks(double top) {
  std::vector<Tick> ticks;
  for (double part : {0.0, 0.05, 0.1, 0.25, 0.5, 1.0})
    ticks.push_back({top * part, numberText(top * part)});
  return ticks;
}

/// Units to the right of the bar: numbers, then its label.
double barText(double top) {
  double widest = 0;
  for (const Tick& tick : barTicks(top))
    widest = std::max(widest, widthBound(tick.label, kTickSize));
  return 8 + widest + 10 + kLabelSize;
}

void addBar(double top, const Box& box, Scene* scene) {
  constexpr int kSteps = 128;
  Cells cells{box, 1, kSteps, {}};
  for (int i = 0; i < kSteps; ++i) {
    double part = (kSteps - i - 0.5) / kSteps;
    cells.colors.push_back(shareColor(top * part * part, top));
  }
  scene->add(std::move(cells));
  addFrame(box, scene);
  for (const Tick& tick : barTicks(top)) {
    double y = box.bottom() - std::sqrt(tick.value / top) * box.height;
    scene->add(Line{{{box.right(), y}, {box.right() + 4, y}}, kMuted, 1});
    scene->add(
        Text{box.right() + 8, y + 0.36 * kTickSize, tick.label, kTickSize});
  }
  scene->add(Text{box.right() + barText(top), box.y + box.height / 2,
                  "selected share of visible pairs", kLabelSize, Anchor::Middle,
                  kInk, false, true});
}

}  // namespace

absl::StatusOr<Scene> drawSelection(const SelectionPattern& pattern,
                                    int64_t batchIndex,
                                    const Caption& caption) {
  GSA_ASSIGN_OR_RETURN(SelectionGrid grid, countPairs(pattern, batchIndex));
  Caption full = caption;
  std::string sequence =
      pattern.batch > 1
          ? absl::StrCat("sequence ", batchIndex, " of ", pattern.batch, ": ")
          : "";
  full.lines.push_back(absl::StrFormat(
      "%s%d queries, %d keys; each query keeps %d to %d keys, mean %.1f (room "
      "for %d)",
      sequence, pattern.queries, pattern.keys, grid.least, grid.most, grid.mean,
      pattern.slots));

  Scene scene;
  double top = niceCeiling(grid.largestShare);
  double width = layoutOf(grid, 0).bar.right() + barText(top) + 14;
  Layout layout = layoutOf(grid, addCaption(full, 24, width - 48, &scene));
  scene.width = width;
  scene.add(cellsOf(grid, layout.map, top));
  if (!grid.isFull) addDiagonal(grid, layout.map, &scene);
  addFrame(layout.map, &scene);
  addXAxis(elementAxis(grid.keys.size, layout.map.x, layout.map.width, 64,
                       "key (position in the sequence)"),
           layout.map, /*grid=*/false, &scene);
  addYAxis(elementAxis(grid.queries.size, layout.map.y, layout.map.height, 36,
                       "query"),
           layout.map, /*grid=*/false, &scene);
  addBudgets(grid, layout.budgets, &scene);
  addBar(top, layout.bar, &scene);

  std::vector<LegendEntry> legend = {
      {"selected", shareColor(top, top)},
      {"visible, not selected", kPaper, false, false, true}};
  if (!grid.isFull) {
    legend.push_back({"hidden by the causal mask", kHidden});
    legend.push_back({"end of the visible keys", kDiagonal, true});
  }
  double legendTop = layout.map.bottom() + 52;
  scene.height =
      legendTop + 16 +
      addLegend(legend, kLeft, legendTop, width - kLeft - 24, &scene);
  return scene;
}

}  // namespace gsa::plot
