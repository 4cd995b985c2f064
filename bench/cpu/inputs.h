// -----------------------------------------------------------------------------
// File: inputs.h
// -----------------------------------------------------------------------------
//
// Inputs of the measured modules and statistics of what they select.

#ifndef GSA_BENCH_CPU_INPUTS_H_
#define GSA_BENCH_CPU_INPUTS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/cpu/modules.h"
#include "bench/cpu/plan_runner.h"
#include "bench/cpu/suite.h"

namespace gsa::bench {

// query, key, value, output_gate, weight (the projection's), positions,
// index_query, index_key, index_weights, index_bias in dims.dtype. The index
// tensors follow `workload`, the others are independent normals; the bias is 0.
absl::StatusOr<Tensors> MakeInputs(const Dims& dims,
                                   const std::string& workload, uint64_t seed);

// Fills mean_k, jaccard and union32 of `record` from the outputs "indices" and
// "counts" of the latest run.
absl::Status MeasureOverlap(const PlanRunner& runner, Record* record);

// The same from the two tensors, i32 [B, Sq, K] and [B, Sq]. InvalidArgument if
// they are of another type; Internal if they are no selection.
absl::Status MeasureOverlap(const HostTensor& indices, const HostTensor& counts,
                            Record* record);

}  // namespace gsa::bench

#endif  // GSA_BENCH_CPU_INPUTS_H_
