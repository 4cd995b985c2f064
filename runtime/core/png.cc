// -----------------------------------------------------------------------------
// File: png.cc
// -----------------------------------------------------------------------------

#include "runtime/core/png.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace gsa {
namespace {

constexpr int kMaxSide = 16384;

// Rows of five bits, the leftmost pixel in the highest one. Only what the axes
// of a plot need.
struct Glyph {
  char character;
  uint8_t rows[7];
};
constexpr Glyph kFont[] = {
    {'0', {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e}},
    {'1', {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e}},
    {'2', {0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f}},
    {'3', {0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e}},
    {'4', {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02}},
    {'5', {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e}},
    {'6', {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e}},
    {'7', {0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08}},
    {'8', {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e}},
    {'9', {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c}},
    {'e', {0x00, 0x00, 0x0e, 0x11, 0x1f, 0x10, 0x0e}},
    {'k', {0x10, 0x10, 0x12, 0x14, 0x18, 0x14, 0x12}},
    {'q', {0x00, 0x00, 0x0d, 0x13, 0x0f, 0x01, 0x01}},
    {'r', {0x00, 0x00, 0x16, 0x19, 0x10, 0x10, 0x10}},
    {'u', {0x00, 0x00, 0x11, 0x11, 0x11, 0x13, 0x0d}},
    {'y', {0x00, 0x00, 0x11, 0x11, 0x0f, 0x01, 0x0e}},
};

// CRC-32 of PNG chunks.
uint32_t Crc32(const char* data, size_t size) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> t;
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) {
        c = (c & 1) ? 0xedb88320 ^ (c >> 1) : c >> 1;
      }
      t[i] = c;
    }
    return t;
  }();
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < size; ++i) {
    crc = table[(crc ^ static_cast<uint8_t>(data[i])) & 0xff] ^ (crc >> 8);
  }
  return ~crc;
}

// The checksum of a zlib stream (RFC 1950).
uint32_t Adler32(const std::string& data) {
  uint32_t a = 1, b = 0;
  for (char c : data) {
    a = (a + static_cast<uint8_t>(c)) % 65521;
    b = (b + a) % 65521;
  }
  return (b << 16) | a;
}

void AppendBigEndian(uint32_t value, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> shift));
  }
}

void AppendChunk(const char* type, const std::string& data, std::string* out) {
  AppendBigEndian(static_cast<uint32_t>(data.size()), out);
  const size_t start = out->size();
  out->append(type, 4);
  out->append(data);
  AppendBigEndian(Crc32(out->data() + start, out->size() - start), out);
}

// A zlib stream of stored deflate blocks (RFC 1951, 3.2.4).
std::string ZlibStored(const std::string& data) {
  constexpr size_t kMaxBlock = 65535;
  std::string out("\x78\x01", 2);
  size_t begin = 0;
  do {
    const size_t size = std::min(kMaxBlock, data.size() - begin);
    out.push_back(begin + size == data.size() ? 1 : 0);
    out.push_back(static_cast<char>(size & 0xff));
    out.push_back(static_cast<char>(size >> 8));
    out.push_back(static_cast<char>(~size & 0xff));
    out.push_back(static_cast<char>((~size >> 8) & 0xff));
    out.append(data, begin, size);
    begin += size;
  } while (begin < data.size());
  AppendBigEndian(Adler32(data), &out);
  return out;
}

}  // namespace

absl::StatusOr<PaletteImage> PaletteImage::Create(int width, int height,
                                                  std::vector<Rgb> palette) {
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide) {
    return absl::InvalidArgumentError(
        absl::StrCat("image: got ", width, " x ", height,
                     " pixels, expected sides from 1 to ", kMaxSide));
  }
  if (palette.empty() || palette.size() > 256) {
    return absl::InvalidArgumentError(absl::StrCat(
        "image: got ", palette.size(), " colours, expected 1 to 256"));
  }
  return PaletteImage(width, height, std::move(palette));
}

void PaletteImage::FillRect(int x, int y, int width, int height,
                            uint8_t color) {
  for (int j = y; j < y + height; ++j) {
    for (int i = x; i < x + width; ++i) Set(i, j, color);
  }
}

void PaletteImage::DrawText(int x, int y, const std::string& text,
                            uint8_t color) {
  for (char c : text) {
    for (const Glyph& glyph : kFont) {
      if (glyph.character != c) continue;
      for (int j = 0; j < 7; ++j) {
        for (int i = 0; i < 5; ++i) {
          if (glyph.rows[j] >> (4 - i) & 1) Set(x + i, y + j, color);
        }
      }
    }
    x += 6;
  }
}

std::string PaletteImage::Encode() const {
  std::string out("\x89PNG\r\n\x1a\n", 8);
  std::string header;
  AppendBigEndian(static_cast<uint32_t>(width_), &header);
  AppendBigEndian(static_cast<uint32_t>(height_), &header);
  // 8 bits, palette, deflate, adaptive filters, not interlaced.
  header.append("\x08\x03\x00\x00\x00", 5);
  AppendChunk("IHDR", header, &out);
  std::string colors;
  for (const Rgb& c : palette_) {
    colors.push_back(static_cast<char>(c.red));
    colors.push_back(static_cast<char>(c.green));
    colors.push_back(static_cast<char>(c.blue));
  }
  AppendChunk("PLTE", colors, &out);
  std::string rows;
  rows.reserve(static_cast<size_t>(width_ + 1) * height_);
  for (int y = 0; y < height_; ++y) {
    rows.push_back(0);  // this row is not filtered
    rows.append(reinterpret_cast<const char*>(pixels_.data()) +
                    static_cast<size_t>(y) * width_,
                width_);
  }
  AppendChunk("IDAT", ZlibStored(rows), &out);
  AppendChunk("IEND", "", &out);
  return out;
}

}  // namespace gsa
