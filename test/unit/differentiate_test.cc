//===- differentiate_test.cc - backward functions against differences -----===//
//
// gsa-differentiate, with both functions interpreted in float64: the gradient
// of each argument against central differences of the forward function.
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "dialect/Gsa/GsaOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/gsa/GradientPasses.h"
#include "tools/reference-interpreter/Interpreter.h"

namespace mlir::gsa {
namespace {

using reference::Tensor;
using Values = std::map<std::string, RuntimeValue>;

/// A module whose @main is differentiated.
class Differentiated {
 public:
  explicit Differentiated(const std::string& text,
                          SavedValues save = SavedValues::None,
                          std::vector<std::string> outputs = {}) {
    context_.loadDialect<GsaDialect, arith::ArithDialect, func::FuncDialect,
                         linalg::LinalgDialect, math::MathDialect,
                         scf::SCFDialect, tensor::TensorDialect>();
    module_ = parseSourceString<ModuleOp>(text, &context_);
    if (!module_) throw std::runtime_error("does not parse");
    GsaDifferentiateOptions options;
    options.save = save;
    options.outputs.assign(outputs.begin(), outputs.end());
    PassManager passes(&context_);
    passes.addPass(createGsaDifferentiate(options));
    if (failed(passes.run(*module_)))
      throw std::runtime_error("is not differentiated");
  }

  func::FuncOp Function(const char* name) {
    return module_->lookupSymbol<func::FuncOp>(name);
  }

  /// The results of a function by name; its arguments are taken from `inputs`.
  Values Run(const char* name, const Values& inputs) {
    func::FuncOp function = Function(name);
    SmallVector<RuntimeValue> arguments;
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      arguments.push_back(inputs.at(
          function.getArgAttrOfType<StringAttr>(i, "gsa.name").str()));
    FailureOr<SmallVector<RuntimeValue>> results =
        interpret(function, arguments, {});
    if (failed(results)) throw std::runtime_error("cannot be interpreted");
    Values named;
    for (unsigned i = 0; i < function.getNumResults(); ++i)
      named[function.getResultAttrOfType<StringAttr>(i, "gsa.name").str()] =
          (*results)[i];
    return named;
  }

  /// Of @main and of what else @main_backward takes.
  Values RandomInputs(unsigned seed) {
    std::mt19937 generator(seed);
    Values inputs;
    AddInputs("main", &generator, &inputs);
    AddInputs("main_backward", &generator, &inputs);
    return inputs;
  }

  /// Random values for the arguments of a function that `inputs` lacks.
  void AddInputs(const char* name, std::mt19937* generator, Values* inputs) {
    std::normal_distribution<double> normal;
    func::FuncOp function = Function(name);
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      std::string argument =
          function.getArgAttrOfType<StringAttr>(i, "gsa.name").str();
      auto type = cast<RankedTensorType>(function.getArgumentTypes()[i]);
      if (inputs->count(argument) || !isa<FloatType>(type.getElementType()))
        continue;
      Tensor<double> tensor(reference::Shape(type.getShape()));
      for (double& x : tensor.values()) x = normal(*generator);
      (*inputs)[argument] = std::move(tensor);
    }
  }

 private:
  MLIRContext context_{MLIRContext::Threading::DISABLED};
  OwningOpRef<ModuleOp> module_;
};

/// The sum of all outputs times their gradients; an lse of -inf, on which
/// nothing depends, counts as 0.
double Loss(const Values& outputs, const Values& inputs) {
  double loss = 0.0;
  for (const auto& [name, output] : outputs) {
    auto grad = inputs.find(name + "_grad");
    if (grad == inputs.end()) continue;
    const Tensor<double>&y = output.floats(), &d = grad->second.floats();
    for (int64_t i = 0; i < y.size(); ++i)
      if (std::isfinite(y[i])) loss += y[i] * d[i];
  }
  return loss;
}

/// Compares every gradient with central differences.
void ExpectDifferences(Differentiated& module, Values inputs,
                       size_t num_gradients) {
  constexpr double kStep = 1e-5;
  Values gradients = module.Run("main_backward", inputs);
  EXPECT_EQ(gradients.size(), num_gradients);
  for (const auto& [name, gradient] : gradients) {
    std::string argument = name.substr(0, name.size() - 5);  // "_grad"
    Tensor<double> x = inputs.at(argument).floats();
    ASSERT_EQ(x.shape(), gradient.floats().shape()) << name;
    for (int64_t i = 0; i < x.size(); ++i) {
      double loss[2];
      for (int side : {0, 1}) {
        Tensor<double> moved = x;
        moved[i] += side == 0 ? -kStep : kStep;
        Values changed = inputs;
        changed[argument] = std::move(moved);
        loss[side] = Loss(module.Run("main", changed), inputs);
      }
      double difference = (loss[1] - loss[0]) / (2 * kStep);
      EXPECT_NEAR(gradient.floats()[i], difference,
                  1e-7 * std::max(1.0, std::abs(difference)))
          << name << " element " << i;
    }
  }
}

/// A layer in float64 with its norm and the residual: M = 6, H = 4, G = 2, D =
/// 2, 5 tokens, 3 keys for each query.
const char kLayer[] = R"mlir(
#x = affine_map<(b, s, n, m) -> (b, s, m)>
#w = affine_map<(b, s, n, m) -> (n, m)>
#y = affine_map<(b, s, n, m) -> (b, s, n)>
#row = affine_map<(b, s, m) -> (b, s)>
#all = affine_map<(b, s, m) -> (b, s, m)>
#last = affine_map<(b, s, m) -> (m)>
#token = affine_map<(b, s) -> (b, s)>
func.func @main(
    %hidden: tensor<2x5x6xf64> {gsa.name = "hidden"},
    %norm: tensor<6xf64> {gsa.name = "norm"},
    %wq: tensor<8x6xf64> {gsa.name = "wq"},
    %wk: tensor<4x6xf64> {gsa.name = "wk"},
    %wv: tensor<4x6xf64> {gsa.name = "wv"},
    %wo: tensor<6x8xf64> {gsa.name = "wo"},
    %wiq: tensor<4x6xf64> {gsa.name = "wiq"},
    %wik: tensor<4x6xf64> {gsa.name = "wik"},
    %wz: tensor<4x6xf64> {gsa.name = "value_gate"},
    %wg: tensor<8x6xf64> {gsa.name = "output_gate"},
    %bg: tensor<8xf64> {gsa.name = "output_gate_bias"})
    -> (tensor<2x5x6xf64> {gsa.name = "output"},
        tensor<2x4x5xf64> {gsa.name = "lse"},
        tensor<2x5x3xi32> {gsa.name = "indices"}) {
  %zero = arith.constant 0.0 : f64
  %row = tensor.empty() : tensor<2x5xf64>
  %row0 = linalg.fill ins(%zero : f64) outs(%row : tensor<2x5xf64>) -> tensor<2x5xf64>
  %squares = linalg.generic {indexing_maps = [#all, #row],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%hidden : tensor<2x5x6xf64>) outs(%row0 : tensor<2x5xf64>) {
  ^bb0(%a: f64, %sum: f64):
    %p = arith.mulf %a, %a : f64
    %q = arith.addf %sum, %p : f64
    linalg.yield %q : f64
  } -> tensor<2x5xf64>
  %e3 = tensor.empty() : tensor<2x5x6xf64>
  %h = linalg.generic {indexing_maps = [#all, #row, #last, #all],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%hidden, %squares, %norm : tensor<2x5x6xf64>, tensor<2x5xf64>, tensor<6xf64>)
      outs(%e3 : tensor<2x5x6xf64>) {
  ^bb0(%a: f64, %s: f64, %w: f64, %old: f64):
    %six = arith.constant 6.0 : f64
    %mean = arith.divf %s, %six : f64
    %r = math.rsqrt %mean : f64
    %n = arith.mulf %a, %r : f64
    %o = arith.mulf %n, %w : f64
    linalg.yield %o : f64
  } -> tensor<2x5x6xf64>

  %e8 = tensor.empty() : tensor<2x5x8xf64>
  %z8 = linalg.fill ins(%zero : f64) outs(%e8 : tensor<2x5x8xf64>) -> tensor<2x5x8xf64>
  %e4 = tensor.empty() : tensor<2x5x4xf64>
  %z4 = linalg.fill ins(%zero : f64) outs(%e4 : tensor<2x5x4xf64>) -> tensor<2x5x4xf64>
  %qf = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%h, %wq : tensor<2x5x6xf64>, tensor<8x6xf64>) outs(%z8 : tensor<2x5x8xf64>) -> tensor<2x5x8xf64>
  %kf = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%h, %wk : tensor<2x5x6xf64>, tensor<4x6xf64>) outs(%z4 : tensor<2x5x4xf64>) -> tensor<2x5x4xf64>
  %vf = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%h, %wv : tensor<2x5x6xf64>, tensor<4x6xf64>) outs(%z4 : tensor<2x5x4xf64>) -> tensor<2x5x4xf64>
  %iqf = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%h, %wiq : tensor<2x5x6xf64>, tensor<4x6xf64>) outs(%z4 : tensor<2x5x4xf64>) -> tensor<2x5x4xf64>
  %ik = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%h, %wik : tensor<2x5x6xf64>, tensor<4x6xf64>) outs(%z4 : tensor<2x5x4xf64>) -> tensor<2x5x4xf64>
  %zf = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%h, %wz : tensor<2x5x6xf64>, tensor<4x6xf64>) outs(%z4 : tensor<2x5x4xf64>) -> tensor<2x5x4xf64>
  %bias = linalg.broadcast ins(%bg : tensor<8xf64>) outs(%e8 : tensor<2x5x8xf64>) dimensions = [0, 1]
  %gf = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%h, %wg : tensor<2x5x6xf64>, tensor<8x6xf64>) outs(%bias : tensor<2x5x8xf64>) -> tensor<2x5x8xf64>
  %q4 = tensor.expand_shape %qf [[0], [1], [2, 3]] output_shape [2, 5, 4, 2] : tensor<2x5x8xf64> into tensor<2x5x4x2xf64>
  %k4 = tensor.expand_shape %kf [[0], [1], [2, 3]] output_shape [2, 5, 2, 2] : tensor<2x5x4xf64> into tensor<2x5x2x2xf64>
  %v4 = tensor.expand_shape %vf [[0], [1], [2, 3]] output_shape [2, 5, 2, 2] : tensor<2x5x4xf64> into tensor<2x5x2x2xf64>
  %iq = tensor.expand_shape %iqf [[0], [1], [2, 3]] output_shape [2, 5, 1, 4] : tensor<2x5x4xf64> into tensor<2x5x1x4xf64>
  %z = tensor.expand_shape %zf [[0], [1], [2, 3]] output_shape [2, 5, 2, 2] : tensor<2x5x4xf64> into tensor<2x5x2x2xf64>
  %g = tensor.expand_shape %gf [[0], [1], [2, 3]] output_shape [2, 5, 4, 2] : tensor<2x5x8xf64> into tensor<2x5x4x2xf64>
  %pe = tensor.empty() : tensor<2x5xi64>
  %p = linalg.generic {indexing_maps = [#token], iterator_types = ["parallel", "parallel"]}
      outs(%pe : tensor<2x5xi64>) {
  ^bb0(%old: i64):
    %s = linalg.index 1 : index
    %c = arith.index_cast %s : index to i64
    linalg.yield %c : i64
  } -> tensor<2x5xi64>
  %o, %lse, %indices, %counts, %status = gsa.attention %q4, %k4, %v4
      positions %p, %p index %iq, %ik value_gate %z output_gate %g
      policy <fixed, base = 3>
      : (tensor<2x5x4x2xf64>, tensor<2x5x2x2xf64>, tensor<2x5x2x2xf64>,
         tensor<2x5xi64>, tensor<2x5xi64>, tensor<2x5x1x4xf64>,
         tensor<2x5x4xf64>, tensor<2x5x2x2xf64>, tensor<2x5x4x2xf64>)
      -> (tensor<2x5x4x2xf64>, tensor<2x4x5xf64>, tensor<2x5x3xi32>,
          tensor<2x5xi32>, tensor<2x5xi32>)
  // The residual: one matrix product of all tokens, transposed weights.
  %of = tensor.collapse_shape %o [[0, 1], [2, 3]] : tensor<2x5x4x2xf64> into tensor<10x8xf64>
  %et = tensor.empty() : tensor<8x6xf64>
  %wot = linalg.transpose ins(%wo : tensor<6x8xf64>) outs(%et : tensor<8x6xf64>) permutation = [1, 0]
  %em = tensor.empty() : tensor<10x6xf64>
  %zm = linalg.fill ins(%zero : f64) outs(%em : tensor<10x6xf64>) -> tensor<10x6xf64>
  %ym = linalg.matmul ins(%of, %wot : tensor<10x8xf64>, tensor<8x6xf64>) outs(%zm : tensor<10x6xf64>) -> tensor<10x6xf64>
  %y = tensor.expand_shape %ym [[0, 1], [2]] output_shape [2, 5, 6] : tensor<10x6xf64> into tensor<2x5x6xf64>
  %out = arith.addf %hidden, %y : tensor<2x5x6xf64>
  return %out, %lse, %indices : tensor<2x5x6xf64>, tensor<2x4x5xf64>, tensor<2x5x3xi32>
}
)mlir";

TEST(Differentiate, LayerIsThatOfDifferences) {
  Differentiated module(kLayer);
  Values inputs = module.RandomInputs(1);
  // All but the two projections of the indexer.
  ExpectDifferences(module, inputs, 9);
}

TEST(Differentiate, WhatIsSavedChangesNothing) {
  Values expected;
  for (auto save : {SavedValues::None, SavedValues::Lists,
                    SavedValues::Attention, SavedValues::All}) {
    SCOPED_TRACE(static_cast<int>(save));
    Differentiated module(kLayer, save);
    std::mt19937 generator(1);
    Values inputs;
    module.AddInputs("main", &generator, &inputs);
    inputs["output_grad"] = inputs["hidden"];
    inputs["lse_grad"] = Tensor<double>({2, 4, 5}, 0.5);
    if (save != SavedValues::None) {
      Values outputs = module.Run("main_forward", inputs);
      EXPECT_EQ(outputs.at("output").floats(),
                module.Run("main", inputs).at("output").floats());
      inputs.insert(outputs.begin(), outputs.end());
    }
    Values gradients = module.Run("main_backward", inputs);
    if (expected.empty()) expected = gradients;
    for (const auto& [name, gradient] : gradients)
      EXPECT_EQ(gradient.floats(), expected.at(name).floats()) << name;
  }
}

TEST(Differentiate, DenseAttentionIsThatOfDifferences) {
  // Through lse alone in one use; a rotated query; more queries than keys, so
  // that rows see no key; lengths.
  Differentiated module(R"mlir(
func.func @main(%q: tensor<2x4x4x4xf64> {gsa.name = "q"},
                %k: tensor<2x3x2x4xf64> {gsa.name = "k"},
                %v: tensor<2x3x2x3xf64> {gsa.name = "v"})
    -> (tensor<2x4x4x3xf64> {gsa.name = "output"},
        tensor<2x4x4xf64> {gsa.name = "lse"}) {
  %n = arith.constant dense<[3, 2]> : tensor<2xi32>
  %p = arith.constant dense<[[3, 9, 1, 7], [2, 2, 5, 6]]> : tensor<2x4xi64>
  %r = gsa.rope %q, %p {interleaved} : (tensor<2x4x4x4xf64>, tensor<2x4xi64>) -> tensor<2x4x4x4xf64>
  %o, %l = gsa.dense_attention %r, %k, %v lengths %n
      : (tensor<2x4x4x4xf64>, tensor<2x3x2x4xf64>, tensor<2x3x2x3xf64>, tensor<2xi32>)
      -> (tensor<2x4x4x3xf64>, tensor<2x4x4xf64>)
  %o2, %l2 = gsa.dense_attention %r, %k, %v {mask = #gsa.mask<none>, scale = 0.3 : f64}
      : (tensor<2x4x4x4xf64>, tensor<2x3x2x4xf64>, tensor<2x3x2x3xf64>)
      -> (tensor<2x4x4x3xf64>, tensor<2x4x4xf64>)
  return %o, %l2 : tensor<2x4x4x3xf64>, tensor<2x4x4xf64>
}
)mlir");
  Values inputs = module.RandomInputs(2);
  ExpectDifferences(module, inputs, 3);
}

TEST(Differentiate, ElementwiseFunctionsAreThoseOfDifferences) {
  // Every function with a gradient, of positive numbers; a sum over a dimension
  // that only the other operand has; a result that reads a constant.
  Differentiated module(R"mlir(
#ij = affine_map<(i, j) -> (i, j)>
#i = affine_map<(i, j) -> (i)>
#j = affine_map<(i, j) -> (j)>
func.func @main(%x: tensor<3x4xf64> {gsa.name = "x"},
                %y: tensor<3x4xf64> {gsa.name = "y"},
                %u: tensor<3xf64> {gsa.name = "u"},
                %w: tensor<4xf64> {gsa.name = "w"})
    -> (tensor<3x4xf64> {gsa.name = "a"}, tensor<3xf64> {gsa.name = "b"}) {
  %one = arith.constant dense<1.5> : tensor<3x4xf64>
  %xx = arith.mulf %x, %x : tensor<3x4xf64>
  %positive = arith.addf %xx, %one : tensor<3x4xf64>
  %0 = math.log %positive : tensor<3x4xf64>
  %1 = math.log1p %positive : tensor<3x4xf64>
  %2 = math.sqrt %positive : tensor<3x4xf64>
  %3 = math.rsqrt %positive : tensor<3x4xf64>
  %4 = math.exp %y : tensor<3x4xf64>
  %5 = math.tanh %y : tensor<3x4xf64>
  %6 = math.sin %y : tensor<3x4xf64>
  %7 = math.cos %y : tensor<3x4xf64>
  %8 = math.absf %y : tensor<3x4xf64>
  %9 = math.erf %y : tensor<3x4xf64>
  %10 = arith.maximumf %x, %y : tensor<3x4xf64>
  %11 = arith.minimumf %x, %y : tensor<3x4xf64>
  %s0 = arith.mulf %0, %1 : tensor<3x4xf64>
  %s1 = arith.divf %2, %4 : tensor<3x4xf64>
  %s2 = arith.subf %s0, %s1 : tensor<3x4xf64>
  %s3 = arith.negf %3 : tensor<3x4xf64>
  %s4 = arith.addf %s2, %s3 : tensor<3x4xf64>
  %s5 = arith.mulf %5, %6 : tensor<3x4xf64>
  %s6 = arith.mulf %7, %8 : tensor<3x4xf64>
  %s7 = arith.mulf %9, %10 : tensor<3x4xf64>
  %s8 = arith.addf %s5, %s6 : tensor<3x4xf64>
  %s9 = arith.addf %s7, %11 : tensor<3x4xf64>
  %s10 = arith.addf %s8, %s9 : tensor<3x4xf64>
  %s11 = arith.addf %s4, %s10 : tensor<3x4xf64>
  %cond = arith.cmpf ogt, %x, %y : tensor<3x4xf64>
  %a = arith.select %cond, %s11, %s5 : tensor<3x4xi1>, tensor<3x4xf64>
  %b = linalg.generic {indexing_maps = [#i, #j, #i],
      iterator_types = ["parallel", "reduction"]}
      ins(%u, %w : tensor<3xf64>, tensor<4xf64>) outs(%u : tensor<3xf64>) {
  ^bb0(%p: f64, %q: f64, %sum: f64):
    %pq = arith.mulf %p, %p : f64
    %next = arith.addf %sum, %pq : f64
    linalg.yield %next : f64
  } -> tensor<3xf64>
  return %a, %b : tensor<3x4xf64>, tensor<3xf64>
}
)mlir");
  Values inputs = module.RandomInputs(3);
  ExpectDifferences(module, inputs, 3);
}

TEST(Differentiate, LossesOfTheIndexerAreThoseOfDifferences) {
  // Over the keys that the indexer selects and over all; the scores themselves,
  // as far as keys are visible. What is attended to is a constant, although the
  // queries are those of the output. More queries than keys.
  Differentiated module(R"mlir(
func.func @main(%iq: tensor<2x5x2x3xf64> {gsa.name = "iq"},
                %ik: tensor<2x4x3xf64> {gsa.name = "ik"},
                %w: tensor<2x5x2xf64> {gsa.name = "w"},
                %b: tensor<2xf64> {gsa.name = "b"},
                %q: tensor<2x5x4x2xf64> {gsa.name = "q"},
                %k: tensor<2x4x2x2xf64> {gsa.name = "k"})
    -> (tensor<2x5xf64> {gsa.name = "listed"},
        tensor<2x5xf64> {gsa.name = "dense"},
        tensor<2x5x4xf64> {gsa.name = "scores"}) {
  %i, %c, %s = gsa.select %iq, %ik weights %w bias %b policy <fixed, base = 3>
      : (tensor<2x5x2x3xf64>, tensor<2x4x3xf64>, tensor<2x5x2xf64>, tensor<2xf64>)
      -> (tensor<2x5x3xi32>, tensor<2x5xi32>, tensor<2x5xi32>)
  %o, %l = gsa.gather_attention %q, %k, %k indices %i, %c
      : (tensor<2x5x4x2xf64>, tensor<2x4x2x2xf64>, tensor<2x4x2x2xf64>,
         tensor<2x5x3xi32>, tensor<2x5xi32>)
      -> (tensor<2x5x4x2xf64>, tensor<2x4x5xf64>)
  %listed = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l
      indices %i, %c {temperature = 0.25 : f64}
      : (tensor<2x5x2x3xf64>, tensor<2x4x3xf64>, tensor<2x5x2xf64>, tensor<2xf64>,
         tensor<2x5x4x2xf64>, tensor<2x4x2x2xf64>, tensor<2x4x5xf64>,
         tensor<2x5x3xi32>, tensor<2x5xi32>) -> tensor<2x5xf64>
  %n = arith.constant dense<[4, 3]> : tensor<2xi32>
  %dense = gsa.index_kl %iq, %ik bias %b attention %q, %k lse %l lengths %n
      {mask = #gsa.mask<causal>, mean_heads, clip = 0.6 : f64,
       index_scale = 0.9 : f64, score_activation = #gsa.score_activation<identity>}
      : (tensor<2x5x2x3xf64>, tensor<2x4x3xf64>, tensor<2xf64>,
         tensor<2x5x4x2xf64>, tensor<2x4x2x2xf64>, tensor<2x4x5xf64>,
         tensor<2xi32>) -> tensor<2x5xf64>
  %scores = gsa.index_scores %iq, %ik weights %w lengths %n
      {mask = #gsa.mask<none>, weight_activation = #gsa.weight_activation<identity>}
      : (tensor<2x5x2x3xf64>, tensor<2x4x3xf64>, tensor<2x5x2xf64>,
         tensor<2xi32>) -> tensor<2x5x4xf64>
  return %listed, %dense, %scores : tensor<2x5xf64>, tensor<2x5xf64>, tensor<2x5x4xf64>
}
)mlir");
  ExpectDifferences(module, module.RandomInputs(5), 4);
}

TEST(Differentiate, WhatIsNoNumberMattersWhereItIsChosen) {
  Differentiated module(R"mlir(
func.func @main(%x: tensor<4xf64> {gsa.name = "x"}, %y: tensor<4xf64> {gsa.name = "y"})
    -> (tensor<4xf64> {gsa.name = "a"}, tensor<4xf64> {gsa.name = "b"}) {
  %a = math.absf %x : tensor<4xf64>
  %b = arith.maxnumf %x, %y : tensor<4xf64>
  return %a, %b : tensor<4xf64>, tensor<4xf64>
}
)mlir");
  const double nan = std::nan("");
  auto row = [](std::vector<double> numbers) {
    Tensor<double> tensor({4});
    std::copy(numbers.begin(), numbers.end(), tensor.values().begin());
    return tensor;
  };
  Values inputs = {{"x", row({nan, 0.0, -3.0, 4.0})},
                   {"y", row({1.0, nan, nan, 5.0})},
                   {"a_grad", row({0.0, 1.0, 1.0, 1.0})},
                   {"b_grad", row({1.0, 10.0, 10.0, 10.0})}};
  Values gradients = module.Run("main_backward", inputs);
  Tensor<double> x = gradients.at("x_grad").floats();
  EXPECT_TRUE(std::isnan(x[0]));
  EXPECT_EQ(x[1], 10.0);
  EXPECT_EQ(x[2], 9.0);
  EXPECT_EQ(x[3], 1.0);
  EXPECT_EQ(gradients.at("y_grad").floats(), row({1.0, 0.0, 0.0, 10.0}));
}

TEST(Differentiate, ProductsAreThoseOfDifferences) {
  // Products of functions of the factors; a factor with every loop, whose
  // gradient sums nothing; a loop of one factor alone; the same factor twice. A
  // sum over a loop that only another result has.
  Differentiated module(R"mlir(
func.func @main(%x: tensor<4x3xf64> {gsa.name = "x"},
                %y: tensor<3x2xf64> {gsa.name = "y"},
                %z: tensor<4x2xf64> {gsa.name = "z"},
                %u: tensor<3xf64> {gsa.name = "u"},
                %s: tensor<f64> {gsa.name = "s"})
    -> (tensor<4x2xf64> {gsa.name = "a"}, tensor<4xf64> {gsa.name = "b"},
        tensor<f64> {gsa.name = "c"}, tensor<4xf64> {gsa.name = "d"},
        tensor<3xf64> {gsa.name = "f"}) {
  %a = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>,
        affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<4x3xf64>, tensor<3x2xf64>) outs(%z : tensor<4x2xf64>) {
  ^bb0(%f: f64, %g: f64, %sum: f64):
    %e = math.exp %f : f64
    %p = arith.mulf %e, %g : f64
    %n = arith.negf %p : f64
    %t = arith.addf %sum, %n : f64
    linalg.yield %t : f64
  } -> tensor<4x2xf64>
  %b0 = arith.constant dense<0.0> : tensor<4xf64>
  %b = linalg.matvec ins(%x, %u : tensor<4x3xf64>, tensor<3xf64>)
      outs(%b0 : tensor<4xf64>) -> tensor<4xf64>
  %c = linalg.dot ins(%b, %b : tensor<4xf64>, tensor<4xf64>)
      outs(%s : tensor<f64>) -> tensor<f64>
  %d = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>,
        affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i)>],
      iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%x, %y : tensor<4x3xf64>, tensor<3x2xf64>) outs(%b : tensor<4xf64>) {
  ^bb0(%f: f64, %g: f64, %sum: f64):
    %p = arith.mulf %f, %g : f64
    %t = arith.addf %sum, %p : f64
    linalg.yield %t : f64
  } -> tensor<4xf64>
  %f:2 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>,
        affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "reduction"]}
      ins(%u : tensor<3xf64>) outs(%u, %y : tensor<3xf64>, tensor<3x2xf64>) {
  ^bb0(%g: f64, %sum: f64, %old: f64):
    %p = arith.mulf %g, %g : f64
    %t = arith.addf %p, %sum : f64
    linalg.yield %t, %p : f64, f64
  } -> (tensor<3xf64>, tensor<3x2xf64>)
  return %a, %b, %c, %d, %f#0 : tensor<4x2xf64>, tensor<4xf64>, tensor<f64>, tensor<4xf64>, tensor<3xf64>
}
)mlir");
  Values inputs = module.RandomInputs(4);
  ExpectDifferences(module, inputs, 5);
}

}  // namespace
}  // namespace mlir::gsa
