//===- reduce.cuh - sums over all rows -*- CUDA -*-===//

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

}  // namespace gsa::dev

#endif  // GSA_DEVICE_REDUCE_CUH
