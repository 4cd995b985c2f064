// Every math op that the CPU target compiles, over the range of its arguments:
// denormals, tiny and huge numbers, zeros of both signs, infinities, NaN. What
// is compared with is the C library in a wider type.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "test/unit/cpu_program.h"

namespace {

using ::gsa::cpu_program::Buffer;
using ::gsa::cpu_program::Compile;
using ::gsa::cpu_program::Program;
using ::gsa::cpu_program::RunProgram;
using ::gsa::cpu_program::Variant;

// A module that applies `body` to %a and, if `binary`, %b; it defines %r.
std::string ElementwiseModule(const std::string& type, int64_t count,
                              bool binary, const std::string& body) {
  std::string tensor = "tensor<" + std::to_string(count) + "x" + type + ">";
  std::string map = "affine_map<(i) -> (i)>";
  std::string inputs = "%x", types = tensor, arguments = "%a: " + type;
  if (binary) {
    inputs += ", %y";
    types += ", " + tensor;
    arguments += ", %b: " + type;
  }
  return "func.func @entry(%x: " + tensor +
         (binary ? ", %y: " + tensor : std::string()) + ") -> " + tensor +
         " {\n  %e = tensor.empty() : " + tensor +
         "\n  %o = linalg.generic {indexing_maps = [" + map + ", " + map +
         (binary ? ", " + map : std::string()) +
         "], iterator_types = [\"parallel\"]} ins(" + inputs + " : " + types +
         ") outs(%e : " + tensor + ") {\n  ^bb0(" + arguments +
         ", %c: " + type + "):\n    " + body +
         "\n    linalg.yield %r : " + type + "\n  } -> " + tensor +
         "\n  return %o : " + tensor + "\n}";
}

// The distance of f32 numbers at `exact`.
double UnitInLastPlace(double exact) {
  int exponent;
  std::frexp(exact, &exponent);
  return std::ldexp(1.0, std::max(exponent - 24, -149));
}

// Errors of `got` in units in the last place of `exact`; infinite where one of
// them is NaN, infinite or a zero of the other sign.
double ErrorInUlp(float got, double exact) {
  const double infinity = std::numeric_limits<double>::infinity();
  if (std::isnan(exact) || std::isnan(got))
    return std::isnan(exact) && std::isnan(got) ? 0 : infinity;
  if (exact == 0)
    return got == 0 && std::signbit(got) == std::signbit(exact) ? 0 : infinity;
  if (std::isinf(exact)) return got == exact ? 0 : infinity;
  // An exact result between the largest float and 2^128 may round to either.
  double value = std::isinf(got) ? std::copysign(0x1p128, got) : got;
  if (std::abs(exact) >= 0x1p128 && std::isinf(got))
    return std::signbit(got) == std::signbit(exact) ? 0 : infinity;
  return std::abs(value - exact) / UnitInLastPlace(exact);
}

// Floats of all exponents and both signs, and the special ones.
std::vector<float> AllKindsOfFloats() {
  std::vector<float> result;
  // A prime: every exponent gets about 3000 mantissas.
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 2741) {
    auto low = static_cast<uint32_t>(bits);
    float value;
    std::memcpy(&value, &low, 4);
    // A signalling NaN to the power of 0 is NaN, a quiet one is 1.
    if (std::isnan(value)) value = std::numeric_limits<float>::quiet_NaN();
    result.push_back(value);
  }
  for (float value : {0.0f,
                      0x1p-149f,
                      0x1.fffffcp-127f,
                      0x1p-126f,
                      1e-10f,
                      0x1p-25f,
                      1e-3f,
                      0.5f,
                      0x1.fffffep-1f,
                      1.0f,
                      0x1.000002p+0f,
                      2.0f,
                      9.0f,
                      88.0f,
                      88.7228f,
                      88.73f,
                      87.3f,
                      87.4f,
                      103.9f,
                      104.0f,
                      1e10f,
                      0x1.fffffep+127f,
                      std::numeric_limits<float>::infinity(),
                      std::numeric_limits<float>::quiet_NaN()}) {
    result.push_back(value);
    result.push_back(-value);
  }
  return result;
}

struct UnaryOp {
  const char* name;
  double (*exact)(double);
  double ulp;  // Largest error.
};

// The bounds of exp to tanh are those of the polynomials, over all floats; the
// others are those of libm (GNU's).
const UnaryOp kUnaryOps[] = {
    {"exp", std::exp, 1.1},
    {"log", std::log, 1.0},
    {"expm1", std::expm1, 1.5},
    {"log1p", std::log1p, 1.5},
    {"tanh", std::tanh, 5.0},
    {"rsqrt", [](double x) { return 1 / std::sqrt(x); }, 1.5},
    {"sqrt", std::sqrt, 0.5},
    {"exp2", std::exp2, 1.0},
    {"log2", std::log2, 1.0},
    {"log10", std::log10, 2.5},
    {"sin", std::sin, 1.0},
    {"cos", std::cos, 1.0},
    {"tan", std::tan, 1.5},
    {"erf", std::erf, 1.5},
    {"erfc", std::erfc, 3.5},
    {"cbrt", std::cbrt, 1.5},
    {"atan", std::atan, 1.5},
    {"asin", std::asin, 1.5},
    {"acos", std::acos, 1.5},
    {"sinh", std::sinh, 2.5},
    {"cosh", std::cosh, 2.5},
    {"asinh", std::asinh, 2.5},
    {"acosh", std::acosh, 2.5},
    {"atanh", std::atanh, 2.5},
    {"floor", std::floor, 0},
    {"ceil", std::ceil, 0},
    {"round", std::round, 0},
    {"roundeven", std::nearbyint, 0},
    {"trunc", std::trunc, 0},
    {"absf", std::fabs, 0},
};

class CpuMathTest : public testing::TestWithParam<Variant> {
 protected:
  // Applies `body` to `x` and, where there is one, `y`.
  template <typename T>
  std::vector<T> Apply(const std::string& type, const std::string& body,
                       const std::vector<T>& x, const std::vector<T>& y = {}) {
    auto count = static_cast<int64_t>(x.size());
    Program program =
        Compile(ElementwiseModule(type, count, !y.empty(), body), GetParam());
    if (!program.module) return {};
    Buffer a({count}, sizeof(T)), b({count}, sizeof(T)),
        out({count}, sizeof(T));
    std::memcpy(a.data<T>(), x.data(), count * sizeof(T));
    std::vector<Buffer*> buffers = {&a};
    if (!y.empty()) {
      std::memcpy(b.data<T>(), y.data(), count * sizeof(T));
      buffers.push_back(&b);
    }
    buffers.push_back(&out);
    RunProgram(program, buffers);
    return std::vector<T>(out.data<T>(), out.data<T>() + count);
  }
};

TEST_P(CpuMathTest, UnaryOpsStayWithinTheirBounds) {
  std::vector<float> x = AllKindsOfFloats();
  for (const UnaryOp& op : kUnaryOps) {
    SCOPED_TRACE(op.name);
    std::vector<float> got = Apply<float>(
        "f32", "%r = math." + std::string(op.name) + " %a : f32", x);
    ASSERT_EQ(got.size(), x.size());
    double worst = 0;
    size_t at = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      double error = ErrorInUlp(got[i], op.exact(x[i]));
      if (error > worst) worst = error, at = i;
    }
    EXPECT_LE(worst, op.ulp) << "of " << x[at] << ": got " << got[at]
                             << ", expected " << op.exact(x[at]);
  }
}

TEST_P(CpuMathTest, BinaryOpsStayWithinTheirBounds) {
  std::vector<float> x, y, all = AllKindsOfFloats();
  for (size_t i = 0; i < all.size(); i += 7) {
    x.push_back(all[i]);
    y.push_back(all[(i * 7919 + 13) % all.size()]);
    // Powers that are neither 0 nor infinite.
    x.push_back(std::abs(all[i]));
    y.push_back(static_cast<float>(i % 64) / 16 - 2);
  }
  struct {
    const char* name;
    double (*exact)(double, double);
    double ulp;
  } ops[] = {{"powf", std::pow, 1.0},
             {"atan2", std::atan2, 1.5},
             {"copysign", std::copysign, 0}};
  for (const auto& op : ops) {
    SCOPED_TRACE(op.name);
    std::vector<float> got = Apply<float>(
        "f32", "%r = math." + std::string(op.name) + " %a, %b : f32", x, y);
    ASSERT_EQ(got.size(), x.size());
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_LE(ErrorInUlp(got[i], op.exact(x[i], y[i])), op.ulp)
          << "of " << x[i] << " and " << y[i] << ": got " << got[i]
          << ", expected " << op.exact(x[i], y[i]);
  }
}

TEST_P(CpuMathTest, DoublesKeepSmallArguments) {
  std::vector<double> x;
  for (double size = 0x1p-1074; size < 1e308; size *= 3)
    for (double value : {size, -size}) x.push_back(value);
  for (double value : {0.0, -0.0, 1.0, -1.0, 709.0, -745.0,
                       std::numeric_limits<double>::infinity(),
                       -std::numeric_limits<double>::infinity()})
    x.push_back(value);
  struct {
    const char* name;
    double (*exact)(double);
  } ops[] = {{"log1p", std::log1p}, {"expm1", std::expm1}, {"exp", std::exp},
             {"log", std::log},     {"tanh", std::tanh},   {"sin", std::sin}};
  for (const auto& op : ops) {
    SCOPED_TRACE(op.name);
    std::vector<double> got = Apply<double>(
        "f64", "%r = math." + std::string(op.name) + " %a : f64", x);
    ASSERT_EQ(got.size(), x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      double exact = op.exact(x[i]);
      if (std::isnan(exact)) {
        EXPECT_TRUE(std::isnan(got[i])) << x[i];
      } else {
        EXPECT_DOUBLE_EQ(got[i], exact) << x[i];
        EXPECT_EQ(std::signbit(got[i]), std::signbit(exact)) << x[i];
      }
    }
  }
}

TEST_P(CpuMathTest, IntegerPowers) {
  std::vector<float> x = {2.0f,  -3.0f, 0.5f,  1.0000001f, 0.0f,  -0.0f,
                          1e-3f, 7.0f,  -1.5f, 1e-20f,     1e20f, -2.0f,
                          3.0f,  10.0f, 0.1f,  1.001f,     -0.3f};
  std::vector<float> i = {10, 3,  -4, 16777216, 0, -1, 12, 45, 9,
                          2,  -2, 31, -20,      7, 3,  -5, 4};
  std::vector<float> got = Apply<float>("f32", R"(
    %i = arith.fptosi %b : f32 to i32
    %r = math.fpowi %a, %i : f32, i32)",
                                        x, i);
  ASSERT_EQ(got.size(), x.size());
  for (size_t at = 0; at < x.size(); ++at) {
    double exact = std::pow(static_cast<double>(x[at]), i[at]);
    EXPECT_LE(ErrorInUlp(got[at], exact), 0.5) << x[at] << "^" << i[at];
  }
  got = Apply<float>("f32", R"(
    %n = arith.fptosi %a : f32 to i32
    %i = arith.fptosi %b : f32 to i32
    %p = math.ipowi %n, %i : i32
    %r = arith.sitofp %p : i32 to f32)",
                     {3, -2, 5, 0, 7, 1, -1}, {4, 5, 0, 3, 2, -3, -3});
  EXPECT_EQ(got, (std::vector<float>{81, -32, 1, 0, 49, 1, -1}));
}

TEST_P(CpuMathTest, ClassesAndClamps) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> x = AllKindsOfFloats();
  std::vector<float> got = Apply<float>("f32", R"(
    %inf = math.isinf %a : f32
    %normal = math.isnormal %a : f32
    %finite = math.isfinite %a : f32
    %nan = math.isnan %a : f32
    %0 = arith.extui %inf : i1 to i32
    %1 = arith.extui %normal : i1 to i32
    %2 = arith.extui %finite : i1 to i32
    %3 = arith.extui %nan : i1 to i32
    %ten = arith.constant 10 : i32
    %4 = arith.muli %3, %ten : i32
    %5 = arith.addi %4, %2 : i32
    %6 = arith.muli %5, %ten : i32
    %7 = arith.addi %6, %1 : i32
    %8 = arith.muli %7, %ten : i32
    %9 = arith.addi %8, %0 : i32
    %r = arith.sitofp %9 : i32 to f32)",
                                        x);
  ASSERT_EQ(got.size(), x.size());
  for (size_t i = 0; i < x.size(); ++i)
    ASSERT_EQ(got[i], std::isinf(x[i]) + 10 * std::isnormal(x[i]) +
                          100 * std::isfinite(x[i]) + 1000 * std::isnan(x[i]))
        << x[i];
  got = Apply<float>("f32", R"(
    %low = arith.constant -2.0 : f32
    %high = arith.constant 3.0 : f32
    %r = math.clampf %a to [%low, %high] : f32)",
                     {-infinity, -2.5f, 1.5f, 3.5f, infinity});
  EXPECT_EQ(got, (std::vector<float>{-2, -2, 1.5f, 3, 3}));
}

// One rounding to f32 and one to the type, denormals included.
TEST_P(CpuMathTest, NarrowFusedMultiplyAdd) {
  for (const std::string& type : {"f16", "bf16"}) {
    SCOPED_TRACE(type);
    std::vector<float> x = {1.5f, -3.0f, 0x1p-12f, 0x1p-60f, 100.0f};
    std::vector<float> y = {2.25f, 0.5f, 0x1p-12f, 0x1p-70f, 100.0f};
    std::vector<float> got =
        Apply<float>("f32",
                     "%p = arith.truncf %a : f32 to " + type +
                         "\n%q = arith.truncf %b : f32 to " + type +
                         "\n%z = arith.constant 0.0 : " + type +
                         "\n%f = math.fma %p, %q, %z : " + type +
                         "\n%r = arith.extf %f : " + type + " to f32",
                     x, y);
    bool is_half = type == "f16";
    EXPECT_EQ(got, (std::vector<float>{3.375f, -1.5f, 0x1p-24f,
                                       is_half ? 0.0f : 0x1p-130f,
                                       is_half ? 10000.0f : 9984.0f}));
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, CpuMathTest,
                         testing::Values(Variant{}, Variant{.reference = true},
                                         Variant{.vector_bits = 256,
                                                 .cpu = "x86-64-v3"}),
                         [](const auto& info) { return NameOf(info); });

}  // namespace
