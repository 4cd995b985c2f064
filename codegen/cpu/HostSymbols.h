//===- HostSymbols.h - C library functions open to compiled code ----------===//

#ifndef GSA_CODEGEN_CPU_HOSTSYMBOLS_H
#define GSA_CODEGEN_CPU_HOSTSYMBOLS_H

#include "llvm/ADT/StringMap.h"

namespace mlir::gsa {

/// Name -> address of every C library function that LLVM may call from code of
/// the CPU pipeline. A closed list: an unknown name is an error at link time
/// instead of a lookup in whatever this process has loaded.
const llvm::StringMap<void*>& hostSymbols();

}  // namespace mlir::gsa

#endif  // GSA_CODEGEN_CPU_HOSTSYMBOLS_H
