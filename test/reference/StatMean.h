//===- StatMean.h - mean of the finite statistics ---------------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_STATMEAN_H_
#define GSA_TEST_REFERENCE_STATMEAN_H_

#include "test/reference/Tensor.h"

namespace gsa::reference {

/// The mean of the finite elements of `values` [B, Sq]; 0 if there are none.
double StatMean(const Tensor<double>& values);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_STATMEAN_H_
