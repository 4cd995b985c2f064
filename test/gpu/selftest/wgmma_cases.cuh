//===- wgmma_cases.cuh - products of a warpgroup, every form -*- CUDA -*-===//
//
// The kernel and the checks of wgmma_tests.cuh, which runs them on a GPU, and
// of test/unit/emu/wgmma_test.cc, which runs the same text in emulation. Needs
// gsa/device/tile.cuh of either.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_GPU_SELFTEST_WGMMA_CASES_CUH
#define GSA_TEST_GPU_SELFTEST_WGMMA_CASES_CUH

#include <cmath>
#include <cstring>
#include <random>
#include <type_traits>
#include <vector>

namespace selftest {

using namespace gsa::dev;

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

/// Where the left operand is, for both products.
enum wgmma_form {
  kNtRegisters,
  kNtShared,
  kNtTransposed,
  kNnRegisters,
  kNnShared,
  kNnTransposed,
  kWgmmaForms
};
inline const char* name_of(int form) {
  static const char* const names[] = {
      "nt, lhs in registers", "nt, lhs shared", "nt, lhs transposed",
      "nn, lhs in registers", "nn, lhs shared", "nn, lhs transposed"};
  return names[form];
}

/// Tiles of a case: 80 rows on the left, so that the 64 can start at 0, 8 or
/// 16, and 16 more than needed on the right. As the transposed left operand a
/// tile with K rows and Wide columns.
template <class T, int N, int K, int Columns, smem_layout L>
struct wgmma_shape {
  static constexpr int n = N, k = K;
  static constexpr int wide = L == swizzle_128b ? 128 : 64;
  static constexpr int rows_nt = N + 16, rows_nn = K + 16;
  using left = smem<T, 80, K, L>;
  using transposed = smem<T, K, wide, L>;
  using right_nt = smem<T, rows_nt, K, L>;
  using right_nn = smem<T, rows_nn, Columns, L>;
  /// Behind the left operand, K at most 256.
  static constexpr int right_offset = 256 * 256;
  static constexpr int shared_bytes(bool nt) {
    return right_offset + (nt ? rows_nt * K : rows_nn * Columns) * 2;
  }
};

template <class Tile, class T>
__device__ Tile load_tile(int offset, const T* from) {
  auto tile = smem_alloc<Tile>(offset);
  copy_rows<team<0, 4>, 16>(
      tile,
      strided_rows(from, static_cast<long long>(Tile::columns), Tile::rows), 0,
      Tile::columns);
  return tile;
}

/// `out[0] = a b` and `out[1] = 2 a b`, 64 x N each: a product that does not
/// read its accumulator, and one that does.
template <class Shape, class T, int Form>
__device__ void multiply(const T* a, const T* b, float* out, int a_row,
                         int b_row) {
  constexpr int N = Shape::n, K = Shape::k;
  constexpr bool nt = Form < kNnRegisters;
  constexpr bool transposed = Form == kNtTransposed || Form == kNnTransposed;
  using right_tile = std::conditional_t<nt, typename Shape::right_nt,
                                        typename Shape::right_nn>;
  using left_tile = std::conditional_t<transposed, typename Shape::transposed,
                                       typename Shape::left>;
  auto left = load_tile<left_tile>(0, a);
  auto right = load_tile<right_tile>(Shape::right_offset, b);
  copy_wait<team<0, 4>, 0>();
  fence_async();
  sync<team<0, 4>, 0>();
  const int row = 16 * warp_rank<team<0, 4>>();
  auto sum = frag_alloc<frag<float, 16, N, frag_layout::acc>>();
  fill(sum, 1.5f);
  if constexpr (Form == kNtRegisters || Form == kNnRegisters) {
    auto operand = frag_alloc<frag<T, 16, K, frag_layout::lhs>>();
    load_lhs(operand, left, a_row + row);
    wgmma_fence(operand);
    if constexpr (nt)
      wgmma_nt<false>(sum, operand, right, b_row);
    else
      wgmma_nn<false>(sum, operand, right, b_row);
    wgmma_commit();
    wgmma_wait<0>(sum);
    store_rows(strided_rows(out + row * N, static_cast<long long>(N), 16), 0,
               sum, N);
    wgmma_fence(operand, sum);
    if constexpr (nt)
      wgmma_nt(sum, operand, right, b_row);
    else
      wgmma_nn(sum, operand, right, b_row);
    wgmma_commit();
    wgmma_wait<0>(sum);
  } else {
    wgmma_fence();
    if constexpr (nt)
      wgmma_nt<false, transposed>(sum, left, a_row, right, b_row);
    else
      wgmma_nn<false, transposed>(sum, left, a_row, right, b_row);
    wgmma_commit();
    wgmma_wait<0>(sum);
    store_rows(strided_rows(out + row * N, static_cast<long long>(N), 16), 0,
               sum, N);
    wgmma_fence(sum);
    if constexpr (nt)
      wgmma_nt<true, transposed>(sum, left, a_row, right, b_row);
    else
      wgmma_nn<true, transposed>(sum, left, a_row, right, b_row);
    wgmma_commit();
    wgmma_wait<0>(sum);
  }
  store_rows(strided_rows(out + (64 + row) * N, static_cast<long long>(N), 16),
             0, sum, N);
}

template <class Shape, class T>
__global__ void __launch_bounds__(128)
    wgmma_kernel(const T* a, const T* b, float* out, int form, int a_row,
                 int b_row) {
  if (form == kNtRegisters)
    multiply<Shape, T, kNtRegisters>(a, b, out, a_row, b_row);
  else if (form == kNtShared)
    multiply<Shape, T, kNtShared>(a, b, out, a_row, b_row);
  else if (form == kNtTransposed)
    multiply<Shape, T, kNtTransposed>(a, b, out, a_row, b_row);
  else if (form == kNnRegisters)
    multiply<Shape, T, kNnRegisters>(a, b, out, a_row, b_row);
  else if (form == kNnShared)
    multiply<Shape, T, kNnShared>(a, b, out, a_row, b_row);
  else
    multiply<Shape, T, kNnTransposed>(a, b, out, a_row, b_row);
}

/// `a b^T` of N columns twice: by one product, and by products of `Piece`.
template <class T, int N, int Piece>
__global__ void __launch_bounds__(128)
    wgmma_pieces(const T* a, const T* b, float* out) {
  auto left = load_tile<smem<T, 64, 128, swizzle_128b>>(0, a);
  auto right = load_tile<smem<T, N, 128, swizzle_128b>>(16384, b);
  copy_wait<team<0, 4>, 0>();
  fence_async();
  sync<team<0, 4>, 0>();
  const int row = 16 * warp_rank<team<0, 4>>();
  auto whole = frag_alloc<frag<float, 16, N, frag_layout::acc>>();
  wgmma_fence();
  wgmma_nt<false>(whole, left, 0, right, 0);
  wgmma_commit();
  wgmma_wait<0>(whole);
  store_rows(strided_rows(out + row * N, static_cast<long long>(N), 16), 0,
             whole, N);
  auto piece = frag_alloc<frag<float, 16, Piece, frag_layout::acc>>();
  for (int first = 0; first < N; first += Piece) {
    fill(piece, 0.0f);
    wgmma_fence(piece);
    wgmma_nt(piece, left, 0, right, first);
    wgmma_commit();
    wgmma_wait<0>(piece);
    store_rows(strided_rows(out + (64 + row) * N + first,
                            static_cast<long long>(N), 16),
               0, piece, Piece);
  }
}

/// `out = sum_i (q k_i^T) k_i` over `steps` tiles k_i of N rows, as attention
/// pipelines it: the product with k_i is in flight together with that of the
/// weights of the step before, which read registers. One tile per step, so that
/// none is overwritten in flight; the scores are exact in T.
template <class T, int N, int K, int Steps, bool InRegisters>
__global__ void __launch_bounds__(128)
    wgmma_pipeline(const T* q, const T* k, float* out) {
  auto queries = load_tile<smem<T, 64, K, swizzle_128b>>(0, q);
  auto keys = smem_alloc<smem_stages<T, Steps, N, K, swizzle_128b>>(64 * K * 2);
  for (int i = 0; i < Steps; ++i)
    copy_rows<team<0, 4>, 16>(
        stage(keys, i),
        strided_rows(k + i * N * K, static_cast<long long>(K), N), 0, K);
  copy_wait<team<0, 4>, 0>();
  fence_async();
  sync<team<0, 4>, 0>();
  const int row = 16 * warp_rank<team<0, 4>>();
  auto operand = frag_alloc<frag<T, 16, K, frag_layout::lhs>>();
  auto scores = frag_alloc<frag<float, 16, N, frag_layout::acc>>();
  auto weights = frag_alloc<frag<T, 16, N, frag_layout::lhs>>();
  auto sum = frag_alloc<frag<float, 16, K, frag_layout::acc>>();
  fill(sum, 0.0f);
  if constexpr (InRegisters) {
    load_lhs(operand, queries, row);
    wgmma_fence(operand);
  }
  auto product = [&](int i) {
    if constexpr (InRegisters)
      wgmma_nt<false>(scores, operand, stage(keys, i), 0);
    else
      wgmma_nt<false>(scores, queries, 0, stage(keys, i), 0);
    wgmma_commit();
  };
  wgmma_fence(sum);
  product(0);
  wgmma_wait<0>(scores);
  convert(weights, scores);
  for (int i = 1; i < Steps; ++i) {
    wgmma_fence(weights, sum);
    product(i);
    wgmma_nn(sum, weights, stage(keys, i - 1), 0);
    wgmma_commit();
    wgmma_wait<1>(scores);
    affine(scores, 2.0f, 0.0f);
    wgmma_wait<0>(sum);
    affine(scores, 0.5f, 0.0f);
    convert(weights, scores);
  }
  wgmma_fence(weights, sum);
  wgmma_nn(sum, weights, stage(keys, Steps - 1), 0);
  wgmma_commit();
  wgmma_wait<0>(sum);
  store_rows(strided_rows(out + row * K, static_cast<long long>(K), 16), 0, sum,
             K);
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// (-1)^negative (128 + fraction) 2^(exponent - 7), fraction < 128: what both
/// types hold.
template <class T>
T make_half(bool negative, int exponent, int fraction) {
  int bits = is_same<T, bf16> ? (exponent + 127) << 7 | fraction
                              : (exponent + 15) << 10 | fraction << 3;
  return T{static_cast<unsigned short>(bits | (negative ? 0x8000 : 0))};
}

/// Numbers in both forms.
template <class T>
struct wgmma_numbers {
  std::vector<T> halves;
  std::vector<double> values;

  /// Integers from -4 to 4, whose sums are exact in float in any order; or
  /// numbers of 8 bits between 2^-4 and 2^4.
  wgmma_numbers(int count, bool integers, int seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < count; ++i) {
      unsigned bits = random();
      if (integers) {
        int value = static_cast<int>(bits % 9) - 4;
        // 3 is 1.5 * 2.
        static const int exponents[] = {0, 0, 1, 1, 2};
        int magnitude = value < 0 ? -value : value;
        values.push_back(value);
        halves.push_back(value == 0
                             ? T{0}
                             : make_half<T>(value < 0, exponents[magnitude],
                                            magnitude == 3 ? 64 : 0));
      } else {
        bool negative = bits & 1;
        int exponent = static_cast<int>(bits >> 1 & 7) - 4;
        int fraction = bits >> 4 & 127;
        values.push_back(std::ldexp(
            negative ? -(128 + fraction) : 128 + fraction, exponent - 7));
        halves.push_back(make_half<T>(negative, exponent, fraction));
      }
    }
  }
};

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

/// Runs a form of a shape, `run(form, a, b, out, a_row, b_row)` with `out` of
/// 128 x N floats, against sums in double, which are exact. `checks` has
/// Context(format, ...) and Near(got, want, tolerance, row, column). Returns
/// what the first product of the numbers that are no integers gave.
///
/// Of integers every sum is exact, and so must be the result. Otherwise an
/// instruction may align its 17 terms, 16 products and the accumulator, to the
/// largest and cut each to 23 bits behind that one's first; and round their
/// sum. No term and no sum is larger than the sum of magnitudes S, so that
/// K / 16 instructions are off by at most K / 16 * 18 * 2^-23 S. Sums of the
/// second product are up to 2 S: it is off by twice as much, and both by three
/// times.
template <class Shape, class T, class Run, class Checks>
std::vector<float> check_wgmma(int form, int a_row, int b_row, const Run& run,
                               Checks& checks) {
  constexpr int N = Shape::n, K = Shape::k;
  bool nt = form < kNnRegisters;
  bool transposed = form == kNtTransposed || form == kNnTransposed;
  int a_columns = transposed ? Shape::wide : K;
  int b_columns = nt ? K : Shape::right_nn::columns;
  std::vector<float> out(128 * N), first;
  for (bool integers : {true, false}) {
    wgmma_numbers<T> a((transposed ? K : 80) * a_columns, integers, 7);
    wgmma_numbers<T> b((nt ? Shape::rows_nt : Shape::rows_nn) * b_columns,
                       integers, 11);
    run(form, a.halves, b.halves, &out, a_row, b_row);
    checks.Context("%s, N %d K %d, rows %d and %d, %s", name_of(form), N, K,
                   a_row, b_row, integers ? "integers" : "random");
    for (int m = 0; m < 64; ++m)
      for (int n = 0; n < N; ++n) {
        double sum = 0, size = 0;
        for (int k = 0; k < K; ++k) {
          double left = a.values[transposed ? k * a_columns + a_row + m
                                            : (a_row + m) * a_columns + k];
          double right = b.values[nt ? (b_row + n) * b_columns + k
                                     : (b_row + k) * b_columns + n];
          sum += left * right;
          size += std::fabs(left * right);
        }
        double tolerance = integers ? 0 : K / 16 * 18 * std::ldexp(size, -23);
        checks.Near(out[m * N + n], sum, tolerance, m, n);
        checks.Near(out[(64 + m) * N + n], 2 * sum, 3 * tolerance, m, n);
      }
  }
  first.assign(out.begin(), out.begin() + 64 * N);
  return first;
}

/// Row offsets that a form allows.
template <class Shape, class Run>
void for_offsets(int form, const Run& run) {
  bool registers = form == kNtRegisters || form == kNnRegisters;
  bool transposed = form == kNtTransposed || form == kNnTransposed;
  run(0, 0);
  run(transposed ? Shape::wide - 64 : 16, 8);
  run(transposed ? 0 : registers ? 3 : 8, 16);
}

/// Every form and offset of a shape. With `wide`, the results of a wider
/// product of the same operands by form: the columns that both have are the
/// same bits.
template <class Shape, class T, class Run, class Checks>
void check_shape(const Run& run, Checks& checks,
                 std::vector<std::vector<float>>* results = nullptr,
                 const std::vector<std::vector<float>>* wide = nullptr) {
  for (int form = 0; form < kWgmmaForms; ++form) {
    for_offsets<Shape>(form, [&](int a_row, int b_row) {
      std::vector<float> got =
          check_wgmma<Shape, T>(form, a_row, b_row, run, checks);
      if (a_row != 0 || b_row != 0) return;
      if (wide) {
        const std::vector<float>& whole = (*wide)[form];
        checks.Context("%s, N %d against a wider one", name_of(form), Shape::n);
        for (int i = 0; i < 64 * Shape::n; ++i) {
          float want = whole[i / Shape::n * (whole.size() / 64) + i % Shape::n];
          checks.Near(std::memcmp(&got[i], &want, sizeof(want)), 0, 0,
                      i / Shape::n, i % Shape::n);
        }
      }
      if (results) results->push_back(std::move(got));
    });
  }
}

/// Both ways of wgmma_pieces give the same bits.
template <class T, int N, class Run, class Checks>
void check_pieces(const Run& run, Checks& checks) {
  wgmma_numbers<T> a(64 * 128, false, 3), b(N * 128, false, 5);
  std::vector<float> out(128 * N);
  run(a.halves, b.halves, &out);
  checks.Context("pieces of %d columns", N);
  for (int i = 0; i < 64 * N; ++i)
    checks.Near(std::memcmp(&out[i], &out[64 * N + i], sizeof(float)), 0, 0,
                i / N, i % N);
}

/// wgmma_pipeline on numbers from -1 to 1: scores are integers of at most K,
/// which both types hold for K up to 256, and all sums are exact.
template <class T, int N, int K, int Steps, class Run, class Checks>
void check_pipeline(const Run& run, Checks& checks) {
  std::mt19937 random(N + K);
  auto draw = [&](int count, std::vector<T>* halves, std::vector<int>* values) {
    for (int i = 0; i < count; ++i) {
      values->push_back(static_cast<int>(random() % 3) - 1);
      halves->push_back(
          values->back() == 0 ? T{0} : make_half<T>(values->back() < 0, 0, 0));
    }
  };
  std::vector<T> q, k;
  std::vector<int> q_values, k_values;
  draw(64 * K, &q, &q_values);
  draw(Steps * N * K, &k, &k_values);
  std::vector<float> out(64 * K);
  run(q, k, &out);
  checks.Context("pipeline of %d keys, depth %d", N, K);
  for (int m = 0; m < 64; ++m) {
    std::vector<int> sums(K);
    for (int n = 0; n < Steps * N; ++n) {
      int score = 0;
      for (int i = 0; i < K; ++i)
        score += q_values[m * K + i] * k_values[n * K + i];
      for (int i = 0; i < K; ++i) sums[i] += score * k_values[n * K + i];
    }
    for (int i = 0; i < K; ++i) checks.Near(out[m * K + i], sums[i], 0, m, i);
  }
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_WGMMA_CASES_CUH
