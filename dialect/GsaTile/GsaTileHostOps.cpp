//===- GsaTileHostOps.cpp - launches and library products -----------------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::gsa_tile;

LogicalResult LaunchOp::verify() {
  if (getGrid().empty() || getGrid().size() > 3)  // launch_c2
    return emitOpError() << "expected one to three grid sizes, got "
                         << getGrid().size();
  for (auto [i, arg] : llvm::enumerate(getArgs())) {
    auto memref = dyn_cast<MemRefType>(arg.getType());
    if (!memref) continue;
    // Nothing of an array without elements is read, whatever its strides.
    if (llvm::is_contained(memref.getShape(), 0)) continue;
    int64_t offset;
    SmallVector<int64_t> strides;
    bool dense = succeeded(memref.getStridesAndOffset(strides, offset));
    int64_t expected = 1;
    for (int64_t d = memref.getRank() - 1; dense && d >= 0; --d) {
      if (memref.getDimSize(d) != 1 && strides[d] != expected) dense = false;
      expected = memref.isDynamicDim(d) || ShapedType::isDynamic(expected)
                     ? ShapedType::kDynamic
                     : expected * memref.getDimSize(d);
    }
    if (!dense)  // launch_c3
      return emitOpError() << "argument " << i
                           << ": expected a dense row-major memref, got "
                           << memref;
  }
  return success();
}

/// Whether some warp of each block waits: in no loop and under no condition.
static bool waitsForLaunch(KernelOp kernel) {
  return kernel
      .walk([](LaunchWaitOp wait) {
        Operation* parent = wait->getParentOp();
        if (isa<RolesOp>(parent)) parent = parent->getParentOp();
        return isa<KernelOp>(parent) ? WalkResult::interrupt()
                                     : WalkResult::advance();
      })
      .wasInterrupted();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection& symbols) {
  auto kernel =
      symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)  // launch_c1
    return emitOpError() << "no kernel " << getKernelAttr();
  ArrayRef<Type> expected = kernel.getFunctionType().getInputs();
  if (expected.size() != getArgs().size())  // launch_c1
    return emitOpError() << "kernel " << getKernelAttr() << " expects "
                         << expected.size() << " arguments, got "
                         << getArgs().size();
  auto cluster = static_cast<int64_t>(kernel.getCluster());
  APInt blocks;
  if (matchPattern(getGrid().front(), m_ConstantInt(&blocks)) &&
      blocks.getSExtValue() % cluster != 0)  // kernel_c3
    return emitOpError() << "expected a multiple of " << cluster
                         << " blocks, the cluster of kernel " << getKernelAttr()
                         << ", got " << blocks.getSExtValue();
  for (auto [i, type, arg] : llvm::enumerate(expected, getArgs())) {
    bool fits = type == arg.getType();
    auto memref = dyn_cast<MemRefType>(arg.getType());
    if (auto pointer = dyn_cast<GlobalType>(type))
      fits = memref && memref.getElementType() == pointer.getElementType();
    if (auto map = dyn_cast<TensorMapType>(type))
      fits = memref && memref.getRank() > 0 &&
             memref.getElementType() == map.getElementType();
    if (!fits)  // launch_c1
      return emitOpError() << "argument " << i << " of kernel "
                           << getKernelAttr() << ": expected " << type
                           << ", got " << arg.getType();
  }
  if (getDependent() && !waitsForLaunch(kernel))  // launch_c4
    return emitOpError() << "is dependent, but kernel " << getKernelAttr()
                         << " has no launch_wait in its body or that of a role";
  return success();
}

void LaunchOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>&
        effects) {
  // Without the kernel (an invalid module) every buffer may be written.
  auto kernel =
      SymbolTable::lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  for (OpOperand& operand : getArgsMutable()) {
    if (!isa<MemRefType>(operand.get().getType())) continue;
    unsigned i = operand.getOperandNumber() - getGrid().size();
    effects.emplace_back(MemoryEffects::Read::get(), &operand);
    Type type = kernel && i < kernel.getFunctionType().getNumInputs()
                    ? kernel.getFunctionType().getInput(i)
                    : Type();
    auto pointer = dyn_cast_if_present<GlobalType>(type);
    bool onlyRead = pointer ? pointer.getAccess() == Access::Read
                            : isa_and_present<TensorMapType>(type);
    if (!onlyRead) effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
}

LogicalResult GemmOp::verify() {
  auto a = cast<MemRefType>(getA().getType());
  auto b = cast<MemRefType>(getB().getType());
  auto c = cast<MemRefType>(getC().getType());
  int64_t rank = c.getRank();
  if (rank < 2 || rank > 3 || a.getRank() != rank ||
      (b.getRank() != rank && b.getRank() != 2))  // gemm_c1
    return emitOpError() << "expected matrices or batches of matrices, got "
                         << a << ", " << b << " and " << c;
  auto size = [](MemRefType type, bool transposed, int64_t side) {
    int64_t d = type.getRank() - 2 + (transposed ? 1 - side : side);
    return type.getDimSize(d);
  };
  int64_t k = size(a, getTransposeA(), 1);
  if (size(a, getTransposeA(), 0) != c.getDimSize(rank - 2) ||
      size(b, getTransposeB(), 1) != c.getDimSize(rank - 1) ||
      size(b, getTransposeB(), 0) != k ||
      (rank == 3 && a.getDimSize(0) != c.getDimSize(0)) ||
      (b.getRank() == 3 && b.getDimSize(0) != c.getDimSize(0)))  // gemm_c1
    return emitOpError() << "sizes of " << a << " and " << b << " do not give "
                         << c;
  Type element = a.getElementType();
  if (!element.isF16() && !element.isBF16() && !element.isF32())  // gemm_c2
    return emitOpError() << "expected elements of f16, bf16 or f32, got "
                         << element;
  if (b.getElementType() != element ||
      (c.getElementType() != element && !c.getElementType().isF32()))
    return emitOpError() << "expected operands of one element type and a result"
                            " of it or f32, got "
                         << a << ", " << b << " and " << c;  // gemm_c2
  return success();
}
