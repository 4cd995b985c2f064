//===- topk.cc - kernels of selection on the host -------------------------===//
//
// Runs the kernels of ../../select-on-host.mlir on rows of every kind and
// compares with a sort by keys. KERNELS is the file with their text.
//
//===----------------------------------------------------------------------===//

#include "cuda_runtime.h"
// Their text.
#include KERNELS

#include <algorithm>
#include <cstdio>
#include <random>
#include <vector>

namespace {

constexpr int kSlots = 64, kWarps = 4;

std::mt19937 generator(1);

bool isVisible(float x) { return x > -INFINITY; }

/// Keys of a row of which the first `sink` cells and the last `local` up to the
/// last visible one are forced.
std::vector<unsigned> keysOf(const std::vector<float>& row, int sink,
                             int local) {
  int end = static_cast<int>(row.size());
  while (end > 0 && !isVisible(row[end - 1])) --end;
  std::vector<unsigned> keys(row.size());
  for (int cell = 0; cell < end; ++cell) {
    if (!isVisible(row[cell])) continue;
    unsigned bits = __float_as_uint(row[cell] + 0.0f);
    keys[cell] = bits >> 31 ? ~bits : bits | 0x80000000u;
    if (cell < sink || cell >= end - local) keys[cell] = 0xffffffffu;
  }
  return keys;
}

float scoreOf(int kind) {
  float normal = std::normal_distribution<float>()(generator);
  switch (kind) {
    case 0:
      return normal;
    case 1:  // many ties
      return std::max(normal, 0.0f);
    case 2:  // what is not finite
      switch (generator() % 8) {
        case 0:
          return INFINITY;
        case 1:
          return NAN;
        case 2:
          return -INFINITY;
      }
      return normal;
    case 3:
      return 1.5f;
    case 4:  // mostly hidden
      return generator() % 3 ? -INFINITY : normal;
    case 5:  // every magnitude
      return std::ldexp(normal, static_cast<int>(generator() % 250) - 125);
    case 6:
      return INFINITY;
    case 7:  // subnormal
      return normal * 1e-44f;
    case 8:  // a range that overflows
      return generator() % 2 ? 3.4e38f : -3.4e38f;
    case 9:  // zeros of both signs
      return generator() % 2 ? 0.0f : -0.0f;
    default:
      return NAN;
  }
}

template <class Kernel>
bool isRight(const std::vector<float>& row, Kernel kernel, int sink,
             int local) {
  int count = -1, nans = -1, size = static_cast<int>(row.size());
  std::vector<int> indices(kSlots, -7);
  simt::Run({1, 1, 1}, 32 * kWarps, simt::kMaxSharedBytes, [&] {
    kernel(row.data(), &kSlots, indices.data(), &count, &nans, size, kSlots);
  });
  std::vector<unsigned> keys = keysOf(row, sink, local);
  std::vector<int> expected;
  for (int cell = 0; cell < size; ++cell)
    if (keys[cell]) expected.push_back(cell);
  std::stable_sort(expected.begin(), expected.end(),
                   [&](int a, int b) { return keys[a] > keys[b]; });
  expected.resize(std::min<size_t>(expected.size(), kSlots));
  std::sort(expected.begin(), expected.end());
  bool right = count == static_cast<int>(expected.size());
  expected.resize(kSlots, -1);
  return right && indices == expected &&
         nans == std::count_if(row.begin(), row.end(),
                               [](float x) { return x != x; });
}

}  // namespace

int main() {
  int wrong = 0;
  for (int kind = 0; kind <= 10; ++kind)
    // Few cells, whole steps, one cell more or less, several rounds of warps.
    for (int size :
         {1, 31, 63, 64, 65, 255, 256, 257, 1023, 1025, 2500, 4100}) {
      std::vector<float> row(size);
      for (float& x : row) x = scoreOf(kind);
      bool plain = isRight(row, topk, 0, 0);
      bool forced = isRight(row, topk_forced, 2, 3);
      if (plain && forced) continue;
      std::printf("wrong: scores of kind %d, %d cells%s%s\n", kind, size,
                  plain ? "" : ", none forced", forced ? "" : ", some forced");
      ++wrong;
    }
  std::printf("%d wrong\n", wrong);
  return wrong != 0;
}
