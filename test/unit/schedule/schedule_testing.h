// -----------------------------------------------------------------------------
// File: schedule_testing.h
// -----------------------------------------------------------------------------
//
// Modules of one op for tests of schedules, and random problems.

#ifndef GSA_TEST_UNIT_SCHEDULE_SCHEDULE_TESTING_H_
#define GSA_TEST_UNIT_SCHEDULE_SCHEDULE_TESTING_H_

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dialect/Gsa/GsaOps.h"
#include "dialect/GsaTile/GsaTileOps.h"
#include "gtest/gtest.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "passes/gsa_to_tile/MeasureKernels.h"

namespace mlir::gsa {

inline std::string NameOf(Type element) {
  std::string text;
  llvm::raw_string_ostream(text) << element;
  return text;
}

template <typename... Sizes>
std::string Tensor(const std::string& element, Sizes... sizes) {
  std::string text = "tensor<";
  (absl::StrAppend(&text, sizes, "x"), ...);
  return absl::StrCat(text, element, ">");
}

// "func.func @f(%0: ...) { <op> %0, ... }" for an op of these parts.
inline std::string Module(const std::string& op,
                          const std::vector<std::string>& types,
                          const std::string& middle, int operands_before_middle,
                          const std::string& results, int num_results) {
  std::string arguments, before, after, list;
  for (int i = 0; i < static_cast<int>(types.size()); ++i) {
    absl::StrAppend(&arguments, i ? ", " : "", "%a", i, ": ", types[i]);
    absl::StrAppend(&list, i ? ", " : "", types[i]);
    std::string& part = i < operands_before_middle ? before : after;
    absl::StrAppend(&part, part.empty() ? "" : ", ", "%a", i);
  }
  return absl::StrCat("func.func @f(", arguments, ") {\n  %r:", num_results,
                      " = ", op, " ", before, " ", middle, " ", after, " : (",
                      list, ") -> ", results, "\n  return\n}\n");
}

inline std::string TextOf(const AttentionProblem& p) {
  std::string element = NameOf(p.element);
  std::string acc = element == "f64" ? "f64" : "f32";
  std::vector<std::string> types = {
      Tensor(element, p.batch, p.queries, p.heads, p.depth),
      Tensor(element, p.batch, p.keys, p.groups, p.depth),
      Tensor(element, p.batch, p.keys, p.groups, p.valueDepth)};
  std::string results = absl::StrCat(
      "(", Tensor(element, p.batch, p.queries, p.heads, p.valueDepth), ", ",
      Tensor(acc, p.batch, p.heads, p.queries), ")");
  if (p.isDense) return Module("gsa.dense_attention", types, "", 3, results, 2);
  types.push_back(Tensor("i32", p.batch, p.queries, p.slots));
  types.push_back(Tensor("i32", p.batch, p.queries));
  return Module("gsa.gather_attention", types, "indices", 3, results, 2);
}

inline std::string TextOf(const ScoreProblem& p) {
  std::string element = NameOf(p.element);
  return Module(
      "gsa.index_scores",
      {Tensor(element, p.batch, p.queries, p.heads, p.depth),
       Tensor(element, p.batch, p.keys, p.depth)},
      "", 2,
      Tensor(element == "f64" ? "f64" : "f32", p.batch, p.queries, p.keys), 1);
}

inline std::string TextOf(const TopKProblem& p) {
  return Module(
      "gsa.topk",
      {Tensor("f32", p.batch, p.queries, p.keys),
       Tensor("i32", p.batch, p.queries)},
      absl::StrCat("slots ", p.slots,
                   p.sorts ? " {order = #gsa.index_order<score>}" : ""),
      2,
      absl::StrCat("(", Tensor("i32", p.batch, p.queries, p.slots), ", ",
                   Tensor("i32", p.batch, p.queries), ", ",
                   Tensor("i32", p.batch, p.queries), ")"),
      3);
}

// A module and its one op.
struct Parsed {
  OwningOpRef<ModuleOp> module;
  ScheduledOpInterface op;
};

// select with a policy of at most `slots` slots.
inline std::string SelectText(Type element, int64_t keys,
                              const std::string& policy, int64_t slots) {
  std::string name = NameOf(element);
  return Module(
      "gsa.select", {Tensor(name, 1, keys, 4, 64), Tensor(name, 1, keys, 64)},
      absl::StrCat("policy <", policy, ">"), 2,
      absl::StrCat("(", Tensor("i32", 1, keys, slots), ", ",
                   Tensor("i32", 1, keys), ", ", Tensor("i32", 1, keys), ")"),
      3);
}

class ScheduleTest : public ::testing::Test {
 protected:
  ScheduleTest() { LoadDialects(&context_); }

  // What an op needs to be lowered.
  static void LoadDialects(MLIRContext* context) {
    DialectRegistry registry;
    registry.insert<GsaDialect, gsa_tile::GsaTileDialect, func::FuncDialect>();
    registerKernelMeasure(registry);
    context->appendDialectRegistry(registry);
    context->loadAllAvailableDialects();
  }

  Parsed Parse(const std::string& text) {
    Parsed parsed{parseSourceString<ModuleOp>(text, &context_), {}};
    EXPECT_TRUE(parsed.module) << text;
    if (parsed.module)
      parsed.module->walk([&](ScheduledOpInterface op) { parsed.op = op; });
    EXPECT_TRUE(parsed.op) << text;
    return parsed;
  }

  // A size of 1 to 2^bits, small ones as likely as large ones.
  int64_t Size(int bits) {
    int64_t high = int64_t{1} << Uniform(0, bits);
    return Uniform(1, high);
  }
  int64_t Uniform(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }
  Type Element() {
    Builder b(&context_);
    switch (Uniform(0, 9)) {
      case 0:
        return b.getF64Type();
      case 1:
      case 2:
      case 3:
        return b.getF32Type();
      case 4:
      case 5:
        return b.getF16Type();
      default:
        return b.getBF16Type();
    }
  }

  AttentionProblem RandomAttention() {
    AttentionProblem problem;
    problem.element = Element();
    problem.isDense = Uniform(0, 1) == 0;
    problem.batch = Size(4);
    problem.queries = Size(18);
    problem.keys = Size(18);
    problem.groups = Size(5);
    problem.heads = problem.groups * Size(6);
    problem.depth = Uniform(1, 300);
    problem.valueDepth = Uniform(0, 1) ? problem.depth : Uniform(1, 300);
    problem.slots = problem.isDense ? 0 : Size(15);
    return problem;
  }
  ScoreProblem RandomScores() {
    return {Element(), Size(4), Size(18), Size(18), Size(5), Uniform(1, 300)};
  }
  TopKProblem RandomRows() {
    return {Builder(&context_).getF32Type(),
            Size(4),
            Size(18),
            Size(20),
            Size(18),
            Uniform(0, 1) == 0};
  }

  MLIRContext context_;
  std::mt19937_64 random_{20251};
};

}  // namespace mlir::gsa

#endif  // GSA_TEST_UNIT_SCHEDULE_SCHEDULE_TESTING_H_
