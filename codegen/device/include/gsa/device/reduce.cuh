//===- reduce.cuh - sums -*- CUDA -*-===//

#ifndef GSA_DEVICE_REDUCE_CUH
#define GSA_DEVICE_REDUCE_CUH

#include "gsa/device/select.cuh"

namespace gsa::dev {

template <int Columns>
GSA_DEVICE void finite_row(lanes<double, 2>& state, const float* row, int begin,
                           int end) {
  for_cells<Columns>(row, begin, end, [&](int cell, float x) {
    // All lanes make all calls, with -inf behind the end.
    if (!(x - x == 0.0f)) return;
    state.v[0] += static_cast<double>(x);
    state.v[1] += 1.0;
  });
}

//===----------------------------------------------------------------------===//
// Sums that the lanes of an iteration of for_each share
//===----------------------------------------------------------------------===//

template <int Lanes>
GSA_DEVICE long long first_term() {
  return lane() % Lanes;
}
template <int Lanes>
GSA_DEVICE long long term_step() {
  return Lanes;
}

/// Other iterations of the warp may be over: only lanes of this one take part.
template <int Lanes, class T>
GSA_DEVICE T sum_terms(T value) {
  unsigned mask = 0xffffffffu >> (32 - Lanes) << (lane() & ~(Lanes - 1));
#pragma unroll
  for (int distance = Lanes / 2; distance > 0; distance /= 2)
    value += __shfl_xor_sync(mask, value, distance);
  return value;
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_REDUCE_CUH
