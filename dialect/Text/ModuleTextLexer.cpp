//===- ModuleTextLexer.cpp - tokens of MLIR's textual form ----------------===//

#include "dialect/Text/ModuleTextLexer.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir::gsa;

static bool isNameStart(char c) { return llvm::isAlpha(c) || c == '_'; }

static bool isNamePart(char c) {
  return llvm::isAlnum(c) || c == '_' || c == '$' || c == '.';
}

/// After #, !, %, ^ and @.
static bool isSuffixPart(char c) { return isNamePart(c) || c == '-'; }

TextToken ModuleTextLexer::take(TextToken::Kind kind, size_t length) {
  TextToken token{kind, text.substr(position, length)};
  position += token.text.size();
  return token;
}

void ModuleTextLexer::skipSpace() {
  while (position < text.size()) {
    if (text.substr(position).starts_with("//")) {
      size_t end = text.find_first_of("\n\r", position);
      position = end == llvm::StringRef::npos ? text.size() : end;
    } else if (llvm::isSpace(text[position])) {
      ++position;
    } else {
      return;
    }
  }
}

/// A string ends at its quote, or (which the parser refuses) at the line's end.
size_t ModuleTextLexer::stringLength(size_t start) const {
  size_t i = start + 1;
  while (i < text.size() && text[i] != '"' && text[i] != '\n')
    i += text[i] == '\\' && i + 1 < text.size() ? 2 : 1;
  if (i < text.size() && text[i] == '"') ++i;
  return i - start;
}

/// 12, 0x1F, 1.5, 1.5e-7.
size_t ModuleTextLexer::numberLength() const {
  llvm::StringRef rest = text.substr(position);
  if (rest.size() > 2 && rest[0] == '0' && rest[1] == 'x' &&
      llvm::isHexDigit(rest[2]))
    return 2 + rest.drop_front(2).take_while(llvm::isHexDigit).size();
  size_t length = rest.take_while(llvm::isDigit).size();
  if (length >= rest.size() || rest[length] != '.') return length;
  ++length;
  length += rest.drop_front(length).take_while(llvm::isDigit).size();
  llvm::StringRef exponent = rest.drop_front(length);
  if (!exponent.starts_with_insensitive("e")) return length;
  size_t sign =
      exponent.size() > 1 && (exponent[1] == '+' || exponent[1] == '-');
  size_t digits =
      exponent.drop_front(1 + sign).take_while(llvm::isDigit).size();
  return digits == 0 ? length : length + 1 + sign + digits;
}

TextToken ModuleTextLexer::takePrefixed(TextToken::Kind kind) {
  size_t start = position + 1;
  if (start < text.size() && text[start] == '"')
    return take(TextToken::Name, 1 + stringLength(start));
  llvm::StringRef rest = text.substr(start);
  bool isNumber = !rest.empty() && llvm::isDigit(rest[0]);
  size_t length =
      rest.take_while(isNumber ? llvm::isDigit : isSuffixPart).size();
  return take(length == 0 ? TextToken::Other : kind, 1 + length);
}

TextToken ModuleTextLexer::takePunctuation() {
  llvm::StringRef rest = text.substr(position);
  switch (rest[0]) {
    case '{':
      if (rest.starts_with("{-#")) return take(TextToken::MetadataOpen, 3);
      return take(TextToken::Open, 1);
    case '(':
    case '[':
      return take(TextToken::Open, 1);
    case ')':
    case ']':
    case '}':
      return take(TextToken::Close, 1);
    case '<':
    case '>':
      // Comparisons of an integer set are no brackets.
      if (rest.starts_with("<=") || rest.starts_with(">="))
        return take(TextToken::Other, 2);
      return take(rest[0] == '<' ? TextToken::Open : TextToken::Close, 1);
    case '-':
      if (rest.starts_with("->")) return take(TextToken::Arrow, 2);
      return take(TextToken::Minus, 1);
    case '+':
    case '*':
      return take(TextToken::Operator, 1);
    case '=':
      return take(TextToken::Equal, 1);
    case ':':
      return take(TextToken::Colon, 1);
    default:
      return take(TextToken::Other, 1);
  }
}

TextToken ModuleTextLexer::next() {
  skipSpace();
  if (position >= text.size()) return TextToken{};
  llvm::StringRef rest = text.substr(position);
  char c = rest[0];
  if (isNameStart(c))
    return take(TextToken::Word, rest.take_while(isNamePart).size());
  if (llvm::isDigit(c)) return take(TextToken::Number, numberLength());
  if (c == '"') return take(TextToken::String, stringLength(position));
  if (rest.starts_with("#-}")) return take(TextToken::MetadataClose, 3);
  if (c == '#') return takePrefixed(TextToken::AttributeAlias);
  if (c == '!') return takePrefixed(TextToken::TypeAlias);
  if (c == '%' || c == '^' || c == '@') return takePrefixed(TextToken::Name);
  return takePunctuation();
}
