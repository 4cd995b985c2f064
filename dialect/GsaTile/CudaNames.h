//===- CudaNames.h - what is a name in CUDA C++ ----------------*- C++ -*-===//
//
// In the dialect, because both the last pass and the printer ask.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSATILE_CUDANAMES_H
#define GSA_DIALECT_GSATILE_CUDANAMES_H

#include <string>

#include "mlir/Support/LLVM.h"

namespace mlir {
class MLIRContext;
}

namespace mlir::gsa_tile {

/// True if `name` is an identifier that no word of C++ or CUDA and no name of
/// the device headers equals.
bool isLegalCudaName(MLIRContext* context, StringRef name);

/// True if a kernel may have this name: it is global and has C linkage, so that
/// a function of the host's C library of the same name is in its way as well.
bool isLegalKernelName(MLIRContext* context, StringRef name);

/// `hint` with what is not allowed in an identifier replaced by underscores;
/// never empty.
std::string sanitizeCudaName(StringRef hint);

}  // namespace mlir::gsa_tile

#endif  // GSA_DIALECT_GSATILE_CUDANAMES_H
