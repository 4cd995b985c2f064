//===- Names.h - unique C++ names ------------------------------*- C++ -*-===//
//
// Names of the variables of one kernel. A name never hides another variable, a
// function or type of the device headers, or a word of C++ or CUDA.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_CODEGEN_CUDA_NAMES_H
#define GSA_CODEGEN_CUDA_NAMES_H

#include <string>

#include "llvm/ADT/StringSet.h"
#include "mlir/IR/Operation.h"

namespace mlir::gsa_tile {

/// The name that the IR suggests for a value: its own (see ValueNames.h),
/// else the asm result name of its op, else `fallback`, else its op's mnemonic.
std::string getNameHint(Value value, StringRef fallback = "");

class Names {
 public:
  explicit Names(MLIRContext* context) : context(context) {}
  /// A name near `hint` that no open scope has.
  std::string makeUnique(StringRef hint);
  /// Names given between the two may be given again after it: their block has
  /// ended.
  size_t openScope() const { return given.size(); }
  void closeScope(size_t scope);

 private:
  MLIRContext* context;
  llvm::StringSet<> taken;
  SmallVector<std::string> given;
};

}  // namespace mlir::gsa_tile

#endif  // GSA_CODEGEN_CUDA_NAMES_H
