//===- Axis.h - scales, ticks and what is written beside them --*- C++ -*-===//

#ifndef GSA_TOOLS_PLOT_AXIS_H
#define GSA_TOOLS_PLOT_AXIS_H

#include <cstdint>
#include <string>
#include <vector>

#include "tools/plot/Scene.h"

namespace gsa::plot {

inline constexpr double kTitleSize = 17;
inline constexpr double kLabelSize = 13;
inline constexpr double kTickSize = 12;

struct Tick {
  double value = 0;
  std::string label;  ///< May be empty.
};

/// Values from `low` to `high` on the units from `from` to `to`, linearly or by
/// their logarithms (`low` is then positive).
struct Axis {
  double low = 0, high = 1;
  double from = 0, to = 1;
  bool isLog = false;
  std::vector<Tick> ticks;
  std::string label;

  double at(double value) const;
};

/// What the steps between ticks may be: 1, 2 or 5 times a power of ten; the
/// same from 1 on, for things that are counted; powers of two, for lengths.
enum class Steps { Decimal, Whole, Binary };

/// At most `most` ticks (at least 2) from `low` to `high`.
std::vector<Tick> linearTicks(double low, double high, int most, Steps steps);

/// Ticks at powers of ten; where these are fewer than three, at 1, 2 and 5
/// times them as well.
std::vector<Tick> logTicks(double low, double high, int most);

/// The smallest of 1, 2, 2.5, 5 times a power of ten that is at least `value`.
double niceCeiling(double value);

/// Few digits: "0.25", "4096", "1e-05".
std::string numberText(double value);

/// The frame of a panel.
void addFrame(const Box& box, Scene* scene);
/// Ticks, numbers and label below and to the left of `box`; `grid` draws a thin
/// line through the panel at each tick.
void addXAxis(const Axis& axis, const Box& box, bool grid, Scene* scene);
void addYAxis(const Axis& axis, const Box& box, bool grid, Scene* scene);

/// One entry of a legend: a swatch, or a line if `isLine`.
struct LegendEntry {
  std::string text;
  Color color;
  bool isLine = false;
  bool dashed = false;
  bool outlined = false;
};

/// Entries from left to right in one row, or in columns where `width` is too
/// narrow for that. Returns the height that they take.
double addLegend(const std::vector<LegendEntry>& entries, double x, double y,
                 double width, Scene* scene);

/// What a picture is of, under its title.
struct Caption {
  std::string title;
  std::vector<std::string> lines;
};

/// Title and lines at the upper left, cut to `width`. Returns the y below them.
double addCaption(const Caption& caption, double x, double width, Scene* scene);

}  // namespace gsa::plot

#endif  // GSA_TOOLS_PLOT_AXIS_H
