//===- attention_kernel.cc - one attention op as an emulated kernel -------===//

#include "test/unit/tile/attention_kernel.h"

#include <gtest/gtest.h>

#include <vector>

#include "codegen/cuda/CudaPrinter.h"
#include "dialect/Gsa/GsaDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"
#include "passes/tile/Passes.h"
#include "runtime/emu/emu_executor.h"

namespace gsa::tile_attention {
namespace {

using reference::Tensor;

std::string TensorType(std::vector<int64_t> dims, const std::string& element) {
  std::string text = "tensor<";
  for (int64_t dim : dims) text += std::to_string(dim) + "x";
  return text + element + ">";
}

std::string Schedule(const Problem& p) {
  return std::string("#gsa.attention_schedule<engine = ") +
         (p.dtype == DType::kF32 ? "fma" : "mma_sync") +
         ", block_q = " + std::to_string(p.block_q) +
         ", block_k = " + std::to_string(p.block_k) +
         ", stages = " + std::to_string(p.stages) +
         ", producers = " + std::to_string(p.producers) +
         ", consumers = " + std::to_string(p.consumers) + ">";
}

/// The function, with the schedule on its op.
std::string ModuleText(const Problem& p) {
  std::string data = DTypeName(p.dtype);
  std::string q = TensorType({p.batch, p.queries, p.heads, p.depth}, data);
  std::string k = TensorType({p.batch, p.keys, p.groups, p.depth}, data);
  std::string v = TensorType({p.batch, p.keys, p.groups, p.value_depth}, data);
  std::string i = TensorType({p.batch, p.queries, p.slots}, "i32");
  std::string c = TensorType({p.batch, p.queries}, "i32");
  std::string o =
      TensorType({p.batch, p.queries, p.heads, p.value_depth}, data);
  std::string l = TensorType({p.batch, p.heads, p.queries}, "f32");
  std::string inputs = "%q: " + q + ", %k: " + k + ", %v: " + v;
  std::string types = q + ", " + k + ", " + v;
  std::string op = "gsa.dense_attention %q, %k, %v";
  std::string attributes = "gsa.schedule = " + Schedule(p);
  if (!p.dense) {
    inputs += ", %i: " + i + ", %c: " + c;
    types += ", " + i + ", " + c;
    op = "gsa.gather_attention %q, %k, %v indices %i, %c";
  } else if (!p.causal) {
    attributes += ", mask = #gsa.mask<none>";
  }
  if (p.scale) attributes += ", scale = " + std::to_string(*p.scale) + " : f64";
  std::string results = "(" + o + ", " + l + ")";
  std::string gate, returned = "%o";
  if (p.gated) {
    inputs += ", %g: " + o;
    gate = "  %y = gsa.gate %o, %g : (" + o + ", " + o + ") -> " + o + "\n";
    returned = "%y";
  }
  return "func.func @main(" + inputs + ") -> " + results +
         " {\n  %o, %l = " + op + " {" + attributes + "} : (" + types +
         ") -> " + results + "\n" + gate + "  return " + returned +
         ", %l : " + o + ", " + l + "\n}\n";
}

/// The elements as they lie in memory; never empty, so that it has an address.
std::vector<uint8_t> Pack(DType dtype, const Tensor<double>& tensor) {
  size_t size = DTypeSize(dtype);
  std::vector<uint8_t> bytes(tensor.size() * size + 16);
  for (int64_t i = 0; i < tensor.size(); ++i) {
    uint8_t* to = bytes.data() + i * size;
    if (dtype == DType::kF32) {
      *reinterpret_cast<float*>(to) = static_cast<float>(tensor[i]);
    } else if (dtype == DType::kBF16) {
      *reinterpret_cast<BF16*>(to) = BF16FromDouble(tensor[i]);
    } else {
      *reinterpret_cast<F16*>(to) = F16FromDouble(tensor[i]);
    }
  }
  return bytes;
}

std::vector<uint8_t> Pack(const Tensor<int32_t>& tensor) {
  std::vector<uint8_t> bytes(tensor.size() * 4 + 16);
  std::copy_n(tensor.data(), tensor.size(),
              reinterpret_cast<int32_t*>(bytes.data()));
  return bytes;
}

void Unpack(DType dtype, const std::vector<uint8_t>& bytes,
            Tensor<double>* tensor) {
  for (int64_t i = 0; i < tensor->size(); ++i) {
    const uint8_t* from = bytes.data() + i * DTypeSize(dtype);
    if (dtype == DType::kF32) {
      (*tensor)[i] = *reinterpret_cast<const float*>(from);
    } else if (dtype == DType::kBF16) {
      (*tensor)[i] = BF16ToFloat(*reinterpret_cast<const BF16*>(from));
    } else {
      (*tensor)[i] = F16ToFloat(*reinterpret_cast<const F16*>(from));
    }
  }
}

mlir::OwningOpRef<mlir::ModuleOp> Lower(const Problem& p,
                                        mlir::MLIRContext* context) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(ModuleText(p), context);
  if (!module) return nullptr;
  mlir::PassManager pm(context);
  pm.addPass(mlir::gsa::createGsaFuseEpilogue());
  pm.addPass(mlir::gsa::createGsaToTile());
  pm.addPass(mlir::createCanonicalizerPass());
  pm.addPass(mlir::createCSEPass());
  mlir::OpPassManager& kernels = pm.nest<mlir::gsa_tile::KernelOp>();
  kernels.addPass(mlir::gsa::createGsaTilePipeline());
  kernels.addPass(mlir::gsa::createGsaTileAssignRoles());
  kernels.addPass(mlir::gsa::createGsaTilePlanSmem());
  pm.addPass(mlir::gsa::createGsaTileFinalize());
  if (failed(pm.run(*module))) return nullptr;
  return module;
}

/// The argument of a launch: an operand of the function, a new buffer (the
/// results, in order) or an index.
KernelArg ToArgument(mlir::Value value, int32_t* outputs) {
  mlir::Operation* op = value.getDefiningOp();
  if (auto buffer = llvm::dyn_cast<mlir::bufferization::ToBufferOp>(op))
    return BufferRef{
        BufferRef::Kind::kInput,
        static_cast<int32_t>(
            llvm::cast<mlir::BlockArgument>(buffer.getTensor()).getArgNumber()),
        0};
  if (llvm::isa<mlir::memref::AllocOp>(op))
    return BufferRef{BufferRef::Kind::kOutput, (*outputs)++, 0};
  return static_cast<int32_t>(
      llvm::cast<mlir::arith::ConstantIndexOp>(op).value());
}

/// The launches of the module as a program; no steps if there is none.
DeviceProgram MakeProgram(mlir::ModuleOp module) {
  DeviceProgram program;
  program.arch = "sm_90a";
  program.zone_names = {"attention"};
  module.walk([&](mlir::gsa_tile::LaunchOp launch) {
    auto kernel =
        module.lookupSymbol<mlir::gsa_tile::KernelOp>(launch.getKernelAttr());
    KernelSource source;
    source.symbol = kernel.getSymName().str();
    auto text = mlir::gsa_tile::printCudaKernel(kernel);
    ASSERT_TRUE(succeeded(text));
    source.text = *text;
    source.threads_per_block = 32 * kernel.getWarps();
    source.dynamic_smem_bytes = kernel.getSharedBytes();
    LaunchStep step;
    step.kernel = program.kernels.size();
    for (auto [i, size] : llvm::enumerate(launch.getGrid()))
      step.grid[i] = size.getDefiningOp<mlir::arith::ConstantIndexOp>().value();
    int32_t outputs = 0;
    for (mlir::Value argument : launch.getArgs())
      step.args.push_back(ToArgument(argument, &outputs));
    program.kernels.push_back(source);
    program.steps.push_back(step);
  });
  return program;
}

}  // namespace

std::string Problem::ToString() const { return ModuleText(*this); }

double Rounded(DType dtype, double value) {
  Tensor<double> one({1}, value);
  Unpack(dtype, Pack(dtype, one), &one);
  return one[0];
}

Output CompileAndRun(const Problem& p, const Data& data) {
  Output result{Tensor<double>({p.batch, p.queries, p.heads, p.value_depth}),
                Tensor<double>({p.batch, p.heads, p.queries})};
  mlir::DialectRegistry registry;
  registry.insert<mlir::gsa::GsaDialect, mlir::gsa_tile::GsaTileDialect,
                  mlir::func::FuncDialect>();
  mlir::gsa_tile::registerCudaEmitModels(registry);
  mlir::MLIRContext context(registry);
  auto module = Lower(p, &context);
  if (!module) {
    ADD_FAILURE() << "not lowered";
    return result;
  }
  DeviceProgram program = MakeProgram(*module);

  std::vector<std::vector<uint8_t>> inputs = {Pack(p.dtype, data.query),
                                              Pack(p.dtype, data.key),
                                              Pack(p.dtype, data.value)};
  if (!p.dense) {
    inputs.push_back(Pack(data.indices));
    inputs.push_back(Pack(data.counts));
  }
  if (p.gated) inputs.push_back(Pack(p.dtype, data.gate));
  std::vector<uint8_t> output = Pack(p.dtype, result.output);
  std::vector<uint8_t> lse = Pack(DType::kF32, result.lse);
  std::vector<const void*> sources;
  for (const auto& input : inputs) {
    program.inputs.push_back({"input", static_cast<int64_t>(input.size())});
    sources.push_back(input.data());
  }
  for (auto* bytes : {&output, &lse})
    program.outputs.push_back({"output", static_cast<int64_t>(bytes->size())});

  EmuOptions options;
  options.opt_level = 0;
  options.run.seed = 3;
  auto executor = EmuExecutor::Create(std::move(program), options);
  if (!executor.ok()) {
    ADD_FAILURE() << executor.status().ToString();
    return result;
  }
  absl::Status status = (*executor)->Run(sources, {output.data(), lse.data()});
  EXPECT_TRUE(status.ok()) << status.ToString();
  Unpack(p.dtype, output, &result.output);
  Unpack(DType::kF32, lse, &result.lse);
  return result;
}

}  // namespace gsa::tile_attention
