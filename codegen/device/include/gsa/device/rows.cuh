//===- rows.cuh - where the rows of a tile live -*- CUDA -*-===//
//
// A view of rows in global memory: `find` turns a position into the number of a
// row, `holds` says whether that row exists, `row` gives its address. No
// address of a row that does not exist is formed; number 0 is an address of the
// array for whoever must have one.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_ROWS_CUH
#define GSA_DEVICE_ROWS_CUH

#include "gsa/device/ptx/predicated.cuh"
#include "gsa/device/smem.cuh"

namespace gsa::dev {

/// Numbers in [0, limit), -1 for none; a limit below 0 has become 0.
GSA_DEVICE bool in_range(int number, int limit) {
  return static_cast<unsigned>(number) < static_cast<unsigned>(limit);
}

/// True if two neighbours from an even column on can be moved as one.
template <class T>
GSA_DEVICE bool pairs_aligned(const T* base, long long pitch) {
  auto address = reinterpret_cast<unsigned long long>(base);
  return (pitch & 1) == 0 && address % (2 * sizeof(T)) == 0;
}

//===----------------------------------------------------------------------===//
// Strided: row p at base + p * pitch
//===----------------------------------------------------------------------===//

template <class T>
struct strided_view {
  using element = T;
  T* base;
  long long pitch;
  int count;

  GSA_DEVICE int find(int position) const { return position; }
  GSA_DEVICE bool holds(int number) const { return in_range(number, count); }
  GSA_DEVICE T* row(int number) const { return base + number * pitch; }
  GSA_DEVICE bool paired() const { return pairs_aligned(base, pitch); }

  /// The view whose position 0 is `first` here: a tile's rows are then at
  /// distances that the compiler knows.
  GSA_DEVICE strided_view from(int first) const {
    bool some = in_range(first, count);
    return {base + (some ? first : 0) * pitch, pitch, some ? count - first : 0};
  }
};

template <class T>
inline constexpr bool is_strided = false;
template <class T>
inline constexpr bool is_strided<strided_view<T>> = true;

template <class T>
GSA_DEVICE strided_view<T> strided_rows(T* base, long long pitch, int count) {
  return {base, pitch, max(count, 0)};
}

//===----------------------------------------------------------------------===//
// Two levels: row p at base + (p / Inner) * outer + (p mod Inner) * inner
//===----------------------------------------------------------------------===//

template <class T, int Inner>
struct two_level_view {
  using element = T;
  T* base;
  long long outer, inner;
  int count;

  GSA_DEVICE int find(int position) const { return position; }
  GSA_DEVICE bool holds(int number) const { return in_range(number, count); }
  GSA_DEVICE T* row(int number) const {
    auto n = static_cast<unsigned>(number);
    return base + static_cast<int>(n / Inner) * outer +
           static_cast<int>(n % Inner) * inner;
  }
  GSA_DEVICE bool paired() const {
    return pairs_aligned(base, outer) && (inner & 1) == 0;
  }
};

template <int Inner, class T>
GSA_DEVICE two_level_view<T, Inner> two_level_rows(T* base, long long outer,
                                                   long long inner, int count) {
  return {base, outer, inner, max(count, 0)};
}

//===----------------------------------------------------------------------===//
// Interleaved: two rows of one kind, 8 of each in turn. Row 16 i + 8 h + r at
// base + (8 i + r) * pitch + h * apart
//===----------------------------------------------------------------------===//

template <class T>
struct interleaved_view {
  using element = T;
  T* base;
  long long pitch, apart;
  int count;

  GSA_DEVICE int find(int position) const { return position; }
  GSA_DEVICE bool holds(int number) const {
    return in_range(number >> 4 << 3 | (number & 7), count);
  }
  GSA_DEVICE T* row(int number) const {
    return base + (number >> 4 << 3 | (number & 7)) * pitch +
           (number >> 3 & 1) * apart;
  }
  GSA_DEVICE bool paired() const {
    return pairs_aligned(base, pitch) && (apart & 1) == 0;
  }
};

template <class T>
GSA_DEVICE interleaved_view<T> interleaved_rows(T* base, long long pitch,
                                                long long apart, int count) {
  return {base, pitch, apart, max(count, 0)};
}

//===----------------------------------------------------------------------===//
// Listed: row p at base + list[p] * pitch
//===----------------------------------------------------------------------===//

/// Entry `position` of a list in shared memory or in global memory, -1 from
/// `end` on.
template <int R, int C, smem_layout L>
GSA_DEVICE int list_entry(smem<int, R, C, L> list, int position, int end) {
  return ptx::load_shared_if(position < end, list.address(0, position), -1);
}
GSA_DEVICE int list_entry(const int* list, int position, int end) {
  return ptx::load_if(position < end, list + position, -1);
}

/// A row exists if its number lies in [0, limit).
template <class T, class List>
struct listed_view {
  using element = T;
  T* base;
  long long pitch;
  List list;
  int end, limit;

  GSA_DEVICE int find(int position) const {
    return list_entry(list, position, end);
  }
  GSA_DEVICE bool holds(int number) const { return in_range(number, limit); }
  GSA_DEVICE T* row(int number) const { return base + number * pitch; }
  GSA_DEVICE bool paired() const { return pairs_aligned(base, pitch); }
};

template <class T, int R, int C, smem_layout L>
GSA_DEVICE listed_view<T, smem<int, R, C, L>> listed_rows(
    T* base, long long pitch, smem<int, R, C, L> list, int end, int limit) {
  return {base, pitch, list, end, max(limit, 0)};
}

template <class T>
GSA_DEVICE listed_view<T, const int*> listed_rows(T* base, long long pitch,
                                                  const int* list, int end,
                                                  int limit) {
  return {base, pitch, list, end, max(limit, 0)};
}

//===----------------------------------------------------------------------===//
// Paged: row r at base + (table[r / Page] * Apart + r mod Page) * pitch
//===----------------------------------------------------------------------===//

template <class T>
inline constexpr bool is_read_only = false;
template <class T>
inline constexpr bool is_read_only<const T> = true;

#define GSA_NAN_WORDS_4 0x7fff7fffu, 0x7fff7fffu, 0x7fff7fffu, 0x7fff7fffu
#define GSA_NAN_WORDS_16 \
  GSA_NAN_WORDS_4, GSA_NAN_WORDS_4, GSA_NAN_WORDS_4, GSA_NAN_WORDS_4
#define GSA_NAN_WORDS_64 \
  GSA_NAN_WORDS_16, GSA_NAN_WORDS_16, GSA_NAN_WORDS_16, GSA_NAN_WORDS_16

/// What a page that is not in the pool has: a row of NaN of every element type,
/// as long as the longest row of a tile.
template <class T>
GSA_DEVICE const T* absent_row() {
  alignas(16) static const unsigned words[256] = {
      GSA_NAN_WORDS_64, GSA_NAN_WORDS_64, GSA_NAN_WORDS_64, GSA_NAN_WORDS_64};
  return reinterpret_cast<const T*>(words);
}

#undef GSA_NAN_WORDS_64
#undef GSA_NAN_WORDS_16
#undef GSA_NAN_WORDS_4

/// r is what the source says of the position. A row exists if r lies in
/// [0, limit); the table has an entry for each page of those. An entry that is
/// no number of a page in [0, pages) gives rows of NaN, number -2, to who reads
/// them; to who writes them they do not exist.
template <class T, int Page, int Apart, class Source>
struct paged_view {
  using element = T;
  static constexpr bool reads = is_read_only<T>;
  T* base;
  long long pitch;
  const int* table;
  int pages;
  Source source;
  int limit;

  GSA_DEVICE int find(int position) const {
    int number = source(position);
    if (!in_range(number, limit)) return -1;
    auto n = static_cast<unsigned>(number);
    int page = table[n / Page];
    if (!in_range(page, pages)) return reads ? -2 : -1;
    return page * Apart + static_cast<int>(n % Page);
  }
  GSA_DEVICE bool holds(int number) const {
    return reads ? number != -1 : number >= 0;
  }
  GSA_DEVICE T* row(int number) const {
    if constexpr (reads)
      if (number < 0) return absent_row<T>();
    return base + number * pitch;
  }
  GSA_DEVICE bool paired() const { return pairs_aligned(base, pitch); }
};

template <int Step>
struct own_position {
  GSA_DEVICE int operator()(int position) const { return position * Step; }
};
template <class List>
struct listed_position {
  List list;
  int end;
  GSA_DEVICE int operator()(int position) const {
    return list_entry(list, position, end);
  }
};

/// `limit` counts positions, of which each `Step` is a row of the sequence.
template <int Page, int Apart, int Step, class T>
GSA_DEVICE paged_view<T, Page, Apart, own_position<Step>> paged_rows(
    T* base, long long pitch, const int* table, int pages, int limit) {
  return {base,  pitch, table,
          pages, {},    (max(limit, 1) - 1) * Step + (limit > 0)};
}
template <int Page, int Apart, class T, class List>
GSA_DEVICE paged_view<T, Page, Apart, listed_position<List>> listed_paged_rows(
    T* base, long long pitch, const int* table, int pages, List list, int end,
    int limit) {
  return {base, pitch, table, pages, {list, end}, max(limit, 0)};
}

//===----------------------------------------------------------------------===//
// Found rows
//===----------------------------------------------------------------------===//

/// Unit `step` of a thread of a team, of a tile with `Units` units a row.
template <int Threads, int Units>
struct unit_position {
  int row, unit;
  GSA_DEVICE unit_position(int thread, int step) {
    if constexpr (Threads % Units == 0) {
      row = thread / Units + step * (Threads / Units);
      unit = thread % Units;
    } else {
      row = (thread + step * Threads) / Units;
      unit = (thread + step * Threads) % Units;
    }
  }
};

/// The rows of the units that a thread of the team copies to a tile of `Rows`
/// rows of `Units` units: looked up once for the tiles of one shape.
template <class Team, int Rows, int Units>
struct found_rows {
  static constexpr int steps =
      (Rows * Units + Team::threads - 1) / Team::threads;
  /// Each thread has a unit of the tile in each step.
  static constexpr bool even = Rows * Units % Team::threads == 0;
  /// Of more than 8 numbers, whole batches of them.
  static constexpr int kept = steps <= 8 ? steps : (steps + 7) / 8 * 8;
  int number[kept];

  /// Number i + 8 becomes number i.
  GSA_DEVICE void rotate() {
    found_rows before = *this;
#pragma unroll
    for (int i = 0; i < kept; ++i) number[i] = before.number[(i + 8) % kept];
  }
};

template <class Team, int Rows, int Units, class View>
GSA_DEVICE found_rows<Team, Rows, Units> find_rows(View view, int first) {
  using found = found_rows<Team, Rows, Units>;
  found result;
  int thread = Team::thread();
#pragma unroll
  for (int step = 0; step < found::steps; ++step) {
    unit_position<Team::threads, Units> p(thread, step);
    result.number[step] =
        found::even || p.row < Rows ? view.find(first + p.row) : -1;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Found rows ahead of their copies
//===----------------------------------------------------------------------===//

template <class Found>
GSA_DEVICE Found found_alloc() {
  return Found{};
}
template <class Team, int Rows, int Units, class View>
GSA_DEVICE void look_up(found_rows<Team, Rows, Units>& target, View view,
                        int first) {
  target = find_rows<Team, Rows, Units>(view, first);
}
template <class Found>
GSA_DEVICE void keep_found(Found& target, const Found& source) {
  target = source;
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_ROWS_CUH
