//===- PrepareEntry.cpp - marks the entry for bufferization and calling ---===//
//
// gsa-cpu-prepare-entry, and the definition of what the entry function is.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaShapes.h"
#include "llvm/ADT/StringSet.h"
#include "passes/StaticShapes.h"
#include "passes/cpu/CpuPasses.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSACPUPREPAREENTRY
#include "passes/cpu/CpuPasses.h.inc"

func::FuncOp findEntry(ModuleOp module) {
  func::FuncOp entry;
  for (auto func : module.getOps<func::FuncOp>()) {
    if (func.isExternal() || !func.isPublic()) continue;
    if (entry) {
      func.emitError("expected one public function with a body, got '")
          << entry.getSymName() << "' and '" << func.getSymName() << "'";
      return {};
    }
    entry = func;
  }
  if (!entry)
    module.emitError("expected one public function with a body, got none");
  return entry;
}

namespace {

/// Static, unless the function is of a plan for bounds.
LogicalResult checkStatic(func::FuncOp entry) {
  if (entry->hasAttr(kBoundsAttr)) return success();
  for (auto [kind, types] : {std::pair{"argument", entry.getArgumentTypes()},
                             std::pair{"result", entry.getResultTypes()}})
    for (auto [index, type] : llvm::enumerate(types))
      if (auto shaped = dyn_cast<ShapedType>(type);
          shaped && !shaped.hasStaticShape())
        return entry.emitError(
                   "expected static shapes in the entry's "
                   "signature, got ")
               << type << " for " << kind << " #" << index << kSpecializeAdvice;
  return success();
}

struct PrepareEntry : impl::GsaCpuPrepareEntryBase<PrepareEntry> {
  using GsaCpuPrepareEntryBase::GsaCpuPrepareEntryBase;

  void runOnOperation() override {
    func::FuncOp entry = findEntry(getOperation());
    if (!entry || failed(checkStatic(entry))) return signalPassFailure();
    constexpr llvm::StringLiteral kWritable =
        bufferization::BufferizationDialect::kWritableAttrName;
    Builder builder(&getContext());
    llvm::StringSet<> updated;
    for (unsigned i = 0; i < entry.getNumResults(); ++i)
      if (auto name = entry.getResultAttrOfType<StringAttr>(i, kUpdatesAttr))
        updated.insert(name.getValue());
    // All at once: an attribute of the function holds those of all arguments.
    SmallVector<DictionaryAttr> attributes;
    for (auto [index, type] : llvm::enumerate(entry.getArgumentTypes())) {
      NamedAttrList named(entry.getArgAttrDict(index));
      auto name = dyn_cast_or_null<StringAttr>(named.get(kNameAttr));
      if (isa<TensorType>(type) && !named.get(kWritable))
        named.set(kWritable, builder.getBoolAttr(
                                 name && updated.contains(name.getValue())));
      attributes.push_back(named.getDictionary(&getContext()));
    }
    entry.setAllArgAttrs(attributes);
    if (!cInterface) return;
    entry->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                   builder.getUnitAttr());
  }
};

}  // namespace
}  // namespace mlir::gsa
