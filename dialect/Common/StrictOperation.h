//===- StrictOperation.h - ops whose properties are all known --*- C++ -*-===//
//
// The reader of properties that mlir-tblgen writes looks up the names that it
// knows and takes no notice of others: `"gsa.gate"(...) <{activaton = ...}>`
// would be the default. This model of an op is that of MLIR but for that.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_COMMON_STRICTOPERATION_H
#define GSA_DIALECT_COMMON_STRICTOPERATION_H

#include <memory>

#include "dialect/Common/AttributeNames.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OperationSupport.h"

namespace mlir::gsa {

template <typename OpTy>
class StrictOperation final : public OperationName::Impl {
 public:
  explicit StrictOperation(Dialect* dialect)
      : StrictOperation(dialect, std::make_unique<Model>(dialect)) {}

  LogicalResult setPropertiesFromAttr(
      OperationName name, OpaqueProperties properties, Attribute attribute,
      function_ref<InFlightDiagnostic()> emitError) final {
    if (failed(verifyPropertyNames(name, attribute, emitError)))
      return failure();
    return model->setPropertiesFromAttr(name, properties, attribute, emitError);
  }

  // All of the rest is MLIR's.
  LogicalResult foldHook(Operation* op, ArrayRef<Attribute> operands,
                         SmallVectorImpl<OpFoldResult>& results) final {
    return model->foldHook(op, operands, results);
  }
  void getCanonicalizationPatterns(RewritePatternSet& patterns,
                                   MLIRContext* context) final {
    model->getCanonicalizationPatterns(patterns, context);
  }
  bool hasTrait(TypeID id) final { return model->hasTrait(id); }
  OperationName::ParseAssemblyFn getParseAssemblyFn() final {
    return model->getParseAssemblyFn();
  }
  void populateDefaultAttrs(const OperationName& name,
                            NamedAttrList& attributes) final {
    model->populateDefaultAttrs(name, attributes);
  }
  void printAssembly(Operation* op, OpAsmPrinter& printer,
                     StringRef dialect) final {
    model->printAssembly(op, printer, dialect);
  }
  LogicalResult verifyInvariants(Operation* op) final {
    return model->verifyInvariants(op);
  }
  LogicalResult verifyRegionInvariants(Operation* op) final {
    return model->verifyRegionInvariants(op);
  }
  std::optional<Attribute> getInherentAttr(Operation* op,
                                           StringRef name) final {
    return model->getInherentAttr(op, name);
  }
  void setInherentAttr(Operation* op, StringAttr name, Attribute value) final {
    model->setInherentAttr(op, name, value);
  }
  void populateInherentAttrs(Operation* op, NamedAttrList& attributes) final {
    model->populateInherentAttrs(op, attributes);
  }
  LogicalResult verifyInherentAttrs(
      OperationName name, NamedAttrList& attributes,
      function_ref<InFlightDiagnostic()> emitError) final {
    return model->verifyInherentAttrs(name, attributes, emitError);
  }
  int getOpPropertyByteSize() final { return model->getOpPropertyByteSize(); }
  void initProperties(OperationName name, OpaqueProperties storage,
                      OpaqueProperties initial) final {
    model->initProperties(name, storage, initial);
  }
  void deleteProperties(OpaqueProperties properties) final {
    model->deleteProperties(properties);
  }
  void populateDefaultProperties(OperationName name,
                                 OpaqueProperties properties) final {
    model->populateDefaultProperties(name, properties);
  }
  Attribute getPropertiesAsAttr(Operation* op) final {
    return model->getPropertiesAsAttr(op);
  }
  void copyProperties(OpaqueProperties to, OpaqueProperties from) final {
    model->copyProperties(to, from);
  }
  bool compareProperties(OpaqueProperties a, OpaqueProperties b) final {
    return model->compareProperties(a, b);
  }
  llvm::hash_code hashProperties(OpaqueProperties properties) final {
    return model->hashProperties(properties);
  }

 private:
  using Model = RegisteredOperationName::Model<OpTy>;

  /// The interfaces are looked up here, not in the model->
  StrictOperation(Dialect* dialect, std::unique_ptr<Model> inner)
      : Impl(OpTy::getOperationName(), dialect, TypeID::get<OpTy>(),
             std::move(inner->getInterfaceMap())),
        model(std::move(inner)) {}

  std::unique_ptr<Model> model;
};

/// Dialect::addOperations with the model above.
template <typename... Ops>
void addStrictOperations(Dialect& dialect) {
  (RegisteredOperationName::insert(
       std::make_unique<StrictOperation<Ops>>(&dialect),
       Ops::getAttributeNames()),
   ...);
}

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_COMMON_STRICTOPERATION_H
