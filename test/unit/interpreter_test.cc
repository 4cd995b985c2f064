//===- interpreter_test.cc - the float64 interpreter of modules -----------===//
//
// The layer of examples/ against its conformance vector, and single ops
// against values computed by hand or by loops written here.
//
//===----------------------------------------------------------------------===//

#include "tools/reference-interpreter/Interpreter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "test/reference/Attention.h"
#include "test/reference/Math.h"
#include "test/unit/interpreter_testing.h"
#include "test/unit/reference_testing.h"

namespace mlir::gsa {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Floats = reference::Tensor<double>;
using Ints = reference::Tensor<int32_t>;
using Longs = reference::Tensor<int64_t>;

//===----------------------------------------------------------------------===//
// The layer
//===----------------------------------------------------------------------===//

InterpreterOptions TwoThreads() {
  InterpreterOptions options;
  options.numThreads = 2;
  return options;
}

/// Results of the layer example on the input of the conformance vector.
SmallVector<RuntimeValue> RunConformanceLayer(
    TestModule* module, const InterpreterOptions& options = {}) {
  reference::SineLayer layer;
  EXPECT_TRUE(module->ParseExample("gsa_layer_conformance.mlir"));
  return module->RunByName(layer.parameters, reference::SineLayer::Input(1, 6),
                           options);
}

std::vector<std::vector<int32_t>> Rows(const RuntimeValue& indices,
                                       const RuntimeValue& counts) {
  std::vector<std::vector<int32_t>> rows;
  int64_t slots = indices.shape()[2];
  for (int64_t i = 0; i < counts.size(); ++i) {
    const int32_t* row = indices.ints().data() + i * slots;
    rows.emplace_back(row, row + counts.ints()[i]);
  }
  return rows;
}

TEST(InterpreterLayer, ReproducesTheConformanceVector) {
  TestModule module;
  SmallVector<RuntimeValue> results = RunConformanceLayer(&module);
  ASSERT_EQ(results.size(), 5u) << module.errors();
  EXPECT_THAT(results[3].ints().values(), ElementsAre(1, 2, 2, 2, 3, 4));
  EXPECT_THAT(Rows(results[2], results[3]),
              ElementsAre(ElementsAre(0), ElementsAre(0, 1), ElementsAre(0, 2),
                          ElementsAre(1, 3), ElementsAre(1, 3, 4),
                          ElementsAre(0, 2, 3, 5)));
  std::vector<double> first = {0.451538244, -0.079354531, -0.362504959,
                               0.486073681, -0.182854407, -0.280916793,
                               0.498034204, -0.277861903};
  std::vector<double> last = {0.338122657, -0.416539543, 0.129221596,
                              0.271556981, -0.433899979, 0.215265134,
                              0.192379276, -0.431108625};
  for (int64_t m = 0; m < 8; ++m) {
    EXPECT_NEAR(results[0].floats().At(0, 0, m), first[m], 1e-8);
    EXPECT_NEAR(results[0].floats().At(0, 5, m), last[m], 1e-8);
  }
}

TEST(InterpreterLayer, ThreadsDoNotChangeTheResult) {
  TestModule module;
  reference::SineLayer layer;
  ASSERT_TRUE(module.ParseExample("gsa_layer_conformance.mlir"));
  Floats input = reference::SineLayer::Input(2, 53);
  InterpreterOptions options;
  SmallVector<RuntimeValue> one =
      module.RunByName(layer.parameters, input, options);
  options.numThreads = 3;
  SmallVector<RuntimeValue> three =
      module.RunByName(layer.parameters, input, options);
  ASSERT_EQ(one.size(), 5u) << module.errors();
  EXPECT_EQ(one[0].floats(), three[0].floats());
  EXPECT_EQ(one[2].ints(), three[2].ints());
}

// Both examples of the layer are one text at two sizes.
TEST(InterpreterLayer, SizesAreTheOnlyDifferenceOfTheTwoLayers) {
  TestModule small, large;
  ASSERT_TRUE(small.ParseExample("gsa_layer_conformance.mlir"));
  ASSERT_TRUE(large.ParseExample("gsa_layer.mlir"));
  // Projections of one size share the tensor of zeros that they start from,
  // and other sizes coincide.
  auto names = [](TestModule& module) {
    std::vector<std::string> result = module.OpNames();
    std::erase(result, "tensor.empty");
    std::erase(result, "linalg.fill");
    return result;
  };
  EXPECT_EQ(names(small), names(large));
  EXPECT_EQ(small.ArgumentNames(), large.ArgumentNames());
}

TEST(InterpreterLayer, ObserverSeesEveryOpAndTheBlock) {
  TestModule module;
  InterpreterOptions options;
  int64_t ops = 0, blocks = 0, done = -1, total = 0;
  options.observer = [&](Operation* op, ArrayRef<RuntimeValue> operands,
                         ArrayRef<RuntimeValue> results) {
    ++ops;
    EXPECT_EQ(operands.size(), op->getNumOperands());
    EXPECT_EQ(results.size(), op->getNumResults());
    if (op->getName().getStringRef() != "gsa.attention") return;
    ++blocks;
    EXPECT_EQ(operands[0].shape(), (reference::Shape{1, 6, 4, 2}));
  };
  options.progress = [&](int64_t d, int64_t t) {
    EXPECT_EQ(d, done + 1);
    done = d;
    total = t;
  };
  RunConformanceLayer(&module, options);
  EXPECT_EQ(blocks, 1);
  EXPECT_EQ(ops + 1, total);  // func.return is no op with results.
  EXPECT_EQ(done + 1, total);
}

// The block is evaluated step by step; the reference has it in one piece.
TEST(InterpreterLayer, BlockEqualsTheReferenceBitByBit) {
  TestModule module;
  InterpreterOptions options;
  bool compared = false;
  options.observer = [&](Operation* op, ArrayRef<RuntimeValue> in,
                         ArrayRef<RuntimeValue> out) {
    if (op->getName().getStringRef() != "gsa.attention") return;
    reference::AttentionOptions block;
    block.select.policy = reference::SineLayer().config.select.policy;
    reference::BlockResult expected = reference::Attention(
        {in[0].floats(),
         in[1].floats(),
         in[2].floats(),
         in[3].longs(),
         in[4].longs(),
         {in[5].floats(), in[6].floats(), &in[7].floats(), &in[8].floats()},
         &in[9].floats(),
         &in[10].floats()},
        block);
    EXPECT_EQ(out[0].floats(), expected.output);
    EXPECT_EQ(out[1].floats(), expected.lse);
    EXPECT_EQ(out[2].ints(), expected.selection.indices);
    compared = true;
  };
  RunConformanceLayer(&module, options);
  EXPECT_TRUE(compared);
}

TEST(InterpreterLayer, UsesAReplacedSelection) {
  TestModule module;
  InterpreterOptions options;
  options.onSelection = [](const SelectionEvent& event, Selection& selection) {
    std::vector<double> scores;
    reference::RowReference row = event.rowReference(5, &scores);
    EXPECT_NEAR(row.scores[2], 1.059235641, 1e-8);
    EXPECT_EQ(row.slots, 4);
    // Row 5 keeps key 1 and nothing else.
    int32_t list[] = {1, -1, -1, -1};
    std::copy(list, list + 4, selection.indices.Slice(0, 5));
    selection.counts.At(0, 5) = 1;
  };
  double lse = 0.0;
  options.onAttention = [&](const AttentionEvent& event) {
    EXPECT_EQ(event.usedCounts->At(0, 5), 1);
    lse = reference::Dot(event.query.Slice(0, 5, 3), event.key.Slice(0, 1, 1),
                         2) /
          std::sqrt(2.0);
  };
  SmallVector<RuntimeValue> results = RunConformanceLayer(&module, options);
  ASSERT_EQ(results.size(), 5u) << module.errors();
  EXPECT_THAT(Rows(results[2], results[3])[5], ElementsAre(1));
  EXPECT_NEAR(results[1].floats().At(0, 3, 5), lse, 1e-12);
  EXPECT_NEAR(results[0].floats().At(0, 0, 0), 0.451538244, 1e-8);
}

//===----------------------------------------------------------------------===//
// Examples and definitions
//===----------------------------------------------------------------------===//

TEST(InterpreterExamples, AllRunOnRandomInputs) {
  const char* files[] = {
      "attention_only.mlir",       "dense_with_gates.mlir", "gate_only.mlir",
      "indexer_only.mlir",         "sparse_only.mlir",      "gsa_layer.mlir",
      "gsa_layer_conformance.mlir"};
  for (const char* file : files) {
    TestModule module;
    ASSERT_TRUE(module.ParseExample(file)) << file;
    SmallVector<RuntimeValue> results =
        module.Run(module.RandomInputs(/*batch=*/2, /*size=*/19));
    ASSERT_FALSE(results.empty()) << file << ": " << module.errors();
    if (!results[0].isFloat()) continue;
    for (double value : results[0].floats().values())
      ASSERT_TRUE(std::isfinite(value)) << file;
  }
}

TEST(InterpreterGsa, FourStepsEqualSelect) {
  TestModule module;
  ASSERT_TRUE(module.Parse(R"(
    func.func @main(%q: tensor<2x21x3x8xf32>, %k: tensor<2x25x8xf32>,
                    %w: tensor<2x21x3xf32>, %b: tensor<3xf32>)
        -> (tensor<2x21x6xi32>, tensor<2x21xi32>, tensor<2x21x6xi32>,
            tensor<2x21xi32>) {
      %scores = gsa.index_scores %q, %k weights %w bias %b
          : (tensor<2x21x3x8xf32>, tensor<2x25x8xf32>, tensor<2x21x3xf32>,
             tensor<3xf32>) -> tensor<2x21x25xf32>
      %v, %n = gsa.row_statistics %scores
          {population = #gsa.population<zero_filled>, correction = 1 : i64}
          : (tensor<2x21x25xf32>) -> (tensor<2x21xf32>, tensor<2x21xi32>)
      %mean = gsa.stat_mean %v : (tensor<2x21xf32>) -> tensor<f32>
      %budget = gsa.adaptive_k %n statistic %v normaliser %mean
          policy <upstream_variance, base = 5, min = 2, max = 6>
          : (tensor<2x21xi32>, tensor<2x21xf32>, tensor<f32>)
          -> tensor<2x21xi32>
      %i, %c, %s = gsa.topk %scores, %budget slots 6
          : (tensor<2x21x25xf32>, tensor<2x21xi32>)
          -> (tensor<2x21x6xi32>, tensor<2x21xi32>, tensor<2x21xi32>)
      %i2, %c2, %s2 = gsa.select %q, %k weights %w bias %b
          policy <upstream_variance, base = 5, min = 2, max = 6>
          : (tensor<2x21x3x8xf32>, tensor<2x25x8xf32>, tensor<2x21x3xf32>,
             tensor<3xf32>)
          -> (tensor<2x21x6xi32>, tensor<2x21xi32>, tensor<2x21xi32>)
      return %i, %c, %i2, %c2 : tensor<2x21x6xi32>, tensor<2x21xi32>,
          tensor<2x21x6xi32>, tensor<2x21xi32>
    })"))
      << module.errors();
  InterpreterOptions options;
  std::vector<double> raw;
  options.onSelection = [&](const SelectionEvent& event, Selection& selection) {
    std::vector<double> scores;
    for (int64_t row = 0; row < 42; ++row) {
      reference::RowReference known = event.rowReference(row, &scores);
      raw.push_back(known.raw);
      EXPECT_EQ(
          reference::CompareRow(known, {selection.indices.data() + row * 6, 6},
                                selection.counts[row])
              .verdict,
          reference::Verdict::kIdentical);
    }
  };
  SmallVector<RuntimeValue> results =
      module.Run(module.RandomInputs(2, 21), options);
  ASSERT_EQ(results.size(), 4u) << module.errors();
  EXPECT_EQ(results[0].ints(), results[2].ints());
  EXPECT_EQ(results[1].ints(), results[3].ints());
  // gsa.topk knows the raw budgets of the gsa.adaptive_k before it.
  ASSERT_EQ(raw.size(), 84u);
  for (int64_t i = 0; i < 42; ++i) EXPECT_EQ(raw[i], raw[42 + i]);
}

//===----------------------------------------------------------------------===//
// Upstream ops
//===----------------------------------------------------------------------===//

TEST(InterpreterLinalg, ContractionsEqualLoops) {
  // x W^T, x W, a batched product and one with permuted maps; odd sizes.
  TestModule module;
  ASSERT_TRUE(module.Parse(R"(
    #x = affine_map<(b, s, n, m) -> (b, s, m)>
    #w = affine_map<(b, s, n, m) -> (n, m)>
    #y = affine_map<(b, s, n, m) -> (b, s, n)>
    #p0 = affine_map<(i, j, k) -> (k, i)>
    #p1 = affine_map<(i, j, k) -> (j, k)>
    #p2 = affine_map<(i, j, k) -> (j, i)>
    func.func @main(%x: tensor<2x17x9xf32>, %w: tensor<5x9xf32>,
                    %init: tensor<2x17x5xf32>, %a: tensor<2x9x3xf32>,
                    %init2: tensor<2x17x3xf32>, %l: tensor<9x4xf32>,
                    %init3: tensor<5x4xf32>)
        -> (tensor<2x17x5xf32>, tensor<2x17x3xf32>, tensor<5x4xf32>) {
      %0 = linalg.contract indexing_maps = [#x, #w, #y]
          ins(%x, %w : tensor<2x17x9xf32>, tensor<5x9xf32>)
          outs(%init : tensor<2x17x5xf32>) -> tensor<2x17x5xf32>
      %1 = linalg.batch_matmul
          ins(%x, %a : tensor<2x17x9xf32>, tensor<2x9x3xf32>)
          outs(%init2 : tensor<2x17x3xf32>) -> tensor<2x17x3xf32>
      %2 = linalg.generic {indexing_maps = [#p0, #p1, #p2],
          iterator_types = ["parallel", "parallel", "reduction"]}
          ins(%l, %w : tensor<9x4xf32>, tensor<5x9xf32>)
          outs(%init3 : tensor<5x4xf32>) {
      ^bb0(%e: f32, %f: f32, %o: f32):
        %m = arith.mulf %f, %e : f32
        %s = arith.addf %m, %o : f32
        linalg.yield %s : f32
      } -> tensor<5x4xf32>
      return %0, %1, %2
          : tensor<2x17x5xf32>, tensor<2x17x3xf32>, tensor<5x4xf32>
    })"))
      << module.errors();
  std::vector<RuntimeValue> in = module.RandomInputs(2, 17);
  SmallVector<RuntimeValue> out = module.Run(in, TwoThreads());
  ASSERT_EQ(out.size(), 3u) << module.errors();
  auto at = [&](int i, auto... index) { return in[i].floats().At(index...); };
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t s = 0; s < 17; ++s) {
      for (int64_t n = 0; n < 5; ++n) {
        double sum = at(2, b, s, n);
        for (int64_t k = 0; k < 9; ++k) sum += at(0, b, s, k) * at(1, n, k);
        EXPECT_NEAR(out[0].floats().At(b, s, n), sum, 1e-13);
      }
      for (int64_t n = 0; n < 3; ++n) {
        double sum = at(4, b, s, n);
        for (int64_t k = 0; k < 9; ++k) sum += at(0, b, s, k) * at(3, b, k, n);
        EXPECT_NEAR(out[1].floats().At(b, s, n), sum, 1e-13);
      }
    }
  for (int64_t i = 0; i < 4; ++i)
    for (int64_t j = 0; j < 5; ++j) {
      double sum = at(6, j, i);
      for (int64_t k = 0; k < 9; ++k) sum += at(5, k, i) * at(1, j, k);
      EXPECT_NEAR(out[2].floats().At(j, i), sum, 1e-13);
    }
}

TEST(InterpreterLinalg, NamedOpsReductionsAndMaps) {
  TestModule module;
  ASSERT_TRUE(module.Parse(R"(
    #in = affine_map<(i, j) -> (2 * i + j)>
    #shape = affine_map<(i, j) -> (j)>
    #out = affine_map<(i, j) -> (i)>
    func.func @main(%x: tensor<3x300xf32>, %v: tensor<8xf32>,
                    %window: tensor<3xf32>)
        -> (tensor<300x3xf32>, tensor<3xf32>, tensor<f32>, tensor<3xf32>,
            tensor<3x300xf32>) {
      %zero = arith.constant 0.0 : f32
      %low = arith.constant 0xFF800000 : f32
      %e = tensor.empty() : tensor<300x3xf32>
      %t = linalg.transpose ins(%x : tensor<3x300xf32>)
          outs(%e : tensor<300x3xf32>) permutation = [1, 0]
      %e3 = tensor.empty() : tensor<3xf32>
      %low3 = linalg.fill ins(%low : f32) outs(%e3 : tensor<3xf32>)
          -> tensor<3xf32>
      %max = linalg.reduce ins(%x : tensor<3x300xf32>)
          outs(%low3 : tensor<3xf32>) dimensions = [1]
          (%a: f32, %b: f32) {
            %m = arith.maximumf %a, %b : f32
            linalg.yield %m : f32
          }
      %splat = tensor.splat %zero : tensor<f32>
      %sum = linalg.reduce { arith.addf } ins(%x : tensor<3x300xf32>)
          outs(%splat : tensor<f32>) dimensions = [0, 1]
      %zero3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<3xf32>)
          -> tensor<3xf32>
      %conv = linalg.generic {indexing_maps = [#in, #shape, #out],
          iterator_types = ["parallel", "reduction"]}
          ins(%v, %window : tensor<8xf32>, tensor<3xf32>)
          outs(%zero3 : tensor<3xf32>) {
      ^bb0(%a: f32, %b: f32, %o: f32):
        %m = arith.mulf %a, %b : f32
        %s = arith.addf %m, %o : f32
        linalg.yield %s : f32
      } -> tensor<3xf32>
      %e4 = tensor.empty() : tensor<3x300xf32>
      %exp = linalg.exp ins(%x : tensor<3x300xf32>)
          outs(%e4 : tensor<3x300xf32>) -> tensor<3x300xf32>
      return %t, %max, %sum, %conv, %exp : tensor<300x3xf32>, tensor<3xf32>,
          tensor<f32>, tensor<3xf32>, tensor<3x300xf32>
    })"))
      << module.errors();
  std::vector<RuntimeValue> in = module.RandomInputs(1, 1);
  SmallVector<RuntimeValue> out = module.Run(in, TwoThreads());
  ASSERT_EQ(out.size(), 5u) << module.errors();
  const Floats& x = in[0].floats();
  double sum = 0.0;
  for (int64_t i = 0; i < 3; ++i) {
    double max = x.At(i, 0), conv = 0.0;
    for (int64_t j = 0; j < 300; ++j) {
      EXPECT_EQ(out[0].floats().At(j, i), x.At(i, j));
      EXPECT_EQ(out[4].floats().At(i, j), std::exp(x.At(i, j)));
      max = std::max(max, x.At(i, j));
      sum += x.At(i, j);
    }
    for (int64_t j = 0; j < 3; ++j)
      conv += in[1].floats().At(2 * i + j) * in[2].floats().At(j);
    EXPECT_EQ(out[1].floats().At(i), max);
    EXPECT_NEAR(out[3].floats().At(i), conv, 1e-14);
  }
  EXPECT_EQ(out[2].floats().At(), sum);
}

TEST(InterpreterLinalg, IntegersWrapAndComparisonsFollowTheirType) {
  TestModule module;
  ASSERT_TRUE(module.Parse(R"(
    #id = affine_map<(i) -> (i)>
    func.func @main(%x: tensor<?xi32>, %offset: i64)
        -> (tensor<?xi32>, tensor<?xi64>, tensor<?xi1>, tensor<?xf32>) {
      %c0 = arith.constant 0 : index
      %n = tensor.dim %x, %c0 : tensor<?xi32>
      %e32 = tensor.empty(%n) : tensor<?xi32>
      %e64 = tensor.empty(%n) : tensor<?xi64>
      %e1 = tensor.empty(%n) : tensor<?xi1>
      %ef = tensor.empty(%n) : tensor<?xf32>
      %r:4 = linalg.generic {indexing_maps = [#id, #id, #id, #id, #id],
          iterator_types = ["parallel"]} ins(%x : tensor<?xi32>)
          outs(%e32, %e64, %e1, %ef : tensor<?xi32>, tensor<?xi64>,
               tensor<?xi1>, tensor<?xf32>) {
      ^bb0(%a: i32, %b: i32, %c: i64, %d: i1, %f: f32):
        %two = arith.constant 2 : i32
        %double = arith.muli %a, %two : i32
        %i = linalg.index 0 : index
        %wide = arith.index_cast %i : index to i64
        %sum = arith.addi %wide, %offset : i64
        %unsigned = arith.cmpi ugt, %a, %two : i32
        %real = arith.uitofp %unsigned : i1 to f32
        linalg.yield %double, %sum, %unsigned, %real : i32, i64, i1, f32
      } -> (tensor<?xi32>, tensor<?xi64>, tensor<?xi1>, tensor<?xf32>)
      return %r#0, %r#1, %r#2, %r#3
          : tensor<?xi32>, tensor<?xi64>, tensor<?xi1>, tensor<?xf32>
    })"))
      << module.errors();
  SmallVector<RuntimeValue> out =
      module.Run({Ints({3}, {1, -5, 1 << 30}), Longs({}, 40)});
  ASSERT_EQ(out.size(), 4u) << module.errors();
  EXPECT_THAT(out[0].ints().values(), ElementsAre(2, -10, INT32_MIN));
  EXPECT_THAT(out[1].longs().values(), ElementsAre(40, 41, 42));
  EXPECT_THAT(out[2].longs().values(), ElementsAre(0, 1, 1));
  EXPECT_THAT(out[3].floats().values(), ElementsAre(0, 1, 1));
}

TEST(InterpreterScalar, SignedDivisionsRoundAsTheirNamesSay) {
  TestModule module;
  ASSERT_TRUE(module.Parse(R"(
    func.func @main(%a: i64, %b: i64) -> (i64, i64, i64, i64, i64) {
      %t = arith.divsi %a, %b : i64
      %f = arith.floordivsi %a, %b : i64
      %c = arith.ceildivsi %a, %b : i64
      %r = arith.remsi %a, %b : i64
      %u = arith.ceildivui %a, %b : i64
      return %t, %f, %c, %r, %u : i64, i64, i64, i64, i64
    })"))
      << module.errors();
  auto run = [&](int64_t a, int64_t b) {
    std::vector<int64_t> values;
    for (const RuntimeValue& value : module.Run({Longs({}, a), Longs({}, b)}))
      values.push_back(value.asInteger());
    return values;
  };
  EXPECT_THAT(run(7, 2), ElementsAre(3, 3, 4, 1, 4));
  EXPECT_THAT(run(-7, 2), ElementsAre(-3, -4, -3, -1, INT64_MAX - 2));
  EXPECT_THAT(run(7, -2), ElementsAre(-3, -4, -3, 1, 1));
  EXPECT_THAT(run(-8, -2), ElementsAre(4, 4, 4, 0, 1));
  // The quotient of the smallest number and -1 wraps.
  EXPECT_THAT(run(INT64_MIN, -1),
              ElementsAre(INT64_MIN, INT64_MIN, INT64_MIN, 0, 1));
  EXPECT_THAT(run(INT64_MIN, 3),
              ElementsAre(INT64_MIN / 3, INT64_MIN / 3 - 1, INT64_MIN / 3, -2,
                          3074457345618258603));
}

TEST(InterpreterScalar, ConstantsOfAllKinds) {
  TestModule module;
  ASSERT_TRUE(module.Parse(R"(
    func.func @main() -> (tensor<2xbf16>, tensor<3xi1>, tensor<2x2xi64>,
                          tensor<2xf32>, i32, f16) {
      %0 = arith.constant dense<[1.5, 0x7F80]> : tensor<2xbf16>
      %1 = arith.constant dense<[true, false, true]> : tensor<3xi1>
      %2 = arith.constant dense<-7> : tensor<2x2xi64>
      %3 = arith.constant dense_resource<blob> : tensor<2xf32>
      %4 = arith.constant -3 : i32
      %5 = arith.constant -0.25 : f16
      return %0, %1, %2, %3, %4, %5 : tensor<2xbf16>, tensor<3xi1>,
          tensor<2x2xi64>, tensor<2xf32>, i32, f16
    }
    {-# dialect_resources: { builtin: {
      blob: "0x040000000000803F000000C0" } } #-})"))
      << module.errors();
  SmallVector<RuntimeValue> out = module.Run({});
  ASSERT_EQ(out.size(), 6u) << module.errors();
  EXPECT_THAT(out[0].floats().values(), ElementsAre(1.5, INFINITY));
  EXPECT_THAT(out[1].longs().values(), ElementsAre(1, 0, 1));
  EXPECT_THAT(out[2].longs().values(), ElementsAre(-7, -7, -7, -7));
  EXPECT_THAT(out[3].floats().values(), ElementsAre(1.0, -2.0));
  EXPECT_EQ(out[4].asInteger(), -3);
  EXPECT_EQ(out[5].floats().At(), -0.25);
}

TEST(InterpreterTensor, ShapesSlicesAndGeneration) {
  TestModule module;
  ASSERT_TRUE(module.Parse(R"(
    func.func private @twice(%x: tensor<?x4xf64>) -> tensor<?x4xf64> {
      %0 = arith.addf %x, %x : tensor<?x4xf64>
      return %0 : tensor<?x4xf64>
    }
    func.func @main(%x: tensor<?x4xf64>)
        -> (tensor<3x2xf64>, tensor<?x4xf64>, tensor<?x4xf64>, tensor<2xf64>,
            tensor<4x?xf64>, tensor<2x3xindex>) {
      %c1 = arith.constant 1 : index
      %pad = arith.constant -1.0 : f64
      %const = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]>
          : tensor<3x2xf64>
      %d = func.call @twice(%x) : (tensor<?x4xf64>) -> tensor<?x4xf64>
      %s = tensor.extract_slice %d[0, %c1] [3, 2] [1, 2]
          : tensor<?x4xf64> to tensor<3x2xf64>
      %i = tensor.insert_slice %const into %x[0, 2] [3, 2] [1, 1]
          : tensor<3x2xf64> into tensor<?x4xf64>
      %cat = tensor.concat dim(0) %x, %d
          : (tensor<?x4xf64>, tensor<?x4xf64>) -> tensor<?x4xf64>
      %row = tensor.extract_slice %const[1, 0] [1, 2] [1, 1]
          : tensor<3x2xf64> to tensor<2xf64>
      %p = tensor.pad %const low[0, %c1] high[1, 0] {
      ^bb0(%a: index, %b: index):
        tensor.yield %pad : f64
      } : tensor<3x2xf64> to tensor<4x?xf64>
      %g = tensor.generate {
      ^bb0(%a: index, %b: index):
        %v = arith.subi %b, %a : index
        tensor.yield %v : index
      } : tensor<2x3xindex>
      return %s, %i, %cat, %row, %p, %g : tensor<3x2xf64>, tensor<?x4xf64>,
          tensor<?x4xf64>, tensor<2xf64>, tensor<4x?xf64>, tensor<2x3xindex>
    })"))
      << module.errors();
  std::vector<double> x(12);
  for (int i = 0; i < 12; ++i) x[i] = i;
  SmallVector<RuntimeValue> out = module.Run({Floats({3, 4}, x)});
  ASSERT_EQ(out.size(), 6u) << module.errors();
  EXPECT_THAT(out[0].floats().values(), ElementsAre(2, 6, 10, 14, 18, 22));
  EXPECT_THAT(out[1].floats().values(),
              ElementsAre(0, 1, 1, 2, 4, 5, 3, 4, 8, 9, 5, 6));
  EXPECT_EQ(out[2].shape(), (reference::Shape{6, 4}));
  EXPECT_EQ(out[2].floats().At(5, 3), 22);
  EXPECT_THAT(out[3].floats().values(), ElementsAre(3, 4));
  EXPECT_THAT(out[4].floats().values(),
              ElementsAre(-1, 1, 2, -1, 3, 4, -1, 5, 6, -1, -1, -1));
  EXPECT_THAT(out[5].longs().values(), ElementsAre(0, 1, 2, -1, 0, 1));
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

struct BadCase {
  const char* name;
  const char* text;                  ///< A module with @main
  std::vector<RuntimeValue> inputs;  ///< Of @main
  const char* message;
};

class InterpreterErrors : public ::testing::TestWithParam<BadCase> {};

TEST_P(InterpreterErrors, AreDiagnosticsAtTheOp) {
  TestModule module;
  ASSERT_TRUE(module.Parse(GetParam().text)) << module.errors();
  EXPECT_TRUE(module.Run(GetParam().inputs).empty());
  EXPECT_THAT(module.errors(), HasSubstr(GetParam().message));
}

constexpr char kSum[] = R"(
  #id = affine_map<(i) -> (i)>
  func.func @main(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
    %0 = linalg.generic {indexing_maps = [#id, #id],
        iterator_types = ["parallel"]} ins(%x : tensor<?xf32>)
        outs(%y : tensor<?xf32>) {
    ^bb0(%a: f32, %b: f32):
      %s = arith.addf %a, %b : f32
      linalg.yield %s : f32
    } -> tensor<?xf32>
    return %0 : tensor<?xf32>
  })";

constexpr char kSlice[] = R"(
  func.func @main(%x: tensor<?xf32>, %i: index) -> tensor<2xf32> {
    %0 = tensor.extract_slice %x[%i] [2] [3] : tensor<?xf32> to tensor<2xf32>
    return %0 : tensor<2xf32>
  })";

INSTANTIATE_TEST_SUITE_P(
    All, InterpreterErrors,
    ::testing::Values(
        BadCase{"Unsupported",
                R"(func.func @main(%x: vector<4xf32>) -> vector<4xf32> {
                     return %x : vector<4xf32>
                   })",
                {Floats({4})},
                "which the reference interpreter does not support"},
        BadCase{"UnsupportedOp",
                R"(func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
                     %c0 = arith.constant 0 : index
                     %0 = scf.for %i = %c0 to %c0 step %c0
                         iter_args(%a = %x) -> tensor<4xf32> {
                       scf.yield %a : tensor<4xf32>
                     }
                     return %0 : tensor<4xf32>
                   })",
                {Floats({4})},
                "'scf.for' op is not supported by the reference interpreter"},
        BadCase{"WrongSize",
                kSum,
                {Floats({3}), Floats({4})},
                "'linalg.generic' op loop 0 has 3 iterations"},
        BadCase{"WrongRank",
                kSum,
                {Floats({3}), Floats({3, 1})},
                "argument #1 has shape [3, 1], expected 'tensor<?xf32>'"},
        BadCase{"WrongStorage",
                kSum,
                {Floats({3}), Ints({3})},
                "argument #1 holds 32-bit integers"},
        BadCase{"MissingInput", kSum, {Floats({3})}, "has 2 arguments, got 1"},
        BadCase{"SliceOutside",
                kSlice,
                {Floats({6}), Longs({}, 3)},
                "takes offset 3, size 2 and stride 3 in axis 0 of shape [6]"},
        BadCase{"SliceOverflow",
                kSlice,
                {Floats({6}), Longs({}, INT64_MAX)},
                "'tensor.extract_slice' op takes offset 9223372036854775807"},
        BadCase{"GsaShapes",
                R"(func.func @main(%x: tensor<1x?x2x4xf32>,
                                   %p: tensor<1x?xi64>)
                       -> tensor<1x?x2x4xf32> {
                     %0 = gsa.rope %x, %p
                         : (tensor<1x?x2x4xf32>, tensor<1x?xi64>)
                         -> tensor<1x?x2x4xf32>
                     return %0 : tensor<1x?x2x4xf32>
                   })",
                {Floats({1, 3, 2, 4}), Longs({1, 2})},
                "'gsa.rope' op positions has shape [1, 2]"},
        BadCase{"DivisionByZero",
                R"(func.func @main(%a: index) -> index {
                     %z = arith.subi %a, %a : index
                     %0 = arith.divsi %a, %z : index
                     return %0 : index
                   })",
                {Longs({}, 7)},
                "'arith.divsi' op divides by zero"},
        BadCase{"Recursion",
                R"(func.func @main(%a: index) -> index {
                     %0 = func.call @main(%a) : (index) -> index
                     return %0 : index
                   })",
                {Longs({}, 7)},
                "is nested more than 64 deep"},
        BadCase{"ExternalCallee",
                R"(func.func private @f(index) -> index
                   func.func @main(%a: index) -> index {
                     %0 = func.call @f(%a) : (index) -> index
                     return %0 : index
                   })",
                {Longs({}, 7)},
                "has no body"}),
    [](const ::testing::TestParamInfo<BadCase>& info) {
      return std::string(info.param.name);
    });

}  // namespace
}  // namespace mlir::gsa
