// -----------------------------------------------------------------------------
// File: wgmma_test.cc
// -----------------------------------------------------------------------------
//
// Products of a warpgroup in emulation: the kernels that the self-test runs on
// a GPU, and what a kernel may not do while products are in flight.

#include <cstdarg>
#include <cstdio>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gsa/device/tile.cuh"
#include "gtest/gtest.h"
#include "test/gpu/selftest/wgmma_cases.cuh"

#define GSA_WGMMA_BOTH(n) \
  GSA_WGMMA(n, bf16);     \
  GSA_WGMMA(n, f16)
GSA_WGMMA_BOTH(8);
GSA_WGMMA_BOTH(16);
GSA_WGMMA_BOTH(32);
GSA_WGMMA_BOTH(64);
GSA_WGMMA_BOTH(72);
GSA_WGMMA_BOTH(128);
GSA_WGMMA_BOTH(256);

namespace selftest {
namespace {

using ::testing::ExitedWithCode;
using ::testing::HasSubstr;

// What check_wgmma needs; names the first wrong number.
class Checks {
 public:
  void Context(const char* format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    context_ = text;
  }
  void Near(double got, double want, double tolerance, int i, int j) {
    ++count_;
    if (std::fabs(got - want) <= tolerance || wrong_++ > 0) return;
    ADD_FAILURE() << context_ << " [" << i << ", " << j << "]: got " << got
                  << ", expected " << want << " +- " << tolerance;
  }
  int count() const { return count_; }

 private:
  std::string context_;
  int count_ = 0, wrong_ = 0;
};

template <class Body>
void Launch(int shared_bytes, const Body& body) {
  gsa::emu::LaunchInfo info;
  info.warps = 4;
  info.sharedBytes = shared_bytes;
  gsa::emu::launch(info, body);
}

template <class Shape, class T>
void CheckShape(Checks& checks) {
  check_shape<Shape, T>(
      [](int form, const std::vector<T>& a, const std::vector<T>& b,
         std::vector<float>* out, int a_row, int b_row) {
        Launch(Shape::shared_bytes(form < kNnRegisters), [&] {
          wgmma_kernel<Shape, T>(a.data(), b.data(), out->data(), form, a_row,
                                 b_row);
        });
      },
      checks);
}

template <class T>
class WgmmaTest : public ::testing::Test {};
using Halves = ::testing::Types<bf16, f16>;
TYPED_TEST_SUITE(WgmmaTest, Halves);

TYPED_TEST(WgmmaTest, EveryFormOfWidths) {
  Checks checks;
  CheckShape<wgmma_shape<TypeParam, 8, 64, 64, swizzle_128b>, TypeParam>(
      checks);
  CheckShape<wgmma_shape<TypeParam, 72, 64, 128, swizzle_128b>, TypeParam>(
      checks);
  CheckShape<wgmma_shape<TypeParam, 128, 128, 128, swizzle_128b>, TypeParam>(
      checks);
  CheckShape<wgmma_shape<TypeParam, 256, 64, 256, swizzle_128b>, TypeParam>(
      checks);
  EXPECT_GT(checks.count(), 0);
}

TYPED_TEST(WgmmaTest, PanelsOf128And64And32Bytes) {
  Checks checks;
  CheckShape<wgmma_shape<TypeParam, 64, 64, 64, swizzle>, TypeParam>(checks);
  CheckShape<wgmma_shape<TypeParam, 32, 32, 32, swizzle>, TypeParam>(checks);
  CheckShape<wgmma_shape<TypeParam, 16, 16, 16, swizzle>, TypeParam>(checks);
}

template <class T, bool InRegisters>
void CheckPipeline(Checks& checks) {
  constexpr int kKeys = 64, kDepth = 128, kSteps = 4;
  check_pipeline<T, kKeys, kDepth, kSteps>(
      [](const std::vector<T>& q, const std::vector<T>& k,
         std::vector<float>* out) {
        Launch((64 + kSteps * kKeys) * kDepth * 2, [&] {
          wgmma_pipeline<T, kKeys, kDepth, kSteps, InRegisters>(
              q.data(), k.data(), out->data());
        });
      },
      checks);
}

TYPED_TEST(WgmmaTest, ProductsOfTwoStepsInFlight) {
  Checks checks;
  CheckPipeline<TypeParam, false>(checks);
  CheckPipeline<TypeParam, true>(checks);
}

TYPED_TEST(WgmmaTest, WideProductIsItsPieces) {
  using T = TypeParam;
  Checks checks;
  check_pieces<T, 128>(
      [](const std::vector<T>& a, const std::vector<T>& b,
         std::vector<float>* out) {
        Launch((64 + 128) * 256, [&] {
          wgmma_pieces<T, 128, 64>(a.data(), b.data(), out->data());
        });
      },
      checks);
}

// -----------------------------------------------------------------------------
// Misuse
// -----------------------------------------------------------------------------

// A warpgroup with tiles, an accumulator and a left operand that hold numbers.
struct Storage {
  using Tile = smem<bf16, 64, 64, swizzle_128b>;
  Tile tile = smem_alloc<Tile>(0);
  Tile other = smem_alloc<Tile>(8192);
  frag<float, 16, 64, acc> sum = frag_alloc<frag<float, 16, 64, acc>>();
  frag<bf16, 16, 64, lhs> left = frag_alloc<frag<bf16, 16, 64, lhs>>();

  Storage() {
    for (int r = 0; r < 64; ++r)
      if (r % 4 == gsa::emu::self->index)
        for (int c = 0; c < 64; ++c) {
          tile.set("test", r, c, to_bf16(1));
          other.set("test", r, c, to_bf16(2));
        }
    sync<team<0, 4>, 0>();
    load_lhs(left, tile, 0);
    fill(sum, 0.0f);
  }
};

template <class Body>
void LaunchWith(const Body& body) {
  Launch(16384, [&] {
    Storage storage;
    body(storage);
  });
}

class WgmmaMisuseTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

template <class Body>
void ExpectMisuse(const char* message, const Body& body) {
  EXPECT_EXIT(LaunchWith(body), ExitedWithCode(gsa::emu::kMisuse),
              HasSubstr(message));
}

TEST_F(WgmmaMisuseTest, LegalOrderIsNoMisuse) {
  LaunchWith([](Storage& s) {
    wgmma_fence(s.left, s.sum);
    wgmma_nt(s.sum, s.left, s.tile, 0);
    wgmma_commit();
    EXPECT_NE(s.sum.v[0][0], s.sum.v[0][0]) << "in flight";
    EXPECT_NE(to_float(s.left.v[0][0]), to_float(s.left.v[0][0]));
    wgmma_nn(s.sum, s.left, s.other, 0);
    wgmma_commit();
    wgmma_wait<1>();
    EXPECT_NE(s.sum.v[0][0], s.sum.v[0][0]) << "still in flight";
    wgmma_wait<0>(s.sum);
    EXPECT_EQ(s.sum.v[3][5], 64 + 128);
    EXPECT_EQ(to_float(s.left.v[0][0]), 1);
    // The left operand was not touched since its fence.
    wgmma_fence();
    wgmma_nt<false>(s.sum, s.left, s.tile, 0);
    wgmma_commit();
    wgmma_wait<0>(s.sum);
    EXPECT_EQ(s.sum.v[3][5], 64);
  });
}

TEST_F(WgmmaMisuseTest, AccumulatorWrittenInFlight) {
  ExpectMisuse(
      "wgmma_nt: the accumulator was written while the product was in flight",
      [](Storage& s) {
        wgmma_fence(s.sum);
        wgmma_nt(s.sum, s.tile, 0, s.tile, 0);
        wgmma_commit();
        fill(s.sum, 0.0f);
        wgmma_wait<0>();
      });
}

TEST_F(WgmmaMisuseTest, LeftOperandWrittenInFlight) {
  ExpectMisuse(
      "wgmma_nn: the left operand was written while the product was in flight",
      [](Storage& s) {
        wgmma_fence(s.sum, s.left);
        wgmma_nn(s.sum, s.left, s.tile, 0);
        wgmma_commit();
        load_lhs(s.left, s.other, 0);
        wgmma_wait<0>();
      });
}

TEST_F(WgmmaMisuseTest, RightOperandOverwrittenInFlight) {
  ExpectMisuse(
      "wgmma_nn: the right operand at offset 8192 was overwritten before a "
      "wgmma_wait",
      [](Storage& s) {
        wgmma_fence(s.sum, s.left);
        wgmma_nn(s.sum, s.left, s.other, 0);
        wgmma_commit();
        sync<team<0, 4>, 0>();
        if (gsa::emu::self->index == 0) s.other.set("test", 63, 63, to_bf16(7));
        sync<team<0, 4>, 0>();
        wgmma_wait<0>();
      });
}

TEST_F(WgmmaMisuseTest, LeftTileOverwrittenInFlight) {
  ExpectMisuse(
      "wgmma_nt: the left operand at offset 0 was overwritten before a "
      "wgmma_wait",
      [](Storage& s) {
        wgmma_fence(s.sum);
        wgmma_nt(s.sum, s.tile, 0, s.other, 0);
        wgmma_commit();
        s.tile.set("test", 16 * gsa::emu::self->index, 0, to_bf16(7));
        wgmma_wait<0>();
      });
}

TEST_F(WgmmaMisuseTest, WrittenAfterItsFence) {
  ExpectMisuse("wgmma_nt: the accumulator was written after its last",
               [](Storage& s) {
                 wgmma_fence(s.sum);
                 fill(s.sum, 1.0f);
                 wgmma_nt(s.sum, s.tile, 0, s.tile, 0);
               });
  ExpectMisuse(
      "wgmma_nn: the left operand was written after its last wgmma_fence, or "
      "never named in one",
      [](Storage& s) {
        wgmma_fence(s.sum);
        wgmma_nn(s.sum, s.left, s.tile, 0);
      });
}

TEST_F(WgmmaMisuseTest, NoFenceAfterAWait) {
  ExpectMisuse(
      "wgmma_nt: no wgmma_fence between the last wgmma_wait and the product",
      [](Storage& s) {
        wgmma_fence(s.sum);
        wgmma_nt(s.sum, s.tile, 0, s.tile, 0);
        wgmma_commit();
        wgmma_wait<0>(s.sum);
        wgmma_nt<false>(s.sum, s.tile, 0, s.tile, 0);
      });
}

TEST_F(WgmmaMisuseTest, WaitNamesAFragmentInFlight) {
  ExpectMisuse("wgmma_wait: a fragment that it names is in flight",
               [](Storage& s) {
                 wgmma_fence(s.sum);
                 wgmma_nt(s.sum, s.tile, 0, s.tile, 0);
                 wgmma_commit();
                 wgmma_wait<1>(s.sum);
               });
}

TEST_F(WgmmaMisuseTest, EndsWithProductsInFlight) {
  ExpectMisuse(
      "wgmma_wait: a fragment ends while products that use it are in flight",
      [](Storage& s) {
        wgmma_fence(s.sum);
        wgmma_nt(s.sum, s.tile, 0, s.tile, 0);
        wgmma_commit();
      });
}

TEST_F(WgmmaMisuseTest, RowsAreGroupsOfTheSwizzle) {
  ExpectMisuse("row 4 of the right operand is no multiple of 8, a group",
               [](Storage& s) {
                 auto part = smem<bf16, 128, 64, swizzle_128b>{s.tile.base};
                 wgmma_fence(s.sum);
                 wgmma_nt(s.sum, s.tile, 0, part, 4);
               });
  ExpectMisuse("row 8 of the left operand is no multiple of 64, a panel",
               [](Storage& s) {
                 auto wide = smem<bf16, 64, 128, swizzle_128b>{s.tile.base};
                 wgmma_fence(s.sum);
                 wgmma_nn<true, true>(s.sum, wide, 8, s.tile, 0);
               });
  ExpectMisuse("the right operand is at offset 512, no multiple of 1024",
               [](Storage& s) {
                 auto moved =
                     smem<bf16, 64, 64, swizzle_128b>{s.tile.base + 512};
                 wgmma_fence(s.sum);
                 wgmma_nt(s.sum, s.tile, 0, moved, 0);
               });
}

TEST_F(WgmmaMisuseTest, RowsAreWithinTheTile) {
  ExpectMisuse("wgmma_nt: row 64, columns 0 to 64 of a tile of 64 x 64",
               [](Storage& s) {
                 wgmma_fence(s.sum);
                 wgmma_nt(s.sum, s.tile, 8, s.tile, 0);
                 // The last warp finds it.
                 sync<team<0, 4>, 0>();
               });
}

}  // namespace
}  // namespace selftest
