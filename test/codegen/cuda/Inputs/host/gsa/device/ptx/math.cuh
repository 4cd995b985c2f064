#pragma once
namespace gsa::dev::ptx {
inline float min_nan(float x, float y) {
  return x != x || y != y ? NAN : std::fmin(x, y);
}
}  // namespace gsa::dev::ptx
