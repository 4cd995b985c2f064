//===- GsaShapes.cpp - shape rules written once ---------------------------===//

#include "dialect/Gsa/GsaShapes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

static SmallVector<StringRef> splitSpec(StringRef spec) {
  SmallVector<StringRef> names;
  spec.split(names, ' ', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  return names;
}

void DimBindings::bindConstant(StringRef name, int64_t size, StringRef owner) {
  bindings.insert({name, DimBinding{Value(), 0, size, owner}});
}

LogicalResult DimBindings::bind(StringRef spec, Value value, StringRef owner,
                                EmitError emitError) {
  SmallVector<StringRef> names = splitSpec(spec);
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type) return failure();
  // An encoding (a sparse layout, say) has no meaning here, and rewrites would
  // drop it silently.
  if (Attribute encoding = type.getEncoding()) {
    if (emitError)
      emitError() << "(C1) expected '" << owner
                  << "' to be a plain tensor, got encoding " << encoding;
    return failure();
  }
  if (names.empty()) return success();
  if (type.getRank() != static_cast<int64_t>(names.size())) return failure();
  for (auto [i, name] : llvm::enumerate(names)) {
    int64_t size = type.getDimSize(i);
    auto [it, inserted] = bindings.insert(
        {name, DimBinding{value, static_cast<int64_t>(i), size, owner}});
    if (inserted || ShapedType::isDynamic(size)) continue;
    DimBinding& bound = it->second;
    if (ShapedType::isDynamic(bound.size)) {
      bound = DimBinding{value, static_cast<int64_t>(i), size, owner};
      continue;
    }
    if (bound.size == size) continue;
    if (emitError)
      emitError() << "(C1) expected " << name << " = " << bound.size
                  << " (from '" << bound.owner << "') in dimension " << i
                  << " of '" << owner << "', got " << size;
    return failure();
  }
  return success();
}

SmallVector<int64_t> DimBindings::getShape(StringRef spec) const {
  SmallVector<int64_t> shape;
  for (StringRef name : splitSpec(spec)) shape.push_back(size(name));
  return shape;
}

SmallVector<OpFoldResult> DimBindings::reify(StringRef spec, OpBuilder& builder,
                                             Location loc) const {
  SmallVector<OpFoldResult> shape;
  for (StringRef name : splitSpec(spec)) {
    const DimBinding& bound = bindings.find(name)->second;
    if (ShapedType::isDynamic(bound.size))
      shape.push_back(
          tensor::getMixedSize(builder, loc, bound.source, bound.index));
    else
      shape.push_back(builder.getIndexAttr(bound.size));
  }
  return shape;
}

int64_t DimBindings::size(StringRef name) const {
  auto it = bindings.find(name);
  assert(it != bindings.end() && "dimension name is bound by no operand");
  return it->second.size;
}

bool gsa::detail::areCompatibleTypes(TypeRange inferred, TypeRange declared,
                                     ArrayRef<llvm::StringLiteral> resultDims) {
  if (inferred.size() != declared.size()) return false;
  llvm::MapVector<StringRef, int64_t> sizes;
  for (auto [want, got, spec] :
       llvm::zip_equal(inferred, declared, resultDims)) {
    auto type = dyn_cast<RankedTensorType>(got);
    if (!type || type.getEncoding() ||
        getElementTypeOrSelf(want) != type.getElementType() ||
        failed(verifyCompatibleShape(want, got)))
      return false;
    for (auto [name, size] : llvm::zip(splitSpec(spec), type.getShape())) {
      if (ShapedType::isDynamic(size)) continue;
      auto [it, inserted] = sizes.insert({name, size});
      if (!inserted && it->second != size) return false;
    }
  }
  return true;
}

/// Dimensions of one name have one size in all results.
static LogicalResult verifyResultsAgree(
    Operation* op, ArrayRef<llvm::StringLiteral> resultDims,
    ArrayRef<llvm::StringLiteral> resultNames) {
  llvm::MapVector<StringRef, DimBinding> sizes;
  for (auto [result, spec, owner] :
       llvm::zip_equal(op->getResults(), resultDims, resultNames)) {
    auto shape = cast<RankedTensorType>(result.getType()).getShape();
    // The logits of a gate may have fewer dimensions than names.
    for (auto [i, name, size] :
         llvm::zip(llvm::seq<int64_t>(shape.size()), splitSpec(spec), shape)) {
      if (ShapedType::isDynamic(size)) continue;
      auto [it, inserted] =
          sizes.insert({name, DimBinding{result, i, size, owner}});
      const DimBinding& bound = it->second;
      if (bound.size != size)
        return op->emitOpError()
               << "(C1) expected " << name << " = " << bound.size << " (from '"
               << bound.owner << "') in dimension " << i << " of '" << owner
               << "', got " << size;
    }
  }
  return success();
}

LogicalResult gsa::verifyStatedShapes(
    Operation* op, ArrayRef<llvm::StringLiteral> resultDims,
    ArrayRef<llvm::StringLiteral> resultNames) {
  auto infer = cast<InferTypeOpInterface>(op);
  SmallVector<Type> inferred;
  if (failed(infer.inferReturnTypes(
          op->getContext(), op->getLoc(), op->getOperands(),
          op->getRawDictionaryAttrs(), op->getPropertiesStorage(),
          op->getRegions(), inferred)))
    return failure();
  for (auto [want, got, spec, name] :
       llvm::zip_equal(inferred, op->getResultTypes(), resultDims, resultNames))
    if (!areCompatibleTypes(want, got, spec))
      return op->emitOpError() << "(C1) expected '" << name << "' to be "
                               << want << ", got " << got;
  return verifyResultsAgree(op, resultDims, resultNames);
}
