//===- attention_kernel.h - one attention op as an emulated kernel --------===//
//
// Lowers a function of one attention op with a given schedule to gsa_tile,
// through rings and roles to CUDA C++, and runs the text on the host.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_UNIT_TILE_ATTENTION_KERNEL_H_
#define GSA_TEST_UNIT_TILE_ATTENTION_KERNEL_H_

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/core/dtype.h"
#include "test/reference/Tensor.h"

namespace gsa::tile_attention {

/// Sizes, element type and schedule of one op.
struct Problem {
  int64_t batch = 1, queries = 1, keys = 1, heads = 1, groups = 1;
  int64_t depth = 1, value_depth = 1;
  int64_t slots = 1;  ///< Of gather_attention.
  DType dtype = DType::kF32;
  bool dense = false, causal = true, gated = false;
  std::optional<double> scale;  ///< Absent: 1 / sqrt(depth).
  int64_t block_q = 16, block_k = 32, stages = 2, producers = 1, consumers = 2;

  std::string ToString() const;
};

/// Operands; `indices` and `counts` are read by gather_attention only, `gate`
/// (logits of a sigmoid, [B, Sq, H, Dv]) if the problem is gated.
struct Data {
  reference::Tensor<double> query, key, value, gate;
  reference::Tensor<int32_t> indices, counts;
};

struct Output {
  reference::Tensor<double> output, lse;
};

/// `value` as the element type holds it.
double Rounded(DType dtype, double value);

/// Fails the test, fatally, if something goes wrong on the way.
Output CompileAndRun(const Problem& problem, const Data& data);

}  // namespace gsa::tile_attention

#endif  // GSA_TEST_UNIT_TILE_ATTENTION_KERNEL_H_
