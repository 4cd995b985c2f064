//===- scores.cuh - scores of few queries (host) ---------------*- C++ -*-===//

#ifndef GSA_DEVICE_SCORES_CUH
#define GSA_DEVICE_SCORES_CUH

#include "gsa/device/candidates.cuh"
#include "gsa/device/frag.cuh"
#include "gsa/device/math.cuh"
#include "gsa/device/select.cuh"
#include "gsa/device/smem.cuh"
#include "gsa/device/types.cuh"

namespace gsa::dev {

template <activation Activation, int Heads, int Count, int Columns,
          frag_layout Layout, int Rows, int Constants, smem_layout TileLayout>
void score_columns(lanes<float, Count>& scores,
                   const frag<float, 16, Columns, Layout>& products,
                   smem<float, Rows, Constants, TileLayout> constants, int row,
                   float scale) {
  static_assert(Columns == 32 * Count && Heads <= 16);
  for (int c = 0; c < Columns; ++c) {
    float sum = 0.0f;
    for (int h = 0; h < Heads; ++h) {
      float weight = constants.get("score_columns", row, h);
      float offset = constants.get("score_columns", row + 1, h);
      float x = fmaf(products.v[h][c], scale, offset);
      sum = fmaf(weight, activate_scalar<Activation>(x), sum);
    }
    scores.v[c / 32][c % 32] = sum;
  }
}

template <int Count>
void store_scores(float* target, const lanes<float, Count>& scores, int begin,
                  int end) {
  for (int i = 0; i < 32 * Count && begin + i < end; ++i) {
    emu::checkGlobal("store_scores", target + begin + i, 4, true);
    target[begin + i] = scores.v[i / 32][i % 32];
  }
}

template <class T, int Count, int Lines, int Columns, smem_layout Layout>
void put_lanes(smem<T, Lines, Columns, Layout> target, int row, int column,
               const lanes<T, Count>& source) {
  for (int i = 0; i < 32 * Count; ++i)
    target.set("put_lanes", row, column + i, source.v[i / 32][i % 32]);
}
template <class T, int Count, int Lines, int Columns, smem_layout Layout>
void take_lanes(lanes<T, Count>& target, smem<T, Lines, Columns, Layout> source,
                int row, int column) {
  for (int i = 0; i < 32 * Count; ++i)
    target.v[i / 32][i % 32] = source.get("take_lanes", row, column + i);
}

template <int Lines, int Columns, smem_layout Layout>
void flush_cells(int* list, int* counts, int number,
                 smem<int, Lines, Columns, Layout> staged, int line,
                 lanes<int, 1>& held, int capacity) {
  int total = held.v[0][0];
  if (total == 0) return;
  int* count = counts + number;
  emu::checkGlobal("flush_cells", count, 4, true);
  int place = __atomic_fetch_add(count, total, __ATOMIC_RELAXED);
  for (int i = 0; i < total && place + i < capacity; ++i) {
    int* to =
        list + 2 * (static_cast<long long>(number) * capacity + place + i);
    emu::checkGlobal("flush_cells", to, 8, true);
    to[0] = staged.get("flush_cells", line, 2 * i);
    to[1] = staged.get("flush_cells", line, 2 * i + 1);
  }
  for (int l = 0; l < 32; ++l) held.v[0][l] = 0;
}

template <int Count, int Lines, int Columns, smem_layout Layout>
void append_cells(int* list, int* counts, int number,
                  smem<int, Lines, Columns, Layout> staged, int line,
                  lanes<int, 1>& held, const lanes<float, Count>& scores,
                  float bound, int begin, int end, int capacity) {
  constexpr int most = 32 * Count;
  static_assert(Columns > 2 * most);
  int place = held.v[0][0];
  for (int i = 0; i < most && begin + i < end; ++i) {
    float x = scores.v[i / 32][i % 32];
    if (!(fabsf(x) < INFINITY)) raise_count("append_cells", counts + number);
    if (!(x >= bound)) continue;
    staged.set("append_cells", line, 2 * place, bit_cast<int>(x));
    staged.set("append_cells", line, 2 * place + 1, begin + i);
    ++place;
  }
  for (int l = 0; l < 32; ++l) held.v[0][l] = place;
  if (2 * place > Columns - 2 * most)
    flush_cells(list, counts, number, staged, line, held, capacity);
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SCORES_CUH
