//===- random_cases_test.cc - random modules against the reference --------===//
//
// Each test compiles the modules of a range of seeds and runs each of them on
// several inputs; a case is one (module, inputs). A failure names the seed and
// the workload. To repeat a failure, or to look at seeds that are not in the
// ranges below, set GSA_SEEDS to "first" or "first:count":
//
//   GSA_SEEDS=17 differential_test --gtest_filter=ChosenCases.*
//   GSA_SEEDS=100000:5000 differential_test --gtest_filter=ChosenCases.*
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "test/unit/differential/Check.h"
#include "test/unit/differential/Module.h"
#include "test/unit/differential/Runner.h"

namespace gsa::differential {
namespace {

constexpr int kShards = 52;
constexpr int kPlansPerShard = 4;
constexpr int kRunsPerPlan = 4;

struct Totals {
  int64_t plans = 0, cases = 0, rows = 0, legal_rows = 0;
  std::map<std::string, double> largest_fraction;

  void Print() const {
    std::printf(
        "[ CASES    ] %lld cases of %lld modules, %lld rows selected, "
        "%lld with keys exchanged within the bounds; largest error / "
        "bound:",
        static_cast<long long>(cases), static_cast<long long>(plans),
        static_cast<long long>(rows), static_cast<long long>(legal_rows));
    for (const auto& [family, fraction] : largest_fraction) {
      std::printf(" %s %.3f", family.c_str(), fraction);
    }
    std::printf("\n");
  }
};

void RunSeedOrThrow(uint64_t seed, Totals* totals) {
  Spec spec = RandomSpec(seed);
  Module module = WriteModule(spec);
  SCOPED_TRACE(spec.ToString());
  absl::StatusOr<std::shared_ptr<const Plan>> plan = Compile(spec, module);
  ASSERT_TRUE(plan.ok()) << plan.status() << "\n" << module.text;
  ++totals->plans;
  Rng rng(seed, "runs");
  for (int run = 0; run < kRunsPerPlan; ++run) {
    Workload workload = RandomWorkload(spec, rng);
    SCOPED_TRACE(WorkloadName(workload));
    Tensors inputs =
        MakeInputs(spec, module.inputs, workload, seed * kRunsPerPlan + run);
    int threads = static_cast<int>(rng.Int(1, 3));
    absl::StatusOr<Tensors> outputs = Run(**plan, inputs, threads);
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    Findings findings = Check(spec, workload, inputs, *outputs);
    EXPECT_TRUE(findings.errors.empty()) << findings.ToString();
    ++totals->cases;
    totals->rows += findings.rows;
    totals->legal_rows += findings.legal_rows;
    double& largest = totals->largest_fraction[FamilyName(spec.family)];
    largest = std::max(largest, findings.largest_fraction);
  }
}

/// The reference throws for operands that do not fit: a mistake of this test.
void RunSeed(uint64_t seed, Totals* totals) {
  try {
    RunSeedOrThrow(seed, totals);
  } catch (const std::exception& error) {
    ADD_FAILURE() << RandomSpec(seed).ToString() << ": " << error.what();
  }
}

class RandomCases : public ::testing::TestWithParam<int> {};

TEST_P(RandomCases, AgreeWithTheReference) {
  Totals totals;
  for (int i = 0; i < kPlansPerShard; ++i) {
    RunSeed(GetParam() * kPlansPerShard + i, &totals);
  }
  RecordProperty("cases", static_cast<int>(totals.cases));
  totals.Print();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomCases, ::testing::Range(0, kShards),
                         [](const ::testing::TestParamInfo<int>& info) {
                           int first = info.param * kPlansPerShard;
                           return std::to_string(first) + "to" +
                                  std::to_string(first + kPlansPerShard - 1);
                         });

TEST(ChosenCases, AgreeWithTheReference) {
  const char* text = std::getenv("GSA_SEEDS");
  if (text == nullptr) GTEST_SKIP() << "GSA_SEEDS names no seeds";
  char* rest = nullptr;
  uint64_t first = std::strtoull(text, &rest, 10);
  uint64_t count = *rest == ':' ? std::strtoull(rest + 1, nullptr, 10) : 1;
  Totals totals;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    RunSeed(seed, &totals);
  }
  totals.Print();
}

}  // namespace
}  // namespace gsa::differential
