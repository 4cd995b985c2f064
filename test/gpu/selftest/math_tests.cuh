//===- math_tests.cuh - elementwise functions, masks, scalars -*- CUDA -*-===//

#ifndef GSA_TEST_GPU_SELFTEST_MATH_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_MATH_TESTS_CUH

#include "test/gpu/selftest/harness.cuh"

namespace selftest {

using fragment = frag<float, 16, 40, frag_layout::acc>;
inline constexpr int kColumns = 40;

/// Reads a fragment, lets a function change it, writes it.
template <class F>
__global__ void map_kernel(const float* from, float* to, F f) {
  auto x = frag_alloc<fragment>();
  auto tile = 640LL * blockIdx.x;
  put_dense(x, from + tile);
  f(x);
  get_dense(x, to + tile);
}

template <class F>
void map(const Array<float>& from, const Array<float>& to, F f) {
  launch("map", map_kernel<F>, static_cast<int>(from.size() / 640), 1, 0,
         from.data(), to.data(), f);
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

inline double activation_of(activation kind, double x) {
  double sigmoid =
      x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
  switch (kind) {
    case activation::identity:
      return x;
    case activation::sigmoid:
      return sigmoid;
    case activation::tanh:
      return (std::tanh(x) + 1) / 2;
    case activation::silu:
      return x * sigmoid;
    case activation::relu:
      return std::isnan(x) ? x : x > 0 ? x : 0;
    case activation::fast_tanh:
      return std::tanh(x);
  }
  return kNan;
}

template <activation Kind>
struct activate_fragment {
  __device__ void operator()(fragment& x) const { activate<Kind>(x); }
};

template <activation Kind>
void test_activation(const char* name) {
  Suite suite(std::string("activate ") + name);
  Array<float> from(640 * 200), to(from.size());
  for (int i = 0; i < from.size(); ++i)
    from[i] = static_cast<float>(-110 + 220.0 * i / from.size());
  const double odd[] = {0.0, -0.0, kInf, -kInf, kNan, 1e38, -1e38, 1e-40};
  for (int i = 0; i < 8; ++i) from[1000 * i] = static_cast<float>(odd[i]);
  map(from, to, activate_fragment<Kind>{});
  for (int i = 0; i < from.size(); ++i) {
    double x = from[i], want = activation_of(Kind, x);
    bool exact = Kind == activation::identity || Kind == activation::relu;
    // The bound of the sigmoid, times x for silu.
    double tolerance = exact ? 0 : 3e-7;
    if (Kind == activation::silu)
      tolerance = std::isfinite(x) ? 3e-7 * std::fabs(x) : 0;
    // The bound of the instruction.
    if (Kind == activation::fast_tanh) tolerance = 0x1p-11 * std::fabs(want);
    suite.Near(to[i], want, tolerance, i);
    if (std::isinf(x) && Kind != activation::silu) suite.Equal(to[i], want, i);
  }
}

__global__ void activate_rows_kernel(float* x) {
  rowvec<float, 16> rows;
  put_dense(rows, x);
  __syncwarp();  // four lanes read a row, and write it
  activate_rows<activation::sigmoid>(rows);
  get_dense(rows, x);
}

inline void test_activations() {
  test_activation<activation::identity>("identity");
  test_activation<activation::sigmoid>("sigmoid");
  test_activation<activation::tanh>("tanh");
  test_activation<activation::silu>("silu");
  test_activation<activation::relu>("relu");
  test_activation<activation::fast_tanh>("fast_tanh");
  Suite suite("activate_rows");
  Array<float> x(16);
  for (int i = 0; i < 16; ++i) x[i] = i - 8.0f;
  launch("activate_rows", activate_rows_kernel, 1, 1, 0, x.data());
  for (int i = 0; i < 16; ++i)
    suite.Near(x[i], activation_of(activation::sigmoid, i - 8), 3e-7, i);
}

//===----------------------------------------------------------------------===//
// Other elementwise functions
//===----------------------------------------------------------------------===//

__global__ void add_scaled_kernel(const float* source, const float* weights,
                                  float* target) {
  auto x = frag_alloc<fragment>(), y = frag_alloc<fragment>();
  rowvec<float, 16> w;
  put_dense(x, target);
  put_dense(y, source);
  put_dense(w, weights);
  add_scaled(x, y, w);
  affine(x, 3.0f, -0.1f);
  get_dense(x, target);
}

inline void test_add_scaled() {
  Suite suite("add_scaled affine");
  Random random(1);
  Array<float> source(640), weights(16), target(640), before(640);
  random.Fill(source);
  random.Fill(weights);
  random.Fill(before);
  std::memcpy(target.data(), before.data(), 640 * sizeof(float));
  launch("add_scaled", add_scaled_kernel, 1, 1, 0, source.data(),
         weights.data(), target.data());
  for (int i = 0; i < 640; ++i) {
    float sum = std::fma(weights[i / kColumns], source[i], before[i]);
    suite.Equal(target[i], std::fma(sum, 3.0f, -0.1f), i / kColumns,
                i % kColumns);
  }
}

/// target[8, 40] + the pairs of rows of 2 source + offsets, in a launch that
/// may begin early.
__global__ void row_pairs_kernel(const float* source, const float* offsets,
                                 const float* before, float* target) {
  launch_wait();
  launch_next();
  source = launched(source);
  fragment x;
  frag<float, 8, kColumns, frag_layout::acc> sum;
  rowvec<float, 16> offset, weights;
  put_dense(x, source);
  put_dense(offset, offsets);
  fill_halves(weights, 0.5f, -2.0f);
  affine_rows(x, 2.0f, offset);
  for_elements(sum,
               [=](float& y, int r, int c) { y = before[r * kColumns + c]; });
  add_row_pairs(sum, x, weights);
  for_elements(sum,
               [=](float& y, int r, int c) { target[r * kColumns + c] = y; });
}

inline void test_row_pairs() {
  Suite suite(
      "affine_rows fill_halves add_row_pairs launched launch_wait launch_next");
  Random random(2);
  Array<float> source(640), offsets(16), before(320), target(320);
  random.Fill(source);
  random.Fill(offsets);
  random.Fill(before);
  launch("add_row_pairs", row_pairs_kernel, 1, 1, 0,
         static_cast<const float*>(source.data()),
         static_cast<const float*>(offsets.data()),
         static_cast<const float*>(before.data()), target.data());
  for (int i = 0; i < 320; ++i) {
    int row = i / kColumns;
    float upper = std::fma(source[i], 2.0f, offsets[row]);
    float lower = std::fma(source[320 + i], 2.0f, offsets[row + 8]);
    float sum = std::fma(0.5f, upper, before[i]);
    suite.Equal(target[i], std::fma(-2.0f, lower, sum), row, i % kColumns);
  }
}

template <class T>
struct gate_fragment {
  const T* logits;
  long long pitch;
  int rows, columns;
  bool per_row;
  __device__ void operator()(fragment& x) const {
    auto view = strided_rows(logits, pitch, rows);
    if (pitch % 2 == 0 && columns % 2 == 0)
      gate_rows<activation::sigmoid, true>(x, view, 0, columns, per_row);
    else
      gate_rows<activation::sigmoid>(x, view, 0, columns, per_row);
  }
};

template <class T>
void test_gate_rows(Suite& suite) {
  Random random(2);
  Array<float> from(640), to(640);
  random.Fill(from);
  for (bool per_row : {false, true})
    for (int rows : {0, 7, 16})
      for (int columns : {0, 13, 40}) {
        int pitch = per_row ? 3 : columns % 2 == 0 ? 42 : 41;
        Array<T> logits(16 * pitch);
        random.Fill(logits, -4, 4);
        map(from, to,
            gate_fragment<T>{logits.data(), pitch, rows, columns, per_row});
        suite.Context("%s rows %d columns %d per row %d", format<T>::name, rows,
                      columns, per_row);
        for (int i = 0; i < 640; ++i) {
          int r = i / kColumns, c = i % kColumns;
          double gate =
              activation_of(activation::sigmoid,
                            to_host(logits[r * pitch + (per_row ? 0 : c)]));
          suite.Near(to[i], r < rows && c < columns ? from[i] * gate : from[i],
                     4e-7, r, c);
        }
      }
}

inline void test_gates() {
  Suite suite("gate_rows");
  test_gate_rows<bf16>(suite);
  test_gate_rows<f16>(suite);
  test_gate_rows<float>(suite);
}

template <class T, smem_layout L, smem_layout GateL>
__global__ void gate_tile_kernel(const float* from, const T* logits, int row,
                                 int rows, float* to) {
  auto tile = smem_alloc<smem<float, 24, 64, L>>(0);
  auto gate = smem_alloc<smem<T, 24, 64, GateL>>(24 * 64 * 4);
  put_tile(tile, from);
  put_tile(gate, logits);
  gate_tile<activation::sigmoid>(tile, gate, row, rows);
  get_tile(tile, to);
}

/// The first row of a tile that is gated, and how many are.
struct GatedRows {
  int row, rows;
};

template <class T, smem_layout L, smem_layout GateL>
void test_gate_tile(Suite& suite) {
  Random random(2);
  Array<float> from(24 * 64), to(24 * 64);
  Array<T> logits(24 * 64);
  random.Fill(from);
  random.Fill(logits, -4, 4);
  for (GatedRows each : {GatedRows{0, 16}, GatedRows{5, 16}, GatedRows{8, 99},
                         GatedRows{8, 4}, GatedRows{3, 11}, GatedRows{0, 1},
                         GatedRows{5, 0}, GatedRows{8, -48}}) {
    int row = each.row, rows = each.rows;
    launch("gate_tile", gate_tile_kernel<T, L, GateL>, 1, 1, 24 * 64 * 8,
           from.data(), logits.data(), row, rows, to.data());
    suite.Context("%s row %d rows %d", format<T>::name, row, rows);
    for (int i = 0; i < 24 * 64; ++i) {
      bool inside = i / 64 >= row && i / 64 < row + std::min(rows, 16);
      double gate = activation_of(activation::sigmoid, to_host(logits[i]));
      suite.Near(to[i], inside ? from[i] * gate : from[i], 4e-7, i / 64,
                 i % 64);
    }
  }
}

inline void test_gate_tiles() {
  Suite suite("gate_tile");
  test_gate_tile<bf16, swizzle, swizzle_128b>(suite);
  test_gate_tile<f16, linear, swizzle>(suite);
  test_gate_tile<float, swizzle, linear>(suite);
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

struct mask_rows_fragment {
  const float* rows;
  int first, end;
  __device__ void operator()(fragment& x) const {
    mask_rows(x, strided_rows(rows, 0, end), first);
  }
};
struct mask_causal_fragment {
  int row, column, rows_per_query;
  __device__ void operator()(fragment& x) const {
    mask_causal(x, row, column, rows_per_query);
  }
};

inline void test_masks() {
  Random random(3);
  Array<float> from(640), to(640);
  random.Fill(from);
  {
    Suite suite("mask_rows of strided_rows");
    for (int first : {-2, 0, 7})
      for (int end : {-1, 0, 7, 8, 30, 100}) {
        map(from, to, mask_rows_fragment{from.data(), first, end});
        suite.Context("first %d end %d", first, end);
        for (int i = 0; i < 640; ++i) {
          int row = first + i % kColumns;
          suite.Equal(to[i], row < 0 || row >= end ? -kInf : from[i], i);
        }
      }
  }
  Suite suite("mask_causal");
  for (int row : {-1, 0, 20, 1000})
    for (int column : {0, 9, 16})
      for (int queries : {1, 4, 5, 16}) {
        map(from, to, mask_causal_fragment{row, column, queries});
        suite.Context("row %d column %d rows per query %d", row, column,
                      queries);
        for (int i = 0; i < 640; ++i)
          suite.Equal(to[i],
                      column + i % kColumns > row + i / kColumns / queries
                          ? -kInf
                          : from[i],
                      i / kColumns, i % kColumns);
      }
}

__global__ void mask_listed_kernel(const float* from, const int* list,
                                   int begin, int end, int limit, float* to) {
  auto tile = smem_alloc<smem<int, 1, 64, linear>>(0);
  put_tile(tile, list);
  auto x = frag_alloc<fragment>();
  put_dense(x, from);
  mask_rows(x, listed_rows(from, 0, tile, end, limit), begin);
  get_dense(x, to);
}

inline void test_mask_listed() {
  Suite suite("mask_rows of listed_rows");
  Random random(4);
  Array<float> from(640), to(640);
  Array<int> list(64);
  random.Fill(from);
  for (int i = 0; i < 64; ++i) list[i] = random.Integer(-2, 12);
  list[3] = INT32_MAX;
  list[4] = INT32_MIN;
  for (int begin : {0, 5, 24})
    for (int count : {0, 1, 39, 40})
      for (int limit : {-1, 0, 10}) {
        int end = begin + count;
        launch("mask_rows", mask_listed_kernel, 1, 1, 256, from.data(),
               list.data(), begin, end, limit, to.data());
        suite.Context("begin %d end %d limit %d", begin, end, limit);
        for (int i = 0; i < 640; ++i) {
          int c = i % kColumns;
          bool valid = begin + c < end && list[begin + c] >= 0 &&
                       list[begin + c] < limit;
          suite.Equal(to[i], valid ? from[i] : -kInf, i / kColumns, c);
        }
      }
}

template <int RowsPerBit>
__global__ void mask_words_kernel(const float* from, const int* words, int line,
                                  int column, int row, float* to) {
  auto tile = smem_alloc<smem<int, 3, 64, linear>>(0);
  put_tile(tile, words);
  auto x = frag_alloc<fragment>();
  put_dense(x, from);
  mask_words<RowsPerBit>(x, tile, line, column, row);
  get_dense(x, to);
}

template <int RowsPerBit>
void test_mask_words(Suite& suite) {
  Random random(RowsPerBit);
  Array<float> from(640), to(640);
  Array<int> words(192);
  random.Fill(from);
  for (int i = 0; i < 192; ++i)
    words[i] = random.Integer(-32768, 32767) * 65536 + random.Integer(0, 65535);
  words[70] = 0;
  words[71] = -1;
  int last = 32 * RowsPerBit - 16;  // the word's last bit
  for (int line : {0, 1, 2})
    for (int column : {0, 5, 24})
      for (int row : {0, 16, last}) {
        if (row > last) continue;
        launch("mask_words", mask_words_kernel<RowsPerBit>, 1, 1, 768,
               from.data(), words.data(), line, column, row, to.data());
        suite.Context("%d rows per bit, line %d column %d row %d", RowsPerBit,
                      line, column, row);
        for (int i = 0; i < 640; ++i) {
          int r = i / kColumns, c = i % kColumns;
          int bit = words[64 * line + column + c] >> (row + r) / RowsPerBit & 1;
          suite.Equal(to[i], bit ? from[i] : -kInf, r, c);
        }
      }
}

inline void test_mask_bits() {
  Suite suite("mask_words");
  test_mask_words<1>(suite);
  test_mask_words<3>(suite);
  test_mask_words<16>(suite);
}

//===----------------------------------------------------------------------===//
// Conversions and scalars
//===----------------------------------------------------------------------===//

template <class T, class S>
__global__ void convert_scalars_kernel(const S* from, T* to, int count) {
  for (long long i = first_element(); i < count; i = next_element(i))
    store(to, i, convert_to<T>(load(from, i)));
}

/// Numbers around those that T holds and halfway between, and random ones.
template <class T, class S>
void test_convert_scalars(Suite& suite) {
  std::vector<double> numbers = {0.0, -0.0, kInf, -kInf, kNan, 1e300, 1e-300};
  for (int bits = 0; bits < 65535; bits += 7) {
    double x = to_host(T{static_cast<unsigned short>(bits)});
    double y = to_host(T{static_cast<unsigned short>(bits + 1)});
    if (!std::isfinite(x) || !std::isfinite(y)) continue;
    double middle = (x + y) / 2;
    for (double number : {x, middle, std::nextafter(middle, kInf),
                          std::nextafter(middle, -kInf),
                          static_cast<double>(std::nextafterf(middle, kInf))})
      numbers.push_back(number);
  }
  int count = static_cast<int>(numbers.size());
  Array<S> from(count);
  Array<T> to(count);
  for (int i = 0; i < count; ++i) from[i] = static_cast<S>(numbers[i]);
  launch("convert_to", convert_scalars_kernel<T, S>, 7, 3, 0,
         static_cast<const S*>(from.data()), to.data(), count);
  suite.Context("%s from %d bytes", format<T>::name,
                static_cast<int>(sizeof(S)));
  for (int i = 0; i < count; ++i) {
    suite.Equal(to_host(to[i]), rounded<T>(from[i]), i);
    suite.Equal(to[i].bits >> 15, std::signbit(from[i]) && from[i] == from[i],
                i, 1);
  }
}

/// All 65536 numbers to float and back.
template <class T>
void test_widening(Suite& suite) {
  Array<T> from(65536);
  Array<float> to(65536);
  for (int i = 0; i < 65536; ++i) from[i] = T{static_cast<unsigned short>(i)};
  launch("to_float", convert_scalars_kernel<float, T>, 7, 3, 0,
         static_cast<const T*>(from.data()), to.data(), 65536);
  suite.Context("%s to float", format<T>::name);
  for (int i = 0; i < 65536; ++i) suite.Equal(to[i], to_host(from[i]), i);
}

__global__ void scalar_kernel(float* out) {
  int i = 0;
  auto put = [&](double x) { store(out, i++, static_cast<float>(x)); };
  put(ceil_div(7, 2));
  put(ceil_div(-7, 2));
  put(ceil_div(8ll, -3ll));
  put(floor_div(7, 2));
  put(floor_div(-7, 2));
  put(floor_div(8ll, -3ll));
  put(maximum(quiet_nan(), 1.0f));
  put(1 / maximum(-0.0f, 0.0f));
  put(1 / minimum(0.0, -0.0));
  put(minimum(1.0, quiet_nan<double>()));
  put(maximum(-infinity<double>(), -3.0));
  put(bit_cast<float>(0x3fc00000u));
  put(static_cast<double>(at(out, indices(5, 6, 7), sizes(100, 1000)) - out));
  put(static_cast<double>(at(out, indices(3, 2), sizes(1 << 30)) - out -
                          (3ll << 30)));
  put(block_id<0>() + 10 * block_id<1>() + 100 * grid_size<2>());
}

__global__ void circular_kernel(const double* x, double* sines, double* cosines,
                                int count) {
  for (long long i = first_element(); i < count; i = next_element(i)) {
    sines[i] = sin_f64(x[i]);
    cosines[i] = cos_f64(x[i]);
  }
}

inline void test_circular() {
  Suite suite("sin_f64 cos_f64");
  const int count = 100000;
  Random random(5);
  Array<double> x(count), sines(count), cosines(count);
  for (int i = 0; i < count; ++i) {
    double size = std::ldexp(1.0, random.Integer(-30, 52));
    x[i] = i % 4 == 0   ? random.Integer(-1000000, 1000000)
           : i % 4 == 1 ? i * 1.5707963267948966
                        : random.Uniform(-size, size);
  }
  x[0] = 0;
  x[1] = kInf;
  x[2] = kNan;
  launch("circular", circular_kernel, 5, 8, 0,
         static_cast<const double*>(x.data()), sines.data(), cosines.data(),
         count);
  for (int i = 0; i < count; ++i) {
    suite.Near(sines[i], std::sin(x[i]), 4e-16, i, 0);
    suite.Near(cosines[i], std::cos(x[i]), 4e-16, i, 1);
  }
}

inline void test_scalars() {
  {
    Suite suite("convert_to load store for_each");
    test_convert_scalars<bf16, float>(suite);
    test_convert_scalars<bf16, double>(suite);
    test_convert_scalars<f16, float>(suite);
    test_convert_scalars<f16, double>(suite);
    test_widening<bf16>(suite);
    test_widening<f16>(suite);
  }
  Suite suite("at ceil_div floor_div maximum minimum bit_cast");
  Array<float> out(32);
  launch("scalars", scalar_kernel, 1, 1, 0, out.data());
  const double want[] = {4,
                         -3,
                         -2,
                         3,
                         -4,
                         -3,
                         kNan,
                         kInf,
                         -kInf,
                         kNan,
                         -3.0,
                         1.5,
                         5.0 * 100000 + 6007,
                         2,
                         100};
  for (int i = 0; i < 15; ++i) suite.Equal(out[i], want[i], i);
}

//===----------------------------------------------------------------------===//
// Sums that lanes share
//===----------------------------------------------------------------------===//

/// Sums of rows by `Lanes` lanes each, and the first term of a row's last lane.
template <int Lanes, class T>
__global__ void terms_kernel(const T* from, T* to, long long rows,
                             long long columns, int* last_first) {
  for (long long row = first_element<Lanes>(); row < rows;
       row = next_element<Lanes>(row)) {
    T sum = 0;
    long long first = first_term<Lanes>();
    for (long long j = first; j < columns; j += term_step<Lanes>())
      sum += from[row * columns + j];
    T total = sum_terms<Lanes>(sum);
    store(to, row, total);
    if (first == Lanes - 1) last_first[row] = static_cast<int>(first);
  }
}

template <int Lanes, class T>
void check_terms(Suite& suite, int rows, int columns) {
  Array<T> from(std::max(rows * columns, 1)), to(rows);
  Array<int> last(rows);
  // Whole numbers: sums are exact in any order.
  for (int i = 0; i < from.size(); ++i)
    from[i] = static_cast<T>((i * 7919 + 3) % 201 - 100);
  if (rows > 2 && columns > 0) {
    from[columns] = static_cast<T>(kNan);
    from[2 * columns] = static_cast<T>(kInf);
  }
  launch("terms", terms_kernel<Lanes, T>, 2, 2, 0,
         static_cast<const T*>(from.data()), to.data(),
         static_cast<long long>(rows), static_cast<long long>(columns),
         last.data());
  suite.Context("%d lanes, %d rows, %d columns", Lanes, rows, columns);
  for (int row = 0; row < rows; ++row) {
    double want = 0;
    for (int j = 0; j < columns; ++j)
      want += static_cast<double>(from[row * columns + j]);
    suite.Near(static_cast<double>(to[row]), want, 0, row);
    suite.Equal(last[row], Lanes - 1, row);
  }
}

inline void test_terms() {
  Suite suite("first_term term_step sum_terms");
  // Of the last round of rows only some lanes of a warp have one.
  for (int rows : {1, 3, 64, 131})
    for (int columns : {0, 1, 7, 32, 65}) {
      check_terms<1, float>(suite, rows, columns);
      check_terms<2, double>(suite, rows, columns);
      check_terms<8, float>(suite, rows, columns);
      check_terms<32, float>(suite, rows, columns);
    }
}

inline void run_math_tests() {
  test_activations();
  test_add_scaled();
  test_row_pairs();
  test_gates();
  test_gate_tiles();
  test_masks();
  test_mask_listed();
  test_mask_bits();
  test_circular();
  test_scalars();
  test_terms();
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_MATH_TESTS_CUH
