//===- TargetOption.h - the option `arch` of a pass ------------*- C++ -*-===//

#ifndef GSA_PASSES_TARGETOPTION_H
#define GSA_PASSES_TARGETOPTION_H

#include <optional>

#include "dialect/Target/CudaTarget.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"

namespace mlir::gsa {

/// The architecture that a pass is told to work for; none after an error where
/// `root` is. The op itself is not at fault and not printed.
inline std::optional<CudaTarget> findTargetOption(Operation* root,
                                                  StringRef pass,
                                                  StringRef arch) {
  std::optional<CudaTarget> target = findCudaTarget(arch);
  if (!target)
    emitError(root->getLoc())
        << pass << ": architecture: " << explainUnknownTarget(arch);
  return target;
}

}  // namespace mlir::gsa

#endif  // GSA_PASSES_TARGETOPTION_H
