//===- PlaceResults.cpp - results are written into arguments --------------===//
//
// gsa-place-results. Upstream's buffer-results-to-out-params hoists only an
// allocation that is returned as it is; projections return theirs reshaped, and
// a copy of a layer's output costs as much as a gate.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "passes/cpu/CpuPasses.h"
#include "passes/cuda/CudaHostPasses.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSAPLACERESULTS
#include "passes/cuda/CudaHostPasses.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

static bool isDense(MemRefType type) {
  return type.hasStaticShape() && type.getLayout().isIdentity();
}

/// The allocation of which `value` is all, in whatever shape; or null.
static memref::AllocOp findAllocation(Value value) {
  auto type = cast<MemRefType>(value.getType());
  while (true) {
    Operation* op = value.getDefiningOp();
    auto own = dyn_cast<MemRefType>(value.getType());
    if (!op || !own || !isDense(own) ||
        own.getNumElements() != type.getNumElements() ||
        own.getElementType() != type.getElementType())
      return {};
    if (auto alloc = dyn_cast<memref::AllocOp>(op)) return alloc;
    auto view = dyn_cast<ViewLikeOpInterface>(op);
    if (!view) return {};
    value = view.getViewSource();
  }
}

namespace {

struct PlaceResults : gsa::impl::GsaPlaceResultsBase<PlaceResults> {
  void runOnOperation() override {
    func::FuncOp entry = findEntry(getOperation());
    if (!entry) return signalPassFailure();
    if (!entry.getBody().hasOneBlock()) {
      entry.emitError("expected one block, got ")
          << entry.getBody().getBlocks().size();
      return signalPassFailure();
    }
    auto end = cast<func::ReturnOp>(entry.getBody().front().getTerminator());
    for (unsigned i = 0; i < end.getNumOperands(); ++i) {
      Value value = end.getOperand(i);
      auto type = dyn_cast<MemRefType>(value.getType());
      if (!type || !isDense(type)) {
        end.emitError("expected results that are dense buffers, got ")
            << value.getType() << " for result #" << i;
        return signalPassFailure();
      }
      Value argument = addArgument(entry, type, i);
      // A buffer that is returned twice is no allocation the second time.
      memref::AllocOp alloc = findAllocation(value);
      if (alloc && alloc->getBlock() == end->getBlock())
        moveInto(alloc, argument);
      else
        copyInto(value, argument, end);
    }
    entry->setAttr(
        kOutputsAttr,
        Builder(&getContext()).getI64IntegerAttr(end.getNumOperands()));
    end->setOperands({});
    entry.setFunctionType(FunctionType::get(
        &getContext(), entry.getBody().getArgumentTypes(), {}));
    entry.setResAttrsAttr({});
  }

  Value addArgument(func::FuncOp entry, MemRefType type, size_t result) {
    Builder b(&getContext());
    NamedAttrList attributes;
    for (StringRef kept : {kNameAttr, kUpdatesAttr})
      if (Attribute attribute = entry.getResultAttr(result, kept))
        attributes.set(kept, attribute);
    unsigned index = entry.getNumArguments();
    (void)entry.insertArgument(
        index, type, attributes.getDictionary(&getContext()), entry.getLoc());
    return entry.getArgument(index);
  }

  void moveInto(memref::AllocOp alloc, Value argument) {
    OpBuilder b(alloc);
    MemRefType type = alloc.getType();
    Value replacement = argument;
    if (type != argument.getType()) {
      SmallVector<int64_t> strides;
      int64_t offset;
      (void)type.getStridesAndOffset(strides, offset);
      replacement = memref::ReinterpretCastOp::create(
          b, alloc.getLoc(), type, argument, offset, type.getShape(), strides);
    }
    alloc.replaceAllUsesWith(replacement);
    alloc.erase();
  }

  void copyInto(Value value, Value argument, func::ReturnOp end) {
    OpBuilder b(end);
    memref::CopyOp::create(b, end.getLoc(), value, argument);
    remark::analysis(
        end.getLoc(),
        remark::RemarkOpts::name("ResultCopied").category("gsa.host"))
        << "result of type" << remark::metric("bytes", bytesOf(value));
  }

  static int64_t bytesOf(Value value) {
    auto type = cast<MemRefType>(value.getType());
    return type.getNumElements() * ((type.getElementTypeBitWidth() + 7) / 8);
  }
};

}  // namespace
