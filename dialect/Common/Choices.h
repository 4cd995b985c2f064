//===- Choices.h - what a misspelt name was meant to be --------*- C++ -*-===//

#ifndef GSA_DIALECT_COMMON_CHOICES_H
#define GSA_DIALECT_COMMON_CHOICES_H

#include <string>

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace mlir::gsa {

/// The name of `legal` that `wrong` is nearest to, of equally near ones the
/// first; "" if none is within max(2, |wrong| / 3) edits.
llvm::StringRef findNearest(llvm::StringRef wrong,
                            llvm::ArrayRef<llvm::StringRef> legal);

/// "expected one of host, plan, got 'paln'; did you mean 'plan'?"
std::string explainUnknownName(llvm::StringRef wrong,
                               llvm::ArrayRef<llvm::StringRef> legal);

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_COMMON_CHOICES_H
