//===- AttributeNames.h - attributes that an op knows ----------*- C++ -*-===//
//
// MLIR keeps an attribute that an op does not know as a discardable one. A
// misspelt option would so be its default, in silence. The ops of our dialects
// therefore take no unknown name, and an attribute with the prefix of one of
// our dialects is known, at its place and of its kind, wherever it stands.
// Discardable attributes of other dialects ("my.note") stay allowed.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_COMMON_ATTRIBUTENAMES_H
#define GSA_DIALECT_COMMON_ATTRIBUTENAMES_H

#include <string>

#include "mlir/IR/DialectInterface.h"
#include "mlir/IR/OpDefinition.h"

namespace mlir::gsa {

/// One discardable attribute of a dialect.
struct AttributeRule {
  llvm::StringLiteral name;      ///< With the prefix.
  llvm::StringLiteral place;     ///< "a function"; in messages.
  bool (*standsOn)(Operation*);  ///< Whether the op is such a place.
  llvm::StringLiteral kind;      ///< "an array of strings"; in messages.
  bool (*isKind)(Attribute);
  /// What one pass tells another; a module that a user writes has none.
  bool isOfPasses = true;
};

/// Ends of "... has no attribute 'x'": ", did you mean 'y'?" if a legal name is
/// near, ", it takes 'y', 'z'" or ", it takes none" otherwise.
std::string suggestNames(StringRef wrong, ArrayRef<StringRef> legal);

/// For Dialect::verifyOperationAttribute: `attribute` is one of `rules`, on an
/// op on which it may stand, and of its kind; otherwise an error at the op.
LogicalResult verifyDiscardable(Operation* op, NamedAttribute attribute,
                                ArrayRef<AttributeRule> rules);

/// The rules of a dialect, for who writes one of its names without the prefix.
class AttributeRules : public DialectInterface::Base<AttributeRules> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(AttributeRules)
  AttributeRules(Dialect* dialect, ArrayRef<AttributeRule> rules)
      : Base(dialect), rules(rules) {}

  /// What users may write on `op`.
  SmallVector<StringRef> getNames(Operation* op) const;

 private:
  ArrayRef<AttributeRule> rules;
};

/// Whether `name` is one of `rules` and of passes.
bool isOfPasses(StringRef name, ArrayRef<AttributeRule> rules);

/// Names that an op's record states, without the sizes of operand segments.
SmallVector<StringRef> getStatedNames(OperationName name);

/// No discardable attribute of `op` lacks the prefix of a dialect.
LogicalResult verifyNoStrayAttributes(Operation* op);

/// Every key of the dictionary `properties` is stated by the op's record.
LogicalResult verifyPropertyNames(OperationName name, Attribute properties,
                                  function_ref<InFlightDiagnostic()> emitError);

/// Trait of every op of our dialects.
template <typename ConcreteType>
class KnownAttributes
    : public OpTrait::TraitBase<ConcreteType, KnownAttributes> {
 public:
  static LogicalResult verifyTrait(Operation* op) {
    return verifyNoStrayAttributes(op);
  }
};

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_COMMON_ATTRIBUTENAMES_H
