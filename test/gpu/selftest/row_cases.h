//===- row_cases.h - views of rows and what they hold -----------*- C++ -*-===//
//
// Cases for the kernels of row_kernels.cuh, on a GPU (row_tests.cuh) and in
// emulation (test/unit/emu/rows_test.cc): where a view of each kind has its
// rows, from the definition of the kind.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_GPU_SELFTEST_ROW_CASES_H
#define GSA_TEST_GPU_SELFTEST_ROW_CASES_H

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace selftest {

/// In the order of row_kernels::with_view; the number is rows of a page, or of
/// the inner level.
enum RowKind {
  kStrided,
  kTwoLevel3,
  kTwoLevel8,
  kListed,
  kPaged4,
  kPaged16,
  kListedPaged4,
  kInterleaved,
  kPagedApart  ///< Every third row of pages of 4 that lie 7 rows apart.
};

inline constexpr int kListEntries = 128;

/// A view, and the position of the row that comes first in a tile.
struct RowCase {
  RowKind kind = kStrided;
  long long pitch = 0, inner = 0;
  int end = 0;    ///< Of the list.
  int limit = 0;  ///< Or the count of rows.
  int first = 0;
  std::vector<int> list = std::vector<int>(kListEntries, -1);
  std::vector<int> table;

  bool Lists() const { return kind == kListed || kind == kListedPaged4; }
  /// Rows of a page or of the inner level.
  int Group() const {
    return kind == kTwoLevel3                                                ? 3
           : kind == kTwoLevel8                                              ? 8
           : kind == kPaged4 || kind == kListedPaged4 || kind == kPagedApart ? 4
           : kind == kPaged16 ? 16
                              : 1;
  }

  /// Elements from the base to the row at a position; -1 if there is none.
  long long Row(int position) const {
    if (Lists() && position >= end) return -1;
    long long row = Lists() ? list[position] : position;
    if (kind == kInterleaved) {
      long long pair = row / 16 * 8 + row % 8;
      if (row < 0 || pair >= limit) return -1;
      return pair * pitch + row / 8 % 2 * inner;
    }
    if (row < 0 || row >= limit) return -1;
    if (kind == kTwoLevel3 || kind == kTwoLevel8)
      return row / Group() * pitch + row % Group() * inner;
    if (kind == kPagedApart) row *= 3;
    if (!table.empty())
      row = static_cast<long long>(table[row / Group()]) *
                (kind == kPagedApart ? 7 : Group()) +
            row % Group();
    return row * pitch;
  }

  std::string Name() const {
    return "kind " + std::to_string(kind) + " pitch " + std::to_string(pitch) +
           " end " + std::to_string(end) + " limit " + std::to_string(limit) +
           " first " + std::to_string(first);
  }
};

/// The elements from the first to the last one that a tile of `rows` rows with
/// `columns` columns reaches: all that its array holds.
struct RowRange {
  long long begin = 0, size = 0;

  RowRange(const RowCase& test, int rows, int columns) {
    long long end = 0;
    for (int r = 0; r < rows; ++r) {
      long long row = test.Row(test.first + r);
      if (row < 0) continue;
      begin = end == 0 ? row : std::min(begin, row);
      end = std::max(end, row + std::max(columns, 1));
    }
    size = std::max(end - begin, 1ll);
  }
};

/// Element i of such an array: a number that every element type holds.
inline int RowValue(long long i) {
  return static_cast<int>((i * 37 + i / 64 * 11) % 251) - 125;
}

/// Views of all kinds for tiles of `rows` rows with at most `columns` columns.
/// Rows start at multiples of `unit` elements and do not overlap; no two
/// positions have the same row, unless `repeats` is set.
class RowCases {
 public:
  RowCases(int rows, int columns, int unit, bool repeats = false)
      : rows_(rows),
        unit_(unit),
        width_((std::max(columns, 1) + unit - 1) / unit * unit),
        repeats_(repeats) {
    for (RowKind kind : {kStrided, kTwoLevel3, kTwoLevel8, kPaged4, kPaged16,
                         kInterleaved, kPagedApart})
      for (int first : {-2, 0, 3})
        for (int count : {-3, 0, 1, rows / 2 | 1, rows, rows + 5})
          Add(kind, first, 0, count <= 0 ? count : std::max(first, 0) + count);
    for (RowKind kind : {kListed, kListedPaged4}) {
      for (int first : {0, 3})
        for (int count : {-3, 0, 1, rows / 2 | 1, rows, rows + 5})
          Add(kind, first, count <= 0 ? count : first + count, 97);
      for (int limit : {-1, 0, 1, 50}) Add(kind, 3, rows + 3, limit);
    }
    AddFar();
  }

  const std::vector<RowCase>& get() const { return cases_; }

 private:
  void Add(RowKind kind, int first, int end, int limit) {
    RowCase test;
    test.kind = kind;
    test.first = first;
    test.end = end;
    test.limit = limit;
    test.pitch = width_ + unit_;
    if (kind == kTwoLevel3) {  // the inner level has the longer way
      test.pitch = width_;
      test.inner = 40 * width_;
    } else if (kind == kTwoLevel8) {
      test.inner = width_;
      test.pitch = 8 * width_ + unit_;
    }
    // What must not be read: holes, and what no array has.
    const int bad[] = {-1, 97, INT32_MAX, INT32_MIN, -123456, 2147480000};
    for (int i = 0; test.Lists() && i < kListEntries; ++i)
      test.list[i] =
          i % 7 == 5 ? bad[i / 7 % 6] : (i / (repeats_ ? 2 : 1) * 29 + 7) % 97;
    if (kind == kPaged4 || kind == kPaged16 || kind == kListedPaged4 ||
        kind == kPagedApart) {
      int rows = std::max(limit, 0) * (kind == kPagedApart ? 3 : 1);
      int pages = (rows + test.Group() - 1) / test.Group();
      for (int i = 0; i < pages; ++i)
        test.table.push_back(2 * (pages - 1 - i) + i % 2);
    }
    cases_.push_back(test);
  }

  /// Rows that lie more than 2^31 elements from the base: one of large pitch,
  /// and all of a tile, of large numbers.
  void AddFar() {
    RowCase test;
    test.first = 5;
    test.limit = 6;
    test.pitch = 3ll << 30;
    cases_.push_back(test);
    test.kind = kTwoLevel3;
    test.inner = (5ll << 30) + unit_;
    cases_.push_back(test);
    test.kind = kListed;
    test.end = kListEntries;
    test.limit = 100000;
    test.list[test.first + rows_ / 2] = 70000;
    test.pitch = 65536ll * unit_;
    cases_.push_back(test);

    test.pitch = width_ + unit_;
    test.limit = INT32_MAX;
    for (int i = 0; i < kListEntries; ++i) test.list[i] = INT32_MAX - 2 * i - 1;
    cases_.push_back(test);
    test.kind = kStrided;
    test.first = 500000000;
    cases_.push_back(test);
    test.kind = kTwoLevel8;
    test.inner = width_;
    test.pitch = 8 * width_ + unit_;
    cases_.push_back(test);
    test.kind = kPaged16;
    test.pitch = width_ + unit_;
    test.first = 3;
    test.limit = 3 + rows_;
    for (int i = 0; i < rows_ / 16 + 2; ++i)
      test.table.push_back(130000000 - i);
    cases_.push_back(test);
    test.kind = kListedPaged4;
    test.limit = rows_;
    test.table.clear();
    for (int i = 0; i < rows_ / 4 + 1; ++i) test.table.push_back(500000000 - i);
    for (int i = 0; i < rows_; ++i) test.list[test.first + i] = rows_ - 1 - i;
    cases_.push_back(test);
  }

  int rows_;
  long long unit_, width_;
  bool repeats_;
  std::vector<RowCase> cases_;
};

//===----------------------------------------------------------------------===//
// Runs of kernels
//===----------------------------------------------------------------------===//

enum class RowWork {
  kCopy,      ///< (rows, out, found)
  kFragment,  ///< (rows, values, out, what)
  kBulk,      ///< (rows, out, tiles)
  kReduce     ///< (rows, rounds)
};
/// In the order of row_kernels::fragment.
enum RowFragment {
  kStoreRows,
  kStoreRowVec,
  kLoadRowVec,
  kGateRows,
  kGatePerRow,
  kMaskRows,
  kAccumulateRows  ///< Of float alone.
};
enum class RowType { kBF16, kF16, kF32, kI8 };

/// A kernel of row_kernels.cuh, with a tile of `rows` x `columns`.
struct RowKernel {
  const char* name;
  RowWork work;
  RowType type;
  int rows, columns;
  int unit;  ///< Elements that are copied together.
  int warps;
  int blocks = 1;

  int ElementBytes() const {
    return type == RowType::kI8 ? 1 : type == RowType::kF32 ? 4 : 2;
  }
  int SharedBytes() const {
    int bytes =
        rows * columns * (work == RowWork::kFragment ? 4 : ElementBytes());
    return 1024 + (work == RowWork::kBulk ? 2 * bytes + 32 : bytes);
  }
};

inline constexpr RowKernel kRowKernels[] = {
    {"rows_copy_bf16", RowWork::kCopy, RowType::kBF16, 32, 64, 8, 5},
    {"rows_copy_f16", RowWork::kCopy, RowType::kF16, 9, 24, 1, 5},
    {"rows_copy_f32", RowWork::kCopy, RowType::kF32, 17, 12, 1, 5},
    {"rows_copy_i8", RowWork::kCopy, RowType::kI8, 16, 48, 16, 5},
    {"rows_fragment_bf16", RowWork::kFragment, RowType::kBF16, 16, 24, 1, 1},
    {"rows_fragment_f32", RowWork::kFragment, RowType::kF32, 16, 24, 1, 1},
};
inline constexpr RowKernel kBulkRowKernels[] = {
    {"rows_bulk_bf16", RowWork::kBulk, RowType::kBF16, 40, 40, 8, 5},
    {"rows_bulk_f32", RowWork::kBulk, RowType::kF32, 40, 12, 4, 4},
    {"rows_reduce", RowWork::kReduce, RowType::kF32, 48, 24, 4, 3, 5},
};

/// One launch, and what it gives. NaN: nobody writes it.
struct RowRun {
  RowCase test;
  int columns = 0, more = 0;
  long long begin = 0;  ///< Of the array, from the base of the view.
  std::vector<double> rows, values;     ///< Before.
  std::vector<double> out, rows_after;  ///< Empty: none, or only read.
  bool adds = false;                    ///< To rows that are all the same.
};

class RowRuns {
 public:
  explicit RowRuns(const RowKernel& kernel) : kernel_(kernel) {
    int all = kernel.columns, unit = kernel.unit;
    switch (kernel.work) {
      case RowWork::kCopy:
        for (int columns : {all, all / 2 + 1, 0, -1})
          for (int found : {0, 1}) AddAll(kernel.rows, columns, found, unit);
        break;
      case RowWork::kFragment:
        for (int columns : {all, 13, 0, -1}) {
          for (int pairs : {1, 2}) AddAll(16, columns, kStoreRows, pairs);
          for (int pairs : {1, 2})
            if (kernel.type == RowType::kF32)
              AddAll(16, columns, kAccumulateRows, pairs);
          AddAll(16, columns, kGateRows, unit);
          AddAll(16, columns, kGatePerRow, unit);
        }
        AddAll(16, all, kStoreRowVec, unit);
        AddAll(16, all, kLoadRowVec, unit);
        AddAll(24, all, kMaskRows, unit);
        break;
      case RowWork::kBulk:
        for (int columns : {all, unit, 0, -unit, all + unit})
          AddAll(kBulkTiles * kernel.rows, columns, kBulkTiles, unit);
        break;
      case RowWork::kReduce:
        for (int columns : {all, 2 * unit, 0, all + unit})
          AddAll(kernel.rows, columns, kRounds, unit);
    }
  }

  const std::vector<RowRun>& get() const { return runs_; }

 private:
  static constexpr int kBulkTiles = 3, kRounds = 3;

  void AddAll(int rows, int columns, int more, int unit) {
    int used = std::clamp(columns, 0, kernel_.columns);
    // Of a row no more than its first element may be there.
    bool fragment = kernel_.work == RowWork::kFragment;
    bool single = fragment && more != kStoreRows && more != kGateRows &&
                  more != kAccumulateRows;
    bool adds = kernel_.work == RowWork::kReduce ||
                (fragment && more == kAccumulateRows);
    RowCases cases(rows, used, unit, /*repeats=*/adds);
    for (const RowCase& test : cases.get()) {
      // Copies begin at rows that may exist.
      if (!fragment && test.first < 0) continue;
      RowRun run;
      run.test = test;
      run.adds = adds;
      run.columns = columns;
      run.more = more;
      RowRange range(test, rows, single ? 1 : used);
      // A copy forms the address of row 0 for what it does not read.
      if (kernel_.work == RowWork::kCopy && Misses(test, rows, used)) {
        if (range.begin > 1 << 20) continue;
        range.size += range.begin;
        range.begin = 0;
      }
      run.begin = range.begin;
      for (long long i = 0; i < range.size; ++i)
        run.rows.push_back(RowValue(i));
      if (adds) run.rows.assign(run.rows.size(), 5);
      if (fragment)
        Fragment(&run, used);
      else if (kernel_.work == RowWork::kReduce)
        Reduce(&run, used);
      else
        Copy(&run, rows, used);
      runs_.push_back(run);
    }
  }

  bool Misses(const RowCase& test, int rows, int columns) const {
    bool misses = columns < kernel_.columns;
    for (int r = 0; r < rows; ++r) misses |= test.Row(test.first + r) < 0;
    return misses;
  }

  /// The tile, or the tiles after each other.
  void Copy(RowRun* run, int rows, int columns) {
    for (int r = 0; r < rows; ++r) {
      long long row = run->test.Row(run->test.first + r);
      for (int c = 0; c < kernel_.columns; ++c)
        run->out.push_back(
            row >= 0 && c < columns ? run->rows[row - run->begin + c] : 0);
    }
  }

  /// `out` is the fragment and the row vector.
  void Fragment(RowRun* run, int columns) {
    for (int i = 0; i < 384; ++i) run->values.push_back(i * 7 % 41 - 20);
    run->out = run->values;
    run->out.insert(run->out.end(), run->values.begin(),
                    run->values.begin() + 16);
    double nan = std::numeric_limits<double>::quiet_NaN();
    if (run->more == kStoreRows || run->more == kStoreRowVec) {
      run->rows_after.assign(run->rows.size(), nan);
      run->rows = run->rows_after;
    }
    if (run->adds) run->rows_after = run->rows;
    for (int r = 0; r < 16; ++r) {
      long long row = run->test.Row(run->test.first + r);
      double* x = run->out.data() + 24 * r;
      double* y = run->out.data() + 384 + r;
      if (run->more == kLoadRowVec && row < 0) *y = 0;
      if (row < 0) continue;
      row -= run->begin;
      if (run->more == kStoreRowVec) run->rows_after[row] = *y;
      if (run->more == kLoadRowVec) *y = run->rows[row];
      for (int c = 0; c < columns; ++c) {
        if (run->more == kStoreRows) run->rows_after[row + c] = x[c];
        if (run->adds) run->rows_after[row + c] += x[c];
        if (run->more == kGateRows) x[c] *= run->rows[row + c];
        if (run->more == kGatePerRow) x[c] *= run->rows[row];
      }
    }
    for (int c = 0; run->more == kMaskRows && c < 24; ++c)
      for (int r = 0; r < 16 && run->test.Row(run->test.first + c) < 0; ++r)
        run->out[24 * r + c] = -std::numeric_limits<double>::infinity();
  }

  /// Each block adds tiles; sums are exact in any order.
  void Reduce(RowRun* run, int columns) {
    run->rows_after = run->rows;
    for (int r = 0; r < kernel_.rows; ++r) {
      long long row = run->test.Row(run->test.first + r);
      for (int c = 0; row >= 0 && c < columns; ++c)
        for (int block = 0; block < kernel_.blocks; ++block)
          for (int round = 0; round < run->more; ++round)
            run->rows_after[row - run->begin + c] +=
                (block * 3 + round * 5 + r * 7 + c) % 64;
    }
  }

  const RowKernel& kernel_;
  std::vector<RowRun> runs_;
};

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_ROW_CASES_H
