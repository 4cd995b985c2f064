//===- GsaTileDialect.h - the gsa_tile dialect -----------------*- C++ -*-===//
//
// Dialect, attributes, types and the resources of memory effects.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSATILE_GSATILEDIALECT_H
#define GSA_DIALECT_GSATILE_GSATILEDIALECT_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialect/GsaTile/GsaTileDialect.h.inc"
#include "dialect/GsaTile/GsaTileEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialect/GsaTile/GsaTileAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialect/GsaTile/GsaTileTypes.h.inc"

namespace mlir::gsa_tile {

/// What an op reads or writes. Order between ops is program order plus effects
/// on these.
struct RegisterResource : SideEffects::Resource::Base<RegisterResource> {
  StringRef getName() final { return "GsaTile.Registers"; }
};
struct SharedResource : SideEffects::Resource::Base<SharedResource> {
  StringRef getName() final { return "GsaTile.Shared"; }
};
struct GlobalResource : SideEffects::Resource::Base<GlobalResource> {
  StringRef getName() final { return "GsaTile.Global"; }
};
struct BarrierResource : SideEffects::Resource::Base<BarrierResource> {
  StringRef getName() final { return "GsaTile.Barrier"; }
};

/// Vectors of a tile whose rows a thread keeps in registers, at most.
inline constexpr int64_t kMostFoundRows = 16;

/// Kinds of keys of a union: what one half of its queries wants alone, what the
/// other one does, and what both want.
inline constexpr int64_t kUnionKinds = 3;

/// Bytes of an element in memory. Element types are whole bytes.
int64_t getElementBytes(Type elementType);

/// One stage of a staged tile type.
Type getStageType(Type stagedSmemType);

/// Bytes of shared memory of a ring: a full and an empty barrier per stage.
inline int64_t getRingBytes(RingType type) { return 16 * type.getStages(); }

}  // namespace mlir::gsa_tile

#endif  // GSA_DIALECT_GSATILE_GSATILEDIALECT_H
