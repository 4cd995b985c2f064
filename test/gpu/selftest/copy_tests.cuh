//===- copy_tests.cuh - layouts and movement of tiles -*- CUDA -*-===//

#ifndef GSA_TEST_GPU_SELFTEST_COPY_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_COPY_TESTS_CUH

#include "test/gpu/selftest/harness.cuh"

namespace selftest {

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

template <class Tile>
__global__ void offsets_kernel(int* offsets) {
  for (int i = threadIdx.x; i < Tile::rows * Tile::columns; i += blockDim.x)
    offsets[i] = Tile::offset(i / Tile::columns, i % Tile::columns);
}

/// Each element has its own place; 8 rows of a column of chunks lie in 8
/// different bank groups when the layout promises so.
template <class T, int R, int C, smem_layout L>
void test_layout(Suite& suite) {
  using tile = smem<T, R, C, L>;
  Array<int> offsets(R * C);
  launch("layout", offsets_kernel<tile>, 1, 4, 0, offsets.data());
  suite.Context("%s %d x %d layout %d", format<T>::name, R, C,
                static_cast<int>(L));
  std::vector<int> seen(tile::bytes / sizeof(T), 0);
  for (int i = 0; i < R * C; ++i) {
    bool inside = offsets[i] >= 0 && offsets[i] < tile::bytes &&
                  offsets[i] % static_cast<int>(sizeof(T)) == 0;
    suite.Equal(inside, true, i / C, i % C);
    if (inside) suite.Equal(seen[offsets[i] / sizeof(T)]++, 0, i / C, i % C);
  }
  if (L == smem_layout::linear) return;
  constexpr int chunk = 16 / static_cast<int>(sizeof(T));
  for (int row = 0; row + 8 <= R; row += 8)
    for (int column = 0; column < C; column += chunk) {
      int groups = 0;
      for (int r = row; r < row + 8; ++r)
        groups |= 1 << (offsets[r * C + column] / 16 % 8);
      suite.Equal(groups, 255, row, column);
    }
}

inline void test_layouts() {
  Suite suite("smem layouts");
  test_layout<bf16, 16, 8, swizzle>(suite);
  test_layout<bf16, 16, 16, swizzle>(suite);
  test_layout<bf16, 32, 24, swizzle>(suite);
  test_layout<f16, 32, 32, swizzle>(suite);
  test_layout<f16, 32, 48, swizzle>(suite);
  test_layout<bf16, 64, 80, swizzle>(suite);
  test_layout<bf16, 64, 96, swizzle>(suite);
  test_layout<bf16, 64, 128, swizzle>(suite);
  test_layout<float, 16, 192, swizzle>(suite);
  test_layout<bf16, 64, 64, swizzle_128b>(suite);
  test_layout<bf16, 64, 256, swizzle_128b>(suite);
  test_layout<float, 24, 96, swizzle_128b>(suite);
  test_layout<int, 3, 7, linear>(suite);
}

//===----------------------------------------------------------------------===//
// Global to shared memory
//===----------------------------------------------------------------------===//

template <class Team, int Vector, class T, int R, int C, smem_layout L>
__global__ void copy_rows_kernel(const T* source, long long pitch, int rows,
                                 int columns, const T* poison, T* out) {
  auto tile = smem_alloc<smem<T, R, C, L>>(0);
  put_tile(tile, poison);
  if (in_team<Team>())
    copy_rows<Team, Vector>(tile, strided_rows(source, pitch, rows), 0,
                            columns);
  copy_wait<team<0, 5>, 0>();
  get_tile(tile, out);
}

template <class Team, int Vector, class T, int R, int C, smem_layout L>
void test_copy_rows(Suite& suite) {
  Random random(R * C + Vector);
  constexpr int unit = Vector / static_cast<int>(sizeof(T));
  const int row_counts[] = {0, 1, R / 2, R, R + 3};
  const int column_counts[] = {0, 1, C / 2 + 1, C};
  for (int rows : row_counts)
    for (int columns : column_counts) {
      int pitch = (columns + unit) / unit * unit;
      Array<T> source(static_cast<long long>(rows) * pitch), poison(R * C),
          out(R * C);
      random.Fill(source);
      launch("copy_rows", copy_rows_kernel<Team, Vector, T, R, C, L>, 1, 5,
             R * C * static_cast<int>(sizeof(T)), source.data(),
             static_cast<long long>(pitch), rows, columns, poison.data(),
             out.data());
      suite.Context(
          "%s %d x %d layout %d vector %d warps %d rows %d columns %d",
          format<T>::name, R, C, static_cast<int>(L), Vector, Team::count, rows,
          columns);
      for (int r = 0; r < R; ++r)
        for (int c = 0; c < C; ++c)
          suite.Equal(
              to_host(out[r * C + c]),
              r < rows && c < columns ? to_host(source[r * pitch + c]) : 0, r,
              c);
    }
}

inline void test_copy_rows() {
  Suite suite("copy_rows");
  test_copy_rows<team<0, 1>, 16, bf16, 64, 128, swizzle>(suite);
  test_copy_rows<team<1, 4>, 16, bf16, 64, 128, swizzle_128b>(suite);
  test_copy_rows<team<0, 5>, 16, f16, 16, 24, swizzle>(suite);
  test_copy_rows<team<2, 2>, 8, bf16, 17, 64, swizzle>(suite);
  test_copy_rows<team<0, 4>, 4, f16, 16, 48, swizzle>(suite);
  test_copy_rows<team<0, 4>, 2, bf16, 16, 40, swizzle>(suite);
  test_copy_rows<team<0, 3>, 2, f16, 5, 7, linear>(suite);
  test_copy_rows<team<0, 4>, 16, float, 32, 256, swizzle>(suite);
  test_copy_rows<team<0, 4>, 4, float, 9, 33, linear>(suite);
  test_copy_rows<team<0, 5>, 4, int, 1, 2048, linear>(suite);
  test_copy_rows<team<0, 2>, 16, signed char, 8, 48, linear>(suite);
  test_copy_rows<team<0, 2>, 2, signed char, 8, 6, linear>(suite);
}

template <class Team, int Vector, class T, int R, int C, smem_layout L>
__global__ void listed_kernel(const T* source, long long pitch, const int* list,
                              int begin, int end, int limit, int columns,
                              const T* poison, T* out) {
  auto indices_tile = smem_alloc<smem<int, 1, 128, linear>>(0);
  auto tile = smem_alloc<smem<T, R, C, L>>(1024);
  put_tile(indices_tile, list);
  put_tile(tile, poison);
  if (in_team<Team>())
    copy_rows<Team, Vector>(
        tile, listed_rows(source, pitch, indices_tile, end, limit), begin,
        columns);
  copy_wait<team<0, 5>, 0>();
  get_tile(tile, out);
}

template <class Team, int Vector, class T, int R, int C, smem_layout L>
void test_listed_rows(Suite& suite) {
  Random random(R + C);
  const int limit = 50;
  Array<int> list(128);
  for (int i = 0; i < 128; ++i) list[i] = random.Integer(0, limit - 1);
  // What must not be read.
  const int bad[] = {-1, limit, INT32_MAX, INT32_MIN, 2147480000, -123456};
  for (int i = 0; i < 6; ++i) list[5 + 7 * i] = bad[i];
  for (int columns : {C, C / 2 + 1})
    for (int begin : {0, 3})
      for (int count : {0, 1, R - 1, R, R + 5}) {
        int end = std::min(begin + count, 128);
        int pitch = C + 16;
        Array<T> source(limit * pitch), poison(R * C), out(R * C);
        random.Fill(source);
        launch("copy_rows", listed_kernel<Team, Vector, T, R, C, L>, 1, 5,
               1024 + R * C * static_cast<int>(sizeof(T)), source.data(),
               static_cast<long long>(pitch), list.data(), begin, end, limit,
               columns, poison.data(), out.data());
        suite.Context("%s %d x %d layout %d vector %d begin %d end %d",
                      format<T>::name, R, C, static_cast<int>(L), Vector, begin,
                      end);
        for (int r = 0; r < R; ++r) {
          int index = begin + r < end ? list[begin + r] : -1;
          bool valid = index >= 0 && index < limit;
          for (int c = 0; c < C; ++c)
            suite.Equal(
                to_host(out[r * C + c]),
                valid && c < columns ? to_host(source[index * pitch + c]) : 0,
                r, c);
        }
      }
}

inline void test_listed_rows() {
  Suite suite("copy_rows of listed_rows");
  test_listed_rows<team<0, 1>, 16, bf16, 64, 128, swizzle>(suite);
  test_listed_rows<team<0, 4>, 16, bf16, 64, 64, swizzle_128b>(suite);
  test_listed_rows<team<1, 3>, 8, f16, 48, 40, swizzle>(suite);
  test_listed_rows<team<0, 4>, 4, float, 32, 96, swizzle>(suite);
  test_listed_rows<team<0, 4>, 2, bf16, 32, 72, swizzle>(suite);
  test_listed_rows<team<4, 1>, 16, bf16, 16, 256, linear>(suite);
}

/// Rows of pages of 4, some of which are not in the pool: NaN to who reads
/// them, not there to who writes them.
template <int Vector, class T, int C>
__global__ void pages_kernel(const T* source, T* target, long long pitch,
                             const int* table, int pages, int limit,
                             int columns, const float* values, T* out) {
  auto tile = smem_alloc<smem<T, 32, C, linear>>(0);
  copy_rows<team<0, 1>, Vector>(
      tile, paged_rows<4, 4, 1>(source, pitch, table, pages, limit), 0,
      columns);
  copy_wait<team<0, 1>, 0>();
  get_tile(tile, out);
  auto stored = frag_alloc<frag<float, 16, C, frag_layout::acc>>();
  put_dense(stored, values);
  store_rows(paged_rows<4, 4, 1>(target, pitch, table, pages, limit), 0, stored,
             columns);
}

template <int Vector, class T, int C>
void test_pages(Suite& suite, int limit, int columns) {
  Random random(C + limit);
  const int pages = 9;
  const long long pitch = C + 8;
  const int entries[] = {3, -1, 8, pages, 0, INT32_MAX, INT32_MIN, 5};
  Array<int> table(8);
  std::copy(entries, entries + 8, table.data());
  Array<T> source(4 * pages * pitch), target(source.size()), out(32 * C);
  Array<float> values(16 * C);
  random.Fill(source);
  random.Fill(values);
  for (long long i = 0; i < target.size(); ++i) target[i] = from_host<T>(7);
  launch("paged_rows", pages_kernel<Vector, T, C>, 1, 1,
         32 * C * static_cast<int>(sizeof(T)),
         static_cast<const T*>(source.data()), target.data(), pitch,
         static_cast<const int*>(table.data()), pages, limit, columns,
         static_cast<const float*>(values.data()), out.data());
  suite.Context("%s, %d columns, limit %d", format<T>::name, columns, limit);
  std::vector<double> want(target.size(), 7);
  for (int r = 0; r < 32; ++r) {
    int page = entries[r / 4];
    bool exists = r < limit, there = page >= 0 && page < pages;
    long long row = there ? (4LL * page + r % 4) * pitch : 0;
    for (int c = 0; c < C; ++c) {
      bool copied = exists && c < columns;
      suite.Equal(to_host(out[r * C + c]),
                  !copied ? 0
                  : there ? to_host(source[row + c])
                          : kNan,
                  r, c);
      if (copied && there && r < 16)
        want[row + c] = rounded<T>(values[r * C + c]);
    }
  }
  check_array(suite, target, want, static_cast<int>(pitch));
}

inline void test_pages() {
  Suite suite("paged_rows of pages that are not in the pool");
  for (int limit : {0, 5, 27, 32})
    for (int columns : {32, 19}) {
      test_pages<16, bf16, 32>(suite, limit, columns);
      test_pages<4, float, 32>(suite, limit, columns);
    }
}

//===----------------------------------------------------------------------===//
// Registers to memory and back
//===----------------------------------------------------------------------===//

template <class T, int C>
__global__ void store_rows_kernel(const float* from, T* to, long long pitch,
                                  int rows, int columns) {
  auto values = frag_alloc<frag<float, 16, C, frag_layout::acc>>();
  put_dense(values, from);
  store_rows(strided_rows(to, pitch, rows), 0, values, columns);
}

template <class T, int C>
void test_store_rows(Suite& suite) {
  Random random(C);
  Array<float> from(16 * C);
  random.Fill(from, -1000, 1000);
  for (int rows : {0, 1, 9, 16, 20})
    for (int columns : {0, 1, C - 1, C})
      for (int pad : {0, 1})
        for (int shift : {0, 1}) {
          int pitch = C + pad;
          Array<T> to(20 * pitch + 1);
          launch("store_rows", store_rows_kernel<T, C>, 1, 1, 0, from.data(),
                 to.data() + shift, static_cast<long long>(pitch), rows,
                 columns);
          suite.Context("%s 16 x %d rows %d columns %d pitch %d shift %d",
                        format<T>::name, C, rows, columns, pitch, shift);
          for (int i = 0; i < to.size(); ++i) {
            int r = i < shift ? -1 : (i - shift) / pitch;
            int c = i < shift ? 0 : (i - shift) % pitch;
            bool written = r >= 0 && r < std::min(rows, 16) && c < columns;
            suite.Equal(to_host(to[i]),
                        written ? rounded<T>(from[r * C + c]) : kNan, r, c);
          }
        }
}

inline void test_store_rows() {
  Suite suite("store_rows");
  test_store_rows<bf16, 128>(suite);
  test_store_rows<f16, 8>(suite);
  test_store_rows<float, 24>(suite);
}

/// Rows `row` to `row` + 15 of a tile.
template <int VectorBytes, class T, int C, smem_layout L>
__global__ void store_tile_kernel(const float* from, int row, T* to,
                                  long long pitch, int held, int rows,
                                  int columns) {
  auto tile = smem_alloc<smem<float, 24, C, L>>(0);
  put_tile(tile, from);
  store_tile<VectorBytes>(strided_rows(to, pitch, held), 0, tile, row, rows,
                          columns);
}

/// Rows of a view, and those that are stored at most.
struct StoredRows {
  int held, rows;
};

template <int VectorBytes, class T, int C, smem_layout L>
void test_store_tile(Suite& suite) {
  constexpr int width = VectorBytes / static_cast<int>(sizeof(T));
  Random random(C);
  Array<float> from(24 * C);
  random.Fill(from, -1000, 1000);
  for (StoredRows each :
       {StoredRows{0, 16}, StoredRows{1, 16}, StoredRows{9, 16},
        StoredRows{16, 16}, StoredRows{20, 20}, StoredRows{20, 4},
        StoredRows{20, -1}, StoredRows{20, 0}, StoredRows{3, 9},
        StoredRows{16, 11}})
    for (int columns : {0, width, C - width, C})
      for (int row : {0, 8}) {
        int pitch = C + width;
        Array<T> to(20 * pitch);
        launch("store_tile", store_tile_kernel<VectorBytes, T, C, L>, 1, 1,
               24 * C * 4, from.data(), row, to.data(),
               static_cast<long long>(pitch), each.held, each.rows, columns);
        suite.Context(
            "%s vectors of %d, %d columns rows %d of %d columns %d row %d",
            format<T>::name, VectorBytes, C, each.rows, each.held, columns,
            row);
        for (int i = 0; i < to.size(); ++i) {
          int r = i / pitch, c = i % pitch;
          bool written =
              r < std::min(std::min(each.held, each.rows), 16) && c < columns;
          suite.Equal(to_host(to[i]),
                      written ? rounded<T>(from[(row + r) * C + c]) : kNan, r,
                      c);
        }
      }
}

inline void test_store_tiles() {
  Suite suite("store_tile");
  test_store_tile<16, bf16, 128, swizzle>(suite);
  test_store_tile<16, f16, 64, linear>(suite);
  test_store_tile<8, bf16, 40, linear>(suite);
  test_store_tile<4, bf16, 24, swizzle>(suite);
  test_store_tile<2, bf16, 16, linear>(suite);
  test_store_tile<16, float, 32, swizzle>(suite);
}

template <class T>
__global__ void rowvec_kernel(const T* from, long long pitch, int rows, T* to) {
  auto values = rowvec_alloc<rowvec<float, 16>>();
  load_rowvec(values, strided_rows(from, pitch, rows), 0);
  store_rowvec(strided_rows(to, pitch, rows - 1), 0, values);
  auto tile = smem_alloc<smem<float, 2, 20, linear>>(0);
  put_rowvec(tile, 1, values);
  auto again = rowvec_alloc<rowvec<float, 16>>();
  take_rowvec(again, tile, 1);
  store_rowvec(strided_rows(to, pitch, 32), 16, again);
}

template <class T>
void test_rowvec(Suite& suite) {
  Random random(7);
  for (int rows : {1, 8, 13, 16})
    for (int pitch : {1, 3}) {
      Array<T> from(16 * pitch), to(32 * pitch);
      random.Fill(from);
      launch("rowvec", rowvec_kernel<T>, 1, 1, 160, from.data(),
             static_cast<long long>(pitch), rows, to.data());
      suite.Context("%s rows %d pitch %d", format<T>::name, rows, pitch);
      for (int i = 0; i < 32 * pitch; ++i) {
        int r = i / pitch;
        double want = i % pitch       ? kNan
                      : r < 16        ? (r < rows - 1 ? to_host(from[i]) : kNan)
                      : r - 16 < rows ? to_host(from[i - 16 * pitch])
                                      : 0;
        suite.Equal(to_host(to[i]), want, r, i % pitch);
      }
    }
}

inline void test_rowvecs() {
  Suite suite("load_rowvec store_rowvec put_rowvec take_rowvec");
  test_rowvec<float>(suite);
  test_rowvec<bf16>(suite);
  test_rowvec<f16>(suite);
}

template <int Rows, class T, int C, int TileC, smem_layout L>
__global__ void put_frag_kernel(const float* from, int row, T* tile_out,
                                float* frag_out) {
  auto tile = smem_alloc<smem<T, 24, TileC, L>>(0);
  for (int i = threadIdx.x; i < 24 * TileC; i += 32)
    tile.at(i / TileC, i % TileC) = convert_to<T>(77.0f);
  auto values = frag_alloc<frag<float, 16, C, frag_layout::acc>>();
  put_dense(values, from);
  put_frag<Rows>(tile, row, values);
  auto again = frag_alloc<frag<float, 16, C, frag_layout::acc>>();
  take_frag<Rows>(again, tile, row);
  get_dense(again, frag_out);
  get_tile(tile, tile_out);
}

template <int Rows, class T, int C, int TileC, smem_layout L>
void test_put_frag(Suite& suite) {
  Random random(C);
  Array<float> from(16 * C), again(16 * C);
  Array<T> tile(24 * TileC);
  random.Fill(from);
  for (int row : {0, 5, 8}) {
    launch("put_frag", put_frag_kernel<Rows, T, C, TileC, L>, 1, 1,
           24 * TileC * static_cast<int>(sizeof(T)), from.data(), row,
           tile.data(), again.data());
    suite.Context("%s %d of 16 x %d to %d layout %d row %d", format<T>::name,
                  Rows, C, TileC, static_cast<int>(L), row);
    for (int r = 0; r < 24; ++r)
      for (int c = 0; c < TileC; ++c) {
        bool inside = r >= row && r < row + Rows && c < C;
        double want = inside ? rounded<T>(from[(r - row) * C + c]) : 77;
        suite.Equal(to_host(tile[r * TileC + c]), want, r, c);
        if (inside) suite.Equal(again[(r - row) * C + c], want, r, c);
      }
    for (int i = Rows * C; i < 16 * C; ++i)
      suite.Equal(again[i], 0, i / C, i % C);
  }
}

inline void test_put_frags() {
  Suite suite("put_frag take_frag");
  test_put_frag<16, float, 64, 64, swizzle>(suite);
  test_put_frag<16, float, 8, 11, linear>(suite);
  test_put_frag<16, bf16, 128, 128, swizzle_128b>(suite);
  test_put_frag<16, f16, 24, 32, swizzle>(suite);
  test_put_frag<8, float, 128, 128, swizzle>(suite);
  test_put_frag<8, f16, 8, 11, linear>(suite);
}

inline void run_copy_tests() {
  test_layouts();
  test_copy_rows();
  test_listed_rows();
  test_pages();
  test_store_rows();
  test_store_tiles();
  test_rowvecs();
  test_put_frags();
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_COPY_TESTS_CUH
