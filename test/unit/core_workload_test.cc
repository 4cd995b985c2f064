// -----------------------------------------------------------------------------
// File: core_workload_test.cc
// -----------------------------------------------------------------------------
//
// Random numbers, workloads and initial weights: the statistics they promise
// and the bits they promise (hashes that must hold on every machine).

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/layer_weights.h"
#include "runtime/core/random.h"
#include "runtime/core/workload.h"

namespace gsa {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

uint64_t HashBytes(const HostTensor& tensor) {
  uint64_t hash = 0xcbf29ce484222325;
  const auto* bytes = static_cast<const unsigned char*>(tensor.raw_data());
  for (size_t i = 0; i < tensor.byte_size(); ++i) {
    hash = (hash ^ bytes[i]) * 0x100000001b3;
  }
  return hash;
}

struct Moments {
  double mean, variance, kurtosis;
};

template <typename Values>
Moments MomentsOf(const Values& values) {
  double mean = 0, m2 = 0, m4 = 0;
  for (double v : values) mean += v;
  mean /= values.size();
  for (double v : values) {
    const double d = (v - mean) * (v - mean);
    m2 += d;
    m4 += d * d;
  }
  m2 /= values.size();
  m4 /= values.size();
  return {mean, m2, m4 / (m2 * m2)};
}

// Correlation of the rows of x [n, width] with those of y `lag` rows later.
double RowCorrelation(absl::Span<const float> x, absl::Span<const float> y,
                      int64_t width, int64_t lag) {
  double xy = 0, xx = 0, yy = 0;
  for (size_t i = 0; i + lag * width < y.size(); ++i) {
    const double a = x[i], b = y[i + lag * width];
    xy += a * b;
    xx += a * a;
    yy += b * b;
  }
  return xy / std::sqrt(xx * yy);
}

TEST(RandomTest, BitsAreSplitMix64) {
  // Written out once more, statefully, as published: the n-th output of the
  // generator seeded with the stream's key is Bits(n).
  const RandomStream stream(1, "x");
  const uint64_t gamma = 0x9e3779b97f4a7c15;
  auto unmix = [](uint64_t x) {
    // The inverse of the finaliser, to recover the key from Bits(0).
    x ^= (x >> 31) ^ (x >> 62);
    x *= 0x319642b2d24d8ec3;
    x ^= (x >> 27) ^ (x >> 54);
    x *= 0x96de1b173f119089;
    return x ^ (x >> 30) ^ (x >> 60);
  };
  uint64_t state = unmix(stream.Bits(0)) - gamma;
  for (int i = 0; i < 100; ++i) {
    state += gamma;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    EXPECT_EQ(stream.Bits(i), z ^ (z >> 31));
  }
}

TEST(RandomTest, NormalsAgreeWithTheCLibrary) {
  const RandomStream stream(7, "normal");
  constexpr int kCount = 200000;
  std::vector<double> values(kCount);
  stream.FillNormal(0, absl::MakeSpan(values));
  double worst = 0;
  for (int j = 0; j < kCount; j += 2) {
    const double radius = std::sqrt(-2 * std::log(1 - stream.Uniform(j)));
    const double angle = 2 * M_PI * stream.Uniform(j + 1);
    worst = std::max(worst, std::abs(values[j] - radius * std::cos(angle)));
    worst = std::max(worst, std::abs(values[j + 1] - radius * std::sin(angle)));
  }
  EXPECT_LT(worst, 1e-14);
}

TEST(RandomTest, NormalsDoNotDependOnHowTheyAreFetched) {
  const RandomStream stream(3, "s");
  std::vector<double> all(101);
  stream.FillNormal(0, absl::MakeSpan(all));
  for (size_t first : {0u, 1u, 2u, 37u, 100u}) {
    for (size_t count : {0u, 1u, 2u, 63u}) {
      std::vector<double> part(std::min(count, all.size() - first));
      stream.FillNormal(first, absl::MakeSpan(part));
      for (size_t i = 0; i < part.size(); ++i) {
        ASSERT_EQ(part[i], all[first + i]);
      }
    }
  }
}

TEST(RandomTest, StreamsDifferByNameAndSeed) {
  const uint64_t bits = RandomStream(1, "a").Bits(0);
  EXPECT_NE(bits, RandomStream(1, "b").Bits(0));
  EXPECT_NE(bits, RandomStream(2, "a").Bits(0));
  EXPECT_EQ(bits, RandomStream(1, "a").Bits(0));
}

TEST(WorkloadTest, NormalTensorHasTheMomentsOfANormal) {
  HostTensor x = MakeNormal("x", {101, 1009}, 2.0, 5).value();
  const Moments m = MomentsOf(x.values<float>());
  EXPECT_NEAR(m.mean, 0, 0.02);
  EXPECT_NEAR(m.variance, 4, 0.06);
  EXPECT_NEAR(m.kurtosis, 3, 0.06);
  HostTensor y = MakeNormal("y", {101, 1009}, 2.0, 5).value();
  EXPECT_NEAR(RowCorrelation(x.values<float>(), y.values<float>(), 1, 0), 0,
              0.02);
}

TEST(WorkloadTest, UnknownNameListsTheKnownOnes) {
  const absl::Status status = FindWorkload("rho50").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("'rho50'"), HasSubstr("independent, rho90"),
                    HasSubstr("local_shared_rho98")));
  EXPECT_EQ(Workloads().size(), 7u);
}

TEST(WorkloadTest, BadSizesAreErrors) {
  const Workload workload = FindWorkload("rho90").value();
  EXPECT_FALSE(MakeIndexInputs(workload, -1, 4, 8, 0).ok());
  EXPECT_FALSE(MakeIndexInputs(workload, INT64_MAX, 4, 8, 0).ok());
  EXPECT_FALSE(MakeHiddenStates("h", workload, 1, -2, 8, 0).ok());
  EXPECT_EQ(MakeIndexInputs(workload, 0, 4, 8, 0)->queries.num_elements(), 0);
  EXPECT_EQ(MakeHiddenStates("h", workload, 2, 3, 0, 0)->num_elements(), 0);
}

class WorkloadStatisticsTest : public testing::TestWithParam<Workload> {};

TEST_P(WorkloadStatisticsTest, IndexInputsCorrelateAsNamed) {
  const Workload& w = GetParam();
  constexpr int64_t kTokens = 4096, kHeads = 4, kDim = 64;
  IndexInputs in = MakeIndexInputs(w, kTokens, kHeads, kDim, 11).value();
  ASSERT_EQ(in.queries.shape(), (std::vector<int64_t>{kTokens, kHeads, kDim}));
  ASSERT_EQ(in.keys.shape(), (std::vector<int64_t>{kTokens, kDim}));
  ASSERT_EQ(in.weights.shape(), (std::vector<int64_t>{kTokens, kHeads}));
  const auto q = in.queries.values<float>();
  const auto k = in.keys.values<float>();

  // A mixture halves the share of what was there and adds one that is constant
  // (shared) or all but constant (local).
  double expected = w.rho;
  if (w.shared) expected = (expected + 1) / 2;
  if (w.local) expected = (expected + 0.9995) / 2;
  EXPECT_NEAR(RowCorrelation(q, q, kHeads * kDim, 1), expected, 0.015);
  EXPECT_NEAR(RowCorrelation(k, k, kDim, 1), w.local ? 0.5 : 0, 0.06);
  // 256 channels of a slow walk are few independent samples: wide bounds.
  EXPECT_NEAR(MomentsOf(q).variance, 1, w.shared || w.local ? 0.2 : 0.1);
  EXPECT_NEAR(MomentsOf(k).variance, 1, w.local ? 0.2 : 0.03);
  EXPECT_NEAR(RowCorrelation(in.weights.values<float>(),
                             in.weights.values<float>(), kHeads, 1),
              w.rho, 0.05);
}

TEST_P(WorkloadStatisticsTest, HiddenStatesCorrelateAsNamed) {
  const Workload& w = GetParam();
  HostTensor h = MakeHiddenStates("h", w, 2, 1500, 128, 3).value();
  const auto values = h.values<float>();
  const auto first = values.subspan(0, 1500 * 128);
  const auto second = values.subspan(1500 * 128);
  double expected = w.rho;
  if (w.shared) expected = (expected + 1) / 2;
  if (w.local) expected = (expected + 0.9995) / 2;
  EXPECT_NEAR(RowCorrelation(first, first, 128, 1), expected, 0.02);
  EXPECT_NEAR(RowCorrelation(first, second, 128, 0), 0,
              w.shared || w.local ? 0.25 : 0.1);
  EXPECT_EQ(h.name(), "h");
}

INSTANTIATE_TEST_SUITE_P(All, WorkloadStatisticsTest,
                         testing::ValuesIn(Workloads().begin(),
                                           Workloads().end()),
                         [](const testing::TestParamInfo<Workload>& param) {
                           return std::string(param.param.name);
                         });

TEST(WorkloadTest, NearTokensResembleEachOtherWhereLocal) {
  constexpr int64_t kTokens = 2048, kDim = 64;
  for (const char* name : {"local_rho98", "rho98"}) {
    IndexInputs in =
        MakeIndexInputs(FindWorkload(name).value(), kTokens, 1, kDim, 2)
            .value();
    // Mean of <q[t], k[s]> over near and over far pairs.
    double near = 0, far = 0;
    const auto q = in.queries.values<float>();
    const auto k = in.keys.values<float>();
    for (int64_t t = 1500; t < 2000; ++t) {
      for (int64_t i = 0; i < kDim; ++i) {
        near += q[t * kDim + i] * k[(t - 5) * kDim + i] / 500;
        far += q[t * kDim + i] * k[(t - 1500) * kDim + i] / 500;
      }
    }
    const bool local = std::string(name) == "local_rho98";
    EXPECT_NEAR(near, local ? 32 : 0, 12) << name;
    if (local) EXPECT_LT(far, near - 5);
  }
}

TEST(WorkloadTest, PrefixDoesNotDependOnTheLength) {
  const Workload w = FindWorkload("local_shared_rho98").value();
  HostTensor a = MakeHiddenStates("h", w, 1, 50, 33, 9).value();
  HostTensor b = MakeHiddenStates("h", w, 1, 80, 33, 9).value();
  for (int64_t i = 0; i < a.num_elements(); ++i) {
    ASSERT_EQ(a.values<float>()[i], b.values<float>()[i]);
  }
}

// Change these only with a note to users: published measurements name inputs by
// workload and seed.
TEST(WorkloadTest, GoldenBits) {
  const Workload w = FindWorkload("local_shared_rho98").value();
  IndexInputs in = MakeIndexInputs(w, 300, 3, 17, 42).value();
  EXPECT_EQ(HashBytes(in.queries), 0x8f9ca47c33cfe873u);
  EXPECT_EQ(HashBytes(in.keys), 0x161661d07b8063e7u);
  EXPECT_EQ(HashBytes(in.weights), 0x777b2922c3bd11c6u);
  EXPECT_EQ(HashBytes(MakeHiddenStates("h", w, 2, 100, 31, 42).value()),
            0x1318fcf0e596f876u);
  EXPECT_EQ(HashBytes(MakeNormal("n", {3001}, 0.02, 42).value()),
            0xfdf47c638765cb85u);
  LayerDims dims;
  dims.d_model = 48;
  dims.num_heads = 4;
  dims.num_kv_heads = 2;
  dims.head_dim = 12;
  uint64_t all = 0;
  const std::vector<HostTensor> weights = InitLayerWeights(dims, 42).value();
  for (const HostTensor& tensor : weights) {
    all = all * 31 + HashBytes(tensor);
  }
  EXPECT_EQ(all, 0x98029278cd36c497u);
}

LayerDims SmallDims() {
  LayerDims dims;
  dims.d_model = 96;
  dims.num_heads = 6;
  dims.num_kv_heads = 2;
  dims.head_dim = 16;
  dims.index_heads = 3;
  dims.index_dim = 8;
  return dims;
}

TEST(LayerWeightsTest, NamesAreThoseOfTheStateDictInOrder) {
  const auto parameters = LayerParameters(LayerDims()).value();
  ASSERT_EQ(parameters.size(), 13u);
  EXPECT_TRUE(std::is_sorted(
      parameters.begin(), parameters.end(),
      [](const auto& a, const auto& b) { return a.name < b.name; }));
  // Counts of the published layer at its defaults.
  int64_t indexer = 0, gates = 0, attention = 0;
  for (const LayerParameter& p : parameters) {
    int64_t count = CheckedNumElements(p.shape).value();
    if (p.name.rfind("indexer.", 0) == 0) {
      indexer += count;
    } else if (p.name.find("gate") != std::string::npos) {
      gates += count;
    } else {
      attention += count;
    }
  }
  EXPECT_EQ(indexer, 1327112);
  EXPECT_EQ(gates, 4195328 + 16781312);
  EXPECT_EQ(attention, 41943040);
}

TEST(LayerWeightsTest, InitialisationHasTheStatedRange) {
  const LayerDims dims = SmallDims();
  const auto parameters = LayerParameters(dims).value();
  const auto weights = InitLayerWeights(dims, 1).value();
  ASSERT_EQ(weights.size(), parameters.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    const HostTensor& w = weights[i];
    EXPECT_EQ(w.name(), parameters[i].name);
    const bool bias = w.rank() == 1;
    if (bias) {
      const float expected =
          w.name().find("gate") != std::string::npos ? 0.5f : 0.0f;
      EXPECT_THAT(w.values<float>(), testing::Each(expected)) << w.name();
      continue;
    }
    double gain = 0;
    if (w.name().find("gate") != std::string::npos ||
        w.name() == "indexer.weight_proj.weight") {
      gain = 0.1;
    } else if (w.name().rfind("indexer.", 0) == 0) {
      gain = 1;
    } else if (w.name() == "o_proj.weight") {
      gain = 0.125;  // 1 / sqrt(2 * 32)
    } else {
      gain = 0.70710678;
    }
    const double bound =
        gain *
        std::sqrt(6.0 / static_cast<double>(w.shape()[0] + w.shape()[1]));
    double largest = 0;
    for (float v : w.values<float>()) {
      largest = std::max<double>(largest, std::abs(v));
    }
    EXPECT_LE(largest, bound * 1.0001) << w.name();
    EXPECT_GE(largest, bound * 0.97) << w.name();
    EXPECT_NEAR(MomentsOf(w.values<float>()).variance, bound * bound / 3,
                bound * bound / 3 * 0.2)
        << w.name();
  }
}

TEST(LayerWeightsTest, ConformancePattern) {
  LayerDims dims;
  dims.d_model = 8;
  dims.num_heads = 4;
  dims.num_kv_heads = 2;
  dims.head_dim = 2;
  dims.index_heads = 2;
  dims.index_dim = 4;
  const auto weights = ConformanceWeights(dims).value();
  ASSERT_EQ(weights.size(), 13u);
  EXPECT_EQ(weights[9].name(), "q_proj.weight");
  EXPECT_EQ(weights[9].type_string(), "f64[8, 8]");
  EXPECT_NEAR(weights[9].values<double>()[5], 0.8 * std::sin(1.6 * 5 + 2.7),
              1e-14);
  EXPECT_NEAR(weights[0].values<double>()[1], 0.8 * std::sin(0.7), 1e-15);
  HostTensor x = ConformanceInput("hidden", {1, 6, 8}).value();
  EXPECT_EQ(x.type_string(), "f64[1, 6, 8]");
  EXPECT_NEAR(x.values<double>()[47], std::sin(1.3 * 47 + 0.2), 1e-13);
}

TEST(LayerWeightsTest, BadDimensionsAreNamed) {
  LayerDims dims = SmallDims();
  dims.num_kv_heads = 4;
  EXPECT_THAT(std::string(InitLayerWeights(dims, 0).status().message()),
              HasSubstr("num_heads: got 6, expected a multiple of "
                        "num_kv_heads = 4"));
  dims = SmallDims();
  dims.index_dim = 0;
  EXPECT_THAT(std::string(ConformanceWeights(dims).status().message()),
              HasSubstr("index_dim: got 0, expected 1 to"));
  dims = SmallDims();
  dims.d_model = INT64_MAX;
  EXPECT_THAT(std::string(LayerParameters(dims).status().message()),
              HasSubstr("d_model"));
}

}  // namespace
}  // namespace gsa
