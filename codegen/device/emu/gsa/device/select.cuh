//===- select.cuh - row statistics and top-k (host) ------------*- C++ -*-===//
//
// Keys and forced cells are as the ops of the same names define them. All
// results but those of exp_row and entropy_row are the same bits as on the
// device: integers, and f64 sums in the order of its lanes.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_SELECT_CUH
#define GSA_DEVICE_SELECT_CUH

#include "gsa/device/smem.cuh"
#include "gsa/device/team.cuh"
#include "gsa/device/types.cuh"

namespace gsa::dev {

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

inline constexpr unsigned kKeyNone = 0, kKeyForced = 0xFFFFFFFFu;
inline constexpr unsigned kKeyInfinity = 0xFF800000u;

/// Key of a score that is not forced.
inline unsigned score_key(float x) {
  if (!(x > -INFINITY)) return kKeyNone;
  unsigned bits = bit_cast<unsigned>(x + 0.0f);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

inline unsigned cell_key(float x, int cell, int sink, int local) {
  unsigned key = score_key(x);
  bool forced = cell < sink || cell >= local;
  return key != kKeyNone && forced ? kKeyForced : key;
}

inline float key_value(int key) {
  unsigned bits = static_cast<unsigned>(key);
  return bit_cast<float>(bits >> 31 ? bits & 0x7FFFFFFFu : ~bits);
}

/// Linear bins over [low, high]. Halves, so that the range does not overflow;
/// finite scores come to lie below bin `count - 2`.
struct linear_bins {
  float low, scale;
  int bins;

  linear_bins(float low_value, float high_value, int count)
      : low(low_value * 0.5f), bins(count) {
    float span = fmaf(high_value, 0.5f, -low);
    scale = (static_cast<float>(count) - 2.25f) / (span > 0 ? span : 1);
    if (scale > 3.402823466e38f) scale = 3.402823466e38f;
  }
  int bin(float x, unsigned key) const {
    if (key == kKeyForced) return bins - 1;
    if (key == kKeyInfinity) return bins - 2;
    float place = fmaf(x, 0.5f, -low) * scale;
    return static_cast<int>(fminf(place, static_cast<float>(bins - 2)));
  }
};

/// Calls body(lane, cell, x) for the cells of one step, in their order.
template <int Columns, class Body>
void for_cells(const char* function, const float* row, int begin, int end,
               Body body) {
  int stop = begin + Columns < end ? begin + Columns : end;
  if (begin < stop)
    emu::checkGlobal(function, row + begin,
                     static_cast<long long>(stop - begin) * 4, false);
  for (int cell = begin; cell < stop; ++cell)
    body((cell - begin) % 32, cell, row[cell]);
}

/// Atomic addition to shared memory; returns what was there.
template <class Tile>
int add_shared(const char* function, Tile tile, int column, int value) {
  return __atomic_fetch_add(
      reinterpret_cast<int*>(tile.address(function, 0, column)), value,
      __ATOMIC_RELAXED);
}

template <class Tile>
void max_shared(const char* function, Tile tile, int column, unsigned value) {
  auto* word = reinterpret_cast<unsigned*>(tile.address(function, 0, column));
  unsigned seen = __atomic_load_n(word, __ATOMIC_RELAXED);
  while (seen < value &&
         !__atomic_compare_exchange_n(word, &seen, value, false,
                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

//===----------------------------------------------------------------------===//
// Numbers of lanes
//===----------------------------------------------------------------------===//

template <class T, int Count>
struct lanes {
  T v[Count][32];
};

template <class Lanes>
Lanes lanes_alloc() {
  return Lanes{};
}

template <int Element, class T, int Count>
void set_lanes(lanes<T, Count>& target, T value) {
  for (int lane = 0; lane < 32; ++lane) target.v[Element][lane] = value;
}

/// The sum over lanes, in the order of a butterfly of shuffles.
template <class T>
T sum_lanes(const T (&values)[32]) {
  T now[32], next[32];
  memcpy(now, values, sizeof(now));
  for (int distance = 16; distance > 0; distance /= 2) {
    for (int lane = 0; lane < 32; ++lane)
      next[lane] = now[lane] + now[lane ^ distance];
    memcpy(now, next, sizeof(now));
  }
  return now[0];
}

template <class T, int Rows, int Columns, smem_layout Layout, int Count>
void store_totals(smem<T, Rows, Columns, Layout> target, int row,
                  const lanes<T, Count>& source) {
  for (int i = 0; i < Count; ++i)
    target.set("store_totals", row, i, sum_lanes(source.v[i]));
}

template <class T, int Rows, int Columns, smem_layout Layout>
T sum_rows(smem<T, Rows, Columns, Layout> source, int end, int column) {
  T sum = 0;
  for (int row = 0; row < end; ++row)
    sum += source.get("sum_rows", row, column);
  return sum;
}

template <class Team, class T, int Rows, int Columns, smem_layout Layout>
void clear_shared(smem<T, Rows, Columns, Layout> target) {
  for (int i = warp_rank<Team>(); i < Rows * Columns; i += Team::count)
    target.set("clear_shared", i / Columns, i % Columns, T(0));
}

//===----------------------------------------------------------------------===//
// Scan and statistics
//===----------------------------------------------------------------------===//

template <int Columns>
void scan_row(lanes<int, 5>& state, const float* row, int begin, int end) {
  auto raise = [](int& word, unsigned value) {
    if (static_cast<unsigned>(word) < value) word = static_cast<int>(value);
  };
  for_cells<Columns>("scan_row", row, begin, end,
                     [&](int lane, int cell, float x) {
                       unsigned key = score_key(x);
                       if (x != x) ++state.v[1][lane];
                       if (key == kKeyNone) return;
                       ++state.v[0][lane];
                       raise(state.v[2][lane], static_cast<unsigned>(cell) + 1);
                       if (key == kKeyInfinity) return;
                       raise(state.v[3][lane], ~key);
                       raise(state.v[4][lane], key);
                     });
}

template <int Rows, int Columns, smem_layout Layout, int Count>
void publish_scan(smem<int, Rows, Columns, Layout> target,
                  const lanes<int, Count>& state) {
  for (int i = 0; i < Count; ++i) {
    if (i < 2) {
      add_shared("publish_scan", target, i, sum_lanes(state.v[i]));
      continue;
    }
    unsigned best = 0;
    for (int word : state.v[i])
      if (static_cast<unsigned>(word) > best)
        best = static_cast<unsigned>(word);
    max_shared("publish_scan", target, i, best);
  }
}

template <int Columns>
void sum_row(lanes<double, 1>& sum, const float* row, int begin, int end) {
  for_cells<Columns>("sum_row", row, begin, end, [&](int lane, int, float x) {
    if (x > -INFINITY) sum.v[0][lane] += static_cast<double>(x);
  });
}

template <int Columns>
void squares_row(lanes<double, 1>& sum, const float* row, int begin, int end,
                 double mean) {
  for_cells<Columns>(
      "squares_row", row, begin, end, [&](int lane, int, float x) {
        double distance = static_cast<double>(x) - mean;
        if (x > -INFINITY)
          sum.v[0][lane] = fma(distance, distance, sum.v[0][lane]);
      });
}

template <int Columns>
void exp_row(lanes<double, 1>& sum, const float* row, int begin, int end,
             float maximum) {
  for_cells<Columns>("exp_row", row, begin, end, [&](int lane, int, float x) {
    if (x > -INFINITY) sum.v[0][lane] += static_cast<double>(expf(x - maximum));
  });
}

template <int Columns>
void entropy_row(lanes<double, 1>& sum, const float* row, int begin, int end,
                 float maximum, float inverse) {
  for_cells<Columns>(
      "entropy_row", row, begin, end, [&](int lane, int, float x) {
        if (!(x > -INFINITY)) return;
        float p = expf(x - maximum) * inverse;
        sum.v[0][lane] -= static_cast<double>(p * logf(p + 1e-10f));
      });
}

//===----------------------------------------------------------------------===//
// The threshold
//===----------------------------------------------------------------------===//

template <int Columns, int Bins, smem_layout Layout>
void histogram_row(smem<int, 1, Bins, Layout> histogram, const float* row,
                   int begin, int end, float low, float high, int sink,
                   int local) {
  linear_bins map(low, high, Bins);
  for_cells<Columns>(
      "histogram_row", row, begin, end, [&](int, int cell, float x) {
        unsigned key = cell_key(x, cell, sink, local);
        if (key != kKeyNone)
          add_shared("histogram_row", histogram, map.bin(x, key), 1);
      });
}

template <int Bins, int FoundColumns, int Columns, smem_layout FoundLayout,
          smem_layout Layout>
void find_rank(smem<int, 1, FoundColumns, FoundLayout> found,
               smem<int, 1, Columns, Layout> histogram, int rank) {
  int above = 0;
  for (int bin = Bins - 1; bin >= 0; --bin) {
    int count = histogram.get("find_rank", 0, bin);
    if (above + count >= rank) {
      found.set("find_rank", 0, 0, bin);
      found.set("find_rank", 0, 1, above);
      found.set("find_rank", 0, 2, count);
      return;
    }
    above += count;
  }
  emu::fail("find_rank", "rank %d of %d cells", rank, above);
}

template <int Columns, int Count>
void load_scores(lanes<float, Count>& scores, const float* row, int begin,
                 int end) {
  static_assert(Columns == 32 * Count);
  for (auto& number : scores.v)
    for (float& x : number) x = -INFINITY;
  for_cells<Columns>("load_scores", row, begin, end,
                     [&](int lane, int cell, float x) {
                       scores.v[(cell - begin) / 32][lane] = x;
                     });
}

template <int Slots, int Warps, int Count, smem_layout Layout>
void mark_scores(lanes<float, Count>& marked, const lanes<float, Count>& scores,
                 smem<int, Slots, Warps, Layout> counts, int slot, int warp,
                 int begin, float low, float high, int bin, int bins, int sink,
                 int local) {
  linear_bins map(low, high, bins);
  int total = 0;
  for (int i = 0; i < 32 * Count; ++i) {
    float x = scores.v[i / 32][i % 32];
    unsigned key = cell_key(x, begin + i, sink, local);
    bool wanted = key != kKeyNone && map.bin(x, key) >= bin;
    marked.v[i / 32][i % 32] = wanted ? x : -INFINITY;
    total += wanted;
  }
  counts.set("mark_scores", slot, warp, total);
}

template <int Capacity, int CellCapacity, int Slots, int Warps, int Count,
          smem_layout KeyLayout, smem_layout CellLayout, smem_layout Layout>
void keep_cells(smem<int, 1, Capacity, KeyLayout> keys,
                smem<int, 1, CellCapacity, CellLayout> cells,
                lanes<int, 1>& kept, const lanes<float, Count>& scores,
                smem<int, Slots, Warps, Layout> counts, int slot, int warp,
                int begin, int sink, int local) {
  static_assert(Warps <= 32);
  int first = kept.v[0][0], all = kept.v[0][0];
  for (int other = 0; other < Warps; ++other) {
    int count = counts.get("keep_cells", slot, other);
    if (other < warp) first += count;
    all += count;
  }
  set_lanes<0>(kept, all);
  for (int i = 0; i < 32 * Count; ++i) {
    float x = scores.v[i / 32][i % 32];
    if (!(x > -INFINITY)) continue;
    unsigned key = cell_key(x, begin + i, sink, local);
    keys.set("keep_cells", 0, first, static_cast<int>(key));
    cells.set("keep_cells", 0, first++, begin + i);
  }
}

/// Whether the bits above `shift + 8` of a key are those of the prefix.
inline bool has_prefix(unsigned key, int prefix, int shift) {
  return shift >= 24 ||
         (key ^ static_cast<unsigned>(prefix)) >> (shift + 8) == 0;
}

template <int Columns, int Capacity, smem_layout Layout, smem_layout KeyLayout>
void radix_keys(smem<int, 1, Columns, Layout> histogram,
                smem<int, 1, Capacity, KeyLayout> keys, int begin, int end,
                int step, int prefix, int shift) {
  for (int first = begin; first < end; first += step)
    for (int i = first; i < first + 32 && i < end; ++i) {
      auto key = static_cast<unsigned>(keys.get("radix_keys", 0, i));
      if (has_prefix(key, prefix, shift))
        add_shared("radix_keys", histogram, key >> shift & 255, 1);
    }
}

template <int Columns, int Bins, smem_layout Layout>
void radix_row(smem<int, 1, Bins, Layout> histogram, const float* row,
               int begin, int end, int prefix, int shift, int sink, int local) {
  for_cells<Columns>("radix_row", row, begin, end, [&](int, int cell, float x) {
    unsigned key = cell_key(x, cell, sink, local);
    if (key != kKeyNone && has_prefix(key, prefix, shift))
      add_shared("radix_row", histogram, key >> shift & 255, 1);
  });
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

template <int Columns>
void count_row(lanes<int, 2>& state, const float* row, int begin, int end,
               int threshold, int sink, int local) {
  auto bound = static_cast<unsigned>(threshold);
  for_cells<Columns>("count_row", row, begin, end,
                     [&](int lane, int cell, float x) {
                       unsigned key = cell_key(x, cell, sink, local);
                       state.v[0][lane] += key > bound;
                       state.v[1][lane] += key == bound;
                     });
}

template <int Columns>
void emit_row(int* target, lanes<int, 2>& cursor, const float* row, int begin,
              int end, int threshold, int quota, int sink, int local) {
  auto bound = static_cast<unsigned>(threshold);
  int above = cursor.v[0][0], equal = cursor.v[1][0];
  for_cells<Columns>("emit_row", row, begin, end, [&](int, int cell, float x) {
    unsigned key = cell_key(x, cell, sink, local);
    if (key > bound || (key == bound && equal < quota)) {
      int* out = target + above + (equal < quota ? equal : quota);
      emu::checkGlobal("emit_row", out, 4, true);
      *out = cell;
    }
    above += key > bound;
    equal += key == bound;
  });
  set_lanes<0>(cursor, above);
  set_lanes<1>(cursor, equal);
}

template <int Columns, int Capacity, smem_layout Layout>
void count_kept(lanes<int, 2>& state, smem<int, 1, Capacity, Layout> keys,
                int begin, int end, int threshold) {
  auto bound = static_cast<unsigned>(threshold);
  for (int i = begin; i < begin + Columns && i < end; ++i) {
    auto key = static_cast<unsigned>(keys.get("count_kept", 0, i));
    state.v[0][(i - begin) % 32] += key > bound;
    state.v[1][(i - begin) % 32] += key == bound;
  }
}

template <int Columns, int Capacity, int CellCapacity, smem_layout KeyLayout,
          smem_layout CellLayout>
void emit_kept(int* target, lanes<int, 2>& cursor,
               smem<int, 1, Capacity, KeyLayout> keys,
               smem<int, 1, CellCapacity, CellLayout> cells, int begin, int end,
               int threshold, int quota) {
  auto bound = static_cast<unsigned>(threshold);
  int above = cursor.v[0][0], equal = cursor.v[1][0];
  for (int i = begin; i < begin + Columns && i < end; ++i) {
    auto key = static_cast<unsigned>(keys.get("emit_kept", 0, i));
    if (key > bound || (key == bound && equal < quota)) {
      int* out = target + above + (equal < quota ? equal : quota);
      emu::checkGlobal("emit_kept", out, 4, true);
      *out = cells.get("emit_kept", 0, i);
    }
    above += key > bound;
    equal += key == bound;
  }
  set_lanes<0>(cursor, above);
  set_lanes<1>(cursor, equal);
}

template <class Team, class T>
void fill_span(T* target, int begin, int end, T value) {
  for (int i = begin + warp_rank<Team>(); i < end; i += Team::count) {
    emu::checkGlobal("fill_span", target + i, sizeof(T), true);
    target[i] = value;
  }
}

template <class Team, int Size, smem_layout KeyLayout, smem_layout Layout>
void take_candidates(smem<int, 1, Size, KeyLayout> keys,
                     smem<int, 1, Size, Layout> cells, const float* row,
                     const int* list, int count) {
  for (int i = warp_rank<Team>(); i < Size; i += Team::count) {
    unsigned key = kKeyNone;
    int cell = 0x7FFFFFFF;
    if (i < count) {
      emu::checkGlobal("take_candidates", list + i, 4, false);
      cell = list[i];
      emu::checkGlobal("take_candidates", row + cell, 4, false);
      key = score_key(row[cell]);
    }
    keys.set("take_candidates", 0, i, static_cast<int>(key));
    cells.set("take_candidates", 0, i, cell);
  }
}

template <class Team, int Size, smem_layout KeyLayout, smem_layout Layout>
void sort_step(smem<int, 1, Size, KeyLayout> keys,
               smem<int, 1, Size, Layout> cells, int size, int stride) {
  struct pair {
    unsigned key;
    int cell;
    bool before(const pair& other) const {
      return key != other.key ? key > other.key : cell < other.cell;
    }
  };
  auto get = [&](int i) {
    return pair{static_cast<unsigned>(keys.get("sort_step", 0, i)),
                cells.get("sort_step", 0, i)};
  };
  auto set = [&](int i, pair value) {
    keys.set("sort_step", 0, i, static_cast<int>(value.key));
    cells.set("sort_step", 0, i, value.cell);
  };
  for (int p = warp_rank<Team>(); p < Size / 2; p += Team::count) {
    int i = p >> stride << (stride + 1) | (p & ((1 << stride) - 1));
    int j = i + (1 << stride);
    bool descending = (i >> size & 1) == 0;
    pair a = get(i), b = get(j);
    if (descending ? !b.before(a) : !a.before(b)) continue;
    set(i, b);
    set(j, a);
  }
}

template <class Team, class T, int Size, smem_layout Layout>
void store_cells(T* target, smem<T, 1, Size, Layout> cells, int count) {
  for (int i = warp_rank<Team>(); i < count; i += Team::count) {
    emu::checkGlobal("store_cells", target + i, sizeof(T), true);
    target[i] = cells.get("store_cells", 0, i);
  }
}

//===----------------------------------------------------------------------===//
// Rows that take all keys
//===----------------------------------------------------------------------===//

template <int Columns, int Vector, class T>
void count_beyond(lanes<int, 1>& state, const T* array, int begin, int end,
                  float limit) {
  for (int first = begin; first < begin + Columns; first += Vector) {
    if (first + Vector <= end)
      check_vector("count_beyond", array + first, sizeof(T) * Vector);
    for (int i = first; i < first + Vector && i < end; ++i) {
      emu::checkGlobal("count_beyond", array + i, sizeof(T), false);
      state.v[0][(first - begin) / Vector % 32] +=
          !(fabsf(to_float(array[i])) <= limit);
    }
  }
}

template <int Vector>
void list_all(int* target, int count, int slots) {
  for (int first = 0; first < slots; first += Vector) {
    check_vector("list_all", target + first, sizeof(int) * Vector);
    for (int i = first; i < first + Vector; ++i) {
      emu::checkGlobal("list_all", target + i, sizeof(int), true);
      target[i] = i < count ? i : -1;
    }
  }
}

inline bool any_set(const int* flags, int begin, int end) {
  bool some = false;
  for (int i = begin; i < end; ++i) {
    emu::checkGlobal("any_set", flags + i, sizeof(int), false);
    some |= flags[i] != 0;
  }
  return some;
}

template <int Step>
bool any_short(const int* counts, int rows, int last) {
  bool some = false;
  for (int r = 0; r < 16 && r < rows; ++r) {
    emu::checkGlobal("any_short", counts + r, sizeof(int), false);
    some |= counts[r] <= last + Step * r;
  }
  return some;
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SELECT_CUH
