//===- attention_program.h - one attention op, lowered and compiled -*- C++
//-*-===//
//
// Builds a function of one gsa.gather_attention or gsa.dense_attention, lowers
// it with a given schedule, compiles it and runs it on buffers.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_UNIT_ATTENTION_PROGRAM_H_
#define GSA_TEST_UNIT_ATTENTION_PROGRAM_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "codegen/cpu/CpuJit.h"
#include "dialect/Gsa/GsaDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Parser/Parser.h"
#include "passes/cpu/CpuPasses.h"
#include "passes/gsa_to_cpu/Attention.h"
#include "runtime/core/dtype.h"

namespace gsa::attention {

/// Sizes, element type and schedule of one op.
struct Problem {
  int64_t batch = 1, queries = 1, keys = 1, heads = 1, groups = 1;
  int64_t depth = 1, value_depth = 1;
  int64_t slots = 1;  ///< Of gather_attention.
  DType dtype = DType::kF32;
  bool dense = false, causal = true;
  int64_t tasks = 1, lanes = 16, rows = 4, vectors = 4;

  std::string ToString() const {
    auto text = [](int64_t x) { return std::to_string(x); };
    return std::string(dense ? "dense" : "gather") + (causal ? "" : " full") +
           " " + DTypeName(dtype) + " B" + text(batch) + " Sq" + text(queries) +
           " Sk" + text(keys) + " H" + text(heads) + " G" + text(groups) +
           " D" + text(depth) + " Dv" + text(value_depth) + " K" + text(slots) +
           " schedule " + text(tasks) + "," + text(lanes) + "," + text(rows) +
           "," + text(vectors);
  }
  bool is_double() const { return dtype == DType::kF64; }
};

/// A contiguous buffer, 64-byte aligned, with its memref descriptor
/// {allocated, aligned, offset, sizes..., strides...} and guard bytes.
class Buffer {
 public:
  Buffer(std::vector<int64_t> shape, size_t element_bytes) {
    int64_t count = 1;
    for (int64_t size : shape) count *= size;
    size_ = static_cast<size_t>(count) * element_bytes;
    bytes_.resize(size_ + 128, kGuard);
    data_ = reinterpret_cast<uint8_t*>(
        (reinterpret_cast<uintptr_t>(bytes_.data()) + 63) / 64 * 64);
    auto address = reinterpret_cast<int64_t>(data_);
    descriptor_ = {address, address, 0};
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
  size_t size_bytes() const { return size_; }
  void* descriptor() { return descriptor_.data(); }
  /// Whether nobody wrote behind the end.
  bool intact() const {
    for (const uint8_t* p = data_ + size_; p < bytes_.data() + bytes_.size();
         ++p)
      if (*p != kGuard) return false;
    return true;
  }

 private:
  static constexpr uint8_t kGuard = 0xAB;
  std::vector<uint8_t> bytes_;
  std::vector<int64_t> descriptor_;
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

/// Runs the tasks one after another, last first: their order must not matter.
inline void RunTasks(void (*body)(void*, int64_t), void* closure,
                     int64_t num_tasks) {
  for (int64_t task = num_tasks - 1; task >= 0; --task) body(closure, task);
}

inline std::string TensorType(std::vector<int64_t> dims, const char* element) {
  std::string text = "tensor<";
  for (int64_t dim : dims) text += std::to_string(dim) + "x";
  return text + element + ">";
}

/// The function, with the schedule on its op.
inline std::string ModuleText(const Problem& p) {
  const char* data = DTypeName(p.dtype);
  const char* acc = p.is_double() ? "f64" : "f32";
  std::string q = TensorType({p.batch, p.queries, p.heads, p.depth}, data);
  std::string k = TensorType({p.batch, p.keys, p.groups, p.depth}, data);
  std::string v = TensorType({p.batch, p.keys, p.groups, p.value_depth}, data);
  std::string i = TensorType({p.batch, p.queries, p.slots}, "i32");
  std::string c = TensorType({p.batch, p.queries}, "i32");
  std::string o =
      TensorType({p.batch, p.queries, p.heads, p.value_depth}, data);
  std::string l = TensorType({p.batch, p.heads, p.queries}, acc);
  std::string inputs = "%q: " + q + ", %k: " + k + ", %v: " + v;
  std::string types = q + ", " + k + ", " + v;
  std::string op = "gsa.dense_attention %q, %k, %v";
  std::string attributes =
      "gsa.schedule = #gsa.cpu_schedule<tasks = " + std::to_string(p.tasks) +
      ", lanes = " + std::to_string(p.lanes) +
      ", rows = " + std::to_string(p.rows) +
      ", vectors = " + std::to_string(p.vectors) + ">";
  if (!p.dense) {
    inputs += ", %i: " + i + ", %c: " + c;
    types += ", " + i + ", " + c;
    op = "gsa.gather_attention %q, %k, %v indices %i, %c";
  } else if (!p.causal) {
    attributes += ", mask = #gsa.mask<none>";
  }
  std::string results = "(" + o + ", " + l + ")";
  return "func.func @main(" + inputs + ") -> " + results +
         " {\n  %o, %l = " + op + " {" + attributes + "} : (" + types +
         ") -> " + results + "\n  return %o, %l : " + o + ", " + l + "\n}\n";
}

/// Compiled code of one problem.
class Program {
 public:
  explicit Program(const Problem& problem) : problem_(problem) { Build(); }

  bool ok() const { return module_ != nullptr; }
  int64_t workspace_bytes() const { return workspace_bytes_; }
  const mlir::gsa::CpuModule& module() const { return *module_; }

  /// Inputs, outputs: query, key, value, [indices, counts,] output, lse.
  void Run(const std::vector<Buffer*>& buffers) {
    if (!workspace_) {
      workspace_ =
          std::make_unique<Buffer>(std::vector<int64_t>{workspace_bytes_}, 1);
      // NaN in the workspace must not show in any result.
      std::memset(workspace_->data<char>(), 0xFF, workspace_bytes_);
    }
    std::vector<void*> args;
    for (Buffer* buffer : buffers) args.push_back(buffer->descriptor());
    args.push_back(workspace_->descriptor());
    module_->entry()(args.data());
    EXPECT_TRUE(workspace_->intact()) << "write behind the workspace";
  }

 private:
  void Build() {
    mlir::DialectRegistry registry;
    registry.insert<mlir::gsa::GsaDialect>();
    mlir::gsa::registerCpuDialects(registry);
    mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
    context.loadAllAvailableDialects();
    auto module =
        mlir::parseSourceString<mlir::ModuleOp>(ModuleText(problem_), &context);
    if (!module || failed(Lower(*module))) {
      ADD_FAILURE() << "does not lower:\n" << ModuleText(problem_);
      return;
    }
    module->walk([&](mlir::Operation* op) {
      if (auto bytes = op->getAttrOfType<mlir::IntegerAttr>(
              mlir::gsa::kWorkspaceBytesAttr))
        workspace_bytes_ = bytes.getInt();
    });
    mlir::gsa::CpuCodegenOptions codegen;
    codegen.symbols["gsa_cpu_parallel"] = reinterpret_cast<void*>(RunTasks);
    codegen.keepAssembly = true;
    auto compiled = mlir::gsa::CpuModule::compile(*module, codegen);
    if (!compiled) {
      ADD_FAILURE() << llvm::toString(compiled.takeError());
      return;
    }
    module_ = std::move(*compiled);
  }

  mlir::LogicalResult Lower(mlir::ModuleOp module) {
    mlir::IRRewriter rewriter(module.getContext());
    mlir::LogicalResult result = mlir::success();
    module.walk([&](mlir::Operation* op) {
      auto schedule =
          op->getAttrOfType<mlir::gsa::CpuScheduleAttr>("gsa.schedule");
      if (!schedule || failed(result)) return;
      if (auto gather = mlir::dyn_cast<mlir::gsa::GatherAttentionOp>(op))
        result =
            mlir::gsa::cpu::lowerGatherAttention(gather, schedule, rewriter);
      else if (auto dense = mlir::dyn_cast<mlir::gsa::DenseAttentionOp>(op))
        result = mlir::gsa::cpu::lowerDenseAttention(dense, schedule, rewriter);
    });
    if (failed(result)) return result;
    mlir::PassManager passes(module.getContext());
    mlir::gsa::buildCpuLoweringPipeline(passes, {});
    return passes.run(module);
  }

  Problem problem_;
  std::unique_ptr<mlir::gsa::CpuModule> module_;
  std::unique_ptr<Buffer> workspace_;
  int64_t workspace_bytes_ = 0;
};

}  // namespace gsa::attention

#endif  // GSA_TEST_UNIT_ATTENTION_PROGRAM_H_
