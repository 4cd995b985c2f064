//===- RenderCairo.cpp - scenes drawn by Cairo ----------------------------===//

#include <cairo-svg.h>
#include <cairo.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "llvm/Support/JSON.h"
#include "runtime/core/status_macros.h"
#include "tools/plot/Render.h"

namespace gsa::plot {
namespace {

/// Pixels of a PNG file per unit: sharp at 2:1, and readable at 1:1.
constexpr int kScale = 2;
constexpr double kMaxSide = 8192;

struct Release {
  void operator()(cairo_t* c) const { cairo_destroy(c); }
  void operator()(cairo_surface_t* s) const { cairo_surface_destroy(s); }
  void operator()(cairo_font_options_t* o) const {
    cairo_font_options_destroy(o);
  }
};
using Surface = std::unique_ptr<cairo_surface_t, Release>;
using Context = std::unique_ptr<cairo_t, Release>;

absl::Status toStatus(cairo_status_t status) {
  if (status == CAIRO_STATUS_SUCCESS) return absl::OkStatus();
  std::string message = absl::StrCat("Cairo: ", cairo_status_to_string(status));
  if (status == CAIRO_STATUS_NO_MEMORY)
    return absl::ResourceExhaustedError(message);
  return absl::InternalError(message);
}

cairo_status_t append(void* closure, const unsigned char* data,
                      unsigned int length) {
  static_cast<std::string*>(closure)->append(
      reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

/// Names of files may hold bytes that neither Cairo nor XML accepts.
std::string readable(const std::string& text) {
  std::string fixed = llvm::json::fixUTF8(text);
  for (char& c : fixed)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return fixed;
}

class Painter {
 public:
  explicit Painter(cairo_t* cairo) : cairo(cairo) {
    // The same outlines at every scale and on every screen.
    std::unique_ptr<cairo_font_options_t, Release> options(
        cairo_font_options_create());
    cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(cairo, options.get());
  }

  void paint(const Scene& scene) {
    setColor(kPaper);
    cairo_paint(cairo);
    for (const Shape& shape : scene.shapes)
      std::visit([this](const auto& s) { draw(s); }, shape);
  }

  Box boxOf(const Text& text) {
    cairo_text_extents_t extents = measure(text);
    double start = startOf(text, extents);
    // Above and below the baseline as capitals and descenders reach.
    double up = 0.76 * text.size, down = 0.24 * text.size;
    if (text.upwards)
      return {text.x - up, text.y - start - extents.x_advance, up + down,
              extents.x_advance};
    return {text.x + start, text.y - up, extents.x_advance, up + down};
  }

 private:
  void setColor(const Color& color) {
    cairo_set_source_rgb(cairo, color.red / 255.0, color.green / 255.0,
                         color.blue / 255.0);
  }

  void trace(const std::vector<std::pair<double, double>>& points) {
    cairo_new_path(cairo);
    for (const auto& [x, y] : points) cairo_line_to(cairo, x, y);
  }

  void draw(const Rectangle& rectangle) {
    setColor(rectangle.fill);
    const Box& box = rectangle.box;
    cairo_rectangle(cairo, box.x, box.y, box.width, box.height);
    cairo_fill(cairo);
  }

  void draw(const Line& line) {
    trace(line.points);
    setColor(line.color);
    cairo_set_line_width(cairo, line.width);
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    const double dashes[] = {5, 4};
    cairo_set_dash(cairo, dashes, line.dashed ? 2 : 0, 0);
    cairo_stroke(cairo);
  }

  void draw(const Area& area) {
    trace(area.points);
    setColor(area.fill);
    cairo_close_path(cairo);
    cairo_fill(cairo);
  }

  void draw(const Dot& dot) {
    cairo_new_path(cairo);
    cairo_arc(cairo, dot.x, dot.y, dot.radius, 0, 2 * M_PI);
    setColor(dot.fill);
    cairo_fill(cairo);
  }

  /// One pixel per cell, magnified without smoothing: whole cells in a PNG
  /// file, one small image in an SVG file.
  void draw(const Cells& cells) {
    auto columns = static_cast<int>(cells.columns);
    auto rows = static_cast<int>(cells.rows);
    // Viewers of SVG files smooth what they magnify; then edges blur over one
    // of these, not over a cell.
    int across = copies(cells.box.width, columns);
    int down = copies(cells.box.height, rows);
    Surface image(cairo_image_surface_create(CAIRO_FORMAT_RGB24,
                                             columns * across, rows * down));
    if (cairo_surface_status(image.get()) != CAIRO_STATUS_SUCCESS) {
      imageStatus = cairo_surface_status(image.get());
      return;
    }
    unsigned char* data = cairo_image_surface_get_data(image.get());
    int stride = cairo_image_surface_get_stride(image.get());
    for (int y = 0; y < rows * down; ++y) {
      for (int x = 0; x < columns * across; ++x) {
        const Color& color =
            cells.colors[static_cast<size_t>(y / down) * columns + x / across];
        uint32_t pixel = static_cast<uint32_t>(color.red) << 16 |
                         static_cast<uint32_t>(color.green) << 8 | color.blue;
        std::memcpy(data + static_cast<size_t>(y) * stride + size_t{4} * x,
                    &pixel, 4);
      }
    }
    cairo_surface_mark_dirty(image.get());
    cairo_save(cairo);
    cairo_translate(cairo, cells.box.x, cells.box.y);
    cairo_scale(cairo, cells.box.width / (columns * across),
                cells.box.height / (rows * down));
    cairo_set_source_surface(cairo, image.get(), 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_NEAREST);
    // Exactly the cells: no blending with what lies around them.
    cairo_rectangle(cairo, 0, 0, columns * across, rows * down);
    cairo_set_antialias(cairo, CAIRO_ANTIALIAS_NONE);
    cairo_fill(cairo);
    cairo_restore(cairo);
  }

  static int copies(double units, int cells) {
    return std::max(1, static_cast<int>(std::floor(kScale * units / cells)));
  }

  cairo_text_extents_t measure(const Text& text) {
    cairo_select_font_face(
        cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
        text.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo, text.size);
    cairo_text_extents_t extents;
    cairo_text_extents(cairo, readable(text.text).c_str(), &extents);
    return extents;
  }

  static double startOf(const Text& text, const cairo_text_extents_t& extents) {
    if (text.anchor == Anchor::Middle) return -extents.x_advance / 2;
    return text.anchor == Anchor::End ? -extents.x_advance : 0;
  }

  void draw(const Text& text) {
    cairo_text_extents_t extents = measure(text);
    cairo_save(cairo);
    cairo_translate(cairo, text.x, text.y);
    if (text.upwards) cairo_rotate(cairo, -M_PI / 2);
    cairo_move_to(cairo, startOf(text, extents), 0);
    setColor(text.color);
    cairo_show_text(cairo, readable(text.text).c_str());
    cairo_restore(cairo);
  }

  cairo_t* cairo;

 public:
  /// Of the images that cells were made of.
  cairo_status_t imageStatus = CAIRO_STATUS_SUCCESS;
};

absl::Status checkSize(const Scene& scene) {
  // Not "<": NaN is no size either.
  if (scene.width >= 1 && scene.height >= 1 && scene.width <= kMaxSide &&
      scene.height <= kMaxSide)
    return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("picture: got ", scene.width, " x ", scene.height,
                   " units, expected sides from 1 to ", kMaxSide));
}

absl::Status paintOn(cairo_surface_t* surface, const Scene& scene) {
  Context cairo(cairo_create(surface));
  Painter painter(cairo.get());
  painter.paint(scene);
  GSA_RETURN_IF_ERROR(toStatus(painter.imageStatus));
  return toStatus(cairo_status(cairo.get()));
}

absl::StatusOr<std::string> renderPng(const Scene& scene) {
  Surface surface(cairo_image_surface_create(
      CAIRO_FORMAT_RGB24, static_cast<int>(std::ceil(scene.width * kScale)),
      static_cast<int>(std::ceil(scene.height * kScale))));
  cairo_surface_set_device_scale(surface.get(), kScale, kScale);
  GSA_RETURN_IF_ERROR(paintOn(surface.get(), scene));
  std::string bytes;
  GSA_RETURN_IF_ERROR(toStatus(
      cairo_surface_write_to_png_stream(surface.get(), append, &bytes)));
  return bytes;
}

std::string escaped(const std::string& text) {
  return absl::StrReplaceAll(readable(text),
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

/// Cairo draws text as outlines; what it says goes into elements for readers.
absl::Status insertTitle(const Scene& scene, std::string* svg) {
  size_t root = svg->find("<svg");
  size_t end = root == std::string::npos ? root : svg->find('>', root);
  if (end == std::string::npos)
    return absl::InternalError("Cairo: an SVG file without a root element");
  svg->insert(end + 1, absl::StrCat("\n<title>", escaped(scene.title),
                                    "</title>\n<desc>",
                                    escaped(scene.description), "</desc>"));
  return absl::OkStatus();
}

absl::StatusOr<std::string> renderSvg(const Scene& scene) {
  std::string bytes;
  Surface surface(cairo_svg_surface_create_for_stream(
      append, &bytes, scene.width, scene.height));
  cairo_svg_surface_set_document_unit(surface.get(), CAIRO_SVG_UNIT_PX);
  GSA_RETURN_IF_ERROR(paintOn(surface.get(), scene));
  cairo_surface_finish(surface.get());
  GSA_RETURN_IF_ERROR(toStatus(cairo_surface_status(surface.get())));
  GSA_RETURN_IF_ERROR(insertTitle(scene, &bytes));
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> render(const Scene& scene, Format format) {
  GSA_RETURN_IF_ERROR(checkSize(scene));
  return format == Format::Png ? renderPng(scene) : renderSvg(scene);
}

absl::StatusOr<std::vector<Box>> textBoxes(const Scene& scene) {
  GSA_RETURN_IF_ERROR(checkSize(scene));
  Surface surface(cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1));
  Context cairo(cairo_create(surface.get()));
  Painter painter(cairo.get());
  std::vector<Box> boxes;
  for (const Shape& shape : scene.shapes)
    if (const auto* text = std::get_if<Text>(&shape))
      boxes.push_back(painter.boxOf(*text));
  GSA_RETURN_IF_ERROR(toStatus(cairo_status(cairo.get())));
  return boxes;
}

}  // namespace gsa::plot
