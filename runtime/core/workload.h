// -----------------------------------------------------------------------------
// File: workload.h
// -----------------------------------------------------------------------------
//
// Synthetic inputs. How much the selections of neighbouring queries overlap
// decides the speed of sparse attention, so inputs for measurements come with a
// controlled correlation along the sequence and carry the name of their
// workload. Equal arguments give equal bits on every machine.
//
// The model: the rows of a tensor are a unit-variance AR(1) walk,
//   x[0] ~ N(0, 1),  x[t] = rho x[t-1] + sqrt(1 - rho^2) N(0, 1),
// optionally mixed with a row common to all tokens (shared: every query likes
// the same keys) or with a slow walk, rho = 0.9995, common to queries and keys
// (local: near tokens resemble each other). Each mixture is (x + y) / sqrt(2),
// which keeps the variance at 1.

#ifndef GSA_RUNTIME_CORE_WORKLOAD_H_
#define GSA_RUNTIME_CORE_WORKLOAD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/core/tensor.h"

namespace gsa {

struct Workload {
  const char* name;
  double rho;
  bool shared;
  bool local;
};

// independent, rho90, rho98, shared_rho95, shared_rho99, local_rho98,
// local_shared_rho98.
absl::Span<const Workload> Workloads();

// NotFound lists the known names.
absl::StatusOr<Workload> FindWorkload(const std::string& name);

// Inputs of the indexer, all f32. `n` tokens serve as queries and as keys.
struct IndexInputs {
  HostTensor queries;  // "index_queries" [n, heads, dim]
  HostTensor keys;     // "index_keys" [n, dim]
  HostTensor weights;  // "index_weights" [n, heads], logits: no sigmoid yet
};
absl::StatusOr<IndexInputs> MakeIndexInputs(const Workload& workload, int64_t n,
                                            int64_t heads, int64_t dim,
                                            uint64_t seed);

// Hidden states [batch, tokens, width], f32; batch elements are independent of
// each other. `shared` and `local` are mixed in as for index queries.
absl::StatusOr<HostTensor> MakeHiddenStates(std::string name,
                                            const Workload& workload,
                                            int64_t batch, int64_t tokens,
                                            int64_t width, uint64_t seed);

// Independent N(0, stddev^2), f32. Tensors of different names differ.
absl::StatusOr<HostTensor> MakeNormal(std::string name,
                                      std::vector<int64_t> shape, double stddev,
                                      uint64_t seed);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_WORKLOAD_H_
