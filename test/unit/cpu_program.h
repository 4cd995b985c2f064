// Compiles a module of linalg on tensors through the CPU pipeline and the JIT,
// and runs it on buffers.

#ifndef GSA_TEST_UNIT_CPU_PROGRAM_H_
#define GSA_TEST_UNIT_CPU_PROGRAM_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "codegen/cpu/CpuJit.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "passes/cpu/CpuPasses.h"

namespace gsa::cpu_program {

// Runs the tasks one after another, last first: their order must not matter.
inline void RunTasks(void (*body)(void*, int64_t), void* closure,
                     int64_t num_tasks) {
  for (int64_t task = num_tasks - 1; task >= 0; --task) body(closure, task);
}

// Runs every task in a thread of its own.
inline void RunThreads(void (*body)(void*, int64_t), void* closure,
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

struct Variant {
  int64_t tasks = 1;
  bool reference = false;
  int64_t vector_bits = mlir::gsa::hostVectorBits();
  bool threads = false;
  std::string cpu = {};
};

// "tasks2Bits256_x86_64_v3": what differs from the default.
inline std::string NameOf(const testing::TestParamInfo<Variant>& info) {
  const Variant& variant = info.param;
  std::string name = "tasks" + std::to_string(variant.tasks);
  if (variant.reference) name += "Reference";
  if (variant.threads) name += "Threads";
  if (!variant.cpu.empty())
    name += "Bits" + std::to_string(variant.vector_bits) + "_" + variant.cpu;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

struct Program {
  std::unique_ptr<mlir::gsa::CpuModule> module;
  int64_t workspace_bytes = -1;
};

// Lowers and loads `text`; reports failures of the test's program itself.
inline Program Compile(const std::string& text, const Variant& variant) {
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
  mlir::gsa::CpuCodegenOptions codegen;
  codegen.cpu = variant.cpu;
  codegen.vectorBits = variant.vector_bits;
  codegen.symbols["gsa_cpu_parallel"] =
      variant.threads ? reinterpret_cast<void*>(RunThreads)
                      : reinterpret_cast<void*>(RunTasks);
  auto compiled = mlir::gsa::CpuModule::compile(*module, codegen);
  if (!compiled) {
    ADD_FAILURE() << llvm::toString(compiled.takeError());
    return program;
  }
  program.module = std::move(*compiled);
  return program;
}

inline void RunProgram(const Program& program, std::vector<Buffer*> buffers) {
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

}  // namespace gsa::cpu_program

#endif  // GSA_TEST_UNIT_CPU_PROGRAM_H_
