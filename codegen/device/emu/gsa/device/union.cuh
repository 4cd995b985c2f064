//===- union.cuh - keys that neighbouring queries share (host) -*- C++ -*-===//

#ifndef GSA_DEVICE_UNION_CUH
#define GSA_DEVICE_UNION_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/rows.cuh"
#include "gsa/device/select.cuh"
#include "gsa/device/smem.cuh"

namespace gsa::dev {

template <int Columns>
void check_list(lanes<int, 1>& state, const int* list, int begin, int end,
                int limit) {
  int stop = begin + Columns < end ? begin + Columns : end;
  for (int at = begin; at < stop; ++at) {
    int entry = list_entry("check_list", list, at);
    int before = at > 0 ? list_entry("check_list", list, at - 1) : -1;
    if (!in_range(entry, limit) || entry <= before)
      ++state.v[0][(at - begin) % 32];
  }
}

/// Counts by steps as the device does, so that of a list that does not ascend
/// the place is the same.
template <int Columns, int Size, smem_layout Layout>
int mark_members(smem<int, 1, Size, Layout> table, const int* list, int begin,
                 int end, int first, int bit) {
  int passed;
  do {
    passed = 0;
    int stop = begin + Columns < end ? begin + Columns : end;
    for (int at = begin; at < stop; ++at) {
      long long entry = list_entry("mark_members", list, at);
      if (entry - first >= Size) continue;
      ++passed;
      if (entry < first) continue;
      void* word =
          table.address("mark_members", 0, static_cast<int>(entry - first));
      __atomic_fetch_or(static_cast<int*>(word), static_cast<int>(1u << bit),
                        __ATOMIC_RELAXED);
    }
    begin += passed;
  } while (passed == Columns);
  return begin;
}

template <int Columns, int Size, smem_layout Layout>
void count_members(lanes<int, 1>& state, smem<int, 1, Size, Layout> table,
                   int begin, int end) {
  for (int at = begin; at < begin + Columns && at < end; ++at)
    state.v[0][(at - begin) % 32] += table.get("count_members", 0, at) != 0;
}

template <int Columns, int Size, smem_layout Layout>
void emit_members(int* keys, int* words, lanes<int, 1>& cursor,
                  smem<int, 1, Size, Layout> table, int begin, int end,
                  int first) {
  int place = cursor.v[0][0];
  for (int at = begin; at < begin + Columns && at < end; ++at) {
    int word = table.get("emit_members", 0, at);
    if (word == 0) continue;
    emu::checkGlobal("emit_members", keys + place, sizeof(int), true);
    emu::checkGlobal("emit_members", words + place, sizeof(int), true);
    keys[place] = first + at;
    words[place++] = word;
  }
  set_lanes<0>(cursor, place);
}

/// Bit 0: a query below `Half` wants the key of this word; bit 1: one from it
/// on does.
template <int Half>
int halves_of(int word) {
  auto bits = static_cast<uint32_t>(word);
  return (bits % (1u << Half) != 0 ? 1 : 0) + (bits >> Half != 0 ? 2 : 0);
}

template <int Columns, int Half, int Size, smem_layout Layout>
void count_kinds(lanes<int, 3>& state, smem<int, 1, Size, Layout> table,
                 int begin, int end) {
  for (int at = begin; at < begin + Columns && at < end; ++at)
    if (int halves = halves_of<Half>(table.get("count_kinds", 0, at)))
      ++state.v[halves - 1][(at - begin) % 32];
}

template <int Columns, int Half, int Size, smem_layout Layout>
void emit_kinds(int* keys, int* words, lanes<int, 3>& cursor,
                smem<int, 1, Size, Layout> table, int begin, int end,
                int first) {
  int next[3] = {cursor.v[0][0], cursor.v[1][0], cursor.v[2][0]};
  for (int at = begin; at < begin + Columns && at < end; ++at) {
    int word = table.get("emit_kinds", 0, at);
    int halves = halves_of<Half>(word);
    if (halves == 0) continue;
    int place = halves == 2 ? --next[1] : next[halves - 1]++;
    emu::checkGlobal("emit_kinds", keys + place, sizeof(int), true);
    emu::checkGlobal("emit_kinds", words + place, sizeof(int), true);
    keys[place] = first + at;
    words[place] = word;
  }
  set_lanes<0>(cursor, next[0]);
  set_lanes<1>(cursor, next[1]);
  set_lanes<2>(cursor, next[2]);
}

template <int Strings, int Block>
void transpose_members(int* bits, int* words, int group) {
  constexpr int per_block = Block / 32;
  emu::checkGlobal("transpose_members", words + 32 * group, 32 * sizeof(int),
                   false);
  for (int q = 0; q < Strings; ++q) {
    uint32_t string = 0;
    for (int c = 0; c < 32 && q < 32; ++c)
      string |= (static_cast<uint32_t>(words[32 * group + c]) >> q & 1) << c;
    int* target = bits + (group / per_block * Strings + q) * per_block +
                  group % per_block;
    emu::checkGlobal("transpose_members", target, sizeof(int), true);
    *target = static_cast<int>(string);
  }
}

template <int Columns, frag_layout Layout>
bool any_out_of_range(const frag<float, 16, Columns, Layout>& output,
                      const rowvec<float, 16>& lse, float limit) {
  for (int r = 0; r < 16; ++r) {
    if (!(fabsf(lse.v[r]) < limit) && lse.v[r] != -INFINITY) return true;
    for (int c = 0; c < Columns; ++c)
      if (!(fabsf(output.v[r][c]) < INFINITY)) return true;
  }
  return false;
}

template <class Team, class T, int Rows, int Columns, smem_layout Layout>
bool any_not_finite(smem<T, Rows, Columns, Layout> source) {
  check_team<Team>("any_not_finite");
  bool found = false;
  for (int r = 0; r < Rows; ++r)
    for (int c = 0; c < Columns; ++c)
      found |=
          !(fabsf(to_float(source.get("any_not_finite", r, c))) < INFINITY);
  sync<Team, 0>();
  return found;
}

template <class T, int Rows, int Columns, smem_layout Layout>
void drop_rows(smem<T, Rows, Columns, Layout> target, int row,
               const rowvec<float, 16>& lse) {
  for (int r = 0; r < 16; ++r)
    if (lse.v[r] == -INFINITY)
      for (int c = 0; c < Columns; ++c)
        target.set("drop_rows", row + r, c, convert_to<T>(0.0f));
}

inline void append(int* list, int* count, int value) {
  emu::checkGlobal("append", count, sizeof(int), true);
  int place = __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
  emu::checkGlobal("append", list + place, sizeof(int), true);
  list[place] = value;
}

//===----------------------------------------------------------------------===//
// One list as a string of bits
//===----------------------------------------------------------------------===//

template <int Columns, int Vector, int Rows, int Size, smem_layout Layout>
void mark_keys(smem<int, Rows, Size, Layout> table, int row, const int* list,
               int begin, int end) {
  int stop = begin + Columns < end ? begin + Columns : end;
  for (int at = begin; at < stop; ++at) {
    if ((at - begin) % Vector == 0 && at + Vector <= end)
      check_vector("mark_keys", list + at, sizeof(int) * Vector);
    int key = list_entry("mark_keys", list, at);
    if (!in_range(key, 32 * Size)) continue;
    int word = table.get("mark_keys", row, key / 32);
    table.set("mark_keys", row, key / 32,
              static_cast<int>(static_cast<uint32_t>(word) | 1u << key % 32));
  }
}

template <int Strings, int Words, int Rows, int Size, smem_layout Layout>
void store_strings(int* bits, smem<int, Rows, Size, Layout> table, int row,
                   int string) {
  for (int w = 0; w < Size; ++w) {
    int* target = bits + (w / Words * Strings + string) * Words + w % Words;
    emu::checkGlobal("store_strings", target, sizeof(int), true);
    *target = table.get("store_strings", row, w);
  }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_UNION_CUH
