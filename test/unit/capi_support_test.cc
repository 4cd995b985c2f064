// -----------------------------------------------------------------------------
// File: capi_support_test.cc
// -----------------------------------------------------------------------------
//
// gsa_check_support says what gsa_compile does: an empty list where a plan is
// made, and otherwise the very error among its reasons. Options without effect
// are errors of both.

#include <gsa/gsa.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/unit/capi_testing.h"

namespace {

using namespace capi_testing;

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

// 64 heads of 128 do not fit the shared memory of any GPU at a time.
constexpr char kWide[] =
    "func.func @main(%q: tensor<1x64x64x128xbf16>,\n"
    "    %k: tensor<1x64x128xbf16>, %w: tensor<1x64x64xbf16>)\n"
    "    -> tensor<1x64x16xi32> {\n"
    "  %i, %c, %s = gsa.select %q, %k weights %w policy <fixed, base = 16>\n"
    "      : (tensor<1x64x64x128xbf16>, tensor<1x64x128xbf16>,\n"
    "         tensor<1x64x64xbf16>) -> (tensor<1x64x16xi32>,\n"
    "         tensor<1x64xi32>, tensor<1x64xi32>)\n"
    "  return %i : tensor<1x64x16xi32>\n}";

TEST(CapiSupportKernels, AnIndexerMayHaveManyHeads) {
  EXPECT_THAT(Reasons(kWide), IsEmpty());
  for (const char* arch : {"sm_80", "sm_86", "sm_90a"}) {
    Options options;
    options.value.target = "emu";
    options.value.arch = arch;
    EXPECT_THAT(Reasons(kWide, options), IsEmpty()) << arch;
  }
}

// ---- Agreement --------------------------------------------------------------

std::string Function(const std::string& type, const std::string& body) {
  return "func.func @main(%a: " + type + ") -> " + type + " {\n" + body +
         "\n  return %r : " + type + "\n}\n";
}

constexpr char kTwoOfOneName[] =
    "func.func @main(%a: f32, %b: tensor<2xf32> {gsa.name = \"arg0\"}) "
    "{ return }";

// More keys than int32 indices tell apart.
constexpr char kManyKeys[] =
    "func.func @main(%q: tensor<1x1x1x1xf16>, "
    "%k: tensor<1x2147483664x1xf16>) -> tensor<1x1x4xi32> {\n"
    "%i, %c, %s = gsa.select %q, %k policy <fixed, base = 4> : "
    "(tensor<1x1x1x1xf16>, tensor<1x2147483664x1xf16>) -> "
    "(tensor<1x1x4xi32>, tensor<1x1xi32>, tensor<1x1xi32>)\n"
    "return %i : tensor<1x1x4xi32>\n}";

// Modules of each kind that some phase refuses, and some that none does.
std::vector<std::string> Modules() {
  const std::string exp = "  %r = math.exp %a : tensor<4xf32>";
  const std::string recursive =
      "  %r = call @f(%a) : (tensor<4xf32>) -> tensor<4xf32>";
  return {
      Function("tensor<4xf32>", exp),
      // Some targets only.
      kWide,
      Function("tensor<4xf64>", "  %r = math.exp %a : tensor<4xf64>"),
      Function("tensor<4xf32>",
               "  %z = arith.constant 0.0 : f32\n"
               "  %m = memref.alloc() : memref<4xf32>\n"
               "  linalg.fill ins(%z : f32) outs(%m : memref<4xf32>)\n"
               "  %r = bufferization.to_tensor %m restrict : memref<4xf32> to "
               "tensor<4xf32>"),
      // The parser, the verifier, what a module is held to.
      "nonsense",
      "func.func @main(%a: tensor<4xf32>) { return %a : tensor<4xf32> }",
      "func.func private @f(tensor<4xf32>) -> tensor<4xf32>\n" +
          Function("tensor<4xf32>", recursive),
      // Entries and boundaries.
      "module {}",
      Function("tensor<4xf32>", exp) + "func.func @other() { return }",
      Function("tensor<4xi8>", "  %r = arith.addi %a, %a : tensor<4xi8>"),
      Function("tensor<*xf32>", "  %r = math.exp %a : tensor<*xf32>"),
      kTwoOfOneName,
      // Shapes.
      Function("tensor<?xf32>", "  %r = math.exp %a : tensor<?xf32>"),
      Function("tensor<1099511627776xf32>",
               "  %r = math.exp %a : tensor<1099511627776xf32>"),
      // Later phases.
      "func.func private @f(%a: tensor<4xf32>) -> tensor<4xf32> {\n" +
          recursive + "\n  return %r : tensor<4xf32>\n}\n" +
          Function("tensor<4xf32>", recursive),
      kManyKeys,
  };
}

using Change = std::function<void(gsa_compile_options&)>;

std::vector<Change> Changes() {
  std::vector<Change> changes = {[](gsa_compile_options&) {}};
  for (const char* arch : {"", "sm_80", "sm_90a", "sm_75", "SM_80", "banana"}) {
    changes.push_back([=](gsa_compile_options& o) { o.arch = arch; });
  }
  for (const char* entry : {"", "main", "other", "nowhere"}) {
    changes.push_back([=](gsa_compile_options& o) { o.entry = entry; });
  }
  for (int threads : {-1, 0, 1, 1025}) {
    changes.push_back([=](gsa_compile_options& o) { o.num_threads = threads; });
  }
  for (int bits : {7, 256}) {
    changes.push_back([=](gsa_compile_options& o) { o.vector_bits = bits; });
  }
  for (int reference : {1, 2}) {
    changes.push_back([=](gsa_compile_options& o) { o.reference = reference; });
  }
  changes.push_back([](gsa_compile_options& o) { o.nvrtc = "/nowhere"; });
  changes.push_back([](gsa_compile_options& o) { o.load_later = 2; });
  for (const char* mode : {"off", "ro", "always"}) {
    changes.push_back([=](gsa_compile_options& o) { o.cache_mode = mode; });
    changes.push_back([=](gsa_compile_options& o) {
      o.cache_dir = "/nowhere";
      o.cache_mode = mode;
    });
  }
  changes.push_back([](gsa_compile_options& o) {
    o.arch = "banana";
    o.vector_bits = 256;
    o.reference = 1;
  });
  return changes;
}

// Names of inputs with shapes; a shape that does not fit is a case, too.
std::vector<Shapes> ShapeCases() {
  return {{}, {{"arg0", {4}}}, {{"arg0", {-1}}}, {{"a", {4}}, {"arg0", {4}}}};
}

void ExpectAgreement(const std::string& text, const Options& options) {
  const Error error = CompileError(text, options);
  const std::vector<Error> reasons = Reasons(text, options);
  if (error.code == GSA_OK) {
    EXPECT_EQ(reasons.size(), 0u)
        << (reasons.empty() ? "" : reasons[0].message);
    return;
  }
  bool listed = false;
  std::string all;
  for (const Error& reason : reasons) {
    listed = listed ||
             (reason.code == error.code && reason.message == error.message);
    all += reason.message + "\n";
  }
  EXPECT_TRUE(listed) << "gsa_compile: " << gsa_code_name(error.code) << " "
                      << error.message << "\ngsa_check_support:\n"
                      << all;
}

class CapiSupportAgreement : public testing::TestWithParam<const char*> {};

TEST_P(CapiSupportAgreement, OverModulesAndOptions) {
  for (const std::string& text : Modules()) {
    for (const Change& change : Changes()) {
      Options options;
      options.value.target = GetParam();
      change(options.value);
      SCOPED_TRACE(testing::Message()
                   << text << "\narch " << options.value.arch << " threads "
                   << options.value.num_threads << " bits "
                   << options.value.vector_bits << " reference "
                   << options.value.reference);
      ExpectAgreement(text, options);
    }
    for (const Shapes& shapes : ShapeCases()) {
      Options options(shapes);
      options.value.target = GetParam();
      SCOPED_TRACE(testing::Message() << text << shapes.size() << " shapes");
      ExpectAgreement(text, options);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, CapiSupportAgreement,
                         testing::Values(nullptr, "emu", "cuda", "cuda:7",
                                         "auto", "CPU", "cuda:x"),
                         [](const auto& info) {
                           std::string name = info.param ? info.param : "none";
                           std::replace(name.begin(), name.end(), ':', '_');
                           return name;
                         });

TEST(CapiSupport, LengthsThatNoTextHasAreNotRead) {
  for (size_t length : {(size_t{256} << 20) + 1, SIZE_MAX}) {
    gsa_plan* plan = nullptr;
    ExpectInvalid(gsa_compile("", length, nullptr, nullptr, &plan),
                  HasSubstr("text: expected at most 268435456 bytes, got " +
                            std::to_string(length)));
    gsa_support* support = nullptr;
    EXPECT_OK(gsa_check_support("", length, nullptr, nullptr, &support));
    EXPECT_EQ(gsa_support_num_reasons(support), 1u);
    EXPECT_EQ(gsa_support_code(support, 0), GSA_INVALID_ARGUMENT);
    gsa_support_destroy(support);
  }
}

// ---- Options without effect -------------------------------------------------

const std::string& Module() {
  static const auto& text = *new std::string(
      Function("tensor<4xf32>", "  %r = math.exp %a : tensor<4xf32>"));
  return text;
}

TEST(CapiOptions, OptionsOfOtherTargetsAreRefused) {
  Options options;
  options.value.arch = "sm_90a";
  EXPECT_EQ(Refusal(Module(), options),
            "architecture: expected none for the target cpu, which is of "
            "kernels for a GPU, got 'sm_90a'");
  options.value.arch = nullptr;
  options.value.nvrtc = "/usr";
  EXPECT_EQ(Refusal(Module(), options),
            "NVRTC: expected none for the target cpu, which it does not "
            "compile for, got '/usr'");
  options.value.target = "emu";
  EXPECT_THAT(Refusal(Module(), options),
              HasSubstr("NVRTC: expected none for the target emu"));
  options.value.nvrtc = nullptr;
  options.value.vector_bits = 256;
  EXPECT_EQ(Refusal(Module(), options),
            "vector width: expected none for the target emu, which is of the "
            "CPU's registers, got 256 bits");
}

// What "auto" chooses is the machine's: options for either choice may be given.
TEST(CapiOptions, TheAutomaticTargetTakesOptionsOfBothKinds) {
  Options options;
  options.value.target = "auto";
  options.value.arch = "banana";
  EXPECT_THAT(Refusal(Module(), options),
              HasSubstr("architecture: expected one of sm_80"));
  options.value.arch = nullptr;
  options.value.nvrtc = "/nowhere";  // thus no GPU can be used
  options.value.vector_bits = 256;
  options.value.num_threads = 1;
  PlanPtr plan = Compile(Module(), options);
  EXPECT_THAT(gsa_plan_target(plan.get()),
              AllOf(HasSubstr("256-bit vectors, 1 thread"),
                    HasSubstr("auto: no GPU to use, because ")));
}

TEST(CapiOptions, DefinitionsAreMadeForOneThread) {
  Options options;
  options.value.num_threads = 4;
  options.value.reference = 1;
  PlanPtr plan = Compile(Module(), options);
  EXPECT_EQ(gsa_plan_num_threads(plan.get()), 1);
  EXPECT_THAT(gsa_plan_target(plan.get()), HasSubstr(", 1 thread"));
}

TEST(CapiOptions, NamesOfTargetsAndArchitecturesAreSuggested) {
  Options options;
  for (const auto& [wrong, near] :
       std::vector<std::pair<const char*, const char*>>{{"CPU", "cpu"},
                                                        {"Cuda:0", "cuda"},
                                                        {"gpu", "cuda"},
                                                        {"GPU:1", "cuda"},
                                                        {"emul", "emu"}}) {
    options.value.target = wrong;
    EXPECT_THAT(Refusal(Module(), options),
                AllOf(HasSubstr("target: expected 'cpu', 'cuda'"),
                      HasSubstr(std::string("got '") + wrong +
                                "'; did you mean '" + near + "'?")));
  }
  options.value.target = "xx";
  EXPECT_THAT(Refusal(Module(), options), HasSubstr("'auto', got 'xx'"));
  options.value.target = "emu";
  options.value.arch = "SM90a";
  EXPECT_THAT(Refusal(Module(), options),
              HasSubstr("got 'SM90a'; did you mean 'sm_90a'?"));
  // NVIDIA has it, but there are no kernels for it.
  options.value.arch = "sm_75";
  const Error error = CompileError(Module(), options);
  EXPECT_EQ(error.code, GSA_UNIMPLEMENTED);
  EXPECT_THAT(error.message, HasSubstr("got 'sm_75'; did you mean 'sm_80'?"));
}

}  // namespace
