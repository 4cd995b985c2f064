//===- PlaceUpdates.cpp - results in the memory of arguments --------------===//
//
// gsa-place-updates. One-shot bufferization knows values: where the old value
// of an argument is read behind a write it copies the argument first. A run has
// one memory for both by then, so such a copy is a read that comes too late.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaAttrNames.h"
#include "llvm/ADT/SetVector.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "passes/cpu/CpuPasses.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSAPLACEUPDATES
#include "passes/cpu/CpuPasses.h.inc"

namespace {

/// A buffer of all elements of another one, in their order.
Value findSameElements(Operation* op) {
  if (auto cast = dyn_cast<memref::CastOp>(op)) return cast.getSource();
  if (auto expand = dyn_cast<memref::ExpandShapeOp>(op)) return expand.getSrc();
  if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op))
    return collapse.getSrc();
  return {};
}

/// The argument or allocation whose elements, all of them, `buffer` has; a view
/// of a part is an end too.
Value findBuffer(Value buffer) {
  while (true) {
    if (auto argument = dyn_cast<BlockArgument>(buffer)) {
      auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
      OpOperand* init = loop ? loop.getTiedLoopInit(argument) : nullptr;
      if (!init) return buffer;
      buffer = init->get();
      continue;
    }
    Operation* op = buffer.getDefiningOp();
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      // Bufferization lets a loop carry one buffer.
      buffer = loop.getTiedLoopInit(cast<OpResult>(buffer))->get();
      continue;
    }
    if (auto branch = dyn_cast<scf::IfOp>(op)) {
      unsigned number = cast<OpResult>(buffer).getResultNumber();
      Value first = findBuffer(branch.thenYield().getOperand(number));
      if (first != findBuffer(branch.elseYield().getOperand(number)))
        return buffer;
      buffer = first;
      continue;
    }
    Value source = findSameElements(op);
    if (!source) return buffer;
    buffer = source;
  }
}

/// The first op behind `copy` that reads or writes what `argument` is.
Operation* findUseBehind(Operation* copy, Value argument) {
  llvm::SetVector<Value> aliases;
  aliases.insert(argument);
  llvm::DenseSet<Operation*> users;
  for (size_t i = 0; i < aliases.size(); ++i) {
    Value alias = aliases[i];
    for (OpOperand& use : alias.getUses()) {
      Operation* user = use.getOwner();
      if (isa<ViewLikeOpInterface>(user)) {
        aliases.insert(user->result_begin(), user->result_end());
      } else if (auto loop = dyn_cast<scf::ForOp>(user);
                 loop && loop.getTiedLoopResult(&use)) {
        aliases.insert(loop.getTiedLoopResult(&use));
        aliases.insert(loop.getTiedLoopRegionIterArg(&use));
      } else if (auto yield = dyn_cast<scf::YieldOp>(user)) {
        aliases.insert(yield->getParentOp()->getResult(use.getOperandNumber()));
      } else if (!isa<memref::DimOp>(user)) {
        users.insert(user);
      }
    }
  }
  Operation* found = nullptr;
  bool isBehind = false;
  copy->getParentOfType<func::FuncOp>().walk<WalkOrder::PreOrder>(
      [&](Operation* op) {
        if (isBehind && users.contains(op)) {
          found = op;
          return WalkResult::interrupt();
        }
        isBehind |= op == copy;
        return WalkResult::advance();
      });
  return found;
}

struct PlaceUpdates : impl::GsaPlaceUpdatesBase<PlaceUpdates> {
  using GsaPlaceUpdatesBase::GsaPlaceUpdatesBase;

  void runOnOperation() override {
    func::FuncOp entry = findEntry(getOperation());
    if (!entry) return signalPassFailure();
    for (unsigned i = 0; i < entry.getNumResults(); ++i) {
      auto name = entry.getResultAttrOfType<StringAttr>(i, kUpdatesAttr);
      if (!name) continue;
      if (failed(place(entry, i, name))) return signalPassFailure();
    }
  }

 private:
  LogicalResult place(func::FuncOp entry, unsigned result, StringAttr name) {
    BlockArgument argument;
    for (BlockArgument other : entry.getArguments())
      if (entry.getArgAttr(other.getArgNumber(), kNameAttr) == name)
        argument = other;
    if (!entry.getBody().hasOneBlock())
      return entry.emitError("expected one block where result #")
             << result << " updates '" << name.getValue() << "', got "
             << entry.getBody().getBlocks().size();
    auto end = cast<func::ReturnOp>(entry.getBody().front().getTerminator());
    // Without elements any memory is the right one.
    if (auto type = cast<MemRefType>(argument.getType());
        type.hasStaticShape() && type.getNumElements() == 0)
      return success();
    Value buffer = findBuffer(end.getOperand(result));
    if (buffer != argument ||
        end.getOperand(result).getType() != argument.getType())
      return refuse(end, result, buffer, argument, name);
    OpBuilder b = OpBuilder::atBlockBegin(&entry.getBody().front());
    auto type = cast<MemRefType>(argument.getType());
    SmallVector<Value> sizes;
    llvm::SmallPtrSet<Operation*, 4> dims;
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      if (!type.isDynamicDim(dim)) continue;
      sizes.push_back(
          memref::DimOp::create(b, argument.getLoc(), argument, dim));
      dims.insert(sizes.back().getDefiningOp());
    }
    auto both = memref::AllocOp::create(b, argument.getLoc(), type, sizes);
    argument.replaceAllUsesExcept(both, dims);
    copyInto(b, argument, both);
    end.setOperand(result, both);
    remark::passed(
        end.getLoc(),
        remark::RemarkOpts::name("UpdatedInPlace").category("gsa.host"))
        << "result" << remark::metric("number", result);
    return success();
  }

  /// The old value goes where the new one is to be, if that is elsewhere.
  void copyInto(OpBuilder& b, BlockArgument argument, Value both) {
    Location loc = argument.getLoc();
    if (!tests) {
      memref::CopyOp::create(b, loc, argument, both);
      return;
    }
    auto addressOf = [&](Value buffer) -> Value {
      return memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
    };
    Value apart = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                        addressOf(argument), addressOf(both));
    auto branch = scf::IfOp::create(b, loc, apart, /*withElseRegion=*/false);
    OpBuilder inner = OpBuilder::atBlockBegin(branch.thenBlock());
    memref::CopyOp::create(inner, loc, argument, both);
  }

  static LogicalResult refuse(func::ReturnOp end, unsigned result, Value buffer,
                              BlockArgument argument, StringAttr name) {
    for (Operation* user : buffer.getUsers()) {
      auto copy = dyn_cast<memref::CopyOp>(user);
      if (!copy || copy.getTarget() != buffer ||
          findBuffer(copy.getSource()) != argument)
        continue;
      if (Operation* late = findUseBehind(copy, argument))
        return late->emitError("reads '")
               << name.getValue() << "' too late: result #" << result
               << ", which updates it, is in its memory by then; expected the "
                  "read before the update, or of the new value";
    }
    return end.emitError("result #")
           << result << " updates '" << name.getValue()
           << "', but is not in its memory; expected the argument behind "
              "gsa.append_rows or tensor.insert_slice into it";
  }
};

}  // namespace
}  // namespace mlir::gsa
