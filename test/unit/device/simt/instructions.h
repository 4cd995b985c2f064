// -----------------------------------------------------------------------------
// File: instructions.h
// -----------------------------------------------------------------------------
//
// The PTX instructions that the device library uses, for the host: each named
// after its opcode, with the operands of the asm statement in their order
// (host_headers.py). After the PTX ISA, not after the library; copies that are
// asynchronous happen as late as the ISA allows a thread to notice, when they
// are waited for.

#ifndef GSA_TEST_UNIT_DEVICE_SIMT_INSTRUCTIONS_H_
#define GSA_TEST_UNIT_DEVICE_SIMT_INSTRUCTIONS_H_

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "simt.h"

namespace host_asm {

// NOLINTBEGIN(readability-identifier-naming): names are opcodes.

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

// A 16-bit format of `Exponent` and `Mantissa` bits, by its bits.
template <int Exponent, int Mantissa>
struct Format16 {
  static constexpr int kBias = (1 << (Exponent - 1)) - 1;
  static constexpr int kInfinity = ((1 << Exponent) - 1) << Mantissa;

  static float Widen(uint32_t bits) {
    static const auto& table = *new std::vector<float>(Table());
    return table[bits & 0xffff];
  }
  static std::vector<float> Table() {
    std::vector<float> table;
    for (uint32_t bits = 0; bits < 65536; ++bits) table.push_back(Value(bits));
    return table;
  }
  static float Value(uint32_t bits) {
    const int exponent =
        static_cast<int>(bits >> Mantissa) & ((1 << Exponent) - 1);
    const int mantissa = static_cast<int>(bits) & ((1 << Mantissa) - 1);
    double magnitude = std::ldexp(mantissa, 1 - kBias - Mantissa);
    if (exponent == (1 << Exponent) - 1)
      magnitude = mantissa != 0 ? NAN : INFINITY;
    else if (exponent != 0)
      magnitude =
          std::ldexp((1 << Mantissa) + mantissa, exponent - kBias - Mantissa);
    return static_cast<float>(bits >> 15 & 1 ? -magnitude : magnitude);
  }
  // To nearest, ties to even, once.
  static uint16_t Round(double x) {
    if (x != x) return 0x7fff;
    const int sign = std::signbit(x) ? 0x8000 : 0;
    const double magnitude = std::fabs(x);
    if (std::isinf(x)) return static_cast<uint16_t>(sign | kInfinity);
    int exponent;
    std::frexp(magnitude, &exponent);
    if (exponent > kBias + 1) return static_cast<uint16_t>(sign | kInfinity);
    if (magnitude == 0 || exponent < 2 - kBias) exponent = 2 - kBias;
    // In units of the last place; a carry goes on into the exponent.
    const double units =
        std::nearbyint(std::ldexp(magnitude, Mantissa + 1 - exponent));
    return static_cast<uint16_t>(sign | (((exponent + kBias - 2) << Mantissa) +
                                         static_cast<int>(units)));
  }
};
using Bf16 = Format16<8, 7>;
using F16 = Format16<5, 10>;

inline float flush(float x) {
  return std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x;
}

inline void cvt_f32_f16(float& y, unsigned short x) { y = F16::Widen(x); }
inline void cvt_rn_bf16_f32(unsigned short& y, float x) { y = Bf16::Round(x); }
inline void cvt_rn_f16_f32(unsigned short& y, float x) { y = F16::Round(x); }
inline void cvt_rn_bf16x2_f32(unsigned& y, float high, float low) {
  y = unsigned{Bf16::Round(high)} << 16 | Bf16::Round(low);
}
inline void cvt_rn_f16x2_f32(unsigned& y, float high, float low) {
  y = unsigned{F16::Round(high)} << 16 | F16::Round(low);
}
inline void ex2_approx_ftz_f32(float& y, float x) {
  y = flush(static_cast<float>(std::exp2(static_cast<double>(flush(x)))));
}
inline void rcp_approx_ftz_f32(float& y, float x) {
  y = flush(static_cast<float>(1.0 / static_cast<double>(flush(x))));
}
inline void tanh_approx_f32(float& y, float x) {
  y = static_cast<float>(std::tanh(static_cast<double>(x)));
}
inline void fma_rn_bf16x2(unsigned& z, unsigned x, unsigned y, unsigned w) {
  const auto half = [&](int shift) {
    return unsigned{Bf16::Round(double{Bf16::Widen(x >> shift)} *
                                    Bf16::Widen(y >> shift) +
                                Bf16::Widen(w >> shift))}
           << shift;
  };
  z = half(16) | half(0);
}
inline void max_NaN_f32(float& z, float x, float y) {
  z = x != x || y != y ? NAN
      : x == y         ? (std::signbit(x) ? y : x)
                       : (x > y ? x : y);
}
inline void min_NaN_f32(float& z, float x, float y) {
  z = x != x || y != y ? NAN
      : x == y         ? (std::signbit(x) ? x : y)
                       : (x < y ? x : y);
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

inline void barrier_sync(int barrier, int threads) {
  simt::BarrierSync(barrier, threads);
}
inline void barrier_arrive(int barrier, int threads) {
  simt::BarrierArrive(barrier, threads);
}
// Clusters of one block.
inline void barrier_cluster_arrive_release() {
  simt::BarrierSync(0, simt::NumThreads());
}
template <class Count>
void setmaxnreg_inc_sync_aligned_u32(Count) {}
template <class Count>
void setmaxnreg_dec_sync_aligned_u32(Count) {}
template <class Address>
inline void prefetch_global_L2(Address) {}
inline void griddepcontrol_wait() {}
inline void griddepcontrol_launch_dependents() {}

inline void mbarrier_init_shared_b64(unsigned barrier, int arrivals) {
  simt::Mbarrier& state = simt::MbarrierAt(barrier);
  state.phase = 0;
  state.missing = state.expected = static_cast<uint32_t>(arrivals);
  state.bytes = 0;
}
inline void fence_proxy_async_shared_cta() {}
inline void mbarrier_arrive_shared_b64(unsigned barrier) {
  simt::Mbarrier& state = simt::MbarrierAt(barrier);
  if (state.missing == 0) simt::Fail("an arrival that nobody expects");
  --state.missing;
  state.Settle();
}
inline void cp_async_mbarrier_arrive_noinc_shared_b64(unsigned barrier) {
  simt::FinishCopies();
  mbarrier_arrive_shared_b64(barrier);
}
// True once the phase of that parity is complete, for which it may wait: the
// phase that is under way then has the other one.
inline void mbarrier_try_wait_parity_shared_b64(unsigned& done,
                                                unsigned barrier,
                                                unsigned parity) {
  simt::Mbarrier& state = simt::MbarrierAt(barrier);
  const auto complete = [&] { return (state.phase & 1) != parity; };
  if (!complete()) simt::WaitWhile(state.word(), state.word());
  done = complete();
}
inline void mbarrier_test_wait_parity_shared_b64(unsigned& done,
                                                 unsigned barrier,
                                                 unsigned parity) {
  mbarrier_try_wait_parity_shared_b64(done, barrier, parity);
}
inline void mbarrier_expect_tx_relaxed_cta_shared_cta_b64(unsigned barrier,
                                                          int bytes) {
  simt::MbarrierAt(barrier).bytes += bytes;
}
inline void Landed(unsigned barrier, int bytes) {
  simt::Mbarrier& state = simt::MbarrierAt(barrier);
  state.bytes -= bytes;
  state.Settle();
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

inline void Copy(unsigned target, const void* source, int bytes, int valid) {
  void* to = simt::SharedMemory(target, bytes, bytes);
  if (valid < 0 || valid > bytes) simt::Fail("%d of %d bytes", valid, bytes);
  if (valid > 0 &&
      reinterpret_cast<uintptr_t>(source) % static_cast<uintptr_t>(bytes) != 0)
    simt::Fail("a copy of %d bytes from %p", bytes, source);
  simt::AddCopy([=] {
    std::memset(to, 0, static_cast<size_t>(bytes));
    if (valid > 0) std::memcpy(to, source, static_cast<size_t>(valid));
  });
}
inline void cp_async_cg_shared_global_L2_128B(unsigned target,
                                              const void* source, int valid) {
  Copy(target, source, 16, valid);
}
inline void cp_async_ca_shared_global(unsigned target, const void* source,
                                      int bytes, int valid) {
  Copy(target, source, bytes, valid);
}
inline void cp_async_cg_shared_global_L2_128B_if(unsigned target,
                                                 const void* source,
                                                 int exists) {
  Copy(target, source, 16, exists != 0 ? 16 : 0);
}
inline void cp_async_ca_shared_global_if(unsigned target, const void* source,
                                         int bytes, int exists) {
  Copy(target, source, bytes, exists != 0 ? bytes : 0);
}
inline void cp_async_wait_all() { simt::FinishCopies(); }

inline void cp_async_bulk_shared_cluster_global_mbarrier_complete_tx_bytes(
    unsigned target, size_t source, int bytes, unsigned barrier) {
  if (source % 16 != 0 || bytes % 16 != 0 || bytes <= 0)
    simt::Fail("a bulk copy of %d bytes from %zx", bytes, source);
  std::memcpy(simt::SharedMemory(target, bytes, 16),
              reinterpret_cast<const void*>(source),
              static_cast<size_t>(bytes));
  Landed(barrier, bytes);
}
inline void cp_reduce_async_bulk_global_shared_cta_bulk_group_add_f32(
    size_t target, unsigned source, int bytes) {
  if (target % 16 != 0 || bytes % 16 != 0 || bytes <= 0)
    simt::Fail("a bulk addition of %d bytes to %zx", bytes, target);
  const auto* from =
      static_cast<const float*>(simt::SharedMemory(source, bytes, 16));
  auto* to = reinterpret_cast<float*>(target);
  simt::AddCopy([=] {
    for (int i = 0; i < bytes / 4; ++i) to[i] += from[i];
  });
}
inline float& AddTarget(size_t address, size_t alignment) {
  if (address % alignment != 0) simt::Fail("an addition to %zx", address);
  return *reinterpret_cast<float*>(address);
}
inline void red_relaxed_gpu_global_add_f32(size_t target, float x) {
  AddTarget(target, 4) += x;
}
inline void red_relaxed_gpu_global_add_v2_f32(size_t target, float x, float y) {
  AddTarget(target, 8) += x;
  AddTarget(target + 4, 4) += y;
}
inline void cp_async_bulk_commit_group() {}
inline void cp_async_bulk_wait_group_read() { simt::FinishCopies(); }

// The swizzles of panels of 128, 64 and 32 bytes: of the address, the number of
// the 16-byte chunk is xored with that of the 128-byte line.
inline unsigned Swizzled(unsigned address, int panel) {
  return address ^
         ((address >> 7 & (static_cast<unsigned>(panel) / 16 - 1)) << 4);
}

struct TensorMap {
  const void* data;
  long long columns, rows, pitch;  // pitch in bytes
  int box_columns, box_rows, element_bytes;
  bool swizzle_128b;
};
inline void
cp_async_bulk_tensor_2d_shared_cluster_global_tile_mbarrier_complete_tx_bytes(
    unsigned target, const void* pointer, int column, int row,
    unsigned barrier) {
  TensorMap map;
  std::memcpy(&map, pointer, sizeof(map));
  const int row_bytes = map.box_columns * map.element_bytes;
  if (map.swizzle_128b && row_bytes > 128)
    simt::Fail("a swizzled box with rows of %d bytes", row_bytes);
  simt::SharedMemory(target, row_bytes * map.box_rows,
                     map.swizzle_128b ? 1024 : 128);
  for (int r = 0; r < map.box_rows; ++r)
    for (int c = 0; c < map.box_columns; ++c) {
      unsigned address =
          target + static_cast<unsigned>(r * row_bytes + c * map.element_bytes);
      if (map.swizzle_128b) address = Swizzled(address, 128);
      void* to =
          simt::SharedMemory(address, map.element_bytes, map.element_bytes);
      const long long i = row + r, j = column + c;
      std::memset(to, 0, static_cast<size_t>(map.element_bytes));
      if (i >= 0 && i < map.rows && j >= 0 && j < map.columns)
        std::memcpy(to,
                    static_cast<const char*>(map.data) + i * map.pitch +
                        j * map.element_bytes,
                    static_cast<size_t>(map.element_bytes));
    }
  Landed(barrier, row_bytes * map.box_rows);
}

//===----------------------------------------------------------------------===//
// Accesses, some under a condition
//===----------------------------------------------------------------------===//

inline void ld_global_f32_if(float& x, size_t base, int condition, int bytes) {
  if (condition != 0)
    std::memcpy(&x, reinterpret_cast<const char*>(base) + bytes, 4);
}
inline void ld_global_u32_if(int& x, size_t address, int condition) {
  if (condition != 0)
    std::memcpy(&x, reinterpret_cast<const void*>(address), 4);
}
inline void st_global_u32_if(size_t address, int value, int condition) {
  if (condition != 0) std::memcpy(reinterpret_cast<void*>(address), &value, 4);
}
inline void ld_shared_u32_if(int& x, unsigned address, int condition) {
  if (condition != 0) std::memcpy(&x, simt::SharedMemory(address, 4, 4), 4);
}
inline void st_shared_u32_if(unsigned address, unsigned value, int condition) {
  if (condition != 0) std::memcpy(simt::SharedMemory(address, 4, 4), &value, 4);
}
inline void red_shared_add_s32_if(unsigned address, int value, int condition) {
  if (condition != 0)
    *static_cast<int*>(simt::SharedMemory(address, 4, 4)) += value;
}
inline void red_shared_or_b32_if(unsigned address, unsigned bits,
                                 int condition) {
  if (condition != 0)
    *static_cast<unsigned*>(simt::SharedMemory(address, 4, 4)) |= bits;
}
inline void st_shared_v2_b32(unsigned address, int x, int y) {
  const int pair[] = {x, y};
  std::memcpy(simt::SharedMemory(address, 8, 8), pair, 8);
}
// With the step of the address that stands behind it.
inline void st_shared_v2_b32_if(unsigned& address, float score, float bound,
                                int x, int y) {
  if (!(score >= bound)) return;
  st_shared_v2_b32(address, x, y);
  address += 8;
}
inline void ld_shared_v2_b32(int& x, int& y, unsigned address) {
  const int* pair = static_cast<const int*>(simt::SharedMemory(address, 8, 8));
  x = pair[0], y = pair[1];
}
inline void ld_shared_v4_b32(int& x, int& y, int& z, int& w, unsigned address) {
  const int* four =
      static_cast<const int*>(simt::SharedMemory(address, 16, 16));
  x = four[0], y = four[1], z = four[2], w = four[3];
}

//===----------------------------------------------------------------------===//
// Matrices of 8 x 8
//===----------------------------------------------------------------------===//

// Element (row, column) of matrix i, whose rows are at the addresses of lanes
// 8 i to 8 i + 7. Lane l holds (l / 4, 2 (l % 4)) and the next one of the row.
template <bool Transpose, int Count>
void LoadMatrices(const char* name, unsigned* const (&to)[Count],
                  unsigned row) {
  const uint64_t* rows = simt::Exchange(name, row);
  const int lane = simt::Thread() % simt::kWarpSize;
  for (int i = 0; i < Count; ++i) {
    unsigned short pair[2];
    for (int j = 0; j < 2; ++j) {
      int r = lane / 4, c = 2 * (lane % 4) + j;
      if (Transpose) std::swap(r, c);
      const auto* line = static_cast<const unsigned short*>(
          simt::SharedMemory(static_cast<unsigned>(rows[8 * i + r]), 16, 16));
      pair[j] = line[c];
    }
    *to[i] = unsigned{pair[1]} << 16 | pair[0];
  }
}
inline void ldmatrix_sync_aligned_m8n8_x4_shared_b16(unsigned& a, unsigned& b,
                                                     unsigned& c, unsigned& d,
                                                     unsigned row) {
  LoadMatrices<false>("ldmatrix.x4", {&a, &b, &c, &d}, row);
}
inline void ldmatrix_sync_aligned_m8n8_x4_trans_shared_b16(
    unsigned& a, unsigned& b, unsigned& c, unsigned& d, unsigned row) {
  LoadMatrices<true>("ldmatrix.x4.trans", {&a, &b, &c, &d}, row);
}
inline void ldmatrix_sync_aligned_m8n8_x2_shared_b16(unsigned& a, unsigned& b,
                                                     unsigned row) {
  LoadMatrices<false>("ldmatrix.x2", {&a, &b}, row);
}
inline void ldmatrix_sync_aligned_m8n8_x2_trans_shared_b16(unsigned& a,
                                                           unsigned& b,
                                                           unsigned row) {
  LoadMatrices<true>("ldmatrix.x2.trans", {&a, &b}, row);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

// The number of register i of 4 of the left operand in lane (g, t): rows g and
// g + 8, columns 2 t, 2 t + 1 and 8 more. Of all 16 x 16 numbers of a warp.
struct Left {
  uint64_t low[simt::kWarpSize], high[simt::kWarpSize];

  Left(const char* name, unsigned a, unsigned b, unsigned c, unsigned d) {
    std::memcpy(low, simt::Exchange(name, uint64_t{b} << 32 | a), sizeof(low));
    std::memcpy(high, simt::Exchange(name, uint64_t{d} << 32 | c),
                sizeof(high));
  }
  template <class T>
  double At(int row, int k) const {
    const uint64_t words = (k >= 8 ? high : low)[row % 8 * 4 + k % 8 / 2];
    return T::Widen(
        static_cast<uint32_t>(words >> (row >= 8 ? 32 : 0) >> (16 * (k % 2))) &
        0xffff);
  }
};

// Rows g and g + 8 of this lane, columns 2 t and 2 t + 1.
template <class F>
void ForAccumulators(float& a, float& b, float& c, float& d, F f) {
  const int lane = simt::Thread() % simt::kWarpSize;
  float* const sums[] = {&a, &b, &c, &d};
  for (int i = 0; i < 4; ++i)
    *sums[i] = f(*sums[i], lane / 4 + 8 * (i / 2), 2 * (lane % 4) + i % 2);
}

template <class T>
void Mma(float& a, float& b, float& c, float& d, unsigned l0, unsigned l1,
         unsigned l2, unsigned l3, unsigned r0, unsigned r1) {
  const Left left("mma", l0, l1, l2, l3);
  // Lane (g, t) has rows 2 t, 2 t + 1 of column g, and the 8 rows behind.
  const uint64_t* right = simt::Exchange("mma", uint64_t{r1} << 32 | r0);
  ForAccumulators(a, b, c, d, [&](float sum, int row, int column) {
    double total = sum;
    for (int k = 0; k < 16; ++k) {
      const uint64_t words = right[column * 4 + k % 8 / 2];
      total += left.At<T>(row, k) *
               T::Widen(static_cast<uint32_t>(words >> (k >= 8 ? 32 : 0) >>
                                              (16 * (k % 2))) &
                        0xffff);
    }
    return static_cast<float>(total);
  });
}
inline void mma_sync_aligned_m16n8k16_row_col_f32_bf16_bf16_f32(
    float& a, float& b, float& c, float& d, unsigned l0, unsigned l1,
    unsigned l2, unsigned l3, unsigned r0, unsigned r1) {
  Mma<Bf16>(a, b, c, d, l0, l1, l2, l3, r0, r1);
}
inline void mma_sync_aligned_m16n8k16_row_col_f32_f16_f16_f32(
    float& a, float& b, float& c, float& d, unsigned l0, unsigned l1,
    unsigned l2, unsigned l3, unsigned r0, unsigned r1) {
  Mma<F16>(a, b, c, d, l0, l1, l2, l3, r0, r1);
}

//===----------------------------------------------------------------------===//
// Products of a warpgroup
//===----------------------------------------------------------------------===//

// Each warp has 16 of the 64 rows. The products happen at once.
inline void wgmma_fence_sync_aligned() {}
inline void wgmma_commit_group_sync_aligned() {}
template <class Pending>
void wgmma_wait_group_sync_aligned(Pending) {}

// An operand in shared memory by its matrix descriptor (PTX ISA, "Matrix
// Descriptor Format").
class SharedOperand {
 public:
  SharedOperand(unsigned long long descriptor, bool along_rows)
      : address_(static_cast<unsigned>(descriptor & 0x3fff) << 4),
        leading_(static_cast<unsigned>(descriptor >> 16 & 0x3fff) << 4),
        stride_(static_cast<unsigned>(descriptor >> 32 & 0x3fff) << 4),
        along_rows_(along_rows) {
    const unsigned swizzle = static_cast<unsigned>(descriptor >> 62);
    if (swizzle == 0) simt::Fail("a matrix descriptor without a swizzle");
    panel_ = 256 >> swizzle;
  }
  // Row i of the left operand or column i of the right one, at k.
  template <class T>
  double At(int i, int k) const {
    // The line within a group of 8, and what runs along it.
    const int line = along_rows_ ? k : i, along = along_rows_ ? i : k;
    const unsigned byte = 2 * static_cast<unsigned>(along);
    const unsigned panel = static_cast<unsigned>(panel_);
    const unsigned address =
        address_ + static_cast<unsigned>(line / 8) * stride_ +
        static_cast<unsigned>(line % 8) * panel +
        (along_rows_ ? byte / panel * leading_ + byte % panel : byte);
    unsigned short bits;
    std::memcpy(&bits, simt::SharedMemory(Swizzled(address, panel_), 2, 2), 2);
    return T::Widen(bits);
  }

 private:
  unsigned address_, leading_, stride_;
  int panel_ = 0;
  bool along_rows_;
};

template <class T, int N, class LeftAt>
void WarpgroupProduct(float (&d)[N / 8][4], bool accumulate,
                      const LeftAt& left_at, const SharedOperand& right) {
  // Of the two rows and the two columns of this lane.
  const int lane = simt::Thread() % simt::kWarpSize;
  double lefts[2][16], rights[2][16];
  for (int i = 0; i < 2; ++i)
    for (int k = 0; k < 16; ++k) lefts[i][k] = left_at(lane / 4 + 8 * i, k);
  for (int j = 0; j < N / 8; ++j) {
    for (int i = 0; i < 2; ++i)
      for (int k = 0; k < 16; ++k)
        rights[i][k] = right.At<T>(8 * j + 2 * (lane % 4) + i, k);
    ForAccumulators(d[j][0], d[j][1], d[j][2], d[j][3],
                    [&](float sum, int row, int column) {
                      double total = accumulate ? sum : 0;
                      for (int k = 0; k < 16; ++k)
                        total += lefts[row / 8][k] * rights[column % 2][k];
                      return static_cast<float>(total);
                    });
  }
}

template <class T, int N, int Accumulate, int AlongRowsA, int AlongRowsB>
void WgmmaShared(float (&d)[N / 8][4], unsigned long long a,
                 unsigned long long b) {
  simt::Exchange("wgmma", 0);  // what all lanes wrote is there
  const SharedOperand left(a, AlongRowsA != 0), right(b, AlongRowsB != 0);
  const int first = 16 * (simt::Thread() / simt::kWarpSize % 4);
  WarpgroupProduct<T, N>(
      d, Accumulate != 0,
      [&](int row, int k) { return left.At<T>(first + row, k); }, right);
  simt::Exchange("wgmma", 0);
}
template <class T, int N, int Accumulate, int AlongRowsB>
void WgmmaRegisters(float (&d)[N / 8][4], const unsigned (&a)[4],
                    unsigned long long b) {
  const Left left("wgmma", a[0], a[1], a[2], a[3]);
  const SharedOperand right(b, AlongRowsB != 0);
  WarpgroupProduct<T, N>(
      d, Accumulate != 0, [&](int row, int k) { return left.At<T>(row, k); },
      right);
}

// NOLINTEND(readability-identifier-naming)

}  // namespace host_asm

#endif  // GSA_TEST_UNIT_DEVICE_SIMT_INSTRUCTIONS_H_
