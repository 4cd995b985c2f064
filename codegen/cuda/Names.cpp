//===- Names.cpp - unique C++ names ---------------------------------------===//

#include "codegen/cuda/Names.h"

#include "dialect/GsaTile/CudaNames.h"
#include "dialect/GsaTile/ValueNames.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mlir::gsa_tile;

std::string gsa_tile::getNameHint(Value value, StringRef fallback) {
  StringRef name = getValueName(value);
  if (!name.empty()) return name.str();
  auto result = dyn_cast<OpResult>(value);
  if (!result && !fallback.empty()) return fallback.str();
  if (!result)
    return "arg" + std::to_string(cast<BlockArgument>(value).getArgNumber());
  Operation* op = result.getOwner();
  std::string hint;
  if (auto named = dyn_cast<OpAsmOpInterface>(op))
    named.getAsmResultNames([&](Value v, StringRef text) {
      if (v == value) hint = text.str();
    });
  if (!hint.empty()) return hint;
  if (!fallback.empty()) return fallback.str();
  StringRef mnemonic = op->getName().stripDialect();
  mnemonic.consume_back("_alloc");
  return mnemonic.str();
}

std::string Names::makeUnique(StringRef hint) {
  std::string base = sanitizeCudaName(hint);
  std::string name = base;
  for (unsigned i = 0; !isLegalCudaName(context, name) || taken.contains(name);
       ++i)
    name = base + "_" + std::to_string(i);
  taken.insert(name);
  given.push_back(name);
  return name;
}

void Names::closeScope(size_t scope) {
  for (; given.size() > scope; given.pop_back()) taken.erase(given.back());
}
