//===- CheckSizes.cpp - gsa-check-sizes -----------------------------------===//

#include "llvm/Support/MathExtras.h"
#include "mlir/IR/BuiltinTypes.h"
#include "passes/Passes.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSACHECKSIZES
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

/// The elements of a type as far as its sizes are known; sizes of 0 count as 1,
/// so that no other size is too large to be multiplied either.
static uint64_t countElements(ShapedType type) {
  uint64_t count = 1;
  if (!type.hasRank()) return count;
  for (int64_t size : type.getShape())
    if (!ShapedType::isDynamic(size) && size > 0)
      count = llvm::SaturatingMultiply<uint64_t>(count, size);
  return count;
}

static LogicalResult checkTypes(Operation* op, TypeRange types) {
  constexpr uint64_t kMaxElements = uint64_t{1} << 48;
  for (Type type : types) {
    auto shaped = dyn_cast<ShapedType>(type);
    if (shaped && countElements(shaped) > kMaxElements)
      return op->emitOpError() << "expected tensors of at most 2^48 elements, "
                                  "got "
                               << type;
  }
  return success();
}

namespace {

struct CheckSizes : gsa::impl::GsaCheckSizesBase<CheckSizes> {
  using GsaCheckSizesBase::GsaCheckSizesBase;

  void runOnOperation() override {
    WalkResult walk = getOperation()->walk([](Operation* op) {
      bool fits = succeeded(checkTypes(op, op->getResultTypes()));
      for (Region& region : op->getRegions())
        for (Block& block : region)
          fits = fits && succeeded(checkTypes(op, block.getArgumentTypes()));
      return fits ? WalkResult::advance() : WalkResult::interrupt();
    });
    if (walk.wasInterrupted()) signalPassFailure();
    markAllAnalysesPreserved();
  }
};

}  // namespace
