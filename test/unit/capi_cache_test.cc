// -----------------------------------------------------------------------------
// File: capi_cache_test.cc
// -----------------------------------------------------------------------------
//
// The cache of compiled code in the C API: which options are refused, what is
// counted, heard and forbidden.

#include <gsa/gsa.h>

#include <cstdlib>
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
  options.value.target = "emu";
  options.value.cache_mode = nullptr;
  ExpectRefused(options, "cache: expected none for the target emu");
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

// A directory for one test.
class CapiObjects : public testing::Test {
 protected:
  CapiObjects() {
    std::string name =
        (std::filesystem::temp_directory_path() / "gsa_capi_XXXXXX").string();
    path_ = mkdtemp(name.data());
    options_.value.cache_dir = path_.c_str();
  }
  ~CapiObjects() override {
    gsa_forbid_compilations(0);
    gsa_set_compilation_callback(nullptr, nullptr);
    std::filesystem::remove_all(path_);
  }

  static gsa_kernel_counts CountsOf(const PlanPtr& plan) {
    gsa_kernel_counts counts;
    std::memset(&counts, 1, sizeof(counts));
    counts.struct_size = sizeof(counts);
    EXPECT_OK(gsa_plan_kernel_counts(plan.get(), &counts));
    return counts;
  }

  std::string path_;
  Options options_{{{"x", kGateShape}, {"arg1", kGateShape}}};
};

TEST_F(CapiObjects, TheObjectOfAPlanForTheCpuIsCounted) {
  const uint64_t kernels = gsa_kernel_compilations();
  const uint64_t before = gsa_compilations();
  PlanPtr plan = Compile(kGate, options_);
  gsa_kernel_counts counts = CountsOf(plan);
  EXPECT_EQ(counts.struct_size, sizeof(counts));
  EXPECT_EQ(counts.compiled, 1u);
  EXPECT_EQ(counts.from_disk, 0u);
  EXPECT_EQ(counts.from_memory, 0u);
  EXPECT_GT(counts.compile_milliseconds, 0);
  EXPECT_EQ(gsa_compilations(), before + 1);
  plan = Compile(kGate, options_);
  counts = CountsOf(plan);
  EXPECT_EQ(counts.compiled, 0u);
  EXPECT_EQ(counts.from_disk, 1u);
  EXPECT_EQ(counts.compile_milliseconds, 0);
  EXPECT_EQ(gsa_compilations(), before + 1);
  EXPECT_EQ(gsa_kernel_compilations(), kernels);
  ExpectInvalid(gsa_plan_kernel_counts(nullptr, &counts), HasSubstr("plan"));
  ExpectInvalid(gsa_plan_kernel_counts(plan.get(), nullptr),
                HasSubstr("counts"));
  counts.struct_size = 3;
  ExpectInvalid(gsa_plan_kernel_counts(plan.get(), &counts),
                HasSubstr("expected struct_size"));
}

struct Heard {
  int calls = 0;
  std::string kind, name, target, key;
  double milliseconds = 0;
};

void Hear(const gsa_compilation* compilation, void* user_data) {
  auto* heard = static_cast<Heard*>(user_data);
  EXPECT_EQ(compilation->struct_size, sizeof(*compilation));
  ++heard->calls;
  heard->kind = compilation->kind;
  heard->name = compilation->name;
  heard->target = compilation->target;
  heard->key = compilation->key;
  heard->milliseconds = compilation->milliseconds;
}

TEST_F(CapiObjects, CompilationsAfterWarmingUpAreHeard) {
  ASSERT_NE(Compile(kGate, options_), nullptr);
  Heard heard;
  gsa_set_compilation_callback(Hear, &heard);
  ASSERT_NE(Compile(kGate, options_), nullptr);
  EXPECT_EQ(heard.calls, 0);
  options_.value.num_threads = 1;
  ASSERT_NE(Compile(kGate, options_), nullptr);
  EXPECT_EQ(heard.calls, 1);
  EXPECT_EQ(heard.kind, "object");
  EXPECT_EQ(heard.name, "main");
  EXPECT_NE(heard.target, "");
  EXPECT_GT(heard.milliseconds, 0);
  EXPECT_TRUE(std::filesystem::exists(path_ + "/" + heard.key + ".gsa"));
  gsa_set_compilation_callback(nullptr, &heard);
  options_.value.num_threads = 3;
  ASSERT_NE(Compile(kGate, options_), nullptr);
  EXPECT_EQ(heard.calls, 1);
}

TEST_F(CapiObjects, CompilationsCanBeForbidden) {
  ASSERT_NE(Compile(kGate, options_), nullptr);
  gsa_forbid_compilations(1);
  EXPECT_NE(Compile(kGate, options_), nullptr);
  options_.value.num_threads = 1;
  const uint64_t before = gsa_compilations();
  const Error error = CompileError(kGate, options_);
  EXPECT_EQ(error.code, GSA_FAILED_PRECONDITION);
  EXPECT_THAT(error.message, testing::ContainsRegex(
                                 "main \\(object, .*, key [0-9a-f]+\\) would "
                                 "have to be compiled, which is forbidden"));
  EXPECT_EQ(gsa_compilations(), before);
  options_.value.num_threads = 2;
  options_.value.cache_mode = "off";
  EXPECT_EQ(CompileError(kGate, options_).code, GSA_FAILED_PRECONDITION);
  gsa_forbid_compilations(0);
  EXPECT_NE(Compile(kGate, options_), nullptr);
}

TEST_F(CapiObjects, OnlyFromTheCache) {
  options_.value.cache_mode = "only";
  const Error error = CompileError(kGate, options_);
  EXPECT_EQ(error.code, GSA_FAILED_PRECONDITION);
  EXPECT_THAT(error.message, HasSubstr("whose mode 'only' forbids"));
  options_.value.cache_mode = "rw";
  ASSERT_NE(Compile(kGate, options_), nullptr);
  options_.value.cache_mode = "only";
  EXPECT_NE(Compile(kGate, options_), nullptr);
}

}  // namespace
