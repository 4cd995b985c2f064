//===- ModuleText.h - what module text is held to before it is parsed -----===//
//
// The parser of MLIR recurses once per bracket and trusts a few things that it
// reads: some texts end the process instead of giving a diagnostic. A library
// inside somebody's server cannot have that. The scan here knows the tokens of
// MLIR, not its grammar, and runs before the parser; see
// docs/rationale/module-text.md.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_TEXT_MODULETEXT_H
#define GSA_DIALECT_TEXT_MODULETEXT_H

#include <cstdint>
#include <optional>
#include <string>

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::gsa {

/// The limits, documented in docs/spec.md ("Module text"). Parsing text within
/// them takes less than 1 MiB of stack.
struct ModuleTextLimits {
  uint64_t bytes = uint64_t{256} << 20;
  /// Brackets of any kind that are open at once, those within the aliases that
  /// are used there included.
  uint64_t nesting = 128;
  /// Characters of a number or a name. (Strings may be as long as the text.)
  uint64_t word = 4096;
  /// Operators of an affine expression, and tokens of an affine map or set:
  /// the parser's time grows with their square.
  uint64_t operators = 1000;
  uint64_t affineTokens = 10000;
  /// Tokens of the text with every alias replaced by what it stands for, which
  /// is what a printer writes.
  uint64_t expandedTokens = uint64_t{1} << 26;
};

/// Why a text is not handed to the parser, and where.
struct ModuleTextError {
  int64_t line = 0;  ///< From 1.
  int64_t column = 0;
  std::string message;

  /// "file.mlir:3:7: error: message".
  std::string describe(llvm::StringRef filename) const;
};

/// Whether `text` is bytecode. It is not scanned: read it from sources that
/// you trust as you trust a program.
bool isBytecodeText(llvm::StringRef text);

/// Nothing if `text`, a module as text, may be parsed. Refused are texts beyond
/// the limits, an `array` of index elements, and a resource whose alignment is
/// no power of two up to 4096. Everything else is the parser's to judge. Time
/// is linear in the text.
std::optional<ModuleTextError> checkModuleText(
    llvm::StringRef text, const ModuleTextLimits& limits = {});

/// For tools: whether `text` of the file may be parsed; prints why not to `os`.
/// Bytecode may.
bool acceptModuleText(llvm::StringRef text, llvm::StringRef filename,
                      llvm::raw_ostream& os);

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_TEXT_MODULETEXT_H
