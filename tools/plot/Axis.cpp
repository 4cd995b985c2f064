//===- Axis.cpp - scales, ticks and what is written beside them -----------===//

#include "tools/plot/Axis.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"

namespace gsa::plot {

double Axis::at(double value) const {
  double span = isLog ? std::log(high / low) : high - low;
  double part = isLog ? std::log(value / low) : value - low;
  return from + (span > 0 ? part / span : 0) * (to - from);
}

std::string numberText(double value) {
  // Whole numbers in full, as lengths of sequences are; never "-0".
  if (value == std::round(value) && std::abs(value) < 1e9)
    return absl::StrFormat("%.0f", value + 0.0);
  return absl::StrFormat("%.3g", value);
}

double niceCeiling(double value) {
  if (!(value > 0)) return 1;
  double unit = std::pow(10, std::floor(std::log10(value)));
  for (double step : {1.0, 2.0, 2.5, 5.0, 10.0})
    // A little more than rounding of the division may add.
    if (value <= step * unit * (1 + 1e-12)) return step * unit;
  return 10 * unit;
}

std::vector<Tick> linearTicks(double low, double high, int most, Steps steps) {
  double least = (high - low) / std::max(1, most - 1);
  double step = 1;
  if (steps == Steps::Decimal && least > 0)
    step = std::pow(10, std::floor(std::log10(least)));
  for (int i = 0; step < least * (1 - 1e-9); ++i)
    // 1, 2, 5, 10, ...
    step *= steps == Steps::Binary || i % 3 != 1 ? 2 : 2.5;
  std::vector<Tick> ticks;
  const double first = std::ceil(low / step - 1e-9);
  for (int i = 0; (first + i) * step <= high + 1e-9 * step; ++i)
    ticks.push_back({(first + i) * step, numberText((first + i) * step)});
  return ticks;
}

std::vector<Tick> logTicks(double low, double high, int most) {
  int first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
  int last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
  std::vector<Tick> ticks;
  int stride = std::max(1, (last - first + most) / std::max(1, most));
  for (int i = first; i <= last; i += stride)
    ticks.push_back({std::pow(10, i), numberText(std::pow(10, i))});
  if (ticks.size() >= 3) return ticks;
  ticks.clear();
  for (int i = first - 1; i <= last; ++i)
    for (double digit : {1.0, 2.0, 5.0}) {
      double value = digit * std::pow(10, i);
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9))
        ticks.push_back({value, numberText(value)});
    }
  return ticks;
}

static constexpr double kTickLength = 5;

void addFrame(const Box& box, Scene* scene) {
  scene->add(Line{{{box.x, box.y},
                   {box.right(), box.y},
                   {box.right(), box.bottom()},
                   {box.x, box.bottom()},
                   {box.x, box.y}},
                  kMuted,
                  1});
}

void addXAxis(const Axis& axis, const Box& box, bool grid, Scene* scene) {
  for (const Tick& tick : axis.ticks) {
    double x = axis.at(tick.value);
    if (grid) scene->add(Line{{{x, box.y}, {x, box.bottom()}}, kRule, 1});
    scene->add(
        Line{{{x, box.bottom()}, {x, box.bottom() + kTickLength}}, kMuted, 1});
    scene->add(Text{x, box.bottom() + kTickLength + 13, tick.label, kTickSize,
                    Anchor::Middle});
  }
  scene->add(Text{box.x + box.width / 2, box.bottom() + kTickLength + 33,
                  axis.label, kLabelSize, Anchor::Middle});
}

void addYAxis(const Axis& axis, const Box& box, bool grid, Scene* scene) {
  double widest = 0;
  for (const Tick& tick : axis.ticks) {
    double y = axis.at(tick.value);
    if (grid) scene->add(Line{{{box.x, y}, {box.right(), y}}, kRule, 1});
    scene->add(Line{{{box.x - kTickLength, y}, {box.x, y}}, kMuted, 1});
    scene->add(Text{box.x - kTickLength - 4, y + 0.36 * kTickSize, tick.label,
                    kTickSize, Anchor::End});
    widest = std::max(widest, widthBound(tick.label, kTickSize));
  }
  scene->add(Text{box.x - kTickLength - 10 - widest, box.y + box.height / 2,
                  axis.label, kLabelSize, Anchor::Middle, kInk, false, true});
}

double addLegend(const std::vector<LegendEntry>& entries, double x, double y,
                 double width, Scene* scene) {
  constexpr double kRow = 20, kSwatch = 14, kLine = 26, kGap = 18;
  double widest = 0, total = 0;
  auto needed = [&](const LegendEntry& entry) {
    return (entry.isLine ? kLine : kSwatch) + 6 +
           widthBound(entry.text, kTickSize) + kGap;
  };
  for (const LegendEntry& entry : entries) {
    widest = std::max(widest, needed(entry));
    total += needed(entry);
  }
  // What does not fit into one row stands in columns.
  bool isOneRow = total - kGap <= width;
  double left = x, top = y;
  for (const LegendEntry& entry : entries) {
    double column = isOneRow ? needed(entry) : widest;
    if (left > x && left + column - kGap > x + width) {
      left = x;
      top += kRow;
    }
    double wide = entry.isLine ? kLine : kSwatch, middle = top + kRow / 2;
    if (entry.isLine) {
      scene->add(Line{{{left, middle}, {left + wide, middle}},
                      entry.color,
                      2.2,
                      entry.dashed});
    } else {
      Box box{left, middle - kSwatch / 2, kSwatch, kSwatch};
      scene->add(Rectangle{box, entry.color});
      if (entry.outlined) addFrame(box, scene);
    }
    scene->add(Text{left + wide + 6, middle + 0.36 * kTickSize, entry.text,
                    kTickSize});
    left += column;
  }
  return top + kRow - y;
}

double addCaption(const Caption& caption, double x, double width,
                  Scene* scene) {
  double y = 30;
  scene->add(Text{x, y, fitted(caption.title, kTitleSize * 1.1, width),
                  kTitleSize, Anchor::Start, kInk, /*bold=*/true});
  for (const std::string& line : caption.lines) {
    y += 18;
    scene->add(Text{x, y, fitted(line, kTickSize, width), kTickSize,
                    Anchor::Start, kMuted});
  }
  scene->title = caption.title;
  for (const std::string& line : caption.lines)
    scene->description += (scene->description.empty() ? "" : "; ") + line;
  return y + 16;
}

}  // namespace gsa::plot
