//===- union.cuh - keys that neighbouring queries share -*- CUDA -*-===//
//
// Steps of warps that unite ascending lists: a table in shared memory has a
// word of bits, one for each list, for each of some consecutive keys.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_UNION_CUH
#define GSA_DEVICE_UNION_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/ptx/predicated.cuh"
#include "gsa/device/rows.cuh"
#include "gsa/device/select.cuh"
#include "gsa/device/smem.cuh"

namespace gsa::dev {

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

/// All entries are asked for before the first one is looked at.
template <int Columns>
GSA_DEVICE void check_list(lanes<int, 1>& state, const int* list, int begin,
                           int end, int limit) {
  int entry[Columns / 32];
  int last = ptx::load_if(begin > 0, list + begin - 1, -1);
#pragma unroll
  for (int i = 0; i < Columns / 32; ++i) {
    int at = begin + lane() + 32 * i;
    entry[i] = ptx::load_if(at < end, list + at, 0);
  }
#pragma unroll
  for (int i = 0; i < Columns / 32; ++i) {
    int before = __shfl_up_sync(all_lanes, entry[i], 1);
    if (lane() == 0) before = last;
    last = __shfl_sync(all_lanes, entry[i], 31);
    bool wrong = !in_range(entry[i], limit) | (entry[i] <= before);
    state.v[0] += wrong & (begin + lane() + 32 * i < end);
  }
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

template <int Columns, int Size, smem_layout Layout>
GSA_DEVICE int mark_members(smem<int, 1, Size, Layout> table, const int* list,
                            int begin, int end, int first, int bit) {
  int passed;
#pragma unroll 1
  do {
    int entry[Columns / 32];
    passed = 0;
#pragma unroll
    for (int i = 0; i < Columns / 32; ++i) {
      int at = begin + lane() + 32 * i;
      int key = ptx::load_if(at < end, list + at, 0);
      entry[i] = at < end ? key - first : Size;
    }
#pragma unroll
    for (int i = 0; i < Columns / 32; ++i) {
      if (in_range(entry[i], Size)) atomicOr(&table.at(0, entry[i]), 1 << bit);
      passed += __popc(__ballot_sync(all_lanes, entry[i] < Size));
    }
    begin += passed;
  } while (passed == Columns);
  return begin;
}

template <int Columns, int Size, smem_layout Layout>
GSA_DEVICE void count_members(lanes<int, 1>& state,
                              smem<int, 1, Size, Layout> table, int begin,
                              int end) {
#pragma unroll
  for (int i = 0; i < Columns / 32; ++i) {
    int at = begin + lane() + 32 * i;
    state.v[0] += at < end && table.at(0, at) != 0;
  }
}

template <int Columns, int Size, smem_layout Layout>
GSA_DEVICE void emit_members(int* keys, int* words, lanes<int, 1>& cursor,
                             smem<int, 1, Size, Layout> table, int begin,
                             int end, int first) {
#pragma unroll
  for (int i = 0; i < Columns / 32; ++i) {
    int at = begin + lane() + 32 * i;
    int word = at < end ? table.at(0, at) : 0;
    unsigned members = __ballot_sync(all_lanes, word != 0);
    int place = cursor.v[0] + __popc(members & ((1u << lane()) - 1));
    if (word != 0) {
      keys[place] = first + at;
      words[place] = word;
    }
    cursor.v[0] += __popc(members);
  }
}

/// Bit 0: a query below `Half` wants the key of this word; bit 1: one from it
/// on does.
template <int Half>
GSA_DEVICE int halves_of(int word) {
  auto bits = static_cast<unsigned>(word);
  return (bits & ((1u << Half) - 1) ? 1 : 0) + (bits >> Half ? 2 : 0);
}

template <int Columns, int Half, int Size, smem_layout Layout>
GSA_DEVICE void count_kinds(lanes<int, 3>& state,
                            smem<int, 1, Size, Layout> table, int begin,
                            int end) {
#pragma unroll
  for (int i = 0; i < Columns / 32; ++i) {
    int at = begin + lane() + 32 * i;
    int halves = halves_of<Half>(at < end ? table.at(0, at) : 0);
#pragma unroll
    for (int kind = 0; kind < 3; ++kind) state.v[kind] += halves == kind + 1;
  }
}

/// Most words are 0, and so are most groups of 32 neighbours.
template <int Columns, int Half, int Size, smem_layout Layout>
GSA_DEVICE void emit_kinds(int* keys, int* words, lanes<int, 3>& cursor,
                           smem<int, 1, Size, Layout> table, int begin, int end,
                           int first) {
#pragma unroll
  for (int i = 0; i < Columns / 32; ++i) {
    int at = begin + lane() + 32 * i;
    int word = at < end ? table.at(0, at) : 0;
    if (!__any_sync(all_lanes, word != 0)) continue;
    int halves = halves_of<Half>(word);
#pragma unroll
    for (int kind = 0; kind < 3; ++kind) {
      unsigned members = __ballot_sync(all_lanes, halves == kind + 1);
      int before = __popc(members & ((1u << lane()) - 1));
      int place =
          kind == 1 ? cursor.v[kind] - 1 - before : cursor.v[kind] + before;
      if (halves == kind + 1) {
        keys[place] = first + at;
        words[place] = word;
      }
      cursor.v[kind] += kind == 1 ? -__popc(members) : __popc(members);
    }
  }
}

template <int Strings, int Block>
GSA_DEVICE void transpose_members(int* bits, int* words, int group) {
  constexpr int per_block = Block / 32;
  int word = words[32 * group + lane()];
  int* target =
      bits + group / per_block * (Strings * per_block) + group % per_block;
  constexpr int queries = Strings < 32 ? Strings : 32;
  unsigned mine = 0;
#pragma unroll
  for (int q = 0; q < queries; ++q) {
    unsigned string = __ballot_sync(all_lanes, word >> q & 1);
    if (lane() == q) mine = string;
  }
#pragma unroll
  for (int q = 0; q < Strings; q += 32)
    if (q + lane() < Strings)
      target[(q + lane()) * per_block] = q == 0 ? static_cast<int>(mine) : 0;
}

//===----------------------------------------------------------------------===//
// What another kernel does again
//===----------------------------------------------------------------------===//

/// The same in all lanes.
template <int R, int C, frag_layout L>
GSA_DEVICE bool any_out_of_range(const frag<float, R, C, L>& output,
                                 const rowvec<float, R>& lse, float limit) {
  bool some = false;
#pragma unroll
  for (int h = 0; h < 2; ++h)
    some |= !(fabsf(lse.x[h]) < limit) && lse.x[h] != -infinity();
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i) some |= !(fabsf(output.x[j][i]) < infinity());
  return __any_sync(all_lanes, some);
}

/// What finds the exponents of infinity and NaN in a word of elements: their
/// bits, and what carries out of them when all are set.
template <class T>
struct exponent_bits;
template <>
struct exponent_bits<float> {
  static constexpr unsigned all = 0x7f800000u, one = 0x00800000u,
                            carries = 0x80000000u;
};
template <>
struct exponent_bits<bf16> {
  static constexpr unsigned all = 0x7f807f80u, one = 0x00800080u,
                            carries = 0x80008000u;
};
template <>
struct exponent_bits<f16> {
  static constexpr unsigned all = 0x7c007c00u, one = 0x04000400u,
                            carries = 0x80008000u;
};

/// Whether a tile holds an infinity or a NaN, for all warps of the block, each
/// of which looks at a part of it.
template <class Team, class T, int R, int C, smem_layout L>
GSA_DEVICE bool any_not_finite(smem<T, R, C, L> source) {
  using bits = exponent_bits<T>;
  static_assert(source.row_bytes % 16 == 0, "rows are whole chunks");
  unsigned found = 0;
#pragma unroll 1
  for (int byte = 16 * Team::thread(); byte < source.bytes;
       byte += 16 * Team::threads) {
    uint4 words = *reinterpret_cast<const uint4*>(source.base + byte);
    found |= (words.x & bits::all) + bits::one;
    found |= (words.y & bits::all) + bits::one;
    found |= (words.z & bits::all) + bits::one;
    found |= (words.w & bits::all) + bits::one;
  }
  return __syncthreads_or((found & bits::carries) != 0) != 0;
}

/// `target[row + r, :] = 0` where lse[r] is -inf.
template <class T, int R, int C, smem_layout L>
GSA_DEVICE void drop_rows(smem<T, R, C, L> target, int row,
                          const rowvec<float, 16>& lse) {
  constexpr int chunk = 16 / static_cast<int>(sizeof(T));
  static_assert(target.row_bytes % 16 == 0, "rows are whole chunks");
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    if (lse.x[h] != -infinity()) continue;
    // The four lanes that hold the row.
    for (int column = chunk * (lane() & 3); column < C; column += 4 * chunk)
      *reinterpret_cast<uint4*>(&target.at(row + frag_row(2 * h), column)) =
          uint4{0, 0, 0, 0};
  }
  __syncwarp();
}

GSA_DEVICE void append(int* list, int* count, int value) {
  if (lane() == 0) list[atomicAdd(count, 1)] = value;
}

//===----------------------------------------------------------------------===//
// One list as a string of bits
//===----------------------------------------------------------------------===//

/// Keys that share a word are neighbours, since lists ascend: a lane joins the
/// bits of its own. A list that does not ascend has the same result, as the
/// write is an atomic or.
template <int Columns, int Vector, int Rows, int Size, smem_layout Layout>
GSA_DEVICE void mark_keys(smem<int, Rows, Size, Layout> table, int row,
                          const int* list, int begin, int end) {
  using vector = element_vector<int, Vector>;
  constexpr int steps = Columns / (32 * Vector);
  vector keys[steps];
#pragma unroll
  for (int i = 0; i < steps; ++i) {
    int at = begin + (32 * i + lane()) * Vector;
    if (at + Vector <= end) {
      keys[i] = *reinterpret_cast<const vector*>(list + at);
    } else {
#pragma unroll
      for (int v = 0; v < Vector; ++v)
        keys[i].x[v] = at + v < end ? list[at + v] : -1;
    }
  }
#pragma unroll
  for (int i = 0; i < steps; ++i) {
    int word = 0;
    unsigned bits = 0;
#pragma unroll
    for (int v = 0; v < Vector; ++v) {
      int key = keys[i].x[v];
      bool exists = in_range(key, 32 * Size);
      int next = exists ? key >> 5 : word;
      ptx::or_shared_if(bits != 0 && next != word, table.address(row, word),
                        bits);
      bits = (next == word ? bits : 0) | (exists ? 1u << (key & 31) : 0);
      word = next;
    }
    ptx::or_shared_if(bits != 0, table.address(row, word), bits);
  }
}

template <int Strings, int Words, int Rows, int Size, smem_layout Layout>
GSA_DEVICE void store_strings(int* bits, smem<int, Rows, Size, Layout> table,
                              int row, int string) {
  __syncwarp();
#pragma unroll 4
  for (int w = lane(); w < Size; w += 32)
    bits[(w / Words * Strings + string) * Words + w % Words] = table.at(row, w);
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_UNION_CUH
