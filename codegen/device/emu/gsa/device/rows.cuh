//===- rows.cuh - where the rows of a tile live (host) ---------*- C++ -*-===//

#ifndef GSA_DEVICE_ROWS_CUH
#define GSA_DEVICE_ROWS_CUH

#include <type_traits>

#include "gsa/device/smem.cuh"
#include "gsa/device/team.cuh"

namespace gsa::dev {

inline bool in_range(int number, int limit) {
  return number >= 0 && number < limit;
}

/// Entry `position` of an index list; fails if nobody wrote it.
template <int Rows, int Columns, smem_layout Layout>
int list_entry(const char* function, smem<int, Rows, Columns, Layout> list,
               int position) {
  int entry = list.get(function, 0, position);
  if (entry == emu::kPoisonIndex)
    emu::fail(function, "entry %d of the list at offset %d was never written",
              position, list.offset());
  return entry;
}

/// Of a list in global memory.
inline int list_entry(const char* function, const int* list, int position) {
  emu::checkGlobal(function, list + position, sizeof(int), false);
  return list[position];
}

template <class T>
struct strided_view {
  using element = T;
  T* base;
  long long pitch;
  int count;
  int find(const char*, int position) const { return position; }
  bool holds(int number) const { return in_range(number, count); }
  T* row(int number) const { return base + number * pitch; }
};

template <class T>
strided_view<T> strided_rows(T* base, long long pitch, int count) {
  return {base, pitch, count};
}

template <class T, int Inner>
struct two_level_view {
  using element = T;
  T* base;
  long long outer, inner;
  int count;
  int find(const char*, int position) const { return position; }
  bool holds(int number) const { return in_range(number, count); }
  T* row(int number) const {
    return base + (number / Inner) * outer + (number % Inner) * inner;
  }
};

template <int Inner, class T>
two_level_view<T, Inner> two_level_rows(T* base, long long outer,
                                        long long inner, int count) {
  return {base, outer, inner, count};
}

template <class T>
struct interleaved_view {
  using element = T;
  T* base;
  long long pitch, apart;
  int count;
  int find(const char*, int position) const { return position; }
  bool holds(int number) const {
    return number >= 0 && number / 16 * 8 + number % 8 < count;
  }
  T* row(int number) const {
    return base + (number / 16 * 8 + number % 8) * pitch +
           (number / 8 % 2) * apart;
  }
};

template <class T>
interleaved_view<T> interleaved_rows(T* base, long long pitch, long long apart,
                                     int count) {
  return {base, pitch, apart, count};
}

template <class T, class List>
struct listed_view {
  using element = T;
  T* base;
  long long pitch;
  List list;
  int end, limit;
  int find(const char* function, int position) const {
    return position < end ? list_entry(function, list, position) : -1;
  }
  bool holds(int number) const { return in_range(number, limit); }
  T* row(int number) const { return base + number * pitch; }
};

template <class T, int R, int C, smem_layout L>
listed_view<T, smem<int, R, C, L>> listed_rows(T* base, long long pitch,
                                               smem<int, R, C, L> list, int end,
                                               int limit) {
  return {base, pitch, list, end, limit};
}

template <class T>
listed_view<T, const int*> listed_rows(T* base, long long pitch,
                                       const int* list, int end, int limit) {
  return {base, pitch, list, end, limit};
}

template <class T, int Page, int Apart, class Source>
struct paged_view {
  using element = T;
  static constexpr bool reads = std::is_const_v<T>;
  T* base;
  long long pitch;
  const int* table;
  int pages;
  Source source;
  int limit;
  int find(const char* function, int position) const {
    int number = source.find(function, position);
    if (!in_range(number, limit)) return -1;
    emu::checkGlobal(function, table + number / Page, sizeof(int), false);
    int page = table[number / Page];
    if (!in_range(page, pages)) return reads ? -2 : -1;
    return page * Apart + number % Page;
  }
  bool holds(int number) const {
    return number >= 0 || (reads && number == -2);
  }
  T* row(int number) const {
    if constexpr (reads)
      if (number == -2) return reinterpret_cast<T*>(emu::absentRow());
    return base + number * pitch;
  }
};

template <int Step>
struct own_position {
  int find(const char*, int position) const { return position * Step; }
};
template <class List>
struct listed_position {
  List list;
  int end;
  int find(const char* function, int position) const {
    return position < end ? list_entry(function, list, position) : -1;
  }
};

template <int Page, int Apart, int Step, class T>
paged_view<T, Page, Apart, own_position<Step>> paged_rows(
    T* base, long long pitch, const int* table, int pages, int limit) {
  return {base,  pitch, table,
          pages, {},    limit > 0 ? (limit - 1) * Step + 1 : 0};
}
template <int Page, int Apart, class T, class List>
paged_view<T, Page, Apart, listed_position<List>> listed_paged_rows(
    T* base, long long pitch, const int* table, int pages, List list, int end,
    int limit) {
  return {base, pitch, table, pages, {list, end}, limit};
}

/// All rows of a tile: a warp uses those of its units.
template <class Team, int Rows, int Units>
struct found_rows {
  int number[Rows];
};

template <class Team, int Rows, int Units, class View>
found_rows<Team, Rows, Units> find_rows(View view, int first) {
  check_team<Team>("find_rows");
  found_rows<Team, Rows, Units> result;
  for (int r = 0; r < Rows; ++r)
    result.number[r] = view.find("find_rows", first + r);
  return result;
}

/// Contents undefined: a row that no array has.
template <class Found>
Found found_alloc() {
  Found found;
  for (int& number : found.number) number = emu::kPoisonIndex;
  return found;
}
template <class Team, int Rows, int Units, class View>
void look_up(found_rows<Team, Rows, Units>& target, View view, int first) {
  target = find_rows<Team, Rows, Units>(view, first);
}
template <class Found>
void keep_found(Found& target, const Found& source) {
  target = source;
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_ROWS_CUH
