//===- device_gradients_test.cc - kernels of gradients --------------------===//
//
// On a GPU and in its emulation: gradients of gates, row sums of attention and
// sums that modules write themselves agree with the float64 reference, and have
// the same bits in every run.
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "test/reference/AttentionGradient.h"
#include "test/reference/Gate.h"
#include "test/unit/differential/Data.h"
#include "test/unit/differential/Runner.h"
#include "test/unit/differential/device_gradients_testing.h"
#include "test/unit/reference_testing.h"

namespace gsa::differential {
namespace {

using reference::GateActivation;
using Reals = reference::Tensor<double>;

constexpr double kUnit = 0x1p-24, kSmallestNormal = 0x1p-126;

/// Half the distance of neighbours near 1, and the distance near 0.
double RoundingOf(DType type) {
  return type == DType::kF16 ? 0x1p-11 : type == DType::kBF16 ? 0x1p-8 : kUnit;
}
double StepOf(DType type) {
  return type == DType::kF16    ? 0x1p-24
         : type == DType::kBF16 ? 0x1p-133
                                : 0x1p-149;
}

struct Shape {
  int64_t batch, tokens, heads, size;
};

/// Of a few elements, what is out of the ordinary.
void Spoil(Reals* values, std::mt19937* random) {
  const double odd[] = {std::nan(""), std::numeric_limits<double>::infinity(),
                        1e4, -1e4, 0.0};
  if (values->size() == 0) return;
  for (double value : odd)
    (*values)[reference::RandomInt(0, values->size() - 1, random)] = value;
}

class DeviceGradients : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    absl::Status usable = TargetIsUsable(GetParam());
    if (!usable.ok()) GTEST_SKIP() << usable;
  }

  /// Whether to leave out case number `square` of a design: in emulation, where
  /// each is a compilation for the host, one in `share` is kept, of every value
  /// beside every other.
  static bool LeftOut(size_t square, size_t share) {
    return IsEmulated(GetParam()) && square % share != 0;
  }

  /// Three runs from other garbage, which give the same bits.
  Tensors Run(const std::string& text, const Tensors& inputs) {
    auto plan = Plan::Compile(text, "gradients.mlir", OptionsFor(GetParam()));
    EXPECT_TRUE(plan.ok()) << plan.status() << "\n" << text;
    if (!plan.ok()) return {};
    KeepContextOf(*plan);
    auto session = Session::Create(GetParam(), *plan, inputs);
    EXPECT_TRUE(session.ok()) << session.status();
    if (!session.ok()) return {};
    Tensors first;
    for (uint8_t garbage : {0xA5, 0x00, 0x7F}) {
      absl::StatusOr<Tensors> outputs = (*session)->Run(garbage);
      EXPECT_TRUE(outputs.ok()) << outputs.status();
      if (!outputs.ok()) return {};
      if (first.empty())
        first = *std::move(outputs);
      else
        EXPECT_EQ(FirstDifference(first, *outputs), "");
    }
    return first;
  }

  /// A random input of these elements, some of which are odd.
  const Reals& Add(const char* name, DType type, const reference::Shape& shape,
                   double deviation = 1.0) {
    Reals values = reference::Random(shape, &random_, deviation);
    Spoil(&values, &random_);
    inputs_[name] = ToHost(name, type, values);
    return reals_[name] = AsDouble(inputs_[name]);
  }

  /// NaN where the reference has it, infinities that are the same, and all else
  /// within bound(i).
  template <typename Bound>
  static void ExpectNear(const std::string& name, const Tensors& outputs,
                         const Reals& want, DType type, Bound bound) {
    ASSERT_TRUE(outputs.contains(name)) << name;
    Reals got = AsDouble(outputs.at(name));
    Reals rounded = Rounded(want, type);
    ASSERT_EQ(got.shape(), want.shape()) << name;
    for (int64_t i = 0; i < want.size(); ++i) {
      if (std::isnan(want[i]) || std::isnan(got[i])) {
        ASSERT_EQ(std::isnan(got[i]), std::isnan(want[i]))
            << name << " " << i << ": got " << got[i] << ", expected "
            << want[i];
        continue;
      }
      if (got[i] == rounded[i]) continue;
      ASSERT_LE(std::abs(got[i] - want[i]),
                bound(i) + RoundingOf(type) * std::abs(want[i]) + StepOf(type))
          << name << " " << i << ": got " << got[i] << ", expected " << want[i];
    }
  }

  std::mt19937 random_{31};
  Tensors inputs_;
  std::map<std::string, Reals> reals_;
};

std::string TensorType(const reference::Shape& shape, DType type) {
  std::string text = "tensor<";
  for (int64_t size : shape) absl::StrAppend(&text, size, "x");
  return text + DTypeName(type) + ">";
}

/// The sum of the sizes of products over the last dimension.
Reals SizesOfProducts(const Reals& a, const Reals& b) {
  const reference::Shape& shape = a.shape();
  Reals sums({shape[0], shape[1], shape[2]});
  for (int64_t i = 0; i < a.size(); ++i) {
    double size = std::abs(a[i] * b[i]);
    if (std::isfinite(size)) sums[i / shape[3]] += size;
  }
  return sums;
}

TEST_P(DeviceGradients, OfGatesAreThoseOfTheReference) {
  const Shape shapes[] = {{2, 13, 3, 17}, {1, 1, 1, 1}, {1, 70, 2, 128}};
  const std::pair<GateActivation, const char*> activations[] = {
      {GateActivation::kSigmoid, "sigmoid"},
      {GateActivation::kTanh, "tanh"},
      {GateActivation::kSilu, "silu"}};
  for (DType type : {DType::kF16, DType::kBF16, DType::kF32})
    for (const Shape& z : shapes)
      for (const auto& [activation, name] : activations)
        for (bool per_head : {false, true}) {
          size_t square = static_cast<size_t>(type) + (&z - shapes) +
                          static_cast<size_t>(activation);
          if (LeftOut(square, 3)) continue;
          SCOPED_TRACE(absl::StrCat(DTypeName(type), " D", z.size, " ", name,
                                    per_head ? " per head" : ""));
          // Logits of A(T) with one of the types.
          DType logit_type = type == DType::kBF16 ? DType::kF32 : type;
          reference::Shape all = {z.batch, z.tokens, z.heads, z.size};
          reference::Shape of_logits = all;
          if (per_head) of_logits.pop_back();
          const Reals& x = Add("x", type, all);
          const Reals& logits = Add("z", logit_type, of_logits, 4.0);
          const Reals& grad = Add("grad", type, all);
          Tensors outputs = Run(absl::StrReplaceAll(
                                    R"mlir(
func.func @main(%x: XX {gsa.name = "x"}, %z: ZZ {gsa.name = "z"},
                %d: XX {gsa.name = "grad"})
    -> (XX {gsa.name = "dx"}, ZZ {gsa.name = "dz"}) {
  %0:2 = gsa.gate_grad %x, %z output_grad %d
      {activation = #gsa.gate_activation<ACT>} : (XX, ZZ, XX) -> (XX, ZZ)
  return %0#0, %0#1 : XX, ZZ
})mlir",
                                    {{"XX", TensorType(all, type)},
                                     {"ZZ", TensorType(of_logits, logit_type)},
                                     {"ACT", name}}),
                                inputs_);
          reference::GateGradients want =
              reference::GateGradient(x, logits, grad, activation);
          int64_t each = per_head ? z.size : 1;
          ExpectNear("dx", outputs, want.input, type, [&](int64_t i) {
            double size = std::abs(grad[i]), logit = std::abs(logits[i / each]);
            return (16 * kUnit * (1 + std::min(logit, 1e4)) + kSmallestNormal) *
                   size;
          });
          std::vector<double> sizes(want.logits.size());
          for (int64_t i = 0; i < x.size(); ++i)
            sizes[i / each] += std::abs(x[i] * grad[i]);
          ExpectNear("dz", outputs, want.logits, logit_type, [&](int64_t i) {
            double logit = std::min(std::abs(logits[i]), 1e4);
            return (static_cast<double>(each + 16) * kUnit + kSmallestNormal) *
                   (1 + logit) * sizes[i];
          });
        }
}

TEST_P(DeviceGradients, RowSumsAreThoseOfTheReference) {
  const Shape shapes[] = {
      {2, 13, 3, 17}, {1, 1, 1, 1}, {1, 70, 2, 128}, {3, 33, 1, 64}};
  for (DType type : {DType::kF16, DType::kBF16, DType::kF32})
    for (const Shape& z : shapes)
      for (bool has_lse_grad : {false, true}) {
        size_t square = static_cast<size_t>(type) + (&z - shapes) +
                        static_cast<size_t>(has_lse_grad);
        if (LeftOut(square, 2)) continue;
        SCOPED_TRACE(absl::StrCat(DTypeName(type), " Dv", z.size,
                                  has_lse_grad ? " with lse_grad" : ""));
        reference::Shape all = {z.batch, z.tokens, z.heads, z.size};
        reference::Shape rows = {z.batch, z.heads, z.tokens};
        const Reals& output = Add("output", type, all);
        const Reals& grad = Add("grad", type, all);
        const Reals& lse_grad = Add("lse_grad", DType::kF32, rows);
        Tensors outputs =
            Run(absl::StrReplaceAll(
                    R"mlir(
func.func @main(%o: OO {gsa.name = "output"}, %d: OO {gsa.name = "grad"},
                %l: LL {gsa.name = "lse_grad"})
    -> (LL {gsa.name = "row_sums"}) {
  %0 = gsa.attention_row_sums %o, %d CLAUSE : (OO, OOMORE) -> LL
  return %0 : LL
})mlir",
                    {{"CLAUSE", has_lse_grad ? "lse_grad %l" : ""},
                     {"MORE",
                      has_lse_grad ? ", " + TensorType(rows, DType::kF32) : ""},
                     {"OO", TensorType(all, type)},
                     {"LL", TensorType(rows, DType::kF32)}}),
                inputs_);
        Reals want = reference::AttentionRowSums(
            output, grad, has_lse_grad ? &lse_grad : nullptr);
        Reals sizes = SizesOfProducts(output, grad);
        ExpectNear("row_sums", outputs, want, DType::kF32, [&](int64_t i) {
          int64_t token = i % z.tokens, head = i / z.tokens % z.heads;
          int64_t batch = i / z.tokens / z.heads;
          // Not read without the operand: any of it may be NaN.
          double of_lse = has_lse_grad ? std::abs(lse_grad[i]) : 0;
          double size = sizes.At(batch, token, head) + of_lse;
          return static_cast<double>(z.size + 4) * kUnit * size;
        });
      }
}

/// Sums over the rows and over the columns of a matrix, and of all of it, from
/// something on: whole numbers, exact in any order.
TEST_P(DeviceGradients, SumsAreExactWhereNumbersAreWhole) {
  const std::pair<int64_t, int64_t> shapes[] = {
      {1, 1},   {3, 5},    {5, 3},     {1, 700},
      {700, 1}, {4100, 4}, {1030, 70}, {33, 2100}};
  for (DType type : {DType::kF16, DType::kF32})
    for (auto [rows, columns] : shapes) {
      SCOPED_TRACE(absl::StrCat(DTypeName(type), " ", rows, " x ", columns));
      auto whole = [&](const char* name, DType type,
                       const reference::Shape& shape) {
        Reals values(shape);
        for (double& value : values.values())
          value = static_cast<double>(reference::RandomInt(-9, 9, &random_));
        inputs_[name] = ToHost(name, type, values);
        return values;
      };
      Reals x = whole("x", type, {rows, columns});
      Reals start = whole("start", DType::kF32, {columns});
      Tensors outputs =
          Run(absl::StrReplaceAll(
                  R"mlir(
#all = affine_map<(i, j) -> (i, j)>
#i = affine_map<(i, j) -> (i)>
#j = affine_map<(i, j) -> (j)>
#none = affine_map<(i, j) -> ()>
func.func @main(%x: XX {gsa.name = "x"},
                %s: tensor<COLUMNSxf32> {gsa.name = "start"})
    -> (tensor<ROWSxf32> {gsa.name = "of_rows"},
        tensor<COLUMNSxf32> {gsa.name = "of_columns"},
        tensor<f32> {gsa.name = "of_all"}) {
  %zero = arith.constant 0.0 : f32
  %er = tensor.empty() : tensor<ROWSxf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<ROWSxf32>)
      -> tensor<ROWSxf32>
  %ea = tensor.empty() : tensor<f32>
  %za = linalg.fill ins(%zero : f32) outs(%ea : tensor<f32>) -> tensor<f32>
  %r = linalg.generic {indexing_maps = [#all, #i],
      iterator_types = ["parallel", "reduction"]}
      ins(%x : XX) outs(%zr : tensor<ROWSxf32>) {
  ^bb0(%a: TT, %sum: f32):
    WIDEN
    %t = arith.addf %sum, %w : f32
    linalg.yield %t : f32
  } -> tensor<ROWSxf32>
  %c = linalg.generic {indexing_maps = [#all, #j],
      iterator_types = ["reduction", "parallel"]}
      ins(%x : XX) outs(%s : tensor<COLUMNSxf32>) {
  ^bb0(%a: TT, %sum: f32):
    WIDEN
    %t = arith.addf %w, %sum : f32
    linalg.yield %t : f32
  } -> tensor<COLUMNSxf32>
  %n = linalg.generic {indexing_maps = [#all, #none],
      iterator_types = ["reduction", "reduction"]}
      ins(%x : XX) outs(%za : tensor<f32>) {
  ^bb0(%a: TT, %sum: f32):
    WIDEN
    %t = arith.addf %sum, %w : f32
    linalg.yield %t : f32
  } -> tensor<f32>
  return %r, %c, %n : tensor<ROWSxf32>, tensor<COLUMNSxf32>, tensor<f32>
})mlir",
                  {{"XX", TensorType({rows, columns}, type)},
                   {"TT", DTypeName(type)},
                   {"ROWS", absl::StrCat(rows)},
                   {"COLUMNS", absl::StrCat(columns)},
                   {"WIDEN", type == DType::kF32
                                 ? "%w = arith.negf %a : f32"
                                 : "%v = arith.extf %a : f16 to f32\n"
                                   "    %w = arith.negf %v : f32"}}),
              inputs_);
      Reals of_rows({rows}), of_all(reference::Shape{});
      for (int64_t i = 0; i < x.size(); ++i) {
        of_rows[i / columns] -= x[i];
        start[i % columns] -= x[i];
        of_all[0] -= x[i];
      }
      auto exactly = [](int64_t) { return 0.0; };
      ExpectNear("of_rows", outputs, of_rows, DType::kF32, exactly);
      ExpectNear("of_columns", outputs, start, DType::kF32, exactly);
      ExpectNear("of_all", outputs, of_all, DType::kF32, exactly);
    }
}

INSTANTIATE_TEST_SUITE_P(Emu, DeviceGradients, ::testing::Values("emu"),
                         [](const auto&) { return "Emu"; });
INSTANTIATE_TEST_SUITE_P(Cuda, DeviceGradients, ::testing::Values("cuda:0"),
                         [](const auto&) { return "Cuda"; });

}  // namespace
}  // namespace gsa::differential
