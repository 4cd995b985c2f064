//===- Data.h - inputs of a random module -----------------------*- C++ -*-===//
//
// Inputs by name, rounded to the element type of the operand, so that the
// reference sees exactly the numbers that the compiled code sees.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_DATA_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_DATA_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/core/tensor.h"
#include "runtime/plan.h"
#include "test/reference/Tensor.h"
#include "test/unit/differential/Case.h"

namespace gsa::differential {

/// What the inputs look like.
enum class Workload {
  kNormal,
  kAr1,        ///< Neighbouring tokens resemble each other.
  kAllEqual,   ///< Every key is the same: scores tie, the lowest index wins.
  kTwoValued,  ///< Each key is one of two vectors: long ties.
  kReluZero,   ///< The indexer's bias is so low that ReLU never fires.
  kIntegers,   ///< Small integers: exact arithmetic, natural ties.
  kDenormal,   ///< Scores and logits below the normal range of binary32.
  kHuge,       ///< Logits in the hundreds, saturated activations.
  kNan,        ///< Normal, and NaN in a few elements.
  kInfinity,   ///< Normal, and infinities in a few elements.
  /// All scores but two outliers, the first of a row, are nearly the same; for
  /// modules for GPUs, whose histograms then have one full bin. Scores that are
  /// inputs fill the threshold bin exactly, or one cell more, in some rows.
  kOneBin,
};
inline constexpr int kNumWorkloads = 10;  ///< Of RandomWorkload.
const char* WorkloadName(Workload workload);

using Tensors = std::map<std::string, HostTensor>;

/// A workload that makes sense for the module.
Workload RandomWorkload(const Spec& spec, Rng& rng);

/// One tensor for each input.
Tensors MakeInputs(const Spec& spec, const std::vector<TensorSpec>& inputs,
                   Workload workload, uint64_t seed);

/// Copies for the reference.
reference::Tensor<double> AsDouble(const HostTensor& tensor);
reference::Tensor<int32_t> AsInt32(const HostTensor& tensor);
reference::Tensor<int64_t> AsInt64(const HostTensor& tensor);

/// `values` as a tensor of `dtype`, each rounded once.
HostTensor ToHost(const std::string& name, DType dtype,
                  const reference::Tensor<double>& values);

/// The values after rounding to `dtype`.
reference::Tensor<double> Rounded(const reference::Tensor<double>& values,
                                  DType dtype);

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_DATA_H_
