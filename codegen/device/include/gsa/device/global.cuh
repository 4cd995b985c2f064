//===- global.cuh - scalars in global memory -*- CUDA -*-===//

#ifndef GSA_DEVICE_GLOBAL_CUH
#define GSA_DEVICE_GLOBAL_CUH

#include "gsa/device/team.cuh"
#include "gsa/device/types.cuh"

namespace gsa::dev {

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

template <int Count>
struct index_list {
  static constexpr int count = Count;
  int at[Count > 0 ? Count : 1];
};

template <class... Index>
GSA_DEVICE index_list<sizeof...(Index)> indices(Index... index) {
  return {{index...}};
}
template <class... Index>
GSA_DEVICE index_list<sizeof...(Index)> sizes(Index... index) {
  return {{index...}};
}

/// Element (i0, i1, ...) of a dense row-major array whose sizes but the first
/// are (n1, n2, ...): base + ((i0 * n1 + i1) * n2 + i2) ... in 64 bits.
template <class T, int Rank>
GSA_DEVICE T* at(T* base, index_list<Rank> index, index_list<Rank - 1> size) {
  long long position = index.at[0];
#pragma unroll
  for (int i = 1; i < Rank; ++i)
    position = position * size.at[i - 1] + index.at[i];
  return base + position;
}

//===----------------------------------------------------------------------===//
// Single elements
//===----------------------------------------------------------------------===//

/// One element; the same for all lanes that give one position.
template <class T>
GSA_DEVICE T load(const T* base, int position) {
  return base[position];
}
template <class T>
GSA_DEVICE T load(const T* base, long long position) {
  return base[position];
}

/// A position of 32 bits is that of the warp: one lane writes, and the warp
/// may read it at once.
template <class T>
GSA_DEVICE void store(T* base, int position, T value) {
  if (lane() == 0) base[position] = value;
  __syncwarp();
}
/// A position of 64 bits is that of a lane (in for_each): each lane writes.
template <class T>
GSA_DEVICE void store(T* base, long long position, T value) {
  base[position] = value;
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_GLOBAL_CUH
