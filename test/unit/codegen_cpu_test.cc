// Runs modules of linalg on tensors through the CPU pipeline and the JIT and
// compares with plain loops in double precision.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "codegen/cpu/CpuJit.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "test/unit/cpu_program.h"

namespace {

using ::gsa::cpu_program::Buffer;
using ::gsa::cpu_program::Compile;
using ::gsa::cpu_program::Program;
using ::gsa::cpu_program::RunProgram;
using ::gsa::cpu_program::Variant;
using mlir::gsa::CpuCodegenOptions;
using mlir::gsa::CpuModule;

float FromBf16(uint16_t bits) {
  uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, 4);
  return value;
}

// Round to nearest even, the rule of arith.truncf.
uint16_t ToBf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

std::string Shape(std::vector<int64_t> dims, const std::string& type) {
  std::string text = "tensor<";
  for (int64_t dim : dims) text += std::to_string(dim) + "x";
  return text + type + ">";
}

// out = (x W^T + bias) * sigmoid(x W^T + bias), x [b,s,i], W [o,i].
std::string GatedProjection(int64_t b, int64_t s, int64_t i, int64_t o,
                            const std::string& in, const std::string& acc) {
  std::string x = Shape({b, s, i}, in), w = Shape({o, i}, in);
  std::string bias = Shape({o}, acc), y = Shape({b, s, o}, acc);
  std::string extend = in == acc ? ""
                                 : "%xe = arith.extf %xv : " + in + " to " +
                                       acc + "\n %we = arith.extf %wv : " + in +
                                       " to " + acc;
  std::string xv = in == acc ? "%xv" : "%xe", wv = in == acc ? "%wv" : "%we";
  return R"(
func.func @entry(%x: )" +
         x + ", %w: " + w + ", %bias: " + bias + ") -> " + y +
         R"( {
  %zero = arith.constant 0.0 : )" +
         acc + R"(
  %empty = tensor.empty() : )" +
         y + R"(
  %init = linalg.fill ins(%zero : )" +
         acc + ") outs(%empty : " + y + ") -> " + y + R"(
  %p = linalg.generic {
      indexing_maps = [affine_map<(b,s,o,i) -> (b,s,i)>,
                       affine_map<(b,s,o,i) -> (o,i)>,
                       affine_map<(b,s,o,i) -> (b,s,o)>],
      iterator_types = ["parallel","parallel","parallel","reduction"]}
      ins(%x, %w : )" +
         x + ", " + w + ") outs(%init : " + y + R"() {
  ^bb0(%xv: )" +
         in + ", %wv: " + in + ", %yv: " + acc + R"():
    )" + extend +
         R"(
    %m = arith.mulf )" +
         xv + ", " + wv + " : " + acc + R"(
    %a = arith.addf %yv, %m : )" +
         acc + R"(
    linalg.yield %a : )" +
         acc + R"(
  } -> )" +
         y + R"(
  %biased = linalg.generic {
      indexing_maps = [affine_map<(b,s,o) -> (b,s,o)>,
                       affine_map<(b,s,o) -> (o)>,
                       affine_map<(b,s,o) -> (b,s,o)>],
      iterator_types = ["parallel","parallel","parallel"]}
      ins(%p, %bias : )" +
         y + ", " + bias + ") outs(%empty : " + y + R"() {
  ^bb0(%pv: )" +
         acc + ", %bv: " + acc + ", %o: " + acc + R"():
    %a = arith.addf %pv, %bv : )" +
         acc + R"(
    linalg.yield %a : )" +
         acc + R"(
  } -> )" +
         y + R"(
  %gated = linalg.generic {
      indexing_maps = [affine_map<(b,s,o) -> (b,s,o)>,
                       affine_map<(b,s,o) -> (b,s,o)>],
      iterator_types = ["parallel","parallel","parallel"]}
      ins(%biased : )" +
         y + ") outs(%empty : " + y + R"() {
  ^bb0(%v: )" +
         acc + ", %o: " + acc + R"():
    %one = arith.constant 1.0 : )" +
         acc + R"(
    %n = arith.negf %v : )" +
         acc + R"(
    %e = math.exp %n : )" +
         acc + R"(
    %d = arith.addf %e, %one : )" +
         acc + R"(
    %g = arith.divf %v, %d : )" +
         acc + R"(
    linalg.yield %g : )" +
         acc + R"(
  } -> )" +
         y + R"(
  return %gated : )" +
         y + R"(
}
)";
}

template <typename T>
void Fill(T* data, int64_t count, std::mt19937& random) {
  std::uniform_real_distribution<float> dist(-1, 1);
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<T, uint16_t>)
      data[i] = ToBf16(dist(random));
    else
      data[i] = static_cast<T>(dist(random));
  }
}

double Widen(uint16_t v) { return FromBf16(v); }
double Widen(float v) { return v; }
double Widen(double v) { return v; }

template <typename In, typename Acc>
std::vector<Acc> CheckGatedProjection(int64_t b, int64_t s, int64_t i,
                                      int64_t o, const Variant& variant,
                                      const char* in, const char* acc,
                                      double tolerance) {
  SCOPED_TRACE(testing::Message() << b << "x" << s << "x" << i << "x" << o
                                  << " " << in << " tasks " << variant.tasks
                                  << " reference " << variant.reference);
  Program program = Compile(GatedProjection(b, s, i, o, in, acc), variant);
  if (!program.module) return {};
  Buffer x({b, s, i}, sizeof(In)), w({o, i}, sizeof(In));
  Buffer bias({o}, sizeof(Acc)), y({b, s, o}, sizeof(Acc));
  std::mt19937 random(17);
  Fill(x.data<In>(), x.count(), random);
  Fill(w.data<In>(), w.count(), random);
  Fill(bias.data<Acc>(), bias.count(), random);
  RunProgram(program, {&x, &w, &bias, &y});
  double worst = 0;
  for (int64_t row = 0; row < b * s; ++row)
    for (int64_t col = 0; col < o; ++col) {
      double sum = bias.data<Acc>()[col];
      for (int64_t k = 0; k < i; ++k)
        sum +=
            Widen(x.data<In>()[row * i + k]) * Widen(w.data<In>()[col * i + k]);
      double expected = sum / (1 + std::exp(-sum));
      double got = y.data<Acc>()[row * o + col];
      worst = std::max(worst, std::abs(got - expected) /
                                  (1 + std::sqrt(static_cast<double>(i))));
    }
  EXPECT_LE(worst, tolerance);
  uint8_t* guard = reinterpret_cast<uint8_t*>(y.data<Acc>() + y.count());
  EXPECT_EQ(*guard, 0xAB) << "write behind the result";
  return std::vector<Acc>(y.data<Acc>(), y.data<Acc>() + y.count());
}

class CpuPipelineTest : public testing::TestWithParam<Variant> {};

TEST_P(CpuPipelineTest, GatedProjectionF32) {
  for (auto [b, s, i, o] : {std::array<int64_t, 4>{1, 1, 1, 1},
                            {1, 1, 7, 3},
                            {1, 17, 33, 5},
                            {2, 4, 8, 2},
                            {3, 5, 19, 67},
                            {1, 13, 300, 48},
                            {2, 31, 64, 129}})
    CheckGatedProjection<float, float>(b, s, i, o, GetParam(), "f32", "f32",
                                       1e-6);
}

TEST_P(CpuPipelineTest, GatedProjectionBf16) {
  for (auto [b, s, i, o] : {std::array<int64_t, 4>{1, 1, 5, 3},
                            {1, 17, 33, 5},
                            {2, 9, 70, 40},
                            {1, 30, 260, 33}})
    CheckGatedProjection<uint16_t, float>(b, s, i, o, GetParam(), "bf16", "f32",
                                          1e-6);
}

TEST_P(CpuPipelineTest, GatedProjectionF64) {
  for (auto [b, s, i, o] :
       {std::array<int64_t, 4>{1, 1, 5, 3}, {1, 17, 33, 5}, {2, 9, 70, 40}})
    CheckGatedProjection<double, double>(b, s, i, o, GetParam(), "f64", "f64",
                                         1e-14);
}

INSTANTIATE_TEST_SUITE_P(Variants, CpuPipelineTest,
                         testing::Values(Variant{.tasks = 1},
                                         Variant{.tasks = 3},
                                         Variant{.tasks = 2, .threads = true},
                                         Variant{.tasks = 4, .reference = true},
                                         Variant{.tasks = 2,
                                                 .vector_bits = 256,
                                                 .cpu = "x86-64-v3"}),
                         [](const auto& info) { return NameOf(info); });

// out[out_dims] = sum lhs[lhs_dims] * rhs[rhs_dims], one letter per dimension,
// as in einsum; `sizes` gives each letter's size.
void CheckEinsum(const std::string& lhs_dims, const std::string& rhs_dims,
                 const std::string& out_dims,
                 const std::map<char, int64_t>& sizes, const Variant& variant) {
  SCOPED_TRACE(lhs_dims + "," + rhs_dims + "->" + out_dims);
  std::string loops, iterators;
  for (auto [name, size] : sizes) {
    loops += (loops.empty() ? "" : ",") + std::string(1, name);
    bool parallel = out_dims.find(name) != std::string::npos;
    iterators += std::string(iterators.empty() ? "" : ",") +
                 (parallel ? "\"parallel\"" : "\"reduction\"");
  }
  auto map = [&](const std::string& dims) {
    std::string text = "affine_map<(" + loops + ") -> (";
    for (size_t i = 0; i < dims.size(); ++i)
      text += (i == 0 ? "" : ",") + std::string(1, dims[i]);
    return text + ")>";
  };
  auto shape = [&](const std::string& dims) {
    std::vector<int64_t> result;
    for (char name : dims) result.push_back(sizes.at(name));
    return result;
  };
  std::string lhs_type = Shape(shape(lhs_dims), "f32");
  std::string rhs_type = Shape(shape(rhs_dims), "f32");
  std::string out_type = Shape(shape(out_dims), "f32");
  std::string text = "func.func @entry(%l: " + lhs_type + ", %r: " + rhs_type +
                     ") -> " + out_type + R"( {
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty() : )" +
                     out_type + R"(
    %init = linalg.fill ins(%zero : f32) outs(%empty : )" +
                     out_type + ") -> " + out_type + R"(
    %o = linalg.generic {indexing_maps = [)" +
                     map(lhs_dims) + ", " + map(rhs_dims) + ", " +
                     map(out_dims) + "], iterator_types = [" + iterators +
                     "]} ins(%l, %r : " + lhs_type + ", " + rhs_type +
                     ") outs(%init : " + out_type + R"() {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %m = arith.mulf %a, %b : f32
      %s = arith.addf %m, %c : f32
      linalg.yield %s : f32
    } -> )" + out_type +
                     "\n return %o : " + out_type + "\n}";
  Program program = Compile(text, variant);
  if (!program.module) return;
  Buffer lhs(shape(lhs_dims), 4), rhs(shape(rhs_dims), 4);
  Buffer out(shape(out_dims), 4);
  std::mt19937 random(3);
  Fill(lhs.data<float>(), lhs.count(), random);
  Fill(rhs.data<float>(), rhs.count(), random);
  RunProgram(program, {&lhs, &rhs, &out});

  std::vector<double> expected(out.count());
  std::map<char, int64_t> index;
  auto offset = [&](const std::string& dims) {
    int64_t result = 0;
    for (char name : dims) result = result * sizes.at(name) + index[name];
    return result;
  };
  int64_t total = 1;
  for (auto [name, size] : sizes) total *= size;
  for (int64_t i = 0; i < total; ++i) {
    int64_t rest = i;
    for (auto [name, size] : sizes) {
      index[name] = rest % size;
      rest /= size;
    }
    expected[offset(out_dims)] +=
        static_cast<double>(lhs.data<float>()[offset(lhs_dims)]) *
        rhs.data<float>()[offset(rhs_dims)];
  }
  double worst = 0;
  for (int64_t i = 0; i < out.count(); ++i)
    worst = std::max(worst, std::abs(out.data<float>()[i] - expected[i]));
  EXPECT_LE(worst, 1e-4);
}

TEST_P(CpuPipelineTest, EinsumsInAnyOrderOfDimensions) {
  std::map<char, int64_t> sizes = {{'k', 37}, {'m', 19}, {'n', 21}};
  for (const char* lhs : {"mk", "km"})
    for (const char* rhs : {"nk", "kn"})
      for (const char* out : {"mn", "nm"})
        CheckEinsum(lhs, rhs, out, sizes, GetParam());
  // Batches, grouped heads, several reduction and several row dimensions.
  CheckEinsum("bmk", "bnk", "bmn", {{'b', 5}, {'k', 9}, {'m', 7}, {'n', 33}},
              GetParam());
  CheckEinsum("mhd", "nd", "hmn", {{'d', 20}, {'h', 3}, {'m', 18}, {'n', 34}},
              GetParam());
  CheckEinsum("bmhd", "ohd", "bmo",
              {{'b', 2}, {'d', 6}, {'h', 5}, {'m', 9}, {'o', 18}}, GetParam());
  // A matrix times a vector, and a long reduction in several blocks.
  CheckEinsum("nk", "k", "n", {{'k', 50}, {'n', 40}}, GetParam());
  CheckEinsum("mk", "nk", "mn", {{'k', 1100}, {'m', 3}, {'n', 17}}, GetParam());
}

// Broadcasts, a strided input and a last dimension of 3.
TEST_P(CpuPipelineTest, ElementwiseWithBroadcastAndStride) {
  Program program = Compile(R"(
    func.func @entry(%x: tensor<41x5x6xf32>, %c: tensor<41x3xf32>)
        -> tensor<41x5x3xf32> {
      %odd = tensor.extract_slice %x[0, 0, 1] [41, 5, 3] [1, 1, 2]
          : tensor<41x5x6xf32> to tensor<41x5x3xf32>
      %empty = tensor.empty() : tensor<41x5x3xf32>
      %y = linalg.generic {
          indexing_maps = [affine_map<(s,h,d) -> (s,h,d)>,
                           affine_map<(s,h,d) -> (s,d)>,
                           affine_map<(s,h,d) -> (s,h,d)>],
          iterator_types = ["parallel", "parallel", "parallel"]}
          ins(%odd, %c : tensor<41x5x3xf32>, tensor<41x3xf32>)
          outs(%empty : tensor<41x5x3xf32>) {
      ^bb0(%a: f32, %b: f32, %o: f32):
        %i = linalg.index 2 : index
        %n = arith.index_cast %i : index to i32
        %f = arith.sitofp %n : i32 to f32
        %m = arith.mulf %a, %b : f32
        %r = arith.addf %m, %f : f32
        linalg.yield %r : f32
      } -> tensor<41x5x3xf32>
      return %y : tensor<41x5x3xf32>
    })",
                            GetParam());
  Buffer x({41, 5, 6}, 4), c({41, 3}, 4), y({41, 5, 3}, 4);
  std::mt19937 random(5);
  Fill(x.data<float>(), x.count(), random);
  Fill(c.data<float>(), c.count(), random);
  RunProgram(program, {&x, &c, &y});
  for (int64_t s = 0; s < 41; ++s)
    for (int64_t h = 0; h < 5; ++h)
      for (int64_t d = 0; d < 3; ++d)
        EXPECT_FLOAT_EQ(y.data<float>()[(s * 5 + h) * 3 + d],
                        x.data<float>()[(s * 5 + h) * 6 + 1 + 2 * d] *
                                c.data<float>()[s * 3 + d] +
                            static_cast<float>(d));
}

// exp at the ends of its range, in vectors and in the tail, and inputs that
// stay as they were.
TEST_P(CpuPipelineTest, ExpOfExtremesAndUntouchedInputs) {
  Program program = Compile(R"(
    func.func @entry(%x: tensor<37xf32>) -> tensor<37xf32> {
      %e = math.exp %x : tensor<37xf32>
      return %e : tensor<37xf32>
    })",
                            GetParam());
  Buffer x({37}, 4), y({37}, 4);
  const float infinity = std::numeric_limits<float>::infinity();
  const float values[] = {0.0f,
                          -0.0f,
                          1.0f,
                          -1.0f,
                          88.0f,
                          -80.0f,
                          90.0f,
                          infinity,
                          -infinity,
                          -200.0f,
                          std::numeric_limits<float>::quiet_NaN()};
  for (int i = 0; i < 37; ++i) x.data<float>()[i] = values[i % 11];
  std::vector<float> before(x.data<float>(), x.data<float>() + 37);
  RunProgram(program, {&x, &y});
  EXPECT_EQ(std::memcmp(before.data(), x.data<float>(), 37 * 4), 0);
  for (int i = 0; i < 37; ++i) {
    float input = before[i], got = y.data<float>()[i];
    SCOPED_TRACE(input);
    if (std::isnan(input)) {
      EXPECT_TRUE(std::isnan(got));
    } else if (std::isinf(std::exp(input))) {
      EXPECT_EQ(got, infinity);
    } else {
      EXPECT_NEAR(got, std::exp(input), 4e-7f * std::exp(input) + 1e-37f);
    }
  }
}

// Two results, one of which is an input: the caller's buffers are distinct.
TEST_P(CpuPipelineTest, ReturnedInputIsCopied) {
  Program program = Compile(R"(
    func.func @entry(%x: tensor<5x7xf64>) -> (tensor<5x7xf64>, tensor<5x7xf64>) {
      %n = arith.negf %x : tensor<5x7xf64>
      return %x, %n : tensor<5x7xf64>, tensor<5x7xf64>
    })",
                            GetParam());
  Buffer x({5, 7}, 8), y({5, 7}, 8), z({5, 7}, 8);
  for (int i = 0; i < 35; ++i) x.data<double>()[i] = i + 0.5;
  RunProgram(program, {&x, &y, &z});
  for (int i = 0; i < 35; ++i) {
    EXPECT_EQ(y.data<double>()[i], i + 0.5);
    EXPECT_EQ(z.data<double>()[i], -i - 0.5);
  }
}

// A row's bits do not depend on how many rows there are.
TEST(CpuPipelineInvarianceTest, RowCountDoesNotChangeBits) {
  Program one = Compile(GatedProjection(1, 1, 45, 70, "f32", "f32"), Variant{});
  Program many =
      Compile(GatedProjection(1, 29, 45, 70, "f32", "f32"), Variant{});
  Buffer x1({1, 1, 45}, 4), xn({1, 29, 45}, 4), w({70, 45}, 4), bias({70}, 4);
  Buffer y1({1, 1, 70}, 4), yn({1, 29, 70}, 4);
  std::mt19937 random(9);
  Fill(xn.data<float>(), xn.count(), random);
  Fill(w.data<float>(), w.count(), random);
  Fill(bias.data<float>(), bias.count(), random);
  RunProgram(many, {&xn, &w, &bias, &yn});
  for (int64_t row : {0, 13, 28}) {
    std::memcpy(x1.data<float>(), xn.data<float>() + row * 45, 45 * 4);
    RunProgram(one, {&x1, &w, &bias, &y1});
    EXPECT_EQ(
        std::memcmp(y1.data<float>(), yn.data<float>() + row * 70, 70 * 4), 0);
  }
}

TEST(CpuPipelineInvarianceTest, TaskCountDoesNotChangeBits) {
  std::vector<float> one = CheckGatedProjection<float, float>(
      2, 61, 130, 75, Variant{.tasks = 1}, "f32", "f32", 1e-6);
  for (int64_t tasks : {2, 3, 7}) {
    std::vector<float> many = CheckGatedProjection<float, float>(
        2, 61, 130, 75, Variant{.tasks = tasks, .threads = true}, "f32", "f32",
        1e-6);
    ASSERT_EQ(one.size(), many.size());
    EXPECT_EQ(std::memcmp(one.data(), many.data(), one.size() * 4), 0);
  }
}

TEST(CpuJitTest, UnknownSymbolIsAnErrorThatNamesIt) {
  mlir::DialectRegistry registry;
  mlir::gsa::registerCpuDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(R"(
    llvm.func @missing_function()
    llvm.func @entry() attributes {llvm.emit_c_interface} {
      llvm.call @missing_function() : () -> ()
      llvm.return
    }
    llvm.func @_mlir_ciface_entry() attributes {llvm.emit_c_interface} {
      llvm.call @entry() : () -> ()
      llvm.return
    })",
                                                        &context);
  ASSERT_TRUE(module);
  auto compiled = CpuModule::compile(*module, CpuCodegenOptions{});
  ASSERT_FALSE(static_cast<bool>(compiled));
  EXPECT_NE(llvm::toString(compiled.takeError()).find("missing_function"),
            std::string::npos);
}

TEST(CpuJitTest, UnknownCpuIsAnError) {
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  CpuCodegenOptions options;
  options.cpu = "no-such-cpu";
  auto compiled = CpuModule::compile(*module, options);
  ASSERT_FALSE(static_cast<bool>(compiled));
  EXPECT_NE(llvm::toString(compiled.takeError()).find("no-such-cpu"),
            std::string::npos);
}

// What a CPU without avx512bf16 calls where a pass of LLVM has made a
// truncation.
TEST(CpuJitTest, RoundsToBF16WithoutAnInstruction) {
  mlir::DialectRegistry registry;
  mlir::gsa::registerCpuDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(R"(
    llvm.func @_mlir_ciface_entry(%x: f32, %to: !llvm.ptr)
        attributes {llvm.emit_c_interface} {
      %0 = llvm.fptrunc %x : f32 to bf16
      llvm.store %0, %to : bf16, !llvm.ptr
      llvm.return
    }
    llvm.func @entry(%x: f32, %to: !llvm.ptr)
        attributes {llvm.emit_c_interface} {
      llvm.call @_mlir_ciface_entry(%x, %to) : (f32, !llvm.ptr) -> ()
      llvm.return
    })",
                                                        &context);
  ASSERT_TRUE(module);
  CpuCodegenOptions options;
  options.cpu = "x86-64-v3";
  auto compiled = CpuModule::compile(*module, options);
  ASSERT_TRUE(static_cast<bool>(compiled))
      << llvm::toString(compiled.takeError());
  const auto round = [&](uint32_t bits) {
    float x;
    uint16_t half = 0;
    std::memcpy(&x, &bits, 4);
    void* arguments[] = {&x, &half};
    (*compiled)->entry()(arguments);
    return half;
  };
  EXPECT_EQ(round(0x3f800000), 0x3f80);
  EXPECT_EQ(round(0x3f808000), 0x3f80);  // ties to even
  EXPECT_EQ(round(0x3f818000), 0x3f82);
  EXPECT_EQ(round(0x3f808001), 0x3f81);
  EXPECT_EQ(round(0x7f7fffff), 0x7f80);
  EXPECT_EQ(round(0xff800000), 0xff80);
  EXPECT_EQ(round(0x00010001), 0x0001);  // denormal
  EXPECT_EQ(round(0x7f800001) & 0x7fff, 0x7fc0);
}

TEST(CpuJitTest, CompilesSeveralModulesAtOnce) {
  std::vector<std::thread> threads;
  for (int64_t i = 1; i <= 4; ++i)
    threads.emplace_back([i] {
      CheckGatedProjection<float, float>(
          1, i, 2 * i, 3 * i, Variant{.tasks = i}, "f32", "f32", 1e-6);
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
