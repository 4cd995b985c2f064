//===- reduce.cuh - sums (host) --------------------------------*- C++ -*-===//

#ifndef GSA_DEVICE_REDUCE_CUH
#define GSA_DEVICE_REDUCE_CUH

#include "gsa/device/select.cuh"

namespace gsa::dev {

template <int Columns>
void finite_row(lanes<double, 2>& state, const float* row, int begin, int end) {
  for_cells<Columns>("finite_row", row, begin, end,
                     [&](int lane, int, float x) {
                       if (!(x - x == 0.0f)) return;
                       state.v[0][lane] += static_cast<double>(x);
                       state.v[1][lane] += 1.0;
                     });
}

//===----------------------------------------------------------------------===//
// Sums that the lanes of an iteration of for_each share: one runner has all
// terms
//===----------------------------------------------------------------------===//

template <int Lanes>
long long first_term() {
  return 0;
}
template <int Lanes>
long long term_step() {
  return 1;
}
template <int Lanes, class T>
T sum_terms(T value) {
  return value;
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_REDUCE_CUH
