//===- OpFilter.h - the option `ops` of a pass -----------------*- C++ -*-===//

#ifndef GSA_PASSES_OPFILTER_H
#define GSA_PASSES_OPFILTER_H

#include <string>

#include "dialect/Common/Choices.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"

namespace mlir::gsa {

/// The names of a dialect's ops without its prefix, in alphabetical order.
inline SmallVector<StringRef> listOps(MLIRContext* context, StringRef dialect) {
  SmallVector<StringRef> names;
  // MLIR's getRegisteredOperationsByDialect finds none of ours.
  for (RegisteredOperationName op : context->getRegisteredOperations())
    if (op.getDialectNamespace() == dialect) names.push_back(op.stripDialect());
  llvm::sort(names);
  return names;
}

/// The gsa ops that a pass is told to work on, by their names without the
/// dialect's prefix; no name means every op.
class OpFilter {
 public:
  explicit OpFilter(ArrayRef<std::string> names) : names(names) {}

  /// Fails, with an error where `root` is, for a name that is no op of the
  /// dialect. The op itself is not at fault and not printed.
  LogicalResult check(Operation* root, StringRef pass) const {
    if (names.empty()) return success();
    SmallVector<StringRef> legal = listOps(root->getContext(), "gsa");
    for (const std::string& name : names)
      if (!llvm::is_contained(legal, name))
        return emitError(root->getLoc())
               << pass << ": option 'ops': " << explainUnknownName(name, legal);
    return success();
  }

  bool accepts(Operation* op) const {
    StringRef name = op->getName().stripDialect();
    return names.empty() || llvm::any_of(names, [&](const std::string& wanted) {
             return name == wanted;
           });
  }

 private:
  ArrayRef<std::string> names;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_OPFILTER_H
