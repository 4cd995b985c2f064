// Runs modules of linalg on tensors through the CPU pipeline and the JIT and
// compares with plain loops in double precision.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "codegen/cpu/CpuJit.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "passes/cpu/CpuPasses.h"

namespace {

using mlir::gsa::CpuCodegenOptions;
using mlir::gsa::CpuModule;

// Runs the tasks one after another, last first: their order must not matter.
void RunTasks(void (*body)(void*, int64_t), void* closure, int64_t num_tasks) {
  for (int64_t task = num_tasks - 1; task >= 0; --task) body(closure, task);
}

// Runs every task in a thread of its own.
void RunThreads(void (*body)(void*, int64_t), void* closure,
                int64_t num_tasks) {
  std::vector<std::thread> threads;
  for (int64_t task = 0; task < num_tasks; ++task)
    threads.emplace_back(body, closure, task);
  for (std::thread& thread : threads) thread.join();
}

// A contiguous buffer with its memref descriptor: {allocated, aligned, offset,
// sizes..., strides...}.
class Buffer {
 public:
  Buffer(std::vector<int64_t> shape, size_t element_bytes) : shape_(shape) {
    int64_t count = 1;
    for (int64_t size : shape) count *= size;
    // One guard element behind the end catches tails written too far.
    count_ = count;
    bytes_.resize((count + 1) * element_bytes + 64, 0xAB);
    element_bytes_ = element_bytes;
    data_ = reinterpret_cast<uint8_t*>(
        (reinterpret_cast<uintptr_t>(bytes_.data()) + 63) / 64 * 64);
    descriptor_ = {reinterpret_cast<int64_t>(data_),
                   reinterpret_cast<int64_t>(data_), 0};
    descriptor_.insert(descriptor_.end(), shape.begin(), shape.end());
    std::vector<int64_t> strides(shape.size(), 1);
    for (int i = static_cast<int>(shape.size()) - 2; i >= 0; --i)
      strides[i] = strides[i + 1] * shape[i + 1];
    descriptor_.insert(descriptor_.end(), strides.begin(), strides.end());
  }
  Buffer(const Buffer&) = delete;

  template <typename T>
  T* data() {
    return reinterpret_cast<T*>(data_);
  }
  void* descriptor() { return descriptor_.data(); }
  int64_t count() const { return count_; }

 private:
  std::vector<int64_t> shape_;
  std::vector<uint8_t> bytes_;
  std::vector<int64_t> descriptor_;
  uint8_t* data_ = nullptr;
  size_t element_bytes_ = 0;
  int64_t count_ = 0;
};

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

struct Variant {
  int64_t tasks = 1;
  bool reference = false;
  int64_t vector_bits = mlir::gsa::hostVectorBits();
  bool threads = false;
  std::string cpu = {};
};

struct Program {
  std::unique_ptr<CpuModule> module;
  int64_t workspace_bytes = -1;
};

// Lowers and loads `text`; reports failures of the test's program itself.
Program Compile(const std::string& text, const Variant& variant) {
  mlir::DialectRegistry registry;
  mlir::gsa::registerCpuDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  Program program;
  if (!module) {
    ADD_FAILURE() << "does not parse:\n" << text;
    return program;
  }
  mlir::PassManager passes(&context);
  mlir::gsa::CpuLoweringOptions lowering;
  lowering.tasks = variant.tasks;
  lowering.reference = variant.reference;
  lowering.vectorBits = variant.vector_bits;
  mlir::gsa::buildCpuLoweringPipeline(passes, lowering);
  if (failed(passes.run(*module))) {
    ADD_FAILURE() << "does not lower:\n" << text;
    return program;
  }
  module->walk([&](mlir::Operation* op) {
    if (auto bytes = op->getAttrOfType<mlir::IntegerAttr>(
            mlir::gsa::kWorkspaceBytesAttr))
      program.workspace_bytes = bytes.getInt();
  });
  EXPECT_GE(program.workspace_bytes, 0) << "no workspace attribute";
  CpuCodegenOptions codegen;
  codegen.cpu = variant.cpu;
  codegen.vectorBits = variant.vector_bits;
  codegen.symbols["gsa_cpu_parallel"] =
      variant.threads ? reinterpret_cast<void*>(RunThreads)
                      : reinterpret_cast<void*>(RunTasks);
  auto compiled = CpuModule::compile(*module, codegen);
  if (!compiled) {
    ADD_FAILURE() << llvm::toString(compiled.takeError());
    return program;
  }
  program.module = std::move(*compiled);
  return program;
}

void Run(const Program& program, std::vector<Buffer*> buffers) {
  ASSERT_TRUE(program.module);
  Buffer workspace({std::max<int64_t>(program.workspace_bytes, 1)}, 1);
  // Garbage in the workspace must not show in any result.
  std::memset(workspace.data<char>(), 0xFF, program.workspace_bytes);
  std::vector<void*> args;
  for (Buffer* buffer : buffers) args.push_back(buffer->descriptor());
  args.push_back(workspace.descriptor());
  program.module->entry()(args.data());
  auto* guard = workspace.data<uint8_t>() + program.workspace_bytes;
  EXPECT_EQ(*guard, 0xAB) << "write behind the workspace";
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
  Run(program, {&x, &w, &bias, &y});
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
                                                 .cpu = "x86-64-v3"}));

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
