//===- Scene.h - a picture as a list of shapes -----------------*- C++ -*-===//
//
// What the pictures of gsa-run are made of. A scene is data: tests look at its
// texts, lines and cells, and Render.h turns it into a file.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_PLOT_SCENE_H
#define GSA_TOOLS_PLOT_SCENE_H

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace gsa::plot {

struct Color {
  uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Color&) const = default;
};

inline constexpr Color kInk = {36, 41, 47};
inline constexpr Color kMuted = {101, 109, 118};
inline constexpr Color kRule = {225, 228, 232};
inline constexpr Color kPaper = {255, 255, 255};

/// Places are in units of the picture: x to the right, y downwards. One unit is
/// one pixel at 1:1; PNG files have two pixels per unit.
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

struct Rectangle {
  Box box;
  Color fill;
};

struct Line {
  std::vector<std::pair<double, double>> points;
  Color color;
  double width = 1;
  bool dashed = false;
};

/// A closed area.
struct Area {
  std::vector<std::pair<double, double>> points;
  Color fill;
};

struct Dot {
  double x = 0, y = 0, radius = 3;
  Color fill;
};

enum class Anchor { Start, Middle, End };

/// One line of text. (x, y) is on its baseline, at its start, middle or end.
struct Text {
  double x = 0, y = 0;
  std::string text;
  double size = 12;
  Anchor anchor = Anchor::Start;
  Color color = kInk;
  bool bold = false;
  bool upwards = false;  ///< Read from bottom to top.
};

/// A grid of coloured cells, `colors` in rows from the top.
struct Cells {
  Box box;
  int64_t columns = 0, rows = 0;
  std::vector<Color> colors;
};

using Shape = std::variant<Rectangle, Line, Area, Dot, Cells, Text>;

struct Scene {
  double width = 0, height = 0;
  /// What a screen reader says; also the title element of an SVG file.
  std::string title, description;
  std::vector<Shape> shapes;  ///< In the order of drawing.

  void add(Shape shape) { shapes.push_back(std::move(shape)); }
};

/// `text` cut in its middle ("examples/...mlir") so that at `size` it is sure
/// to be no wider than `width`.
std::string fitted(const std::string& text, double size, double width);

/// An upper bound of the width of `text` at `size`, in units.
double widthBound(const std::string& text, double size);

}  // namespace gsa::plot

#endif  // GSA_TOOLS_PLOT_SCENE_H
