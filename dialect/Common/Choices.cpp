//===- Choices.cpp - what a misspelt name was meant to be -----------------===//

#include "dialect/Common/Choices.h"

#include <algorithm>

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

llvm::StringRef gsa::findNearest(llvm::StringRef wrong,
                                 llvm::ArrayRef<llvm::StringRef> legal) {
  llvm::StringRef nearest;
  unsigned distance = std::max<size_t>(2, wrong.size() / 3) + 1;
  for (llvm::StringRef name : legal) {
    unsigned found = wrong.edit_distance_insensitive(
        name, /*AllowReplacements=*/true, distance);
    if (found >= distance) continue;
    distance = found;
    nearest = name;
  }
  return nearest;
}

std::string gsa::explainUnknownName(llvm::StringRef wrong,
                                    llvm::ArrayRef<llvm::StringRef> legal) {
  std::string text =
      "expected one of " + llvm::join(legal, ", ") + ", got '" + wrong.str();
  llvm::StringRef nearest = findNearest(wrong, legal);
  return nearest.empty() ? text + "'"
                         : text + "'; did you mean '" + nearest.str() + "'?";
}
