//===- GsaShapes.h - shape rules written once ------------------*- C++ -*-===//
//
// Every op record names the dimensions of its operands and results ("B Sq Hi
// Di"). The functions here turn these strings into verification, type
// inference and reification, so that the three can never disagree.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSA_GSASHAPES_H
#define GSA_DIALECT_GSA_GSASHAPES_H

#include "dialect/Gsa/GsaOps.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::gsa {

/// On the entry function of a plan for bounds: an array with, for each
/// argument and then each result, the largest sizes that it may have in a run,
/// as an i64 array.
inline constexpr llvm::StringLiteral kBoundsAttr = "gsa.bounds";

}  // namespace mlir::gsa

namespace mlir::gsa::detail {

/// Where a named dimension was seen first, and its size (or kDynamic).
struct DimBinding {
  Value source;     ///< Null for a dimension fixed by an attribute.
  int64_t index;    ///< Position within the source's shape.
  int64_t size;     ///< Static size or ShapedType::kDynamic.
  StringRef owner;  ///< Operand name, for messages.
};

/// Dimension names of one op with their bindings.
class DimBindings {
 public:
  using EmitError = llvm::function_ref<InFlightDiagnostic()>;

  /// Binds a name that an attribute fixes (for instance K = slots).
  void bindConstant(StringRef name, int64_t size, StringRef owner);

  /// Binds the dimensions of `value`, named by `spec`; sizes that contradict
  /// an earlier binding are reported with label C1 through `emitError`, or
  /// silently if it is null. An empty `spec` binds nothing.
  LogicalResult bind(StringRef spec, Value value, StringRef owner,
                     EmitError emitError);

  /// The shape that `spec` describes; every name must be bound.
  SmallVector<int64_t> getShape(StringRef spec) const;

  /// The same as index values or attributes, created with `builder`.
  SmallVector<OpFoldResult> reify(StringRef spec, OpBuilder& builder,
                                  Location loc) const;

  /// Size of dimension `name`.
  int64_t size(StringRef name) const;

 private:
  llvm::MapVector<StringRef, DimBinding> bindings;
};

/// Binds all operands of an op or adaptor whose class `OpTy` carries the
/// strings. `constants` lists dimensions that attributes fix.
template <typename OpTy, typename OpOrAdaptor>
LogicalResult bindOperands(OpOrAdaptor& op, DimBindings& dims,
                           ArrayRef<std::pair<StringRef, int64_t>> constants,
                           DimBindings::EmitError emitError) {
  for (auto [name, size] : constants)
    dims.bindConstant(name, size, "attribute");
  for (unsigned i = 0; i < std::size(OpTy::kOperandDims); ++i)
    for (Value value : op.getODSOperands(i))
      if (failed(dims.bind(OpTy::kOperandDims[i], value, OpTy::kOperandNames[i],
                           emitError)))
        return failure();
  return success();
}

/// The same where result types are inferred from an adaptor: what contradicts
/// is an error of the op at `location`.
template <typename OpTy>
LogicalResult bindAdaptor(MLIRContext* context,
                          std::optional<Location> location,
                          typename OpTy::Adaptor& adaptor, DimBindings& dims,
                          ArrayRef<std::pair<StringRef, int64_t>> constants) {
  auto emitError = [&]() -> InFlightDiagnostic {
    return mlir::emitError(location.value_or(UnknownLoc::get(context)),
                           Twine("'") + OpTy::getOperationName() + "' op ");
  };
  return bindOperands<OpTy>(adaptor, dims, constants, emitError);
}

/// Ops whose operands have dynamic sizes may disagree at run time; they must
/// not be moved to where they would not have run.
Speculation::Speculatability getSpeculatabilityOf(Operation* op);

/// Result types of an op from its dimension strings and element types.
template <typename OpTy>
void appendResultTypes(const DimBindings& dims, ArrayRef<Type> elementTypes,
                       SmallVectorImpl<Type>& types) {
  for (auto [i, element] : llvm::enumerate(elementTypes))
    types.push_back(
        RankedTensorType::get(dims.getShape(OpTy::kResultDims[i]), element));
}

/// An operand or result of an op and the names of its dimensions; fewer names
/// than dimensions where only the first are known.
struct NamedValue {
  Value value;
  SmallVector<StringRef> names;
};

/// The operands and results of a gsa op; none of another one. Dimensions of one
/// name have one size. The names of a gate's logits are those of what is gated.
SmallVector<NamedValue> getNamedValues(Operation* op);

/// The same of an op whose names depend on which operands it has.
SmallVector<NamedValue> nameAppendRows(AppendRowsOp op);

/// Whether result types `declared` are a legal way to write `inferred`: they
/// differ only in which sizes are known, carry no encoding, and dimensions of
/// one name in `resultDims` do not contradict each other.
bool areCompatibleTypes(TypeRange inferred, TypeRange declared,
                        ArrayRef<llvm::StringLiteral> resultDims);

}  // namespace mlir::gsa::detail

#endif  // GSA_DIALECT_GSA_GSASHAPES_H
