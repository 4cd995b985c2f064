//===- stream_kernels_test.cc - what streams and views can say ------------===//
//
// The kernels of test/streams, written in gsa_tile, on data, in emulation under
// ThreadSanitizer and on a GPU: groups that take turns, bounds from memory,
// pages, sums into rows, and rings whose phases go on. All but the attention
// are sums of small integers, exact in any order.
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "test/unit/differential/Session.h"
#include "test/unit/differential/Testing.h"

namespace gsa::differential {
namespace {

/// The tests run from copies of the binaries, too: the sources may be
/// elsewhere.
std::string ReadKernel(const std::string& name) {
  const char* folder = std::getenv("GSA_TEST_STREAMS");
  const std::string path =
      (folder ? std::string(folder) : std::string(GSA_STREAMS_DIR)) + "/" +
      name + ".mlir";
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

template <typename T>
HostTensor Make(const std::string& name, std::vector<int64_t> shape,
                const std::vector<T>& values) {
  return HostTensor::FromValues<T>(name, std::move(shape), values).value();
}

class StreamKernels : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    absl::Status usable = TargetIsUsable(GetParam());
    if (!usable.ok()) GTEST_SKIP() << usable;
  }

  /// The kernel's only output.
  std::vector<float> Run(const std::string& name, std::vector<HostTensor> list,
                         const std::string& output) {
    Tensors inputs;
    for (HostTensor& tensor : list) {
      std::string key(tensor.name());
      inputs[key] = std::move(tensor);
    }
    auto plan =
        Plan::Compile(ReadKernel(name), name + ".mlir", OptionsFor(GetParam()));
    if (!plan.ok()) throw std::runtime_error(plan.status().ToString());
    auto outputs = RunOnce(GetParam(), *plan, inputs);
    if (!outputs.ok()) throw std::runtime_error(outputs.status().ToString());
    const HostTensor& result = outputs->at(output);
    const auto* values = static_cast<const float*>(result.raw_data());
    return std::vector<float>(values, values + result.num_elements());
  }

  /// Integers in [-8, 8].
  std::vector<float> Integers(int64_t count) {
    std::vector<float> values(count);
    for (float& value : values)
      value = static_cast<float>(static_cast<int>(random_() % 17) - 8);
    return values;
  }

  std::mt19937 random_{29};
};

TEST_P(StreamKernels, TwoGroupsTakeTurns) {
  constexpr int kRows = 128, kKeys = 300, kColumns = 64;
  std::normal_distribution<float> normal;
  auto draw = [&](int count) {
    std::vector<BF16> values(count);
    for (BF16& value : values) value = BF16FromFloat(normal(random_));
    return values;
  };
  std::vector<BF16> q = draw(kRows * kColumns), k = draw(kKeys * kColumns),
                    v = draw(kKeys * kColumns);
  std::vector<int32_t> words(320, 0);
  for (int j = 0; j < kKeys; ++j)
    words[j] = static_cast<int32_t>(random_() & random_());
  // Queries 3 and 20 want no key at all.
  for (int32_t& word : words) word &= ~(1 << 3 | 1 << 20);
  std::vector<float> got = Run(
      "ping_pong",
      [&] {
        std::vector<HostTensor> inputs;
        inputs.push_back(Make<BF16>("queries", {kRows, kColumns}, q));
        inputs.push_back(Make<BF16>("keys", {kKeys, kColumns}, k));
        inputs.push_back(Make<BF16>("values", {kKeys, kColumns}, v));
        inputs.push_back(Make<int32_t>("words", {320}, words));
        return inputs;
      }(),
      "output");
  for (int r = 0; r < kRows; ++r) {
    std::vector<double> weights(kKeys, 0.0);
    double total = 0.0, largest = -INFINITY;
    auto member = [&](int j) { return words[j] >> (r / 4) & 1; };
    std::vector<double> logits(kKeys);
    for (int j = 0; j < kKeys; ++j) {
      double sum = 0.0;
      for (int c = 0; c < kColumns; ++c)
        sum += double{BF16ToFloat(q[r * kColumns + c])} *
               BF16ToFloat(k[j * kColumns + c]);
      logits[j] = 0.125 * sum;
      if (member(j)) largest = std::max(largest, logits[j]);
    }
    for (int j = 0; j < kKeys; ++j)
      if (member(j)) total += weights[j] = std::exp(logits[j] - largest);
    for (int c = 0; c < kColumns; ++c) {
      double expected = 0.0, magnitude = 0.0;
      for (int j = 0; j < kKeys; ++j) {
        double term = weights[j] * BF16ToFloat(v[j * kColumns + c]);
        expected += term;
        magnitude += std::abs(term);
      }
      if (total > 0) expected /= total, magnitude /= total;
      // Weights are rounded to bf16: 2^-9 of each term at most, and the sum of
      // weights is not.
      EXPECT_NEAR(got[r * kColumns + c], expected, magnitude * 0x1p-8 + 1e-6)
          << "row " << r << ", column " << c;
    }
  }
}

TEST_P(StreamKernels, PhasesOfARingGoOn) {
  std::vector<float> a = Integers(192 * 32), b = Integers(256 * 32);
  std::vector<float> expected(2 * 64 * 32, 0.0f);
  for (size_t i = 0; i < a.size(); ++i) expected[i % 2048] += 3 * a[i];
  for (size_t i = 0; i < b.size(); ++i) expected[2048 + i % 2048] += 3 * b[i];
  std::vector<HostTensor> inputs;
  inputs.push_back(Make<float>("a", {192, 32}, a));
  inputs.push_back(Make<float>("b", {256, 32}, b));
  EXPECT_EQ(Run("two_streams", std::move(inputs), "sums"), expected);
}

TEST_P(StreamKernels, BoundsMayComeFromMemory) {
  std::vector<float> data = Integers(5 * 400 * 32);
  const std::vector<int32_t> lengths = {0, 400, 1, 64, 131};
  std::vector<float> expected(5 * 64 * 32, 0.0f);
  for (int s = 0; s < 5; ++s)
    for (int r = 0; r < lengths[s]; ++r)
      for (int c = 0; c < 32; ++c)
        expected[(s * 64 + r % 64) * 32 + c] += data[(s * 400 + r) * 32 + c];
  std::vector<HostTensor> inputs;
  inputs.push_back(Make<float>("data", {5, 400, 32}, data));
  inputs.push_back(Make<int32_t>("lengths", {5}, lengths));
  EXPECT_EQ(Run("bound_from_memory", std::move(inputs), "sums"), expected);
}

TEST_P(StreamKernels, RowsMayBeInPages) {
  std::vector<float> data = Integers(320 * 32);
  // Pages in no order; there are 20, 13 of which are used.
  const std::vector<int32_t> table = {7,  19, 0, 3, 12, 11, 2,
                                      18, 5,  9, 1, 14, 6};
  std::vector<int32_t> list(100);
  for (int i = 0; i < 100; ++i) list[i] = (i * 37 + 5) % 200;
  list[4] = -1;
  list[50] = 200;
  list[99] = 1 << 30;
  auto row_of = [&](int position) {
    return table[position / 16] * 16 + position % 16;
  };
  std::vector<float> expected(2 * 64 * 32, 0.0f);
  for (int p = 0; p < 200; ++p)
    for (int c = 0; c < 32; ++c)
      expected[p % 64 * 32 + c] += data[row_of(p) * 32 + c];
  for (int i = 0; i < 100; ++i) {
    if (list[i] < 0 || list[i] >= 200) continue;
    for (int c = 0; c < 32; ++c)
      expected[(64 + i % 64) * 32 + c] += data[row_of(list[i]) * 32 + c];
  }
  std::vector<HostTensor> inputs;
  inputs.push_back(Make<float>("data", {320, 32}, data));
  inputs.push_back(Make<int32_t>("table", {13}, table));
  inputs.push_back(Make<int32_t>("list", {100}, list));
  EXPECT_EQ(Run("paged", std::move(inputs), "sums"), expected);
}

TEST_P(StreamKernels, RowsAreAddedToRows) {
  std::vector<float> data = Integers(384 * 32);
  std::vector<int32_t> list(384);
  for (int i = 0; i < 384; ++i)
    list[i] = i % 11 == 0 ? -1 : static_cast<int32_t>(random_() % 52);
  std::vector<float> expected(50 * 32, 0.0f);
  for (int i = 0; i < 384; ++i) {
    if (list[i] < 0 || list[i] >= 50) continue;
    for (int c = 0; c < 32; ++c) expected[list[i] * 32 + c] += data[i * 32 + c];
  }
  std::vector<HostTensor> inputs;
  inputs.push_back(Make<float>("data", {384, 32}, data));
  inputs.push_back(Make<int32_t>("list", {384}, list));
  EXPECT_EQ(Run("reduce", std::move(inputs), "sums"), expected);
}

INSTANTIATE_TEST_SUITE_P(Emu, StreamKernels, ::testing::Values("emu"),
                         [](const auto&) { return "Emu"; });
INSTANTIATE_TEST_SUITE_P(Cuda, StreamKernels, ::testing::Values("cuda:0"),
                         [](const auto&) { return "Cuda"; });

}  // namespace
}  // namespace gsa::differential
