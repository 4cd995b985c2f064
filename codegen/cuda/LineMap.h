//===- LineMap.h - lines of printed text to locations ----------*- C++ -*-===//
//
// An error of the CUDA compiler names a line of text that no user wrote; this
// leads back to the op that it was printed for.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_CODEGEN_CUDA_LINEMAP_H
#define GSA_CODEGEN_CUDA_LINEMAP_H

#include <optional>
#include <string>
#include <vector>

#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"

namespace mlir::gsa_tile {

class LineMap {
 public:
  struct Entry {
    unsigned line;  // from 1
    Location location;
    std::string op;  // name of the op, "gsa_tile.mma_nt"
  };

  /// Lines come in increasing order.
  void add(unsigned line, Location location, StringRef op);
  /// The op of a line or, for a line of no op (a brace), of the closest line
  /// above; none above the first kernel.
  const Entry* lookup(unsigned line) const;
  ArrayRef<Entry> getEntries() const { return entries; }
  /// One line `<line> <op> <location>` each.
  void print(raw_ostream& os) const;

 private:
  std::vector<Entry> entries;
};

}  // namespace mlir::gsa_tile

#endif  // GSA_CODEGEN_CUDA_LINEMAP_H
