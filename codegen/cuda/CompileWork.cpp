//===- CompileWork.cpp - how long a kernel takes to compile ---------------===//

#include "codegen/cuda/CompileWork.h"

using namespace mlir;
using namespace mlir::gsa_tile;

/// What an op on a register of a fragment costs: an operand of a product, or
/// an instruction of arithmetic.
static constexpr int64_t kBytesPerRegister = 4;
/// What an op on one of a thread's numbers costs: conditions, atomics and
/// addresses of its own.
static constexpr int64_t kBytesPerLane = 32;

static int64_t getBytesOf(Type type) {
  if (auto frag = dyn_cast<FragType>(type))
    return kBytesPerRegister * frag.getRegisters();
  if (auto lanes = dyn_cast<LanesType>(type))
    return kBytesPerLane * lanes.getShape().back();
  return 0;
}

int64_t mlir::gsa_tile::estimateCompileWork(KernelOp kernel, StringRef text) {
  int64_t work = text.size();
  kernel.walk([&](Operation* op) {
    for (Value operand : op->getOperands())
      work += getBytesOf(operand.getType());
  });
  return work;
}
