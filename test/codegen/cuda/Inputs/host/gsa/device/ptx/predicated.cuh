#pragma once
namespace gsa::dev::ptx {
template <int Index>
float load_if(bool condition, const float* base, float other) {
  return condition ? base[Index] : other;
}
inline void store_if(bool condition, int* target, int value) {
  if (condition) *target = value;
}
inline void store_shared_if(bool condition, unsigned address, unsigned value) {
  if (condition)
    std::memcpy(gsa_shared_memory + address, &value, sizeof(value));
}
}  // namespace gsa::dev::ptx
