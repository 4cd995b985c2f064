// -----------------------------------------------------------------------------
// File: capi_cache_test.cc
// -----------------------------------------------------------------------------
//
// The cache of compiled kernels in the C API: which options are refused, and
// the counts of kernels.

#include <gsa/gsa.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/unit/capi_testing.h"

namespace {

using namespace capi_testing;

using testing::HasSubstr;

std::string Nowhere() {
  return (std::filesystem::temp_directory_path() / "gsa-capi-no-cache")
      .string();
}

// GSA_INVALID_ARGUMENT of gsa_compile, which gsa_check_support lists as well.
void ExpectRefused(const Options& options, const std::string& message) {
  PlanPtr plan;
  ExpectInvalid(TryCompile(kGate, options, &plan), HasSubstr(message));
  EXPECT_EQ(plan, nullptr);
}

TEST(CapiCache, OptionsThatDoNotFit) {
  const std::string directory = Nowhere();
  Options options({{"x", kGateShape}, {"arg1", kGateShape}});
  options.value.cache_mode = "always";
  ExpectRefused(options,
                "cache mode: expected off, ro, rw or only, got 'always'");
  for (const char* mode : {"ro", "rw", "only"}) {
    options.value.cache_mode = mode;
    ExpectRefused(options, "expected a cache_dir beside the cache_mode");
  }
  // What has no effect.
  options.value.cache_dir = directory.c_str();
  for (const char* target : {"cpu", "emu"}) {
    options.value.target = target;
    options.value.cache_mode = nullptr;
    ExpectRefused(options,
                  "cache: expected none for the target " + std::string(target));
  }
  EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST(CapiCache, OffIsForEveryTarget) {
  const std::string directory = Nowhere();
  Options options({{"x", kGateShape}, {"arg1", kGateShape}});
  options.value.cache_mode = "off";
  EXPECT_NE(Compile(kGate, options), nullptr);
  options.value.cache_dir = directory.c_str();
  EXPECT_NE(Compile(kGate, options), nullptr);
  options.value.cache_dir = options.value.cache_mode = "";
  EXPECT_NE(Compile(kGate, options), nullptr);
  EXPECT_FALSE(std::filesystem::exists(directory));
}

// A directory that cannot be made is a cache that keeps nothing: whatever else
// this machine lacks, the cache is no reason against a compilation.
TEST(CapiCache, ABadDirectoryIsNoReason) {
  Options options({{"x", kGateShape}, {"arg1", kGateShape}});
  options.value.target = "cuda";
  options.value.arch = "sm_90a";
  options.value.cache_dir = "/dev/null/cache";
  gsa_support* support = nullptr;
  ASSERT_OK(gsa_check_support(kGate, sizeof(kGate) - 1, "test.mlir",
                              &options.value, &support));
  for (size_t i = 0; i < gsa_support_num_reasons(support); ++i)
    EXPECT_THAT(gsa_support_reason(support, i),
                testing::Not(HasSubstr("/dev/null/cache")));
  gsa_support_destroy(support);
}

TEST(CapiCache, CountsOfAPlanWithoutKernels) {
  const uint64_t before = gsa_kernel_compilations();
  PlanPtr plan =
      Compile(kGate, Options({{"x", kGateShape}, {"arg1", kGateShape}}));
  gsa_kernel_counts counts;
  std::memset(&counts, 1, sizeof(counts));
  counts.struct_size = sizeof(counts);
  ASSERT_OK(gsa_plan_kernel_counts(plan.get(), &counts));
  EXPECT_EQ(counts.struct_size, sizeof(counts));
  EXPECT_EQ(counts.compiled, 0u);
  EXPECT_EQ(counts.from_disk, 0u);
  EXPECT_EQ(counts.from_memory, 0u);
  EXPECT_EQ(counts.compile_milliseconds, 0);
  EXPECT_EQ(gsa_kernel_compilations(), before);
  ExpectInvalid(gsa_plan_kernel_counts(nullptr, &counts), HasSubstr("plan"));
  ExpectInvalid(gsa_plan_kernel_counts(plan.get(), nullptr),
                HasSubstr("counts"));
  counts.struct_size = 3;
  ExpectInvalid(gsa_plan_kernel_counts(plan.get(), &counts),
                HasSubstr("expected struct_size"));
}

}  // namespace
