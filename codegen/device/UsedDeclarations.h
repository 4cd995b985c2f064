//===- UsedDeclarations.h - of the headers what a text uses ----*- C++ -*-===//
//
// A compiler of kernels reads the headers anew for every kernel, one kernel at
// a time, and a kernel uses a small part of them. So it is given that part.
// docs/rationale/kernel-length.md says what it is worth.
//
// Headers are split at their declarations: functions, types, variables, aliases
// and macros, at the level of files and namespaces. A text uses a declaration
// if it has its name anywhere, and what a used declaration names is used, too.
// Overloads and specialisations have one name, so all of them are there or
// none: what a call means does not depend on what else is left out.
// Declarations without a name (assertions, operators) and directives always
// stay.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_CODEGEN_DEVICE_USEDDECLARATIONS_H
#define GSA_CODEGEN_DEVICE_USEDDECLARATIONS_H

#include <string>
#include <vector>

#include "codegen/device/DeviceHeaders.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::gsa_tile {

/// A header of which only some declarations are left.
struct UsedHeader {
  StringRef name;
  /// Lines have the numbers that they have in the whole header.
  std::string text;
};

/// The declarations of some headers. Immutable, so that threads may share one.
class DeclarationIndex {
 public:
  /// The texts of the headers must outlive the index.
  explicit DeclarationIndex(ArrayRef<DeviceHeader> headers);

  /// All headers, in their order, with what `text` uses of them.
  std::vector<UsedHeader> select(StringRef text) const;

  /// The names that are declared, each once, in no order.
  std::vector<StringRef> getNames() const;

 private:
  struct Declaration {
    unsigned header;
    size_t begin, end;  ///< In the header's text.
    SmallVector<StringRef, 1> names;
    SmallVector<unsigned> uses;  ///< Declarations.
  };
  /// A stretch of a header that always stays: a directive, a namespace's
  /// braces.
  struct Fixed {
    size_t begin, end;
  };

  void read(unsigned header);
  void resolve();
  /// Adds what has the names that `text` has.
  void findNames(StringRef text, SmallVectorImpl<unsigned>& found) const;

  ArrayRef<DeviceHeader> headers;
  std::vector<Declaration> declarations;  ///< In the order of the headers.
  std::vector<std::vector<Fixed>> fixed;  ///< By header.
  llvm::StringMap<SmallVector<unsigned, 1>> byName;
  SmallVector<unsigned> nameless;
};

/// The device headers, for a kernel's text.
std::vector<UsedHeader> getUsedDeviceHeaders(StringRef kernel);

}  // namespace mlir::gsa_tile

#endif  // GSA_CODEGEN_DEVICE_USEDDECLARATIONS_H
