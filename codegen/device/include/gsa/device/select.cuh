//===- select.cuh - row statistics and top-k -*- CUDA -*-===//
//
// A block handles one row of scores; each function is one step of one warp, or
// of a team where it has one. Keys: scores as unsigned integers of the same
// order, 0 for a cell that is not visible, 2^32 - 1 for one that is forced.
//
// All results are deterministic: counts are integers, sums in f64 have a fixed
// order, and cells are kept in the order of the row.
//
// A kernel holds all of these functions, inlined, and the time to compile it
// goes with its length. So conditions are values (`&`, `|`, `?:`) or predicates
// where a branch would be copied by later optimisations; only what runs for
// most cells of most rows is unrolled over the cells of a step; and every loop
// that is not says so, or it would be unrolled all the same.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_SELECT_CUH
#define GSA_DEVICE_SELECT_CUH

#include "gsa/device/ptx/math.cuh"
#include "gsa/device/ptx/predicated.cuh"
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
  unsigned bits = __float_as_uint(__fadd_rn(x, 0.0f));
  unsigned sign = static_cast<unsigned>(static_cast<int>(bits) >> 31);
  return is_visible(x) ? bits ^ (sign | 0x80000000u) : key_none;
}

/// Whether a cell is forced, if it is visible. No cell is below a `sink` of 0,
/// or from the largest int on: nothing is left of this where the compiler knows
/// that no cell is forced.
GSA_DEVICE bool is_forced(int cell, int sink, int local) {
  return (static_cast<unsigned>(cell) < static_cast<unsigned>(sink)) |
         ((local != 0x7fffffff) & (cell >= local));
}

GSA_DEVICE unsigned cell_key(float x, int cell, int sink, int local) {
  bool forced = is_visible(x) & is_forced(cell, sink, local);
  return forced ? key_forced : score_key(x);
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

  /// Finite scores come to lie below bin `count - 2`: two roundings add less
  /// than the quarter of a bin that the scale leaves. Equal scores have no span
  /// and are in bin 0. Without finite ones the range is NaN, and +inf still
  /// needs its place.
  GSA_DEVICE linear_bins(float low_value, float high_value, int count)
      : bins(count) {
    float begin = low_value * 0.5f, span = fmaf(high_value, 0.5f, -begin);
    low = begin == begin ? begin : 0.0f;
    scale =
        fminf((static_cast<float>(count) - 2.25f) / (span > 0.0f ? span : 1.0f),
              __int_as_float(0x7f7fffff));
  }

  /// Distance from the lowest score in bins; of +inf +inf. Not >= 0 if the
  /// score is not visible.
  GSA_DEVICE float position(float x) const {
    return fmaf(x, 0.5f, -low) * scale;
  }

  /// The bin of a visible cell that is not forced. A sum with 2^23, rounded
  /// down, has the whole part in its last bits.
  GSA_DEVICE int bin(float x) const {
    float place = fminf(position(x), static_cast<float>(bins - 2));
    return __float_as_int(__fadd_rd(place, 8388608.0f)) - 0x4b000000;
  }

  /// The least position of the cells that are not forced and have this bin or
  /// one above it; NaN if there are none.
  GSA_DEVICE float first_position(int bin) const {
    float last = bin == bins - 2 ? infinity() : quiet_nan();
    return bin < bins - 2 ? static_cast<float>(bin) : last;
  }
};

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

template <int Number, int Count>
GSA_DEVICE void load_from(float (&x)[Count], const float* from, int left) {
  x[Number] = ptx::load_if<32 * Number>(32 * Number < left, from, -infinity());
  if constexpr (Number + 1 < Count) load_from<Number + 1>(x, from, left);
}

/// This lane's cells of a step, -inf from `end` on. All loads are in flight
/// together. `Long`: for rows of many steps; whole ones have loads of their
/// own.
template <bool Long, int Count>
GSA_DEVICE void load_step(float (&x)[Count], const float* row, int begin,
                          int end) {
  const float* from = row + (begin + lane());
  if (Long && begin + 32 * Count <= end) {
#pragma unroll
    for (int i = 0; i < Count; ++i) x[i] = from[32 * i];
  } else {
    load_from<0>(x, from, end - begin - lane());
  }
}

/// Calls body(cell, x) for each lane's cells of a step, in ascending order. All
/// lanes make all calls, with -inf behind `end`.
template <int Columns, class Body>
GSA_DEVICE void for_cells(const float* row, int begin, int end, Body body) {
  constexpr int count = Columns / 32;
  float x[count];
  load_step<true>(x, row, begin, end);
#pragma unroll
  for (int i = 0; i < count; ++i) body(begin + lane() + 32 * i, x[i]);
}

/// The same in a loop over two cells, for what few rows need. Registers have no
/// index at run time, so what is left moves down.
template <int Columns, class Body>
GSA_DEVICE void for_cells_rolled(const float* row, int begin, int end,
                                 Body body) {
  constexpr int count = Columns / 32, part = count % 2 == 0 ? 2 : 1;
  float x[count];
  load_step<false>(x, row, begin, end);
#pragma unroll 1
  for (int i = 0; i < count; i += part) {
#pragma unroll
    for (int j = 0; j < part; ++j) body(begin + lane() + 32 * (i + j), x[j]);
#pragma unroll
    for (int j = 0; j + part < count; ++j) x[j] = x[j + part];
  }
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

/// The sum over lanes, the same bits in all of them. Only floats have an order
/// to keep.
template <class T>
GSA_DEVICE T sum_lanes(T value) {
  if constexpr (is_same<T, int>) {
    return __reduce_add_sync(all_lanes, value);
  } else {
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
      value += __shfl_xor_sync(all_lanes, value, distance);
    return value;
  }
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
  if constexpr (is_same<T, int> && Rows <= 32) {
    return sum_lanes(lane() < end ? source.at(lane(), column) : 0);
  } else {
    T sum = 0;
#pragma unroll 1
    for (int row = 0; row < end; ++row) sum += source.at(row, column);
    return sum;
  }
}

/// 16 bytes at once, to a multiple of which tiles are aligned.
template <class Team, class T, int Rows, int Columns, smem_layout Layout>
GSA_DEVICE void clear_shared(smem<T, Rows, Columns, Layout> target) {
  using tile = smem<T, Rows, Columns, Layout>;
  if constexpr (tile::bytes % 16 == 0) {
#pragma unroll 1
    for (int i = Team::thread(); i < tile::bytes / 16; i += Team::threads)
      reinterpret_cast<int4*>(target.base)[i] = {0, 0, 0, 0};
  } else {
#pragma unroll 1
    for (int i = Team::thread(); i < Rows * Columns; i += Team::threads)
      target.at(i / Columns, i % Columns) = T(0);
  }
}

//===----------------------------------------------------------------------===//
// Scan and statistics
//===----------------------------------------------------------------------===//

GSA_DEVICE void raise(int& word, unsigned value) {
  word = static_cast<int>(max(static_cast<unsigned>(word), value));
}

/// What a lane's cells of a step, or of a part of one, add to a scan.
struct cell_scan {
  int visible = 0, nans = 0;
  int end = 0;                                  // behind the last visible cell
  float low = quiet_nan(), high = quiet_nan();  // of finite scores
};

/// One cell after the other, for steps in which a score is not finite.
template <int Columns>
GSA_DEVICE cell_scan scan_each(const float* row, int begin, int end) {
  cell_scan scan;
#pragma unroll 1
  for (int i = 0; i < Columns; i += 32) {
    int cell = begin + lane() + i;
    float x = cell < end ? row[cell] : -infinity();
    bool visible = is_visible(x);
    float finite = visible & (x < infinity()) ? x : quiet_nan();
    scan.visible += visible;
    scan.nans += x != x;
    scan.end = visible ? cell + 1 : scan.end;
    scan.low = fminf(scan.low, finite);  // They ignore NaN.
    scan.high = fmaxf(scan.high, finite);
  }
  return scan;
}

template <int Columns>
GSA_DEVICE void scan_row(lanes<int, 5>& state, const float* row, int begin,
                         int end) {
  constexpr int count = Columns / 32;
  float x[count];
  load_step<true>(x, row, begin, end);
  cell_scan scan;
  scan.visible = count;
  scan.end = begin + lane() + 32 * (count - 1) + 1;
  scan.low = scan.high = x[0];
#pragma unroll
  for (int i = 1; i < count; ++i) {
    scan.low = ptx::min_nan(scan.low, x[i]);
    scan.high = fmaxf(scan.high, x[i]);
  }
  if (!(scan.low > -infinity() && scan.high < infinity()))
    scan = scan_each<Columns>(row, begin, end);
  state.v[0] += scan.visible;
  state.v[1] += scan.nans;
  raise(state.v[2], static_cast<unsigned>(scan.end));
  raise(state.v[3], is_visible(scan.low) ? ~score_key(scan.low) : 0u);
  raise(state.v[4], score_key(scan.high));
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
    int bin = is_forced(cell, sink, local) ? Bins - 1 : map.bin(x);
    if (is_visible(x)) atomicAdd(&histogram.at(0, bin), 1);
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
#pragma unroll 1
  for (int i = 0; i < part; ++i)
    if (has_part) total += histogram.at(0, top - i);
  through = above + scan_lanes(total);
  owner = __ffs(__ballot_sync(all_lanes, through >= rank)) - 1;
  if (lane() != owner) return;
  above = through - total;
#pragma unroll 1
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
  load_step<true>(scores.v, row, begin, end);
}

template <int Slots, int Warps, int Count, smem_layout Layout>
GSA_DEVICE void mark_scores(lanes<float, Count>& marked,
                            const lanes<float, Count>& scores,
                            smem<int, Slots, Warps, Layout> counts, int slot,
                            int warp, int begin, float low, float high, int bin,
                            int bins, int sink, int local) {
  linear_bins map(low, high, bins);
  float first = map.first_position(bin);
  unsigned total = 0;
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    float x = scores.v[i];
    int cell = begin + lane() + 32 * i;
    bool forced = is_visible(x) & is_forced(cell, sink, local);
    bool wanted = (map.position(x) >= first) | forced;
    marked.v[i] = wanted ? x : -infinity();
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
    int cell = begin + lane() + 32 * i;
    int position = next + count_below(ballot);
    unsigned key = cell_key(scores.v[i], cell, sink, local);
    ptx::store_shared_if(wanted, keys.address(0, position), key);
    ptx::store_shared_if(wanted, cells.address(0, position), cell);
    next += __popc(ballot);
  }
}

/// Whether the bits above `shift + 8` of a key are those of the prefix; with
/// a shift of 24 there are none, which one shift by 32 would not say.
GSA_DEVICE bool has_prefix(unsigned key, int prefix, int shift) {
  return (key ^ static_cast<unsigned>(prefix)) >> shift >> 8 == 0;
}

template <int Columns, int Capacity, smem_layout Layout, smem_layout KeyLayout>
GSA_DEVICE void radix_keys(smem<int, 1, Columns, Layout> histogram,
                           smem<int, 1, Capacity, KeyLayout> keys, int begin,
                           int end, int step, int prefix, int shift) {
#pragma unroll 1
  for (int first = begin; first < end; first += step) {
    int i = first + lane();
    auto key = i < end ? static_cast<unsigned>(keys.at(0, i)) : key_none;
    bool counts = (i < end) & has_prefix(key, prefix, shift);
    unsigned digit = key >> shift & 255;
    unsigned all = __ballot_sync(all_lanes, counts);
    if (all == 0) continue;
    // Of scores of one size most first digits are equal: lanes with the digit
    // of the first one leave the addition to it.
    int leader = __ffs(all) - 1;
    bool is_common = digit == __shfl_sync(all_lanes, digit, leader);
    unsigned common = __ballot_sync(all_lanes, counts & is_common);
    if (counts & (!is_common | (lane() == leader)))
      atomicAdd(&histogram.at(0, digit), is_common ? __popc(common) : 1);
  }
}

template <int Columns, int Bins, smem_layout Layout>
GSA_DEVICE void radix_row(smem<int, 1, Bins, Layout> histogram,
                          const float* row, int begin, int end, int prefix,
                          int shift, int sink, int local) {
  for_cells_rolled<Columns>(row, begin, end, [&](int cell, float x) {
    unsigned key = cell_key(x, cell, sink, local);
    if (is_visible(x) & has_prefix(key, prefix, shift))
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
  for_cells_rolled<Columns>(row, begin, end, [&](int cell, float x) {
    unsigned key = cell_key(x, cell, sink, local);
    state.v[0] += key > bound;
    state.v[1] += key == bound;
  });
}

/// Writes the cells of the warp whose keys are above the bound or, up to the
/// quota, equal to it, and moves the cursor behind them.
GSA_DEVICE void emit_cells(int* target, lanes<int, 2>& cursor, bool is_above,
                           bool is_equal, int quota, int cell) {
  unsigned above = __ballot_sync(all_lanes, is_above);
  unsigned equal = __ballot_sync(all_lanes, is_equal);
  int ties = cursor.v[1] + count_below(equal);
  int position = cursor.v[0] + count_below(above) + min(ties, quota);
  ptx::store_if(is_above | (is_equal & (ties < quota)), target + position,
                cell);
  cursor.v[0] += __popc(above);
  cursor.v[1] += __popc(equal);
}

template <int Columns>
GSA_DEVICE void emit_row(int* target, lanes<int, 2>& cursor, const float* row,
                         int begin, int end, int threshold, int quota, int sink,
                         int local) {
  auto bound = static_cast<unsigned>(threshold);
  for_cells_rolled<Columns>(row, begin, end, [&](int cell, float x) {
    unsigned key = cell_key(x, cell, sink, local);
    emit_cells(target, cursor, key > bound, key == bound, quota, cell);
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
    bool inside = at < end;
    auto key = inside ? static_cast<unsigned>(keys.at(0, at)) : key_none;
    state.v[0] += inside & (key > bound);
    state.v[1] += inside & (key == bound);
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
    int cell = inside ? cells.at(0, at) : 0;
    emit_cells(target, cursor, inside & (key > bound), inside & (key == bound),
               quota, cell);
  }
}

template <class Team, class T>
GSA_DEVICE void fill_span(T* target, int begin, int end, T value) {
#pragma unroll 1
  for (int i = begin + Team::thread(); i < end; i += Team::threads)
    target[i] = value;
}

template <class Team, int Size, smem_layout KeyLayout, smem_layout Layout>
GSA_DEVICE void take_candidates(smem<int, 1, Size, KeyLayout> keys,
                                smem<int, 1, Size, Layout> cells,
                                const float* row, const int* list, int count) {
#pragma unroll 1
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
#pragma unroll 1
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

template <class Team, class T, int Size, smem_layout Layout>
GSA_DEVICE void store_cells(T* target, smem<T, 1, Size, Layout> cells,
                            int count) {
#pragma unroll 1
  for (int i = Team::thread(); i < count; i += Team::threads)
    target[i] = cells.at(0, i);
}

//===----------------------------------------------------------------------===//
// Rows that take all keys
//===----------------------------------------------------------------------===//

/// Some neighbouring elements, which are read at once.
template <class T, int Vector>
struct alignas(sizeof(T) * Vector) element_vector {
  T x[Vector];
};

template <int Columns, int Vector, class T>
GSA_DEVICE void count_beyond(lanes<int, 1>& state, const T* array, int begin,
                             int end, float limit) {
  using vector = element_vector<T, Vector>;
  constexpr int steps = Columns / (32 * Vector);
  vector found[steps];
#pragma unroll
  for (int i = 0; i < steps; ++i) {
    int first = begin + (32 * i + lane()) * Vector;
    found[i] = {};
    if (first + Vector <= end) {
      found[i] = *reinterpret_cast<const vector*>(array + first);
    } else {
#pragma unroll
      for (int v = 0; v < Vector; ++v)
        if (first + v < end) found[i].x[v] = array[first + v];
    }
  }
#pragma unroll
  for (int i = 0; i < steps; ++i)
#pragma unroll
    for (int v = 0; v < Vector; ++v)
      state.v[0] += !(fabsf(to_float(found[i].x[v])) <= limit);
}

template <int Vector>
GSA_DEVICE void list_all(int* target, int count, int slots) {
#pragma unroll 4
  for (int first = Vector * lane(); first < slots; first += 32 * Vector) {
    element_vector<int, Vector> entries;
#pragma unroll
    for (int v = 0; v < Vector; ++v)
      entries.x[v] = first + v < count ? first + v : -1;
    *reinterpret_cast<element_vector<int, Vector>*>(target + first) = entries;
  }
}

GSA_DEVICE bool any_set(const int* flags, int begin, int end) {
  bool some = false;
#pragma unroll 4
  for (int i = begin + lane(); i < end; i += 32) some |= flags[i] != 0;
  return __any_sync(all_lanes, some);
}

template <int Step>
GSA_DEVICE bool any_short(const int* counts, int rows, int last) {
  bool some =
      lane() < 16 && lane() < rows && counts[lane()] <= last + Step * lane();
  return __any_sync(all_lanes, some);
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SELECT_CUH
