//===- OpFilter.h - the option `ops` of a pass -----------------*- C++ -*-===//

#ifndef GSA_PASSES_OPFILTER_H
#define GSA_PASSES_OPFILTER_H

#include <string>

#include "mlir/IR/Operation.h"

namespace mlir::gsa {

/// The gsa ops that a pass is told to work on, by their names without the
/// dialect's prefix; no name means every op.
class OpFilter {
 public:
  explicit OpFilter(ArrayRef<std::string> names) : names(names) {}

  /// Fails, with an error at `root`, for a name that is no op of the dialect.
  LogicalResult check(Operation* root, StringRef pass) const {
    for (const std::string& name : names)
      if (!RegisteredOperationName::lookup("gsa." + name, root->getContext()))
        return root->emitError(pass)
               << ": 'gsa." << name
               << "' in option 'ops' is not an op of the dialect";
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
