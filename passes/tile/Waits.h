//===- Waits.h - when an asynchronous op has ended -------------*- C++ -*-===//

#ifndef GSA_PASSES_TILE_WAITS_H
#define GSA_PASSES_TILE_WAITS_H

#include "dialect/GsaTile/GsaTileOps.h"

namespace mlir::gsa {

/// What goes on using its operands after the op was issued.
inline gsa_tile::AsyncKind getAsyncKind(Operation* op) {
  auto async = dyn_cast<gsa_tile::AsyncOpInterface>(op);
  return async ? async.getAsyncKind() : gsa_tile::AsyncKind::None;
}

/// The op of the same block that waits for an asynchronous one, or null: bulk
/// copies are waited for through their ring, perhaps by others.
inline Operation* findWait(Operation* issued) {
  gsa_tile::AsyncKind kind = getAsyncKind(issued);
  for (Operation* op = issued; op; op = op->getNextNode())
    if (auto wait = dyn_cast<gsa_tile::AsyncWaitOpInterface>(op);
        wait && wait.getAsyncKind() == kind && wait.getPending() == 0)
      return op;
  return nullptr;
}

}  // namespace mlir::gsa

#endif  // GSA_PASSES_TILE_WAITS_H
