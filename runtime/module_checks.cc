// -----------------------------------------------------------------------------
// File: module_checks.cc
// -----------------------------------------------------------------------------

#include "runtime/module_checks.h"

#include <string>

#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/GsaTile/PipelineAttrs.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace gsa {
namespace {

// Whether the data of a resource is there and as long as its type asks for.
// Passes and the code generator read it without asking.
mlir::LogicalResult CheckResource(mlir::Operation* op,
                                  mlir::DenseResourceElementsAttr attribute) {
  mlir::ShapedType type = attribute.getType();
  std::string name = attribute.getRawHandle().getKey().str();
  mlir::Type element = type.getElementType();
  if (!type.hasStaticShape() || !element.isIntOrIndexOrFloat()) {
    return op->emitOpError() << "resource '" << name
                             << "': expected a static shape of integers or "
                                "floats, got "
                             << type;
  }
  mlir::AsmResourceBlob* blob = attribute.getRawHandle().getBlob();
  if (blob == nullptr) {
    return op->emitOpError()
           << "resource '" << name << "' is not in the module";
  }
  const uint64_t bits =
      element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  uint64_t bytes = llvm::divideCeil(bits, 8);
  for (int64_t size : type.getShape()) {
    bytes = llvm::SaturatingMultiply<uint64_t>(bytes, size);
  }
  if (blob->getData().size() == bytes) return mlir::success();
  return op->emitOpError() << "resource '" << name << "': expected " << bytes
                           << " bytes for " << type << ", got "
                           << blob->getData().size();
}

// Functions that compiled code calls are declared in the module by these names.
mlir::LogicalResult CheckName(mlir::Operation* op) {
  constexpr llvm::StringLiteral kReserved = "gsa_cpu_";
  auto symbol = mlir::dyn_cast<mlir::SymbolOpInterface>(op);
  if (!symbol || !symbol.getNameAttr() ||
      !symbol.getName().starts_with(kReserved)) {
    return mlir::success();
  }
  return op->emitOpError() << "'" << symbol.getName()
                           << "': names that begin with '" << kReserved
                           << "' are the compiler's own, expected another";
}

// A pass would take them for its own word: for the size of the workspace, for
// what an op has been scheduled to do.
mlir::LogicalResult CheckOwnAttributes(mlir::Operation* op) {
  for (mlir::NamedAttribute attribute : op->getDiscardableAttrs()) {
    llvm::StringRef name = attribute.getName().getValue();
    if (mlir::gsa::isAttributeOfPasses(name) ||
        mlir::gsa_tile::isAttributeOfPasses(op, name)) {
      return op->emitOpError()
             << "has the attribute '" << name
             << "', which the compiler writes itself; expected none in a "
                "module that it is given";
    }
  }
  return mlir::success();
}

// Whether a symbol only says that something is elsewhere.
bool IsDeclaration(mlir::Operation* op) {
  if (auto function = mlir::dyn_cast<mlir::FunctionOpInterface>(op)) {
    return function.isExternal();
  }
  if (auto global = mlir::dyn_cast<mlir::memref::GlobalOp>(op)) {
    return global.isExternal();
  }
  if (auto global = mlir::dyn_cast<mlir::LLVM::GlobalOp>(op)) {
    return !global.getValueOrNull() && global.getInitializerRegion().empty();
  }
  auto symbol = mlir::dyn_cast<mlir::SymbolOpInterface>(op);
  return symbol && symbol.isDeclaration();
}

mlir::LogicalResult CheckReference(mlir::Operation* op,
                                   mlir::SymbolRefAttr reference,
                                   mlir::SymbolTableCollection* tables) {
  mlir::Operation* found = tables->lookupNearestSymbolFrom(op, reference);
  // What names no symbol is judged by the op's verifier.
  if (found == nullptr || !IsDeclaration(found)) return mlir::success();
  mlir::InFlightDiagnostic error =
      op->emitOpError()
      << "refers to '" << mlir::SymbolTable::getSymbolName(found).getValue()
      << "', which is declared but not defined; expected it with a body or a "
         "value in this module, because a plan calls nothing outside of it";
  error.attachNote(found->getLoc()) << "declared here";
  return error;
}

mlir::LogicalResult CheckAttributes(mlir::Operation* op,
                                    mlir::SymbolTableCollection* tables) {
  mlir::AttrTypeWalker walker;
  walker.addWalk([&](mlir::DenseResourceElementsAttr attribute) {
    return mlir::failed(CheckResource(op, attribute))
               ? mlir::WalkResult::interrupt()
               : mlir::WalkResult::advance();
  });
  walker.addWalk([&](mlir::SymbolRefAttr reference) {
    return mlir::failed(CheckReference(op, reference, tables))
               ? mlir::WalkResult::interrupt()
               : mlir::WalkResult::skip();
  });
  return mlir::failure(walker.walk(op->getAttrDictionary()).wasInterrupted());
}

}  // namespace

mlir::LogicalResult CheckUserModule(mlir::ModuleOp module) {
  mlir::SymbolTableCollection tables;
  mlir::WalkResult walk = module.walk([&](mlir::Operation* op) {
    return mlir::failed(CheckName(op)) ||
                   mlir::failed(CheckOwnAttributes(op)) ||
                   mlir::failed(CheckAttributes(op, &tables))
               ? mlir::WalkResult::interrupt()
               : mlir::WalkResult::advance();
  });
  return mlir::failure(walk.wasInterrupted());
}

}  // namespace gsa
