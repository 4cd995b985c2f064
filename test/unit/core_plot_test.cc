// -----------------------------------------------------------------------------
// File: core_plot_test.cc
// -----------------------------------------------------------------------------
//
// Plots are checked through a decoder written from the PNG, zlib and deflate
// specifications, checksums included: what is asserted is what a viewer sees.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/plot.h"
#include "runtime/core/png.h"

namespace gsa {
namespace {

using ::testing::HasSubstr;

bool operator==(const Rgb& a, const Rgb& b) {
  return a.red == b.red && a.green == b.green && a.blue == b.blue;
}

struct Decoded {
  int width = 0, height = 0;
  std::vector<Rgb> pixels;
  const Rgb& At(int x, int y) const { return pixels[y * width + x]; }
};

uint32_t BigEndian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = at; i < at + 4; ++i) {
    value = value << 8 | static_cast<uint8_t>(bytes.at(i));
  }
  return value;
}

// Bit by bit, with no table to share a mistake with the encoder.
uint32_t SlowCrc(const std::string& bytes) {
  uint32_t crc = 0xffffffff;
  for (char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

std::string InflateStored(const std::string& zlib) {
  EXPECT_EQ(zlib[0] & 0x0f, 8) << "method deflate";
  EXPECT_EQ(
      (static_cast<uint8_t>(zlib[0]) * 256 + static_cast<uint8_t>(zlib[1])) %
          31,
      0);
  auto byte = [&](size_t i) { return static_cast<uint8_t>(zlib.at(i)); };
  std::string out;
  size_t at = 2;
  bool last = false;
  while (!last) {
    last = byte(at) & 1;
    EXPECT_EQ(byte(at) >> 1, 0) << "stored";
    const uint32_t size = byte(at + 1) | byte(at + 2) << 8;
    const uint32_t check = byte(at + 3) | byte(at + 4) << 8;
    EXPECT_EQ(size ^ check, 0xffffu);
    out += zlib.substr(at + 5, size);
    at += 5 + size;
  }
  uint64_t a = 1, b = 0;
  for (char c : out) {
    a += static_cast<uint8_t>(c);
    b += a % 65521;
  }
  EXPECT_EQ(BigEndian(zlib, at), (b % 65521) << 16 | (a % 65521));
  EXPECT_EQ(at + 4, zlib.size());
  return out;
}

Decoded Decode(const std::string& png) {
  Decoded image;
  EXPECT_EQ(png.substr(0, 8), std::string("\x89PNG\r\n\x1a\n", 8));
  std::string palette, data;
  std::vector<std::string> types;
  for (size_t at = 8; at < png.size();) {
    const uint32_t size = BigEndian(png, at);
    const std::string type = png.substr(at + 4, 4);
    const std::string body = png.substr(at + 8, size);
    EXPECT_EQ(BigEndian(png, at + 8 + size), SlowCrc(type + body)) << type;
    if (type == "IHDR") {
      image.width = static_cast<int>(BigEndian(body, 0));
      image.height = static_cast<int>(BigEndian(body, 4));
      EXPECT_EQ(body.substr(8), std::string("\x08\x03\0\0\0", 5));
    }
    if (type == "PLTE") palette = body;
    if (type == "IDAT") data = body;
    types.push_back(type);
    at += 12 + size;
  }
  EXPECT_THAT(types, testing::ElementsAre("IHDR", "PLTE", "IDAT", "IEND"));
  const std::string rows = InflateStored(data);
  EXPECT_EQ(rows.size(), static_cast<size_t>(image.width + 1) * image.height);
  for (int y = 0; y < image.height; ++y) {
    EXPECT_EQ(rows[y * (image.width + 1)], 0) << "unfiltered";
    for (int x = 0; x < image.width; ++x) {
      const auto color =
          static_cast<uint8_t>(rows[y * (image.width + 1) + 1 + x]);
      EXPECT_LT(color * 3u, palette.size());
      image.pixels.push_back({static_cast<uint8_t>(palette[color * 3]),
                              static_cast<uint8_t>(palette[color * 3 + 1]),
                              static_cast<uint8_t>(palette[color * 3 + 2])});
    }
  }
  return image;
}

TEST(PngTest, PixelsSurviveDecoding) {
  PaletteImage image =
      PaletteImage::Create(7, 3, {{1, 2, 3}, {250, 251, 252}}).value();
  image.Set(6, 2, 1);
  image.Set(7, 2, 1);  // outside: ignored
  image.Set(-1, 0, 1);
  const Decoded decoded = Decode(image.Encode());
  ASSERT_EQ(decoded.width, 7);
  ASSERT_EQ(decoded.height, 3);
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 7; ++x) {
      const bool set = x == 6 && y == 2;
      EXPECT_TRUE(decoded.At(x, y) == (set ? Rgb{250, 251, 252} : Rgb{1, 2, 3}))
          << x << " " << y;
    }
  }
}

TEST(PngTest, ImagesAcrossSeveralBlocks) {
  PaletteImage image =
      PaletteImage::Create(300, 500, {{0, 0, 0}, {9, 9, 9}}).value();
  image.FillRect(10, 20, 280, 470, 1);
  const Decoded decoded = Decode(image.Encode());
  EXPECT_TRUE(decoded.At(9, 30) == (Rgb{0, 0, 0}));
  EXPECT_TRUE(decoded.At(10, 489) == (Rgb{9, 9, 9}));
  EXPECT_TRUE(decoded.At(10, 490) == (Rgb{0, 0, 0}));
}

TEST(PngTest, RefusesImpossibleImages) {
  EXPECT_FALSE(PaletteImage::Create(0, 5, {{0, 0, 0}}).ok());
  EXPECT_FALSE(PaletteImage::Create(5, 1 << 20, {{0, 0, 0}}).ok());
  EXPECT_FALSE(PaletteImage::Create(5, 5, {}).ok());
  EXPECT_FALSE(PaletteImage::Create(5, 5, std::vector<Rgb>(257)).ok());
}

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
  void Add(int64_t query, int32_t key) {
    indices[query * pattern.slots + counts[query]++] = key;
  }
  Selection(const Selection&) = delete;
};

const Rgb kWhite = {255, 255, 255};
const Rgb kDarkest = {8, 38, 90};
const Rgb kGrey = {228, 228, 228};
const Rgb kOrange = {240, 130, 20};

// Few queries and keys: magnified cells of 24 pixels.
TEST(PlotTest, CellsShowSelectionAndCausality) {
  Selection s(4, 6, 3);
  s.Add(0, 0);
  s.Add(0, 2);
  s.Add(3, 5);
  const Decoded image = Decode(DrawSelection(s.pattern, 0).value().Encode());
  auto cell = [&](int query, int key) {
    return image.At(58 + key * 24 + 12, 14 + query * 24 + 12);
  };
  for (int query = 0; query < 4; ++query) {
    for (int key = 0; key < 6; ++key) {
      Rgb expected = kWhite;
      const int limit = query + 2;  // bottom-right aligned
      if (key > limit) expected = kGrey;
      if ((query == 0 && (key == 0 || key == 2)) || (query == 3 && key == 5)) {
        expected = kDarkest;
      }
      EXPECT_TRUE(cell(query, key) == expected) << query << " " << key;
      const Rgb edge = image.At(58 + key * 24, 14 + query * 24 + 12);
      EXPECT_EQ(edge == kOrange, key == limit + 1) << query << " " << key;
    }
  }
}

TEST(PlotTest, LongAxesAreBinned) {
  Selection s(5000, 3000, 1);
  for (int64_t t = 2000; t < 5000; ++t) s.Add(t, 7);
  const PaletteImage image = DrawSelection(s.pattern, 0).value();
  EXPECT_EQ(image.width(), 1024 + 58 + 48);
  EXPECT_EQ(image.height(), 1024 + 14 + 40);
  const Decoded decoded = Decode(image.Encode());
  // Key 7 of 3000 falls into bin 2, half of whose keys it is at most.
  const Rgb hit = decoded.At(58 + 2, 14 + 900);
  EXPECT_FALSE(hit == kWhite);
  EXPECT_FALSE(hit == kDarkest);
  EXPECT_TRUE(decoded.At(58 + 3, 14 + 900) == kWhite);
  // The first 2000 queries have no key at all.
  EXPECT_TRUE(decoded.At(58 + 2, 14 + 100) == kGrey);
}

TEST(PlotTest, EmptyRowsAndNoSlots) {
  Selection s(3, 3, 0);
  EXPECT_TRUE(DrawSelection(s.pattern, 0).ok());
  Selection wide(1, 100000, 2);
  wide.Add(0, 99999);
  EXPECT_TRUE(DrawSelection(wide.pattern, 0).ok());
}

TEST(PlotTest, BadPatternsAreErrors) {
  auto message = [](const SelectionPattern& pattern, int64_t batch = 0) {
    return std::string(DrawSelection(pattern, batch).status().message());
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

TEST(PlotTest, WritesAFile) {
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / "gsa_core_plot_test.png";
  Selection s(8, 8, 1);
  ASSERT_TRUE(PlotSelection(s.pattern, path.string()).ok());
  std::ifstream in(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  EXPECT_EQ(bytes.str(), DrawSelection(s.pattern, 0).value().Encode());
  std::filesystem::remove(path);
  EXPECT_FALSE(PlotSelection(s.pattern, "/nonexistent/x.png").ok());
}

}  // namespace
}  // namespace gsa
