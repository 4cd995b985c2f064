//===- union_tests.cuh - keys that neighbouring queries share -*- CUDA -*-===//

#ifndef GSA_TEST_GPU_SELFTEST_UNION_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_UNION_TESTS_CUH

#include <algorithm>

#include "test/gpu/selftest/harness.cuh"

namespace selftest {

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

/// The sum of what lanes hold, to out[0].
__device__ inline void put_total(const lanes<int, 1>& state, int* out) {
  int total = __reduce_add_sync(all_lanes, state.v[0]);
  if (lane() == 0) *out = total;
}

__global__ void check_list_kernel(const int* list, int begin, int end,
                                  int limit, int* out) {
  auto state = lanes_alloc<lanes<int, 1>>();
  for (int at = begin; at < end; at += 96)
    check_list<96>(state, list, at, end, limit);
  put_total(state, out);
}

inline void test_check_list() {
  Suite suite("check_list");
  Random random(2);
  Array<int> list(300), out(1);
  for (int defects : {0, 1, 40})
    for (int begin : {0, 3, 64})
      for (int end : {0, 64, 65, 299}) {
        for (int i = 0; i < 300; ++i) list[i] = 3 * i;
        const int odd[] = {-1, INT32_MAX, INT32_MIN, 900, 12, 11};
        for (int i = 0; i < defects; ++i)
          list[random.Integer(0, 299)] = odd[random.Integer(0, 5)];
        int limit = 895, want = 0;
        for (int i = begin; i < end; ++i)
          want += list[i] < 0 || list[i] >= limit ||
                  (i > 0 && list[i] <= list[i - 1]);
        launch("check_list", check_list_kernel, 1, 1, 0, list.data(), begin,
               end, limit, out.data());
        suite.Context("defects %d begin %d end %d", defects, begin, end);
        suite.Equal(out[0], want);
      }
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

constexpr int kTable = 1024, kLists = 32;

/// Unites `lists` lists of `slots` entries, warp by warp; keys [first, first +
/// kTable). `places`: the first entry of each list behind them.
template <int Strings, int Block>
__global__ void unite_kernel(const int* list, int lists, int slots, int first,
                             int* keys, int* words, int* bits, int* count,
                             int* places) {
  auto table = smem_alloc<smem<int, 1, kTable, linear>>(0);
  for (int i = threadIdx.x; i < kTable; i += blockDim.x) table.at(0, i) = 0;
  __syncthreads();
  int warp = static_cast<int>(threadIdx.x) / 32;
  for (int q = warp; q < lists; q += static_cast<int>(blockDim.x) / 32) {
    int place = mark_members<96>(table, list + q * slots, 0, slots, first, q);
    if (lane() == 0) places[q] = place;
  }
  __syncthreads();
  if (warp > 0) return;
  auto found = lanes_alloc<lanes<int, 1>>();
  for (int at = 0; at < kTable - 5; at += 128)
    count_members<128>(found, table, at, kTable - 5);
  put_total(found, count);
  auto cursor = lanes_alloc<lanes<int, 1>>();
  for (int at = 0; at < kTable - 5; at += 64)
    emit_members<64>(keys, words, cursor, table, at, kTable - 5, first);
  __syncwarp();
  for (int group = 0; group < kTable / 32; ++group)
    transpose_members<Strings, Block>(bits, words, group);
}

template <int Strings, int Block>
void test_unite(Suite& suite, int lists, int slots, int first) {
  Random random(lists + slots);
  Array<int> list(kLists * slots), keys(kTable), words(kTable);
  Array<int> bits(kTable / Block * Strings * Block / 32), count(1);
  Array<int> places(kLists);
  std::vector<uint32_t> members(kTable);
  for (int q = 0; q < lists; ++q)
    for (int i = 0; i < slots; ++i) {
      // Some are keys that the table has no word for.
      int key = random.Integer(0, (q % 3 + 2) * kTable) - kTable;
      list[q * slots + i] = first + key;
      if (key >= 0 && key < kTable) members[key] |= 1u << q;
    }
  for (int q = 0; q < lists; ++q)
    std::sort(&list[q * slots], &list[q * slots] + slots);
  for (int i = 0; i < kTable; ++i) words[i] = 0;
  launch("unite", unite_kernel<Strings, Block>, 1, 4, 4 * kTable,
         static_cast<const int*>(list.data()), lists, slots, first, keys.data(),
         words.data(), bits.data(), count.data(), places.data());
  suite.Context("%d lists of %d, %d strings, blocks of %d", lists, slots,
                Strings, Block);
  for (int q = 0; q < lists; ++q) {
    const int* own = &list[q * slots];
    suite.Equal(places[q],
                static_cast<double>(
                    std::lower_bound(own, own + slots, first + kTable) - own),
                q);
  }
  int n = 0;
  for (int key = 0; key < kTable - 5; ++key) {
    if (members[key] == 0) continue;
    suite.Equal(keys[n], first + key, n);
    suite.Equal(words[n], static_cast<int>(members[key]), n);
    ++n;
  }
  suite.Equal(count[0], n);
  constexpr int per_block = Block / 32;
  for (int i = 0; i < kTable; ++i)
    for (int q = 0; q < Strings; ++q) {
      int word = bits[(i / Block * Strings + q) * per_block + i % Block / 32];
      int want = q < 32 ? words[i] >> q & 1 : 0;
      suite.Equal(word >> (i % 32) & 1, want, i, q);
    }
}

/// Keys of a table with these words, by the halves that want them: those of the
/// first one from 0 on, of the other one back from `apart`, of both from there.
template <int Half>
__global__ void kinds_kernel(const int* words, int first, int apart, int* keys,
                             int* members, int* counts) {
  auto table = smem_alloc<smem<int, 1, kTable, linear>>(0);
  for (int i = threadIdx.x; i < kTable; i += blockDim.x)
    table.at(0, i) = words[i];
  __syncthreads();
  auto found = lanes_alloc<lanes<int, 3>>();
  for (int at = 0; at < kTable - 5; at += 128)
    count_kinds<128, Half>(found, table, at, kTable - 5);
  for (int kind = 0; kind < 3; ++kind) {
    int total = __reduce_add_sync(0xffffffffu, found.v[kind]);
    if (threadIdx.x == 0) counts[kind] = total;
  }
  auto cursor = lanes_alloc<lanes<int, 3>>();
  set_lanes<1>(cursor, apart);
  set_lanes<2>(cursor, apart);
  for (int at = 0; at < kTable - 5; at += 64)
    emit_kinds<64, Half>(keys, members, cursor, table, at, kTable - 5, first);
}

template <int Half>
void test_kinds(Suite& suite, int share) {
  Random random(100 + Half);
  constexpr int apart = kTable, first = 77;
  Array<int> words(kTable), keys(2 * kTable), members(2 * kTable), counts(3);
  for (int i = 0; i < kTable; ++i) {
    int word = 0;
    for (int q = 0; q < 2 * Half; ++q)
      if (random.Integer(0, 99) < share) word |= static_cast<int>(1u << q);
    words[i] = word;
  }
  launch("kinds", kinds_kernel<Half>, 1, 1, 4 * kTable,
         static_cast<const int*>(words.data()), first, apart, keys.data(),
         members.data(), counts.data());
  suite.Context("halves of %d, share %d", Half, share);
  int next[3] = {0, apart, apart}, want[3] = {0, 0, 0};
  for (int i = 0; i < kTable - 5; ++i) {
    auto word = static_cast<unsigned>(words[i]);
    bool low = word % (1u << Half) != 0, high = word >> Half != 0;
    if (!low && !high) continue;
    int kind = low && high ? 2 : high ? 1 : 0;
    ++want[kind];
    int place = kind == 1 ? --next[1] : next[kind]++;
    suite.Equal(keys[place], first + i, i);
    suite.Equal(members[place], words[i], i);
  }
  for (int kind = 0; kind < 3; ++kind)
    suite.Equal(counts[kind], want[kind], kind);
}

inline void test_halves() {
  Suite suite("count_kinds emit_kinds");
  test_kinds<16>(suite, 1);
  test_kinds<16>(suite, 30);
  test_kinds<8>(suite, 8);
  test_kinds<1>(suite, 50);
  test_kinds<16>(suite, 0);
  test_kinds<15>(suite, 100);
}

inline void test_tables() {
  Suite suite("mark_members count_members emit_members transpose_members");
  test_unite<16, 64>(suite, 16, 300, 0);
  test_unite<11, 32>(suite, 10, 97, 5000);
  test_unite<32, 128>(suite, 32, 20, 1000000000);
  test_unite<64, 64>(suite, 32, 1, 0);
  test_unite<16, 64>(suite, 7, 96, 12);
  test_unite<16, 64>(suite, 16, 192, 100);
  test_unite<2, 64>(suite, 2, 1000, 3);
}

//===----------------------------------------------------------------------===//
// Attention over a union
//===----------------------------------------------------------------------===//

template <int RowsPerString>
__global__ void mask_bits_kernel(const float* from, const int* bits, int line,
                                 int row, float* to) {
  auto tile = smem_alloc<smem<int, 2, 128, linear>>(0);
  put_tile(tile, bits);
  auto x = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
  put_dense(x, from);
  mask_bits<RowsPerString>(x, tile, line, row);
  get_dense(x, to);
}

template <int RowsPerString>
void test_mask_bits(Suite& suite) {
  Random random(RowsPerString);
  Array<float> from(1024), to(1024);
  Array<int> bits(256);
  random.Fill(from);
  for (int i = 0; i < 256; ++i)
    bits[i] = random.Integer(-32768, 32767) * 65536 + random.Integer(0, 65535);
  for (int line : {0, 1})
    for (int row : {0, 16, 48}) {
      launch("mask_bits", mask_bits_kernel<RowsPerString>, 1, 1, 1024,
             from.data(), bits.data(), line, row, to.data());
      suite.Context("%d rows per string, line %d row %d", RowsPerString, line,
                    row);
      for (int i = 0; i < 1024; ++i) {
        int r = i / 64, c = i % 64;
        int word = bits[128 * line + (row + r) / RowsPerString * 2 + c / 32];
        suite.Equal(to[i], word >> (c % 32) & 1 ? from[i] : -kInf, r, c);
      }
    }
}

/// Rows of scores in tiles of 32 columns, and the sum of weights times values,
/// of which there is one for each column.
__global__ void softmax_step_kernel(const float* scores, const float* values,
                                    int steps, float scale, float* out,
                                    float* lse_out, float* factors) {
  using fragment = frag<float, 16, 32, frag_layout::acc>;
  rowvec<float, 16> base, sum, factor, lse;
  auto output = frag_alloc<fragment>();
  fill(output, 0.0f);
  fill_rows(base, -infinity());
  fill_rows(sum, 0.0f);
  for (int step = 0; step < steps; ++step) {
    auto x = frag_alloc<fragment>();
    put_dense(x, scores + step * 512);
    softmax_step(x, factor, base, sum, scale);
    get_dense(factor, factors + 16 * step);
    scale_rows(output, factor);
    auto y = frag_alloc<fragment>();
    put_dense(y, values + step * 512);
#pragma unroll
    for (int j = 0; j < 4; ++j)
#pragma unroll
      for (int i = 0; i < 4; ++i) output.x[j][i] += x.x[j][i] * y.x[j][i];
  }
  softmax_close(sum);
  softmax_finish<false>(output, lse, base, sum, scale);
  get_dense(output, out);
  get_dense(lse, lse_out);
}

inline void test_softmax_step() {
  Suite suite("softmax_step softmax_close scale_rows");
  constexpr int kSteps = 9;
  Random random(5);
  Array<float> scores(512 * kSteps), values(512 * kSteps);
  Array<float> out(512), lse(16), factors(16 * kSteps);
  for (float scale : {0.125f, 1.0f, 3.0f})
    for (double rise : {0.0, 0.2, 30.0, -30.0}) {
      random.Fill(values);
      for (int step = 0; step < kSteps; ++step)
        for (int r = 0; r < 16; ++r)
          for (int c = 0; c < 32; ++c) {
            double x = random.Uniform(-4, 4) + rise * step;
            bool none = r == 0 || (r == 1 && step < 4) ||
                        (r == 2 && step > 4) || (r > 4 && c % 3 == 0);
            scores[512 * step + 32 * r + c] =
                static_cast<float>(none ? -kInf : x / scale);
          }
      launch("softmax_step", softmax_step_kernel, 1, 1, 0, scores.data(),
             values.data(), kSteps, scale, out.data(), lse.data(),
             factors.data());
      suite.Context("scale %g rise %g", scale, rise);
      for (int r = 0; r < 16; ++r) {
        double most = -kInf, sum = 0;
        auto logit = [&](int step, int c) {
          return static_cast<double>(scale) * scores[512 * step + 32 * r + c];
        };
        for (int i = 0; i < 32 * kSteps; ++i)
          most = std::fmax(most, logit(i / 32, i % 32));
        for (int i = 0; i < 32 * kSteps && most > -kInf; ++i)
          sum += std::exp(logit(i / 32, i % 32) - most);
        suite.Near(lse[r], sum > 0 ? most + std::log(sum) : -kInf, 1e-4, r);
        for (int c = 0; c < 32; ++c) {
          double want = 0;
          for (int step = 0; step < kSteps && sum > 0; ++step)
            want += std::exp(logit(step, c) - most) / sum *
                    values[512 * step + 32 * r + c];
          suite.Near(out[32 * r + c], want, 1e-4, r, c);
        }
      }
      // A base that no score exceeds by far stays, but in step 4, in which row
      // 1 has its first scores: bases of a warp are raised together.
      for (int i = 16; rise == 0 && scale == 1 && i < 16 * kSteps; ++i)
        if (i % 16 > 2 && i / 16 != 4) suite.Equal(factors[i], 1, i);
    }
}

__global__ void out_of_range_kernel(const float* output, const float* lse,
                                    int* list, int* count) {
  auto x = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
  rowvec<float, 16> rows;
  put_dense(x, output);
  put_dense(rows, lse);
  bool some = any_out_of_range(x, rows, 100.0f);
  if (some) append(list, count, 7 + static_cast<int>(blockIdx.x));
}

inline void test_out_of_range() {
  Suite suite("any_out_of_range append");
  Array<float> output(1024), lse(16);
  Array<int> list(64), count(1);
  const double odd[] = {0, kNan, kInf, -kInf, 3e38, 99.9, 100, -100, -99.9};
  for (int place : {0, 63, 500, 1023})
    for (bool in_lse : {false, true})
      for (double x : odd) {
        for (int i = 0; i < 1024; ++i) output[i] = 1;
        for (int i = 0; i < 16; ++i) lse[i] = 2;
        (in_lse ? lse[place / 64] : output[place]) = static_cast<float>(x);
        count[0] = 0;
        launch("any_out_of_range", out_of_range_kernel, 64, 1, 0, output.data(),
               lse.data(), list.data(), count.data());
        bool want =
            in_lse ? !(std::fabs(x) < 100) && x != -kInf : !std::isfinite(x);
        suite.Context("%g in %s at %d", x, in_lse ? "lse" : "output", place);
        suite.Equal(count[0], want ? 64 : 0);
        if (!want) continue;
        std::sort(list.data(), list.data() + 64);
        for (int i = 0; i < 64; ++i) suite.Equal(list[i], 7 + i, i);
      }
}

template <int Warps, class T, int R, int C, smem_layout L>
__global__ void not_finite_kernel(const T* from, int rounds, int* found) {
  auto tile = smem_alloc<smem<T, R, C, L>>(0);
  for (int round = 0; round < rounds; ++round) {
    put_tile(tile, from + R * C * round);
    bool some = any_not_finite<team<0, Warps>>(tile);
    found[32 * Warps * round + threadIdx.x] = some ? 1 : 0;
    __syncthreads();
  }
}

/// One number in a tile of others, which are as large and as small as they can
/// be; all threads find the same.
template <int Warps, class T, int R, int C, smem_layout L>
void test_not_finite(Suite& suite) {
  constexpr int kSize = R * C, kThreads = 32 * Warps;
  const double large = is_same<T, f16> ? 65504 : 3e38;
  const double ordinary[] = {0, -0.0, 1, -large, large, 1e-7, -1e-40};
  const double odd[] = {kNan, kInf, -kInf, large, 0};
  const int places[] = {0, 1, C - 1, kSize / 2 + 3, kSize - 1};
  constexpr int kRounds = 25;
  Array<T> from(kSize * kRounds);
  Array<int> found(kThreads * kRounds);
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kSize; ++i)
      from[kSize * round + i] = from_host<T>(rounded<T>(ordinary[i % 7]));
    from[kSize * round + places[round / 5]] =
        from_host<T>(rounded<T>(odd[round % 5]));
  }
  launch("any_not_finite", not_finite_kernel<Warps, T, R, C, L>, 1, Warps,
         kSize * static_cast<int>(sizeof(T)),
         static_cast<const T*>(from.data()), kRounds, found.data());
  for (int round = 0; round < kRounds; ++round) {
    suite.Context("%d warps, %d x %d of %s, %g at %d", Warps, R, C,
                  format<T>::name, odd[round % 5], places[round / 5]);
    for (int i = 0; i < kThreads; ++i)
      suite.Equal(found[kThreads * round + i], round % 5 < 3 ? 1 : 0, i);
  }
}

template <class T, int C, smem_layout L>
__global__ void drop_rows_kernel(const T* from, const float* lse, int row,
                                 T* to) {
  auto tile = smem_alloc<smem<T, 48, C, L>>(0);
  put_tile(tile, from);
  rowvec<float, 16> rows;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  put_dense(rows, lse + 16 * warp);
  drop_rows(tile, row + 16 * warp, rows);
  get_tile(tile, to);
}

/// Two warps, side by side; what is dropped are infinities and NaN, too.
template <class T, int C, smem_layout L>
void test_drop_rows(Suite& suite) {
  Random random(C);
  Array<T> from(48 * C), to(48 * C);
  Array<float> lse(32);
  random.Fill(from);
  for (int i = 0; i < 48 * C; i += 5)
    from[i] = from_host<T>(i % 3 == 0 ? kNan : i % 2 ? kInf : -kInf);
  const double values[] = {-kInf, 0, kInf, kNan, -3e38};
  for (int step : {1, 2, 5})
    for (int row : {0, 3, 16}) {
      for (int r = 0; r < 32; ++r)
        lse[r] = static_cast<float>(values[r * step % 5]);
      launch("drop_rows", drop_rows_kernel<T, C, L>, 1, 2,
             48 * C * static_cast<int>(sizeof(T)),
             static_cast<const T*>(from.data()),
             static_cast<const float*>(lse.data()), row, to.data());
      suite.Context("%d columns of %s, step %d row %d", C, format<T>::name,
                    step, row);
      for (int i = 0; i < 48 * C; ++i) {
        int r = i / C - row;
        bool dropped = r >= 0 && r < 32 && lse[r] == -kInf;
        suite.Equal(to_host(to[i]), dropped ? 0 : to_host(from[i]), i / C,
                    i % C);
      }
    }
}

inline void test_gradient_tiles() {
  {
    Suite suite("any_not_finite");
    test_not_finite<1, bf16, 16, 64, swizzle>(suite);
    test_not_finite<8, bf16, 64, 128, swizzle_128b>(suite);
    test_not_finite<3, f16, 13, 40, linear>(suite);
    test_not_finite<4, f16, 3, 8, linear>(suite);
    test_not_finite<5, float, 17, 12, swizzle>(suite);
  }
  Suite suite("drop_rows");
  test_drop_rows<bf16, 64, swizzle_128b>(suite);
  test_drop_rows<bf16, 40, swizzle>(suite);
  test_drop_rows<f16, 8, linear>(suite);
  test_drop_rows<float, 12, linear>(suite);
  test_drop_rows<float, 128, swizzle>(suite);
}

/// Rows that a list in global memory names, looked up a tile ahead, and copied
/// to two tiles: of more than 8 a thread the numbers go round.
template <int Rows, smem_layout Layout>
__global__ void look_up_kernel(const bf16* rows, const int* list, int tiles,
                               int end, int limit, bf16* to) {
  using team = gsa::dev::team<0, 2>;
  auto tile = smem_alloc<smem<bf16, Rows, 64, Layout>>(0);
  auto twin = smem_alloc<smem<bf16, Rows, 64, Layout>>(128 * Rows);
  auto view = listed_rows(rows, 64, list, end, limit);
  auto next = found_alloc<found_rows<team, Rows, 8>>();
  auto now = found_alloc<found_rows<team, Rows, 8>>();
  look_up(next, view, 0);
  for (int i = 0; i < tiles; ++i) {
    keep_found(now, next);
    look_up(next, view, Rows * (i + 1));
    copy_rows<team, 16>(twin, view, now, 64);
    copy_rows<team, 16>(tile, view, now, 64);
    copy_wait<team, 0>();
    get_tile(tile, to + 128 * Rows * i);
    get_tile(twin, to + 128 * Rows * i + 64 * Rows);
    __syncthreads();
  }
}

template <int Rows, smem_layout Layout>
void test_look_up(Suite& suite) {
  constexpr int kRows = 50, kTiles = 4;
  Random random(9);
  Array<bf16> rows(64 * kRows), to(128 * Rows * kTiles);
  Array<int> list(Rows * kTiles);
  random.Fill(rows);
  for (int i = 0; i < Rows * kTiles; ++i)
    list[i] = random.Integer(-3, kRows + 3);
  for (int end : {0, 33, Rows * kTiles})
    for (int limit : {0, 20, kRows}) {
      launch("look_up", look_up_kernel<Rows, Layout>, 1, 2, 256 * Rows,
             static_cast<const bf16*>(rows.data()),
             static_cast<const int*>(list.data()), kTiles, end, limit,
             to.data());
      suite.Context("%d rows, end %d limit %d", Rows, end, limit);
      for (int i = 0; i < 128 * Rows * kTiles; ++i) {
        int row = i / (128 * Rows) * Rows + i / 64 % Rows;
        int entry = row < end ? list[row] : -1;
        bool exists = entry >= 0 && entry < limit;
        suite.Equal(to_host(to[i]),
                    exists ? to_host(rows[64 * entry + i % 64]) : 0, row,
                    i % 64);
      }
    }
}

inline void run_union_tests() {
  test_check_list();
  test_tables();
  test_halves();
  {
    Suite suite("mask_bits");
    test_mask_bits<1>(suite);
    test_mask_bits<4>(suite);
    test_mask_bits<6>(suite);
    test_mask_bits<32>(suite);
  }
  test_softmax_step();
  test_out_of_range();
  test_gradient_tiles();
  {
    Suite suite("look_up keep_found of listed_rows in global memory");
    test_look_up<32, swizzle>(suite);
    test_look_up<64, swizzle_128b>(suite);
    test_look_up<96, swizzle>(suite);
    test_look_up<128, swizzle_128b>(suite);
  }
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_UNION_TESTS_CUH
