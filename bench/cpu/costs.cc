// -----------------------------------------------------------------------------
// File: costs.cc
// -----------------------------------------------------------------------------

#include "bench/cpu/costs.h"

#include <algorithm>

namespace gsa::bench {

Cost operator+(const Cost& a, const Cost& b) {
  Cost sum = a;
  sum.fma += b.fma;
  sum.exp += b.exp;
  sum.sigmoid += b.sigmoid;
  sum.sincos += b.sincos;
  sum.bytes_read += b.bytes_read;
  sum.bytes_written += b.bytes_written;
  sum.bytes_gathered += b.bytes_gathered;
  return sum;
}

namespace {

double At(const Bandwidth& bandwidth, double working_set,
          const MachineRates& rates) {
  if (working_set <= static_cast<double>(rates.threads) * rates.l2_bytes) {
    return bandwidth.l2;
  }
  if (working_set <= rates.l3_bytes / 2.0) return bandwidth.l3;
  return bandwidth.memory;
}

Floor MakeFloor(const char* resource, double amount, double rate) {
  return {resource, amount, rate, rate > 0 ? amount / rate * 1e3 : 0};
}

// Every byte written is paired with a byte read and costs what a copy costs;
// the other reads cost what reading costs.
Floor BandwidthFloor(const Cost& cost, const MachineRates& rates) {
  double set = cost.bytes();
  double copied = 2 * cost.bytes_written;
  double read = std::max(0.0, cost.bytes_read - cost.bytes_written);
  double seconds =
      copied / At(rates.copy, set, rates) + read / At(rates.read, set, rates);
  return {"bandwidth", set, seconds > 0 ? set / seconds : 0, seconds * 1e3};
}

}  // namespace

Bound BoundOf(const Cost& cost, const MachineRates& rates) {
  Bound bound;
  for (const Floor& floor :
       {MakeFloor("fma", cost.fma, rates.fma),
        MakeFloor("exp", cost.exp, rates.exp()),
        MakeFloor("sigmoid", cost.sigmoid, rates.sigmoid()),
        MakeFloor("sincos", cost.sincos, rates.sincos),
        BandwidthFloor(cost, rates),
        MakeFloor("gather", cost.bytes_gathered, rates.read.l2)}) {
    if (floor.amount <= 0) continue;
    bound.floors.push_back(floor);
    if (floor.ms > bound.binding.ms) bound.binding = floor;
  }
  return bound;
}

double CausalPairs(int64_t tokens) {
  return 0.5 * static_cast<double>(tokens) * static_cast<double>(tokens + 1);
}

Cost SelectCost(const Dims& d, Policy policy) {
  // The batch mean is known only after every score; the scores are too many to
  // keep, so they are computed twice.
  double passes = policy == Policy::kFixed ? 1 : 2;
  double pairs = CausalPairs(d.tokens);
  double tokens = static_cast<double>(d.tokens);
  double size = static_cast<double>(DTypeSize(d.dtype));
  Cost cost;
  cost.fma = passes * pairs * d.index_heads * (d.index_dim + 1);
  cost.sigmoid = passes * pairs * d.index_heads + tokens * d.index_heads;
  cost.bytes_read =
      size *
      (tokens * (d.index_heads * d.index_dim + d.index_dim + d.index_heads) +
       d.index_heads);
  cost.bytes_written = 4 * tokens * (Slots(d, policy) + 2);
  return cost;
}

Cost GatherCost(const Dims& d, double selected, int64_t slots) {
  double tokens = static_cast<double>(d.tokens);
  double size = static_cast<double>(DTypeSize(d.dtype));
  Cost cost;
  cost.fma = selected * d.heads * 2 * d.head_dim;
  cost.exp = selected * d.heads;
  cost.bytes_read = size * tokens * (d.heads + 2 * d.kv_heads) * d.head_dim +
                    4 * tokens * (slots + 1);
  cost.bytes_written =
      size * tokens * d.heads * d.head_dim + 4 * tokens * d.heads;
  cost.bytes_gathered = selected * d.kv_heads * 2 * d.head_dim * size;
  return cost;
}

Cost DenseCost(const Dims& d) {
  double tokens = static_cast<double>(d.tokens);
  double size = static_cast<double>(DTypeSize(d.dtype));
  Cost cost;
  cost.fma = CausalPairs(d.tokens) * d.heads * 2 * d.head_dim;
  cost.exp = CausalPairs(d.tokens) * d.heads;
  cost.bytes_read = size * tokens * (d.heads + 2 * d.kv_heads) * d.head_dim;
  cost.bytes_written =
      size * tokens * d.heads * d.head_dim + 4 * tokens * d.heads;
  return cost;
}

Cost RopeCost(const Dims& d, int64_t heads) {
  double tokens = static_cast<double>(d.tokens);
  double elements = tokens * heads * d.head_dim;
  double size = static_cast<double>(DTypeSize(d.dtype));
  Cost cost;
  cost.fma = 2 * elements;
  cost.sincos = tokens * d.head_dim / 2;
  cost.bytes_read = size * elements + 8 * tokens;
  cost.bytes_written = size * elements;
  return cost;
}

Cost GateCost(const Dims& d, int64_t heads) {
  double elements = static_cast<double>(d.tokens) * heads * d.head_dim;
  double size = static_cast<double>(DTypeSize(d.dtype));
  Cost cost;
  cost.fma = elements;
  cost.sigmoid = elements;
  cost.bytes_read = 2 * size * elements;
  cost.bytes_written = size * elements;
  return cost;
}

Cost ProjectionCost(int64_t tokens, int64_t in, int64_t out, DType dtype) {
  double s = static_cast<double>(tokens);
  double size = static_cast<double>(DTypeSize(dtype));
  Cost cost;
  cost.fma = s * in * out;
  cost.bytes_read = size * (s * in + static_cast<double>(in) * out);
  cost.bytes_written = 4 * s * out;
  return cost;
}

const std::vector<CostFormula>& CostFormulas() {
  static const auto* const kFormulas = new std::vector<CostFormula>{
      {"select fixed", "P Hi (Di + 1)", "sigmoid P Hi + S Hi",
       "b (S (Hi Di + Di + Hi) + Hi) + 4 S (K + 2)"},
      {"select upstream_variance", "2 P Hi (Di + 1)", "sigmoid 2 P Hi + S Hi",
       "the same"},
      {"gather_attention", "N H 2 D", "exp N H, gathered bytes N G 2 D b",
       "b S (2 H + 2 G) D + 4 S (K + 1 + H)"},
      {"dense_attention", "P H 2 D", "exp P H", "b S (2 H + 2 G) D + 4 S H"},
      {"rope", "2 S H D", "sin and cos (f64) S D / 2", "2 b S H D + 8 S"},
      {"gate", "S H D", "sigmoid S H D", "3 b S H D"},
      {"projection", "S M M", "", "b (S M + M M) + 4 S M"},
  };
  return *kFormulas;
}

}  // namespace gsa::bench
