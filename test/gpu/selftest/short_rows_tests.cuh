//===- short_rows_tests.cuh - rows that take all keys -*- CUDA -*-===//

#ifndef GSA_TEST_GPU_SELFTEST_SHORT_ROWS_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_SHORT_ROWS_TESTS_CUH

#include <algorithm>

#include "test/gpu/selftest/harness.cuh"

namespace selftest {

template <int Vector>
__global__ void count_beyond_kernel(const float* array, int begin, int end,
                                    float limit, int* out) {
  auto state = lanes_alloc<lanes<int, 1>>();
  for (int at = begin; at < end; at += 256)
    count_beyond<256, Vector>(state, array, at, end, limit);
  int total = __reduce_add_sync(all_lanes, state.v[0]);
  if (lane() == 0) *out = total;
}

template <int Vector>
void test_count_beyond(Suite& suite) {
  Random random(Vector);
  Array<float> array(700);
  Array<int> out(1);
  const float odd[] = {8.0f,
                       8.1f,
                       -8.0f,
                       -9.0f,
                       static_cast<float>(kNan),
                       static_cast<float>(kInf),
                       static_cast<float>(-kInf),
                       0.0f};
  for (int begin : {0, 4, 256})
    for (int end : {0, 255, 256, 257, 699}) {
      int want = 0;
      for (int i = 0; i < 700; ++i) {
        array[i] = odd[random.Integer(0, 7)];
        if (i >= begin && i < end) want += !(std::fabs(array[i]) <= 8.0f);
      }
      launch("count_beyond", count_beyond_kernel<Vector>, 1, 1, 0,
             static_cast<const float*>(array.data()), begin, end, 8.0f,
             out.data());
      suite.Context("vectors of %d, begin %d end %d", Vector, begin, end);
      suite.Equal(out[0], want);
    }
}

template <int Vector>
__global__ void list_all_kernel(int* list, int count, int slots) {
  list_all<Vector>(list, count, slots);
}

template <int Vector>
void test_list_all(Suite& suite) {
  Array<int> list(600);
  for (int count : {0, 1, 127, 128, 300, 512, 1000}) {
    for (int i = 0; i < 600; ++i) list[i] = 77;
    launch("list_all", list_all_kernel<Vector>, 1, 1, 0, list.data(), count,
           512);
    suite.Context("vectors of %d, count %d", Vector, count);
    for (int i = 0; i < 600; ++i)
      suite.Equal(list[i], i >= 512 ? 77 : i < count ? i : -1, i);
  }
}

__global__ void any_kernel(const int* flags, int begin, int end, int last,
                           int* out) {
  int set = any_set(flags, begin, end);
  int causal = any_short<1>(flags + begin, end - begin, last);
  int full = any_short<0>(flags + begin, end - begin, last);
  if (lane() == 0) *out = set + 2 * causal + 4 * full;
}

inline void test_any() {
  Suite suite("any_set any_short");
  Array<int> flags(100), out(1);
  for (int begin : {0, 5})
    for (int end : {0, 5, 12, 21, 70})
      for (int place : {-1, 5, 11, 20, 60})
        for (int last : {-4, 0, 9}) {
          for (int i = 0; i < 100; ++i)
            flags[i] = i == place ? 0 : std::max(last + 1 + (i - begin), 0);
          auto want = [&] {
            bool set = false, causal = false, full = false;
            for (int i = begin; i < end; ++i) {
              set |= flags[i] != 0;
              if (i - begin >= 16) continue;
              causal |= flags[i] <= last + (i - begin);
              full |= flags[i] <= last;
            }
            return set + 2 * causal + 4 * full;
          };
          launch("any", any_kernel, 1, 1, 0,
                 static_cast<const int*>(flags.data()), begin, end, last,
                 out.data());
          suite.Context("begin %d end %d place %d last %d", begin, end, place,
                        last);
          suite.Equal(out[0], want());
        }
}

template <int Strings, int Words, int Vector>
__global__ void strings_kernel(const int* list, int count, int* bits) {
  auto table = smem_alloc<smem<int, 2, 24, linear>>(0);
  for (int i = threadIdx.x; i < 48; i += blockDim.x)
    table.at(i / 24, i % 24) = 0;
  __syncthreads();
  for (int at = 0; at < count; at += 64 * Vector)
    mark_keys<64 * Vector, Vector>(table, 1, list, at, count);
  store_strings<Strings, Words>(bits, table, 1, Strings - 1);
}

template <int Strings, int Words, int Vector>
void test_strings(Suite& suite) {
  Random random(Strings);
  Array<int> list(400), bits(24 * Strings);
  for (int density : {1, 2, 30})
    for (bool ascends : {true, false}) {
      int count = 0;
      bool marked[768] = {};
      for (int key = -3; key < 790 && count < 400; ++key) {
        if (random.Integer(0, density - 1) != 0) continue;
        list[count++] = key;
        if (key >= 0 && key < 768) marked[key] = true;
      }
      if (!ascends) std::reverse(list.data(), list.data() + count);
      for (int i = 0; i < 24 * Strings; ++i) bits[i] = 77;
      launch("strings", strings_kernel<Strings, Words, Vector>, 1, 1, 4 * 48,
             static_cast<const int*>(list.data()), count, bits.data());
      suite.Context("%d strings of %d words, one in %d, %s", Strings, Words,
                    density, ascends ? "ascending" : "descending");
      for (int w = 0; w < 24; ++w)
        for (int s = 0; s < Strings; ++s) {
          int word = bits[(w / Words * Strings + s) * Words + w % Words];
          unsigned want = s < Strings - 1 ? 77 : 0;
          for (int c = 0; c < 32 && s == Strings - 1; ++c)
            want |= static_cast<unsigned>(marked[32 * w + c]) << c;
          suite.Equal(word, static_cast<int>(want), w, s);
        }
    }
}

__global__ void load_row_kernel(const float* row, int count, int sink,
                                int local, int end, float* scores, int* cells,
                                int* out) {
  using team = gsa::dev::team<0, 2>;
  auto range = smem_alloc<smem<int, 1, 4, linear>>(0);
  if (threadIdx.x < 4) range.at(0, threadIdx.x) = 0;
  __syncthreads();
  auto x = lanes_alloc<lanes<float, 4>>();
  auto c = lanes_alloc<lanes<int, 4>>();
  load_row<team>(x, c, range, row, count, sink, local, end);
  __syncthreads();
  for (int i = 0; i < 4; ++i) {
    scores[64 * i + threadIdx.x] = x.v[i];
    cells[64 * i + threadIdx.x] = c.v[i];
  }
  if (threadIdx.x < 4) out[threadIdx.x] = range.at(0, threadIdx.x);
}

inline void test_load_row() {
  Suite suite("load_row");
  Random random(12);
  Array<float> row(256), scores(256);
  Array<int> cells(256), out(4);
  const double odd[] = {kNan, kInf, -kInf};
  for (int count : {0, 1, 63, 64, 200, 256})
    for (int defects : {0, 3})
      for (int sink : {0, 5}) {
        int local = count - 9, end = count - 2;
        if (sink > end) continue;
        random.Fill(row);
        for (int i = 0; i < defects && count > 0; ++i)
          row[random.Integer(0, count - 1)] = static_cast<float>(odd[i]);
        launch("load_row", load_row_kernel, 1, 2, 16,
               static_cast<const float*>(row.data()), count, sink, local, end,
               scores.data(), cells.data(), out.data());
        suite.Context("count %d defects %d sink %d", count, defects, sink);
        int number = 0, beyond = 0;
        for (int i = 0; i < 256; ++i) {
          bool there = i < count, finite = there && std::isfinite(row[i]);
          bool forced = i < sink || (i >= local && i < end);
          suite.Equal(cells[i], finite && !forced ? i : -1, i);
          if (finite) suite.Equal(scores[i], row[i], i);
          number += finite && !forced;
          beyond += there && !finite;
        }
        suite.Equal(out[2], number);
        suite.Equal(out[3], beyond);
      }
}

inline void run_short_rows_tests() {
  test_load_row();
  {
    Suite suite("count_beyond");
    test_count_beyond<1>(suite);
    test_count_beyond<4>(suite);
  }
  {
    Suite suite("list_all");
    test_list_all<1>(suite);
    test_list_all<4>(suite);
  }
  test_any();
  Suite suite("mark_keys store_strings");
  test_strings<5, 3, 1>(suite);
  test_strings<5, 3, 2>(suite);
  test_strings<16, 4, 4>(suite);
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_SHORT_ROWS_TESTS_CUH
