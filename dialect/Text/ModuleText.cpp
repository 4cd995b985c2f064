//===- ModuleText.cpp - what module text is held to -----------------------===//

#include "dialect/Text/ModuleText.h"

#include <algorithm>

#include "dialect/Text/ModuleTextLexer.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::gsa;
using llvm::StringRef;
using llvm::Twine;

namespace {

/// An open bracket.
struct Frame {
  char bracket = 0;
  uint64_t operators = 0;  ///< Directly within it.
  bool isAffine = false;   ///< Of an affine map or set.
  bool isArray = false;    ///< Of a dense array.
};

/// What an alias stands for.
struct Alias {
  uint64_t nesting = 0;
  uint64_t tokens = 0;
  bool isIndex = false;  ///< The type `index`.
};

/// The definition of an alias, `#name = ...` or `!name = ...`, as far as it was
/// read. It ends where an attribute or type is complete and nothing follows
/// that continues one.
struct Definition {
  StringRef name;
  Alias alias;
  bool needsValue = true;
};

class Scanner {
 public:
  Scanner(StringRef text, const ModuleTextLimits& limits)
      : text(text), limits(limits), lexer(text) {}

  std::optional<ModuleTextError> run();

 private:
  bool fail(const TextToken& token, const Twine& message);
  bool accept(const TextToken& token);
  bool open(const TextToken& token);
  void close(char bracket);
  bool countNesting(const TextToken& token, uint64_t inner);
  bool countTokens(const TextToken& token, uint64_t tokens);
  bool countAffine(const TextToken& token);
  bool checkElement(const TextToken& token);
  bool checkResource(const TextToken& token);
  void define(const TextToken& token);
  void beginDefinition();
  void endDefinition();

  StringRef text;
  const ModuleTextLimits& limits;
  ModuleTextLexer lexer;
  std::optional<ModuleTextError> error;

  llvm::SmallVector<Frame> frames;
  uint64_t minusRun = 0;
  uint64_t expanded = 0;
  uint64_t affineTokens = 0;
  bool inMetadata = false;
  TextToken before;  ///< The last token.

  llvm::StringMap<Alias> aliases;  ///< By name, with the # or !.
  std::optional<Definition> definition;
};

}  // namespace

/// Notes the error at `token`; false.
bool Scanner::fail(const TextToken& token, const Twine& message) {
  size_t offset = token.text.data() - text.data();
  StringRef prefix = text.take_front(offset);
  size_t lineStart = prefix.rfind('\n');
  error = {static_cast<int64_t>(prefix.count('\n')) + 1,
           static_cast<int64_t>(
               lineStart == StringRef::npos ? offset : offset - lineStart - 1) +
               1,
           message.str()};
  return false;
}

bool Scanner::countNesting(const TextToken& token, uint64_t inner) {
  uint64_t nesting = frames.size() + minusRun + inner;
  if (definition)
    definition->alias.nesting = std::max(definition->alias.nesting, nesting);
  if (nesting <= limits.nesting) return true;
  return fail(token,
              "brackets nested more than " + Twine(limits.nesting) + " deep");
}

bool Scanner::countTokens(const TextToken& token, uint64_t tokens) {
  expanded += tokens;
  if (definition) definition->alias.tokens += tokens;
  if (expanded <= limits.expandedTokens) return true;
  return fail(token, "more than " + Twine(limits.expandedTokens) +
                         " tokens once aliases are replaced");
}

bool Scanner::open(const TextToken& token) {
  bool follows = before.kind == TextToken::Word && token.text == "<";
  Frame frame;
  frame.bracket = token.text[0];
  frame.isArray = follows && before.text == "array";
  bool startsAffine =
      follows && (before.text == "affine_map" || before.text == "affine_set");
  frame.isAffine = startsAffine || (!frames.empty() && frames.back().isAffine);
  if (startsAffine) affineTokens = 0;
  frames.push_back(frame);
  return countNesting(token, 0);
}

/// Closes the innermost bracket of the kind, and what was left open within it:
/// `<` may also be a comparison.
void Scanner::close(char bracket) {
  StringRef opening = "([{<", closing = ")]}>";
  char wanted = opening[closing.find(bracket)];
  for (size_t i = frames.size(); i-- > 0;) {
    if (frames[i].bracket == wanted) {
      frames.truncate(i);
      return;
    }
    if (bracket == '>' && frames[i].bracket != '<') return;
  }
}

bool Scanner::countAffine(const TextToken& token) {
  static constexpr StringRef kOperators[] = {"floordiv", "ceildiv", "mod"};
  if (frames.empty()) return true;
  Frame& frame = frames.back();
  // -1 in a list of numbers is none.
  bool followsValue =
      before.kind == TextToken::Word || before.kind == TextToken::Number ||
      before.kind == TextToken::Name || before.kind == TextToken::Close;
  bool isOperator = token.kind == TextToken::Operator ||
                    (token.kind == TextToken::Minus && followsValue) ||
                    (token.kind == TextToken::Word &&
                     llvm::is_contained(kOperators, token.text));
  if (isOperator && ++frame.operators > limits.operators)
    return fail(token, "more than " + Twine(limits.operators) +
                           " operators in one expression");
  if (frame.isAffine && ++affineTokens > limits.affineTokens)
    return fail(token, "more than " + Twine(limits.affineTokens) +
                           " tokens in one affine map or set");
  return true;
}

/// The parser asks for the width of the elements of an array; index has none.
bool Scanner::checkElement(const TextToken& token) {
  if (before.text != "<" || frames.empty() || !frames.back().isArray)
    return true;
  auto alias = aliases.find(token.text);
  if (token.text != "index" &&
      !(alias != aliases.end() && alias->second.isIndex))
    return true;
  return fail(token,
              "'array' of 'index': expected an integer or float type of a "
              "width, for instance i64");
}

/// A blob is allocated with the alignment that its first four bytes state.
bool Scanner::checkResource(const TextToken& token) {
  StringRef digits = token.text;
  if (!digits.consume_front("\"0x") || !digits.consume_back("\"") ||
      digits.size() < 8 || !llvm::all_of(digits, llvm::isHexDigit))
    return true;
  uint64_t alignment = 0;
  for (size_t i = 4; i-- > 0;)
    alignment = alignment << 8 | llvm::hexDigitValue(digits[2 * i]) << 4 |
                llvm::hexDigitValue(digits[2 * i + 1]);
  if (llvm::isPowerOf2_64(alignment) && alignment <= 4096) return true;
  return fail(token,
              "resource: expected its first four bytes to be an alignment, a "
              "power of two up to 4096, got " +
                  Twine(alignment));
}

/// `before` is the name of an alias, and "=" was read.
void Scanner::beginDefinition() {
  endDefinition();
  definition = Definition{before.text, Alias(), true};
}

void Scanner::endDefinition() {
  if (!definition) return;
  aliases[definition->name] = definition->alias;
  definition.reset();
}

/// Follows the definition of an alias through a token outside of brackets.
void Scanner::define(const TextToken& token) {
  bool continues =
      token.kind == TextToken::Colon || token.kind == TextToken::Arrow;
  bool isValue = token.kind != TextToken::Open &&
                 token.kind != TextToken::Close && !continues;
  if (continues) {
    definition->needsValue = true;
  } else if (definition->needsValue) {
    // -1 is two tokens of one value.
    definition->needsValue = token.kind == TextToken::Minus;
    auto alias = aliases.find(token.text);
    bool isAlias = alias != aliases.end();
    definition->alias.isIndex =
        definition->alias.tokens == 0 &&
        (token.text == "index" || (isAlias && alias->second.isIndex));
  } else if (isValue) {
    endDefinition();
  }
}

bool Scanner::accept(const TextToken& token) {
  bool isAlias = token.kind == TextToken::AttributeAlias ||
                 token.kind == TextToken::TypeAlias;
  bool isWord = isAlias || token.kind == TextToken::Word ||
                token.kind == TextToken::Number ||
                (token.kind == TextToken::Name && token.text[1] != '"');
  if (isWord && token.text.size() > limits.word)
    return fail(token, "a number or name of " + Twine(token.text.size()) +
                           " characters, at most " + Twine(limits.word));
  if (token.kind == TextToken::Equal && frames.empty() &&
      (before.kind == TextToken::AttributeAlias ||
       before.kind == TextToken::TypeAlias)) {
    beginDefinition();
    return true;
  }
  if (definition && frames.empty()) define(token);
  minusRun = token.kind == TextToken::Minus ? minusRun + 1 : 0;
  if (token.kind == TextToken::Open && !open(token)) return false;
  if (token.kind == TextToken::Close) close(token.text[0]);
  if (token.kind == TextToken::MetadataOpen) inMetadata = true;
  if (token.kind == TextToken::MetadataClose) inMetadata = false;
  if (token.kind == TextToken::Minus && !countNesting(token, 0)) return false;
  if (inMetadata && token.kind == TextToken::String && !checkResource(token))
    return false;
  // One that names itself is the parser's to refuse.
  bool isKnown = isAlias && !(definition && definition->name == token.text);
  auto alias = isKnown ? aliases.find(token.text) : aliases.end();
  if (alias != aliases.end() && !countNesting(token, alias->second.nesting))
    return false;
  return checkElement(token) && countAffine(token) &&
         countTokens(token,
                     alias == aliases.end() ? 1 : alias->second.tokens + 1);
}

std::optional<ModuleTextError> Scanner::run() {
  if (text.size() > limits.bytes)
    return ModuleTextError{
        1, 1,
        (Twine(text.size()) + " bytes of text, at most " + Twine(limits.bytes))
            .str()};
  for (TextToken token = lexer.next(); token.kind != TextToken::End;
       token = lexer.next()) {
    if (!accept(token)) return error;
    before = token;
  }
  return std::nullopt;
}

std::string ModuleTextError::describe(StringRef filename) const {
  return (filename + ":" + Twine(line) + ":" + Twine(column) +
          ": error: " + message)
      .str();
}

bool mlir::gsa::isBytecodeText(StringRef text) {
  return text.starts_with("ML\xefR");
}

std::optional<ModuleTextError> mlir::gsa::checkModuleText(
    StringRef text, const ModuleTextLimits& limits) {
  return Scanner(text, limits).run();
}

bool mlir::gsa::acceptModuleText(StringRef text, StringRef filename,
                                 llvm::raw_ostream& os) {
  if (isBytecodeText(text)) return true;
  std::optional<ModuleTextError> error = checkModuleText(text);
  if (!error) return true;
  os << error->describe(filename) << '\n';
  return false;
}
