//===- Rope.h - rotary position embedding -----------------------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_ROPE_H_
#define GSA_TEST_REFERENCE_ROPE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "test/reference/Tensor.h"
#include "test/reference/Types.h"

namespace gsa::reference {

struct RopeOptions {
  double base = 10000.0;
  std::optional<int64_t> rotary_dim;  ///< Even, 2 to D; absent: D.
  bool interleaved = false;           ///< Pairs (2i, 2i+1), not (i, i+R/2).
  RopeScaling scaling;
};

/// The R / 2 frequencies, radians per position, for heads of `head_dim`
/// elements. Throws for options that do not fit.
std::vector<double> RopeFrequencies(int64_t head_dim,
                                    const RopeOptions& options);

/// Rotates `input` [B, S, H, D] by `positions` [B, S].
Tensor<double> Rope(const Tensor<double>& input,
                    const Tensor<int64_t>& positions,
                    const RopeOptions& options = {});

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_ROPE_H_
