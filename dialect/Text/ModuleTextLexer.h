//===- ModuleTextLexer.h - tokens of MLIR's textual form -------*- C++ -*-===//
//
// The parser's own lexer is not public. This one tells apart what nesting,
// names and numbers need, and takes everything else for a token of its own.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_TEXT_MODULETEXTLEXER_H
#define GSA_DIALECT_TEXT_MODULETEXTLEXER_H

#include "llvm/ADT/StringRef.h"

namespace mlir::gsa {

struct TextToken {
  enum Kind {
    End,
    Open,           ///< ( [ { <
    Close,          ///< ) ] } >
    MetadataOpen,   ///< {-#
    MetadataClose,  ///< #-}
    Word,           ///< bare identifier, keyword
    Number,
    String,          ///< with its quotes
    AttributeAlias,  ///< #name
    TypeAlias,       ///< !name
    Name,            ///< %name, ^name, @name
    Minus,
    Operator,  ///< + *
    Arrow,     ///< ->
    Equal,
    Colon,
    Other
  };
  Kind kind = End;
  llvm::StringRef text;
};

class ModuleTextLexer {
 public:
  explicit ModuleTextLexer(llvm::StringRef text) : text(text) {}

  TextToken next();

 private:
  void skipSpace();
  TextToken take(TextToken::Kind kind, size_t length);
  TextToken takePunctuation();
  TextToken takePrefixed(TextToken::Kind kind);
  size_t stringLength(size_t start) const;
  size_t numberLength() const;

  llvm::StringRef text;
  size_t position = 0;
};

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_TEXT_MODULETEXTLEXER_H
