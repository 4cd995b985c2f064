//===- UsedDeclarations.cpp - of the headers what a text uses -------------===//

#include "codegen/device/UsedDeclarations.h"

#include <algorithm>

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::gsa_tile;

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

namespace {

enum class TokenKind { End, Directive, Identifier, Other };

struct Token {
  TokenKind kind = TokenKind::End;
  StringRef
      text;  ///< Of what is not a name, a number or a literal: one character.

  bool is(StringRef spelling) const { return text == spelling; }
};

/// Tokens of C++ as far as declarations can be told apart by them.
class Lexer {
 public:
  explicit Lexer(StringRef text) : rest(text) {}

  Token next() {
    skipBlanks();
    if (rest.empty()) return {TokenKind::End, rest};
    char c = rest.front();
    if (c == '#' && atLineStart) return {TokenKind::Directive, takeDirective()};
    atLineStart = false;
    if (c == '"' || c == '\'') return {TokenKind::Other, takeLiteral(c)};
    if (llvm::isAlpha(c) || c == '_')
      return {TokenKind::Identifier, take(countWhile([](char next) {
                return llvm::isAlnum(next) || next == '_';
              }))};
    if (llvm::isDigit(c))
      return {TokenKind::Other, take(countWhile([](char next) {
                return llvm::isAlnum(next) || next == '.' || next == '\'';
              }))};
    return {TokenKind::Other, take(1)};
  }

 private:
  StringRef take(size_t size) {
    StringRef result = rest.take_front(size);
    rest = rest.drop_front(size);
    return result;
  }

  size_t countWhile(llvm::function_ref<bool(char)> holds) const {
    size_t size = 0;
    while (size < rest.size() && holds(rest[size])) ++size;
    return size;
  }

  void skipBlanks() {
    while (!rest.empty()) {
      if (llvm::isSpace(rest.front())) {
        atLineStart |= rest.front() == '\n';
        take(1);
      } else if (rest.starts_with("//")) {
        take(std::min(rest.find('\n'), rest.size()));
      } else if (rest.starts_with("/*")) {
        size_t end = rest.find("*/", 2);
        take(end == StringRef::npos ? rest.size() : end + 2);
      } else {
        return;
      }
    }
  }

  StringRef takeDirective() {
    size_t end = 0;
    while (end < rest.size() && rest[end] != '\n')
      end += rest.substr(end).starts_with("\\\n") ? 2 : 1;
    return take(end);
  }

  StringRef takeLiteral(char quote) {
    size_t end = 1;
    while (end < rest.size() && rest[end] != quote)
      end += rest[end] == '\\' ? 2 : 1;
    return take(std::min(end + 1, rest.size()));
  }

  StringRef rest;
  bool atLineStart = true;
};

}  // namespace

static void forIdentifiers(StringRef text,
                           llvm::function_ref<void(StringRef)> body) {
  // A directive is a token of its own: its names are those behind the '#'.
  Lexer lexer(text);
  for (Token token = lexer.next(); token.kind != TokenKind::End;
       token = lexer.next()) {
    if (token.kind == TokenKind::Identifier) body(token.text);
    if (token.kind == TokenKind::Directive)
      forIdentifiers(token.text.drop_front(), body);
  }
}

//===----------------------------------------------------------------------===//
// Names of declarations
//===----------------------------------------------------------------------===//

/// Behind the bracket that closes the one at `i`.
static size_t skipGroup(ArrayRef<Token> tokens, size_t i, StringRef open,
                        StringRef close) {
  int depth = 0, round = 0;
  for (; i < tokens.size(); ++i) {
    // Between parentheses '<' and '>' compare.
    if (open == "<") round += tokens[i].is("(") - tokens[i].is(")");
    if (round > 0) continue;
    depth += tokens[i].is(open) - tokens[i].is(close);
    if (depth == 0) return i + 1;
  }
  return i;
}

static bool isTypeKey(const Token& token) {
  return token.is("struct") || token.is("class") || token.is("union") ||
         token.is("enum");
}

/// The name of `struct [alignas(..)] name`, from the key on.
static StringRef getTypeName(ArrayRef<Token> tokens, size_t i) {
  while (i < tokens.size() && isTypeKey(tokens[i])) ++i;
  if (i < tokens.size() && tokens[i].is("alignas"))
    i = skipGroup(tokens, i + 1, "(", ")");
  bool has = i < tokens.size() && tokens[i].kind == TokenKind::Identifier;
  return has ? tokens[i].text : StringRef();
}

/// The names of functions and variables: each is the last one before its
/// parameters, its initialiser, its array's size or the end.
static SmallVector<StringRef, 1> getDeclarators(ArrayRef<Token> tokens,
                                                size_t i) {
  SmallVector<StringRef, 1> names;
  StringRef last;
  while (i < tokens.size()) {
    const Token& token = tokens[i];
    if (token.is("operator")) return {};
    if (token.is("<")) {
      i = skipGroup(tokens, i, "<", ">");
      continue;
    }
    if (token.is("alignas") || token.is("decltype")) {
      i = skipGroup(tokens, i + 1, "(", ")");
      continue;
    }
    bool ends = token.is("(") || token.is("=") || token.is(";") ||
                token.is("{") || token.is("[");
    if (ends && last.empty()) return {};
    if (ends) names.push_back(last);
    if (token.is("(") || token.is("{") || token.is(";")) return names;
    if (ends) {
      // Behind the initialiser there may be another name.
      int depth = 0;
      for (; i < tokens.size(); ++i) {
        depth += tokens[i].is("(") + tokens[i].is("{") + tokens[i].is("[");
        depth -= tokens[i].is(")") + tokens[i].is("}") + tokens[i].is("]");
        if (depth == 0 && (tokens[i].is(",") || tokens[i].is(";"))) break;
      }
      if (i == tokens.size() || tokens[i].is(";")) return names;
      last = {};
    } else if (token.kind == TokenKind::Identifier) {
      last = token.text;
    }
    ++i;
  }
  return names;
}

/// What a declaration declares; nothing where it has no name.
static SmallVector<StringRef, 1> getDeclaredNames(ArrayRef<Token> tokens) {
  size_t i = 0;
  while (i < tokens.size() && tokens[i].is("template"))
    i = skipGroup(tokens, i + 1, "<", ">");
  if (i == tokens.size() || tokens[i].is("static_assert")) return {};
  if (tokens[i].is("using")) {
    bool isAlias = i + 2 < tokens.size() && tokens[i + 2].is("=");
    return {isAlias ? tokens[i + 1].text : tokens[tokens.size() - 2].text};
  }
  if (!isTypeKey(tokens[i])) return getDeclarators(tokens, i);
  StringRef name = getTypeName(tokens, i);
  if (name.empty()) return {};
  return {name};
}

//===----------------------------------------------------------------------===//
// The index
//===----------------------------------------------------------------------===//

/// The name that a directive defines, or "".
static StringRef getDefinedName(StringRef directive) {
  StringRef rest = directive.drop_front().ltrim();
  if (!rest.consume_front("define")) return {};
  return rest.ltrim().take_while(
      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

static bool isPragma(StringRef directive) {
  return directive.drop_front().ltrim().starts_with("pragma");
}

void DeclarationIndex::read(unsigned header) {
  StringRef text = headers[header].text;
  auto at = [&](StringRef part) {
    return static_cast<size_t>(part.data() - text.data());
  };
  Lexer lexer(text);
  SmallVector<Token> tokens;
  auto finish = [&] {
    Declaration made;
    made.header = header;
    made.begin = at(tokens.front().text);
    made.end = at(tokens.back().text) + tokens.back().text.size();
    made.names = getDeclaredNames(tokens);
    declarations.push_back(std::move(made));
    tokens.clear();
  };
  auto keep = [&](StringRef first, StringRef last) {
    fixed[header].push_back({at(first), at(last) + last.size()});
  };
  int depth = 0;
  Token token = lexer.next();
  while (token.kind != TokenKind::End) {
    if (token.kind == TokenKind::Directive) {
      // A pragma within a declaration goes with it.
      if (tokens.empty() || !isPragma(token.text)) keep(token.text, token.text);
      token = lexer.next();
      continue;
    }
    if (tokens.empty() && token.is("namespace")) {
      StringRef first = token.text;
      while (token.kind != TokenKind::End && !token.is("{"))
        token = lexer.next();
      keep(first, token.text);
      token = lexer.next();
      continue;
    }
    if (tokens.empty() && token.is("}")) {
      keep(token.text, token.text);
      token = lexer.next();
      continue;
    }
    tokens.push_back(token);
    depth += token.is("(") + token.is("{") + token.is("[");
    depth -= token.is(")") + token.is("}") + token.is("]");
    bool ends = depth == 0 && (token.is(";") || token.is("}"));
    bool closes = ends && token.is("}");
    token = lexer.next();
    // A body ends its function; a type and an initialiser have more to come.
    if (ends && closes && (token.is(";") || token.is(","))) continue;
    if (ends) finish();
  }
}

DeclarationIndex::DeclarationIndex(ArrayRef<DeviceHeader> headers)
    : headers(headers), fixed(headers.size()) {
  for (unsigned i = 0; i < headers.size(); ++i) read(i);
  resolve();
}

/// Who uses what. Of a macro the names count wherever its own one stands, and
/// its text is that of a declaration that takes no room.
void DeclarationIndex::resolve() {
  for (unsigned i = 0; i < headers.size(); ++i)
    for (Fixed part : fixed[i]) {
      StringRef text = headers[i].text.slice(part.begin, part.end);
      StringRef name = text.starts_with("#") ? getDefinedName(text) : "";
      if (name.empty()) continue;
      Declaration macro;
      macro.header = i;
      macro.begin = part.begin;
      macro.end = part.end;
      macro.names = {name};
      declarations.push_back(std::move(macro));
    }
  for (auto [number, declaration] : llvm::enumerate(declarations)) {
    for (StringRef name : declaration.names) byName[name].push_back(number);
    if (declaration.names.empty()) nameless.push_back(number);
  }
  for (Declaration& declaration : declarations) {
    findNames(headers[declaration.header].text.slice(declaration.begin,
                                                     declaration.end),
              declaration.uses);
    llvm::sort(declaration.uses);
    declaration.uses.erase(llvm::unique(declaration.uses),
                           declaration.uses.end());
  }
}

void DeclarationIndex::findNames(StringRef text,
                                 SmallVectorImpl<unsigned>& found) const {
  forIdentifiers(text, [&](StringRef name) {
    auto it = byName.find(name);
    if (it != byName.end()) llvm::append_range(found, it->second);
  });
}

std::vector<UsedHeader> DeclarationIndex::select(StringRef text) const {
  llvm::BitVector used(declarations.size());
  SmallVector<unsigned> left(nameless);
  findNames(text, left);
  while (!left.empty()) {
    unsigned number = left.pop_back_val();
    if (used.test(number)) continue;
    used.set(number);
    llvm::append_range(left, declarations[number].uses);
  }
  std::vector<std::vector<Fixed>> parts = fixed;
  for (unsigned number : used.set_bits()) {
    const Declaration& declaration = declarations[number];
    parts[declaration.header].push_back({declaration.begin, declaration.end});
  }
  std::vector<UsedHeader> result;
  for (auto [header, kept] : llvm::zip_equal(headers, parts)) {
    llvm::sort(kept, [](Fixed a, Fixed b) { return a.begin < b.begin; });
    std::string made;
    size_t at = 0;
    for (Fixed part : kept) {
      if (part.end <= at) continue;  // A directive within a declaration.
      made.append(header.text.slice(at, part.begin).count('\n'), '\n');
      // Words of two parts do not run together.
      if (!made.empty() && made.back() != '\n') made += ' ';
      made += header.text.slice(std::max(at, part.begin), part.end);
      at = part.end;
    }
    made += '\n';
    result.push_back({header.name, std::move(made)});
  }
  return result;
}

std::vector<StringRef> DeclarationIndex::getNames() const {
  std::vector<StringRef> names;
  for (const auto& entry : byName) names.push_back(entry.getKey());
  return names;
}

std::vector<UsedHeader> gsa_tile::getUsedDeviceHeaders(StringRef kernel) {
  static const DeclarationIndex index(getDeviceHeaders());
  return index.select(kernel);
}
