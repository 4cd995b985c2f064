// -----------------------------------------------------------------------------
// File: costs.h
// -----------------------------------------------------------------------------
//
// What a stage must do, counted from its definition, and the least time that a
// machine of given rates needs for it. The counts are those of the mathematics,
// not of an implementation: work that an implementation repeats or wastes shows
// as a lower percentage of the bound.

#ifndef GSA_BENCH_CPU_COSTS_H_
#define GSA_BENCH_CPU_COSTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "bench/cpu/modules.h"
#include "bench/cpu/rates.h"

namespace gsa::bench {

struct Cost {
  double fma = 0;  // multiply-adds in f32; a lone product or sum counts as one
  double exp = 0;
  double sigmoid = 0;
  double sincos = 0;          // pairs
  double bytes_read = 0;      // operands, once each
  double bytes_written = 0;   // results, once each
  double bytes_gathered = 0;  // rows fetched by index, every time

  double bytes() const { return bytes_read + bytes_written; }
};
Cost operator+(const Cost& a, const Cost& b);

// One resource and how long it alone would take.
struct Floor {
  const char* resource = "";  // fma, exp, sigmoid, sincos, bandwidth, gather
  double amount = 0;          // of Cost
  double rate = 0;            // of MachineRates, per second
  double ms = 0;
};

struct Bound {
  Floor binding;              // The largest floor.
  std::vector<Floor> floors;  // All that are not 0.

  double PercentOf(double ms) const {
    return ms > 0 ? 100 * binding.ms / ms : 0;
  }
};

// Operands and results are streamed from the smallest cache that holds them
// all: the second level together, half of the third level, or memory. Gathered
// rows come at the read rate of the second level, the optimistic choice.
Bound BoundOf(const Cost& cost, const MachineRates& rates);

// Numbers of (query, key) pairs under the causal mask, batch 1.
double CausalPairs(int64_t tokens);

// `slots` is the width of the index lists.
Cost SelectCost(const Dims& dims, Policy policy);
// `selected` is the sum of the counts; `slots` the width of the lists.
Cost GatherCost(const Dims& dims, double selected, int64_t slots);
Cost DenseCost(const Dims& dims);
Cost RopeCost(const Dims& dims, int64_t heads);
Cost GateCost(const Dims& dims, int64_t heads);
Cost ProjectionCost(int64_t tokens, int64_t in, int64_t out, DType dtype);

// The formulas of the functions above, for the report.
struct CostFormula {
  const char* stage;
  const char* fma;
  const char* other;
  const char* bytes;
};
const std::vector<CostFormula>& CostFormulas();

}  // namespace gsa::bench

#endif  // GSA_BENCH_CPU_COSTS_H_
