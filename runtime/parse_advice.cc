// -----------------------------------------------------------------------------
// File: parse_advice.cc
// -----------------------------------------------------------------------------

#include "runtime/parse_advice.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "llvm/ADT/STLExtras.h"
#include "mlir/IR/OperationSupport.h"
#include "runtime/core/nearest_name.h"

namespace gsa {
namespace {

std::string Dialects(mlir::MLIRContext* context) {
  std::vector<std::string> names;
  for (llvm::StringRef name : context->getAvailableDialects()) {
    names.push_back(name.str());
  }
  llvm::sort(names);
  return absl::StrJoin(names, ", ");
}

// "; did you mean 'gsa.gate'?" for an op that its dialect does not have.
std::string NearestOp(absl::string_view name, mlir::MLIRContext* context) {
  const absl::string_view dialect = name.substr(0, name.find('.') + 1);
  std::vector<absl::string_view> ops;
  for (mlir::RegisteredOperationName op : context->getRegisteredOperations()) {
    const absl::string_view known(op.getStringRef().data(),
                                  op.getStringRef().size());
    if (absl::StartsWith(known, dialect)) ops.push_back(known);
  }
  return DidYouMean(name, ops);
}

// Appends the nearest op where a line of `message` is `before`, the name of an
// op in quotes, and anything that begins with `after`.
void AdviseOp(absl::string_view before, absl::string_view after,
              mlir::MLIRContext* context, std::string* message) {
  const absl::string_view text(*message);
  size_t begin = text.find(before);
  if (begin == text.npos) return;
  begin += before.size();
  const size_t end = text.find('\'', begin);
  if (end == text.npos || !absl::StartsWith(text.substr(end + 1), after)) {
    return;
  }
  const std::string near = NearestOp(text.substr(begin, end - begin), context);
  message->insert(std::min(text.find('\n', end), text.size()), near);
}

}  // namespace

std::string WithOwnAdvice(std::string message, mlir::MLIRContext* context) {
  AdviseOp("custom op '", " is unknown", context, &message);
  AdviseOp("unregistered operation '", " found in dialect", context, &message);
  const std::string expected = absl::StrCat(
      "a dialect that this compiler does not know, expected one "
      "of ",
      Dialects(context), " (turn the rest into these before it is compiled)");
  absl::StrReplaceAll(
      {{"operation being parsed with an unregistered dialect. If this is "
        "intended, please use -allow-unregistered-dialect with the MLIR tool "
        "used",
        absl::StrCat("the op is of ", expected)},
       {"created with unregistered dialect. If this is intended, please call "
        "allowUnregisteredDialects() on the MLIRContext, or use "
        "-allow-unregistered-dialect with the MLIR opt tool used",
        absl::StrCat("is of ", expected)},
       {"Available dialects: ", "this compiler knows the dialects "},
       {" ; for more info on dialect registration see "
        "https://mlir.llvm.org/getting_started/Faq/"
        "#registered-loaded-dependent-whats-up-with-dialects-management",
        " (turn the rest into these before it is compiled)"}},
      &message);
  return message;
}

}  // namespace gsa
