// -----------------------------------------------------------------------------
// File: bench_cpu_test.cc
// -----------------------------------------------------------------------------
//
// The arithmetic of the CPU benchmark, checked by counting one by one, and that
// its modules are legal at the sizes of the command line.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "bench/cpu/costs.h"
#include "bench/cpu/inputs.h"
#include "bench/cpu/kernels.h"
#include "bench/cpu/modules.h"
#include "bench/cpu/report.h"
#include "bench/cpu/timing.h"
#include "runtime/plan.h"

namespace gsa::bench {
namespace {

Dims SmallDims() {
  Dims dims;
  dims.tokens = 7;
  dims.heads = 6;
  dims.kv_heads = 3;
  dims.head_dim = 4;
  dims.index_heads = 2;
  dims.index_dim = 5;
  dims.k = 4;
  return dims;
}

TEST(BenchCosts, SelectCountsEveryVisiblePair) {
  Dims dims = SmallDims();
  double fma = 0, sigmoid = 0;
  for (int64_t t = 0; t < dims.tokens; ++t) {
    for (int64_t s = 0; s <= t; ++s) {
      for (int64_t head = 0; head < dims.index_heads; ++head) {
        fma += dims.index_dim + 1;
        sigmoid += 1;
      }
    }
  }
  double weights = dims.tokens * dims.index_heads;
  Cost fixed = SelectCost(dims, Policy::kFixed);
  EXPECT_EQ(fixed.fma, fma);
  EXPECT_EQ(fixed.sigmoid, sigmoid + weights);
  EXPECT_EQ(fixed.bytes_written, 4 * 7 * (4 + 1 + 1));
  Cost adaptive = SelectCost(dims, Policy::kUpstreamVariance);
  EXPECT_EQ(adaptive.fma, 2 * fma);
  EXPECT_EQ(adaptive.sigmoid, 2 * sigmoid + weights);
  EXPECT_EQ(adaptive.bytes_written, 4 * 7 * (6 + 1 + 1));
}

TEST(BenchCosts, GatherOfAllVisibleKeysIsDense) {
  Dims dims = SmallDims();
  Cost dense = DenseCost(dims);
  Cost gather = GatherCost(dims, CausalPairs(dims.tokens), dims.tokens);
  EXPECT_EQ(gather.fma, dense.fma);
  EXPECT_EQ(gather.exp, dense.exp);
  EXPECT_EQ(gather.bytes_written, dense.bytes_written);
  // The lists and the counts come on top.
  EXPECT_EQ(gather.bytes_read - dense.bytes_read, 4 * 7 * (7 + 1));
  EXPECT_EQ(gather.bytes_gathered, 28.0 * 3 * (4 + 4) * 4);
}

TEST(BenchCosts, HalfTheBytesInBf16) {
  Dims dims = SmallDims();
  Cost f32 = GateCost(dims, dims.heads);
  dims.dtype = DType::kBF16;
  Cost bf16 = GateCost(dims, dims.heads);
  EXPECT_EQ(f32.bytes(), 2 * bf16.bytes());
  EXPECT_EQ(f32.sigmoid, bf16.sigmoid);
}

MachineRates SomeRates() {
  MachineRates rates;
  rates.l2_bytes = 1000;
  rates.l3_bytes = 10000;
  rates.fma = 1e9;
  rates.exp_loop = 1e8;
  rates.exp_compiled = 2e8;
  rates.sigmoid_loop = 1e8;
  rates.sincos = 1e6;
  rates.read = {100e9, 50e9, 10e9};
  rates.copy = {80e9, 40e9, 8e9};
  return rates;
}

TEST(BenchCosts, BoundIsTheSlowestResource) {
  Cost cost;
  cost.fma = 1e6;  // 1 ms
  cost.exp = 4e5;  // 2 ms at the better of the two rates
  Bound bound = BoundOf(cost, SomeRates());
  EXPECT_STREQ(bound.binding.resource, "exp");
  EXPECT_DOUBLE_EQ(bound.binding.ms, 2);
  EXPECT_EQ(bound.floors.size(), 2u);
  EXPECT_DOUBLE_EQ(bound.PercentOf(8), 25);
}

TEST(BenchCosts, BandwidthFollowsTheWorkingSet) {
  auto floor_ms = [](double read, double written) {
    Cost cost;
    cost.bytes_read = read;
    cost.bytes_written = written;
    return BoundOf(cost, SomeRates()).binding.ms;
  };
  EXPECT_DOUBLE_EQ(floor_ms(800, 0), 800 / 100e9 * 1e3);
  EXPECT_DOUBLE_EQ(floor_ms(400, 400), 800 / 80e9 * 1e3);
  EXPECT_DOUBLE_EQ(floor_ms(2000, 2000), 4000 / 40e9 * 1e3);
  EXPECT_DOUBLE_EQ(floor_ms(9000, 1000), (2000 / 8e9 + 8000 / 10e9) * 1e3);
}

TEST(BenchTiming, MedianAndSpread) {
  Sample odd = Sample::Of({3, 1, 2});
  EXPECT_EQ(odd.median, 2);
  EXPECT_EQ(odd.min, 1);
  EXPECT_EQ(odd.max, 3);
  EXPECT_EQ(odd.spread(), 1);
  EXPECT_EQ(Sample::Of({4, 1, 3, 2}).median, 2.5);
  EXPECT_EQ(Sample::Of({}).rounds, 0);
}

TEST(BenchTiming, CandidatesTakeTurns) {
  std::string order;
  auto append = [&](char c) {
    return Candidate{[&order, c] {
      order += c;
      return absl::OkStatus();
    }};
  };
  TimingOptions options;
  options.rounds = 3;
  options.min_sample_ms = 0;
  auto samples = Measure({append('a'), append('b')}, options);
  ASSERT_TRUE(samples.ok());
  ASSERT_EQ(samples->size(), 2u);
  EXPECT_EQ((*samples)[1].rounds, 3);
  // After the warm-up, which runs one after the other.
  EXPECT_EQ(order.substr(order.size() - 6), "ababab");
}

TEST(BenchTiming, FailureOfACandidateIsReported) {
  auto samples = Measure({{[] { return absl::InvalidArgumentError("no"); }}},
                         TimingOptions());
  EXPECT_EQ(samples.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(BenchKernels, ExpAndSigmoidAreAccurate) {
  const Kernels& kernels = BestKernels();
  alignas(64) float x[512], y[512];
  for (int i = 0; i < 512; ++i) x[i] = -60.0f + 120.0f * i / 511;
  kernels.exp(x, y, 512);
  for (int i = 0; i < 512; ++i) {
    double expected = std::exp(double(x[i]));
    EXPECT_NEAR(y[i] / expected, 1, 5e-7) << x[i];
  }
  kernels.sigmoid(x, y, 512);
  for (int i = 0; i < 512; ++i) {
    double expected = 1 / (1 + std::exp(-double(x[i])));
    EXPECT_NEAR(y[i] / expected, 1, 5e-7) << x[i];
  }
}

TEST(BenchKernels, ReadSumsAndCopyCopies) {
  const Kernels& kernels = BestKernels();
  alignas(64) float x[512], y[512] = {};
  for (int i = 0; i < 512; ++i) x[i] = static_cast<float>(i);
  EXPECT_EQ(kernels.read(x, 512), 512 * 511 / 2);
  kernels.copy(x, y, 512);
  EXPECT_THAT(std::vector<float>(y, y + 512),
              testing::ElementsAreArray(x, x + 512));
}

TEST(BenchKernels, FmaCountsAndComputes) {
  float sink[3] = {0.5f, 1.0f, 0};
  const Kernels& kernels = BestKernels();
  int64_t lanes = kernels.vector_bits / 32;
  int64_t count = kernels.fma(1000, sink);
  EXPECT_EQ(count % (1000 * lanes), 0);
  // x = x / 2 + 1 tends to 2 in every lane of the 12 chains.
  EXPECT_FLOAT_EQ(sink[2], 2.0f * 12 * lanes);
}

TEST(BenchReport, ReplacesOnlyWhatIsBetweenTheMarkers) {
  std::string begin = kResultsBegin, end = kResultsEnd;
  auto updated = ReplaceResults("a\n" + begin + "old\n" + end + "b\n", "new\n");
  ASSERT_TRUE(updated.ok());
  EXPECT_EQ(*updated, "a\n" + begin + "\nnew\n\n" + end + "b\n");
  auto again = ReplaceResults(*updated, "new\n");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, *updated);
  EXPECT_FALSE(ReplaceResults("a\n" + begin, "new\n").ok());
  EXPECT_FALSE(ReplaceResults(end + begin, "new\n").ok());
}

TEST(BenchModules, AreLegalInBothTypes) {
  for (DType dtype : {DType::kF32, DType::kBF16}) {
    Dims dims = SmallDims();
    dims.dtype = dtype;
    for (const std::string& text :
         {SelectModule(dims, Policy::kFixed),
          SelectModule(dims, Policy::kUpstreamVariance), GatherModule(dims),
          DenseModule(dims), CoreModule(dims), RopeModule(dims),
          GateModule(dims), ProjectionModule(dims),
          ElementwiseModule("exp", 64), ElementwiseModule("sigmoid", 64)}) {
      auto interface = DescribeModule(text, "bench.mlir", "");
      EXPECT_TRUE(interface.ok()) << interface.status() << "\n" << text;
    }
  }
}

TEST(BenchInputs, BrokenSelectionIsAStatus) {
  HostTensor indices = *HostTensor::Create("indices", DType::kI32, {1, 2, 2});
  HostTensor counts = *HostTensor::Create("counts", DType::kI32, {1, 2});
  Record record;
  EXPECT_TRUE(MeasureOverlap(indices, counts, &record).ok());
  EXPECT_EQ(record.mean_k, 0.0);
  counts.values<int32_t>()[1] = 3;  // of two slots
  absl::Status status = MeasureOverlap(indices, counts, &record);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()),
              ::testing::HasSubstr("the selection of a run is broken"));
}

}  // namespace
}  // namespace gsa::bench
