//===- Linear.h - linear projection -----------------------------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_LINEAR_H_
#define GSA_TEST_REFERENCE_LINEAR_H_

#include "test/reference/Tensor.h"

namespace gsa::reference {

/// y = x W^T + b with x [..., in], `weight` [out, in] and `bias` [out] or
/// null; y is [..., out].
Tensor<double> Linear(const Tensor<double>& input, const Tensor<double>& weight,
                      const Tensor<double>* bias = nullptr,
                      int num_threads = 1);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_LINEAR_H_
