//===- stream_cases.h - what rings, cursors and turns give ------*- C++ -*-===//
//
// Cases for the kernels of stream_kernels.cuh, on a GPU (stream_tests.cuh) and
// in emulation (test/unit/emu/streams_test.cc).
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_GPU_SELFTEST_STREAM_CASES_H
#define GSA_TEST_GPU_SELFTEST_STREAM_CASES_H

#include <algorithm>
#include <vector>

namespace selftest {

/// Tiles of the streams that go through one ring after each other.
inline const std::vector<std::vector<int>>& StreamCounts() {
  static const std::vector<std::vector<int>> counts = {
      {0},          {7}, {3, 5}, {1, 4}, {1, 1, 1, 1, 1}, {0, 3, 0, 7, 2},
      {5, -3, 4, 9}};
  return counts;
}

inline int TilesOf(const std::vector<int>& counts) {
  int tiles = 0;
  for (int count : counts) tiles += std::max(count, 0);
  return tiles;
}

/// Of 8 x 16 elements each.
inline std::vector<int> StreamElements(int tiles) {
  std::vector<int> stream;
  for (int i = 0; i < tiles * 128; ++i) stream.push_back(i * 31 % 1009);
  return stream;
}

/// As both readers see the tiles.
inline std::vector<int> StreamSums(const std::vector<int>& stream) {
  std::vector<int> sums(stream.size() / 64);
  for (size_t i = 0; i < stream.size(); ++i)
    for (size_t reader : {0, 1})
      sums[i / 128 * 2 + reader] += stream[i] * static_cast<int>(i % 128 + 1);
  return sums;
}

/// Turns go round, in each pass from group 0 on.
inline std::vector<int> TurnLog(int groups, int passes, int rounds) {
  std::vector<int> log;
  for (int pass = 0; pass < passes; ++pass)
    for (int round = 0; round < rounds; ++round)
      for (int group = 0; group < groups; ++group)
        log.push_back(1000 * pass + 10 * round + group);
  return log;
}

/// Tiles of a matrix of small numbers, below each other. A tile is `boxes`
/// boxes side by side.
struct BoxCase {
  int rows, columns;  ///< Of the matrix.
  int box_rows, box_columns, boxes;

  constexpr int TileColumns() const { return boxes * box_columns; }

  static int Value(int row, int column) { return row * 7 % 100 + column; }

  std::vector<double> Matrix() const {
    std::vector<double> matrix;
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < columns; ++c) matrix.push_back(Value(r, c));
    return matrix;
  }
  /// What is outside the matrix is 0.
  std::vector<double> Boxes(int row, int column, int count) const {
    std::vector<double> tiles;
    for (int r = row; r < row + count * box_rows; ++r)
      for (int c = column; c < column + TileColumns(); ++c)
        tiles.push_back(
            r >= 0 && r < rows && c >= 0 && c < columns ? Value(r, c) : 0);
    return tiles;
  }
};

/// The matrices of load_boxes, bf16 and f32, and where its boxes start.
inline constexpr BoxCase kKeyBoxes = {67, 136, 24, 64, 2};
inline constexpr BoxCase kNumberBoxes = {19, 20, 8, 16, 1};
struct BoxStart {
  int row, column, tiles;
};
inline constexpr BoxStart kBoxStarts[] = {{0, 0, 0},  {0, 0, 1},  {0, 0, 5},
                                          {-3, 8, 4}, {5, -8, 3}, {40, 16, 2}};

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_STREAM_CASES_H
