//===- select_tests.cuh - row statistics and top-k -*- CUDA -*-===//

#ifndef GSA_TEST_GPU_SELFTEST_SELECT_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_SELECT_TESTS_CUH

#include <algorithm>

#include "test/gpu/selftest/harness.cuh"

namespace selftest {

using one_warp = team<0, 1>;

/// Rows with ties, zeros of both signs, hidden cells, infinities and NaN.
inline std::vector<float> score_row(int length, int seed, bool finite) {
  Random random(seed);
  const float odd[] = {0.0f,
                       -0.0f,
                       1.5f,
                       -1.5f,
                       3.0e38f,
                       -3.0e38f,
                       static_cast<float>(kInf),
                       static_cast<float>(-kInf),
                       static_cast<float>(kNan)};
  std::vector<float> row;
  for (int i = 0; i < length; ++i) {
    if (random.Integer(0, 3) != 0)
      row.push_back(static_cast<float>(random.Uniform(-2, 2)));
    else
      row.push_back(odd[random.Integer(0, finite ? 3 : 8)]);
  }
  return row;
}

inline bool shows(float x) { return x > -kInf; }

/// The order of scores as the library promises it: -1, 0 or 1. Zeros are equal.
inline int order_of(float x, float y) { return x < y ? -1 : x > y ? 1 : 0; }

template <class T>
void fill_values(const Array<T>& array, const std::vector<T>& values) {
  std::copy(values.begin(), values.end(), array.data());
}

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

__global__ void keys_kernel(const float* row, int length, int sink, int local,
                            unsigned* keys, float* values) {
  for (int i = threadIdx.x; i < length; i += 32) {
    keys[i] = cell_key(row[i], i, sink, local);
    values[i] = key_value(static_cast<int>(score_key(row[i])));
  }
}

inline void test_keys() {
  Suite suite("score_key cell_key key_value is_forced");
  const int length = 200;
  std::vector<float> scores = score_row(length, 3, false);
  Array<float> row(length), values(length);
  Array<unsigned> keys(length);
  fill_values(row, scores);
  const int none = 0x7fffffff;
  for (int sink : {0, 7})
    for (int local : {none, 190, 0}) {
      launch("keys", keys_kernel, 1, 1, 0,
             static_cast<const float*>(row.data()), length, sink, local,
             keys.data(), values.data());
      suite.Context("sink %d local %d", sink, local);
      for (int i = 0; i < length; ++i) {
        bool forced = i < sink || (local != none && i >= local);
        if (!shows(scores[i])) {
          suite.Equal(keys[i], 0, i);
          continue;
        }
        if (forced) {
          suite.Equal(keys[i], 4294967295.0, i);
          continue;
        }
        suite.Equal(values[i], scores[i], i);
        for (int j = 0; j < length; j += 7) {
          if (!shows(scores[j]) || j < sink || (local != none && j >= local))
            continue;
          int got = keys[i] < keys[j] ? -1 : keys[i] > keys[j] ? 1 : 0;
          suite.Equal(got, order_of(scores[i], scores[j]), i, j);
        }
      }
    }
}

//===----------------------------------------------------------------------===//
// Scan and statistics
//===----------------------------------------------------------------------===//

__global__ void statistics_kernel(const float* row, int length, float maximum,
                                  double mean, float inverse, int* scan,
                                  double* sums) {
  auto words = smem_alloc<smem<int, 1, 8, linear>>(0);
  auto totals = smem_alloc<smem<double, 6, 2, linear>>(128);
  clear_shared<one_warp>(words);
  clear_shared<one_warp>(totals);
  __syncwarp();
  auto state = lanes_alloc<lanes<int, 5>>();
  auto sum = lanes_alloc<lanes<double, 1>>();
  auto squares = sum, powers = sum, entropy = sum;
  auto finite = lanes_alloc<lanes<double, 2>>();
  for (int begin = 0; begin < length; begin += 128) {
    scan_row<128>(state, row, begin, length);
    sum_row<128>(sum, row, begin, length);
    squares_row<128>(squares, row, begin, length, mean);
    exp_row<128>(powers, row, begin, length, maximum);
    entropy_row<128>(entropy, row, begin, length, maximum, inverse);
    finite_row<128>(finite, row, begin, length);
  }
  publish_scan(words, state);
  store_totals(totals, 0, sum);
  store_totals(totals, 1, squares);
  store_totals(totals, 2, powers);
  store_totals(totals, 3, entropy);
  store_totals(totals, 4, finite);
  __syncwarp();
  if (lane() < 5) scan[lane()] = words.at(0, lane());
  if (lane() < 5) sums[lane()] = totals.at(lane(), 0);
  if (lane() == 5) sums[5] = totals.at(4, 1);
  double all = sum_rows(totals, 3, 0);
  if (lane() == 0) sums[6] = all;
}

inline void check_statistics(Suite& suite, int length, bool finite, int seed) {
  std::vector<float> scores = score_row(length, seed, finite);
  Array<float> row(length);
  Array<int> scan(5);
  Array<double> sums(7);
  fill_values(row, scores);
  int visible = 0, nans = 0, end = 0;
  float low = static_cast<float>(kInf), high = static_cast<float>(-kInf);
  double total = 0, number = 0, of_finite = 0, size = 0;
  for (int i = 0; i < length; ++i) {
    nans += std::isnan(scores[i]);
    if (std::isfinite(scores[i])) {
      low = std::min(low, scores[i]);
      high = std::max(high, scores[i]);
      of_finite += static_cast<double>(scores[i]);
      size += std::fabs(static_cast<double>(scores[i]));
      ++number;
    }
    if (!shows(scores[i])) continue;
    ++visible;
    end = i + 1;
    total += static_cast<double>(scores[i]);
  }
  const float maximum = 2.0f, inverse = 0.01f;
  const double mean = 0.25;
  double squares = 0, powers = 0, entropy = 0;
  for (float x : scores) {
    if (!shows(x)) continue;
    squares +=
        (static_cast<double>(x) - mean) * (static_cast<double>(x) - mean);
    double power = std::exp(static_cast<double>(x) - maximum);
    powers += power;
    entropy -= power * inverse * std::log(power * inverse + 1e-10);
  }
  launch("statistics", statistics_kernel, 1, 1, 256,
         static_cast<const float*>(row.data()), length, maximum, mean, inverse,
         scan.data(), sums.data());
  suite.Context("length %d finite %d", length, finite);
  suite.Equal(scan[0], visible, 0);
  suite.Equal(scan[1], nans, 1);
  suite.Equal(scan[2], end, 2);
  auto key = [](float x) {
    uint32_t bits;
    x += 0.0f;
    std::memcpy(&bits, &x, 4);
    return bits >> 31 ? ~bits : bits | 0x80000000u;
  };
  suite.Equal(static_cast<unsigned>(scan[3]), number > 0 ? ~key(low) : 0, 3);
  suite.Equal(static_cast<unsigned>(scan[4]), number > 0 ? key(high) : 0, 4);
  suite.Equal(sums[5], number, 5);
  suite.Near(sums[4], of_finite, size * 1e-13, 4);
  if (!finite) return;  // infinities and 3e38 squared are in the other sums
  suite.Near(sums[0], total, 1e-12, 10);
  suite.Near(sums[1], squares, 1e-11, 11);
  suite.Near(sums[2], powers, 1e-6 * powers + 1e-30, 12);
  suite.Near(sums[3], entropy, 1e-5 * std::fabs(entropy) + 1e-30, 13);
  suite.Near(sums[6], sums[0] + sums[1] + sums[2], 1e-10, 14);
}

inline void test_statistics() {
  Suite suite(
      "scan_row publish_scan sum_row squares_row exp_row entropy_row "
      "finite_row store_totals sum_rows clear_shared");
  for (int length : {1, 31, 32, 33, 127, 128, 129, 300})
    for (bool finite : {true, false})
      check_statistics(suite, length, finite, length);
}

//===----------------------------------------------------------------------===//
// Bins, ranks, what is kept
//===----------------------------------------------------------------------===//

/// Of a row: the bin of each cell, the histogram, the bin that a rank is in,
/// and the cells of this bin and above with their keys.
template <int Bins>
__global__ void keep_kernel(const float* row, int length, float low, float high,
                            int sink, int local, int rank, int* bins_of,
                            int* histogram_out, int* found_out, int* keys_out,
                            int* cells_out) {
  auto histogram = smem_alloc<smem<int, 1, Bins, linear>>(0);
  auto found = smem_alloc<smem<int, 1, 4, linear>>(4 * Bins);
  auto keys = smem_alloc<smem<int, 1, 512, linear>>(4 * Bins + 16);
  auto cells = smem_alloc<smem<int, 1, 512, linear>>(4 * Bins + 2064);
  auto counts = smem_alloc<smem<int, 2, 1, linear>>(4 * Bins + 4112);
  clear_shared<one_warp>(histogram);
  clear_shared<one_warp>(found);
  __syncwarp();
  linear_bins map(low, high, Bins);
  for (int i = lane(); i < length; i += 32)
    bins_of[i] = is_visible(row[i]) ? map.bin(row[i]) : -1;
  for (int begin = 0; begin < length; begin += 64)
    histogram_row<64>(histogram, row, begin, length, low, high, sink, local);
  __syncwarp();
  for (int i = lane(); i < Bins; i += 32) histogram_out[i] = histogram.at(0, i);
  find_rank<Bins>(found, histogram, rank);
  __syncwarp();
  if (lane() < 3) found_out[lane()] = found.at(0, lane());
  auto kept = lanes_alloc<lanes<int, 1>>();
  int slot = 0;
  for (int begin = 0; begin < length; begin += 64, slot ^= 1) {
    lanes<float, 2> scores, marked;
    load_scores<64>(scores, row, begin, length);
    mark_scores(marked, scores, counts, slot, 0, begin, low, high,
                found.at(0, 0), Bins, sink, local);
    __syncwarp();
    keep_cells(keys, cells, kept, marked, counts, slot, 0, begin, sink, local);
    __syncwarp();
  }
  if (lane() == 0) found_out[3] = kept.v[0];
  for (int i = lane(); i < kept.v[0]; i += 32) {
    keys_out[i] = keys.at(0, i);
    cells_out[i] = cells.at(0, i);
  }
}

template <int Bins>
void check_kept(Suite& suite, int length, int sink, int local, int seed) {
  std::vector<float> scores = score_row(length, seed, false);
  Array<float> row(length);
  Array<int> bins_of(length), histogram(Bins), found(4), keys(512), cells(512);
  fill_values(row, scores);
  float low = static_cast<float>(kInf), high = static_cast<float>(-kInf);
  int visible = 0;
  for (float x : scores) {
    visible += shows(x);
    if (!std::isfinite(x)) continue;
    low = std::min(low, x);
    high = std::max(high, x);
  }
  if (visible == 0) return;
  for (int rank : {1, (visible + 1) / 2, visible}) {
    launch("keep", keep_kernel<Bins>, 1, 1, 4 * Bins + 4128,
           static_cast<const float*>(row.data()), length, low, high, sink,
           local, rank, bins_of.data(), histogram.data(), found.data(),
           keys.data(), cells.data());
    suite.Context("bins %d length %d sink %d local %d rank %d", Bins, length,
                  sink, local, rank);
    std::vector<int> want(Bins), kept;
    std::vector<int> own(length, -1);
    for (int i = 0; i < length; ++i) {
      if (!shows(scores[i])) continue;
      int bin = bins_of[i];
      if (std::isinf(scores[i])) {
        suite.Equal(bin, Bins - 2, i);
      } else {
        // As in real numbers, up to a bin; equal scores have no span.
        double span = static_cast<double>(high) - low;
        double place = span > 0 ? (static_cast<double>(scores[i]) - low) /
                                      span * (Bins - 2.25)
                                : 0;
        suite.Near(bin, std::floor(place), 1, i);
        suite.Equal(bin >= 0 && bin < Bins - 2, 1, i);
      }
      for (int j = 0; j < length; j += 11)
        if (shows(scores[j]) && scores[i] < scores[j])
          suite.Equal(bin <= bins_of[j], 1, i, j);
      own[i] = i < sink || i >= local ? Bins - 1 : bin;
      ++want[own[i]];
    }
    for (int b = 0; b < Bins; ++b) suite.Equal(histogram[b], want[b], b);
    int bin = Bins - 1, above = 0;
    while (above + want[bin] < rank) above += want[bin--];
    suite.Equal(found[0], bin, 0);
    suite.Equal(found[1], above, 1);
    suite.Equal(found[2], want[bin], 2);
    for (int i = 0; i < length; ++i)
      if (own[i] >= bin) kept.push_back(i);
    suite.Equal(found[3], static_cast<double>(kept.size()), 3);
    for (size_t i = 0; i < kept.size(); ++i) {
      int cell = kept[i];
      suite.Equal(cells[i], cell, static_cast<int>(i));
      bool forced = cell < sink || cell >= local;
      suite.Equal(static_cast<unsigned>(keys[i]) == 0xffffffffu, forced, cell);
    }
  }
}

inline void test_kept() {
  Suite suite(
      "linear_bins histogram_row find_rank load_scores mark_scores keep_cells");
  for (int length : {1, 63, 64, 65, 300}) {
    check_kept<256>(suite, length, 0, 0x7fffffff, length);
    check_kept<256>(suite, length, 3, length - 2, length + 1);
    check_kept<2048>(suite, length, 0, 0x7fffffff, length + 2);
    check_kept<2048>(suite, length, 1, 0x7fffffff, length + 3);
  }
}

//===----------------------------------------------------------------------===//
// Digits of keys
//===----------------------------------------------------------------------===//

__global__ void radix_kernel(const float* row, int length, int prefix,
                             int shift, int sink, int local, int* of_row,
                             int* of_keys) {
  auto histogram = smem_alloc<smem<int, 1, 256, linear>>(0);
  auto keys = smem_alloc<smem<int, 1, 512, linear>>(1024);
  clear_shared<one_warp>(histogram);
  for (int i = lane(); i < length; i += 32)
    keys.at(0, i) = static_cast<int>(cell_key(row[i], i, sink, local));
  __syncwarp();
  for (int begin = 0; begin < length; begin += 96)
    radix_row<96>(histogram, row, begin, length, prefix, shift, sink, local);
  __syncwarp();
  for (int i = lane(); i < 256; i += 32) of_row[i] = histogram.at(0, i);
  __syncwarp();
  clear_shared<one_warp>(histogram);
  __syncwarp();
  radix_keys(histogram, keys, 0, length, 32, prefix, shift);
  __syncwarp();
  for (int i = lane(); i < 256; i += 32) of_keys[i] = histogram.at(0, i);
}

inline void test_radix() {
  Suite suite("radix_row radix_keys has_prefix");
  const int length = 300;
  std::vector<float> scores = score_row(length, 9, false);
  Array<float> row(length);
  Array<int> of_row(256), of_keys(256), dummy(1);
  Array<unsigned> keys(length);
  Array<float> values(length);
  fill_values(row, scores);
  launch("keys", keys_kernel, 1, 1, 0, static_cast<const float*>(row.data()),
         length, 2, 298, keys.data(), values.data());
  for (int shift : {24, 16, 8, 0}) {
    // Of a cell in the middle what is above the digit.
    int at = 100;
    while (!shows(scores[at])) ++at;
    unsigned prefix = keys[at];
    launch("radix", radix_kernel, 1, 1, 1024 + 2048,
           static_cast<const float*>(row.data()), length,
           static_cast<int>(prefix), shift, 2, 298, of_row.data(),
           of_keys.data());
    suite.Context("shift %d", shift);
    std::vector<int> want(256), with_hidden(256);
    for (int i = 0; i < length; ++i) {
      bool same =
          shift == 24 || keys[i] >> (shift + 8) == prefix >> (shift + 8);
      if (!same) continue;
      ++with_hidden[keys[i] >> shift & 255];
      if (shows(scores[i])) ++want[keys[i] >> shift & 255];
    }
    for (int d = 0; d < 256; ++d) {
      suite.Equal(of_row[d], want[d], d, 0);
      suite.Equal(of_keys[d], with_hidden[d], d, 1);
    }
  }
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

/// The cells whose keys are above the threshold and the first `quota` that are
/// equal to it, from the row and from kept keys.
__global__ void emit_kernel(const float* row, int length, int threshold,
                            int quota, int sink, int local, int* counts,
                            int* of_row, int* of_kept) {
  auto keys = smem_alloc<smem<int, 1, 512, linear>>(0);
  auto cells = smem_alloc<smem<int, 1, 512, linear>>(2048);
  for (int i = lane(); i < length; i += 32) {
    keys.at(0, i) = static_cast<int>(cell_key(row[i], i, sink, local));
    cells.at(0, i) = 1000 + i;
  }
  __syncwarp();
  auto count = lanes_alloc<lanes<int, 2>>();
  auto kept_count = count, cursor = count, kept_cursor = count;
  for (int begin = 0; begin < length; begin += 64) {
    count_row<64>(count, row, begin, length, threshold, sink, local);
    count_kept<64>(kept_count, keys, begin, length, threshold);
    emit_row<64>(of_row, cursor, row, begin, length, threshold, quota, sink,
                 local);
    emit_kept<64>(of_kept, kept_cursor, keys, cells, begin, length, threshold,
                  quota);
  }
  for (int i = 0; i < 2; ++i) {
    int total = sum_lanes(count.v[i]), kept = sum_lanes(kept_count.v[i]);
    if (lane() == 0) {
      counts[i] = total;
      counts[2 + i] = kept;
      counts[4 + i] = cursor.v[i];
    }
  }
}

inline void check_emission(Suite& suite, int length, int k, int sink, int local,
                           int seed) {
  std::vector<float> scores = score_row(length, seed, false);
  Array<float> row(length), values(length);
  Array<unsigned> keys(length);
  Array<int> counts(6), of_row(length + 1), of_kept(length + 1);
  fill_values(row, scores);
  launch("keys", keys_kernel, 1, 1, 0, static_cast<const float*>(row.data()),
         length, sink, local, keys.data(), values.data());
  std::vector<unsigned> sorted(keys.data(), keys.data() + length);
  std::sort(sorted.rbegin(), sorted.rend());
  const unsigned threshold = sorted[k - 1];
  if (threshold == 0) return;  // more than there are
  int above = 0, equal = 0;
  for (unsigned key : sorted)
    above += key > threshold, equal += key == threshold;
  std::memset(of_row.data(), 0xff, (length + 1) * sizeof(int));
  std::memset(of_kept.data(), 0xff, (length + 1) * sizeof(int));
  launch("emit", emit_kernel, 1, 1, 4096, static_cast<const float*>(row.data()),
         length, static_cast<int>(threshold), k - above, sink, local,
         counts.data(), of_row.data(), of_kept.data());
  suite.Context("length %d k %d sink %d local %d", length, k, sink, local);
  for (int i : {0, 2, 4}) suite.Equal(counts[i], above, i);
  for (int i : {1, 3, 5}) suite.Equal(counts[i], equal, i);
  int next = 0, ties = 0;
  for (int i = 0; i < length; ++i) {
    if (keys[i] < threshold) continue;
    if (keys[i] == threshold && ++ties > k - above) continue;
    suite.Equal(of_row[next], i, next);
    suite.Equal(of_kept[next], 1000 + i, next);
    ++next;
  }
  suite.Equal(next, k);
  suite.Equal(of_row[k], -1, k);  // nothing behind
  suite.Equal(of_kept[k], -1, k);
}

inline void test_emission() {
  Suite suite("count_row count_kept emit_cells emit_row emit_kept");
  for (int length : {1, 32, 63, 64, 65, 257})
    for (int k : {1, 2, length / 3, length / 2, length})
      if (k >= 1 && k <= length) {
        check_emission(suite, length, k, 0, 0x7fffffff, length + k);
        check_emission(suite, length, k, 2, length - 1, length + k + 1);
      }
}

//===----------------------------------------------------------------------===//
// Lists that are sorted
//===----------------------------------------------------------------------===//

template <int Size>
__global__ void sort_kernel(const float* row, const int* list, int count,
                            int begin, int* out) {
  using both = team<0, 2>;
  auto keys = smem_alloc<smem<int, 1, Size, linear>>(0);
  auto cells = smem_alloc<smem<int, 1, Size, linear>>(4 * Size);
  fill_span<both>(out, begin, Size + 3, -7);
  take_candidates<both>(keys, cells, row, list, count);
  __syncthreads();
  for (int size = 1; 1 << size <= Size; ++size)
    for (int stride = size - 1; stride >= 0; --stride) {
      sort_step<both>(keys, cells, size, stride);
      __syncthreads();
    }
  store_cells<both>(out, cells, count);
}

template <int Size>
void check_sort(Suite& suite, int count, int seed) {
  std::vector<float> scores = score_row(2 * Size, seed, true);
  Array<float> row(2 * Size);
  Array<int> list(Size), out(Size + 4);
  fill_values(row, scores);
  std::vector<int> want;
  for (int i = 0; i < count; ++i) want.push_back((i * 7 + 3) % (2 * Size));
  std::sort(want.begin(), want.end());
  want.erase(std::unique(want.begin(), want.end()), want.end());
  Random random(seed);
  for (size_t i = want.size(); i > 1; --i)
    std::swap(want[i - 1], want[random.Integer(0, static_cast<int>(i) - 1)]);
  std::copy(want.begin(), want.end(), list.data());
  const int begin = Size / 2;
  out[Size + 3] = 99;
  launch("sort", sort_kernel<Size>, 1, 2, 8 * Size,
         static_cast<const float*>(row.data()),
         static_cast<const int*>(list.data()), static_cast<int>(want.size()),
         begin, out.data());
  // The largest score first; of equal ones the first cell.
  std::sort(want.begin(), want.end(), [&](int a, int b) {
    int order = order_of(scores[a], scores[b]);
    return order != 0 ? order > 0 : a < b;
  });
  suite.Context("size %d count %d", Size, count);
  for (size_t i = 0; i < want.size(); ++i)
    suite.Equal(out[i], want[i], static_cast<int>(i));
  for (int i = std::max(begin, static_cast<int>(want.size())); i < Size + 3;
       ++i)
    suite.Equal(out[i], -7, i);
  suite.Equal(out[Size + 3], 99, Size + 3);
}

inline void test_sort() {
  Suite suite("take_candidates sort_step store_cells fill_span");
  for (int count : {1, 2, 31, 32}) check_sort<32>(suite, count, count);
  for (int count : {1, 100, 255, 256}) check_sort<256>(suite, count, count);
}

inline void run_select_tests() {
  test_keys();
  test_statistics();
  test_kept();
  test_radix();
  test_emission();
  test_sort();
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_SELECT_TESTS_CUH
