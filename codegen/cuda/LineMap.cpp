//===- LineMap.cpp - lines of printed text to locations -------------------===//

#include "codegen/cuda/LineMap.h"

#include <cassert>

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::gsa_tile;

void LineMap::add(unsigned line, Location location, StringRef op) {
  assert((entries.empty() || entries.back().line < line) && "lines go up");
  entries.push_back({line, location, op.str()});
}

const LineMap::Entry* LineMap::lookup(unsigned line) const {
  auto after = llvm::upper_bound(
      entries, line, [](unsigned l, const Entry& e) { return l < e.line; });
  return after == entries.begin() ? nullptr : &*std::prev(after);
}

void LineMap::print(raw_ostream& os) const {
  for (const Entry& entry : entries)
    os << entry.line << ' ' << entry.op << ' ' << entry.location << '\n';
}
