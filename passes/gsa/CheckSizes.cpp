//===- CheckSizes.cpp - gsa-check-sizes -----------------------------------===//

#include <algorithm>
#include <utility>

#include "dialect/Gsa/GsaOps.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/IR/BuiltinTypes.h"
#include "passes/Passes.h"
#include "passes/Sizes.h"

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

/// The keys that the lists `indices` of `op` are of; null for an op that makes
/// no lists.
static std::pair<Value, int64_t> findKeys(Operation* op, Value& indices) {
  if (auto select = dyn_cast<SelectOp>(op)) {
    indices = select.getIndices();
    return {select.getKey(), 1};
  }
  if (auto topk = dyn_cast<TopKOp>(op)) {
    indices = topk.getIndices();
    return {topk.getScores(), 2};
  }
  if (auto attention = dyn_cast<AttentionOp>(op)) {
    indices = attention.getIndices();
    return {attention.getKey(), 1};
  }
  return {};
}

/// A budget above the number of keys keeps them all, and is legal: it is often
/// that of the longest sequence. Only lists that are large, and cannot be a
/// quarter full, are taken for a mistake.
static LogicalResult checkLists(Operation* op) {
  constexpr uint64_t kMaxSlots = uint64_t{1} << 30;
  constexpr int64_t kMaxRatio = 4;
  Value indices;
  auto [keys, dim] = findKeys(op, indices);
  if (!keys) return success();
  FailureOr<int64_t> count = findUpperBound(keys, dim);
  FailureOr<int64_t> slots = findUpperBound(indices, 2);
  if (failed(count) || failed(slots) || *slots / kMaxRatio <= *count)
    return success();
  auto all = static_cast<uint64_t>(*slots);
  for (int64_t row : {0, 1}) {
    FailureOr<int64_t> rows = findUpperBound(indices, row);
    if (failed(rows)) return success();
    all = llvm::SaturatingMultiply<uint64_t>(all, *rows);
  }
  if (all <= kMaxSlots) return success();
  return op->emitOpError()
         << "expected at most 2^30 slots in all where a list has more than "
         << kMaxRatio << " times as many as there are keys, got " << *slots
         << " slots for " << *count << " keys, " << all
         << " in all; a budget of " << std::max<int64_t>(*count, 1)
         << " keeps the same keys";
}

namespace {

struct CheckSizes : gsa::impl::GsaCheckSizesBase<CheckSizes> {
  using GsaCheckSizesBase::GsaCheckSizesBase;

  void runOnOperation() override {
    WalkResult walk = getOperation()->walk([](Operation* op) {
      bool fits = succeeded(checkTypes(op, op->getResultTypes())) &&
                  succeeded(checkLists(op));
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
