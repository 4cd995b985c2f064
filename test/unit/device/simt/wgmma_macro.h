// -----------------------------------------------------------------------------
// File: wgmma_macro.h
// -----------------------------------------------------------------------------
//
// GSA_WGMMA for the host, in place of the one of gsa/device/ptx/wgmma.cuh: its
// asm statements are made of macros, which host_headers.py does not read.

#ifndef GSA_TEST_UNIT_DEVICE_SIMT_WGMMA_MACRO_H_
#define GSA_TEST_UNIT_DEVICE_SIMT_WGMMA_MACRO_H_

#include "gsa/device/ptx/wgmma.cuh"
#include "instructions.h"

namespace host_asm {

template <class T>
struct FormatOf;
template <>
struct FormatOf<gsa::dev::bf16> {
  using Type = Bf16;
};
template <>
struct FormatOf<gsa::dev::f16> {
  using Type = F16;
};

template <int N, class T>
struct Wgmma {
  using Format = typename FormatOf<T>::Type;

  template <int Accumulate, int AlongRowsA, int AlongRowsB>
  static void shared(float (&d)[N / 8][4], unsigned long long a,
                     unsigned long long b) {
    WgmmaShared<Format, N, Accumulate, AlongRowsA, AlongRowsB>(d, a, b);
  }
  template <int Accumulate, int AlongRowsB>
  static void registers(float (&d)[N / 8][4], const unsigned (&a)[4],
                        unsigned long long b) {
    WgmmaRegisters<Format, N, Accumulate, AlongRowsB>(d, a, b);
  }
};

}  // namespace host_asm

#undef GSA_WGMMA
#define GSA_WGMMA(n, T)                       \
  template <>                                 \
  struct gsa::dev::ptx::wgmma<n, gsa::dev::T> \
      : ::host_asm::Wgmma<n, gsa::dev::T> {}

#endif  // GSA_TEST_UNIT_DEVICE_SIMT_WGMMA_MACRO_H_
