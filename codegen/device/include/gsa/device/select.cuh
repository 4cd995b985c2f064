//===- select.cuh - row statistics and top-k -*- CUDA -*-===//
//
// A block handles one row of scores; each function is one step of one warp, or
// of a team where it has one. Keys: scores as unsigned integers of the same
// order, 0 for a cell that is not visible, 2^32 - 1 for one that is forced.
//
// All results are deterministic: counts are integers, sums in f64 have a fixed
// order, and cells are kept in the order of the row.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_SELECT_CUH
#define GSA_DEVICE_SELECT_CUH

#include "gsa/device/smem.cuh"
#include "gsa/device/team.cuh"
#include "gsa/device/types.cuh"

namespace gsa::dev {

inline constexpr unsigned all_lanes = 0xffffffffu;

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

inline constexpr unsigned key_none = 0, key_forced = 0xffffffffu;
inline constexpr unsigned key_infinity = 0xff800000u;

GSA_DEVICE bool is_visible(float x) { return x > -infinity(); }

/// Key of a score that is not forced. Adding 0 turns -0 into +0.
GSA_DEVICE unsigned score_key(float x) {
  if (!is_visible(x)) return key_none;
  unsigned bits = __float_as_uint(__fadd_rn(x, 0.0f));
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

GSA_DEVICE unsigned cell_key(float x, int cell, int sink, int local) {
  unsigned key = score_key(x);
  bool forced = cell < sink || cell >= local;
  return key != key_none && forced ? key_forced : key;
}

GSA_DEVICE float key_value(int key) {
  unsigned bits = static_cast<unsigned>(key);
  return __uint_as_float(bits >> 31 ? bits & 0x7fffffffu : ~bits);
}

/// Linear bins over [low, high]: monotone, because each operation rounds
/// monotonically. Halves, so that the range does not overflow. The last bin is
/// for forced cells, the one before for +inf.
struct linear_bins {
  float low, scale;
  int bins;

  GSA_DEVICE linear_bins(float low_value, float high_value, int count)
      : low(low_value * 0.5f), bins(count) {
    float span = high_value * 0.5f - low;
    scale = span > 0 ? fminf(static_cast<float>(count - 2) / span,
                             __int_as_float(0x7f7fffff))
                     : 0.0f;
  }
  GSA_DEVICE int bin(float x, unsigned key) const {
    if (key == key_forced) return bins - 1;
    if (key == key_infinity) return bins - 2;
    float position = (x * 0.5f - low) * scale;
    return position < static_cast<float>(bins - 3) ? static_cast<int>(position)
                                                   : bins - 3;
  }
};

/// Calls body(cell, x) for each lane's cells of a step. All loads come first,
/// so that they are in flight together; all lanes make all calls, with -inf
/// behind `end`.
template <int Columns, class Body>
GSA_DEVICE void for_cells(const float* row, int begin, int end, Body body) {
  constexpr int count = Columns / 32;
  float x[count];
  int first = begin + lane();
#pragma unroll
  for (int i = 0; i < count; ++i) {
    int cell = first + 32 * i;
    x[i] = cell < end ? row[cell] : -infinity();
  }
#pragma unroll
  for (int i = 0; i < count; ++i) body(first + 32 * i, x[i]);
}

//===----------------------------------------------------------------------===//
// Numbers of lanes
//===----------------------------------------------------------------------===//

template <class T, int Count>
struct lanes {
  T v[Count];
};

template <class Lanes>
GSA_DEVICE Lanes lanes_alloc() {
  return Lanes{};
}

template <int Element, class T, int Count>
GSA_DEVICE void set_lanes(lanes<T, Count>& target, T value) {
  target.v[Element] = value;
}

/// The sum over lanes, the same bits in all of them.
template <class T>
GSA_DEVICE T sum_lanes(T value) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2)
    value += __shfl_xor_sync(all_lanes, value, distance);
  return value;
}

template <class T, int Rows, int Columns, smem_layout Layout, int Count>
GSA_DEVICE void store_totals(smem<T, Rows, Columns, Layout> target, int row,
                             const lanes<T, Count>& source) {
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    T total = sum_lanes(source.v[i]);
    if (lane() == 0) target.at(row, i) = total;
  }
}

template <class T, int Rows, int Columns, smem_layout Layout>
GSA_DEVICE T sum_rows(smem<T, Rows, Columns, Layout> source, int end,
                      int column) {
  T sum = 0;
  for (int row = 0; row < end; ++row) sum += source.at(row, column);
  return sum;
}

template <class Team, class T, int Rows, int Columns, smem_layout Layout>
GSA_DEVICE void clear_shared(smem<T, Rows, Columns, Layout> target) {
  for (int i = Team::thread(); i < Rows * Columns; i += Team::threads)
    target.at(i / Columns, i % Columns) = T(0);
}

//===----------------------------------------------------------------------===//
// Scan and statistics
//===----------------------------------------------------------------------===//

GSA_DEVICE void raise(int& word, unsigned value) {
  word = static_cast<int>(max(static_cast<unsigned>(word), value));
}

template <int Columns>
GSA_DEVICE void scan_row(lanes<int, 5>& state, const float* row, int begin,
                         int end) {
  for_cells<Columns>(row, begin, end, [&](int cell, float x) {
    unsigned key = score_key(x);
    state.v[1] += x != x;
    if (key == key_none) return;
    ++state.v[0];
    raise(state.v[2], static_cast<unsigned>(cell) + 1);
    if (key == key_infinity) return;
    raise(state.v[3], ~key);
    raise(state.v[4], key);
  });
}

template <int Rows, int Columns, smem_layout Layout, int Count>
GSA_DEVICE void publish_scan(smem<int, Rows, Columns, Layout> target,
                             const lanes<int, Count>& state) {
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    auto* word = reinterpret_cast<unsigned*>(&target.at(0, i));
    unsigned value = static_cast<unsigned>(state.v[i]);
    value = i < 2 ? __reduce_add_sync(all_lanes, value)
                  : __reduce_max_sync(all_lanes, value);
    if (lane() != 0) continue;
    if (i < 2)
      atomicAdd(word, value);
    else
      atomicMax(word, value);
  }
}

template <int Columns>
GSA_DEVICE void sum_row(lanes<double, 1>& sum, const float* row, int begin,
                        int end) {
  for_cells<Columns>(row, begin, end, [&](int, float x) {
    if (is_visible(x)) sum.v[0] += static_cast<double>(x);
  });
}

template <int Columns>
GSA_DEVICE void squares_row(lanes<double, 1>& sum, const float* row, int begin,
                            int end, double mean) {
  for_cells<Columns>(row, begin, end, [&](int, float x) {
    double distance = static_cast<double>(x) - mean;
    if (is_visible(x)) sum.v[0] = fma(distance, distance, sum.v[0]);
  });
}

template <int Columns>
GSA_DEVICE void exp_row(lanes<double, 1>& sum, const float* row, int begin,
                        int end, float maximum) {
  for_cells<Columns>(row, begin, end, [&](int, float x) {
    if (is_visible(x)) sum.v[0] += static_cast<double>(expf(x - maximum));
  });
}

template <int Columns>
GSA_DEVICE void entropy_row(lanes<double, 1>& sum, const float* row, int begin,
                            int end, float maximum, float inverse) {
  for_cells<Columns>(row, begin, end, [&](int, float x) {
    float p = expf(x - maximum) * inverse;
    if (is_visible(x)) sum.v[0] -= static_cast<double>(p * logf(p + 1e-10f));
  });
}

//===----------------------------------------------------------------------===//
// The threshold
//===----------------------------------------------------------------------===//

template <int Columns, int Bins, smem_layout Layout>
GSA_DEVICE void histogram_row(smem<int, 1, Bins, Layout> histogram,
                              const float* row, int begin, int end, float low,
                              float high, int sink, int local) {
  linear_bins map(low, high, Bins);
  for_cells<Columns>(row, begin, end, [&](int cell, float x) {
    unsigned key = cell_key(x, cell, sink, local);
    if (key != key_none) atomicAdd(&histogram.at(0, map.bin(x, key)), 1);
  });
}

/// Sum of `value` over the lanes up to this one.
GSA_DEVICE int scan_lanes(int value) {
#pragma unroll
  for (int distance = 1; distance < 32; distance *= 2) {
    int below = __shfl_up_sync(all_lanes, value, distance);
    if (lane() >= distance) value += below;
  }
  return value;
}

/// Three levels: segments of bins, parts of the segment where the count
/// reaches the rank, bins of the part. Lane 0 has the largest bins.
template <int Bins, int FoundColumns, int Columns, smem_layout FoundLayout,
          smem_layout Layout>
GSA_DEVICE void find_rank(smem<int, 1, FoundColumns, FoundLayout> found,
                          smem<int, 1, Columns, Layout> histogram, int rank) {
  constexpr int segment = Bins / 32;
  constexpr int part = segment > 32 ? segment / 32 : 1;
  int total = 0;
  int bottom = Bins - (lane() + 1) * segment;
#pragma unroll 8
  for (int i = 0; i < segment; ++i)  // Rotated: lanes meet different banks.
    total += histogram.at(0, bottom + ((i + lane()) & (segment - 1)));
  int through = scan_lanes(total);
  int owner = __ffs(__ballot_sync(all_lanes, through >= rank)) - 1;
  int above = __shfl_sync(all_lanes, through - total, owner);

  int top = Bins - 1 - owner * segment - lane() * part;
  bool has_part = lane() * part < segment;
  total = 0;
  for (int i = 0; i < part; ++i)
    if (has_part) total += histogram.at(0, top - i);
  through = above + scan_lanes(total);
  owner = __ffs(__ballot_sync(all_lanes, through >= rank)) - 1;
  if (lane() != owner) return;
  above = through - total;
  for (int i = 0; i < part; ++i) {
    int count = histogram.at(0, top - i);
    if (above + count >= rank) {
      found.at(0, 0) = top - i;
      found.at(0, 1) = above;
      found.at(0, 2) = count;
      return;
    }
    above += count;
  }
}

template <int Columns, int Count>
GSA_DEVICE void load_scores(lanes<float, Count>& scores, const float* row,
                            int begin, int end) {
  static_assert(Columns == 32 * Count, "a number for each cell of a lane");
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    int cell = begin + lane() + 32 * i;
    scores.v[i] = cell < end ? row[cell] : -infinity();
  }
}

template <int Slots, int Warps, int Count, smem_layout Layout>
GSA_DEVICE void mark_scores(lanes<float, Count>& scores,
                            smem<int, Slots, Warps, Layout> counts, int slot,
                            int warp, int begin, float low, float high, int bin,
                            int bins, int sink, int local) {
  linear_bins map(low, high, bins);
  unsigned total = 0;
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    float x = scores.v[i];
    unsigned key = cell_key(x, begin + lane() + 32 * i, sink, local);
    bool wanted = key != key_none && map.bin(x, key) >= bin;
    if (!wanted) scores.v[i] = -infinity();
    total += wanted;
  }
  total = __reduce_add_sync(all_lanes, total);
  if (lane() == 0) counts.at(slot, warp) = static_cast<int>(total);
}

/// Lanes below this one in a ballot.
GSA_DEVICE int count_below(unsigned ballot) {
  return __popc(ballot & ((1u << lane()) - 1));
}

template <int Capacity, int CellCapacity, int Slots, int Warps, int Count,
          smem_layout KeyLayout, smem_layout CellLayout, smem_layout Layout>
GSA_DEVICE void keep_cells(smem<int, 1, Capacity, KeyLayout> keys,
                           smem<int, 1, CellCapacity, CellLayout> cells,
                           lanes<int, 1>& kept,
                           const lanes<float, Count>& scores,
                           smem<int, Slots, Warps, Layout> counts, int slot,
                           int warp, int begin, int sink, int local) {
  static_assert(Warps <= 32, "a lane for the count of each warp");
  int count = lane() < Warps ? counts.at(slot, lane()) : 0;
  int next =
      kept.v[0] + __reduce_add_sync(all_lanes, lane() < warp ? count : 0);
  kept.v[0] += __reduce_add_sync(all_lanes, count);
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    bool wanted = is_visible(scores.v[i]);
    unsigned ballot = __ballot_sync(all_lanes, wanted);
    if (wanted) {
      int cell = begin + lane() + 32 * i;
      int position = next + count_below(ballot);
      unsigned key = cell_key(scores.v[i], cell, sink, local);
      keys.at(0, position) = static_cast<int>(key);
      cells.at(0, position) = cell;
    }
    next += __popc(ballot);
  }
}

/// Whether the bits above `shift + 8` of a key are those of the prefix.
GSA_DEVICE bool has_prefix(unsigned key, int prefix, int shift) {
  return shift >= 24 ||
         (key ^ static_cast<unsigned>(prefix)) >> (shift + 8) == 0;
}

template <int Columns, int Capacity, smem_layout Layout, smem_layout KeyLayout>
GSA_DEVICE void radix_keys(smem<int, 1, Columns, Layout> histogram,
                           smem<int, 1, Capacity, KeyLayout> keys, int begin,
                           int end, int step, int prefix, int shift) {
  for (int i = begin + lane(); i < end; i += step) {
    auto key = static_cast<unsigned>(keys.at(0, i));
    if (has_prefix(key, prefix, shift))
      atomicAdd(&histogram.at(0, key >> shift & 255), 1);
  }
}

template <int Columns, int Bins, smem_layout Layout>
GSA_DEVICE void radix_row(smem<int, 1, Bins, Layout> histogram,
                          const float* row, int begin, int end, int prefix,
                          int shift, int sink, int local) {
  for_cells<Columns>(row, begin, end, [&](int cell, float x) {
    unsigned key = cell_key(x, cell, sink, local);
    if (key != key_none && has_prefix(key, prefix, shift))
      atomicAdd(&histogram.at(0, key >> shift & 255), 1);
  });
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

template <int Columns>
GSA_DEVICE void count_row(lanes<int, 2>& state, const float* row, int begin,
                          int end, int threshold, int sink, int local) {
  auto bound = static_cast<unsigned>(threshold);
  for_cells<Columns>(row, begin, end, [&](int cell, float x) {
    unsigned key = cell_key(x, cell, sink, local);
    state.v[0] += key > bound;
    state.v[1] += key == bound;
  });
}

template <int Columns>
GSA_DEVICE void emit_row(int* target, lanes<int, 2>& cursor, const float* row,
                         int begin, int end, int threshold, int quota, int sink,
                         int local) {
  auto bound = static_cast<unsigned>(threshold);
  for_cells<Columns>(row, begin, end, [&](int cell, float x) {
    unsigned key = cell_key(x, cell, sink, local);
    unsigned above = __ballot_sync(all_lanes, key > bound);
    unsigned equal = __ballot_sync(all_lanes, key == bound);
    if ((above | equal) == 0) return;
    int ties = cursor.v[1] + count_below(equal);
    if (key > bound || (key == bound && ties < quota))
      target[cursor.v[0] + count_below(above) + min(ties, quota)] = cell;
    cursor.v[0] += __popc(above);
    cursor.v[1] += __popc(equal);
  });
}

template <int Columns, int Capacity, smem_layout Layout>
GSA_DEVICE void count_kept(lanes<int, 2>& state,
                           smem<int, 1, Capacity, Layout> keys, int begin,
                           int end, int threshold) {
  auto bound = static_cast<unsigned>(threshold);
#pragma unroll
  for (int i = 0; i < Columns / 32; ++i) {
    int at = begin + lane() + 32 * i;
    if (at >= end) continue;
    auto key = static_cast<unsigned>(keys.at(0, at));
    state.v[0] += key > bound;
    state.v[1] += key == bound;
  }
}

template <int Columns, int Capacity, int CellCapacity, smem_layout KeyLayout,
          smem_layout CellLayout>
GSA_DEVICE void emit_kept(int* target, lanes<int, 2>& cursor,
                          smem<int, 1, Capacity, KeyLayout> keys,
                          smem<int, 1, CellCapacity, CellLayout> cells,
                          int begin, int end, int threshold, int quota) {
  auto bound = static_cast<unsigned>(threshold);
#pragma unroll
  for (int i = 0; i < Columns / 32; ++i) {
    int at = begin + lane() + 32 * i;
    bool inside = at < end;
    auto key = inside ? static_cast<unsigned>(keys.at(0, at)) : key_none;
    bool is_above = inside && key > bound, is_equal = inside && key == bound;
    unsigned above = __ballot_sync(all_lanes, is_above);
    unsigned equal = __ballot_sync(all_lanes, is_equal);
    int ties = cursor.v[1] + count_below(equal);
    if (is_above || (is_equal && ties < quota))
      target[cursor.v[0] + count_below(above) + min(ties, quota)] =
          cells.at(0, at);
    cursor.v[0] += __popc(above);
    cursor.v[1] += __popc(equal);
  }
}

template <class Team, class T>
GSA_DEVICE void fill_span(T* target, int begin, int end, T value) {
  for (int i = begin + Team::thread(); i < end; i += Team::threads)
    target[i] = value;
}

template <class Team, int Size, smem_layout KeyLayout, smem_layout Layout>
GSA_DEVICE void take_candidates(smem<int, 1, Size, KeyLayout> keys,
                                smem<int, 1, Size, Layout> cells,
                                const float* row, const int* list, int count) {
  for (int i = Team::thread(); i < Size; i += Team::threads) {
    int cell = i < count ? list[i] : 0x7fffffff;
    keys.at(0, i) =
        static_cast<int>(i < count ? score_key(row[cell]) : key_none);
    cells.at(0, i) = cell;
  }
}

template <class Team, int Size, smem_layout KeyLayout, smem_layout Layout>
GSA_DEVICE void sort_step(smem<int, 1, Size, KeyLayout> keys,
                          smem<int, 1, Size, Layout> cells, int size,
                          int stride) {
  for (int p = Team::thread(); p < Size / 2; p += Team::threads) {
    int i = p >> stride << (stride + 1) | (p & ((1 << stride) - 1));
    int j = i + (1 << stride);
    auto first = static_cast<unsigned>(keys.at(0, i));
    auto second = static_cast<unsigned>(keys.at(0, j));
    int cell = cells.at(0, i), other = cells.at(0, j);
    bool is_descending = (i >> size & 1) == 0;
    bool in_order = first != second ? first > second : cell < other;
    bool same = first == second && cell == other;
    if (same || in_order == is_descending) continue;
    keys.at(0, i) = static_cast<int>(second);
    keys.at(0, j) = static_cast<int>(first);
    cells.at(0, i) = other;
    cells.at(0, j) = cell;
  }
}

template <class Team, int Size, smem_layout Layout>
GSA_DEVICE void store_cells(int* target, smem<int, 1, Size, Layout> cells,
                            int count) {
  for (int i = Team::thread(); i < count; i += Team::threads)
    target[i] = cells.at(0, i);
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SELECT_CUH
