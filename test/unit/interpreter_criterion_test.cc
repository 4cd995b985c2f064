//===- interpreter_criterion_test.cc - right and wrong runs, every type ---===//
//
// The examples in each element type. A run that rounds as the definition says
// passes; a run with one small error fails, whatever the type is: a scale that
// is wrong by 1 %, one key left out of one row, two heads exchanged, one wrong
// index, a count or a status that is off by one, a wrong log-sum-exp.
//
//===----------------------------------------------------------------------===//

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "test/unit/interpreter_testing.h"
#include "tools/reference-interpreter/Report.h"

namespace mlir::gsa {
namespace {

using ::testing::HasSubstr;
using Floats = reference::Tensor<double>;
using Ints = reference::Tensor<int32_t>;
using Hook = std::function<void(const SelectionEvent&, Selection&)>;

void ReplaceAll(std::string& text, const std::string& from,
                const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;
       at += to.size())
    text.replace(at, from.size(), to);
}

/// The text of an example with `type` in the place of f32. A log-sum-exp stays
/// in the accumulator type, which is f32 for all but f64.
std::string TypedExample(const std::string& file, const std::string& type) {
  std::ifstream stream(GSA_SOURCE_DIR "/examples/" + file);
  std::stringstream text;
  text << stream.rdbuf();
  std::string result = text.str();
  ReplaceAll(result, "f32", type);
  if (type != "f64")
    ReplaceAll(result, "tensor<?x8x?x" + type + ">", "tensor<?x8x?xf32>");
  return result;
}

/// The same with an eighth of its budgets, so that short runs select.
std::string WithSmallBudgets(std::string text) {
  ReplaceAll(text, "base = 512, min = 128, max = 768",
             "base = 64, min = 16, max = 96");
  ReplaceAll(text, "x768x", "x96x");
  return text;
}

/// One example in one type, on inputs of that type.
class TypedRun {
 public:
  TypedRun(const std::string& file, const std::string& type, int64_t size)
      : TypedRun(TypedExample(file, type), size) {}
  TypedRun(const std::string& text, int64_t size) : text_(text) {
    EXPECT_TRUE(module_.Parse(text_)) << module_.errors();
    inputs_ = module_.RandomInputs(1, size);
    for (auto [input, argument] :
         llvm::zip_equal(inputs_, module_.main().getArgumentTypes())) {
      if (module_.ArgumentName(&input - inputs_.data()).ends_with(".weight"))
        input = Scaled(input.floats(), 0.04);
      input = roundTo(argument, input);
    }
  }

  /// What a run that rounds as the definition does returns, with its text
  /// changed and its selections replaced.
  std::vector<RuntimeValue> Results(const std::string& from = "",
                                    const std::string& to = "",
                                    Hook hook = nullptr) {
    std::string text = text_;
    EXPECT_NE(text.find(from), std::string::npos) << from;
    if (!from.empty()) ReplaceAll(text, from, to);
    TestModule module;
    EXPECT_TRUE(module.Parse(text)) << module.errors();
    InterpreterOptions options;
    options.numThreads = 2;
    options.onSelection = [&](const SelectionEvent& event,
                              Selection& selection) {
      selection.pinned = true;
      if (hook) hook(event, selection);
    };
    FailureOr<Evaluations> run =
        interpretRounded(module.main(), inputs_, options);
    EXPECT_TRUE(succeeded(run)) << module.errors();
    if (failed(run)) return {};
    std::vector<RuntimeValue> results(run->exact.size());
    for (size_t i = 0; i < results.size(); ++i)
      results[i] = run->exact[i].isFloat() ? run->rounded[i] : run->exact[i];
    return results;
  }

  ComparisonReport Compare(ArrayRef<RuntimeValue> tested) {
    ComparisonOptions options;
    options.numThreads = 2;
    options.massRows = 0;
    FailureOr<ComparisonReport> report =
        compareToReference(module_.main(), inputs_, tested, options);
    EXPECT_TRUE(succeeded(report)) << module_.errors();
    return succeeded(report) ? std::move(*report) : ComparisonReport();
  }

 private:
  static Floats Scaled(Floats values, double factor) {
    for (double& value : values.values()) value *= factor;
    return values;
  }

  std::string text_;
  TestModule module_;
  std::vector<RuntimeValue> inputs_;
};

/// `values` with element `i` replaced.
template <typename T>
RuntimeValue With(const reference::Tensor<T>& values, int64_t i, T value) {
  reference::Tensor<T> changed = values;
  changed[i] = value;
  return changed;
}

class CriterionTest : public ::testing::TestWithParam<const char*> {
 protected:
  std::string Type() const { return GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Types, CriterionTest,
                         ::testing::Values("f64", "f32", "bf16", "f16"),
                         [](const auto& info) { return info.param; });

TEST_P(CriterionTest, RunsThatRoundAsDefinedPass) {
  for (const char* file :
       {"attention_only.mlir", "dense_with_gates.mlir", "gsa_layer.mlir",
        "sparse_only.mlir", "gate_only.mlir", "indexer_only.mlir"}) {
    TypedRun run(file, Type(), 70);
    ComparisonReport report = run.Compare(run.Results());
    EXPECT_TRUE(report.passed()) << file << "\n" << report.comparisonText();
  }
}

TEST_P(CriterionTest, WrongScaleFails) {
  TypedRun block("attention_only.mlir", Type(), 200);
  ComparisonReport report = block.Compare(block.Results(
      "max = 768>\n", "max = 768> {softmax_scale = 0.12625 : f64}\n"));
  EXPECT_FALSE(report.results[0].passed()) << report.comparisonText();
  EXPECT_FALSE(report.results[1].passed()) << report.comparisonText();
  TypedRun dense("dense_with_gates.mlir", Type(), 200);
  report = dense.Compare(dense.Results("%k_rotated, %gated\n",
                                       "%k_rotated, %gated {scale = 0.12625 : "
                                       "f64}\n"));
  EXPECT_FALSE(report.results[0].passed()) << report.comparisonText();
  EXPECT_FALSE(report.results[1].passed()) << report.comparisonText();
}

// Through an output projection, which mixes all heads.
TEST_P(CriterionTest, WrongScaleOfALayerFails) {
  TypedRun layer("gsa_layer.mlir", Type(), 100);
  ComparisonReport report = layer.Compare(layer.Results(
      "max = 768>\n", "max = 768> {softmax_scale = 0.12625 : f64}\n"));
  EXPECT_FALSE(report.results[0].passed()) << report.comparisonText();
  EXPECT_FALSE(report.results[1].passed()) << report.comparisonText();
}

TEST_P(CriterionTest, OneKeyLeftOutOfOneRowFails) {
  constexpr int64_t kRow = 180;
  TypedRun run("attention_only.mlir", Type(), 200);
  std::vector<RuntimeValue> right = run.Results();
  std::vector<RuntimeValue> tested =
      run.Results("", "", [](const SelectionEvent&, Selection& selection) {
        int32_t& count = selection.counts.At(0, kRow);
        ASSERT_GT(count, 100);
        selection.indices.At(0, kRow, --count) = -1;
      });
  // The lists that are returned are the right ones; attention read one less.
  tested[2] = right[2];
  tested[3] = right[3];
  ComparisonReport report = run.Compare(tested);
  EXPECT_FALSE(report.results[0].passed()) << report.comparisonText();
  EXPECT_EQ(report.selections[0].verdicts.wrong, 0);
}

TEST_P(CriterionTest, ExchangedHeadsOfOneRowFail) {
  for (const char* file : {"attention_only.mlir", "dense_with_gates.mlir"}) {
    TypedRun run(file, Type(), 150);
    std::vector<RuntimeValue> tested = run.Results();
    Floats output = tested[0].floats();
    std::swap_ranges(output.Slice(0, 149, 2), output.Slice(0, 149, 3),
                     output.Slice(0, 149, 3));
    tested[0] = output;
    EXPECT_FALSE(run.Compare(tested).results[0].passed()) << file;
  }
}

TEST_P(CriterionTest, WrongLogSumExpFails) {
  TypedRun run("dense_with_gates.mlir", Type(), 150);
  std::vector<RuntimeValue> right = run.Results(), tested = right;
  // In base 2; of one key less in one row; of no key at all.
  Floats base2 = right[1].floats();
  for (double& value : base2.values()) value /= std::log(2.0);
  tested[1] = base2;
  EXPECT_FALSE(run.Compare(tested).results[1].passed());
  const Floats& lse = right[1].floats();
  tested[1] = With(lse, 100, lse[100] + std::log(100.0 / 101.0));
  EXPECT_FALSE(run.Compare(tested).results[1].passed());
  tested[1] = With(lse, 100, -std::numeric_limits<double>::infinity());
  ComparisonReport report = run.Compare(tested);
  EXPECT_FALSE(report.passed());
  EXPECT_EQ(report.results[1].error.mismatches, 1);
}

TEST_P(CriterionTest, WrongSelectionsFail) {
  TypedRun run("indexer_only.mlir", Type(), 700);
  std::vector<RuntimeValue> right = run.Results();
  ASSERT_EQ(right.size(), 3u);
  const Ints &indices = right[0].ints(), &counts = right[1].ints();
  int64_t row = 690, slots = indices.dim(2), count = counts[row];
  ASSERT_LT(count, row);
  // A key that was kept stands for one that is the worst of the row: no type's
  // rounding exchanges them.
  std::vector<RuntimeValue> tested = right;
  std::vector<bool> kept(700);
  for (int64_t i = 0; i < count; ++i) kept[indices[row * slots + i]] = true;
  int failures = 0, tries = 0;
  for (int32_t other = 0; other < row; ++other) {
    if (kept[other]) continue;
    Ints wrong = indices;
    int32_t* list = wrong.data() + row * slots;
    list[count / 2] = other;
    std::sort(list, list + count);
    tested[0] = wrong;
    failures += !run.Compare(tested).passed();
    if (++tries == 3) break;
  }
  EXPECT_GE(failures, 2) << "of 3 lists with a wrong key";
  // One key less, or one that is not counted.
  tested = right;
  tested[0] = With(indices, row * slots + count - 1, int32_t{-1});
  tested[1] = With(counts, row, static_cast<int32_t>(count - 1));
  EXPECT_FALSE(run.Compare(tested).passed());
  tested = right;
  tested[1] = With(counts, row, static_cast<int32_t>(count - 1));
  EXPECT_FALSE(run.Compare(tested).passed());
  // Status: a result of another kind, equal or wrong.
  tested = right;
  tested[2] = With(right[2].ints(), 5, int32_t{1});
  ComparisonReport report = run.Compare(tested);
  EXPECT_FALSE(report.passed());
  EXPECT_THAT(report.comparisonText(), HasSubstr("1 of 700 elements differ"));
}

// In the layer the indexer's operands were rounded, and so was the variance
// that its budgets follow.
TEST_P(CriterionTest, CountsOfALayerFailWhenOffByOne) {
  TypedRun run(WithSmallBudgets(TypedExample("gsa_layer.mlir", Type())), 200);
  std::vector<RuntimeValue> right = run.Results();
  EXPECT_TRUE(run.Compare(right).passed());
  const Ints &indices = right[2].ints(), &counts = right[3].ints();
  int64_t slots = indices.dim(2), wrong = 0, tried = 0;
  for (int64_t row = 120; row < 200; row += 10) {
    int32_t count = counts[row];
    if (count >= row) continue;
    std::vector<RuntimeValue> tested = right;
    tested[2] = With(indices, row * slots + count - 1, int32_t{-1});
    tested[3] = With(counts, row, count - 1);
    wrong += !run.Compare(tested).passed();
    ++tried;
  }
  // A raw budget next to an integer may legally become either.
  ASSERT_EQ(tried, 8);
  EXPECT_GE(wrong, tried - 1);
}

TEST_P(CriterionTest, OtherIntegersMustBeEqual) {
  TestModule module;
  std::string text = R"(
    func.func @main(%x: tensor<3x5xT>) -> (tensor<3x5xi64>, tensor<3x5xi1>) {
      %zero = arith.constant dense<0.0> : tensor<3x5xT>
      %i = arith.fptosi %x : tensor<3x5xT> to tensor<3x5xi64>
      %p = arith.cmpf ogt, %x, %zero : tensor<3x5xT>
      return %i, %p : tensor<3x5xi64>, tensor<3x5xi1>
    })";
  ReplaceAll(text, "xT>", "x" + Type() + ">");
  ASSERT_TRUE(module.Parse(text)) << module.errors();
  std::vector<RuntimeValue> inputs = {
      roundTo(module.main().getArgumentTypes()[0],
              Floats({3, 5}, std::vector<double>{-7.5, 3, 2, 1, 0.5, 9, -1, 0,
                                                 4, 4.5, 6, -3, 8, 2, 1}))};
  SmallVector<RuntimeValue> right = module.Run(inputs);
  ASSERT_EQ(right.size(), 2u) << module.errors();
  for (int i : {-1, 0, 1}) {
    SmallVector<RuntimeValue> tested = right;
    if (i >= 0) tested[i] = With(right[i].longs(), 7, right[i].longs()[7] + 1);
    FailureOr<ComparisonReport> report =
        compareToReference(module.main(), inputs, tested);
    ASSERT_TRUE(succeeded(report)) << module.errors();
    EXPECT_EQ(report->passed(), i < 0) << report->comparisonText();
    if (i >= 0) EXPECT_EQ(report->results[i].differing, 1);
  }
}

/// @main applies a closed and an open silu gate.
TEST(Criterion, RightResultsOutsideOfATypesRangePass) {
  TestModule module;
  ASSERT_TRUE(module.Parse(R"(
    func.func @main(%x: tensor<1x2x1x2xf32>, %h: tensor<1x1x1x2xf16>)
        -> (tensor<1x2x1x2xf32>, tensor<1x1x1x2xf16>) {
      %closed = arith.constant dense<-150.0> : tensor<1x2x1xf32>
      %open = arith.constant dense<2.5> : tensor<1x1x1xf16>
      %0 = gsa.gate %x, %closed
          : (tensor<1x2x1x2xf32>, tensor<1x2x1xf32>) -> tensor<1x2x1x2xf32>
      %1 = gsa.gate %h, %open {activation = #gsa.gate_activation<silu>}
          : (tensor<1x1x1x2xf16>, tensor<1x1x1xf16>) -> tensor<1x1x1x2xf16>
      return %0, %1 : tensor<1x2x1x2xf32>, tensor<1x1x1x2xf16>
    })"))
      << module.errors();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<RuntimeValue> inputs = {
      Floats({1, 2, 1, 2}, std::vector<double>{1, -2, 3, 0.5}),
      Floats({1, 1, 1, 2}, std::vector<double>{50000, -60000})};
  auto passes = [&](std::vector<double> closed, std::vector<double> beyond) {
    std::vector<RuntimeValue> tested = {Floats({1, 2, 1, 2}, closed),
                                        Floats({1, 1, 1, 2}, beyond)};
    FailureOr<ComparisonReport> report =
        compareToReference(module.main(), inputs, tested);
    EXPECT_TRUE(succeeded(report)) << module.errors();
    return report->passed();
  };
  EXPECT_TRUE(passes({0, 0, 0, 0}, {kInfinity, -kInfinity}));
  // A gate that is not closed; the largest number in the place of infinity;
  // infinity of the wrong sign.
  EXPECT_FALSE(passes({0, 1e-30, 0, 0}, {kInfinity, -kInfinity}));
  EXPECT_FALSE(passes({0, 0, 0, 0}, {65504, -kInfinity}));
  EXPECT_FALSE(passes({0, 0, 0, 0}, {kInfinity, kInfinity}));
  EXPECT_FALSE(passes({0, 0, 0, 0},
                      {std::numeric_limits<double>::quiet_NaN(), -kInfinity}));
}

// What the specification grants to targets that multiply weights and values in
// the type of the values.
TEST(Criterion, WeightsMayBeRoundedToTheTypeOfValues) {
  TestModule module;
  ASSERT_TRUE(module.Parse(R"(
    func.func @main(%q: tensor<1x1x1x1xbf16>, %k: tensor<1x2x1x1xbf16>,
                    %v: tensor<1x2x1x2xbf16>)
        -> (tensor<1x1x1x2xbf16>, tensor<1x1x1xf32>) {
      %o, %l = gsa.dense_attention %q, %k, %v {scale = 1.0 : f64}
          : (tensor<1x1x1x1xbf16>, tensor<1x2x1x1xbf16>, tensor<1x2x1x2xbf16>)
          -> (tensor<1x1x1x2xbf16>, tensor<1x1x1xf32>)
      return %o, %l : tensor<1x1x1x2xbf16>, tensor<1x1x1xf32>
    })"))
      << module.errors();
  std::vector<RuntimeValue> inputs = {
      Floats({1, 1, 1, 1}, std::vector<double>{1}),
      Floats({1, 2, 1, 1}, std::vector<double>{0, -0.62890625}),
      Floats({1, 2, 1, 2}, std::vector<double>{1, 1, 1.9609375, 1.9609375})};
  auto passes = [&](double output) {
    double lse = std::log1p(std::exp(-0.62890625));
    std::vector<RuntimeValue> tested = {
        Floats({1, 1, 1, 2}, std::vector<double>{output, output}),
        Floats({1, 1, 1}, std::vector<double>{lse})};
    FailureOr<ComparisonReport> report =
        compareToReference(module.main(), inputs, tested);
    EXPECT_TRUE(succeeded(report)) << module.errors();
    return report->passed();
  };
  EXPECT_TRUE(passes(1.3359375));   // Rounded once
  EXPECT_TRUE(passes(1.328125));    // With the weight of key 1 rounded before
  EXPECT_FALSE(passes(1.3515625));  // Two units off
  EXPECT_FALSE(passes(1.3125));
}

}  // namespace
}  // namespace mlir::gsa
