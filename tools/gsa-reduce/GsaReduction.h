//===- GsaReduction.h - smaller gsa modules --------------------*- C++ -*-===//
//
// How gsa-reduce makes gsa ops simpler while a test still finds them
// interesting.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_GSA_REDUCE_GSAREDUCTION_H
#define GSA_TOOLS_GSA_REDUCE_GSAREDUCTION_H

#include "mlir/IR/DialectRegistry.h"

namespace mlir::gsa {

/// Attaches the reductions to the gsa dialect:
/// - a gate or a rotary embedding becomes its input,
/// - weights, bias and gates of an op are dropped, one by one,
/// - a policy becomes `fixed` with as many slots, without its statistic and
///   normaliser,
/// - an attribute that has a default takes it: activations, masks, forced
///   positions, rotary settings, promises.
/// Each of them is kept only if the test still finds the module interesting.
void registerGsaReductions(DialectRegistry& registry);

}  // namespace mlir::gsa

#endif  // GSA_TOOLS_GSA_REDUCE_GSAREDUCTION_H
