// -----------------------------------------------------------------------------
// File: plan_bounds_test.cc
// -----------------------------------------------------------------------------
//
// Plans for bounds: whatever sizes a run has, its results have the bits of a
// plan for these sizes alone; what a run is refused for.

#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/tensor.h"
#include "runtime/plan.h"

namespace gsa {
namespace {

using ::testing::HasSubstr;
using Shapes = std::map<std::string, std::vector<int64_t>>;

// What is between the projections of a layer: selection, attention over what it
// selects, a gate.
std::string Core(const std::string& policy, const std::string& type,
                 const std::string& lengths) {
  std::string text = R"mlir(
func.func @main(%q: tensor<?x?x4x16xT> {gsa.name = "q"},
                %k: tensor<?x?x2x16xT> {gsa.name = "k"},
                %v: tensor<?x?x2x24xT> {gsa.name = "v"},
                %iq: tensor<?x?x2x8xT> {gsa.name = "iq"},
                %ik: tensor<?x?x8xT> {gsa.name = "ik"},
                %iw: tensor<?x?x2xT> {gsa.name = "iw"},
                %lengths: tensor<?xi32> {gsa.name = "lengths"},
                %gate: tensor<?x?x4x24xT> {gsa.name = "gate"})
    -> (tensor<?x?x4x24xT> {gsa.name = "out"},
        tensor<?x4x?xf32> {gsa.name = "lse"},
        tensor<?x?x8xi32> {gsa.name = "indices"},
        tensor<?x?xi32> {gsa.name = "counts"},
        tensor<?x?xi32> {gsa.name = "status"}) {
  %indices, %counts, %status = gsa.select %iq, %ik weights %iw LENGTHS
      policy <POLICY> : (tensor<?x?x2x8xT>, tensor<?x?x8xT>, tensor<?x?x2xT>LTYPE)
      -> (tensor<?x?x8xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  %a, %lse = gsa.gather_attention %q, %k, %v indices %indices, %counts LENGTHS
      : (tensor<?x?x4x16xT>, tensor<?x?x2x16xT>, tensor<?x?x2x24xT>,
         tensor<?x?x8xi32>, tensor<?x?xi32>LTYPE)
      -> (tensor<?x?x4x24xT>, tensor<?x4x?xf32>)
  %out = gsa.gate %a, %gate
      : (tensor<?x?x4x24xT>, tensor<?x?x4x24xT>) -> tensor<?x?x4x24xT>
  return %out, %lse, %indices, %counts, %status
      : tensor<?x?x4x24xT>, tensor<?x4x?xf32>, tensor<?x?x8xi32>,
        tensor<?x?xi32>, tensor<?x?xi32>
}
)mlir";
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;)
      text.replace(at, from.size(), to);
  };
  replace("LENGTHS", lengths.empty() ? "" : "lengths %lengths");
  replace("LTYPE", lengths.empty() ? "" : ", tensor<?xi32>");
  replace("POLICY", policy);
  replace("xT>", absl::StrCat("x", type, ">"));
  return text;
}

const char kDense[] = R"mlir(
func.func @main(%q: tensor<?x?x4x16xf32> {gsa.name = "q"},
                %k: tensor<?x?x2x16xf32> {gsa.name = "k"},
                %v: tensor<?x?x2x24xf32> {gsa.name = "v"},
                %lengths: tensor<?xi32> {gsa.name = "lengths"})
    -> (tensor<?x?x4x24xf32> {gsa.name = "out"},
        tensor<?x4x?xf32> {gsa.name = "lse"}) {
  %a, %lse = gsa.dense_attention %q, %k, %v lengths %lengths
      : (tensor<?x?x4x16xf32>, tensor<?x?x2x16xf32>, tensor<?x?x2x24xf32>,
         tensor<?xi32>) -> (tensor<?x?x4x24xf32>, tensor<?x4x?xf32>)
  return %a, %lse : tensor<?x?x4x24xf32>, tensor<?x4x?xf32>
}
)mlir";

struct Sizes {
  int64_t batch, queries, keys;
};

// The shapes of all inputs of the modules above.
Shapes ShapesFor(const Sizes& s, bool dense = false) {
  Shapes shapes = {{"q", {s.batch, s.queries, 4, 16}},
                   {"k", {s.batch, s.keys, 2, 16}},
                   {"v", {s.batch, s.keys, 2, 24}},
                   {"lengths", {s.batch}}};
  if (dense) return shapes;
  shapes["iq"] = {s.batch, s.queries, 2, 8};
  shapes["ik"] = {s.batch, s.keys, 8};
  shapes["iw"] = {s.batch, s.queries, 2};
  shapes["gate"] = {s.batch, s.queries, 4, 24};
  return shapes;
}

// The tensors of a run of `plan` on inputs of `shapes`; outputs are those of
// `like`, a plan for these shapes.
struct Tensors {
  Tensors(const Plan& plan, const Plan& like, const Shapes& shapes) {
    uint64_t number = 0;
    for (const TensorSpec& spec : plan.inputs()) {
      HostTensor tensor =
          *HostTensor::Create(spec.name, DType::kF32, shapes.at(spec.name));
      if (spec.dtype == DType::kI32) {
        tensor =
            *HostTensor::Create(spec.name, DType::kI32, shapes.at(spec.name));
        int32_t next = static_cast<int32_t>(shapes.at("k")[1]);
        for (int32_t& value : tensor.values<int32_t>()) value = next--;
      } else {
        uint64_t state = ++number * 0x9e3779b97f4a7c15u;
        for (float& value : tensor.values<float>()) {
          state = state * 6364136223846793005u + 1442695040888963407u;
          value = static_cast<float>(static_cast<int32_t>(state >> 40) % 4001 -
                                     2000) /
                  1000.0f;
        }
        tensor = *tensor.ConvertTo(spec.dtype);
      }
      inputs.push_back(std::move(tensor));
    }
    for (const TensorSpec& spec : like.outputs()) {
      outputs.push_back(*HostTensor::Create(spec.name, spec.dtype, spec.shape));
      std::memset(outputs.back().raw_data(), 0xff, outputs.back().byte_size());
    }
    scratch =
        *HostTensor::Create("workspace", DType::kU8, {plan.workspace_bytes()});
    std::memset(scratch.raw_data(), 0xff, scratch.byte_size());
  }

  absl::Status Run(const Plan& plan, ThreadPool* pool = nullptr) {
    std::vector<TensorView> in;
    for (const HostTensor& tensor : inputs) in.push_back(tensor.view());
    std::vector<MutableTensorView> out;
    for (HostTensor& tensor : outputs)
      out.push_back({tensor.dtype(), tensor.shape(), tensor.raw_data()});
    RunOptions options;
    options.pool = pool;
    return plan.Run(in, out,
                    absl::MakeSpan(static_cast<char*>(scratch.raw_data()),
                                   scratch.byte_size()),
                    options);
  }

  std::vector<HostTensor> inputs, outputs;
  HostTensor scratch;
};

std::shared_ptr<const Plan> Compile(const std::string& text,
                                    CompileOptions options) {
  options.opt_level = 1;
  auto plan = Plan::Compile(text, "core.mlir", options);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? *plan : nullptr;
}

void ExpectBitsOfStaticPlans(const std::string& text, const Sizes& bounds,
                             const std::vector<Sizes>& runs, bool dense,
                             int threads) {
  CompileOptions options;
  options.num_threads = threads;
  options.bounds = ShapesFor(bounds, dense);
  auto bounded = Compile(text, options);
  ASSERT_NE(bounded, nullptr);
  EXPECT_TRUE(bounded->is_bounded());
  options.bounds.clear();
  for (const Sizes& sizes : runs) {
    SCOPED_TRACE(
        absl::StrCat(sizes.batch, " ", sizes.queries, " ", sizes.keys));
    options.shapes = ShapesFor(sizes, dense);
    auto fixed = Compile(text, options);
    ASSERT_NE(fixed, nullptr);
    Tensors expected(*fixed, *fixed, options.shapes);
    ASSERT_TRUE(expected.Run(*fixed).ok());
    Tensors got(*bounded, *fixed, options.shapes);
    auto pool = *ThreadPool::Create(threads);
    const absl::Status status = got.Run(*bounded, pool.get());
    ASSERT_TRUE(status.ok()) << status;
    for (size_t i = 0; i < got.outputs.size(); ++i)
      EXPECT_EQ(
          std::memcmp(got.outputs[i].raw_data(), expected.outputs[i].raw_data(),
                      got.outputs[i].byte_size()),
          0)
          << got.outputs[i].name();
  }
}

TEST(PlanBounds, RunsHaveTheBitsOfStaticPlans) {
  ExpectBitsOfStaticPlans(
      Core("fixed, base = 8", "f32", ""), {3, 40, 300},
      {{3, 40, 300}, {1, 1, 300}, {2, 17, 130}, {1, 40, 40}, {3, 5, 5}},
      /*dense=*/false, /*threads=*/1);
}

TEST(PlanBounds, LengthsAndTasks) {
  ExpectBitsOfStaticPlans(Core("fixed, base = 8", "bf16", "lengths"),
                          {4, 24, 200}, {{4, 24, 200}, {2, 1, 77}, {1, 9, 9}},
                          /*dense=*/false, /*threads=*/3);
}

TEST(PlanBounds, FewQueriesShareTheKeys) {
  ExpectBitsOfStaticPlans(Core("fixed, base = 8", "f32", "lengths"),
                          {8, 1, 500}, {{8, 1, 500}, {3, 1, 1}, {1, 1, 65}},
                          /*dense=*/false, /*threads=*/2);
}

TEST(PlanBounds, PoliciesThatAskForAllRows) {
  ExpectBitsOfStaticPlans(
      Core("upstream_variance, base = 6, min = 2, max = 8", "f32", ""),
      {2, 20, 64}, {{2, 20, 64}, {1, 3, 50}},
      /*dense=*/false, /*threads=*/1);
}

TEST(PlanBounds, DenseAttention) {
  ExpectBitsOfStaticPlans(kDense, {3, 40, 300},
                          {{3, 40, 300}, {1, 1, 299}, {2, 33, 33}},
                          /*dense=*/true, /*threads=*/2);
}

// A projection, whose rows are all that is dynamic, and its heads.
TEST(PlanBounds, Projections) {
  const char kProjection[] = R"mlir(
#x = affine_map<(b, s, o, i) -> (b, s, i)>
#w = affine_map<(b, s, o, i) -> (o, i)>
#y = affine_map<(b, s, o, i) -> (b, s, o)>
func.func @main(%h: tensor<?x?x40xf32> {gsa.name = "q"},
                %w: tensor<24x40xf32> {gsa.name = "k"},
                %g: tensor<?x?x4x6xf32> {gsa.name = "gate"})
    -> (tensor<?x?x4x6xf32> {gsa.name = "out"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %b = tensor.dim %h, %c0 : tensor<?x?x40xf32>
  %s = tensor.dim %h, %c1 : tensor<?x?x40xf32>
  %empty = tensor.empty(%b, %s) : tensor<?x?x24xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x?x24xf32>)
      -> tensor<?x?x24xf32>
  %flat = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%h, %w : tensor<?x?x40xf32>, tensor<24x40xf32>)
      outs(%start : tensor<?x?x24xf32>) -> tensor<?x?x24xf32>
  %heads = tensor.expand_shape %flat [[0], [1], [2, 3]]
      output_shape [%b, %s, 4, 6] : tensor<?x?x24xf32> into tensor<?x?x4x6xf32>
  %out = gsa.gate %heads, %g
      : (tensor<?x?x4x6xf32>, tensor<?x?x4x6xf32>) -> tensor<?x?x4x6xf32>
  return %out : tensor<?x?x4x6xf32>
}
)mlir";
  for (int threads : {1, 3}) {
    CompileOptions options;
    options.num_threads = threads;
    const auto shapes = [](int64_t b, int64_t s) {
      return Shapes{{"q", {b, s, 40}}, {"k", {24, 40}}, {"gate", {b, s, 4, 6}}};
    };
    options.bounds = shapes(3, 50);
    auto bounded = Compile(kProjection, options);
    ASSERT_NE(bounded, nullptr);
    options.bounds.clear();
    for (auto [b, s] : {std::pair{3, 50}, {1, 1}, {2, 13}, {3, 0}}) {
      SCOPED_TRACE(absl::StrCat(b, " ", s));
      options.shapes = shapes(b, s);
      auto fixed = Compile(kProjection, options);
      ASSERT_NE(fixed, nullptr);
      Tensors expected(*fixed, *fixed, options.shapes);
      ASSERT_TRUE(expected.Run(*fixed).ok());
      Tensors got(*bounded, *fixed, options.shapes);
      const absl::Status status = got.Run(*bounded);
      ASSERT_TRUE(status.ok()) << status;
      EXPECT_EQ(
          std::memcmp(got.outputs[0].raw_data(), expected.outputs[0].raw_data(),
                      got.outputs[0].byte_size()),
          0);
    }
  }
}

// Nothing to compute, and no byte read or written.
TEST(PlanBounds, SizesOfZero) {
  CompileOptions options;
  options.bounds = ShapesFor({2, 5, 9});
  auto bounded = Compile(Core("fixed, base = 8", "f32", ""), options);
  ASSERT_NE(bounded, nullptr);
  for (const Sizes& sizes : {Sizes{0, 5, 9}, Sizes{2, 0, 9}, Sizes{2, 5, 0}}) {
    options.bounds.clear();
    options.shapes = ShapesFor(sizes);
    auto fixed = Compile(Core("fixed, base = 8", "f32", ""), options);
    ASSERT_NE(fixed, nullptr);
    Tensors expected(*fixed, *fixed, options.shapes);
    ASSERT_TRUE(expected.Run(*fixed).ok());
    Tensors got(*bounded, *fixed, options.shapes);
    ASSERT_TRUE(got.Run(*bounded).ok());
    for (size_t i = 0; i < got.outputs.size(); ++i)
      EXPECT_EQ(
          std::memcmp(got.outputs[i].raw_data(), expected.outputs[i].raw_data(),
                      got.outputs[i].byte_size()),
          0)
          << got.outputs[i].name() << " of " << sizes.batch << " "
          << sizes.queries << " " << sizes.keys;
  }
}

std::string Message(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

TEST(PlanBounds, RunsAreHeldToBoundsAndToEachOther) {
  CompileOptions options;
  options.bounds = ShapesFor({2, 5, 9}, /*dense=*/true);
  auto plan = Compile(kDense, options);
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->inputs()[1].ToString(), "k: f32[2, 9, 2, 16]");
  EXPECT_EQ(plan->outputs()[1].ToString(), "lse: f32[2, 4, 5]");
  const auto refuse = [&](size_t input, std::vector<int64_t> shape,
                          const std::string& message) {
    Tensors tensors(*plan, *plan, options.bounds);
    tensors.inputs[input] =
        *HostTensor::Create("changed", plan->inputs()[input].dtype, shape);
    EXPECT_THAT(Message(tensors.Run(*plan)), HasSubstr(message));
  };
  refuse(0, {2, 6, 4, 16},
         "input 'q': expected at most 5 in dimension 1, the plan's bound, got "
         "6");
  refuse(0, {2, 5, 4, 15}, "input 'q': expected 16 in dimension 3, got 15");
  refuse(2, {2, 8, 2, 24},
         "input 'v': expected 9 in dimension 1, as in dimension 1 of 'k', got "
         "8");
  refuse(3, {1},
         "input 'lengths': expected 2 in dimension 0, as in dimension 0 of "
         "'q', got 1");
  refuse(3, {2, 1}, "input 'lengths': expected at most i32[2], got i32[2, 1]");
  Tensors tensors(*plan, *plan, options.bounds);
  tensors.outputs[0] = *HostTensor::Create("out", DType::kF32, {2, 4, 4, 24});
  EXPECT_THAT(Message(tensors.Run(*plan)),
              HasSubstr("output 'out': expected 5 in dimension 1, as in "
                        "dimension 1 of 'q', got 4"));
}

// Keys and values of as many rows: of a number of pages that a run is held to.
TEST(PlanBounds, TablesHaveOneNumberOfPages) {
  const char text[] = R"mlir(
func.func @main(%q: tensor<?x1x2x4xf32> {gsa.name = "q"},
                %kp: tensor<?x3x1x4xf32> {gsa.name = "key_pool"},
                %vp: tensor<?x3x1x4xf32> {gsa.name = "value_pool"},
                %kt: tensor<?x?xi32> {gsa.name = "key_table"},
                %vt: tensor<?x?xi32> {gsa.name = "value_table"})
    -> (tensor<?x1x2x4xf32> {gsa.name = "out"}) {
  %k = gsa.paged_rows %kp, %kt
      : (tensor<?x3x1x4xf32>, tensor<?x?xi32>) -> tensor<?x?x1x4xf32>
  %v = gsa.paged_rows %vp, %vt
      : (tensor<?x3x1x4xf32>, tensor<?x?xi32>) -> tensor<?x?x1x4xf32>
  %a, %lse = gsa.dense_attention %q, %k, %v
      : (tensor<?x1x2x4xf32>, tensor<?x?x1x4xf32>, tensor<?x?x1x4xf32>)
      -> (tensor<?x1x2x4xf32>, tensor<?x2x1xf32>)
  return %a : tensor<?x1x2x4xf32>
}
)mlir";
  CompileOptions options;
  options.bounds = {{"q", {2, 1, 2, 4}},
                    {"key_pool", {9, 3, 1, 4}},
                    {"value_pool", {8, 3, 1, 4}},
                    {"key_table", {2, 4}},
                    {"value_table", {2, 4}}};
  auto plan = Compile(text, options);
  ASSERT_NE(plan, nullptr);
  Tensors tensors(*plan, *plan, [&] {
    Shapes shapes = options.bounds;
    shapes["k"] = {0, 1};  // Entries count down from 1: some are no pages.
    return shapes;
  }());
  EXPECT_TRUE(tensors.Run(*plan).ok());
  tensors.inputs[4] = *HostTensor::Create("changed", DType::kI32, {2, 3});
  EXPECT_THAT(Message(tensors.Run(*plan)),
              HasSubstr("input 'value_table': expected 4 in dimension 1, as in "
                        "dimension 1 of 'key_table', got 3"));
}

TEST(PlanBounds, CompileErrorsNameWhatIsWrong) {
  CompileOptions options;
  const auto refused = [&] {
    return std::string(
        Plan::Compile(kDense, "dense.mlir", options).status().message());
  };
  options.bounds = ShapesFor({2, 5, 9}, /*dense=*/true);
  options.bounds["v"][1] = 8;
  EXPECT_THAT(refused(),
              HasSubstr("argument #2: expected the bound 9 in dimension 1"));
  options.bounds["v"][1] = 9;
  options.shapes["q"] = options.bounds["q"];
  EXPECT_THAT(refused(), HasSubstr("expected a shape or bounds, got both"));
  options.shapes.clear();
  options.bounds["w"] = {1};
  EXPECT_THAT(refused(), HasSubstr("'w'"));
  options.bounds.erase("w");
  options.target = "emu";
  const absl::Status status =
      Plan::Compile(kDense, "dense.mlir", options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("a plan for the target emu is for one set of shapes"));
}

// A size that one input fixes is fixed for the others.
TEST(PlanBounds, SomeSizesMayBeFixed) {
  CompileOptions options;
  options.bounds = ShapesFor({2, 5, 9}, /*dense=*/true);
  options.shapes["k"] = options.bounds["k"];
  options.bounds.erase("k");
  auto plan = Compile(kDense, options);
  ASSERT_NE(plan, nullptr);
  Tensors tensors(*plan, *plan, ShapesFor({2, 5, 9}, true));
  tensors.inputs[2] = *HostTensor::Create("v", DType::kF32, {2, 8, 2, 24});
  EXPECT_THAT(Message(tensors.Run(*plan)),
              HasSubstr("input 'v': expected 9 in dimension 1, got 8"));
}

}  // namespace
}  // namespace gsa
