// -----------------------------------------------------------------------------
// File: capi_test.cc
// -----------------------------------------------------------------------------
//
// The C API, linked from libgsa.so alone as its users do.

#include <gsa/gsa.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/unit/capi_testing.h"

namespace {

using namespace capi_testing;

using testing::AllOf;
using testing::HasSubstr;

std::string ReadExample(const std::string& name) {
  std::ifstream file(std::string(GSA_EXAMPLES_DIR) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

// ---- Versions, statuses, element types --------------------------------------

TEST(CapiTest, VersionOfLibraryIsVersionOfHeader) {
  EXPECT_EQ(gsa_version(), GSA_VERSION);
  EXPECT_STREQ(gsa_version_string(), "0.1.0");
  EXPECT_LT(GSA_VERSION, GSA_MAKE_VERSION(0, 2, 0));
}

TEST(CapiTest, CodesHaveNames) {
  EXPECT_STREQ(gsa_code_name(GSA_OK), "OK");
  EXPECT_STREQ(gsa_code_name(GSA_INVALID_ARGUMENT), "INVALID_ARGUMENT");
  EXPECT_STREQ(gsa_code_name(GSA_UNIMPLEMENTED), "UNIMPLEMENTED");
  EXPECT_STREQ(gsa_code_name(GSA_UNKNOWN), "UNKNOWN");
}

TEST(CapiTest, DTypesHaveNamesAndSizes) {
  EXPECT_STREQ(gsa_dtype_name(GSA_F32), "f32");
  EXPECT_STREQ(gsa_dtype_name(GSA_BF16), "bf16");
  EXPECT_EQ(gsa_dtype_size(GSA_F16), 2u);
  EXPECT_EQ(gsa_dtype_size(GSA_I64), 8u);
  EXPECT_STREQ(gsa_dtype_name(GSA_DTYPE(2, 8)), "");
  EXPECT_EQ(gsa_dtype_size(0), 0u);
}

// The word is DLDataType's memory image on the little-endian machines that the
// library supports.
TEST(CapiTest, DTypeIsDlpackDataType) {
  struct {
    uint8_t code, bits;
    uint16_t lanes;
  } dl = {4, 16, 1};
  uint32_t word = GSA_BF16;
  static_assert(sizeof(dl) == sizeof(word));
  EXPECT_EQ(std::memcmp(&dl, &word, sizeof(word)), 0);
}

TEST(CapiTest, AllocatedMemoryIsAlignedAndZero) {
  for (size_t bytes : {size_t{0}, size_t{1}, size_t{64}, size_t{1000}}) {
    Memory memory(gsa_alloc(bytes));
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.get()) % GSA_ALIGNMENT, 0u);
    EXPECT_EQ(std::string(static_cast<char*>(memory.get()), bytes),
              std::string(bytes, '\0'));
  }
  EXPECT_EQ(gsa_alloc(std::numeric_limits<size_t>::max()), nullptr);
}

// ---- Null pointers ----------------------------------------------------------

TEST(CapiTest, NullHandlesAreHarmless) {
  EXPECT_EQ(gsa_status_code(nullptr), GSA_OK);
  EXPECT_STREQ(gsa_status_message(nullptr), "");
  gsa_status_destroy(nullptr);
  EXPECT_EQ(gsa_plan_retain(nullptr), nullptr);
  gsa_plan_release(nullptr);
  gsa_support_destroy(nullptr);
  gsa_thread_pool_destroy(nullptr);
  gsa_free(nullptr);
  EXPECT_EQ(gsa_plan_num_inputs(nullptr), 0u);
  EXPECT_EQ(gsa_plan_num_outputs(nullptr), 0u);
  EXPECT_EQ(gsa_plan_workspace_bytes(nullptr), 0u);
  EXPECT_EQ(gsa_plan_num_threads(nullptr), 0);
  EXPECT_STREQ(gsa_plan_target(nullptr), "");
  EXPECT_EQ(gsa_plan_num_stages(nullptr), 0u);
  EXPECT_EQ(gsa_plan_stage_name(nullptr, 0), nullptr);
  EXPECT_EQ(gsa_support_num_reasons(nullptr), 0u);
  EXPECT_EQ(gsa_support_reason(nullptr, 0), nullptr);
  EXPECT_EQ(gsa_support_code(nullptr, 0), GSA_OK);
  EXPECT_EQ(gsa_thread_pool_num_threads(nullptr), 0);
}

TEST(CapiTest, NullArgumentsAreNamed) {
  gsa_plan* plan = nullptr;
  gsa_support* support = nullptr;
  ExpectInvalid(gsa_compile(nullptr, 0, nullptr, nullptr, &plan),
                HasSubstr("text"));
  ExpectInvalid(gsa_compile("", 0, nullptr, nullptr, nullptr),
                HasSubstr("plan"));
  ExpectInvalid(gsa_check_support(nullptr, 0, nullptr, nullptr, &support),
                HasSubstr("text"));
  ExpectInvalid(gsa_check_support("", 0, nullptr, nullptr, nullptr),
                HasSubstr("support"));
  ExpectInvalid(gsa_thread_pool_create(1, nullptr), HasSubstr("pool"));
  ExpectInvalid(gsa_run(nullptr, nullptr, 0, nullptr, 0, nullptr, 0, nullptr),
                HasSubstr("plan"));
  ExpectInvalid(gsa_run_named(nullptr, nullptr, nullptr, 0, nullptr, nullptr, 0,
                              nullptr, 0, nullptr),
                HasSubstr("plan"));
  gsa_tensor_info info = {};
  info.struct_size = sizeof(info);
  ExpectInvalid(gsa_plan_input(nullptr, 0, &info), HasSubstr("plan"));
  ExpectInvalid(gsa_plan_output(nullptr, 0, &info), HasSubstr("plan"));
}

TEST_F(CapiRun, NullTensorsAndNamesAreNamed) {
  ExpectInvalid(gsa_plan_input(plan.get(), 0, nullptr), HasSubstr("info"));
  ExpectInvalid(gsa_run(plan.get(), nullptr, 2, buffers->outputs.data(), 1,
                        buffers->workspace, buffers->workspace_bytes, nullptr),
                AllOf(HasSubstr("inputs"), HasSubstr("null")));
  buffers->input_names[1] = nullptr;
  ExpectInvalid(buffers->RunNamed(plan.get()), HasSubstr("name of input 1"));
  ExpectInvalid(
      gsa_run_named(plan.get(), nullptr, buffers->inputs.data(), 2,
                    buffers->output_names.data(), buffers->outputs.data(), 1,
                    buffers->workspace, buffers->workspace_bytes, nullptr),
      HasSubstr("input names"));
  buffers->inputs[1].shape = nullptr;
  ExpectRefused(HasSubstr("input 'arg1': shape"));
}

// ---- Compilation ------------------------------------------------------------

TEST_F(CapiRun, PlanDescribesItself) {
  EXPECT_EQ(gsa_plan_num_inputs(plan.get()), 2u);
  EXPECT_EQ(gsa_plan_num_outputs(plan.get()), 1u);
  EXPECT_EQ(gsa_plan_num_threads(plan.get()), 2);
  EXPECT_THAT(gsa_plan_target(plan.get()), HasSubstr("2 threads"));
  gsa_tensor_info info = {};
  info.struct_size = sizeof(info);
  ASSERT_OK(gsa_plan_input(plan.get(), 1, &info));
  EXPECT_EQ(info.struct_size, sizeof(info));
  EXPECT_STREQ(info.name, "arg1");
  EXPECT_EQ(info.dtype, GSA_F32);
  EXPECT_EQ(std::vector<int64_t>(info.shape, info.shape + info.rank),
            kGateShape);
  EXPECT_EQ(info.bytes, kGateElements * 4);
  ASSERT_OK(gsa_plan_output(plan.get(), 0, &info));
  EXPECT_STREQ(info.name, "y");
  ExpectInvalid(gsa_plan_output(plan.get(), 1, &info),
                HasSubstr("the plan has 1 outputs"));
  size_t stages = gsa_plan_num_stages(plan.get());
  EXPECT_GE(stages, 1u);
  EXPECT_NE(gsa_plan_stage_name(plan.get(), 0), nullptr);
  EXPECT_EQ(gsa_plan_stage_name(plan.get(), stages), nullptr);
}

// An output that is the new value of an input, in its memory; to a caller that
// does not know the field nothing is written there.
TEST(CapiTest, OutputsThatUpdateInputs) {
  PlanPtr plan = Compile(R"mlir(
func.func @main(%x: tensor<2x1x16xf32> {gsa.name = "rows"},
                %c: tensor<2x4x16xf32> {gsa.name = "cache"})
    -> (tensor<2x4x16xf32> {gsa.name = "new", gsa.updates = "cache"}) {
  %n = arith.constant dense<[1, 4]> : tensor<2xi32>
  %0 = gsa.append_rows %x to %c lengths %n
      : (tensor<2x1x16xf32>, tensor<2x4x16xf32>, tensor<2xi32>)
      -> tensor<2x4x16xf32>
  return %0 : tensor<2x4x16xf32>
}
)mlir",
                         Options());
  ASSERT_NE(plan, nullptr);
  gsa_tensor_info info = {};
  info.struct_size = sizeof(info);
  ASSERT_OK(gsa_plan_input(plan.get(), 1, &info));
  EXPECT_EQ(info.updates, nullptr);
  ASSERT_OK(gsa_plan_output(plan.get(), 0, &info));
  EXPECT_STREQ(info.updates, "cache");
  info.updates = "kept";
  info.struct_size = offsetof(gsa_tensor_info, updates);
  ASSERT_OK(gsa_plan_output(plan.get(), 0, &info));
  EXPECT_STREQ(info.updates, "kept");

  Buffers buffers(plan.get());
  const auto* rows = static_cast<const float*>(buffers.inputs[0].data);
  const auto* cache = static_cast<const float*>(buffers.inputs[1].data);
  const float other = cache[16];
  buffers.outputs[0].data = buffers.inputs[1].data;
  ASSERT_OK(buffers.Run(plan.get()));
  EXPECT_EQ(cache[0], rows[0]);
  EXPECT_EQ(cache[16], other);
  EXPECT_EQ(cache[16 * 7 + 15], rows[31]);
}

TEST(CapiTest, CompileErrorsAreLocated) {
  PlanPtr plan;
  ExpectInvalid(TryCompile("func.func @main(", Options(), &plan),
                HasSubstr("test.mlir:1:"));
  // Constraint (C1) of gsa.gate.
  ExpectInvalid(
      TryCompile("func.func @main(%x: tensor<1x1x2x3xf32>,\n"
                 "    %l: tensor<1x1x2x4xf32>) -> tensor<1x1x2x3xf32> {\n"
                 "  %y = gsa.gate %x, %l : (tensor<1x1x2x3xf32>,\n"
                 "    tensor<1x1x2x4xf32>) -> tensor<1x1x2x3xf32>\n"
                 "  return %y : tensor<1x1x2x3xf32>\n}",
                 Options(), &plan),
      AllOf(HasSubstr("test.mlir:3:"), HasSubstr("gsa.gate")));
  ExpectInvalid(TryCompile("", Options(), &plan), HasSubstr("function"));
}

TEST(CapiTest, OptionsAreChecked) {
  PlanPtr plan;
  Options missing({{"x", kGateShape}});
  ExpectInvalid(TryCompile(kGate, missing, &plan), HasSubstr("'arg1'"));
  Options unknown(
      {{"x", kGateShape}, {"arg1", kGateShape}, {"zzz", kGateShape}});
  ExpectInvalid(TryCompile(kGate, unknown, &plan), HasSubstr("'zzz'"));
  Options wrong({{"x", kGateShape}, {"arg1", {1, 5, 2, 4}}});
  ExpectInvalid(TryCompile(kGate, wrong, &plan),
                AllOf(HasSubstr("'arg1'"), HasSubstr("[1, -1, 2, 3]"),
                      HasSubstr("[1, 5, 2, 4]")));
  Shapes good = {{"x", kGateShape}, {"arg1", kGateShape}};
  Options options(good);
  options.value.num_threads = 1025;
  ExpectInvalid(TryCompile(kGate, options, &plan), HasSubstr("1025"));
  options.value.num_threads = 1;
  options.value.vector_bits = 100;
  ExpectInvalid(TryCompile(kGate, options, &plan), HasSubstr("100"));
  options.value.vector_bits = 0;
  options.value.reference = 2;
  ExpectInvalid(TryCompile(kGate, options, &plan), HasSubstr("reference"));
  options.value.reference = 0;
  options.value.load_later = 2;
  ExpectInvalid(TryCompile(kGate, options, &plan),
                HasSubstr("expected load_later = 0 or 1, got 2"));
  options.value.load_later = 1;
  ExpectInvalid(TryCompile(kGate, options, &plan),
                HasSubstr("loading later: expected none for the target cpu"));
  options.value.load_later = 0;
  options.value.entry = "other";
  ExpectInvalid(TryCompile(kGate, options, &plan),
                AllOf(HasSubstr("'other'"), HasSubstr("main")));
  options.value.entry = "main";
  options.value.target = "abacus";
  ExpectInvalid(TryCompile(kGate, options, &plan),
                AllOf(HasSubstr("'cpu'"), HasSubstr("'abacus'")));
  options.value.target = "cpu";
  EXPECT_OK(TryCompile(kGate, options, &plan));
}

TEST(CapiTest, ShapesAreChecked) {
  PlanPtr plan;
  Shapes good = {{"x", kGateShape}, {"arg1", kGateShape}};
  Options options(good);
  options.named[1].name = options.named[0].name;
  ExpectInvalid(TryCompile(kGate, options, &plan),
                HasSubstr("shape 1 ('arg1'): expected one shape for this "
                          "input, got two"));
  options.named[1].name = nullptr;
  ExpectInvalid(TryCompile(kGate, options, &plan), HasSubstr("shape 1: name"));
  Options null_sizes(good);
  null_sizes.named[0].sizes = nullptr;
  ExpectInvalid(TryCompile(kGate, null_sizes, &plan), HasSubstr("sizes"));
  null_sizes.named[0].rank = -1;
  ExpectInvalid(TryCompile(kGate, null_sizes, &plan), HasSubstr("got -1"));
  null_sizes.named[0].rank = 17;
  ExpectInvalid(TryCompile(kGate, null_sizes, &plan), HasSubstr("got 17"));
}

TEST(CapiTest, ReferenceAndOptimisedPlansAgree) {
  Options options({{"x", kGateShape}, {"arg1", kGateShape}});
  options.value.reference = 1;
  PlanPtr plan = Compile(kGate, options);
  ASSERT_NE(plan, nullptr);
  Buffers buffers(plan.get());
  ASSERT_OK(buffers.Run(plan.get()));
  ExpectGate(buffers);
}

// ---- Support queries --------------------------------------------------------

TEST(CapiSupport, NothingAgainstAGoodModule) {
  EXPECT_TRUE(Reasons(kGate, Options({{"x", kGateShape}, {"arg1", kGateShape}}))
                  .empty());
}

TEST(CapiSupport, CollectsSeveralReasons) {
  const char text[] =
      "func.func @main(%a: tensor<4xi8>, %b: f32, %c: tensor<?xf32>)\n"
      "    -> tensor<4xi8> {\n  return %a : tensor<4xi8>\n}";
  Options options({{"d", {4}}});
  options.value.vector_bits = 7;
  options.value.target = "abacus";
  std::vector<Error> reasons = Reasons(text, options);
  ASSERT_EQ(reasons.size(), 7u);
  EXPECT_THAT(reasons[0].message, HasSubstr("'abacus'"));
  EXPECT_THAT(reasons[1].message, HasSubstr("got 7"));
  EXPECT_THAT(reasons[2].message, AllOf(HasSubstr("'arg0'"), HasSubstr("i8")));
  EXPECT_THAT(reasons[3].message, AllOf(HasSubstr("'arg1'"), HasSubstr("f32")));
  EXPECT_THAT(reasons[4].message, HasSubstr("'result0'"));
  EXPECT_THAT(reasons[5].message, HasSubstr("'d'"));
  EXPECT_THAT(reasons[6].message, HasSubstr("'arg2'"));
  for (const Error& reason : reasons) {
    EXPECT_EQ(reason.code, GSA_INVALID_ARGUMENT);
  }
}

TEST(CapiSupport, ParseErrorsAndContradictingSizes) {
  std::vector<Error> reasons = Reasons("nonsense", Options());
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_THAT(reasons[0].message, HasSubstr("test.mlir:1:1"));
  reasons = Reasons(
      kGate, Options({{"x", kGateShape}, {"arg1", {1, kTokens + 1, 2, 3}}}));
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_THAT(reasons[0].message, HasSubstr("specialize"));
}

// ---- Growing structures -----------------------------------------------------

TEST_F(CapiRun, SmallerKnownSizesAreAccepted) {
  Options options({{"x", kGateShape}, {"arg1", kGateShape}});
  options.value.struct_size = offsetof(gsa_compile_options, num_threads);
  options.value.vector_bits = 7;  // Unknown to such a caller, thus not read.
  PlanPtr small;
  EXPECT_OK(TryCompile(kGate, options, &small));

  // Tensors of a caller that knows neither strides nor byte_offset.
  struct OldTensor {
    size_t struct_size;
    void* data;
    int32_t device_type, device_id, rank;
    uint32_t dtype;
    const int64_t* shape;
  };
  std::vector<OldTensor> old(2);
  for (size_t i = 0; i < 2; ++i) {
    std::memcpy(&old[i], &buffers->inputs[i], sizeof(OldTensor));
    old[i].struct_size = sizeof(OldTensor);
  }
  gsa_run_options run_options = {};
  run_options.struct_size = sizeof(size_t);
  ASSERT_OK(gsa_run(plan.get(), reinterpret_cast<gsa_tensor*>(old.data()), 2,
                    buffers->outputs.data(), 1, buffers->workspace,
                    buffers->workspace_bytes, &run_options));
  ExpectGate(*buffers);

  gsa_tensor_info info = {};
  info.struct_size = offsetof(gsa_tensor_info, shape);
  info.rank = 77;
  ASSERT_OK(gsa_plan_input(plan.get(), 0, &info));
  EXPECT_STREQ(info.name, "x");
  EXPECT_EQ(info.rank, 77);  // Not the library's to write.
}

TEST_F(CapiRun, SizesBetweenFieldsAreRefused) {
  buffers->inputs[0].struct_size = sizeof(gsa_tensor) - 1;
  ExpectRefused(HasSubstr("input 0: expected struct_size"));
  buffers->inputs[0].struct_size = offsetof(gsa_tensor, shape);
  ExpectRefused(HasSubstr("struct_size"));
  buffers->inputs[0].struct_size = 0;
  ExpectRefused(HasSubstr("struct_size"));
  buffers->inputs[0].struct_size = size_t{1} << 40;
  ExpectRefused(HasSubstr("struct_size"));
  buffers->inputs[0].struct_size = sizeof(gsa_tensor);
  buffers->inputs[1].struct_size = offsetof(gsa_tensor, strides);
  ExpectRefused(AllOf(HasSubstr("input 1"), HasSubstr("first element")));
}

TEST_F(CapiRun, LargerSizesNeedZeroTails) {
  struct Future {
    gsa_tensor known;
    uint64_t unknown = 0;
  };
  std::vector<Future> inputs(2);
  for (size_t i = 0; i < 2; ++i) {
    inputs[i].known = buffers->inputs[i];
    inputs[i].known.struct_size = sizeof(Future);
  }
  auto run = [&] {
    return gsa_run(plan.get(), &inputs[0].known, 2, buffers->outputs.data(), 1,
                   buffers->workspace, buffers->workspace_bytes, nullptr);
  };
  EXPECT_OK(run());
  ExpectGate(*buffers);
  inputs[1].unknown = 1;
  ExpectInvalid(run(), AllOf(HasSubstr("input 1"), HasSubstr("zeros")));

  struct FutureInfo {
    gsa_tensor_info known = {};
    uint64_t unknown = 5;
  } info;
  info.known.struct_size = sizeof(info);
  ASSERT_OK(gsa_plan_input(plan.get(), 0, &info.known));
  EXPECT_EQ(info.unknown, 0u);
  EXPECT_EQ(info.known.struct_size, sizeof(info));
}

// ---- Runs -------------------------------------------------------------------

TEST_F(CapiRun, ComputesAndTimesStages) {
  gsa_thread_pool* pool = nullptr;
  ASSERT_OK(gsa_thread_pool_create(2, &pool));
  EXPECT_EQ(gsa_thread_pool_num_threads(pool), 2);
  std::vector<double> times(gsa_plan_num_stages(plan.get()), -1);
  gsa_run_options options = {};
  options.struct_size = sizeof(options);
  options.thread_pool = pool;
  options.stage_milliseconds = times.data();
  options.num_stage_milliseconds = times.size();
  ASSERT_OK(buffers->Run(plan.get(), &options));
  ExpectGate(*buffers);
  for (double time : times) EXPECT_GE(time, 0);
  options.num_stage_milliseconds = times.size() - 1;
  ExpectInvalid(buffers->Run(plan.get(), &options),
                HasSubstr("num_stage_milliseconds"));
  gsa_thread_pool_destroy(pool);
  ExpectInvalid(gsa_thread_pool_create(-1, &pool), HasSubstr("-1"));
  EXPECT_EQ(pool, nullptr);
}

TEST_F(CapiRun, RunsByName) {
  std::swap(buffers->inputs[0], buffers->inputs[1]);
  std::swap(buffers->input_names[0], buffers->input_names[1]);
  ASSERT_OK(buffers->RunNamed(plan.get()));
  std::swap(buffers->inputs[0], buffers->inputs[1]);
  ExpectGate(*buffers);
  buffers->input_names = {"x", "x"};
  ExpectInvalid(buffers->RunNamed(plan.get()),
                AllOf(HasSubstr("'x'"), HasSubstr("twice")));
  buffers->input_names = {"x", "logits"};
  ExpectInvalid(buffers->RunNamed(plan.get()), HasSubstr("'arg1'"));
  gsa_tensor extra = buffers->inputs[0];
  buffers->inputs.push_back(extra);
  buffers->input_names = {"x", "arg1", "logits"};
  ExpectInvalid(buffers->RunNamed(plan.get()), HasSubstr("'logits'"));
}

TEST_F(CapiRun, ByteOffsetsAndDenseStridesAreHonoured) {
  const int64_t strides[] = {-7, 6, 3, 1};  // Of a size of 1: any.
  buffers->inputs[0].strides = strides;
  std::vector<Memory> memory;
  memory.emplace_back(gsa_alloc(64 + kGateElements * 4));
  std::memcpy(static_cast<char*>(memory[0].get()) + 64, buffers->inputs[0].data,
              kGateElements * 4);
  gsa_tensor original = buffers->inputs[0];
  buffers->inputs[0].data = memory[0].get();
  buffers->inputs[0].byte_offset = 64;
  ASSERT_OK(buffers->Run(plan.get()));
  buffers->inputs[0] = original;
  ExpectGate(*buffers);
}

TEST_F(CapiRun, StridedTensorsAreRefused) {
  // Those of a size of 2.
  const int64_t strides[] = {30, 6, 4, 1};
  buffers->inputs[1].strides = strides;
  ExpectRefused(AllOf(HasSubstr("input 'arg1'"), HasSubstr("[30, 6, 3, 1]"),
                      HasSubstr("[30, 6, 4, 1]")));
  buffers->inputs[1].strides = nullptr;
  buffers->outputs[0].strides = strides;
  ExpectRefused(HasSubstr("output 'y'"));
}

TEST_F(CapiRun, ForeignDevicesAreRefused) {
  buffers->inputs[0].device_type = GSA_DEVICE_CUDA;
  ExpectRefused(AllOf(HasSubstr("input 'x'"), HasSubstr("type 2")));
  buffers->inputs[0].device_type = GSA_DEVICE_CPU;
  buffers->outputs[0].device_id = 3;
  ExpectRefused(AllOf(HasSubstr("output 'y'"), HasSubstr("device 3")));
}

TEST_F(CapiRun, WrongTypesAndShapesAreRefused) {
  gsa_tensor good = buffers->inputs[0];
  buffers->inputs[0].dtype = GSA_F16;
  ExpectRefused(AllOf(HasSubstr("'x'"), HasSubstr("expected f32[1, 5, 2, 3]"),
                      HasSubstr("got f16[1, 5, 2, 3]")));
  buffers->inputs[0].dtype = GSA_F32 + (1u << 16);  // Two lanes.
  ExpectRefused(AllOf(HasSubstr("'x'"), HasSubstr("2 lanes")));
  buffers->inputs[0] = good;
  buffers->inputs[0].rank = 3;
  ExpectRefused(AllOf(HasSubstr("'x'"), HasSubstr("rank 3")));
  buffers->inputs[0].rank = -1;
  ExpectRefused(AllOf(HasSubstr("'x'"), HasSubstr("rank -1")));
  buffers->inputs[0] = good;
  const int64_t other[] = {1, 6, 2, 3};
  buffers->inputs[0].shape = other;
  ExpectRefused(HasSubstr("got f32[1, 6, 2, 3]"));
  buffers->inputs[0] = good;
  buffers->inputs.pop_back();
  ExpectRefused(HasSubstr("expected 2 inputs ('x', 'arg1'), got 1"));
}

TEST_F(CapiRun, BadMemoryIsRefused) {
  gsa_tensor good = buffers->inputs[0];
  buffers->inputs[0].byte_offset = 4;
  ExpectRefused(AllOf(HasSubstr("'x'"), HasSubstr("64")));
  buffers->inputs[0] = good;
  buffers->inputs[0].data = nullptr;
  ExpectRefused(AllOf(HasSubstr("'x'"), HasSubstr("null")));
  buffers->inputs[0].byte_offset = 64;
  ExpectRefused(AllOf(HasSubstr("'x'"), HasSubstr("byte_offset 64")));
  buffers->inputs[0] = good;
  gsa_tensor output = buffers->outputs[0];
  buffers->outputs[0].data = good.data;
  ExpectInvalid(
      buffers->Run(plan.get()),
      AllOf(HasSubstr("'x'"), HasSubstr("'y'"), HasSubstr("overlap")));
  buffers->outputs[0] = output;
  ExpectInvalid(gsa_run(plan.get(), buffers->inputs.data(), 2,
                        buffers->outputs.data(), 1, nullptr, 64, nullptr),
                HasSubstr("workspace"));
}

TEST_F(CapiRun, StreamsAreRefusedOnTheCpu) {
  gsa_run_options options = {};
  options.struct_size = sizeof(options);
  options.stream = &options;
  ExpectInvalid(buffers->Run(plan.get(), &options), HasSubstr("stream"));
}

TEST(CapiTest, ShortWorkspacesAreRefused) {
  Options options({{"query", {1, 37, 8, 64}},
                   {"key", {1, 37, 2, 64}},
                   {"value", {1, 37, 2, 64}},
                   {"index_query", {1, 37, 4, 64}},
                   {"index_key", {1, 37, 64}},
                   {"index_weights", {1, 37, 4}}});
  PlanPtr plan = Compile(ReadExample("sparse_only.mlir"), options);
  ASSERT_NE(plan, nullptr);
  Buffers buffers(plan.get());
  ASSERT_GT(buffers.workspace_bytes, 0u);
  buffers.workspace_bytes -= 1;
  ExpectInvalid(buffers.Run(plan.get()), HasSubstr("workspace"));
}

// ---- Threads and lifetimes --------------------------------------------------

TEST(CapiConcurrency, SixtyFourThreadsRunOnePlanAndGetTheSameBits) {
  Options options({{"query", {2, 70, 8, 64}},
                   {"key", {2, 70, 2, 64}},
                   {"value", {2, 70, 2, 64}},
                   {"index_query", {2, 70, 4, 64}},
                   {"index_key", {2, 70, 64}},
                   {"index_weights", {2, 70, 4}}});
  PlanPtr plan = Compile(ReadExample("sparse_only.mlir"), options);
  ASSERT_NE(plan, nullptr);
  Buffers alone(plan.get());
  ASSERT_OK(alone.Run(plan.get()));
  const std::string expected = alone.OutputBytes();
  gsa_thread_pool* pool = nullptr;
  ASSERT_OK(gsa_thread_pool_create(2, &pool));

  const int kThreads = 64;
  std::vector<std::string> got(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      gsa_plan* mine = gsa_plan_retain(plan.get());
      Buffers buffers(mine);
      gsa_run_options options = {};
      options.struct_size = sizeof(options);
      options.thread_pool = i % 2 == 0 ? pool : nullptr;
      for (int repeat = 0; repeat < 2; ++repeat) {
        EXPECT_OK(buffers.Run(mine, &options));
      }
      got[i] = buffers.OutputBytes();
      gsa_plan_release(mine);
    });
  }
  for (std::thread& thread : threads) thread.join();
  gsa_thread_pool_destroy(pool);
  for (const std::string& bytes : got) EXPECT_TRUE(bytes == expected);
}

TEST(CapiConcurrency, PlansCompileAtTheSameTime) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      PlanPtr plan =
          Compile(kGate, Options({{"x", kGateShape}, {"arg1", kGateShape}}));
      ASSERT_NE(plan, nullptr);
      Buffers buffers(plan.get(), i);
      EXPECT_OK(buffers.Run(plan.get()));
      ExpectGate(buffers);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(CapiTest, ARetainedPlanOutlivesItsFirstOwner) {
  PlanPtr first =
      Compile(kGate, Options({{"x", kGateShape}, {"arg1", kGateShape}}));
  PlanPtr second(gsa_plan_retain(first.get()));
  first.reset();
  Buffers buffers(second.get());
  EXPECT_OK(buffers.Run(second.get()));
  ExpectGate(buffers);
}

TEST(CapiTest, ErrorsOutliveEverything) {
  gsa_status* status = nullptr;
  {
    PlanPtr plan =
        Compile(kGate, Options({{"x", kGateShape}, {"arg1", kGateShape}}));
    Buffers buffers(plan.get());
    buffers.inputs[0].rank = 9;
    status = buffers.Run(plan.get());
  }
  EXPECT_THAT(gsa_status_message(status), HasSubstr("rank 9"));
  gsa_status_destroy(status);
}

}  // namespace
