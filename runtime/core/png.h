// -----------------------------------------------------------------------------
// File: png.h
// -----------------------------------------------------------------------------
//
// A minimal PNG encoder: 8-bit palette images, pixels stored uncompressed.

#ifndef GSA_RUNTIME_CORE_PNG_H_
#define GSA_RUNTIME_CORE_PNG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace gsa {

struct Rgb {
  uint8_t red, green, blue;
};

// An image whose pixels are indices into a palette.
class PaletteImage {
 public:
  // Sides from 1 to 16384, at most 256 colours. All pixels start as colour 0.
  static absl::StatusOr<PaletteImage> Create(int width, int height,
                                             std::vector<Rgb> palette);

  int width() const { return width_; }
  int height() const { return height_; }

  // Positions outside the image are ignored; x grows to the right, y down.
  void Set(int x, int y, uint8_t color) {
    if (x >= 0 && x < width_ && y >= 0 && y < height_) {
      pixels_[static_cast<size_t>(y) * width_ + x] = color;
    }
  }
  void FillRect(int x, int y, int width, int height, uint8_t color);
  // Text in a 5 x 7 font with an advance of 6 pixels; characters it lacks stay
  // blank. (x, y) is the upper left corner.
  void DrawText(int x, int y, const std::string& text, uint8_t color);
  static int TextWidth(const std::string& text) {
    return text.empty() ? 0 : static_cast<int>(text.size()) * 6 - 1;
  }

  // The bytes of a PNG file (PNG specification, third edition).
  std::string Encode() const;

 private:
  PaletteImage(int width, int height, std::vector<Rgb> palette)
      : width_(width),
        height_(height),
        palette_(std::move(palette)),
        pixels_(static_cast<size_t>(width) * height, 0) {}

  int width_;
  int height_;
  std::vector<Rgb> palette_;
  std::vector<uint8_t> pixels_;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_PNG_H_
