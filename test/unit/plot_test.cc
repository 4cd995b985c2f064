// -----------------------------------------------------------------------------
// File: plot_test.cc
// -----------------------------------------------------------------------------
//
// Pictures: what a scene says, where its cells and lines are, that no text
// stands on another, and that the files are the scene. PNG files are read back
// by Cairo.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#ifdef GSA_WITH_CAIRO
#include <cairo.h>
#endif

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/plot/Curves.h"
#include "tools/plot/Render.h"
#include "tools/plot/SelectionPlot.h"

namespace gsa::plot {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

const Caption kCaption = {"Keys that each query keeps",
                          {"layer.mlir @main on a machine"}};

struct Selection {
  std::vector<int32_t> indices, counts;
  SelectionPattern pattern;

  Selection(int64_t queries, int64_t keys, int64_t slots)
      : indices(queries * slots, -1), counts(queries, 0) {
    pattern.queries = queries;
    pattern.keys = keys;
    pattern.slots = slots;
    pattern.indices = indices;
    pattern.counts = counts;
  }
  Selection(const Selection&) = delete;
  void Add(int64_t query, int32_t key) {
    indices[query * pattern.slots + counts[query]++] = key;
  }
  Scene Draw() const {
    absl::StatusOr<Scene> scene = drawSelection(pattern, 0, kCaption);
    EXPECT_TRUE(scene.ok()) << scene.status();
    return scene.ok() ? *scene : Scene();
  }
};

std::vector<std::string> TextsOf(const Scene& scene) {
  std::vector<std::string> texts;
  for (const Shape& shape : scene.shapes) {
    if (const auto* text = std::get_if<Text>(&shape)) {
      if (!text->text.empty()) texts.push_back(text->text);
    }
  }
  return texts;
}

const Text* FindText(const Scene& scene, const std::string& wanted) {
  for (const Shape& shape : scene.shapes) {
    const auto* text = std::get_if<Text>(&shape);
    if (text != nullptr && text->text == wanted) return text;
  }
  return nullptr;
}

// The map of a selection is the first grid of cells, the colour bar the second.
const Cells& CellsOf(const Scene& scene, int which) {
  for (const Shape& shape : scene.shapes) {
    const auto* cells = std::get_if<Cells>(&shape);
    if (cells != nullptr && which-- == 0) return *cells;
  }
  static const Cells kNone;
  ADD_FAILURE() << "no cells";
  return kNone;
}

// ---- Selections -------------------------------------------------------------

TEST(SelectionPlotTest, CellsShowSelectionAndCausality) {
  Selection s(4, 6, 3);
  s.Add(0, 0);
  s.Add(0, 2);
  s.Add(3, 5);
  const Scene scene = s.Draw();
  const Cells& map = CellsOf(scene, 0);
  ASSERT_EQ(map.columns, 6);
  ASSERT_EQ(map.rows, 4);
  for (int64_t query = 0; query < 4; ++query) {
    for (int64_t key = 0; key < 6; ++key) {
      Color expected = kPaper;
      if (key > query + 2) expected = kHidden;  // bottom-right aligned
      if ((query == 0 && (key == 0 || key == 2)) || (query == 3 && key == 5)) {
        expected = shareColor(1, 1);
      }
      EXPECT_EQ(map.colors[query * 6 + key], expected) << query << " " << key;
    }
  }
}

TEST(SelectionPlotTest, SaysWhatItIs) {
  Selection s(512, 1024, 8);
  for (int64_t t = 0; t < 512; ++t) {
    for (int32_t key = 0; key < 1 + t % 8; ++key) s.Add(t, key);
  }
  const Scene scene = s.Draw();
  const std::vector<std::string> texts = TextsOf(scene);
  EXPECT_THAT(
      texts, IsSupersetOf(
                 {std::string("Keys that each query keeps"),
                  std::string("layer.mlir @main on a machine"),
                  std::string("512 queries, 1024 keys; each query keeps 1 to "
                              "8 keys, mean 4.5 (room for 8)"),
                  std::string("key (position in the sequence)"),
                  std::string("query"), std::string("keys kept"),
                  std::string("selected share of visible pairs"),
                  std::string("selected"), std::string("visible, not selected"),
                  std::string("hidden by the causal mask"),
                  std::string("end of the visible keys")}));
  // Both axes count to their ends in powers of two.
  EXPECT_THAT(texts, IsSupersetOf({std::string("0"), std::string("256"),
                                   std::string("512"), std::string("1024")}));
  EXPECT_EQ(scene.title, "Keys that each query keeps");
  EXPECT_THAT(scene.description, HasSubstr("512 queries, 1024 keys"));
}

TEST(SelectionPlotTest, TicksStandAtTheirElements) {
  Selection s(4, 10, 1);
  s.Add(0, 0);
  const Scene scene = s.Draw();
  const Box& map = CellsOf(scene, 0).box;
  const double cell = map.width / 10;
  for (int key : {2, 4, 6, 8}) {
    const Text* label = FindText(scene, std::to_string(key));
    ASSERT_NE(label, nullptr) << key;
    EXPECT_NEAR(label->x, map.x + (key + 0.5) * cell, 1e-6);
    EXPECT_EQ(label->anchor, Anchor::Middle);
  }
}

// The bar runs from 0 to the largest share of a cell, rounded up, and its
// colours are those of the map.
TEST(SelectionPlotTest, BarHasTheRangeOfTheMap) {
  // 2560 keys in 640 cells of 4 keys and 4 queries each.
  Selection s(2560, 2560, 2);
  for (int64_t t = 0; t < 2560; ++t) {
    if (t >= 1000) s.Add(t, 8);
    if (t >= 1000 && t % 4 == 0) s.Add(t, 9);
  }
  absl::StatusOr<SelectionGrid> grid = countPairs(s.pattern, 0);
  ASSERT_TRUE(grid.ok()) << grid.status();
  ASSERT_EQ(grid->keys.perBin, 4);
  ASSERT_EQ(grid->queries.perBin, 4);
  const int64_t cell = 300 * grid->keys.count() + 2;
  EXPECT_EQ(grid->selected[cell], 5);  // of 16 pairs
  EXPECT_EQ(grid->visible[cell], 16);
  EXPECT_EQ(grid->largestShare, 5.0 / 16);
  EXPECT_EQ(grid->budget[300], 1.25);
  const Scene scene = s.Draw();
  const Cells& map = CellsOf(scene, 0);
  const Color color = map.colors[cell];
  EXPECT_EQ(color, shareColor(5.0 / 16, 0.5));
  EXPECT_EQ(map.colors[cell + 1], kPaper);
  EXPECT_EQ(map.colors[100 * map.columns + 2], kPaper);  // nothing kept there
  EXPECT_THAT(TextsOf(scene),
              IsSupersetOf({std::string("0.5"), std::string("0.25"),
                            std::string("0.125"), std::string("0.05"),
                            std::string("0.025")}));
  const Cells& bar = CellsOf(scene, 1);
  ASSERT_EQ(bar.columns, 1);
  EXPECT_EQ(bar.box.y, map.box.y);
  EXPECT_EQ(bar.box.height, map.box.height);
  // A number stands where the bar has the colour of its share.
  const Text* quarter = FindText(scene, "0.25");
  const double part = (quarter->y - 0.36 * quarter->size - bar.box.y) /
                      bar.box.height * static_cast<double>(bar.rows);
  const Color there = bar.colors[static_cast<size_t>(part)];
  const Color wanted = shareColor(0.25, 0.5);
  EXPECT_NEAR(there.red, wanted.red, 3);
  EXPECT_NEAR(there.green, wanted.green, 3);
  EXPECT_NEAR(there.blue, wanted.blue, 3);
}

TEST(SelectionPlotTest, WithoutAMaskNothingIsHidden) {
  Selection s(3, 3, 1);
  s.Add(0, 2);
  const Scene scene = s.Draw();
  EXPECT_THAT(CellsOf(scene, 0).colors, testing::Not(Contains(kHidden)));
  EXPECT_EQ(FindText(scene, "hidden by the causal mask"), nullptr);
}

TEST(SelectionPlotTest, LongAxesAreBinnedEvenly) {
  for (const int64_t size : {1, 5, 639, 640, 641, 4096, 131072}) {
    Selection s(1, size, 1);
    absl::StatusOr<SelectionGrid> grid = countPairs(s.pattern, 0);
    ASSERT_TRUE(grid.ok());
    EXPECT_LE(grid->keys.count(), 640) << size;
    EXPECT_EQ(
        std::accumulate(grid->visible.begin(), grid->visible.end(), int64_t{0}),
        size);
    // Few queries beside many keys keep their rows.
    EXPECT_EQ(grid->queries.count(), 1);
  }
  Selection few(64, 65536, 1);
  EXPECT_EQ(countPairs(few.pattern, 0)->queries.count(), 64);
}

TEST(SelectionPlotTest, BadPatternsAreErrors) {
  auto message = [](const SelectionPattern& pattern, int64_t batch = 0) {
    return std::string(
        drawSelection(pattern, batch, kCaption).status().message());
  };
  Selection s(4, 6, 2);
  s.Add(2, 6);
  EXPECT_THAT(message(s.pattern),
              HasSubstr("query 2, slot 0: got key 6, expected 0 to 5"));
  s.indices[4] = -1;
  EXPECT_THAT(message(s.pattern), HasSubstr("got key -1"));
  s.counts[2] = 3;
  EXPECT_THAT(message(s.pattern), HasSubstr("query 2: got count 3"));
  s.counts[2] = -1;
  EXPECT_THAT(message(s.pattern), HasSubstr("query 2: got count -1"));
  EXPECT_THAT(message(s.pattern, 1), HasSubstr("got batch element 1"));
  s.pattern.batch = 2;
  EXPECT_THAT(message(s.pattern),
              HasSubstr("got 8 indices and 4 counts, expected 16 and 8"));
  s.pattern.keys = 0;
  EXPECT_THAT(message(s.pattern), HasSubstr("expected positive sizes"));
}

// ---- Axes -------------------------------------------------------------------

std::vector<std::string> Labels(const std::vector<Tick>& ticks) {
  std::vector<std::string> labels;
  for (const Tick& tick : ticks) labels.push_back(tick.label);
  return labels;
}

TEST(AxisTest, TicksAreRoundNumbers) {
  EXPECT_THAT(Labels(linearTicks(0, 63, 6, Steps::Decimal)),
              ElementsAre("0", "20", "40", "60"));
  EXPECT_THAT(Labels(linearTicks(0, 0.7, 6, Steps::Decimal)),
              ElementsAre("0", "0.2", "0.4", "0.6"));
  EXPECT_THAT(Labels(linearTicks(0, 3, 9, Steps::Whole)),
              ElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(
      Labels(linearTicks(0, 4095, 9, Steps::Binary)),
      ElementsAre("0", "512", "1024", "1536", "2048", "2560", "3072", "3584"));
  EXPECT_THAT(Labels(linearTicks(-3, 3, 4, Steps::Decimal)),
              ElementsAre("-2", "0", "2"));
  EXPECT_THAT(Labels(logTicks(1e-4, 1, 8)),
              ElementsAre("0.0001", "0.001", "0.01", "0.1", "1"));
  EXPECT_THAT(Labels(logTicks(0.2, 2, 8)), ElementsAre("0.2", "0.5", "1", "2"));
  for (double high : {0.37, 1.0, 99.0, 12345.0, 7e8}) {
    for (int most : {2, 5, 12}) {
      EXPECT_LE(linearTicks(0, high, most, Steps::Decimal).size(),
                static_cast<size_t>(most))
          << high;
    }
  }
  EXPECT_EQ(niceCeiling(0.31), 0.5);
  EXPECT_EQ(niceCeiling(0.2), 0.2);
  EXPECT_EQ(niceCeiling(2100), 2500);
  EXPECT_EQ(niceCeiling(0), 1);
}

TEST(AxisTest, PlacesAreProportional) {
  Axis axis;
  axis.low = 10;
  axis.high = 1000;
  axis.from = 100;
  axis.to = 0;
  EXPECT_DOUBLE_EQ(axis.at(505), 50);
  axis.isLog = true;
  EXPECT_DOUBLE_EQ(axis.at(100), 50);
}

TEST(AxisTest, LongTextsAreCutInTheirMiddle) {
  const std::string path =
      "a/very/long/path/to/a/module/that/nobody/would/write/layer.mlir";
  const std::string cut = fitted(path, 12, 200);
  EXPECT_LE(widthBound(cut, 12), 200);
  EXPECT_THAT(cut, testing::AllOf(testing::StartsWith("a/v"), HasSubstr("..."),
                                  testing::EndsWith("layer.mlir")));
  EXPECT_EQ(fitted("short", 12, 200), "short");
}

// ---- Curves -----------------------------------------------------------------

MassCurves Sink(int64_t keys) {
  MassCurves mass;
  mass.rows = 8;
  for (int64_t s = 0; s < keys; ++s) {
    mass.rowsSeeing.push_back(s + 1 < keys ? 8 : 0);
    mass.dense.push_back(s == 0 ? 0.4 : 0.6 / static_cast<double>(keys));
    mass.sparse.push_back(s % 2 == 0 ? 2 * mass.dense.back() : 0);
    mass.denseGated.push_back(0.1 * mass.dense.back());
    mass.sparseGated.push_back(0.1 * mass.sparse.back());
  }
  return mass;
}

TEST(MassPlotTest, BinsCoverEveryKeyOnce) {
  for (const int64_t keys : {1, 2, 16, 17, 100, 131072}) {
    const std::vector<KeyBin> bins = massBins(keys);
    int64_t next = 0;
    for (const KeyBin& bin : bins) {
      EXPECT_EQ(bin.first, next);
      EXPECT_GE(bin.last, bin.first);
      if (bin.first < 16) EXPECT_EQ(bin.last, bin.first);
      next = bin.last + 1;
    }
    EXPECT_EQ(next, keys);
    EXPECT_LE(bins.size(), 140u);
  }
}

TEST(MassPlotTest, BinsAreMeansOverRowsThatSeeThem) {
  EXPECT_THAT(binnedMass({0.5, 0.2, 0.8}, {4, 1, 3}, {{0, 0}, {1, 2}}),
              ElementsAre(0.5, (0.2 * 1 + 0.8 * 3) / 4));
  EXPECT_THAT(binnedMass({0.5}, {0}, {{0, 0}}), ElementsAre(-1));
}

TEST(MassPlotTest, SaysTheMassOfTheFirstToken) {
  absl::StatusOr<Scene> scene = drawMass(Sink(4096), kCaption);
  ASSERT_TRUE(scene.ok()) << scene.status();
  EXPECT_THAT(
      TextsOf(*scene),
      IsSupersetOf(
          {std::string("dense: first token 40 %"),
           std::string("sparse: first token 80 %"),
           std::string("dense, gated: first token 4 %"),
           std::string("sparse, gated: first token 8 %"),
           std::string("position of the key (logarithmic; 0 is the first "
                       "token)"),
           std::string("mean attention weight (0 at the lower edge)"),
           std::string("mean of 8 measured queries and all heads, 4096 keys; "
                       "gated: times the mean of each gate")}));
  // Without gates, and of dense attention, there are fewer curves.
  MassCurves dense = Sink(64);
  dense.sparse.clear();
  dense.denseGated.clear();
  dense.sparseGated.clear();
  scene = drawMass(dense, kCaption);
  ASSERT_TRUE(scene.ok()) << scene.status();
  EXPECT_NE(FindText(*scene, "dense: first token 40 %"), nullptr);
  EXPECT_NE(
      FindText(*scene, "mean of 8 measured queries and all heads, 64 keys"),
      nullptr);
  int dots = 0;
  for (const Shape& shape : scene->shapes) {
    dots += std::holds_alternative<Dot>(shape);
  }
  EXPECT_EQ(dots, 1);
}

TEST(MassPlotTest, BadCurvesAreErrors) {
  auto message = [](const MassCurves& mass) {
    return std::string(drawMass(mass, kCaption).status().message());
  };
  EXPECT_THAT(message(MassCurves()), HasSubstr("no attention mass"));
  MassCurves mass = Sink(8);
  mass.sparse.pop_back();
  EXPECT_THAT(message(mass), HasSubstr("'sparse' has 7 keys, expected 8"));
  mass = Sink(8);
  mass.denseGated[3] = NAN;
  EXPECT_THAT(message(mass), HasSubstr("'dense, gated' of key 3: got nan"));
}

TEST(SweepPlotTest, PointsStandAtTheirValues) {
  absl::StatusOr<Scene> scene = drawSweep(
      "--k", {"1024", "256", "512"},
      {{"run, ms", {40, 10, 20}}, {"mass kept", {0.6, 0.3, NAN}}}, kCaption);
  ASSERT_TRUE(scene.ok()) << scene.status();
  std::vector<const Dot*> dots;
  std::vector<const Line*> curves;
  for (const Shape& shape : scene->shapes) {
    if (const auto* dot = std::get_if<Dot>(&shape)) dots.push_back(dot);
    const auto* line = std::get_if<Line>(&shape);
    if (line != nullptr && line->width == 2) curves.push_back(line);
  }
  ASSERT_EQ(dots.size(), 5u);  // one value is missing
  // Equal factors are equal distances, and time is proportional to height.
  EXPECT_NEAR(dots[0]->x - dots[2]->x, dots[2]->x - dots[1]->x, 1e-6);
  EXPECT_NEAR(dots[1]->y - dots[2]->y, (dots[2]->y - dots[0]->y) / 2, 1e-6);
  // The line goes from left to right whatever the order of the runs.
  ASSERT_EQ(curves.size(), 2u);
  ASSERT_EQ(curves[0]->points.size(), 3u);
  EXPECT_LT(curves[0]->points[0].first, curves[0]->points[1].first);
  EXPECT_EQ(curves[1]->points.size(), 2u);
  EXPECT_THAT(TextsOf(*scene),
              IsSupersetOf({std::string("--k"), std::string("run, ms"),
                            std::string("mass kept"), std::string("256"),
                            std::string("40"), std::string("0.6")}));
}

TEST(SweepPlotTest, NamesStandSideBySide) {
  absl::StatusOr<Scene> scene =
      drawSweep("--workload", {"rho98", "independent", "rho90"},
                {{"run, ms", {1, 2, 3}}}, kCaption);
  ASSERT_TRUE(scene.ok()) << scene.status();
  const Text *first = FindText(*scene, "rho98"),
             *second = FindText(*scene, "independent"),
             *third = FindText(*scene, "rho90");
  ASSERT_TRUE(first && second && third);
  EXPECT_NEAR(second->x - first->x, third->x - second->x, 1e-6);
  EXPECT_FALSE(drawSweep("--k", {"1"}, {{"ms", {1}}}, kCaption).ok());
  EXPECT_THAT(std::string(drawSweep("--k", {"1", "2"}, {{"ms", {1}}}, kCaption)
                              .status()
                              .message()),
              HasSubstr("'ms' has 1 values, expected 2"));
}

// ---- Files ------------------------------------------------------------------

#ifdef GSA_WITH_CAIRO

TEST(RenderTest, ExtensionsNameFormats) {
  EXPECT_EQ(formatOf("a/b.png").value(), Format::Png);
  EXPECT_EQ(formatOf("B.SVG").value(), Format::Svg);
  for (const char* path : {"x.jpg", "x", "a.png/x", "x.png.gz", ".."}) {
    absl::Status status = formatOf(path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << path;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("expected .png or .svg"));
  }
  EXPECT_THAT(std::string(formatOf("x.jpg").status().message()),
              HasSubstr("got extension 'jpg'"));
}

struct Image {
  int width = 0, height = 0;
  std::vector<uint32_t> pixels;
  Color At(double x, double y) const {
    const uint32_t p =
        pixels[static_cast<size_t>(2 * y) * width + static_cast<size_t>(2 * x)];
    return {static_cast<uint8_t>(p >> 16), static_cast<uint8_t>(p >> 8),
            static_cast<uint8_t>(p)};
  }
};

Image Decode(const std::string& png) {
  struct Reader {
    const std::string& bytes;
    size_t at;
  } reader{png, 0};
  cairo_surface_t* surface = cairo_image_surface_create_from_png_stream(
      [](void* closure, unsigned char* data, unsigned int length) {
        auto* r = static_cast<Reader*>(closure);
        if (r->at + length > r->bytes.size()) return CAIRO_STATUS_READ_ERROR;
        std::memcpy(data, r->bytes.data() + r->at, length);
        r->at += length;
        return CAIRO_STATUS_SUCCESS;
      },
      &reader);
  EXPECT_EQ(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
  Image image;
  image.width = cairo_image_surface_get_width(surface);
  image.height = cairo_image_surface_get_height(surface);
  const int stride = cairo_image_surface_get_stride(surface);
  const unsigned char* data = cairo_image_surface_get_data(surface);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      uint32_t pixel;
      std::memcpy(&pixel,
                  data + static_cast<size_t>(y) * stride + size_t{4} * x, 4);
      image.pixels.push_back(pixel & 0xffffff);
    }
  }
  cairo_surface_destroy(surface);
  return image;
}

// Cells are whole pixels: a known selection gives known ones.
TEST(RenderTest, PixelsAreTheCells) {
  Selection s(4, 6, 3);
  s.Add(0, 0);
  s.Add(3, 4);
  const Scene scene = s.Draw();
  absl::StatusOr<std::string> png = render(scene, Format::Png);
  ASSERT_TRUE(png.ok()) << png.status();
  const Image image = Decode(*png);
  EXPECT_EQ(image.width, std::ceil(2 * scene.width));
  EXPECT_EQ(image.height, std::ceil(2 * scene.height));
  const Cells& map = CellsOf(scene, 0);
  for (int64_t r = 0; r < map.rows; ++r) {
    for (int64_t c = 0; c < map.columns; ++c) {
      const double width = map.box.width / 6, height = map.box.height / 4;
      // The middle, and near the corners but for the lines around the map.
      for (double part : {0.1, 0.5, 0.9}) {
        EXPECT_EQ(image.At(map.box.x + (c + part) * width,
                           map.box.y + (r + part) * height),
                  map.colors[r * 6 + c])
            << r << " " << c << " " << part;
      }
    }
  }
}

TEST(RenderTest, FilesAreDeterministicAndCompressed) {
  Selection s(700, 700, 3);
  for (int64_t t = 10; t < 700; ++t) s.Add(t, static_cast<int32_t>(t * 7 % t));
  const std::string png = render(s.Draw(), Format::Png).value();
  EXPECT_EQ(png, render(s.Draw(), Format::Png).value());
  const Image image = Decode(png);
  EXPECT_LT(png.size(), image.pixels.size() * 3 / 10);
}

TEST(RenderTest, SvgIsAnXmlFileWithATitle) {
  Selection s(64, 64, 2);
  s.Add(3, 1);
  Scene scene = s.Draw();
  scene.title = "a <b> & \xff";
  const std::string svg = render(scene, Format::Svg).value();
  EXPECT_THAT(svg, testing::StartsWith("<?xml"));
  EXPECT_THAT(svg, HasSubstr("<title>a &lt;b&gt; &amp; \xef\xbf\xbd</title>"));
  EXPECT_THAT(svg, HasSubstr("<desc>layer.mlir @main on a machine; 64 "
                             "queries, 64 keys"));
  EXPECT_THAT(svg, HasSubstr("</svg>"));
  // Letters are outlines, used where a text stands.
  EXPECT_THAT(svg, HasSubstr("glyph"));
  // The map is an image within the file.
  EXPECT_THAT(svg, HasSubstr("data:image/png;base64,"));
}

bool Overlap(const Box& a, const Box& b) {
  constexpr double kTouch = 0.5;
  return a.x + kTouch < b.right() && b.x + kTouch < a.right() &&
         a.y + kTouch < b.bottom() && b.y + kTouch < a.bottom();
}

void ExpectReadable(const Scene& scene, const std::string& what) {
  absl::StatusOr<std::vector<Box>> boxes = textBoxes(scene);
  ASSERT_TRUE(boxes.ok()) << boxes.status();
  std::vector<const Text*> texts;
  for (const Shape& shape : scene.shapes) {
    if (const auto* text = std::get_if<Text>(&shape)) texts.push_back(text);
  }
  ASSERT_EQ(texts.size(), boxes->size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const Box& box = (*boxes)[i];
    if (texts[i]->text.empty()) continue;
    EXPECT_GE(texts[i]->size, 12) << what;
    EXPECT_TRUE(box.x >= 0 && box.y >= 0 && box.right() <= scene.width &&
                box.bottom() <= scene.height)
        << what << ": '" << texts[i]->text << "' leaves the picture";
    EXPECT_LE(texts[i]->upwards ? box.height : box.width,
              widthBound(texts[i]->text, texts[i]->bold ? texts[i]->size * 1.15
                                                        : texts[i]->size))
        << texts[i]->text;
    for (size_t j = 0; j < i; ++j) {
      if (texts[j]->text.empty()) continue;
      EXPECT_FALSE(Overlap(box, (*boxes)[j]))
          << what << ": '" << texts[i]->text << "' and '" << texts[j]->text
          << "'";
    }
  }
}

TEST(RenderTest, NoTextStandsOnAnother) {
  for (const int64_t queries : {1, 2, 7, 100, 257, 640, 4096, 5000}) {
    for (const int64_t keys : {1, 3, 64, 999, 4096, 131072}) {
      Selection s(queries, keys, 3);
      for (int64_t t = std::max<int64_t>(0, queries - keys); t < queries; ++t) {
        s.Add(t, static_cast<int32_t>((t + keys - queries) / 2));
      }
      ExpectReadable(s.Draw(),
                     std::to_string(queries) + " x " + std::to_string(keys));
    }
  }
  Caption long_caption = kCaption;
  long_caption.title = std::string(300, 'W');
  long_caption.lines = {std::string(500, 'm'), std::string(200, '\xc3')};
  for (const int64_t keys : {1, 2, 3, 20, 4096, 131072}) {
    ExpectReadable(drawMass(Sink(keys), long_caption).value(),
                   "mass of " + std::to_string(keys));
  }
  for (const auto& values :
       std::vector<std::vector<std::string>>{{"1", "2"},
                                             {"256", "257", "258", "100000"},
                                             {"shared_rho95", "rho98", "x"},
                                             {"-1", "0", "1"},
                                             {"7", "7"}}) {
    std::vector<double> ms(values.size()), none(values.size(), NAN);
    std::iota(ms.begin(), ms.end(), 0.1234);
    ExpectReadable(
        drawSweep("--k", values, {{"run, ms (median)", ms}, {"nothing", none}},
                  long_caption)
            .value(),
        "sweep from " + values[0]);
  }
}

TEST(RenderTest, WritesFiles) {
  const std::string folder = testing::TempDir();
  Selection s(8, 8, 1);
  for (const char* name : {"gsa_plot_test.png", "gsa_plot_test.svg"}) {
    const std::string path = folder + "/" + name;
    ASSERT_TRUE(write(s.Draw(), path).ok());
    std::ifstream in(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << in.rdbuf();
    if (path.back() == 'g' && path[path.size() - 2] == 'n') {
      EXPECT_EQ(bytes.str(), render(s.Draw(), Format::Png).value());
    }
    EXPECT_GT(bytes.str().size(), 1000u);
    std::filesystem::remove(path);
  }
  EXPECT_FALSE(write(s.Draw(), "/nonexistent/x.png").ok());
  EXPECT_FALSE(write(Scene(), folder + "/x.png").ok());
}

#else

TEST(RenderTest, WithoutCairoEveryPathIsRefusedAtOnce) {
  absl::Status status = formatOf("x.png").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("without Cairo"));
  EXPECT_FALSE(render(Scene(), Format::Png).ok());
}

#endif

}  // namespace
}  // namespace gsa::plot
