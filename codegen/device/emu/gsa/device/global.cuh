//===- global.cuh - scalars in global memory (host) ------------*- C++ -*-===//

#ifndef GSA_DEVICE_GLOBAL_CUH
#define GSA_DEVICE_GLOBAL_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev {

template <int Count>
struct index_list {
  long long values[Count == 0 ? 1 : Count];
};
template <class... Ints>
index_list<sizeof...(Ints)> indices(Ints... values) {
  return {{static_cast<long long>(values)...}};
}
template <class... Ints>
index_list<sizeof...(Ints)> sizes(Ints... values) {
  return {{static_cast<long long>(values)...}};
}

/// base + ((i0 n1 + i1) n2 + i2) ..., in elements.
template <class T, int Rank>
T* at(T* base, index_list<Rank> position, index_list<Rank - 1> size) {
  static_assert(Rank >= 1);
  long long offset = position.values[0];
  for (int i = 1; i < Rank; ++i)
    offset = offset * size.values[i - 1] + position.values[i];
  return base + offset;
}

template <class T>
T load(const T* base, long long position) {
  emu::checkGlobal("load", base + position, sizeof(T), false);
  return base[position];
}
template <class T>
void store(T* base, long long position, T value) {
  emu::checkGlobal("store", base + position, sizeof(T), true);
  base[position] = value;
}

/// In the order in which warps get to it, as on the device.
inline void add_atomically(float* target, float value) {
  auto* word = reinterpret_cast<uint32_t*>(target);
  uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED), changed;
  do {
    float sum;
    memcpy(&sum, &seen, 4);
    sum += value;
    memcpy(&changed, &sum, 4);
  } while (!__atomic_compare_exchange_n(word, &seen, changed, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_GLOBAL_CUH
