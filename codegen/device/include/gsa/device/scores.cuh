//===- scores.cuh - scores of few queries -*- CUDA -*-===//
//
// The heads of a query are the rows of a fragment, keys are its columns. A lane
// has keys l, l + 32, ...: the units that activate then do nothing in vain, and
// scores go to memory side by side.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_SCORES_CUH
#define GSA_DEVICE_SCORES_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/math.cuh"
#include "gsa/device/ptx/predicated.cuh"
#include "gsa/device/select.cuh"
#include "gsa/device/smem.cuh"
#include "gsa/device/team.cuh"
#include "gsa/device/types.cuh"

namespace gsa::dev {

/// Row `Head` of columns 32 i to 32 i + 31, one to a lane. A row is in four
/// lanes, which have eight of these columns each.
template <int Head, int C, frag_layout L>
GSA_DEVICE float row_of_lanes(const frag<float, 16, C, L>& products, int i) {
  constexpr int half = 2 * (Head / 8);
  int from = 4 * (Head % 8) + ((lane() & 7) >> 1);
  float x = 0.0f;
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    float even = __shfl_sync(all_lanes, products.x[4 * i + j][half], from);
    float odd = __shfl_sync(all_lanes, products.x[4 * i + j][half + 1], from);
    x = (lane() >> 3) == j ? ((lane() & 1) != 0 ? odd : even) : x;
  }
  return x;
}

template <activation Activation, int Heads, int Head = 0, int Count, int C,
          frag_layout L, int R, int K, smem_layout S>
GSA_DEVICE void score_columns(lanes<float, Count>& scores,
                              const frag<float, 16, C, L>& products,
                              smem<float, R, K, S> constants, int row,
                              float scale) {
  static_assert(C == 32 * Count, "a number for each column of a lane");
  float weight = constants.at(row, Head), offset = constants.at(row + 1, Head);
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    float x = fmaf(row_of_lanes<Head>(products, i), scale, offset);
    float sum = Head == 0 ? 0.0f : scores.v[i];
    scores.v[i] = fmaf(weight, activate_scalar<Activation>(x), sum);
  }
  if constexpr (Head + 1 < Heads)
    score_columns<Activation, Heads, Head + 1>(scores, products, constants, row,
                                               scale);
}

template <int Count>
GSA_DEVICE void store_scores(float* target, const lanes<float, Count>& scores,
                             int begin, int end) {
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    int cell = begin + 32 * i + lane();
    if (cell < end) target[cell] = scores.v[i];
  }
}

/// A lane takes back what it put there itself.
template <class T, int Count, int Lines, int Columns, smem_layout Layout>
GSA_DEVICE void put_lanes(smem<T, Lines, Columns, Layout> target, int row,
                          int column, const lanes<T, Count>& source) {
#pragma unroll
  for (int i = 0; i < Count; ++i)
    target.at(row, column + 32 * i + lane()) = source.v[i];
}
template <class T, int Count, int Lines, int Columns, smem_layout Layout>
GSA_DEVICE void take_lanes(lanes<T, Count>& target,
                           smem<T, Lines, Columns, Layout> source, int row,
                           int column) {
#pragma unroll
  for (int i = 0; i < Count; ++i)
    target.v[i] = source.at(row, column + 32 * i + lane());
}

/// Brings what the warp has staged to the list, by one atomic addition.
template <int Lines, int Columns, smem_layout Layout>
GSA_DEVICE void flush_cells(int* list, int* counts, int number,
                            smem<int, Lines, Columns, Layout> staged, int line,
                            lanes<int, 1>& held, int capacity) {
  int total = held.v[0], place = 0;
  if (total == 0) return;
  if (lane() == 0) place = atomicAdd(counts + number, total);
  place = __shfl_sync(all_lanes, place, 0);
  __syncwarp();  // Lanes read what others staged.
  unsigned from = staged.address(line, 0);
  auto* pairs =
      reinterpret_cast<int2*>(list) + static_cast<long long>(number) * capacity;
#pragma unroll 1
  for (int i = lane(); i < total && place + i < capacity; i += 32)
    pairs[place + i] = ptx::load_shared_pair(from + 8 * i);
  __syncwarp();  // They have, before the line is written again.
  held.v[0] = 0;
}

template <int Count, int Lines, int Columns, smem_layout Layout>
GSA_DEVICE void append_cells(int* list, int* counts, int number,
                             smem<int, Lines, Columns, Layout> staged, int line,
                             lanes<int, 1>& held,
                             const lanes<float, Count>& scores, float bound,
                             int begin, int end, int capacity) {
  constexpr int most = 32 * Count;  // Hits of a call.
  static_assert(Columns > 2 * most, "a call has room beside what is held");
  bool finite = true;
  int place = held.v[0];
  unsigned from = staged.address(line, 0);
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    float x = scores.v[i];
    int cell = begin + 32 * i + lane();
    bool exists = cell < end;
    finite &= !exists | (fabsf(x) < infinity());
    bool hits = exists & (x >= bound);
    unsigned ballot = __ballot_sync(all_lanes, hits);
    int own = place + count_below(ballot);
    ptx::store_shared_if(hits, from + 8 * own, __float_as_uint(x));
    ptx::store_shared_if(hits, from + 8 * own + 4, static_cast<unsigned>(cell));
    place += __popc(ballot);
  }
  held.v[0] = place;
  if (!finite) atomicMax(counts + number, 1 << 30);
  if (2 * place > Columns - 2 * most)
    flush_cells(list, counts, number, staged, line, held, capacity);
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SCORES_CUH
