// -----------------------------------------------------------------------------
// File: modules.h
// -----------------------------------------------------------------------------
//
// The modules that are measured, as text: one op each, or the whole attention
// core. All shapes are static; the batch size is 1.

#ifndef GSA_BENCH_CPU_MODULES_H_
#define GSA_BENCH_CPU_MODULES_H_

#include <cstdint>
#include <string>

#include "runtime/core/dtype.h"

namespace gsa::bench {

struct Dims {
  int64_t tokens = 8192;
  int64_t heads = 8;        // H
  int64_t kv_heads = 2;     // G
  int64_t head_dim = 64;    // D
  int64_t index_heads = 4;  // Hi
  int64_t index_dim = 64;   // Di
  int64_t k = 512;          // keys per query, the base of adaptive policies
  DType dtype = DType::kF32;

  // "S8192 H8 G2 D64 Hi4 Di64 k512 f32".
  std::string ToString() const;
};

// How many keys a query keeps.
enum class Policy { kFixed, kUpstreamVariance };
const char* PolicyName(Policy policy);
// Slots of the index lists under `policy`; the adaptive policy may take half as
// many keys again.
int64_t Slots(const Dims& dims, Policy policy);

// Inputs and outputs carry the names of the examples: query, key, value,
// index_query, index_key, index_weights, index_bias, indices, counts, ...
std::string SelectModule(const Dims& dims, Policy policy);
std::string GatherModule(const Dims& dims);
std::string DenseModule(const Dims& dims);
// Selection with a fixed k, then attention over it.
std::string CoreModule(const Dims& dims);
// On the queries: x [1, S, H, D], positions [1, S].
std::string RopeModule(const Dims& dims);
// On the attention output: x and logits [1, S, H, D].
std::string GateModule(const Dims& dims);
// The output projection: x [1, S, H D], weight [H D, H D].
std::string ProjectionModule(const Dims& dims);
// y = function(x), f32, function "exp" or "sigmoid".
std::string ElementwiseModule(const std::string& function, int64_t elements);

}  // namespace gsa::bench

#endif  // GSA_BENCH_CPU_MODULES_H_
