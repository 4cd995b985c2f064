//===- Scene.cpp - a picture as a list of shapes --------------------------===//

#include "tools/plot/Scene.h"

#include <cstring>

namespace gsa::plot {

/// Upper bounds of the widths of DejaVu Sans, the font of the pictures, in
/// parts of its size, byte by byte; one that is not UTF-8 is drawn as a sign.
static double widthOf(char c) {
  static constexpr char kThin[] = " !'()*,./:;I[]fijltr|";
  static constexpr char kWide[] = "%&@MOQWmw#+<=>_~";
  if (static_cast<unsigned char>(c) >= 0x80) return 1.05;
  if (std::strchr(kThin, c)) return 0.42;
  if (std::strchr(kWide, c)) return 1.0;
  return c >= 'A' && c <= 'Z' ? 0.78 : 0.65;
}

double widthBound(const std::string& text, double size) {
  double width = 0;
  for (char c : text) width += widthOf(c);
  return width * size;
}

std::string fitted(const std::string& text, double size, double width) {
  if (widthBound(text, size) <= width) return text;
  // Cuts keep UTF-8 whole.
  auto isInside = [&](size_t i) {
    return i < text.size() &&
           (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80;
  };
  // Both ends of a path say more than its middle: the tail gets two thirds.
  double room = width - widthBound("...", size);
  size_t head = 0, tail = text.size();
  double used = 0;
  while (head < text.size() && used + widthOf(text[head]) * size <= room / 3)
    used += widthOf(text[head++]) * size;
  while (head > 0 && isInside(head)) --head;
  while (tail > head && used + widthOf(text[tail - 1]) * size <= room)
    used += widthOf(text[--tail]) * size;
  while (isInside(tail)) ++tail;
  return text.substr(0, head) + "..." + text.substr(tail);
}

}  // namespace gsa::plot
