//===- candidate_tests.cuh - lists of candidates -*- CUDA -*-===//

#ifndef GSA_TEST_GPU_SELFTEST_CANDIDATE_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_CANDIDATE_TESTS_CUH

#include <algorithm>
#include <utility>

#include "test/gpu/selftest/harness.cuh"

namespace selftest {

inline constexpr int kNoCell = 0x7fffffff;

/// A list's pairs of score and cell, by cell.
inline std::vector<std::pair<int, float>> pairs_of(const int* list, int count) {
  std::vector<std::pair<int, float>> pairs;
  for (int i = 0; i < count; ++i) {
    float score;
    std::memcpy(&score, list + 2 * i, sizeof(score));
    pairs.push_back({list[2 * i + 1], score});
  }
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

inline void check_pairs(Suite& suite, const int* list, int count,
                        const std::vector<std::pair<int, float>>& want,
                        int row) {
  auto got = pairs_of(list, count);
  suite.Equal(static_cast<double>(got.size()), static_cast<double>(want.size()),
              row);
  for (size_t i = 0; i < std::min(got.size(), want.size()); ++i) {
    suite.Equal(got[i].first, want[i].first, row, static_cast<int>(i));
    suite.Equal(got[i].second, want[i].second, row, static_cast<int>(i));
  }
}

//===----------------------------------------------------------------------===//
// Writing lists
//===----------------------------------------------------------------------===//

template <int R, int C>
__global__ void append_kernel(const float* scores, int steps,
                              const float* bounds, int rows, int capacity,
                              int* list, int* counts, float* moments,
                              int* flags) {
  constexpr int columns = 2 * (C / 4 + 4);
  auto staged = smem_alloc<smem<int, 4 * R, columns, linear>>(0);
  auto bytes = lanes_alloc<lanes<int, R / 8>>();
  rowvec<float, R> limits, sums{}, squares{}, plain{};
  for (int h = 0; h < R / 8; ++h) limits.x[h] = bounds[frag_row(2 * h)];
  for (int step = 0; step < steps; ++step) {
    frag<float, R, C, frag_layout::acc> tile;
    for_elements(tile, [=](float& x, int r, int c) {
      x = scores[(r * steps + step) * C + c];
    });
    append_candidates(list, counts, staged, bytes, tile, limits, 0, 0, rows,
                      capacity, C * step);
    add_partial_moments<true>(sums, squares, tile);
    add_partial_sums(plain, tile);
  }
  flush_candidates(list, counts, staged, bytes, 0, 0, rows, capacity);
  join_partial_sums(sums);
  join_partial_sums(squares);
  join_partial_sums(plain);
  flag_rows(flags, plain, 0, rows);
  if (lane() % 4 != 0) return;
  for (int h = 0; h < R / 8; ++h) {
    moments[frag_row(2 * h)] = sums.x[h];
    moments[R + frag_row(2 * h)] = squares.x[h];
  }
}

template <int R, int C>
void check_append(Suite& suite, int steps, int rows, int capacity, float hits) {
  const int width = steps * C;
  Random random(steps + rows);
  Array<float> scores(R * width), bounds(R), moments(2 * R);
  Array<int> list(2LL * R * capacity), counts(R), flags(R);
  // Eighths: sums and squares of them are exact.
  for (int i = 0; i < R * width; ++i)
    scores[i] = static_cast<float>(random.Integer(-16, 16)) / 8;
  for (int r = 0; r < R; ++r) bounds[r] = 2.0f - 4.0f * hits;
  if (R > 5) scores[5 * width + 3] = static_cast<float>(-kInf);
  for (int r = 0; r < R; ++r) counts[r] = flags[r] = 0;
  const std::vector<int> untouched(list.data(), list.data() + list.size());
  launch("append_candidates", append_kernel<R, C>, 1, 1,
         16 * R * 2 * (C / 4 + 4), static_cast<const float*>(scores.data()),
         steps, static_cast<const float*>(bounds.data()), rows, capacity,
         list.data(), counts.data(), moments.data(), flags.data());
  suite.Context("rows %d of %d, %d columns, capacity %d, bound %g", rows, R,
                width, capacity, static_cast<double>(bounds[0]));
  for (int r = 0; r < R; ++r) {
    std::vector<std::pair<int, float>> want;
    double sum = 0, squares = 0;
    for (int c = 0; c < width; ++c) {
      float x = scores[r * width + c];
      if (r < rows && x >= bounds[r]) want.push_back({c, x});
      if (std::isinf(x)) continue;
      sum += x;
      squares += x * x;
    }
    suite.Equal(counts[r], static_cast<double>(want.size()), r);
    suite.Equal(moments[r], sum, r, 1);
    suite.Equal(moments[R + r], squares, r, 2);
    suite.Equal(flags[r], r == 5 && r < rows ? 1 << 30 : 0, r, 3);
    const int* own = list.data() + 2LL * r * capacity;
    if (static_cast<int>(want.size()) <= capacity)
      check_pairs(suite, own, counts[r], want, r);
    // Behind what a list holds nothing is written: of a full one nothing of
    // the next list's.
    for (int i = 2 * counts[r]; i < 2 * capacity; ++i)
      suite.Equal(own[i], untouched[2LL * r * capacity + i], r, i);
  }
}

inline void test_append() {
  Suite suite(
      "append_candidates flush_candidates flush_sectors reserve_places "
      "add_partial_moments add_partial_sums join_partial_sums flag_rows");
  for (float hits : {0.0f, 0.25f, 1.0f}) {
    check_append<16, 32>(suite, 1, 16, 32, hits);
    check_append<16, 32>(suite, 7, 13, 256, hits);
    check_append<16, 64>(suite, 3, 16, 64, hits);
    check_append<8, 32>(suite, 5, 8, 160, hits);
    check_append<8, 64>(suite, 4, 6, 96, hits);
  }
}

/// A step of the products of two heads: scores of 8 rows, some hidden.
template <activation Activation, bool SomeHidden, int RowsPerQuery>
__global__ void products_kernel(const float* before, const float* products,
                                const float* offsets, const float* weights,
                                const float* bounds, float scale, int rows,
                                int column, int last, int capacity, int* list,
                                int* counts, float* after, float* sums_out) {
  constexpr int C = 32;
  auto staged = smem_alloc<smem<int, 32, 2 * (C / 4 + 4), linear>>(0);
  auto bytes = lanes_alloc<lanes<int, 1>>();
  frag<float, 8, C, frag_layout::acc> sum;
  frag<float, 16, C, frag_layout::acc> product;
  rowvec<float, 16> offset, weight;
  rowvec<float, 8> sums{}, limits;
  for_elements(sum, [=](float& x, int r, int c) { x = before[r * C + c]; });
  put_dense(product, products);
  put_dense(offset, offsets);
  put_dense(weight, weights);
  limits.x[0] = bounds[lane() / 4];
  stage_products<Activation, SomeHidden, RowsPerQuery>(
      staged, bytes, sum, product, scale, offset, weight, sums, limits, 0, 0,
      rows, column, last);
  drain_candidates<C / 4>(list, counts, staged, bytes, 0, 0, capacity);
  flush_candidates(list, counts, staged, bytes, 0, 0, rows, capacity);
  for_elements(sum, [=](float& x, int r, int c) { after[r * C + c] = x; });
  join_partial_sums(sums);
  if (lane() % 4 == 0) sums_out[lane() / 4] = sums.x[0];
}

template <bool SomeHidden, int RowsPerQuery>
void check_products(Suite& suite, int rows, int last) {
  constexpr int C = 32, column = 64;
  Random random(rows + last);
  Array<float> before(8 * C), products(16 * C), offsets(16), weights(16),
      bounds(8), after(8 * C), sums(8);
  Array<int> list(16LL * C), counts(8);
  for (int i = 0; i < 8 * C; ++i) before[i] = random.Integer(-4, 4);
  for (int i = 0; i < 16 * C; ++i) products[i] = random.Integer(-8, 8);
  for (int i = 0; i < 16; ++i) {
    offsets[i] = random.Integer(-2, 2);
    weights[i] = random.Integer(-3, 3);
  }
  for (int i = 0; i < 8; ++i) bounds[i] = 1, counts[i] = 0;
  launch("stage_products",
         products_kernel<activation::relu, SomeHidden, RowsPerQuery>, 1, 1,
         32 * 4 * 2 * (C / 4 + 4), static_cast<const float*>(before.data()),
         static_cast<const float*>(products.data()),
         static_cast<const float*>(offsets.data()),
         static_cast<const float*>(weights.data()),
         static_cast<const float*>(bounds.data()), 0.5f, rows, column, last, C,
         list.data(), counts.data(), after.data(), sums.data());
  suite.Context("hidden %d rows %d last %d", SomeHidden, rows, last);
  for (int r = 0; r < 8; ++r) {
    std::vector<std::pair<int, float>> want;
    double sum = 0;
    for (int c = 0; c < C; ++c) {
      double x = before[r * C + c];
      for (int h = 0; h < 2; ++h)
        x += weights[r + 8 * h] *
             std::max(0.0,
                      products[(r + 8 * h) * C + c] * 0.5 + offsets[r + 8 * h]);
      suite.Equal(after[r * C + c], x, r, c);
      sum += x;
      bool hidden = SomeHidden && column + c > last + r / RowsPerQuery;
      if (r < rows && !hidden && x >= bounds[r])
        want.push_back({column + c, static_cast<float>(x)});
    }
    suite.Equal(sums[r], sum, r);
    suite.Equal(counts[r], static_cast<double>(want.size()), r);
    check_pairs(suite, list.data() + 2LL * r * C, counts[r], want, r);
  }
}

inline void test_products() {
  Suite suite("stage_products drain_candidates");
  check_products<false, 1>(suite, 8, 0);
  check_products<true, 1>(suite, 7, 70);
  check_products<true, 4>(suite, 8, 93);
  check_products<true, 2>(suite, 8, 50);
}

//===----------------------------------------------------------------------===//
// Reading lists
//===----------------------------------------------------------------------===//

/// The forced cells of a row and the best of its candidates, `budget` cells, in
/// the order of the row: the way that generated kernels go.
__global__ void best_kernel(const int* list, int room, bool at_once, int count,
                            int sink, int local, int end, int quota,
                            float bound, const int* entries, float* placed,
                            int* out) {
  using both = team<0, 2>;
  constexpr int bins = 256, words = 32;
  auto histogram = smem_alloc<smem<int, 1, bins, linear>>(0);
  auto range = smem_alloc<smem<int, 1, 4, linear>>(1024);
  auto found = smem_alloc<smem<int, 1, 4, linear>>(1040);
  auto keys = smem_alloc<smem<int, 1, 256, linear>>(1056);
  auto kept = smem_alloc<smem<int, 1, 256, linear>>(2080);
  auto bitmap = smem_alloc<smem<int, 1, words, linear>>(3104);
  auto before = smem_alloc<smem<int, 1, words, linear>>(3232);
  auto target = smem_alloc<smem<int, 1, 1024, linear>>(3360);
  auto values = smem_alloc<smem<float, 1, 1024, linear>>(7456);
  clear_shared<both>(histogram);
  clear_shared<both>(range);
  clear_shared<both>(found);
  clear_shared<both>(bitmap);
  clear_shared<both>(target);
  __syncthreads();
  lanes<float, 4> scores;
  lanes<int, 4> cells;
  if (at_once) {
    // Of all that the list has room for, pairs behind its end among them.
    fetch_candidates<both>(scores, cells, list, room);
    range_candidates<both>(scores, cells, range, count, sink, local, end);
  } else {
    load_candidates<both>(scores, cells, range, list, count, sink, local, end);
  }
  __syncthreads();
  float low = key_value(~range.at(0, 0)), high = key_value(range.at(0, 1));
  if (threadIdx.x == 0) out[1] = range.at(0, 2);
  histogram_candidates(histogram, scores, cells, low, high);
  __syncthreads();
  if (quota > 0) {
    if (in_team<team<0, 1>>()) find_rank<bins>(found, histogram, quota);
    __syncthreads();
    mark_above<bins>(bitmap, keys, kept, found, scores, cells, low, high,
                     found.at(0, 0));
    __syncthreads();
    mark_best<both>(bitmap, keys, kept, found.at(0, 3), quota - found.at(0, 1));
  }
  mark_forced<both>(bitmap, sink, local, end);
  __syncthreads();
  if (in_team<team<0, 1>>()) {
    auto bits = lanes_alloc<lanes<int, 2>>();
    auto cursor = bits;
    count_bits<128>(bits, bitmap, 0, words);
    scan_bits<128>(before, cursor, bitmap, 0, words);
    int total = sum_lanes(bits.v[0]);
    if (lane() == 0) out[0] = total, out[2] = cursor.v[0];
  }
  __syncthreads();
  place_marked<both>(target, bitmap, before, cells, sink, local, end);
  __syncthreads();
  for (int i = threadIdx.x; i < 600; i += blockDim.x) {
    out[4 + i] = target.at(0, i);
    values.at(0, i) = 77.0f;
  }
  __syncthreads();
  place_scores(values, bitmap, before, scores, cells);
  look_up_cells<both>(target, entries, end);
  __syncthreads();
  store_cells<both>(placed, values, end);
  store_cells<both>(out + 860, target, end);
  drop_below(cells, scores, bound);
  for (int i = 0; i < 4; ++i) {
    int at = 64 * i + static_cast<int>(threadIdx.x);
    out[604 + at] = cells.v[i];
  }
}

inline void check_best(Suite& suite, int count, int sink, int local, int end,
                       int levels, int seed) {
  Random random(seed);
  std::vector<int> cells;
  for (int i = 0; i < end; ++i) cells.push_back(i);
  for (int i = end; i > 1; --i)
    std::swap(cells[i - 1], cells[random.Integer(0, i - 1)]);
  cells.resize(std::min(count, end));
  count = static_cast<int>(cells.size());
  std::vector<float> scores;
  for (int i = 0; i < count; ++i) {
    float x = levels > 0 ? static_cast<float>(random.Integer(0, levels) - 1)
                         : static_cast<float>(random.Uniform(-3, 3));
    scores.push_back(x == 0 && i % 2 == 0 ? -0.0f : x);
  }
  auto forced = [&](int cell) {
    return cell < end && (cell < sink || (local != kNoCell && cell >= local));
  };
  std::vector<std::pair<float, int>> others;
  for (int i = 0; i < count; ++i)
    if (!forced(cells[i])) others.push_back({-scores[i], cells[i]});
  std::sort(others.begin(), others.end());  // of equal ones the first cell
  // Behind the end is what looks like the best candidate of all.
  const int room = std::min(count + 3, 256);
  Array<int> list(2LL * room), out(860 + 1024), entries(1024);
  Array<float> placed(1024);
  for (int i = 0; i < entries.size(); ++i) entries[i] = 5000 - 3 * i;
  for (int i = 0; i < room; ++i) list[2 * i] = 0x7f000000, list[2 * i + 1] = 5;
  for (int i = 0; i < count; ++i) {
    std::memcpy(&list[2 * i], &scores[i], 4);
    list[2 * i + 1] = cells[i];
  }
  const int free = static_cast<int>(others.size());
  for (int quota : {0, 1, free / 2, free}) {
    if (quota > free) continue;
    launch("candidates", best_kernel, 1, 2, 7456 + 4096,
           static_cast<const int*>(list.data()), room, quota % 2 == 0, count,
           sink, local, end, quota, 0.5f,
           static_cast<const int*>(entries.data()), placed.data(), out.data());
    suite.Context("%d candidates, sink %d local %d end %d levels %d quota %d",
                  count, sink, local, end, levels, quota);
    std::vector<int> want;
    for (int i = 0; i < quota; ++i) want.push_back(others[i].second);
    for (int cell = 0; cell < end; ++cell)
      if (forced(cell)) want.push_back(cell);
    std::sort(want.begin(), want.end());
    suite.Equal(out[0], static_cast<double>(want.size()), 0);
    suite.Equal(out[2], static_cast<double>(want.size()), 2);
    suite.Equal(out[1], free, 1);
    for (size_t i = 0; i < want.size() && i < 600; ++i) {
      auto at = static_cast<int>(i);
      suite.Equal(out[4 + at], want[i], at);
      suite.Equal(out[860 + at], 5000 - 3 * want[i], at, 1);
      auto* listed = std::find(cells.data(), cells.data() + count, want[i]);
      double score = forced(want[i]) ? 77 : scores[listed - cells.data()] + 0.0;
      suite.Equal(placed[at], score, at, 2);
    }
    for (int i = 0; i < 256; ++i) {
      int cell =
          i < count && !forced(cells[i]) && scores[i] >= 0.5f ? cells[i] : -1;
      suite.Equal(out[604 + i], cell, i, 9);
    }
  }
}

inline void test_best() {
  Suite suite(
      "load_candidates fetch_candidates range_candidates histogram_candidates "
      "mark_above mark_best mark_forced "
      "count_bits scan_bits place_marked place_scores look_up_cells "
      "store_cells drop_below");
  int seed = 0;
  for (int levels : {0, 1, 3})
    for (int count : {0, 1, 63, 200, 256}) {
      check_best(suite, count, 0, kNoCell, 500, levels, ++seed);
      check_best(suite, count, 4, 490, 500, levels, ++seed);
      check_best(suite, count, 33, kNoCell, 257, levels, ++seed);
    }
}

inline void run_candidate_tests() {
  test_append();
  test_products();
  test_best();
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_CANDIDATE_TESTS_CUH
