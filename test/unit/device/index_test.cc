// -----------------------------------------------------------------------------
// File: index_test.cc
// -----------------------------------------------------------------------------
//
// Index arithmetic of the device headers on the host (simt/simt.h) against
// formulas written down here: what no array of a GPU's self-test is large
// enough for, addresses beyond 2^31 elements and 4 GiB, counts up to the
// largest int; and the places of fragments, rings and swizzles one by one.

#include <sys/mman.h>

#include <array>
#include <climits>
#include <set>

#include "cuda_runtime.h"
#include "gmock/gmock.h"
#include "gsa/device/tile.cuh"
#include "gtest/gtest.h"

namespace gsa::dev {
namespace {

using ::testing::SizeIs;

// An address that is computed with and never used.
template <class T>
T* Base() {
  return reinterpret_cast<T*>(uintptr_t{1} << 40);
}
template <class T>
long long Distance(T* to) {
  return (reinterpret_cast<intptr_t>(to) -
          reinterpret_cast<intptr_t>(Base<T>())) /
         static_cast<long long>(sizeof(T));
}

TEST(DeviceIndex, ElementsBeyond32Bits) {
  constexpr long long kBillion = 1000000000;
  EXPECT_EQ(Distance(at(Base<float>(), indices(7), sizes())), 7);
  EXPECT_EQ(Distance(at(Base<bf16>(), indices(3, 5), sizes(kBillion))),
            3 * kBillion + 5);
  EXPECT_EQ(
      Distance(at(Base<float>(), indices(70000, 69999, 3), sizes(70001, 4))),
      (70000LL * 70001 + 69999) * 4 + 3);
  EXPECT_EQ(
      Distance(at(Base<double>(), indices(INT_MAX, 1, 2, 3), sizes(8, 16, 4))),
      ((INT_MAX * 8LL + 1) * 16 + 2) * 4 + 3);
}

TEST(DeviceIndex, RowsBeyond32Bits) {
  const long long pitch = (1LL << 33) + 24, apart = 1LL << 41;
  const auto strided = strided_rows(Base<bf16>(), pitch, 100);
  EXPECT_EQ(Distance(strided.row(77)), 77 * pitch);
  EXPECT_EQ(Distance(strided.from(50).row(27)), 77 * pitch);
  EXPECT_EQ(Distance(strided_rows(Base<float>(), 100000LL, 100000).row(99999)),
            99999 * 100000LL);
  const auto levels = two_level_rows<8>(Base<float>(), pitch, 5, 100);
  EXPECT_EQ(Distance(levels.row(83)), 10 * pitch + 3 * 5);
  const auto turns = interleaved_rows(Base<bf16>(), pitch, apart, 100);
  // Row 16 * 2 + 8 + 5.
  EXPECT_EQ(Distance(turns.row(45)), (8 * 2 + 5) * pitch + apart);
  EXPECT_EQ(Distance(turns.row(37)), (8 * 2 + 5) * pitch);
  const int list[] = {0};
  EXPECT_EQ(Distance(listed_rows(Base<float>(), pitch, list, 1, 100).row(99)),
            99 * pitch);
}

// Each element of a grid is one thread's, in steps of all threads.
TEST(DeviceIndex, ElementsOfAGrid) {
  blockDim = {1024, 1, 1};
  gridDim = {1u << 20, 1u << 10, 8};
  blockIdx = {1000000, 1000, 7};
  threadIdx = {1001, 0, 0};
  const long long block = 1000000 + (1LL << 20) * (1000 + (1LL << 10) * 7);
  EXPECT_EQ(first_element(), block * 1024 + 1001);
  EXPECT_EQ(element_step(), (1LL << 20) * (1LL << 10) * 8 * 1024);
  EXPECT_EQ(next_element(5), 5 + (1LL << 43));
  // All of a small one, each once.
  blockDim = {32, 1, 1};
  gridDim = {3, 2, 4};
  std::set<long long> seen;
  for (unsigned z = 0; z < 4; ++z)
    for (unsigned y = 0; y < 2; ++y)
      for (unsigned x = 0; x < 3; ++x)
        for (unsigned thread = 0; thread < 32; ++thread) {
          blockIdx = {x, y, z};
          threadIdx = {thread, 0, 0};
          seen.insert(first_element());
        }
  EXPECT_THAT(seen, SizeIs(3 * 2 * 4 * 32));
  EXPECT_EQ(*seen.begin(), 0);
  EXPECT_EQ(*seen.rbegin(), element_step() - 1);
  EXPECT_EQ(block_id<0>() + 10 * block_id<1>() + 100 * block_id<2>(), 312);
  EXPECT_EQ(grid_size<0>() + 10 * grid_size<1>() + 100 * grid_size<2>(), 423);
}

template <int Stages>
void CheckRing() {
  const ring<Stages> r{1000};
  std::set<unsigned> barriers;
  for (int slot = 0; slot < Stages; ++slot) {
    barriers.insert(r.full(slot));
    barriers.insert(r.empty(slot));
  }
  EXPECT_THAT(barriers, SizeIs(2 * Stages));
  EXPECT_EQ(*barriers.begin(), 1000u);
  EXPECT_EQ(*barriers.rbegin(), 1000u + 8 * (2 * Stages - 1));
  // Slots in turn; the parity changes with each pass over the ring.
  int slot = 0;
  unsigned parity = 0;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(r.slot(i), slot) << i;
    EXPECT_EQ(r.parity(i), parity) << i;
    if (++slot == Stages) slot = 0, parity ^= 1;
  }
  for (int i : {INT_MAX, INT_MAX - 1, INT_MAX - Stages}) {
    EXPECT_EQ(r.slot(i), i % Stages);
    EXPECT_EQ(r.parity(i), static_cast<unsigned>(i / Stages % 2));
  }
}

TEST(DeviceIndex, SlotsAndParitiesOfRings) {
  CheckRing<1>();
  CheckRing<2>();
  CheckRing<3>();
  CheckRing<4>();
  CheckRing<7>();
}

// PTX ISA, accumulators of mma.m16n8k16: c0, c1 in row groupID, c2, c3 8 rows
// below; columns 2 * threadID_in_group and the next one.
TEST(DeviceIndex, PlacesOfFragments) {
  std::set<std::pair<int, int>> seen;
  for (unsigned lane = 0; lane < 32; ++lane) {
    threadIdx = {64 + lane, 0, 0};
    for (int block = 0; block < 3; ++block)
      for (int i = 0; i < 4; ++i) {
        const int row = static_cast<int>(lane / 4) + (i >= 2 ? 8 : 0);
        const int column = 8 * block + static_cast<int>(lane % 4) * 2 + (i % 2);
        EXPECT_EQ(frag_row(i), row);
        EXPECT_EQ(frag_column(block, i), column);
        seen.insert({frag_row(i), frag_column(block, i)});
      }
  }
  EXPECT_THAT(seen, SizeIs(16 * 24));
}

// Every element has bytes of its own within the tile; 8 rows that follow each
// other have a chunk of 16 bytes in 8 groups of banks.
template <class T, int Rows, int Columns, smem_layout Layout>
void CheckTile() {
  using tile = smem<T, Rows, Columns, Layout>;
  constexpr int kSize = sizeof(T), kRow = Columns * kSize;
  std::set<int> seen;
  for (int r = 0; r < Rows; ++r)
    for (int c = 0; c < Columns; ++c) {
      const int offset = tile::offset(r, c);
      EXPECT_EQ(offset % kSize, 0);
      EXPECT_TRUE(offset >= 0 && offset < tile::bytes);
      seen.insert(offset);
      const int byte = c * kSize, chunk = byte / 16, within = byte % 16;
      int want = r * kRow + byte;
      if (Layout == swizzle_128b) {
        want = chunk / 8 * (Rows * 128) + r * 128 + (chunk % 8 ^ r % 8) * 16 +
               within;
      } else if (Layout == swizzle) {
        // Rows of an odd number of chunks need none; the longest power of two
        // that divides it, up to 8, is what is permuted.
        int period = 1;
        while (period < 8 && kRow / 16 % (2 * period) == 0) period *= 2;
        const int flip = r * period / 8 % period;
        want = r * kRow +
               (chunk / period * period + (chunk % period ^ flip)) * 16 +
               within;
      }
      EXPECT_EQ(offset, want) << r << ", " << c;
    }
  EXPECT_THAT(seen, SizeIs(Rows * Columns));
  if (Layout == linear || Rows < 8) return;
  for (int r = 0; r + 8 <= Rows; r += 8)
    for (int c = 0; c < Columns; c += 16 / kSize) {
      std::set<int> groups;
      for (int i = 0; i < 8; ++i)
        groups.insert(tile::offset(r + i, c) / 16 % 8);
      EXPECT_THAT(groups, SizeIs(8)) << r << ", " << c;
    }
}

TEST(DeviceIndex, TilesInSharedMemory) {
  CheckTile<float, 9, 7, linear>();
  CheckTile<bf16, 16, 8, swizzle>();
  CheckTile<bf16, 16, 16, swizzle>();
  CheckTile<bf16, 24, 24, swizzle>();
  CheckTile<bf16, 16, 32, swizzle>();
  CheckTile<bf16, 16, 96, swizzle>();
  CheckTile<float, 16, 64, swizzle>();
  CheckTile<bf16, 8, 80, swizzle>();
  CheckTile<bf16, 16, 64, swizzle_128b>();
  CheckTile<f16, 24, 192, swizzle_128b>();
  CheckTile<float, 16, 64, swizzle_128b>();
}

// The list of a row begins beyond 2^31 pairs: of memory that is there once it
// is touched.
TEST(DeviceIndex, ListsBeyond32Bits) {
  constexpr int kCapacity = 1 << 27, kRow = 17;
  constexpr size_t kBytes = size_t{8} * kCapacity * (kRow + 1);
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) GTEST_SKIP() << "no address space";
  auto* list = static_cast<int*>(memory);
  std::array<int, 32> counts = {};
  simt::Run({1, 1, 1}, 32, 32 * 96, [&] {
    auto staged = smem_alloc<smem<int, 32, 24, linear>>(0);
    auto bytes = lanes_alloc<lanes<int, 1>>();
    rowvec<float, 8> bounds{{0.5f}};
    frag<float, 8, 32, acc> scores;
    for_elements(scores, [](float& x, int row, int column) {
      x = row == 1 && column == 30 ? 1.0f : 0.0f;
    });
    append_candidates(list, counts.data(), staged, bytes, scores, bounds, 0,
                      kRow - 1, kRow + 1, kCapacity, 0);
    flush_candidates(list, counts.data(), staged, bytes, 0, kRow - 1, kRow + 1,
                     kCapacity);
  });
  EXPECT_EQ(counts[kRow], 1);
  const int* pair = list + 2LL * kRow * kCapacity;
  EXPECT_EQ(pair[0], __float_as_int(1.0f));
  EXPECT_EQ(pair[1], 30);
  munmap(memory, kBytes);
}

// One warp of a block is one rank of a team; turns are of whole groups.
TEST(DeviceIndex, WarpsOfTeams) {
  std::array<int, 12> ranks = {}, groups = {};
  simt::Run({1, 1, 1}, 12 * 32, 0, [&] {
    const int number = warp();
    const int rank = in_team<team<4, 8>>() ? warp_rank<team<4, 8>>() : -1;
    const int group = turns<team<4, 8>, 2>::group();
    if (lane() == 5) ranks[number] = rank, groups[number] = group;
  });
  EXPECT_THAT(ranks,
              ::testing::ElementsAre(-1, -1, -1, -1, 0, 1, 2, 3, 4, 5, 6, 7));
  for (int i = 4; i < 12; ++i) EXPECT_EQ(groups[i], (i - 4) / 4);
  EXPECT_EQ((turns<team<4, 8>, 2>::threads), 256);
}

}  // namespace
}  // namespace gsa::dev
