//===- ChoiceParser.h - options of passes that are enumerations -*- C++ -*-===//
//
// llvm::cl answers a word that is none of an option's with "Cannot find option
// named 'x'!". An enumeration of ours is parsed here, by
//
//   template <>
//   class llvm::cl::parser<Enum> : public mlir::gsa::ChoiceParser<Enum> {
//    public:
//     using ChoiceParser::ChoiceParser;
//   };
//
// before the first option of it.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_CHOICEPARSER_H
#define GSA_PASSES_CHOICEPARSER_H

#include "dialect/Common/Choices.h"
#include "llvm/Support/CommandLine.h"

namespace mlir::gsa {

/// llvm::cl::parser of an enumeration, whose interface this is (so are the
/// names), but for the error: it lists the words and says the nearest one.
template <typename Enum>
class ChoiceParser : public llvm::cl::generic_parser_base {
 protected:
  struct OptionInfo : GenericOptionInfo {
    OptionInfo(StringRef name, Enum value, StringRef help)
        : GenericOptionInfo(name, help), V(value) {}
    llvm::cl::OptionValue<Enum> V;  // NOLINT: and this one
  };
  llvm::SmallVector<OptionInfo, 8> Values;  // NOLINT: MLIR reads it by name

 public:
  using parser_data_type = Enum;
  explicit ChoiceParser(llvm::cl::Option& option)
      : generic_parser_base(option) {}

  unsigned getNumOptions() const override { return Values.size(); }
  llvm::StringRef getOption(unsigned i) const override {
    return Values[i].Name;
  }
  llvm::StringRef getDescription(unsigned i) const override {
    return Values[i].HelpStr;
  }
  const llvm::cl::GenericOptionValue& getOptionValue(
      unsigned i) const override {
    return Values[i].V;
  }

  /// True after an error, as all parsers of llvm::cl.
  bool parse(llvm::cl::Option& option, llvm::StringRef /*name*/,
             llvm::StringRef word, Enum& value) {
    llvm::SmallVector<llvm::StringRef> words;
    for (const OptionInfo& choice : Values) {
      if (choice.Name == word) {
        value = choice.V.getValue();
        return false;
      }
      words.push_back(choice.Name);
    }
    return option.error(explainUnknownName(word, words));
  }

  template <typename Value>
  void addLiteralOption(llvm::StringRef name, const Value& value,
                        llvm::StringRef help) {
    Values.push_back(OptionInfo(name, static_cast<Enum>(value), help));
    AddLiteralOption(Owner, name);
  }
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_CHOICEPARSER_H
